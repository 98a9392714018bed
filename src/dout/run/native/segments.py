"""Native steps that follow one another as one function, and where their memory lies.

A segment is called with a table: an array of pointers, one for each buffer that its steps touch, the caller's first, then
those of the arena. The arena is one block for all temporaries of a segment. It is kept from call to call; a call that finds
it taken, by another thread, makes one of its own, and whoever puts one back where one lies already frees that.
"""

from __future__ import annotations

import ctypes
import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...passes.plan import Buffer, Call, Factorisation, Group, Nest, Plan, Product, Step
from . import text as ir
from . import threads

#: Temporaries begin at multiples of so many bytes, as large as a cache line and as the widest vector.
ALIGNMENT = 64
#: A segment that is estimated to take so many nanoseconds lets other threads of Python's go on.
RELEASED = 50_000.0
#: What a segment's function returns: done; a check doesn't hold, or an index is out of range; no memory.
DONE, BROKEN_OFF, NO_MEMORY = 0, 1, 2
POINTER, LONG, INT, BYTE = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8)


@dataclass
class Segment:
    """Steps that are one function.

    Attributes:
        steps: with the number of each in the plan.
        inputs: buffers that are filled before, if only in part: what is filled here too is filled in place.
        results: buffers that are needed after.
        offsets: of each temporary, where it begins in the arena.
        size: of the arena, in bytes.
        work: an estimate of the nanoseconds it takes on one thread.
        worth: what work is worth being split over threads.
    """

    steps: list[tuple[int, Step]]
    inputs: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)
    size: int = 0
    work: float = 0.0
    worth: float = threads.WORTH

    @property
    def long(self) -> bool:
        """Whether other threads of Python's should go on meanwhile."""
        return self.work >= RELEASED

    @property
    def slots(self) -> dict[int, int]:
        """The place of each buffer in the table."""
        return {v: k for k, v in enumerate([*self.inputs, *self.results, *self.offsets])}


def segments(plan: Plan, wanted: set[int]) -> list[Segment | tuple[int, Call]]:
    """A plan's steps, native neighbours together.

    Args:
        plan: the plan.
        wanted: values that are needed when all is done.
    """
    found: list[Segment | tuple[int, Call]] = []
    least = worth(plan)
    for n, step in enumerate(plan.steps):
        if isinstance(step, Call):
            found.append((n, step))
            continue
        if not found or not isinstance(found[-1], Segment):
            found.append(Segment([], worth=least))
        found[-1].steps.append((n, step))  # type: ignore[union-attr]
    begun: dict[int, int] = {}  # which part of the plan fills a buffer first
    for n, part in enumerate(found):
        for v in _filled(part):
            begun.setdefault(v, n)
    needed = set(wanted)
    for n, part in reversed(list(enumerate(found))):
        if isinstance(part, Segment):
            _memory(part, plan.buffers, needed, {v for v in _filled(part) if begun[v] == n})
            needed |= set(part.inputs)
        else:
            needed |= set(part[1].reads)
    return found


def _filled(part: Segment | tuple[int, Call]) -> set[int]:
    """The buffers that native steps fill, at least in part."""
    steps = [step for _, step in part.steps] if isinstance(part, Segment) else []
    return {v for s in steps for v in (*s.writes, *(s.partial.values() if isinstance(s, Nest) else ()))}


def touched(step: Step, buffers: Mapping[int, Buffer]) -> list[int]:
    """The buffers that a step uses. Numbers that are part of the code have none."""
    partial = step.partial.values() if isinstance(step, Nest) else ()
    return [v for v in dict.fromkeys([*step.reads, *step.writes, *partial]) if v in buffers]


def nbytes(buffer: Buffer) -> int:
    """How many bytes a buffer has."""
    size: int = np.dtype(buffer.dtype).itemsize
    return math.prod(buffer.shape) * size


def _memory(segment: Segment, buffers: Mapping[int, Buffer], needed: set[int], made: set[int]) -> None:
    """Fill in what a segment takes, gives, and where the rest lies."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for at, (_, step) in enumerate(segment.steps):
        for v in touched(step, buffers):
            first.setdefault(v, at)
            last[v] = at
        segment.work += work(step, buffers)
    segment.inputs = sorted(v for v in first if v not in made)
    segment.results = sorted(v for v in first if v in made and v in needed)
    temporary = [v for v in first if v in made and v not in needed]
    segment.offsets, segment.size = placed([(v, nbytes(buffers[v]), first[v], last[v]) for v in temporary])


def work(step: Step, buffers: Mapping[int, Buffer]) -> float:
    """An estimate of the nanoseconds that a step takes on one thread."""
    if isinstance(step, Nest | Group):
        return step.work
    if isinstance(step, Factorisation):
        return math.prod(buffers[step.value].shape) * 100.0
    if isinstance(step, Product):
        return math.prod(step.batch) * (step.m * step.n * step.k / 16 + 100)
    return 1e6


def iterations(step: Step) -> int:
    """How many iterations a step's function is called with."""
    if isinstance(step, Group):
        return step.pieces
    return step.extent if isinstance(step, Nest) else 1


def worth(plan: Plan) -> float:
    """What work of a step is worth being split over threads, in nanoseconds."""
    blas = any(isinstance(step, Product) and _wakes_threads(step) for step in plan.steps)
    return threads.BESIDE_BLAS if blas else threads.WORTH


def _wakes_threads(step: Product) -> bool:
    """Whether OpenBLAS gives some of a product to its own threads: by its `interface/gemm.c` and `gemv.c`."""
    return step.m * step.n * step.k > (2**18 if min(step.m, step.n) > 1 else 9216)


def is_split(step: Step, least: float) -> bool:
    """Whether a step goes over threads, if so much work is worth it."""
    some = isinstance(step, Group) or (isinstance(step, Nest) and step.parallel)
    return some and work(step, {}) >= least and threads.available()


def placed(rooms: Sequence[tuple[int, int, int, int]]) -> tuple[dict[int, int], int]:
    """Where each of some rooms begins, so that those that are used at one time don't overlap; and how much that is.

    Each goes to the first gap that it fits into.

    Args:
        rooms: of each its name, its size, and when it is used first and last, in the order of the first.
    """
    offsets: dict[int, int] = {}
    live: list[tuple[int, int, int]] = []  # begin, end, last use; in order
    most = 0
    for name, size, first, last in rooms:
        live = [r for r in live if r[2] >= first]
        size = -(-max(size, 1) // ALIGNMENT) * ALIGNMENT
        begin = 0
        for taken, end, _ in live:
            if taken - begin >= size:
                break
            begin = max(begin, end)
        live.append((begin, begin + size, last))
        live.sort()
        offsets[name] = begin
        most = max(most, begin + size)
    return offsets, most


class Arenas:
    """A word for each segment, in which its arena's address lies while nobody uses it. They are freed with this object."""

    def __init__(self, count: int) -> None:
        self._words = (ctypes.c_void_p * max(count, 1))()
        weakref.finalize(self, _free, self._words).atexit = False

    def address(self, n: int) -> int:
        """Where a segment's word is."""
        return ctypes.addressof(self._words) + 8 * n


def _free(words: Any) -> None:
    free = ctypes.pythonapi.PyMem_RawFree
    free.argtypes, free.restype = [ctypes.c_void_p], None
    for n, address in enumerate(words):
        if address:
            free(address)
            words[n] = None


class Core:
    """Emits the function of a segment, `int name(table)`: it finds its arena, and calls one step after another."""

    def __init__(self, module: ir.Module, name: str, segment: Segment, arena: int) -> None:
        self.module = module
        self.function = ir.Function(module, ir.FunctionType(INT, [POINTER]), name)
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.segment = segment
        self.table = self.function.args[0]
        self.word = ir.Constant(LONG, arena).inttoptr(POINTER)
        self.end = self.function.append_basic_block("end")
        if segment.size:
            self._take()
        self.statuses: list[tuple[Any, ir.Block]] = []

    def call(self, step: Step, function: ir.Function) -> None:
        """Let it run a step, over threads if that is worth it, and stop where that says so."""
        extent = ir.Constant(LONG, iterations(step))
        numbered = isinstance(step, Group)
        if is_split(step, self.segment.worth):
            self._returned(self.b.call(threads.split(self.module, numbered), [function, self.table, extent]))
            return
        zero = ir.Constant(LONG, 0)
        self._returned(self.b.call(function, [self.table, zero, extent, *[zero] * numbered]))

    def _returned(self, status: Any) -> None:
        """Go on if a status is 0."""
        self.statuses.append((status, self.b.block))
        onwards = self.function.append_basic_block("next")
        self.b.cbranch(self.b.icmp_unsigned("==", status, ir.Constant(INT, DONE)), onwards, self.end)
        self.b.position_at_end(onwards)

    def finish(self) -> ir.Function:
        """Give back the arena, and return."""
        b = self.b
        last = b.block
        b.branch(self.end)
        b.position_at_end(self.end)
        status = b.phi(INT)
        status.add_incoming(ir.Constant(INT, DONE), last)
        for value, block in self.statuses:
            status.add_incoming(value, block)
        if self.segment.size:
            self._put_back()
        b.ret(status)
        return self.function

    def _extern(self, name: str, result: Any, args: list[Any]) -> Any:
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, args), name)

    def _take(self) -> None:
        """Take the arena, or make one; let the table point into it."""
        b = self.b
        null = ir.Constant(POINTER, None)
        kept = b.atomic_rmw("xchg", self.word, null, "acq_rel")
        before = b.block
        fresh, fails, ready = (self.function.append_basic_block(name) for name in ("fresh", "fails", "ready"))
        b.cbranch(b.icmp_unsigned("==", kept, null), fresh, ready)
        b.position_at_end(fresh)
        allocate = self._extern("PyMem_RawMalloc", POINTER, [LONG])
        made = b.call(allocate, [ir.Constant(LONG, self.segment.size + ALIGNMENT)])
        b.cbranch(b.icmp_unsigned("==", made, null), fails, ready)
        b.position_at_end(fails)
        b.ret(ir.Constant(INT, NO_MEMORY))
        b.position_at_end(ready)
        self.block = b.phi(POINTER)
        self.block.add_incoming(kept, before)
        self.block.add_incoming(made, fresh)
        start = b.add(b.ptrtoint(self.block, LONG), ir.Constant(LONG, ALIGNMENT - 1))
        base = b.inttoptr(b.and_(start, ir.Constant(LONG, -ALIGNMENT)), POINTER)
        slots = self.segment.slots
        for v, offset in self.segment.offsets.items():
            place = b.gep(base, [ir.Constant(LONG, offset)], source_etype=BYTE)
            b.store(place, b.gep(self.table, [ir.Constant(LONG, slots[v])], source_etype=POINTER))

    def _put_back(self) -> None:
        b = self.b
        null = ir.Constant(POINTER, None)
        other = b.atomic_rmw("xchg", self.word, self.block, "acq_rel")
        free, done = self.function.append_basic_block("free"), self.function.append_basic_block("done")
        b.cbranch(b.icmp_unsigned("==", other, null), done, free)
        b.position_at_end(free)
        b.call(self._extern("PyMem_RawFree", ir.VoidType(), [POINTER]), [other])
        b.branch(done)
        b.position_at_end(done)

"""A rolled loop whose body has arrays in memory: each step runs the body's native steps on a table of pointers.

What is stacked is written where it stays: its place in the stack is what the next step reads. What is carried only goes
round a ring of rooms. What the steps take of stacks are pointers into them. So nothing is copied from step to step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from ...passes.plan import Call, Plan
from ...passes.roll_loops import Loop
from . import text as ir
from .segments import ALIGNMENT, Arenas, Core, Segment, segments

_P, _LONG, _INT, _BYTE = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8)

_T = TypeVar("_T")


class NoSteps(Exception):
    """The body has steps that are not native; says which."""


def once_for_each(find: Callable[[Loop], _T]) -> Callable[[Loop], _T]:
    """A function of a loop that is called once for each, and whose result goes when the loop goes."""
    found: WeakKeyDictionary[Loop, _T] = WeakKeyDictionary()

    @functools.wraps(find)
    def call(loop: Loop) -> _T:
        if loop not in found:
            found[loop] = find(loop)
        return found[loop]

    return call


@once_for_each
def body_plan(loop: Loop) -> tuple[Plan, Segment | None]:
    """The steps of a loop's body, as one segment; None if there is nothing to compute.

    Raises:
        NoSteps: if NumPy has to compute some of it.
    """
    from .backend import plan_of  # which itself has steps that are loops

    body = loop.body
    plan = plan_of(body)
    values = plan.program.values
    for step in plan.steps:
        if isinstance(step, Call):
            op = values[step.value].op
            raise NoSteps(f"{op.name if op else 'a value'} of {values[step.value].dtype} has no code here")
    made = {i for step in plan.steps for i in step.writes}
    for i in body.outputs:
        if i not in made and values[i].input is None:
            raise NoSteps("it gives what it doesn't make")
    for i in [*body.outputs, *[i for i, v in enumerate(body.values) if v.input is not None]]:
        if (
            type(values[i].shape) is not tuple
            or np.dtype(values[i].dtype).kind not in "fbiu"
            or not math.prod(values[i].shape)
        ):
            raise NoSteps(f"a value of {values[i].dtype} with shape {values[i].shape}")
    if any(t.kind == "counter" for t in loop.takes):
        raise NoSteps("what is read moves within an array")
    parts = segments(plan, set(body.outputs))
    if len(parts) > 1:
        raise NoSteps("it is several segments")
    segment = parts[0] if parts else None
    assert segment is None or isinstance(segment, Segment)
    return plan, segment


class TableEmission:
    """Emits `int name(pointer to each thing taken, pointer to each result)`; not 0 if the body has to be left.

    Args:
        loop: the loop.
        module: where to.
        name: what the function is called.
        constants: of what is taken, by position: a number that is part of the code, and has no memory.

    Raises:
        NoSteps: if NumPy has to compute some of the body.
    """

    def __init__(self, loop: Loop, module: ir.Module, name: str, constants: dict[int, Any] | None = None) -> None:
        self.loop = loop
        self.plan, self.segment = body_plan(loop)
        self.values = self.plan.program.values
        self.module = module
        n_args = sum(t.kind != "counter" for t in loop.takes)
        self.function = ir.Function(module, ir.FunctionType(_INT, [_P] * (n_args + len(loop.gives))), name)
        self.function.linkage = "internal"
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.taken = [
            self._constant(constants[k]) if constants and k in constants else self.function.args[k]
            for k in range(n_args)
        ]
        self.given = self.function.args[n_args:]
        self.core = self._core(name)
        self._emit()

    # What is called in each step

    def _core(self, name: str) -> ir.Function | None:
        from .backend import step_of  # which itself has steps that are loops

        if self.segment is None:
            return None
        arenas = Arenas(1)
        self.loop.keeps.append(arenas)
        core = Core(self.module, f"{name}.body", self.segment, arenas.address(0))
        for number, step in self.segment.steps:
            function = step_of(self.plan, step, self.segment.slots, self.module, f"{name}.step{number}")
            core.call(step, function)
        return core.finish()

    def _constant(self, value: Any) -> Any:
        """Where a constant lies."""
        array = np.require(value.constant, np.dtype(value.dtype), ["C_CONTIGUOUS", "ALIGNED"])
        self.loop.keeps.append(array)
        return ir.Constant(_LONG, array.ctypes.data).inttoptr(_P)

    def _nbytes(self, i: int) -> int:
        v = self.values[i]
        return int(math.prod(v.shape) * np.dtype(v.dtype).itemsize)

    def _long(self, n: int) -> Any:
        return ir.Constant(_LONG, n)

    def _at(self, pointer: Any, n: Any) -> Any:
        return self.b.gep(pointer, [n], source_etype=_BYTE)

    def _copy(self, to: Any, source: Any, n: int) -> None:
        name = "llvm.memcpy.p0.p0.i64"
        bit = ir.IntType(1)
        copy = self.module.globals.get(name) or ir.Function(
            self.module, ir.FunctionType(ir.VoidType(), [_P, _P, _LONG, bit]), name
        )
        self.b.call(copy, [to, source, self._long(n), ir.Constant(bit, 0)])

    # The loop

    def _emit(self) -> None:
        loop, b = self.loop, self.b
        outputs = loop.body.outputs
        inputs = {v.input: i for i, v in enumerate(loop.body.values) if v.input is not None}
        carried = [k for k, t in enumerate(loop.takes) if t.kind == "carried"]
        stacks: dict[int, list[int]] = {}
        for g, give in enumerate(loop.gives):
            if give.stacked:
                stacks.setdefault(outputs[give.output], []).append(g)
        made = [i for i in dict.fromkeys(outputs) if self.values[i].input is None]
        ringed = [i for i in made if i not in stacks]
        rooms = 2 + sum(self.values[outputs[loop.takes[k].next]].input is not None for k in carried)
        rings, memory = self._rings(ringed, rooms)
        slots = self.segment.slots if self.segment is not None else {}
        table = b.alloca(_P, max(len(slots), 1))
        for v in self.segment.inputs if self.segment is not None else ():
            value = self.values[v]
            if value.input is None:
                self._enter(table, slots[v], self._constant(value))
            elif loop.takes[value.input].kind == "same":
                self._enter(table, slots[v], self.taken[value.input])
        before, head, left, end = b.block, *(self.function.append_basic_block(n) for n in ("head", "left", "end"))
        b.branch(head)
        b.position_at_end(head)
        index = b.phi(_LONG)
        index.add_incoming(self._long(0), before)
        now: dict[int, Any] = {}  # where each input and output lies in this step
        phis = {}
        for k in carried:
            phis[k] = now[inputs[k]] = b.phi(_P)
            phis[k].add_incoming(self.taken[k], before)
        turning = {}
        for i in ringed:
            turning[i] = [b.phi(_P) for _ in range(rooms)]
            for phi, room in zip(turning[i], rings[i], strict=True):
                phi.add_incoming(room, before)
            now[i] = turning[i][0]
        for k, take in enumerate(loop.takes):
            i = inputs[k]
            if take.kind == "each":
                at = b.add(
                    b.mul(index, self._long(take.step * self._nbytes(i))), self._long(take.start * self._nbytes(i))
                )
                now[i] = self._at(self.taken[k], at)
            elif take.kind == "same":
                now[i] = self.taken[k]
        for i, gives in stacks.items():
            if i in made:
                now[i] = self._at(self.given[gives[0]], b.mul(index, self._long(self._nbytes(i))))
        for v, slot in slots.items():
            if v in now and not (v in inputs.values() and loop.takes[self.values[v].input or 0].kind == "same"):
                self._enter(table, slot, now[v])
        status: Any = ir.Constant(_INT, 0)
        onwards = self.function.append_basic_block("onwards")
        if self.core is not None:
            status = b.call(self.core, [table])
        broken_from = b.block
        b.cbranch(b.icmp_unsigned("==", status, ir.Constant(_INT, 0)), onwards, end)
        b.position_at_end(onwards)
        for i, gives in stacks.items():
            for g in gives[1:] if i in made else gives:
                self._copy(self._at(self.given[g], b.mul(index, self._long(self._nbytes(i)))), now[i], self._nbytes(i))
        following = b.add(index, self._long(1))
        index.add_incoming(following, b.block)
        for k in carried:
            phis[k].add_incoming(now[outputs[loop.takes[k].next]], b.block)
        for phis_of in turning.values():
            for n, phi in enumerate(phis_of):
                phi.add_incoming(phis_of[(n + 1) % rooms], b.block)
        b.cbranch(b.icmp_signed("<", following, self._long(loop.n)), head, left)
        b.position_at_end(left)
        for g, give in enumerate(loop.gives):
            if not give.stacked:
                i = outputs[give.output]
                self._copy(self.given[g], now[i], self._nbytes(i))
        last = b.block
        b.branch(end)
        b.position_at_end(end)
        found = b.phi(_INT)
        found.add_incoming(status, broken_from)
        found.add_incoming(ir.Constant(_INT, 0), last)
        if memory is not None:
            b.call(self._extern("PyMem_RawFree", ir.VoidType(), [_P]), [memory])
        b.ret(found)

    def _enter(self, table: Any, slot: int, pointer: Any) -> None:
        self.b.store(pointer, self.b.gep(table, [self._long(slot)], source_etype=_P))

    def _extern(self, name: str, result: Any, args: list[Any]) -> Any:
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, args), name)

    def _rings(self, ringed: list[int], rooms: int) -> tuple[dict[int, list[Any]], Any]:
        """Rooms for what is carried and not stacked, and the memory that they are in."""
        b = self.b
        sizes = {i: -(-self._nbytes(i) // ALIGNMENT) * ALIGNMENT for i in ringed}
        total = rooms * sum(sizes.values())
        if not total:
            return {}, None
        memory = b.call(self._extern("PyMem_RawMalloc", _P, [_LONG]), [self._long(total + ALIGNMENT)])
        fails, ready = self.function.append_basic_block("fails"), self.function.append_basic_block("ready")
        b.cbranch(b.icmp_unsigned("==", memory, ir.Constant(_P, None)), fails, ready)
        b.position_at_end(fails)
        b.ret(ir.Constant(_INT, 2))
        b.position_at_end(ready)
        start = b.add(b.ptrtoint(memory, _LONG), self._long(ALIGNMENT - 1))
        base = b.inttoptr(b.and_(start, self._long(-ALIGNMENT)), _P)
        rings: dict[int, list[Any]] = {}
        offset = 0
        for i in ringed:
            rings[i] = []
            for _ in range(rooms):
                rings[i].append(self._at(base, self._long(offset)))
                offset += sizes[i]
        return rings, memory

"""What native code does, in words: the steps, the bytes that each reads and writes, and the time that each takes."""

from __future__ import annotations

import ctypes
import functools
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import PICK
from ...passes.plan import Call, Factorisation, Group, Loop, Nest, Plan, Product, Read, Statement, Step
from ...passes.program import Program, Value
from ..interpret import BROKEN, forwarded
from . import abi, threads
from .engine import Code
from .segments import ALIGNMENT, Segment, is_split, iterations, nbytes, worth

#: So many operations of a step are named.
_NAMED = 12


def described_plan(
    plan: Plan, parts: Sequence[Segment | tuple[int, Call]], direct: bool, times: dict[int, float] | None
) -> str:
    """A line for each step, and what holds for all."""
    lines = []
    for part in parts:
        for n, step in part.steps if isinstance(part, Segment) else [part]:
            took = f"; {times[n] * 1e6:.1f} us" if times is not None and n in times else ""
            lines.append(_described(plan, step) + took)
    rooms = [p.size for p in parts if isinstance(p, Segment)]
    lines.append(f"Temporaries: {max(rooms)} bytes at most at one time, in memory that is kept from call to call.")
    if any(is_split(s, worth(plan)) for s in plan.steps):
        lines.append(f"Loops in pieces are run by up to {threads.get_num_threads()} threads.")
    if direct:
        lines.append("One builtin reads the arguments and makes the results.")
    elif not abi.holds():
        lines.append("Called by ctypes: objects of this Python or NumPy are not laid out as the quicker way expects.")
    return "\n".join(lines)


def _named(value: Value) -> str:
    """An operation's name; of NumPy's own functions, the function's."""
    assert value.op is not None
    return getattr(value.params.get("function"), "__name__", "call") if value.op.name == "call" else value.op.name


def _described(plan: Plan, step: Step, inner: bool = False) -> str:
    values = plan.program.values
    if isinstance(step, Call):
        value = values[step.value]
        assert value.op is not None
        return f"NumPy: %{step.value} = {value.op.name}{_why(value)}"
    read, written = moved(plan, step)
    how_much = f"{read} bytes read, {written} written"
    if isinstance(step, Product):
        batch = f" for each of {list(step.batch)}" if step.batch else ""
        how = "tiles" if inner else "BLAS"
        return f"{how}: %{step.value}: {step.m} x {step.k} times {step.k} x {step.n}{batch}; {how_much}"
    if isinstance(step, Factorisation):
        op = values[step.value].op
        return f"LAPACK: %{step.value} {op.name if op else ''} {list(values[step.value].shape)}; {how_much}"
    if isinstance(step, Group):
        parts = [_described(plan, s, True) for s in step.steps]
        rows = f"native: blocks of {step.each} of {step.extent} rows{' in pieces' * is_split(step, worth(plan))}; {how_much}"
        return "\n    ".join([rows, *parts])
    if not isinstance(step, Nest):
        return f"native: loop %{step.value}; {how_much}"
    made = list(dict.fromkeys(s.value for s in step.statements()))
    names = [f"%{i} {_named(values[i])}" for i in made if i < len(values) and values[i].op is not None]
    names += ["copies"] if any(i < len(values) and values[i].op is None for i in made) else []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    cut = " in pieces" if is_split(step, worth(plan)) else ""
    return f"native: {_loops(step.body)}{cut}: {', '.join(names[:_NAMED])}{more}; {how_much}"


def moved(plan: Plan, step: Step) -> tuple[int, int]:
    """How many bytes a step reads and writes: of buffers of which it needs a few entries, those."""
    if not isinstance(step, Nest):
        made = [i for i in step.writes if not (isinstance(step, Group) and i == step.room)]
        return sum(_bytes(plan, {i: None}) for i in step.reads), sum(_bytes(plan, {i: None}) for i in made)
    read: dict[int, set[Any] | None] = {}
    written: dict[int, set[Any] | None] = {}
    for s in step.statements():
        for r in (*s.reads, *[i.read for q in (*s.reads, s.write) for i in q.indices]):
            _meet(read, r, s.extents)
        if s.how != "check":
            _meet(written, s.write, s.extents)
        if s.how == "add":
            _meet(read, s.write, s.extents)
    return (
        _bytes(plan, {i: read.get(i, set()) for i in step.reads}),
        _bytes(plan, {i: written.get(i) for i in step.writes}),
    )


def _meet(found: dict[int, set[Any] | None], r: Read, extents: Sequence[int]) -> None:
    """Note the form of the entries that are read or written."""
    steps = [r.strides, *[i.read.strides for i in r.indices]]
    count = math.prod([n for k, n in enumerate(extents) if any(k < len(t) and t[k] for t in steps)])
    known = found.setdefault(r.value, set())
    assert known is not None
    known.add((r, count))


def _bytes(plan: Plan, entries: dict[int, set[Any] | None]) -> int:
    """The bytes of entries of buffers; of a whole buffer where nothing is said of them."""
    total = 0
    for i, places in entries.items():
        if i in plan.buffers:
            whole, size = nbytes(plan.buffers[i]), np.dtype(plan.buffers[i].dtype).itemsize
            total += whole if places is None else min(whole, size * sum(count for _, count in places))
    return total


def _loops(body: Sequence[Loop | Statement]) -> str:
    """The extents of nested loops, as in `loop over 10 x (5, 7)`."""
    loops = [b for b in body if isinstance(b, Loop)]
    return f"loop over {_extents(loops)}" if loops else "numbers"


def _extents(loops: Sequence[Loop]) -> str:
    found = []
    for loop in loops:
        inner = [b for b in loop.body if isinstance(b, Loop)]
        found.append(f"{loop.extent} x {_extents(inner)}" if inner else str(loop.extent))
    found = list(dict.fromkeys(found))
    return found[0] if len(found) == 1 else f"({', '.join(found)})"


def _why(value: Value) -> str:
    if isinstance(value.shape, list):
        return ", which has several results"
    return f", which has no native code for {getattr(value.dtype, 'name', None) or value.dtype.__name__} here"


class Timing:
    """Runs a program step by step, and takes the time of each: the least of a few runs."""

    def __init__(self, program: Program, parts: Sequence[Segment | tuple[int, Call]], code: Code) -> None:
        self.program = program
        self.parts = parts
        self.code = code

    def of(self, given: Sequence[Any], runs: int = 3) -> dict[int, float]:
        """Seconds for each step, by its number. Where a run breaks off, what comes after has none."""
        best: dict[int, float] = {}
        with np.errstate(all="ignore"):
            for _ in range(runs):
                for n, seconds in self._once(given).items():
                    best[n] = min(seconds, best.get(n, seconds))
        return best

    def _once(self, given: Sequence[Any]) -> dict[int, float]:
        values = self.program.values
        known = {i: given[v.input] if v.input is not None else v.constant for i, v in enumerate(values) if v.op is None}
        found: dict[int, float] = {}
        for part in self.parts:
            if isinstance(part, Segment):
                if not self._segment(part, known, found):
                    break
                continue
            n, step = part
            value = values[step.value]
            run, args = self._forward(step.value), [known[a] for a in value.args]
            start = time.perf_counter()
            known[step.value] = run(*args)
            found[n] = time.perf_counter() - start
            if known[step.value] is BROKEN:
                break
        return found

    def _segment(self, segment: Segment, known: dict[int, Any], found: dict[int, float]) -> bool:
        values, slots = self.program.values, segment.slots
        table = (ctypes.c_void_p * max(len(slots), 1))()
        held: list[Any] = []
        for i in [*segment.inputs, *segment.results]:
            value = values[i]
            if i in segment.results:
                known[i] = np.zeros(value.shape, value.dtype)
            held.append(np.require(known[i], value.dtype, ["C_CONTIGUOUS", "ALIGNED"]))
            table[slots[i]] = held[-1].ctypes.data
        arena = np.zeros(segment.size + ALIGNMENT, np.uint8)
        base = -(-arena.ctypes.data // ALIGNMENT) * ALIGNMENT
        for i, offset in segment.offsets.items():
            table[slots[i]] = base + offset
        for n, step in segment.steps:
            run = self._step(n, step, ctypes.addressof(table), segment.worth)
            start = time.perf_counter()
            status = run()
            found[n] = time.perf_counter() - start
            if status:
                return False
        return True

    def _step(self, n: int, step: Step, table: int, least: float) -> Any:
        function = self.code.address(f"step{n}")
        extent, numbered = iterations(step), isinstance(step, Group)
        if is_split(step, least):
            kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
            return functools.partial(kind(threads.split_address(numbered)), function, table, extent)
        numbers = [0] * numbered
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *[ctypes.c_int64] * (2 + numbered))
        return functools.partial(kind(function), table, 0, extent, *numbers)

    def _forward(self, i: int) -> Any:
        value = self.program.values[i]
        if value.op is PICK:
            return lambda x: x[value.params["i"]]
        names: dict[str, Any] = {"BROKEN": BROKEN}
        args = ", ".join(f"v{a}" for a in dict.fromkeys(value.args))
        lines = [f"def run({args}):", *forwarded(self.program, i, names), f" return v{i}"]
        exec(compile("\n".join(lines), "<dout step>", "exec"), names)
        run = names["run"]
        order = list(dict.fromkeys(value.args))
        return lambda *given: run(*[given[value.args.index(a)] for a in order])

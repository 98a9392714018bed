"""Arrays in the memory of a loop, of which a step reads and writes a few entries: `y[t] = f(y[t - 1], x[t])`.

A step writes into the one array that there is, in place. That is right as long as nobody reads what was there before: reads
are moved up to right after the array was made, and what still asks for an older state has no code here. Entries that a step
adds to (`total + scatter(row, t)`) are added in place too; that all others get 0 added is done once, before the loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph import Primitive
from ...passes.program import Program, Value
from ...passes.roll_loops import STEPPED, Loop, Moving, at_step
from . import text as ir
from .registers import MOST_ENTRIES, NoRegisters, Register, Registers
from .scalars import FLOATS

_LONG = ir.IntType(64)


@dataclass
class Memory:
    """An array in memory, and how often it was written to in this step."""

    pointer: Any
    version: int = 0
    writable: bool = False


@dataclass
class Cells:
    """An array as it was after so many writes."""

    memory: Memory
    version: int


@dataclass
class Scattered:
    """Entries at some places of an array that is 0 elsewhere."""

    places: tuple[np.ndarray, np.ndarray]
    entries: list[Any]


def operation(value: Value) -> tuple[Primitive, Any, tuple[int, ...]]:
    """What a value is made by, also where that moves: the operation, its parameters, its inputs."""
    assert value.op is not None
    if value.op is STEPPED:
        return value.params["op"], value.params["how"], value.args[:-1]
    return value.op, value.params, value.args


def reads_first(body: Program) -> list[int]:
    """The operations of a body in an order in which entries are read as soon as their array is there."""
    readers: dict[int, list[int]] = {}
    for i, value in enumerate(body.values):
        if value.op is not None:
            op, _, args = operation(value)
            if op.name == "getitem":
                readers.setdefault(args[0], []).append(i)
    order: list[int] = []
    seen: set[int] = set()

    def enter(i: int) -> None:
        stack = [i]
        while stack:
            k = stack.pop()
            if k not in seen:
                seen.add(k)
                if body.values[k].op is not None:
                    order.append(k)
                stack += reversed(readers.get(k, ()))

    for i, value in enumerate(body.values):
        if value.op is None:
            enter(i)
    for i in range(len(body.values)):
        enter(i)
    return order


class CellRegisters(Registers):
    """Registers, and arrays in memory.

    Attributes:
        index: the number of the step.
        n: how many steps there are.
    """

    index: Any
    n: int

    def places(self, key: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Where the entries that an index names lie in step 0, and by how much they move.

        Raises:
            NoRegisters: if they don't move evenly.
        """
        parts = key if type(key) is tuple else (key,)
        for part in parts:
            numbers = (part.start, part.stop, part.step) if type(part) is slice else (part,)
            for x in numbers:
                if type(x) is Moving and (x.start < 0) != (x.start + (self.n - 1) * x.step < 0):
                    raise NoRegisters("an index goes through 0")
            if part is not None and part is not Ellipsis and type(part) not in (int, slice, Moving):
                raise NoRegisters(f"an index of {type(part).__name__}")
        flat = np.arange(math.prod(shape)).reshape(shape)
        first, second, last = (np.asarray(flat[at_step(key, k)]) for k in (0, 1, self.n - 1))
        if (
            first.shape != second.shape
            or first.shape != last.shape
            or (last - first != (self.n - 1) * (second - first)).any()
        ):
            raise NoRegisters("an index that doesn't move evenly")
        return first, second - first

    def _address(self, memory: Memory, kind: Any, first: int, moves: int) -> Any:
        at: Any = ir.Constant(_LONG, first)
        if moves:
            at = self.b.add(self.b.mul(self.index, ir.Constant(_LONG, moves)), at)
        return self.b.gep(memory.pointer, [at], source_etype=kind)

    def cell_type(self, value: Value) -> Any:
        """The LLVM type of entries in memory.

        Raises:
            NoRegisters: if there is none.
        """
        if value.dtype not in FLOATS or FLOATS[value.dtype] == "b1":
            raise NoRegisters(f"arrays of {value.dtype} in memory")
        return self.scalars.types[FLOATS[value.dtype]]

    def _current(self, cells: Cells) -> Memory:
        if cells.version != cells.memory.version:
            raise NoRegisters("what was there before is still asked for")
        return cells.memory

    def emit(self, i: int) -> None:
        """A value made by an operation.

        Raises:
            NoRegisters: if there is no code for it here.
        """
        value = self.program.values[i]
        op, how, args = operation(value)
        base: Any = self.known.get(args[0]) if args else None
        if op.name == "getitem" and isinstance(base, Cells):
            self.known[i] = self._read(base, self.program.values[args[0]], how["key"], value)
        elif op.name == "write" and isinstance(base, Cells):
            if how["through"].name != "getitem":
                raise NoRegisters("a write through another view")
            self.known[i] = self._write(base, value, args[1], how["how"]["key"])  # type: ignore[assignment]
        elif op.name == "scatter" and (value.op is STEPPED or math.prod(value.shape) > MOST_ENTRIES):
            places = self.places(how["key"], value.shape)
            self.settle(args[0])
            entries = [e.value for e in np.broadcast_to(self._whole(args[0]), places[0].shape).ravel().tolist()]
            self.known[i] = Scattered(places, entries)  # type: ignore[assignment]
        elif op.name == "add" and any(isinstance(self.known[a], Scattered) for a in args):
            self.known[i] = self._add(value, *args)  # type: ignore[assignment]
        elif value.op is STEPPED:
            raise NoRegisters(f"{op.name} moves")
        else:
            for a in args:
                self.settle(a)
            super().emit(i)

    def goes_on(self, before: int, after: int) -> None:
        """Hold that a carried array is the same memory in the next step.

        Raises:
            NoRegisters: if it isn't.
        """
        old: Any = self.known[before]
        new: Any = self.known[after]
        if not isinstance(new, Cells) or new.memory is not old.memory or new.version != new.memory.version:
            raise NoRegisters("an array that becomes another")

    def finish(self, i: int, pointer: Any) -> None:
        """Put a value to where a result belongs, if it isn't there."""
        found: Any = self.known[i]
        if not isinstance(found, Cells):
            self.store(i, pointer, ir.Constant(_LONG, 0))
        elif self._current(found).pointer is not pointer:
            value = self.program.values[i]
            self.copy(pointer, found.memory.pointer, math.prod(value.shape), self.cell_type(value), False)

    def copy(self, to: Any, source: Any, n: int, kind: Any, plus: bool) -> None:
        """Copy so many entries, with 0 added to each if asked for."""
        b = self.b
        function, before = b.function, b.block
        head, done = function.append_basic_block("copy"), function.append_basic_block("copied")
        b.branch(head)
        b.position_at_end(head)
        index = b.phi(_LONG)
        index.add_incoming(ir.Constant(_LONG, 0), before)
        entry = b.load(b.gep(source, [index], source_etype=kind), typ=kind)
        b.store(b.fadd(entry, ir.Constant(kind, 0)) if plus else entry, b.gep(to, [index], source_etype=kind))
        following = b.add(index, ir.Constant(_LONG, 1))
        index.add_incoming(following, head)
        b.cbranch(b.icmp_signed("<", following, ir.Constant(_LONG, n)), head, done)
        b.position_at_end(done)

    def _whole(self, i: int) -> np.ndarray:
        """A value's registers, all of them LLVM's."""
        shape = self.program.values[i].shape
        return self.array(self.entries(i), shape)

    def settle(self, i: int) -> None:
        """Let a small array from memory be in registers."""
        found: Any = self.known[i]
        if isinstance(found, Scattered):
            raise NoRegisters("entries at a place that moves")
        if isinstance(found, Cells):
            value = self.program.values[i]
            self.type_of(value)
            places = self.places(Ellipsis, value.shape)
            self.known[i] = self._loaded(self._current(found), self.cell_type(value), places, value.shape)

    def _loaded(self, memory: Memory, kind: Any, places: Any, shape: tuple[int, ...]) -> np.ndarray:
        addresses = [self._address(memory, kind, *at) for at in _pairs(places)]
        return self.array([self.b.load(at, typ=kind) for at in addresses], shape)

    def _read(self, cells: Cells, base: Value, key: Any, value: Value) -> np.ndarray:
        self.type_of(value)
        return self._loaded(self._current(cells), self.cell_type(base), self.places(key, base.shape), value.shape)

    def _write(self, cells: Cells, value: Value, given: int, key: Any) -> Cells:
        memory = self._current(cells)
        if not memory.writable:
            raise NoRegisters("a write into what is the same in all steps")
        kind = self.cell_type(value)
        places = self.places(key, value.shape)
        self._spend(places[0].size)
        self.settle(given)
        entries = np.broadcast_to(self._whole(given), places[0].shape).ravel().tolist()
        for (first, moves), entry in zip(_pairs(places), entries, strict=True):
            cast = self.scalars.cast(entry.value, FLOATS[value.dtype])
            self.b.store(cast, self._address(memory, kind, first, moves))
        memory.version += 1
        return Cells(memory, memory.version)

    def _add(self, value: Value, x: int, y: int) -> Cells:
        total: Any = self.known[x]
        rows: Any = self.known[y]
        if isinstance(total, Scattered):
            total, rows = rows, total
        if not isinstance(total, Cells) or not isinstance(rows, Scattered):
            raise NoRegisters("a sum of entries that move")
        memory = self._current(total)
        if not memory.writable:
            raise NoRegisters("an addition to what is the same in all steps")
        kind = self.cell_type(value)
        self._spend(len(rows.entries))
        for (first, moves), entry in zip(_pairs(rows.places), rows.entries, strict=True):
            at = self._address(memory, kind, first, moves)
            row = Register(self.b, self.scalars.cast(entry, FLOATS[value.dtype])) + 0
            self.b.store(self.b.fadd(self.b.load(at, typ=kind), row.value), at)
        memory.version += 1
        return Cells(memory, memory.version)


def _pairs(places: tuple[np.ndarray, np.ndarray]) -> list[tuple[int, int]]:
    return list(zip(places[0].ravel().tolist(), places[1].ravel().tolist(), strict=True))


def in_memory(loop: Loop) -> set[int]:
    """The values of a loop's body that are arrays in memory: large ones, and those of which moving entries are used."""
    body = loop.body
    inputs = {v.input: i for i, v in enumerate(body.values) if v.input is not None}
    found = {i for i, v in enumerate(body.values) if type(v.shape) is tuple and math.prod(v.shape) > MOST_ENTRIES}
    bases = {i: base for i in range(len(body.values)) if (base := base_of(body, i)) is not None}
    for i, v in enumerate(body.values):
        if v.op is STEPPED and operation(v)[0].name in ("getitem", "write"):
            found.add(v.args[0])
        if i in bases and (v.op is STEPPED or any(body.values[a].op is STEPPED for a in v.args)):
            found.add(i)
    before = -1
    while len(found) > before:
        before = len(found)
        for i, base in bases.items():
            if i in found or base in found:
                found |= {i, base}
        for k, take in enumerate(loop.takes):
            if take.kind == "carried" and {inputs[k], body.outputs[take.next]} & found:
                found |= {inputs[k], body.outputs[take.next]}
    return found


def base_of(body: Program, i: int) -> int | None:
    """The array that a value is, but for the entries that it writes or adds."""
    value = body.values[i]
    if value.op is None:
        return None
    op, _, args = operation(value)
    if op.name == "write":
        return args[0]
    if op.name == "add" and value.op is not STEPPED:
        rows = [a for a in args if body.values[a].op is not None and operation(body.values[a])[0].name == "scatter"]
        if len(rows) == 1 and len(args) == 2:
            return args[0] if rows[0] == args[1] else args[1]
    return None


def adds_to(body: Program, i: int, start: int) -> bool:
    """Whether entries are added on the way from one state of an array to a later one."""
    while i != start:
        value, base = body.values[i], base_of(body, i)
        if base is None:
            return False
        if value.op is not None and value.op.name == "add":
            return True
        i = base
    return False

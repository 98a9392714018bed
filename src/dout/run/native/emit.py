"""A nest as a function of LLVM: loops over its domain, with everything that is made and used at one place in registers.

A sum along an innermost loop is kept in registers for a block at a time, and blocks are added up after; along outer loops it
is added up in memory, entry by entry. So no sum is longer than a block or the number of blocks, and it is no
less accurate than NumPy's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...passes.nests import ends_in_register, is_register, keeps_register
from ...passes.plan import Loop, Nest, Plan, Read, Statement
from . import ahead, integers, quotients, streams
from . import text as ir
from .combining import combined, counts_bits, first_summed, neutral
from .forloop import ForLoop
from .scalars import KINDS, Scalars
from .uniform import uniform

#: Entries of a row whose sum is kept in registers.
BLOCK = 2048
#: A register: the value at hand, and the place that it is of.
_Registers = dict[int, tuple[Any, Read]]


class Emission:
    """Emits `int name(table, begin, end)`; not 0 if a check broke or an index was out of range.

    Args:
        plan: what the nest is part of.
        nest: the nest.
        slots: for each buffer, its place in the table of pointers.
        module: where the function goes.
        name: what it is called.
    """

    def __init__(self, plan: Plan, nest: Nest, slots: dict[int, int], module: Any, name: str) -> None:
        self.ir = ir
        self.plan = plan
        self.values = plan.program.values
        self.nest = nest
        self.pointer, self.long, self.flag = ir.PointerType(), ir.IntType(64), ir.IntType(32)
        buffers = sorted({*nest.reads, *nest.writes})
        kind = ir.FunctionType(self.flag, [*[self.pointer] * len(buffers), self.long, self.long])
        self.core = ir.Function(module, kind, f"{name}.loops")
        self.core.linkage = "internal"
        for arg in self.core.args[: len(buffers)]:
            arg.add_attribute("noalias")
        self.b = ir.IRBuilder(self.core.append_basic_block("entry"))
        self.begin, self.end = self.core.args[-2:]
        self.broken = self.b.alloca(self.flag)
        self.b.store(ir.Constant(self.flag, 0), self.broken)
        self.scalars = Scalars(self.b, module, self._bail)
        self.module = module
        self.at: dict[int, Any] = dict(zip(buffers, self.core.args, strict=False))
        self.inner: dict[int, int] = {}  # how many outer axes a buffer doesn't have
        self._make_rooms()
        counts: dict[int, int] = {}
        for s in nest.statements():
            if s.how != "check":
                counts[s.value] = counts.get(s.value, 0) + 1
        self.once = {b for b, n in counts.items() if n == 1}
        self.streamed = streams.streamed(plan, nest)
        self.ahead: dict[Read, int] = {}  # of the loop at work: what asks for memory, and how far on
        self.rooms: dict[int, tuple[Any, Any]] = {}  # of those at work: a room, and where in the row it begins
        self._body(nest.body, [], {})
        if self.streamed:
            streams.fence(self.b)
        self.b.ret(self.b.load(self.broken, typ=self.flag))
        self.function = self._entry(buffers, slots, module, name)

    def _entry(self, buffers: list[int], slots: dict[int, int], module: Any, name: str) -> Any:
        """The function that takes its pointers from the table."""
        kind = self.ir.FunctionType(self.flag, [self.pointer, self.long, self.long])
        function = self.ir.Function(module, kind, name)
        table, begin, end = function.args
        b = self.ir.IRBuilder(function.append_basic_block("entry"))
        pointers = [
            b.load(b.gep(table, [self.ir.Constant(self.long, slots[i])], source_etype=self.pointer), typ=self.pointer)
            for i in buffers
        ]
        b.ret(b.call(self.core, [*pointers, begin, end]))
        return function

    def _make_rooms(self) -> None:
        written = {s.value: s.write.strides for s in self.nest.statements()}
        for i, depth in self.nest.inside.items():
            shape = self.values[i].shape
            size = written[i][depth - 1] if depth else math.prod(shape)
            self.at[i] = self.b.alloca(self.ir.ArrayType(self._memory(self._kind(i)), max(size, 1)))
            self.inner[i] = depth

    # Small words

    def _kind(self, i: int) -> str:
        return KINDS[self.values[i].dtype]

    def _memory(self, kind: str) -> Any:
        """The type of an entry in memory."""
        return self.ir.IntType(8) if kind == "b1" else self.scalars.types[kind]

    def number(self, value: int) -> Any:
        """An integer."""
        return self.ir.Constant(self.long, value)

    def _bail(self, condition: Any) -> None:
        before = self.b.load(self.broken, typ=self.flag)
        self.b.store(self.b.or_(before, self.b.zext(condition, self.flag)), self.broken)

    def _load(self, pointer: Any, kind: str) -> Any:
        found = self.b.load(pointer, typ=self._memory(kind))
        if kind == "b1":
            return self.b.icmp_unsigned("!=", found, self.ir.Constant(self.ir.IntType(8), 0))
        return found

    def _store(self, value: Any, pointer: Any, kind: str) -> None:
        if kind == "b1":
            value = self.b.zext(value, self.ir.IntType(8))
        self.b.store(value, pointer)

    # Places

    def _offset(self, r: Read, where: Sequence[Any], registers: _Registers | None = None, skip: int = 0) -> Any:
        """How many entries after the first a place is; `skip` outer axes don't count."""
        offset = self.number(r.offset)
        for step, index in list(zip(r.strides, where, strict=False))[skip:]:
            if step:
                part = index if step == 1 else self.b.mul(index, self.number(step), flags=("nsw",))
                offset = self.b.add(offset, part, flags=("nsw",)) if not _is_zero(offset) else part
        for index in r.indices:
            place = self._entry_of(index.read, where, registers or {})
            place = self._counted(place, self._kind(index.read.value), index.extent)
            offset = self.b.add(offset, self.b.mul(place, self.number(index.stride)))
        return offset

    def _counted(self, place: Any, kind: str, extent: int) -> Any:
        """An index as a number from 0 on; it may count from the end. Out of range, what is computed doesn't hold."""
        place = self.scalars.cast(place, "i8", kind)
        negative = self.b.icmp_signed("<", place, self.number(0))
        place = self.b.select(negative, self.b.add(place, self.number(extent)), place)
        wrong = self.b.icmp_unsigned(">=", place, self.number(extent))
        self._bail(wrong)
        return self.b.select(wrong, self.number(0), place)

    def _pointer(self, r: Read, where: Sequence[Any], registers: _Registers | None = None) -> Any:
        offset = self._offset(r, where, registers, self.inner.get(r.value, 0))
        return self.b.gep(self.at[r.value], [offset], source_etype=self._memory(self._kind(r.value)))

    def _entry_of(self, r: Read, where: Sequence[Any], registers: _Registers) -> Any:
        """The entry that a read names."""
        found = registers.get(r.value)
        if found is not None and is_register(found[1], r):
            return found[0]
        value = self.values[r.value]
        if r.value not in self.at:  # a number that is part of the code
            return self.scalars.constant(value.constant, self.scalars.kind_of(value))
        same = uniform(self.plan.program, r.value) if value.constant is not None else None
        if same is not None:
            return self.scalars.constant(same, KINDS[value.dtype])
        pointer, kind = self._pointer(r, where, registers), self._kind(r.value)
        if r not in self.ahead:
            return self._load(pointer, kind)
        on = self.b.gep(pointer, [self.number(self.ahead.pop(r))], source_etype=self._memory(kind))
        return ahead.asked(self.b, self._load(pointer, kind), on, kind)

    # Statements

    def _statement(self, s: Statement, where: Sequence[Any], registers: _Registers) -> None:
        if s.how == "check":
            self._check(s, where, registers)
            return
        entry = self._made(s, where, registers)
        if s.how == "reduce":
            self._accumulate(s, s.write, where, entry)
            return
        kind = self._kind(s.value)
        if s.how == "scan":
            entry = self._scanned(s, where, entry)
        if s.how == "add":
            pointer = self._pointer(s.write, where, registers)
            self._store(self._combine("sum", self._load(pointer, kind), entry, kind), pointer, kind)
            return
        if s.value in self.rooms:
            room, first = self.rooms[s.value]
            place = self.b.gep(room, [self.b.sub(where[-1], first)], source_etype=self._memory(kind))
            self._store(entry, place, kind)
        elif s.value in self.at:
            self._store(entry, self._pointer(s.write, where, registers), kind)
        if s.value in self.once and keeps_register(s):
            registers[s.value] = (entry, s.write)

    def _made(self, s: Statement, where: Sequence[Any], registers: _Registers) -> Any:
        """The entry that a statement computes, before it is put anywhere."""
        kind = self._kind(s.value)
        if not s.reads:
            return self.scalars.constant(s.number, kind)
        args = [self._entry_of(r, where, registers) for r in s.reads]
        if s.how == "map" and s.numbered is not None:
            return self._chosen(s, args[0], self.scalars.cast(args[1], kind), where)
        if s.how == "map" and s.number is not None:
            return self._counted(args[0], self._kind(s.reads[0].value), s.number)
        if s.how == "map":
            value = self.values[s.value]
            if quotients.is_by_one(s, [self.scalars.kind_of(self.values[a]) for a in value.args], value):
                return quotients.quotient(self.scalars, args[0], args[1], kind)
            return self.scalars.emit(value, [self.values[a] for a in value.args], args)
        if s.numbered is not None:
            number = self._offset(s.numbered, where, registers)
            return self._number_if_alike(s, args[0], args[1], number)
        kinds = [self.scalars.kind_of(self.values[r.value]) for r in s.reads]
        args = [self.scalars.cast(a, kind, of) for a, of in zip(args, kinds, strict=True)]
        return args[0] if len(args) == 1 else self._combine("prod", args[0], args[1], kind)

    def _number_if_alike(self, s: Statement, x: Any, best: Any, number: Any) -> Any:
        """The number of an entry that is the best one, or is NaN, which wins; of others a number that is beyond all."""
        if x.type in (self.scalars.types["f8"], self.scalars.types["f4"]):
            alike = self.b.or_(self.b.fcmp_ordered("==", x, best), self.b.fcmp_unordered("uno", x, x))
        else:
            alike = self.b.icmp_unsigned("==", x, best)
        return self.b.select(alike, number, self._neutral(s))

    def _chosen(self, s: Statement, number: Any, entry: Any, where: Sequence[Any]) -> Any:
        """An entry where its number is the one that is chosen, else 0."""
        assert s.numbered is not None
        here = self._offset(s.numbered, where)
        if math.prod(s.extents) < 1 << 31:  # half as wide, they take half the time
            here, number = self.b.trunc(here, self.flag), self.b.trunc(number, self.flag)
        return self.b.select(
            self.b.icmp_unsigned("==", here, number), entry, self.scalars.constant(0, self._kind(s.value))
        )

    def _check(self, s: Statement, where: Sequence[Any], registers: _Registers) -> None:
        found = self._entry_of(s.reads[0], where, registers)
        expected = self.plan.program.checks[s.number].expected
        if found.type == self.scalars.types["b1"]:
            self._bail(self.b.icmp_unsigned("!=", found, self.scalars.constant(expected, "b1")))
            return
        kind = "f8" if found.type == self.scalars.types["f8"] else "f4"
        wide = self.ir.IntType(64 if kind == "f8" else 32)
        bits = self.b.bitcast(self.scalars.constant(expected, kind), wide)
        self._bail(self.b.icmp_unsigned("!=", self.b.bitcast(found, wide), bits))

    def _scanned(self, s: Statement, where: Sequence[Any], entry: Any) -> Any:
        """What has been added up so far along an axis, with this entry."""
        index, step = where[s.scanned], s.write.strides[s.scanned]
        first = self.b.icmp_signed("==", index, self.number(0))
        here = self._pointer(s.write, where)
        kind = self._kind(s.value)
        back = self.b.select(first, self.number(0), self.number(-step))
        before = self._load(self.b.gep(here, [back], source_etype=self._memory(kind)), kind)
        return self.b.select(first, entry, self._combine(s.combine, before, entry, kind))

    # Reductions

    def _neutral(self, s: Statement) -> Any:
        return neutral(self.scalars, s.combine, self._kind(s.value))

    def _combine(self, name: str, x: Any, y: Any, kind: str, fast: bool = False) -> Any:
        return combined(self.scalars, name, x, y, kind, fast)

    def _accumulate(self, s: Statement, write: Read, where: Sequence[Any], entry: Any) -> None:
        kind = self._kind(s.value)
        pointer = self._target(s, write, where)
        self._store(self._combine(s.combine, self._load(pointer, kind), entry, kind), pointer, kind)

    def _target(self, s: Statement, write: Read, where: Sequence[Any]) -> Any:
        """Where a reduction is added up: its buffer, or this piece's part of it."""
        part = self.nest.partial.get(s.value)
        if part is None:
            return self._pointer(write, where)
        size = math.prod(self.values[s.value].shape)
        strides = (size, *write.strides[1:])
        return self._pointer(Read(part, write.offset, strides), [self.piece, *where[1:]])

    def _fill(self, s: Statement, where: Sequence[Any]) -> None:
        """Let a reduction's entries be neutral before its first loop."""
        depth = len(where)
        kept = [k for k in range(depth, len(s.extents)) if s.write.strides[k]]
        if self.nest.partial.get(s.value) is None and s.value not in self.at:
            return  # in registers
        indices = [*where, *[self.number(0)] * (len(s.extents) - depth)]
        self._fill_along(s, indices, kept)

    def _fill_along(self, s: Statement, indices: list[Any], kept: list[int]) -> None:
        if not kept:
            self._store(self._neutral(s), self._target(s, s.write, indices), self._kind(s.value))
            return
        with ForLoop(self, self.number(0), self.number(s.extents[kept[0]])) as loop:
            self._fill_along(s, [*indices[: kept[0]], loop.index, *indices[kept[0] + 1 :]], kept[1:])

    # Loops

    def _body(self, body: Sequence[Loop | Statement], where: list[Any], registers: _Registers) -> None:
        for item in body:
            if isinstance(item, Statement):
                self._statement(item, where, registers)
            elif where or not self.nest.pieces:
                whole = (self.begin, self.end) if not where else (self.number(0), self.number(item.extent))
                self._loop(item, where, registers, *whole)
            else:
                self._pieces(item, registers)

    def _pieces(self, loop: Loop, registers: _Registers) -> None:
        each = -(-loop.extent // self.nest.pieces)
        with ForLoop(self, self.begin, self.end) as pieces:
            self.piece = pieces.index
            start = self.b.mul(pieces.index, self.number(each))
            stop = self.b.add(start, self.number(each))
            over = self.b.icmp_signed(">", stop, self.number(loop.extent))
            stop = self.b.select(over, self.number(loop.extent), stop)
            some = self.b.icmp_signed("<", start, stop)
            for s in loop.statements():
                if s.how == "reduce" and not s.write.strides[0]:
                    self._fill(s, [])
            run, done = self.core.append_basic_block("piece"), self.core.append_basic_block("next")
            self.b.cbranch(some, run, done)
            self.b.position_at_end(run)
            self._loop(loop, [], registers, start, stop, filled=True)
            self.b.branch(done)
            self.b.position_at_end(done)

    def _loop(
        self, loop: Loop, where: list[Any], registers: _Registers, start: Any, stop: Any, filled: bool = False
    ) -> None:
        depth = len(where)
        statements = [b for b in loop.body if isinstance(b, Statement)]
        innermost = len(statements) == len(loop.body)
        rows = [s for s in statements if innermost and s.how == "reduce" and not s.write.strides[depth]]
        for s in loop.statements():
            begins = s.how == "reduce" and not filled and first_summed(s) == depth
            if begins and (s not in rows or not ends_in_register(s, depth)):
                self._fill(s, where)
        if not innermost:
            with ForLoop(self, start, stop) as here:
                self._body(loop.body, [*where, here.index], dict(registers))
            return
        totals = self._rows(loop, rows, where, registers, start, stop)
        for s, total in zip(rows, totals, strict=True):
            if not ends_in_register(s, depth) or self.nest.partial.get(s.value) is not None:
                self._accumulate(s, s.write, [*where, self.number(0)], total)
                continue
            if s.value in self.at:
                self._store(total, self._pointer(s.write, [*where, self.number(0)]), self._kind(s.value))
            if s.value in self.once:
                registers[s.value] = (total, Read(s.value, 0, s.write.strides[:-1]))

    def _rows(
        self, loop: Loop, rows: list[Statement], where: list[Any], registers: _Registers, start: Any, stop: Any
    ) -> list[Any]:
        """An innermost loop; what it adds up along the way."""
        streamed = [s for s in loop.body if isinstance(s, Statement) and s.value in self.streamed]
        if streamed:
            return self._streaming(loop, rows, streamed, where, registers, start, stop)
        if not rows or loop.extent <= BLOCK or all(self._kind(s.value) in integers.TYPES for s in rows):
            return self._row(loop, rows, where, registers, start, stop)
        return self._blocks(loop, rows, where, registers, start, stop, BLOCK)

    def _blocks(
        self, loop: Loop, rows: list[Statement], where: list[Any], registers: _Registers, start: Any, stop: Any, size: int,
        streamed: Sequence[Statement] = (),
    ) -> list[Any]:  # fmt: skip
        """An innermost loop, some entries at a time; those of `streamed` go to their places after each block."""
        slots = [self._slot(s) for s in rows]
        blocks = self.b.sdiv(self.b.add(self.b.sub(stop, start), self.number(size - 1)), self.number(size))
        with ForLoop(self, self.number(0), blocks) as block:
            first = self.b.add(start, self.b.mul(block.index, self.number(size)))
            last = self.b.add(first, self.number(size))
            last = self.b.select(self.b.icmp_signed(">", last, stop), stop, last)
            for s in streamed:
                self.rooms[s.value] = self.rooms[s.value][0], first
            for s, slot, total in zip(rows, slots, self._row(loop, rows, where, registers, first, last), strict=True):
                before = self.b.load(slot, typ=total.type)
                self.b.store(self._combine(s.combine, before, total, self._kind(s.value)), slot)
            for s in streamed:
                width = self.number(np.dtype(self.values[s.value].dtype).itemsize)
                many = self.b.mul(self.b.sub(last, first), width)
                to = self._pointer(s.write, [*where, first])
                self.b.call(streams.stream(self.module), [to, self.rooms[s.value][0], many])
        return [self.b.load(slot, typ=self._neutral(s).type) for s, slot in zip(rows, slots, strict=True)]

    def _streaming(
        self, loop: Loop, rows: list[Statement], streamed: Sequence[Statement], where: list[Any], registers: _Registers,
        start: Any, stop: Any,
    ) -> list[Any]:  # fmt: skip
        """An innermost loop with results that are written past the caches."""
        size = loop.extent if loop.extent <= BLOCK else streams.BLOCK
        for s in streamed:
            kind = self.ir.ArrayType(self._memory(self._kind(s.value)), size)
            self.rooms[s.value] = self.b.alloca(kind, align=64), None
        totals = self._blocks(loop, rows, where, registers, start, stop, size, streamed)
        for s in streamed:
            del self.rooms[s.value]
        return totals

    def _slot(self, s: Statement) -> Any:
        """A number of its own, at the beginning of the function."""
        slot = self.b.alloca(self._neutral(s).type)
        self.b.store(self._neutral(s), slot)
        return slot

    def _row(
        self, loop: Loop, rows: list[Statement], where: list[Any], registers: _Registers, start: Any, stop: Any
    ) -> list[Any]:
        inner = dict(registers)
        counts = {
            id(s) for s in rows if loop.extent < 1 << 31 and counts_bits(s, self._kind)
        }  # half as wide, they take half the time
        starts = [self.ir.Constant(self.flag, 0) if id(s) in counts else self._neutral(s) for s in rows]
        self.ahead = ahead.asked_for(self.plan, self.nest, loop, len(where))
        with ForLoop(self, start, stop, starts) as here:
            at = [*where, here.index]
            carried = dict.fromkeys(map(id, rows))
            for s in loop.body:
                assert isinstance(s, Statement)
                if id(s) not in carried:
                    self._statement(s, at, inner)
                    continue
                before = here.phis[rows.index(s)]
                if id(s) in counts:
                    bit = self._entry_of(s.reads[0], at, inner)
                    carried[id(s)] = self.b.add(before, self.b.zext(bit, self.flag))
                    continue
                entry = self._made(s, at, inner)
                carried[id(s)] = self._combine(s.combine, before, entry, self._kind(s.value), fast=True)
            here.carried = [carried[id(s)] for s in rows]
        return [self.b.zext(t, self.long) if id(s) in counts else t for s, t in zip(rows, here.totals, strict=True)]


def _is_zero(x: Any) -> bool:
    return isinstance(x, ir.Constant) and x.name == "0"

"""A group as a function of LLVM: block after block of rows, each of its steps is called for the rows of the block.

What lives within a block only lies in a room of the thread that is at work, one block large: a step is given a pointer
that is as far before that room as the block is from the first row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...passes.plan import Buffer, Group, Nest, Plan, Product
from . import text as ir
from . import threads, tiles
from .counting import between
from .tiling import Tiling, by_rows, tiling

_P, _LONG, _INT, _BYTE = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8)
_LINE = 64

#: Emits the function of a nest.
Emits = Callable[[Plan, Any, dict[int, int], ir.Module, str], ir.Function]


def with_room(plan: Plan, group: Group) -> None:
    """Enter the rooms of the threads among a plan's buffers, by a number that no value has."""
    size = _places(plan, group)[1]
    if size and group.room < 0:
        group.room = max(len(plan.program.values), *plan.buffers) + 1
        group.writes = [*group.writes, group.room]
        plan.buffers[group.room] = Buffer(group.room, (threads.cores(), size), np.dtype(np.uint8))


def _places(plan: Plan, group: Group) -> tuple[dict[int, int], int]:
    """Where in a room each buffer begins, and how many bytes a room has."""
    offsets, size = {}, 0
    for v, entries in group.rooms.items():
        offsets[v] = size
        size += -(-group.each * entries * _itemsize(plan, v) // _LINE) * _LINE
    return offsets, size


def _itemsize(plan: Plan, v: int) -> int:
    return int(np.dtype(plan.buffers[v].dtype).itemsize)


def emitted(
    plan: Plan, group: Group, slots: Mapping[int, int], module: ir.Module, name: str, nest: Emits
) -> ir.Function:
    """Emits `int name(table, begin, end, thread)`, which computes some blocks."""
    return _Blocks(plan, group, slots, module, name, nest).function


class _Blocks:
    def __init__(
        self, plan: Plan, group: Group, slots: Mapping[int, int], module: ir.Module, name: str, nest: Emits
    ) -> None:
        self.plan, self.group, self.module, self.name, self.nest = plan, group, module, name, nest
        used = [v for s in group.steps for v in (*s.reads, *s.writes) if v in plan.buffers]
        self.slots = {v: k for k, v in enumerate(dict.fromkeys(used))}
        parts = [self._step(step, n) for n, step in enumerate(group.steps)]
        self.function = ir.Function(module, ir.FunctionType(_INT, [_P, _LONG, _LONG, _LONG]), name)
        self.b = b = ir.IRBuilder(self.function.append_basic_block("entry"))
        table, begin, end, thread = self.function.args
        self.table = b.alloca(_P, max(len(self.slots), 1))
        for v, slot in self.slots.items():
            if v in slots:
                b.store(self._entry(table, slots[v]), self._at(self.table, slot))
        offsets, size = _places(plan, group)
        room: Any = None
        if size:
            moved = b.mul(thread, ir.Constant(_LONG, size))
            room = b.gep(self._entry(table, slots[group.room]), [moved], source_etype=_BYTE)
        broken, statuses = b.append_basic_block("broken"), []
        with between(b, begin, end) as block:
            low = b.mul(block, ir.Constant(_LONG, group.each))
            high = b.add(low, ir.Constant(_LONG, group.each))
            extent = ir.Constant(_LONG, group.extent)
            high = b.select(b.icmp_signed("<", high, extent), high, extent)
            for v, entries in group.rooms.items():
                back = b.mul(low, ir.Constant(_LONG, entries * _itemsize(plan, v)))
                place = b.sub(ir.Constant(_LONG, offsets[v]), back)
                b.store(b.gep(room, [place], source_etype=_BYTE), self._at(self.table, self.slots[v]))
            for function, span in parts:
                found = b.call(function, [self.table, *span(low, high, block)])
                statuses.append((found, b.block))
                onwards = b.append_basic_block("next")
                b.cbranch(b.icmp_unsigned("==", found, ir.Constant(_INT, 0)), onwards, broken)
                b.position_at_end(onwards)
        b.ret(ir.Constant(_INT, 0))
        b.position_at_end(broken)
        which = b.phi(_INT)
        for found, where in statuses:
            which.add_incoming(found, where)
        b.ret(which)

    def _at(self, table: Any, slot: int) -> Any:
        return self.b.gep(table, [ir.Constant(_LONG, slot)], source_etype=_P)

    def _entry(self, table: Any, slot: int) -> Any:
        return self.b.load(self._at(table, slot), typ=_P)

    def _step(self, step: Nest | Product, n: int) -> tuple[ir.Function, Callable[[Any, Any, Any], list[Any]]]:
        """A step's function, and what gives its iterations of a block from the first row, the end, and the block's number."""
        name = f"{self.name}.{n}"
        if isinstance(step, Nest):
            function = self.nest(self.plan, step, self.slots, self.module, name)
            return function, self._whole if step.pieces else self._times(step.extent // self.group.extent)
        cut = cut_of(self.plan, self.group, step)
        if not step.batch and not step.pieces:
            function = tiles.emitted(self.plan, step, cut, self.slots, self.module, name, rows=True)
            return function, self._times(1)
        function = tiles.emitted(self.plan, step, cut, self.slots, self.module, name)
        if step.pieces:
            return function, lambda low, high, block: self._times(cut.units)(block, self.b.add(block, _one()), block)
        return function, self._times(cut.units * math.prod(step.batch[1:]))

    def _whole(self, low: Any, high: Any, block: Any) -> list[Any]:
        return [block, self.b.add(block, _one())]

    def _times(self, n: int) -> Callable[[Any, Any, Any], list[Any]]:
        def span(low: Any, high: Any, block: Any) -> list[Any]:
            return [self.b.mul(end, ir.Constant(_LONG, n)) for end in (low, high)]

        return span


def _one() -> Any:
    return ir.Constant(_LONG, 1)


def cut_of(plan: Plan, group: Group, step: Product) -> Tiling:
    """How a product of a group is cut."""
    itemsize = _itemsize(plan, step.value)
    if step.batch or step.pieces:
        found = tiling(step, itemsize)
        assert found is not None
        return found
    last = group.extent - (group.pieces - 1) * group.each
    return by_rows(step, itemsize, last)

"""A group of values as one function of LLVM: a loop nest over its domain.

Neighbouring axes along which everything is contiguous, or everything is repeated, are one loop. A sum along the inner axis
is kept in registers for a block at a time, and blocks are added up after; along outer axes it is added up in
memory, entry by entry. So no sum is longer than a block or the number of blocks, and it is no less accurate than NumPy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...passes.fuse import Group, Plan
from ...passes.program import Program
from .scalars import KINDS, Scalars

#: Entries of a row whose sum is kept in registers.
BLOCK = 2048
SIZES = {"f8": 8, "f4": 4, "b1": 1}


@dataclass
class Signature:
    """What a function of a group takes and gives.

    Attributes:
        inputs: values that it reads, arrays and numbers.
        results: values that it gives.
        checks: numbers of the program's checks that it does itself.
    """

    inputs: list[int]
    results: list[int]
    checks: list[int]
    long: bool = False

    @property
    def slots(self) -> dict[int, int]:
        """The place of each in the table that an entry makes."""
        return {v: k for k, v in enumerate([*self.inputs, *self.results])}


def signature(program: Program, plan: Plan, group: Group, checks: Sequence[int] = ()) -> Signature:
    """What a group needs from outside. Constants without axes are part of the code."""
    own = set(group.members())
    inputs: list[int] = []
    stack = [*group.members(), *[program.checks[k].value for k in checks]]
    seen: set[int] = set()
    while stack:
        i = stack.pop()
        if i in seen:
            continue
        seen.add(i)
        value = program.values[i]
        if i in own or (i in plan.free and value.op is not None):
            stack.extend(value.args)
        elif i not in plan.free and uniform(program, i) is None:
            inputs.append(i)
    return Signature(sorted(inputs), sorted(group.results), list(checks))


def uniform(program: Program, i: int) -> Any:
    """The number that a constant array holds everywhere, if it does; else None."""
    value = program.values[i]
    if not value.is_constant() or value.captured or not value.array or not 0 < np.size(value.constant) <= 1 << 16:
        return None
    if value.dtype not in KINDS:
        return None
    first = value.constant.flat[0]
    same = value.constant.tobytes() == np.full(value.shape, first, value.dtype).tobytes()
    return first if same else None


class Nest:
    """Emits the function of a group: `int name(pointer to each input, pointer to each result)`; not 0 if it broke off."""

    def __init__(self, program: Program, plan: Plan, group: Group, takes: Signature, module: Any, name: str) -> None:
        from . import text as ir

        self.ir = ir
        self.program = program
        self.plan = plan
        self.group = group
        self.takes = takes
        self.pointer = ir.PointerType()
        self.long = ir.IntType(64)
        count = len(takes.inputs) + len(takes.results)
        self.function = ir.Function(module, ir.FunctionType(ir.IntType(32), [self.pointer] * count), name)
        self.function.linkage = "internal" if name.startswith("_") else "external"
        for i, arg in enumerate(self.function.args):
            if i >= len(takes.inputs):
                arg.add_attribute("noalias")
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.broken = self.b.alloca(ir.IntType(32))
        self.b.store(ir.Constant(ir.IntType(32), 0), self.broken)
        self.scalars = Scalars(self.b, module, self._bail)
        args = self.function.args
        self.at = dict(zip(takes.inputs, args, strict=False))
        self.into = dict(zip(takes.results, args[len(takes.inputs) :], strict=True))
        self.numbers: dict[int, Any] = {}
        self.entries: dict[int, Any] = {}
        self._emit()

    # Values

    def _bail(self, condition: Any) -> None:
        before = self.b.load(self.broken, typ=self.ir.IntType(32))
        self.b.store(self.b.or_(before, self.b.zext(condition, self.ir.IntType(32))), self.broken)

    def _load(self, pointer: Any, kind: str) -> Any:
        if kind == "b1":
            return self.b.icmp_unsigned(
                "!=", self.b.load(pointer, typ=self.ir.IntType(8)), self.ir.Constant(self.ir.IntType(8), 0)
            )
        return self.b.load(pointer, typ=self.scalars.types[kind])

    def _store(self, value: Any, pointer: Any) -> None:
        if value.type == self.scalars.types["b1"]:
            value = self.b.zext(value, self.ir.IntType(8))
        self.b.store(value, pointer)

    def _number(self, i: int) -> Any:
        """A value without axes that is known outside of the loop; what it is made from comes first."""
        stack = [i]
        while stack:  # a long chain must not be a deep recursion
            last = stack[-1]
            known = last in self.numbers or last in self.at
            missing = [] if known else [a for a in self.program.values[last].args if a not in self.numbers]
            if missing:
                stack.extend(missing)
            else:
                self._enter(stack.pop())
        return self.numbers[i]

    def _enter(self, i: int) -> None:
        found = self.numbers.get(i)
        if found is None:
            value = self.program.values[i]
            if value.is_constant() and i in self.plan.free:
                kind = KINDS.get(value.dtype, "f8")
                found = self.scalars.constant(value.constant, kind)
            elif i in self.at:
                found = self._load(self.at[i], KINDS[value.dtype])
            elif uniform(self.program, i) is not None:
                found = self.scalars.constant(uniform(self.program, i), KINDS[value.dtype])
            else:
                given = [self.program.values[a] for a in value.args]
                found = self.scalars.emit(value, given, [self.numbers[a] for a in value.args])
            self.numbers[i] = found

    # The nest

    def _emit(self) -> None:
        group, values = self.group, self.program.values
        for i in sorted(self._outside()):
            self._number(i)
        self.tables = self._axes()
        for r in group.reductions:
            self._fill(r)
        if group.inside or group.reductions:
            self._loop(0, [])
        for r in group.reductions:
            if not values[r].shape:
                self.numbers[r] = self.b.load(self.slots[r], typ=self.scalars.types[KINDS[values[r].dtype]])
        for i in group.after:
            self._number(i)
        for k in self.takes.checks:
            self._check(k)
        for i in self.takes.results:
            if i in group.after or (i in group.reductions and not values[i].shape):
                self._store(self.numbers[i], self.into[i])
        self.b.ret(self.b.load(self.broken, typ=self.ir.IntType(32)))

    def _check(self, k: int) -> None:
        check = self.program.checks[k]
        found = self._number(check.value)
        if found.type == self.scalars.types["b1"]:
            self._bail(self.b.icmp_unsigned("!=", found, self.scalars.constant(check.expected, "b1")))
            return
        wide = self.ir.IntType(64 if found.type == self.scalars.types["f8"] else 32)
        kind = "f8" if wide.width == 64 else "f4"
        expected = self.b.bitcast(self.scalars.constant(check.expected, kind), wide)
        self._bail(self.b.icmp_unsigned("!=", self.b.bitcast(found, wide), expected))

    def _outside(self) -> set[int]:
        """Numbers that the loop uses and doesn't compute."""
        own = set(self.group.members())
        found: set[int] = set()
        for i in [*self.group.inside, *self.group.reductions]:
            for a in self.program.values[i].args:
                if a not in own and (not self.program.values[a].shape or uniform(self.program, a) is not None):
                    found.add(a)
        return found

    def _axes(self) -> list[tuple[int, list[int]]]:
        """The loops: the extent of each, and which axes of the domain it goes over."""
        domain = self.group.domain
        patterns: list[tuple[bool, ...]] = []
        arrays = {a for i in [*self.group.inside, *self.group.reductions] for a in self.program.values[i].args}
        self.arrays = sorted(a for a in arrays if a in self.at and self.program.values[a].shape)
        for axis, n in enumerate(domain):
            pattern = [self._moves(a, axis) for a in self.arrays]
            pattern += [axis not in self.program.values[r].params["axes"] for r in self.group.reductions]
            patterns.append((*pattern, n == 1))
        loops: list[tuple[int, list[int]]] = []
        for axis, n in enumerate(domain):
            if n == 1 and len(domain) > 1:
                continue
            if loops and patterns[axis] == patterns[loops[-1][1][-1]]:
                loops[-1] = loops[-1][0] * n, [*loops[-1][1], axis]
            else:
                loops.append((n, [axis]))
        return loops or [(1, [len(domain) - 1])] if domain else []

    def _moves(self, a: int, axis: int) -> bool:
        shape = self.program.values[a].shape
        own = axis - (len(self.group.domain) - len(shape))
        return own >= 0 and shape[own] != 1

    def _strides(self, shape: tuple[int, ...], moving: Sequence[bool]) -> list[int]:
        """For each loop, by how many entries it moves in a contiguous array that lies along some of them."""
        strides = [0] * len(self.tables)
        step = 1
        for k in range(len(self.tables) - 1, -1, -1):
            if moving[k]:
                strides[k] = step
                step *= self.tables[k][0]
        assert step == int(np.prod(shape, dtype=int)), (shape, moving)
        return strides

    def _offset(self, strides: Sequence[int], indices: Sequence[Any]) -> Any:
        found = None
        for stride, index in zip(strides, indices, strict=True):
            if stride:
                part = index if stride == 1 else self.b.mul(index, self.ir.Constant(self.long, stride))
                found = part if found is None else self.b.add(found, part)
        return self.ir.Constant(self.long, 0) if found is None else found

    def _place(self, pointer: Any, offset: Any, kind: str) -> Any:
        entry = self.ir.IntType(8) if kind == "b1" else self.scalars.types[kind]
        return self.b.gep(pointer, [offset], source_etype=entry)

    def _for(self, start: Any, stop: Any) -> _Loop:
        return _Loop(self, start, stop)

    def _loop(self, depth: int, indices: list[Any]) -> None:
        extent = self.tables[depth][0] if self.tables else 1
        zero, end = self.ir.Constant(self.long, 0), self.ir.Constant(self.long, extent)
        if depth + 1 < len(self.tables):
            with self._for(zero, end) as loop:
                self._loop(depth + 1, [*indices, loop.index])
            return
        rows = [r for r in self.group.reductions if self.tables[-1][1][-1] in self.program.values[r].params["axes"]]
        if not rows or extent <= BLOCK:
            self._row(indices, zero, end, rows)
            return
        blocks, rest = divmod(extent, BLOCK)
        with self._for(zero, self.ir.Constant(self.long, blocks)) as loop:
            start = self.b.mul(loop.index, self.ir.Constant(self.long, BLOCK))
            self._row(indices, start, self.b.add(start, self.ir.Constant(self.long, BLOCK)), rows)
        if rest:
            self._row(indices, self.ir.Constant(self.long, blocks * BLOCK), end, rows)

    def _row(self, indices: list[Any], start: Any, stop: Any, rows: list[int]) -> None:
        """The inner loop, with the reductions along it in registers."""
        starts = [self._neutral(r) for r in rows]
        with _Loop(self, start, stop, starts) as loop:
            where = [*indices, loop.index]
            entries = self._body(where)
            loop.carried = [
                self._combine(r, loop.phis[n], entries[self.program.values[r].args[0]], fast=True)
                for n, r in enumerate(rows)
            ]
            for r in self.group.reductions:
                if r not in rows:
                    self._accumulate(r, entries[self.program.values[r].args[0]], where)
        for r, total in zip(rows, loop.totals, strict=True):
            self._accumulate(r, total, [*indices, start])

    def _body(self, where: list[Any]) -> dict[int, Any]:
        """All entries at one place of the domain."""
        values = self.program.values
        entries: dict[int, Any] = {}

        def entry(a: int) -> Any:
            if a not in entries:
                if a in self.numbers:
                    return self.numbers[a]
                moving = [self._moves(a, axes[-1]) for _, axes in self.tables]
                offset = self._offset(self._strides(values[a].shape, moving), where)
                kind = KINDS[values[a].dtype]
                entries[a] = self._load(self._place(self.at[a], offset, kind), kind)
            return entries[a]

        for i in self.group.inside:
            value = values[i]
            entries[i] = self.scalars.emit(value, [values[a] for a in value.args], [entry(a) for a in value.args])
        for i in self.group.inside:
            if i in self.into:
                full = self._strides(values[i].shape, [n > 1 for n, _ in self.tables])
                self._store(entries[i], self._place(self.into[i], self._offset(full, where), KINDS[values[i].dtype]))
        for r in self.group.reductions:
            entries[values[r].args[0]] = entry(values[r].args[0])
        return entries

    # Reductions

    def _neutral(self, r: int) -> Any:
        assert self.program.values[r].op is not None
        name = self.program.values[r].op.name  # type: ignore[union-attr]
        start = {"sum": -0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}[name]
        return self.scalars.constant(start, KINDS[self.program.values[r].dtype])

    def _combine(self, r: int, x: Any, y: Any, fast: bool = False) -> Any:
        name = self.program.values[r].op.name  # type: ignore[union-attr]
        flags = ("reassoc",) if fast else ()
        if name == "sum":
            return self.b.fadd(x, y, flags=flags)
        if name == "prod":
            return self.b.fmul(x, y, flags=flags)
        name = "llvm.maximum" if name == "max" else "llvm.minimum"
        kind = self.ir.FunctionType(x.type, [x.type, x.type])
        return self.b.call(self.function.module.declare_intrinsic(name, [x.type], kind), [x, y])

    @property
    def slots(self) -> dict[int, Any]:
        if not hasattr(self, "_slots"):
            self._slots: dict[int, Any] = {}
        return self._slots

    def _fill(self, r: int) -> None:
        """Where a reduction is added up: a number of its own, or the result's memory."""
        value = self.program.values[r]
        kind = KINDS[value.dtype]
        if not value.shape:
            self.slots[r] = self.b.alloca(self.scalars.types[kind])
            self.b.store(self._neutral(r), self.slots[r])
            return
        self.slots[r] = self.into[r]
        with self._for(self.ir.Constant(self.long, 0), self.ir.Constant(self.long, int(np.prod(value.shape)))) as loop:
            self.b.store(self._neutral(r), self._place(self.slots[r], loop.index, kind))

    def _accumulate(self, r: int, entry: Any, where: list[Any]) -> None:
        value = self.program.values[r]
        kind = KINDS[value.dtype]
        place = self.slots[r]
        if value.shape:
            kept = [axes[-1] not in value.params["axes"] and n > 1 for n, axes in self.tables]
            place = self._place(place, self._offset(self._strides(value.shape, kept), where), kind)
        before = self.b.load(place, typ=self.scalars.types[kind])
        self.b.store(self._combine(r, before, entry), place)


class _Loop:
    """`for index in range(start, stop)`, at least once, with values that are carried on."""

    def __init__(self, nest: Nest, start: Any, stop: Any, carried: Sequence[Any] = ()) -> None:
        self.nest = nest
        self.stop = stop
        self.starts = list(carried)
        self.carried: list[Any] = []
        self.totals: list[Any] = []
        self.start = start

    def __enter__(self) -> _Loop:
        b, function = self.nest.b, self.nest.function
        before = b.block
        self.block, self.end = function.append_basic_block("loop"), function.append_basic_block("end")
        b.branch(self.block)
        b.position_at_end(self.block)
        self.index = b.phi(self.nest.long)
        self.index.add_incoming(self.start, before)
        self.phis = [b.phi(s.type) for s in self.starts]
        for phi, s in zip(self.phis, self.starts, strict=True):
            phi.add_incoming(s, before)
        return self

    def __exit__(self, *error: Any) -> None:
        b = self.nest.b
        following = b.add(self.index, self.nest.ir.Constant(self.nest.long, 1), flags=("nsw",))
        self.index.add_incoming(following, b.block)
        for phi, value in zip(self.phis, self.carried, strict=True):
            phi.add_incoming(value, b.block)
        self.totals = self.carried
        b.cbranch(b.icmp_signed("<", following, self.stop), self.block, self.end)
        b.position_at_end(self.end)

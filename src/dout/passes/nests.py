"""Statements that go over the same places share loops.

The outermost loops are merged first, and the inner ones follow one another inside: rows that are reduced and used again
(softmax, layer norm, k-means) are read once and stay in the cache, with no pattern of their own. Statements get levels: one
that needs another's entries only where the loops are can share its loops; else it comes a level later. The same is
done again inside of each loop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .again import repeated
from .groups import grouped
from .levels import levels, stays
from .plan import Buffer, Group, Loop, Nest, Plan, Read, Statement, Step, contiguous
from .program import Program
from .statements import statements
from .writing import Kind, Unit, Writing

#: Room on the stack for what lives inside a nest, in entries.
ROOM = 1 << 15
#: Loops that take longer than this (in nanoseconds) are cut into pieces, to be run by threads.
LONG = 50_000
PIECES = 64
#: Nanoseconds that a nest has to take for each entry that is to be put together after it.
WORTH = 8.0
#: What one entry costs, in nanoseconds, by operation.
CHEAP, DEAR = 0.15, 1.0
_DEAR = {
    "exp", "log", "tanh", "sin", "cos", "power", "divide", "sqrt", "expm1", "log1p", "exp2", "exp10", "log2", "log10",
    "sinh", "cosh", "tan", "arcsin", "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "cbrt", "hypot",
    "erf", "erfc", "expit", "softplus", "log_expit", "logaddexp", "gammaln", "psi", "float_power",
}  # fmt: skip


def planned(program: Program, kind: Kind, kinds: Any, products: bool = True) -> Plan:
    """The steps of a program.

    Args:
        program: what is to be computed.
        kind: says of a value whether it is computed entry by entry ("map"), reduced ("reduce"), or by NumPy (None).
        kinds: the dtypes that there is code for.
        products: whether BLAS is there.
    """
    writing = statements(program, kind, kinds, products)
    steps: list[Any] = []
    units = repeated(writing.units, writing.values, _wanted(writing))
    for item in _arranged(units, 0):
        if isinstance(item, Loop):
            steps.append(Nest([_collapsed(item, 0)]))
        elif isinstance(item, Statement):
            if steps and isinstance(steps[-1], Nest) and isinstance(steps[-1].body[0], Statement):
                steps[-1].body.append(item)
            else:
                steps.append(Nest([item]))
        else:
            steps.append(item)
    plan = _settled(writing, steps)
    plan.units = units
    return plan


def _arranged(units: Sequence[Unit], depth: int) -> list[Any]:
    """Statements in loops, from a depth on: an ordered list of loops, statements and other units."""
    found: list[Any] = []
    for group in levels(units, depth):
        first = group[0]
        if isinstance(first, Statement) and len(first.extents) > depth:
            found.append(Loop(first.extents[depth], _arranged(group, depth + 1)))
        else:
            found += group
    return found


def _collapsed(loop: Loop, depth: int) -> Loop:
    """Two loops as one, where everything lies one row after another."""
    if len(loop.body) == 1 and isinstance(loop.body[0], Loop):
        inner = _collapsed(loop.body[0], depth + 1)
        statements = list(inner.statements())
        if all(_is_one_row(s, depth, inner.extent) for s in statements):
            for s in statements:
                _join_axes(s, depth)
            return Loop(loop.extent * inner.extent, inner.body)
        return Loop(loop.extent, [inner])
    return Loop(loop.extent, [_collapsed(b, depth + 1) if isinstance(b, Loop) else b for b in loop.body])


def _accesses(s: Statement) -> list[Read]:
    """Every place that a statement reads or writes, or numbers."""
    own = [*s.reads, s.write, *([s.numbered] if s.numbered else [])]
    return [*own, *[i.read for r in own for i in r.indices]]


def _is_one_row(s: Statement, depth: int, extent: int) -> bool:
    if s.scanned in (depth, depth + 1):
        return False
    return all(r.strides[depth] == extent * r.strides[depth + 1] for r in _accesses(s))


def _join_axes(s: Statement, depth: int) -> None:
    def joined(r: Read) -> Read:
        indices = tuple([type(i)(joined(i.read), i.extent, i.stride) for i in r.indices])
        return Read(r.value, r.offset, (*r.strides[:depth], *r.strides[depth + 1 :]), indices)

    s.extents = (*s.extents[:depth], s.extents[depth] * s.extents[depth + 1], *s.extents[depth + 2 :])
    s.reads = tuple([joined(r) for r in s.reads])
    s.write = joined(s.write)
    s.numbered = joined(s.numbered) if s.numbered else None
    s.scanned -= s.scanned > depth


# What needs memory


def _settled(writing: Writing, steps: list[Any]) -> Plan:
    """Enter what each nest needs from before and for after, and what needs memory only inside of it."""
    users: dict[int, set[int]] = {}
    for n, step in enumerate(steps):
        for b in (*_read_by(step), *_made_by(step)):
            users.setdefault(b, set()).add(n)
    wanted = _wanted(writing)
    found: list[Step] = []
    for n, step in enumerate(steps):
        if not isinstance(step, Nest):
            found.append(step)
            continue
        made = _made_by(step)
        step.writes = sorted(b for b in made if b in wanted or users.get(b, set()) - {n})
        _rooms(writing, step, made - set(step.writes))
        before = _read_by(step) - made
        step.reads = sorted(b for b in before if not _is_number(writing, b))
        _also_before(steps[:n], step)
        found += _cut(writing, step)
    return _with_buffers(writing, grouped(writing, found, wanted, PIECES))


def _wanted(writing: Writing) -> set[int]:
    """What is needed when all steps have run, besides the checks that they make themselves."""
    checks = [c.value for k, c in enumerate(writing.program.checks) if k not in writing.checked]
    return {*writing.program.outputs, *checks}


def _also_before(before: Sequence[Step], step: Nest) -> None:
    """A buffer that an earlier step began to fill is read, too."""
    begun = {b for s in before for b in (s.writes if isinstance(s, Nest) else ())}
    step.reads = sorted({*step.reads, *[b for b in step.writes if b in begun]})


def _read_by(step: Any) -> set[int]:
    if isinstance(step, Nest):
        found = {r.value for s in step.statements() for r in s.reads}
        for s in step.statements():
            found.update(i.read.value for r in (*s.reads, s.write) for i in r.indices)
            if s.how == "add" or s.write.indices:
                found.add(s.value)
        return found
    return set(step.reads)


def _made_by(step: Any) -> set[int]:
    """What a nest writes to."""
    return {s.value for s in step.statements() if s.how != "check"} if isinstance(step, Nest) else set()


def _is_number(writing: Writing, b: int) -> bool:
    """Whether it is a constant that is part of the code."""
    value = writing.values[b]
    return value.is_constant() and not value.shape and not isinstance(value.constant, np.ndarray)


def _rooms(writing: Writing, nest: Nest, inner: set[int]) -> None:
    """Which values that live in a nest only need memory there, and how much."""
    walk = _Walk(nest)
    used = 0
    for b in sorted(inner & walk.in_memory):
        depth = walk.shared.get(b, 0)
        strides = walk.written[b]
        size = strides[depth - 1] if depth else math.prod(writing.values[b].shape)
        if used + size > ROOM:
            nest.writes = sorted({*nest.writes, b})
        else:
            nest.inside[b] = depth
            used += size


class _Walk:
    """Goes through a nest as its code does, and notes which reads find no register."""

    def __init__(self, nest: Nest) -> None:
        self.in_memory: set[int] = set()
        self.shared: dict[int, int] = {}
        self.written: dict[int, tuple[int, ...]] = {}
        self._paths: dict[int, tuple[int, ...]] = {}
        counts: dict[int, int] = {}
        for s in nest.statements():
            if s.how != "check":
                counts[s.value] = counts.get(s.value, 0) + 1
        self._once = {b for b, n in counts.items() if n == 1}
        self._go(nest.body, (), {})

    def _go(self, body: Sequence[Loop | Statement], path: tuple[int, ...], registers: dict[int, Read]) -> None:
        rows = bool(path) and all(isinstance(item, Statement) for item in body)
        for item in body:
            if isinstance(item, Statement):
                self._statement(item, path, registers, rows)
                if item.value in self._once and keeps_register(item):
                    registers[item.value] = item.write
            else:
                self._go(item.body, (*path, id(item)), dict(registers))
                statements = [s for s in item.body if isinstance(s, Statement)]
                for s in statements if len(statements) == len(item.body) else ():
                    if s.value in self._once and ends_in_register(s, len(path)):
                        registers[s.value] = Read(s.value, 0, s.write.strides[:-1])

    def _statement(self, s: Statement, path: tuple[int, ...], registers: dict[int, Read], rows: bool) -> None:
        for r in [*s.reads, *[i.read for q in (*s.reads, s.write) for i in q.indices]]:
            if not is_register(registers.get(r.value), r):
                self._memory(r.value, path)
        if s.how == "check":
            return
        self.written[s.value] = s.write.strides
        if s.how == "scan":  # the entry before has to be there still
            path = path[: s.scanned]
        if s.how == "scan" or s.write.indices or s.value not in self._once:
            self._memory(s.value, path)
        if s.how == "reduce" and not (rows and ends_in_register(s, len(path) - 1)):
            self._memory(s.value, path)
        self._meet(s.value, path)

    def _memory(self, b: int, path: tuple[int, ...]) -> None:
        self.in_memory.add(b)
        self._meet(b, path)

    def _meet(self, b: int, path: tuple[int, ...]) -> None:
        known = self._paths.get(b)
        common = path if known is None else path[: _common(known, path)]
        self._paths[b] = common
        self.shared[b] = len(common)


def _common(x: tuple[int, ...], y: tuple[int, ...]) -> int:
    n = 0
    while n < min(len(x), len(y)) and x[n] == y[n]:
        n += 1
    return n


def keeps_register(s: Statement) -> bool:
    """Whether a statement's entry is at hand after it, for what follows at the same place."""
    return s.how in ("map", "copy", "scan") and not s.write.indices


def ends_in_register(s: Statement, depth: int) -> bool:
    """Whether a reduction is complete when its innermost loop ends, which is at this depth."""
    return s.how == "reduce" and len(s.extents) == depth + 1 and s.write.strides[-1] == 0 and all(s.write.strides[:-1])


def is_register(register: Read | None, r: Read) -> bool:
    """Whether a read is of the entry that is at hand."""
    if register is None or r.indices or r.offset != register.offset:
        return False
    n = len(register.strides)
    return len(r.strides) >= n and r.strides[:n] == register.strides and not any(r.strides[n:])


# Pieces for threads


def _cut(writing: Writing, nest: Nest) -> list[Step]:
    """A nest, and what puts together the parts of sums over its outermost loop."""
    nest.work = sum(math.prod(s.extents) * _cost(writing, s) for s in nest.statements())
    first = nest.body[0]
    if not isinstance(first, Loop):
        return [nest]
    over = [s for s in nest.statements() if s.how != "check" and not s.write.strides[0]]
    apart = [s for s in nest.statements() if (s.how == "add" or s.write.indices) and s.write.strides[0]]
    if any(s.how != "reduce" or s.write.indices for s in over) or not all(stays(s, 0) for s in apart):
        return [nest]
    if any(s.how == "check" or s.scanned == 0 for s in nest.statements()):
        return [nest]
    if not over:
        nest.parallel = True
        return [nest]
    if nest.work < LONG:
        return [nest]
    sizes = {s.value: math.prod(writing.values[s.value].shape) for s in over}
    pieces = -(-first.extent // -(-first.extent // PIECES))  # none is empty
    if sum(sizes.values()) * pieces * WORTH > nest.work:
        return [nest]
    nest.parallel, nest.pieces = True, pieces
    after: list[Step] = []
    for s in over:
        value = writing.values[s.value]
        room = writing.fresh((pieces, *value.shape), value.dtype)
        nest.partial[s.value] = room
        after.append(_together(s, room, pieces, sizes[s.value]))
        nest.writes = sorted({*[b for b in nest.writes if b != s.value], room})
        nest.inside.pop(s.value, None)
    return [nest, *after]


def _together(s: Statement, room: int, pieces: int, size: int) -> Nest:
    extents = (pieces, size) if size > 1 else (pieces,)
    strides = contiguous(extents)
    write = Read(s.value, 0, (0, 1) if size > 1 else (0,))
    total = Statement("reduce", s.value, extents, (Read(room, 0, strides),), write, combine=s.combine)
    body: list[Loop | Statement] = [total]
    for n in reversed(extents):
        body = [Loop(n, body)]
    return Nest(body, [room], [s.value], work=pieces * size * CHEAP)


def _cost(writing: Writing, s: Statement) -> float:
    op = writing.values[s.value].op
    if any(r.indices for r in (*s.reads, s.write)):
        return DEAR
    return DEAR if s.how == "map" and op is not None and op.name in _DEAR else CHEAP


def _with_buffers(writing: Writing, steps: list[Step]) -> Plan:
    buffers = {}
    for step in steps:
        rooms = step.rooms if isinstance(step, Group) else ()
        for b in (*step.reads, *step.writes, *rooms):
            value = writing.values[b]
            if b not in buffers and not isinstance(value.shape, list):
                buffers[b] = Buffer(b, value.shape, value.dtype)
    return Plan(writing.program, steps, buffers, writing.checked)

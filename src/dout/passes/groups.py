"""Steps that go along the same rows are run together, some rows at a time: what they hand on stays in the cache.

A product of matrices is no loop that statements could share. But its rows, or the matrices of a batch, come one after another
like the iterations of a nest; so products and the nests before and after them can take turns, a block of rows each. A
product that adds up over the rows (the derivative of what multiplies every row) does so for each block, and the blocks'
parts are added up after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .plan import Group, Loop, Nest, Product, Read, Statement, Step, contiguous
from .remade import alone, reading, repeatable
from .writing import Writing

#: A group is worth the time to compile it if its steps take so many nanoseconds.
WORTH = 1_000_000.0
#: So many entries of a factor stay in the cache while rows go by, and so many can be turned around first.
FACTOR, TURNED = 1 << 16, 1 << 14
#: So many bytes of what is handed on lie in a room of one block.
ROOM = 3 << 19
#: So many entries the parts of a sum over blocks may have.
PARTS = 1 << 18
#: A program of more steps is not looked through, nor are groups tried that begin with a later step than so many.
MANY, TRIES = 400, 8


def grouped(
    writing: Writing, steps: Sequence[Step], wanted: set[int], pieces: int, makers: dict[int, Statement] | None = None
) -> list[Step]:
    """The steps, with groups in the place of those that go along the same rows.

    Args:
        writing: knows sizes, and makes room for sums over blocks.
        steps: in an order in which they can run.
        wanted: what is needed when all have run.
        pieces: into how many blocks rows are cut at most.
        makers: by buffer, statements that a group may repeat in place of reading what they made.
    """
    products = [s for s in steps if isinstance(s, Product)]
    if len(steps) > MANY or sum(_work(s) for s in products) < WORTH / 2:
        return list(steps)
    if makers is None:
        makers = repeatable(writing, steps)
    best: _Gathering | None = None
    for extent in dict.fromkeys(n for p in products for n in _extents(p)):
        start = 0
        for _ in range(TRIES):  # what is first decides what can join
            found = _Gathering(writing, extent, min(pieces, extent))
            start = found.go(steps, start) + 1
            if found.is_worth() and (best is None or found.work > best.work):
                best = found
            if not found.steps or isinstance(found.steps[0], Product):
                break
    if best is None:
        return list(steps)
    after = grouped(writing, best.after(), wanted, pieces, makers)
    needed = {*wanted, *[b for s in (*best.before, *after) for b in (*s.reads, *s.writes)]}
    return [*best.before, best.group(needed, makers), *after]


def _extents(p: Product) -> list[int]:
    """The numbers of rows along which a product can be cut."""
    return [n for n in (p.batch[:1] or (p.m, p.k)) if n > 8]


def _work(step: Step) -> float:
    if isinstance(step, Nest):
        return step.work
    return math.prod(step.batch) * step.m * step.n * step.k / 16 if isinstance(step, Product) else 0.0


class _Gathering:
    """Goes through steps once and gathers those that share rows; the others go before or after."""

    def __init__(self, writing: Writing, extent: int, pieces: int) -> None:
        self.writing = writing
        self.extent = extent
        self.each = -(-extent // pieces)
        self.pieces = -(-extent // self.each)
        self.before: list[Step] = []
        self.steps: list[Nest | Product] = []
        self.work = 0.0
        self._rest: list[Step] = []
        self._sums: dict[int, Product] = {}  # which products are added up over blocks
        self._apart: dict[int, bool] = {}  # whether all that is done with a buffer stays in its row

    def go(self, steps: Sequence[Step], start: int) -> int:
        """Take the steps in order; none before `start` joins. The number of the first that does."""
        self.before = list(steps[:start])
        first = len(steps)
        for n in range(start, len(steps)):
            self._take(steps[n])
            if self.steps:
                first = min(first, n)
        return first

    def _take(self, step: Step) -> None:
        rows = self._rows(step)
        if _conflict(step, self._rest):
            self._rest.append(step)
        elif rows is not None and self._fits(step, rows):
            assert isinstance(step, Nest | Product)
            self._join(step, rows)
        elif _conflict(step, self.steps):
            self._rest.append(step)
        else:
            self.before.append(step)

    def is_worth(self) -> bool:
        """Whether there is a product among them, and enough to do."""
        return len(self.steps) > 1 and any(isinstance(s, Product) for s in self.steps) and self.work >= WORTH

    def after(self) -> list[Step]:
        """What comes after them: first the sums of parts."""
        return list(self._rest)

    def group(self, needed: set[int], makers: dict[int, Statement]) -> Group:
        """They as one step; of what they make, others need `needed`."""
        steps = self._with_makers([self._sums.get(id(s), s) for s in self.steps], makers)
        made = {b for s in steps for b in s.writes}
        reads = sorted({b for s in steps for b in s.reads} - made)
        rooms: dict[int, int] = {}
        free = ROOM
        for b in sorted((b for b in made - needed if self._apart.get(b)), key=self._width):
            size = self.each * self._width(b) * self.writing.values[b].dtype.itemsize
            if size <= free:
                rooms[b] = self._width(b)
                free -= size
        left = sorted(made - set(rooms))
        return Group(steps, self.extent, self.each, self.pieces, rooms, reads, left, self.work)

    def _with_makers(self, steps: Sequence[Nest | Product], makers: dict[int, Statement]) -> list[Nest | Product]:
        """The steps, and before them what makes anew what they would read from far."""
        made = {b for s in steps for b in s.writes}
        names: dict[int, int] = {}
        first: list[Nest | Product] = []
        for b in sorted({b for s in steps for b in s.reads} - made):
            if b in makers and self._apart.get(b):
                value = self.writing.values[b]
                new = self.writing.fresh(value.shape, value.dtype)
                nest = alone(self.writing, makers[b], new)
                rows = self._rows(nest)
                if rows is not None and rows[new]:
                    self._apart[new] = True
                    names[b] = new
                    first.append(nest)
        return [*first, *[reading(s, names) for s in steps]]

    def _join(self, step: Nest | Product, rows: dict[int, bool]) -> None:
        for b, apart in rows.items():
            self._apart[b] = self._apart.get(b, True) and apart
        self.steps.append(step)
        self.work += _work(step)
        if isinstance(step, Product) and not step.batch and step.m != self.extent:
            value = self.writing.values[step.value]
            parts = self.writing.fresh((self.pieces, step.m, step.n), value.dtype)
            self._sums[id(step)] = replace(step, pieces=self.pieces, parts=parts)
            self._rest.insert(0, _together(step, parts, self.pieces))

    def _fits(self, step: Step, rows: dict[int, bool]) -> bool:
        """Whether what it shares with those before is handed on row by row."""
        made = {b for s in self.steps for b in s.writes}
        used = {b for s in self.steps for b in s.reads}
        shared = ({*step.reads, *step.writes} & made) | (set(step.writes) & used)
        return all(rows.get(b, False) and self._apart.get(b, False) for b in shared)

    # Rows

    def _width(self, b: int) -> int:
        """How many entries a row of a buffer has; 0 if it has other rows."""
        size = math.prod(self.writing.values[b].shape)
        return size // self.extent if size % self.extent == 0 else 0

    def _rows(self, step: Step) -> dict[int, bool] | None:
        """For each buffer, whether a step stays in the row it is at; None if it doesn't go along the rows."""
        if isinstance(step, Nest):
            return self._rows_of_nest(step)
        return self._rows_of_product(step) if isinstance(step, Product) else None

    def _rows_of_nest(self, nest: Nest) -> dict[int, bool] | None:
        first = nest.body[0]
        if len(nest.body) != 1 or not isinstance(first, Loop) or not nest.parallel or first.extent % self.extent:
            return None
        times = first.extent // self.extent
        if nest.pieces and (times > 1 or nest.pieces != self.pieces):
            return None
        found: dict[int, bool] = dict.fromkeys([*nest.reads, *nest.writes], True)
        for s in nest.statements():
            for r in _accesses(s):
                if r.value in found:
                    found[r.value] = found[r.value] and self._stays(r, s.extents, times)
        found.update(dict.fromkeys(nest.partial.values(), False))
        return found

    def _stays(self, r: Read, extents: Sequence[int], times: int) -> bool:
        width = self._width(r.value)
        if not width or r.strides[0] * times != width:
            return False
        low = high = r.offset
        for stride, n in zip((r.strides[0], *r.strides[1:]), (times, *extents[1:]), strict=True):
            low, high = low + min(0, stride * (n - 1)), high + max(0, stride * (n - 1))
        for i in r.indices:
            low, high = low + min(0, i.stride * (i.extent - 1)), high + max(0, i.stride * (i.extent - 1))
        return low >= 0 and high < width

    def _rows_of_product(self, p: Product) -> dict[int, bool] | None:
        if not isinstance(self.writing.values[p.value].shape, tuple) or p.k * p.n == 0:
            return None
        if p.batch:
            if p.batch[0] != self.extent or p.k * min(p.m, p.n) > FACTOR or not _is_readable(p):
                return None
            rest = p.batch[1:]
            a = self._stays(p.a, (self.extent, *rest, p.m, p.k), 1)
            b = self._stays(p.b, (self.extent, *rest, p.k, p.n), 1)
            return self._entered(p, a, b, self._width(p.value) > 0)
        if p.m == self.extent:
            if p.k * p.n > (FACTOR if p.b.strides[-1] == 1 else TURNED) or p.n < 8:
                return None
            return self._entered(p, self._stays(p.a, (p.m, p.k), 1), False, True)
        if p.k == self.extent and p.b.strides[-1] == 1 and self.pieces * p.m * p.n <= PARTS and p.n >= 8:
            a = self._stays(Read(p.a.value, p.a.offset, p.a.strides[::-1]), (p.k, p.m), 1)
            return self._entered(p, a, self._stays(p.b, (p.k, p.n), 1), False)
        return None

    def _entered(self, p: Product, a: bool, b: bool, value: bool) -> dict[int, bool]:
        found = {p.a.value: a, p.value: value}
        found[p.b.value] = b and found.get(p.b.value, True)
        return found


def _is_readable(p: Product) -> bool:
    """Whether vectors can be read from one of the factors, as it lies or turned around."""
    return 1 in (p.a.strides[-2], p.b.strides[-1]) or p.k * min(p.m, p.n) <= TURNED


def _accesses(s: Statement) -> list[Read]:
    own = [*s.reads, s.write]
    return [*own, *[i.read for r in own for i in r.indices]]


def _conflict(step: Step, others: Sequence[Step]) -> bool:
    """Whether a step may not be moved before others."""
    reads, writes = set(step.reads), set(step.writes)
    return any(writes & {*s.reads, *s.writes} or reads & set(s.writes) for s in others)


def _together(p: Product, parts: int, pieces: int) -> Nest:
    """The parts of a product added up."""
    size = p.m * p.n
    extents = (pieces, size)
    total = Statement(
        "reduce", p.value, extents, (Read(parts, 0, contiguous(extents)),), Read(p.value, 0, (0, 1)), combine="sum"
    )
    body: Any = [Loop(pieces, [Loop(size, [total])])]
    return Nest(body, [parts], [p.value], work=pieces * size * 0.15)

"""How a product of matrices is cut into tiles, so that a block of the result stays in registers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...passes.groups import TURNED
from ...passes.plan import Product
from .engine import width

#: So many vectors of a row are in a tile at most, and so many rows.
_ACROSS, _DOWN = 4, 14
#: So many entries are added up at a time, so that what they are multiplied with stays in the nearest cache.
DEEP = 160


@dataclass(frozen=True)
class Factor:
    """Where a factor lies.

    Attributes:
        value: its buffer.
        offset: where it begins.
        batch: by how much it moves along each axis of the batch.
        along: its stride along the result's rows (or columns).
        inner: its stride along what is added up.
    """

    value: int
    offset: int
    batch: tuple[int, ...]
    along: int
    inner: int


@dataclass(frozen=True)
class Tiling:
    """How a product is cut.

    Attributes:
        rows, columns: the result's, or swapped, so that vectors lie along the columns.
        left, right: the factors of these.
        steps: the strides of the result along rows and columns.
        lanes: how many entries a vector has.
        down: how many rows a tile has; the last may have fewer.
        across: how many vectors are in each of the pieces of a row, from left to right.
        deep: how many entries are added up at a time; after them the same is done with the next, for all tiles. 0 if all are.
    """

    rows: int
    columns: int
    left: Factor
    right: Factor
    steps: tuple[int, int]
    lanes: int
    down: int
    across: tuple[int, ...]
    deep: int = 0

    @property
    def tiles(self) -> int:
        """How many tiles of rows there are in one place of the batch."""
        return -(-self.rows // self.down)

    @property
    def units(self) -> int:
        """How many iterations there are in one place of the batch."""
        return 1 if self.deep else self.tiles

    @property
    def is_turned(self) -> bool:
        """Whether the right factor has to be copied first, so that vectors can be read from it."""
        return self.right.along != 1


def tiling(step: Product, itemsize: int) -> Tiling | None:
    """The better of the two ways to cut a product; None if it is one for BLAS."""
    room = 0 if step.pieces else TURNED
    ways = [_straight(step, itemsize, step.m), _swapped(step, itemsize)]
    found = [(_cost(t, step.k), n, t) for n, t in enumerate(ways) if not t.is_turned or t.columns * step.k <= room]
    if not found:
        return None
    best = min(found)[2]
    k = -(-step.k // max(step.pieces, 1))
    full = best.steps[1] == 1 and best.columns == sum(best.across) * best.lanes and not best.is_turned
    if (step.batch or step.pieces) and k > DEEP and full:
        return replace(best, deep=-(-k // -(-k // DEEP)))
    return best


def by_rows(step: Product, itemsize: int, fewest: int) -> Tiling:
    """The way to cut a product whose rows come block by block, none with fewer rows than `fewest`."""
    return _straight(step, itemsize, fewest)


def _factors(step: Product) -> tuple[Factor, Factor]:
    a = Factor(step.a.value, step.a.offset, step.a.strides[:-2], step.a.strides[-2], step.a.strides[-1])
    return a, Factor(step.b.value, step.b.offset, step.b.strides[:-2], step.b.strides[-1], step.b.strides[-2])


def _straight(step: Product, itemsize: int, most: int) -> Tiling:
    a, b = _factors(step)
    return _cut(step.m, step.n, a, b, (step.n, 1), width() // 8 // itemsize, most)


def _swapped(step: Product, itemsize: int) -> Tiling:
    a, b = _factors(step)
    return _cut(step.n, step.m, b, a, (1, step.n), width() // 8 // itemsize, step.n)


def _cut(
    rows: int, columns: int, left: Factor, right: Factor, steps: tuple[int, int], lanes: int, most_rows: int
) -> Tiling:
    """A tile has as many rows as the registers hold, which is quicker than fewer and no rest."""
    registers, most = (32, _ACROSS) if width() == 512 or lanes <= 2 else (16, 2)
    vectors = -(-columns // lanes)
    pieces = -(-vectors // most)
    across = tuple([vectors // pieces + (k < vectors % pieces) for k in range(pieces)])
    down = min((registers - 1) // across[0] - 1, _DOWN, most_rows)
    return Tiling(rows, columns, left, right, steps, lanes, down, across)


def _cost(t: Tiling, k: int) -> float:
    """About how many cycles a product takes: of multiplying, of turning a factor, of storing entry by entry."""
    vectors = sum(t.across)
    chains = t.down * min(t.across)
    found = t.rows * vectors * k / 2 * max(1.0, 8 / chains)
    if t.is_turned:
        found += 2.0 * t.columns * k
    if t.steps[1] != 1 or t.columns < t.lanes:
        found += 2.0 * t.rows * t.columns
    return found

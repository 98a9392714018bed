"""Statements of argmax and argmin.

First what the best entry is, then the least number of one that is like it. Neither depends on the order in which the entries
are looked at, so that threads may share them, and both are loops without branches. A NaN is the best of all, and where
there is one, each of them is like it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..graph import NO_PARAMS, Primitive
from .places import EVEN, Place, own, read
from .plan import Index, Read, contiguous
from .program import Value
from .sums import contiguous_without, reduced
from .writing import Writing

#: What lies in memory and has more entries is looked at in blocks, each twice while it is in the cache.
LONG = 1 << 14
#: The least number of entries between the beginnings of two blocks, and twice the greatest.
BLOCK = 512
_BEST = {"max": Primitive("max", np.max, flat=True), "min": Primitive("min", np.min, flat=True)}
_FIRST = Primitive("first", np.min, flat=True)


def first(w: Writing, i: int, source: Place, axes: Sequence[int], combine: str) -> None:
    """The number of the first best entry of a place along an axis, or of all its entries in C's order."""
    n = math.prod([source.shape[a] for a in axes])
    if n == 1:
        w.places[i] = own(i, w.values[i].shape)
        w.copy(i, w.places[i], None, 0)
        return
    if n > LONG and source.buffer in w.outside and (len(axes) == 1 or source.is_contiguous()):
        if len(axes) > 1:
            source, axes = Place(source.buffer, source.offset, (n,), (1,)), (0,)
        _in_blocks(w, i, source, axes[0], combine)
        return
    numbers = contiguous(source.shape)
    if len(axes) == 1:
        numbers = tuple([int(axis in axes) for axis in range(len(source.shape))])
    found = _value(w, i, _BEST[combine], w.values[i].shape, w.values[source.buffer].dtype)
    reduced(w, found, source, axes, combine)
    _first_like(w, i, source, axes, found, numbers)


def _in_blocks(w: Writing, i: int, source: Place, axis: int, combine: str) -> None:
    """The best entry of each block, the first block with the best one of these, and where in that block it is.

    So all but one block are looked at once. They are of one size, so they overlap a little, which doesn't matter to what
    is best nor to what is first.
    """
    n, step = source.shape[axis], source.strides[axis]
    between = min(range(BLOCK, 2 * BLOCK), key=lambda size: n % size)
    blocks = n // between
    size = n - (blocks - 1) * between
    shape = (*source.shape[:axis], blocks, size, *source.shape[axis + 1 :])
    strides = (*source.strides[:axis], between * step, step, *source.strides[axis + 1 :])
    end, dtype = w.values[i].shape, w.values[source.buffer].dtype
    each = _value(w, i, _BEST[combine], (*shape[: axis + 1], *shape[axis + 2 :]), dtype)
    reduced(w, each, Place(source.buffer, source.offset, shape, strides), (axis + 1,), combine)
    best, block = _value(w, i, _BEST[combine], end, dtype), _value(w, i, _FIRST, end, np.dtype(np.int64))
    reduced(w, best, w.places[each], (axis,), combine)
    along = tuple([int(k == axis) for k in range(len(shape) - 1)])
    _first_like(w, block, w.places[each], (axis,), best, along)
    one = Place(source.buffer, source.offset, (*source.shape[:axis], size, *source.shape[axis + 1 :]), source.strides)
    _first_like(w, i, one, (axis,), best, along, (block, blocks, between))


def _value(w: Writing, i: int, op: Primitive, shape: tuple[int, ...], dtype: object) -> int:
    """The number of a new value that helps to make another."""
    w.values.append(Value(op, w.values[i].args, NO_PARAMS, shape, dtype, array=True))
    return len(w.values) - 1


def _first_like(
    w: Writing, i: int, source: Place, axes: Sequence[int], best: int, numbers: Sequence[int],
    block: tuple[int, int, int] | None = None,
) -> None:  # fmt: skip
    """The least number of an entry that is like the best one.

    Args:
        w: where to.
        i: the value that it becomes.
        source: the entries.
        axes: along which it is looked for.
        best: what it is to be like.
        numbers: by how much an entry's number grows along each axis.
        block: the value that says in which block the entries are, of how many, and how many entries apart these begin.
    """
    live = [axis for axis, n in enumerate(source.shape) if n > 1]
    kept = contiguous_without(source.shape, axes)
    places = tuple([kept[a] for a in live])
    entry, numbered = read(source, source.shape, live), Read(EVEN, 0, tuple([numbers[a] for a in live]))
    if block is not None:
        of, blocks, between = block
        (axis,) = axes
        at = Index(Read(of, 0, places), blocks, between)
        numbered = Read(EVEN, 0, numbered.strides, (at,))
        entry = Read(
            entry.value, entry.offset, entry.strides, (Index(at.read, blocks, between * source.strides[axis]),)
        )
    w.places[i] = own(i, w.values[i].shape)
    extents = tuple([source.shape[a] for a in live])
    w.add("reduce", i, extents, (entry, Read(best, 0, places)), Read(i, 0, places), combine="min", numbered=numbered)

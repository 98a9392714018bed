"""Zeros but for one entry in each row, as a choice: what a derivative of `x[np.arange(n), labels]` is.

As a scatter it would be rows of zeros in memory, an entry written, and the rows read again by whatever comes next. As a
choice, "is this the place?", it is made where it is used, and shares the loop. And the sum of such a row is its entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..graph import Primitive
from .entries import computed, source_of
from .indices import index_of
from .late import WRITES
from .places import EVEN, Numbered, Place, largest, own
from .plan import Read
from .program import Value
from .writing import Unwritten, Writing

#: An index that may count from the end, as one that doesn't; out of range, the program is left.
_PLACE = Primitive("place", np.asarray, elementwise=True, flat=True)


class _Rows(NamedTuple):
    """Which entries are written: one in each row.

    Attributes:
        axis: that of the array along which an index says where.
        places: where these indices lie.
        order: for each other axis of the array, the axis of the indices that goes along it.
    """

    axis: int
    places: Place
    order: dict[int, int]


def one_in_each_row(w: Writing, i: int, value: Value) -> bool:
    """Write a scatter into zeros as a choice for each entry, if it is one; says whether it is."""
    rows = None if i in w.order.goes_on else _rows(w, value)
    if rows is None or w.values[value.args[0]].dtype != value.dtype:
        return False
    ndim = len(value.shape) - 1
    source = source_of(w, value.args[0])[0]
    if source is not None and len(source.shape) > ndim:
        return False
    live = [axis for axis, n in enumerate(value.shape) if n > 1]
    others = [axis for axis in live if axis != rows.axis]

    def along(place: Place, axes: Sequence[int]) -> tuple[int, ...]:
        """The strides of what has the axes of the indices, along some axes of the array."""
        front = ndim - len(place.shape)
        return tuple([
            place.strides[rows.order[a] - front]
            if a != rows.axis and rows.order[a] >= front and place.shape[rows.order[a] - front] > 1
            else 0
            for a in axes
        ])  # fmt: skip

    extents = tuple([value.shape[a] for a in others])
    at = w.made(_PLACE, (rows.places.buffer,), extents or (1,), np.dtype(np.int64))
    given = Read(rows.places.buffer, rows.places.offset, along(rows.places, others))
    to = Read(at, 0, _contiguous(value.shape, others, others))
    w.add("map", at, extents, (given,), to, number=value.shape[rows.axis])
    w.places[i] = own(i, value.shape)
    entry = Read(value.args[0], 0, (0,) * len(live))
    if source is not None:
        entry = Read(source.buffer, source.offset, along(source, live))
        if _stays(w, source.buffer):
            one = tuple([1 if a == rows.axis else n for a, n in enumerate(value.shape)])
            w.alone[i] = rows.axis, Place(source.buffer, source.offset, one, along(source, range(ndim + 1)))
    w.add(
        "map", i, tuple([value.shape[a] for a in live]),
        (Read(at, 0, _contiguous(value.shape, others, live)), entry),
        Read(i, 0, _contiguous(value.shape, range(ndim + 1), live)),
        numbered=Read(EVEN, 0, tuple([int(a == rows.axis) for a in live])),
    )  # fmt: skip
    return True


def _stays(w: Writing, buffer: int) -> bool:
    """Whether what is in a buffer is there later, too: nothing is written into it in place."""
    op = w.values[buffer].op
    written = buffer >= w.known or buffer in w.order.goes_on or buffer in w.order.sums
    return not written and (op is None or op.name not in WRITES)


def _rows(w: Writing, value: Value) -> _Rows | None:
    """What an index names, if it is one entry for each place along all axes but one."""
    index = index_of(value.params["key"], value.args[1:], w.values)
    ndim = len(value.shape)
    if index is None or ndim < 2 or len(index.key) != ndim or not all(isinstance(k, Numbered) for k in index.key):
        return None
    try:
        places = [computed(w, index.arrays[k.number]) for k in index.key]
    except Unwritten:
        return None
    counts = [axis for axis, p in enumerate(places) if p.buffer == EVEN]
    free = [axis for axis in range(ndim) if axis not in counts]
    if len(free) != 1 or value.shape[free[0]] < 2:
        return None
    order: dict[int, int] = {}
    shape = np.broadcast_shapes(*[p.shape for p in places])
    for axis in counts:
        place, n = places[axis], value.shape[axis]
        moving = [len(shape) - len(place.shape) + k for k, many in enumerate(place.shape) if many > 1]
        if len(moving) != 1 or place.offset or largest(place) != n - 1 or shape[moving[0]] != n:
            return None
        order[axis] = moving[0]
    if len(shape) != ndim - 1 or sorted(order.values()) != list(range(ndim - 1)):
        return None
    return _Rows(free[0], places[free[0]], order)


def _contiguous(shape: Sequence[int], axes: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """Strides, along the wanted axes, of an array that has some of the axes of a shape, in C's order."""
    steps, step = {}, 1
    for axis in reversed(axes):
        steps[axis] = step
        step *= shape[axis]
    return tuple([steps.get(axis, 0) for axis in wanted])

"""Reads of one row after another, as `x[t]`, `x[:, t]` or `x[t : t + 1]`: then the array is a stack of entries."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..graph import Primitive
from .roll_loops import Moving


class Row(NamedTuple):
    """One row of an array in each step.

    Attributes:
        axis: along which axis of the array the rows lie.
        start: which row step 0 reads.
        far: by how much it moves.
        key: what is read of the row; None for all of it.
    """

    axis: int
    start: int
    far: int
    key: Any


def row(key: Any, shape: tuple[int, ...], n: int) -> Row | None:
    """The row that an index reads in each of n steps, if it is one; its moving numbers are in place."""
    parts = list(key) if type(key) is tuple else [key]
    moving = [m for m, part in enumerate(parts) if _moves(part)]
    if len(moving) != 1 or any(type(p) not in (int, slice) for p in parts[: moving[0]]):
        return None
    axis = moving[0]
    if any(p is not None and p is not Ellipsis and type(p) not in (int, slice) for p in parts[axis + 1 :]):
        return None
    part = parts[axis]
    start = part if type(part) is Moving else _first(part)
    if start is None or type(start) is not Moving:
        return None
    last = start.start + (n - 1) * start.step
    if (start.start < 0) != (last < 0):
        return None
    first = start.start + shape[axis] if start.start < 0 else start.start
    rest = [*parts[:axis], *([None] if type(part) is slice else []), *parts[axis + 1 :]]
    whole = all(type(p) is slice and p == slice(None) for p in rest)
    return Row(axis, first, start.step, None if whole else tuple(rest))


def _moves(part: Any) -> bool:
    return type(part) is Moving or (
        type(part) is slice and Moving in (type(part.start), type(part.stop), type(part.step))
    )


def _first(part: slice) -> Any:
    """Where a slice of one entry begins."""
    a, b = part.start, part.stop
    one = type(a) is Moving and type(b) is Moving and part.step is None and b == Moving(a.start + 1, a.step)
    return a if one and (a.start >= 0) == (b.start > 0) else None


def first_axis(axis: int, ndim: int) -> tuple[int, ...]:
    """The transposition that brings an axis to the front."""
    return (axis, *[a for a in range(ndim) if a != axis])


def moved_axis(axis: int, ndim: int) -> tuple[int, ...]:
    """The transposition that brings the first axis to another place."""
    rest = list(range(1, ndim))
    return (*rest[:axis], 0, *rest[axis:])


#: As the rules' own, which stand on another floor; what runs them goes by their names.
GETITEM = Primitive("getitem", lambda x, key, shape: x[key], view=True, flat=True)
TRANSPOSE = Primitive("transpose", lambda x, axes: np.transpose(x, axes), view=True, flat=True)
RESHAPE = Primitive("reshape", lambda x, shape, order, old: np.reshape(x, shape, order=order), view=True, flat=True)

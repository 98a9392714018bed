"""Statements that put entries together: joins, stacks, repetitions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .places import own, viewed
from .program import Value
from .writing import Unwritten, Writing


def join(w: Writing, i: int, value: Value) -> None:
    """`np.concatenate`."""
    joined(w, i, value, value.params["axis"] % len(value.shape), value.params["widths"])


def joined(w: Writing, i: int, value: Value, axis: int, widths: Sequence[int]) -> None:
    """A copy of each array into its part along an axis."""
    to = w.places[i] = own(i, value.shape)
    start = 0
    for a, width in zip(value.args, widths, strict=True):
        part = viewed(to, lambda x, s=start, w=width: x[(slice(None),) * axis + (slice(s, s + w),)])  # type: ignore[misc]
        if part is None or w.values[a].dtype != value.dtype:
            raise Unwritten
        if math.prod(part.shape):
            w.copy(i, part, w.place(a), part=True)
        start += width


def stack(w: Writing, i: int, value: Value) -> None:
    """Single values, one after another in one buffer."""
    stacked(w, i, value, 0)


def stacked(w: Writing, i: int, value: Value, axis: int) -> None:
    """A copy of each array to its place along a new axis."""
    to = w.places[i] = own(i, value.shape)
    for k, a in enumerate(value.args):
        part = viewed(to, lambda x, k=k: x[(slice(None),) * axis + (k, ...)])  # type: ignore[misc]
        if part is None or w.kinds[w.values[a].dtype] != w.kinds[value.dtype]:
            raise Unwritten
        w.copy(i, part, w.place(a), part=True)


def entry(w: Writing, i: int, value: Value) -> None:
    """One entry of a stack of a rolled loop."""
    found = viewed(w.place(value.args[0]), lambda x: x[value.params["at"], ...])
    if found is None or w.kinds[w.values[value.args[0]].dtype] != w.kinds[value.dtype]:
        raise Unwritten
    w.places[i] = found


def packed(w: Writing, i: int, value: Value) -> None:
    """Values that lie as they should already."""
    w.places[i] = w.place(value.args[0])


def repeat(w: Writing, i: int, value: Value) -> None:
    """`np.repeat` with one count for all."""
    counts, axis = value.params["counts"], value.params["axis"]
    source = w.place(value.args[0])
    times = int(counts[0])
    if not (counts == times).all() or not times or axis is None:
        raise Unwritten
    to = w.places[i] = own(i, value.shape)
    split = (*source.shape[: axis + 1], times, *source.shape[axis + 1 :])
    part = viewed(to, lambda x: x.reshape(split))
    given = viewed(source, lambda x: np.expand_dims(x, axis + 1))
    if part is None or given is None:
        raise Unwritten
    w.copy(i, part, given)

"""Copies of arrays that keep their memory layout, because NumPy decides by it what is a view and what a copy."""

from __future__ import annotations

from typing import Any

import numpy as np


def replica(array: np.ndarray) -> np.ndarray:
    """A copy of the caller's array; a broadcast one stays broadcast, and read-only as it was."""
    if array.flags.c_contiguous:
        return array.copy()  # by far the most usual
    if 0 in array.strides and array.size > 1:
        there = tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)
        return np.broadcast_to(np.array(array[there]), array.shape)
    copy: np.ndarray = laid_out_alike(array)
    return copy


def laid_out_alike(base: Any, values: Any = None) -> Any:
    """A copy to write to, in which a reshape is a view where it is one in the base, and a copy where it is a copy.

    Args:
        base: the array.
        values: what the copy holds; the base's own by default.
    """
    values = base if values is None else values
    out = np.array(values)
    if not isinstance(base, np.ndarray) or out.strides == base.strides or 0 in base.strides or base.size < 2:
        return out
    narrow = base.squeeze()
    order = sorted(range(narrow.ndim), key=lambda i: -abs(narrow.strides[i]))  # outer axes first
    shape = [narrow.shape[i] for i in order]
    steps = [abs(narrow.strides[i]) for i in order]
    inside = [*(n * step for n, step in zip(shape[1:], steps[1:], strict=True)), base.itemsize]
    # Where an axis doesn't follow on the next inner one in memory, leave a gap: one entry more than is used.
    gaps = [int(step != size) for step, size in zip(steps, inside, strict=True)]
    room: Any = np.empty([n + gap for n, gap in zip([*shape, 1], [0, *gaps], strict=True)], base.dtype)
    room = room[(*(slice(n) for n in shape), 0)].transpose(np.argsort(order))
    room = room[tuple(slice(None, None, -1 if step < 0 else 1) for step in narrow.strides)]
    room[...] = values.reshape(narrow.shape)
    return room.reshape(base.shape)

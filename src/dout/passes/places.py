"""Where the entries of a value lie in memory: views as strides, indices as computed places.

How a view lies is asked of NumPy itself: the operation runs on an array of the base's shape with entries of one byte, which
are never read or written, so that its strides are counts of entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .plan import Index, Read, contiguous


class Place(NamedTuple):
    """How a value lies in a buffer, in entries.

    Attributes:
        buffer: the number of the value whose buffer it is.
        offset: where its first entry is.
        shape: its shape.
        strides: by how much the place moves along each of its axes.
    """

    buffer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def is_contiguous(self) -> bool:
        """Whether the entries lie one after another, in C's order."""
        own = contiguous(self.shape)
        return all(a == b for a, b, n in zip(self.strides, own, self.shape, strict=True) if n > 1)


def own(value: int, shape: tuple[int, ...]) -> Place:
    """A value that fills a buffer of its own."""
    return Place(value, 0, shape, contiguous(shape))


def viewed(place: Place, view: Callable[[np.ndarray], Any]) -> Place | None:
    """What a function of NumPy's that views an array does to a place; None if it copies."""
    low = sum(min(0, s * (n - 1)) for s, n in zip(place.strides, place.shape, strict=True))
    high = sum(max(0, s * (n - 1)) for s, n in zip(place.strides, place.shape, strict=True))
    memory = np.empty(high - low + 1, np.int8)
    base = np.lib.stride_tricks.as_strided(memory[-low:], place.shape, place.strides)
    found = view(base)
    if not isinstance(found, np.ndarray) or found.dtype != np.int8 or not np.may_share_memory(found, memory):
        return None
    start = found.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return Place(place.buffer, place.offset + start, found.shape, found.strides)


def read(place: Place, domain: Sequence[int], live: Sequence[int]) -> Read:
    """A place's entries as they line up with a domain by broadcasting.

    Args:
        place: where they lie.
        domain: the whole shape that is gone over.
        live: its axes that have more than one place.
    """
    front = len(domain) - len(place.shape)
    strides = [place.strides[axis - front] if axis >= front and place.shape[axis - front] != 1 else 0 for axis in live]
    return Read(place.buffer, place.offset, tuple(strides))


class Selected(NamedTuple):
    """What an index of NumPy's selects from an array.

    Attributes:
        shape: the result's shape.
        offset: by how many entries it begins after the array's first.
        strides: along each axis of the result; 0 along those of the computed part.
        arrays: for each computed part, its number among the indices, the extent and the stride of the axis it names.
        first, ndim: which axes of the result are those of the computed indices, broadcast with one another.
    """

    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]
    arrays: tuple[tuple[int, int, int], ...]
    first: int
    ndim: int


def selected(key: Sequence[Any], shapes: Sequence[tuple[int, ...]], place: Place) -> Selected | None:
    """What an index with arrays of integers selects; None if it is of another kind.

    Args:
        key: NumPy's index, in which an `Ellipsis` may stand, and for each array of integers its number, as `Numbered`.
        shapes: the shapes of those arrays.
        place: what is read or written to.
    """
    consumed = sum(1 for k in key if k is not None and k is not Ellipsis)
    missing = len(place.shape) - consumed
    if missing < 0 or sum(k is Ellipsis for k in key) > 1:
        return None
    parts: list[Any] = []
    for k in key if any(k is Ellipsis for k in key) else [*key, Ellipsis]:
        parts += [slice(None)] * missing if k is Ellipsis else [k]
    computed = [j for j, k in enumerate(parts) if isinstance(k, Numbered | int)]
    if not computed or computed != list(range(computed[0], computed[-1] + 1)):
        return None  # NumPy puts the axes first if the arrays stand apart; such an index is left to NumPy
    broad = np.broadcast_shapes(*[shapes[k.number] for k in parts if isinstance(k, Numbered)])
    shape: list[int] = []
    strides: list[int] = []
    arrays: list[tuple[int, int, int]] = []
    offset, axis, first = 0, 0, -1
    for k in parts:
        if k is None:
            shape.append(1)
            strides.append(0)
            continue
        n, step = place.shape[axis], place.strides[axis]
        axis += 1
        if isinstance(k, slice):
            start, stop, by = k.indices(n)
            count = len(range(start, stop, by))
            shape.append(count)
            strides.append(by * step)
            offset += start * step if count else 0
            continue
        if first < 0:
            first = len(shape)
            shape += broad
            strides += [0] * len(broad)
        if isinstance(k, Numbered):
            arrays.append((k.number, n, step))
        elif -n <= k < n:
            offset += k % n * step
        else:
            return None
    return Selected(tuple(shape), place.offset + offset, tuple(strides), tuple(arrays), first, len(broad))


class Numbered(NamedTuple):
    """Stands in an index for the array of that number."""

    number: int


def gathered(place: Place, chosen: Selected, indices: Sequence[Place], live: Sequence[int]) -> Read:
    """The places that an index selects, over the result's axes with more than one place."""
    ends = chosen.first + chosen.ndim
    broad = chosen.shape[chosen.first : ends]
    offset, strides = chosen.offset, [chosen.strides[axis] for axis in live]
    found = []
    for number, extent, stride in chosen.arrays:
        inner = read(indices[number], broad, range(len(broad)))
        along = [inner.strides[axis - chosen.first] if chosen.first <= axis < ends else 0 for axis in live]
        if inner.value == EVEN:
            offset += inner.offset * stride
            strides = [a + step * stride for a, step in zip(strides, along, strict=True)]
        else:
            found.append(Index(Read(inner.value, inner.offset, tuple(along)), extent, stride))
    return Read(place.buffer, offset, tuple(strides), tuple(found))


#: Stands for the buffer of integers that are evenly spaced, which need none: as an offset and strides they are known.
EVEN = -1


def even(array: np.ndarray) -> Place | None:
    """Integers from 0 on that are evenly spaced along each axis, as `np.arange(n)`; None if they aren't."""
    if not array.size or array.min() < 0:
        return None
    first = int(array.flat[0])
    steps = [int(array[tuple(int(k == axis) for k in range(array.ndim))]) - first if n > 1 else 0
             for axis, n in enumerate(array.shape)]  # fmt: skip
    expected: Any = first
    for grid, step in zip(np.ogrid[tuple(slice(n) for n in array.shape)], steps, strict=True):
        expected = expected + grid * step
    return Place(EVEN, first, array.shape, tuple(steps)) if np.array_equal(array, expected) else None


def largest(place: Place) -> int:
    """The last place, or of even integers the largest."""
    return place.offset + sum(max(0, s * (n - 1)) for s, n in zip(place.strides, place.shape, strict=True))

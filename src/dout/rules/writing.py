"""NumPy functions that write into their first argument: put, place, putmask, copyto, fill_diagonal, put_along_axis.

Each is a write by index, `a[key] = values`, with NumPy's own way of repeating or shortening the values.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index

from ..graph import ndim_of, plain, shape_of, size_of
from .elementwise import where as choice
from .registry import implements
from .shaping import as_array

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _places(a: Array) -> Any:
    return np.arange(size_of(a)).reshape(shape_of(a))


def _write(a: Array, places: Any, values: Array) -> None:
    """Write to flat places, in order; the values are repeated as often as needed."""
    places = np.ravel(places)
    values = np.ravel(as_array(values))
    if not size_of(values) or not places.size:
        return
    a = a if ndim_of(a) else np.reshape(a, (1,))  # a view that has an axis
    n = size_of(values)
    values = values if n == places.size else values[np.arange(places.size) % n]
    a[places if ndim_of(a) == 1 else np.unravel_index(places, shape_of(a))] = values


@implements(np.put)
def _put(a: Array, ind: Any, v: Array, mode: str = "raise") -> None:
    _write(a, np.take(np.arange(size_of(a)), plain(ind), mode=mode), v)


@implements(np.place)
def _place(arr: Array, mask: Any, vals: Array) -> None:
    there = _places(arr)[np.asarray(plain(mask), bool).reshape(shape_of(arr))]
    if there.size and not size_of(vals):
        raise ValueError("Cannot insert from an empty array!")
    _write(arr, there, vals)


@implements(np.putmask)
def _putmask(a: Array, /, mask: Any, values: Array) -> None:
    """A value for each entry of `a`, of which those under the mask are written."""
    chosen = np.asarray(plain(mask), bool)
    if chosen.shape != shape_of(a):
        raise ValueError("putmask: mask and data must be the same size")
    values = as_array(values)
    if shape_of(values) == chosen.shape:
        a[...] = choice(chosen, values, a)
        return
    values = np.ravel(values)
    if size_of(values) == size_of(a):
        a[...] = choice(chosen, np.reshape(values, shape_of(a)), a)
    elif size_of(values):
        there = _places(a)[chosen]
        _write(a, there, values[there % size_of(values)])


@implements(np.copyto)
def _copyto(dst: Array, src: Array, casting: str = "same_kind", where: Any = True) -> None:
    there = plain(where)
    if not np.can_cast(as_array(src).dtype if ndim_of(src) else np.result_type(plain(src)), dst.dtype, casting):
        raise TypeError(f"Cannot cast array data from {as_array(src).dtype} to {dst.dtype} according to {casting!r}")
    if there is True:
        dst[...] = src
    else:
        there = there if shape_of(there) == shape_of(dst) else np.broadcast_to(there, shape_of(dst))
        dst[...] = choice(there, src, dst)


@implements(np.put_along_axis)
def _put_along_axis(arr: Array, indices: Any, values: Array, axis: int | None) -> None:
    places = np.asarray(plain(indices))
    if axis is None:
        _write(arr, np.take(np.arange(size_of(arr)), places.ravel()), np.broadcast_to(values, places.shape))
        return
    axis = normalize_axis_index(axis, ndim_of(arr))
    if places.ndim != ndim_of(arr):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    grid = np.ogrid[tuple(slice(n) for n in shape_of(arr))]
    arr[tuple(places if i == axis else g for i, g in enumerate(grid))] = values


@implements(np.fill_diagonal)
def _fill_diagonal(a: Array, val: Array, wrap: bool = False) -> None:
    shape = shape_of(a)
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(shape) == 2:
        step, end = shape[1] + 1, None if wrap else shape[1] * shape[1]
    else:
        if len(set(shape)) != 1:
            raise ValueError("All dimensions of input must be of equal length")
        step, end = 1 + int(np.sum(np.cumprod(shape[:-1]))), None
    _write(a, np.arange(size_of(a))[:end:step], val)

"""Rules of reading entries by any kind of index, and of writing them.

Writing is an operation like any other: `write(base, value, through=getitem, how={"key": key})` gives a new array in which
the entries that `through` would read from the base hold the value. `through` may be any operation that views its
input's memory, so `x[1:] = v`, `x.T[0] = v` and `np.diagonal` all write by this one rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..graph import Primitive
from .registry import flat, implements, primitive

Array = Any


def is_basic(key: Any) -> bool:
    """Whether an index reads a view: only integers, slices, None and Ellipsis."""
    entries = key if isinstance(key, tuple) else (key,)
    return all(
        e is None
        or e is Ellipsis
        or isinstance(e, slice)
        or (isinstance(e, int | np.integer) and not isinstance(e, bool))
        for e in entries
    )


def _scatter(dout: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """An array of zeros with dout added where `key` reads."""
    buffer = np.zeros(shape, np.result_type(dout))
    _add_at(buffer, dout, key, shape)
    return buffer


def _add_at(buffer: Array, dout: Array, key: Any, shape: tuple[int, ...]) -> None:
    if is_basic(key):
        buffer[key] += dout
    else:
        np.add.at(buffer, key, dout)  # an index may name an entry more than once


scatter = primitive("scatter", _scatter, lambda dout, _out, _x, key, shape: dout[key])
getitem = primitive(
    "getitem",
    lambda x, key, shape: x[key],
    lambda dout, _out, _x, key, shape: scatter(dout, key=key, shape=shape),
    view=True,
    add_into=_add_at,
)


def _write(base: Array, value: Array, through: Primitive, how: dict[str, Any]) -> Array:
    out = np.array(base)
    if through is getitem:
        out[how["key"]] = value
    else:
        through.forward(out, **how)[...] = value
    return out


write = primitive(
    "write",
    _write,
    lambda dout, _out, _base, _value, through, how: write(dout, 0, through=through, how=how),
    lambda dout, _out, _base, _value, through, how: through(dout, **how),
)


@implements(np.take)
def _take(a: Array, indices: Any, axis: int | None = None, mode: str = "raise") -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, np.ndim(a))
    size = np.shape(a)[axis]
    places = np.asarray(indices)
    if mode != "raise":
        places = places % size if mode == "wrap" else np.clip(places, 0, size - 1)
    return a[(slice(None),) * axis + (places,)]


@implements(np.take_along_axis)
def _take_along_axis(arr: Array, indices: Any, axis: int | None = -1) -> Array:
    if axis is None:
        return np.ravel(arr)[np.asarray(indices)]
    axis = normalize_axis_index(axis, np.ndim(arr))
    grid = np.ogrid[tuple(slice(n) for n in np.shape(indices))]
    return arr[tuple(np.asarray(indices) if i == axis else g for i, g in enumerate(grid))]


@implements(np.diagonal, np.linalg.diagonal)
def _diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    rows, columns = np.shape(a)[axis1], np.shape(a)[axis2]
    start = (max(-offset, 0), max(offset, 0))
    places = np.arange(max(min(rows - start[0], columns - start[1]), 0))
    return (
        np.moveaxis(a, (axis1, axis2), (0, 1))[places + start[0], places + start[1]].T
        if np.ndim(a) == 2
        else np.moveaxis(np.moveaxis(a, (axis1, axis2), (0, 1))[places + start[0], places + start[1]], 0, -1)
    )


@implements(np.diag)
def _diag(v: Array, k: int = 0) -> Array:
    if np.ndim(v) == 2:
        return np.diagonal(v, k)
    n = np.size(v) + abs(k)
    places = np.arange(np.size(v))
    return scatter(v, key=(places + max(-k, 0), places + max(k, 0)), shape=(n, n))


@implements(np.triu)
def _triu(m: Array, k: int = 0) -> Array:
    return np.where(np.tri(*np.shape(m)[-2:], k=k - 1, dtype=bool), 0, m)


@implements(np.tril)
def _tril(m: Array, k: int = 0) -> Array:
    return np.where(np.tri(*np.shape(m)[-2:], k=k, dtype=bool), m, 0)


@implements(np.sort)
def _sort(a: Array, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argsort(a, axis, kind=kind, stable=stable), axis)


flat(np.nonzero, np.flatnonzero, np.argwhere, np.argsort, np.searchsorted, np.digitize, np.lexsort)

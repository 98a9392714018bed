"""Rules of reading entries by any kind of index, and of writing them.

Writing is an operation like any other: `write(base, value, through=getitem, how={"key": key})` gives a new array in
which the entries that `through` would read from the base hold the value. `through` may be any operation that views its
input's memory, so `x[1:] = v`, `x.T[0] = v` and `np.ravel(x)[0] = v` all write by this one rule.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import Primitive, ndim_of, shape_of, size_of
from ..layout import laid_out_alike
from .elementwise import imag
from .quick import MANY
from .registry import flat, implements, primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


_BASIC = frozenset((int, slice, type(None), type(Ellipsis)))
_INTEGERS = (int, numpy.integer)


def is_basic(key: Any) -> bool:
    """Whether an index reads a view: only integers, slices, None and Ellipsis."""
    if type(key) in _BASIC:
        return True
    entries = key if isinstance(key, tuple) else (key,)
    return all(type(e) in _BASIC or (isinstance(e, _INTEGERS) and not isinstance(e, bool)) for e in entries)


def _is_mask(key: Any) -> bool:
    return isinstance(key, numpy.ndarray) and key.dtype == bool


def _quick_key(key: Any, shape: tuple[int, ...]) -> Any:
    """A large mask as the places of its entries, which are read and written three times as fast."""
    if type(key) is numpy.ndarray and key.dtype == bool and key.size > MANY and key.shape == shape[: key.ndim]:
        return key.nonzero()
    return key


def _scatter(dout: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """An array of zeros with dout added where `key` reads."""
    buffer = np.zeros(shape, np.result_type(dout))
    _add_at(buffer, dout, key, shape)
    return buffer


def _add_at(buffer: Array, dout: Array, key: Any, shape: tuple[int, ...]) -> None:
    if is_basic(key):
        buffer[key] += dout
    elif _is_mask(key) and key.ndim:
        buffer[key.nonzero()] += dout  # a mask names each entry once; by places it is quicker than by the mask
    elif isinstance(key, tuple) and len(shape) > 1 and 2 * size_of(dout) > buffer.size and buffer.flags.c_contiguous:
        places = np.arange(buffer.size).reshape(shape)[key]
        np.add.at(buffer.reshape(-1), places.ravel(), np.broadcast_to(dout, places.shape).ravel())
    else:
        np.add.at(buffer, key, dout)  # an index may name an entry more than once


scatter = primitive("scatter", _scatter, lambda dout, _out, _x, key, shape: dout[key])
getitem = primitive(
    "getitem",
    lambda x, key, shape: x[key if type(key) is not numpy.ndarray else _quick_key(key, shape)],
    lambda dout, _out, _x, key, shape: scatter(dout, key=key, shape=shape),
    view=True,
    add_into=_add_at,
    chooses=lambda params: type(params["key"]) is numpy.ndarray,
)


def _is_whole(through: Primitive, how: dict[str, Any]) -> bool:
    """Whether a write leaves nothing of what was there."""
    if through is not getitem:
        return False
    key = how["key"]
    return key is Ellipsis or (isinstance(key, slice) and key == slice(None))


def _write(base: Array, value: Array, through: Primitive, how: dict[str, Any]) -> Array:
    anew = _is_whole(through, how) and base.flags.c_contiguous
    out = np.empty(base.shape, base.dtype) if anew else laid_out_alike(base)
    if through is getitem:
        key = how["key"]
        out[_quick_key(key, out.shape) if np.ndim(value) == 0 else key] = value
        return out
    view = through.forward(out, **how)
    if np.may_share_memory(view, out):
        view[...] = value
    else:  # a reshape copies where the memory isn't laid out for it, as that of a dout may not be
        places = through.forward(np.arange(out.size).reshape(out.shape), **how)
        out.flat[places.ravel()] = np.broadcast_to(value, places.shape).ravel()
    return out


def _d_value(dout: Array, through: Primitive, how: dict[str, Any]) -> Array:
    """What the value's entries became; 0 for those that another entry of the same write overwrote."""
    read = through(dout, **how)
    if through is imag:
        return -read  # by the convention the derivative for z = x + iy is d/dx - i d/dy
    if through is not getitem or is_basic(how["key"]) or _is_mask(how["key"]):
        return read
    places = np.arange(size_of(dout)).reshape(shape_of(dout))[how["key"]]
    last = np.zeros(size_of(dout), int)
    last[places] = np.arange(size_of(places)).reshape(shape_of(places))
    stays = last[places] == np.arange(size_of(places)).reshape(shape_of(places))
    return read if np.all(stays) else np.where(stays, read, 0)


write: Primitive = primitive(
    "write",
    _write,
    lambda dout, _out, _base, _value, through, how: (
        None if _is_whole(through, how) else write(dout, 0, through=through, how=how)
    ),
    lambda dout, _out, _base, _value, through, how: _d_value(dout, through, how),
)


@implements(np.take)
def _take(a: Array, indices: Any, axis: int | None = None, mode: str = "raise") -> Array:
    if axis is None:
        a, axis = a if ndim_of(a) == 1 else np.ravel(a), 0
    axis = normalize_axis_index(axis, ndim_of(a))
    size = shape_of(a)[axis]
    places = indices if hasattr(indices, "shape") else np.asarray(indices)
    places = places.astype(int) if places.dtype == bool else places  # NumPy reads them as 0 and 1, not as a mask
    if mode == "wrap":
        places = places % size
    elif mode == "clip":
        places = np.clip(places, 0, size - 1)
    elif mode != "raise":
        raise ValueError(f"np.take: mode has to be 'raise', 'wrap' or 'clip', got {mode!r}")
    return a[(slice(None),) * axis + (places,)] if axis or not ndim_of(places) else a[places]


@implements(np.take_along_axis)
def _take_along_axis(arr: Array, indices: Any, axis: int | None = -1) -> Array:
    places = indices if hasattr(indices, "shape") else np.asarray(indices)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, ndim_of(arr))
    if places.ndim != ndim_of(arr):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    grid = np.ogrid[tuple(slice(n) for n in shape_of(arr))]
    return arr[tuple(places if i == axis else g for i, g in enumerate(grid))]


def _undiagonal(dout: Array, shape: tuple[int, ...], offset: int, axes: tuple[int, int]) -> Array:
    """An array of zeros with dout on its diagonals."""
    if type(dout) is numpy.ndarray:
        out = np.zeros(shape, dout.dtype)
        view = np.diagonal(out, offset, *axes)
        view.flags.writeable = True  # NumPy says that it may be so one day
        view[...] = dout
        return out
    rest = [i for i in range(len(shape)) if i not in axes]
    moved = tuple(shape[i] for i in (*axes, *rest))
    n = shape_of(dout)[-1]
    key = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    return np.moveaxis(scatter(np.moveaxis(dout, -1, 0), key=key, shape=moved), (0, 1), axes)


#: As in NumPy, a view that can't be written to, and that sees later writes to its base.
diagonal = primitive(
    "diagonal",
    lambda x, shape, offset, axes: np.diagonal(x, offset, *axes),
    lambda dout, _out, _x, shape, offset, axes: _undiagonal(dout, shape, offset, axes),
    view=True,
    read_only=True,
)


@implements(np.diagonal)
def _diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    axes = (0, 1) if (axis1, axis2) == (0, 1) and ndim_of(a) > 1 else normalize_axis_tuple((axis1, axis2), ndim_of(a))
    return diagonal(a, shape=shape_of(a), offset=offset, axes=axes)


@implements(np.linalg.diagonal)
def _linalg_diagonal(x: Array, /, *, offset: int = 0) -> Array:
    return np.diagonal(x, offset, -2, -1)


@implements(np.diag)
def _diag(v: Array, k: int = 0) -> Array:
    if ndim_of(v) == 2:
        return np.diagonal(v, k)
    if ndim_of(v) != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = shape_of(v)[0] + abs(k)
    places = np.arange(shape_of(v)[0])
    return scatter(v, key=(places + max(-k, 0), places + max(k, 0)), shape=(n, n))


@implements(np.triu)
def _triu(m: Array, k: int = 0) -> Array:
    return np.where(np.tri(*shape_of(m)[-2:], k=k - 1, dtype=bool), 0, m)


@implements(np.tril)
def _tril(m: Array, k: int = 0) -> Array:
    return np.where(np.tri(*shape_of(m)[-2:], k=k, dtype=bool), m, 0)


flat(np.nonzero, np.flatnonzero, np.argwhere, np.argsort, np.searchsorted, np.digitize, np.lexsort)

"""NumPy functions that choose, insert, drop and arrange entries, whatever their values: NumPy does it to their places.

Each array is replaced by the places of its entries in one long row of them all; NumPy's own function arranges the places; the
result is read from the row. So the rule is that of reading, and the function is as NumPy has it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import ndim_of, plain, shape_of, size_of
from .elementwise import to_dtype, where
from .registry import FUNCTIONS, flat, implements
from .shaping import as_array, broadcast_to, reshape
from .ufuncs import store

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


class _Row:
    """Arrays one after another; the places of what is entered, and the entries at places."""

    def __init__(self) -> None:
        self.parts: list[Array] = []
        self.size = 0

    def enter(self, a: Any) -> Any:
        a = as_array(a)
        places = np.arange(self.size, self.size + size_of(a)).reshape(shape_of(a))
        self.parts.append(a if ndim_of(a) == 1 else np.ravel(a))
        self.size += size_of(a)
        return places

    def read(self, places: Any, dtype: Any = None) -> Array:
        row = np.concatenate(self.parts) if len(self.parts) > 1 else self.parts[0]
        return (row if dtype is None else to_dtype(row, dtype))[places]


@implements(np.insert)
def _insert(arr: Array, obj: Any, values: Any, axis: int | None = None) -> Array:
    row = _Row()
    arr = as_array(arr)
    places = np.insert(row.enter(arr), plain(obj), row.enter(values), axis)
    return row.read(places, np.result_type(plain(arr)))


@implements(np.append)
def _append(arr: Array, values: Any, axis: int | None = None) -> Array:
    if axis is None:
        arr, values = (a if ndim_of(a) == 1 else np.ravel(a) for a in (as_array(arr), as_array(values)))
        axis = 0
    return np.concatenate([arr, values], axis)


def _of_one(function: Callable[..., Any], at: int = 0) -> Callable[..., Array]:
    """A function that arranges the entries of its argument number `at`; the others say how."""

    def run(*args: Any, **options: Any) -> Array:
        out = options.pop("out", None)
        row = _Row()
        given = [row.enter(a) if i == at else plain(a) for i, a in enumerate(args)]
        result = row.read(function(*given, **options))
        return result if out is None else store(result, out)

    return run


FUNCTIONS[np.delete] = _of_one(np.delete)
FUNCTIONS[np.extract] = _of_one(np.extract, at=1)
FUNCTIONS[np.rollaxis] = lambda a, axis, start=0: np.moveaxis(a, *_rolled(ndim_of(a), axis, start))


def _rolled(ndim: int, axis: int, start: int) -> tuple[int, int]:
    """np.rollaxis as a move."""
    axis = normalize_axis_index(axis, ndim)
    start = start + ndim if start < 0 else start
    if not 0 <= start <= ndim:
        raise np.exceptions.AxisError(f"'start' arg requires {-ndim} <= start < {ndim + 1}, but {start} was passed in")
    return axis, start - 1 if axis < start else start


@implements(np.resize)
def _resize(a: Array, new_shape: Any) -> Array:
    shape = tuple(np.atleast_1d(new_shape).tolist())
    row = np.ravel(as_array(a))
    size, have = int(np.prod(shape, dtype=int)), size_of(row)
    if not have or min(shape, default=0) < 0:
        return np.resize(plain(a), new_shape)  # zeros, or an error
    times = -(-size // have)
    if times > 8:
        return np.reshape(row[np.arange(size) % have], shape)
    return np.reshape(np.concatenate([row] * times)[:size] if times > 1 else np.copy(row[:size]), shape)


@implements(np.compress)
def _compress(condition: Any, a: Array, axis: int | None = None, out: Any = None) -> Array:
    row = _Row()
    result = row.read(np.compress(plain(condition), row.enter(a), axis))
    return result if out is None else store(result, out)


@implements(np.diagflat)
def _diagflat(v: Array, k: int = 0) -> Array:
    return np.diag(np.ravel(as_array(v)), k)


@implements(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(
    x: Array, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Array:
    if writeable:
        raise ValueError(
            "sliding_window_view of a Variable can't be written to: its windows are copies; leave writeable=True away"
        )
    x, widths = as_array(x), np.atleast_1d(window_shape).tolist()
    if size_of(x) < 1000 or not 0 < np.prod(widths) <= 32:
        row = _Row()
        return row.read(np.lib.stride_tricks.sliding_window_view(row.enter(x), window_shape, axis))
    np.lib.stride_tricks.sliding_window_view(  # raises as NumPy does
        np.broadcast_to(0, shape_of(x)), window_shape, axis
    )
    axes = range(ndim_of(x)) if axis is None else normalize_axis_tuple(axis, ndim_of(x), allow_duplicate=True)
    for along, width in zip(axes, widths, strict=True):  # the first entry of each window, the second, ...
        n = shape_of(x)[along] - width + 1
        entries = [x[(*(slice(None),) * along, slice(k, k + n))] for k in range(width)]
        x = np.moveaxis(np.stack(entries), 0, -1)
    return x


@implements(np.trim_zeros)
def _trim_zeros(filt: Array, trim: str = "fb", axis: Any = None) -> Array:
    here = np.asarray(plain(filt))
    axes = tuple(range(here.ndim)) if axis is None else normalize_axis_tuple(axis, here.ndim)
    keys = []
    for i in range(here.ndim):
        there = np.flatnonzero(np.any(here, axis=tuple(j for j in range(here.ndim) if j != i)))
        first, last = (there[0], there[-1] + 1) if len(there) else (0, 0)
        front, back = "f" in trim.lower() or not len(there), "b" in trim.lower() or not len(there)
        keys.append(slice(first if front else None, last if back else None) if i in axes else slice(None))
    if set(trim.lower()) - set("fb"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    return filt[tuple(keys)]


_FALSE = np.array(False)


@implements(np.block)
def _block(arrays: Any) -> Array:
    def outline(part: Any) -> Any:
        return [outline(p) for p in part] if isinstance(part, list) else part if type(part) is tuple else form_of(part)

    def form_of(part: Any) -> Any:
        shape = shape_of(part)
        return numpy.ndarray(shape, bool, _FALSE, 0, (0,) * len(shape))  # np.broadcast_to takes ten times as long

    ndim = np.block(outline(arrays)).ndim  # raises what NumPy raises
    depth, first = 0, arrays
    while isinstance(first, list):
        depth, first = depth + 1, first[0]

    def joined(part: Any, axis: int) -> Array:
        if isinstance(part, list):
            return np.concatenate([joined(p, axis + 1) for p in part], axis)
        part = as_array(part)
        missing = ndim - ndim_of(part)
        return np.reshape(part, (1,) * missing + tuple(shape_of(part))) if missing else part

    return joined(arrays, -depth) if depth else np.copy(joined(arrays, 0))


@implements(np.choose)
def _choose(a: Any, choices: Sequence[Array], out: Any = None, mode: str = "raise") -> Array:
    which, n = np.asarray(plain(a)), len(choices)
    if n == 2 and which.dtype.kind in "iub" and which.ndim and which.min(initial=0) >= 0 and which.max(initial=0) < 2:
        result = where(which == 1, as_array(choices[1]), as_array(choices[0]))
        return result if out is None else store(result, out)
    row = _Row()
    result = row.read(np.choose(which, [row.enter(c) for c in choices], mode=mode))
    return result if out is None else store(result, out)


def _is_mask(x: Any) -> bool:
    return type(x) is numpy.ndarray and x.dtype == bool and x.ndim > 0


@implements(np.select)
def _select(condlist: Sequence[Any], choicelist: Sequence[Array], default: Array = 0) -> Array:
    row = _Row()
    conditions = [plain(c) for c in condlist]
    if 0 < len(conditions) <= 8 and len(conditions) == len(choicelist) and all(map(_is_mask, conditions)):
        result = default
        for condition, choice in zip(reversed(conditions), reversed(choicelist), strict=True):
            result = where(condition, choice, result)
        return result
    places = np.select(conditions, [row.enter(c) for c in choicelist], row.enter(default))
    # A Python number as default doesn't widen the result, as in NumPy.
    kinds = [plain(c) if isinstance(plain(c), int | float | complex) else np.asarray(plain(c)) for c in choicelist]
    return row.read(places, np.result_type(*kinds, plain(default)))


@implements(np.piecewise)
def _piecewise(x: Array, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    conditions = plain(condlist) if not isinstance(condlist, list | tuple) else [plain(c) for c in condlist]
    if np.isscalar(conditions) or (
        not isinstance(conditions[0], list | numpy.ndarray) and not ndim_of(conditions[0]) and ndim_of(x)
    ):
        conditions = [conditions]
    masks = [c if hasattr(c, "_value") else np.asarray(c, dtype=bool) for c in conditions]
    if len(masks) == len(funclist) - 1:
        masks.append(~functools.reduce(np.logical_or, masks))
    elif len(masks) != len(funclist):
        n = len(masks)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    if ndim_of(x) == 0:
        chosen = [f for mask, f in zip(masks, funclist, strict=True) if mask]
        last = chosen[-1] if chosen else 0.0
        return last(x, *args, **kw) if callable(last) else x * 0 + last
    y = np.zeros_like(x)
    for mask, f in zip(masks, funclist, strict=True):
        if not callable(f):
            y[mask] = f
        elif np.any(mask):
            y[mask] = f(x[mask], *args, **kw)
    return y


@implements(np.unique)
def _unique(
    ar: Array, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    _, index, *others = np.unique(
        plain(ar), True, return_inverse, return_counts, axis, equal_nan=equal_nan, sorted=sorted
    )
    values = np.ravel(ar)[index] if axis is None else np.take(ar, index, axis)
    given = ([index] if return_index else []) + others
    return (values, *given) if given else values


implements(np.unique_values)(lambda x: np.unique(x, equal_nan=False))


def _unique_named(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Array) -> Any:
        found = function(plain(x))
        first = np.unique(plain(x), True, equal_nan=False)[1]
        return type(found)(np.ravel(x)[first], *found[1:])

    return run


for _function in (np.unique_all, np.unique_counts, np.unique_inverse):
    implements(_function)(_unique_named(_function))


@implements(np.union1d)
def _union1d(ar1: Array, ar2: Array) -> Array:
    return np.unique(np.concatenate([np.ravel(as_array(ar1)), np.ravel(as_array(ar2))]))


@implements(np.intersect1d)
def _intersect1d(ar1: Array, ar2: Array, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The common values, as entries of the first."""
    _, first, second = np.intersect1d(plain(ar1), plain(ar2), assume_unique, return_indices=True)
    values = np.ravel(as_array(ar1))[first]
    return (values, first, second) if return_indices else values


@implements(np.setdiff1d)
def _setdiff1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    row = np.ravel(as_array(ar1)) if assume_unique else np.unique(as_array(ar1))
    return row[np.isin(plain(row), plain(ar2), assume_unique=True, invert=True)]


@implements(np.setxor1d)
def _setxor1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    rows = [np.ravel(as_array(a)) if assume_unique else np.unique(as_array(a)) for a in (ar1, ar2)]
    joined = np.sort(np.concatenate(rows))
    here = plain(joined)
    changes = np.concatenate([[True], here[1:] != here[:-1], [True]])
    return joined[changes[1:] & changes[:-1]]


@implements(np.meshgrid)
def _meshgrid(*xi: Array, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))  # each one's axis
    sizes = [size_of(x) for x in xi]
    whole = [0] * n
    grids = []
    for x, place, size in zip(xi, places, sizes, strict=True):
        whole[place] = size
        x = as_array(x)
        grids.append(reshape(x, shape=(1,) * place + (size,) + (1,) * (n - 1 - place), order="C", old=shape_of(x)))
    if not sparse:
        grids = [broadcast_to(g, shape=tuple(whole)) for g in grids]
    return tuple(np.copy(g) for g in grids) if copy else tuple(grids)


@implements(np.apply_along_axis)
def _apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Array, *args: Any, **kwargs: Any) -> Array:
    """A loop in Python, as in NumPy."""
    arr = as_array(arr)
    axis = normalize_axis_index(axis, ndim_of(arr))
    rows = np.moveaxis(arr, axis, -1)
    outer = shape_of(rows)[:-1]
    if not np.prod(outer, dtype=int):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    found = [as_array(func1d(rows[place], *args, **kwargs)) for place in np.ndindex(*outer)]
    inner = shape_of(found[0])
    result = np.reshape(np.stack(found), (*outer, *inner))
    back = range(len(outer), len(outer) + len(inner))
    return np.moveaxis(result, tuple(back), tuple(range(axis, axis + len(inner))))


@implements(np.apply_over_axes)
def _apply_over_axes(func: Callable[..., Any], a: Array, axes: Any) -> Array:
    ndim = ndim_of(a)
    for axis in np.atleast_1d(axes).tolist():
        axis = axis + ndim if axis < 0 else axis
        found = func(a, axis)
        a = found if ndim_of(found) == ndim_of(a) else np.expand_dims(found, axis)
        if ndim_of(a) != ndim:
            raise ValueError("function is not returning an array of the correct shape")
    return a


flat(np.isin)

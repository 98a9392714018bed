"""Rules of what depends on order: sort, partition, median, quantile and percentile, and those that skip NaN.

Each quantile is a weighted mean of two neighbours in sorted order. NumPy finds the value; where the neighbours stand, and
with which weights, is found by asking NumPy for the same quantile of the ranks. So all of NumPy's thirteen methods,
and the weighted quantile, need no formulas here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import ndim_of, plain, shape_of, size_of
from .indexing import scatter
from .registry import flat, implements, primitive
from .ufuncs import store

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any
Axis = int | Sequence[int] | None


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """The reduced axes as one, the last."""
    rest = [i for i in range(x.ndim) if i not in axes]
    width = int(np.prod([x.shape[i] for i in axes], dtype=int))
    return x.transpose([*rest, *axes]).reshape([*(x.shape[i] for i in rest), width])


def _neighbours(x: Any, run: Callable[..., Any], axes: tuple[int, ...]) -> tuple[Any, Any, Any, Any]:
    """For each quantile, its lower and upper neighbour and the weight of the upper one.

    Returns:
        (places, lower, upper, weight): `places` are the flat places in x of each row's entries, in sorted order; `lower` and
        `upper` are places in that order; the weight is NaN where the quantile is.
    """
    rows = _rows(x, axes)
    order = np.argsort(rows, axis=-1)
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(float(rows.shape[-1])), rows.shape), -1)
    ranks[np.isnan(rows)] = np.nan
    places = np.take_along_axis(_rows(np.arange(x.size).reshape(x.shape), axes), order, -1)
    back = [i for i in range(x.ndim) if i not in axes] + list(axes)
    spread = ranks.reshape([x.shape[i] for i in back]).transpose(np.argsort(back))
    with np.errstate(invalid="ignore"):
        position = np.asarray(run(spread))
    known = np.where(np.isnan(position), 0, position)
    lower = np.floor(known).astype(int)
    return places, lower, np.ceil(known).astype(int), position - lower


def _d_quantile_of_a_row(dout: Any, x: Any, run: Callable[..., Any]) -> Any:
    """`_d_quantile` of plain arrays with one axis, without the detours for more."""
    order = x.argsort()
    ranks = np.empty(x.shape)
    ranks[order] = np.arange(float(x.size))
    ranks[x != x] = np.nan
    with np.errstate(invalid="ignore"):
        position = np.asarray(run(ranks))
    lower = np.floor(np.where(position == position, position, 0)).astype(int)
    upper = np.ceil(np.where(position == position, position, 0)).astype(int)
    weight = (position - lower).astype(np.result_type(dout), copy=False)
    found = np.zeros(x.shape, weight.dtype)
    np.add.at(found, order[lower], dout * (1 - weight))
    np.add.at(found, order[upper], dout * weight)
    return found


def _d_quantile(dout: Array, x: Any, run: Callable[..., Any], axes: tuple[int, ...]) -> Array:
    if not size_of(x):
        return np.zeros(shape_of(x))  # an empty row has NaN for a median, and nothing that it depends on
    if type(x) is numpy.ndarray and x.ndim == 1 and isinstance(dout, numpy.ndarray | numpy.floating):
        return _d_quantile_of_a_row(dout, x, run)
    places, lower, upper, weight = _neighbours(np.asarray(plain(x)), run, axes)
    row = np.arange(int(np.prod(places.shape[:-1], dtype=int))).reshape(places.shape[:-1])
    places = places.reshape(-1, places.shape[-1])
    shape = shape_of(x)
    dout = np.reshape(dout, lower.shape)
    result = 0
    for where, share in ((lower, 1 - weight), (upper, weight)):
        at = places[np.broadcast_to(row, where.shape), where]
        part = np.reshape(dout * share.astype(np.result_type(plain(dout)), copy=False), (-1,))
        result = result + scatter(part, key=(at.ravel(),), shape=(int(np.prod(shape, dtype=int)),))
    return np.reshape(result, shape)


#: `run` is NumPy's function with everything but the array filled in, without keepdims; it may have some axes ahead.
quantile = primitive(
    "quantile",
    lambda x, run, axes: run(x),
    lambda dout, _out, x, run, axes: _d_quantile(dout, x, run, axes),
)


def _reduced(function: Callable[..., Any], a: Array, axis: Axis, out: Any, keepdims: bool, **options: Any) -> Array:
    if not hasattr(a, "shape"):
        a = np.asarray(a)
    axes = tuple(range(ndim_of(a))) if axis is None else tuple(sorted(normalize_axis_tuple(axis, ndim_of(a))))

    def run(x: Any, ahead: int = 0) -> Any:
        return function(x, axis=None if axis is None and not ahead else tuple([i + ahead for i in axes]), **options)

    result = quantile(a, run=run, axes=axes)
    if keepdims:
        lead = shape_of(result)[: ndim_of(options.get("q", 0))]
        result = np.reshape(result, (*lead, *(1 if i in axes else n for i, n in enumerate(shape_of(a)))))
    return result if out is None else store(result, out)


def _middle(function: Callable[..., Any]) -> Callable[..., Array]:
    def run(
        a: Array, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
    ) -> Array:
        return _reduced(function, a, axis, out, bool(keepdims) and keepdims is not np._NoValue)

    return run


def _quantile_of(function: Callable[..., Any]) -> Callable[..., Array]:
    name = f"np.{function.__name__}"

    def run(
        a: Array, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: bool = False, *, weights: Any = None, interpolation: Any = None,
    ) -> Array:  # fmt: skip
        if hasattr(type(q), "__dout_record__"):
            raise TypeError(f"{name}: q has no derivative in dout; give its plain value, dout.stop_gradient(q)")
        if interpolation is not None:
            raise TypeError(f"{name}: NumPy calls interpolation= method= now")
        options = {"q": q, "method": method}
        if weights is not None:
            options["weights"] = plain(weights)  # they only choose between entries: their derivative is zero
        return _reduced(function, a, axis, out, bool(keepdims) and keepdims is not np._NoValue, **options)

    return run


for _function in (np.median, np.nanmedian):
    implements(_function)(_middle(_function))
for _function in (np.quantile, np.percentile, np.nanquantile, np.nanpercentile):
    implements(_function)(_quantile_of(_function))


@implements(np.sort)
def _sort(a: Array, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Array:
    if order is not None:
        raise ValueError("np.sort: order= names fields, and an array of numbers has none")
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argsort(a, axis, kind=kind, stable=stable), axis)


@implements(np.partition)
def _partition(a: Array, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Array:
    if order is not None:
        raise ValueError("np.partition: order= names fields, and an array of numbers has none")
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, ndim_of(a))
    # How NumPy arranges each part is its own affair, and differs between partition and argpartition.
    here, there = np.argsort(plain(a), axis), np.argsort(np.partition(plain(a), kth, axis, kind), axis)
    places = np.empty_like(here)
    np.put_along_axis(places, there, here, axis)
    return np.take_along_axis(a, places, axis)


@implements(np.sort_complex)
def _sort_complex(a: Array) -> Array:
    return np.sort(a) * (1 + 0j)


flat(np.argpartition)

"""Averages, covariances, histograms, and the reductions that skip NaN."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import ndim_of, plain, shape_of, size_of
from .indexing import scatter
from .registry import FUNCTIONS, flat, implements
from .shaping import as_array
from .ufuncs import store

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any
Axis = int | Sequence[int] | None
_NO = np._NoValue


def _is_variable(x: Any) -> bool:
    return hasattr(type(x), "__dout_record__")


@implements(np.average)
def _average(
    a: Array, axis: Axis = None, weights: Array = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    a = as_array(a)
    axes = None if axis is None else normalize_axis_tuple(axis, ndim_of(a))
    keepdims = keepdims is not _NO and bool(keepdims)
    if weights is None:
        mean = np.mean(a, axes, keepdims=keepdims)
        total = size_of(a) / max(size_of(mean), 1) if size_of(mean) else 0
        total = np.result_type(plain(mean)).type(total)
    else:
        weights = _weights_for(a, axes, as_array(weights))
        kind = np.result_type(a.dtype, weights.dtype, *([np.float64] if a.dtype.kind in "iub" else []))
        total = np.sum(weights, axes, kind, keepdims=keepdims)
        if np.any(total == 0.0):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        mean = np.sum(np.multiply(a, weights, dtype=kind), axes, keepdims=keepdims) / total
    if not returned:
        return mean
    if shape_of(total) != shape_of(mean):
        total = np.copy(np.broadcast_to(total, shape_of(mean)))
    return mean, total


def _weights_for(a: Array, axes: tuple[int, ...] | None, weights: Array) -> Array:
    """Weights in a's shape, or ready to be broadcast to it."""
    if shape_of(a) == shape_of(weights):
        return weights
    if axes is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    if shape_of(weights) != tuple(shape_of(a)[i] for i in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    weights = np.transpose(weights, np.argsort(axes))
    return np.reshape(weights, tuple(n if i in axes else 1 for i, n in enumerate(shape_of(a))))


@implements(np.cov)
def _cov(
    m: Array, y: Array = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Array = None, *, dtype: Any = None,
) -> Array:  # fmt: skip
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    m = as_array(m)
    if ndim_of(m) > 2:
        raise ValueError("m has more than 2 dimensions")
    x = np.atleast_2d(m)
    if not rowvar and ndim_of(m) != 1:
        x = x.T
    if shape_of(x)[0] == 0:
        return np.zeros((0, 0))
    if y is not None:
        y = as_array(y)
        if ndim_of(y) > 2:
            raise ValueError("y has more than 2 dimensions")
        y = np.atleast_2d(y)
        x = np.concatenate([x, y.T if not rowvar and shape_of(y)[0] != 1 else y], 0)
    kind = np.result_type(x.dtype, np.float64) if dtype is None else np.dtype(dtype)
    x = x.astype(kind)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = _observation_weights(fweights, aweights, shape_of(x)[1])
    mean, total = np.average(x, 1, weights, returned=True)
    total = total[0]
    if weights is None:
        count: Any = shape_of(x)[1] - ddof
    elif ddof == 0:
        count = total
    else:
        count = total - (ddof if aweights is None else ddof * np.sum(weights * as_array(aweights)) / total)
    if plain(count) <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=5)
        count = 0.0
    apart = x - mean[:, None]
    other = apart if weights is None else apart * weights
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.squeeze(np.dot(apart, np.conj(other.T)) * np.true_divide(1, count))


def _observation_weights(fweights: Any, aweights: Array, n: int) -> Array:
    """How often each observation counts, times its importance; None if neither is given."""
    found = None
    for given, name in ((fweights, "fweights"), (aweights, "aweights")):
        if given is None:
            continue
        given = as_array(given)
        if name == "fweights" and not np.all(plain(given) == np.around(plain(given))):
            raise TypeError("fweights must be integer")
        if ndim_of(given) > 1:
            raise RuntimeError(f"cannot handle multidimensional {name}")
        if shape_of(given)[0] != n:
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        if np.any(plain(given) < 0):
            raise ValueError(f"{name} cannot be negative")
        given = given * 1.0
        found = given if found is None else found * given
    return found


@implements(np.corrcoef)
def _corrcoef(x: Array, y: Array = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if ndim_of(c) == 0:
        return c / c
    spread = np.sqrt(np.real(np.diag(c)))
    c = c / spread[:, None] / spread[None, :]
    # Rounding may leave the range by a little; what NumPy cuts off there is no real bound.
    cut = plain(np.clip(np.real(plain(c)), -1, 1))
    if np.iscomplexobj(c):
        return c + (cut + 1j * np.clip(np.imag(plain(c)), -1, 1) - plain(c))
    return c + (cut - plain(c))


@implements(np.bincount)
def _bincount(x: Any, /, weights: Array = None, minlength: int = 0) -> Array:
    places = plain(x)
    if weights is None or not _is_variable(weights):
        return np.bincount(places, weights, minlength)
    if shape_of(weights) != np.shape(places):
        raise ValueError("The weights and list don't have the same length.")
    length = len(np.bincount(places, minlength=minlength))
    return scatter(weights, key=(np.asarray(places),), shape=(length,))


def _histogram(places: Sequence[Any], edges: Sequence[Any], weights: Array, density: bool | None) -> Array:
    """The weights that fall into each bin; of the bins, only the last holds its upper edge.

    Args:
        places: for each axis, the coordinates.
        edges: for each axis, the bins' edges.
    """
    inside = np.ones(np.shape(places[0]), bool)
    keys = []
    for x, side in zip(places, edges, strict=True):
        key = np.searchsorted(side, x, "right") - 1
        key = np.where(x == side[-1], len(side) - 2, key)
        inside &= (key >= 0) & (key < len(side) - 1)
        keys.append(key)
    shape = tuple(len(side) - 1 for side in edges)
    counts = scatter(weights[inside], key=tuple(key[inside] for key in keys), shape=shape)
    if not density:
        return counts
    volume: Any = 1.0
    for i, side in enumerate(edges):
        volume = volume * np.diff(side).reshape([-1 if j == i else 1 for j in range(len(edges))])
    return counts / volume / np.sum(counts)


@implements(np.histogram)
def _histogram1d(a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Array = None) -> Any:
    """The counts are constant between jumps; only the weights have a derivative."""
    here, bins, range = plain(a), plain(bins), _plain_all(range)
    if not _is_variable(weights):
        return np.histogram(here, bins, range, density, weights)
    edges = np.histogram(here, bins, range, weights=plain(weights))[1]
    return _histogram([np.ravel(here)], [edges], np.ravel(weights), density), edges


@implements(np.histogramdd)
def _histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Array = None
) -> Any:
    here, bins, range = _plain_all(sample), _plain_all(bins), _plain_all(range)
    if not _is_variable(weights):
        return np.histogramdd(here, bins, range, density, weights)
    edges = np.histogramdd(here, bins, range, weights=plain(weights))[1]
    columns = list(np.atleast_2d(here).T if hasattr(here, "shape") else map(np.asarray, here))
    return _histogram(columns, edges, weights, density), edges


@implements(np.histogram2d)
def _histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Array = None
) -> Any:
    here, bins, range = [np.asarray(plain(x)), np.asarray(plain(y))], _plain_all(bins), _plain_all(range)
    if not _is_variable(weights):
        return np.histogram2d(*here, bins, range, density, weights)
    first, second = np.histogram2d(*here, bins, range, weights=plain(weights))[1:]
    return _histogram(here, [first, second], weights, density), first, second


def _plain_all(value: Any) -> Any:
    return type(value)(map(_plain_all, value)) if type(value) in (list, tuple) else plain(value)


# Reductions that skip NaN: it is replaced by what doesn't count, and the derivative there is 0.


def _filled(a: Array, filling: float) -> Any:
    """The array with NaN replaced, and where that was."""
    a = as_array(a)
    holes = np.isnan(plain(a))
    return (np.where(holes, filling, a) if np.any(holes) else a), holes


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not _NO}


def _skipping(function: Callable[..., Any], filling: float) -> Callable[..., Array]:
    def run(a: Array, *args: Any, **options: Any) -> Array:
        return function(_filled(a, filling)[0], *args, **_given(options))

    return run


FUNCTIONS[np.nansum] = _skipping(np.sum, 0)
FUNCTIONS[np.nanprod] = _skipping(np.prod, 1)
FUNCTIONS[np.nancumsum] = _skipping(np.cumsum, 0)
FUNCTIONS[np.nancumprod] = _skipping(np.cumprod, 1)


def _skipping_extreme(function: Callable[..., Any], filling: float) -> Callable[..., Array]:
    def run(a: Array, axis: Axis = None, out: Any = None, keepdims: Any = False, **options: Any) -> Array:
        filled, holes = _filled(a, filling)
        given = {"keepdims": keepdims is not _NO and bool(keepdims), **_given(options)}
        result = function(filled, axis, **given)
        given.pop("initial", None)
        none = np.all(holes, axis, **given)
        if np.any(none) and "initial" not in options:
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=4)
            result = np.where(none, np.nan, result)[()]
        return result if out is None else store(result, out)

    return run


FUNCTIONS[np.nanmax] = _skipping_extreme(np.max, -np.inf)
FUNCTIONS[np.nanmin] = _skipping_extreme(np.min, np.inf)


@implements(np.nanmean)
def _nanmean(
    a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Array:  # fmt: skip
    given = _given({"axis": axis, "keepdims": keepdims, "where": where})
    filled, holes = _filled(a, 0)
    count = np.sum(~holes, dtype=np.intp, **given)
    if np.any(count == 0):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=4)
    return _over(np.sum(filled, dtype=dtype, **given), count, out)


def _over(total: Array, count: Any, out: Any) -> Array:
    """A sum over a count, NaN with no derivative where that is none, in the sum's dtype."""
    kind = np.result_type(plain(total))
    none = count <= 0
    result = (total / np.where(none, 1, count)).astype(kind)
    result = np.where(none, np.nan, result)[()] if np.any(none) else result
    return result if out is None else store(result, out)


@implements(np.nanvar)
def _nanvar(
    a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = _NO, correction: Any = _NO,
) -> Array:  # fmt: skip
    filled, holes = _filled(a, 0)
    mean, correction = (None if given is _NO else given for given in (mean, correction))
    where, keepdims = True if where is _NO else where, keepdims is not _NO and bool(keepdims)
    if not np.any(holes):
        return np.var(filled, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    if correction is not None:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    counted = ~holes if where is True else ~holes & plain(where)
    if mean is None:
        mean = np.sum(filled, axis, dtype, keepdims=True, where=counted) / np.maximum(
            np.sum(counted, axis, keepdims=True), 1
        )
    apart = np.where(counted, filled - mean, 0)
    squares = np.real(apart * np.conj(apart)) if np.iscomplexobj(apart) else apart * apart
    left = np.sum(np.broadcast_to(counted, shape_of(filled)), axis, keepdims=keepdims) - ddof
    if np.any(left <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=4)
    total = np.sum(squares, axis, dtype, keepdims=keepdims)
    if dtype is None:
        total = total.astype(np.real(np.zeros(0, filled.dtype)).dtype)
    return _over(total, left, out)


@implements(np.nanstd)
def _nanstd(a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, *args: Any, **options: Any) -> Array:
    """As np.std, 0 has the derivative 0."""
    spread = np.nanvar(a, axis, dtype, None, *args, **options)
    none = spread == 0
    root = np.where(none, 0, np.sqrt(np.where(none, 1, spread)))[()] if np.any(none) else np.sqrt(spread)
    return root if out is None else store(root, out)


flat(np.nanargmax, np.nanargmin, np.histogram_bin_edges)

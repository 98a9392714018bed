"""Differences, gradients, running sums, interpolation and convolution: NumPy functions in terms of those with rules."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import ndim_of, plain, shape_of
from .bessel import i1
from .elementwise import to_dtype
from .registry import FUNCTIONS, implements, primitive
from .shaping import as_array
from .ufuncs import store

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _along(axis: int, start: int | None, stop: int | None = None, step: int | None = None) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop, step))


@implements(np.diff)
def _diff(a: Array, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Array:
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    a = as_array(a)
    if ndim_of(a) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = normalize_axis_index(axis, ndim_of(a))
    ends = []
    for end in (prepend, append):
        end = None if end is np._NoValue else as_array(end)
        if end is not None and ndim_of(end) == 0:
            end = np.broadcast_to(end, tuple(1 if i == axis else k for i, k in enumerate(shape_of(a))))
        ends.append(end)
    given = [part for part in (ends[0], a, ends[1]) if part is not None]
    a = np.concatenate(given, axis) if len(given) > 1 else a
    for _ in range(n):
        a = a[_along(axis, 1)] - a[_along(axis, None, -1)]
    return a


@implements(np.ediff1d)
def _ediff1d(ary: Array, to_end: Any = None, to_begin: Any = None) -> Array:
    row = np.ravel(as_array(ary))
    steps = row[1:] - row[:-1]
    joined = []
    for part, name in ((to_begin, "to_begin"), (steps, "ary"), (to_end, "to_end")):
        if part is None:
            continue
        joined.append(np.ravel(as_array(part)))
        if not np.can_cast(joined[-1].dtype, row.dtype, "same_kind"):
            raise TypeError(f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule.")
    return to_dtype(np.concatenate(joined), np.result_type(plain(row))) if len(joined) > 1 else steps


@implements(np.trapezoid)
def _trapezoid(y: Array, x: Array = None, dx: Any = 1.0, axis: int = -1) -> Array:
    y = as_array(y)
    axis = normalize_axis_index(axis, ndim_of(y))
    if x is not None:
        x = as_array(x)
        dx = np.diff(x) if ndim_of(x) == 1 else np.diff(x, axis=axis)
        if ndim_of(x) == 1:
            dx = np.reshape(dx, tuple(-1 if i == axis else 1 for i in range(ndim_of(y))))
    return np.sum(dx * (y[_along(axis, 1)] + y[_along(axis, None, -1)]) / 2.0, axis)


@implements(np.gradient)
def _gradient(f: Array, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = as_array(f)
    ndim = ndim_of(f)
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError("invalid number of arguments")
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    if len(varargs) == 1 and len(axes) > 1 and ndim_of(varargs[0]):
        raise TypeError("invalid number of arguments")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    found = [_slope(f, _spacing(h, shape_of(f)[i]), i, edge_order) for h, i in zip(spacings, axes, strict=True)]
    if not axes:
        return ()
    return found[0] if len(axes) == 1 else tuple(found)


def _spacing(h: Any, n: int) -> Array:
    """One step, or the steps between coordinates; equal steps count as one."""
    h = as_array(h)
    if ndim_of(h) == 0:
        return h
    if ndim_of(h) != 1:
        raise ValueError("distances must be either scalars or 1d")
    if len(h) != n:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    steps = np.diff(h)
    known = isinstance(h, numpy.ndarray)  # the steps of a Variable may come apart when it moves
    return steps[0] if known and len(steps) and (steps == steps[0]).all() else steps


def _slope(f: Array, h: Array, axis: int, edge_order: int) -> Array:
    """Central differences of second order within, one-sided ones at the ends (Fornberg 1988)."""
    n = shape_of(f)[axis]
    if n < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required."
        )
    f = np.moveaxis(f, axis, -1)
    if ndim_of(h) == 0:
        inner = (f[..., 2:] - f[..., :-2]) / (2.0 * h)
        first, last = (f[..., 1] - f[..., 0]) / h, (f[..., -1] - f[..., -2]) / h
        if edge_order == 2:
            first = -1.5 / h * f[..., 0] + 2.0 / h * f[..., 1] + -0.5 / h * f[..., 2]
            last = 0.5 / h * f[..., -3] + -2.0 / h * f[..., -2] + 1.5 / h * f[..., -1]
    else:
        before, after = h[:-1], h[1:]
        a = -(after) / (before * (before + after))
        b = (after - before) / (before * after)
        c = before / (after * (before + after))
        inner = a * f[..., :-2] + b * f[..., 1:-1] + c * f[..., 2:]
        first, last = (f[..., 1] - f[..., 0]) / h[0], (f[..., -1] - f[..., -2]) / h[-1]
        if edge_order == 2:
            p, q = h[0], h[1]
            first = (
                (-(2.0 * p + q) / (p * (p + q))) * f[..., 0]
                + (p + q) / (p * q) * f[..., 1]
                + (-p / (q * (p + q))) * f[..., 2]
            )
            p, q = h[-2], h[-1]
            last = (
                q / (p * (p + q)) * f[..., -3]
                + (-(q + p) / (p * q)) * f[..., -2]
                + ((2.0 * q + p) / (q * (p + q))) * f[..., -1]
            )
    whole = np.concatenate([first[..., None], inner, last[..., None]], -1)
    return np.moveaxis(to_dtype(whole, np.result_type(plain(f))), -1, axis)


def _cumulative(run: Callable[..., Array], unit: float) -> Callable[..., Array]:
    def cumulative(
        x: Array, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Array:
        x = as_array(x)
        if ndim_of(x) == 0:
            raise ValueError("Your input is 0-d, and the cumulative reductions need one axis or more")
        if axis is None:
            if ndim_of(x) >= 2:
                raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
            axis = 0
        axis = normalize_axis_index(axis, ndim_of(x))
        result = run(x, axis, dtype)
        if include_initial:
            shape = tuple(1 if i == axis else n for i, n in enumerate(shape_of(x)))
            result = np.concatenate([np.full(shape, unit, np.result_type(plain(result))), result], axis)
        return result if out is None else store(result, out)

    return cumulative


FUNCTIONS[np.cumulative_sum] = _cumulative(np.cumsum, 0.0)
FUNCTIONS[np.cumulative_prod] = _cumulative(np.cumprod, 1.0)


@implements(np.unwrap)
def _unwrap(p: Array, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Array:
    """The jumps are whole periods, and have no derivative."""
    return p + (np.unwrap(plain(p), plain(discont), axis, period=plain(period)) - plain(p))


@implements(np.interp)
def _interp(x: Array, xp: Array, fp: Array, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """Linear between two neighbours; constant beyond the ends. At a point, the derivative is that of the piece after it."""
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    if ndim_of(xp) != 1 or ndim_of(fp) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length.")
    if not len(xp):
        raise ValueError("array of sample points is empty")
    if period is not None:
        if plain(period) == 0:
            raise ValueError("period must be a non-zero value")
        period, left, right = np.abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(plain(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    here, points = (as_array(plain(v)).astype(float) for v in (x, xp))
    last = len(points) - 1
    i = np.clip(np.searchsorted(points, here, "right") - 1, 0, max(last - 1, 0))
    inside = (here >= points[0]) & (here < points[-1])
    # Computed inside only, so that nothing outside, a NaN or an infinity, gets into the derivative.
    at = np.where(inside, x, points[i])
    j = np.minimum(i + 1, last)
    width = np.where(points[j] == points[i], 1.0, xp[j] - xp[i])
    result = (fp[j] - fp[i]) / width * (at - xp[i]) + fp[i]
    low, high = fp[0] if left is None else left, fp[-1] if right is None else right
    result = np.where(here < points[0], low, np.where(here > points[-1], high, result))
    result = np.where(here == points[-1], fp[-1], result)
    return np.where(np.isnan(here), x, result)[()]


@implements(np.convolve)
def _convolve(a: Array, v: Array, mode: str = "full") -> Array:
    a, v = np.atleast_1d(as_array(a)), np.atleast_1d(as_array(v))
    if ndim_of(a) > 1 or ndim_of(v) > 1:
        raise ValueError("object too deep for desired array")
    if len(v) > len(a):
        a, v = v, a
    if not len(a):
        raise ValueError("a cannot be empty")
    if not len(v):
        raise ValueError("v cannot be empty")
    return _correlated(a, np.flip(v), _MODES.get(mode, mode))


@implements(np.correlate)
def _correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    a, v = np.atleast_1d(as_array(a)), np.conj(np.atleast_1d(as_array(v)))
    if ndim_of(a) > 1 or ndim_of(v) > 1:
        raise ValueError("object too deep for desired array")
    if not (len(a) and len(v)):
        raise ValueError(f"{'v' if len(a) else 'a'} cannot be empty")
    mode = _MODES.get(mode, mode)
    if len(v) > len(a):
        return np.flip(_correlated(v, a, mode))
    return _correlated(a, v, mode)


_MODES = {0: "valid", 1: "same", 2: "full", "v": "valid", "s": "same", "f": "full"}

#: `np.correlate` of a long row with a short one, without conjugation. Both derivatives are correlations again.
sliding: Any = primitive(
    "correlate",
    lambda a, v: np.correlate(a, np.conj(v), "valid"),
    lambda dout, _out, _a, v: _correlated(dout, np.flip(v), "full"),
    lambda dout, _out, a, _v: sliding(a, dout),
)


def _correlated(a: Array, v: Array, mode: str) -> Array:
    """Sums of products of v with the pieces of a, which is as long or longer, padded with zeros as the mode says."""
    m = len(v)
    if mode == "valid":
        pads = (0, 0)
    elif mode == "same":
        pads = (m // 2, m - 1 - m // 2)
    elif mode == "full":
        pads = (m - 1, m - 1)
    else:
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    return sliding(np.pad(a, pads) if any(pads) else a, v)


def _d_sinc(x: Array, out: Array) -> Array:
    """d sinc(x)/dx = (cos(πx) - sinc(x)) / x, and near 0 by its series, of which every derivative is right too."""
    u = np.pi * x
    near = np.abs(plain(u)) < 1.0
    if type(u) is numpy.ndarray and ndim_of(u):
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (np.cos(u) - out) / x
        if near.any():
            found[near] = np.pi * _near_zero(u[near])
        return found
    small, far = np.where(near, u, 0.5), np.where(near, 2.0, u)
    return np.pi * np.where(near, _near_zero(small), (np.cos(far) - np.sin(far) / far) / far)


def _near_zero(u: Array) -> Array:
    """(cos u - sin u / u) / u."""
    series: Any = 0.0
    for k in range(12, 0, -1):
        series = series * (u * u) + (-1) ** k * 2 * k / factorial(2 * k + 1)
    return series * u


sinc = primitive("sinc", np.sinc, lambda dout, out, x: dout * _d_sinc(x, out))
implements(np.sinc)(lambda x: sinc(x))


i0 = primitive("i0", np.i0, lambda dout, _out, x: dout * i1(x))
implements(np.i0)(lambda x: i0(x))

"""Rules of the reductions and the running reductions: sum, prod, max, min, var, cumsum, and what is made of them.

A primitive reduction takes `axes`, a tuple of non-negative ints; the NumPy function around it reads NumPy's arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import Primitive, is_complex, ndim_of, plain, shape_of
from .elementwise import to_dtype
from .registry import FUNCTIONS, flat, implements, primitive
from .ufuncs import store

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too
Array = Any
Axis = int | tuple[int, ...] | None


def axes_of(a: Array, axis: Axis) -> tuple[int, ...]:
    """NumPy's `axis` as a tuple of non-negative axes; raises NumPy's AxisError."""
    ndim = ndim_of(a)
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    return normalize_axis_tuple(axis, ndim)


def _kept(reduced: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Something of a reduction's output shape with the reduced axes put back, so that it broadcasts with the input."""
    if keepdims or ndim_of(reduced) == 0:
        return reduced
    if len(axes) == 1:
        shape = shape_of(reduced)
        return np.reshape(reduced, (*shape[: axes[0]], 1, *shape[axes[0] :]))
    return np.expand_dims(reduced, axes)


def _d_extreme(dout: Array, out: Array, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Those that equal the greatest (or least) share its derivative evenly; NaNs share that of a NaN."""
    mine = (x == _kept(out, axes, keepdims)) | (x != x)
    sharers = np.sum(mine, axis=axes, keepdims=True)
    wide = np.result_type(plain(x), np.float32)
    if wide == np.float32:  # by an integer, NumPy would divide in float64
        sharers = sharers.astype(wide)
    return np.where(mine, _kept(dout, axes, keepdims) / sharers, 0)


def _d_product(dout: Array, out: Array, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    """dout times the product of the others, also where there are zeros.

    One division would do without zeros; with them, each entry's others are multiplied from the left and the right.
    """
    dout, out = _kept(dout, axes, keepdims), _kept(out, axes, keepdims)
    return dout * out / x if _can_divide(out) else dout * _others(x, axes)


def _can_divide(products: Array) -> bool:
    """Whether a product divided by one of its entries is the product of the others: not after 0, inf or underflow."""
    size = np.abs(plain(products))
    limits = np.finfo(size.dtype)
    return bool(np.all((size >= limits.tiny) & (size <= limits.max)))


def _others(x: Array, axes: tuple[int, ...]) -> Array:
    """For each entry, the product of the other entries along `axes`."""
    rest = [i for i in range(ndim_of(x)) if i not in axes]
    rows = np.transpose(x, (*rest, *axes))
    moved = rows.shape
    rows = np.reshape(rows, (*moved[: len(rest)], -1))
    one = np.ones_like(rows[..., :1])
    left = np.cumprod(np.concatenate([one, rows[..., :-1]], axis=-1), axis=-1)
    right = np.flip(np.cumprod(np.concatenate([one, np.flip(rows[..., 1:], -1)], axis=-1), axis=-1), -1)
    return np.transpose(np.reshape(left * right, moved), tuple(int(i) for i in np.argsort((*rest, *axes))))


def _reversed_cumsum(dout: Array, axis: int) -> Array:
    if ndim_of(dout) == 1:
        return np.cumsum(dout[::-1])[::-1]
    return np.flip(np.cumsum(np.flip(dout, axis), axis=axis), axis)


def _d_cumprod(dout: Array, out: Array, x: Array, axis: int) -> Array:
    """Sum over k >= i of dout_k out_k / x_i; where zeros forbid that, of dout_k times the product of the others.

    Without a division it is (x_0 .. x_(i-1)) s_i, where s_i = dout_i + x_(i+1) s_(i+1). These maps of s_(i+1) to s_i are
    composed with those 1, 2, 4, ... places further on, until each reaches the end.
    """
    if _can_divide(out):
        return _reversed_cumsum(dout * out, axis) / x
    rows, s = np.moveaxis(x, axis, -1), np.moveaxis(dout, axis, -1)
    one = np.ones_like(rows[..., :1])
    before = np.cumprod(np.concatenate([one, rows[..., :-1]], axis=-1), axis=-1)
    times = np.concatenate([rows[..., 1:], one], axis=-1)
    step, n = 1, shape_of(rows)[-1]
    while step < n:
        s = np.concatenate([s[..., :-step] + times[..., :-step] * s[..., step:], s[..., -step:]], axis=-1)
        times = np.concatenate([times[..., :-step] * times[..., step:], times[..., -step:]], axis=-1)
        step *= 2
    return np.moveaxis(before * s, -1, axis)


total = primitive("sum", lambda x, axes, keepdims: np.add.reduce(x, axes, None, None, keepdims),
                  lambda dout, _out, _x, axes, keepdims: _kept(dout, axes, keepdims))  # fmt: skip
product = primitive("prod", lambda x, axes, keepdims: np.multiply.reduce(x, axes, None, None, keepdims), _d_product)
greatest = primitive("max", lambda x, axes, keepdims: np.maximum.reduce(x, axes, None, None, keepdims), _d_extreme)
least = primitive("min", lambda x, axes, keepdims: np.minimum.reduce(x, axes, None, None, keepdims), _d_extreme)
running_sum = primitive("cumsum", lambda x, axis: np.cumsum(x, axis=axis),
                        lambda dout, _out, _x, axis: _reversed_cumsum(dout, axis))  # fmt: skip
running_product = primitive("cumprod", lambda x, axis: np.cumprod(x, axis=axis), _d_cumprod)


def _reduction(
    op: Primitive, neutral: Callable[[Any], Any], combine: Callable[[Array, Array], Array]
) -> Callable[..., Array]:
    """NumPy's arguments around a primitive reduction; `neutral` of a dtype stands where `where` leaves an entry out."""

    def reduce(a: Array, axis: Axis, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Array:
        a = _in_dtype(a, dtype, op.name)
        axes = axes_of(a, axis)
        if where is True and initial is None:
            return op(a, axes=axes, keepdims=keepdims)
        extreme = combine is np.maximum or combine is np.minimum
        dtype = np.result_type(plain(a))
        if where is not True:
            if extreme and initial is None:
                raise ValueError(f"np.{op.name}: where= needs initial=, because an empty choice has no {op.name}")
            a = np.where(plain(where), a, neutral(dtype))
        if initial is None:
            return op(a, axes=axes, keepdims=keepdims)
        initial = to_dtype(initial, dtype)
        if extreme and 0 in shape_of(a):
            kept = [1 if i in axes else n for i, n in enumerate(shape_of(a)) if keepdims or i not in axes]
            return np.broadcast_to(initial, kept) + 0
        return combine(initial, op(a, axes=axes, keepdims=keepdims))

    return reduce


def _in_dtype(a: Array, dtype: Any, name: str) -> Array:
    """An argument in the dtype that was asked for.

    Raises:
        TypeError: if that is not a floating one.
    """
    if dtype is None:
        return a
    if np.dtype(dtype).kind not in "fc":
        raise TypeError(
            f"np.{name}: dtype={np.dtype(dtype)} can't carry a derivative; give a floating dtype, or run it on v.value"
        )
    return to_dtype(a, np.dtype(dtype))


def _lowest(dtype: Any) -> Any:
    return complex(-np.inf, -np.inf) if dtype.kind == "c" else -np.inf


_reduce_sum = _reduction(total, lambda dtype: 0, np.add)
_reduce_prod = _reduction(product, lambda dtype: 1, np.multiply)
_reduce_max = _reduction(greatest, _lowest, np.maximum)
_reduce_min = _reduction(least, lambda dtype: -_lowest(dtype), np.minimum)


def _stored(result: Array, out: Any) -> Array:
    return result if out is None else store(result, out)


# The parameters are in NumPy's order, because they may be given by position.


@implements(np.sum)
def _sum(
    a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Array:  # fmt: skip
    return _stored(_reduce_sum(a, axis, dtype, keepdims, initial, where), out)


@implements(np.prod)
def _prod(
    a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Array:  # fmt: skip
    return _stored(_reduce_prod(a, axis, dtype, keepdims, initial, where), out)


@implements(np.max, np.amax)
def _max(
    a: Array, axis: Axis = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Array:  # fmt: skip
    return _stored(_reduce_max(a, axis, None, keepdims, initial, where), out)


@implements(np.min, np.amin)
def _min(
    a: Array, axis: Axis = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Array:  # fmt: skip
    return _stored(_reduce_min(a, axis, None, keepdims, initial, where), out)


@implements(np.mean)
def _mean(
    a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Array:  # fmt: skip
    here = plain(a)
    small = dtype is None and getattr(here, "dtype", None) == np.float16  # NumPy sums float16 in float32
    summed = _reduce_sum(a, axis, np.float32 if small else dtype, keepdims, None, where)
    mean = _divided(summed, _count(a, axis, keepdims, where))
    return _stored(to_dtype(mean, np.dtype(np.float16)) if small else mean, out)


def _count(a: Array, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many entries a reduction counts: an int, or with `where` an array."""
    if where is True:
        shape = shape_of(a)
        return prod([shape[i] for i in axes_of(a, axis)])
    return np.sum(np.broadcast_to(plain(where), shape_of(a)), axis=axis, keepdims=keepdims)


def _divided(total: Array, count: Any) -> Array:
    """A sum over a count, in the sum's dtype; rounded once, also where that dtype can't hold the count."""
    if isinstance(count, int | float) and count < 1 << 11:  # any dtype can hold it
        return total / count
    dtype = np.result_type(plain(total))
    if isinstance(count, int | float) and count < 1 << (np.finfo(dtype).nmant + 1):
        return total / count
    return to_dtype(total / np.asarray(count), dtype)


@implements(np.var)
def _var(
    a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False, *,
    where: Any = True, mean: Any = None, correction: float | None = None,
) -> Array:  # fmt: skip
    if correction is not None and ddof != 0:
        raise ValueError("np.var: ddof and correction can't be provided simultaneously")
    count = _count(a, axis, keepdims, where) - (ddof if correction is None else correction)
    if where is not True:
        a = np.where(plain(where), a, 0)  # a NaN there would get into the derivative through the squares
    if mean is None:
        mean = _divided(_reduce_sum(a, axis, dtype, True, None, where), _count(a, axis, True, where))
    apart = np.subtract(a, mean)
    squares = np.real(apart * np.conj(apart)) if is_complex(a) else np.square(apart)
    spread = _reduce_sum(squares, axis, dtype, keepdims, None, where)
    return _stored(_divided(spread, max(count, 0) if where is True else np.maximum(count, 0)), out)


@implements(np.std)
def _std(a: Array, axis: Axis = None, dtype: Any = None, out: Any = None, *args: Any, **options: Any) -> Array:
    """The root of the variance; where that is 0, its derivative is taken to be 0, as that of abs."""
    spread = _var(a, axis, dtype, None, *args, **options)
    none = spread == 0
    if none is False or not np.any(none):
        return _stored(np.sqrt(spread), out)
    return _stored(np.where(none, 0, np.sqrt(np.where(none, 1, spread)))[()], out)


def _running(op: Primitive) -> Callable[..., Array]:
    def run(a: Array, axis: int | None = None, dtype: Any = None, out: Any = None) -> Array:
        a = _in_dtype(a, dtype, op.name)
        if axis is None:
            a, axis = a if ndim_of(a) == 1 else np.ravel(a), 0
        return _stored(op(a, axis=normalize_axis_index(axis, ndim_of(a))), out)

    return run


FUNCTIONS[np.cumsum] = _running(running_sum)
FUNCTIONS[np.cumprod] = _running(running_product)


@implements(np.ptp)
def _ptp(a: Array, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Array:
    return _stored(np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims), out)


@implements(np.trace)
def _trace(
    a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Array:  # fmt: skip
    found = np.diagonal(a, offset, axis1, axis2)
    return _stored(_reduce_sum(found, ndim_of(found) - 1, dtype, False, None, True), out)


flat(np.argmax, np.argmin, np.any, np.all, np.count_nonzero)

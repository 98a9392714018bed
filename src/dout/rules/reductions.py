"""Rules of the reductions and the running reductions: sum, prod, max, min, var, cumsum, and what is made of them.

A primitive reduction takes `axes`, a tuple of non-negative ints, and keeps them with length 1; the NumPy function around
it reads NumPy's arguments and drops the axes afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import Primitive
from .elementwise import astype
from .registry import FUNCTIONS, flat, implements, primitive

Array = Any
Axis = int | tuple[int, ...] | None


def axes_of(a: Array, axis: Axis) -> tuple[int, ...]:
    """NumPy's `axis` as a tuple of non-negative axes; raises NumPy's AxisError."""
    ndim = np.ndim(a)
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def _d_extreme(dout: Array, out: Array, x: Array, axes: tuple[int, ...]) -> Array:
    """Those that equal the greatest (or least) share its derivative evenly; NaNs share that of a NaN."""
    mine = (x == out) | (x != x)
    return np.where(mine, dout / np.sum(mine, axis=axes, keepdims=True), 0)


def _d_product(dout: Array, out: Array, x: Array, axes: tuple[int, ...]) -> Array:
    """dout times the product of the others, also where there are zeros.

    One division would do without zeros; with them, each entry's others are multiplied from the left and the right.
    """
    if not np.any(x == 0):
        return dout * out / x
    return dout * _others(x, axes)


def _others(x: Array, axes: tuple[int, ...]) -> Array:
    """For each entry, the product of the other entries along `axes`."""
    rest = [i for i in range(x.ndim) if i not in axes]
    rows = np.transpose(x, (*rest, *axes))
    moved = rows.shape
    rows = np.reshape(rows, (*moved[: len(rest)], -1))
    one = np.ones_like(rows[..., :1])
    left = np.cumprod(np.concatenate([one, rows[..., :-1]], axis=-1), axis=-1)
    right = np.flip(np.cumprod(np.concatenate([one, np.flip(rows[..., 1:], -1)], axis=-1), axis=-1), -1)
    return np.transpose(np.reshape(left * right, moved), tuple(int(i) for i in np.argsort((*rest, *axes))))


def _reversed_cumsum(dout: Array, axis: int) -> Array:
    return np.flip(np.cumsum(np.flip(dout, axis), axis=axis), axis)


def _d_cumprod(dout: Array, out: Array, x: Array, axis: int) -> Array:
    """Sum over k >= i of dout_k out_k / x_i; where zeros forbid that, of dout_k times the product of the others."""
    if not np.any(x == 0):
        return _reversed_cumsum(dout * out, axis) / x
    rows, douts = np.moveaxis(x, axis, -1), np.moveaxis(dout, axis, -1)
    n = rows.shape[-1]
    # without[..., i, k]: the product of x_0 .. x_k with x_i replaced by one, and nothing for k < i
    without = np.cumprod(np.where(np.eye(n, dtype=bool), 1, rows[..., None, :]), axis=-1)
    return np.moveaxis(np.sum(np.where(np.tri(n, dtype=bool).T, douts[..., None, :] * without, 0), axis=-1), -1, axis)


total = primitive("sum", lambda x, axes: np.sum(x, axis=axes, keepdims=True), lambda dout, _out, _x, axes: dout)
product = primitive("prod", lambda x, axes: np.prod(x, axis=axes, keepdims=True), _d_product)
greatest = primitive("max", lambda x, axes: np.max(x, axis=axes, keepdims=True), _d_extreme)
least = primitive("min", lambda x, axes: np.min(x, axis=axes, keepdims=True), _d_extreme)
running_sum = primitive("cumsum", lambda x, axis: np.cumsum(x, axis=axis),
                        lambda dout, _out, _x, axis: _reversed_cumsum(dout, axis))  # fmt: skip
running_product = primitive("cumprod", lambda x, axis: np.cumprod(x, axis=axis), _d_cumprod)


def _narrow(result: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    return result if keepdims else np.squeeze(result, axes)


def _reduction(op: Primitive, neutral: Any, combine: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """NumPy's arguments around a primitive reduction; `neutral` stands where `where` leaves an entry out."""

    def reduce(
        a: Array, axis: Axis = None, dtype: Any = None, *,
        keepdims: bool = False, initial: Any = None, where: Any = True,
    ) -> Array:  # fmt: skip
        if where is not True:
            if neutral is None and initial is None:
                raise ValueError(f"np.{op.name}: where= needs initial=, because an empty choice has no {op.name}")
            a = np.where(where, a, initial if neutral is None else neutral)
        a = a if dtype is None else astype(a, dtype=np.dtype(dtype))
        axes = axes_of(a, axis)
        if neutral is None and initial is not None and 0 in np.shape(a):
            kept = [1 if i in axes else n for i, n in enumerate(np.shape(a))]
            return _narrow(np.broadcast_to(initial, kept) + 0, axes, keepdims)
        result = _narrow(op(a, axes=axes), axes, keepdims)
        return result if initial is None else combine(result, initial)

    return reduce


_sum = FUNCTIONS[np.sum] = _reduction(total, 0, np.add)
_prod = FUNCTIONS[np.prod] = _reduction(product, 1, np.multiply)
_max = FUNCTIONS[np.max] = FUNCTIONS[np.amax] = _reduction(greatest, None, np.maximum)
_min = FUNCTIONS[np.min] = FUNCTIONS[np.amin] = _reduction(least, None, np.minimum)


@implements(np.mean)
def _mean(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True
) -> Array:  # fmt: skip
    small = dtype is None and np.result_type(a) == np.float16  # NumPy sums float16 in float32
    summed = np.sum(a, axis, np.float32 if small else dtype, keepdims=keepdims, where=where)
    mean = summed / _count(a, axis, keepdims, where)
    return astype(mean, dtype=np.dtype(np.float16)) if small else mean


def _count(a: Array, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many entries a reduction counts: an int, or with `where` an array."""
    if where is True:
        shape = np.shape(a)
        return int(np.prod([shape[i] for i in axes_of(a, axis)], dtype=int))
    return np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=keepdims)


@implements(np.var)
def _var(
    a: Array, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, correction: float | None = None,
    mean: Any = None, keepdims: bool = False, where: Any = True,
) -> Array:  # fmt: skip
    small = dtype is None and np.result_type(a) == np.float16
    dtype = np.float32 if small else dtype
    centre = np.mean(a, axis, dtype, keepdims=True, where=where) if mean is None else mean
    apart = np.subtract(a, centre)
    squares = np.real(apart * np.conj(apart)) if np.iscomplexobj(apart) else apart * apart
    freedom = np.maximum(_count(a, axis, keepdims, where) - (ddof if correction is None else correction), 0)
    spread = np.sum(squares, axis, dtype, keepdims=keepdims, where=where) / freedom
    return astype(spread, dtype=np.dtype(np.float16)) if small else spread


@implements(np.std)
def _std(a: Array, axis: Axis = None, dtype: Any = None, **options: Any) -> Array:
    return np.sqrt(np.var(a, axis, dtype, **options))


def _running(op: Primitive) -> Callable[..., Array]:
    def run(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
        a = a if dtype is None else astype(a, dtype=np.dtype(dtype))
        if axis is None:
            a, axis = np.ravel(a), 0
        return op(a, axis=normalize_axis_index(axis, np.ndim(a)))

    return run


FUNCTIONS[np.cumsum] = _running(running_sum)
FUNCTIONS[np.cumprod] = _running(running_product)
implements(np.ptp)(
    lambda a, axis=None, keepdims=False: np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)
)
implements(np.trace)(
    lambda a, offset=0, axis1=0, axis2=1, dtype=None: np.sum(np.diagonal(a, offset, axis1, axis2), -1, dtype)
)
flat(np.argmax, np.argmin, np.any, np.all, np.count_nonzero)

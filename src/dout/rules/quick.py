"""Shortcuts for plain arrays: what the formula of a rule gives, in fewer passes over the memory.

Rules run on Variables too, and on symbols. There they say the formula; a shortcut is taken only where all are plain.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy import ndarray

from ..graph import is_complex, plain

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too

Array = Any
_REAL = (float, int, np.floating)

#: Below this many entries a call costs more than a pass.
MANY = 256
_PLAIN = frozenset((ndarray, float, int, np.float64, np.float32))
#: Integers as wide as a float.
_BITS: dict[Any, numpy.dtype[Any]] = {
    np.dtype(np.float64): np.dtype(np.int64),
    np.dtype(np.float32): np.dtype(np.int32),
    np.dtype(np.float16): np.dtype(np.int16),
}


def are_many(x: Array, y: Array = 0.0) -> bool:
    """Whether both are plain, and one is a larger array."""
    tx, ty = type(x), type(y)
    return tx in _PLAIN and ty in _PLAIN and ((tx is ndarray and x.size > MANY) or (ty is ndarray and y.size > MANY))


def is_one(dout: Array, x: Array) -> bool:
    """Whether a derivative is 1 everywhere, as that of a sum is, so that `dout * x` would be x: for larger plain arrays."""
    if type(x) is not ndarray or x.size <= MANY:
        return False
    if type(dout) is ndarray:
        if dout.dtype != x.dtype or any(dout.strides):
            return False
        dout = dout[(0,) * dout.ndim]
    return (type(dout) is float or getattr(dout, "dtype", None) is x.dtype) and bool(dout == 1)


def kept(mask: Array, d: Array) -> Array:
    """`np.where(mask, d, 0)`, bit for bit. Where the mask has no order, NumPy's own is five times slower."""
    if type(mask) is ndarray and mask.size > MANY and mask.dtype == bool and isinstance(d, ndarray | np.floating):
        d = np.asarray(d)
        bits = _BITS.get(d.dtype)
        if bits is not None and mask.ndim >= d.ndim:
            ones = mask.astype(bits)
            np.negative(ones, out=ones)  # all bits of the entries that are kept
            if d.shape == mask.shape or np.broadcast_shapes(d.shape, mask.shape) == mask.shape:
                return np.bitwise_and(ones, d.view(bits), out=ones).view(d.dtype)
    return np.where(mask, d, 0)


def dropped(mask: Array, d: Array) -> Array:
    """`np.where(mask, 0, d)`."""
    if type(mask) is ndarray and mask.size > MANY and mask.dtype == bool:
        return kept(~mask, d)
    return np.where(mask, 0, d)


def positive(x: Array) -> Array:
    """x, NaN where it is below 0: where a function has no value, the formula of its derivative means nothing."""
    if type(x) is ndarray:
        if x.dtype.kind != "f" or not x.size or not np.fmin.reduce(x, None) < 0:
            return x
    elif not _is_below(x):
        return x
    return np.where(plain(x) < 0, x * np.nan, x)[()]  # NaN in its derivatives too


def _is_below(x: Array) -> bool:
    """Whether a number, or some entry of a Variable, is below 0; of one in a run that is recorded whole, it may be."""
    here = plain(x)
    if hasattr(type(here), "__dout_record__"):
        return not is_complex(here)
    if type(here) is ndarray:
        return here.dtype.kind == "f" and bool((here < 0).any())
    return isinstance(here, _REAL) and bool(here < 0)


def valued(dout: Array, out: Array) -> Array:
    """dout, NaN where a function's value is."""
    here = plain(out)
    if hasattr(type(here), "__dout_record__"):
        return np.where(here == here, dout, dout * out)
    if isinstance(here, _REAL):
        return dout if here == here else dout * out
    if type(here) is not ndarray or bool((here == here).all()):
        return dout
    return np.where(here == here, dout, dout * out)


def largest(x: Array) -> float:
    """The greatest size of a plain array's entries; NaN if one is NaN, 0 if there are none."""
    return max(float(x.max()), -float(x.min())) if x.size else 0.0

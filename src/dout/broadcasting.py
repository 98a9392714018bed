"""Undoing NumPy's broadcasting: the one place where a derivative is brought to its input's shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .graph import shape_of

#: Below this many entries an array is written as quickly as a view of it is made.
MANY = 1000
#: np.sum, without its detours. NumPy's stubs want to know `keepdims` beforehand.
_summed: Any = np.add.reduce


def to_shape(d: Any, shape: tuple[int, ...]) -> Any:
    """A derivative in its input's shape, summed where the input was repeated and repeated where it is the same.

    Args:
        d: a number, array or Variable, of a shape that broadcasts with `shape`.
        shape: the input's shape.
    """
    d = summed_to(d, shape)
    return d if shape_of(d) == shape else np.broadcast_to(d, shape)


def summed_to(d: Any, shape: tuple[int, ...]) -> Any:
    """A derivative summed over the axes along which its input was repeated, so that it broadcasts to the input's shape."""
    have = shape_of(d)
    if have == shape:
        return d
    extra = len(have) - len(shape)
    axes = [i for i, n in enumerate(have) if i < extra or (n != 1 and shape[i - extra] == 1)]
    if axes:
        keep = len(axes) > extra
        plain = type(d) is np.ndarray
        d = _summed(d, tuple(axes), None, None, keep) if plain else np.sum(d, axis=tuple(axes), keepdims=keep)
        if keep and extra > 0:
            d = np.reshape(d, shape_of(d)[extra:])
    return d


def whole(d: Any, shape: Any) -> Any:
    """A derivative written out in its node's shape; those of several outputs as they are."""
    if isinstance(shape, list) or shape_of(d) == shape:
        return d
    if isinstance(d, np.floating):  # by hand, which takes a tenth of broadcast_to's time
        return ndarray(shape, d.dtype, d, 0, (0,) * len(shape))
    if type(d) is ndarray and math.prod(shape) <= MANY:  # and so does writing out what is small
        written = np.empty(shape, d.dtype)
        written[...] = d
        return written
    return np.broadcast_to(d, shape)


def fit(d: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Sum a derivative over the axes along which its input was broadcast, and give it the input's dtype.

    A real input gets the real part, as in JAX.
    """
    if type(d) is ndarray and d.shape == shape and d.dtype is dtype:
        return d
    if isinstance(d, np.floating) and d.dtype is dtype:
        return d  # the same all along the axes that it lacks
    d = summed_to(d, shape)
    if isinstance(dtype, type):
        return np.real(d) if dtype is not complex and np.iscomplexobj(d) else d
    if not hasattr(d, "dtype"):
        d = np.asarray(d)[()]
    if d.dtype != dtype:
        if dtype.kind == "f" and d.dtype.kind == "c":
            d = np.real(d)
        if dtype.kind in "fc":
            d = d.astype(dtype)
    return d

"""Undoing NumPy's broadcasting: the one place where a derivative is brought to its input's shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import shape_of

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

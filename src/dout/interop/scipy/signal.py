"""`scipy.signal`'s convolutions, in any number of dimensions."""

from __future__ import annotations

from typing import Any

import numpy
import scipy.signal

from ...graph import ndim_of, shape_of
from ...rules.registry import primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

#: The full convolution. Each of its derivatives is a part of a full convolution again.
_full = primitive(
    "convolve",
    lambda a, b, method: scipy.signal.convolve(a, b, "full", method),
    lambda dout, _out, a, b, method: _inside(dout, b, shape_of(a), method),
    lambda dout, _out, a, b, method: _inside(dout, a, shape_of(b), method),
)  # type: Any


def _inside(dout: Array, other: Array, shape: tuple[int, ...], method: str) -> Array:
    whole = _full(dout, np.flip(other), method=method)
    return whole[tuple(slice(k - 1, k - 1 + n) for k, n in zip(shape_of(other), shape, strict=True))]


def convolve(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """The convolution of two arrays of as many dimensions.

    Args:
        in1: any shape.
        in2: as many dimensions.
        mode: "full", "same" (in1's shape, from the middle) or "valid" (without padding).
        method: "direct", "fft", or "auto".

    Example:
        >>> convolve(numpy.array([1.0, 2.0]), numpy.array([1.0, 1.0]))
        array([1., 3., 2.])
    """
    in1, in2 = (a if hasattr(a, "shape") else np.asarray(a) for a in (in1, in2))
    if ndim_of(in1) != ndim_of(in2):
        raise ValueError("volume and kernel should have the same dimensionality")
    if ndim_of(in1) == 0:
        return in1 * in2
    m, n = shape_of(in1), shape_of(in2)
    if mode == "valid" and not all(a >= b for a, b in zip(m, n, strict=True)):
        if not all(a <= b for a, b in zip(m, n, strict=True)):
            raise ValueError("For 'valid' mode, one must be at least as large as the other in every dimension")
        in1, in2, m, n = in2, in1, n, m
    whole = _full(in1, in2, method=method)
    if mode == "full":
        return whole
    if mode == "same":
        starts = [(k - 1) // 2 for k in n]
        sizes = list(m)
    elif mode == "valid":
        starts = [k - 1 for k in n]
        sizes = [a - b + 1 for a, b in zip(m, n, strict=True)]
    else:
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    return whole[tuple(slice(i, i + k) for i, k in zip(starts, sizes, strict=True))]


def fftconvolve(in1: Array, in2: Array, mode: str = "full") -> Array:
    """As `convolve`, by Fourier transforms.

    Example:
        >>> fftconvolve(numpy.array([1.0, 2.0]), numpy.array([1.0, 1.0])).round(12)
        array([1., 3., 2.])
    """
    return convolve(in1, in2, mode, "fft")


def correlate(in1: Array, in2: Array, mode: str = "full", method: str = "auto") -> Array:
    """The cross-correlation: the convolution with in2 reversed and conjugated.

    Example:
        >>> correlate(numpy.array([1.0, 2.0]), numpy.array([1.0, 0.0]))
        array([0., 1., 2.])
    """
    in2 = in2 if hasattr(in2, "shape") else np.asarray(in2)
    return convolve(in1, np.conj(np.flip(in2)), mode, method)

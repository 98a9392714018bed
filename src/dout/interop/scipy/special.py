"""`scipy.special`'s functions that are not ufuncs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import scipy.special

from ...graph import ndim_of, plain, shape_of

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any
Axis = int | Sequence[int] | None


def logsumexp(a: Array, axis: Axis = None, b: Array = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log(sum(b exp(a))), without overflow.

    Args:
        a: any shape.
        axis: over which axes; all by default.
        b: factors, broadcast to a's shape.
        keepdims: keep the axes, with length 1.
        return_sign: give the logarithm of the sum's size, and its sign.

    Example:
        >>> float(logsumexp(numpy.array([0.0, 0.0]), b=numpy.array([1.0, 3.0])))
        1.3862943611198906
    """
    a = a if hasattr(a, "shape") else np.asarray(a)
    top = np.max(plain(a), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    weights = np.exp(a - top)
    total = np.sum(weights if b is None else b * weights, axis=axis, keepdims=True)
    sign = np.sign(plain(total))
    if return_sign:
        total = total * sign
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.log(total) + top
    if not keepdims:
        axes = tuple(range(ndim_of(a))) if axis is None else axis
        result, sign = np.squeeze(result, axes), np.squeeze(sign, axes)
    result = result[()] if ndim_of(result) == 0 else result
    return (result, sign) if return_sign else result


def softmax(x: Array, axis: Axis = None) -> Array:
    """exp(x) / sum(exp(x)).

    Example:
        >>> softmax(numpy.array([0.0, 0.0]))
        array([0.5, 0.5])
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    weights = np.exp(x - np.max(plain(x), axis=axis, keepdims=True))
    return weights / np.sum(weights, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: Axis = None) -> Array:
    """log(softmax(x)), without overflow.

    Example:
        >>> log_softmax(numpy.array([1000.0, 0.0]))
        array([    0., -1000.])
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    apart = x - np.max(plain(x), axis=axis, keepdims=True)
    return apart - np.log(np.sum(np.exp(apart), axis=axis, keepdims=True))


def polygamma(n: Any, x: Array) -> Array:
    """The n-th derivative of digamma: (-1)^(n+1) n! ζ(n + 1, x) for x > 0 (DLMF 5.15.2).

    Example:
        >>> float(polygamma(1, 1.0))
        1.6449340668482266
    """
    n = plain(n)
    if np.any(np.asarray(n) < 0) or np.any(np.asarray(n) != np.floor(n)):
        raise ValueError(f"polygamma(n, x): n has to be a whole number from 0 on, got {n}")
    high = np.maximum(n, 1)
    factor = (-1.0) ** (high + 1) * scipy.special.gamma(high + 1.0)
    result = factor * scipy.special.zeta(high + 1.0, x)
    return np.where(np.asarray(n) == 0, scipy.special.psi(x), result)[()]


def multigammaln(a: Array, d: int) -> Array:
    """The logarithm of the multivariate gamma function, for a > (d - 1) / 2.

    Example:
        >>> float(multigammaln(3.0, 1)) == float(scipy.special.gammaln(3.0))
        True
    """
    if int(d) != d or d < 1:
        raise ValueError("d should be a positive integer (dimension)")
    if np.any(plain(a) <= 0.5 * (d - 1)):
        raise ValueError(f"condition a ({np.min(plain(a)):f}) > 0.5 * (d-1) ({0.5 * (d - 1):f}) not met")
    steps = np.arange(d) / 2.0
    terms = scipy.special.gammaln(np.expand_dims(a, -1) - steps if shape_of(a) else a - steps)
    return d * (d - 1) * 0.25 * np.log(np.pi) + np.sum(terms, axis=-1)

"""Logarithms: log, log1p, log2, log10, and what is made of them: arcsinh, arccosh, arctanh.

x = 2**k (1 + f), with 1 + f from sqrt(1/2) to sqrt(2). With s = f/(2 + f), log(1 + f) = 2 atanh(s), an odd series in s, is
f - f**2/2 + s (f**2/2 + R(s**2)), of which the first two terms are almost all.
"""

from __future__ import annotations

import math

import numpy as np

from . import coefficients as c
from .values import Emitter, Real


def split(m: Emitter, x: Real) -> tuple[Real, Real]:
    """k and f with x = 2**k (1 + f), 1 + f from sqrt(1/2) to sqrt(2), for positive finite x."""
    shift = m.digits - 1
    one = m.bias << shift
    root = int(
        np.float64(math.sqrt(0.5)).view(np.int64) if m.kind == "f8" else np.float32(math.sqrt(0.5)).view(np.int32)
    )
    tiny = x < m.least_normal
    y = m.where(tiny, x * 2.0 ** (m.digits + 1), x)
    moved = y.bits() + (one - root)
    exponent = ((moved >> shift) | ((m.bias + shift) << shift)).real()  # 2**shift and the exponent
    mantissa = ((moved & ((1 << shift) - 1)) + root).real()
    k = exponent - (2.0**shift + m.bias)
    k = m.where(tiny, k - (m.digits + 1.0), k)
    return k, mantissa - 1.0


def _terms(m: Emitter, f: Real) -> tuple[Real, Real]:
    """f**2/2 and s (f**2/2 + R), with which log(1 + f) = f - (first - second)."""
    s = f / (f + 2.0)
    z = s * s
    half = (f * 0.5) * f
    return half, s * m.fma(z, m.polynomial(z, c.LOG[m.kind]), half)


def total(m: Emitter, k: Real, f: Real, low: Real | float = 0.0) -> Real:
    """k log(2) + log(1 + f) + low."""
    high_ln2, low_ln2 = c.LN2[m.kind]
    half, rest = _terms(m, f)
    inner = rest + m.fma(k, low_ln2, low)
    return k * high_ln2 + (f - (half - inner))


def parts(m: Emitter, f: Real) -> tuple[Real, Real]:
    """log(1 + f) as a sum of two, to some six bits more than one has."""
    half, rest = _terms(m, f)
    high = f - half
    lost = (f - high) - half
    return m.quick_sum(high, lost - m.fma(f * 0.5, f, -half) + rest)


def unrounded(m: Emitter, x: Real) -> tuple[Real, Real]:
    """The logarithm of a positive finite number as a sum of two."""
    k, f = split(m, x)
    high, low = parts(m, f)
    ln2, ln2_low = c.LN2[m.kind]
    total, lost = m.quick_sum(k * ln2, high)
    return m.quick_sum(total, m.fma(k, ln2_low, lost + low))


def _ends(m: Emitter, x: Real, value: Real, pole: float) -> Real:
    """Infinite at the pole and at infinity, NaN below."""
    value = m.where(x.equals(math.inf), x, value)
    value = m.where(x.equals(pole), -math.inf, value)
    return m.ordered(x, pole, value)


def log(m: Emitter, x: Real) -> Real:
    """The natural logarithm."""
    return _ends(m, x, total(m, *split(m, x)), 0.0)


def log2(m: Emitter, x: Real) -> Real:
    """The logarithm to base 2."""
    k, f = split(m, x)
    high, low = parts(m, f)
    scale, scale_low = c.LOG2_E[m.kind]
    p, lost = m.two_product(high, scale)
    s, t = m.quick_sum(k, p)
    return _ends(m, x, s + (t + (lost + m.fma(low, scale, high * scale_low))), 0.0)


def log10(m: Emitter, x: Real) -> Real:
    """The logarithm to base 10."""
    k, f = split(m, x)
    high, low = parts(m, f)
    scale, scale_low = c.LOG10_E[m.kind]
    two, two_low = c.LOG10_2[m.kind]
    p, lost = m.two_product(high, scale)
    s, t = m.quick_sum(k * two, p)
    rest = m.fma(k, two_low, lost + m.fma(low, scale, high * scale_low))
    return _ends(m, x, s + (t + rest), 0.0)


def log1p_of(m: Emitter, x: Real, low: Real | float = 0.0) -> Real:
    """log(1 + x + low) for finite x > -1, and |low| far below |x|."""
    u = x + 1.0
    lost = m.where(x > 2.0**m.digits, 0.0, x - (u - 1.0))  # what the sum rounded away
    value = total(m, *split(m, u), (lost + low) / u)
    return m.where(abs(x) < 2.0 ** -(m.digits + 1), x, value)


def log1p(m: Emitter, x: Real) -> Real:
    """log(1 + x), also for small x."""
    return _ends(m, x, log1p_of(m, x), -1.0)


def arcsinh(m: Emitter, x: Real) -> Real:
    """log(|x| + sqrt(x**2 + 1)); where that cancels, a polynomial."""
    size = abs(x)
    large = size > 2.0**m.digits
    y = m.where(large, 1.0, size)
    p, lost = m.two_product(y, y)
    below, more = m.two_sum(p, m.real(1.0))
    root = m.sqrt(below)
    root_low = (m.fma(-root, root, below) + (more + lost)) / (root + root)
    u, rest = m.two_sum(y, root)
    k, f = split(m, m.where(large, size, u))
    far = total(m, m.where(large, k + 1.0, k), f, m.where(large, 0.0, (rest + root_low) / u))
    far = m.where(size.equals(math.inf), size, far)
    z = m.where(size < 0.5, x * x, 0.0)
    near = m.fma(x * z, m.polynomial(z, c.ASINH[m.kind]), x)
    return m.signed_as(m.where(size < 0.5, near, far), x)


def arccosh(m: Emitter, x: Real) -> Real:
    """log(1 + t + sqrt(t (t + 2))) with t = x - 1."""
    large = x > 2.0**m.digits
    t = m.where(large, 1.0, x - 1.0)
    above, lost = m.two_sum(t, m.real(2.0))
    p, more = m.two_product(t, above)
    root = m.sqrt(p)
    root_low = (m.fma(-root, root, p) + m.fma(t, lost, more)) / m.where(p.equals(0.0), 1.0, root + root)
    v, rest = m.two_sum(root, t)
    u, cut = m.two_sum(v, m.real(1.0))
    k, f = split(m, m.where(large, x, u))
    value = total(m, m.where(large, k + 1.0, k), f, m.where(large, 0.0, (cut + (rest + root_low)) / u))
    value = m.where(x.equals(math.inf), x, value)
    return m.ordered(x, 1.0, value)


def arctanh(m: Emitter, x: Real) -> Real:
    """Half the logarithm of (1 + x) / (1 - x); where that is near 1, a polynomial."""
    size = abs(x)
    y = m.where(size < 1.0, size, 0.0)
    above, lost = m.quick_sum(m.real(1.0), y)
    q, rest = m.quotient(above, lost, 1.0 - y, 0.0)
    k, f = split(m, q)
    far = total(m, k, f, rest / q) * 0.5
    far = m.where(size.equals(1.0), math.inf, far)
    far = m.where(size <= 1.0, far, math.nan)
    z = m.where(size < 0.5, x * x, 0.0)
    near = m.fma(x * z, m.polynomial(z, c.ATANH[m.kind]), x)
    return m.signed_as(m.where(size < 0.5, near, far), x)

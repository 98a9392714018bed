"""Powers and roots: power, cbrt, hypot."""

from __future__ import annotations

import math

from . import coefficients as c
from .exponential import one_more
from .logarithm import split
from .values import Emitter, Real


def cbrt(m: Emitter, x: Real) -> Real:
    """The cube root: a polynomial, one step of Halley's, and one of Newton's whose remainder is exact."""
    size = abs(x)
    k, f = split(m, size)
    third, _ = m.rounded(k * (1 / 3))
    left = k - third * 3.0
    a = (f + 1.0) * m.where(left > 0.5, 2.0, m.where(left < -0.5, 0.5, 1.0))
    t = m.polynomial(f, c.CBRT[m.kind]) * m.where(left > 0.5, 2 ** (1 / 3), m.where(left < -0.5, 2 ** (-1 / 3), 1.0))
    cube = t * t * t
    t = t * ((cube + (a + a)) / (cube + cube + a))
    square, lost = m.two_product(t, t)
    t = t - (m.fma(square, t, -a) + lost * t) / (square * 3.0)
    value = m.signed_as(t * m.power_of_two(third), x)
    return m.where((size < math.inf) & (size > 0.0), value, x)


def hypot(m: Emitter, x: Real, y: Real) -> Real:
    """sqrt(x**2 + y**2), with the squares as unrounded sums of two, brought to a size where they are in range."""
    first, second = abs(x), abs(y)
    large, small = m.where(first > second, first, second), m.where(first > second, second, first)
    down, up = 2.0 ** -(m.bias * 0.6 // 1), 2.0 ** (m.bias * 0.6 // 1)
    shift = m.where(large > 2.0 ** (m.bias // 2), down, m.where(large < 2.0 ** (-m.bias // 3), up, 1.0))
    back = m.where(large > 2.0 ** (m.bias // 2), up, m.where(large < 2.0 ** (-m.bias // 3), down, 1.0))
    large, small = large * shift, small * shift
    p, p_low = m.two_product(large, large)
    q, q_low = m.two_product(small, small)
    s, lost = m.quick_sum(p, q)
    root = m.sqrt(s)
    root = root + (m.fma(-root, root, s) + (lost + (p_low + q_low))) / m.where(s.equals(0.0), 1.0, root + root)
    endless = first.equals(math.inf) | second.equals(math.inf)
    return m.where(endless, math.inf, m.where(x.is_nan() | y.is_nan(), math.nan, root * back))


def _log2(m: Emitter, x: Real) -> tuple[Real, Real]:
    """The logarithm to base 2 as a sum of two, to some 65 bits: x (|log2 x| up to 1,100) in a power leaves 54 of them."""
    k, f = split(m, x)
    below, below_low = m.two_sum(m.real(2.0), f)
    s, s_low = m.quick_sum(*m.quotient(f, 0.0, below, below_low))
    z, z_low = m.two_product(s, s)
    z_low = m.fma(s + s, s_low, z_low)
    third, third_low = c.THIRD[m.kind]
    first, first_low = m.two_product(z, third)
    first_low = m.fma(z_low, third, m.fma(z, third_low, first_low))
    w, lost = m.quick_sum(first, z * z * m.polynomial(z, c.ATANH_REST[m.kind]))
    w_low = first_low + lost
    p, p_low = m.two_product(s, w)
    p_low = m.fma(s_low, w, m.fma(s, w_low, p_low))
    a, a_low = m.quick_sum(s, p)
    a, a_low = m.quick_sum(a, a_low + (p_low + s_low))  # atanh(s)
    scale, scale_low = (2 * part for part in c.LOG2_E[m.kind])
    g, g_low = m.two_product(a, scale)
    g_low = m.fma(a_low, scale, m.fma(a, scale_low, g_low))
    total, lost = m.quick_sum(k, g)
    return m.quick_sum(total, lost + g_low)


def _rough_power(m: Emitter, size: Real, y: Real) -> Real:
    """size**y to some 30 bits, for a result in float32: float64 has digits to spare, and polynomials for float32 will do."""
    k, f = split(m, size)
    s = f / (f + 2.0)
    z = s * s
    half = (f * 0.5) * f
    log = f - (half - s * m.fma(z, m.polynomial(z, c.LOG["f4"]), half))
    log2 = m.fma(log, c.LOG2_E[m.kind][0], k)
    log2 = m.where(size.equals(0.0), -math.inf, m.where(size.equals(math.inf), math.inf, log2))
    e = m.held(y * log2, -300.0, 300.0)
    k, _ = m.rounded(e)
    r = (e - k) * c.LN2_FULL[m.kind][0]
    return (m.fma(r * r, m.polynomial(r, c.EXP["f4"]), r) + 1.0) * m.power_of_two(k)


def power(m: Emitter, x: Real, y: Real) -> Real:
    """x**y as 2**(y log2 |x|), and the special cases that C's `pow` has."""
    size, length = abs(x), abs(y)
    if m.result == "f4":
        return _special(m, x, y, size, length, _rough_power(m, size, y))
    high, low = _log2(m, size)
    high = m.where(size.equals(0.0), -math.inf, m.where(size.equals(math.inf), math.inf, high))
    e = y * high
    within = abs(e) < 1100.0
    e_low = m.where(within, m.fma(y, high, -e) + y * low, 0.0)
    e = m.held(e, -1100.0, 1100.0)
    k, _ = m.rounded(e)
    r, more = m.quick_sum(e - k, e_low)
    ln2, ln2_low = c.LN2_FULL[m.kind]
    h, lost = m.two_product(r, ln2)
    s, t = one_more(m, h, m.fma(r, ln2_low, m.fma(more, ln2, lost)))
    value = m.scaled(s + t, k)
    return _special(m, x, y, size, length, value)


def _special(m: Emitter, x: Real, y: Real, size: Real, length: Real, value: Real) -> Real:
    """|x|**y, made right for negative x and where it is 1 whatever else."""
    whole = m.intrinsic("floor", y).equals(y)
    half = y * 0.5
    odd = whole & (length < 2.0**m.digits) & ~m.intrinsic("floor", half).equals(half)
    value = m.where(odd, m.signed_as(value, x), value)
    value = m.where((x < 0.0) & (x > -math.inf) & ~whole, math.nan, value)
    value = m.where(x.is_nan() | y.is_nan(), math.nan, value)
    one = y.equals(0.0) | x.equals(1.0) | (size.equals(1.0) & length.equals(math.inf))
    return m.where(one, 1.0, value)

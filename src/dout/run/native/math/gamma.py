"""The logarithm of the gamma function, and its derivative.

From 8 on, Stirling's series, as a polynomial of 1/x**2 that is fitted to it. Below, the argument is brought near 2 by
gamma(x + 1) = x gamma(x). Negative arguments are reflected (NIST Digital Library of Mathematical Functions, 5.5.3 and 5.5.4).

At negative arguments there are zeros: two of gammaln between neighbouring integers, which come nearer to them like 1/n!,
and one of psi. There the reflection is a difference of numbers that agree in many digits. What float32 needs, those of
float64 still have. For float64, arguments where that matters are computed from their distance to the zero (`zeros.py`), or,
psi below -16, in integers of 128 bits (`fixed.py`). A vector without such arguments doesn't pay for that.
"""

from __future__ import annotations

import math

from . import coefficients as c
from . import fixed, logarithm, zeros
from .trigonometry import cosine, sine
from .values import Emitter, Real

_LARGE = 8.0
#: psi is computed again where it is so much smaller than the terms of its reflection.
_AGREE = 1 / 6


Sum = tuple[Real, Real]


def _half_turn(m: Emitter, x: Real) -> tuple[Sum, Sum, Real]:
    """|sin(pi x)| and |cos(pi x)| as sums of two, and x less the nearest integer."""
    d = x - m.intrinsic("rint", x)
    size = abs(d)
    steep = size > 0.25
    pi, pi_low = c.PI[m.kind]
    near = m.where(steep, 0.5 - size, size)
    r, lost = m.two_product(near, pi)
    lost = m.fma(near, pi_low, lost)
    one, one_low = m.quick_sum(*cosine(m, r, lost))
    other, other_low = m.quick_sum(r, sine(m, r, lost))
    up = m.where(steep, one, other), m.where(steep, one_low, other_low)
    along = m.where(steep, other, one), m.where(steep, other_low, one_low)
    return up, along, d


def gammaln(m: Emitter, x: Real) -> Real:
    """log |gamma(x)|."""
    left = x < -0.5
    y = m.where(left, -x, x)
    small = y < 0.5
    middle = y < 1.5
    large = y >= _LARGE
    v, product = m.where(large, 2.0, y), m.real(1.0)
    for _ in range(6):
        high = v >= 2.5
        less = v - 1.0
        product = m.where(high, product * less, product)
        v = m.where(high, less, v)
    # gamma(y) is gamma(2 + u) times the product, or divided by y, or by y (y + 1)
    u = m.where(small, y, m.where(middle, y - 1.0, v - 2.0))
    from_log = m.where(small, abs(y) * (y + 1.0), m.where(middle, y, product))
    log, log_low = logarithm.unrounded(m, m.where(large, y, from_log))
    c0, c0_low = c.ONE_LESS_EULER[m.kind]
    p, p_low = m.two_product(u, c0)
    p_low = p_low + u * m.fma(u, m.polynomial(u, c.GAMMALN[m.kind]), c0_low)
    sign = m.where(middle, -1.0, 1.0)
    near, lost = m.two_sum(log * sign, p)
    near_low = lost + m.fma(log_low, sign, p_low)
    factor = y - 0.5
    p, p_low = m.two_product(factor, log)
    s, lost = m.two_sum(p, -y)
    inverse = 1.0 / y
    series = inverse * m.polynomial(inverse * inverse, c.STIRLING[m.kind])
    half_log, half_log_low = c.HALF_LOG_TWO_PI[m.kind]
    far, more = m.two_sum(s, m.real(half_log))
    far_low = lost + (more + m.fma(factor, log_low, p_low)) + (series + half_log_low)
    value, value_low = m.where(large, far, near), m.where(large, far_low, near_low)
    total = m.where(y > 1e30, y * (log - 1.0), value + value_low)
    total = m.where(x.equals(math.inf), math.inf, m.where(x.equals(0.0), math.inf, total))
    total = m.where(x.is_nan(), x, total)

    def mirrored() -> Real:
        up, _, d = _half_turn(m, y)
        product, lost = m.two_product(y, up[0])
        other, other_low = logarithm.unrounded(m, product)
        other_low = other_low + m.fma(y, up[1], lost) / product
        log_pi, log_pi_low = c.LOG_PI[m.kind]
        s, lost = m.two_sum(m.real(log_pi), -other)
        t, more = m.two_sum(s, -value)
        found = t + (more + (lost + (log_pi_low - other_low) - value_low))
        found = m.where(d.equals(0.0), math.inf, found)
        return m.where(y.equals(math.inf), -math.inf, found)  # as SciPy has it

    if m.result == "f4":
        return m.where_any(left, mirrored, total)
    total = m.where_any(x < -zeros.GAMMALN_LAST, mirrored, total)
    among = left & (x >= -zeros.GAMMALN_LAST)
    return m.where_any(among, lambda: zeros.gammaln(m, m.where(among, y, 1.0)), total)


def psi(m: Emitter, x: Real) -> Real:
    """The derivative of `gammaln`."""
    left = x < 0.0
    y = m.where(left, 1.0 - x, x)
    large = y >= _LARGE
    small = y < 1.0
    v, over, under = m.where(large, 1.5, m.where(small, y + 1.0, y)), m.real(0.0), m.real(1.0)
    for _ in range(6):
        above = v > 2.0
        less = v - 1.0
        over = m.where(above, m.fma(over, less, under), over)
        under = m.where(above, under * less, under)
        v = m.where(above, less, v)
    over, under = m.where(small, -1.0, over), m.where(small, y, under)
    root, root_low, root_lowest = c.PSI_ROOT[m.kind]
    away = ((v - root) - root_low) - root_lowest
    p, p_low = m.two_product(away, m.polynomial(v - 1.5, c.PSI[m.kind]))
    sum_of_inverses = over / under
    near, near_low = m.two_sum(p, sum_of_inverses)
    near_low = near_low + (p_low + m.fma(-sum_of_inverses, under, over) / under)
    near_low = m.where(abs(near).equals(math.inf), 0.0, near_low)
    inverse = 1.0 / y
    square = inverse * inverse
    log, log_low = logarithm.unrounded(m, m.where(large, y, 1.0))
    far, far_low = m.quick_sum(log, log_low - m.fma(square, m.polynomial(square, c.PSI_FAR[m.kind]), inverse * 0.5))
    high, low = m.where(large, far, near), m.where(large, far_low, near_low)
    value = m.where(y.equals(math.inf), math.inf, high + low)
    value = m.where(x.equals(0.0), m.signed_as(m.real(math.inf), -x), value)

    def mirrored() -> Real:
        cut = ((1.0 - y) - x) * inverse  # of 1 - x, times about the derivative
        up, along, d = _half_turn(m, x)
        q, q_low = m.quotient(*along, *up)
        pi, pi_low = c.PI[m.kind]
        turn, lost = m.two_product(m.signed_as(q, d), pi)
        turn_low = m.fma(m.signed_as(q_low, q_low * d), pi, m.fma(m.signed_as(q, d), pi_low, lost))
        s, lost = m.two_sum(high, -turn)
        found = m.where(abs(turn).equals(math.inf), -turn, s + (lost + ((low + cut) - turn_low)))
        if m.result == "f8":
            zero = (abs(found) < high * _AGREE) & (x < -zeros.PSI_LAST)
            found = m.where_any(zero, lambda: m.one_by_one(zero, fixed.near_zero(m), -x), found)
        return m.where(d.equals(0.0) | y.equals(math.inf), math.nan, found)

    if m.result == "f4":
        return m.where_any(left, mirrored, value)
    value = m.where_any(x <= -zeros.PSI_LAST, mirrored, value)
    among = left & (x > -zeros.PSI_LAST)
    return m.where_any(among, lambda: zeros.psi(m, m.where(among, -x, 0.5)), value)

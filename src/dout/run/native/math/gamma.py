"""The logarithm of the gamma function, and its derivative.

From 8 on, Stirling's series, as a polynomial of 1/x**2 that is fitted to it. Below, the argument is brought near 2 by
gamma(x + 1) = x gamma(x). Negative arguments are reflected (NIST Digital Library of Mathematical Functions, 5.5.3 and 5.5.4).
Near the zeros of negative arguments the result is a difference of larger numbers, and only as exact as they are.
"""

from __future__ import annotations

import math

from . import coefficients as c
from . import logarithm
from .trigonometry import cosine, sine
from .values import Emitter, Real

_LARGE = 8.0


def _log(m: Emitter, x: Real) -> tuple[Real, Real]:
    """The logarithm of a positive finite number as a sum of two."""
    k, f = logarithm.split(m, x)
    high, low = logarithm.parts(m, f)
    ln2, ln2_low = c.LN2[m.kind]
    total, lost = m.quick_sum(k * ln2, high)
    return m.quick_sum(total, m.fma(k, ln2_low, lost + low))


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
    left = x <= -0.5
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
    log, log_low = _log(m, m.where(large, y, from_log))
    c0, c0_low = c.ONE_LESS_EULER[m.kind]
    p, p_low = m.two_product(u, c0)
    p_low = p_low + u * m.fma(u, m.polynomial(u, c.GAMMALN[m.kind]), c0_low)
    sign = m.where(middle, -1.0, 1.0)
    s, lost = m.two_sum(log * sign, p)
    near = s + (lost + m.fma(log_low, sign, p_low))
    factor = y - 0.5
    p, p_low = m.two_product(factor, log)
    s, lost = m.two_sum(p, -y)
    inverse = 1.0 / y
    series = inverse * m.polynomial(inverse * inverse, c.STIRLING[m.kind])
    half_log, half_log_low = c.HALF_LOG_TWO_PI[m.kind]
    s, more = m.two_sum(s, m.real(half_log))
    rest = lost + (more + m.fma(factor, log_low, p_low)) + (series + half_log_low)
    far = m.where(y > 1e30, y * (log - 1.0), s + rest)
    value = m.where(large, far, near)
    value = m.where(y.equals(math.inf), math.inf, value)
    up, _, d = _half_turn(m, y)
    product, lost = m.two_product(y, up[0])
    product = m.where(left, product, 1.0)
    other, other_low = _log(m, product)
    other_low = other_low + m.where(left, m.fma(y, up[1], lost), 0.0) / product
    log_pi, log_pi_low = c.LOG_PI[m.kind]
    s, lost = m.two_sum(m.real(log_pi), -other)
    t, more = m.two_sum(s, -value)
    mirrored = m.where(d.equals(0.0), math.inf, t + (more + (lost + (log_pi_low - other_low))))
    mirrored = m.where(y.equals(math.inf), -math.inf, mirrored)  # as SciPy has it
    value = m.where(left, mirrored, value)
    return m.where(x.is_nan(), x, m.where(x.equals(0.0), math.inf, value))


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
    log, log_low = _log(m, m.where(large, y, 1.0))
    far, far_low = m.quick_sum(log, log_low - m.fma(square, m.polynomial(square, c.PSI_FAR[m.kind]), inverse * 0.5))
    high, low = m.where(large, far, near), m.where(large, far_low, near_low)
    value = m.where(y.equals(math.inf), math.inf, high + low)
    up, along, d = _half_turn(m, x)
    q, q_low = m.quotient(*along, *up)
    pi, pi_low = c.PI[m.kind]
    turn, lost = m.two_product(m.signed_as(q, d), pi)
    turn_low = m.fma(m.signed_as(q_low, q_low * d), pi, m.fma(m.signed_as(q, d), pi_low, lost))
    s, lost = m.two_sum(high, -turn)
    mirrored = m.where(abs(turn).equals(math.inf), -turn, s + (lost + (low - turn_low)))
    mirrored = m.where(d.equals(0.0) | y.equals(math.inf), math.nan, mirrored)
    value = m.where(left, mirrored, value)
    return m.where(x.equals(0.0), m.signed_as(m.real(math.inf), -x), value)

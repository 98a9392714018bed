"""Inverse trigonometric functions: arctan, arctan2, arcsin, arccos.

An arc tangent is reduced by atan(q) = pi/4 + atan((q - 1)/(q + 1)) and pi/2 - atan(1/q) to |q| <= tan(pi/8), with the
quotient as an unrounded sum of two. An arc sine above 1/2 is pi/2 - 2 asin(sqrt((1 - x)/2)).
"""

from __future__ import annotations

import math

from . import coefficients as c
from .values import Bit, Emitter, Real


def _angle(m: Emitter, small: Real, large: Real, swapped: Bit, back: Bit | None) -> Real:
    """The angle whose tangent is small/large, from 0 to 1; its complement to pi/2, then to pi where asked for."""
    steep = small > large * (math.sqrt(2) - 1)
    above, above_low = m.two_sum(small, -large)
    below, below_low = m.two_sum(large, small)
    x, x_low = m.where(steep, above, small), m.where(steep, above_low, 0.0)
    y, y_low = m.where(steep, below, large), m.where(steep, below_low, 0.0)
    q = x / y
    low = (m.fma(-q, y, x) + m.fma(-q, y_low, x_low)) / y
    z = q * q
    low = m.fma(q * z, m.polynomial(z, c.ATAN[m.kind]), low)
    eighths = m.where(steep, 1.0, 0.0)  # so many quarters of pi are added
    sign = m.where(swapped, -1.0, 1.0)
    eighths = m.where(swapped, 2.0 - eighths, eighths)
    if back is not None:
        eighths = m.where(back, 4.0 - eighths, eighths)
        sign = m.where(back, -sign, sign)
    quarter = [part / 2 for part in c.HALF_PI[m.kind]]
    base, base_low = m.two_product(eighths, quarter[0])
    total, lost = m.quick_sum(base, sign * q)
    return total + (lost + m.fma(eighths, quarter[1], m.fma(sign, low, base_low)))


def arctan(m: Emitter, x: Real) -> Real:
    """The angle with this tangent, from -pi/2 to pi/2."""
    size = abs(x)
    swapped = size > 1.0
    far = size > 2.0 ** (2 * m.digits)
    small, large = m.where(swapped, 1.0, size), m.where(far, 2.0 ** (2 * m.digits), m.where(swapped, size, 1.0))
    return m.signed_as(_angle(m, small, large, swapped, None), x)


def arctan2(m: Emitter, y: Real, x: Real) -> Real:
    """The angle of the point (x, y), from -pi to pi."""
    up, along = abs(y), abs(x)
    swapped = up > along
    small, large = m.where(swapped, along, up), m.where(swapped, up, along)
    endless = large.equals(math.inf)
    small = m.where(endless, m.where(small.equals(math.inf), 1.0, 0.0), small)
    large = m.where(endless, 1.0, m.where(large.equals(0.0), 1.0, large))
    top = m.bias - 23.0  # neither the sum nor the quotient's remainder goes out of range
    shift = m.where(large > 2.0**top, 2.0**-60, m.where(large < 2.0 ** (-top / 2), 2.0 ** (top / 2), 1.0))
    value = _angle(m, small * shift, large * shift, swapped, m.signed_as(m.real(1.0), x) < 0.0)
    value = m.where(x.is_nan() | y.is_nan(), math.nan, value)
    return m.signed_as(value, y)


def _arc(m: Emitter, x: Real) -> tuple[Bit, Real, Real, Real]:
    """Whether |x| < 1/2; asin of x, or of sqrt((1 - |x|)/2): first term, what it lacks, and the rest of the series."""
    size = abs(x)
    near = size < 0.5
    z = m.where(near, x * x, (1.0 - size) * 0.5)
    root = m.sqrt(z)
    lost = m.fma(-root, root, z) / m.where(z.equals(0.0), 1.0, root + root)
    s = m.where(near, x, root)
    return near, s, m.where(near, 0.0, lost), s * (z * m.polynomial(z, c.ASIN[m.kind]))


def arcsin(m: Emitter, x: Real) -> Real:
    """The angle with this sine."""
    near, s, lost, rest = _arc(m, x)
    half_pi, half_pi_low, _ = c.HALF_PI[m.kind]
    high, low = m.quick_sum(m.real(half_pi), s * -2.0)
    far = high + (low + m.fma(rest + lost, -2.0, half_pi_low))
    return m.signed_as(m.where(near, s + rest, far), x)


def arccos(m: Emitter, x: Real) -> Real:
    """The angle with this cosine."""
    near, s, lost, rest = _arc(m, x)
    below = m.where(x < 0.0, 1.0, 0.0)
    half_pi, half_pi_low, _ = c.HALF_PI[m.kind]
    # pi/2 - asin x; 2 asin(root); pi - 2 asin(root)
    turns = m.where(near, 1.0, below + below)
    factor = m.where(near, -1.0, m.where(x < 0.0, -2.0, 2.0))
    high, low = m.quick_sum(turns * half_pi, s * factor)
    return high + (low + m.fma(rest + lost, factor, turns * half_pi_low))

"""The error function and its complement.

Up to 1, erf(x) is x times a polynomial of x**2. Beyond, erfc(x) = exp(-x**2) Q(u) / (1 + 2 x) with a polynomial Q of
u = (x - 4)/(x + 4), which hardly changes (after Shepherd and Laframboise, Mathematics of Computation 36, 1981); x**2 is an
unrounded sum of two.
"""

from __future__ import annotations

from . import coefficients as c
from .exponential import parts
from .values import Emitter, Real


def _near(m: Emitter, x: Real) -> Real:
    """erf(x) for |x| <= 1."""
    z = x * x
    high, low = c.TWO_BY_ROOT_PI[m.kind]
    return m.fma(x, high, x * m.fma(z, m.polynomial(z, c.ERF[m.kind]), low))


def _far(m: Emitter, x: Real) -> Real:
    """erfc(x) for x from 1/2 to 28."""
    u = (x - 4.0) / (x + 4.0)
    below, below_low = m.two_sum(x + x, m.real(1.0))
    first, *others = c.ERFC[m.kind]
    p, p_low = m.two_product(u, m.polynomial(u, others))
    p, lost = m.quick_sum(m.real(first), p)
    q, q_low = m.quotient(p, lost + p_low, below, below_low)
    square, lost = m.two_product(x, x)
    k, s, t = parts(m, -square, -lost)
    return m.scaled(m.fma(s, q, m.fma(t, q, s * q_low)), k)


def erf(m: Emitter, x: Real) -> Real:
    """The error function."""
    size = abs(x)
    far = 1.0 - _far(m, m.held(size, 0.5, 6.5))
    return m.signed_as(m.where(size < 1.0, _near(m, x), far), x)


def erfc(m: Emitter, x: Real) -> Real:
    """1 - erf(x), also where that is small."""
    size = abs(x)
    far = _far(m, m.held(size, 0.5, 28.0 if m.kind == "f8" else 10.5))
    far = m.where(x < 0.0, 2.0 - far, far)
    return m.where(size < 0.5, 1.0 - _near(m, x), far)

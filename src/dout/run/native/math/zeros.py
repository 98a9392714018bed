"""gammaln and psi between their poles at negative arguments, in float64, from the distance to a zero that is tabulated.

The zeros are sums of three numbers, so the distance t is right to the last digit, however small it is, and the value is t times
something that doesn't cancel. What is singular at the poles is written out; a polynomial has the rest.
"""

from __future__ import annotations

import math

from . import gammaln_zeros, logarithm, psi_zeros
from .values import Emitter, Real

#: -x up to which the tables go; for psi, that is a pole, which isn't in them.
GAMMALN_LAST = len(gammaln_zeros.ROWS) / 2 + 0.5
PSI_LAST = float(len(psi_zeros.ROWS))


def _distance(m: Emitter, y: Real, zero: list[Real]) -> tuple[Real, Real]:
    """y less a sum of three, as a sum of two."""
    t, lost = m.two_sum(y - zero[0], -zero[1])  # the first difference is exact
    return m.quick_sum(t, lost - zero[2])


def gammaln(m: Emitter, y: Real) -> Real:
    """log |gamma(-y)|, for y from 1/2 on.

    With d = y - n from the nearest integer, and d0 at the zero on that side of it, the value is
    -(log(d/d0) + t G(t)). Below 2 there are no zeros: it is 2 - (log(d/d0) + t G(t)) with a d0 where it is 2.
    """
    # next to 2.5, the zero before it is nearer than that behind it
    n = m.where(abs(y - 2.25) < 0.3, 2.0, m.intrinsic("rint", y))
    d = y - n
    number = m.where(d < 0.0, n + n, n + (n + 1.0)) - 2.0
    first, second, third, inverse, inverse_low, start, start_low, *others = m.row(
        "dout.gammaln.zeros", gammaln_zeros.ROWS, number
    )
    t, t_low = _distance(m, y, [first, second, third])
    q, q_low = m.two_product(t, inverse)
    q_low = m.fma(t, inverse_low, m.fma(t_low, inverse, q_low))
    ratio, lost = m.two_sum(m.real(1.0), q)
    ratio, lost = m.quick_sum(ratio, lost + q_low)  # next to a pole, what q lacks is not small beside 1 + q
    log, log_low = logarithm.unrounded(m, ratio)
    log_low = log_low + lost / ratio
    p, p_low = m.two_product(t, start)
    p_low = m.fma(t_low, start, p_low) + t * m.fma(t, m.polynomial(t, others), start_low)
    s, more = m.two_sum(log, p)
    s, lost = m.two_sum(m.where(y < 2.0, 2.0, 0.0), -s)
    return m.where(d.equals(0.0), math.inf, s + (lost - (more + (log_low + p_low))))


def psi(m: Emitter, y: Real) -> Real:
    """The value of psi at -y.

    With d and e, the distances to the integers below and above, and d0 and e0 at the zero between them, it is
    -t (1/(d d0) + 1/(e e0) + M(t)), where nothing is negative but t.
    """
    n = m.intrinsic("floor", y)
    d, e = y - n, (n + 1.0) - y
    entries = m.row("dout.psi.zeros", psi_zeros.ROWS, n)
    t, t_low = _distance(m, y, entries[:3])
    below, below_low = m.quotient(entries[3], entries[4], d, 0.0)
    above, above_low = m.quotient(entries[5], entries[6], e, 0.0)
    s, lost = m.two_sum(below, above)
    low = lost + (below_low + (above_low + m.polynomial(t, entries[7:])))
    p, p_low = m.two_product(t, s)
    found = -(p + m.fma(t, low, m.fma(t_low, s, p_low)))
    found = m.where(y < 2.0**-60, 1.0 / y, found)  # where 1/(d d0) may be too large
    return m.where(d.equals(0.0), math.nan, found)

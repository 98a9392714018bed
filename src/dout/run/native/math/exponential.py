"""Exponentials: exp, exp2, exp10, expm1, and what is made of them: hyperbolic functions, the logistic one, softplus, logaddexp.

The argument is split as x = k log(2) + r, |r| <= log(2)/2 (Cody and Waite), k an integer. exp(r) is 1 + r and the rest as an
unrounded sum of two, so what follows loses almost nothing.
"""

from __future__ import annotations

from . import coefficients as c
from .logarithm import log1p_of
from .values import Emitter, Real


def _limits(m: Emitter) -> tuple[float, float]:
    """Below the first, exp is 0; above the second, infinite."""
    return (-746.0, 711.0) if m.kind == "f8" else (-104.5, 90.0)


def parts(m: Emitter, x: Real, low: Real | float = 0.0) -> tuple[Real, Real, Real]:
    """k, s and t with exp(x + low) = 2**k (s + t), |t| much smaller than s. x is within the limits, |low| below 1e-9."""
    high_ln2, low_ln2 = c.LN2[m.kind]
    k, _ = m.rounded(x, c.LOG2_E[m.kind][0])
    high = m.fma(k, -high_ln2, x)
    r = m.fma(k, -low_ln2, high)
    lost = m.fma(k, -low_ln2, high - r)
    if isinstance(low, Real):
        r, lost = m.two_sum(r, lost + low)
    return (k, *one_more(m, r, lost))


def one_more(m: Emitter, r: Real, low: Real) -> tuple[Real, Real]:
    """exp(r + low) as a sum of two, |r| <= log(2)/2."""
    s, t = m.quick_sum(m.real(1.0), r)
    return s, t + m.fma(r * r, m.polynomial(r, c.EXP[m.kind]), low)


def _quick(m: Emitter, x: Real) -> tuple[Real, Real]:
    """k and v with exp(x) = 2**k v: rounded once more than `parts`, in fewer instructions. x is within the limits."""
    high_ln2, low_ln2 = c.LN2[m.kind]
    k, _ = m.rounded(x, c.LOG2_E[m.kind][0])
    r = m.fma(k, -low_ln2, m.fma(k, -high_ln2, x))
    return k, 1.0 + m.fma(r * r, m.polynomial(r, c.EXP_QUICK[m.kind]), r)


def exp(m: Emitter, x: Real) -> Real:
    """e**x."""
    k, v = _quick(m, m.held(x, *_limits(m)))
    return m.scaled(v, k)


def exp2(m: Emitter, x: Real) -> Real:
    """2**x."""
    x = m.held(x, -(m.bias + m.digits + 1.0), m.bias + 2.0)
    k, _ = m.rounded(x)
    high, low = c.LN2_FULL[m.kind]
    r, lost = m.two_product(x - k, high)
    s, t = one_more(m, r, m.fma(x - k, low, lost))
    return m.scaled(s + t, k)


def exp10(m: Emitter, x: Real) -> Real:
    """10**x."""
    limit = 330.0 if m.kind == "f8" else 48.0
    x = m.held(x, -limit, limit)
    k, _ = m.rounded(x * (c.LN10[m.kind][0] * c.LOG2_E[m.kind][0]))
    high, low = c.LOG10_2[m.kind]
    first = m.fma(k, -high, x)
    rest = m.fma(k, -low, first)
    lost = m.fma(k, -low, first - rest)
    high, low = c.LN10[m.kind]
    r, more = m.two_product(rest, high)
    s, t = one_more(m, r, m.fma(rest, low, m.fma(lost, high, more)))
    return m.scaled(s + t, k)


def expm1(m: Emitter, x: Real) -> Real:
    """e**x - 1, also for small x."""
    k, s, t = parts(m, m.held(x, -40.0, _limits(m)[1]))
    far = m.scaled(s + t, k)
    scale = m.power_of_two(k)  # wrong where it is too large; there `far` is taken
    near, lost = m.two_sum(s * scale, m.real(-1.0))
    near = near + m.fma(scale, t, lost)
    value = m.where(x > 60.0, far, near)
    return m.where(x.equals(0.0), x, value)


def sinh(m: Emitter, x: Real) -> Real:
    """(e**x - e**-x) / 2; where that cancels, a polynomial."""
    size = abs(x)
    k, s, t = parts(m, m.held(size, 0.0, _limits(m)[1] + 1.0))
    half = m.scaled(s + t, k - 1.0)
    far = m.signed_as(half - 0.25 / half, x)
    z = x * x
    near = m.fma(x * z, m.polynomial(z, c.SINH[m.kind]), x)
    return m.where(size < 1.0, near, far)


def cosh(m: Emitter, x: Real) -> Real:
    """(e**x + e**-x) / 2."""
    k, s, t = parts(m, m.held(abs(x), 0.0, _limits(m)[1] + 1.0))
    half = m.scaled(s + t, k - 1.0)
    return half + 0.25 / half


def tanh(m: Emitter, x: Real) -> Real:
    """1 - 2 / (e**(2x) + 1); where that cancels, a polynomial."""
    size = abs(x)
    k, value = _quick(m, m.held(size + size, 0.0, 60.0))
    far = 1.0 - 2.0 / (value * m.power_of_two(k) + 1.0)
    z = m.where(size < 0.55, x * x, 0.0)
    near = m.fma(x * z, m.polynomial(z, c.TANH[m.kind]), x)
    return m.signed_as(m.where(size < 0.55, near, far), x)


def _minus(m: Emitter, x: Real) -> tuple[Real, Real, Real, Real, Real]:
    """For exp(-|x|): k, s and t as `parts` gives them, and the exponential itself as a sum of two."""
    k, s, t = parts(m, m.held(-abs(x), _limits(m)[0], 0.0))
    high, low = m.quick_sum(s, t)
    scale = m.power_of_two(m.where(k > -60.0, k, -60.0))
    return k, high, low, m.scaled(high, k), low * scale


def expit(m: Emitter, x: Real) -> Real:
    """1 / (1 + e**-x), from e**-|x|, which can't be too large; for negative x it is divided by itself and one."""
    k, s, t, e, e_low = _minus(m, x)
    positive = x >= 0.0
    below, lost = m.quick_sum(m.real(1.0), e)
    q, rest = m.quotient(m.where(positive, 1.0, s), m.where(positive, 0.0, t), below, lost + e_low)
    return m.scaled(q + rest, m.where(positive, 0.0, k))


def softplus(m: Emitter, x: Real) -> Real:
    """log(1 + e**x) = max(x, 0) + log(1 + e**-|x|)."""
    _, _, _, e, e_low = _minus(m, x)
    return m.where(x > 0.0, x, 0.0) + log1p_of(m, e, e_low)


def log_expit(m: Emitter, x: Real) -> Real:
    """The logarithm of `expit`: -softplus(-x)."""
    return -softplus(m, -x)


def logaddexp(m: Emitter, x: Real, y: Real) -> Real:
    """log(e**x + e**y) = max(x, y) + log(1 + e**-|x - y|)."""
    larger = m.where(x > y, x, y)
    apart = m.where(x.equals(y), 0.0, x - y)  # also of equal infinities
    _, _, _, e, e_low = _minus(m, apart)
    return larger + log1p_of(m, e, e_low)

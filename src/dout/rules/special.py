"""Rules of SciPy's special functions, which are ufuncs too. Read when the first of them meets a Variable.

Formulas: NIST Digital Library of Mathematical Functions (dlmf.nist.gov), chapters 5 (gamma), 7 (error functions), 8 (incomplete
gamma and beta), 10 (Bessel), 19 (elliptic integrals), 25 (zeta).
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import Any

import numpy
import scipy.special

from ..graph import plain
from .quick import positive, valued
from .registry import flat, rule

np: Any = numpy  # NumPy's type stubs don't know Variables
sp: Any = scipy.special
Array = Any

ROOT_PI = float(np.sqrt(np.pi))
ROOT_2_PI = float(np.sqrt(2 * np.pi))
ROOT_2 = float(np.sqrt(2.0))
#: From here on, functions that die away by powers are written as series of them, of which so many terms tell all digits.
FAR, TERMS = 12.0, 15


def _none(name: str, which: str) -> Callable[..., Array]:
    """The pullback of a parameter that has no derivative in closed form."""

    def pullback(dout: Array, _out: Array, *_args: Array) -> Array:
        raise NotImplementedError(
            f"scipy.special.{name}: its derivative with respect to {which} has no closed form. Give {which} as a plain "
            f"number, dout.stop_gradient({which})."
        )

    return pullback


def _trigamma(x: Array) -> Array:
    """The derivative of digamma: ζ(2, x), and by reflection where x is negative (DLMF 5.15.6)."""
    if np.iscomplexobj(x):
        raise NotImplementedError("the derivative of digamma of complex numbers is not in SciPy")
    left = plain(x) <= 0
    if not np.any(left):
        return sp.zeta(2.0, x)
    right = sp.zeta(2.0, np.where(left, 1 - x, x))
    return np.where(left, (np.pi / np.sin(np.pi * np.where(left, x, 0.5))) ** 2 - right, right)


def _tail(z: Array) -> Array:
    """z + 1·3 z² + 1·3·5 z³ + ... (DLMF 7.12.1)."""
    found: Any = 0.0
    for k in range(TERMS, 0, -1):
        found = (found + 1.0) * ((2 * k - 1) * z)
    return found


def _d_erfcx(out: Array, x: Array) -> Array:
    """2 x erfcx(x) - 2/√π, which cancels where x is large."""
    far = plain(x) > FAR
    near = 2 * x * out - 2 / ROOT_PI
    if not np.any(far):
        return near
    return np.where(far, (2 / ROOT_PI) * _tail(-0.5 / np.square(np.where(far, x, FAR))), near)


def _d_dawsn(out: Array, x: Array) -> Array:
    """1 - 2 x F(x), which cancels where x is large."""
    far = np.abs(plain(x)) > FAR
    near = 1 - 2 * x * out
    return np.where(far, -_tail(0.5 / np.square(np.where(far, x, FAR))), near) if np.any(far) else near


# Error functions and the normal distribution
rule(sp.erf, lambda dout, _out, x: dout * (2 / ROOT_PI) * np.exp(-x * x))
rule(sp.erfc, lambda dout, _out, x: dout * (-2 / ROOT_PI) * np.exp(-x * x))
rule(sp.erfcx, lambda dout, out, x: dout * _d_erfcx(out, x))
rule(sp.erfinv, lambda dout, out, _x: dout * (ROOT_PI / 2) * np.exp(out * out))
rule(sp.erfcinv, lambda dout, out, _x: dout * (-ROOT_PI / 2) * np.exp(out * out))
rule(sp.dawsn, lambda dout, out, x: dout * _d_dawsn(out, x))
rule(sp.ndtr, lambda dout, _out, x: dout * np.exp(-0.5 * x * x) / ROOT_2_PI)
rule(sp.log_ndtr, lambda dout, _out, x: dout * (2 / ROOT_2_PI) / sp.erfcx(-x / ROOT_2))
rule(sp.ndtri, lambda dout, out, _x: dout * ROOT_2_PI * np.exp(0.5 * out * out))

# Logistic and exponential
rule(sp.expit, lambda dout, out, _x: dout * out * (1 - out))
rule(sp.logit, lambda dout, _out, x: dout / positive(x * (1 - x)))
rule(sp.log_expit, lambda dout, _out, x: dout * sp.expit(-x))
rule(sp.exp10, lambda dout, out, _x: dout * out * float(np.log(10.0)))
rule(sp.cosm1, lambda dout, _out, x: -dout * np.sin(x))
rule(sp.exprel, lambda dout, _out, x: dout * _d_exprel(x))
rule(sp.expi, lambda dout, _out, x: dout * np.exp(x) / x)
rule(sp.exp1, lambda dout, _out, x: -dout * np.exp(-x) / positive(x))
if hasattr(sp, "softplus"):  # since SciPy 1.17
    rule(sp.softplus, lambda dout, _out, x: dout * sp.expit(x))


def _d_exprel(x: Array) -> Array:
    """d/dx (exp(x) - 1) / x, near 0 by its series, of which every derivative is right too."""
    near = np.abs(plain(x)) < 1.0
    small, far = np.where(near, x, 0.5), np.where(near, 2.0, x)
    series: Any = 0.0
    for k in range(20, 0, -1):
        series = series * small + k / factorial(k + 1)
    return np.where(near, series, (np.exp(far) - sp.exprel(far)) / far)


# Entropies
rule(sp.entr, lambda dout, _out, x: -dout * (np.log(x) + 1))
rule(sp.rel_entr, lambda dout, _out, x, y: dout * (np.log(x / y) + 1), lambda dout, _out, x, y: -dout * (x / y))
rule(sp.kl_div, lambda dout, _out, x, y: dout * np.log(x / y), lambda dout, _out, x, y: dout * (1 - x / y))
rule(sp.xlogy, lambda dout, _out, _x, y: dout * np.log(y), lambda dout, _out, x, y: dout * _share(x, positive(y)))
rule(
    sp.xlog1py, lambda dout, _out, _x, y: dout * np.log1p(y), lambda dout, _out, x, y: dout * _share(x, positive(1 + y))
)
rule(sp.huber, lambda dout, _out, delta, r: dout * np.where(np.abs(r) <= delta, 0, np.abs(r) - delta),
     lambda dout, _out, delta, r: dout * np.where(np.abs(r) <= delta, r, delta * np.sign(r)))  # fmt: skip
rule(sp.pseudo_huber, lambda dout, _out, delta, r: dout * _d_width(delta, r),
     lambda dout, _out, delta, r: dout * r / np.hypot(1, r / delta))  # fmt: skip


def _share(x: Array, y: Array) -> Array:
    """x / y; 0 where x is 0, as x log y is."""
    none = plain(x) == 0
    return np.where(none, x, x / np.where(none, 1, y)) if np.any(none) else x / y


def _d_width(delta: Array, r: Array) -> Array:
    """d/dδ of δ² (√(1 + (r/δ)²) - 1), in factors of which none cancels or overflows."""
    u = r / delta
    root = np.hypot(1, u)
    over = u * (u / (root + 1))  # root - 1
    return delta * over * (over / root)


# Gamma and its kin
rule(sp.gamma, lambda dout, out, x: dout * out * sp.psi(x))
rule(sp.gammaln, lambda dout, _out, x: dout * sp.psi(x))
rule(sp.loggamma, lambda dout, _out, x: dout * sp.psi(positive(x)))
rule(sp.rgamma, lambda dout, out, x: dout * _d_rgamma(out, x))
rule(sp.psi, lambda dout, out, x: valued(dout, out) * _trigamma(x))
rule(sp._ufuncs._zeta, _none("zeta", "x"), lambda dout, _out, x, q: -dout * x * sp.zeta(x + 1, q))
rule(sp.beta, lambda dout, out, a, b: dout * out * _apart(a, a + b),
     lambda dout, out, a, b: dout * out * _apart(b, a + b))  # fmt: skip
rule(sp.betaln, lambda dout, _out, a, b: dout * _apart(a, a + b), lambda dout, _out, a, b: dout * _apart(b, a + b))
rule(sp.gammainc, _none("gammainc", "a"), lambda dout, _out, a, x: dout * _gamma_density(a, x))
rule(sp.gammaincc, _none("gammaincc", "a"), lambda dout, _out, a, x: -dout * _gamma_density(a, x))
rule(sp.gammaincinv, _none("gammaincinv", "a"), lambda dout, out, a, _y: dout / _gamma_density(a, out))
rule(
    sp.betainc, _none("betainc", "a"), _none("betainc", "b"), lambda dout, _out, a, b, x: dout * _beta_density(a, b, x)
)
rule(sp.betaincc, _none("betaincc", "a"), _none("betaincc", "b"),
     lambda dout, _out, a, b, x: -dout * _beta_density(a, b, x))  # fmt: skip
rule(sp.betaincinv, _none("betaincinv", "a"), _none("betaincinv", "b"),
     lambda dout, out, a, b, _y: dout / _beta_density(a, b, out))  # fmt: skip


def _apart(a: Array, b: Array) -> Array:
    """ψ(a) - ψ(b); where both have poles, their difference has none (DLMF 5.5.4)."""
    poles = _is_pole(plain(a)) & _is_pole(plain(b))
    if not np.any(poles):
        return sp.psi(a) - sp.psi(b)
    return sp.psi(np.where(poles, 1 - a, a)) - sp.psi(np.where(poles, 1 - b, b))


def _is_pole(x: Array) -> Array:
    return (x <= 0) & (np.floor(x) == x)


def _d_rgamma(out: Array, x: Array) -> Array:
    """-ψ(x)/Γ(x), and by reflection where x is negative, where it has no poles (DLMF 5.5.3)."""
    left = np.real(plain(x)) < 0.5
    if not np.any(left):
        return -out * sp.psi(x)
    y, angle = np.where(left, 1 - x, 1), np.pi * np.where(left, x, 0)
    mirrored = sp.gamma(y) * (np.cos(angle) - sp.psi(y) * np.sin(angle) / np.pi)
    return np.where(left, mirrored, -out * sp.psi(np.where(left, 1, x)))


def _gamma_density(a: Array, x: Array) -> Array:
    """x^(a-1) exp(-x) / Γ(a)."""
    return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))


def _beta_density(a: Array, b: Array, x: Array) -> Array:
    """x^(a-1) (1-x)^(b-1) / B(a, b)."""
    return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


# Bessel functions
rule(sp.j0, lambda dout, _out, x: -dout * sp.j1(x))
rule(sp.j1, lambda dout, _out, x: dout * 0.5 * (sp.j0(x) - sp.jv(2.0, x)))
rule(sp.y0, lambda dout, _out, x: -dout * sp.y1(x))
rule(sp.y1, lambda dout, _out, x: dout * 0.5 * (sp.y0(x) - sp.yv(2.0, x)))
rule(sp.i0, lambda dout, _out, x: dout * sp.i1(x))
rule(sp.i1, lambda dout, _out, x: dout * 0.5 * (sp.i0(x) + sp.iv(2.0, x)))
rule(sp.i0e, lambda dout, out, x: dout * _far_off(0, x, sp.i1e(x) - np.sign(x) * out))
rule(sp.i1e, lambda dout, out, x: dout * _far_off(1, x, 0.5 * (sp.i0e(x) + sp.ive(2.0, x)) - np.sign(x) * out))
rule(sp.k0, lambda dout, _out, x: -dout * sp.k1(x))
rule(sp.k1, lambda dout, _out, x: -dout * 0.5 * (sp.k0(x) + sp.kv(2.0, x)))
rule(sp.k0e, lambda dout, out, x: dout * (out - sp.k1e(x)))
rule(sp.k1e, lambda dout, out, x: dout * (out - 0.5 * (sp.k0e(x) + sp.kve(2.0, x))))
rule(sp.jv, _none("jv", "v"), lambda dout, _out, v, z: dout * 0.5 * (sp.jv(v - 1, z) - sp.jv(v + 1, z)))
rule(sp.yv, _none("yv", "v"), lambda dout, _out, v, z: dout * 0.5 * (sp.yv(v - 1, z) - sp.yv(v + 1, z)))
rule(sp.iv, _none("iv", "v"), lambda dout, _out, v, z: dout * 0.5 * (sp.iv(v - 1, z) + sp.iv(v + 1, z)))
rule(sp.kv, _none("kv", "v"), lambda dout, _out, v, z: -dout * 0.5 * (sp.kv(v - 1, z) + sp.kv(v + 1, z)))
rule(sp.ive, _none("ive", "v"), lambda dout, out, v, z:
     dout * (0.5 * (sp.ive(v - 1, z) + sp.ive(v + 1, z)) - np.sign(np.real(z)) * out))  # fmt: skip
rule(sp.kve, _none("kve", "v"), lambda dout, out, v, z:
     dout * (out - 0.5 * (sp.kve(v - 1, z) + sp.kve(v + 1, z))))  # fmt: skip


def _far_off(order: int, x: Array, near: Array) -> Array:
    """The derivative of exp(-|x|) I(x), which cancels where x is large, and is a series of powers there (DLMF 10.40.1)."""
    far = np.abs(plain(x)) > 3 * FAR
    if not np.any(far):
        return near
    size = np.abs(np.where(far, x, 3 * FAR))
    factors = [1.0]
    for k in range(1, TERMS):
        factors.append(factors[-1] * ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k))
    found: Any = 0.0
    for k in range(TERMS - 1, -1, -1):
        found = found / size - (k + 0.5) * factors[k]
    found = found / size / np.sqrt(size) / ROOT_2_PI
    return np.where(far, found * np.sign(x) if order == 0 else found, near)


# Elliptic integrals and the dilogarithm
rule(sp.ellipk, lambda dout, out, m: dout * _near_0(m, 1, lambda m: (sp.ellipe(m) / (1 - m) - out) / (2 * m)))
rule(sp.ellipe, lambda dout, out, m: dout * _near_0(m, -1, lambda m: (out - sp.ellipk(m)) / (2 * m)))
rule(sp.spence, lambda dout, _out, x: dout * np.log(x) / (1 - x))


def _near_0(m: Array, sign: int, far: Callable[[Array], Array]) -> Array:
    """The derivative of K or E (sign 1 or -1), near 0 by their series (DLMF 19.5.1 and 19.5.2), where the formula is 0/0."""
    near = np.abs(plain(m)) < 0.1
    if not np.any(near):
        return far(m)
    small, factor, factors = np.where(near, m, 0.0), np.pi / 2, []
    for n in range(1, TERMS + 2):
        factor *= ((2 * n - 1) / (2 * n)) ** 2
        factors.append(n * factor if sign > 0 else n * factor / (1 - 2 * n))
    found: Any = 0.0
    for each in reversed(factors):
        found = found * small + each
    return np.where(near, found, far(np.where(near, 0.5, m)))


flat(sp.gammasgn)

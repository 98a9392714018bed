"""Rules of the ufuncs: arithmetic, powers, exponentials, trigonometry, choices.

Complex derivatives follow JAX: a pullback multiplies by the derivative, unconjugated; only `abs`, `conj`, `real` and
`imag`, which are not holomorphic, differ. Formulas: Abramowitz & Stegun, chapters 4 and 6, unless another source is named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import plain
from .registry import flat, implements, primitive, rule

LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
Array = Any


def _share(dout: Array, x: Array, y: Array, wins: Callable[[Array, Array], Array]) -> Array:
    """The part of dout for x in the greater (or lesser) of x and y: half at a tie, all where x is the NaN."""
    return np.where(x == y, dout * 0.5, np.where(wins(x, y) | (x != x), dout, 0))


def _share_numbers(dout: Array, x: Array, y: Array, wins: Callable[[Array, Array], Array]) -> Array:
    """As `_share`, for fmax and fmin, where a NaN loses to a number."""
    return np.where(x == y, dout * 0.5, np.where(wins(x, y) | (y != y), dout, 0))


def _d_base(dout: Array, _out: Array, x: Array, y: Array) -> Array:
    """d(x**y)/dx = y x**(y-1); 0 where y is 0, also at x = 0, where the formula alone would give NaN."""
    if isinstance(y, int | float):
        return dout * (y * np.power(x, y - 1)) if y else dout * 0
    return dout * (y * np.power(x, np.where(y == 0, 1, y - 1)))


def _d_exponent(dout: Array, out: Array, x: Array, _y: Array) -> Array:
    """d(x**y)/dy = x**y log x; 0 at x = 0, its limit from the right."""
    return dout * out * np.log(np.where(x == 0, 1, x))


def _d_abs(dout: Array, out: Array, x: Array) -> Array:
    """The sign of x, 0 at 0; for complex x, the conjugate of its direction."""
    if np.iscomplexobj(x):
        return dout * np.conj(x) / np.where(out == 0, 1, out)
    return dout * np.sign(x)


def _square_sum(x: Array, y: Array) -> Array:
    return x * x + y * y


def _softly(base: Callable[[Array], Array], x: Array, out: Array) -> Array:
    """base**(x - out), the weight of x in a soft maximum; 1 where they are equal, also at infinity."""
    return base(np.where(x == out, 0.0, x - out))


def _d_hypot(dout: Array, out: Array, this: Array) -> Array:
    return dout * this / np.where(out == 0, 1, out)


# Arithmetic
rule(np.add, lambda dout, _out, _x, _y: dout, lambda dout, _out, _x, _y: dout)
rule(np.subtract, lambda dout, _out, _x, _y: dout, lambda dout, _out, _x, _y: -dout)
rule(np.multiply, lambda dout, _out, _x, y: dout * y, lambda dout, _out, x, _y: dout * x)
rule(np.divide, lambda dout, _out, _x, y: dout / y, lambda dout, out, _x, y: -dout * out / y)
rule(np.negative, lambda dout, _out, _x: -dout)
rule(np.positive, lambda dout, _out, _x: dout)
rule(np.absolute, _d_abs)
rule(np.fabs, _d_abs)
rule(np.conjugate, lambda dout, _out, _x: np.conj(dout))
rule(np.reciprocal, lambda dout, out, _x: -dout * out * out)
rule(np.square, lambda dout, _out, x: dout * (x + x))
rule(np.remainder, lambda dout, _out, _x, _y: dout, lambda dout, _out, x, y: -dout * np.floor(x / y))
rule(np.fmod, lambda dout, _out, _x, _y: dout, lambda dout, _out, x, y: -dout * np.trunc(x / y))
rule(np.ldexp, lambda dout, _out, _x, n: np.ldexp(dout, n), lambda dout, _out, _x, _n: None)
rule(np.copysign, lambda dout, _out, x, y: dout * np.where(np.signbit(x) == np.signbit(y), 1.0, -1.0),
     lambda dout, _out, _x, _y: dout * 0)  # fmt: skip

# Powers and exponentials
rule(np.power, _d_base, _d_exponent)
rule(np.float_power, _d_base, _d_exponent)
rule(np.sqrt, lambda dout, out, _x: dout * 0.5 / out)
rule(np.cbrt, lambda dout, out, _x: dout / (3.0 * out * out))
rule(np.exp, lambda dout, out, _x: dout * out)
rule(np.exp2, lambda dout, out, _x: dout * out * LN2)
rule(np.expm1, lambda dout, out, _x: dout * (out + 1.0))
rule(np.log, lambda dout, _out, x: dout / x)
rule(np.log2, lambda dout, _out, x: dout / (x * LN2))
rule(np.log10, lambda dout, _out, x: dout / (x * LN10))
rule(np.log1p, lambda dout, _out, x: dout / (1.0 + x))
rule(np.logaddexp, lambda dout, out, x, _y: dout * _softly(np.exp, x, out),
     lambda dout, out, _x, y: dout * _softly(np.exp, y, out))  # fmt: skip
rule(np.logaddexp2, lambda dout, out, x, _y: dout * _softly(np.exp2, x, out),
     lambda dout, out, _x, y: dout * _softly(np.exp2, y, out))  # fmt: skip
rule(np.hypot, lambda dout, out, x, _y: _d_hypot(dout, out, x), lambda dout, out, _x, y: _d_hypot(dout, out, y))

# Trigonometry
rule(np.sin, lambda dout, _out, x: dout * np.cos(x))
rule(np.cos, lambda dout, _out, x: -dout * np.sin(x))
rule(np.tan, lambda dout, out, _x: dout * (1.0 + out * out))
rule(np.arcsin, lambda dout, _out, x: dout / np.sqrt(1.0 - x * x))
rule(np.arccos, lambda dout, _out, x: -dout / np.sqrt(1.0 - x * x))
rule(np.arctan, lambda dout, _out, x: dout / (1.0 + x * x))
rule(np.arctan2, lambda dout, _out, x, y: dout * y / _square_sum(x, y),
     lambda dout, _out, x, y: -dout * x / _square_sum(x, y))  # fmt: skip
rule(np.sinh, lambda dout, _out, x: dout * np.cosh(x))
rule(np.cosh, lambda dout, _out, x: dout * np.sinh(x))
rule(np.tanh, lambda dout, out, _x: dout - dout * out * out)
rule(np.arcsinh, lambda dout, _out, x: dout / np.sqrt(x * x + 1.0))
rule(np.arccosh, lambda dout, _out, x: dout / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)))
rule(np.arctanh, lambda dout, _out, x: dout / (1.0 - x * x))
rule(np.deg2rad, lambda dout, _out, _x: np.deg2rad(dout))
rule(np.radians, lambda dout, _out, _x: np.radians(dout))
rule(np.rad2deg, lambda dout, _out, _x: np.rad2deg(dout))
rule(np.degrees, lambda dout, _out, _x: np.degrees(dout))

# Choices
rule(np.maximum, lambda dout, _out, x, y: _share(dout, x, y, np.greater),
     lambda dout, _out, x, y: _share(dout, y, x, np.greater))  # fmt: skip
rule(np.minimum, lambda dout, _out, x, y: _share(dout, x, y, np.less),
     lambda dout, _out, x, y: _share(dout, y, x, np.less))  # fmt: skip
rule(np.fmax, lambda dout, _out, x, y: _share_numbers(dout, x, y, np.greater),
     lambda dout, _out, x, y: _share_numbers(dout, y, x, np.greater))  # fmt: skip
rule(np.fmin, lambda dout, _out, x, y: _share_numbers(dout, x, y, np.less),
     lambda dout, _out, x, y: _share_numbers(dout, y, x, np.less))  # fmt: skip
rule(np.heaviside, lambda dout, _out, _x, _h: dout * 0, lambda dout, _out, x, _h: np.where(x == 0, dout, 0))

#: where(condition, x, y): the branch not taken gets 0, whatever NaN or infinity it holds.
where = primitive(
    "where",
    np.where,
    lambda _dout, _out, _condition, _x, _y: None,
    lambda dout, _out, condition, _x, _y: np.where(condition, dout, 0),
    lambda dout, _out, condition, _x, _y: np.where(condition, 0, dout),
)
real = primitive("real", np.real, lambda dout, _out, _x: dout, view=True)
imag = primitive("imag", np.imag, lambda dout, _out, _x: dout * -1j, view=True)
astype = primitive("astype", lambda x, dtype: np.asarray(x).astype(dtype)[()], lambda dout, _out, _x, dtype: dout)

implements(np.real)(real)
implements(np.imag)(imag)


@implements(np.where)
def _where(condition: Array, *branches: Array) -> Array:
    if not branches:
        return np.nonzero(condition)
    return where(plain(condition), *branches)


@implements(np.sign)
def _sign(x: Array) -> Array:
    if np.iscomplexobj(x):
        size = np.abs(x)
        return x / np.where(size == 0, 1, size)
    return np.sign(plain(x))


@implements(np.clip)
def _clip(a: Array, a_min: Array = None, a_max: Array = None, *, min: Array = None, max: Array = None) -> Array:
    low, high = a_min if min is None else min, a_max if max is None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


implements(np.divmod)(lambda x, y: (np.floor_divide(x, y), np.remainder(x, y)))
implements(np.modf)(lambda x: (x - np.trunc(x), np.trunc(x)))
implements(np.angle)(lambda z, deg=False: np.arctan2(np.imag(z), np.real(z)) * (180 / np.pi if deg else 1.0))
implements(np.nan_to_num)(
    lambda x, copy=True, nan=0.0, posinf=None, neginf=None: np.where(
        np.isfinite(x), x, np.nan_to_num(plain(x), copy=copy, nan=nan, posinf=posinf, neginf=neginf)
    )
)

flat(
    np.floor, np.ceil, np.rint, np.trunc, np.floor_divide, np.spacing, np.fix, np.round, np.around,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.signbit,
    np.isclose, np.allclose, np.array_equal, np.array_equiv,
)  # fmt: skip

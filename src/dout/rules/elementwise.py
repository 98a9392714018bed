"""Rules of the ufuncs: arithmetic, powers, exponentials, trigonometry, choices.

Complex derivatives follow JAX: a pullback multiplies by the derivative, unconjugated; only `abs`, `conj`, `real` and
`imag`, which are not holomorphic, differ. Formulas: Abramowitz & Stegun, chapters 4 and 6, unless another source is named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy import ndarray

from ..graph import handed_on, is_complex, ndim_of, plain
from .quick import are_many, dropped, is_one, kept, largest, positive, valued
from .registry import flat, implements, in_place, primitive, rule

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too
LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
Array = Any


def _share(dout: Array, x: Array, y: Array, wins: Callable[[Array, Array], Array]) -> Array:
    """The part of dout for x in the greater (or lesser) of x and y: half at a tie, all where x is the NaN."""
    if are_many(x, y):
        won = wins(x, y)
        if (won | wins(y, x)).all():  # no tie, no NaN
            return kept(won, dout)
    return np.where(x == y, dout * 0.5, np.where(wins(x, y) | (x != x), dout, 0))


def _share_numbers(dout: Array, x: Array, y: Array, wins: Callable[[Array, Array], Array]) -> Array:
    """As `_share`, for fmax and fmin, where a NaN loses to a number."""
    if are_many(x, y):
        won = wins(x, y)
        if (won | wins(y, x)).all():
            return kept(won, dout)
    return np.where(x == y, dout * 0.5, np.where(wins(x, y) | (y != y), dout, 0))


def _d_base(dout: Array, _out: Array, x: Array, y: Array) -> Array:
    """d(x**y)/dx = y x**(y-1); 0 where y is 0, also at x = 0, where the formula alone would give NaN."""
    if isinstance(y, int | float) and y == 2:
        return dout * 2 * x  # by far the most used, and two passes less
    if isinstance(x, int | float):  # Python's ints don't overflow; its negative numbers have complex roots
        x = complex(x) if np.iscomplexobj(dout) else float(x)
    if isinstance(y, int | float):
        return dout * (y * np.power(x, y - 1)) if y else dout * 0
    return dout * (y * np.power(np.where((x == 0) & (y == 0), 1, x), y - 1))


def _d_exponent(dout: Array, out: Array, x: Array, _y: Array) -> Array:
    """d(x**y)/dy = x**y log x; 0 at x = 0, its limit from the right."""
    x = float(x) if isinstance(x, int) else x
    if np.iscomplexobj(out) and not np.iscomplexobj(x):
        x = x + 0j  # the logarithm of a negative base is complex, as the power is
    return dout * out * np.log(np.where(x == 0, 1, x))


def _d_abs(dout: Array, out: Array, x: Array) -> Array:
    """The sign of x, 0 at 0; for complex x, the conjugate of its direction."""
    return dout * _direction(np.conj(x), out) if np.iscomplexobj(x) else dout * np.sign(x)


def _direction(x: Array, size: Array) -> Array:
    """x / size; 0 where the size is 0, with a derivative of 0."""
    if are_many(x, size) and size.size and size.min() > 0:
        return x / size
    return np.where(size == 0, 0, x) / np.where(size == 0, 1, size)


def _weight(base: Callable[[Array], Array], soft: Callable[[Array, Array], Array], this: Array, other: Array) -> Array:
    """The weight of one of two inputs in their soft maximum, base**this / (base**this + base**other).

    Not by base**(this - maximum), which loses as many digits as the maximum is large. Equal infinities weigh the same.
    """
    if are_many(this, other):
        with np.errstate(over="ignore", invalid="ignore"):
            ahead = other - this
            if not np.isnan(ahead).any():
                return 1 / (1 + base(ahead))
    tie = np.isinf(this) & (this == other)
    with np.errstate(invalid="ignore"):
        ahead = np.where(tie, 0, other - this)
    return base(-soft(0, ahead))


def _d_arctan2(dout: Array, this: Array, other: Array) -> Array:
    """dout this / (this**2 + other**2), without squares, which would overflow."""
    if are_many(this, other):
        squares = this * this + other * other
        limits = np.finfo(squares.dtype)
        if squares.min() > limits.tiny / limits.eps and squares.max() < limits.max:
            return dout * this / squares
    size = np.hypot(this, other)
    far = np.isinf(plain(size))
    if np.any(far):  # there the angle stays as it is
        this, size = np.where(far, 0, this), np.where(far, 1, size)
    return dout * (this / size) / size


def _quotient(x: Array, y: Array, rest: Array) -> Array:
    """x // y; of Python's ints too, which have no limit."""
    if are_many(x, y) and type(rest) is numpy.ndarray:
        found = np.rint((x - rest) / y)  # twenty times as fast, and the same where it is finite
        if np.isfinite(found).all():
            return found
    return x // y if isinstance(x, int) and isinstance(y, int) else np.floor_divide(x, y)


def _root_of_one_plus_square(x: Array) -> Array:
    if np.iscomplexobj(x) or (are_many(x) and largest(x) < np.finfo(x.dtype).max ** 0.5):
        return np.sqrt(x * x + 1.0)
    return np.hypot(x, 1.0)  # the square of a large x overflows


def _root_of_one_minus_square(x: Array) -> Array:
    """For complex x, -(x - 1) keeps the sign of a zero imaginary part, which says the side of the branch cut."""
    return np.sqrt((-(x - 1.0) if np.iscomplexobj(x) else 1.0 - x) * (1.0 + x))


def _over_divisor(into: Any, dout: Array, out: Array, _x: Array, y: Array) -> Array:
    """`dout * out / y`: minus the derivative of `x / y` for y."""
    if is_one(dout, out):
        return np.divide(out, y, into)
    d = np.multiply(dout, out, into)
    return np.divide(d, y, d if type(d) is ndarray else None)


# Arithmetic
rule(np.add, handed_on, handed_on)
rule(np.subtract, handed_on, lambda dout, _out, _x, _y: -dout)
rule(np.multiply, lambda dout, _out, _x, y: dout * y, lambda dout, _out, x, _y: dout * x)
rule(np.divide, lambda dout, _out, _x, y: dout / y, lambda dout, out, _x, y: -dout * out / y)
rule(np.negative, lambda dout, _out, _x: -dout)
rule(np.positive, handed_on)
rule(np.absolute, _d_abs)
rule(np.fabs, _d_abs)
rule(np.conjugate, lambda dout, _out, _x: np.conj(dout))
rule(np.reciprocal, lambda dout, out, _x: -dout * out * out)
rule(np.square, lambda dout, _out, x: (dout + dout) * x)
in_place(np.add, (lambda _into, dout, _out, _x, _y: dout, False), (lambda _into, dout, _out, _x, _y: dout, False))
in_place(np.subtract, (lambda _into, dout, _out, _x, _y: dout, False), (lambda _into, dout, _out, _x, _y: dout, True))
in_place(
    np.multiply,
    (lambda into, dout, _out, _x, y: np.multiply(dout, y, into), False),
    (lambda into, dout, _out, x, _y: np.multiply(dout, x, into), False),
)
in_place(np.divide, (lambda into, dout, _out, _x, y: np.divide(dout, y, into), False), (_over_divisor, True))
in_place(np.negative, (lambda _into, dout, _out, _x: dout, True))
rule(np.remainder, lambda dout, out, _x, _y: valued(dout, out), lambda dout, out, x, y: -dout * _quotient(x, y, out))
rule(np.fmod, lambda dout, out, _x, _y: valued(dout, out), lambda dout, out, x, y: -dout * np.rint((x - out) / y))
rule(np.ldexp, lambda dout, _out, _x, n: np.ldexp(dout, n), lambda dout, _out, _x, _n: None)
rule(np.nextafter, lambda dout, _out, _x, _y: dout, lambda dout, _out, _x, _y: dout * 0)
rule(np.copysign, lambda dout, _out, x, y: np.where(np.signbit(x) == np.signbit(y), dout, -dout),
     lambda dout, _out, _x, _y: dout * 0)  # fmt: skip

# Powers and exponentials
rule(np.power, _d_base, _d_exponent)
rule(np.float_power, _d_base, _d_exponent)
rule(np.sqrt, lambda dout, out, _x: dout * 0.5 / out)
rule(np.cbrt, lambda dout, out, _x: dout / (3.0 * out * out))
rule(np.exp, lambda dout, out, _x: dout * out)
in_place(np.exp, (lambda into, dout, out, _x: np.multiply(dout, out, into), False))
rule(np.exp2, lambda dout, out, _x: dout * out * LN2)
rule(np.expm1, lambda dout, _out, x: dout * np.exp(x))
rule(np.log, lambda dout, _out, x: dout / positive(x))
rule(np.log2, lambda dout, _out, x: dout / (positive(x) * LN2))
rule(np.log10, lambda dout, _out, x: dout / (positive(x) * LN10))
rule(np.log1p, lambda dout, _out, x: dout / positive(1.0 + x))
rule(np.logaddexp, lambda dout, _out, x, y: dout * _weight(np.exp, np.logaddexp, x, y),
     lambda dout, _out, x, y: dout * _weight(np.exp, np.logaddexp, y, x))  # fmt: skip
rule(np.logaddexp2, lambda dout, _out, x, y: dout * _weight(np.exp2, np.logaddexp2, x, y),
     lambda dout, _out, x, y: dout * _weight(np.exp2, np.logaddexp2, y, x))  # fmt: skip
rule(np.hypot, lambda dout, out, x, _y: dout * _direction(x, out), lambda dout, out, _x, y: dout * _direction(y, out))

# Trigonometry
rule(np.sin, lambda dout, _out, x: dout * np.cos(x))
rule(np.cos, lambda dout, _out, x: -dout * np.sin(x))
rule(np.tan, lambda dout, out, _x: dout * (1.0 + out * out))
rule(np.arcsin, lambda dout, _out, x: dout / _root_of_one_minus_square(x))
rule(np.arccos, lambda dout, _out, x: -dout / _root_of_one_minus_square(x))
rule(np.arctan, lambda dout, _out, x: dout / (1.0 + x * x))
rule(np.arctan2, lambda dout, _out, x, y: _d_arctan2(dout, y, x),
     lambda dout, _out, x, y: _d_arctan2(-dout, x, y))  # fmt: skip
rule(np.sinh, lambda dout, _out, x: dout * np.cosh(x))
rule(np.cosh, lambda dout, _out, x: dout * np.sinh(x))
rule(np.tanh, lambda dout, out, _x: (
    dout - dout * out * out if type(dout) is ndarray or not is_one(dout, out) else 1.0 - out * out))  # fmt: skip
rule(np.arcsinh, lambda dout, _out, x: dout / _root_of_one_plus_square(x))
rule(np.arccosh, lambda dout, _out, x: dout / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)))
rule(np.arctanh, lambda dout, _out, x: dout / positive((1.0 - x) * (1.0 + x)))
rule(np.deg2rad, lambda dout, _out, _x: np.deg2rad(dout))
rule(np.radians, lambda dout, _out, _x: np.radians(dout))
rule(np.rad2deg, lambda dout, _out, _x: np.rad2deg(dout))
rule(np.degrees, lambda dout, _out, _x: np.degrees(dout))

# Choices
rule(np.maximum, lambda dout, _out, x, y: _share(dout, x, y, np.greater),
     lambda dout, _out, x, y: _share(dout, y, x, np.greater), chooses=True)  # fmt: skip
rule(np.minimum, lambda dout, _out, x, y: _share(dout, x, y, np.less),
     lambda dout, _out, x, y: _share(dout, y, x, np.less), chooses=True)  # fmt: skip
rule(np.fmax, lambda dout, _out, x, y: _share_numbers(dout, x, y, np.greater),
     lambda dout, _out, x, y: _share_numbers(dout, y, x, np.greater), chooses=True)  # fmt: skip
rule(np.fmin, lambda dout, _out, x, y: _share_numbers(dout, x, y, np.less),
     lambda dout, _out, x, y: _share_numbers(dout, y, x, np.less), chooses=True)  # fmt: skip
rule(np.heaviside, lambda dout, _out, _x, _h: dout * 0, lambda dout, _out, x, _h: kept(x == 0, dout))

#: where(condition, x, y): the branch not taken gets 0, whatever NaN or infinity it holds.
where = primitive(
    "where",
    np.where,
    lambda _dout, _out, _condition, _x, _y: None,
    lambda dout, _out, condition, _x, _y: kept(condition, dout),
    lambda dout, _out, condition, _x, _y: dropped(condition, dout),
    chooses=True,
)
real = primitive("real", np.real, lambda dout, _out, _x: dout, view=True)
imag = primitive("imag", np.imag, lambda dout, _out, _x: dout * -1j, view=True)
astype = primitive(
    "astype",
    lambda x, dtype: x.astype(dtype) if hasattr(x, "astype") else dtype.type(x),
    lambda dout, _out, _x, dtype: dout,
)


def to_dtype(x: Array, dtype: Any) -> Array:
    """As `astype`, without a copy of what has the dtype already."""
    return x if np.result_type(plain(x)) == dtype and ndim_of(x) else astype(x, dtype=dtype)


@implements(np.real)
def _real(val: Array) -> Array:
    return real(val) if np.iscomplexobj(val) else val


implements(np.imag)(imag)


@implements(np.where)
def _where(condition: Array, *branches: Array) -> Array:
    if not branches:
        return np.nonzero(condition)
    return where(plain(condition), *branches)


@implements(np.sign)
def _sign(x: Array) -> Array:
    return _direction(x, np.abs(x)) if np.iscomplexobj(x) else np.sign(plain(x))


@implements(np.clip)
def _clip(
    a: Array, a_min: Array = None, a_max: Array = None, out: Any = None, *, min: Array = None, max: Array = None,
    **options: Any,
) -> Array:  # fmt: skip
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ValueError("np.clip: give min= and max=, or a_min and a_max, not both")
    if options:
        raise TypeError(f"np.clip: {', '.join(options)}= is not supported on Variables; use np.maximum and np.minimum")
    low, high = a_min if min is None else min, a_max if max is None else max
    a = np.positive(a) if low is None and high is None else a
    a = a if low is None else np.maximum(a, low)
    a = a if high is None else np.minimum(a, high)
    if out is None:
        return a
    out[...] = a
    return out


@implements(np.divmod)
def _divmod(x: Array, y: Array) -> tuple[Array, Array]:
    return np.floor_divide(x, y), np.remainder(x, y)


@implements(np.modf)
def _modf(x: Array) -> tuple[Array, Array]:
    if are_many(plain(x)):
        whole = np.trunc(plain(x))
        part = x - whole  # exact, and much quicker than fmod, which gives zeros their sign, and infinities 0
        if (np.abs(plain(part)) > 0).all():
            return part, whole
    infinite = np.isinf(x)
    finite = np.where(infinite, np.copysign(0, plain(x)), x) if np.any(infinite) else x
    return np.fmod(finite, 1), np.trunc(x)


@implements(np.frexp)
def _frexp(x: Array) -> tuple[Array, Any]:
    """The mantissa, and the exponent, which is an integer and constant between jumps."""
    exponent = np.frexp(plain(x))[1]
    return np.ldexp(x, -exponent), exponent


def _widening(function: Callable[..., Array], outside: Callable[[Any], Any]) -> Callable[..., Array]:
    """A function of np.emath: complex where a real argument is outside of the function's domain."""

    def run(*args: Array) -> Array:
        wide = any(not np.iscomplexobj(x) and np.any(outside(plain(x))) for x in args)
        return function(*(x + 0j if wide and not np.iscomplexobj(x) else x for x in args))

    return run


for _name in ("sqrt", "log", "log2", "log10"):
    implements(getattr(np.emath, _name))(_widening(getattr(np, _name), lambda x: x < 0))
for _name in ("arccos", "arcsin", "arctanh"):
    implements(getattr(np.emath, _name))(_widening(getattr(np, _name), lambda x: np.abs(x) > 1))
implements(np.emath.logn)(lambda n, x: np.emath.log(x) / np.emath.log(n))


@implements(np.emath.power)
def _emath_power(x: Array, p: Array) -> Array:
    wide = not np.iscomplexobj(x) and np.any(plain(x) < 0)
    return np.power(x + 0j if wide else x, p)


@implements(np.astype)
def _astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    return x.astype(dtype, copy=copy)


@implements(np.real_if_close)
def _real_if_close(a: Array, tol: float = 100) -> Array:
    return np.real(a) if np.iscomplexobj(a) and not np.iscomplexobj(np.real_if_close(plain(a), tol)) else a


#: Of a complex number z; its derivative is that of the logarithm's imaginary part, 1/(iz).
angle = primitive("angle", np.angle, lambda dout, _out, x: dout * -1j / x)


@implements(np.angle)
def _angle(z: Array, deg: bool = False) -> Array:
    radians = angle(z) if np.iscomplexobj(z) else np.arctan2(0, z)
    return radians * (180 / np.pi) if deg else radians


@implements(np.nan_to_num)
def _nan_to_num(x: Array, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    if is_complex(x):
        parts = [np.nan_to_num(part, True, nan, posinf, neginf) for part in (np.real(x), np.imag(x))]
        result = parts[0] + parts[1] * 1j
    else:
        here = plain(x)
        result = where(np.isfinite(here), x, np.nan_to_num(here, nan=nan, posinf=posinf, neginf=neginf))
        result = result if ndim_of(result) else result[()]
    if copy:
        return result
    x[...] = result
    return x


flat(
    np.floor, np.ceil, np.rint, np.trunc, np.floor_divide, np.spacing, np.fix, np.round, np.around,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.signbit,
    np.isclose, np.allclose, np.array_equal, np.array_equiv,
)  # fmt: skip

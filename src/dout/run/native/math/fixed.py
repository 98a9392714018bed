"""psi next to its zeros far from 0, in integers: there it is a difference of numbers that agree in almost all digits.

A number is an integer of 128 bits, of which 120 are behind the point. The zeros are as far from the nearest float64 as chance
has it, at numbers of any size: the spacing grows with 2**k, and so does the number of zeros. That makes some 2**-60 for the
nearest of all. The slope is 10 or more, and the sums are right to about 2**-112, which leaves enough of the difference.

With y = n + d, n >= 16, psi(-y) = psi(1 + y) + pi cot(pi d) (NIST Digital Library of Mathematical Functions, 5.5.4), and
psi(1 + y) = log(y) + 1/(2 y) - sum B(2k)/(2k y**2k) (5.11.2, 5.5.2). At a zero, tan(pi d) = -pi/psi(1 + y), so d is negative.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb, factorial
from typing import Any

from .. import text as ir
from .values import Emitter, Real

_POINT = 120
_PI = 0x3243F6A8885A308D313198A2E0370734  # times 2**124
_WIDE, _LONG, _DOUBLE = ir.IntType(128), ir.IntType(64), ir.DoubleType()
#: The mantissa's interval from 1 to 2 is cut into so many parts, each with a number that takes it near 1.
_PARTS = 32


def near_zero(m: Emitter) -> Any:
    """The function of y that gives psi(-y), for y > 16 and not far from a zero; it is written where there is none yet."""
    name = "dout.psi.near.zero"
    found = m.module.globals.get(name)
    if found is None:
        found = ir.Function(m.module, ir.FunctionType(_DOUBLE, [_DOUBLE]), name)
        found.linkage = "internal"
        found.attributes.add("noinline")
        _write(found)
    return found


def _write(function: ir.Function) -> None:
    b = ir.IRBuilder(function.append_basic_block("entry"))
    m = Emitter(b, function.module)
    y = Real(m, function.args[0])
    size = m.intrinsic("rint", y) - y  # |d|; it has at most 48 bits behind the point
    angle = _times(b, _whole(_PI >> (124 - _POINT)), _number(b, size, 60))
    square = _times(b, angle, angle)
    power, fraction, f, log = _near_one(m, y)
    inverse = b.lshr(_inverse(m, fraction), b.zext(power, _WIDE))
    scaled = b.shl(_times(b, inverse, inverse), _whole(8))  # (16/y)**2
    cosine, sine, more, rest = _polynomials(b, _series(), [square, square, f, scaled])
    sine = _times(b, angle, sine)
    log = b.add(b.add(log, _times(b, f, more)), b.mul(b.zext(power, _WIDE), _whole(_log(Fraction(2)))))
    psi = b.sub(b.add(log, b.lshr(inverse, _whole(1))), _times(b, scaled, rest))
    difference = b.sub(_times(b, psi, sine), _times(b, _whole(_PI >> (124 - _POINT)), cosine))
    b.ret((_real(m, difference) / _real(m, sine)).at)


def _near_one(m: Emitter, y: Real) -> tuple[Any, Any, Any, Any]:
    """K, the bits of a fraction, f and a logarithm, with y = 2**k (1 + fraction) and 1 + f = (1 + fraction)/exp(logarithm)."""
    b = m.b
    bits = y.bits().at
    fraction = b.and_(bits, _LONG((1 << 52) - 1))
    part = b.lshr(fraction, _LONG(47))
    factors = [round(Fraction(2**10 * _PARTS, 2 * _PARTS + 2 * i + 1)) for i in range(_PARTS)]  # 2**9 by the middle
    table = _table(b, "factors", factors, _LONG)
    taken = b.load(b.gep(table, [part], source_etype=_LONG), typ=_LONG)
    near = b.mul(b.or_(fraction, _LONG(1 << 52)), taken)
    f = b.shl(b.sext(b.sub(near, _LONG(1 << 61)), _WIDE), _whole(_POINT - 61))
    logs = _table(b, "logs", [_log(Fraction(2**9, p)) for p in factors], _WIDE)
    log = b.load(b.gep(logs, [part], source_etype=_WIDE), typ=_WIDE)
    return b.sub(b.lshr(bits, _LONG(52)), _LONG(1023)), fraction, f, log


def _inverse(m: Emitter, fraction: Any) -> Any:
    """1/(1 + fraction), from that of float64, and what it lacks, which is a float64 without rounding."""
    b = m.b
    x = Real(m, b.bitcast(b.or_(fraction, _LONG(1023 << 52)), m.real_type))
    first = 1.0 / x
    lack = _number(b, m.fma(-first, x, 1.0), 114)
    inverse = _number(b, first, 62)
    return b.add(inverse, _times(b, inverse, b.add(lack, _times(b, lack, lack))))


# Arithmetic


def _whole(value: int) -> ir.Constant:
    return ir.Constant(_WIDE, value)


def _number(b: Any, x: Real, shift: int) -> Any:
    """A float64 as such a number; times 2**shift, it is an integer below 2**63."""
    whole = b.fptosi((x * 2.0**shift).at, _LONG)
    return b.shl(b.sext(whole, _WIDE), _whole(_POINT - shift))


def _real(m: Emitter, x: Any) -> Real:
    """Such a number as a float64."""
    b = m.b
    negative = b.icmp_signed("<", x, _whole(0))
    size = b.select(negative, b.neg(x), x)
    high = Real(m, b.uitofp(b.trunc(b.lshr(size, _whole(64)), _LONG), m.real_type))
    low = Real(m, b.uitofp(b.trunc(size, _LONG), m.real_type))
    value = m.fma(high, 2.0 ** (64 - _POINT), low * 2.0**-_POINT)
    return Real(m, b.select(negative, (-value).at, value.at))


def _times(b: Any, x: Any, y: Any) -> Any:
    """The product, from products of halves, of which the upper ones have the sign; it is below 128."""
    half, low_bits = _whole(64), _whole((1 << 64) - 1)
    x_high, x_low = b.ashr(x, half), b.and_(x, low_bits)
    y_high, y_low = b.ashr(y, half), b.and_(y, low_bits)
    middle = b.add(
        b.ashr(b.mul(x_high, y_low), _whole(_POINT - 64)),
        b.ashr(b.mul(x_low, y_high), _whole(_POINT - 64)),
    )
    return b.add(b.shl(b.mul(x_high, y_high), _whole(128 - _POINT)), middle)


def _polynomials(b: Any, terms: dict[str, list[Fraction]], xs: list[Any]) -> list[Any]:
    """Polynomials, the lowest coefficient first, side by side in one loop: each waits for its own multiplications."""
    count = max(len(t) for t in terms.values())
    before, loop, end = b.block, b.append_basic_block("series"), b.append_basic_block("end")
    b.branch(loop)
    b.position_at_end(loop)
    i = b.phi(_LONG)
    following = b.sub(i, _LONG(1))
    i.add_incoming(_LONG(count - 1), before)
    i.add_incoming(following, loop)
    totals = []
    for (name, given), x in zip(terms.items(), xs, strict=True):
        stored = [round(t * 2**_POINT) for t in given] + [0] * (count - len(given))
        value = b.phi(_WIDE)
        c = b.load(b.gep(_table(b, name, stored, _WIDE), [i], source_etype=_WIDE), typ=_WIDE)
        total = b.add(_times(b, value, x), c)
        value.add_incoming(_whole(0), before)
        value.add_incoming(total, loop)
        totals.append(total)
    b.cbranch(b.icmp_signed("<", following, _LONG(0)), end, loop)
    b.position_at_end(end)
    return totals


def _table(b: Any, name: str, values: list[int], kind: ir.Type) -> Any:
    whole = ir.ArrayType(kind, len(values))
    table = ir.GlobalVariable(b.module, whole, f"dout.psi.{name}")
    table.linkage, table.global_constant = "internal", True
    table.initializer = ir.Constant(whole, values)
    return table


# Constants


def _log(x: Fraction) -> int:
    with localcontext() as context:
        context.prec = 50
        return int((Decimal(x.numerator) / Decimal(x.denominator)).ln() * 2**_POINT)


def _bernoulli(last: int) -> list[Fraction]:
    """Bernoulli's numbers up to the last, each by those before (DLMF 24.5.3)."""
    found: list[Fraction] = []
    for n in range(last + 1):
        before = sum((comb(n + 1, k) * b for k, b in enumerate(found)), Fraction(0))
        found.append((Fraction(n == 0) - before) / (n + 1))
    return found


def _series() -> dict[str, list[Fraction]]:
    """The cosine and the sine by x of x**2, log(1 + x) by x, and the sum over B(2k) by x of x = (16/y)**2."""
    bernoulli = _bernoulli(48)
    return {
        "cosine": [Fraction((-1) ** k, factorial(2 * k)) for k in range(18)],
        "sine": [Fraction((-1) ** k, factorial(2 * k + 1)) for k in range(18)],
        "log": [Fraction((-1) ** k, k + 1) for k in range(22)],
        "stirling": [bernoulli[k] / (k * 16**k) for k in range(2, 50, 2)],
    }

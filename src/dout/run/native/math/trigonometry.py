"""Sine, cosine and tangent.

x = k pi/2 + r, |r| <= pi/4, with r as an unrounded sum of two. Up to a limit that hardly anything reaches, pi/2 in three
parts is taken off k times (Cody and Waite). Beyond it, x times 2/pi is computed modulo 4 from that part of 2/pi's digits
that matters for the exponent of x (Payne and Hanek), entry by entry.
"""

from __future__ import annotations

import math
from typing import Any

from .. import text as ir
from . import coefficients as c
from .values import Bit, Emitter, Real, Whole

#: Beyond these, the far reduction is taken. Below, k is exact and x/(pi/2) is less than 1/100 off.
LIMITS = {"f8": 2.0**40, "f4": 2.0**17}
_TABLE = "dout.two.over.pi"


def reduced(m: Emitter, x: Real) -> tuple[Whole, Real, Real]:
    """k, as an integer whose last two bits are right, and r as a sum of two; for |x| up to the limit."""
    first, second, third = c.HALF_PI[m.kind]
    k, bits = m.rounded(x * (1 / first))
    r = m.fma(k, -first, x)  # exact
    p, lost = m.two_product(k, second)
    high, low = m.two_sum(r, -p)
    return bits, high, low - m.fma(k, third, lost)


def far_reduced(m: Emitter, x: Real) -> tuple[Whole, Real, Real]:
    """As `reduced`, for any x, one entry at a time.

    x is an integer M times 2**e. Of 2/pi times 2**e, the bits from that of 2 downwards are three words w; M w, of which
    two words are kept, are x times 2/pi modulo 4, with 126 bits after the point. No float64 comes nearer to a multiple
    of pi/2 than some 2**-62, so enough of them are right.
    """
    b = m.b
    if m.kind == "f4":
        wide = Emitter(b, m.module)
        bits, high, low = far_reduced(wide, Real(wide, b.fpext(x.at, wide.real_type)))
        near = b.fptrunc(high.at, m.real_type)
        left = (high - Real(wide, b.fpext(near, wide.real_type))) + low
        return Whole(m, b.trunc(bits.at, m.whole_type)), Real(m, near), Real(m, b.fptrunc(left.at, m.real_type))
    long, wide_word = ir.IntType(64), ir.IntType(128)

    def number(value: int, kind: Any = long) -> Any:
        return ir.Constant(kind, value)

    stored = abs(x).bits().at
    exponent = b.sub(b.lshr(stored, number(52)), number(1075))
    mantissa = b.or_(b.and_(stored, number((1 << 52) - 1)), number(1 << 52))
    place = b.add(exponent, number(64 - 2))
    first, shift = b.lshr(place, number(6)), b.and_(place, number(63))
    table = m.module.globals.get(_TABLE) or _enter(m.module)
    stored_words = [
        b.load(b.gep(table, [b.add(first, number(n))], source_etype=long), typ=long) for n in range(4)
    ]  # fmt: skip
    kind = ir.FunctionType(long, [long] * 3)
    shifted = m.module.declare_intrinsic("llvm.fshl", [long], kind)
    words = [b.zext(b.call(shifted, [stored_words[n], stored_words[n + 1], shift]), wide_word) for n in range(3)]
    products = [b.mul(b.zext(mantissa, wide_word), w) for w in words]
    half = number(64, wide_word)
    turns = b.add(b.add(b.shl(products[0], half), products[1]), b.lshr(products[2], half))
    k = b.lshr(b.add(turns, number(1 << 125, wide_word)), number(126, wide_word))
    rest = b.sub(turns, b.shl(k, number(126, wide_word)))
    pieces = []
    for n in range(4):
        piece = b.trunc(b.ashr(rest, number(96 - 32 * n, wide_word)), ir.IntType(32))
        real = (b.uitofp if n else b.sitofp)(piece, m.real_type)
        pieces.append(Real(m, real) * 2.0 ** (96 - 32 * n - 126))
    high, low = m.two_sum(pieces[0], pieces[1])
    below, rest_low = m.two_sum(pieces[2], pieces[3])
    below, lost = m.two_sum(low, below)
    high, low = m.two_sum(high, below)
    low = low + (lost + rest_low)
    half_pi, half_pi_low, _ = c.HALF_PI[m.kind]
    r, cut = m.two_product(high, half_pi)
    r_low = cut + m.fma(high, half_pi_low, low * half_pi)
    r = m.where(abs(x) < math.inf, r, math.nan)
    negative = (x < 0.0).at
    count = b.trunc(k, long)
    bits = Whole(m, b.select(negative, b.neg(count), count))
    return bits, m.where(x < 0.0, -r, r), m.where(x < 0.0, -r_low, r_low)


def _enter(module: Any) -> Any:
    """The bits of 2/pi after the point in words, and a word of zeros before them."""
    words = [0] + [int(c.TWO_OVER_PI[i : i + 16], 16) for i in range(0, 16 * 19, 16)]
    kind = ir.ArrayType(ir.IntType(64), len(words))
    table = ir.GlobalVariable(module, kind, _TABLE)
    table.linkage = "internal"
    table.global_constant = True
    table.initializer = ir.Constant(kind, words)
    return table


def sine(m: Emitter, r: Real, low: Real) -> Real:
    """What the sine has beside r."""
    z = r * r
    return m.fma(r * z, m.polynomial(z, c.SIN[m.kind]), m.fma(z * -0.5, low, low))


def cosine(m: Emitter, r: Real, low: Real) -> tuple[Real, Real]:
    """The cosine as a sum of two."""
    z = r * r
    half = z * 0.5
    w = 1.0 - half
    rest = m.fma(z * z, m.polynomial(z, c.COS[m.kind]), -(r * low))
    return w, ((1.0 - w) - half - m.fma(r * 0.5, r, -half)) + rest


def _odd(bits: Whole) -> Bit:
    return ~(bits & 1).is_zero()


def _turned(m: Emitter, bits: Whole, value: Real) -> Real:
    """With the other sign in the third and fourth quarter."""
    sign = (bits & 2) << (62 if m.kind == "f8" else 30)
    return (value.bits() ^ sign).real()


def sin(m: Emitter, x: Real, bits: Whole, r: Real, low: Real) -> Real:
    """The sine of x, which has been reduced."""
    w, rest = cosine(m, r, low)
    value = m.where(_odd(bits), w + rest, r + sine(m, r, low))
    return m.where(x.equals(0.0), x, _turned(m, bits, value))


def cos(m: Emitter, x: Real, bits: Whole, r: Real, low: Real) -> Real:
    """The cosine of x, which has been reduced."""
    w, rest = cosine(m, r, low)
    value = m.where(_odd(bits), r + sine(m, r, low), w + rest)
    return _turned(m, bits + 1, value)


def tan(m: Emitter, x: Real, bits: Whole, r: Real, low: Real) -> Real:
    """The tangent of x, which has been reduced: sine by cosine, or minus the other way round."""
    w, rest = m.quick_sum(*cosine(m, r, low))
    r, more = m.quick_sum(r, sine(m, r, low))
    odd = _odd(bits)
    q, q_low = m.quotient(m.where(odd, w, r), m.where(odd, rest, more), m.where(odd, r, w), m.where(odd, more, rest))
    value = q + q_low
    return m.where(x.equals(0.0), x, m.where(odd, -value, value))

"""Numbers that are being computed, with the operators of Python: `x * x + 1` emits two instructions.

The same formula gives code for float64 and float32, for one entry and for a vector of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import text as ir
from ..engine import width


class Real:
    """A float64 or float32 that is being computed."""

    __slots__ = ("at", "m")

    def __init__(self, m: Emitter, at: Any) -> None:
        self.m = m
        self.at = at

    def __add__(self, other: Real | float) -> Real:
        return Real(self.m, self.m.b.fadd(self.at, self.m.real(other).at))

    def __radd__(self, other: float) -> Real:
        return self.m.real(other) + self

    def __sub__(self, other: Real | float) -> Real:
        return Real(self.m, self.m.b.fsub(self.at, self.m.real(other).at))

    def __rsub__(self, other: float) -> Real:
        return self.m.real(other) - self

    def __mul__(self, other: Real | float) -> Real:
        return Real(self.m, self.m.b.fmul(self.at, self.m.real(other).at))

    def __rmul__(self, other: float) -> Real:
        return self.m.real(other) * self

    def __truediv__(self, other: Real | float) -> Real:
        return Real(self.m, self.m.b.fdiv(self.at, self.m.real(other).at))

    def __rtruediv__(self, other: float) -> Real:
        return self.m.real(other) / self

    def __neg__(self) -> Real:
        return Real(self.m, self.m.b.fneg(self.at))

    def __abs__(self) -> Real:
        return self.m.intrinsic("fabs", self)

    def __lt__(self, other: Real | float) -> Bit:
        return self._compared("<", other)

    def __le__(self, other: Real | float) -> Bit:
        return self._compared("<=", other)

    def __gt__(self, other: Real | float) -> Bit:
        return self._compared(">", other)

    def __ge__(self, other: Real | float) -> Bit:
        return self._compared(">=", other)

    def equals(self, other: Real | float) -> Bit:
        """Whether they are the same number."""
        return self._compared("==", other)

    def _compared(self, sign: str, other: Real | float) -> Bit:
        return Bit(self.m, self.m.b.fcmp_ordered(sign, self.at, self.m.real(other).at))

    def is_nan(self) -> Bit:
        """Whether it is NaN."""
        return Bit(self.m, self.m.b.fcmp_unordered("uno", self.at, self.at))

    def bits(self) -> Whole:
        """The bits that it is stored as."""
        return Whole(self.m, self.m.b.bitcast(self.at, self.m.whole_type))


class Bit:
    """A condition."""

    __slots__ = ("at", "m")

    def __init__(self, m: Emitter, at: Any) -> None:
        self.m = m
        self.at = at

    def __and__(self, other: Bit) -> Bit:
        return Bit(self.m, self.m.b.and_(self.at, other.at))

    def __or__(self, other: Bit) -> Bit:
        return Bit(self.m, self.m.b.or_(self.at, other.at))

    def __invert__(self) -> Bit:
        return Bit(self.m, self.m.b.not_(self.at))


class Whole:
    """An integer as wide as the real numbers."""

    __slots__ = ("at", "m")

    def __init__(self, m: Emitter, at: Any) -> None:
        self.m = m
        self.at = at

    def _two(self, emit: Any, other: Whole | int) -> Whole:
        given = other.at if isinstance(other, Whole) else ir.Constant(self.m.whole_type, other)
        return Whole(self.m, emit(self.at, given))

    def __add__(self, other: Whole | int) -> Whole:
        return self._two(self.m.b.add, other)

    def __sub__(self, other: Whole | int) -> Whole:
        return self._two(self.m.b.sub, other)

    def __and__(self, other: Whole | int) -> Whole:
        return self._two(self.m.b.and_, other)

    def __or__(self, other: Whole | int) -> Whole:
        return self._two(self.m.b.or_, other)

    def __xor__(self, other: Whole | int) -> Whole:
        return self._two(self.m.b.xor, other)

    def __lshift__(self, other: int) -> Whole:
        return self._two(self.m.b.shl, other)

    def __rshift__(self, other: int) -> Whole:
        """To the right, with zeros from the left."""
        return self._two(self.m.b.lshr, other)

    def is_zero(self) -> Bit:
        """Whether no bit is set."""
        return Bit(self.m, self.m.b.icmp_unsigned("==", self.at, ir.Constant(self.m.whole_type, 0)))

    def real(self) -> Real:
        """The number that is stored as these bits."""
        return Real(self.m, self.m.b.bitcast(self.at, self.m.real_type))


class Emitter:
    """Emits arithmetic of one precision.

    Attributes:
        kind: "f8" or "f4".
        lanes: how many entries at once.
        result: the kind that the value is rounded to in the end.
        digits: bits of a mantissa, the leading one included.
        bias: the exponent that is stored for 1.
    """

    def __init__(self, builder: Any, module: Any, kind: str = "f8", lanes: int = 1) -> None:
        self.b = builder
        self.module = module
        self.kind = kind
        self.lanes = lanes
        single: ir.Type = ir.DoubleType() if kind == "f8" else ir.FloatType()
        whole: ir.Type = ir.IntType(64 if kind == "f8" else 32)
        self.real_type: ir.Type = ir.VectorType(single, lanes) if lanes > 1 else single
        self.whole_type: ir.Type = ir.VectorType(whole, lanes) if lanes > 1 else whole
        self.result = kind
        self.real_width = single.width
        self.digits = 53 if kind == "f8" else 24
        self.bias = 1023 if kind == "f8" else 127
        #: Added to a number, it leaves the nearest integer in the lowest bits.
        self.magic = 1.5 * 2.0 ** (self.digits - 1)
        self.least_normal = 2.0 ** (1 - self.bias)

    def real(self, value: Real | float) -> Real:
        """A number as it is, or a constant."""
        return value if isinstance(value, Real) else Real(self, ir.Constant(self.real_type, value))

    def intrinsic(self, name: str, *args: Real | float) -> Real:
        """A function of LLVM's own."""
        given = [self.real(a).at for a in args]
        kind = ir.FunctionType(self.real_type, [self.real_type] * len(given))
        function = self.module.declare_intrinsic(f"llvm.{name}", [self.real_type], kind)
        return Real(self, self.b.call(function, given))

    def fma(self, x: Real | float, y: Real | float, z: Real | float) -> Real:
        """x*y + z, rounded once."""
        return self.intrinsic("fma", x, y, z)

    def sqrt(self, x: Real) -> Real:
        """The square root, rightly rounded."""
        return self.intrinsic("sqrt", x)

    def where(self, condition: Bit, x: Real | float, y: Real | float) -> Real:
        """One of two numbers."""
        return Real(self, self.b.select(condition.at, self.real(x).at, self.real(y).at))

    def held(self, x: Real, low: float, high: float) -> Real:
        """x, or the nearest number from low to high; NaN stays."""
        x = self.where(x < low, low, x)
        return self.where(x > high, high, x)

    def signed_as(self, x: Real, sign: Real) -> Real:
        """x with the sign of another number."""
        return self.intrinsic("copysign", x, sign)

    def polynomial(self, x: Real, coefficients: Sequence[Real | float]) -> Real:
        """Horner's scheme; the lowest coefficient first. A long one in two halves, of even and odd powers, side by side."""
        if len(coefficients) < 9:
            return self._horner(x, coefficients)
        square = x * x
        return self.fma(x, self._horner(square, coefficients[1::2]), self._horner(square, coefficients[::2]))

    def _horner(self, x: Real, coefficients: Sequence[Real | float]) -> Real:
        found = self.real(coefficients[-1])
        for c in coefficients[-2::-1]:
            found = self.fma(found, x, c)
        return found

    # What not every number needs

    def any(self, condition: Bit) -> Any:
        """Whether it holds for one of the numbers at least, to branch on."""
        if self.lanes == 1:
            return condition.at
        word = ir.IntType(self.lanes)
        return self.b.icmp_unsigned("!=", self.b.bitcast(condition.at, word), ir.Constant(word, 0))

    def where_any(self, condition: Bit, compute: Callable[[], Real], otherwise: Real) -> Real:
        """One of two numbers. The first is computed only if the condition holds for any of a vector."""
        b = self.b
        before, rare, end = b.block, b.append_basic_block("rare"), b.append_basic_block("end")
        b.cbranch(self.any(condition), rare, end)
        b.position_at_end(rare)
        value = self.where(condition, compute(), otherwise)
        after = b.block
        b.branch(end)
        b.position_at_end(end)
        found = b.phi(self.real_type)
        found.add_incoming(otherwise.at, before)
        found.add_incoming(value.at, after)
        return Real(self, found)

    def one_by_one(self, condition: Bit, function: Any, x: Real) -> Real:
        """A function of single numbers of those for which the condition holds; of the others, anything."""
        b = self.b
        if self.lanes == 1:
            return Real(self, b.call(function, [x.at]))
        word, place = ir.IntType(self.lanes), ir.IntType(32)
        held = b.bitcast(condition.at, word)
        before, loop, call = b.block, b.append_basic_block("each"), b.append_basic_block("call")
        further, end = b.append_basic_block("further"), b.append_basic_block("end")
        b.branch(loop)
        b.position_at_end(loop)
        i, values = b.phi(word), b.phi(self.real_type)
        bit = b.and_(b.lshr(held, i), ir.Constant(word, 1))
        b.cbranch(b.icmp_unsigned("!=", bit, ir.Constant(word, 0)), call, further)
        b.position_at_end(call)
        at = b.zext(i, place)
        more = b.insert_element(values, b.call(function, [b.extract_element(x.at, at)]), at)
        b.branch(further)
        b.position_at_end(further)
        merged = b.phi(self.real_type)
        merged.add_incoming(values, loop)
        merged.add_incoming(more, call)
        following = b.add(i, ir.Constant(word, 1))
        b.cbranch(b.icmp_unsigned("==", following, ir.Constant(word, self.lanes)), end, loop)
        for phi, first, then in ((i, ir.Constant(word, 0), following), (values, x.at, merged)):
            phi.add_incoming(first, before)
            phi.add_incoming(then, further)
        b.position_at_end(end)
        return Real(self, merged)

    def row(self, name: str, rows: Sequence[Sequence[float]], number: Real) -> list[Real]:
        """The entries of one row of a table in memory, of float64. The number of the row is an integer, and in range."""
        length = len(rows[0])
        table = self.module.globals.get(name)
        if table is None:
            kind = ir.ArrayType(ir.DoubleType(), len(rows) * length)
            table = ir.GlobalVariable(self.module, kind, name)
            table.linkage, table.global_constant = "internal", True
            table.initializer = ir.Constant(kind, [entry for row in rows for entry in row])
        first = (self.rounded(number * float(length))[1] & 0xFFFF).at
        at = [self.b.add(first, ir.Constant(self.whole_type, n)) for n in range(length)]
        return [self._entry(self.b.gep(table, [n], source_etype=ir.DoubleType())) for n in at]

    def _entry(self, pointers: Any) -> Real:
        if self.lanes == 1:
            return Real(self, self.b.load(pointers, typ=self.real_type))
        size, bits = ir.IntType(32), ir.VectorType(ir.IntType(1), self.lanes)
        kind = ir.FunctionType(self.real_type, [pointers.type, size, bits, self.real_type])
        function = self.module.declare_intrinsic("llvm.masked.gather", [self.real_type, pointers.type], kind)
        anything = ir.Constant(self.real_type, 0.0)
        return Real(self, self.b.call(function, [pointers, ir.Constant(size, 8), ir.Constant(bits, 1), anything]))

    # Integers in floating point

    def rounded(self, x: Real, factor: float = 1.0) -> tuple[Real, Whole]:
        """The integer nearest to a product, and bits that end with it. The product is below 2**(digits - 2) in size."""
        t = x + self.magic if factor == 1.0 else self.fma(x, factor, self.magic)
        return t - self.magic, t.bits()

    def power_of_two(self, k: Real) -> Real:
        """2**k for an integer k from 1 - bias to bias."""
        return ((((k + self.magic).bits()) << (self.digits - 1)) + (self.bias << (self.digits - 1))).real()

    def scaled(self, x: Real, k: Real) -> Real:
        """x 2**k, rounded once, for an integer k from 2 - 2 bias to 2 bias."""
        if self.lanes * self.real_width == width() == 512:
            return self._scaled_by_machine(x, k)
        half, _ = self.rounded(k * 0.5)
        return x * self.power_of_two(half) * self.power_of_two(k - half)

    def _scaled_by_machine(self, x: Real, k: Real) -> Real:
        """By an instruction of AVX-512, instead of ten."""
        name = f"llvm.x86.avx512.mask.scalef.p{'d' if self.kind == 'f8' else 's'}.512"
        mask = ir.IntType(self.lanes)
        kind = ir.FunctionType(self.real_type, [self.real_type, self.real_type, self.real_type, mask, ir.IntType(32)])
        function = self.module.globals.get(name) or ir.Function(self.module, kind, name)
        rounding = ir.Constant(ir.IntType(32), 4)  # as everything else
        return Real(self, self.b.call(function, [x.at, k.at, x.at, ir.Constant(mask, -1), rounding]))

    # Numbers as unrounded sums of two

    def two_sum(self, x: Real, y: Real) -> tuple[Real, Real]:
        """x + y, and what rounding lost (Knuth)."""
        s = x + y
        other = s - x
        return s, (x - (s - other)) + (y - other)

    def quick_sum(self, x: Real, y: Real) -> tuple[Real, Real]:
        """As `two_sum`, where |x| >= |y| or x is 0 (Dekker)."""
        s = x + y
        return s, y - (s - x)

    def two_product(self, x: Real, y: Real | float) -> tuple[Real, Real]:
        """X*y, and what rounding lost."""
        p = x * y
        return p, self.fma(x, y, -p)

    def quotient(self, x: Real, x_low: Real | float, y: Real, y_low: Real | float) -> tuple[Real, Real]:
        """(x + x_low) / (y + y_low) as a sum of two."""
        inverse = 1.0 / y
        q = x * inverse
        rest = self.fma(-q, y, x)
        rest = rest + (self.fma(-q, y_low, x_low))
        return q, rest * inverse

    def ordered(self, x: Real, lowest: float, value: Real) -> Real:
        """The value, or NaN where x is below `lowest` or NaN."""
        return self.where(x >= lowest, value, math.nan)

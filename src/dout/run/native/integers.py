"""Operations on integers as LLVM instructions, for one entry, with NumPy's results to the last bit.

They wrap around; what is divided by 0 is 0, and quotients are rounded down. LLVM's integers have no sign: where it matters,
the dtype says it. Python's own integers never wrap, so that they are NumPy's business, but for constants that fit.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from ...passes.program import Value
from . import text as ir

#: The dtypes, and what they are called: with or without a sign, and of how many bytes.
KINDS: dict[Any, str] = {np.dtype(f"{sign}{size}"): f"{sign}{size}" for sign in "iu" for size in (1, 2, 4, 8)}
#: Their types in LLVM.
TYPES: dict[str, ir.Type] = {kind: ir.IntType(8 * int(kind[1])) for kind in KINDS.values()}
_BIT = ir.IntType(1)
_FLOATS = {np.dtype(np.float32): "f4", np.dtype(np.float64): "f8"}
_BITS = (np.dtype(np.bool_), bool)
#: Those that are one instruction, the same with and without a sign.
_PLAIN = {
    "add": "add", "subtract": "sub", "multiply": "mul", "bitwise_and": "and_", "bitwise_or": "or_", "bitwise_xor": "xor",
}  # fmt: skip
_CHOICES = {"maximum": ">", "fmax": ">", "minimum": "<", "fmin": "<"}
_SHIFTS = {"left_shift", "right_shift"}
_DIVISIONS = {"floor_divide", "remainder"}
_SAME = {"positive", "floor", "ceil", "trunc"}
_ONE = {"negative", "absolute", "square", "sign", "invert", *_SAME}
_MOVED = {"astype", "cast", "broadcast_to"}
_COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
_LOGIC = {"logical_and", "logical_or", "logical_xor", "logical_not"}
#: Comparisons of integers with a sign with those of uint64 are exact, though there is no dtype for both.
_MIXED = "mixed"
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
#: Powers up to this are written out.
_HIGHEST = 64


def is_signed(kind: str) -> bool:
    """Whether integers of a kind have a sign."""
    return kind[0] == "i"


def least(kind: str) -> int:
    """The least integer of a kind."""
    return -(1 << (8 * int(kind[1]) - 1)) if is_signed(kind) else 0


def greatest(kind: str) -> int:
    """The greatest integer of a kind."""
    return (1 << (8 * int(kind[1]) - is_signed(kind))) - 1


def constant(value: Any, kind: str) -> ir.Constant:
    """A number as a constant; one of NumPy's that is too large wraps around, as it does in an assignment."""
    width = 8 * int(kind[1])
    number = int(value) & ((1 << width) - 1)
    return ir.Constant(TYPES[kind], number - (1 << width) if is_signed(kind) and number >> (width - 1) else number)


def concerns(value: Value, given: list[Value]) -> bool:
    """Whether integers of NumPy's are computed, or come in."""
    return value.dtype in KINDS or any([g.dtype in KINDS for g in given])


def has_code(value: Value, given: list[Value]) -> bool:
    """Whether there is code for an operation that integers take part in, if its inputs' dtypes are known at all."""
    assert value.op is not None
    name = value.op.name
    if value.dtype in KINDS:
        return _gives_integers(name, value, given)
    if value.dtype in _BITS:
        return _gives_bits(name, value, given)
    return _gives_floats(name, value, given)


def _gives_integers(name: str, value: Value, given: list[Value]) -> bool:
    kind = KINDS[value.dtype]
    if name in ("astype", "cast"):
        return given[0].dtype not in _FLOATS or (kind in ("i4", "i8") and _is_marked())
    if name == "power":
        exponent = given[1].constant if given[1].is_constant() and not given[1].shape else -1
        return isinstance(exponent, int | np.integer) and 0 <= int(exponent) <= _HIGHEST and _fits(given[0], kind)
    if name == "where":
        return given[0].dtype in _BITS and all(_fits(g, kind) for g in given[1:])
    if name == "floor_divide" and kind[1] == "8" and _is_one_for_many(given[1], value):
        return False
    known = name in _PLAIN or name in _CHOICES or name in _SHIFTS or name in _DIVISIONS or name in _ONE
    return (known or name == "broadcast_to") and all(_fits(g, kind) for g in given)


def _is_one_for_many(divisor: Value, value: Value) -> bool:
    """Whether one divisor, not known before the call, is for many entries: NumPy divides quickly by one number."""
    return not divisor.shape and not divisor.is_constant() and math.prod(value.shape) > 256


def _gives_bits(name: str, value: Value, given: list[Value]) -> bool:
    if value.dtype is bool:
        return False
    if name in _COMPARISONS:
        return _meeting(given) is not None
    if name in _LOGIC:
        return all(g.dtype in KINDS or g.dtype in _BITS for g in given)
    return name in ("astype", "cast")


def _gives_floats(name: str, value: Value, given: list[Value]) -> bool:
    """Whether its integers just become floats, of the result's dtype, before anything else happens."""
    if name in ("astype", "cast"):
        return True
    if name == "where" and given[0].dtype not in _BITS:
        return False
    if name in ("power", "float_power") and given[0].dtype in KINDS:
        return False
    small = _FLOATS.get(value.dtype) == "f4"
    return name != "as_kind" and not (small and any(g.dtype in KINDS and g.dtype.itemsize > 2 for g in given))


def _fits(value: Value, kind: str) -> bool:
    """Whether a value is an integer or a bit; a constant of Python's has to be one that the dtype holds."""
    if value.dtype in KINDS or value.dtype in _BITS:
        return True
    return value.dtype is int and value.is_constant() and least(kind) <= value.constant <= greatest(kind)


@functools.cache
def _is_marked() -> bool:
    """Whether NumPy on this machine makes the least integer of every float that is too large for integers, and of NaN."""
    wild = [np.nan, np.inf, -np.inf, 1e30, -1e30, float(2**63)]
    with np.errstate(invalid="ignore"):
        return all(
            set(np.array(wild * k, dtype).astype(kind).tolist()) == {least(kind)}
            for k, dtype, kind in itertools.product((1, 11), ("f8", "f4"), ("i8", "i4"))
        )


@functools.cache
def _met(*dtypes: Any) -> Any:
    """The dtype in which NumPy compares; numbers of Python's take that of what they meet."""
    return np.result_type(*[d(0) if isinstance(d, type) else d for d in dtypes])


def _meeting(given: list[Value]) -> str | None:
    """The kind in which these are compared, or `_MIXED`; None if there is no code for it."""
    met = _met(*[g.dtype for g in given])
    kind = KINDS.get(met)
    if kind is not None:
        return kind if all(_fits(g, kind) for g in given) else None
    return _MIXED if all(g.dtype in KINDS for g in given) else _FLOATS.get(met)


class Integers:
    """Emits operations on integers into a builder.

    Args:
        builder: where to.
        scalars: for what becomes a float.
    """

    def __init__(self, builder: Any, scalars: Any) -> None:
        self.b = builder
        self.scalars = scalars

    def cast(self, x: Any, to: str, kind: str) -> Any:
        """An integer, a float or a bit as an integer; `kind` is what it is so far."""
        wanted = TYPES[to]
        if kind in ("f8", "f4"):
            return self._rounded(x, to)
        if x.type.width > wanted.width:
            return self.b.trunc(x, wanted)
        return self.b.sext(x, wanted) if is_signed(kind) else self.b.zext(x, wanted)

    def _rounded(self, x: Any, to: str) -> Any:
        """A float rounded to 0; one that is too large, and NaN, become the least integer."""
        low, high = (ir.Constant(x.type, float(n)) for n in (least(to), greatest(to) + 1))
        inside = self.b.and_(self.b.fcmp_ordered(">", x, low), self.b.fcmp_ordered("<", x, high))
        return self.b.select(inside, self.b.fptosi(x, TYPES[to]), constant(least(to), to))

    def given(self, values: list[Value], args: list[Any], to: str) -> list[Any]:
        """Inputs as integers of one kind."""
        return [
            constant(g.constant, to) if g.dtype is int else self.cast(x, to, self.scalars.kind_of(g))
            for g, x in zip(values, args, strict=True)
        ]

    def emit(self, value: Value, given: list[Value], args: list[Any]) -> Any:
        """One entry of a value, for which there has to be code."""
        assert value.op is not None
        name = value.op.name
        if name in _COMPARISONS:
            return self._compared(name, given, args)
        if value.dtype in _BITS:
            return self._bit(name, given, args)
        kind = KINDS[value.dtype]
        if name == "where":
            return self.b.select(args[0], *self.given(given[1:], args[1:], kind))
        if name == "power":
            return self._power(self.given(given[:1], args[:1], kind)[0], int(given[1].constant), kind)
        found = self.given(given, args, kind)
        x, y = found[0], found[-1]
        if name in _PLAIN:
            return getattr(self.b, _PLAIN[name])(x, y)
        if name in _CHOICES:
            return self.chosen(_CHOICES[name], x, y, kind)
        if name in _SHIFTS:
            return self._shifted(name, x, y, kind)
        if name in _DIVISIONS:
            return self._divided(name, x, y, kind)
        return self._one(name, x, kind)

    def less(self, x: Any, y: Any, kind: str, sign: str = "<") -> Any:
        """How two integers compare."""
        return (self.b.icmp_signed if is_signed(kind) else self.b.icmp_unsigned)(sign, x, y)

    def chosen(self, sign: str, x: Any, y: Any, kind: str) -> Any:
        """The greater of two, or the lesser."""
        return self.b.select(self.less(x, y, kind, sign), x, y)

    def _compared(self, name: str, given: list[Value], args: list[Any]) -> Any:
        sign = self.scalars.comparisons[name]
        kind = _meeting(given)
        assert kind is not None
        if kind == _MIXED:
            return self._mixed(sign, given, args)
        if kind in TYPES:
            x, y = self.given(given, args, kind)
            return self.less(x, y, kind, sign)
        x, y = (self.scalars.cast(a, kind, self.scalars.kind_of(g)) for a, g in zip(args, given, strict=True))
        return self.b.fcmp_unordered(sign, x, y) if sign == "!=" else self.b.fcmp_ordered(sign, x, y)

    def _mixed(self, sign: str, given: list[Value], args: list[Any]) -> Any:
        """What is less than 0 is less than anything without a sign; what isn't compares without one."""
        if not is_signed(self.scalars.kind_of(given[0])):
            given, args, sign = given[::-1], args[::-1], _MIRRORED[sign]
        x, y = self.cast(args[0], "i8", self.scalars.kind_of(given[0])), args[1]
        below = self.b.icmp_signed("<", x, constant(0, "i8"))
        compared = self.b.icmp_unsigned(sign, x, y)
        return self.b.or_(below, compared) if sign in ("<", "<=", "!=") else self.b.and_(self.b.not_(below), compared)

    def truth(self, x: Any) -> Any:
        """Whether a number isn't 0."""
        if x.type is _BIT:
            return x
        zero = ir.Constant(x.type, 0)
        return self.b.icmp_unsigned("!=", x, zero) if x.type in TYPES.values() else self.b.fcmp_unordered("!=", x, zero)

    def _bit(self, name: str, given: list[Value], args: list[Any]) -> Any:
        x = [self.truth(a) for a in args]
        if name == "logical_not":
            return self.b.not_(x[0])
        if name in _LOGIC:
            return {"logical_and": self.b.and_, "logical_or": self.b.or_, "logical_xor": self.b.xor}[name](*x)
        return x[0]  # astype, cast

    def _one(self, name: str, x: Any, kind: str) -> Any:
        zero = constant(0, kind)
        if name == "negative":
            return self.b.neg(x)
        if name == "invert":
            return self.b.not_(x)
        if name == "square":
            return self.b.mul(x, x)
        if name == "absolute":
            return self.b.select(self.less(x, zero, kind), self.b.neg(x), x)
        if name == "sign":
            below = self.b.select(self.less(x, zero, kind), constant(-1, kind), zero)
            return self.b.select(self.less(x, zero, kind, ">"), constant(1, kind), below)
        return x

    def _power(self, x: Any, exponent: int, kind: str) -> Any:
        """By repeated squaring; in which order doesn't matter to integers that wrap around."""
        found: Any = constant(1, kind)
        while exponent:
            if exponent & 1:
                found = self.b.mul(found, x)
            exponent >>= 1
            x = self.b.mul(x, x) if exponent else x
        return found

    def _shifted(self, name: str, x: Any, n: Any, kind: str) -> Any:
        """Shifts by more than there are bits leave nothing but the sign; so do shifts by less than 0."""
        inside = self.b.icmp_unsigned("<", n, ir.Constant(x.type, x.type.width))
        n = self.b.select(inside, n, constant(0, kind))
        if name == "left_shift":
            return self.b.select(inside, self.b.shl(x, n), constant(0, kind))
        if not is_signed(kind):
            return self.b.select(inside, self.b.lshr(x, n), constant(0, kind))
        return self.b.select(inside, self.b.ashr(x, n), self.b.ashr(x, ir.Constant(x.type, x.type.width - 1)))

    def _divided(self, name: str, x: Any, y: Any, kind: str) -> Any:
        """Rounded down, as Python does it; 0 where it is divided by 0. The processor stops at that, and at least / -1."""
        zero, one = constant(0, kind), constant(1, kind)
        by_zero = self.b.icmp_unsigned("==", y, zero)
        if not is_signed(kind):
            if not isinstance(y, ir.Constant) and kind != "u8":
                return self._by_doubles(name, x, y, kind)
            by = self.b.select(by_zero, one, y)
            found = self.b.udiv(x, by) if name == "floor_divide" else self.b.urem(x, by)
            return self.b.select(by_zero, zero, found)
        if not isinstance(y, ir.Constant) and kind != "i8":
            return self._by_doubles(name, x, y, kind)
        turned = self.b.icmp_unsigned("==", y, constant(-1, kind))
        by = self.b.select(self.b.or_(by_zero, turned), one, y)
        rest = self.b.srem(x, by)
        apart = self.b.icmp_signed("<", self.b.xor(rest, by), zero)
        uneven = self.b.and_(apart, self.b.icmp_unsigned("!=", rest, zero))
        if name == "remainder":
            found = self.b.select(uneven, self.b.add(rest, by), rest)  # by 1 in place of 0 and -1, that is 0
            return found
        found = self.b.sdiv(x, by)
        found = self.b.select(uneven, self.b.sub(found, one), found)
        return self.b.select(by_zero, zero, self.b.select(turned, self.b.neg(x), found))

    def _by_doubles(self, name: str, x: Any, y: Any, kind: str) -> Any:
        """The same for integers of up to four bytes, by a division of doubles, of which processors do several at once.

        A quotient that isn't whole is further from the next whole number than a double's rounding errors reach.
        """
        double, zero = self.scalars.types["f8"], constant(0, kind)
        by_zero = self.b.icmp_unsigned("==", y, zero)
        by = self.b.select(by_zero, constant(1, kind), y)
        up, down = (self.scalars.cast(n, "f8", kind) for n in (x, by))
        near = self.scalars.intrinsic("floor", self.b.fdiv(up, down))
        assert near.type is double
        found = self.b.trunc(self.b.fptosi(near, TYPES["i8"]), x.type)
        if name == "remainder":
            found = self.b.sub(x, self.b.mul(found, by))
        return self.b.select(by_zero, zero, found)

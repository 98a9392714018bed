"""Each operation as LLVM instructions, for one entry.

A value is a double, a float, a bit, or an integer (`integers.py`). Which operations there are, and for which dtypes, is this
room's own table; whatever isn't in it is computed by NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...passes.program import Program, Value
from . import integers, math

#: The dtypes of floats and bits, and what they are called here.
FLOATS: dict[Any, str] = {
    np.dtype(np.float64): "f8", float: "f8", np.dtype(np.float32): "f4", np.dtype(np.bool_): "b1", bool: "b1",
}  # fmt: skip
#: All dtypes that there is code for.
KINDS: dict[Any, str] = {**FLOATS, **integers.KINDS}
_COMPARISONS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
_ARITHMETIC = {"add", "subtract", "multiply", "divide"}
_ONE = {"negative", "positive", "absolute", "fabs", "reciprocal", "square", "sqrt", "floor", "ceil", "trunc", "rint"}
_POWERS = {"power", "float_power"}
_MATHEMATICS = math.NAMES - _POWERS
_CHOICES = {"maximum", "minimum", "fmax", "fmin"}
#: What arithmetic and choices are of bits.
_OF_BITS = {"add": "or", "multiply": "and", "maximum": "or", "minimum": "and", "fmax": "or", "fmin": "and"}
_ANGLES = {"deg2rad": np.pi / 180, "radians": np.pi / 180, "rad2deg": 180 / np.pi, "degrees": 180 / np.pi}
_TESTS = {"isnan", "isinf", "isfinite", "signbit"}
_LOGIC = {
    "logical_and": "and", "bitwise_and": "and", "logical_or": "or", "bitwise_or": "or", "bitwise_xor": "xor",
    "logical_xor": "xor",
}  # fmt: skip
REDUCTIONS = {"sum", "max", "min", "prod"}


def kind(program: Program, i: int) -> str | None:
    """How a value is computed: "map" entry by entry, "reduce" along axes, None by NumPy."""
    value = program.values[i]
    if value.op is None or isinstance(value.shape, list) or value.dtype not in KINDS:
        return None
    if 0 in value.shape:
        return None
    given = [program.values[a] for a in value.args]
    name, out = value.op.name, KINDS[value.dtype]
    if any(isinstance(g.shape, list) or 0 in g.shape for g in given):
        return None
    if not all(_is_known(g) for g in given):
        return None
    if name in REDUCTIONS:
        return _reduction(value, given[0])
    if value.array and not value.shape and name != "where":
        return None  # an array without axes is made by few operations; NumPy knows which
    if integers.concerns(value, given):
        if not integers.has_code(value, given):
            return None
        if out not in ("f8", "f4"):
            return "map"
    if out == "b1" and name in _OF_BITS:
        return "map" if _are(given, "b1") and value.dtype is not bool else None
    if name in _ARITHMETIC or name in _CHOICES:
        return _floating(value, given) if out != "b1" else None
    if name in _ONE | _MATHEMATICS | {"sign", "copysign"} or name in _ANGLES:
        return _floating(value, given) if out != "b1" and not any(_are([g], "b1") for g in given) else None
    if name in _POWERS:
        return _floating(value, given) if out != "b1" and not any(_are([g], "b1") for g in given) else None
    if name in _COMPARISONS:
        return "map" if out == "b1" else None
    if name in _TESTS:
        return "map" if _are(given, "f8", "f4") else None
    if name in _LOGIC or name in ("logical_not", "invert"):
        return "map" if out == "b1" and _are(given, "b1") and value.dtype is not bool else None
    if name == "where":
        return "map" if KINDS.get(given[0].dtype) == "b1" and out != "b1" else None
    if name in ("astype", "cast"):
        return "map" if value.dtype is not bool else None
    if name == "as_kind":
        return "map" if value.dtype is float and _are(given, "f8", "f4") else None
    if name == "broadcast_to":
        return "map"
    return None


def _is_known(value: Value) -> bool:
    if value.dtype in KINDS:
        return True
    return value.is_constant() and not value.shape and not value.array and isinstance(value.constant, int | np.integer)


def _are(given: list[Value], *kinds: str) -> bool:
    return all(KINDS.get(g.dtype) in kinds for g in given)


def _floating(value: Value, given: list[Value]) -> str | None:
    """Arithmetic is in the result's dtype, which no input is wider than."""
    if KINDS[value.dtype] == "f4" and any(KINDS.get(g.dtype) == "f8" and not _is_weak(g) for g in given):
        return None
    return "map"


def _is_weak(value: Value) -> bool:
    """Whether it is a number of Python's, which takes the dtype of what it meets."""
    return isinstance(value.dtype, type)


def _small_power(exponent: Value) -> float | None:
    """The exponent, if it is one for which there is something quicker than a power."""
    if not exponent.is_constant() or exponent.shape or not isinstance(exponent.constant, int | float | np.number):
        return None
    return float(exponent.constant) if exponent.constant in (0.5, 1, 2, 3, 4, -1) else None


def _is_root(value: Value, given: list[Value]) -> bool:
    """Whether NumPy takes the square root for a power of 1/2. Then -inf gives NaN and -0.0 stays; a power gives inf and 0.0."""
    assert value.op is not None
    x = np.full((1,) if given[0].shape else (), -np.inf, given[0].dtype)
    with np.errstate(invalid="ignore"):
        found = value.op.forward(x if given[0].array else x[()], given[1].constant, **value.params)
    return bool(np.isnan(found).all())


def _reduction(value: Value, x: Value) -> str | None:
    if value.dtype != x.dtype or KINDS[value.dtype] == "b1" or not x.shape or not value.params["axes"]:
        return None
    return None if value.array and not value.shape else "reduce"


class Scalars:
    """Emits the operations of a program, one entry at a time, into a builder."""

    def __init__(self, builder: Any, module: Any, bail: Callable[[Any], None]) -> None:
        from . import text as ir

        self.ir = ir
        self.b = builder
        self.m = module
        self.bail = bail
        self.types = {"f8": ir.DoubleType(), "f4": ir.FloatType(), "b1": ir.IntType(1), **integers.TYPES}
        self.comparisons = _COMPARISONS
        self.integers = integers.Integers(builder, self)

    def constant(self, value: Any, kind: str) -> Any:
        """A number as a constant."""
        if kind == "b1":
            return self.ir.Constant(self.types[kind], int(bool(value)))
        if kind in integers.TYPES:
            return integers.constant(value, kind)
        return self.ir.Constant(self.types[kind], float(np.float32(value)) if kind == "f4" else float(value))

    def kind_of(self, value: Value) -> str:
        """What a value's entries are; constant integers of Python's are doubles."""
        return KINDS.get(value.dtype, "f8")

    def cast(self, x: Any, to: str, of: str = "") -> Any:
        """A value in another dtype; `of` is what it is so far, where that may be an integer."""
        kind = self.types[to]
        if x.type == kind:
            return x
        if to in integers.TYPES:
            return self.integers.cast(x, to, of)
        if to == "b1":
            return self.integers.truth(x)
        if x.type == self.types["b1"]:
            return self.b.uitofp(x, kind)
        if of in integers.TYPES:
            return self.b.sitofp(x, kind) if integers.is_signed(of) else self.b.uitofp(x, kind)
        return self.b.fpext(x, kind) if to == "f8" else self.b.fptrunc(x, kind)

    def intrinsic(self, name: str, *args: Any) -> Any:
        """A function of LLVM's own."""
        kind = args[0].type
        return self.b.call(
            self.m.declare_intrinsic(f"llvm.{name}", [kind], self.ir.FunctionType(kind, [kind] * len(args))), list(args)
        )

    def emit(self, value: Value, given: list[Value], args: list[Any]) -> Any:
        """One entry of a value, from those of its inputs (as they are) and what they are."""
        assert value.op is not None
        name, out = value.op.name, KINDS[value.dtype]
        if integers.concerns(value, given):
            if out not in ("f8", "f4"):
                return self.integers.emit(value, given, args)
            start = 1 if name == "where" else 0
            kinds = [self.kind_of(g) for g in given]
            args[start:] = [self.cast(a, out, k) for a, k in zip(args[start:], kinds[start:], strict=True)]
        if name in _COMPARISONS:
            return self._compare(_COMPARISONS[name], given, args)
        if name == "where":
            return self.b.select(args[0], self.cast(args[1], out), self.cast(args[2], out))
        if name in _LOGIC or (out == "b1" and name in _OF_BITS):
            word = _LOGIC.get(name) or _OF_BITS[name]
            return {"and": self.b.and_, "or": self.b.or_, "xor": self.b.xor}[word](args[0], args[1])
        if name in ("logical_not", "invert"):
            return self.b.not_(args[0])
        if name in _TESTS:
            return self._test(name, args[0])
        exact = isinstance(value.dtype, type) and all(isinstance(g.dtype, type) for g in given)
        args = [self.cast(a, out) for a in args]
        if name in _ARITHMETIC:
            if name == "divide" and exact:  # Python's own numbers raise
                self.bail(self.b.fcmp_ordered("==", args[1], self.constant(0, out)))
            return {"add": self.b.fadd, "subtract": self.b.fsub, "multiply": self.b.fmul, "divide": self.b.fdiv}[name](
                *args
            )
        if name in _POWERS:
            small = _small_power(given[1])
            if small == 0.5 and not exact and _is_root(value, given):
                return self.intrinsic("sqrt", args[0])
            if small is not None:
                return self._power(args[0], small, out, exact)
            return self._any_power(args, out, exact)
        if name in _MATHEMATICS:
            return math.call(self.b, name, out, args)
        if name in _CHOICES:
            return self._choice(name, *args)
        if name == "copysign":
            return self.intrinsic(name, *args)
        return self._one(name, args[0], out)

    def _choice(self, name: str, x: Any, y: Any) -> Any:
        """The larger or the lesser; a NaN wins (`maximum`), or loses (`fmax`)."""
        first = self.b.fcmp_ordered(">" if name in ("maximum", "fmax") else "<", x, y)
        not_a_number = x if name in ("maximum", "minimum") else y
        return self.b.select(self.b.or_(first, self.b.fcmp_unordered("uno", not_a_number, not_a_number)), x, y)

    def _compare(self, sign: str, given: list[Value], args: list[Any]) -> Any:
        strong = [KINDS[g.dtype] for g in given if g.dtype in KINDS and not _is_weak(g)]
        wide = "f4" if strong and all(k == "f4" for k in strong) else "f8"
        x, y = (self.cast(a, wide) for a in args)
        return self.b.fcmp_unordered(sign, x, y) if sign == "!=" else self.b.fcmp_ordered(sign, x, y)

    def _test(self, name: str, x: Any) -> Any:
        if name == "signbit":
            wide = self.ir.IntType(64 if x.type == self.types["f8"] else 32)
            return self.b.icmp_signed("<", self.b.bitcast(x, wide), self.ir.Constant(wide, 0))
        if name == "isnan":
            return self.b.fcmp_unordered("uno", x, x)
        size = self.intrinsic("fabs", x)
        infinity = self.ir.Constant(x.type, float("inf"))
        return self.b.fcmp_ordered("==" if name == "isinf" else "<", size, infinity)

    def _power(self, x: Any, exponent: float, out: str, exact: bool) -> Any:
        b = self.b
        if exponent == 0.5:
            if exact:
                self.bail(b.fcmp_ordered("<", x, self.constant(0, out)))  # complex, in Python
            near = self.intrinsic("sqrt", x)
            below = b.fcmp_ordered("==", x, self.constant(-np.inf, out))
            return b.select(below, self.constant(np.inf, out), b.fadd(near, self.constant(0.0, out)))
        if exponent == -1:
            if exact:
                self.bail(b.fcmp_ordered("==", x, self.constant(0, out)))
            return b.fdiv(self.constant(1, out), x)
        if exponent == 1:
            return x
        found = b.fmul(x, x)
        if exponent == 3:
            found = b.fmul(found, x)
        elif exponent == 4:
            found = b.fmul(found, found)
        if exact:  # too large is an error there
            over = b.fcmp_ordered("==", self.intrinsic("fabs", found), self.constant(np.inf, out))
            self.bail(over)
        return found

    def _any_power(self, args: list[Any], out: str, exact: bool) -> Any:
        found = math.call(self.b, "power", out, args)
        if exact:  # Python's numbers raise where there is a pole or too large a result, or are complex
            finite = [self._test("isfinite", a) for a in (*args, found)]
            self.bail(self.b.and_(self.b.and_(finite[0], finite[1]), self.b.not_(finite[2])))
        return found

    def _one(self, name: str, x: Any, out: str) -> Any:
        b = self.b
        if name == "negative":
            return b.fneg(x)
        if name in ("absolute", "fabs"):
            return self.intrinsic("fabs", x)
        if name == "reciprocal":
            return b.fdiv(self.constant(1, out), x)
        if name == "square":
            return b.fmul(x, x)
        if name in ("sqrt", "floor", "ceil", "trunc", "rint"):
            return self.intrinsic(name, x)
        if name in _ANGLES:
            return b.fmul(x, self.constant(_ANGLES[name], out))
        if name == "sign":
            signed = b.select(
                b.fcmp_ordered("<", x, self.constant(0, out)), self.constant(-1, out), self.constant(0, out)
            )
            found = b.select(b.fcmp_ordered(">", x, self.constant(0, out)), self.constant(1, out), signed)
            return b.select(b.fcmp_unordered("uno", x, x), x, found)
        return x  # positive, astype, cast, as_kind, broadcast_to

"""Derivatives as mathematics: the rules themselves, run on symbols.

A rule is plain NumPy code, and so is most layers' code. `Symbol` is what stands there for a number: NumPy's protocols bring
each operation on it here, and SymPy does the algebra. This file needs SymPy, and is imported only where formulas are made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy
import sympy as sp
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..graph import Primitive
from ..rules import UFUNCS
from ..rules.elementwise import where as choice

np: Any = numpy  # NumPy's stubs know arrays only

#: √(2π), which SymPy would write as √2·√π.
ROOT_2_PI = sp.Symbol("root2pi", positive=True)
#: Numbers that rules hold in binary.
_KNOWN = {
    math.log(2): sp.log(2),
    math.log(10): sp.log(10),
    math.pi: sp.pi,
    math.pi / 180: sp.pi / 180,
    180 / math.pi: 180 / sp.pi,
    math.sqrt(math.pi): sp.sqrt(sp.pi),
    math.sqrt(2 * math.pi): ROOT_2_PI,
    2 / math.sqrt(math.pi): 2 / sp.sqrt(sp.pi),
    math.sqrt(math.pi) / 2: sp.sqrt(sp.pi) / 2,
}
#: Conditions such as y = 0, met on the way, at which the general formula has no value.
_special: ContextVar[list[Any] | None] = ContextVar("special", default=None)
#: The one of them that is now taken to hold.
_holds: ContextVar[Any] = ContextVar("holds", default=None)


class Symbol(NDArrayOperatorsMixin):
    """What rules and layers compute with in place of a number.

    Attributes:
        e: the expression, or a condition.
    """

    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1
    dtype = np.dtype(float)
    T = real = property(lambda self: self)
    __array_priority__ = 2000.0

    def __init__(self, e: Any) -> None:
        self.e = e

    def __repr__(self) -> str:
        return f"Symbol({self.e})"

    def __array_ufunc__(self, ufunc: numpy.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc.__name__ not in _UFUNCS:
            return NotImplemented
        return self._made(ufunc, _UFUNCS[ufunc.__name__](*map(expression, inputs)), inputs)

    def _made(self, ufunc: numpy.ufunc, e: Any, inputs: Sequence[Any]) -> Symbol:
        return Symbol(e)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        run = _FUNCTIONS.get(function)
        return NotImplemented if run is None else run(*args, **kwargs)

    def __getitem__(self, key: Any) -> Symbol:
        if key != () and key is not Ellipsis:
            raise TypeError("a symbol stands for one number")
        return self

    def __bool__(self) -> bool:
        if self.e in (sp.true, sp.false):
            return bool(self.e)
        raise TypeError("what a symbol is compared with isn't known")

    def copy(self) -> Symbol:
        return self


class Taped(Symbol):
    """A symbol whose operations are written down, so that they can be walked back one by one."""

    def __init__(self, e: Any, tape: list[tuple[Primitive, tuple[Any, ...], Taped]]) -> None:
        super().__init__(e)
        self.tape = tape

    def _made(self, ufunc: numpy.ufunc, e: Any, inputs: Sequence[Any]) -> Symbol:
        out = Taped(e, self.tape)
        if ufunc in UFUNCS:
            self.tape.append((UFUNCS[ufunc], tuple(inputs), out))
        return out


def expression(x: Any) -> Any:
    """What SymPy computes with for a symbol or a number."""
    if isinstance(x, Symbol):
        return x.e
    if isinstance(x, np.ndarray | np.generic):
        x = x.item()  # an array of more than one number raises
    if isinstance(x, complex):
        return expression(x.real) + sp.I * expression(x.imag)
    if isinstance(x, float):
        return (_KNOWN.get(abs(x)) or sp.nsimplify(abs(x), rational=True)) * (-1 if x < 0 else 1)
    return sp.sympify(x)


def where(condition: Any, x: Any, y: Any) -> Any:
    """NumPy's where. A condition such as y = 0 is taken not to hold, unless it decides between mere factors of dout."""
    if not isinstance(condition, Symbol):
        return x if condition else y
    out = _chosen(condition, x, y)
    tape = next((a.tape for a in (x, y) if isinstance(a, Taped)), None)
    if tape is None:
        return out
    taped = Taped(out.e, tape)
    tape.append((choice, (condition, x, y), taped))
    return taped


def _chosen(condition: Symbol, x: Any, y: Any) -> Symbol:
    c, yes, no = condition.e, expression(x), expression(y)
    if c in (sp.true, sp.false):
        return Symbol(yes if c == sp.true else no)
    if _is_equation(c) and not (_is_factor(yes) and _is_factor(no)):
        holds, special = _holds.get(), _special.get()
        if holds is not None and c == holds:
            return Symbol(yes.subs(_equations(c)) if yes.free_symbols else yes)
        if special is not None and c not in special:
            special.append(c)
        return Symbol(no)
    if no == -yes and isinstance(c, sp.StrictGreaterThan) and c.rhs == 0:
        return Symbol(yes * sp.sign(c.lhs))
    return Symbol(sp.Piecewise((yes, c), (no, True)))


def _is_equation(c: Any) -> bool:
    return isinstance(c, sp.Eq) or (isinstance(c, sp.And) and all(isinstance(a, sp.Eq) for a in c.args))


def _equations(c: Any) -> dict[Any, Any]:
    return {eq.lhs: eq.rhs for eq in (c.args if isinstance(c, sp.And) else (c,))}


def _is_factor(e: Any) -> bool:
    """Whether it is dout, or a number of times it, or made of such pieces."""
    return e.free_symbols <= {DOUT} or isinstance(e, sp.Piecewise)


def _equal(x: Any, y: Any) -> Any:
    """Equality; of two signs, that of the product."""
    if isinstance(x, sp.StrictLessThan) and isinstance(y, sp.StrictLessThan):
        return sp.StrictGreaterThan(x.lhs * y.lhs, 0)
    return sp.Eq(x, y)


def _exp2(x: Any) -> Any:
    plain = sp.exp(sp.expand_mul(x * sp.log(2)))
    return 2**x if plain.has(sp.log) else plain


def _named(name: str) -> Callable[..., Any]:
    """A function that is only written by its name."""
    return lambda *args: sp.Function(name, real=True)(*map(sp.sympify, args))


def _bessel(kind: str, order: int, scale: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    return lambda x: _named(kind.upper())(order, x) * (1 if scale is None else scale(x))


#: The ufuncs in SymPy's words.
_UFUNCS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "absolute": sp.Abs,
    "fabs": sp.Abs,
    "conjugate": lambda x: x,
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x**2,
    "power": lambda x, y: x**y,
    "float_power": lambda x, y: x**y,
    "sqrt": sp.sqrt,
    "cbrt": lambda x: sp.sign(x) * sp.Abs(x) ** sp.Rational(1, 3),
    "exp": sp.exp,
    "exp2": _exp2,
    "expm1": lambda x: sp.exp(x) - 1,
    "log": sp.log,
    "log2": lambda x: sp.log(x) / sp.log(2),
    "log10": lambda x: sp.log(x) / sp.log(10),
    "log1p": lambda x: sp.log(1 + x),
    "logaddexp": lambda x, y: sp.log(sp.exp(x) + sp.exp(y)),
    "logaddexp2": lambda x, y: sp.log(2**x + 2**y) / sp.log(2),
    "hypot": lambda x, y: sp.sqrt(x**2 + y**2),
    "ldexp": lambda x, n: x * 2**n,
    "floor_divide": lambda x, y: sp.floor(x / y),
    "floor": sp.floor,
    "rint": sp.Function("round"),
    "sin": sp.sin,
    "cos": sp.cos,
    "tan": sp.tan,
    "arcsin": sp.asin,
    "arccos": sp.acos,
    "arctan": sp.atan,
    "arctan2": sp.atan2,
    "sinh": sp.sinh,
    "cosh": sp.cosh,
    "tanh": sp.tanh,
    "arcsinh": sp.asinh,
    "arccosh": sp.acosh,
    "arctanh": sp.atanh,
    "deg2rad": lambda x: x * sp.pi / 180,
    "radians": lambda x: x * sp.pi / 180,
    "rad2deg": lambda x: x * 180 / sp.pi,
    "degrees": lambda x: x * 180 / sp.pi,
    "sign": sp.sign,
    "maximum": sp.Max,
    "minimum": sp.Min,
    "less": sp.StrictLessThan,
    "less_equal": sp.LessThan,
    "greater": sp.StrictGreaterThan,
    "greater_equal": sp.GreaterThan,
    "equal": _equal,
    "not_equal": lambda x, y: sp.Not(sp.Eq(x, y)),
    "logical_and": sp.And,
    "logical_or": sp.Or,
    "logical_not": sp.Not,
    "bitwise_and": sp.And,
    "bitwise_or": sp.Or,
    "invert": sp.Not,
    "signbit": lambda x: sp.StrictLessThan(x, 0),
    "isinf": lambda x: sp.false,
    "isnan": lambda x: sp.false,
    "isfinite": lambda x: sp.true,
    # SciPy's
    "expit": lambda x: 1 / (1 + sp.exp(-x)),
    "xlogy": lambda x, y: x * sp.log(y),
    "xlog1py": lambda x, y: x * sp.log(1 + y),
    "gamma": _named("Gamma"),
    "gammaln": lambda x: sp.log(_named("Gamma")(x)),
    "beta": _named("Beta"),
    "betaln": lambda a, b: sp.log(_named("Beta")(a, b)),
    "psi": _named("digamma"),
    "_zeta": _named("zeta"),
    **{f"{kind}{order}": _bessel(kind, order) for kind in "jyik" for order in (0, 1)},
    **{f"{kind}v": _named(kind.upper()) for kind in "jyik"},
    **{f"i{order}e": _bessel("i", order, lambda x: sp.exp(-sp.Abs(x))) for order in (0, 1)},
    **{f"k{order}e": _bessel("k", order, sp.exp) for order in (0, 1)},
    "ive": lambda v, x: _named("I")(v, x) * sp.exp(-sp.Abs(x)),
    "kve": lambda v, x: _named("K")(v, x) * sp.exp(x),
    "ellipe": _named("ellipe"),
    "ellipk": _named("ellipk"),
}

_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: where,
    np.shape: lambda x: (),
    np.ndim: lambda x: 0,
    np.size: lambda x: 1,
    np.iscomplexobj: lambda x: False,
    np.real: lambda x: x,
    np.broadcast_to: lambda x, shape: x,
    np.sum: lambda x, *args, **options: x,
    np.copy: lambda x, *args, **options: x,
    np.clip: lambda x, low, high: np.minimum(np.maximum(x, low), high),
    np.result_type: lambda *args: np.dtype(float),
    np.any: lambda x: False,  # of special points, which formulas leave out
}

#: A local derivative, and what it is at points at which that has no value: (condition, value).
Local = tuple[Any, list[tuple[Any, Any]]]
#: The symbols of the formulas: the derivative that comes from downstream, the output, one input or the first to the third.
DOUT, OUT = sp.Symbol("dout", real=True), sp.Symbol("y", real=True)
ONE = (sp.Symbol("x", real=True),)
MANY = tuple(sp.Symbol(f"x_{i}", real=True) for i in (1, 2, 3))


def names_of(op: Primitive) -> tuple[Any, ...]:
    """The symbols of an elementwise operation's inputs."""
    return ONE if len(op.pullbacks) == 1 else MANY[: len(op.pullbacks)]


def local_of(op: Primitive, port: int, constants: dict[int, Any] | None = None) -> Local | None:
    """An elementwise operation's local derivative, and its value at special points; None if it has none.

    Args:
        op: the operation.
        port: which input.
        constants: Python numbers in the place of some inputs.

    Example:
        >>> local_of(UFUNCS[np.tanh], 0)
        (1 - y**2, [])
    """
    args = [Symbol(s) for s in names_of(op)]
    for i, value in (constants or {}).items():
        args[i] = value

    def run() -> Any:
        return op.pullbacks[port](Symbol(DOUT), Symbol(OUT), *args)

    special: list[Any] = []
    remember = _special.set(special)
    try:
        found = run()
    except NotImplementedError:  # it has no closed form
        return None
    finally:
        _special.reset(remember)
    if found is None:
        return None
    points = []
    for condition in special:
        hold = _holds.set(condition)
        try:
            at = run().e.subs(_equations(condition))
        finally:
            _holds.reset(hold)
        points.append((condition, _factor_of_dout(at)))
    return _factor_of_dout(found.e), points


def _factor_of_dout(e: Any) -> Any:
    """What dout is multiplied by."""
    return gentle(e.subs(DOUT, 1))


def gentle(e: Any) -> Any:
    """The expression as the rule says it, unless SymPy finds a much shorter one."""
    if e.has(sp.Piecewise):
        return sp.piecewise_fold(e) if isinstance(e, sp.Piecewise) else e
    e = e.replace(sp.exp, _parted)
    common = sp.factor_terms(e)
    e = common if _length(common) <= _length(e) else e
    near = min((_multiplied_out(e), sp.factor(e)), key=_length)
    far = sp.simplify(e)  # it knows many identities, and uses them where nobody would
    found = far if 3 * _length(far) < 2 * _length(near) else near
    return found if 4 * _length(found) < 3 * _length(e) else e


def _parted(exponent: Any) -> Any:
    """exp(x log y + z) as y**x exp(z)."""
    terms = sp.Add.make_args(exponent)
    logs = [t for t in terms if t.has(sp.log)]
    return sp.Mul(*map(_power, logs)) * sp.exp(sp.Add(*(t for t in terms if t not in logs)))


def _power(exponent: Any) -> Any:
    """exp(x log y) as y**x."""
    (log,) = exponent.atoms(sp.log)
    return log.args[0] ** (exponent / log)


def _multiplied_out(e: Any) -> Any:
    """With what is below the fraction bar and in roots multiplied out."""
    e = e.replace(_is_root, lambda t: sp.expand(t.base) ** t.exp)
    above, below = sp.fraction(e, exact=True)
    return e if below.has(sp.sqrt(below)) or any(map(_is_root, below.args)) else above / sp.expand(below)


def _is_root(e: Any) -> bool:
    return bool(e.is_Pow and e.exp in (sp.S.Half, -sp.S.Half))


def _length(e: Any) -> int:
    return len(str(e))

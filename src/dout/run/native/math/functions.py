"""Which functions there are. To add one is a line here, and one in the table of tests/run/test_mathematics.py."""

from __future__ import annotations

from collections.abc import Callable

from . import errors, exponential, gamma, inverse, logarithm, powers, trigonometry
from .values import Real

_OF_ONE: list[Callable[..., Real]] = [
    exponential.exp, exponential.exp2, exponential.exp10, exponential.expm1,
    exponential.sinh, exponential.cosh, exponential.tanh,
    exponential.expit, exponential.softplus, exponential.log_expit,
    logarithm.log, logarithm.log2, logarithm.log10, logarithm.log1p,
    logarithm.arcsinh, logarithm.arccosh, logarithm.arctanh,
    inverse.arctan, inverse.arcsin, inverse.arccos,
    powers.cbrt, errors.erf, errors.erfc, gamma.gammaln, gamma.psi,
]  # fmt: skip
_OF_TWO: list[Callable[..., Real]] = [exponential.logaddexp, inverse.arctan2, powers.hypot, powers.power]
#: How many arguments a function takes, and how it is computed. The names are those of NumPy's and SciPy's ufuncs.
FUNCTIONS: dict[str, tuple[int, Callable[..., Real]]] = {
    **{f.__name__: (1, f) for f in _OF_ONE},
    **{f.__name__: (2, f) for f in _OF_TWO},
}
#: Functions of an argument that is reduced by multiples of pi/2 first.
REDUCED: dict[str, Callable[..., Real]] = {
    "sin": trigonometry.sin, "cos": trigonometry.cos, "tan": trigonometry.tan,
}  # fmt: skip
#: Those that are computed in float64 for float32 too, and rounded once more.
WIDE = {"gammaln", "psi", "hypot", "power", "logaddexp"}

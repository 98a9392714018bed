"""NumPy's namespace, in which new arrays can hold Variables: `import dout.numpy as np`.

Everything is NumPy's own but two things. While a derivative is being taken, the functions that make an array of floats
(`zeros`, `ones`, `empty`, `full`, `array`, `asarray`, `arange`, `eye` ...) make a constant Variable of it, into which
other Variables can be written. And a list of Variables is one Variable to every function that takes an array. Outside of a
derivative they give NumPy's arrays, so that a program costs there what it costs with NumPy.

    >>> import dout
    >>> import dout.numpy as np
    >>> def filled(x):
    ...     y = np.zeros(3)
    ...     for i in range(3):
    ...         y[i] = x**i
    ...     return np.sum(y)
    >>> dout.grad(filled)(2.0)
    5.0
    >>> type(np.zeros(3)).__name__
    'ndarray'
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from .arguments import differentiating
from .recording import Handle, joined, make
from .rules.polynomials import at_points, fit, on_grid
from .tree import flatten

_np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable

__array_api_version__ = _np.__array_api_version__

#: Those that take lists of arrays as such.
_OF_LISTS = {
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "select", "choose", "piecewise",
    "lexsort", "broadcast_shapes", "einsum", "einsum_path", "result_type", "linalg.multi_dot", "ix_", "save", "savez",
}  # fmt: skip
#: Those that make an array of numbers; one of floats can hold Variables.
_MAKERS = ["arange", "empty", "eye", "frombuffer", "fromfunction", "fromiter", "fromstring", "full", "hamming", "hanning",
           "bartlett", "blackman", "kaiser", "identity", "indices", "ones", "tri", "zeros", "linspace", "logspace",
           "geomspace", "loadtxt", "genfromtxt", "load"]  # fmt: skip


def array(
    object: Any, dtype: Any = None, *, copy: bool | None = True, order: Any = "K", subok: bool = False, ndmin: int = 0,
    ndmax: int = 0, like: Any = None,
) -> Any:  # fmt: skip
    """As `numpy.array`; of Variables, or of a list that holds some at any depth, one Variable.

    Example:
        >>> import dout
        >>> dout.grad(lambda x: array([[x, 2 * x], [1.0, x]]).sum())(3.0)
        4.0
    """
    if not _holds_variables(object):
        limits = {"ndmax": ndmax} if ndmax else {}
        return _made(_np.array(object, dtype, copy=copy, order=order, subok=subok, ndmin=ndmin, **limits))
    made: Any = joined(object)
    if made is object and copy:
        made = _np.copy(made)
    if made.ndim < ndmin:
        made = _np.reshape(made, (1,) * (ndmin - made.ndim) + made.shape)
    return made if dtype is None else made.astype(dtype, copy=False)


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: bool | None = None, like: Any = None
) -> Any:
    """As `numpy.asarray`; a Variable stays as it is.

    Example:
        >>> import dout
        >>> dout.grad(lambda x: asarray([x, x]).prod())(3.0)
        6.0
    """
    return array(a, dtype, copy=copy, order=order or "K")


asanyarray = ascontiguousarray = asfortranarray = asarray


def _holds_variables(a: Any) -> bool:
    if isinstance(a, list | tuple):
        return any(isinstance(leaf, Handle) for leaf in flatten(a)[0])
    return isinstance(a, Handle)


def _made(a: Any) -> Any:
    """A new array, which can hold Variables where one might be written into it."""
    return make(a, None) if differentiating() and type(a) is _np.ndarray and a.dtype.kind in "fc" else a


def _making(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if any(_holds_variables(a) for a in (*args, *options.values())):
            if function is _np.full:
                return _full(*args, **options)
            return function(*args, **options)
        return _made(function(*args, **options))

    return call


def _full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    shape = (shape,) if isinstance(shape, int | _np.integer) else tuple(shape)
    made = _np.copy(_np.broadcast_to(joined(fill_value), shape))
    return made if dtype is None else made.astype(dtype, copy=False)


def _joining(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        args = tuple([joined(a) if isinstance(a, list | tuple) and _holds_variables(a) else a for a in args])
        return function(*args, **options)

    return call


class _Joined:
    """`r_` and `c_`: with Variables among the pieces, they are joined by `concatenate`."""

    def __init__(self, plain: Any, columns: bool) -> None:
        self._plain = plain
        self._columns = columns

    def __getitem__(self, key: Any) -> Any:
        pieces = key if isinstance(key, tuple) else (key,)
        if not any(_holds_variables(p) for p in pieces):
            return _made(self._plain[key])
        if isinstance(pieces[0], str):
            raise TypeError("r_ and c_ with Variables take no directive in text; use concatenate, with axis=")
        arrays = [self._plain[p] if isinstance(p, slice) else joined(p) for p in pieces]
        return _np.column_stack(arrays) if self._columns else _np.concatenate([_np.atleast_1d(a) for a in arrays])


r_ = _Joined(_np.r_, columns=False)
c_ = _Joined(_np.c_, columns=True)
for _name in _MAKERS:
    globals()[_name] = _making(getattr(_np, _name))


class _Namespace:
    """A part of NumPy, such as `linalg`, whose functions take lists of Variables."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _of(self._module, name)

    def __dir__(self) -> list[str]:
        return dir(self._module)


def _of(module: Any, name: str) -> Any:
    found = getattr(module, name)
    short = f"{module.__name__}.{name}".removeprefix("numpy.")
    if isinstance(found, type) or not callable(found) or short in _OF_LISTS or isinstance(found, _np.ufunc):
        return found
    return _joining(found)


class _Series:
    """A module of `np.polynomial`, where a series can be evaluated at Variables, fitted to them, and its roots found.

    NumPy's own functions go another way for what is no ndarray, or refuse arrays of Variables in compiled code.
    """

    def __init__(self, module: Any, prefix: str, series: str) -> None:
        self._module = module
        self._value, self._companion = getattr(module, f"{prefix}val"), getattr(module, f"{prefix}companion")
        self._plain_roots = getattr(module, f"{prefix}roots")
        self._by_name: dict[str, Any] = {
            f"{prefix}val": self._val,
            f"{prefix}val2d": lambda x, y, c: at_points(self._series, joined(c), x, y),
            f"{prefix}val3d": lambda x, y, z, c: at_points(self._series, joined(c), x, y, z),
            f"{prefix}grid2d": lambda x, y, c: on_grid(self._series, joined(c), x, y),
            f"{prefix}grid3d": lambda x, y, z, c: on_grid(self._series, joined(c), x, y, z),
            f"{prefix}fit": functools.partial(fit, getattr(module, f"{prefix}vander")),
            f"{prefix}roots": self._roots,
        }
        # NumPy's class of such series, with these in the place of its own.
        parts: dict[str, Callable[..., Any]] = {
            "_val": self._val,
            "_fit": self._by_name[f"{prefix}fit"],
            "_roots": self._roots,
        }
        self.type: Any = type(series, (getattr(module, series),), {k: staticmethod(v) for k, v in parts.items()})
        self._by_name[series] = self.type

    def _series(self, x: Any, c: Any) -> Any:
        return joined(self._value(x, c, tensor=False))

    def _val(self, x: Any, c: Any, tensor: bool = True) -> Any:
        if not (_holds_variables(x) or _holds_variables(c)):
            return self._value(x, c, tensor)
        x = joined(x)
        c = _np.atleast_1d(joined(c))
        return self._series(x, _np.reshape(c, c.shape + (1,) * _np.ndim(x)) if tensor else c)

    def _roots(self, c: Any) -> Any:
        """The eigenvalues of the companion matrix."""
        c = joined(c)
        if not _holds_variables(c):
            return self._plain_roots(c)
        while len(c) > 1 and c.value[-1] == 0:
            c = c[:-1]
        if len(c) < 2:
            return _np.zeros(0)
        return _np.sort(_np.linalg.eigvals(joined(self._companion(c))[::-1, ::-1]))

    def __getattr__(self, name: str) -> Any:
        return self._by_name[name] if name in self._by_name else getattr(self._module, name)

    def __dir__(self) -> list[str]:
        return dir(self._module)


class _Polynomials:
    """`np.polynomial`."""

    polynomial = _Series(_np.polynomial.polynomial, "poly", "Polynomial")
    chebyshev = _Series(_np.polynomial.chebyshev, "cheb", "Chebyshev")
    legendre = _Series(_np.polynomial.legendre, "leg", "Legendre")
    hermite = _Series(_np.polynomial.hermite, "herm", "Hermite")
    hermite_e = _Series(_np.polynomial.hermite_e, "herme", "HermiteE")
    laguerre = _Series(_np.polynomial.laguerre, "lag", "Laguerre")
    Polynomial, Chebyshev, Legendre = polynomial.type, chebyshev.type, legendre.type
    Hermite, HermiteE, Laguerre = hermite.type, hermite_e.type, laguerre.type

    def __getattr__(self, name: str) -> Any:
        return getattr(_np.polynomial, name)

    def __dir__(self) -> list[str]:
        return dir(_np.polynomial)


polynomial = _Polynomials()
linalg = _Namespace(_np.linalg)
fft = _Namespace(_np.fft)
random = _np.random


def __getattr__(name: str) -> Any:
    return _of(_np, name)


def __dir__() -> list[str]:
    return sorted({*dir(_np), *globals()})

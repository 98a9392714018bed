"""Variables in NumPy's arrays of Python objects: `np.array([v, w])`, `np.full(n, v)`, `np.asarray(v)`.

NumPy can't hold a Variable in an array of floats, and makes an array of objects of it, entry by entry. It computes with such
an array by Python's operators, and for a ufunc calls the entry's method of that name. dout joins
the entries at the first operation that has a Variable beside it, and where a function returns them.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy

from .errors import no_plain_array

np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable

_HINT = (
    "NumPy made an array of Python objects from Variables, and computes with them one by one. That is right, but slow: "
    "use v in place of np.asarray(v), np.stack([v, w]) in place of np.array([v, w]), v * np.ones(n) in place of np.full(n, v)."
)
_said = False


def as_objects(v: Any, dtype: Any) -> Any:
    """The entries of a Variable as objects, each a Variable.

    Raises:
        TypeError: if another dtype is asked for, which could not hold the derivative.
    """
    if dtype is not None and np.dtype(dtype).kind != "O":
        raise no_plain_array()
    _hint()
    shape = v.shape
    array = np.empty(shape, object)
    if not shape:
        array[()] = v
    for place in np.ndindex(*shape) if shape else ():
        array[place] = v[place]
    return array


def handed_out(v: Any, dtype: Any) -> Any:
    """What `__array__` of a Variable gives: the array of objects that NumPy's functions then compute with.

    Raises:
        TypeError: for complex numbers, of which NumPy says in such an array that the real part is the number itself and
            the imaginary part 0.
    """
    if v.dtype.kind == "c":
        raise TypeError(
            "NumPy can't hold complex Variables in an array: of objects it takes no real and imaginary parts. Join them by "
            "np.stack([v, w]) in place of np.array([v, w]), and use v as it is in place of np.asarray(v)."
        )
    return as_objects(v, dtype)


def _hint() -> None:
    """Say once how to be faster."""
    global _said
    if not _said:
        _said = True
        warnings.warn(_HINT, UserWarning, stacklevel=4)


class InObjectArrays:
    """What NumPy's ufuncs call on the entries of an object array, each the ufunc of that name."""

    __slots__ = ()

    def exp(self) -> Any:
        return np.exp(self)

    def exp2(self) -> Any:
        return np.exp2(self)

    def expm1(self) -> Any:
        return np.expm1(self)

    def log(self) -> Any:
        return np.log(self)

    def log2(self) -> Any:
        return np.log2(self)

    def log10(self) -> Any:
        return np.log10(self)

    def log1p(self) -> Any:
        return np.log1p(self)

    def sqrt(self) -> Any:
        return np.sqrt(self)

    def cbrt(self) -> Any:
        return np.cbrt(self)

    def sin(self) -> Any:
        return np.sin(self)

    def cos(self) -> Any:
        return np.cos(self)

    def tan(self) -> Any:
        return np.tan(self)

    def arcsin(self) -> Any:
        return np.arcsin(self)

    def arccos(self) -> Any:
        return np.arccos(self)

    def arctan(self) -> Any:
        return np.arctan(self)

    def arctan2(self, other: Any) -> Any:
        return np.arctan2(self, other)

    def hypot(self, other: Any) -> Any:
        return np.hypot(self, other)

    def sinh(self) -> Any:
        return np.sinh(self)

    def cosh(self) -> Any:
        return np.cosh(self)

    def tanh(self) -> Any:
        return np.tanh(self)

    def arcsinh(self) -> Any:
        return np.arcsinh(self)

    def arccosh(self) -> Any:
        return np.arccosh(self)

    def arctanh(self) -> Any:
        return np.arctanh(self)

    def deg2rad(self) -> Any:
        return np.deg2rad(self)

    def rad2deg(self) -> Any:
        return np.rad2deg(self)

    def degrees(self) -> Any:
        return np.degrees(self)

    def radians(self) -> Any:
        return np.radians(self)

    def fmod(self, other: Any) -> Any:
        return np.fmod(self, other)

    def fabs(self) -> Any:
        return np.fabs(self)

    def rint(self) -> Any:
        return np.rint(self)

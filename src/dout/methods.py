"""The ndarray methods and attributes of a Variable, each the NumPy function of that name.

Kept apart from `variable.py` because there is nothing to know about them but their names.
"""

from __future__ import annotations

from typing import Any

import numpy

#: Typed loosely, because NumPy's stubs don't know that its functions take a Variable.
np: Any = numpy


class ArrayMethods:
    """What an ndarray offers by name, in terms of NumPy's functions on `self`."""

    __slots__ = ()

    _value: Any

    # What it is
    @property
    def shape(self) -> tuple[int, ...]:
        value = self._value
        return value.shape if hasattr(value, "shape") else ()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.size(self._value))

    @property
    def dtype(self) -> numpy.dtype[Any]:
        return numpy.result_type(self._value)

    @property
    def nbytes(self) -> int:
        return int(np.asarray(self._value).nbytes)

    @property
    def itemsize(self) -> int:
        return int(self.dtype.itemsize)

    # Views and shapes
    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.matrix_transpose(self)

    @property
    def real(self) -> Any:
        return np.real(self) if np.iscomplexobj(self._value) else self

    @real.setter
    def real(self, values: Any) -> None:
        self._write_part("real", self.real, values)

    @property
    def imag(self) -> Any:
        return np.imag(self)

    @imag.setter
    def imag(self, values: Any) -> None:
        if not np.iscomplexobj(self._value):
            raise TypeError("array does not have imaginary part to set")
        self._write_part("imag", self.imag, values)

    def _write_part(self, name: str, part: Any, values: Any) -> None:
        if not isinstance(self._value, numpy.ndarray):
            raise AttributeError(f"attribute '{name}' of '{type(self._value).__name__}' objects is not writable")
        if values is not self:  # as after v.real *= 2, which has been written already
            part[...] = values

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)

    def ravel(self, order: str = "C") -> Any:
        return np.ravel(self, order)

    def flatten(self, order: str = "C") -> Any:
        return np.copy(np.ravel(self, order))

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Any:
        return np.squeeze(self, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return np.diagonal(self, offset, axis1, axis2)

    def copy(self, order: str = "C") -> Any:
        return np.copy(self, order)

    def conj(self) -> Any:
        return np.conj(self) if np.iscomplexobj(self._value) else self  # as NumPy's method does

    def conjugate(self) -> Any:
        return np.conj(self) if np.iscomplexobj(self._value) else self  # as NumPy's method does

    # Reductions
    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **options: Any) -> Any:
        return np.sum(self, axis, dtype, out=out, keepdims=keepdims, **options)

    def prod(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **options: Any) -> Any:
        return np.prod(self, axis, dtype, out=out, keepdims=keepdims, **options)

    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **options: Any) -> Any:
        return np.mean(self, axis, dtype, out=out, keepdims=keepdims, **options)

    def max(self, axis: Any = None, out: Any = None, keepdims: bool = False, **options: Any) -> Any:
        return np.max(self, axis, out=out, keepdims=keepdims, **options)

    def min(self, axis: Any = None, out: Any = None, keepdims: bool = False, **options: Any) -> Any:
        return np.min(self, axis, out=out, keepdims=keepdims, **options)

    def var(
        self,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        **options: Any,
    ) -> Any:
        return np.var(self, axis, dtype, out=out, ddof=ddof, keepdims=keepdims, **options)

    def std(
        self,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        **options: Any,
    ) -> Any:
        return np.std(self, axis, dtype, out=out, ddof=ddof, keepdims=keepdims, **options)

    def cumsum(self, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        return np.cumsum(self, axis, dtype, out=out)

    def cumprod(self, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        return np.cumprod(self, axis, dtype, out=out)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return np.trace(self, offset, axis1, axis2)

    def argmax(self, axis: Any = None, **options: Any) -> Any:
        return np.argmax(self, axis, **options)

    def argmin(self, axis: Any = None, **options: Any) -> Any:
        return np.argmin(self, axis, **options)

    def any(self, axis: Any = None, **options: Any) -> Any:
        return np.any(self, axis, **options)

    def all(self, axis: Any = None, **options: Any) -> Any:
        return np.all(self, axis, **options)

    def argsort(self, axis: int | None = -1, **options: Any) -> Any:
        return np.argsort(self, axis, **options)

    def nonzero(self) -> Any:
        return np.nonzero(self)

    def round(self, decimals: int = 0) -> Any:
        return np.round(self, decimals)

    # Reading and combining
    def dot(self, b: Any) -> Any:
        return np.dot(self, b)

    def take(self, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
        return np.take(self, indices, axis, mode=mode)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        return np.repeat(self, repeats, axis)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return np.clip(self, min, max)

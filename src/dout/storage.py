"""What an ndarray offers that has to do with its memory and its order there, for a Variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

#: Typed loosely, because NumPy's stubs don't know that its functions take a Variable.
np: Any = numpy


class Flat:
    """`v.flat`: the entries one after another, to read, to write and to go through."""

    __slots__ = ("_array", "_base")

    def __init__(self, array: Any) -> None:
        self._array = array
        self._base = array

    def _at(self, key: Any) -> tuple[Any, ...]:
        if not self._array.ndim:
            self._array = np.reshape(self._array, (1,))  # a view that has an axis
        places = np.arange(self._array.size)[key]
        found: tuple[Any, ...] = np.unravel_index(places, self._array.shape)
        return found

    def __getitem__(self, key: Any) -> Any:
        at = self._at(key)
        return self._array[at]

    def __setitem__(self, key: Any, value: Any) -> None:
        at = self._at(key)
        n = np.size(at[0]) if at else 1
        value = value if not np.ndim(value) else np.ravel(value)[np.arange(n) % np.size(value)]
        self._array[at] = value if np.ndim(at[0]) or not np.ndim(value) else value[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return int(self._array.size)

    @property
    def base(self) -> Any:
        return self._base

    def copy(self) -> Any:
        return np.copy(np.ravel(self._array))


class Storage:
    """Memory and order; what would hand out the memory itself raises, because writes to it would not be seen."""

    __slots__ = ()

    _value: Any
    _leaving: Any

    @property
    def flat(self) -> Any:
        return Flat(self)

    @flat.setter
    def flat(self, values: Any) -> None:
        Flat(self)[:] = values

    @property
    def strides(self) -> tuple[int, ...]:
        return np.asarray(self._value).strides  # type: ignore[no-any-return]

    @property
    def flags(self) -> Any:
        return np.asarray(self._value).flags

    @property
    def device(self) -> str:
        return "cpu"

    def to_device(self, device: str, /, *, stream: Any = None) -> Any:
        np.asarray(self._value).to_device(device, stream=stream)  # raises for another than "cpu"
        return self

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """Of the Python array API standard: the module of functions for it, `dout.numpy`."""
        np.empty(0).__array_namespace__(api_version=api_version)  # raises for a version that NumPy doesn't know
        from . import numpy as namespace  # here, because it stands above all that it holds

        return namespace

    def __dlpack__(self, **options: Any) -> Any:
        return np.asarray(self._leaving("exchange by DLPack")).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return np.empty(0).__dlpack_device__()  # type: ignore[no-any-return]

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        """A view that writes through. Another dtype would read the bits, of which nothing can be differentiated."""
        if type is not None or (dtype is not None and np.dtype(dtype) != self._value.dtype):
            raise TypeError(
                f"v.view({dtype}): bits have no derivative; use v.astype({dtype}), or v.value.view({dtype})"
            )
        return np.reshape(self, self._value.shape)

    def partition(self, kth: Any, axis: int = -1, kind: str = "introselect") -> None:
        self[...] = np.partition(self, kth, axis, kind)  # type: ignore[index]

    def argpartition(self, kth: Any, axis: int | None = -1, **options: Any) -> Any:
        return np.argpartition(self, kth, axis, **options)

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Any:
        return np.searchsorted(self, v, side, sorter)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        np.put(self, indices, values, mode)

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Any:
        return np.compress(condition, self, axis, out=out)

    def choose(self, choices: Any, out: Any = None, mode: str = "raise") -> Any:
        raise TypeError("v.choose(choices): the array of choices is made of integers; v is floating")

    def resize(self, *shape: Any, refcheck: bool = True) -> None:
        raise ValueError(
            "v.resize(...) would change the memory that others see; use np.resize(v, shape) for a new array"
        )

    def setflags(self, write: bool | None = None, align: bool | None = None, uic: bool | None = None) -> None:
        raise ValueError("v.setflags(...): a Variable's memory belongs to the graph; use v.copy()")

    def tobytes(self, order: str = "C") -> bytes:
        return np.asarray(self._leaving("v.tobytes()")).tobytes(order)  # type: ignore[no-any-return]

    def tofile(self, fid: Any, sep: str = "", format: str = "%s") -> None:
        np.asarray(self._leaving("v.tofile()")).tofile(fid, sep, format)

    def dumps(self) -> bytes:
        return np.asarray(self._leaving("v.dumps()")).dumps()  # type: ignore[no-any-return]

    def dump(self, file: Any) -> None:
        np.asarray(self._leaving("v.dump()")).dump(file)

    def byteswap(self, inplace: bool = False) -> Any:
        return np.asarray(self._leaving("v.byteswap()")).byteswap(inplace)

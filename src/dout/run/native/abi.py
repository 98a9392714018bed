"""How CPython and NumPy lay out their objects in memory, held against real objects before native code relies on it.

A float is `refcount, type, double`; an array `refcount, type, data, nd, dimensions, strides, base, descr, flags`, in words
of eight bytes; a tuple's entries begin at its fourth word. Where any of that isn't so (a debug build, one without the
GIL, another NumPy), native code is called in a slower way that needs none of it.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import sysconfig
from typing import Any

import numpy as np

#: Flags of an array that can be read entry after entry: contiguous in C's order, aligned.
READABLE = 0x1 | 0x100
_WORD = ctypes.c_uint64
_DOUBLE = ctypes.c_double
#: Functions of NumPy's C API by their place in its table; the last one is a variable.
_NUMPY = {
    "PyArray_New": 93, "PyArray_Scalar": 60, "PyDataMem_SetHandler": 304, "PyDataMem_GetHandler": 305,
    "PyDataMem_DefaultHandler": 306,
}  # fmt: skip
_PYTHON = (
    "PyFloat_FromDouble", "PyBool_FromLong", "PyLong_FromLongLong", "PyLong_AsLongLongAndOverflow", "PyTuple_New",
    "PyList_New", "PyObject_Vectorcall", "Py_DecRef", "Py_IncRef", "PyErr_NoMemory", "PyErr_Clear", "PyEval_SaveThread",
    "PyEval_RestoreThread", "PyMem_RawMalloc", "PyMem_RawFree",
)  # fmt: skip


def _word(address: int, place: int) -> int:
    return int(_WORD.from_address(address + 8 * place).value)


@functools.cache
def holds() -> bool:
    """Whether objects are laid out as native code expects."""
    try:
        return _checked()
    except Exception:  # whatever it is: then the slower way is the right one
        return False


def _checked() -> bool:
    if ctypes.sizeof(ctypes.c_void_p) != 8 or hasattr(sys, "gettotalrefcount"):
        return False
    if sysconfig.get_config_var("Py_GIL_DISABLED") or sys.implementation.name != "cpython":
        return False
    number, narrow = np.float64(2.5), np.float32(2.5)
    for value in (1.5, number):
        if _word(id(value), 1) != id(type(value)) or _DOUBLE.from_address(id(value) + 16).value != value:
            return False
    if ctypes.c_float.from_address(id(narrow) + 16).value != 2.5:
        return False
    if ctypes.c_uint8.from_address(id(np.bool_(True)) + 16).value != 1:
        return False
    row = (1.5, "x")
    if _word(id(row), 3) != id(row[0]) or _word(id(row), 4) != id(row[1]) or _word(id(row), 2) != 2:
        return False
    listed = [1.5, "x"]
    if _word(_word(id(listed), 3), 1) != id(listed[1]):
        return False
    array = np.arange(6.0).reshape(2, 3)[:, ::-1]
    at = id(array)
    if _word(at, 1) != id(np.ndarray) or _word(at, 2) != array.ctypes.data:
        return False
    if ctypes.c_int.from_address(at + 24).value != 2 or _word(at, 7) != id(array.dtype):
        return False
    dimensions, strides = _word(at, 4), _word(at, 5)
    if (_word(dimensions, 0), _word(dimensions, 1)) != (2, 3) or _word(strides, 0) != 24:
        return False
    flags = ctypes.c_int.from_address(at + 64).value
    if flags & 0x1 or not flags & 0x100:
        return False
    plain = np.zeros((2, 2))
    if ctypes.c_int.from_address(id(plain) + 64).value & READABLE != READABLE:
        return False
    return _numpy_makes_arrays()


def _numpy_makes_arrays() -> bool:
    new = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.py_object, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_int, ctypes.c_int, ctypes.c_void_p,
    )(addresses()["PyArray_New"])  # fmt: skip
    shape = (ctypes.c_int64 * 2)(2, 3)
    made = new(np.ndarray, 2, ctypes.addressof(shape), np.dtype(float).num, None, None, 0, 0, None)
    scalar = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
        addresses()["PyArray_Scalar"]
    )
    number = ctypes.c_double(2.5)
    one = scalar(ctypes.addressof(number), np.dtype(float), None)
    return bool(made.shape == (2, 3) and made.dtype == float and type(one) is np.float64 and one == 2.5)


@functools.cache
def addresses() -> dict[str, int]:
    """Where the functions are that native code calls."""
    found: dict[str, int] = {}
    for name in _PYTHON:
        address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        assert address is not None
        found[name] = address
    from numpy._core import _multiarray_umath as core  # type: ignore[attr-defined]

    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype = ctypes.c_void_p
    pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    table: Any = ctypes.cast(pointer(core._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    for name, place in _NUMPY.items():
        found[name] = table[place]
    return found

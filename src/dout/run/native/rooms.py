"""Memory of large results, which is used again.

For a large array the C library asks the system for pages at each call and gives them back after, and the system fills
each page with zeros when it is first touched. That takes up to two thirds of the time. So the
arrays that native code makes for large results come from a handler of memory of our own, in the way that NumPy documents
(NEP 49): they own their data as any other array does, and only when one is freed, its memory is kept for the next.

A block is what NumPy's default handler gives; in front of the data lie its capacity and where it begins. So nothing depends
on the size that NumPy says when it frees.

Nothing here locks. The handler is called when an array is made, resized or freed, and Python's global lock is held then; where
there is none, `abi.holds()` is False and no code that calls this is made.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from .abi import addresses
from .engine import Code, define
from .rooms_code import ALIGNMENT, LARGE, MOST, module_text

#: The name by which code calls what makes an array: as `PyArray_New`, but with memory that is kept.
NAME = "dout.large"


class _Handler(ctypes.Structure):
    """`PyDataMem_Handler` of NumPy."""

    _fields_ = (
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", ctypes.c_void_p),
        ("malloc", ctypes.c_void_p), ("calloc", ctypes.c_void_p), ("realloc", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
    )  # fmt: skip


class _State(ctypes.Structure):
    """How many blocks are kept, of how many bytes, and where the data of each begin, the oldest first."""

    _fields_ = (("count", ctypes.c_int64), ("total", ctypes.c_int64), ("blocks", ctypes.c_void_p * (MOST + 1)))


class Rooms:
    """The handler, and the function that makes arrays with it.

    Whatever array is freed last at the end of the process, its memory goes through code that is held here. So what is held
    is never let go.

    Attributes:
        maker: where the function is that makes arrays.
        state: what is kept.
    """

    def __init__(self) -> None:
        known = _default()
        self.state = state = _State()
        self.handler = handler = _Handler(b"dout", 1)
        label = b"mem_handler"
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        self.capsule = new(ctypes.addressof(handler), label, None)
        default = (known.context or 0, known.malloc, known.free)
        text = module_text(ctypes.addressof(state), id(self.capsule), id(default_capsule()), default)
        self.code = code = Code(text, quick=True)
        for name in ("malloc", "calloc", "realloc", "free"):
            setattr(handler, name, code.address(f"rooms.{name}"))
        self.maker = code.address("rooms.large")
        held = (self.capsule, label, state, handler, code)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))

    def release(self) -> None:
        """Free all that is kept."""
        ctypes.PYFUNCTYPE(None)(self.code.address("rooms.release"))()


@functools.cache
def rooms() -> Rooms | None:
    """The one of this process; None if NumPy's handlers aren't what is expected.

    It is made when it is first asked for, in some 5 ms, so nothing pays for it that has no large results. Two threads that ask
    at once may make two, and both are right.
    """
    try:
        made = Rooms()
        if not _works(made):
            return None
    except Exception:  # whatever it is: then results are made in the plain way
        return None
    define(NAME, made.maker)
    return made


def maker(size: int) -> str:
    """The name of the function that makes an array of so many bytes, with the arguments of `PyArray_New`."""
    return NAME if size >= LARGE and rooms() is not None else "PyArray_New"


def _default() -> _Handler:
    """NumPy's own handler."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    found = _Handler.from_address(pointer(default_capsule(), b"mem_handler"))
    if found.version != 1 or not (found.malloc and found.free):
        raise LookupError("another version of NumPy's handlers of memory")
    return found


def setter() -> Any:
    """NumPy's function that sets the handler of memory of this thread (or context), and gives the one before."""
    return ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(addresses()["PyDataMem_SetHandler"])


def default_capsule() -> Any:
    """NumPy's own handler, in its capsule."""
    return ctypes.py_object.from_address(addresses()["PyDataMem_DefaultHandler"]).value


def _works(made: Rooms) -> bool:
    """Whether an array that is made so owns its data, and gives its memory to the next one."""
    swap = setter()
    new = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.py_object, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_int, ctypes.c_int, ctypes.c_void_p,
    )(made.maker)  # fmt: skip
    shape = (ctypes.c_int64 * 1)(LARGE)
    before = swap(default_capsule())  # a user's own handler would be respected
    try:
        array = new(np.ndarray, 1, ctypes.addressof(shape), np.dtype(np.uint8).num, None, None, 0, 0, None)
        plain = np.empty(LARGE, np.uint8)
        at = array.ctypes.data
        fine = bool(array.flags.owndata and array.base is None and array.shape == (LARGE,) and at % ALIGNMENT == 0)
        del array, plain
        kept = (made.state.count, made.state.total, made.state.blocks[0]) == (1, LARGE, at)
        array = new(np.ndarray, 1, ctypes.addressof(shape), np.dtype(np.uint8).num, None, None, 0, 0, None)
        fine = fine and kept and array.ctypes.data == at and made.state.count == 0
        del array
        made.release()
        return fine and made.state.count == made.state.total == 0
    finally:
        swap(before)

"""Which BLAS and LAPACK native code calls: those that NumPy itself is linked with, else SciPy's.

NumPy's is in memory already, has the same threads as `np.matmul`, and gives the same bits. SciPy's would be another one with
threads of its own, and to import it takes a third of a second; so it is asked only where NumPy's can't be found.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

#: How NumPy's library calls the functions of Fortran's BLAS, and how wide its integers are.
_NAMES = [("scipy_{}_64_", 64), ("{}_64_", 64), ("scipy_{}_", 32), ("{}_", 32)]
FUNCTIONS = ("dgemm", "sgemm", "dgemv", "sgemv")
#: Those of LAPACK, which may be missing.
MORE = ("dgesv", "dpotrf")


class Library(NamedTuple):
    """A BLAS, and some of LAPACK.

    Attributes:
        addresses: of each function, by its name in Fortran.
        width: of its integers, in bits.
        whose: "NumPy" or "SciPy".
    """

    addresses: dict[str, int]
    width: int
    whose: str

    def has(self, function: str) -> bool:
        """Whether a routine is there."""
        return function in self.addresses

    def largest(self) -> int:
        """The largest size that it can be given."""
        return int(2 ** (self.width - 1)) - 1


@functools.cache
def library() -> Library | None:
    """The BLAS that is called; None if there is none that gives the right product."""
    for found in itertools.chain(_numpys(), _scipys()):
        if _multiplies(found):
            return found
    return None


@functools.cache
def _linked() -> Any:
    """NumPy's own code, through which the libraries that it is linked with are seen."""
    from numpy._core import _multiarray_umath as core  # type: ignore[attr-defined]

    return ctypes.CDLL(core.__file__)


def _numpys() -> Iterator[Library]:
    try:
        linked = _linked()
    except (ImportError, OSError):
        return
    for pattern, width in _NAMES:
        names = {f: pattern.format(f) for f in FUNCTIONS}
        if all(hasattr(linked, name) for name in names.values()):
            names |= {f: pattern.format(f) for f in MORE if hasattr(linked, pattern.format(f))}
            yield Library({f: _address(getattr(linked, name)) for f, name in names.items()}, width, "NumPy")


def _scipys() -> Iterator[Library]:
    try:
        from scipy.linalg import cython_blas, cython_lapack
    except ImportError:
        return
    capsules = cython_blas.__pyx_capi__
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    if all(f in capsules for f in FUNCTIONS) and b"int *" in name(capsules["dgemm"]):
        more = cython_lapack.__pyx_capi__
        found = {f: pointer(capsules[f], name(capsules[f])) for f in FUNCTIONS}
        yield Library(found | {f: pointer(more[f], name(more[f])) for f in MORE if f in more}, 32, "SciPy")


def _address(function: Any) -> int:
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def _multiplies(found: Library) -> bool:
    """Whether it multiplies a small matrix rightly, called with integers of that width."""
    integer = ctypes.c_int64 if found.width == 64 else ctypes.c_int32
    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4) - 5
    out = np.full((2, 4), np.nan)
    n, m, k = integer(4), integer(2), integer(3)
    one, zero, straight = ctypes.c_double(1), ctypes.c_double(0), ctypes.c_char(b"N")
    given: list[Any] = [
        ctypes.addressof(straight), ctypes.addressof(straight), ctypes.addressof(n), ctypes.addressof(m),
        ctypes.addressof(k), ctypes.addressof(one), y.ctypes.data, ctypes.addressof(n), x.ctypes.data,
        ctypes.addressof(k), ctypes.addressof(zero), out.ctypes.data, ctypes.addressof(n),
    ]  # fmt: skip
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(given))(found.addresses["dgemm"])(*given)
    return bool(np.array_equal(out, x @ y))


def set_threads(n: int) -> None:
    """Let NumPy's library use so many threads, if it is an OpenBLAS."""
    try:
        linked = _linked()
    except (ImportError, OSError):
        return
    for name in ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_", "openblas_set_num_threads"):
        if hasattr(linked, name):
            getattr(linked, name)(ctypes.c_int(n))
            return

"""How many threads there are, and which steps they share.

A step that can be cut is a function of a range of iterations. Which thread did what makes no difference to any number.
"""

from __future__ import annotations

import ctypes
import functools
import os

from . import text as ir
from .library import set_threads
from .pool import NAMES, USED, pool

#: A step is cut if it is estimated to take so many nanoseconds on one thread.
WORTH = 100_000.0
#: And so many in a program that multiplies matrices by BLAS, whose threads wait busily for some 30 ms, on the cores that others
#: would need. Measured on two cores: loops of 0.1 to 5 ms take longer in pieces, those of 10 ms a tenth less.
BESIDE_BLAS = 10_000_000.0
MOST = 64
_P = ir.PointerType()


def cores() -> int:
    """How many cores this process may use, but 64 at most."""
    try:
        found = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        found = os.cpu_count() or 1
    return min(found, MOST)


#: How many threads native code uses; it reads this word at each call.
_COUNT = ctypes.c_int64(cores())


def get_num_threads() -> int:
    """How many threads native code uses at most.

    Returns:
        what `set_num_threads` was given last; at first, how many cores this process may use, but 64 at most.

    Example:
        >>> import dout
        >>> dout.get_num_threads() >= 1
        True
    """
    return _COUNT.value


def set_num_threads(n: int) -> None:
    """Let native code use so many threads at most.

    What loops of `dout.jit` compute doesn't depend on it. NumPy's OpenBLAS, which multiplies matrices, is given as many
    threads: so it holds for `np.matmul`, too.

    Args:
        n: from 1 to 64.

    Raises:
        TypeError: if it is no int.
        ValueError: if it is out of range.

    Example:
        >>> import dout
        >>> before = dout.get_num_threads()
        >>> dout.set_num_threads(1)
        >>> dout.get_num_threads()
        1
        >>> dout.set_num_threads(before)
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"set_num_threads: expected an int, got {n!r}")
    if not 1 <= n <= MOST:
        raise ValueError(f"set_num_threads: expected 1 to {MOST}, got {n}")
    _COUNT.value = n
    set_threads(n)


@functools.cache
def available() -> bool:
    """Whether there are threads as POSIX has them."""
    try:
        here = ctypes.CDLL(None)
        return all(hasattr(here, name) for name in USED)
    except (OSError, TypeError):  # Windows
        return False


def split(module: ir.Module, numbered: bool = False) -> ir.Function:
    """What runs a step over threads, as a function of a module: it is given the step, its table and the extent.

    It gives the greatest of what the pieces gave. With `numbered`, the step is told the number of its thread, which is less
    than that of the cores; more threads than cores then don't run.
    """
    split_address()  # there has to be one
    name = NAMES[numbered]
    known = module.globals.get(name)
    return known or ir.Function(module, ir.FunctionType(ir.IntType(32), [_P, _P, ir.IntType(64)]), name)


def split_address(numbered: bool = False) -> int:
    """Where that function is."""
    return pool(ctypes.addressof(_COUNT), cores()).addresses[NAMES[numbered]]

"""The derivative through 10,000 Runge-Kutta steps of the Lorenz system, by `lorenz.c`, compiled with gcc -O3."""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from native_works import STEPS, WIDTH

_P, _D = ctypes.c_void_p, ctypes.c_double


@functools.cache
def _library() -> Any:
    folder = tempfile.mkdtemp()
    source, made = Path(__file__).with_suffix(".c"), Path(folder) / "lorenz.so"
    subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", made, source], check=True)
    library = ctypes.CDLL(str(made))
    library.lorenz.argtypes = [_P, _D, _D, _D, _D, ctypes.c_long, _P, _P]
    library.lorenz.restype = None
    return library


def by_c(args: Any) -> Callable[[], Any]:
    """A function that gives the value and its six derivatives at (x, y, z, s, r, b).

    Raises:
        FileNotFoundError: if there is no gcc.
    """
    run = _library().lorenz
    x, y, z, s, r, b = args
    start, kept, out = np.array([x, y, z]), np.empty(12 * STEPS), np.empty(7)
    begin, room, end = start.ctypes.data, kept.ctypes.data, out.ctypes.data

    def call() -> Any:
        run(begin, s, r, b, WIDTH, STEPS, room, end)
        value, *derivatives = out.tolist()
        return value, tuple(derivatives)

    call.__dict__["keeps"] = start, kept
    return call

"""The slower way into native code, by ctypes, which knows nothing of how objects are laid out and converts what it is given."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...passes.program import Value
from .entry import Core


def safe_entry(values: Sequence[Value], core: Core, address: int) -> Callable[..., tuple[Any, ...] | None]:
    """A function of the values that a core takes, which gives its results, or None if a check broke.

    Raises:
        ValueError: of that function, if an argument has another shape than was recorded.
        MemoryError: of that function, if there is no room for temporaries.
    """
    run = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)
    given = [values[i] for i in core.inputs]
    wanted = [values[i] for i in core.results]
    slots = [core.slots[i] for i in [*core.inputs, *core.results]]
    size = max(len(core.slots), 1)

    def call(*args: Any) -> tuple[Any, ...] | None:
        held = []
        for value, arg in zip(given, args, strict=True):
            if np.shape(arg) != value.shape:
                raise ValueError(f"expected shape {value.shape}, got {np.shape(arg)}")
            held.append(np.require(arg, value.dtype, ["C_CONTIGUOUS", "ALIGNED"]))
        made = [np.empty(value.shape, value.dtype) for value in wanted]
        table = (ctypes.c_void_p * size)()
        for slot, array in zip(slots, [*held, *made], strict=True):
            table[slot] = array.ctypes.data
        status = run(ctypes.addressof(table))
        if status == 2:
            raise MemoryError("no room for the temporaries of a program")
        if status:
            return None
        return tuple([_as_recorded(a, value) for a, value in zip(made, wanted, strict=True)])

    return call


def _as_recorded(array: np.ndarray, value: Value) -> Any:
    if value.array:
        return array
    return value.dtype(array) if isinstance(value.dtype, type) else array[()]

"""Copies of layers, with a state of their own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .recording import Handle

_SHARED = (
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    Handle,
    np.ndarray,
    np.generic,
    str,
    bytes,
    int,
    float,
    complex,
)


def fresh(obj: Any, memo: dict[int, Any] | None = None) -> Any:
    """A copy of an object whose containers and objects are copies too; arrays, Variables and functions are shared.

    What stands in two places inside is the same in both places of the copy. What can't be copied (a lock, an open file)
    is shared.
    """
    memo = {} if memo is None else memo
    if id(obj) in memo:
        return memo[id(obj)]
    if obj is None or isinstance(obj, _SHARED):
        return obj
    if isinstance(obj, MethodType):
        return MethodType(obj.__func__, fresh(obj.__self__, memo))
    if isinstance(obj, tuple):
        items = [fresh(v, memo) for v in obj]
        new: Any = type(obj)(*items) if hasattr(obj, "_fields") else type(obj)(items)
    else:
        try:
            new = copy.copy(obj)
        except TypeError:
            return obj
        memo[id(obj)] = new
        if isinstance(obj, list):
            new[:] = [fresh(v, memo) for v in obj]
        elif isinstance(obj, dict):
            new.update({k: fresh(v, memo) for k, v in obj.items()})
        for name, value in attributes(obj):
            with suppress(AttributeError, TypeError):  # read-only: it is as the copy made it
                object.__setattr__(new, name, fresh(value, memo))
    memo[id(obj)] = new
    return new


def attributes(obj: Any) -> Iterator[tuple[str, Any]]:
    """An object's own attributes, those in slots too."""
    yield from getattr(obj, "__dict__", {}).items()
    for kind in type(obj).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(obj, name):
                yield name, getattr(obj, name)


def arrays_in(obj: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays that an object holds, in containers and objects inside it too, each with the way to it."""
    seen = set() if seen is None else seen
    if id(obj) in seen:
        return
    seen.add(id(obj))
    if isinstance(obj, np.ndarray):
        yield path, obj
    elif isinstance(obj, list | tuple):
        for i, v in enumerate(obj):
            yield from arrays_in(v, f"{path}[{i}]", seen)
    elif isinstance(obj, dict):
        for k, v in obj.items():
            yield from arrays_in(v, f"{path}[{k!r}]", seen)
    elif not (obj is None or isinstance(obj, _SHARED)):
        for name, v in attributes(obj):
            yield from arrays_in(v, f"{path}.{name}" if path else name, seen)

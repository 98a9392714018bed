"""Memory of large arrays is used again while a derivative is computed.

What a run keeps until the walk back, NumPy can't use again meanwhile: each operation asks the system for new pages, which it
fills with zeros first, and gives them back after the walk. For large arrays that takes longer than the arithmetic. So from the
third derivative on with a large argument, arrays that are made on the way take the memory that `run/native/rooms.py`
keeps: they are NumPy's own, and only where their memory comes from is different. Without llvmlite it is the system, as ever.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

#: An argument of so many bytes is large.
LARGE = 1 << 18
#: The first derivatives do without: to load what is needed takes some 50 ms.
FIRST = 2

_plain = contextlib.nullcontext()
_seen = 0


def pooled(values: Iterable[Any]) -> contextlib.AbstractContextManager[None]:
    """A context in which NumPy takes memory that is kept, if some of these values are large."""
    global _seen
    for v in values:
        if getattr(v, "nbytes", 0) >= LARGE:
            _seen += 1
            return _taking() if _seen > FIRST and _swap() is not None else _plain
    return _plain


@contextlib.contextmanager
def _taking() -> Iterator[None]:
    swap = _swap()
    assert swap is not None
    change, ours, usual = swap
    before = change(ours)
    if before is not usual and before is not ours:
        change(before)  # the user's own handler of memory stays
        yield
        return
    try:
        yield
    finally:
        change(before)


@functools.cache
def _swap() -> tuple[Any, Any, Any] | None:
    """What sets NumPy's handler of memory and gives the one before, ours, and NumPy's own; None where that can't be had."""
    from .run.native import engine

    if not engine.available():
        return None
    from .run.native import abi, rooms

    if not abi.holds() or (found := rooms.rooms()) is None:
        return None
    return rooms.setter(), found.capsule, rooms.default_capsule()

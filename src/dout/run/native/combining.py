"""How entries are put together in a reduction, and what it begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...passes.plan import Statement
from . import integers
from . import text as ir
from .scalars import Scalars

_NEUTRAL = {"sum": -0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}


def neutral(scalars: Scalars, name: str, kind: str) -> Any:
    """What changes nothing."""
    if kind in ("f8", "f4"):
        return scalars.constant(_NEUTRAL[name], kind)
    if kind == "b1":
        return scalars.constant(name == "min", kind)
    limits = {"sum": 0, "prod": 1, "max": integers.least(kind), "min": integers.greatest(kind)}
    return scalars.constant(limits[name], kind)


def combined(scalars: Scalars, name: str, x: Any, y: Any, kind: str, fast: bool = False) -> Any:
    """Two entries, or sums of some; `fast` lets LLVM choose an order."""
    b = scalars.b
    if kind == "b1":
        return b.or_(x, y) if name == "max" else b.and_(x, y)
    if kind in integers.TYPES:
        if name in ("sum", "prod"):
            return (b.add if name == "sum" else b.mul)(x, y)
        return scalars.integers.chosen(">" if name == "max" else "<", x, y, kind)
    flags = ("reassoc",) if fast else ()
    if name == "sum":
        return b.fadd(x, y, flags=flags)
    if name == "prod":
        return b.fmul(x, y, flags=flags)
    intrinsic = "llvm.maximum" if name == "max" else "llvm.minimum"
    function = ir.FunctionType(x.type, [x.type, x.type])
    # which of two zeros is the greatest isn't said in NumPy either: it depends on their order
    return b.call(scalars.m.declare_intrinsic(intrinsic, [x.type], function), [x, y], fastmath=("nsz",))


def first_summed(s: Statement) -> int:
    """The outermost loop over which a reduction goes."""
    return next((k for k, step in enumerate(s.write.strides) if not step), -1)


def counts_bits(s: Statement, kind: Callable[[int], str]) -> bool:
    """Whether a reduction adds up bits; `kind` says what a buffer's entries are."""
    bits = len(s.reads) == 1 and s.numbered is None and kind(s.reads[0].value) == "b1"
    return bits and s.combine == "sum" and kind(s.value) == "i8"

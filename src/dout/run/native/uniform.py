"""Constant arrays that hold one number everywhere: that number becomes part of the code."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...passes.program import Program
from .scalars import KINDS


def uniform(program: Program, i: int) -> Any:
    """The number that a constant array holds everywhere, if it does; else None."""
    value = program.values[i]
    if not value.is_constant() or value.captured or not value.array or not 0 < np.size(value.constant) <= 1 << 16:
        return None
    if value.dtype not in KINDS:
        return None
    first = value.constant.flat[0]
    same = value.constant.tobytes() == np.full(value.shape, first, value.dtype).tobytes()
    return first if same else None

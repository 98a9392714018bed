"""What dout says when it can't go on: what was expected, what came, and what to do instead."""

from __future__ import annotations

from typing import Any

import numpy as np


def not_differentiable(value: Any) -> str | None:
    """Why no derivative can be asked for with respect to a value, or None if one can."""
    if isinstance(value, bool | np.bool_):
        return f"{value!r} is a bool; derivatives are with respect to float or complex numbers"
    if isinstance(value, int | np.integer):
        return f"{value!r} is an integer; derivatives are with respect to float or complex numbers: give {float(value)}"
    if isinstance(value, float | complex | np.inexact):
        return None
    if isinstance(value, np.ndarray):
        if type(value) is not np.ndarray:
            return f"{type(value).__name__} arrays have rules of their own that dout doesn't know; give np.asarray(a)"
        if value.dtype.kind in "fc":
            return None
        if value.dtype.kind == "O":
            return "an array of Python objects; give an array of one floating dtype, as a.astype(float)"
        if value.dtype.kind in "iub":
            return f"an array of {value.dtype}; derivatives are with respect to floats: give a.astype(float)"
        return f"an array of {value.dtype}, which holds no numbers"
    if isinstance(value, str | bytes):
        return f"{value!r} is a {type(value).__name__}, which holds no number"
    return f"a {type(value).__name__} is not a number or an array"


#: Stands in every message about a Variable that was to become a plain number or array.
LOST = "would lose its derivative"


def loses_derivative(how: str) -> TypeError:
    """For `float(v)` and the like."""
    return TypeError(
        f"{how} {LOST}. For the plain number or array use dout.stop_gradient(v) or v.value; to "
        "compute with it use NumPy's functions (np.sin, not math.sin); to put Variables into one array use "
        "np.stack([v, w]), or write to y = np.zeros_like(x), made from a Variable x, instead of np.zeros(n)."
    )


def unsupported(name: str) -> NotImplementedError:
    """For a NumPy function that has no rule."""
    return NotImplementedError(
        f"{name} has no derivative in dout yet. Write it with functions that have one, wrap it in a layer with your own "
        "backward (dout.layer), or run it on v.value if no derivative should pass."
    )

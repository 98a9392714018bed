"""What dout says when it can't go on: what was expected, what came, and what to do instead."""

from __future__ import annotations

from typing import Any

import numpy as np


def not_differentiable(value: Any) -> str | None:
    """Why no derivative can be asked for with respect to a value, or None if one can."""
    if type(value) is np.ndarray and value.dtype.kind in "fc":
        return None  # by far the most usual
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
    """For `float(v)` and the like, among them a write into a plain array, for which NumPy asks for the number."""
    return TypeError(
        f"{how} {LOST}. Compute with NumPy's functions (np.sin, not math.sin). To put a Variable into an array, write "
        "to np.zeros_like(x) or np.zeros_like(x, shape=...), made from a Variable x, instead of np.zeros(...); or join "
        "Variables by np.stack([v, w]). For the plain value take dout.stop_gradient(v)."
    )


def no_plain_array() -> TypeError:
    """For `np.asarray(v)`, `np.array([v, w])`, and functions of other libraries that begin so."""
    return TypeError(
        f"turning a Variable into a plain array {LOST}. Leave np.asarray(v) away: v is used as an array as it is. Join "
        "Variables by np.stack([v, w]), not np.array([v, w]); write to np.zeros_like(x), made from a Variable x, not to "
        "np.zeros(n); fill by v * np.ones(n), not np.full(n, v). A function of another library, such as SciPy's, can't "
        "be recorded: give it a backward of its own in a layer (dout.layer). For the plain array take dout.stop_gradient(v)."
    )


def unsupported(name: str) -> NotImplementedError:
    """For a NumPy function that has no rule."""
    return NotImplementedError(
        f"{name} has no derivative in dout yet. Write it with functions that have one, wrap it in a layer with your own "
        "backward (dout.layer), or run it on v.value if no derivative should pass."
    )

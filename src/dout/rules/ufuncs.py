"""What ufuncs take besides their inputs: `out=`, `where=`, `dtype=`; and their methods: reduce, accumulate, outer, at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import plain
from .elementwise import astype
from .indexing import scatter
from .registry import FLAT

Array = Any

_REDUCE: dict[np.ufunc, Callable[..., Array]] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any,
}  # fmt: skip
_ACCUMULATE: dict[np.ufunc, Callable[..., Array]] = {np.add: np.cumsum, np.multiply: np.cumprod}


def store(result: Array, out: Any) -> Array:
    """Put a result where `out=` says, and return that.

    Raises:
        TypeError: if it is a plain array, which would lose the derivative.
    """
    target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if not hasattr(type(target), "__dout_record__"):
        raise TypeError(
            f"out= is a plain {type(target).__name__}, which can't hold a derivative. Leave out= away and use the "
            "result, or make the target with np.zeros_like(x), where x is a Variable."
        )
    if np.shape(result) != np.shape(target):
        raise ValueError(f"out= has shape {np.shape(target)}, the result has shape {np.shape(result)}")
    target[...] = result
    return target


def call_with_options(ufunc: np.ufunc, inputs: tuple[Array, ...], options: dict[str, Any]) -> Array:
    """A ufunc with keyword arguments."""
    out, where, dtype = options.pop("out", None), options.pop("where", True), options.pop("dtype", None)
    casting = options.pop("casting", "same_kind")
    options.pop("order", None), options.pop("subok", None)
    if options:
        raise TypeError(f"np.{ufunc.__name__}: {', '.join(options)}= is not supported on Variables")
    if dtype is not None and ufunc not in FLAT:
        for x in inputs:
            if not np.can_cast(np.result_type(plain(x)), dtype, casting):
                raise TypeError(
                    f"np.{ufunc.__name__}: cannot cast {np.result_type(plain(x))} to {np.dtype(dtype)} by casting={casting!r}"
                )
        inputs = tuple(astype(x, dtype=np.dtype(dtype)) for x in inputs)
    if where is True:
        result = ufunc(*inputs)
        return result if out is None else store(result, out)
    return _where(ufunc, inputs, plain(where), out)


def _where(ufunc: np.ufunc, inputs: tuple[Array, ...], where: Any, out: Any) -> Array:
    """Compute only where asked, so that no NaN of the rest gets into a derivative."""
    if out is None:
        raise ValueError(
            f"np.{ufunc.__name__}: where= without out= leaves entries undefined; give out=np.zeros_like(x)"
        )
    target = out[0] if isinstance(out, tuple) else out
    shape = np.broadcast_shapes(np.shape(where), *(np.shape(x) for x in inputs))
    mask = np.broadcast_to(where, shape)
    result = np.copy(np.broadcast_to(target, shape) if shape == np.shape(target) else target)
    chosen = ufunc(*(np.broadcast_to(x, shape)[mask] for x in inputs))
    if not hasattr(type(result), "__dout_record__"):
        return store(chosen, out)
    result[mask] = chosen
    return store(result, out)


def call_method(ufunc: np.ufunc, method: str, inputs: tuple[Array, ...], options: dict[str, Any]) -> Array:
    """`ufunc.reduce(...)` and its siblings."""
    if method == "reduce" and ufunc in _REDUCE:
        axis = inputs[1] if len(inputs) > 1 else options.pop("axis", 0)
        return _REDUCE[ufunc](inputs[0], axis=axis, **{k: v for k, v in options.items() if v is not None})
    if method == "accumulate" and ufunc in _ACCUMULATE:
        axis = inputs[1] if len(inputs) > 1 else options.pop("axis", 0)
        return _ACCUMULATE[ufunc](inputs[0], axis=axis, **{k: v for k, v in options.items() if v is not None})
    if method == "outer" and not options:
        x, y = inputs
        return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y)
    if method == "at" and ufunc in (np.add, np.subtract):
        target, key, value = inputs
        spread = np.broadcast_to(value, np.shape(plain(target)[key]))
        if not hasattr(type(target), "__dout_record__"):
            return store(spread, target)
        target[...] = ufunc(target, scatter(spread, key=key, shape=np.shape(target)))
        return None
    raise NotImplementedError(f"np.{ufunc.__name__}.{method} has no derivative in dout yet")

"""Rows of numbers between ends that have derivatives: linspace, logspace, geomspace."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from ..graph import ndim_of, plain
from .registry import implements
from .shaping import as_array

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


@implements(np.linspace)
def _linspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    kind = np.result_type(plain(start), plain(stop), float(num))
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        if any(hasattr(type(end), "__dout_record__") for end in (start, stop)):
            start, stop = plain(start), plain(stop)
        return np.linspace(start, stop, num, endpoint, retstep, dtype, axis)
    parts = num - 1 if endpoint else num
    delta = np.subtract(stop, start)
    steps = np.arange(num, dtype=kind).reshape((-1,) + (1,) * ndim_of(delta))
    step = delta / parts if parts > 0 else np.nan
    lost = parts > 0 and np.any(plain(step) == 0)  # so small that the step alone is nothing
    row = steps / parts * delta if lost else steps * (step if parts > 0 else delta)
    row = row + start
    if endpoint and num > 1:
        row[-1, ...] = stop
    row = np.moveaxis(row, 0, axis) if axis else row
    row = row.astype(np.dtype(kind if dtype is None else dtype))
    return (row, step) if retstep else row


@implements(np.logspace)
def _logspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    base: Array = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    if ndim_of(base):
        shape = np.broadcast_shapes(np.shape(start), np.shape(stop), np.shape(base))
        start, stop, base = (np.broadcast_to(as_array(x), shape) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    row = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return row if dtype is None else row.astype(dtype)


@implements(np.geomspace)
def _geomspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    if np.any(plain(start) == 0) or np.any(plain(stop) == 0):
        raise ValueError("Geometric sequence cannot include zero")
    kind = np.result_type(plain(start), plain(stop), float(num))
    start, stop = np.multiply(start, 1, dtype=kind), np.multiply(stop, 1, dtype=kind)
    sign = np.sign(start)  # turned so that the start is positive, and turned back after
    start, stop = start / sign, stop / sign
    row = np.logspace(np.log10(start), np.log10(stop), num, endpoint)
    if num > 0:
        row[0] = start
    if num > 1 and endpoint:
        row[-1] = stop
    row = row * sign
    row = np.moveaxis(row, 0, axis) if axis else row
    return row.astype(kind if dtype is None else dtype)

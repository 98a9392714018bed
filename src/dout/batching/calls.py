"""Batching rules of functions that no derivative passes through: on ints, bools, masks, places.

They are called by NumPy as they were. `rule(batch, *args, **kwargs)` has operands where the arguments depend on the example.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy

from ..recorded_ops import INT, STOP, TRUTH, flat_op
from ..rules.elementwise import astype
from .registry import CALLS, Batch, NoRule, Operand, batching, batching_call

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too


@batching(STOP)
def _stop(op: Any, batch: Batch, params: Any, x: Operand) -> Any:
    return x.value


@batching(TRUTH)
def _truth(op: Any, batch: Batch, params: Any, x: Operand) -> Any:
    return np.not_equal(np.reshape(x.value, (batch.n,)), 0)


@batching(INT)
def _int(op: Any, batch: Batch, params: Any, x: Operand) -> Any:
    """Python's ints have no limit; what NumPy's can't hold is converted one after another."""
    value = np.reshape(x.value, (batch.n,))
    if not np.all(np.abs(value) < 2.0**62):
        raise NoRule
    return np.trunc(value).astype(int)


@batching(flat_op(astype.forward, "cast"))
def _cast(op: Any, batch: Batch, params: Any, x: Operand) -> Any:
    return op(x.value, **params)


def _one_operand(a: Any, options: dict[str, Any], known: frozenset[str]) -> Operand:
    """Refuse what depends on the example in another way, or options that are not known here."""
    if (
        not isinstance(a, Operand)
        or not options.keys() <= known
        or any(isinstance(v, Operand) for v in options.values())
    ):
        raise NoRule
    return a


def _reducing(function: Callable[..., Any]) -> None:
    def rule(batch: Batch, a: Any, axis: Any = None, *rest: Any, **options: Any) -> Any:
        if any(v is not None for v in rest):
            raise NoRule
        a = _one_operand(a, options, frozenset(("keepdims", "dtype", "ddof")))
        axes = tuple(range(a.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        return function(a.value, axis=tuple([i % a.ndim + 1 for i in axes]), **options)

    CALLS[function] = rule


for _function in (
    np.sum, np.prod, np.max, np.min, np.amax, np.amin, np.mean, np.var, np.std, np.any, np.all, np.ptp, np.count_nonzero,
):  # fmt: skip
    _reducing(_function)


def _along(function: Callable[..., Any], default: int | None) -> None:
    """A function along one axis; with none, of all entries in a row."""

    def rule(batch: Batch, a: Any, axis: Any = default, *rest: Any, **options: Any) -> Any:
        if any(v is not None for v in rest):
            raise NoRule
        a = _one_operand(a, options, frozenset(("kind", "stable", "dtype")))
        if axis is None or not a.ndim:
            return function(np.reshape(a.value, (batch.n, prod(a.shape))), axis=1, **options)
        return function(a.value, axis=axis % a.ndim + 1, **options)

    CALLS[function] = rule


for _function in (np.argmax, np.argmin, np.cumsum, np.cumprod):
    _along(_function, None)
for _function in (np.argsort, np.sort):
    _along(_function, -1)


def _on_last(function: Callable[..., Any], place: int) -> None:
    """A function that looks up each entry of one argument in others, which are the same for all examples."""

    def rule(batch: Batch, *args: Any, **options: Any) -> Any:
        given = list(args)
        if place >= len(given) or any(
            isinstance(v, Operand) for v in (*given[:place], *given[place + 1 :], *options.values())
        ):
            raise NoRule
        given[place] = _one_operand(given[place], {}, frozenset()).value
        return function(*given, **options)

    CALLS[function] = rule


_on_last(np.searchsorted, 1)
_on_last(np.digitize, 0)
_on_last(np.interp, 0)
_on_last(np.isin, 0)


@batching_call(np.take)
def _take(batch: Batch, a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    if isinstance(a, Operand) or not isinstance(indices, Operand):
        raise NoRule
    ndim = np.ndim(a)
    if axis is None:
        a, axis = np.ravel(a), 0
    found = np.take(a, indices.value, axis, mode=mode)
    return np.moveaxis(found, axis % max(ndim, 1), 0)


@batching_call(np.reshape)
def _reshape(batch: Batch, a: Any, shape: Any, order: str = "C") -> Any:
    a = _one_operand(a, {}, frozenset())
    if order != "C":
        raise NoRule
    return np.reshape(a.value, (batch.n, *batch.shape))


@batching_call(np.ravel)
def _ravel(batch: Batch, a: Any, order: str = "C") -> Any:
    return _reshape(batch, a, -1, order)


@batching_call(np.expand_dims)
def _expand_dims(batch: Batch, a: Any, axis: Any) -> Any:
    return _reshape(batch, a, None)


@batching_call(np.squeeze)
def _squeeze(batch: Batch, a: Any, axis: Any = None) -> Any:
    return _reshape(batch, a, None)


@batching_call(np.transpose)
def _transpose(batch: Batch, a: Any, axes: Any = None) -> Any:
    a = _one_operand(a, {}, frozenset())
    order = range(a.ndim)[::-1] if axes is None else axes
    return np.transpose(a.value, (0, *[i % a.ndim + 1 for i in order]))

"""Batching rules of elementwise operations, reductions, transforms, and what moves entries."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy

from ..graph import IDENTITY, PICK, Primitive, ndim_of, plain
from ..recording import AS_KIND
from ..rules import fft
from ..rules.calculus import i0, sinc, sliding
from ..rules.elementwise import angle, astype, imag, real, where
from ..rules.indexing import diagonal, write
from ..rules.norms import length
from ..rules.order_statistics import quantile
from ..rules.reductions import greatest, least, running_product, running_sum, total
from ..rules.reductions import product as product_of_entries
from ..rules.shaping import broadcast_to, concatenate, copy, flip, repeat, reshape, roll, transpose
from .registry import PARAMS, Batch, NoRule, Operand, batching, elementwise, with_params

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too
Params = Mapping[str, Any]


batching(sinc, i0, angle, where, real, imag, astype, IDENTITY)(elementwise)


@batching(AS_KIND)
def _as_kind(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    """A number's kind: an array of them has the dtype in which it would be computed."""
    kind = params["kind"]
    if kind is numpy.ndarray:
        return x.value
    dtype = np.dtype(kind)
    return x.value if np.result_type(plain(x.value)) == dtype else astype(x.value, dtype=dtype)


@batching(PICK)
def _pick(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    return PICK(x.value, i=params["i"])


# Reductions and transforms: the same along axes that are one further on


def _axes(n: int, params: Params) -> dict[str, Any]:
    return {**params, "axes": tuple([a + 1 for a in params["axes"]])}


def _axis(n: int, params: Params) -> dict[str, Any]:
    return {**params, "axis": params["axis"] + 1}


for _op in (total, product_of_entries, greatest, least, flip):
    with_params(_op, _axes)
for _op in (running_sum, running_product, repeat, fft.fft, fft.ifft, fft.rfft, fft.irfft):
    with_params(_op, _axis)
for _op in (real, imag):
    PARAMS[_op] = lambda n, params: dict(params)


@batching(copy)
def _copy(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    return copy(x.value, order="C" if params["order"] == "F" else params["order"])  # how one lies in memory is not seen


@batching(length)
def _length(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    axes = params["axes"]
    if axes is None and x.ndim > 2:  # of all entries, with the axes kept
        rows = np.reshape(x.value, (batch.n, prod(x.shape)))
        return np.reshape(length(rows, axes=(1,)), (batch.n, *(1,) * x.ndim))
    axes = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    if not axes:
        return np.abs(x.value)
    return length(x.value, axes=tuple([a % x.ndim + 1 for a in axes]))


@batching(sliding)
def _sliding(op: Primitive, batch: Batch, params: Params, a: Operand, v: Operand) -> Any:
    """The shorter row entry by entry, each times a piece of the longer one."""
    (m,), (k,) = a.shape, v.shape
    if k > 64:
        raise NoRule
    found: Any = 0
    for i in range(k):
        found = found + a.value[..., i : m - k + 1 + i] * v.value[..., i : i + 1]
    return found


@batching(quantile)
def _quantile(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    run, axes = params["run"], params["axes"]
    if len(batch.shape) != x.ndim - len(axes):
        raise NoRule  # several quantiles: NumPy puts their axis first

    def of_all(values: Any, ahead: int = 0) -> Any:
        return run(values, ahead + 1)

    try:
        return quantile(x.value, run=of_all, axes=tuple([i + 1 for i in axes]))
    except (TypeError, ValueError):  # with weights, which are those of one example
        raise NoRule from None


# Shapes


def resolved(shape: tuple[int, ...], old: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without a -1."""
    if -1 not in shape:
        return shape
    known = -prod(shape)
    return tuple([prod(old) // known if n == -1 else n for n in shape])


def _reshaped(n: int, params: Params) -> dict[str, Any]:
    if params["order"] != "C":
        raise NoRule
    old = params["old"]
    return {"shape": (n, *resolved(params["shape"], old)), "order": "C", "old": (n, *old)}


with_params(reshape, _reshaped)


@batching(reshape)
def _reshape(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    if params["order"] == "C":
        return reshape(x.value, **_reshaped(batch.n, params))
    rows = np.transpose(x.value, (0, *range(x.ndim, 0, -1)))  # Fortran's order is C's with the axes reversed
    rows = np.reshape(rows, (batch.n, *batch.shape[::-1]))
    return np.transpose(rows, (0, *range(len(batch.shape), 0, -1)))


with_params(transpose, lambda n, params: {"axes": (0, *[a + 1 for a in params["axes"]])})
with_params(
    diagonal,
    lambda n, params: {**params, "shape": (n, *params["shape"]), "axes": tuple([a + 1 for a in params["axes"]])},
)


@batching(broadcast_to)
def _broadcast_to(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    return broadcast_to(x.lined(len(batch.shape)), shape=(batch.n, *batch.shape))


@batching(concatenate)
def _concatenate(op: Primitive, batch: Batch, params: Params, *arrays: Operand) -> Any:
    return concatenate(*[a.spread(batch.n) for a in arrays], axis=params["axis"] + 1, widths=params["widths"])


@batching(roll)
def _roll(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    axis = params["axis"]
    moved = tuple([a % x.ndim + 1 for a in axis]) if isinstance(axis, tuple | list) else axis % x.ndim + 1
    return roll(x.value, shift=params["shift"], axis=moved)


@batching(write)
def _write(op: Primitive, batch: Batch, params: Params, base: Operand, value: Operand) -> Any:
    """A write through a view of one example is a write through the same view of all."""
    through, how = params["through"], params["how"]
    if through not in PARAMS:
        raise NoRule
    seen = through.forward(np.broadcast_to(np.int8(0), base.shape), **how)
    target = base.value if base.batched else np.copy(base.spread(batch.n))
    return write(target, value.lined(ndim_of(seen)), through=through, how=PARAMS[through](batch.n, how))

"""Statements of what is added up: reductions, running sums, products of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .contractions import Contraction, contraction
from .places import Place, own, read
from .plan import Read
from .program import Value
from .writing import Unwritten, Writing

#: Products with all sizes up to this are written out as loops, which LLVM unrolls; larger ones are for BLAS.
SMALL = 16


def reduced_value(w: Writing, i: int, value: Value) -> None:
    """A sum, product, maximum or minimum along some axes."""
    assert value.op is not None
    source, axes = w.place(value.args[0]), tuple(value.params["axes"])
    axis, entries = w.alone.get(value.args[0], (-1, source))
    if value.op.name == "sum" and axes == (axis,):
        kept = [a for a in range(len(entries.shape)) if a != axis or value.params["keepdims"]]
        shape, strides = tuple([entries.shape[a] for a in kept]), tuple([entries.strides[a] for a in kept])
        w.places[i] = own(i, value.shape)
        w.copy(i, w.places[i], Place(entries.buffer, entries.offset, shape, strides))
        return
    reduced(w, i, source, axes, value.op.name)


def reduced(w: Writing, i: int, source: Place, axes: Sequence[int], combine: str) -> None:
    """Entries of a place combined along some axes."""
    live = [axis for axis, n in enumerate(source.shape) if n > 1]
    w.places[i] = own(i, w.values[i].shape)
    kept = contiguous_without(source.shape, axes)
    write = Read(i, 0, tuple([kept[a] for a in live]))
    entry = read(source, source.shape, live)
    extents = tuple([source.shape[a] for a in live])
    w.add("reduce", i, extents, (entry,), write, combine=combine)


def scan(w: Writing, i: int, value: Value) -> None:
    """A running sum or product."""
    assert value.op is not None
    source, axis = w.place(value.args[0]), value.params["axis"]
    if axis is None or w.values[value.args[0]].dtype != value.dtype or source.shape != value.shape:
        raise Unwritten
    scanned(w, i, value, source, axis, value.op.name.removeprefix("cum"))


def scanned(w: Writing, i: int, value: Value, source: Place, axis: int, combine: str) -> None:
    """Entries of a place combined along an axis, each step of which is kept."""
    live = [a for a, n in enumerate(value.shape) if n > 1]
    w.places[i] = own(i, value.shape)
    if axis % len(value.shape) not in live:
        w.copy(i, w.places[i], source)
        return
    entry, write = read(source, value.shape, live), read(w.places[i], value.shape, live)
    extents = tuple([value.shape[a] for a in live])
    w.add("scan", i, extents, (entry,), write, combine=combine, scanned=live.index(axis % len(value.shape)))


def einsum(w: Writing, i: int, value: Value, products: bool) -> None:
    """A sum of products of two arrays."""
    inputs, result = value.params["inputs"], value.params["result"]
    if len(value.args) != 2:
        raise Unwritten
    contract(w, i, value, inputs, result, products)


def matmul(w: Writing, i: int, value: Value, products: bool) -> None:
    """A product of matrices, vectors, or batches of them."""
    x, y = (len(w.place(a).shape) for a in value.args)
    batch = [f"b{k}" for k in range(max(x, y) - 2, 0, -1)]
    left = (["k"] if x == 1 else [*batch[len(batch) - (x - 2) :], "m", "k"]) if x else []
    right = (["k"] if y == 1 else [*batch[len(batch) - (y - 2) :], "k", "n"]) if y else []
    result = [*batch, *(["m"] if x > 1 else []), *(["n"] if y > 1 else [])]
    contract(w, i, value, [left, right], result, products)


def contract(
    w: Writing, i: int, value: Value, inputs: Sequence[Sequence[Any]], result: Sequence[Any], products: bool
) -> None:
    """A sum of products by its labels: a call of BLAS where it is one, a statement where it is small."""
    places = [w.place(a) for a in value.args]
    if any(w.values[a].dtype != value.dtype for a in value.args) or value.dtype == np.bool_:
        raise Unwritten
    found: Contraction | None = contraction(places, inputs, result)
    if found is None:
        raise Unwritten
    w.places[i] = own(i, value.shape)
    floating = np.dtype(value.dtype).kind == "f"  # there is no BLAS for integers
    product = found.product(i) if products and floating and found.is_large(SMALL) else None
    if product is not None:
        w.units.append(product)
        return
    if found.is_large(SMALL) and found.has_products():
        raise Unwritten  # NumPy's, by BLAS or not
    extents, reads, strides = found.statement()
    w.add("reduce", i, extents, reads, Read(i, 0, strides), combine="sum")


def contiguous_without(shape: Sequence[int], axes: Sequence[int]) -> list[int]:
    """The strides along each axis of what is left of a contiguous array without some axes; 0 along those."""
    strides, step = [0] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        if axis not in axes:
            strides[axis] = step
            step *= shape[axis]
    return strides

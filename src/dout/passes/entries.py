"""Statements of reading, writing and adding at indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .indices import index_of
from .places import EVEN, Place, even, gathered, largest, own, read, selected, viewed
from .program import Value
from .writing import Unwritten, Writing


def index_place(w: Writing, array: np.ndarray) -> Place:
    """Where an array of integers lies that stands in an index; those that are evenly spaced need no memory."""
    return even(array) or w.places[w.fresh(array.shape, array.dtype, array)]


def gather(w: Writing, i: int, key: Sequence[Any], indices: Sequence[Place]) -> None:
    """What an index with arrays of integers reads."""
    value = w.values[i]
    base = w.place(value.args[0])
    chosen = _chosen(key, indices, base)
    if chosen.shape != value.shape:
        raise Unwritten
    live = [axis for axis, n in enumerate(value.shape) if n > 1]
    w.places[i] = own(i, value.shape)
    extents = tuple([value.shape[a] for a in live])
    entry = gathered(base, chosen, indices, live)
    w.add("copy", i, extents, (entry,), read(w.places[i], value.shape, live))


def gather_computed(w: Writing, i: int, value: Value) -> None:
    """What an index reads, some parts of which were computed."""
    index = index_of(value.params["key"], value.args[1:], w.values)
    if index is None:
        raise Unwritten
    gather(w, i, index.key, [computed(w, a) for a in index.arrays])


def computed(w: Writing, a: Any) -> Place:
    """Where computed integers lie, or constant ones."""
    return index_place(w, a) if isinstance(a, np.ndarray) else w.place(a)


def scatter(w: Writing, i: int, value: Value) -> None:
    """Zeros, with dout added where the index reads."""
    put(w, i, value, value.args[0], None, "add")


def put(w: Writing, i: int, value: Value, source: int, base: int | None, how: str) -> None:
    """An array, or zeros, into some places of which something is added or written."""
    index = index_of(value.params["key"] if "key" in value.params else value.params["how"]["key"],
                     value.args[1 if base is None else 2 :], w.values)  # fmt: skip
    if index is None:
        raise Unwritten
    given, number = source_of(w, source)
    to = w.places[i] = own(i, value.shape)
    w.copy(i, to, None if base is None else w.place(base), 0)
    if not index.arrays:
        key = index.key if any(k is Ellipsis for k in index.key) else (*index.key, Ellipsis)
        part = viewed(to, lambda x: x[key])
        if part is None:
            raise Unwritten
        w.copy(i, part, _fitting(given, part.shape), number)
        return
    indices = [computed(w, a) for a in index.arrays]
    chosen = _chosen(index.key, indices, to)
    given = _fitting(given, chosen.shape)
    live = [axis for axis, n in enumerate(chosen.shape) if n > 1]
    extents = tuple([chosen.shape[a] for a in live])
    if math.prod(chosen.shape):
        entries = () if given is None else (read(given, chosen.shape, live),)
        write = gathered(to, chosen, indices, live)
        w.add("add" if how == "add" else "copy", i, extents, entries, write, number=number)


def source_of(w: Writing, a: int) -> tuple[Place | None, Any]:
    """Where what is written lies, or the number that it is."""
    value = w.values[a]
    if value.is_constant() and not value.shape and isinstance(value.constant, int | float | np.number):
        return None, value.constant
    return w.place(a), None


def replace(w: Writing, i: int, value: Value) -> None:
    """`x[i] = v` at an index with computed parts."""
    if "flat" in value.params:
        raise Unwritten
    put(w, i, value, value.args[1], value.args[0], "copy")


def overwrite(w: Writing, i: int, value: Value) -> None:
    """`x[i] = v`, or a write through another view."""
    through, how = value.params["through"], value.params["how"]
    if through.name == "getitem":
        replace(w, i, value)
        return
    base, (given, number) = w.place(value.args[0]), source_of(w, value.args[1])
    to = w.places[i] = own(i, value.shape)
    part = viewed(to, lambda x: through.forward(x, **how))
    if part is None:
        raise Unwritten
    w.copy(i, to, base)
    w.copy(i, part, _fitting(given, part.shape), number)


def _chosen(key: Sequence[Any], indices: Sequence[Place], base: Place) -> Any:
    chosen = selected(key, [p.shape for p in indices], base)
    if chosen is None or any(indices[k].buffer == EVEN and largest(indices[k]) >= n for k, n, _ in chosen.arrays):
        raise Unwritten
    return chosen


def _fitting(given: Place | None, shape: tuple[int, ...]) -> Place | None:
    """What is written, with axes of one place in front taken off, as NumPy does."""
    if given is None:
        return None
    front = len(given.shape) - len(shape)
    if front <= 0:
        return given
    if any(n != 1 for n in given.shape[:front]):
        raise Unwritten
    return Place(given.buffer, given.offset, given.shape[front:], given.strides[front:])

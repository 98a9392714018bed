"""Statements for NumPy's own functions, called on what carries no derivative: reductions of integers and bits, argmax."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import NO_PARAMS, Primitive
from .places import EVEN, Place, own, read
from .plan import Read, contiguous
from .program import Value
from .sums import contiguous_without, reduced, scanned
from .writing import Unwritten, Writing

#: What is found on the way to where it is.
_BEST = {"max": Primitive("max", np.max, flat=True), "min": Primitive("min", np.min, flat=True)}
_X: Any = object()


def called(w: Writing, i: int, value: Value) -> None:
    """A function of one array, and of numbers that are known."""
    write = next((found for function, found in _WRITERS if function is value.params["function"]), None)
    if write is None or len(value.args) != 1:
        raise Unwritten
    write(w, i, value, w.place(value.args[0]))


def _options(value: Value, *names: str) -> dict[str, Any]:
    """The arguments after the array, by name.

    Raises:
        Unwritten: if there is another one.
    """
    given = [_X if p is None else p[0] for p in value.params["places"]]
    args, found = value.params["rebuild"](iter(given))
    if not args or args[0] is not _X or len(args) > len(names) + 1:
        raise Unwritten
    found = {**dict(zip(names, args[1:], strict=False)), **found}
    if not set(found) <= {*names, "keepdims", "out"} or found.pop("out", None) is not None:
        raise Unwritten
    if type(found.pop("keepdims", False)) is not bool or found.pop("dtype", None) is _X:
        raise Unwritten
    return found


def _axes(value: Value, source: Place, *names: str) -> tuple[int, ...]:
    """The axes that a reduction goes over; of what is none, or gives an array without axes, NumPy knows."""
    axis = _options(value, *names).get("axis")
    if not source.shape or (value.array and not value.shape):
        raise Unwritten
    return normalize_axis_tuple(range(len(source.shape)) if axis is None else axis, len(source.shape))


def _sum(w: Writing, i: int, value: Value, source: Place) -> None:
    _hold(_is_whole(w, value.args[0]) and np.dtype(value.dtype).kind in "iu")
    reduced(w, i, source, _axes(value, source, "axis", "dtype"), value.params["function"].__name__)


def _count(w: Writing, i: int, value: Value, source: Place) -> None:
    """How many entries of a mask are true."""
    _hold(_is_mask(w, value.args[0]) and value.dtype == np.dtype(np.int64))
    reduced(w, i, source, _axes(value, source, "axis"), "sum")


def _extreme(w: Writing, i: int, value: Value, source: Place) -> None:
    _hold(_is_whole(w, value.args[0]) and w.values[value.args[0]].dtype == value.dtype)
    reduced(w, i, source, _axes(value, source, "axis"), "max" if value.params["function"] is np.max else "min")


def _truth(w: Writing, i: int, value: Value, source: Place) -> None:
    """Whether all entries of a mask are true, or any."""
    _hold(_is_mask(w, value.args[0]) and np.dtype(value.dtype) == np.bool_)
    reduced(w, i, source, _axes(value, source, "axis"), "max" if value.params["function"] is np.any else "min")


def _running(w: Writing, i: int, value: Value, source: Place) -> None:
    _hold(_is_whole(w, value.args[0]) and np.dtype(value.dtype).kind in "iu")
    axis = _options(value, "axis", "dtype").get("axis")
    if axis is None and len(source.shape) == 1:
        axis = 0
    if not isinstance(axis, int) or source.shape != value.shape:
        raise Unwritten
    scanned(w, i, value, source, axis, value.params["function"].__name__.removeprefix("cum"))


def _first_best(w: Writing, i: int, value: Value, source: Place) -> None:
    """`argmax` and `argmin`: what the best entry is, and then the least number of one that is like it.

    Neither depends on the order in which the entries are looked at, so that threads may share them. A NaN is the best
    of all, and where there is one, each of them is like it.
    """
    axes = _axes(value, source, "axis")
    if value.dtype != np.dtype(np.int64) or source.shape == ():
        raise Unwritten
    w.places[i] = own(i, value.shape)
    if math.prod([source.shape[a] for a in axes]) == 1:
        w.copy(i, w.places[i], None, 0)
        return
    combine = "max" if value.params["function"] is np.argmax else "min"
    taken = w.values[value.args[0]]
    w.values.append(Value(_BEST[combine], value.args, NO_PARAMS, value.shape, taken.dtype, array=True))
    best = len(w.values) - 1
    reduced(w, best, source, axes, combine)
    live = [axis for axis, n in enumerate(source.shape) if n > 1]
    kept, numbers = contiguous_without(source.shape, axes), contiguous(source.shape)
    if len(axes) == 1:
        numbers = tuple([int(axis in axes) for axis in range(len(source.shape))])
    extents = tuple([source.shape[a] for a in live])
    numbered = Read(EVEN, 0, tuple([numbers[a] for a in live]))
    places = tuple([kept[a] for a in live])
    reads = (read(source, source.shape, live), Read(best, 0, places))
    w.add("reduce", i, extents, reads, Read(i, 0, places), combine="min", numbered=numbered)


def _is_mask(w: Writing, a: int) -> bool:
    return np.dtype(w.values[a].dtype) == np.bool_


def _is_whole(w: Writing, a: int) -> bool:
    """Whether it is of integers, or of bits."""
    return np.dtype(w.values[a].dtype).kind in "iub"


def _hold(condition: bool) -> None:
    if not condition:
        raise Unwritten


_WRITERS: list[tuple[Any, Callable[[Writing, int, Value, Place], None]]] = [
    (np.sum, _sum), (np.prod, _sum), (np.count_nonzero, _count), (np.max, _extreme), (np.min, _extreme),
    (np.any, _truth), (np.all, _truth), (np.cumsum, _running), (np.cumprod, _running), (np.argmax, _first_best),
    (np.argmin, _first_best),
]  # fmt: skip

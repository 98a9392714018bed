"""np.pad in every mode, axis after axis, as NumPy does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from ..graph import ndim_of, shape_of, size_of
from .indexing import getitem, write
from .registry import implements
from .shaping import as_array

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

#: Modes that only read entries, and what options they know.
_READING = {"edge": (), "wrap": (), "reflect": ("reflect_type",), "symmetric": ("reflect_type",)}
_STATISTICS: dict[str, Callable[..., Array]] = {
    "mean": np.mean,
    "median": np.median,
    "maximum": np.max,
    "minimum": np.min,
}
_OPTIONS = {
    **_READING, "constant": ("constant_values",), "empty": (), "linear_ramp": ("end_values",),
    **dict.fromkeys(_STATISTICS, ("stat_length",)),
}  # fmt: skip


@implements(np.pad)
def _pad(array: Array, pad_width: Any, mode: Any = "constant", **options: Any) -> Array:
    array = as_array(array)
    widths = _widths(pad_width, ndim_of(array))
    if callable(mode):
        return _by_function(array, widths, mode, options)
    if mode not in _OPTIONS:
        raise ValueError(f"mode '{mode}' is not supported")
    unknown = sorted(set(options) - set(_OPTIONS[mode]))
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {set(unknown)}")
    odd = options.get("reflect_type", "even") == "odd"
    if mode in _READING and not odd:
        if size_of(array) > 1000 and all(_is_narrow(mode, n, w) for n, w in zip(shape_of(array), widths, strict=True)):
            return _read_in_pieces(array, widths, mode)
        places = np.arange(size_of(array)).reshape(shape_of(array))
        return np.ravel(array)[np.pad(places, widths, mode=mode)]
    if mode == "constant" and isinstance(options.get("constant_values", 0), int | float | complex):
        shape = tuple([before + n + after for n, (before, after) in zip(shape_of(array), widths, strict=True)])
        inside = tuple([slice(before, before + n) for n, (before, _) in zip(shape_of(array), widths, strict=True)])
        around = np.full(shape, options.get("constant_values", 0), array.dtype)
        return write(around, array, through=getitem, how={"key": inside, "shape": shape})
    for axis, (before, after) in enumerate(widths):
        if mode in ("reflect", "symmetric"):
            array = _odd(array, axis, before, after, mode == "symmetric")
            continue
        if mode in ("constant", "empty"):
            sides = _constants(array, axis, (before, after), options.get("constant_values", 0))
        elif mode == "linear_ramp":
            sides = _ramps(array, axis, (before, after), options.get("end_values", 0))
        else:
            sides = _means(array, axis, (before, after), _STATISTICS[mode], options.get("stat_length"))
        array = np.concatenate([sides[0], array, sides[1]], axis, dtype=array.dtype)
    return array


def _is_narrow(mode: str, n: int, widths: tuple[int, int]) -> bool:
    """Whether each side's padding is one piece of the array."""
    return mode == "edge" or max(widths) <= n - (mode == "reflect")


def _read_in_pieces(array: Array, widths: list[tuple[int, int]], mode: str) -> Array:
    """Edges, mirrored or far ends beside the array, axis after axis: quicker than by places where there are many."""
    for axis, (before, after) in enumerate(widths):
        n = shape_of(array)[axis]
        if mode == "edge":
            sides = [_slice(array, axis, 0, 1), _slice(array, axis, n - 1, n)]
            sides = [_spread(side, array, axis, width) for side, width in zip(sides, (before, after), strict=True)]
        elif mode == "wrap":
            sides = [_slice(array, axis, n - before, n), _slice(array, axis, 0, after)]
        else:
            skip = int(mode == "reflect")
            sides = [_slice(array, axis, skip, skip + before), _slice(array, axis, n - skip - after, n - skip)]
            sides = [np.flip(side, axis) for side in sides]
        if before or after or not axis:
            array = np.concatenate([sides[0], array, sides[1]], axis)
    return array


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        pairs: list[Any] = [pad_width.get(i, pad_width.get(i - ndim, 0)) for i in range(ndim)]
        return [(p, p) if ndim_of(p) == 0 else tuple(p) for p in pairs]
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu" or np.any(widths < 0):
        raise ValueError(f"np.pad: pad_width has to hold integers from 0 on, got {pad_width!r}")
    return [(a, b) for a, b in np.broadcast_to(widths, (ndim, 2)).tolist()]


def _slice(array: Array, axis: int, start: int | None, stop: int | None) -> Array:
    return array[(*(slice(None),) * axis, slice(start, stop))]


def _spread(side: Array, array: Array, axis: int, width: int) -> Array:
    """A number, or a slice one entry wide, as wide as the padding."""
    return np.broadcast_to(side, tuple(width if i == axis else n for i, n in enumerate(shape_of(array))))


def _pair(values: Any, axis: int, ndim: int) -> tuple[Any, Any]:
    """The values before and after along an axis, which may be given once for all."""
    if isinstance(values, dict):
        found: Any = values.get(axis, values.get(axis - ndim, 0))
        return (found, found) if ndim_of(found) == 0 else tuple(found)
    pairs = np.broadcast_to(values, (ndim, 2))
    return pairs[axis, 0], pairs[axis, 1]


def _constants(array: Array, axis: int, widths: tuple[int, int], values: Any) -> list[Array]:
    pair = _pair(values, axis, ndim_of(array))
    return [_spread(value, array, axis, width) for value, width in zip(pair, widths, strict=True)]


def _ramps(array: Array, axis: int, widths: tuple[int, int], values: Any) -> list[Array]:
    """From the end's value to the edge, which itself is not repeated."""
    first, last = _pair(values, axis, ndim_of(array))
    edges = [_slice(array, axis, 0, 1), _slice(array, axis, -1, None)]
    sides = [
        np.linspace(end, np.squeeze(edge, axis), width, endpoint=False, axis=axis)
        for end, edge, width in zip((first, last), edges, widths, strict=True)
    ]
    return [sides[0], np.flip(sides[1], axis)]


def _means(
    array: Array, axis: int, widths: tuple[int, int], statistic: Callable[..., Array], lengths: Any
) -> list[Array]:
    n = shape_of(array)[axis]
    before, after = (n, n) if lengths is None else (min(k, n) for k in map(int, _pair(lengths, axis, ndim_of(array))))
    if (before == 0 or after == 0) and statistic in (np.max, np.min):
        raise ValueError("stat_length of 0 yields no value for padding")
    parts = [_slice(array, axis, 0, before), _slice(array, axis, n - after, n)]
    return [
        _spread(statistic(part, axis=axis, keepdims=True), array, axis, width)
        for part, width in zip(parts, widths, strict=True)
    ]


def _odd(array: Array, axis: int, before: int, after: int, with_edge: bool) -> Array:
    """Mirrored in the edge as a point: twice the edge, less the mirrored entries; again and again if need be."""
    period = shape_of(array)[axis]
    if period == 1 and not with_edge:
        sides = [_spread(array, array, axis, width) for width in (before, after)]
        return np.concatenate([sides[0], array, sides[1]], axis)
    while before > 0 or after > 0:
        length = shape_of(array)[axis]
        step = period if with_edge else period - 1
        known = length // step * step if with_edge else (length - 1) // step * step
        skip = 0 if with_edge else 1
        front, back = min(known, before), min(known, after)
        left = 2 * _slice(array, axis, 0, 1) - np.flip(_slice(array, axis, skip, skip + front), axis)
        right = 2 * _slice(array, axis, -1, None) - np.flip(
            _slice(array, axis, length - skip - back, length - skip), axis
        )
        array = np.concatenate([left, array, right], axis)
        before, after = before - front, after - back
    return array


def _by_function(array: Array, widths: list[tuple[int, int]], function: Any, options: dict[str, Any]) -> Array:
    """A function of the user's fills each row in place, as in NumPy: function(row, widths, axis, options)."""
    padded = np.pad(array, widths)
    for axis, pair in enumerate(widths):
        rows = np.moveaxis(padded, axis, -1)
        found = []
        for place in np.ndindex(*shape_of(rows)[:-1]):
            row = np.copy(rows[place])
            back = function(row, pair, axis, options)
            found.append(row if back is None else back)
        padded = np.moveaxis(np.reshape(np.stack(found), shape_of(rows)), -1, axis)
    return padded

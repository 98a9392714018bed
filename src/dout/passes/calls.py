"""Statements for NumPy's own functions, called on what carries no derivative: reductions, argmax, views, joins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import NO_PARAMS, Primitive
from . import best
from .moves import joined, stacked
from .places import Place, own, read, viewed
from .program import Value
from .sums import reduced, scanned
from .writing import Unwritten, Writing

#: Functions as operations of their own.
_MAXIMUM, _MINIMUM, _DIVIDE = (
    Primitive(f.__name__, f, elementwise=True, flat=True) for f in (np.maximum, np.minimum, np.divide)
)
_SUM = Primitive("sum", np.sum, flat=True)
_X: Any = object()


def called(w: Writing, i: int, value: Value) -> None:
    """A function of NumPy's.

    Raises:
        Unwritten: if there are no statements for it, or for these arguments.
    """
    function = value.params["function"]
    write = next((found for known, found in _WRITERS if known is function), None)
    if write is not None and len(value.args) == 1:
        write(w, i, value, w.place(value.args[0]))
    elif any(known is function for known in _VIEWS) and len(value.args) == 1:
        _view(w, i, value, w.place(value.args[0]))
    elif function is np.clip:
        _clip(w, i, value)
    elif function is np.concatenate or function is np.stack:
        _join(w, i, value)
    else:
        raise Unwritten


def _view(w: Writing, i: int, value: Value, base: Place) -> None:
    """What NumPy makes no copy for, or only because of how the entries lie."""
    assert value.op is not None
    params, forward = value.params, value.op.forward
    args, options = params["rebuild"](iter([_X if p is None else p[0] for p in params["places"]]))
    if any(x not in (None, "C") for x in (*args, options.get("order")) if isinstance(x, str)) or options.get("subok"):
        raise Unwritten
    _hold(w.values[value.args[0]].dtype == value.dtype)
    if params["function"] is np.copy:
        w.places[i] = own(i, value.shape)
        w.copy(i, w.places[i], base)
        return
    found = viewed(base, lambda x: forward(x, **params))
    if found is None:
        room = w.fresh(base.shape, value.dtype)
        w.copy(room, w.places[room], base)
        found = viewed(own(room, base.shape), lambda x: forward(x, **params))
    if found is None or found.shape != value.shape:
        raise Unwritten
    w.places[i] = found


def _join(w: Writing, i: int, value: Value) -> None:
    """`np.concatenate` and `np.stack` of arrays that were all computed, of one dtype."""
    params = value.params
    args, options = params["rebuild"](iter([_X if p is None else p[0] for p in params["places"]]))
    axis = args[1] if len(args) == 2 else options.pop("axis", 0)
    whole = isinstance(args[0], list | tuple) and all(x is _X for x in args[0]) and len(args[0]) == len(value.args)
    if not whole or options or len(args) > 2 or not isinstance(axis, int):
        raise Unwritten
    if params["function"] is np.stack:
        stacked(w, i, value, axis % len(value.shape))
        return
    axis %= len(value.shape)
    joined(w, i, value, axis, [w.values[a].shape[axis] for a in value.args])


def _clip(w: Writing, i: int, value: Value) -> None:
    """`np.clip` as a maximum and a minimum."""
    params = value.params
    numbers = iter(value.args)
    given = [next(numbers) if p is None else _constant(w, p[0]) for p in params["places"]]
    args, options = params["rebuild"](iter(given))
    found = dict(zip(("x", "low", "high"), args, strict=False)) | {_LIMITS.get(k, k): v for k, v in options.items()}
    if not set(found) <= {"x", "low", "high"} or len(args) > 3 or found.get("x") is None:
        raise Unwritten
    limits = [(op, found[k]) for op, k in ((_MAXIMUM, "low"), (_MINIMUM, "high")) if found.get(k) is not None]
    last = found["x"]
    _hold(bool(limits))
    for n, (op, limit) in enumerate(limits):
        end = n == len(limits) - 1
        shape = np.broadcast_shapes(w.values[last].shape, w.values[limit].shape)
        last = _mapped(w, op, (last, limit), value.shape if end else shape, value, i if end else None)


_LIMITS = {"a": "x", "a_min": "low", "a_max": "high", "min": "low", "max": "high"}


def _constant(w: Writing, x: Any) -> Any:
    """The number of a value for a constant among the arguments; None stays None."""
    if x is None:
        return None
    if isinstance(x, np.ndarray):
        return w.fresh(x.shape, x.dtype, x)
    if not isinstance(x, int | float | np.generic):
        raise Unwritten
    w.values.append(Value(None, (), NO_PARAMS, (), x.dtype if isinstance(x, np.generic) else type(x), constant=x))
    return len(w.values) - 1


def _mapped(
    w: Writing, op: Primitive, args: tuple[int, ...], shape: tuple[int, ...], like: Value, to: int | None = None
) -> int:
    """The number of a new value, or of one that there is, that is computed entry by entry.

    Raises:
        Unwritten: if there is no code for that.
    """
    value = Value(op, args, NO_PARAMS, shape, like.dtype, array=like.array if to is not None else bool(shape))
    i = to
    if i is None:
        w.values.append(value)
        i = len(w.values) - 1
    before, w.values[i] = w.values[i], value
    if w.kind(w.program, i) != "map":
        w.values[i] = before
        raise Unwritten
    live = [axis for axis, n in enumerate(shape) if n > 1]
    reads = tuple([w.operand(a, shape, live) for a in args])
    w.places[i] = own(i, shape)
    w.add("map", i, tuple([shape[a] for a in live]), reads, read(w.places[i], shape, live))
    return i


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


def _mean(w: Writing, i: int, value: Value, source: Place) -> None:
    """The mean of bits or of small integers: their sum has no rounding errors, in whatever order they are added."""
    axes = _axes(value, source, "axis", "dtype")
    taken = np.dtype(w.values[value.args[0]].dtype)
    _hold(taken.kind in "iub" and taken.itemsize <= 2 and value.dtype == np.dtype(np.float64))
    w.values.append(Value(_SUM, value.args, NO_PARAMS, value.shape, value.dtype, array=value.array))
    total = len(w.values) - 1
    reduced(w, total, source, axes, "sum")
    _mapped(w, _DIVIDE, (total, _constant(w, float(math.prod([source.shape[a] for a in axes])))), value.shape, value, i)


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
    """`argmax` and `argmin`."""
    axes = _axes(value, source, "axis")
    _hold(value.dtype == np.dtype(np.int64))
    best.first(w, i, source, axes, "max" if value.params["function"] is np.argmax else "min")


def _is_mask(w: Writing, a: int) -> bool:
    return bool(np.dtype(w.values[a].dtype) == np.bool_)


def _is_whole(w: Writing, a: int) -> bool:
    """Whether it is of integers, or of bits."""
    return np.dtype(w.values[a].dtype).kind in "iub"


def _hold(condition: bool) -> None:
    if not condition:
        raise Unwritten


_WRITERS: list[tuple[Any, Callable[[Writing, int, Value, Place], None]]] = [
    (np.sum, _sum), (np.prod, _sum), (np.count_nonzero, _count), (np.max, _extreme), (np.min, _extreme),
    (np.any, _truth), (np.all, _truth), (np.cumsum, _running), (np.cumprod, _running), (np.argmax, _first_best),
    (np.argmin, _first_best), (np.mean, _mean),
]  # fmt: skip
_VIEWS: Sequence[Any] = (
    np.transpose, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims, np.ravel, np.reshape, np.broadcast_to, np.flip,
    np.diagonal, np.copy,
)  # fmt: skip

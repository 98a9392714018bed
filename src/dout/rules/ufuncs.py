"""What ufuncs take besides their inputs: `out=`, `where=`, `dtype=`; and their methods: reduce, accumulate, outer, at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index

from ..graph import ndim_of, plain, shape_of
from .elementwise import to_dtype
from .indexing import scatter
from .registry import FLAT, UFUNCS
from .vectors import along_axes

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too
Array = Any

_REDUCE: dict[Any, Callable[..., Array]] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any,
}  # fmt: skip
_ACCUMULATE: dict[Any, Callable[..., Array]] = {np.add: np.cumsum, np.multiply: np.cumprod}


def store(result: Array, out: Any) -> Array:
    """Put a result where `out=` says, and return that.

    Raises:
        TypeError: if it is a plain array, which would lose the derivative.
    """
    target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if isinstance(target, tuple):
        raise TypeError("out= with several arrays is not supported on Variables; use the results instead")
    if shape_of(result) != shape_of(target):
        raise ValueError(f"out= has shape {shape_of(target)}, the result has shape {shape_of(result)}")
    if not _is_variable(target):
        if _is_variable(result):
            if target.dtype.kind != "O":
                raise _plain_target(target)
            target[...] = np.asarray(result)  # its entries, each a Variable
            return target
        np.copyto(target, result, casting="same_kind")
        return target
    target[...] = result
    return target


def _is_variable(x: Any) -> bool:
    return hasattr(type(x), "__dout_record__")


def _plain_target(target: Any) -> TypeError:
    return TypeError(
        f"out= is a plain {type(target).__name__}, which can't hold a derivative. Leave out= away and use the "
        "result, or make the target with np.zeros_like(x), where x is a Variable."
    )


def call_with_options(ufunc: Any, inputs: tuple[Array, ...], options: dict[str, Any]) -> Array:
    """A ufunc with keyword arguments."""
    out, where, dtype = options.pop("out", None), options.pop("where", True), options.pop("dtype", None)
    casting = options.pop("casting", "same_kind")
    for harmless in ("order", "subok"):  # they change how the result lies in memory, not what it is
        options.pop(harmless, None)
    axes: dict[str, Any] = {
        name: options.pop(name) for name in ("axis", "axes", "keepdims") if ufunc.signature and name in options
    }
    if options:
        raise TypeError(
            f"np.{ufunc.__name__}: {', '.join(options)}= is not supported on Variables; leave it away, or use "
            "astype and transpose on the inputs and the result"
        )
    if dtype is not None and ufunc not in FLAT:
        dtype = np.dtype(dtype)
        inputs = tuple(_cast(ufunc, x, dtype, casting) for x in inputs)
    if axes:
        result = along_axes(ufunc, inputs, axes)
    else:
        result = ufunc(*inputs) if where is True else _where(ufunc, inputs, plain(where), out)
    if dtype is not None and ufunc not in FLAT and result.dtype != dtype:
        raise TypeError(f"np.{ufunc.__name__}: dtype={dtype}: it gives {result.dtype} for inputs of that dtype")
    return result if out is None else store(result, out)


def _cast(ufunc: Any, x: Array, dtype: Any, casting: str) -> Array:
    if dtype.kind not in "fc":
        raise TypeError(f"np.{ufunc.__name__}: dtype={dtype} can't carry a derivative; give a floating dtype")
    if isinstance(plain(x), int | float | complex) and not isinstance(plain(x), np.generic):
        have = np.min_scalar_type(plain(x))  # Python's numbers take the dtype of what they meet
        fits = np.can_cast(have, dtype, casting) or (have.kind != "c" and dtype.kind in "fc")
    else:
        have = np.result_type(plain(x))
        fits = np.can_cast(have, dtype, casting)
    if not fits:
        raise TypeError(f"np.{ufunc.__name__}: cannot cast {have} to dtype={dtype} with casting={casting!r}")
    return to_dtype(x, dtype)


def _where(ufunc: Any, inputs: tuple[Array, ...], where: Any, out: Any) -> Array:
    """Compute only where asked, so that no NaN of the rest gets into a derivative; elsewhere, what `out` holds."""
    if out is None:
        raise ValueError(
            f"np.{ufunc.__name__}: where= without out= leaves entries undefined; give out=np.zeros_like(x)"
        )
    target = out[0] if isinstance(out, tuple) else out
    shape = np.broadcast_shapes(shape_of(where), *(shape_of(x) for x in inputs))
    if shape != shape_of(target):
        raise ValueError(f"out= has shape {shape_of(target)}, the result has shape {shape}")
    mask = np.broadcast_to(where, shape)
    chosen = ufunc(*(np.broadcast_to(x, shape)[mask] for x in inputs))
    if _is_variable(chosen) and not _is_variable(target):
        raise _plain_target(target)
    result = np.copy(target)
    result[mask] = chosen
    return result


def call_method(ufunc: Any, method: str, inputs: tuple[Array, ...], options: dict[str, Any]) -> Array:
    """`ufunc.reduce(...)` and its siblings."""
    options = {name: v for name, v in options.items() if v is not None or name == "axis"}
    if method == "outer":
        x, y = inputs
        return ufunc(np.reshape(x, shape_of(x) + (1,) * ndim_of(y)), y, **options)
    if method == "reduce" and ufunc in _REDUCE:
        return _REDUCE[ufunc](inputs[0], axis=options.pop("axis", 0), **options)
    if method == "accumulate" and ufunc in _ACCUMULATE:
        return _ACCUMULATE[ufunc](inputs[0], axis=options.pop("axis", 0), **options)
    if method in ("reduce", "accumulate") and ufunc in UFUNCS and ufunc.nin == 2:
        return _one_by_one(ufunc, method, inputs[0], **options)
    if method == "reduceat" and ufunc in UFUNCS and ufunc.nin == 2:
        return _reduceat(ufunc, *inputs, **options)
    if method == "at" and (ufunc in UFUNCS or ufunc in FLAT):
        return _at(ufunc, *inputs)
    raise NotImplementedError(
        f"np.{ufunc.__name__}.{method} has no derivative in dout yet; write it with functions that have one, or run it "
        "on v.value if no derivative should pass"
    )


def _one_by_one(
    ufunc: Any, method: str, x: Array, axis: Any = 0, out: Any = None, keepdims: bool = False, **options: Any
) -> Array:
    """A ufunc without a reduction of its own, applied along an axis one entry after another, as NumPy does."""
    if options:
        raise TypeError(f"np.{ufunc.__name__}.{method}: {', '.join(options)}= is not supported on Variables")
    if isinstance(axis, tuple) and len(axis) == 1:
        (axis,) = axis
    if axis is None and ndim_of(x) == 1:
        axis = 0
    if axis is None or isinstance(axis, tuple):
        raise TypeError(f"np.{ufunc.__name__}.{method}: axis={axis} is not supported on Variables; give one int")
    axis = normalize_axis_index(axis, ndim_of(x))
    rows = np.moveaxis(x, axis, 0)
    if not len(rows):
        raise ValueError(f"np.{ufunc.__name__}.{method} on Variables: axis {axis} has no entries")
    found = [rows[0]]
    for i in range(1, len(rows)):
        found.append(ufunc(found[-1], rows[i]))
    last = np.expand_dims(found[-1], axis) if keepdims else +found[-1]
    result = np.stack(found, axis) if method == "accumulate" else last
    return result if out is None else store(result, out)


def _at(ufunc: Any, target: Array, key: Any, *values: Array) -> None:
    """`target[key] = ufunc(target[key], value)`, where an entry that is named twice is changed twice."""
    key = _own(key)
    shape = shape_of(target)
    here = shape_of(plain(target)[key])
    if not _is_variable(target):
        raise TypeError(
            f"np.{ufunc.__name__}.at: the target is a plain {type(target).__name__}, which can't hold a derivative; make "
            "it with np.zeros_like(x), where x is a Variable"
        )
    if ufunc in (np.add, np.subtract):
        target[...] = ufunc(target, scatter(np.broadcast_to(*values, here), key=key, shape=shape))
        return
    places = np.ravel(np.arange(np.size(target)).reshape(shape)[key])
    spread = [np.ravel(np.broadcast_to(v, here)) for v in values]
    for turn in _turns(places):  # an entry that is named again is changed again
        at = np.unravel_index(places[turn], shape)
        target[at] = ufunc(target[at], *(v[turn] for v in spread))


def _turns(places: Any) -> list[Any]:
    """Where each place is named for the first time, for the second, and so on."""
    order = np.argsort(places, kind="stable")
    here = places[order]
    first = np.concatenate([[True], here[1:] != here[:-1]]) if len(here) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    nth = np.empty(len(here), int)
    nth[order] = np.arange(len(here)) - np.repeat(starts, np.diff([*starts, len(here)]))
    return [np.flatnonzero(nth == k) for k in range(int(nth.max(initial=-1)) + 1)]


def _reduceat(ufunc: Any, x: Array, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Array:
    """`ufunc.reduce` of x[i:j] for each index i and the next, j; x[i] alone where j is not larger."""
    axis = normalize_axis_index(axis, ndim_of(x))
    x = x if dtype is None else x.astype(dtype)
    rows = np.moveaxis(x, axis, 0)
    starts = np.asarray(plain(indices)).tolist()
    ends = [*starts[1:], len(rows)]
    for i in starts:
        if not 0 <= i < len(rows):
            raise IndexError(f"index {i} out-of-bounds in {ufunc.__name__}.reduceat [0, {len(rows)})")
    found = [ufunc.reduce(rows[i:j], axis=0) if i < j else rows[i] for i, j in zip(starts, ends, strict=True)]
    result = np.stack(found, axis) if found else rows[:0]
    return result if out is None else store(result, out)


def _own(key: Any) -> Any:
    """An index that later changes to the user's own index arrays do not reach."""
    if isinstance(key, tuple):
        return tuple(_own(k) for k in key)
    return np.array(key) if isinstance(key, list | np.ndarray) else key

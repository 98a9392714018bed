"""Rules of what moves entries without changing them: reshape, transpose, join, split, repeat, pad, roll."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import Primitive, laid, ndim_of, plain, shape_of
from .indexing import scatter
from .registry import flat, implements, primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _unmoved(axes: Sequence[int]) -> tuple[int, ...]:
    """The transposition that undoes a transposition."""
    back = [0] * len(axes)
    for i, axis in enumerate(axes):
        back[axis] = i
    return tuple(back)


reshape = primitive(
    "reshape",
    lambda x, shape, order, old: np.reshape(x, shape, order=order),
    lambda dout, _out, _x, shape, order, old: np.reshape(dout, old, order=order),
    view=True,
)
transpose = primitive(
    "transpose",
    lambda x, axes: np.transpose(x, axes),
    lambda dout, _out, _x, axes: np.transpose(dout, _unmoved(axes)),
    view=True,
)
broadcast_to = primitive(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    lambda dout, _out, _x, shape: dout,
    view=True,
    read_only=True,
)
concatenate = primitive(
    "concatenate",
    lambda *arrays, axis, widths: np.concatenate(arrays, axis=axis),
    joint=lambda dout, _out, *_arrays, axis, widths: _pieces(dout, axis, widths),
)
flip: Primitive = primitive(
    "flip",
    lambda x, axes: x[tuple([slice(None, None, -1) if i in axes else slice(None) for i in range(np.ndim(x))])],
    lambda dout, _out, _x, axes: flip(dout, axes=axes),
    view=True,
)
roll: Primitive = primitive(
    "roll",
    lambda x, shift, axis: _roll(x, shift, axis),
    lambda dout, _out, _x, shift, axis: roll(
        dout, shift=-shift if type(shift) is int else -np.asarray(shift), axis=axis
    ),
)
repeat = primitive(
    "repeat",
    lambda x, counts, axis: np.repeat(x, counts[0] if _is_even(counts) else counts, axis),
    lambda dout, _out, _x, counts, axis: _unrepeat(dout, counts, axis),
)
copy = primitive("copy", lambda x, order: np.array(x, order=order), lambda dout, _out, _x, order: dout)


def _pieces(dout: Array, axis: int, widths: tuple[int, ...]) -> tuple[Array, ...]:
    """The parts of dout that came from each of the joined arrays."""
    lead, cuts = (slice(None),) * axis, list(accumulate(widths, initial=0))
    return tuple([dout[(*lead, slice(a, b))] if axis else dout[a:b] for a, b in pairwise(cuts)])


def _roll(x: Array, shift: Any, axis: Any) -> Array:
    """np.roll, which takes detours where there is one shift along one axis."""
    if type(shift) is not int or type(axis) is not int or not -x.ndim <= axis < x.ndim or not x.shape[axis]:
        return np.roll(x, shift, axis)
    lead, cut = (slice(None),) * (axis % x.ndim), -shift % x.shape[axis]
    return np.concatenate([x[(*lead, slice(cut, None))], x[(*lead, slice(cut))]], axis)


def _is_even(counts: Any) -> bool:
    return bool(counts.size) and bool((counts == counts[0]).all())


def _unrepeat(dout: Array, counts: Any, axis: int) -> Array:
    """Sum dout over the copies of each entry."""
    if _is_even(counts) and counts[0]:
        shape, times = shape_of(dout), int(counts[0])
        split = np.reshape(dout, (*shape[:axis], len(counts), times, *shape[axis + 1 :]))
        if type(dout) is numpy.ndarray and times <= 16:  # sums along a short axis are slow
            return reduce(operator.add, (split[(slice(None),) * (axis + 1) + (k,)] for k in range(times)))
        return np.sum(split, axis=axis + 1)
    shape = (*shape_of(dout)[:axis], len(counts), *shape_of(dout)[axis + 1 :])
    owner = np.repeat(np.arange(len(counts)), counts)
    return scatter(dout, key=(slice(None),) * axis + (owner,), shape=shape)


def _as_shape(shape: Any) -> tuple[int, ...]:
    """An int, or any sequence of ints, as a tuple."""
    if type(shape) is tuple and all(type(n) is int for n in shape):
        return shape
    return tuple(np.atleast_1d(shape).tolist()) if np.size(shape) else ()


@implements(np.reshape)
def _reshape(a: Array, shape: Any, order: str = "C", *, copy: bool | None = None) -> Array:
    order = ("F" if np.isfortran(laid(a)) else "C") if order == "A" else order
    if copy is False:
        np.reshape(plain(a), shape, order=order, copy=False)  # raises where that can't be
    result = reshape(a, shape=_as_shape(shape), order=order, old=shape_of(a))
    return np.copy(result) if copy else result


@implements(np.ravel)
def _ravel(a: Array, order: str = "C") -> Array:
    """A view where the entries lie one after another in memory; otherwise a copy, also where a reshape is a view."""
    here: Any = laid(a)
    if order == "K":  # as in memory
        axes = _as_in_memory(here.strides)
        a, here, order = np.transpose(a, axes), here.transpose(axes), "C"
    order = ("F" if np.isfortran(here) else "C") if order == "A" else order
    row = np.reshape(a, (-1,), order=order)
    return row if here.flags[f"{order}_CONTIGUOUS"] else np.copy(row, order="C")


def _as_in_memory(strides: tuple[int, ...]) -> list[int]:
    """The axes, those with the longest steps first; one along which entries are repeated, without steps, keeps its place."""
    order: list[int] = []  # the shortest first
    for axis in reversed(range(len(strides))):
        place = len(order)
        for k in reversed(range(len(order))):
            mine, other = abs(strides[axis]), abs(strides[order[k]])
            if mine and other:
                if other <= mine:
                    break
                place = k
        order.insert(place, axis)
    return order[::-1]


@implements(np.transpose, np.permute_dims)
def _transpose(a: Array, axes: Any = None) -> Array:
    ndim = ndim_of(a)
    return transpose(a, axes=tuple(range(ndim))[::-1] if axes is None else _permutation(axes, ndim))


def _permutation(axes: Any, ndim: int) -> tuple[int, ...]:
    found = normalize_axis_tuple(axes, ndim)
    if len(found) != ndim:
        raise ValueError("axes don't match array")
    return found


@implements(np.swapaxes)
def _swapaxes(a: Array, axis1: int, axis2: int) -> Array:
    axes = list(range(ndim_of(a)))
    i, j = normalize_axis_index(axis1, len(axes)), normalize_axis_index(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return transpose(a, axes=tuple(axes))


@implements(np.moveaxis)
def _moveaxis(a: Array, source: Any, destination: Any) -> Array:
    ndim = ndim_of(a)
    here, there = normalize_axis_tuple(source, ndim, "source"), normalize_axis_tuple(destination, ndim, "destination")
    if len(here) != len(there):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [i for i in range(ndim) if i not in here]
    for to, axis in sorted(zip(there, here, strict=True)):
        order.insert(to, axis)
    return transpose(a, axes=tuple(order))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Array, /) -> Array:
    return np.swapaxes(x, -1, -2)


@implements(np.expand_dims)
def _expand_dims(a: Array, axis: Any) -> Array:
    if type(axis) is int and -ndim_of(a) - 1 <= axis <= ndim_of(a):
        return reshape(a, shape=_widened(shape_of(a), axis), order="C", old=shape_of(a))
    axis = axis if isinstance(axis, tuple | list) else (axis,)
    wide = normalize_axis_tuple(axis, ndim_of(a) + len(axis))
    shape = iter(shape_of(a))
    return np.reshape(a, tuple(1 if i in wide else next(shape) for i in range(ndim_of(a) + len(axis))))


def _widened(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """A shape with one more axis."""
    axis %= len(shape) + 1
    return (*shape[:axis], 1, *shape[axis:])


@implements(np.squeeze)
def _squeeze(a: Array, axis: Any = None) -> Array:
    shape = shape_of(a)
    narrow = [i for i, n in enumerate(shape) if n == 1] if axis is None else normalize_axis_tuple(axis, len(shape))
    if any(shape[i] != 1 for i in narrow):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return np.reshape(a, tuple(n for i, n in enumerate(shape) if i not in narrow))


@implements(np.broadcast_to)
def _broadcast_to(array: Array, shape: Any, subok: bool = False) -> Array:
    return broadcast_to(array, shape=_as_shape(shape))


@implements(np.broadcast_arrays)
def _broadcast_arrays(*args: Array, subok: bool = False) -> tuple[Array, ...]:
    shape = np.broadcast_shapes(*(shape_of(a) for a in args))
    return tuple(a if shape_of(a) == shape else np.broadcast_to(a, shape) for a in map(as_array, args))


@implements(np.concatenate, np.concat)
def _concatenate(
    arrays: Sequence[Array], axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Array:
    arrays = tuple(arrays)
    if axis is None:
        arrays, axis = tuple(np.ravel(a) for a in arrays), 0
    arrays = tuple(as_array(a) for a in arrays)
    if not arrays or not ndim_of(arrays[0]):
        raise ValueError(
            "zero-dimensional arrays cannot be concatenated" if arrays else "need at least one array to concatenate"
        )
    axis = normalize_axis_index(axis, ndim_of(arrays[0]))
    joined = concatenate(*arrays, axis=axis, widths=tuple(shape_of(a)[axis] for a in arrays if ndim_of(a) > axis))
    return joined if dtype is None else _in_dtype(joined, arrays, dtype, casting)


def _in_dtype(joined: Array, arrays: Sequence[Array], dtype: Any, casting: str) -> Array:
    for a in arrays:
        if not np.can_cast(np.result_type(a), dtype, casting):
            raise TypeError(f"np.concatenate: cannot cast {a.dtype} to {np.dtype(dtype)} by casting={casting!r}")
    return joined.astype(dtype)


def as_array(a: Any) -> Array:
    """A list or a number as an array; an array or a Variable as it is."""
    return a if hasattr(a, "shape") else np.asarray(a)


@implements(np.stack)
def _stack(arrays: Sequence[Array], axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    arrays = tuple(arrays)
    shapes = {shape_of(a) for a in arrays}
    if len(shapes) != 1:
        raise ValueError("all input arrays must have the same shape" if arrays else "need at least one array to stack")
    (old,) = shapes
    axis = normalize_axis_index(axis, len(old) + 1)
    wide = (*old[:axis], 1, *old[axis:])
    joined = concatenate(
        *[reshape(a, shape=wide, order="C", old=old) for a in arrays], axis=axis, widths=(1,) * len(arrays)
    )
    return joined if dtype is None else _in_dtype(joined, arrays, dtype, casting)


@implements(np.vstack)
def _vstack(tup: Sequence[Array], *, dtype: Any = None, casting: str = "same_kind") -> Array:
    if _are_rows(tup):
        return _stack(tup, 0, dtype=dtype, casting=casting)
    return _concatenate([_widen(2, a) for a in tup], 0, dtype=dtype, casting=casting)


def _are_rows(arrays: Sequence[Array]) -> bool:
    """Whether these have one axis each, and the same length."""
    shapes = {shape_of(a) for a in arrays}
    return len(shapes) == 1 and len(shapes.pop()) == 1


@implements(np.hstack)
def _hstack(tup: Sequence[Array], *, dtype: Any = None, casting: str = "same_kind") -> Array:
    arrays = [_widen(1, a) for a in tup]
    axis = 0 if arrays and ndim_of(arrays[0]) == 1 else 1
    return _concatenate(arrays, axis, dtype=dtype, casting=casting)


@implements(np.dstack)
def _dstack(tup: Sequence[Array]) -> Array:
    return _concatenate([_widen(3, a) for a in tup], 2)


@implements(np.column_stack)
def _column_stack(tup: Sequence[Array]) -> Array:
    if _are_rows(tup):
        return _stack(tup, 1)
    return _concatenate([np.reshape(a, (-1, 1)) if ndim_of(a) < 2 else a for a in tup], 1)


def _at_least(ndim: int, *arrays: Array) -> Any:
    return _widen(ndim, arrays[0]) if len(arrays) == 1 else tuple(_widen(ndim, a) for a in arrays)


def _widen(ndim: int, a: Any) -> Array:
    a = as_array(a)
    missing = ndim - ndim_of(a)
    if missing <= 0:
        return a
    after = 1 if ndim == 3 and missing < 3 else 0  # NumPy puts a matrix's third axis last
    return np.reshape(a, (1,) * (missing - after) + tuple(shape_of(a)) + (1,) * after)


implements(np.atleast_1d)(lambda *arys: _at_least(1, *arys))
implements(np.atleast_2d)(lambda *arys: _at_least(2, *arys))
implements(np.atleast_3d)(lambda *arys: _at_least(3, *arys))


@implements(np.array_split)
def _array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> Array:
    n = shape_of(ary)[axis]
    if ndim_of(indices_or_sections):
        cuts = [0, *indices_or_sections, n]
    else:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        cuts = [0, *np.cumsum([n // count + (i < n % count) for i in range(count)])]
    lead = (slice(None),) * normalize_axis_index(axis, ndim_of(ary))
    return [ary[(*lead, slice(a, b))] for a, b in pairwise(cuts)]


@implements(np.split)
def _split(ary: Array, indices_or_sections: Any, axis: int = 0) -> Array:
    if not ndim_of(indices_or_sections) and shape_of(ary)[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return np.array_split(ary, indices_or_sections, axis)


@implements(np.hsplit)
def _hsplit(ary: Array, indices_or_sections: Any) -> Array:
    return np.split(ary, indices_or_sections, 1 if ndim_of(ary) > 1 else 0)


@implements(np.vsplit)
def _vsplit(ary: Array, indices_or_sections: Any) -> Array:
    if ndim_of(ary) < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return np.split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def _dsplit(ary: Array, indices_or_sections: Any) -> Array:
    if ndim_of(ary) < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return np.split(ary, indices_or_sections, 2)


implements(np.unstack)(lambda x, /, *, axis=0: tuple(np.moveaxis(x, axis, 0)))


@implements(np.flip)
def _flip(m: Array, axis: Any = None) -> Array:
    ndim = ndim_of(m)
    if not ndim:
        return np.positive(m) if axis is None or axis == () else normalize_axis_tuple(axis, 0)
    return flip(m, axes=tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim))


implements(np.flipud)(lambda m: np.flip(m, 0))
implements(np.fliplr)(lambda m: np.flip(m, 1))


@implements(np.rot90)
def _rot90(m: Array, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    first, second = normalize_axis_tuple(axes, ndim_of(m))  # raises if they are the same
    if k % 4 == 0:
        return m
    if k % 4 == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    if k % 4 == 2:
        return np.flip(m, (first, second))
    return np.flip(np.swapaxes(m, first, second), second)


@implements(np.roll)
def _rolled(a: Array, shift: Any, axis: Any = None) -> Array:
    if axis is None:
        if ndim_of(a) == 1:
            return roll(a, shift=shift, axis=0)
        return np.reshape(roll(np.ravel(a), shift=shift, axis=0), shape_of(a))
    return roll(a, shift=shift, axis=axis)


@implements(np.repeat)
def _repeat(a: Array, repeats: Any, axis: int | None = None) -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, ndim_of(a))
    if np.asarray(repeats).dtype.kind not in "iub":
        raise TypeError(f"np.repeat: repeats has to hold integers, got {repeats!r}")
    counts = np.broadcast_to(np.array(repeats, dtype=np.intp), shape_of(a)[axis])
    return repeat(a, counts=counts, axis=axis)


@implements(np.tile)
def _tile(A: Array, reps: Any) -> Array:
    counts = _as_shape(reps)
    counts = (1,) * (ndim_of(A) - len(counts)) + counts
    old = (1,) * (len(counts) - ndim_of(A)) + tuple(shape_of(A))
    spread = reshape(A, shape=tuple([n for size in old for n in (1, size)]), order="C", old=shape_of(A))
    wide = broadcast_to(spread, shape=tuple([n for pair in zip(counts, old, strict=True) for n in pair]))
    shape = tuple([c * n for c, n in zip(counts, old, strict=True)])
    tiled = reshape(wide, shape=shape, order="C", old=shape_of(wide))
    return np.copy(tiled, order="C") if np.may_share_memory(laid(tiled), laid(A)) else tiled


implements(np.copy)(lambda a, order="K", subok=False: copy(a, order=order))


@implements(np.full_like)
def _full_like(a: Array, fill_value: Array, dtype: Any = None, order: str = "K", *args: Any, **options: Any) -> Array:
    result = np.zeros_like(a, dtype, order, *args, **options)
    result[...] = fill_value
    return result


flat(
    np.shape, np.ndim, np.size, np.isfortran, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast,
    np.common_type, np.min_scalar_type, np.shares_memory, np.may_share_memory, np.zeros_like, np.ones_like, np.empty_like,
    np.array_repr, np.array_str, np.array2string,
)  # fmt: skip

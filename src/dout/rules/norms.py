"""Rules of norms of vectors and matrices, by every order, and of cond.

The length of a vector is the primitive; the other orders are sums, maxima and singular values. A norm has a kink at 0, where
its derivative is taken as 0, the middle of its subgradients; so has a vector norm of an order below 1 at each entry that is 0.
Maxima that are tied share, and so do singular values that repeat.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..graph import ndim_of, plain, shape_of, size_of
from . import ties
from .elementwise import to_dtype
from .registry import implements, primitive
from .singular_values import svdvals
from .ties import warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _d_length(dout: Array, out: Array, x: Array, axes: tuple[int, ...] | None) -> Array:
    """x / |x|, and 0 where |x| is 0."""
    return dout * ties.conj(x) / np.where(out == 0, np.inf, out)


def _d_singular(dout: Array, _out: Array, x: Array, p: Any) -> Array:
    used = plain(dout) != 0
    if np.any(used):
        warn("cond", "the matrix is singular, as far as rounding can tell, and the result has no derivative: it is NaN")
    return np.expand_dims(dout * np.where(used, np.nan, 0), (-1, -2)) * np.ones(shape_of(x))


length = primitive("norm", lambda x, axes: np.linalg.norm(x, axis=axes, keepdims=True), _d_length)
#: For singular matrices; of others, the condition number is made of norms.
cond = primitive("cond", lambda x, p: np.linalg.cond(x, p), _d_singular)


@implements(np.linalg.norm)
def _norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    ndim = ndim_of(x)
    if axis is None and (ord is None or (ndim == 1 and ord == 2) or (ndim == 2 and ord in ("fro", "f"))):
        return _narrow(length(x, axes=None), tuple(range(ndim)), keepdims)
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        if ord in (2, -2, "nuc"):
            return _of_singular_values(x, ord, axes, keepdims)
        return _narrow(_matrix_norm(x, ord, axes), axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def _narrow(found: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Drop the axes, which have length 1; a single number is NumPy's scalar."""
    if keepdims:
        return found
    return found[(0,) * len(axes)] if len(axes) == ndim_of(found) else np.squeeze(found, axes)


def _greatest(x: Array, axes: Any) -> Array:
    """The maximum of numbers that are none below 0; of no numbers, 0."""
    return np.max(x, axes, keepdims=True, initial=0 if 0 in shape_of(x) else None)


def _vector_norm(x: Array, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    if ord is None or ord == 2:
        return _narrow(length(x, axes=axes), axes, keepdims)
    sizes = np.abs(x)
    if ord == np.inf:
        return _narrow(_greatest(sizes, axes), axes, keepdims)
    if ord == -np.inf:
        return _narrow(np.min(sizes, axes, keepdims=True), axes, keepdims)
    if ord == 0:
        return _narrow(np.sum((sizes != 0).astype(sizes.dtype), axes, keepdims=True), axes, keepdims)
    if ord == 1:
        return _narrow(np.sum(sizes, axes, keepdims=True), axes, keepdims)
    summed = _narrow(np.sum(_powers(sizes, ord), axes, keepdims=True), axes, keepdims)
    nonzero = plain(summed) != 0
    if not ties.is_variable(nonzero) and np.all(nonzero):
        return summed ** (1 / ord)
    root = np.where(nonzero, summed, 1)[()] ** (1 / ord)
    return np.where(nonzero, root, plain(summed) ** (1 / ord))[()]


def _powers(sizes: Array, ord: float) -> Array:
    """Each to this power; below 1, that has an infinite slope at 0, to both sides alike."""
    if ord > 1:
        return sizes ** float(ord)
    here = plain(sizes)
    if np.all(here):
        return sizes ** float(ord)
    return np.where(here == 0, here ** float(ord), np.where(here == 0, 1, sizes) ** float(ord))


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, ...]) -> Array:
    if ord is None or ord in ("fro", "f"):
        return length(x, axes=axes)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError(f"Invalid norm order {ord!r} for matrices.")
    along, across = axes if abs(ord) == 1 else axes[::-1]
    sums = np.sum(np.abs(x), along, keepdims=True)
    return _greatest(sums, across) if ord > 0 else np.min(sums, across, keepdims=True)


def _of_singular_values(x: Array, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    s = svdvals(x if axes == (ndim_of(x) - 2, ndim_of(x) - 1) else np.moveaxis(x, axes, (-2, -1)), quiet=True)
    if ord == 2:
        found = np.max(s, -1, initial=0 if 0 in shape_of(s) else None)
    else:
        found = np.sum(s, -1) if ord == "nuc" else np.min(s, -1)
    return np.expand_dims(found, sorted(axes)) if keepdims else found


@implements(np.linalg.matrix_norm)
def _linalg_matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    return np.linalg.norm(x, axis=(-2, -1), keepdims=keepdims, ord=ord)


@implements(np.linalg.vector_norm)
def _linalg_vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """Along any number of axes, which are joined to one."""
    ndim, shape = ndim_of(x), shape_of(x)
    if axis is not None and not isinstance(axis, tuple):
        return np.linalg.norm(x, ord, normalize_axis_index(axis, ndim), keepdims)
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    if ord == 2 and axis is None and ndim:
        return _narrow(length(x, axes=None), axes, keepdims)
    rest = [i for i in range(ndim) if i not in axes]
    joined = int(np.prod([shape[i] for i in axes], dtype=int))
    rows = (
        np.ravel(x)
        if axis is None
        else np.reshape(np.transpose(x, (*axes, *rest)), (joined, *(shape[i] for i in rest)))
    )
    found = np.linalg.norm(rows, ord, 0)
    return np.reshape(found, tuple(1 if i in axes else n for i, n in enumerate(shape))) if keepdims else found


@implements(np.linalg.cond)
def _cond(x: Array, p: Any = None) -> Array:
    if not size_of(x):
        return np.linalg.cond(plain(x), p)  # raises
    try:
        found = _ratio(x, p)
    except np.linalg.LinAlgError:  # one of them is singular, or none is square
        found = np.linalg.cond(plain(x), p)
    limit = 1 / float(ties.rounding(np.ones(1, plain(found).dtype), max(shape_of(x)[-2:]))[0])
    singular = ~np.asarray(plain(found) < limit)
    if not np.any(singular):
        return found
    return np.where(singular, cond(x, p=p), _ratio(ties.without(x, ~singular), p))[()]


def _ratio(x: Array, p: Any) -> Array:
    """The condition numbers of regular matrices."""
    if p is None or p in (2, -2):
        s = svdvals(x, quiet=True)
        with np.errstate(all="ignore"):
            return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    inverse = np.linalg.inv(to_dtype(x, np.result_type(x.dtype, float)))  # NumPy doesn't round it
    found = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inverse, p, (-2, -1))
    dtype = np.real(plain(x)).dtype
    return found if found.dtype == dtype else found.astype(dtype)

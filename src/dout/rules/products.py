"""Rules of the products: matmul, dot, inner, outer, vdot, tensordot, kron. All but matmul are made of others."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import is_complex, ndim_of, shape_of, size_of
from .registry import implements, primitive
from .shaping import as_array, reshape, transpose

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _d_left(dout: Array, y: Array, x_ndim: int) -> Array:
    if ndim_of(y) == 1:
        return dout * y if x_ndim == 1 else dout[..., None] * y
    if x_ndim == 1 and ndim_of(y) == 2:
        return np.matmul(y, dout)
    if x_ndim == 1:
        return np.sum(dout[..., None, :] * y, -1)
    return np.matmul(dout, np.swapaxes(y, -1, -2))


def _d_right(dout: Array, x: Array, y_ndim: int) -> Array:
    if y_ndim == 1 and ndim_of(x) == 2:
        return np.matmul(dout, x)
    if y_ndim == 1:
        return dout * x if ndim_of(x) == 1 else dout[..., None] * x
    if ndim_of(x) == 1:
        return x[..., None] * dout[..., None, :]
    return np.matmul(np.swapaxes(x, -1, -2), dout)


product = primitive(
    "matmul",
    lambda x, y, ndims: np.matmul(x, y),
    lambda dout, _out, _x, y, ndims: _d_left(dout, y, ndims[0]),
    lambda dout, _out, x, _y, ndims: _d_right(dout, x, ndims[1]),
)


@implements(np.matmul)
def _matmul(x1: Array, x2: Array) -> Array:
    return product(x1, x2, ndims=(ndim_of(x1), ndim_of(x2)))


@implements(np.dot)
def _dot(a: Array, b: Array) -> Array:
    if ndim_of(a) == 0 or ndim_of(b) == 0:
        return np.multiply(a, b)
    if ndim_of(b) <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, ((-1,), (-2,)))


@implements(np.inner)
def _inner(a: Array, b: Array) -> Array:
    if ndim_of(a) == 0 or ndim_of(b) == 0:
        return np.multiply(a, b)
    if ndim_of(a) == 1 and ndim_of(b) == 1:
        return np.matmul(a, b)
    return np.tensordot(a, b, ((-1,), (-1,)))


@implements(np.outer)
def _outer(a: Array, b: Array) -> Array:
    a, b = (x if hasattr(x, "shape") else np.asarray(x) for x in (a, b))
    n, m = size_of(a), size_of(b)
    column = reshape(a, shape=(n, 1), order="C", old=shape_of(a))
    return np.multiply(column, b if ndim_of(b) == 1 else reshape(b, shape=(m,), order="C", old=shape_of(b)))


def _row(x: Any) -> Array:
    """All entries in one row."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    return x if ndim_of(x) == 1 else np.reshape(x, (-1,))


@implements(np.linalg.outer)
def _linalg_outer(x1: Array, x2: Array, /) -> Array:
    if ndim_of(x1) != 1 or ndim_of(x2) != 1:
        raise ValueError(
            f"Input arrays must be one-dimensional, but they are x1.ndim={ndim_of(x1)}, x2.ndim={ndim_of(x2)}."
        )
    return np.outer(x1, x2)


@implements(np.vdot)
def _vdot(a: Array, b: Array, /) -> Array:
    a, b = _row(a), _row(b)
    return np.matmul(np.conj(a) if is_complex(a) else a, b)


@implements(np.tensordot)
def _tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """Move the summed axes together, multiply as matrices, and shape the result back, as NumPy does."""
    if isinstance(axes, int | numpy.integer):
        left, right = tuple(range(-axes, 0)), tuple(range(axes))
    else:
        left, right = (tuple(np.atleast_1d(np.asarray(x, int)).tolist()) for x in axes)
    left, right = normalize_axis_tuple(left, ndim_of(a)), normalize_axis_tuple(right, ndim_of(b))
    if [shape_of(a)[i] for i in left] != [shape_of(b)[i] for i in right]:
        raise ValueError("shape-mismatch for sum")
    rows = [i for i in range(ndim_of(a)) if i not in left]
    columns = [i for i in range(ndim_of(b)) if i not in right]
    shape = [shape_of(a)[i] for i in rows], [shape_of(b)[i] for i in columns]
    inner = int(np.prod([shape_of(a)[i] for i in left], dtype=int))
    sizes = int(np.prod(shape[0], dtype=int)), int(np.prod(shape[1], dtype=int))
    x = _as_matrix(a, (*rows, *left), (sizes[0], inner))
    y = _as_matrix(b, (*right, *columns), (inner, sizes[1]))
    found, whole = np.matmul(x, y), (*shape[0], *shape[1])
    return found if shape_of(found) == whole else np.reshape(found, whole)


def _as_matrix(a: Array, axes: tuple[int, ...], shape: tuple[int, int]) -> Array:
    a = as_array(a) if axes == tuple(range(len(axes))) else transpose(as_array(a), axes=axes)
    return a if shape_of(a) == shape else reshape(a, shape=shape, order="C", old=shape_of(a))


@implements(np.linalg.tensordot)
def _linalg_tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    return np.tensordot(x1, x2, axes)


@implements(np.linalg.matmul)
def _linalg_matmul(x1: Array, x2: Array, /) -> Array:
    return np.matmul(x1, x2)


@implements(np.kron)
def _kron(a: Array, b: Array) -> Array:
    ndim = max(ndim_of(a), ndim_of(b))
    left, right = ((1,) * (ndim - ndim_of(x)) + tuple(shape_of(x)) for x in (a, b))
    x = np.reshape(a, tuple([size for m in left for size in (m, 1)]))
    y = np.reshape(b, tuple([size for n in right for size in (1, n)]))
    return np.reshape(np.multiply(x, y), tuple([m * n for m, n in zip(left, right, strict=True)]))

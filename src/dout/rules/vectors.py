"""Rules of the products of vectors: cross, vecdot, matvec, vecmat; and along which axes ufuncs on vectors and matrices run."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index

from ..graph import Primitive, ndim_of, shape_of
from .registry import implements, primitive
from .ties import conj, transposed

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _column(x: Array) -> Array:
    return x[..., None]


def _row(x: Array) -> Array:
    return x[..., None, :]


def _of_three(a: Array, b: Array) -> Array:
    """np.cross of plain arrays of vectors of three, as NumPy computes it, without its detours."""
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        part = out[..., i]
        np.multiply(a[..., j], b[..., k], out=part)
        part -= a[..., k] * b[..., j]
    return out


#: g . (da x b) = da . (b x g), and g . (a x db) = db . (g x a).
cross: Primitive = primitive(
    "cross",
    lambda a, b: _of_three(a, b),
    lambda dout, _out, _a, b: cross(b, dout),
    lambda dout, _out, a, _b: cross(dout, a),
)
#: The first vector is conjugated, also in vecmat.
vecdot = primitive(
    "vecdot",
    lambda x, y: np.vecdot(x, y),
    lambda dout, _out, _x, y: conj(_column(dout) * y),
    lambda dout, _out, x, _y: _column(dout) * conj(x),
)
matvec = primitive(
    "matvec",
    lambda a, x: np.matvec(a, x),
    lambda dout, _out, _a, x: _column(dout) * _row(x),
    lambda dout, _out, a, _x: np.matvec(transposed(a), dout),
)
vecmat = primitive(
    "vecmat",
    lambda x, a: np.vecmat(x, a),
    lambda dout, _out, _x, a: conj(np.matvec(a, dout)),
    lambda dout, _out, x, _a: _column(conj(x)) * _row(dout),
)

implements(np.vecdot)(lambda x1, x2, /: vecdot(x1, x2))
if hasattr(np, "matvec"):  # from NumPy 2.2 on
    implements(np.matvec)(lambda x1, x2, /: matvec(x1, x2))
    implements(np.vecmat)(lambda x1, x2, /: vecmat(x1, x2))
implements(np.linalg.vecdot)(lambda x1, x2, /, *, axis=-1: np.vecdot(x1, x2, axis=axis))


@implements(np.cross)
def _cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    if axis is not None:
        axisa, axisb, axisc = axis, axis, axis
    if ndim_of(a) < 1 or ndim_of(b) < 1:
        raise ValueError("At least one array has zero dimension")
    a = _to_the_end(a, normalize_axis_index(axisa, ndim_of(a), "axisa"))
    b = _to_the_end(b, normalize_axis_index(axisb, ndim_of(b), "axisb"))
    sizes = shape_of(a)[-1], shape_of(b)[-1]
    if not {*sizes} <= {2, 3}:
        raise ValueError("incompatible dimensions for cross product\n(dimension must be 2 or 3)")
    if 2 in sizes:
        warnings.warn(
            "Arrays of 2-dimensional vectors are deprecated. Use arrays of 3-dimensional vectors instead. "
            "(deprecated in NumPy 2.0)", DeprecationWarning, stacklevel=4,
        )  # fmt: skip
        if sizes == (2, 2):
            return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
        a, b = (np.concatenate([x, x[..., :1] * 0], -1) if n == 2 else x for x, n in zip((a, b), sizes, strict=True))
    result = cross(a, b)
    return result if axisc == -1 else np.moveaxis(result, -1, axisc)


def _to_the_end(x: Array, axis: int) -> Array:
    return x if axis == ndim_of(x) - 1 else np.moveaxis(x, axis, -1)


@implements(np.linalg.cross)
def _linalg_cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    sizes = shape_of(x1)[axis], shape_of(x2)[axis]
    if sizes != (3, 3):
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, "
            f"but they are {sizes[0]} and {sizes[1]} dimensional instead."
        )
    return np.cross(x1, x2, axis=axis)


def along_axes(ufunc: Any, inputs: tuple[Array, ...], options: dict[str, Any]) -> Array:
    """A ufunc on vectors or matrices, which stand in the axes that `axis` or `axes` name, with `keepdims`."""
    axis, axes, keepdims = (options.pop(name, None) for name in ("axis", "axes", "keepdims"))
    cores = [len(core.split(",")) if core else 0 for core in re.findall(r"\((.*?)\)", ufunc.signature)]
    if ufunc is np.matmul:
        cores = [min(core, ndim_of(x)) for core, x in zip(cores, inputs, strict=False)]
        cores.append(sum(cores) - 2)
    inner = cores[0] if keepdims else 0
    if keepdims and cores[-1]:
        raise TypeError(f"{ufunc.__name__} does not support keepdims: its signature {ufunc.signature} has output axes")
    cores[-1] = cores[-1] or inner
    if axis is not None:
        if axes is not None or {*cores} - {0, 1} or "," in ufunc.signature.replace("),(", ""):
            raise TypeError(
                f"{ufunc.__name__}: axis= is for one axis that all share; its signature is {ufunc.signature}: use axes="
            )
        axes = [(axis,) if core else () for core in cores]
    elif axes is None:
        axes = [tuple(range(-core, 0)) for core in cores]
    axes = [entry if isinstance(entry, tuple) else (entry,) for entry in axes]
    if len(axes) == len(inputs) and not cores[-1]:
        axes.append(())
    if [len(entry) for entry in axes] != cores:
        raise ValueError(f"{ufunc.__name__}: axes= needs one entry for each input and output, with {cores} axes")
    moved = [np.moveaxis(x, entry, range(-len(entry), 0)) for x, entry in zip(inputs, axes, strict=False)]
    result = ufunc(*moved)
    if inner:
        result = np.expand_dims(result, -1)
    return np.moveaxis(result, range(-cores[-1], 0), axes[-1]) if axes[-1] else result

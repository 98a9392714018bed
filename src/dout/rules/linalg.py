"""Rules of linear algebra: inv, solve, det, slogdet, cholesky, norm.

Formulas: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008); for Cholesky, I. Murray, "Differentiation of the Cholesky decomposition" (2016), section 4.1. Matrices may be
stacked in leading axes, which broadcast; the walk sums those back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import PICK as pick
from ..graph import ndim_of, plain, shape_of
from .registry import implements, primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _mT(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _d_solve(dout: Array, out: Array, a: Array, _b: Array) -> tuple[Array, Array]:
    db = np.linalg.solve(_mT(a), dout)
    return -np.matmul(db, _mT(out)), db


def _cofactors(a: Array) -> Array:
    """The signed determinant of what is left without each row and column: right for singular matrices too."""
    n = shape_of(a)[-1]
    keep = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, n - 1)
    signs = (-1.0) ** np.arange(n)
    rows = [
        np.linalg.det(a[..., keep[i][:, None], keep[:, None, :]]) * (signs[i] * signs)  # every minor of row i
        for i in range(n)
    ]
    return np.stack(rows, axis=-2)


def _invertible(a: Array) -> bool:
    """Whether each matrix is so far from a singular one that products with its inverse keep half of their digits."""
    return a.size == 0 or bool(np.all(np.linalg.cond(a, 1) < np.finfo(a.dtype).eps ** -0.5))


def _d_det(dout: Array, out: Array, a: Array) -> Array:
    if _invertible(plain(a)):
        return np.expand_dims(dout * out, (-1, -2)) * _mT(np.linalg.inv(a))
    return np.expand_dims(dout, (-1, -2)) * _cofactors(a)


def _d_slogdet(douts: list[Array], outs: Array, a: Array) -> tuple[Array]:
    """d log|det a| is the inverse transposed; a complex sign turns by the imaginary part of d log det a."""
    d = np.expand_dims(douts[1], (-1, -2)) + 0
    if np.iscomplexobj(a):
        d = d + np.expand_dims(np.real(douts[0] * 1j * outs[0]), (-1, -2)) * -1j
    return (d * _mT(np.linalg.inv(a)),)


def _d_cholesky(dout: Array, out: Array, _a: Array, upper: bool) -> Array:
    """The derivative for a symmetric argument, shared evenly by the two triangles."""
    if upper:
        dout, out = np.conj(_mT(dout)), np.conj(_mT(out))
    n = shape_of(out)[-1]
    lower, dlower = np.conj(out), dout  # JAX's convention is unconjugated, Murray's formula is for the conjugate
    inner = np.tril(np.matmul(_mT(out), dlower)) * (1.0 - 0.5 * np.eye(n))
    left = np.linalg.solve(_mT(out), inner)
    full = np.matmul(left, np.linalg.inv(lower))
    return (full + np.conj(_mT(full))) * 0.5


def _d_length(dout: Array, out: Array, x: Array, axes: tuple[int, ...] | None) -> Array:
    """x / |x|, and 0 where |x| is 0."""
    return dout * np.conj(x) / np.where(out == 0, np.inf, out)


inv = primitive("inv", np.linalg.inv, lambda dout, out, _a: -np.matmul(_mT(out), np.matmul(dout, _mT(out))))
solve = primitive("solve", np.linalg.solve, joint=_d_solve)
det = primitive("det", np.linalg.det, _d_det)
slogdet = primitive("slogdet", lambda a: tuple(np.linalg.slogdet(a)), joint=_d_slogdet)
cholesky = primitive("cholesky", lambda a, upper: np.linalg.cholesky(a, upper=upper), _d_cholesky)
length = primitive("norm", lambda x, axes: np.linalg.norm(x, axis=axes, keepdims=True), _d_length)


class SlogdetResult(NamedTuple):
    """As NumPy's result, with these names."""

    sign: Array
    logabsdet: Array


implements(np.linalg.inv)(lambda a: inv(a))
implements(np.linalg.det)(lambda a: det(a))


@implements(np.linalg.slogdet)
def _slogdet(a: Array) -> SlogdetResult:
    both = slogdet(a)
    sign = pick(both, i=0)
    return SlogdetResult(sign if np.iscomplexobj(a) else plain(sign), pick(both, i=1))


@implements(np.linalg.solve)
def _solve(a: Array, b: Array) -> Array:
    if ndim_of(b) == 1:
        return np.squeeze(solve(a, np.expand_dims(b, -1)), -1)
    return solve(a, b)


@implements(np.linalg.cholesky)
def _cholesky(a: Array, /, *, upper: bool = False) -> Array:
    """NumPy reads one triangle; the derivative is that of a symmetric (Hermitian) argument, shared by both."""
    return cholesky(a, upper=upper)


@implements(np.linalg.norm)
def _norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    ndim = ndim_of(x)
    if axis is None and (ord is None or (ndim == 1 and ord == 2) or (ndim == 2 and ord in ("fro", "f"))):
        return _narrow(length(x, axes=None), tuple(range(ndim)), keepdims)
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _narrow(_matrix_norm(x, ord, axes), axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def _narrow(found: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Drop the axes, which have length 1; a single number is NumPy's scalar."""
    if keepdims:
        return found
    return found[(0,) * len(axes)] if len(axes) == ndim_of(found) else np.squeeze(found, axes)


def _vector_norm(x: Array, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Array:
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    if ord is None or ord == 2:
        return _narrow(length(x, axes=axes), axes, keepdims)
    sizes = np.abs(x)
    if ord == np.inf:
        return _narrow(np.max(sizes, axes, keepdims=True), axes, keepdims)
    if ord == -np.inf:
        return _narrow(np.min(sizes, axes, keepdims=True), axes, keepdims)
    if ord == 0:
        return _narrow(np.sum((sizes != 0).astype(sizes.dtype), axes, keepdims=True), axes, keepdims)
    if ord == 1:
        return _narrow(np.sum(sizes, axes, keepdims=True), axes, keepdims)
    summed = _narrow(np.sum(sizes ** float(ord), axes, keepdims=True), axes, keepdims)
    nonzero = plain(summed) != 0
    root = np.where(nonzero, summed, 1)[()] ** (1 / ord)
    return np.where(nonzero, root, plain(summed) ** (1 / ord))[()]


def _matrix_norm(x: Array, ord: Any, axes: tuple[int, ...]) -> Array:
    if ord is None or ord in ("fro", "f"):
        return length(x, axes=axes)
    if ord in (2, -2, "nuc"):
        raise NotImplementedError(
            f"np.linalg.norm: ord={ord!r} of a matrix needs singular values, which have no derivative in dout yet; "
            "'fro', 1, -1, inf and -inf do"
        )
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError(f"Invalid norm order {ord!r} for matrices.")
    along, across = axes if abs(ord) == 1 else axes[::-1]
    sums = np.sum(np.abs(x), along, keepdims=True)
    return (np.max if ord > 0 else np.min)(sums, across, keepdims=True)

"""Rules of linear algebra: inv, solve, det, slogdet, cholesky.

Formulas: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008); for Cholesky, I. Murray, "Differentiation of the Cholesky decomposition" (2016), section 4.1. Matrices may be
stacked in leading axes, which broadcast; the walk sums those back.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from ..graph import PICK as pick
from ..graph import ndim_of, plain, shape_of
from . import ties
from .registry import implements, primitive
from .ties import transposed, warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _d_solve(dout: Array, out: Array, a: Array, _b: Array) -> tuple[Array, Array]:
    db = np.linalg.solve(transposed(a), dout)
    return -np.matmul(db, transposed(out)), db


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
    return a.size == 0 or bool(np.all(np.linalg.cond(a, 1) < _limit(a)))


def _limit(a: Array) -> float:
    return float(np.finfo(a.dtype).eps ** -0.5)


def _d_det(dout: Array, out: Array, a: Array) -> Array:
    inverse = ties.inverses(a, _limit(a))
    if inverse is not None:
        return np.expand_dims(dout * out, (-1, -2)) * transposed(inverse)
    if _invertible(plain(a)):
        return np.expand_dims(dout * out, (-1, -2)) * transposed(np.linalg.inv(a))
    return np.expand_dims(dout, (-1, -2)) * _cofactors(a)


def _d_slogdet(douts: list[Array], outs: Array, a: Array) -> tuple[Array]:
    """d log|det a| is the inverse transposed; a complex sign turns by the imaginary part of d log det a."""
    d = np.expand_dims(douts[1], (-1, -2)) + 0
    if np.iscomplexobj(a):
        d = d + np.expand_dims(np.real(douts[0] * 1j * outs[0]), (-1, -2)) * -1j
    inverse = ties.inverses(a, 1 / float(np.finfo(a.dtype).eps))
    if inverse is not None:
        return (d * transposed(inverse),)
    regular = ties.invertible(plain(a), 1 / float(np.finfo(plain(a).dtype).eps))
    good = regular | (np.squeeze(plain(d), (-1, -2)) == 0)
    if not np.all(good):
        warn("slogdet", "the matrix is singular, as far as rounding can tell, and the derivative is NaN")
    return (ties.spoiled(d * transposed(np.linalg.inv(ties.without(a, regular))), good),)


def _d_cholesky(dout: Array, out: Array, _a: Array, upper: bool) -> Array:
    """The derivative for a symmetric argument, shared evenly by the two triangles."""
    if upper:
        dout, out = np.conj(transposed(dout)), np.conj(transposed(out))
    n = shape_of(out)[-1]
    lower, dlower = np.conj(out), dout  # JAX's convention is unconjugated, Murray's formula is for the conjugate
    inner = np.tril(np.matmul(transposed(out), dlower)) * (1.0 - 0.5 * np.eye(n))
    left = np.linalg.solve(transposed(out), inner)
    full = np.matmul(left, np.linalg.inv(lower))
    return (full + np.conj(transposed(full))) * 0.5


inv = primitive(
    "inv", np.linalg.inv, lambda dout, out, _a: -np.matmul(transposed(out), np.matmul(dout, transposed(out)))
)
solve = primitive("solve", np.linalg.solve, joint=_d_solve)
det = primitive("det", np.linalg.det, _d_det)
slogdet = primitive("slogdet", lambda a: tuple(np.linalg.slogdet(a)), joint=_d_slogdet)
cholesky = primitive("cholesky", lambda a, upper: np.linalg.cholesky(a, upper=upper), _d_cholesky)


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


@implements(np.linalg.matrix_power)
def _matrix_power(a: Array, n: int) -> Array:
    """By repeated squaring, in NumPy's order."""
    np.linalg.matrix_power(plain(a)[..., :0, :0] if _is_square(a) else plain(a), n)  # raises what NumPy raises
    n = operator.index(n)
    if n == 0:
        return np.zeros_like(a) + np.eye(shape_of(a)[-1], dtype=a.dtype)
    a, n = (np.linalg.inv(a), -n) if n < 0 else (a, n)
    if n == 3:
        return np.matmul(np.matmul(a, a), a)
    power = result = None
    while n:
        power = a if power is None else np.matmul(power, power)
        n, bit = divmod(n, 2)
        if bit:
            result = power if result is None else np.matmul(result, power)
    return result


def _is_square(a: Array) -> bool:
    return ndim_of(a) > 1 and shape_of(a)[-1] == shape_of(a)[-2]


@implements(np.linalg.multi_dot)
def _multi_dot(arrays: Sequence[Array]) -> Array:
    """In the order that takes the fewest multiplications."""
    arrays = list(arrays)
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    if len(arrays) == 2:
        return np.dot(arrays[0], arrays[1])
    ends = ndim_of(arrays[0]), ndim_of(arrays[-1])
    if ends[0] == 1:
        arrays[0] = np.expand_dims(arrays[0], 0)
    if ends[1] == 1:
        arrays[-1] = np.expand_dims(arrays[-1], 1)
    for a in arrays:
        if ndim_of(a) != 2:
            raise np.linalg.LinAlgError(f"{ndim_of(a)}-dimensional array given. Array must be two-dimensional")
    result = _chain(arrays, _best_cuts([shape_of(arrays[0])[0], *(shape_of(a)[1] for a in arrays)]), 0, len(arrays) - 1)
    if 1 not in ends:
        return result
    return result[0, 0] if ends == (1, 1) else np.ravel(result)


def _best_cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """After which matrix to cut each part of a chain (T. Cormen et al., Introduction to Algorithms, 15.2)."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    cuts = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            prices = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            cuts[i, j] = min(prices, key=lambda k: prices[k])  # the first of equal ones, as NumPy does
            cost[i, j] = prices[cuts[i, j]]
    return cuts


def _chain(arrays: Sequence[Array], cuts: dict[tuple[int, int], int], i: int, j: int) -> Array:
    if i == j:
        return arrays[i]
    return np.dot(_chain(arrays, cuts, i, cuts[i, j]), _chain(arrays, cuts, cuts[i, j] + 1, j))


@implements(np.linalg.tensorinv)
def _tensorinv(a: Array, ind: int = 2) -> Array:
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = shape_of(a)
    rows = int(np.prod(shape[ind:], dtype=int))
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), (*shape[ind:], *shape[:ind]))


@implements(np.linalg.tensorsolve)
def _tensorsolve(a: Array, b: Array, axes: Any = None) -> Array:
    if axes is not None:
        order = list(range(ndim_of(a)))
        for axis in axes:
            order.remove(axis)
            order.insert(ndim_of(a), axis)
        a = np.transpose(a, order)
    shape = shape_of(a)[-(ndim_of(a) - ndim_of(b)) :]
    n = int(np.prod(shape, dtype=int))
    if np.size(a) != n**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    return np.reshape(np.linalg.solve(np.reshape(a, (n, n)), np.ravel(b)), shape)


@implements(np.linalg.trace)
def _linalg_trace(x: Array, /, *, offset: int = 0, dtype: Any = None) -> Array:
    return np.trace(x, offset, -2, -1, dtype)

"""Rules of pinv and lstsq.

The derivative of a pseudoinverse is that of G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear
least squares problems whose variables separate" (1973): dP = -P dA P + P P^H dA^H (I - A P) + (I - P A) dA^H P^H P. It holds
along matrices of the same rank. Where the rank is not full, the pseudoinverse jumps as soon as the rank changes, so the
derivative is right only for changes that keep the rank, such as those of B C when B and C change; a warning says so.

Where rcond cuts off singular values that aren't 0, that formula leaves their part out. Then the derivative is that of
f(A) = U f(S) V^H with f(s) = 1/s or 0 (V. Noferini, "A formula for the Frechet derivative of a generalized matrix function",
2017), in which singular values that repeat are no obstacle.
"""

from __future__ import annotations

from typing import Any

import numpy

from ..graph import PICK as pick
from ..graph import ndim_of, plain, shape_of
from .registry import implements, primitive
from .singular_values import svdvals_pullback, thin_svd, through_values
from .ties import absent, adjoint, conj, warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

_RANK = (
    "the matrix has not full rank; the derivative holds for changes that keep the rank, and for others there is none, because "
    "the result jumps"
)


def _from_triangle(a: Array) -> Array:
    """The Hermitian matrix of which NumPy reads the lower triangle."""
    below = np.tril(a, -1)
    return below + adjoint(below) + np.real(a) * np.eye(shape_of(a)[-1])


def _pulled(name: str, g: Array, p: Array, a: Array, rcond: Any) -> Array:
    """The gradient for A from that for its pseudoinverse P."""
    m, n = shape_of(a)[-2:]
    back = adjoint(p)
    found = -np.matmul(np.matmul(back, g), back)
    if not np.size(a):
        return found
    values = np.asarray(plain(a))
    rank = np.round(np.real(np.sum(plain(p) * np.swapaxes(values, -1, -2), (-2, -1))))  # the trace of P A
    deficient = bool(np.any(rank < min(m, n)))
    if deficient:
        s = np.linalg.svd(values, compute_uv=False)
        kept = s > np.asarray(rcond)[..., None] * s[..., :1]
        if np.any(~kept & (s > max(m, n) * np.finfo(s.dtype).eps * s[..., :1])):
            return _cut_off(g, a, kept)
        warn(name, _RANK)
    if m > n or deficient:
        outside = adjoint(g) - np.matmul(a, np.matmul(p, adjoint(g)))
        found = found + np.matmul(np.matmul(outside, p), back)
    if n > m or deficient:
        outside = adjoint(g) - np.matmul(np.matmul(adjoint(g), p), a)
        found = found + np.matmul(back, np.matmul(p, outside))
    return found


def _cut_off(g: Array, a: Array, kept: Any) -> Array:
    """The gradient for A from that for the pseudoinverse of its larger singular values."""
    u, s, vh = thin_svd(a)
    f = np.where(kept, 1 / np.where(kept, s, 1), 0)
    fi, fj, si, sj = f[..., :, None], f[..., None, :], s[..., :, None], s[..., None, :]
    mixed = kept[..., :, None] != kept[..., None, :]
    plus = np.where(mixed, (fi - fj) / np.where(mixed, si - sj, 1), -fi * fj)
    minus = np.where(mixed, (fi + fj) / np.where(mixed, si + sj, 1), fi * fj)
    return through_values(adjoint(g), u, vh, plus, minus, f * f)


def _d_pinv(dout: Array, out: Array, a: Array, rcond: Any, hermitian: bool) -> Array:
    if not hermitian:
        return conj(_pulled("pinv", conj(dout), out, a, rcond))
    found = conj(_pulled("pinv", conj(dout), out, _from_triangle(a), rcond))
    return (found + adjoint(found)) * 0.5


def _d_lstsq(douts: list[Array], outs: Any, a: Array, b: Array, rcond: float) -> tuple[Array, Array]:
    """x is P b, where P is the pseudoinverse; the residuals are |b - A x|**2, and a change of x doesn't change them."""
    x, residuals, rank, s = outs
    da, db = _d_solution(conj(douts[0]), x, a, b, int(plain(rank)), rcond)
    if np.size(residuals):
        apart = (b - np.matmul(a, x)) * (2 * douts[1][None, :])
        da, db = da - np.matmul(apart, adjoint(x)), db + apart
    da = conj(da)
    if not absent(douts[3]):
        da = da + svdvals_pullback("lstsq", douts[3], s, a, quiet=False)
    return da, conj(db)


def _d_solution(g: Array, x: Array, a: Array, b: Array, rank: int, rcond: float) -> tuple[Array, Array]:
    """The gradients for A and b from that for x. Of full rank, by A = Q R, or A^H = Q R, with P = R^-1 Q^H or Q R^-H."""
    m, n = shape_of(a)[-2:]
    if rank < min(m, n) or not rank:
        p = np.linalg.pinv(a, rcond)
        return _pulled("lstsq", np.matmul(g, adjoint(b)), p, a, rcond), np.matmul(adjoint(p), g)
    if m >= n:
        q, r = np.linalg.qr(a)
        once = np.linalg.solve(adjoint(r), g)
        db = np.matmul(q, once)
        da = -np.matmul(db, adjoint(x))
        return (da + np.matmul(b - np.matmul(a, x), adjoint(np.linalg.solve(r, once))) if m > n else da), db
    q, r = np.linalg.qr(adjoint(a))
    along = np.matmul(adjoint(q), g)
    db, back = np.linalg.solve(r, along), np.linalg.solve(r, np.matmul(adjoint(q), x))
    return np.matmul(back, adjoint(g - np.matmul(q, along))) - np.matmul(db, adjoint(x)), db


pinv = primitive("pinv", lambda a, rcond, hermitian: np.linalg.pinv(a, rcond, hermitian), _d_pinv)
lstsq = primitive("lstsq", lambda a, b, rcond: tuple(np.linalg.lstsq(a, b, rcond)), joint=_d_lstsq)


@implements(np.linalg.pinv)
def _pinv(a: Array, rcond: Any = None, hermitian: bool = False, **options: Any) -> Array:
    if options and rcond is not None:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    if options:
        (rcond,) = options.values()
        rcond = max(shape_of(a)[-2:]) * float(np.finfo(a.dtype).eps) if rcond is None else rcond
    elif rcond is None:
        rcond = 1e-15
    return pinv(a, rcond=plain(rcond), hermitian=bool(hermitian))


@implements(np.linalg.lstsq)
def _lstsq(a: Array, b: Array, rcond: float | None = None) -> tuple[Array, Array, int, Array]:
    column = ndim_of(b) == 1
    if rcond is None:
        rcond = float(np.finfo(float).eps) * max(shape_of(a)[-2:])
    parts = lstsq(a, np.expand_dims(b, -1) if column else b, rcond=rcond)
    x = pick(parts, i=0)
    return np.squeeze(x, -1) if column else x, pick(parts, i=1), plain(pick(parts, i=2)), pick(parts, i=3)

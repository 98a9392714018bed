"""Rules of the singular value decomposition: svd, svdvals.

With A = U S V^H and P = U^H dA V, dU = U O_U and dV = V O_V (and, of a matrix that isn't square, a part outside U or V), where
off the diagonal O_U + O_V = (P + P^H) / (s_j - s_i) and, on it too, O_U - O_V = (P - P^H) / (s_i + s_j). These are the
formulas of J. Townsend, "Differentiating the singular value decomposition" (2016), in partial fractions; with the complex
diagonal they are those of Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex valued SVD" (2019). The phases of
complex vectors are chosen by LAPACK so that the first row of V is real, or of U where the matrix has more columns than rows.

With full_matrices the vectors that belong to no singular value are any basis of the space that is left. They have a
derivative where the result depends on that space only: they turn out of it, and not within it. Otherwise it is NaN.

A singular value that is 0 is a kink, as abs is at 0, and its derivative is taken as 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from ..graph import PICK as pick
from ..graph import plain, shape_of
from . import ties
from .phases import with_real_row
from .registry import flat, implements, primitive
from .ties import adjoint, conj, diagonal_matrix, transposed, warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

_ZERO = (
    "a singular value is 0, as far as rounding can tell, so the vectors that belong to it, of which the result is made, have "
    "no derivative: it is NaN"
)
_ZERO_VALUE = "a singular value is 0, as far as rounding can tell; as that of abs at 0, its derivative is taken as 0"
_BASIS = (
    "with full_matrices, the vectors that belong to no singular value are any basis of the space that is left, and the "
    "result depends on which: the derivative is NaN; use full_matrices=False"
)


class _Spread:
    """How the values s of matrices lie, of which n is the larger side.

    Attributes:
        s: the values.
        same: which pairs repeat; None if none do.
        zero: which are no more than rounding; None if none are.
    """

    def __init__(self, s: Any, n: int) -> None:
        self.s = s
        self.same = ties.repeats(s, n)
        zero = ~(s > ties.rounding(s, n))
        self.zero = zero if np.any(zero) else None


def _of_values(name: str, ds: Array, s: Array, spread: _Spread, quiet: bool) -> Array:
    """The derivatives of the singular values: shared by those that repeat, none for zeros."""
    same, zero = spread.same, spread.zero
    if not quiet:
        if ties.differ(ds, same if zero is None or same is None else same & ~zero[..., None]):
            warn(name, ties.SHARE)
        if zero is not None and np.any(zero & (plain(ds) != 0)):
            warn(name, _ZERO_VALUE)
    if zero is not None:
        ds = np.where(zero & ~np.isnan(plain(ds)), 0, ds)
        if not quiet and ties.is_variable(ds) and ties.is_variable(s):
            ds = ds + kink(s, zero=zero)
    return ties.shared(ds, same, spread.s)


def _d_svd(douts: list[Array], outs: Any, a: Array, full: bool, inner: bool) -> tuple[Array]:
    (du, ds, dvh), (u, s, vh) = douts, outs
    v, k, spread = adjoint(vh), shape_of(s)[-1], _Spread(plain(s), max(shape_of(a)[-2:]))
    u1, v1 = u[..., :k], v[..., :k]
    values = _of_values("svd", ds, s, spread, quiet=False)
    if not k or (ties.absent(du) and ties.absent(dvh)):
        return (_from_spaces(values, u1, vh[..., :k, :], a),)
    gu, gv = conj(du), transposed(dvh)
    gu1, gv1 = gu[..., :k], gv[..., :k]
    if shape_of(u)[-2] < shape_of(v)[-2]:
        gu1, known = with_real_row("svd", gu1, u1, 0, (gv1, v1))
    else:
        gv1, known = with_real_row("svd", gv1, v1, 0, (gu1, u1))
    idle = None
    if spread.same is not None or spread.zero is not None:
        idle = ties.idle(np.concatenate([plain(gu1), plain(gv1)], -2), plain(ds), inner)
    turned, fixed = _turned(np.matmul(adjoint(u1), gu1), np.matmul(adjoint(v1), gv1), ds, s, spread, idle)
    known = known & fixed
    g = np.matmul(np.matmul(u1, diagonal_matrix(values) + turned), adjoint(v1))
    for this, g1, gs, other, lay in ((u, gu1, gu, v1, False), (v, gv1, gv, u1, True)):
        if shape_of(this)[-2] > k:
            out, fixed = _outside(this, g1, gs, s, spread, idle)
            known = known & fixed
            g = g + (np.matmul(other, adjoint(out)) if lay else np.matmul(out, adjoint(other)))
    return (ties.spoiled(conj(g), known),)


def _turned(xu: Array, xv: Array, ds: Array, s: Array, spread: _Spread, idle: Any) -> tuple[Array, Any]:
    """What the vectors' turning into each other adds, from U^H g_U and V^H g_V; and for which matrices it is known."""
    gap, total = s[..., None, :] - s[..., :, None], s[..., None, :] + s[..., :, None]
    known: Any = True
    nothing = np.eye(shape_of(s)[-1], dtype=bool)
    none: Any = False
    if idle is not None:
        zero = np.zeros(shape_of(s), bool) if spread.zero is None else spread.zero
        same = nothing if spread.same is None else spread.same
        lost = ties.unknown(plain(gap), same, *idle)
        lost = lost | (_lost_zeros(plain(xu), plain(xv), plain(ds), plain(s), zero, *idle)[..., None] & nothing)
        if np.any(lost & ~zero[..., None]):
            warn("svd", ties.REPEAT)
        if np.any(lost & zero[..., None]):
            warn("svd", _ZERO)
        nothing, none = nothing | lost, lost | (zero[..., None] & zero[..., None, :])
        known = ~np.any(lost, (-2, -1))
    sums, change = xu + xv, xu - xv
    apart, total = ties.reciprocal(gap, nothing), ties.reciprocal(total, none)
    return 0.5 * (apart * (sums - adjoint(sums)) + total * (change - adjoint(change))), known


def _lost_zeros(xu: Any, xv: Any, ds: Any, s: Any, zero: Any, still: Any, unused: Any) -> Any:
    """At which zeros the derivative can't be told. As a value passes 0, it or one of its vectors turns round.

    So the derivative is lost where two of these three are used. It is also lost where the vectors' derivatives are exactly 0
    beside a value that is exactly 0, as they are in U S V^H, in which they are multiplied by it.
    """
    used = np.any(xu, -2).astype(int) + np.any(xv, -2) + (ds != 0)
    return zero & ((used > 1) | (still & ~unused & (s == 0)))


def _outside(u: Array, g1: Array, g: Array, s: Array, spread: _Spread, idle: Any) -> tuple[Array, Any]:
    """What the vectors' turning out of their space adds, before it is multiplied by the other side's vectors."""
    k, size = shape_of(s)[-1], plain(s)
    u1, used = u[..., :k], np.zeros((*size.shape[:-1], 1), bool)
    out = g1 - np.matmul(u1, np.matmul(adjoint(u1), g1))
    known: Any = True
    if shape_of(u)[-1] > k:
        rest, g2 = u[..., k:], g[..., k:]
        out = out - np.matmul(rest, np.matmul(adjoint(g2), u1))
        within = plain(np.matmul(adjoint(rest), g2))
        scale = np.sqrt(np.sum(np.abs(plain(g2)) ** 2, (-2, -1), keepdims=True))
        known = ~np.any(np.abs(within - adjoint(within)) > np.finfo(size.dtype).eps ** 0.5 * scale, (-2, -1))
        if not np.all(known):
            warn("svd", _BASIS)
        used = np.any(plain(g2), (-2, -1))[..., None]
    if spread.zero is None:
        return out / s[..., None, :], known
    still, unused = (x & ~used for x in idle)
    lost = spread.zero & ~unused & ~(still & (size != 0))
    if np.any(lost):
        warn("svd", _ZERO)
    return out * ties.reciprocal(s, lost)[..., None, :], known & ~np.any(lost, -1)


def _d_kink(dout: Array, zero: Any) -> Array:
    lost = zero & (plain(dout) != 0)
    if np.any(lost):
        warn("svdvals", "a singular value is 0, as far as rounding can tell, and has no second derivative: it is NaN")
    return dout * np.where(lost, np.nan, 0)


def svdvals_pullback(name: str, ds: Array, s: Array, a: Array, quiet: bool) -> Array:
    """The derivative of singular values alone."""
    return _from_spaces(_of_values(name, ds, s, _Spread(plain(s), max(shape_of(a)[-2:])), quiet), None, None, a)


def _from_spaces(ds: Array, u: Array, vh: Array, a: Array) -> Array:
    """U diag(ds) V^H. Where it is to be differentiated and ds is constant, it is made of spaces, not of vectors."""
    if isinstance(ds, np.ndarray) and ties.is_variable(a):
        return singular_spaces(a, d=ds)
    if u is None:
        u, _, vh = thin_svd(a)
    return conj(np.matmul(u * ds[..., None, :], vh))


def _d_singular_spaces(dout: Array, a: Array, d: Any) -> Array:
    """The derivative of U diag(d) V^H, where values that repeat share their d, and those that are 0 have none."""
    u, s, vh = thin_svd(a)
    spread = _Spread(plain(s), max(shape_of(a)[-2:]))
    same = np.eye(shape_of(s)[-1], dtype=bool) if spread.same is None else spread.same
    zero = np.zeros(shape_of(s), bool) if spread.zero is None else spread.zero
    di, dj, si, sj = d[..., :, None], d[..., None, :], s[..., :, None], s[..., None, :]
    plus = np.where(same, 0, di - dj) / np.where(same, 1, si - sj)
    minus = (di + dj) / np.where(zero[..., :, None] & zero[..., None, :], 1, si + sj)
    return conj(through_values(dout, u, vh, plus, minus, d / np.where(zero, 1, s)))


def thin_svd(a: Array) -> tuple[Array, Array, Array]:
    """For pullbacks: what of it they don't use isn't for that reason no part of the function."""
    parts = svd(a, full=False, inner=True)
    return pick(parts, i=0), pick(parts, i=1), pick(parts, i=2)


def through_values(g: Array, u: Array, vh: Array, plus: Array, minus: Array, ratio: Array) -> Array:
    """The gradient for A = U diag(s) V^H from that for U diag(f) V^H, where f is a function of s.

    Args:
        g: the gradient.
        u: the left-hand vectors.
        vh: the right-hand vectors.
        plus: (f_i - f_j) / (s_i - s_j), and the slope of f for i = j.
        minus: (f_i + f_j) / (s_i + s_j).
        ratio: f / s, for what is outside the space of the vectors.
    """
    v, ratio = adjoint(vh), ratio[..., None, :]
    x = np.matmul(adjoint(u), np.matmul(g, v))
    inner = (plus * (x + adjoint(x)) + minus * (x - adjoint(x))) * 0.5
    left = (np.matmul(g, v) - np.matmul(u, x)) * ratio
    right = (np.matmul(adjoint(g), u) - np.matmul(v, adjoint(x))) * ratio
    return np.matmul(np.matmul(u, inner) + left, vh) + np.matmul(u, adjoint(right))


#: 0, by which the derivatives of singular values that are 0 depend on these: by a slope that can't be told.
kink = primitive(
    "kink",
    lambda s, zero: np.zeros_like(s),
    lambda dout, _out, _s, zero: _d_kink(dout, zero),
)
#: The derivative of a sum of singular values times d.
singular_spaces = primitive(
    "singular_spaces",
    lambda a, d: _from_spaces(d, None, None, a),
    lambda dout, _out, a, d: _d_singular_spaces(dout, a, d),
)
svd = primitive("svd", lambda a, full, inner: tuple(np.linalg.svd(a, full)), joint=_d_svd)
#: `quiet`: the values are the terms of a norm, and where they repeat or are 0 nobody needs to be told.
svdvals = primitive("svdvals", lambda a, quiet: np.linalg.svd(a, compute_uv=False),
                    lambda dout, out, a, quiet: svdvals_pullback("svdvals", dout, out, a, quiet))  # fmt: skip


class SVDResult(NamedTuple):
    """As NumPy's result, with these names."""

    U: Array
    S: Array
    Vh: Array


@implements(np.linalg.svd)
def _svd(a: Array, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Array:
    if hermitian:
        return _svd_hermitian(a, compute_uv)
    if not compute_uv:
        return svdvals(a, quiet=False)
    parts = svd(a, full=bool(full_matrices), inner=False)
    return SVDResult(pick(parts, i=0), pick(parts, i=1), pick(parts, i=2))


def _svd_hermitian(a: Array, compute_uv: bool) -> Array:
    """From the eigenvalues, as NumPy does it: the greatest first, and their signs in the right-hand vectors."""
    if not compute_uv:
        return np.flip(np.sort(np.abs(np.linalg.eigvalsh(a))), -1)
    s, u = np.linalg.eigh(a)
    sign = np.copysign(1.0, plain(s))
    size = np.abs(s)
    order = np.flip(np.argsort(plain(size)), -1)
    sign, size = np.take_along_axis(sign, order, -1), np.take_along_axis(size, order, -1)
    u = np.take_along_axis(u, order[..., None, :], -1)
    return SVDResult(u, size, np.conj(transposed(u * sign[..., None, :])))


implements(np.linalg.svdvals)(lambda x, /: svdvals(x, quiet=False))
flat(np.linalg.matrix_rank)

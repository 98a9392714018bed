"""Rules of eigenvalues and eigenvectors: eigh, eigvalsh, eig, eigvals.

With A = V diag(w) V^-1 and P = V^-1 dA V, the eigenvalues move by diag(P) and the eigenvectors by V (F * P), where
F_ij = 1 / (w_j - w_i) off the diagonal and 0 on it (M. Giles, "Collected matrix derivative results for forward and reverse
mode algorithmic differentiation", 2008, section 3.1). That leaves open by which factor each eigenvector is multiplied.
LAPACK makes its length 1, and one of its components real: for eigh the first (from the lower triangle) or the
last (from the upper), for eig the largest. The derivative is that of the vectors with this choice, as JAX takes it for eig.
Where a function doesn't depend on the choice, it makes no difference.

As in JAX, the derivative of eigh is that for a symmetric (Hermitian) argument, shared evenly by the two triangles, although
NumPy reads only one. Pullbacks compute with the conjugate of `dout`, the gradient, as the literature does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from ..graph import PICK as pick
from ..graph import plain, shape_of
from . import ties
from .phases import with_length_and_phase, with_real_row
from .registry import implements, primitive
from .ties import adjoint, conj, diagonal_matrix, warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _hermitian(a: Array) -> Array:
    return (a + adjoint(a)) * 0.5


def _from_values(name: str, dw: Array, w: Array, same: Any, good: Any = None) -> Array:
    """The derivatives of the eigenvalues, shared by those that repeat; `good`: of which matrices to speak."""
    if ties.differ(dw, same if good is None or same is None else same & good[..., None, None]):
        warn(name, ties.SHARE)
    return ties.shared(dw, same, plain(w))


def _same(w: Array) -> Any:
    return ties.repeats(plain(w), shape_of(w)[-1])


def _d_eigh(douts: list[Array], outs: Any, a: Array, uplo: str, inner: bool) -> tuple[Array]:
    dw, dv = douts
    w, v = outs
    same = _same(w)
    shared = _from_values("eigh", dw, w, same)
    if ties.absent(dv):
        return (_from_eigenspaces(shared, v, a, uplo),)
    g, known = with_real_row("eigh", conj(dv), v, 0 if uplo == "L" else -1)
    turned, known = _turned("eigh", g, w, v, (dw, dv), same, known, inner)
    found = np.matmul(np.matmul(v, diagonal_matrix(shared) + turned), adjoint(v))
    return (ties.spoiled(conj(_hermitian(found)), known & ties.finite(a)),)


def _d_eigvalsh(dw: Array, out: Array, a: Array, uplo: str) -> Array:
    return _from_eigenspaces(_from_values("eigvalsh", dw, out, _same(out)), None, a, uplo)


def _from_eigenspaces(dw: Array, v: Array, a: Array, uplo: str) -> Array:
    """V diag(dw) V^H. Where it is to be differentiated and dw is constant, it is made of eigenspaces, not of vectors."""
    if isinstance(dw, np.ndarray) and ties.is_variable(a):
        return eigenspaces(a, d=dw, uplo=uplo)
    v = pick(eigh(a, uplo=uplo, inner=True), i=1) if v is None else v
    return ties.spoiled(conj(_hermitian(np.matmul(v * dw[..., None, :], adjoint(v)))), ties.finite(a))


def _d_eigenspaces(dout: Array, a: Array, d: Any, uplo: str) -> Array:
    """V (D * (V^H dA V)) V^H, with D_ij = (d_j - d_i) / (w_j - w_i), and 0 for eigenvalues that repeat, which share their d."""
    parts = eigh(a, uplo=uplo, inner=True)
    w, v = pick(parts, i=0), pick(parts, i=1)
    same = _same(w)
    same = np.eye(shape_of(w)[-1], dtype=bool) if same is None else same
    gap = np.where(same, 1, w[..., None, :] - w[..., :, None])
    slope = np.where(same, 0, d[..., None, :] - d[..., :, None]) / gap
    inner = slope * np.matmul(np.matmul(adjoint(v), _hermitian(dout)), v)
    return conj(_hermitian(np.matmul(np.matmul(v, inner), adjoint(v))))


def _turned(
    name: str, g: Array, w: Array, v: Array, douts: tuple[Array, Array], same: Any, known: Any, inner: bool
) -> tuple[Array, Any]:
    """F * (V^H g): what the eigenvectors' turning into each other adds to V^H dA V^-H; and for which matrices it is known."""
    gap = w[..., None, :] - w[..., :, None]
    nothing = np.eye(shape_of(w)[-1], dtype=bool)
    if same is not None:
        dw, dv = map(plain, douts)
        lost = ties.unknown(plain(gap), same, *ties.idle(dv, dw, inner))
        if np.any(lost):
            warn(name, ties.REPEAT)
            known = known & ~np.any(lost, (-2, -1))
            nothing = nothing | lost
    return np.matmul(adjoint(v), g) * conj(ties.reciprocal(gap, nothing)), known


def _d_eig(douts: list[Array], outs: Any, _a: Array, inner: bool) -> tuple[Array]:
    dw, dv = douts
    w, v = outs
    return (_d_general("eig", dw, dv, w, v, inner),)


def _d_eigvals(dw: Array, out: Array, a: Array) -> Array:
    parts = eig(a, inner=True)
    w, v = pick(parts, i=0), pick(parts, i=1)
    order = _matching(plain(out), plain(w))
    v = np.take_along_axis(v, order[..., None, :], -1)
    return _d_general("eigvals", dw, np.broadcast_to(0.0, shape_of(v)), out, v, True)


def _matching(wanted: Any, found: Any) -> Any:
    """For each eigenvalue, its place among the same ones found by another algorithm, which may order them otherwise."""
    if not wanted.size:
        return np.zeros(wanted.shape, int)
    order = np.argmin(np.abs(wanted[..., :, None] - found[..., None, :]), -1)
    for place in np.ndindex(order.shape[:-1]):
        if len(set(order[place].tolist())) < order.shape[-1]:  # some are equal: the nearest that is left
            left = list(range(order.shape[-1]))
            for i, value in enumerate(wanted[place]):
                order[(*place, i)] = left.pop(int(np.argmin(np.abs(found[place][left] - value))))
    return order


def _d_general(name: str, dw: Array, dv: Array, w: Array, v: Array, inner: bool) -> Array:
    """V^-H (diag(dw) + F * (V^H g)) V^H, of the gradients."""
    values = plain(w)
    known = good = ties.invertible(plain(v), 0.1 / float(np.finfo(values.dtype).eps) ** 0.5)
    if not np.all(good):
        warn(name, "the matrix lacks eigenvectors, or nearly so, and its eigenvalues have no derivative: it is NaN")
    same = _same(w)
    moved = diagonal_matrix(conj(_from_values(name, dw, w, same, good)))
    if not ties.absent(dv):
        g, fixed = with_length_and_phase(name, conj(dv), v)
        turned, known = _turned(name, g, w, v, (dw, dv), same, known & fixed, inner)
        moved = moved + turned
    inverse = np.linalg.inv(adjoint(ties.without(v, good)))
    return ties.spoiled(conj(np.matmul(np.matmul(inverse, moved), adjoint(v))), known)


#: The derivative of a sum of eigenvalues times d: the sum of the projections to the eigenspaces times d, conjugated.
eigenspaces = primitive(
    "eigenspaces",
    lambda a, d, uplo: _from_eigenspaces(d, None, a, uplo),
    lambda dout, _out, a, d, uplo: _d_eigenspaces(dout, a, d, uplo),
)
#: `inner`: a pullback asks for the vectors, and that it uses no values doesn't say that nobody does. So in eig.
eigh = primitive("eigh", lambda a, uplo, inner: tuple(np.linalg.eigh(a, uplo)), joint=_d_eigh)
eigvalsh = primitive("eigvalsh", lambda a, uplo: np.linalg.eigvalsh(a, uplo), _d_eigvalsh)
eig = primitive("eig", lambda a, inner: tuple(np.linalg.eig(a)), joint=_d_eig)
eigvals = primitive("eigvals", np.linalg.eigvals, _d_eigvals)


class EighResult(NamedTuple):
    """As NumPy's result, with these names."""

    eigenvalues: Array
    eigenvectors: Array


class EigResult(NamedTuple):
    """As NumPy's result, with these names."""

    eigenvalues: Array
    eigenvectors: Array


@implements(np.linalg.eigh)
def _eigh(a: Array, UPLO: str = "L") -> EighResult:
    both = eigh(a, uplo=UPLO.upper(), inner=False)
    return EighResult(pick(both, i=0), pick(both, i=1))


@implements(np.linalg.eigvalsh)
def _eigvalsh(a: Array, UPLO: str = "L") -> Array:
    return eigvalsh(a, uplo=UPLO.upper())


@implements(np.linalg.eig)
def _eig(a: Array) -> EigResult:
    both = eig(a, inner=False)
    return EigResult(pick(both, i=0), pick(both, i=1))


implements(np.linalg.eigvals)(lambda a: eigvals(a))

"""The rule of qr, in the modes reduced, complete and r.

For a matrix with at least as many rows as columns, with M = R g_R^H - g_Q^H Q, the gradient is (g_Q + Q N) R^-H, where N is
Hermitian and M's lower triangle, its diagonal made real (M. Seeger, A. Hetzel, Z. Dai, E. Meissner and N. D. Lawrence,
"Auto-differentiating linear algebra", 2017, for LQ; S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear
algebra functions with application in optimum experimental design", 2010). LAPACK makes the diagonal of R real. With more
columns than rows, the rest of R is Q^H times the rest of A.

In mode complete, Q has columns that R doesn't multiply. They are any basis of the space that is left; but LAPACK's Q is a
product of reflections, Q = I - V T V^H with V lower trapezoidal, and so these columns are a function of the others,
E_2 + (Q_1 - E_1) Z^H, where Q_1 is the part that R multiplies, E is the identity, and Z = V_2 V_1^-1 is
the lower part of Q_1 - E_1 times the inverse of its upper part.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy

from ..graph import PICK as pick
from ..graph import plain, shape_of
from . import ties
from .registry import implements, primitive
from .ties import adjoint, conj, warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _d_qr(douts: list[Array], outs: Any, a: Array, complete: bool) -> tuple[Array]:
    m, n = shape_of(a)[-2:]
    k = min(m, n)
    if not k:
        return (np.zeros(shape_of(a)),)
    q, r = outs[0][..., :k], outs[1][..., :k, :]
    gq, gr = conj(douts[0]), conj(douts[1])[..., :k, :]
    known = np.ones(shape_of(a)[:-2], bool)
    if complete and m > n and not ties.absent(douts[0]):
        gq, known = _of_complete(gq, q)
    gq = gq[..., :k]
    rest = gr[..., k:]
    if n > m:
        gq = gq + np.matmul(np.matmul(q, r[..., k:]), adjoint(rest))
    square, gr = r[..., :k], gr[..., :k]
    inner = np.matmul(square, adjoint(gr)) - np.matmul(adjoint(gq), q)
    below = np.tril(inner, -1)
    inner = below + adjoint(below) + np.real(inner) * np.eye(k)
    good = ties.invertible(plain(square), 1 / (8 * k * float(np.finfo(plain(square).dtype).eps)))
    if not np.all(good):
        warn("qr", "the matrix has columns that depend on each other, for which Q has no derivative: it is NaN")
    back = gq + np.matmul(q, inner)
    found = ties.spoiled(np.matmul(back, adjoint(np.linalg.inv(ties.without(square, good)))), good & known)
    if n > m:
        found = np.concatenate([found, np.matmul(q, rest)], -1)
    return (conj(found),)


def _of_complete(g: Array, q: Array) -> tuple[Array, Any]:
    """The gradient for the columns of Q that R multiplies, from that for all of them; and for which matrices it is known."""
    m, k = shape_of(q)[-2:]
    apart = q - np.eye(m, k)
    upper, lower, g2 = apart[..., :k, :], apart[..., k:, :], g[..., k:]
    known = ties.invertible(plain(upper), 0.1 / float(np.finfo(plain(q).dtype).eps))
    if not np.all(known):
        warn(
            "qr", "a column is 0 below the diagonal, and the columns that complete Q jump there: the derivative is NaN"
        )
    inverse = np.linalg.inv(ties.without(upper, known))
    z = np.matmul(lower, inverse)
    gz = np.matmul(np.matmul(adjoint(g2), apart), adjoint(inverse))
    more = np.matmul(g2, z) + np.concatenate([-np.matmul(adjoint(z), gz), gz], -2)
    return g[..., :k] + more, known


qr = primitive("qr", lambda a, complete: tuple(np.linalg.qr(a, "complete" if complete else "reduced")), joint=_d_qr)


class QRResult(NamedTuple):
    """As NumPy's result, with these names."""

    Q: Array
    R: Array


@implements(np.linalg.qr)
def _qr(a: Array, mode: str = "reduced") -> Array:
    if mode in ("full", "f"):
        warnings.warn(
            "The 'full' option is deprecated in favor of 'reduced'.\nFor backward compatibility let mode default.",
            DeprecationWarning, stacklevel=4,
        )  # fmt: skip
        mode = "reduced"
    if mode in ("economic", "e", "raw"):
        raise NotImplementedError(
            f"np.linalg.qr: mode={mode!r} gives LAPACK's own packed reflections, which have no derivative in dout; use "
            "'reduced' (the default), 'complete' or 'r', or run it on v.value"
        )
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"Unrecognized mode '{mode}'")
    both = qr(a, complete=mode == "complete")
    return pick(both, i=1) if mode == "r" else QRResult(pick(both, i=0), pick(both, i=1))

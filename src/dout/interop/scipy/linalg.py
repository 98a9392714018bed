"""`scipy.linalg`'s functions of matrices. Formulas: Giles 2008, Al-Mohy & Higham 2009 (expm)."""

from __future__ import annotations

from typing import Any

import numpy
import scipy.linalg

from ...graph import ndim_of, shape_of
from ...rules.registry import primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def _adjoint(a: Array) -> Array:
    """The transpose: dout has the convention that makes it a pullback without a conjugate."""
    return np.swapaxes(a, -1, -2)


def solve(a: Array, b: Array, *, lower: bool = False, assume_a: str = "gen", transposed: bool = False) -> Array:
    """x with a x = b. `assume_a` may say "pos", "sym", "her" ..., where only the half that `lower` names is read.

    Example:
        >>> solve(numpy.array([[2.0, 0.0], [0.0, 4.0]]), numpy.array([2.0, 2.0]))
        array([1. , 0.5])
    """
    if assume_a in ("pos", "positive definite", "sym", "symmetric", "her", "hermitian"):
        half = np.tril(a) if lower else np.triu(a)
        other = np.tril(a, -1) if lower else np.triu(a, 1)
        hermitian = assume_a[0] in "ph" and np.iscomplexobj(a)
        a = half + (np.conj(other.T) if hermitian else other.T)
    elif assume_a not in ("gen", "general"):
        raise ValueError(f"solve(a, b): assume_a={assume_a!r} is not supported on Variables; leave it away")
    a = a.T if transposed else a
    return np.linalg.solve(a, b) if ndim_of(b) != 1 else np.linalg.solve(a, b[:, None])[:, 0]


_solve_triangular = primitive(
    "solve_triangular",
    lambda a, b, trans, lower, unit: scipy.linalg.solve_triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit),
    lambda dout, out, a, _b, trans, lower, unit: _d_triangle(dout, out, a, trans, lower, unit),
    lambda dout, _out, a, _b, trans, lower, unit: _solve_triangular(a, dout, trans=1 - trans, lower=lower, unit=unit),
)  # type: Any


def _d_triangle(dout: Array, out: Array, a: Array, trans: int, lower: bool, unit: bool) -> Array:
    """-db x^T, of which only the triangle that is read has a derivative."""
    db = _solve_triangular(a, dout, trans=1 - trans, lower=lower, unit=unit)
    d = -(db @ _adjoint(out))
    d = _adjoint(d) if trans else d
    return np.tril(d, -int(unit)) if lower else np.triu(d, int(unit))


def solve_triangular(
    a: Array, b: Array, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:  # fmt: skip
    """x with a x = b for a triangular a; with trans=1 (or "T") for its transpose.

    Example:
        >>> solve_triangular(numpy.array([[2.0, 0.0], [1.0, 1.0]]), numpy.array([2.0, 3.0]), lower=True)
        array([1., 2.])
    """
    which = {0: 0, 1: 1, "N": 0, "T": 1, 2: 2, "C": 2}.get(trans)
    if which is None:
        raise ValueError(f"solve_triangular: trans has to be 0, 1, 2, 'N', 'T' or 'C', got {trans!r}")
    if which == 2:
        a, which = np.conj(a), 1
    column = b[:, None] if ndim_of(b) == 1 else b
    x = _solve_triangular(a, column, trans=which, lower=bool(lower), unit=bool(unit_diagonal))
    return x[:, 0] if ndim_of(b) == 1 else x


def cho_factor(a: Array, lower: bool = False) -> tuple[Array, bool]:
    """The Cholesky factor of a, for `cho_solve`; the other triangle is zero.

    Example:
        >>> cho_factor(numpy.array([[4.0]]))[0]
        array([[2.]])
    """
    factor = np.linalg.cholesky(a)
    return (factor if lower else np.conj(factor.T)), lower


def cho_solve(c_and_lower: tuple[Array, bool], b: Array) -> Array:
    """x with a x = b, from a's Cholesky factor.

    Example:
        >>> cho_solve((numpy.array([[2.0]]), True), numpy.array([8.0]))
        array([2.])
    """
    c, lower = c_and_lower
    adjoint = np.conj(c.T)
    first, second = (c, adjoint) if lower else (adjoint, c)
    return solve_triangular(second, solve_triangular(first, b, lower=True), lower=False)


expm_ = primitive(
    "expm",
    lambda a: scipy.linalg.expm(a),
    lambda dout, _out, a: _d_expm(dout, a),
)  # type: Any


def _d_expm(dout: Array, a: Array) -> Array:
    """The upper right block of the exponential of [[A', dout], [0, A']], A' the transpose."""
    n = shape_of(a)[-1]
    t = _adjoint(a)
    upper = np.concatenate([t, dout], axis=-1)
    below = np.concatenate([np.zeros_like(dout), t], axis=-1)
    return expm_(np.concatenate([upper, below], axis=-2))[..., :n, n:]


def expm(A: Array) -> Array:
    """The matrix exponential, of a stack of matrices too.

    Example:
        >>> expm(numpy.zeros((2, 2)))
        array([[1., 0.],
               [0., 1.]])
    """
    return expm_(A)


sqrtm_ = primitive(
    "sqrtm",
    lambda a: scipy.linalg.sqrtm(a),
    lambda dout, out, _a: _d_sqrtm(dout, out),
)


def _d_sqrtm(dout: Array, root: Array) -> Array:
    """D with X' D + D X' = dout, X the root: a Sylvester equation, as one linear system (n² unknowns)."""
    n = shape_of(root)[0]
    t = root.T
    eye = np.eye(n)
    system = np.kron(t, eye) + np.kron(eye, root)
    return np.reshape(np.linalg.solve(system, np.reshape(dout, (n * n, 1))), (n, n))


def sqrtm(A: Array) -> Array:
    """The principal square root of a matrix.

    Example:
        >>> sqrtm(numpy.array([[4.0, 0.0], [0.0, 9.0]])).real.round(12)
        array([[2., 0.],
               [0., 3.]])
    """
    return sqrtm_(A)


def block_diag(*arrs: Array) -> Array:
    """The matrices along a diagonal, zeros elsewhere.

    Example:
        >>> block_diag(numpy.array([[1.0]]), numpy.array([[2.0, 3.0]]))
        array([[1., 0., 0.],
               [0., 2., 3.]])
    """
    blocks = [np.atleast_2d(a) for a in arrs]
    width = sum(shape_of(b)[1] for b in blocks)
    rows, start = [], 0
    for block in blocks:
        n = shape_of(block)[1]
        rows.append(np.pad(block, ((0, 0), (start, width - start - n))))
        start += n
    return np.concatenate(rows, 0) if rows else np.zeros((1, 0))


def toeplitz(c: Array, r: Array = None) -> Array:
    """The matrix with first column c and first row r (c's conjugate by default), constant along its diagonals.

    Example:
        >>> toeplitz(numpy.array([1.0, 2.0]), numpy.array([1.0, 5.0]))
        array([[1., 5.],
               [2., 1.]])
    """
    c = np.atleast_1d(c)
    r = np.conj(c) if r is None else np.atleast_1d(r)
    values = np.concatenate([np.flip(c), r[1:]])
    m, n = len(c), len(r)
    return values[(m - 1 - np.arange(m))[:, None] + np.arange(n)[None]]

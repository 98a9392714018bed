"""Inverses, determinants, Cholesky, products of many matrices; norms and decompositions have files of their own."""

import numpy as np
import oracles
import pytest
from matrices import narrow, positive, well

import dout
from dout.rules import FLAT, FUNCTIONS

MATRICES = {
    "one": well(1, 1),
    "two": well(2, 2),
    "three": well(3, 3),
    "stacked": well(2, 3, 3),
    "stacked twice": well(2, 1, 2, 2),
    "F order": well(3, 3).T,
    "none": np.zeros((0, 3, 3)),
    "empty": np.zeros((0, 0)),
    "complex": well(3, 3, kind="complex"),
    "complex stacked": well(2, 2, 2, kind="complex"),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.det], ids=["inv", "det"])
def test_inv_and_det(f, name: str) -> None:
    a = MATRICES[name]
    oracles.assert_derivatives(f, a, order=2 if a.dtype == float else 1)
    if a.size:
        oracles.assert_like_jax(lambda xp, a: getattr(xp.linalg, f.__name__)(a), a)
    if a.dtype == float:
        narrow(f, a)


SOLVE = {
    "vector": (well(3, 3), oracles.array(3)),
    "column": (well(3, 3), oracles.array(3, 1)),
    "matrix": (well(3, 3), oracles.array(3, 2)),
    "stacked": (well(2, 3, 3), oracles.array(2, 3, 2)),
    "stacked left": (well(2, 3, 3), oracles.array(3, 2)),
    "stacked left, vector": (well(2, 3, 3), oracles.array(3)),
    "stacked right": (well(3, 3), oracles.array(2, 3, 2)),
    "broadcast": (well(2, 1, 2, 2), oracles.array(3, 2, 1)),
    "F order": (well(3, 3).T, oracles.array(2, 3).T),
    "no columns": (well(3, 3), np.zeros((3, 0))),
    "empty": (np.zeros((0, 0)), np.zeros((0,))),
    "complex": (well(3, 3, kind="complex"), oracles.array(3, kind="complex")),
    "complex and real": (well(3, 3, kind="complex"), oracles.array(3, 2)),
    "real and complex": (well(2, 2), oracles.array(2, 2, kind="complex")),
}


@pytest.mark.parametrize("name", SOLVE)
def test_solve(name: str) -> None:
    a, b = SOLVE[name]
    oracles.assert_derivatives(np.linalg.solve, a, b, order=2 if np.isrealobj(a) and np.isrealobj(b) else 1)
    oracles.assert_derivatives(lambda a: np.linalg.solve(a, b), a, order=1)
    oracles.assert_derivatives(lambda b: np.linalg.solve(a, b), b, order=1)
    if b.size:
        oracles.assert_like_jax(lambda xp, a, b: xp.linalg.solve(a, b), a, b)
    if a.dtype == b.dtype == float and a.size:
        narrow(np.linalg.solve, a, b)


SINGULAR = {
    "rank two": np.array([[1.0, 2, 3], [4, 5, 6], [5, 7, 9]]),
    "rank two, but for rounding": np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]),
    "rank one": np.outer([1.0, 2, 3], [1.0, -1, 2]),
    "zero": np.zeros((3, 3)),
    "zero number": np.zeros((1, 1)),
    "zero row": np.array([[1.0, 2], [0, 0]]),
    "one of a stack": np.stack([well(2, 2), np.ones((2, 2))]),
    "nearly": np.array([[1.0, 1.0], [1.0, 1.0 + 1e-13]]),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_det_of_a_singular_matrix(name: str) -> None:
    """A polynomial of the entries has derivatives everywhere. At a tie of roundings its value is only near NumPy's zero."""
    oracles.assert_derivatives(np.linalg.det, SINGULAR[name])


def test_det_of_a_singular_complex_matrix() -> None:
    a = np.array([[1 + 2j, 2 - 1j], [2 + 4j, 4 - 2j]])
    oracles.assert_derivatives(np.linalg.det, a, order=1)
    oracles.assert_derivatives(np.linalg.det, np.array([[1, 2, 3], [2, 4, 6], [1j, 5, 1]]), order=1)


def test_inv_and_slogdet_of_a_singular_matrix() -> None:
    for f in (np.linalg.inv, lambda a: np.linalg.solve(a, np.ones(2))):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            dout.vjp(f, np.ones((2, 2)))
    a = np.stack([np.ones((2, 2)), np.eye(2)])
    out, pullback = dout.vjp(lambda a: np.linalg.slogdet(a)[1], a)
    assert out.tolist() == [-np.inf, 0]
    with pytest.warns(RuntimeWarning, match=r"np.linalg.slogdet: .* NaN"):
        (found,) = pullback(np.ones(2))
    np.testing.assert_array_equal(found, [np.full((2, 2), np.nan), np.eye(2)])
    np.testing.assert_array_equal(pullback(np.array([0.0, 1]))[0], [np.zeros((2, 2)), np.eye(2)])


@pytest.mark.parametrize("name", [n for n in MATRICES if n not in ("none", "empty")])
def test_slogdet(name: str) -> None:
    a = MATRICES[name]
    real = a.dtype == float
    oracles.assert_derivatives(lambda a: np.linalg.slogdet(a)[1], a, order=2 if real else 1)
    oracles.assert_like_jax(lambda xp, a: xp.linalg.slogdet(a)[0] * xp.linalg.slogdet(a).logabsdet, a)
    if real:
        oracles.assert_derivatives(lambda a: np.linalg.slogdet(-a).sign * np.linalg.slogdet(a).logabsdet, a)
        narrow(lambda a: np.linalg.slogdet(a)[1], a)
    else:
        oracles.assert_derivatives(lambda a: np.linalg.slogdet(a).sign, a)
        oracles.assert_derivatives(lambda a: tuple(np.linalg.slogdet(a)), a)


CHOLESKY = {
    "one": positive(1, 1),
    "three": positive(3, 3),
    "stacked": positive(2, 2, 2),
    "complex": positive(3, 3, kind="complex"),
    "complex stacked": positive(2, 2, 2, kind="complex"),
}


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("name", CHOLESKY)
def test_cholesky(name: str, upper: bool) -> None:
    """NumPy reads one triangle; the derivative is that of a symmetric argument, so differences have to keep it one."""
    a = CHOLESKY[name]
    oracles.assert_same(
        dout.vjp(lambda a: np.linalg.cholesky(a, upper=upper), a)[0], np.linalg.cholesky(a, upper=upper)
    )

    def of_symmetric(a):
        return np.linalg.cholesky((a + np.conj(np.swapaxes(a, -1, -2))) * 0.5, upper=upper)

    oracles.assert_derivatives(of_symmetric, a, order=2 if a.dtype == float else 1)
    oracles.assert_like_jax(lambda xp, a: xp.linalg.cholesky(a, upper=upper), a)
    # As in JAX: shared evenly by the two triangles, which makes it symmetric itself.
    found = dout.vjp(lambda a: np.linalg.cholesky(a, upper=upper), a)[1](np.ones_like(a))[0]
    np.testing.assert_allclose(found, np.conj(np.swapaxes(found, -1, -2)), 1e-12)
    if a.dtype == float:
        narrow(np.linalg.cholesky, a)


def test_cholesky_reads_one_triangle() -> None:
    a = positive(3, 3)
    for upper, read in ((False, np.tril), (True, np.triu)):
        f = lambda a, upper=upper: np.linalg.cholesky(a, upper=upper)  # noqa: E731
        oracles.assert_same(dout.vjp(f, read(a))[0], np.linalg.cholesky(read(a), upper=upper))
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        dout.vjp(np.linalg.cholesky, -a)
    with pytest.raises(TypeError, match="lower"):
        dout.vjp(lambda a: np.linalg.cholesky(a, lower=True), a)


TENSOR = 0.3 * oracles.array(6, 6).reshape(2, 3, 6) + 3 * np.eye(6).reshape(2, 3, 6)
MANY = {
    **{
        f"matrix_power {n}": (lambda xp, a, n=n: xp.linalg.matrix_power(a, n), [well(2, 3, 3)])
        for n in (-3, -1, 0, 1, 2, 3, 4, 5, 7)
    },
    "tensorinv": (lambda xp, a: xp.linalg.tensorinv(a), [TENSOR]),
    "tensorinv 1": (lambda xp, a: xp.linalg.tensorinv(a, 1), [TENSOR.reshape(6, 2, 3)]),
    "tensorsolve": (lambda xp, a, b: xp.linalg.tensorsolve(a, b), [TENSOR, oracles.array(2, 3)]),
    "tensorsolve axes": (
        lambda xp, a, b: xp.linalg.tensorsolve(a, b, axes=(0,)), [np.moveaxis(TENSOR, 2, 0), oracles.array(2, 3)]
    ),
    "trace": (lambda xp, a: xp.linalg.trace(a), [oracles.array(2, 3, 4)]),
    "trace offset": (lambda xp, a: xp.linalg.trace(a, offset=-1), [oracles.array(2, 3, 4)]),
    "diagonal": (lambda xp, a: xp.linalg.diagonal(a, offset=1), [oracles.array(2, 3, 4)]),
    "matrix_transpose": (lambda xp, a: xp.linalg.matrix_transpose(a), [oracles.array(2, 3, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_made_of_others(name: str) -> None:
    f, args = MANY[name]
    oracles.assert_derivatives(lambda *a: f(np, *a), *args)
    oracles.assert_derivatives(lambda *a: f(np, *a), *[a * (1 + 0.1j) for a in args], order=1)
    oracles.assert_like_jax(f, *args, rtol=1e-10)


CHAINS = [
    "23 34",
    "3 34",
    "34 4",
    "3 34 4",
    "22 22 22",
    "25 54 43",
    "52 24 45",
    "23 34 41 13",
    "22 22 22 2",
    "2 25 53 34 4",
]


@pytest.mark.parametrize("sizes", CHAINS)
def test_multi_dot(sizes: str) -> None:
    """In NumPy's order; np.dot and np.matmul, of which this is made, may round in another."""
    for kind in ("float", "complex"):
        chain = [oracles.array(*map(int, shape), kind=kind, seed=i) for i, shape in enumerate(sizes.split())]
        oracles.assert_derivatives(lambda *a: np.linalg.multi_dot(a), *chain, order=1, value_rtol=1e-13)
    oracles.assert_like_jax(lambda xp, *a: xp.linalg.multi_dot(a), *chain)


@pytest.mark.parametrize("module", [np.linalg, np.fft], ids=["linalg", "fft"])
def test_no_function_is_missing(module) -> None:
    names = {n for n in dir(module) if not n.startswith("_") and hasattr(getattr(module, n), "_implementation")}
    assert len(names) >= 16
    assert not [n for n in sorted(names) if getattr(module, n) not in FUNCTIONS and getattr(module, n) not in FLAT]


def test_matrix_rank_is_flat() -> None:
    a = dout.Variable(np.diag([3.0, 1, 0]))
    assert np.linalg.matrix_rank(a) == 2
    assert dout.grad(lambda a: np.linalg.matrix_rank(a) * a[0, 0])(np.diag([3.0, 1, 0]))[0, 0] == 2


MATRIX, VECTOR = oracles.array(3, 4), oracles.array(4)
#: What NumPy rejects, and what it says.
REJECTED = {
    "inv": (np.linalg.inv, MATRIX, "square"),
    "det": (np.linalg.det, MATRIX, "square"),
    "det of a vector": (np.linalg.det, VECTOR, "dimension"),
    "solve": (lambda x: np.linalg.solve(x, x[0]), MATRIX, "square"),
    "solve, sizes": (lambda x: np.linalg.solve(x @ x.T, np.ones((2, 2))), MATRIX, "mismatch"),
    "matrix_power, not square": (lambda x: np.linalg.matrix_power(x, 2), MATRIX, "square"),
    "matrix_power of a vector": (lambda x: np.linalg.matrix_power(x, 2), VECTOR, "dimension"),
    "matrix_power, no integer": (lambda x: np.linalg.matrix_power(x @ x.T, 1.5), MATRIX, "integer"),
    "multi_dot of one": (lambda x: np.linalg.multi_dot([x]), MATRIX, "at least two"),
    "multi_dot of stacks": (lambda x: np.linalg.multi_dot([x, x[None], x.T]), MATRIX, "two-dimensional"),
    "tensorinv": (lambda x: np.linalg.tensorinv(x, 0), MATRIX, "ind"),
    "tensorsolve": (lambda x: np.linalg.tensorsolve(x, x[:, 0]), MATRIX, "requirement"),
}  # fmt: skip


@pytest.mark.parametrize("name", REJECTED)
def test_what_numpy_rejects(name: str) -> None:
    run, x, says = REJECTED[name]
    with pytest.raises(Exception, match=says) as numpys:
        run(x)
    with pytest.raises(numpys.type, match=says):
        dout.vjp(run, x)

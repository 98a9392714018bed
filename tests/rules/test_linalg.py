"""Linear algebra: values as NumPy's, derivatives by differences, JAX as a second opinion."""

import numpy as np
import oracles
import pytest

import dout


def well(*shape: int, kind: str = "float", seed: int = 0):
    """Square matrices that are far from singular."""
    n = shape[-1]
    return 0.3 * oracles.array(*shape, kind=kind, seed=seed) + np.diag(np.arange(n) + 1.5)


def positive(*shape: int, kind: str = "float"):
    """Positive definite matrices, symmetric or Hermitian."""
    a = well(*shape, kind=kind)
    return a @ np.conj(np.swapaxes(a, -1, -2))


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


def narrow(f, *args) -> None:
    """float32 in, float32 out. There is no float16 in linear algebra, so `oracles.assert_narrow` doesn't serve."""
    given = [a.astype(np.float32) for a in args]
    out, pullback = dout.vjp(f, *given)
    oracles.assert_same(out, f(*given))
    wide = dout.vjp(f, *[a.astype(float) for a in given])[1]
    for d, e in zip(pullback(np.ones_like(out)), wide(np.ones_like(out, float)), strict=True):
        assert d.dtype == np.float32
        np.testing.assert_allclose(d, e, 1e-4, 1e-4)


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
    out, pullback = dout.vjp(lambda a: np.linalg.slogdet(a)[1], np.ones((2, 2)))
    assert out == -np.inf
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        pullback(1.0)


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


ROW, MATRIX, CUBE = oracles.array(4), oracles.array(3, 4), oracles.array(2, 3, 2)
NORMS = {
    "vector": (lambda xp, x: xp.linalg.norm(x), ROW),
    "of a matrix": (lambda xp, x: xp.linalg.norm(x), MATRIX),
    "of three axes": (lambda xp, x: xp.linalg.norm(x), CUBE),
    "of all, keepdims": (lambda xp, x: xp.linalg.norm(x, keepdims=True), CUBE),
    "axis": (lambda xp, x: xp.linalg.norm(x, axis=1), MATRIX),
    "negative axis": (lambda xp, x: xp.linalg.norm(x, axis=-2), CUBE),
    "axis, keepdims": (lambda xp, x: xp.linalg.norm(x, axis=0, keepdims=True), MATRIX),
    "two axes": (lambda xp, x: xp.linalg.norm(x, axis=(0, 2)), CUBE),
    "two axes, keepdims": (lambda xp, x: xp.linalg.norm(x, axis=(-1, 0), keepdims=True), CUBE),
    "one axis in a tuple": (lambda xp, x: xp.linalg.norm(x, axis=(1,)), MATRIX),
    "fro": (lambda xp, x: xp.linalg.norm(x, "fro"), MATRIX),
    "fro, axes": (lambda xp, x: xp.linalg.norm(x, "fro", axis=(1, 2)), CUBE),
    **{
        f"vector {p}": (lambda xp, x, p=p: xp.linalg.norm(x, p), ROW)
        for p in (1, 2, 3, 4, 1.5, 0.5, -1, -2, np.inf, -np.inf)
    },
    **{
        f"rows {p}": (lambda xp, x, p=p: xp.linalg.norm(x, p, axis=-1, keepdims=True), MATRIX)
        for p in (0, 1, 2, 3, np.inf, -np.inf)
    },
    **{f"matrix {p}": (lambda xp, x, p=p: xp.linalg.norm(x, p), MATRIX) for p in (1, -1, np.inf, -np.inf)},
    **{
        f"matrix {p}, axes": (lambda xp, x, p=p: xp.linalg.norm(x, p, axis=(2, 0), keepdims=True), CUBE)
        for p in (1, -1, np.inf, -np.inf)
    },
}


@pytest.mark.parametrize("name", NORMS)
def test_norm(name: str) -> None:
    f, x = NORMS[name]
    oracles.assert_derivatives(lambda x: f(np, x), x)
    oracles.assert_derivatives(
        lambda x: f(np, np.swapaxes(x, 0, -1)), np.ascontiguousarray(np.swapaxes(x, 0, -1)), order=1
    )
    z = oracles.array(*x.shape, kind="complex")
    oracles.assert_derivatives(lambda x: f(np, x), z, order=1)
    if not name.endswith(" 0"):  # JAX gives integers
        oracles.assert_like_jax(f, z)
    v = x.astype(np.float32)
    oracles.assert_same(dout.vjp(lambda x: f(np, x), v)[0], f(np, v))


def test_norm_counts() -> None:
    """ord=0 counts entries that aren't zero, and has no derivative."""
    x = np.array([0.0, 3.0, -1.0])
    assert np.linalg.norm(dout.Variable(x), 0) == np.linalg.norm(x, 0) == 2
    assert dout.grad(lambda x: np.linalg.norm(x, 0) * x[1])(x).tolist() == [0, 2, 0]


@pytest.mark.parametrize("name", [n for n in NORMS if ("-" not in n and "0.5" not in n) or "keepdims" in n])
def test_norm_at_zero(name: str) -> None:
    """A norm has a kink there; the derivative is 0, the middle of its subgradients."""
    f, x = NORMS[name]
    out, pullback = dout.vjp(lambda x: f(np, x), x * 0)
    np.testing.assert_array_equal(out, np.zeros_like(out))
    np.testing.assert_array_equal(pullback(np.ones_like(out))[0], x * 0)


def test_norm_of_one_zero_row_among_others() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    for p in (None, 1, 2, 3, np.inf):
        d = dout.vjp(lambda x, p=p: np.linalg.norm(x, p, axis=1), x)[1](np.ones(2))[0]
        np.testing.assert_array_equal(d[1], [0.0, 0.0])
        assert np.all(np.isfinite(d))
    second = dout.hessian(lambda x: np.sum(np.linalg.norm(x, axis=1)))(x)
    assert np.all(np.isfinite(second))
    np.testing.assert_array_equal(second[1], 0)


def test_norm_of_a_number() -> None:
    oracles.assert_derivatives(lambda x: np.linalg.norm(x), np.array(-1.5))
    oracles.assert_derivatives(lambda x: np.linalg.norm(x, keepdims=True), np.array(-1.5))


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        (lambda x: np.linalg.norm(x, 2), NotImplementedError, "ord=2"),
        (lambda x: np.linalg.norm(x, -2), NotImplementedError, "ord=-2"),
        (lambda x: np.linalg.norm(x, "nuc"), NotImplementedError, "ord='nuc'"),
        (lambda x: np.linalg.norm(x, 3), ValueError, "3"),
        (lambda x: np.linalg.norm(x, "nonsense"), ValueError, "nonsense"),
        (lambda x: np.linalg.norm(x, "fro", axis=0), ValueError, "fro"),
        (lambda x: np.linalg.norm(x, axis=2), np.exceptions.AxisError, "axis 2"),
        (lambda x: np.linalg.norm(x, axis=(0, 0)), ValueError, "repeated|Duplicate"),
        (lambda x: np.linalg.norm(x[None], 1), ValueError, "dimensions"),
        (lambda x: np.linalg.inv(x), np.linalg.LinAlgError, "square"),
        (lambda x: np.linalg.det(x), np.linalg.LinAlgError, "square"),
        (lambda x: np.linalg.det(x[0]), np.linalg.LinAlgError, "dimension"),
        (lambda x: np.linalg.solve(x, x[0]), np.linalg.LinAlgError, "square"),
        (lambda x: np.linalg.solve(x @ x.T, np.ones((2, 2))), ValueError, "mismatch"),
        (lambda x: np.linalg.svd(x), NotImplementedError, "np.linalg.svd"),
        (lambda x: np.linalg.eigh(x), NotImplementedError, "np.linalg.eigh"),
        (lambda x: np.linalg.pinv(x), NotImplementedError, "np.linalg.pinv"),
        (lambda x: np.linalg.qr(x), NotImplementedError, "np.linalg.qr"),
    ],
)  # fmt: skip
def test_refusals(run, error, says) -> None:
    with pytest.raises(error, match=says):
        dout.vjp(run, MATRIX)

"""Eigenvalues and eigenvectors, also where they repeat. Signs and orders that LAPACK may change are taken out of the tests."""

import numpy as np
import oracles
import pytest
from matrices import hermitian, narrow, well

import dout

ROTATION = np.array([[1.0, 2, 0], [-2, 1, 0.5], [0.3, 0.1, 3]])
MATRICES = {
    "one": well(1, 1),
    "two": well(2, 2),
    "three": well(3, 3),
    "stacked": well(2, 3, 3),
    "F order": well(3, 3).T,
    "none": np.zeros((0, 3, 3)),
    "empty": np.zeros((0, 0)),
    "complex": well(3, 3, kind="complex"),
    "complex stacked": well(2, 2, 2, kind="complex"),
    "complex eigenvalues": ROTATION,
}
REFERENCE = oracles.array(3, 3, seed=9)


def same_signs(v):
    """Eigenvectors with signs, not phases, as in a reference: the phases that LAPACK chooses are what is to be tested."""
    n = v.shape[-1]
    return v * np.sign(np.sum(np.real(v) * REFERENCE[:n, :n], -2, keepdims=True))


def signed_eigh(a, uplo):
    w, v = np.linalg.eigh(hermitian(a), uplo)
    return w, same_signs(v)


def ordered_eig(a):
    w, v = np.linalg.eig(a)
    order = np.argsort(w.real + 1e-3 * w.imag, -1)
    return np.take_along_axis(w, order, -1), same_signs(np.take_along_axis(v, order[..., None, :], -1))


def ordered_eigvals(a):
    w = np.linalg.eigvals(a)
    return np.take_along_axis(w, np.argsort(w.real + 1e-3 * w.imag, -1), -1)


@pytest.mark.parametrize("uplo", "LU")
@pytest.mark.parametrize("name", MATRICES)
def test_eigh(name: str, uplo: str) -> None:
    a = MATRICES[name]
    oracles.assert_derivatives(lambda a: signed_eigh(a, uplo), a, rtol=1e-7)
    oracles.assert_derivatives(lambda a: np.linalg.eigvalsh(hermitian(a), uplo), a, rtol=1e-7)
    oracles.assert_same(dout.vjp(lambda a: tuple(np.linalg.eigh(a, uplo)), a)[0], tuple(np.linalg.eigh(a, uplo)))
    if a.size:
        narrow(lambda a: np.linalg.eigvalsh(a, uplo), a)
        narrow(lambda a: signed_eigh(a, uplo), a)


@pytest.mark.parametrize("name", ["three", "complex stacked"])
def test_eigh_as_jax(name: str) -> None:
    """Of what doesn't depend on phases, which JAX leaves open; as there, shared evenly by the two triangles."""
    a = hermitian(MATRICES[name])

    def f(xp, a):
        w, v = xp.linalg.eigh(a)
        return xp.sum(xp.sin(w)) + xp.sum(
            xp.abs(v * xp.exp(w)[..., None, :]) ** 2 * REFERENCE[: a.shape[-1], : a.shape[-1]]
        )

    oracles.assert_like_jax(f, a, rtol=1e-10)
    oracles.assert_like_jax(lambda xp, a: xp.linalg.eigvalsh(a), a, rtol=1e-10)
    d = dout.grad(lambda a: f(np, a))(a)
    np.testing.assert_allclose(d, np.conj(np.swapaxes(d, -1, -2)), 1e-12, 1e-12)


@pytest.mark.parametrize("name", MATRICES)
def test_eig(name: str) -> None:
    a = MATRICES[name]
    oracles.assert_derivatives(ordered_eig if a.size else lambda a: tuple(np.linalg.eig(a)), a, rtol=1e-7)
    oracles.assert_derivatives(ordered_eigvals if a.size else np.linalg.eigvals, a, rtol=1e-7)
    oracles.assert_same(dout.vjp(lambda a: tuple(np.linalg.eig(a)), a)[0], tuple(np.linalg.eig(a)))
    if a.size:
        oracles.assert_like_jax(lambda xp, a: xp.real(xp.sum(xp.linalg.eigvals(a) ** 3)), a, rtol=1e-9)
        narrow(lambda a: np.linalg.eigvals(a) ** 2, a)


def test_names_of_the_results() -> None:
    a = dout.Variable(well(2, 2))
    for both in (np.linalg.eigh(a), np.linalg.eig(a)):
        assert both.eigenvalues is both[0]
        assert both.eigenvectors is both[1]


EYE, TOP = np.eye(3), np.diag([1.0, 1, 3])
VALUES = {"eigh": lambda a: np.linalg.eigh(a)[0], "eigvalsh": np.linalg.eigvalsh, "eig": lambda a: np.linalg.eig(a)[0],
          "eigvals": np.linalg.eigvals}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_eigenvalues_that_repeat(name: str) -> None:
    """Where all weigh the same, the derivative is right; otherwise they share it, and a warning says so."""
    f = VALUES[name]
    turned = oracles.array(3, 3)
    turned = hermitian(np.linalg.inv(turned) @ TOP @ turned) if name in ("eig", "eigvals") else _turned(TOP)
    for a in (EYE, TOP, turned):
        np.testing.assert_allclose(dout.grad(lambda a: np.real(np.sum(f(a))))(a), EYE, atol=1e-12)
        np.testing.assert_allclose(dout.grad(lambda a: np.real(np.sum(f(a) ** 3)))(a), 3 * (a @ a).T, atol=1e-11)
    with pytest.warns(RuntimeWarning, match=rf"np\.linalg\.{name}: .*share"):
        d = dout.grad(lambda a: np.real(f(a)[0]))(EYE)
    np.testing.assert_allclose(d, EYE / 3)
    direction = hermitian(oracles.array(3, 3))
    np.testing.assert_allclose(dout.jvp(f, (EYE,), (direction,))[1], np.trace(direction) / 3)


def _turned(a):
    """The same eigenvalues, apart by rounding, with other eigenvectors."""
    q = np.linalg.qr(oracles.array(3, 3))[0]
    return hermitian(q @ a @ q.T)


def test_second_derivatives_where_other_eigenvalues_repeat() -> None:
    oracles.assert_derivatives(lambda a: np.linalg.eigvalsh(hermitian(a))[2], TOP, rtol=1e-7)
    oracles.assert_derivatives(lambda a: np.sum(np.linalg.eigvalsh(hermitian(a))), EYE)
    assert not np.any(dout.hessian(lambda a: np.sum(np.linalg.eigh(a)[0]))(EYE))


def logarithm(a):
    w, v = np.linalg.eigh(a)
    return (v * np.log(w)) @ np.conj(v).T


#: Functions that have no derivative which the eigenvectors could tell, and where.
NONE = {
    "a component": (lambda a: np.linalg.eigh(a)[1][0, 0], EYE),
    "a component, apart by rounding": (lambda a: np.linalg.eigh(a)[1][0, 0], _turned(TOP)),
    "a square that is 0": (lambda a: np.linalg.eigh(a)[1][0, 1] ** 2, EYE),
    "a logarithm of 1": (lambda a: logarithm(a)[0, 1], EYE),
    "a logarithm of 1, summed": (lambda a: np.sum(logarithm(a)), TOP),
    "eig": (lambda a: np.real(np.linalg.eig(a)[1][0, 0]), EYE),
    "too few eigenvectors": (lambda a: np.real(np.sum(np.linalg.eigvals(a) ** 2)), np.array([[1.0, 1], [0, 1]])),
    "too few, nearly": (lambda a: np.real(np.sum(np.linalg.eig(a)[0])), np.array([[1.0, 1], [1e-16, 1]])),
}  # fmt: skip


@pytest.mark.parametrize("name", NONE)
def test_nan_where_there_is_no_derivative(name: str) -> None:
    f, a = NONE[name]
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.eig\w*: .*NaN"):
        assert np.all(np.isnan(dout.grad(f)(a)))


@pytest.mark.parametrize("a", [EYE, np.diag([2.0, 1, 1])], ids=["identity", "two are one"])
def test_second_derivative_of_a_distance_to_the_identity_is_not_wrong(a) -> None:
    """The squared length of log A; its second derivative at I can't be told from the eigenvectors, and so is NaN."""
    f = lambda a: np.sum(np.log(np.linalg.eigvalsh(a)) ** 2)  # noqa: E731
    np.testing.assert_allclose(dout.grad(f)(a), np.diag(2 * np.log(np.diag(a)) / np.diag(a)), atol=1e-15)
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.eig\w*: .*NaN"):
        assert np.isnan(dout.hvp(f, a, hermitian(oracles.array(3, 3)))).all()


def test_eigenvectors_apart_from_those_that_repeat() -> None:
    """A function of the greatest eigenvalue's vector alone, where the other two repeat."""
    f = lambda a: np.linalg.eigh(hermitian(a))[1][:, 2] ** 2 @ [1.0, 2, 3]  # noqa: E731
    for a in (TOP, _turned(TOP)):
        expected = oracles.numerical(f, (a,))
        np.testing.assert_allclose(dout.grad(f)(a), expected, atol=1e-9)


def test_one_of_a_stack() -> None:
    a = np.stack([EYE, well(3, 3)])
    with pytest.warns(RuntimeWarning, match="eigh"):
        d = dout.grad(lambda a: np.sum(signed_eigh(a, "L")[1] * REFERENCE))(a)
    assert np.all(np.isnan(d[0]))
    np.testing.assert_allclose(d[1], dout.grad(lambda a: np.sum(signed_eigh(a, "L")[1] * REFERENCE))(a[1]), 1e-10)


def test_phases_that_nobody_chose() -> None:
    """LAPACK makes the first row real. Where it is 0 there is no rule, and what depends on a phase has no derivative."""
    a = np.zeros((3, 3), complex)
    a[1:, 1:] = hermitian(well(2, 2, kind="complex"))
    a[0, 0] = 9
    d = dout.grad(lambda a: np.sum(np.abs(np.linalg.eigh(a)[1]) ** 2 * REFERENCE))(a)
    assert np.all(np.isfinite(d))
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.eigh: .*phase"):
        d = dout.grad(lambda a: np.sum(np.real(np.linalg.eigh(a)[1] * (1 + 2j) * REFERENCE)))(a)
    assert np.all(np.isnan(d))


def test_nan_in_nan_out() -> None:
    a = np.diag([np.nan, 1])
    assert np.all(np.isnan(dout.grad(lambda a: np.sum(np.linalg.eigh(a)[0]))(a)))
    for f in (np.linalg.eig, np.linalg.eigvals):
        with pytest.raises(np.linalg.LinAlgError, match="infs or NaNs"):
            dout.vjp(f, a)


def test_the_warning_points_to_the_users_line() -> None:
    with pytest.warns(RuntimeWarning) as warned:
        dout.grad(lambda a: np.linalg.eigvalsh(a)[0])(EYE)
    assert warned[0].filename == __file__


@pytest.mark.parametrize("f", VALUES.values(), ids=VALUES.keys())
def test_what_numpy_rejects(f) -> None:
    for bad, says in ((oracles.array(2, 3), "square"), (oracles.array(3), "dimension")):
        with pytest.raises(np.linalg.LinAlgError, match=says):
            dout.vjp(f, bad)
    with pytest.raises(ValueError, match="UPLO"):
        dout.vjp(lambda a: np.linalg.eigvalsh(a, "X"), EYE)

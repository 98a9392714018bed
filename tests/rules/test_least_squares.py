"""Pseudoinverses and least squares, of full rank and not."""

import numpy as np
import oracles
import pytest
from matrices import adjoint, hermitian, narrow, well

import dout

SHAPES = [(1, 1), (3, 3), (4, 2), (2, 4), (1, 3), (3, 1), (2, 3, 2), (2, 2, 3), (0, 2, 3), (0, 3), (3, 0)]
KINDS = ["float", "complex"]


def drawn(shape, kind="float"):
    return oracles.array(*shape, kind=kind, seed=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pinv(shape, kind: str) -> None:
    a = drawn(shape, kind)
    oracles.assert_derivatives(np.linalg.pinv, a, rtol=1e-7, atol=1e-7)
    oracles.assert_derivatives(lambda a: np.linalg.pinv(a, rtol=None), a, order=1, rtol=1e-7, atol=1e-7)
    if a.size:
        narrow(np.linalg.pinv, a)


@pytest.mark.parametrize("kind", KINDS)
def test_pinv_as_jax(kind: str) -> None:
    oracles.assert_like_jax(lambda xp, a: xp.linalg.pinv(a), drawn((2, 3, 2), kind), rtol=1e-10)
    if kind == "float":
        oracles.assert_like_jax(lambda xp, a: xp.linalg.pinv(a, hermitian=True), hermitian(well(3, 3)), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_pinv_of_a_hermitian_matrix(kind: str) -> None:
    """Of which NumPy reads the lower triangle; the derivative is shared by both."""
    a = well(3, 3, kind=kind)
    oracles.assert_derivatives(lambda a: np.linalg.pinv(hermitian(a), hermitian=True), a, rtol=1e-6)
    f = lambda a: np.linalg.pinv(a, hermitian=True)  # noqa: E731
    oracles.assert_same(dout.vjp(f, np.tril(a))[0], f(np.tril(a)))
    d = dout.vjp(f, np.tril(a))[1](np.ones_like(a))[0]
    np.testing.assert_allclose(d, adjoint(d), 1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rcond", [0.3, 0.5, np.array([0.1, 0.5])], ids=str)
def test_pinv_with_values_cut_off(rcond, kind: str) -> None:
    a = drawn((2, 3, 2), kind) if np.ndim(rcond) else drawn((3, 3), kind)
    oracles.assert_derivatives(lambda a: np.linalg.pinv(a, rcond), a, rtol=1e-6, atol=1e-7)
    if np.ndim(rcond):
        return
    oracles.assert_derivatives(lambda a: np.linalg.pinv(a, rtol=rcond), a, order=1, rtol=1e-6, atol=1e-7)
    d = dout.grad(lambda a: np.sum(np.linalg.pinv(a, 0.3)))(np.diag([2.0, 2, 0.1]))  # those that stay repeat
    expected = oracles.numerical(lambda a: np.sum(np.linalg.pinv(a, 0.3)), (np.diag([2.0, 2, 0.1]),))
    np.testing.assert_allclose(d, expected, atol=1e-8)


#: By the shape of the matrix, that of the right side, and the cut-off.
LSTSQ = [((3, 3), (3,)), ((4, 2), (4,)), ((4, 2), (4, 3)), ((2, 4), (2,)), ((2, 4), (2, 2)), ((4, 2), (4, 0)), ((3, 1), (3, 1)),
         ((1, 3), (1,))]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shapes", LSTSQ, ids=str)
def test_lstsq(shapes, kind: str) -> None:
    a, b = drawn(shapes[0], kind), oracles.array(*shapes[1], kind=kind, seed=7)

    def f(a, b):
        x, residuals, rank, s = np.linalg.lstsq(a, b)
        assert rank == min(a.shape)
        assert not isinstance(rank, dout.Variable)
        return x, residuals, s

    oracles.assert_derivatives(f, a, b, rtol=1e-7, atol=1e-7)
    oracles.assert_derivatives(lambda a: np.linalg.lstsq(a, b)[0], a, order=1)
    oracles.assert_derivatives(lambda b: np.linalg.lstsq(a, b)[0], b, order=1)
    oracles.assert_derivatives(lambda a, b: np.linalg.lstsq(a, b, 0.3)[0], a, b, rtol=1e-7, atol=1e-7)
    if b.size:
        narrow(lambda a, b: np.linalg.lstsq(a, b)[0], a, b)


@pytest.mark.parametrize("shapes", [LSTSQ[2], LSTSQ[3]], ids=str)
def test_lstsq_as_jax(shapes) -> None:
    a, b = drawn(shapes[0], "complex"), oracles.array(*shapes[1], kind="complex", seed=7)
    oracles.assert_like_jax(lambda xp, a, b: xp.linalg.lstsq(a, b)[0], a, b, rtol=1e-9)


LEFT, RIGHT = oracles.array(4, 2), oracles.array(2, 3, seed=2)


@pytest.mark.filterwarnings("ignore:np.linalg.*full rank")
def test_rank_that_stays_as_it_is() -> None:
    """A product of lower rank keeps its rank when its factors change, and so has a derivative."""
    oracles.assert_derivatives(lambda b, c: np.linalg.pinv(b @ c), LEFT, RIGHT, rtol=1e-6, value_rtol=1e-10)
    oracles.assert_derivatives(lambda b, c: np.linalg.lstsq(b @ c, np.ones(4))[0], LEFT, RIGHT, rtol=1e-6)
    oracles.assert_like_jax(lambda xp, a: xp.linalg.pinv(a, rtol=1e-12), LEFT @ RIGHT, rtol=1e-9)


def test_rank_that_is_not_full_is_said() -> None:
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.pinv: .* full rank"):
        dout.grad(lambda a: np.sum(np.linalg.pinv(a)))(LEFT @ RIGHT)
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.lstsq: .* full rank"):
        dout.grad(lambda a: np.sum(np.linalg.lstsq(a, np.ones(4))[0]))(LEFT @ RIGHT)
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.lstsq: .* full rank"):
        assert not np.any(dout.grad(lambda a: np.sum(np.linalg.lstsq(a, np.ones(4))[0]))(np.zeros((4, 2))))


def test_what_numpy_rejects() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="Incompatible"):
        dout.vjp(lambda a: np.linalg.lstsq(a, np.ones(5))[0], LEFT)
    with pytest.raises(np.linalg.LinAlgError, match="dimension"):
        dout.vjp(lambda a: np.linalg.lstsq(a, np.ones(2))[0], np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="both"):
        dout.vjp(lambda a: np.linalg.pinv(a, 0.1, rtol=0.1), LEFT)
    with pytest.raises(np.linalg.LinAlgError, match="dimension"):
        dout.vjp(np.linalg.pinv, np.ones(3))

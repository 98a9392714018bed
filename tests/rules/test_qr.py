"""QR decompositions: values NumPy's, derivatives by differences, JAX as a second opinion."""

import numpy as np
import oracles
import pytest
from matrices import narrow

import dout

SHAPES = [(1, 1), (3, 3), (4, 2), (2, 4), (1, 3), (3, 1), (2, 3, 2), (2, 2, 3), (2, 1, 4, 2), (0, 2, 3), (0, 3), (3, 0)]


def drawn(shape, kind="float"):
    return oracles.array(*shape, kind=kind, seed=1)


@pytest.mark.parametrize("kind", ["float", "complex"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_qr(shape, kind: str) -> None:
    a = drawn(shape, kind)
    for mode in ("reduced", "complete"):
        oracles.assert_derivatives(lambda a, mode=mode: tuple(np.linalg.qr(a, mode)), a, rtol=1e-6, atol=1e-7)
        if a.size:
            narrow(lambda a, mode=mode: tuple(np.linalg.qr(a, mode)), a)
    oracles.assert_derivatives(lambda a: np.linalg.qr(a, "r"), a, rtol=1e-6, atol=1e-7)
    oracles.assert_derivatives(lambda a: np.linalg.qr(a[..., ::-1])[0], a, order=1)


@pytest.mark.parametrize("mode", ["reduced", "complete"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 3)], ids=str)
def test_qr_as_jax(shape, mode: str) -> None:
    a = drawn(shape, "complex")
    weights = oracles.array(4, 4, kind="complex", low=-9, high=9)

    def f(xp, a):
        q, r = xp.linalg.qr(a, mode)
        return sum(xp.sum(xp.real(x * weights[: x.shape[-2], : x.shape[-1]])) for x in (q, r))

    oracles.assert_like_jax(f, a, rtol=1e-9)


def test_names_of_the_results() -> None:
    both = np.linalg.qr(dout.Variable(drawn((3, 2))))
    assert both.Q is both[0]
    assert both.R is both[1]


def test_columns_that_depend_on_each_other() -> None:
    a = np.stack([np.ones((3, 2)), drawn((3, 2))])
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.qr: .*NaN"):
        d = dout.grad(lambda a: np.sum(np.linalg.qr(a)[0]))(a)
    assert np.all(np.isnan(d[0]))
    np.testing.assert_allclose(d[1], dout.grad(lambda a: np.sum(np.linalg.qr(a)[0]))(a[1]))


def test_columns_that_complete_q_and_jump() -> None:
    """Of a column that is 0 below the diagonal LAPACK makes no reflection, and of one that nearly is, it does."""
    a = np.array([[1.0, 2], [0, 3], [0, 0]])
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.qr: .* jump.*NaN"):
        d = dout.grad(lambda a: np.linalg.qr(a, "complete")[0][2, 2])(a)
    assert np.all(np.isnan(d))
    assert np.all(np.isfinite(dout.grad(lambda a: np.linalg.qr(a, "complete")[1][0, 1])(a)))


@pytest.mark.parametrize("mode", ["full", "f"])
def test_the_old_name_of_reduced(mode: str) -> None:
    a = drawn((4, 2))
    with pytest.warns(DeprecationWarning, match="deprecated in favor of 'reduced'"):
        found = dout.grad(lambda a: np.sum(np.linalg.qr(a, mode)[0] ** 3))(a)
    np.testing.assert_array_equal(found, dout.grad(lambda a: np.sum(np.linalg.qr(a)[0] ** 3))(a))


def test_refusals() -> None:
    a = drawn((3, 2))
    for mode in ("raw", "economic", "e"):
        with pytest.raises(NotImplementedError, match=f"mode='{mode}'"):
            dout.vjp(lambda a, mode=mode: np.linalg.qr(a, mode), a)
    with pytest.raises(ValueError, match="Unrecognized mode 'x'"):
        dout.vjp(lambda a: np.linalg.qr(a, "x"), a)
    with pytest.raises(np.linalg.LinAlgError, match="dimension"):
        dout.vjp(lambda a: np.linalg.qr(a), np.ones(3))

"""Small systems of equations, inverses and Cholesky factors inside native code: the bits are NumPy's, and so are the errors."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.run.native import blas

pytestmark = pytest.mark.skipif(not blas.available(), reason="no LAPACK to call")
rng = np.random.default_rng(0)


def matrices(*shape, dtype=float):
    return (rng.standard_normal(shape) + 3 * np.eye(shape[-1])).astype(dtype)


def positive(*shape, dtype=float):
    a = rng.standard_normal(shape)
    return (a @ a.swapaxes(-1, -2) + np.eye(shape[-1])).astype(dtype)


CASES = {
    "solve": (np.linalg.solve, matrices(4, 4), rng.standard_normal((4, 3))),
    "solve a vector": (np.linalg.solve, matrices(4, 4), rng.standard_normal(4)),
    "solve one number": (np.linalg.solve, matrices(1, 1), rng.standard_normal((1, 1))),
    "solve a batch": (np.linalg.solve, matrices(5, 2, 3, 3), rng.standard_normal((5, 2, 3, 2))),
    "solve for each of one matrix": (np.linalg.solve, matrices(3, 3), rng.standard_normal((6, 3, 2))),
    "solve the same for each": (np.linalg.solve, matrices(6, 3, 3), rng.standard_normal((3, 2))),
    "solve what is large": (np.linalg.solve, matrices(64, 64), rng.standard_normal((64, 64))),
    "solve in float32": (np.linalg.solve, matrices(4, 4, dtype="f4"), rng.standard_normal((4, 3)).astype("f4")),
    "inverse": (lambda a, b: np.linalg.inv(a) * b, matrices(5, 5), np.ones((5, 5))),
    "inverses": (lambda a, b: np.linalg.inv(a) * b, matrices(7, 2, 2), np.ones((2, 2))),
    "cholesky": (lambda a, b: np.linalg.cholesky(a) * b, positive(5, 5), np.ones((5, 5))),
    "cholesky, upper": (lambda a, b: np.linalg.cholesky(a, upper=True) * b, positive(3, 5, 5), np.ones((5, 5))),
    "cholesky in float32": (lambda a, b: np.linalg.cholesky(a) * b, positive(5, 5, dtype="f4"), np.ones((5, 5), "f4")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_numpys(name):
    f, *args = CASES[name]
    fast = jit(lambda a, b: f(a, b) + 0.0)
    for _ in range(2):
        found, expected = fast(*args), f(*args) + 0.0
        assert found.dtype == expected.dtype
        if blas.library().whose == "NumPy":
            assert found.tobytes() == expected.tobytes()
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert "LAPACK: " in fast.report(*args)


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    f, *args = CASES[name]
    derivative = dout.grad(lambda a, b: np.sum(np.sin(f(a, b))), argnums=(0, 1))
    fast = jit(derivative)
    rtol = 1e-4 if args[0].dtype == np.float32 else 1e-10  # conditions of the matrices are below 1,000
    for _ in range(2):
        for found, expected in zip(fast(*args), derivative(*args), strict=True):
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


def test_a_singular_matrix_raises_as_it_does_without_jit():
    fast = jit(lambda a, b: np.linalg.solve(a, b) * 2)
    a, b = matrices(3, 3), np.ones((3, 1))
    fast(a, b)
    fast(a, b)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        fast(np.zeros((3, 3)), b)
    np.testing.assert_array_equal(fast(a, b), np.linalg.solve(a, b) * 2)


def test_one_matrix_of_a_batch_that_is_not_positive_raises():
    fast = jit(lambda a: np.linalg.cholesky(a) * 2)
    a = positive(4, 3, 3)
    fast(a)
    wrong = a.copy()
    wrong[2] *= -1
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        fast(wrong)
    np.testing.assert_array_equal(fast(a), np.linalg.cholesky(a) * 2)


def test_only_one_triangle_is_read():
    """NumPy reads the lower one, or the upper one; what stands in the other doesn't matter."""
    a = positive(4, 4)
    for upper in (False, True):
        odd = np.where(np.tri(4, dtype=bool) != upper, a, np.nan) + np.diag(np.where(upper, np.diag(a), 0))
        odd[np.diag_indices(4)] = np.diag(a)
        fast = jit(lambda x, upper=upper: np.linalg.cholesky(x, upper=upper) * 1.0)
        for _ in range(2):
            np.testing.assert_array_equal(fast(odd), np.linalg.cholesky(odd, upper=upper))


def test_nan_is_passed_on_as_numpy_does():
    fast = jit(lambda a, b: np.linalg.solve(a, b) * 2)
    a, b = matrices(3, 3), np.ones((3, 1))
    fast(a, b)
    a[1, 1] = np.nan
    np.testing.assert_array_equal(fast(a, b), np.linalg.solve(a, b) * 2)


def test_views_and_large_matrices_are_numpys():
    fast = jit(lambda a, b: np.linalg.solve(a.T, b) + np.linalg.inv(a))
    a = matrices(80, 80)
    for _ in range(2):
        np.testing.assert_array_equal(fast(a, a), np.linalg.solve(a.T, a) + np.linalg.inv(a))
    assert "LAPACK" not in fast.report(a, a)

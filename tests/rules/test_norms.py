"""Norms of vectors and matrices by every order, and condition numbers."""

import numpy as np
import oracles
import pytest
from matrices import narrow, well

import dout

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
    **{f"singular {p}": (lambda xp, x, p=p: xp.linalg.norm(x, p), MATRIX) for p in (2, -2, "nuc")},
    **{f"singular {p}, axes": (lambda xp, x, p=p: xp.linalg.norm(x, p, axis=(2, 0)), CUBE) for p in (2, -2, "nuc")},
    "singular 2, keepdims": (lambda xp, x: xp.linalg.norm(x, 2, axis=(0, 2), keepdims=True), CUBE),
    **{
        f"matrix_norm {p}": (lambda xp, x, p=p: xp.linalg.matrix_norm(x, ord=p), CUBE)
        for p in ("fro", "nuc", 1, -1, 2, np.inf)
    },
    "matrix_norm, keepdims": (lambda xp, x: xp.linalg.matrix_norm(x, ord=2, keepdims=True), CUBE),
    **{
        f"vector_norm {axis} {p}": (lambda xp, x, axis=axis, p=p: xp.linalg.vector_norm(x, axis=axis, ord=p), CUBE)
        for axis, p in ((None, 2), (0, 1), (-1, 3), ((0, 2), np.inf), ((2, 0), 2), ((1,), 2), ((0, 1, 2), 1))
    },
    "vector_norm keepdims": (lambda xp, x: xp.linalg.vector_norm(x, axis=(0, 2), keepdims=True), CUBE),
    "vector_norm all, keepdims": (lambda xp, x: xp.linalg.vector_norm(x, ord=3, keepdims=True), CUBE),
    "vector_norm axis, keepdims": (lambda xp, x: xp.linalg.vector_norm(x, axis=1, ord=1, keepdims=True), CUBE),
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
    oracles.assert_derivatives(lambda x: f(np, x), x, rtol=1e-7)
    oracles.assert_derivatives(
        lambda x: f(np, np.swapaxes(x, 0, -1)), np.ascontiguousarray(np.swapaxes(x, 0, -1)), order=1
    )
    z = oracles.array(*x.shape, kind="complex")
    oracles.assert_derivatives(lambda x: f(np, x), z, order=1)
    if not name.endswith(" 0"):  # JAX gives integers
        oracles.assert_like_jax(f, z, rtol=1e-10)
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


EMPTY = {"none": (0,), "no rows": (0, 3), "no columns": (3, 0)}


@pytest.mark.parametrize("name", EMPTY)
def test_norm_of_nothing(name: str) -> None:
    for p in (None, 1, np.inf, *((2, "nuc") if len(EMPTY[name]) == 2 else (0, 3))):
        oracles.assert_derivatives(lambda x, p=p: np.linalg.norm(x, p), np.zeros(EMPTY[name]))


@pytest.mark.parametrize("p", [-2, -1, 0.5, -np.inf])
def test_norm_of_an_order_below_one_at_a_zero_entry(p: float) -> None:
    """To both sides of it the norm changes alike, so the derivative is taken as 0."""
    x = np.array([0.0, 2, -3])
    with np.errstate(divide="ignore"):
        value, d = dout.value_and_grad(lambda x: np.linalg.norm(x, p))(x)
        assert value == np.linalg.norm(x, p)
    assert d[0] == 0
    if p == 0.5:
        expected = dout.grad(lambda x: np.linalg.norm(x, p))(x[1:])
        np.testing.assert_allclose(d[1:], expected)
    else:
        np.testing.assert_array_equal(d, 0)


def test_norms_where_singular_values_repeat_or_are_zero() -> None:
    """Kinks like those of max and abs: the tied ones share, and zeros have 0; where all weigh the same there is none."""
    eye = np.eye(3)
    np.testing.assert_allclose(dout.grad(lambda a: np.linalg.norm(a, "nuc"))(eye), eye, atol=1e-15)
    np.testing.assert_allclose(dout.grad(lambda a: np.linalg.norm(a, 2))(eye), eye / 3, atol=1e-15)
    np.testing.assert_allclose(dout.grad(lambda a: np.linalg.norm(a, -2))(eye), eye / 3, atol=1e-15)
    np.testing.assert_allclose(dout.grad(lambda a: np.linalg.norm(a, "nuc"))(np.diag([2.0, 0])), np.diag([1.0, 0]))
    np.testing.assert_array_equal(dout.grad(lambda a: np.linalg.norm(a, -2))(np.diag([2.0, 0])), 0)
    rotation = np.linalg.qr(oracles.array(3, 3))[0]
    np.testing.assert_allclose(dout.grad(lambda a: np.linalg.norm(a, "nuc"))(rotation), rotation, atol=1e-14)
    oracles.assert_derivatives(lambda a: np.linalg.norm(a, "nuc"), rotation, rtol=1e-7)
    oracles.assert_derivatives(lambda a: np.linalg.norm(a, 2), np.diag([3.0, 1, 1]), rtol=1e-7)


COND = [None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"]


@pytest.mark.parametrize("p", COND)
def test_cond(p) -> None:
    for a in (well(3, 3), well(2, 3, 3), well(2, 2, kind="complex")):
        oracles.assert_derivatives(
            lambda a: np.linalg.cond(a, p), a, order=2 if a.dtype == float else 1, rtol=1e-6, atol=1e-6
        )
        narrow(lambda a: np.linalg.cond(a, p), a)
    oracles.assert_like_jax(lambda xp, a: xp.linalg.cond(a, p), well(3, 3), rtol=1e-9)
    if p in (None, 2, -2):
        oracles.assert_derivatives(lambda a: np.linalg.cond(a, p), MATRIX, rtol=1e-7)


@pytest.mark.parametrize("p", [p for p in COND if p != "nuc"])  # for that NumPy raises
def test_cond_of_a_singular_matrix(p) -> None:
    a = np.stack([np.zeros((2, 2)), well(2, 2), np.ones((2, 2)) if p is not None else np.diag([1.0, 0])])
    out, pullback = dout.vjp(lambda a: np.linalg.cond(a, p), a)
    oracles.assert_same(out, np.linalg.cond(a, p))
    with pytest.warns(RuntimeWarning, match=r"np.linalg.cond: .* NaN"):
        (found,) = pullback(np.ones(3))
    assert np.all(np.isnan(found[0]))
    assert np.all(np.isfinite(found[2]) if p == -2 else np.isnan(found[2]))
    np.testing.assert_allclose(found[1], dout.grad(lambda a: np.linalg.cond(a, p))(a[1]))
    np.testing.assert_array_equal(pullback(np.array([0.0, 1, 0]))[0][0], 0)
    with pytest.warns(RuntimeWarning, match=r"np.linalg.cond"):
        assert np.isnan(dout.jvp(lambda a: np.linalg.cond(a, p), (a[0],), (a[1],))[1])


#: What NumPy rejects, and what it says.
REJECTED = {
    "order of a matrix": (lambda x: np.linalg.norm(x, 3), ValueError, "3|order"),
    "nonsense": (lambda x: np.linalg.norm(x, "nonsense"), ValueError, "order"),
    "fro of a vector": (lambda x: np.linalg.norm(x, "fro", axis=0), ValueError, "fro"),
    "axis": (lambda x: np.linalg.norm(x, axis=2), np.exceptions.AxisError, "axis 2"),
    "axes": (lambda x: np.linalg.norm(x, axis=(0, 0)), ValueError, "repeated|Duplicate"),
    "three axes": (lambda x: np.linalg.norm(x[None], 1), ValueError, "dimensions"),
    "cond of nothing": (lambda x: np.linalg.cond(x[:0]), np.linalg.LinAlgError, "empty"),
    "cond, not square": (lambda x: np.linalg.cond(x, 1), np.linalg.LinAlgError, "square"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_numpy_rejects(name: str) -> None:
    run, error, says = REJECTED[name]
    with pytest.raises(error):
        run(MATRIX)
    with pytest.raises(error, match=says):
        dout.vjp(run, MATRIX)

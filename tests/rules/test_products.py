"""Products: values as NumPy's, derivatives by differences, JAX as a second opinion."""

import numpy as np
import oracles
import pytest

import dout

#: A product that NumPy takes another way round adds up in another order: a few roundings.
ROUNDED = 1e-14


def shaped(*shape: int, seed: int = 0, kind: str = "float"):
    return oracles.array(*shape, seed=seed, kind=kind)


SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((3,), (2, 3, 2)),
    ((2, 2, 3), (3,)),
    ((2, 3), (2, 3, 2)),
    ((2, 2, 3), (3, 2)),
    ((2, 2, 3), (2, 3, 2)),
    ((1, 2, 3), (2, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 1)),
    ((2, 1, 1, 3), (1, 3, 3, 1)),
    ((1,), (1, 1)),
    ((0,), (0,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 2)),
    ((0, 2, 3), (3,)),
    ((3,), (0, 3, 2)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_matmul(shapes) -> None:
    x, y = shaped(*shapes[0]), shaped(*shapes[1], seed=1)
    oracles.assert_derivatives(lambda x, y: x @ y, x, y)
    oracles.assert_like_jax(lambda xp, x, y: xp.matmul(x, y), x, y)
    oracles.assert_narrow(np.matmul, x, y)
    oracles.assert_derivatives(lambda x, y: np.matmul(x[..., ::-1], np.copy(y.T).T), x, y, order=1)
    oracles.assert_derivatives(np.linalg.matmul, x, y, order=1) if min(x.ndim, y.ndim) > 1 else None
    constant = y
    oracles.assert_derivatives(lambda x: x @ constant, x, order=1)
    constant = x
    oracles.assert_derivatives(lambda y: constant @ y, y, order=1)


@pytest.mark.parametrize("shapes", SHAPES[:10], ids=str)
def test_matmul_complex(shapes) -> None:
    x, y, z = shaped(*shapes[0], kind="complex"), shaped(*shapes[1], seed=1), shaped(*shapes[1], kind="complex")
    oracles.assert_derivatives(lambda x, y: x @ y, x, y, order=1)
    oracles.assert_derivatives(lambda x, y: x @ y, x, z, order=1)
    oracles.assert_like_jax(lambda xp, x, y: x @ y, x, z)


DOT = [
    ((), ()),
    ((), (2, 3)),
    ((2, 3), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((2, 2, 3), (3,)),
    ((2, 2, 3), (3, 2)),
    ((3,), (2, 3, 2)),
    ((2, 3), (2, 3, 2)),
    ((2, 1, 3), (2, 3, 2)),
    ((0, 3), (3, 2)),
    ((2, 0), (0,)),
]


@pytest.mark.parametrize("shapes", DOT, ids=str)
def test_dot(shapes) -> None:
    x, y = shaped(*shapes[0]), shaped(*shapes[1], seed=1)
    oracles.assert_derivatives(np.dot, np.asarray(x), np.asarray(y), value_rtol=ROUNDED)
    if shapes[0]:
        oracles.assert_derivatives(lambda x, y: x.dot(y), x, y, order=1, value_rtol=ROUNDED)
    oracles.assert_like_jax(lambda xp, x, y: xp.dot(x, y), x, y)


INNER = [((), (3,)), ((2,), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 2, 3), (2, 3)), ((0, 3), (2, 3))]


@pytest.mark.parametrize("shapes", INNER, ids=str)
def test_inner(shapes) -> None:
    x, y = shaped(*shapes[0]), shaped(*shapes[1], seed=1)
    oracles.assert_derivatives(np.inner, np.asarray(x), np.asarray(y), value_rtol=ROUNDED)
    oracles.assert_like_jax(lambda xp, x, y: xp.inner(x, y), x, y)


TABLE = {
    "outer": (lambda xp, x, y: xp.outer(x, y), (3,), (2,)),
    "outer of matrices": (lambda xp, x, y: xp.outer(x, y), (2, 2), (1, 3)),
    "outer of a number": (lambda xp, x, y: xp.outer(x, y), (), (3,)),
    "outer of empty": (lambda xp, x, y: xp.outer(x, y), (0,), (3,)),
    "linalg.outer": (lambda xp, x, y: xp.linalg.outer(x, y), (3,), (2,)),
    "vdot": (lambda xp, x, y: xp.vdot(x, y), (3,), (3,)),
    "vdot of matrices": (lambda xp, x, y: xp.vdot(x, y), (2, 3), (2, 3)),
    "tensordot": (lambda xp, x, y: xp.tensordot(x, y), (2, 2, 3), (2, 3, 2)),
    "tensordot 0": (lambda xp, x, y: xp.tensordot(x, y, 0), (2,), (2, 3)),
    "tensordot 1": (lambda xp, x, y: xp.tensordot(x, y, axes=1), (2, 3), (3, 2, 2)),
    "tensordot 2 of matrices": (lambda xp, x, y: xp.tensordot(x, y, 2), (2, 3), (2, 3)),
    "tensordot pair": (lambda xp, x, y: xp.tensordot(x, y, (0, 1)), (2, 3), (3, 2)),
    "tensordot lists": (lambda xp, x, y: xp.tensordot(x, y, ([0, 1], [1, 0])), (2, 3, 2), (3, 2, 2)),
    "tensordot negative": (lambda xp, x, y: xp.tensordot(x, y, ((-1, 0), (0, -1))), (2, 3, 2), (2, 3, 2)),
    "tensordot no axes": (lambda xp, x, y: xp.tensordot(x, y, ((), ())), (2,), (3,)),
    "tensordot of empty": (lambda xp, x, y: xp.tensordot(x, y, 1), (2, 0), (0, 3)),
    "linalg.tensordot": (lambda xp, x, y: xp.linalg.tensordot(x, y, axes=1), (2, 3), (3, 2)),
    "kron": (lambda xp, x, y: xp.kron(x, y), (2, 3), (3, 2)),
    "kron 1-d": (lambda xp, x, y: xp.kron(x, y), (2,), (3,)),
    "kron 1-d, 2-d": (lambda xp, x, y: xp.kron(x, y), (3,), (2, 2)),
    "kron 2-d, 1-d": (lambda xp, x, y: xp.kron(x, y), (2, 2), (3,)),
    "kron 3-d": (lambda xp, x, y: xp.kron(x, y), (2, 1, 2), (1, 2, 2)),
}


@pytest.mark.parametrize("name", TABLE)
def test_others(name: str) -> None:
    f, *shapes = TABLE[name]
    x, y = (np.asarray(shaped(*s, seed=i)) for i, s in enumerate(shapes))
    oracles.assert_derivatives(lambda x, y: f(np, x, y), x, y, value_rtol=ROUNDED)
    oracles.assert_derivatives(lambda x, y: f(np, x.T.copy().T, y), x, y, order=1, value_rtol=ROUNDED)
    z = np.asarray(shaped(*shapes[0], kind="complex"))
    oracles.assert_derivatives(lambda x, y: f(np, x, y), z, y, order=1, value_rtol=ROUNDED)
    oracles.assert_derivatives(lambda y: f(np, z, y * 1j), y, order=1, value_rtol=ROUNDED)
    oracles.assert_like_jax(f, z, y)
    v = dout.vjp(lambda x, y: f(np, x, y), x.astype(np.float32), y.astype(np.float32))
    assert v[0].dtype == np.float32
    assert [d.dtype for d in v[1](np.ones_like(v[0]))] == [np.float32] * 2


def test_tensordot_axes_as_an_array() -> None:
    oracles.assert_derivatives(lambda x, y: np.tensordot(x, y, np.array([[0, 1], [0, 1]])), shaped(2, 3), shaped(2, 3))


def test_a_product_of_an_array_with_itself() -> None:
    oracles.assert_derivatives(lambda x: x @ x, shaped(3, 3))
    oracles.assert_derivatives(lambda x: x @ x.T, shaped(2, 3))
    oracles.assert_derivatives(lambda x: np.dot(x[0], x[0]), shaped(2, 3))
    oracles.assert_derivatives(lambda x: np.vdot(x, x), shaped(2, 3, kind="complex"), value_rtol=ROUNDED)


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        (lambda x: x @ 2.0, ValueError, "matmul"),
        (lambda x: x @ x, ValueError, "matmul"),
        (lambda x: np.dot(x, x), ValueError, "mismatch|aligned"),
        (lambda x: np.inner(x, x.T), ValueError, "mismatch"),
        (lambda x: np.vdot(x, x[0]), ValueError, "mismatch|same"),
        (lambda x: np.tensordot(x, x, 1), ValueError, "mismatch"),
        (lambda x: np.tensordot(x, x, ((0, 1), (0,))), ValueError, "mismatch"),
        (lambda x: np.tensordot(x, x, ((0, 0), (0, 1))), ValueError, "repeated"),
        (lambda x: np.tensordot(x, x, ((5,), (5,))), np.exceptions.AxisError, "axis 5"),
        (lambda x: np.tensordot(x, x, 3), np.exceptions.AxisError, "axis -3"),
        (lambda x: np.linalg.outer(x, x), ValueError, "one-dimensional"),
    ],
)  # fmt: skip
def test_refusals(run, error, says) -> None:
    with pytest.raises(error, match=says):
        dout.vjp(run, shaped(2, 3))

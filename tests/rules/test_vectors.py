"""Products of vectors, and the axes along which ufuncs on vectors and matrices run."""

import numpy as np
import oracles
import pytest

import dout

KINDS = ["float", "complex"]
#: How the operands' shapes stand, and what is done; `xp` is numpy, or jax.numpy where the last says so.
CASES = {
    "vecdot": (lambda xp, x, y: xp.vecdot(x, y), (2, 3, 4), (2, 3, 4), True),
    "vecdot, broadcast": (lambda xp, x, y: xp.vecdot(x, y), (2, 3, 4), (4,), True),
    "vecdot of vectors": (lambda xp, x, y: xp.vecdot(x, y), (4,), (4,), True),
    "vecdot of nothing": (lambda xp, x, y: xp.vecdot(x, y), (2, 0), (0,), False),
    "vecdot axis": (lambda xp, x, y: xp.vecdot(x, y, axis=0), (3, 2), (3, 2), True),
    "vecdot axis, keepdims": (lambda xp, x, y: xp.vecdot(x, y, axis=1, keepdims=True), (2, 3, 4), (2, 3, 4), False),
    "vecdot keepdims": (lambda xp, x, y: xp.vecdot(x, y, keepdims=True), (2, 3), (2, 3), False),
    "vecdot axes": (lambda xp, x, y: xp.vecdot(x, y, axes=[2, 0]), (2, 3, 4), (4,), False),
    "vecdot axes, keepdims": (
        lambda xp, x, y: xp.vecdot(x, y, axes=[(1,), (1,), (0,)], keepdims=True), (2, 3, 4), (2, 3, 4), False),
    "linalg.vecdot": (lambda xp, x, y: xp.linalg.vecdot(x, y, axis=-2), (2, 3, 4), (2, 3, 4), True),
    "matvec": (lambda xp, x, y: xp.matvec(x, y), (2, 3, 4), (4,), True),
    "matvec, broadcast": (lambda xp, x, y: xp.matvec(x, y), (3, 4), (2, 1, 4), True),
    "matvec axes": (lambda xp, x, y: xp.matvec(x, y, axes=[(2, 1), 0, 0]), (2, 3, 4), (3,), False),
    "vecmat": (lambda xp, x, y: xp.vecmat(x, y), (3,), (2, 3, 4), True),
    "vecmat, broadcast": (lambda xp, x, y: xp.vecmat(x, y), (2, 3), (1, 3, 2), True),
    "vecmat axes": (lambda xp, x, y: xp.vecmat(x, y, axes=[0, (1, 2), 0]), (3,), (2, 3, 4), False),
    "matmul axes": (lambda xp, x, y: xp.matmul(x, y, axes=[(0, 1), (2, 1), (0, 2)]), (2, 3, 5), (5, 4, 3), False),
    "matmul axes, a vector": (lambda xp, x, y: xp.matmul(x, y, axes=[(1, 2), (0,), (1,)]), (2, 3, 5), (5,), False),
    "cross": (lambda xp, x, y: xp.cross(x, y), (2, 3), (4, 2, 3), True),
    "cross of vectors": (lambda xp, x, y: xp.cross(x, y), (3,), (3,), True),
    "cross axis": (lambda xp, x, y: xp.cross(x, y, axis=0), (3, 2), (3, 2), True),
    "cross axes": (lambda xp, x, y: xp.cross(x, y, axisa=0, axisb=1, axisc=0), (3, 2), (2, 3), True),
    "linalg.cross": (lambda xp, x, y: xp.linalg.cross(x, y, axis=0), (3, 2), (3, 2), True),
    "linalg.cross, broadcast": (lambda xp, x, y: xp.linalg.cross(x, y), (2, 3), (3,), True),
    "linalg.outer": (lambda xp, x, y: xp.linalg.outer(x, y), (2,), (3,), True),
    "linalg.matmul": (lambda xp, x, y: xp.linalg.matmul(x, y), (2, 3), (3, 2), True),
    "linalg.tensordot": (lambda xp, x, y: xp.linalg.tensordot(x, y, axes=1), (2, 3), (3, 2), True),
}  # fmt: skip
if not hasattr(np, "matvec"):
    CASES = {name: case for name, case in CASES.items() if "matvec" not in name and "vecmat" not in name}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_products(name: str, kind: str) -> None:
    f, *shapes, jax = CASES[name]
    x, y = (oracles.array(*shape, kind=kind, seed=i) for i, shape in enumerate(shapes))
    oracles.assert_derivatives(lambda x, y: f(np, x, y), x, y)
    oracles.assert_derivatives(lambda x: f(np, x[..., ::-1], y), x, order=1)
    oracles.assert_derivatives(lambda y: f(np, x, y), np.asfortranarray(y), order=1)
    if jax:
        oracles.assert_like_jax(f, x, y)
    if kind == "float":
        oracles.assert_narrow(lambda x, y: f(np, x, y), x, y)
        mixed = oracles.array(*shapes[1], kind="complex", seed=1)
        oracles.assert_derivatives(lambda x, y: f(np, x, y), x, mixed, order=1, value_rtol=1e-13)  # NumPy casts first


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
@pytest.mark.parametrize("sizes", [(2, 2), (2, 3), (3, 2)], ids=str)
def test_cross_of_vectors_in_the_plane(sizes) -> None:
    oracles.assert_derivatives(np.cross, oracles.array(5, sizes[0]), oracles.array(5, sizes[1], seed=1))


#: What NumPy rejects, and what it says.
REJECTED = {
    "cross of a number": (lambda x: np.cross(x[0, 0], x), "zero dimension"),
    "cross, sizes": (lambda x: np.cross(x.T, x.T), "incompatible dimensions"),
    "linalg.cross, sizes": (lambda x: np.linalg.cross(x.T, x.T), "3-dimensional"),
    "vecdot, sizes": (lambda x: np.vecdot(x, x[:, :2]), "mismatch"),
    "axis of matvec": (lambda x: np.matvec(x, x[0], axis=0), "axis"),
    "axes": (lambda x: np.vecdot(x, x, axes=[0]), "axes"),
    "axis and axes": (lambda x: np.vecdot(x, x, axis=0, axes=[0, 0]), "axes"),
    "keepdims of matvec": (lambda x: np.matvec(x, x[0], keepdims=True), "keepdims"),
    "axis out of range": (lambda x: np.vecdot(x, x, axis=3), "axis 3"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_numpy_rejects(name: str) -> None:
    run, says = REJECTED[name]
    with pytest.raises(Exception, match=says) as numpys:
        run(oracles.array(4, 3))
    with pytest.raises(numpys.type, match=says):
        dout.vjp(run, oracles.array(4, 3))


def test_out() -> None:
    def f(x):
        target = np.zeros_like(x, shape=(2,))
        np.vecdot(x, x, out=target)
        return target

    oracles.assert_derivatives(f, oracles.array(2, 3))

"""Functions that choose, insert, drop and arrange entries."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(3, 4)
ROW = oracles.array(5)
PAIR = oracles.array(2, seed=7)
ZEROS = np.array([0.0, 0.0, 1.5, 0.0, -2.5, 0.0])
TIES = np.array([2.0, 1.0, 2.0, 3.0, 1.0])

PATTERNS = {
    "insert": (lambda x, v: np.insert(x, 2, v), ROW, 0.3),
    "insert several": (lambda x, v: np.insert(x, [3, 1], v), ROW, PAIR),
    "insert slice": (lambda x, v: np.insert(x, slice(0, 2), v), ROW, PAIR),
    "insert mask": (lambda x: np.insert(x, np.array([True, False, True, False, False]), [1.0, 2.0]), ROW),
    "insert column": (lambda x, v: np.insert(x, 1, v, axis=1), X, oracles.array(3, seed=1)),
    "insert flat": (lambda x: np.insert(x, -1, 9.0), X),
    "append": (lambda x, y: np.append(x, y), X, ROW),
    "append axis": (lambda x, y: np.append(x, y, axis=0), X, oracles.array(1, 4, seed=3)),
    "delete": (lambda x: np.delete(x, [0, -1]), ROW),
    "delete axis": (lambda x: np.delete(x, 1, axis=1), X),
    "delete slice": (lambda x: np.delete(x, slice(None, None, 2), 0), X),
    "resize": (lambda x: np.resize(x, (2, 7)), ROW),
    "resize smaller": (lambda x: np.resize(x, 2), X),
    "extract": (lambda x: np.extract(x > 0, x), X),
    "compress": (lambda x: np.compress([True, False, True], x, axis=0), X),
    "compress flat": (lambda x: np.compress([0, 1, 1, 0, 1], x), X),
    "rollaxis": (lambda x: np.rollaxis(x, 1), X),
    "rollaxis start": (lambda x: np.rollaxis(x, 0, 2), X),
    "diagflat": (lambda x: np.diagflat(x, 1), PAIR),
    "trim_zeros": (lambda x: np.trim_zeros(x * ZEROS), 1.5),
    "trim_zeros front": (lambda x: np.trim_zeros(x * ZEROS, "f"), 1.5),
    "block": (lambda x, y: np.block([[x, x * 2], [y, 1.0]]), X[:1, :2], oracles.array(1, 3, seed=2)),
    "block deep": (lambda x: np.block([[[x], [x[:, ::-1]]]]), X),
    "choose": (lambda x, y: np.choose([2, 0, 1, 0, 2], [x, y, x * y]), ROW, 0.5),
    "choose mode": (lambda x: np.choose([[0], [5]], [x, -x], mode="clip"), ROW),
    "select": (lambda x, y: np.select([x > 1, x < -1], [x * x, y], 7.5), ROW, oracles.array(5, seed=2)),
    "select default": (lambda x, y: np.select([x > 1], [x], y), ROW, 0.5),
    "piecewise": (lambda x: np.piecewise(x, [x < 0, x > 1], [lambda t: t * t, np.exp]), X),
    "piecewise otherwise": (lambda x: np.piecewise(x, x < 0, [lambda t: -t, 3.0]), ROW),
    "piecewise arguments": (lambda x: np.piecewise(x, [x < 0], [lambda t, k: k * t, 1.0], 3.0), ROW),
    "unique": (lambda x: np.unique(x), X),
    "unique ties": (lambda x: np.unique(x, return_counts=True)[0], X),
    "unique axis": (lambda x: np.unique(x, axis=0), X),
    "unique_values": (lambda x: np.sort(np.unique_values(x)), X),
    "unique_counts": (lambda x: np.unique_counts(x).values, X),
    "unique_all": (lambda x: np.unique_all(x).values, X),
    "unique_inverse": (lambda x: np.unique_inverse(x).values, X),
    "union1d": (lambda x, y: np.union1d(x, y), ROW, PAIR),
    "setdiff1d": (lambda x: np.setdiff1d(x, [9.0]), ROW),
    "setxor1d": (lambda x, y: np.setxor1d(x, y), ROW, PAIR),
    "intersect1d": (lambda x: np.intersect1d(x, TIES) * 1.0, ROW),
    "meshgrid": (lambda x, y: tuple(np.meshgrid(x, y)), ROW, PAIR),
    "meshgrid ij": (lambda x, y: tuple(np.meshgrid(x, y, [1.0, 2.0], indexing="ij")), ROW, PAIR),
    "meshgrid sparse": (lambda x, y: tuple(np.meshgrid(x, y, sparse=True, copy=False)), ROW, PAIR),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda r: r[1:] * r[0], 0, X * x), 1.5),
    "apply_along_axis of x": (lambda x: np.apply_along_axis(lambda r: r[1:] * r[0], 0, x), X),
    "apply_along_axis number": (lambda x: np.apply_along_axis(np.sum, 1, x), X),
    "apply_along_axis matrix": (lambda x: np.apply_along_axis(np.diag, 1, x), X),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x, [0, -1]), X),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f, *args = PATTERNS[name]
    oracles.assert_derivatives(f, *args)


@pytest.mark.parametrize("name", ["insert", "delete", "select", "piecewise", "unique", "append"])
def test_narrow_dtypes(name):
    f, *args = PATTERNS[name]
    oracles.assert_narrow(f, *args)


def test_dtype_is_that_of_the_array():
    narrow = ROW.astype(np.float32)
    assert dout.vjp(lambda v: np.insert(narrow, 1, v), 0.5)[0].dtype == np.float32
    assert dout.vjp(lambda x: np.select([x > 0], [x], 1.0), narrow)[0].dtype == np.float32


def test_one_of_equal_entries_has_the_derivative():
    np.testing.assert_array_equal(dout.grad(lambda x: np.sum(np.unique(x)))(TIES), [1, 1, 0, 1, 0])


def test_piecewise_of_a_number():
    assert dout.grad(lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda t: -t, lambda t: t * t]))(3.0) == 6.0


REFUSED = [
    (lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]), ROW, ValueError),
    (lambda x: np.delete(x, 17), ROW, IndexError),
    (lambda x: np.insert(x, [1, 2], [1.0, 2.0, 3.0]), ROW, ValueError),
    (lambda x: np.choose([5], [x]), ROW, ValueError),
    (lambda x: np.meshgrid(x, indexing="no"), ROW, ValueError),
    (lambda x: np.trim_zeros(x, "q"), ROW, ValueError),
    (lambda x: np.rollaxis(x, 0, 7), ROW, np.exceptions.AxisError),
]


@pytest.mark.parametrize(("f", "x", "error"), REFUSED)
def test_what_numpy_refuses(f, x, error):
    with pytest.raises(error):
        f(x)
    with pytest.raises(error):
        dout.vjp(f, x)


def test_row_stack():
    with pytest.warns(DeprecationWarning, match="row_stack"):
        assert dout.grad(lambda x: np.sum(np.row_stack([x, x * x])))(PAIR).shape == (2,)  # noqa: NPY201

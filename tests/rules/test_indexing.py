"""Reading entries by every kind of index, and the functions made of that."""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import dout

A = oracles.array(3, 4)
C = oracles.array(2, 3, 4)
ROW = oracles.array(5)
SQUARE = oracles.array(4, 4)
STRIDED = oracles.array(6, 8)[::2, ::-2]
COMPLEX = oracles.array(3, 4, kind="complex")
MASK = np.array([[True, False, True, False], [False] * 4, [True] * 4])
PLACES = np.array([2, 0, 2, -1])

KEYS = {
    "int": 1,
    "negative int": -1,
    "NumPy int": np.int64(2),
    "ints": (1, 2),
    "slice": slice(1, None),
    "slice with a step": slice(None, None, 2),
    "negative step": slice(None, None, -1),
    "negative step, bounds": (slice(None), slice(3, 0, -2)),
    "empty slice": slice(2, 2),
    "past the end": slice(1, 100),
    "None": None,
    "newaxis inside": (slice(None), np.newaxis, 1),
    "Ellipsis": Ellipsis,
    "Ellipsis, int": (Ellipsis, 0),
    "int, Ellipsis": (0, Ellipsis),
    "all ints and Ellipsis": (1, 2, Ellipsis),
    "None, Ellipsis, None": (None, Ellipsis, None),
    "no index": (),
    "int array": PLACES,
    "list": [2, 0, 1],
    "list with duplicates": [1, 1, 1],
    "unsigned array": np.array([0, 2, 2], np.uint8),
    "2-d int array": np.array([[0, 1], [2, 0]]),
    "0-d int array": np.array(1),
    "empty int array": np.array([], int),
    "empty list": [],
    "range": range(2),
    "two arrays": (np.array([0, 1, 2, 0]), np.array([3, 3, 0, 3])),
    "two lists": ([0, 0], [1, 1]),
    "broadcast arrays": (np.array([[0], [2]]), np.array([1, 3, 1])),
    "array and slice": (PLACES, slice(1, 3)),
    "slice and array": (slice(None, None, 2), PLACES),
    "array and int": (PLACES, 1),
    "array and None": (PLACES, None),
    "None between": (None, PLACES, slice(None), None),
    "Ellipsis and array": (Ellipsis, [0, 0, 1]),
    "mask": MASK,
    "mask of nothing": np.zeros((3, 4), bool),
    "mask of rows": np.array([True, False, True]),
    "list of bools": [True, False, True],
    "mask and int": (np.array([True, False, True]), 1),
    "slice and mask": (slice(None), np.array([True, False, True, True])),
    "mask and array": (np.array([True, False, True]), np.array([1, 1])),
    "True": True,
    "False": False,
    "0-d bool array": np.array(True),
    "bool and slice": (True, slice(1)),
    "ix_": np.ix_([0, 2], [3, 0, 0]),
    "ix_ of bools": np.ix_([True, False, True], [0, 1]),
    "s_": np.s_[1:, ::2],
    "nonzero": np.nonzero(MASK),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(name: str) -> None:
    key = KEYS[name]
    for x in (A, STRIDED, COMPLEX, A.T.copy().T):
        oracles.assert_derivatives(lambda x: x[key], x, order=1)
    oracles.assert_derivatives(lambda x: (x * x)[key], A)
    oracles.assert_derivatives(lambda x: x[key] * x[key], A)
    oracles.assert_narrow(lambda x: x[key], A)


#: JAX takes no lists and ranges.
NOT_IN_JAX = {
    "list", "list with duplicates", "empty list", "two lists", "range", "Ellipsis and array", "list of bools",
}  # fmt: skip


def test_keys_in_jax() -> None:
    """All in one function, which JAX compiles once."""
    jax = pytest.importorskip("jax")
    keys = [key for name, key in KEYS.items() if name not in NOT_IN_JAX]

    def all_of_them(xp, x):
        return xp.concatenate([xp.ravel(x[key] * x[key]) for key in keys])

    oracles.assert_like_jax(
        lambda xp, x: all_of_them(np, x) if xp is np else jax.jit(lambda x: all_of_them(xp, x))(x), A
    )


MORE_KEYS = {
    "arrays apart": (PLACES % 2, slice(None), np.array([0, 1, 1, 3])),
    "arrays together": (slice(None), np.array([0, 1]), np.array([1, 1])),
    "int, slice, array": (1, slice(None), [0, 0, 2]),
    "array, None, array": ([0, 1], None, [1, 1]),
    "array, Ellipsis": ([1, 1], Ellipsis),
    "Ellipsis, array, slice": (Ellipsis, [2, 0], slice(1, None)),
    "2-d mask, slice": (np.array([[True, False, True], [False, True, True]]), slice(None, None, 2)),
    "slice, 2-d mask": (1, np.arange(12).reshape(3, 4) % 5 == 0),
    "two masks": (np.array([True, True]), slice(None), np.array([True, False, True, False])),
    "ix_": np.ix_([1, 0], [0, 0], [3]),
    "three slices": (slice(None, None, -1), slice(1, 2), slice(None, None, 3)),
}


@pytest.mark.parametrize("name", MORE_KEYS)
def test_keys_of_three_axes(name: str) -> None:
    oracles.assert_derivatives(lambda x: x[MORE_KEYS[name]] ** 2, C)


@pytest.mark.parametrize("key", [(), Ellipsis, None, (None, Ellipsis), True, np.array(False)])
def test_keys_of_no_axes(key) -> None:
    oracles.assert_derivatives(lambda x: (x * x)[key], np.array(1.5))


@pytest.mark.parametrize("key", [slice(None), [], np.zeros((0, 3), bool), (slice(None), [1, 1]), (Ellipsis, 0)])
def test_keys_of_an_empty_array(key) -> None:
    oracles.assert_derivatives(lambda x: (x * x)[key], np.zeros((0, 3)))


def test_an_index_is_kept_as_it_was() -> None:
    """The loop's own index array is written to after it is used."""
    places = np.array([0, 0])

    def f(x):
        total = 0.0
        for i in range(3):
            places[:] = i
            total = total + np.sum(x[places] * (i + 1))
        places[:] = 0
        return total

    np.testing.assert_array_equal(dout.grad(f)(np.ones(3)), [2.0, 4.0, 6.0])


def test_a_key_may_come_from_a_variable() -> None:
    oracles.assert_derivatives(lambda x: x[x > 0] ** 2, A)
    oracles.assert_derivatives(lambda x: x[np.argsort(x)] * np.arange(5), ROW)
    oracles.assert_derivatives(lambda x: x[np.argmax(x)] ** 2, ROW)
    oracles.assert_derivatives(lambda x: x[np.nonzero(x > 0.5)], A)
    with pytest.raises(IndexError):
        dout.vjp(lambda x: x[x], ROW)


@pytest.mark.parametrize(
    "key",
    [
        5,
        (0, 9),
        [7],
        (0, 0, 0),
        1.0,
        "a",
        (Ellipsis, Ellipsis),
        np.zeros((2, 2), bool),
        np.array([0.5]),
        ([0, 1], [0, 1, 2]),
    ],
)
def test_refused_as_in_numpy(key) -> None:
    with pytest.raises((IndexError, TypeError)) as ours:
        dout.vjp(lambda x: x[key], A)
    with pytest.raises((IndexError, TypeError)) as theirs:
        A[key]
    assert str(ours.value) == str(theirs.value)


def test_iteration() -> None:
    oracles.assert_derivatives(lambda x: np.stack([row * i for i, row in enumerate(x)]), A)
    oracles.assert_derivatives(lambda x: [a * b for a, b, *_ in x], A)
    oracles.assert_derivatives(lambda x: list(x * x), ROW)
    oracles.assert_derivatives(lambda x: [y * y for y in reversed(x)], ROW)
    assert list(dout.Variable(np.zeros((0, 3)))) == []
    with pytest.raises(TypeError, match="0-d"):
        iter(dout.Variable(np.array(1.0)))


FUNCTIONS = {
    "take": (lambda xp, x: xp.take(x, np.array([1, 0, 1])), A),
    "take int": (lambda xp, x: xp.take(x, 5), A),
    "take axis": (lambda xp, x: xp.take(x, np.array([[1, 0], [1, 1]]), axis=1), A),
    "take one of an axis": (lambda xp, x: xp.take(x, 2, axis=0), A),
    "take negative": (lambda xp, x: xp.take(x, np.array([-1, -4]), axis=-1, mode="wrap"), A),
    "take wrap": (lambda xp, x: xp.take(x, np.array([5, -3, 100]), axis=1, mode="wrap"), A),
    "take clip": (lambda xp, x: xp.take(x, np.array([-5, 2, 100]), axis=0, mode="clip"), A),
    "take of strided": (lambda xp, x: xp.take(x, np.array([1, 7])), STRIDED),
    "take_along_axis": (lambda xp, x: xp.take_along_axis(x, np.array([[0, 0], [1, 3], [2, 2]]), axis=1), A),
    "take_along_axis broadcast": (lambda xp, x: xp.take_along_axis(x, np.array([[0], [2]]), axis=0), A),
    "take_along_axis 0": (lambda xp, x: xp.take_along_axis(x, np.array([[2, 0, 1, 1]]), axis=0), A),
    "take_along_axis last": (lambda xp, x: xp.take_along_axis(x, np.array([[3], [0], [0]]), -1), A),
    "take_along_axis 3-d": (lambda xp, x: xp.take_along_axis(x, np.array([[[1]], [[0]]]), axis=1), C),
    "take_along_axis None": (lambda xp, x: xp.take_along_axis(x, np.array([4, 4, -1]), axis=None), A),
    "diagonal": (lambda xp, x: xp.diagonal(x), A),
    "diagonal above": (lambda xp, x: xp.diagonal(x, 2), A),
    "diagonal below": (lambda xp, x: xp.diagonal(x, offset=-1), A),
    "diagonal outside": (lambda xp, x: xp.diagonal(x, 9), A),
    "diagonal 3-d": (lambda xp, x: xp.diagonal(x), C),
    "diagonal 3-d axes": (lambda xp, x: xp.diagonal(x, 1, 2, 0), C),
    "diagonal 3-d negative axes": (lambda xp, x: xp.diagonal(x, -1, -2, -1), C),
    "linalg.diagonal": (lambda xp, x: xp.linalg.diagonal(x, offset=1), C),
    "diag of a matrix": (lambda xp, x: xp.diag(x, 1), A),
    "diag of a vector": (lambda xp, x: xp.diag(x), ROW),
    "diag of a vector above": (lambda xp, x: xp.diag(x, 2), ROW),
    "diag of a vector below": (lambda xp, x: xp.diag(x, -1), ROW),
    "triu": (lambda xp, x: xp.triu(x), A),
    "triu above": (lambda xp, x: xp.triu(x, 1), C),
    "tril": (lambda xp, x: xp.tril(x), A),
    "tril below": (lambda xp, x: xp.tril(x, k=-1), C),
    "sort": (lambda xp, x: xp.sort(x), A),
    "sort axis": (lambda xp, x: xp.sort(x, axis=0), A),
    "sort None": (lambda xp, x: xp.sort(x, axis=None), A),
    "sort stable": (lambda xp, x: xp.sort(x, stable=True), A),
    "sort row": (lambda xp, x: xp.sort(x), ROW),
    "diagonal of complex": (lambda xp, x: xp.diagonal(x, 1), COMPLEX),
    "diag of complex": (lambda xp, x: xp.diag(x[0]), COMPLEX),
    "triu of complex": (lambda xp, x: xp.triu(x), COMPLEX),
    "sort of complex": (lambda xp, x: xp.sort(x, axis=0), COMPLEX),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    f, x = FUNCTIONS[name]
    oracles.assert_derivatives(lambda x: f(np, x), x, order=1)
    oracles.assert_derivatives(lambda x: f(np, x) ** 2, x)
    if x.dtype != complex:
        oracles.assert_narrow(lambda x: f(np, x), x)


def test_functions_in_jax() -> None:
    jax = pytest.importorskip("jax")

    def all_of_them(xp, *xs):
        return xp.concatenate([xp.ravel(f(xp, x * x)) for (f, _), x in zip(FUNCTIONS.values(), xs, strict=True)])

    xs = [x for _, x in FUNCTIONS.values()]
    oracles.assert_like_jax(
        lambda xp, *xs: all_of_them(np, *xs) if xp is np else jax.jit(lambda *xs: all_of_them(xp, *xs))(*xs), *xs
    )


NUMPY_ONLY = {
    "triu 1-d": (lambda x: np.triu(x), ROW),
    "take list": (lambda x: np.take(x, [[2], [1]]), ROW),
    "take bools": (lambda x: np.take(x, [True, False, True]), ROW),
    "take out of an empty array": (lambda x: np.take(x, np.array([], int)), ROW[:0]),
    "x.take": (lambda x: x.take([1, 1], axis=1), A),
    "x.diagonal": (lambda x: x.diagonal(1), A),
    "diagonal of empty": (lambda x: np.diagonal(x), np.zeros((0, 3))),
    "diag of empty": (lambda x: np.diag(x), np.zeros(0)),
    "diag of empty above": (lambda x: np.diag(x, 1), np.zeros(0)),
    "triu of empty": (lambda x: np.triu(x), np.zeros((0, 3))),
    "sort of empty": (lambda x: np.sort(x, axis=0), np.zeros((0, 3))),
    "sort kinds": (lambda x: np.sort(x, kind="mergesort") + np.sort(x, kind="heapsort"), ROW),
    "diagonal then more": (lambda x: np.diagonal(x) * np.diagonal(x, 1)[0], SQUARE),
}


@pytest.mark.parametrize("name", NUMPY_ONLY)
def test_functions_as_in_numpy(name: str) -> None:
    f, x = NUMPY_ONLY[name]
    oracles.assert_derivatives(lambda x: f(x * x), x)


def test_functions_without_a_derivative_give_plain_integers() -> None:
    v = dout.Variable(ROW)
    for f in (np.argsort, np.flatnonzero, np.argwhere, lambda x: np.nonzero(x)[0], lambda x: np.searchsorted(x, 0.0)):
        oracles.assert_same(f(v), f(ROW))
    oracles.assert_same(np.searchsorted(np.arange(3.0), v), np.searchsorted(np.arange(3.0), ROW))
    oracles.assert_same(np.digitize(v, [0.0, 1.0]), np.digitize(ROW, [0.0, 1.0]))


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        (lambda x: np.take(x, 99), IndexError, "99"),
        (lambda x: np.take(x, [0.5]), IndexError, "integer"),
        (lambda x: np.take(x, 0, axis=3), np.exceptions.AxisError, "axis 3"),
        (lambda x: np.take(x, 0, mode="near"), ValueError, "mode"),
        (lambda x: np.take_along_axis(x, np.array([0]), 1), ValueError, "dimensions"),
        (lambda x: np.take_along_axis(x, np.array([[0]]), None), ValueError, "dimensions"),
        (lambda x: np.take_along_axis(x, np.zeros((2, 1), int), 1), IndexError, "broadcast"),
        (lambda x: np.take_along_axis(x, np.zeros((3, 1)), 1), IndexError, "integer"),
        (lambda x: np.diagonal(x, 0, 1, 1), ValueError, "repeated axis"),
        (lambda x: np.diagonal(x[0]), np.exceptions.AxisError, "axis 1"),
        (lambda x: np.diag(x[None]), ValueError, "1- or 2-d"),
        (lambda x: np.diag(x[0, 0]), ValueError, "1- or 2-d"),
        (lambda x: np.sort(x, order="a"), ValueError, "order"),
        (lambda x: np.sort(x, 2), np.exceptions.AxisError, "axis 2"),
    ],
)  # fmt: skip
def test_refusals(run, error, says) -> None:
    with pytest.raises(error, match=says):
        dout.vjp(run, A)


SHAPES = npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
QUIET = settings(derandomize=True, deadline=None, max_examples=60)


@st.composite
def arrays_and_keys(draw):
    """An array and an index of any kind that suits it."""
    shape = draw(SHAPES)
    kinds = [npst.basic_indices(shape, allow_newaxis=True)]
    if 0 not in shape:
        kinds.append(npst.integer_array_indices(shape))
    kinds.append(npst.arrays(bool, shape))
    key = draw(st.one_of(kinds))
    return oracles.array(*shape), key


@QUIET
@given(arrays_and_keys())
def test_any_key(pair) -> None:
    """Reading is linear: the derivative puts each dout back where it was read, adding up."""
    x, key = pair
    out, pullback = dout.vjp(lambda x: x[key], x)
    oracles.assert_same(out, x[key])
    douts = np.arange(1.0, np.size(out) + 1).reshape(np.shape(out))
    places = np.arange(x.size).reshape(x.shape)[key]
    expected = np.bincount(np.ravel(places), np.ravel(douts), minlength=x.size).reshape(x.shape)
    np.testing.assert_array_equal(pullback(douts)[0], expected)
    again = dout.grad(lambda y: np.sum(dout.vjp(lambda x: x[key] ** 2, y)[1](douts)[0]))(x)
    np.testing.assert_allclose(again, 2 * expected)

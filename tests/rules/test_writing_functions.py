"""Functions that write into their first argument, each on a copy of x."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(3, 4)
ROW = oracles.array(5)
PAIR = oracles.array(2, seed=7)
MASK = X > 0.3


def on_copy(write):
    def f(x, *args):
        x = x.copy()
        write(x, *args)
        return x

    return f


PATTERNS = {
    "put": (on_copy(lambda x, v: np.put(x, [1, -1], v)), X, PAIR),
    "put repeated": (on_copy(lambda x, v: np.put(x, [1, 3, 5, 7], v)), X, PAIR),
    "put one": (on_copy(lambda x, v: np.put(x, 2, v)), ROW, 0.7),
    "put twice": (on_copy(lambda x, v: np.put(x, [1, 1], v)), ROW, PAIR),
    "put clip": (on_copy(lambda x: np.put(x, [99], 1.0, mode="clip")), X),
    "put wrap": (on_copy(lambda x, v: np.put(x, [13], v, mode="wrap")), X, 0.5),
    "place": (on_copy(lambda x, v: np.place(x, MASK, v)), X, PAIR),
    "putmask": (on_copy(lambda x, v: np.putmask(x, MASK, v)), X, PAIR),
    "putmask whole": (on_copy(lambda x, v: np.putmask(x, MASK, v)), X, oracles.array(3, 4, seed=4)),
    "copyto": (on_copy(lambda x, v: np.copyto(x, v)), X, oracles.array(4)),
    "copyto where": (on_copy(lambda x, v: np.copyto(x, v, where=MASK)), X, 0.5),
    "put_along_axis": (
        on_copy(lambda x, v: np.put_along_axis(x, np.array([[1], [0], [3]]), v, 1)), X, oracles.array(3, 1)),
    "put_along_axis flat": (on_copy(lambda x, v: np.put_along_axis(x, np.array([1, 5]), v, None)), X, PAIR),
    "fill_diagonal": (on_copy(lambda x, v: np.fill_diagonal(x, v)), X, 0.5),
    "fill_diagonal values": (on_copy(lambda x, v: np.fill_diagonal(x, v)), X, oracles.array(3)),
    "fill_diagonal wrap": (on_copy(lambda x, v: np.fill_diagonal(x, v, wrap=True)), oracles.array(7, 3), PAIR),
    "fill_diagonal cube": (on_copy(lambda x, v: np.fill_diagonal(x, v)), oracles.array(2, 2, 2), 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f, *args = PATTERNS[name]
    oracles.assert_derivatives(f, *args)


def test_views_see_it():
    def f(x):
        x = x * 1.0
        part = x[1]
        np.fill_diagonal(x, 0.0)
        np.put(part, 0, 5.0)
        return np.sum(part * part) + np.sum(x)

    oracles.assert_derivatives(f, X)


REFUSED = [
    (lambda x: np.put(x * 1, 99, 1.0), IndexError),
    (lambda x: np.place(x * 1, MASK, []), ValueError),
    (lambda x: np.putmask(x * 1, MASK[:2], 1.0), ValueError),
    (lambda x: np.copyto(x * 1, 1j), TypeError),
    (lambda x: np.fill_diagonal(x[0] * 1, 1.0), ValueError),
]


@pytest.mark.parametrize(("f", "error"), REFUSED)
def test_what_numpy_refuses(f, error):
    with pytest.raises(error):
        f(X)
    with pytest.raises(error):
        dout.vjp(f, X)


@pytest.mark.parametrize("write", [np.put, np.place, np.putmask], ids=lambda f: f.__name__)
def test_a_plain_array_cannot_hold_a_variable(write):
    target = np.zeros(5)
    given = [0] if write is np.put else np.arange(5) == 0
    with pytest.raises(TypeError, match="would lose its derivative"):
        dout.grad(lambda v: np.sum(write(target, given, v)))(1.0)

"""`import dout.numpy as np`: NumPy's namespace, whose new arrays can hold Variables."""

import numpy
import oracles
import pytest

import dout
import dout.numpy as np

X = oracles.array(3)


def filled(make):
    def f(x):
        y = make()
        y[0] = x[0] * x[1]
        y[1:] = x[1:] + y[0]
        return y * x[0]

    return f


PATTERNS = {
    "zeros": filled(lambda: np.zeros(3)),
    "ones": filled(lambda: np.ones((3,))),
    "empty": filled(lambda: np.empty(3)),
    "full": filled(lambda: np.full(3, 7.0)),
    "array": filled(lambda: np.array([1.0, 2.0, 3.0])),
    "asarray": filled(lambda: np.asarray([1.0, 2.0, 3.0])),
    "arange": filled(lambda: np.arange(3.0)),
    "linspace": filled(lambda: np.linspace(0, 1, 3)),
    "eye": filled(lambda: np.eye(3)[0].copy()),
    "array of Variables": lambda x: np.array([x[0], [x[1], 2.0][0], 1.0]) * x,
    "nested": lambda x: np.array([[x[0], 1.0], [x[1], x[2]]]) @ x[:2],
    "ndmin": lambda x: np.array(x, ndmin=2) * 2,
    "asarray of a Variable": lambda x: np.asarray(x, dtype=float) * 2,
    "asanyarray": lambda x: np.asanyarray([x[0], x[1]]),
    "full of a Variable": lambda x: np.full((2, 2), x[0]) * x[1],
    "r_": lambda x: np.r_[x, 1.0, x[0]],
    "r_ slice": lambda x: np.r_[x[0], 0:3] * 1.0,
    "c_": lambda x: np.c_[x, x * x],
    "mean of a list": lambda x: np.mean([x[0], x[1], 3.0]),
    "dot of lists": lambda x: np.dot([x[0], 2.0], [x[1], x[2]]),
    "norm of a list": lambda x: np.linalg.norm([x[0], x[1]]),
    "inv of a list": lambda x: np.linalg.inv([[x[0], 1.0], [2.0, x[1] - 3]]),
    "stack": lambda x: np.stack([x[0], x[1]]),
    "block": lambda x: np.block([[x, x], [np.zeros(6)]]),
    "loop": lambda x: loop(x),
    "ufuncs": lambda x: np.exp(np.sin(x)) + np.add.reduce(x),
}


def loop(x):
    heat = np.zeros((4, 3))
    heat[0] = x
    for t in range(3):
        heat[t + 1] = heat[t] + 0.1 * (np.roll(heat[t], 1) - heat[t])
    return heat


@pytest.mark.filterwarnings("ignore:NumPy made an array of Python objects")
@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f = PATTERNS[name]
    oracles.assert_derivatives(f, X, value_rtol=1e-15 if name in ("norm of a list", "inv of a list") else 0)


def test_outside_of_a_derivative_it_is_numpy():
    for made in (np.zeros(2), np.array([1.0]), np.arange(3.0), np.r_[1.0, 2.0], np.full(2, 1.0)):
        assert type(made) is numpy.ndarray
    assert np.float64 is numpy.float64
    assert np.ndarray is numpy.ndarray
    assert np.pi == numpy.pi
    assert np.exp is numpy.exp


def test_ints_stay_plain():
    def f(x):
        assert type(np.arange(3)) is numpy.ndarray
        assert type(np.array([1, 2])) is numpy.ndarray
        return np.sum(x[np.arange(2)])

    assert dout.grad(f)(X).tolist() == [1.0, 1.0, 0.0]


def test_every_public_name_is_there():
    assert set(numpy.__all__) <= set(dir(np))
    for name in numpy.__all__:
        assert getattr(np, name) is not None or name in ("newaxis",)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no_such"):
        np.no_such  # noqa: B018


def test_directives_are_refused():
    with pytest.raises(TypeError, match="concatenate"):
        dout.grad(lambda x: np.sum(np.r_["0,2", x]))(X)

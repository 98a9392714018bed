"""What a recorded function holds besides its arguments: read at each call, whatever way it is reached."""

from __future__ import annotations

import functools

import numpy as np
import oracles
import pytest

import dout
from dout.jit import jit
from dout.jitted import MOST_VARIANTS

X = oracles.array(4)
W = oracles.array(4)
SCALE = 2.0
PARAMETERS = {"w": oracles.array(4), "b": [oracles.array(4)]}


def loss(x, w):
    return np.sum(np.tanh(x * w) ** 2)


def by_closure():
    w = W.copy()
    return (lambda x: loss(x, w)), [w]


def by_global():
    return (lambda x: loss(x, W)), [W]


def by_containers():
    return (lambda x: loss(x, PARAMETERS["w"]) + np.sum(x * PARAMETERS["b"][0])), [PARAMETERS["w"], PARAMETERS["b"][0]]


def by_a_helper():
    w = W.copy()

    def helper(x):
        return loss(x, w)

    return (lambda x: helper(x) * 2), [w]


def by_default():
    w = W.copy()

    def f(x, w=w):
        return loss(x, w)

    return f, [w]


def by_partial():
    w = W.copy()
    return functools.partial(lambda w, x: loss(x, w), w), [w]


def by_a_method():
    model = Model(W.copy())
    return model.loss, [model.w, model.layers[0]["w"]]


def by_recursion():
    w = W.copy()

    def f(x, n=2):
        return loss(x, w) if not n else f(x * 2, n - 1)

    return f, [w]


def by_another_jit():
    w = W.copy()
    inner = jit(lambda x: loss(x, w))
    return (lambda x: inner(x) * 2), [w]


def by_a_derivative():
    w = W.copy()
    return dout.grad(lambda x: loss(x, w)), [w]


class Model:
    def __init__(self, w):
        self.w = w
        self.layers = [{"w": w.copy()}]

    def loss(self, x):
        return loss(x, self.w) + self.inner(x)

    def inner(self, x):
        return np.sum(x * self.layers[0]["w"])


HOLDERS = [by_closure, by_global, by_containers, by_a_helper, by_default, by_partial, by_a_method, by_recursion,
           by_another_jit, by_a_derivative]  # fmt: skip


def records(fast):
    return sum(fast._counts.values())


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("holder", HOLDERS)
def test_changes_in_place_are_seen_without_another_recording(holder, backend):
    f, arrays = holder()
    fast = jit(f, backend=backend)
    for i in range(MOST_VARIANTS + 2):
        for array in arrays:
            array *= 0.9
            array[i % 4] += 0.1
        np.testing.assert_allclose(fast(X), f(X), 1e-12)
    assert records(fast) == 1
    assert "recorded" in fast.report(X)


@pytest.mark.parametrize("holder", HOLDERS)
def test_within_a_derivative(holder):
    f, arrays = holder()
    fast = jit(lambda x: np.sum(f(x)), backend="numpy")
    for _ in range(4):
        for array in arrays:
            array *= 0.9
        np.testing.assert_allclose(dout.grad(fast)(X), dout.grad(lambda x: np.sum(f(x)))(X), 1e-12)
    assert records(fast) == 1


def test_the_function_is_not_touched():
    f, (w,) = by_closure()
    before = f.__closure__[0].cell_contents
    jit(f)(X)
    assert f.__closure__[0].cell_contents is before is w
    model = Model(W.copy())
    held = dict(vars(model))
    jit(model.loss)(X)
    assert vars(model) == held


def test_an_array_that_is_replaced():
    w = W.copy()
    fast = jit(lambda x: loss(x, w))
    assert fast(X) == loss(X, w)
    w = W * 3
    np.testing.assert_allclose(fast(X), loss(X, w), 1e-13)
    w = np.ones((2, 4))
    np.testing.assert_allclose(fast(X), loss(X, w), 1e-13)
    model = Model(W.copy())
    fast = jit(model.loss)
    fast(X)
    model.w = W * 5
    np.testing.assert_allclose(fast(X), model.loss(X), 1e-13)
    model.layers.append(3)
    model.layers[0] = {"w": W}
    np.testing.assert_allclose(fast(X), model.loss(X), 1e-13)


def test_an_array_whose_form_changes_in_place():
    w = np.arange(4.0)
    fast = jit(lambda x: x @ w.T)
    x = np.ones((2, 4))
    np.testing.assert_array_equal(fast(x), x @ w)
    w.shape = (1, 4)
    np.testing.assert_array_equal(fast(x), x @ w.T)


def test_plain_code_that_decides_by_a_captured_array():
    w = np.ones(3)
    fast = jit(lambda x: x * 2 if w.sum() > 0 else x * float(w[0]))
    for value in (1.0, -5.0, 2.0, -5.0, -7.0):
        w[:] = value
        assert fast(1.0) == (2.0 if value > 0 else value)
    assert records(fast) == 3


def test_code_that_tells_arrays_apart():
    w = np.ones(3)
    fast = jit(lambda x: x * (w * 2 if isinstance(w, np.ndarray) else 100.0))
    for value in (1.0, 3.0):
        w[:] = value
        np.testing.assert_array_equal(fast(X[:3]), X[:3] * 2 * value)


def test_arrays_that_are_reached_in_two_ways():
    w = np.ones(3)

    class Holder:
        held = w  # by the class, of which there is no copy

        def scaled(self, x):
            return x * self.held

    holder = Holder()
    fast = jit(lambda x: holder.scaled(x) + x * w)
    for value in (1.0, 3.0):
        w[:] = value
        np.testing.assert_array_equal(fast(X[:3]), X[:3] * value + X[:3] * value)


def test_what_changes_is_run_as_it_is():
    model = Model(W.copy())

    def f(x):
        model.cache = x * 2
        return np.sum(model.cache * model.w)

    fast = jit(f)
    for i in range(3):
        x = X + i
        np.testing.assert_allclose(fast(x), np.sum(x * 2 * model.w), 1e-13)
        np.testing.assert_array_equal(model.cache, x * 2)
    assert "changes what it holds" in fast.report(X)

    count = np.zeros(1)

    def counting(x):
        count[0] += 1
        return x * count[0]

    fast = jit(counting)
    assert [fast(1.0) for _ in range(3)] == [1.0, 2.0, 3.0]


def test_global_names_that_are_assigned():
    fast = jit(assigning)
    for i in range(3):
        assert fast(2.0) == 2.0 * (i + 1) * W[0]


def assigning(x):
    global COUNT
    COUNT += 1
    return x * COUNT * W[0]


COUNT = 0


def test_results_are_not_what_it_holds():
    w = np.ones(3)
    fast = jit(lambda x: (w, w * x))
    for _ in range(3):
        found = fast(2.0)[0]
        found[:] = 7.0
    assert w.tolist() == [1.0, 1.0, 1.0]


def test_an_argument_that_shares_memory_with_what_it_holds():
    w = np.ones(3)

    def f(x):
        x[0] = 5.0
        return np.sum(w)

    fast = jit(f)
    for _ in range(3):
        w[:] = 1.0
        assert fast(w) == 7.0
        w[:] = 1.0
        assert fast(w[:2]) == 7.0


def test_numbers_and_functions_that_are_held():
    global SCALE
    fast = jit(lambda x: x * SCALE)
    for value in (2.0, 3.0, 2.0, -0.0, 0.0):
        SCALE = value
        assert np.signbit(fast(1.0)) == np.signbit(value)
        assert fast(1.0) == value
    act = np.sin
    fast = jit(lambda x: act(x))
    assert fast(1.0) == np.sin(1.0)
    act = np.cos
    assert fast(1.0) == np.cos(1.0)

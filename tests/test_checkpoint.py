"""checkpoint: the same derivatives, in less memory, or an error."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import dout
from dout import checkpoint, grad, jvp

X = np.array([1.0, 2.0, 3.0])


def cube(x):
    return x**3


SAME = {
    "plain": (lambda c, x: c(cube)(x), 2.0),
    "in the middle": (lambda c, x: c(cube)(x * x) * x, 2.0),
    "twice the same": (lambda c, x: (lambda f: f(x) * f(x + 1))(c(cube)), 2.0),
    "closure": (lambda c, x: c(lambda v: v * x)(x * 2), 3.0),
    "closure of a computed value": (lambda c, x: (lambda y: c(lambda v: v * y * y)(x) + y)(np.sin(x)), 0.7),
    "an argument in the closure": (lambda c, x: c(lambda v: v * x)(x), 3.0),
    "closure only": (lambda c, x: c(lambda: x * x)(), 3.0),
    "closure and constant": (lambda c, x: c(lambda v: v * x)(5.0), 3.0),
    "constant": (lambda c, x: c(lambda v: v * 2)(3.0) + x, 3.0),
    "returns its input": (lambda c, x: c(lambda v: v)(x) * x, 3.0),
    "returns a closure's": (lambda c, x: c(lambda v: x)(x) * x, 3.0),
    "one Variable twice": (lambda c, x: c(lambda a, b: a * b)(x, x), 3.0),
    "keyword": (lambda c, x: c(lambda v, k=1.0, n=2: v * k**n)(x, k=x, n=3), 3.0),
    "several outputs": (lambda c, x: (lambda o: o[0] * o[1]["k"])(c(lambda v: (v * v, {"k": v, "c": 3}))(x)), 3.0),
    "one of several outputs": (lambda c, x: c(lambda v: (v * v, v * 3))(x)[1], 3.0),
    "an output twice": (lambda c, x: sum(c(lambda v: (lambda y: [y, y])(v * v))(x)), 3.0),
    "containers": (lambda c, x: c(lambda p: p["a"] * p["b"][0])({"a": x, "b": [x * x], "s": "text"}), 3.0),
    "nested": (lambda c, x: c(lambda v: c(lambda u: u**3)(v) * v)(x), 2.0),
    "nested closure": (lambda c, x: c(lambda v: c(lambda u: u * v * x)(v))(x), 2.0),
    "of a derivative": (lambda c, x: c(grad(cube))(x), 2.0),
    "inside a derivative": (lambda c, x: grad(lambda y: c(lambda v: v**3 * x)(y))(x), 2.0),
    "control flow": (lambda c, x: c(lambda v: v * v if v > 1 else v)(x), 3.0),
    "a layer": (lambda c, x: c(lambda v: dout.MulLayer()(v, v))(x), 3.0),
}


@pytest.mark.parametrize(("f", "x"), SAME.values(), ids=SAME.keys())
def test_same_derivatives_of_every_order(f, x):
    ours, plain = (lambda v, c=c: f(c, v) for c in (checkpoint, lambda g: g))
    for _ in range(3):
        assert ours(x) == pytest.approx(plain(x), rel=1e-13)
        assert jvp(ours, (x,), (1.0,)) == pytest.approx(jvp(plain, (x,), (1.0,)), rel=1e-13)
        ours, plain = grad(ours), grad(plain)
    assert ours(x) == pytest.approx(plain(x), rel=1e-13)


def test_arrays_and_dtypes():
    def f(c, x, w):
        y = c(lambda v: np.tanh(v @ w))(x)
        return np.sum(y * y)

    w = np.arange(9.0).reshape(3, 3) / 9
    for found, right in zip(
        grad(f, (1, 2))(checkpoint, X, w), grad(f, (1, 2))(lambda g: g, X, w), strict=True
    ):  # fmt: skip
        np.testing.assert_array_equal(found, right)
    assert grad(lambda x: np.sum(checkpoint(np.exp)(x)))(np.float32([1, 2])).dtype == np.float32
    np.testing.assert_array_equal(dout.jacobian(checkpoint(lambda x: x**2))(X), np.diag(2 * X))
    z = np.array([1 + 2j, 3j])
    found = grad(lambda z: np.sum(np.real(checkpoint(lambda v: v**2)(z))))(z)
    np.testing.assert_allclose(found, 2 * z)


def test_define_by_run_and_closures_over_variables_of_the_users_own():
    x, w = dout.Variable(2.0), dout.Variable(3.0)
    checkpoint(lambda v: v**2 * w)(x).backward()
    assert (x.grad, w.grad) == (12.0, 4.0)


def test_it_runs_forward_once_and_again_for_each_walk():
    runs = []

    def counted(x):
        runs.append(1)
        return x * x

    f = checkpoint(counted)
    assert f(3.0) == 9.0
    assert len(runs) == 1
    assert grad(f)(3.0) == 6.0
    assert len(runs) == 3
    _, pullback = dout.vjp(f, 3.0)
    pullback(1.0), pullback(2.0)
    assert len(runs) == 6


def test_plain_values_pass_through():
    assert checkpoint(lambda x: {"a": x, "b": "text"})(3) == {"a": 3, "b": "text"}
    assert checkpoint(lambda: None)() is None
    assert checkpoint(cube).__name__ == "cube"


def peak(f, x):
    f(x[:10])
    gc.collect()
    tracemalloc.start()
    f(x)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_memory_is_really_less():
    x = np.linspace(0.1, 0.2, 50_000)

    def deep(c):
        def block(v):
            for _ in range(10):
                v = np.sin(v)
            return v

        def f(v):
            for _ in range(10):
                v = c(block)(v)
            return np.sum(v)

        return grad(f)

    with_it, without = peak(deep(checkpoint), x), peak(deep(lambda g: g), x)
    assert without > 95 * x.nbytes
    assert with_it < 32 * x.nbytes  # 10 block inputs, 10 values of one block, a few more
    np.testing.assert_array_equal(deep(checkpoint)(x), deep(lambda g: g)(x))


def in_place(c, x):
    y = x * 1.0

    def inner(v):
        v[0] = 5.0
        return np.sum(v * v)

    return c(inner)(y) + np.sum(y)


def closure_written_after(c, x):
    y = x * 1.0
    out = c(lambda v: np.sum(v * y))(x)
    y[0] = 100.0
    return out


def constant_written_after(c, x):
    w = np.ones(3)
    out = c(lambda v: np.sum(v * w))(x)
    w[:] = 100.0
    return out


def closure_written_inside(c, x):
    y = x * 1.0

    def inner(v):
        y[0] = 5.0
        return np.sum(v * y)

    return c(inner)(x) + np.sum(y)


def state_that_changes(c, x):
    calls = []

    def inner(v):
        calls.append(1)
        return np.sum(v * len(calls))

    return c(inner)(x)


def random_numbers(c, x):
    rng = np.random.default_rng(0)
    return c(lambda v: np.sum(v * rng.normal(size=3)))(x)


@pytest.mark.parametrize(
    "f",
    [
        in_place,
        closure_written_after,
        constant_written_after,
        closure_written_inside,
        state_that_changes,
        random_numbers,
    ],
)
def test_what_can_not_be_run_again_is_right_or_refused(f):
    right = dout.value_and_grad(lambda x: f(lambda g: g, x))(X)
    try:
        found = dout.value_and_grad(lambda x: f(checkpoint, x))(X)
    except (RuntimeError, ValueError, TypeError) as error:
        found, message = None, str(error)
    if found is None:
        assert "checkpoint" in message
    else:
        np.testing.assert_array_equal(found[0], right[0])
        np.testing.assert_array_equal(found[1], right[1])


def test_an_error_inside_passes_through():
    with pytest.raises(ZeroDivisionError):
        grad(checkpoint(lambda x: x / 0))(1.0)
    assert grad(checkpoint(cube))(2.0) == 12.0


def test_what_is_not_a_function():
    with pytest.raises(TypeError, match="expected a function"):
        checkpoint(3)

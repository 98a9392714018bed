"""A recorded function inside a derivative: one operation, and the same derivatives as those of the function itself."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from random_graphs import Chance
from random_lines import drawn
from random_runs import derivative, far, floats, function, leaves

import dout
from dout.jit import jit
from dout.tree import flatten

X = oracles.array(5)
A = oracles.array(5, 5)


def assert_same(found, expected, rtol=1e-11):
    found, expected = flatten(found)[0], flatten(expected)[0]
    for a, b in zip(found, expected, strict=True):
        assert type(a) is type(b)
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol, 1e-13)


def smooth(x):
    return np.sum(np.sin(x) ** 2) + np.prod(np.cos(x)) * np.max(x)


def matrices(x):
    return np.sum(np.tanh(A @ np.outer(x, x)) @ x)


def branched(x):
    return np.sum(x * x) if x[0] > 0 else np.sum(x**3)


def written(x):
    y = x.copy()
    y[1:] = y[:-1] * 2
    y[y < 0] = 0.5
    return np.sum(y * y * x)


def repeated(x):
    for _ in range(30):
        x = x + 0.1 * np.sin(x)
    return np.sum(x)


def gathered(x):
    return np.sum(x[np.array([0, 0, 3])] ** 2 * np.sort(x)[:3])


def through_a_layer(x):
    return np.sum(dout.Sigmoid()(x) * dout.Relu()(x))


FUNCTIONS = [smooth, matrices, branched, written, repeated, gathered, through_a_layer]
TRANSFORMS = {
    "grad": lambda f, x: dout.grad(f)(x),
    "value_and_grad": lambda f, x: dout.value_and_grad(f)(x),
    "of a product": lambda f, x: dout.grad(lambda x: f(x) * f(x**2))(x),
    "twice": lambda f, x: dout.grad(lambda x: dout.grad(f)(x) @ x)(x),
    "hessian": lambda f, x: dout.hessian(f)(x),
    "hvp": lambda f, x: dout.hvp(f, x, x),
    "jvp": lambda f, x: dout.jvp(f, (x,), (x,)),
    "vjp": lambda f, x: dout.vjp(f, x)[1](2.0),
    "jacobian": lambda f, x: dout.jacobian(f)(x),
    "checkpoint": lambda f, x: dout.grad(lambda x: dout.checkpoint(f)(x) * 2)(x),
    "jit": lambda f, x: jit(dout.grad(f), backend="numpy")(x),
    "jit in jit": lambda f, x: dout.grad(jit(lambda x: f(x) * 2, backend="numpy"))(x),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("f", FUNCTIONS)
def test_as_the_function_itself(f, name):
    transform = TRANSFORMS[name]
    fast = jit(f, backend="numpy")
    for x in (X, X / 2, -X, X):
        assert_same(transform(fast, x), transform(f, x))


@pytest.mark.parametrize("name", ["grad", "hessian", "jit"])
@pytest.mark.parametrize("f", [smooth, branched])
def test_as_native_code(f, name):
    transform = TRANSFORMS[name]
    fast = jit(f)
    for x in (X, -X):
        assert_same(transform(fast, x), transform(f, x))


def variants(fast):
    return [v for found in fast._forms.values() for v in found]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_is_recorded(f):
    fast = jit(f)
    dout.grad(fast)(X)
    (variant,) = variants(fast)
    assert type(variant).__name__ == "Within"
    assert variant.program is not None


def test_third_derivatives():
    fast = jit(lambda x: np.sin(x) * x**3)

    def thrice(f):
        return dout.grad(dout.grad(dout.grad(f)))(0.7)

    assert_same(thrice(fast), thrice(lambda x: np.sin(x) * x**3))


def test_it_runs_once(capsys):
    def f(x):
        print("here")
        return x * x

    derivative = dout.grad(jit(f))
    assert [derivative(x) for x in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    assert capsys.readouterr().out == "here\n"


def test_containers_and_what_is_no_number():
    def f(p, x, *, scale):
        return {"a": p["w"] * x * scale, "n": 3, "s": "q", "b": (np.exp(p["b"]), x > 0, None)}

    def loss(f):
        def run(p, x):
            out = f(p, x, scale=2.0)
            assert out["s"] == "q"
            assert out["n"] == 3
            assert out["b"][2] is None
            return np.sum(out["a"]) + np.sum(out["b"][0] * out["b"][1])

        return run

    p = {"w": X, "b": X * 2}
    fast = jit(f)
    for q in (p, {"w": X / 3, "b": -X}):
        assert_same(dout.grad(loss(fast), argnums=(0, 1))(q, X), dout.grad(loss(f), argnums=(0, 1))(q, X))
    assert [v.why for v in variants(fast)] == [""]


def test_some_arguments_are_plain():
    f = jit(lambda x, y: np.sum(x * y))
    y = X.copy()
    assert_same(dout.grad(f)(X, y), y)
    assert_same(dout.grad(f, argnums=1)(X, y), X)
    value, pull = dout.vjp(lambda x: f(x, y), X)
    kept = y.copy()
    y[:] = 0  # after it was used
    assert_same(pull(1.0)[0], kept)
    assert value == kept @ X


def test_a_captured_array_is_read_at_each_call():
    w = X.copy()
    fast = jit(lambda x: np.sum(x * x * w))
    assert_same(dout.grad(fast)(X), 2 * X * X)
    w[:] = 2.0
    assert_same(dout.grad(fast)(X), 4 * X)


def test_a_captured_array_that_changes_in_between():
    w = X.copy()
    fast = jit(lambda x: np.sum(np.sin(x * w)))
    _, pull = dout.vjp(fast, X)
    w[:] = 2.0
    assert_same(pull(1.0)[0], np.cos(X * X) * X)
    large, x = np.ones(10_000), np.linspace(0, 1, 10_000)
    _, pull = dout.vjp(jit(lambda x: np.sum(np.sin(x * large))), x)
    large[:] = 2.0
    with pytest.raises(RuntimeError, match="written to after it was used"):
        pull(1.0)


def test_an_argument_that_is_written_to():
    def f(x):
        x[0] = 7.0
        return np.sum(x * x)

    fast = jit(f)

    def through(f):
        def run(x):
            y = x * 2
            return f(y) + y[0] * x[1]

        return run

    for _ in range(2):
        assert_same(dout.grad(through(fast))(X), dout.grad(through(f))(X))


def test_numbers_of_every_kind():
    f = jit(lambda x: x * x * 3)
    for x in (2.0, np.float64(2.0), np.float32(2.0), 2.0 + 1.0j):
        slow = dout.vjp(lambda x: x * x * 3, x)[1](type(x)(1))
        assert_same(dout.vjp(f, x)[1](type(x)(1)), slow)


def test_a_variable_of_the_users_own():
    fast = jit(smooth)
    for _ in range(2):
        v = dout.Variable(X)
        (fast(v) * 2).backward()
        assert_same(v.grad, dout.grad(smooth)(X) * 2)


def test_many_ways_are_run_as_they_are():
    fast = jit(lambda x: np.sum(x) * float(dout.stop_gradient(x)[0]))
    for i in range(12):
        x = np.full(3, float(i))
        assert_same(dout.grad(fast)(x), np.full(3, float(i)))


def test_large_arguments():
    x = np.linspace(-1, 1, 100_000)
    fast = jit(smooth_rows)
    assert_same(dout.grad(fast)(x), dout.grad(smooth_rows)(x), 1e-9)
    assert_same(dout.grad(fast)(x), dout.grad(smooth_rows)(x), 1e-9)
    fast = jit(lambda x: np.sum(x.reshape(10, -1).T * 1.0))
    d = dout.grad(fast)(x)
    d[:] = 0  # it is the caller's
    assert_same(dout.grad(fast)(x), np.ones_like(x))


def smooth_rows(x):
    rows = np.exp(x.reshape(100, -1))
    return np.sum(np.log(rows / np.sum(rows, 1, keepdims=True))[:, 3])


def test_the_graph_of_a_run_looks_inside():
    names = [node.op.name for node in dout.trace(jit(lambda x: np.sin(x) * 2), 1.0).nodes if node.op]
    assert names == ["sin", "multiply"]


RESULTS = {
    "nothing": lambda x: {}, "None": lambda x: None, "an int": lambda x: 3, "a string": lambda x: "s",
    "twice the same": lambda x: (x, x), "the argument": lambda x: x, "a constant": lambda x: np.ones(5),
    "ints": np.argsort, "what is flat": np.floor, "what is cut off": dout.stop_gradient,
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_results_of_every_kind(name):
    def through(f):
        def loss(x):
            total = np.sum(x * x)
            for out in flatten(f(x))[0]:
                if not isinstance(out, str | None):
                    total = total + np.sum(out * x)
            return total

        return dout.grad(loss)

    fast = jit(RESULTS[name], backend="numpy")
    for x in (X, X * 2, X):
        assert_same(through(fast)(x), through(RESULTS[name])(x))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.filterwarnings("ignore")
def test_random_functions(seed):
    """Within a derivative, and with every array held. As `random_runs` says, a result is as far off as roundings move it."""
    graph = drawn(Chance(f"jit {seed}"))
    f, args = function(graph), list(graph.args.values())
    which = floats(graph)
    try:
        expected = derivative(f, which)(*args) if which else None
    except (TypeError, ValueError):  # refused: an array of objects, a plain array that is written to
        expected = None
    fast = jit(f, backend="numpy")
    if expected is not None:
        for _ in range(2):
            found = derivative(fast, which)(*args)
            assert not far(leaves(found), leaves(expected), 1e-9 if graph.narrowest == "float64" else 1e-4)
    held = [np.array(a) if isinstance(a, np.ndarray) else a for a in args]
    fast = jit(lambda s: [out * s for out in f(*held)], backend="numpy")
    for _ in range(3):
        for array in held:
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                array *= 0.97
        found, plain = fast(2.0), [out * 2.0 for out in f(*held)]
        assert not far(found, plain, 1e-11 if graph.narrowest == "float64" else 1e-4)

"""Native code, NumPy's run of the program, and the function itself give the same."""

from __future__ import annotations

import gc
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout.jit import jit
from dout.run.native import abi
from dout.tree import flatten

pytest.importorskip("llvmlite")

SHAPES = [(), (1,), (5,), (3, 1), (3, 5), (1, 5), (2, 3, 5)]
ONE = {
    "negative": np.negative, "exp": lambda x: np.exp(np.minimum(x, 3.0)), "tanh": np.tanh, "square": np.square,
    "sqrt": lambda x: np.sqrt(x * x + 1), "log": lambda x: np.log(x * x + 0.5), "abs": np.abs,
    "expm1": lambda x: np.expm1(-x * x),
    "log1p": lambda x: np.log1p(x * x), "power": lambda x: x**3, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0), "where": lambda x: np.where(x > 0.3, x, -x), "clip": lambda x: np.clip(x, -0.5, 0.5),
    "sum": np.sum, "mean0": lambda x: np.mean(x, axis=0) if np.ndim(x) else x,
    "sum1": lambda x: np.sum(x, axis=-1, keepdims=True) if np.ndim(x) else x,
    "max": np.max, "min1": lambda x: np.min(x, axis=-1, keepdims=True) if np.ndim(x) else x,
    "transpose": np.transpose, "sin": np.sin, "reverse": lambda x: x[::-1] if np.ndim(x) else x,
    "softmax": lambda x: np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x))),
    "var": lambda x: np.var(x, axis=0) if np.ndim(x) else x, "sign": lambda x: x * np.sign(x),
    "floor": lambda x: x - np.floor(x),
    "isfinite": lambda x: np.where(np.isfinite(x) & ~(x < 0), x, 0), "fancy": lambda x: x[[0, -1]] if np.ndim(x) else x,
}  # fmt: skip
TWO = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": lambda x, y: x / (y * y + 1),
    "maximum": np.maximum, "minimum": np.minimum, "where": lambda x, y: np.where(x < y, x, y),
}  # fmt: skip


@st.composite
def programs(draw):
    """A random function of two or three arrays, as a list of steps."""
    n = draw(st.integers(2, 3))
    shapes = [draw(st.sampled_from(SHAPES)) for _ in range(n)]
    steps = []
    for k in range(draw(st.integers(1, 8))):
        i, j = draw(st.integers(0, n + k - 1)), draw(st.integers(0, n + k - 1))
        steps.append((draw(st.sampled_from([*ONE, *TWO])), i, j))
    return shapes, steps, draw(st.integers(0, 1000))


def function(steps):
    def f(*xs):
        values = list(xs)
        for name, i, j in steps:
            if name in ONE:
                values.append(ONE[name](values[i]))
                continue
            x, y = values[i], values[j]
            try:
                np.broadcast_shapes(np.shape(x), np.shape(y))
            except ValueError:
                y = np.sum(y)
            values.append(TWO[name](x, y))
        return values[-1]

    return f


def hold(found, expected, rtol):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        assert type(a) is type(b)
        assert np.shape(a) == np.shape(b)
        assert np.result_type(a) == np.result_type(b)
        scale = float(np.max(np.abs(b), initial=1.0))
        np.testing.assert_allclose(a, b, rtol, rtol * scale)


@settings(max_examples=150, deadline=None)
@given(programs())
def test_random_programs(program):
    shapes, steps, seed = program
    rng = np.random.default_rng(seed)
    args = [rng.uniform(-2, 2, s) if s else float(rng.uniform(-2, 2)) for s in shapes]
    f = function(steps)
    derivative = dout.value_and_grad(lambda *xs: np.sum(f(*xs)), argnums=tuple(range(len(args))))
    for g in (f, derivative):
        with np.errstate(all="ignore"):
            expected = g(*args)
            for backend in ("numpy", "native"):
                fast = jit(g, backend=backend)
                hold(fast(*args), expected, 1e-12)
                hold(fast(*args), expected, 1e-12)
                assert "could not be made" not in fast.report(*args)


CASES = {
    "all": lambda x: np.sum(np.exp(x)),
    "rows": lambda x: np.sum(np.exp(x), axis=1),
    "columns": lambda x: np.sum(np.exp(x), axis=0),
    "rows kept": lambda x: np.max(x * 2, axis=1, keepdims=True),
    "softmax": lambda x: (
        np.exp(x - x.max(1, keepdims=True)) / np.sum(np.exp(x - x.max(1, keepdims=True)), 1, keepdims=True)
    ),
    "middle": lambda x: np.sum(x.reshape(-1, 3, 7) * 2, axis=1),
    "ends": lambda x: np.sum(x.reshape(-1, 3, 7) * 2, axis=(0, 2)),
    "product": lambda x: np.prod(1 + x / 1e4, axis=0),
    "means": lambda x: (x - np.mean(x, 0)) / (1 + np.std(x, 0)),
    "several": lambda x: (np.sum(x * 2), np.max(x * 2), x * 2, np.min(x, 0)),
}


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("shape", [(1, 21), (300, 210), (3, 6993)])
@pytest.mark.parametrize("name", CASES)
def test_reductions(name, shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    fast = jit(CASES[name])
    rtol = 1e-12 if dtype == "f8" else 1e-5
    hold(fast(x), CASES[name](x), rtol)
    hold(fast(x), CASES[name](x), rtol)
    assert "run by native code" in fast.report(x)


def test_sums_are_no_less_accurate_than_numpys():
    x = np.random.default_rng(0).uniform(0, 1, 3_000_001)
    true = math.fsum((x * 0.5).tolist())
    assert abs(jit(lambda x: np.sum(x * 0.5))(x) - true) <= 4 * abs(np.sum(x * 0.5) - true) + 1e-15 * true


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0])
def test_special_values(value):
    x = np.array([1.0, value, -2.0])
    for f in (np.max, np.min, np.sum, lambda x: np.maximum(x, 0), lambda x: np.minimum(0.0, x) * 2, np.sign, lambda x: x**2,
              lambda x: np.where(x > 0, x, 0), lambda x: 1 / x, lambda x: x == x, lambda x: np.sqrt(x)):  # fmt: skip
        with np.errstate(all="ignore"):
            expected = f(x)
            again = jit(f)
            again(np.ones(3))
            found = again(x)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def test_other_arguments_than_the_code_was_made_for():
    fast = jit(lambda x, y: np.sum(x * y))
    x = np.arange(12.0).reshape(3, 4)
    for a in (x, x[:, ::-1], x.T.copy().T, np.asfortranarray(x), x.astype("f4"), x.astype(">f8"), x.astype(int), x[:2]):
        assert np.isclose(fast(a, 2.0), np.sum(a * 2.0))
        assert np.isclose(fast(y=2.0, x=a), np.sum(a * 2.0))
    with pytest.raises(TypeError):
        fast(x)
    with pytest.raises(TypeError):
        fast(x, 1.0, 2.0)
    with pytest.raises(ValueError, match="broadcast"):
        fast(x, np.ones(3))
    assert fast(x, True) == np.sum(x)
    assert fast(np.zeros((0, 3)), 1.0) == 0


def test_misaligned_arrays():
    x = np.zeros(81, "u1")[1:].view("f8")
    x[:] = np.arange(10.0)
    fast = jit(lambda x: np.sum(x * 2))
    assert fast(np.arange(10.0)) == 90.0
    assert fast(x) == 90.0


def test_python_numbers_raise_as_python_does():
    fast = jit(lambda x, y: x / y)
    assert fast(1.0, 2.0) == 0.5
    with pytest.raises(ZeroDivisionError):
        fast(1.0, 0.0)
    square = jit(lambda x: x**2)
    assert square(3.0) == 9.0
    with pytest.raises(OverflowError):
        square(1e200)


def test_checks_in_native_code():
    def f(x):
        return x * 2 if x > 0 else x * 3

    fast = jit(f)
    for x in (1.0, -1.0, 2.0, -2.0, 0.0, 5.0):
        assert fast(x) == f(x)


def test_long_chains():
    def f(x, y):
        for i in range(3000):
            x = x * y + 0.5
            y = y - x * 1e-4 * (i % 3)
        return x + y

    for g in (f, dout.grad(f)):
        fast = jit(g)
        fast(1.0, 0.5)
        hold(fast(1.0, 0.5), g(1.0, 0.5), 1e-12)
        assert "native code" in fast.report(1.0, 0.5)


def test_without_the_fast_way(monkeypatch):
    monkeypatch.setattr(abi, "holds", lambda: False)
    fast = jit(dout.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2)))
    x = np.linspace(-1, 1, 7)
    hold(fast(x), dout.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2))(x), 1e-12)
    hold(fast(x[::-1]), dout.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2))(x[::-1]), 1e-12)
    assert "ctypes" in fast.report(x)


def test_without_llvmlite(monkeypatch):
    monkeypatch.setattr("dout.run.native.engine.available", lambda: False)
    fast = jit(lambda x: np.sum(x * 2))
    assert fast(np.ones(3)) == 6.0
    assert "llvmlite is not installed" in fast.report(np.ones(3))


def test_a_fault_in_making_native_code_is_told(monkeypatch):
    """NumPy runs the function then, and is right; but nobody should have to guess why it is slow."""

    def broken(*args):
        raise AssertionError("a plan that nobody thought of")

    monkeypatch.setattr("dout.run.native.backend.plan_of", broken)
    fast = jit(lambda x: np.sum(x * x))
    with pytest.warns(UserWarning, match=r"AssertionError: a plan that nobody thought of.*please report"):
        assert fast(np.ones(3)) == 3.0
    assert "run by NumPy, because native code could not be made" in fast.report(np.ones(3))


def test_memory_is_given_back():
    fast = jit(lambda x: (np.sum(x), x * 2, [x + 1.0]))
    x = np.ones(1000)
    fast(x)
    gc.collect()
    tracemalloc.start()
    for _ in range(1000):
        fast(x)
    gc.collect()
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 100_000


@pytest.mark.parametrize("make", [np.float64, np.float32, lambda x: np.array([x]), float])
@pytest.mark.parametrize("at", [-np.inf, -0.0, 0.0, np.inf, -1.0, 2.0])
def test_a_power_of_a_half_is_as_numpys(make, at):
    """NumPy takes the square root of an array, and the power of a number; they differ at -inf and -0.0."""
    x = make(at)
    if isinstance(x, float) and type(x) is float and x < 0:
        return  # Python's float gives a complex number
    with np.errstate(invalid="ignore"):
        expected = x**0.5
        found = jit(lambda x: x**0.5)(x)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))

"""Sums are taken before products of matrices, factors and signs; the numbers are the same to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dout
from dout.passes.summed import summed

RNG = np.random.default_rng(0)
X, Y, B = RNG.standard_normal((7, 5)), RNG.standard_normal((5, 6)), RNG.standard_normal((7, 6))
BATCH = RNG.standard_normal((3, 7, 5))
ROW, COLUMN = RNG.standard_normal(6), RNG.standard_normal((7, 1))


def products(jitted: Any, *args: Any) -> list[tuple[int, ...]]:
    """The shapes of the products of matrices that a jitted function's program has."""
    return [v.shape for v in jitted.graph(*args).values if v.op is not None and v.op.name == "matmul"]


CASES: list[tuple[str, Any, tuple[Any, ...], tuple[int, ...]]] = [
    ("rows", lambda x, y: np.sum(x @ y, axis=0), (X, Y), (1, 6)),
    ("columns", lambda x, y: np.sum(x @ y, axis=1, keepdims=True), (X, Y), (7, 1)),
    ("both", lambda x, y: np.sum(x @ y), (X, Y), (1, 1)),
    ("a sign", lambda x, y: np.sum(-(x @ y), axis=0), (X, Y), (1, 6)),
    ("others beside it", lambda x, y, b: np.sum(b - (x @ y), axis=0), (X, Y, B), (1, 6)),
    ("a factor of the columns", lambda x, y, r: np.sum((x @ y) * r, axis=0), (X, Y, ROW), (1, 6)),
    ("a batch", lambda x, y: np.sum(x @ y, axis=1), (BATCH, Y), (3, 1, 6)),
    ("two", lambda x, y: np.sum(x @ y + (2 * x) @ y, axis=0), (X, Y), (1, 6)),
    ("turned", lambda x, y: np.sum(y.T @ x.T, axis=1), (X, Y), (6, 1)),
]
NOT: list[tuple[str, Any, tuple[Any, ...], tuple[int, ...]]] = [
    ("it is needed itself", lambda x, y: (lambda p: (np.sum(p, axis=0), p))(x @ y), (X, Y), (7, 6)),
    ("a factor along the rows", lambda x, y, c: np.sum((x @ y) * c, axis=0), (X, Y, COLUMN), (7, 6)),
    ("its square", lambda x, y: np.sum((x @ y) * (x @ y), axis=0), (X, Y), (7, 6)),
    ("along the batch", lambda x, y: np.sum(x @ y, axis=0), (BATCH, Y), (3, 7, 6)),
    ("repeated rows", lambda x, y, r: np.sum(x @ y + r, axis=0), (X, Y, ROW), (7, 6)),
    ("not linear", lambda x, y: np.sum(np.tanh(x @ y), axis=0), (X, Y), (7, 6)),
    ("a vector", lambda x, y: np.sum(x @ y), (X, Y[:, 0].copy()), (7,)),
]


@pytest.mark.parametrize(("f", "args", "shape"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_product_that_only_its_sum_needs_is_spared(f: Any, args: Any, shape: tuple[int, ...]) -> None:
    jitted = dout.jit(f)
    assert set(products(jitted, *args)) == {shape}
    np.testing.assert_allclose(jitted(*args), f(*args), 1e-13, 1e-13)


@pytest.mark.parametrize(("f", "args", "shape"), [c[1:] for c in NOT], ids=[c[0] for c in NOT])
def test_any_other_stays(f: Any, args: Any, shape: tuple[int, ...]) -> None:
    jitted = dout.jit(f)
    assert set(products(jitted, *args)) == {shape}
    for a, b in (
        zip(jitted(*args), f(*args), strict=True) if isinstance(f(*args), tuple) else [(jitted(*args), f(*args))]
    ):
        np.testing.assert_allclose(a, b, 1e-13, 1e-13)


def test_the_derivative_of_a_shift_before_a_product() -> None:
    def loss(x: Any, mean: Any, w: Any) -> Any:
        return np.sum(np.tanh((x - mean) @ w))

    derivative = dout.grad(loss, (1, 2))
    mean = X.mean(0)
    jitted = dout.jit(derivative)
    assert sorted(products(jitted, X, mean, Y)) == [(1, 5), (5, 6), (7, 6)]  # and no (7, 5)
    for a, b in zip(jitted(X, mean, Y), derivative(X, mean, Y), strict=True):
        np.testing.assert_allclose(a, b, 1e-13, 1e-13)
    within = dout.value_and_grad(dout.jit(loss), (1, 2))  # a jitted function inside a derivative
    for a, b in zip(within(X, mean, Y)[1], derivative(X, mean, Y), strict=True):
        np.testing.assert_allclose(a, b, 1e-13, 1e-13)


SCALED: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("divide", lambda x, c: np.sum(x / c, axis=1), (B, COLUMN)),
    ("multiply", lambda x, c: np.sum(c * x, axis=1, keepdims=True), (B, COLUMN)),
    ("negative", lambda x: np.sum(-x, axis=0), (B,)),
    ("multiply", lambda x: np.sum(x * 3.0), (B,)),
    ("divide", lambda x, r: np.sum(x / r, axis=0), (B, ROW)),
]


@pytest.mark.parametrize(("name", "f", "args"), SCALED)
def test_what_is_the_same_along_a_sum_is_done_after_it(name: str, f: Any, args: Any) -> None:
    jitted = dout.jit(f)
    (step,) = (v for v in jitted.graph(*args).values if v.op is not None and v.op.name == name)
    assert np.prod(step.shape) < B.size
    np.testing.assert_allclose(jitted(*args), f(*args), 1e-13, 1e-13)


KEPT: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("divide", lambda x, r: np.sum(x / r, axis=1), (B, ROW)),
    ("divide", lambda x, c: np.sum(c / x, axis=1), (B, COLUMN)),
    ("multiply", lambda x: np.sum(x * x, axis=1), (B,)),
    ("multiply", lambda x: np.sum(x * np.float16(3), axis=1), (B.astype("f2"),)),
    ("negative", lambda x: (lambda y: (y, np.sum(y, axis=0)))(-x), (B,)),
]


@pytest.mark.parametrize(("name", "f", "args"), KEPT)
def test_what_is_not_stays_before_it(name: str, f: Any, args: Any) -> None:
    jitted = dout.jit(f)
    (step,) = (v for v in jitted.graph(*args).values if v.op is not None and v.op.name == name)
    assert step.shape == B.shape


def test_a_long_chain_of_factors_goes_as_deep_as_python_can() -> None:
    def f(x: Any) -> Any:
        for k in range(3000):
            x = -x if k % 2 else x * 1.0001
        return np.sum(x)

    np.testing.assert_allclose(dout.jit(f)(X), f(X), 1e-11)


def test_a_long_sum_of_products_goes_as_deep_as_python_can() -> None:
    def f(x: Any, y: Any) -> Any:
        total = x @ y
        for k in range(3000):
            total = total + (x * (1.0 + k % 3)) @ y
        return np.sum(total, axis=0)

    np.testing.assert_allclose(dout.jit(f)(X[:2, :2], Y[:2, :2]), f(X[:2, :2], Y[:2, :2]), 1e-12)


@st.composite
def functions(draw: st.DrawFn) -> Any:
    """Linear steps around a product, some of them twice, then a sum along some axes."""
    steps = draw(st.lists(st.integers(0, 6), max_size=6))
    axes = draw(st.sampled_from([0, 1, (0, 1), None]))
    keepdims = draw(st.booleans())

    def f(x: Any, y: Any, b: Any, row: Any, column: Any) -> Any:
        p = x @ y
        for s in steps:
            p = (
                -p, p + b, p - row, p * row, p * column, (p + 2.0 * b) - x @ y, np.sin(b) * 0.5 - p,
            )[s]  # fmt: skip
        return np.sum(p, axis=axes, keepdims=keepdims)

    return f


@given(f=functions())
def test_any_such_function_gives_the_same(f: Any) -> None:
    args = (X, Y, B, ROW, COLUMN)
    derivative = dout.grad(lambda *a: np.sum(f(*a)), (0, 1))
    np.testing.assert_allclose(dout.jit(f)(*args), f(*args), 1e-11, 1e-11)  # of sums up to 1e3 or so
    for a, b in zip(dout.jit(derivative)(*args), derivative(*args), strict=True):
        np.testing.assert_allclose(a, b, 1e-11, 1e-11)


def test_a_program_without_products_is_left_as_it_is() -> None:
    program = dout.jit(lambda x: np.sum(-x)).graph(X)
    assert summed(program) is program

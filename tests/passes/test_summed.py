"""Sums are taken before products of matrices, factors and signs; the numbers are the same to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout.passes.program import Value
from dout.passes.summed import summed

RNG = np.random.default_rng(0)
X, Y, B = RNG.standard_normal((7, 5)), RNG.standard_normal((5, 6)), RNG.standard_normal((7, 6))
BATCH = RNG.standard_normal((3, 7, 5))
ROW, COLUMN = RNG.standard_normal(6), RNG.standard_normal((7, 1))


def products(jitted: Any, *args: Any) -> list[tuple[int, ...]]:
    """The shapes of the products of matrices in the program that a jitted function runs."""
    return [v.shape for v in native(jitted, *args) if v.op is not None and v.op.name == "matmul"]


def native(jitted: Any, *args: Any) -> list[Value]:
    """The values of that program."""
    variant = jitted._variant(args, {})
    return (variant.program if variant.native is None else variant.native.program).values


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
    (step,) = (v for v in native(jitted, *args) if v.op is not None and v.op.name == name)
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
    (step,) = (v for v in native(jitted, *args) if v.op is not None and v.op.name == name)
    assert step.shape == B.shape


ZERO = np.zeros((2, 1))
MIXED = np.array([[0.0, 1.0], [1.0, -0.5]])
F4 = np.float32
#: Functions of which single terms are finite and their sum is not, or the other way round; or that have nothing to sum.
BEYOND: list[tuple[Any, tuple[Any, ...]]] = [
    (lambda x: np.sum(x / 20.0, axis=1), (np.full((2, 20), 1e308),)),
    (lambda x: np.sum(x / F4(20), axis=1), (np.full((2, 20), 1e38, "f4"),)),
    (lambda x, c: np.sum(x * c, axis=1), (np.full((2, 2000), 1e36, "f4"), np.full((2, 1), 1e-6, "f4"))),
    (lambda x, y: np.sum(x @ y), (np.full((200, 3), 3e36, "f4"), np.full((3, 2), 1e-6, "f4"))),
    (dout.grad(lambda s, x: np.sum(x * s) * F4(1e-6)), (F4(1), np.full(2000, 1e36, "f4"))),
    (lambda x, c: np.sum(x / c, axis=1), (np.full((2, 20), 1e308), np.full((2, 1), np.inf))),
    (dout.grad(lambda w, x, s: np.mean((x @ w) * s), 2), (np.ones((3, 2)), np.zeros((0, 3)), 1.5)),
    (dout.grad(lambda c, x, y: np.mean((x @ y) / c)), (np.ones((4, 1)), np.ones((4, 3)), np.zeros((3, 0)))),
    (lambda x, c: np.sum(x / c, axis=1), (np.zeros((2, 0)), np.zeros((2, 1)))),
    (lambda x, c: np.sum(x * c), (np.zeros(0), np.inf)),
    (lambda x, c: np.sum(x / c, axis=1), (MIXED, ZERO)),
    (lambda x, c: np.sum(x * c, axis=1), (MIXED, ZERO + np.inf)),
    (lambda x, y: np.sum(x @ y, axis=0), (np.array([[2.0], [-1.0]]), np.array([[np.inf]]))),
    (lambda x, c: 1 / np.sum(x / c), (np.array([0.0, 1.0]), 0.0)),
    (
        lambda x, c: (np.sum(x * c, axis=0), np.sum(-x)),
        (np.array([[np.inf, 1.0], [2.0, np.nan]]), np.array([3.0, 1.0])),
    ),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("number", range(len(BEYOND)))
def test_what_is_not_finite_is_as_it_is(number: int) -> None:
    f, args = BEYOND[number]
    jitted, expected = dout.jit(f), f(*args)
    for _ in range(3):
        found = jitted(*args)
        for a, b in zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]:
            assert type(a) is type(b)
            assert np.asarray(a).dtype == np.asarray(b).dtype
            np.testing.assert_allclose(a, b, 1e-5 if np.asarray(a).dtype == F4 else 1e-12)


def test_after_what_is_not_finite_it_goes_on() -> None:
    """Quickly, too: the recording still holds."""
    jitted = dout.jit(lambda x, c: np.sum(x / c, axis=1))
    ones = np.ones((2, 3))
    for _ in range(10):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(jitted(ones, ZERO), [np.inf, np.inf])
        np.testing.assert_array_equal(jitted(ones, ones[:, :1]), [3.0, 3.0])
    assert "run by native code" in jitted.report(ones, ones[:, :1].copy())
    within = dout.grad(lambda x, c: np.sum(jitted(x, c)))
    np.testing.assert_array_equal(within(ones, ones[:, :1].copy()), ones)


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


@settings(deadline=None, max_examples=40)
@given(f=functions())
def test_any_such_function_gives_the_same(f: Any) -> None:
    args = (X, Y, B, ROW, COLUMN)
    derivative = dout.grad(lambda *a: np.sum(f(*a)), (0, 1))
    np.testing.assert_allclose(dout.jit(f)(*args), f(*args), 1e-11, 1e-11)  # of sums up to 1e3 or so
    for a, b in zip(dout.jit(derivative)(*args), derivative(*args), strict=True):
        np.testing.assert_allclose(a, b, 1e-11, 1e-11)


def test_a_program_in_which_nothing_is_spared_is_left_as_it_is() -> None:
    program = dout.jit(lambda x: np.sum(abs(x), axis=1)).graph(X)
    assert summed(program) is program

"""One entry in each row: derivatives of what picks by labels, as choices, are what eager code finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import run

import dout
from dout.jit import jit
from dout.tree import flatten

pytest.importorskip("llvmlite")

rng = np.random.default_rng(0)
X = rng.normal(size=(6, 40))
T = rng.normal(size=(3, 4, 20))
LABELS = rng.integers(-40, 40, 6)
ROWS, STEPS = np.arange(3)[:, None], np.arange(4)

CASES = {
    "last axis": lambda x, y: np.sum(np.sin(x)[np.arange(6), y] * 2),
    "first axis": lambda x, y: np.sum(np.sin(x.T)[y, np.arange(6)] ** 2),
    "cross-entropy": lambda x, y: -np.mean((x - np.log(np.sum(np.exp(x), axis=1, keepdims=True)))[np.arange(6), y]),
    "known labels": lambda x, y: np.sum(np.exp(x)[np.arange(6), LABELS]) + np.sum(x),
    "along an axis": lambda x, y: np.sum(np.take_along_axis(np.cos(x), np.abs(y)[:, None], axis=1) ** 2),
    "twice": lambda x, y: np.sum(x[np.arange(6), y] * x[np.arange(6), -y]),
    "written": lambda x, y: np.sum(x[np.arange(6), y] * np.exp(x)[:, 3]),
    "several of a row": lambda x, y: np.sum(np.tanh(x)[np.zeros(6, int), y] ** 2),
    "some rows": lambda x, y: np.sum(np.tanh(x)[np.arange(1, 5), y[1:5]] ** 2),
    "backwards": lambda x, y: np.sum(np.tanh(x)[np.arange(5, -1, -1), y] ** 2),
}


def hold(f, *args):
    fast = jit(f)
    for _ in range(2):
        found, expected = flatten(fast(*args))[0], flatten(f(*args))[0]
        for a, b in zip(found, expected, strict=True):
            a, b = np.asarray(a), np.asarray(b)
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            np.testing.assert_allclose(
                a, b, rtol=0, atol=(1e-12 if b.dtype == np.float64 else 1e-5) * np.max(np.abs(b))
            )
    return fast


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int8])
@pytest.mark.parametrize("of", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_derivatives(name, of, dtype):
    f, x, y = CASES[name], X.astype(of), LABELS.clip(-39, 39).astype(dtype)
    hold(dout.value_and_grad(f), x, y)
    hold(dout.grad(lambda x, y: np.sum(dout.grad(f)(x, y) ** 2)), x, y)


def test_the_sum_of_a_row_with_one_entry_is_that_entry():
    def f(x, y):
        return -np.mean((x - np.log(np.sum(np.exp(x), axis=1, keepdims=True)))[np.arange(6), y] * np.sin(x[:, 0]))

    hold(dout.grad(f), X, LABELS)
    hold(dout.grad(lambda x, y: f(x.T, y)), X.T.copy(), LABELS)
    g = dout.grad(lambda t: np.sum(np.sin(t[np.arange(6), LABELS])))
    for keepdims in (True, False):
        hold(lambda x, k=keepdims: np.sum(g(x), axis=1, keepdims=k), X)
        hold(lambda x, k=keepdims: np.sum(g(x), axis=0, keepdims=k), X)


def test_three_axes():
    def picked(t, y):
        return np.sum(np.sin(t)[ROWS, STEPS, y] ** 2)

    def first(t, y):
        return np.sum(np.sin(np.moveaxis(t, 2, 0))[y, ROWS, STEPS] ** 2)

    for labels in (rng.integers(-20, 20, (3, 4)), rng.integers(0, 20, 4), rng.integers(0, 20, (3, 1))):
        hold(dout.value_and_grad(picked), T, labels)
        hold(dout.value_and_grad(first), T, labels)


def test_it_is_a_choice():
    """Within the loop that uses it, without memory of its own."""
    fast = hold(dout.grad(CASES["cross-entropy"]), X, LABELS)
    report = fast.report(X, LABELS)
    assert "%" in report
    assert "place" in report
    assert report.count("native: loop") == 1


@pytest.mark.parametrize("wrong", [40, -41, 10**6])
def test_out_of_range(wrong):
    fast = jit(dout.grad(CASES["cross-entropy"]))
    fast(X, LABELS)
    labels = LABELS.copy()
    labels[2] = wrong
    with pytest.raises(IndexError):
        fast(X, labels)
    hold(dout.grad(CASES["cross-entropy"]), X, LABELS)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 33), st.data())
def test_any_size(rows, columns, data):
    labels = np.array(data.draw(st.lists(st.integers(-columns, columns - 1), min_size=rows, max_size=rows)))
    x = np.random.default_rng(columns).normal(size=(rows, columns))
    count = np.arange(rows)

    def f(x, y):
        z = x - np.max(x, axis=1, keepdims=True)
        return np.sum(np.tanh(z[count, y]) * x[count, y]) + np.sum(x.T[y, count])

    hold(dout.value_and_grad(f), x, labels)


@pytest.mark.parametrize("name", CASES)
def test_plans_hold(name):
    """Entry by entry, in shared loops as one after another."""
    x, y = X[:, :12], LABELS.clip(-11, 11)
    f = dout.grad(CASES[name]) if name != "known labels" else dout.grad(lambda x, y: np.sum(np.exp(x)[np.arange(6), y]))
    fast = jit(f)
    fast(x, y)
    found, plan = run(fast.graph(x, y), [x, y])
    np.testing.assert_allclose(found[0], f(x, y), rtol=0, atol=1e-12)
    assert plan.units

"""Groups: products and nests that take turns, some rows at a time, give what they give one after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.passes import groups, remade
from dout.passes.nests import planned
from dout.passes.plan import Group, Product
from dout.passes.program import Program
from dout.run.native import blas
from dout.run.native.scalars import KINDS, kind
from dout.tree import flatten

pytestmark = pytest.mark.skipif(not blas.available(), reason="no BLAS to call")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let groups be made of small arrays, too."""
    monkeypatch.setattr(groups, "WORTH", 1.0)
    monkeypatch.setattr(remade, "LARGE", 1)
    before = dout.get_num_threads()
    yield
    dout.set_num_threads(before)


def groups_of(f, *args):
    """The groups of a function's plan."""
    fast = jit(f)
    fast(*args)
    program = fast.graph(*args)
    assert isinstance(program, Program)
    return [s for s in planned(program, kind, KINDS).steps if isinstance(s, Group)]


def hold(f, *args, rtol=1e-12):
    """Native results are those of the function itself, with one thread and with two."""
    expected = flatten(f(*args))[0]
    fast = jit(f)
    for threads in (1, 2):
        dout.set_num_threads(threads)
        for _ in range(2):
            for a, b in zip(flatten(fast(*args))[0], expected, strict=True):
                scale = float(np.max(np.abs(b), initial=1.0))
                np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale)


def layer(x, w, b):
    return np.maximum(x @ w + b, 0)


def rng(*shapes, dtype="f8"):
    made = np.random.default_rng(0)
    return [made.standard_normal(s).astype(dtype) for s in shapes]


@pytest.mark.parametrize("rows", [64, 100, 1000, 997])
def test_rows_of_products_and_what_follows(rows):
    x, w, v, b = rng((rows, 20), (20, 30), (30, 17), (30,))

    def f(x, w, v, b):
        return np.tanh(layer(x, w, b) @ v) * 2

    (group,) = groups_of(f, x, w, v, b)
    assert sum(isinstance(s, Product) for s in group.steps) == 2
    assert group.rooms
    hold(f, x, w, v, b)


@pytest.mark.parametrize("rows", [200, 997])
def test_derivatives_of_weights_are_added_up_over_blocks(rows):
    x, w, v, b = rng((rows, 20), (20, 30), (30, 17), (30,))
    f = dout.value_and_grad(lambda w, v, b: np.sum(layer(x, w, b) @ v), argnums=(0, 1, 2))
    found = groups_of(f, w, v, b)
    assert any(isinstance(s, Product) and s.pieces for g in found for s in g.steps)
    for g in found:  # every block has rows, and every part of a sum is filled
        assert (g.pieces - 1) * g.each < g.extent <= g.pieces * g.each
        assert {s.pieces for s in g.steps} <= {0, g.pieces}
    hold(f, w, v, b)


def test_batches_take_turns():
    x, y, m = rng((30, 40, 20), (20, 20), (30, 20))

    def f(x, y, m):
        return np.sum((x - m[:, None]) @ np.swapaxes(y * m[:, None], 1, 2) * x, axis=2)

    (group,) = groups_of(f, x, y, m)
    assert (group.extent, group.each) == (30, 1)
    hold(f, x, y, m)
    hold(dout.grad(lambda *args: np.sum(np.exp(-(f(*args) ** 2))), argnums=(0, 1, 2)), x, y, m)


@pytest.mark.parametrize("n", [100, 130, 200])
def test_batches_whose_factors_lie_across(n):
    """Both factors would have to be turned around, and are too large for that from some size on: then it is BLAS's."""
    x, y = rng((12, n, n), (12, n, n))

    def f(x, y):
        return np.tanh(x @ np.swapaxes(y, 1, 2) / n)

    fast = jit(f)
    np.testing.assert_allclose(fast(x, y), f(x, y), rtol=1e-12, atol=1e-12)
    report = fast.report(x, y)
    assert "run by native code" in report
    assert ("tiles" in report) == (n * n <= groups.TURNED)


def test_what_is_cheap_is_made_anew_in_a_later_group():
    x, y, m = rng((30, 20), (30, 20, 20), (40, 20))

    def f(x, y, m):
        centred = m - x[:, None]
        top = np.max(np.sum(np.abs(centred @ y), axis=2), axis=0)
        return np.sum((np.tanh(centred * top[:, None]) @ np.swapaxes(y, 1, 2)) * centred)

    first, second = groups_of(f, x, y, m)
    assert not set(second.reads) & set(first.writes) & set(first.rooms)
    assert any(b >= len(jit(f).graph(x, y, m).values) for b in second.rooms)
    hold(f, x, y, m)


def test_a_value_that_others_need_is_kept_whole():
    x, w, v = rng((300, 20), (20, 30), (30, 17))

    def f(x, w, v):
        h = np.tanh(x @ w)
        return h, h @ v, h[::-1].copy(), np.sum(h, axis=0)

    assert len(groups_of(f, x, w, v)) == 1
    hold(f, x, w, v)


def test_rows_that_need_other_rows_do_not_join():
    x, w, v = rng((300, 20), (20, 30), (30, 20))

    def f(x, w, v):
        h = x @ w
        h = h - np.roll(h, 1, axis=0)
        g = h @ v
        return g - np.mean(g, axis=0)

    hold(f, x, w, v)
    hold(dout.grad(lambda x, w, v: np.sum(f(x, w, v) ** 2), argnums=(0, 1, 2)), x, w, v)


def test_float32():
    x, w, v, b = rng((500, 20), (20, 30), (30, 17), (30,), dtype="f4")
    f = dout.value_and_grad(lambda w, v, b: np.sum(np.tanh(layer(x, w, b) @ v)), argnums=(0, 1, 2))
    hold(f, w, v, b, rtol=2e-5)  # sums of 500 entries in another order


def test_indices_in_rows():
    x, w = rng((300, 20), (20, 30))
    labels = np.random.default_rng(1).integers(0, 30, 300)

    def f(x, w):
        z = x @ w
        z = z - np.max(z, axis=1, keepdims=True)
        return -np.mean((z - np.log(np.sum(np.exp(z), axis=1, keepdims=True)))[np.arange(300), labels])

    hold(dout.value_and_grad(f, argnums=(0, 1)), x, w)


def test_a_check_within():
    x, w = rng((300, 20), (20, 30))

    def f(x, w):
        h = x @ w
        return h * 2 if np.sum(h) > 0 else h * 3

    fast = jit(f)
    for sign in (1, -1, 1):
        np.testing.assert_allclose(fast(sign * x, w), f(sign * x, w), rtol=1e-12)


def test_small_programs_have_none(monkeypatch):
    monkeypatch.undo()
    x, w = rng((100, 20), (20, 30))
    assert not groups_of(lambda x, w: np.tanh(x @ w), x, w)


ROWS = {
    "tanh": lambda x, w, b: np.tanh(x), "affine": lambda x, w, b: x @ w + b, "transposed": lambda x, w, b: x @ w.T - b,
    "scaled": lambda x, w, b: x * b, "centred": lambda x, w, b: x - np.mean(x, axis=0), "softmax": lambda x, w, b: np.exp(
        x - np.max(x, axis=1, keepdims=True)) / np.sum(np.exp(x - np.max(x, axis=1, keepdims=True)), axis=1, keepdims=True),
    "gram": lambda x, w, b: x @ (x.T @ x) / 100, "shifted": lambda x, w, b: x + np.roll(x, 1, axis=0),
    "reversed": lambda x, w, b: x[::-1] * b, "squared": lambda x, w, b: x * x - 1, "running": lambda x, w, b: np.cumsum(
        x, axis=0) / 50, "sorted": lambda x, w, b: x + np.max(x, axis=1)[:, None], "mixed": lambda x, w, b: (x @ w) * x,
}  # fmt: skip


@given(
    st.lists(st.sampled_from(sorted(ROWS)), min_size=2, max_size=7), st.sampled_from([64, 65, 130, 200]), st.booleans(),
    st.integers(0, 100),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_random_functions(names, rows, backward, seed):
    drawn = np.random.default_rng(seed)
    x, w, b = drawn.standard_normal((rows, 18)), drawn.standard_normal((18, 18)) / 5, drawn.standard_normal(18)

    def f(x, w, b):
        for name in names:
            x = ROWS[name](x, w, b)
        return x

    g = dout.value_and_grad(lambda x, w, b: np.sum(np.tanh(f(x, w, b))), argnums=(0, 1, 2)) if backward else f
    expected, found = flatten(g(x, w, b))[0], flatten(jit(g)(x, w, b))[0]
    for one, two in zip(found, expected, strict=True):
        scale = float(np.max(np.abs(two), initial=1.0))
        np.testing.assert_allclose(
            one, two, rtol=1e-9, atol=1e-9 * scale
        )  # squares of squares of sums: they grow roundings

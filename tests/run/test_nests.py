"""Fusion and emission: every plan computes what NumPy does, and shares loops where that can be."""

from __future__ import annotations

import numpy as np
import pytest
from plans import run

import dout
from dout.jit import jit
from dout.passes import nests
from dout.passes.plan import Nest
from dout.tree import flatten

rng = np.random.default_rng(0)
X = rng.normal(size=(5, 7))
W = rng.normal(size=(7, 3))
T = rng.normal(size=(2, 3, 4))
LABELS = rng.integers(0, 7, 5)
LARGE = rng.normal(size=(300, 40))


def softmax_loss(x):
    shifted = x - np.max(x, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[np.arange(len(x)), LABELS[np.arange(len(x)) % 5]])


def layer_norm(x):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return np.sum(np.tanh(centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)))


def written(x):
    y = np.zeros_like(x)
    y[1:, ::2] = x[:-1, ::2] * 2
    y[0] = x[1]
    return np.sum(y * x)


def embedded(x):
    return np.sum(x[LABELS % len(x)] ** 2 * np.arange(5.0)[:, None])


def one_of_each_row(x):
    """Rows that are summed, read at one place and written at one place."""
    rows = np.arange(len(x))
    places = LABELS[rows % 5]
    y = np.exp(x / np.sum(x * x, axis=1, keepdims=True))
    y[rows, places] = np.sum(x, axis=1)
    return np.sum(y * x) + np.sum(np.tanh(y)[rows, places])


def written_diagonal(x):
    y = x[:5, :5] * 1.5
    y[np.arange(5), np.arange(5)] = x[:5, 0] * 2
    y[np.arange(1, 5), np.arange(4)] += x[1:5, 1]
    return y @ y


def k_means(x):
    centres = x[:3] * 1.5
    return np.sum(np.min(np.sum((x[:, None, :] - centres[None]) ** 2, axis=-1), axis=1))


CASES = {
    "chain": (lambda x: np.sum(1 / (1 + np.exp(-np.maximum(x * 2 + 1, 0)))), (X,)),
    "rows": (softmax_loss, (X,)),
    "large rows": (softmax_loss, (LARGE[:, :7].copy(),)),
    "layer norm": (layer_norm, (X,)),
    "large layer norm": (layer_norm, (LARGE,)),
    "columns": (lambda x: np.sum(np.sum(x * 2, axis=0) ** 2), (X,)),
    "middle": (lambda x: np.prod(np.sum(x, axis=1) + np.max(x, axis=(0, 2))[:, None].T[:, [0, 1, 2, 0]][:2]), (T,)),
    "transposed": (lambda x: np.sum(np.exp(x.T) * x.T * np.arange(5.0)), (X,)),
    "products": (lambda x, w: np.sum(np.tanh(x @ w) ** 2), (X, W)),
    "large products": (lambda x, w: np.sum(np.tanh(x @ w) ** 2), (LARGE, LARGE[:40, :20].copy())),
    "views": (lambda x: np.sum(x[1:, ::-2] * x[:-1, ::2] + x.reshape(7, 5)[::2].T[:4]), (X,)),
    "slices": (lambda x: np.sum((x[1:] - x[:-1]) ** 2 * np.exp(x[1:])), (X,)),
    "written": (written, (X,)),
    "gathered": (embedded, (X,)),
    "joined": (lambda x: np.sum(np.concatenate([x[:, :2], x * 2, np.sin(x)], axis=1) ** 2), (X,)),
    "running": (lambda x: np.sum(np.cumsum(x, axis=1) * x + np.cumsum(x, axis=0) ** 2), (X,)),
    "stacked": (lambda x: np.sum(np.stack([x[0], x[1] * 2, np.exp(x[2])]) ** 3), (X,)),
    "repeated": (lambda x: np.sum(np.repeat(x, 3, axis=1) ** 2 * np.tile(x, (1, 3))), (X,)),
    "masked": (lambda x: np.sum(np.where(x > 0, x, 0.1 * x) * (x > -1)), (X,)),
    "einsum": (lambda x, w: np.sum(np.einsum("ij,jk->ki", x, w) ** 2 * np.einsum("ij->j", x)[0]), (X, W)),
    "batched": (lambda t: np.sum(t @ np.swapaxes(t, 1, 2)), (T,)),
    "one of each row": (one_of_each_row, (X,)),
    "large one of each row": (one_of_each_row, (LARGE[:, :7].copy(),)),
    "diagonal written": (lambda x: np.sum(written_diagonal(x)), (X,)),
    "k-means": (k_means, (X,)),
    "large k-means": (k_means, (LARGE,)),
    "outer": (lambda x: np.sum(np.outer(x[0], x[1]) ** 2), (X,)),
    "scalars": (lambda x: np.exp(x[0, 0]) * x[1, 2] + np.sum(x[0]), (X,)),
    "large sum": (lambda x: np.sum(np.exp(x)) ** 2 + np.sum(x, axis=0)[1], (rng.normal(size=(30_000, 3)),)),
    "wide": (lambda x: np.sum(np.log(np.sum(np.exp(x), axis=1))), (rng.normal(size=(3, 30_000)),)),
    "spread": (lambda x: np.sum(np.std(x, axis=0) * np.var(x)), (X,)),
    "log of sums": (lambda x: np.logaddexp.reduce(x[0]) + np.linalg.norm(x), (X,)),
    "float32": (lambda x: np.sum(np.tanh(x * 2) / np.sum(np.exp(x), axis=1, keepdims=True)), (X.astype(np.float32),)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("cut", [False, True])
def test_plans(name, order, cut, monkeypatch):
    f, args = CASES[name]
    if cut:
        monkeypatch.setattr(nests, "LONG", 0)
        monkeypatch.setattr(nests, "PIECES", 3)
        monkeypatch.setattr(nests, "WORTH", 0)
    wanted = f
    if order >= 1:
        wanted = dout.value_and_grad(f, argnums=tuple(range(len(args))))
    if order == 2:
        first = dout.grad(f)
        wanted = dout.grad(lambda *xs: np.sum(first(*xs) ** 2 * 0.5))
    program = jit(wanted, backend="numpy").graph(*args)
    found, plan = run(program, args)
    single = args[0].dtype == np.float32
    for a, b in zip(found, flatten(wanted(*args))[0], strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=3e-5 if single else 1e-11, atol=1e-5 if single else 1e-11)
    assert order == 2 or any(isinstance(s, Nest) for s in plan.steps)


@pytest.mark.parametrize("n", range(3, 12))
def test_entries_of_a_row_that_are_found_by_number(n):
    """LLVM once loaded entries of a row, by their numbers, before the last of the row was stored."""
    rng = np.random.default_rng(n)
    index = rng.integers(-n, n, n + 1)
    index[0] = n - 1
    x = rng.standard_normal((6, n))

    def f(x):
        t, found = x, 0.0
        for _ in range(3):
            t = t * 0.5
            found = found + np.sum(t * t)
        row = np.where(t >= 0.1, 0.75, t * 2)
        return row[:, index], found

    fast = dout.jit(f)
    for _ in range(3):
        (rows, number), (expected, total) = fast(x), f(x)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_allclose(number, total, rtol=1e-14)
        x = x[::-1] * 0.9


def test_masks_of_a_layer_are_made_where_they_are_used():
    """Backwards, a layer needs what it was given, which is there; not masks of it as well."""
    x, w, b = rng.normal(size=(96, 20)), rng.normal(size=(20, 128)), rng.normal(size=128)

    def layer(x, w, b):
        return np.sum(np.tanh(np.maximum(x @ w + b, 0) @ w.T))

    fast, plain = jit(dout.grad(layer, (0, 1, 2))), dout.grad(layer, (0, 1, 2))
    for a, c in zip(fast(x, w, b), plain(x, w, b), strict=True):
        np.testing.assert_allclose(a, c, rtol=0, atol=1e-12 * np.max(np.abs(c)))
    forward = next(line for line in fast.report(x, w, b).splitlines() if "maximum" in line)
    assert "greater" not in forward
    assert "not_equal" not in forward
    assert f"{8 * 96 * 128} written" in forward


def test_beside_blas_loops_of_some_work_are_not_split(monkeypatch):
    """Its threads wait busily for what comes next, where others would have to work."""
    monkeypatch.setattr("dout.run.native.threads.BESIDE_BLAS", 1e6)
    x, w = rng.normal(size=(400, 300)), rng.normal(size=(300, 300))
    for f, cut in (
        (lambda x, w: np.exp(np.tanh(x * 2)), True),
        (lambda x, w: np.exp(np.tanh(x @ w)), False),
        (lambda x, w: np.exp(np.tanh(np.exp(np.tanh(np.exp(np.tanh(np.sin(np.tanh(np.sin(x @ w))))))))), True),
    ):
        fast = jit(f)
        np.testing.assert_allclose(fast(x, w), f(x, w), rtol=1e-11, atol=1e-11)
        assert ("in pieces" in fast.report(x, w)) == cut


def test_a_choice_between_numbers_is_native():
    """NumPy makes an array without axes of it, and so does native code."""
    for f in (
        lambda x: np.where(x[0] < 0, x[1], x[2]),
        lambda x: np.where(x[0] < 0, x[1], 2.0)[()],
        lambda x: np.where(x[0] < 0, x[1], x[2]) * x,
        lambda x: np.stack([np.where(x[0] < 0, x[1], x[2]), x[0]]),
        dout.grad(lambda x: np.log(np.sum(x))),
    ):
        fast = jit(f)
        for x in (np.array([-1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])):
            found, expected = fast(x), f(x)
            assert type(found) is type(expected)
            assert np.array_equal(found, expected)
        assert "NumPy:" not in fast.report(x)

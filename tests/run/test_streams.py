"""Large results, which are written past the caches: whole and right wherever their lines begin and end."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.passes.nests import planned
from dout.passes.plan import Nest
from dout.run.native import streams
from dout.run.native import text as ir
from dout.run.native.engine import Code
from dout.run.native.scalars import KINDS, kind
from dout.tree import flatten


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small results be written so, too."""
    monkeypatch.setattr(streams, "LARGE", 1)
    before = dout.get_num_threads()
    yield
    dout.set_num_threads(before)


@pytest.mark.parametrize("size", [0, 1, 7, 63, 64, 65, 100, 128, 1000, 4096])
def test_copies_from_anywhere_to_anywhere(size):
    module = ir.Module("test")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.PointerType()] * 2 + [ir.IntType(64)]), "copy")
    b = ir.IRBuilder(function.append_basic_block("entry"))
    b.call(streams.stream(module), function.args)
    streams.fence(b)
    b.ret_void()
    code = Code(str(module))
    copy = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(code.address("copy"))
    source = np.random.default_rng(0).integers(1, 255, size + 200).astype(np.uint8)
    for to in (0, 1, 8, 16, 40, 63, 64):
        for start in (0, 3, 64):
            out = np.zeros(size + 200, np.uint8)
            copy(out.ctypes.data + to, source.ctypes.data + start, size)
            expected = np.zeros_like(out)
            expected[to : to + size] = source[start : start + size]
            np.testing.assert_array_equal(out, expected)


def streamed(f, *args):
    """How many results of a function are written past the caches."""
    program = jit(f).graph(*args)
    plan = planned(program, kind, KINDS)
    return sum(len(streams.streamed(plan, s)) for s in plan.steps if isinstance(s, Nest))


def hold(f, *args):
    expected = flatten(f(*args))[0]
    fast = jit(f)
    for threads in (1, 2):
        dout.set_num_threads(threads)
        for _ in range(3):
            for a, b in zip(flatten(fast(*args))[0], expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13 * np.max(np.abs(b), initial=1))


@pytest.mark.parametrize("n", [16, 17, 100, 511, 512, 513, 2048, 2049, 5000, 100_003])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "?"])
def test_rows_of_every_length(n, dtype):
    x = np.random.default_rng(0).standard_normal(n)
    x = (x * 10).astype(dtype) if dtype != "?" else x > 0

    def f(x):
        return x * x, x[::-1] | True if dtype == "?" else -x

    assert streamed(f, x) == 2
    fast = jit(f)
    for found, expected in zip(fast(x), f(x), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(5, 20), (3, 513), (4, 3, 1000), (200, 1000)])
def test_rows_with_sums(shape):
    x = np.random.default_rng(1).standard_normal(shape)

    def f(x):
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return e / np.sum(e, axis=-1, keepdims=True)

    assert streamed(f, x) == 1
    hold(f, x)
    hold(dout.grad(lambda x: np.sum(f(x) ** 2)), x)
    hold(lambda x: (x * 2, np.sum(x * 2), np.max(x * 3, axis=0)), x)


def test_rows_that_are_gathered():
    table, index = np.random.default_rng(2).standard_normal((50, 24)), np.random.default_rng(3).integers(0, 50, 300)
    assert streamed(lambda t: t[index], table) == 1
    hold(lambda t: t[index], table)


def test_what_is_read_again_is_not_written_so():
    x = np.random.default_rng(4).standard_normal((300, 200))

    def f(x):
        y = np.tanh(x)
        return y, np.sum(y, axis=0)[:, None] * y.T

    assert streamed(f, x) == 1
    hold(f, x)
    assert streamed(lambda x: (np.tanh(x), np.sum(np.tanh(x))), x) == 1  # while it is at hand


def test_columns_and_writes_by_index_are_not():
    x = np.random.default_rng(5).standard_normal((30, 20))
    index = np.random.default_rng(6).permutation(600)

    def f(x):
        y = np.zeros(600)
        y[index] = x.ravel()
        return y

    assert streamed(f, x) == 0
    hold(f, x)


def test_large_results_are_by_themselves(monkeypatch):
    monkeypatch.undo()
    x = np.ones(1_600_000)
    assert streamed(lambda x: x * 2, x) == 1
    assert streamed(lambda x: x * 2, x[:100_000]) == 0
    hold(lambda x: (x * 2, np.sum(x)), x)

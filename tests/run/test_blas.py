"""Matrix products by BLAS: every way in which factors may lie, batches, and what is left in the result's memory before."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from dout.passes.plan import Buffer, Plan, Product, Read
from dout.passes.program import Program
from dout.run.native import blas, library
from dout.run.native import text as ir
from dout.run.native.engine import Code

pytestmark = pytest.mark.skipif(not blas.available(), reason="no BLAS to call")
SIZES = [
    (2, 3, 4),
    (1, 3, 4),
    (2, 1, 4),
    (2, 3, 1),
    (1, 1, 4),
    (1, 3, 1),
    (2, 1, 1),
    (1, 1, 1),
    (40, 30, 50),
    (17, 1, 64),
]


def read(value, array, base):
    """Where a view's entries lie in its base."""
    size = array.dtype.itemsize
    offset = (array.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // size
    return Read(value, offset, tuple(s // size for s in array.strides))


def multiplied(a, base_a, b, base_b):
    """`a @ b` by BLAS, into memory that is full of NaN."""
    batch = a.shape[:-2]
    out = np.full((*batch, a.shape[-2], b.shape[-1]), np.nan, a.dtype)
    buffers = {i: Buffer(i, x.shape, x.dtype) for i, x in enumerate((base_a, base_b, out))}
    step = Product(2, batch, a.shape[-2], b.shape[-1], a.shape[-1], read(0, a, base_a), read(1, b, base_b))
    plan = Plan(Program([], [], [], 0), [step], buffers, set())
    module = ir.Module("test")
    blas.emitted(plan, step, {0: 0, 1: 1, 2: 2}, module, "step")
    code = Code(str(module))
    table = (ctypes.c_void_p * 3)(base_a.ctypes.data, base_b.ctypes.data, out.ctypes.data)
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    assert kind(code.address("step"))(ctypes.addressof(table), 0, 1) == 0
    return out


def laid_out(rng, way, rows, columns, dtype):
    """A matrix of that size, and the memory in which it lies."""
    if way == "rows":
        base = rng.standard_normal((rows, columns)).astype(dtype)
        return base, base
    if way == "columns":
        base = rng.standard_normal((columns, rows)).astype(dtype)
        return base.T, base
    if way == "part by rows":
        base = rng.standard_normal((rows + 3, columns + 5)).astype(dtype)
        return base[2 : 2 + rows, 1 : 1 + columns], base
    base = rng.standard_normal((columns + 3, rows + 5)).astype(dtype)
    return base[2 : 2 + columns, 1 : 1 + rows].T, base


WAYS = ["rows", "columns", "part by rows", "part by columns"]


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("size", SIZES)
def test_every_way_to_lie(size, dtype):
    rng = np.random.default_rng(0)
    m, n, k = size
    for ways in itertools.product(WAYS, WAYS):
        a, base_a = laid_out(rng, ways[0], m, k, dtype)
        b, base_b = laid_out(rng, ways[1], k, n, dtype)
        # k rounded products, each of some units at most
        bound = (k + 2) * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b))
        assert np.all(np.abs(multiplied(a, base_a, b, base_b) - a @ b) <= bound), ways


@pytest.mark.parametrize("ways", [("rows", "rows"), ("columns", "rows"), ("rows", "columns")])
def test_batches(ways):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, 2, 4, 5))
    b = rng.standard_normal((3, 2, 5, 6))
    base_a = np.ascontiguousarray(a if ways[0] == "rows" else a.swapaxes(-1, -2))
    base_b = np.ascontiguousarray(b if ways[1] == "rows" else b.swapaxes(-1, -2))
    x = base_a if ways[0] == "rows" else base_a.swapaxes(-1, -2)
    y = base_b if ways[1] == "rows" else base_b.swapaxes(-1, -2)
    np.testing.assert_allclose(multiplied(x, base_a, y, base_b), a @ b, rtol=1e-13, atol=1e-14)


def test_one_factor_for_the_whole_batch():
    rng = np.random.default_rng(0)
    a, w = rng.standard_normal((7, 4, 5)), rng.standard_normal((5, 6))
    every = np.broadcast_to(w, (7, 5, 6))
    np.testing.assert_allclose(multiplied(a, a, every, w), a @ w, rtol=1e-13, atol=1e-14)


def test_nan_and_infinities_pass_through():
    a = np.array([[1.0, np.nan], [np.inf, 2.0], [0.0, 3.0]])
    b = np.array([[0.0, 1.0, 2.0], [1.0, -1.0, 4.0]])
    v = np.ascontiguousarray(b[:, 1:2])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(multiplied(a, a, b, b), a @ b)
        np.testing.assert_array_equal(multiplied(a, a, v, v), a @ v)


def test_a_size_too_large_for_the_library_is_an_error(monkeypatch):
    narrow = library.Library(library.library().addresses, 32, "NumPy")
    monkeypatch.setattr(blas, "library", lambda: narrow)
    size = 2**31
    step = Product(2, (), 2, 2, size, Read(0, 0, (size, 1)), Read(1, 0, (2, 1)))
    buffers = {i: Buffer(i, s, np.dtype(float)) for i, s in enumerate([(2, size), (size, 2), (2, 2)])}
    plan = Plan(Program([], [], [], 0), [step], buffers, set())
    with pytest.raises(ValueError, match="too large"):
        blas.emitted(plan, step, {0: 0, 1: 1, 2: 2}, ir.Module(), "step")


def test_scipys_library_is_one_too():
    pytest.importorskip("scipy")
    assert all(library._multiplies(found) for found in library._scipys())


def test_numpys_library_is_taken_without_importing_scipy():
    lines = """
import sys
from dout.run.native.library import library
print(library().whose, 'scipy.linalg.cython_blas' in sys.modules)"""
    out = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout.split()
    assert out in (["NumPy", "False"], ["SciPy", "True"])

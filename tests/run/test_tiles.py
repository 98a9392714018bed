"""Products in tiles: every way in which factors may lie, batches, pieces, blocks of rows, and other widths of vectors."""

from __future__ import annotations

import ctypes
import math
import mmap
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from dout.passes.plan import Buffer, Plan, Product, Read
from dout.passes.program import Program
from dout.run.native import text as ir
from dout.run.native import tiles, tiling
from dout.run.native.engine import Code

STEP = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


def lying(rng, shape, way, dtype):
    """Matrices of that shape, and the memory in which they lie."""
    *batch, rows, columns = shape
    if way == "rows":
        base = rng.standard_normal(shape).astype(dtype)
        return base, base
    if way == "columns":
        base = rng.standard_normal((*batch, columns, rows)).astype(dtype)
        return base.swapaxes(-1, -2), base
    base = rng.standard_normal((*batch, rows + 2, columns + 3)).astype(dtype)
    return base[..., 1 : rows + 1, 2 : columns + 2], base


def read(value, array, base):
    size = array.dtype.itemsize
    offset = (array.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // size
    return Read(value, offset, tuple(s // size for s in array.strides))


def product(a, base_a, b, base_b, pieces=0):
    """The step, its plan, and room for the result, full of NaN."""
    shape = (*a.shape[:-1], b.shape[-1])
    step = Product(2, a.shape[:-2], *a.shape[-2:-1], b.shape[-1], a.shape[-1], read(0, a, base_a), read(1, b, base_b))
    if pieces:
        step.pieces, step.parts, shape = pieces, 3, (pieces, *shape)
    out = np.full(shape, np.nan, a.dtype)
    buffers = {i: Buffer(i, x.shape, x.dtype) for i, x in enumerate((base_a, base_b, out, out))}
    return step, Plan(Program([], [], [], 0), [step], buffers, set()), out


def run(step, plan, cut, memory, spans, rows=False):
    """Lets a step compute some of its iterations after another."""
    module = ir.Module("test")
    tiles.emitted(plan, step, cut, {0: 0, 1: 1, step.writes[0]: 2}, module, "step", rows)
    code = Code(str(module))
    table = (ctypes.c_void_p * 3)(*[m.ctypes.data for m in memory])
    for begin, end in spans:
        assert STEP(code.address("step"))(ctypes.addressof(table), begin, end) == 0


def extent(step, cut):
    """How many iterations the step has."""
    return max(step.pieces, 1) * math.prod(step.batch) * cut.units


def hold(found, a, b):
    """Each sum of k products is off by k roundings of what it adds up at most, and so is NumPy's."""
    bound = 2 * (a.shape[-1] + 2) * np.finfo(a.dtype).eps * (np.abs(a) @ np.abs(b))
    assert np.all(np.abs(found - a @ b) <= bound)


@pytest.fixture(params=[128, 256, 512])
def width(request, monkeypatch):
    """As on machines with other vectors, too: LLVM makes several of one that is too wide."""
    monkeypatch.setattr(tiling, "width", lambda: request.param)
    return request.param


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    "size", [(1, 1, 1), (5, 3, 4), (17, 33, 20), (64, 64, 64), (30, 100, 7), (7, 10, 90), (40, 9, 1)]
)
def test_every_way_to_lie(size, dtype, width):
    rng = np.random.default_rng(0)
    m, n, k = size
    for ways in [("rows", "rows"), ("rows", "columns"), ("columns", "rows"), ("columns", "columns"), ("part", "part")]:
        a, base_a = lying(rng, (m, k), ways[0], dtype)
        b, base_b = lying(rng, (k, n), ways[1], dtype)
        step, plan, out = product(a, base_a, b, base_b)
        cut = tiling.tiling(step, a.dtype.itemsize)
        every = extent(step, cut)
        middle = every // 2
        run(step, plan, cut, (base_a, base_b, out), [(middle, every), (0, middle)])
        hold(out, a, b)


@given(
    st.lists(st.integers(1, 3), max_size=2), st.tuples(*[st.integers(1, 40)] * 3),
    st.sampled_from(["rows", "columns", "part"]), st.sampled_from(["rows", "columns", "part"]), st.sampled_from(["f8", "f4"]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_batches(batch, size, way_a, way_b, dtype):
    rng = np.random.default_rng(1)
    m, n, k = size
    a, base_a = lying(rng, (*batch, m, k), way_a, dtype)
    b, base_b = lying(rng, (*batch, k, n), way_b, dtype)
    step, plan, out = product(a, base_a, b, base_b)
    cut = tiling.tiling(step, a.dtype.itemsize)
    run(step, plan, cut, (base_a, base_b, out), [(0, extent(step, cut))])
    hold(out, a, b)


def test_long_sums_of_a_batch_go_block_after_block(width):
    rng = np.random.default_rng(2)
    a, base_a = lying(rng, (3, 20, 500), "columns", "f8")
    b, base_b = lying(rng, (3, 500, 64), "rows", "f8")
    step, plan, out = product(a, base_a, b, base_b)
    cut = tiling.tiling(step, 8)
    assert cut.deep
    assert extent(step, cut) == 3
    run(step, plan, cut, (base_a, base_b, out), [(0, 1), (1, 3)])
    hold(out, a, b)


@pytest.mark.parametrize(("k", "pieces"), [(500, 7), (1000, 3), (64, 64), (90, 8)])
@pytest.mark.parametrize("n", [8, 33, 64])
def test_sums_in_pieces(k, pieces, n, width):
    rng = np.random.default_rng(3)
    a, base_a = lying(rng, (21, k), "columns", "f8")
    b, base_b = lying(rng, (k, n), "rows", "f8")
    each = -(-k // pieces)
    pieces = -(-k // each)
    step, plan, out = product(a, base_a, b, base_b, pieces)
    cut = tiling.tiling(step, 8)
    run(step, plan, cut, (base_a, base_b, out), [(0, extent(step, cut))])
    for n, part in enumerate(out):
        hold(part, a[:, n * each : (n + 1) * each], b[n * each : (n + 1) * each])


@pytest.mark.parametrize("way", ["rows", "columns"])
@pytest.mark.parametrize(("rows", "each"), [(100, 40), (100, 33), (41, 20), (7, 7)])
def test_blocks_of_rows(rows, each, way, width):
    rng = np.random.default_rng(4)
    a, base_a = lying(rng, (rows, 30), "rows", "f4")
    b, base_b = lying(rng, (30, 50), way, "f4")
    step, plan, out = product(a, base_a, b, base_b)
    cut = tiling.by_rows(step, 4, (rows - 1) % each + 1)
    spans = [(low, min(low + each, rows)) for low in range(0, rows, each)]
    run(step, plan, cut, (base_a, base_b, out), spans[::-1], rows=True)
    hold(out, a, b)


def test_nan_and_infinities_pass_through():
    a = np.zeros((20, 20))
    a[3, 4], a[5, 6] = np.nan, np.inf
    b = np.eye(20)
    step, plan, out = product(a, a, b, b)
    cut = tiling.tiling(step, 8)
    run(step, plan, cut, (a, b, out), [(0, extent(step, cut))])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(out, a @ b)


@pytest.mark.skipif(sys.platform == "win32", reason="pages are protected in POSIX's way")
@pytest.mark.parametrize("k", [1, 7])
@pytest.mark.parametrize("n", [1, 3, 8, 10, 17, 25, 31, 33])
def test_a_factor_at_the_end_of_what_may_be_read(n, k):
    """The page behind the right factor's last entry, and behind the left one's, can't be read at all."""
    rng = np.random.default_rng(5)
    for way in ("rows", "columns"):
        a, base_a = lying(rng, (9, k), "rows", "f8")
        b, base_b = lying(rng, (k, n), way, "f8")
        for itself, base in ((0, base_a), (1, base_b)):
            held = mmap.mmap(-1, 2 * mmap.PAGESIZE)
            whole = np.frombuffer(held, np.uint8)
            protect = ctypes.CDLL(None).mprotect
            protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
            assert protect(whole.ctypes.data + mmap.PAGESIZE, mmap.PAGESIZE, 0) == 0
            last = whole[mmap.PAGESIZE - base.nbytes : mmap.PAGESIZE].view(np.float64).reshape(base.shape)
            last[...] = base
            step, plan, out = product(a, base_a, b, base_b)
            cut = tiling.tiling(step, 8)
            memory = (last, base_b, out) if itself == 0 else (base_a, last, out)
            run(step, plan, cut, memory, [(0, extent(step, cut))])
            hold(out, a, b)
            protect(whole.ctypes.data + mmap.PAGESIZE, mmap.PAGESIZE, 3)


def test_nothing_is_read_or_written_beyond():
    """Neighbours of the factors are NaN, and those of the result stay as they are."""
    for n in (3, 10, 17, 33):
        base_a, base_b = np.full((9, 12), np.nan), np.full((12, n + 2), np.nan)
        a, b = base_a[1:8, 1:11], base_b[1:11, 1 : n + 1]
        a[...], b[...] = 1.0, 2.0
        step, plan, out = product(a, base_a, b, base_b)
        cut = tiling.tiling(step, 8)
        memory = np.full(out.size + 20, 5.0)
        run(step, plan, cut, (base_a, base_b, memory[10:]), [(0, extent(step, cut))])
        np.testing.assert_array_equal(memory[10:-10], 20.0)
        np.testing.assert_array_equal(memory[:10], 5.0)
        np.testing.assert_array_equal(memory[-10:], 5.0)

"""Segments: where memory lies, arenas in threads, the builtin around them, and what it gets that isn't as it was recorded."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.passes.plan import Buffer, Call, Loop, Nest, Plan
from dout.passes.program import Program
from dout.run.native import abi
from dout.run.native import text as ir
from dout.run.native.engine import Code
from dout.run.native.segments import ALIGNMENT, Arenas, Core, placed, segments

DOUBLE, LONG, INT, P = ir.DoubleType(), ir.IntType(64), ir.IntType(32), ir.PointerType()


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_rooms_that_are_used_at_one_time_do_not_overlap(given_rooms):
    rooms = []
    at = 0
    for name, (size, later, lasts) in enumerate(given_rooms):
        at += later
        rooms.append((name, size, at, at + lasts))
    offsets, most = placed(rooms)
    for i, size, first, last in rooms:
        assert offsets[i] % ALIGNMENT == 0
        assert offsets[i] + size <= most
        for j, other, begin, end in rooms[:i]:
            if begin <= last and first <= end:
                assert offsets[i] >= offsets[j] + max(other, 1) or offsets[j] >= offsets[i] + max(size, 1)


def test_memory_is_used_again_when_nobody_needs_it_any_more():
    offsets, most = placed([(0, 640, 0, 1), (1, 640, 1, 2), (2, 640, 2, 3), (3, 640, 3, 4)])
    assert most == 2 * 640
    assert offsets[0] == offsets[2]


def nest(reads, writes):
    return Nest([], reads, writes)


def plan_of(steps, shape=(4,)):
    used = {v for s in steps for v in (*s.reads, *s.writes)}
    return Plan(Program([], [], [], 0), steps, {v: Buffer(v, shape, np.dtype(float)) for v in used}, set())


def test_neighbours_are_one_segment_and_calls_stand_between():
    steps = [nest([0], [1]), nest([1], [2]), Call(3, [2]), nest([3, 1], [4]), nest([4], [5])]
    first, call, last = segments(plan_of(steps), {5})
    assert [n for n, _ in first.steps] == [0, 1]
    assert (first.inputs, first.results, first.offsets) == ([0], [1, 2], {})
    assert call == (2, steps[2])
    assert (last.inputs, last.results, list(last.offsets)) == ([1, 3], [5], [4])


def test_what_an_earlier_segment_began_to_fill_is_filled_in_place():
    steps = [nest([], [1]), Call(2, [0]), nest([1, 2], [1])]
    first, _, last = segments(plan_of(steps), {1})
    assert first.results == [1]
    assert (last.inputs, last.results) == ([1, 2], [])


# Cores, with steps made by hand


def emitted(module, name, slots, source, target, factor, status=0, extent=4):
    """A step: `target[i] = source[i] * factor + i` for the range it is called with."""
    function = ir.Function(module, ir.FunctionType(INT, [P, LONG, LONG]), name)
    table, begin, end = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    one, two = (b.load(b.gep(table, [ir.Constant(LONG, slots[v])], source_etype=P), typ=P) for v in (source, target))
    before, loop, done = b.block, b.append_basic_block("loop"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    i = b.phi(LONG)
    i.add_incoming(begin, before)
    x = b.fmul(b.load(b.gep(one, [i], source_etype=DOUBLE), typ=DOUBLE), ir.Constant(DOUBLE, factor))
    b.store(b.fadd(x, b.sitofp(i, DOUBLE)), b.gep(two, [i], source_etype=DOUBLE))
    following = b.add(i, ir.Constant(LONG, 1))
    i.add_incoming(following, b.block)
    b.cbranch(b.icmp_signed("<", following, end), loop, done)
    b.position_at_end(done)
    b.ret(ir.Constant(INT, status))
    return function


def chain(size, statuses=(0, 0, 0)):
    """Three steps, 0 -> 1 -> 2 -> 3, of which 1 and 2 are in the arena, as a function of arrays."""
    plan = plan_of([nest([0], [1]), nest([1], [2]), nest([2], [3])], (size,))
    (segment,) = segments(plan, {3})
    module, arenas = ir.Module("test"), Arenas(1)
    core = Core(module, "segment", segment, arenas.address(0))
    for k, status in enumerate(statuses):
        core.call(Nest([Loop(size, [])]), emitted(module, f"step{k}", segment.slots, k, k + 1, k + 2.0, status))
    core.finish()
    code = Code(str(module))
    run = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(code.address("segment"))
    word = ctypes.c_void_p.from_address(arenas.address(0))

    def call(x):
        out = np.full(size, np.nan)
        table = (ctypes.c_void_p * 4)(x.ctypes.data, out.ctypes.data)
        return run(ctypes.addressof(table)), out

    call.kept = (code, arenas)
    call.word = word
    call.segment = segment
    return call


def meant(x):
    i = np.arange(len(x))
    return ((x * 2 + i) * 3 + i) * 4 + i


def test_a_segment_computes_and_keeps_its_arena():
    run = chain(1000)
    assert run.segment.size == 2 * 8000  # two rooms that are used at one time
    x = np.arange(1000.0)
    status, out = run(x)
    assert status == 0
    np.testing.assert_array_equal(out, meant(x))
    first = run.word.value
    assert first
    np.testing.assert_array_equal(run(x + 1)[1], meant(x + 1))
    assert run.word.value == first


def test_a_step_that_breaks_off_ends_the_segment_and_the_arena_is_put_back():
    run = chain(1000, (0, 1, 0))
    status, out = run(np.arange(1000.0))
    assert status == 1
    assert np.isnan(out).all()
    assert run.word.value


def test_no_memory_is_said():
    run = chain(2**58)  # nobody has that much: no array of this size is touched
    table = (ctypes.c_void_p * 4)()
    code, _ = run.kept
    assert ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(code.address("segment"))(ctypes.addressof(table)) == 2


def test_threads_get_arenas_of_their_own():
    run = chain(50_000)
    wrong = []

    def work(seed):
        x = np.random.default_rng(seed).standard_normal(50_000)
        expected = meant(x)
        for _ in range(200):
            if not np.array_equal(run(x)[1], expected):  # ctypes runs it without the GIL
                wrong.append(seed)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not wrong


# Whole programs


def mixed(x, w, k):
    """Native, NumPy, native: what is sorted isn't native."""
    y = np.tanh(x * w + k)
    z = np.sort(y) * np.arange(y.size)
    return np.sum(np.exp(-z) * y), z


X, W = np.linspace(-2, 2, 24), np.cos(np.arange(24.0))


def close(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert type(a) is type(b)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("quick", [True, False])
def test_segments_with_numpy_between(quick, monkeypatch):
    if not quick:
        monkeypatch.setattr(abi, "holds", lambda: False)
    fast = jit(mixed)
    for args in [(X, W, 0.5), (W, X, -1.0), (X, W, 0.5)]:
        close(fast(*args), mixed(*args))
    assert "NumPy: " in fast.report(X, W, 0.5)
    assert "native: " in fast.report(X, W, 0.5)


def several(x, s):
    y = x * s
    return y, s, x, y, 1.5, np.float64(2.5), s * 2, np.ones(3)


@pytest.mark.parametrize("quick", [True, False])
def test_results_that_are_arguments_constants_and_one_another(quick, monkeypatch):
    if not quick:
        monkeypatch.setattr(abi, "holds", lambda: False)
    fast = jit(several)
    fast(X, 2.0)
    for s in (2.0, 3.0):
        found = fast(X, s)
        close(found, several(X, s))
        arrays = [r for r in found if isinstance(r, np.ndarray)]
        for i, a in enumerate(arrays):
            assert a.flags.owndata
            assert a.flags.writeable
            assert not np.may_share_memory(a, X)
            assert not any(np.may_share_memory(a, b) for b in arrays[:i])
        found[-1][:] = 7  # a constant of the program must not see that


def test_nested_containers_of_results():
    fast = jit(lambda x: ([x * 2, (x + 1, [x * 3])], x - 1))
    fast(X)
    ((a, (b, [c])), d) = fast(X)
    close((a, b, c, d), (X * 2, X + 1, X * 3, X - 1))


def test_references_are_given_back():
    fast = jit(several)
    number = 12345.678
    fast(X, number)
    fast(X, number)
    arrays, numbers, dtypes = sys.getrefcount(X), sys.getrefcount(number), sys.getrefcount(X.dtype)
    for _ in range(100):
        fast(X, number)
    assert abs(sys.getrefcount(X) - arrays) < 5
    assert abs(sys.getrefcount(number) - numbers) < 5
    assert abs(sys.getrefcount(X.dtype) - dtypes) < 5


def test_memory_does_not_grow():
    fast = jit(lambda x: (np.sort(np.tanh(x)) * 2, np.sum(x, keepdims=True)))
    big = np.ones(10_000)
    for _ in range(3):
        fast(big)
    gc.collect()
    tracemalloc.start()
    for _ in range(200):
        fast(big)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000  # one array is 80,000 bytes


def test_python_goes_on_while_a_long_segment_runs():
    n = 3_000_000
    fast = jit(lambda x: np.sum(np.exp(np.tanh(np.exp(np.tanh(x))))))
    x = np.linspace(-1, 1, n)
    fast(x)
    results, ticks = [], []
    worker = threading.Thread(target=lambda: results.extend(fast(x) for _ in range(5)))
    before = sys.getswitchinterval()
    sys.setswitchinterval(100)  # without letting go of the GIL, nothing else would run
    try:
        worker.start()
        while worker.is_alive():
            ticks.append(len(results))
            worker.join(0.001)
    finally:
        sys.setswitchinterval(before)
    assert len(results) == 5
    assert len(set(ticks)) > 1


# What isn't as it was recorded


def work(x, w):
    return np.sum(np.tanh(x) * w), x * 2 + w


ODD = {
    "every second": lambda x: np.repeat(x, 2)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "read-only": lambda x: _readonly(x.copy()),
    "misaligned": lambda x: _misaligned(x),
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "subclass": lambda x: x.view(type("Sub", (np.ndarray,), {})),
    "fortran": lambda x: np.asfortranarray(x.reshape(4, -1)),
    "part": lambda x: np.tile(x.reshape(4, -1), (1, 2))[:, : x.size // 4],
    "broadcast": lambda x: np.broadcast_to(x[0], x.shape),
    "single": lambda x: x.astype(np.float32),
    "integers": lambda x: (x * 10).astype(int),
    "empty": lambda x: x[:0],
    "one entry": lambda x: x[:1],
    "no axes": lambda x: x[0].reshape(()),
    "a number": lambda x: float(x[0]),
    "NumPy's number": lambda x: x[0],
    "an int": lambda x: 3,
    "a large int": lambda x: 10**30,
    "a bool": lambda x: True,
    "NaN and infinities": lambda x: np.where(x > 1, np.nan, np.where(x < -1, -np.inf, x)),
    "a list": lambda x: None,
}  # fmt: skip


def _readonly(x):
    x.flags.writeable = False
    return x


def _misaligned(x):
    bytes_ = np.zeros(x.nbytes + 1, np.uint8)
    bytes_[1:] = x.view(np.uint8)
    found = bytes_[1:].view(x.dtype)
    assert not found.flags.aligned
    return found


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("name", ODD)
def test_other_arguments(name, quick, monkeypatch):
    """The function first sees a plain array, then another one: a call is right either way, or raises what eager raises."""
    if not quick:
        monkeypatch.setattr(abi, "holds", lambda: False)
    fast = jit(work)
    fast(X, W)
    x = ODD[name](X)
    with np.errstate(all="ignore"):
        try:
            expected = work(x, X if np.ndim(x) != 2 else X.reshape(4, -1))
        except Exception as error:
            with pytest.raises(type(error)):
                fast(x, X)
            return
        for _ in range(3):
            found = fast(x, X if np.ndim(x) != 2 else X.reshape(4, -1))
            for a, b in zip(found, expected, strict=True):
                assert np.result_type(a) == np.result_type(b)
                rtol = 1e-6 if name == "single" else 1e-12  # tanh is in single precision then, whatever follows
                np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
    close(fast(X, W), work(X, W))


@pytest.mark.parametrize("args", [(), (X,), (X, W, X), (X, None), ("x", W), (X, np.ones(5))])
def test_wrong_arguments_are_errors_as_they_are_without_jit(args):
    fast = jit(work)
    fast(X, W)
    try:
        expected = work(*args)
    except Exception as error:
        with pytest.raises(type(error)):
            fast(*args)
        return
    close(fast(*args), expected)


def test_arguments_that_overlap():
    base = np.linspace(0, 1, 30)
    fast = jit(dout.grad(lambda x, w: np.sum(np.exp(x) * w), argnums=(0, 1)))
    eager = dout.grad(lambda x, w: np.sum(np.exp(x) * w), argnums=(0, 1))
    for _ in range(3):
        close(fast(base[:24], base[6:]), eager(base[:24], base[6:]))


def test_an_argument_that_is_written_to():
    def scaled(x, y):
        x *= 2
        return np.sum(x * y)

    fast = jit(scaled)
    for _ in range(3):
        one, two = X.copy(), X.copy()
        assert fast(one, W) == pytest.approx(scaled(two, W), rel=1e-13)
        np.testing.assert_array_equal(one, two)


def test_out_that_overlaps_the_input():
    def shifted(x):
        np.multiply(x[:-1], 2.0, out=x[1:])
        return x * 1.0

    fast = jit(shifted)
    for _ in range(3):
        one, two = X.copy(), X.copy()
        np.testing.assert_array_equal(fast(one), shifted(two))
        np.testing.assert_array_equal(one, two)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3), st.integers(0, 3))
def test_arrays_without_entries(m, n):
    def f(x, y):
        return x * 2 + y, np.sum(np.exp(x), axis=0), x.T @ y

    fast = jit(f)
    x, y = np.ones((m, n)), np.full((m, n), 3.0)
    for _ in range(2):
        close(fast(x, y), f(x, y))


def test_the_report_tells_steps_bytes_and_times():
    fast = jit(lambda x, w: np.sort(np.tanh(x @ w) * 2) + np.sum(x))
    x, w = np.ones((40, 30)), np.ones((30, 20))
    said = fast.report(x, w)
    assert re.search(r"BLAS: %\d+: 40 x 30 times 30 x 20; 14400 bytes read, 6400 written; [\d.]+ us\n", said)
    assert re.search(r"NumPy: %\d+ = call, which has no native code for float64 here; [\d.]+ us\n", said)
    assert re.search(r"native: loop over .*: .*tanh.* bytes read, \d+ written; [\d.]+ us\n", said)
    assert "bytes at most at one time" in said
    np.testing.assert_array_equal(x, 1)
    np.testing.assert_array_equal(w, 1)


def test_graph_and_text_can_be_printed():
    fast = jit(lambda x: np.exp(x) * 2)
    fast(X)
    assert "exp(%0)" in str(fast.graph(X))
    (variant,) = fast._forms[next(iter(fast._forms))]
    assert "define" in variant.native.text
    assert "@step0" in variant.native.text


def test_a_long_program_compiles_in_time():
    """Numbers only, each used soon and again much later, as in a derivative: what takes LLVM longest."""

    def long(x):
        values = [x]
        for k in range(4500):
            values.append(values[-1] * (0.5 + k % 7 / 9) + values[len(values) // 2] / (1.0 + k % 5))
        return values[-1] + sum(values[::2])

    fast = jit(long)
    start = time.process_time()
    fast(0.5)
    took = time.process_time() - start
    assert fast(0.75) == pytest.approx(long(0.75), rel=1e-12)
    assert took < 20  # seconds of the processor; it is 2 on the machine where this was written


def test_more_entries_than_fit_into_32_bits():
    """Places are counted in 64 bits: one entry, over and over."""
    n = 2**31 + 8
    fast = jit(lambda x: np.sum(np.broadcast_to(x, (n,))))
    x = np.array([0.5])
    fast(x)
    assert fast(x) == n / 2

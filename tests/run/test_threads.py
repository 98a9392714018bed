"""Steps over threads: the same numbers whatever their number, in many threads of Python's, after a fork, with errors."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.run.native import text as ir
from dout.run.native import threads
from dout.run.native.engine import Code

LONG, INT, P = ir.IntType(64), ir.IntType(32), ir.PointerType()
posix = pytest.mark.skipif(not threads.available(), reason="no threads as POSIX has them")


@pytest.fixture(autouse=True)
def number():
    before = dout.get_num_threads()
    yield
    dout.set_num_threads(before)


def test_the_number_of_threads():
    assert 1 <= dout.get_num_threads() <= 64
    dout.set_num_threads(3)
    assert dout.get_num_threads() == 3


@pytest.mark.parametrize("n", [0, -1, 65, 2**40])
def test_numbers_out_of_range(n):
    with pytest.raises(ValueError, match=f"got {n}"):
        dout.set_num_threads(n)


@pytest.mark.parametrize("n", [1.0, True, "2", None])
def test_no_numbers(n):
    with pytest.raises(TypeError, match="an int"):
        dout.set_num_threads(n)


def test_at_first_it_is_the_cores_that_the_process_may_use():
    lines = "import os\n"
    if hasattr(os, "sched_setaffinity"):
        lines += "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
    lines += "import dout; print(dout.get_num_threads())"
    out = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout
    assert int(out) == (1 if hasattr(os, "sched_setaffinity") else os.cpu_count())


def counting(broken_at=-1):
    """A step that counts, for each iteration, how often it is run; it breaks off at one."""
    module = ir.Module("test")
    step = ir.Function(module, ir.FunctionType(INT, [P, LONG, LONG]), "step")
    table, begin, end = step.args
    b = ir.IRBuilder(step.append_basic_block("entry"))
    counts = b.load(table, typ=P)
    before, loop, done = b.block, b.append_basic_block("loop"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    i = b.phi(LONG)
    i.add_incoming(begin, before)
    wrong = b.phi(INT)
    wrong.add_incoming(ir.Constant(INT, 0), before)
    b.atomic_rmw("add", b.gep(counts, [i], source_etype=LONG), ir.Constant(LONG, 1), "monotonic")
    now = b.or_(wrong, b.zext(b.icmp_signed("==", i, ir.Constant(LONG, broken_at)), INT))
    following = b.add(i, ir.Constant(LONG, 1))
    i.add_incoming(following, b.block)
    wrong.add_incoming(now, b.block)
    b.cbranch(b.icmp_signed("<", following, end), loop, done)
    b.position_at_end(done)
    b.ret(now)
    code = Code(str(module))
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    split = kind(threads.split_address())

    def run(extent):
        counts = np.zeros(extent, np.int64)
        table = (ctypes.c_void_p * 1)(counts.ctypes.data)
        return split(code.address("step"), ctypes.addressof(table), extent), counts

    run.code = code
    return run


@posix
@pytest.mark.parametrize("n", [1, 2, 5, 64])
@pytest.mark.parametrize("extent", [1, 2, 3, 7, 64, 1000, 100_003])
def test_each_iteration_is_run_once(n, extent):
    dout.set_num_threads(n)
    status, counts = counting()(extent)
    assert status == 0
    assert np.all(counts == 1)


@posix
@pytest.mark.parametrize("n", [1, 4])
def test_a_piece_that_breaks_off_is_told(n):
    dout.set_num_threads(n)
    for at in (0, 500, 999):
        assert counting(at)(1000)[0] == 1


def loss(x, w):
    r = np.maximum(x * w + 0.5, 0)
    return np.sum(1 / (1 + np.exp(-(r * w))) * np.tanh(x))


def rows(x, w):
    z = x - np.max(x, axis=1, keepdims=True)
    return np.log(np.sum(np.exp(z), axis=1)) @ w


rng = np.random.default_rng(0)
CASES = {
    "a sum and maps": (dout.value_and_grad(loss, argnums=(0, 1)), rng.standard_normal(400_001), rng.standard_normal(400_001)),
    "rows": (dout.value_and_grad(rows, argnums=(0, 1)), rng.standard_normal((700, 501)), rng.standard_normal(700)),
    "columns": (lambda x, w: (np.sum(np.exp(x), axis=0) * w, np.max(x)), rng.standard_normal((3000, 300)), np.ones(300)),
    "running sums": (lambda x, w: np.cumsum(np.tanh(x) * w), rng.standard_normal(300_000), np.ones(1)),
}  # fmt: skip


def flat(found):
    return [np.asarray(r) for part in (found if isinstance(found, tuple) else (found,)) for r in
            (part if isinstance(part, tuple) else (part,))]  # fmt: skip


@posix
@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_the_number_of_threads(name):
    f, *args = CASES[name]
    fast = jit(f)
    expected = flat(f(*args))
    found = []
    fast(*args)
    for n in (1, 2, 3, 8):
        dout.set_num_threads(n)
        found.append(flat(fast(*args)))
    for one in found:
        for a, b, c in zip(one, found[0], expected, strict=True):
            assert a.tobytes() == b.tobytes()
            scale = float(np.max(np.abs(c)))
            np.testing.assert_allclose(a, c, rtol=1e-12, atol=1e-12 * scale)


@posix
def test_many_threads_of_pythons_at_once():
    f, *args = CASES["a sum and maps"]
    fast = jit(f)
    fast(*args)
    expected = [a.tobytes() for a in flat(fast(*args))]
    wrong = []

    def work():
        for _ in range(5):
            if [a.tobytes() for a in flat(fast(*args))] != expected:
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork():
    """In a process of its own: other libraries that a test has loaded may not be forked."""
    lines = """
import os, numpy as np, dout
dout.set_num_threads(2)
fast = dout.jit(lambda x: (np.sum(np.exp(np.tanh(np.exp(np.tanh(x))))), np.exp(np.tanh(x))))
x = np.linspace(-1, 1, 400_000)
fast(x)
expected = [v.tobytes() for v in fast(x)]
child = os.fork()
if child == 0:
    os._exit(0 if [v.tobytes() for v in fast(x)] == expected else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", lines], check=True, timeout=120)


@posix
def test_interrupted_while_threads_run():
    """An interrupt is Python's own: it comes after the call, and the next call is right."""
    lines = """
import _thread, signal, threading, numpy as np, dout
from dout.jit import jit
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell is begun without
dout.set_num_threads(2)
fast = jit(lambda x: np.sum(np.exp(np.tanh(np.exp(np.tanh(np.exp(np.tanh(x))))))))
x = np.linspace(-1, 1, 4_000_000)
fast(x)
expected = fast(x)
came = 0
for delay in (0.0, 0.001, 0.01, 0.02):
    try:
        threading.Timer(delay, _thread.interrupt_main).start()
        while True:
            assert fast(x) == expected
    except KeyboardInterrupt:
        came += 1
assert fast(x) == expected
print(came)
"""
    out = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout
    assert int(out) == 4


@posix
def test_threads_sleep_and_wake():
    """Right after a step they are awake, later they sleep: each time every iteration is run once."""
    dout.set_num_threads(3)
    run = counting()
    for pause in (0, 0, 0.001, 0.02, 0):
        time.sleep(pause)
        status, counts = run(5000)
        assert status == 0
        assert np.all(counts == 1)


@posix
def test_steps_of_several_threads_of_pythons():
    """One has the helpers, the others run their steps by themselves."""
    dout.set_num_threads(4)
    run = counting()
    found = []

    def work():
        for _ in range(200):
            status, counts = run(300)
            found.append(status == 0 and bool(np.all(counts == 1)))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert len(found) == 800
    assert all(found)

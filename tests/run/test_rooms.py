"""Memory of large results that is used again: no live array ever shares any, and the arrays are as all others."""

from __future__ import annotations

import contextvars
import copy
import ctypes
import gc
import itertools
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from numpy._core.multiarray import get_handler_name

import dout
from dout.jit import jit
from dout.run.native import abi, rooms
from dout.run.native.rooms_code import ALIGNMENT, LARGE, LIMIT, MOST

pytestmark = pytest.mark.skipif(not abi.holds(), reason="objects lie in memory in another way: nothing is kept then")

SIZE, P = ctypes.c_size_t, ctypes.c_void_p
DOUBLES = LARGE // 8


@pytest.fixture
def pool():
    """The pool, with nothing in it."""
    found = rooms.rooms()
    assert found is not None
    gc.collect()
    found.release()
    return found


def make(pool, size):
    """An array of so many bytes, as native code makes it."""
    new = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.py_object, ctypes.c_int, P, ctypes.c_int, P, P, ctypes.c_int, ctypes.c_int, P
    )(pool.maker)
    shape = (ctypes.c_int64 * 1)(size)
    return new(np.ndarray, 1, ctypes.addressof(shape), np.dtype(np.uint8).num, None, None, 0, 0, None)


def handler(pool, name, result, *takes):
    """A function of the handler."""
    context = (P,)
    return ctypes.PYFUNCTYPE(result, *context, *takes)(getattr(pool.handler, name))


def twice(n, pool=None):
    fast, x = jit(lambda x: x * 2), np.arange(float(n))
    fast(x)
    if pool is not None:
        pool.release()
    return fast, x


def test_the_arrays_are_as_all_others(pool):
    fast, x = twice(DOUBLES, pool)
    y = fast(x)
    assert get_handler_name(y) == "dout"
    assert y.flags.owndata
    assert y.flags.writeable
    assert y.base is None
    assert y.ctypes.data % ALIGNMENT == 0
    assert np.array_equal(y, x * 2)
    assert get_handler_name(np.empty(DOUBLES)) == get_handler_name(x) == "default_allocator"


def test_small_results_come_from_numpy():
    fast, x = twice(DOUBLES - 1)
    assert get_handler_name(fast(x)) == "default_allocator"


def test_a_process_without_large_results_makes_no_pool():
    lines = (
        "import numpy as np, dout; from dout.jit import jit; from dout.run.native import rooms\n"
        "fast = jit(lambda x: x * 2); x = np.ones(100); fast(x); fast(x)\n"
        "assert rooms.rooms.cache_info().currsize == 0\n"
    )
    subprocess.run([sys.executable, "-c", lines], check=True, timeout=120)


def test_memory_is_used_again_when_nobody_has_it(pool):
    fast, x = twice(DOUBLES, pool)
    y = fast(x)
    at = y.ctypes.data
    del y
    assert (pool.state.count, pool.state.total) == (1, LARGE)
    y = fast(x)
    assert y.ctypes.data == at
    assert pool.state.count == 0
    z = fast(x)
    assert z.ctypes.data != at
    assert np.array_equal(y, z)


def test_a_view_keeps_the_memory(pool):
    fast, x = twice(DOUBLES, pool)
    view = fast(x)[5:7]
    assert pool.state.count == 0
    others = [fast(-x) for _ in range(5)]
    assert np.array_equal(view, [10, 12])
    del view
    assert pool.state.count == 1
    assert all(np.array_equal(other, -2 * x) for other in others)


@pytest.mark.parametrize(("kept", "wanted", "same"), [(9, 8, True), (9, 9, True), (8, 9, False), (10, 8, False)])
def test_a_block_serves_for_what_is_not_much_smaller(pool, kept, wanted, same):
    a = make(pool, kept * LARGE)
    at = a.ctypes.data
    del a
    b = make(pool, wanted * LARGE)
    assert (b.ctypes.data == at) is same


def test_the_newest_block_that_fits_comes_first(pool):
    a, b, c = make(pool, 9 * LARGE), make(pool, 9 * LARGE), make(pool, 20 * LARGE)
    places = [x.ctypes.data for x in (a, b)]
    del a
    del b
    del c
    again = [make(pool, 9 * LARGE) for _ in range(2)]
    assert [x.ctypes.data for x in again] == places[::-1]
    assert (pool.state.count, pool.state.total) == (1, 20 * LARGE)


def test_so_much_is_kept_and_no_more(pool):
    size = 24 * 2**20
    arrays = [make(pool, size) for _ in range(14)]
    places = [a.ctypes.data for a in arrays]
    while arrays:
        arrays.pop(0)
    count = LIMIT // size
    assert (pool.state.count, pool.state.total) == (count, count * size)
    assert list(pool.state.blocks[:count]) == places[-count:]  # the oldest went first
    make(pool, LIMIT)  # pushes out all others
    assert (pool.state.count, pool.state.total) == (1, LIMIT)


def test_so_many_are_kept_and_no_more(pool):
    arrays = [make(pool, LARGE) for _ in range(MOST + 10)]
    del arrays
    assert (pool.state.count, pool.state.total) == (MOST, MOST * LARGE)
    pool.release()
    assert (pool.state.count, pool.state.total) == (0, 0)


def test_what_is_larger_than_the_limit_is_given_back(pool):
    a, b = make(pool, LARGE), make(pool, LIMIT + 1)
    del a, b
    assert (pool.state.count, pool.state.total) == (1, LARGE)


SIZES = st.sampled_from(
    [1, 1000, LARGE - 1, LARGE, LARGE + 1, LARGE * 9 // 8, LARGE * 9 // 8 + 8, 2 * LARGE, 40 * LARGE]
)
ACTIONS = st.one_of(
    st.tuples(st.just("make"), SIZES), st.tuples(st.just("drop"), st.integers(0, 100)),
    st.tuples(st.just("resize"), st.integers(0, 100), SIZES), st.tuples(st.just("plain"), SIZES),
)  # fmt: skip


def fill(array, serial):
    """Mark the first and the last entries, and some between."""
    array[:: 997 if len(array) > 997 else 1] = array[-1:] = serial % 251


def intact(array, serial):
    return bool(np.all(array[:: 997 if len(array) > 997 else 1] == serial % 251) and array[-1] == serial % 251)


@settings(max_examples=200, deadline=None)
@given(st.lists(ACTIONS, max_size=60))
def test_no_two_live_arrays_share_memory(actions):
    pool = rooms.rooms()
    live = []
    for serial, (kind, *more) in enumerate(actions):
        if kind == "make":
            live.append([make(pool, more[0]), serial])
        elif kind == "plain":
            live.append([np.empty(more[0], np.uint8), serial])
        elif live:
            k = more[0] % len(live)
            if kind == "drop":
                array, before = live.pop(k)
                assert intact(array, before)
                continue
            array, before = live[k]
            head = min(len(array), more[1])
            old = array[:head].copy()
            del array
            live[k][0].resize(more[1], refcheck=False)
            assert np.array_equal(live[k][0][:head], old)
            live[k][1] = serial
        if live and kind != "drop":
            k = -1 if kind in ("make", "plain") else more[0] % len(live)
            fill(live[k][0], live[k][1])
        state = pool.state
        kept = [(at, at + ctypes.c_int64.from_address(at - 16).value) for at in state.blocks[: state.count]]
        assert sum(end - begin for begin, end in kept) == state.total <= LIMIT
        spans = sorted(kept + [(a.ctypes.data, a.ctypes.data + a.nbytes) for a, _ in live])
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
    assert all(intact(array, serial) for array, serial in live)


def test_results_of_many_calls_that_are_kept_and_dropped_at_random():
    rng = np.random.default_rng(0)
    f = dout.value_and_grad(lambda x, w: np.sum(np.tanh(x @ w) ** 2), argnums=(0, 1))
    fast = jit(f)
    held = []
    for _ in range(150):
        x, w = rng.standard_normal((300, 90)), rng.standard_normal((90, 200))
        value, (dx, dw) = fast(x, w)
        sums = [float(np.sum(a)) for a in (x, w, dx, dw)]
        held.append((sums, (x, w, dx, dw)))
        if rng.random() < 0.1:
            np.testing.assert_allclose(dx, f(x, w)[1][0], 1e-9, 1e-9)
        while len(held) > 5 and rng.random() < 0.7:
            sums, arrays = held.pop(rng.integers(len(held)))
            assert [float(np.sum(a)) for a in arrays] == sums
        assert np.isfinite(value)


def test_passed_on_arguments_and_equal_results_have_memory_of_their_own():
    fast = jit(lambda x: (x, x * 2, x * 2, x))
    x = np.arange(float(DOUBLES))
    for _ in range(3):
        found = fast(x)
        assert not any(np.shares_memory(a, b) for k, a in enumerate([x, *found]) for b in found[k:])
        for a, b in zip(found, (x, x * 2, x * 2, x), strict=True):
            np.testing.assert_array_equal(a, b)


def test_resize_and_copies():
    fast, x = twice(DOUBLES)
    y = fast(x)
    assert np.array_equal(pickle.loads(pickle.dumps(y)), y)
    assert np.array_equal(copy.deepcopy(y), y)
    for n in (DOUBLES + 5, 3 * DOUBLES, 10, 2 * DOUBLES, 0, 7):
        y.resize(n, refcheck=False)
        assert y.shape == (n,)
        assert np.array_equal(y[:10], (x * 2)[:n] if n == 10 else y[:10])
    y = fast(x)
    y.resize(2 * DOUBLES, refcheck=False)
    assert np.array_equal(y[:DOUBLES], x * 2)
    assert not y[DOUBLES:].any()
    y.resize(11, refcheck=False)
    assert np.array_equal(y, 2 * x[:11])


def test_the_functions_of_the_handler(pool):
    malloc, free = handler(pool, "malloc", P, SIZE), handler(pool, "free", None, P, SIZE)
    calloc, realloc = handler(pool, "calloc", P, SIZE, SIZE), handler(pool, "realloc", P, P, SIZE)
    dirty = malloc(None, LARGE)
    ctypes.memset(dirty, 255, LARGE)
    free(None, dirty, 1)  # whatever size it is told
    assert pool.state.total == LARGE
    clean = calloc(None, LARGE // 8, 8)
    assert clean == dirty
    assert not any(ctypes.string_at(clean, LARGE))
    ctypes.memset(clean, 7, LARGE)
    same = realloc(None, clean, LARGE - 8)
    assert same == clean
    more = realloc(None, same, 3 * LARGE)
    assert ctypes.string_at(more, LARGE) == b"\7" * LARGE
    assert list(pool.state.blocks[: pool.state.count]) == [clean]
    less = realloc(None, more, 5)
    assert ctypes.string_at(less, 5) == b"\7" * 5
    nothing = realloc(None, less, 0)
    assert nothing
    free(None, nothing, 0)
    free(None, None, 0)
    fresh = realloc(None, None, 100)
    assert fresh % ALIGNMENT == 0
    free(None, fresh, 100)
    for count, size in [(0, 8), (8, 0), (0, 0)]:
        empty = calloc(None, count, size)
        assert empty
        free(None, empty, 0)
    for count, size in [(2**62, 8), (8, 2**62), (2**63 + 1, 2), (2**40, 2**30)]:
        assert calloc(None, count, size) is None


def test_no_memory_is_an_error_and_numpys_handler_is_back(pool):
    with pytest.raises(MemoryError, match="Unable to allocate"):
        make(pool, 2**60)
    assert get_handler_name(np.empty(LARGE)) == "default_allocator"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux how much memory a process has")
def test_what_is_kept_is_given_back_before_memory_runs_out():
    lines = (
        "import resource, numpy as np\n"
        "from dout.jit import jit\n"
        "from dout.run.native.rooms import rooms\n"
        "fast, x, more = jit(lambda x: x * 2), np.ones(2**22), np.ones(2**23)\n"
        "fast(x), fast(more)\n"
        "rooms().release()\n"
        "y = [fast(x) for _ in range(6)]; del y\n"
        "assert rooms().state.total == 6 * x.nbytes\n"
        "pages = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (pages + 2**24, -1))\n"
        "y = fast(more)\n"
        "assert rooms().state.total == 0\n"
        "y = [y]\n"
        "try:\n"
        "    while True: y.append(fast(more))\n"
        "except MemoryError as error: assert 'Unable to allocate' in str(error)\n"
        "assert len(y) in (2, 3) and all(np.all(a == 2) for a in y)\n"
    )
    subprocess.run([sys.executable, "-c", lines], check=True, timeout=120)


def test_tracemalloc_sees_results_and_not_what_is_kept(pool):
    fast, x = twice(4 * DOUBLES, pool)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            y = fast(x)
            assert 4 * LARGE <= tracemalloc.get_traced_memory()[0] - before < 4 * LARGE + 20_000
            del y
            assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()


def test_a_handler_of_the_users_is_respected(pool):
    fast, x = twice(DOUBLES, pool)
    other = rooms._Handler.from_buffer_copy(rooms._default())
    other.name = b"theirs"
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [P, ctypes.c_char_p, P]
    label = b"mem_handler"
    capsule = new(ctypes.addressof(other), label, None)
    swap = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(abi.addresses()["PyDataMem_SetHandler"])
    before = swap(capsule)
    try:
        y = fast(x)
        assert get_handler_name(y) == get_handler_name(np.empty(3)) == "theirs"
        assert np.array_equal(y, x * 2)
        del y
        assert pool.state.count == 0
    finally:
        swap(before)
    assert get_handler_name(fast(x)) == "dout"


def test_numpys_handler_is_current_in_every_context_after_a_call():
    fast, x = twice(DOUBLES)

    def both():
        return get_handler_name(fast(x)), get_handler_name(np.empty(LARGE))

    assert contextvars.Context().run(both) == contextvars.copy_context().run(both) == ("dout", "default_allocator")
    assert both() == ("dout", "default_allocator")


def test_threads_that_call_at_once():
    fast = jit(lambda x, k: np.exp(x) * 0 + k)
    x = np.zeros(40 * DOUBLES)
    fast(x, 1.0)
    wrong, barrier = [], threading.Barrier(4)

    def work(k):
        held = []
        barrier.wait()
        for n in range(60):
            value = float(100 * k + n)
            held.append((value, fast(x, value)))
            if n % 3 == 2:
                value, array = held.pop(n % len(held))
                if not np.all(array == value):
                    wrong.append((k, n))
            del held[:-4]
        wrong.extend((k, value) for value, array in held if not np.all(array == value))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_result_is_let_go_where_a_check_breaks(pool):
    fast = jit(lambda x: x * 2 if np.sum(x) > 0 else x * 3)
    x = np.ones(DOUBLES)
    for sign in (1, -1, 1, -1, -1, 1):
        np.testing.assert_array_equal(fast(sign * x), sign * x * (2 if sign > 0 else 3))
    gc.collect()
    assert pool.state.count >= 1


LAST = {
    "global": "y = fast(x)",
    "module": "import sys, types; m = types.ModuleType('m'); m.y = fast(x); sys.modules['m'] = m",
    "sys": "import sys; sys.y = [fast(x), fast(x)]",
    "builtins": "import builtins; builtins.y = fast(x)[1:]",
    "circle": "y = [fast(x)]; y.append(y)",
    "circle without a name": "y = [fast(x)]; y.append(y); del y",
    "atexit": "import atexit; y = fast(x); atexit.register(lambda: print(fast(x)[0], y[0]))",
    "thread local": "import threading; t = threading.local(); t.y = fast(x)",
    "without modules": "import sys; y = fast(x); del fast, rooms, jit, dout; sys.modules.clear()",
    "without dout": (
        "import sys, gc; y = fast(x); del fast, rooms, jit, dout\n"
        "for name in [n for n in sys.modules if n.startswith(('dout', 'llvmlite'))]: del sys.modules[name]\n"
        "gc.collect(); z = y * 2; y.resize(10 * y.size, refcheck=False)"
    ),
    "finaliser": (
        "class C:\n"
        "    def __init__(self): self.y, self.make = fast(x), fast\n"
        "    def __del__(self): self.y.resize(5, refcheck=False)\n"
        "c = C(); import sys; sys.c = C(); d = [C()]; d.append(d)"
    ),
    "extension type": "import numpy as np; np.core_result = fast(x); np.ndarray_results = {1: fast(x)}",
    "daemon thread": (
        "import threading, time\n"
        "def work():\n"
        "    while True: y = fast(x); time.sleep(0.0005)\n"
        "threading.Thread(target=work, daemon=True).start(); time.sleep(0.05)"
    ),
}


@pytest.mark.parametrize("name", LAST)
def test_arrays_that_live_until_the_process_ends(name):
    lines = (
        "import numpy as np, dout; from dout.jit import jit; from dout.run.native import rooms\n"
        f"fast, x = jit(lambda x: x * 2), np.ones({DOUBLES}); fast(x)\n"
        f"assert rooms.rooms() is not None\n{LAST[name]}\n"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-c", lines], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_has_a_pool_of_its_own():
    lines = (
        "import os, sys, numpy as np; from dout.jit import jit\n"
        f"fast, x = jit(lambda x: x * 2), np.ones({DOUBLES}); y = fast(x); del y\n"
        "child = os.fork()\n"
        "fine = all(np.array_equal(fast(x * k), 2 * k * x) for k in range(50))\n"
        "if not child: os._exit(0 if fine else 1)\n"
        "sys.exit(0 if fine and os.waitpid(child, 0)[1] == 0 else 1)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", lines], check=True, timeout=120)


@pytest.mark.parametrize("broken", ["_works", "_default", "Rooms"])
def test_where_handlers_are_otherwise_results_are_made_in_the_plain_way(monkeypatch, broken):
    def refuse(*_):
        raise LookupError

    rooms.rooms()
    monkeypatch.setattr(rooms, "rooms", rooms.rooms.__wrapped__)
    monkeypatch.setattr(rooms, broken, refuse)
    fast, x = twice(DOUBLES)
    y = fast(x)
    assert get_handler_name(y) == "default_allocator"
    assert np.array_equal(y, x * 2)

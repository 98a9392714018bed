"""Memory that is used again while derivatives of large arrays are computed: the same numbers, and NumPy's handler as it was."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import dout
from dout import pooled
from dout.run.native import abi, rooms
from dout.run.native.abi import addresses

pytestmark = pytest.mark.skipif(not abi.holds() or rooms.rooms() is None, reason="no handler of memory here")
X = np.linspace(-1, 1, 100_000)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(pooled, "FIRST", 0)


def handler():
    """The handler of memory that arrays are made with now."""
    return ctypes.PYFUNCTYPE(ctypes.py_object)(addresses()["PyDataMem_GetHandler"])()


def f(x):
    return np.sum(np.tanh(x * x) + np.exp(-x))


def test_numbers_are_the_same(monkeypatch):
    found = [dout.value_and_grad(f)(X) for _ in range(3)]
    monkeypatch.setattr(pooled, "LARGE", 1 << 60)
    value, slope = dout.value_and_grad(f)(X)
    for other, derivative in found:
        assert other == value
        np.testing.assert_array_equal(derivative, slope)


def test_memory_is_taken_and_given_back():
    kept = rooms.rooms().state
    dout.grad(f)(X)
    assert kept.count > 0
    before = kept.count
    dout.grad(f)(X)
    assert kept.count <= before + 1


def test_the_handler_is_as_it_was_before():
    usual = handler()
    inside = []

    def g(x):
        inside.append(handler())
        return f(x)

    dout.grad(g)(X)
    assert inside[0] is rooms.rooms().capsule
    assert handler() is usual
    with pytest.raises(ZeroDivisionError):
        dout.grad(lambda x: g(x) / 0 if inside.append(handler()) else 1 / 0)(X)
    assert inside[-1] is rooms.rooms().capsule
    assert handler() is usual
    dout.grad(g)(X[:100])  # small
    assert inside[-1] is usual


def test_derivatives_within_derivatives_and_pullbacks():
    usual = handler()
    second = dout.grad(lambda x: np.sum(dout.grad(f)(x) ** 2))(X)
    expected = 2 * dout.grad(f)(X) * dout.hvp(f, X, np.ones_like(X))
    np.testing.assert_allclose(second, expected, rtol=1e-10, atol=1e-14)  # it has zeros
    out, pull = dout.vjp(np.sin, X)
    np.testing.assert_array_equal(out, np.sin(X))
    np.testing.assert_array_equal(pull(np.ones_like(X))[0], np.cos(X))
    assert handler() is usual


def test_a_users_own_handler_stays():
    change = rooms.setter()
    label = b"mem_handler"
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    known = rooms._default()
    mine = rooms._Handler(b"mine", 1, *[getattr(known, k) for k in ("context", "malloc", "calloc", "realloc", "free")])
    capsule = new(ctypes.addressof(mine), label, None)
    inside = []
    before = change(capsule)
    try:
        dout.grad(lambda x: f(x) if inside.append(handler()) is None else 0)(X)
        assert inside == [capsule]
        assert handler() is capsule
    finally:
        change(before)


def test_what_is_returned_is_the_callers():
    found = [dout.grad(f)(X) for _ in range(5)]
    for i, a in enumerate(found):
        assert a.flags.owndata
        for b in found[:i]:
            assert not np.shares_memory(a, b)
    first = found[0].copy()
    dout.grad(f)(X * 2)
    np.testing.assert_array_equal(found[0], first)


def test_in_threads():
    expected = dout.grad(f)(X)
    wrong = []

    def work():
        for _ in range(10):
            if not np.array_equal(dout.grad(f)(X), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_nothing_is_loaded_for_small_arrays_or_the_first_large_ones():
    lines = """
import sys, numpy as np, dout
g = dout.grad(lambda x: np.sum(np.tanh(x)))
for _ in range(5): g(np.ones(100))
for _ in range(2): g(np.ones(100_000))
print("llvmlite" in sys.modules)
g(np.ones(100_000))
print("llvmlite" in sys.modules)"""
    out = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout.split()
    assert out == ["False", "True"]


def test_without_llvmlite_it_is_the_system():
    lines = """
import sys
sys.modules["llvmlite"] = None
import numpy as np, dout
g = dout.grad(lambda x: np.sum(x * x))
for _ in range(5): assert np.array_equal(g(np.ones(100_000)), np.full(100_000, 2.0))
print("right")"""
    out = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout.split()
    assert out == ["right"]

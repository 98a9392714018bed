"""Rolled loops as native code: what NumPy gives, without its calls."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from step_functions import CASES, loops, recorded_whole

import dout
from dout.jit import jit
from dout.passes.roll import rolled
from dout.run.interpret import BROKEN, interpreter

pytest.importorskip("llvmlite")

from dout.run.native.rolled import compile_loops, has_code, is_small

#: Sums of a few products are added in another order than by NumPy.
ROUNDING = 1e-12


def check_native(program, args, other_args=(), **options):
    """Rolled and compiled, a program gives what it gave; says what has no code."""
    smaller = rolled(program, **options)
    without = compile_loops(smaller)
    assert loops(smaller)
    for given_args in (args, *other_args):
        plain, found = interpreter(program)(list(given_args)), interpreter(smaller)(list(given_args))
        assert (plain is BROKEN) == (found is BROKEN)
        if plain is BROKEN:
            continue
        for x, y in zip(plain, found, strict=True):
            assert type(x) is type(y)
            np.testing.assert_allclose(y, x, rtol=ROUNDING, atol=ROUNDING * np.max(np.abs(x)))
    return without


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backwards", [False, True])
def test_loops(case, backwards):
    f, args = CASES[case]
    if backwards:
        f = dout.value_and_grad(f, argnums=tuple(range(len(args))))
    check_native(recorded_whole(f, *args), args, [tuple([a * 0.99 for a in args])], least_saved=60)


@pytest.mark.parametrize("case", CASES)
def test_small_states_are_registers(case):
    f, args = CASES[case]
    g = dout.value_and_grad(f, argnums=tuple(range(len(args))))
    assert check_native(recorded_whole(g, *args), args, least_saved=60) == []


@pytest.mark.parametrize("case", ["euler", "Runge-Kutta", "driven"])
def test_gradient_of_gradient(case):
    f, args = CASES[case]
    g = dout.grad(lambda *given: sum(d * d for d in dout.grad(f, argnums=(0, 1))(*given)), argnums=(0, 1))
    check_native(recorded_whole(g, *args), args, least_saved=100)


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 60), st.floats(-2, 2), st.floats(-2, 2), st.sampled_from(["f4", "f8"]))
def test_whole_functions(n, x, k, dtype):
    def f(x, k):
        for t in range(n):
            x = x + 0.1 * np.maximum(np.sin(k * x), 0.1 * t - x * x)
        return np.sum(x)

    args = (np.array([x, k, x + 1], dtype), np.array([k], dtype)[0])
    fast = jit(dout.value_and_grad(f, argnums=(0, 1)))
    for _ in range(3):
        (value, ds), (expected, e) = fast(*args), dout.value_and_grad(f, argnums=(0, 1))(*args)
        rounding = 1e-11 if dtype == "f8" else 2e-3  # of float32, over 60 steps that may grow twentyfold
        np.testing.assert_allclose(value, expected, rtol=rounding, atol=rounding)
        for d, wanted in zip(ds, e, strict=True):
            assert d.dtype == wanted.dtype
            np.testing.assert_allclose(d, wanted, rtol=rounding, atol=rounding * (1 + np.max(np.abs(wanted))))


writes = st.lists(
    st.tuples(st.integers(-2, 2), st.sampled_from([1, -1]), st.sampled_from("+*sr"), st.integers(0, 9), st.integers(0, 9)),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(writes, st.integers(8, 30), st.booleans(), st.booleans(), st.booleans())
def test_random_writes(lines, n, rowwise, large, backwards):
    """Steps that read and write entries, or rows, near a place that moves up or down through an array."""

    def f(y, x, k):
        y = y * 1.0
        h = k
        for t in range(n):
            for shift, direction, kind, a, b in lines:
                at = (t if direction > 0 else n - t) + shift + 2
                known = [y[at - 1], y[at], x[at], y[t + 3], h, x[0] * k, y[2], x[n - t], y[at - 2], k * 0.1 * t]
                p, q = known[a], known[b]
                if kind == "+":
                    y[at] = p + 0.5 * q
                elif kind == "*":
                    y[at] = np.tanh(p * q)
                elif kind == "s":
                    h = np.tanh(h + 0.1 * np.sum(p * q))
                else:
                    y[at] = y[at] + 0.1 * np.sum(p) + 0 * q
        return np.sum(y * y) * (1 + h)

    shape = (n + 8, 3) if rowwise else (n + 8 + 70 * large,)
    args = np.sin(np.arange(math.prod(shape))).reshape(shape), np.cos(np.arange(math.prod(shape))).reshape(shape), 0.7
    g = dout.value_and_grad(f, argnums=(0, 1, 2)) if backwards else f
    program = recorded_whole(g, *args)
    smaller = rolled(program, least_saved=20, least_steps=4)
    plain = interpreter(program)(list(args))
    for x, y in zip(plain, interpreter(smaller)(list(args)), strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()
    compile_loops(smaller)
    for x, y in zip(plain, interpreter(smaller)(list(args)), strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-9, atol=1e-9 * np.max(np.abs(x)))  # 100 additions of what may cancel


def test_checks_hold_in_every_step():
    def f(x):
        for _ in range(50):
            x = x * 1.1 if x < 20.0 else x - 15.0
        return x

    fast = jit(dout.grad(f))
    for x in (0.1, 0.15, 3.0, 5.0, 0.1):
        assert fast(x) == dout.grad(f)(x)


def test_python_floats_that_raise():
    def f(x):
        for t in range(40):
            x = 1 / (x - 1e-3 * t)
        return x

    fast = jit(f)
    assert fast(3.0) == f(3.0)
    with pytest.raises(ZeroDivisionError):
        fast(0.0)


def scaled_euler(x, v, k):
    for _ in range(60):
        x, v = x + 0.01 * v, v - 0.01 * k * x
    return np.sum(x * x + v)


def swapped(x, y):
    for _ in range(40):
        x, y = y, x * 0.9 + 0.1
    return np.sum(x * 2 + y)


def remembered(x, w):
    a, b, c = x, x * 2, x * 3
    for _ in range(40):
        a, b, c = b, c, np.maximum(w @ a + 0.1 * c, -1.0)
    return np.sum(a * b + c)


def listed(x, w):
    xs = []
    for _ in range(30):
        x = np.maximum(w * x, x - 1)
        xs.append(x)
    return np.sum(np.stack(xs) ** 2)


big = np.linspace(0, 1, 100)
wide = np.cos(np.arange(10000.0)).reshape(100, 100) / 20
IN_MEMORY = {
    "Euler": (scaled_euler, (big, big * 2, 2.0)),
    "swapped": (swapped, (big, big * 2)),
    "remembered": (remembered, (big, wide)),
    "listed": (listed, (big, big + 0.5)),
}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("case", IN_MEMORY)
def test_states_too_large_for_registers_are_in_memory(case, backwards):
    f, args = IN_MEMORY[case]
    if backwards:
        f = dout.value_and_grad(f, argnums=tuple(range(len(args))))
    program = recorded_whole(f, *args)
    found = loops(rolled(program, least_saved=50))
    assert found
    assert not any(is_small(loop) for loop in found)
    assert [has_code(loop) for loop in found] == [None] * len(found)
    assert check_native(program, args, [tuple([a * 0.99 for a in args])], least_saved=50) == []


def filtered(x, k):
    y = np.zeros_like(x)
    y[0] = k
    for t in range(1, 100):
        y[t] = k * y[t - 1] + x[t] * x[t - 1]
    return np.sum(y * y)


def counted_down(x, k):
    y = x * 1.0
    for t in range(99):
        y[98 - t] = y[98 - t] + k * y[99 - t]
        y[0] = y[0] + 0.01 * y[98 - t]
    return y[0] * np.sum(y)


def rows(x, k):
    y = np.zeros_like(x)
    y[0] = x[0] * k
    for t in range(1, 50):
        y[t, :2] = y[t - 1, :2] * k + x[t, 1:]
        y[t, 2] = x[t, 0] - y[t - 1, 2]
    return np.sum(y * x)


def kept_old(x, k):
    y = x * 1.0
    for t in range(60):
        z = y * k
        y[t] = z[99 - t] + np.sum(z[:3])
    return np.sum(y)


long = np.sin(np.arange(100.0))
WRITTEN = {
    "filtered": (filtered, (long, 0.5)),
    "counted down": (counted_down, (long, 0.5)),
    "rows": (rows, (np.sin(np.arange(150.0)).reshape(50, 3), 0.5)),
    "kept old": (kept_old, (long, 0.5)),
}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("case", WRITTEN)
def test_arrays_that_steps_write_into(case, backwards):
    f, args = WRITTEN[case]
    if backwards:
        f = dout.value_and_grad(f, argnums=(0, 1))
    without = check_native(recorded_whole(f, *args), args, [tuple([a * 0.9 for a in args])])
    assert without == [] or case == "kept old"


def test_loops_of_threads_are_not_mixed_up():
    f, args = IN_MEMORY["remembered"]
    fast = jit(dout.grad(f))
    expected = [dout.grad(f)(args[0] * k, args[1]) for k in range(4)]
    fast(*args)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for found, wanted in zip(pool.map(lambda k: fast(args[0] * k, args[1]), range(4)), expected, strict=True):
                np.testing.assert_allclose(found, wanted, rtol=ROUNDING, atol=ROUNDING)

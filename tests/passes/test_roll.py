"""Rolled programs: the same results bit for bit, and loops where there are some."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
import dout.jit
from dout.passes.roll import rolled
from dout.passes.roll_loops import LOOP, Give, Loop, Moving, Take, at_step, read
from dout.run.interpret import BROKEN, interpreter
from dout.surroundings import Surroundings


@pytest.fixture
def written_out(monkeypatch):
    """The program of a run, as it was recorded."""
    monkeypatch.setattr(dout.jit, "rolled", lambda program: program, raising=False)

    def make(f, *args):
        surroundings = Surroundings([f])
        surroundings.remember()
        variant, _ = dout.jit.record(f, dout.jit.Given(args, {}, ()), surroundings)
        assert variant.program is not None, variant.why
        return variant.program

    return make


def loops(program):
    return [v.params["loop"] for v in program.values if v.op is LOOP]


def alike(x, y):
    return type(x) is type(y) and np.asarray(x).tobytes() == np.asarray(y).tobytes() and np.shape(x) == np.shape(y)


def check_rolled(program, args, other_args=(), least=1, **options):
    """Rolled, a program gives the same bit for bit."""
    smaller = rolled(program, **options).verify()
    for given_args in (args, *other_args):
        plain, found = interpreter(program)(list(given_args)), interpreter(smaller)(list(given_args))
        if plain is BROKEN:
            assert found is BROKEN
            continue
        assert found is not BROKEN
        assert len(plain) == len(found)
        assert all(alike(x, y) for x, y in zip(plain, found, strict=True)), (plain, found)
    assert len(loops(smaller)) >= least, smaller
    return smaller


# Functions


def euler(x, v, k):
    for _ in range(60):
        x, v = x + 0.01 * v, v - 0.01 * k * x
    return x * x + v


def euler_arrays(x, v, k):
    for _ in range(60):
        x, v = x + 0.01 * v, v - 0.01 * k * np.sin(x)
    return np.sum(x * x + v)


def runge_kutta(x, y, z, s, r, b):
    def slope(x, y, z):
        return s * (y - x), x * (r - z) - y, x * y - b * z

    h = 0.01
    for _ in range(30):
        a1, b1, c1 = slope(x, y, z)
        a2, b2, c2 = slope(x + h / 2 * a1, y + h / 2 * b1, z + h / 2 * c1)
        a3, b3, c3 = slope(x + h / 2 * a2, y + h / 2 * b2, z + h / 2 * c2)
        a4, b4, c4 = slope(x + h * a3, y + h * b3, z + h * c3)
        x = x + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        y = y + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        z = z + h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
    return x * x + y * z


def leapfrog(q, p):
    a = -q
    for _ in range(60):
        p = p + 0.05 * a
        q = q + 0.1 * p
        a = -q * (1 + 0.1 * np.sum(q * q))
        p = p + 0.05 * a
    return np.sum(q * p)


def recurrent(w, u, b, xs):
    h = np.zeros_like(b)
    for t in range(40):
        h = np.tanh(w @ h + u @ xs[t] + b)
    return np.sum(h * h)


def backwards(w, xs):
    h = w * 0
    for t in range(40):
        h = np.tanh(w * h + xs[39 - t] + xs[-1 - t])
    return h


def descent(x, w):
    step = dout.grad(lambda x: np.sum((w * x - 1) ** 2) + 0.1 * np.sum(x**4))
    for _ in range(40):
        x = x - 0.01 * step(x)
    return np.sum(x * x)


def momentum(x, w):
    m = x * 0
    for i in range(40):
        g = 2 * w * (w * x - 1)
        m = 0.9 * m + 0.1 * g
        x = x - 0.1 * m / (1 - 0.9 ** (i + 1))
    return np.sum(x * w)


def collected(x, k):
    xs = []
    for _ in range(50):
        x = x - 0.1 * k * np.sin(x)
        xs.append(x)
    return np.sum(np.stack(xs) ** 2)


def branches(x, k):
    total = 0.0
    for _ in range(50):
        x = x + 0.1 * k
        if x > 100.0:
            x = x - 100.0
        total = total + x * x
    return total


def driven(x, k):
    dt = 0.1
    for t in range(50):
        x = x + dt * (np.cos(dt * t) - k * x)
    return x * x


def heat(u, k):
    u = u * 1.0
    for _ in range(40):
        u[1:-1] = u[1:-1] + k * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def two_steps(x, k):
    before = k * x
    for _ in range(60):
        now = k * np.sin(x)
        x = x + 0.1 * (1.5 * now - 0.5 * before)
        before = now
    return x * x


def delayed(x, k):
    xs = [x, x * k, x + k, x - k, x * 2]
    for t in range(60):
        xs.append(xs[-1] + 0.1 * k * xs[t])
    return xs[-1] * xs[-2]


def written(x, k):
    y = np.zeros_like(x)
    y[0] = k
    for t in range(1, 40):
        y[t] = 0.5 * y[t - 1] + x[t]
    return np.sum(y * y)


def nested(x, k):
    for _ in range(20):
        for _ in range(20):
            x = x + 0.001 * k * np.sin(x)
        x = x - k * 0.001
        x = x * np.cos(x)
    return x * x


def layers(x, ws):
    for w in ws:
        x = np.tanh(w @ x)
    return np.sum(x)


vector = np.linspace(0.3, 1.1, 4)
sequence = np.sin(np.arange(160.0)).reshape(40, 4)
matrix = np.cos(np.arange(16.0)).reshape(4, 4) / 2
CASES = {
    "euler": (euler, (1.0, 0.5, 2.0)),
    "euler of arrays": (euler_arrays, (vector, vector[::-1].copy(), 2.0)),
    "Runge-Kutta": (runge_kutta, (1.0, 2.0, 3.0, 10.0, 28.0, 8 / 3)),
    "leapfrog": (leapfrog, (vector, vector * 0.5)),
    "recurrent": (recurrent, (matrix, matrix.T.copy(), vector, sequence)),
    "backwards": (backwards, (0.7, np.sin(np.arange(40.0)))),
    "descent": (descent, (vector, vector + 0.5)),
    "momentum": (momentum, (vector, vector + 0.5)),
    "collected": (collected, (vector, 0.7)),
    "branches": (branches, (1.5, 3.0)),
    "driven": (driven, (1.5, 3.0)),
    "heat": (heat, (np.sin(np.arange(12.0)), 0.2)),
    "two steps": (two_steps, (1.5, 0.3)),
    "delayed": (delayed, (1.5, 0.3)),
    "written": (written, (np.sin(np.arange(40.0)), 0.3)),
    "nested": (nested, (1.5, 0.3)),
}


@pytest.mark.parametrize("case", CASES)
def test_forward(case, written_out):
    f, args = CASES[case]
    check_rolled(written_out(f, *args), args, [tuple([a * 0.99 for a in args])], least_saved=60)


@pytest.mark.parametrize("case", CASES)
def test_gradient(case, written_out):
    f, args = CASES[case]
    g = dout.value_and_grad(f, argnums=tuple(range(len(args))))
    program = written_out(g, *args)
    smaller = check_rolled(program, args, [tuple([a * 0.99 for a in args])], least=2, least_saved=60)
    assert len(smaller) < len(program) / 2, smaller


@pytest.mark.parametrize(
    "case", ["euler", "euler of arrays", "leapfrog", "recurrent", "driven", "heat", "two steps", "written"]
)
def test_gradient_of_gradient(case, written_out):
    f, args = CASES[case]
    g = dout.grad(lambda *given: np.sum(dout.grad(f)(*given) ** 2), argnums=tuple(range(len(args))))
    check_rolled(written_out(g, *args), args, least=3, least_saved=100)


def test_layers_of_arguments(written_out):
    ws = tuple([matrix + 0.01 * i for i in range(20)])
    program = written_out(dout.grad(lambda x, *ws: layers(x, ws), argnums=(0, 3, 20)), vector, *ws)
    check_rolled(program, (vector, *ws), least_saved=20)


def test_what_took_another_way_breaks(written_out):
    program = written_out(dout.grad(branches), 1.5, 3.0)
    smaller = check_rolled(program, (1.5, 3.0), [(99.0, 3.0), (1.5, 3.1), (1.5, 30.0)], least=2, least_saved=60)
    assert interpreter(smaller)([99.0, 3.0]) is BROKEN
    assert interpreter(smaller)([1.5, 30.0]) is BROKEN
    assert len(smaller.checks) < 20


def test_compile_work_does_not_grow_with_the_number_of_steps(written_out):
    def f(n):
        def steps(x, k):
            for _ in range(n):
                x = x + 0.1 * np.sin(k * x)
            return x

        return dout.grad(steps, argnums=(0, 1))

    few, many = (rolled(written_out(f(n), 1.0, 2.0)) for n in (100, 400))
    assert len(few) == len(many)
    assert [len(loop.body) for loop in loops(few)] == [len(loop.body) for loop in loops(many)]
    assert len(loops(few)) == 2


def test_loops_of_loops(written_out):
    program = written_out(dout.grad(nested), 1.5, 0.3)
    smaller = check_rolled(program, (1.5, 0.3), least_saved=40)
    inner = [len(loops(loop.body)) for loop in loops(smaller)]
    assert any(inner), smaller
    assert len(smaller) < len(program) / 4


def test_short_programs_stay(written_out):
    program = written_out(lambda x: np.sum(1 / (1 + np.exp(-x * x))), vector)
    assert len(rolled(program)) == len(program)
    assert loops(rolled(program)) == []


steps = st.lists(st.tuples(st.sampled_from("+-*ms"), st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=7)


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(8, 30), st.lists(st.integers(0, 9), min_size=3, max_size=3), st.booleans())
def test_random_steps(body, n, state, arrays):
    """Any little step function, whose state is three of its values, with a constant and an input of each step."""

    def f(x, y, k, us):
        known = [x, y, k]
        for t in range(n):
            here = [*known, us[t], 0.1 * t]
            for kind, a, b in body:
                p, q = here[a % len(here)], here[b % len(here)]
                if kind == "+":
                    here.append(p + 0.5 * q)
                elif kind == "-":
                    here.append(q - p)
                elif kind == "*":
                    here.append(0.5 * p * q)
                elif kind == "m":
                    here.append(np.maximum(p, q))
                else:
                    here.append(np.sin(p))
            known = [np.tanh(here[s % len(here)]) for s in state]
        return np.sum(known[0] * known[1] + known[2])

    us = np.sin(np.arange(n * 2.0)).reshape(n, 2) if arrays else np.sin(np.arange(float(n)))
    args = (np.array([0.3, 0.4]), np.array([1.3, -0.4]), 0.7, us) if arrays else (0.3, 0.4, 0.7, us)
    for g in (f, dout.grad(f, argnums=(0, 1, 2, 3))):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dout.jit, "rolled", lambda program: program, raising=False)
            variant, _ = dout.jit.record(g, dout.jit.Given(args, {}, ()), Surroundings([]))
        assert variant.program is not None
        check_rolled(variant.program, args, least=0, least_saved=20, least_steps=4)


# Loops by themselves


def test_parameters_that_move():
    key = (slice(Moving(1, 2), None, None), Moving(9, -1), None)
    assert at_step(key, 3) == (slice(7, None, None), 6, None)
    assert at_step({"key": Moving(0, 1), "shape": (3,)}, 2) == {"key": 2, "shape": (3,)}


def test_entries_of_stacks_are_what_they_were():
    assert type(read(np.array([1.0, 2.0]), 1, float, False)) is float
    assert type(read(np.array([1.0, 2.0]), 1, np.dtype(float), False)) is np.float64
    assert read(np.array([1.0, 2.0]), 1, np.dtype(float), True).shape == ()
    assert read([1, None], 1, int, False) is None


def test_loops_are_verified(written_out):
    whole = loops(rolled(written_out(euler, 1.0, 0.5, 2.0)))[0]
    assert whole.verify() is whole
    with pytest.raises(ValueError, match="outputs"):
        Loop(whole.body, whole.n, whole.takes, (Give(99, False),)).verify()
    with pytest.raises(ValueError, match="takes 1"):
        Loop(whole.body, whole.n, (Take("same"),), whole.gives).verify()
    assert "times" in repr(whole)

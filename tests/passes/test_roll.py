"""Rolled programs: the same results bit for bit, and loops where there are some."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from step_functions import CASES, branches, euler, layers, loops, matrix, nested, recorded_whole, vector

import dout
from dout.passes.roll import rolled
from dout.passes.roll_loops import Give, Loop, Moving, Take, at_step, read
from dout.run.interpret import BROKEN, interpreter


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


@pytest.mark.parametrize("case", CASES)
def test_forward(case):
    f, args = CASES[case]
    check_rolled(recorded_whole(f, *args), args, [tuple([a * 0.99 for a in args])], least_saved=60)


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    f, args = CASES[case]
    g = dout.value_and_grad(f, argnums=tuple(range(len(args))))
    program = recorded_whole(g, *args)
    smaller = check_rolled(program, args, [tuple([a * 0.99 for a in args])], least=2, least_saved=60)
    assert len(smaller) < len(program) / 2, smaller


@pytest.mark.parametrize(
    "case", ["euler", "euler of arrays", "leapfrog", "recurrent", "driven", "heat", "two steps", "written"]
)
def test_gradient_of_gradient(case):
    f, args = CASES[case]
    g = dout.grad(lambda *given: np.sum(dout.grad(f)(*given) ** 2), argnums=tuple(range(len(args))))
    check_rolled(recorded_whole(g, *args), args, least=3, least_saved=100)


def test_layers_of_arguments():
    ws = tuple([matrix + 0.01 * i for i in range(20)])
    program = recorded_whole(dout.grad(lambda x, *ws: layers(x, ws), argnums=(0, 3, 20)), vector, *ws)
    check_rolled(program, (vector, *ws), least_saved=20)


def test_what_took_another_way_breaks():
    program = recorded_whole(dout.grad(branches), 1.5, 3.0)
    smaller = check_rolled(program, (1.5, 3.0), [(99.0, 3.0), (1.5, 3.1), (1.5, 30.0)], least=2, least_saved=60)
    assert interpreter(smaller)([99.0, 3.0]) is BROKEN
    assert interpreter(smaller)([1.5, 30.0]) is BROKEN
    assert len(smaller.checks) < 20


def test_compile_work_does_not_grow_with_the_number_of_steps():
    def f(n):
        def steps(x, k):
            for _ in range(n):
                x = x + 0.1 * np.sin(k * x)
            return x

        return dout.grad(steps, argnums=(0, 1))

    few, many = (rolled(recorded_whole(f(n), 1.0, 2.0)) for n in (100, 400))
    assert len(few) == len(many)
    assert [len(loop.body) for loop in loops(few)] == [len(loop.body) for loop in loops(many)]
    assert len(loops(few)) == 2


@pytest.mark.parametrize("case", ["recurrent", "backwards", "each column", "trajectory"])
def test_rows_are_entries_of_stacks(case):
    f, args = CASES[case]
    for loop in loops(rolled(recorded_whole(dout.grad(f, argnums=(0, 1)), *args), least_saved=60)):
        assert all(take.kind != "counter" for take in loop.takes), loop.body


def test_what_is_joined_is_one_stack():
    f, args = CASES["trajectory"]
    program = rolled(recorded_whole(f, *args))
    assert max(len(v.args) for v in program.values) < 10


def test_loops_of_loops():
    program = recorded_whole(dout.grad(nested), 1.5, 0.3)
    smaller = check_rolled(program, (1.5, 0.3), least_saved=40)
    inner = [len(loops(loop.body)) for loop in loops(smaller)]
    assert any(inner), smaller
    assert len(smaller) < len(program) / 4


def test_layers_with_large_weights_stay():
    ws = tuple([np.eye(64) + 0.01 * i for i in range(20)])
    program = recorded_whole(dout.grad(lambda x, *ws: layers(x, ws)), np.ones(64), *ws)
    assert loops(rolled(program, least_saved=20)) == []


@pytest.mark.parametrize(("n", "rolls"), [(40, False), (400, True)])
def test_few_elementwise_steps_on_large_arrays_stay(n, rolls):
    def f(x, k):
        for _ in range(n):
            x = x * (1 - 0.01 * x) + 0.001 * k
        return x

    program = recorded_whole(f, np.linspace(0, 1, 2000), np.linspace(0, 1, 2000))
    assert bool(loops(rolled(program, least_saved=50))) == rolls


def test_short_programs_stay():
    program = recorded_whole(lambda x: np.sum(1 / (1 + np.exp(-x * x))), vector)
    assert len(rolled(program)) == len(program)
    assert loops(rolled(program)) == []


steps = st.lists(st.tuples(st.sampled_from("+-*ms"), st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=7)


@example([("+", 0, 0), ("+", 0, 0), ("+", 0, 1)], 8, [3, 7, 0], False)  # what is added to a total is only carried
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
        program = recorded_whole(g, *args)
        check_rolled(program, args, least=0, least_saved=20, least_steps=4)


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


def test_loops_are_verified():
    whole = loops(rolled(recorded_whole(euler, 1.0, 0.5, 2.0)))[0]
    assert whole.verify() is whole
    with pytest.raises(ValueError, match="outputs"):
        Loop(whole.body, whole.n, whole.takes, (Give(99, False),)).verify()
    with pytest.raises(ValueError, match="takes 1"):
        Loop(whole.body, whole.n, (Take("same"),), whole.gives).verify()
    assert "times" in repr(whole)

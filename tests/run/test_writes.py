"""Writes in place: random programs of writes and reads of views, by native code, by NumPy, and as they are."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.passes import nests
from dout.passes.nests import planned
from dout.passes.plan import Loop, Nest
from dout.passes.verifying import verify
from dout.run.native.scalars import KINDS as NATIVE
from dout.run.native.scalars import kind
from dout.tree import flatten

ROWS, COLUMNS = 5, 4
MASK = np.array([True, False, True, True, False])

# Lines of programs. `x` and `y` are arrays, both may be written to; `u` and `v` are what was read from them; `k` are
# computed indices.

COLUMN = ("0", "-1", ":", "1:", "::2", "::-1", "1:-1", "[0, 2, 2]", "MASK[:4]")
ROW = (*COLUMN[:7], "[3, 1]", "[1, 1, 4]", "k", "k[::-1]", "MASK", "None, 2")


def keys(draw):
    """An index, and how many axes it leaves."""
    row = draw(st.sampled_from(ROW))
    form = draw(st.sampled_from(["row", "both", "column", "all"]))
    if form == "row":
        return row
    if form == "column":
        return f"..., {draw(st.sampled_from(COLUMN[:7]))}"
    if form == "all":
        return "..."
    if row[0] in "[kM":
        return f"{row}, {draw(st.sampled_from(COLUMN[:7]))}"
    return f"{row}, {draw(st.sampled_from(COLUMN))}"


@st.composite
def programs(draw):
    """The source of a function of two arrays and indices, with writes and reads in any order."""
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        name, other = draw(st.permutations(["x", "y"]))
        key = keys(draw)
        kind = draw(st.sampled_from(KINDS))
        number = draw(st.sampled_from(["2.0", "-0.0", "0", "1.5"]))
        source = draw(st.sampled_from([number, "np.sum(u)", "u[0, 0]", f"{other}[{key}] * 0.5", f"{name}[{key}] + {number}",
                                       f"np.sin({other}[{key}])", "v[0]"]))  # fmt: skip
        lines.append(kind.format(name=name, other=other, key=key, source=source, number=number))
    result = draw(st.sampled_from(["x", "x, y", "x * y, u", "np.sum(x * u) + np.sum(y), x", "x, x[1:], y * v", "u, v"]))
    body = "\n    ".join(lines)
    return f"def f(x, y, k):\n    {draw(st.sampled_from(STARTS))}\n    u, v = x[1:], y[1]\n    {body}\n    return {result}\n"


STARTS = (
    "x, y = x.copy(), y * 1.5",
    "x, y = x * 1, np.zeros_like(x)",
    "x, y = np.ones_like(y), y + 0",
    "x, y = np.sin(x).T.copy().T, -y",
)
KINDS = (
    "{name}[{key}] = {source}",
    "{name}[{key}] += {number}",
    "{name}[{key}] *= {other}[{key}]",
    "u = {name}[1:] * 1.0",
    "u = {name}[:-1]",
    "v = {name}[2]",
    "v = {name}.copy()[-1]",
    "{name}[1:] = {name}[:-1]",
    "{name}[::-1] = {name}",
    "{name}[:, 1:] += {name}[:, :-1]",
    "{name}[...] = {other}",
    "{name}.T[1] = {number}",
    "np.ravel({name})[3] = np.sum({other}[{key}])",
    "np.add.at({name}, [1, 3, 1], {other}[0] * 2)",
    "{name}[k, 1] = {other}[k, 0] * 3",
    "{name}[k] += {other}[:3]",
    "{name}[[0, 2, 0], [1, 1, 1]] = {other}[0, :3]",
    "{name}[{name} > 0.5] = {number}",
    "{name}[{name}[:, 0] > 0.1] = {number}",
    "{name}[1, 2] = {name}[2, 1] * np.sin({name}[1, 2])",
    "{name} = {name} + {other}",
    "{name} = {name}.copy()",
    "{name}[:2], {name}[2:4] = {name}[2:4], {name}[:2]",
    "{name}[0] = {other} @ {name}[0] if {name}.shape[0] == 1 else {name}[4]",
    "{name}[:4] = np.tanh({name}[:4] @ {name}[:4])",
)


def made(source):
    names = {"np": np, "MASK": MASK}
    exec(compile(source, "<program>", "exec"), names)
    return names["f"]


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(ROWS, COLUMNS)), rng.normal(size=(ROWS, COLUMNS)), np.array([2, -1, 2])


def loss(f):
    def total(x, y, k):
        return sum(np.sum(np.sin(out) * (i + 1)) for i, out in enumerate(flatten(f(x, y, k))[0]))

    return dout.value_and_grad(total, argnums=(0, 1))


def agree(found, expected):
    found, expected = flatten(found)[0], flatten(expected)[0]
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        largest = max(1.0, np.max(np.abs(b), initial=0))  # what is small may be a difference of what is large
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11 * largest)


def same_signs(found, expected):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


@pytest.mark.parametrize("cut", [False, True])
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=programs())
def test_random_programs(monkeypatch, cut, source):
    if cut:  # into pieces for threads
        monkeypatch.setattr(nests, "LONG", 0)
        monkeypatch.setattr(nests, "PIECES", 3)
        monkeypatch.setattr(nests, "WORTH", 0)
        monkeypatch.setattr("dout.run.native.threads.WORTH", 0)
    f = made(source)
    try:
        f(*inputs())
    except (ValueError, IndexError):  # shapes that don't fit
        return
    before = dout.get_num_threads()
    try:
        for which in (f, loss(f)):
            native, numpy = jit(which), jit(which, backend="numpy")
            for seed, threads in ((0, 1), (0, 2), (1, 1), (1, 2)):
                dout.set_num_threads(threads)
                args = inputs(seed)
                kept = [np.array(a) for a in args]
                plain = which(*args)
                agree(numpy(*args), plain)
                agree(native(*args), plain)
                for a, b in zip(args, kept, strict=True):
                    np.testing.assert_array_equal(a, b)
            if which is f:
                same_signs(native(*args), numpy(*args))
            said = native.report(*args)
            assert "run by native code" in said or "no operation of it has native code" in said
            verify(planned(numpy.graph(*args), kind, NATIVE))
    finally:
        dout.set_num_threads(before)


# What is moved


def report(f, *args):
    fast = jit(f)
    agree(fast(*args), f(*args))
    said = fast.report(*args)
    assert "NumPy:" not in said
    return said


def moved(f, *args):
    """How many bytes the steps of a function read and write."""
    return sum(int(r) + int(w) for r, w in re.findall(r"(\d+) bytes read, (\d+) written", report(f, *args)))


def one_by_one(n):
    def f(x):
        y = x * 1.5
        for k in range(n):
            i = (k * k * 7 + 3 * k) % len(x)
            y[i] = np.sin(y[(i * 5 + k) % len(x)]) * x[i]
        return np.sum(y * y)

    return f


def rows_by_index(n):
    def f(x):
        y = np.zeros_like(x)
        for k in range(n):
            y[[k, 3 * k + 1, k]] = np.sin(x[k * k : k * k + 3] * (k + 1.5))
            y[5 * k : 5 * k + 4 : 2] += x[k] * y[7 * k]
        return np.sum(y * y)

    return f


LONG = np.random.default_rng(3).normal(size=10_000)


@pytest.mark.parametrize("make", [one_by_one, rows_by_index])
@pytest.mark.parametrize("of", [lambda f: f, dout.value_and_grad], ids=["value", "gradient"])
def test_many_small_writes_cost_the_array_once(make, of):
    few, many = moved(of(make(3)), LONG), moved(of(make(30)), LONG)
    assert many - few < LONG.nbytes
    assert many < 30 * LONG.nbytes


def test_what_a_write_leaves_nothing_of_is_not_copied():
    def f(x):
        y = np.zeros_like(x)
        y[...] = np.sin(x)
        y[:] *= 2
        return y

    assert moved(f, LONG) <= 2 * LONG.nbytes


def test_entry_by_entry_in_the_loop_that_reads_what_was_there():
    def f(x):
        y = np.zeros_like(x)
        y[0] = 1.0
        y[1:-1] = np.sin(y[1:-1] + x[1:-1])
        return y

    # Zeros are filled in and counted as read; then `y` and `x` are read and `y` is written, with nothing in between.
    assert moved(f, LONG) < 5 * LONG.nbytes + 100


def test_a_mask_is_a_choice():
    def f(x):
        y = x * 2
        y[y > 0.5] = 0
        y[x < -1] = x[0]
        return y * y

    assert moved(f, LONG) <= 2 * LONG.nbytes + 8
    grad = dout.grad(lambda x: np.sum(f(x) * np.sin(x)))
    agree(jit(grad)(LONG), grad(LONG))


# What stays as it was


def test_arguments_and_captured_arrays_are_not_written_to():
    held = np.arange(6.0)

    def f(x):
        y, z = x + 0, held * 1
        y[2] = 5.0
        y[3] = y[2] + z[1]
        z[1:3] = y[2:4]
        return y, z, x, held * 1.0

    x = np.arange(6.0) + 1
    fast = jit(f)
    for _ in range(2):
        agree(fast(x), f(x))
    np.testing.assert_array_equal(x, np.arange(6.0) + 1)
    np.testing.assert_array_equal(held, np.arange(6.0))


def test_every_state_that_is_returned_is_an_array_of_its_own():
    def f(x):
        y = x.copy()
        found = []
        for k in range(4):
            y[k] = y[k + 1] * 2
            found.append(y.copy())
            found.append(y[1:3])
        found.append(y)
        return found

    x = np.arange(6.0)
    found, expected = jit(f)(x), f(x)
    agree([a.copy() for a in found[::2]], [a.copy() for a in expected[::2]])
    for i, a in enumerate(found):
        for b in found[:i]:
            assert not np.may_share_memory(a, b)
    found[0][:] = 7
    agree(jit(f)(x)[2], expected[2])


def test_views_that_numpy_made_of_an_array_stay():
    def f(x):
        y = x * 2
        y[0] = 1.0
        z = np.sort(y)
        y[1] = z[0] * y[0]
        w = np.partition(y, 2)
        y[2:4] = 0
        return y, z, w, np.sum(y)

    agree(jit(f)(LONG[:9]), f(LONG[:9]))


def test_one_entry_of_the_array_written_to_some_others():
    def f(x):
        y = x * 1.5
        y[0] += 1
        y[[1, 3, 3]] = y[-1]
        y[[2, 4]] += y[0]
        return y

    assert "run by native code" in report(f, LONG[:9])
    agree(jit(dout.jacobian(f))(LONG[:9]), dout.jacobian(f)(LONG[:9]))


def test_signs_of_zeros_are_those_of_sums():
    def f(x, v):
        y = x * 1.0
        y[1] = -0.0
        z = y + np.diag(v)[0]
        y[2] = -0.0
        return np.copysign(1.0, z), np.copysign(1.0, y)

    args = np.array([-0.0, 1.0, -0.0, 2.0]), np.array([1.0, -0.0, 0.0, -2.0])
    agree(jit(f)(*args), f(*args))


def test_an_index_that_is_out_of_range_is_an_error_and_leaves_things_as_they_were():
    def f(x, k):
        y = x.copy()
        y[0] = 3.0
        y[k] = x[0]
        y[1] += 1
        return y

    fast = jit(f)
    k = np.array([2, 3])
    agree(fast(LONG[:5], k), f(LONG[:5], k))
    with pytest.raises(IndexError):
        fast(LONG[:5], k + 2)
    agree(fast(LONG[:5], -k), f(LONG[:5], -k))


# The verifier


def steps_of(f, *args):
    program = jit(f, backend="numpy").graph(*args)
    return planned(program, kind, NATIVE)


def stencil(x):
    y = x * 2
    y[0] = 1.0
    y[1:] = np.sin(y[:-1])
    y[2] = y[1] + y[3]
    return y


def test_the_verifier_finds_a_read_of_what_was_overwritten():
    plan = verify(steps_of(stencil, LONG[:8]))
    plan.steps.reverse()
    with pytest.raises(ValueError, match="reads what was overwritten, or is not there yet"):
        verify(plan)


def test_the_verifier_finds_loops_that_may_not_be_shared():
    plan = verify(steps_of(stencil, LONG[:8]))
    loops = [s for s in plan.steps if isinstance(s, Nest) and isinstance(s.body[0], Loop) and s.extent == 7]
    assert len(loops) == 2
    first, second = (s.body[0] for s in loops)
    first.body += second.body
    plan.steps.remove(loops[1])
    with pytest.raises(ValueError, match="reads what was overwritten, or is not there yet"):
        verify(plan)


def test_the_verifier_finds_what_is_missing():
    plan = verify(steps_of(stencil, LONG[:8]))
    del plan.steps[-1]
    with pytest.raises(ValueError, match="is missing"):
        verify(plan)

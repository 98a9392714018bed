"""Writes in place: random programs of writes and reads of views, by native code, by NumPy, and as they are."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import run

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.passes import nests
from dout.passes.plan import Loop, Nest
from dout.passes.verifying import verify
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


STARTS = ("x, y = x.copy(), y * 1.5", "x, y = x * 1, np.zeros_like(x)", "x, y = np.ones_like(y), y + 0",
          "x, y = np.sin(x).T.copy().T, -y")
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
    "{name}[:4] = {name}[:4] @ {name}[:4]",
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
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


def same_signs(found, expected):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cut", [False, True])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(source=programs())
def test_random_programs(monkeypatch, threads, cut, source):
    if cut:
        monkeypatch.setattr(nests, "LONG", 0)
        monkeypatch.setattr(nests, "PIECES", 3)
        monkeypatch.setattr(nests, "WORTH", 0)
        monkeypatch.setattr("dout.run.native.threads.WORTH", 0)
    f = made(source)
    try:
        f(*[np.array(a) for a in inputs()])
    except (ValueError, IndexError):  # shapes that don't fit
        return
    before = dout.get_num_threads()
    dout.set_num_threads(threads)
    try:
        for which in (f, loss(f)):
            native, numpy = jit(which), jit(which, backend="numpy")
            for seed in (0, 0, 1):
                args = inputs(seed)
                kept = [np.array(a) for a in args]
                plain = which(*[np.array(a) for a in args])
                agree(numpy(*args), plain)
                agree(native(*args), plain)
                for a, b in zip(args, kept, strict=True):
                    np.testing.assert_array_equal(a, b)
            if which is f:
                same_signs(native(*args), plain)
            verify_plan(which)
    finally:
        dout.set_num_threads(before)


def verify_plan(which):
    args = inputs()
    report = jit(which, backend="numpy")
    program = report.graph(*args)
    from dout.passes.nests import planned
    from dout.run.native.scalars import KINDS as kinds
    from dout.run.native.scalars import kind

    verify(planned(program, kind, kinds))

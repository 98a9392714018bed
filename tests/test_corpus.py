"""Small programs as people write them, each differentiated as it stands: value, first and second derivatives."""

import importlib.util
from pathlib import Path

import numpy as np
import oracles
import pytest

import dout
from dout.tree import flatten

PROGRAMS = sorted((Path(__file__).parent / "corpus").glob("*.py"))


def load(path):
    spec = importlib.util.spec_from_file_location(f"corpus_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program(path):
    if "scipy" in path.read_text(encoding="utf-8"):
        pytest.importorskip("scipy")
    module = load(path)
    flat, rebuild = flatten(module.ARGS)

    def program(*leaves):
        return module.program(*rebuild(iter(leaves)))

    value, found = dout.value_and_grad(program, tuple(range(len(flat))))(*flat)
    assert value == pytest.approx(program(*flat), rel=1e-13, abs=0)
    for i, d in enumerate(found):
        # Iterations stop where their errors are some 1e-14, and the differences multiply that by a thousand.
        np.testing.assert_allclose(d, oracles.numerical(program, flat, i), 1e-7, 1e-7, err_msg=f"argument {i}")
    directions = [np.cos(np.arange(np.size(a)) + 1.0).reshape(np.shape(a))[()] for a in flat]

    def along(t):
        return sum(np.sum(d * v) for d, v in zip(slopes(t), directions, strict=True))

    def slopes(t):
        return dout.grad(program, tuple(range(len(flat))))(*(a + t * v for a, v in zip(flat, directions, strict=True)))

    assert dout.grad(along)(0.0) == pytest.approx(oracles.numerical(along, [0.0]), rel=1e-5, abs=1e-5)


def test_there_are_thirty():
    assert len(PROGRAMS) >= 30

"""Each example runs as a script, without a warning, and prints the numbers it is there to show."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

# What they begin with; the rest is looked at below. An example that is not listed has to run all the same.
FIRST_LINES = {
    "apple_by_hand.py": ["220.00000000000003", "2.2 110.00000000000001 200"],
    "apple_orange_by_hand.py": ["715.0000000000001", "2.2 110.00000000000001 3.3000000000000003 165.0 650"],
    "apple_by_grad.py": ["715.0000000000001", "2.2 110.00000000000001 3.3000000000000003 165.0 650.0"],
    "fit_with_scipy.py": ["true  2.000 0.300 3.000 0.500"],
}
NEEDS = {"fit_with_scipy.py": "scipy", "digits_by_hand_layers.py": "sklearn"}


def run(name):
    needed = NEEDS.get(name)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{name} needs {needed}")
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    utf8 = {**os.environ, "PYTHONIOENCODING": "utf-8"}  # the graph's signs, whatever the machine's own encoding
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, env=utf8)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", sorted({*FIRST_LINES, *(p.name for p in EXAMPLES.glob("*.py"))}))
def test_example(name):
    lines = run(name).splitlines()
    expected = FIRST_LINES.get(name, [])
    assert lines[: len(expected)] == expected
    assert lines


def test_the_graph_shows_each_derivative():
    lines = [line.split() for line in run("apple_by_grad.py").splitlines()]
    for name, value, d in (("apple", "100", "2.2"), ("apple_num", "2", "110.00000000000001"), ("tax", "1.1", "650")):
        assert [name, value, "<-", d] in [line[-4:] for line in lines]


def test_the_fit_finds_the_truth_in_fewer_evaluations():
    out = run("fit_with_scipy.py")
    found = [float(word) for word in out.splitlines()[1].split()[1:]]
    assert found == pytest.approx([2.0, 0.3, 3.0, 0.5], abs=0.03)
    exact, differences = (int(n) for n in re.findall(r"(\d+) evaluations of the loss", out))
    assert exact < differences / 3


def test_the_digits_are_read():
    share = float(run("digits_by_hand_layers.py").split("%")[0])
    assert share >= 96

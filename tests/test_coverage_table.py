"""The table of NumPy's names: none is missing, and what it calls differentiable is tested and right."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dout

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import coverage_table  # noqa: E402

NAMES = coverage_table.everything()
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py")))


def test_no_public_name_is_missing():
    unknown = []
    for name, function in NAMES.items():
        try:
            coverage_table.kind_of(name, function)
        except LookupError:
            unknown.append(name)
    assert not unknown, "put them in a table of rules, or in a list of docs/coverage_table.py"


def test_lists_hold_nothing_else():
    listed = coverage_table.MAKERS | coverage_table.OTHERS | coverage_table.LOSING
    ruled = {n for n, f in NAMES.items() if f in dout.rules.FUNCTIONS or f in dout.rules.UFUNCS}
    assert not listed & ruled - {"copy", "einsum_path"}, "they have rules by now"
    assert not listed - set(NAMES) - {"copy"}, "NumPy has no such function"


@pytest.mark.parametrize(
    "name", [n for n, f in NAMES.items() if coverage_table.kind_of(n, f) == coverage_table.DIFFERENTIABLE]
)
def test_every_differentiable_name_is_tested(name):
    function = NAMES[name]
    same = [n for n, f in NAMES.items() if f is function] + [name.rpartition(".")[2]]
    found = any(re.search(rf"\b(np|linalg|fft|emath)\.{re.escape(n)}\b", TESTS) for n in same) or any(
        re.search(rf'"{re.escape(n)}"', TESTS) for n in same
    )
    assert found, f"no test names np.{name}"


@pytest.mark.parametrize("name", [n for n in dir(np.ndarray) if not n.startswith("_")])
def test_methods_are_there_or_not_differentiable(name):
    assert hasattr(dout.Variable, name) or name in coverage_table.METHOD_OTHERS


def test_the_page_is_up_to_date():
    script = ROOT / "docs" / "coverage_table.py"
    done = subprocess.run([sys.executable, "-W", "error", str(script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or "run python docs/coverage_table.py"

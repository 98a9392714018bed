"""The page that says how long each function takes: up to date, and with a cause for each row that is slow."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "benchmarks")]
import functions_table  # noqa: E402
from function_cases import CASES  # noqa: E402
from function_causes import CAUSES  # noqa: E402


def test_every_slow_row_has_a_cause():
    slow = [row for row in functions_table.rows() if functions_table.worst(row)[0] > functions_table.SLOW]
    unknown = [(row["case"], row["size"]) for row in slow if functions_table.cause(row) is None]
    assert not unknown, "measure them again on a calm machine; then write down why in docs/function_causes.py"


def test_every_pattern_was_measured():
    """At the small size; at the large one, some peers take minutes for a call."""
    assert {row["case"] for row in functions_table.rows() if row["size"] == "small"} == set(CASES)


def test_causes_are_of_patterns_that_there_are():
    for sizes in CAUSES.values():
        assert set(sizes) <= {"small", "large"}
        for patterns in sizes.values():
            assert set(patterns) <= set(CASES)


def test_the_page_is_up_to_date():
    script = ROOT / "docs" / "functions_table.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or "run python docs/functions_table.py"

"""Fill the table of docs/jit.md that says how far native functions are from the true value.

Run it from anywhere: `python docs/make_errors.py`, or with `--check` to be told whether the page is up to date. It measures the
samples of tests/run/test_mathematics.py, a little denser.
"""

from __future__ import annotations

import sys
from pathlib import Path

from blocks import main

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from accuracy import LIMITS, TRUE, worst

DENSE = 300


def table() -> str:
    """A row for each function."""
    lines = ["| function | float64 | float32 | at most |", "| --- | --- | --- | --- |"]
    for name in TRUE:
        errors = [worst(name, kind, DENSE)[0] for kind in ("f8", "f4")]
        lines.append(f"| `{name}` | {errors[0]:.2f} | {errors[1]:.2f} | {LIMITS.get(name, 2.0):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main({"docs/jit.md": {"errors": table}})

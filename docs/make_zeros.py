"""Make gammaln_zeros.py and psi_zeros.py of src/dout/run/native/math: zeros at negative arguments, and polynomials there.

Run it from anywhere: `python docs/make_zeros.py`, or with `--check` to be told whether the files are up to date. The zeros are
found in 60 digits, the polynomials are made as those of make_polynomials.py are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
from make_polynomials import chebyshev, lines_of, parts_of

FOLDER = Path(__file__).parents[1] / "src" / "dout" / "run" / "native" / "math"
GAMMALN_DEGREE, PSI_DEGREE = 22, 20
GAMMALN_LAST, PSI_LAST = 18, 15


def root(function: Callable[[Any], Any], low: Any, high: Any, mean: Callable[[Any, Any], Any]) -> Any:
    """Where a function that falls is 0, by bisection."""
    for _ in range(300):
        middle = mean(low, high)
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return mean(low, high)


def gammaln_row(n: int, side: int) -> list[float]:
    """With y = -x, d = y - n, and a zero d0 of it: log|gamma(x)| = base - log(d/d0) - t G(t), t = d - d0."""
    base = 2 if n + side * 0.25 < 2 else 0

    def value(d: Any) -> Any:
        return mp.log(abs(mp.gamma(-n - d)))

    size = root(lambda d: value(side * d) - base, mp.mpf(10) ** -20, mp.mpf("0.5"), lambda a, b: mp.sqrt(a * b))
    zero = side * size

    def rest(t: Any) -> Any:
        return (base - value(zero + t) - mp.log((zero + t) / zero)) / t

    far = side * mp.mpf("0.55" if (n, side) == (2, 1) else "0.5")
    interval = (-zero, far - zero) if side > 0 else (far - zero, -zero)
    first, *others = chebyshev(rest, interval, GAMMALN_DEGREE)
    return [
        *parts_of(n + zero, (53, 53), 0),
        *parts_of(1 / zero, (53,), 0),
        *parts_of(first, (53,), 0),
        *[float(c) for c in others],
    ]


def psi_row(n: int) -> list[float]:
    """With d = y - n, e = n + 1 - y, and d0, e0 at the zero: psi(-y) = -t (1/(d d0) + 1/(e e0) + M(t)), t = y - y0."""

    def value(y: Any) -> Any:
        return mp.digamma(-y)

    zero = root(value, n + mp.mpf("0.01"), n + mp.mpf("0.99"), lambda a, b: (a + b) / 2)
    d, e = zero - n, n + 1 - zero

    def rest(t: Any) -> Any:
        return -value(zero + t) / t - 1 / ((d + t) * d) - 1 / ((e - t) * e)

    numbers = chebyshev(rest, (-d, e), PSI_DEGREE)
    return [
        *parts_of(zero, (53, 53), 0),
        *parts_of(1 / d, (53,), 0),
        *parts_of(1 / e, (53,), 0),
        *[float(c) for c in numbers],
    ]


def text(function: str, says: list[str], rows: list[list[float]]) -> str:
    out = [
        f'"""Zeros of {function} at negative arguments, and polynomials there. Made by docs/make_zeros.py."""',
        "",
        "from __future__ import annotations",
        "",
        "# fmt: off",
        *[f"#: {line}" for line in says],
        "ROWS: tuple[tuple[float, ...], ...] = (",
    ]
    for row in rows:
        lines = lines_of(row).replace("\n    ", "\n        ").replace("    ", "        ", 1)
        out += ["    (", lines, "    ),"]
    return "\n".join([*out, ")"]) + "\n"


def made() -> dict[Path, str]:
    """Each file's text."""
    halves = [(n, side) for n in range(1, GAMMALN_LAST + 1) for side in (-1, 1)]
    gammaln = [
        "For y = -x in the half before 1, behind it, before 2, ..., where log|gamma(x)| is 0 (below y = 2: where it is 2):",
        "y there in three parts, 1/(y - n) in two parts, and a polynomial, whose first coefficient is in two parts.",
    ]
    psi = [
        "For y = -x from 0 to 1, 1 to 2, ...: y in three parts where psi(x) is 0, 1/(y - n) and 1/(n + 1 - y) there in two",
        "parts, and a polynomial.",
    ]
    return {
        FOLDER / "gammaln_zeros.py": text("gammaln", gammaln, [gammaln_row(n, side) for n, side in halves]),
        FOLDER / "psi_zeros.py": text("psi", psi, [psi_row(n) for n in range(PSI_LAST + 1)]),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    for file, wanted in made().items():
        if not check:
            file.write_text(wanted, encoding="utf-8")
        elif file.read_text(encoding="utf-8") != wanted:
            sys.exit(f"{file} is out of date: run {Path(__file__).name}")


if __name__ == "__main__":
    main()

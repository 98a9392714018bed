"""Make the coefficients of dout's vector functions: src/dout/run/native/math/coefficients.py.

Run it from anywhere: `python docs/make_polynomials.py`, or with `--check` to be told whether the file is up to date. Each
polynomial interpolates its function at Chebyshev's points, in 60 digits, which is within a small factor of the best
polynomial of that degree; then its coefficients are rounded. What error is left is printed, relative to the function
whose last part the polynomial is. Nothing is copied from other libraries.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np

FILE = Path(__file__).parents[1] / "src" / "dout" / "run" / "native" / "math" / "coefficients.py"
mp.mp.dps = 60


@dataclass
class Wanted:
    """A polynomial that is wanted.

    Attributes:
        name: what it is called.
        says: what it is a polynomial of, for the reader.
        function: the function that it comes near to.
        interval: where.
        degrees: of the polynomial for float64 and for float32; None where there is none.
        share: how much an error of the polynomial matters, relative to the whole.
    """

    name: str
    says: str
    function: Callable[[Any], Any]
    interval: tuple[Any, Any]
    degrees: tuple[int, int | None]
    share: Callable[[Any], Any]


def series(function: Callable[[Any], Any], taken: int, at: Any = 0) -> Callable[[Any], Any]:
    """(function(x) - its first terms) / x**taken, also where that cancels: by Taylor's series near 0."""
    terms = mp.taylor(function, at, taken + 25)

    def rest(x: Any) -> Any:
        if abs(x) < mp.mpf("0.01"):
            return mp.polyval(terms[: taken - 1 : -1], x)
        return (function(at + x) - mp.polyval(terms[:taken][::-1], x)) / x**taken

    return rest


def odd(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """(function(x) - x) / x**3 as a function of x**2."""
    rest = series(function, 2)
    return lambda z: rest(mp.sqrt(z)) / mp.sqrt(z) if z else mp.taylor(function, 0, 3)[3]


def chebyshev(function: Callable[[Any], Any], interval: tuple[Any, Any], degree: int) -> list[Any]:
    """The coefficients, the lowest first, of the polynomial that has the function's values at Chebyshev's points."""
    low, high = (mp.mpf(x) for x in interval)
    n = degree + 1
    angles = [mp.pi * (2 * i + 1) / (2 * n) for i in range(n)]
    values = [function((high + low) / 2 + (high - low) / 2 * mp.cos(t)) for t in angles]
    factors = [2 * mp.fsum(v * mp.cos(k * t) for v, t in zip(values, angles, strict=True)) / n for k in range(n)]
    factors[0] /= 2
    # from Chebyshev's polynomials of u to powers of x, u = (2 x - low - high) / (high - low)
    step = [-(high + low) / (high - low), 2 / (high - low)]

    def times(p: list[Any]) -> list[Any]:
        out = [mp.mpf(0)] * (len(p) + 1)
        for i, c in enumerate(p):
            out[i] += c * step[0]
            out[i + 1] += c * step[1]
        return out

    before, now = [mp.mpf(1)], list(step)
    total = [factors[0]] + [mp.mpf(0)] * degree
    for k in range(1, n):
        for i, c in enumerate(now):
            total[i] += factors[k] * c
        following = [2 * c for c in times(now)]
        for i, c in enumerate(before):
            following[i] -= c
        before, now = now, following
    return total


HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")
S = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
QUARTER = (mp.pi / 4 * mp.mpf("1.0001")) ** 2


def _cosine(z: Any) -> Any:
    return series(mp.cos, 4)(mp.sqrt(z))


def _atanh_rest(z: Any) -> Any:
    """(2 atanh(s)/s - 2) / z, of z = s**2."""
    return mp.polyval([mp.mpf(2) / (2 * n + 3) for n in range(60, -1, -1)], z)  # z is at most 0.03


def _atanh_far_rest(z: Any) -> Any:
    return mp.polyval([mp.mpf(1) / (2 * n + 5) for n in range(60, -1, -1)], z)


def _erf(z: Any) -> Any:
    return mp.polyval([(-1) ** n / (mp.factorial(n) * (2 * n + 1)) for n in range(60, 0, -1)], z) * 2 / mp.sqrt(mp.pi)


def _erfc(u: Any) -> Any:
    x = 4 * (1 + u) / (1 - u)
    return mp.erfc(x) * mp.exp(x * x) * (1 + 2 * x)


def _gammaln(u: Any) -> Any:
    if abs(u) < mp.mpf(10) ** -25:
        return mp.zeta(2, 2) / 2
    return (mp.loggamma(2 + u) / u - 1 + mp.euler) / u


def _stirling(z: Any) -> Any:
    if not z:
        return mp.mpf(1) / 12
    x = 1 / mp.sqrt(z)
    return x * (mp.loggamma(x) - (x - 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


ROOT = mp.findroot(mp.digamma, 1.46)


def _psi(u: Any) -> Any:
    return mp.digamma(u + 1.5) / (u + 1.5 - ROOT)


def _psi_far(z: Any) -> Any:
    if not z:
        return mp.mpf(1) / 12
    x = 1 / mp.sqrt(z)
    return x * x * (mp.log(x) - 1 / (2 * x) - mp.digamma(x))


WANTED = [
    Wanted(
        "EXP",
        "(exp(r) - 1 - r) / r**2, |r| <= ln(2)/2",
        series(mp.exp, 2),
        (-HALF_LN2, HALF_LN2),
        (10, 5),
        lambda r: r * r,
    ),
    Wanted(
        "EXP_QUICK",
        "the same, less exactly: where the sum with 1 is rounded",
        series(mp.exp, 2),
        (-HALF_LN2, HALF_LN2),
        (9, 4),
        lambda r: r * r,
    ),
    Wanted("LOG", "(2 atanh(s)/s - 2) / z of z = s**2, s <= 0.172", _atanh_rest, (0, S * S), (6, 3), lambda z: z / 2),
    Wanted("SINH", "(sinh(x) - x) / x**3 of x**2, |x| <= 1", odd(mp.sinh), (0, 1), (8, 4), lambda z: z),
    Wanted(
        "TANH", "(tanh(x) - x) / x**3 of x**2, |x| <= 0.55", odd(mp.tanh), (0, mp.mpf("0.3026")), (12, 5), lambda z: z
    ),
    Wanted("SIN", "(sin(r) - r) / r**3 of r**2, |r| <= pi/4", odd(mp.sin), (0, QUARTER), (6, 3), lambda z: z),
    Wanted("COS", "(cos(r) - 1 + r**2/2) / r**4 of r**2, |r| <= pi/4", _cosine, (0, QUARTER), (5, 2), lambda z: z * z),
    Wanted(
        "ATAN",
        "(atan(x) - x) / x**3 of x**2, |x| <= tan(pi/8)",
        odd(mp.atan),
        (0, mp.mpf("0.1717")),
        (11, 5),
        lambda z: z,
    ),
    Wanted(
        "ASIN", "(asin(x) - x) / x**3 of x**2, |x| <= 1/2", odd(mp.asin), (0, mp.mpf("0.2501")), (13, 6), lambda z: z
    ),
    Wanted(
        "ASINH", "(asinh(x) - x) / x**3 of x**2, |x| <= 1/2", odd(mp.asinh), (0, mp.mpf("0.2501")), (12, 6), lambda z: z
    ),
    Wanted(
        "ATANH", "(atanh(x) - x) / x**3 of x**2, |x| <= 1/2", odd(mp.atanh), (0, mp.mpf("0.2501")), (14, 7), lambda z: z
    ),
    Wanted(
        "CBRT",
        "cbrt(1 + f), 1 + f from sqrt(1/2) to sqrt(2)",
        lambda f: mp.cbrt(1 + f),
        (-0.2929, 0.4143),
        (6, 3),
        lambda f: 1,
    ),
    Wanted(
        "ATANH_REST",
        "(atanh(s)/s - 1 - z/3) / z**2 of z = s**2, s <= 0.172",
        _atanh_far_rest,
        (0, S * S),
        (7, None),
        lambda z: z * z,
    ),
    Wanted("ERF", "(erf(x)/x - 2/sqrt(pi)) / x**2 of x**2, |x| <= 1", _erf, (0, 1), (11, 5), lambda z: z),
    Wanted(
        "ERFC",
        "erfc(x) exp(x**2) (1 + 2 x) of (x - 4)/(x + 4), x from 1/2 to 28",
        _erfc,
        (mp.mpf(-3.5) / 4.5, 0.75),
        (24, 10),
        lambda u: 1 / _erfc(u),
    ),
    Wanted(
        "GAMMALN", "(loggamma(2 + u)/u - 1 + gamma) / u, |u| <= 1/2", _gammaln, (-0.5, 0.5), (18, None), lambda u: u
    ),
    Wanted(
        "STIRLING",
        "x (loggamma(x) - (x - 1/2) log(x) + x - log(2 pi)/2) of 1/x**2, x >= 8",
        _stirling,
        (0, mp.mpf(1) / 64),
        (6, None),
        lambda z: z,
    ),
    Wanted(
        "PSI", "digamma(x) / (x - root) of x - 3/2, x from 1 to 2", _psi, (-0.5, 0.5), (22, None), lambda u: 1 / _psi(u)
    ),
    Wanted(
        "PSI_FAR",
        "x**2 (log(x) - 1/(2 x) - digamma(x)) of 1/x**2, x >= 8",
        _psi_far,
        (0, mp.mpf(1) / 64),
        (6, None),
        lambda z: z,
    ),
]

#: Numbers as sums of parts: the value, and how many bits the parts but the last have, for float64 and for float32.
CONSTANTS: list[tuple[str, str, Any, tuple[tuple[int, ...], tuple[int, ...]]]] = [
    ("LN2", "log(2), short, and the rest", mp.log(2), ((42,), (16,))),
    ("LN2_FULL", "log(2), and the rest", mp.log(2), ((53,), (24,))),
    ("LOG2_E", "1/log(2), and the rest", 1 / mp.log(2), ((53,), (24,))),
    ("LOG10_E", "1/log(10), and the rest", 1 / mp.log(10), ((53,), (24,))),
    ("LOG10_2", "log(2)/log(10), short, and the rest", mp.log10(2), ((42,), (16,))),
    ("LN10", "log(10), and the rest", mp.log(10), ((53,), (24,))),
    ("HALF_PI", "pi/2 in three parts", mp.pi / 2, ((53, 53), (24, 24))),
    ("PI", "pi, and the rest", mp.pi, ((53,), (24,))),
    ("THIRD", "1/3, and the rest", mp.mpf(1) / 3, ((53,), (24,))),
    ("TWO_BY_ROOT_PI", "2/sqrt(pi), and the rest", 2 / mp.sqrt(mp.pi), ((53,), (24,))),
    ("ONE_LESS_EULER", "1 - Euler's constant, and the rest", 1 - mp.euler, ((53,), (24,))),
    ("HALF_LOG_TWO_PI", "log(2 pi)/2, and the rest", mp.log(2 * mp.pi) / 2, ((53,), (24,))),
    ("LOG_PI", "log(pi), and the rest", mp.log(mp.pi), ((53,), (24,))),
    ("PSI_ROOT", "where digamma is 0, in three parts", ROOT, ((53, 53), (24, 24))),
]


def parts_of(value: Any, bits: tuple[int, ...], kind: int) -> list[float]:
    """The value as a sum of numbers with so many bits, and a last one that is rounded."""
    found = []
    for n in bits:
        shift = n - 1 - int(mp.floor(mp.log(abs(value), 2)))
        part = mp.nint(value * mp.mpf(2) ** shift) / mp.mpf(2) ** shift
        found.append(float(part))
        value -= part
    return [*found, rounded(value, kind)]


def rounded(x: Any, kind: int) -> float:
    """The nearest double, or single."""
    return float(x) if kind == 0 else float(np.float32(float(x)))


def worst(wanted: Wanted, coefficients: list[float]) -> float:
    low, high = (mp.mpf(x) for x in wanted.interval)
    found = mp.mpf(0)
    for i in range(101):
        x = low + (high - low) * i / 100
        if x == 0:
            x = high * mp.mpf("1e-6")
        off = mp.polyval([mp.mpf(c) for c in coefficients[::-1]], x) - wanted.function(x)
        found = max(found, abs(off * wanted.share(x)))
    return float(found)


def lines_of(numbers: list[float]) -> str:
    out, line = [], "   "
    for number in numbers:
        word = f" {number!r},"
        if len(line) + len(word) > 118:
            out.append(line)
            line = "   "
        line += word
    return "\n".join([*out, line])


def text() -> str:
    out = [
        '"""Coefficients of polynomials, the lowest first, for float64 and float32. Made by docs/make_polynomials.py."""',
        "",
        "from __future__ import annotations",
        "",
        "# fmt: off",
    ]
    with mp.workprec(1400):
        out += ["#: The digits of 2/pi after the point, to base 16.", "TWO_OVER_PI = ("]
        digits = f"{int(mp.floor(2 / mp.pi * mp.mpf(2) ** 1248)):0312X}"
        out += [f'    "{digits[i : i + 104]}"' for i in range(0, 312, 104)] + [")"]
    for name, says, value, bits in CONSTANTS:
        out += [f"#: {says}.", f"{name}: dict[str, tuple[float, ...]] = {{"]
        out += [f'    "f{8 - 4 * kind}": {tuple(parts_of(value, bits[kind], kind))},' for kind in (0, 1)]
        out.append("}")
    for wanted in WANTED:
        out += [f"#: {wanted.says}.", f"{wanted.name}: dict[str, tuple[float, ...]] = {{"]
        for kind, degree in enumerate(wanted.degrees):
            if degree is None:
                continue
            numbers = [rounded(c, kind) for c in chebyshev(wanted.function, wanted.interval, degree)]
            error = mp.nstr(mp.log(worst(wanted, numbers), 2), 4)
            print(f"{wanted.name:10} f{8 - 4 * kind} degree {degree:2}: 2**{error}")
            out += [
                f'    "f{8 if not kind else 4}": (',
                lines_of(numbers).replace("\n    ", "\n        ").replace("    ", "        ", 1),
                "    ),",
            ]
        out.append("}")
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    made = text()
    if parser.parse_args().check:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == made else f"{FILE} is out of date: run {Path(__file__).name}")
    FILE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()

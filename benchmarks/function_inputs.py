"""The arguments that functions.py times with: each kind at a small and a large size, the same numbers each time."""

from __future__ import annotations

from typing import Any

import numpy as np

#: The shapes of each kind, small and large.
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "v": ((10,), (250_000,)),  # numbers in (-2, 2), no two alike
    "p": ((10,), (250_000,)),  # positive
    "u": ((10,), (250_000,)),  # in (-0.9, 0.9)
    "e": ((10,), (250_000,)),  # near 1, so that products of them don't overflow
    "o": ((10,), (250_000,)),  # above 1
    "a": ((10,), (250_000,)),  # ascending
    "n": ((10,), (250_000,)),  # with some NaN
    "z": ((10,), (125_000,)),  # complex
    "i": ((10,), (250_000,)),  # places in a row, in any order; not differentiated
    "b": ((10,), (250_000,)),  # bools
    "m": ((5, 4), (500, 500)),  # a matrix
    "r": ((5, 4), (500, 500)),  # a positive one
    "B": ((5, 4), (500, 500)),  # bools
    "t": ((2, 3, 4), (50, 50, 100)),
    "c": ((4, 3), (80_000, 3)),  # rows of three
    "q": ((5, 5), (300, 300)),  # a regular matrix
    "d": ((5, 5), (300, 300)),  # a positive definite one
    "l": ((5,), (300,)),  # as long as these are wide
    "k": ((4,), (30,)),  # a few numbers
    "j": ((4,), (30,)),  # ascending
    "g": ((6,), (500,)),  # for results of g * g entries
    "s": ((), ()),  # one number
}
PLAIN = "ibB"


def arguments(kinds: str, large: bool) -> list[Any]:
    return [_argument(kind, SHAPES[kind][large], i) for i, kind in enumerate(kinds)]


def entries(kinds: str, large: bool) -> int:
    """How many the largest argument has."""
    return max(int(np.prod(SHAPES[kind][large])) for kind in kinds)


def _argument(kind: str, shape: tuple[int, ...], seed: int) -> Any:
    rng = np.random.default_rng([seed, ord(kind)])
    n = int(np.prod(shape))
    if kind in "bB":
        return rng.random(shape) < 0.5
    if kind == "i":
        return rng.permutation(n)
    if kind == "s":
        return float(rng.uniform(0.5, 2.0))
    if kind == "q":
        return rng.normal(size=shape) / np.sqrt(shape[0]) + 3 * np.eye(*shape)
    if kind == "d":
        a = rng.normal(size=shape)
        return a @ a.T / shape[0] + np.diag(1 + np.arange(shape[0]) / shape[0])
    even = rng.permutation((np.arange(n) + 0.4 + 0.03 * seed) / n).reshape(shape)  # no two alike, in no two arguments
    if kind in "pr":
        return 0.5 + 2 * even
    if kind == "e":
        return 1 + (even - 0.5) / 10
    if kind == "o":
        return 1.1 + 2 * even
    if kind == "u":
        return 1.8 * even - 0.9
    if kind in "aj":
        return np.sort(4 * even - 2)
    if kind == "n":
        return np.where(rng.random(shape) < 0.1, np.nan, 4 * even - 2)
    if kind == "z":
        return 4 * even - 2 + 1j * rng.uniform(-2, 2, shape)
    return 4 * even - 2

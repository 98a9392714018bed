"""Arithmetic of integers and bits in native code: NumPy's results to the last bit, whatever wraps or is divided by 0."""

from __future__ import annotations

import numpy as np
import pytest
from integers import INTEGERS, OTHERS, entries, hold, possible

pytest.importorskip("llvmlite")

ARITHMETIC = [np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin]
DIVISIONS = [np.floor_divide, np.remainder]
BITS = [np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift]
COMPARISONS = [np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal]
LOGIC = [np.logical_and, np.logical_or, np.logical_xor]
ONE = [np.negative, np.positive, np.absolute, np.square, np.sign, np.invert, np.logical_not, np.floor, np.trunc]


@pytest.mark.parametrize("x", INTEGERS, ids=str)
def test_pairs_of_dtypes(x):
    for y in [*INTEGERS, *OTHERS]:
        functions = possible([*ARITHMETIC, *BITS, *LOGIC], x, y)
        if y.kind != "f":
            functions += possible(DIVISIONS, x, y)
        functions = [f for f in functions if np.result_type(x, y).kind != "f" or f not in LOGIC + DIVISIONS]
        functions += COMPARISONS
        args = [(entries(x, (40,), s), entries(y, (40,), s + 1)) for s in range(3)]
        hold(
            lambda a, b, functions=functions: tuple([f(a, b) for f in functions] + [f(b, a) for f in functions]), *args
        )


@pytest.mark.parametrize("x", INTEGERS, ids=str)
def test_one_input(x):
    functions = possible([*ONE, lambda a: a**0, lambda a: a**1, lambda a: a**2, lambda a: a**7, lambda a: ~a], x)
    hold(lambda a: tuple([f(a) for f in functions]), *[(entries(x, (40,), s),) for s in range(3)])


@pytest.mark.parametrize("x", [*INTEGERS, np.dtype(np.bool_)], ids=str)
def test_reductions(x):
    def f(a):
        found = []
        for axis in (None, 0, 1, (0, 2), -1):
            for g in (np.sum, np.prod, np.max, np.min):
                found += [g(a, axis=axis), g(a, axis=axis, keepdims=True)]
            found += [np.sum(a, axis, dtype=np.int16), np.any(a > 1, axis), np.all(a < 100, axis)]
            found.append(np.count_nonzero(a > 1, axis=axis))
        return (*found, a.sum(), a.max(0), np.cumsum(a, 1), np.cumprod(a, axis=0), np.cumsum(a[0, 0], dtype=np.int32))

    hold(f, *[(entries(x, (4, 3, 5), s),) for s in range(2)])
    hold(lambda a: (np.sum(a, 0), np.max(a, 1), np.min(a), np.any(a == 3)), (entries(x, (300, 70), 0),))


@pytest.mark.parametrize("x", [*INTEGERS, *OTHERS], ids=str)
def test_casts(x):
    def f(a):
        return tuple(
            [a.astype(d) for d in [*INTEGERS, *OTHERS] if x.kind != "f" or d.kind == "f" or d.str[1:] in ("i4", "i8")]
        )

    args = [(entries(x, (40,), s),) for s in range(3)]
    hold(f, *args)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_floats_become_integers_as_numpys_do(kind):
    edges = [2.0**31, 2.0**63, 2.0**31 - 1, 2.0**31 - 0.5, 2.0**53]
    x = np.array([s * np.nextafter(e, t) for e in edges for s in (1, -1) for t in (0, e, np.inf)], kind)
    x = np.concatenate([x, np.array([0.5, -0.5, -0.99, 1.99, np.nan, np.inf, -np.inf, -0.0], kind)])
    hold(lambda a: (a.astype(np.int32), a.astype(np.int64)), (x,), (x[::-1].copy(),))


def test_floats_become_small_integers_by_numpy():
    """What C leaves open is NumPy's: it differs between machines, and between long arrays and short ones."""
    x = np.array([300.7, -2.0, 1e20, np.nan, 77.0])
    said = hold(lambda a: (a.astype(np.int8), a.astype(np.uint64), a * 2), (x,), native=False)
    assert said.count("NumPy: %") == 2


@pytest.mark.parametrize("x", INTEGERS, ids=str)
def test_pythons_numbers(x):
    def f(a):
        found = [
            a + 1,
            3 - a,
            a * 5,
            a // 7,
            a % 3,
            100 // a,
            100 % a,
            a & 3,
            a | 4,
            a ^ 5,
            a << 1,
            a >> 2,
            1 << (a & 3),
        ]
        found += [-a, abs(a), 64 >> (a % 8), np.clip(a, 1, 5), np.clip(a, None, 9), np.clip(a, a[::-1], 100)]
        found += [
            a > 3,
            a <= 0.5,
            a == 7,
            np.maximum(a, 2),
            np.where(a > 3, a, 0),
            a + True,
            np.minimum(100, a),
            a % 1,
            a // 1,
        ]
        return tuple([*found, a * 0.5, a / 4, 2.5 - a]) if x.itemsize > 1 else tuple([*found, a * 0.5])

    hold(f, *[(entries(x, (40,), s),) for s in range(3)])
    signed = x.kind == "i"
    if signed:
        hold(lambda a: (a // -1, a % -1, a // -3, a % -3, a // 0, a % 0, a * -1, a > -2), (entries(x, (40,), 5),))


def test_comparisons_with_what_no_dtype_holds():
    x = np.arange(-3, 5, dtype=np.int8)
    hold(lambda a: (a < 300, a > -1000, a == 2**80, a + 1), (x,), native=False)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64])
def test_scalars(dtype):
    """NumPy's own scalars wrap around as arrays do."""

    def f(a, b):
        return a + b, a * b, a // b, a % b, a > b, a & b, np.maximum(a, b), a << b, a.astype(np.float64), a + dtype(1)

    info = np.iinfo(dtype)
    calls = [(info.max, 1), (info.min, info.max), (5, 3), (info.max, 0), (info.min, info.max), (7, info.max)]
    hold(f, *[(dtype(a), dtype(b)) for a, b in calls])


def test_bits():
    def f(a, b):
        found = [a + b, a * b, a & b, a | b, a ^ b, ~a, np.maximum(a, b), np.minimum(a, b), a == b, a < b]
        return (
            *found,
            np.sum(a),
            np.any(a),
            np.all(b),
            a + 1,
            a * np.int8(3),
            a.astype(np.uint8),
            np.prod(a),
            np.argmax(a),
        )

    args = [(entries(np.dtype(np.bool_), (9,), s), entries(np.dtype(np.bool_), (9,), s + 1)) for s in range(4)]
    hold(f, *args)

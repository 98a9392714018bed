"""Integers of all dtypes, and results held to NumPy's to the last bit."""

from __future__ import annotations

import warnings

import numpy as np

from dout.jit import jit
from dout.tree import flatten

INTEGERS = [np.dtype(f"{sign}{size}") for sign in "iu" for size in (1, 2, 4, 8)]
OTHERS = [np.dtype(np.bool_), np.dtype(np.float32), np.dtype(np.float64)]


def entries(dtype, shape, seed):
    """Numbers of a dtype, the least and the greatest among them."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    if dtype.kind == "b":
        return (rng.random(shape) < 0.5).reshape(shape)
    if dtype.kind == "f":
        wild = np.array([0.0, -0.0, 1.5, -2.5, 1e3, -7.0, 2.0**31, -(2.0**63), np.inf, np.nan], dtype)
        return np.where(rng.random(shape) < 0.3, rng.choice(wild, shape), rng.normal(0, 20, shape)).astype(dtype)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    wild = [low, low + 1, low // 2, max(low, -2), max(low, -1), 0, 1, 2, 3, 7, high // 2 + 1, high - 1, high]
    near = [max(low, int(k)) for k in rng.integers(-20, 20, size)]
    found = [
        wild[int(k)] if r < 0.5 else n
        for k, r, n in zip(rng.integers(0, len(wild), size), rng.random(size), near, strict=True)
    ]
    return np.array(found, dtype).reshape(shape)


def alike(got, expected):
    """Hold results to NumPy's: kinds, dtypes, shapes, and all bits but those of a NaN."""
    got, expected = flatten(got)[0], flatten(expected)[0]
    assert len(got) == len(expected)
    for n, (g, e) in enumerate(zip(got, expected, strict=True)):
        assert type(g) is type(e), n
        assert np.asarray(g).dtype == np.asarray(e).dtype, n
        np.testing.assert_array_equal(g, e, err_msg=str(n))
        if np.asarray(e).dtype.kind == "f":
            zero = np.asarray(e) == 0
            np.testing.assert_array_equal(np.signbit(g)[zero], np.signbit(e)[zero], err_msg=str(n))


def plain(f, args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*args)


def hold(f, *calls, native=True):
    """Run a function on several lists of arguments, recorded at the first one."""
    fast = jit(f)
    for args in (calls[0], *calls):
        alike(plain(fast, args), plain(f, args))
    said = plain(fast.report, calls[0])
    if native:
        assert "NumPy: %" not in said, said
        assert "native: " in said, said
    return said


def possible(functions, *dtypes):
    """Those of some functions that NumPy has for these dtypes."""
    found = []
    for f in functions:
        try:
            plain(f, [np.ones(2, d) for d in dtypes])
        except TypeError:
            continue
        found.append(f)
    return found

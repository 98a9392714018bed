"""argmax and argmin in native code: the first of equals, the first NaN before all else, whatever the number of threads."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout.jit import jit

pytest.importorskip("llvmlite")

DTYPES = [np.float64, np.float32, np.int64, np.int8, np.uint64, np.uint8, np.bool_]


def entries(dtype, shape, seed, ties=4, nans=0.0):
    """Few different numbers, so that most have equals."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, ties, shape).astype(dtype)
    if np.dtype(dtype).kind == "f":
        x = np.where(rng.random(shape) < 0.2, -x, x).astype(dtype)  # -0.0 among them, which is 0.0's equal
        x = np.where(rng.random(shape) < nans, np.nan, x).astype(dtype)
    elif np.dtype(dtype).kind in "iu":
        extremes = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
        x = np.where(rng.random(shape) < 0.1, rng.choice(extremes, shape), x).astype(dtype)
    return x


def hold(f, *calls):
    """Run a function on several lists of arguments; NumPy is to compute nothing of it."""
    fast = jit(f)
    for args in (calls[0], *calls):
        got, expected = fast(*args), f(*args)
        many = isinstance(expected, tuple)
        for g, e in zip(got if many else [got], expected if many else [expected], strict=True):
            assert type(g) is type(e)
            assert np.asarray(g).dtype == np.asarray(e).dtype
            np.testing.assert_array_equal(g, e)
    said = fast.report(*calls[0])
    assert "NumPy: %" not in said, said
    return said


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 4), (1, 5), (4, 1), (2, 3, 4), (1, 1), (5, 1, 3)])
def test_every_axis(shape, dtype):
    def f(x):
        found = []
        for axis in (None, *range(-len(shape), len(shape))):
            found += [np.argmax(x, axis), np.argmin(x, axis=axis, keepdims=True), x.argmax(axis=axis), x.argmin()]
        return tuple(found)

    hold(f, *[(entries(dtype, shape, s, nans=0.1 * s),) for s in range(5)])


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6), st.sampled_from(DTYPES), st.lists(st.integers(1, 5), min_size=1, max_size=3), st.booleans()
)
def test_random_shapes(seed, dtype, shape, turned):
    def f(x):
        y = x.T if turned else x[::-1]
        return np.argmax(y, axis=-1), np.argmin(y, axis=0), np.argmax(y), np.argmin(y[..., ::2])

    hold(f, *[(entries(dtype, shape, seed + s, nans=0.2),) for s in range(2)])


@pytest.mark.parametrize("where", [[], [0], [5], [3, 4], [11], range(12)])
def test_the_first_nan_wins(where):
    x = np.arange(12.0)
    x[list(where)] = np.nan
    hold(
        lambda x: (np.argmax(x), np.argmin(x), np.argmax(x.reshape(3, 4), 0), np.argmin(x.reshape(3, 4), 1)),
        (x,),
        (-x,),
    )


def test_infinities_and_zeros():
    for entry in (np.inf, -np.inf, 0.0, -0.0, np.nan):
        x = np.full((3, 4), entry)
        y = np.array([[-0.0, 0.0, -np.inf], [0.0, -0.0, np.inf]])
        hold(lambda x: (np.argmax(x), np.argmin(x), np.argmax(x, 0), np.argmin(x, 1)), (x,))
        hold(lambda y: (np.argmax(y), np.argmin(y), np.argmax(y, 0), np.argmin(y, 1)), (y,), (-y,))


def test_without_entries():
    with pytest.raises(ValueError, match="empty sequence"):
        jit(np.argmax)(np.zeros(0))
    with pytest.raises(ValueError, match="empty sequence"):
        jit(lambda x: np.argmin(x * 2, axis=1))(np.zeros((3, 0)))
    f = jit(lambda x: np.argmax(x, axis=1))
    assert f(np.zeros((0, 3))).shape == f(np.zeros((0, 3))).shape == (0,)
    with pytest.raises(ValueError, match="axis"):
        jit(lambda x: np.argmax(x, axis=2))(np.zeros((3, 2)))


def test_a_number_and_an_array_without_axes():
    for x in (np.float64(3), np.array(3.0), 2.5):
        f = jit(lambda x: (np.argmax(x), np.argmin(x) + 1))
        for _ in range(2):
            got = f(x)
            assert got == (0, 1)
            assert type(got[0]) is type(np.argmax(x))


def test_it_ends_the_loop_that_feeds_it():
    x, c = entries(np.float64, (40, 3), 0), entries(np.float64, (5, 3), 1, ties=9)
    f = lambda x, c: np.argmin(np.sum((x[:, None] - c) ** 2, -1), axis=1)  # noqa: E731
    said = hold(f, (x, c), (c[[0, 1, 2, 3, 4] * 8], c))
    assert len(re.findall("native: ", said)) == 1
    assert "argmin" in said
    said = hold(lambda x, c: c[np.argmin(np.sum((x[:, None] - c) ** 2, -1), axis=1)] - x, (x, c))
    assert len(re.findall("native: ", said)) == 1


@pytest.mark.parametrize("shape", [(200_001,), (700, 600), (3, 90_000), (90_000, 3), (5000,), (4096,), (2, 2049)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_large_arrays_and_threads(shape, dtype):
    def f(x):
        return np.argmax(x), np.argmin(x * 2 + 1, 0), np.argmax(x, axis=-1), np.argmin(x)

    fast = jit(f)
    some = [entries(dtype, shape, 0), entries(dtype, shape, 1, ties=10**6), entries(dtype, shape, 2, nans=1e-5)]
    some.append(np.zeros(shape, dtype))
    some[-1].flat[-1] = 1
    before = dout.get_num_threads()
    try:
        for x in some:
            expected = f(x)
            for n in (1, 2, 7):
                dout.set_num_threads(n)
                fast(x)
                for g, e in zip(fast(x), expected, strict=True):
                    np.testing.assert_array_equal(g, e)
    finally:
        dout.set_num_threads(before)
    assert "NumPy: %" not in fast.report(some[0])


def test_gradients():
    def best(x):
        return x[np.argmax(x)] ** 2 * x[np.argmin(np.abs(x))]

    def spread(x, c):
        d = np.sum((x[:, None] - c) ** 2, axis=-1)
        return np.sum((x - c[np.argmin(d, axis=1)]) ** 2) + np.sum(
            np.take_along_axis(d, np.argmin(d, 0, keepdims=True), 0)
        )

    rng = np.random.default_rng(0)
    x, p, c = rng.normal(size=9), rng.normal(size=(20, 2)), rng.normal(size=(4, 2))
    for f, args in ((best, (x,)), (spread, (p, c))):
        argnums = tuple(range(len(args)))
        fast = jit(dout.value_and_grad(f, argnums=argnums))
        within = dout.value_and_grad(jit(f), argnums=argnums)
        for k in (1.0, -2.0):
            given_ = [k * a for a in args]
            expected, expected_grads = dout.value_and_grad(f, argnums=argnums)(*given_)
            for run in (fast, within):
                got, grads = run(*given_)
                np.testing.assert_allclose(got, expected, rtol=1e-13)
                for g, e in zip(grads, expected_grads, strict=True):
                    np.testing.assert_allclose(g, e, rtol=1e-12, atol=1e-14)


def test_options_that_numpy_takes():
    x, out = np.arange(6.0).reshape(2, 3), np.zeros(3, np.int64)
    f = jit(lambda x: np.argmax(x, axis=0, out=None) + 1)
    for _ in range(2):
        np.testing.assert_array_equal(f(x), [2, 2, 2])
    g = jit(lambda x: np.argmax(x * 2, axis=0, out=out))
    for _ in range(2):
        np.testing.assert_array_equal(g(x), [1, 1, 1])


def test_rows_of_products():
    """Assignments of k-means: the products come block by block of rows, and where they are least is found there."""

    def f(x, c):
        d = np.sum(x * x, axis=1, keepdims=True) - 2 * (x @ c.T) + np.sum(c * c, axis=1)
        nearest = np.argmin(d, axis=1)
        return nearest, np.sum((x - c[nearest]) ** 2), np.bincount(nearest, minlength=len(c))

    rng = np.random.default_rng(0)
    x = rng.integers(-9, 9, (30_000, 32)).astype(float)  # so that there are ties, and sums have no rounding errors
    c = rng.integers(-9, 9, (64, 32)).astype(float)
    c[10] = c[20] = x[5]
    fast, expected = jit(f), f(x, c)
    before = dout.get_num_threads()
    try:
        for n in (1, 2, 5):
            dout.set_num_threads(n)
            fast(x, c)
            for g, e in zip(fast(x, c), expected, strict=True):
                np.testing.assert_array_equal(g, e)
    finally:
        dout.set_num_threads(before)

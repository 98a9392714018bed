"""Functions of integers and bits in native code: indices, views, joins, products, random programs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integers import INTEGERS, OTHERS, alike, entries, hold, plain

import dout
from dout.jit import jit

pytest.importorskip("llvmlite")

SHAPES = [(), (1,), (6,), (3, 1), (3, 6), (1, 6), (2, 3, 6)]
UFUNCS = [np.negative, np.positive, np.absolute, np.square, np.sign, np.invert, np.logical_not, np.floor, np.trunc, np.add,
          np.subtract, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.floor_divide, np.remainder, np.bitwise_and,
          np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift, np.less, np.less_equal, np.greater, np.greater_equal,
          np.equal, np.not_equal]  # fmt: skip


@pytest.mark.parametrize("index", INTEGERS, ids=str)
def test_index_arithmetic_in_the_loop_that_reads(index):
    x, n = np.arange(20.0) ** 2, 20
    i = np.array([0, 3, 5, 2, 1], index)
    said = hold(lambda x, i: (x[i + 1], x[(i * 3) % n], x[n - 1 - i], x[np.minimum(i + 2, 4)], x[i // 2]), (x, i))
    assert said.count("native: ") == 1


def test_indices_that_count_from_the_end_or_are_out_of_range():
    f = dout.jit(lambda x, i: x[i - 4] * 2)
    x, i = np.arange(7.0), np.array([0, 3, 9])
    for _ in range(2):
        np.testing.assert_array_equal(f(x, i), x[i - 4] * 2)
    for wrong in ([0, 11, 1], [-4, 0, 0]):
        with pytest.raises(IndexError):
            f(x, np.array(wrong))


def test_writes_at_computed_indices():
    def f(x, i, v):
        y = np.zeros_like(x)
        y[i * 2] = v
        k = i + 0 * i
        k[1:] = k[:-1]
        return y, k, np.concatenate([i, k]), np.stack([i, i + 1]), i[::-1], np.repeat(i, 2), i.reshape(-1, 1) + i

    hold(f, (np.arange(9.0), np.array([0, 2, 4]), np.array([1.0, 2.0, 3.0])), native=False)


def test_writes_of_floats_into_integers_are_numpys():
    def f(i, x):
        k = i * 2
        k[1] = x[0]
        k[2] = 2.75
        k[0] = np.int64(300)
        return k

    for dtype in (np.int64, np.uint8):
        hold(
            f, (np.arange(4, dtype=dtype), np.array([5.9])), (np.arange(4, dtype=dtype), np.array([7.2])), native=False
        )


def test_products_of_matrices_of_integers():
    a, b = entries(np.dtype(np.int32), (4, 5), 0), entries(np.dtype(np.int32), (5, 3), 1)
    hold(lambda a, b: (a @ b, np.dot(a[0], b), np.einsum("ij,jk->ik", a, b), a @ b[:, 0]), (a, b), native=False)
    a, b = entries(np.dtype(np.uint8), (40, 50), 0), entries(np.dtype(np.uint8), (50, 30), 1)
    hold(lambda a, b: (a @ b, (a @ b) + 1), (a, b), native=False)
    m = entries(np.dtype(np.bool_), (4, 4), 0)
    hold(lambda m: (m @ m, m | m), (m,), native=False)


@pytest.mark.parametrize("empty", [(0,), (3, 0)])
def test_without_entries(empty):
    x = np.zeros(empty, np.int16)
    hold(lambda a: (a + 1, a // 2, np.sum(a), np.prod(a, -1), a > 0), (x,), native=False)
    for g in (np.max, np.argmax):
        with pytest.raises(ValueError, match=r"empty|zero-size"):
            jit(lambda a, g=g: g(a + 1))(x)


def test_other_layouts_and_dtypes_that_are_the_same():
    x = entries(np.dtype(np.int64), (6, 8), 3)

    def f(a):
        return a * 3 + a[::-1], np.sum(a, 0), a.T // 2

    for given_ in (x.T, x[::2, ::-1], np.asfortranarray(x), x.astype(np.longlong), x.astype(">i8")):
        hold(f, (given_,), native=False)


def test_threads_change_nothing():
    x = entries(np.dtype(np.int64), (700, 900), 1)

    def f(a):
        return np.sum(a * 3, 0), np.max(a % 1000), np.sum(a ^ 5), (a // 7) * a, np.cumsum(a, 1)

    fast = jit(f)
    fast(x)
    before = dout.get_num_threads()
    try:
        for n in (1, 2, 5):
            dout.set_num_threads(n)
            alike(fast(x), plain(f, (x,)))
    finally:
        dout.set_num_threads(before)


@st.composite
def programs(draw):
    """A random function of arrays of integers, bits and floats, as a list of steps."""
    args = [(draw(st.sampled_from([*INTEGERS, *OTHERS])), draw(st.sampled_from(SHAPES))) for _ in range(3)]
    names = list(UFUNCS)
    names += ["where", "sum", "max", "argmin", "weak", "gather", "cast", "row", "turn", "join", "clip", "mean", "flat"]
    steps = [
        (draw(st.sampled_from(names)), *[draw(st.integers(0, 2 + k)) for _ in range(3)])
        for k in range(draw(st.integers(2, 9)))
    ]
    return args, steps, draw(st.integers(0, 1000))


def stepped(name, x, y, z):
    if name == "where":
        return np.where(x > 0, y, z)
    if name == "weak":
        return x + 1 if x.dtype.kind in "iu" else x * 2
    if name == "gather":
        return y[x.astype(np.int64) % len(y)] if np.ndim(y) and x.dtype.kind in "iu" else y
    if name == "cast":
        return x.astype(z.dtype) if x.dtype.kind in "iub" else x
    if name in ("sum", "max", "argmin"):
        return getattr(np, name)(x, axis=-1) if np.ndim(x) else x
    if name == "turn":
        return x.T
    if name == "join":
        return np.concatenate([x, y], axis=-1) if np.ndim(x) and x.dtype == y.dtype else np.stack([x, x])
    if name == "clip":
        return np.clip(x, y, 3)
    if name == "mean":
        return np.mean(x > 0, axis=-1) if np.ndim(x) else x
    if name == "flat":
        return x.reshape(-1)
    if name == "row":
        return x[..., ::-1] if np.ndim(x) else x
    return name(*(x, y)[: name.nin])


@settings(deadline=None, max_examples=120)
@given(programs())
def test_random_programs(program):
    forms, steps, seed = program

    def f(*args):
        values = list(args)
        for name, *which in steps:
            try:
                values.append(stepped(name, *[values[k] for k in which]))
            except (TypeError, ValueError):  # no such operation for these dtypes or shapes
                values.append(values[which[0]])
        return tuple(v for v in values[3:] if v.dtype.kind in "iub")  # NumPy's sums of floats have other last bits

    calls = [[entries(dtype, shape, seed + 7 * k + n) for k, (dtype, shape) in enumerate(forms)] for n in range(3)]
    hold(f, *calls, native=False)


def test_gradients_through_computed_integers():
    def f(x, i):
        j = (i * 3 + 1) % len(x)
        return np.sum(x[j] ** 2 * (j % 2 + 1)) + x[(len(x) - 1) // 2] * i[0]

    x, i = np.linspace(-1, 2, 7), np.array([0, 4, 1, 1])
    got = jit(dout.grad(f))
    for given_ in (x, x + 1):
        np.testing.assert_allclose(got(given_, i), dout.grad(f)(given_, i), rtol=1e-14)
    assert "NumPy: %" not in got.report(x, i)


def test_every_pair_of_choices_between_dtypes():
    for x, y in itertools.product(INTEGERS, repeat=2):
        if np.result_type(x, y).kind == "f":
            continue
        hold(lambda a, b: np.where(a > 2, a, b), (entries(x, (9,), 1), entries(y, (9,), 2)))


def test_views_and_joins():
    def f(a, b):
        found = [a.T, np.swapaxes(a, 0, 1) + 1, np.squeeze(a[None]), np.expand_dims(b, 1) * a, np.ravel(a), a.T.ravel()]
        found += [a.reshape(2, 6), a.T.reshape(-1), np.broadcast_to(b[:, None], (3, 4)), np.flip(a, 0), np.diagonal(a)]
        found += [
            a.copy() + 1,
            np.concatenate([a, a + 1], axis=1),
            np.concatenate([b, b * 2]),
            np.stack([a, a * 2], axis=-1),
        ]
        return (*found, np.moveaxis(a, 0, 1), a.flatten() ^ 1, np.stack([b, -b]), a.reshape(4, 3, order="F") + 0)

    for x in (np.int64, np.uint8, np.bool_):
        a, b = entries(np.dtype(x), (3, 4), 0), entries(np.dtype(x), (3,), 1)
        g = (
            f
            if x is not np.bool_
            else lambda a, b: (a.T, np.concatenate([b, ~b]), np.stack([a, a], 1), a.ravel(), np.flip(b))
        )
        hold(g, (a, b), (a[::-1], b[::-1]), (np.asfortranarray(a), b), native=False)


def test_means_of_what_has_no_rounding_errors():
    def f(a, b):
        return np.mean(a == b), np.mean(a, axis=0), (a > b).mean(axis=1, keepdims=True), np.mean(a) - 0.5

    for x in (np.int8, np.uint16):
        hold(f, *[(entries(np.dtype(x), (7, 9), s), entries(np.dtype(x), (7, 9), s + 1)) for s in range(2)])
    hold(lambda a: (np.mean(a), np.mean(a * 2, 0)), (np.arange(9) ** 5,), native=False)


def test_long_arrays_of_indices():
    """What is cheap is made again where it is used, also in an index, for what is read and for what is written to."""

    def f(x, i):
        j = (i * 5 + 3) % len(x)
        y = np.zeros_like(x)
        y[j] = 2.0
        np.add.at(y, j, x[j])
        return x[j] - np.mean(x[j]), np.sum(j), j, y, x[j // 2] * np.max(j)

    x = np.arange(3000.0) % 17  # sums of these have no rounding errors
    i = np.arange(200_000) * 7919 % 4096
    hold(f, (x, i), (x[::-1], i[::-1]), native=False)

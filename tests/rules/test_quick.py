"""Shortcuts for large plain arrays: the derivative is that of the formula, which small ones and Variables take."""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import dout
from dout.rules.bessel import i1
from dout.rules.quick import MANY, dropped, kept

N = 4 * MANY
X, Y = oracles.array(N), oracles.array(N, seed=1)
P, Q = oracles.array(N, low=0.1, high=3.0), oracles.array(N, low=0.1, high=3.0, seed=1)
ZERO = X * (np.arange(N) % 7 > 0)  # some zeros
TIED = np.where(np.arange(N) % 5 > 0, Y, X)  # some that equal X's
HOLES = np.where(np.arange(N) % 3 > 0, X, np.nan)
FAR = X * np.logspace(-200, 200, N)

PATTERNS = {
    "maximum": (np.maximum, X, Y),
    "maximum number": (lambda x: np.maximum(x, 0.5), X),
    "maximum ties": (np.maximum, X, TIED),
    "maximum NaN": (np.maximum, X, HOLES),
    "minimum": (np.minimum, X, Y),
    "fmax": (np.fmax, X, Y),
    "fmin NaN": (np.fmin, X, HOLES),
    "clip": (lambda x: np.clip(x, -1, 1), X),
    "where": (lambda x, y: np.where(Y > 0, x, y), X, P),
    "heaviside": (np.heaviside, ZERO, Y),
    "hypot": (np.hypot, P, Q),
    "hypot zeros": (np.hypot, ZERO, ZERO),
    "arctan2": (np.arctan2, X, Y),
    "arctan2 zeros": (np.arctan2, ZERO, Q),
    "arctan2 far": (np.arctan2, FAR, FAR[::-1].copy()),
    "arcsinh": (np.arcsinh, X),
    "arcsinh far": (np.arcsinh, FAR),
    "logaddexp": (np.logaddexp, X, Y),
    "logaddexp apart": (np.logaddexp, 400 * X, 400 * Y),
    "logaddexp infinite": (np.logaddexp, X, np.where(HOLES == HOLES, Y, -np.inf)),
    "logaddexp2": (np.logaddexp2, X, Y),
    "sinc": (np.sinc, ZERO),
    "i0": (np.i0, 5 * X),
    "mask": (lambda x: x[Y > 0], X),
    "write mask": (lambda x: assign(x, Y > 0, 0.5), X),
}


def assign(x, key, value):
    x = np.copy(x)
    x[key] = value
    return x


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", PATTERNS)
def test_large_is_as_small(name):
    """Entry by entry the same as for pieces that are too small for a shortcut."""
    f, *args = PATTERNS[name]
    if "mask" in name:
        out, pullback = dout.vjp(f, *args)
        d = np.arange(1.0, out.size + 1)
        expected = np.zeros(N)
        expected[(Y > 0) if name == "mask" else (Y <= 0)] = d if name == "mask" else d[Y <= 0]
        np.testing.assert_array_equal(pullback(d)[0], expected)
        return
    if name == "where":
        out, pullback = dout.vjp(f, *args)
        np.testing.assert_array_equal(pullback(X), [np.where(Y > 0, X, 0), np.where(Y > 0, 0, X)])
        return
    d = oracles.array(N, seed=2)
    found = dout.vjp(f, *args)[1](d)
    for i in range(len(args)):
        pieces = []
        for place in np.array_split(np.arange(N), 16):
            pieces.append(dout.vjp(f, *(a[place] for a in args))[1](d[place])[i])
        np.testing.assert_allclose(found[i], np.concatenate(pieces), 1e-12, 1e-300)


def test_rearranged_in_pieces():
    """Padding, windows, blocks and repetitions of arrays that are large enough to be taken in pieces."""
    x = oracles.array(30, 40)
    for f in (
        lambda x: np.pad(x, ((2, 1), (0, 3)), mode="edge"),
        lambda x: np.pad(x, ((2, 1), (0, 3)), mode="reflect"),
        lambda x: np.pad(x, ((2, 1), (0, 3)), mode="symmetric"),
        lambda x: np.pad(x, ((2, 1), (40, 3)), mode="wrap"),
        lambda x: np.pad(x, 0, mode="edge"),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 3)),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 1)),
        lambda x: np.block([[x, 2 * x], [x[:1], x[1:2]]]),
        lambda x: np.repeat(x, 3, axis=1),
        lambda x: np.resize(x, (7, 300)),
        lambda x: np.resize(x, (3, 5)),
        lambda x: np.resize(x[0], (40, 50)),
    ):
        out, pullback = dout.vjp(f, x)
        oracles.assert_same(out, np.asarray(f(x)))
        places = f(np.arange(x.size, dtype=float).reshape(x.shape)) if "block" not in f.__code__.co_names else None
        d = oracles.array(*out.shape, seed=3)
        if places is not None:
            expected = np.bincount(places.astype(int).ravel(), d.ravel(), x.size).reshape(x.shape)
            np.testing.assert_allclose(pullback(d)[0], expected, 1e-12, 1e-12)
        else:
            direction = oracles.array(*x.shape, seed=4)
            np.testing.assert_allclose(np.sum(pullback(d)[0] * direction), np.sum(f(direction) * d), 1e-12)


SHAPES = st.sampled_from([((400,), (400,)), ((20, 30), (20, 30)), ((30,), (20, 30)), ((20, 1), (20, 30)), ((), (300,))])


@settings(deadline=None, max_examples=60)
@given(st.data(), SHAPES, st.sampled_from([np.float16, np.float32, np.float64, complex]))
def test_kept_is_where(data, shapes, dtype):
    shape, masked = shapes
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    d = rng.choice([1.5, -0.0, 0.0, np.nan, np.inf, -np.inf, -2.0], shape).astype(dtype)
    mask = data.draw(npst.arrays(bool, masked, elements=st.booleans()))
    for found, expected in ((kept(mask, d), np.where(mask, d, 0)), (dropped(mask, d), np.where(mask, 0, d))):
        assert found.dtype == expected.dtype
        assert found.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_bessel():
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(-30, 30, 4001), [1e-300, 690.0, -690.0]])
    np.testing.assert_allclose(i1(x), special.i1(x), 4e-15)
    np.testing.assert_allclose(i1(x[:9] / 30), special.i1(x[:9] / 30), 4e-15)
    np.testing.assert_array_equal(i1(np.array([np.inf, -0.0])), [np.inf, 0.0])

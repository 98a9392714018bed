"""Differences, gradients, integrals, interpolation, convolution: each way of calling them."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(3, 5)
ROW = oracles.array(6)
KERNEL = oracles.array(3, seed=2)
UNEVEN = np.array([0.0, 0.5, 0.7, 1.9, 2.0, 3.5])
POINTS = np.array([-1.5, -0.2, 0.4, 1.0, 1.7, 2.2])
WAVE = np.cumsum(np.array([0.1, 2.5, 2.4, -0.3, 2.9, 2.8])) % (2 * np.pi)

PATTERNS = {
    "diff": (lambda x: np.diff(x), X),
    "diff n": (lambda x: np.diff(x, 2, 0), X),
    "diff n=0": (lambda x: np.diff(x, 0) * 1.0, X),
    "diff prepend": (lambda x: np.diff(x, prepend=0.5, append=x[:, :2]), X),
    "ediff1d": (lambda x: np.ediff1d(x), X),
    "ediff1d ends": (lambda x, y: np.ediff1d(x, to_end=y, to_begin=[1.0, 2.0]), X, KERNEL),
    "trapezoid": (lambda y: np.trapezoid(y), X),
    "trapezoid dx": (lambda y, h: np.trapezoid(y, dx=h, axis=0), X, 0.3),
    "trapezoid x": (lambda y, x: np.trapezoid(y, x), ROW, UNEVEN),
    "trapezoid x, axis": (lambda y, x: np.trapezoid(y, x, axis=0), X, np.array([0.0, 0.3, 1.0])),
    "trapezoid x, matrix": (lambda y, x: np.trapezoid(y, x, axis=1), X, np.cumsum(np.abs(X), 1)),
    "gradient": (lambda f: np.gradient(f), ROW),
    "gradient 2d": (lambda f: np.gradient(f), X),
    "gradient h": (lambda f, h: np.gradient(f, h), ROW, 0.3),
    "gradient x": (lambda f, x: np.gradient(f, x), ROW, UNEVEN),
    "gradient even x": (lambda f: np.gradient(f, np.arange(6.0)), ROW),
    "gradient axis": (lambda f: np.gradient(f, 0.5, axis=1), X),
    "gradient two": (lambda f, h: np.gradient(f, h, np.arange(5) ** 1.5), X, 0.2),
    "gradient edges": (lambda f, h: np.gradient(f, h, edge_order=2), ROW, 0.3),
    "gradient edges x": (lambda f, x: np.gradient(f, x, edge_order=2), ROW, UNEVEN),
    "cumulative_sum": (lambda x: np.cumulative_sum(x), ROW),
    "cumulative_sum initial": (lambda x: np.cumulative_sum(x, axis=0, include_initial=True), X),
    "cumulative_prod": (lambda x: np.cumulative_prod(x, axis=-1, include_initial=True), X),
    "unwrap": (lambda p: np.unwrap(p), WAVE),
    "unwrap period": (lambda p: np.unwrap(p * 3, period=4.0, discont=3.0), WAVE),
    "interp": (lambda x, xp, fp: np.interp(x, xp, fp), POINTS, np.array([-1.0, 0.0, 0.7, 2.0]), oracles.array(4)),
    "interp 2d": (lambda x: np.interp(x, UNEVEN, ROW), X),
    "interp scalar": (lambda x, fp: np.interp(x, UNEVEN, fp), 0.6, ROW),
    "interp ends": (lambda x, lo, hi: np.interp(x, POINTS, ROW, left=lo, right=hi), np.array([-2.0, 0.1, 9.0]), 0.4, 0.9),
    "interp period": (lambda x, fp: np.interp(x, UNEVEN, fp, period=2.7), POINTS, ROW),
    "interp complex": (lambda x, fp: np.interp(x, UNEVEN, fp), POINTS, oracles.array(6, kind="complex")),
    "convolve": (lambda a, v: np.convolve(a, v), ROW, KERNEL),
    "convolve same": (lambda a, v: np.convolve(a, v, "same"), ROW, KERNEL),
    "convolve valid": (lambda a, v: np.convolve(a, v, mode="valid"), ROW, KERNEL),
    "convolve swapped": (lambda a, v: np.convolve(a, v, "same"), KERNEL, ROW),
    "convolve even": (lambda a, v: np.convolve(a, v, "same"), ROW, oracles.array(4, seed=3)),
    "convolve numbers": (lambda a, v: np.convolve(a, v), ROW, 0.7),
    "correlate": (lambda a, v: np.correlate(a, v), ROW, KERNEL),
    "correlate same": (lambda a, v: np.correlate(a, v, "same"), ROW, KERNEL),
    "correlate full": (lambda a, v: np.correlate(a, v, "full"), ROW, KERNEL),
    "correlate swapped": (lambda a, v: np.correlate(a, v, "full"), KERNEL, ROW),
    "correlate swapped same": (lambda a, v: np.correlate(a, v, "same"), oracles.array(4), ROW),
    "correlate complex": (lambda a, v: np.correlate(a, v, "full"), oracles.array(5, kind="complex"),
                          oracles.array(3, kind="complex", seed=1)),
    "sinc": (lambda x: np.sinc(x), X),
    "sinc wide": (lambda x: np.sinc(x), np.array([1e-9, 0.3, -0.32, 4.5])),
    "i0": (lambda x: np.i0(x), oracles.array(6, low=-12, high=12)),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f, *args = PATTERNS[name]
    # np.interp and np.convolve add in another order than composed NumPy does: a few roundings.
    loose = name.startswith(("interp", "convolve", "correlate", "unwrap", "trapezoid", "gradient"))
    # I0 itself is only good to 1e-14, of which its differences make 1e-11 of a value of 20,000
    oracles.assert_derivatives(f, *args, value_rtol=1e-13 if loose else 0, atol=1e-6 if name == "i0" else oracles.ATOL)


@pytest.mark.parametrize(
    "f", [np.diff, np.gradient, np.trapezoid, np.sinc, np.cumulative_sum], ids=lambda f: f.__name__
)
def test_narrow_dtypes(f):
    oracles.assert_narrow(f, ROW)


def test_sinc_at_zero():
    found = [dout.grad(np.sinc)(0.0), dout.grad(dout.grad(np.sinc))(0.0), dout.grad(dout.grad(dout.grad(np.sinc)))(0.0)]
    np.testing.assert_allclose(found, [0.0, -(np.pi**2) / 3, 0.0], 1e-15, 1e-15)


def test_i0_derivative_is_i1():
    special = pytest.importorskip("scipy.special")
    for x in (0.0, 1e-3, 1.0, -7.0, 30.0, 300.0, 690.0):
        assert dout.grad(np.i0)(x) == pytest.approx(special.i1(x), rel=1e-12, abs=1e-16)


def test_interp_outside_and_at_the_ends():
    x = np.array([-1.0, 0.0, 1.5, 3.5, 4.0, np.nan])
    xp, fp = np.array([0.0, 1.0, 3.5]), np.array([1.0, 3.0, 8.0])
    out, pullback = dout.vjp(np.interp, x, xp, fp)
    np.testing.assert_allclose(out, np.interp(x, xp, fp))
    np.testing.assert_allclose(pullback(np.ones(6))[0], [0, 2, 2, 0, 0, 1])


REFUSED = [
    (lambda x: np.diff(x, -1), ROW, ValueError, "non-negative"),
    (lambda x: np.diff(x), 1.0, ValueError, "at least one dimensional"),
    (lambda x: np.gradient(x, 1.0, 2.0, 3.0), X, TypeError, "number of arguments"),
    (lambda x: np.gradient(x[:1]), ROW, ValueError, "too small"),
    (lambda x: np.gradient(x, edge_order=3), ROW, ValueError, "edge_order"),
    (lambda x: np.cumulative_sum(x), X, ValueError, "axis"),
    (lambda x: np.interp(x, [0, 1], [0, 1, 2]), ROW, ValueError, "same length"),
    (lambda x: np.convolve(x, [1.0], "other"), ROW, ValueError, "mode"),
    (lambda x: np.convolve(x, []), ROW, ValueError, "empty"),
]


@pytest.mark.parametrize(("f", "x", "error", "message"), REFUSED)
def test_what_numpy_refuses(f, x, error, message):
    with pytest.raises(error):
        f(x)
    with pytest.raises(error, match=message):
        dout.vjp(f, x)

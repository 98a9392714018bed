"""Sorting, partitions, medians and quantiles by every method, with and without NaN, axes and weights."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(3, 4, 2)
ROW = oracles.array(7)
HOLES = np.where(oracles.array(3, 4, 2, seed=3) > 1.2, np.nan, X)
WEIGHTS = np.linspace(0.5, 2.0, 7)

METHODS = ["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
           "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"]  # fmt: skip

PATTERNS = {
    "median": lambda x: np.median(x),
    "median, axis": lambda x: np.median(x, axis=1),
    "median, axes": lambda x: np.median(x, axis=(0, 2), keepdims=True),
    "median, no axes": lambda x: np.median(x, axis=()),
    "median, negative axis": lambda x: np.median(x, -1, keepdims=True),
    "percentile": lambda x: np.percentile(x, 30),
    "percentiles": lambda x: np.percentile(x, [10, 55.5, 100], axis=0),
    "percentiles, keepdims": lambda x: np.percentile(x, [[10], [90]], axis=(1, 2), keepdims=True),
    "quantile": lambda x: np.quantile(x, 0.0, axis=1),
    "quantile 1": lambda x: np.quantile(x, 1.0),
    "quantiles": lambda x: np.quantile(x, (0.2, 0.7), axis=-2),
    "nanmedian": lambda x: np.nanmedian(x, axis=1),
    "nanquantile": lambda x: np.nanquantile(x, 0.4, axis=0),
    "nanpercentile": lambda x: np.nanpercentile(x, [20, 70]),
    "sort": lambda x: np.sort(x),
    "sort, axis": lambda x: np.sort(x, 1),
    "sort, no axis": lambda x: np.sort(x, axis=None),
    "sort, stable": lambda x: np.sort(x, 0, stable=True),
    "partition": lambda x: np.partition(x, 2, axis=1),
    "partition, several": lambda x: np.partition(x, [0, 3], axis=1),
    "partition, no axis": lambda x: np.partition(x, 5, axis=None),
    "sort_complex": lambda x: np.real(np.sort_complex(x)),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    oracles.assert_derivatives(PATTERNS[name], X)


@pytest.mark.parametrize("name", [n for n in PATTERNS if n.startswith("nan")])
def test_holes_are_skipped(name):
    f = PATTERNS[name]
    found = dout.grad(lambda x: np.sum(f(x)))(HOLES)
    known = ~np.isnan(HOLES)

    def of_known(entries):
        x = HOLES.copy()
        x[known] = entries
        return np.sum(f(x))

    np.testing.assert_allclose(found[known], oracles.numerical(of_known, [HOLES[known]]), 1e-8, 1e-8)
    assert (found[~known] == 0).all()


@pytest.mark.parametrize("f", [np.quantile, np.nanquantile])
@pytest.mark.parametrize("method", METHODS)
def test_methods(method, f):
    oracles.assert_derivatives(lambda x: f(x, [0.1, 0.37, 0.5, 0.9], method=method), ROW)


def test_weights():
    oracles.assert_derivatives(lambda x: np.quantile(x, [0.3, 0.8], method="inverted_cdf", weights=WEIGHTS), ROW)
    oracles.assert_derivatives(
        lambda x: np.percentile(x, 30, axis=1, method="inverted_cdf", weights=np.linspace(1, 2, 4)), X
    )


@pytest.mark.parametrize("layout", [lambda x: x.T, lambda x: x[::-1, ::2]])
@pytest.mark.parametrize("f", [np.median, np.sort, lambda x, axis: np.quantile(x, 0.3, axis)])
def test_layouts(f, layout):
    oracles.assert_derivatives(lambda x: f(layout(x), axis=0), X, order=1)


@pytest.mark.parametrize("f", [np.median, np.sort, lambda x: np.quantile(x, 0.3), lambda x: np.partition(x, 1)])
def test_narrow_dtypes(f):
    oracles.assert_narrow(f, ROW)


def test_complex():
    oracles.assert_derivatives(np.median, oracles.array(5, kind="complex"))
    oracles.assert_derivatives(np.sort, oracles.array(5, kind="complex"))


def test_numbers():
    oracles.assert_derivatives(np.median, 1.5)


def test_empty():
    with pytest.warns(RuntimeWarning):
        assert np.isnan(dout.vjp(np.median, np.zeros(0))[0])
    oracles.assert_derivatives(np.sort, np.zeros((0, 3)))
    oracles.assert_derivatives(lambda x: np.median(x, axis=1), np.zeros((0, 3)))


def test_nan_gives_nan():
    x = np.array([1.0, np.nan, 3.0])
    out, pullback = dout.vjp(np.median, x)
    assert np.isnan(out)
    assert np.isnan(pullback(1.0)[0]).any()


def test_out():
    def f(x):
        out = np.zeros_like(x, shape=(4, 2))
        np.median(x, axis=0, out=out)
        return out

    oracles.assert_derivatives(f, X)


def test_q_has_no_derivative():
    with pytest.raises(TypeError, match="q has no derivative"):
        dout.grad(lambda q: np.quantile(ROW, q))(0.3)

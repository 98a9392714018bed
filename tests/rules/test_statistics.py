"""Averages, covariances, histograms, and what skips NaN."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(3, 4)
ROW = oracles.array(6)
OTHER = oracles.array(6, seed=4)
WEIGHTS = oracles.array(4, low=0.5, high=2.0)
Z = oracles.array(2, 5, kind="complex")
PLACES = np.array([0, 3, 1, 3, 1, 0])
COORDINATES = np.array([0.1, 0.5, 2.9, 3.0, -1.0, 1.4])

PATTERNS = {
    "average": (lambda x: np.average(x), X),
    "average axis": (lambda x: np.average(x, 0, keepdims=True), X),
    "average weights": (lambda x, w: np.average(x, axis=1, weights=w), X, WEIGHTS),
    "average weights whole": (lambda x, w: np.average(x, weights=w), X, np.abs(X) + 0.1),
    "average weights axes": (lambda x, w: np.average(x, axis=(0, 1), weights=w, returned=True), X, np.abs(X) + 0.1),
    "average weights swapped": (lambda x, w: np.average(x, axis=(1, 0), weights=w), X, np.abs(X).T + 0.1),
    "average returned": (lambda x: np.average(x, 0, returned=True)[0], X),
    "cov": (lambda x: np.cov(x), X),
    "cov row": (lambda x: np.cov(x), ROW),
    "cov two": (lambda x, y: np.cov(x, y), ROW, OTHER),
    "cov columns": (lambda x: np.cov(x, rowvar=False, bias=True), X),
    "cov weights": (lambda x, w: np.cov(x, aweights=w), X, WEIGHTS),
    "cov counts": (lambda x: np.cov(x, fweights=[1, 2, 1, 3], ddof=0), X),
    "cov both": (lambda x, w: np.cov(x, fweights=[1, 2, 1, 3], aweights=w), X, WEIGHTS),
    "cov complex": (lambda z: np.cov(z), Z),
    "corrcoef": (lambda x: np.corrcoef(x)[0, 1:], X),
    "corrcoef two": (lambda x, y: np.corrcoef(x, y), ROW, OTHER),
    "corrcoef columns": (lambda x: np.corrcoef(x, rowvar=False), X),
    "bincount": (lambda w: np.bincount(PLACES, w), ROW),
    "bincount minlength": (lambda w: np.bincount(PLACES, weights=w, minlength=9), ROW),
    "histogram": (lambda w: np.histogram(COORDINATES, 4, weights=w)[0], ROW),
    "histogram range": (lambda w: np.histogram(COORDINATES, 3, (0, 3), weights=w)[0], ROW),
    "histogram density": (lambda w: np.histogram(COORDINATES, [0, 1, 3], weights=w, density=True)[0], np.abs(ROW)),
    "histogram2d": (lambda w: np.histogram2d(COORDINATES, ROW, (2, 3), weights=w)[0], ROW),
    "histogramdd": (lambda w: np.histogramdd((COORDINATES, ROW), 2, weights=w)[0], ROW),
    "histogramdd density": (
        lambda w: np.histogramdd(np.stack([COORDINATES, ROW], 1), 2, weights=w, density=True)[0], np.abs(ROW)),
    "nansum": (lambda x: np.nansum(x, axis=1), X),
    "nanprod": (lambda x: np.nanprod(x, 0), X),
    "nancumsum": (lambda x: np.nancumsum(x, 0), X),
    "nancumprod": (lambda x: np.nancumprod(x), X),
    "nanmax": (lambda x: np.nanmax(x, axis=1, keepdims=True), X),
    "nanmin": (lambda x: np.nanmin(x), X),
    "nanmean": (lambda x: np.nanmean(x, axis=(0, 1)), X),
    "nanvar": (lambda x: np.nanvar(x, 1, ddof=1), X),
    "nanstd": (lambda x: np.nanstd(x, axis=0), X),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f, *args = PATTERNS[name]
    # summed in another order than NumPy's own code does
    loose = name.startswith(("cov", "corrcoef", "histogram"))
    oracles.assert_derivatives(f, *args, value_rtol=1e-14 if loose else 0)


HOLES = np.array([[1.0, np.nan, 0.5, -1.5], [np.nan, 2.0, 0.3, 0.9], [0.7, -0.2, 1.1, np.nan]])


@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": (0, 1)}], ids=str)
@pytest.mark.parametrize(
    "f", [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nancumsum, np.nancumprod],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_holes(f, options):
    if "cum" in f.__name__ and ("keepdims" in options or isinstance(options.get("axis"), tuple)):
        options = {"axis": 1}
    known = ~np.isnan(HOLES)

    def of_known(entries):
        x = np.zeros_like(entries, shape=HOLES.shape) * np.nan
        x[known] = entries
        return f(x, **options)

    oracles.assert_derivatives(of_known, HOLES[known], value_rtol=1e-15)
    assert (dout.grad(lambda x: np.sum(f(x, **options)))(HOLES)[~known] == 0).all()


@pytest.mark.parametrize("f", [np.nanmax, np.nanmean, np.nanvar], ids=lambda f: f.__name__)
def test_a_row_of_nan(f):
    x = np.array([[np.nan, np.nan], [1.0, 3.0]])
    with pytest.warns(RuntimeWarning):
        expected = f(x, axis=1)
    with pytest.warns(RuntimeWarning):
        out, pullback = dout.vjp(lambda x: f(x, axis=1), x)
    np.testing.assert_array_equal(out, expected)
    assert np.isfinite(pullback(np.ones(2))[0]).all()


@pytest.mark.parametrize("f", [np.average, np.nanmean, np.nanvar, np.nansum], ids=lambda f: f.__name__)
def test_narrow_dtypes(f):
    oracles.assert_narrow(lambda x: f(x, axis=0), X)


def test_counts_have_no_derivative():
    assert not dout.grad(lambda x: np.sum(np.histogram(x, 3)[0] * 1.0))(ROW).any()


REFUSED = [
    (lambda x: np.average(x, weights=[1.0, 2.0]), X, TypeError),
    (lambda x: np.average(x, axis=0, weights=[1.0, 2.0]), X, ValueError),
    (lambda x: np.average(x, weights=np.zeros((3, 4))), X, ZeroDivisionError),
    (lambda x: np.cov(x, fweights=[1, 2.5, 1, 1]), X, TypeError),
    (lambda x: np.cov(x, aweights=[1.0]), X, RuntimeError),
    (lambda x: np.cov(x, aweights=[-1.0, 1, 1, 1]), X, ValueError),
    (lambda x: np.cov(x[None]), X, ValueError),
    (lambda x: np.bincount(PLACES, x[:3]), ROW, ValueError),
]


@pytest.mark.parametrize(("f", "x", "error"), REFUSED)
def test_what_numpy_refuses(f, x, error):
    with pytest.raises(error):
        f(x)
    with pytest.raises(error):
        dout.vjp(f, x)

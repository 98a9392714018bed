"""dout.interop.scipy: values are SciPy's, derivatives those of differences."""

import numpy as np
import oracles
import pytest

import dout

pytest.importorskip("scipy")
import scipy.linalg
import scipy.signal
import scipy.sparse
import scipy.special
import scipy.stats

from dout.interop.scipy import integrate, linalg, optimize, signal, sparse, special, stats

X = oracles.array(3, 4)
ROW = oracles.array(5)
M = oracles.array(3, 3) + 4 * np.eye(3)
SPD = M @ M.T
B = oracles.array(3, 2, seed=1)
V = oracles.array(3, seed=2)
KERNEL = oracles.array(2, 3, seed=4)
FACTORS = oracles.array(3, 4, low=0.5, high=2, seed=3)
MATRIX = scipy.sparse.csr_array(np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [0.0, -1.0, 4.0], [0.5, 0.0, 0.0]]))

# What is called, what SciPy calls, and where.
CASES = {
    "logsumexp": (special.logsumexp, scipy.special.logsumexp, (X,), {}),
    "logsumexp axis": (special.logsumexp, scipy.special.logsumexp, (X,), {"axis": 1, "keepdims": True}),
    "logsumexp axes": (special.logsumexp, scipy.special.logsumexp, (X,), {"axis": (0, 1)}),
    "softmax": (special.softmax, scipy.special.softmax, (X,), {"axis": 0}),
    "log_softmax": (special.log_softmax, scipy.special.log_softmax, (X,), {"axis": -1}),
    "multigammaln": (special.multigammaln, scipy.special.multigammaln, (np.array([3.0, 4.5]),), {"d": 3}),
    "solve": (linalg.solve, scipy.linalg.solve, (M, B), {}),
    "solve vector": (linalg.solve, scipy.linalg.solve, (M, V), {}),
    "solve transposed": (linalg.solve, scipy.linalg.solve, (M, V), {"transposed": True}),
    "triangular": (linalg.solve_triangular, scipy.linalg.solve_triangular, (M, B), {}),
    "triangular lower": (linalg.solve_triangular, scipy.linalg.solve_triangular, (M, V), {"lower": True}),
    "triangular turned": (linalg.solve_triangular, scipy.linalg.solve_triangular, (M, V), {"trans": "T", "lower": True}),
    "triangular unit": (linalg.solve_triangular, scipy.linalg.solve_triangular, (M, B), {"unit_diagonal": True, "trans": 1}),
    "expm": (linalg.expm, scipy.linalg.expm, (oracles.array(3, 3),), {}),
    "expm of a stack": (linalg.expm, scipy.linalg.expm, (oracles.array(2, 2, 2),), {}),
    "sqrtm": (linalg.sqrtm, scipy.linalg.sqrtm, (SPD,), {}),
    "block_diag": (linalg.block_diag, scipy.linalg.block_diag, (B, X, V), {}),
    "toeplitz": (linalg.toeplitz, scipy.linalg.toeplitz, (V, ROW), {}),
    "toeplitz of a column": (linalg.toeplitz, scipy.linalg.toeplitz, (V,), {}),
    "convolve": (signal.convolve, scipy.signal.convolve, (X, KERNEL), {"method": "direct"}),
    "convolve same": (signal.convolve, scipy.signal.convolve, (X, KERNEL), {"mode": "same", "method": "direct"}),
    "convolve valid": (signal.convolve, scipy.signal.convolve, (X, KERNEL), {"mode": "valid", "method": "direct"}),
    "convolve swapped": (signal.convolve, scipy.signal.convolve, (KERNEL, X), {"mode": "valid", "method": "direct"}),
    "fftconvolve": (signal.fftconvolve, scipy.signal.fftconvolve, (X, KERNEL), {}),
    "fftconvolve row": (signal.fftconvolve, scipy.signal.fftconvolve, (ROW, V), {"mode": "same"}),
    "correlate": (signal.correlate, scipy.signal.correlate, (X, KERNEL), {"method": "direct"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    ours, theirs, args, options = CASES[name]
    np.testing.assert_allclose(ours(*args, **options), theirs(*args, **options), 1e-13, 1e-13)
    # the same code runs on plain arrays and on Variables, up to the order of its sums
    oracles.assert_derivatives(lambda *xs: ours(*xs, **options), *args, value_rtol=1e-12, rtol=1e-7, atol=1e-7)


def test_logsumexp_with_factors():
    ours = lambda a, b: special.logsumexp(a, axis=1, b=b)  # noqa: E731
    np.testing.assert_allclose(ours(X, FACTORS), scipy.special.logsumexp(X, axis=1, b=FACTORS), 1e-14)
    oracles.assert_derivatives(ours, X, FACTORS)
    value, sign = special.logsumexp(ROW, b=-np.ones(5), return_sign=True)
    assert (value, sign) == pytest.approx(scipy.special.logsumexp(ROW, b=-np.ones(5), return_sign=True))
    assert special.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_polygamma(n):
    x = np.array([0.5, 1.7, 4.0])
    np.testing.assert_allclose(special.polygamma(n, x), scipy.special.polygamma(n, x), 1e-14)
    oracles.assert_derivatives(lambda x: special.polygamma(n, x), x, rtol=1e-6, atol=1e-6)


def test_symmetric_solve_reads_one_half():
    np.testing.assert_allclose(linalg.solve(SPD, V, assume_a="pos"), scipy.linalg.solve(SPD, V, assume_a="pos"), 1e-10)
    oracles.assert_derivatives(
        lambda a: linalg.solve(a, V, assume_a="pos"), SPD, value_rtol=1e-12, rtol=1e-7, atol=1e-7
    )


def test_cholesky():
    for lower in (True, False):
        f = lambda a, b, lower=lower: linalg.cho_solve(linalg.cho_factor(a @ a.T + np.eye(3), lower), b)  # noqa: E731
        np.testing.assert_allclose(f(M, B), np.linalg.solve(M @ M.T + np.eye(3), B), 1e-9)
        oracles.assert_derivatives(f, M, B, value_rtol=1e-12, rtol=1e-7, atol=1e-7)


DENSITIES = {
    "norm": ((ROW,), {}), "cauchy": ((ROW,), {}), "laplace": ((ROW,), {}), "logistic": ((ROW,), {}),
    "gumbel_r": ((ROW,), {}),
    "t": ((ROW, 3.5), {}), "expon": ((np.abs(ROW),), {"scale": 0.7}),
    "uniform": ((np.abs(ROW) / 3,), {"loc": -0.1, "scale": 2.0}),
    "gamma": ((np.abs(ROW), 2.5), {"scale": 1.3}), "chi2": ((np.abs(ROW), 3.0), {}),
    "beta": ((np.abs(ROW) / 4 + 0.2, 2.0, 3.5), {}),
    "lognorm": ((np.abs(ROW), 0.8), {}), "pareto": ((np.abs(ROW) + 1.1, 2.0), {}), "weibull_min": ((np.abs(ROW), 1.7), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", DENSITIES)
def test_densities(name):
    args, options = DENSITIES[name]
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    np.testing.assert_allclose(ours.logpdf(*args, **options), theirs.logpdf(*args, **options), 1e-12, 1e-12)
    np.testing.assert_allclose(ours.pdf(*args, **options), theirs.pdf(*args, **options), 1e-12, 1e-12)
    loc, scale = options.get("loc", 0.0), options.get("scale", 1.0)
    oracles.assert_derivatives(lambda x, *p: ours.logpdf(x, *p[:-2], loc=p[-2], scale=p[-1]), *args, loc, scale,
                               value_rtol=1e-13, rtol=1e-6, atol=1e-6)  # fmt: skip


def test_outside_of_the_support():
    x = np.array([-1.0, 0.5])
    out, pullback = dout.vjp(lambda x: stats.gamma.logpdf(x, 2.0), x)
    assert out[0] == -np.inf
    np.testing.assert_allclose(pullback(np.ones(2))[0], [0.0, 1.0])


COUNTS = {"poisson": ([0, 2, 5], (1.7,)), "binom": ([0, 2, 5], (5, 0.3)), "bernoulli": ([0, 1, 1], (0.3,)),
          "geom": ([1, 2, 5], (0.3,))}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    k, parameters = COUNTS[name]
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    np.testing.assert_allclose(ours.logpmf(k, *parameters), theirs.logpmf(k, *parameters), 1e-12)
    np.testing.assert_allclose(ours.pmf(k, *parameters), theirs.pmf(k, *parameters), 1e-12)
    assert ours.logpmf(-1, *parameters) == -np.inf
    oracles.assert_derivatives(lambda p: ours.logpmf(np.array(k), *parameters[:-1], p), parameters[-1])


def test_vectors():
    x, mean, cov = oracles.array(4, 3), V, SPD
    np.testing.assert_allclose(
        stats.multivariate_normal.logpdf(x, mean, cov), scipy.stats.multivariate_normal.logpdf(x, mean, cov), 1e-10
    )
    oracles.assert_derivatives(lambda x, m, a: stats.multivariate_normal.logpdf(x, m, a @ a.T + np.eye(3)), x, mean, M,
                               value_rtol=1e-12, rtol=1e-6, atol=1e-6)  # fmt: skip
    shares, alpha = np.array([0.2, 0.3, 0.5]), np.array([1.5, 2.0, 0.7])
    np.testing.assert_allclose(
        stats.dirichlet.logpdf(shares, alpha), scipy.stats.dirichlet.logpdf(shares, alpha), 1e-12
    )
    oracles.assert_derivatives(lambda a: stats.dirichlet.logpdf(shares, a), alpha, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("x", [V, B], ids=["vector", "matrix"])
def test_sparse(x):
    np.testing.assert_array_equal(sparse.matmul(MATRIX, x), MATRIX @ x)
    oracles.assert_derivatives(lambda data, x: sparse.matmul(MATRIX, x, data), MATRIX.data, x)
    oracles.assert_derivatives(lambda x: sparse.matmul(MATRIX.tocoo(), x), x)


def test_root():
    def fun(x, a, b):
        return np.stack([x[0] ** 2 + a * x[1] - b[0], x[1] ** 3 + x[0] - b[1]])

    def solved(a, b):
        return optimize.root(fun, np.array([1.0, 1.0]), (a, b), tol=1e-12).x

    # a root is good to some 1e-12, which the differences multiply by a thousand
    oracles.assert_derivatives(solved, 0.7, np.array([2.0, 2.5]), value_rtol=1e-12, rtol=1e-6, atol=1e-6)


def test_fixed_point():
    oracles.assert_derivatives(
        lambda a: optimize.fixed_point(lambda x, a: a * np.cos(x), np.array([0.5, 0.7]), (a,)), np.array([0.9, 1.1]),
        value_rtol=1e-11, rtol=1e-6, atol=1e-6,
    )  # fmt: skip


def test_solve_ivp():
    def slope(t, y, rates):
        return np.stack([rates["a"] * y[0] - y[0] * y[1], y[0] * y[1] - rates["b"] * y[1] + 0.1 * np.sin(t)])

    def path(y0, a, b):
        return integrate.solve_ivp(
            slope, (0.0, 1.5), y0, t_eval=[0.7, 1.5], args=({"a": a, "b": b},), rtol=1e-9, atol=1e-9, method="DOP853"
        ).y

    # as accurate as rtol asks for; the differences multiply that by a thousand
    oracles.assert_derivatives(path, np.array([1.0, 0.5]), 1.1, 0.4, value_rtol=1e-13, rtol=1e-5, atol=1e-5)


def test_solve_ivp_backwards_in_time_and_at_the_start():
    def f(y0):
        done = integrate.solve_ivp(lambda t, y: -y * y, (1.0, 0.0), y0, t_eval=[1.0, 0.0], rtol=1e-10, atol=1e-10)
        return done.y

    oracles.assert_derivatives(f, np.array([0.5]), order=1, value_rtol=1e-13, rtol=1e-5, atol=1e-5)


REFUSED = {
    "root, closure": (lambda v: optimize.root(lambda x: x - v, np.zeros(1)).x[0], TypeError, "among its args"),
    "fixed point, closure": (lambda v: optimize.fixed_point(lambda x: 0.5 * x + v, 0.1), TypeError, "among its args"),
    "ivp, closure": (
        lambda v: integrate.solve_ivp(lambda t, y: -v * y, (0, 1), np.ones(1)).y[0, 0], TypeError, "among its args"),
    "ivp, times": (lambda v: integrate.solve_ivp(lambda t, y: -y, (0, v), np.ones(1)).y[0, 0], NotImplementedError, "times"),
    "ivp, events": (
        lambda v: integrate.solve_ivp(lambda t, y: -y, (0, 1), v * np.ones(1), dense_output=True),
        NotImplementedError, "dense"),
    "no root": (lambda v: optimize.root(lambda x, a: x * x + a, np.ones(1), (v,)).x[0], RuntimeError, "root"),
    "not sparse": (lambda v: sparse.matmul(np.eye(2), v * np.ones(2)), TypeError, "sparse"),
    "entries": (lambda v: sparse.matmul(MATRIX, V, v * np.ones(2)), ValueError, "stored entries"),
    "mode": (lambda v: signal.convolve(v * ROW, V, "other"), ValueError, "mode"),
    "dimensions": (lambda v: signal.convolve(v * ROW, X), ValueError, "dimensionality"),
    "trans": (lambda v: linalg.solve_triangular(v * M, V, trans="x"), ValueError, "trans"),
    "assume": (lambda v: linalg.solve(v * M, V, assume_a="banded"), ValueError, "assume_a"),
    "polygamma": (lambda v: special.polygamma(-1, v), ValueError, "whole number"),
    "parameter": (lambda v: stats.gamma.logpdf(v), TypeError, "missing"),
    "unknown": (lambda v: stats.norm.logpdf(v, colour=1.0), TypeError, "colour"),
    "multigammaln": (lambda v: special.multigammaln(v * 0.1, 3), ValueError, "condition"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("f", "error", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(f, error, message):
    with pytest.raises(error, match=message):
        dout.grad(f)(1.0)

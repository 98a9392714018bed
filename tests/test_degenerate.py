"""Where a function has no value or no derivative: NumPy's value, NumPy's errors, and a derivative that is right or NaN.

One line a pattern: singular matrices, values that repeat, reductions of nothing, NaN, and the ends of domains.
"""

import warnings

import numpy as np
import oracles
import pytest

import dout

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
SCALAR = 2.0 * np.eye(3)  # an eigenvalue three times
DEFECTIVE = np.array([[2.0, 1.0], [0.0, 2.0]])
FLAT = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])  # columns that depend on each other
NAN = np.array([1.0, np.nan, 3.0])
NONE = np.zeros(0)
ROWS = np.zeros((0, 3))

#: What NumPy refuses is refused with its own error.
REFUSED = {
    "inv": (lambda a: np.linalg.inv(a), SINGULAR),
    "solve": (lambda a: np.linalg.solve(a, np.ones(2)), SINGULAR),
    "matrix_power": (lambda a: np.linalg.matrix_power(a, -2), SINGULAR),
    "tensorinv": (lambda a: np.linalg.tensorinv(a, 1), SINGULAR),
    "tensorsolve": (lambda a: np.linalg.tensorsolve(a, np.ones(2)), SINGULAR),
    "cholesky": (lambda a: np.linalg.cholesky(a), -np.eye(2)),
    "cholesky not square": (lambda a: np.linalg.cholesky(a), ROWS),
    "det not square": (lambda a: np.linalg.det(a), FLAT),
    "eig of NaN": (lambda a: np.linalg.eig(a)[0], SINGULAR * np.nan),
    "svd of NaN": (lambda a: np.linalg.svd(a)[1], SINGULAR * np.nan),
    "lstsq of NaN": (lambda a: np.linalg.lstsq(a, np.ones(2))[0], SINGULAR * np.nan),
    "cond of nothing": (lambda a: np.linalg.cond(a), np.zeros((0, 0))),
    "max of nothing": (lambda x: np.max(x), NONE),
    "min of nothing": (lambda x: np.min(x, axis=0), ROWS),
    "ptp of nothing": (lambda x: np.ptp(x), NONE),
    "nanmax of nothing": (lambda x: np.nanmax(x), NONE),
    "norm inf of nothing": (lambda x: np.linalg.norm(x, -np.inf), NONE),
    "percentile out of range": (lambda x: np.percentile(x, 101), NAN),
    "interp of nothing": (lambda x: np.interp(x, [], []), 0.5),
    "average by zero weights": (lambda x: np.average(x, weights=x * 0), np.ones(2)),
    "stack of nothing": (lambda x: np.stack([]) + x, 1.0),
    "roll of a bad axis": (lambda x: np.roll(x, 1, axis=3), NAN),
    "reshape": (lambda x: np.reshape(x, (2, 2)), NAN),
    "broadcast": (lambda x: x + np.ones(2), NAN),
    "index": (lambda x: x[5], NAN),
    "concatenate": (lambda x: np.concatenate([x, np.ones((2, 2))]), NAN),
    "convolve nothing": (lambda x: np.convolve(x, np.ones(2)), NONE),
    "gradient of one": (lambda x: np.gradient(x), np.ones(1)),
    "cross of four": (lambda x: np.cross(x, x), np.ones(4)),
    "einsum": (lambda x: np.einsum("ij->i", x), NAN),
    "sort axis": (lambda x: np.sort(x, axis=2), NAN),
    "linspace": (lambda x: np.linspace(x, 1.0, -1), 0.5),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses(name):
    f, x = REFUSED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as theirs:  # noqa: PT011  whatever NumPy raises
            f(x)
        with pytest.raises(type(theirs.value)) as ours:
            dout.vjp(f, x)
    if theirs.type is np.linalg.LinAlgError:
        assert str(ours.value) == str(theirs.value)


#: NaN, wholly or where said, with a warning that names the operation.
NO_DERIVATIVE = {
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], SINGULAR, True),
    "cond": (lambda a: np.linalg.cond(a), SINGULAR, True),
    "cond 1": (lambda a: np.linalg.cond(a, 1), SINGULAR, True),
    "eigh": (lambda a: np.sum(np.linalg.eigh(a)[1] * oracles.array(3, 3)), SCALAR, True),
    "eig": (lambda a: np.sum(np.real(np.linalg.eig(a)[1]) * oracles.array(2, 2)), DEFECTIVE, True),
    "eigvals": (lambda a: np.real(np.linalg.eigvals(a))[0], DEFECTIVE, True),
    "svd": (lambda a: np.sum(np.linalg.svd(a)[0] * oracles.array(3, 3)), SCALAR, True),
    "svd zero": (lambda a: np.sum(np.linalg.svd(a)[0] * oracles.array(2, 2)), np.zeros((2, 2)), True),
    "qr": (lambda a: np.sum(np.linalg.qr(a)[0]), FLAT, True),
}


@pytest.mark.parametrize("name", NO_DERIVATIVE)
def test_no_derivative(name):
    f, x, everywhere = NO_DERIVATIVE[name]
    with warnings.catch_warnings(record=True) as said, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        value, d = dout.value_and_grad(f)(x)
        np.testing.assert_array_equal(value, f(x))
    assert np.all(np.isnan(d)) == everywhere
    assert np.any(np.isnan(d))
    operation = name.split()[0]
    assert any(f"np.linalg.{operation}" in str(w.message) or "np.linalg.eig" in str(w.message) for w in said)


#: A derivative that is right where one might fear that it isn't: against differences, or as said.
RIGHT = {
    "det": (lambda a: np.linalg.det(a), SINGULAR, np.array([[4.0, -2.0], [-2.0, 1.0]])),
    "det of rank 0": (lambda a: np.linalg.det(a), np.zeros((3, 3)), np.zeros((3, 3))),
    "eigenvalues that repeat, summed": (lambda a: np.sum(np.linalg.eigvalsh(a) ** 2), SCALAR, 4.0 * np.eye(3)),
    "singular values that repeat, summed": (lambda a: np.sum(np.linalg.svdvals(a) ** 2), SCALAR, 2 * SCALAR),
    "eigenvectors of another value": (
        lambda a: np.linalg.eigh(a)[1][2, 2] ** 2, np.diag([1.0, 1.0, 3.0]), np.zeros((3, 3))),
    "norm at 0": (lambda x: np.linalg.norm(x), np.zeros(3), np.zeros(3)),
    "norm 3 at 0": (lambda x: np.linalg.norm(x, 3), np.zeros(3), np.zeros(3)),
    "nuclear norm at 0": (lambda a: np.linalg.norm(a, "nuc"), np.zeros((2, 2)), np.zeros((2, 2))),
    "hypot at 0": (lambda x: np.hypot(x, x), 0.0, 0.0),
    "std of equals": (lambda x: np.std(x), np.ones(3), np.zeros(3)),
    "prod with a zero": (lambda x: np.prod(x), np.array([0.0, 2.0, 3.0]), np.array([6.0, 0.0, 0.0])),
    "cumprod with zeros": (lambda x: np.sum(np.cumprod(x)), np.array([0.0, 2.0, 0.0]), np.array([3.0, 0.0, 0.0])),
    "max with ties": (lambda x: np.max(x), np.array([2.0, 2.0]), np.array([0.5, 0.5])),
    "sum of nothing": (lambda x: np.sum(x), NONE, NONE),
    "prod of nothing": (lambda x: np.prod(x), NONE, NONE),
    "norm of nothing": (lambda x: np.linalg.norm(x), NONE, NONE),
    "sum of rows of nothing": (lambda x: np.sum(np.sum(x, 0)), ROWS, ROWS),
    "max of nothing, with initial": (lambda x: np.max(x, initial=1.0), NONE, NONE),
    "trace of nothing": (lambda x: np.trace(x), np.zeros((0, 0)), np.zeros((0, 0))),
    "det of nothing": (lambda x: np.linalg.det(x), np.zeros((0, 0)), np.zeros((0, 0))),
    "dot of nothing": (lambda x: np.dot(x, x), NONE, NONE),
    "nansum of NaN": (lambda x: np.nansum(x), NAN * np.nan, np.zeros(3)),
    "nansum": (lambda x: np.nansum(x * x), NAN, np.array([2.0, 0.0, 6.0])),
    "nanmean": (lambda x: np.nanmean(x), NAN, np.array([0.5, 0.0, 0.5])),
    "nanvar": (lambda x: np.nanvar(x), NAN, np.array([-1.0, 0.0, 1.0])),
    "nanmax": (lambda x: np.nanmax(x), NAN, np.array([0.0, 0.0, 1.0])),
    "nanmedian": (lambda x: np.nanmedian(x), NAN, np.array([0.5, 0.0, 0.5])),
    "nan_to_num": (lambda x: np.sum(np.nan_to_num(x * x)), NAN, np.array([2.0, 0.0, 6.0])),
    "where": (lambda x: np.sum(np.where(np.isnan(x), 0.0, x * x)), NAN, np.array([2.0, 0.0, 6.0])),
    "where of a root": (lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), np.zeros(2), np.zeros(2)),
    "a mask": (lambda x: np.sum(x[~np.isnan(x)] ** 2), NAN, np.array([2.0, 0.0, 6.0])),
    "the sum of NaN": (lambda x: np.sum(x), NAN, np.ones(3)),  # it is linear, also there
    "pinv of lower rank": (lambda a: np.linalg.pinv(a)[0, 0], np.diag([2.0, 0.0]), np.diag([-0.25, 0.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives(name):
    f, x, expected = RIGHT[name]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value, d = dout.value_and_grad(f)(x)
        np.testing.assert_array_equal(value, f(x))
    np.testing.assert_allclose(d, expected, 1e-12, 1e-12)
    assert np.shape(d) == np.shape(x)


#: NaN of NumPy's: so is the derivative, where the value depends on the entry.
NAN_VALUES = {
    "mean of nothing": (lambda x: np.mean(x), NONE, None),
    "var of nothing": (lambda x: np.var(x), NONE, None),
    "median of nothing": (lambda x: np.median(x), NONE, None),
    "nanmean of nothing": (lambda x: np.nanmean(x), NONE, None),
    "std of one": (lambda x: np.std(x, ddof=1), np.ones(1), None),
    "nanmean of NaN": (lambda x: np.nanmean(x), NAN * np.nan, None),
    "corrcoef of constants": (lambda x: np.corrcoef(x)[0, 1], np.ones((2, 3)), True),
    "log": (lambda x: np.log(x), -2.0, True),
    "log2": (lambda x: np.log2(x), -2.0, True),
    "log10": (lambda x: np.log10(x), -2.0, True),
    "log1p": (lambda x: np.log1p(x), -2.0, True),
    "arctanh": (lambda x: np.arctanh(x), 2.0, True),
    "arcsin": (lambda x: np.arcsin(x), 2.0, True),
    "arccos": (lambda x: np.arccos(x), -2.0, True),
    "arccosh": (lambda x: np.arccosh(x), 0.5, True),
    "sqrt": (lambda x: np.sqrt(x), -1.0, True),
    "power": (lambda x: np.power(x, 0.5), -1.0, True),
    "exponent": (lambda x: np.power(-2.0, x), 0.5, True),
    "remainder": (lambda x: np.remainder(x, 0.0), 1.5, True),
    "fmod": (lambda x: np.fmod(x, 0.0), 1.5, True),
    "fmod of infinity": (lambda x: np.fmod(x, 2.0), np.inf, True),
    "sin": (lambda x: np.sin(x), np.inf, True),
    "tan": (lambda x: np.tan(x), np.inf, True),
}


@pytest.mark.parametrize("kind", [np.float64, np.array, lambda x: np.atleast_1d(np.array(x, np.float32))])
@pytest.mark.parametrize("name", NAN_VALUES)
def test_nan(name, kind):
    f, x, whole = NAN_VALUES[name]
    x = kind(x) if kind is not np.float64 or np.ndim(x) == 0 else x
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        value, pull = dout.vjp(f, x)
        np.testing.assert_array_equal(value, f(x))
        assert np.all(np.isnan(value))
        d = pull(np.ones_like(value))[0]
        again = dout.grad(lambda x: np.sum(dout.grad(lambda x: np.sum(f(x)))(x)))(x)
    assert np.shape(d) == np.shape(x)
    if whole:
        assert np.all(np.isnan(d))
        assert np.all(np.isnan(again))
    else:  # there is no entry, or none that it depends on by a formula: never a number that isn't 0
        assert not np.any(np.nan_to_num(d))


def test_infinite_derivatives_at_the_ends_of_domains():
    with np.errstate(all="ignore"):
        for f, x, d in (
            (np.sqrt, 0.0, np.inf), (np.log, 0.0, np.inf), (np.cbrt, 0.0, np.inf), (np.log1p, -1.0, np.inf),
            (np.arcsin, 1.0, np.inf), (np.arccos, 1.0, -np.inf), (np.arctanh, -1.0, np.inf), (np.reciprocal, 0.0, -np.inf),
        ):  # fmt: skip
            assert dout.grad(f)(np.float64(x)) == d


def test_only_the_stacked_matrix_that_has_none_is_nan():
    stack = np.stack([np.diag([1.0, 2.0, 4.0]), SCALAR])
    with pytest.warns(RuntimeWarning, match=r"np\.linalg\.eigh"):
        d = dout.grad(lambda a: np.sum(np.linalg.eigh(a)[1] * oracles.array(3, 3)))(stack)
    assert np.all(np.isfinite(d[0]))
    assert np.all(np.isnan(d[1]))

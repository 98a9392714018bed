"""Sums, products, extremes, means, spreads and running reductions: each of NumPy's arguments, and where they have kinks."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(2, 3, 2)
MASK = oracles.array(2, 3, 2, seed=5) > -0.5
NAN, INF = np.nan, np.inf

AXES = [None, 0, 1, -1, (0, 2), (-1, 1), (0, 1, 2), ()]
REDUCTIONS = [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std]
RUNNING = [np.cumsum, np.cumprod]


def name_of(value):
    return getattr(value, "__name__", None)


# np.std of a single entry is a kink.
AXES_OF = [(f, axis) for f in REDUCTIONS for axis in AXES if not (f is np.std and axis == ())]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("f", "axis"), AXES_OF, ids=str)
def test_axes(f, axis, keepdims):
    oracles.assert_derivatives(lambda x: f(x, axis=axis, keepdims=keepdims), X)


@pytest.mark.parametrize("f", [*REDUCTIONS, *RUNNING], ids=name_of)
def test_methods(f):
    def method(x, *args, **options):
        return getattr(x, f.__name__)(*args, **options)

    oracles.assert_derivatives(method, X, order=1)
    oracles.assert_derivatives(lambda x: method(x, 1), X, order=1)
    oracles.assert_derivatives(lambda x: method(x, axis=-1), X, order=1)
    if f in REDUCTIONS:
        oracles.assert_derivatives(lambda x: method(x, axis=(0, 1), keepdims=True), X, order=1)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("f", RUNNING, ids=name_of)
def test_running(f, axis):
    oracles.assert_derivatives(lambda x: f(x, axis), X)


# A shape, and the axis that makes sense of it.
SHAPES = [((), None), ((1,), None), ((3,), 0), ((0,), None), ((0, 3), 0), ((2, 0), 0), ((2, 0, 3), (0, 2))]


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
@pytest.mark.parametrize("f", [np.sum, np.prod], ids=name_of)
def test_shapes(f, shape, axis):
    oracles.assert_derivatives(lambda x: f(x, axis=axis), oracles.array(*shape))


@pytest.mark.parametrize(("shape", "axis"), [((), None), ((3,), 0), ((1, 3), 0), ((2, 0), 0), ((0, 2), 1)], ids=str)
@pytest.mark.parametrize("f", [np.max, np.min, np.mean, np.ptp], ids=name_of)
def test_shapes_that_are_not_empty_choices(f, shape, axis):
    oracles.assert_derivatives(lambda x: f(x, axis=axis), oracles.array(*shape))


@pytest.mark.parametrize("f", RUNNING, ids=name_of)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0), (5, 1)], ids=str)
def test_shapes_of_running(f, shape):
    oracles.assert_derivatives(f, oracles.array(*shape))


@pytest.mark.parametrize("layout", [lambda x: x.T, lambda x: x[::-1, ::2], lambda x: x.swapaxes(0, 2)[1:]])
@pytest.mark.parametrize("f", [*REDUCTIONS, *RUNNING], ids=name_of)
def test_layouts(f, layout):
    # dout.vjp works on contiguous copies; the order of summation is that of memory.
    oracles.assert_derivatives(f, layout(X), order=1, value_rtol=1e-14)
    oracles.assert_derivatives(lambda x: f(layout(x), axis=0), X, order=1)


@pytest.mark.parametrize("f", [*REDUCTIONS, *RUNNING], ids=name_of)
def test_python_and_numpy_numbers(f):
    if f is np.std:  # a kink
        assert dout.grad(f)(1.5) == 0.0
        return
    oracles.assert_derivatives(f, 1.5)
    oracles.assert_derivatives(f, np.float64(1.5))


@pytest.mark.parametrize("axis", [None, 0, (0, 2)], ids=str)
@pytest.mark.parametrize("f", [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std], ids=name_of)
def test_narrow_dtypes(f, axis):
    oracles.assert_narrow(lambda x: f(x, axis=axis), X)


@pytest.mark.parametrize("f", RUNNING, ids=name_of)
def test_narrow_dtypes_of_running(f):
    oracles.assert_narrow(lambda x: f(x, axis=1), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128], ids=name_of)
@pytest.mark.parametrize("f", [np.sum, np.mean, np.prod, np.var, np.std, *RUNNING], ids=name_of)
def test_dtype(f, dtype):
    narrow = X.astype(np.float32)
    out, pullback = dout.vjp(lambda x: f(x, axis=1, dtype=dtype), narrow)
    oracles.assert_same(out, f(narrow, axis=1, dtype=dtype))
    found = pullback(np.ones_like(out))[0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, differences(lambda x: f(x, axis=1), X), 1e-4, 1e-5)
    oracles.assert_same(dout.vjp(lambda x: f(x, axis=1, dtype=dtype), X)[0], f(X, axis=1, dtype=dtype))


def differences(f, x):
    return oracles.numerical(lambda x: np.sum(f(x)), [x])


WHERE = {
    "sum": lambda x, **o: np.sum(x, where=MASK, **o),
    "prod": lambda x, **o: np.prod(x, where=MASK, **o),
    "mean": lambda x, **o: np.mean(x, where=MASK, **o),
    "var": lambda x, **o: np.var(x, where=MASK, **o),
    "std": lambda x, **o: np.std(x, where=MASK, **o),
    "max": lambda x, **o: np.max(x, where=MASK, initial=-INF, **o),
    "min": lambda x, **o: np.min(x, where=MASK, initial=INF, **o),
    "max, initial wins": lambda x, **o: np.max(x, where=MASK, initial=1.0, **o),
    "sum, initial": lambda x, **o: np.sum(x, where=MASK, initial=0.5, **o),
}


@pytest.mark.parametrize("axis", [None, 1, (0, 2)], ids=str)
@pytest.mark.parametrize("name", WHERE)
def test_where(name, axis):
    # NumPy adds chosen entries one after another, but whole arrays in pairs.
    oracles.assert_derivatives(lambda x: WHERE[name](x, axis=axis), X, value_rtol=1e-14)
    oracles.assert_derivatives(lambda x: WHERE[name](x, axis=axis, keepdims=True), X, order=1, value_rtol=1e-14)


@pytest.mark.parametrize("name", WHERE)
def test_where_leaves_out_nan(name):
    x = np.where(MASK, X, NAN)
    found = dout.grad(WHERE[name])(x)
    np.testing.assert_array_equal(found, dout.grad(WHERE[name])(X))
    assert not np.any(found[~MASK])


@pytest.mark.parametrize("f", [np.sum, np.mean, np.var])
def test_where_broadcasts(f):
    rows = np.array([[True], [False], [True]])
    oracles.assert_derivatives(lambda x: f(x, axis=1, where=rows), X, value_rtol=1e-14)
    oracles.assert_derivatives(lambda x: f(x, where=rows), X, value_rtol=1e-14)


def test_initial():
    for f in (np.sum, np.prod, np.max, np.min):
        # NumPy begins with the initial value, dout ends with it.
        oracles.assert_derivatives(lambda x, a, f=f: f(x, axis=1, initial=float(a)), X, 0, value_rtol=1e-15)
        oracles.assert_derivatives(lambda x, f=f: f(x, axis=1, initial=0.25) * 2, X, value_rtol=1e-15)
        oracles.assert_derivatives(lambda x, f=f: f(x, axis=0, initial=0.25), np.zeros((0, 2)))
        narrow = X.astype(np.float32)
        assert dout.vjp(lambda x, f=f: f(x, initial=np.float64(2)), narrow)[0].dtype == narrow.dtype


@pytest.mark.parametrize("f", [np.sum, np.prod, np.max, np.min], ids=name_of)
def test_derivative_of_initial(f):
    # NumPy doesn't ask dout where only the initial value is a Variable; then float(v) raises.
    _, found = dout.grad(lambda x, a: f(x, initial=a), (0, 1))(X, 1.95)
    np.testing.assert_allclose(found, oracles.numerical(lambda a: f(X, initial=a), [1.95]), 1e-8)


@pytest.mark.parametrize("options", [{"ddof": 1}, {"ddof": 0.5}, {"correction": 1}], ids=str)
@pytest.mark.parametrize("f", [np.var, np.std], ids=name_of)
def test_degrees_of_freedom(f, options):
    oracles.assert_derivatives(lambda x: f(x, axis=1, **options), X)
    oracles.assert_derivatives(lambda x: f(x, **options), X)
    oracles.assert_derivatives(lambda x: x.var(0, None, None, 1), X, order=1)


def test_var_about_a_given_mean():
    mean = np.mean(X, axis=1, keepdims=True)
    oracles.assert_derivatives(lambda x, m: np.var(x, axis=1, mean=m), X, mean)
    oracles.assert_derivatives(lambda x, m: np.std(x, axis=1, mean=m, ddof=1), X, mean)


ZC = oracles.array(2, 3, kind="complex")


@pytest.mark.parametrize("f", [np.sum, np.mean, np.prod, np.var, np.std, *RUNNING], ids=name_of)
def test_complex(f):
    # NumPy squares the parts of complex numbers in another order.
    value_rtol = 1e-15 if f in (np.var, np.std) else 0
    oracles.assert_derivatives(f, ZC, value_rtol=value_rtol)
    oracles.assert_derivatives(lambda z: f(z, axis=1), ZC, value_rtol=value_rtol)
    oracles.assert_like_jax(lambda xp, z: getattr(xp, f.__name__)(z, axis=1), ZC)


@pytest.mark.parametrize("f", [np.max, np.min], ids=name_of)
def test_complex_extremes(f):
    oracles.assert_derivatives(lambda z: f(z, axis=1), ZC)


POSITIONAL = {
    "sum": lambda x: np.sum(x, 0, None, None, True),
    "prod": lambda x: np.prod(x, 0, None, None, True, 2.0),
    "max": lambda x: np.max(x, 0, None, True),
    "min": lambda x: np.min(x, 0, None, True, 0.5),
    "mean": lambda x: np.mean(x, 0, None, None, True),
    "var": lambda x: np.var(x, 0, None, None, 1, True),
    "std": lambda x: np.std(x, 0, None, None, 1, True),
    "ptp": lambda x: np.ptp(x, 0, None, True),
    "cumsum": lambda x: np.cumsum(x, 1, None, None),
    "trace": lambda x: np.trace(x, 1, 0, 1, None, None),
}
OTHERS = {
    "amax": lambda x: np.amax(x, 1),
    "amin": lambda x: np.amin(x, 1),
    "ptp": lambda x: np.ptp(x, (0, 1)),
    "trace": lambda x: np.trace(x, -1, 1, 2),
    "trace method": lambda x: x.trace(0, 1, 2),
    "argmax": lambda x: x[np.argmax(x, 0) % 2] * np.argmin(x),
    "any, all": lambda x: x * np.any(x > 0, axis=0) + np.count_nonzero(x > 0) * np.all(x > -9),
}


@pytest.mark.parametrize("f", [*POSITIONAL.values(), *OTHERS.values()], ids=[*POSITIONAL, *OTHERS])
def test_other_forms(f):
    oracles.assert_derivatives(f, X, value_rtol=1e-15)


OUT = {
    "sum": lambda x, out: np.sum(x, axis=1, out=out),
    "sum method": lambda x, out: x.sum(axis=1, out=out),
    "sum, by position": lambda x, out: np.sum(x, 1, None, out),
    "max": lambda x, out: np.max(x, axis=1, out=out),
    "mean": lambda x, out: np.mean(x, 1, None, out),
    "std": lambda x, out: x.std(1, None, out),
    "reduce": lambda x, out: np.add.reduce(x, axis=1, out=out),
}


@pytest.mark.parametrize("f", OUT.values(), ids=OUT)
def test_out(f):
    def into(x):
        out = np.zeros_like(x)[:, 0]
        result = f(x, out)
        assert result is out
        return out * result

    oracles.assert_derivatives(into, X)


# f, x, the derivative of the sum of f.
KINKS = [
    ("max, ties share", np.max, [1.0, 3.0, 3.0, 3.0], [0, 1 / 3, 1 / 3, 1 / 3]),
    ("min, ties share", np.min, [1.0, 3.0, 1.0], [0.5, 0, 0.5]),
    ("max along an axis", lambda x: np.max(x, axis=1), [[1.0, 1.0], [2.0, 1.0]], [[0.5, 0.5], [1, 0]]),
    ("max of everything equal", np.max, [[2.0, 2.0], [2.0, 2.0]], [[0.25, 0.25], [0.25, 0.25]]),
    ("max, NaN", np.max, [1.0, NAN, 2.0], [0, 1, 0]),
    ("max, NaN in another row", lambda x: np.max(x, 1), [[NAN, 1.0], [1.0, 2.0]], [[1, 0], [0, 1]]),
    ("max, initial ties", lambda x: np.max(x, initial=3.0), [1.0, 3.0], [0, 0.5]),
    ("max, nothing chosen", lambda x: np.max(x, initial=0.0, where=False), [1.0, 3.0], [0, 0]),
    ("ptp of equals", np.ptp, [2.0, 2.0], [0, 0]),
    ("prod, one zero", np.prod, [2.0, 0.0, 5.0], [0, 10, 0]),
    ("prod, two zeros", np.prod, [2.0, 0.0, 0.0], [0, 0, 0]),
    ("prod, zeros in one row", lambda x: np.prod(x, axis=1), [[2.0, 0.0], [3.0, 4.0]], [[0, 2], [4, 3]]),
    ("prod, only zero", np.prod, [0.0], [1]),
    ("prod, underflow", np.prod, [1e-200, 1e-200], [1e-200, 1e-200]),
    ("prod, inf", np.prod, [INF, 2.0], [2, INF]),
    ("prod, overflow", np.prod, [1e200, 1e200, 2.0], [2e200, 2e200, INF]),
    ("cumprod, one zero", np.cumprod, [2.0, 0.0, 5.0, 3.0], [1, 2 + 10 + 30, 0, 0]),
    ("cumprod, two zeros", np.cumprod, [2.0, 0.0, 0.0, 3.0], [1, 2, 0, 0]),
    ("cumprod, zero first", np.cumprod, [0.0, 2.0], [3, 0]),
    ("cumprod, underflow", np.cumprod, [1e-200, 1e-200], [1.0, 1e-200]),
    ("std of equals", np.std, [2.0, 2.0], [0, 0]),
    ("std, one row of equals", lambda x: np.std(x, 1), [[2.0, 2.0], [1.0, 3.0]], [[0, 0], [-0.5, 0.5]]),
    ("var of one", np.var, [2.0], [0]),
]


@pytest.mark.parametrize(("f", "x", "expected"), [k[1:] for k in KINKS], ids=[k[0] for k in KINKS])
def test_kinks(f, x, expected):
    x = np.array(x)
    with np.errstate(over="ignore"):  # where the product itself overflows
        out, pullback = dout.vjp(f, x)
        np.testing.assert_allclose(pullback(np.ones_like(out))[0], np.array(expected, float), 1e-15)
        oracles.assert_same(out, f(x))


# Products are polynomials: differences know nothing of zeros.
ZEROS = [[0.0, 2.0, 3.0], [2.0, 0.0, 0.0, 3.0], [0.0, 0.0, 0.0, 2.0], [1.0, 0.0], [0.0], [2.0, 3.0, 0.0, 5.0, 0.0, 7.0]]


@pytest.mark.parametrize("x", ZEROS, ids=str)
@pytest.mark.parametrize("f", [np.prod, np.cumprod], ids=name_of)
def test_products_with_zeros(f, x):
    oracles.assert_derivatives(f, np.array(x), order=3)
    oracles.assert_derivatives(lambda x: f(x, axis=-1), np.array([x, np.arange(1.0, len(x) + 1)]))
    oracles.assert_derivatives(lambda x: f(x, axis=0), np.array([x, x, np.ones(len(x))]))


def test_prod_of_a_python_zero():
    assert dout.grad(np.prod)(0.0) == 1.0


def test_a_sum_is_a_number_that_nobody_else_writes_to():
    def f(x):
        total = np.sum(x)
        kept = total
        total += 1.0
        return total * kept

    oracles.assert_derivatives(f, X)


def test_float16_counts_and_sums_like_numpy():
    x = np.ones(5000, np.float16)
    out, pullback = dout.vjp(np.mean, x)
    oracles.assert_same(out, np.mean(x))
    assert pullback(np.float16(5000))[0][0] == 1


REFUSED = [
    ("integer dtype", lambda x: np.sum(x, dtype=int), TypeError, "dtype=int64 can't carry a derivative"),
    ("integer dtype of cumsum", lambda x: np.cumsum(x, dtype=int), TypeError, "floating dtype"),
    ("where without initial", lambda x: np.max(x, where=MASK), ValueError, "where= needs initial="),
    ("plain out", lambda x: np.sum(x, axis=1, out=np.zeros((2, 2))), TypeError, "np.zeros_like"),
    ("out of another shape", lambda x: np.sum(x, axis=1, out=np.zeros_like(x)), ValueError, r"out= has shape"),
    ("axis", lambda x: np.sum(x, axis=3), np.exceptions.AxisError, "axis 3"),
    ("axis of cumsum", lambda x: np.cumsum(x, axis=3), np.exceptions.AxisError, "axis 3"),
    ("axis twice", lambda x: np.sum(x, axis=(0, 0)), ValueError, "axis"),
    ("max of nothing", lambda x: np.max(x[:0]), ValueError, "zero-size"),
    ("ddof and correction", lambda x: np.var(x, ddof=1, correction=1), ValueError, "simultaneously"),
]


@pytest.mark.parametrize(("f", "error", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused(f, error, words):
    with pytest.raises(error, match=words):
        dout.vjp(f, X)


def test_degrees_of_freedom_run_out_with_a_warning():
    with pytest.warns(RuntimeWarning):
        assert np.isnan(dout.vjp(lambda x: np.var(x, ddof=1), np.array([1.0]))[0])
    with pytest.warns(RuntimeWarning):
        assert np.isnan(dout.vjp(np.mean, np.zeros(0))[0])

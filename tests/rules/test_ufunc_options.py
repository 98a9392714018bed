"""What ufuncs take besides their inputs (`out=`, `where=`, `dtype=`), and their methods (reduce, accumulate, outer, at)."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(2, 3)
POSITIVE = oracles.array(2, 3, low=0.3, high=2.0)
Y = oracles.array(3, low=0.4, high=1.9, seed=1)
MASK = np.array([[True, False, True], [False, True, True]])
PLACES = np.array([0, 2, 2, 1])
NAN = np.nan


def into(f):
    """f(x, out) with a target that the derivative of x passes through, and which is used afterwards."""

    def g(x, *others):
        target = x * 0.5
        result = f(x, *others, target)
        assert result is target
        return target * result

    return g


OUT = {
    "unary": lambda x, out: np.exp(x, out=out),
    "unary, by position": lambda x, out: np.exp(x, out),
    "unary, tuple": lambda x, out: np.exp(x, out=(out,)),
    "binary": lambda x, out: np.multiply(x, Y, out=out),
    "binary, by position": lambda x, out: np.subtract(Y, x, out),
    "itself": lambda x, out: np.multiply(out, x, out=out),
    "matmul": lambda x, out: np.matmul(np.ones((2, 2)), x, out=out),
    "clip": lambda x, out: np.clip(x, -0.5, 0.5, out=out),
    "clip, by position": lambda x, out: np.clip(x, -0.5, 0.5, out),
    "where": lambda x, out: np.sin(x, out=out, where=MASK),
    "where broadcasts": lambda x, out: np.multiply(x, Y, out=out, where=MASK[:1]),
    "where nothing": lambda x, out: np.sin(x, out=out, where=False),
    "where and dtype": lambda x, out: np.sin(x, out=out, where=MASK, dtype=np.float64),
}


@pytest.mark.parametrize("name", OUT)
def test_out(name):
    oracles.assert_derivatives(into(OUT[name]), X)


def test_out_is_a_view():
    def f(x):
        y = x * 1.0
        np.exp(x[0], out=y[1])
        return y

    oracles.assert_derivatives(f, X)


def test_where_computes_nothing_elsewhere():
    def f(x):
        return np.log(x, out=np.zeros_like(x), where=x > 0)

    x = np.array([-1.0, 0.0, 2.0])
    out, pullback = dout.vjp(f, x)  # a warning would be an error here
    np.testing.assert_array_equal(out, f(x))
    np.testing.assert_array_equal(pullback(np.ones(3))[0], [0, 0, 0.5])


DTYPE = {
    "unary": lambda x, dtype: np.exp(x, dtype=dtype),
    "binary": lambda x, dtype: np.add(x, 1, dtype=dtype),
    "binary with an array": lambda x, dtype: np.multiply(x, Y, dtype=dtype),
    "casting": lambda x, dtype: np.negative(x, dtype=dtype, casting="unsafe"),
    "order": lambda x, dtype: np.sin(x, dtype=dtype, order="F"),
    "reduce": lambda x, dtype: np.add.reduce(x, axis=1, dtype=dtype),
    "accumulate": lambda x, dtype: np.add.accumulate(x, axis=1, dtype=dtype),
    "outer": lambda x, dtype: np.multiply.outer(x, Y, dtype=dtype),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("name", DTYPE)
def test_dtype(name, dtype):
    for x in (X, X.astype(np.float32)):
        out, pullback = dout.vjp(lambda x: DTYPE[name](x, dtype), x)
        oracles.assert_same(out, DTYPE[name](x, dtype))
        found = pullback(np.ones_like(out))[0]
        assert found.dtype == x.dtype
        expected = oracles.numerical(lambda x: np.sum(DTYPE[name](x, np.float64)), [X])
        np.testing.assert_allclose(found, expected, 1e-5, 1e-5)


REDUCE = {
    "add": lambda x: np.add.reduce(x),
    "add, axis": lambda x: np.add.reduce(x, axis=1),
    "add, by position": lambda x: np.add.reduce(x, 1),
    "add, all": lambda x: np.add.reduce(x, axis=None),
    "add, keepdims": lambda x: np.add.reduce(x, axis=(0, 1), keepdims=True),
    "add, initial": lambda x: np.add.reduce(x, initial=2.0),
    "add, where": lambda x: np.add.reduce(x, where=MASK),
    "multiply": lambda x: np.multiply.reduce(x, axis=-1),
    "maximum": lambda x: np.maximum.reduce(x, axis=1),
    "minimum": lambda x: np.minimum.reduce(x, axis=None),
    "subtract": lambda x: np.subtract.reduce(x, axis=1),
    "divide": lambda x: np.divide.reduce(x, axis=0),
    "logaddexp": lambda x: np.logaddexp.reduce(x, axis=1, keepdims=True),
    "logaddexp, negative axis": lambda x: np.logaddexp.reduce(x, axis=-2),
    "hypot": lambda x: np.hypot.reduce(x, axis=(1,)),
    "fmax": lambda x: np.fmax.reduce(x, axis=1),
    "flat": lambda x: np.subtract.reduce(np.ravel(x), axis=None),
    "one entry": lambda x: np.logaddexp.reduce(x[:1]),
}
ACCUMULATE = {
    "add": lambda x: np.add.accumulate(x),
    "add, axis": lambda x: np.add.accumulate(x, axis=1),
    "add, by position": lambda x: np.add.accumulate(x, -1),
    "multiply": lambda x: np.multiply.accumulate(x, axis=1),
    "maximum": lambda x: np.maximum.accumulate(x, axis=1),
    "minimum": lambda x: np.minimum.accumulate(x),
    "subtract": lambda x: np.subtract.accumulate(x, axis=1),
    "logaddexp": lambda x: np.logaddexp.accumulate(x, axis=-1),
}


@pytest.mark.parametrize("f", [*REDUCE.values(), *ACCUMULATE.values()], ids=[*REDUCE, *ACCUMULATE])
def test_reduce_and_accumulate(f):
    # NumPy begins with the initial value, dout ends with it.
    oracles.assert_derivatives(f, POSITIVE, value_rtol=1e-15)


def test_reduce_into_out():
    def f(x):
        out = np.zeros_like(x)[0]
        assert np.add.reduce(x, out=out) is out
        assert np.logaddexp.reduce(x, out=out) is out
        return out

    oracles.assert_derivatives(f, X)


def test_running_maximum_shares_ties():
    _, pullback = dout.vjp(np.maximum.accumulate, np.array([1.0, 1.0, 0.0]))
    np.testing.assert_array_equal(pullback(np.ones(3))[0], [2.0, 1.0, 0.0])


OUTER = {
    "multiply": lambda x, y: np.multiply.outer(x, y),
    "add": lambda x, y: np.add.outer(x, y),
    "power": lambda x, y: np.power.outer(x, y),
    "one constant": lambda x, y: np.subtract.outer(x, Y) * y,
    "list": lambda x, y: np.multiply.outer(x, [1.0, 2.0, 3.0]) * y,
    "number": lambda x, y: np.multiply.outer(2.0, x) + np.multiply.outer(x, 3) * y,
}


@pytest.mark.parametrize("f", OUTER.values(), ids=OUTER)
def test_outer(f):
    oracles.assert_derivatives(f, POSITIVE, Y)


def at(ufunc, key):
    def f(x, v):
        target = x * 1.0
        assert ufunc.at(target, key, v) is None
        return target * target

    return f


AT = {
    "add, repeated": (at(np.add, PLACES), oracles.array(4, 3, seed=3)),
    "add, list": (at(np.add, [0, 0, 3]), oracles.array(3, 3, seed=3)),
    "add, broadcast": (at(np.add, (PLACES, [0, 1, 1, 0])), 0.75),
    "add, slice": (at(np.add, slice(1, 3)), oracles.array(3, seed=3)),
    "add, mask": (at(np.add, np.array([True, False, True, False])), oracles.array(2, 3, seed=3)),
    "subtract, repeated": (at(np.subtract, PLACES), oracles.array(4, 3, seed=3)),
    "multiply": (at(np.multiply, [0, 2]), oracles.array(2, 3, seed=3)),
    "divide": (at(np.divide, ([0, 1], [1, 2])), oracles.array(2, low=0.5, high=1.5)),
    "maximum": (at(np.maximum, [0, 2]), oracles.array(3, seed=3)),
}


@pytest.mark.parametrize(("f", "values"), AT.values(), ids=AT)
def test_at(f, values):
    # NumPy adds to the target one after another; dout adds up what goes to one place first.
    oracles.assert_derivatives(f, oracles.array(4, 3, seed=9), values, value_rtol=1e-14)


def test_unary_at():
    def f(x):
        target = x * 1.0
        np.exp.at(target, [0])
        return target

    oracles.assert_derivatives(f, X)


def test_at_keeps_its_own_index():
    def f(x, v):
        target, places = x * 1.0, np.array([0, 1, 1])
        np.add.at(target, places, v)
        places[:] = 2
        return target

    oracles.assert_derivatives(f, oracles.array(3), oracles.array(3, seed=1))


def test_flat_ufuncs():
    oracles.assert_derivatives(lambda x: x * np.greater(x, 0) + np.floor(x) * x, X)
    oracles.assert_derivatives(lambda x: x * np.logical_or.reduce(x > 0, axis=0), X)


def test_a_result_without_derivative_goes_into_a_plain_array():
    def f(x):
        positive = np.zeros(x.shape, bool)
        assert np.greater(x, 0, out=positive) is positive
        return x * positive

    oracles.assert_derivatives(f, X)


def write_into_plain(x):
    return np.exp(x, out=np.zeros((2, 3)))


REFUSED = {
    "plain out": (write_into_plain, TypeError, "np.zeros_like"),
    "plain out with where": (lambda x: np.exp(x, out=np.zeros((2, 3)), where=MASK), TypeError, "np.zeros_like"),
    "plain target of at": (lambda x: np.add.at(np.zeros((2, 3)), 0, x), TypeError, "np.zeros_like"),
    "out of another shape": (lambda x: np.exp(x, out=np.zeros_like(x)[0]), ValueError, r"out= has shape \(3,\)"),
    "where, out of another shape": (
        lambda x: np.exp(x, out=np.zeros_like(x)[0], where=True & MASK),
        ValueError,
        r"out= has shape \(3,\)",
    ),
    "where without out": (lambda x: np.exp(x, where=MASK), ValueError, "where= without out="),
    "integer dtype": (lambda x: np.add(x, 1, dtype=int), TypeError, "dtype=int64 can't carry a derivative"),
    "integer dtype, unsafe": (lambda x: np.add(x, 1, dtype=int, casting="unsafe"), TypeError, "dtype=int64"),
    "casting": (lambda x: np.add(x, 1, dtype=np.float32, casting="safe"), TypeError, "dtype=float32 with casting="),
    "complex to real": (lambda x: np.add(x, 1j, dtype=float), TypeError, "cannot cast"),
    "dtype that it doesn't give": (lambda x: np.abs(x, dtype=complex), TypeError, "dtype=complex128"),
    "signature": (lambda x: np.add(x, 1, signature="dd->d"), TypeError, "signature= is not supported"),
    "reduce over two axes": (lambda x: np.hypot.reduce(x, axis=(0, 1)), TypeError, r"axis=\(0, 1\)"),
    "reduce with initial": (lambda x: np.hypot.reduce(x, initial=1.0), TypeError, "initial= is not supported"),
    "reduce of nothing": (lambda x: np.hypot.reduce(x[:0]), ValueError, "has no entries"),
    "out for two results": (
        lambda x: np.divmod(x, 2.0, out=(np.zeros_like(x), np.zeros_like(x))),
        TypeError,
        "several arrays",
    ),
}


@pytest.mark.parametrize(("f", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(f, error, words):
    with pytest.raises(error, match=words):
        dout.vjp(f, X)


REDUCEAT = {
    "add": lambda x: np.add.reduceat(x, [0, 2, 1]),
    "multiply": lambda x: np.multiply.reduceat(x, [1, 3]),
    "maximum": lambda x: np.maximum.reduceat(x, [0, 1, 3]),
    "axis": lambda x: np.add.reduceat(np.stack([x, x * x]), [0, 2], axis=1),
    "subtract": lambda x: np.subtract.reduceat(x, [0, 2]),
    "dtype": lambda x: np.add.reduceat(x, [0, 2], dtype=np.float64),
}


@pytest.mark.parametrize("name", REDUCEAT)
def test_reduceat(name):
    oracles.assert_derivatives(REDUCEAT[name], oracles.array(5), value_rtol=1e-14)  # NumPy adds in another order there


def test_reduceat_out_of_bounds():
    with pytest.raises(IndexError, match="out-of-bounds"):
        dout.vjp(lambda x: np.add.reduceat(x, [7]), oracles.array(5))


def test_an_entry_named_twice_is_changed_twice():
    def f(x, v):
        y = x * 1.0
        np.multiply.at(y, [0, 1, 0, 0], v)
        return y

    oracles.assert_derivatives(f, oracles.array(3), oracles.array(4, seed=1))
    oracles.assert_derivatives(lambda x: f(x, 2.0), oracles.array(3))

"""Every ufunc that has a rule: values, dtypes, first and second derivatives, kinks, complex numbers."""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import dout
from dout.rules import FUNCTIONS, UFUNCS

NAN, INF = np.nan, np.inf
ANY, POSITIVE, UNIT = (-2.0, 2.0), (0.3, 2.0), (-0.9, 0.9)

# The interval to draw from, and whether NumPy takes complex numbers.
UNARY = {
    np.negative: (ANY, True),
    np.positive: (ANY, True),
    np.absolute: (ANY, True),
    np.fabs: (ANY, False),
    np.conjugate: (ANY, True),
    np.reciprocal: (POSITIVE, True),
    np.square: (ANY, True),
    np.sqrt: (POSITIVE, True),
    np.cbrt: ((-2.0, -0.3), False),
    np.exp: (ANY, True),
    np.exp2: (ANY, True),
    np.expm1: (ANY, True),
    np.log: (POSITIVE, True),
    np.log2: (POSITIVE, True),
    np.log10: (POSITIVE, True),
    np.log1p: ((-0.7, 2.0), True),
    np.sin: (ANY, True),
    np.cos: (ANY, True),
    np.tan: (UNIT, True),
    np.arcsin: (UNIT, True),
    np.arccos: (UNIT, True),
    np.arctan: (UNIT, True),
    np.sinh: (ANY, True),
    np.cosh: (ANY, True),
    np.tanh: (ANY, True),
    np.arcsinh: (UNIT, True),
    np.arccosh: ((1.2, 3.0), True),
    np.arctanh: (UNIT, True),
    np.deg2rad: (ANY, False),
    np.radians: (ANY, False),
    np.rad2deg: (ANY, False),
    np.degrees: (ANY, False),
}
BINARY = {
    np.add: (ANY, ANY, True),
    np.subtract: (ANY, ANY, True),
    np.multiply: (ANY, ANY, True),
    np.divide: (ANY, POSITIVE, True),
    np.remainder: ((0.2, 0.8), (-1.9, -1.0), False),
    np.fmod: ((-2.6, -2.2), (0.95, 1.05), False),
    np.copysign: (ANY, ANY, False),
    np.nextafter: (ANY, ANY, False),
    np.power: (POSITIVE, ANY, True),
    np.float_power: (POSITIVE, ANY, True),
    np.logaddexp: (ANY, ANY, False),
    np.logaddexp2: (ANY, ANY, False),
    np.hypot: (ANY, POSITIVE, False),
    np.arctan2: (ANY, POSITIVE, False),
    np.maximum: (ANY, ANY, True),
    np.minimum: (ANY, ANY, True),
    np.fmax: (ANY, ANY, True),
    np.fmin: (ANY, ANY, True),
    np.heaviside: (ANY, ANY, False),
}
WITH_INTEGER = {np.ldexp}

LAYOUTS = {
    "number": lambda draw: draw(),
    "empty": lambda draw: draw(0),
    "vector": lambda draw: draw(3),
    "matrix": lambda draw: draw(2, 3),
    "transposed": lambda draw: draw(3, 2).T,
    "strided": lambda draw: draw(4, 6)[::2, 5::-2],
}
# dout.vjp works on contiguous copies, and NumPy's loops over strided memory may round the last bit otherwise.
STRIDED_RTOL = 1e-15
SHAPES = [
    ((), ()),
    ((0,), (0,)),
    ((3,), (3,)),
    ((3, 1), (1, 4)),
    ((2, 3), (3,)),
    ((), (2, 2)),
    ((0, 3), (1, 3)),
]


def name_of(value):
    return getattr(value, "__name__", None)


def draw(interval, *shape, seed=0, kind="float"):
    return oracles.array(*shape, low=interval[0], high=interval[1], seed=seed, kind=kind)


def pair(ufunc, first, second):
    """Inputs of a binary ufunc; those drawn from the same interval are all distinct, so that there are no ties."""
    low, high, _ = BINARY[ufunc]
    n, m = (int(np.prod(shape)) for shape in (first, second))
    if low == high:
        both = draw(low, n + m)
        return both[:n].reshape(first), both[n:].reshape(second)
    return draw(low, *first), draw(high, *second, seed=1)


def test_every_ufunc_with_a_rule_is_in_a_table():
    of_numpy = {f for f in UFUNCS if getattr(np, f.__name__, None) is f}  # SciPy's are tested in test_special.py
    assert of_numpy == set(UNARY) | set(BINARY) | WITH_INTEGER


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ufunc", UNARY, ids=name_of)
def test_unary(ufunc, layout):
    x = LAYOUTS[layout](lambda *shape: draw(UNARY[ufunc][0], *shape))
    oracles.assert_derivatives(ufunc, x, value_rtol=STRIDED_RTOL if layout == "strided" else 0)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_binary(ufunc, shapes):
    oracles.assert_derivatives(ufunc, *pair(ufunc, *shapes))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_binary_layouts(ufunc, layout):
    low, high, _ = BINARY[ufunc]
    x = LAYOUTS[layout](lambda *shape: draw(low, *shape))
    y = LAYOUTS[layout](lambda *shape: draw(high, *shape, seed=7))
    oracles.assert_derivatives(ufunc, x, y, order=1, value_rtol=STRIDED_RTOL if layout == "strided" else 0)


@pytest.mark.parametrize("ufunc", [*UNARY, *BINARY], ids=name_of)
def test_narrow_dtypes(ufunc):
    if ufunc in UNARY:
        oracles.assert_narrow(ufunc, draw(UNARY[ufunc][0], 2, 3))
    else:
        oracles.assert_narrow(ufunc, *pair(ufunc, (2, 1), (3,)))


@pytest.mark.parametrize("ufunc", [*UNARY, *BINARY], ids=name_of)
def test_derivatives_keep_the_dtype_at_the_same_shape_too(ufunc):
    args = [draw(UNARY[ufunc][0], 3)] if ufunc in UNARY else pair(ufunc, (3,), (3,))
    oracles.assert_narrow(ufunc, *args)


@pytest.mark.parametrize("ufunc", [*UNARY, *BINARY], ids=name_of)
def test_python_floats(ufunc):
    if ufunc in UNARY:
        oracles.assert_derivatives(ufunc, float(draw(UNARY[ufunc][0])))
    else:
        x, y = pair(ufunc, (), ())
        oracles.assert_derivatives(ufunc, float(x), float(y))
        oracles.assert_derivatives(ufunc, float(x), np.full(2, y))
        oracles.assert_derivatives(ufunc, np.float64(x), float(y))


@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_one_input_constant(ufunc):
    x, y = pair(ufunc, (2, 3), (3,))
    oracles.assert_derivatives(lambda x: ufunc(x, y), x)
    oracles.assert_derivatives(lambda y: ufunc(x, y), y)


@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
def test_mixed_dtypes(ufunc):
    x, y = pair(ufunc, (2, 3), (3,))
    out, pullback = dout.vjp(ufunc, x.astype(np.float32), y)
    oracles.assert_same(out, ufunc(x.astype(np.float32), y))
    assert [d.dtype for d in pullback(np.ones_like(out))] == [np.float32, np.float64]


@pytest.mark.parametrize("ufunc", BINARY, ids=name_of)
@settings(max_examples=8, derandomize=True, deadline=None)
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_any_broadcasting(ufunc, shapes):
    oracles.assert_derivatives(ufunc, *pair(ufunc, *shapes.input_shapes), order=1)


OPERATORS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "remainder": lambda x, y: x % y,
    "negative": lambda x, y: -x + +y,
    "abs": lambda x, y: abs(x) * y,
    "same input twice": lambda x, y: x * x / (x + y),
    "number on the left": lambda x, y: 2 - 3 / (1 + 2**x) * y,
}


@pytest.mark.parametrize("shapes", [None, *SHAPES], ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name, shapes):
    """Python's operators, on arrays and (None) on Python's numbers, whose results and derivatives are Python's numbers."""
    x, y = (0.7, 1.9) if shapes is None else (draw(POSITIVE, *shapes[0]), draw((2.1, 3.0), *shapes[1], seed=1))
    oracles.assert_derivatives(OPERATORS[name], x, y)


COMPLEX = [u for u, (*_, takes_complex) in {**UNARY, **BINARY}.items() if takes_complex]


def test_the_tables_say_which_ufuncs_take_complex_numbers():
    takes = {u for u in [*UNARY, *BINARY] if any(t.startswith("D" * u.nin) for t in u.types)}
    assert takes == set(COMPLEX)


def complex_args(ufunc):
    if ufunc in UNARY:
        return [draw(ANY, 2, 3, kind="complex")]
    return [draw(ANY, 2, 1, kind="complex", seed=2), draw(ANY, 3, kind="complex", seed=3)]


@pytest.mark.parametrize("ufunc", COMPLEX, ids=name_of)
def test_complex(ufunc):
    oracles.assert_derivatives(ufunc, *complex_args(ufunc))


@pytest.mark.parametrize("ufunc", [u for u in COMPLEX if u in BINARY], ids=name_of)
def test_real_with_complex(ufunc):
    x, y = complex_args(ufunc)
    oracles.assert_derivatives(ufunc, x, y.real + 2.5)
    oracles.assert_derivatives(ufunc, x.real + 2.5, y)


# JAX has no complex fmax, fmin; its float_power is power; its maximum breaks ties of real parts likewise.
LIKE_JAX = [u for u in COMPLEX if u not in (np.fmax, np.fmin)]


@pytest.mark.parametrize("ufunc", LIKE_JAX, ids=name_of)
def test_complex_like_jax(ufunc):
    args = complex_args(ufunc)
    if ufunc is np.arccosh:  # left of the imaginary axis JAX's 1 / sqrt(z**2 - 1) has the wrong sign; differences agree
        args = [np.abs(args[0].real) + 1j * args[0].imag]
    oracles.assert_like_jax(lambda xp, *args: getattr(xp, ufunc.__name__)(*args), *args)


Z = oracles.array(2, 3, kind="complex")
COMPLEX_FUNCTIONS = {
    "real": lambda xp, z: xp.real(z),
    "imag": lambda xp, z: xp.imag(z),
    "angle": lambda xp, z: xp.angle(z),
    "angle in degrees": lambda xp, z: xp.angle(z, deg=True),
    "modulus squared": lambda xp, z: (z * xp.conj(z)).real,
    "attributes": lambda xp, z: z.real * z.imag + z.conj() * z.imag,
    "times real": lambda xp, z: xp.abs(z) * z + z**2 + 2.0**z,
    "astype": lambda xp, z: z.real.astype(np.complex128) * z,
    "where": lambda xp, z: xp.where(z.real > 0, z, xp.conj(z) * 2),
    "complex plus float": lambda xp, z: z.real + 1j * xp.sin(z.imag),
}


@pytest.mark.parametrize("name", COMPLEX_FUNCTIONS)
def test_complex_functions(name):
    f = COMPLEX_FUNCTIONS[name]
    oracles.assert_derivatives(lambda z: f(np, z), Z)
    oracles.assert_like_jax(f, Z)


def test_complex_sign():
    # JAX gives 0 for z / abs(z); differences don't. NumPy divides in C, which rounds otherwise than z / abs(z).
    oracles.assert_derivatives(np.sign, Z, value_rtol=1e-15)


def test_complex64_keeps_its_dtype():
    z = Z.astype(np.complex64)
    for f in (np.exp, np.abs, np.conj, np.real, np.imag, np.angle, np.square, lambda z: z * 2.0):
        out, pullback = dout.vjp(f, z)
        oracles.assert_same(out, f(z))
        assert pullback(np.ones_like(out))[0].dtype == np.complex64


X = oracles.array(2, 3)
FUNCTIONS_OF_X = {
    "where": lambda x: np.where(x > 0, x**2, -x),
    "where with number": lambda x: np.where(x > 0, x, 1.0) * np.where(x > 0, 0.5, x),
    "where broadcasts": lambda x: np.where(np.array([[True], [False]]), x[:1], x[:, :1]),
    "clip": lambda x: np.clip(x, -0.5, 0.7),
    "clip from below": lambda x: np.clip(x, 0.1, None),
    "clip keywords": lambda x: np.clip(x, min=-0.5, max=0.7),
    "clip by itself": lambda x: np.clip(x, x[0], 1.0),
    "clip by nothing": lambda x: np.clip(x, None, None) * x,
    "clip method": lambda x: x.clip(-0.5, 0.7),
    "sign": lambda x: np.sign(x) * x,
    "modf": lambda x: np.modf(x),
    "divmod": lambda x: np.divmod(x, 0.75),
    "divmod operator": lambda x: divmod(x, 0.75)[1],
    "floor": lambda x: x - np.floor(x) + np.ceil(x) * x,
    "real of real": lambda x: np.real(x) * x.real,
    "imag of real": lambda x: np.imag(x) + x,
    "nan_to_num": lambda x: np.nan_to_num(x) * 2,
    "astype": lambda x: x.astype(np.complex128) * 1j,
    "ldexp": lambda x: np.ldexp(x, np.array([1, -2, 0])),
    "integer power of negatives": lambda x: x**3 + x**2.0 + x**-1 + np.power(x, np.array([0, 2, -3])),
}


@pytest.mark.parametrize("name", FUNCTIONS_OF_X)
def test_functions(name):
    oracles.assert_derivatives(FUNCTIONS_OF_X[name], X)


def d(f, *args):
    """The derivatives with respect to each argument of the sum of f."""
    return dout.grad(lambda *xs: np.sum(f(*xs)), tuple(range(len(args))))(*args)


# f, its arguments, the derivative with respect to each.
KINKS = [
    ("abs at 0", np.abs, [[-1.0, 0.0, 2.0]], [[-1, 0, 1]]),
    ("fabs at 0", np.fabs, [[0.0]], [[0]]),
    ("complex abs at 0", np.abs, [[0j, 3 + 4j]], [[0, 0.6 - 0.8j]]),
    ("maximum tie", np.maximum, [[1.0, 2.0], [1.0, 1.0]], [[0.5, 1], [0.5, 0]]),
    ("minimum tie", np.minimum, [[1.0, 2.0], [1.0, 1.0]], [[0.5, 0], [0.5, 1]]),
    ("fmax tie", np.fmax, [[1.0], [1.0]], [[0.5], [0.5]]),
    ("fmin tie", np.fmin, [[1.0], [1.0]], [[0.5], [0.5]]),
    ("relu at 0", lambda x: np.maximum(x, 0), [[-1.0, 0.0, 1.0]], [[0, 0.5, 1]]),
    ("maximum with NaN", np.maximum, [[NAN, 1.0], [1.0, NAN]], [[1, 0], [0, 1]]),
    ("fmax with NaN", np.fmax, [[NAN, 1.0], [1.0, NAN]], [[0, 1], [1, 0]]),
    ("fmin with NaN", np.fmin, [[NAN, 1.0], [1.0, NAN]], [[0, 1], [1, 0]]),
    ("hypot at 0", np.hypot, [[0.0, 3.0], [0.0, 4.0]], [[0, 0.6], [0, 0.8]]),
    ("x**0 at 0", lambda x: x**0, [[0.0, 2.0]], [[0, 0]]),
    ("x**y, y = 0", np.power, [[0.0, 2.0], [0.0, 0.0]], [[0, 0], [0, np.log(2)]]),
    ("x**1 at 0", lambda x: x**1, [[0.0]], [[1]]),
    ("x**2 at 0", lambda x: x**2, [[0.0]], [[0]]),
    ("0**p", np.power, [[0.0, 0.0], [2.0, 1.0]], [[0, 1], [0, 0]]),
    ("0**p, p alone", lambda p: np.power(0.0, p), [[2.0]], [[0]]),
    ("copysign of zeros", np.copysign, [[0.0, -0.0], [-1.0, -1.0]], [[-1, 1], [0, 0]]),
    ("heaviside at 0", np.heaviside, [[0.0, 1.0], [0.3, 0.3]], [[0, 0], [1, 0]]),
    ("logaddexp of -inf", np.logaddexp, [[-INF, -INF], [0.0, -INF]], [[0, 0.5], [1, 0.5]]),
    ("logaddexp of inf", np.logaddexp, [[INF, INF], [0.0, INF]], [[1, 0.5], [0, 0.5]]),
    ("logaddexp far apart", np.logaddexp, [[1e4], [-1e4]], [[1], [0]]),
    ("where, NaN not taken", lambda x, y: np.where([True, False], x, y), [[1.0, NAN], [INF, 2.0]], [[1, 0], [0, 1]]),
    ("nan_to_num", np.nan_to_num, [[NAN, INF, -INF, 1.0]], [[0, 0, 0, 1]]),
    ("complex nan_to_num", np.nan_to_num, [[complex(1, NAN), 1j]], [[1, 1]]),
    ("modf of inf", lambda x: np.modf(x)[0], [[INF, -2.0]], [[0, 1]]),
    ("clip at its ends", lambda x: np.clip(x, 0.0, 1.0), [[0.0, 0.5, 1.0]], [[0.5, 1, 0.5]]),
    ("remainder, as NumPy rounds", np.remainder, [[1.0], [0.1]], [[1], [-9]]),
    ("fmod, as NumPy rounds", np.fmod, [[-1.0], [0.1]], [[1], [9]]),
    ("sign", np.sign, [[-2.0, 0.0, 2.0]], [[0, 0, 0]]),
    ("complex sign at 0", np.sign, [[0j]], [[0]]),
]


@pytest.mark.parametrize(("f", "args", "expected"), [k[1:] for k in KINKS], ids=[k[0] for k in KINKS])
def test_kinks(f, args, expected):
    found = d(lambda *xs: np.real(f(*xs)), *map(np.array, args))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, 1e-15)


# One-sided derivatives that are infinite: NumPy's own warning, and infinity rather than a number.
INFINITE = [
    ("sqrt at 0", np.sqrt, 0.0, INF),
    ("log at 0", np.log, 0.0, INF),
    ("x**0.5 at 0", lambda x: x**0.5, 0.0, INF),
    ("cbrt at 0", np.cbrt, 0.0, INF),
    ("arcsin at 1", np.arcsin, 1.0, INF),
    ("arccos at 1", np.arccos, 1.0, -INF),
    ("arccosh at 1", np.arccosh, 1.0, INF),
    ("1/x at 0", np.reciprocal, 0.0, -INF),
]


@pytest.mark.parametrize(("f", "x", "expected"), [k[1:] for k in INFINITE], ids=[k[0] for k in INFINITE])
def test_infinite_derivatives(f, x, expected):
    with np.errstate(divide="ignore"):
        assert d(f, np.array([x]))[0] == expected
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        d(f, np.array([x]))


# Second derivatives where a guard against 0 could hide one.
SECOND = [
    ("x**2 at 0", lambda x: x**2, 0.0, 2),
    ("x**3 at 0", lambda x: x**3, 0.0, 0),
    ("x**1 at 0", lambda x: x**1, 0.0, 0),
    ("x**0 at 0", lambda x: x**0, 0.0, 0),
    ("x**array(2) at 0", lambda x: x ** np.array(2.0), 0.0, 2),
    ("abs at 0", np.abs, 0.0, 0),
    ("hypot at 0", lambda x: np.hypot(x, 0.0), 0.0, 0),
    ("square at 0", np.square, 0.0, 2),
    ("logaddexp tie", lambda x: np.logaddexp(x, 1.0), 1.0, 0.25),
]


@pytest.mark.parametrize(("f", "x", "expected"), [k[1:] for k in SECOND], ids=[k[0] for k in SECOND])
def test_second_derivatives_at_zero(f, x, expected):
    assert dout.grad(dout.grad(f))(x) == expected


def test_mixed_second_derivative_of_power_at_exponent_zero():
    hessian = dout.hessian(lambda v: v[0] ** v[1])(np.array([2.0, 0.0]))
    np.testing.assert_allclose(hessian, [[0, 0.5], [0.5, np.log(2) ** 2]], 1e-15)


# Where a shorter formula would overflow, underflow or cancel.
EXTREMES = [
    ("arctan2, large", lambda y: np.arctan2(y, 1e200), 1e200, 0.5e-200),
    ("arctan2, small", lambda y: np.arctan2(y, 1e-200), 1e-200, 0.5e200),
    ("hypot, large", lambda x: np.hypot(x, 4e200), 3e200, 0.6),
    ("arcsinh, large", np.arcsinh, 1e200, 1e-200),
    ("expm1, negative", np.expm1, -40.0, np.exp(-40.0)),
    ("arcsin, near 1", np.arcsin, 1 - 2.0**-40, 1 / np.sqrt(2.0**-39 - 2.0**-80)),
    ("arctanh, near 1", np.arctanh, 1 - 2.0**-40, 1 / (2.0**-39 - 2.0**-80)),
    ("logaddexp, large", lambda x: np.logaddexp(x, 1000.0), 1000.0, 0.5),
]


@pytest.mark.parametrize(("f", "x", "expected"), [k[1:] for k in EXTREMES], ids=[k[0] for k in EXTREMES])
def test_extremes(f, x, expected):
    np.testing.assert_allclose(dout.grad(f)(x), expected, 1e-14)


@pytest.mark.parametrize("value", [-0.0, -2.0, 2.5, INF, -INF])
def test_modf_is_numpys(value):
    for x in (value, np.array([value])):
        oracles.assert_same(dout.vjp(np.modf, x)[0], np.modf(x))


def test_nan_to_num_in_place():
    def f(x):
        y = x * 1.0
        z = np.nan_to_num(y, copy=False, nan=3.0)
        return np.sum(y * 2 + z)

    x = np.array([1.0, NAN])
    assert f(x) == dout.value_and_grad(f)(x)[0]
    np.testing.assert_array_equal(dout.grad(f)(x), [3.0, 0.0])


def test_clip_gives_a_copy():
    def f(x):
        y = np.clip(x, None, None)
        y[0] = 0.0
        return np.sum(x * y)

    np.testing.assert_array_equal(dout.grad(f)(np.array([1.0, 2.0])), [0.0, 4.0])


def test_real_of_real_is_a_view():
    def f(x):
        x = x * 1.0
        y = np.real(x)
        y[0] = 5.0
        return np.sum(x * x)

    x = np.array([1.0, 2.0])
    oracles.assert_same(dout.vjp(f, x)[0], f(x))
    np.testing.assert_array_equal(dout.grad(f)(x), [0.0, 4.0])


def test_clip_refuses_what_it_does_not_know():
    x = np.array([1.0])
    with pytest.raises(TypeError, match=r"np.clip: where= is not supported"):
        dout.vjp(lambda x: np.clip(x, 0, 1, where=[True]), x)
    with pytest.raises(ValueError, match="not both"):
        dout.vjp(lambda x: np.clip(x, 0, min=1), x)


def test_every_ufunc_function_is_tested_by_name():
    """Ufuncs that are written in terms of others; products have files of their own."""
    products = {np.matmul, np.vecdot, np.matvec, np.vecmat}
    assert {f for f in FUNCTIONS if isinstance(f, np.ufunc)} - products == {np.sign, np.divmod, np.modf, np.frexp}


def test_frexp():
    x = oracles.array(5, low=-9, high=9)
    oracles.assert_derivatives(lambda x: np.frexp(x)[0], x)
    assert np.array_equal(dout.vjp(lambda x: np.frexp(x), x)[0][1], np.frexp(x)[1])


def test_nextafter():
    assert dout.grad(np.nextafter, (0, 1))(1.0, 2.0) == (1.0, 0.0)


EMATH = {
    "sqrt": (np.emath.sqrt, (-2.0, 3.0)), "log": (np.emath.log, (-2.0, 3.0)), "log2": (np.emath.log2, (-2.0, 3.0)),
    "log10": (np.emath.log10, (-2.0, 3.0)), "arccos": (np.emath.arccos, (0.3, 3.0)), "arcsin": (np.emath.arcsin, (0.3, 3.0)),
    "arctanh": (np.emath.arctanh, (0.3, 3.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", EMATH)
def test_emath(name):
    f, points = EMATH[name]
    for x in points:
        # complex values of real inputs: of their real and imaginary parts
        for part in (np.real, np.imag):
            assert dout.grad(lambda x, part=part: part(f(x)) * 1.0)(x) == pytest.approx(
                oracles.numerical(lambda x, part=part: part(f(x)) * 1.0, [x]), abs=1e-8
            )


def test_emath_of_two():
    oracles.assert_derivatives(lambda x: np.real(np.emath.power(x, 1.5)), -2.0)
    oracles.assert_derivatives(lambda n, x: np.emath.logn(n, x), 2.0, 5.0, value_rtol=1e-15)


def test_real_if_close():
    assert dout.grad(lambda x: np.real_if_close(x * (1 + 0j)))(3.0) == 1.0


@pytest.mark.filterwarnings("ignore:NumPy made an array of Python objects")
def test_functions_of_python_code():
    square = np.frompyfunc(lambda t: t * t, 1, 1)
    found = dout.grad(lambda x: np.sum(square(x)))(np.array([1.0, 3.0]))
    assert found.tolist() == [2.0, 6.0]


def test_a_negative_base_with_a_complex_exponent():
    oracles.assert_derivatives(lambda x, y: np.power(x, y), -1.5, 0.7 + 0.3j)
    oracles.assert_derivatives(lambda y: np.power(np.array([-1.5, 2.0]), y), np.array([0.7 + 0.3j, -1.0 + 0.2j]))


@pytest.mark.parametrize(("y", "x"), [(1.0, INF), (-INF, 2.0), (3.0, -INF)])
def test_arctan2_at_infinity(y, x):
    assert dout.grad(np.arctan2, (0, 1))(y, x) == (0.0, 0.0)


NOT_CHOSEN = {
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0), [0.0, 4.0], [0.0, 0.25]),
    "cbrt": (lambda x: np.minimum(np.cbrt(x), -1.0), [0.0, -8.0], [0.0, 1 / 12]),
    "power": (lambda x: np.where(x > 0, x**0.5, x), [0.0, 4.0], [1.0, 0.25]),
    "arcsin": (lambda x: np.where(x < 1, np.arcsin(x), x), [1.0, 0.0], [1.0, 1.0]),
    "mask": (lambda x: np.sqrt(x)[x > 0], [0.0, 4.0], [0.0, 0.25]),
    "greatest": (lambda x: np.maximum(np.sqrt(x), 1.0), [0.0, 4.0], [0.0, 0.25]),
    "further on": (lambda x: np.where(x > 0, np.sin(np.sqrt(x * 2)) + 1, x), [0.0, 2.0], [1.0, np.cos(2.0) / 2]),
}


@pytest.mark.parametrize("name", NOT_CHOSEN)
def test_what_is_not_chosen_has_no_part_in_the_derivative(name):
    f, x, expected = NOT_CHOSEN[name]
    np.testing.assert_allclose(dout.grad(lambda x: np.sum(f(x)))(np.array(x)), expected, 1e-14)
    if name != "mask":
        assert [dout.grad(f)(number) for number in x] == pytest.approx(expected)


def test_what_is_not_chosen_has_no_part_in_second_derivatives():
    found = dout.hessian(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0)))(np.array([0.0, 4.0]))
    np.testing.assert_allclose(found, [[0, 0], [0, -1 / 32]])


def test_an_overflow_that_is_not_chosen():
    with np.errstate(over="ignore"):
        found = dout.grad(lambda x: np.sum(np.where(x < 0, np.exp(x) - 1, x)))(np.array([1000.0, -1.0]))
    np.testing.assert_allclose(found, [1.0, np.exp(-1.0)])


def test_logaddexp_with_a_number_keeps_the_width():
    x = np.array([0.5], "f4")
    assert dout.grad(lambda x: np.sum(np.logaddexp(x, 0.5)))(x).dtype == np.float32
    assert dout.grad(lambda x: np.sum(np.logaddexp2(0.5, x)))(x).dtype == np.float32

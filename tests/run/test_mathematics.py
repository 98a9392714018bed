"""The vector functions are within two units in the last place of the true value, over their whole range."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")
sp = pytest.importorskip("scipy.special")

from accuracy import (  # noqa: E402
    DTYPES,
    LIMITS,
    TRUE,
    beside_zeros,
    evaluate,
    loops,
    numbers_next_to_zeros_of_psi,
    off,
    worst,
)  # fmt: skip

from dout.jit import jit  # noqa: E402
from dout.run.native import math as native  # noqa: E402
from dout.run.native import text as ir  # noqa: E402
from dout.run.native.engine import width  # noqa: E402

KINDS = list(DTYPES)
SPECIAL = [
    0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 2.3e-308, -2.3e-308, 1e-40, 1e-20, -1e-20, 0.5, -0.5, 1.0, -1.0,
    2.0, 3.0, -2.0, 25.0, -25.0, 90.0, -110.0, 710.5, -760.0, 1e4, -1e4, 1e30, 1.79e308, -1.79e308,
]  # fmt: skip
#: What NumPy's and SciPy's own values may be off; mpmath is the judge of accuracy, above.
NEAR = {"f8": 1e-13, "f4": 1e-5}


def reference(name):
    return getattr(np, name, None) or getattr(sp, name)


@pytest.mark.parametrize("script", ["make_polynomials.py", "make_zeros.py"])
def test_coefficients_are_those_of_the_script(script):
    script = Path(__file__).parents[2] / "docs" / script
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_function_is_tested():
    assert set(TRUE) == native.NAMES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TRUE)
def test_within_two_units_of_the_true_value(name, kind):
    found, where = worst(name, kind, 100 if name in ("gammaln", "psi") else 250)
    assert found <= LIMITS.get(name, 2.0), where


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TRUE)
def test_special_values_are_those_of_numpy(name, kind):
    if not hasattr(np, name) and not hasattr(sp, name):
        pytest.skip("this SciPy doesn't have it")
    with np.errstate(all="ignore"):
        points = np.array(SPECIAL).astype(DTYPES[kind])
        if name == "gammaln":  # SciPy's is infinite at subnormal numbers; it should be 744.4
            points = points[(points == 0) | ~(np.abs(points) < np.finfo(points.dtype).tiny)]
        grid = np.meshgrid(*[points] * native.arity(name))
        xs = [np.ascontiguousarray(x.ravel()) for x in grid]
        expected = reference(name)(*xs)
    found = evaluate(name, *xs)
    tiny = 4 * np.finfo(DTYPES[kind]).smallest_subnormal  # of which a relative error says nothing
    np.testing.assert_allclose(found, expected, NEAR[kind], float(tiny))
    zeros = (expected == 0) & (found == 0)
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_arguments_next_to_multiples_of_half_pi(name, kind):
    """6381956970095103 * 2**797 is nearest of all doubles to a multiple of pi/2 (Muller, Elementary Functions, 2006)."""
    rng = np.random.default_rng(0)
    near = np.round(2.0 ** rng.uniform(0, 60, 300)) * (np.pi / 2)
    hard = (
        [math.ldexp(6381956970095103, 797), 2.0**40, 2.0**17, 1e22]
        if kind == "f8"
        else [2.0**17, 2.0**100, 16367173 * 2.0**72]
    )
    x = np.concatenate([near, np.array(hard), -near[:50]]).astype(DTYPES[kind])
    found, where = off(name, [x], evaluate(name, x))
    assert found <= 2.0, where


@pytest.mark.parametrize("name", ["gammaln", "psi"])
@pytest.mark.parametrize("kind", KINDS)
def test_next_to_zeros_at_negative_arguments(name, kind):
    x = beside_zeros(name, kind, 100, 40)
    found, where = off(name, [x], evaluate(name, x))
    assert found <= 4.0, where


@pytest.mark.parametrize("kind", KINDS)
def test_psi_next_to_zeros_far_from_0(kind):
    """The numbers next to zeros of any size: some are nearer to them by chance."""
    x = numbers_next_to_zeros_of_psi(kind, 1500)
    found, where = off("psi", [x], evaluate("psi", x))
    assert found <= 4.0, where


@pytest.mark.parametrize("name", ["gammaln", "psi"])
@pytest.mark.parametrize("kind", KINDS)
def test_next_to_poles(name, kind):
    n = np.arange(1, 41)[:, None]
    step = 2.0 ** -np.arange(2, 50)
    x = -np.concatenate([n + step, n - step]).ravel().astype(DTYPES[kind])
    x = np.ascontiguousarray(x[x != np.floor(x)])
    found, where = off(name, [x], evaluate(name, x))
    assert found <= 4.0, where


@pytest.mark.parametrize("name", ["gammaln", "psi"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_negative_argument_among_others(name, kind):
    """What a vector computes for one of its entries doesn't change the others."""
    x = np.linspace(0.1, 30, 64).astype(DTYPES[kind])
    expected = evaluate(name, x)
    for i, negative in enumerate([-0.7, -2.457, -15.7, -16.73, -18.73, -1e5 - 0.7, -3.0, -math.inf, math.nan]):
        other = x.copy()
        other[7 * i] = negative
        found = evaluate(name, other)
        np.testing.assert_array_equal(np.delete(found, 7 * i), np.delete(expected, 7 * i))
        np.testing.assert_array_equal(found[7 * i], evaluate(name, other[7 * i : 7 * i + 1])[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TRUE)
def test_vectors_and_single_numbers_agree(name, kind):
    rng = np.random.default_rng(0)
    xs = [rng.uniform(-3, 3, 64).astype(DTYPES[kind]) for _ in range(native.arity(name))]
    one = [evaluate(name, *[x[i : i + 1].copy() for x in xs])[0] for i in range(64)]
    np.testing.assert_array_equal(evaluate(name, *xs), np.array(one))


def test_loops_are_vectorised():
    text = loops().text
    for name in TRUE:
        for kind, size in (("f8", 64), ("f4", 32)):
            lanes = width() // size
            assert re.search(rf"call <{lanes} x (double|float)> @dout\.{name}\.{kind}\.x{lanes}\(", text), (name, kind)


@pytest.mark.parametrize("kind", ["f8", "f4"])
def test_loops_have_the_code_of_short_functions(kind):
    """A call would cost them more; only where there are many is the function called. The numbers are the same."""
    x = np.linspace(-3, 1, 777).astype(DTYPES[kind])

    def text(times):
        module = ir.Module()
        b = ir.IRBuilder(ir.Function(module, ir.FunctionType(ir.VoidType(), []), "f").append_basic_block())
        b.phi(ir.IntType(64))  # as in a loop
        real = ir.DoubleType() if kind == "f8" else ir.FloatType()
        for _ in range(times):
            native.call(b, "exp", kind, [ir.Constant(real, 1.0)])
        return str(module)

    assert f"define internal <{width() // (64 if kind == 'f8' else 32)} x" in text(1)
    assert "define internal" not in text(20)
    few, many = jit(np.exp), jit(lambda x: [np.exp(x + k) for k in range(20)])
    assert np.array_equal(few(x), many(x)[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_under_jit(dtype):
    def f(x, y):
        return np.sin(x) * np.arctan2(y, x) + sp.expit(x) * np.power(y, x) + sp.erf(x) + np.log2(y) + y**2.5 + 2.0**x

    x, y = np.linspace(-3, 3, 50).astype(dtype), np.linspace(0.5, 4, 50).astype(dtype)
    fast = jit(f)
    expected = f(x, y)
    fast(x, y)  # is recorded
    found = fast(x, y)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, 1e-13 if dtype == np.float64 else 1e-5)
    assert "NumPy:" not in str(fast.report(x, y))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "name", ["deg2rad", "radians", "rad2deg", "degrees", "copysign", "fmax", "fmin", "maximum", "float_power"]
)
def test_small_functions_under_jit(name, dtype):
    function = getattr(np, name)
    special = np.array([1.5, -2.0, 0.0, -0.0, math.nan, math.inf, -math.inf]).astype(dtype)
    xs = [x.ravel().copy() for x in np.meshgrid(*[special] * function.nin)]
    fast = jit(lambda *xs: function(*xs) * 2)
    with np.errstate(all="ignore"):
        expected = function(*xs) * 2
        fast(*xs)
        found = fast(*xs)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, 4 * float(np.finfo(dtype).eps))
    if name not in ("fmax", "fmin", "maximum"):  # of zeros of both signs, either is the larger
        np.testing.assert_array_equal(np.signbit(found[expected == 0]), np.signbit(expected[expected == 0]))
    assert "NumPy:" not in str(fast.report(*xs))


def power(x, y):
    return x**y


@pytest.mark.parametrize(("x", "y"), [(0.0, -1.5), (1e200, 2.5), (-0.0, -3.0)])
def test_powers_of_pythons_numbers_raise_as_pythons_do(x, y):
    fast = jit(power)
    for _ in range(2):  # recorded, and run
        assert fast(2.0, 0.7) == pytest.approx(2.0**0.7, rel=1e-15)
    assert "NumPy:" not in str(fast.report(2.0, 0.7))
    with pytest.raises(ArithmeticError):
        power(x, y)
    with pytest.raises(ArithmeticError):
        fast(x, y)


def test_powers_of_pythons_numbers_are_complex_where_pythons_are():
    fast = jit(power)
    for _ in range(2):  # recorded, and run
        assert fast(2.0, 0.7) == pytest.approx(2.0**0.7, rel=1e-15)
    assert "NumPy:" not in str(fast.report(2.0, 0.7))
    assert fast(-2.0, 0.7) == (-2.0) ** 0.7

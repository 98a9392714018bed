"""Variables in NumPy's arrays of Python objects."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import oracles
import pytest

import dout

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "benchmarks")]
from coverage_table import OBJECTS_RAISE  # noqa: E402
from function_cases import CASES  # noqa: E402
from function_inputs import PLAIN, arguments  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:NumPy made an array of Python objects")
X = oracles.array(3)
M = oracles.array(2, 3)

PATTERNS = {
    "entries": lambda x: np.sum(np.array([x[0], x[1] * 2, 1.0])),
    "rows": lambda x: np.sum(np.array([x, x * x]) * x),
    "nested": lambda x: np.array([[x[0], 2.0], [x[1] * x[2], x[0]]]) @ x[:2],
    "asarray": lambda x: np.asarray(x) * 2,
    "array": lambda x: np.array(x) ** 2 + 1,
    "full": lambda x: np.sum(np.full(4, x[0]) * np.full(4, x[1])),
    "sum of a list": lambda x: np.sum([x[0], x[1]]),
    "product": lambda x: np.prod(np.array([x[0], x[1]])),
    "maximum": lambda x: np.max(np.array([x[0], x[1], x[2]])),
    "dot": lambda x: np.dot(np.array([x[0], x[1]]), np.array([2.0, 3.0])),
    "outer": lambda x: np.outer(np.array([x[0], x[1]]), x),
    "beside x": lambda x: x[:2] + np.array([x[2], 5.0]),
    "x beside": lambda x: np.array([x[2], 5.0]) - x[:2],
    "stack": lambda x: np.stack([np.array([x[0], x[1]]), x[1:]]),
    "written": lambda x: write(np.zeros_like(x), np.array([x[1], x[0]])),
    "filled": lambda x: write(np.full(3, x[0]), np.array([x[1], x[2]])),
    "returned": lambda x: np.array([x[0] * x[1], x[2]]),
    "returned in a tuple": lambda x: (np.array([x[0], 1.0]), x),
    "transposed": lambda x: np.array([[x[0], x[1]], [x[2], 0.0]]).T.ravel(),
    "vectorize": lambda x: np.vectorize(lambda t: t * t)(x),
    "masked": lambda x: np.sum(np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]) * x),
    "interp table": lambda x: np.trapezoid(np.array([x[0], x[1], x[2]]), [0.0, 1.0, 3.0]),
}


def write(target, values):
    target[:2] = values
    return target


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f = PATTERNS[name]

    def floats(x):
        """As f, so that plain values have the form that dout gives."""
        out = f(x)
        return out if isinstance(out, tuple) else np.asarray(out)[()] if np.ndim(out) == 0 else out

    # entries are added one after another, not pairwise
    oracles.assert_derivatives(floats if name != "returned in a tuple" else f, X, value_rtol=1e-15)


UNARY = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "arcsin", "arccos",
         "arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "deg2rad", "rad2deg", "fabs", "square", "negative",
         "absolute", "reciprocal", "positive"]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_ufuncs(name):
    ufunc = getattr(np, name)
    x = np.array([0.2, 0.6])
    found = dout.grad(lambda x: np.sum(ufunc(np.array([x[0], x[1]])) * x))(x)
    np.testing.assert_allclose(found, dout.grad(lambda x: np.sum(ufunc(x) * x))(x), 1e-14)


def test_other_ufuncs():
    x = np.array([0.2, 0.6])
    for ufunc in (np.arctan2, np.hypot, np.power, np.maximum):
        found = dout.grad(lambda x, ufunc=ufunc: np.sum(ufunc(np.array([x[0], x[1]]), np.array([x[1], 0.5]))))(x)
        expected = dout.grad(lambda x, ufunc=ufunc: ufunc(x[0], x[1]) + ufunc(x[1], 0.5))(x)
        np.testing.assert_allclose(found, expected, 1e-14)
    assert dout.grad(lambda x: np.sum(np.rint(np.array([x[0], x[1]])) * x))(x).tolist() == [0.0, 1.0]
    assert dout.grad(lambda x: np.sum(np.arccosh(np.array([x[0] + 2.0]))))(x)[0] == pytest.approx(
        1 / np.sqrt(2.2**2 - 1)
    )


def test_compiled_code_refuses_it():
    with pytest.raises(TypeError):
        dout.grad(lambda x: np.sum(np.linalg.inv(np.array([[x, 1.0], [1.0, 3.0]]))))(2.0)


def test_it_is_said_once():
    program = "import dout, numpy as np; f = lambda x: np.sum(np.array([x, x])); dout.grad(f)(1.0); dout.grad(f)(2.0)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.count("np.stack") == 1


def in_lists(v):
    """The entries in nested lists, as NumPy is given them in np.array([[v, w], [x, y]])."""
    return [in_lists(row) for row in v] if np.ndim(v) else v


@pytest.mark.parametrize("name", CASES)
def test_each_function_on_an_array_of_objects(name):
    """The derivative that Variables have, or an error; which of them, the table in docs/coverage.md says."""
    case = CASES[name]
    args = arguments(case.kinds, large=False)
    smooth = [i for i, kind in enumerate(case.kinds) if kind not in PLAIN]

    def f(*given, boxed):
        whole = list(args)
        for i, v in zip(smooth, given, strict=True):
            whole[i] = np.array(in_lists(v)) if boxed and np.ndim(v) else v
        return case.f(np, *whole)

    given = [args[i] for i in smooth]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if name in OBJECTS_RAISE:
            with pytest.raises((TypeError, AttributeError, ValueError)):
                dout.vjp(lambda *xs: f(*xs, boxed=True), *given)
            return
        expected, pull = dout.vjp(lambda *xs: f(*xs, boxed=False), *given)
        found, other = dout.vjp(lambda *xs: f(*xs, boxed=True), *given)
        d = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(expected)).astype(np.result_type(expected))[()]
        np.testing.assert_allclose(np.asarray(found, np.result_type(expected)), expected, 1e-10, 1e-12)
        for mine, theirs in zip(other(d), pull(d), strict=True):  # sums in another order
            np.testing.assert_allclose(mine, theirs, 1e-9, 1e-11)


def test_complex_numbers_are_refused():
    """Of objects, NumPy takes each itself for its real part, and 0 for its imaginary part."""
    for f in (lambda z: np.array([z, z]), np.asarray, lambda z: np.sum([z, z]), np.vectorize(lambda t: t * t)):
        with pytest.raises(TypeError, match=r"np\.stack"):
            dout.vjp(f, 1 + 2j)
    assert dout.grad(lambda z: np.real(np.frompyfunc(lambda t: t * t, 1, 1)(z)))(1 + 2j) == pytest.approx(2 + 4j)


def _cleared(x):
    made = np.array([v * 2 for v in x])
    made[made > -100] = 0.25
    return made


@pytest.mark.parametrize("f", [_cleared, lambda x: np.array([v * 2 for v in x])[2:1:-2]])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_what_is_only_numbers_in_the_end_is_an_array_of_floats(f, dtype):
    x = np.array([0.5, 1.5, 2.5], dtype)
    expected = f(x)
    for found in (dout.jit(f)(x), dout.vjp(f, x)[0]):
        assert found.dtype.kind == "f"
        np.testing.assert_array_equal(found, expected)


def test_objects_of_the_users_own_stay_objects():
    own = np.array([1, 2**80, None], object)
    assert dout.value_and_grad(lambda x: (x * 2, own), has_aux=True)(1.5)[0][1] is own
    whole = np.array([1, 2**80], object)
    assert dout.value_and_grad(lambda x: (x * 2, whole), has_aux=True)(1.5)[0][1] is whole

"""What Python's and NumPy's questions about a value's type say of a Variable: the table of docs/numpy.md."""

import collections.abc as abc
import copy
import numbers
import warnings
from pathlib import Path

import numpy as np
import pytest

import dout

PAGE = (Path(__file__).parent.parent / "docs" / "numpy.md").read_text(encoding="utf-8")

NUMBER, ARRAY = 2.5, np.array([1.0, 2.0])
#: The question; what is said of a number and of an array; and the same of Variables of them.
CHECKS = {
    "isinstance(x, numbers.Number)": (lambda x: isinstance(x, numbers.Number), True, False, True, False),
    "isinstance(x, numbers.Real)": (lambda x: isinstance(x, numbers.Real), True, False, True, False),
    "np.isscalar(x)": (np.isscalar, True, False, True, False),
    "np.ndim(x) == 0": (lambda x: np.ndim(x) == 0, True, False, True, False),
    "np.iterable(x)": (np.iterable, False, True, False, True),
    "callable(x)": (callable, False, False, False, False),
    "isinstance(x, (list, tuple))": (lambda x: isinstance(x, (list, tuple)), False, False, False, False),
    "isinstance(x, abc.Sequence)": (lambda x: isinstance(x, abc.Sequence), False, False, False, False),
    "np.isrealobj(x)": (np.isrealobj, True, True, True, True),
    "np.iscomplexobj(x)": (np.iscomplexobj, False, False, False, False),
    "np.issubdtype(np.result_type(x), float)": (
        lambda x: np.issubdtype(np.result_type(x), float),
        True,
        True,
        True,
        True,
    ),
    "isinstance(x, np.ndarray)": (lambda x: isinstance(x, np.ndarray), False, True, False, False),
    "isinstance(x, float)": (lambda x: isinstance(x, float), True, False, False, False),
    "isinstance(x, np.floating)": (lambda x: isinstance(x, np.floating), False, False, False, False),
    "hasattr(x, '__len__')": (lambda x: hasattr(x, "__len__"), False, True, True, True),
    "isinstance(x, abc.Iterable)": (lambda x: isinstance(x, abc.Iterable), False, True, True, True),
    "hasattr(x, 'shape')": (lambda x: hasattr(x, "shape"), False, True, True, True),
    "x is np.asarray(x)": (lambda x: x is np.asarray(x), False, True, False, False),
    "isinstance(x, abc.Hashable)": (lambda x: isinstance(x, abc.Hashable), True, False, True, True),
}


def asked(question, x):
    """What is said of a Variable of x within a derivative."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dout.grad(lambda v: (found.append(question(v)), np.sum(v * v))[1])(x)
    return found[0]


@pytest.mark.parametrize("name", CHECKS)
def test_checks(name):
    question, of_number, of_array, of_variable, of_variable_array = CHECKS[name]
    assert question(NUMBER) is of_number
    assert question(ARRAY) is of_array
    assert asked(question, NUMBER) is of_variable
    assert asked(question, ARRAY) is of_variable_array


@pytest.mark.parametrize("name", CHECKS)
def test_the_page_says_so(name):
    words = {True: "yes", False: "no"}
    _, of_number, of_array, *of_variables = CHECKS[name]
    row = " | ".join(words[x] for x in (of_number, of_variables[0], of_array, of_variables[1]))
    assert f"| `{name}` | {row} |" in PAGE


def test_kinds_of_numbers():
    """As NumPy's scalars are registered: real ones as Real, complex ones as Complex, arrays without axes as neither."""
    for x in (
        2.5,
        np.float64(2.5),
        np.float32(2.5),
        np.float16(2.5),
        np.longdouble(2.5),
        1j,
        np.complex64(1j),
        np.array(2.5),
    ):
        for kind in (numbers.Number, numbers.Complex, numbers.Real, numbers.Rational, numbers.Integral):
            assert isinstance(dout.Variable(x), kind) is isinstance(x, kind), (x, kind)
    v = dout.Variable(2.0)
    assert type(v) is dout.Variable
    assert isinstance(v, dout.Variable)
    assert isinstance(v * 2, numbers.Real)
    assert type(copy.copy(v)) is dout.Variable
    w = np.zeros(2) + v
    w[0] = v
    assert not isinstance(w, numbers.Number)


def test_also_in_recorded_and_traced_runs():
    from dout.jit import jit

    def f(x):
        return x * x if isinstance(x, numbers.Real) and np.isscalar(x) else x * np.nan

    assert jit(dout.grad(f))(3.0) == 6.0
    assert len(dout.trace(f, 3.0))
    assert dout.hessian(f)(3.0) == 2.0

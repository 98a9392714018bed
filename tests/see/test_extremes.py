"""Ints of Python have no limit, floats do: where a derivative needs one, it is infinite, or 0."""

import math

import numpy as np
import pytest

import dout

HUGE = 10**400
CASES = {
    "power": (lambda a, b: a**b, (2, 2000), (math.inf, math.inf)),
    "a negative base": (lambda a, b: a**b, (-2, 2001), (math.inf, math.nan)),
    "power, then small again": (lambda a, b: (a**b) % 7, (2, 2000), (math.inf, math.inf)),
    "in floats": (lambda a, b: (a * b) % 7 * 2.5, (HUGE, HUGE), (math.inf, math.inf)),
    "division": (lambda a, b: a / b, (HUGE, HUGE // 10), (0.0, 0.0)),
    "a small quotient": (lambda a, b: a / b, (3, HUGE), (0.0, 0.0)),
    "remainder": (lambda a, b: a % b, (HUGE, 7), (1, -(HUGE // 7))),
    "product": (lambda a, b: a * b, (HUGE, 3), (3, HUGE)),
    "square": (lambda a, b: a**2 + b, (HUGE, 3), (2 * HUGE, 1)),
    "more digits than Python writes": (lambda a, b: a * a + b, (10**5000, 3), (2 * 10**5000, 1)),
    "compared": (lambda a, b: a * 2 if a > 3.5 else b, (HUGE, 1), (2, None)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ints_beyond_floats(case):
    f, args, expected = CASES[case]
    picture = dout.see(f, *args)
    found = [picture.totals.get(node) for node in picture.graph.inputs]
    for derivative, right in zip(found, expected, strict=True):
        assert derivative == right or (isinstance(right, float) and np.array_equal(derivative, right, equal_nan=True))
    for form in (picture.text(), picture.text(steps=True), picture.svg(), picture.html()):
        assert form


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_with_numerical_derivatives(case):
    f, args, _ = CASES[case]
    described = dout.see(f, *args, numerical=True).describe()
    assert {edge.get("verdict") for edge in described["edges"]} <= {"undecided", "right", None}
    assert [problem for problem in described["problems"] if problem["kind"] == "numerical"] == []


def test_what_python_itself_cannot():
    """The error is Python's own, as without dout."""
    for f, args in ((lambda a: a * 1.5, (HUGE,)), (lambda a, b: a / b, (HUGE, 3)), (lambda a, b: a**b, (2.0, 2000.0))):
        with pytest.raises(OverflowError) as plain:
            f(*args)
        with pytest.raises(OverflowError) as seen:
            dout.see(f, *args)
        assert str(seen.value).startswith(str(plain.value))

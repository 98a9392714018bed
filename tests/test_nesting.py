"""Derivatives of derivatives: every order, nested over different variables, with pullbacks that outlive their call."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

import dout
from dout import grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp

X = np.array([1.0, 2.0, 3.0])


def cube(x):
    return x**3


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("f", "right"),
    [
        (lambda x: x**5, lambda x, n: math.perm(5, n) * x ** (5 - n)),
        (np.exp, lambda x, n: math.exp(x)),
        (np.sin, lambda x, n: math.sin(x + n * math.pi / 2)),
        (lambda x: 1 / x, lambda x, n: (-1) ** n * math.factorial(n) * x ** (-1 - n)),
        (np.log, lambda x, n: (-1) ** (n - 1) * math.factorial(n - 1) * x**-n),
    ],
    ids=["x^5", "exp", "sin", "1/x", "log"],
)
def test_grad_of_grad_of_grad(f, right, order):
    derivative = functools.reduce(lambda g, _: grad(g), range(order), f)
    assert derivative(0.7) == pytest.approx(right(0.7, order), rel=1e-12)
    assert type(derivative(0.7)) is float


def test_fourth_order_of_arrays():
    def down(f):
        return lambda x: np.sum(grad(f)(x))

    f = down(down(down(lambda x: np.sum(x**4))))
    np.testing.assert_allclose(grad(f)(X), np.full(3, 24.0))


NESTED = {
    "siskind and pearlmutter's": (lambda x: x * grad(lambda y: x + y)(1.0), 1.0, 1.0),
    "of the other": (lambda x: grad(lambda y: x * y)(2.0), 3.0, 1.0),
    "at the outer point": (lambda x: x * grad(lambda y: x * y * y)(x), 2.0, 24.0),
    "three deep": (lambda x: grad(lambda y: grad(lambda z: x * y * z)(1.0) * y)(2.0), 3.0, 4.0),
    "inner ignores its own": (lambda x: grad(lambda y: x * 1.0)(1.0) + x, 3.0, 1.0),
    "inner ignores everything": (lambda x: grad(lambda y: 5.0)(x) + x, 3.0, 1.0),
    "inner uses the outer only": (lambda x: grad(lambda y: x**2)(1.0), 3.0, 0.0),
    "inner shadows": (lambda x: grad(lambda x: x * x)(x) * x, 3.0, 12.0),
    "inner variable kept for later": (lambda x: _kept(x), 2.0, 9.0 + 3.0),
    "two argnums of one Variable": (lambda x: sum(grad(lambda a, b: a * a * b, (0, 1))(x, x)), 3.0, 18.0),
    "jvp inside": (lambda x: jvp(lambda y: x * y * y, (x,), (1.0,))[1], 3.0, 12.0),
    "jvp along the outer": (lambda x: jvp(lambda y: y * y, (3.0,), (x,))[1], 2.0, 6.0),
    "vjp inside": (lambda x: vjp(lambda y: y * y * x, x)[1](x)[0], 2.0, 24.0),
    "value of value_and_grad": (lambda x: (lambda v, d: v * d)(*value_and_grad(cube)(x)), 2.0, 15 * 2.0**4),
    "hessian inside": (lambda x: hessian(cube)(x), 2.0, 6.0),
    "jacobian inside": (lambda x: np.sum(jacobian(lambda y: y * np.arange(3.0))(x)) * x, 2.0, 3.0),
    "hvp inside": (lambda x: hvp(cube, x, x), 2.0, 24.0),
    "stop_gradient of the inner point": (lambda x: grad(cube)(stop_gradient(x)) * x, 2.0, 12.0),
    "an error inside that was caught": (lambda x: _caught(x) * x, 2.0, 4.0),
    "pullback called twice": (lambda x: (lambda p: p(x)[0] * p(1.0)[0])(vjp(lambda y: y * y, x)[1]), 2.0, 12 * 4.0),
}


def _kept(x):
    kept = []
    inner = grad(lambda y: (kept.append(y * x), y * y * x)[1])(3.0)  # 6 x
    return inner * 1.5 + kept[0]  # 9 x + 3 x


def _caught(x):
    def boom(y):
        y * x
        raise KeyError("boom")

    with pytest.raises(KeyError):
        grad(boom)(x)
    return x


@pytest.mark.parametrize(("f", "x", "expected"), NESTED.values(), ids=NESTED.keys())
def test_nested_derivatives_are_not_confused(f, x, expected):
    assert grad(f)(x) == pytest.approx(expected)
    assert jvp(f, (x,), (1.0,))[1] == pytest.approx(expected)
    array = np.array([x, x])
    np.testing.assert_allclose(grad(lambda a: f(a[0]) + 0 * f(a[1]))(array), [expected, 0])


def test_jvp_of_jvp_and_mixed_orders():
    first = lambda x: jvp(cube, (x,), (1.0,))[1]  # noqa: E731
    assert jvp(first, (2.0,), (1.0,)) == (12.0, 12.0)
    assert jvp(grad(cube), (2.0,), (1.0,)) == (12.0, 12.0)
    assert grad(first)(2.0) == 12.0
    np.testing.assert_allclose(jacobian(grad(lambda x: np.sum(x**3)))(X), np.diag(6 * X))


def test_a_pullback_may_be_called_with_variables_and_from_outside():
    _, pullback = vjp(lambda y: y * y, 2.0)
    assert pullback(1.0) == (4.0,)
    assert grad(lambda d: pullback(d * d)[0])(3.0) == 24.0
    assert jvp(lambda d: pullback(d)[0], (3.0,), (1.0,)) == (12.0, 4.0)
    v = dout.Variable(3.0)
    pullback(v)[0].backward()
    assert v.grad == 4.0
    assert pullback(1.0) == (4.0,)


def test_a_pullback_does_not_change_between_calls():
    _, pullback = vjp(lambda x: np.sin(x) * x[0], X)
    first = pullback(np.ones(3))[0]
    first_copy = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(pullback(np.ones(3))[0], first_copy)


def test_the_pullback_gives_none_for_what_has_no_derivative():
    _, pullback = vjp(lambda x, n, s, a: x**n * np.sum(a), 2.0, 3, "text", np.arange(3))
    assert pullback(1.0) == (36.0, None, None, None)


def test_a_variable_kept_from_a_nested_derivative_is_refused_as_well():
    """The inner derivative depends on the outer's leaf, and yet the outer one ends, and closes."""
    kept = []

    def f(x):
        kept.append(x * 1.0)
        return x * dout.grad(lambda y: x * y * y)(2.0)

    assert dout.grad(f)(3.0) == 24.0
    with pytest.raises(RuntimeError, match="has finished"):
        kept[0].backward()

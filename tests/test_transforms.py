"""grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp, stop_gradient: what they take and what they give."""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import dout
from dout import grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp

X = np.array([1.0, 2.0, 3.0])
Pair = namedtuple("Pair", "w b")


@dataclasses.dataclass(frozen=True)
class Model:
    w: object
    name: str = "model"
    layers: int = 2


def cube(x):
    return x**3


def equal(found, expected):
    """Same containers, types, dtypes, shapes and values."""
    assert type(found) is type(expected), f"{found!r} is not like {expected!r}"
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            equal(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            equal(a, b)
    elif dataclasses.is_dataclass(expected):
        equal(vars(found), vars(expected))
    elif expected is None:
        assert found is None
    elif isinstance(expected, np.ndarray):
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
    else:
        assert found == pytest.approx(expected, rel=1e-14)


# argnums, keyword arguments, aux


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 12.0), (1, 4.0), (-1, 4.0), (-2, 12.0), ((0,), (12.0,)), ((0, 1), (12.0, 4.0)), ((1, 0), (4.0, 12.0)),
     ((-1, 0), (4.0, 12.0)), ([0, 1], (12.0, 4.0)), (np.int64(1), 4.0)],
)  # fmt: skip
def test_argnums(argnums, expected):
    def f(x, y):
        return x * x * y

    equal(grad(f, argnums)(2.0, 3.0), expected)
    equal(value_and_grad(f, argnums)(2.0, 3.0), (12.0, expected))
    equal(jacobian(f, argnums)(2.0, 3.0), expected)


def test_keyword_and_default_arguments_pass_through():
    def f(x, power=2, *, scale, mode="up"):
        return scale * x**power if mode == "up" else x

    assert grad(f)(3.0, scale=2.0) == 12.0
    assert grad(f)(3.0, 3, scale=2.0) == 54.0
    assert grad(f)(3.0, scale=2.0, mode="down") == 1.0
    assert value_and_grad(f)(3.0, scale=2.0) == (18.0, 12.0)
    assert jacobian(f)(3.0, scale=2.0) == 12.0
    assert hessian(f)(3.0, scale=2.0) == 4.0
    out, pullback = vjp(f, 3.0, scale=2.0)
    assert (out, pullback(1.0)) == (18.0, (12.0,))


def test_has_aux():
    def f(x):
        y = np.exp(x)
        return np.sum(y), {"y": y, "list": [x, x[0] * 2], "note": "text", "n": 3}

    d, aux = grad(f, has_aux=True)(X)
    (value, also), same = value_and_grad(f, has_aux=True)(X)
    np.testing.assert_array_equal(d, np.exp(X))
    np.testing.assert_array_equal(same, d)
    assert value == np.sum(np.exp(X))
    for found in (aux, also):
        assert type(found["y"]) is np.ndarray
        np.testing.assert_array_equal(found["y"], np.exp(X))
        np.testing.assert_array_equal(found["list"][0], X)
        assert not isinstance(found["list"][1], dout.Variable)
        assert (found["note"], found["n"]) == ("text", 3)


def test_has_aux_in_a_derivative_of_a_derivative():
    def outer(x):
        d, aux = grad(lambda y: (y**3 * x, y * x), has_aux=True)(x)
        return d * aux  # 3 x^3 x^2 = 3 x^5

    assert grad(outer)(2.0) == 15 * 2.0**4


# containers


@pytest.mark.parametrize(
    ("f", "argument", "expected"),
    [
        (lambda p: p["a"] * p["b"], {"a": 2.0, "b": 3.0}, {"a": 3.0, "b": 2.0}),
        (lambda p: p["a"] * p["b"], OrderedDict(b=3.0, a=2.0), OrderedDict(b=2.0, a=3.0)),
        (lambda p: p[0] * p[1][0], [2.0, (3.0, "text")], [3.0, (2.0, None)]),
        (lambda p: np.sum(p.w * p.b), Pair(X, 2.0), Pair(np.full(3, 2.0), 6.0)),
        (lambda p: np.sum(p.w * p.layers), Model(X), Model(np.full(3, 2.0), None, None)),
        (lambda p: p["n"] * p["x"][0][0], {"n": 3, "x": [[2.0]], "on": True}, {"n": None, "x": [[3.0]], "on": None}),
        (lambda p: p[0] * 2, [1.0, None, np.arange(3)], [2.0, None, None]),
        (lambda p: p[0] * 2, (1.0, {}, [], ()), (2.0, {}, [], ())),
        (lambda p: p[0] * 2 + np.sum(p[1]), (np.float32(1), np.ones(2, np.float32)),
         (np.float32(2), np.ones(2, np.float32))),
        (lambda p: p["unused"] * 0 + 1.0, {"unused": 2.0, "also": X}, {"unused": 0.0, "also": np.zeros(3)}),
    ],
)  # fmt: skip
def test_arguments_in_containers(f, argument, expected):
    equal(grad(f)(argument), expected)


def test_the_callers_containers_are_left_alone():
    given = {"a": 2.0, "rest": [3.0]}

    def f(p):
        p["a"] = p["a"] * 2
        p["rest"].append(5.0)
        return p["a"] * p["rest"][0]

    equal(grad(f)(given), {"a": 6.0, "rest": [4.0]})
    equal(given, {"a": 2.0, "rest": [3.0]})


def test_outputs_in_containers():
    def f(x):
        return {"twice": x * 2, "rest": (np.sum(x), [x[0]])}

    out, pullback = vjp(f, X)
    equal(out, {"twice": X * 2, "rest": (np.float64(6.0), [np.float64(1.0)])})
    equal(pullback({"twice": np.ones(3), "rest": (1.0, [10.0])}), (np.array([13.0, 3.0, 3.0]),))
    matrix = jacobian(f)(X)
    equal(matrix, {"twice": 2 * np.eye(3), "rest": (np.ones(3), [np.array([1.0, 0.0, 0.0])])})
    out, tangent = jvp(f, (X,), (np.ones(3),))
    equal(tangent["twice"], np.full(3, 2.0))


def test_dicts_are_matched_by_key_whatever_their_order():
    _, pullback = vjp(lambda x: {"p": x, "q": 2 * x}, 1.0)
    assert pullback({"q": 1.0, "p": 0.0}) == (2.0,)

    def f(d):
        return d["a"] ** 2 * d["b"]

    point = {"a": 2.0, "b": 3.0}
    assert jvp(f, (point,), ({"b": 0.0, "a": 1.0},))[1] == 12.0
    assert hvp(f, (point,), ({"b": 0.0, "a": 1.0},)) == ({"a": 6.0, "b": 4.0},)


def test_second_derivatives_of_containers_that_hold_ints_and_strings():
    def f(d):
        return d["a"] ** d["n"]

    point = {"a": 2.0, "n": 3, "s": "text"}
    assert hvp(f, (point,), ({"a": 1.0, "n": None, "s": None},))[0]["a"] == 12.0
    assert hessian(f)(point)["a"]["a"] == 12.0
    assert hvp(f, point, {"a": 1.0, "n": None, "s": None})["a"] == 12.0


def test_containers_of_the_jacobian_stand_outside_those_of_the_input():
    found = jacobian(lambda p: [p["a"] * p["b"], p["a"]])({"a": 2.0, "b": X})
    equal(found, [{"a": X, "b": 2 * np.eye(3)}, {"a": 1.0, "b": np.zeros(3)}])
    found = hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 2.0, "b": np.ones(2)})
    equal(found["a"]["a"], 4.0)
    equal(found["a"]["b"], np.full(2, 4.0))
    equal(found["b"]["a"], np.full(2, 4.0))
    equal(found["b"]["b"], np.zeros((2, 2)))


# zeros


@pytest.mark.parametrize("x", [2.0, np.float32(2), X, np.array(2.0), np.ones((2, 0)), 1 + 2j, {"a": X}], ids=repr)
@pytest.mark.parametrize("constant", [3.0, 3, np.float64(3), np.array(3.0)], ids=repr)
def test_an_output_that_does_not_depend_gives_zeros(x, constant):
    found = grad(lambda _: constant)(x)
    equal(found, {"a": np.zeros(3)} if isinstance(x, dict) else np.zeros_like(x) if np.ndim(x) or type(x) is np.ndarray
          else type(x)(0))  # fmt: skip


def test_an_unused_input_gives_zeros():
    equal(grad(lambda x, y: np.sum(x), (0, 1))(X, np.float32(2)), (np.ones(3), np.float32(0)))
    equal(vjp(lambda x, y: x, X, 2.0)[1](np.ones(3)), (np.ones(3), 0.0))
    equal(jacobian(lambda x, y: x, (0, 1))(X, 2.0), (np.eye(3), np.zeros(3)))
    equal(jvp(lambda x: np.arange(3.0), (X,), (X,)), (np.arange(3.0), np.zeros(3)))
    equal(jacobian(lambda x: np.arange(2.0))(X), np.zeros((2, 3)))
    equal(hessian(lambda x: np.sum(x))(X), np.zeros((3, 3)))
    equal(hvp(lambda x: np.sum(x), X, X), np.zeros(3))
    equal(grad(grad(lambda x: 2 * x))(1.0), 0.0)
    equal(grad(lambda x: np.sum(np.floor(x)))(X), np.zeros(3))


# kinds of numbers


@pytest.mark.parametrize(
    "x",
    [3.0, np.float64(3), np.float32(3), np.float16(3), np.longdouble(3), np.array(3.0), np.array(3, np.float32),
     np.ones(3), np.ones(3, np.float32), np.ones((2, 1), np.float16), np.ones((2, 0)), 1 + 2j, np.complex64(1 + 2j),
     np.ones(2, complex), np.asfortranarray(np.ones((2, 3))), np.ones(6)[::2]],
    ids=repr,
)  # fmt: skip
def test_a_derivative_has_the_kind_of_its_input(x):
    def f(v):
        return np.sum(np.real(v * v))

    for found in (grad(f)(x), value_and_grad(f)(x)[1], vjp(f, x)[1](1.0)[0], hvp(f, x, x), jacobian(f)(x)):
        equal(found, 2 * x if type(x) is not np.ndarray else np.asarray(2 * x))
    equal(grad(lambda v: np.sum(np.real(v)) * 0 + 1.0)(x), x * 0 if type(x) is not np.ndarray else np.asarray(x * 0))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_values_have_numpys_kind(kind):
    x = X.astype(kind)
    f = lambda v: np.sum(v * v) / 2  # noqa: E731
    value, _ = value_and_grad(f)(x)
    assert type(value) is type(f(x))
    assert value == f(x)
    out, _ = vjp(f, x)
    assert type(out) is type(f(x))
    assert type(value_and_grad(lambda v: v * v)(3.0)[0]) is float


def test_results_are_fresh_and_writable():
    w = np.arange(3.0)
    for f in (
        np.sum,
        lambda x: x @ w,
        lambda x: np.sum(x * w),
        lambda x: x[0],
        lambda x: 1.0,
        lambda x: np.sum(x[::-1]),
    ):
        x = X.copy()
        for found in (grad(f)(x), vjp(f, x)[1](1.0)[0], hvp(f, x, w), jacobian(f)(x), hessian(f)(x)):
            assert type(found) is np.ndarray
            assert found.flags.writeable
            assert not np.shares_memory(found, x)
            assert not np.shares_memory(found, w)
    a, b = grad(lambda a, b: np.sum(a + b), (0, 1))(X, X)
    assert not np.shares_memory(a, b)
    d = grad(lambda d: np.sum(d["a"] + d["b"]))({"a": X, "b": X})
    assert not np.shares_memory(d["a"], d["b"])
    tangent = np.ones(3)
    assert not np.shares_memory(jvp(lambda x: x, (X,), (tangent,))[1], tangent)


# matrices


def test_jacobian_by_rows_and_by_columns():
    matrix = np.arange(12.0).reshape(2, 6)
    equal(jacobian(lambda x: matrix @ x)(np.ones(6)), matrix)
    equal(jacobian(lambda x: matrix.T @ x)(np.ones(2)), matrix.T.copy())
    equal(jacobian(lambda x: np.outer(x, x))(np.array([1.0, 2.0])).shape, (2, 2, 2))
    equal(jacobian(lambda x: x * X)(2.0), X)
    equal(jacobian(lambda x: np.sum(x))(X), np.ones(3))
    equal(jacobian(lambda x: x * 2)(np.zeros(0)), np.zeros((0, 0)))
    equal(jacobian(lambda x: x * 2)(np.zeros((2, 0))), np.zeros((2, 0, 2, 0)))
    equal(jacobian(lambda x: x * 2)(np.float32([1, 2])), 2 * np.eye(2, dtype=np.float32))


def test_hessian_and_hvp_agree():
    def f(x):
        return np.sum(np.sin(x) * x[0]) ** 2

    matrix = hessian(f)(X)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-12)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(hvp(f, X, v), matrix @ v, rtol=1e-12)
    np.testing.assert_allclose(hvp(f, (X,), (v,))[0], matrix @ v, rtol=1e-12)
    assert hessian(lambda a, b: a * b * b, (0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    assert hvp(lambda a, b: a * a * b, (2.0, 3.0), (1.0, 0.0)) == (6.0, 4.0)


def test_hvp_of_one_list():
    assert hvp(lambda p: p[0] ** 2 * p[1], [2.0, 3.0], [1.0, 0.0]) == [6.0, 4.0]


def test_products_with_int_arguments():
    assert jvp(lambda x, n: x**n, (2.0, 3), (1.0, None)) == (8.0, 12.0)
    assert hvp(lambda x, n: x**n, (2.0, 3), (1.0, None)) == (12.0, None)


def test_powers_at_the_edges():
    for x in (-2.0, 0.0, 3.0):
        assert grad(lambda v: v**2)(x) == 2 * x
        assert grad(lambda v: v**3)(x) == 3 * x * x
        assert grad(grad(lambda v: v**2))(x) == 2.0
        assert grad(lambda v: v**1)(x) == 1.0
        assert grad(lambda v: v**0)(x) == 0.0
        assert grad(lambda v: np.sum(np.power(v, np.array([2, 1, 0]))))(np.full(3, x)).tolist() == [2 * x, 1.0, 0.0]
    assert grad(lambda v: v**-2)(-2.0) == 0.25
    assert grad(lambda v: 2.0**v)(3.0) == pytest.approx(8 * math.log(2))
    assert grad(lambda v: v**v)(2.0) == pytest.approx(4 * (1 + math.log(2)))
    assert grad(lambda v: 0.0**v)(3.0) == 0.0


def test_stop_gradient():
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert grad(lambda x: x * stop_gradient({"a": [x]})["a"][0])(3.0) == 3.0
    assert grad(grad(lambda x: x * stop_gradient(x) * x))(3.0) == 6.0
    assert stop_gradient((1.0, "text", None)) == (1.0, "text", None)
    assert grad(lambda x: stop_gradient(x) * 1.0)(3.0) == 0.0

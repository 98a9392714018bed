"""The four layers, used by hand and in a graph."""

from __future__ import annotations

import numpy as np
import pytest

import dout
from dout import AddLayer, Layer, MulLayer, Relu, Sigmoid

KINDS = [np.float16, np.float32, np.float64, np.longdouble]
SHAPES = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((), (2, 3)), ((0, 3), (3,))]


def test_two_apples():
    apples, taxed = MulLayer(), MulLayer()
    price = taxed.forward(apples.forward(100, 2), 1.1)
    d_apples, d_tax = taxed.backward(1)
    d_price, d_number = apples.backward(d_apples)
    assert str(price) == "220.00000000000003"
    assert f"{d_price} {d_number} {d_tax}" == "2.2 110.00000000000001 200"


def test_two_apples_and_three_oranges():
    apple, orange, both, tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()
    price = tax.forward(both.forward(apple.forward(100, 2), orange.forward(150, 3)), 1.1)
    d_both, d_tax = tax.backward(1)
    d_apple, d_orange = both.backward(d_both)
    found = [*apple.backward(d_apple), *orange.backward(d_orange), d_tax]
    assert str(price) == "715.0000000000001"
    assert " ".join(map(str, found)) == "2.2 110.00000000000001 3.3000000000000003 165.0 650"


def test_the_same_by_grad():
    mul = MulLayer()

    def price(apple, n_apple, orange, n_orange, tax):
        return mul(AddLayer()(mul(apple, n_apple), mul(orange, n_orange)), tax)

    found = dout.grad(price, (0, 1, 2, 3, 4))(100.0, 2.0, 150.0, 3.0, 1.1)
    assert found == (2.2, 110.00000000000001, 3.3000000000000003, 165.0, 650.0)
    assert all(type(d) is float for d in found)


@pytest.mark.parametrize("layer", [MulLayer, AddLayer])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_two_inputs_that_broadcast(layer, shapes, kind):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=shape).astype(kind) for shape in shapes)
    made = layer()
    out = made.forward(x, y)
    expected = x * y if layer is MulLayer else x + y
    np.testing.assert_array_equal(out, expected)
    dx, dy = made.backward(np.ones_like(out))
    assert (np.shape(dx), np.shape(dy)) == shapes
    assert np.asarray(dx).dtype == np.asarray(dy).dtype == kind

    def plain(x, y):
        return np.sum(x * y) if layer is MulLayer else np.sum(x + y)

    tolerance = 20 * np.finfo(kind).eps
    for found, right in zip((dx, dy), dout.grad(plain, (0, 1))(x, y), strict=True):
        np.testing.assert_allclose(found, right, tolerance, tolerance)
    for found, right in zip(dout.grad(lambda x, y: np.sum(layer()(x, y)), (0, 1))(x, y), (dx, dy), strict=True):
        np.testing.assert_allclose(found, right, tolerance, tolerance)


def test_ints_stay_ints():
    add, mul = AddLayer(), MulLayer()
    assert [*map(type, (add.forward(1, 2), *add.backward(1)))] == [int] * 3
    assert [*map(type, (mul.forward(3, 2), *mul.backward(1)))] == [int] * 3
    assert type(mul.forward(3, 2.0)) is float


RELU = [
    (3.0, 3.0, 1.0),
    (-3.0, 0.0, 0.0),
    (0.0, 0.0, 0.0),
    (-0.0, 0.0, 0.0),
    (np.inf, np.inf, 1.0),
    (-np.inf, 0.0, 0.0),
]


@pytest.mark.parametrize(("x", "y", "dx"), RELU)
@pytest.mark.parametrize("form", [float, np.float64, np.float32, np.array, lambda x: np.array([x]), np.float16])
def test_relu(x, y, dx, form):
    relu = Relu()
    out = relu.forward(form(x))
    assert out == y
    assert not np.any(np.signbit(out))
    assert np.shape(out) == np.shape(form(x))
    assert np.result_type(out) == np.result_type(form(x))
    d = relu.backward(form(1.0))
    assert d == dx
    assert np.shape(d) == np.shape(form(x))
    assert np.result_type(d) == np.result_type(form(x))


def test_relu_of_python_numbers_keeps_their_kind():
    relu = Relu()
    assert [type(relu.forward(3)), type(relu.forward(-3)), type(relu.forward(-3.0))] == [int, int, float]
    assert type(relu.backward(5)) is int


def test_relu_never_writes_into_its_dout_or_input():
    relu, x, d = Relu(), np.array([-1.0, 2.0]), np.array([5.0, 7.0])
    out = relu.forward(x)
    found = relu.backward(d)
    np.testing.assert_array_equal(found, [0, 7])
    found[:] = out[:] = 9.0
    np.testing.assert_array_equal(d, [5, 7])
    np.testing.assert_array_equal(x, [-1, 2])
    np.testing.assert_array_equal(relu.backward(d), [0, 7])


def test_relu_where_the_input_changes_after_forward():
    relu, x = Relu(), np.array([-1.0, 2.0])
    relu.forward(x)
    x[:] = [1.0, -2.0]
    np.testing.assert_array_equal(relu.backward(np.ones(2)), [0, 1])


def test_nan_passes_through():
    nan = np.array([np.nan, 1.0])
    for layer in (Relu(), Sigmoid()):
        np.testing.assert_array_equal(np.isnan(layer.forward(nan)), [True, False])
        assert np.isnan(layer.forward(np.nan))
    assert np.isnan(MulLayer().forward(np.nan, 0.0))
    assert np.isnan(dout.grad(lambda x: np.sum(Sigmoid()(x)))(nan)[0])


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, np.float16, np.array, lambda x: np.array([x])])
@pytest.mark.parametrize(("x", "y"), [(-1000.0, 0.0), (1000.0, 1.0), (0.0, 0.5), (-np.inf, 0.0), (np.inf, 1.0)])
def test_sigmoid_far_out_without_a_warning(kind, x, y):
    sigmoid = Sigmoid()
    out = sigmoid.forward(kind(x))
    assert out == y
    assert np.result_type(out) == np.result_type(kind(x))
    d = sigmoid.backward(kind(1.0))
    assert d == y * (1 - y)
    assert np.result_type(d) == np.result_type(kind(x))
    assert dout.grad(lambda v: np.sum(Sigmoid()(v)))(kind(x)) == y * (1 - y)
    assert dout.grad(dout.grad(lambda v: np.sum(Sigmoid()(v))))(float(x)) == 0


def test_sigmoid_is_numpys_bit_for_bit():
    x = np.linspace(-30, 30, 1001)
    np.testing.assert_array_equal(Sigmoid().forward(x), 1 / (1 + np.exp(-x)))


@pytest.mark.parametrize("layer", [MulLayer, AddLayer, Relu, Sigmoid])
def test_backward_before_forward(layer):
    with pytest.raises(RuntimeError, match=f"{layer.__name__}.backward was called before {layer.__name__}.forward"):
        layer().backward(1.0)


@pytest.mark.parametrize("layer", [Relu, Sigmoid])
def test_one_instance_used_many_times_in_a_graph(layer):
    one = layer()

    def f(x):
        return np.sum(one(one(x) * 2 - 1) * one(x))

    def g(x):
        return np.sum(layer()(layer()(x) * 2 - 1) * layer()(x))

    x = np.array([-1.0, 0.3, 2.0])
    np.testing.assert_array_equal(dout.grad(f)(x), dout.grad(g)(x))


def test_mul_layer_with_one_input_twice_and_in_second_derivatives():
    mul = MulLayer()
    assert dout.grad(lambda x: mul(x, x))(3.0) == 6.0
    assert dout.grad(dout.grad(lambda x: mul(mul(x, x), x)))(3.0) == 18.0
    assert dout.grad(dout.grad(lambda x: Sigmoid()(x)))(0.0) == 0.0
    hessian = dout.hessian(lambda x: np.sum(Relu()(x) ** 2))(np.array([-1.0, 2.0]))
    np.testing.assert_array_equal(hessian, [[0, 0], [0, 2]])


def test_layers_called_on_plain_values_give_plain_values():
    assert MulLayer()(2, 3) == 6
    assert type(Relu()(-1)) is int
    assert type(Sigmoid()(np.zeros(2))) is np.ndarray


def test_complex_inputs():
    mul = MulLayer()
    assert mul.forward(1 + 2j, 3.0) == 3 + 6j
    assert mul.backward(1.0) == (3.0, 1 + 2j)


def test_a_layer_without_its_methods():
    with pytest.raises(NotImplementedError, match=r"Empty has no forward"):
        type("Empty", (Layer,), {})()(1.0)
    half = type("Half", (Layer,), {"forward": lambda self, x: x * 1.0})
    with pytest.raises(NotImplementedError, match=r"Half has no backward"):
        dout.grad(half())(1.0)

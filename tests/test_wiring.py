"""A user's own layers in a graph: their own backward is used, each call has a state of its own."""

from __future__ import annotations

import numpy as np
import pytest

import dout
from dout import Layer, Variable

X = np.array([-1.0, 2.0, 3.0])


class WritesIntoDout:
    """Relu as it is often written: it writes into the dout it is handed, and starts with no state."""

    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class Marked(Layer):
    """x², with a backward that is wrong on purpose, so that its use shows."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return dout * 1000.0 * self.x


class Affine(Layer):
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = np.sum(dout, axis=0)
        return dout @ self.W.T


class Split:
    def forward(self, x):
        return x * 2, np.sum(x)

    def backward(self, douts):
        first, second = douts
        return first * 2 + second


def test_a_relu_that_writes_into_its_dout_spoils_nothing():
    relu = dout.layer(WritesIntoDout())

    def f(x):
        y = x * 1.0
        return np.sum(relu(y) + y * 10)  # the same dout flows to both

    np.testing.assert_array_equal(dout.grad(f)(X), [10, 11, 11])
    _, pullback = dout.vjp(relu, X)
    given = np.ones(3)
    np.testing.assert_array_equal(pullback(given)[0], [0, 1, 1])
    np.testing.assert_array_equal(given, np.ones(3))
    np.testing.assert_array_equal(pullback(given)[0], [0, 1, 1])


def test_a_relu_that_writes_into_its_dout_with_a_frozen_or_broadcast_dout():
    relu = dout.layer(WritesIntoDout())
    frozen = np.ones(3)
    frozen.flags.writeable = False
    np.testing.assert_array_equal(dout.vjp(relu, X)[1](frozen)[0], [0, 1, 1])
    np.testing.assert_array_equal(dout.grad(lambda x: np.sum(relu(x)))(X), [0, 1, 1])
    np.testing.assert_array_equal(dout.grad(lambda x: relu(x)[1] * 5)(X), [0, 5, 0])


def test_in_place_masked_writes_on_a_copy_in_every_order_of_derivative():
    relu = dout.layer(WritesIntoDout())
    np.testing.assert_array_equal(dout.hessian(lambda x: np.sum(relu(x) ** 2))(X), np.diag([0.0, 2.0, 2.0]))
    _, tangent = dout.jvp(relu, (X,), (np.ones(3),))
    np.testing.assert_array_equal(tangent, [0, 1, 1])


def test_its_own_backward_is_used():
    assert dout.grad(Marked())(3.0) == 3000.0
    assert dout.grad(dout.layer(Marked()))(3.0) == 3000.0
    assert dout.grad(lambda x: Marked()(x * 2) * 5)(3.0) == 6000.0 * 10
    v = Variable(3.0)
    Marked()(v).backward()
    assert v.grad == 3000.0


def test_second_derivatives_differentiate_its_own_backward():
    assert dout.grad(dout.grad(Marked()))(3.0) == 1000.0
    # 1000 x dout with dout = x, and the layer's output: 1000 x^2 + out; then 2000 x + 1000 x; then 3000
    assert dout.grad(dout.grad(dout.grad(lambda x: Marked()(x) * x)))(3.0) == 3000.0


def test_every_call_has_a_state_of_its_own():
    one = Marked()
    assert dout.grad(lambda x: one(x) * one(x + 1))(3.0) == 3000.0 * 16 + 9 * 4000.0
    assert not hasattr(one, "x")
    counting = type("Counting", (), {
        "__init__": lambda self: setattr(self, "seen", []),
        "forward": lambda self, x: (self.seen.append(x), x * len(self.seen))[1],
        "backward": lambda self, dout: dout * len(self.seen),
    })()  # fmt: skip
    layer = dout.layer(counting)
    assert dout.grad(lambda x: layer(x) + layer(x))(3.0) == 2.0
    assert counting.seen == []


def test_a_layer_outside_of_any_derivative_is_just_called():
    one = Marked()
    out = one(3.0)
    assert (out, type(out)) == (9.0, float)
    np.testing.assert_array_equal(dout.layer(WritesIntoDout())(X), [0, 2, 3])


def test_parameters_that_are_variables():
    W, b = Variable(np.array([[1.0, 2.0], [3.0, 4.0]])), Variable(np.zeros(2))
    affine = Affine(W, b)
    x = np.array([[1.0, 1.0], [0.0, 2.0], [1.0, 0.0]])
    np.sum(affine(x) * np.arange(6.0).reshape(3, 2)).backward()
    d = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(W.grad, x.T @ d)
    np.testing.assert_array_equal(b.grad, d.sum(0))
    assert affine.W is W
    assert not hasattr(affine, "dW")


def test_parameters_that_are_differentiated_arguments():
    x = np.array([[1.0, 2.0]])

    def loss(W, b, x):
        return np.sum(Affine(W, b)(x) ** 2)

    W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5])
    found = dout.grad(loss, (0, 1, 2))(W, b, x)
    plain = dout.grad(lambda W, b, x: np.sum((x @ W + b) ** 2), (0, 1, 2))(W, b, x)
    for a, c in zip(found, plain, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-14)
    second = dout.hvp(loss, (W, b, x), (np.ones((2, 2)), np.ones(2), np.ones((1, 2))))
    plain = dout.hvp(
        lambda W, b, x: np.sum((x @ W + b) ** 2), (W, b, x), (np.ones((2, 2)), np.ones(2), np.ones((1, 2)))
    )
    for a, c in zip(second, plain, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-13)


def test_one_parameter_in_two_layers_and_one_layer_twice():
    W = Variable(np.array([[2.0]]))
    zero = np.zeros(1)
    one = Affine(W, zero)
    np.sum(one(one(np.array([[3.0]])))).backward()
    np.testing.assert_array_equal(W.grad, [[12.0]])
    W.grad = None
    np.sum(Affine(W, zero)(Affine(W, zero)(np.array([[3.0]])))).backward()
    np.testing.assert_array_equal(W.grad, [[12.0]])


def test_several_outputs():
    split = dout.layer(Split())

    def f(x):
        both, total = split(x)
        return np.sum(both * both) + total**2

    np.testing.assert_array_equal(dout.grad(f)(X), dout.grad(lambda x: np.sum(4 * x * x) + np.sum(x) ** 2)(X))
    np.testing.assert_array_equal(dout.grad(lambda x: split(x)[1])(X), np.ones(3))
    np.testing.assert_array_equal(dout.grad(lambda x: split(x)[0][0])(X), [2, 0, 0])
    np.testing.assert_array_equal(dout.hessian(f)(X), dout.hessian(lambda x: np.sum(4 * x * x) + np.sum(x) ** 2)(X))
    out, pullback = dout.vjp(split, X)
    assert isinstance(out, tuple)
    np.testing.assert_array_equal(pullback((np.ones(3), 5.0))[0], np.full(3, 7.0))


def test_several_inputs_plain_and_variable():
    class Weighted:
        def forward(self, x, w, power=1):
            self.x, self.w, self.power = x, w, power
            return x * w**power

        def backward(self, dout):
            return dout * self.w**self.power, dout * self.x * self.power * self.w ** (self.power - 1)

    layer = dout.layer(Weighted())
    assert dout.grad(lambda x: layer(x, 3.0))(2.0) == 3.0
    assert dout.grad(lambda w: layer(2.0, w, power=2))(3.0) == 12.0
    assert dout.grad(lambda x: layer(x, x))(2.0) == 4.0
    assert dout.grad(lambda x, w: layer(x, w, power=3), (0, 1))(2.0, 3.0) == (27.0, 54.0)


def test_python_numbers_float32_and_0_d_arrays():
    assert type(dout.grad(Marked())(3.0)) is float
    assert type(dout.grad(Marked())(np.float32(3))) is np.float32
    found = dout.grad(lambda x: np.sum(Marked()(x)))(np.float32([1, 2]))
    assert found.dtype == np.float32
    assert dout.grad(Marked())(np.array(3.0)) == 3000.0


def test_attributes_that_change_between_the_calls_of_one_run():
    class Scale:
        scale = 1.0

        def forward(self, x):
            return x * self.scale

        def backward(self, dout):
            return dout * self.scale

    one = Scale()
    layer = dout.layer(one)

    def f(x):
        one.scale = 2.0
        y = layer(x)
        one.scale = 5.0
        return y + layer(x)

    assert dout.grad(f)(1.0) == 7.0
    assert dout.grad(dout.grad(lambda x: f(x) ** 2))(1.0) == 2 * 49.0


def test_slots_properties_and_layers_in_layers():
    class Slotted:
        __slots__ = ("x",)

        def forward(self, x):
            self.x = x
            return x**3

        def backward(self, dout):
            return dout * 3 * self.x**2

    class Outer:
        def __init__(self):
            self.inner = Slotted()

        def forward(self, x):
            return self.inner.forward(x) * 2

        def backward(self, dout):
            return self.inner.backward(dout * 2)

    assert dout.grad(dout.layer(Slotted()))(2.0) == 12.0
    assert dout.grad(dout.grad(dout.layer(Slotted())))(2.0) == 12.0
    outer = dout.layer(Outer())
    assert dout.grad(outer)(2.0) == 24.0
    assert dout.grad(lambda x: outer(x) + outer(2 * x))(1.0) == 6.0 + 48.0  # the inner one has a state of its own too


def test_layers_in_lists_and_dicts_of_a_layer():
    class Sequence:
        def __init__(self):
            self.layers = [Marked(), WritesIntoDout()]
            self.named = {"last": Marked()}

        def forward(self, x):
            for layer in self.layers:
                x = layer.forward(x)
            return self.named["last"].forward(x)

        def backward(self, d):
            d = self.named["last"].backward(d)
            for layer in reversed(self.layers):
                d = layer.backward(d)
            return d

    sequence = dout.layer(Sequence())

    def f(x):
        return np.sum(sequence(x)) + np.sum(sequence(x * 2))

    expected = 1e6 * X * X * X + 2e6 * 8 * X * X * X
    np.testing.assert_allclose(dout.grad(f)(X), expected)


def test_a_class_and_a_lambda_as_methods():
    made = type("Made", (), {"forward": staticmethod(lambda x: x * 2), "backward": staticmethod(lambda d: d * 7)})
    assert dout.grad(dout.layer(made))(1.0) == 7.0
    assert dout.grad(dout.layer(made()))(1.0) == 7.0


def test_an_input_handed_on_as_it_is():
    class Same:
        def forward(self, x):
            return x

        def backward(self, dout):
            return dout

    same = dout.layer(Same())
    np.testing.assert_array_equal(dout.grad(lambda x: np.sum(same(x) * x))(X), 2 * X)
    x = X.copy()
    out, pullback = dout.vjp(same, x)
    d = np.ones(3)
    found = pullback(d)[0]
    assert not np.shares_memory(found, d)
    assert not np.shares_memory(out, x)
    written = dout.grad(lambda x: (lambda y: (y.__setitem__(0, 5.0), np.sum(y * y))[1])(same(x)))(X)
    np.testing.assert_array_equal(written, [0, 4, 6])


def test_forward_can_not_write_into_its_input():
    class Writes:
        def forward(self, x):
            x[0] = 9.0
            return x * 2

        def backward(self, dout):
            return dout * 2

    with pytest.raises(ValueError, match="read-only"):
        dout.grad(lambda x: np.sum(dout.layer(Writes())(x)))(X)


@pytest.mark.parametrize("size", [3, 10_000])
def test_what_a_layer_kept_and_others_wrote_to(size):
    class Mul:
        def forward(self, x, w):
            self.w = w
            return x * w

        def backward(self, dout):
            return dout * self.w, None

    w = np.full(size, 2.0)

    def f(x):
        out = np.sum(dout.layer(Mul())(x, w))
        w[:] = 50.0
        return out

    try:
        found = dout.grad(f)(np.ones(size))
    except RuntimeError as error:
        found, message = None, str(error)
    assert np.array_equal(found, np.full(size, 2.0)) if found is not None else "was written to after" in message


def test_an_output_written_to_after_forward_does_not_spoil_what_the_layer_kept():
    class Exp:
        def forward(self, x):
            self.out = np.exp(x)
            return self.out

        def backward(self, dout):
            return dout * self.out

    layer = dout.layer(Exp())

    def f(x):
        y = layer(x)
        y[0] = 100.0
        return np.sum(y)

    np.testing.assert_allclose(dout.grad(f)(X), [0, np.exp(2), np.exp(3)])
    out, pullback = dout.vjp(layer, X)
    out[:] = 100.0
    np.testing.assert_allclose(pullback(np.ones(3))[0], np.exp(X))


def test_a_dout_attribute_that_forward_sets_a_derivative_of_none_and_int_inputs():
    class Pick:
        def forward(self, x, i):
            self.shape, self.i = x.shape, i
            return x[i]

        def backward(self, dout):
            d = np.zeros(self.shape)
            d[self.i] = dout
            return d, None

    np.testing.assert_array_equal(dout.grad(lambda x: dout.layer(Pick())(x, 1) * 3)(X), [0, 3, 0])


def test_checkpoint_and_jacobian_of_layers():
    f = dout.checkpoint(lambda x: Marked()(x))
    assert dout.grad(f)(3.0) == 3000.0
    np.testing.assert_array_equal(dout.jacobian(dout.layer(WritesIntoDout()))(X), np.diag([0.0, 1.0, 1.0]))


def test_complex_layers():
    class Square:
        def forward(self, z):
            self.z = z
            return z * z

        def backward(self, dout):
            return dout * 2 * self.z

    z = np.array([1 + 2j, 3j])
    found = dout.grad(lambda z: np.sum(np.real(dout.layer(Square())(z))))(z)
    np.testing.assert_allclose(found, dout.grad(lambda z: np.sum(np.real(z * z)))(z))


class Buffered:
    """Writes each derivative into the same memory."""

    spares_dout = True
    buffer = np.empty(3)

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return np.multiply(dout, 2 * self.x, out=self.buffer)


def test_a_layer_may_write_its_next_derivative_over_the_last():
    layer, ones = dout.layer(Buffered()), np.ones(3)
    np.testing.assert_array_equal(dout.grad(lambda x: np.sum(layer(x)) + np.sum(10 * layer(x)))(ones), [22.0] * 3)
    dx, dy = dout.grad(lambda x, y: np.sum(layer(x)) + np.sum(10 * layer(y)), (0, 1))(ones, ones)
    np.testing.assert_array_equal(dx, [2.0] * 3)
    np.testing.assert_array_equal(dy, [20.0] * 3)
    x = dout.Variable(ones)
    np.sum(layer(x)).backward()
    np.sum(10 * layer(x)).backward()
    np.testing.assert_array_equal(x.grad, [22.0] * 3)


def test_a_parameter_whose_derivative_has_memory_of_its_own():
    class Scale:
        def __init__(self, w):
            self.w, self.dw = w, np.zeros(3)

        def forward(self, x):
            self.x = x
            return self.w * x

        def backward(self, dout):
            self.dw[...] = dout * self.x
            return dout * self.w

    w = dout.Variable(np.full(3, 2.0))
    layer = dout.layer(Scale(w))
    np.sum(layer(np.array([1.0, 2.0, 3.0]))).backward()
    np.sum(layer(np.ones(3))).backward()
    np.testing.assert_array_equal(w.grad, [2.0, 3.0, 4.0])


def test_a_derivative_is_never_the_layers_own_state():
    class Weighted:
        def __init__(self, w):
            self.w = w

        def forward(self, x):
            return np.sum(self.w * x)

        def backward(self, dout):
            return self.w if dout == 1 else dout * self.w

    w = np.ones(3)
    assert not np.shares_memory(dout.grad(dout.layer(Weighted(w)))(np.ones(3)), w)


def test_a_gradient_that_is_added_to_stays_of_its_kind():
    x = dout.Variable(1.0)
    (x * 100000001.0).backward()
    np.sum(np.ones(1, np.float32) * x).backward()
    assert type(x.grad) is float
    assert x.grad == 100000002.0
    y = dout.Variable(np.array(1.0))
    for n in (1, 2):
        (y * 2).backward()
        assert type(y.grad) is np.ndarray
        assert y.grad == 2.0 * n

"""Affine and SoftmaxWithLoss: by hand, in a graph, and what they refuse."""

from dataclasses import dataclass

import numpy as np
import pytest

import dout
from dout.nn import Affine, SoftmaxWithLoss


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@dataclass
class Net:
    first: Affine
    second: Affine


def scores(net, x):
    return net.second(dout.Sigmoid()(net.first(x)))


def loss(net, x, t):
    return SoftmaxWithLoss()(scores(net, x), t)


def new_net(rng, dtype=float):
    def affine(n, m):
        return Affine(rng.normal(size=(n, m)).astype(dtype), rng.normal(size=m).astype(dtype))

    return Net(affine(4, 5), affine(5, 3))


BATCHES = [(), (1,), (6,), (2, 3), (0,)]


class TestAffine:
    @pytest.mark.parametrize("batch", BATCHES)
    def test_by_hand_is_the_sum_over_the_batch(self, rng, batch):
        affine = new_net(rng).first
        x, d = rng.normal(size=(*batch, 4)), rng.normal(size=(*batch, 5))
        assert np.array_equal(affine.forward(x), x @ affine.W + affine.b)
        assert np.allclose(affine.backward(d), d @ affine.W.T)
        rows, drows = x.reshape(int(np.prod(batch)), 4), d.reshape(int(np.prod(batch)), 5)
        assert np.allclose(
            affine.dW, sum((np.outer(r, dr) for r, dr in zip(rows, drows, strict=True)), np.zeros((4, 5)))
        )
        assert np.allclose(affine.db, drows.sum(axis=0))

    def test_backward_by_hand_is_the_walk_s(self, rng):
        affine = new_net(rng).first
        x, d = rng.normal(size=(6, 4)), rng.normal(size=(6, 5))
        affine.forward(x)
        dx = affine.backward(d)
        found, found_dx = dout.grad(lambda layer, x: np.sum(layer(x) * d), argnums=(0, 1))(affine, x)
        assert isinstance(found, Affine)
        assert np.array_equal(found.W, affine.dW)
        assert np.array_equal(found.b, affine.db)
        assert np.array_equal(found_dx, dx)

    @pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
    def test_check(self, rng, batch):
        assert dout.check(new_net(rng).first, rng.normal(size=(*batch, 4)))

    def test_one_layer_used_twice_sums_its_derivatives(self, rng):
        affine = Affine(rng.normal(size=(3, 3)), rng.normal(size=3))
        x = rng.normal(size=(2, 3))
        found = dout.grad(lambda layer: np.sum(layer(np.tanh(layer(x)))))(affine)
        plain = dout.grad(lambda W, b: np.sum(np.tanh(x @ W + b) @ W + b), argnums=(0, 1))(affine.W, affine.b)
        assert np.allclose(found.W, plain[0])
        assert np.allclose(found.b, plain[1])

    def test_calling_leaves_the_object_alone(self, rng):
        affine = new_net(rng).first
        dout.grad(lambda layer: np.sum(layer(np.ones(4))))(affine)
        affine(np.ones(4))
        assert set(vars(affine)) == {"W", "b"}

    def test_in_place_steps_between_gradients(self, rng):
        affine, x = new_net(rng).first, rng.normal(size=(6, 4))
        slope = dout.grad(lambda layer: np.sum(layer(x) ** 2))
        before = slope(affine).W
        affine.W -= 0.1 * before
        assert np.allclose(slope(affine).W, 2 * x.T @ (x @ affine.W + affine.b))

    def test_lists_become_arrays(self):
        affine = Affine([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0])
        assert np.array_equal(affine([1.0, 1.0]), [4.0, 7.0])
        assert np.array_equal(dout.grad(lambda a: np.sum(a(np.ones(2))))(affine).W, np.ones((2, 2)))

    def test_float32_stays_float32(self, rng):
        affine = new_net(rng, np.float32).first
        x = rng.normal(size=(6, 4)).astype(np.float32)
        out = affine.forward(x)
        dx = affine.backward(out)
        assert {a.dtype for a in (out, dx, affine.dW, affine.db)} == {np.dtype(np.float32)}

    def test_second_derivative(self, rng):
        W, b, x = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(2, 4))

        def by_layer(W, x):
            return np.sum(np.sin(Affine(W, b)(x)))

        def plain(W, x):
            return np.sum(np.sin(x @ W + b))

        for argnums in (0, 1):
            assert np.allclose(dout.hessian(by_layer, argnums)(W, x), dout.hessian(plain, argnums)(W, x))

    @pytest.mark.parametrize(
        ("W", "b", "named"),
        [
            ((3,), (3,), r"\(3,\)"),
            ((2, 3), (2,), r"\(2, 3\) and \(2,\)"),
            ((2, 3), (1, 3), r"\(1, 3\)"),
            ((2, 3), (), r"\(\)"),
        ],
    )
    def test_parameters_that_do_not_fit(self, W, b, named):
        with pytest.raises(ValueError, match=named):
            Affine(np.ones(W), np.ones(b))

    @pytest.mark.parametrize("shape", [(), (3,), (4, 3), (2, 1)])
    def test_x_that_does_not_fit(self, shape):
        affine = Affine(np.ones((2, 5)), np.ones(5))
        with pytest.raises(ValueError, match=r"x of shape \(\.\.\., 2\)"):
            affine.forward(np.ones(shape))
        with pytest.raises(ValueError, match=r"x of shape \(\.\.\., 2\)"):
            dout.grad(lambda x: np.sum(affine(x)))(np.ones(shape)[()])

    def test_dout_that_does_not_fit(self):
        affine = Affine(np.ones((2, 5)), np.ones(5))
        affine.forward(np.ones((3, 2)))
        with pytest.raises(ValueError, match=r"output's shape \(3, 5\), got \(5,\)"):
            affine.backward(np.ones(5))

    def test_backward_first(self):
        with pytest.raises(RuntimeError, match=r"Affine.backward was called before Affine.forward"):
            Affine(np.ones((2, 5)), np.ones(5)).backward(np.ones(5))


def one_hot(t, classes):
    return np.eye(classes)[t]


class TestSoftmaxWithLoss:
    @pytest.mark.parametrize("batch", [(), (1,), (6,), (2, 3)])
    def test_by_hand(self, rng, batch):
        x, t = rng.normal(size=(*batch, 3)), rng.integers(0, 3, size=batch)
        n = int(np.prod(batch))
        y = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
        layer = SoftmaxWithLoss()
        value = layer.forward(x, t)
        assert np.ndim(value) == 0
        assert np.allclose(value, -np.log(np.take_along_axis(y, t[..., None], -1)).mean())
        assert np.allclose(layer.y, y)
        dx, dt = layer.backward()
        assert dt is None
        assert np.allclose(dx, (y - one_hot(t, 3)) / n)
        assert np.allclose(layer.backward(2.0)[0], 2 * dx)

    def test_class_numbers_and_one_hot_agree_exactly(self, rng):
        x, t = rng.normal(size=(6, 3)), rng.integers(0, 3, size=6)
        numbers, ints, floats = SoftmaxWithLoss(), SoftmaxWithLoss(), SoftmaxWithLoss()
        rows = one_hot(t, 3)
        assert numbers.forward(x, t) == ints.forward(x, rows.astype(int)) == floats.forward(x, rows)
        assert np.array_equal(numbers.backward()[0], ints.backward()[0])
        assert np.array_equal(numbers.backward()[0], floats.backward()[0])
        assert ints.backward()[1] is None

    def test_float_targets_have_a_derivative(self, rng):
        x, t = rng.normal(size=(4, 3)), rng.dirichlet(np.ones(3), size=4)
        assert dout.check(SoftmaxWithLoss(), x, t)
        assert dout.check(SoftmaxWithLoss(), x, 3 * t)  # rows that don't sum to 1

    def test_check(self, rng):
        assert dout.check(SoftmaxWithLoss(), rng.normal(size=(6, 3)), rng.integers(0, 3, size=6))
        assert dout.check(SoftmaxWithLoss(), rng.normal(size=3), 1)
        assert dout.check(SoftmaxWithLoss(), rng.normal(size=(2, 3)), [0, 2])

    def test_second_derivative(self, rng):
        x, t = rng.normal(size=4), 2
        y = np.exp(x) / np.exp(x).sum()
        found = dout.hessian(lambda x: SoftmaxWithLoss()(x, t))(x)
        assert np.allclose(found, np.diag(y) - np.outer(y, y))

    def test_scores_of_any_size(self):
        layer = SoftmaxWithLoss()
        assert layer.forward(np.array([[1e4, 0.0], [-1e4, 0.0]]), np.array([0, 1])) == 0
        assert layer.forward(np.array([1e4, 0.0]), 1) == 1e4
        assert np.array_equal(layer.backward()[0], [1.0, -1.0])

    def test_a_score_of_minus_infinity_rules_a_class_out(self):
        layer = SoftmaxWithLoss()
        assert np.isclose(layer.forward(np.array([1.0, 1.0, -np.inf]), 0), np.log(2))
        assert np.allclose(layer.backward()[0], [-0.5, 0.5, 0.0])

    def test_float32_stays_float32(self, rng):
        x, t = rng.normal(size=(6, 3)).astype(np.float32), rng.integers(0, 3, size=6)
        for targets in (t, one_hot(t, 3)):
            layer = SoftmaxWithLoss()
            assert layer.forward(x, targets).dtype == np.float32
            assert layer.backward()[0].dtype == np.float32

    @pytest.mark.parametrize(
        ("x", "t", "error", "named"),
        [
            (np.ones((2, 3)), np.array([0, 1, 2]), ValueError, r"class numbers of shape \(2,\).*got t of shape \(3,\)"),
            (np.ones((2, 3)), np.ones((2, 4)), ValueError, r"rows of shape \(2, 3\), got t of shape \(2, 4\)"),
            (np.ones((2, 3)), np.array([0, 3]), ValueError, "0 to 2, got 0 to 3"),
            (np.ones((2, 3)), np.array([-1, 0]), ValueError, "0 to 2, got -1 to 0"),
            (np.ones((2, 3)), np.array([0.0, 1.0]), TypeError, "integers, got float64"),
            (np.ones((0, 3)), np.array([], int), ValueError, r"at least one example, got \(0, 3\)"),
            (1.0, 0, ValueError, r"got \(\)"),
        ],
    )
    def test_refusals(self, x, t, error, named):
        with pytest.raises(error, match=named):
            SoftmaxWithLoss().forward(x, t)

    def test_dout_is_one_number(self):
        layer = SoftmaxWithLoss()
        layer.forward(np.ones(2), 0)
        with pytest.raises(ValueError, match=r"dout of shape \(2,\)"):
            layer.backward(np.ones(2))

    def test_backward_first(self):
        with pytest.raises(RuntimeError, match=r"called before SoftmaxWithLoss.forward"):
            SoftmaxWithLoss().backward()


class TestNet:
    @pytest.mark.parametrize("batch", [(), (6,), (2, 3)])
    def test_the_derivative_is_a_net_and_right(self, rng, batch):
        net, x, t = new_net(rng), rng.normal(size=(*batch, 4)), rng.integers(0, 3, size=batch)
        report = dout.check(loss, net, x, t)
        assert report, str(report)
        found = dout.grad(loss)(net, x, t)
        assert isinstance(found, Net)
        assert isinstance(found.second, Affine)
        assert found.second.b.shape == (3,)

    def test_float32_all_the_way(self, rng):
        net, x = new_net(rng, np.float32), rng.normal(size=(6, 4)).astype(np.float32)
        value, found = dout.value_and_grad(loss)(net, x, rng.integers(0, 3, size=6))
        assert value.dtype == np.float32
        assert {p.dtype for p in (found.first.W, found.first.b, found.second.W)} == {np.dtype(np.float32)}

    def test_by_hand_backwards_is_the_walk(self, rng):
        net, x, t = new_net(rng), rng.normal(size=(6, 4)), rng.integers(0, 3, size=6)
        found = dout.grad(loss)(net, x, t)
        middle, last = dout.Sigmoid(), SoftmaxWithLoss()
        last.forward(net.second.forward(middle.forward(net.first.forward(x))), t)
        d, _ = last.backward()
        for layer in (net.second, middle, net.first):
            d = layer.backward(d)
        assert np.allclose(found.first.W, net.first.dW, rtol=1e-14)
        assert np.allclose(found.second.b, net.second.db, rtol=1e-14)

"""The walk: fan-out, depth, memory, what it may write to."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import dout
from dout import Variable

X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x + x, 2.0),
        (lambda x: x * x * x, 27.0),
        (lambda x: (lambda y: y * y + y)(x * 2), 26.0),
        (lambda x: x - x, 0.0),
        (lambda x: x, 1.0),
        (lambda x: (lambda y: y + y * 0 + x)(x * x), 7.0),
    ],
    ids=["x+x", "cube", "inner", "cancels", "itself", "mixed"],
)
def test_where_a_value_fans_out_its_derivatives_are_summed(f, expected):
    assert dout.grad(f)(3.0) == expected


def test_fan_out_of_arrays_and_broadcasting():
    def f(x, s):
        y = x * s
        return np.sum(y * y) + np.sum(y) * s + y[0]

    dx, ds = dout.grad(f, (0, 1))(X, 2.0)
    np.testing.assert_array_equal(dx, [4 * 2 + 4 + 2, 8 * 2 + 4, 12 * 2 + 4])
    assert ds == 2 * 2.0 * 14 + 2 * 2.0 * 6 + 1


def test_doubling_forty_times_walks_each_node_once():
    def f(x):
        for _ in range(40):
            x = x + x
        return x

    assert dout.grad(f)(1.0) == 2.0**40


def test_branches_that_do_not_reach_the_output_get_nothing():
    def f(x):
        np.log(x * 0.0 - 1.0 + 2.0) / 1.0
        x.sum() * 5.0
        return np.sum(x)

    np.testing.assert_array_equal(dout.grad(f)(X), np.ones(3))


def step(x, n):
    for _ in range(n // 2):
        x = x * 0.999 + 0.001
    return x


def test_a_chain_of_a_million_operations_goes_without_recursion_and_within_1_kib_a_node():
    n = 1_000_000
    assert dout.grad(step)(0.5, n) == pytest.approx(0.999 ** (n // 2), rel=1e-9)
    small = n // 20  # traced in a smaller one, because tracing is slow and growth is linear
    gc.collect()
    tracemalloc.start()
    dout.grad(step)(0.5, small)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / small < 1024


def test_a_deep_chain_of_arrays_is_freed_without_recursion():
    out = Variable(np.ones(2))
    for _ in range(200_000):
        out = out * 1.0
    del out
    gc.collect()


def test_a_deep_chain_of_variables_and_backward():
    x = Variable(0.5)
    y = step(x, 100_000)
    y.backward()
    assert x.grad == pytest.approx(0.999**50_000)


def test_a_deep_chain_of_second_derivatives():
    f = dout.grad(dout.grad(lambda x: step(x, 4_000) ** 2))
    slope = 0.999**2_000
    assert f(0.5) == pytest.approx(2 * slope**2)


def test_memory_is_freed_on_the_way_back():
    """Forward keeps 30 arrays; the walk holds a few more at a time, not another 30."""
    big = np.ones(100_000)

    def f(x):
        for _ in range(30):
            x = np.tanh(x)
        return np.sum(x)

    dout.grad(f)(big)
    gc.collect()
    tracemalloc.start()
    dout.grad(f)(big)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 36 * big.nbytes


def test_the_graph_is_freed_without_the_cyclic_collector():
    kept = []

    def f(x):
        y = np.exp(x)
        kept.append(weakref.ref(y.value.base))  # the array itself
        return np.sum(y * y)

    gc.collect()
    gc.disable()
    try:
        dout.grad(f)(X)
        assert kept[0]() is None
        tracemalloc.start()
        for _ in range(50):
            dout.grad(f)(np.ones(10_000))
        assert tracemalloc.get_traced_memory()[0] < 20 * 80_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_dout_is_never_written_into():
    given = np.ones(3)
    frozen = np.ones(3)
    frozen.flags.writeable = False

    def f(x):
        y = x + 0.0
        return y[:2].sum() * y + y[0] + y

    _, pullback = dout.vjp(f, X)
    first = pullback(given)
    again = pullback(frozen)
    np.testing.assert_array_equal(given, np.ones(3))
    np.testing.assert_array_equal(first[0], again[0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x,
        lambda x: x + 0.0,
        lambda x: x.reshape(3, 1),
        lambda x: x[:, None],
        lambda x: x[::-1],
        lambda x: np.broadcast_to(x, (2, 3)),
        lambda x: np.concatenate([x, x]),
        lambda x: x[[0, 1, 2]],
        lambda x: np.real(x),
        lambda x: np.sum(x),
        lambda x: (x, x),
        lambda x: np.cumsum(x),
        lambda x: np.where(True, x, 0.0),
    ],
)
def test_derivatives_share_no_memory_with_anything(f):
    x = X.copy()
    out, pullback = dout.vjp(f, x)
    outs = out if isinstance(out, tuple) else (out,)
    douts = tuple(np.ones(np.shape(o)) for o in outs)
    given = douts if isinstance(out, tuple) else douts[0]
    (found,) = pullback(given)
    assert type(found) is np.ndarray
    assert found.flags.writeable
    assert found.flags.owndata
    for other in (x, *outs, *douts, pullback(given)[0]):
        assert not np.shares_memory(found, other)


def test_the_walk_gives_each_leaf_its_dtype():
    a, b = np.float32([1, 2]), np.array([3.0, 4.0])
    da, db = dout.grad(lambda a, b: np.sum(a * b), (0, 1))(a, b)
    assert da.dtype == np.float32
    assert db.dtype == np.float64


def test_backward_adds_to_grad_and_can_run_again():
    x, y = Variable(2.0), Variable(3.0)
    z = x * y
    z.backward()
    z.backward()
    assert (x.grad, y.grad) == (6.0, 4.0)
    x.grad = None
    (x * x).backward(dout=0.5)
    assert (x.grad, y.grad) == (2.0, 4.0)


def test_backward_with_dout_and_arrays():
    x = Variable(X.copy(), name="x")
    y = x * 2.0
    d = np.array([1.0, 10.0, 100.0])
    y.backward(d)
    np.testing.assert_array_equal(x.grad, 2 * d)
    x.grad[:] = 0
    np.testing.assert_array_equal(d, [1.0, 10.0, 100.0])


def test_backward_of_the_leaf_itself_and_of_two_outputs():
    x = Variable(5.0)
    x.backward()
    assert x.grad == 1.0
    (x * 2.0).backward()
    (x * 3.0).backward()
    assert x.grad == 6.0


def test_grad_of_two_leaves_is_not_shared():
    x, y = Variable(np.ones(2)), Variable(np.ones(2))
    d = np.ones(2)
    (x + y).backward(d)
    x.grad += 5
    np.testing.assert_array_equal(y.grad, [1, 1])
    np.testing.assert_array_equal(d, [1, 1])


def test_a_variable_of_the_users_own_inside_grad():
    w = Variable(4.0)
    assert dout.grad(lambda x: np.sin(x) * w.value)(0.0) == 4.0
    derivative = dout.grad(lambda x: x * x * w)(3.0)
    assert float(dout.stop_gradient(derivative)) == 24.0
    derivative.backward()
    assert w.grad == 6.0


def test_grad_inside_define_by_run():
    x = Variable(2.0)
    y = dout.grad(lambda v: v**3 * x)(x)  # 3 v^2 x at v = x
    y.backward()
    assert x.grad == pytest.approx(36.0)


def test_plain_and_recorded_derivatives_meet_in_one_place():
    """Some douts are plain and some Variables, and all flow into entries of one array, where plain ones add in place."""
    x = np.arange(4.0)
    _, pullback = dout.vjp(lambda x: (x[0] * x[1], x[1] * x[2], np.sum(x[1:] * x[:-1])), x)
    assert dout.grad(lambda d: np.sum(pullback((d, 1.0, d * d))[0]))(3.0) == 55.0
    assert dout.grad(lambda d: np.sum(pullback((1.0, d, 2.0))[0]))(3.0) == 3.0
    assert dout.grad(lambda d: np.sum(pullback((1.0, 2.0, d))[0]))(3.0) == 9.0

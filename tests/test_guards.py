"""Plain arrays that are written to after an operation used them: as they were, or an error, never a wrong derivative."""

from __future__ import annotations

import numpy as np
import pytest

import dout
from dout import Variable
from dout.guards import SMALL, fingerprint, hold

SMALL_SIZE, LARGE_SIZE = 4, SMALL // 8 + 1


def right_or_refused(run, expected):
    """Whether it gives what it should, or an error that says what was written to."""
    try:
        found = run()
    except (RuntimeError, ValueError) as error:
        return "written to" in str(error) or "read-only" in str(error)
    return np.array_equal(found, expected)


USES = {
    "multiply": lambda x, c: x * c,
    "reflected": lambda x, c: c * x,
    "ufunc": lambda x, c: np.multiply(c, x),
    "divide": lambda x, c: c / x,
    "matmul": lambda x, c: np.reshape(c @ x, (1,)),
    "einsum": lambda x, c: np.einsum("i,i->i", x, c),
    "where": lambda x, c: np.where(c > 0.5, x * c, 0.0),
    "power": lambda x, c: x**c,
    "maximum": lambda x, c: np.maximum(x, c * 3),
    "assigned": lambda x, c: _assigned(x, c),
    "in place": lambda x, c: _in_place(x, c),
}


def _assigned(x, c):
    y = np.zeros_like(x)
    y[:] = c
    return y * x


def _in_place(x, c):
    y = x * 1.0
    y *= c
    return y


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_small_array_may_be_written_to_afterwards(use):
    def f(x, scribble):
        c = np.linspace(0.6, 1.0, SMALL_SIZE)
        out = use(x, c)
        if scribble:
            c[:] = 100.0
        return np.sum(out * out)

    x = np.linspace(1.0, 2.0, SMALL_SIZE)
    np.testing.assert_array_equal(dout.grad(f)(x, True), dout.grad(f)(x, False))
    np.testing.assert_array_equal(dout.hessian(f)(x, True), dout.hessian(f)(x, False))


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_large_array_raises_or_is_right(use):
    def f(x, scribble):
        c = np.linspace(0.6, 1.0, LARGE_SIZE)
        out = use(x, c)
        if scribble:
            c[LARGE_SIZE // 2] += 1e-13
        return np.sum(out * out)

    x = np.linspace(1.0, 2.0, LARGE_SIZE)
    right = dout.grad(f)(x, False)
    assert right_or_refused(lambda: dout.grad(f)(x, True), right)


def test_the_error_names_the_argument_and_what_to_do():
    c = np.ones(LARGE_SIZE)

    def f(x):
        out = x * c
        c[0] = 2
        return np.sum(out)

    with pytest.raises(RuntimeError, match=r"argument 1 of multiply, a plain float64 array.*a\.copy\(\)"):
        dout.grad(f)(np.ones(LARGE_SIZE))


@pytest.mark.parametrize("size", [SMALL_SIZE, LARGE_SIZE])
@pytest.mark.parametrize("strided", ["plain", "reversed", "transposed", "broadcast", "step"])
def test_views_of_arrays_are_held_too(size, strided):
    base = np.linspace(1.0, 2.0, 2 * size)
    view = {
        "plain": base[:size],
        "reversed": base[::-1],
        "transposed": base.reshape(2, size).T,
        "broadcast": np.broadcast_to(base[:1], (3, 1)),
        "step": base[::2],
    }[strided]

    def f(x):
        out = x * view
        base[0] = 50.0
        base[-1] = 50.0
        return np.sum(out)

    expected = view.copy()
    x = np.ones(view.shape)
    try:
        found = dout.grad(f)(x)
    except RuntimeError:
        assert size == LARGE_SIZE
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [SMALL_SIZE, LARGE_SIZE])
def test_index_arrays_and_masks_may_be_written_to(size):
    def f(x):
        places, mask = np.arange(size), np.ones(size, bool)
        out = x[places] * 2 + x[mask] * 3
        places[:] = 0
        mask[:] = False
        return np.sum(out)

    np.testing.assert_array_equal(dout.grad(f)(np.ones(size)), np.full(size, 5.0))


@pytest.mark.parametrize("size", [SMALL_SIZE, LARGE_SIZE])
def test_the_input_may_be_written_to_after_vjp(size):
    x = np.full(size, 3.0)
    out, pullback = dout.vjp(lambda v: v * v, x)
    x[:] = 100.0
    out[:] = 100.0
    np.testing.assert_array_equal(pullback(np.ones(size))[0], np.full(size, 6.0))


@pytest.mark.parametrize("size", [SMALL_SIZE, LARGE_SIZE])
@pytest.mark.parametrize("through", ["itself", "its base", "an older view"])
def test_the_input_written_to_while_the_function_runs(size, through):
    base = np.full(size + 1, 3.0)
    x = base[:size]
    target = {"itself": x, "its base": base, "an older view": base[:1]}[through]

    def f(v):
        out = v * v
        target[:] = 100.0
        return np.sum(out)

    assert right_or_refused(lambda: dout.grad(f)(x), np.full(size, 6.0))
    assert x.flags.writeable


@pytest.mark.parametrize("size", [SMALL_SIZE, LARGE_SIZE])
def test_an_input_is_writable_again_after_an_error(size):
    x = np.ones(size)
    for transform in (dout.grad, dout.jacobian, dout.hessian, dout.value_and_grad):
        with pytest.raises(ZeroDivisionError):
            transform(lambda v: 1 / 0)(x)
        assert x.flags.writeable


@pytest.mark.parametrize("size", [SMALL_SIZE, LARGE_SIZE])
def test_the_array_of_a_variable_written_to_before_backward(size):
    array = np.full(size, 3.0)
    v = Variable(array)
    out = np.sum(v * v)
    array[:] = 100.0
    assert right_or_refused(lambda: (out.backward(), v.grad)[1], np.full(size, 6.0))


def test_a_value_that_was_read_can_not_be_written_to():
    v = Variable(np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        v.value[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        dout.grad(lambda x: (np.exp(x).value.__setitem__(0, 1.0), np.sum(x))[1])(np.ones(3))


def test_what_stop_gradient_gives_may_be_written_to():
    def f(x):
        y = np.exp(x)
        plain = dout.stop_gradient(y)
        plain[:] = 100.0
        return np.sum(y)

    np.testing.assert_allclose(dout.grad(f)(np.zeros(3)), np.ones(3))


def test_a_scratch_buffer_used_twice():
    def f(x):
        scratch = np.empty(3)
        total = 0.0
        for k in range(4):
            scratch[:] = k
            total = total + np.sum(x * scratch)
        return total

    np.testing.assert_array_equal(dout.grad(f)(np.ones(3)), np.full(3, 6.0))


def test_an_array_that_is_only_added_may_change_and_is_not_looked_at():
    c = np.ones(LARGE_SIZE)

    def f(x):
        out = x + c
        c[:] = 7.0
        return np.sum(out * 2)

    np.testing.assert_array_equal(dout.grad(f)(np.ones(LARGE_SIZE)), np.full(LARGE_SIZE, 2.0))


def test_hold_and_fingerprint():
    small, large = np.ones(3), np.ones((40, 1000))
    held, digest = hold(small)
    assert held is not small
    assert digest is None
    assert hold(2.0) == (2.0, None)
    assert hold(large)[0] is large
    assert fingerprint(large) == fingerprint(large.copy())
    assert fingerprint(large.T) != fingerprint(large * 2)
    assert fingerprint(np.broadcast_to(np.ones(3), (10**9, 3))) == fingerprint(np.ones((1, 3)))


def test_arguments_may_be_views_of_one_array():
    rows = np.ones((3, LARGE_SIZE))
    values = dout.grad(lambda x, y, z: np.sum(x * y * z), argnums=(0, 1, 2))(*rows)
    assert all(np.all(v == 1) for v in values)
    assert rows.flags.writeable
    assert rows[1].flags.writeable

"""Every kind of function can be differentiated, in every kind of surroundings: errors, threads, generators."""

from __future__ import annotations

import functools
import math
import threading

import numpy as np
import pytest

from dout import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

X = np.array([1.0, 2.0, 3.0])


def cube(x):
    return x**3


class Thing:
    factor = 3.0

    def method(self, x):
        return self.factor * x * x

    @classmethod
    def of_class(cls, x):
        return cls.factor * x * x

    @staticmethod
    def static(x):
        return 3.0 * x * x

    def __call__(self, x):
        return 3.0 * x * x


def recursive(x, n=2):
    return 3.0 if n == 0 else x * recursive(x, n - 1)


def generated(x):
    def numbers():
        factor = yield
        while True:
            factor = yield factor * 3.0

    running = numbers()
    next(running)
    return running.send(x) * x


def branching(x):
    total = 0.0
    while total < 3:
        total = total + 1 if x > 0 else total + 2
    return total * x * x


FUNCTIONS = {
    "method": Thing().method,
    "class method": Thing.of_class,
    "static method": Thing.static,
    "callable": Thing(),
    "partial": functools.partial(lambda k, x: k * x * x, 3.0),
    "partial keyword": functools.partial(lambda x, k: k * x * x, k=3.0),
    "lambda with default": lambda x, k=3.0: k * x * x,
    "star": lambda *args: 3.0 * args[0] * args[0],
    "recursive": recursive,
    "coroutine inside": generated,
    "generator expression": lambda x: sum(x * x for _ in range(3)),
    "branching": branching,
    "closure changed while it runs": lambda x: [k := 3.0, k * x * x][1],
    "lru_cache": functools.lru_cache(lambda x: 3.0 * x * x),
    "builtins": lambda x: max(min(3.0 * x * x, 1e9), -1e9),
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_every_kind_of_function(f):
    assert grad(f)(2.0) == 12.0
    assert grad(grad(f))(2.0) == 6.0
    assert jvp(f, (2.0,), (1.0,)) == (12.0, 12.0)


def test_ufuncs_and_builtins_as_functions():
    assert grad(np.sin)(0.0) == 1.0
    assert grad(np.multiply, 1)(2.0, 3.0) == 2.0
    assert hessian(np.exp)(0.0) == 1.0
    assert grad(abs)(-2.0) == -1.0
    assert grad(sum)([1.0, 2.0]) == [1.0, 1.0]
    np.testing.assert_array_equal(grad(np.sum)(X), np.ones(3))


def test_the_derivative_keeps_the_name_and_doc():
    def named(x):
        """Says what it is."""
        return x

    for transform in (grad, value_and_grad, jacobian, hessian):
        assert transform(named).__name__ == "named"


def test_an_error_in_the_function_leaves_nothing_behind():
    def boom(x):
        x * 2.0
        raise KeyError("boom")

    for run in (grad, value_and_grad, jacobian, hessian):
        with pytest.raises(KeyError, match="boom"):
            run(boom)(1.0)
        assert grad(cube)(2.0) == 12.0
    for run in (lambda: vjp(boom, 1.0), lambda: jvp(boom, (1.0,), (1.0,)), lambda: hvp(boom, 1.0, 1.0)):
        with pytest.raises(KeyError, match="boom"):
            run()
        assert grad(cube)(2.0) == 12.0
    kept = []
    grad(lambda x: (kept.append(x), x)[1])(1.0)
    with pytest.raises(RuntimeError, match="has finished"):
        grad(lambda x: x * kept[0])(1.0)


def test_threads_do_not_meet():
    found, errors = {}, []

    def work(i):
        try:
            for _ in range(30):
                found[i] = grad(grad(lambda x: np.sin(x) * x * i))(0.5)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors
    right = 2 * math.cos(0.5) - 0.5 * math.sin(0.5)
    assert [found[i] for i in range(8)] == pytest.approx([i * right for i in range(8)])


def test_a_thread_inside_the_function():
    def f(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(grad(lambda y: y * y * x)(3.0) + x * x))
        thread.start()
        thread.join()
        return found[0]

    assert grad(f)(2.0) == 10.0


def test_grad_inside_a_generator_that_is_left_and_entered():
    def numbers():
        for x in (1.0, 2.0):
            yield grad(cube)(x)

    running = numbers()
    assert next(running) == 3.0
    assert grad(lambda x: x * next(running))(1.0) == 12.0


def test_a_generator_that_is_suspended_inside_a_derivative():
    def f(x):
        return grad(lambda y: sum(y * y * x for _ in range(2)))(x)

    assert grad(f)(3.0) == 24.0

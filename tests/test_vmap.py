"""dout.vmap: what a function does to one example, done to all; compared with a loop over the examples, and with JAX."""

from __future__ import annotations

import dataclasses
import pickle
import threading
import warnings

import numpy as np
import oracles
import pytest

import dout
from dout.jit import jit
from dout.tree import flatten, tree_map
from dout.vmap import vmap

X = oracles.array(4, 3)
Y = oracles.array(4, 3, seed=1)
M = oracles.array(4, 3, 3) + 3 * np.eye(3)
W = oracles.array(5, 3)
S = oracles.array(4)
IDS = np.array([2, 0, 1, 2])
SIGMOID, RELU, MUL = dout.Sigmoid(), dout.Relu(), dout.MulLayer()


def loop(f, *args, in_axes=0):
    """The results of f for each example, stacked."""
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
    n = next(np.shape(a)[axis] for a, axis in zip(args, axes, strict=True) if axis is not None)
    results = [
        f(*[a if axis is None else np.take(a, i, axis) for a, axis in zip(args, axes, strict=True)]) for i in range(n)
    ]
    rebuild = flatten(results[0])[1]
    return rebuild(iter([np.stack(column) for column in zip(*[flatten(r)[0] for r in results], strict=True)]))


def assert_same(found, expected, rtol=1e-12):
    """The same containers, shapes, dtypes and, to a rounding or two of another order of sums, values."""
    found, expected = flatten(found)[0], flatten(expected)[0]
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.result_type(a) == np.result_type(b)
        np.testing.assert_allclose(a, b, rtol, 1e-13)


class Cube:
    """A layer whose backward is not the derivative of its forward, so that it is seen which is used."""

    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, dout):
        return 10 * dout * self.x


class Scale(dout.Layer):
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.dw = np.sum(dout * self.x)
        return dout * self.w


CUBE = dout.layer(Cube())


def filled(x):
    z = np.zeros_like(x)
    z[1:] = x[:-1] * 2
    z[z < 0] = 0.5
    return np.sum(z * z)


def turned(x):
    x = x.copy()
    x[::-1][0] = x[1] * 5
    x += 1
    return x.T


def newton(x):
    while np.abs(x * x - 2) > 1e-10:
        x = x - (x * x - 2) / (2 * x)
    return x


FUNCTIONS = {
    "sum": lambda x: np.sum(x**2),
    "constant": lambda x: 3.0,
    "constant array": lambda x: W,
    "input": lambda x: x,
    "tuple": lambda x: (x[0], {"a": x * 2, "b": [x.sum()]}),
    "closure": lambda x: np.tanh(W @ x),
    "softmax": lambda x: np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x))),
    "filled": filled,
    "turned": turned,
    "views": lambda x: x[::-1][1:].reshape(2, 1) @ x[None, :2],
    "where": lambda x: np.where(x > 0, x, -2 * x),
    "where of all": lambda x: np.where(np.all(x > -1), x, 0),
    "argmax": lambda x: np.argmax(x),
    "chosen": lambda x: x[np.argmax(x)],
    "sorted": lambda x: np.sort(x)[::-1],
    "argsort": lambda x: np.argsort(x) * 2,
    "gather": lambda x: W[:, 0][np.argsort(x)],
    "mask": lambda x: (x > 0) & (x < 1),
    "count": lambda x: np.sum(x > 0) + 1,
    "ints": lambda x: np.floor(x).astype(int) // 2,
    "cast": lambda x: x.astype(np.float32) * 2,
    "complex": lambda x: np.abs(np.fft.fft(x)),
    "median": lambda x: np.median(x),
    "interp": lambda x: np.interp(x, np.array([-2.0, 0.0, 2.0]), np.array([1.0, 5.0, 2.0])),
    "array of objects": lambda x: np.stack([np.cos(x[0]), np.sin(x[1])]),
    "add.at": lambda x: np.bincount(np.array([0, 1, 1]), minlength=2) * x[0],
    "stop": lambda x: x * dout.stop_gradient(x),
    "checkpoint": lambda x: dout.checkpoint(lambda v: v * v * v)(x),
    "layers": lambda x: SIGMOID(RELU(MUL(x, 2.0))),
    "cube": CUBE,
    "grad": dout.grad(lambda x: np.sum(np.tanh(W @ x))),
    "value_and_grad": dout.value_and_grad(lambda x: np.sum(np.tanh(W @ x))),
    "grad of cube": dout.grad(lambda x: np.sum(CUBE(x))),
    "grad of grad": dout.grad(lambda x: np.sum(dout.grad(lambda x: np.sum(np.sin(x) * x))(x) ** 2)),
    "grad filled": dout.grad(filled),
    "grad where": dout.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0))),
    "grad max": dout.grad(lambda x: np.max(x) - np.min(x * x)),
    "grad of chosen": dout.grad(lambda x: x[np.argmax(x)] ** 2),
    "grad of sorted": dout.grad(lambda x: np.sum(np.sort(x) * np.arange(3.0))),
    "grad prod": dout.grad(np.prod),
    "grad norm": dout.grad(lambda x: np.linalg.norm(x)),
    "jvp": lambda x: dout.jvp(lambda x: np.exp(x), (x,), (x * 2,)),
    "vjp": lambda x: dout.vjp(lambda x: np.exp(x), x)[1](x * 2),
    "hvp": lambda x: dout.hvp(lambda x: np.sum(np.sin(x) ** 3), x, x),
    "jacobian": dout.jacobian(lambda x: np.cumsum(x) ** 2),
    "hessian": dout.hessian(lambda x: np.sum(np.tanh(W @ x))),
    "jitted": jit(lambda x: np.sum(np.tanh(W @ x))),
    "jitted grad": jit(dout.grad(lambda x: np.sum(np.tanh(W @ x)))),
    "grad of jitted": dout.grad(jit(lambda x: np.sum(np.tanh(W @ x)))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_a_loop(name: str) -> None:
    """Warnings are errors here, so that none of these runs one by one."""
    f = FUNCTIONS[name]
    expected = loop(f, X)
    assert_same(vmap(f)(X), expected)
    assert_same(vmap(f, in_axes=-1)(np.moveaxis(X, 0, -1)), expected)
    assert_same(jit(vmap(f))(X), expected)
    assert_same(jit(vmap(f))(X), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_as_those_of_a_loop(name: str) -> None:
    f = FUNCTIONS[name]
    floats = [i for i, o in enumerate(flatten(f(X[0]))[0]) if np.result_type(o).kind == "f"]
    if not floats:
        return

    def total(run, x):
        outs = flatten(run(f, x))[0]
        return sum(np.sum(outs[i] * (np.arange(np.size(outs[i])).reshape(np.shape(outs[i])) + 1.5)) for i in floats)

    batch, one_by_one = (lambda x: total(lambda f, x: vmap(f)(x), x)), (lambda x: total(loop, x))
    assert_same(dout.grad(batch)(X), dout.grad(one_by_one)(X))
    if name != "array of objects":
        v = np.cos(X)
        assert_same(dout.hvp(batch, X, v), dout.hvp(one_by_one, X, v), 1e-11)
        assert_same(jit(dout.grad(batch))(X), dout.grad(one_by_one)(X))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nested(name: str) -> None:
    f = FUNCTIONS[name]
    batch = np.stack([X, Y, X * 0.5])
    expected = loop(lambda x: loop(f, x), batch)
    assert_same(vmap(vmap(f))(batch), expected)
    assert_same(vmap(vmap(f), in_axes=1, out_axes=1)(batch), expected)


TWO = {
    "dot": np.dot,
    "outer": np.outer,
    "multiply": lambda x, y: x * y,
    "both": lambda x, y: np.sum(x * np.exp(y)) + x[0] * y[1],
    "compared": lambda x, y: np.where(x < y, x, y),
    "grads": dout.grad(lambda x, y: np.sum(np.tanh(x * y) * x), argnums=(0, 1)),
    "grad of one": dout.grad(lambda x, y: np.sum(np.tanh(x * y) * x), argnums=1),
    "written": lambda x, y: np.concatenate([x, y[:1]]),
}


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0), (1, 0), (0, -1), (-1, None)])
def test_two_arguments(name: str, in_axes) -> None:
    f = TWO[name]
    args = [X[0] if a is None else X.T if a in (1, -1) else X for a in in_axes[:1]] + [
        Y[0] if a is None else Y.T if a in (1, -1) else Y for a in in_axes[1:]
    ]
    expected = loop(f, *args, in_axes=in_axes)
    assert_same(vmap(f, in_axes)(*args), expected)
    for out_axis in (1, -1):
        moved = tree_map(lambda v, axis=out_axis: np.moveaxis(v, 0, axis) if v.ndim > 1 else v, expected)
        if all(np.ndim(v) > 1 for v in flatten(expected)[0]):
            assert_same(vmap(f, in_axes, out_axis)(*args), moved)


def test_what_is_the_same_for_all_can_be_a_variable() -> None:
    def f(w, x):
        return np.sum(np.tanh(w @ x) * w[0, 0])

    batch = lambda w: np.sum(vmap(f, (None, 0))(w, X) ** 2)  # noqa: E731
    closed = lambda w: np.sum(vmap(lambda x: f(w, x))(X) ** 2)  # noqa: E731
    looped = lambda w: np.sum(np.stack([f(w, x) for x in X]) ** 2)  # noqa: E731
    for run in (batch, closed):
        assert_same(dout.grad(run)(W), dout.grad(looped)(W))
        assert_same(dout.hvp(run, W, np.cos(W)), dout.hvp(looped, W, np.cos(W)), 1e-11)
        assert_same(jit(dout.grad(run))(W), dout.grad(looped)(W))


def test_rows_of_what_is_the_same_for_all_chosen_by_the_example() -> None:
    def of(run):
        return lambda w: np.sum(run(w) ** 2 * np.arange(12.0).reshape(4, 3))

    expected = dout.grad(of(lambda w: np.stack([w[i] for i in IDS])))(W)
    closed = lambda w: vmap(lambda i: w[i])(IDS)  # noqa: E731
    given = lambda w: vmap(lambda w, i: w[i], (None, 0))(w, IDS)  # noqa: E731
    for run in (closed, given):
        assert_same(dout.grad(of(run))(W), expected)
        assert_same(jit(dout.grad(of(run)))(W), expected)
    assert_same(vmap(lambda i: np.take(W, i, axis=0))(IDS), W[IDS])


def test_comparing_what_is_the_same_for_all_with_the_example() -> None:
    """Not with the first example's value, whatever kind of Variable is on the left."""

    def of(run):
        return lambda w: np.sum(run(w))

    looped = of(lambda w: np.stack([np.sum(np.where(w > x, w, 2 * x)) for x in S]))
    closed = of(lambda w: vmap(lambda x: np.sum(np.where(w > x, w, 2 * x)))(S))
    given = of(lambda w: vmap(lambda w, x: np.sum(np.where(w > x, w, 2 * x)), (None, 0))(w, S))
    assert_same(dout.grad(closed)(W), dout.grad(looped)(W))
    assert_same(dout.grad(given)(W), dout.grad(looped)(W))
    part = of(lambda w: vmap(lambda w, x: np.sum(np.where(w > x, w, 2 * x)), (None, 0))(w[1:], S))
    looped = of(lambda w: np.stack([np.sum(np.where(w[1:] > x, w[1:], 2 * x)) for x in S]))
    assert_same(dout.grad(part)(W), dout.grad(looped)(W))


def test_a_view_of_what_is_outside_compared_with_the_example_is_right_though_slow() -> None:
    def run(w):
        row = w[0]
        return np.sum(vmap(lambda x: np.sum(np.where(row > x, row, 2 * x)))(S))

    looped = lambda w: np.sum(np.stack([np.sum(np.where(w[0] > x, w[0], 2 * x)) for x in S]))  # noqa: E731
    with pytest.warns(UserWarning, match="one example after another"):
        found = dout.grad(run)(W)
    assert_same(found, dout.grad(looped)(W))


# Python's control flow


def branch(x):
    if x > 0:
        return x * x
    return -x


def test_branches() -> None:
    assert_same(vmap(branch)(S), loop(branch, S))
    assert_same(vmap(dout.grad(branch))(S), loop(dout.grad(branch), S))
    assert_same(dout.grad(lambda x: np.sum(vmap(branch)(x)))(S), loop(dout.grad(branch), S))
    assert_same(jit(vmap(branch))(S), loop(branch, S))
    fast = jit(vmap(branch))
    for x in (S, -S, np.abs(S), S * 2):
        assert_same(fast(x), loop(branch, x))
    assert_same(vmap(vmap(branch))(X), loop(lambda x: loop(branch, x), X))


def test_loops_until_it_is_good() -> None:
    start = np.array([1.5, 30.0, 1.4, 100.0, 2.0])
    assert_same(vmap(newton)(start), loop(newton, start))
    assert_same(vmap(dout.grad(newton))(start), loop(dout.grad(newton), start))


@pytest.mark.parametrize(
    "f",
    [lambda x: float(x) * 2, lambda x: x * int(x * 10), lambda x: x[x > 0].sum() if np.ndim(x) else x * round(float(x), 3),
     lambda x: len(f"{x:.12f}") * x],
    ids=["float", "int", "round", "format"],
)  # fmt: skip
def test_what_python_looks_at(f) -> None:
    """More ways than are run as a batch: one by one, which is said."""
    many = np.linspace(-3, 3, 31) ** 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_same(vmap(f)(many), loop(f, many))
    with pytest.warns(UserWarning, match="one example after another.*np.where"):
        vmap(lambda x: float(x))(many)


def test_as_many_results_as_the_values_say() -> None:
    with pytest.raises(ValueError, match="different shapes for different examples"):
        vmap(lambda x: x[x > 0])(X)
    assert_same(vmap(lambda x: x[x > 0])(np.abs(X)), np.abs(X))
    assert_same(vmap(lambda x: np.sum(x[x > 0]))(X), loop(lambda x: np.sum(x[x > 0]), X))


def test_results_that_no_longer_depend_on_the_example() -> None:
    found = vmap(lambda x: (1.0, x, W))(S)
    assert_same(found, (np.ones(4), S, np.stack([W] * 4)))
    for v in flatten(found)[0]:
        v[...] = 0  # nobody else's
    assert not np.any(S == 0)
    assert_same(vmap(lambda x: (1.0, x), out_axes=(None, 0))(S), (1.0, S))
    assert vmap(lambda x: (None, x))(S)[0] is None


# Axes


@dataclasses.dataclass
class Point:
    x: object
    name: str
    y: object


def test_containers() -> None:
    def f(p, rest):
        return {"s": p["a"] * p["b"][0] + rest.x, "t": (rest.y,)}

    p = {"a": S, "b": [X.T, "name"]}
    rest = Point(2.0, "point", Y)
    found = vmap(f, in_axes=({"a": 0, "b": [1, None]}, Point(None, None, 0)), out_axes={"s": -1, "t": 0})(p, rest)
    expected = np.stack([S[i] * X[i] + 2.0 for i in range(4)], axis=-1)
    assert_same(found["s"], expected)
    assert_same(found["t"][0], Y)
    assert_same(vmap(lambda p: p["a"] + p["b"][0])({"b": [S, "x"], "a": S}), 2 * S)
    assert_same(vmap(lambda p: p["a"] + p["b"], in_axes=({"b": None, "a": 0},))({"a": S, "b": 1.0}), S + 1)


def test_keyword_arguments_are_mapped_along_their_first_axis() -> None:
    assert_same(vmap(lambda x, y: x @ y, in_axes=1)(X.T, y=Y), np.sum(X * Y, axis=1))


def test_other_numbers_than_floats() -> None:
    assert_same(vmap(lambda n: n * n // 3)(np.arange(5)), np.arange(5) ** 2 // 3)
    assert_same(vmap(lambda b: ~b)(np.array([True, False])), np.array([False, True]))
    assert_same(vmap(lambda z: z * np.conj(z))(S + 1j), (S + 1j) * (S - 1j))
    assert_same(vmap(lambda x: x * 2 + 1)(X.astype("f4")), X.astype("f4") * 2 + 1)
    assert_same(vmap(dout.grad(lambda x: np.sum(x * 2.5)))(X.astype("f4")), np.full((4, 3), 2.5, "f4"))


def test_no_examples() -> None:
    assert_same(vmap(lambda x: np.sum(x * W))(np.zeros((0, 3))), np.zeros(0))
    assert_same(vmap(dout.grad(lambda x: np.sum(x**2)))(np.zeros((0, 3))), np.zeros((0, 3)))
    assert_same(vmap(lambda x: W @ x)(np.zeros((0, 3))), np.zeros((0, 5)))
    assert_same(vmap(lambda x: np.median(x) + np.argmax(x))(np.zeros((0, 3))), np.zeros(0))
    with pytest.raises(ValueError, match="there are no examples"):
        vmap(lambda x: np.linalg.inv(x))(np.zeros((0, 2, 2)))


def test_one_example() -> None:
    assert_same(vmap(FUNCTIONS["hessian"])(X[:1]), loop(FUNCTIONS["hessian"], X[:1]))


WRONG = {
    "in_axes name": (lambda: vmap(np.sin, in_axes="0"), TypeError, "in_axes: an axis is an int or None, got '0'"),
    "in_axes float": (lambda: vmap(np.sin, in_axes=(0.0,)), TypeError, "in_axes: an axis is an int or None, got 0.0"),
    "in_axes bool": (lambda: vmap(np.sin, in_axes=True), TypeError, "got True"),
    "in_axes dict": (lambda: vmap(np.sin, in_axes={"x": 0}), TypeError, "a tuple with an entry for each argument"),
    "out_axes": (lambda: vmap(np.sin, out_axes="0"), TypeError, "out_axes: an axis is an int or None"),
    "no function": (lambda: vmap(3), TypeError, "expected a function, got int"),
    "too few": (lambda: vmap(np.dot, in_axes=(0,))(X, Y), ValueError, "in_axes has 1 entries, and dot got 2"),
    "nothing mapped": (lambda: vmap(np.dot, in_axes=None)(X, Y), ValueError, "no argument is mapped"),
    "out of range": (lambda: vmap(lambda x: x, 2)(X), ValueError, r"\('x'\) is mapped along axis 2, but it has shape \(4, 3\)"),
    "negative out of range": (lambda: vmap(lambda x: x, -3)(X), ValueError, r"argument 0 \('x'\).* axis -3"),
    "number": (lambda: vmap(lambda x, y: x * y)(X, 2.0), ValueError, r"argument 1 \('y'\).*single number; give it None"),
    "sizes": (lambda: vmap(lambda x, y: x)(X, Y.T), ValueError, r"sizes: argument 0 \('x'\) has 4, argument 1 \('y'\) has 3"),
    "size of keyword": (lambda: vmap(lambda x, y: x)(X, y=S[:2]), ValueError, "argument 'y' has 2"),
    "size inside": (lambda: vmap(lambda p: p["a"])({"a": X, "b": [S[:3]]}), ValueError, r"0 \('p'\)\['b'\]\[0\] has 3"),
    "form": (lambda: vmap(lambda p: p["a"], ({"c": 0},))({"a": X}), ValueError, r"argument 0 \('p'\): a dict with 'c'"),
    "form below": (lambda: vmap(lambda p: p, ([0, [0]],))([X, [X, X]]), ValueError, r"in_axes\[1\] for argument 0"),
    "list for array": (lambda: vmap(lambda p: p, ([0],))(X), ValueError, r"a list of 1 .* an array of shape \(4, 3\)"),
    "out form": (lambda: vmap(lambda x: (x, x), out_axes=(0, 0, 0))(X), ValueError, "out_axes: a tuple of 3 .* a tuple of 2"),
    "out of range out": (lambda: vmap(lambda x: x, out_axes=2)(X), ValueError, "out_axes says 2 .* has 2 axes"),
    "out None": (lambda: vmap(lambda x: x, out_axes=None)(X), ValueError, "depends on the example"),
    "strings": (lambda: vmap(lambda x: x)(np.array(["a", "b"])), TypeError, "an array of numbers, got a ndarray of <U1"),
    "masked": (lambda: vmap(lambda x: x)(np.ma.masked_array(S)), TypeError, "MaskedArray"),
    "returns a string": (lambda: vmap(lambda x: "yes")(S), TypeError, "numbers and arrays, in containers; got str"),
    "containers differ": (lambda: vmap(lambda x: (x, x) if x > 0 else x)(S), ValueError, "different containers"),
    "fails": (lambda: vmap(lambda x: np.zeros(2) + x)(X), ValueError, "could not be broadcast"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore:vmap of")
def test_what_is_wrong_is_said(name: str) -> None:
    run, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        run()


@pytest.mark.filterwarnings("ignore:vmap of")
def test_a_derivative_is_not_lost() -> None:
    with pytest.raises(TypeError, match="would lose its derivative"):
        dout.grad(lambda x: np.sum(vmap(lambda v: float(v) * 2)(x)))(S)
    with pytest.raises(TypeError, match="would lose its derivative"):
        vmap(dout.grad(lambda v: float(v) * 2))(S)


@pytest.mark.filterwarnings("ignore:vmap of")
def test_a_variable_that_is_the_same_for_all_cannot_be_written_to() -> None:
    def write(w, x):
        w[0] = x
        return np.sum(w)

    with pytest.raises(TypeError, match="writes into an argument that is the same for all"):
        dout.grad(lambda w: np.sum(vmap(write, (None, 0))(w * 1.0, S)))(np.ones(2))


def test_a_variable_that_was_kept_is_refused() -> None:
    kept = []
    vmap(lambda x: kept.append(x) or x * 2)(S)
    with pytest.raises(RuntimeError, match=r"kept from inside a function under dout\.vmap"):
        kept[0] * 2


@pytest.mark.filterwarnings("ignore:vmap of")
def test_plain_arrays_that_are_written_to() -> None:
    def f(x):
        out = np.zeros(3)
        for i in range(3):
            out[i] = x[i] * 2
        return out

    assert_same(vmap(f)(X), X * 2)


def test_arguments_are_not_written_to() -> None:
    def f(x):
        x[0] = 5.0
        return np.sum(x)

    x = X.copy()
    assert_same(vmap(f)(x), 5 + np.sum(X[:, 1:], axis=1))
    assert np.array_equal(x, X)


def test_rows_that_are_written_to() -> None:
    """NumPy's row would be a view; what vmap has is none, so the examples run one by one."""

    def f(i, x):
        a = np.zeros((3, 3)) + x
        row = a[i]
        row += 1
        return a

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert_same(vmap(f)(IDS, S), loop(f, IDS, S))


@pytest.mark.parametrize("f", [
    lambda i, x: x[i], lambda i, x: x[i, i], lambda i, x: x[i, 1:], lambda i, x: x[:, i], lambda i, x: x[1:, i],
    lambda i, x: x[np.stack([i, 0 * i])], lambda i, x: x[:, np.stack([i, 0 * i])], lambda i, x: x[None, i],
    lambda i, x: x[..., i], lambda i, x: x[np.stack([i, i]), :], lambda i, x: x[[0, 1], np.stack([i, 2 - i])],
    lambda i, x: x[np.stack([i, i])[:, None], np.array([0, 2])], lambda i, x: np.take_along_axis(x, np.argsort(x, 0), 0),
])  # fmt: skip
@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0)])
def test_indices(f, in_axes) -> None:
    args = IDS if in_axes[0] == 0 else IDS[0], M if in_axes[1] == 0 else M[0]
    expected = loop(f, *args, in_axes=in_axes)
    assert_same(vmap(f, in_axes)(*args), expected)
    if in_axes[1] == 0:
        assert_same(vmap(dout.grad(lambda x, i: np.sum(f(i, x) ** 3)), in_axes[::-1])(*args[::-1]),
                    loop(dout.grad(lambda x, i: np.sum(f(i, x) ** 3)), *args[::-1], in_axes=in_axes[::-1]))  # fmt: skip
    weights = np.cos(expected)
    batch = dout.grad(lambda x: np.sum(vmap(f, in_axes)(args[0], x) ** 2 * weights))(args[1])
    looped = dout.grad(lambda x: np.sum(loop(f, args[0], x, in_axes=in_axes) ** 2 * weights))(args[1])
    assert_same(batch, looped)


@pytest.mark.parametrize("key", [
    lambda i: i, lambda i: (i, i), lambda i: (slice(None), i), lambda i: (slice(1, None), i), lambda i: np.stack([i, 0 * i]),
    lambda i: ([0, 1], np.stack([i, 2 - i])), lambda i: (np.stack([i, i]), slice(1, None)),
])  # fmt: skip
@pytest.mark.parametrize("in_axes", [(0, 0), (0, None), (None, 0)])
def test_writing_at_indices(key, in_axes) -> None:
    def f(i, x):
        a = x * 1.0
        a[key(i)] = 7.0
        b = x * 2.0
        b[key(i)] = b[key(i)] * 3 + x[0, 0]
        return a + b

    args = IDS if in_axes[0] == 0 else IDS[0], M if in_axes[1] == 0 else M[0]
    assert_same(vmap(f, in_axes)(*args), loop(f, *args, in_axes=in_axes))
    batch = dout.grad(lambda x: np.sum(vmap(f, in_axes)(args[0], x) ** 2))(args[1])
    assert_same(batch, dout.grad(lambda x: np.sum(loop(f, args[0], x, in_axes=in_axes) ** 2))(args[1]))


# Layers, and everything together


def test_a_backward_of_its_own_is_used_for_each_example() -> None:
    of = lambda run: lambda x: np.sum(run(x) * np.arange(1.0, 5.0)[:, None])  # noqa: E731
    assert_same(dout.grad(of(vmap(CUBE)))(X), 10 * X * np.arange(1.0, 5.0)[:, None])
    assert_same(dout.hvp(of(vmap(CUBE)), X, X), dout.hvp(of(lambda x: loop(CUBE, x)), X, X))


def test_parameters_of_a_layer() -> None:
    def total(w, run):
        scale = Scale(w)
        return np.sum(run(lambda x: scale(x), X) ** 2)

    expected = dout.grad(total)(1.5, loop)
    assert_same(dout.grad(total)(1.5, lambda f, x: vmap(f)(x)), expected)


def network(p, x, label):
    hidden = np.tanh(x @ p["w1"] + p["b1"])
    out = hidden @ p["w2"] + p["b2"]
    return np.log(np.sum(np.exp(out))) - out[label]


NETWORK = {
    "w1": oracles.array(3, 6), "b1": oracles.array(6), "w2": oracles.array(6, 3, seed=2), "b2": oracles.array(3),
}  # fmt: skip


def test_a_gradient_for_each_example() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    found = vmap(dout.grad(network), (None, 0, 0))(NETWORK, X, IDS)
    assert_same(
        found,
        {k: np.stack([dout.grad(network)(NETWORK, x, i)[k] for x, i in zip(X, IDS, strict=True)]) for k in NETWORK},
    )

    def with_jax(p, x, label):
        hidden = jax.numpy.tanh(x @ p["w1"] + p["b1"])
        out = hidden @ p["w2"] + p["b2"]
        return jax.numpy.log(jax.numpy.sum(jax.numpy.exp(out))) - out[label]

    other = jax.vmap(jax.grad(with_jax), (None, 0, 0))(NETWORK, X, IDS)
    for k in NETWORK:
        np.testing.assert_allclose(found[k], other[k], 1e-12, 1e-13)
    fast = jit(vmap(dout.grad(network), (None, 0, 0)))
    assert_same(fast(NETWORK, X, IDS), found)
    assert_same(fast(NETWORK, X, IDS[::-1]), vmap(dout.grad(network), (None, 0, 0))(NETWORK, X, IDS[::-1]))


def test_three_deep() -> None:
    a, b, c = oracles.array(2), oracles.array(3), oracles.array(4)
    f = vmap(vmap(vmap(lambda x, y, z: x * y + np.sin(z) * x, (None, None, 0)), (None, 0, None)), (0, None, None))
    x, y, z = a[:, None, None], b[None, :, None], c[None, None, :]
    assert_same(f(a, b, c), x * y + np.sin(z) * x)
    total = lambda a, b, c: np.sum(f(a, b, c) ** 2)  # noqa: E731
    plain = lambda a, b, c: np.sum((a[:, None, None] * b[None, :, None] + np.sin(c) * a[:, None, None]) ** 2)  # noqa: E731
    assert_same(dout.grad(total, (0, 1, 2))(a, b, c), dout.grad(plain, (0, 1, 2))(a, b, c))
    assert_same(jit(dout.grad(total, (0, 1, 2)))(a, b, c), dout.grad(plain, (0, 1, 2))(a, b, c))


def test_an_inner_batch_that_closes_over_the_outer_example() -> None:
    f = lambda x: np.sum(vmap(lambda y: np.sin(x @ y) * x[0])(Y))  # noqa: E731
    g = lambda x: np.sum(loop(lambda y: np.sin(x @ y) * x[0], Y))  # noqa: E731
    assert_same(vmap(f)(X), loop(g, X))
    assert_same(vmap(dout.grad(f))(X), loop(dout.grad(g), X))
    assert_same(dout.grad(lambda x: np.sum(vmap(f)(x)))(X), loop(dout.grad(g), X))
    branching = lambda x: np.sum(vmap(lambda y: y @ x if x[0] > y[0] else y[0] * x[1])(Y))  # noqa: E731
    looped = lambda x: np.sum(loop(lambda y: y @ x if x[0] > y[0] else y[0] * x[1], Y))  # noqa: E731
    assert_same(vmap(branching)(X), loop(looped, X))
    assert_same(vmap(dout.grad(branching))(X), loop(dout.grad(looped), X))


def test_a_grad_inside_with_respect_to_what_is_the_same_for_all() -> None:
    f = lambda w, x: np.sum(np.tanh(w @ x) ** 2)  # noqa: E731
    inner = lambda w: np.sum(vmap(lambda x: dout.grad(f)(w, x))(X) ** 2)  # noqa: E731
    looped = lambda w: np.sum(np.stack([dout.grad(f)(w, x) for x in X]) ** 2)  # noqa: E731
    assert_same(inner(W), looped(W))
    assert_same(dout.grad(inner)(W), dout.grad(looped)(W), 1e-11)


def test_define_by_run() -> None:
    v = dout.Variable(X)
    np.sum(vmap(lambda x: x @ x)(v)).backward()
    assert_same(v.grad, 2 * X)


def test_methods_names_and_pickling() -> None:
    class Model:
        def __init__(self, w):
            self.w = w

        def call(self, x):
            """One example."""
            return self.w @ x

    model = Model(W)
    assert_same(vmap(model.call)(X), X @ W.T)
    assert vmap(branch).__name__ == "branch"
    assert vmap(Model.call).__doc__ == "One example."
    fast = vmap(jit(np.tanh))
    assert_same(pickle.loads(pickle.dumps(jit(np.tanh)))(S), fast(S))


def test_jitted_functions_are_jitted_as_a_batch() -> None:
    fast = vmap(jit(lambda x, n: np.sum(x**n), static_argnums=1), in_axes=(0, None))
    assert_same(fast(X, 2), np.sum(X**2, axis=1))
    assert "recorded" in fast.report(X, 2)


def test_it_can_be_seen() -> None:
    picture = dout.see(lambda x: np.sum(vmap(lambda v: np.tanh(v) * 2)(x)), S)
    assert "tanh" in picture.text()


def test_random_numbers_are_shared() -> None:
    rng = np.random.default_rng(0)
    found = vmap(lambda x: x * 0 + rng.normal())(S)
    assert np.all(found == found[0])


def test_a_solver_sees_each_example() -> None:
    """Its steps can't be noted, and what it found for one is not the root for another."""
    optimize = pytest.importorskip("dout.interop.scipy.optimize")

    def side(area):
        return optimize.root(lambda x, a: x * x - a, np.array([1.0]), (area,)).x[0]

    areas = np.array([1.0, 4.0, 9.0])
    for run in (side, dout.grad(side)):
        with pytest.warns(UserWarning, match="it calls a solver"):
            assert_same(vmap(run)(areas), loop(run, areas), 1e-9)  # the solver's own tolerance
        fast = jit(run)
        assert_same(np.stack([fast(a) for a in areas]), loop(run, areas), 1e-9)


def test_in_threads() -> None:
    f = vmap(dout.grad(lambda x: np.sum(np.tanh(W @ x))))
    results: dict[int, object] = {}

    def work(k):
        results[k] = [f(X * (k + 1)) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, found in results.items():
        for r in found:
            assert_same(r, f(X * (k + 1)))


def test_where_it_is_slow_is_said_at_the_users_line() -> None:
    many = np.linspace(-3, 3, 31)
    with pytest.warns(UserWarning, match="one example after another") as caught:
        vmap(lambda x: float(x) * 2)(many)
    assert caught[0].filename == __file__


def test_an_error_is_the_functions_own_without_more_words() -> None:
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        vmap(f)(X)

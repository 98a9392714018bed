"""What bad input gets: an error of the fitting built-in type that names the argument, what came, and what to do."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import dout
from dout import Variable, checkpoint, grad, hvp, jacobian, jvp, layer, value_and_grad, vjp

X = np.array([1.0, 2.0, 3.0])
STORE = ["would lose", "zeros_like"]
LEAVE = ["would lose", "stop_gradient"]


def into_zeros(store):
    """A function that stores its argument in a plain array."""

    def f(v):
        y = np.zeros(3)
        store(y, v)
        return np.sum(y)

    return f


def add_in_place(y, v):
    y += v


def leaked(kind=grad):
    kept = []
    kind(lambda v: (kept.append(v * 2.0), np.sum(v))[1])(2.0)
    return kept[0]


def use(run, kind=grad):
    """Hand a leaked Variable to a function."""
    kept = leaked(kind)
    return lambda: run(kept)


class Bad:
    """A layer whose backward gives what it is told."""

    def __init__(self, derivatives, out=lambda *xs: sum(xs)):
        self.derivatives, self.out = derivatives, out

    def forward(self, *xs):
        return self.out(*xs)

    def backward(self, d):
        return self.derivatives


def no_number(x):
    return "text"


def nothing(x):
    x * 2.0


def table(x):
    return x * 2.0


CASES = {
    # outputs that are not one number
    "array output": (lambda: grad(table)(X), TypeError, ["table", "one real number", "(3,)", "jacobian", "vjp"]),
    "array of one": (lambda: grad(table)(X[:1]), TypeError, ["table", "(1,)", "jacobian"]),
    "tuple output": (lambda: grad(lambda x: (x, x))(1.0), TypeError, ["one real number", "tuple"]),
    "list output": (lambda: value_and_grad(lambda x: [x])(1.0), TypeError, ["one real number", "list"]),
    "dict output": (lambda: grad(lambda x: {"a": x})(1.0), TypeError, ["one real number", "dict"]),
    "text output": (lambda: grad(no_number)(1.0), TypeError, ["no_number", "str"]),
    "generator output": (lambda: grad(lambda x: (i for i in [x]))(1.0), TypeError, ["generator"]),
    "None": (lambda: grad(nothing)(1.0), TypeError, ["nothing", "None", "return"]),
    "None, jacobian": (lambda: jacobian(nothing)(1.0), TypeError, ["nothing", "None", "return"]),
    "None, vjp": (lambda: vjp(nothing, 1.0), TypeError, ["nothing", "None", "return"]),
    "None, jvp": (lambda: jvp(nothing, (1.0,), (1.0,)), TypeError, ["nothing", "None", "return"]),
    "text, vjp": (lambda: vjp(no_number, 1.0), TypeError, ["no_number", "str"]),
    "complex output": (lambda: grad(lambda x: x * 1j)(1.0), TypeError, ["real number", "complex", "np.real"]),
    "bool output": (lambda: grad(lambda x: x > 0)(1.0), TypeError, ["real number", "bool"]),
    "aux missing": (lambda: grad(table, has_aux=True)(1.0), TypeError, ["has_aux", "table", "(number, anything)"]),
    # inputs without a derivative
    "int": (lambda: grad(table)(3), TypeError, ["argument 0", "'x'", "table", "3 is an integer", "3.0"]),
    "int, second": (lambda: grad(lambda a, b: a * b, 1)(3.0, 4), TypeError, ["argument 1", "'b'", "integer", "4.0"]),
    "int, jacobian": (lambda: jacobian(table)(3), TypeError, ["argument 0", "'x'", "integer"]),
    "numpy int": (lambda: grad(table)(np.int32(3)), TypeError, ["argument 0", "integer"]),
    "int array": (lambda: grad(table)(np.arange(3)), TypeError, ["argument 0", "int64", "astype(float)"]),
    "bool": (lambda: grad(table)(True), TypeError, ["argument 0", "bool"]),
    "bool array": (lambda: grad(table)(X > 1), TypeError, ["argument 0", "array of bool", "float"]),
    "string": (lambda: grad(table)("abc"), TypeError, ["argument 0", "'abc'", "str"]),
    "string array": (lambda: grad(table)(np.array(["a"])), TypeError, ["argument 0", "array of <U1"]),
    "object array": (lambda: grad(table)(np.array([1.0, None])), TypeError, ["Python objects", "astype(float)"]),
    "datetimes": (lambda: grad(table)(np.array(["2020"], "M8[Y]")), TypeError, ["argument 0", "datetime64"]),
    "None in": (lambda: grad(table)(None), TypeError, ["argument 0", "NoneType"]),
    "a set": (lambda: grad(table)({1.0}), TypeError, ["argument 0", "set"]),
    "list of ints": (lambda: grad(table)([1, 2]), TypeError, ["argument 0", "'x'", "list", "no float"]),
    "empty dict": (lambda: grad(table)({}), TypeError, ["argument 0", "dict"]),
    "masked array": (lambda: grad(table)(np.ma.array(X)), TypeError, ["MaskedArray", "np.asarray"]),
    "Variable(int)": (lambda: Variable(3), TypeError, ["Variable(value)", "3 is an integer", "3.0"]),
    "Variable(text)": (lambda: Variable("a"), TypeError, ["Variable(value)", "str"]),
    "Variable(list)": (lambda: Variable([1.0]), TypeError, ["Variable(value)", "list"]),
    "Variable(Variable)": (lambda: Variable(Variable(1.0)), TypeError, ["Variable already", ".value"]),
    "Variable(int array)": (lambda: Variable(np.arange(3)), TypeError, ["Variable(value)", "int64", "astype(float)"]),
    # f and argnums
    "no function": (lambda: grad(3.0), TypeError, ["f:", "expected a function", "float"]),
    "no function, vjp": (lambda: vjp(3.0, 1.0), TypeError, ["f:", "expected a function", "float"]),
    "no function, jvp": (lambda: jvp(3.0, (1.0,), (1.0,)), TypeError, ["f:", "expected a function", "float"]),
    "no function, hvp": (lambda: hvp(3.0, 1.0, 1.0), TypeError, ["f:", "expected a function", "float"]),
    "no function, checkpoint": (lambda: checkpoint(3.0), TypeError, ["f:", "expected a function", "float"]),
    "argnums text": (lambda: grad(table, "x"), TypeError, ["argnums", "int or a tuple", "'x'"]),
    "argnums float": (lambda: grad(table, 1.0), TypeError, ["argnums", "int or a tuple", "1.0"]),
    "argnums bool": (lambda: grad(table, True), TypeError, ["argnums", "True"]),
    "argnums empty": (lambda: grad(table, ()), TypeError, ["argnums", "()"]),
    "argnums too large": (lambda: grad(table, 1)(1.0), ValueError, ["argnums=1", "table", "positional arguments"]),
    "argnums too small": (lambda: grad(table, -2)(1.0), ValueError, ["argnums=-2", "table"]),
    "argnums twice": (lambda: grad(lambda x, y: x, (0, -2))(1.0, 2.0), ValueError, ["argnums=(0, -2)", "twice"]),
    "by keyword": (lambda: grad(table)(x=1.0), ValueError, ["argnums=0", "table", "positional arguments", "0"]),
    # pullbacks and directions
    "pullback shape": (lambda: vjp(table, X)[1](X[:2]), ValueError, ["pullback", "(3,)", "(2,)"]),
    "pullback number": (lambda: vjp(table, X)[1](1.0), ValueError, ["pullback", "(3,)", "()"]),
    "pullback None": (lambda: vjp(table, X)[1](None), TypeError, ["pullback", "(3,)", "None"]),
    "pullback text": (lambda: vjp(table, 1.0)[1]("a"), TypeError, ["pullback", "number", "str"]),
    "pullback list": (lambda: vjp(table, X)[1]([1.0, 1.0, 1.0]), (TypeError, ValueError), ["pullback", "list"]),
    "pullback complex": (lambda: vjp(table, 1.0)[1](1j), TypeError, ["pullback", "float", "complex128"]),
    "pullback objects": (lambda: vjp(table, X)[1](X.astype(object)), TypeError, ["pullback", "object"]),
    "pullback strings": (lambda: vjp(table, X)[1](X.astype(str)), TypeError, ["pullback", "U32"]),
    "pullback one of two": (lambda: vjp(lambda x: (x, x), 1.0)[1](1.0), (TypeError, ValueError), ["pullback", "form"]),
    "pullback three of two": (
        lambda: vjp(lambda x: (x, x), 1.0)[1]((1.0, 1.0, 1.0)), (TypeError, ValueError), ["pullback"]),
    "pullback keys": (lambda: vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), (TypeError, ValueError), ["pullback", "'b'"]),
    "pullback of a constant": (lambda: vjp(lambda x: np.ones(3), 1.0)[1](X[:2]), ValueError, ["pullback", "(3,)"]),
    "tangent shape": (lambda: jvp(table, (X,), (X[:2],)), ValueError, ["tangents", "(3,)", "(2,)", "argument"]),
    "tangent count": (lambda: jvp(table, (X,), (X, X)), ValueError, ["tangents", "1 argument", "2"]),
    "tangent text": (lambda: jvp(table, (1.0,), ("a",)), (TypeError, ValueError), ["tangents"]),
    "tangent None": (lambda: jvp(table, (1.0,), (None,)), (TypeError, ValueError), ["tangents"]),
    "tangent keys": (lambda: jvp(lambda d: d["a"], ({"a": 1.0},), ({"b": 1.0},)), (TypeError, ValueError), ["tangents"]),
    "vector shape": (lambda: hvp(np.sum, X, X[:2]), ValueError, ["vectors", "(3,)", "(2,)"]),
    "vector count": (lambda: hvp(np.sum, (X,), (X, X)), ValueError, ["vectors", "1 argument", "2"]),
    "backward of an array": (lambda: (Variable(X) * 2).backward(), ValueError, ["(3,)", "sum", "dout"]),
    "backward shape": (lambda: (Variable(X) * 2).backward(X[:2]), ValueError, ["dout", "(3,)", "(2,)"]),
    "backward text": (lambda: (Variable(X) * 2).backward("a"), TypeError, ["dout", "(3,)", "str"]),
    "backward of a constant": (lambda: np.floor(Variable(2.5)).backward(), ValueError, ["backward()", "does not depend"]),
    # layers
    "layer without forward": (lambda: layer(object()), TypeError, ["layer(obj)", "object", "forward"]),
    "layer without backward": (
        lambda: layer(type("Half", (), {"forward": lambda self, x: x})()), TypeError, ["Half", "no backward"]),
    "layer, too few": (lambda: grad(layer(Bad((1.0,))))(1.0, 2.0), TypeError, ["Bad.backward", "expected 2", "got 1"]),
    "layer, too many": (lambda: grad(layer(Bad((1.0, 2.0))))(1.0), TypeError, ["Bad.backward", "expected 1", "got 2"]),
    "layer, None": (lambda: grad(layer(Bad(None)))(1.0), TypeError, ["Bad.backward", "None", "return"]),
    "layer, shape": (
        lambda: grad(lambda x: np.sum(layer(Bad(X[:2]))(x)))(X), ValueError, ["Bad.backward", "(2,)", "(3,)"]),
    "layer, not summed": (
        lambda: grad(lambda s: np.sum(layer(Bad((X, X)))(s, X)))(2.0), ValueError, ["derivative 0", "(3,)", "()", "summed"]),
    "layer, text": (lambda: grad(layer(Bad("a")))(1.0), TypeError, ["Bad.backward", "str"]),
    "layer, objects": (
        lambda: grad(lambda x: np.sum(layer(Bad(np.array([None] * 3)))(x)))(X), TypeError, ["Bad.backward", "object"]),
    "layer, text out": (lambda: grad(layer(Bad(1.0, lambda x: "a")))(1.0), TypeError, ["Bad.forward", "str"]),
    "layer, None out": (lambda: grad(layer(Bad(1.0, lambda x: None)))(1.0), TypeError, ["Bad.forward", "None"]),
    "layer, list out": (lambda: grad(layer(Bad(1.0, lambda x: [x])))(1.0), TypeError, ["Bad.forward", "list"]),
    "layer, hidden Variable": (
        lambda: grad(lambda x: layer(Bad(1.0, lambda v: v * x))(2.0 * x))(1.0), TypeError, ["Bad.forward", "Variable"]),
    # Variables that outlive their derivative
    "leaked, in another": (use(lambda k: grad(lambda x: x * k)(1.0)), RuntimeError, ["has finished", "has_aux"]),
    "leaked, as the result": (use(lambda k: grad(lambda x: k)(1.0)), RuntimeError, ["has finished", "has_aux"]),
    "leaked, backward": (use(lambda k: k.backward()), RuntimeError, ["has finished", "stop_gradient"]),
    "leaked, mixed": (use(lambda k: (Variable(2.0) * k).backward()), RuntimeError, ["has finished"]),
    "leaked, vjp": (use(lambda k: vjp(lambda x: x * k, 1.0)), RuntimeError, ["has finished"]),
    "leaked, jvp": (use(lambda k: jvp(lambda x: x * k, (1.0,), (1.0,))), RuntimeError, ["has finished"]),
    "leaked, jacobian": (use(lambda k: jacobian(lambda x: x * k)(1.0)), RuntimeError, ["has finished"]),
    "leaked, checkpoint": (use(lambda k: grad(checkpoint(lambda x: x * k))(1.0)), RuntimeError, ["has finished"]),
    "leaked, from jacobian": (use(lambda k: grad(lambda x: x * k)(1.0), jacobian), RuntimeError, ["has finished"]),
    "leaked, nested": (
        use(lambda k: grad(lambda x: grad(lambda y: y * k)(x))(1.0)), RuntimeError, ["has finished"]),
    "leaked, as argument": (use(lambda k: grad(table)(k)), RuntimeError, ["has finished"]),
    "leaked, in aux": (use(lambda k: grad(lambda x: (x, k), has_aux=True)(1.0)), RuntimeError, ["has finished"]),
    "leaked, in a layer": (use(lambda k: grad(lambda x: dout.MulLayer()(x, k))(1.0)), RuntimeError, ["has finished"]),
    "leaked, float": (use(float), TypeError, LEAVE),
    # ways out that would lose the derivative
    "float": (lambda: grad(lambda v: float(v) * 2)(1.0), TypeError, ["float(v)", *LEAVE]),
    "complex": (lambda: grad(lambda v: complex(v).real)(1.0), TypeError, ["complex(v)", *LEAVE]),
    "math.sin": (lambda: grad(lambda v: math.sin(v))(1.0), TypeError, ["np.sin", *LEAVE]),
    "item": (lambda: grad(lambda v: v.item())(1.0), TypeError, ["v.item()", *LEAVE]),
    "tolist": (lambda: grad(lambda v: sum(v.tolist()))(X), TypeError, ["v.tolist()", *LEAVE]),
    "astype(int)": (lambda: grad(lambda v: np.sum(v.astype(int)))(X), TypeError, ["astype(int64)", *LEAVE]),
    "np.float64": (lambda: grad(lambda v: np.float64(v))(1.0), TypeError, LEAVE),
    "np.array of floats": (lambda: grad(lambda v: np.sum(np.array([v, v], float)))(1.0), TypeError, LEAVE),
    "np.asarray, dtype": (lambda: grad(lambda v: np.sum(np.asarray(v, dtype=float)))(X), TypeError, LEAVE),
    "np.fromiter": (lambda: grad(lambda v: np.sum(np.fromiter(v, float)))(X), TypeError, LEAVE),
    "random": (lambda: grad(lambda v: np.random.default_rng(0).normal(v))(1.0), TypeError, LEAVE),
    "np.save": (lambda: grad(lambda v: np.save("nowhere", v))(1.0), TypeError, ["np.save", *LEAVE]),
    "pickle": (lambda: grad(lambda v: pickle.loads(pickle.dumps(v)))(1.0), TypeError, LEAVE),
    # plain arrays can't hold one
    "y[0] = v": (lambda: grad(into_zeros(lambda y, v: y.__setitem__(0, v)))(1.0), TypeError, STORE),
    "y[:] = v": (lambda: grad(into_zeros(lambda y, v: y.__setitem__(slice(None), v)))(X), TypeError, STORE),
    "y[mask] = v": (lambda: grad(into_zeros(lambda y, v: y.__setitem__(y == 0, v)))(X), TypeError, STORE),
    "y[i] = v, nested": (
        lambda: grad(lambda x: grad(into_zeros(lambda y, v: y.__setitem__(0, v)))(x))(1.0), TypeError, STORE),
    "y[0] = v, vjp": (lambda: vjp(into_zeros(lambda y, v: y.__setitem__(0, v)), 1.0), TypeError, STORE),
    "y[0] = v, jvp": (lambda: jvp(into_zeros(lambda y, v: y.__setitem__(0, v)), (1.0,), (1.0,)), TypeError, STORE),
    "y[0] = v, jacobian": (lambda: jacobian(into_zeros(lambda y, v: y.__setitem__(0, v)))(1.0), TypeError, STORE),
    "y[0] = v, checkpoint": (
        lambda: grad(checkpoint(into_zeros(lambda y, v: y.__setitem__(0, v))))(1.0), TypeError, STORE),
    "y.fill(v)": (lambda: grad(into_zeros(lambda y, v: y.fill(v)))(1.0), TypeError, STORE),
    "y += v": (lambda: grad(into_zeros(add_in_place))(X), TypeError, ["out=", "plain ndarray", "zeros_like"]),
    "out=y": (lambda: grad(into_zeros(lambda y, v: np.exp(v, out=y)))(X), TypeError, ["out=", "zeros_like"]),
    "sum out=y": (
        lambda: grad(into_zeros(lambda y, v: np.sum(v, axis=0, out=y)))(np.ones((2, 3))), TypeError, ["out=", "zeros_like"]),
    "np.add.at": (lambda: grad(into_zeros(lambda y, v: np.add.at(y, [0], v)))(1.0), TypeError, ["zeros_like"]),
    "np.copyto": (lambda: grad(into_zeros(np.copyto))(X), TypeError, ["zeros_like"]),
    "np.put": (lambda: grad(into_zeros(lambda y, v: np.put(y, [0], v)))(1.0), TypeError, ["zeros_like"]),
    "np.full_like": (lambda: grad(lambda v: np.sum(np.full_like(X, v)))(1.0), TypeError, ["zeros_like"]),
    "np.place": (lambda: grad(into_zeros(lambda y, v: np.place(y, y == 0, v)))(X), TypeError, ["zeros_like"]),
    "np.putmask": (lambda: grad(into_zeros(lambda y, v: np.putmask(y, y == 0, v)))(X), TypeError, ["zeros_like"]),
    "int zeros_like": (
        lambda: grad(lambda v: (lambda y: y.__setitem__(0, v[0]) or np.sum(y))(np.zeros_like(v, int)))(X), TypeError, LEAVE),
    # operands and options
    "masked constant": (lambda: grad(lambda v: np.sum(v * np.ma.array(X)))(X), TypeError, ["MaskedArray", "np.asarray"]),
    "text operand": (lambda: grad(lambda v: v + "a")(1.0), TypeError, ["unsupported operand", "str"]),
    "None operand": (lambda: grad(lambda v: v * None)(1.0), TypeError, ["unsupported operand", "NoneType"]),
    "no rule": (lambda: grad(lambda v: np.gcd(v, 2))(0.5), NotImplementedError, ["np.gcd", "layer"]),
    "where without out": (lambda: grad(lambda v: np.sum(np.exp(v, where=X > 1)))(X), ValueError, ["where=", "out="]),
    "unknown option": (lambda: grad(lambda v: np.exp(v, colour="red"))(1.0), TypeError, ["exp", "colour"]),
    "write to a number": (lambda: grad(lambda v: v.__setitem__(0, 1.0))(1.0), TypeError, ["float", "item assignment"]),
    "complex into float": (
        lambda: grad(lambda v: (v.__setitem__(0, v[1] * 1j), v[0])[1])(X), TypeError, ["cannot cast", "complex128", "float64"]),
    "in place, shape": (lambda: grad(lambda v: v.__iadd__(np.ones((2, 3))))(X), ValueError, ["in-place", "(2, 3)", "(3,)"]),
    "in place, cast": (
        lambda: grad(lambda v: v.__iadd__(np.ones(3)))(X.astype(complex).real.astype(np.float32) * 1j), TypeError, []),
    "value assigned to a result": (
        lambda: setattr(Variable(1.0) * 2, "value", 3.0), AttributeError, ["Variable(...)", "v[...]"]),
    "grad assigned to a result": (lambda: setattr(Variable(1.0) * 2, "grad", 3.0), AttributeError, ["Variable(...)"]),
    "iterating a number": (lambda: grad(lambda v: sum(v))(1.0), TypeError, ["iteration", "0-d"]),
    "out of bounds": (lambda: grad(lambda v: v[5])(X), IndexError, ["5", "3"]),
    "float index": (lambda: grad(lambda v: X[v])(1.0), (TypeError, IndexError), []),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:NumPy made an array of Python objects")
@pytest.mark.parametrize(("run", "kind", "words"), CASES.values(), ids=CASES.keys())
def test_what_bad_input_gets(run, kind, words):
    with pytest.raises(kind) as caught:
        run()
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in: {caught.value}"
    assert type(caught.value).__module__ == "builtins" or isinstance(caught.value, np.exceptions.AxisError)
    assert grad(lambda x: x * x)(3.0) == 6.0  # nothing is left behind


QUIET = {
    "v.copy()": lambda v: v.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "deepcopy of a container": lambda v: copy.deepcopy({"a": [v]})["a"][0],
    "np.copy": np.copy,
    "np.stack of entries": lambda v: np.stack([v[0], v[1], v[2]]),
    "zeros_like": lambda v: (lambda y: (y.__setitem__(slice(None), v), y)[1])(np.zeros_like(v)),
    "empty_like": lambda v: (lambda y: (y.__setitem__(slice(None), v), y)[1])(np.empty_like(v)),
    "an array of objects": lambda v: np.sum(np.stack(list(np.frompyfunc(int, 1, 1)(np.arange(3)))) * 0.0) + v,
    "list and sum": lambda v: sum([v]),
    "sorted": lambda v: np.stack(sorted(v)),
    "iteration": lambda v: np.stack(list(v)),
    "unpacking": lambda v: np.stack([*v]),
    "reversed twice": lambda v: np.stack(list(reversed(list(reversed(list(v)))))),
    "astype copy=False": lambda v: v.astype(float, copy=False),
    "conjugate": lambda v: v.conj().conjugate(),
    "object array that holds them": lambda v: np.stack(list(_boxed(v))),
    "a Variable as a default": lambda v: (lambda u=v: u)(),
    "dict key": lambda v: next(iter({v: 1})),
}


def _boxed(v):
    boxes = np.empty(len(v), object)
    for i, entry in enumerate(v):
        boxes[i] = entry
    return boxes


@pytest.mark.parametrize("way", QUIET.values(), ids=QUIET.keys())
def test_no_way_loses_a_derivative_quietly(way):
    np.testing.assert_array_equal(grad(lambda v: np.sum(way(v) ** 2))(X), 2 * X)


def test_what_python_looks_at_is_plain():
    seen = []

    def f(v):
        seen.extend([v > 1, v == 2.0, bool(v), f"{v:.1f}", str(v), round(v.value)])
        return v * v

    assert grad(f)(2.0) == 4.0
    assert seen == [True, True, True, "2.0", "2.0", 2]


def test_reading_a_value_is_the_explicit_way_out():
    assert grad(lambda v: v * v.value)(3.0) == 3.0
    assert grad(lambda v: v * float(dout.stop_gradient(v)))(3.0) == 3.0

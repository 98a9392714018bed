"""`trace`: which arguments become inputs, what they are called, and what the graph says of the run."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import dout
from dout import Variable, trace
from dout.graph import Graph

A = np.array([1.0, 2.0])


class Pair(NamedTuple):
    left: float
    right: float


@dataclass
class Net:
    w: object
    name: str = "net"


def f(x, n: int, *more, flag=True, **rest):
    return x * n


def whole(n: int, m: "int"):
    return n * m


INPUTS = [
    (lambda x, y: x * y, (1.0, 2), {}, ["x", "y"]),
    (lambda x, y: x * y, (1.0,), {"y": 2.0}, ["x", "y"]),
    (lambda y, x: x * y, (1.0,), {"x": 2.0}, ["y", "x"]),
    (lambda x, /, *, y: x * y, (1.0,), {"y": 2.0}, ["x", "y"]),
    (lambda *xs: xs[0], (1.0, 2.0), {}, ["xs[0]", "xs[1]"]),
    (lambda x, **k: x, (1.0,), {"b": 2.0, "a": 3.0}, ["x", "b", "a"]),
    (f, (1.0, 2, 3.0), {"flag": 4.0, "z": 5}, ["x", "more[0]", "flag", "z"]),
    (f, (1.0, 2.5), {}, ["x", "n"]),
    (lambda p: p["w"], ({"w": 1.0, "b": [2.0, "text", 3]},), {}, ["p['w']", "p['b'][0]", "p['b'][2]"]),
    (lambda p: p.left, (Pair(1.0, 2.0),), {}, ["p.left", "p.right"]),
    (lambda net: np.sum(net.w), (Net(A),), {}, ["net.w"]),
    (lambda x, t, on: x[t], (A, np.array([1]), False), {}, ["x"]),
    (lambda z: z, (1j,), {}, ["z"]),
    (np.tanh, (1.0,), {}, ["x"]),
    (dout.MulLayer(), (2, 3), {}, ["x", "y"]),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "names"), INPUTS)
def test_inputs(function, args, kwargs, names):
    graph = trace(function, *args, **kwargs)
    found = [graph.names[node] for node in graph.inputs]
    assert found == names or (function is np.tanh and len(found) == 1)


RESULTS = [
    (lambda x: x, [("", 3.0)]),
    (lambda x: (x, 5), [("[0]", 3.0), ("[1]", 5)]),
    (lambda x: {"a": [x], "b": 2.5}, [("['a'][0]", 3.0), ("['b']", 2.5)]),
    (lambda x: Pair(x, 1.0), [(".left", 3.0), (".right", 1.0)]),
    (lambda x: np.floor(x), [("", 3.0)]),
    (lambda x: 7, [("", 7)]),
]


@pytest.mark.parametrize(("function", "results"), RESULTS)
def test_results(function, results):
    graph = trace(function, 3.0)
    assert isinstance(graph, Graph)
    assert graph.results == results
    assert len(graph.outputs) == len(results)


def test_a_graph_is_shown_as_its_text():
    graph = trace(lambda x: x * 2.0, 3.0)
    assert repr(graph) == str(graph) == "x = input  float = 3.0\n%1 = multiply(x, 2.0)  float = 6.0\nreturn %1"


def test_the_function_gets_what_is_no_input_as_it_is():
    got = []

    def look(x, n: int, t, how):
        got.extend([n, t, how])
        return x

    t = np.array([1, 2])
    trace(look, 1.0, 2, t, "how")
    assert got[0] == 2
    assert type(got[0]) is int
    assert got[1] is t
    assert got[2] == "how"


def test_the_caller_s_array_is_not_written_to():
    def write(x):
        x[0] = 5.0
        return np.sum(x)

    x = np.array([1.0, 2.0])
    trace(write, x)
    assert x.tolist() == [1.0, 2.0]


class TestInts:
    """Python's ints stay exact, forward and back."""

    @pytest.mark.parametrize(
        ("function", "args", "value", "derivatives"),
        [
            (lambda a, b: a * b, (3, 4), 12, (4, 3)),
            (lambda a, b: a**b, (2, 64), 2**64, (64 * 2**63, 2**64 * np.log(2))),
            (lambda x: x**20, (10,), 10**20, (20 * 10**19,)),
            (lambda x: x**3, (5_000_000_000,), 125 * 10**27, (75 * 10**18,)),
            (lambda x: x * x * x, (5_000_000_000,), 125 * 10**27, (75 * 10**18,)),
            (lambda a, b: a**b, (2, -1), 0.5, (-0.25, 0.5 * np.log(2))),
            (lambda a, b: a / b, (1, 4), 0.25, (0.25, -1 / 16)),
        ],
    )
    def test_values_and_derivatives(self, function, args, value, derivatives):
        picture = dout.see(function, *args)
        graph = picture.graph
        (end,) = graph.outputs
        assert picture.values[end] == value
        found = [picture.totals[node] for node in graph.inputs]
        assert [float(d) for d in found] == pytest.approx([float(d) for d in derivatives], rel=1e-15)

    def test_a_product_is_exact(self):
        picture = dout.see(lambda x, y: x * y, 3, 10**30 + 1)
        assert [picture.totals[node] for node in picture.graph.inputs] == [10**30 + 1, 3]


class TestVariables:
    def test_an_argument_is_an_input_of_its_own(self):
        v = Variable(3.0, name="v") * 2.0
        graph = trace(lambda x: x * x, v)
        assert [graph.names[node] for node in graph.nodes] == ["x", "%1"]
        assert graph.results == [("", 36.0)]

    def test_what_is_used_besides_is_in_the_graph(self):
        v = Variable(3.0, name="v")
        w = v * 2.0
        graph = trace(lambda x: x * w, 5.0)
        assert [graph.names[node] for node in graph.inputs] == ["x", "v"]
        assert [graph.names[node] for node in graph.nodes] == ["v", "%1", "x", "%2"]

    def test_a_graph_gives_no_derivative_to_its_arguments(self):
        assert dout.grad(lambda x: x * trace(lambda y: y * y, x).results[0][1])(3.0) == 9.0


REFUSED = [
    (3, (1.0,), r"f: expected a function or a layer with forward and backward, got int"),
    (lambda x: x, (True,), r"<lambda>: no argument holds a number .*; x is no input: True is a bool$"),
    (lambda x: x, ("a",), r"x is no input: 'a' is a str, which holds no number$"),
    (lambda x, y=2.0: y, ("a",), r"y is no input: it has its default; give y=2.0 to see its derivative$"),
    (
        whole,
        (2, 3),
        r"nothing to differentiate; n is no input: it is annotated int; m is no input: it is annotated int$",
    ),
    (lambda x: x, (A.astype(int),), r"x is no input: an array of int64$"),
    (lambda: 1, (), r"<lambda>: no argument holds a number or an array, so there is nothing to differentiate$"),
    (lambda x: None, (1.0,), r"<lambda> returned NoneType, .*did it forget its return\?"),
    (
        lambda x: "text",
        (1.0,),
        r"<lambda> returned str, which holds no number or array; return the number or array itself$",
    ),
    (lambda x: (x * i for i in range(3)), (1.0,), r"<lambda> returned generator, .* computed nothing yet: return list"),
    (lambda x: x, (), r"<lambda>\(x\): missing a required argument: 'x'"),
]


@pytest.mark.parametrize(("function", "args", "said"), REFUSED)
def test_refused(function, args, said):
    with pytest.raises(TypeError, match=said):
        trace(function, *args)

"""Primitive, Node and Graph: what a run is made of, and what every graph keeps."""

from __future__ import annotations

import numpy as np
import pytest

import dout
from dout import Variable, trace
from dout.graph import IDENTITY, PICK, Each, Graph, Leaf, Node, Primitive, describe, form, plain
from dout.rules import UFUNCS


def f(x, y):
    z = np.tanh(x * y + 1.0)
    return np.sum(z * x)


def test_a_traced_graph_holds_every_value_in_order():
    x = np.array([1.0, 2.0])
    graph = trace(f, x, 3.0)
    assert graph.verify() is graph
    ran = [node.op.name for node in graph.nodes if node.op]
    assert ran[:5] == ["multiply", "add", "tanh", "multiply", "sum"]
    assert [graph.names[node] for node in graph.inputs] == ["x", "y"]
    assert len(graph) == len(graph.nodes)
    (out,) = graph.outputs
    assert out.value == f(x, 3.0)
    places = {node: i for i, node in enumerate(graph.nodes)}
    assert all(places[p] < places[n] for n in graph.nodes for p in n.parents if p is not None)
    assert [node.serial for node in graph.nodes] == sorted(node.serial for node in graph.nodes)


def test_a_printed_graph():
    assert str(trace(lambda x, n: x**n + 1.5, 3.0, 2.0)).splitlines() == [
        "x = input  float = 3.0",
        "n = input  float = 2.0",
        "%1 = power(x, n)  float = 9.0",
        "%2 = add(%1, 1.5)  float = 10.5",
        "return %2",
    ]
    assert str(trace(lambda x: (x, 2.0), 3.0)).endswith("return x, constant")


def test_names_are_never_the_same():
    graph = trace(lambda x, y: x * y + x * 2.0, 1.0, 2.0)
    assert len(set(graph.names.values())) == len(graph)


def some_node(*parents, value=1.0):
    return Node().fill(UFUNCS[np.negative], parents, (None,) * len(parents), None, {}, form(value))


def test_verify_finds_what_is_wrong():
    leaf = Leaf(1.0, None, None, "x")
    first = some_node(leaf)
    second = some_node(first)
    assert Graph([leaf, first, second], [leaf], [second, None]).verify()
    with pytest.raises(ValueError, match=r"%2 comes before its input|comes before its input %"):
        Graph([leaf, second, first], [leaf], [second]).verify()
    with pytest.raises(ValueError, match=r"comes before its input x"):
        Graph([first, leaf], [leaf], [first]).verify()
    with pytest.raises(ValueError, match=r"output .* is not in the graph"):
        Graph([leaf, first], [leaf], [second]).verify()
    wrong = trace(lambda x: x * 2.0, np.ones(3))
    wrong.nodes[-1].value = np.ones(4)
    with pytest.raises(ValueError, match=r"says shape \(3,\), its value has \(4,\)"):
        wrong.verify()


@pytest.mark.parametrize(
    ("value", "shape", "said"),
    [(1.0, (), "float"), (2, (), "int"), (1j, (), "complex"), (np.float32(1), (), "float32"),
     (np.ones((2, 3)), (2, 3), "float64[2, 3]"), (np.array(1.0), (), "float64")],
)  # fmt: skip
def test_form_and_describe(value, shape, said):
    assert form(value)[0] == shape
    assert describe(Leaf(value, None, None)) == said


def test_a_primitive_runs_on_plain_values_and_on_variables():
    double = Primitive("double", lambda x: x * 2, (lambda dout, _out, _x: dout * 2,))
    assert double(3) == 6
    assert dout.grad(double)(3.0) == 2.0
    v = double(Variable(3.0))
    assert isinstance(v, Variable)
    assert "double" in repr(double)


def test_a_primitive_keeps_only_what_its_pullbacks_use():
    multiply, exp = UFUNCS[np.multiply], UFUNCS[np.exp]
    assert multiply.keeps((True, True)) == ((True, True), False)
    assert multiply.keeps((True, False)) == ((False, True), False)
    assert exp.keeps((True,)) == ((False,), True)
    assert UFUNCS[np.add].keeps((True, True)) == ((False, False), False)
    starred = Primitive("join", max, Each(lambda i, dout, _out, *args: dout))
    assert starred.keeps((True, False, True)) == ((True, True, True), False)
    assert PICK.keeps((True,)) == ((False,), False)
    with pytest.raises(TypeError, match="any number of inputs"):
        len(starred.pullbacks)


def test_plain_and_identity():
    assert plain(Variable(2.0)) == 2.0
    assert plain("text") == "text"
    assert IDENTITY.forward(3) == 3


def test_nodes_are_compared_by_identity_and_small():
    a, b = some_node(), some_node()
    assert a != b
    assert len({a, b}) == 2
    assert b.serial > a.serial
    assert not hasattr(a, "__dict__")
    with pytest.raises(AttributeError):
        a.colour = "red"

"""Layers opened into their primitives: the same values, and the derivatives by both ways compared."""

import random

import numpy as np
import pytest

import dout
from dout import AddLayer, Layer, MulLayer, Relu, Sigmoid, Variable, see
from dout.nn import Affine, SoftmaxWithLoss

A = np.array([[1.0, -2.0], [0.5, 3.0]])


def opened(f, *args):
    """The description, its only layer that opens, and the signs inside."""
    described = see(f, *args).describe()
    (group,) = (g for g in described["groups"] if g["kind"] == "layer")
    inside = [n for n in described["nodes"] if n["group"] == group["id"] and n["kind"] != "constant"]
    return described, group, [n["sign"] for n in inside]


def ins(described, node):
    return [edge for edge in described["edges"] if edge["to"] == node]


@pytest.mark.parametrize("x", [0.5, -3.0, 2, np.float32(0.5), np.float64(-1), A, A.astype(np.float32), 0.5 + 0.25j])
def test_sigmoid(x):
    described, group, signs = opened(lambda x: Sigmoid()(x) * 2.0, x)
    assert signs == ["×−1", "exp", "+", "1/x"]
    assert group["name"] == group["builtin"] == "Sigmoid"
    assert group["agree"] is True
    assert group["open"] is False
    assert group["size"] == 5
    assert group["inputs"] == [0]
    assert described["nodes"][group["output"]]["sign"] == "1/x"
    assert group["formula"]["closed"] == "dout · y · (1 − y)"
    assert group["formula"]["opened"] == "dout · y² · exp(−x)"
    assert see(lambda x: Sigmoid()(x) * 2.0, x).totals is not None


def test_sigmoid_has_the_layers_own_values_and_both_derivatives():
    described, group, _ = opened(Sigmoid(), 0.7)
    y = 1 / (1 + np.exp(-0.7))
    nodes = described["nodes"]
    assert nodes[group["output"]]["value"]["v"] == y
    (own,) = group["own"]
    assert own["v"] == y * (1 - y)
    (through,) = ins(described, 1)
    assert through["derivative"]["v"] == pytest.approx(own["v"], rel=1e-14)
    assert nodes[0]["total"]["v"] == own["v"]
    chain = [ins(described, n["id"])[0]["derivative"]["v"] for n in nodes if n["kind"] == "op"]
    e = np.exp(-0.7)
    assert chain == pytest.approx([y * y * e, -y * y * e, -y * y, -y * y])


def test_far_out_the_primitives_overflow_and_the_layer_does_not():
    _, group, _ = opened(Sigmoid(), -1000.0)
    assert group["agree"] is False
    assert group["own"][0]["v"] == 0.0


@pytest.mark.parametrize("layer", [MulLayer(), AddLayer()])
def test_what_is_one_operation_stays_one_node(layer):
    described = see(layer, 2, 3).describe()
    assert described["groups"] == []
    node = described["nodes"][-1]
    assert (node["kind"], node["sign"], node["builtin"]) == ("layer", type(layer).__name__, type(layer).__name__)


def test_relu_stays_one_node():
    node = see(Relu(), A).describe()["nodes"][-1]
    assert (node["kind"], node["op"], node["builtin"]) == ("layer", "", "Relu")


def test_affine_with_parameters():
    affine = Affine(np.ones((2, 3)), np.zeros(3))
    described, group, signs = opened(lambda layer, x: layer(x), affine, A)
    assert signs == ["@", "+"]
    assert [described["nodes"][i]["name"] for i in group["inputs"]] == ["x", "layer.W", "layer.b"]
    assert group["agree"] is True
    assert [v["shape"] for v in group["own"]] == [[2, 2], [2, 3], [3]]


def test_softmax_with_loss_keeps_its_labels():
    described, group, signs = opened(SoftmaxWithLoss(), A, np.array([0, 1]))
    assert "exp" in signs
    assert group["agree"] is True
    labels = described["nodes"][group["inputs"][1]]
    assert (labels["kind"], labels["group"], labels["value"]["data"]) == ("constant", group["id"], [0, 1])
    assert group["own"][1] is None


class Square(Layer):
    def forward(self, x):
        self.x = x
        doubled = x + x
        return doubled * x

    def backward(self, dout):
        return dout * 4 * self.x


class Wrong(Square):
    def backward(self, dout):
        return dout * 3 * self.x


class Swap(Layer):
    def forward(self, x, y):
        return y * 3.0, x * y

    def backward(self, dout):
        first, second = dout
        return second * self.y, first * 3.0 + second * self.x


class Both(Swap):
    def forward(self, x, y):
        self.x, self.y = x, y
        return super().forward(x, y)


class Nested(Layer):
    def forward(self, x):
        self.out = Sigmoid().forward(x) if not isinstance(x, Variable) else Sigmoid()(x)
        return self.out + 1.0

    def backward(self, dout):
        return dout * self.out * (1 - self.out)


class Constant(Layer):
    def forward(self, x):
        return np.float64(2.0)

    def backward(self, dout):
        return dout * 0


class Through(Layer):
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class Floats(Layer):
    def forward(self, x):
        return float(x) * 2.0

    def backward(self, dout):
        return dout * 2.0


class Dropout(Layer):
    def forward(self, x):
        self.mask = np.random.default_rng().random(np.shape(x)) > 0.5
        return x * self.mask + np.random.random() + random.random()

    def backward(self, dout):
        return dout * self.mask


class Counting(Layer):
    calls = 0

    def __init__(self):
        self.runs = []

    def forward(self, x):
        self.runs.append(1)
        return x * 2.0 + 1.0

    def backward(self, dout):
        return dout * 2.0


def test_a_layer_of_the_users_own():
    described, group, signs = opened(lambda x: Square()(x), 3.0)
    assert signs == ["+", "×"]
    assert (group["name"], group["builtin"], group["agree"]) == ("Square", None, True)
    inside = [n for n in described["nodes"] if n["group"] == group["id"]]
    assert inside[0]["name"] == "doubled"
    assert inside[0]["where"]["function"] == "Square.forward"


def test_the_name_outside_goes_before_the_name_inside():
    def f(x):
        hidden = Square()(x)
        return hidden * 2.0

    described, group, _ = opened(f, 3.0)
    assert described["nodes"][group["output"]]["name"] == "hidden"


def test_a_wrong_backward_is_said():
    described, group, _ = opened(lambda x: Wrong()(x) * 2.0, 3.0)
    assert group["agree"] is False
    assert group["own"][0]["v"] == 18.0
    into = [e for e in described["edges"] if e["from"] == 0]
    assert sum(e["derivative"]["v"] for e in into) == 24.0
    assert described["nodes"][0]["total"]["v"] == 18.0


def test_formulas_of_a_users_layer_where_asked_for():
    pytest.importorskip("sympy")
    picture = see(lambda x: Square()(x), 3.0)
    assert picture.describe()["groups"][0]["formula"] is None
    formula = picture.describe(formulas=True)["groups"][0]["formula"]
    assert formula is None or {"closed", "opened"} <= formula.keys()


def test_several_outputs():
    described, group, signs = opened(lambda x, y: Both()(x, y), 2.0, 5.0)
    assert signs == ["×", "×"]
    assert group["agree"] is True
    assert [o["node"] for o in described["outputs"]] == group["outputs"]
    assert [o["value"]["v"] for o in described["outputs"]] == [15.0, 10.0]


def test_several_outputs_used_further():
    described, group, signs = opened(lambda x, y: Both()(x, y)[1] * 2.0, 2.0, 5.0)
    assert signs == ["×", "×"]
    last = described["nodes"][-1]
    assert ins(described, last["id"])[0]["from"] == group["outputs"][1]


def test_several_outputs_that_do_not_open():
    class Loud(Swap):
        def forward(self, x, y):
            self.x, self.y = x, y
            return float(y) * 3.0, float(x) * float(y)

    nodes = see(lambda x, y: Loud()(x, y), 2.0, 5.0).describe()["nodes"]
    assert [n["sign"] for n in nodes[2:]] == ["Loud", "[0]", "[1]"]
    assert nodes[2]["value"]["t"] == "(15, 10)"


def test_layers_within_layers():
    groups = see(Nested(), 0.5).describe()["groups"]
    assert [(g["name"], g["parent"], g["agree"]) for g in groups] == [("Nested", None, True), ("Sigmoid", 0, True)]


def test_a_layer_that_ends_in_a_layer():
    class Last(Nested):
        def forward(self, x):
            self.out = Sigmoid().forward(x * 2.0) if not isinstance(x, Variable) else Sigmoid()(x * 2.0)
            return self.out

        def backward(self, dout):
            return super().backward(dout) * 2.0

    described = see(lambda x: Last()(Last()(x)) * 3.0, 0.5).describe()
    first, inner, second, last = described["groups"]
    assert [g["name"] for g in (first, inner, second, last)] == ["Last", "Sigmoid", "Last", "Sigmoid"]
    assert first["output"] == inner["output"] == second["inputs"][0]
    assert described["nodes"][second["output"]]["sign"] == "1/x"
    assert [g["agree"] for g in described["groups"]] == [True] * 4


@pytest.mark.parametrize("layer", [Floats(), Dropout(), Constant(), Through()], ids=lambda v: type(v).__name__)
def test_what_can_not_be_opened_stays_one_node(layer):
    described = see(lambda x: layer(x) * 2.0, 2.0).describe()
    assert described["groups"] == []
    assert [n["sign"] for n in described["nodes"] if n["kind"] == "layer"] == [type(layer).__name__]


def test_opening_leaves_random_numbers_and_the_layer_as_they_were():
    layer = Counting()
    np.random.seed(3)
    random.seed(3)
    picture = see(lambda x: Dropout()(layer(x)), A)
    states = random.getstate(), np.random.get_state()[1].tolist()
    picture.describe()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    assert layer.runs == []


def test_the_same_input_twice():
    described, group, _ = opened(lambda x: Both()(x, x)[1], 3.0)
    assert group["inputs"] == [0, 0]
    assert described["nodes"][0]["total"]["v"] == 6.0


def test_a_constant_input_is_fed_from_outside():
    described, group, signs = opened(lambda x: Both()(x, 5.0)[1], 3.0)
    constant = described["nodes"][group["inputs"][1]]
    assert (constant["kind"], constant["value"]["v"], constant["group"]) == ("constant", 5.0, None)
    assert [e["derivative"] for e in described["edges"] if e["from"] == constant["id"]] == [None, None]
    assert signs == ["×", "×"]


def test_an_object_with_forward_and_backward():
    class Plain:
        def forward(self, x):
            return x * x + 1.0

        def backward(self, dout):
            return dout * 6.0

    _, group, signs = opened(Plain(), 3.0)
    assert (group["name"], signs, group["agree"]) == ("Plain", ["×", "+"], True)


def test_a_variable():
    described = see(Sigmoid()(Variable(0.5, name="x"))).describe()
    assert [g["name"] for g in described["groups"]] == ["Sigmoid"]


def test_a_large_layer_is_not_run_again(monkeypatch):
    from dout.see import opening

    monkeypatch.setattr(opening, "LARGE", 3)
    assert see(Sigmoid(), A).describe()["groups"] == []


def test_many_layers_are_not_all_opened():
    def f(x, n: int):
        for _ in range(n):
            x = Sigmoid()(x)
        return x

    described = see(f, 0.5, 600).describe()
    layers = [g for g in described["groups"] if g["kind"] == "layer"]
    alone = [n for n in described["nodes"] if n["kind"] == "layer"]
    assert len(layers) + len(alone) == 600
    assert len(layers) == 400


def test_open_layers():
    picture = see(lambda x: Sigmoid()(x) * Square()(x), 0.5)

    def started(**options):
        return [g["open"] for g in picture.describe(**options)["groups"]]

    assert started() == [False, False]
    assert started(open="all") == [True, True]
    assert started(open=["Square"]) == [False, True]
    assert started(open="Sigmoid") == [True, False]
    with pytest.raises(ValueError, match="no fold 'Tanh'; there are 'Sigmoid', 'Square'"):
        picture.describe(open="Tanh")


def test_a_subclass_of_dout_s_own_is_the_users():
    class Mine(Sigmoid):
        def forward(self, x):
            self.out = 0.5 * (np.tanh(0.5 * x) + 1.0)
            return self.out

    _, group, signs = opened(Mine(), 0.5)
    assert (group["builtin"], group["name"], group["agree"]) == (None, "Mine", True)
    assert "tanh" in signs
    assert dout.grad(Mine())(0.5) == pytest.approx(dout.grad(Sigmoid())(0.5))

"""The description: its form, its numbers, and what stands in it for awkward values."""

import json
import math
import time

import numpy as np
import pytest

import dout
from dout import Variable, see
from dout.see.params import params_of
from dout.see.values import FULL, LITTLE, SOME, short, value_of

A = np.array([1.0, 2.0])


def price(apple, number, tax):
    total = apple * number
    return total * tax


def described(f, *args, **kwargs):
    found = see(f, *args, **kwargs).describe()
    json.dumps(found, allow_nan=False)
    return found


def ops(description):
    return [n for n in description["nodes"] if n["kind"] not in ("input", "constant")]


class TestForm:
    def test_a_whole(self):
        d = described(price, 100, 2, 1.1)
        assert d["format"] == 1
        assert d["title"] == "price"
        assert d["complete"] is True
        assert [(n["kind"], n["op"], n["sign"], n["name"]) for n in d["nodes"]] == [
            ("input", "", "", "apple"),
            ("input", "", "", "number"),
            ("input", "", "", "tax"),
            ("op", "multiply", "×", "total"),
            ("op", "multiply", "×", None),
        ]
        assert [(e["from"], e["to"], e["port"], e["derivative"]["v"]) for e in d["edges"]] == [
            (0, 3, 0, 2.2),
            (1, 3, 1, 110.00000000000001),
            (3, 4, 0, 1.1),
            (2, 4, 1, 200),
        ]
        assert [n["total"]["v"] for n in d["nodes"]] == [2.2, 110.00000000000001, 200, 1.1, 1]
        assert [n["terms"] for n in d["nodes"]] == [[0], [1], [3], [2], ["output"]]
        assert d["outputs"] == [
            {"node": 4, "path": "", "value": value_of(220.00000000000003), "derivative": value_of(1)}
        ]
        assert d["steps"] == [["forward", i] for i in range(5)] + [["backward", i] for i in (2, 3, 0, 1)]
        assert d["groups"] == d["looks"] == d["notes"] == d["problems"] == []
        assert set(d["levels"]) == {"top"}

    def test_the_square_has_two_edges(self):
        d = described(lambda x: x * x, 3.0)
        assert [(e["from"], e["port"], e["derivative"]["v"], e["local"]) for e in d["edges"]] == [
            (0, 0, 3, 3),
            (0, 1, 3, 3),
        ]
        assert d["nodes"][0]["terms"] == [0, 1]
        assert d["nodes"][0]["total"]["v"] == 6

    def test_an_output_that_is_used_too(self):
        d = described(lambda x: (x, x * 2.0), 3.0)
        assert d["nodes"][0]["terms"] == ["output", 0]
        assert [o["path"] for o in d["outputs"]] == ["[0]", "[1]"]
        assert d["notes"] == ["The derivatives are those of the sum of the outputs."]

    def test_constants_stand_before_what_uses_them(self):
        d = described(lambda x: x * 2.0 + 2.0, 3.0)
        assert [n["kind"] for n in d["nodes"]] == ["input", "constant", "op", "constant", "op"]
        constant = d["nodes"][1]
        assert (constant["value"]["v"], constant["total"], constant["terms"], constant["where"]) == (
            2.0,
            None,
            [],
            None,
        )
        assert [e["derivative"] for e in d["edges"] if e["from"] == 1] == [None]

    def test_no_derivative_flows_where_there_is_none(self):
        d = described(lambda x, y: x * 2.0, 1.0, 5.0)
        assert d["nodes"][1]["total"]["v"] == 0
        assert d["nodes"][1]["terms"] == []

    def test_broadcasting_is_marked(self):
        d = described(lambda x, b: x + b, np.ones((3, 2)), A)
        assert [e["broadcast"] for e in d["edges"]] == [False, True]
        assert d["edges"][1]["derivative"]["data"] == [3.0, 3.0]
        assert d["notes"] == ["The derivatives are those of the output's sum."]

    def test_notes_in_chinese(self):
        notes = see(lambda x: x * 2.0, A).describe(lang="zh")["notes"]
        assert notes == ["这些导数是输出各元素之和的导数。"]

    def test_notes_of_the_trace(self):
        assert described(lambda x, n=3: x * n, 1.0)["notes"] == [
            "n is no input: it has its default; give n=3 to see its derivative"
        ]

    @pytest.mark.parametrize(
        ("f", "args"),
        [
            (lambda x: np.exp(x) / x, (2.0,)),
            (lambda x, y: x**y - y, (2.0, 3.0)),
            (lambda x: np.tanh(np.sin(x) * np.log(x)), (2.0,)),
            (lambda x: dout.Sigmoid()(x) * dout.MulLayer()(x, 3.0), (0.5,)),
            (lambda x: np.sum(x) * 2.0, (1.5,)),
            (lambda x, y: np.maximum(x, y) * x, (1, 2)),
        ],
    )
    def test_upstream_times_local_is_the_derivative(self, f, args):
        d = described(f, *args)
        for edge in d["edges"]:
            if edge["derivative"] is not None:
                up = d["nodes"][edge["to"]]["total"]["v"]
                assert up * edge["local"] == pytest.approx(edge["derivative"]["v"], rel=1e-14)

    def test_arrays_have_no_local_derivative(self):
        assert [e["local"] for e in described(lambda x: x * 2.0, A)["edges"]] == [None, None]

    def test_formulas_are_written_once(self):
        d = described(lambda x: np.exp(x) * np.exp(x * x), 1.0)
        keys = [e["formula"] for e in d["edges"]]
        assert set(keys) == set(d["formulas"])
        assert d["formulas"]["exp 0"]["text"] == "∂L/∂x = ∂L/∂y · y"

    def test_sliders(self):
        sliders = [n.get("slider") for n in described(lambda a, b, c, d: a * b * c[0] + d, 1.1, 3, A, 1j)["nodes"]]
        assert sliders[:4] == [{"min": -10.0, "max": 10.0, "step": 0.1}, {"min": 0, "max": 10, "step": 1}, None, None]

    @pytest.mark.parametrize("x", [0.0, -0.5, 1e-300, 1e15, 123.0, -7, 10**6, np.float32(3)])
    def test_a_slider_reaches_its_value(self, x):
        slider = described(lambda x: x * 2.0, x)["nodes"][0]["slider"]
        assert slider["min"] <= x <= slider["max"]
        assert slider["step"] > 0

    def test_titles(self):
        assert described(dout.MulLayer(), 2.0, 3.0)["title"] == "MulLayer"
        assert described(lambda x: x * 2, 1.0)["title"] == "<lambda>"
        assert see(Variable(1.0, name="x") * 2.0).describe()["title"] == ""

    def test_the_same_graph_traced_before(self):
        graph = dout.trace(price, 100, 2, 1.1)
        assert see(graph).describe() == described(price, 100, 2, 1.1)

    def test_levels_hold_everything(self):
        def f(x):
            for _ in range(3):
                x = np.tanh(x * 2.0) + x
            return dout.Sigmoid()(x)

        d = described(f, 1.0)
        assert set(d["levels"]) == {"top", *(str(g["id"]) for g in d["groups"])}
        drawn = [
            i for level in d["levels"].values() for item in level["items"] for i in [item.get("node")] if i is not None
        ]
        assert set(drawn) == {n["id"] for n in d["nodes"]}
        carried = {e for level in d["levels"].values() for arrow in level["arrows"] for e in arrow["edges"]}
        assert carried == {e["id"] for e in d["edges"]}


class TestAwkward:
    def test_nan_and_infinities(self):
        with np.errstate(all="ignore"):
            d = described(lambda x: np.log(x) * 0.0, 0.0)
        assert [n["value"]["v"] for n in d["nodes"]] == [0.0, "-Infinity", 0.0, "NaN"]
        assert [n["value"]["t"] for n in d["nodes"]] == ["0", "−∞", "0", "NaN"]
        assert d["problems"][0]["node"] == 1
        assert d["problems"][0]["kind"] == "forward"

    def test_a_problem_on_the_way_back(self):
        with np.errstate(all="ignore"):
            d = described(np.sqrt, 0.0)
        assert [(p["kind"], p["edge"], p["node"]) for p in d["problems"]][:1] == [("backward", 0, None)]

    def test_a_problem_inside_a_layer(self):
        class Log(dout.Layer):
            def forward(self, x):
                self.x = x
                return np.log(x) + 0.0

            def backward(self, dout):
                return dout / self.x

        with np.errstate(all="ignore"):
            d = described(lambda x: Log()(x), 0.0)
        assert d["problems"][0]["node"] == d["groups"][0]["output"]
        assert [d["edges"][p["edge"]]["from"] for p in d["problems"] if p["edge"] is not None] == [0]

    def test_complex(self):
        d = described(lambda z: z * z, 1 + 2j)
        assert (d["nodes"][1]["value"]["re"], d["nodes"][1]["value"]["im"]) == (-3.0, 4.0)
        assert d["nodes"][1]["value"]["t"] == "−3+4j"
        assert d["nodes"][0]["total"]["t"] == "2+4j"
        assert [e["local"] for e in d["edges"]] == [None, None]
        d = described(lambda z: np.sum(np.abs(z)), np.array([3 + 4j, 1j]))
        assert d["nodes"][0]["value"]["data"] == [[3.0, 4.0], [0.0, 1.0]]
        assert d["nodes"][0]["value"]["t2"] == "|x| min 1 mean 3 max 5"

    def test_large_ints(self):
        d = described(lambda a: a * a, 2**60)
        assert d["nodes"][1]["value"]["v"] == str(2**120)
        assert d["nodes"][1]["value"]["big"] is True
        assert d["nodes"][1]["value"]["t"] == "1.32923e36"
        assert described(lambda a: a * a, 10**20_000)["nodes"][1]["value"]["t"] == "1e40000"

    def test_empty_arrays(self):
        d = described(lambda x: np.sum(x * 2.0), np.ones((0, 3)))
        assert d["nodes"][0]["value"] == {"t": "0×3 float64", "shape": [0, 3], "dtype": "float64", "data": []}

    def test_enormous_arrays(self):
        start = time.perf_counter()
        d = described(lambda x: np.sum(x * x), np.ones((2000, 3000)))
        assert time.perf_counter() - start < 10
        value = d["nodes"][0]["value"]
        assert "data" not in value
        assert (value["heat"]["rows"], value["heat"]["cols"], len(value["heat"]["cells"])) == (32, 32, 1024)

    def test_a_broadcast_derivative_is_not_written_out(self):
        x = np.broadcast_to(np.float64(2.0), (10**5, 10**5))
        value = value_of(x)
        assert (value["min"], value["mean"], value["max"], value["shape"]) == (2.0, 2.0, 2.0, [10**5, 10**5])

    @pytest.mark.parametrize("f", [lambda x: 7.5, lambda x: np.arange(3), lambda x: np.floor(x)])
    def test_no_edges(self, f):
        d = described(f, 1.5)
        assert d["edges"] == []
        assert d["outputs"][0]["node"] is None
        assert d["outputs"][0]["derivative"] is None
        assert d["nodes"][0]["total"]["v"] == 0
        see(f, 1.5).svg()

    def test_an_input_is_the_output(self):
        d = described(lambda x: x, 3)
        assert (d["edges"], d["outputs"][0]["node"], d["nodes"][0]["total"]["v"]) == ([], 0, 1)

    @pytest.mark.parametrize("argument", ["a", True, None, {"a": "b"}])
    def test_nothing_to_differentiate(self, argument):
        with pytest.raises(TypeError, match="there is nothing to differentiate"):
            see(lambda x: 1.0, argument)

    def test_many_outputs(self):
        d = described(lambda x: [x * float(k) for k in range(100)], 2.0)
        assert len(d["outputs"]) == 60
        assert d["notes"][-1] == "40 more outputs are not shown."

    def test_outputs_in_containers(self):
        d = described(lambda x: {"a": x * 2.0, "b": (5, x)}, 3.0)
        assert [(o["path"], o["node"], o["value"]["v"]) for o in d["outputs"]] == [
            ("['a']", 2, 6.0),
            ("['b'][0]", None, 5),
            ("['b'][1]", 0, 3.0),
        ]

    def test_derivatives_of_derivatives(self):
        d = described(lambda x: dout.grad(lambda y: y**3)(x), 2.0)
        assert d["outputs"][0]["value"]["v"] == 12.0
        assert d["nodes"][0]["total"]["v"] == 12.0

    def test_bools_and_conditions(self):
        d = described(lambda x: np.where(x > 1, x, 0.0), A)
        condition = d["nodes"][1]["value"]
        assert (condition["dtype"], condition["data"], condition["mean"]) == ("bool", [False, True], 0.5)

    def test_variables_with_what_is_known(self):
        x = Variable(A, name="x")
        y = np.sum(x + np.ones(2))
        nodes = see(y).describe()["nodes"]
        assert nodes[0]["value"]["t"] == "[2] float64"
        assert nodes[1]["value"].get("unknown")


class TestNumerical:
    def test_marks(self):
        class Wrong(dout.Layer):
            def forward(self, x):
                self.x = x
                return float(x) * x

            def backward(self, dout):
                return dout * self.x

        d = see(lambda x: Wrong()(x * 2.0), 3.0, numerical=True).describe()
        marked = [(e["numerical"], e["wrong"]) for e in d["edges"] if e["derivative"] is not None]
        assert marked[0] == (pytest.approx(12.0), False)
        assert marked[1] == (pytest.approx(12.0), True)

    def test_a_layer_that_opens(self):
        class Wrong(dout.Layer):
            def forward(self, x):
                self.x = x
                return x * x + 1.0

            def backward(self, dout):
                return dout * self.x

        (group,) = see(Wrong(), 3.0, numerical=True).describe()["groups"]
        assert (group["wrong"], group["agree"]) == (True, False)
        assert group["numerical"] == [pytest.approx(6.0)]

    def test_not_asked_for(self):
        d = described(lambda x: x * 2.0, 1.0)
        assert {(e["numerical"], e["wrong"]) for e in d["edges"]} == {(None, False)}


class TestValues:
    @pytest.mark.parametrize(
        ("x", "text"),
        [
            (220.00000000000003, "220"), (1.1, "1.1"), (1 / 3, "0.333333"), (1e-7, "1e-7"), (-1.5e-12, "−1.5e-12"),
            (123456789.0, "123456789"), (1e9, "1e9"), (1.23456789e22, "1.23457e22"), (0.0, "0"), (-0.0, "−0"),
            (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"), (5, "5"), (-5, "−5"), (10**12, "1e12"),
            (999_999_999_999, "999999999999"), (-(10**400), "−1e400"), (123 * 10**398, "1.23e400"), (True, "True"),
            (9999999 * 10**30, "1e37"), (1 - 2j, "1−2j"), (np.float32(0.1), "0.1"), (np.int8(-3), "−3"),
        ],
    )  # fmt: skip
    def test_short(self, x, text):
        assert short(x) == text

    @pytest.mark.parametrize(
        ("x", "value"),
        [
            (1.5, {"t": "1.5", "v": 1.5, "dtype": "float"}),
            (np.float32(1.5), {"t": "1.5", "v": 1.5, "dtype": "float32"}),
            (np.array(1.5), {"t": "1.5", "v": 1.5, "dtype": "float64"}),
            (3, {"t": "3", "v": 3, "dtype": "int"}),
            (True, {"t": "True", "v": True, "dtype": "bool"}),
            (2**53 + 1, {"t": "9.0072e15", "v": "9007199254740993", "dtype": "int", "big": True}),
            (math.nan, {"t": "NaN", "v": "NaN", "dtype": "float"}),
        ],
    )
    def test_numbers(self, x, value):
        assert value_of(x) == value

    def test_arrays(self):
        value = value_of(np.array([[1.0, 2.0], [3.0, 6.0], [0.0, 0.0]]))
        assert value["t"] == "3×2 float64"
        assert value["t2"] == "min 0 mean 2 max 6"
        assert value["heat"] == {"rows": 3, "cols": 2, "cells": [0.167, 0.333, 0.5, 1.0, 0.0, 0.0]}
        assert sum(value["hist"]["counts"]) == 6
        assert value_of(np.arange(3))["t"] == "[3] int64"

    def test_what_is_not_finite_is_counted(self):
        value = value_of(np.array([np.nan, 1.0, np.inf, np.nan, 3.0]))
        assert (value["bad"], value["min"], value["max"]) == (3, 1.0, 3.0)
        assert value["t2"] == "NaN×2 ∞×1 min 1 mean 2 max 3"
        assert value["heat"]["cells"] == [None, 0.0, None, None, 1.0]
        assert value["data"][:3] == ["NaN", 1.0, "Infinity"]
        assert value_of(np.full(3, np.nan))["t2"] == "NaN×3"

    def test_detail(self):
        x = np.arange(50.0)
        assert "data" in value_of(x, FULL)
        assert "data" not in value_of(x, SOME)
        assert "heat" not in value_of(x, LITTLE)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint64, bool, np.complex64])
    @pytest.mark.parametrize("shape", [(1,), (3, 0), (40, 50), (2, 3, 4)])
    def test_any_array(self, dtype, shape):
        json.dumps(value_of((np.arange(np.prod(shape)) % 7).reshape(shape).astype(dtype)), allow_nan=False)

    def test_extremes(self):
        x = np.array([-1.7e308, 1.7e308])
        value = value_of(x)
        assert value["heat"]["cells"] == [0.0, 1.0]
        json.dumps(value, allow_nan=False)


class TestParams:
    @pytest.mark.parametrize(
        ("params", "written"),
        [
            ({}, {}),
            ({"axes": (0, np.int64(1)), "keepdims": False}, {"axes": [0, 1], "keepdims": False}),
            ({"key": 3, "shape": (5,)}, {"key": [3], "shape": [5]}),
            ({"key": (slice(None, None, -1), None, Ellipsis, True)},
             {"key": [{"slice": [None, None, -1]}, {"new": True}, {"rest": True}, {"shape": [], "mask": [True]}]}),
            ({"key": np.array([[1, 2]])}, {"key": [{"shape": [1, 2], "at": [1, 2]}]}),
            ({"key": np.array([True, False])}, {"key": [{"shape": [2], "mask": [True, False]}]}),
            ({"key": np.zeros(5000, int)}, {"page": False}),
            ({"dtype": np.dtype("float32")}, {"dtype": "float32"}),
            ({"f": print}, {"page": False}),
            ({"how": {"f": print}}, {"page": False}),
            ({"x": math.inf}, {"page": False}),
            ({"n": 2**60}, {"page": False}),
        ],
    )  # fmt: skip
    def test_written(self, params, written):
        assert params_of(params) == written

    def test_a_write(self):
        def f(x):
            x = x.copy()
            x[1:] = 0.0
            return x

        (write,) = (n for n in ops(described(f, A)) if n["op"] == "write")
        assert write["params"]["through"] == "getitem"
        assert write["params"]["how"]["key"] == [{"slice": [1, None, None]}]

    def test_einsum(self):
        (node,) = ops(described(lambda x, y: np.einsum("ij,jk->ik", x, y), np.eye(2), np.eye(2)))
        assert set(node["params"]) == {"inputs", "result"}


def test_options_of_the_forms():
    picture = see(price, 100, 2, 1.1)
    assert picture.svg(lang="zh") != picture.svg()
    assert json.loads(json.dumps(picture.describe(lang="zh")))["lang"] == "zh"
    with pytest.raises(TypeError, match="unexpected keyword"):
        picture.describe(colour="red")


def chain(x, w, n: int):
    for _ in range(n):
        h = x * w
        x = np.tanh(h) + x
    return x


@pytest.mark.parametrize(("n", "seconds"), [(4, 0.05), (500, 1.0)])
def test_time(n, seconds):
    """Generously: the machine may be busy."""
    see(chain, 1.0, 0.5, 2).describe()
    start = time.perf_counter()
    see(chain, 1.0, 0.5, n).describe()
    assert time.perf_counter() - start < 6 * seconds


def test_many_arrays_say_less_beside_their_arrows():
    """A picture of a network would be much wider than a screen; every number is there on hover."""

    def f(x, n):
        for _ in range(n):
            x = np.tanh(x) * 2.0
        return x

    few, many = (see(f, A, n) for n in (3, 4))  # two arrows that carry arrays in each step
    assert "range" not in few.describe()["nodes"][0]["value"]
    value = many.describe()["nodes"][0]["value"]
    assert (value["range"], value["t2"]) == ("1 … 2", "min 1 mean 1.5 max 2")
    svg = many.svg(open="all")
    assert ">1 … 2</text>" in svg
    assert ">min 1 mean 1.5 max 2</text>" not in svg
    assert "min 1 mean 1.5 max 2" in svg  # in its title
    assert ">min 1 mean 1.5 max 2</text>" in few.svg(open="all")

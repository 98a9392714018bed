"""What goes wrong in a run, where it begins, and that nothing is said of runs in which all is well."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout import see
from dout.see.problems import bad_in, depths, norm_of, problems_of
from dout.see.words import say, words

rng = np.random.default_rng(0)
A = np.array([1.0, -2.0, 3.0])
B = np.full(3, 12.0)


def found(f, *args):
    with np.errstate(all="ignore"):
        return problems_of(see(f, *args))


def kinds(f, *args):
    return [problem["kind"] for problem in found(f, *args)]


def one(f, *args, kind):
    (problem,) = [p for p in found(f, *args) if p["kind"] == kind]
    return problem


def deep(x, factor, n):
    for _ in range(n):
        x = np.tanh(x) * factor
    return x


CLEAN = [
    (lambda x, y: (x * y + np.sin(x)) / (y + 2.0), 1.0, 2.0),
    (lambda x: np.sum(np.exp(-(x**2))), A),
    (lambda x: np.sum(dout.Relu()(x) * x), A),
    (lambda x: np.sum(dout.Sigmoid()(x)), A),
    (lambda x: np.sum(np.tanh(x)), A),
    (lambda apple, number, tax: apple * number * tax, 100, 2, 1.1),
    (lambda x: x, 3.0),
    (lambda a, b: a**b, 2, 10),
    (lambda z: np.abs(z * z), 1 + 2j),
    (lambda x: np.sum(x), np.zeros((0, 3))),
    (lambda x: (x, 2.0 * x), A),
    (lambda x: np.sum(np.maximum(x, 1.0)), A * 0),
]


@pytest.mark.parametrize("case", CLEAN)
def test_nothing_is_said_where_all_is_well(case):
    assert found(case[0], *case[1:]) == []


FORWARD = [
    (lambda x: np.sqrt(x * 1.0) * 2.0, (-1.0,), "sqrt", "problem.forward.nan", "sqrt(−1)"),
    (lambda x: np.log(x) + 1.0, (0.0,), "log", "problem.forward.inf", "log(0)"),
    (lambda x: np.sum(np.log(x)), (np.array([2.0, 0.0, -1.0]),), "log", "problem.forward.inf", "log(0)"),
    (lambda x: np.exp(x) - np.exp(x), (1000.0,), "exp", "problem.forward.inf", "exp(1000)"),
    (lambda x, y: x / y, (np.float64(0.0), np.float64(0.0)), "divide", "problem.forward.nan", "divide(0, 0)"),
    (lambda x: np.power(x, 0.5), (np.array([4.0, -4.0]),), "power", "problem.forward.nan", "power(−4, 0.5)"),
    (lambda x: np.sum(x * 1e308), (np.array([1.0, 1.0]),), "sum", "problem.forward.inf", "sum"),
    (lambda x: x * np.inf, (2.0,), "multiply", "problem.constant.inf", None),
    (lambda x: x * np.array([1.0, np.nan, 2.0]), (A,), "multiply", "problem.constant.nan", None),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args", "op", "key", "made"), FORWARD)
def test_the_first_that_is_not_finite_forward(f, args, op, key, made):
    problem = one(f, *args, kind="forward")
    assert (problem["node"].op.name, problem["key"]) == (op, key)
    assert problem["values"].get("made") == made


def test_an_input_that_is_nan_is_blamed_itself():
    problem = one(lambda x: np.sqrt(x) * 2.0, np.array([1.0, np.nan, np.inf]), kind="forward")
    assert problem["key"] == "problem.input.nan"
    assert problem["values"] == {"name": "x", "index": "[1]", "count": 2, "size": 3}


def test_the_order_of_the_run_decides():
    def f(x, y):
        a = np.log(y)  # first in the order, though its infinity is second on the way to the output
        b = np.sqrt(x)
        return b + a

    assert one(f, -1.0, 0.0, kind="forward")["node"].op.name == "log"


BACKWARD = [
    (lambda x: np.sqrt(x) * 2.0, (0.0,), "sqrt", "problem.backward.inf"),
    (lambda x: np.sqrt(x * x), (0.0,), "sqrt", "problem.backward.inf"),  # then inf * 0 gives NaN further up
    (lambda x: np.sum(np.sqrt(x) * np.array([1.0, 0.0, 1.0])), (A,), "sqrt", "problem.backward.nan"),
    (lambda x: np.cbrt(x), (np.float64(0.0),), "cbrt", "problem.backward.inf"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args", "op", "key"), BACKWARD)
def test_the_first_that_is_not_finite_on_the_way_back(f, args, op, key):
    problem = one(f, *args, kind="backward")
    node, i = problem["edge"]
    assert (node.op.name, i, problem["key"]) == (op, 0, key)


def test_a_backward_that_gives_nan():
    class Broken(dout.Layer):
        def forward(self, x):
            return x * 2.0

        def backward(self, dout):
            return dout * np.nan

    problem = one(lambda x: Broken()(np.sin(x)) * 3.0, 1.0, kind="backward")
    assert problem["edge"][0].op.name == "Broken"
    assert kinds(lambda x: Broken()(np.sin(x)) * 3.0, 1.0) == ["backward"]


def test_exploding_begins_somewhere():
    def f(x):
        for _ in range(20):
            x = x * 10.0
        return x

    problem = one(f, 1.0, kind="exploding")
    assert problem["values"]["depth"] == 8
    assert problem["values"]["ratio"] == "100000000"
    assert problem["values"]["most"] == "1e20"
    assert kinds(f, 1.0) == ["exploding"]


def test_vanishing_begins_somewhere():
    problem = one(lambda x: deep(x, 0.1, 20), 0.3, kind="vanishing")
    assert problem["values"]["depth"] in (14, 15)
    assert kinds(lambda x: deep(x, 0.1, 20), 0.3) == ["vanishing"]
    assert kinds(lambda x: deep(x, 1.0, 20), 0.3) == []


def test_a_skip_connection_saves_it():
    assert kinds(lambda x: deep(x, 0.1, 20) + x, 0.3) == []


def test_a_zero_has_not_vanished():
    assert kinds(lambda x: np.sin(x) * 0.0, 1.0) == []


def test_arrays_are_compared_by_their_norms():
    assert kinds(lambda x: np.mean(x), np.ones(10**6)) == []
    assert kinds(lambda x: x * 1e8, np.ones(100)) == ["exploding"]


@pytest.mark.parametrize("relu", [lambda x: dout.Relu()(x), lambda x: np.maximum(x, 0.0), lambda x: np.maximum(0, x)])
def test_dead_relus(relu):
    assert kinds(lambda x: relu(x) + x, -3.0) == ["dead"]
    assert one(lambda x: np.sum(relu(x) + x), -np.abs(A), kind="dead")["key"] == "problem.dead"
    mostly = one(lambda x: np.sum(relu(x)), np.append(-np.ones(19), 1.0), kind="dead")
    assert (mostly["key"], mostly["values"]["count"], mostly["values"]["share"]) == ("problem.dead.mostly", 19, "95%")
    batch = np.abs(rng.normal(size=(32, 5))) * [1, -1, 1, -1, 1]
    units = one(lambda x: np.sum(relu(x)), batch, kind="dead")["values"]
    assert (units["units"], units["of"], units["examples"]) == (2, 5, 32)


def test_saturated():
    assert one(lambda x: np.sum(dout.Sigmoid()(x)), A * 20, kind="saturated")["values"]["count"] == 3
    assert one(lambda x: np.sum(np.tanh(x)), A * 10, kind="saturated")["node"].op.name == "tanh"
    assert one(lambda x: 1 / (1 + np.exp(-x)), B, kind="saturated")["node"].op.name == "divide"
    assert one(lambda x: np.reciprocal(np.exp(-x) + 1), B, kind="saturated")["node"].op.name == "reciprocal"
    assert kinds(lambda x: 1 / (2 + np.exp(-x)), B) == []


def test_a_single_number_is_saturated_only_if_nothing_is_left():
    assert kinds(lambda x: np.tanh(x) + x, 8.0) == []
    problem = one(lambda x: np.tanh(x) + x, 10.0, kind="saturated")
    assert problem["values"]["own"] == "8.24461e-9"


def test_what_a_loop_repeats_is_one_problem():
    def f(x):
        for k in range(12):
            x = np.tanh(x * 30.0) + x * (k % 3)
        return np.sum(x)

    (problem,) = [p for p in found(f, np.array([0.5, 0.9, 0.8])) if p["kind"] == "saturated"]
    assert problem["key"] == "problem.saturated.again"
    assert (problem["values"]["times"], problem["values"]["runs"], problem["values"]["count"]) == (12, 12, 3)
    assert problem["node"].op.name == "tanh"
    (problem,) = [p for p in found(f, 0.5) if p["kind"] == "saturated"]
    assert problem["key"] == "problem.saturated.number.again"
    (problem,) = found(lambda x: sum(dout.Relu()(x * (k - 7.5)) for k in range(20)), 1.0)
    assert (problem["key"], problem["values"]["times"], problem["values"]["runs"]) == ("problem.dead.again", 8, 20)


def test_two_lines_are_two_problems():
    def f(x):
        y = np.tanh(x * 30.0)
        z = np.tanh(y * 30.0)
        return np.sum(y + z)

    assert kinds(f, np.array([0.5, 0.9])) == ["vanishing", "saturated", "saturated"]


def test_unused_inputs():
    assert [p["values"]["name"] for p in found(lambda x, y, p: y * 2.0, 1.0, 2.0, {"w": A})] == ["x", "p['w']"]
    assert kinds(lambda x: np.floor(x), 1.5) == ["unused"]
    assert kinds(lambda x: 7.0, 1.5) == ["unused"]


def test_inputs_that_disagree_with_the_numerical_derivative_where_that_is_asked_for():
    class Double(dout.Layer):
        def forward(self, x):
            return x * 2.0

        def backward(self, dout):
            return dout * 3.0

    def f(x, y):
        return Double()(x) * y

    assert problems_of(see(f, 1.0, 5.0)) == []
    edge, problem = problems_of(see(f, 1.0, 5.0, numerical=True))
    assert (edge["kind"], edge["edge"][0].op.name, edge["key"]) == ("numerical", "Double", "numerical.wrong")
    assert (problem["kind"], problem["node"].name, problem["key"]) == ("numerical", "x", "numerical.input.wrong")
    assert (problem["values"]["computed"], problem["values"]["numerical"]) == ("15", "10")


def test_places_are_named():
    def f(x):
        return np.sqrt(x - 2.0)

    name = one(f, 1.0, kind="forward")["values"]["name"]
    assert re.fullmatch(r"sqrt \(test_problems\.py:\d+\)", name)
    with np.errstate(all="ignore"):
        picture = see(f, 1.0)
        given = problems_of(picture, lambda node: "it")
    assert [p["values"]["name"] for p in given] == ["it", "it"]


def test_many_are_cut_short():
    lines = "".join(f"    y = y + np.maximum(x - {k}.0, 0.0)\n" for k in range(30))
    space: dict = {"np": np}
    exec(f"def f(x):\n    y = x\n{lines}    return y\n", space)
    assert len(found(space["f"], -1.0)) == 20


def test_every_sentence_is_in_the_catalogue_and_filled():
    cases = [
        *((f, args) for f, args, *_ in FORWARD),
        *((f, args) for f, args, *_ in BACKWARD),
        (lambda x: deep(x, 0.1, 20), (0.3,)),
        (lambda x: x * 1e9, (0.3,)),
        (lambda x: np.sum(dout.Relu()(x)), (np.append(-np.ones(19), 1.0),)),
        (lambda x: np.sum(dout.Relu()(x)), (-np.ones((20, 3)) * [1, -1, 1],)),
        (lambda x: dout.Relu()(x), (-1.0,)),
        (lambda x: np.tanh(x), (30.0,)),
        (lambda x: np.sum(np.tanh(x)), (B,)),
        (lambda x: np.sum(sum(np.tanh(x) for _ in range(3))), (B,)),
        (lambda x: sum(np.tanh(x) for _ in range(3)), (30.0,)),
        (lambda x: sum(dout.Relu()(x) for _ in range(3)), (-1.0,)),
        (lambda x: np.sum(sum(dout.Relu()(x) for _ in range(3))), (np.append(-np.ones(19), 1.0),)),
        (lambda x: np.sum(sum(dout.Relu()(x) for _ in range(3))), (-np.ones((20, 3)) * [1, -1, 1],)),
        (lambda x, y: x, (1.0, 2.0)),
        (lambda x: x, (np.nan,)),
        (lambda x: x, (np.inf,)),
    ]
    seen = set()
    for f, args in cases:
        for problem in found(f, *args):
            seen.add(problem["key"])
            for lang in ("en", "zh"):
                assert "{" not in say(problem["key"], lang, **problem["values"])
    assert seen == {key for key in words()["en"] if key.startswith("problem.")}


def test_parts():
    assert bad_in((1.0, A, np.nan)) == ("nan", None, 1, 1)
    assert bad_in(10**400) is None
    assert bad_in(complex(np.inf, 0)) == ("inf", None, 1, 1)
    assert norm_of(np.array([3e200, 4e200])) == pytest.approx(5e200)
    assert norm_of(10**400) == np.inf
    assert norm_of((3.0, 4)) == 5.0
    graph = see(lambda x, y: np.sin(x) * x + y, 1.0, 2.0).graph
    assert sorted(depths(graph.nodes, graph.outputs).values()) == [0, 1, 1, 2, 3]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_whatever_the_numbers(numbers):
    with np.errstate(all="ignore"):
        problems = found(lambda x: np.sum(np.sqrt(x) * np.log(np.abs(x)) / (x - 1.0)), np.array(numbers))
    picture_is_bad = any(p["kind"] == "forward" for p in problems)
    with np.errstate(all="ignore"):
        x = np.array(numbers)
        parts = [x, np.sqrt(x), np.log(np.abs(x)), np.sqrt(x) * np.log(np.abs(x)), x - 1.0]
        parts += [parts[3] / parts[4], np.sum(parts[3] / parts[4])]
    assert picture_is_bad == (not all(np.isfinite(p).all() for p in parts))

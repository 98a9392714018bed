"""Folds: functions, loops and their steps, repeats and chunks; what starts open; what a large description leaves out."""

import itertools
import time

import numpy as np
import pytest

import dout
from dout import see
from dout.see.folds import MANY
from dout.see.plan import BUDGET


def tree(described):
    """The folds as nested lists: (kind, name, count, what is inside), operations as their signs."""
    inside = {}
    for node in described["nodes"]:
        if node["kind"] in ("op", "layer"):
            inside.setdefault(node["group"], []).append((node["id"], node["sign"]))
    for group in reversed(described["groups"]):
        items = sorted(inside.get(group["id"], []), key=lambda item: item[0])
        first = items[0][0] if items else -1
        shown = (group["kind"], group["name"], group["count"], [item[1] for item in items])
        inside.setdefault(group["parent"], []).append((first, shown))
    return [item[1] for item in sorted(inside.get(None, []), key=lambda item: item[0])]


def folded(f, *args):
    return tree(see(f, *args).describe())


def block(x, w):
    h = x * w
    return np.tanh(h) + x


def test_nothing_to_fold():
    assert folded(lambda a, b: (a + b) * b, 1.0, 2.0) == ["+", "×"]


def test_a_function():
    assert folded(lambda x: block(x, 2.0) * 3.0, 1.0) == [("function", "block", None, ["×", "tanh", "+"]), "×"]


def test_calls_are_told_apart():
    f = lambda x: block(block(x, 2.0), 3.0)  # noqa: E731
    assert folded(f, 1.0) == [("function", "block", None, ["×", "tanh", "+"])] * 2


def test_a_function_of_one_operation_is_no_fold():
    assert folded(lambda x: (lambda t: t * 2.0)(x) + 1.0, 1.0) == ["×", "+"]


def test_a_wrapper_is_no_fold():
    def wrapper(x):
        return block(x, 2.0)

    assert folded(lambda x: wrapper(x), 1.0) == ["×", "tanh", "+"]
    assert folded(lambda x: wrapper(x) + 1.0, 1.0) == [("function", "block", None, ["×", "tanh", "+"]), "+"]


def test_functions_within_functions():
    def net(x):
        return block(x, 1.0) + x

    inside = [("function", "block", None, ["×", "tanh", "+"]), "+"]
    assert folded(lambda x: net(x) * 2.0, 1.0) == [("function", "net", None, inside), "×"]


def test_a_method():
    class Net:
        def run(self, x):
            return x * 2.0 + 1.0

    assert folded(lambda x: Net().run(x) * 2.0, 1.0) == [("function", "run", None, ["×", "+"]), "×"]


def test_a_loop():
    def f(x):
        for k in (1.0, 2.0, 3.0):
            y = x * k
            x = y + 1.0
        return x

    steps = [("step", f"#{i}", None, ["×", "+"]) for i in (1, 2, 3)]
    assert folded(f, 1.0) == [("loop", "for k in (1.0, 2.0, 3.0)", 3, steps)]


def test_a_loop_with_one_operation_in_each_step():
    def f(x, ws):
        for w in ws:
            x = x * w
        return x

    assert folded(f, 1.0, [1.0, 2.0]) == [("loop", "for w in ws", 2, ["×", "×"])]


def test_a_loop_of_one_step_is_no_fold():
    def f(x):
        for _ in range(1):
            x = x * 2.0 + 1.0
        return x

    assert folded(f, 1.0) == ["×", "+"]


def test_a_while_loop_and_its_test():
    def f(x):
        while x * x < 50.0:
            x = x * 2.0
        return x

    assert folded(f, 1.0) == [("loop", "while x * x < 50.0", 3, ["×", "×", "×"])]


def test_a_branch_in_a_loop():
    def f(x):
        for i in range(3):
            if i == 1:
                x = np.exp(x)
            else:
                y = x * 2.0
                x = y
        return x

    assert folded(f, 1.0) == [("loop", "for i in range(3)", 3, ["×", "exp", "×"])]


def test_loops_within_loops():
    def f(x):
        for _ in range(2):
            for _ in range(3):
                x = x * 2.0
            x = x + 1.0
        return x

    inner = ("loop", "for _ in range(3)", 3, ["×", "×", "×"])
    steps = [("step", f"#{i}", None, [inner, "+"]) for i in (1, 2)]
    assert folded(f, 1.0) == [("loop", "for _ in range(2)", 2, steps)]


def test_two_loops_in_a_row():
    def f(x):
        for _ in range(2):
            x = x * 2.0
        for _ in range(2):
            x = x + 2.0
        return x

    assert [item[1:] for item in folded(f, 1.0)] == [
        ("for _ in range(2)", 2, ["×", "×"]),
        ("for _ in range(2)", 2, ["+", "+"]),
    ]


def test_what_numpy_does_in_one_call_is_one_step():
    def f(x):
        for _ in range(2):
            x = x + np.mean(x)
        return x

    steps = [("step", f"#{i}", None, ["sum", "/", "+"]) for i in (1, 2)]
    assert folded(f, np.ones(3)) == [("loop", "for _ in range(2)", 2, steps)]


def test_a_builtin_that_computes_often_is_one_step():
    def f(x):
        for _ in range(2):
            x = sum([x, x, x]) * 2.0
        return x

    steps = [("step", f"#{i}", None, ["+", "+", "+", "×"]) for i in (1, 2)]
    assert folded(f, 1.0) == [("loop", "for _ in range(2)", 2, steps)]


def test_comprehensions():
    def f(x):
        ys = [np.exp(x * k) for k in (1.0, 2.0)]
        return ys[0] + ys[1]

    steps = [("step", f"#{i}", None, ["×", "exp"]) for i in (1, 2)]
    assert folded(f, 1.0) == [("loop", "for k in (1.0, 2.0)", 2, steps), "+"]


def test_a_loop_of_calls():
    def f(x, ws):
        for w in ws:
            x = block(x, w)
        return x

    inside = [("function", "block", None, ["×", "tanh", "+"])] * 3
    assert folded(f, 1.0, [1.0, 2.0, 3.0]) == [("loop", "for w in ws", 3, inside)]


def test_a_loop_alone_in_a_function():
    def net(x, ws):
        for w in ws:
            x = block(x, w)
        return x

    inside = [("function", "block", None, ["×", "tanh", "+"])] * 2
    expected = [("function", "net", None, [("loop", "for w in ws", 2, inside)]), "×"]
    assert folded(lambda x, ws: net(x, ws) * 2.0, 1.0, [1.0, 2.0]) == expected


def test_recursion():
    def down(x, n: int):
        return x if n == 0 else down(x * 2.0 + 1.0, n - 1)

    inner = [("function", "down", None, ["×", "+"])]
    assert folded(down, 1.0, 2) == ["×", "+", *inner]


def test_deep_recursion():
    def down(x, n: int):
        return x if n == 0 else np.tanh(down(x * 0.5 - 1.0, n - 1)) * 0.5

    described = see(down, 1.0, 300).describe()
    assert sum(n["kind"] == "op" for n in described["nodes"]) == 1200
    levels = described["levels"]
    assert all(len(level["items"]) <= 3 * MANY for level in levels.values())


def test_a_generator_keeps_folds_apart():
    def f(x):
        return sum(np.exp(x * k) for k in (1.0, 2.0))

    folds = folded(f, 1.0)
    assert [item if isinstance(item, str) else item[3] for item in folds] == ["×", "exp", "+", "×", "exp", "+"]


def test_without_source_functions_fold_still():
    space = {"np": np}
    source = (
        "def g(x):\n    return np.exp(x * 2.0)\ndef f(x):\n    for _ in range(2):\n        x = g(x)\n    return x\n"
    )
    exec(compile(source, "<made>", "exec"), space)
    assert folded(space["f"], 0.1) == [("function", "g", None, ["×", "exp"])] * 2


class TestRepeats:
    def test_like_calls_in_a_row(self):
        def f(x):
            x = block(x, 1.0)
            x = block(x, 2.0)
            return block(x, 3.0) * 2.0

        inside = [("function", "block", None, ["×", "tanh", "+"])] * 3
        assert folded(f, 1.0) == [("repeat", "block", 3, inside), "×"]

    def test_like_calls_that_are_wired_otherwise(self):
        def f(x):
            a, b = block(x, 1.0), block(x, 2.0)
            return block(a + b, 3.0)

        assert [item[0] if not isinstance(item, str) else item for item in folded(f, 1.0)] == [
            "function",
            "function",
            "+",
            "function",
        ]

    def test_pairs(self):
        def g(x):
            return np.exp(x) * 0.5

        def f(x):
            x = g(block(x, 1.0))
            x = g(block(x, 2.0))
            return g(block(x, 3.0)) + 1.0

        (repeat, last) = folded(f, 0.1)
        assert repeat[:3] == ("repeat", "block g", 3)
        assert [step[:2] for step in repeat[3]] == [("step", "#1"), ("step", "#2"), ("step", "#3")]
        assert last == "+"

    def unrolled(self, n, skip=False):
        lines = ["def f(x, w):", "    z = x * w"]
        for k in range(n):
            lines += [f"    a{k} = np.exp(z * w)", f"    z = a{k} + {'z' if skip else 'w'}", "    z = np.log(z)"]
        space = {"np": np}
        exec(compile("\n".join([*lines, "    return z"]), "<made>", "exec"), space)
        return space["f"]

    @pytest.mark.parametrize("skip", [False, True])
    def test_unrolled_code(self, skip):
        described = see(self.unrolled(20, skip), 1.0, 0.5).describe()
        repeat = described["groups"][0]
        assert (repeat["kind"], repeat["count"], repeat["parent"]) == ("repeat", 20, None)
        assert repeat["size"] == 80

    def test_little_unrolled_code_stays_as_it_is(self):
        assert see(self.unrolled(4), 1.0, 0.5).describe()["groups"] == []

    def test_connections_that_skip_a_block_stay(self):
        def f(x):
            first = block(x, 1.0)
            second = block(first, 2.0)
            return block(second, 3.0) + first

        described = see(f, 1.0).describe()
        top = described["levels"]["top"]
        (repeat,) = (i for i, item in enumerate(top["items"]) if "group" in item)
        leaving = [arrow for arrow in top["arrows"] if arrow["from"] == repeat]
        assert len(leaving) == 2


class TestChunks:
    def test_each_level_can_be_read(self):
        for n in (61, 100, 700, 4000):
            described = see(lambda x, n=n: self.walk(x, n), 0.5).describe()
            sizes = {}
            for group in described["groups"]:
                sizes[group["parent"]] = sizes.get(group["parent"], 0) + 1
            for node in described["nodes"]:
                if node["kind"] == "op":
                    sizes[node["group"]] = sizes.get(node["group"], 0) + 1
            assert max(sizes.values()) <= MANY, n

    def walk(self, x, n):
        rng = np.random.default_rng(1)
        kinds = rng.integers(0, 3, n).tolist()
        return _walk(x, kinds)

    def test_names_are_numbers(self):
        groups = see(lambda x: self.walk(x, 100), 0.5).describe()["groups"]
        chunks = [g["name"] for g in groups if g["kind"] == "chunk"]
        assert chunks[0].startswith(("1–", "#1–"))
        assert chunks[-1].endswith("–100") or chunks[-1].endswith("–#100")

    def test_all_nodes_are_there(self):
        described = see(lambda x: self.walk(x, 700), 0.5).describe()
        assert described["complete"]
        assert sum(n["kind"] == "op" for n in described["nodes"]) == 700
        assert sum(g["size"] for g in described["groups"] if g["parent"] is None) >= 700


def _walk(x, kinds):
    """Operations at random, so that nothing is alike."""
    for kind in kinds:
        if kind == 0:
            x = x * 0.9
        elif kind == 1:
            x = x + 0.1
        else:
            x = np.tanh(x)
    return x


class TestOpen:
    def test_small_pictures_start_open_but_for_layers(self):
        def f(x):
            for _ in range(2):
                x = dout.Sigmoid()(block(x, 2.0))
            return x

        groups = see(f, 1.0).describe()["groups"]
        assert {g["kind"]: g["open"] for g in groups} == {"loop": True, "step": True, "function": True, "layer": False}

    def long(self, x):
        for _ in range(30):
            x = block(x, 2.0)
        return x * 2.0

    def test_large_ones_start_folded(self):
        assert not any(g["open"] for g in see(self.long, 1.0).describe()["groups"])

    def test_all_and_none(self):
        picture = see(self.long, 1.0)
        assert all(g["open"] for g in picture.describe(open="all")["groups"])
        assert not any(g["open"] for g in see(lambda x: block(x, 1.0) + 1.0, 1.0).describe(open="none")["groups"])

    def test_names_open_with_what_is_around_them(self):
        groups = see(self.long, 1.0).describe(open=["block"])["groups"]
        assert all(g["open"] for g in groups)
        groups = see(self.long, 1.0).describe(open=["for _ in range(30)"])["groups"]
        assert [g["open"] for g in groups if g["kind"] == "loop"] == [True]
        assert not any(g["open"] for g in groups if g["kind"] == "function")

    def test_a_name_that_there_is_not(self):
        with pytest.raises(ValueError, match=r"no fold 'blok'; there are 'for _ in range\(30\)', 'block'"):
            see(self.long, 1.0).describe(open=["blok"])
        with pytest.raises(ValueError, match="there is none at all"):
            see(lambda x: x * 2.0, 1.0).describe(open="block")

    def test_what_is_alone_starts_open(self):
        def f(x, n: int):
            for _ in range(n):
                x = x * 2.0 + 1.0
            return x

        (top,) = (g for g in see(f, 1.0, 100).describe()["groups"] if g["parent"] is None)
        assert (top["kind"], top["open"]) == ("loop", True)

    def test_what_is_alone_but_wide_starts_closed(self):
        def f(x, n: int):
            for _ in range(n):
                x = x * 2.0 + 1.0
            return x

        (top,) = (g for g in see(f, 1.0, 60).describe()["groups"] if g["parent"] is None)
        assert (top["kind"], top.get("open", False)) == ("loop", False)


class TestInputs:
    def test_few_stand_alone(self):
        described = see(lambda ws: sum(ws), [1.0] * 20).describe()
        assert not any(described["nodes"][i]["group"] is not None for i in range(20))

    def test_many_fold_as_their_containers_do(self):
        def f(x, net):
            return sum(x * w for row in net["w"] for w in row) + net["b"]

        described = see(f, 2.0, {"w": [[1.0] * 50] * 2, "b": 1.0}).describe()
        groups = {g["name"]: g for g in described["groups"]}
        assert groups["net"]["count"] == 101
        assert groups["net['w'][0]"]["count"] == 50
        assert described["nodes"][0]["group"] is None


def big(x, n: int):
    for _ in range(n):
        h = x * 0.5
        x = np.tanh(h) + x
    return x


def products(x, w, n: int):
    return sum([x * w for _ in range(n)])


class TestLarge:
    @pytest.mark.parametrize(("f", "args"), [(big, (1.0, 4000)), (products, (1.0, 2.0, 6000))])
    def test_insides_beyond_the_budget_stay_out(self, f, args):
        picture = see(f, *args)
        described = picture.describe()
        assert not described["complete"]
        assert len(described["nodes"]) <= BUDGET
        shut = {g["id"] for g in described["groups"] if not g["shipped"]}
        assert shut
        assert not shut & {g["id"] for g in described["groups"] if g["open"]}
        assert not {str(g) for g in shut} & described["levels"].keys()
        self.consistent(described)
        total = described["nodes"][0]["total"]["v"]
        assert total == pytest.approx(picture.totals[picture.graph.inputs[0]], rel=1e-12)

    def consistent(self, described):
        nodes, edges = described["nodes"], described["edges"]
        assert [n["id"] for n in nodes] == list(range(len(nodes)))
        assert [e["id"] for e in edges] == list(range(len(edges)))
        assert [g["id"] for g in described["groups"]] == list(range(len(described["groups"])))
        assert all(e["from"] < e["to"] for e in edges)
        assert all(g["parent"] is None or g["parent"] < g["id"] for g in described["groups"])
        for node in nodes:
            ids = [t for t in node["terms"] if t != "output"]
            assert all(edges[t]["from"] == node["id"] for t in ids)

    def test_what_enters_a_shut_fold_is_summed(self):
        described = see(big, 1.0, 4000).describe()
        nodes = {n["id"]: n for n in described["nodes"]}
        x = described["nodes"][0]
        terms = [described["edges"][t]["derivative"]["v"] for t in x["terms"]]
        assert sum(terms) == pytest.approx(x["total"]["v"])
        for edge in described["edges"]:
            assert (
                nodes[edge["from"]]["group"] != nodes[edge["to"]]["group"]
                or nodes[edge["to"]]["group"] is None
                or (described["groups"][nodes[edge["to"]]["group"]]["shipped"])
            )

    def test_many_values_that_leave_are_one_bundle(self):
        described = see(products, 1.0, 2.0, 6000).describe()
        bundles = [n for n in described["nodes"] if n["sign"] == "…"]
        assert bundles
        assert all(n["value"]["many"] > 6 and n["total"] is None for n in bundles)
        arrows = [a for level in described["levels"].values() for a in level["arrows"]]
        assert any(a.get("many") for a in arrows)
        assert max(len(level["arrows"]) for level in described["levels"].values()) < 400

    def test_closing_makes_no_circle(self):
        rng = np.random.default_rng(2)

        def f(x, n: int):
            values = [x]
            for i in range(n):
                a, b = (values[j] for j in rng.integers(0, len(values), 2))
                values.append(block(a, 0.5) * b if i % 3 else a + b)
            return sum(values[-5:])

        described = see(f, 0.5, 150).describe()
        for level in described["levels"].values():
            after = {}
            for arrow in level["arrows"]:
                after.setdefault(arrow["from"], set()).add(arrow["to"])
            state = {}

            def visit(i, after=after, state=state):
                assert state.get(i) != "open", "a circle"
                if i not in state:
                    state[i] = "open"
                    for j in after.get(i, ()):
                        visit(j)
                    state[i] = "done"

            for i in range(len(level["items"])):
                visit(i)

    def test_a_hundred_thousand_nodes(self):
        start = time.perf_counter()
        picture = see(big, 1.0, 33_000)
        described = picture.describe()
        assert time.perf_counter() - start < 30
        assert len(described["nodes"]) < BUDGET


def test_the_same_run_gives_the_same_description():
    def f(x, ws):
        return sum(block(x, w) for w in ws)

    def bytes_of():
        import json

        return json.dumps(see(f, 1.0, [0.1 * k for k in range(30)]).describe())

    assert len({bytes_of() for _ in range(3)}) == 1


def test_folds_hold_neighbours():
    """The operations of each fold are neighbours in the order of the run: this is why closing one makes no circle."""
    described = see(lambda x: sum(block(dout.Sigmoid()(x), k) for k in (1.0, 2.0)), 1.0).describe()
    parents = {g["id"]: g["parent"] for g in described["groups"]}

    def around(group):
        while group is not None:
            yield group
            group = parents[group]

    for group in parents:
        ids = [n["id"] for n in described["nodes"] if group in around(n["group"])]
        assert all(b - a == 1 for a, b in itertools.pairwise(ids))


def test_a_loop_over_an_array_is_a_loop():
    def total(xs):
        s = 0.0
        for x in xs:
            s = s + x * x
        return s

    described = see(total, np.arange(1.0, 6.0)).describe()
    assert [(g["name"], g.get("count")) for g in described["groups"] if g["kind"] == "loop"] == [("for x in xs", 5)]
    assert [n["name"] for n in described["nodes"]][1] == "x"


def test_a_loop_over_pairs_says_its_head():
    def f(x, ws):
        for k, (w, b) in enumerate(ws):
            x = w * x + b
            x = np.sin(x) * (k + 1)
        return x

    described = see(f, 1.0, [(1.0, 2.0)] * 4).describe()
    assert [g["name"] for g in described["groups"] if g["kind"] == "loop"] == ["for k, (w, b) in enumerate(ws)"]

"""The layout of a level: nothing covers anything, few arrows cross, and it looks as one would draw it by hand."""

from __future__ import annotations

import json
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from see import geometry, graphs

from dout.see import metrics
from dout.see.placement import place


def laid_out(g, opened=(), **options):
    levels = g.levels(**options)
    assert geometry.overlaps(place(levels, set(opened)), *g.parts) == []
    return levels["top"]


def of(level, **wanted):
    """The items that show what is wanted, such as node=3."""
    return [i for i in level["items"] if all(i.get(k) == v for k, v in wanted.items())]


def middle(item):
    return item["y"] + item["h"] / 2


def arrow(level, edge):
    (found,) = [a for a in level["arrows"] if edge in a["edges"]]
    return found


# Clean at every size

SIZES = {
    "5": (graphs.apple, 0),
    "7": (graphs.sigmoid, 0),
    "3": (graphs.square_and_more, 0),
    "9": (graphs.apple_and_orange, 0),
    "12": (lambda: graphs.tangle(3, 12), 3),
    "16": (graphs.perceptron, 0),
    "31": (graphs.tree, 0),
    "61": (graphs.residual, 0),
    "60": (lambda: graphs.tangle(0), 45),
    "120": (lambda: graphs.side_by_side(5), 4),
    "1,562": (graphs.shared, 0),
    "1,500": (graphs.side_by_side, 0),
}


@pytest.mark.parametrize("size", SIZES)
def test_nothing_covers_anything_and_few_arrows_cross(size):
    make, most = SIZES[size]
    level = laid_out(make())
    assert geometry.crossings(level) <= most


def test_the_measure_notices():
    g = graphs.apple()
    levels = g.levels()
    levels["top"]["items"][0]["x"] += 100
    levels["top"]["arrows"][1]["label"][1] -= 30
    kinds = {kind for pair in geometry.overlaps(place(levels, ()), *g.parts) for kind, _ in pair}
    assert {"label", "item"} <= kinds
    crossed = {"via": [[0, 0], [9, 9]]}, {"via": [[0, 9], [9, 0]]}
    assert geometry.crossings({"arrows": crossed}) == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_covers_anything_in_any_graph(data):
    g = graphs.Sketch(data.draw(st.sampled_from([graphs.NUMBER, graphs.ARRAY])))
    names = st.sampled_from([None, "x", "hidden_state", "价格", "a_name_without_end_for_which_there_is_no_room"])
    for i in range(data.draw(st.integers(0, 4))):
        g.group(
            data.draw(names),
            data.draw(st.sampled_from([None, *range(i)])),
            count=data.draw(st.sampled_from([None, 12])),
        )
    groups = st.sampled_from([None, *range(len(g.groups))])
    for _ in range(data.draw(st.integers(1, 25))):
        before = st.integers(0, len(g.nodes) - 1)
        ins = data.draw(st.lists(before, max_size=5)) if g.nodes else []
        kind = data.draw(st.sampled_from(["input", "constant"] if not ins else ["op"]))
        op = data.draw(st.sampled_from(["add", "subtract", "concatenate"])) if ins else ""
        name = data.draw(names) or ("y" if kind == "input" else None)
        g.node(kind, op, name, ins, data.draw(groups))
    for node in data.draw(st.lists(st.integers(0, len(g.nodes) - 1), max_size=3)):
        g.output(node, data.draw(st.sampled_from(["", "['loss']"])))
    levels = g.levels()
    assert json.dumps(levels) == json.dumps(g.levels())
    for opened in (set(), {x for x in data.draw(st.sets(groups)) if x is not None}, set(range(len(g.groups)))):
        assert geometry.overlaps(place(levels, opened), *g.parts) == []
    shown = {e for level in levels.values() for a in level["arrows"] for e in a["edges"]}
    assert shown == set(range(len(g.edges)))
    assert {i["node"] for level in levels.values() for i in level["items"] if "node" in i} == set(range(len(g.nodes)))


def test_a_name_above_a_circle_keeps_clear_of_an_arrow_that_comes_from_far_above():
    g = graphs.Sketch(graphs.ARRAY)
    x = g.input("y")
    for _ in range(8):
        g.input("y")
    g.op("add", x, x, x, g.op("add", x), name="价格")
    laid_out(g)


# As one would draw it


def test_inputs_stand_in_one_column_and_the_main_line_is_straight():
    g = graphs.apple()
    level = laid_out(g)
    assert {i["column"] for i in level["items"] if i.get("node") in (0, 1, 2)} == {0}
    assert len({i["x"] + i["w"] for i in level["items"] if i["column"] == 0}) == 1
    assert middle(*of(level, node=3)) == middle(*of(level, node=4)) == of(level, output=0)[0]["y"]
    assert geometry.bends(level) == 0
    tops = [i["y"] for i in level["items"][:3]]
    assert tops == sorted(tops)


def test_where_two_arrows_meet_the_circle_stands_in_the_middle():
    g = graphs.tree()
    level = laid_out(g)
    for item in level["items"]:
        ins = [e["from"] for e in g.edges if e["to"] == item.get("node")]
        if ins:
            above, below = (of(level, node=i)[0] for i in ins)
            assert middle(item) == pytest.approx((middle(above) + middle(below)) / 2, abs=1)


@pytest.mark.parametrize("make", [graphs.residual, graphs.perceptron, graphs.sigmoid])
def test_a_chain_with_operands_beside_it_is_level(make):
    g = make()
    level = laid_out(g)
    assert len({middle(i) for i in level["items"] if g.nodes[i.get("node", 0)]["kind"] == "op"}) == 1


def test_weights_stand_next_to_their_use():
    g = graphs.perceptron(8)
    level = laid_out(g)
    for edge in g.edges:
        found = arrow(level, edge["id"])
        start, end = level["items"][found["from"]], level["items"][found["to"]]
        if g.nodes[edge["from"]]["name"] not in ("x", "W0", None):
            assert end["column"] - start["column"] == 1


@pytest.mark.parametrize("op", ["subtract", "divide", "power", "matmul", "concatenate"])
def test_operands_keep_their_order(op):
    g = graphs.Sketch()
    a, b = g.input("a"), g.input("b")
    g.op(op, a, b)
    g.op(op, b, a)
    level = laid_out(g)
    for first, second in ((0, 1), (2, 3)):
        assert arrow(level, first)["label"][1] < arrow(level, second)["label"][1]


def test_terms_and_factors_come_as_they_stand():
    g = graphs.Sketch()
    a, b = g.input("a"), g.input("b")
    g.output(g.op("add", g.op("multiply", b, a), g.op("exp", b)))
    assert geometry.crossings(laid_out(g)) == 0


def test_each_use_has_an_arrow_of_its_own():
    level = laid_out(graphs.square_and_more())
    ends = [(a["from"], a["to"]) for a in level["arrows"] if a["edges"]]
    assert ends == [(0, 1), (0, 1), (0, 2), (1, 2)] or sorted(ends) == [(0, 1), (0, 1), (0, 2), (1, 2)]


def test_arrows_end_on_the_rim():
    level = laid_out(graphs.tangle(1, 40))
    for a in level["arrows"]:
        end = level["items"][a["to"]]
        if end["w"] == end["h"] == 40:
            assert (a["tx"] - 20) ** 2 + (a["ty"] - 20) ** 2 == pytest.approx(400, abs=4)


def test_many_operands_have_a_tall_shape():
    g = graphs.Sketch()
    g.output(g.op("concatenate", *[g.input(f"x{i}") for i in range(7)]))
    level = laid_out(g)
    (item,) = of(level, node=7)
    heights = [arrow(level, e)["ty"] for e in range(7)]
    assert item["h"] > 6 * 40
    assert heights == sorted(heights)
    assert geometry.bends(level) == 0


# Copies


def test_a_leaf_that_feeds_many_has_copies_beside_its_uses():
    g = graphs.shared(60)
    level = laid_out(g)
    copies = of(level, node=0, ghost=True)
    assert len(copies) == 59
    assert len(of(level, node=0)) == 60
    for copy in copies:
        (a,) = [a for a in level["arrows"] if level["items"][a["from"]] is copy]
        assert level["items"][a["to"]]["column"] == copy["column"] + 1


def test_a_far_off_use_has_a_copy_and_a_near_one_has_an_arrow():
    g = graphs.Sketch()
    x = g.input("x")
    y = g.op("exp", x)
    for _ in range(8):
        y = g.op("sin", y)
    near = g.op("multiply", g.op("exp", x), g.op("sin", x))
    g.output(g.op("add", g.op("add", y, near), x))
    level = laid_out(g)
    assert len(of(level, node=x, ghost=True)) == 1


def test_what_few_things_use_is_not_copied():
    level = laid_out(graphs.square_and_more())
    assert not of(level, ghost=True)


def test_an_input_that_a_group_uses_deep_inside_has_a_copy_there():
    g = graphs.Sketch()
    loop = g.group("for W in Ws")
    h, weights = g.input("x"), [g.input(f"W{i}") for i in range(20)]
    for w in weights:
        h = g.op("multiply", h, w, group=loop)
    g.output(h)
    levels = g.levels()
    assert geometry.overlaps(place(levels, {loop}), *g.parts) == []
    assert len(of(levels["0"], ghost=True)) == 17
    assert len(levels["0"]["inputs"]) == 21
    assert all(a.get("bare") for a in levels["top"]["arrows"] if a["to"] == 0 or level_end(levels["top"], a) == "group")


def level_end(level, a):
    return "group" if "group" in level["items"][a["to"]] else "other"


def test_a_dense_graph_is_laid_out_with_copies_of_operations_too():
    g = graphs.Sketch()
    made = [g.input("x")]
    for _ in range(80):
        made.append(g.op("concatenate", *made))
    g.output(made[-1])
    start = time.perf_counter()
    level = g.levels()["top"]
    assert time.perf_counter() - start < 20
    assert any(i.get("ghost") and g.nodes[i["node"]]["kind"] == "op" for i in level["items"])


# Whatever comes


def test_an_empty_graph():
    level = laid_out(graphs.Sketch())
    assert level["items"] == level["arrows"] == []
    assert level["width"] > 0


def test_one_node_and_no_edge():
    g = graphs.Sketch()
    g.input("x")
    assert len(laid_out(g)["items"]) == 1


def test_an_output_that_is_an_input_and_one_that_is_a_constant():
    g = graphs.Sketch()
    g.output(g.input("x"), "[0]").output(None, "[1]").output(0, "[2]")
    level = laid_out(g)
    assert [i["port"] for i in level["items"] if "output" in i] == [0, 1, 2]
    assert [(a["edges"], a["source"], a["output"]) for a in level["arrows"]] == [([], 0, 0), ([], 0, 2)]
    assert [port["source"] for port in level["outputs"]] == [0, None, 0]


def test_parts_that_nothing_joins():
    g = graphs.Sketch()
    for i in range(3):
        g.output(g.op("multiply", g.input(f"a{i}"), g.input(f"b{i}")), f"[{i}]")
    g.input("unused")
    level = laid_out(g)
    assert geometry.crossings(level) == 0
    assert max(level["items"], key=middle)["node"] == 9


def test_an_empty_group_and_one_that_is_not_shipped():
    g = graphs.Sketch()
    g.group("nothing")
    far = g.group("far", shipped=False)
    g.group("further", far)
    g.output(g.op("exp", g.input("x"), group=2))
    levels = g.levels()
    assert set(levels) == {"top", "0"}
    assert len(levels["top"]["items"]) == 4


def test_a_group_that_is_left_and_entered_again():
    g = graphs.Sketch()
    block = g.group("Block")
    a = g.op("exp", g.input("x"), group=block)
    g.output(g.op("tanh", g.op("multiply", g.op("sin", a), a, group=block)))
    laid_out(g)
    laid_out(g, {block})


def test_long_and_wide_names():
    g = graphs.Sketch()
    x = g.input("价格" * 30)
    g.output(g.op("cumulative_logsumexp", x, name="🍎" * 40))
    level = laid_out(g)
    assert max(i["w"] for i in level["items"]) < 200


def test_a_frame_has_room_for_its_name():
    g = graphs.Sketch()
    g.group("a_layer_with_a_long_name")
    g.output(g.op("exp", g.input("x"), group=0))
    placed = place(g.levels(), {0})
    assert placed["frames"][0]["w"] > metrics.width("a_layer_with_a_long_name") + 40


# Arrows between folds


def test_edges_from_one_producer_to_a_fold_are_one_arrow():
    g = graphs.Sketch()
    block = g.group("Block")
    x = g.input("x")
    g.output(g.op("add", g.op("exp", x, group=block), g.op("sin", x, group=block), group=block))
    asked = []
    levels = graphs.levels_of(*g.parts, g.outputs, total=lambda ids: asked.append(ids) or {"t": "5", "v": 5.0})
    (into,) = [a for a in levels["top"]["arrows"] if a["edges"]]
    assert (into["edges"], into["derivative"]) == ([0, 1], {"t": "5", "v": 5.0})
    assert asked == [[0, 1]]
    assert [a["edges"] for a in levels["0"]["arrows"]] == [[0], [1], [2], [3], []]
    assert "derivative" not in levels["0"]["arrows"][0]


def test_a_closed_layer_carries_what_its_own_backward_gave():
    g = graphs.Sketch()
    own = [{"t": "7", "v": 7.0}, {"t": "8", "v": 8.0}]
    layer = g.group("Affine", own=own, inputs=[1, 0])
    x, w = g.input("x"), g.input("w")
    g.output(g.op("multiply", x, w, group=layer))
    level = laid_out(g)
    assert [(a["source"], a["derivative"]["t"]) for a in level["arrows"] if a["edges"]] == [(x, "8"), (w, "7")]


def test_several_values_of_one_fold_leave_at_different_heights():
    g = graphs.Sketch()
    cell = g.group("LSTM")
    x = g.input("x")
    h, c = g.op("tanh", x, group=cell), g.op("exp", x, group=cell)
    g.output(g.op("add", g.op("sin", h), g.op("cos", c)))
    level = laid_out(g)
    assert (
        len({a["sy"] for a in level["arrows"] if a["source"] in (h, c) and "group" in level["items"][a["from"]]}) == 2
    )
    laid_out(g, {cell})


def test_an_arrow_to_a_port_says_something_only_where_values_meet():
    g = graphs.Sketch()
    block = g.group("Block")
    y = g.op("exp", g.input("x"), group=block)
    z = g.op("sin", g.input("z"), group=block)
    g.output(g.op("add", g.op("multiply", y, y), z))
    arrows = g.levels()["0"]["arrows"]
    bare = {
        a["source"]: a.get("bare", False) for a in arrows if not a["edges"] or g.edges[a["edges"][0]]["from"] in (y, z)
    }
    assert bare == {y: False, z: True}


def test_formulas_and_marks_have_room():
    g = graphs.apple()
    plain = g.levels()["top"]
    for edge in g.edges:
        edge |= {"formula": {"text": "∂L/∂x = ∂L/∂y · something_long(y)"}, "wrong": True, "broadcast": True}
    assert g.levels(formulas=True)["top"]["width"] > g.levels()["top"]["width"] > plain["width"]


# Time, with much air for slow machines


def test_a_flat_level_of_1562_nodes_is_quick():
    g = graphs.shared()
    start = time.perf_counter()
    g.levels()
    assert time.perf_counter() - start < 2.5


def test_a_long_chain_is_linear():
    g = graphs.chain(20_000)
    start = time.perf_counter()
    level = g.levels()["top"]
    assert time.perf_counter() - start < 20
    assert geometry.bends(level) == 0


# Graphviz


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout has to be 'dout' or 'graphviz', got 'dot'"):
        graphs.apple().levels(layout="dot")


def test_without_pygraphviz_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(ImportError, match=r"pip install 'dout\[graphviz\]'"):
        graphs.apple().levels(layout="graphviz")


def test_about_as_few_crossings_as_dot():
    pytest.importorskip("pygraphviz")
    ours = dots = 0
    for seed in range(8):
        g = graphs.tangle(seed)
        ours += geometry.crossings(laid_out(g))
        dots += geometry.crossings(laid_out(g, layout="graphviz"))
    assert ours <= 1.05 * dots

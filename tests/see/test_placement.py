"""Opening and closing: an insertion that keeps order, keeps lines level, and is the same in Python and in the page."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from see import geometry, graphs

import dout
from dout.see.placement import HEADER, INSET, place

SCRIPT = Path(dout.__file__).parent / "see" / "page" / "placement.js"


def nested():
    """A block of two layers, between operations; a skip connection around it, and an operand below."""
    g = graphs.Sketch()
    block = g.group("Block")
    inner = [g.group("Affine", block), g.group("Sigmoid", block)]
    x, w = g.input("x"), g.input("w")
    h = start = g.op("exp", x)
    h = g.op("add", g.op("multiply", h, w, group=inner[0]), g.constant("c", group=inner[0]), group=inner[0])
    h = g.op("reciprocal", g.op("exp", h, group=inner[1]), group=inner[1])
    h = g.op("multiply", g.op("sin", h), g.input("below"))
    return g.output(g.op("add", h, start))


MADE = {"network": graphs.network, "nested": nested}


def ways_to_open(g):
    for k in range(len(g.groups) + 1):
        yield from map(set, itertools.combinations(range(len(g.groups)), k))


def at(placed, **wanted):
    """The one item or frame that shows what is wanted."""
    every = placed["items"] + placed["frames"]
    (found,) = [i for i in every if all(i.get(k) == v for k, v in wanted.items()) and not i.get("ghost")]
    return found


@pytest.mark.parametrize("name", MADE)
def test_nothing_covers_anything_however_it_is_opened(name):
    g = MADE[name]()
    levels = g.levels()
    for opened in ways_to_open(g):
        placed = place(levels, opened)
        assert geometry.overlaps(placed, *g.parts) == [], opened
        for thing in placed["items"] + placed["frames"]:
            assert 0 <= thing["x"] <= thing["x"] + thing["w"] <= placed["width"]
            assert 0 <= thing["y"] <= thing["y"] + thing["h"] <= placed["height"]


def test_with_everything_closed_it_is_the_level_itself():
    g = nested()
    levels = g.levels()
    placed = place(levels, ())
    level = levels["top"]
    assert (placed["width"], placed["height"]) == (level["width"], level["height"])
    assert [(i["x"], i["y"]) for i in placed["items"]] == [(i["x"], i["y"]) for i in level["items"]]
    for drawn, arrow in zip(placed["arrows"], level["arrows"], strict=True):
        start, end = level["items"][arrow["from"]], level["items"][arrow["to"]]
        assert drawn["points"][0] == [start["x"] + start["w"], start["y"] + arrow["sy"]]
        assert drawn["points"][1:-2] == arrow["via"]
        assert drawn["points"][-2] == [arrow["label"][0] + arrow["lw"] / 2, arrow["label"][1]]
        assert drawn["points"][-1] == [end["x"] + arrow["tx"], end["y"] + arrow["ty"]]


def test_what_cannot_be_opened_changes_nothing():
    levels = nested().levels()
    assert place(levels, {1, 2}) == place(levels, ())  # they are within a closed one
    assert place(levels, {99}) == place(levels, ())
    del levels["0"]
    assert place(levels, {0}) == place(levels, ())


def test_a_frame_holds_its_inside():
    g = nested()
    levels = g.levels()
    placed = place(levels, {0, 1})
    frame, inner = at(placed, group=0), at(placed, group=1)
    assert (frame["w"], frame["h"]) == (inner_size(placed, levels, "0", {0, 1}))
    assert inner["y"] >= frame["y"] + HEADER + INSET
    assert inner["y"] + inner["h"] <= frame["y"] + frame["h"] - INSET
    assert frame["x"] + INSET <= inner["x"] <= inner["x"] + inner["w"] <= frame["x"] + frame["w"] - INSET
    assert at(placed, group=2)["level"] == "0"


def inner_size(placed, levels, key, opened):
    alone = place({**levels, "top": levels[key]}, opened)
    return alone["width"] + 2 * INSET, alone["height"] + HEADER + 2 * INSET


def test_arrows_meet_at_the_ports_of_an_open_group():
    g = nested()
    placed = place(g.levels(), {0, 1, 2})
    arrows = placed["arrows"]
    for frame in placed["frames"]:
        within = str(frame["group"])
        for port in (i for i in placed["items"] if i["level"] == within and "port" in i):
            leaves = port["x"] > frame["x"] + 1
            assert port["x"] == (frame["x"] + frame["w"] if leaves else frame["x"])
            side = "from" if leaves else "to"
            outer = [a for a in arrows if a["level"] == frame["level"] and a[side] == frame["index"]]
            ends = [a["points"][0 if leaves else -1] for a in outer]
            assert [port["x"], port["y"]] in ends


@pytest.mark.parametrize("name", MADE)
def test_order_is_kept_and_nothing_comes_nearer(name):
    g = MADE[name]()
    levels = g.levels()
    closed, opened = (
        place(levels, o)["items"] + place(levels, o)["frames"] for o in (set(), set(range(len(g.groups))))
    )
    before = {i["index"]: i for i in closed if i["level"] == "top"}
    after = {i["index"]: i for i in opened if i["level"] == "top"}
    for i, j in itertools.permutations(before, 2):
        a, b = before[i], before[j]
        if a["column"] == b["column"] and a["y"] + a["h"] <= b["y"]:
            assert after[j]["y"] - after[i]["y"] - after[i]["h"] >= b["y"] - a["y"] - a["h"] - 0.1
        if a["column"] < b["column"] and a["h"] and b["h"]:
            assert after[j]["x"] - after[i]["x"] - after[i]["w"] >= min(0, b["x"] - a["x"] - a["w"])


def test_the_main_line_goes_straight_through_open_groups():
    g = graphs.network()
    placed = place(g.levels(), set(range(1, len(g.groups), 2)))  # the sigmoids
    heights = {
        y
        for a in placed["arrows"]
        if a["level"] != "top"
        for _, y in a["points"]
        if g.nodes[a["source"]]["kind"] == "op"
    }
    assert len(heights) == 1
    assert {at(placed, output=0)["y"]} == heights


def test_what_is_level_stays_level():
    g = nested()
    levels = g.levels()
    below = next(n["id"] for n in g.nodes if n["name"] == "below")
    shifts = set()
    for opened in ways_to_open(g):
        placed = place(levels, opened)
        shifts.add(at(placed, node=below + 1)["y"] - at(placed, node=below)["y"])
        (skip,) = [a for a in placed["arrows"] if a["level"] == "top" and len(a["via"]) > 4]
        assert len({y for _, y in skip["points"][2:-3]}) == 1
    assert len(shifts) == 1


def test_opening_side_by_side_does_not_add_up():
    g = graphs.network(8)
    levels = g.levels()
    one, all_ = (place(levels, o)["height"] for o in ({1}, set(range(1, 16, 2))))
    assert one == all_


def test_levels_without_groups_say_nothing_of_rows():
    levels = graphs.apple().levels()
    assert "rows" not in levels["top"]
    assert not any("row" in i for i in levels["top"]["items"])


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("name", MADE)
def test_the_page_places_everything_alike(name):
    g = MADE[name]()
    levels, ways = g.levels(), list(ways_to_open(g))
    code = (
        f"import {{ place }} from {json.dumps(SCRIPT.as_uri())};"
        'import { readFileSync } from "node:fs";'
        "const { levels, ways } = JSON.parse(readFileSync(0));"
        "console.log(JSON.stringify(ways.map((opened) => place(levels, new Set(opened)))));"
    )
    given = json.dumps({"levels": levels, "ways": [sorted(way) for way in ways]})
    command = ["node", "--input-type=module", "--eval", code]
    done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", check=True)
    for way, there in zip(ways, json.loads(done.stdout), strict=True):
        here = place(levels, way)
        for frame in there["frames"] + here["frames"]:
            del frame["ports"]  # a Map in the page
        assert there == json.loads(json.dumps(here)), way

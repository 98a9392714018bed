"""The gallery: its pictures are made by the code on the page, say the graph's own numbers, and nothing in them is covered."""

import importlib.util
import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from svgs import NS, Drawn

import dout
from dout.see.values import short

DOCS = Path(__file__).resolve().parents[2] / "docs"


@cache
def script():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def made():
    """What the page's code makes, by the names of the files."""
    return {path.stem: svg for path, svg, _ in script().pictures()}


PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
NAMES = re.findall(r"\]\(gallery/(\w+)\.svg\)\n", PAGE)


def arrows(name):
    root = ET.fromstring(made()[name])
    found = [g for g in root.iter(NS + "g") if g.get("class") == "arrow"]
    return sorted(tuple(t.text for t in g.iter(NS + "text")) for g in found)


def test_every_picture_of_the_page_is_made_and_none_is_left_over():
    assert list(made()) == NAMES
    assert {path.stem for path in (DOCS / "gallery").glob("*.svg")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_up_to_date(name):
    kept = (DOCS / "gallery" / f"{name}.svg").read_text(encoding="utf-8")
    assert script().same(kept, made()[name]), f"run python docs/gallery.py: {name}.svg is out of date"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "compare"])
def test_nothing_covers_anything(name):
    assert Drawn((DOCS / "gallery" / f"{name}.svg").read_text(encoding="utf-8")).covered() == []


def test_addition_and_multiplication():
    assert arrows("addition") == [("10", "1", "∂L/∂x = ∂L/∂z"), ("15", "1"), ("5", "1", "∂L/∂y = ∂L/∂z")]
    assert arrows("multiplication") == [("10", "5", "∂L/∂x = ∂L/∂z · y"), ("5", "10", "∂L/∂y = ∂L/∂z · x"), ("50", "1")]


def test_apples_and_oranges_are_those_of_the_layers():
    apple, orange, fruit, tax = dout.MulLayer(), dout.MulLayer(), dout.AddLayer(), dout.MulLayer()
    price = tax.forward(fruit.forward(apple.forward(100, 2), orange.forward(150, 3)), 1.1)
    dfruit, dtax = tax.backward(1)
    dapple, dorange = fruit.backward(dfruit)
    by_hand = [
        (100, apple.backward(dapple)[0]), (2, apple.backward(dapple)[1]), (150, orange.backward(dorange)[0]),
        (3, orange.backward(dorange)[1]), (200, dapple), (450, dorange), (650, dfruit), (1.1, dtax), (price, 1),
    ]  # fmt: skip
    assert arrows("apple_orange") == sorted((short(value), short(d)) for value, d in by_hand)
    assert arrows("apple_orange_zh") == arrows("apple_orange")


def test_apple_relu_square_and_fan_out():
    assert arrows("apple") == sorted([("100", "2.2"), ("2", "110"), ("200", "1.1"), ("1.1", "200"), ("220", "1")])
    assert [arrow[:2] for arrow in arrows("relu")] == [("2.5", "1"), ("2.5", "1")]
    assert [arrow[:2] for arrow in arrows("relu_off")] == [("0", "1"), ("−1.5", "0")]
    assert "3 + 3 = 6" in Drawn(made()["square"]).said()
    e = np.e
    assert f"3 + {short(e)} + 2 = {short(5 + e)}" in Drawn(made()["fan_out"]).said()


def test_sigmoid_opened_and_closed_carry_the_same_numbers():
    layer = dout.Sigmoid()
    y = layer.forward(0.5)
    dx = layer.backward(1.0)
    assert arrows("sigmoid") == [("0.5", short(dx), "dout · y · (1 − y)"), (short(y), "1")]
    opened = arrows("sigmoid_open")
    down = -(y**2)
    assert {arrow[:2] for arrow in opened if arrow} == {
        ("0.5", short(dx)), ("−0.5", short(-dx)), (short(np.exp(-0.5)), short(down)), (short(1 / y), short(down)),
        (short(y), "1"),
    }  # fmt: skip
    assert {arrow[2] for arrow in opened if len(arrow) > 2} == {
        "∂L/∂x = −∂L/∂y", "∂L/∂u = ∂L/∂y · y", "∂L/∂u₁ = ∂L/∂y", "∂L/∂u = −∂L/∂y · y²"
    }  # fmt: skip


def test_small_differences_are_no_change_and_large_ones_are():
    same = script().same
    assert same(
        '<svg id="d0123456789"><text x="1">0.1</text></svg>',
        '<svg id="daaaaaaaaaa"><text x="1">0.10000000001</text></svg>',
    )
    assert not same("<text>0.1</text>", "<text>0.1001</text>")
    assert not same("<text>a 0.1</text>", "<text>b 0.1</text>")

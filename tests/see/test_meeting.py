"""Sums of derivatives: of those that can be seen, and they are what stands behind the equals sign."""

import re

import numpy as np
import pytest

import dout
from dout.see.meeting import added
from dout.see.metrics import summed
from dout.see.steps import steps_text


class Cube(dout.Layer):
    """Of which the own backward is wrong: it leaves one factor out."""

    def forward(self, x):
        self.x = x
        return x * x * 2.0

    def backward(self, dout):
        return dout * 2.0 * self.x


def closed(x):
    return Cube()(x)


def beside(x):
    return Cube()(x) + x


def fold(x):
    return part(x) * 3.0


def part(x):
    return x * x + x


def inside(x):
    y = x * 1.0
    return y * y + y


def uses(x):
    return inside(x) + 1.0


def sums(f, *args, **options):
    """What stands below the nodes of an SVG."""
    svg = dout.see(f, *args).svg(legend=False, theme="light", **options)
    return [t for t in re.findall(r"<text[^>]*>([^<]*)</text>", svg) if re.match(r"Σ\d|.* = [−\d]", t)]


def test_a_layer_whose_own_backward_is_wrong():
    assert sums(closed, 3.0) == []  # one arrow, which carries what the layer gave
    assert sums(closed, 3.0, open="all") == []  # its primitives give 6 + 6, which is not what arrived
    assert sums(beside, 3.0) == ["6 + 1 = 7"]
    assert sums(beside, 3.0, open="all") == ["6 + 1 = 7"]


def test_a_closed_fold_is_one_arrow():
    assert sums(fold, 2.0, open="none") == []
    assert sums(fold, 2.0, open="all") == ["6 + 6 + 3 = 15"]


def twice(x):
    y, z = once(x)
    return y * 2.0 + z + y


def once(x):
    y = x * 3.0
    return y, y * y


def test_what_is_inside_a_closed_fold_is_not_summed():
    """That which comes to y from y * y is not seen, neither is it in the sum."""
    picture = dout.see(twice, 1.0)
    assert "Derivatives meet at y: 2 + 1 = 3" in steps_text(picture.describe(open="none"))
    assert "Derivatives meet at y: 3 + 3 + 3 = 9" in steps_text(picture.describe(open="all"))


def test_a_wrong_layer_in_words():
    picture = dout.see(beside, 3.0)
    for folds in ("none", "all"):
        assert "Derivatives meet at x: 6 + 1 = 7" in steps_text(picture.describe(open=folds))
    assert "meet" not in steps_text(dout.see(closed, 3.0).describe(open="all"))


def test_arrays_are_counted():
    assert sums(lambda x: x * 2.0 + x, np.ones(3)) == ["Σ2 = [3] float64"]


def test_sums_of_what_is_no_number():
    assert added([{"t": "[2] float64", "shape": [2]}, {"t": "1", "v": 1}]) is None
    assert added([{"t": "∞", "v": "Infinity"}, {"t": "−∞", "v": "-Infinity"}]) is None
    assert added([{"t": "True", "v": True}]) is None
    assert added([{"t": "∞", "v": "Infinity"}, {"t": "1", "v": 1}])["t"] == "∞"


@pytest.mark.parametrize(("parts", "text"), [
    (["1"], ""), (["1", "2"], "1 + 2 = 9"), (["1", "−2"], "1 − 2 = 9"), (["1"] * 5, "Σ5 = 9"), (["1.23456e-10"] * 3, "Σ3 = 9"),
])  # fmt: skip
def test_summed(parts, text):
    assert summed([{"t": t} for t in parts], {"t": "9"}) == text


def test_titles_count_what_can_be_seen():
    def said(f, **options):
        return [int(n) for n in re.findall(r"the sum of (\d+) derivatives", dout.see(f, 3.0).svg(**options))]

    assert said(closed) == said(closed, open="all") == []
    assert said(beside) == [2]
    assert said(fold, open="none") == []
    assert said(fold, open="all") == [3]

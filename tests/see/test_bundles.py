"""Bundles: one arrow for many values from one fold to another."""

from itertools import pairwise

import numpy as np

from dout import see
from dout.see.bundles import FEW
from dout.see.placement import carry, place


def net(x, ws):
    for layer in ws:
        x = [np.tanh(sum(w * a for w, a in zip(row, x, strict=True))) for row in layer]
    return sum(x)


def weights(*sizes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(b, a)).tolist() for a, b in pairwise(sizes)]


def level_of(described, name):
    (group,) = (g for g in described["groups"] if g["name"] == name)
    return described["levels"][str(group["id"])]


def test_many_values_between_two_folds_are_one_arrow():
    described = see(net, [1.0, 2.0, 3.0], weights(3, 8, 8, 1)).describe()
    steps = level_of(described, "for layer in ws")
    between = [
        a for a in steps["arrows"] if "group" in steps["items"][a["from"]] and "group" in steps["items"][a["to"]]
    ]
    assert [a["many"] for a in between] == [8, 8]
    assert between[0]["value"] == {"t": "×8", "many": 8}
    assert len(between[0]["edges"]) == 64


def test_few_values_keep_their_arrows():
    described = see(net, [1.0, 2.0, 3.0], weights(3, FEW, FEW, 1)).describe()
    steps = level_of(described, "for layer in ws")
    between = [
        a for a in steps["arrows"] if "group" in steps["items"][a["from"]] and "group" in steps["items"][a["to"]]
    ]
    assert len(between) == 2 * FEW
    assert not any(a.get("many") for a in between)


def test_a_bundle_meets_its_port():
    described = see(net, [1.0, 2.0, 3.0], weights(3, 8, 8, 1)).describe(open="all")
    levels = described["levels"]
    for level in levels.values():
        for arrow in level["arrows"]:
            if not arrow.get("many"):
                continue
            end = level["items"][arrow["to"]]
            if "group" in end:
                ports = [port["source"] for port in levels[str(end["group"])]["inputs"]]
                assert ports.count(arrow["source"]) == 1
            start = level["items"][arrow["from"]]
            if "group" in start:
                ports = [port["source"] for port in levels[str(start["group"])]["outputs"]]
                assert ports.count(arrow["source"]) == 1


def test_no_edge_is_lost():
    described = see(net, [1.0, 2.0, 3.0], weights(3, 8, 8, 1)).describe(open="all")
    carried = {e for level in described["levels"].values() for arrow in level["arrows"] for e in arrow["edges"]}
    assert carried == {e["id"] for e in described["edges"]}


def test_what_stands_for_many_counts_as_many():
    def products(x, w, n: int):
        return sum([x * w for _ in range(n)])

    described = see(products, 1.0, 2.0, 6000).describe()
    top = described["levels"]["top"]
    assert [a["many"] for a in top["arrows"] if a.get("many")] == [
        5999
    ]  # the first sum begins with a 0 and stands alone


def test_open_and_closed_it_can_be_placed():
    described = see(net, [1.0, 2.0, 3.0], weights(3, 8, 8, 1)).describe()
    for opened in ([], [g["id"] for g in described["groups"]]):
        for arrow in place(described["levels"], opened)["arrows"]:
            carry(described, arrow)
            assert "t" in arrow["value"]

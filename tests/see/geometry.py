"""What covers what in a picture: measured on what `place` gives, with texts as large as they are drawn."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import NamedTuple

from dout.see import metrics

#: An arrow is two lines, so far above and below its middle.
HALF = 3.5
CELL = 160


class Rect(NamedTuple):
    """A rectangle, whose it is, and what kind of thing."""

    left: float
    top: float
    right: float
    bottom: float
    owner: object
    kind: str


def texts(placed, nodes, edges, groups):
    """The boxes of all texts: those beside arrows, above and below items, in frames' headers."""
    found = []
    for arrow in placed["arrows"]:
        if arrow.get("bare"):
            continue
        owner = (arrow["level"], "arrow", arrow["index"])
        edge = edges[arrow["edges"][0]] if len(arrow["edges"]) == 1 else {}
        x, y = arrow["label"]
        above = metrics.lines(arrow.get("value") or nodes[arrow["source"]]["value"])
        below = metrics.lines(arrow.get("derivative", edge.get("derivative")))
        for rows, top in ((above, y - 7 - metrics.LINE * (len(above) - 1) - 10), (below, y + 5)):
            for k, (text, size) in enumerate(rows):
                half = metrics.width(text, size) / 2
                found.append(Rect(x - half, top + 14 * k, x + half, top + 14 * k + 12, owner, "label"))
    for item in placed["items"]:
        owner = (item["level"], "item", item["index"])
        middle = item["x"] + item["w"] / 2
        if "node" in item and "above" in item:
            half = metrics.width(metrics.caption(nodes[item["node"]])) / 2
            x, y = middle + item.get("abovex", 0), item["y"] + item["above"]
            found.append(Rect(x - half, y - 10, x + half, y + 3, owner, "caption"))
        if "below" in item:
            half = metrics.width(metrics.total(nodes[item.get("sum", item.get("node"))], edges)) / 2
            x, y = middle + item.get("belowx", 0), item["y"] + item["h"] + item["below"]
            found.append(Rect(x - half, y - 10, x + half, y + 3, owner, "sum"))
    for frame in placed["frames"]:
        w = metrics.width(metrics.heading(groups[frame["group"]]))
        owner = (frame["level"], "item", frame["index"])
        found.append(Rect(frame["x"] + 8, frame["y"] + 4, frame["x"] + 8 + w, frame["y"] + 20, owner, "header"))
    return found


def shapes(placed):
    """The boxes of what is drawn for items; ports have none."""
    return [
        Rect(i["x"], i["y"], i["x"] + i["w"], i["y"] + i["h"], (i["level"], "item", i["index"]), "item")
        for i in placed["items"]
        if i["h"]
    ]


def pieces(placed, steps=24):
    """The arrows as short straight pieces, level ones whole, with the two lines' distance on either side."""
    found = []
    for arrow in placed["arrows"]:
        points = arrow["points"]
        ends = {(arrow["level"], "item", arrow["from"]), (arrow["level"], "item", arrow["to"])}
        owner = (arrow["level"], "arrow", arrow["index"])
        for i, ((x, y), (a, b)) in enumerate(itertools.pairwise(points)):
            bend = i % 2 == 1 and i < len(points) - 3
            many = steps if y != b else 1
            for k in range(many):
                s, t = k / many, (k + 1) / many
                if bend:  # a curve that leaves and arrives level
                    x1, x2 = (_bezier(x, (x + a) / 2, a, u) for u in (s, t))
                    y1, y2 = (y + (b - y) * (3 * u * u - 2 * u**3) for u in (s, t))
                else:
                    x1, x2, y1, y2 = x + (a - x) * s, x + (a - x) * t, y + (b - y) * s, y + (b - y) * t
                half = HALF if bend or x == a else HALF * math.hypot(1, (b - y) / (a - x))
                rect = Rect(min(x1, x2), min(y1, y2) - half, max(x1, x2), max(y1, y2) + half, owner, "arrow")
                found.append((rect, ends))
    return found


def _bezier(a, middle, b, t):
    return (1 - t) ** 3 * a + 3 * (1 - t) * t * middle + t**3 * b


def overlaps(placed, nodes, edges, groups=()):
    """Everything that covers something else, as pairs of (kind, owner); empty for a clean picture.

    Texts must not touch texts, items or arrows of others, nor items each other, nor an arrow an item that it passes.
    """
    words, boxes, lines = texts(placed, nodes, edges, groups), shapes(placed), pieces(placed)
    frames = {(f["level"], "item", f["index"]): f for f in placed["frames"]}
    buckets = defaultdict(list)
    for rect, ends in [*((r, set()) for r in words + boxes), *lines]:
        for cell in _cells(rect):
            buckets[cell].append((rect, ends))
    found = set()
    for inside in buckets.values():
        for (r, r_ends), (s, s_ends) in itertools.combinations(inside, 2):
            if r.kind == s.kind == "arrow" or r.owner == s.owner or not _meet(r, s):
                continue
            if {r.kind, s.kind} == {"arrow", "item"} and (r.owner in s_ends or s.owner in r_ends):
                continue
            found.add(tuple(sorted([(r.kind, r.owner), (s.kind, s.owner)])))
    for frame in frames.values():  # nothing of the frame's own level lies within it
        box = Rect(frame["x"], frame["y"], frame["x"] + frame["w"], frame["y"] + frame["h"], None, "frame")
        for rect, ends in [*((r, set()) for r in words + boxes), *lines]:
            me = (frame["level"], "item", frame["index"])
            if rect.owner[0] == frame["level"] and rect.owner != me and me not in ends and _meet(rect, box):
                found.add((("frame", me), (rect.kind, rect.owner)))
    return sorted(found)


def _cells(rect):
    for i in range(math.floor(rect.left / CELL), math.floor(rect.right / CELL) + 1):
        for j in range(math.floor(rect.top / CELL), math.floor(rect.bottom / CELL) + 1):
            yield i, j


def _meet(r, s, slack=0.6):
    return (
        r.left < s.right - slack and s.left < r.right - slack and r.top < s.bottom - slack and s.top < r.bottom - slack
    )


def crossings(level):
    """How many pairs of arrows of a level cross, all groups closed."""
    gaps = defaultdict(list)
    for k, arrow in enumerate(level["arrows"]):
        points = arrow["via"]
        for i in range(0, len(points), 2):
            (x, y), (a, b) = points[i], points[i + 1]
            gaps[x, a].append((y, b, k))
    count = 0
    for bends in gaps.values():
        bends.sort()
        for (y, a, j), (z, b, k) in itertools.combinations(bends, 2):
            count += j != k and y < z and a > b
    return count


def bends(level):
    """How far arrows climb and fall, all in all."""
    return sum(abs(a["via"][i][1] - a["via"][i + 1][1]) for a in level["arrows"] for i in range(0, len(a["via"]), 2))

"""Where on its boxes each arrow starts and ends, and the room that a box needs together with its labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from .grid import GAP, INFINITE, PASS, Arrow, Box, Grid
from .metrics import RADIUS

#: As many operands end on a circle; more have a tall shape.
ON_CIRCLE = 4
#: How far before a circle the arrows of several operands turn towards it.
REACH, SHORT = 20, 8
#: Between the arrows at the side of a box and its corners; between a label and a text above or below a box.
EDGE, BESIDE = 12, 6
#: How far above or below the middle of a circle they may turn.
SLIDE = 110
#: How far to the left of the middle a text begins that stands aside for an arrow.
NEXT = 10
#: And by how much a box may grow for the same.
GROW = 20
#: Between an arrow and a text above or below the circle; from an arrow's middle to the far side of its lines.
CLEAR, LINES = 4, 3.5
#: From a text's baseline to its lower edge, and to its upper one.
DESCENT, ASCENT = 3, 10


def ports(grid: Grid) -> None:
    """Where on its boxes each arrow starts and ends, and how much room each box needs for itself and its labels."""
    boxes = grid.boxes
    where = {v: i for column in grid.order for i, v in enumerate(column)}
    into: list[list[Arrow]] = [[] for _ in boxes]
    out: list[dict[int, list[Arrow]]] = [{} for _ in boxes]
    for a in grid.arrows:
        into[a.end].append(a)
        out[a.start].setdefault(a.source, []).append(a)

    def before(a: Arrow) -> float:
        if a.back:
            return 1e9 if where[a.way[-1]] > where[a.end] else -1e9
        return where[a.way[-1] if a.way else a.start]

    alone = [True] * (max(grid.column, default=-1) + 1)  # columns of nothing but inputs
    for b in boxes:
        alone[b.column] &= b.leaf or not b.h
    for v, b in enumerate(boxes):
        if b.leaf and b.sum > b.w:  # its sum ends where it ends, or begins where it begins
            b.sum_aside = b.more["belowx"] = (b.w - b.sum) / 2 if alone[b.column] else (b.sum - b.w) / 2
        _leave(b, out[v], where)
        _arrive(b, sorted(into[v], key=lambda a: (0 if b.ordered else before(a), a.port)), boxes)


def _leave(b: Box, leaving: dict[int, list[Arrow]], where: dict[int, int]) -> None:
    """The values of several nodes leave a group at different heights."""
    if b.kind != "group" or len(leaving) < 2:
        return

    def place(source: int) -> tuple[int, float, int]:
        ends = [where[a.way[0] if a.way else a.end] for a in leaving[source]]
        return b.places.get(source, 0), sum(ends) / len(ends), source

    for k, source in enumerate(sorted(leaving, key=place)):
        for a in leaving[source]:
            a.out = 2 * PASS * k - PASS * (len(leaving) - 1)
    b.h = max(b.h, 2 * PASS * len(leaving) + 8)


def _arrive(b: Box, arriving: Sequence[Arrow], boxes: Sequence[Box]) -> None:
    at, heights = 0.0, []
    for i, a in enumerate(arriving):
        at += arriving[i - 1].down + a.up if i else 0
        heights.append(at)
    main = [p for p, a in zip(heights, arriving, strict=True) if not (a.way or a.back or boxes[a.start].leaf)]
    ends = [heights[0], heights[-1]] if heights else [0.0, 0.0]
    middle = round(sum(main) / len(main) if main and len(main) < len(heights) else sum(ends) / 2)
    for a, p in zip(arriving, heights, strict=True):
        a.into = p - middle
    low, high = ends[0] - middle, ends[1] - middle
    circle = b.kind == "op" and len(arriving) <= ON_CIRCLE
    b.head = least = b.h / 2
    if len(arriving) > 1 and not circle and b.kind not in ("in", "out"):
        least = least if b.kind == "group" else 0  # values leave a group on both sides of its line
        b.head = max(EDGE - low, least, (b.h - high - low) / 2)
        b.h = b.head + max(EDGE + high, least, b.h - b.head)
    b.reach = SHORT if b.h else 0
    if circle and any(a.into for a in arriving):
        b.reach = _reach(low, high)
    b.reach = _past_texts(b)
    b.over, b.under = max(b.head, b.room[0]), max(b.h - b.head, b.room[1])
    if b.caption:
        b.more["above"] = min(-5, b.h / 2 - _passes(b, low, b.caption) - DESCENT) if circle else -5
        b.over = max(b.over, b.head - b.more["above"] + 11)
    if b.sum:
        b.more["below"] = 13 if not circle else max(13, ASCENT + _passes(b, high, b.sum) - b.h / 2)
        b.under = max(b.under, b.h - b.head + b.more["below"] + 3)
    b.top, b.bottom = b.over, b.under
    if arriving:
        b.top = max(b.top, arriving[0].up - low)
        b.bottom = max(b.bottom, arriving[-1].down + high)


def _reach(low: float, high: float) -> float:
    """How far before a circle its arrows turn towards it, for none to come steeply, past an input that stands close by."""
    return max(REACH, math.ceil(max(-low, high) * 0.95) - RADIUS)


def _past_texts(b: Box) -> float:
    """How far before a box its labels end, for its texts to have room."""
    return max(b.reach, b.left - b.w / 2 + BESIDE if b.left > b.w / 2 else 0)


def _passes(b: Box, into: float, text: float) -> float:
    """How far from a circle's middle line a text has to keep from an arrow that comes to its middle from there."""
    slope = abs(into) / (b.w / 2 + b.reach)
    return math.ceil(min(abs(into), slope * (text / 2 + 4)) + CLEAR + LINES * math.hypot(1, slope))


def slide(grid: Grid) -> None:
    """Lets arrows arrive at the height that they come from, where that is near and there is room."""
    above: dict[int, int] = {}  # the next one; for a circle, that has labels too
    below: dict[int, int] = {}
    for column in grid.order:
        for some in (column, [v for v in column if v >= len(grid.boxes) or not grid.boxes[v].slim]):
            for u, v in pairwise(some):
                if some is column or _circle(grid, v):
                    above[v] = u
                if some is column or _circle(grid, u):
                    below[u] = v
    arriving: list[list[Arrow]] = [[] for _ in grid.boxes]
    for a in grid.arrows:
        arriving[a.end].append(a)
    for v, (b, found) in enumerate(zip(grid.boxes, arriving, strict=True)):
        if len(found) < 2 or b.kind == "in" or b.kind == "out":
            continue
        y = grid.y[v]
        least = grid.y[above[v]] + grid.bottom[above[v]] + GAP - y if v in above else -INFINITE
        most = grid.y[below[v]] - grid.top[below[v]] - GAP - y if v in below else INFINITE
        high, low = min(found, key=lambda a: a.into), max(found, key=lambda a: a.into)
        if _slid(grid, b, high, y, -1, least + high.up):
            grid.top[v] = max(grid.top[v], high.up - high.into)
        if _slid(grid, b, low, y, 1, most - low.down):
            grid.bottom[v] = max(grid.bottom[v], low.down + low.into)


def _circle(grid: Grid, v: int) -> bool:
    return v < len(grid.boxes) and grid.boxes[v].kind == "op" and grid.boxes[v].h == 2 * RADIUS


def _slid(grid: Grid, b: Box, a: Arrow, y: float, side: int, most: float) -> bool:
    """Moves one arrow outwards, upwards (-1) or downwards (1); says whether it could be."""
    circle = b.kind == "op" and b.h == 2 * RADIUS
    text = b.caption if side < 0 else b.sum
    at = (grid.y[a.way[-1]] if a.way else grid.y[a.start] + a.out) - y
    if not a.into or a.back or abs(at) > SLIDE or (not circle and (text or abs(at - a.into) > GROW)):
        return False
    at = min(side * at, side * most) * side
    if side * at <= side * a.into:
        return False
    a.into = at
    if circle:
        b.reach = max(b.reach, _reach(-abs(at), abs(at)))
        room = b.h / 2 + (-b.more.get("above", 0) - DESCENT if side < 0 else b.more.get("below", 0) - ASCENT)
        if text and _passes(b, at, text) > room:  # the arrow comes from the left, the text goes to the right
            aside = max(0, text / 2 - NEXT)
            b.caption_aside, b.sum_aside = (aside, b.sum_aside) if side < 0 else (b.caption_aside, aside)
            b.more["abovex" if side < 0 else "belowx"] = aside
    elif side < 0:
        b.h += max(0, EDGE - at - b.head)
        b.head = max(b.head, EDGE - at)
    else:
        b.h = max(b.h, b.head + at + EDGE)
    return True

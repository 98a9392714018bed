"""Where on its boxes each arrow starts and ends, and the room that a box needs together with its labels."""

from __future__ import annotations

from collections.abc import Sequence

from .grid import GAP, PASS, Arrow, Box, Grid
from .metrics import RADIUS

#: As many operands end on a circle; more have a tall shape.
ON_CIRCLE = 4
#: How far before a circle the arrows of several operands turn towards it.
REACH, SHORT = 20, 8
#: How far above or below the middle of a circle they may turn.
SLIDE = 72


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

    for v, b in enumerate(boxes):
        arriving = sorted(into[v], key=lambda a: (0 if b.ordered else before(a), a.port))
        _arrive(b, arriving, boxes)
        if len(out[v]) > 1:

            def after(source: int, v: int = v) -> float:
                ends = [where[a.way[0] if a.way else a.end] for a in out[v][source]]
                return sum(ends) / len(ends)

            sources = sorted(out[v], key=lambda s: (after(s), s))
            for k, source in enumerate(sources):
                for a in out[v][source]:
                    a.out = (k - (len(sources) - 1) / 2) * 2 * PASS
            b.h = max(b.h, len(sources) * 2 * PASS + 8)
            if len(arriving) < 2:
                b.head = b.h / 2
                b.over, b.under = max(b.over, b.head), max(b.under, b.h / 2)
                b.top, b.bottom = max(b.top, b.head), max(b.bottom, b.h / 2)


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
    if len(arriving) > 1 and not circle and b.kind not in ("in", "out"):
        b.h = max(b.h, high - low + 24)
        b.head = max(12 - low, (b.h - (high - low)) / 2 - low)
    else:
        b.head = b.h / 2
    b.reach = max((b.wide - b.w) / 2, REACH if circle and any(a.into for a in arriving) else SHORT if b.h else 0)
    b.over, b.under = max(b.head, b.room[0]), max(b.h - b.head, b.room[1])
    if b.caption:
        b.more["above"] = min(-5, low - 3 + b.head - 5)
        b.over = max(b.over, b.head - b.more["above"] + 11)
    if b.sum:
        b.more["below"] = max(0, high + 3 - (b.h - b.head)) + 13
        b.under = max(b.under, b.h - b.head + b.more["below"] + 3)
    b.top, b.bottom = b.over, b.under
    if arriving:
        b.top = max(b.top, arriving[0].up - low)
        b.bottom = max(b.bottom, arriving[-1].down + high)


def slide(grid: Grid) -> None:
    """Lets arrows arrive at a circle from the height that they come from, where that is near and there is room."""
    above, below = {}, {}
    for column in grid.order:
        for u, v in zip(column, column[1:], strict=False):
            above[v], below[u] = grid.y[u] + grid.bottom[u] + GAP, grid.y[v] - grid.top[v] - GAP
    outer: dict[int, list[Arrow]] = {}
    for a in grid.arrows:
        if grid.boxes[a.end].kind == "op" and grid.boxes[a.end].h == 2 * RADIUS:
            outer.setdefault(a.end, []).append(a)
    for v, arriving in outer.items():
        b, y = grid.boxes[v], grid.y[v]
        high, low = min(arriving, key=lambda a: a.into), max(arriving, key=lambda a: a.into)
        for a, text in ((high, b.caption), (low, b.sum)):
            at = grid.y[a.way[-1]] - y if a.way else grid.y[a.start] + a.out - y
            if text or not a.into or a.back:
                continue
            if abs(at) > SLIDE:
                continue
            if a is high:
                a.into = min(a.into, max(at, above.get(v, -1e9) + a.up - y))
            else:
                a.into = max(a.into, min(at, below.get(v, 1e9) - a.down - y))
            b.reach = max(b.reach, REACH + (abs(a.into) - REACH) / 2)

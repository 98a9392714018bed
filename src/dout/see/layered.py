"""A layered layout: boxes in columns, arrows from left to right, each with a level piece for its label before its end.

The way is Sugiyama's: columns (here), dummies where an arrow passes a column (grid.py), an order within each column with few
crossings (crossings.py), where arrows end (ports.py), and then heights and widths (coordinates.py).
"""

from __future__ import annotations

from collections.abc import Callable

from . import coordinates, crossings
from .grid import Arrow, Box, Grid, grid_of
from .ports import ports, slide

#: Inputs stand in one column on the left if none is used further off than this.
ALIGNED = 3

Order = Callable[[Grid], None]


def lay_out(boxes: list[Box], arrows: list[Arrow], order: Order = crossings.reduce) -> Grid:
    """Places boxes and arrows whose columns are known.

    Args:
        boxes: in the order in which they ran.
        arrows: between them.
        order: orders each column.
    """
    grid = grid_of(boxes, arrows)
    order(grid)
    ports(grid)
    coordinates.heights(grid)
    slide(grid)
    coordinates.widths(grid)
    return grid


def columns(boxes: list[Box], arrows: list[Arrow]) -> None:
    """Gives each box its column, and says which arrows go back, if there is a cycle."""
    n = len(boxes)
    ins: list[list[Arrow]] = [[] for _ in range(n)]
    outs: list[list[Arrow]] = [[] for _ in range(n)]
    for a in arrows:
        ins[a.end].append(a)
        outs[a.start].append(a)
    order = _topological(n, ins, outs)
    for v in order:
        boxes[v].column = max((boxes[a.start].column + 1 for a in ins[v] if not a.back), default=0)
    last = max((b.column for b in boxes if b.kind != "out"), default=-1) + 1
    ends = [b for b in boxes if b.kind == "out"]
    early = any("output" in b.item and 0 < b.column < last - ALIGNED for b in ends)
    for b in ends:
        b.column = b.column if early and b.column else last
    # To the right as far as that makes arrows shorter: `pulled` are those that would get longer, for what only feeds a
    # box comes along.
    pulled = [0] * n
    for v in order:
        pulled[v] = sum(min(1, pulled[a.start]) if len(outs[a.start]) == 1 else 1 for a in ins[v])
    for v in reversed(order):
        ahead = [boxes[a.end].column for a in outs[v] if not a.back]
        if ahead and boxes[v].kind != "in" and pulled[v] < len(ahead):
            boxes[v].column = max(boxes[v].column, min(ahead) - 1)
    inputs = [b for b in boxes if b.kind == "input"]
    if all(b.column < ALIGNED for b in inputs):
        for b in inputs:
            b.column = 0
    for a in arrows:
        a.back = boxes[a.start].column >= boxes[a.end].column


def _topological(n: int, ins: list[list[Arrow]], outs: list[list[Arrow]]) -> list[int]:
    waits = [len(found) for found in ins]
    order: list[int] = []
    done = [False] * n
    ready = [v for v in range(n) if not waits[v]]
    first = 0
    while len(order) < n:
        if not ready:  # a cycle: whatever still leads to the first box that waits goes back
            while done[first]:
                first += 1
            for a in ins[first]:
                a.back = a.back or not done[a.start]
            ready.append(first)
        v = ready.pop()
        if done[v]:
            continue
        done[v] = True
        order.append(v)
        for a in outs[v]:
            if not a.back:
                waits[a.end] -= 1
                if not waits[a.end]:
                    ready.append(a.end)
    return order

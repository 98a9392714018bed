"""Rows: what lies on one level line, and stays on it when groups are opened.

Opening a group pushes away what is above and below it in its column. All that is level with what is pushed comes along, so
that lines stay straight; the rest stays where it is. Whatever is lower in a column belongs to a lower row, so there
is an order in which each row's move is known once those of the rows above it are.
"""

from __future__ import annotations

from itertools import pairwise

from .grid import Grid


def rows(grid: Grid) -> tuple[list[int], list[list[list[int]]]]:
    """The row of each vertex, and for each row what is above it: [row, group above, group below], -1 for none.

    The last entry is for the level's lower edge.
    """
    n, y = len(grid.boxes), grid.y
    joined = list(range(len(y)))

    def whole(v: int) -> int:
        while joined[v] != v:
            joined[v] = v = joined[joined[v]]
        return v

    follows = []
    for u, found in enumerate(grid.right):
        for v, _, a in found:
            into = a.into if v < n else 0
            if (u < n and a.out) or y[u] != y[v] + into:
                continue
            if not into:
                joined[whole(u)] = whole(v)
            elif into > 0:  # an operand from below goes with its operation
                follows.append((u, v))
    order = sorted({whole(v) for v in range(len(y))}, key=lambda v: (y[v], v))
    number = {v: r for r, v in enumerate(order)}
    row = [number[whole(v)] for v in range(len(y))]
    above: list[dict[tuple[int, int, int], None]] = [{} for _ in range(len(order) + 1)]

    def group(v: int) -> int:
        return v if v < n and grid.boxes[v].kind == "group" else -1

    for column in grid.order:
        for u, v in pairwise(column):
            above[row[v]][row[u], group(u), group(v)] = None
        if column:
            above[row[column[0]]][-1, -1, group(column[0])] = None
            above[-1][row[column[-1]], group(column[-1]), -1] = None
    for u, v in follows:
        above[row[u]][row[v], -1, -1] = None
    return row, [[list(entry) for entry in found if entry != (-1, -1, -1)] for found in above]

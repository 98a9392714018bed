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
    row, follows = _rows(grid)
    above: list[dict[tuple[int, int, int], None]] = [{} for _ in range(max(row, default=-1) + 2)]
    for column in grid.order:
        for u, v in pairwise(column):
            if row[u] != row[v]:
                above[row[v]][row[u], _group(grid, u), _group(grid, v)] = None
        if column:
            above[row[column[0]]][-1, -1, _group(grid, column[0])] = None
            above[-1][row[column[-1]], _group(grid, column[-1]), -1] = None
    for u, v in follows:
        if row[v] < row[u]:
            above[row[u]][row[v], -1, -1] = None
    return row, [[list(entry) for entry in found if entry != (-1, -1, -1)] for found in above]


def _group(grid: Grid, v: int) -> int:
    return v if v < len(grid.boxes) and grid.boxes[v].kind == "group" else -1


def _rows(grid: Grid) -> tuple[list[int], list[tuple[int, int]]]:
    """The row of each vertex, from above; and what comes level from below to an operation, and moves at least with that."""
    n, y = len(grid.boxes), grid.y
    joined = list(range(len(y)))

    def whole(v: int) -> int:
        while joined[v] != v:
            joined[v] = v = joined[joined[v]]
        return v

    from_above: list[tuple[int, int]] = []
    from_below: list[tuple[int, int]] = []
    for u, found in enumerate(grid.right):
        for v, _, a in found:
            into = a.into if v < n else 0
            if (u >= n or not a.out) and y[u] == y[v] + into:
                if into:
                    (from_above if into < 0 else from_below).append((u, v))
                else:
                    joined[whole(u)] = whole(v)
    members: dict[int, list[int]] = {}
    for v in range(len(y)):
        members.setdefault(whole(v), []).append(v)
    below = {u: v for column in grid.order for u, v in pairwise(column)}
    for u, v in sorted(from_above, key=lambda pair: -y[pair[0]]):
        # What comes level from above is of the same row if nothing but that row is right below it.
        mine, there = members[whole(u)], whole(v)
        under = [below[m] for m in mine if m in below]
        free = all(whole(w) == there for w in under) and all(_group(grid, w) < 0 for w in [*mine, *under])
        if whole(u) != there and free:
            members[there] += mine
            joined[whole(u)] = there
    order = sorted({whole(v) for v in range(len(y))}, key=lambda v: (y[v], v))
    number = {v: r for r, v in enumerate(order)}
    return [number[whole(v)] for v in range(len(y))], from_below

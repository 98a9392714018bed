"""How high everything stands, with the order in each column given: arrows level where they can be.

Each column in turn takes the heights that bring it nearest to what its neighbours in other columns want, with order and
distances kept. That problem has an exact solution by pooling: two that would come too near become one block, which
stands at the mean (or median) of what its members want.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import level
from .grid import GAP, PAD, PASS, Grid
from .level import Pull
from .metrics import RADIUS

#: How much it matters that two neighbours are level: on a level path, elsewhere, and for what a
#: second operand comes to.
LEVEL, CHAIN, SIDE = 8.0, 2.0, 0.2
ROUNDS = 8
#: How much room a bend is given for each px that it climbs; at least and at most so much, more where many climb far, for
#: each of them so much.
STEEP, BENDS, BESIDE = 0.6, (20, 90, 600), 3
#: Where groups may be opened, and level arrows bent by that, there is room for a bend everywhere.
OPENED = 24


def heights(grid: Grid) -> None:
    """Finds each vertex's y, with 0 at the upper edge of the highest one."""
    n, boxes = len(grid.boxes), grid.boxes
    top = [b.top for b in boxes] + [PASS] * (len(grid.column) - n)
    bottom = [b.bottom for b in boxes] + [PASS] * (len(grid.column) - n)
    paths = level.paths(grid)
    lefts: list[list[Pull]] = [[] for _ in grid.column]
    rights: list[list[Pull]] = [[] for _ in grid.column]
    for u, found in enumerate(grid.right):
        for v, _, a in found:
            shift = level.shift(grid, u, v, a)
            joined = paths.joined(u, v)
            side = v < n and a.into and any(not other.into for _, _, other in grid.left[v])
            lefts[v].append((u, shift, LEVEL if joined else SIDE if side else CHAIN))
            rights[u].append((v, -shift, LEVEL if joined else CHAIN))
    y = [0.0] * len(grid.column)
    rows = [_row(grid, column, top, bottom) for column in grid.order]
    for column, row in zip(grid.order, rows, strict=True):
        for v, at in zip(column, row, strict=True):
            y[v] = at
    wishes = [_wishes(left, right) for left, right in zip(lefts, rights, strict=True)]
    steps = list(zip(grid.order, rows, strict=True))
    for k in range(ROUNDS):
        pulls = wishes if k >= ROUNDS // 2 else (lefts, rights)[k % 2]
        for column, row in steps if k % 2 == 0 else reversed(steps):
            _settle(column, row, y, pulls)
    paths.straighten(grid.order, rows, y, wishes)
    least = min((y[v] - top[v] for v in range(len(y))), default=0)
    grid.y, grid.top, grid.bottom = [round(a - least) for a in y], top, bottom


def _wishes(left: list[Pull], right: list[Pull]) -> list[Pull]:
    """Where arrows meet, the middle of where they come from; where they part, the middle of where they go."""
    main = [pull for pull in left if pull[2] != SIDE]
    if len(main) > 1 and len(main) > len(right):
        return left
    if len(right) > 1 and len(right) > len(main):
        return right
    return left + right


def _row(grid: Grid, column: Sequence[int], top: Sequence[float], bottom: Sequence[float]) -> list[float]:
    """How far each vertex is at least below the first. An input has no labels before it, and stands close to an operation."""
    row = []
    free = labels = 0.0  # where the column, and the room for labels before it, are free from
    for v in column:
        alone = v < len(grid.boxes) and grid.boxes[v].slim
        over, under = (grid.boxes[v].over, grid.boxes[v].under) if v < len(grid.boxes) else (PASS, PASS)
        at = max(free + over, 0 if alone else labels + top[v])
        free = at + under + GAP
        labels = labels if alone else at + bottom[v] + GAP
        row.append(at)
    return row


def _settle(column: Sequence[int], row: Sequence[float], y: list[float], pulls: Sequence[Sequence[Pull]]) -> None:
    """Moves a column's vertices to where they are pulled, as far as the others let them."""
    blocks: list[tuple[float, float, int]] = []  # weight, weight times height, how many
    for v, at in zip(column, row, strict=True):
        weight = whole = 0.0
        for u, shift, w in pulls[v]:
            weight += w
            whole += w * (y[u] + shift - at)
        if not weight:
            weight = 0.001
            whole = weight * (y[v] - at)
        many = 1
        while blocks and blocks[-1][1] * weight >= whole * blocks[-1][0]:
            w, a, m = blocks.pop()
            weight, whole, many = weight + w, whole + a, many + m
        blocks.append((weight, whole, many))
    i = 0
    for weight, whole, many in blocks:
        for _ in range(many):
            y[column[i]] = whole / weight + row[i]
            i += 1


def widths(grid: Grid) -> None:
    """Gives boxes their x and y, columns their places, and arrows the points on their ways."""
    boxes, last = grid.boxes, max(grid.column, default=-1)
    columns: list[list[int]] = [[] for _ in range(last + 1)]
    for v, b in enumerate(boxes):
        columns[b.column].append(v)
        b.y = grid.y[v]
    steep = [0.0] * (last + 2)  # the most that an arrow climbs or falls before each column, and how many do so far
    crowd = [0] * (last + 2)
    halves = []  # of each column, left and right of its middle
    for found in columns:
        leaves = all(boxes[v].leaf or not boxes[v].h for v in found)
        for v in found:
            b = boxes[v]
            b.x = -b.w / 2
            if b.leaf:
                b.x = -b.w if leaves else max(b.x, -RADIUS)
        halves.append(
            (
                max([boxes[v].left - boxes[v].x - boxes[v].w / 2 for v in found], default=0),
                max([boxes[v].right + boxes[v].x + boxes[v].w / 2 for v in found], default=0),
            )
        )
        for v in found:
            boxes[v].x += halves[-1][0]
    label = [0.0] * (last + 2)  # the room for labels before each column
    for a in grid.arrows:
        end = boxes[a.end]
        label[end.column] = max(label[end.column], a.mark + a.w + end.reach - end.x)
        ys = [boxes[a.start].y + a.out, *(grid.y[v] for v in a.way), end.y + a.into]
        turns = [boxes[a.start].column + 1, *(grid.column[v] for v in a.way[1:]), end.column]
        if not a.way:
            turns = turns[1:]
        for c, y, z in zip(turns, ys, ys[1:], strict=False):
            steep[c] = max(steep[c], abs(y - z))
            crowd[c] += abs(y - z) > BENDS[1]
    at, bends = 0.0, []
    least = OPENED if any(b.kind == "group" for b in boxes) else PAD
    for c, w in enumerate(left + right for left, right in halves):
        at += PAD + max(least, _bend(steep[c], crowd[c])) if c else 0
        bends.append(at)
        at += label[c]
        grid.sides.append((at, at + w))
        at += w
    for b in boxes:
        b.x += grid.sides[b.column][0]
    for a in grid.arrows:
        start, end = boxes[a.start], boxes[a.end]
        points = [[grid.sides[start.column][1] + PAD, start.y + a.out]]
        for v in a.way:
            pair = [[bends[grid.column[v]], grid.y[v]], [grid.sides[grid.column[v]][1] + PAD, grid.y[v]]]
            points += reversed(pair) if a.back else pair
        a.via = [*points, [bends[end.column], end.y + a.into]]


def _bend(steep: float, crowd: int) -> float:
    """The room for arrows to bend, between two columns."""
    most = min(max(BENDS[1], BESIDE * crowd), BENDS[2])
    return min(max(round(STEEP * steep), BENDS[0]), most) if steep else 0

"""Which arrows are to lie level, one behind another, and how they are brought to do so."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Sequence

from .grid import INFINITE, Arrow, Grid

Pull = tuple[int, float, float]  # a neighbour, how far below its height this one wants to be, how much
#: How often each path is moved again, once all have their heights.
AGAIN = 2

Path = list[tuple[int, float]]  # vertices, and how far each is below the first


def shift(grid: Grid, u: int, v: int, a: Arrow) -> float:
    """How far below its left neighbour u a vertex v is when the arrow between them is level."""
    n = len(grid.boxes)
    return (a.out if u < n else 0) - (a.into if v < n else 0)


class Paths:
    """Vertices from left to right that want to be level, each with how far it is below the first of its path."""

    def __init__(self, after: list[int], found: list[Path]) -> None:
        self.after = after
        self.found = found

    def joined(self, u: int, v: int) -> bool:
        """Whether v follows u on a path."""
        return self.after[u] == v

    def straighten(
        self,
        order: Sequence[Sequence[int]],
        rows: Sequence[Sequence[float]],
        y: list[float],
        pulls: Sequence[Sequence[Pull]],
    ) -> None:
        """Brings each path to one height, the long ones first; what comes later makes way."""
        where = {v: (c, i) for c, column in enumerate(order) for i, v in enumerate(column)}
        fixed: list[list[int]] = [[] for _ in order]  # of each column, those that have their height

        def room(v: int, at: float) -> tuple[float, float]:
            """From where to where a path can be that has v in it, for those beside v that have their height."""
            c, i = where[v]
            k, row, places = bisect(fixed[c], i), rows[c], fixed[c]
            k -= k > 0 and places[k - 1] == i
            after = k + (k < len(places) and places[k] == i)
            least = y[order[c][places[k - 1]]] + row[i] - row[places[k - 1]] - at if k else -INFINITE
            most = y[order[c][places[after]]] + row[i] - row[places[after]] - at if after < len(places) else INFINITE
            return least, most

        def put(path: Path, height: float, least: float, most: float) -> None:
            for v, at in path:
                y[v] = min(max(height, least), most) + at

        def fix(path: Path, least: float, most: float) -> None:
            wanted = sorted([y[v] - at for v, at in path])
            height = (wanted[(len(wanted) - 1) // 2] + wanted[len(wanted) // 2]) / 2
            if len(path) == 1 and pulls[path[0][0]]:
                height = _pulled(path, y, pulls)
            elif not pulls[path[0][0]] and least > -INFINITE:  # it stands alone, below what is above it
                height = least
            put(path, height, least, most)
            for v, _ in path:
                insort(fixed[where[v][0]], where[v][1])

        level: list[Path] = []
        alone = sorted([path for path in self.found if not pulls[path[0][0]]], key=lambda path: where[path[0][0]])
        for whole in [*(path for path in self.found if pulls[path[0][0]]), *alone]:
            path: Path = []
            least, most = -INFINITE, INFINITE
            for v, at in whole:
                low, high = room(v, at)
                if path and max(least, low) > min(most, high):  # no way through: it goes on at another height
                    fix(path, least, most)
                    level.append(path)
                    path, least, most = [], -INFINITE, INFINITE
                path.append((v, at))
                least, most = max(least, low), min(most, high)
            fix(path, least, most)
            level.append(path)
        for path in level * AGAIN:  # now that all have theirs, each nearer to where it comes from and goes
            rooms = [room(v, at) for v, at in path]
            least, most = max([low for low, _ in rooms]), min([high for _, high in rooms])
            if any(pulls[v] for v, _ in path):
                put(path, _pulled(path, y, pulls), least, max(least, most))
            elif least > -INFINITE:
                put(path, least, least, least)


def _pulled(path: Path, y: Sequence[float], pulls: Sequence[Sequence[Pull]]) -> float:
    """The height to which others pull a path."""
    mine = {v for v, _ in path}
    near = [(w, y[u] + below - at) for v, at in path for u, below, w in pulls[v] if u not in mine]
    return sum([w * h for w, h in near]) / sum([w for w, _ in near]) if near else y[path[0][0]]


def paths(grid: Grid) -> Paths:
    """An arrow is level if it is the main one both of what it leaves and of what it enters."""
    n = len(grid.boxes)

    def into(v: int) -> int:
        """The neighbour from which the main arrow comes."""
        left = grid.left[v]
        main = [u for u, _, a in left if v >= n or not a.into] if len(left) > 1 else [u for u, _, _ in left]
        return main[0] if len(main) == 1 else -1

    def out(u: int) -> int:
        """The one to which most of what follows belongs."""
        main = [v for v, _, _ in grid.right[u] if v < n or len(grid.right[u]) == 1]
        most = max([ahead[v] for v in main], default=0)
        main = [v for v in main if ahead[v] == most]
        return main[0] if len(main) == 1 else -1

    ahead = [0] * len(grid.column)  # how many boxes there are on the way to the end
    for column in reversed(grid.order):
        for u in column:
            ahead[u] = max([ahead[v] + (v < n) for v, _, _ in grid.right[u]], default=0)
    after = [-1] * len(grid.column)
    first = [True] * len(after)
    for u in range(len(after)):
        v = out(u)
        if v >= 0 and into(v) == u:
            after[u] = v
            first[v] = False
    found = []
    for u, starts in enumerate(first):
        if starts:
            v, at, path = u, 0.0, []
            while v >= 0:
                path.append((v, at))
                w = after[v]
                if w >= 0:
                    at += next(shift(grid, v, w, a) for x, _, a in grid.right[v] if x == w)
                v = w
            found.append(path)
    found.sort(key=len, reverse=True)
    return Paths(after, found)

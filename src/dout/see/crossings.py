"""The order of what stands in one column, such that few arrows cross.

Each column in turn is sorted by where the neighbours of its vertices stand, leftwards and rightwards in turns; then
neighbours in a column change places wherever that helps. The best order that was met is kept.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from .grid import Grid

#: The most rounds, and how many without success end it; fewer in a large graph, which has so many joints.
ROUNDS, PATIENCE, LARGE = 24, 4, 1500


def reduce(grid: Grid) -> None:
    """Finds an order of the columns, and puts it into the grid."""
    best: list[list[int]] = []
    least = -1
    for start in (_from_ends, _from_starts):
        order = start(grid)
        count, order = _improve(grid, order)
        if least < 0 or count < least:
            least, best = count, order
        if not least:
            break
    grid.order = best


def crossings(grid: Grid, order: Sequence[Sequence[int]]) -> int:
    """How many arrows cross in this order."""
    where = _where(order, len(grid.column))
    return sum(_between(grid, column, where) for column in order)


def _improve(grid: Grid, order: list[list[int]]) -> tuple[int, list[list[int]]]:
    where = _where(order, len(grid.column))
    count = [_between(grid, column, where) for column in order]
    least, best, idle = sum(count), [list(c) for c in order], 0
    joints = sum(len(found) for found in grid.right)
    rounds = ROUNDS if joints < LARGE else 6
    for k in range(rounds):
        if not least or idle >= PATIENCE:
            break
        to_right = k % 2 == 0
        for column in order if to_right else reversed(order):
            _sort(grid, column, where, to_right, median=k % 4 >= 2)
        while any([_transpose(grid, column, where) for column in order]):
            pass
        total = crossings(grid, order)
        idle += 1
        if total < least:
            least, best, idle = total, [list(c) for c in order], 0
    return least, best


def _where(order: Sequence[Sequence[int]], n: int) -> list[int]:
    where = [0] * n
    for column in order:
        for i, v in enumerate(column):
            where[v] = i
    return where


def _between(grid: Grid, column: Sequence[int], where: Sequence[int]) -> int:
    """Crossings between a column and the next."""
    seen: list[float] = []
    count = 0
    for u in column:
        ends = sorted([where[v] + at for v, at, _ in grid.right[u]])
        for end in ends:
            count += len(seen) - bisect_right(seen, end)
        for end in ends:
            insort(seen, end)
    return count


def _sort(grid: Grid, column: list[int], where: list[int], to_right: bool, median: bool) -> None:
    """Sorts those that have neighbours; the others keep their places."""
    keys: dict[int, float] = {}
    for v in column:
        ends = [where[u] for u, _, _ in grid.left[v]] if to_right else [where[w] + at for w, at, _ in grid.right[v]]
        if ends:
            if median and len(ends) > 2:
                ends.sort()
                keys[v] = (ends[(len(ends) - 1) // 2] + ends[len(ends) // 2]) / 2
            else:
                keys[v] = sum(ends) / len(ends)
    ranked = iter(sorted(keys, key=keys.__getitem__))
    column[:] = [next(ranked) if v in keys else v for v in column]
    for i, v in enumerate(column):
        where[v] = i


def _transpose(grid: Grid, column: list[int], where: list[int]) -> bool:
    """Swaps neighbours where that undoes crossings; says whether it did."""
    lefts = [sorted([where[u] for u, _, _ in grid.left[v]]) for v in column]
    rights = [sorted([where[w] + at for w, at, _ in grid.right[v]]) for v in column]
    better = False
    for i in range(len(column) - 1):
        if _gain(lefts[i], lefts[i + 1]) + _gain(rights[i], rights[i + 1]) > 0:
            for row in (column, lefts, rights):
                row[i], row[i + 1] = row[i + 1], row[i]  # type: ignore[index]
            better = True
    for i, v in enumerate(column):
        where[v] = i
    return better


def _gain(upper: Sequence[float], lower: Sequence[float]) -> int:
    """How many crossings of the arrows of two neighbours go when they change places."""
    if not upper or not lower or (upper[-1] <= lower[0] and upper[0] == lower[-1]):
        return 0
    if len(upper) * len(lower) <= 16:
        return sum([(a > b) - (a < b) for a in upper for b in lower])
    gain = 0
    for a in upper:
        below = bisect_right(lower, a)
        same = below - bisect_right(lower, a - 1e-9)
        gain += below - same - (len(lower) - below)
    return gain


def _from_ends(grid: Grid) -> list[list[int]]:
    """From each end backwards, operands in their order: draws a tree as one would write it."""
    return _walk(grid, [[u for u, _, _ in _chains_first(grid, v)] for v in range(len(grid.column))])


def _from_starts(grid: Grid) -> list[list[int]]:
    return _walk(grid, [[w for w, _, _ in found] for found in grid.right])


def _chains_first(grid: Grid, v: int) -> list[tuple[int, float, object]]:
    n = len(grid.boxes)
    if v < n and not grid.boxes[v].ordered:
        return sorted(grid.left[v], key=lambda e: e[0] < n and grid.boxes[e[0]].leaf)  # type: ignore[return-value]
    return grid.left[v]  # type: ignore[return-value]


def _walk(grid: Grid, ahead: list[list[int]]) -> list[list[int]]:
    order: list[list[int]] = [[] for _ in range(max(grid.column, default=-1) + 1)]
    reached = [False] * len(grid.column)
    for found in ahead:
        for v in found:
            reached[v] = True
    done = [False] * len(grid.column)
    for root in [v for v, r in enumerate(reached) if not r] + list(range(len(grid.column))):
        stack = [(root, 0)]
        while stack:
            v, i = stack.pop()
            if i == 0:
                if done[v]:
                    continue
                done[v] = True
            if i < len(ahead[v]):
                stack += [(v, i + 1), (ahead[v][i], 0)]
            else:
                order[grid.column[v]].append(v)
    return order

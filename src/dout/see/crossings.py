"""The order of what stands in one column, such that few arrows cross.

Each column in turn is sorted by where the neighbours of its vertices stand, leftwards and rightwards in turns; then
neighbours in a column change places wherever that helps. The best order that was met is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from .grid import Grid, Joint

#: Rounds from each start, and then from the better one; how many without success end it.
FIRST, MORE, PATIENCE = 8, 24, 8
#: A graph with more joints than this is large, and has fewer rounds.
LARGE, LESS = 1500, (3, 4)
#: How often the columns are gone through for neighbours to swap, in each round.
PASSES = 20


def reduce(grid: Grid) -> None:
    """Finds an order of the columns, and puts it into the grid."""
    large = sum(len(found) for found in grid.right) > LARGE
    first, more = LESS if large else (FIRST, MORE)
    least, best = _improve(grid, _from_ends(grid), first)
    if least:
        least, best = min((least, best), _improve(grid, _from_starts(grid), first), key=lambda found: found[0])
    if least:
        least, best = _improve(grid, best, more)
    while least and not large and _sift(grid, best):
        least = crossings(grid, best)
    grid.order = best


def crossings(grid: Grid, order: Sequence[Sequence[int]]) -> int:
    """How many arrows cross in this order."""
    where = _where(order, len(grid.column))
    return sum(_between(grid, column, where) for column in order)


def _improve(grid: Grid, order: list[list[int]], rounds: int) -> tuple[int, list[list[int]]]:
    """The best of what is met in so many rounds, and its crossings."""
    where = _where(order, len(grid.column))
    least, best, idle = crossings(grid, order), [list(c) for c in order], 0
    for k in range(rounds):
        if not least or idle >= PATIENCE:
            break
        restless = k % 4 < 2
        for column in reversed(order) if k % 2 else order:
            _sort(grid, column, where, to_right=k % 2 == 0, restless=restless)
        _untangle(grid, order, where, restless)
        idle += 1
        count = crossings(grid, order)
        if count < least:
            least, best, idle = count, [list(c) for c in order], 0
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


def _sort(grid: Grid, column: list[int], where: list[int], to_right: bool, restless: bool) -> None:
    """Sorts those that have neighbours; the others keep their places.

    By the mean of where the neighbours stand, equals changing places, if restless; else by the median.
    """
    keys: dict[int, float] = {}
    for v in column:
        ends = [where[u] for u, _, _ in grid.left[v]] if to_right else [where[w] + at for w, at, _ in grid.right[v]]
        if ends and (restless or len(ends) < 3):
            keys[v] = sum(ends) / len(ends)
        elif ends:
            ends.sort()
            keys[v] = (ends[(len(ends) - 1) // 2] + ends[len(ends) // 2]) / 2
    ranked = iter(sorted(reversed(keys) if restless else keys, key=keys.__getitem__))
    column[:] = [next(ranked) if v in keys else v for v in column]
    for i, v in enumerate(column):
        where[v] = i


def _untangle(grid: Grid, order: list[list[int]], where: list[int], restless: bool) -> None:
    """Swaps neighbours wherever that undoes crossings, until it doesn't any more; looks again only near what changed.

    If restless, those that neither gain nor lose change places too, which leads out of dead ends.
    """
    todo = set(range(len(order)))
    for _ in range(PASSES):
        gained, near = 0, set()
        for c in sorted(todo):
            gain = _transpose(grid, order[c], where, 0 if restless else 1)
            if gain is not None:
                gained += gain
                near |= {c - 1, c, c + 1}
        todo = {c for c in near if 0 <= c < len(order)}
        if not gained:
            break


def _joints(grid: Grid, column: Sequence[int], where: Sequence[int]) -> tuple[list[list[float]], list[list[float]]]:
    """Where the arrows of each vertex begin in the column before, and end in the next; in order."""
    lefts: list[list[float]] = [sorted([where[u] for u, _, _ in grid.left[v]]) for v in column]
    return lefts, [sorted([where[w] + at for w, at, _ in grid.right[v]]) for v in column]


def _transpose(grid: Grid, column: list[int], where: list[int], least: int) -> int | None:
    """Swaps neighbours in one column where that undoes so many crossings; says how many, or None if none was swapped."""
    lefts, rights = _joints(grid, column, where)
    undone = None
    for i in range(len(column) - 1):
        j = i + 1
        a, b, c, d = lefts[i], lefts[j], rights[i], rights[j]
        if (a and b and a[-1] > b[0]) or (c and d and c[-1] > d[0]):
            gain = _gain(a, b) + _gain(c, d)
            if gain >= least:
                column[i], column[j] = column[j], column[i]
                lefts[i], lefts[j] = b, a
                rights[i], rights[j] = d, c
                undone = (undone or 0) + gain
    if undone is not None:
        for i, v in enumerate(column):
            where[v] = i
    return undone


def _sift(grid: Grid, order: list[list[int]]) -> bool:
    """Moves each vertex to the best place in its column, all others standing still; says whether one moved."""
    where = _where(order, len(grid.column))
    moved = False
    for column in order:
        lefts, rights = (dict(zip(column, found, strict=True)) for found in _joints(grid, column, where))
        for v in list(column):
            i = at = column.index(v)
            most = 0
            for step in (1, -1):
                gain, j = 0, i + step
                while 0 <= j < len(column):
                    u = column[j]
                    gain += step * (_gain(lefts[v], lefts[u]) + _gain(rights[v], rights[u]))
                    if gain > most:
                        most, at = gain, j
                    j += step
            if at != i:
                column.insert(at, column.pop(i))
                moved = True
        for i, v in enumerate(column):
            where[v] = i
    return moved


def _gain(upper: Sequence[float], lower: Sequence[float]) -> int:
    """How many crossings of the arrows of two neighbours go when they change places."""
    if len(upper) * len(lower) <= 16:
        return sum([(a > b) - (a < b) for a in upper for b in lower])
    return sum([bisect_left(lower, a) - (len(lower) - bisect_right(lower, a)) for a in upper])


def _from_ends(grid: Grid) -> list[list[int]]:
    """From each end backwards, operands in their order: draws a tree as one would write it."""
    return _walk(grid, [[u for u, _, _ in _chains_first(grid, v)] for v in range(len(grid.column))])


def _from_starts(grid: Grid) -> list[list[int]]:
    return _walk(grid, [[w for w, _, _ in found] for found in grid.right])


def _chains_first(grid: Grid, v: int) -> list[Joint]:
    n = len(grid.boxes)
    if v < n and not grid.boxes[v].ordered:
        return sorted(grid.left[v], key=lambda e: e[0] < n and grid.boxes[e[0]].leaf)
    return grid.left[v]


def _walk(grid: Grid, ahead: list[list[int]]) -> list[list[int]]:
    order: list[list[int]] = [[] for _ in range(max(grid.column, default=-1) + 1)]
    reached = [False] * len(grid.column)
    for found in ahead:
        for v in found:
            reached[v] = True
    done = [False] * len(grid.column)
    roots = [v for v, r in enumerate(reached) if not r]
    roots.sort(key=lambda v: not ahead[v])  # what stands alone comes last
    for root in [*roots, *range(len(grid.column))]:
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

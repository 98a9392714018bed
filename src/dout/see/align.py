"""Two sequences laid side by side: what of one stands for what of the other, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

#: Pieces with at most so many pairs are compared pair by pair; `difflib` takes up to the square of a piece's length.
PAIRS = 1_000_000
#: Where nothing occurs once, runs of so many one after another may.
RUNS = (1, 8, 40)

Keys = Sequence[Hashable]


def align(
    left: Keys, right: Keys, fine_left: Keys | None = None, fine_right: Keys | None = None
) -> list[tuple[int, int]]:
    """Pairs of places with equal keys, both in rising order.

    First the beginnings and ends that are the same; between them what occurs once on both sides (patience diff), alone
    or, in long sequences, as a run; what lies between those is compared by `difflib`.

    Args:
        left, right: the keys.
        fine_left, fine_right: finer keys, which also say what is around. They are tried first, and where they differ it is
            still enough that the keys are equal.

    Example:
        >>> align("abcxde", "abyde")
        [(0, 0), (1, 1), (4, 3), (5, 4)]
    """
    fine_left, fine_right = fine_left or left, fine_right or right
    found: list[tuple[int, int]] = []
    stack = [(0, len(left), 0, len(right))]
    while stack:
        a, b, c, d = stack.pop()
        while a < b and c < d and fine_left[a] == fine_right[c] and left[a] == right[c]:
            found.append((a, c))
            a, c = a + 1, c + 1
        while a < b and c < d and fine_left[b - 1] == fine_right[d - 1] and left[b - 1] == right[d - 1]:
            b, d = b - 1, d - 1
            found.append((b, d))
        if a == b or c == d:
            continue
        anchors: list[tuple[int, int]] = []
        for run in RUNS if (b - a) * (d - c) > PAIRS else RUNS[:1]:
            anchors = _anchors(fine_left, fine_right, a, b, c, d, run)
            anchors = [(i, j) for i, j in anchors if left[i] == right[j]]
            if anchors:
                break
        if not anchors:
            found += _piece(left, right, a, b, c, d)
            continue
        found += anchors
        for i, j in [*anchors, (b, d)]:
            stack.append((a, i, c, j))
            a, c = i + 1, j + 1
    return sorted(found)


def _anchors(left: Keys, right: Keys, a: int, b: int, c: int, d: int, run: int) -> list[tuple[int, int]]:
    """Where runs of so many begin that occur once on both sides, in the longest order that both keep."""
    once_left, once_right = _once(left, a, b, run), _once(right, c, d, run)
    pairs = [(i, once_right[key]) for key, i in once_left.items() if key in once_right]
    pairs.sort()
    ends: list[int] = []  # of rising sequences of 1, 2, 3, ... places on the right, the lowest ends
    last: list[int] = []  # the pairs at those ends
    before: list[int] = [-1] * len(pairs)
    for k, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before[k] = last[at - 1] if at else -1
        ends[at : at + 1] = [j]
        last[at : at + 1] = [k]
    found = []
    k = last[-1] if last else -1
    while k >= 0:
        found.append(pairs[k])
        k = before[k]
    return found[::-1]


def _once(keys: Keys, a: int, b: int, run: int) -> dict[Hashable, int]:
    places: dict[Hashable, int] = {}
    for i in range(a, b - run + 1):
        key = keys[i] if run == 1 else tuple(keys[i : i + run])
        places[key] = -1 if key in places else i
    return {key: i for key, i in places.items() if i >= 0}


def _piece(left: Keys, right: Keys, a: int, b: int, c: int, d: int) -> list[tuple[int, int]]:
    """Between two pairs: by `difflib`, or, where that would take too long, one after another as long as they are equal."""
    found = []
    if (b - a) * (d - c) > PAIRS:
        while a < b and c < d and left[a] == right[c]:
            found.append((a, c))
            a, c = a + 1, c + 1
        return found
    matcher = SequenceMatcher(None, left[a:b], right[c:d], autojunk=False)
    for i, j, n in matcher.get_matching_blocks():
        found += [(a + i + k, c + j + k) for k in range(n)]
    return found

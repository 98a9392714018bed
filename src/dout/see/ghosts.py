"""Copies of inputs and constants next to where they are used, so that one which feeds many places has no long arrows."""

from __future__ import annotations

from collections.abc import Callable

from .grid import Arrow, Box

#: A use is far off if it stands more columns than this beyond the first one.
FAR = 4
#: One that enters a group by a port has a copy where that would be further from the border.
NEAR = 3
#: One that feeds more than so many places has a copy at each of them but the first.
MANY = 6
#: An arrow passes this many columns for each box of a level, all in all; past that the longest ones start at copies too.
PASSED, FREE = 3, 1000


def copy(boxes: list[Box], arrows: list[Arrow], made: Callable[[Arrow], Box]) -> None:
    """Adds copies to the boxes, and lets arrows start at them.

    Args:
        boxes: with their columns.
        arrows: between them.
        made: the copy of what an arrow carries.
    """
    uses: dict[int, dict[int, list[Arrow]]] = {}
    for a in arrows:
        if boxes[a.start].leaf or boxes[a.start].stands_for_leaf:
            uses.setdefault(a.start, {}).setdefault(a.end, []).append(a)
    for start, ends in uses.items():
        nearest = min(ends, key=lambda e: (boxes[e].column, e))
        port = not boxes[start].leaf  # it stands on the border, and not next to its first use
        last = NEAR if port else boxes[nearest].column + FAR
        for e, found in ends.items():
            if boxes[e].column > last or (len(ends) > MANY and e != nearest):
                _copy(boxes, found, made)
    room = PASSED * len(boxes) + FREE
    passed = sorted(((boxes[a.end].column - boxes[a.start].column - 1, i) for i, a in enumerate(arrows)), reverse=True)
    left = sum(span for span, _ in passed if span > 0)
    for span, i in passed:
        if left <= room:
            break
        left -= span
        _copy(boxes, [arrows[i]], made)


def _copy(boxes: list[Box], arrows: list[Arrow], made: Callable[[Arrow], Box]) -> None:
    box = made(arrows[0])
    box.column = boxes[arrows[0].end].column - 1
    for a in arrows:
        a.start = len(boxes)
    boxes.append(box)

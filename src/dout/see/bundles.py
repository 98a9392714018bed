"""Bundles: where many values go from one fold to another, one arrow stands for all of them.

A bundle goes by the first of its sources, in its own level as well as at the borders of the folds at its two ends, so that it
meets them in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cuts import Inside, Thing

#: As many values as this keep arrows of their own.
FEW = 6


def bundle(found: dict[int | None, Inside], counts: Sequence[int]) -> None:
    """Make bundles at each level, the outer ones first, for these decide where values cross the borders of folds.

    Args:
        found: each level by its group's id; `arrows` are changed, and `many` says how many values a bundle stands for.
        counts: for each node, for how many values it stands itself.
    """
    entering: dict[tuple[int, int], int] = {}  # by which source a value enters a group
    leaving: dict[tuple[int, int], int] = {}
    for group, inside in sorted(found.items(), key=lambda pair: pair[1].depth):
        if group is not None:
            _through(inside, group, entering, leaving)
        _level(inside, entering, leaving, counts)


def _through(
    inside: Inside, group: int, entering: dict[tuple[int, int], int], leaving: dict[tuple[int, int], int]
) -> None:
    """Let arrows begin and end at the ports of bundles that were made outside."""
    arrows: dict[tuple[Thing, Thing, int, int], list[int]] = {}
    for (start, end, source, port), ids in inside.arrows.items():
        if start[0] == "in":
            start = "in", entering.get((group, source), source)
        if end[0] == "out":
            end = "out", leaving.get((group, source), source)
        arrows.setdefault((start, end, source, port), []).extend(ids)
    inside.arrows = arrows


def _level(
    inside: Inside, entering: dict[tuple[int, int], int], leaving: dict[tuple[int, int], int], counts: Sequence[int]
) -> None:
    between: dict[tuple[Thing, Thing], dict[int, None]] = {}
    for start, end, source, _ in inside.arrows:
        if start[0] in ("group", "in") and end[0] in ("group", "out"):
            between.setdefault((start, end), {})[source] = None
    first = {pair: next(iter(sources)) for pair, sources in between.items() if len(sources) > FEW}
    arrows: dict[tuple[Thing, Thing, int, int], list[int]] = {}
    ways: dict[tuple[int, int], set[int]] = {}  # the sources by which a value leaves a group
    for (start, end, source, port), ids in inside.arrows.items():
        by = first.get((start, end), source)
        if (start, end) in first:
            port = -1
            inside.many[start, end, by, port] = sum(counts[u] for u in between[start, end])
            if end[0] == "group":
                entering[end[1], source] = by
        arrows.setdefault((start, end, by, port), []).extend(ids)
        if start[0] == "group":
            ways.setdefault((start[1], source), set()).add(by)
    leaving |= {key: by for key, (by, *more) in ((key, list(found)) for key, found in ways.items()) if not more}
    inside.arrows = arrows

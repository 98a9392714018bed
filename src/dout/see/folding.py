"""Folding: which operations belong together, by where in the user's code they happened.

Operations come in the order in which they ran, each with the call that it happened in. What one call of a function did is
a run of neighbours in that order, and so is what one step of a loop did; each becomes a fold. Because folds are
neighbours in the order of the run, closing one never makes a circle of arrows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from ..witness import Call, Place
from .folds import Fold, Item
from .places import Places, function_of, is_comprehension

#: Calls nested deeper than this fold into the one at this depth.
DEEP = 24
#: How much of a loop's head is its name.
HEAD = 32


def folded(items: Iterable[tuple[Item, Place | None]], places: Places) -> Fold:
    """The tree of folds by functions, loops and their steps.

    Args:
        items: operations, and layers that are folds already, in the order in which they ran, with their places.
        places: looks up sites.

    Returns:
        a fold of everything, which is not drawn itself.
    """
    builder = _Builder(places)
    for item, place in items:
        builder.add(item, place)
    return builder.root


class _Loop:
    """A loop that runs in a call: its syntax, its fold, the fold of its present step."""

    __slots__ = ("fold", "node", "step")

    def __init__(self, node: Any, fold: Fold) -> None:
        self.node = node
        self.fold = fold
        self.step = self._next()

    def _next(self) -> Fold:
        step = Fold("step", f"#{len(self.fold.items) + 1}")
        self.fold.items.append(step)
        return step

    def go_on(self) -> None:
        self.step = self._next()


class _Level:
    """A call that is running: its fold, its loops, and where it was last."""

    __slots__ = ("at", "call", "fold", "loops", "turn")

    def __init__(self, call: Call, fold: Fold) -> None:
        self.call = call
        self.fold = fold
        self.loops: list[_Loop] = []
        self.at = -1
        self.turn = -1

    @property
    def container(self) -> Fold:
        """What the next operation goes into."""
        return self.loops[-1].step if self.loops else self.fold


class _Builder:
    """Puts operations into folds, one after the other."""

    def __init__(self, places: Places) -> None:
        self.root = Fold("top", "")
        self._places = places
        self._levels: list[_Level] = []

    def add(self, item: Item, place: Place | None) -> None:
        """Put the next one where it belongs."""
        if place is None:
            self._levels.clear()
            self.root.items.append(item)
            return
        for depth, (call, at, turn) in enumerate(_chain(place)):
            self._enter(depth, call)
            self._move(depth, at, turn)
        del self._levels[depth + 1 :]
        self._levels[depth].container.items.append(item)

    def _enter(self, depth: int, call: Call) -> None:
        """Hold that the level at this depth is that of the call."""
        if depth < len(self._levels) and self._levels[depth].call is call:
            return
        del self._levels[depth:]
        if depth == 0:
            fold = self.root
        else:
            around = self._levels[depth - 1]
            fold = around.container
            if not is_comprehension(call.code):
                made = Fold("function", function_of(call).rpartition(".")[2], Place(around.call, call.at, 0))
                fold.items.append(made)
                fold = made
        self._levels.append(_Level(call, fold))

    def _move(self, depth: int, at: int, turn: int) -> None:
        """Let the call at this depth go on to an instruction: into and out of loops, on to their next steps."""
        level = self._levels[depth]
        if turn == level.turn and at == level.at:
            return
        site = self._places.site(level.call, at)
        same = 0
        while same < min(len(level.loops), len(site.loops)) and level.loops[same].node is site.loops[same]:
            same += 1
        before = len(level.loops), level.container
        del level.loops[same:]
        back = at < level.at or (at == level.at and not site.again)
        if same and (back or site.excludes(self._places.site(level.call, level.at))):
            level.loops[-1].go_on()
        for node in site.loops[same:]:
            fold = Fold("loop", _head(node), (level.call, node.lineno))
            level.container.items.append(fold)
            level.loops.append(_Loop(node, fold))
        level.at, level.turn = at, turn
        if (len(level.loops), level.container) != before:
            del self._levels[depth + 1 :]


def _chain(place: Place) -> list[tuple[Call, int, int]]:
    """The calls in which something happened, outermost first, each with its instruction and turn then."""
    call: Call | None = place.call
    chain = []
    at, turn = place.at, place.turn
    while call is not None:
        chain.append((call, at, turn))
        at, turn, call = call.at, call.turn, call.parent
    chain.reverse()
    return chain[:DEEP]


def _head(node: Any) -> str:
    """A loop's head as the user wrote it."""
    if isinstance(node, ast.While):
        text = f"while {ast.unparse(node.test)}"
    else:
        head = node if isinstance(node, ast.For | ast.AsyncFor) else node.generators[0]
        target = head.target
        each = ", ".join(map(ast.unparse, target.elts)) if isinstance(target, ast.Tuple) else ast.unparse(target)
        text = f"for {each} in {ast.unparse(head.iter)}"
    return text if len(text) <= HEAD else text[: HEAD - 1].rstrip() + "…"

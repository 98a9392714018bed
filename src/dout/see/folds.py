"""The tree of groups: what a fold is, and how folds are simplified and numbered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .drawn import Drawn

#: A level with more things than this is hard to read.
MANY = 60


class Fold:
    """Things that can be folded into one.

    Attributes:
        kind: "layer", "function", "loop", "step", "repeat" or "chunk"; inputs are in chunks.
        name: what it is called.
        items: operations and folds, in the order in which they ran. Constants go with the operation that uses them.
        place: where it was called or where it stands, for those who look it up.
        count: how many like parts it has, if that is to be said.
        opened: for a layer, its primitives and what its own backward gave.
        first, end: the numbers of the first operation in it and of the one after its last.
        outside: the operations and inputs outside that feed it, in order of use.
        size: how many nodes are within, constants among them.
        id: its number in the description.
        parent: the fold around it.
        open: whether it starts open.
        shipped: whether its inside is in the description.
    """

    __slots__ = (
        "count", "end", "first", "id", "items", "kind", "name", "open", "opened", "outside", "parent", "place", "shipped",
        "size",
    )  # fmt: skip

    def __init__(self, kind: str, name: str, place: Any = None) -> None:
        self.kind = kind
        self.name = name
        self.items: list[Item] = []
        self.place = place
        self.count: int | None = None
        self.opened: Any = None
        self.first = self.end = 0
        self.outside: tuple[Drawn, ...] = ()
        self.size = 0
        self.id = -1
        self.parent: Fold | None = None
        self.open = False
        self.shipped = True


#: What stands at a level.
Item = Drawn | Fold


def simplify(fold: Fold) -> None:
    """Take away folds that say nothing: steps and functions of one operation, loops of one step, a wrapper's frame."""
    for item in _below(fold):  # innermost first
        if item.kind == "loop":
            item.count = len(item.items)  # its steps
        items: list[Item] = []
        for child in item.items:
            only = child.items[0] if isinstance(child, Fold) and len(child.items) == 1 else None
            if isinstance(child, Fold) and _says_nothing(child):
                items += only.items if isinstance(only, Fold) and only.kind == "step" else child.items
            else:
                items.append(child)
        item.items = items
        if item.kind == "layer":
            unwrap(item)


def _below(fold: Fold) -> list[Fold]:
    """A fold and all folds within, the innermost first."""
    found = [fold]
    for one in found:  # it grows while we go along
        found += [item for item in one.items if isinstance(item, Fold)]
    return found[::-1]


def _says_nothing(fold: Fold) -> bool:
    if fold.kind == "layer" or len(fold.items) != 1:
        return False
    only = fold.items[0]
    return not (fold.kind == "function" and isinstance(only, Fold) and only.kind == "loop")


def unwrap(fold: Fold) -> None:
    """Take away frames around everything."""
    while len(fold.items) == 1:
        only = fold.items[0]
        if not isinstance(only, Fold) or only.kind not in ("function", "step"):
            return
        fold.items = only.items


def folds_in(fold: Fold) -> Iterator[Fold]:
    """All folds within, outermost first, in order."""
    stack = [iter(fold.items)]
    while stack:
        for item in stack[-1]:
            if isinstance(item, Fold):
                yield item
                stack.append(iter(item.items))
                break
        else:
            stack.pop()


def measure(fold: Fold) -> None:
    """Fill in what is known of each fold from what is in it: its place among the operations, its size, what feeds it."""
    for one in _below(fold):
        if not one.items:
            continue  # the root of a picture without operations
        one.first, one.end = first_of(one.items[0]), end_of(one.items[-1])
        one.size = sum(_size(item) for item in one.items)
        outside: dict[Drawn, None] = {}
        for item in one.items:
            for source in sources(item):
                if source.kind == "input" or not one.first <= source.id < one.end:
                    outside[source] = None
        one.outside = tuple(outside)
        for item in one.items:
            if isinstance(item, Fold):
                item.parent = one


def first_of(item: Item) -> int:
    """The number of an item's first operation."""
    return item.first if isinstance(item, Fold) else item.id


def end_of(item: Item) -> int:
    """The number of the operation after an item's last."""
    return item.end if isinstance(item, Fold) else item.id + 1


def sources(item: Item) -> tuple[Drawn, ...]:
    """What feeds an item from outside; constants are not counted."""
    if isinstance(item, Fold):
        return item.outside
    return tuple(dict.fromkeys(edge.source for edge in item.ins if edge.source.kind != "constant"))


def _size(item: Item) -> int:
    if isinstance(item, Fold):
        return item.size
    return 1 + sum(edge.source.kind == "constant" for edge in item.ins)

"""Many inputs: those that came in one container are folded, as deep as its containers go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from .drawn import Drawn
from .folds import MANY, Fold, Item

#: A container with no more inputs than this isn't folded.
SEVERAL = 8
#: The parts of a name such as `net['w'][0].bias`.
_PART = re.compile(r"\['(?:[^'\\]|\\.)*'\]|\[[^\]]*\]|\.\w+|[^.\[]+")


def folded_inputs(inputs: Sequence[Drawn]) -> list[Item]:
    """The inputs of a picture, folded by their names; nothing if there are few, which stand alone.

    Example:
        >>> ws = [Drawn("input", None, 0.0) for _ in range(100)]
        >>> for i, w in enumerate(ws):
        ...     w.name = f"ws[{i // 50}][{i % 50}]"
        >>> [(fold.name, fold.count, [item.name for item in fold.items]) for fold in folded_inputs(ws)]
        [('ws', 100, ['ws[0]', 'ws[1]'])]
    """
    if len(inputs) <= MANY:
        return []
    items = _folded([(_PART.findall(one.name or "…"), one) for one in inputs], 0)
    alone = [item for item in items if isinstance(item, Drawn)]
    if len(alone) <= MANY:
        return [item for item in items if isinstance(item, Fold)]
    rest = Fold("chunk", f"{alone[0].name or '…'}–{alone[-1].name or '…'}")
    rest.items, rest.count = list(alone), len(alone)
    return [*(item for item in items if isinstance(item, Fold)), rest]


def _folded(named: Sequence[tuple[list[str], Drawn]], depth: int) -> list[Item]:
    items: list[Item] = []
    for part, group in groupby(named, key=lambda pair: pair[0][depth] if depth < len(pair[0]) else ""):
        inside = list(group)
        if len(inside) <= SEVERAL or not part:
            items += [one for _, one in inside]
            continue
        fold = Fold("chunk", "".join(inside[0][0][: depth + 1]))
        fold.items = _folded(inside, depth + 1) if len(inside) > MANY else [one for _, one in inside]
        fold.count = len(inside)
        while len(fold.items) == 1 and isinstance(fold.items[0], Fold):
            fold.items = fold.items[0].items
        items.append(fold)
    return items

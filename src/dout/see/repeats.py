"""Making long levels short: like blocks in a row become one fold, and what is still too long is cut into chunks.

Blocks are alike if they have the same operations, wired alike: each input comes from the same number of things before, or
from outside. Arrows cross the borders of folds, so that connections which skip blocks stay.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .drawn import Drawn
from .folds import MANY, Fold, Item, end_of, first_of, sources

#: The longest block that is looked for, in things at its level, and how many there must be of it.
LONGEST, FEWEST = 48, 3
#: How far back a wire is followed, for blocks of up to so many things: what comes from further is as if from outside.
REACH = {1: 2, 4: 8, 16: 32, LONGEST: 2 * LONGEST}
#: What more than so many things use is as if it came from outside.
SHARED = 4
#: How many chunks a level is cut into, about.
CHUNKS = 40


class Alike:
    """Numbers that are equal for things of the same form."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._folds: dict[Fold, int] = {}

    def number(self, form: Any) -> int:
        """The number of a form."""
        return self._numbers.setdefault(form, len(self._numbers))

    def of(self, item: Item) -> int:
        """The number of an operation's or a fold's form, without what feeds it."""
        if isinstance(item, Drawn):
            return self.number(("op", item.kind, item.op, item.sign))
        found = self._folds.get(item)
        if found is None:
            form = (
                item.kind == "layer",
                item.name if item.kind in ("layer", "function") else "",
                *self.level(item.items),
            )
            found = self._folds[item] = self.number(form)
        return found

    def level(self, items: Sequence[Item], reach: int = REACH[LONGEST]) -> list[int]:
        """For each item of a level, the number of its form together with how it is wired to those before it."""
        firsts = [first_of(item) for item in items]
        return [
            self.number((self.of(item), self._wires(i, item, items, firsts, reach))) for i, item in enumerate(items)
        ]

    def _wires(self, i: int, item: Item, items: Sequence[Item], firsts: Sequence[int], reach: int) -> tuple[int, ...]:
        wires = []
        for source in sources(item):
            j = bisect_right(firsts, source.id) - 1
            inside = (
                len(source.outs) <= SHARED and source.kind != "input" and 0 <= j < i and source.id < end_of(items[j])
            )
            wires.append(i - j if inside and i - j <= reach else 0)
        if isinstance(item, Drawn) and len(item.ins) > 1:  # x*x is wired otherwise than x*y
            wires += [len({edge.source for edge in item.ins if edge.source.kind != "constant"})]
        return tuple(wires)


def repeated(fold: Fold, alike: Alike, small: bool) -> bool:
    """Fold like blocks in a row at one level.

    Args:
        fold: the level, measured.
        alike: tells forms apart.
        small: whether the whole picture can be read as it is; then only folds are put together, such as like calls.

    Returns:
        whether anything was folded.
    """
    items = fold.items
    if (
        fold.kind in ("loop", "layer")
        or len(items) < FEWEST
        or (isinstance(items[0], Drawn) and items[0].kind == "input")
    ):
        return False
    forms = [alike.of(item) for item in items]
    if len(set(forms)) > len(forms) - FEWEST + 1:
        return False
    best = _runs(np.array(forms), items, alike)
    new: list[Item] = []
    i = 0
    while i < len(items):
        period, count = best.get(i, (0, 0))
        if period and _worth(items[i : i + period], count, small, len(items)):
            new.append(_repeat(items[i : i + period * count], period, count))
            i += period * count
        else:
            new.append(items[i])
            i += 1
    fold.items = new
    return len(new) < len(items)


def _worth(block: Sequence[Item], count: int, small: bool, n: int) -> bool:
    if any(isinstance(item, Fold) for item in block):
        return True
    return not small and (len(block) > 1 or n > MANY)


def _runs(forms: np.ndarray, items: Sequence[Item], alike: Alike) -> dict[int, tuple[int, int]]:
    """Where a row of like blocks begins: how long a block is, and how many there are. No two rows overlap."""
    n = len(forms)
    found: list[tuple[int, int, int, int]] = []  # -things covered, period, start, count
    reach, wired = 0, forms
    for period in range(1, min(LONGEST, n // FEWEST) + 1):
        needed = next(reach for longest, reach in REACH.items() if period <= longest)
        if needed != reach:
            reach, wired = needed, np.array(alike.level(items, needed))
        same = wired[period:] == wired[:-period]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], same.view(np.int8), [0]))))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            first = start  # the first block is fed by something else than a block before it
            while first > max(start - period, 0) and forms[first - 1] == forms[first - 1 + period]:
                first -= 1
            count = (end + period - first) // period
            if count >= FEWEST:
                found.append((-count * period, period, first, count))
    taken = np.zeros(n, bool)
    best: dict[int, tuple[int, int]] = {}
    for covered, period, start, count in sorted(found):
        if not taken[start : start - covered].any():
            taken[start : start - covered] = True
            best[start] = period, count
    return best


def _repeat(items: Sequence[Item], period: int, count: int) -> Fold:
    """A fold of like blocks; each block of several things is a fold of its own."""
    first = items[0]
    name = first.name if period == 1 and isinstance(first, Fold) else " ".join(_sign(item) for item in items[:period])
    made = Fold("repeat", name if len(name) <= 24 else name[:23].rstrip() + "…")
    made.count = count
    if period == 1:
        made.items = list(items)
    else:
        for k in range(count):
            block = Fold("step", f"#{k + 1}")
            block.items = list(items[k * period : (k + 1) * period])
            made.items.append(block)
    return made


def _sign(item: Item) -> str:
    return item.name if isinstance(item, Fold) else item.sign


def chunked(fold: Fold) -> bool:
    """Cut a level that is too long into consecutive chunks, and those again, until each can be read.

    Returns:
        whether it was too long.
    """
    n = len(fold.items)
    if n <= MANY:
        return False
    deep = math.ceil(math.log(n) / math.log(CHUNKS + 8))
    length = math.ceil(n ** ((deep - 1) / deep))
    bounds = _bounds(fold.items, length)
    numbered = all(isinstance(item, Fold) and item.kind == "step" for item in fold.items)
    whole: list[Item] = []
    for start, end in pairwise(bounds):
        first, last = (
            (f"#{start + 1}", f"#{end}") if numbered else (_title(fold.items[start]), _title(fold.items[end - 1], -1))
        )
        chunk = Fold("chunk", f"{first}–{last}")
        chunk.items = fold.items[start:end]
        chunked(chunk)
        whole.append(chunk)
    fold.items = whole
    return True


def _title(item: Item, place: int = 0) -> str:
    """What stands for an item's first or last operation in the name of a chunk: its number, or an input's name."""
    while isinstance(item, Fold):
        item = item.items[place]
    return str(item.number) if item.number else item.name or "…"


def _bounds(items: Sequence[Item], length: int) -> list[int]:
    """Where to cut: about every so many things, where the fewest values cross."""
    n = len(items)
    firsts = [first_of(item) for item in items]
    crossing = np.zeros(n + 1, int)
    last: dict[Drawn, int] = {}
    for i, item in enumerate(items):
        for source in sources(item):
            if source.kind != "input":
                last[source] = i
    for source, i in last.items():
        j = bisect_right(firsts, source.id) - 1
        if j >= 0:
            crossing[j + 1] += 1
            crossing[min(i + 1, n)] -= 1
    crossing = np.cumsum(crossing)
    bounds = [0]
    reach = length // 4
    while n - bounds[-1] > length + reach:
        wanted = bounds[-1] + length
        near = range(wanted - reach, wanted + reach + 1)
        bounds.append(min(near, key=lambda b: (crossing[b], abs(b - wanted))))
    return [*bounds, n]

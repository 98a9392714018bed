"""Buffers that a program's writes have made, which later writes may go on filling: who still needs what lies in them.

The first write into an array copies it, into a buffer of the program's own. The next one overwrites entries of that, if
nobody asks for the old array after it. Views of the old array that are still asked for are copied before, as long as they
are small. Nothing else is ever written to twice: not arguments, not what the function holds, not what NumPy made.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .late import Order
from .places import Place, own
from .plan import Read


class Region(NamedTuple):
    """Entries of a buffer, as a statement writes them."""

    extents: tuple[int, ...]
    write: Read


class Owned:
    """What lies in the buffers that writes made.

    Args:
        order: the order in which values are entered.

    Attributes:
        now: the place in that order of the value that is entered.
        held: for each buffer, the values that lie in it and may still be asked for.
        names: buffers that get another number when all is written: that of the result that lies there.
    """

    def __init__(self, order: Order) -> None:
        self.now = 0
        self.names: dict[int, int] = {}
        self._last = order.last
        self._end = len(order.values)
        self.held: dict[int, list[int]] = {}
        self._unclean: dict[int, list[Region]] = {}
        self._writes: dict[int, int] = {}
        self._stands: dict[int, int] = {}
        self._fixed: set[int] = set()

    def make(self, b: int) -> None:
        """Enter a buffer that a write makes."""
        self.held[b] = []
        self._unclean[b] = []
        self._writes[b] = 0

    def enter(self, i: int, place: Place | None) -> None:
        """Note where a value lies."""
        if place is not None and place.buffer in self.held:
            self.held[place.buffer].append(i)
            self._stands[i] = self._writes[place.buffer]

    def keep(self, i: int) -> None:
        """Let a value be needed to the end."""
        self._last[i] = self._end

    def verify(self, i: int, place: Place) -> None:
        """Hold that what a value in such a buffer was is still there.

        Raises:
            ValueError: if it was overwritten.
        """
        if self._stands[i] != self._writes[place.buffer]:
            raise ValueError(f"%{i} is read, which was overwritten in the buffer of %{place.buffer}")

    # Writing into what is there

    def in_the_way(self, i: int, place: Place) -> list[int] | None:
        """The values that have to be copied before a value is overwritten; None if that one can't be."""
        if place.buffer not in self.held or not _is_one_to_one(place):
            return None
        held = self.held[place.buffer] = [v for v in self.held[place.buffer] if self._last[v] > self.now]
        return None if i in held else held

    def overwrite(self, b: int) -> None:
        """Note that a buffer's entries change. What is still needed of them has been copied."""
        self.held[b] = []
        self._writes[b] += 1

    # Zeros with a sign

    def unclean(self, b: int, region: Region) -> None:
        """Note that there may be -0.0 in a region."""
        self._unclean[b].append(region)

    def clean(self, b: int) -> list[Region]:
        """Where -0.0 may be, to which 0 has to be added, for that is what a sum with zeros does."""
        found, self._unclean[b] = self._unclean[b], []
        return found

    # Names

    def fix(self, b: int) -> int | None:
        """Let a buffer keep its number; returns the result that was to lie in it, if there is one."""
        self._fixed.add(b)
        return self.names.pop(b, None)

    def name(self, i: int, place: Place, size: int) -> bool:
        """Let a buffer of a size have the number of a result that fills it, if that can be."""
        b = place.buffer
        if b not in self.held or b in self._fixed or b in self.names:
            return False
        if place != own(b, place.shape) or math.prod(place.shape) != size:
            return False
        self.names[b] = i
        self.keep(i)
        return True


def _is_one_to_one(place: Place) -> bool:
    """Whether no two entries of a place are the same memory, as far as is easily seen."""
    reach = 0
    for stride, n in sorted((abs(s), n) for s, n in zip(place.strides, place.shape, strict=True) if n > 1):
        if stride <= reach:
            return False
        reach += stride * (n - 1)
    return True


def overlap(x: Place, y: Place) -> bool:
    """Whether two places may have entries in common, as far as is easily seen."""
    if x.buffer != y.buffer:
        return False
    (low, high), (first, last) = _reach(x), _reach(y)
    return low <= last and first <= high


def _reach(place: Place) -> tuple[int, int]:
    """The first and the last entry."""
    steps = [s * (n - 1) for s, n in zip(place.strides, place.shape, strict=True)]
    return place.offset + sum(min(0, s) for s in steps), place.offset + sum(max(0, s) for s in steps)


def is_small(places: list[Place], size: int) -> bool:
    """Whether copying some places is less than copying a buffer of a size."""
    return 2 * sum(math.prod(p.shape) for p in places) <= size

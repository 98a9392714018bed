"""A repetition fitted to what its operations read: what is carried, what is an entry of a stack, where it starts.

Reads that don't fit at one end shorten the repetition: steps that read elsewhere stay outside.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .program import Value
from .roll_repeats import Found, Operations

#: A value is carried over at most so many steps.
_FARTHEST = 32
#: Entries of separate values that are put into stacks: at each call, or once if they are constants.
_MOST_COPIED, _MOST_CONSTANT = 1 << 14, 1 << 22
#: So many elementwise operations on arrays with more entries than this are left for one fused loop.
_FUSED, _LARGE = 1500, 1000


class Slot(NamedTuple):
    """What one input of one operation in a body reads.

    Attributes:
        kind: "own": the value at `at` of the same step. "carried": that of `far` steps before. "same": a position before the
            loop, or what is from outside. "entry": the value at `at` of another loop, entry `first` and `far` further
            at each step. "various": the positions in `which`.
    """

    kind: str
    at: int
    far: int = 0
    first: int = 0
    loop: int = -1
    which: Any = None


class _Cut(Exception):
    """Steps at the start that don't fit, and how many steps do after those at most."""

    def __init__(self, skip: int, most: int) -> None:
        self.skip = skip
        self.most = most


class Fitted:
    """A repetition with what it reads.

    Attributes:
        start, period, n: where it is.
        slots: for each operation of the window, its inputs.
    """

    def __init__(self, seq: Operations, start: int, period: int, n: int, slots: list[list[Slot]]) -> None:
        self.seq = seq
        self.start = start
        self.period = period
        self.n = n
        self.slots = slots

    @property
    def end(self) -> int:
        """The position after it."""
        return self.start + self.n * self.period

    def value(self, o: int) -> Value:
        """The value at a place of the window, as it is in the first step."""
        found: Value = self.seq.values[self.seq.at[self.start + o]]
        return found

    def initial(self, o: int, far: int) -> int:
        """The position that stands for the value of so many steps before the first."""
        return self.start + o - far * self.period

    def reads(self) -> set[int]:
        """Positions outside of it that it reads, but for stacks."""
        found: set[int] = set()
        for slot in (s for slots in self.slots for s in slots):
            if slot.kind == "same":
                found.add(slot.at)
            elif slot.kind == "carried":
                found.update(self.initial(slot.at, q) for q in range(1, slot.far + 1))
            elif slot.kind == "various":
                found.update(slot.which.tolist())
        return found

    def stacks(self) -> set[tuple[int, int]]:
        """Loops and places in them whose stacks it reads."""
        return {(s.loop, s.at) for slots in self.slots for s in slots if s.kind == "entry"}

    def carries_several(self) -> bool:
        """Whether a value that is several in one is carried."""
        return any(
            slot.kind in ("carried", "various") and type(self._form_of(slot).shape) is not tuple
            for slots in self.slots
            for slot in slots
        )

    def _form_of(self, slot: Slot) -> Value:
        return self.value(slot.at) if slot.kind == "carried" else at_position(self.seq, int(slot.which[0]))


def at_position(seq: Operations, position: int) -> Value:
    """The value at a position, or from outside."""
    found: Value = seq.values[-1 - position if position < 0 else seq.at[position]]
    return found


def fitted(seq: Operations, found: Found, loops: list[Fitted], least_n: int, least_saved: int) -> Fitted | None:
    """A repetition, cut where fewest values cross, and shortened to the steps whose reads fit; None if those are too few."""
    start, period, end = found.start, found.period, found.start + found.n * found.period + found.rest
    start += _best_cut(seq, found, least_n)
    n = (end - start) // period
    for _ in range(100):
        if n < least_n or (n - 1) * period < least_saved:
            return None
        try:
            slots = [_slots(seq, start, period, n, o, loops) for o in range(period)]
        except _Cut as cut:
            start += cut.skip * period
            n = min(n - cut.skip, cut.most)
            continue
        loop = Fitted(seq, start, period, n, slots)
        return loop if _is_worth_it(loop) else None
    return None


def _is_worth_it(loop: Fitted) -> bool:
    """Whether a loop is better than its steps written out.

    It is not if much would have to be copied into stacks at each call, as the weights of layers. And steps of nothing but
    elementwise operations on large arrays are better fused into one loop over the entries, unless there are too many.
    """
    for slot in (s for slots in loop.slots for s in slots if s.kind == "various"):
        values = [at_position(loop.seq, int(w)) for w in slot.which[:1]]
        entries = loop.n * math.prod(values[0].shape) if type(values[0].shape) is tuple else 0
        if entries > (_MOST_CONSTANT if values[0].is_constant() else _MOST_COPIED):
            return False
    if loop.n * loop.period > _FUSED:
        return True
    steps = [loop.value(o) for o in range(loop.period)]
    large = any(type(v.shape) is tuple and math.prod(v.shape) > _LARGE for v in steps)
    return not (large and all(v.op is not None and v.op.elementwise for v in steps))


def _best_cut(seq: Operations, found: Found, least_n: int) -> int:
    """How much later to start, so that few values are carried over the end of a step."""
    start, p = found.start, found.period
    first, last = seq.offset[start], seq.offset[start + p]
    lag = int(seq.offset[start + p] - first)
    read = seq.args[first:last]
    moves = seq.args[first + lag : last + lag] - read
    place = np.repeat(np.arange(p), np.diff(seq.offset[start : start + p + 1]))
    distance = start + place - read
    own = (read >= 0) & (moves == p) & (distance <= _FARTHEST * p)
    longest = np.zeros(p, np.int64)
    np.maximum.at(longest, (place - distance)[own] % p, distance[own])
    change = np.zeros(2 * p + 2, np.int64)
    where = np.flatnonzero(longest % p)
    np.add.at(change, where + 1, 1)
    np.add.at(change, where + longest[where] % p + 1, -1)
    crossing = np.cumsum(change)
    crossing = crossing[:p] + crossing[p : 2 * p]
    if found.n - 1 < least_n:
        crossing[found.rest + 1 :] = 1 << 40
    best = int(np.argmin(crossing))
    if best > found.rest:  # a step fewer: only if it's worth it
        near = int(np.argmin(crossing[: found.rest + 1]))
        if crossing[near] <= crossing[best]:
            return near
    return best


def _slots(seq: Operations, start: int, p: int, n: int, o: int, loops: list[Fitted]) -> list[Slot]:
    """What the operation at a place of the window reads.

    Raises:
        _Cut: if that fits some of the steps only.
    """
    i = start + o
    first, last = int(seq.offset[i]), int(seq.offset[i + 1])
    lag = int(seq.offset[start + p] - seq.offset[start])
    slots = []
    for j in range(first, last):
        a, b = int(seq.args[j]), int(seq.args[j + lag])
        if a < 0:
            which = seq.args[j : j + lag * (n - 1) + 1 : lag]
            slots.append(Slot("same", a) if (which == a).all() else Slot("various", 0, which=which))
            continue
        moves = b - a
        if moves == 0:
            if a >= start:
                raise _Cut(1 + (a - start) // p, n)
            slots.append(Slot("same", a))
            continue
        far = -((o - (i - a)) // p)  # how many steps before
        if moves == p and far < n:
            slots.append(_own(seq, start, p, n, a, far, i))
        else:
            slots.append(_elsewhere(seq, start, p, n, a, moves, loops))
    return slots


def _own(seq: Operations, start: int, p: int, n: int, a: int, far: int, i: int) -> Slot:
    at = a - start + far * p
    if far <= 0:
        return Slot("own", at)
    if far > _FARTHEST:
        raise _Cut(0, far)
    source = _form(seq.values[seq.at[start + at]])
    for k in range(far):
        if a + k * p < 0 or _form(seq.values[seq.at[a + k * p]]) != source:
            raise _Cut(1, n)
    return Slot("carried", at, far)


def _elsewhere(seq: Operations, start: int, p: int, n: int, a: int, moves: int, loops: list[Fitted]) -> Slot:
    if moves > 0 and a + (n - 1) * moves >= start:
        raise _Cut(0, -((a - start) // moves))
    if moves < 0 and a >= start:
        raise _Cut(1 + (a - start) // (p - moves), n)
    middle = a + (n // 2) * moves
    for k, loop in enumerate(loops):
        if loop.start <= middle < loop.end and moves % loop.period == 0:
            first, at = divmod(a - loop.start, loop.period)
            far = moves // loop.period
            inside = (loop.n - 1 - first) // far if far > 0 else first // -far  # the last step that reads inside
            skip = 0
            if far > 0 and first < 0:
                skip = -(first // far)
            elif far < 0 and first >= loop.n:
                skip = -((loop.n - 1 - first) // -far)
            steps = min(n, inside + 1) - skip
            if steps < n and n - steps <= max(4, n // 8):
                raise _Cut(skip, steps)
            if steps == n:
                return Slot("entry", at, far, first, k)
    which = a + np.arange(n) * moves
    forms = {_form(seq.values[seq.at[w]]) for w in which.tolist()}
    if len(forms) > 1:
        raise _Cut(0, 0)
    return Slot("various", 0, which=which)


def _form(value: Value) -> Any:
    shape = value.shape if type(value.shape) is tuple else None
    return shape, type(value.dtype), value.dtype, value.array

"""Arrays to which each step of a loop adds one row, as the derivative of `x[t]` does: rows are stacked, and added once.

`total = total + scatter(row, t)` would make an array as large as the total in each step. No step reads what the others
added, so the rows can wait until the loop has ended. Adding 0 to all other rows changes nothing but -0.0, to 0.0; the one
addition at the end does that too. So results stay the same bit for bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..graph import Primitive
from .roll_fit import Fitted, Slot


class Part(NamedTuple):
    """A row that each step adds.

    Attributes:
        scatter: the place of the operation in the window.
        op: the operation.
        key: what it is called with to add all rows at once.
        at: which part of the key moves.
        axis: along which axis the rows lie, in what that key reads.
        row: what the row is.
    """

    scatter: int
    op: Primitive
    key: Any
    at: int
    axis: int
    row: Slot


class Sum(NamedTuple):
    """A total, and the rows that are added to it.

    Attributes:
        last: the place of the last addition in the window.
        adds: the places of all.
        parts: in the order in which a row of the total meets them.
    """

    last: int
    adds: list[int]
    parts: list[Part]


def sums(loop: Fitted, gives: set[tuple[int, bool]]) -> list[Sum]:
    """The totals of a loop that only their last step is asked for."""
    readers: dict[int, list[int]] = {}
    for o, slots in enumerate(loop.slots):
        for slot in slots:
            if slot.kind in ("own", "carried"):
                readers.setdefault(slot.at, []).append(o)
    given = {o for o, _ in gives}
    found = []
    for o, slots in enumerate(loop.slots):
        if any(s.kind == "carried" and s.far == 1 and len(readers[s.at]) == 1 for s in slots):
            one = _total(loop, o, readers, given, gives)
            if one is not None:
                found.append(one)
    return found


def _total(loop: Fitted, first: int, readers: dict[int, list[int]], given: set[int], gives: Any) -> Sum | None:
    """The chain of additions that begins at a place of the window."""
    adds: list[int] = []
    parts: list[Part] = []
    at = first
    while True:
        value, slots = loop.value(at), loop.slots[at]
        if value.op is None or value.op.name != "add" or len(slots) != 2:
            return None
        total = (
            0 if not adds and slots[0].kind == "carried" else 1 if not adds else int(slots[0] != Slot("own", adds[-1]))
        )
        before, row = slots[total], slots[1 - total]
        if row.kind != "own" or readers[row.at] != [at] or row.at in given:
            return None
        part = _part(loop, row.at)
        if part is None or loop.value(row.at).shape != value.shape or loop.value(row.at).dtype != value.dtype:
            return None
        adds.append(at)
        parts.append(part)
        if not adds[1:]:
            start = before
        if start.at == at:  # carried to the next step
            break
        if len(readers.get(at, ())) != 1 or at in given:
            return None
        at = readers[at][0]
        if at <= adds[-1]:
            return None
    if start.kind != "carried" or (at, True) in gives:
        return None
    steps = {(p.at, _sign(p), abs(_moves(p))) for p in parts}
    if len(steps) != 1:
        return None
    sign = _sign(parts[0])
    return Sum(at, adds, sorted(parts, key=lambda p: -sign * _start(p)))


def _slice(part: Part) -> slice:
    found: slice = part.key[part.at]
    return found


def _start(part: Part) -> int:
    return int(_slice(part).start)


def _moves(part: Part) -> int:
    return int(_slice(part).step)


def _sign(part: Part) -> int:
    return 1 if _moves(part) > 0 else -1


def _part(loop: Fitted, o: int) -> Part | None:
    """A row that is scattered to a place along an axis that moves."""
    value = loop.value(o)
    if value.op is None or value.op.name != "scatter":
        return None
    key = value.params["key"]
    parts = key if type(key) is tuple else (key,)
    seq, position = loop.seq, loop.start + o
    numbers, later = seq.moved(position, 1).tolist(), seq.moved(position + loop.period, 1).tolist()
    different = [x != y for x, y in zip(numbers, later, strict=True)]
    if sum(different) != 1 or any(type(p) not in (int, slice) for p in parts):
        return None
    taken = iter(different)
    moving = [
        next(taken) if type(p) is int else any([next(taken) for x in (p.start, p.stop, p.step) if x is not None])
        for p in parts
    ]
    at = moving.index(True)
    if type(parts[at]) is not int:
        return None
    first = parts[at]
    step = later[different.index(True)] - first
    last = first + (loop.n - 1) * step
    if (first < 0) != (last < 0):
        return None
    if first < 0:
        first, last = first + value.shape[at], last + value.shape[at]
    end = last + (1 if step > 0 else -1)
    rows = slice(first, None if end < 0 else end, step)
    axis = sum(type(p) is slice for p in parts[:at])
    return Part(o, value.op, (*parts[:at], rows, *parts[at + 1 :]), at, axis, loop.slots[o][0])

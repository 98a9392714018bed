"""Where a program repeats itself: a window of operations that comes again and again, with inputs that move evenly.

Every operation has a code: what it is, with which parameters, of which form. Windows with the same codes are found by
hashing. Then the inputs are compared: from one window to the next, each has to move by the same distance each time, or to
stay, or to be another number from outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ..graph import NO_PARAMS
from .program import Program, Value
from .roll_loops import Loop, Moving

#: So many operations in a row are hashed to find windows.
_WIDTH = 16
#: So many distances between equal windows are tried.
_TRIED = 12
#: Up to so many times such a distance is tried.
_MULTIPLES = 12
#: An input this near counts as part of what an operation is, when windows are looked for.
_NEAR = 64
#: Operations whose whole numbers may move from step to step.
_MOVING = {"getitem", "scatter", "write"}


class Found(NamedTuple):
    """A repetition: from position `start`, a window of `period` operations, `n` times.

    There may be `rest` more operations that go on in the same way, so that it could start as much later.
    """

    start: int
    period: int
    n: int
    rest: int

    @property
    def saved(self) -> int:
        """How many operations fewer there are when it is rolled."""
        return (self.n - 1) * self.period


class Operations:
    """The operations of a program, in order, as arrays of numbers.

    A position is the place of an operation among the operations; what is from outside, an input or a constant, is
    -1 minus its number in the program.

    Attributes:
        values: the program's values.
        at: for each position, the value's number.
        code: for each position, what operation it is.
        offset: where each position's inputs begin in `args`.
        args: positions, or what is from outside.
        numbers_offset: where each position's whole numbers begin in `numbers`.
        numbers: the whole numbers among the parameters that may move.
        outside: for each value's number, the code of its form, if it is from outside and may be another in each step.
    """

    def __init__(self, program: Program) -> None:
        values = self.values = program.values
        self._codes: dict[Any, int] = {}
        position: list[int] = [0] * len(values)
        at: list[int] = []
        code: list[int] = []
        args: list[tuple[int, ...]] = []
        numbers: list[int] = []
        numbers_offset: list[int] = [0]
        outside = np.full(len(values), -1)
        codes = self._codes
        for i, v in enumerate(values):
            op = v.op
            if op is None:
                position[i] = -1 - i
                outside[i] = self._outside(v, i)
                continue
            params = v.params
            how: Any = None
            if params and params is not NO_PARAMS:
                how = self._how(v, numbers)
            shape = v.shape if type(v.shape) is tuple else tuple(map(tuple, v.shape))
            key = (op, len(v.args), shape, type(v.dtype), v.dtype, v.array, how)
            position[i] = len(at)
            at.append(i)
            code.append(codes.setdefault(key, len(codes)))
            args.append(v.args)
            numbers_offset.append(len(numbers))
        self.position = np.array(position, np.int64)
        self.at = np.array(at, np.int64)
        self.code = np.array(code, np.int64)
        self.offset = np.zeros(len(at) + 1, np.int64)
        self.offset[1:] = np.cumsum(np.fromiter(map(len, args), np.int64, len(args)))
        flat = np.fromiter(chain.from_iterable(args), np.int64, int(self.offset[-1]))
        self.args = self.position[flat] if len(flat) else flat
        self.numbers_offset = np.array(numbers_offset, np.int64)
        self.numbers = np.array(numbers, np.int64)
        self.outside = outside

    def __len__(self) -> int:
        return len(self.at)

    def _outside(self, value: Value, i: int) -> int:
        if value.captured or value.op is not None or type(value.shape) is not tuple:
            return -1
        key = (None, value.input is None, value.shape, type(value.dtype), value.dtype, value.array)
        return self._codes.setdefault(key, len(self._codes))

    def _how(self, value: Value, numbers: list[int]) -> Any:
        """The parameters as a key, without the numbers that may move; those are noted."""
        assert value.op is not None
        params = value.params
        if value.op.name in _MOVING and type(params.get("key")) is int and len(params) == 2 and "shape" in params:
            numbers.append(params["key"])  # by far the most frequent
            return "#", params["shape"]
        loop = params.get("loop")
        if isinstance(loop, Loop):
            return loop_key(loop)
        try:
            if value.op.name in _MOVING:
                before = len(numbers)
                key = _apart(dict(value.params), numbers)
                hash(key)
                if all(-(1 << 40) < x < 1 << 40 for x in numbers[before:]):
                    return key
                del numbers[before:]
            return _frozen(dict(value.params))
        except TypeError:
            return object()  # like nothing else

    def moved(self, start: int, period: int) -> np.ndarray:
        """The whole numbers of a window."""
        return self.numbers[self.numbers_offset[start] : self.numbers_offset[start + period]]


def _frozen(value: Any) -> Any:
    """A parameter as a key.

    Raises:
        TypeError: if it can't be one.
    """
    kind = type(value)
    if kind is int or kind is str or kind is bool or value is None:
        return kind, value
    if kind is tuple or kind is list:
        return kind, tuple([_frozen(v) for v in value])
    if kind is slice:
        return slice, _frozen(value.start), _frozen(value.stop), _frozen(value.step)
    if type(value) is dict:
        return dict, tuple([(k, _frozen(v)) for k, v in value.items()])
    if isinstance(value, np.ndarray):
        if value.size > 4096:
            raise TypeError
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float | complex | np.inexact):
        return type(value), repr(value)  # 0.0 is not -0.0
    hash(value)
    return type(value), value


def _apart(value: Any, numbers: list[int]) -> Any:
    """A parameter as a key, with its moving numbers taken out. A shape is no index, and stays."""
    if type(value) is int or isinstance(value, np.integer):
        numbers.append(int(value))
        return "#"
    if type(value) is slice:
        return slice, _apart(value.start, numbers), _apart(value.stop, numbers), _apart(value.step, numbers)
    if type(value) is tuple:
        return tuple, tuple([_apart(v, numbers) for v in value])
    if type(value) is dict:
        return tuple([(k, _frozen(v) if k == "shape" else _apart(v, numbers)) for k, v in value.items()])
    return _frozen(value)


def filled(value: Any, numbers: Iterator[int | Moving]) -> Any:
    """A parameter with other numbers in the places of those that may move; a slice of such is a tuple."""
    if type(value) is int or isinstance(value, np.integer):
        return next(numbers)
    if type(value) is slice:
        return slice(filled(value.start, numbers), filled(value.stop, numbers), filled(value.step, numbers))
    if type(value) is tuple:
        return tuple([filled(v, numbers) for v in value])
    if type(value) is dict:
        return {k: v if k == "shape" else filled(v, numbers) for k, v in value.items()}
    return value


def loop_key(loop: Loop) -> Any:
    """A loop as a key: equal for loops that compute the same."""
    body = loop.body
    return loop.n, loop.takes, loop.gives, tuple(body.outputs), tuple([_value_key(v) for v in body.values])


def _value_key(v: Value) -> Any:
    if v.op is None:
        constant = None if v.input is not None else _frozen(v.constant) if v.array else repr(v.constant)
        made: Any = (v.input, constant, id(v.constant) if v.captured else None)
    else:
        loop = v.params.get("loop")
        made = loop_key(loop) if isinstance(loop, Loop) else _frozen(dict(v.params))
    shape = v.shape if type(v.shape) is tuple else tuple(map(tuple, v.shape))
    return v.op, v.args, made, shape, type(v.dtype), v.dtype, v.array


def repetitions(seq: Operations, least_n: int, least_saved: int) -> list[Found]:
    """Repetitions that don't overlap, those that save most first chosen; in order of position."""
    found: list[Found] = []
    tried: set[int] = set()
    for distance in _periods(seq, least_saved):
        for period in range(distance, distance * _MULTIPLES + 1, distance):
            if period in tried:
                continue
            tried.add(period)
            runs = _equal_runs(seq, period, least_n, least_saved)
            here = [f for a, b in runs for f in _even_runs(seq, period, a, b, least_n, least_saved)]
            found += here
            if 2 * sum(f.saved for f in here) >= sum(b - a for a, b in runs):
                break  # else what is alike may be parts of a larger window, such as the stages of a step
    found.sort(key=lambda f: (-f.saved, f.period, f.start))
    chosen: list[Found] = []
    for f in found:
        end = f.start + f.n * f.period + f.rest
        clear = all(end <= c.start or c.start + c.n * c.period <= f.start for c in chosen)
        if not clear:  # what is left of it beside the others
            lo = max(
                [c.start + c.n * c.period for c in chosen if c.start <= f.start < c.start + c.n * c.period] or [f.start]
            )
            hi = min([c.start for c in chosen if c.start >= lo] or [end])
            hi = min(hi, end)
            n, rest = divmod(hi - lo, f.period) if hi > lo else (0, 0)
            f = Found(lo, f.period, n, rest)
            end = hi
            if n < least_n or f.saved < least_saved:
                continue
        chosen.append(f)
    return sorted(chosen)


def _periods(seq: Operations, least_saved: int) -> list[int]:
    """Distances at which windows come again, the most frequent first."""
    m = len(seq)
    if m < 2 * _WIDTH:
        return []
    mixed = seq.code.astype(np.uint64)
    count = np.diff(seq.offset)
    owner = np.repeat(np.arange(m), count)
    back = np.where(seq.args >= 0, owner - seq.args, 0)
    near = np.where(back < _NEAR, back, _NEAR).astype(np.uint64)
    weight = np.uint64(0x9E3779B97F4A7C15) * (
        np.arange(len(near), dtype=np.uint64) - seq.offset[owner].astype(np.uint64) + np.uint64(7)
    )
    local = near * weight
    sums = np.zeros(len(local) + 1, np.uint64)
    np.cumsum(local, out=sums[1:])
    mixed = mixed * np.uint64(0xC2B2AE3D27D4EB4F) + (sums[seq.offset[1:]] - sums[seq.offset[:-1]])
    mixed ^= mixed >> np.uint64(29)
    hashed = np.zeros(m - _WIDTH + 1, np.uint64)
    for t in range(_WIDTH):
        hashed = hashed * np.uint64(0xD6E8FEB86659FD93) + mixed[t : t + len(hashed)]
    order = np.argsort(hashed, kind="stable")
    ordered = hashed[order]
    again = ordered[1:] == ordered[:-1]
    distances, times = np.unique((order[1:] - order[:-1])[again], return_counts=True)
    enough = times >= least_saved // 4
    distances, times = distances[enough], times[enough]
    best = np.argsort(-times, kind="stable")[:_TRIED]
    return [int(d) for d in distances[best]]


def _equal_runs(seq: Operations, period: int, least_n: int, least_saved: int) -> list[tuple[int, int]]:
    """From where to where each operation is the same as that a period later."""
    code = seq.code
    if len(code) <= period:
        return []
    return _runs(code[:-period] == code[period:], max((least_n - 1) * period, least_saved))


def _runs(good: np.ndarray, least: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= max(least, 1)
    return [(int(a), int(b)) for a, b in zip(starts[long], ends[long], strict=True)]


def _even_runs(seq: Operations, period: int, a: int, b: int, least_n: int, least_saved: int) -> list[Found]:
    """Within a run of equal operations, where their inputs move evenly too."""
    if b - period <= a:
        return []
    good = np.ones(b - period - a, bool)
    for offset, entries, whole in ((seq.offset, seq.args, False), (seq.numbers_offset, seq.numbers, True)):
        first, last = int(offset[a]), int(offset[b - period])
        lag = int(offset[a + period]) - first
        x, y, z = (entries[first + k * lag : last + k * lag] for k in range(3))
        even = y - x == z - y
        if not whole:
            even = np.where(
                x >= 0, even & (y >= 0) & (z >= 0), (y < 0) & (z < 0) & _alike(seq, x, y) & _alike(seq, y, z)
            )
        owner = np.repeat(np.arange(b - period - a), np.diff(offset[a : b - period + 1]))
        good[owner[~even]] = False
    found = []
    for start, end in _runs(good, max((least_n - 2) * period, 1)):
        length = end - start + 2 * period
        n, rest = divmod(length, period)
        one = Found(a + start, period, n, rest)
        if n >= least_n and one.saved >= least_saved:
            found.append(one)
    return found


def _alike(seq: Operations, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether two from outside are the same, or of the same form."""
    first = seq.outside[-1 - np.minimum(x, -1)]
    second = seq.outside[-1 - np.minimum(y, -1)]
    found: np.ndarray = (x == y) | ((first == second) & (first >= 0))
    return found

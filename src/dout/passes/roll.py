"""Long runs of like steps as loops: what Python wrote out, step by step, is rolled up again.

What a step reads of the step before is carried. What it reads of another loop's steps is an entry of their stack, forwards or
backwards, and a constant that is another in each step is an entry of a stack of constants. What is read from outside of a loop
is given out: the value of the last step, or of all steps, stacked. First and last steps that differ stay as they are.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..graph import NO_PARAMS, PICK
from .program import Check, Program, Value
from .roll_body import Body
from .roll_fit import Fitted, fitted
from .roll_loops import ENTRY, LOOP, PACKED, STACK, Give, Loop
from .roll_repeats import Found, Operations, repetitions
from .roll_rows import GETITEM, RESHAPE, TRANSPOSE, first_axis, moved_axis
from .roll_sums import Sum, sums

#: A loop has at least so many steps, and saves at least so many operations.
LEAST_STEPS = 8
LEAST_SAVED = 200


def rolled(program: Program, least_steps: int = LEAST_STEPS, least_saved: int = LEAST_SAVED) -> Program:
    """The program with its repetitions as loops; loops of loops too.

    Args:
        program: any program, best as it was recorded.
        least_steps: shorter repetitions stay.
        least_saved: so do those that save fewer operations.
    """
    for _ in range(3):
        if len(program) < least_saved:
            break
        seq = Operations(program)
        found = repetitions(seq, least_steps, least_saved)
        smaller = _rolled_once(program, seq, found, least_steps, least_saved) if found else None
        if smaller is None:
            break
        program = smaller
    return program


def _rolled_once(
    program: Program, seq: Operations, found: list[Found], least_steps: int, least_saved: int
) -> Program | None:
    while found:
        loops: list[Fitted] = []
        kept: list[Found] = []
        for one in found:
            fit = fitted(seq, one, loops, least_steps, least_saved)
            if fit is not None:
                loops.append(fit)
                kept.append(one)
        if not loops:
            return None
        rolling = _Rolling(program, seq, loops, (least_steps, least_saved))
        refused = rolling.refused()
        if not refused:
            return rolling.finish()
        found = [one for one, loop in zip(kept, loops, strict=True) if loop not in refused]
    return None


class _Rolling:
    """A new program, in which loops stand for their steps."""

    def __init__(self, program: Program, seq: Operations, loops: list[Fitted], least: tuple[int, int]) -> None:
        self.program = program
        self.seq = seq
        self.loops = loops
        self.least = least
        self.starts = [loop.start for loop in loops]
        self.values: list[Value] = []
        self.numbers: dict[int, int] = {}  # of what has a position or is from outside
        self.picks: dict[tuple[int, int, bool], int] = {}
        self.gives: list[dict[tuple[int, bool], int]] = [{} for _ in loops]
        self._stacks: dict[Any, int] = {}
        self._collect()

    # What is asked of the loops

    def loop_of(self, position: int) -> int | None:
        """Which loop a position is in."""
        k = bisect.bisect_right(self.starts, position) - 1
        return k if k >= 0 and position < self.loops[k].end else None

    def _collect(self) -> None:
        seq = self.seq
        bare = np.ones(len(seq), bool)
        for loop in self.loops:
            bare[loop.start : loop.end] = False
        count = np.diff(seq.offset)
        read = set(seq.args[np.repeat(bare, count)].tolist())
        for loop in self.loops:
            read.update(loop.reads())
            for other, o in loop.stacks():
                self._ask(other, o, True)
        read.update(int(seq.position[i]) for i in self.program.outputs)
        self.checked = self._checked()
        read.update(int(seq.position[c.value]) for c in self.checked[0])
        for inside, o, _ in self.checked[1]:
            self._ask(inside, o, True)
        for position in sorted(read):
            at = None if position < 0 else self.loop_of(position)
            if at is not None:
                step, o = divmod(position - self.loops[at].start, self.loops[at].period)
                self._ask(at, o, step != self.loops[at].n - 1)

    def _ask(self, loop: int, o: int, stacked: bool) -> None:
        self.gives[loop].setdefault((o, stacked), len(self.gives[loop]))

    def _checked(self) -> tuple[list[Check], dict[tuple[int, int, str], list[Any]]]:
        """Checks of single values, and those of a value in all steps of a loop: what is expected in each."""
        alone: list[Check] = []
        every: dict[tuple[int, int, str], dict[int, Check]] = {}
        for check in self.program.checks:
            position = int(self.seq.position[check.value])
            at = None if position < 0 else self.loop_of(position)
            if at is None:
                alone.append(check)
                continue
            step, o = divmod(position - self.loops[at].start, self.loops[at].period)
            every.setdefault((at, o, check.what), {})[step] = check
        whole: dict[tuple[int, int, str], list[Any]] = {}
        for key, checks in every.items():
            expected = [checks[k].expected for k in sorted(checks)]
            if len(checks) == self.loops[key[0]].n and _packed(expected) is not None:
                whole[key] = expected
            else:
                alone += checks.values()
        return alone, whole

    def refused(self) -> list[Fitted]:
        """Loops that would have to give out what has no form of its own."""
        return [
            loop
            for loop, gives in zip(self.loops, self.gives, strict=True)
            if any(type(loop.value(o).shape) is not tuple for o, _ in gives) or loop.carries_several()
        ]

    # The new program

    def add(self, value: Value) -> int:
        """Enter a value; gives its number."""
        self.values.append(value)
        return len(self.values) - 1

    def number(self, position: int) -> int:
        """The new number of a position's value, or of what is from outside."""
        found = self.numbers.get(position)
        if found is not None:
            return found
        if position < 0:
            old = self.program.values[-1 - position]
            found = self.add(old)
        else:
            at = self.loop_of(position)
            assert at is not None
            loop = self.loops[at]
            step, o = divmod(position - loop.start, loop.period)
            if step == loop.n - 1:
                found = self.pick(at, o, False)
            else:
                v = loop.value(o)
                params = {"at": step, "dtype": v.dtype, "array": v.array}
                found = self.add(Value(ENTRY, (self.pick(at, o, True),), params, v.shape, v.dtype, array=v.array))
        self.numbers[position] = found
        return found

    def pick(self, loop: int, o: int, stacked: bool) -> int:
        """A loop's result."""
        return self.picks[loop, o, stacked]

    def stack(self, positions: np.ndarray, floats: bool = False) -> int:
        """A stack of separate values: constants as one array, where that is what they were; as floats if asked for."""
        key = positions.tobytes(), floats
        found = self._stacks.get(key)
        if found is None:
            values = [
                self.program.values[-1 - p] if p < 0 else self.program.values[self.seq.at[p]]
                for p in positions.tolist()
            ]
            packed = None
            if all(v.is_constant() for v in values):
                packed = _packed([float(v.constant) if floats else v.constant for v in values])
            if packed is not None:
                new = Value(None, (), NO_PARAMS, packed.shape, packed.dtype, constant=packed)
            else:
                args = tuple([self.number(p) for p in positions.tolist()])
                shape = (len(args), *values[0].shape)
                new = Value(STACK, args, NO_PARAMS, shape, stack_dtype(values[0].dtype), array=True)
            found = self._stacks[key] = self.add(new)
        return found

    def finish(self) -> Program:
        """The program."""
        for i, value in enumerate(self.program.values):
            if value.input is not None:
                self.number(-1 - i)
        position = 0
        for k, loop in enumerate(self.loops):
            self._plain(position, loop.start)
            self._loop(k)
            position = loop.end
        self._plain(position, len(self.seq))
        outputs = [self.number(int(self.seq.position[i])) for i in self.program.outputs]
        alone, whole = self.checked
        checks = [Check(self.number(int(self.seq.position[c.value])), c.expected, c.what) for c in alone]
        for (k, o, what), expected in whole.items():
            packed = _packed(expected)
            assert packed is not None
            stack = self.pick(k, o, True)
            value = Value(PACKED, (stack,), NO_PARAMS, packed.shape, packed.dtype, array=True)
            checks.append(Check(self.add(value), packed, what))
        return Program(self.values, outputs, checks, self.program.n_inputs)

    def _plain(self, start: int, stop: int) -> None:
        values, at = self.program.values, self.seq.at
        for position in range(start, stop):
            old = values[at[position]]
            first, last = self.seq.offset[position], self.seq.offset[position + 1]
            read = self.seq.args[first:last].tolist()
            params = old.params
            if (
                old.op is not None
                and old.op.name == "concatenate"
                and not params["axis"]
                and len(read) >= self.least[0]
            ):
                args, params = self._joined(read, params)
            else:
                args = [self.number(p) for p in read]
            self.numbers[position] = self.add(Value(old.op, tuple(args), params, old.shape, old.dtype, array=old.array))

    def _joined(self, read: list[int], params: Any) -> tuple[list[int], Any]:
        """What is joined along the first axis, entries of a stack that follow one another as one."""
        groups: list[list[tuple[int, int, int, int]]] = []  # position, loop, place in the window, step
        for p in read:
            at = None if p < 0 else self.loop_of(p)
            step, o = (-1, -1) if at is None else divmod(p - self.loops[at].start, self.loops[at].period)
            one = (p, -1 if at is None or step == self.loops[at].n - 1 else at, o, step)
            last = groups[-1][-1] if groups else None
            if last is not None and one[1] >= 0 and last[1:3] == one[1:3] and last[3] + 1 == step:
                groups[-1].append(one)
            else:
                groups.append([one])
        args, widths = [], []
        remaining = iter(params["widths"])
        for group in groups:
            widths.append(sum(next(remaining) for _ in group))
            position, at, o, step = group[0]
            args.append(self.number(position) if len(group) == 1 else self._entries(at, o, step, len(group)))
        return args, {**params, "widths": tuple(widths)}

    def _entries(self, at: int, o: int, first: int, count: int) -> int:
        """Entries of a stack that follow one another, along their own first axis."""
        v, stack = self.loops[at].value(o), self.pick(at, o, True)
        whole = (self.loops[at].n, *v.shape)
        packed = self.add(Value(PACKED, (stack,), NO_PARAMS, whole, v.dtype, array=True))
        key = {"key": (slice(first, first + count),), "shape": whole}
        part = self.add(Value(GETITEM, (packed,), key, (count, *v.shape), v.dtype, array=True))
        shape = (count * v.shape[0], *v.shape[1:])
        how = {"shape": shape, "order": "C", "old": (count, *v.shape)}
        return self.add(Value(RESHAPE, (part,), how, shape, v.dtype, array=True))

    def rows(self, position: int, axis: int) -> int:
        """An array as a stack of its rows along an axis."""
        found = self.number(position)
        if not axis:
            return found
        key = ("rows", position, axis)
        if key not in self._stacks:
            x = self.values[found]
            axes = first_axis(axis, len(x.shape))
            shape = tuple([x.shape[a] for a in axes])
            self._stacks[key] = self.add(Value(TRANSPOSE, (found,), {"axes": axes}, shape, x.dtype, array=True))
        return self._stacks[key]

    def _loop(self, k: int) -> None:
        loop = self.loops[k]
        totals = sums(loop, set(self.gives[k]))
        body = Body(loop, self, totals)
        gives = [(o, stacked) for o, stacked in self.gives[k] if all(o != t.last for t in totals)]
        results = [Give(body.output(o), stacked) for o, stacked in gives]
        forms = [loop.value(o) for o, _ in gives]
        for part in (p for t in totals for p in t.parts):
            results.append(Give(body.output_of(part.row), True))
            forms.append(body.form_of(part.row))
        made = Loop(body.program(rolled, self.least), loop.n, tuple(body.takes), tuple(results)).verify()
        shapes = [(loop.n, *v.shape) if give.stacked else v.shape for v, give in zip(forms, results, strict=True)]
        whole = self.add(Value(LOOP, tuple(body.args), {"loop": made}, shapes, tuple))
        picks = []
        for g, (v, give) in enumerate(zip(forms, results, strict=True)):
            dtype = stack_dtype(v.dtype) if give.stacked else v.dtype
            pick = Value(PICK, (whole,), {"i": g}, shapes[g], dtype, array=give.stacked or v.array)
            picks.append(self.add(pick))
        for (o, stacked), number in zip(gives, picks, strict=False):
            self.picks[k, o, stacked] = number
        rows = iter(picks[len(gives) :])
        for total in totals:
            self.picks[k, total.last, False] = self._summed(loop, total, rows)

    def _summed(self, loop: Fitted, total: Sum, rows: Iterator[int]) -> int:
        """A total, to which stacked rows are added."""
        found = self.number(loop.initial(total.last, 1))
        last = loop.value(total.last)
        for part in total.parts:
            number = next(rows)
            stack = self.values[number]
            packed = self.add(Value(PACKED, (number,), NO_PARAMS, stack.shape, stack.dtype, array=True))
            if part.axis:
                axes = moved_axis(part.axis, len(stack.shape))
                shape = tuple([stack.shape[a] for a in axes])
                packed = self.add(Value(TRANSPOSE, (packed,), {"axes": axes}, shape, stack.dtype, array=True))
            params = {"key": part.key, "shape": last.shape}
            added = self.add(Value(part.op, (packed,), params, last.shape, last.dtype, array=last.array))
            found = self.add(Value(last.op, (found, added), NO_PARAMS, last.shape, last.dtype, array=last.array))
        return found


def stack_dtype(dtype: Any) -> np.dtype:
    """The dtype of a stack of values."""
    return np.dtype(object if dtype is int else dtype)


def _packed(values: list[Any]) -> np.ndarray | None:
    """Numbers or arrays of one form as an array, if each can be read from it again as it was."""
    first = values[0]
    kind = type(first)
    if any(type(v) is not kind for v in values):
        return None
    if kind is np.ndarray:
        if any(v.dtype != first.dtype or v.shape != first.shape or not v.flags.c_contiguous for v in values):
            return None
        return np.stack(values)
    if kind in (float, bool, complex) or (isinstance(first, np.generic) and first.dtype.kind in "fciub"):
        return np.array(values)
    if kind is int and all(abs(v) < 1 << 62 for v in values):
        return np.array(values, np.int64)
    return None

"""The body of a loop: the operations of one window, with inputs for what they read from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ..graph import NO_PARAMS
from .program import Program, Value
from .roll_fit import Fitted, Slot, at_position
from .roll_loops import STEPPED, Moving, Take
from .roll_repeats import Operations, filled
from .roll_rows import GETITEM, row
from .roll_sums import Sum

#: Operations that give the same for an int as for the float that it is, if the other input is a float.
_ARITHMETIC = {"add", "divide", "maximum", "minimum", "multiply", "subtract", "where"}
_COMPARISONS = {"equal", "greater", "greater_equal", "less", "less_equal", "not_equal"}


def _is_float(dtype: Any) -> bool:
    return dtype is float or (isinstance(dtype, np.dtype) and dtype.kind == "f")


class Around(Protocol):
    """The program that is being made around a loop."""

    seq: Operations
    loops: list[Fitted]

    def number(self, position: int) -> int:
        """The number of a position's value."""

    def pick(self, loop: int, o: int, stacked: bool) -> int:
        """The number of a loop's result."""

    def stack(self, positions: np.ndarray, floats: bool) -> int:
        """The number of a stack of separate values, as floats if asked for."""

    def rows(self, position: int, axis: int) -> int:
        """The number of an array as a stack of its rows along an axis."""


class Body:
    """The body of a loop, and what it takes.

    Attributes:
        takes: for each input.
        args: the number of what is taken, in the program around it; that of the counter is missing, and it is the last.
    """

    def __init__(self, loop: Fitted, around: Around, totals: Sequence[Sum] = ()) -> None:
        self.loop = loop
        self.around = around
        self.takes: list[Take] = []
        self.args: list[int] = []
        self._inputs: list[Value] = []
        self._input_of: dict[Any, int] = {}
        self._constants: dict[int, int] = {}
        self._constant_values: list[Value] = []
        self._place: list[tuple[str, int]] = []  # of each value of the window
        self._outputs: dict[tuple[str, int], int] = {}
        self._carried: list[tuple[int, int, int]] = []  # which input, of which value, how far back
        self._made: list[tuple[Value, list[tuple[str, int]]]] = []
        counted = False
        left_out = {o for t in totals for o in (*t.adds, *[p.scatter for p in t.parts])}
        for o in range(loop.period):
            if o in left_out:
                self._place.append(("none", 0))
            else:
                counted |= self._enter(o)
        for total in totals:
            for part in total.parts:
                self._read(part.row)
        if counted:
            self._inputs.append(Value(None, (), NO_PARAMS, (), int, input=len(self._inputs)))
            self.takes.append(Take("counter"))
        self._wire()

    def output(self, o: int) -> int:
        """Which output of the body a value of the window is."""
        return self._outputs.setdefault(self._place[o], len(self._outputs))

    def output_of(self, slot: Slot) -> int:
        """Which output of the body something is that it reads or computes."""
        return self._outputs.setdefault(self._read(slot), len(self._outputs))

    def form_of(self, slot: Slot) -> Value:
        """What something is that it reads or computes."""
        kind, n = self._read(slot)
        return {"own": lambda: self._made[n][0], "constant": lambda: self._constant_values[n]}.get(
            kind, lambda: self._inputs[n]
        )()

    def program(self, rolled: Callable[..., Program], least: tuple[int, int]) -> Program:
        """The body, with its own repetitions rolled; to be asked for when all outputs are known."""
        first = len(self._inputs)
        shift = {"input": 0, "constant": first, "own": first + len(self._constant_values)}
        values = [*self._inputs, *self._constant_values]
        for value, args in self._made:
            given = [(k, a if k != "counter" else first - 1) for k, a in args]
            numbers = tuple([shift.get(k, 0) + a for k, a in given])
            values.append(Value(value.op, numbers, value.params, value.shape, value.dtype, array=value.array))
        outputs = [shift[k] + a for k, a in self._outputs]
        return rolled(Program(values, outputs, [], first), *least)

    def _take(self, key: Any, take: Take, arg: int, form: Value) -> int:
        found = self._input_of.get(key)
        if found is None:
            found = self._input_of[key] = len(self._inputs)
            self._inputs.append(Value(None, (), NO_PARAMS, form.shape, form.dtype, input=found, array=form.array))
            self.takes.append(take)
            self.args.append(arg)
        return found

    def _enter(self, o: int) -> bool:
        """Enter an operation of the window; says whether it counts."""
        loop, seq = self.loop, self.loop.seq
        value = loop.value(o)
        position = loop.start + o
        numbers, later = seq.moved(position, 1), seq.moved(position + loop.period, 1)
        counts = bool((numbers != later).any())
        moving = iter([int(x) if x == y else Moving(int(x), int(y - x)) for x, y in zip(numbers, later, strict=True)])
        how = filled(dict(value.params), moving) if counts else {}
        if counts and self._is_row(o, value, how):
            return False
        floats = self._is_of_floats(o)
        args = [self._read(slot, floats) for slot in loop.slots[o]]
        if counts:
            value = Value(STEPPED, (), {"op": value.op, "how": how}, value.shape, value.dtype, array=value.array)
            args.append(("counter", 0))
        self._make(value, args)
        return counts

    def _make(self, value: Value, args: list[tuple[str, int]]) -> None:
        self._place.append(("own", len(self._made)))
        self._made.append((value, args))

    def _is_row(self, o: int, value: Value, how: Any) -> bool:
        """Whether an operation reads a row of an array that is the same in all steps: then it takes an entry of that stack."""
        assert value.op is not None
        slot = self.loop.slots[o][0]
        if value.op.name != "getitem" or slot.kind != "same":
            return False
        x = at_position(self.loop.seq, slot.at)
        found = row(how["key"], x.shape, self.loop.n)
        if found is None:
            return False
        shape = (*x.shape[: found.axis], *x.shape[found.axis + 1 :])
        form = Value(None, (), NO_PARAMS, shape, x.dtype)
        stack = self.around.rows(slot.at, found.axis)
        key = ("row", slot.at, found.axis, found.start, found.far)
        taken = "input", self._take(key, Take("each", found.start, found.far), stack, form)
        if found.key is None and value.array == form.array:
            self._place.append(taken)
        else:
            params = {"key": () if found.key is None else found.key, "shape": shape}
            self._make(Value(GETITEM, (), params, value.shape, value.dtype, array=value.array), [taken])
        return True

    def _is_of_floats(self, o: int) -> bool:
        """Whether a whole number of Python's among the inputs may as well be a float."""
        value = self.loop.value(o)
        assert value.op is not None
        if value.op.name not in _COMPARISONS and (value.op.name not in _ARITHMETIC or not _is_float(value.dtype)):
            return False
        return any(_is_float(self._source(slot).dtype) for slot in self.loop.slots[o])

    def _source(self, slot: Slot) -> Value:
        """A value like that which is read."""
        if slot.kind in ("own", "carried"):
            return self.loop.value(slot.at)
        if slot.kind == "entry":
            return self.around.loops[slot.loop].value(slot.at)
        return at_position(self.loop.seq, slot.at if slot.kind == "same" else int(slot.which[0]))

    def _read(self, slot: Slot, floats: bool = False) -> tuple[str, int]:
        around, seq = self.around, self.loop.seq
        if slot.kind == "own":
            return self._place[slot.at]
        if slot.kind == "same":
            form = at_position(seq, slot.at)
            if form.is_constant() and not form.captured:
                return "constant", self._constant(slot.at, form)
            return "input", self._take(("same", slot.at), Take("same"), around.number(slot.at), form)
        if slot.kind == "carried":
            return "input", self._carry(slot.at, slot.far)
        if slot.kind == "entry":
            form = around.loops[slot.loop].value(slot.at)
            key: Any = ("entry", slot.loop, slot.at, slot.first, slot.far)
            stack = around.pick(slot.loop, slot.at, True)
            return "input", self._take(key, Take("each", slot.first, slot.far), stack, form)
        form = at_position(seq, int(slot.which[0]))
        floats = floats and form.dtype is int and form.is_constant()
        floats = floats and all(abs(at_position(seq, int(p)).constant) <= 1 << 53 for p in slot.which)
        key = ("various", slot.which.tobytes(), floats)
        found = self._input_of.get(key)
        if found is None:
            form = Value(None, (), NO_PARAMS, (), float) if floats else form
            found = self._take(key, Take("each", 0, 1), around.stack(slot.which, floats), form)
        return "input", found

    def _constant(self, position: int, form: Value) -> int:
        found = self._constants.get(position)
        if found is None:
            found = self._constants[position] = len(self._constant_values)
            self._constant_values.append(form)
        return found

    def _carry(self, at: int, far: int) -> int:
        """The input that is a value of so many steps before; those between are carried too."""
        for q in range(1, far + 1):
            key = ("carried", at, q)
            if key not in self._input_of:
                number = self.around.number(self.loop.initial(at, q))
                b = self._take(key, Take("carried"), number, self.loop.value(at))
                self._carried.append((b, at, q))
        return self._input_of["carried", at, far]

    def _wire(self) -> None:
        """Enter what carried inputs are in the next step."""
        for b, at, q in self._carried:
            key = self._place[at] if q == 1 else ("input", self._input_of["carried", at, q - 1])
            self.takes[b] = Take("carried", next=self._outputs.setdefault(key, len(self._outputs)))

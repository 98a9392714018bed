"""The writing of a program's statements: what has been written so far, where each value lies, and what NumPy is to compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import NO_PARAMS, Primitive
from .late import late
from .owned import Owned, is_small
from .places import Place, own, read
from .plan import Call, Product, Read, Rolled, Statement, renamed
from .program import Program, Value

Unit = Statement | Product | Rolled | Call
#: The types of numbers that native code compares with what they were.
_HELD = (bool, float, np.float64, np.float32)
#: Says of a value whether it is computed entry by entry ("map"), reduced ("reduce"), or by NumPy (None).
Kind = Callable[[Program, int], str | None]


class Unwritten(Exception):
    """There are no statements for this value."""


class Writing:
    """Writes a program's statements.

    Args:
        program: what is to be computed.
        write: writes one value's statements, or raises `Unwritten`.
        add: writes the sum of an array and a scatter as additions in place; says whether it did.
        kind: says of a value how it is computed.
        kinds: the dtypes that there is code for.

    Attributes:
        values: the program's, and after them constants that stood in indices.
        units: statements, products and calls, in order.
        places: where each value lies.
        owned: what writes have made.
        order: the order in which values are entered.
    """

    def __init__(
        self,
        program: Program,
        write: Callable[[Writing, int, Value], None],
        add: Callable[[Writing, int], bool],
        kind: Kind,
        kinds: Any,
    ) -> None:
        self.program = Program(list(program.values), program.outputs, program.checks, program.n_inputs)
        self.values = self.program.values
        self.known = len(program.values)
        self.kind = kind
        self.kinds = kinds
        self._write = write
        self.units: list[Unit] = []
        self.places: dict[int, Place] = {}
        self.alone: dict[
            int, tuple[int, Place]
        ] = {}  # what has one entry along an axis, else 0: which axis, and the entries
        self.outside: set[int] = set()  # not made by statements
        self.checked: set[int] = set()
        self._settled: set[int] = set()
        self.order = late(self.program)
        self.owned = Owned(self.order)
        checks: dict[int, list[int]] = {}
        for k, check in enumerate(program.checks):
            checks.setdefault(check.value, []).append(k)
        outputs = set(program.outputs)
        for at, i in enumerate(self.order.values):
            self.owned.now = at
            before = len(self.units)
            if i not in self.order.sums:
                self._enter(i)
            elif not add(self, i):
                self._enter(self.order.sums[i][1])
                self._enter(i)
            else:
                self.owned.enter(i, self.places[i])
            held = [k for k in checks.get(i, ()) if self._holds(i, k)]
            seen = i in outputs or len(held) < len(checks.get(i, ()))
            if seen and (len(self.units) > before or self.values[i].op is not None):
                self.settle(i)
            for k in held:
                self.add("check", i, (), (self.operand(i, (), ()),), Read(i, 0, ()), number=k)
                self.checked.add(k)
        if self.owned.names:
            self.units = [renamed(u, self.owned.names) for u in self.units]

    # Values

    def _holds(self, i: int, k: int) -> bool:
        """Whether native code can hold a value to what it was: a number that it computes or is given."""
        value = self.values[i]
        number = not value.shape and not value.array and value.dtype in self.kinds and not value.is_constant()
        return number and i in self.places and type(self.program.checks[k].expected) in _HELD

    def _enter(self, i: int) -> None:
        value = self.values[i]
        if value.op is None:
            self.outside.add(i)
            if value.dtype in self.kinds:
                self.places[i] = own(i, value.shape)
            return
        if value.op.name == "loop":
            self._call(i)
            return
        before = len(self.units)
        try:
            self._write(self, i, value)
        except Unwritten:
            self.values[i] = value
            del self.units[before:]
            self._call(i)
        self.owned.enter(i, self.places.get(i))

    def _call(self, i: int, keep: bool = False) -> None:
        value = self.values[i]
        assert value.op is not None
        for a in value.args:
            self.settle(a)
        made = Rolled(i, sorted(set(value.args)), [i]) if value.op.name == "loop" else Call(i, sorted(set(value.args)))
        self.units.append(made)
        self.outside.add(i)
        if not keep and not isinstance(value.shape, list) and value.dtype in self.kinds:
            self.places[i] = own(i, value.shape)

    def settle(self, i: int) -> None:
        """Let a value be in a buffer of its own, as NumPy needs it, and stay there."""
        place = self.places.get(i)
        self.owned.keep(i)  # what NumPy makes of it may be a view
        if place is None:
            return
        if place.buffer == i:
            other = self.owned.fix(i)
            if other is not None:
                self.copy(other, own(other, place.shape), place)
            return
        if i in self._settled:
            return
        self._settled.add(i)
        if self.owned.name(i, place, math.prod(self.values[place.buffer].shape)):
            return
        if place.buffer in self.outside and place.buffer < self.known:
            self._call(i, keep=True)
        else:
            self.copy(i, own(i, self.values[i].shape), place)

    def overwritable(self, i: int) -> Place | None:
        """Where a value lies that the one that is entered may overwrite; None if it has to be copied."""
        place = self.place(i)
        held = self.owned.in_the_way(i, place)
        if held is None:
            return None
        small = not held or is_small([self.places[v] for v in held], math.prod(self.values[place.buffer].shape))
        return place if small else None

    def make_way(self, i: int) -> None:
        """Copy what others still need of a value that is to be overwritten."""
        for v in self.owned.in_the_way(i, self.place(i)) or ():
            if v not in self._settled:
                self._settled.add(v)
                self.copy(v, own(v, self.values[v].shape), self.places[v])
            self.places[v] = own(v, self.values[v].shape)

    def fresh(self, shape: tuple[int, ...], dtype: Any, constant: Any = None) -> int:
        """The number of a value that the program doesn't have: a constant, or room."""
        self.values.append(Value(None, (), NO_PARAMS, shape, dtype, constant=constant, array=True))
        i = len(self.values) - 1
        self.places[i] = own(i, shape)
        if constant is not None:
            self.outside.add(i)
        return i

    def made(self, op: Primitive, args: tuple[int, ...], shape: tuple[int, ...], dtype: Any) -> int:
        """The number of a value that the program doesn't have, made by an elementwise operation."""
        self.values.append(Value(op, args, NO_PARAMS, shape, dtype, array=True))
        i = len(self.values) - 1
        self.places[i] = own(i, shape)
        return i

    def place(self, a: int) -> Place:
        """Where a value lies.

        Raises:
            Unwritten: if it has a dtype that there is no code for.
        """
        found = self.places.get(a)
        if found is None or math.prod(found.shape) == 0:
            raise Unwritten
        if found.buffer in self.owned.held:
            self.owned.verify(a, found)
        return found

    # Statements

    def operand(self, a: int, shape: tuple[int, ...], live: Sequence[int]) -> Read:
        """Where the entries of an input are, by broadcasting with a shape; `live` are its axes with more than one place."""
        if self.values[a].is_constant() and not self.values[a].shape:
            return Read(a, 0, (0,) * len(live))
        return read(self.place(a), shape, live)

    def add(self, how: Any, i: int, extents: tuple[int, ...], reads: Any, write: Read, **more: Any) -> None:
        """Write a statement."""
        if how == "reduce" and all(write.strides):  # over axes of one place
            how = "copy"
        self.units.append(Statement(how, i, extents, reads, write, **more))

    def copy(self, i: int, to: Place, source: Place | None, number: Any = None, part: bool = False) -> None:
        """Entries from one place to another of the same shape, by broadcasting; or a number everywhere."""
        live = [axis for axis, n in enumerate(to.shape) if n > 1]
        reads = () if source is None else (read(source, to.shape, live),)
        number = None if source is not None else number
        extents = tuple([to.shape[a] for a in live])
        if math.prod(to.shape):
            self.add("copy", i, extents, reads, read(to, to.shape, live), number=number, part=part)

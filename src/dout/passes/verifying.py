"""Holds that a plan's steps read what its statements, one after another as they were written, would have read.

Fusing puts statements into shared loops and changes their order, and a buffer may be written to again and again. Here
every entry is followed: each gets a mark of who wrote it last, in which place of its domain, and each read notes the
marks that it finds. Both orders have to note the same. It takes long, and is for tests.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from .plan import Loop, Nest, Plan, Product, Read, Statement

_Where = tuple[int, ...]
#: A mark that is added to another, as a sum adds to what is there.
_LIMIT = 1 << 61


def verify(plan: Plan) -> Plan:
    """Hold it; returns the plan.

    Raises:
        ValueError: naming a statement that reads what is not there yet, or not any more.
    """
    expected, found = _Marks(plan), _Marks(plan)
    for unit in plan.units:
        if isinstance(unit, Statement):
            for where in itertools.product(*map(range, unit.extents)):
                expected.statement(unit, where)
        else:
            expected.step(unit)
    for step in plan.steps:
        if isinstance(step, Nest):
            found.body(step.body, ())
        else:
            found.step(step)
    for key, (unit, marks) in expected.notes.items():
        if key not in found.notes:
            raise ValueError(f"a statement of %{unit.value} is missing: {unit}")
        if found.notes[key][1] != marks:
            raise ValueError(f"a statement of %{unit.value} reads what was overwritten, or is not there yet: {unit}")
    return plan


class _Marks:
    """Who wrote each entry of memory last.

    Args:
        plan: the plan whose memory it is.
    """

    def __init__(self, plan: Plan) -> None:
        self.values = plan.program.values
        self.order = {id(u): n for n, u in enumerate(plan.units)}
        self.marks: dict[tuple[int, int], int] = {}
        self.begun: set[tuple[int, int, int]] = set()
        self.notes: dict[tuple[int, _Where], tuple[Any, list[int]]] = {}

    def body(self, body: Sequence[Loop | Statement], where: _Where) -> None:
        """Statements and loops, as they are run."""
        for item in body:
            if isinstance(item, Statement):
                if id(item) in self.order:  # else it puts parts of a sum together
                    self.statement(item, where)
                continue
            for k in range(item.extent):
                self.body(item.body, (*where, k))

    def step(self, step: Any) -> None:
        """What isn't made of statements reads all of its inputs, and fills what it makes."""
        inputs = [step.a.value, step.b.value] if isinstance(step, Product) else step.reads
        marks = [m for b in inputs for (buffer, _), m in sorted(self.marks.items()) if buffer == b]
        self.notes[self.order[id(step)], ()] = step, marks
        for b in step.writes:
            shape = self.values[b].shape
            for at in range(_size(shape)) if not isinstance(shape, list) else ():
                self.marks[b, at] = hash((self.order[id(step)], at)) % _LIMIT

    def statement(self, s: Statement, where: _Where) -> None:
        """One entry of a statement."""
        n = self.order[id(s)]
        places = [(r.value, self._place(r, where)) for r in s.reads]
        indices = [(i.read.value, self._place(i.read, where)) for r in (*s.reads, s.write) for i in r.indices]
        self.notes[n, where] = s, [self.marks.get(p, -1) for p in (*places, *indices)]
        if s.how == "check":
            return
        mark = hash((n, where)) % _LIMIT
        to = s.value, self._place(s.write, where)
        before = self.marks.get(to, 0)
        if s.how == "reduce" and (n, *to) not in self.begun:
            self.begun.add((n, *to))
            before = 0
        self.marks[to] = (before + mark) % _LIMIT if s.how in ("reduce", "add") else mark

    def _place(self, r: Read, where: _Where) -> int:
        at = r.offset + sum(step * k for step, k in zip(r.strides, where, strict=False))
        for i in r.indices:  # some place, the same in both orders
            at += i.stride * (hash((i.read.value, self._place(i.read, where))) % i.extent)
        return at


def _size(shape: Any) -> int:
    size = 1
    for n in shape:
        size *= n
    return size

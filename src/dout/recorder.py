"""The recorder: present while `jit` records a run, it notes what the recording depends on besides the arguments.

A value that Python looked at (`if x > 0`, `float(err)`) is noted as a `Guard`: the recording holds only for runs in
which that value is the same. A plain array that enters the computation is kept by reference if the function holds it
(a captured array, read again at each call), and else copied, because a loop may write into it.

Each operation is entered at once into the program that is being built, and its node keeps the number that the value has
there. So nodes that no derivative needs any longer can go while the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

import numpy as np

from .graph import IDENTITY, PICK, Custom, Leaf, Node, Primitive, RecordedLeaf, RecordedNode, form


class Guard(NamedTuple):
    """What a value has to be for a recording to hold.

    Attributes:
        number: that of the value in the program.
        value: the value, as it was.
        what: how Python looked, such as "bool".
    """

    number: int
    value: Any
    what: str


class Builds(Protocol):
    """A program that is being built; `passes/building.py` says what each of these means."""

    known: dict[Any, int]

    def input(self, i: int, shape: Any, dtype: Any, array: bool) -> int: ...
    def add(
        self, op: Primitive, args: tuple[int, ...], params: Mapping[str, Any], shape: Any, dtype: Any, array: bool
    ) -> int: ...
    def add_number(self, op: Primitive, args: tuple[int, ...], key: Any, out: Any) -> int: ...
    def constant(self, constant: Any, captured: bool = False) -> int: ...


class Recorder:
    """What is noted while a run is recorded.

    Attributes:
        program: what is being built.
        guards: in the order in which Python looked.
        failed: why the run can't be recorded; None so far.
        captured: the arrays that the function holds, by id.
        running: NumPy functions that run by their rules.
        numbers: the constants that are numbers but not 0, by type and value, with their numbers in the program.
        leaves: the class of the leaves in such a run.
    """

    leaves: type[Leaf] = RecordedLeaf

    def __init__(self, captured: dict[int, np.ndarray], program: Builds) -> None:
        self.program = program
        self.guards: list[Guard] = []
        self.failed: str | None = None
        self.captured = captured
        self.running: list[Any] = []
        self.numbers: dict[Any, int] = {}
        self._seen: set[tuple[int, str]] = set()

    def guard(self, node: Node, value: Any, what: str) -> None:
        """Python looked at a node's value."""
        number = self.number(node)
        if (number, what) not in self._seen:
            self._seen.add((number, what))
            self.guards.append(Guard(number, np.array(value) if isinstance(value, np.ndarray) else value, what))

    def input(self, i: int, leaf: RecordedLeaf) -> None:
        """A leaf stands for the input at place `i`."""
        leaf.number = self.program.input(i, leaf.shape, leaf.dtype, isinstance(leaf.value, np.ndarray))

    def constant(self, value: Any) -> Any:
        """A plain value that enters the computation, as it is now; a captured array itself."""
        if isinstance(value, np.ndarray) and id(value) not in self.captured:
            return np.array(value)
        return value

    def number(self, node: Any) -> Any:
        """The number of a node's value; a leaf that no input leads to is a constant."""
        found = node.number
        if found is None:
            if node.parents and not isinstance(node.parents[0], RecordedNode | RecordedLeaf):
                self.fail("it uses a Variable from outside")
            found = node.number = self.plain(node.value)
        return found

    def plain(self, value: Any) -> int:
        """The number of a plain value that enters the computation."""
        if isinstance(value, np.ndarray):
            return self.program.constant(self.constant(value), id(value) in self.captured)
        found = self.program.constant(value)
        if isinstance(value, float | int) and value:
            self.numbers[type(value), value] = found
        return found

    def made(
        self, op: Primitive, parents: Sequence[Node | None], values: Sequence[Any], params: Mapping[str, Any], out: Any
    ) -> Any:
        """The number of what an operation gave; of several outputs that were made before, a tuple."""
        args = [
            self.number(p) if isinstance(p, RecordedNode | RecordedLeaf) else self.plain(v)
            for p, v in zip(parents, values, strict=True)
        ]
        if op is IDENTITY or op.name == "stop":
            return args[0]
        if isinstance(op, Custom):
            return tuple(args[op.n :]) if op.several else args[op.n]
        if op is PICK and isinstance(args[0], tuple):
            return args[0][params["i"]]
        if hasattr(type(out), "__dout_record__"):
            self.fail(f"{op.name} takes a value that is computed among its options")
        shape, dtype = form(out)
        return self.program.add(op, tuple(args), params, shape, dtype, type(out) is np.ndarray)

    def fail(self, why: str) -> None:
        """The run can't be recorded; the first reason is kept."""
        self.failed = self.failed or why


#: The recorder of the run that is being recorded, if one is.
RECORDER: ContextVar[Recorder | None] = ContextVar("dout_recorder", default=None)


def leaf_kind(common: type[Leaf] = Leaf) -> type[Leaf]:
    """The class of leaves: while a run is recorded, each is part of the recording."""
    recorder = RECORDER.get()
    if recorder is None:
        return common
    if common is not Leaf:
        recorder.fail("it traces a function itself")
        return common
    return recorder.leaves

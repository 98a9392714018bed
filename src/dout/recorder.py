"""The recorder: present while `jit` records a run, it notes what the recording depends on besides the arguments.

A value that Python looked at (`if x > 0`, `float(err)`) is noted as a `Guard`: the recording holds only for runs in
which that value is the same. A plain array that enters the computation is kept by reference if the function holds it
(a captured array, read again at each call), and else copied, because a loop may write into it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from .graph import Leaf, Node, RecordedLeaf


class Guard(NamedTuple):
    """What a value has to be for a recording to hold.

    Attributes:
        node: what made it.
        value: the value, as it was.
        what: how Python looked, such as "bool".
    """

    node: Node
    value: Any
    what: str


class Recorder:
    """What is noted while a run is recorded.

    Attributes:
        guards: in the order in which Python looked.
        failed: why the run can't be recorded; None so far.
        captured: the arrays that the function holds, by id.
        running: NumPy functions that run by their rules.
    """

    def __init__(self, captured: dict[int, np.ndarray]) -> None:
        self.guards: list[Guard] = []
        self.failed: str | None = None
        self.captured = captured
        self.running: list[Any] = []
        self._seen: dict[tuple[Node, str], Any] = {}

    def guard(self, node: Node, value: Any, what: str) -> None:
        """Python looked at a node's value."""
        if (node, what) not in self._seen:
            self._seen[node, what] = value
            self.guards.append(Guard(node, np.array(value) if isinstance(value, np.ndarray) else value, what))

    def constant(self, value: Any) -> Any:
        """A plain value that enters the computation, as it is now; a captured array itself."""
        if isinstance(value, np.ndarray):
            if id(value) in self.captured:
                return value
            return np.array(value)
        return value

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
    return RecordedLeaf

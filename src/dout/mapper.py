"""The mapper: present while `vmap` runs a function on one example, it notes every operation on a tape.

The tape says what is to be done to the whole batch. A node of such a run knows its mapper and its place on the tape. Mappers
may be nested; an operation belongs to the innermost one among its inputs, and what comes from further outside is a
constant to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .graph import Node, Primitive, RecordedLeaf, RecordedNode, Scope, form, next_serial
from .recorder import RECORDER, Recorder


class Outside(NamedTuple):
    """An input that is the same for all examples: a plain value, or that of a Variable from outside with its node."""

    value: Any
    node: Node | None = None


#: Where an input comes from: a place on the tape, or outside.
Source = int | Outside


class Step(NamedTuple):
    """An operation on the tape; an input of the run has none.

    Attributes:
        op: the operation.
        sources: where its inputs come from.
        params: what else it is given.
        shape: that of one example's output; of several outputs, a list of shapes.
        dtype: NumPy's, or a Python number's type; of several outputs, a tuple of them.
    """

    op: Primitive | None
    sources: tuple[Source, ...]
    params: Mapping[str, Any]
    shape: Any
    dtype: Any


class Look(NamedTuple):
    """A value at which Python looked, and went on by what it saw.

    Attributes:
        place: where on the tape.
        value: what it was.
    """

    place: int
    value: Any


class Mapper(Recorder):
    """What is noted while one example runs.

    Attributes:
        steps: the tape.
        looks: in the order in which Python looked.
        since: no node of this run has a smaller serial number.
        closed: whether the run has ended.
    """

    def __init__(self) -> None:
        self.outer = around = RECORDER.get()
        while isinstance(around, Mapper):
            around = around.outer
        if around is not None:
            self.program, self.numbers = around.program, around.numbers
        self.steps: list[Step] = []
        self.looks: list[Look] = []
        self.since = next_serial()
        self.closed = False
        self.failed = None
        self.captured = {}
        self.running = []
        self._seen_places: set[int] = set()

    def enter(self, step: Step) -> int:
        """Put a step on the tape, and give its place."""
        self.steps.append(step)
        return len(self.steps) - 1

    def source(self, node: Node | None, value: Any) -> Source:
        """Where an input comes from."""
        if isinstance(node, MappedNode | MappedLeaf) and node.mapper is self:
            return node.place
        return Outside(self.constant(value) if node is None else value, node)

    def constant(self, value: Any) -> Any:
        """A plain value that enters the computation, as it is now: a loop may write into it later."""
        return np.array(value) if isinstance(value, np.ndarray) else value

    def guard(self, node: Node, value: Any, what: str) -> None:
        """Python looked at the value of a node, of this run or of one around it."""
        if isinstance(node, MappedNode | MappedLeaf):
            node.mapper.look(node.place, value)
        elif self.outer is not None:
            self.outer.guard(node, value, what)

    # Variables of a recording around this run are that recording's.

    def number(self, node: Any) -> Any:
        return self._around().number(node)

    def plain(self, value: Any) -> int:
        return self._around().plain(value)

    def made(
        self, op: Primitive, parents: Sequence[Node | None], values: Sequence[Any], params: Mapping[str, Any], out: Any
    ) -> Any:
        return self._around().made(op, parents, values, params, out)

    def _around(self) -> Recorder:
        if self.outer is None:
            raise RuntimeError("a mapped value came to where it cannot be noted")
        return self.outer

    def look(self, source: Source, value: Any) -> None:
        """Python looked at a value."""
        if isinstance(source, int) and source not in self._seen_places:
            self._seen_places.add(source)
            self.looks.append(Look(source, np.array(value) if isinstance(value, np.ndarray) else value))


class MappedNode(RecordedNode):
    """A node of the run of one example.

    Attributes:
        mapper: whose run that is.
        place: where on its tape.
    """

    __slots__ = ("mapper", "place")

    mapper: Mapper
    place: Source


class MappedLeaf(RecordedLeaf):
    """A leaf in the run of one example: an input of it, or of a derivative inside."""

    __slots__ = ("mapper", "place")

    def __init__(self, value: Any, parent: Node | None, scope: Scope | None, name: str | None = None) -> None:
        super().__init__(value, parent, scope, name)
        mapper = RECORDER.get()
        assert isinstance(mapper, Mapper)
        self.mapper: Mapper = mapper
        self.place: Source = mapper.source(parent, value)
        self.live = frozenset((self,)) | live_of(parent)


Mapper.leaves = MappedLeaf


def live_of(node: Node | None) -> frozenset[Any]:
    """The leaves of running derivatives that a node depends on; a node from outside of every recording stands for them."""
    if node is None:
        return frozenset()
    return node.live if isinstance(node, RecordedNode | RecordedLeaf) else frozenset((node,))


def mapped_node(
    op: Primitive, parents: Sequence[Node | None], values: Sequence[Any], params: Mapping[str, Any], out: Any
) -> MappedNode:
    """The node of an operation in the run of one example, on the tape of the innermost of its inputs' mappers.

    Raises:
        RuntimeError: if that run has ended, and a Variable was kept from it.
    """
    mapper = max((p.mapper for p in parents if isinstance(p, MappedNode | MappedLeaf)), key=lambda mapper: mapper.since)
    if mapper.closed:
        raise RuntimeError(
            "a Variable was kept from inside a function under dout.vmap, which has returned. Return it from the function "
            "instead."
        )
    node = MappedNode()
    node.mapper = mapper
    sources = tuple([mapper.source(p, v) for p, v in zip(parents, values, strict=True)])
    shape, dtype = form(out)
    if isinstance(out, tuple):
        dtype = tuple([form(o)[1] for o in out])
    node.place = mapper.enter(Step(op, sources, params, shape, dtype))
    node.live = frozenset() if op.flat else frozenset().union(*map(live_of, parents))
    return node

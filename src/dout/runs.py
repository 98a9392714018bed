"""One run of a function on fresh leaves, which can be walked back, and forward, as often as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .arguments import Arguments, call, function_name, keep_scope, outermost
from .backprop import carrying, checked_dout, collect, finished, needed, one, refuse_finished, walk
from .graph import Leaf, Node, Scope, form
from .layout import replica
from .pooled import pooled
from .recorder import leaf_kind
from .recording import make, settled
from .tree import Rebuild, flatten, matched, tree_map
from .variable import Variable


class Run:
    """What a function did with its leaves.

    Attributes:
        ends: the node of each output; None for a constant.
        out_values: the value of each output.
        nodes: all that was made on the way, oldest first.
        linked: the nodes that also depend on a Variable from outside, so that their derivatives have to be recorded.
        inside: the nodes that depend on a leaf, if not all do.
    """

    def __init__(self, leaves: list[Leaf], values: list[Any], outs: list[Any], also: Sequence[Any] = ()) -> None:
        self.leaves = leaves
        self.values = values
        self.ends = [out._node if isinstance(out, Variable) else None for out in outs]
        self.out_values = [out._value if isinstance(out, Variable) else out for out in outs]
        others = [v._node for v in also if isinstance(v, Variable)]
        since = leaves[0].serial if leaves else 0
        self.nodes, older = collect([n for n in (*self.ends, *others) if n is not None], since)
        if older:
            self._hold_live(older)
            keep_scope()
        self.linked = needed(self.nodes, older) if older else None
        self.inside = carrying(self.nodes, leaves) if older else None

    @staticmethod
    def _hold_live(older: set[Node]) -> None:
        """Refuse what comes from a derivative that has finished; inside another derivative, that one will look."""
        if outermost():
            for node in collect(older, 0)[0]:
                if isinstance(node, Leaf) and not node.parents:
                    refuse_finished(node)

    def pull(self, douts: Sequence[Any], last: bool = False) -> list[Any]:
        """The derivative of each leaf, or None, for these derivatives of the outputs.

        Args:
            douts: one for each output; None for zeros. Where they are Variables, so is what comes of them.
            last: the run is not needed again, and is freed on the way.
        """
        start: dict[Node, Any] = {}
        for end, dout in zip(self.ends, douts, strict=True):
            if end is not None and dout is not None:
                start[end] = start[end] + dout if end in start else dout
        nodes = self.nodes if last else list(self.nodes)
        found = walk(nodes, start, self.leaves, linked=self.linked, inside=self.inside)
        return [found[leaf] for leaf in self.leaves]

    def results(self) -> list[Any]:
        """The outputs: Variables where they depend on one from outside, else plain values."""
        return [self.settled(v, end) for v, end in zip(self.out_values, self.ends, strict=True)]

    def settled(self, value: Any, end: Node | None = None) -> Any:
        """What the caller gets for a value of this run, or a Variable of it."""
        if isinstance(value, Variable):
            value, end = value._value, value._node
        if self.linked is None or end not in self.linked:
            return value
        return settled(make(value, end), value, self.leaves)

    def finish(self, derivatives: Sequence[Any], given: Sequence[Any] = ()) -> list[Any]:
        """Derivatives as the caller gets them: zeros for None, nothing shared."""
        taken = list(given)
        result = []
        for d, value in zip(derivatives, self.values, strict=True):
            result.append(finished(d, value, taken, self.leaves))
            taken.append(result[-1])
        return result


class Pushed:
    """The walk of the walk: derivatives of a run along directions of its leaves.

    The pullback is linear in its dout. Recorded with a leaf for each dout, it is itself a run, and the pullback of
    that run takes directions of the inputs to directions of the outputs.
    """

    def __init__(self, run: Run, here: Scope) -> None:
        self.run = run
        kind = leaf_kind()
        douts = [
            None if end is None else kind(one_like(v), None, here)
            for end, v in zip(run.ends, run.out_values, strict=True)
        ]
        handles = [None if d is None else make(d.value, d) for d in douts]
        self.douts = [d for d in douts if d is not None]
        self.pulled = Run(self.douts, [d.value for d in self.douts], run.pull(handles))

    def push(self, directions: Sequence[Any]) -> list[Any]:
        """The direction of each output; None in `directions` stands for zeros."""
        found = iter(self.pulled.finish(self.pulled.pull(directions), directions))
        return [
            zeros_like(v) if end is None else next(found)
            for end, v in zip(self.run.ends, self.run.out_values, strict=True)
        ]


def one_like(value: Any) -> Any:
    """Ones of a value's shape and dtype; a number for a number."""
    return np.ones_like(value) if isinstance(value, np.ndarray) else one(value)


def zeros_like(value: Any) -> Any:
    """Zeros of a value's shape and dtype; a number for a number; None for None."""
    if value is None:
        return None
    return np.zeros_like(value) if isinstance(value, np.ndarray) else one(value) * 0


class Linearized:
    """A function run with leaves for every argument that has something to differentiate.

    Attributes:
        positions: which arguments those are.
        run: the run.
        out: the output for the caller, who may write to it.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], here: Scope) -> None:
        self.positions = [i for i, a in enumerate(args) if any(map(Arguments.accepts, flatten(a)[0]))]
        # copies, because the caller may write to his arrays before he pulls back
        self._args = tree_map(lambda v: replica(v) if isinstance(v, np.ndarray) else v, list(args))
        given = Arguments(self._args, self.positions, f, here)
        with pooled(given.values):
            outs, self._rebuild = outputs(call(f, given.args, kwargs), f)
        given.args.clear()
        self._given = given
        self.run = run = Run(given.leaves, given.values, outs)
        self.out = self.like_output(v.copy() if isinstance(v, np.ndarray) else v for v in run.results())

    def like_output(self, values: Iterable[Any]) -> Any:
        """Leaves in the output's containers."""
        return self._rebuild(iter(values))

    def pull(self, dout: Any, what: str = "pullback(dout): expected the output's") -> tuple[Any, ...]:
        """Pull a derivative of the output's form back; one entry an argument, None for what has none."""
        douts = []
        for d, value, end in zip(
            matched(dout, self.out, what.partition(":")[0]), self.run.out_values, self.run.ends, strict=True
        ):
            if value is not None:
                d = checked_dout(d, *form(value), what)
            douts.append(None if end is None else d)
        with pooled(self._given.values):
            restored = self._given.restore(self.run.finish(self.run.pull(douts), douts))
        return tuple(restored[self.positions.index(i)] if i in self.positions else None for i in range(len(self._args)))

    def directions(self, tangents: Sequence[Any], what: str) -> list[Any]:
        """One direction for each leaf, from containers of the arguments' form; what has no derivative is passed over."""
        if len(tangents) != len(self._args):
            raise ValueError(f"{what}: expected one for each of the {len(self._args)} arguments, got {len(tangents)}")
        found = []
        for i in self.positions:
            values = flatten(self._args[i])[0]
            for d, value in zip(matched(tangents[i], self._args[i], f"{what}[{i}]"), values, strict=True):
                if Arguments.accepts(value):
                    plain = value._value if isinstance(value, Variable) else value
                    found.append(checked_dout(d, *form(plain), f"{what}[{i}]: expected the argument's"))
        return found


def outputs(out: Any, f: Callable[..., Any]) -> tuple[list[Any], Rebuild]:
    """The leaves of what a function returned: numbers and arrays; inside containers None, which has no derivative."""
    outs, rebuild = flatten(out)
    for o in outs:
        if not (
            isinstance(o, Variable | np.ndarray | np.generic | int | float | complex) or (o is None and out is not None)
        ):
            kind = "None; did it forget its return?" if o is None else type(o).__name__
            raise TypeError(
                f"{function_name(f)} has to return numbers, arrays, or containers of them; it returned {kind}"
            )
    return outs, rebuild

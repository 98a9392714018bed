"""Running recorded operations again, with other values: for differences, in double precision."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import Any

import numpy as np

from ..graph import PICK, Graph, Node
from ..rules.elementwise import astype

#: What each narrow dtype is computed in.
_WIDE = {"f": np.dtype(np.float64), "c": np.dtype(np.complex128)}


class Unknown(Exception):
    """An operation can't be run again, because an input's value was not kept."""


class Replay:
    """The part of a graph that comes after some of its nodes, to be run again and again with other values for these.

    What doesn't come after them is as recorded. Narrow floats are computed with as float64, so that their rounding does
    not hide small changes.

    Args:
        graph: the run.
        values: each node's value.
        sources: the nodes that get other values.
        ends: the nodes whose values are asked for; None stands for a constant result and is left out.

    Raises:
        Unknown: if a value that is needed was not kept.

    Example:
        >>> import dout
        >>> picture = dout.see(lambda x, y: x * y + x, 3.0, 5.0)
        >>> x = picture.graph.inputs[0]
        >>> again = Replay(picture.graph, picture.values, [x], picture.graph.outputs)
        >>> again(4.0)
        [24.0]
    """

    def __init__(
        self, graph: Graph, values: Mapping[Node, Any], sources: Sequence[Node], ends: Collection[Node | None]
    ) -> None:
        self.sources = list(sources)
        self.ends = [end for end in ends if end is not None]
        moving = set(self.sources)
        after = []
        for node in graph.nodes:
            if node not in moving and any(parent in moving for parent in node.parents):
                moving.add(node)
                after.append(node)
        reaching = set(self.ends)
        for node in reversed(after):
            if node in reaching:
                reaching.update(parent for parent in node.parents if parent is not None)
        #: The operations to run, in order: the node, how, the inputs (None where they move), and where those come from.
        self.plan: list[tuple[Node, Callable[..., Any], list[Any], list[tuple[int, Node]]]] = []
        for node in after:
            if node not in reaching:
                continue
            places = [(i, p) for i, p in enumerate(node.parents) if p is not None and p in moving]
            given = inputs_of(node, values, {i for i, _ in places})
            self.plan.append((node, runner(node), given, places))
        self.still = {end: wide(values[end]) for end in self.ends if end not in moving and end in values}

    def __len__(self) -> int:
        return len(self.plan)

    def __call__(self, *changed: Any) -> list[Any]:
        """The values of the ends, for these of the sources."""
        found = dict(zip(self.sources, changed, strict=True))
        for node, run, given, places in self.plan:
            for i, parent in places:
                given[i] = found[parent]
            found[node] = run(*given)
        return [found[end] if end in found else self.still[end] for end in self.ends]


def inputs_of(node: Node, values: Mapping[Node, Any], leave: Collection[int] = ()) -> list[Any]:
    """The inputs of an operation as they were, wide; None in the places that are left out.

    Raises:
        Unknown: if one was not kept.
    """
    given = getattr(node, "given", None) or node.args
    found: list[Any] = []
    for i, (value, parent) in enumerate(zip(given, node.parents, strict=True)):
        if i in leave:
            found.append(None)
            continue
        if value is None and parent is not None:
            value = values.get(parent)
        if value is None:
            raise Unknown
        found.append(wide(value))
    return found


def runner(node: Node) -> Callable[..., Any]:
    """How to run an operation forward on other inputs, without a trace in what a layer remembers."""
    op = node.op
    if op is None:
        raise Unknown
    forward, params = op.forward, node.params
    if isinstance(forward, MethodType):  # a layer's call remembers what ran last, and its backward uses that
        forward = MethodType(forward.__func__, copy.copy(forward.__self__))
    if op is astype and np.dtype(params["dtype"]).kind in _WIDE:
        kind = np.dtype(params["dtype"]).kind
        return lambda x: np.real(x) if kind == "f" else x + 0j
    if op is PICK:
        i = params["i"]
        return lambda outs: (outs if isinstance(outs, tuple) else (outs,))[i]
    return (lambda *given: forward(*given, **params)) if params else forward


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without warnings, and with random numbers afterwards as if nothing had run."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def wide(value: Any) -> Any:
    """The same numbers in double precision; ints and what is wide already stay as they are."""
    if isinstance(value, tuple):
        return tuple(map(wide, value))
    if isinstance(value, np.ndarray | np.generic):
        to = _WIDE.get(value.dtype.kind)
        return value.astype(to) if to is not None and value.dtype.itemsize < to.itemsize else value
    return value

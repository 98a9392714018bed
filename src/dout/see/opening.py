"""Opening a layer: the primitives that its forward is made of, with the derivatives through them.

A layer is one operation with a backward of its own. Its forward is run once more on the same inputs, on Variables, and the
walk goes back over what it did with the derivative that came from downstream. So the picture has both: what the layer's
own backward gave, and what the primitives give. They must agree, and the picture says whether they do.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..backprop import walk
from ..copies import fresh
from ..graph import Node, plain
from ..layers import AddLayer, MulLayer, Relu, Sigmoid
from ..trace import TracedGraph, trace
from ..witness import Looked
from .drawn import NOTHING, Drawn, drawn_of, is_layer

#: Beyond so many entries among a layer's inputs, running it once more would take too long.
LARGE = 30_000_000
#: How far the two derivatives may be apart, beside the largest entry.
CLOSE = {2: 1e-2, 4: 1e-3}
CLOSE_DOUBLE = 1e-6

#: Layers of dout's own that are one thing, with nothing to see inside.
CLOSED = (MulLayer, AddLayer, Relu)


def _sigmoid(x: Any) -> Any:
    return np.reciprocal(np.exp(-x) + 1)


#: What layers are made of, where that isn't what their forward does on Variables.
MADE_OF: dict[type, Callable[..., Any]] = {Sigmoid: _sigmoid}


class Opened:
    """A layer with its primitives.

    Attributes:
        layer: the layer as one node, which the primitives replace.
        inside: the nodes within it, in the order in which they ran.
        ends: for each of its outputs, the node within that makes it.
        agree: whether the derivatives through the primitives are the same as the layer's own; None if none were asked for.
        found: which drawn node stands for which of those that its forward made.
        looks: what its forward looked at.
    """

    __slots__ = ("agree", "ends", "found", "inside", "layer", "looks")

    def __init__(
        self,
        layer: Drawn,
        inside: list[Drawn],
        ends: list[Drawn],
        agree: bool | None,
        found: dict[Node, Drawn],
        looks: list[Looked],
    ) -> None:
        self.layer = layer
        self.inside = inside
        self.ends = ends
        self.agree = agree
        self.found = found
        self.looks = looks


def builtin(node: Node) -> str | None:
    """The name of a layer that is one of dout's own, not of a class of the user's."""
    kind = type(layer_of(node))
    return kind.__name__ if kind.__module__.split(".")[0] == __name__.split(".")[0] else None


def layer_of(node: Node) -> Any:
    """The object of which a node is one call, as it was before."""
    joint: Any = node.op.joint if node.op is not None else None
    return joint.__self__.obj


def opened(drawn: Drawn) -> Opened | None:
    """Open a layer; None if it is a primitive itself, or can't be run on Variables with the same result.

    What follows the layer follows the primitives from now on.
    """
    node = drawn.node
    if node is None or type(layer_of(node)) in CLOSED or drawn.total is NOTHING:
        return None
    given = [edge.source.value for edge in drawn.ins]
    if any(v is NOTHING for v in given) or sum(np.size(v) for v in given) > LARGE:
        return None
    with _quietly():
        graph = _traced(node, given)
        if graph is None or not _fits(graph, drawn.value):
            return None
        found = _with_derivatives(drawn, graph)
    _replace(found)
    return found


def _traced(node: Node, given: list[Any]) -> TracedGraph | None:
    """The graph of the layer's forward alone."""
    joint: Any = node.op.joint if node.op is not None else None
    call = joint.__self__
    made_of = MADE_OF.get(type(call.obj))

    def forward(*values: Any) -> Any:
        if made_of is not None:
            return made_of(*values)
        obj = fresh(call.obj)
        for name, value in zip(call.names, values[call.n_inputs :], strict=True):
            object.__setattr__(obj, name, value)
        return obj.forward(*values[: call.n_inputs], **call.options)

    try:
        return trace(forward, *map(plain, given))
    except Exception:  # the user's forward may hold to plain arrays, for instance by float(x)
        return None


def _fits(graph: TracedGraph, value: Any) -> bool:
    """Whether there is something to see inside, and it gives the same as the layer did."""
    ends = [end for end in graph.outputs if end is not None and end.op is not None]
    operations = [n for n in graph.nodes if n.op is not None]
    if len(ends) != len(graph.outputs) or (len(operations) == 1 and is_layer(operations[0])):
        return False
    before = value if isinstance(value, tuple) else (value,)
    return len(ends) == len(before) and all(
        _same(getattr(e, "value", None), b) for e, b in zip(ends, before, strict=True)
    )


def _same(a: Any, b: Any) -> bool:
    if np.shape(a) != np.shape(b):
        return False
    try:
        return bool(np.allclose(a, b, rtol=1e-5, atol=0, equal_nan=True))
    except (TypeError, OverflowError):
        return bool(a == b)


def _with_derivatives(drawn: Drawn, graph: TracedGraph) -> Opened:
    totals = drawn.total if isinstance(drawn.total, list | tuple) else [drawn.total]
    start: dict[Node, Any] = {}
    for end, total in zip(graph.outputs, totals, strict=True):
        if end is not None:
            start[end] = start[end] + total if end in start else total
    edges: dict[tuple[Node, int], Any] = {}

    def watch(n: Node, i: int, d: Any) -> None:
        edges[n, i] = d

    found = {n: d for n, d in walk(list(graph.nodes), start, graph.nodes, watch=watch).items() if d is not None}
    outside: dict[Node, Drawn] = {}
    compared = []
    named = {getattr(leaf, "name", None): leaf for leaf in graph.inputs}
    for i, edge in enumerate(drawn.ins):
        leaf = named.get(f"values[{i}]")
        if leaf is None:
            continue  # such as labels: no derivative is asked for
        outside[leaf] = edge.source
        if edge.derivative is not NOTHING:
            compared.append(_agree(edge.derivative, found.get(leaf, 0), leaf))
    values = {n: getattr(n, "value", NOTHING) for n in graph.nodes}
    inside = drawn_of([n for n in graph.nodes if n not in outside], values, edges, found, outside)
    ends = [outside[end] for end in graph.outputs if end is not None]
    return Opened(drawn, inside, ends, all(compared) if compared else None, outside, graph.looks)


def _agree(own: Any, through: Any, leaf: Node) -> bool:
    own, through = np.asarray(plain(own)), np.asarray(plain(through))
    size = getattr(leaf.dtype, "itemsize", 8)
    if own.shape != through.shape:
        through = np.broadcast_to(through, own.shape)
    if not own.size:
        return True
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(own), initial=0.0, where=np.isfinite(own)))
        close = np.isclose(own, through, rtol=0, atol=CLOSE.get(size, CLOSE_DOUBLE) * scale, equal_nan=True)
    return bool(np.all(close))


def _replace(opened: Opened) -> None:
    """Let what follows a closed layer follow its primitives instead."""
    layer = opened.layer
    if not isinstance(layer.value, tuple):
        _move(layer, opened.ends[0])
        return
    for edge in list(layer.outs):  # each leads to one output of several
        picked = edge.target
        if picked.node is not None:
            _move(picked, opened.ends[picked.node.params["i"]])


def _move(old: Drawn, new: Drawn) -> None:
    for edge in old.outs:
        edge.source = new
        new.outs.append(edge)
    old.outs = []
    new.ends += old.ends
    new.name = old.name or new.name
    new.value, new.total = old.value, old.total


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings, and with random numbers afterwards as if nothing had run."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002

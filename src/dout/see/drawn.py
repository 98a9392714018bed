"""What is drawn: a node for each input, operation and constant, and an edge for each input of each operation.

A graph's nodes know the nodes that they came from. A picture also shows the constants that user code put in, each with an
edge of its own, and every edge has its derivative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backprop import one
from ..graph import PICK, Node
from .signs import DRAWN

#: In the place of a value or derivative that isn't known, or doesn't exist.
NOTHING: Any = type("Nothing", (), {"__repr__": lambda _self: "nothing", "__slots__": ()})()


class Drawn:
    """A node of the picture.

    Attributes:
        kind: "input", "constant", "op" or "layer".
        node: the graph's node; None for a constant.
        op: the operation's name; "" for what is none.
        sign: what is drawn in its circle.
        name: what it is called.
        value: its value, or NOTHING.
        total: the derivative of the output with respect to it, or NOTHING.
        params: what else the operation was given.
        ins: the edges that arrive here.
        outs: the edges that leave.
        ends: how many outputs it is.
        id: its place in the order; in the end its number in the description.
        number: its number among the operations, from 1.
        fold: the innermost fold that holds it.
    """

    __slots__ = (
        "ends", "fold", "id", "ins", "kind", "name", "node", "number", "op", "outs", "params", "sign", "total", "value",
    )  # fmt: skip

    def __init__(self, kind: str, node: Node | None, value: Any, total: Any = NOTHING) -> None:
        self.kind = kind
        self.node = node
        self.value = value
        self.total = total
        self.op = self.sign = ""
        self.name: str | None = None
        self.params: Mapping[str, Any] = {}
        self.ins: list[Edge] = []
        self.outs: list[Edge] = []
        self.ends = 0
        self.id = -1
        self.number = 0
        self.fold: Any = None


class Edge:
    """An arrow of the picture: the input number `port` of `target` is `source`.

    Attributes:
        derivative: what flows back along it; NOTHING to a constant.
        id: its number in the description.
    """

    __slots__ = ("derivative", "id", "port", "source", "target")

    def __init__(self, source: Drawn, target: Drawn, port: int, derivative: Any) -> None:
        self.source = source
        self.target = target
        self.port = port
        self.derivative = derivative
        self.id = -1
        source.outs.append(self)
        target.ins.append(self)


def drawn_of(
    nodes: Sequence[Node],
    values: Mapping[Node, Any],
    edges: Mapping[tuple[Node, int], Any],
    totals: Mapping[Node, Any],
    found: dict[Node, Drawn],
) -> list[Drawn]:
    """The nodes of a picture in the order in which they ran, with their edges.

    Args:
        nodes: the graph's nodes.
        values: what is known of their values.
        edges: for (node, i), the derivative that flows from the node to its i-th input.
        totals: the derivative with respect to each node.
        found: which drawn node stands for which of the graph's; filled.
    """
    made: list[Drawn] = []
    for node in nodes:
        total = totals.get(node, NOTHING)
        drawn = Drawn(kind_of(node), node, values.get(node, NOTHING), _zero(node) if total is NOTHING else total)
        found[node] = drawn
        op = node.op
        if op is None:
            drawn.name = getattr(node, "name", None)
            made.append(drawn)
            continue
        drawn.op = "" if drawn.kind == "layer" else op.name
        drawn.sign = sign_of(node)
        drawn.params = node.params
        for i, parent in enumerate(node.parents):
            source, derivative = None, NOTHING
            if parent is None:
                source = Drawn("constant", None, constant(node, i))
                made.append(source)
            else:
                source = found[parent]
                if source.kind != "constant":
                    derivative = _part(drawn.total, i) if op is PICK else edges.get((node, i), NOTHING)
                    if derivative is NOTHING:
                        derivative = _zero(parent)
            Edge(source, drawn, i, derivative)
        made.append(drawn)
    return made


def kind_of(node: Node) -> str:
    """Whether a node is an input, a layer or another operation."""
    if node.op is None:
        return "input"
    return "layer" if is_layer(node) else "op"


def is_layer(node: Node) -> bool:
    """Whether it is one call of an object with forward and backward of its own."""
    joint = node.op.joint if node.op is not None else None
    return hasattr(getattr(joint, "__self__", None), "obj")


def sign_of(node: Node) -> str:
    """What is drawn in an operation's circle."""
    op = node.op
    if op is None:
        return ""
    if op is PICK:
        return f"[{node.params['i']}]"
    return DRAWN.get(op.name, op.name)


def constant(node: Node, i: int) -> Any:
    """The plain value of one of an operation's inputs."""
    given = getattr(node, "given", None)
    if given is not None:
        return given[i]
    return NOTHING if node.args[i] is None else node.args[i]


def local_of(edge: Edge) -> float | int | None:
    """The derivative of a single number with respect to one that it was made from, without what comes from downstream."""
    node, target, source = edge.target.node, edge.target, edge.source
    if node is None or node.op is None or edge.derivative is NOTHING:
        return None
    if not (is_real(source.value) and is_real(target.value)):
        return None
    with np.errstate(all="ignore"):
        try:
            if node.op.elementwise and all(not np.shape(e.source.value) for e in target.ins):
                found = node.op.pullbacks[edge.port](one(target.value), node.out, *node.args)
                return None if found is None or np.ndim(found) or not is_real(found) else found
            if is_real(target.total) and is_real(edge.derivative) and target.total and np.isfinite(target.total):
                return edge.derivative / target.total  # type: ignore[no-any-return]
        except (ArithmeticError, ValueError, TypeError):
            return None
    return None


def is_real(x: Any) -> bool:
    """Whether it is one real number."""
    if isinstance(x, np.ndarray | np.generic):
        return x.ndim == 0 and x.dtype.kind in "fiu"
    return isinstance(x, int | float)


def _zero(node: Node) -> Any:
    """The derivative that is nothing, in a node's shape."""
    if isinstance(node.shape, list):
        return tuple(np.broadcast_to(0.0, shape) if shape else 0.0 for shape in node.shape)
    return np.broadcast_to(np.float64(0), node.shape) if node.shape else 0


def _part(total: Any, i: int) -> Any:
    return total[i] if isinstance(total, list | tuple) else NOTHING

"""What the arrows of each level carry: the value and the derivative beside them, and the room that these take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from . import metrics
from .cuts import Inside, Json, Thing
from .grid import Arrow
from .naming import in_names

#: Inputs that enter a group without their arrows being crowded, and the room above and below an arrow that is.
CROWD, CLOSE = 6, 17
LEAVES = ("input", "constant")
#: The length of an arrow that says nothing, and the room for the mark of a broadcast before a label.
SHAFT, BROADCAST = 20, 14

Total = Callable[[list[int]], Json | None]
#: What a level says of an arrow besides its place; then the value, derivative and formula beside it.
Carried = tuple[Json, Json | None, Json | None, str]


@dataclass
class Graph:
    """A description's parts."""

    nodes: Sequence[Json]
    edges: Sequence[Json]
    groups: Sequence[Json]
    outputs: Sequence[Json]
    total: Total
    formulas: bool

    @cached_property
    def ins(self) -> dict[int, list[Json]]:
        """The edges that arrive at each node, by port."""
        found: dict[int, list[Json]] = {}
        for edge in sorted(self.edges, key=lambda e: e["port"]):
            found.setdefault(edge["to"], []).append(edge)
        return found

    def formula(self, edge: Json) -> str:
        """What stands below an edge's derivative: its formula, in names."""
        if not edge.get("formula"):
            return ""
        inputs = [self.nodes[e["from"]]["name"] for e in self.ins[edge["to"]]]
        return in_names(edge["formula"]["text"], self.nodes[edge["to"]]["name"], inputs, self.names)

    @cached_property
    def names(self) -> set[str]:
        """Those of everything in the picture."""
        return {node["name"] for node in self.nodes if node.get("name")}

    def leaf(self, node: int) -> bool:
        """Whether a node is an input or a constant."""
        return self.nodes[node]["kind"] in LEAVES


def arrows_of(graph: Graph, levels: Iterable[Inside]) -> list[list[Arrow]]:
    """The arrows of each level, between the places of its things in their list."""
    levels = list(levels)
    entering: dict[int, set[int]] = {}
    for inside in levels:
        for _, end, source, _ in inside.arrows:
            if end[0] == "group" and graph.leaf(source):
                entering.setdefault(end[1], set()).add(source)
    crowded = {group for group, sources in entering.items() if len(sources) > CROWD}
    found = []
    for inside in levels:
        place = {thing: i for i, thing in enumerate(inside.things)}
        arrows = []
        w: float
        up: float
        down: float
        for (start, end, source, port), ids in inside.arrows.items():
            many = inside.many.get((start, end, source, port), 0)
            more, value, derivative, formula = _bundled(many) if many else _carried(graph, end, source, ids)
            if end[0] == "group" and end[1] in crowded and graph.leaf(source):
                w, up, down = SHAFT, CLOSE, CLOSE
                more["bare"] = True
            elif more.get("bare"):
                w, up, down = SHAFT, metrics.NONE, metrics.NONE
            else:
                if derivative and any(graph.edges[e].get("wrong") for e in ids):
                    derivative = {**derivative, "t": f"≠ {derivative['t']}"}  # the mark of a disagreement
                w, up, down = metrics.label(value, derivative, formula)
            mark = BROADCAST if any(graph.edges[e].get("broadcast") for e in ids) else 0
            arrows.append(Arrow(ids, source, place[start], place[end], port, w, up, down, mark, more))
        found.append(arrows)
    return found


def _bundled(many: int) -> Carried:
    """Of several values none is told alone."""
    carried: Json = {"t": f"×{many}", "many": many}
    return {"many": many, "value": carried, "derivative": carried}, carried, carried, ""


def _carried(graph: Graph, end: Thing, source: int, ids: list[int]) -> Carried:
    node = graph.nodes[source]
    if end[0] == "output":
        output = graph.outputs[end[1]]
        known = {name: output[name] for name in ("value", "derivative") if output.get(name)}
        return {"output": end[1], **known}, output["value"], output.get("derivative") or {"t": "1"}, ""
    if node["kind"] == "constant" and not node["name"]:
        return {"bare": True}, None, None, ""
    own = _own(graph.groups[end[1]], source) if end[0] == "group" else None
    if own is not None:
        formula = (graph.groups[end[1]].get("formula") or {}).get("closed") if graph.formulas else None
        return {"derivative": own}, node["value"], own, formula or ""
    if end[0] == "out":
        ends = [j for j, output in enumerate(graph.outputs) if output["node"] == source]
        if len(ends) + len(ids) < 2:
            return {"bare": True, **({"output": ends[0]} if ends else {})}, None, None, ""
        if len(node.get("terms") or ()) == len(ends) + len(ids):
            return {"derivative": node["total"]}, node["value"], node["total"], ""
    if len(ids) == 1:
        edge = graph.edges[ids[0]]
        return {}, node["value"], edge["derivative"], graph.formula(edge) if graph.formulas else ""
    derivative = graph.total(ids)
    return {"derivative": derivative}, node["value"], derivative, ""


def _own(group: Json, source: int) -> Json | None:
    """The derivative that a layer's own backward gave for one of its inputs."""
    own, inputs = group.get("own") or [], group.get("inputs")
    if inputs is None:
        return own[0] if len(own) == 1 else None
    place = inputs.index(source) if inputs.count(source) == 1 else len(own)
    return own[place] if place < len(own) else None

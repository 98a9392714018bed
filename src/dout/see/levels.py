"""The levels of a description: the inside of each group, and the whole picture, each laid out with everything closed.

First each edge is cut at the borders of the groups that it crosses (cuts.py), then each level is laid out by itself,
the inner ones first, for arrows arrive at a group in the order of its ports inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from . import crossings, ghosts, graphviz, metrics
from .cuts import Inside, Json, Thing, cut
from .grid import GAP, Arrow, Box, Grid
from .layered import Order, columns, lay_out
from .naming import in_names
from .rows import rows

#: Operations whose operands may change places in the picture.
ANY_ORDER = frozenset(
    ["add", "multiply", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2", "equal", "not_equal"]
)
#: Around the whole picture; above and below the inside of a group; how far from the inside its ports are.
MARGIN, INNER, BORDER = 8, 4, 8
#: Inputs that enter a group without their arrows being crowded, and the room above and below an arrow that is.
CROWD, CLOSE = 6, 17
LEAVES = ("input", "constant")
#: The length of an arrow that says nothing, and the room in a frame's header beside its name.
SHAFT, BUTTON = 20, 48
#: The room for the mark of a broadcast, before an arrow's label.
BROADCAST = 14

Total = Callable[[list[int]], Json | None]
ORDERS: dict[str, Order] = {"dout": crossings.reduce, "graphviz": graphviz.order}


@dataclass
class Graph:
    """A description's parts."""

    nodes: Sequence[Json]
    edges: Sequence[Json]
    groups: Sequence[Json]
    outputs: Sequence[Json]
    total: Total
    formulas: bool
    order: Order
    #: For ("in" | "out", group), in which place the value of a node enters or leaves; filled from the inside out.
    places: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)
    #: Groups that so many inputs enter that their arrows say nothing.
    crowded: set[int] = field(default_factory=set)
    #: And which item of the group's level the port is.
    items: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)

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
        return in_names(edge["formula"]["text"], self.nodes[edge["to"]]["name"], inputs)


def levels_of(
    nodes: Sequence[Json],
    edges: Sequence[Json],
    groups: Sequence[Json],
    outputs: Sequence[Json],
    *,
    total: Total | None = None,
    formulas: bool = False,
    layout: str = "dout",
) -> dict[str, Json]:
    """Where everything stands, for the whole picture ("top") and for the inside of each group that is shipped.

    Args:
        nodes: those of a description; so are edges, groups and outputs.
        edges: between them.
        groups: the folds. A layer with "own" derivatives may have "inputs": the nodes that those belong to.
        outputs: what the function returned, each with its "value" and, if there is one, its "derivative".
        total: the sum of the derivatives on some edges, for an arrow that stands for several.
        formulas: whether there is to be room for formulas.
        layout: "dout", or "graphviz" for an order found by Graphviz's dot.

    Returns:
        a level for "top" and for the id of each group.

    Example:
        >>> x = {"id": 0, "kind": "input", "name": "x", "value": {"t": "0"}, "total": None, "group": None}
        >>> y = {**x, "id": 1, "kind": "op", "op": "exp", "sign": "exp", "name": "y"}
        >>> edge = {"id": 0, "from": 0, "to": 1, "port": 0, "derivative": {"t": "1"}}
        >>> levels = levels_of([x, y], [edge], [], [{"node": 1, "path": "", "value": {"t": "1"}}])
        >>> [item["column"] for item in levels["top"]["items"]]
        [0, 1, 2]
    """
    if layout not in ORDERS:
        raise ValueError(f"layout has to be 'dout' or 'graphviz', got {layout!r}")
    graph = Graph(nodes, edges, groups, outputs, total or (lambda ids: None), formulas, ORDERS[layout])
    found = cut(nodes, edges, groups, outputs)
    graph.crowded = _crowded(nodes, found.values())
    inner_first = sorted(found.items(), key=lambda pair: -pair[1].depth)
    levels = {g: _level(graph, g, inside) for g, inside in inner_first}
    return {"top" if g is None else str(g): levels[g] for g in found}


def _level(graph: Graph, group: int | None, inside: Inside) -> Json:
    index = {thing: i for i, thing in enumerate(inside.things)}
    arrows: list[Arrow] = []
    leaving: dict[Thing, set[int]] = {}
    for (start, end, source, port), ids in inside.arrows.items():
        many = inside.many.get((start, end, source, port), 0)
        arrows.append(_arrow(graph, index[start], index[end], end, source, port, ids, many))
        leaving.setdefault(start, set()).update((source, -1) if many else (source,))
    boxes = [_box(graph, group, thing, leaving.get(thing, set())) for thing in inside.things]
    columns(boxes, arrows)
    ghosts.copy(boxes, arrows, lambda a: _ghost(graph.nodes[a.source]))
    grid = lay_out(boxes, arrows, graph.order)
    if group is not None:
        for kind in ("in", "out"):
            ports = sorted((boxes[i].y, thing[1]) for i, thing in enumerate(inside.things) if thing[0] == kind)
            graph.places[kind, group] = {source: place for place, (_, source) in enumerate(ports)}
            graph.items[kind, group] = {thing[1]: i for i, thing in enumerate(inside.things) if thing[0] == kind}
    return _written(graph, group, inside, grid)


def _crowded(nodes: Sequence[Json], levels: Iterable[Inside]) -> set[int]:
    entering: dict[int, set[int]] = {}
    for inside in levels:
        for _, end, source, _ in inside.arrows:
            if end[0] == "group" and nodes[source]["kind"] in LEAVES:
                entering.setdefault(end[1], set()).add(source)
    return {group for group, sources in entering.items() if len(sources) > CROWD}


def _arrow(
    graph: Graph, start: int, end: int, thing: Thing, source: int, port: int, ids: list[int], many: int
) -> Arrow:
    more, value, derivative, formula = _bundled(many) if many else _carried(graph, thing, source, ids)
    if derivative and any(graph.edges[e].get("wrong") for e in ids):
        derivative = {**derivative, "t": f"≠ {derivative['t']}"}  # the mark of a disagreement
    w, up, down = (SHAFT, metrics.NONE, metrics.NONE) if more.get("bare") else metrics.label(value, derivative, formula)
    mark = BROADCAST if any(graph.edges[e].get("broadcast") for e in ids) else 0
    if thing[0] == "group":
        if thing[1] in graph.crowded and graph.nodes[source]["kind"] in LEAVES:
            more["bare"], w, up, down = True, SHAFT, CLOSE, CLOSE
        port = graph.places.get(("in", thing[1]), {}).get(source, 0)
    return Arrow(ids, source, start, end, port, w, up, down, mark, more)


def _bundled(many: int) -> tuple[Json, Json | None, Json | None, str]:
    """Of several values none is told alone."""
    carried: Json = {"t": f"×{many}", "many": many}
    return {"many": many, "value": carried, "derivative": carried}, carried, carried, ""


def _carried(graph: Graph, end: Thing, source: int, ids: list[int]) -> tuple[Json, Json | None, Json | None, str]:
    """What the level says of an arrow besides its place; then the value, derivative and formula beside it."""
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


def _box(graph: Graph, group: int | None, thing: Thing, leaving: set[int]) -> Box:
    kind, i = thing
    if kind == "node":
        node = graph.nodes[i]
        w, h = metrics.shape(node["kind"], metrics.title(node))
        ordered = node["kind"] == "layer" or node.get("op") not in ANY_ORDER
        caption, total = _wide(metrics.caption(node)), _wide(metrics.total(node, graph.edges))
        return Box({"node": i}, node["kind"], w, h, ordered, caption, total)
    if kind == "group":
        w, h = metrics.shape("group", metrics.heading(graph.groups[i]))
        box = Box({"group": i}, "group", w, h, ("in", i) in graph.places, places=graph.places.get(("out", i), {}))
        if len(leaving) == 1:
            (node,) = (graph.nodes[source] for source in leaving)
            box.sum = _wide(metrics.total(node, graph.edges))
            box.item |= {"sum": node["id"]} if box.sum else {}
        return box
    if kind == "output":
        output = graph.outputs[i]
        text = output["path"] if output["node"] is not None else f"{output['path']} {output['value']['t']}".strip()
        return Box({"output": i}, "out", _wide(metrics.clip(text)), 0, room=(metrics.NONE, metrics.NONE))
    leaf = kind == "in" and graph.nodes[i]["kind"] in LEAVES
    _, up, down = metrics.label(graph.nodes[i]["value"], graph.nodes[i]["total"])
    if leaf and group in graph.crowded:
        up = down = CLOSE - GAP // 2
    return Box({}, kind, 0, 0, room=(up, down), stands_for_leaf=leaf)


def _ghost(node: Json) -> Box:
    """A copy of a node: its name, wherever it is used far from where it stands."""
    text = metrics.caption(node) or metrics.title(node)
    return Box({"node": node["id"], "ghost": True}, "input", *metrics.shape("input", text))


def _wide(text: str) -> int:
    return math.ceil(metrics.width(text))


def _written(graph: Graph, group: int | None, inside: Inside, grid: Grid) -> Json:
    """The level as JSON."""
    side, above = (MARGIN, MARGIN) if group is None else (0, INNER)
    width = (grid.sides[-1][1] if grid.sides else 0) + 2 * side
    height = max((y + b for y, b in zip(grid.y, grid.bottom, strict=True)), default=0) + 2 * above
    if group is not None:  # an open group's name and its button must fit into its frame
        width = max(width, _wide(metrics.heading(graph.groups[group])) + BUTTON)
    opens = {
        i for i, b in enumerate(grid.boxes) if b.kind == "group" and graph.groups[b.item["group"]].get("shipped", True)
    }
    row, above_row = rows(grid) if opens else ([], [])
    items: list[Json] = []
    ports: dict[str, list[Json]] = {"in": [], "out": []}
    for i, b in enumerate(grid.boxes):
        x = b.x + side
        if b.kind in ports:
            source = graph.outputs[b.item["output"]]["node"] if "output" in b.item else inside.things[i][1]
            b.item["port"] = len(ports[b.kind])
            ports[b.kind].append({"item": i, "source": source})
            if group is not None:
                x = -BORDER if b.kind == "in" else width + BORDER
        size = {"x": _plain(x), "y": _plain(b.y - b.head + above), "w": b.w, "h": b.h, "column": b.column}
        items.append({**b.item, **size, **b.more, **({"row": row[i]} if row else {})})
        if i in opens:
            items[-1] |= {"line": _plain(b.head)} | _through(graph, grid, i)
    return {
        "width": _plain(width),
        "height": _plain(height),
        "items": items,
        "columns": [[_plain(left + side), _plain(right + side)] for left, right in grid.sides],
        "arrows": [_arrow_written(a, grid.boxes, row, side, above) for a in grid.arrows],
        "inputs": ports["in"],
        "outputs": ports["out"],
        **({"rows": above_row} if row else {}),
    }


def _through(graph: Graph, grid: Grid, i: int) -> Json:
    """The port inside a group by which the arrow that lies in the group's own row enters it, or else leaves it."""
    group = grid.boxes[i].item["group"]
    into = [graph.items["in", group].get(a.source) for a in grid.arrows if a.end == i and not a.into]
    out = [graph.items["out", group].get(a.source) for a in grid.arrows if a.start == i and not a.out]
    ports = [port for port in (*into, *out) if port is not None]
    return {"through": ports[0]} if ports else {}


def _arrow_written(a: Arrow, boxes: Sequence[Box], row: Sequence[int], side: float, above: float) -> Json:
    start, end = boxes[a.start], boxes[a.end]
    tx, ty = _tip(a, end)
    return {
        "edges": a.edges,
        "source": a.source,
        "from": a.start,
        "to": a.end,
        **a.more,
        "sy": _plain(start.head + a.out),
        "tx": _plain(tx),
        "ty": _plain(ty),
        "via": [[_plain(x + side), _plain(y + above)] for x, y in a.via],
        "label": [_plain(end.x + side - end.reach - a.w / 2), _plain(end.y + a.into + above)],
        "lw": a.w,
        **({"rows": [row[v] for v in a.way]} if row and a.way else {}),
    }


def _plain(x: float) -> float:
    """A coordinate to a tenth, an int where it is whole: that is shorter in JSON."""
    x = round(x, 1)
    return int(x) if x == int(x) else x


def _tip(a: Arrow, end: Box) -> tuple[float, float]:
    """Where an arrow ends, from its box's top left corner: on the rim if that is round."""
    at = end.head + a.into
    if end.kind != "op":
        return 0, at
    r, middle = metrics.RADIUS, end.h / 2
    if end.h == 2 * r:  # towards the middle
        far = math.hypot(r + end.reach, at - middle)
        return r - r * (r + end.reach) / far, middle + r * (at - middle) / far
    off = max(r - at, at - (end.h - r), 0)
    return r - math.sqrt(r * r - min(off, r) ** 2), at

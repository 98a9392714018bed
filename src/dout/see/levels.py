"""The levels of a description: the inside of each group, and the whole picture, each laid out with everything closed.

First each edge is cut at the borders of the groups that it crosses (cuts.py), then each level is laid out by itself,
the inner ones first, for arrows arrive at a group in the order of its ports inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import crossings, ghosts, graphviz, metrics
from .carried import Graph, Total, arrows_of
from .cuts import Inside, Json, Thing, cut
from .grid import GAP, Arrow, Box, Grid
from .layered import Order, columns, lay_out
from .rows import rows

#: Operations whose operands may change places in the picture.
ANY_ORDER = frozenset(
    ["add", "multiply", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2", "equal", "not_equal"]
)
#: Around the whole picture; above and below the inside of a group; how far from the inside its ports are.
MARGIN, INNER, BORDER = 8, 4, 8
#: The room in a frame's header beside its name.
BUTTON = 48
ORDERS: dict[str, Order] = {"dout": crossings.reduce, "graphviz": graphviz.order}


@dataclass
class Ports:
    """Where values enter a group ("in") or leave it ("out"), by the nodes that they come from."""

    #: In which order, from above, and which items of the group's own level the ports are.
    places: dict[tuple[str, int | None], dict[int, int]] = field(default_factory=dict)
    items: dict[tuple[str, int | None], dict[int, int]] = field(default_factory=dict)
    #: What the arrows outside take up, above and below.
    room: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)


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
    graph = Graph(nodes, edges, groups, outputs, total or (lambda ids: None), formulas)
    found = cut(nodes, edges, groups, outputs)
    arrows = dict(zip(found, arrows_of(graph, found.values()), strict=True))
    ports = Ports()
    for g, inside in found.items():
        for a in arrows[g]:
            if inside.things[a.end][0] == "group":
                ports.room[inside.things[a.end][1], a.source] = a.up, a.down
    levels = {}
    for g, inside in sorted(found.items(), key=lambda pair: -pair[1].depth):
        grid = _level(graph, ports, g, inside, arrows[g], ORDERS[layout])
        levels[g] = _written(graph, ports, g, inside, grid)
    return {"top" if g is None else str(g): levels[g] for g in found}


def _level(graph: Graph, ports: Ports, group: int | None, inside: Inside, arrows: list[Arrow], order: Order) -> Grid:
    leaving: dict[int, list[Arrow]] = {}
    for a in arrows:
        leaving.setdefault(a.start, []).append(a)
        kind, i = inside.things[a.end]
        if kind == "group":
            a.port = ports.places.get(("in", i), {}).get(a.source, 0)
    boxes = []
    for i, thing in enumerate(inside.things):
        mine = leaving.get(i, [])
        boxes.append(_box(graph, ports, group, thing, mine, _apart(graph, inside, mine)))
    columns(boxes, arrows)
    ghosts.copy(boxes, arrows, lambda a: _ghost(graph.nodes[a.source]))
    grid = lay_out(boxes, arrows, order)
    for kind in ("in", "out"):
        found = {thing[1]: i for i, thing in enumerate(inside.things) if thing[0] == kind}
        ports.items[kind, group] = found
        ports.places[kind, group] = {s: k for k, s in enumerate(sorted(found, key=lambda s: (boxes[found[s]].y, s)))}
    return grid


def _apart(graph: Graph, inside: Inside, leaving: list[Arrow]) -> bool:
    """Whether the uses of a value are seen one by one: one arrow may be of several, where it leaves or enters an open fold."""
    if len(leaving) != 1:
        return len(leaving) > 1
    kind, i = inside.things[leaving[0].end]
    return len(leaving[0].edges) > 1 and (kind == "out" or (kind == "group" and bool(graph.groups[i].get("open"))))


def _box(graph: Graph, ports: Ports, group: int | None, thing: Thing, leaving: list[Arrow], apart: bool) -> Box:
    kind, i = thing
    if kind == "node":
        node = graph.nodes[i]
        w, h = metrics.shape(node["kind"], metrics.title(node))
        ordered = node["kind"] == "layer" or node.get("op") not in ANY_ORDER
        total = _wide(metrics.total(node, graph.edges)) if apart else 0
        return Box({"node": i}, node["kind"], w, h, ordered, _wide(metrics.caption(node)), total)
    if kind == "group":
        w, h = metrics.shape("group", metrics.heading(graph.groups[i]))
        box = Box({"group": i}, "group", w, h, ("in", i) in ports.places, places=ports.places.get(("out", i), {}))
        if len(leaving) > 1 and len({a.source for a in leaving}) == 1 and not any("many" in a.more for a in leaving):
            node = graph.nodes[leaving[0].source]
            box.sum = _wide(metrics.total(node, graph.edges))
            box.item |= {"sum": node["id"]} if box.sum else {}
        return box
    if kind == "output":
        output = graph.outputs[i]
        text = output["path"] if output["node"] is not None else f"{output['path']} {output['value']['t']}".strip()
        return Box({"output": i}, "out", _wide(metrics.clip(text)), 0, room=(metrics.NONE, metrics.NONE))
    up, down = ports.room.get((group, i), (GAP, GAP)) if kind == "in" and group is not None else (GAP, GAP)
    return Box({}, kind, 0, 0, room=(up - GAP // 2, down - GAP // 2), stands_for_leaf=kind == "in" and graph.leaf(i))


def _ghost(node: Json) -> Box:
    """A copy of a node: its name, wherever it is used far from where it stands."""
    text = metrics.caption(node) or metrics.title(node)
    return Box({"node": node["id"], "ghost": True}, "input", *metrics.shape("input", text))


def _wide(text: str) -> int:
    return math.ceil(metrics.width(text))


def _written(graph: Graph, ports: Ports, group: int | None, inside: Inside, grid: Grid) -> Json:
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
    found: dict[str, list[Json]] = {"in": [], "out": []}
    for i, b in enumerate(grid.boxes):
        x = b.x + side
        if b.kind in found:
            source = graph.outputs[b.item["output"]]["node"] if "output" in b.item else inside.things[i][1]
            b.item["port"] = len(found[b.kind])
            found[b.kind].append({"item": i, "source": source})
            if group is not None:
                x = -BORDER if b.kind == "in" else width + BORDER
        size = {"x": _plain(x), "y": _plain(b.y - b.head + above), "w": b.w, "h": b.h, "column": b.column}
        items.append({**b.item, **size, **b.more, **({"row": row[i]} if row else {})})
        if i in opens:
            items[-1] |= {"line": _plain(b.head)} | _through(ports, grid, i)
    return {
        "width": _plain(width),
        "height": _plain(height),
        "items": items,
        "columns": [[_plain(left + side), _plain(right + side)] for left, right in grid.sides],
        "arrows": [_arrow_written(a, grid.boxes, row, side, above) for a in grid.arrows],
        "inputs": found["in"],
        "outputs": found["out"],
        **({"rows": above_row} if row else {}),
    }


def _through(ports: Ports, grid: Grid, i: int) -> Json:
    """The port inside a group by which the arrow that lies in the group's own row enters it, or else leaves it."""
    group = grid.boxes[i].item["group"]
    into = [ports.items["in", group].get(a.source) for a in grid.arrows if a.end == i and not a.into]
    out = [ports.items["out", group].get(a.source) for a in grid.arrows if a.start == i and not a.out]
    both = [item for item in (*into, *out) if item is not None]
    return {"through": both[0]} if both else {}


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

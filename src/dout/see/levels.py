"""The levels of a description: the inside of each group, and the whole picture, each laid out with everything closed.

First each edge is cut at the borders of the groups that it crosses, then each level is laid out by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import ghosts, metrics
from .grid import Arrow, Box, Grid
from .layered import columns, lay_out

#: Operations whose operands may change places in the picture.
ANY_ORDER = frozenset(
    ["add", "multiply", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2", "equal", "not_equal"]
)
#: The length of an arrow that says nothing.
SHAFT = 20
#: Around the whole picture, and above and below the inside of a group.
MARGIN, INNER = 16, 4

Json = dict[str, Any]
Thing = tuple[str, int]
Total = Callable[[list[int]], Json | None]


@dataclass
class Inside:
    """What stands at one level: things by their keys, and arrows between those, not placed yet."""

    things: list[Thing] = field(default_factory=list)  # ("node" | "group" | "in" | "out" | "output", id)
    arrows: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)  # edges of (from, to, source, port)


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
        groups: the folds.
        outputs: what the function returned.
        total: the sum of the derivatives on some edges, for an arrow that stands for several.
        formulas: whether there is to be room for formulas.
        layout: "dout", or "graphviz" for an order found by Graphviz's dot.

    Returns:
        a level for "top" and for the id of each group.
    """
    found = _insides(nodes, edges, groups, outputs)
    if layout not in ("dout", "graphviz"):
        raise ValueError(f"layout is 'dout' or 'graphviz', not {layout!r}")
    return {
        key: _level(inside, key, nodes, edges, groups, outputs, total or (lambda ids: None), formulas)
        for key, inside in found.items()
    }


def _insides(
    nodes: Sequence[Json], edges: Sequence[Json], groups: Sequence[Json], outputs: Sequence[Json]
) -> dict[str, Inside]:
    paths: dict[int | None, tuple[int, ...]] = {None: ()}
    for group in groups:
        chain, g = [], group["id"]
        while g not in paths:
            chain.append(g)
            g = groups[g]["parent"]
        for c in reversed(chain):
            paths[c] = (*paths[groups[c]["parent"]], c)
    shipped = {g["id"] for g in groups if all(groups[p].get("shipped", True) for p in paths[g["id"]])}
    found = {None: Inside()} | {g["id"]: Inside() for g in groups if g["id"] in shipped}
    first = {g["id"]: len(nodes) for g in groups}
    for node in nodes:
        for g in paths[node["group"]]:
            first[g] = min(first[g], node["id"])
        if node["group"] in found:
            found[node["group"]].things.append(("node", node["id"]))
    for group in groups:
        if group["parent"] in found:
            found[group["parent"]].things.append(("group", group["id"]))
    for inside in found.values():
        inside.things.sort(key=lambda thing: (thing[1], -1) if thing[0] == "node" else (first[thing[1]], thing[1]))

    def join(level: int | None, start: Thing, end: Thing, source: int, edge: Json | None, port: int) -> None:
        if level in found:
            found[level].arrows.setdefault((start, end, source, port), []).extend([edge["id"]] if edge else [])

    def way(path: tuple[int, ...], at: int, node: int) -> Thing:
        return ("group", path[at]) if at < len(path) else ("node", node)

    def leave(path: tuple[int, ...], above: int, node: int, edge: Json | None) -> None:
        for k in range(above, len(path)):
            join(path[k], way(path, k + 1, node), ("out", node), node, edge, 0)

    for edge in edges:
        u, v = edge["from"], edge["to"]
        pu, pv = paths[nodes[u]["group"]], paths[nodes[v]["group"]]
        k = 0
        if pu and pv:
            while k < len(pu) and k < len(pv) and pu[k] == pv[k]:
                k += 1
        leave(pu, k, u, edge)
        start = way(pu, k, u)
        for j in range(k, len(pv) + 1):
            end = way(pv, j, v)
            join(pv[j - 1] if j else None, start, end, u, edge, edge["port"] if end[0] == "node" else -1)
            start = ("in", u)
    for j, output in enumerate(outputs):
        found[None].things.append(("output", j))
        if output["node"] is not None:
            path = paths[nodes[output["node"]]["group"]]
            leave(path, 0, output["node"], None)
            join(None, way(path, 0, output["node"]), ("output", j), output["node"], None, 0)
    for inside in found.values():
        ends = dict.fromkeys(end for start, end, _, _ in inside.arrows if end[0] == "out")
        starts = dict.fromkeys(start for start, _, _, _ in inside.arrows if start[0] == "in")
        inside.things = [*starts, *inside.things, *ends]
    return {"top" if g is None else str(g): inside for g, inside in found.items()}


def _level(
    inside: Inside,
    key: str,
    nodes: Sequence[Json],
    edges: Sequence[Json],
    groups: Sequence[Json],
    outputs: Sequence[Json],
    total: Total,
    formulas: bool,
) -> Json:
    index = {thing: i for i, thing in enumerate(inside.things)}
    arrows = []
    leaving: dict[int, dict[int, int]] = {}
    for (start, end, source, port), ids in inside.arrows.items():
        more, texts = _carried(end, source, ids, nodes, edges, groups, outputs, total, formulas)
        w, up, down = (SHAFT, metrics.NONE, metrics.NONE) if more.get("bare") else metrics.label(*texts)
        arrows.append(Arrow(ids, source, index[start], index[end], port, w, up, down, more))
        leaving.setdefault(index[start], {}).setdefault(source, len(arrows))
    boxes = [
        _box(thing, k, nodes, edges, groups, outputs, list(leaving.get(k, ()))) for k, thing in enumerate(inside.things)
    ]
    columns(boxes, arrows)
    ghosts.copy(boxes, arrows, lambda a: _ghost(nodes[a.source]))
    grid = lay_out(boxes, arrows)
    return _written(grid, key, groups)


def _carried(
    end: Thing,
    source: int,
    ids: list[int],
    nodes: Sequence[Json],
    edges: Sequence[Json],
    groups: Sequence[Json],
    outputs: Sequence[Json],
    total: Total,
    formulas: bool,
) -> tuple[Json, tuple[Json | None, Json | None, str]]:
    """What is said of an arrow in its level, and the value, derivative and formula beside it."""
    node = nodes[source]
    if end[0] == "output":
        output = outputs[end[1]]
        known = {name: output[name] for name in ("value", "derivative") if output.get(name)}
        return {"output": end[1], **known}, (output["value"], output.get("derivative") or {"t": "1"}, "")
    if node["kind"] == "constant" and not node["name"]:
        return {"bare": True}, (None, None, "")
    own = _own(groups[end[1]], source, ids, nodes, edges) if end[0] == "group" else None
    if own is not None:
        formula = (groups[end[1]].get("formula") or {}).get("closed", "") if formulas else ""
        return {"derivative": own}, (node["value"], own, formula)
    if end[0] == "out":
        ends = [j for j, output in enumerate(outputs) if output["node"] == source]
        if len(ends) + len(ids) < 2:
            return {"bare": True, **({"output": ends[0]} if ends else {})}, (None, None, "")
        if len(node.get("terms") or ()) == len(ends) + len(ids):
            return {"derivative": node["total"]}, (node["value"], node["total"], "")
    if len(ids) == 1:
        formula = (edges[ids[0]].get("formula") or {}).get("text", "") if formulas else ""
        return {}, (node["value"], edges[ids[0]]["derivative"], formula)
    derivative = total(ids)
    return {"derivative": derivative}, (node["value"], derivative, "")


def _own(group: Json, source: int, ids: list[int], nodes: Sequence[Json], edges: Sequence[Json]) -> Json | None:
    """The derivative that a layer's own backward gave for one of its inputs."""
    own = group.get("own")
    if not own:
        return None
    inputs = group.get("inputs")
    if inputs is None:
        return own[0] if len(own) == 1 else None
    return own[inputs.index(source)] if inputs.count(source) == 1 and inputs.index(source) < len(own) else None


def _box(
    thing: Thing,
    k: int,
    nodes: Sequence[Json],
    edges: Sequence[Json],
    groups: Sequence[Json],
    outputs: Sequence[Json],
    leaving: list[int],
) -> Box:
    kind, i = thing
    if kind == "node":
        node = nodes[i]
        w, h = metrics.shape(node["kind"], metrics.title(node))
        ordered = node["kind"] == "layer" or node["op"] not in ANY_ORDER
        texts = _wide(metrics.caption(node)), _wide(metrics.total(node, edges))
        return Box({"node": i}, node["kind"], w, h, ordered, *texts)
    if kind == "group":
        w, h = metrics.shape("group", metrics.heading(groups[i]))
        box = Box({"group": i}, "group", w, h)
        if len(leaving) == 1 and metrics.total(nodes[leaving[0]], edges):
            box.item["sum"] = leaving[0]
            box.sum = _wide(metrics.total(nodes[leaving[0]], edges))
        return box
    if kind == "output":
        text = (
            outputs[i]["path"] if outputs[i]["node"] is not None else f"{outputs[i]['path']} {outputs[i]['value']['t']}"
        )
        return Box({"output": i}, "out", _wide(metrics.clip(text.strip())), 0, room=(metrics.NONE, metrics.NONE))
    _, up, down = metrics.label(nodes[i]["value"], nodes[i]["total"])
    return Box({}, kind, 0, 0, room=(up, down))


def _wide(text: str) -> int:
    return math.ceil(metrics.width(text))


def _ghost(node: Json) -> Box:
    """A copy of a node: its name, wherever it is used far from where it stands."""
    text = metrics.caption(node) or metrics.title(node)
    return Box({"node": node["id"], "ghost": True}, "input", *metrics.shape("input", text))


def _written(grid: Grid, key: str, groups: Sequence[Json]) -> Json:
    """The level as JSON."""
    side, above = (MARGIN, MARGIN) if key == "top" else (0, INNER)
    width = (grid.sides[-1][1] if grid.sides else 0) + 2 * side
    height = max((y + b for y, b in zip(grid.y, grid.bottom, strict=True)), default=0) + 2 * above
    if key != "top":  # an open group's name and its button must fit into its frame
        width = max(width, _wide(metrics.heading(groups[int(key)])) + 48)
    items: list[Json] = []
    places: dict[str, list[int]] = {"in": [], "out": []}
    for i, b in enumerate(grid.boxes):
        x = b.x + side
        if b.kind in places:
            b.item["port"] = len(places[b.kind])
            places[b.kind].append(i)
            if key != "top":
                x = -8 if b.kind == "in" else width + 8
        items.append({**b.item, "x": x, "y": b.y - b.head + above, "w": b.w, "h": b.h, "column": b.column, **b.more})
    arrows = []
    for a in grid.arrows:
        start, end = grid.boxes[a.start], grid.boxes[a.end]
        tx, ty = _tip(a, end)
        arrows.append(
            {
                "edges": a.edges, "source": a.source, "from": a.start, "to": a.end, **a.more,
                "sy": start.head + a.out, "tx": tx, "ty": ty,
                "via": [[x + side, y + above] for x, y in a.via],
                "label": [end.x + side - end.reach - a.w / 2, end.y + a.into + above], "lw": a.w,
            }
        )  # fmt: skip
    ports = {name: [{"item": i, "source": _source(grid, i)} for i in found] for name, found in places.items()}
    return {
        "width": width,
        "height": height,
        "items": items,
        "columns": [[left + side, right + side] for left, right in grid.sides],
        "arrows": arrows,
        "inputs": ports["in"],
        "outputs": ports["out"],
    }


def _source(grid: Grid, i: int) -> int | None:
    return next((a.source for a in grid.arrows if i in (a.start, a.end)), None)


def _tip(a: Arrow, end: Box) -> tuple[float, float]:
    """Where an arrow ends, from its box's top left corner: on the rim if that is round."""
    at = end.head + a.into
    if end.kind != "op":
        return 0, at
    r, middle = metrics.RADIUS, end.h / 2
    if end.h == 2 * r:  # towards the middle
        far = math.hypot(r + end.reach, at - middle)
        return round(r - r * (r + end.reach) / far, 1), round(middle + r * (at - middle) / far, 1)
    off = max(r - at, at - (end.h - r), 0)
    return round(r - math.sqrt(r * r - min(off, r) ** 2), 1), at

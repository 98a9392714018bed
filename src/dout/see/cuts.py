"""Edges cut at the borders of the groups that they cross: what stands at each level, and the arrows there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .bundles import bundle

Json = dict[str, Any]
#: ("node", id), ("group", id), ("output", its number), or a port of the level's group: ("in", id of the node outside that
#: the value comes from) or ("out", id of the node inside).
Thing = tuple[str, int]


@dataclass
class Inside:
    """One level: what stands there, and the edges of each arrow by (from, to, source, port).

    To a node each edge is an arrow of its own; to anything else all edges from one source are one arrow. `many` says of
    a bundle, which goes by its first source, for how many it stands.
    """

    depth: int
    things: list[Thing] = field(default_factory=list)
    arrows: dict[tuple[Thing, Thing, int, int], list[int]] = field(default_factory=dict)
    many: dict[tuple[Thing, Thing, int, int], int] = field(default_factory=dict)

    def join(self, start: Thing, end: Thing, source: int, edge: Json | None) -> None:
        """Adds an edge to the arrow that it belongs to; None for what is only returned by the function."""
        port = edge["port"] if edge and end[0] == "node" else -1
        self.arrows.setdefault((start, end, source, port), []).extend([edge["id"]] if edge else [])


def cut(
    nodes: Sequence[Json], edges: Sequence[Json], groups: Sequence[Json], outputs: Sequence[Json]
) -> dict[int | None, Inside]:
    """Each level by its group's id, the whole picture's by None. Groups that aren't shipped have none."""
    paths = _paths(groups)
    found = {None: Inside(0)} | {
        g: Inside(len(path))
        for g, path in paths.items()
        if g is not None and all(groups[p].get("shipped", True) for p in path)
    }
    _things(found, nodes, groups, outputs, paths)

    def at(path: tuple[int, ...], depth: int, node: int) -> Thing:
        return ("group", path[depth]) if depth < len(path) else ("node", node)

    def leave(path: tuple[int, ...], depth: int, node: int, edge: Json | None) -> None:
        for k in range(depth, len(path)):
            if path[k] in found:
                found[path[k]].join(at(path, k + 1, node), ("out", node), node, edge)

    for edge in edges:
        u, v = edge["from"], edge["to"]
        start, end = paths[nodes[u]["group"]], paths[nodes[v]["group"]]
        common = 0
        while common < min(len(start), len(end)) and start[common] == end[common]:
            common += 1
        leave(start, common, u, edge)
        thing = at(start, common, u)
        for k in range(common, len(end) + 1):
            level = end[k - 1] if k else None
            if level in found:
                found[level].join(thing, at(end, k, v), u, edge)
            thing = ("in", u)
    for j, output in enumerate(outputs):
        u = output["node"]
        if u is not None:
            leave(paths[nodes[u]["group"]], 0, u, None)
            found[None].join(at(paths[nodes[u]["group"]], 0, u), ("output", j), u, None)
    bundle(found, [(node.get("value") or {}).get("many", 1) for node in nodes])
    for inside in found.values():
        starts = dict.fromkeys(start for start, _, _, _ in inside.arrows if start[0] == "in")
        ends = dict.fromkeys(end for _, end, _, _ in inside.arrows if end[0] == "out")
        inside.things = [*starts, *inside.things, *ends]
    return found


def _paths(groups: Sequence[Json]) -> dict[int | None, tuple[int, ...]]:
    """For each group, those around it and itself, from the outside in."""
    paths: dict[int | None, tuple[int, ...]] = {None: ()}
    for group in groups:
        chain, g = [], group["id"]
        while g not in paths:
            chain.append(g)
            g = groups[g]["parent"]
        for c in reversed(chain):
            paths[c] = (*paths[groups[c]["parent"]], c)
    return paths


def _things(
    found: dict[int | None, Inside],
    nodes: Sequence[Json],
    groups: Sequence[Json],
    outputs: Sequence[Json],
    paths: dict[int | None, tuple[int, ...]],
) -> None:
    """Nodes and groups in the order in which they ran, then outputs."""
    first = dict.fromkeys(paths, len(nodes))
    for node in nodes:
        for g in paths[node["group"]]:
            first[g] = min(first[g], node["id"])
        if node["group"] in found:
            found[node["group"]].things.append(("node", node["id"]))
    for group in groups:
        if group["parent"] in found:
            found[group["parent"]].things.append(("group", group["id"]))
    for inside in found.values():
        inside.things.sort(key=lambda t: (t[1], -1) if t[0] == "node" else (first[t[1]], t[1]))
    found[None].things += [("output", j) for j in range(len(outputs))]

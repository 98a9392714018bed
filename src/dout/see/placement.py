"""Where everything stands, with some folds open. A level is laid out with everything closed; opening is an insertion.

A column grows by the most that one of its open items grows, and what is right of it moves by that. What stands below an
open item moves down by as much as that item grows. Both keep the order of things and never bring two nearer, so nothing
comes to overlap. placement.js says the same.

An arrow's points are its start, its `via`, the right end of its label, and its end. It lies level between its start and
via[0], between via[1] and via[2], and so on to its label; it bends between via[0] and via[1], via[2] and via[3], and so on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

HEADER = 24  # of an open group's frame
INSET = 8  # between the frame and its inside


def place(levels: Mapping[str, Any], opened: Collection[int]) -> dict[str, Any]:
    """All that is visible with these groups open, in px from the top left corner of the picture.

    Args:
        levels: those of a description.
        opened: ids of groups. One that has no level, or that stands within a closed one, changes nothing.

    Returns:
        "width", "height"; "items", "frames" (open groups) and "arrows", those of a frame after those around it. Items and
        frames are the level's with "x", "y", "w", "h" as they stand now; arrows are the level's with "points", "label" as
        they stand now; each has its "level" (a key of levels) and "index" within that.
    """
    sizes: dict[str, tuple[float, float]] = {}
    grown: dict[str, tuple[Any, Any, dict[int, str]]] = {}
    stack = ["top"]
    while stack:  # an open level's own open levels first, for sizes come from the inside out
        key = stack[-1]
        level = levels[key]
        inside = {i: str(item["group"]) for i, item in enumerate(level["items"]) if item.get("group") in opened}
        inside = {i: name for i, name in inside.items() if name in levels}
        missing = [name for name in inside.values() if name not in sizes]
        if missing:
            stack += missing
            continue
        grown[key] = (*_insertion(level, {i: sizes[name] for i, name in inside.items()}), inside)
        fx, fy, _ = grown[key]
        sizes[key] = fx(level["width"]) + 2 * INSET, fy(level["height"]) + HEADER + 2 * INSET
        stack.pop()
    found: dict[str, Any] = {"items": [], "frames": [], "arrows": []}
    found["width"], found["height"] = (size - more for size, more in zip(sizes["top"], (16, 40), strict=True))
    todo = [("top", 0.0, 0.0)]
    for key, left, top in todo:
        fx, fy, inside = grown[key]
        items: list[dict[str, Any]] = []
        for i, item in enumerate(levels[key]["items"]):
            at = {**item, "x": left + fx(item["x"]), "y": top + fy(item["y"]), "level": key, "index": i}
            if i in inside:
                at["w"], at["h"] = sizes[inside[i]]
                todo.append((inside[i], at["x"] + INSET, at["y"] + HEADER + INSET))
                at["ports"] = _ports(levels[inside[i]], grown[inside[i]][1])
            found["frames" if i in inside else "items"].append(at)
            items.append(at)
        for i, arrow in enumerate(levels[key]["arrows"]):
            found["arrows"].append(
                _arrow(arrow, levels[key]["items"], items, fx, fy, left, top) | {"level": key, "index": i}
            )
    return found


def carry(description: Mapping[str, Any], arrow: dict[str, Any]) -> None:
    """Fill in the value and the derivative beside an arrow: what isn't said of it is as its node and its edge have it."""
    edges = arrow["edges"]
    arrow.setdefault("value", description["nodes"][arrow["source"]]["value"])
    if "derivative" not in arrow:
        ends = description["outputs"]
        output = ends[arrow["output"]].get("derivative") if "output" in arrow else None
        alone = description["edges"][edges[0]]["derivative"] if len(edges) == 1 else None
        arrow["derivative"] = alone if edges else output


def _insertion(level: Mapping[str, Any], sizes: Mapping[int, tuple[float, float]]) -> tuple[Any, Any]:
    """Where x and y of a level come to lie when these of its items take up so much."""
    columns: dict[int, float] = {}
    rows = []
    for i, (w, h) in sizes.items():
        item = level["items"][i]
        columns[item["column"]] = max(columns.get(item["column"], 0), w - item["w"])
        rows.append((item["y"] + item["h"], max(0, h - item["h"])))
    growths = [(level["columns"][c][1], by) for c, by in columns.items()]
    return (
        lambda x: x + sum(by for right, by in growths if right <= x),
        lambda y: y + sum(by for bottom, by in rows if bottom <= y),
    )


def _ports(level: Mapping[str, Any], fy: Any) -> tuple[dict[int, float], dict[int, float]]:
    """How far below the frame's top an arrow enters or leaves, by the node whose value it carries."""

    def heights(ports: Any) -> dict[int, float]:
        return {p["source"]: HEADER + INSET + fy(level["items"][p["item"]]["y"]) for p in ports}

    return heights(level["inputs"]), heights(level["outputs"])


def _arrow(
    arrow: Mapping[str, Any], closed: Any, items: Any, fx: Any, fy: Any, left: float, top: float
) -> dict[str, Any]:
    """An arrow whose ends and label go with its items, or with the ports of open ones, and whose way goes with the rows."""
    start, end = items[arrow["from"]], items[arrow["to"]]
    sy = start["ports"][1].get(arrow["source"], arrow["sy"]) if "ports" in start else arrow["sy"]
    x, y = left + fx(arrow["label"][0]), end["y"] + arrow["label"][1] - closed[arrow["to"]]["y"]
    last = [end["x"] + arrow["tx"], end["y"] + arrow["ty"]]
    if "ports" in end:
        y = end["y"] + end["ports"][0].get(arrow["source"], arrow["ty"])
        last = [end["x"], y]
    via = [[left + fx(a), top + fy(b)] for a, b in arrow["via"]]
    via[0][1], via[-1][1] = start["y"] + sy, y
    points = [[start["x"] + start["w"], start["y"] + sy], *via, [x + arrow["lw"] / 2, y], last]
    return {**arrow, "points": points, "label": [x, y]}

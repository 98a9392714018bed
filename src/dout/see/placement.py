"""Where everything stands, with some folds open. A level is laid out with everything closed; opening is an insertion.

A column grows by the most that one of its open items grows, and what is right of it moves by that. An open item pushes
down what is below it in its column, and with it all that is in the same row, which stays level. Both keep the order of
things and never bring two nearer, so nothing comes to overlap. placement.js says the same.

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
    moves: dict[str, _Moves] = {}
    stack = ["top"]
    while stack:  # an open level's own open levels first, for sizes come from the inside out
        key = stack[-1]
        inside = {i: str(item["group"]) for i, item in enumerate(levels[key]["items"]) if item.get("group") in opened}
        inside = {i: name for i, name in inside.items() if name in levels}
        missing = [name for name in inside.values() if name not in sizes]
        stack += missing
        if not missing:
            stack.pop()
            moves[key] = _Moves(levels[key], {i: (name, *sizes[name], moves[name]) for i, name in inside.items()})
            sizes[key] = moves[key].width + 2 * INSET, moves[key].height + HEADER + 2 * INSET
    found: dict[str, Any] = {"items": [], "frames": [], "arrows": []}
    found["width"], found["height"] = moves["top"].width, moves["top"].height
    todo = [("top", 0.0, 0.0)]
    for key, left, top in todo:
        move = moves[key]
        items: list[dict[str, Any]] = []
        for i, item in enumerate(levels[key]["items"]):
            at = {**item, "x": left + move.x(item["x"]), "y": top + move.top(i), "level": key, "index": i}
            if i in move.inside:
                name, at["w"], at["h"], inner = move.inside[i]
                todo.append((name, at["x"] + INSET, at["y"] + HEADER + INSET))
                at["ports"] = inner.ports("inputs"), inner.ports("outputs")
            found["frames" if i in move.inside else "items"].append(at)
            items.append(at)
        for i, arrow in enumerate(levels[key]["arrows"]):
            found["arrows"].append(_arrow(arrow, items, move, left, top) | {"level": key, "index": i})
    return found


class _Moves:
    """Where x and y of a level come to lie when these of its items are open: (level, width, height, its own moves)."""

    def __init__(self, level: Mapping[str, Any], inside: dict[int, tuple[str, float, float, _Moves]]) -> None:
        self.level, self.inside = level, inside
        columns: dict[int, float] = {}
        self.lift: dict[int, float] = {}
        up: dict[int, float] = {}
        down: dict[int, float] = {}
        for i, (_, w, h, inner) in inside.items():
            item = level["items"][i]
            line = HEADER + INSET + inner.top(item["through"]) if "through" in item else item["line"]
            self.lift[i] = line - item["line"]  # its frame begins so much higher, for its row to go straight through it
            up[i] = max(0, line - item["line"])
            down[i] = max(0, h - line - item["h"] + item["line"])
            columns[item["column"]] = max(columns.get(item["column"], 0), w - item["w"])
        self.growths = [(level["columns"][c][1], by) for c, by in columns.items()]
        self.shifts: list[float] = []  # of each row, and of the lower edge
        for above in level["rows"] if inside else ():
            by = [(self.shifts[row] if row >= 0 else 0) + down.get(u, 0) + up.get(v, 0) for row, u, v in above]
            self.shifts.append(max(by, default=0))
        self.width, self.height = self.x(level["width"]), level["height"] + (self.shifts[-1] if inside else 0)

    def x(self, x: float) -> float:
        """Where x comes to lie."""
        return x + sum([by for right, by in self.growths if right <= x])

    def y(self, y: float, row: int) -> float:
        """Where y of a row comes to lie."""
        return y + (self.shifts[row] if self.inside else 0)

    def top(self, i: int) -> float:
        """The upper edge of an item."""
        item = self.level["items"][i]
        return self.y(item["y"], item.get("row", 0)) - self.lift.get(i, 0.0)

    def ports(self, name: str) -> dict[int, float]:
        """How far below the frame's top an arrow enters or leaves, by the node whose value it carries."""
        return {port["source"]: HEADER + INSET + self.top(port["item"]) for port in self.level[name]}


def carry(description: Mapping[str, Any], arrow: dict[str, Any]) -> None:
    """Fill in the value and the derivative beside an arrow: what isn't said of it is as its node and its edge have it."""
    edges = arrow["edges"]
    arrow.setdefault("value", description["nodes"][arrow["source"]]["value"])
    if "derivative" not in arrow:
        ends = description["outputs"]
        output = ends[arrow["output"]].get("derivative") if "output" in arrow else None
        alone = description["edges"][edges[0]]["derivative"] if len(edges) == 1 else None
        arrow["derivative"] = alone if edges else output


def _arrow(arrow: Mapping[str, Any], items: Any, move: _Moves, left: float, top: float) -> dict[str, Any]:
    """An arrow whose ends and label go with its items, or with the ports of open ones, and whose way goes with the rows."""
    start, end = items[arrow["from"]], items[arrow["to"]]
    sy = start["ports"][1].get(arrow["source"], arrow["sy"]) if "ports" in start else arrow["sy"]
    x, y = left + move.x(arrow["label"][0]), end["y"] + arrow["label"][1] - move.level["items"][arrow["to"]]["y"]
    last = [end["x"] + arrow["tx"], end["y"] + arrow["ty"]]
    if "ports" in end:
        y = end["y"] + end["ports"][0].get(arrow["source"], arrow["ty"])
        last = [end["x"], y]
    way = arrow["via"][1:-1]
    rows = [row for row in arrow.get("rows", [0] * (len(way) // 2)) for _ in range(2)]
    via = [[left + move.x(a), top + move.y(b, row)] for (a, b), row in zip(way, rows, strict=True)]
    first, final = (left + move.x(arrow["via"][k][0]) for k in (0, -1))
    via = [[first, start["y"] + sy], *via, [final, y]]
    points = [[start["x"] + start["w"], start["y"] + sy], *via, [x + arrow["lw"] / 2, y], last]
    return {**arrow, "points": points, "label": [x, y]}

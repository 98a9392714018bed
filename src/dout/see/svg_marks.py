"""What stands in a picture: circles, boxes, names, frames and arrows, each as a group of its own with a title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .markup import Pen, escape, fit, num
from .meeting import Meeting
from .metrics import LINE, SECOND, caption, cells, heading, lines, summed, title, total, width
from .naming import symbols
from .strokes import backward_head, forward_head, line
from .svg_reach import Sizes, dashes
from .svg_signs import sign
from .svg_words import Titles
from .theme import GAP, SMALL

Json = Mapping[str, Any]


class Marks:
    """Draws the things of one picture.

    Attributes:
        formulas: whether each derivative has its formula below it.
        scale: how thick derivatives are; None if all are alike.
        on: the nodes and edges that are highlighted; None if none are.
        ends: what an arrow may end at: items and frames, by their level and index.
        meeting: which derivatives meet where, of those that can be seen.
        symbols: what stands in the formulas drawn so far, and is no name of the user's: x, x₁, y, L, dout.
    """

    def __init__(
        self,
        description: Json,
        pen: Pen,
        lang: str,
        formulas: bool = False,
        scale: Sizes | None = None,
        on: tuple[set[int], set[int]] | None = None,
        ends: Mapping[tuple[str, int], Json] | None = None,
        arrows: Sequence[Json] = (),
    ) -> None:
        self.nodes = description["nodes"]
        self.edges = description["edges"]
        self.groups = description["groups"]
        self.outputs = description["outputs"]
        self.meeting = Meeting(description, arrows)
        self.titles = Titles(description, lang, self.meeting)
        self.pen = pen
        self.formulas = formulas
        self.scale = scale
        self.on = on
        self.ends = ends or {}
        self.symbols: set[str] = set()
        self.named = {node["name"] for node in self.nodes if node.get("name")}
        problems = drawn_problems(description)
        self.alarms = {p["node"] for p in problems if p.get("node") is not None and p["kind"] != "numerical"}
        self.bad_nodes = {p["node"] for p in problems if p.get("node") is not None}
        self.bad_nodes |= {n["id"] for n in self.nodes if n.get("differs") or n.get("alone")}
        self.bad_edges = {p["edge"] for p in problems if p.get("edge") is not None}
        self.unequal = {e["id"] for e in self.edges if e.get("wrong") or e.get("differs")}
        self.unequal |= {p["edge"] for p in problems if p["kind"] == "numerical"}

    def _group(self, kind: str, said: str, *parts: str) -> str:
        """Elements that belong together, with what is read on hover."""
        return f'<g class="{kind}"><title>{escape(said, lines=True)}</title>{"".join(parts)}</g>'

    # Frames

    def frame(self, frame: Json) -> str:
        """An open layer or fold: a box around its inside, with a header."""
        group, pen = self.groups[frame["group"]], self.pen
        x, y, w, h = frame["x"], frame["y"], frame["w"], frame["h"]
        ground = "frame" if self._depth(group) % 2 == 0 else "frame2"
        parts = [pen.rect(x, y, w, h, 10, ground, "edge")]
        name = fit(group["name"] or "", w - 24)
        parts.append(pen.text(x + 12, y + 16.5, name, "ink", "start", 12, ' font-weight="600"'))
        left = x + 12 + width(name)
        if group.get("count"):
            parts.append(self._badge(left + 8, y + 13, f"×{group['count']}"))
            left += 20 + width(f"×{group['count']}", SMALL)
        for text, colour in self._remarks(group):
            if left + 16 + width(text, SMALL) <= x + w - 12:
                parts.append(pen.text(x + w - 12, y + 16, text, colour, "end", SMALL))
                break
        return self._group("frame", self.titles.group(group), *parts)

    def _remarks(self, group: Json) -> list[tuple[str, str]]:
        """What is said in a frame's header, from the longest to the shortest."""
        if group.get("agree") is None:
            return []
        if not group["agree"]:
            return [("≠ " + self.titles.short("differs"), "bad"), ("≠", "bad")]
        same = "✓ " + self.titles.short("same")
        formula = group.get("formula")
        longer = (
            [(f"{formula['opened']} = {formula['closed']}  {same}", "faint")] if formula and formula["opened"] else []
        )
        return [*longer, (same, "faint"), ("✓", "faint")]

    def _depth(self, group: Json) -> int:
        depth = 0
        while group["parent"] is not None:
            group, depth = self.groups[group["parent"]], depth + 1
        return depth

    def _badge(self, x: float, y: float, text: str) -> str:
        """A small pill with a count in it; `x` is its left end, `y` its middle."""
        w = width(text, SMALL) + 10
        return self.pen.rect(x, y - 8, w, 16, 8, "faint", None) + self.pen.text(
            x + w / 2, y + 3.8, text, "paper", "middle", SMALL
        )

    # Items

    def halo(self, item: Json) -> str:
        """What shines around an item on a highlighted path."""
        if self.on is None or item.get("node") not in self.on[0]:
            return ""
        x, y, w, h = item["x"], item["y"], item["w"], item["h"]
        round_ = self.nodes[item["node"]]["kind"] == "op"
        return self.pen.rect(x - 5, y - 5, w + 10, h + 10, h / 2 + 5 if round_ else 10, "path", None)

    def item(self, item: Json) -> str:
        """A node, a closed fold, or the end of an output's arrow."""
        if "port" in item:
            return self._port(item)
        if "group" in item:
            return self._fold(item, self.groups[item["group"]])
        node = self.nodes[item["node"]]
        draw = self._leaf if node["kind"] in ("input", "constant") else self._operation
        return self._group(node["kind"], self.titles.node(node), *draw(item, node), self._sum(item, node))

    def _port(self, item: Json) -> str:
        if item.get("output") is None:
            return ""
        path = self.outputs[item["output"]]["path"]
        return self.pen.text(item["x"] + 8, item["y"] + 4, path, "ink", "start") if path else ""

    def _sum(self, item: Json, node: Json) -> str:
        """Where derivatives meet, what they are and come to."""
        if "below" not in item or item.get("ghost"):
            return ""
        text = summed(*self.meeting.at(node["id"]), room=cells(total(node, self.edges)))
        x, y = item["x"] + item["w"] / 2 + item.get("belowx", 0), item["y"] + item["h"] + item.get("below", 0)
        return self.pen.text(x, y, text, "backward")

    def _leaf(self, item: Json, node: Json) -> list[str]:
        """The name of an input or the value of a constant, underlined; a copy of it, dashed."""
        x, y, w, h = item["x"], item["y"], item["w"], item["h"]
        plain = node["kind"] == "input" and not item.get("ghost")
        dashed = ' stroke-dasharray="3 2.5"' if item.get("ghost") else ""
        bad = node["id"] in self.bad_nodes
        colour = "bad" if bad else "ink" if plain else "faint"
        return [
            self._mark(node["id"], x - 7, y + h / 2) if bad else "",
            self.pen.text(x + w / 2, y + h / 2 + 4, title(node), colour),
            self.pen.path(
                f"M{num(x + 3)} {num(y + h / 2 + 8.5)}h{num(w - 6)}", colour, None, 1.4 if plain else 1, dashed
            ),
        ]

    def _operation(self, item: Json, node: Json) -> list[str]:
        """An operation's circle or a layer's box, with the name of its result above."""
        x, y, w, h = item["x"], item["y"], item["w"], item["h"]
        layer = node["kind"] == "layer"
        bad = node["id"] in self.bad_nodes
        dashed = ' stroke-dasharray="4 3"' if item.get("ghost") else ""
        round_ = 9.0 if layer else min(w, h) / 2
        fill = "badbox" if bad else "box" if layer else "node"
        parts = [
            self.pen.rect(
                x, y, w, h, round_, fill, "bad" if bad else "ink", f' stroke-width="{2.2 if bad else 1.4}"{dashed}'
            )
        ]
        parts.append(sign(self.pen, title(node), x + w / 2, y + h / 2, drawn=not layer))
        if "above" in item:
            parts.append(
                self.pen.text(
                    x + w / 2 + item.get("abovex", 0),
                    y + item["above"],
                    caption(node),
                    "faint" if item.get("ghost") else "ink",
                )
            )
        if bad:
            parts.append(self._mark(node["id"], x + w - 5, y + 6))
        return parts

    def _fold(self, item: Json, group: Json) -> str:
        """A closed layer, or a closed fold with the edge of another box behind it."""
        x, y, w, h = item["x"], item["y"], item["w"], item["h"]
        pen = self.pen
        bad = group.get("agree") is False or group.get("wrong") or self._holds_bad(group["id"])
        fill, stroke, thick = ("badbox", "bad", 2.2) if bad else ("box", "ink", 1.4)
        parts = []
        if group["kind"] != "layer":
            w -= 5
            parts.append(pen.rect(x + 5, y - 5, w, h, 9, "box", "edge"))
        parts.append(pen.rect(x, y, w, h, 9, fill, stroke, f' stroke-width="{thick}"'))
        name = heading({**group, "count": None})
        count = f"×{group['count']}" if group.get("count") else ""
        badge = width(count, SMALL) + 18 if count else 0
        left = x + (w - width(name) - badge) / 2
        parts.append(pen.text(left, y + h / 2 + 4, name, "ink", "start"))
        if count:
            parts.append(self._badge(left + width(name) + 8, y + h / 2, count))
        if bad:
            alarm = next((n for n in self.alarms if self._within(self.nodes[n]["group"], group["id"])), -1)
            parts.append(self._mark(alarm, x + w - 5, y + 6))
        if item.get("sum") is not None:
            parts.append(self._sum(item, self.nodes[item["sum"]]))
        return self._group("fold", self.titles.group(group), *parts)

    def _holds_bad(self, group: int) -> bool:
        return any(self._within(self.nodes[node]["group"], group) for node in self.bad_nodes)

    def _within(self, inner: int | None, outer: int) -> bool:
        while inner is not None and inner != outer:
            inner = self.groups[inner]["parent"]
        return inner is not None

    def _mark(self, node: int, x: float, y: float) -> str:
        """Around a point: a triangle with an exclamation mark, or a disc with ≠ where two numbers should be the same."""
        if node in self.alarms:
            shape = f"M{num(x)} {num(y - 10)}l8.5 15h-17z"
            mark = f"M{num(x)} {num(y - 4.5)}v4.5M{num(x)} {num(y + 2.2)}v1"
        else:
            shape = f"M{num(x - 7.5)} {num(y)}a7.5 7.5 0 1 1 15 0a7.5 7.5 0 1 1 -15 0z"
            mark = f"M{num(x - 3.5)} {num(y - 1.8)}h7m-7 3.6h7M{num(x + 2)} {num(y - 4.5)}l-4 9"
        return self.pen.path(shape, "paper", "bad") + self.pen.path(
            mark, "paper", None, 1.7 if node in self.alarms else 1.3
        )

    # Arrows

    def glow(self, arrow: Json) -> str:
        """What shines behind a highlighted arrow."""
        if self.on is None or not self._highlighted(arrow):
            return ""
        return self.pen.path(line(arrow["points"], 0), "path", None, 15, ' stroke-linecap="round"')

    def _highlighted(self, arrow: Json) -> bool:
        assert self.on is not None
        return any(e in self.on[1] for e in arrow["edges"]) if arrow["edges"] else arrow.get("source") in self.on[0]

    def arrow(self, arrow: Json) -> str:
        """The value's line above, the derivative's below, with their numbers."""
        points, pen = arrow["points"], self.pen
        back = arrow.get("derivative")
        bad = any(e in self.bad_edges or self.edges[e].get("differs") for e in arrow["edges"])
        level = -GAP if back else 0
        parts = [
            pen.path(line(points, level, 5), "forward", None, 1.5),
            pen.path(forward_head(points, level), None, "forward"),
        ]
        low = 0.0
        if back:
            thick = self.scale.thickness(back) if self.scale else 1.5
            low = max(thick - 1.5, 0.0)
            shift = GAP + low / 2
            dash = dashes(thick)
            colour = "bad" if bad else "backward"
            parts.append(
                pen.path(line(points, shift, 0, low * 0.8), colour, None, thick or 1, f' stroke-dasharray="{dash}"')
            )
            parts.append(pen.path(backward_head(points, shift, low), colour, None, min(max(thick, 1.3), 2.2)))
        if any(self.edges[e].get("broadcast") for e in arrow["edges"]):
            parts.append(self._broadcast(arrow))
        if not arrow.get("bare"):
            parts += self._labels(arrow, low, bad)
        return self._group("arrow", self.titles.arrow(arrow), *parts)

    def _labels(self, arrow: Json, low: float, bad: bool) -> list[str]:
        x, y = arrow["label"]
        parts = []
        above = lines(arrow["value"])
        for k, (text, size) in enumerate(above):
            differs = bool(self.nodes[arrow["source"]].get("differs"))
            text = "≠ " + text if differs and k == 0 else text
            colour = "bad" if differs or _bad(arrow["value"]) else "forward"
            parts.append(self.pen.text(x, y - 7 - LINE * (len(above) - 1 - k), text, colour, "middle", size))
        below = [
            (text, size, "bad" if bad or _bad(arrow["derivative"]) else "backward")
            for text, size in lines(arrow.get("derivative"))
        ]
        edges = [self.edges[e] for e in arrow["edges"]]
        if below and any(e["id"] in self.unequal for e in edges):
            below[0] = ("≠ " + below[0][0], below[0][1], "bad")
        formula = self._formula(arrow, edges) if self.formulas and below else ""
        if formula:
            below.append((formula, SECOND, "faint"))
        for k, (text, size, colour) in enumerate(below):
            parts.append(self.pen.text(x, y + 15 + low + LINE * k, text, colour, "middle", size))
        return parts

    def _formula(self, arrow: Json, edges: list[Json]) -> str:
        """An operation's, or a closed layer's own; none where the arrow only enters what is open."""
        end = self.ends.get((arrow["level"], arrow["to"]), {})
        if "ports" in end or "port" in end:
            return ""
        if "group" in end:
            text = str((self.groups[end["group"]].get("formula") or {}).get("closed", ""))
            self.symbols |= set(symbols(text, self.named))
            return text
        formula = self.titles.formula(edges[0]) if len(edges) == 1 else None
        if formula is None:
            return ""
        text = self.titles.written(edges[0], formula)
        given = {self.nodes[n]["name"] for n in (edges[0]["to"], *(e["from"] for e in self._beside(edges[0])))}
        self.symbols |= set(symbols(text, self.named)) - given
        return text

    def _beside(self, edge: Json) -> list[Json]:
        """All edges that arrive where this one does."""
        return [self.edges[e] for e in self.titles.names.ins[edge["to"]]]

    def _broadcast(self, arrow: Json) -> str:
        """One line becomes several on the way there; several are summed on the way back."""
        x, y = arrow["label"][0] - arrow["lw"] / 2 - 4, arrow["label"][1]
        pen = self.pen
        fan = "".join(f"M{num(x - 4.5)} {num(y - 5.5)}L{num(x + 4.5)} {num(y - 5.5 + k)}" for k in (-4, 0, 4))
        return (
            pen.rect(x - 7.5, y - 13, 15, 26, 5, "paper", "faint")
            + pen.path(fan, "forward", None, 1.3)
            + pen.text(x, y + 9.5, "Σ", "backward", "middle", 11)
        )


def drawn_problems(description: Json) -> list[Json]:
    """All but a Relu that is off for the only number it takes: that is what it is for, and no alarm in a picture."""
    return [p for p in description["problems"] if not (p["kind"] == "dead" and p.get("size") == 1)]


def _bad(value: Json | None) -> bool:
    """Whether it is, or holds, a NaN or an infinity."""
    return value is not None and (value.get("v", 0) in ("NaN", "Infinity", "-Infinity") or bool(value.get("bad")))

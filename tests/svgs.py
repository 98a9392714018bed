"""Reads SVG pictures as they are drawn: where texts, shapes and lines are, and what covers what."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import combinations, pairwise

from dout.see.metrics import width

NS = "{http://www.w3.org/2000/svg}"
COMMAND = re.compile(r"([MLHVCQlhvz])([^MLHVCQlhvz]*)")


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float
    what: str = ""

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Drawn:
    """What an SVG of dout's shows.

    Attributes:
        texts: the boxes of its texts, as tight as letters are.
        shapes: those of nodes and closed folds.
        frames: those of open folds.
        lines: the points of each arrow's lines, close together.
    """

    def __init__(self, svg: str) -> None:
        self.root = ET.fromstring(svg)
        self.texts: list[Box] = []
        self.shapes: list[Box] = []
        self.frames: list[Box] = []
        self.lines: list[list[tuple[float, float]]] = []
        self._read(self.root, 0.0, 0.0, "")

    def _read(self, element: ET.Element, x: float, y: float, kind: str) -> None:
        moved = re.fullmatch(r"translate\(([-\d.]+) ([-\d.]+)\)", element.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        if element.tag == NS + "g":
            kind = element.get("class", kind)
        elif element.tag == NS + "text" and element.text != "Σ":  # which stands in a mark upon the lines
            self.texts.append(_text(element, x, y))
        elif element.tag == NS + "rect" and kind in ("op", "layer", "fold", "frame") and element.get("stroke"):
            (self.frames if kind == "frame" else self.shapes).append(_rect(element, x, y))
        elif element.tag == NS + "path" and kind == "arrow" and element.get("stroke"):
            self.lines.append([(x + a, y + b) for a, b in flat(element.get("d", ""))])
        for child in element:
            self._read(child, x, y, kind)

    def said(self) -> list[str]:
        """All texts."""
        return [box.what for box in self.texts]

    def covered(self) -> list[str]:
        """Texts that stand on other texts, on the borders of shapes they aren't in, or on lines."""
        found = [f"{a.what!r} and {b.what!r}" for a, b in near(self.texts) if a.meets(b)]
        for text in self.texts:
            for shape in self.shapes:
                if text.meets(shape) and not shape.holds(text):
                    found.append(f"{text.what!r} and a shape at {shape.left:.0f},{shape.top:.0f}")
        rows: dict[int, list[Box]] = {}
        for text in self.texts:
            for row in range(int(text.top // 20), int(text.bottom // 20) + 1):
                rows.setdefault(row, []).append(text)
        for line in self.lines:
            for px, py in line:
                for text in rows.get(int(py // 20), ()):
                    if text.left < px < text.right and text.top < py < text.bottom:
                        found.append(f"{text.what!r} and a line at {px:.0f},{py:.0f}")
        return list(dict.fromkeys(found))


def near(boxes: list[Box]) -> list[tuple[Box, Box]]:
    """The pairs that may meet."""
    places: dict[tuple[int, int], list[Box]] = {}
    for box in boxes:
        for i in range(int(box.left // 100), int(box.right // 100) + 1):
            for j in range(int(box.top // 40), int(box.bottom // 40) + 1):
                places.setdefault((i, j), []).append(box)
    return [pair for some in places.values() for pair in combinations(some, 2)]


def _text(element: ET.Element, x: float, y: float) -> Box:
    size = float(element.get("font-size", "12"))
    what = element.text or ""
    w = width(what, size)
    left = x + float(element.get("x", "0")) - w * {"start": 0.0, "end": 1.0}.get(element.get("text-anchor", ""), 0.5)
    base = y + float(element.get("y", "0"))
    return Box(left, base - 0.72 * size, left + w, base + 0.15 * size, what)


def _rect(element: ET.Element, x: float, y: float) -> Box:
    a, b, w, h = (float(element.get(key, "0")) for key in ("x", "y", "width", "height"))
    return Box(x + a, y + b, x + a + w, y + b + h)


def flat(d: str) -> list[tuple[float, float]]:
    """Points on a path, a few px apart."""
    points: list[tuple[float, float]] = []
    for name, rest in COMMAND.findall(d):
        n = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", rest)]
        x, y = points[-1] if points else (0.0, 0.0)
        if name == "M":
            points.append((n[0], n[1]))
        elif name == "z":
            continue
        elif name in "CQ":
            hold = [(x, y), *zip(n[::2], n[1::2], strict=True)]
            points += [_bezier(hold, k / 24) for k in range(1, 25)]
        else:
            ends = {
                "L": lambda x, y, n: (n[0], n[1]),
                "H": lambda x, y, n: (n[0], y),
                "V": lambda x, y, n: (x, n[0]),
                "l": lambda x, y, n: (x + n[0], y + n[1]),
                "h": lambda x, y, n: (x + n[0], y),
                "v": lambda x, y, n: (x, y + n[0]),
            }
            a, b = ends[name](x, y, n)
            steps = max(1, int(max(abs(a - x), abs(b - y)) // 3))
            points += [(x + (a - x) * k / steps, y + (b - y) * k / steps) for k in range(1, steps + 1)]
    return points


def _bezier(hold: list[tuple[float, float]], t: float) -> tuple[float, float]:
    while len(hold) > 1:
        hold = [((1 - t) * a + t * c, (1 - t) * b + t * d) for (a, b), (c, d) in pairwise(hold)]
    return hold[0]

"""What stands below a picture: which arrow is which, how thick is how large, and what there is to know besides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .markup import Pen, clean, num
from .metrics import LINE, cells, width
from .naming import OUTPUTS, RESULTS
from .svg_marks import drawn_problems
from .svg_reach import Sizes, dashes, magnitude
from .svg_words import Titles, shown
from .theme import SMALL
from .words import say

Json = Mapping[str, Any]
#: Notes are wrapped at the width of the picture, but not below this.
NARROW = 380
#: Of disagreements and of layers so many are written out.
WRITTEN = 4


class Foot:
    """Draws what stands below one picture, from the left and top of the room for it.

    Attributes:
        parts: the elements, so far.
        wide: how wide they are.
        y: where the next line of text stands.
    """

    def __init__(self, description: Json, pen: Pen, lang: str, placed: Json, scale: Sizes | None) -> None:
        self.description = description
        self.pen = pen
        self.lang = lang
        self.placed = placed
        self.scale = scale
        self.parts: list[str] = []
        self.wide = 0.0
        self.y = 26.0

    def drawn(self, more: Sequence[str], legend: bool) -> tuple[list[str], float, float]:
        """The elements, and their width and height.

        Args:
            more: further notes.
            legend: whether to say which arrow is which.
        """
        arrows = self.placed["arrows"]
        if legend and arrows:
            self._legend(any(a.get("derivative") for a in arrows))
        if self.scale and arrows:
            self._sizes(self.scale, any(magnitude(a.get("derivative")) == 0 for a in arrows))
        room = max(self.placed["width"], self.wide, NARROW)
        for text, colour in [*self._notes(), *((text, "faint") for text in more)]:
            for row in wrapped(text, room):
                self._text(0, self.y + 1, row, colour)
                self.y += LINE
            self.y += 2
        return self.parts, self.wide, self.y - 8 if self.parts else 0.0

    def _text(self, x: float, y: float, text: str, colour: str = "faint") -> float:
        """A line of text; gives its right end."""
        self.parts.append(self.pen.text(x, y, text, colour, "start", SMALL))
        end = x + width(text, SMALL)
        self.wide = max(self.wide, end)
        return end

    def _legend(self, back: bool) -> None:
        """The two kinds of arrows, small."""
        pen, y = self.pen, self.y
        self.parts.append(pen.path(f"M0 {num(y - 3)}h20", "forward"))
        self.parts.append(pen.path(f"M25 {num(y - 3)}l-7 -3.6v7.2z", None, "forward"))
        x = self._text(31, y, say("svg.legend.value", self.lang)) + 20
        if back:
            dashed = f' stroke-dasharray="{dashes(1.5)}"'
            self.parts.append(pen.path(f"M{num(x)} {num(y - 3)}h25", "backward", None, 1.5, dashed))
            self.parts.append(pen.path(f"M{num(x + 7)} {num(y - 6.8)}l-7 3.8l7 3.8", "backward", None, 1.3))
            self._text(x + 31, y, say("svg.legend.derivative", self.lang))
        self.y += LINE + 4

    def _sizes(self, scale: Sizes, zeros: bool) -> None:
        """How thick is how large: a few lines with their powers of ten."""
        y = self.y
        x = self._text(0, y, say("svg.legend.size", self.lang)) + 12
        marks = [(f"{10.0**p:g}" if -4 < p < 4 else f"1e{p}", scale.at(p)) for p in scale.marks()]
        for said, thick in [*marks, *([("0", 0.0)] if zeros else [])]:
            dashed = f' stroke-dasharray="{dashes(thick)}"'
            self.parts.append(self.pen.path(f"M{num(x)} {num(y - 3)}h28", "backward", None, thick or 1.0, dashed))
            x = self._text(x + 33, y, said.replace("-", "−")) + 14
        self.y += LINE + 6

    def _notes(self) -> list[tuple[str, str]]:
        """Sentences with their colours: problems first, then layers, then what else there is to know."""
        description, lang = self.description, self.lang
        titles = Titles(description, lang)
        problems = drawn_problems(description)
        found = [(("≠ " if p["kind"] == "numerical" else "⚠ ") + _problem(p, lang), "bad") for p in problems]
        wrong = [e for e in description["edges"] if e.get("wrong")]
        for edge in wrong[:WRITTEN]:
            names = f"{titles.name(edge['from'])} → {titles.name(edge['to'])}"
            derivative = (edge["derivative"] or {}).get("t", "")
            numerical = shown(edge["numerical"])
            said = say("svg.note.wrong", lang, edge=names, derivative=derivative, numerical=numerical)
            found.append(("≠ " + (f"{names}: {clean(edge['why'])}" if edge.get("why") else said), "bad"))
        if len(wrong) > WRITTEN:
            found.append(("≠ " + say("svg.more", lang, count=len(wrong) - WRITTEN), "bad"))
        found += [(text, colour) for text, colour in self._layers().items()]
        return [*found, *((clean(note), "faint") for note in description["notes"])]

    def _layers(self) -> dict[str, str]:
        """What the closed layers' own backwards are, beside those of their primitives; each sentence once."""
        opened = {frame["group"] for frame in self.placed["frames"]}
        known = any(p["kind"] == "numerical" for p in self.description["problems"])
        seen = {item["group"] for item in self.placed["items"] if "group" in item}
        found: dict[str, str] = {}
        for group in self.description["groups"]:
            name, formula = clean(group["name"] or ""), group.get("formula") or {}
            if group.get("agree") is False and not known:
                found["≠ " + say("svg.note.differs", self.lang, name=name)] = "bad"
            elif group.get("agree") and group["id"] in seen - opened and formula.get("opened") and len(found) < WRITTEN:
                if formula["opened"] == formula["closed"]:
                    text = say("svg.note.alike", self.lang, name=name, **formula)
                else:
                    text = say("svg.note.same", self.lang, name=name, **formula)
                found[text] = "faint"
        return found


def notes_on(symbols: Collection[str], lang: str) -> list[str]:
    """What the symbols in formulas stand for, if any do."""
    inputs = sorted(s for s in symbols if s[0] in "xu")
    means = [("inputs", ", ".join(inputs))] if inputs else []
    means += [("result", s) for s in RESULTS if s in symbols]
    means += [("L", s) for s in OUTPUTS if s in symbols] + [("dout", s) for s in ("dout",) if s in symbols]
    return [say("svg.comma", lang).join(say(f"svg.means.{key}", lang, symbol=s) for key, s in means)] if means else []


def _problem(problem: Json, lang: str) -> str:
    """What went wrong first, and where."""
    return say(problem["key"], lang, **{k: clean(v) for k, v in problem.items() if k != "key"})


def wrapped(text: str, room: float) -> list[str]:
    """A sentence in lines; text without spaces between words is broken anywhere.

    Example:
        >>> wrapped("two apples and three oranges", 100)
        ['two apples and', 'three oranges']
    """
    rows, row = [], ""
    most = max(room / width("x", SMALL), 2)
    for word in text.replace("\n", " ").split(" "):
        if row and cells(row) + 1 + cells(word) > most:
            rows.append(row)
            row = ""
        row = f"{row} {word}" if row else word
        while cells(row) > most:
            cut = next(k for k in range(len(row) - 1, 0, -1) if cells(row[:k]) <= most)
            rows.append(row[:cut])
            row = row[cut:]
    return [*rows, row] if row else rows

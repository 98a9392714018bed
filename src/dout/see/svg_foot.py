"""What stands below a picture: which arrow is which, how thick is how large, and what there is to know besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .markup import Pen, clean, num
from .metrics import LINE, cells, width
from .svg_reach import Sizes
from .svg_words import Titles, full, shown
from .theme import SMALL
from .words import say

Json = Mapping[str, Any]
#: Notes are wrapped at the width of the picture, but not below this.
NARROW = 380
#: Of disagreements and of layers so many are written out.
WRITTEN = 4


def foot_of(
    description: Json, pen: Pen, lang: str, placed: Json, scale: Sizes | None, legend: bool
) -> tuple[list[str], float, float]:
    """The elements below the picture, from the left and top of the space for them; its width and height."""
    y, wide = 26.0, 0.0
    parts: list[str] = []
    arrows = placed["arrows"]
    if legend and arrows:
        drawn, wide = _legend(pen, lang, y, any(a.get("derivative") for a in arrows))
        parts += drawn
        y += LINE + 4
    if scale:
        drawn, w = _scale(pen, lang, y, scale, any(_zero(a.get("derivative")) for a in arrows))
        parts += drawn
        wide, y = max(wide, w), y + LINE + 6
    room = max(placed["width"], wide, NARROW)
    for text, colour in notes_of(description, lang):
        for row in _wrapped(text, room):
            parts.append(pen.text(0, y + 1, row, colour, "start", SMALL))
            wide, y = max(wide, width(row, SMALL)), y + LINE
        y += 2
    return parts, wide, y - 8 if parts else 0.0


def _legend(pen: Pen, lang: str, y: float, back: bool) -> tuple[list[str], float]:
    text = say("svg.legend.value", lang)
    parts = [
        pen.path(f"M0 {num(y - 3)}h20", "forward"),
        pen.path(f"M25 {num(y - 3)}l-7 -3.6v7.2z", None, "forward"),
        pen.text(31, y, text, "faint", "start", SMALL),
    ]
    x = 31 + width(text, SMALL)
    if not back:
        return parts, x
    x += 20
    text = say("svg.legend.derivative", lang)
    parts += [
        pen.path(f"M{num(x)} {num(y - 3)}h25", "backward", None, 1.5, ' stroke-dasharray="5 3.2"'),
        pen.path(f"M{num(x + 7)} {num(y - 6.8)}l-7 3.8l7 3.8", "backward", None, 1.3),
        pen.text(x + 31, y, text, "faint", "start", SMALL),
    ]
    return parts, x + 31 + width(text, SMALL)


def _scale(pen: Pen, lang: str, y: float, scale: Sizes, zeros: bool) -> tuple[list[str], float]:
    """How thick is how large: a few lines with their powers of ten."""
    text = say("svg.legend.size", lang)
    parts = [pen.text(0, y, text, "faint", "start", SMALL)]
    x = width(text, SMALL) + 12
    marks = [(f"1e{p}" if p not in (0, 1, 2, -1) else f"{10.0**p:g}", scale.at(p), "5 3.2") for p in scale.marks()]
    for said, thick, dash in [*marks, *([("0", 1.0, "1 3.5")] if zeros else [])]:
        parts.append(pen.path(f"M{num(x)} {num(y - 3)}h28", "backward", None, thick, f' stroke-dasharray="{dash}"'))
        said = said.replace("-", "−")
        parts.append(pen.text(x + 33, y, said, "faint", "start", SMALL))
        x += 33 + width(said, SMALL) + 14
    return parts, x - 14


def _zero(derivative: Json | None) -> bool:
    return bool(derivative) and full(derivative) in ("0", "0.0", "−0.0")


def notes_of(description: Json, lang: str) -> list[tuple[str, str]]:
    """Sentences below the picture, with their colours: problems first, then layers, then what else there is to know."""
    titles = Titles(description, lang)
    found = [("⚠ " + _problem(p, titles, lang), "bad") for p in description["problems"]]
    wrong = [e for e in description["edges"] if e.get("wrong")]
    for edge in wrong[:WRITTEN]:
        names = f"{titles.name(edge['from'])} → {titles.name(edge['to'])}"
        derivative = edge["derivative"]["t"]
        text = say("svg.note.wrong", lang, edge=names, derivative=derivative, numerical=shown(edge["numerical"]))
        found.append(("≠ " + text, "bad"))
    if len(wrong) > WRITTEN:
        found.append(("≠ " + say("svg.more", lang, count=len(wrong) - WRITTEN), "bad"))
    said: dict[str, str] = {}
    for group in description["groups"]:
        formula = group.get("formula")
        if formula and group.get("agree") and len(said) < WRITTEN:
            said[group["name"]] = say("svg.note.same", lang, name=clean(group["name"]), **formula)
        elif group.get("agree") is False:
            found.append(("≠ " + say("svg.note.differs", lang, name=clean(group["name"])), "bad"))
    found += [(text, "faint") for text in said.values()]
    return [*found, *((clean(note), "faint") for note in description["notes"])]


def _problem(problem: Json, titles: Titles, lang: str) -> str:
    """What went wrong first, and where."""
    text = problem.get("text") or ""
    if problem.get("key"):
        return say(problem["key"], lang, **{k: clean(v) for k, v in problem.items() if k != "key"})
    return clean(text)


def _wrapped(text: str, room: float) -> list[str]:
    """A sentence in lines; text without spaces between words is broken anywhere."""
    rows, row = [], ""
    most = room / width("x", SMALL)
    for word in text.replace("\n", " ").split(" "):
        if row and cells(row) + 1 + cells(word) > most:
            rows.append(row)
            row = ""
        row = f"{row} {word}" if row else word
        while cells(row) > most:
            cut = next(k for k in range(len(row), 0, -1) if cells(row[:k]) <= most)
            rows.append(row[:cut])
            row = row[cut:]
    return [*rows, row] if row else rows

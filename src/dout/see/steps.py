"""The steps of a picture as text: forward one line an operation, backward one line an arrow, with names and numbers.

They are made from the description, with the same folds open as in the page, so that page and terminal tell the same story.
A line is a list of pieces, each with what it is, so that it can be coloured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .markup import clean
from .meeting import Meeting
from .names import Names
from .placement import carry
from .values import short
from .words import words

Json = Mapping[str, Any]

#: Terms of a sum that are written out.
MOST = 6


class Piece(NamedTuple):
    """A part of a line, and what it is: "name", "fore", "back", "local", "faint", "bad", "head" or "" for plain words."""

    text: str
    kind: str = ""


Line = list[Piece]


@dataclass(frozen=True)
class Step:
    """One step: the line with its numbers, and lines that belong below it.

    Attributes:
        way: "forward" or "backward".
        number: which it is, from 1, as in the page.
        line: what happens.
        below: what there is to add: where derivatives meet, that something is wrong.
    """

    way: str
    number: int
    line: Line
    below: tuple[Line, ...] = ()


def steps_text(description: Json, lang: str | None = None) -> str:
    """The steps of a description, as plain text.

    Example:
        >>> import dout
        >>> def price(apple, number, tax):
        ...     total = apple * number
        ...     return total * tax
        >>> print(steps_text(dout.see(price, 100, 2, 1.1).describe()))
        Forward
          1  apple = 100
          2  number = 2
          3  tax = 1.1
          4  total = apple × number = 100 × 2 = 200
          5  total × tax = 200 × 1.1 = 220
        Backward
          6  ∂ to total: 1 × 1.1 = 1.1
          7  ∂ to tax: 1 × 200 = 200
          8  ∂ to apple: 1.1 × 2 = 2.2
          9  ∂ to number: 1.1 × 100 = 110
    """
    return "\n".join("".join(piece.text for piece in line) for line in lines_of(description, lang))


def lines_of(description: Json, lang: str | None = None) -> list[Line]:
    """The steps of a description as lines, with headings and numbers, and the notes at the end."""
    steps = list(Teller(description, lang).steps())
    wide = len(str(len(steps)))
    found: list[Line] = []
    way = ""
    for step in steps:
        if step.way != way:
            way = step.way
            found.append([Piece(_say(f"page.{way}", lang), "head")])
        found.append([Piece(f"  {step.number:>{wide}}  ", "faint"), *step.line])
        found += [[Piece(" " * (wide + 4)), *line] for line in step.below]
    if not steps:
        found.append([Piece(_say("page.intro.none", lang), "faint")])
    for problem in description["problems"]:
        if is_mark(problem):
            continue  # stands at its step
        found.append([Piece("⚠ " + _filled(problem, lang), "bad")])
    found += [[Piece(clean(note), "faint")] for note in description["notes"]]
    return found


class Teller:
    """Tells the steps of one description.

    Attributes:
        names: what its nodes are called.
        meeting: which derivatives meet where.
    """

    def __init__(self, description: Json, lang: str | None = None) -> None:
        self.description = description
        self.lang = lang
        self.names = Names(description)
        self.nodes: Sequence[Json] = description["nodes"]
        self.edges: Sequence[Json] = description["edges"]
        self.groups: Sequence[Json] = description["groups"]
        self.closed: set[int] = set()
        arrows = list(self._look(description["levels"]))
        self.meeting = Meeting(description, arrows)
        #: Of an edge that crosses the borders of folds, the innermost that says something.
        self.arrow_of: dict[int, Json] = {}
        for arrow in arrows:
            for edge in arrow["edges"]:
                if not arrow.get("bare") or edge not in self.arrow_of:
                    self.arrow_of[edge] = arrow

    def _look(self, levels: Json) -> Iterator[Json]:
        """What arrows are visible: those of the top level and of open folds, each after those around it."""
        keys = ["top"]
        for key in keys:
            for item in levels[key]["items"]:
                if "group" in item and not item.get("ghost"):
                    inside = str(item["group"])
                    if self.groups[item["group"]]["open"] and inside in levels:
                        keys.append(inside)
                    else:
                        self.closed.add(item["group"])
            for index, arrow in enumerate(levels[key]["arrows"]):
                at = {**arrow, "level": key, "index": index}
                carry(self.description, at)
                yield at

    def steps(self) -> Iterator[Step]:
        """Forward and backward, in order; what runs inside a closed fold is one step, at its end."""
        last: dict[Any, tuple[int, str, Any]] = {}
        for order, (way, which) in enumerate(self.description["steps"]):
            key: Any
            if way == "forward":
                group = next((g for g in reversed(list(self.names.groups_of(which))) if g in self.closed), None)
                key = ("node", which) if group is None else ("group", group)
                last[key] = order, way, key
            else:
                arrow = self.arrow_of.get(which)
                if arrow is not None:
                    key = ("arrow", arrow["level"], arrow["index"])
                    last[key] = order, way, arrow
        arrived: set[Any] = set()
        for number, (_, way, what) in enumerate(sorted(last.values(), key=lambda found: found[0]), 1):
            if way == "forward":
                yield Step(way, number, self.ran(what[1]) if what[0] == "group" else self.forward(what[1]))
            else:
                arrived.add((what["level"], what["index"]))
                yield self.backward(number, what, arrived)

    def forward(self, node: int) -> Line:
        """`apple_price = apple × number = 100 × 2 = 200`."""
        one = self.nodes[node]
        value = Piece(shown(one["value"]), "fore")
        name = Piece(self.names.of(node), "name")
        if one["kind"] in ("input", "constant"):
            return [name, Piece(" = "), value]
        inputs = [self.edges[e]["from"] for e in self.names.ins[node]]
        line = [name, Piece(" = ")] if one["name"] else []
        line += [Piece(self.names.made(node, 2), "name"), Piece(" = ")]
        single = all("shape" not in self.nodes[i]["value"] for i in inputs)
        if single and any(self.nodes[i]["kind"] != "constant" for i in inputs):
            texts = [clean(self.nodes[i]["value"]["t"]) for i in inputs]
            numbers = self.names.applied(node, list(map(bracketed, texts)) if self.names.between(node) else texts)
            if numbers != value.text:
                line += [Piece(numbers, "fore"), Piece(" = ")]
        return [*line, value]

    def ran(self, group: int) -> Line:
        """A closed fold: `h = Sigmoid(x) = 0.9`."""
        one = self.groups[group]
        level = self.description["levels"].get(str(group), {"inputs": [], "outputs": []})
        ins = dict.fromkeys(port["source"] for port in level["inputs"])
        outs = list(dict.fromkeys(port["source"] for port in level["outputs"]))
        name = f"{self.names.group(group)}({', '.join(self.names.of(i) for i in ins)})"
        line: Line = []
        if len(outs) == 1 and self.nodes[outs[0]]["name"]:
            line += [Piece(self.names.of(outs[0]), "name"), Piece(" = ")]
        line += [Piece(name, "name")]
        if outs:
            line += [Piece(" = "), Piece(", ".join(shown(self.nodes[out]["value"]) for out in outs), "fore")]
        return [*line, Piece("  " + _say("page.fold.size", self.lang, size=one["size"]), "faint")]

    def backward(self, number: int, arrow: Json, arrived: set[Any]) -> Step:
        """`∂ to apple: 1.1 × 2 = 2.2`, and below it the sum, once all derivatives that meet there have arrived."""
        edges = [self.edges[e] for e in arrow["edges"]]
        source = arrow["source"]
        derivative = arrow["derivative"]
        line = self._pieces("steps.to", name=Piece(self.names.of(source), "name"))
        factors = self._factors(arrow, edges, derivative)
        if factors is not None:
            up, local = factors
            line += [
                Piece(up, "back"),
                Piece(" × "),
                Piece(local, "local"),
                Piece(" = "),
                Piece(shown(derivative), "back"),
            ]
        else:
            line.append(Piece(shown(derivative) if derivative else "0", "back"))
            line += [
                Piece("  "),
                *self._pieces("steps.through", "faint", name=Piece(self._toward(arrow, edges), "name")),
            ]
        if any(edge.get("broadcast") for edge in edges):
            line += [Piece("  "), *self._pieces("steps.summed", "faint")]
        below = [*self._meeting(source, arrived), *self._wrong(edges)]
        return Step("backward", number, line, tuple(line for line in below if line))

    def _factors(self, arrow: Json, edges: Sequence[Json], derivative: Json | None) -> tuple[str, str] | None:
        """Of a single number: what comes from upstream, and by how much it is multiplied."""
        end = self.description["levels"][arrow["level"]]["items"][arrow["to"]]
        down = number_of(derivative)
        if down is None:
            return None
        if "group" in end:
            outputs = list(self.groups[end["group"]].get("outputs") or [])
            total = self.nodes[outputs[0]]["total"] if len(outputs) == 1 else None
            up = number_of(total)
            return (shown(total), bracketed(short(down / up))) if total and up else None
        if len(edges) != 1 or edges[0].get("local") is None:
            return None
        total = self.nodes[edges[0]["to"]]["total"]
        if number_of(total) is None:
            return None
        local = edges[0]["local"]
        return shown(total), bracketed(shown({"t": local}) if isinstance(local, str) else short(local))

    def _toward(self, arrow: Json, edges: Sequence[Json]) -> str:
        """What an arrow goes to: an operation, or a closed fold."""
        end = self.description["levels"][arrow["level"]]["items"][arrow["to"]]
        if "group" in end:
            return self.names.group(end["group"])
        if not edges:
            return _say("page.output", self.lang)
        to = edges[0]["to"]
        name = self.names.of(to)
        return self.names.made(to) if name == self.names.of(arrow["source"]) else name

    def _meeting(self, node: int, arrived: set[Any]) -> list[Line]:
        """The contributions to a node and their sum, once the last of them is there."""
        parts, total = self.meeting.at(node)
        arrows = (self.arrow_of.get(edge) for edge in self.nodes[node]["terms"])
        if len(parts) < 2 or not all((arrow["level"], arrow["index"]) in arrived for arrow in arrows if arrow):
            return []
        if total is None:
            return []
        name = Piece(self.names.of(node), "name")
        if "shape" in total:
            n = Piece(str(len(parts)))
            return [self._pieces("page.meet.arrays", name=name, n=n, total=Piece(shown(total), "back"))]
        written = " + ".join(bracketed(shown(part)) for part in parts[:MOST]) + (" + …" if len(parts) > MOST else "")
        return [self._pieces("page.meet.all", name=name, sum=Piece(f"{written} = {shown(total)}", "back"))]

    def _wrong(self, edges: Sequence[Json]) -> Iterator[Line]:
        """What the numerical derivative has against it; of a layer that can be opened the problems say so."""
        ids = {edge["id"] for edge in edges}
        for problem in self.description["problems"]:
            if is_mark(problem) and problem["edge"] in ids:
                yield [Piece("≠ " + _filled(problem, self.lang), "bad")]
        for edge in edges:
            if edge.get("wrong"):
                text = edge.get("why") or _say("page.wrong", self.lang, numerical=short(edge["numerical"]))
                yield [Piece("≠ " + clean(text), "bad")]

    def _pieces(self, key: str, kind: str = "", **values: Piece) -> Line:
        """A sentence of the catalogue whose parts may look different."""
        text = words()[self.lang or "en"][key]
        parts = re.split(r"(\{\w+\})", text)
        return [
            values.get(part[1:-1], Piece(part, kind)) if part[:1] == "{" else Piece(part, kind)
            for part in parts
            if part
        ]


def _say(key: str, lang: str | None, **values: Any) -> str:
    text = words()[lang or "en"][key]
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)


def _filled(problem: Json, lang: str | None) -> str:
    """The sentence about a problem."""
    key = problem.get("key")
    if key not in words()["en"]:
        return clean(problem.get("text") or problem["kind"])
    return _say(key, lang, **{name: clean(value) for name, value in problem.items() if name != "key"})


def is_mark(problem: Json) -> bool:
    """Whether it is the disagreement of an edge with its numerical derivative."""
    return problem["kind"] == "numerical" and problem.get("edge") is not None


def shown(value: Json | None) -> str:
    """A value in short: a number, or an array's entries if they are few, else its shape and range.

    Example:
        >>> shown({"t": "[2] float64", "shape": [2], "data": [1.0, -2.5]})
        '[1, −2.5]'
    """
    if not value:
        return "?"
    data = value.get("data")
    if (
        data is not None
        and len(value["shape"]) == 1
        and 0 < len(data) <= MOST
        and not any(isinstance(v, list) for v in data)
    ):
        return "[" + ", ".join(_entry(v) for v in data) + "]"
    text = clean(value["t"])
    return f"{text} {clean(value['t2'])}" if value.get("t2") else text


def _entry(value: Any) -> str:
    return clean(value) if isinstance(value, str) else short(value)


def number_of(value: Json | None) -> float | None:
    """A single real number."""
    if not value or "v" not in value or isinstance(value["v"], bool):
        return None
    try:
        return float(value["v"])
    except (ValueError, OverflowError):
        return None


def bracketed(text: str) -> str:
    """A number between signs.

    Example:
        >>> bracketed("−2"), bracketed("2")
        ('(−2)', '2')
    """
    return f"({text})" if text.startswith(("-", "−")) else text

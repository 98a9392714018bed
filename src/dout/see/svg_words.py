"""What a picture says in words: its title and description, and what is read on hover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .markup import clean, isolated
from .meeting import Meeting
from .names import Names
from .naming import in_names
from .words import say

BARS = "▁▂▃▄▅▆▇█"
#: How many of a list are named in a description.
NAMED = 6
#: With more edges than this, an arrow's title doesn't say how its derivative came about, lest the file be many megabytes.
BRIEF = 600

Json = Mapping[str, Any]


def shown_title(description: Json, lang: str) -> str:
    """The picture's title."""
    return say("svg.title", lang, name=isolated(description["title"]))


def described(description: Json, lang: str) -> str:
    """What the picture shows, in a few sentences, for those who can't see it."""
    nodes = description["nodes"]
    inputs = [node for node in nodes if node["kind"] == "input"]
    operations = sum(node["kind"] in ("op", "layer") for node in nodes)
    parts = [say("svg.desc", lang, operations=operations, inputs=len(inputs))]
    outputs = [f"{isolated(o['path'])} {full(o['value'])}".strip() for o in description["outputs"]]
    if outputs:
        parts.append(say("svg.desc.output", lang, values=_listed(outputs, lang)))
    names = Names(description)
    known = [f"{names.of(n['id'])} {full(n['total'])}" for n in inputs if n.get("total")]
    if known:
        parts.append(say("svg.desc.derivatives", lang, values=_listed(known, lang)))
    return (" " if lang == "en" else "").join(parts)


def _listed(texts: Sequence[str], lang: str) -> str:
    comma = say("svg.comma", lang)
    if len(texts) <= NAMED:
        return comma.join(texts)
    return comma.join([*texts[:NAMED], say("svg.more", lang, count=len(texts) - NAMED)])


def full(value: Json | None) -> str:
    """A number with all its digits; an array's shape, dtype and range, and its histogram in small bars."""
    if not value:
        return "?"
    if "v" in value:
        return "−" + str(value["v"])[1:] if str(value["v"]).startswith("-") else str(value["v"])
    if value.get("t2"):
        return f"{value['t']}, {value['t2']}{bars(value.get('hist'))}"
    return str(value["t"])


def bars(histogram: Json | None) -> str:
    """A histogram in one line of text.

    Example:
        >>> bars({"low": 0.0, "high": 1.0, "counts": [4, 0, 8, 1]})
        ' ▄ █▁'
    """
    counts = histogram["counts"] if histogram else []
    if len(counts) < 2:
        return ""
    most = max(counts)
    return " " + "".join(" " if not c else BARS[max(0, round(c / most * len(BARS)) - 1)] for c in counts)


class Titles:
    """What is read on hover, for each kind of thing.

    Attributes:
        description: of the whole picture.
        lang: "en" or "zh".
        meeting: which derivatives meet where, of those that can be seen, if that is known.
        brief: whether arrows say little.
    """

    def __init__(self, description: Json, lang: str, meeting: Meeting | None = None) -> None:
        self.description = description
        self.meeting = meeting
        self.lang = lang
        self.names = Names(description)
        self.brief = len(description["edges"]) > BRIEF

    def _say(self, key: str, **values: Any) -> str:
        return say(f"svg.{key}", self.lang, **values)

    def name(self, node: int) -> str:
        """What a node is called."""
        return self.names.of(node)

    def node(self, node: Json) -> str:
        """An operation, input or constant: how it was made, value, derivative, source line."""
        name = self.name(node["id"])
        made = self.names.made(node["id"]) if self.names.ins[node["id"]] else name
        rows = [name if made == name else f"{name} = {made}"]
        rows.append(self._say("value", value=full(node["value"])))
        meeting = len(node.get("terms") or ()) if self.meeting is None else len(self.meeting.at(node["id"])[0])
        if node.get("total"):
            rows.append(self._say("derivative", value=full(node["total"])))
            if meeting > 1:
                rows.append(self._say("meets", count=meeting))
        rows += self.other(node)
        rows += self.where(node.get("where"))
        return "\n".join(rows)

    def other(self, thing: Json) -> list[str]:
        """What stands there in the run that it is compared with."""
        if thing.get("alone"):
            return [say("compare.alone", self.lang)]
        return [say("compare.other", self.lang, value=full(thing["other"]))] if thing.get("differs") else []

    def short(self, key: str) -> str:
        """A word or two for a header."""
        return self._say(f"short.{key}")

    def where(self, where: Json | None) -> list[str]:
        """The line of the user's code."""
        if not where:
            return []
        return [f"{isolated(where['file'])}:{where['line']}  {isolated((where.get('text') or '').strip())}"]

    def group(self, group: Json) -> str:
        """A fold or a layer: how much is in it, and whether opened and closed agree."""
        rows = [isolated(group["name"] or "") + (f" ×{group['count']}" if group.get("count") else "")]
        if group.get("size"):
            rows.append(self._say("size", count=group["size"]))
        if group.get("shipped") is False:
            rows.append(self._say("unshipped"))
        if group.get("agree") is not None:
            rows.append(self._say("agree" if group["agree"] else "disagree"))
        if (group.get("formula") or {}).get("opened"):
            rows.append(f"{group['formula']['closed']} = {group['formula']['opened']}")
        return "\n".join(rows + self.where(group.get("where")))

    def arrow(self, arrow: Json) -> str:
        """From where to where, the value and the derivative, and how that came about."""
        edges = [self.description["edges"][e] for e in arrow["edges"]]
        source = self.name(arrow["source"])
        rows = [f"{source} → {self.name(edges[0]['to'])}" if len({e["to"] for e in edges}) == 1 else source]
        if arrow.get("many"):
            rows = [self._say("many", count=arrow["many"])]
        if self.brief:
            return "\n".join(
                [*rows, full(arrow["value"]), *([full(arrow["derivative"])] if arrow.get("derivative") else [])]
            )
        rows.append(self._say("value", value=full(arrow["value"])))
        if arrow.get("derivative"):
            rows.append(self._say("derivative", value=full(arrow["derivative"])))
        if len(edges) == 1:
            rows += self._edge(edges[0])
        return "\n".join(rows)

    def _edge(self, edge: Json) -> list[str]:
        rows = []
        upstream = self.description["nodes"][edge["to"]].get("total")
        if edge["derivative"] and edge.get("local") is not None and upstream and "v" in upstream:
            rows.append(f"{full(upstream)} × {full({'v': edge['local']})} = {full(edge['derivative'])}")
        formula = self.formula(edge)
        if formula:
            rows += [self.written(edge, formula), *self._beside(formula)]
        if edge.get("broadcast"):
            shape = self.description["nodes"][edge["to"]]["value"].get("shape", [])
            rows.append(self._say("broadcast", shape="×".join(map(str, shape)) or "1"))
        rows += self.other(edge)
        if edge.get("why"):
            rows.append(("≠ " if edge.get("wrong") else "") + clean(edge["why"]))
        elif edge.get("wrong"):
            rows.append("≠ " + self._say("wrong", numerical=shown(edge["numerical"])))
        return rows

    def _beside(self, formula: Json) -> list[str]:
        """What there is to say besides a formula: what its notation means, and where it doesn't hold."""
        rows = [say(formula["note"], self.lang)] if formula.get("note") else []
        return rows + [say("formula_except", self.lang, where=w, value=v) for w, v in formula.get("except") or ()]

    def formula(self, edge: Json) -> Json | None:
        """The formula of an edge's derivative; in the edge itself, or among those of the description."""
        found = edge.get("formula")
        if isinstance(found, str):
            found = (self.description.get("formulas") or {}).get(found)
        return found

    def written(self, edge: Json, formula: Json) -> str:
        """The formula in the words of this edge."""
        nodes, edges = self.description["nodes"], self.description["edges"]
        inputs = [nodes[edges[e]["from"]]["name"] for e in self.names.ins[edge["to"]]]
        return in_names(formula["text"], nodes[edge["to"]]["name"], inputs, {n["name"] for n in nodes if n.get("name")})


def shown(x: Any) -> str:
    """A number in short, with a true minus."""
    text = x["t"] if isinstance(x, Mapping) else f"{x:.6g}" if isinstance(x, int | float) else str(x)
    return "−" + text[1:] if text.startswith("-") else text

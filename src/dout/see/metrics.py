"""How much room texts and shapes take, in px. What draws a picture and what lays it out both ask here."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

CELL = 7.23  # the width of a character of the monospaced fonts at 12 px
SECOND = 10.5  # the size of a value's second line
LINE = 14  # from one line of text to the next
RADIUS = 20
#: A slider changes what an arrow says; there is room for numbers up to so long.
NUMBER = 9
#: Names longer than this are cut in the picture; their full text is shown on hover.
NAME = 22
#: The most terms of a sum that are written out, and how long it may become.
TERMS, SUM = 4, 34
#: Around an arrow's text: left of it, and between it and the arrow's head.
BEFORE, AFTER = 6, 12
#: From the middle of an arrow to the far side of one line of text, a little air included; and of none.
ONE, NONE = 21, 8


@lru_cache(maxsize=10_000)
def cells(text: str) -> int:
    """How many columns a text takes in a monospaced font: wide characters and emoji two, combining marks none.

    Example:
        >>> cells("price"), cells("价格"), cells("e\u0301")
        (5, 4, 1)
    """
    if text.replace("×", "x").replace("−", "-").replace("…", ".").isascii():  # most others than names
        return len(text)
    count = 0
    for c in text:
        if c == "\ufe0f":
            count += 1  # makes an emoji, two columns wide, of a sign of one
        elif unicodedata.category(c) not in ("Mn", "Me", "Cf"):
            count += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return count


def width(text: str, size: float = 12) -> float:
    """The width of a text in px.

    Example:
        >>> width("tax")
        21.69
    """
    return round(cells(text) * CELL * size / 12, 2)


def clip(text: str, most: int = NAME) -> str:
    """A text, or as much of its beginning as fits into so many columns, and an ellipsis.

    Example:
        >>> clip("the_variable_of_which_the_name_never_ends")
        'the_variable_of_which…'
    """
    if cells(text) <= most:
        return text
    while cells(text) > most - 1:
        text = text[:-1]
    return text + "…"


def title(node: Mapping[str, Any]) -> str:
    """The text that stands in a node: an operation's sign, an input's name, a nameless constant's value.

    Example:
        >>> title({"kind": "op", "sign": "×", "name": "price"}), title({"kind": "input", "name": "apple"})
        ('×', 'apple')
    """
    if node["kind"] in ("input", "constant"):
        return clip(node["name"] or (node.get("value") or {}).get("t", ""))
    return clip(node["sign"])


def caption(node: Mapping[str, Any]) -> str:
    """The text above a node: the variable that the result of an operation was assigned to."""
    return "" if node["kind"] in ("input", "constant") else clip(node["name"] or "")


def heading(group: Mapping[str, Any]) -> str:
    """The text in a folded group: its name, and how often it is repeated.

    Example:
        >>> heading({"name": "Block", "count": 12})
        'Block ×12'
    """
    return clip(group["name"] or "") + (f" ×{group['count']}" if group.get("count") else "")


def total(node: Mapping[str, Any], edges: Sequence[Mapping[str, Any]]) -> str:
    """The derivatives that meet in a node and their sum, or the sum alone where that would be long; "" where none meet.

    Example:
        >>> edges = [{"derivative": {"t": "2.2", "v": 2.2}}, {"derivative": {"t": "1.1", "v": 1.1}}]
        >>> total({"total": {"t": "3.3", "v": 3.3}, "terms": [0, 1]}, edges)
        '2.2 + 1.1 = 3.3'
    """
    nothing = {"t": "0"}
    parts = [{"t": "1"} if e == "output" else edges[e]["derivative"] or nothing for e in node.get("terms") or ()]
    return summed(parts, node.get("total"))


def summed(parts: Sequence[Mapping[str, Any]], total: Mapping[str, Any] | None, room: int = SUM) -> str:
    """Values and their sum; the sum alone where that would take more columns than there is room for.

    Example:
        >>> summed([{"t": "2.2"}, {"t": "−1"}], {"t": "1.2"}), summed([{"t": "2.2"}, {"t": "−1"}], {"t": "1.2"}, 10)
        ('2.2 − 1 = 1.2', 'Σ2 = 1.2')
    """
    if len(parts) < 2 or not total:
        return ""
    end = f" = {total['t']}"
    if len(parts) <= TERMS and "shape" not in total and not any("many" in part for part in parts):
        texts = [part["t"] for part in parts]
        written: str = texts[0] + "".join(f" − {t[1:]}" if t.startswith("−") else f" + {t}" for t in texts[1:]) + end
        if cells(written) <= room:
            return written
    return f"Σ{len(parts)}{end}"


def lines(value: Mapping[str, Any] | None) -> list[tuple[str, float]]:
    """The lines of a value beside its arrow, with their sizes."""
    if not value:
        return []
    second = value.get("range") or value.get("t2")
    return [(value["t"], 12), *([(second, SECOND)] if second else [])]


def label(
    value: Mapping[str, Any] | None, derivative: Mapping[str, Any] | None, more: str = ""
) -> tuple[float, float, float]:
    """The room beside an arrow: its length, and how far its text reaches above and below the arrow's middle.

    Args:
        value: the value, above.
        derivative: the derivative, below; None for a constant's.
        more: one more line below, such as a formula.

    Example:
        >>> label({"t": "220", "v": 220.0}, {"t": "1", "v": 1.0})
        (84, 21, 21)
    """
    rows = [*lines(value), *lines(derivative), *([(more, SECOND)] if more else [])]
    least = max((NUMBER for part in (value, derivative) if part and isinstance(part.get("v"), float)), default=0)
    longest = max([least * CELL, *(width(text, size) for text, size in rows)])
    above, below = (
        (ONE + LINE * (n - 1)) if n else NONE for n in (len(lines(value)), len(lines(derivative)) + bool(more))
    )
    return math.ceil(longest + BEFORE + AFTER), above, below


def shape(kind: str, text: str, ports: float = 0) -> tuple[float, float]:
    """Width and height of what is drawn for an item.

    Args:
        kind: "op", "layer", "group", "input" or "constant".
        text: what stands in it.
        ports: the least height that its arrows need, if they end at different heights of its side.

    Example:
        >>> shape("op", "×"), shape("input", "apple")
        ((40, 40), (45, 24))
    """
    long = math.ceil(width(text))
    if kind in ("input", "constant"):
        return max(long, 8) + 8, 24
    if kind == "op":
        return (2 * RADIUS if cells(text) <= 4 else long + 24), max(2 * RADIUS, ports)
    return max(long, 29) + (44 if kind == "group" else 28), max(44, ports)

"""What runs through a whole picture: the paths from an input to the output, and how large derivatives are."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

THIN, THICK = 0.8, 6.5  # px
DECADES = 12  # what is smaller than the largest by more than this is drawn as thin as can be


def paths_of(description: Mapping[str, Any], name: str) -> tuple[set[int], set[int]]:
    """The nodes and the edges on the ways from an input to the outputs.

    Raises:
        ValueError: if no input has that name.
    """
    starts = [node["id"] for node in description["nodes"] if node["kind"] == "input" and node["name"] == name]
    if not starts:
        names = [node["name"] for node in description["nodes"] if node["kind"] == "input" and node["name"]]
        raise ValueError(
            f"no input is called {name!r}; the inputs are {', '.join(map(repr, names)) or 'without names'}"
        )
    ahead: dict[int, list[int]] = {}
    behind: dict[int, list[int]] = {}
    for edge in description["edges"]:
        ahead.setdefault(edge["from"], []).append(edge["to"])
        behind.setdefault(edge["to"], []).append(edge["from"])
    ends = {output["node"] for output in description["outputs"] if output["node"] is not None}
    nodes = _reached(starts, ahead) & _reached(ends, behind)
    return nodes, {edge["id"] for edge in description["edges"] if edge["from"] in nodes and edge["to"] in nodes}


def _reached(starts: Iterable[int], ways: Mapping[int, Sequence[int]]) -> set[int]:
    found = set(starts)
    stack = list(found)
    while stack:
        for other in ways.get(stack.pop(), ()):
            if other not in found:
                found.add(other)
                stack.append(other)
    return found


def magnitude(value: Mapping[str, Any] | None) -> float | None:
    """The largest absolute value in a number or an array; NaN and infinity as such, None where nothing is known."""
    if not value:
        return None
    keys: Collection[str] = ("v",) if "v" in value else ("re", "im") if "re" in value else ("min", "max")
    found = [abs(float(value[key])) for key in keys if key in value and value[key] is not None]
    if value.get("bad"):
        found.append(math.inf)
    if not found:
        return None
    return math.nan if any(map(math.isnan, found)) else max(found)


class Sizes:
    """How thick derivatives are drawn: by the power of ten.

    Attributes:
        low: the power of ten that is drawn thinnest.
        high: the one that is drawn thickest.
    """

    def __init__(self, arrows: Sequence[Mapping[str, Any]]) -> None:
        found = [m for arrow in arrows if (m := magnitude(arrow.get("derivative"))) and math.isfinite(m)]
        powers = [math.log10(m) for m in found]
        self.high = math.ceil(max(powers, default=0.0) - 1e-9)
        self.low = max(math.floor(min(powers, default=0.0) + 1e-9), self.high - DECADES)
        if self.low == self.high:
            self.low -= 1

    def thickness(self, value: Mapping[str, Any] | None) -> float:
        """Of the line that carries this derivative; 0 for one that is 0 all over."""
        size = magnitude(value)
        if size is None or math.isnan(size) or math.isinf(size):
            return THICK if size else 1.5
        return self.at(math.log10(size)) if size else 0.0

    def at(self, power: float) -> float:
        """The thickness that stands for a power of ten."""
        share = (min(max(power, self.low), self.high) - self.low) / (self.high - self.low)
        return THIN + (THICK - THIN) * share

    def marks(self) -> list[int]:
        """The powers of ten in the legend."""
        steps = self.high - self.low
        step = max(1, math.ceil(steps / 4))
        return list(range(self.high, self.low - 1, -step))

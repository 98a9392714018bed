"""Where derivatives meet: those that can be seen beside arrows, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .values import short

Json = Mapping[str, Any]


class Meeting:
    """Which derivatives meet at each node, in a picture as it is drawn: what goes on inside a closed fold isn't seen.

    Args:
        description: of the whole picture.
        arrows: those that can be seen, with their "level" and "derivative", those of a fold after those around it.

    Example:
        >>> import dout
        >>> from dout.see.placement import carry, place
        >>> described = dout.see(lambda x: x * x + x, 3.0).describe()
        >>> arrows = place(described["levels"], ())["arrows"]
        >>> for arrow in arrows:
        ...     carry(described, arrow)
        >>> parts, total = Meeting(described, arrows).at(0)
        >>> [part["t"] for part in parts], total["t"]
        (['3', '3', '1'], '7')
    """

    def __init__(self, description: Json, arrows: Iterable[Json]) -> None:
        self.nodes: Sequence[Json] = description["nodes"]
        self.groups: Sequence[Json] = description["groups"]
        self._known: dict[str, bool] = {}
        self.arrow_of: dict[int, Json] = {}  # of an edge that crosses borders, the innermost that says something
        for arrow in arrows:
            if not self._disagrees(arrow["level"]):
                for edge in arrow["edges"]:
                    if not arrow.get("bare") or edge not in self.arrow_of:
                        self.arrow_of[edge] = arrow

    def _disagrees(self, level: str) -> bool:
        """Whether it is within a layer whose own backward gives something else: what arrives is by that one's account."""
        if level == "top":
            return False
        found = self._known.get(level)
        if found is None:
            group = self.groups[int(level)]
            outer = "top" if group["parent"] is None else str(group["parent"])
            found = self._known[level] = group.get("agree") is False or self._disagrees(outer)
        return found

    def arrows(self, node: int) -> tuple[list[Json], int, bool]:
        """The arrows that bring something to a node, how many outputs it is, and whether that is all."""
        terms = self.nodes[node].get("terms") or ()
        arrows: dict[tuple[str, int], Json] = {}
        seen = True
        for edge in terms:
            arrow = None if edge == "output" else self.arrow_of.get(edge)
            if arrow is not None:
                arrows[arrow["level"], arrow["index"]] = arrow
            seen = seen and (arrow is not None or edge == "output")
        return list(arrows.values()), sum(edge == "output" for edge in terms), seen

    def at(self, node: int) -> tuple[list[Json], Json | None]:
        """What meets at a node, each with its short text `t`, and the sum; the sum is None where it can't be told."""
        arrows, outputs, seen = self.arrows(node)
        parts: list[Json] = [{"t": "1", "v": 1}] * outputs + [a["derivative"] or {"t": "0", "v": 0} for a in arrows]
        total = self.nodes[node]["total"]
        return parts, total if seen else added(parts)


def added(parts: Sequence[Json]) -> Json | None:
    """The sum of single real numbers; None if they are anything else."""
    numbers = [part.get("v") for part in parts]
    if not numbers or any(isinstance(v, bool) or not isinstance(v, int | float | str) for v in numbers):
        return None
    try:
        total = math.fsum(float(v) for v in numbers if v is not None)
    except (ValueError, OverflowError):  # infinities of both signs, or an int that no float can hold
        return None
    return {"t": short(total), "v": total}

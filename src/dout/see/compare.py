"""Two runs side by side: what of one stands for what of the other, how far apart they are, and where they part."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .align import align
from .describe import Description
from .drawn import NOTHING, Drawn, Edge
from .values import LITTLE, exact, value_of
from .words import say

if TYPE_CHECKING:
    from .picture import Picture

#: What is closer than this, relative to the larger, is the same.
TOLERANCE = 1e-12


def compare(left: Picture, right: Picture, tolerance: float = TOLERANCE) -> Comparison:
    """Lay two runs side by side.

    Args:
        left: what `see` gave.
        right: another such picture.
        tolerance: relative differences up to this are none.

    Returns:
        a Comparison: its text, its picture, and the first place at which the two part.

    Example:
        >>> import dout
        >>> print(compare(dout.see(lambda x, y: x * y + 1.0, 2.0, 5.0), dout.see(lambda x, y: x * y + 1.0, 2.0, 4.0)))
        Of 5 nodes on the left and 5 on the right 5 match; values that differ: 3, derivatives: 1.
        Forward, the two part at y: 5 on the left, 4 on the right.
        On the way back, they part between × (1) and x: 5 on the left, 4 on the right.
        <BLANKLINE>
          node   left  right  apart by  ∂ left  ∂ right  apart by
        ≠ x      2     2                5       4        0.2
        ≠ y      5     4      0.2       2       2
        ≠ × (1)  10    8      0.2       1       1
          1      1     1
        ≠ + (2)  11    9      0.18      1       1
    """
    return Comparison(left, right, tolerance)


@dataclass(frozen=True)
class Difference:
    """How far two values are apart.

    Attributes:
        absolute: the largest difference of two entries; NaN if the shapes differ.
        relative: that, relative to the largest entry of both; infinite where only one is NaN or the shapes differ.
    """

    absolute: float
    relative: float


NONE = Difference(0.0, 0.0)
OTHER_SHAPE = Difference(math.nan, math.inf)


def difference(a: Any, b: Any) -> Difference | None:
    """How far two numbers, arrays or tuples are apart; None if one of them isn't known. Two NaN are the same.

    Example:
        >>> difference(2.0, 2.5)
        Difference(absolute=0.5, relative=0.2)
        >>> difference(np.ones(2), np.ones(3)).relative
        inf
    """
    if a is NOTHING or b is NOTHING:
        return None
    if isinstance(a, tuple | list) or isinstance(b, tuple | list):
        if not (isinstance(a, tuple | list) and isinstance(b, tuple | list) and len(a) == len(b)):
            return OTHER_SHAPE
        parts = [found for x, y in zip(a, b, strict=True) if (found := difference(x, y)) is not None]
        return max(parts, key=lambda found: found.relative, default=NONE)
    if isinstance(a, int) and isinstance(b, int):
        off, largest = abs(a - b), max(abs(a), abs(b))
        return Difference(float(off) if off < 2**1000 else math.inf, off / largest) if off else NONE
    try:
        return _of_arrays(_wide(a), _wide(b))
    except (TypeError, OverflowError):
        return NONE if a == b else OTHER_SHAPE


def _wide(x: Any) -> Any:
    x = np.asarray(x)
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def _of_arrays(a: np.ndarray, b: np.ndarray) -> Difference:
    if a.shape != b.shape:
        return OTHER_SHAPE
    with np.errstate(all="ignore"):
        apart = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if not apart.any():
            return NONE
        off = np.abs(a - b)[apart]
        absolute = float(off.max()) if not np.isnan(off).any() else math.inf
        sizes = np.concatenate([np.abs(a[np.isfinite(a)]), np.abs(b[np.isfinite(b)])])
        largest = float(sizes.max()) if sizes.size else 0.0
    if not math.isfinite(absolute):
        return Difference(absolute, math.inf)
    return Difference(absolute, absolute / largest)


@dataclass(frozen=True)
class Match:
    """A node of the left and the one on the right that stands for it.

    Attributes:
        value: how far their values are apart; None if one isn't known.
        total: the same for the derivatives with respect to them.
        edges: for each input, the edges of both, and how far the derivatives along them are apart.
    """

    left: Drawn
    right: Drawn
    value: Difference | None
    total: Difference | None
    edges: tuple[tuple[Edge, Edge, Difference | None], ...]


class Comparison:
    """Two runs side by side.

    Attributes:
        left, right: the pictures.
        tolerance: relative differences up to this are none.
        matches: what stands for what, in order.
        only_left, only_right: what stands for nothing.
        first: the first node at which the two part, as (left, right); one of them is None if it stands for nothing.
        first_back: on the way back, the first edges at which they part.
    """

    def __init__(self, left: Picture, right: Picture, tolerance: float = TOLERANCE) -> None:
        for side in (left, right):
            if not hasattr(side, "graph") or not hasattr(side, "totals"):
                raise TypeError(f"compare: expected two pictures, as dout.see gives them, got {type(side).__name__}")
        self.left, self.right, self.tolerance = left, right, tolerance
        self._sides = Description(left), Description(right)
        nodes = [side.plan.nodes for side in self._sides]
        pairs = align(*map(_keys, nodes), *map(_fine_keys, nodes))
        self.matches = [_match(nodes[0][i], nodes[1][j]) for i, j in pairs]
        places = {i for i, _ in pairs}, {j for _, j in pairs}
        self.only_left = [one for i, one in enumerate(nodes[0]) if i not in places[0]]
        self.only_right = [one for j, one in enumerate(nodes[1]) if j not in places[1]]
        self._order = {id(one): i for side in nodes for i, one in enumerate(side)}
        self.first = self._first(nodes[0], nodes[1], dict(pairs))
        self.first_back = self._first_back()

    def differs(self, found: Difference | None) -> bool:
        """Whether a difference is one."""
        return found is not None and found.relative > self.tolerance

    @property
    def same(self) -> bool:
        """Whether there is no difference at all."""
        return self.first is None and self.first_back is None

    def _first(
        self, left: list[Drawn], right: list[Drawn], pairs: dict[int, int]
    ) -> tuple[Drawn | None, Drawn | None] | None:
        """In the order in which they ran; what is missing on one side parts them too."""
        of = {id(match.left): match for match in self.matches}
        j = 0
        for i, one in enumerate(left):
            partner = pairs.get(i)
            if partner is None:
                return _use(one), None
            if partner > j:
                return None, _use(right[j])
            j = partner + 1
            match = of[id(one)]
            if self.differs(match.value):
                return match.left, match.right
        return (None, _use(right[j])) if j < len(right) else None

    def _first_back(self) -> tuple[Edge, Edge] | None:
        for match in reversed(self.matches):
            for a, b, found in match.edges:
                if self.differs(found):
                    return a, b
        return None

    def order(self, one: Drawn) -> int:
        """A node's place in its own run."""
        return self._order[id(one)]

    def counts(self) -> dict[str, int]:
        """How many nodes there are, match, and differ."""
        return {
            "left": len(self.matches) + len(self.only_left),
            "right": len(self.matches) + len(self.only_right),
            "matched": len(self.matches),
            "values": sum(self.differs(match.value) for match in self.matches),
            "derivatives": sum(self.differs(found) for match in self.matches for *_, found in match.edges),
        }

    # Forms

    def describe(self, **options: Any) -> dict[str, Any]:
        """Both descriptions, with what is different marked in them, and what stands for what."""
        left, right = (_json(side, options) for side in self._sides)
        shipped = [side.plan.shipped for side in self._sides]
        matches = []
        for match in self.matches:
            if match.left in shipped[0] and match.right in shipped[1]:
                relative = None if match.value is None else exact(match.value.relative)
                matches.append([match.left.id, match.right.id, relative])
        self._mark(left, right)
        return {
            "format": 1,
            "kind": "comparison",
            "title": say("compare.title", options.get("lang"), left=left["title"], right=right["title"]),
            "lang": options.get("lang"),
            "left": left,
            "right": right,
            "matches": matches,
            "counts": self.counts(),
            "tolerance": self.tolerance,
            "first": self._where(shipped),
        }

    def _where(self, shipped: list[set[Drawn]]) -> dict[str, Any] | None:
        """The first place at which the two part, by ids; of what isn't in the description only that there is one."""
        if self.first is None:
            return None
        ids = [
            None if one is None or one not in there else one.id for one, there in zip(self.first, shipped, strict=True)
        ]
        kind = "value" if None not in self.first else "structure"
        return {"kind": kind, "left": ids[0], "right": ids[1]}

    def _mark(self, left: dict[str, Any], right: dict[str, Any]) -> None:
        """Say of each node and edge of both descriptions by how much it differs, and of nodes without a partner that."""
        sides = ((left, self._sides[0], 0), (right, self._sides[1], 1))
        for described, side, which in sides:
            lines = {edge: line.id for line in side.shipment.lines for edge in line.edges}
            for match in self.matches:
                mine, other = (match.left, match.right)[:: 1 - 2 * which]
                if mine in side.plan.shipped and self.differs(match.value):
                    _differs(described["nodes"][mine.id], match.value, other.value)
                for first, second, by in match.edges:
                    edge, partner = (first, second) if which == 0 else (second, first)
                    if self.differs(by) and edge in lines:
                        _differs(described["edges"][lines[edge]], by, partner.derivative)
            for one in (self.only_left, self.only_right)[which]:
                if one in side.plan.shipped:
                    described["nodes"][one.id]["alone"] = True

    def text(self, lang: str | None = None, colour: bool = False, **_: Any) -> str:
        """Where they part, and both side by side in a table: all of few nodes, of many only those that differ."""
        from .compare_forms import text_of

        return text_of(self, lang, colour)

    def svg(self, **options: Any) -> str:
        """Both pictures, one below the other, with what is different marked."""
        from .compare_forms import svg_of

        return svg_of(self, options)

    def html(self, **options: Any) -> str:
        """One page that works offline: where they part, a table, and both pictures."""
        from .compare_forms import html_of

        return html_of(self, options)

    def save(self, path: Any, **options: Any) -> None:
        """Write it to a file: .svg, .png, .pdf, .html, .json or .txt, as the name ends."""
        from .export import save

        save(self, path, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from .markup import escape

        image = base64.b64encode(self.svg().encode()).decode()
        picture = f'<img src="data:image/svg+xml;base64,{image}" alt="{escape(self.text())}" style="max-width:100%">'
        return {"text/html": picture, "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def __repr__(self) -> str:
        return self.text()


def _json(side: Description, options: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = side.json(
        options.get("lang"), options.get("open"), bool(options.get("formulas")), options.get("layout", "dout")
    )
    return {**described, "problems": []}  # what is marked are the differences


def _use(one: Drawn) -> Drawn:
    """Of a constant, the operation that it is for."""
    return one.outs[0].target if one.kind == "constant" and one.outs else one


def _differs(thing: dict[str, Any], found: Difference | None, other: Any) -> None:
    assert found is not None
    thing["differs"] = exact(found.relative)
    thing["other"] = value_of(other, LITTLE)


def _keys(nodes: list[Drawn]) -> list[Any]:
    """What a node is, apart from its numbers: two of the same key may stand for one another."""
    return [(one.kind, one.op or one.sign, one.name if one.kind == "input" else None) for one in nodes]


def _fine_keys(nodes: list[Drawn]) -> list[Any]:
    """The same with what it was made from, and that from."""
    keys: dict[int, Any] = {id(one): key for one, key in zip(nodes, _keys(nodes), strict=True)}
    for _ in range(2):
        keys = {id(one): hash((keys[id(one)], tuple(keys.get(id(edge.source)) for edge in one.ins))) for one in nodes}
    return [keys[id(one)] for one in nodes]


def _match(left: Drawn, right: Drawn) -> Match:
    edges = _edges(left, right)
    return Match(left, right, difference(left.value, right.value), difference(left.total, right.total), tuple(edges))


def _edges(left: Drawn, right: Drawn) -> Iterator[tuple[Edge, Edge, Difference | None]]:
    if len(left.ins) != len(right.ins):
        return
    for a, b in zip(left.ins, right.ins, strict=True):
        yield a, b, difference(a.derivative, b.derivative)

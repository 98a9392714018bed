"""What a layout works on: boxes, arrows between them, and the columns in which they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Room beside columns and rows, and for an arrow that passes by: on either side of its middle.
PAD, GAP, PASS = 10, 10, 8
INFINITE = float("inf")


@dataclass(slots=True)
class Box:
    """A thing to place, with what is known of it before and what is found."""

    item: dict[str, Any]
    kind: str  # "op", "layer", "group", "input", "constant", "in" or "out" (ports)
    w: float
    h: float
    ordered: bool = False  # its operands keep their order
    caption: float = 0  # the width of a text above, and below
    sum: float = 0
    caption_aside: float = 0  # how far right of the middle these are
    sum_aside: float = 0
    room: tuple[float, float] = (0, 0)  # that it takes at least, above and below its line
    column: int = 0
    x: float = 0
    y: float = 0  # of the line on which its main arrow goes through
    head: float = 0  # from there up to its top edge
    over: float = 0  # and to the far ends of it and its texts
    under: float = 0
    top: float = 0  # and of the labels before it too
    bottom: float = 0
    reach: float = 0
    more: dict[str, float] = field(default_factory=dict)
    stands_for_leaf: bool = False  # a port by which the value of an input or a constant enters
    places: dict[int, int] = field(default_factory=dict)  # in which order the values of several nodes leave

    @property
    def leaf(self) -> bool:
        """Whether it stands where it is used, and not where it comes from."""
        return self.kind in ("input", "constant")

    @property
    def left(self) -> float:
        """How far it and its texts reach to the left of its middle."""
        return max(self.w / 2, self.caption / 2 - self.caption_aside, self.sum / 2 - self.sum_aside)

    @property
    def right(self) -> float:
        """And to the right."""
        return max(self.w / 2, self.caption / 2 + self.caption_aside, self.sum / 2 + self.sum_aside)

    @property
    def slim(self) -> bool:
        """Whether nothing of it reaches into the room for labels before its column."""
        return self.leaf and self.left == self.w / 2


@dataclass(slots=True)
class Arrow:
    """An arrow between two boxes (their indices)."""

    edges: list[int]
    source: int
    start: int
    end: int
    port: int
    w: float  # the room for its label: its width, and above and below its middle
    up: float
    down: float
    mark: float = 0  # and for a mark before it
    more: dict[str, Any] = field(default_factory=dict)
    way: list[int] = field(default_factory=list)  # the dummies between
    out: float = 0  # where it leaves and arrives, below the main line of the box
    into: float = 0
    back: bool = False
    via: list[list[float]] = field(default_factory=list)


Joint = tuple[int, float, Arrow]  # a vertex in the next column, where in the right one of the two it ends, the arrow


@dataclass(slots=True)
class Grid:
    """Boxes and dummies (vertices) by columns, and what joins them from one column to the next."""

    boxes: list[Box]
    arrows: list[Arrow]
    column: list[int] = field(default_factory=list)
    left: list[list[Joint]] = field(default_factory=list)
    right: list[list[Joint]] = field(default_factory=list)
    order: list[list[int]] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)  # how far each reaches above and below its y
    bottom: list[float] = field(default_factory=list)
    sides: list[tuple[float, float]] = field(default_factory=list)  # left and right of each column


def grid_of(boxes: list[Box], arrows: list[Arrow]) -> Grid:
    """Vertices for boxes and for all columns that arrows pass."""
    grid = Grid(boxes, arrows, [b.column for b in boxes])
    many = [0] * len(boxes)
    for a in arrows:
        many[a.end] += 1
    place = [0] * len(boxes)
    grid.left = [[] for _ in boxes]
    grid.right = [[] for _ in boxes]

    def join(u: int, v: int, at: float, a: Arrow) -> None:
        grid.right[u].append((v, at, a))
        grid.left[v].append((u, at, a))

    for a in sorted(arrows, key=lambda a: (a.end, a.port)):
        place[a.end] += 1
        at = place[a.end] / (many[a.end] + 1) if boxes[a.end].ordered else 0.5
        c, d = boxes[a.start].column, boxes[a.end].column
        between = range(c, d - 1, -1) if a.back else range(c + 1, d)
        a.way = list(range(len(grid.column), len(grid.column) + len(between)))
        grid.column += between
        grid.left += [[] for _ in between]
        grid.right += [[] for _ in between]
        if a.back:
            for u, v in zip(a.way[1:], a.way, strict=False):
                join(u, v, 0.5, a)
        else:
            for u, v in zip([a.start, *a.way], [*a.way, a.end], strict=True):
                join(u, v, at if v == a.end else 0.5, a)
    return grid

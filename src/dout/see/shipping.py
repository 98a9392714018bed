"""Which nodes and edges a description holds: all, or where there are too many, those outside the folds that stay shut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .drawn import NOTHING, Drawn, Edge
from .folds import Fold
from .plan import Plan

#: As many values that leave a shut fold are told apart.
FEW = 6


class Many:
    """So many values that none is told alone."""

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count

    def json(self) -> dict[str, Any]:
        """As a value of the description."""
        return {"t": f"×{self.count}", "many": self.count}


class Line:
    """An edge of the description, which may stand for many into a fold that stays shut.

    Attributes:
        source, target: where it begins and ends.
        port: the number of the target's input; a line that stands for many has a number of its own.
        edges: those that it stands for.
    """

    __slots__ = ("edges", "id", "port", "source", "target")

    def __init__(self, source: Drawn, target: Drawn, port: int, edges: list[Edge]) -> None:
        self.source = source
        self.target = target
        self.port = port
        self.edges = edges
        self.id = -1

    @property
    def derivative(self) -> Any:
        """What flows back along it."""
        if isinstance(self.source.value, Many):
            return Many(len(self.edges))
        return total(self.edges)


class Shipment:
    """What of a plan goes into the description.

    Attributes:
        nodes: numbered, in order.
        lines: numbered, by the nodes at which they end.
        leaving: for each node, the lines that leave it.
        folds: those within shipped ones, numbered.
        complete: whether that is everything.
    """

    def __init__(self, plan: Plan) -> None:
        self.complete = all(fold.shipped for fold in plan.folds)
        self.folds = [fold for fold in plan.folds if fold.parent is None or _shown(fold.parent)]
        for i, fold in enumerate(self.folds):
            fold.id = i
        if self.complete:
            self.nodes = plan.nodes
            self.lines = [Line(e.source, e.target, e.port, [e]) for one in plan.nodes for e in one.ins]
        else:
            self.nodes, self.lines = _outside(plan)
        self.leaving: dict[Drawn, list[Line]] = {one: [] for one in self.nodes}
        plan.shipped = set(self.nodes)
        for i, one in enumerate(self.nodes):
            one.id = i
        for i, line in enumerate(self.lines):
            line.id = i
            self.leaving[line.source].append(line)


def _shown(fold: Fold | None) -> bool:
    """Whether what stands in a fold is in the description."""
    while fold is not None:
        if not fold.shipped:
            return False
        fold = fold.parent
    return True


def shut(one: Drawn) -> Fold | None:
    """The outermost fold around a node that stays shut."""
    found, fold = None, one.fold
    while fold is not None:
        if not fold.shipped:
            found = fold
        fold = fold.parent
    return found


def _outside(plan: Plan) -> tuple[list[Drawn], list[Line]]:
    """The nodes outside the shut folds, of those within the ones whose values leave, and lines between them."""
    inside: dict[Drawn, Fold] = {}
    for one in plan.nodes:
        fold = shut(one)
        if fold is not None:
            inside[one] = fold
    leaving: dict[Fold, list[Drawn]] = {}
    last: dict[Fold, Drawn] = {}
    for one, fold in inside.items():
        last[fold] = one
        if one.ends or any(inside.get(edge.target) is not fold for edge in one.outs):
            leaving.setdefault(fold, []).append(one)
    stand_in: dict[Drawn, Drawn] = {one: one for one in plan.nodes if one not in inside}
    tips: dict[Fold, Drawn] = {}  # where lines into a shut fold end
    for fold, end in last.items():
        kept = leaving.get(fold) or [end]
        tip = kept[-1]
        if len(kept) > FEW:
            tip = Drawn("op", None, Many(len(kept)))
            tip.sign, tip.fold = "…", fold
        tips[fold] = tip
        for one in kept:
            stand_in[one] = one if one.ends or tip is kept[-1] else tip
            one.fold = fold
    nodes: dict[Drawn, None] = {}
    for one in plan.nodes:
        if one in stand_in:
            nodes[stand_in[one]] = None
        fold = inside.get(one)
        if fold is not None and one is last[fold]:
            nodes[tips[fold]] = None
    return list(nodes), _lines(plan, inside, stand_in, tips)


def _lines(
    plan: Plan, inside: Mapping[Drawn, Fold], stand_in: Mapping[Drawn, Drawn], tips: Mapping[Fold, Drawn]
) -> list[Line]:
    """The edges outside the shut folds, and for those that cross their borders one line for each pair of ends."""
    lines: list[Line] = []
    merged: dict[tuple[Drawn, Drawn], Line] = {}
    ports: dict[Drawn, int] = {}
    for one in plan.nodes:
        fold = inside.get(one)
        for edge in one.ins:
            source = stand_in.get(edge.source)
            if source is None or (fold is not None and inside.get(edge.source) is fold):
                continue
            if fold is None and source is edge.source:
                lines.append(Line(source, one, edge.port, [edge]))
                continue
            target = one if fold is None else tips[fold]
            line = merged.get((source, target))
            if line is None:
                port = edge.port if fold is None else ports.get(target, -1) + 1
                ports[target] = port
                line = merged[source, target] = Line(source, target, port, [])
                lines.append(line)
            line.edges.append(edge)
    return lines


def total(edges: list[Edge]) -> Any:
    """The sum of what flows back along edges; NOTHING if nothing does."""
    found = NOTHING
    for edge in edges:
        if edge.derivative is not NOTHING:
            found = edge.derivative if found is NOTHING else found + edge.derivative
    return found

"""Which nodes and edges a description holds: all, or where there are too many, those outside the folds that stay shut."""

from __future__ import annotations

from typing import Any

from .drawn import NOTHING, Drawn, Edge
from .folds import Fold
from .plan import Plan


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
    ends: dict[Fold, Drawn] = {}  # where lines into a shut fold end
    kept = set()
    for one in plan.nodes:
        fold = inside.get(one)
        if fold is None:
            kept.add(one)
            continue
        if one.ends or any(inside.get(edge.target) is not fold for edge in one.outs):
            kept.add(one)
            ends[fold] = one
    for one in reversed(plan.nodes):
        fold = inside.get(one)
        if fold is not None and fold not in ends:
            kept.add(one)
            ends[fold] = one
    nodes = [one for one in plan.nodes if one in kept]
    lines: list[Line] = []
    merged: dict[tuple[Drawn, Fold], Line] = {}
    ports: dict[Fold, int] = {}
    for one in plan.nodes:
        fold = inside.get(one)
        for edge in one.ins:
            if fold is None:
                lines.append(Line(edge.source, one, edge.port, [edge]))
            elif edge.source.kind != "constant" and inside.get(edge.source) is not fold:
                line = merged.get((edge.source, fold))
                if line is None:
                    ports[fold] = ports.get(fold, -1) + 1
                    line = merged[edge.source, fold] = Line(edge.source, ends[fold], ports[fold], [])
                    lines.append(line)
                line.edges.append(edge)
    for one, fold in inside.items():
        if one in kept:
            one.fold = fold
    return nodes, lines


def total(edges: list[Edge]) -> Any:
    """The sum of what flows back along edges; NOTHING if nothing does."""
    found = NOTHING
    for edge in edges:
        if edge.derivative is not NOTHING:
            found = edge.derivative if found is NOTHING else found + edge.derivative
    return found

"""What a description will hold: the nodes and edges in order, layers opened, and the tree of folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..graph import Node
from ..witness import Call, Looked, Place
from .drawn import Drawn, drawn_of
from .folding import folded
from .folds import MANY, Fold, Item, folds_in, measure, simplify, unwrap
from .inputs import folded_inputs
from .opening import opened
from .places import Places
from .repeats import Alike, chunked, repeated

#: How many nodes may stand within opened layers, and how many layers within one another.
INSIDES, DEEPEST = 2000, 6
#: As many nodes as a description holds all of; of more, it holds as many things, and insides of folds beyond stay out.
BUDGET, ROOM = 5000, 2500


class Plan:
    """The whole of a picture.

    Attributes:
        nodes: what is drawn, in the order in which it ran, with the primitives of layers in their places.
        found: which drawn node stands for which of the graph's.
        root: the tree of folds.
        folds: all folds but the root, outermost first.
        places: looks up where things happened.
        opened: for layers that were opened, their folds.
        shipped: the nodes that are in the description.
        small: whether everything can be read at once.
        looks: what Python looked at, also within opened layers.
    """

    def __init__(self, picture: Any) -> None:
        graph = picture.graph
        self.places = Places()
        self.found: dict[Node, Drawn] = {}
        self.looks: list[Looked] = list(getattr(graph, "looks", ()))
        self._insides = INSIDES
        self._held: dict[Drawn, Fold] = {}  # constants that only a closed layer uses
        self._moved: dict[Drawn, Drawn] = {}  # what stands in the place of opened layers
        self.opened: dict[Drawn, Fold] = {}
        self.shipped: set[Drawn] = set()
        drawn = drawn_of(graph.nodes, picture.values, picture.edges, picture.totals, self.found)
        for end in graph.outputs:
            if end is not None:
                self.found[end].ends += 1
        self.nodes: list[Drawn] = []
        self.root = folded(self._entered(drawn, 0), self.places)
        self._number()
        self.small = sum(1 for one in drawn if one.kind != "constant") <= MANY
        self._fold()
        self.folds = list(folds_in(self.root))
        self._hold()
        for i, fold in enumerate(self.folds):
            fold.id = i
        self._ship()

    def _entered(self, drawn: Sequence[Drawn], depth: int) -> list[tuple[Item, Place | None]]:
        """Put nodes into the order, layers opened, and give operations and folds with their places."""
        self._name(drawn)
        items: list[tuple[Item, Place | None]] = []
        gone: dict[Drawn, list[Drawn]] = {}
        for one in drawn:
            place = getattr(one.node, "place", None)
            if one.ins and one.ins[0].source in gone:
                self._moved[one] = gone[one.ins[0].source][one.params["i"]]  # one output of several
                continue
            made = opened(one) if one.kind == "layer" and depth < DEEPEST and self._insides > 0 else None
            if made is None:
                self.nodes.append(one)
                if one.kind in ("op", "layer"):
                    items.append((one, place))
                continue
            if isinstance(one.value, tuple):
                gone[one] = made.ends
            else:
                self._moved[one] = made.ends[0]
            self._insides -= len(made.inside)
            self.found |= made.found
            self.looks += made.looks
            fold = Fold("layer", one.sign, place)
            fold.opened = made
            self.opened[one] = fold
            fold.items = folded(self._entered(made.inside, depth + 1), self.places).items
            for edge in one.ins:
                if edge.source.kind == "constant":
                    self._held[edge.source] = fold
            items.append((fold, place))
        return items

    def _name(self, drawn: Iterable[Drawn]) -> None:
        """Names from the user's code. Of what one execution of one expression did, the last has the name."""
        last: dict[Call, tuple[Drawn, Place]] = {}
        for one in drawn:
            place = getattr(one.node, "place", None)
            if place is None or one.kind == "input":
                continue
            one.name = one.name or self.places.name(place)
            before = last.get(place.call)
            if before is not None and before[1].at == place.at:
                again = self.places.site(place.call, place.at).again
                if before[1].turn == place.turn or again:
                    before[0].name = None
            last[place.call] = one, place

    def _number(self) -> None:
        number = 0
        for i, one in enumerate(self.nodes):
            one.id = i
            one.outs = []
            if one.kind in ("op", "layer"):
                number += 1
                one.number = number
        for one in self.nodes:
            for edge in one.ins:
                edge.source.outs.append(edge)

    def _fold(self) -> None:
        root = self.root
        simplify(root)
        unwrap(root)
        inputs = folded_inputs([one for one in self.nodes if one.kind == "input"])
        if inputs:
            root.items = [*inputs, *root.items]
        measure(root)
        alike = Alike()
        if any([repeated(fold, alike, self.small) for fold in [root, *folds_in(root)]]):
            measure(root)
        if any([chunked(fold) for fold in [root, *folds_in(root)]]):
            measure(root)

    def _hold(self) -> None:
        """Say of each node in which fold it stands; constants stand with what uses them."""
        for fold in [self.root, *self.folds]:
            for item in fold.items:
                if isinstance(item, Drawn):
                    item.fold = None if fold is self.root else fold
        for one in self.nodes:
            if one.kind == "constant":
                layer = self._held.get(one)
                if layer is None:
                    one.fold = one.outs[0].target.fold
                else:
                    one.fold = (None if layer.parent is self.root else layer.parent) if one.outs else layer
        for fold in self.folds:
            if fold.parent is self.root:
                fold.parent = None

    def stands_for(self, one: Drawn) -> Drawn:
        """The node that is drawn in the place of one: of an opened layer, the primitive that makes its output."""
        while one in self._moved:
            one = self._moved[one]
        return one

    def is_shipped(self, one: Drawn) -> bool:
        """Whether a node is in the description."""
        return one in self.shipped

    def _ship(self) -> None:
        """Choose the folds whose insides are in the description: the outer ones first, as many as there is room for."""
        if len(self.nodes) <= BUDGET:
            return
        room = ROOM - len(self.root.items)
        level = [item for item in self.root.items if isinstance(item, Fold)]
        while level:
            below = []
            for fold in level:
                fold.shipped = len(fold.items) <= room
                if fold.shipped:
                    room -= len(fold.items)
                    below += [item for item in fold.items if isinstance(item, Fold)]
            level = below

"""The description: a picture as plain JSON, of which every form is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..graph import Node
from .asides import looks_of, problems_of
from .drawn import NOTHING, Drawn, is_real, local_of
from .folds import Fold
from .formulas import formula_of, formula_of_layer, layer_formula
from .levels import levels_of
from .notes import notes_of
from .opening import builtin, layer_of
from .params import params_of, told_of
from .plan import Plan
from .shipping import Line, Many, Shipment, total
from .values import FULL, LITTLE, SOME, Detail, exact, range_of, unknown, value_of

#: The number of this form of description; a reader that finds another one says so.
FORMAT = 1
#: As many outputs are shown.
OUTPUTS = 60
#: What holds everything starts open if it has no more parts than this, which fit on a screen.
ALONE = 12
#: With more arrows than this that carry arrays, each says its range alone, lest a picture be much wider than a screen.
ARRAYS = 6

Json = dict[str, Any]


def describe(
    picture: Any,
    *,
    lang: str | None = None,
    open: str | Sequence[str] | None = None,
    formulas: bool = False,
    sizes: bool = False,
    paths: str | None = None,
    layout: str = "dout",
) -> Json:
    """Everything that a picture shows, as JSON. The page on seeing says what stands where.

    Args:
        picture: what `see` gave.
        lang: the language of its sentences, "en" or "zh".
        open: which folds start open: "all", "none", or the names of layers, functions and loops.
        formulas: whether to leave room for formulas beside the arrows.
        sizes: whether sizes of derivatives are to be shown.
        paths: the name of an input, whose ways to the output are to be shown.
        layout: "dout", or "graphviz" for an order found by Graphviz's dot.
    """
    return Description(picture).json(lang, open, formulas, layout)


class Description:
    """A picture on its way into JSON."""

    def __init__(self, picture: Any) -> None:
        self.picture = picture
        self.plan = Plan(picture)
        self.shipment = Shipment(self.plan)
        arrays = sum(_is_array(one.value) for one in self.shipment.nodes)
        self.detail: Detail = FULL if arrays <= 60 else SOME if arrays <= 300 else LITTLE
        #: Whether arrays say less beside their arrows, all of it only where one points at them.
        self.brief = sum(_is_array(line.source.value) for line in self.shipment.lines) > ARRAYS
        self.formulas: dict[str, Json] = {}
        self._arrays: dict[int, tuple[Any, Json]] = {}  # each array too, for an id may be another's once it is gone
        self._marks: dict[Any, Json] = {}

    def json(self, lang: str | None, open: Any, formulas: bool, layout: str) -> Json:
        """All of it."""
        if self.picture.numerical:
            from .numerical import mark

            self._marks = mark(self.picture, lang)
        plan, shipment, graph = self.plan, self.shipment, self.picture.graph
        notes = notes_of(graph, OUTPUTS)
        start_open(shipment.folds, open, plan.small, len(plan.root.items) == 1)
        with np.errstate(all="ignore"):
            nodes = [self._node(one) for one in shipment.nodes]
            edges = [self._edge(line) for line in shipment.lines]
            groups = [self._group(fold, formulas) for fold in shipment.folds]
            outputs = self._outputs()
            levels = levels_of(nodes, edges, groups, outputs, total=self._total, formulas=formulas, layout=layout)
            for edge in edges:
                formula = edge["formula"]
                if formula is not None:
                    self.formulas[formula["key"]] = formula
                    edge["formula"] = formula["key"]
        return {
            "format": FORMAT,
            "title": getattr(graph, "title", ""),
            "lang": lang,
            "complete": shipment.complete,
            "nodes": nodes,
            "edges": edges,
            "groups": groups,
            "outputs": outputs,
            "levels": levels,
            "steps": steps_of(nodes, edges),
            "looks": looks_of(plan.looks, plan),
            "notes": [note.said(lang) for note in notes],
            "noted": [{"key": note.key, "values": note.values} for note in notes],
            "problems": problems_of(self.picture, plan, shipment),
            "formulas": self.formulas,
        }

    def _value(self, x: Any) -> Json:
        """A value as JSON; an array that stands in several places is measured once."""
        if isinstance(x, Many):
            return x.json()
        if not isinstance(x, np.ndarray):
            return value_of(x, self.detail)
        found = self._arrays.get(id(x))
        if found is None:
            value = value_of(x, self.detail)
            if self.brief and "t2" in value:
                value["range"] = range_of(value)
            found = self._arrays[id(x)] = x, value
        return found[1]

    def _node(self, one: Drawn) -> Json:
        node = one.node
        leaving = self.shipment.leaving[one]
        described: Json = {
            "id": one.id,
            "kind": one.kind,
            "op": one.op,
            "sign": one.sign,
            "name": one.name,
            "params": params_of(one.params),
            "value": self._known(one),
            "total": None if one.kind == "constant" or one.total is NOTHING else self._value(one.total),
            "terms": ["output"] * one.ends + [line.id for line in leaving if line.derivative is not NOTHING],
            "where": self.plan.places.where(getattr(node, "place", None)),
            "group": one.fold.id if one.fold is not None else None,
        }
        told = told_of(one.op, described["params"])
        if told:
            described["told"] = told
        if one.kind == "layer" and node is not None:
            described["builtin"] = builtin(node)
        slider = slider_of(one.value) if one.kind == "input" else None
        if slider:
            described["slider"] = slider
        return described

    def _known(self, one: Drawn) -> Json:
        if one.value is not NOTHING:
            return self._value(one.value)
        return unknown((), None) if one.node is None else unknown(one.node.shape, one.node.dtype)

    def _edge(self, line: Line) -> Json:
        derivative = line.derivative
        local = local_of(line.edges[0]) if len(line.edges) == 1 else None
        return {
            "id": line.id,
            "from": line.source.id,
            "to": line.target.id,
            "port": line.port,
            "derivative": None if derivative is NOTHING else self._value(derivative),
            "local": None if local is None else exact(local),
            "formula": self._formula(line),
            "broadcast": len(line.edges) == 1 and broadcast(line),
            **self._mark(line.target.node, line.port),
        }

    def _mark(self, node: Node | None, port: int) -> Json:
        """What the numerical derivative says of an edge."""
        found = None if node is None else self._marks.get((node, port))
        if found is None:
            return {"numerical": None, "wrong": False}
        described = {
            "numerical": _number(found["numerical"]),
            "wrong": found["wrong"],
            "verdict": found["verdict"],
            "why": found["why"],
        }
        if found["wrong"]:  # so that a page can say it in its reader's language
            described["said"] = {"key": found["key"], "values": found["values"]}
        return described

    def _formula(self, line: Line) -> Json | None:
        target = line.target
        if len(line.edges) != 1 or not target.op or line.source.kind == "constant":
            return None
        constants = {e.port: e.source.value for e in target.ins if e.source.kind == "constant"}
        plain = {port: value for port, value in constants.items() if type(value) in (int, float)}
        ndims = tuple(np.ndim(e.source.value) for e in target.ins) if target.op == "matmul" else ()
        return formula_of(target.op, line.port, len(target.ins), {**target.params, "ndims": ndims}, plain)

    def _group(self, fold: Fold, formulas: bool) -> Json:
        place = fold.place
        described: Json = {
            "id": fold.id,
            "kind": fold.kind,
            "name": fold.name,
            "count": fold.count,
            "parent": fold.parent.id if fold.parent is not None else None,
            "open": fold.open,
            "where": self.plan.places.where(place),
            "size": fold.size,
            "shipped": fold.shipped,
        }
        if fold.opened is not None:
            layer = fold.opened.layer
            ends = [self._number(end) for end in fold.opened.ends]
            described |= {
                "own": [None if e.derivative is NOTHING else self._value(e.derivative) for e in layer.ins],
                "agree": fold.opened.agree,
                "formula": _layer_formula(layer.node, formulas),
                "builtin": builtin(layer.node),
                "inputs": [self._number(e.source) for e in layer.ins],
                "output": ends[0],
                "outputs": ends,
            }
            marks = [self._mark(layer.node, e.port) for e in layer.ins]
            if any(mark["numerical"] is not None or mark["wrong"] for mark in marks):
                described |= {"numerical": [m["numerical"] for m in marks], "wrong": any(m["wrong"] for m in marks)}
        return described

    def _number(self, one: Drawn) -> int | None:
        """A node's number; None if it stands in a fold whose inside isn't in the description."""
        one = self.plan.stands_for(one)
        return one.id if self.plan.is_shipped(one) else None

    def _outputs(self) -> list[Json]:
        graph, found = self.picture.graph, self.plan.found
        many = len(graph.outputs) > 1
        unnamed = [(f"[{k}]" if many else "", NOTHING) for k in range(len(graph.outputs))]
        described = []
        results = getattr(graph, "results", unnamed)
        for end, (path, value) in list(zip(graph.outputs, results, strict=True))[:OUTPUTS]:
            one = None if end is None else self.plan.stands_for(found[end])
            shown = self._known(one) if one is not None else self._value(value)
            start = None if end is None else self._value(self.picture.start[end])
            described.append({"node": one and one.id, "path": path, "value": shown, "derivative": start})
        return described

    def _total(self, ids: Iterable[int]) -> Json | None:
        lines = [self.shipment.lines[i] for i in ids]
        found = total([edge for line in lines for edge in line.edges])
        return None if found is NOTHING else self._value(found)


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 0


def _number(x: Any) -> Any:
    """What the numerical derivative is, as JSON: a number or nested lists of them."""
    if isinstance(x, list | tuple | np.ndarray):
        return [_number(part) for part in x]
    if isinstance(x, complex | np.complexfloating):
        return [exact(x.real), exact(x.imag)]
    return None if x is None else exact(x)


def _layer_formula(node: Node, symbols: bool) -> Json | None:
    """A layer's derivative by its own backward and through its primitives; of a user's layer only where it is asked for."""
    name = builtin(node)
    if name is None and not symbols:
        return None
    found = layer_formula(name) if name is not None else formula_of_layer(layer_of(node))
    return found if found and found.get("closed") and found.get("opened") else None


def broadcast(line: Line) -> bool:
    """Whether the input was repeated, so that its derivative is summed back."""
    node, value = line.target.node, line.source.value
    if node is None or node.op is None or not node.op.elementwise or value is NOTHING:
        return False
    return bool(np.shape(value) != node.shape)


def slider_of(value: Any) -> dict[str, float] | None:
    """The range of the slider of an input that is one real number.

    Example:
        >>> slider_of(1.1), slider_of(100)
        ({'min': -10.0, 'max': 10.0, 'step': 0.1}, {'min': 0, 'max': 200, 'step': 1})
    """
    if not is_real(value) or isinstance(value, bool) or abs(value) > 1e15 or not np.isfinite(value):
        return None
    size = abs(float(value))
    reach = float(f"1e{int(np.floor(np.log10(size)))}") if size else 0.1
    reach = 2 * reach if size == reach and size > 1 else 10 * reach
    if isinstance(value, int | np.integer):
        return {"min": 0 if value >= 0 else -int(reach), "max": int(reach), "step": max(int(reach) // 200, 1)}
    return {"min": -reach, "max": reach, "step": float(f"{reach / 100:.3g}")}


def start_open(folds: Iterable[Fold], open: Any, small: bool, alone: bool) -> None:
    """Say of each fold whether it starts open.

    Args:
        folds: all of them.
        open: what was asked for.
        small: whether all can be seen at once.
        alone: whether one fold holds everything.

    Raises:
        ValueError: if there is no fold of such a name.
    """
    folds = list(folds)
    names = [] if open is None or open in ("all", "none") else [open] if isinstance(open, str) else list(open)
    for fold in folds:
        fold.open = fold.shipped and (open == "all" or (open != "none" and small and fold.kind != "layer"))
    for name in names:
        meant = [fold for fold in folds if fold.name == name]
        if not meant:
            there = ", ".join(dict.fromkeys(repr(f.name) for f in folds if f.kind not in ("step", "chunk")))
            raise ValueError(f"open: there is no fold {name!r}; there {f'are {there}' if there else 'is none at all'}")
        for fold in meant:
            around: Fold | None = fold
            while around is not None:
                around.open = around.shipped
                around = around.parent
    if alone and folds and open is None and len(folds[0].items) <= ALONE:
        folds[0].open = folds[0].shipped and folds[0].kind != "layer"


def steps_of(nodes: Sequence[Json], edges: Sequence[Json]) -> list[list[Any]]:
    """Forward node by node, then backward edge by edge, the newest operation first."""
    arriving: dict[int, list[int]] = {}
    for edge in edges:
        if edge["derivative"] is not None:
            arriving.setdefault(edge["to"], []).append(edge["id"])
    forward = [["forward", node["id"]] for node in nodes if node["kind"] != "constant"]
    return forward + [["backward", e] for node in reversed(nodes) for e in arriving.get(node["id"], ())]

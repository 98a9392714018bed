"""The description: a picture as plain JSON, of which every form is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from .drawn import NOTHING, Drawn, Edge, drawn_of, local_of
from .params import params_of
from .values import FULL, LITTLE, SOME, Detail, exact, unknown, value_of

FORMAT = 1


def describe(
    picture: Any,
    *,
    lang: str | None = None,
    open: Any = None,
    formulas: bool = False,
    sizes: bool = False,
    paths: str | None = None,
    layout: str = "dout",
) -> dict[str, Any]:
    """Everything that a picture shows, as JSON."""
    graph = picture.graph
    drawn, found = drawn_of(graph.nodes, picture.values, picture.edges, picture.totals)
    edges = [edge for one in drawn for edge in one.ins]
    for i, one in enumerate(drawn):
        one.id = i
    for i, edge in enumerate(edges):
        edge.id = i
    detail = _detail(drawn)
    for end in graph.outputs:
        if end is not None:
            found[end].ends += 1
    described: dict[str, Any] = {
        "format": FORMAT,
        "title": getattr(graph, "title", None) or "graph",
        "lang": lang,
        "nodes": [_node(one, detail) for one in drawn],
        "edges": [_edge(edge, detail) for edge in edges],
        "groups": [],
        "outputs": _outputs(graph, found, detail),
        "steps": _steps(drawn),
        "looks": [],
        "notes": list(getattr(graph, "notes", ())),
        "problems": [],
    }
    described["levels"] = _placeholder(described)
    return described


def _detail(drawn: list[Drawn]) -> Detail:
    arrays = sum(isinstance(one.value, np.ndarray) and one.value.ndim > 0 for one in drawn)
    return FULL if arrays <= 60 else SOME if arrays <= 300 else LITTLE


def _node(one: Drawn, detail: Detail) -> dict[str, Any]:
    node = one.node
    described: dict[str, Any] = {
        "id": one.id,
        "kind": one.kind,
        "op": one.op,
        "sign": one.sign,
        "name": one.name,
        "params": params_of(one.params),
        "value": value_of(one.value, detail) if one.value is not NOTHING else unknown(*_form(one)),
        "total": None if one.kind == "constant" or one.total is NOTHING else value_of(one.total, detail),
        "terms": ["output"] * one.ends + [edge.id for edge in one.outs if edge.derivative is not NOTHING],
        "where": None,
        "group": None,
    }
    if one.kind == "input" and node is not None:
        slider = slider_of(one.value)
        if slider:
            described["slider"] = slider
    return described


def _form(one: Drawn) -> tuple[Any, Any]:
    return ((), None) if one.node is None else (one.node.shape, one.node.dtype)


def _edge(edge: Edge, detail: Detail) -> dict[str, Any]:
    local = local_of(edge)
    return {
        "id": edge.id,
        "from": edge.source.id,
        "to": edge.target.id,
        "port": edge.port,
        "derivative": None if edge.derivative is NOTHING else value_of(edge.derivative, detail),
        "local": None if local is None else exact(local),
        "formula": None,
        "broadcast": broadcast(edge),
        "numerical": None,
        "wrong": False,
    }


def broadcast(edge: Edge) -> bool:
    """Whether the input was repeated, so that its derivative is summed back."""
    node, source = edge.target.node, edge.source
    if node is None or node.op is None or not node.op.elementwise or source.value is NOTHING:
        return False
    return np.shape(source.value) != node.shape


def slider_of(value: Any) -> dict[str, float] | None:
    """The range of the slider of an input that is one real number."""
    if isinstance(value, bool) or not (isinstance(value, int | float | np.floating) and np.isfinite(float(value))):
        return None
    x = float(value)
    reach = 10.0 ** np.ceil(np.log10(abs(x))) if x else 1.0
    whole = isinstance(value, int)
    step = max(reach / 100, 1.0) if whole else reach / 100
    return {"min": -reach if x < 0 or not whole else 0.0, "max": reach if abs(x) < reach else 2 * reach, "step": step}


def _outputs(graph: Any, found: Any, detail: Detail) -> list[dict[str, Any]]:
    many = len(graph.outputs) > 1
    results = getattr(graph, "results", [(f"[{k}]" if many else "", NOTHING) for k in range(len(graph.outputs))])
    described = []
    for end, (path, value) in zip(graph.outputs, results, strict=True):
        if end is not None:
            value = found[end].value
        shown = unknown((), None) if value is NOTHING else value_of(value, detail)
        described.append({"node": None if end is None else found[end].id, "path": path, "value": shown})
    return described


def _steps(drawn: list[Drawn]) -> list[list[Any]]:
    forward = [["forward", one.id] for one in drawn if one.kind != "constant"]
    backward = [["backward", e.id] for one in reversed(drawn) for e in one.ins if e.derivative is not NOTHING]
    return forward + backward


def _placeholder(described: dict[str, Any]) -> dict[str, Any]:
    """A level with every node in a column of its own; to be replaced by the layout."""
    items, columns, arrows = [], [], []
    for k, node in enumerate(described["nodes"]):
        x = 160.0 * k
        items.append({"node": node["id"], "x": x, "y": 60.0 * (k % 3), "w": 40.0, "h": 40.0, "column": k})
        columns.append([x, x + 40.0])
    for edge in described["edges"]:
        source, target = items[edge["from"]], items[edge["to"]]
        arrows.append(
            {
                "edges": [edge["id"]], "from": edge["from"], "to": edge["to"], "sy": 20.0, "ty": 20.0,
                "via": [], "label": [target["x"] - 60, target["y"] + 20], "lw": 80.0,
                "value": described["nodes"][edge["from"]]["value"], "derivative": edge["derivative"],
            }
        )  # fmt: skip
        del source
    width = columns[-1][1] if columns else 0.0
    return {
        "top": {"width": width, "height": 160.0, "items": items, "columns": columns, "arrows": arrows,
                "inputs": [], "outputs": []}
    }  # fmt: skip

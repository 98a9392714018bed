"""What there is to say besides: what Python looked at during the run, and what went wrong.

A page that computes with other numbers can say where Python would have gone another way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..graph import Node, plain
from ..witness import Looked
from . import problems
from .drawn import Drawn, Edge
from .folds import Fold
from .params import params_of
from .plan import Plan
from .shipping import Shipment
from .values import exact

#: Beyond so many, and of larger arrays, a page is told less.
MOST, ENTRIES = 1000, 64


def looks_of(looks: Iterable[Looked], plan: Plan) -> list[dict[str, Any]]:
    """Each with its nodes, the constants, the operator and the outcome; see "The description" in the page on seeing."""
    described: list[dict[str, Any]] = []
    for look in looks:
        if len(described) == MOST:
            break
        described.append(_of(look, plan))
    return described


def problems_of(picture: Any, plan: Plan, shipment: Shipment) -> list[dict[str, Any]]:
    """NaN and infinities, derivatives that vanish, dead Relus and the like, each at a node or an edge of the description.

    The words for the sentence about it stand beside its key.
    """
    namer = problems.Namer(picture)

    def name_of(node: Node) -> str:
        one = plan.found.get(node)
        return (one.name if one is not None else None) or namer(node)

    described = []
    for problem in problems.problems_of(picture, name_of):
        node, port = problem.get("edge") or (problem["node"], None)
        if problem["kind"] == "numerical" and port is not None and plan.found[node] not in plan.opened:
            continue  # the edge itself says so
        found = {"kind": problem["kind"], "node": _id(node, plan), "edge": None, "key": problem["key"]}
        if port is not None:
            found["edge"] = _edge(plan.found[node].ins[port], plan, shipment)
            found["node"] = None if found["edge"] is not None else found["node"]
        described.append({**problem["values"], **found})
    return described


def _edge(edge: Edge, plan: Plan, shipment: Shipment) -> int | None:
    """The number of an edge; of one to an opened layer, that of the first that enters it."""
    source = plan.stands_for(edge.source)
    fold = plan.opened.get(edge.target)
    for line in shipment.leaving.get(source, ()):
        if edge in line.edges or (fold is not None and within(line.target, fold)):
            return line.id
    return None


def within(one: Drawn, fold: Fold) -> bool:
    """Whether a node stands in a fold."""
    around = one.fold
    while around is not None and around is not fold:
        around = around.parent
    return around is fold


def _of(look: Looked, plan: Plan) -> dict[str, Any]:
    left, right = (*look.sides, (None, None), (None, None))[:2]
    found: dict[str, Any] = {
        "op": look.op,
        "left": _id(left[0], plan),
        "right": _id(right[0], plan),
        "leftv": _written(left[1]),
        "rightv": _written(right[1]),
        "result": _written(plain(look.result)),
        "where": plan.places.where(look.place),
    }
    params = {key: value for key, value in look.params.items() if value is not None}
    if params:
        found["params"] = params_of(params)
    aside = [node for node, _ in look.sides if node is not None and _id(node, plan) is None]
    if aside:  # it leads to no output, and so isn't drawn; what it depends on is
        found["inputs"] = _inputs(aside, plan)
    return found


def _id(node: Node | None, plan: Plan) -> int | None:
    one = None if node is None else plan.found.get(node)
    one = None if one is None else plan.stands_for(one)
    return None if one is None or not plan.is_shipped(one) else one.id


def _inputs(nodes: list[Node], plan: Plan) -> list[int]:
    """The inputs that nodes depend on."""
    stack, seen = list(nodes), set(nodes)
    for node in stack:  # it grows while we go along
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    ids = (_id(node, plan) for node in stack if node.op is None)
    return sorted({i for i in ids if i is not None})


def _written(x: Any) -> Any:
    if isinstance(x, np.ndarray) and x.ndim:
        if x.size > ENTRIES or x.dtype.kind not in "fiub":
            return None
        return {"shape": list(x.shape), "data": [exact(v) for v in x.ravel().tolist()]}
    if isinstance(x, np.ndarray | np.generic):
        x = x.item()
    if isinstance(x, bool | int | float):
        return exact(x)
    return None

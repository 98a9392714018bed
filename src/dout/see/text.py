"""A picture as lines of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import PICK, Graph, Node, describe
from .markup import clean
from .signs import SIGNS

#: Of a small array every entry is shown, of a sum of a few derivatives every term, of an int every digit.
ENTRIES, TERMS, DIGITS = 6, 4, 40


def text_of(
    graph: Graph, values: Mapping[Node, Any], edges: Mapping[tuple[Node, int], Any], totals: Mapping[Node, Any]
) -> str:
    """Each operation with its value and derivative; below it each input's value and the derivative that flows to it.

    Where a value fans out, the derivatives that meet are shown as a sum. What there is to know besides stands at the end.

    Args:
        graph: what is shown.
        values: the value of each node, if it is known.
        edges: for (node, i), the derivative that flows from the node to its i-th input.
        totals: the derivative with respect to each node.
    """
    names = _names(graph)
    terms: dict[Node, list[Any]] = {}  # of which a derivative is the sum: for an output a 1, and one from each use
    for end in graph.outputs:
        if end is not None:
            terms.setdefault(end, []).append(1)
    for (node, i), d in edges.items():
        parent = node.parents[i]
        if parent is not None:
            terms.setdefault(parent, []).append(d)

    def value_of(node: Node) -> str:
        return brief(values[node]) if node in values else describe(node)

    def back(node: Node) -> str:
        total = brief(totals[node]) if node in totals else "0"
        parts = terms.get(node, [])
        if len(parts) < 2:
            return f"<- {total}"
        if len(parts) > TERMS or node.shape != ():
            return f"<- {total}  (the sum of {len(parts)})"
        return f"<- {' + '.join(map(brief, parts))} = {total}"

    rows = []
    for node in graph.nodes:
        if node.op is None or node.op is PICK:
            continue
        rows.append((names[node], SIGNS.get(node.op.name, node.op.name), value_of(node), back(node)))
        for i, parent in enumerate(node.parents):
            if parent is None:
                rows.append(("", "", brief(_constant(node, i)), ""))
            else:
                rows.append(("", names[parent], value_of(parent), f"<- {brief(edges.get((node, i), 0))}"))
    ends = []
    for end, (path, value) in zip(graph.outputs, _results(graph), strict=True):
        name, shown = ("constant", brief(value)) if end is None else (names[end], value_of(end))
        ends.append((f"output{path}", name, shown, ""))
    inputs = [("inputs" if k == 0 else "", names[n], value_of(n), back(n)) for k, n in enumerate(graph.inputs)]
    lines = [*_table(rows), *([""] if rows else []), *_table([*ends, *inputs])]
    notes = [*_of_sums([end for end in graph.outputs if end is not None]), *getattr(graph, "notes", ())]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _names(graph: Graph) -> dict[Node, str]:
    """Numbers for operations; one output of several goes by its place in them."""
    names: dict[Node, str] = {}
    numbers = 0
    for node in graph.nodes:
        if node.op is PICK and node.parents[0] is not None:
            names[node] = f"{names[node.parents[0]]}[{node.params['i']}]"
        elif node.op is not None:
            numbers += 1
            names[node] = f"({numbers})"
        else:
            names[node] = clean(getattr(node, "name", None) or f"input {1 + graph.inputs.index(node)}")
    return names


def _results(graph: Graph) -> Sequence[tuple[str, Any]]:
    """The way to each output and its value."""
    unknown = [(f"[{k}]" if len(graph.outputs) > 1 else "", None) for k in range(len(graph.outputs))]
    return getattr(graph, "results", unknown)


def _of_sums(ends: Sequence[Node]) -> list[str]:
    """What the derivatives are those of, if not of a single number."""
    arrays = [end for end in ends if end.shape != ()]
    if len(ends) < 2:
        return ["The derivatives are those of the output's sum."] if arrays else []
    return [f"The derivatives are those of the sum of the outputs{', all entries' if arrays else ''}."]


def _constant(node: Node, i: int) -> Any:
    given = getattr(node, "given", None)
    return node.args[i] if given is None else given[i]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def brief(value: Any) -> str:
    """A number in full, a small array's entries, a large one's shape and range."""
    if value is None:
        return "constant"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(brief, value)) + ")"
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        tens = int(math.log10(abs(value)))
        return f"about {value / 10**tens:.6f}e+{tens}"
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return str(value)
    if value.size <= ENTRIES:
        return " ".join(np.array2string(value, precision=6, separator=", ").split())
    head = f"{value.dtype}{list(value.shape)}"
    if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        bad = int(np.size(value) - np.count_nonzero(np.isfinite(value))) if value.dtype.kind in "fc" else 0
        return head + (f" with {bad} NaN or infinite" if bad else "")
    return f"{head} min {value.min():.4g} mean {value.mean():.4g} max {value.max():.4g}"

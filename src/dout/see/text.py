"""A picture as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Graph, Node, describe
from .signs import SIGNS


def text_of(
    graph: Graph, values: Mapping[Node, Any], edges: Mapping[tuple[Node, int], Any], totals: Mapping[Node, Any]
) -> str:
    """Each operation with its value and derivative; below it each input's value and the derivative that flows to it.

    Where a value fans out, the derivatives that meet are shown as a sum.

    Args:
        graph: what is shown.
        values: the value of each node, if it is known.
        edges: for (node, i), the derivative that flows from the node to its i-th input.
        totals: the derivative with respect to each node.
    """
    operations = [n for n in graph.nodes if n.op is not None]
    names = {node: f"({i})" for i, node in enumerate(operations, 1)}
    names.update({n: graph.names[n] for n in graph.nodes if n.op is None})
    terms: dict[Node, list[Any]] = {}
    for (node, i), d in edges.items():
        parent = node.parents[i]
        if parent is not None:
            terms.setdefault(parent, []).append(d)

    def back(node: Node) -> str:
        if node not in totals:
            return "<- 0"
        parts = terms.get(node, [])
        total = brief(totals[node])
        if len(parts) < 2:
            return f"<- {total}"
        if np.size(parts[0]) > 1:
            return f"<- {total}  (the sum of {len(parts)})"
        return f"<- {' + '.join(brief(p) for p in parts)} = {total}"

    lines = []
    for node in operations:
        assert node.op is not None
        sign = SIGNS.get(node.op.name, node.op.name)
        lines.append(f"{names[node]} {sign:<5} {_value(values, node)}  {back(node)}")
        rows = []
        for i, parent in enumerate(node.parents):
            if parent is None:
                rows.append((brief(_constant(node, i)), "", ""))
            else:
                d = edges.get((node, i))
                rows.append((names[parent], _value(values, parent), "" if d is None else f"<- {brief(d)}"))
        lines += _table(rows, " " * 6)
    ends = [("output" if k == 0 else "", "constant" if n is None else names[n], "" if n is None else _value(values, n), "")
            for k, n in enumerate(graph.outputs)]  # fmt: skip
    inputs = [("inputs" if k == 0 else "", names[n], _value(values, n), back(n)) for k, n in enumerate(graph.inputs)]
    return "\n".join([*lines, "", *_table(ends, ""), *_table(inputs, "")])


def _value(values: Mapping[Node, Any], node: Node) -> str:
    return brief(values[node]) if node in values else describe(node)


def _constant(node: Node, i: int) -> Any:
    given = getattr(node, "given", None)
    return node.args[i] if given is None else given[i]


def _table(rows: Sequence[tuple[str, ...]], indent: str) -> list[str]:
    widths = [max((len(row[k]) for row in rows if len(row) > k), default=0) for k in range(4)]
    return [(indent + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=False))).rstrip() for row in rows]


def brief(value: Any) -> str:
    """A number in full, a small array's entries, a large one's shape and range."""
    if value is None:
        return "constant"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(brief(v) for v in value) + ")"
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return str(value)
    if value.size <= 6:
        return " ".join(np.array2string(value, precision=6, separator=", ").split())
    head = f"{value.dtype}{list(value.shape)}"
    if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        bad = int(np.size(value) - np.count_nonzero(np.isfinite(value))) if value.dtype.kind in "fc" else 0
        return head + (f" with {bad} NaN or infinite" if bad else "")
    return f"{head} min {value.min():.4g} mean {value.mean():.4g} max {value.max():.4g}"

"""An order of the columns by Graphviz's dot, instead of dout's own; all else of the layout stays the same."""

from __future__ import annotations

from .grid import Grid

MISSING = (
    "layout='graphviz' needs pygraphviz, whose wheels carry Graphviz. Install it with: pip install 'dout[graphviz]'"
)


def order(grid: Grid) -> None:
    """Puts dot's order into the grid."""
    try:
        import pygraphviz  # an extra: it is heavy, and dout's own order is about as good
    except ImportError as error:
        raise ImportError(MISSING) from error
    columns: list[list[int]] = [[] for _ in range(max(grid.column, default=-1) + 1)]
    for v, c in enumerate(grid.column):
        columns[c].append(v)
    drawn = pygraphviz.AGraph(directed=True, strict=False, rankdir="LR", ranksep="0.3", nodesep="0.1")
    drawn.node_attr.update(shape="box", width="0.3", height="0.3", fixedsize="true", label="")
    for column in filter(None, columns):
        drawn.add_nodes_from(column)
        drawn.add_subgraph(column, rank="same")
    for u, found in enumerate(grid.right):
        for v, _, _ in found:
            drawn.add_edge(u, v, weight=4 if max(u, v) >= len(grid.boxes) else 1)
    drawn.layout(prog="dot")
    heights = [float(drawn.get_node(v).attr["pos"].split(",")[1]) for v in range(len(grid.column))]
    grid.order = [sorted(column, key=lambda v: (-heights[v], v)) for column in columns]

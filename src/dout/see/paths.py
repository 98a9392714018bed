"""The paths by which an input reaches the outputs: what lies on them, how many there are, and what each contributes.

The derivative with respect to an input is the sum of one contribution for each path: the product of the local derivatives
along it. Backpropagation adds them up as it goes, which is why it can be done where paths are countless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backprop import walk
from ..graph import Node
from .values import short
from .words import say

if TYPE_CHECKING:
    from .picture import Picture

#: Where there are more paths than this, they are not taken one by one.
FEW = 12


@dataclass(frozen=True)
class Ways:
    """What lies on any path.

    Attributes:
        nodes: the ids of the nodes, in the order in which they ran.
        edges: the ids of the edges.
        count: how many paths there are.
    """

    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    count: int

    @property
    def text(self) -> str:
        """How many there are, in few characters."""
        return short(self.count)


def ways_of(description: Mapping[str, Any], start: str | int) -> Ways:
    """What lies on the paths from an input to the outputs, in a description.

    Args:
        description: what `Picture.describe` gives.
        start: the input's name, or a node's id.

    Raises:
        ValueError: if no input has that name.

    Example:
        >>> import dout
        >>> def f(x):
        ...     for _ in range(100):
        ...         x = x * x
        ...     return x
        >>> found = ways_of(dout.see(f, 1.0).describe(open="all"), "x")
        >>> found.count == 2**100, found.text
        (True, '1.26765e30')
    """
    starts = [start] if isinstance(start, int) else _inputs(description, start)
    ends = [output["node"] for output in description["outputs"] if output["node"] is not None]
    edges = [(edge["from"], edge["to"]) for edge in description["edges"]]
    nodes, on, count = between(len(description["nodes"]), edges, starts, ends)
    return Ways(tuple(nodes), tuple(description["edges"][k]["id"] for k in on), count)


def _inputs(description: Mapping[str, Any], name: str) -> list[int]:
    found = [node["id"] for node in description["nodes"] if node["kind"] == "input" and node["name"] == name]
    if not found:
        names = [node["name"] for node in description["nodes"] if node["kind"] == "input" and node["name"]]
        known = ", ".join(map(repr, names)) or "without names"
        raise ValueError(f"no input is called {name!r}; the inputs are {known}")
    return found


def between(
    n: int, edges: Sequence[tuple[int, int]], starts: Collection[int], ends: Iterable[int]
) -> tuple[list[int], list[int], int]:
    """The nodes and edges on paths from the starts to the ends, and how many paths there are.

    Args:
        n: how many nodes there are; they are numbered in an order in which each comes after those that it was made from.
        edges: (from, to); two between the same nodes are two paths.
        starts: where paths begin.
        ends: where they end; one that stands there twice ends twice as many.

    Example:
        >>> between(4, [(0, 1), (0, 1), (1, 2), (3, 2)], [0], [2])
        ([0, 1, 2], [0, 1, 2], 2)
    """
    into: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for k, (source, target) in enumerate(edges):
        into[target].append((k, source))
    ending = [0] * n
    for end in ends:
        ending[end] += 1
    reached = set(starts)
    for node in range(n):
        if any(source in reached for _, source in into[node]):
            reached.add(node)
    counts = ending[:]  # the paths from each node to the ends
    on: list[int] = []
    count = 0
    for node in range(n - 1, -1, -1):
        if counts[node] and node in reached:
            for k, source in into[node]:
                counts[source] += counts[node]
                if source in reached:
                    on.append(k)
        if node in starts:
            count += counts[node]
        counts[node] = min(counts[node], 1)  # all that is still asked for; thousands of large numbers take much room
    nodes = [node for node in range(n) if node in reached and counts[node]]
    return nodes, sorted(on), count


@dataclass(frozen=True)
class Way:
    """One path.

    Attributes:
        edges: from the input on; (node, i) is the edge to the node's i-th input.
        contribution: what it adds to the derivative with respect to the input.
    """

    edges: tuple[tuple[Node, int], ...]
    contribution: Any


def contributions(picture: Picture, start: Node, most: int = FEW) -> list[Way] | None:
    """Each path from a node to the outputs with what it contributes, the largest first; None if there are too many.

    Example:
        >>> import dout
        >>> picture = dout.see(lambda x, y: x * y + x * x, 3.0, 5.0)
        >>> ways = contributions(picture, picture.graph.inputs[0])
        >>> [float(way.contribution) for way in ways], float(picture.totals[picture.graph.inputs[0]])
        ([5.0, 3.0, 3.0], 11.0)
    """
    graph = picture.graph
    number = {node: k for k, node in enumerate(graph.nodes)}
    keys = [(node, i) for node in graph.nodes for i, parent in enumerate(node.parents) if parent is not None]
    edges = [(number[node.parents[i]], number[node]) for node, i in keys]  # type: ignore[index]
    ends = [end for end in graph.outputs if end is not None]
    _, on, count = between(len(graph.nodes), edges, [number[start]], [number[end] for end in ends])
    if count > most:
        return None
    leaving: dict[Node, list[tuple[Node, int]]] = {}
    for k in on:
        node, i = keys[k]
        parent = node.parents[i]
        assert parent is not None
        leaving.setdefault(parent, []).append((node, i))
    found: list[Way] = []
    stack: list[tuple[Node, tuple[tuple[Node, int], ...]]] = [(start, ())]
    while stack:
        node, path = stack.pop()
        for _ in range(ends.count(node)):
            found.append(Way(path, _along(picture, node, path)))
        stack += [(edge[0], (*path, edge)) for edge in reversed(leaving.get(node, []))]
    return sorted(found, key=lambda way: -_size(way.contribution))


def _along(picture: Picture, end: Node, path: Sequence[tuple[Node, int]]) -> Any:
    """The derivative of an output that comes back along one path alone."""
    derivative = picture.start[end]
    for node, i in reversed(path):
        parent = node.parents[i]
        assert parent is not None
        caught: dict[int, Any] = {}

        def watch(_: Node, j: int, d: Any, caught: dict[int, Any] = caught) -> None:
            caught[j] = d

        with np.errstate(all="ignore"):
            found = walk([node], {node: derivative}, [parent], watch=watch)
        derivative = caught.get(i, found[parent] if not caught else None)  # one output of several isn't watched
        if derivative is None:
            return 0.0
    return derivative


def _size(contribution: Any) -> float:
    if isinstance(contribution, list):
        return max(map(_size, contribution), default=0.0)
    try:
        return float(np.max(np.abs(contribution), initial=0.0))
    except OverflowError:
        return np.inf


def told(name: str, count: int, lang: str | None = None) -> str:
    """In words, by how many paths an input reaches the outputs.

    Example:
        >>> told("x", 2**80)
        'x reaches the output by 1.20893e24 paths.'
    """
    key = "none" if count == 0 else "one" if count == 1 else "many"
    return say(f"paths.{key}", lang, name=name, count=short(count))

"""What the nodes of a description are called in sentences: by their names, else by how they were made. As names.js says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .markup import clean, isolated

INFIX = {"add": "+", "subtract": "−", "multiply": "×", "divide": "/", "power": "**", "matmul": "@", "remainder": "%"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LONGEST = 30

Json = Mapping[str, Any]


class Names:
    """Names for the nodes of a description.

    Attributes:
        ins: for each node, the edges that arrive, by port.
        outs: for each node, the edges that leave.

    Example:
        >>> import dout, numpy as np
        >>> names = Names(dout.see(lambda x, y: np.exp(x * y), 1.0, 2.0).describe())
        >>> names.of(2), names.made(3, 2), names.applied(3, ["0.5"])
        ('x × y', 'exp(x × y)', 'exp(0.5)')
    """

    def __init__(self, description: Json) -> None:
        self.nodes: Sequence[Json] = description["nodes"]
        self.edges: Sequence[Json] = description["edges"]
        self.groups: Sequence[Json] = description["groups"]
        self.ins: list[list[int]] = [[] for _ in self.nodes]
        self.outs: list[list[int]] = [[] for _ in self.nodes]
        for edge in self.edges:
            self.ins[edge["to"]].append(edge["id"])
            self.outs[edge["from"]].append(edge["id"])
        for arriving in self.ins:
            arriving.sort(key=lambda e: self.edges[e]["port"])
        self._known: dict[int, str] = {}

    def of(self, node: int) -> str:
        """The name, or the expression if it is short, or the sign with a number."""
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._found(node)
        return found

    def _found(self, node: int) -> str:
        one = self.nodes[node]
        if one["name"]:
            return isolated(one["name"])
        if one["kind"] == "constant":
            return clean(one["value"]["t"])
        written = self.made(node, 2)
        return written if len(written) <= LONGEST else self.numbered(node)

    def numbered(self, node: int) -> str:
        """The sign with the node's number."""
        return clean(self.nodes[node]["sign"] or "x") + str(node).translate(SUBSCRIPTS)

    def made(self, node: int, depth: int = 1) -> str:
        """The operation applied to its inputs; unnamed inputs are written out, `depth` deep."""
        between = self.between(node)
        return self.applied(node, [self._input(self.edges[e]["from"], depth, between) for e in self.ins[node]])

    def _input(self, node: int, depth: int, between: bool) -> str:
        one = self.nodes[node]
        if one["name"]:
            return isolated(one["name"])
        if one["kind"] == "constant":
            return clean(one["value"]["t"])
        if depth < 2 or not self.ins[node]:
            return self.numbered(node)
        inner = self.made(node, depth - 1)
        return f"({inner})" if between and self.between(node) else inner

    def between(self, node: int) -> bool:
        """Whether its inputs stand between signs, and need brackets around signs of their own."""
        return self.is_infix(node) or self.nodes[node]["op"] == "negative"

    def is_infix(self, node: int) -> bool:
        """Whether it is written between its inputs."""
        return self.nodes[node]["op"] in INFIX and len(self.ins[node]) == 2

    def applied(self, node: int, texts: Sequence[str]) -> str:
        """The operation with these texts in the places of its inputs."""
        one = self.nodes[node]
        if self.is_infix(node):
            return f" {INFIX[one['op']]} ".join(texts)
        if one["op"] == "negative" and texts:
            return f"−{texts[0]}"
        if one["op"] == "getitem" and texts:
            return f"{texts[0]}[…]"
        word = one["sign"] if one["kind"] == "layer" or not one["op"] else one["op"]
        return f"{clean(word)}({', '.join([*texts, *_told(one)])})"

    def group(self, group: int) -> str:
        """A fold's name, and how often it stands for."""
        found = self.groups[group]
        return clean(found["name"] or "") + (f" ×{found['count']}" if found.get("count") else "")

    def groups_of(self, node: int) -> Iterator[int]:
        """The folds that a node stands in, innermost first."""
        group = self.nodes[node]["group"]
        while group is not None:
            yield group
            group = self.groups[group]["parent"]


def _told(node: Json) -> list[str]:
    """Parameters that are a number or a word, as they are written in a call."""
    return [clean(text) for text in node.get("told") or () if "=" in text and "(" not in text]

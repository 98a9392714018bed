"""Descriptions to lay out: nodes, edges, groups and outputs as `describe` gives them, made without running anything."""

from __future__ import annotations

import random

from dout.see.levels import levels_of

NUMBER = {"t": "0.123456", "v": 0.123456}
ARRAY = {"t": "3×2 float64", "t2": "min −1.25 mean 0.125 max 2.5", "shape": [3, 2], "dtype": "float64"}
SIGNS = {"add": "+", "subtract": "-", "multiply": "×", "divide": "/", "matmul": "@"}


class Sketch:
    """A graph, node by node."""

    def __init__(self, value=NUMBER):
        self.value = value
        self.nodes, self.edges, self.groups, self.outputs = [], [], [], []

    def node(self, kind, op, name, ins, group, value=None):
        i = len(self.nodes)
        self.nodes.append({"id": i, "kind": kind, "op": op, "sign": SIGNS.get(op, op), "name": name, "params": {},
                           "value": value or self.value, "total": None if kind == "constant" else value or self.value,
                           "terms": [], "where": None, "group": group})  # fmt: skip
        for port, source in enumerate(ins):
            start = self.nodes[source]
            start["terms"].append(len(self.edges))
            self.edges.append(
                {"id": len(self.edges), "from": source, "to": i, "port": port, "derivative": start["total"]}
            )
        return i

    def input(self, name, group=None, value=None):
        return self.node("input", "", name, (), group, value)

    def constant(self, name=None, group=None):
        return self.node("constant", "", name, (), group, {"t": "2", "v": 2})

    def op(self, op, *ins, name=None, group=None):
        return self.node("op", op, name, ins, group)

    def group(self, name, parent=None, **more):
        i = len(self.groups)
        self.groups.append(
            {"id": i, "kind": "layer", "name": name, "count": None, "parent": parent, "open": False, **more}
        )
        return i

    def output(self, node, path=""):
        self.outputs.append(
            {"node": node, "path": path, "value": self.nodes[node]["value"] if node is not None else NUMBER}
        )
        if node is not None:
            self.nodes[node]["terms"].append("output")
        return self

    def levels(self, **options):
        return levels_of(self.nodes, self.edges, self.groups, self.outputs, total=lambda ids: self.value, **options)

    @property
    def parts(self):
        return self.nodes, self.edges, self.groups


def apple():
    g = Sketch()
    apple, number, tax = (g.input(name) for name in ("apple", "number", "tax"))
    return g.output(g.op("multiply", g.op("multiply", apple, number, name="price"), tax))


def apple_and_orange():
    g = Sketch()
    apple, apples, orange, oranges, tax = (g.input(name) for name in ("apple", "apples", "orange", "oranges", "tax"))
    both = g.op("add", g.op("multiply", apple, apples), g.op("multiply", orange, oranges))
    return g.output(g.op("multiply", both, tax, name="price"))


def sigmoid():
    g = Sketch()
    y = g.op("exp", g.op("negative", g.input("x")))
    return g.output(g.op("divide", g.constant(), g.op("add", y, g.constant())))


def square_and_more():
    g = Sketch()
    x = g.input("x")
    return g.output(g.op("add", g.op("multiply", x, x), x))


def tree(depth=4):
    g = Sketch()
    row = [g.input(f"x{i}") for i in range(2**depth)]
    while len(row) > 1:
        row = [g.op("add", a, b) for a, b in zip(row[::2], row[1::2], strict=True)]
    return g.output(row[0])


def perceptron(layers=3):
    g = Sketch(ARRAY)
    h = g.input("x")
    for i in range(layers):
        h = g.op("matmul", h, g.input(f"W{i}"))
        h = g.op("maximum", g.op("add", h, g.input(f"b{i}")), g.constant())
    return g.output(h)


def residual(blocks=12):
    """Skip connections over four operations: 60 nodes and more."""
    g = Sketch()
    h = g.input("x")
    for i in range(blocks):
        y = g.op("relu", g.op("multiply", h, g.input(f"W{i}")))
        h = g.op("add", h, g.op("multiply", y, g.input(f"V{i}")), name=f"h{i}")
    return g.output(h)


def chain(n):
    g = Sketch()
    h = g.input("x")
    for _ in range(n):
        h = g.op("exp", h)
    return g.output(h)


def shared(blocks=60, length=24):
    """One leaf that every block uses."""
    g = Sketch()
    leaf, h = g.input("shared"), g.input("x")
    for i in range(blocks):
        a = skip = g.op("add", g.op("multiply", h, leaf), g.input(f"w{i}"))
        for _ in range((length - 6) // 2):
            a = g.op("exp", g.op("sin", a))
        h = g.op("add", g.op("multiply", g.op("add", a, skip), g.input(f"v{i}")), g.op("tanh", h))
    return g.output(h)


def side_by_side(blocks=60, length=20):
    """One leaf that feeds blocks beside each other, and a tree that adds them up."""
    g = Sketch()
    leaf, row = g.input("shared"), []
    for i in range(blocks):
        a = c = g.op("multiply", leaf, g.input(f"w{i}"))
        for _ in range(length // 2):
            a, c = g.op("exp", a), g.op("sin", c)
        row.append(g.op("multiply", a, c))
    while len(row) > 1:
        pairs = [g.op("add", a, b) for a, b in zip(row[::2], row[1::2], strict=False)]
        row = pairs + row[2 * len(pairs) :]
    return g.output(row[0])


def network(layers=3):
    """Layers that can be opened."""
    g = Sketch(ARRAY)
    h = g.input("x")
    for i in range(layers):
        affine, sigmoid = g.group("Affine"), g.group("Sigmoid")
        weights, bias = g.input(f"W{i}"), g.input(f"b{i}")
        h = g.op("add", g.op("matmul", h, weights, group=affine), bias, group=affine)
        y = g.op(
            "add",
            g.op("exp", g.op("negative", h, group=sigmoid), group=sigmoid),
            g.constant(group=sigmoid),
            group=sigmoid,
        )
        h = g.op("reciprocal", y, group=sigmoid)
    return g.output(h)


def tangle(seed, n=60, reach=10, leaves=6):
    """Anything, from a seed: operations on whatever came not long before."""
    draw = random.Random(seed)
    g = Sketch()
    for i in range(leaves):
        g.input(f"x{i}")
    while len(g.nodes) < n:
        recent = range(max(0, len(g.nodes) - reach), len(g.nodes))
        ins = [draw.choice(recent) for _ in range(draw.choice([1, 2, 2, 2]))]
        g.op("exp" if len(ins) == 1 else draw.choice(["add", "add", "subtract"]), *ins)
    return g.output(len(g.nodes) - 1)

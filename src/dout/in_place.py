"""Derivatives of large arrays: written over what the walk alone holds, and their signs carried along.

A large array costs what it moves through the memory. A derivative that was made for one operation, and goes on through the
next, can be multiplied where it stands; and of `-dout` only the sign need be known until somebody looks, as every pullback
is linear in dout. What comes out is the same to the last bit; only a zero may have the other sign.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from .broadcasting import fit, whole
from .graph import Node

#: From how many entries on an array is large: below, less is spared than it takes to find out.
LARGE = 16_384
_PLAIN = frozenset((ndarray, float, int, np.float64, np.float32, type(None)))


class Held:
    """What a walk knows of the derivatives it holds.

    Attributes:
        own: the nodes whose derivative so far is an array that nobody else has, of the node's whole shape: what is added to it
            broadcasts.
        minus: those of which minus the derivative is held.
    """

    __slots__ = ("minus", "own")

    def __init__(self) -> None:
        self.own: set[Node] = set()
        self.minus: set[Node] = set()

    def signed(self, node: Node, d: Any) -> Any:
        """The derivative of a node, from what is held for it."""
        if node not in self.minus:
            return d
        self.minus.discard(node)
        return np.negative(d, d) if node in self.own else -d

    def put(self, douts: dict[Node, Any], node: Node, d: Any, own: bool, minus: bool) -> None:
        """Add a derivative, or what is minus it, to that of a node."""
        before = douts.get(node)
        if before is None:
            douts[node] = d
            if own:
                self.own.add(node)
            if minus:
                self.minus.add(node)
            return
        alike = minus == (node in self.minus)  # else what is held is the difference, with the sign that it has
        if node in self.own and type(d) is ndarray:
            if alike:
                before += d
            else:
                before -= d
            return
        douts[node] = total = before + d if alike else before - d
        if type(total) is ndarray and total.shape == node.shape:
            self.own.add(node)
        else:
            self.own.discard(node)  # 0-d arrays add up to a number


def are_large(nodes: tuple[Node | None, ...]) -> bool:
    """Whether some of these nodes have large arrays."""
    return any(n is not None and not isinstance(n.shape, list) and prod(n.shape) >= LARGE for n in nodes)


def step(node: Node, dout: Any, douts: dict[Node, Any], inside: set[Node] | None, held: Held) -> bool:
    """Hand the derivative of an elementwise operation's result on to its inputs, if all are plain numbers and arrays."""
    op, parents, args, out, shape, dtype = node.op, node.parents, node.args, node.out, node.shape, node.dtype
    if op is None or type(dout) not in _PLAIN or type(out) not in _PLAIN or any(type(a) not in _PLAIN for a in args):
        return False
    own, minus, ways = node in held.own, node in held.minus, op.in_place
    asked = [(i, p) for i, p in enumerate(parents) if p is not None and (inside is None or p in inside)]
    own = own and all(getattr(a, "dtype", dtype) is dtype for a in (dout, *args)) and dout.shape == shape
    for i, parent in asked:
        last = i == asked[-1][0]
        if ways:
            pullback, negative = ways[i]
            d = pullback(dout if own and last and parent.shape == shape else None, dout, out, *args)
        else:
            d = op.pullbacks[i](dout, out, *args)
            negative = False
        if d is None:
            continue
        if d is dout:
            mine = own and last
            own = False  # what it was handed on to may keep it
        else:
            mine = bool(ways)  # the rules of others may give what they keep
        if parent.shape != shape or parent.dtype is not dtype:
            fitted = fit(whole(d, shape) if parent.shape != shape else d, parent.shape, parent.dtype)
            mine, d = mine and fitted is d, fitted
        mine = mine and type(d) is ndarray and d.shape == parent.shape
        held.put(douts, parent, d, mine, minus != negative)
    return True

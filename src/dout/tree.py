"""Arguments of any shape: nested dicts, lists, tuples, namedtuples and dataclasses, taken apart and put together.

A library such as optree does more, and would need each dataclass registered; this is all that dout needs.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

#: Puts leaves, taken in order from an iterator, where the old ones were.
Rebuild = Callable[[Iterator[Any]], Any]
#: The common leaves, known without asking what containers they may be.
_LEAVES = frozenset((float, int, str, bool, type(None), np.ndarray, np.float64, np.float32))


def parts(node: Any) -> tuple[list[Any], Callable[[list[Any]], Any]] | None:
    """The children of a container and how to make one like it of others; None for what is no container."""
    kind = type(node)
    if isinstance(node, dict):
        keys = list(node)

        def remake(values: list[Any]) -> Any:
            new = copy.copy(node)
            new.update(zip(keys, values, strict=True))
            return new

        return list(node.values()), remake
    if isinstance(node, list | tuple):
        if hasattr(kind, "_fields"):
            return list(node), lambda values: kind(*values)
        return list(node), kind
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        names = [field.name for field in dataclasses.fields(node)]

        def replace(values: list[Any]) -> Any:
            new = copy.copy(node)  # not by its constructor, which may take or compute other things
            for name, value in zip(names, values, strict=True):
                object.__setattr__(new, name, value)
            return new

        return [getattr(node, name) for name in names], replace
    return None


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of nested containers, and how to put others in their places.

    Example:
        >>> leaves, rebuild = flatten({"w": 1.0, "b": (2.0, "relu")})
        >>> leaves
        [1.0, 2.0, 'relu']
        >>> rebuild(iter([10, 20, 30]))
        {'w': 10, 'b': (20, 30)}
    """
    found = None if type(tree) in _LEAVES else parts(tree)
    if found is None:
        return [tree], next
    children, remake = found
    leaves: list[Any] = []
    rebuilds = []
    for child in children:
        below, rebuild = flatten(child)
        leaves += below
        rebuilds.append(rebuild)
    return leaves, lambda values: remake([rebuild(values) for rebuild in rebuilds])


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same containers with `function` of each leaf."""
    leaves, rebuild = flatten(tree)
    return rebuild(iter([function(leaf) for leaf in leaves]))


def leaf_paths(tree: Any) -> list[str]:
    """Where each leaf stands, as Python would write it: `['w']`, `[0].bias`; "" for a leaf alone.

    Example:
        >>> leaf_paths({"w": 1.0, "b": (2.0, 3.0)})
        ["['w']", "['b'][0]", "['b'][1]"]
    """
    found = parts(tree)
    if found is None:
        return [""]
    steps = _steps(tree, len(found[0]))
    return [step + path for step, child in zip(steps, found[0], strict=True) for path in leaf_paths(child)]


def matched(tree: Any, like: Any, what: str) -> list[Any]:
    """The leaves of a tree in the order of another's, dicts by their keys.

    Raises:
        ValueError: where the containers differ, naming the place.

    Example:
        >>> matched({"b": 2, "a": 1}, {"a": 0.0, "b": 0.0}, "dout")
        [1, 2]
    """
    expected = parts(like)
    if expected is None:
        return [tree]
    found = parts(tree)
    children = None if found is None else found[0]
    if isinstance(like, dict):
        same = isinstance(tree, dict) and tree.keys() == like.keys()
        children = [tree[key] for key in like] if same else None
    elif isinstance(tree, dict) or (children is not None and len(children) != len(expected[0])):
        children = None
    if children is None:
        raise ValueError(f"{what}: expected the form {_form(like)}, got {_form(tree)}")
    steps = _steps(like, len(children))
    return [
        leaf
        for child, other, step in zip(children, expected[0], steps, strict=True)
        for leaf in matched(child, other, what + step)
    ]


def _form(tree: Any) -> str:
    """A container's kind and keys, for a message."""
    found = parts(tree)
    if found is None:
        return type(tree).__name__
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: ..." for key in tree) + "}"
    return f"{type(tree).__name__} of {len(found[0])}"


def _steps(tree: Any, n: int) -> list[str]:
    """How Python writes the way to each of a container's n children."""
    if isinstance(tree, dict):
        return [f"[{key!r}]" for key in tree]
    if hasattr(tree, "_fields"):
        return [f".{name}" for name in tree._fields]
    if dataclasses.is_dataclass(tree):
        return [f".{field.name}" for field in dataclasses.fields(tree)]
    return [f"[{i}]" for i in range(n)]

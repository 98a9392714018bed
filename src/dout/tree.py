"""Arguments of any shape: nested dicts, lists, tuples, namedtuples and dataclasses, taken apart and put together.

A library such as optree does more, and would need each dataclass registered; this is all that dout needs.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

#: Puts leaves, taken in order from an iterator, where the old ones were.
Rebuild = Callable[[Iterator[Any]], Any]


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
    found = parts(tree)
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
    if isinstance(tree, dict):
        steps = [f"[{key!r}]" for key in tree]
    elif hasattr(tree, "_fields"):
        steps = [f".{name}" for name in tree._fields]
    elif dataclasses.is_dataclass(tree):
        steps = [f".{field.name}" for field in dataclasses.fields(tree)]
    else:
        steps = [f"[{i}]" for i in range(len(found[0]))]
    return [step + path for step, child in zip(steps, found[0], strict=True) for path in leaf_paths(child)]

"""`trace`: the graph of one run, with every value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .arguments import Arguments, call, function_name, scope
from .backprop import collect
from .graph import Graph, TracedLeaf
from .tree import flatten, leaf_paths
from .variable import Variable


def trace(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Graph:
    """Run a function once and give its graph.

    Args:
        f: any function of numbers, arrays and containers of them.
        *args: what to run it on. Floats, float arrays and ints become the graph's inputs; the rest is passed through.
        **kwargs: the same, by keyword.

    Raises:
        TypeError: if there is nothing to differentiate among the arguments, or the function doesn't return numbers or arrays.

    Example:
        >>> print(trace(lambda x: x * x + 1.0, 3.0))
        x = input  float = 3.0
        %1 = multiply(x, x)  float = 9.0
        %2 = add(%1, 1.0)  float = 10.0
        return %2
    """
    if not callable(f):
        raise TypeError(f"f: expected a function, got {type(f).__name__}")
    given, names, keywords = _bound(f, args, kwargs)
    positions = [i for i, a in enumerate(given) if any(Arguments.accepts(v, TracedLeaf) for v in flatten(a)[0])]
    if not positions:
        raise TypeError(
            f"{function_name(f)}: no argument holds a number or an array, so there is nothing to differentiate"
        )
    with scope() as here:
        arguments = Arguments(given, positions, f, here, TracedLeaf)
        labels = iter(arguments.leaves)
        for position in positions:
            flat, _ = flatten(given[position])
            for value, path in zip(flat, leaf_paths(given[position]), strict=True):
                if Arguments.accepts(value, TracedLeaf):
                    next(labels).name = names[position] + path
        n = len(given) - len(keywords)
        out = call(f, arguments.args[:n], dict(zip(keywords, arguments.args[n:], strict=True)))
    outs, _ = flatten(out)
    if not any(isinstance(o, Variable | int | float | complex) or hasattr(o, "dtype") for o in outs):
        name, kind = function_name(f), type(out).__name__
        raise TypeError(f"{name} returned {kind}, which holds no number or array; did it forget its return?")
    ends = [o._node if isinstance(o, Variable) else None for o in outs]
    nodes, _ = collect([*arguments.leaves, *(e for e in ends if e is not None)], arguments.leaves[0].serial)
    return Graph(nodes, arguments.leaves, ends).verify()


def _bound(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], list[str], list[str]]:
    """All argument values, a name for each, and the names of those at the end that are given by keyword."""
    try:
        bound = inspect.signature(f).bind(*args, **kwargs)
    except ValueError:  # a builtin without a signature
        return [*args, *kwargs.values()], [*(f"arg{i}" for i in range(len(args))), *kwargs], list(kwargs)
    names = []
    for name, value in bound.arguments.items():
        kind = inspect.signature(f).parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}[{i}]" for i in range(len(value))]
        elif kind is inspect.Parameter.VAR_KEYWORD:
            names += list(value)
        else:
            names.append(name)
    return [*bound.args, *bound.kwargs.values()], names, list(bound.kwargs)

"""The quick way of a call: Python code written for one form of arguments, which takes them apart, runs, and puts together.

It holds every argument to the form that was recorded, by the same questions as `given.py`, and gives `MISS` for anything
else; then the slow way finds out what to do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from operator import is_
from typing import Any

import numpy as np

from .given import SIMPLE, Given, form_of
from .run.interpret import BROKEN
from .tree import parts

#: What the quick way gives where it can't tell.
MISS: Any = type("Miss", (), {"__repr__": lambda self: "MISS"})()


class Code:
    """Lines of Python, and the objects that they name.

    Attributes:
        lines: the lines.
        names: the objects.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"MISS": MISS, "BROKEN": BROKEN, "ndarray": np.ndarray, "is_": is_}

    def name(self, value: Any) -> str:
        """A name for an object."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def fresh(self) -> str:
        """A name for a value of the call."""
        self.names[f"v{len(self.names)}"] = None
        return f"v{len(self.names) - 1}"

    def hold(self, condition: str) -> None:
        """Go on only where this is so."""
        self.lines.append(f"  if not ({condition}): return MISS")

    def function(self) -> Callable[[Any, Any], Any]:
        """The function of `args` and `kwargs`; what fails on the way is a miss too."""
        body = "\n".join(["def ready(args, kwargs):", " try:", *self.lines, " except Exception: return MISS"])
        exec(compile(body, "<dout call>", "exec"), self.names)
        ready: Callable[[Any, Any], Any] = self.names["ready"]
        return ready


def taking(code: Code, given: Given) -> list[str]:
    """Write how the arguments are taken apart; gives the names of the leaves."""
    leaves: list[str] = []
    names = [code.fresh() for _ in given.args]
    code.hold(f"len(args) == {len(names)}")
    if names:
        code.lines.append(f"  {', '.join(names)}, = args")
    if given.kwargs:
        keys = [code.fresh() for _ in given.kwargs]
        code.hold(f"tuple(kwargs) == {code.name(tuple(given.kwargs))}")
        code.lines.append(f"  {', '.join(keys)}, = kwargs.values()")
        names += keys
    else:
        code.hold("not kwargs")
    for i, (name, value) in enumerate(zip(names, [*given.args, *given.kwargs.values()], strict=True)):
        if i in given.fixed:
            _fixed(code, name, value)
        else:
            _taken(code, name, value, leaves)
    return leaves


def _taken(code: Code, name: str, value: Any, leaves: list[str]) -> None:
    form = form_of(value)
    kind = code.name(type(value))
    if type(form) is tuple:
        dtype, shape, layout = code.name(value.dtype), code.name(form[1]), form[2]
        laid = f"{name}.flags.c_contiguous" if layout is True else f"{name}.strides == {code.name(layout)}"
        code.hold(f"type({name}) is ndarray and {name}.dtype is {dtype} and {name}.shape == {shape} and {laid}")
        if layout is not True:
            code.hold(f"not {name}.flags.c_contiguous")
        leaves.append(name)
        return
    if form is not None:
        code.hold(f"type({name}) is {kind}")
        leaves.append(name)
        return
    found = None if isinstance(value, SIMPLE) else parts(value)
    if found is None:
        _fixed(code, name, value)
        return
    children = found[0]
    names = [code.fresh() for _ in children]
    code.hold(f"type({name}) is {kind}")
    if isinstance(value, dict):
        code.hold(f"tuple({name}) == {code.name(tuple(value))}")
        source = f"{name}.values()"
    elif isinstance(value, list | tuple):
        code.hold(f"len({name}) == {len(children)}")
        source = name
    else:
        source = ", ".join(f"{name}.{field.name}" for field in dataclasses.fields(value)) + ","
    if names:
        code.lines.append(f"  {', '.join(names)}, = {source}")
    for child, below in zip(children, names, strict=True):
        _taken(code, below, child, leaves)


def _fixed(code: Code, name: str, value: Any) -> None:
    known = code.name(value)
    if isinstance(value, SIMPLE):
        code.hold(f"{name} is {known} or (type({name}) is type({known}) and {name} == {known})")
    elif type(value) in (int, float, complex):
        code.hold(f"{name} is {known} or (type({name}) is type({known}) and repr({name}) == repr({known}))")
    elif type(value) is tuple:
        names = [code.fresh() for _ in value]
        code.hold(f"type({name}) is tuple and len({name}) == {len(value)}")
        if names:
            code.lines.append(f"  {', '.join(names)}, = {name}")
        for child, below in zip(value, names, strict=True):
            _fixed(code, below, child)
    else:
        code.hold(f"{name} is {known}")


def together(code: Code, template: Any, results: Sequence[str]) -> str | None:
    """An expression that puts results into containers like these; None where that takes more.

    Args:
        template: containers with `None` for each result.
        results: the names of the results.
    """
    remaining = iter(results)

    def put(tree: Any) -> str:
        kind = type(tree)
        if kind is dict:
            return "{" + ", ".join(f"{code.name(k)}: {put(v)}" for k, v in tree.items()) + "}"
        if kind is list:
            return "[" + ", ".join(map(put, tree)) + "]"
        if kind is tuple:
            return "(" + "".join(f"{put(v)}, " for v in tree) + ")"
        if tree is None:
            return next(remaining)
        raise LookupError

    try:
        return put(template)
    except LookupError:
        return None


def same_items(code: Code, container: Any, items: Iterable[Any]) -> str:
    """A condition: a list or a dict holds what it held, in the same order."""
    held = code.name(container)
    values = code.name(tuple(items))
    return f"len({held}) == len({values}) and all(map(is_, {held}, {values}))"

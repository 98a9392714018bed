"""`trace`: the graph of one run, with every value."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .arguments import Arguments, call, function_name, scope
from .backprop import collect
from .errors import not_differentiable
from .graph import Graph, Node, TracedLeaf, plain
from .tree import flatten, leaf_paths, tree_map
from .variable import Variable
from .wiring import layer
from .witness import WITNESS, Looked, Witness


class TracedGraph(Graph):
    """The graph of one run of a function, with what it returned.

    Attributes:
        results: for each output, the way to it in what the function returned, such as `['a']`, and its value.
        notes: which arguments are no inputs, and why.
        title: what the function is called.
        looks: what Python learned of the values on the way: comparisons, roundings and the like.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        inputs: Sequence[Node],
        outputs: Sequence[Node | None],
        results: Sequence[tuple[str, Any]],
        notes: Sequence[str] = (),
        title: str = "",
        looks: Sequence[Looked] = (),
    ) -> None:
        super().__init__(nodes, inputs, outputs)
        self.results = list(results)
        self.notes = list(notes)
        self.title = title
        self.looks = list(looks)


class NoInput(str):
    """A note on an argument that is no input, and its parts, of which other languages make their sentence.

    Attributes:
        kind: "int" if its parameter is annotated int, "default" if it wasn't given, or "else".
        values: what the sentence says: the argument's name, and why it is none or what to give.
    """

    kind: str
    values: dict[str, str]

    def __new__(cls, text: str, kind: str, **values: str) -> NoInput:
        found = super().__new__(cls, text)
        found.kind, found.values = kind, values
        return found


class Given(NamedTuple):
    """An argument of a call; `whole` if it is an int for a parameter that is annotated int."""

    name: str
    value: Any
    whole: bool = False

    def is_input(self) -> bool:
        """Whether it holds anything that a derivative can be shown for."""
        return not self.whole and any(Arguments.accepts(v, TracedLeaf) for v in flatten(self.value)[0])


def trace(f: Any, *args: Any, **kwargs: Any) -> TracedGraph:
    """Run a function once and give its graph.

    Args:
        f: any function of numbers, arrays and containers of them; or an object with forward and backward, a layer.
        *args: what to run it on. Floats, float arrays and ints become the graph's inputs; the rest is passed through, and
            so is an int whose parameter is annotated int.
        **kwargs: the same, by keyword.

    Variables that the function uses besides, and those that they were made from, are inputs too.

    Raises:
        TypeError: if there is nothing to differentiate among the arguments, or the function doesn't return numbers or arrays.

    Example:
        >>> print(trace(lambda x: x * x + 1.0, 3.0))
        x = input  float = 3.0
        %1 = multiply(x, x)  float = 9.0
        %2 = add(%1, 1.0)  float = 10.0
        return %2
    """
    if not (callable(f) or is_layer(f)):
        raise TypeError(f"f: expected a function or a layer with forward and backward, got {type(f).__name__}")
    given, defaults, n = given_to(f, args, kwargs)
    notes = not_inputs(given, defaults, "see")
    positions = [i for i, g in enumerate(given) if g.is_input()]
    if not positions:
        why = "".join(f"; {note}" for note in notes)
        raise TypeError(
            f"{function_name(f)}: no argument holds a number or an array, so there is nothing to differentiate{why}"
        )
    with scope() as here:
        values = [tree_map(plain, g.value) if g.is_input() else g.value for g in given]
        arguments = Arguments(values, positions, f, here, TracedLeaf)
        labels = iter(arguments.leaves)
        for position in positions:
            flat, _ = flatten(given[position].value)
            for value, path in zip(flat, leaf_paths(given[position].value), strict=True):
                if Arguments.accepts(value, TracedLeaf):
                    next(labels).name = given[position].name + path
        keywords = [g.name for g in given[n:]]
        run = layer(f) if is_layer(f) else f
        out, looks = _witnessed(run, arguments.args[:n], dict(zip(keywords, arguments.args[n:], strict=True)))
    outs, _ = flatten(out)
    if not any(isinstance(o, Variable | int | float | complex) or hasattr(o, "dtype") for o in outs):
        name, kind = function_name(f), type(out).__name__
        why = "did it forget its return?"
        if isinstance(out, Iterator):
            why = f"a {kind} has computed nothing yet: return list(...) or a sum of it"
        elif out is not None and not isinstance(out, tuple | list | dict):
            why = "return the number or array itself"
        raise TypeError(f"{name} returned {kind}, which holds no number or array; {why}")
    ends = [o._node if isinstance(o, Variable) else None for o in outs]
    nodes, _ = collect([*arguments.leaves, *(e for e in ends if e is not None)], 0)
    others = [n for n in nodes if n.op is None and n not in arguments.leaves]
    results = list(zip(leaf_paths(out), map(plain, outs), strict=True))
    graph = TracedGraph(nodes, [*arguments.leaves, *others], ends, results, notes, function_name(f), looks)
    graph.verify()
    return graph


def _witnessed(f: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, list[Looked]]:
    """Call a function under a witness, who tells each operation where it happens; what Python looked at besides."""
    witness = Witness()
    token = WITNESS.set(witness)
    try:
        return call(f, args, kwargs), witness.looks
    finally:
        WITNESS.reset(token)
        witness.close()


def given_to(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Given], list[inspect.Parameter], int]:
    """A call's arguments with their names; the parameters left to their defaults; how many arguments are positional."""
    try:
        signature = inspect.signature(f.forward if is_layer(f) else f)
    except ValueError:  # a builtin without one
        given = [Given(f"arg{i}", value) for i, value in enumerate(args)]
        return given + [Given(name, value) for name, value in kwargs.items()], [], len(args)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{function_name(f)}{signature}: {error}") from None
    given = []
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            named = [(f"{name}[{i}]", v) for i, v in enumerate(value)]
        elif parameter.kind is parameter.VAR_KEYWORD:
            named = list(value.items())
        else:
            named = [(name, value)]
        given += [Given(key, v, parameter.annotation in (int, "int") and type(v) is int) for key, v in named]
    own = inspect.isfunction(f) or inspect.ismethod(f) or is_layer(f)  # not NumPy's, with their options
    left = [p for p in signature.parameters.values() if p.name not in bound.arguments and p.default is not p.empty]
    return given, left if own else [], len(bound.args)


def not_inputs(given: Sequence[Given], defaults: Sequence[inspect.Parameter], to_do: str) -> list[NoInput]:
    """A note for each argument that is no input, and for each number that a parameter has by default.

    Args:
        given: the arguments.
        defaults: the parameters left to their defaults.
        to_do: "see" or "check", what can be done with the derivative of a parameter that is given.
    """
    notes = []
    for g in given:
        if not g.is_input():
            why = "it is annotated int" if g.whole else str(not_differentiable(g.value)).partition("; derivatives")[0]
            notes.append(NoInput(f"{g.name} is no input: {why}", "int" if g.whole else "else", name=g.name, why=why))
    for p in defaults:
        if type(p.default) in (int, float, complex) and p.annotation not in (int, "int"):
            give = f"{p.name}={p.default!r}"
            text = f"{p.name} is no input: it has its default; give {give} to {to_do} its derivative"
            notes.append(NoInput(text, "default", name=p.name, give=give))
    return notes


def is_layer(f: Any) -> bool:
    """Whether it is an object with forward and backward."""
    return not isinstance(f, type) and all(callable(getattr(f, name, None)) for name in ("forward", "backward"))

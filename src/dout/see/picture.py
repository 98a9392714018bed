"""`see`: a graph together with its derivatives, and the forms in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from ..backprop import collect, one, walk
from ..graph import Graph, Leaf, Node
from ..trace import TracedGraph, trace
from ..variable import Variable
from .text import text_of

#: The options of a description, and those of them that the forms read too.
OPTIONS = {"lang", "open", "formulas", "sizes", "paths", "layout"}
SHARED = {"lang", "formulas", "sizes", "paths"}


class Picture:
    """What `see` gives: a graph, the derivative along each edge and at each node.

    Attributes:
        graph: the graph with its values.
        edges: for (node, i), the derivative that flows from the node to its i-th input.
        totals: for each node, the derivative with respect to it: the sum of those along the edges that leave it.
        values: for each node, its value; missing where it is not known any more.
        numerical: whether derivatives are to be compared with numerical ones.
        call: the function, its arguments and its keywords, to be seen again with others; None if there was no call.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.numerical = False
        self.call: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None
        self.values = _values(graph)
        self.edges: dict[tuple[Node, int], Any] = {}
        self.totals: dict[Node, Any] = {}
        #: What the walk starts with: for each output, the derivative of the sum of all outputs with respect to it.
        self.start = {end: _ones(end, self.values) for end in graph.outputs if end is not None}
        start: dict[Node, Any] = {}
        for end in graph.outputs:
            if end is not None:
                start[end] = start[end] + self.start[end] if end in start else self.start[end]

        def watch(node: Node, i: int, d: Any) -> None:
            self.edges[node, i] = d

        everything = list(graph.nodes)
        self.totals = {n: d for n, d in walk(list(everything), start, everything, watch=watch).items() if d is not None}

    def describe(self, **options: Any) -> dict[str, Any]:
        """The picture as plain JSON: nodes, edges, values, derivatives, coordinates, folds and steps.

        Example:
            >>> described = see(lambda x: x * x, 3.0).describe()
            >>> [edge["derivative"]["t"] for edge in described["edges"]]
            ['3', '3']
        """
        from .describe import describe
        from .words import language

        return describe(self, **{**options, "lang": language(options.get("lang"))})

    def svg(self, **options: Any) -> str:
        """The picture as an SVG image."""
        from .svg import svg_of

        _hold_known(svg_of, options)
        description, rest = self._described(options)
        return svg_of(description, **rest)

    def html(self, **options: Any) -> str:
        """The picture as one HTML page that works offline: steps, sliders, opening and closing."""
        from .html import html_of

        _hold_known(html_of, options)
        description, rest = self._described(options)
        return html_of(description, **rest)

    def text(self, steps: bool = False, colour: bool = False, lang: str | None = None) -> str:
        """The graph as text: each operation with its value, each of its inputs with the value and the derivative.

        Args:
            steps: show the steps forward and backward, each in words and numbers.
            colour: colour it for a terminal.
            lang: "en" or "zh".
        """
        from .words import language

        lang = language(lang)
        if steps or colour or lang is not None:
            from .terminal import terminal_text

            return terminal_text(self, steps=steps, colour=colour, lang=lang)
        alarms = self.alarms(lang)
        return text_of(self.graph, self.values, self.edges, self.totals) + "".join(f"\n{line}" for line in alarms)

    def alarms(self, lang: str | None = None) -> list[str]:
        """What is wrong, in sentences: the first NaN or infinity on either way, derivatives unlike the numerical ones."""
        from .problems import problems_of
        from .words import say

        marks = {"numerical": "≠", "forward": "⚠", "backward": "⚠"}
        found = [problem for problem in problems_of(self) if problem["kind"] in marks]
        return ["", *(f"{marks[p['kind']]} {say(p['key'], lang, **p['values'])}" for p in found)] if found else []

    def save(self, path: Any, **options: Any) -> None:
        """Write the picture to a file: .svg, .png, .pdf, .html, .json or .txt, as the name ends."""
        from .export import save

        save(self, path, **options)

    def widget(self, **options: Any) -> Any:
        """The picture as a widget for notebooks, by anywidget."""
        from .widget import widget_of

        return widget_of(self, **options)

    def show(self, **options: Any) -> Any:
        """The picture as a notebook shows it, with the options of `svg`: `picture.show(open="all", formulas=True)`."""
        from .notebook import Shown

        return Shown(self, options)

    def compare(self, other: Picture) -> Any:
        """Two runs side by side, with their differences marked."""
        from .compare import Comparison

        return Comparison(self, other)

    def _described(self, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The description by those of the options that are about it, and the rest of them; `lang` is both."""
        own = {key: options.pop(key) for key in OPTIONS & options.keys()}
        return self.describe(**own), {**options, **{key: own[key] for key in SHARED & own.keys()}}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from .notebook import mimebundle_of

        return mimebundle_of(self)

    def _repr_html_(self) -> str:
        html: str = self._repr_mimebundle_()["text/html"]
        return html

    def __repr__(self) -> str:
        return self.text()


def _hold_known(drawing: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse an option that nobody would read."""
    known = [*sorted(OPTIONS), *(name for name in list(signature(drawing).parameters)[1:] if name not in OPTIONS)]
    for name in options:
        if name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, 1)
            meant = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise TypeError(f"there is no option {name!r}; {meant}")


def see(what: Any, *args: Any, numerical: bool = False, **kwargs: Any) -> Picture:
    """Look at a computation: every value and every derivative.

    Args:
        what: a function or a layer, run once on the arguments; or a graph from `trace`; or a Variable, with all that it
            was made from.
        *args: the function's arguments. Ints may stay ints here; an int for a parameter annotated int is no input.
        numerical: compare each derivative with the numerical one, and mark those that disagree.
        **kwargs: those given by keyword.

    Returns:
        a Picture. An output that is an array is walked back from with ones, as its sum would be.

    Example:
        >>> print(see(lambda apple, number, tax: apple * number * tax, 100, 2, 1.1).text())
        (1)  ×       200                 <- 1.1
             apple   100                 <- 2.2
             number  2                   <- 110.00000000000001
        (2)  ×       220.00000000000003  <- 1
             (1)     200                 <- 1.1
             tax     1.1                 <- 200
        <BLANKLINE>
        output  (2)     220.00000000000003
        inputs  apple   100                 <- 2.2
                number  2                   <- 110.00000000000001
                tax     1.1                 <- 200
    """
    picture = _seen(what, args, kwargs)
    picture.numerical = numerical
    return picture


def _seen(what: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Picture:
    if isinstance(what, Graph):
        return Picture(what)
    if isinstance(what, Variable):
        if what._node is None:
            raise ValueError("see(variable): this Variable does not depend on any Variable made by Variable(...)")
        nodes, _ = collect([what._node], 0)
        leaves = [n for n in nodes if isinstance(n, Leaf)]
        return Picture(TracedGraph(nodes, leaves, [what._node], [("", what._value)], title=what.name or ""))
    picture = Picture(trace(what, *args, **kwargs))
    picture.call = (what, args, kwargs)
    return picture


def _values(graph: Graph) -> dict[Node, Any]:
    """Each node's value: as traced, or computed again from what was kept."""
    values: dict[Node, Any] = {}
    for node in graph.nodes:
        if hasattr(node, "value"):
            values[node] = node.value
        elif node.op is not None:
            inputs = [a if p is None else values.get(p) for a, p in zip(node.args, node.parents, strict=True)]
            if node.out is not None:
                values[node] = node.out
            elif not any(v is None for v in inputs):
                values[node] = node.op.forward(*inputs, **node.params)
    return values


def _ones(end: Node, values: dict[Node, Any]) -> Any:
    value = values.get(end, 1.0 if end.shape == () else None)
    if isinstance(value, np.generic):  # np.float64 too, which is a float: 1 / np.float64(0) is infinite, 1 / 0.0 raises
        return one(value)
    if isinstance(value, int | float):
        return 1  # an int, so that the derivatives of ints stay ints, as they do by hand
    return np.ones(end.shape, end.dtype)

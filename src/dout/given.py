"""The arguments of a call of a recorded function, taken apart: numbers and arrays, and the form that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .graph import Leaf, Node
from .recording import Handle
from .tree import parts

#: Types whose values are part of the form.
SIMPLE = (str, bytes, bool, type(None), np.dtype, type(Ellipsis))
#: Kinds of numbers, by NumPy's letters.
NUMBERS = "fciub"


class Given:
    """The arguments of a call, taken apart.

    Attributes:
        leaves: the numbers and arrays; of Variables, the values.
        handles: the Variables, by the places of their values among the leaves.
        form: what a recording is specialised on.
        statics: everything else.
        foreign: whether a Variable is a constant, or belongs to a run that looks at each operation.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], static: tuple[int, ...]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.leaves: list[Any] = []
        self.handles: dict[int, Handle] = {}
        self.statics: list[Any] = []
        self.foreign = False
        self._rebuilds: list[Callable[[Iterator[Any]], Any]] = []
        n = len(args)
        self.fixed = {i % n for i in static if -n <= i < n} if static else set()
        form = [self._enter(a, i in self.fixed) for i, a in enumerate(args)]
        form += [(k, self._enter(v, False)) for k, v in kwargs.items()]
        self.form = tuple(form)

    def _enter(self, value: Any, fixed: bool) -> Any:
        if fixed:
            self._rebuilds.append(lambda values: value)
            return self._fixed(value)
        form, rebuild = self._taken(value)
        self._rebuilds.append(rebuild)
        return form

    def _taken(self, value: Any) -> tuple[Any, Callable[[Iterator[Any]], Any]]:
        if isinstance(value, Handle):
            return self._variable(value), next
        form = form_of(value)
        if form is not None:
            self.leaves.append(value)
            return form, next
        found = None if isinstance(value, SIMPLE) else parts(value)
        if found is None:
            return self._fixed(value), lambda values: value
        children, remake = found
        forms, rebuilds = [], []
        for child in children:
            form, rebuild = self._taken(child)
            forms.append(form)
            rebuilds.append(rebuild)
        keys = tuple(value) if isinstance(value, dict) else ()
        return (type(value), keys, tuple(forms)), lambda values: remake([r(values) for r in rebuilds])

    def _variable(self, handle: Handle) -> Any:
        value, node = handle._value, handle._node
        self.handles[len(self.leaves)] = handle
        self.foreign = self.foreign or type(node) not in (Node, Leaf)
        self.leaves.append(value)
        return Handle, form_of(value)

    def _fixed(self, value: Any) -> Any:
        if isinstance(value, SIMPLE):
            return type(value), value
        if type(value) in (int, float, complex):
            return type(value), repr(value)
        self.statics.append(value)
        if type(value) is tuple:
            return tuple, tuple([self._fixed(v) for v in value])
        return type(value), id(value)

    def is_flat(self) -> bool:
        """Whether the arguments are the leaves, by position."""
        return not self.kwargs and not self.statics and len(self.leaves) == len(self.args) == len(self.form)

    def positional(self, leaves: Sequence[Any]) -> list[Any]:
        """The positional arguments, with these leaves."""
        return self._rebuilt(leaves)[: len(self.args)]

    def keywords(self, leaves: Sequence[Any]) -> dict[str, Any]:
        """The others."""
        return dict(zip(self.kwargs, self._rebuilt(leaves)[len(self.args) :], strict=True))

    def _rebuilt(self, leaves: Sequence[Any]) -> list[Any]:
        remaining = iter(leaves)
        return [rebuild(remaining) for rebuild in self._rebuilds]


def form_of(value: Any) -> Any:
    """What a recording is specialised on of a number or an array; None for anything else."""
    kind = type(value)
    if kind is float or kind is int or kind is complex:
        return kind
    if kind is np.ndarray:
        if value.dtype.kind in NUMBERS:
            return value.dtype.str, value.shape, value.flags.c_contiguous or value.strides
    elif isinstance(value, np.generic) and value.dtype.kind in NUMBERS:
        return kind
    return None

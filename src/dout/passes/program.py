"""A program: a flat list of values, each made by one operation from earlier ones, with shapes and dtypes.

It is the graph of a run that was recorded whole, without the values. `lower` makes it of the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..graph import IDENTITY, NO_PARAMS, PICK, Custom, Node, Primitive


class Value:
    """One value of a program.

    Attributes:
        op: what makes it; None for an input or a constant.
        args: the numbers of the values it is made from.
        params: what else the operation is given.
        shape: of an operation with several outputs, a list of shapes.
        dtype: NumPy's, or a Python number's type.
        input: which of the inputs it is, or None.
        constant: the value of a constant.
        captured: whether that is an array that the function holds, which is read at each call.
        array: whether it is an array, also where it has no axes.
    """

    __slots__ = ("args", "array", "captured", "constant", "dtype", "input", "op", "params", "shape")

    def __init__(
        self,
        op: Primitive | None,
        args: tuple[int, ...],
        params: Mapping[str, Any],
        shape: Any,
        dtype: Any,
        *,
        input: int | None = None,
        constant: Any = None,
        captured: bool = False,
        array: bool = False,
    ) -> None:
        self.array = array or isinstance(constant, np.ndarray) or bool(shape)
        self.op = op
        self.args = args
        self.params = params
        self.shape = shape
        self.dtype = dtype
        self.input = input
        self.constant = constant
        self.captured = captured

    def is_constant(self) -> bool:
        """Whether it is a constant."""
        return self.op is None and self.input is None


class Check(NamedTuple):
    """A value of the program that has to be what it was when the run was recorded."""

    value: int
    expected: Any
    what: str


class Program:
    """A flat list of values.

    Attributes:
        values: in an order in which they can be computed.
        outputs: the numbers of the results.
        checks: what has to hold, in the order in which Python looked.
        n_inputs: how many inputs there are.
    """

    def __init__(self, values: list[Value], outputs: list[int], checks: list[Check], n_inputs: int) -> None:
        self.values = values
        self.outputs = outputs
        self.checks = checks
        self.n_inputs = n_inputs

    def __len__(self) -> int:
        return len(self.values)

    def verify(self) -> Program:
        """Hold what every program keeps; returns itself.

        Raises:
            ValueError: naming the value that breaks it.
        """
        for i, value in enumerate(self.values):
            if any(not 0 <= a < i for a in value.args):
                raise ValueError(f"%{i} is made from {value.args}, which don't all come before it")
            if value.op is None and value.args:
                raise ValueError(f"%{i} has no operation, and yet is made from {value.args}")
            if value.input is not None and not 0 <= value.input < self.n_inputs:
                raise ValueError(f"%{i} is input {value.input} of {self.n_inputs}")
            if value.is_constant() and np.shape(value.constant) != value.shape:
                raise ValueError(f"%{i} says shape {value.shape}, the constant has {np.shape(value.constant)}")
            if value.op is not None and value.op.elementwise:
                shape = np.broadcast_shapes(*[self.values[a].shape for a in value.args])
                if shape != value.shape:
                    raise ValueError(f"%{i} says shape {value.shape}, its inputs broadcast to {shape}")
        for i in [*self.outputs, *[c.value for c in self.checks]]:
            if not 0 <= i < len(self.values):
                raise ValueError(f"the result %{i} is not in the program")
        return self

    def __str__(self) -> str:
        lines = []
        checks: dict[int, list[Check]] = {}
        for check in self.checks:
            checks.setdefault(check.value, []).append(check)
        for i, value in enumerate(self.values):
            lines.append(f"%{i} = {self._made(value)}  {described(value)}")
            lines += [f"  check {c.what}(%{i}) == {brief(c.expected)}" for c in checks.get(i, ())]
        return "\n".join([*lines, "return " + ", ".join(f"%{i}" for i in self.outputs)])

    def _made(self, value: Value) -> str:
        if value.input is not None:
            return f"input {value.input}"
        if value.op is None:
            return f"{'captured' if value.captured else 'constant'} {brief(value.constant)}"
        given = [f"%{a}" for a in value.args]
        given += [f"{k}={brief(v)}" for k, v in value.params.items() if k not in ("rebuild", "places")]
        return f"{value.op.name}({', '.join(given)})"


def described(value: Value) -> str:
    """A value's dtype and shape, as in `float64[3, 2]`."""
    name = getattr(value.dtype, "name", None) or value.dtype.__name__
    return f"{name}[{', '.join(map(str, value.shape))}]" if value.shape else name


def brief(value: Any) -> str:
    """A value in a few characters."""
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"<{value.dtype}{list(value.shape)}>"
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return " ".join(repr(value).split())


def lower(
    inputs: Sequence[Node],
    outputs: Sequence[Any],
    guards: Iterable[tuple[Node, Any, str]],
    constant: Callable[[Any], Any],
    captured: Mapping[int, Any],
) -> Program:
    """The program of a recorded run.

    Args:
        inputs: the nodes of the inputs.
        outputs: the node of each result, or for a result that is no node a constant in a tuple of one.
        guards: nodes whose values Python looked at, with those.
        constant: makes of a plain value what the program keeps.
        captured: the arrays that the function holds, by id.
    """
    building = _Building(inputs, constant, captured)
    guards = list(guards)
    ends = [o for o in outputs if not isinstance(o, tuple)]
    for node in _in_order([*inputs, *ends, *[g[0] for g in guards]]):
        building.enter(node)
    checks = [Check(building.number(node), value, what) for node, value, what in guards]
    results = [building.constant(o[0]) if isinstance(o, tuple) else building.number(o) for o in outputs]
    return Program(building.values, results, checks, len(inputs))


def _in_order(ends: Sequence[Node]) -> list[Node]:
    seen = dict.fromkeys(ends)
    stack = list(seen)
    for node in stack:  # it grows while we go along
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen[parent] = None
                stack.append(parent)
    return sorted(stack, key=lambda node: node.serial)


class _Building:
    def __init__(self, inputs: Sequence[Node], constant: Callable[[Any], Any], captured: Mapping[int, Any]) -> None:
        self.values: list[Value] = []
        self.numbers: dict[Node, Any] = {}
        self._constants: dict[Any, int] = {}
        self._keep = constant
        self._captured = captured
        for i, node in enumerate(inputs):
            array = isinstance(node.value, np.ndarray)  # type: ignore[attr-defined]
            self.numbers[node] = self._add(Value(None, (), NO_PARAMS, node.shape, node.dtype, input=i, array=array))

    def _add(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def number(self, node: Node) -> int:
        found: int = self.numbers[node]
        return found

    def constant(self, value: Any) -> int:
        """The number of a constant; equal numbers of one type are one."""
        key: Any = (type(value), repr(value)) if not isinstance(value, np.ndarray) else id(value)
        found = self._constants.get(key)
        if found is None:
            held = id(value) in self._captured
            kept = self._keep(value)
            dtype = kept.dtype if isinstance(kept, np.ndarray | np.generic) else type(kept)
            new = Value(None, (), NO_PARAMS, np.shape(kept), dtype, constant=kept, captured=held)
            found = self._constants[key] = self._add(new)
        return found

    def enter(self, node: Node) -> None:
        """Enter a node whose parents are entered."""
        if node in self.numbers:
            return
        op = node.op
        if op is None:
            self.numbers[node] = self.constant(node.value)  # type: ignore[attr-defined]
            return
        given = getattr(node, "given", (None,) * len(node.parents))
        if isinstance(op, Custom):
            ends = [self._input(p, g) for p, g in zip(node.parents[op.n :], given[op.n :], strict=True)]
            self.numbers[node] = tuple(ends) if op.several else ends[0]
            return
        if op is IDENTITY or op.name == "stop":
            self.numbers[node] = self._input(node.parents[0], given[0])
            return
        if op is PICK and isinstance(self.numbers.get(node.parents[0]), tuple):  # type: ignore[arg-type]
            self.numbers[node] = self.numbers[node.parents[0]][node.params["i"]]  # type: ignore[index]
            return
        args = tuple([self._input(p, g) for p, g in zip(node.parents, given, strict=True)])
        array = getattr(node, "array", False)
        self.numbers[node] = self._add(Value(op, args, node.params, node.shape, node.dtype, array=array))

    def _input(self, parent: Node | None, given: Any) -> Any:
        return self.constant(given) if parent is None else self.numbers[parent]

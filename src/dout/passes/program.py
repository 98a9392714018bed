"""A program: a flat list of values, each made by one operation from earlier ones, with shapes and dtypes.

It is the graph of a run that was recorded whole, without the values. `building.py` makes it while the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..graph import Primitive


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
        input: int | None = None,
        constant: Any = None,
        captured: bool = False,
        array: bool = False,
    ) -> None:
        self.op = op
        self.args = args
        self.params = params
        self.shape = shape
        self.dtype = dtype
        self.input = input
        self.constant = constant
        self.captured = captured
        self.array = array or bool(shape) or isinstance(constant, np.ndarray)

    def is_constant(self) -> bool:
        """Whether it is a constant."""
        return self.op is None and self.input is None

    def is_fixed(self) -> bool:
        """Whether it is a constant that stays what it is."""
        return self.op is None and self.input is None and not self.captured


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
        values = self.values
        for i, value in enumerate(values):
            args = value.args
            if args and not (min(args) >= 0 and max(args) < i):
                raise ValueError(f"%{i} is made from {value.args}, which don't all come before it")
            if value.op is None:
                if args:
                    raise ValueError(f"%{i} has no operation, and yet is made from {args}")
                if value.input is not None and not 0 <= value.input < self.n_inputs:
                    raise ValueError(f"%{i} is input {value.input} of {self.n_inputs}")
                if value.input is None and np.shape(value.constant) != value.shape:
                    raise ValueError(f"%{i} says shape {value.shape}, the constant has {np.shape(value.constant)}")
            elif value.op.elementwise:
                shape = value.shape
                if any([values[a].shape != shape for a in args]):
                    shape = np.broadcast_shapes(*[values[a].shape for a in args])
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
            body = getattr(value.params.get("loop"), "body", None)
            lines += [] if body is None else [f"    {line}" for line in str(body).splitlines()]
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
    if type(value) in (tuple, list) and any(isinstance(v, np.ndarray) for v in value):
        return "(" + ", ".join(map(brief, value)) + ")"
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return " ".join(repr(value).split())

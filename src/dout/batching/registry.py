"""The table of batching rules, and the words with which the other files of this room fill it.

A rule says how an operation on one example is done to all of them at once. The batch is the first axis of every value that has
one. Rules are plain NumPy code and other primitives, so that derivatives through them, and recordings of them, need no code of
their own. An operation without a rule is done to one example after another (`running.py`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy

from ..graph import Primitive, ndim_of, shape_of

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too


class Operand(NamedTuple):
    """An input of an operation.

    Attributes:
        value: an array, number or Variable.
        batched: whether its first axis is that of the batch; otherwise it is the same for all examples.
    """

    value: Any
    batched: bool

    @property
    def ndim(self) -> int:
        """How many axes one example has."""
        return ndim_of(self.value) - self.batched

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return shape_of(self.value)[1:] if self.batched else shape_of(self.value)

    def lined(self, ndim: int) -> Any:
        """The value with axes of length 1 before those of an example, so that it broadcasts with one of ndim axes."""
        missing = ndim - self.ndim
        if not self.batched or missing <= 0:
            return self.value
        n, *rest = shape_of(self.value)
        return np.reshape(self.value, (n, *(1,) * missing, *rest))

    def spread(self, n: int) -> Any:
        """The value with a batch axis."""
        return self.value if self.batched else np.broadcast_to(self.value, (n, *shape_of(self.value)))


class Batch(NamedTuple):
    """What a rule is told besides the inputs: how many examples there are, and the output's shape for one."""

    n: int
    shape: Any


class NoRule(Exception):
    """Raised by a rule for a case that it doesn't know: the operation is done to one example after another."""


#: `rule(op, batch, params, *operands)` gives the value for the batch, whose first axis is the batch's.
Rule = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])
RULES: dict[Primitive, Rule] = {}
#: For operations on one input: the parameters that do the same to a batch. Views are written through by these.
PARAMS: dict[Primitive, Callable[[int, Mapping[str, Any]], dict[str, Any]]] = {}
#: For functions that no derivative passes through: `rule(batch, *args, **kwargs)`, with operands among the arguments.
CALLS: dict[Callable[..., Any], Callable[..., Any]] = {}
#: Functions of that kind that are elementwise in all their array arguments.
ELEMENTWISE: set[Callable[..., Any]] = {
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.and_, operator.or_,
    operator.xor, operator.lshift, operator.rshift, operator.floordiv, operator.invert,
    np.where, np.isclose, np.clip, np.round, np.around, np.sign, np.nan_to_num, np.isneginf, np.isposinf, np.isreal,
    np.iscomplex, np.fix, np.real, np.imag, np.copy, np.float64, np.float32, np.divmod, np.modf, np.frexp, np.i0, np.sinc,
}  # fmt: skip
#: Primitives that are done to one example after another, each for a reason.
ONE_BY_ONE: dict[str, str] = {}


def batching(*ops: Primitive) -> Callable[[F], F]:
    """Enter the rule of these primitives."""

    def enter(rule: F) -> F:
        for op in ops:
            RULES[op] = rule
        return rule

    return enter


def batching_call(function: Callable[..., Any]) -> Callable[[F], F]:
    """Enter the rule of a function that no derivative passes through."""

    def enter(rule: F) -> F:
        CALLS[function] = rule
        return rule

    return enter


def with_params(op: Primitive, change: Callable[[int, Mapping[str, Any]], dict[str, Any]]) -> None:
    """Enter the rule of an operation on one input, that is the same operation with other parameters."""
    PARAMS[op] = change
    RULES[op] = lambda op, batch, params, x: op(x.value, **change(batch.n, params))


def one_by_one(why: str, *names: str) -> None:
    """Declare that primitives of these names have no rule."""
    ONE_BY_ONE.update(dict.fromkeys(names, why))


def elementwise(op: Callable[..., Any], batch: Batch, params: Mapping[str, Any], *operands: Operand) -> Any:
    """An elementwise operation on operands that are lined up."""
    return op(*[x.lined(len(batch.shape)) for x in operands], **params)

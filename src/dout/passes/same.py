"""Rules by which a new value is the same as an earlier one: times 1, minus 0, a transpose undone.

Only what is exact is done: signs of zeros, NaN and infinities stay. A rule is asked for a value whose inputs are as short
as they get, and gives the number of an earlier value, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .program import Value

_Rule = Callable[[Sequence[Value], Value], int | None]
#: Rules for values of which an input is a constant, by the name of the operation.
WITH_CONSTANT: dict[str, _Rule] = {}
#: Rules that look at the form of a value, or at what made its input.
BY_FORM: dict[str, _Rule] = {}


def same_as(values: Sequence[Value], value: Value, rule: _Rule) -> int | None:
    """The number of a value that is the same by a rule, and of the same form, if there is one."""
    found = rule(values, value)
    if found is None:
        return None
    other = values[found]
    alike = other.shape == value.shape and type(other.dtype) is type(value.dtype) and other.dtype == value.dtype
    return found if alike and other.array == value.array else None


def _rule(table: dict[str, _Rule], *names: str) -> Callable[[_Rule], _Rule]:
    def enter(rule: _Rule) -> _Rule:
        for name in names:
            table[name] = rule
        return rule

    return enter


def _is_number(value: Value, number: float) -> bool:
    """Whether it is a constant number, alone or all over an array."""
    if not value.is_fixed():
        return False
    constant: Any = value.constant
    if isinstance(constant, np.ndarray):
        return constant.dtype.kind in "fiu" and 0 < constant.size <= 4096 and bool(np.all(constant == number))
    return isinstance(constant, int | float | np.floating | np.integer) and bool(constant == number)


@_rule(WITH_CONSTANT, "multiply")
def _times_one(values: Sequence[Value], value: Value) -> int | None:
    x, y = value.args
    if _is_number(values[y], 1):
        return x
    return y if _is_number(values[x], 1) else None


@_rule(WITH_CONSTANT, "divide", "power", "float_power")
def _with_one(values: Sequence[Value], value: Value) -> int | None:
    x, y = value.args
    return x if _is_number(values[y], 1) else None


@_rule(WITH_CONSTANT, "subtract")
def _minus_zero(values: Sequence[Value], value: Value) -> int | None:
    x, y = value.args
    constant = values[y].constant
    return x if _is_number(values[y], 0) and not np.any(np.signbit(constant)) else None  # -0.0 - 0.0 is -0.0


@_rule(BY_FORM, "positive")
def _positive(values: Sequence[Value], value: Value) -> int | None:
    return value.args[0] if not value.shape else None  # of an array it is a copy, which may be written to


@_rule(BY_FORM, "negative")
def _twice_negative(values: Sequence[Value], value: Value) -> int | None:
    inner = values[value.args[0]]
    return inner.args[0] if inner.op is not None and inner.op.name == "negative" else None


@_rule(BY_FORM, "transpose")
def _straight(values: Sequence[Value], value: Value) -> int | None:
    axes = tuple(value.params["axes"])
    x = value.args[0]
    if axes == tuple(range(len(axes))):
        return x
    inner = values[x]
    if inner.op is not None and inner.op.name == "transpose":
        before = tuple(inner.params["axes"])
        if tuple([before[i] for i in axes]) == tuple(range(len(axes))):
            return inner.args[0]
    return None


@_rule(BY_FORM, "reshape", "broadcast_to", "astype")
def _same_form(values: Sequence[Value], value: Value) -> int | None:
    return value.args[0]


@_rule(BY_FORM, "as_kind")
def _kind_kept(values: Sequence[Value], value: Value) -> int | None:
    inner = values[value.args[0]]
    return value.args[0] if isinstance(value.dtype, type) and inner.dtype is value.dtype else None


@_rule(BY_FORM, "getitem")
def _all_of_it(values: Sequence[Value], value: Value) -> int | None:
    key = value.params["key"]
    parts = key if isinstance(key, tuple) else (key,)
    return value.args[0] if all(p is Ellipsis or (isinstance(p, slice) and p == slice(None)) for p in parts) else None

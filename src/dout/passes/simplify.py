"""Smaller programs that mean the same: constants folded, equal values made once, what nobody asks for dropped.

Only what is exact is done: a value never changes by more than a rounding, and signs of zeros, NaN and infinities stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..graph import NO_PARAMS, Primitive
from .program import Check, Program, Value

#: Constants larger than this are not computed beforehand.
_LARGE = 1 << 16
#: Operations that depend on more than their inputs, or that give what may be written to.
_NOT_FOLDED = {"call"}


def simplified(program: Program) -> Program:
    """Every pass, verified after each, until nothing changes (at most four rounds)."""
    for _ in range(4):
        before = len(program)
        for run in (shortened, shared, pruned):
            program = run(program).verify()
        if len(program) == before:
            break
    return program


class _Rewriting:
    """A new program, value by value: each old number stands for a new one."""

    def __init__(self, program: Program) -> None:
        self.old = program
        self.values: list[Value] = []
        self.numbers: list[int] = []

    def add(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def finish(self) -> Program:
        old = self.old
        checks = [Check(self.numbers[c.value], c.expected, c.what) for c in old.checks]
        return Program(self.values, [self.numbers[i] for i in old.outputs], checks, old.n_inputs)


def _moved(value: Value, args: tuple[int, ...]) -> Value:
    """The same value, made from others."""
    return Value(
        value.op, args, value.params, value.shape, value.dtype,
        input=value.input, constant=value.constant, captured=value.captured, array=value.array,
    )  # fmt: skip


def pruned(program: Program) -> Program:
    """Without what neither a result nor a check needs. Inputs stay."""
    wanted = {*program.outputs, *[c.value for c in program.checks]}
    for i in range(len(program.values) - 1, -1, -1):
        if i in wanted:
            wanted.update(program.values[i].args)
    new = _Rewriting(program)
    for i, value in enumerate(program.values):
        if i in wanted or value.input is not None:
            new.numbers.append(new.add(_moved(value, tuple([new.numbers[a] for a in value.args]))))
        else:
            new.numbers.append(-1)
    return new.finish()


def shared(program: Program) -> Program:
    """Values made by the same operation from the same values are one."""
    new = _Rewriting(program)
    known: dict[Any, int] = {}
    for value in program.values:
        args = tuple([new.numbers[a] for a in value.args])
        key: Any = None
        if value.op is not None:
            params = _hashable(value.params)
            key = None if params is None else (value.op, args, params, str(value.dtype), str(value.shape))
        elif value.is_constant() and not value.captured:
            key = _constant_key(value.constant)
        found = None if key is None else known.get(key)
        if found is None:
            found = new.add(_moved(value, args))
            if key is not None:
                known[key] = found
        new.numbers.append(found)
    return new.finish()


def _constant_key(constant: Any) -> Any:
    if isinstance(constant, np.ndarray):
        return (
            (constant.dtype.str, constant.shape, constant.strides, constant.tobytes()) if constant.size < 64 else None
        )
    return type(constant), repr(constant)


def _hashable(params: Mapping[str, Any]) -> Any:
    """Parameters as a key; None where they can't be one."""
    if not params:
        return ()
    try:
        return tuple((k, _frozen(v)) for k, v in params.items())
    except TypeError:
        return None


def _frozen(value: Any) -> Any:
    if isinstance(value, slice):
        return slice, _frozen(value.start), _frozen(value.stop), _frozen(value.step)
    if isinstance(value, np.ndarray):
        if value.size > 4096:
            raise TypeError
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple | list):
        return type(value), tuple([_frozen(v) for v in value])
    if isinstance(value, dict):
        return dict, tuple([(k, _frozen(v)) for k, v in value.items()])
    hash(value)
    return type(value), value


def shortened(program: Program) -> Program:
    """Each value by the rules below, and computed beforehand where everything it is made from is known."""
    new = _Rewriting(program)
    for value in program.values:
        args = tuple([new.numbers[a] for a in value.args])
        moved = _moved(value, args)
        found = None if value.op is None else _same_as(new.values, moved)
        if found is None:
            found = new.add(_folded(new.values, moved) if value.op is not None else moved)
        new.numbers.append(found)
    return new.finish()


def _folded(values: list[Value], value: Value) -> Value:
    """A value computed from constants, as a constant."""
    given = [values[a] for a in value.args]
    op = value.op
    assert op is not None
    if not given or op.name in _NOT_FOLDED or isinstance(value.shape, list) or not all(_is_fixed(g) for g in given):
        return value
    try:
        with np.errstate(all="ignore"):
            found = op.forward(*[g.constant for g in given], **value.params)
    except Exception:  # it will fail at the call too, or not be reached
        return value
    if isinstance(found, np.ndarray):
        if found.nbytes > _LARGE:
            return value
        found = np.array(found)
    dtype = found.dtype if isinstance(found, np.ndarray | np.generic) else type(found)
    if np.shape(found) != value.shape or dtype != value.dtype or isinstance(found, np.ndarray) != value.array:
        return value
    return Value(None, (), NO_PARAMS, value.shape, value.dtype, constant=found)


def _is_fixed(value: Value) -> bool:
    return value.is_constant() and not value.captured


# Rules: which earlier value a value is the same as

_Rule = Callable[[list[Value], Value], int | None]
_RULES: dict[str, _Rule] = {}


def _rule(*names: str) -> Callable[[_Rule], _Rule]:
    def enter(rule: _Rule) -> _Rule:
        for name in names:
            _RULES[name] = rule
        return rule

    return enter


def _same_as(values: list[Value], value: Value) -> int | None:
    """The number of a value that is the same and of the same form, if there is one."""
    op: Primitive | None = value.op
    rule = _RULES.get(op.name) if op is not None and isinstance(value.shape, tuple) else None
    if rule is None:
        return None
    found = rule(values, value)
    if found is None:
        return None
    other = values[found]
    alike = other.shape == value.shape and type(other.dtype) is type(value.dtype) and other.dtype == value.dtype
    return found if alike and other.array == value.array else None


def _is_number(value: Value, number: float) -> bool:
    """Whether it is a constant number, alone or all over an array."""
    if not _is_fixed(value):
        return False
    constant = value.constant
    if isinstance(constant, np.ndarray):
        return constant.dtype.kind in "fiu" and 0 < constant.size <= 4096 and bool(np.all(constant == number))
    return isinstance(constant, int | float | np.floating | np.integer) and constant == number


@_rule("multiply")
def _times_one(values: list[Value], value: Value) -> int | None:
    x, y = value.args
    if _is_number(values[y], 1):
        return x
    return y if _is_number(values[x], 1) else None


@_rule("divide")
def _over_one(values: list[Value], value: Value) -> int | None:
    x, y = value.args
    return x if _is_number(values[y], 1) else None


@_rule("subtract")
def _minus_zero(values: list[Value], value: Value) -> int | None:
    x, y = value.args
    constant = values[y].constant
    return x if _is_number(values[y], 0) and not np.any(np.signbit(constant)) else None  # -0.0 - 0.0 is -0.0


@_rule("power", "float_power")
def _power_one(values: list[Value], value: Value) -> int | None:
    x, y = value.args
    return x if _is_number(values[y], 1) else None


@_rule("positive")
def _positive(values: list[Value], value: Value) -> int | None:
    return value.args[0] if not value.shape else None  # of an array it is a copy, which may be written to


@_rule("negative")
def _twice_negative(values: list[Value], value: Value) -> int | None:
    inner = values[value.args[0]]
    return inner.args[0] if inner.op is not None and inner.op.name == "negative" else None


@_rule("transpose")
def _straight(values: list[Value], value: Value) -> int | None:
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


@_rule("reshape", "broadcast_to", "as_kind", "astype")
def _same_form(values: list[Value], value: Value) -> int | None:
    return value.args[0] if value.op is not None and value.op.name != "as_kind" else _kind_kept(values, value)


def _kind_kept(values: list[Value], value: Value) -> int | None:
    inner = values[value.args[0]]
    return value.args[0] if isinstance(value.dtype, type) and inner.dtype is value.dtype else None


@_rule("getitem")
def _all_of_it(values: list[Value], value: Value) -> int | None:
    key = value.params["key"]
    parts = key if isinstance(key, tuple) else (key,)
    return value.args[0] if all(p is Ellipsis or (isinstance(p, slice) and p == slice(None)) for p in parts) else None

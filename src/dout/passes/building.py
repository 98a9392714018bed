"""A program as it grows, value by value, and is as short as it gets at each of them.

A value that an earlier one equals is that one: made by the same operation from the same values, or the same by a rule
(`same.py`). What is made of constants alone is computed at once. Only what is exact is done: a value never changes by
more than a rounding, and signs of zeros, NaN and infinities stay.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..graph import NO_PARAMS, Primitive, form
from ..guards import fingerprint
from .program import Check, Program, Value
from .same import BY_FORM, WITH_CONSTANT, same_as

#: Constants larger than this are not computed beforehand.
_LARGE = 1 << 16
#: Constants up to so many bytes are told apart by their contents themselves, larger ones by a fingerprint first.
_SMALL = 1 << 9
#: Operations that depend on more than their inputs, or that give what may be written to.
_NOT_FOLDED = {"call"}
_new = object.__new__


class Building:
    """A program that is being made.

    Attributes:
        values: those so far.
        known: for operations without parameters, the value that `(operation, *inputs)` makes. Who is in a hurry looks
            there first.
    """

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.known: dict[Any, int] = {}
        self._constants: dict[Any, int] = {}
        self._fixed: set[int] = set()
        self._n_inputs = 0

    def input(self, i: int, shape: Any, dtype: Any, array: bool) -> int:
        """The number of the input that is given at place `i`."""
        self._n_inputs = max(self._n_inputs, i + 1)
        return self._append(Value(None, (), NO_PARAMS, shape, dtype, input=i, array=array))

    def add(
        self, op: Primitive, args: tuple[int, ...], params: Mapping[str, Any], shape: Any, dtype: Any, array: bool
    ) -> int:
        """The number of the value that an operation makes of others."""
        key: Any = (op, *args)
        if params:
            more = _hashable(params)
            key = None if more is None else (*key, more)
        if key is not None:
            found = self.known.get(key)
            if found is not None:
                return found
        return self._entered(key, Value(op, args, params, shape, dtype, None, None, False, array))

    def add_number(self, op: Primitive, args: tuple[int, ...], key: Any, out: Any) -> int:
        """`add` for an elementwise operation that gave a number and is not known by its key, in a hurry."""
        values = self.values
        if type(out) is float:
            value = _new(Value)  # by hand, which takes half the time of a call
            value.op = op
            value.args = args
            value.params = NO_PARAMS
            value.shape = ()
            value.dtype = float
            value.input = value.constant = None
            value.captured = value.array = False
        else:
            value = Value(op, args, NO_PARAMS, *form(out), array=type(out) is np.ndarray)
        if op.name in BY_FORM or not self._fixed.isdisjoint(args):
            return self._entered(key, value)
        self.known[key] = found = len(values)
        values.append(value)
        return found

    def _entered(self, key: Any, value: Value) -> int:
        """The number of a value that is not known by its key, or that has none."""
        found = None if type(value.shape) is list else self._shorter(value)
        if found is None:
            found = len(self.values)
            self.values.append(value)
        if key is not None:
            self.known[key] = found
        return found

    def constant(self, constant: Any, captured: bool = False) -> int:
        """The number of a constant; equal ones of one type are one.

        Args:
            constant: a number, or an array that nobody writes to.
            captured: it is an array that the function holds, which is read at each call, and may be written to.
        """
        array = isinstance(constant, np.ndarray)
        key = id(constant) if captured else _constant_key(constant)  # the values keep it, and so its id
        found = self._constants.get(key)
        if found is not None and (not array or captured or _equal(self.values[found].constant, constant)):
            return found
        dtype = constant.dtype if array or isinstance(constant, np.generic) else type(constant)
        value = Value(None, (), NO_PARAMS, np.shape(constant), dtype, constant=constant, captured=captured)
        found = self._constants[key] = self._append(value)
        if not captured:
            self._fixed.add(found)
        return found

    def finish(self, outputs: list[int], checks: Iterable[Check]) -> Program:
        """The program, without what neither a result nor a check needs. Inputs stay. Nothing can be added any more."""
        kept = [c for c in checks if c.value not in self._fixed]
        self.known.clear()
        self._constants.clear()
        return _renumbered(Program(self.values, outputs, kept, self._n_inputs))

    def _append(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def _shorter(self, value: Value) -> int | None:
        """The number of a value that stands for this one, if there is one."""
        args = value.args
        op: Any = value.op
        rule = BY_FORM.get(op.name)
        if rule is not None:
            found = same_as(self.values, value, rule)
            if found is not None:
                return found
        fixed = self._fixed
        if fixed.isdisjoint(args):
            return None
        rule = WITH_CONSTANT.get(op.name)
        if rule is not None:
            found = same_as(self.values, value, rule)
            if found is not None:
                return found
        return self._folded(value) if fixed.issuperset(args) and op.name not in _NOT_FOLDED else None

    def _folded(self, value: Value) -> int | None:
        """A value computed from constants, as a constant."""
        assert value.op is not None
        try:
            with np.errstate(all="ignore"):
                found = value.op.forward(*[self.values[a].constant for a in value.args], **value.params)
        except Exception:  # it will fail at the call too, or not be reached
            return None
        if isinstance(found, np.ndarray):
            if found.nbytes > _LARGE:
                return None
            found = np.array(found)
        dtype = found.dtype if isinstance(found, np.ndarray | np.generic) else type(found)
        alike = type(dtype) is type(value.dtype) and dtype == value.dtype and np.shape(found) == value.shape
        if not alike or isinstance(found, np.ndarray) != value.array:
            return None
        return self.constant(found)


def pruned(program: Program) -> Program:
    """Without what neither a result nor a check needs. Inputs stay."""
    values = [copy.copy(value) for value in program.values]
    return _renumbered(Program(values, program.outputs, program.checks, program.n_inputs))


def _renumbered(program: Program) -> Program:
    """`pruned`, of values that nobody else holds."""
    values = program.values
    wanted = bytearray(len(values))
    for i in program.outputs:
        wanted[i] = 1
    for check in program.checks:
        wanted[check.value] = 1
    for i in range(len(values) - 1, -1, -1):
        if wanted[i]:
            for a in values[i].args:
                wanted[a] = 1
        elif values[i].input is not None:
            wanted[i] = 1
    if 0 not in wanted:
        return program
    numbers = list(itertools.accumulate(wanted, initial=0))
    kept = list(itertools.compress(values, wanted))
    for value in kept:
        args = value.args
        if len(args) == 2:
            a, b = args  # spelled out, which is quicker
            value.args = (numbers[a], numbers[b])
        elif args:
            value.args = tuple([numbers[a] for a in args])
    checks = [Check(numbers[c.value], c.expected, c.what) for c in program.checks]
    return Program(kept, [numbers[i] for i in program.outputs], checks, program.n_inputs)


def _constant_key(constant: Any) -> Any:
    kind = type(constant)
    if kind is float:
        return (float, constant) if constant == constant and constant else (float, repr(constant))  # 0.0 is not -0.0
    if kind is int or kind is bool or kind is str:
        return kind, constant
    if not isinstance(constant, np.ndarray):
        return kind, repr(constant)
    contents: Any = fingerprint(constant) if constant.nbytes > _SMALL else constant.tobytes()
    return constant.dtype.str, constant.shape, constant.strides, contents


def _equal(a: Any, b: Any) -> bool:
    """Whether two arrays of one form are the same bit for bit."""
    return a is b or a.nbytes <= _SMALL or a.tobytes() == b.tobytes()


def _hashable(params: Mapping[str, Any]) -> Any:
    """Parameters as a key; None where they can't be one."""
    try:
        return tuple([(k, _frozen(v)) for k, v in params.items()])
    except TypeError:
        return None


def _frozen(value: Any) -> Any:
    kind = type(value)
    if kind is int or kind is str or value is None:
        return kind, value
    if kind is tuple or kind is list:
        return kind, tuple([_frozen(v) for v in value])
    if kind is slice:
        return slice, _frozen(value.start), _frozen(value.stop), _frozen(value.step)
    if isinstance(value, np.ndarray):
        if value.size > 4096:
            raise TypeError
        return value.dtype.str, value.shape, value.tobytes()
    if kind is dict:
        return dict, tuple([(k, _frozen(v)) for k, v in value.items()])
    if isinstance(value, float | complex | np.inexact):
        return kind, repr(value)  # 0.0 is not -0.0
    hash(value)
    return kind, value

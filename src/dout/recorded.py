"""Variables of a run that is recorded whole, for `jit`: what carries no derivative becomes a node too.

A comparison gives a Variable that holds bools, an argmax one that holds ints. When Python needs a plain value of one
(`if x > 0`, `float(err)`, `np.asarray(x)`), it gets it, and the recorder notes it: the recording holds only for runs in
which that value is the same. So nothing leaves a recorded run without being seen.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy

from .graph import NO_PARAMS, Primitive, RecordedLeaf, RecordedNode, form, next_serial
from .recorder import RECORDER, Recorder
from .recording import _running, binary, record, use_for
from .rules import UFUNCS
from .variable import Variable, View
from .whole import Whole

np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable


class Recorded(Whole, Variable):
    """A Variable of a run that is recorded whole."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _binary(_ADD, self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary(_ADD, other, self)

    def __sub__(self, other: Any) -> Any:
        return _binary(_SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary(_SUBTRACT, other, self)

    def __mul__(self, other: Any) -> Any:
        return _binary(_MULTIPLY, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary(_MULTIPLY, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _binary(_DIVIDE, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary(_DIVIDE, other, self)

    def __pow__(self, other: Any) -> Any:
        return _binary(_POWER, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _binary(_POWER, other, self)

    def __neg__(self) -> Any:
        return _unary(_NEGATIVE, self)


class RecordedView(Whole, View):
    """A view of such a one."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return Whole.__bool__(self)


use_for((RecordedNode, RecordedLeaf), Recorded, RecordedView)

# In a hurry, for long runs on numbers: `record` says the same in fewer words

_ADD, _SUBTRACT = _running(UFUNCS[np.add], operator.add), _running(UFUNCS[np.subtract], operator.sub)
_MULTIPLY, _DIVIDE = _running(UFUNCS[np.multiply], operator.mul), _running(UFUNCS[np.divide], operator.truediv)
_POWER, _NEGATIVE = _running(UFUNCS[np.power], operator.pow), _running(UFUNCS[np.negative], operator.neg)
#: Types of constants that the quick way takes.
_COMMON = frozenset((float, int, numpy.float64, numpy.float32))
_new = object.__new__


def _unary(op: Primitive, x: Any) -> Any:
    """`record` for one input and an elementwise operation."""
    note = RECORDER.get()
    if note is None or type(x) is not Recorded:
        return record(op, (x,), NO_PARAMS)
    value, parent = x._value, x._node
    out = op.forward(value)
    keep, keep_out = op.only
    number = parent.number
    if number is None:
        number = note.number(parent)
    return _made(note, op, (parent,), (value if keep else None,), out, keep_out, (number,), (op, number), parent.live)


def _binary(op: Primitive, x: Any, y: Any) -> Any:
    """`record` for two inputs and an elementwise operation."""
    note = RECORDER.get()
    tx, ty = type(x), type(y)
    if note is None:
        return binary(op, op.forward, x, y)
    if tx is Recorded:
        a, m = x._value, x._node
        i = m.number
        if i is None:
            i = note.number(m)
        live = m.live
        if ty is Recorded:
            b, n = y._value, y._node
            j = n.number
            if j is None:
                j = note.number(n)
            if n.live is not live:
                live = live | n.live
            keep_a, keep_b, keep_out = op.both
            args = (a if keep_a else None, b if keep_b else None)
        elif ty in _COMMON:
            b, n = y, None
            j = note.numbers.get((ty, b))
            if j is None:
                j = note.plain(b)
            keep_a, _, keep_out = op.first
            args = (a if keep_a else None, b)
        else:
            return binary(op, op.forward, x, y)
    elif tx in _COMMON and ty is Recorded:
        a, m, b, n = x, None, y._value, y._node
        i = note.numbers.get((tx, a))
        if i is None:
            i = note.plain(a)
        j = n.number
        if j is None:
            j = note.number(n)
        live = n.live
        _, keep_b, keep_out = op.second
        args = (a, b if keep_b else None)
    else:
        return binary(op, op.forward, x, y)
    return _made(note, op, (m, n), args, op.forward(a, b), keep_out, (i, j), (op, i, j), live)


def _made(
    note: Recorder, op: Primitive, parents: Any, args: Any, out: Any, keep_out: bool, numbers: Any, key: Any, live: Any
) -> Any:
    """The handle of what an operation gave, with its node."""
    node = _new(RecordedNode)
    node.op = op
    node.parents = parents
    node.args = args
    node.out = out if keep_out else None
    node.params = NO_PARAMS
    if type(out) is float:
        node.shape, node.dtype = (), float
    else:
        node.shape, node.dtype = form(out)
    node.guards = None
    node.serial = next_serial()
    number = note.program.known.get(key)
    node.number = note.program.add_number(op, numbers, key, out) if number is None else number
    node.live = live
    v = _new(Recorded)
    v._value = out
    v._node = node
    return v


HANDLES = Recorded

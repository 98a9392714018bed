"""What a sum can be taken before, it is: factors that are the same all along it, signs, and products of matrices.

`sum(x / s)` along rows, with one `s` for each, is `sum(x) / s`: a division for a row, not for an entry. And what is summed
along rows or columns of `x @ y` needs `x` summed along its rows, or `y` along its columns, and no product of matrices.
Derivatives are often so: that of a mean that was taken off before a product, of a spread by which it was divided.

The numbers are added in another order, no more, as long as all are finite: a sum can be too large where what is divided first
is not, and 0/0 is lost in a sum. So the program checks that what comes of every such sum is finite, as then all before it is;
where it isn't, the program as it was is the one to run. A sign alone changes nothing, and isn't checked.
"""

from __future__ import annotations

import copy

import numpy as np

from ..graph import NO_PARAMS, Primitive
from .building import pruned
from .program import Check, Program, Value

#: As the rule's own, which stands on another floor.
_SUBTRACT = Primitive("subtract", np.subtract, elementwise=True, flat=True)
_ADDING = {"add", "subtract"}
_SCALING = {"negative", "multiply", "divide"}
#: Through how many operations a sum goes at most: Python has only so many calls inside one another.
_DEEPEST = 32


def summed(program: Program) -> Program:
    """The program with sums taken as early as that spares something, and checks that they are finite; or the same program."""
    values = program.values
    if not any(v.op is not None and v.op.name == "sum" for v in values):
        return program
    summing = _Summing(program)
    for i, value in enumerate(values):
        summing.take(i, value)
    if not summing.spared:
        return program
    number = summing.number
    checks = [Check(number[c.value], c.expected, c.what) for c in program.checks]
    checks += [summing.finite(i) for i in summing.held]
    return pruned(Program(summing.values, [number[i] for i in program.outputs], checks, program.n_inputs))


class _Summing:
    """The values of a program as they are taken over, one by one.

    Attributes:
        values: the new ones.
        number: for each old value, which of the new ones it is.
        spared: whether anything is different.
        held: the new values that have to be finite.
    """

    def __init__(self, program: Program) -> None:
        self.values: list[Value] = []
        self.number: list[int] = []
        self.spared = False
        self.held: list[int] = []
        self._op: Primitive | None = None  # that of sums
        self._signs: set[int] = set()  # new sums in which no more than a sign was moved
        self._old = program.values
        self._uses = [0] * len(program.values)
        self._sums: dict[tuple[int, tuple[int, ...]], int] = {}
        self._known: dict[tuple[int, tuple[int, ...]], bool] = {}
        for v in program.values:
            for a in v.args:
                self._uses[a] += 1
        for a in (*program.outputs, *[c.value for c in program.checks]):
            self._uses[a] += 1

    def take(self, i: int, value: Value) -> None:
        """The next value."""
        new = copy.copy(value)
        new.args = tuple([self.number[a] for a in value.args])
        if value.op is not None and value.op.name == "sum":
            (a,), axes = value.args, tuple(value.params["axes"])
            if value.dtype == self._old[a].dtype and self._goes_through(a, axes):
                self.spared, self._op = True, value.op
                new.args = (self._sum(a, axes, value),)  # what is left to sum along those axes is one entry
                if new.args[0] not in self._signs:
                    self.held.append(new.args[0])
        self.number.append(self._append(new))

    def finite(self, i: int) -> Check:
        """That all entries of a value are: each less itself is 0 then, and else NaN."""
        value = self.values[i]
        nothing = self._append(Value(_SUBTRACT, (i, i), NO_PARAMS, value.shape, value.dtype))
        axes = tuple(range(len(value.shape)))
        together = Value(self._op, (nothing,), {"axes": axes, "keepdims": False}, (), value.dtype)
        return Check(self._append(together), value.dtype.type(0), "a sum is finite")

    def _append(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def _goes_through(self, i: int, axes: tuple[int, ...]) -> bool:
        """Whether the sum of a value along some axes is better taken of what it is made from."""
        if not self._is_own(i):
            return False
        shape = self._old[i].shape
        if 0 in shape or all(shape[axis] == 1 for axis in axes):
            return False
        op = self._old[i].op
        assert op is not None
        return (op.name in _SCALING and bool(self._inner(i, axes))) or self._reaches(i, axes)

    def _is_own(self, i: int) -> bool:
        """Whether nobody else needs a value, and it is an array of floats. Of half precision, sums soon are too large."""
        value = self._old[i]
        if value.op is None or self._uses[i] > 1 or not value.array or isinstance(value.shape, list):
            return False
        return getattr(value.dtype, "kind", "") == "f" and value.dtype.itemsize >= 4

    def _reaches(self, i: int, axes: tuple[int, ...], depth: int = 0) -> bool:
        """Whether a sum gets to a product of matrices, which isn't needed then."""
        known = self._known.get((i, axes))
        if known is None:
            known = self._known[i, axes] = depth < _DEEPEST and self._is_own(i) and self._looked(i, axes, depth)
        return known

    def _looked(self, i: int, axes: tuple[int, ...], depth: int) -> bool:
        value = self._old[i]
        assert value.op is not None
        if value.op.name == "matmul":
            x, y = (self._old[a] for a in value.args)
            first = len(value.shape) - 2
            plain = len(x.shape) > 1 and len(y.shape) > 1 and x.dtype == y.dtype == value.dtype
            return plain and all(axis >= first and value.shape[axis] > 1 for axis in axes)
        found = [self._reaches(a, k, depth + 1) for a, k in self._inner(i, axes) if k is not None]
        return any(found)

    def _inner(self, i: int, axes: tuple[int, ...]) -> list[tuple[int, tuple[int, ...] | None]]:
        """For the inputs of what is linear, each with the axes along which it is summed; None for a factor that stays.

        No inputs, if the sum doesn't go through.
        """
        value = self._old[i]
        if value.op is None or value.op.name not in _ADDING | _SCALING:
            return []
        found: list[tuple[int, tuple[int, ...] | None]] = []
        for a in value.args:
            x = self._old[a]
            inner = tuple([axis - len(value.shape) + len(x.shape) for axis in axes])
            repeated = [k < 0 or x.shape[k] != value.shape[axis] for k, axis in zip(inner, axes, strict=True)]
            if not any(repeated) and x.dtype == value.dtype:
                found.append((a, inner))
            elif all(repeated) and value.op.name in _SCALING:
                found.append((a, None))
            else:
                return []
        many = sum(k is not None for _, k in found)
        if value.op.name == "divide" and found[0][1] is None:
            return []
        return found if value.op.name in _ADDING or many == 1 else []

    def _sum(self, i: int, axes: tuple[int, ...], total: Value, depth: int = 0) -> int:
        """The new value that is an old one summed along some axes, which stay with one entry."""
        known = self._sums.get((i, axes))
        if known is not None:
            return known
        value = self._old[i]
        new = copy.copy(value)
        if depth > _DEEPEST or not self._goes_through(i, axes):
            new.op, new.params = total.op, {"axes": axes, "keepdims": True}
            new.args = (self.number[i],)
            self._signs.add(len(self.values))
        elif value.op is not None and value.op.name == "matmul":
            x, y = value.args
            rows, columns = len(value.shape) - 2 in axes, len(value.shape) - 1 in axes
            new.args = (
                self._sum(x, (len(self._old[x].shape) - 2,), total, depth + 1) if rows else self.number[x],
                self._sum(y, (len(self._old[y].shape) - 1,), total, depth + 1) if columns else self.number[y],
            )
        else:
            inner = self._inner(i, axes)
            new.args = tuple([self.number[a] if k is None else self._sum(a, k, total, depth + 1) for a, k in inner])
            if len(new.args) == 1 and new.args[0] in self._signs:
                self._signs.add(len(self.values))
        new.input = new.constant = None
        new.captured = False
        new.shape = tuple([1 if k in axes else n for k, n in enumerate(value.shape)])
        found = self._sums[i, axes] = self._append(new)
        return found

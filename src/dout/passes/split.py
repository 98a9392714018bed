"""A program of values and derivatives in two: the values first, the derivatives later, when it is known what they start from.

What the second needs of the first is kept: results of what is expensive. What is cheap is computed again from what was
there, which takes less than to write it and to read it.
"""

from __future__ import annotations

import copy
import itertools
from typing import NamedTuple

import numpy as np

from ..graph import NO_PARAMS
from ..guards import SMALL
from .building import pruned
from .program import Check, Program, Value

#: Operations on arrays that cost more than to keep their result, among those that go entry by entry.
_EXPENSIVE = {
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "cos", "cosh", "digamma", "erf", "erfc",
    "exp", "exp2", "expm1", "gammaln", "log", "log10", "log1p", "log2", "logaddexp", "power", "sin", "sinh", "tan", "tanh",
}  # fmt: skip
#: Where more would have to be kept, everything is computed again.
_MOST = 200


class Split(NamedTuple):
    """Two programs.

    Attributes:
        first: the inputs to the results, and after them what is kept.
        second: the inputs, the derivatives to start with, and what was kept to the derivatives of the inputs.
        kept: how many values are kept.
    """

    first: Program
    second: Program
    kept: int


def split(program: Program, n_inputs: int, n_results: int) -> Split:
    """Split a program.

    Args:
        program: its inputs are `n_inputs` of the first, and then the derivatives to start with; its outputs `n_results` of the
            first, and then those of the second.
    """
    values = program.values
    late = bytearray(len(values))
    for i, value in enumerate(values):
        late[i] = (value.input is not None and value.input >= n_inputs) or any([late[a] for a in value.args])
    saved = _saved(program, late, n_results)
    if len(saved) > _MOST:
        saved = []
    first_checks = [c for c in program.checks if not late[c.value]]
    outputs = program.outputs
    first = Program([copy.copy(v) for v in values], [*outputs[:n_results], *saved], first_checks, program.n_inputs)
    second_values = [copy.copy(v) for v in values]
    for place, i in enumerate(saved):
        v = values[i]
        given = program.n_inputs + place
        second_values[i] = Value(None, (), NO_PARAMS, v.shape, v.dtype, input=given, array=v.array)
    second_checks = [Check(*c) for c in program.checks if late[c.value]]
    second = Program(second_values, outputs[n_results:], second_checks, program.n_inputs + len(saved))
    return Split(_without_late(pruned(first), n_inputs), pruned(second).verify(), len(saved))


def _saved(program: Program, late: bytearray, n_results: int) -> list[int]:
    """The early values that the late ones need, and that are not to be computed again."""
    values = program.values
    wanted = bytearray(len(values))
    for i in itertools.chain(program.outputs[n_results:], [c.value for c in program.checks if late[c.value]]):
        wanted[i] = 1
    saved = []
    for i in range(len(values) - 1, -1, -1):
        if not wanted[i]:
            continue
        if values[i].op is None:
            if values[i].captured and values[i].constant.nbytes <= SMALL:
                saved.append(i)  # it may be written to before the second runs
            continue
        if not late[i] and not _is_cheap(values[i]):
            saved.append(i)
            continue
        for a in values[i].args:
            wanted[a] = 1
    return saved[::-1]


def _is_cheap(value: Value) -> bool:
    """Whether it is computed again rather than kept."""
    op = value.op
    assert op is not None
    if isinstance(value.shape, list):
        return True  # its parts are kept
    if not value.shape and np.dtype(value.dtype).kind in "fciub" and op.elementwise:
        return True
    return op.view or (op.elementwise and op.name not in _EXPENSIVE) or op.name in ("as_kind", "astype", "cast")


def _without_late(program: Program, n_inputs: int) -> Program:
    """Without the inputs that come later; nothing uses them."""
    numbers: list[int] = []
    kept: list[Value] = []
    for value in program.values:
        numbers.append(len(kept))
        if value.input is None or value.input < n_inputs:
            value.args = tuple([numbers[a] for a in value.args])
            kept.append(value)
    checks = [Check(numbers[c.value], c.expected, c.what) for c in program.checks]
    return Program(kept, [numbers[i] for i in program.outputs], checks, n_inputs).verify()

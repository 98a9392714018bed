"""Smaller programs that mean the same: constants folded, equal values made once, what nobody asks for dropped."""

from __future__ import annotations

from .building import Building, pruned
from .program import Check, Program

__all__ = ["pruned", "simplified"]


def simplified(program: Program) -> Program:
    """A program built again, value by value (`building.py` says how it becomes shorter)."""
    new = Building()
    numbers: list[int] = []
    for value in program.values:
        if value.op is not None:
            args = tuple([numbers[a] for a in value.args])
            numbers.append(new.add(value.op, args, value.params, value.shape, value.dtype, value.array))
        elif value.input is not None:
            numbers.append(new.input(value.input, value.shape, value.dtype, value.array))
        else:
            numbers.append(new.constant(value.constant, value.captured))
    checks = [Check(numbers[c.value], c.expected, c.what) for c in program.checks]
    return new.finish([numbers[i] for i in program.outputs], checks).verify()

"""What a rolled loop is: a body, how many times it runs, and how its values get in and out.

`LOOP` is the operation of it. It has several results, one for each `Give`; a `PICK` takes one of them. A stack, the values
of all steps, is a list or an array with one entry a step, whichever made it; `read` gives an entry as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..graph import Primitive
from .program import Program


class Take(NamedTuple):
    """How an input of a loop's body gets its value. There is one for each input, in order.

    Attributes:
        kind: "same" in all steps; "carried", from the step before; "each", an entry of a stack; "counter", the number of
            the step, which is no input of the loop.
        start: of "each": the entry read by step 0.
        step: of "each": by how much it moves.
        next: of "carried": which output of the body is the value in the next step.
    """

    kind: str
    start: int = 0
    step: int = 0
    next: int = -1


class Give(NamedTuple):
    """A result of a loop: an output of its body in the last step, or in all steps, stacked."""

    output: int
    stacked: bool


@dataclass(eq=False)
class Loop:
    """A body that runs `n` times.

    Attributes:
        body: what a step computes.
        n: how many steps there are.
        takes: for each input of the body.
        gives: for each result.
        native: runs it as native code, if there is some: a function of its arguments, which gives None if it has to be left.
        keeps: memory that its native code uses.
    """

    body: Program
    n: int
    takes: tuple[Take, ...]
    gives: tuple[Give, ...]
    native: Callable[..., Any] | None = None
    keeps: list[Any] = field(default_factory=list, repr=False)

    def __repr__(self) -> str:
        kinds = [t.kind for t in self.takes]
        counts = ", ".join(f"{kinds.count(k)} {k}" for k in ("same", "carried", "each") if k in kinds)
        stacked = sum(g.stacked for g in self.gives)
        return f"<{self.n} times {len(self.body)} values: {counts}; gives {len(self.gives)}, {stacked} stacked>"

    def verify(self) -> Loop:
        """Hold what every loop keeps; returns itself.

        Raises:
            ValueError: saying what is broken.
        """
        body = self.body.verify()
        if len(self.takes) != body.n_inputs:
            raise ValueError(f"the body has {body.n_inputs} inputs, and takes {len(self.takes)}")
        ends = [t.next for t in self.takes if t.kind == "carried"] + [g.output for g in self.gives]
        if any(not 0 <= e < len(body.outputs) for e in ends):
            raise ValueError(f"the body has {len(body.outputs)} outputs, not {ends}")
        given = {v.input: v for v in body.values if v.input is not None}
        for b, take in enumerate(self.takes):
            if take.kind == "carried":
                before, after = given[b], body.values[body.outputs[take.next]]
                if (before.shape, before.dtype, before.array) != (after.shape, after.dtype, after.array):
                    raise ValueError(f"what input {b} carries changes its form from step to step")
        return self


def read(stack: Any, at: int, dtype: Any, array: bool) -> Any:
    """An entry of a stack, of the type that it had."""
    found = stack[at]
    if type(stack) is list:
        return found
    if isinstance(dtype, type):
        return dtype(found)
    return np.asarray(found) if array else found


def run_loop(loop: Loop, args: Sequence[Any], body: Callable[[Sequence[Any]], Any]) -> Any:
    """The results of a loop whose body is run by a function of a list of inputs.

    Returns:
        a tuple of results; stacks are lists. What the body gives in place of a list is given as it is.
    """
    takes = loop.takes
    given: list[Any] = [*args, *[0] * (len(takes) - len(args))]
    each = [(b, t) for b, t in enumerate(takes) if t.kind == "each"]
    forms = {v.input: (v.dtype, v.array) for v in loop.body.values if v.input is not None}
    carried = [(b, t.next) for b, t in enumerate(takes) if t.kind == "carried"]
    counters = [b for b, t in enumerate(takes) if t.kind == "counter"]
    stacks: list[tuple[int, list[Any]]] = [(g.output, []) for g in loop.gives if g.stacked]
    found: Any = []
    for k in range(loop.n):
        for b, take in each:
            given[b] = read(args[b], take.start + k * take.step, *forms[b])
        for b in counters:
            given[b] = k
        found = body(given)
        if type(found) is not list:
            return found
        for b, at in carried:
            given[b] = found[at]
        for output, stack in stacks:
            stack.append(found[output])
    remaining = iter(stacks)
    return tuple([next(remaining)[1] if g.stacked else found[g.output] for g in loop.gives])


def _evaluated(program: Program, given: Sequence[Any]) -> list[Any]:
    """A program's results, value by value. `run/interpret.py` does the same faster, and with checks."""
    known: list[Any] = []
    for value in program.values:
        if value.input is not None:
            known.append(given[value.input])
        elif value.op is None:
            known.append(value.constant)
        else:
            known.append(value.op.forward(*[known[a] for a in value.args], **value.params))
    return [known[i] for i in program.outputs]


def _looped(*args: Any, loop: Loop) -> Any:
    return run_loop(loop, args, lambda given: _evaluated(loop.body, given))


class Moving(NamedTuple):
    """Stands in a parameter for a whole number that grows from step to step: `start + step * k` in step k."""

    start: int
    step: int

    def __repr__(self) -> str:
        return f"{self.start}{self.step:+}k"


def at_step(template: Any, k: int) -> Any:
    """A parameter as it is in step k."""
    if type(template) is Moving:
        return template.start + template.step * k
    if type(template) is slice:
        return slice(at_step(template.start, k), at_step(template.stop, k), at_step(template.step, k))
    if type(template) is tuple:
        return tuple([at_step(t, k) for t in template])
    if type(template) is dict:
        return {name: at_step(t, k) for name, t in template.items()}
    return template


def _stepped(*args: Any, op: Primitive, how: Mapping[str, Any]) -> Any:
    k = args[-1]
    return op.forward(*args[:-1], **{name: at_step(t, k) for name, t in how.items()})


#: A loop; see `Loop`.
LOOP = Primitive("loop", _looped, flat=True)
#: In a body: an operation whose parameters move with the counter, its last input.
STEPPED = Primitive("stepped", _stepped, flat=True)
#: One entry of a stack.
ENTRY = Primitive("entry", read, flat=True)
#: A stack made of separate values.
STACK = Primitive("stacked", lambda *values: list(values), flat=True)
#: A stack as an array.
PACKED = Primitive("packed", np.asarray, flat=True)

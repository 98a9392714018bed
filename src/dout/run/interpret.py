"""A program run by NumPy: each operation by its own forward, one after another.

It is right for every operation that dout can record, and what native code is compared with. The program becomes a Python
function, one line an operation, so that what is no longer needed is let go, and nothing is looked up on the way. A long
one, which Python would take too long to compile, becomes a table that a loop goes along.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import PICK, form
from ..passes.program import Program, Value
from ..passes.roll_loops import LOOP, Loop, run_loop

#: What a run gives if one of the program's checks doesn't hold.
BROKEN: Any = type("Broken", (), {"__repr__": lambda self: "BROKEN"})()
#: Operations whose form depends on the values.
_CHECKED = {"call", "gather", "power"}
#: Longer programs become tables.
_LONG = 4000


def interpreter(program: Program) -> Callable[[Sequence[Any]], Any]:
    """A function that runs the program: a list of inputs to a list of results, or `BROKEN`."""
    if len(program) > _LONG:
        return _table(program)
    last = _last_uses(program)
    names: dict[str, Any] = {"BROKEN": BROKEN, "same": same}
    checks: dict[int, list[int]] = {}
    for k, check in enumerate(program.checks):
        checks.setdefault(check.value, []).append(k)
        names[f"c{k}"] = check.expected
    lines = ["def run(given):"]
    for i, value in enumerate(program.values):
        if value.input is not None:
            lines.append(f" v{i} = given[{value.input}]")
        elif value.op is None:
            names[f"v{i}"] = value.constant
            continue
        else:
            lines += forwarded(program, i, names)
        lines += [f" if not same(v{i}, c{k}): return BROKEN" for k in checks.get(i, ())]
        lines += [f" v{a} = None" for a in last.get(i, ())]
    early = [k for i, ks in checks.items() if program.values[i].is_constant() for k in ks]
    lines += [f" if not same(v{program.checks[k].value}, c{k}): return BROKEN" for k in early]
    lines.append(" return [" + ", ".join(f"v{i}" for i in program.outputs) + "]")
    exec(compile("\n".join(lines), "<dout program>", "exec"), names)
    run: Callable[[Sequence[Any]], Any] = names["run"]
    return run


def _table(program: Program) -> Callable[[Sequence[Any]], Any]:
    """`interpreter`, without code of its own."""
    last = _last_uses(program)
    checks: dict[int, list[Any]] = {}
    for check in program.checks:
        checks.setdefault(check.value, []).append(check.expected)
    start: list[Any] = [None] * len(program)
    inputs: list[Any] = []
    steps: list[Any] = []
    for i, value in enumerate(program.values):
        expected, dead = checks.get(i, ()), last.get(i, ())
        if value.input is not None:
            inputs.append((i, value.input))
        elif value.op is None:
            start[i] = value.constant
        if value.op is None:
            if expected:
                steps.append((i, None, (), None, expected, dead))
            continue
        form_of = (value.shape, value.dtype) if _is_checked(program, value) else None
        steps.append((i, _forward(value), value.args, form_of, expected, dead))

    def run_steps(given: Sequence[Any]) -> Any:
        values = start.copy()
        for i, place in inputs:
            values[i] = given[place]
        for i, run, args, form_of, expected, dead in steps:
            if run is not None:
                if len(args) == 2:
                    a, b = args
                    values[i] = run(values[a], values[b])
                else:
                    values[i] = run(*[values[a] for a in args])
                if values[i] is BROKEN:
                    return BROKEN
                if form_of is not None and form(values[i]) != form_of:
                    return BROKEN
            for what in expected:
                if not same(values[i], what):
                    return BROKEN
            for a in dead:
                values[a] = None
        return [values[i] for i in program.outputs]

    return run_steps


def forwarded(program: Program, i: int, names: dict[str, Any]) -> list[str]:
    """The lines that compute a value by its operation's forward; what they need is entered among the names."""
    value = program.values[i]
    lines = [f" v{i} = {_line(i, value, names)}"]
    if _is_checked(program, value):
        names["form"] = form
        names[f"form{i}"] = (value.shape, value.dtype)
        lines.append(f" if form(v{i}) != form{i}: return BROKEN")
    if value.op is LOOP:
        lines.append(f" if v{i} is BROKEN: return BROKEN")
    return lines


def _line(i: int, value: Value, names: dict[str, Any]) -> str:
    assert value.op is not None
    if value.op is PICK:
        return f"v{value.args[0]}[{value.params['i']}]"
    names[f"f{i}"] = _forward(value)
    return f"f{i}({', '.join(f'v{a}' for a in value.args)})"


def _forward(value: Value) -> Callable[..., Any]:
    """What computes a value; that of a loop may give `BROKEN`."""
    assert value.op is not None
    if value.op is LOOP:
        loop: Loop = value.params["loop"]
        run = interpreter(loop.body)

        def looped(*args: Any) -> Any:
            if loop.native is None:
                return run_loop(loop, args, run)
            found = loop.native(*args)
            return BROKEN if found is None else found

        return looped
    return functools.partial(value.op.forward, **value.params) if value.params else value.op.forward


def _is_checked(program: Program, value: Value) -> bool:
    """Whether the form of a result depends on values: then it has to be what it was."""
    if value.op is None or value.op.name not in _CHECKED:
        return False
    return value.op.name != "power" or all(isinstance(program.values[a].dtype, type) for a in value.args)


def _last_uses(program: Program) -> dict[int, list[int]]:
    """For each value, those that are used there for the last time; results and constants are kept."""
    kept = set(program.outputs)
    last: dict[int, int] = {}
    for i, value in enumerate(program.values):
        for a in value.args:
            last[a] = i
    found: dict[int, list[int]] = {}
    for a, i in last.items():
        if a not in kept and not program.values[a].is_constant():
            found.setdefault(i, []).append(a)
    return found


def same(value: Any, expected: Any) -> bool:
    """Whether a value that Python looks at is bit for bit what it was."""
    if type(value) is not type(expected):
        return False
    if type(value) is bool or type(value) is int:
        return bool(value == expected)
    if type(value) is float:
        return bool(value == expected != 0) or struct.pack("d", value) == struct.pack("d", expected)
    if isinstance(value, np.ndarray | np.generic):
        alike = value.dtype == expected.dtype and value.shape == expected.shape
        return bool(alike and value.tobytes() == expected.tobytes())
    return repr(value) == repr(expected)

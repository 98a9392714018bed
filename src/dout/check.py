"""`check`: is a derivative right? Compared with numerical ones, entry by entry, and if it isn't, a hint at why.

The numerical derivative is that of central differences, extrapolated to step zero (Richardson), in float64. Steps halve
from 1/32 of the entry's size; Neville's table gives the value and, from its last two columns, an estimate of its
own error (Press et al., Numerical Recipes, section 5.7, Ridders' method).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arguments import function_name, parameter_name
from .errors import not_differentiable
from .transforms import vjp
from .tree import flatten, leaf_paths
from .wiring import layer

#: Entries of one input that are compared one by one; of a larger input, this many, and all together along a direction.
ENTRIES = 100
#: What central differences in float64 can be trusted to, relative to the largest derivative, where f is smooth:
#: rounding leaves about 1e-16 / step, extrapolation brings the rest below it, and a decimal is left for f's own rounding.
TOLERANCE = 1e-7


@dataclass
class Entry:
    """One comparison: the derivative with respect to one entry of one input."""

    name: str
    index: tuple[int, ...] | str
    computed: complex
    numerical: complex
    uncertainty: float
    right: bool = True
    kink: bool = False


@dataclass
class Report:
    """What `check` found; true if all is right.

    Attributes:
        subject: what was checked.
        entries: every comparison that was made.
        problem: what kept the derivative from being computed at all, or None.
        hints: guesses at the cause.
        skipped: how many entries were compared only all together.
    """

    subject: str
    entries: list[Entry] = field(default_factory=list)
    problem: str | None = None
    hints: list[str] = field(default_factory=list)
    skipped: int = 0

    def __bool__(self) -> bool:
        return self.problem is None and all(e.right for e in self.entries)

    def __str__(self) -> str:
        if self.problem is not None:
            return f"{self.subject}: {self.problem}"
        wrong = [e for e in self.entries if not e.right]
        verdict = (
            f"{len(wrong)} of {len(self.entries)} wrong" if wrong else f"right in all {len(self.entries)} comparisons"
        )
        shown = sorted(wrong, key=lambda e: -abs(e.computed - e.numerical))[:10] if wrong else self.entries[:10]
        rows = [("", "computed", "numerical", "off by"), *(_row(e) for e in shown)]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        more = (len(wrong) or len(self.entries)) - len(shown)
        if more > 0:
            lines.append(f"  and {more} more")
        if self.skipped:
            lines.append(f"  {self.skipped} further entries were compared all together, along a random direction")
        return "\n".join([f"{self.subject}: {verdict}", *lines, *(f"  hint: {hint}" for hint in self.hints)])


def check(f: Any, *args: Any, **kwargs: Any) -> Report:
    """Compare the derivatives of a function or a layer with numerical ones.

    Args:
        f: a function; or a layer, its object or class, whose own backward is then checked, with the attributes whose
            derivative it leaves in `d<name>`.
        *args: where: floats, float arrays, containers of them (taken as float64). An output that is an array is
            contracted with fixed random numbers, so that all its entries count.
        **kwargs: passed on.

    Returns:
        a Report: true if right; its text names each input, entry, both derivatives, and what may be wrong.

    Example:
        >>> import numpy as np
        >>> bool(check(lambda x: np.sum(np.sin(x)), np.array([1.0, 2.0])))
        True
        >>> class Wrong:
        ...     def forward(self, x, y):
        ...         self.x, self.y = x, y
        ...         return x * y
        ...
        ...     def backward(self, dout):
        ...         return dout * self.x, dout * self.y
        >>> print(check(Wrong(), 2.0, 5.0))
        Wrong: 2 of 2 wrong
             computed  numerical  off by
          x  2         5          3
          y  5         2          3
          hint: the derivatives of x and y are exchanged
    """
    args = tuple(_double(a) for a in args)
    if all(not_differentiable(leaf) is not None for a in args for leaf in flatten(a)[0]):
        given = ", ".join(map(repr, args)) or "nothing"
        raise TypeError(
            f"check(f, *args): expected a float or complex number or array among the arguments, got {given}"
        )
    subject, run, names, values = _subject(f, args, kwargs)
    report = Report(subject)
    with np.errstate(all="ignore"):  # a step may leave a function's domain; what comes of it is judged below
        try:
            out, pullback = vjp(lambda *v: run(*v), *values)
            douts = _directions(out)
            found = pullback(douts)
        except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError) as error:
            report.problem = f"{type(error).__name__}: {error}"
            return report

        def measure(*new: Any) -> float:
            outs, weights = flatten(run(*new))[0], flatten(douts)[0]
            return float(sum(np.sum(np.real(np.asarray(o) * w)) for o, w in zip(outs, weights, strict=True)))

        for position, (value, derivative) in enumerate(zip(values, found, strict=True)):
            _compare(report, measure, values, position, names[position], value, derivative)
    _judge(report)
    report.hints = list(_hints(report.entries))
    return report


def _subject(
    f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[str, Callable[..., Any], list[str], list[Any]]:
    """What to call it, a function to check, the names of its inputs, and their values."""
    if isinstance(f, type) and callable(getattr(f, "forward", None)):
        f = f()
    if not (callable(getattr(f, "forward", None)) and callable(getattr(f, "backward", None))):
        if not callable(f):
            raise TypeError(
                f"check(f): expected a function or a layer with forward and backward, got {type(f).__name__}"
            )
        names = [parameter_name(f, i) or f"argument {i}" for i in range(len(args))]
        return function_name(f), lambda *v: f(*v, **kwargs), names, list(args)
    obj: Any = copy.copy(f)
    for name, value in vars(obj).items():
        object.__setattr__(obj, name, _double(value))
    held = _parameters(obj, args, kwargs)
    try:
        parameters = list(inspect.signature(obj.forward).parameters)
    except ValueError:
        parameters = []
    names = [parameters[i] if i < len(parameters) else f"input {i}" for i in range(len(args))]

    def run(*values: Any) -> Any:
        new = copy.copy(obj)
        for name, value in zip(held, values[len(args) :], strict=True):
            object.__setattr__(new, name, value)
        return layer(new)(*values[: len(args)], **kwargs)

    return type(f).__name__, run, names + held, [*args, *(getattr(obj, name) for name in held)]


def _parameters(obj: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """The attributes whose derivatives backward leaves in `d<name>`."""
    trial = copy.copy(obj)
    try:
        trial.backward(_directions(trial.forward(*args, **kwargs)))
    except Exception:  # whatever is wrong will be met again, and told, when it is checked
        return []
    own = vars(trial) if hasattr(trial, "__dict__") else {}
    return [n for n in own if f"d{n}" in own and not_differentiable(own[n]) is None and hasattr(obj, n)]


def _double(value: Any) -> Any:
    """Floats as float64, complex as complex128; in containers too."""
    leaves, rebuild = flatten(value)
    return rebuild(iter([_double_leaf(v) for v in leaves]))


def _double_leaf(v: Any) -> Any:
    if isinstance(v, np.ndarray | np.generic) and v.dtype.kind in "fc":
        return v.astype(np.complex128 if v.dtype.kind == "c" else np.float64)
    return v


def _directions(out: Any) -> Any:
    """Fixed numbers between 0.5 and 1.5, of the output's form; 1 for a single number."""
    leaves, rebuild = flatten(out)
    if len(leaves) == 1 and np.shape(leaves[0]) == ():
        return rebuild(iter([1.0]))
    rng = np.random.default_rng(0)
    return rebuild(iter([rng.uniform(0.5, 1.5, np.shape(v))[()] for v in leaves]))


def _compare(
    report: Report,
    measure: Callable[..., float],
    values: list[Any],
    position: int,
    name: str,
    value: Any,
    derivative: Any,
) -> None:
    """Add the comparisons for one input: its entries, or some of them and one direction."""
    flat, rebuild = flatten(value)
    computed = flatten(derivative)[0] if derivative is not None else [None] * len(flat)
    for k, (leaf, d, path) in enumerate(zip(flat, computed, leaf_paths(value), strict=True)):
        if not_differentiable(leaf) is not None:
            continue

        def along(step: Any, k: int = k, leaf: Any = leaf) -> float:
            moved = rebuild(iter([*flat[:k], leaf + step, *flat[k + 1 :]]))
            return measure(*values[:position], moved, *values[position + 1 :])

        size = int(np.size(leaf))
        rng = np.random.default_rng(1)
        chosen = np.arange(size) if size <= ENTRIES else np.sort(rng.choice(size, ENTRIES, replace=False))
        for i in chosen:
            index = tuple(int(j) for j in np.unravel_index(i, np.shape(leaf)))
            unit = np.zeros(np.shape(leaf))
            unit[index] = 1.0
            numerical, error = _numerical(along, unit[()], leaf)
            entry = Entry(name + path, index, complex(np.asarray(d)[index]), numerical, error)
            entry.kink = _is_kink(along, unit[()], leaf, entry)
            report.entries.append(entry)
        if size > ENTRIES:
            report.skipped += size - ENTRIES
            direction = rng.uniform(-1, 1, np.shape(leaf))
            numerical, error = _numerical(along, direction, leaf)
            total = complex(np.sum(np.asarray(d) * direction))
            report.entries.append(Entry(name + path, "all together", total, numerical, error))


def _numerical(along: Callable[[Any], float], unit: Any, at: Any) -> tuple[complex, float]:
    """The derivative along a direction; for a complex input d/dx - i d/dy, as JAX defines it."""
    size = float(np.max(np.abs(np.asarray(at) * (np.asarray(unit) != 0)), initial=0.0))
    real, error = extrapolated(lambda h: along(h * unit), max(size, 1.0) / 32)
    if not np.iscomplexobj(at):
        return complex(real), error
    imag, error_imag = extrapolated(lambda h: along(h * 1j * unit), max(size, 1.0) / 32)
    return complex(real, -imag), error + error_imag


def _is_kink(along: Callable[[Any], float], unit: Any, at: Any, entry: Entry) -> bool:
    """Whether f has two slopes here, and the computed one lies between them, so that it is as right as any."""
    if np.iscomplexobj(at) or abs(entry.computed - entry.numerical) <= 1e-5 * max(abs(entry.numerical), 1.0):
        return False
    here = along(0 * unit)

    def slopes(h: float) -> tuple[float, float]:
        return (here - along(-h * unit)) / h, (along(h * unit) - here) / h

    h = 1e-6 * max(1.0, abs(float(np.sum(np.asarray(at) * unit))))
    low, high = sorted(slopes(h))
    slack = 1e-4 * max(abs(low), abs(high), 1.0)
    steady = np.allclose(slopes(h), slopes(8 * h), rtol=1e-2, atol=slack)  # at a jump the slopes grow without bound
    return bool(steady and high - low > 10 * slack and low - slack <= entry.computed.real <= high + slack)


def extrapolated(f: Callable[[float], float], step: float, levels: int = 8) -> tuple[float, float]:
    """The derivative of f at 0 and an estimate of its error, by Ridders' method.

    Example:
        >>> import math
        >>> value, error = extrapolated(lambda h: math.exp(h), 0.1)
        >>> abs(value - 1) < 1e-12
        True
    """
    best, uncertainty = np.nan, np.inf
    row: list[float] = []
    for level in range(levels):
        h = step / 2**level
        new = [(f(h) - f(-h)) / (2 * h)]
        for k, previous in enumerate(row):
            new.append(new[k] + (new[k] - previous) / (4.0 ** (k + 1) - 1))
            change = max(abs(new[k + 1] - new[k]), abs(new[k + 1] - previous))
            if change <= uncertainty:
                best, uncertainty = new[k + 1], change
        row = new
    return best, uncertainty


def _judge(report: Report) -> None:
    """Right is what agrees within the tolerance, or within what the numerical derivative knows of itself."""
    size = max((abs(e.numerical) for e in report.entries if np.isfinite(e.numerical)), default=0.0)
    for e in report.entries:
        if e.kink:
            e.right = True
        elif np.isnan(e.numerical):
            e.right = bool(np.isnan(e.computed))
        else:
            scale = max(size, 1.0)
            e.right = bool(abs(e.computed - e.numerical) <= TOLERANCE * scale + min(e.uncertainty, 1e-4 * scale))


def _hints(entries: list[Entry]) -> Iterator[str]:
    """Guesses at what a wrong backward forgot."""
    groups: dict[str, list[Entry]] = {}
    for e in entries:
        groups.setdefault(e.name, []).append(e)
    wrong = {name: es for name, es in groups.items() if not all(e.right for e in es)}
    for name, es in wrong.items():
        for other, theirs in wrong.items():
            if name < other and _same(es, theirs) and _same(theirs, es):
                yield f"the derivatives of {name} and {other} are exchanged"
        if all(e.computed == 0 for e in es):
            yield f"the derivative of {name} is zero throughout: it may be missing, or lost on the way"
            continue
        ratios = [e.computed / e.numerical for e in es if abs(e.numerical) > 1e-3]
        if len(ratios) > 1 and np.allclose(ratios, ratios[0], rtol=1e-5):
            factor = ratios[0].real if ratios[0].imag == 0 else ratios[0]
            yield f"the derivative of {name} is {factor:.6g} times what it should be"
        if any(e.uncertainty > 1e-4 * max(abs(e.numerical), 1.0) for e in es if not e.right):
            yield f"the function is not smooth in {name} here (a kink or a jump?); check it beside that place"


def _same(mine: list[Entry], theirs: list[Entry]) -> bool:
    """Whether my computed derivatives are the other's numerical ones."""
    return len(mine) == len(theirs) and bool(
        np.allclose([e.computed for e in mine], [e.numerical for e in theirs], rtol=1e-6, atol=1e-9)
    )


def _row(e: Entry) -> tuple[str, str, str, str]:
    where = e.index if isinstance(e.index, str) else "[" + ", ".join(map(str, e.index)) + "]" if e.index else ""
    off = "at a kink: either side's is right" if e.kink else f"{abs(e.computed - e.numerical):.2g}"
    return f"{e.name}{' ' if isinstance(e.index, str) else ''}{where}", _text(e.computed), _text(e.numerical), off


def _text(number: complex) -> str:
    return f"{number.real:.10g}" if number.imag == 0 else f"{number:.10g}"

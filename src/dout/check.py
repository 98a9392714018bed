"""`check`: is a derivative right? Compared with numerical ones, entry by entry, and if it isn't, a hint at why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .differences import Slope, rounding_of, sides, slope
from .errors import not_differentiable
from .hints import hints
from .subjects import Failure, Function, LayerSubject, Subject, directions, double, hold, told
from .tree import flatten, leaf_paths

#: Entries of one input that are compared one by one; of a larger input, this many, and all together along a direction.
ENTRIES = 100
#: What a derivative may be off by, relative to itself: extrapolated differences of a smooth f are good to 1e-9 and
#: better, and decimals are left for the rounding of backward.
TOLERANCE = 1e-7
#: And relative to the largest derivative of the same input, beside which smaller ones are lost in rounding.
BESIDE_LARGEST = 1e-9
#: A numerical derivative is good for a verdict if it knows itself to this, relative to itself.
KNOWN = 1e-4


@dataclass
class Entry:
    """One comparison: the derivative with respect to one entry of one input.

    Attributes:
        uncertainty: an estimate of the numerical derivative's error.
        right: whether the two agree.
        undecided: whether nothing can be said; then it is not right either.
        kink: whether f has two slopes here.
        note: what there is to say of it.
    """

    name: str
    index: tuple[int, ...] | str
    computed: complex
    numerical: complex
    uncertainty: float
    right: bool = True
    kink: bool = False
    undecided: bool = False
    note: str = ""

    @property
    def wrong(self) -> bool:
        """Whether the two differ by more than what is not known."""
        return not (self.right or self.undecided)


@dataclass(repr=False)
class Report:
    """What `check` found; true if all is right. Its text is what there is to read.

    Attributes:
        subject: what was checked.
        entries: every comparison that was made.
        problem: what kept the derivative from being computed at all, or None.
        hints: guesses at the cause.
        skipped: how many entries were compared only all together.
        notes: what was not checked.
    """

    subject: str
    entries: list[Entry] = field(default_factory=list)
    problem: str | None = None
    hints: list[str] = field(default_factory=list)
    skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.problem is None and all(e.right for e in self.entries)

    def __repr__(self) -> str:
        said = [f"  {note}" for note in self.notes] + [f"  hint: {hint}" for hint in self.hints]
        if self.problem is not None:
            return "\n".join([f"{self.subject}: {self.problem}", *said])
        wrong = sorted((e for e in self.entries if e.wrong), key=_order)
        interesting = wrong + [e for e in self.entries if e.undecided]
        shown = (interesting or self.entries)[:10]
        rows = [("", "computed", "numerical", "off by"), *(_row(e) for e in shown)]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        more = len(interesting or self.entries) - len(shown)
        if more > 0:
            lines.append(f"  and {more} more")
        if self.skipped:
            lines.append(f"  {self.skipped} further entries were compared all together, along a random direction")
        return "\n".join([f"{self.subject}: {self._verdict(len(wrong))}", *lines, *said])

    def _verdict(self, wrong: int) -> str:
        n = len(self.entries)
        undecided = sum(e.undecided for e in self.entries)
        if wrong:
            return f"{wrong} of {n} wrong" + (f", {undecided} undecided" if undecided else "")
        if undecided:
            return f"right in {n - undecided} of {n}, {undecided} undecided"
        return "right in the only comparison" if n == 1 else f"right in all {n} comparisons"


def check(f: Any, *args: Any, **kwargs: Any) -> Report:
    """Compare the derivatives of a function or a layer with numerical ones.

    Args:
        f: a function; or a layer, its object or class, whose own backward is then checked, with the parameters whose
            derivatives it leaves in `d<name>`, in itself or its sub-layers, or in `grads` beside `params`.
        *args: where: floats, float arrays, containers of them (taken as float64; Variables by value). The outputs
            are contracted with fixed random numbers, so that all count, and dout does too.
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
        >>> check(Wrong(), 2.0, 5.0)
        Wrong: 2 of 2 wrong
             computed  numerical  off by
          x  2         5          3
          y  5         2          3
          hint: the derivatives of x and y are exchanged
    """
    if isinstance(f, type) and callable(getattr(f, "forward", None)):
        f = f()
    is_layer = callable(getattr(f, "forward", None)) and callable(getattr(f, "backward", None))
    if not is_layer and not callable(f):
        raise TypeError(f"check(f): expected a function or a layer with forward and backward, got {type(f).__name__}")
    args = tuple(double(a) for a in args)
    if all(not_differentiable(leaf) is not None for a in args for leaf in flatten(a)[0]):
        given = ", ".join(map(repr, args)) or "nothing"
        raise TypeError(
            f"check(f, *args): expected a float or complex number or array among the arguments, got {given}"
        )
    with np.errstate(all="ignore"):  # a step may leave a function's domain; what comes of it is judged below
        try:
            subject = LayerSubject(f, args, kwargs) if is_layer else Function(f, args, kwargs)
            return _Check(subject).report
        except Failure as failure:
            return Report(
                type(f).__name__ if is_layer else getattr(f, "__name__", type(f).__name__), problem=str(failure)
            )


class _Check:
    """One run of `check`."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.report = Report(subject.name, notes=subject.notes)
        self.values = subject.values
        out = told(subject.name, subject.outputs, *self.values)
        outs = flatten(out)[0]
        self.single = len(outs) == 1 and np.shape(outs[0]) == ()  # then the report is per unit of it
        self.douts = directions(out)
        self.weights = [1.0] if self.single else flatten(self.douts)[0]
        self.here = self.measure(*self.values)
        if not np.array_equal(self.here, self.measure(*self.values), equal_nan=True):
            self.report.problem = (
                "forward gives different results for equal inputs, so there is nothing to compare; "
                "seed its random numbers anew in each call, or hand them to it"
            )
            return
        found = self.found(self.douts)
        leaves: dict[str, Any] = {}
        for position, derivative in enumerate(found):
            leaves |= self.compare(position, derivative)
        if any(e.wrong for e in self.report.entries):
            if self.ignores_dout(out, found):
                self.report.hints.append(f"{subject.name}: backward does not use dout")
            else:
                self.report.hints += hints(self.report.entries, leaves, outs[0] if len(outs) == 1 else None)

    def found(self, douts: Any) -> list[list[Any]]:
        """The computed derivatives, their leaves in a list for each input."""
        weight = flatten(douts)[0][0] if self.single else 1.0
        result: list[list[Any]] = []
        for d, value, name in zip(self.subject.derivatives(douts), self.values, self.subject.names, strict=True):
            flat = flatten(value)[0]
            ds = [None] * len(flat) if d is None else flatten(d)[0]
            if len(ds) != len(flat):
                raise Failure(f"the derivative of {name} has {len(ds)} parts, it has {len(flat)}")
            result.append([])
            for leaf, one, path in zip(flat, ds, leaf_paths(value), strict=True):
                if not_differentiable(leaf) is not None:
                    result[-1].append(None)
                    continue
                hold(one, leaf, f"the derivative of {name}{path}")
                result[-1].append(np.zeros(np.shape(leaf)) if one is None else np.asarray(one) / weight)
        return result

    def ignores_dout(self, out: Any, found: list[list[Any]]) -> bool:
        """Whether another dout gives the same derivatives."""
        try:
            douts = directions(out, seed=1)
            again = self.found(douts)
        except Failure:
            return False
        ratio = flatten(douts)[0][0] / flatten(self.douts)[0][0] if self.single else 1.0
        pairs = [
            (a, b)
            for one, two in zip(found, again, strict=True)
            for a, b in zip(one, two, strict=True)
            if a is not None
        ]
        return any(np.any(a) for a, _ in pairs) and all(
            bool(np.all(np.isfinite(a))) and np.allclose(a, b * ratio, rtol=1e-12, atol=0) for a, b in pairs
        )

    def measure(self, *values: Any) -> np.ndarray:
        """All outputs times their weights, as one array, whose sum is differentiated."""
        outs = flatten(self.subject.outputs(*values))[0]
        parts = [np.ravel(np.real(o * w)) for o, w in zip(outs, self.weights, strict=True) if w is not None]
        return np.concatenate(parts, dtype=np.float64)

    def compare(self, position: int, derivative: list[Any]) -> dict[str, Any]:
        """Add the comparisons for one input; its leaves, by their names."""
        value, name = self.values[position], self.subject.names[position]
        flat, rebuild = flatten(value)
        leaves = {}
        for k, (leaf, d, path) in enumerate(zip(flat, derivative, leaf_paths(value), strict=True)):
            if not_differentiable(leaf) is not None:
                continue
            leaves[name + path] = leaf

            def moved(change: Any, k: int = k, leaf: Any = leaf) -> np.ndarray:
                new = rebuild(iter([*flat[:k], leaf + change, *flat[k + 1 :]]))
                try:
                    return self.measure(*self.values[:position], new, *self.values[position + 1 :])
                except Exception:  # outside of its domain
                    return np.full(self.here.shape, np.nan)

            _Leaf(self, name + path, leaf, d, moved).compare()
        return leaves


class _Leaf:
    """One float or array among the inputs, and its computed derivative."""

    def __init__(self, run: _Check, name: str, leaf: Any, d: Any, moved: Callable[[Any], np.ndarray]) -> None:
        self.report, self.here = run.report, run.here
        self.name, self.leaf, self.d, self.moved = name, leaf, d, moved
        rng = np.random.default_rng(1)
        self.size = int(np.size(leaf))
        many = self.size > ENTRIES
        self.chosen = np.sort(rng.choice(self.size, ENTRIES, replace=False)) if many else np.arange(self.size)
        sizes = np.abs(leaf)
        mean = float(np.mean(sizes)) if self.size else 0.0
        self.direction = rng.uniform(-1, 1, np.shape(leaf)) * np.where(sizes > 0, sizes, mean or 1.0)
        self.finite = bool(np.all(np.isfinite(self.here)))
        wiggle = np.where(self.direction < 0, -1, 1) * np.where(sizes > 0, sizes, mean or 1.0)
        self.rounding = rounding_of(lambda h: self.moved(h * wiggle), self.here) if self.finite else self.here
        self.largest = 0.0

    def compare(self) -> None:
        """Add the comparisons: its entries, or some of them and one direction."""
        entries = []
        for i in self.chosen:
            index = tuple(int(j) for j in np.unravel_index(i, np.shape(self.leaf)))
            unit = np.zeros(np.shape(self.leaf))
            unit[index] = 1.0
            at = float(np.abs(np.asarray(self.leaf)[index]))
            entries.append(self.entry(index, unit[()], at, complex(self.d[index])))
        if self.size > ENTRIES:
            self.report.skipped += self.size - ENTRIES
            total = complex(np.sum(self.d * self.direction))
            entries.append(self.entry("all together", self.direction, 0.0, total))
        for entry, slopes, along, at in entries:
            self.judge(entry, slopes)
            if entry.wrong and len(slopes) == 1 and slopes[0].kink is None:  # a flat one shows only from nearby
                slopes[0].kink, slopes[0].jump = sides(along, self.here, self.rounding, at, 1e-3 * (at or 1.0))
                self.judge(entry, slopes)
        kinks = any(entry.kink for entry, *_ in entries)
        for entry, *_ in entries:
            if kinks and entry.wrong and entry.index == "all together":
                entry.undecided, entry.note = True, "undecided: some entries are at kinks"
            self.report.entries.append(entry)

    def entry(self, index: Any, unit: Any, at: float, computed: complex) -> tuple[Entry, list[Slope], Any, float]:
        """The numerical derivative along a direction; for a complex input d/dx - i d/dy, as JAX defines it."""
        along = lambda h: self.moved(h * unit)  # noqa: E731
        if not (self.finite and np.isfinite(at)):
            return Entry(self.name, index, computed, complex(np.nan), np.inf), [Slope()], along, at
        enough = 1e-9 * self.largest
        slopes = [slope(along, self.here, self.rounding, at, enough)]
        if np.iscomplexobj(self.leaf):
            slopes.append(slope(lambda h: self.moved(h * 1j * unit), self.here, self.rounding, at, enough))
        numerical = complex(slopes[0].value, -slopes[1].value if len(slopes) > 1 else 0.0)
        error = sum(s.error for s in slopes)
        if isinstance(index, tuple) and error <= KNOWN * abs(numerical):
            self.largest = max(self.largest, abs(numerical))
        return Entry(self.name, index, computed, numerical, error), slopes, along, at

    def judge(self, e: Entry, slopes: list[Slope]) -> None:
        """Right is what agrees within the tolerance and what the numerical derivative knows of itself."""
        e.right, e.undecided, e.kink, e.note = False, False, False, ""
        off, size = abs(e.computed - e.numerical), abs(e.numerical)
        kink, noise = slopes[0].kink, sum(s.noise for s in slopes)
        if not self.finite or not np.isfinite(e.numerical):
            e.undecided, e.note = True, "cannot be checked here: f is not finite"
        elif any(s.jump for s in slopes):
            e.undecided, e.note = True, "undecided: f jumps here, and has no derivative"
        elif kink is not None and len(slopes) == 1:
            slack = KNOWN * max(abs(kink[0]), abs(kink[1]))
            e.kink, e.right = True, bool(kink[0] - slack <= e.computed.real <= kink[1] + slack)
            slopes_are = f"the slopes are {kink[0]:.4g} and {kink[1]:.4g}"
            e.note = "at a kink: " + ("either side's is right" if e.right else slopes_are)
        elif not np.isfinite(e.computed) and e.uncertainty <= 1e-3 * size:
            e.note = "the computed one is not finite"
        elif e.uncertainty <= max(KNOWN * size, (KNOWN if noise > 0.1 * e.uncertainty else TOLERANCE) * self.largest):
            e.right = bool(off <= TOLERANCE * size + BESIDE_LARGEST * self.largest + 2 * e.uncertainty)
        elif max(abs(e.computed), size) <= 2 * noise:
            e.right = True  # both are zero, as far as the rounding of f lets tell
        else:
            rounds = noise > 0.1 * e.uncertainty
            e.undecided = not ((rounds or e.uncertainty <= 1e-3 * size) and off > 10 * e.uncertainty)
            if e.undecided:
                why = "rounding of f hides it" if rounds else "the differences do not settle"
                e.note = f"undecided: {why}"


def _row(e: Entry) -> tuple[str, str, str, str]:
    where = e.index if isinstance(e.index, str) else "[" + ", ".join(map(str, e.index)) + "]" if e.index else ""
    name = f"{e.name}{' ' if isinstance(e.index, str) else ''}{where}"
    return name, _text(e.computed), _text(e.numerical), e.note or _short(abs(e.computed - e.numerical))


def _text(number: complex) -> str:
    number = complex(number)
    return f"{number.real:.10g}" if number.imag == 0 else f"{number:.10g}"


def _short(size: float) -> str:
    """Two or three digits."""
    return f"{size:.0f}" if 100 <= size < 1e6 else f"{size:.2g}"


def _order(e: Entry) -> float:
    """The worst first; what is as wrong in six digits stays in the order of the inputs."""
    off = abs(e.computed - e.numerical)
    return -float(f"{off:.5e}") if np.isfinite(off) else -np.inf

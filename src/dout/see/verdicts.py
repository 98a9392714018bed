"""Is a derivative right? One input of one function, by differences; and what can't be told is said to be so.

`dout.check` asks the same of whole functions and takes its time. Here thousands of edges are looked at, most of which are
right, so each comparison begins with two steps: where these agree with the derivative there is nothing more to find
out. Only what does not agree is looked at with all the care of `differences.slope`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..differences import EPS, Along, Slope, rounding_of, sides, slope

#: The outputs times the derivatives that arrived at them, as one array, for this value of the input.
Measure = Callable[[Any], np.ndarray]

#: Arrays up to this size are compared entry by entry. Of larger ones: so many entries with the largest derivatives, so
#: many others, so many random directions in which all entries move at once.
SMALL, LARGEST, OTHERS, DIRECTIONS = 8, 4, 2, 2
#: What a derivative may be off by, relative to the terms that it is the sum of, by its dtype. Beyond WRONG times that it
#: is wrong; between the two nothing is said.
TOLERANCE = {2: 3e-2, 4: 2e-4, 8: 1e-7}
WRONG = 20.0
#: A numerical derivative is good for a verdict if it knows itself to this, relative to the same terms.
KNOWN = 1e-4
FIRST = 0.01  # the first look's first step, relative to the size of what moves

RIGHT, UNDECIDED, BAD = "right", "undecided", "wrong"


@dataclass
class Verdict:
    """One comparison.

    Attributes:
        verdict: "right", "wrong" or "undecided".
        reason: what of, a key of the catalogue's `numerical.` sentences.
        computed: the derivative that is checked.
        numerical: that by differences, or NaN.
        index: the entry, `()` of a number; None for a random direction, which is never wrong: its worst entry is.
        left: with `right`, the slopes to both sides of a kink.
    """

    verdict: str
    reason: str
    computed: complex
    numerical: complex = np.nan
    index: tuple[int, ...] | None = ()
    left: float = np.nan
    right: float = np.nan


@dataclass
class Verdicts:
    """All comparisons of one input; the overall verdict is its worst.

    Attributes:
        entries: how many entries were compared one by one.
        of: how many there are.
        directions: how many random directions were compared.
        numerical: the numerical derivative, if all entries were compared.
    """

    of: int
    all: list[Verdict] = field(default_factory=list)
    entries: int = 0
    directions: int = 0
    numerical: Any = None

    @property
    def telling(self) -> Verdict:
        """The comparison that says most: the first wrong one, else the first undecided one, else the first."""
        return next(
            (v for kind in (BAD, UNDECIDED) for v in self.all if v.verdict == kind),
            self.all[0] if self.all else Verdict(RIGHT, "empty", 0.0),
        )


def compared(
    x: Any,
    computed: Any,
    measure: Measure,
    narrow: int = 8,
    seed: int = 0,
    finite: bool = True,
    size: float = 0.0,
    lost: float = 0.0,
    noise: float = 0.0,
) -> Verdicts:
    """Compare the derivative for one input.

    Args:
        x: the input's value, a number or an array.
        computed: the derivative to check, of its shape.
        measure: the function, and the derivatives that arrived; may raise.
        narrow: how many bytes the derivative's real numbers were computed with.
        seed: of the random directions.
        finite: whether all else that the function takes is finite; only then is a derivative that isn't finite wrong.
        size: of the outputs times the derivatives that arrived, if it is more than the measure's, as of complex ones.
        lost: by how much, relative to itself, the derivative may be off because the problem is ill-conditioned.
        noise: what the sum of outputs is off by at least, as far as is known from what happens on the way.

    Entries that are NaN or infinite themselves are left out.

    Example:
        >>> cube = lambda x: np.array([x**3])
        >>> compared(2.0, 12.0, cube).telling.verdict, compared(2.0, 11.0, cube).telling.verdict
        ('right', 'wrong')
    """
    of = int(np.size(x))
    found = Verdicts(of)
    if of == 0:
        return found
    run = _Run(x, computed, measure, narrow, finite, size)
    run.lost, run.noise = lost, noise
    if run.problem:
        found.all.append(Verdict(UNDECIDED, run.problem, complex(np.sum(computed))))
        return found
    if np.shape(x) == ():
        found.all.append(run.entry(()))
        found.entries = 1
        found.numerical = _number(found.all[0].numerical, run.complex)
        return found
    chosen = _chosen(run.computed, run.moves, seed)
    places = [tuple(int(j) for j in np.unravel_index(i, np.shape(x))) for i in chosen]
    found.all += [run.entry(place) for place in places]
    found.entries = len(places)
    if found.entries == of:
        numbers = np.array([_number(v.numerical, run.complex) for v in found.all])
        found.numerical = numbers.reshape(np.shape(x))
    else:
        found.all += [run.direction(seed + k) for k in range(DIRECTIONS)]
        found.directions = DIRECTIONS
    return found


def _chosen(computed: np.ndarray, moves: np.ndarray, seed: int) -> list[int]:
    """Which entries are compared one by one: all of a few; else those with the largest derivatives, and some others."""
    places = np.flatnonzero(moves)
    if len(places) <= SMALL:
        return [int(i) for i in places]
    flat = np.abs(computed).ravel()[places]
    flat = np.where(np.isnan(flat), np.inf, flat)
    largest = np.argpartition(-flat, LARGEST)[:LARGEST]
    others = np.random.default_rng(seed).integers(0, len(places), OTHERS)
    return sorted({int(places[i]) for i in (*largest, *others)})


class _Run:
    """The comparisons of one input."""

    def __init__(self, x: Any, computed: Any, measure: Measure, narrow: int, finite: bool, size: float) -> None:
        self.x, self.measure, self.narrow, self.finite = x, measure, narrow, finite
        self.tolerance, self.lost, self.noise = TOLERANCE[narrow], 0.0, 0.0
        self.number = np.shape(x) == ()
        self.complex = bool(np.iscomplexobj(x))
        self.computed: np.ndarray = np.broadcast_to(np.asarray(computed, complex), np.shape(x))
        self.problem = ""
        self.rounding: np.ndarray | None = None
        self._sizes: Any = None
        if isinstance(x, int):
            if abs(x) > 2**53:
                self.problem = "big"
                return
            self.x = float(x)
        try:
            self.here = measure(x)
        except Exception:  # the user's own forward may raise anything
            self.problem = "fails"
            return
        self.moves: np.ndarray = np.isfinite(self.x)
        self.finite = finite and bool(np.all(self.moves))
        if not (np.all(np.isfinite(self.here)) and np.any(self.moves)):
            self.problem = "nan"
        self.size = max(size, float(np.sum(np.abs(self.here))))

    def moved(self, change: Any) -> np.ndarray:
        """The outputs for a changed input; NaN outside of the domain."""
        try:
            out = self.measure(self.x + change)
        except Exception:
            return np.full(self.here.shape, np.nan)
        return out if out.shape == self.here.shape else np.full(self.here.shape, np.nan)

    def entry(self, index: tuple[int, ...]) -> Verdict:
        """Compare the derivative with respect to one entry."""
        unit: Any = 1.0
        if not self.number:
            unit = np.zeros(np.shape(self.x))
            unit[index] = 1.0
        x = complex(self.x if self.number else self.x[index])
        found = self.judged(unit, abs(x.real), abs(x.imag), complex(self.computed[index]), index)
        if found.verdict == BAD and not self.number and np.isfinite(found.computed):
            equal = np.where(np.real(self.x) == x.real, 1.0, 0.0)  # complex numbers are ordered by their real parts
            if (
                np.sum(equal) > 1
                and self.judged(equal, abs(x.real), abs(x.imag), self.along(equal), None).verdict == RIGHT
            ):
                found.verdict, found.reason = UNDECIDED, "tie"  # whichever of them a median, say, gives it to
        return found

    def direction(self, seed: int) -> Verdict:
        """Compare the derivative along a random direction, in which entries move by about their size."""
        rng = np.random.default_rng([1, seed])
        unit = rng.uniform(-1, 1, np.shape(self.x)) * self.sizes()
        unit = np.where(np.isfinite(self.computed), unit, 0.0)
        found = self.judged(unit, 0.0, 0.0, self.along(unit), None)
        return self.narrowed(unit) if found.verdict == BAD else found

    def along(self, unit: np.ndarray) -> complex:
        """The computed derivative along a direction."""
        return complex(np.sum(np.where(np.isfinite(self.computed), self.computed, 0) * unit))

    def narrowed(self, unit: np.ndarray) -> Verdict:
        """The entry that makes the derivative along a direction wrong, by halving the direction again and again."""
        places = np.flatnonzero(unit)
        while len(places) > 1:
            halves = []
            for half in (places[: len(places) // 2], places[len(places) // 2 :]):
                part = np.zeros(unit.shape)
                part.flat[half] = unit.flat[half]
                off = abs(self.look(part, 0.0)[0] - self.along(part).real)
                halves.append((-np.inf if np.isnan(off) else off, half))
            places = max(halves, key=lambda h: h[0])[1]
        found = self.entry(tuple(int(j) for j in np.unravel_index(places[0], unit.shape)))
        if found.verdict != BAD:
            found.verdict, found.reason = UNDECIDED, "unsettled"
        return found

    def sizes(self) -> Any:
        """By how much each entry may move: its size, or that of the others for a 0; none that isn't finite."""
        if self._sizes is not None:
            return self._sizes
        sizes = np.where(self.moves, np.abs(self.x), 0.0)
        typical = float(np.median(sizes[sizes > 0])) if np.any(sizes > 0) else 1.0
        self._sizes = np.where(self.moves, np.where(sizes > 0, sizes, typical), 0.0)
        return self._sizes

    def judged(self, unit: Any, at: float, at_imag: float, computed: complex, index: tuple[int, ...] | None) -> Verdict:
        """Compare along a line; for a complex input d/dx - i d/dy, as the rules have it."""
        lines = [(unit, at), (1j * unit, at_imag)] if self.complex else [(unit, at)]
        looks = [self.look(*line) for line in lines]
        numerical = complex(looks[0][0], -looks[1][0] if self.complex else 0.0)
        terms = sum(t for _, t in looks)
        if abs(computed - numerical) <= 0.1 * TOLERANCE[self.narrow] * terms:
            return Verdict(RIGHT, "right", computed, numerical, index)
        return self.closely(lines, computed, terms, index)

    def look(self, unit: Any, at: float) -> tuple[float, float]:
        """A derivative by two central differences and one extrapolation, and the sum of its terms' sizes."""
        at = at if at > 1e-290 else 0.0  # what is smaller has no parts to step by
        h = (at + FIRST * (at or 1.0)) - at
        k = (at + h / 4) - at
        wide = (self.moved(h * unit) - self.moved(-h * unit)) / (2 * h)
        fine = (self.moved(k * unit) - self.moved(-k * unit)) / (2 * k)
        each = fine + (fine - wide) / ((h / k) ** 2 - 1)
        return float(np.sum(each)), float(np.sum(np.abs(each)))

    def closely(
        self, lines: Sequence[tuple[Any, float]], computed: complex, terms: float, index: tuple[int, ...] | None
    ) -> Verdict:
        """The same with all care: a search for the best step, the rounding of the function, kinks and jumps."""
        if self.rounding is None:
            self.rounding = rounding_of(lambda h: self.moved(h * self.sizes()), self.here)
            self.rounding = np.maximum(self.rounding, self.noise / np.sqrt(self.here.size))
        terms = terms if np.isfinite(terms) else 0.0
        alongs = [(lambda h, u=u: self.moved(h * u), at) for u, at in lines]
        slopes = [slope(along, self.here, self.rounding, at, 1e-9 * terms) for along, at in alongs]
        found = self.verdict(slopes, lines[0][1], computed, terms, index)
        if found.verdict == BAD and len(lines) == 1 and slopes[0].kink is None:  # a flat one shows only from nearby
            along, at = alongs[0]
            slopes[0].kink, slopes[0].jump = sides(along, self.here, self.rounding, at, 1e-3 * (at or 1.0))
            found = self.verdict(slopes, at, computed, terms, index)
        if found.verdict == BAD and found.reason != "kink":
            off = abs(computed - found.numerical) if np.isfinite(computed) else np.inf
            for s, (along, at), c in zip(slopes, alongs, (computed.real, -computed.imag), strict=False):
                if abs(c - s.value) < 0.1 * off:
                    continue  # of a complex derivative this part is right
                if not self.holds(s, along, at, c, off):
                    return Verdict(UNDECIDED, "unsettled", computed, found.numerical, index)
        return found

    def holds(self, found: Slope, along: Along, at: float, computed: float, off: float) -> bool:
        """Whether a numerical derivative stands at other steps too, and no output hides a part of it.

        A sine of a large number or a remainder by a small one goes through many periods within a step. And where one
        output is so large that the step is lost in its rounding, its part of the derivative is not seen.
        """
        assert self.rounding is not None
        size = at or 1.0
        moved, still = np.zeros(self.here.shape, bool), True
        for power in (-5, -14, -20, -26, -32, -38, -44, -48):
            h = (at + 2.0**power * size) - at
            after, before = along(h), along(-h)
            if h == 0 or not np.all(np.isfinite(after) & np.isfinite(before)):
                continue
            moves = (after != self.here) | (before != self.here)
            moved |= moves
            rounding = np.where(moves, self.rounding, 0.0)
            changes = np.where(moves, np.maximum(np.abs(self.here), np.abs(after - self.here)), 0.0)
            if power == -5 and np.any(rounding > 0.01 * changes):
                return False  # next to each other, its values are as good as random
            if power > -14:
                continue
            still = still and not np.any(moves)
            if power == -38 and np.any(np.abs(after - before) > 1e-3 * np.max(np.abs(self.here))):
                return False  # it jumps, and another output jumps the other way
            d = float(np.sum(after - before)) / (2 * h)
            last_bits = 4 * EPS * float(np.sum(changes)) / h
            if last_bits <= 0.1 * off and abs(d - computed) <= 0.02 * off:
                return False
            slack = 4 * float(np.sum(rounding)) / h + 2 * found.error
            if not abs(d - found.value) <= 0.25 * min(off, abs(found.value)) + slack:
                return False
        if still:
            if at * EPS > 1e-3 or off * size <= 16 * EPS * max(self.size, 1.0):
                return False  # too few digits behind the point for a remainder, or of 1 + x for a small x
            for h in (0.03 * size, 0.1 * size, 0.3 * size, size):  # the tread of a staircase that climbs as it should
                if abs(float(np.sum(along(h) - along(-h))) / (2 * h) - computed) <= 0.3 * abs(computed):
                    return False
        far = along(4 * float(np.max(np.abs(self.here), initial=size)))
        hidden = float(np.sum(np.where((far != self.here) & ~moved, np.abs(self.here), 0.0))) * EPS / (0.03 * size)
        return hidden <= 0.1 * off

    def verdict(
        self, slopes: list[Slope], at: float, computed: complex, terms: float, index: tuple[int, ...] | None
    ) -> Verdict:
        """Right is what agrees within the tolerance, wrong what is off by far more than is not known."""
        numerical = complex(slopes[0].value, -slopes[1].value if self.complex else 0.0)
        error, kink = sum(s.error for s in slopes), slopes[0].kink

        def say(verdict: str, reason: str) -> Verdict:
            left, right = kink or (np.nan, np.nan)
            return Verdict(verdict, reason, computed, numerical, index, left, right)

        if any(s.jump for s in slopes):
            return say(UNDECIDED, "jump")
        if self.complex and any(s.kink for s in slopes):
            return say(UNDECIDED, "unsettled")
        if kink is not None:
            slack = max(KNOWN, self.tolerance) * max(abs(kink[0]), abs(kink[1]))
            between = kink[0] - slack <= computed.real <= kink[1] + slack
            return say(UNDECIDED if between or index is None or not np.isfinite(computed) else BAD, "kink")
        if not np.isfinite(numerical):
            return say(UNDECIDED, "unsettled")
        terms = max(terms, abs(numerical)) if np.isfinite(terms) else abs(numerical)
        known = error <= KNOWN * terms
        if not np.isfinite(computed):
            if not self.finite:
                return say(UNDECIDED, "nan")
            if abs(numerical) > _MAX[self.narrow] / 16:
                return say(UNDECIDED, "narrow")
            return say(BAD, "infinite") if known and terms > 0 else say(UNDECIDED, "unsettled")
        off, tolerance = abs(computed - numerical), self.tolerance * terms
        step = (at or 1.0) if self.narrow < 8 else max(at, 1.0)
        hidden = 4 * _EPS[self.narrow] * self.size / (0.03 * step)  # by the rounding of the output, over a large step
        hidden += self.lost * terms
        if off <= tolerance + 2 * error and known:
            return say(RIGHT, "right")
        if off <= 2 * (error + hidden) and max(abs(computed), abs(numerical)) <= 4 * (error + hidden):
            return say(RIGHT, "right")  # both are zero, as far as rounding lets tell
        if off > WRONG * tolerance + hidden and off > 10 * error and off > _TINY[self.narrow]:
            return say(BAD, "wrong")
        if off <= WRONG * tolerance + hidden:
            return say(UNDECIDED, "narrow" if self.narrow < 8 else "noise")
        rounds = sum(s.noise for s in slopes) > 0.1 * error
        return say(UNDECIDED, "noise" if rounds else "unsettled")


_EPS = {2: float(np.finfo(np.float16).eps), 4: float(np.finfo(np.float32).eps), 8: EPS}
_MAX = {2: 65504.0, 4: float(np.finfo(np.float32).max), 8: float(np.finfo(np.float64).max)}
#: What is off by less may come of an underflow on the way.
_TINY = {2: 1e-4, 4: 1e-36, 8: 1e-200}


def _number(value: complex, is_complex: bool) -> Any:
    return value if is_complex else value.real

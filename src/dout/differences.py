"""Numerical derivatives: central differences extrapolated to step zero, with what they know of their own error.

Steps begin at 3/100 of the entry's size and shrink by 4. Each three in a row are extrapolated (Richardson). The error of
what comes out is taken as the sum of what the extrapolation still changed, how far the three before were off, and what
rounding of f leaves of a difference with that step. The value with the least error is kept, so that far from a kink or a
pole the large steps win, and near one the small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: f along a line: the outputs, as one array, at a step from the point.
Along = Callable[[float], np.ndarray]

FIRST_STEP = 0.03  # no power of two: a function with a period often has one
STEPS = 18  # down to 0.03 / 4**17, about 2e-12 of the size
ENOUGH = 1e-9  # relative error with which the search for a better step ends
EPS = float(np.finfo(np.float64).eps)


@dataclass
class Slope:
    """A numerical derivative along a line.

    Attributes:
        value: the derivative; NaN if f is not finite on both sides at any step.
        error: an estimate of its error.
        noise: the part of it that rounding of f explains.
        kink: the slopes to the left and to the right, lesser first, if these differ at the point.
        jump: whether f jumps at the point.
    """

    value: float = np.nan
    error: float = np.inf
    noise: float = 0.0
    kink: tuple[float, float] | None = None
    jump: bool = False

    @property
    def known(self) -> bool:
        """Whether it is sure of three digits. Beside a kink or a jump small errors may be claimed, of smaller values."""
        return self.error <= 1e-3 * abs(self.value)

    def better(self, other: Slope) -> bool:
        """Whether it is rather to be believed than another."""
        return self.error < other.error if self.known == other.known else self.known


@dataclass
class _Step:
    """The differences with one step: both sides, to the left, to the right."""

    h: float
    central: float
    left: float
    right: float
    noise: float

    @property
    def gap(self) -> float:
        return self.right - self.left


def slope(along: Along, here: np.ndarray, rounding: np.ndarray, at: float, enough: float = 0.0) -> Slope:
    """The derivative of the sum of outputs at step zero.

    Args:
        along: the outputs at a step.
        here: the outputs at step zero.
        rounding: what each output may be off by, as `rounding_of` finds.
        at: the size of what is moved; the steps are relative to it, and to 1 if it is 0 or the relative ones fail.
        enough: an absolute error that is small enough.

    Example:
        >>> found = slope(lambda h: np.array([np.exp(h)]), np.array([1.0]), np.zeros(1), at=0.0)
        >>> abs(found.value - 1) < 1e-11
        True
        >>> slope(lambda h: np.array([abs(h)]), np.array([0.0]), np.zeros(1), at=0.0).kink
        (-1.0, 1.0)
    """
    best, steps = _search(along, here, rounding, at, at or 1.0, enough)
    if at and not 0.25 < at < 4 and not best.error <= 10 * max(ENOUGH * abs(best.value), enough):
        other, others = _search(along, here, rounding, at, 1.0, enough)
        if other.better(best):
            best, steps = other, others
    if len(steps) > 1 and not best.jump:
        before, last = steps[-2:]
        seen = max(20 * last.noise, 1e-6 * max(abs(last.left), abs(last.right)))
        if abs(last.gap) > max(seen, 0.5 * abs(before.gap)):  # of a smooth function the gap shrinks with the step
            best.kink, best.jump = sides(along, here, rounding, at, last.h)
    return best


def _search(
    along: Along, here: np.ndarray, rounding: np.ndarray, at: float, size: float, enough: float
) -> tuple[Slope, list[_Step]]:
    """The best extrapolation from steps relative to a size, and the steps that were tried."""
    best = Slope()
    steps: list[_Step] = []
    previous = np.nan
    moved = np.zeros(here.shape, bool)
    for k in range(STEPS):
        if (
            steps
            and 4 * steps[-1].noise > best.error
            and (best.known or best.noise > 0.1 * best.error or steps[-1].noise > abs(steps[-1].central))
        ):
            break  # with smaller steps rounding alone is more
        step = _step(along, here, rounding, at, FIRST_STEP * size / 4**k, moved)
        if not np.isfinite(step.central):
            steps, previous = [], np.nan
            continue
        steps.append(step)
        if len(steps) == 1 and not np.any(moved):
            moved |= along(max(at, 1.0)) != here
        if len(steps) < 3:
            continue
        a, b, c = (s.central for s in steps[-3:])
        low, high = b + (b - a) / 15, c + (c - b) / 15
        value = high + (high - low) / 255
        coarse = abs(low - b) + steps[-2].noise  # of larger steps alone: where f rounds much, these know best
        found = Slope(low, coarse, steps[-2].noise)
        if abs(c - low) <= coarse + step.noise and found.better(best):
            best = found
        error = abs(value - high) + abs(value - previous) + step.noise
        found = Slope(value, error, step.noise)
        if found.better(best):
            best = found
        if error <= max(ENOUGH * abs(value), enough):
            break
        previous = value
    if steps and not np.isfinite(best.value):  # too few steps for a table
        best = Slope(steps[-1].central)
    if len(steps) > 2 and best.error > 0.1 * abs(best.value):
        grows = [
            abs(after.central) / (abs(s.central) or np.inf) for s, after in zip(steps[-3:], steps[-2:], strict=False)
        ]
        best.jump = abs(steps[-1].central) > 20 * steps[-1].noise and all(abs(g - 4) < 0.04 for g in grows)
    return best, steps


def _step(along: Along, here: np.ndarray, rounding: np.ndarray, at: float, h: float, moved: np.ndarray) -> _Step:
    """The differences; `moved` is told which outputs depend on the step, so that others' rounding is left out."""
    h = (at + h) - at  # so that the entry plus h is a float, and the step is what it is taken for
    if h == 0:
        return _Step(h, np.nan, np.nan, np.nan, np.inf)
    after, before = along(h), along(-h)
    moved |= (after != here) | (before != here)
    off = np.maximum(rounding, EPS * np.maximum(np.abs(after), np.abs(before)))
    if np.any(moved):
        off = off * moved
    noise = 2 * float(np.sqrt(np.sum(off**2))) / h
    return _Step(
        h,
        float(np.sum(after - before)) / (2 * h),
        float(np.sum(here - before)) / h,
        float(np.sum(after - here)) / h,
        noise,
    )


def rounding_of(along: Along, here: np.ndarray) -> np.ndarray:
    """What each output may be off by: its last bit, or more where f loses digits on its way.

    Over steps so small that f is a straight line to each side, what it is off the line is its rounding. Where f is constant
    over such steps and moves over larger ones, it may round to float32 on its way, and is measured over the larger.
    """
    found, moves = _off_line(along, here, 1e-12)
    if not np.all(moves):
        coarse, moves_then = _off_line(along, here, 1e-6)
        found = np.where(moves_then & ~moves, coarse, found)
    return np.asarray(np.fmax(found, EPS * np.abs(here)))


def _off_line(along: Along, here: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """How far each output is from a line through the first and last of some steps, and whether it moves over them."""
    steps = np.array([1, 2.3, 3.1, 4.7, 5.4, 6.2, 7.9, 9.1])  # uneven, or equal treads of a staircase look straight
    off, moves = np.zeros(here.shape), np.zeros(here.shape, bool)
    for side in (h, -h):
        values = np.array([along(side * k) for k in steps])
        part = ((steps - steps[0]) / (steps[-1] - steps[0]))[:, np.newaxis]
        line = values[0] + part * (values[-1] - values[0])
        off = np.fmax(off, np.fmax.reduce(np.abs(values - line)))
        moves |= np.any(values != here, axis=0)
    return off, moves


def sides(
    along: Along, here: np.ndarray, rounding: np.ndarray, at: float, h: float
) -> tuple[tuple[float, float] | None, bool]:
    """The slopes to both sides, lesser first, if they differ at the point; and whether f jumps there.

    Either has to last down to the least step that rounding allows: a kink beside the point is none of it.
    """
    steps: list[_Step] = []
    moved = np.zeros(here.shape, bool)
    for _ in range(14):
        h /= 8
        step = _step(along, here, rounding, at, h, moved)
        if not step.noise < 2e-3 * abs(step.gap):
            break
        steps.append(step)
    if len(steps) < 2:
        return None, False
    before, last = steps[-2:]
    if abs(last.gap) > 4 * abs(before.gap):
        return None, True
    if max(abs(last.left - before.left), abs(last.right - before.right)) > 0.02 * abs(last.gap):
        return None, False
    return (min(last.left, last.right), max(last.left, last.right)), False

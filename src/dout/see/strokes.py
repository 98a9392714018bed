"""The lines of an arrow: two side by side, with heads of different shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .markup import num
from .theme import HEAD

KNEE = 6  # px, before and after the corner where an arrow turns towards a circle
Points = Sequence[Sequence[float]]


def line(points: Points, shift: float, end: float = 0.0, start: float = 0.0) -> str:
    """A path beside an arrow's points, at the same distance everywhere: level pieces, bends, and a slant at the end.

    Args:
        points: the arrow's; see placement.
        shift: how far beside them; negative is above.
        end: how much of the path's end is left out, for a head to stand there.
        start: how much of its start is left out.

    Example:
        >>> line([[0, 10], [20, 10], [40, 30], [80, 30], [90, 30]], -3)
        'M0 7H20C32.8 7 32.8 27 40 27H90'
    """
    *way, (a, b) = points
    x, y = way[0]
    path = f"M{num(x + start)} {num(y + shift)}"
    level = False
    for x2, y2 in way[1:]:
        if abs(y2 - y) < 0.01:
            level = True
        else:
            path += (f"H{num(x)}" if level else "") + _bend(x, y, x2, y2, shift)
            level = False
        x, y = x2, y2
    dx, dy = _direction(points)
    if abs(dy) < 0.01:
        return f"{path}H{num(a - end)}"
    a, b = a - shift * dy, b + shift * dx
    knee = a + (y + shift - b) * dx / dy
    soft = max(0.0, min(KNEE, math.hypot(a - knee, b - y - shift) / 2))
    after = f"{num(knee)} {num(y + shift)} {num(knee + soft * dx)} {num(y + shift + soft * dy)}"
    return f"{path}H{num(knee - soft)}Q{after}L{num(a - end * dx)} {num(b - end * dy)}"


def _direction(points: Points) -> tuple[float, float]:
    """The unit vector along which an arrow arrives."""
    (x, y), (a, b) = points[-2:]
    length = math.hypot(a - x, b - y)
    return ((a - x) / length, (b - y) / length) if length > 0.01 else (1.0, 0.0)


def _bend(x: float, y: float, a: float, b: float, shift: float) -> str:
    """A curve that leaves and arrives level. Its handles are moved so that two of them keep their distance on a slope."""
    middle, run, rise = (x + a) / 2, a - x, b - y
    handle = middle - shift * rise / math.hypot(run, rise) * 4 / 3
    at, to = num(y + shift), num(b + shift)
    return f"C{num(handle)} {at} {num(handle)} {to} {num(a)} {to}"


def forward_head(points: Points, shift: float) -> str:
    """Filled, at the target."""
    dx, dy = _direction(points)
    x, y = points[-1][0] - shift * dy, points[-1][1] + shift * dx
    back, half = HEAD, 3.6
    left = x - back * dx + half * dy, y - back * dy - half * dx
    right = x - back * dx - half * dy, y - back * dy + half * dx
    return f"M{num(x)} {num(y)}L{num(left[0])} {num(left[1])}L{num(right[0])} {num(right[1])}z"


def backward_head(points: Points, shift: float, w: float = 0) -> str:
    """Open, at the source."""
    x, y = points[0]
    half = 3.8 + w * 0.9
    return f"M{num(x + HEAD + w)} {num(y + shift - half)}L{num(x)} {num(y + shift)}l{num(HEAD + w)} {num(half)}"

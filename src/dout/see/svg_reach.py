"""How large derivatives are, drawn as how thick their lines are."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .markup import num

THIN, THICK = 0.8, 5.5  # px
DECADES = 12  # what is smaller than the largest by more than this is drawn as thin as can be


def magnitude(value: Mapping[str, Any] | None) -> float | None:
    """The largest absolute value in a number or an array; NaN and infinity as such, None where nothing is known."""
    if not value:
        return None
    keys: Collection[str] = ("v",) if "v" in value else ("re", "im") if "re" in value else ("min", "max")
    found = [abs(float(value[key])) for key in keys if key in value and value[key] is not None]
    if value.get("bad"):
        found.append(math.inf)
    if not found:
        return None
    return math.nan if any(map(math.isnan, found)) else max(found)


def dashes(thick: float) -> str:
    """How a derivative's line is broken: longer dashes the thicker it is, dots where it is 0."""
    return f"{num(max(5, 2 * thick))} {num(max(3.2, 1.1 * thick))}" if thick else "1 3.5"


class Sizes:
    """How thick derivatives are drawn: by the power of ten.

    Attributes:
        low: the power of ten that is drawn thinnest.
        high: the one that is drawn thickest.
    """

    def __init__(self, arrows: Sequence[Mapping[str, Any]]) -> None:
        found = [m for arrow in arrows if (m := magnitude(arrow.get("derivative"))) and math.isfinite(m)]
        powers = [math.log10(m) for m in found]
        self.high = math.ceil(max(powers, default=0.0) - 1e-9)
        self.low = max(math.floor(min(powers, default=0.0) + 1e-9), self.high - DECADES)
        if self.low == self.high:
            self.low -= 1

    def thickness(self, value: Mapping[str, Any] | None) -> float:
        """Of the line that carries this derivative; 0 for one that is 0 all over."""
        size = magnitude(value)
        if size is None or math.isnan(size) or math.isinf(size):
            return THICK if size else 1.5
        return self.at(math.log10(size)) if size else 0.0

    def at(self, power: float) -> float:
        """The thickness that stands for a power of ten."""
        share = (min(max(power, self.low), self.high) - self.low) / (self.high - self.low)
        return THIN + (THICK - THIN) * share

    def marks(self) -> list[int]:
        """The powers of ten in the legend."""
        steps = self.high - self.low
        step = max(1, math.ceil(steps / 4))
        return list(range(self.high, self.low - 1, -step))

"""The signs in the circles. The common ones are drawn, so that they are the same size and in the middle in every font."""

from __future__ import annotations

from .markup import Pen, num
from .metrics import cells

#: Lines from the middle of the circle, each as dx dy and then its length in x and y.
STAR = ((-4.5, 0, 9, 0), (-2.25, -3.9, 4.5, 7.8), (-2.25, 3.9, 4.5, -7.8))
DRAWN = {
    "+": ((-7, 0, 14, 0), (0, -7, 0, 14)),
    "-": ((-7, 0, 14, 0),),
    "−": ((-7, 0, 14, 0),),
    "×": ((-5.5, -5.5, 11, 11), (-5.5, 5.5, 11, -11)),
    "/": ((-4, 8, 8, -16),),
    "**": tuple((x + dx, y, a, b) for dx in (-6, 6) for x, y, a, b in STAR),
}


def sign(pen: Pen, text: str, x: float, y: float, drawn: bool = True) -> str:
    """What stands in the middle of an operation.

    Args:
        pen: what draws it.
        text: the sign or the word.
        x: the middle.
        y: the middle.
        drawn: whether signs are drawn; a layer's name is always text.
    """
    if drawn and text in DRAWN:
        d = "".join(f"M{num(x + dx)} {num(y + dy)}l{num(a)} {num(b)}" for dx, dy, a, b in DRAWN[text])
        return pen.path(d, "ink", None, 1.8, ' stroke-linecap="round"')
    size = {1: 17, 2: 15, 3: 13.5}.get(cells(text), 12) if drawn else 12
    return pen.text(x, y + size * 0.345, text, "ink", "middle", size)

"""Text and numbers on their way into SVG: nothing that a user wrote can end an attribute, open a tag or turn a line around."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from .metrics import CELL, clip
from .theme import FILL, STROKE, WIDTH

#: Marks that reorder the text around them; dropped, for a name is isolated as a whole.
TURNING = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])

#: Those of them that reach beyond a name that is isolated.
OPEN_ENDED = {code: None for code in TURNING if code not in (0x2068, 0x2069)}


def clean(text: object, lines: bool = False) -> str:
    """Text that XML can hold: control characters as their pictures (␀), half characters as �.

    Args:
        text: anything; what isn't text is written as such.
        lines: whether ends of lines stay.

    Example:
        >>> clean("a" + chr(0) + "b")
        'a␀b'
    """
    return _legal(str(text).translate(TURNING), lines)


def _legal(text: str, lines: bool) -> str:
    if text.isascii() and text.isprintable():
        return text
    out = []
    for c in text:
        code = ord(c)
        if code < 32:
            out.append(c if lines and c == "\n" else chr(0x2400 + code))
        elif code == 127:
            out.append("␡")
        elif 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code < 0xFDF0:
            out.append("�")
        elif code in (0x2028, 0x2029):
            out.append("␤")
        else:
            out.append(c)
    return "".join(out)


def escape(text: object, lines: bool = False) -> str:
    """Text for the inside of a tag or of an attribute in double quotes. What `isolated` put around names stays."""
    done = _legal(str(text).translate(OPEN_ENDED), lines)
    return (
        done.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#39;")
    )


def turned(text: str) -> bool:
    """Whether there is something in it that is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text)


def isolated(text: object) -> str:
    """A name within a sentence, which keeps its direction to itself."""
    done = clean(text)
    return f"\u2068{done}\u2069" if turned(done) else done


def fit(text: object, room: float, size: float = 12) -> str:
    """The text, or as much of its beginning as there is room for, with an ellipsis.

    Example:
        >>> fit("a_rather_long_name", 60)
        'a_rathe…'
    """
    return clip(clean(text), max(1, int((room + 0.5) / (CELL * size / 12))))


def num(x: float) -> str:
    """A coordinate, to a tenth of a px.

    Example:
        >>> num(3.0), num(1.26), num(-0.01)
        ('3', '1.3', '0')
    """
    done = f"{x:.1f}".removesuffix(".0")
    return "0" if done == "-0" else done


class Pen:
    """Writes elements with a colour's attribute and its class beside it.

    What most of them share stands once, around them all: no fill, lines of 1.5 px, text in the middle of its place.

    Attributes:
        colours: what each colour is, in `fill` and `stroke` attributes.
    """

    SHARED = f'fill="none" stroke-width="{WIDTH}" stroke-linejoin="round" text-anchor="middle"'

    def __init__(self, colours: Mapping[str, str]) -> None:
        self.colours = colours

    def _paint(self, fill: str | None, stroke: str | None, more: str = "") -> str:
        classes = " ".join(
            [*([FILL[fill]] if fill else []), *([STROKE[stroke]] if stroke else []), *([more] if more else [])]
        )
        out = f' class="{classes}"' if classes else ""
        out += f' fill="{self.colours[fill]}"' if fill else ""
        return out + (f' stroke="{self.colours[stroke]}"' if stroke else "")

    def path(self, d: str, stroke: str | None = None, fill: str | None = None, w: float = WIDTH, more: str = "") -> str:
        """Lines and areas by SVG's path language."""
        thick = f' stroke-width="{num(w)}"' if stroke and w != WIDTH else ""
        return f'<path{self._paint(fill, stroke)} d="{d}"{thick}{more}/>'

    def rect(
        self, x: float, y: float, w: float, h: float, r: float, fill: str | None, stroke: str | None, more: str = ""
    ) -> str:
        """A box with round corners."""
        size = f'x="{num(x)}" y="{num(y)}" width="{num(w)}" height="{num(h)}"'
        return f'<rect{self._paint(fill, stroke)} {size} rx="{num(r)}"{more}/>'

    def text(
        self, x: float, y: float, text: str, fill: str = "ink", anchor: str = "middle", size: float = 12, more: str = ""
    ) -> str:
        """One line; `text` is not escaped yet."""
        if not text:
            return ""
        where = "" if anchor == "middle" else f' text-anchor="{anchor}"'
        sized = "" if size == 12 else f' font-size="{num(size)}"'
        paint = self._paint(fill, None, "r" if turned(text) else "")
        return f'<text{paint} x="{num(x)}" y="{num(y)}"{where}{sized}{more}>{escape(text)}</text>'

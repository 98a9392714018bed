"""SVG as PNG and PDF, by CairoSVG.

CairoSVG writes a text in the first font of its list, and draws empty boxes for characters that the font lacks. So each
text that has such characters is cut into pieces first, each with a font that has them, if the machine has one.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from functools import cache
from typing import Any

from .markup import turned

#: What stands around a name that is written in its own direction.
ISOLATES = "\u2068\u2069"
SVG = "{http://www.w3.org/2000/svg}"
SCALE = 2.0
#: Cairo draws no wider than this, and larger images take gigabytes.
SIDE, AREA = 32_000, 150_000_000
MONO = ("DejaVu Sans Mono", "Menlo", "Consolas", "Liberation Mono", "Courier New", "monospace")
#: For what those lack: Chinese, Japanese, Korean, and signs of all kinds. The first that has a character writes it.
OTHER = (
    "Noto Sans Mono CJK SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei", "SimSun", "Yu Gothic", "Malgun Gothic", "DejaVu Sans",
    "Noto Sans", "Noto Sans Hebrew", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Symbols",
    "Noto Sans Symbols2", "Noto Sans Math", "Noto Emoji", "Symbola", "Segoe UI Symbol", "Segoe UI Emoji", "Apple Symbols",
    "Arial Unicode MS",
)  # fmt: skip


def png_of(svg: str, scale: float | None = None) -> bytes:
    """An image of pixels.

    Args:
        svg: what `svg_of` gives.
        scale: pixels for each px of the picture; 2 if not given, or as much as makes no enormous image.
    """
    width, height = _size(svg)
    most = min(SIDE / max(width, height), math.sqrt(AREA / (width * height)))
    if scale is None:
        scale = min(SCALE, most)
    elif not 0 < scale <= most:
        raise ValueError(
            f"scale has to be above 0 and, for a picture of {width:g}×{height:g} px, at most {most:.3g}; got {scale!r}"
        )
    image: bytes = _cairosvg().svg2png(bytestring=_prepared(svg), scale=scale)
    return image


def pdf_of(svg: str) -> bytes:
    """A page of the picture's size, to print or to put into a book; the same bytes for the same picture."""
    page: bytes = _cairosvg().svg2pdf(bytestring=_prepared(svg))
    return re.sub(rb"(?<=/CreationDate \(D:)\d{14}(?=[^)]*\))", b"2000" + b"01" * 2 + b"0" * 6, page)


def _size(svg: str) -> tuple[float, float]:
    found = re.search(r'width="([\d.]+)" height="([\d.]+)" viewBox', svg)
    assert found is not None
    return float(found[1]), float(found[2])


def _cairosvg() -> Any:
    try:
        import cairosvg
    except ImportError as error:
        raise ImportError(
            'PNG and PDF are drawn by CairoSVG, which is not installed: pip install "dout[images]"; .svg and .html need nothing'
        ) from error
    except OSError as error:  # CairoSVG is there, but not the cairo library that it calls
        raise ImportError(
            "PNG and PDF are drawn by the library cairo, which was not found: install it by the system's package manager "
            f"(Debian: libcairo2; macOS: brew install cairo); .svg and .html need nothing. {error}"
        ) from error
    return cairosvg


def _prepared(svg: str) -> bytes:
    """The picture with fonts that are there."""
    ET.register_namespace("", SVG[1:-1])
    root = ET.fromstring(svg)
    fonts = _fonts()
    root.set("font-family", fonts.mono)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == SVG + "text" and child.text and not fonts.has(fonts.mono, child.text):
                at = list(parent).index(child)
                parent.remove(child)
                for piece in reversed(_pieces(child, fonts)):
                    parent.insert(at, piece)
    done: bytes = ET.tostring(root, encoding="utf-8")
    return done


def _pieces(text: ET.Element, fonts: Fonts) -> list[ET.Element]:
    """A text as several, side by side, each in one font."""
    runs: list[list[str]] = []
    for c in _ordered(text.text or ""):
        family = fonts.of(c)
        if runs and runs[-1][0] == family:
            runs[-1][1] += c
        else:
            runs.append([family, c])
    size = float(text.get("font-size", "12"))
    widths = [fonts.width(family, run, size) for family, run in runs]
    x = float(text.get("x", "0")) - sum(widths) * {"start": 0.0, "end": 1.0}.get(text.get("text-anchor", ""), 0.5)
    made = []
    for (family, run), w in zip(runs, widths, strict=True):
        piece = ET.Element(text.tag, {**text.attrib, "text-anchor": "start"})
        start = len(run) - len(run.lstrip())  # CairoSVG drops spaces at a text's beginning
        piece.set("x", f"{x + fonts.width(family, run[:start], size):.2f}")
        piece.set("font-family", family)
        piece.text = run[start:]
        made.append(piece)
        x += w
    return made


def _ordered(text: str) -> str:
    """Characters from left to right as they are seen: CairoSVG knows nothing of what is written from right to left.

    Example:
        >>> _ordered("abc \u05d0\u05d1 \u05d2 = d") == "abc \u05d2 \u05d1\u05d0 = d"
        True
    """
    out, held = "", ""  # `held` is written from right to left
    for c in text:
        if turned(c) or (held and c.isspace()):
            held += c
        else:
            out, held = _flushed(out, held) + ("" if c in ISOLATES else c), ""
    return _flushed(out, held)


def _flushed(out: str, held: str) -> str:
    kept = held.rstrip()
    return out + kept[::-1] + held[len(kept) :]


class Fonts:
    """What cairo's fonts can write."""

    def __init__(self) -> None:
        import cairocffi

        self.cairo = cairocffi
        self.context = cairocffi.Context(cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, 1, 1))
        self.mono = next((family for family in MONO if self._is_mono(family)), "monospace")

    def _is_mono(self, family: str) -> bool:
        return abs(self.width(family, "W", 100) - self.width(family, "i", 100)) < 0.5

    def _choose(self, family: str, size: float = 100) -> None:
        self.context.select_font_face(family)
        self.context.set_font_size(size)

    def width(self, family: str, text: str, size: float) -> float:
        """The width of a text in px."""
        self._choose(family)
        return float(self.context.text_extents(text)[4]) * size / 100

    def has(self, family: str, text: str) -> bool:
        """Whether the font has every character."""
        self._choose(family)
        glyphs = self.context.get_scaled_font().text_to_glyphs(0, 0, text, False)
        return all(glyph[0] for glyph in glyphs)

    def of(self, c: str) -> str:
        """The font for a character."""
        return next((family for family in (self.mono, *OTHER) if self.has(family, c)), self.mono)


@cache
def _fonts() -> Fonts:
    return Fonts()

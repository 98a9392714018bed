"""A picture as SVG: one file that needs nothing else, the same bytes for the same picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .levels import levels_of
from .markup import Pen, escape, isolated, num
from .paths import ways_of
from .placement import carry, place
from .svg_foot import Foot, notes_on
from .svg_marks import Marks
from .svg_reach import Sizes
from .svg_words import described, shown_title
from .theme import DARK, LIGHT, MARGIN, style
from .words import say

THEMES = {None: LIGHT, "light": LIGHT, "dark": DARK}


def svg_of(
    description: Mapping[str, Any],
    lang: str | None = None,
    formulas: bool = False,
    sizes: bool = False,
    paths: str | None = None,
    theme: str | None = None,
    legend: bool = True,
    flat: bool = False,
) -> str:
    """Draw a description.

    Args:
        description: what `describe` gives; folds are drawn as it says, open or closed.
        lang: "en" or "zh", the language of titles and notes; the description's own, or English, if not given.
        formulas: write each derivative's formula below it.
        sizes: draw derivatives as thick as they are large, with a legend.
        paths: the name of an input whose ways to the output are highlighted.
        theme: "light" or "dark" for one of the two; both, by what the reader's screen asks for, if not given.
        legend: say below the picture which arrow is which.
        flat: draw every operation and no folds, whatever the description says.

    Raises:
        ValueError: for a theme, a language or an input that there isn't; for `flat`, if the description leaves operations
            out, as that of an enormous graph does.

    Example:
        >>> import dout
        >>> print(dout.see(lambda x: x * x, 3.0).svg()[:39])
        <svg xmlns="http://www.w3.org/2000/svg"
    """
    if theme not in THEMES:
        raise ValueError(f"theme has to be 'light', 'dark' or None (as the reader's screen is), got {theme!r}")
    lang = lang or description.get("lang") or "en"
    if lang not in ("en", "zh"):
        raise ValueError(f"lang has to be 'en' or 'zh', got {lang!r}")
    if flat:
        description = _flat(description, formulas)
    pen = Pen(THEMES[theme])
    opened = _opened(description["groups"])
    placed = place(description["levels"], opened)
    for arrow in placed["arrows"]:
        carry(description, arrow)
    scale = Sizes(placed["arrows"]) if sizes else None
    ways = ways_of(description, paths) if paths is not None else None
    on = (set(ways.nodes), set(ways.edges)) if ways else None
    ends = {(thing["level"], thing["index"]): thing for thing in [*placed["items"], *placed["frames"]]}
    marks = Marks(description, pen, lang, formulas, scale, on, ends, placed["arrows"])
    body = [marks.frame(frame) for frame in placed["frames"]]
    body += [marks.glow(arrow) for arrow in placed["arrows"]] + [marks.halo(item) for item in placed["items"]]
    body += [marks.arrow(arrow) for arrow in placed["arrows"]]
    body += [marks.item(item) for item in placed["items"]]
    notes = [say(f"paths.{_count(ways.count)}", lang, name=isolated(paths), count=ways.text)] if ways else []
    notes += notes_on(marks.symbols, lang)
    foot = Foot(description, pen, lang, placed, scale)
    lines, foot_width, foot_height = foot.drawn(notes, legend)
    width = max(placed["width"], foot_width) + 2 * MARGIN
    left = (width - placed["width"]) / 2
    height = placed["height"] + foot_height + 2 * MARGIN
    drawn = f'<g transform="translate({num(left)} {num(MARGIN)})">{"".join(_lines(body))}\n</g>'
    below = f'\n<g transform="translate({num(MARGIN)} {num(placed["height"] + MARGIN)})">{"".join(_lines(lines))}\n</g>'
    return _whole(drawn + (below if lines else ""), description, pen, lang, width, height, theme)


def _flat(description: Mapping[str, Any], formulas: bool) -> dict[str, Any]:
    """The same without groups."""
    if description.get("complete") is False:
        raise ValueError(
            "this graph is too large to be drawn flat: its description leaves the inside of some folds out"
        )
    nodes = [{**node, "group": None} for node in description["nodes"]]
    known = description.get("formulas") or {}
    edges = [{**edge, "formula": known.get(edge["formula"])} for edge in description["edges"]]
    levels = levels_of(nodes, edges, [], description["outputs"], formulas=formulas)
    return {**description, "nodes": nodes, "groups": [], "levels": levels}


def _lines(elements: list[str]) -> list[str]:
    return [f"\n{element}" for element in elements if element]


def _count(n: int) -> str:
    return {0: "none", 1: "one"}.get(n, "many")


def _opened(groups: Any) -> set[int]:
    """The groups that are drawn open: they are, and so are those around them."""
    opened: set[int] = set()
    for group in sorted(groups, key=lambda g: _depth(groups, g)):
        if group.get("open") and (group["parent"] is None or group["parent"] in opened):
            opened.add(group["id"])
    return opened


def _depth(groups: Any, group: Mapping[str, Any]) -> int:
    depth = 0
    while group["parent"] is not None:
        group, depth = groups[group["parent"]], depth + 1
    return depth


def _whole(
    body: str, description: Mapping[str, Any], pen: Pen, lang: str, width: float, height: float, theme: str | None
) -> str:
    title, text = shown_title(description, lang), described(description, lang)
    key = f"{title}\n{text}\n{body}\n{theme}"
    prefix = "d" + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:10]
    w, h = num(width), num(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{prefix}" role="img" lang="{lang}" '
        f'aria-labelledby="{prefix}-t {prefix}-d" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        f'font-family="monospace" font-size="12" {pen.SHARED}>\n'
        f'<title id="{prefix}-t">{escape(title)}</title>\n<desc id="{prefix}-d">{escape(text)}</desc>\n'
        f"<style>{style(prefix, theme)}</style>\n"
        f"{pen.rect(0, 0, width, height, 0, 'paper', None)}\n{body}\n</svg>\n"
    )

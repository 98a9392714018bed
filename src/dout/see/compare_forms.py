"""A comparison as text, as an image and as a page."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .drawn import NOTHING, Drawn
from .markup import Pen, clean, escape, isolated, num
from .metrics import cells, width
from .steps import Line, Piece, shown
from .svg import THEMES
from .svg import svg_of as one_svg
from .terminal import coloured, plain
from .theme import MARGIN, style
from .values import LITTLE, short, value_of
from .words import say

if TYPE_CHECKING:
    from .compare import Comparison, Difference, Match

#: Beyond so many nodes only those that differ are in the table, and of these so many.
ALL, MOST = 40, 60
#: Characters of a cell of the table.
CELL = 28
BAR, BETWEEN = 22, 18  # px for a picture's name, and above that


class Row(NamedTuple):
    """A row of the table: whether it differs, and its cells."""

    differs: bool
    cells: tuple[str, ...]


def text_of(comparison: Comparison, lang: str | None = None, colour: bool = False) -> str:
    """Where the two part, and a table of both."""
    lines: list[Line] = [[Piece(line, "bad" if k else "")] for k, line in enumerate(summary(comparison, lang))]
    rows, left_out = rows_of(comparison)
    if rows:
        heads = tuple(
            say(f"compare.{key}", lang)
            for key in ("node", "left", "right", "apart", "back.left", "back.right", "apart")
        )
        widths = [max(map(cells, column)) for column in zip(heads, *(row.cells for row in rows), strict=True)]
        lines += [[], [Piece("  " + _padded(heads, widths), "head")]]
        lines += [
            [Piece(("≠ " if row.differs else "  ") + _padded(row.cells, widths), "bad" if row.differs else "")]
            for row in rows
        ]
    if left_out:
        lines.append([Piece("  " + say("svg.more", lang, count=left_out), "faint")])
    return coloured(lines) if colour else plain(lines)


def _padded(texts: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(text + " " * (w - cells(text)) for text, w in zip(texts, widths, strict=True)).rstrip()


def summary(comparison: Comparison, lang: str | None) -> list[str]:
    """How much is alike and how much differs, and where the two part, forward and back."""
    counts = comparison.counts()
    found = [say("compare.counts", lang, **counts)]
    if comparison.same:
        return [*found[:1], say("compare.same", lang, tolerance=short(comparison.tolerance))]
    if comparison.first is not None:
        left, right = comparison.first
        one = left or right
        assert one is not None
        name = named(one)
        if left is None or right is None:
            found.append(say(f"compare.first.{'left' if right is None else 'right'}", lang, name=name))
        else:
            found.append(say("compare.first", lang, name=name, left=_value(left.value), right=_value(right.value)))
    if comparison.first_back is not None:
        a, b = comparison.first_back
        values = {"left": _value(a.derivative), "right": _value(b.derivative)}
        found.append(say("compare.first.back", lang, name=named(a.source), to=named(a.target), **values))
    return found


def named(one: Drawn) -> str:
    """What a node is called."""
    if one.name:
        return isolated(one.name)
    if one.kind == "constant":
        return _value(one.value)
    if one.kind == "input":
        return "input"
    return clean(f"{one.sign or one.op} ({one.number})")


def rows_of(comparison: Comparison) -> tuple[list[Row], int]:
    """The rows of the table, in the order of the run, and how many are left out."""
    rows = list(_rows(comparison))
    if len(rows) > ALL:
        rows = [row for row in rows if row.differs]
    return rows[:MOST], max(0, len(rows) - MOST)


def _rows(comparison: Comparison) -> Iterator[Row]:
    rights = {id(one) for one in comparison.only_right}
    for one in _in_order(comparison):
        if isinstance(one, Drawn):
            left = id(one) not in rights
            value, total = _value(one.value), "" if one.kind == "constant" else _value(one.total)
            cells_of = (value, "", "", total, "", "") if left else ("", value, "", "", total, "")
            yield Row(True, (_cut(("< " if left else "> ") + named(one)), *map(_cut, cells_of)))
        else:
            differs = comparison.differs(one.value) or comparison.differs(one.total)
            back = ("", "", "") if one.left.kind == "constant" else (
                _cut(_value(one.left.total)), _cut(_value(one.right.total)), _apart(comparison, one.total)
            )  # fmt: skip
            values = _cut(_value(one.left.value)), _cut(_value(one.right.value)), _apart(comparison, one.value)
            yield Row(differs, (_cut(named(one.left)), *values, *back))


def _in_order(comparison: Comparison) -> Iterator[Match | Drawn]:
    """Matches, and what has no partner, where it ran."""
    lefts, rights = iter(comparison.only_left), iter(comparison.only_right)
    left, right = next(lefts, None), next(rights, None)
    for match in comparison.matches:
        while left is not None and comparison.order(left) < comparison.order(match.left):
            yield left
            left = next(lefts, None)
        while right is not None and comparison.order(right) < comparison.order(match.right):
            yield right
            right = next(rights, None)
        yield match
    for rest, more in ((left, lefts), (right, rights)):
        if rest is not None:
            yield rest
            yield from more


def _value(value: Any) -> str:
    return "?" if value is NOTHING else shown(value_of(value, LITTLE))


def _apart(comparison: Comparison, found: Difference | None) -> str:
    return short(float(f"{found.relative:.2g}")) if found is not None and comparison.differs(found) else ""


def _cut(text: str) -> str:
    return text if cells(text) <= CELL else text[: CELL - 1] + "…"


# The image


def svg_of(comparison: Comparison, options: dict[str, Any]) -> str:
    """Both pictures, one below the other, under what there is to say."""
    theme, lang = options.get("theme"), options.get("lang")
    if theme not in THEMES:
        raise ValueError(f"theme has to be 'light', 'dark' or None (as the reader's screen is), got {theme!r}")
    pictures = _pictures(comparison, options)
    pen = Pen(THEMES[theme])
    y, wide, parts = float(MARGIN), 0.0, []
    for k, line in enumerate(summary(comparison, lang)):
        parts.append(pen.text(MARGIN, y + 12, line, "bad" if k and not comparison.same else "ink", "start"))
        wide, y = max(wide, width(line) + 2 * MARGIN), y + 18
    for name, svg, w, h in pictures:
        y += BETWEEN
        parts.append(pen.text(MARGIN, y + 14, name, "faint", "start", 12, ' font-weight="600"'))
        y += BAR
        parts.append(svg.replace("<svg ", f'<svg x="0" y="{num(y)}" ', 1).strip())
        wide, y = max(wide, w), y + h
    body = "\n".join(parts)
    title = say("compare.title", lang, left=pictures[0][0], right=pictures[1][0])
    said = " ".join(summary(comparison, lang))
    prefix = "c" + hashlib.sha256(f"{title}\n{said}\n{body}".encode("utf-8", "replace")).hexdigest()[:10]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{prefix}" role="group" lang="{lang or "en"}" '
        f'aria-labelledby="{prefix}-t {prefix}-d" width="{num(wide)}" height="{num(y)}" viewBox="0 0 {num(wide)} {num(y)}" '
        f'font-family="monospace" font-size="12" stroke-linejoin="round">\n'
        f'<title id="{prefix}-t">{escape(title)}</title>\n<desc id="{prefix}-d">{escape(said)}</desc>\n'
        f"<style>{style(prefix, theme)}</style>\n{pen.rect(0, 0, wide, y, 0, 'paper', None)}\n{body}\n</svg>\n"
    )


def _pictures(comparison: Comparison, options: dict[str, Any]) -> list[tuple[str, str, float, float]]:
    """The name, the image and its size, of the left and of the right; no id stands in both."""
    own = {key: options[key] for key in ("lang", "formulas", "sizes", "paths", "theme") if key in options}
    description = comparison.describe(
        **{key: value for key, value in options.items() if key not in ("sizes", "paths", "theme")}
    )
    found = []
    for side in ("left", "right"):
        svg = one_svg(description[side], **own)
        head = svg[: svg.index(">")]
        wide, high = (float(found[1]) for found in re.finditer(r' (?:width|height)="([\d.]+)"', head))
        match = re.search(r' id="(\w+)"', head)
        if match:
            svg = svg.replace(match[1], match[1] + side[0])
        name = say(f"compare.{side}.name", options.get("lang"), name=isolated(description[side]["title"]))
        found.append((name, svg, wide, high))
    return found


# The page

_CSS = """:root{color-scheme:light dark;font:14px/1.5 system-ui,sans-serif;background:#fff;color:#1c232b}
body{margin:1.5rem auto;max-width:1400px;padding:0 1rem}
table{border-collapse:collapse;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px}
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884;white-space:nowrap}
tr.differs,.differs{color:#a8005c}figure{margin:1.5rem 0;overflow-x:auto}figcaption{font-weight:600}.scroll{overflow-x:auto}
@media (prefers-color-scheme:dark){:root{background:#14181d;color:#e8ecf0}tr.differs,.differs{color:#ff8ac4}}"""


def html_of(comparison: Comparison, options: dict[str, Any]) -> str:
    """One page: what there is to say, a table, and both pictures. Nothing in it runs."""
    lang = options.get("lang")
    pictures = _pictures(comparison, options)
    title = say("compare.title", lang, left=pictures[0][0], right=pictures[1][0])
    first, *rest = summary(comparison, lang)
    found = "" if comparison.same else ' class="differs"'
    said = f"<p>{escape(first)}</p>" + "".join(f"<p{found}>{escape(line)}</p>" for line in rest)
    figures = "".join(f"<figure><figcaption>{escape(name)}</figcaption>{svg}</figure>" for name, svg, *_ in pictures)
    sheets = [_CSS, *re.findall(r"<style>(.*?)</style>", figures, re.DOTALL)]
    hashes = " ".join(f"'{_hash(sheet)}'" for sheet in dict.fromkeys(sheets))
    policy = f"default-src 'none'; style-src {hashes}; img-src data:; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{lang or "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f'<link rel="icon" href="data:,">\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n{said}\n'
        f"{_table(comparison, lang)}\n{figures}\n</main>\n</body>\n</html>\n"
    )


def _table(comparison: Comparison, lang: str | None) -> str:
    rows, left_out = rows_of(comparison)
    if not rows:
        return ""
    heads = "".join(
        f'<th scope="col">{escape(say(f"compare.{key}", lang))}</th>'
        for key in ("node", "left", "right", "apart", "back.left", "back.right", "apart")
    )
    marked = ' class="differs"'
    body = "".join(
        f"<tr{marked if row.differs else ''}>"
        + "".join(
            f"<td>{escape(('≠ ' if row.differs and not k else '') + cell)}</td>" for k, cell in enumerate(row.cells)
        )
        + "</tr>"
        for row in rows
    )
    more = f"<p>{escape(say('svg.more', lang, count=left_out))}</p>" if left_out else ""
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

"""A picture in a terminal: its table or its steps, in colour where that is asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .metrics import cells
from .notes import notes_of
from .steps import Line, Piece, lines_of
from .text import text_of
from .theme import DARK, LIGHT
from .words import say

if TYPE_CHECKING:
    from .picture import Picture

#: Which of the picture's colours a piece of a line has.
COLOURS = {"fore": "forward", "back": "backward", "faint": "faint", "bad": "bad"}
BOLD = ("head", "local")


def terminal_text(picture: Picture, steps: bool = False, colour: bool = False, lang: str | None = None) -> str:
    """What `Picture.text` gives.

    Args:
        picture: what `see` gave.
        steps: the steps instead of the table.
        colour: with the colours of the picture, for a terminal.
        lang: "en" or "zh".

    Example:
        >>> import dout
        >>> print(terminal_text(dout.see(lambda x: x * x, 3.0), lang="zh"))
        (1)  ×  9.0  <- 1
             x  3.0  <- 3.0
             x  3.0  <- 3.0
        <BLANKLINE>
        输出    (1)  9.0
        输入    x    3.0  <- 3.0 + 3.0 = 6.0
    """
    if lang not in (None, "en", "zh"):
        raise ValueError(f"lang has to be 'en' or 'zh', got {lang!r}")
    if steps:
        lines = lines_of(picture.describe(lang=lang), lang)
    else:
        text = text_of(picture.graph, picture.values, picture.edges, picture.totals)
        notes = {note.said("en"): note.said(lang) for note in notes_of(picture.graph)}
        lines = [_split(notes.get(line, line)) for line in _told(text, lang).split("\n")]
        lines += [[Piece(line, "bad")] for line in picture.alarms(lang)]
    return coloured(lines) if colour else plain(lines)


def coloured(lines: Sequence[Line]) -> str:
    """Lines with a terminal's codes, in as many colours as it has; plain ones where NO_COLOR is set."""
    from rich.color import ColorSystem
    from rich.console import Console
    from rich.style import Style

    console = Console(force_terminal=True)
    if console.no_color:
        return plain(lines)
    systems = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}
    system = systems.get(console.color_system or "", ColorSystem.TRUECOLOR)
    palette = LIGHT if _is_light() else DARK
    # Made anew for each text: a style remembers how it was once written, also for a terminal with fewer colours.
    styles = {kind: Style(color=palette[name]) for kind, name in COLOURS.items()}
    styles |= {kind: Style(bold=True) for kind in BOLD}

    def written(piece: Piece) -> str:
        style = styles.get(piece.kind)
        return piece.text if style is None else style.render(piece.text, color_system=system)

    return "\n".join("".join(map(written, line)) for line in lines)


def plain(lines: Sequence[Line]) -> str:
    """Lines without any codes."""
    return "\n".join("".join(piece.text for piece in line) for line in lines)


def _is_light() -> bool:
    """Whether the terminal says that its ground is light; most are dark, and most don't say."""
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return ground in ("7", "15")


def _split(line: str) -> Line:
    """A row of the table in pieces: what stands before, the value, the derivative."""
    front, arrow, back = line.partition("<-")
    value = re.search(r"(?<=  )\S+(?: \S+)*\s*$", front)
    pieces = [Piece(front)] if value is None else [Piece(front[: value.start()]), Piece(value[0], "fore")]
    return [*pieces, Piece(arrow + back, "back")] if arrow else pieces


def _told(text: str, lang: str | None) -> str:
    """The table's few words in another language, in the same columns."""
    if lang in (None, "en"):
        return text
    lines = []
    for line in text.split("\n"):
        for word in ("output", "inputs"):
            if line.startswith(word):
                line = _padded(say(f"text.{word}", lang), word) + line[len(word) :]
        line = re.sub(r"\bconstant\b", lambda found: _padded(say("text.constant", lang), found[0]), line)
        line = re.sub(r"\(the sum of (\d+)\)", lambda found: say("text.sum", lang, n=found[1]), line)
        lines.append(line)
    return "\n".join(lines)


def _padded(word: str, like: str) -> str:
    return word + " " * max(0, cells(like) - cells(word))

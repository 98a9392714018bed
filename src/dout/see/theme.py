"""Colours and measures of the pictures: one table for light, one for dark."""

from __future__ import annotations

from collections.abc import Mapping

#: What a colour is for, and the colour itself. Every colour that text is written in has a contrast of at least 4.5 with
#: the paper and with the frames; a test measures it.
LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "frame": "#f5f7fa",  # the ground of an open layer or fold
    "frame2": "#ebeff5",  # of one within another
    "edge": "#a6b1bf",  # the line around a frame
    "ink": "#1c232b",  # signs and names
    "faint": "#56616e",  # what stands beside: headers, notes, ghosts
    "node": "#ffffff",  # inside a circle
    "box": "#eef3fb",  # inside a closed layer or fold
    "forward": "#1f5fbf",
    "backward": "#b3401f",
    "bad": "#a8005c",  # NaN, infinity, disagreement
    "badbox": "#fdeaf4",
    "path": "#ffdc73",  # behind a highlighted arrow
}
DARK: Mapping[str, str] = {
    "paper": "#14181d",
    "frame": "#1c222a",
    "frame2": "#252d37",
    "edge": "#5b6673",
    "ink": "#e8ecf0",
    "faint": "#a3afbc",
    "node": "#14181d",
    "box": "#1d2a3c",
    "forward": "#8ab4ff",
    "backward": "#ff9d7a",
    "bad": "#ff8ac4",
    "badbox": "#3d1a2d",
    "path": "#6b5510",
}

#: The class that stands for a colour, in `fill` and in `stroke`; short, for they stand on every line.
FILL = {name: f"f{i}" for i, name in enumerate(LIGHT)}
STROKE = {name: f"s{i}" for i, name in enumerate(LIGHT)}

MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
SMALL = 10.5  # px; most text is 12
WIDTH = 1.5  # of lines
GAP = 3  # of an arrow's two lines from its middle
HEAD = 7  # length of an arrow's head
MARGIN = 16


def style(prefix: str, theme: str | None) -> str:
    """The style sheet: fonts, and the dark colours for those whose screens are dark.

    All of it stands in at-rules. What doesn't read those (CairoSVG, Inkscape) draws by the attributes, which are those of
    the light theme, and takes the plain monospaced font. Every rule begins with the picture's own id, so that two
    pictures in one page leave each other and the page alone.
    """
    font = f"@media all{{#{prefix}{{font-family:{MONO}}}#{prefix} .r{{unicode-bidi:isolate}}}}"
    if theme is not None:
        return font
    rules = "".join(
        f"#{prefix} .{FILL[name]}{{fill:{colour}}}#{prefix} .{STROKE[name]}{{stroke:{colour}}}"
        for name, colour in DARK.items()
    )
    return f"{font}@media screen and (prefers-color-scheme:dark){{{rules}}}"

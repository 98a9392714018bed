"""How a picture shows in a notebook: one piece of HTML for trusted notebooks, untrusted ones, and exported pages.

JupyterLab 4.6 cleans the outputs of a notebook that isn't trusted: of the elements used here it drops `iframe` and `style`,
keeps `img` with a data URL, `details`, classes and plain inline styles, and keeps the text within what it drops. So there
is an image for all; above it, folded, the page that steps through it, which stands in the image's place once it is opened;
and within the iframe, where no browser shows it, what to do in a notebook that isn't trusted.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from .html import html_of
from .markup import escape
from .picture import SHARED
from .svg import svg_of
from .svg_words import described, shown_title
from .words import say

#: A page of more characters than this would make the notebook slow to save; the image stands alone then.
LARGEST = 3_000_000
#: An image may be scaled down to this part of its size, and then scrolls; but it never asks for more than this many px.
SMALLEST, WIDEST = 0.6, 4000
#: Of the text form, which few will see, no more lines are kept than these.
LINES = 400
#: What the page needs besides the picture for its buttons and words, and between which heights it is kept, in px.
ROOM, LOW, HIGH = 340, 540, 820
#: Once the page is open it stands in the image's place. It can't see the notebook's own theme, only the screen's; where the
#: two differ its light and dark are turned round, and its colours kept.
STYLE = (
    ".dout-picture:has(>details[open])>img{display:none}"
    "@media (prefers-color-scheme:light){:is([data-jp-theme-light=false],.dark-theme) .dout-picture iframe"
    "{color-scheme:light;filter:invert(.92) hue-rotate(180deg)}}"
    "@media (prefers-color-scheme:dark){:is([data-jp-theme-light=true],.light-theme) .dout-picture iframe"
    "{color-scheme:dark;filter:invert(1) hue-rotate(180deg)}}"
)


def mimebundle_of(picture: Any, **options: Any) -> dict[str, str]:
    """What a notebook shows of a picture, by media type.

    Example:
        >>> import dout
        >>> sorted(mimebundle_of(dout.see(lambda x: x * x, 3.0)))
        ['text/html', 'text/plain']
    """
    description, drawing = picture._described(dict(options))
    said = picture.text(lang=options.get("lang"))
    return {"text/html": notebook_html(description, drawing), "text/plain": _beginning(said)}


class Shown:
    """A picture with the options by which a notebook shows it; what `picture.show(...)` gives."""

    def __init__(self, picture: Any, options: dict[str, Any]) -> None:
        self.picture = picture
        self.options = options

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return mimebundle_of(self.picture, **self.options)

    def __repr__(self) -> str:
        text: str = self.picture.text(lang=self.options.get("lang"))
        return text


def _beginning(text: str) -> str:
    """So much of the text form as a notebook should keep beside the image."""
    lines = text.splitlines()
    more = len(lines) - LINES
    return text if more <= 0 else "\n".join([*lines[:LINES], f"... {more} more lines: print(picture.text())"])


def notebook_html(description: dict[str, Any], drawing: dict[str, Any] | None = None) -> str:
    """The image, and above it the page, folded; both drawn with the options `drawing`."""
    lang, drawing = description["lang"], drawing or {}
    svg = svg_of(description, **drawing)
    alt = f"{shown_title(description, lang or 'en')}. {described(description, lang or 'en')}"
    width, height = _size(svg)
    style = f"max-width:100%;min-width:{min(round(width * SMALLEST), WIDEST)}px;height:auto"
    image = (
        f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" alt="{escape(alt)}" '
        f'width="{width}" height="{height}" style="{style}">'
    )
    return (
        '<div class="dout-picture" style="overflow-x:auto">'
        f"<style>{STYLE}</style>"
        f"{_page(description, drawing, height, lang)}{image}</div>"
    )


def _page(description: dict[str, Any], drawing: dict[str, Any], height: int, lang: str | None) -> str:
    page = html_of(description, **{key: value for key, value in drawing.items() if key in SHARED})
    if len(page) > LARGEST:
        return f"<p>{escape(say('notebook.large', lang))}</p>"
    tall = max(LOW, min(HIGH, height + ROOM))
    iframe = (
        f'<iframe srcdoc="{_quoted(page)}" sandbox="allow-scripts" loading="lazy" title="{escape(description["title"])}" '
        f'width="100%" height="{tall}" style="border:0;resize:vertical">{escape(say("notebook.trust", lang))}</iframe>'
    )
    return f"<details><summary>{escape(say('notebook.open', lang))}</summary>{iframe}</details>"


def _quoted(page: str) -> str:
    """A page as the value of an attribute; nothing in it is left out or looks like a tag."""
    return page.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _size(svg: str) -> tuple[int, int]:
    """What the image asks for, in px."""
    head = svg[: svg.index(">") + 1]
    found = [re.search(rf'\s{side}="([\d.]+)', head) for side in ("width", "height")]
    width, height = (float(match[1]) if match else 300.0 for match in found)
    return round(width), round(height)

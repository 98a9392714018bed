"""A picture as one HTML file that works offline: from `file://`, under a strict content-security policy."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from .bundle import css, module, starter
from .markup import clean, escape
from .words import say

#: Characters that could end the script element, or that a JavaScript string can't hold, and how JSON writes them.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
#: Data of more characters than this are packed.
LARGE = 200_000


def html_of(
    description: Mapping[str, Any],
    lang: str | None = None,
    formulas: bool = False,
    sizes: bool | None = None,
    paths: str | None = None,
) -> str:
    """The page of a description.

    Args:
        description: what `describe` gives.
        lang: "en" or "zh"; the description's own, or that of the reader's browser, if not given.
        formulas: write each derivative's formula below it too, where `describe(formulas=True)` has left room.
        sizes: whether derivatives start out as thick as they are large.
        paths: the name of an input whose paths to the output start out highlighted.

    Raises:
        ValueError: for a language or an input that there isn't.

    Example:
        >>> import dout
        >>> page = dout.see(lambda x: x * x, 3.0).html()
        >>> page[:15]
        '<!doctype html>'
        >>> "<script src" in page
        False
    """
    lang = lang or description.get("lang")
    if lang not in (None, "en", "zh"):
        raise ValueError(f"lang has to be 'en' or 'zh', got {lang!r}")
    if paths is not None:
        _check(description, paths)
    asked = {"sizes": sizes, "paths": paths, "written": formulas or None}
    shown = {**description, **{key: value for key, value in asked.items() if value is not None}}
    script, style, policy = _parts()
    title = escape(clean(description["title"]))
    return (
        f'<!doctype html>\n<html lang="{lang or "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f'<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>\n<div id="dout"></div>\n'
        f'<noscript><p class="note">{escape(say("page.noscript", lang))}</p></noscript>\n'
        f'<script id="dout-data" type="application/json">{_data({"description": shown, "lang": lang})}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


@cache
def _parts() -> tuple[str, str, str]:
    """What all pages have in common: the script, the style, and the policy that allows only these."""
    script, style = module() + starter(), css()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return script, style, policy


def json_in_html(data: Any) -> str:
    r"""JSON that can stand in a script element: nothing in it ends the element or opens another.

    Example:
        >>> json_in_html({"name": "</script>"})
        '{"name":"\\u003c/script\\u003e"}'
    """
    return _safe(_json(data)).decode()


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _safe(text: str) -> bytes:
    """JSON without what HTML reads, in UTF-8; half characters, which that has none for, as JSON writes them."""
    return text.translate(_UNSAFE).encode("utf-8", "backslashreplace")


def _data(data: Mapping[str, Any]) -> str:
    """The data, packed where that saves much; browsers unpack it by themselves."""
    text = _json(data)
    if len(text) < LARGE:
        return _safe(text).decode()
    import zlib

    packed = zlib.compress(text.encode("utf-8", "backslashreplace"), 9)  # in which there is nothing that HTML reads
    return json_in_html({"packed": base64.b64encode(packed).decode()})


def _check(description: Mapping[str, Any], paths: str) -> None:
    names = [node["name"] for node in description["nodes"] if node["kind"] == "input" and node["name"]]
    if paths not in names:
        raise ValueError(
            f"no input is called {paths!r}; the inputs are {', '.join(map(repr, names)) or 'without names'}"
        )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"

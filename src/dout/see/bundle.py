"""The front-end modules as one ES module of the shape that anywidget wants: `export default {render({model, el})}`.

There is no build step: each file stays as it is written, in a function of its own, in the order of imports. Only imports of
files beside it and `export` words are understood, and anything else is refused, so that nothing is left to chance.
"""

from __future__ import annotations

import json
import re
from functools import cache

from .resources import read

START = "page.js"

# Each begins with the end of the line before, for which a pattern looks ten times faster than for the start of a line.
_IMPORT = re.compile(r'\nimport (?P<what>\{[^}]*\}|\w+) from "\./(?P<file>[\w.-]+)"(?: with \{ type: "\w+" \})?;(?=\n)')
_EXPORT = re.compile(r"\nexport (?P<rest>(?:async )?(?:const|function\*?|class) (?P<name>\w+))")
_LIST = re.compile(r"\nexport \{ (?P<names>[\w, ]+) \};(?=\n)")
_LEFT = re.compile(r"\n(?P<line>(?:import|export)\b.*)")
_DEFAULT = "\nexport default { render };"


@cache
def module() -> str:
    r"""The module: code, words and style in one.

    Example:
        >>> module().endswith("export default { render: $page.render };\n")
        True
    """
    parts: list[str] = []
    _add(START, parts, [], [])
    return "".join(parts) + f"export default {{ render: {_scope(START)}.render }};\n"


@cache
def css() -> str:
    """The style of a document that holds nothing but the page."""
    return _read("document.css")


@cache
def starter() -> str:
    """What stands behind the module in a page of its own: shows the description that stands in the document."""
    parts: list[str] = []
    _add("alone.js", parts, [], [])
    return "".join(parts) + f"{_scope('alone.js')}.start({_scope(START)}.render);\n"


def _read(name: str) -> str:
    return read(f"page/{name}")


def _scope(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))


def _add(name: str, parts: list[str], path: list[str], done: list[str]) -> None:
    """A file, after those that it imports."""
    if name in path:
        raise ValueError(f"page modules import each other in a circle: {' -> '.join([*path, name])}")
    if name in done:
        return
    text = _read(name)
    found = list(_IMPORT.finditer("\n" + text)) if name.endswith(".js") else []
    for match in found:
        _add(match["file"], parts, [*path, name], done)
    done.append(name)
    if name.endswith(".json"):
        parts.append(f"const {_scope(name)} = {json.dumps(json.loads(text), ensure_ascii=False)};\n")
    elif name.endswith(".css"):
        parts.append(f"const {_scope(name)} = new CSSStyleSheet();\n{_scope(name)}.replaceSync({json.dumps(text)});\n")
    else:
        parts.append(_wrapped(name, text))


def _wrapped(name: str, text: str) -> str:
    """A module as a function that gives its exports."""

    def names(match: re.Match[str]) -> str:
        what = re.sub(r"(\w+)\s+as\s+(\w+)", r"\1: \2", match["what"])
        return f"\nconst {what} = {_scope(match['file'])};"

    text = _IMPORT.sub(names, "\n" + text)
    exports = [match["name"] for match in _EXPORT.finditer(text)]
    exports += [one.strip() for match in _LIST.finditer(text) for one in match["names"].split(",")]
    text = _LIST.sub("", _EXPORT.sub(r"\n\g<rest>", text))
    if _DEFAULT in text:
        text, exports = text.replace(_DEFAULT, ""), [*exports, "render"]
    left = _LEFT.search(text)
    if left:
        raise ValueError(
            f"{name}: only imports of files beside it and plain exports can be joined, got {left['line']!r}"
        )
    return f"const {_scope(name)} = (() => {{{text}return {{ {', '.join(exports)} }};\n}})();\n"

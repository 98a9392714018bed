"""Marked blocks of a page: `<!-- block: name -->`, lines that a script writes, `<!-- end -->`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BLOCK = re.compile(r"(?P<head><!-- block: (?P<name>\w+) -->\n).*?(?=^<!-- end -->)", re.DOTALL | re.MULTILINE)


def fill(page: str, contents: Mapping[str, Callable[[], str]]) -> str:
    """The page with each block's lines replaced.

    Raises:
        KeyError: for a block that nothing is known for.
    """

    def written(match: re.Match[str]) -> str:
        return match["head"] + contents[match["name"]]().rstrip("\n") + "\n"

    return BLOCK.sub(written, page)


def main(pages: Mapping[str, Mapping[str, Callable[[], str]]]) -> None:
    """Write the pages, or with `--check` only say which are out of date, and exit with 1 if one is."""
    stale = []
    for name, contents in pages.items():
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = fill(old, contents)
        if new != old:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(new, encoding="utf-8")
    if "--check" in sys.argv[1:] and stale:
        sys.exit(f"out of date: {', '.join(stale)}; run python docs/{Path(sys.argv[0]).name}")
    print(f"written: {', '.join(stale)}" if stale else "all blocks are up to date")


def whole(path: Path, text: str) -> None:
    """Write a page that a script makes from the first line to the last, or with `--check` exit with 1 if it is out of date."""
    if "--check" not in sys.argv[1:]:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        sys.exit(f"out of date: {path.name}; run python docs/{Path(sys.argv[0]).name}")

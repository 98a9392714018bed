"""Make the pictures of the gallery: the code that stands before each picture in gallery.md is run, and its `svg` written.

Run it from anywhere: `python docs/gallery.py`, or with `--check` to be told whether the pictures are up to date. The last
digits of an array's sums differ between machines, so numbers that differ by less than a millionth count as the same.
"""

from __future__ import annotations

import linecache
import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "gallery.md"
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n+!\[[^\]]*\]\((?P<path>gallery/\w+\.svg)\)", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def pictures() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Each picture's file, its SVG, and the names that its code left behind."""
    os.environ.pop("DOUT_LANG", None)  # the page says which pictures are in another language
    page = PAGE.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    for found in BLOCK.finditer(page):
        code = "\n" * page.count("\n", 0, found.start("code")) + found["code"]
        # The page as Python's own source look-ups see it, so that names and source lines are those of the page.
        linecache.cache[PAGE.name] = (len(code), None, code.splitlines(keepends=True), PAGE.name)
        names.pop("svg", None)
        exec(compile(code, PAGE.name, "exec"), names)
        yield DOCS / found["path"], names["svg"], names


def same(one: str, other: str) -> bool:
    """Whether two pictures differ by rounding at most."""
    one, other = (re.sub(r"\bd[0-9a-f]{10}\b", "id", text) for text in (one, other))
    if one == other:
        return True
    if NUMBER.split(one) != NUMBER.split(other):
        return False
    numbers = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(math.isclose(_float(a), _float(b), rel_tol=1e-6, abs_tol=1e-9) for a, b in numbers)


def _float(text: str) -> float:
    return float(text.replace("−", "-"))


def main() -> None:
    """Write what is out of date, or only say so."""
    check = "--check" in sys.argv[1:]
    made, stale = set(), []
    for path, svg, _ in pictures():
        made.add(path)
        if not (path.exists() and same(path.read_text(encoding="utf-8"), svg)):
            stale.append(path.name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(svg, encoding="utf-8", newline="\n")
    for path in sorted(set((DOCS / "gallery").glob("*.svg")) - made):
        stale.append(path.name)
        if not check:
            path.unlink()
    if check and stale:
        sys.exit(f"out of date: {', '.join(stale)}; run python docs/gallery.py")
    print(f"written: {', '.join(stale)}" if stale else "all pictures are up to date")


if __name__ == "__main__":
    main()

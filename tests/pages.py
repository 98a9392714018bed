"""Python code blocks of Markdown pages, and what they say they print.

A `print(...)` is followed by its output in comments: behind it if it is one line, below it if there are more. A comment
that ends in `...` says only how the line begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Block:
    code: str
    line: int  # of its first line in the page
    page: Path

    def placed(self) -> str:
        """The code behind as many empty lines as stand before it in the page, so that tracebacks point there."""
        return "\n" * (self.line - 1) + self.code

    def said(self) -> list[str]:
        """The lines that it says it prints."""
        found: list[str] = []
        printing = False
        for line in self.code.splitlines():
            text = line.strip()
            if text.startswith("print("):
                _, comment, output = text.partition("  # ")
                found += [output] if comment else []
                printing = not comment
            elif printing and text.startswith("#"):
                found.append(text[1:].removeprefix(" ").rstrip())
            else:
                printing = False
        return found


def blocks(page: str) -> list[Block]:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    return [Block(m[1], text.count("\n", 0, m.start(1)) + 1, path) for m in BLOCK.finditer(text)]


def hold_printed(output: str, block: Block) -> None:
    """Hold that a block printed what it says."""
    printed, said = [line.rstrip() for line in output.splitlines()], block.said()
    where = f"{block.page.name}, line {block.line}"
    for line, expected in zip(printed, said, strict=False):
        if expected.endswith("..."):
            assert line.startswith(expected[:-3].rstrip()), f"{where}: printed {line!r}, says {expected!r}"
        else:
            assert line == expected, f"{where}: printed {line!r}, says {expected!r}"
    assert len(printed) == len(said), f"{where}: printed {printed}, says {said}"

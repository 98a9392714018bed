"""Make examples/backprop.ipynb and its Chinese twin of the cells in story_numbers.py and story_arrays.py, and run them.

Run it from anywhere: `python docs/make_notebooks.py`, or with `--check` to be told whether their cells are up to date.
It needs nbclient, nbformat and ipykernel, and scikit-learn: `pip install -e ".[browser,demo]"`.

What is stored beside the cells:

- Of a picture the image alone, an SVG in an `<img>`. What a notebook shows of a picture also has the page that steps
  through it, 280 kB for each; whoever runs the notebook gets that page anew. It is an image within HTML, and not
  `image/svg+xml`: JupyterLab shows that only in notebooks that it trusts, and GitHub cleans it like HTML, so that colours
  may be lost (jupyter/nbviewer#1037), but shows an image with a data URL (activeviam/atoti-notebooks#425). Of its size only
  the width is kept: where GitHub drops its style and scales it down, the height follows.
- No times, no versions and no ids that change from run to run.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from story import Code
from story_arrays import ARRAYS
from story_numbers import NUMBERS

STORY = [*NUMBERS, *ARRAYS]
ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = {"en": ROOT / "examples" / "backprop.ipynb", "zh": ROOT / "examples" / "backprop.zh-CN.ipynb"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
#: A line of Chinese that goes on in the next one; Markdown would make a space of the end of the line.
WRAPPED = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff`])")
TIMEOUT = 300  # s for a cell


def cells(lang: str) -> list[tuple[str, str]]:
    """The kind and the source of each cell."""
    return [
        ("code", cell.source.strip().replace("{lang}", lang))
        if isinstance(cell, Code)
        else ("markdown", WRAPPED.sub("", getattr(cell, lang).strip()))
        for cell in STORY
    ]


def notebook(lang: str) -> Any:
    """The notebook, not run yet."""
    from nbformat import v4

    book = v4.new_notebook(metadata=METADATA)
    for number, (kind, source) in enumerate(cells(lang), 1):
        new = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
        book.cells.append(new(source, id=f"cell-{number:02}"))
    return book


def run(book: Any) -> None:
    """Run a notebook in a kernel of its own.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
        RuntimeError: if a cell warns.
    """
    from nbclient import NotebookClient

    NotebookClient(book, timeout=TIMEOUT, kernel_name="python3", record_timing=False).execute()
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise RuntimeError(f"{cell.source}\n\nwarned:\n{output.text}")


def tidy(book: Any) -> None:
    """Take out of the outputs what isn't stored."""
    book.metadata = METADATA
    for cell in book.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = still(output.data["text/html"])


def still(html: str) -> str:
    """The image of a picture, without the page."""
    image = re.sub(r' height="\d+"', "", re.search(r"<img [^>]*>", html)[0])  # type: ignore[index]
    return f'<div style="overflow-x:auto">{image}</div>'


def stored(path: Path) -> list[tuple[str, str]]:
    """The kind and the source of each cell of a notebook's file; none if there is no file."""
    if not path.exists():
        return []
    book = json.loads(path.read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in book["cells"]]


def main() -> None:
    """Write both, or only say which are out of date."""
    stale = [path.name for lang, path in NOTEBOOKS.items() if stored(path) != cells(lang)]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"out of date: {', '.join(stale)}; run python docs/make_notebooks.py")
        print("both notebooks are up to date")
        return
    import nbformat

    for lang, path in NOTEBOOKS.items():
        book = notebook(lang)
        run(book)
        tidy(book)
        nbformat.validate(book)
        path.write_text(nbformat.writes(book) + "\n", encoding="utf-8", newline="\n")
        print(f"written: {path.name}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

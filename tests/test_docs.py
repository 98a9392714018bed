"""The pages of docs/: their blocks of Python run, one after another, and print what they say; the tables are up to date."""

import re
import subprocess
import sys

import pytest
from pages import ROOT, blocks, hold_printed

PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_page(page, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {"__name__": "__main__"}
    for block in blocks(page):
        exec(compile(block.placed(), str(block.page), "exec"), names)
        hold_printed(capsys.readouterr().out, block)


@pytest.mark.parametrize("script", ["make_tables.py", "make_native.py"])
def test_the_marked_blocks_are_up_to_date(script):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "docs" / script), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / "docs" / target).exists(), f"{page}: {target}"


def test_quoted_code_is_the_source_s_own():
    """A block marked ```py is quoted from src/ or tests/."""
    files = [p.read_text(encoding="utf-8") for folder in ("src", "tests") for p in (ROOT / folder).rglob("*.py")]
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    quoted = [q for page in pages for q in re.findall(r"^```py\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)]
    assert quoted
    assert [q for q in quoted if not any(q in text for text in files)] == []

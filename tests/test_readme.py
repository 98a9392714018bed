"""The READMEs: each block of Python runs as a script without a warning, and the blocks made by a script are up to date."""

import re
import subprocess
import sys

import pytest
from pages import ROOT, blocks, hold_printed

READMES = ["README.md", "README.zh-CN.md"]
BLOCKS = [block for page in READMES for block in blocks(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: f"{b.page.name}-line-{b.line}")
def test_block_runs_as_a_script(block, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=block.placed(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,  # where pictures are saved
    )
    assert done.returncode == 0, f"{block.page.name}:\n{done.stderr}"
    assert done.stderr == ""
    hold_printed(done.stdout, block)


def test_both_readmes_have_the_same_code():
    def without_comments(page):
        return [[line.partition("#")[0].rstrip() for line in block.code.splitlines()] for block in blocks(page)]

    assert len(blocks("README.md")) >= 4
    assert without_comments("README.md") == without_comments("README.zh-CN.md")


def test_the_marked_blocks_are_up_to_date():
    """The table of figures too: it equals the file that it is made from."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "docs" / "make_readme.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", READMES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), f"{page}: {target}"

"""The notebooks in examples/: their cells are those of the story, they hold pictures, and they run without a warning."""

import base64
import importlib.util
import json
import re
import sys
import xml.etree.ElementTree as ET

import pytest
from pages import ROOT

LANGUAGES = ["en", "zh"]


@pytest.fixture(scope="module")
def made():
    """The script that makes the notebooks."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        spec = importlib.util.spec_from_file_location("make_notebooks", ROOT / "docs" / "make_notebooks.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "docs"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def images(cell):
    """The pictures that a cell of a notebook's file shows, as SVG."""
    shown = [
        "".join(output["data"]["text/html"]) for output in cell["outputs"] if "text/html" in output.get("data", {})
    ]
    return [
        base64.b64decode(found).decode() for html in shown for found in re.findall(r"svg\+xml;base64,([^\"]*)", html)
    ]


def code(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_stored_cells_are_those_of_the_story(made, lang):
    assert made.stored(made.NOTEBOOKS[lang]) == made.cells(lang), "run python docs/make_notebooks.py"


def test_both_have_the_same_code(made):
    english, chinese = ([source for kind, source in made.cells(lang) if kind == "code"] for lang in LANGUAGES)
    assert [source.replace('"zh"', '"en"') for source in chinese] == english
    assert sum(a != b for a, b in zip(english, chinese, strict=True)) == 1  # the one that says the language
    assert [kind for kind, _ in made.cells("en")] == [kind for kind, _ in made.cells("zh")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_stored_pictures(made, lang):
    wanted = [cell.picture for cell in made.STORY if isinstance(cell, made.Code)]
    cells = code(made.NOTEBOOKS[lang])
    assert [len(images(cell)) for cell in cells] == wanted
    assert sum(wanted) >= 14
    for svg in (svg for cell in cells for svg in images(cell)):
        assert ET.fromstring(svg).get("lang") == lang
        assert str(ROOT) not in svg


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_stored_is_small_and_of_no_machine(made, lang):
    path = made.NOTEBOOKS[lang]
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 1_500_000
    assert "<iframe" not in text
    assert str(ROOT) not in text
    assert "ipykernel_" not in text
    book = read(path)
    assert book["metadata"] == made.METADATA
    assert all(cell["metadata"] == {} for cell in book["cells"])
    outputs = [output for cell in code(path) for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"execute_result", "stream"}
    assert {output["name"] for output in outputs if "name" in output} == {"stdout"}


def test_links_lead_somewhere(made):
    for path in made.NOTEBOOKS.values():
        words = "\n".join("".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")
        links = re.findall(r"\]\(([^)#:]+)\)", words)
        assert len(links) >= 6
        assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_runs(made, lang, monkeypatch):
    """From the top in a fresh kernel, with warnings as errors."""
    for name in ("nbclient", "nbformat", "ipykernel", "sklearn"):
        pytest.importorskip(name, reason=f"running the notebooks needs {name}")
    import nbformat

    book = made.notebook(lang)
    first = nbformat.v4.new_code_cell("import warnings\n\nwarnings.simplefilter('error')")
    book.cells.insert(0, first)
    made.run(book)
    run = [cell for cell in book.cells[1:] if cell.cell_type == "code"]
    kept = code(made.NOTEBOOKS[lang])
    assert [len(images(cell)) for cell in run] == [len(images(cell)) for cell in kept]
    assert "<iframe" in run[1].outputs[0].data["text/html"]
    shares = [float(share) for cell in run for share in re.findall(r"([\d.]+)%$", printed(cell), re.MULTILINE)]
    assert len(shares) == 2
    assert shares[0] < 30
    assert shares[1] > 94


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")

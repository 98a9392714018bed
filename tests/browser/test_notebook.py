"""Pictures in JupyterLab: from a notebook that isn't trusted, from one that is, in an exported page, and as a live widget."""

import re
import subprocess
import sys

import pytest
from servers import ENV, browser, free_port, keep, needs, started, watched

needs("playwright", "jupyterlab", "nbclient", "nbconvert", "ipykernel", "anywidget")

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbconvert import HTMLExporter  # noqa: E402
from playwright.sync_api import expect  # noqa: E402

PRICE = """\
import dout

def price(apple, number, tax):
    cost = apple * number
    return cost * tax

"""
LIVE = """\
import numpy as np

def mean(x, scale):
    if scale < 0:
        raise ValueError("no negative scale")
    return scale * np.sort(x).sum() if scale < 10 else x.sum()

w = dout.see(mean, np.array([3.0, 4.0]), 2.0).widget()
w
"""
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two notebooks, run: one to be trusted, one not; and one to be run."""
    folder = tmp_path_factory.mktemp("lab")
    code = nbformat.v4.new_code_cell
    book = nbformat.v4.new_notebook(cells=[code(PRICE + "dout.see(price, 100, 2, 1.1)")])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    nbformat.write(book, folder / "untrusted.ipynb")
    book.cells[0].source += "  # trust goes by what is in a notebook, so the two must differ"
    nbformat.write(book, folder / "trusted.ipynb")
    book.cells = [code(PRICE), code(LIVE), code("print(w.inputs, w.description['outputs'][0]['value']['v'])"), code("")]
    nbformat.write(book, folder / "live.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(folder, tmp_path_factory):
    """The address of a JupyterLab that knows nothing of this computer's settings."""
    home = tmp_path_factory.mktemp("home")
    names = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR"]
    env = {**{name: str(home / name) for name in [*names, "JUPYTERLAB_WORKSPACES_DIR"]}, "HOME": str(home)}
    trust = [sys.executable, "-m", "jupyter", "trust", str(folder / "trusted.ipynb")]
    subprocess.run(trust, env={**ENV, **env}, check=True, capture_output=True)
    port = free_port()
    command = ["jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--expose-app-in-browser",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]  # fmt: skip
    with started(command, f"http://127.0.0.1:{port}/api", home, env):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def chromium():
    with browser() as chromium:
        yield chromium


@pytest.fixture
def open_notebook(lab, chromium):
    contexts = []

    def open_(name):
        context = chromium.new_context(viewport={"width": 1300, "height": 1000}, locale="en-US")
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{lab}/lab/tree/{name}?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook", timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()


def shown(image):
    """Whether an image is there to be seen, and in full."""
    expect(image).to_be_visible(timeout=30_000)
    return image.evaluate("i => i.complete && i.naturalWidth > 100 && i.getBoundingClientRect().width > 100")


def stepped_through(page, output):
    """Open the page above the image, which goes, and take steps in it."""
    output.locator("summary").click()
    expect(output.locator("img")).to_be_hidden()
    inside = output.frame_locator("iframe")
    expect(inside.get_by_role("heading", name="price")).to_be_visible()
    inside.get_by_role("button", name="Next step").click()
    expect(inside.locator(".count")).to_have_text(re.compile(r"1 / \d+"))
    inside.get_by_role("button", name="Last step").click()
    inside.get_by_role("spinbutton", name="apple").fill("150")
    expect(inside.locator(".dout-page")).to_contain_text("330")


def test_untrusted(open_notebook):
    page = open_notebook("untrusted.ipynb")
    output = page.locator(".jp-OutputArea-output")
    assert shown(output.locator("img"))
    assert "220" in output.locator("img").get_attribute("alt")
    assert output.locator("iframe").count() == 0
    style = output.locator("img").get_attribute("style")
    assert "max-width:100%" in style
    assert "min-width" in style
    assert "overflow-x:auto" in output.locator(".dout-picture").get_attribute("style")
    output.locator("summary").click()
    expect(output).to_contain_text("Once the notebook is trusted")
    keep(page, "jupyterlab-untrusted")
    assert shown(output.locator("img"))


def test_trusted(open_notebook):
    page = open_notebook("trusted.ipynb")
    wrong = watched(page)
    output = page.locator(".jp-OutputArea-output")
    assert shown(output.locator("img"))
    keep(page, "jupyterlab-image")
    stepped_through(page, output)
    keep(page, "jupyterlab-page")
    expect(output.locator("iframe")).to_have_css("filter", "none")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(output.locator("iframe")).to_have_css("filter", re.compile("invert"))
    keep(page, "jupyterlab-dark")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    expect(output.locator("iframe")).to_have_css("filter", "none")
    assert [text for text in wrong if "srcdoc" in text] == []


def test_exported(folder, chromium):
    html, _ = HTMLExporter().from_filename(str(folder / "untrusted.ipynb"))
    exported = folder / "exported.html"
    exported.write_text(html, encoding="utf-8")
    context = chromium.new_context(offline=True, locale="en-US")
    page = context.new_page()
    page.route(re.compile("^https?:"), lambda route: route.abort())
    wrong = watched(page)
    page.goto(exported.as_uri())
    output = page.locator(".jp-OutputArea-output")
    assert shown(output.locator("img"))
    stepped_through(page, output)
    keep(page, "exported")
    loads = re.compile(
        "Failed to load resource|require is not defined|MathJax|mermaid"
    )  # nbconvert's own, from elsewhere
    assert [text for text in wrong if not loads.search(text)] == []
    context.close()


def run_all(page):
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('notebook:run-all-cells')")
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")


def run_last(page, code):
    """Run code in the last cell; the lines that it prints."""
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    return cell.locator(".jp-OutputArea-output")


def test_widget(open_notebook):
    page = open_notebook("live.ipynb")
    run_all(page)
    widget = page.locator(".dout")
    expect(widget.get_by_role("heading", name="mean")).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-OutputArea-output", has_text="14.0")).to_contain_text("'scale': 2.0")

    field = widget.get_by_role("spinbutton", name="scale")
    field.fill("3")  # the page to Python
    expect(widget).to_contain_text("21")
    expect(run_last(page, "print(w.inputs['scale'], w.description['outputs'][0]['value']['v'])")).to_have_text("3 21.0")

    run_last(page, "w.inputs = {'x[1]': 10}")  # Python to the page
    expect(widget).to_contain_text("39")

    field.fill("-1")  # an error of the user's function
    expect(widget.locator(".warnings")).to_contain_text("ValueError: no negative scale")
    expect(widget.locator(".warnings")).to_contain_text('raise ValueError("no negative scale")')
    keep(page, "jupyterlab-widget")
    field.fill("20")  # and another way through the function
    expect(widget.locator(".warnings")).not_to_contain_text("ValueError")
    expect(run_last(page, "print(w.description['outputs'][0]['value']['v'], w.error == '')")).to_have_text("13.0 True")

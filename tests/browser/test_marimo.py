"""Pictures in marimo: the image with the page that steps through it, and the live widget."""

import re

import pytest
from servers import browser, free_port, keep, needs, started

needs("playwright", "marimo", "anywidget")

from playwright.sync_api import expect  # noqa: E402

APP = """\
import marimo

app = marimo.App()


@app.cell
def _():
    import dout
    import marimo as mo

    def price(apple, number, tax):
        return apple * number * tax

    return dout, mo, price


@app.cell
def _(dout, price):
    dout.see(price, 100, 2, 1.1)


@app.cell
def _(dout, mo, price):
    widget = mo.ui.anywidget(dout.see(price, 200, 2, 1.1).widget())
    widget
    return (widget,)


@app.cell
def _(mo, widget):
    mo.md(f"apples at {widget.inputs['apple']}")


@app.cell
def _(mo, widget):
    ten = mo.ui.button(label="ten", on_click=lambda _: setattr(widget.widget, "inputs", {"number": 10}))
    ten
    return (ten,)
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "app.py").write_text(APP)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = ["marimo", "run", "app.py", "--headless", "--no-token", "--host", "127.0.0.1", "-p", str(port)]
    with started(command, f"{address}/health", folder, {"HOME": str(folder)}), browser() as chromium:
        page = chromium.new_page(viewport={"width": 1300, "height": 1400}, locale="en-US")
        page.goto(address)
        yield page


def test_picture(page):
    image = page.locator(".dout-picture img")
    expect(image).to_be_visible(timeout=60_000)
    assert image.evaluate("i => i.naturalWidth > 100")
    page.locator(".dout-picture summary").click()
    expect(image).to_be_hidden()
    inside = page.frame_locator(".dout-picture iframe")
    inside.get_by_role("button", name="Next step").click()
    expect(inside.locator(".count")).to_have_text(re.compile(r"1 / \d+"))


def test_widget(page):
    widget = page.locator(".dout")
    expect(widget.get_by_role("heading", name="price")).to_be_visible(timeout=60_000)
    expect(widget).to_contain_text("440")
    widget.get_by_role("spinbutton", name="apple").fill("300")
    expect(page.get_by_text("apples at 300")).to_be_visible()
    expect(widget).to_contain_text("660")
    page.get_by_role("button", name="ten").click()
    expect(widget).to_contain_text("3300")
    keep(page, "marimo")

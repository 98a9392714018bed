"""The app of `dout see --serve` in a browser: sliders that Python answers, saving the file, errors, the end."""

import pytest
from servers import App, browser, keep, needs, watched

needs("playwright", "starlette", "uvicorn", "watchfiles")

from playwright.sync_api import expect  # noqa: E402

SHOP = """\
import numpy as np


def middle(x, scale):
    return scale * np.sort(x)[1]
"""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    app = App(tmp_path, "shop.py:middle", "x=[3,1,2]", "scale=10")
    app.file = tmp_path / "shop.py"
    yield app
    app.stop()


@pytest.fixture
def page(app):
    with browser() as chromium:
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        page = context.new_page()
        page.wrong = watched(page)
        page.goto(app.url)
        yield page


def test_app(app, page):
    expect(page.get_by_role("heading", name="middle")).to_be_visible()
    expect(page.locator("p.line")).to_contain_text("20")
    assert page.title() == "middle"

    page.get_by_role("spinbutton", name="scale").fill("30")
    expect(page.locator("p.line")).to_contain_text("60")
    page.get_by_text("entry by entry").click()
    page.get_by_role("spinbutton", name="x[0]").fill("1.5")  # another order, which only Python knows
    expect(page.locator("p.line")).to_contain_text("45")
    page.get_by_role("slider", name="scale").press("ArrowRight")
    expect(page.locator("p.line")).not_to_contain_text("45")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("p.line")).to_contain_text("20")

    app.file.write_text(SHOP.replace("return scale", "return 2 * scale"))
    expect(page.locator("p.line")).to_contain_text("40")
    app.file.write_text(SHOP.replace("return scale", "return scales"))
    expect(page.locator(".warnings")).to_contain_text("shop.py, line 5: NameError: name 'scales' is not defined")
    expect(page.locator(".warnings")).to_contain_text("return scales * np.sort(x)[1]")
    keep(page, "app-error")
    expect(page.locator("p.line")).to_contain_text("40")
    app.file.write_text(SHOP)
    expect(page.locator(".warnings")).to_be_hidden()
    expect(page.locator("p.line")).to_contain_text("20")
    assert page.wrong == []

    app.stop()
    expect(page.locator(".warnings")).to_contain_text("The app behind this page has ended")


def test_two_pages_show_the_same(app, page):
    other = page.context.new_page()
    other.goto(app.url)
    expect(other.locator("p.line")).to_contain_text("20")
    page.get_by_role("spinbutton", name="scale").fill("50")
    expect(other.locator("p.line")).to_contain_text("100")
    expect(other.get_by_role("spinbutton", name="scale")).to_have_value("50")


def test_dragging_a_slider_arrives(app, page):
    slider = page.get_by_role("slider", name="scale")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    for k in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.5 + k / 100), y)
    page.mouse.up()
    shown = float(page.get_by_role("spinbutton", name="scale").input_value())
    assert shown > 10
    app.until(lambda state: state["inputs"]["scale"] == shown)
    expect(page.locator("p.line")).to_contain_text(f"{2 * shown:.6g}")


def test_in_chinese(app):
    with browser() as chromium:
        page = chromium.new_page(locale="zh-CN")
        page.goto(app.url)
        expect(page.get_by_role("button", name="播放")).to_be_visible()
        app.stop()
        expect(page.locator(".warnings")).to_contain_text("此页面背后的程序已结束")

"""What a notebook is given: markup that holds whatever names hold, and not too much of it."""

import base64
import html
import json
import re

import pytest

import dout
from dout.see import notebook


def bundle(f, *args):
    return dout.see(f, *args)._repr_mimebundle_()


def square(x):
    return x * x


def image(shown):
    return base64.b64decode(re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', shown)[1]).decode()


def page(shown):
    return html.unescape(re.search(r'srcdoc="([^"]*)"', shown)[1])


def test_the_image_and_the_page_are_those_of_the_picture():
    picture = dout.see(square, 3.0)
    given = picture._repr_mimebundle_()
    assert sorted(given) == ["text/html", "text/plain"]
    assert given["text/plain"] == repr(picture) == picture.text()
    assert given["text/html"] == picture._repr_html_()
    assert image(given["text/html"]) == picture.svg()
    assert page(given["text/html"]) == picture.html()


def test_options_are_those_of_the_image_and_of_the_page():
    picture = dout.see(dout.Sigmoid(), 0.5)
    options = {"open": "all", "formulas": True, "lang": "zh"}
    given = picture.show(**options)._repr_mimebundle_()
    assert image(given["text/html"]) == picture.svg(**options)
    assert page(given["text/html"]) == picture.html(**options)
    assert given["text/plain"] == repr(picture.show(**options)) == picture.text(lang="zh")
    assert image(picture.show(theme="dark")._repr_mimebundle_()["text/html"]) == picture.svg(theme="dark")


def test_the_environment_may_say_the_language(monkeypatch):
    picture = dout.see(square, 3.0)
    chinese, english = picture.show(lang="zh")._repr_mimebundle_(), picture.show(lang="en")._repr_mimebundle_()
    steps = picture.text(steps=True, lang="zh")
    monkeypatch.setenv("DOUT_LANG", "zh")
    assert picture._repr_mimebundle_() == chinese
    assert picture.show(lang="en")._repr_mimebundle_() == english
    assert picture.text(steps=True) == steps
    monkeypatch.setenv("DOUT_LANG", "fr")
    with pytest.raises(ValueError, match="DOUT_LANG has to be 'en' or 'zh', got 'fr'"):
        picture.svg()


def test_it_is_the_same_each_time():
    assert bundle(square, 3.0) == bundle(square, 3.0)


def test_nothing_of_the_page_is_markup_outside_of_it():
    shown = bundle(square, 3.0)["text/html"]
    assert re.findall(r"<(\w+)", shown) == ["div", "style", "details", "summary", "iframe", "img"]
    assert 'sandbox="allow-scripts"' in shown  # and not allow-same-origin: the page can't reach the notebook


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"onload="alert(1)', "</iframe>", "&amp;", "\u202eabc", "💥"]
)
def test_names_are_text(name):
    shown = bundle(lambda p: p[name] * p[name], {name: 2.0})["text/html"]
    assert re.findall(r"<(\w+)", shown) == ["div", "style", "details", "summary", "iframe", "img"]
    tag = re.search(r"<img [^>]*>", shown)[0]
    assert re.findall(r' ([\w-]+)="', tag) == ["src", "alt", "width", "height", "style"]
    data = re.search(r'<script id="dout-data" type="application/json">(.*?)</script>', page(shown))[1]
    assert json.loads(data)["description"]["nodes"][0]["kind"] == "input"


def test_a_page_that_is_too_large_is_left_out(monkeypatch):
    monkeypatch.setattr(notebook, "LARGEST", 1000)
    shown = bundle(square, 3.0)["text/html"]
    assert "<iframe" not in shown
    assert "too large" in shown
    assert "<svg" in image(shown)


def test_long_text_is_cut():
    def long(x):
        for _ in range(300):
            x = x + 1.0
        return x

    lines = bundle(long, 1.0)["text/plain"].splitlines()
    assert len(lines) == notebook.LINES + 1
    assert re.fullmatch(r"\.\.\. \d+ more lines: print\(picture\.text\(\)\)", lines[-1])


def test_in_chinese():
    given = notebook.mimebundle_of(dout.see(square, 3.0), lang="zh")
    assert "逐步查看" in given["text/html"]
    assert 'lang="zh"' in image(given["text/html"])

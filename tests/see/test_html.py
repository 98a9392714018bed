"""The page as a file: one document that is safe and whole, its words, and the module that notebooks get too. No browser."""

import base64
import hashlib
import html.parser
import json
import re
import zlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import dout
from dout.see import bundle
from dout.see.html import html_of, json_in_html
from dout.see.words import say, words

PAGE = Path(str(files("dout.see") / "page"))
NASTY = "</script><script>alert(1)</script>&\"'\u2028\u2029\u202e<!--\x00\ud83d💡שלום]]>"


def price(apple, number, tax):
    cost = apple * number
    return cost * tax


@pytest.fixture(scope="module")
def description():
    return dout.see(price, 100, 2, 1.1).describe()


class Document(html.parser.HTMLParser):
    """The elements of a page with their attributes and texts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])
        self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.elements[-1][2] += data

    def of(self, tag, **wanted):
        return [e for e in self.elements if e[0] == tag and all(e[1].get(k) == v for k, v in wanted.items())]


def data_of(page):
    [[_, _, text]] = Document(page).of("script", type="application/json")
    data = json.loads(text)
    return json.loads(zlib.decompress(base64.b64decode(data["packed"]))) if "packed" in data else data


# The document


def test_policy_allows_only_what_stands_there(description):
    document = Document(html_of(description))
    [[_, attributes, _]] = document.of("meta", **{"http-equiv": "Content-Security-Policy"})
    policy = dict(rule.strip().split(" ", 1) for rule in attributes["content"].split(";"))
    [[_, _, script]], [[_, _, style]] = document.of("script", type="module"), document.of("style")

    def digest(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert policy == {"default-src": "'none'", "script-src": digest(script), "style-src": digest(style),
                      "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}  # fmt: skip


def test_nothing_is_inline_or_elsewhere(description):
    document = Document(html_of(description))
    for tag, attributes, _ in document.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert tag not in {"base", "embed", "form", "iframe", "object"}
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert len(document.of("script")) == 2


def test_names_are_data():
    picture = dout.see(price, 100, 2, 1.1)
    described = picture.describe() | {"title": NASTY, "notes": [NASTY]}
    described["nodes"][0]["name"] = NASTY
    page = html_of(described)
    page.encode()
    assert "alert(1)</script>" not in page
    assert len(re.findall("<script", page)) == len(re.findall("</script", page)) == 2
    data = data_of(page)["description"]
    assert data["nodes"][0]["name"].encode("utf-16", "surrogatepass") == NASTY.encode("utf-16", "surrogatepass")
    assert NASTY.replace("\u202e", "")[:8] in Document(page).of("title")[0][2]


def test_json_has_nothing_that_html_reads():
    text = json_in_html({"a": NASTY})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text)["a"].startswith("</script>")


def test_large_data_are_packed():
    def long(x):
        for _ in range(500):
            x = np.sin(x) * np.exp(-x)
        return x

    described = dout.see(long, 0.7).describe() | {"notes": [NASTY]}
    page = html_of(described)
    assert len(described["nodes"]) > 1500
    assert len(page.encode()) < 1_000_000
    assert data_of(page)["description"] == json.loads(json.dumps(described))
    assert html_of(described) == page


def test_same_bytes(description):
    assert html_of(description) == html_of(dout.see(price, 100, 2, 1.1).describe())


def test_options(description):
    data = data_of(html_of(description, lang="zh", sizes=True, paths="tax"))
    assert data["lang"] == "zh"
    assert data["description"]["sizes"] is True
    assert data["description"]["paths"] == "tax"
    assert '<html lang="zh">' in html_of(description, lang="zh")
    assert say("page.noscript", "zh") in html_of(description, lang="zh")


def test_options_that_there_are_not(description):
    with pytest.raises(ValueError, match="lang has to be 'en' or 'zh', got 'de'"):
        html_of(description, lang="de")
    with pytest.raises(ValueError, match="no input is called 'pear'; the inputs are 'apple', 'number', 'tax'"):
        html_of(description, paths="pear")


# The module


def test_module_is_one():
    text = bundle.module()
    assert not re.search(r"^\s*import\b", text, re.M)
    assert re.findall(r"^export .*", text, re.M) == ["export default { render: $page.render };"]
    assert "</script" not in text.lower()
    assert "<!--" not in text
    assert bundle.module() == text


def test_module_has_each_file_once():
    text = bundle.module() + bundle.starter()
    scopes = re.findall(r"^const (\$\w+) = ", text, re.M)
    assert len(scopes) == len(set(scopes))
    inside = {path.name for path in PAGE.glob("*.js")} - {"app.js"}
    assert {f"${name.removesuffix('.js')}" for name in inside} | {"$words_json", "$style_css"} == set(scopes)


@pytest.mark.parametrize("line", [
    'import * as all from "./dom.js";',
    'import { a } from "https://example.org/a.js";',
    'export * from "./dom.js";',
    "export let counter = 0;",
])  # fmt: skip
def test_what_cannot_be_joined_is_refused(line, monkeypatch):
    monkeypatch.setattr(bundle, "_read", lambda name: f"{line}\nexport function render() {{}}\n")
    with pytest.raises(ValueError, match=re.escape("page.js: only imports of files beside it and plain exports")):
        bundle._add("page.js", [], [], [])


def test_a_circle_is_refused(monkeypatch):
    texts = {"page.js": 'import { a } from "./a.js";\n', "a.js": 'import { render } from "./page.js";\n'}
    monkeypatch.setattr(bundle, "_read", texts.get)
    with pytest.raises(ValueError, match=re.escape("in a circle: page.js -> a.js -> page.js")):
        bundle._add("page.js", [], [], [])


def test_imports_are_renamed(monkeypatch):
    monkeypatch.setattr(bundle, "_read", lambda name: "export const a = 1;\n" if name == "a.js" else
                        'import { a as one } from "./a.js";\nexport function render() {\n  return one;\n}\n')  # fmt: skip
    parts = []
    bundle._add("page.js", parts, [], [])
    assert "const { a: one } = $a;" in parts[1]
    assert parts[0] == "const $a = (() => {\nconst a = 1;\nreturn { a };\n})();\n"


@pytest.mark.parametrize("path", sorted(PAGE.glob("*.js")), ids=lambda path: path.name)
def test_sources(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("//"), "the first line says what the file is for"
    assert len(text.splitlines()) <= 400
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|\.style\.cssText", text
    )
    assert not re.search(r"setAttribute\(\"style\"|\bstyle:\s", text), "styles by class or setProperty"


# Words


def test_both_languages_say_the_same():
    assert list(words()) == ["en", "zh"]
    assert words()["en"].keys() == words()["zh"].keys()
    for key, text in words()["en"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", words()["zh"][key])), key


def test_the_page_says_what_there_is():
    used = set()
    for path in PAGE.glob("*.js"):
        used |= set(re.findall(r'"(page(?:\.\w+)+)"', path.read_text(encoding="utf-8")))
    there = {key for key in words()["en"] if key.startswith("page.")}
    made = {f"page.{name}" for name in ("upstream", "local", "downstream", "noscript")}
    assert used <= there
    assert {key for key in there - used - made if not key.startswith("page.kind.")} == set()


def test_say_fills_in_once():
    assert say("page.where", file="{line}", line=3) == "{line}, line 3"
    assert say("page.step.of", "zh", i=1, n=2).startswith("第 1 步")
    assert say("page.step.of") == "{i} of {n}"

"""Two runs side by side: what matches, what differs and by how much, where the two part, and every form of that."""

import html.parser
import json
import random
import re
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout import see
from dout.see.align import align
from dout.see.compare import compare, difference
from dout.see.words import words

A = np.array([[0.5, -1.0], [2.0, 1.5], [1.0, 0.25]])


def price(apple, apple_num, orange, orange_num, tax):
    apple_price = apple * apple_num
    orange_price = orange * orange_num
    total = apple_price + orange_price
    return total * tax


def with_discount(apple, apple_num, orange, orange_num, tax):
    apple_price = apple * apple_num
    orange_price = orange * orange_num
    total = apple_price + orange_price
    cheaper = total - 5.0
    return cheaper * tax


BASE = (100, 2, 150, 3, 1.1)


@pytest.fixture
def base():
    return see(price, *BASE)


class TestAlign:
    @pytest.mark.parametrize(
        ("left", "right", "pairs"),
        [
            ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
            ("abc", "", []),
            ("", "", []),
            ("abc", "axc", [(0, 0), (2, 2)]),
            ("abcd", "abxcd", [(0, 0), (1, 1), (2, 3), (3, 4)]),
            ("aaaa", "aaa", [(0, 0), (1, 1), (2, 2)]),
            ("xaby", "abz", [(1, 0), (2, 1)]),
        ],
    )
    def test_small(self, left, right, pairs):
        assert align(left, right) == pairs

    @given(st.text("abcd", max_size=25), st.text("abcd", max_size=25))
    @settings(max_examples=200, deadline=None, derandomize=True)
    def test_pairs_are_equal_and_rise_on_both_sides(self, left, right):
        pairs = align(left, right)
        assert all(left[i] == right[j] for i, j in pairs)
        for k in (0, 1):
            places = [pair[k] for pair in pairs]
            assert places == sorted(set(places))
        assert [j for _, j in align(left, left)] == list(range(len(left)))

    def test_fine_keys_decide_among_equals(self):
        assert align("mm", "m", ["m1", "m2"], ["m2"]) == [(1, 0)]

    def test_long_ones_are_quick(self):
        rng = random.Random(0)
        left = [rng.choice("abcde") for _ in range(20_000)]
        right = left[:7000] + ["new"] * 3 + left[7000:12_000] + left[12_500:]
        start = time.perf_counter()
        pairs = align(left, right)
        assert time.perf_counter() - start < 10
        assert len(pairs) > 19_000


@pytest.mark.parametrize(
    ("a", "b", "relative"),
    [
        (1.0, 1.0, 0.0),
        (2.0, 1.0, 0.5),
        (np.nan, np.nan, 0.0),
        (np.inf, np.inf, 0.0),
        (np.inf, -np.inf, np.inf),
        (np.nan, 1.0, np.inf),
        (0.0, -0.0, 0.0),
        (0, 0, 0.0),
        (10**400, 10**400 + 1, 0.0),
        (10**400, 2 * 10**400, 0.5),
        (10**400, 1.5, np.inf),
        (A, A, 0.0),
        (A, A + 1e-3, pytest.approx(1e-3 / 2.001)),
        (A, A.T, np.inf),
        (np.zeros(0), np.zeros(0), 0.0),
        (1 + 1j, 1 - 1j, pytest.approx(2 / 2**0.5)),
        ((1.0, A), (1.0, A * 2), 0.5),
        ((1.0, A), A, np.inf),
        (np.float32(0.1), 0.1, pytest.approx(1.5e-8, rel=0.1)),
        (3, 3.0, 0.0),
        (True, False, 1.0),
    ],
)
def test_difference(a, b, relative):
    assert difference(a, b).relative == relative


def test_the_same_run_twice(base):
    found = compare(base, see(price, *BASE))
    assert found.same
    assert found.first is None
    assert "The two runs are the same" in found.text()
    assert found.counts() == {"left": 9, "right": 9, "matched": 9, "values": 0, "derivatives": 0}
    assert "≠" not in found.svg()


def test_another_input(base):
    found = base.compare(see(price, 100, 3, 150, 3, 1.1))
    assert [one.name for one in found.first] == ["apple_num", "apple_num"]
    assert found.first_back[0].source.name == "tax"  # the newest edge that differs
    assert {m.left.name or m.left.op for m in found.matches if found.differs(m.value)} == {
        "apple_num", "apple_price", "total", "multiply",
    }  # fmt: skip
    assert found.counts()["derivatives"] == 2


def test_an_operation_more(base):
    found = compare(base, see(with_discount, *BASE))
    assert (found.only_left, [one.name or one.value for one in found.only_right]) == ([], [5.0, "cheaper"])
    assert found.first[0] is None
    assert found.first[1].name == "cheaper"
    assert "which is only on the right" in found.text()
    back = compare(see(with_discount, *BASE), base)
    assert back.first[1] is None
    assert "which is only on the left" in back.text()


def test_another_operation():
    left, right = see(lambda x: np.sin(x) * 2.0, 0.5), see(lambda x: np.cos(x) * 2.0, 0.5)
    found = compare(left, right)
    assert [one.op for one in found.only_left] == ["sin"]
    assert [one.op for one in found.only_right] == ["cos"]
    assert found.first[0].op == "sin"


def loop(x, n, factor):
    for _ in range(n):
        x = np.sin(x) * factor
    return x


def test_more_steps_of_a_loop():
    found = compare(see(loop, 0.5, 10, 1.01), see(loop, 0.5, 12, 1.01))
    assert len(found.only_left) == 0
    assert len(found.only_right) == 2 * 2
    large = compare(see(lambda x: loop(x, 300, 1.01), 0.5), see(lambda x: loop(x, 302, 1.01), 0.5))
    assert len(large.only_right) == 2 * 3  # sin, × and its constant


class Wrong(dout.Layer):
    def forward(self, x):
        float(np.sum(x))  # so that it can't be opened
        self.x = x
        return x * x

    def backward(self, dout):
        return dout * self.x


class Right(Wrong):
    def backward(self, dout):
        return dout * 2 * self.x


Right.__name__ = "Wrong"


def test_where_only_derivatives_differ_they_part_on_the_way_back():
    left, right = see(lambda x: np.sum(Wrong()(np.exp(x)) + 1.0), A), see(lambda x: np.sum(Right()(np.exp(x)) + 1.0), A)
    found = compare(left, right)
    assert found.first is None
    assert not found.same
    assert found.first_back[0].target.sign == "Wrong"
    assert "On the way back, they part between Wrong" in found.text()


def test_tolerance():
    left, right = see(lambda x: np.sum(np.exp(x)), A), see(lambda x: np.sum(np.exp(x)), A * (1 + 1e-9))
    assert not compare(left, right).same
    assert compare(left, right, tolerance=1e-7).same
    single = see(lambda x: np.sum(np.exp(x)), A.astype(np.float32))
    assert compare(left, single, tolerance=1e-5).same


def test_a_nan_on_one_side():
    with np.errstate(all="ignore"):
        found = compare(see(lambda x: np.sqrt(x) + 1.0, 4.0), see(lambda x: np.sqrt(x) + 1.0, -4.0))
        description = found.describe()
    json.dumps(description, allow_nan=False)
    assert [node["differs"] for node in description["right"]["nodes"] if "differs" in node] == [
        2.0,
        "Infinity",
        "Infinity",
    ]


def test_the_description(base):
    found = compare(base, see(with_discount, *BASE)).describe()
    json.dumps(found, allow_nan=False)
    assert (found["format"], found["kind"]) == (1, "comparison")
    assert found["first"]["kind"] == "structure"
    assert found["first"]["left"] is None
    right = found["right"]["nodes"]
    assert right[found["first"]["right"]]["name"] == "cheaper"
    assert {node["name"] for node in right if node.get("alone")} == {None, "cheaper"}
    left = found["left"]["nodes"]
    for i, j, relative in found["matches"]:
        assert (left[i]["op"], left[i]["kind"]) == (right[j]["op"], right[j]["kind"])
        assert ("differs" in left[i]) == (relative > 1e-12) == ("differs" in right[j])
    (edge,) = [e for e in found["left"]["edges"] if "differs" in e]
    assert left[edge["from"]]["name"] == "tax"
    assert edge["other"]["t"] == "645"


def test_text_of_few_and_of_many(base):
    rows = compare(base, see(price, 100, 3, 150, 3, 1.1)).text().splitlines()
    assert "≠ apple_num     2     3      0.33      110     110" in rows
    assert "  orange        150   150              3.3     3.3" in rows
    many = compare(see(lambda x: loop(x, 300, 1.01), 0.5), see(lambda x: loop(x, 300, 1.01), 0.51)).text().splitlines()
    assert len(many) < 80
    assert re.fullmatch(r"  and \d+ more", many[-1])
    assert not any(line.startswith("  ×") for line in many[5:-1])


def test_languages_and_colour(base, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    found = compare(base, see(price, 100, 3, 150, 3, 1.1))
    assert "节点" in found.text(lang="zh")
    coloured = found.text(colour=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == found.text()
    assert "\x1b[" in coloured
    for key in words()["en"]:
        if key.startswith("compare."):
            assert set(re.findall(r"\{\w+\}", words()["en"][key])) == set(re.findall(r"\{\w+\}", words()["zh"][key]))


def ids_in(svg):
    return re.findall(r'\bid="([^"]+)"', svg)


def test_svg(base):
    found = compare(base, see(with_discount, *BASE))
    svg = found.svg()
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert len(root.findall("{http://www.w3.org/2000/svg}svg")) == 2
    assert svg == compare(see(price, *BASE), see(with_discount, *BASE)).svg()
    assert "≠ 715" in svg
    assert "in the other run: 709.5" in svg
    assert "only in this run" in svg
    assert len(ids_in(svg)) == len(set(ids_in(svg)))
    same = compare(base, base).svg()
    assert len(ids_in(same)) == len(set(ids_in(same)))
    assert "左" in found.svg(lang="zh")
    with pytest.raises(ValueError, match="theme has to be"):
        found.svg(theme="blue")


class Closing(html.parser.HTMLParser):
    """Holds that every tag is closed, and keeps what is said and what runs."""

    VOID = ("meta", "link", "br", "img")

    def __init__(self, page):
        super().__init__()
        self.open, self.scripts, self.said = [], 0, []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


def test_html(base):
    page = compare(base, see(with_discount, *BASE)).html()
    read = Closing(page)
    assert read.scripts == 0
    assert any("only on the right" in text for text in read.said)
    assert "default-src 'none'" in page
    assert page == compare(see(price, *BASE), see(with_discount, *BASE)).html()


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a\x1bb", "\u202eabc", "价格", "🍎"]
)
def test_names_of_any_kind(name):
    left, right = (see(dout.Variable(v, name=name) * 3.0) for v in (2.0, 2.5))
    found = compare(left, right)
    assert Closing(found.html()).scripts == 0
    ET.fromstring(found.svg())
    for form in (found.svg(), found.html(), found._repr_html_()):
        assert "<script>" not in form
        assert "onerror=alert(1)>" not in form
    assert "\x1b" not in found.text() + found.svg() + found.html()


def test_saved_and_shown(base, tmp_path):
    found = compare(base, see(with_discount, *BASE))
    for suffix in ("svg", "html", "json", "txt"):
        found.save(tmp_path / f"both.{suffix}")
        assert (tmp_path / f"both.{suffix}").stat().st_size > 500
    assert json.loads((tmp_path / "both.json").read_text("utf-8"))["kind"] == "comparison"
    bundle = found._repr_mimebundle_()
    assert bundle["text/plain"] == repr(found) == found.text()
    assert bundle["text/html"].startswith("<img ")


def test_what_is_no_picture(base):
    with pytest.raises(TypeError, match=r"expected two pictures, as dout\.see gives them, got float"):
        compare(base, 3.0)


def test_graphs_of_any_kind():
    cases = [
        (lambda x: 7.0, 1.0),
        (lambda x: x, 3.0),
        (lambda x: np.sum(x), np.zeros((0, 3))),
        (lambda z: np.abs(z * z), 1 + 2j),
        (lambda a: (a, {"b": a * 2}), 3),
        (lambda x: np.sum(dout.Sigmoid()(x)), A),
        (lambda x: np.linalg.slogdet(x.T @ x)[1], A),
    ]
    pictures = [see(f, x) for f, x in cases]
    for left in pictures:
        for right in pictures:
            found = compare(left, right)
            assert found.same == (left is right)
            json.dumps(found.describe(), allow_nan=False)
            ET.fromstring(found.svg())
            assert found.text()

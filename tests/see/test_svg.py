"""Pictures as SVG: what they show, that nothing covers anything, and that nothing in a name does harm."""

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from svgs import NS, Drawn

import dout
from dout.nn import Affine, SoftmaxWithLoss
from dout.see.markup import clean, fit, num
from dout.see.svg import svg_of
from dout.see.svg_reach import Sizes, magnitude
from dout.see.theme import DARK, LIGHT


def price(apple, apple_num, orange, orange_num, tax):
    apple_price = apple * apple_num
    orange_price = orange * orange_num
    fruit_price = apple_price + orange_price
    return fruit_price * tax


def bought():
    return dout.see(price, 100, 2, 150, 3, 1.1)


def groups(svg, kind):
    return [g for g in ET.fromstring(svg).iter(NS + "g") if g.get("class") == kind]


def texts(element):
    return [t.text for t in element.iter(NS + "text")]


def titles(element):
    return [t.text for t in element.iter(NS + "title")]


class TestWhatIsShown:
    def test_each_arrow_has_its_value_and_its_derivative(self):
        shown = sorted(tuple(texts(arrow)) for arrow in groups(bought().svg(), "arrow"))
        assert shown == sorted(
            [("100", "2.2"), ("2", "110"), ("150", "3.3"), ("3", "165"), ("200", "1.1"), ("450", "1.1"), ("650", "1.1"),
             ("1.1", "650"), ("715", "1")]
        )  # fmt: skip

    def test_names(self):
        said = Drawn(bought().svg()).said()
        assert {"apple", "apple_num", "orange", "orange_num", "tax", "apple_price", "fruit_price"} <= set(said)

    def test_forward_above_solid_and_filled_backward_below_dashed_and_open(self):
        for arrow in groups(bought().svg(), "arrow"):
            line, head, back, barb = arrow.findall(NS + "path")
            assert line.get("stroke") == LIGHT["forward"]
            assert line.get("stroke-dasharray") is None
            assert head.get("fill") == LIGHT["forward"]
            assert back.get("stroke") == barb.get("stroke") == LIGHT["backward"]
            assert back.get("stroke-dasharray")
            assert barb.get("fill") is None
            over, under = (float(re.match(r"M[-\d.]+ ([-\d.]+)", path.get("d"))[1]) for path in (line, back))
            assert under - over == pytest.approx(6)

    def test_a_title_says_how_a_derivative_came_about(self):
        said = [title for arrow in groups(bought().svg(), "arrow") for title in titles(arrow)]
        assert any("1.1 × 2 = 2.2" in title and title.startswith("apple →") for title in said)

    def test_a_title_quotes_the_line(self):
        said = [title for op in groups(bought().svg(), "op") for title in titles(op)]
        assert any("test_svg.py:" in title and "fruit_price = apple_price + orange_price" in title for title in said)

    def test_constants_have_no_way_back(self):
        svg = dout.see(lambda x: x * 2, 3.0).svg()
        alone = [a for a in groups(svg, "arrow") if len(a.findall(NS + "path")) == 2]
        assert len(alone) == 1
        assert texts(alone[0]) == []
        assert texts(groups(svg, "constant")[0]) == ["2"]

    def test_two_arrows_for_a_square_and_their_sum(self):
        svg = dout.see(lambda x: x * x, 3.0).svg()
        assert sorted(tuple(texts(arrow)) for arrow in groups(svg, "arrow")) == [("3", "3"), ("3", "3"), ("9", "1")]
        assert texts(groups(svg, "input")[0]) == ["x", "3 + 3 = 6"]

    def test_shapes_and_ranges_of_arrays(self):
        svg = dout.see(lambda x: np.sum(x * x), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).svg()
        assert {"3×2 float64", "min 1 mean 3.5 max 6", "min 1 mean 1 max 1"} <= set(Drawn(svg).said())
        assert any("▁" in title or "█" in title for g in groups(svg, "arrow") for title in titles(g))

    def test_broadcasting_is_marked(self):
        svg = dout.see(lambda x, b: np.sum(x + b), np.ones((4, 2)), np.ones(2)).svg()
        marked = [arrow for arrow in groups(svg, "arrow") if "Σ" in texts(arrow)]
        assert len(marked) == 1
        assert "broadcast to 4×2" in titles(marked[0])[0]

    def test_paths_of_outputs(self):
        svg = dout.see(lambda x: {"a": x * 2, "b": x * 3}, 1.0).svg()
        assert {"['a']", "['b']"} <= set(Drawn(svg).said())

    def test_nothing_differentiable(self):
        svg = dout.see(lambda x: 7.0, 1.0).svg()
        assert "<svg" in svg
        ET.fromstring(svg)

    def test_empty_and_enormous_and_complex(self):
        for x in (np.ones((0, 3)), np.broadcast_to(1.0, (100_000, 1000)), np.array([1 + 2j, 3 - 1j])):
            svg = dout.see(lambda x: np.sum(np.abs(x)), x).svg()
            assert Drawn(svg).covered() == []

    def test_notes_stand_below(self):
        assert "The derivatives are those of the output's sum." in Drawn(dout.see(np.sin, np.ones(3)).svg()).said()


class TestFolds:
    def test_an_open_layer_is_a_frame_that_says_it_is_the_same(self):
        svg = dout.see(lambda x: dout.Sigmoid()(x), 0.5).svg(open="all")
        (frame,) = groups(svg, "frame")
        assert texts(frame) == ["Sigmoid", "dout · y² · exp(−x) = dout · y · (1 − y)  ✓ same derivative"]
        assert {"exp", "1/x", "×−1"} <= set(Drawn(svg).said())

    def test_a_closed_layer_carries_its_own_derivative_and_says_it_is_the_same(self):
        svg = dout.see(lambda x: dout.Sigmoid()(x), 0.5).svg()
        assert texts(groups(svg, "fold")[0]) == ["Sigmoid"]
        assert ["0.5", "0.235004"] in [texts(arrow) for arrow in groups(svg, "arrow")]
        said = " ".join(Drawn(svg).said())
        assert "opened dout · y² · exp(−x), closed dout · y · (1 − y), the same derivative" in said

    def test_a_loop_has_a_badge(self):
        def chain(x):
            for _ in range(12):
                x = x + np.tanh(x)
            return x

        fold = groups(dout.see(chain, 0.1).svg(open="none"), "fold")[0]
        assert "×12" in texts(fold)

    def test_frames_lie_within_each_other_and_hold_what_is_in_them(self):
        def chain(x):
            for _ in range(3):
                x = dout.Sigmoid()(x) + x
            return x

        drawn = Drawn(dout.see(chain, 0.1).svg(open="all"))
        assert len(drawn.frames) == 7
        for a, b in itertools.combinations(drawn.frames, 2):
            assert not a.meets(b) or a.holds(b) or b.holds(a)
        for frame in drawn.frames:
            for shape in drawn.shapes:
                assert not frame.meets(shape) or frame.holds(shape)
        assert drawn.covered() == []

    def test_flat_draws_every_operation_and_no_frame(self):
        picture = dout.see(lambda x: dout.Sigmoid()(x) + dout.Sigmoid()(2 * x), 0.1)
        drawn = Drawn(picture.svg(flat=True))
        assert drawn.frames == []
        assert drawn.said().count("exp") == 2
        assert drawn.covered() == []

    def test_flat_needs_everything(self):
        description = {**dout.see(np.sin, 1.0).describe(), "complete": False}
        with pytest.raises(ValueError, match="too large to be drawn flat"):
            svg_of(description, flat=True)


class TestOptions:
    def test_formulas_in_the_names_of_the_code(self):
        def area(width, height):
            surface = width * height
            return surface

        said = Drawn(dout.see(area, 3.0, 4.0).svg(formulas=True)).said()
        assert "∂L/∂width = ∂L/∂surface · height" in said
        assert "L: the output of the whole" in said

    def test_formulas_never_confuse_a_name_with_a_symbol(self):
        said = Drawn(dout.see(lambda x, y: x * y, 3.0, 4.0).svg(formulas=True)).said()
        assert "∂L/∂x = ∂L/∂out · y" in said
        assert "∂L/∂y = ∂L/∂out · x" in said

    def test_a_layer_s_formula_is_its_own(self):
        said = Drawn(dout.see(lambda x: dout.Sigmoid()(x), 0.5).svg(formulas=True)).said()
        assert "dout · y · (1 − y)" in said
        assert not [text for text in said if text.startswith("∂")]

    def test_paths(self):
        svg = bought().svg(paths="orange")
        glowing = [e for e in ET.fromstring(svg).iter() if LIGHT["path"] in (e.get("stroke"), e.get("fill"))]
        assert len(glowing) == 4 + 4  # the arrows and the nodes from orange to the price
        assert "orange reaches the output by one path." in Drawn(svg).said()

    def test_paths_of_what_is_no_input(self):
        with pytest.raises(ValueError, match="no input is called 'pear'; the inputs are 'apple', 'apple_num'"):
            bought().svg(paths="pear")

    def test_sizes(self):
        def deep(x):
            for _ in range(4):
                x = np.sin(x) * 0.01
            return x

        svg = dout.see(deep, 1.0).svg(sizes=True, open="none", flat=True)
        backs = [a.findall(NS + "path")[2] for a in groups(svg, "arrow") if len(a.findall(NS + "path")) == 4]
        widths = [float(back.get("stroke-width", "1.5")) for back in backs]
        assert max(widths) == 5.5
        assert min(widths) < 1.3
        assert {"size of the derivative", "1", "0.001", "1e−9"} <= set(Drawn(svg).said())

    def test_a_derivative_of_nothing_is_dotted(self):
        svg = dout.see(lambda x: dout.Relu()(x) * 2, -1.0).svg(sizes=True)
        assert "0" in Drawn(svg).said()
        assert 'stroke-dasharray="1 3.5"' in svg

    def test_sizes_without_any_derivative(self):
        assert "<svg" in dout.see(lambda x: 7.0, 1.0).svg(sizes=True)

    def test_chinese(self):
        svg = bought().svg(lang="zh")
        assert 'lang="zh"' in svg
        assert {"值", "输出的导数"} <= set(Drawn(svg).said())

    def test_without_a_legend(self):
        assert "derivative of the output" not in Drawn(bought().svg(legend=False)).said()

    @pytest.mark.parametrize(("option", "value"), [("theme", "blue"), ("lang", "xx")])
    def test_wrong_options(self, option, value):
        with pytest.raises(ValueError, match=f"{option} has to be"):
            svg_of(bought().describe(), **{option: value})


class TestProblems:
    def test_the_first_nan_is_marked_with_its_line(self):
        with np.errstate(all="ignore"):
            svg = dout.see(lambda x: np.sqrt(x) * 2.0, -1.0).svg()
        marked = [g for g in groups(svg, "op") if any(r.get("stroke") == LIGHT["bad"] for r in g.iter(NS + "rect"))]
        assert len(marked) == 1
        assert "√" in texts(marked[0])
        said = " ".join(Drawn(svg).said())
        assert "⚠ The first NaN comes from sqrt" in said
        assert "test_svg.py:" in said

    def test_nan_and_infinity_stand_out_on_arrows(self):
        with np.errstate(all="ignore"):
            svg = dout.see(lambda x: np.log(x) * 2.0, 0.0).svg()
        colours = {t.text: t.get("fill") for arrow in groups(svg, "arrow") for t in arrow.iter(NS + "text")}
        assert colours["−∞"] == LIGHT["bad"]

    def test_disagreement_with_the_numerical_derivative(self):
        class Wrong:
            def forward(self, x):
                return x * 2

            def backward(self, dout):
                return dout

        svg = dout.see(lambda x: dout.layer(Wrong())(x), 1.0, numerical=True).svg()
        assert ["1", "≠ 1"] in [texts(arrow) for arrow in groups(svg, "arrow")]
        assert any(
            text.startswith("≠ With the derivative that came to it, Wrong hands on 1") for text in Drawn(svg).said()
        )

    def test_one_number_that_a_relu_stops_is_no_alarm(self):
        def alarms(x):
            return [text for text in Drawn(dout.see(lambda x: np.sum(dout.Relu()(x)), x).svg()).said() if "⚠" in text]

        assert alarms(-1.0) == []
        assert len(alarms(np.array([-1.0, -2.0]))) == 1


class TestFile:
    def test_the_same_bytes_each_time(self):
        assert bought().svg() == bought().svg()

    def test_it_needs_nothing_else(self):
        svg = bought().svg(formulas=True, sizes=True)
        assert "href" not in svg
        assert "url(" not in svg
        assert "script" not in svg.lower().replace("described", "")
        assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]

    def test_ids_of_two_pictures_in_one_page_differ(self):
        one, other = (
            set(re.findall(r'\bid="([^"]*)"', picture.svg())) for picture in (bought(), dout.see(np.sin, 1.0))
        )
        assert one
        assert not one & other

    def test_the_same_picture_in_two_themes_has_other_ids_too(self):
        svgs = [bought().svg(theme=theme) for theme in (None, "light", "dark")]
        assert len({re.search(r'id="([^"]*)"', svg)[1] for svg in svgs}) == 3

    def test_styles_keep_to_their_picture(self):
        svg = bought().svg()
        prefix = re.search(r'<svg [^>]*id="([^"]*)"', svg)[1]
        style = re.search(r"<style>(.*?)</style>", svg)[1]
        selectors = [s.strip() for s in re.findall(r"([^{}]+)\{[^{}@]*\}", style.replace("{#", "{ #"))]
        assert selectors
        assert all(s.rpartition("{")[2].strip().startswith(f"#{prefix}") for s in selectors)

    def test_accessible(self):
        root = ET.fromstring(bought().svg())
        assert root.get("role") == "img"
        named = [e for e in root if e.get("id") in root.get("aria-labelledby").split()]
        assert [e.tag for e in named] == [NS + "title", NS + "desc"]
        assert named[0].text == "Computational graph of price"
        assert "Operations: 4; inputs: 5. Output: 715.0000000000001." in named[1].text
        assert "apple 2.2" in named[1].text

    def test_both_colours_stand_for_each_other(self):
        svg, dark = bought().svg(), bought().svg(theme="dark")
        assert "prefers-color-scheme:dark" in svg
        assert "prefers-color-scheme" not in dark
        assert LIGHT["forward"] not in dark
        assert DARK["forward"] in dark
        assert set(LIGHT) == set(DARK)

    @pytest.mark.parametrize("theme", [LIGHT, DARK])
    def test_contrast(self, theme):
        for text in ("ink", "faint", "forward", "backward", "bad"):
            for ground in ("paper", "frame", "frame2", "box", "node"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        assert contrast(theme["bad"], theme["badbox"]) >= 4.5
        assert contrast(theme["ink"], theme["badbox"]) >= 4.5
        assert contrast(theme["ink"], theme["path"]) >= 4.5


def contrast(one, other):
    """As WCAG has it."""

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    a, b = sorted((light(one), light(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


NASTY = [
    "</text><script>alert(1)</script>",
    '"\' onload="alert(1)',
    "]]> & &amp; <!--",
    "a\x00b\x1bc\x7f\x85",
    "\ud800half",
    "\ufffe\uffff\U0001ffff",
    "line\nbreak\ttab\u2028",
    "שלום",
    "مرحبا",
    "\u202eevil\u2066",
    "😀👩‍👩‍👧 emoji",
    "价格",
    "e\u0301" * 30,
    "x" * 500,
    "",
]


class TestNastyNames:
    @pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
    def test_anywhere(self, name):
        description = dout.see(lambda x, y: dout.Sigmoid()(x * y) + 2, 0.5, 2.0).describe(open="all")
        for node in description["nodes"]:
            node["name"] = name
            node["sign"] = name
            node["where"] = {"file": name, "line": 1, "text": name, "function": name}
        for group in description["groups"]:
            group["name"] = name
        description["title"] = name
        description["notes"] = [name]
        description["outputs"][0]["path"] = name
        svg = svg_of(description, paths=name or None, formulas=True) if name else svg_of(description)
        root = ET.fromstring(svg.encode("utf-8"))
        assert {e.tag.removeprefix(NS) for e in root.iter()} <= {
            "svg", "title", "desc", "style", "g", "path", "rect", "text"
        }  # fmt: skip
        for element in root.iter():
            assert not any(key.lower().startswith("on") for key in element.attrib)
        for text in root.itertext():
            assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067")

    def test_what_is_written_from_right_to_left_keeps_to_itself(self):
        names = {}
        exec("def f(שלום):\n    return שלום * 2", names)
        svg = dout.see(names["f"], 1.0).svg()
        name = next(t for t in ET.fromstring(svg).iter(NS + "text") if t.text == "שלום")
        assert "r" in name.get("class").split()
        assert "unicode-bidi:isolate" in svg
        assert "\u2068" + name.text + "\u2069" in svg


def test_clean():
    assert clean("a\x00\x1b") == "a␀␛"
    assert clean("\ud800") == "�"
    assert clean("a\nb") == "a␊b"
    assert clean("a\nb", lines=True) == "a\nb"
    assert clean(12) == "12"


def test_fit():
    assert fit("price", 100) == "price"
    assert fit("a_rather_long_name", 60) == "a_rathe…"
    assert fit("价格价格价格", 50) == "价格…"


def test_num():
    assert [num(x) for x in (3.0, 1.26, -0.01, -2.5, 1e6)] == ["3", "1.3", "0", "-2.5", "1000000"]


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"t": "3", "v": 3}, 3.0),
        ({"t": "", "v": -2.5}, 2.5),
        ({"t": "", "v": "-Infinity"}, float("inf")),
        ({"t": "", "re": 0.0, "im": -4.0}, 4.0),
        ({"t": "", "min": -5.0, "max": 2.0}, 5.0),
        ({"t": "×12", "many": 12}, None),
        (None, None),
    ],
)
def test_magnitude(value, size):
    assert magnitude(value) == size


def test_sizes_over_many_decades_and_over_none():
    def arrows(*sizes):
        return [{"derivative": {"t": "", "v": size}} for size in sizes]

    scale = Sizes(arrows(1e-300, 1.0, "NaN", 0.0))
    assert (scale.low, scale.high) == (-12, 0)
    assert scale.marks() == [0, -3, -6, -9, -12]
    assert scale.thickness({"t": "", "v": 1e-300}) == scale.at(-12)
    assert scale.thickness({"t": "", "v": 0}) == 0
    assert Sizes(arrows(5.0, 5.0)).marks() == [1, 0]
    assert Sizes([]).marks() == [0, -1]


class TestNothingCoversAnything:
    """On graphs of 5, 12, 60 and 1,500 nodes, closed, open and flat."""

    @pytest.mark.parametrize("options", [{}, {"formulas": True}, {"paths": "tax"}, {"sizes": True}, {"lang": "zh"}])
    def test_small(self, options):
        assert Drawn(bought().svg(**options)).covered() == []

    @pytest.mark.parametrize("options", [{}, {"open": "all"}, {"open": "all", "formulas": True}, {"flat": True}])
    def test_network(self, options):
        rng = np.random.default_rng(0)
        net = [Affine(rng.normal(size=(3, 5)), np.zeros(5)), Affine(rng.normal(size=(5, 2)), np.zeros(2))]

        def loss(net, x):
            return SoftmaxWithLoss()(net[1](dout.Relu()(net[0](x))), np.array([0, 1, 1, 0]))

        assert Drawn(dout.see(loss, net, rng.normal(size=(4, 3))).svg(**options)).covered() == []

    @pytest.mark.parametrize("options", [{}, {"open": "none"}, {"open": "all"}, {"flat": True}])
    def test_sixty(self, options):
        assert Drawn(dout.see(transform, *_numbers(8)).svg(**options)).covered() == []

    @pytest.mark.parametrize("options", [{}, {"flat": True}])
    def test_fifteen_hundred(self, options):
        assert Drawn(dout.see(transform, *_numbers(128)).svg(**options)).covered() == []


def transform(xs, ws):
    xs = [w * x for x, w in zip(xs, ws, strict=True)]
    n, h = len(xs), 1
    while h < n:
        for i in range(0, n, 2 * h):
            for j in range(i, i + h):
                xs[j], xs[j + h] = xs[j] + xs[j + h], xs[j] - xs[j + h]
        h *= 2
    return np.mean(np.stack(xs) ** 2)


def _numbers(n):
    rng = np.random.default_rng(0)
    return [list(rng.normal(size=n)) for _ in range(2)]

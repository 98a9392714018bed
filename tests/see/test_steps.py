"""The steps as text: names and numbers, sums where derivatives meet, folds as one step, both languages, colour."""

import re

import numpy as np
import pytest

import dout
from dout import see
from dout.see.names import Names
from dout.see.steps import Piece, lines_of, shown, steps_text
from dout.see.terminal import coloured
from dout.see.words import say, words

A = np.array([[0.5, -1.0], [2.0, 1.5], [1.0, 0.25]])


def price(apple, apple_num, orange, orange_num, tax):
    apple_price = apple * apple_num
    orange_price = orange * orange_num
    total = apple_price + orange_price
    return total * tax


def steps(f, *args, lang=None, **options):
    return steps_text(see(f, *args).describe(**options), lang).splitlines()


def bare(line):
    return re.sub(r"^\s*\d*\s*", "", line)


def test_apples_and_oranges():
    assert steps(price, 100, 2, 150, 3, 1.1) == [
        "Forward",
        "   1  apple = 100",
        "   2  apple_num = 2",
        "   3  orange = 150",
        "   4  orange_num = 3",
        "   5  tax = 1.1",
        "   6  apple_price = apple × apple_num = 100 × 2 = 200",
        "   7  orange_price = orange × orange_num = 150 × 3 = 450",
        "   8  total = apple_price + orange_price = 200 + 450 = 650",
        "   9  total × tax = 650 × 1.1 = 715",
        "Backward",
        "  10  ∂ to total: 1 × 1.1 = 1.1",
        "  11  ∂ to tax: 1 × 650 = 650",
        "  12  ∂ to apple_price: 1.1 × 1 = 1.1",
        "  13  ∂ to orange_price: 1.1 × 1 = 1.1",
        "  14  ∂ to orange: 1.1 × 3 = 3.3",
        "  15  ∂ to orange_num: 1.1 × 150 = 165",
        "  16  ∂ to apple: 1.1 × 2 = 2.2",
        "  17  ∂ to apple_num: 1.1 × 100 = 110",
    ]


def test_where_derivatives_meet_their_sum_is_told_once_all_are_there():
    lines = steps(lambda x, y: x * y + x * x, 3.0, 5.0)
    told = [line for line in lines if "meet" in line]
    assert [bare(line) for line in told] == ["Derivatives meet at x: 5 + 3 + 3 = 11"]
    assert "∂ to x" in lines[lines.index(told[0]) - 1]
    assert not any("∂ to x" in line for line in lines[lines.index(told[0]) :])


def test_an_output_that_is_used_again_has_a_one_of_its_own():
    def f(x):
        y = x * 2.0
        return y, y * y

    assert "Derivatives meet at y: 1 + 6 + 6 = 13" in [bare(line) for line in steps(f, 3.0)]


def test_negative_numbers_stand_in_brackets_between_signs():
    lines = [bare(line) for line in steps(lambda x, y: np.exp(x * y), -2.0, 3.0)]
    assert "x × y = (−2) × 3 = −6" in lines
    assert "exp(x × y) = exp(−6) = 0.00247875" in lines
    assert any(re.fullmatch(r"∂ to y: 0\.00247875 × \(−2\) = −0\.0049575", line) for line in lines)


def test_arrays_are_told_by_shape_and_range():
    lines = [bare(line) for line in steps(lambda x, w: np.sum(np.tanh(x @ w)), A.T, A)]
    assert "x = 2×3 float64 min −1 mean 0.7083 max 2" in lines
    assert any(line.startswith("∂ to w: 3×2 float64 min ") and line.endswith("through x @ w") for line in lines)
    short = [bare(line) for line in steps(lambda b: np.sum(A + b), np.array([1.0, -2.0]))]
    assert "b = [1, −2]" in short
    assert any("∂ to b: [3, 3]" in line and "broadcast" in line for line in short)


def net(x, w):
    h = dout.Sigmoid()(x * w)
    return h * 2.0


def test_what_runs_in_a_closed_layer_is_one_step_and_open_it_is_many():
    closed = [bare(line) for line in steps(net, 1.0, 0.5)]
    assert "h = Sigmoid(x × w) = 0.622459  5 operations" in closed or any(
        line.startswith("h = Sigmoid(x × w) = 0.622459") for line in closed
    )
    assert "∂ to x × w: 2 × 0.235004 = 0.470007" in closed
    opened = steps(net, 1.0, 0.5, open="all")
    assert len(opened) > len(closed)
    assert any("exp" in line for line in opened)


def test_the_numbers_are_those_of_the_page():
    description = see(price, 100, 2, 150, 3, 1.1).describe()
    lines = steps_text(description).splitlines()
    assert len(description["steps"]) == len(lines) - 2


def loop(x):
    for _ in range(400):
        x = np.sin(x) * 1.01
    return x


def test_a_large_graph_is_told_by_its_folds():
    assert len(steps(loop, 0.5)) < 60


def test_in_chinese():
    lines = steps(lambda x: x * x + 1.0, 3.0, lang="zh")
    assert lines[0] == "正向"
    assert "反向" in lines
    assert any(line.endswith("1 × 3 = 3") for line in lines)
    assert any(line.endswith("3 + 3 = 6") for line in lines)


def test_nothing_to_step_through_and_notes():
    assert steps(lambda x: np.floor(x), 1.5)[0] == "Forward"
    text = "\n".join(steps(lambda x, on: x * 2, 1.0, True))
    assert "on is no input" in text


def test_a_wrong_derivative_is_told_at_its_step():
    description = see(lambda x, y: x * y, 3.0, 5.0).describe()
    description["edges"][0].update(wrong=True, numerical=5.5)
    assert "≠ The numerical derivative disagrees: 5.5." in [bare(line) for line in steps_text(description).splitlines()]
    description["edges"][0].update(why="Quite <wrong>.")
    assert "≠ Quite <wrong>." in [bare(line) for line in steps_text(description).splitlines()]


def test_problems_stand_at_the_end():
    with np.errstate(all="ignore"):
        lines = steps(lambda x: np.sqrt(x) * 2.0, -1.0)
    assert any(line.startswith("⚠ ") for line in lines) or not see(lambda x: x, 1.0).describe()["problems"]


@pytest.mark.parametrize("name", ["a\x1b[31mred", "‮abc", "<b>", "价格", "🍎", "x" * 200])
def test_names_of_any_kind(name):
    v = dout.Variable(2.0, name=name)
    text = "\n".join(steps_text(see(v * 3.0).describe()).splitlines())
    assert "\x1b" not in text
    assert "6" in text
    assert see(v * 3.0).text(steps=True, colour=True)


def test_every_kind_of_node():
    cases = [
        (lambda z: np.abs(z * z), (1 + 2j,)),
        (lambda x: np.sum(x), (np.zeros((0, 3)),)),
        (lambda a, b: a**b, (2, 64)),
        (lambda x: x[1:] * 2.0, (np.array([1.0, np.nan, np.inf]),)),
        (lambda x: (x, {"a": x * 2}), (3.0,)),
        (lambda x: 7.0, (1.0,)),
        (lambda x: dout.Relu()(-x), (A,)),
        (lambda x: np.linalg.slogdet(x)[1], (A.T @ A,)),
    ]
    for f, args in cases:
        for lang in ("en", "zh"):
            for opened in ("all", "none"):
                text = steps_text(see(f, *args).describe(open=opened), lang)
                assert "{" not in text.replace("{'a'}", "")
                assert "None" not in text


class TestTerminal:
    def test_piped_there_is_no_colour(self):
        picture = see(price, 100, 2, 150, 3, 1.1)
        assert "\x1b" not in picture.text(steps=True)
        assert picture.text(steps=True) == steps_text(picture.describe())

    @pytest.mark.parametrize("steps", [True, False])
    def test_colour_adds_nothing_but_colour(self, steps, monkeypatch):
        monkeypatch.delenv("NO_COLOR", raising=False)
        picture = see(price, 100, 2, 150, 3, 1.1)
        text = picture.text(steps=steps, colour=True)
        assert "\x1b[" in text
        assert re.sub(r"\x1b\[[0-9;]*m", "", text) == picture.text(steps=steps)
        monkeypatch.setenv("NO_COLOR", "1")
        assert picture.text(steps=steps, colour=True) == picture.text(steps=steps)

    def test_the_colours_are_the_pictures(self, monkeypatch):
        monkeypatch.setenv("COLORTERM", "truecolor")
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("COLORFGBG", raising=False)
        monkeypatch.delenv("NO_COLOR", raising=False)
        line = [Piece("2", "fore"), Piece(" "), Piece("3", "back")]
        assert coloured([line]) == "\x1b[38;2;138;180;255m2\x1b[0m \x1b[38;2;255;157;122m3\x1b[0m"
        monkeypatch.setenv("COLORFGBG", "0;15")
        assert "38;2;31;95;191" in coloured([line])

    def test_the_table_in_chinese_stays_in_columns(self):
        picture = see(lambda x: x * x * x * x + x + 0.5, 2.0)
        english, chinese = picture.text().splitlines(), picture.text(lang="zh").splitlines()
        assert len(english) == len(chinese)
        assert any(line.startswith("输出    ") for line in chinese)
        assert any("5 项之和" in line for line in chinese)

    def test_a_language_that_there_is_not(self):
        with pytest.raises(ValueError, match="lang has to be 'en' or 'zh', got 'fr'"):
            see(lambda x: x, 1.0).text(lang="fr")

    def test_one_line_for_each_line(self):
        text = see(loop, 0.5).text(steps=True, colour=True)
        assert len(text.splitlines()) == len(lines_of(see(loop, 0.5).describe()))


def test_names():
    def f(x, y):
        total = x * y
        return np.exp(np.sin(np.cos(total + 1.0)) * 2.0) - total

    names = Names(see(f, 1.0, 2.0).describe())
    told = [names.of(node["id"]) for node in names.nodes]
    assert told[:2] == ["x", "y"]
    assert "total" in told
    assert "total + 1" in told
    assert max(map(len, told)) <= 30


def test_values_in_short():
    assert shown({"t": "[2] float64", "shape": [2], "data": [1.0, "NaN"]}) == "[1, NaN]"
    assert shown({"t": "3×2 float64", "shape": [3, 2], "t2": "min 0 mean 1 max 2"}) == "3×2 float64 min 0 mean 1 max 2"
    assert shown(None) == "?"


def test_the_catalogue_has_both_languages():
    for key in words()["en"]:
        if key.partition(".")[0] in ("steps", "text", "numerical", "problem", "paths", "compare"):
            braces = [set(re.findall(r"\{(\w+)\}", say(key, lang))) for lang in ("en", "zh")]
            assert braces[0] == braces[1], key

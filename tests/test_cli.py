"""The `dout` command: what it prints, what it says when something is missing, and its exit status."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import dout
from dout.cli import main

SHOP = """\
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def price(apple, number, tax=1.1):
    return apple * number * tax


def power(x, n: int):
    assert type(n) is int
    return x**n


def norm(x, *, scale=1.0, kind: str = "2"):
    assert kind in ("2", "1")
    return scale * np.sum(x**2 if kind == "2" else abs(x))


def picky(x, flag):
    assert flag is True
    return x * x


def named(x, how):
    return {"double": 2 * x, "half": x / 2}[how]


def quiet(x):
    x * x


@dataclass
class Scaled:
    factor: float = 3.0

    def forward(self, x):
        return self.factor * x

    def backward(self, dout):
        return dout * self.factor


class Wrong:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.x, dout * self.y


class Made:
    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        return self.factor * x

    def backward(self, dout):
        return dout * self.factor


class NoBack:
    def forward(self, x):
        return x


class Bad(NoBack):
    def backward(self, dout):
        return dout.colour


def ratio(x, y):
    return x / y


def total(*xs):
    return xs[0]


def many(x, **k):
    return x * k["y"]


def lost(x):
    y = np.zeros(2)
    y[0] = x
    return y


def net(p):
    return np.sum(p["w"]) * p["b"]


def several(x, y):
    return {"sum": x + y, "rest": (x, 7)}


made = Made(2.0)
number = 3
nothing = NoBack()
"""


@pytest.fixture
def shop(tmp_path):
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    return str(file)


def dout_command(*words, status=0):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == status, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.output


def error(*words, status=2):
    """The one line that says what is wrong."""
    output = dout_command(*words, status=status)
    lines = [line for line in output.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    assert output.endswith(lines[0] + "\n")
    return lines[0]


def test_help_and_version():
    said = dout_command("--help")
    for command in ("demo", "see", "check"):
        assert command in said
    assert dout.__version__ in dout_command("--version")


class TestSee:
    def test_ints_stay_ints(self, shop):
        lines = [line.split() for line in dout_command("see", f"{shop}:price", "apple=100", "number=2").splitlines()]
        assert ["apple", "100", "<-", "2.2"] in [line[-4:] for line in lines]
        assert ["number", "2", "<-", "110.00000000000001"] in lines
        assert any("220.00000000000003" in line for line in lines)

    def test_it_is_the_text_of_see(self, shop):
        def price(apple, number, tax=1.1):
            return apple * number * tax

        said = dout_command("see", f"{shop}:price", "tax=1.2", "apple=100", "number=2")
        assert said == dout.see(price, 100, 2, 1.2).text() + "\n"

    def test_lists_and_keywords(self, shop):
        said = dout_command("see", f"{shop}:norm", "x=[1,2,3]", "scale=2.0", "kind=2")
        assert "28.0" in said
        assert "[ 4., 8., 12.]" in said

    def test_a_layer(self, shop):
        assert "Scaled" in dout_command("see", f"{shop}:Scaled", "x=2.0")
        assert "<- 2.0" in dout_command("see", f"{shop}:made", "x=2.0")

    def test_text(self, shop):
        assert "6.0" in dout_command("see", f"{shop}:named", "x=3.0", "how=double")

    def test_no_compiled_file_is_left(self, shop, tmp_path):
        dout_command("see", f"{shop}:price", "apple=1", "number=2")
        assert [p.name for p in tmp_path.iterdir()] == ["shop.py"]

    def test_a_file_may_import_its_neighbours(self, tmp_path):
        (tmp_path / "neighbour_of_mine.py").write_text("def double(x):\n    return 2 * x\n")
        (tmp_path / "file.py").write_text(
            "from neighbour_of_mine import double\n\ndef f(x):\n    return double(x) * x\n"
        )
        assert "18.0" in dout_command("see", f"{tmp_path / 'file.py'}:f", "x=3.0")

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("nan", "nan"), ("inf", "inf"), ("-inf", "-inf"), ("-NaN", "nan"), ("1e400", "inf"), ("1/3", str(1 / 3)),
            ("2**10", "1024"), (" -(2+3)*2 ", "-10"), ("6/2", "3.0"), ("1e-3", "0.001"), ("0x10", "16"), ("1_000", "1000"),
            ("1+2j", "(1+2j)"), ("2**-1", "0.5"),
            ("[1,1/2,nan]", "[1. , 0.5, nan]"), ("[(1,2),(3,4)]", "[[1., 2.], [3., 4.]]"),
        ],
    )  # fmt: skip
    def test_values(self, shop, text, value):
        lines = dout_command("see", f"{shop}:ratio", f"x={text}", "y=2").splitlines()
        (line,) = [line for line in lines if line.startswith("inputs  x ")]
        assert line.partition("<-")[0].removeprefix("inputs  x ").strip() == value

    def test_a_dict(self, shop):
        said = dout_command("see", f"{shop}:net", "p={'w': [1, 2], 'b': 1/2}")
        assert "p['w']  [1., 2.]" in said
        assert "p['b']  0.5" in said

    def test_more_by_name(self, shop):
        assert "y    5   <- 2" in dout_command("see", f"{shop}:many", "x=2", "y=5")

    def test_what_is_no_input(self, shop):
        assert "\nflag is no input: True is a bool\n" in dout_command("see", f"{shop}:picky", "x=2", "flag=True")
        assert "\nn is no input: it is annotated int\n" in dout_command("see", f"{shop}:power", "x=2", "n=3")
        said = dout_command("see", f"{shop}:price", "apple=1", "number=2")
        assert said.endswith("\ntax is no input: it has its default; give tax=1.1 to see its derivative\n")

    def test_several_outputs(self, shop):
        lines = dout_command("see", f"{shop}:several", "x=1", "y=2").splitlines()
        assert lines[0].startswith("(1)  +")
        assert "output['sum']      (1)       3" in lines
        assert "output['rest'][1]  constant  7" in lines
        assert lines[-1] == "The derivatives are those of the sum of the outputs."

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("a**b", (2, 64)),
            ("a**20 * b", (10, 1)),
            ("a**3 + b", (5_000_000_000, 0)),
            ("a**b", (2, -1)),
            ("a*b", (2**70, 3)),
        ],
    )
    def test_it_agrees_with_the_function_see(self, tmp_path, name, values):
        file = tmp_path / "file.py"
        file.write_text(f"def f(a, b):\n    return {name}\n")
        space = {}
        exec(file.read_text(), space)
        a, b = values
        said = dout_command("see", f"{file}:f", f"a={a}", f"b={b}")
        assert said == dout.see(space["f"], a, b).text() + "\n"


class TestCheck:
    def test_a_function(self, shop):
        assert "price: right in all 3" in dout_command("check", f"{shop}:price", "apple=100", "number=2", "tax=1.1")

    def test_a_list(self, shop):
        assert "norm: right in all 3" in dout_command("check", f"{shop}:norm", "x=[1,2,3]")
        assert "norm: right in all 4" in dout_command("check", f"{shop}:norm", "x=[[1,2],[3,4]]", "kind=2")

    def test_int_bool_and_text_parameters(self, shop):
        assert "power: right in the only comparison" in dout_command("check", f"{shop}:power", "x=2", "n=3")
        assert "picky: right in the only comparison" in dout_command("check", f"{shop}:picky", "x=2", "flag=True")
        assert "named: right in the only comparison" in dout_command("check", f"{shop}:named", "x=2", "how=half")

    @pytest.mark.parametrize("name", ["Scaled", "made"])
    def test_a_layer(self, shop, name):
        assert "right in" in dout_command("check", f"{shop}:{name}", "x=2")

    def test_a_wrong_layer(self, shop):
        said = dout_command("check", f"{shop}:Wrong", "x=2", "y=5", status=1)
        assert "Wrong: 2 of 2 wrong" in said
        assert "numerical" in said

    def test_what_is_not_compared(self, shop):
        said = dout_command("check", f"{shop}:picky", "x=2", "flag=True")
        assert said.endswith("  flag is no input: True is a bool\n")
        said = dout_command("check", f"{shop}:price", "apple=1", "number=2")
        assert said.endswith("  tax is no input: it has its default; give tax=1.1 to check its derivative\n")
        said = dout_command("check", f"{shop}:norm", "x=[1,2]", "scale=3")
        assert said.endswith("  scale is held fixed: it is given by keyword\n")


class TestWhatIsMissing:
    def test_no_function_named(self, shop):
        assert error("see", shop) == f"Error: expected FILE:NAME, such as shop.py:price, got {shop!r}"
        assert "expected FILE:NAME" in error("check", shop)
        assert "expected FILE:NAME" in error("see", ":price")

    def test_no_file(self, tmp_path):
        assert "missing.py: no such file" in error("see", f"{tmp_path}/missing.py:price")
        assert "no such file" in error("check", f"{tmp_path}:price")

    def test_no_such_function(self, shop):
        said = error("see", f"{shop}:pric")
        assert "has no 'pric'; it has price, power" in said
        assert "dataclass" not in said

    def test_no_function(self, shop):
        assert "expected a function or a layer, got int" in error("see", f"{shop}:number")
        assert "expected a function or a layer, got int" in error("check", f"{shop}:number")

    def test_an_unknown_name(self, shop):
        said = error("see", f"{shop}:price", "aple=100")
        assert "price has no parameter 'aple'; it has apple, number, tax" in said

    def test_a_missing_number(self, shop):
        said = error("see", f"{shop}:price", "apple=100")
        assert f"price needs a value for number. For example: dout see {shop}:price apple=100 number=1.5" in said
        said = error("check", f"{shop}:power")
        assert f"power needs a value for x, n. For example: dout check {shop}:power x=1.5 n=2" in said

    @pytest.mark.parametrize(
        ("function", "pairs", "said"),
        [
            ("ratio", ["100"], "expected name=value, such as x=1.5, got '100'"),
            ("ratio", ["x=1", "x=2"], "x is given twice"),
            ("ratio", ["x=100,000"], "x: 100,000 has a comma; write 100000 for one number, or [100, 0] for an array"),
            ("ratio", ["x=-1,234.5"], "write -1234.5 for one number, or [-1, 234.5] for an array"),
            ("ratio", ["x=100,050"], "x: 100,050 has a comma; write 100050 for one number"),
            ("ratio", ["x=1,5"], "x: 1,5 has a comma; write [1, 5] for an array"),
            ("ratio", ["x=(1,2)"], "x: (1,2) has a comma; write [1, 2] for an array"),
            ("ratio", ["x="], "x= has no value; give one, such as x=1.5"),
            ("power", ["n= "], "n= has no value; give one, such as n=2"),
            ("ratio", ["x=[1,2,x]"], "x: expected a list of numbers, got [1,2,x]"),
            ("ratio", ["x={1:"], "x: expected a list of numbers, got {1:"),
            ("norm", ["x=[[1,2],[3]]"], "x: expected a list of numbers, with rows of the same length"),
            ("norm", ["x=['a']"], "x: expected a list of numbers"),
            ("norm", ["x=[None]"], "x: expected a list of numbers"),
            ("ratio", ["x=1/0"], "x: 1/0 divides by zero"),
            ("ratio", ["x=0**-1"], "x: 0**-1 divides by zero"),
            ("ratio", ["x=9**9**9"], "x: 9**9**9 is too large a number"),
            ("ratio", ["x=1e300**2"], "x: 1e300**2 is too large a number"),
            ("power", ["n=three"], "n is annotated int, got three"),
            ("power", ["x=2", "n=2.5"], "n is annotated int, got 2.5"),
            ("total", ["xs=1"], "total has no parameter 'xs'; it has none; arguments by name can't be given to *xs"),
            ("total", [], "arguments by name can't be given to *xs, so wrap it in a function with a name for each"),
            ("NoBack", ["x=1"], "NoBack has no backward; a layer needs forward and backward"),
            ("nothing", ["x=1"], "nothing has no backward; a layer needs forward and backward"),
            ("Made", ["x=2"], "Made can't be made without arguments"),
        ],
    )
    @pytest.mark.parametrize("command", ["see", "check"])
    def test_one_line_says_it(self, shop, command, function, pairs, said):
        assert said in error(command, f"{shop}:{function}", *pairs)

    def test_too_large_for_a_float(self, shop):
        assert "x: 2**2000 is too large for a float" in error("check", f"{shop}:ratio", "x=2**2000", "y=1")

    def test_a_parameter_list_that_is_not_told(self, tmp_path):
        file = tmp_path / "file.py"
        file.write_text("largest = max\n")
        assert "doesn't say what its parameters are" in error("see", f"{file}:largest", "x=1")


class TestErrorsInTheFile:
    def test_while_it_is_loaded(self, tmp_path):
        file = tmp_path / "file.py"
        file.write_text("x = 1\ny = z\n")
        said = error("see", f"{file}:f", status=1)
        assert said == f"Error: {file}, line 2: NameError: name 'z' is not defined"

    def test_syntax(self, tmp_path):
        file = tmp_path / "file.py"
        file.write_text("x = 1\ndef f(x)\n")
        assert f"{file}, line 2: SyntaxError: expected ':'" in error("check", f"{file}:f", status=1)

    def test_while_it_runs(self, shop):
        said = error("see", f"{shop}:named", "x=1.0", "how=third", status=1)
        assert "KeyError: 'third'" in said
        assert ", line " in said

    @pytest.mark.parametrize("command", ["see", "check"])
    @pytest.mark.parametrize(
        ("name", "values", "where", "kind", "said"),
        [
            (
                "ratio",
                ["x=abc", "y=2"],
                "return x / y",
                "TypeError",
                "x='abc' came as text; does ratio need a number there?",
            ),
            ("ratio", ["x=os.getcwd()", "y=2"], "return x / y", "TypeError", "x='os.getcwd()' came as text"),
            ("ratio", ["x='a'*9", "y=2"], "return x / y", "TypeError", "came as text"),
            ("named", ["x=1", "how=third"], '{"double"', "KeyError", "how='third' came as text"),
            ("lost", ["x=1"], "y[0] = x", "TypeError", "would lose its derivative"),
            ("many", ["x=1"], "return x * k", "KeyError", "'y'"),
            ("Bad", ["x=1.5"], "return dout.colour", "AttributeError", "has no attribute 'colour'"),
        ],
    )
    def test_the_place_is_told(self, shop, command, name, values, where, kind, said):
        line = 1 + next(i for i, text in enumerate(SHOP.splitlines()) if where in text)
        told = dout_command(command, f"{shop}:{name}", *values, status=1)
        assert f"{shop}, line {line}" in told
        assert f"{kind}: " in told
        assert said in told
        if command == "see":
            assert told.startswith(f"Error: {shop}, line {line}: {kind}: ")
            assert told.count("\n") == 1

    def test_while_dout_looks(self, shop):
        assert "did it forget its return?" in error("see", f"{shop}:quiet", "x=1.0", status=1)


class TestSeeFiles:
    @pytest.mark.parametrize(("name", "begins"), [("out.svg", "<svg"), ("out.json", "{"), ("out.txt", "(1)  ×")])
    def test_it_writes_what_save_writes(self, shop, tmp_path, name, begins):
        said = dout_command("see", f"{shop}:price", "apple=100", "number=2", "-o", str(tmp_path / name))
        assert said == f"wrote {tmp_path / name}\n"
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.startswith(begins)
        assert "220" in text

    def test_several_files_and_options(self, shop, tmp_path):
        a, b = tmp_path / "a.svg", tmp_path / "b.json"
        dout_command("see", f"{shop}:price", "apple=1", "number=2", "-o", str(a), "-o", str(b), "--lang", "zh")
        assert 'lang="zh"' in a.read_text(encoding="utf-8")
        assert json.loads(b.read_text(encoding="utf-8"))["lang"] == "zh"

    def test_the_environment_may_say_the_language(self, shop, monkeypatch):
        monkeypatch.setenv("DOUT_LANG", "zh")
        given = [f"{shop}:price", "apple=1", "number=2", "--steps"]
        assert "正向" in dout_command("see", *given)
        assert "Forward" in dout_command("see", *given, "--lang", "en")

    @pytest.mark.parametrize("lang", ["en", "zh"])
    def test_opening_the_page(self, shop, monkeypatch, lang):
        opened = []
        monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
        said = dout_command("see", f"{shop}:price", "apple=100", "number=2", "--open", "--lang", lang)
        page = Path(said.strip())
        assert opened == [page.as_uri()]
        assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
        shutil.rmtree(page.parent)

    def test_opening_the_page_that_was_written(self, shop, monkeypatch, tmp_path):
        opened = []
        monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
        page = tmp_path / "page.html"
        said = dout_command("see", f"{shop}:price", "apple=100", "number=2", "--open", "-o", str(page))
        assert said == f"wrote {page}\n{page}\n"
        assert opened == [page.as_uri()]

    def test_no_browser(self, shop, monkeypatch):
        monkeypatch.setattr("webbrowser.open", lambda url: False)
        said = dout_command("see", f"{shop}:price", "apple=100", "number=2", "--open")
        assert "no browser was found; open that file in one" in said
        shutil.rmtree(Path(said.splitlines()[0]).parent)

    def test_where_nothing_can_be_written(self, shop, tmp_path):
        path = tmp_path / "no" / "out.svg"
        said = error("see", f"{shop}:price", "apple=1", "number=2", "-o", str(path), status=1)
        assert said == f"Error: {path}: there is no such folder"

    def test_an_unknown_kind_of_file(self, shop, tmp_path):
        said = error("see", f"{shop}:price", "apple=1", "number=2", "-o", str(tmp_path / "out.xyz"), status=1)
        assert ".xyz" in said
        assert ".svg" in said
        assert list(tmp_path.glob("out*")) == []

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--serve", "-o", "a.svg"], "--serve goes alone"),
            (["--serve", "--open"], "--serve goes alone"),
            (["--steps", "-o", "a.svg"], "--steps is about text"),
            (["--no-browser"], "--no-browser goes with --serve"),
            (["--lang", "fr"], "'fr' is not one of 'en', 'zh'"),
        ],
    )
    def test_what_does_not_go_together(self, shop, words, said):
        assert said in error("see", f"{shop}:price", "apple=1", "number=2", *words)

    def test_colour_only_in_a_terminal(self, shop, monkeypatch):
        words = ("see", f"{shop}:price", "apple=100", "number=2")
        plain = dout_command(*words)
        assert "\x1b" not in plain
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
        coloured = dout_command(*words)
        assert "\x1b[" in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
        monkeypatch.setenv("NO_COLOR", "1")
        assert dout_command(*words) == plain

    def test_steps(self, shop):
        said = dout_command("see", f"{shop}:price", "apple=100", "number=2", "--steps")
        assert "220" in said
        assert said != dout_command("see", f"{shop}:price", "apple=100", "number=2")

    def test_numerical_derivatives(self, shop):
        words = ("see", f"{shop}:price", "apple=100", "number=2")
        said = dout_command(*words, "--numerical")
        assert said.startswith(dout_command(*words))
        assert said.endswith("\nEvery derivative agrees with the numerical one, where the two can be compared.\n")
        said = dout_command("see", f"{shop}:Wrong", "x=2", "y=5", "--numerical")
        assert "\n≠ With the derivative that came to it, Wrong hands on 2; the numerical derivative says 5.\n" in said
        assert "agrees" not in said

    def test_a_missing_library(self, shop, monkeypatch):
        monkeypatch.delitem(sys.modules, "dout.see.serve", raising=False)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        said = error("see", f"{shop}:price", "apple=1", "number=2", "--serve", status=1)
        assert said == "Error: --serve needs uvicorn: pip install 'dout[viewer]'"

    def test_a_file_of_python_that_the_file_imports_is_at_fault(self, tmp_path):
        (tmp_path / "wrong_neighbour.py").write_text("\n\n\nx = = 1\n")
        file = tmp_path / "file.py"
        file.write_text("import wrong_neighbour\n")
        assert f"{file}, line 1: SyntaxError" in error("see", f"{file}:f", status=1)


def test_python_can_run_it_as_a_module():
    done = subprocess.run([sys.executable, "-m", "dout", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: dout")

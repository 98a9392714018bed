"""The `dout` command: what it prints, what it says when something is missing, and its exit status."""

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


made = Made(2.0)
number = 3
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


class TestCheck:
    def test_a_function(self, shop):
        assert "price: right in all 3" in dout_command("check", f"{shop}:price", "apple=100", "number=2", "tax=1.1")

    def test_a_list(self, shop):
        assert "norm: right in all 3" in dout_command("check", f"{shop}:norm", "x=[1,2,3]")
        assert "norm: right in all 4" in dout_command("check", f"{shop}:norm", "x=[[1,2],[3,4]]", "kind=2")

    def test_int_bool_and_text_parameters(self, shop):
        assert "power: right in all 1" in dout_command("check", f"{shop}:power", "x=2", "n=3")
        assert "picky: right in all 1" in dout_command("check", f"{shop}:picky", "x=2", "flag=True")
        assert "named: right in all 1" in dout_command("check", f"{shop}:named", "x=2", "how=half")

    @pytest.mark.parametrize("name", ["Scaled", "made"])
    def test_a_layer(self, shop, name):
        assert "right in all" in dout_command("check", f"{shop}:{name}", "x=2")

    def test_a_wrong_layer(self, shop):
        said = dout_command("check", f"{shop}:Wrong", "x=2", "y=5", status=1)
        assert "Wrong: 2 of 2 wrong" in said
        assert "numerical" in said


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
        assert "expected a function, got int" in error("see", f"{shop}:number")
        assert "expected a function or a layer, got int" in error("check", f"{shop}:number")

    def test_an_unknown_name(self, shop):
        said = error("see", f"{shop}:price", "aple=100")
        assert "price has no parameter 'aple'; it has apple, number, tax" in said

    def test_a_missing_number(self, shop):
        said = error("see", f"{shop}:price", "apple=100")
        assert f"price needs a value for number. For example: dout see {shop}:price apple=100 number=1.5" in said
        said = error("check", f"{shop}:power")
        assert f"power needs a value for x, n. For example: dout check {shop}:power x=1.5 n=2" in said

    def test_a_layer_that_needs_arguments(self, shop):
        said = error("check", f"{shop}:Made", "x=2")
        assert "Made can't be made without arguments" in said
        assert "factor" in said

    def test_no_equals_sign(self, shop):
        assert "expected name=value, such as apple=1.5, got '100'" in error("see", f"{shop}:price", "100")

    def test_twice(self, shop):
        assert "apple is given twice" in error("see", f"{shop}:price", "apple=1", "apple=2")

    @pytest.mark.parametrize("text", ["[[1,2],[3]]", "['a']", "[None]"])
    def test_a_list_of_other_things(self, shop, text):
        assert "x: expected a list of numbers" in error("check", f"{shop}:norm", f"x={text}")

    def test_a_float_for_an_int(self, shop):
        assert "n is annotated int, got 2.5" in error("check", f"{shop}:power", "x=2", "n=2.5")

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

    def test_while_dout_looks(self, shop):
        assert "did it forget its return?" in error("see", f"{shop}:quiet", "x=1.0", status=1)

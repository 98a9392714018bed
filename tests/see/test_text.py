"""The text of `see`: what is shown for which computation, and that it stands in columns."""

import re

import numpy as np
import pytest

import dout
from dout import Variable, see, trace
from dout.see.text import brief

A = np.array([1.0, 2.0])
LARGE = np.linspace(1.0, 2.0, 11)


def text(f, *args, **kwargs):
    return see(f, *args, **kwargs).text()


def price(apple, apple_num, orange, orange_num, tax):
    return (apple * apple_num + orange * orange_num) * tax


def test_apples_and_oranges():
    assert text(price, 100, 2, 150, 3, 1.1).splitlines() == [
        "(1)  ×           200                <- 1.1",
        "     apple       100                <- 2.2",
        "     apple_num   2                  <- 110.00000000000001",
        "(2)  ×           450                <- 1.1",
        "     orange      150                <- 3.3000000000000003",
        "     orange_num  3                  <- 165.0",
        "(3)  +           650                <- 1.1",
        "     (1)         200                <- 1.1",
        "     (2)         450                <- 1.1",
        "(4)  ×           715.0000000000001  <- 1",
        "     (3)         650                <- 1.1",
        "     tax         1.1                <- 650",
        "",
        "output  (4)         715.0000000000001",
        "inputs  apple       100                <- 2.2",
        "        apple_num   2                  <- 110.00000000000001",
        "        orange      150                <- 3.3000000000000003",
        "        orange_num  3                  <- 165.0",
        "        tax         1.1                <- 650",
    ]


class Swap(dout.Layer):
    def forward(self, x, y):
        return y, x

    def backward(self, dout):
        return dout[1], dout[0]


class Picked:
    """A layer that has no derivative for its second input."""

    def forward(self, x, t):
        return x * 2.0

    def backward(self, dout):
        return dout * 2.0, None


def named(x):
    return {"double": x * 2, "five": 5, "both": (x, x**2)}


def written(x):
    x = x.copy()
    x[0] = 3 * x[1]
    return np.sum(x)


SHOWN = [
    # fan-out: the derivatives that meet are a sum
    (lambda x: x * x, (3,), ["(1)  ×  9  <- 1", "     x  3  <- 3", "inputs  x    3  <- 3 + 3 = 6"]),
    (lambda x: x * x * x + x, (2.0,), ["inputs  x    2.0   <- 1 + 4.0 + 4.0 + 4.0 = 13.0"]),
    (lambda x: x * x * x * x + x, (2.0,), ["inputs  x    2.0   <- 33.0  (the sum of 5)"]),
    (lambda x: np.sum(x * x), (A,), ["inputs  x    [1., 2.]  <- [2., 4.]  (the sum of 2)"]),
    (lambda x, y: (x + y) * (x + y), (1, 2), ["(1)  +    3  <- 3", "        y    2  <- 3 + 3 = 6"]),
    # constants have a value and nothing else
    (lambda x: x + 0.5, (1.0,), ["        0.5"]),
    (lambda x: x * A, (A,), ["        [1., 2.]"]),
    (lambda x: np.sum(x * LARGE), (2.0,), ["          float64[11] min 1 mean 1.5 max 2"]),
    # arrays: few entries, or many
    (lambda x: x * 2.0, (A,), ["output  (1)  [2., 4.]", "The derivatives are those of the output's sum."]),
    (np.sum, (LARGE,), ["     a    float64[11] min 1 mean 1.5 max 2  <- float64[11] min 1 mean 1 max 1"]),
    (lambda x: np.sum(x), (np.ones(0),), ["inputs  x    []   <- []"]),
    # inputs that are not used
    (lambda x, y: x * 2.0, (1.0, 3.0), ["        y    3.0  <- 0"]),
    (lambda x, y: x * 2.0, (1.0, A), ["        y    [1., 2.]  <- 0"]),
    (lambda x: x * np.sign(x), (2.0,), ["inputs  x    2.0  <- 1.0"]),
    (lambda p: p["w"][0] * 2.0, ({"w": [1.0, 2.0]},), ["inputs  p['w'][0]  1.0  <- 2.0", "        p['w'][1]  2.0  <- 0"]),
    # several outputs
    (lambda x, y: (x * y, x), (2, 5),
     ["output[0]  (1)  10", "output[1]  x    2", "inputs     x    2   <- 1 + 5 = 6",
      "The derivatives are those of the sum of the outputs."]),
    (named, (3,),
     ["output['double']   (1)       6", "output['five']     constant  5", "output['both'][0]  x         3",
      "output['both'][1]  (2)       9", "The derivatives are those of the sum of the outputs."]),
    (lambda x: [x * 2.0, x], (A,), ["The derivatives are those of the sum of the outputs, all entries."]),
    (lambda x: (x, x), (3.0,), ["inputs     x  3.0  <- 1 + 1 = 2"]),
    # constant outputs
    (lambda x: 7.5, (1.0,), ["output  constant  7.5", "inputs  x         1.0  <- 0"]),
    (lambda x: np.arange(3), (1.0,), ["output  constant  [0, 1, 2]"]),
    (lambda x: np.floor(x), (1.5,), ["output  constant  1.0"]),
    # layers
    (lambda x, y: dout.MulLayer()(x, y), (2, 3), ["(1)  MulLayer  6  <- 1", "     x         2  <- 3"]),
    (dout.MulLayer(), (2, 3), ["(1)  MulLayer  6  <- 1", "     x         2  <- 3"]),
    (Picked(), (2.0, 4.0), ["(1)  Picked  4.0  <- 1", "     x       2.0  <- 2.0", "     t       4.0  <- 0"]),
    (lambda x, y: Swap()(x, y)[0] * 2.0, (1.0, 3.0),
     ["(1)  Swap    (3.0, 1.0)  <- (2.0, 0.0)", "     x       1.0         <- 0.0", "     (1)[0]  3.0         <- 2.0",
      "inputs  x    1.0  <- 0.0", "        y    3.0  <- 2.0"]),
    (Swap(), (1.0, 3.0), ["output[0]  (1)[0]  3.0", "output[1]  (1)[1]  1.0"]),
    # in place, by index
    (written, (A,), ["(4)  [ ] =  [6., 2.]  <- [1., 1.]", "inputs  x    [1., 2.]  <- [0., 4.]"]),
    # complex
    (lambda z: z * z, (1 + 2j,), ["(1)  ×  (-3+4j)  <- (1+0j)", "inputs  z    (1+2j)   <- (1+2j) + (1+2j) = (2+4j)"]),
    (lambda z: np.real(z) * 2.0, (1 + 2j,), ["inputs  z    (1+2j)  <- 2.0"]),
    (lambda z: np.sum(z), (np.array([1j, 2.0]),), ["inputs  z    [0.+1.j, 2.+0.j]  <- [1.+0.j, 1.+0.j]"]),
    # ints
    (lambda a, b: a**b, (2, 64),
     ["output  (1)  18446744073709551616", "        b    64                    <- 1.2786308645202655e+19"]),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args", "lines"), SHOWN)
def test_shown(f, args, lines):
    shown = text(f, *args)
    assert [line for line in lines if line not in shown.splitlines()] == [], shown


def test_without_operations_there_is_no_blank_line():
    assert text(lambda x: x, 3).splitlines() == ["output  x  3", "inputs  x  3  <- 1"]
    assert text(lambda x: {"a": 1}, 3).splitlines() == ["output['a']  constant  1", "inputs       x         3  <- 0"]


def chain(x_of_a_long_name, y):
    for _ in range(12):
        x_of_a_long_name = x_of_a_long_name * y + 0.25
    return x_of_a_long_name


@pytest.mark.parametrize("args", [(0.5, 2.0), (100, 3), (np.array([0.5, -1.0]), 2.0)])
def test_columns_line_up(args):
    operations, _, summary = text(chain, *args).partition("\n\n")
    arrows = {line.index("<-") for line in operations.splitlines() if "<-" in line}
    assert len(arrows) == 1
    assert {line.index("<-") for line in summary.splitlines() if "<-" in line} != set()
    names = [re.match(r"(\(\d+\))? +", line).end() for line in operations.splitlines()]
    assert set(names[:2]) == {len("(24)  ")}
    assert not any(line != line.rstrip() for line in operations.splitlines())


NOTES = [
    (lambda x, on: x * 2, (1.0, True), {}, ["on is no input: True is a bool"]),
    (lambda x, how: x * 2, (1.0, "half"), {}, ["how is no input: 'half' is a str, which holds no number"]),
    (lambda x, t: x[t], (A, np.array([0])), {}, ["t is no input: an array of int64"]),
    (lambda x, n=3: x * n, (1.0,), {}, ["n is no input: it has its default; give n=3 to see its derivative"]),
    (lambda x, *, n=0.5: x * n, (1.0,), {"n": 2.0}, []),
    (lambda x, on=True, how="half", eps=None: x * 2, (1.0,), {}, []),
    (lambda x, n: x * n, (1.0, 2), {}, []),
    (np.std, (A,), {}, []),
]


@pytest.mark.parametrize(("f", "args", "kwargs", "notes"), NOTES)
def test_notes(f, args, kwargs, notes):
    assert [line for line in text(f, *args, **kwargs).splitlines() if "no input" in line] == notes


class TestVariables:
    def test_a_variable_with_all_that_it_was_made_from(self):
        x, y = Variable(3.0, name="x"), Variable(2.0)
        shown = text(x * y + x).splitlines()
        assert "     input 2  2.0  <- 3.0" in shown
        assert "inputs  x        3.0  <- 1.0 + 2.0 = 3.0" in shown or "inputs  x        3.0  <- 1 + 2.0 = 3.0" in shown

    def test_a_leaf_itself(self):
        assert text(Variable(3.0, name="x")).splitlines() == ["output  x  3.0", "inputs  x  3.0  <- 1"]

    def test_an_argument(self):
        assert text(lambda x: x * 2.0, Variable(3.0)) == text(lambda x: x * 2.0, 3.0)

    def test_what_a_function_uses_besides_is_an_input_too(self):
        v = Variable(2.0, name="v")
        twice = v * 2.0
        shown = text(lambda x: x * twice, 3.0).splitlines()
        assert "inputs  x    3.0   <- 4.0" in shown
        assert "        v    2.0   <- 6.0" in shown

    def test_inside_a_derivative(self):
        seen = []

        def f(x):
            seen.append(text(lambda y: y * x, x))
            return x * x

        assert dout.grad(f)(3.0) == 6.0
        assert "inputs  y        3.0  <- 3.0" in seen[0]
        assert "        input 2  3.0  <- 3.0" in seen[0]

    def test_a_constant(self):
        with pytest.raises(ValueError, match="does not depend on any Variable"):
            see(np.floor(Variable(1.5)))


def test_a_graph():
    graph = trace(price, 100, 2, 150, 3, 1.1)
    assert see(graph).text() == text(price, 100, 2, 150, 3, 1.1)
    assert repr(see(graph)) == see(graph).text()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.5, "1.5"), (np.float32(0.1), "0.1"), (np.array(2.5), "2.5"), (None, "constant"), (3, "3"),
        (-(10**39), "-1" + 39 * "0"), (10**40, "about 1.000000e+40"), (-25 * 10**4001, "about -2.500000e+4002"),
        ((1.0, A), "(1.0, [1., 2.])"), (np.arange(6.0), "[0., 1., 2., 3., 4., 5.]"),
        (np.arange(8), "int64[8] min 0 mean 3.5 max 7"), (np.ones((4, 2), bool), "bool[4, 2]"),
        (np.full(7, np.nan), "float64[7] with 7 NaN or infinite"), (np.ones(7, complex), "complex128[7]"),
        (np.zeros((0, 3)), "[]"),
    ],
)  # fmt: skip
def test_brief(value, said):
    assert brief(value) == said


def test_names_that_would_break_the_table():
    said = str(dout.see(lambda **named: sum(named.values()), **{"a\nb": 1.0, "\x07": 2.0, "\u202eevil": 3.0}))
    assert "\x07" not in said
    assert "\u202e" not in said
    assert "a\nb" not in said


def test_what_is_wrong_is_said_below():
    class Wrong(dout.Layer):
        def forward(self, x, y):
            self.x, self.y = x, y
            return x * y

        def backward(self, dout):
            return dout * self.x, dout * self.y

    assert "≠" in str(dout.see(lambda x, y: Wrong()(x, y), 2.0, 5.0, numerical=True))
    with np.errstate(all="ignore"):
        assert "⚠" in str(dout.see(lambda x: np.log(x) * 2, -1.0))

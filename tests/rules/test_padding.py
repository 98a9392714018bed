"""np.pad: every mode, with narrow and wide paddings."""

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(3, 4)
ROW = oracles.array(4)


def stripes(row, widths, axis, options):
    row[: widths[0]] = options["k"] * row[widths[0]]
    row[len(row) - widths[1] :] = row[widths[0]] ** 2


PATTERNS = {
    "ramp": lambda x: np.pad(x, 2, "linear_ramp"),
    "ramp ends": lambda x: np.pad(x, ((1, 3), (2, 0)), "linear_ramp", end_values=((5.0, 1.0), (2.0, 3.0))),
    "mean": lambda x: np.pad(x, 1, "mean"),
    "mean of some": lambda x: np.pad(x, ((1, 2), (0, 2)), "mean", stat_length=2),
    "median": lambda x: np.pad(x, 1, "median"),
    "maximum": lambda x: np.pad(x, 2, "maximum", stat_length=((1, 2), (2, 3))),
    "minimum": lambda x: np.pad(x, ((0, 2), (1, 1)), "minimum"),
    "odd": lambda x: np.pad(x, 2, "reflect", reflect_type="odd"),
    "odd wide": lambda x: np.pad(x, ((7, 5), (0, 9)), "reflect", reflect_type="odd"),
    "odd symmetric": lambda x: np.pad(x, 3, "symmetric", reflect_type="odd"),
    "odd symmetric wide": lambda x: np.pad(x, ((8, 4), (9, 1)), "symmetric", reflect_type="odd"),
    "odd of one": lambda x: np.pad(x[:1], ((2, 2), (0, 0)), "reflect", reflect_type="odd"),
    "constants": lambda x: np.pad(x, 1, constant_values=((1.0, 2.0), (3.0, 4.0))),
    "edge": lambda x: np.pad(x, 5, "edge"),
    "wrap": lambda x: np.pad(x, 5, "wrap"),
    "reflect": lambda x: np.pad(x, 5, "reflect"),
    "symmetric": lambda x: np.pad(x, ((0, 5), (2, 1)), "symmetric"),
    "by axis": lambda x: np.pad(x, {0: (1, 2)}, "mean"),
    "function": lambda x: np.pad(x, ((1, 1), (0, 2)), stripes, k=3.0),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    oracles.assert_derivatives(PATTERNS[name], X)


def test_constants_have_derivatives():
    oracles.assert_derivatives(lambda x, c: np.pad(x, (1, 2), constant_values=c), ROW, 0.7)
    oracles.assert_derivatives(lambda x, c: np.pad(x, (1, 2), "linear_ramp", end_values=c), ROW, 0.7)


REFUSED = [
    (lambda x: np.pad(x, 1, "nonsense"), ValueError),
    (lambda x: np.pad(x, 1, "edge", stat_length=2), ValueError),
    (lambda x: np.pad(x, -1), ValueError),
    (lambda x: np.pad(x, 1, "maximum", stat_length=0), ValueError),
]


@pytest.mark.parametrize(("f", "error"), REFUSED)
def test_what_numpy_refuses(f, error):
    with pytest.raises(error):
        f(X)
    with pytest.raises(error):
        dout.vjp(f, X)

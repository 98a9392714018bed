"""Formulas in the user's names: no symbol can be read as one of them."""

import re

import numpy as np

import dout
from dout.see.naming import in_names, symbols


def drawn(f, *args):
    svg = dout.see(f, *args).svg(formulas=True)
    return re.sub(r"[\u2066-\u2069]", "", svg)


def test_a_result_is_not_called_as_an_input_is():
    def f(x, y, x1, x2):
        z = x1 * y + x2 / x
        return z

    svg = drawn(f, 1.0, 2.0, 3.0, 4.0)
    assert "∂L/∂out · out/x" in svg
    assert "out: the result" in svg
    assert "y: the result" not in svg


def test_the_output_is_not_called_as_an_input_is():
    def period(L, g):
        small = 2 * np.pi * np.sqrt(L / g)
        return small

    svg = drawn(period, 1.0, 9.81)
    assert "∂J/∂L" in svg
    assert "J: the output" in svg


def test_operands_without_a_name():
    assert in_names("∂L/∂x = ∂L/∂y · y", None, [None], ["x"]) == "∂L/∂u = ∂L/∂y · y"
    assert in_names("∂L/∂x₁ = ∂L/∂y · x₂", None, [None, None], ["x1"]) == "∂L/∂u₁ = ∂L/∂y · u₂"
    assert in_names("∂L/∂x = ∂L/∂y · y", None, [None], ["a"]) == "∂L/∂x = ∂L/∂y · y"
    assert in_names("∂L/∂x₁ = ∂L/∂y · x₂", None, ["a", "a"], ["a"]) == "∂L/∂x₁ = ∂L/∂y · x₂"


def test_names_are_no_symbols():
    assert symbols("∂J/∂L = ∂J/∂out · x", ["L", "x"]) == ["J", "J", "out"]

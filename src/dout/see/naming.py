"""Formulas in the words of the user's code: names in the places of x, x₁, x₂ and y, where they leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from .markup import isolated

SYMBOL = re.compile(r"(?<!\w)(?:[xu][₁₂₃₄₅₆₇₈₉]?|y|out|result|L|J|loss|dout)(?!\w)")
SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉"
#: Letters for the result of an operation and for the output of the whole: the first that is no name of the user's.
RESULTS, OUTPUTS = ("y", "out", "result"), ("L", "J", "loss")


def symbols(formula: str, taken: Collection[str] = ()) -> list[str]:
    """What stands for something in a formula, as long as it isn't a name of the user's.

    Args:
        formula: as drawn.
        taken: the names in the picture.

    Example:
        >>> symbols("∂L/∂x₁ = ∂L/∂price · x₂")
        ['L', 'x₁', 'L', 'x₂']
        >>> symbols("∂L/∂x = ∂L/∂out · y", ["x", "y"])
        ['L', 'L', 'out']
    """
    return [found for found in SYMBOL.findall(formula) if found not in taken]


def in_names(formula: str, result: str | None, inputs: Sequence[str | None], taken: Collection[str] = ()) -> str:
    """A formula with names for its symbols.

    Args:
        formula: in x, or x₁ and so on, and y, as the rules' formulas are.
        result: the name of the operation's result, if it has one.
        inputs: those of its inputs.
        taken: all names in the picture: no symbol may be read as one of them.

    Returns:
        the formula; its symbols as they are, but for those that would be read as names, if two have the same name.

    Example:
        >>> in_names("∂L/∂x₁ = ∂L/∂y · x₂", "price", ["apple", "tax"])
        '∂L/∂apple = ∂L/∂price · tax'
        >>> in_names("∂L/∂x₁ = ∂L/∂y · x₂", None, ["x", "y"])
        '∂L/∂x = ∂L/∂out · y'
        >>> in_names("∂L/∂x = −∂L/∂y · y/x", None, ["L"], taken=["L", "y"])
        '∂J/∂L = −∂J/∂out · out/L'
    """
    given = [name for name in (result, *inputs) if name]
    names = {*taken, *given}
    plain = len(set(given)) < len(given)  # two of one name: by which, nobody could tell
    named = {"y": (not plain and result) or _free(RESULTS, names), "L": _free(OUTPUTS, names)}
    letter = "u" if any(re.fullmatch(r"x[₁-₉1-9]?", name) for name in names) else "x"
    for digit, name in zip(SUBSCRIPTS, inputs, strict=False):
        named[f"x{digit}"] = (not plain and name) or letter + digit
    named["x"] = (not plain and len(inputs) == 1 and inputs[0]) or letter
    return SYMBOL.sub(lambda found: isolated(named.get(found[0]) or found[0]), formula)


def _free(letters: Sequence[str], names: Collection[str]) -> str:
    return next((letter for letter in letters if letter not in names), letters[-1])

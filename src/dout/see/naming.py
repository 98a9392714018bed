"""Formulas in the words of the user's code: names in the places of x, x₁, x₂ and y, where they leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .markup import isolated

SYMBOL = re.compile(r"(?<!\w)(?:x[₁₂₃₄₅₆₇₈₉]?|y|L|dout|out)(?!\w)")
SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉"


def symbols(formula: str) -> list[str]:
    """What stands for something in a formula, as long as it isn't a name of the user's.

    Example:
        >>> symbols("∂L/∂x₁ = ∂L/∂price · x₂")
        ['L', 'x₁', 'L', 'x₂']
    """
    return SYMBOL.findall(formula)


def in_names(formula: str, result: str | None, inputs: Sequence[str | None]) -> str:
    """A formula with names for its symbols.

    Args:
        formula: in x, or x₁ and so on, and y, as the rules' formulas are.
        result: the name of the operation's result, if it has one.
        inputs: those of its inputs.

    Returns:
        the formula as it is, if two have the same name, or one is called L.

    Example:
        >>> in_names("∂L/∂x₁ = ∂L/∂y · x₂", "price", ["apple", "tax"])
        '∂L/∂apple = ∂L/∂price · tax'
        >>> in_names("∂L/∂x₁ = ∂L/∂y · x₂", None, ["x", "y"])
        '∂L/∂x = ∂L/∂out · y'
    """
    given = [name for name in (result, *inputs) if name]
    if len(set(given)) < len(given) or "L" in given:
        return formula
    names = dict(zip(SUBSCRIPTS, inputs, strict=False))
    named = {f"x{digit}": name for digit, name in names.items()} if len(inputs) > 1 else {"x": next(iter(inputs), None)}
    named["y"] = result or ("out" if "y" in given else None)
    return SYMBOL.sub(lambda found: isolated(named.get(found[0]) or found[0]), formula)

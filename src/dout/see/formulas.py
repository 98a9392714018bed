"""Derivatives as mathematics: the formula of each operation and of each layer.

Those of dout's own operations and layers are in a table, formulas.json, that `docs/make_formulas.py` makes from the rules by
way of SymPy; reading it needs neither SymPy nor anything else. Of a layer of the user's own the formula is made when it is
seen, if SymPy is installed (`pip install dout[formulas]`) and the layer's code runs on symbols.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from .resources import read

#: ₁ and the like, for the inputs.
BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@cache
def table() -> dict[str, Any]:
    """The table of formulas."""
    found: dict[str, Any] = json.loads(read("formulas.json"))
    return found


def formula_of(
    op: str,
    port: int,
    n_inputs: int,
    params: Mapping[str, Any] | None = None,
    constants: Mapping[int, Any] | None = None,
) -> dict[str, Any] | None:
    """The derivative of an operation with respect to one of its inputs.

    Args:
        op: the primitive's name.
        port: which input.
        n_inputs: how many inputs there are.
        params: what else it was given.
        constants: for inputs that are plain Python numbers, which: `x ** 2` has a shorter formula than `x ** y`.

    Returns:
        - "key": the same for the same formula;
        - "text": `∂L/∂x = ∂L/∂y · y`, where L is what is differentiated, y the output, x or x₁, x₂ the inputs;
        - "local": what the derivative from downstream is multiplied by, "" if it isn't a mere multiplication;
        - "mathml": the same as MathML;
        - "except", if there are such points: where the formula has no value, and what the derivative is there;
        - "note", if there is one: the key of a sentence that explains it.

        None if it has no formula.

    Example:
        >>> formula_of("exp", 0, 1)["text"]
        '∂L/∂x = ∂L/∂y · y'
        >>> formula_of("power", 0, 2, constants={1: 2})["local"]
        '2·x₁'
        >>> formula_of("matmul", 1, 2, {"ndims": (2, 2)})["text"]
        '∂L/∂B = Aᵀ · ∂L/∂Y'
    """
    if op == "einsum":
        return _of_einsum(port, params or {})
    found = table()["operations"].get(op)
    if found is None:
        return None
    if "for each input" in found:
        return _for_input(found["for each input"], port)
    if "by params" in found:
        found = found["by params"].get(_case(op, params or {}), {})
    formulas = found.get("inputs", ())
    formula: dict[str, Any] | None = formulas[port] if port < len(formulas) else None
    if formula is None or len(formulas) != n_inputs:
        return None
    for value in () if constants is None else constants.values():
        formula = formula.get("constants", {}).get(_number(value), formula)
    return {k: v for k, v in formula.items() if k not in ("expr", "constants")}


def _number(value: Any) -> str:
    return format(value, "g") if type(value) in (int, float) else ""


def _case(op: str, params: Mapping[str, Any]) -> str:
    """Which of the formulas of an operation that has several is meant."""
    if op == "matmul":
        return " ".join(str(min(n, 2)) for n in params.get("ndims", (2, 2)))
    return "T" if list(params.get("axes", ())) == [1, 0] else "else"


def _for_input(template: Mapping[str, Any], port: int) -> dict[str, Any]:
    written = {"key": "", "text": str(port + 1).translate(BELOW), "local": "", "mathml": str(port + 1)}
    found = {k: v.replace("{i}", written.get(k, "")) if isinstance(v, str) else v for k, v in template.items()}
    return {**found, "key": f"{template['key']} {port}"}


def _of_einsum(port: int, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """`∂L/∂A[i,j] = Σ(k) ∂L/∂Y[i,k] · B[j,k]`, by the labels of the axes."""
    inputs, result = params.get("inputs"), params.get("result")
    if inputs is None or result is None or len(inputs) > 26 or port >= len(inputs):
        return None
    labels: dict[Any, str] = {}
    for x in [x for term in inputs for x in term]:
        labels.setdefault(x, chr(x) if 65 <= x <= 122 else "")
    if not all(labels.values()):
        return None  # axes that "..." stands for, or numbered ones
    written = [("Y", [labels[x] for x in result])]
    written += [(chr(65 + k), [labels[x] for x in term]) for k, term in enumerate(inputs) if k != port]
    mine = [labels[x] for x in inputs[port]]
    summed = sorted({x for _, term in written for x in term} - set(mine))
    name = chr(65 + port)

    def entry(name: str, term: Sequence[str]) -> str:
        return f"{name}[{','.join(term)}]" if term else name

    factors = [f"∂L/∂{entry(*written[0])}", *(entry(*w) for w in written[1:])]
    text = f"∂L/∂{entry(name, mine)} = {'Σ(' + ','.join(summed) + ') ' if summed else ''}{' · '.join(factors)}"
    mathml = "<mo>·</mo>".join([_partial(*written[0]), *(_entry(*w) for w in written[1:])])
    sigma = f"<munder><mo>∑</mo><mrow>{_letters(summed)}</mrow></munder>" if summed else ""
    return {
        "key": f"einsum {text}",
        "text": text,
        "local": "",
        "mathml": f"<math><mrow>{_partial(name, mine)}<mo>=</mo>{sigma}{mathml}</mrow></math>",
    }


def _letters(term: Sequence[str]) -> str:
    return "<mo>,</mo>".join(f"<mi>{x}</mi>" for x in term)


def _entry(name: str, term: Sequence[str]) -> str:
    return f"<msub><mi>{name}</mi><mrow>{_letters(term)}</mrow></msub>" if term else f"<mi>{name}</mi>"


def _partial(name: str, term: Sequence[str]) -> str:
    above, below = "<mrow><mi>∂</mi><mi>L</mi></mrow>", f"<mrow><mi>∂</mi>{_entry(name, term)}</mrow>"
    return f"<mfrac>{above}{below}</mfrac>"


def layer_formula(name: str) -> dict[str, Any] | None:
    """The formulas of one of dout's own layers, by its class's name: None for others.

    Returns:
        "closed", from its own backward, "opened", through its primitives (or None), and "equal", whether SymPy proves that
        they are the same (None where there is nothing to prove).

    Example:
        >>> layer_formula("Sigmoid")
        {'closed': 'dout · y · (1 − y)', 'opened': 'dout · y² · exp(−x)', 'equal': True}
    """
    found = table()["layers"].get(name)
    return None if found is None else dict(found)


def formula_of_layer(layer: Any) -> dict[str, Any] | None:
    """The formulas of a layer: from the table for dout's own, else by running its code on symbols.

    Args:
        layer: an object with forward and backward. It isn't changed: a copy runs.

    Returns:
        as `layer_formula`; None without SymPy, or where the layer's code doesn't run on symbols.
    """
    kind = type(layer)
    if kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return layer_formula(kind.__name__)
    try:
        from .layer_symbols import formulas_of  # SymPy takes most of a second
    except ModuleNotFoundError as missing:
        if missing.name == "sympy":
            return None
        raise
    return formulas_of(layer)

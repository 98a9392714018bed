"""The formulas of a layer, by running its own forward and backward on symbols. Needs SymPy."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import sympy as sp

from ..copies import fresh
from .mathtext import text
from .symbols import DOUT, OUT, Symbol, Taped, gentle

#: A formula longer than this says nothing to anybody.
LONGEST = 120


def formulas_of(layer: Any) -> dict[str, Any] | None:
    """What `layer_formula` gives, for any layer; None where its code doesn't run on symbols."""
    found: dict[str, Any] | None = _tried(_formulas, layer)
    return found


def _formulas(layer: Any) -> dict[str, Any] | None:
    names = _input_names(layer)
    if not names:
        return None
    inputs = [sp.Symbol(name, real=True) for name in names]
    taken = {"y", "dout"} & set(names)
    symbol = sp.Symbol("out", real=True) if "y" in taken else OUT
    dout = sp.Symbol("dout_", real=True) if "dout" in taken else DOUT
    out, found = _closed(layer, inputs, symbol, dout)
    closed = _written(found, names, dout)
    through = _tried(_opened, layer, inputs, symbol, dout)
    opened = None if through is None else _tried(_written, through, names, dout)
    equal = None
    if opened is not None:
        equal = all(_same(a, b, symbol, out) for a, b in zip(found, through, strict=True))
    return {"closed": closed, "opened": opened, "equal": equal}


def _tried(run: Any, *args: Any) -> Any:
    """What it gives; None if a layer's code, which may do anything, doesn't work on symbols."""
    try:
        return run(*args)
    except Exception:
        return None


def _input_names(layer: Any) -> list[str]:
    parameters = inspect.signature(layer.forward).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]


def _closed(layer: Any, inputs: Sequence[Any], symbol: Any, dout: Any) -> tuple[Any, list[Any]]:
    """The output, and what backward gives for each input. What forward remembered of the output is called y there."""
    layer = fresh(layer)
    out = layer.forward(*map(Symbol, inputs))
    for name, value in list(vars(layer).items()):
        if isinstance(value, Symbol) and value.e == out.e and value.e not in inputs:
            setattr(layer, name, Symbol(symbol))
    found = layer.backward(Symbol(dout))
    found = found if isinstance(found, tuple | list) else (found,)
    return out.e, _each_by_its(found, inputs, dout)


def _opened(layer: Any, inputs: Sequence[Any], symbol: Any, dout: Any) -> list[Any]:
    """The derivatives through the primitives that forward is made of, rule by rule."""
    tape: list[Any] = []
    starts = [Taped(x, tape) for x in inputs]
    out = fresh(layer).forward(*starts)
    if not isinstance(out, Taped):
        raise TypeError("an operation wasn't written down")
    derivatives: dict[int, Any] = {id(out): Symbol(dout)}
    for op, args, made in reversed(tape):
        mine = derivatives.get(id(made))
        if mine is None:
            continue
        for i, arg in enumerate(args):
            if isinstance(arg, Taped):
                d = op.pullbacks[i](mine, _plain(made), *map(_plain, args))
                if d is not None:
                    derivatives[id(arg)] = d if id(arg) not in derivatives else derivatives[id(arg)] + d
    found = [derivatives.get(id(start), Symbol(sp.S.Zero)) for start in starts]
    short = [Symbol(d.e.subs(out.e, symbol)) if out.e not in inputs else d for d in found]
    return _each_by_its(short, inputs, dout)


def _plain(x: Any) -> Any:
    return Symbol(x.e) if isinstance(x, Taped) else x


def _each_by_its(found: Sequence[Any], inputs: Sequence[Any], dout: Any) -> list[Any]:
    if len(found) != len(inputs) or not all(isinstance(d, Symbol | int | float) for d in found):
        raise TypeError("not one derivative for each input")
    return [d.e if isinstance(d, Symbol) else sp.sympify(d) for d in found]


def _written(found: Sequence[Any], names: Sequence[str], dout: Any) -> str:
    """`dout · y · (1 − y)`; of several inputs, `dx = dout · y,  dy = dout · x`."""
    parts = [_product(d, dout) for d in found]
    named = [f"d{name} = {part}" for name, part in zip(names, parts, strict=True)]
    whole = parts[0] if len(parts) == 1 else ",  ".join(named)
    if len(whole) > LONGEST:
        raise ValueError("too long")
    return whole


def _product(d: Any, dout: Any) -> str:
    local = gentle(d.subs(dout, 1))
    if not local.free_symbols and not local.has(sp.Piecewise):
        return text(local * dout) if abs(local) in (0, 1) else f"{text(dout)} · {text(local)}"
    minus = "−" if local.could_extract_minus_sign() and not local.is_Add else ""
    local = -local if minus else local
    above, below = sp.fraction(local, exact=True)
    if above == 1 and below != 1:
        return minus + text(dout / below, between=" · ")
    written = text(local, between=" · ")
    alone = local.is_Add or (isinstance(local, sp.Piecewise) and " + " in written)
    return f"{minus}{text(dout)} · {f'({written})' if alone else written}"


def _same(a: Any, b: Any, symbol: Any, out: Any) -> bool:
    """Whether SymPy proves that two derivatives are the same, where y is the output."""
    return bool(sp.simplify((a - b).subs(symbol, out)) == 0)

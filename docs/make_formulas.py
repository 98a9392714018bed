"""Make src/dout/see/formulas.json: the derivative of every operation as mathematics, from the rules by way of SymPy.

Run it from anywhere: `python docs/make_formulas.py`, or with `--check` to be told whether the table is up to date. It needs
`pip install dout[formulas]`; reading the table doesn't.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from pathlib import Path
from typing import Any

import notations
import sympy as sp
from latex2mathml.converter import convert

import dout
import dout.rules.special  # read only when needed, otherwise
from dout.graph import IDENTITY, PICK, Primitive
from dout.rules import UFUNCS
from dout.see.layer_symbols import formulas_of
from dout.see.mathtext import latex, text
from dout.see.symbols import local_of, names_of

TABLE = Path(dout.__file__).parent / "see" / "formulas.json"
#: Exponents for which `x ** n` has a formula of its own.
EXPONENTS = (-3, -2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 5, 6)

#: Sentences that say what a letter means.
NOTES = {"formula_bessel": {"J", "Y", "I", "K"}, "formula_gamma": {"Gamma", "digamma", "zeta", "Beta"}}


def whole(local: Any, x: Any) -> tuple[str, str]:
    """`∂L/∂x = ∂L/∂y · y`, as text and as LaTeX."""
    return f"∂L/∂{text(x)} = {times(local, '∂L/∂y', text)}", f"D{{{latex(x)}}} = {times(local, 'D{y}', latex)}"


def times(local: Any, upstream: str, write: Any) -> str:
    """What comes from downstream, multiplied by the local factor."""
    if local in (0, 1):
        return "0" if local == 0 else upstream
    negative = all(t.could_extract_minus_sign() for t in sp.Add.make_args(local)) and not local.has(sp.Piecewise)
    minus = ("−" if write is text else "-") if negative else ""
    local = -local if negative else local
    if local == 1:
        return minus + upstream
    written = write(local)
    if local.is_Add or (isinstance(local, sp.Piecewise) and "] + " in written.replace(r"\right]", "]")):
        written = f"({written})" if write is text else rf"\left({written}\right)"
    return f"{minus}{upstream} {'·' if write is text else chr(92) + 'cdot'} {written}"


def mathml(written: str) -> str:
    """LaTeX, in which D{x} is a partial derivative, as MathML without what HTML doesn't need."""
    written = re.sub(r"D\{((?:[^{}]|\{[^{}]*\})*)\}", r"\\frac{\\partial L}{\\partial \1}", written)
    found = convert(written).replace(' xmlns="http://www.w3.org/1998/Math/MathML" display="inline"', "")
    found = re.sub(r' (stretchy|fence)="true"| form="(pre|post)fix"', "", found)  # so they are without being told
    found = re.sub(r"&#x([0-9A-F]+);", lambda m: html.escape(chr(int(m[1], 16))), found)
    return re.sub(r"<mrow>(<m[ion]>[^<]*</m[ion]>)</mrow>", r"\1", found)


def formula(key: str, said: str, local: str, in_latex: str, note: str | None = None) -> dict[str, Any]:
    found = {"key": key, "text": said, "local": local, "mathml": mathml(in_latex)}
    return found if note is None else {**found, "note": note}


def derived(op: Primitive, port: int) -> dict[str, Any] | None:
    """The formula of an elementwise operation, by running its rule on symbols."""
    found = local_of(op, port)
    if found is None:
        return None
    x = names_of(op)[port]
    entry = expressed(f"{op.name} {port}", *found, x)
    if op.name in ("power", "float_power") and port == 0:
        variants = {format(n, "g"): local_of(op, port, {1: n}) for n in EXPONENTS}
        entry["constants"] = {
            n: expressed(f"{op.name} {port} {n}", *v, x) for n, v in variants.items() if v is not None
        }
    return entry


def expressed(key: str, local: Any, points: list[tuple[Any, Any]], x: Any) -> dict[str, Any]:
    said, in_latex = whole(local, x)
    named = {type(f).__name__ for f in local.atoms(sp.core.function.AppliedUndef)}
    notes = [note for note, names in NOTES.items() if named & names]
    note = "formula_brackets" if local.has(sp.Piecewise) else notes[0] if notes else None
    entry = {**formula(key, said, text(local), in_latex, note), "expr": str(local)}
    if points:
        entry["except"] = [[text(where), text(value)] for where, value in points]
    return entry


def noted(op: str, inputs: list[Any]) -> list[dict[str, Any] | None]:
    return [None if n is None else formula(f"{op} {port}", *n) for port, n in enumerate(inputs)]


def operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for op in [IDENTITY, *UFUNCS.values()]:
        by_hand = notations.NOTATIONS.get(op.name, [])
        entries = noted(op.name, by_hand) + [None] * (len(op.pullbacks) - len(by_hand))
        inputs = [entries[port] or derived(op, port) for port in range(len(op.pullbacks))]
        found[op.name] = {"inputs": inputs}
    for name, inputs in notations.NOTATIONS.items():
        if name not in found:
            found[name] = {"inputs": noted(name, inputs)}
    for name, points in notations.EXCEPT.items():
        for entry in found[name]["inputs"]:
            entry["except"] = points
    for name, cases in notations.BY_PARAMS.items():
        by = {case: {"inputs": noted(f"{name} {case}", inputs)} for case, inputs in cases.items()}
        found[name] = {"by params": by}
    for name, (said, local, in_latex, note) in notations.FOR_EACH_INPUT.items():
        entry = formula(
            name, said, local, in_latex.replace("{i}", "7"), note
        )  # MathML is made of a number, then put back
        found[name] = {"for each input": {**entry, "mathml": entry["mathml"].replace(">7<", ">{i}<")}}
    return dict(sorted(found.items()))


def layers() -> dict[str, Any]:
    found = {kind.__name__: formulas_of(kind()) for kind in (dout.AddLayer, dout.MulLayer, dout.Relu, dout.Sigmoid)}
    for name, (closed, opened) in notations.LAYERS.items():
        found[name] = {"closed": closed, "opened": opened, "equal": None}
    return dict(sorted(found.items()))


def table() -> str:
    whole_table = {"operations": operations(), "absent": notations.ABSENT, "layers": layers()}
    assert PICK.name in whole_table["operations"]
    return json.dumps(whole_table, ensure_ascii=False, indent=1) + "\n"


def main(args: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the table is up to date")
    made = table()
    if parser.parse_args(args).check:
        same = TABLE.read_text(encoding="utf-8") == made
        print(f"{TABLE.name} is {'up to date' if same else 'out of date: run python docs/make_formulas.py'}")
        return 0 if same else 1
    TABLE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Fill the marked blocks of docs/numpy.md from the tables of rules: which of NumPy's functions a Variable goes through.

Run it from anywhere: `python docs/make_tables.py`, or with `--check` to be told whether the page is up to date.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from blocks import main

from dout.graph import Primitive
from dout.methods import ArrayMethods
from dout.rules import FLAT, FUNCTIONS, UFUNCS

#: The rooms of dout.rules, in the order of the table, and what they are about.
CHAPTERS = {
    "elementwise": "choices and parts",
    "reductions": "reductions and running sums",
    "shaping": "shapes, joining, splitting, repeating",
    "indexing": "reading by index",
    "products": "products",
    "einsum": "products",
    "linalg": "linear algebra",
    **dict.fromkeys(
        ("eigenvalues", "least_squares", "norms", "phases", "qr", "singular_values", "ties", "vectors"),
        "linear algebra",
    ),
    "fft": "Fourier transforms",
    "calculus": "differences, integrals, interpolation, convolution",
    "statistics": "averages, covariances, histograms, what skips NaN",
    "padding": "shapes, joining, splitting, repeating",
    "order_statistics": "sorting, medians, quantiles",
    "rearranging": "choosing, inserting, dropping, arranging",
    "writing": "writing into an array",
    "spaces": "rows between ends",
    "polynomials": "polynomials",
}


def name_of(function: Callable[..., Any]) -> str:
    """`np.exp`, `np.linalg.norm`."""
    if isinstance(function, np.ufunc):
        return f"np.{function.__name__}"
    module = (function.__module__ or "numpy").replace("numpy", "np", 1)
    return f"{module}.{function.__name__}"


def listed(functions: Iterable[Callable[..., Any]]) -> str:
    return ", ".join(f"`{name}`" for name in sorted({name_of(f) for f in functions}, key=str.lower))


def table() -> str:
    """The functions through which derivatives pass."""
    rows: dict[str, list[Callable[..., Any]]] = {"ufuncs, one input": [], "ufuncs, two inputs": []}
    rows.update({title: [] for title in CHAPTERS.values()})
    for ufunc in UFUNCS:
        rows["ufuncs, one input" if ufunc.nin == 1 else "ufuncs, two inputs"].append(ufunc)
    for function, run in FUNCTIONS.items():
        if isinstance(function, np.ufunc) and function not in UFUNCS:
            rows["ufuncs, one input" if function.nin == 1 else "ufuncs, two inputs"].append(function)
            continue
        room = "elementwise" if isinstance(run, Primitive) else run.__module__.rpartition(".")[2]
        rows[CHAPTERS[room]].append(function)
    lines = ["| | |", "| --- | --- |", *(f"| {title} | {listed(found)} |" for title, found in rows.items())]
    return "\n".join(lines)


def flat() -> str:
    """The functions that run on the values and carry no derivative."""
    named = [f for f in FLAT if getattr(operator, getattr(f, "__name__", ""), None) is not f]
    return listed(named) + "."


def methods() -> str:
    """What a Variable offers of an ndarray's methods and attributes."""
    names = sorted(n for n in {*vars(ArrayMethods), "astype", "fill", "item", "tolist"} if not n.startswith("_"))
    return ", ".join(f"`.{n}`" for n in names) + "."


if __name__ == "__main__":
    main({"docs/numpy.md": {"functions": table, "flat": flat, "methods": methods}})

"""The rule of `np.einsum`: each operand's derivative is another einsum, of dout and the other operands."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy

from ..broadcasting import to_shape
from ..graph import ndim_of, shape_of
from .elementwise import astype
from .indexing import scatter
from .registry import implements, primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any
Labels = list[int]


def _parse(operands: Sequence[Any]) -> tuple[list[Array], list[Labels], Labels]:
    """Any of einsum's forms as operands, the labels of each one's axes, and those of the output, as numbers.

    Labels that an ellipsis stands for are negative, counted from its right end, so that they broadcast as NumPy's do.
    """
    if isinstance(operands[0], str):
        text = operands[0].replace(" ", "")
        arrays = list(operands[1:])
        left, arrow, right = text.partition("->")
        terms: list[list[Any]] = [_letters(term) for term in left.split(",")]
        result: list[Any] | None = _letters(right) if arrow else None
    else:
        pairs = len(operands) // 2
        arrays = list(operands[0 : 2 * pairs : 2])
        terms = [list(labels) for labels in operands[1 : 2 * pairs : 2]]
        result = list(operands[-1]) if len(operands) % 2 else None
        if any(x is not Ellipsis and not 0 <= x < 52 for term in (*terms, result or []) for x in term):
            raise ValueError("einsum: labels given as numbers have to be from 0 to 51")
    if len(terms) != len(arrays):
        raise ValueError(f"einsum: {len(terms)} terms in the subscripts, {len(arrays)} operands")
    widths = [ndim_of(a) - sum(x is not Ellipsis for x in term) for a, term in zip(arrays, terms, strict=True)]
    inputs = [_widen(term, width) for term, width in zip(terms, widths, strict=True)]
    widest = max((w for w, term in zip(widths, terms, strict=True) if Ellipsis in term), default=0)
    if result is None:
        named = [x for term in terms for x in term if x is not Ellipsis]
        result = [Ellipsis, *sorted(x for x in set(named) if named.count(x) == 1)]
    if not {x for x in result if x is not Ellipsis} <= {x for term in terms for x in term}:
        raise ValueError("einsum: the output has a label that no operand has")
    if widest > 0 and Ellipsis not in result:
        raise ValueError("einsum: an operand's '...' stands for axes that the output, which has no '...', leaves out")
    return arrays, inputs, _widen(result, widest)


def _letters(term: str) -> list[Any]:
    """Letters as numbers; `...` as Ellipsis."""
    before, dots, after = term.partition("...")
    if not all("a" <= x.lower() <= "z" for x in before + after):
        raise ValueError(f"einsum: subscripts are letters, '...', commas and '->', got {term!r}")
    return [*map(ord, before), *([Ellipsis] if dots else []), *map(ord, after)]


def _widen(term: Sequence[Any], width: int) -> Labels:
    return [y for x in term for y in (range(-width, 0) if x is Ellipsis else (x,))]


def _contract(*operands: Array, inputs: Sequence[Labels], result: Labels, optimize: Any) -> Array:
    short = {label: i for i, label in enumerate(dict.fromkeys(x for term in inputs for x in term))}
    mixed = [y for a, term in zip(operands, inputs, strict=True) for y in (a, [short[x] for x in term])]
    return np.einsum(*mixed, [short[x] for x in result], optimize=optimize)


#: From so many steps on, the derivatives are products of matrices, by BLAS.
LARGE = 20_000


def _d_operand(
    i: int, dout: Array, _out: Array, *operands: Array, inputs: Sequence[Labels], result: Labels, optimize: Any
) -> Array:
    """Contract dout with the other operands onto this operand's labels.

    A label of this operand alone was summed: its derivative is the same all along, which the walk broadcasts. A label
    that stands twice in this operand is a diagonal: the derivative is zero off it.
    """
    mine = list(dict.fromkeys(inputs[i]))
    others = [a for j, a in enumerate(operands) if j != i]
    terms = [result, *(term for j, term in enumerate(inputs) if j != i)]
    known = {x for term in terms for x in term}
    found = [x for x in mine if x in known]
    path = optimize if isinstance(optimize, bool | str) else True  # a path given by hand is for the forward operands
    sizes = {x: n for a, term in zip(operands, inputs, strict=True) for x, n in zip(term, shape_of(a), strict=True)}
    if prod(sizes.values()) > LARGE:
        path = True  # NumPy's own loop takes as many steps; products of matrices take fewer
    elif len(terms) == 2:
        path = False  # of two there is only one order
    d = contract(dout, *others, inputs=terms, result=found, optimize=path)
    if len(found) < len(mine):
        d = np.expand_dims(d, tuple(k for k, x in enumerate(mine) if x not in known))
    if len(mine) == len(inputs[i]):
        return d
    sizes = {x: shape_of(operands[i])[k] for k, x in enumerate(inputs[i])}  # of its own labels, if another has length 1
    d = to_shape(d, tuple(sizes[x] for x in mine))
    places = np.ogrid[tuple(slice(sizes[x]) for x in mine)]
    key = tuple(places[mine.index(x)] for x in inputs[i])
    return scatter(d, key=key, shape=tuple(sizes[x] for x in inputs[i]))


#: Of one operand, with nothing to sum, NumPy gives a view: `np.einsum("ii->i", x)[...] = 1` writes a diagonal.
contract = primitive("einsum", _contract, each=_d_operand, view=True)


@implements(np.einsum)
def _einsum(*operands: Any, optimize: Any = False, dtype: Any = None, order: str = "K", casting: str = "safe") -> Array:
    arrays, inputs, result = _parse(operands)
    if dtype is not None:
        for a in arrays:
            if not np.can_cast(np.result_type(a), dtype, casting):
                raise TypeError(
                    f"np.einsum: cannot cast {np.result_type(a)} to {np.dtype(dtype)} by casting={casting!r}"
                )
        arrays = [astype(a, dtype=np.dtype(dtype)) for a in arrays]
    return contract(*arrays, inputs=inputs, result=result, optimize=optimize)

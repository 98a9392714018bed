"""Guesses at what a wrong backward forgot, from the numbers alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .check import Entry


def hints(entries: list[Entry], values: dict[str, Any], out: Any) -> Iterator[str]:
    """Guesses, the likeliest for each input that has wrong entries.

    Args:
        entries: what was compared.
        values: the inputs, by the names that the entries have.
        out: the output, if it is one array or number, else None.
    """
    groups: dict[str, list[Entry]] = {}
    for e in entries:
        groups.setdefault(e.name, []).append(e)
    wrong = {name: es for name, es in groups.items() if any(e.wrong for e in es)}
    exchanged = set()
    for name, es in wrong.items():
        for other, theirs in wrong.items():
            if name < other and _same(es, theirs) and _same(theirs, es):
                exchanged |= {name, other}
                yield f"the derivatives of {name} and {other} are exchanged"
    for name, es in wrong.items():
        single = [e for e in es if isinstance(e.index, tuple)]
        if not any(e.wrong for e in single):
            yield f"the entries of {name} that were compared one by one are right, so the mistake is in others"
        elif name not in exchanged:
            complete = len(single) == np.size(values[name])
            guess = _guess(name, single, values, out, complete)
            if guess:
                yield guess


def _guess(name: str, es: list[Entry], values: dict[str, Any], out: Any, complete: bool) -> str | None:
    """The likeliest mistake in one input's derivatives."""
    es = [e for e in es if np.isfinite(e.computed) and np.isfinite(e.numerical)]
    computed, numerical = (np.array([getattr(e, k) for e in es]) for k in ("computed", "numerical"))
    size = np.abs(numerical).max(initial=0.0)
    if not es:
        return None
    if not np.any(computed):
        return f"the derivative of {name} is zero throughout: it may be missing, or lost on the way"
    if len(es) < 2 or size == 0:
        return None

    def close(a: Any, b: Any) -> bool:
        return bool(np.all(np.abs(a - b) <= 1e-6 * np.maximum(np.abs(b), 1e-3 * size)))

    shape = np.shape(values[name])
    if complete and len(shape) == 2 and shape[0] == shape[1]:
        of_rows, true = computed.reshape(shape), numerical.reshape(shape)
        if close(of_rows, true.T):
            return f"the derivative of {name} is transposed"
        if close(of_rows, (true + true.T) / 2):
            return (
                f"the derivative of {name} is the symmetrised one, of a function of symmetric matrices; "
                f"to compare, check it as a function of ({name} + {name}.T) / 2"
            )
    factor = np.vdot(numerical, computed) / np.vdot(numerical, numerical)
    if close(computed, factor * numerical) and abs(factor) > 1e-3 and abs(factor - 1) > 1e-5:
        if abs(factor + 1) < 1e-5:
            return f"the derivative of {name} has the wrong sign"
        said = factor.real if abs(factor.imag) < 1e-9 * abs(factor) else factor
        return f"the derivative of {name} is {said:.6g} times what it should be"
    zero = np.abs(numerical) <= 1e-9 * size
    if all(e.wrong == z for e, z in zip(es, zero, strict=True)):
        return f"the derivative of {name} is not 0 where it should be: a forgotten mask?"
    for said, factor in _factors(name, shape, values, out):
        some = np.array([factor[e.index] for e in es])
        if not np.all(np.isfinite(some)) or np.ptp(some) <= 1e-6 * np.abs(some).max():
            continue
        if close(computed * some, numerical):
            return f"in the derivative of {name}, a factor of {said} is missing"
        if close(numerical * some, computed):
            return f"in the derivative of {name}, there is a factor of {said} too many"
    return None


def _factors(name: str, shape: tuple[int, ...], values: dict[str, Any], out: Any) -> Iterator[tuple[str, Any]]:
    """What is forgotten most: the output, the inputs, and what the derivatives of sigmoid, tanh and others are made of."""
    if out is not None and np.shape(out) == shape:
        out = np.asarray(out)
        yield "out", out
        yield "1 - out", 1 - out
        yield "out * (1 - out)", out * (1 - out)
        yield "1 - out**2", 1 - out**2
    for other, value in sorted(values.items(), key=lambda item: item[0] != name):
        if np.shape(value) == shape:
            yield other, np.asarray(value)
            yield f"2 * {other}", 2 * np.asarray(value)


def _same(mine: list[Entry], theirs: list[Entry]) -> bool:
    """Whether my computed derivatives are the other's numerical ones."""
    return len(mine) == len(theirs) and bool(
        np.allclose([e.computed for e in mine], [e.numerical for e in theirs], rtol=1e-6, atol=1e-9)
    )

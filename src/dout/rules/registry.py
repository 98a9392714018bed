"""The tables of rules, and the words with which the other files of this room fill them.

- `rule(np.exp, lambda dout, out, _x: dout * out)`: a ufunc that is a primitive, with its pullbacks.
- `in_place(np.exp, ...)`: how such a derivative is written over another, for large arrays.
- `primitive("reshape", forward, pullback, ...)`: an operation of dout's own.
- `@implements(np.ptp)`: a NumPy function written in terms of others that have rules already.
- `flat(np.floor, ...)`: functions that are constant between jumps; they run on the values and carry no derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..graph import Chooses, Each, Primitive, Pullback

F = TypeVar("F", bound=Callable[..., Any])

#: NumPy's ufuncs that are primitives.
UFUNCS: dict[np.ufunc, Primitive] = {}
#: NumPy's functions, each as what runs in its place when an argument is a Variable.
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
#: Functions and ufuncs whose derivative is zero wherever they have one.
FLAT: set[Callable[..., Any]] = set()


def rule(ufunc: np.ufunc, *pullbacks: Pullback, chooses: bool = False) -> Primitive:
    """Give a ufunc its pullbacks, one for each input. Its name is the public one: SciPy's zeta is a ufunc called _zeta."""
    found = UFUNCS[ufunc] = Primitive(ufunc.__name__.lstrip("_"), ufunc, pullbacks, elementwise=True, chooses=chooses)
    return found


def in_place(ufunc: np.ufunc, *ways: tuple[Pullback, bool]) -> None:
    """Say how the derivatives of a ufunc that has a rule are written into a given array: see `Primitive.in_place`."""
    UFUNCS[ufunc].in_place = ways


def primitive(
    name: str,
    forward: Callable[..., Any],
    *pullbacks: Pullback,
    each: Pullback | None = None,
    joint: Callable[..., tuple[Any, ...]] | None = None,
    view: bool = False,
    read_only: bool = False,
    chooses: Chooses = False,
    add_into: Callable[..., None] | None = None,
) -> Primitive:
    """Make an operation that is not a ufunc; `each` and `joint` are the other forms of pullbacks."""
    given: Any = pullbacks if each is None else Each(each)
    return Primitive(
        name, forward, given, joint=joint, view=view, read_only=read_only, chooses=chooses, add_into=add_into
    )


def implements(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Let the decorated function run in place of these NumPy functions."""

    def enter(run: F) -> F:
        for function in functions:
            FUNCTIONS[function] = run
        return run

    return enter


def flat(*functions: Callable[..., Any]) -> None:
    """Enter functions that carry no derivative."""
    FLAT.update(functions)

"""The same function seen again with other numbers: what sliders in a notebook and in the app ask for."""

from __future__ import annotations

import math
import sysconfig
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import Arguments
from ..graph import TracedLeaf, plain
from ..trace import Given, given_to
from ..tree import flatten, leaf_paths

#: Of an array with more entries than this none is listed; one can still be set by its name, such as `x[100]`.
ENTRIES = 64
#: Ints up to here are the same in a page.
EXACT = 2**53
#: Numbers that JSON has no way to write.
WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class Again:
    """A function and its arguments, to be seen with other numbers.

    Attributes:
        f: the function or the layer.
        inputs: the numbers that can be changed, by name: `apple`, `p['w'][0, 1]`; those that JSON can't write as text.

    Example:
        >>> again = Again(lambda x, w: x * w.sum(), (2.0, np.array([1.0, 3.0])))
        >>> again.inputs
        {'x': 2.0, 'w[0]': 1.0, 'w[1]': 3.0}
        >>> args, kwargs = again.arguments({"w[1]": 5})
        >>> args
        (2.0, array([1., 5.]))
    """

    def __init__(self, f: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> None:
        self.f = f
        self._args, self._kwargs = tuple(args), dict(kwargs or {})
        self.inputs: dict[str, Any] = {}
        self._arrays: dict[str, np.ndarray] = {}
        given, _, self._n = given_to(f, self._args, self._kwargs)
        self._given = [self._kept(g) for g in given]
        for g in self._given:
            for name, leaf in _leaves(g):
                self._list(name, leaf)

    def _kept(self, given: Given) -> Given:
        """An argument with copies of its arrays, for the user may write to his own."""
        if not given.is_input():
            return given
        flat, rebuild = flatten(given.value)
        copies = [plain(v).copy() if isinstance(plain(v), np.ndarray) else plain(v) for v in flat]
        return Given(given.name, rebuild(iter(copies)), given.whole)

    def _list(self, name: str, leaf: Any) -> None:
        if isinstance(leaf, np.ndarray) and leaf.ndim:
            if leaf.dtype.kind == "f":
                self._arrays[name] = leaf
            if leaf.dtype.kind == "f" and leaf.size <= ENTRIES:
                self.inputs |= {_entry(name, i): _written(float(leaf[i])) for i in np.ndindex(leaf.shape)}
        elif type(leaf) is int:
            if abs(leaf) <= EXACT:
                self.inputs[name] = leaf
        elif not np.iscomplexobj(leaf):
            self.inputs[name] = _written(float(leaf))

    def checked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Numbers by name as they are written in `inputs`.

        Raises:
            ValueError: for a name that no input has, and for what is no number.
        """
        done = {}
        for name, value in inputs.items():
            if name not in self.inputs and self._place(name) is None:
                listed = ", ".join(list(self.inputs)[:12]) or "no numbers that can be set"
                raise ValueError(f"inputs: there is no {name!r}; there are {listed}")
            number = WORDS.get(value, value) if isinstance(value, str) else value
            if isinstance(number, np.generic):
                number = number.item()
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(f"inputs: {name}: expected a number, got {value!r}")
            done[name] = _written(number)
        return done

    def _place(self, name: str) -> tuple[str, tuple[int, ...]] | None:
        """The array and the index that an entry's name means."""
        base, bracket, inside = name.rpartition("[")
        array = self._arrays.get(base)
        if not bracket or array is None or not inside.endswith("]"):
            return None
        try:
            index = tuple(int(part) for part in inside[:-1].split(","))
        except ValueError:
            return None
        fits = len(index) == array.ndim and all(0 <= i < n for i, n in zip(index, array.shape, strict=True))
        return (base, index) if fits else None

    def arguments(self, inputs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with these numbers in their places."""
        changes = {name: WORDS.get(v, v) if isinstance(v, str) else v for name, v in self.checked(inputs).items()}
        entries: dict[str, dict[tuple[int, ...], Any]] = {}
        for name, value in changes.items():
            place = self._place(name)
            if place is not None:
                entries.setdefault(place[0], {})[place[1]] = value
        values = []
        for g in self._given:
            if not g.is_input():
                values.append(g.value)
                continue
            flat, rebuild = flatten(g.value)
            paths = leaf_paths(g.value)
            new = [
                _changed(leaf, changes.get(g.name + path), entries.get(g.name + path, {}))
                for leaf, path in zip(flat, paths, strict=True)
            ]
            values.append(rebuild(iter(new)))
        keywords = {g.name: v for g, v in zip(self._given[self._n :], values[self._n :], strict=True)}
        return tuple(values[: self._n]), keywords


def _leaves(given: Given) -> list[tuple[str, Any]]:
    """The numbers and arrays of an argument, with their names."""
    if not given.is_input():
        return []
    flat, _ = flatten(given.value)
    named = zip(leaf_paths(given.value), flat, strict=True)
    return [(given.name + path, leaf) for path, leaf in named if Arguments.accepts(leaf, TracedLeaf)]


def _entry(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]"


def _written(number: Any) -> Any:
    """A number as JSON can have it."""
    if isinstance(number, float) and not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return number


def _changed(leaf: Any, value: Any, entries: Mapping[tuple[int, ...], Any]) -> Any:
    """A leaf with another value, or with other entries, of the type that it has; an int may become a float."""
    if isinstance(leaf, np.ndarray) and leaf.ndim:
        new = leaf.copy()
        for index, entry in entries.items():
            new[index] = entry
        return new
    if value is None:
        return leaf
    if type(leaf) is int:
        return int(value) if float(value).is_integer() else value
    if isinstance(leaf, np.ndarray):
        return np.array(value, leaf.dtype)
    return type(leaf)(value)


def said(error: BaseException) -> str:
    """An error of the user's function, with the line of his own code that it came from.

    Example:
        >>> said(ValueError("too small"))
        'ValueError: too small'
    """
    place: tuple[str, int | None, str | None] | None
    if isinstance(error, SyntaxError) and error.filename:
        message, place = error.msg, (error.filename, error.lineno, (error.text or "").strip())
    else:
        message = " ".join(str(error).split())
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if _own(frame.filename)]
        place = (own[-1].filename, own[-1].lineno, own[-1].line) if own else None
    name = type(error).__name__
    text = "; ".join([f"{name}: {message}" if message else name, *getattr(error, "__notes__", ())])
    if place is None:
        return text
    file, number, line = place
    where = f"{Path(file).name}, " if Path(file).is_file() else ""  # a notebook's cell is no file
    return f"{where}line {number}: {text}" + (f"\n    {line}" if line else "")


def _own(filename: str) -> bool:
    """Whether a file is the user's: neither dout's, nor Python's, nor an installed package's."""
    path = Path(filename)
    others = (Path(__file__).parent.parent, Path(sysconfig.get_path("stdlib")))
    installed = {"site-packages", "dist-packages"} & {*path.parts}
    return not (filename.startswith("<frozen") or installed or any(path.is_relative_to(other) for other in others))

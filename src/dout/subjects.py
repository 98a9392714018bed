"""What can be checked: a function, or a layer, whose own backward is run by hand; each with its inputs and outputs."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from os.path import dirname
from types import ModuleType
from typing import Any

import numpy as np

from .arguments import function_name, parameter_name
from .copies import arrays_in, attributes, fresh
from .errors import not_differentiable
from .transforms import vjp
from .tree import flatten, tree_map
from .variable import Variable

#: The way to a value inside an object: attributes are names, keys and positions stand in a tuple of one.
Where = tuple[Any, ...]


class Failure(Exception):
    """What kept a derivative from being computed, as it is told."""


class Subject:
    """Something with inputs, outputs and derivatives that can be compared.

    Attributes:
        name: what it is called.
        names: its inputs' names, those of parameters too.
        values: its inputs' values.
        notes: what is not checked.
    """

    name: str
    names: list[str]
    values: list[Any]
    notes: list[str]

    def outputs(self, *values: Any) -> Any:
        """What comes out, without derivatives."""
        raise NotImplementedError

    def derivatives(self, douts: Any) -> list[Any]:
        """One for each input, of its form, or None.

        Raises:
            Failure: if there are none.
        """
        raise NotImplementedError


class Function(Subject):
    """A function, whose derivatives dout computes."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f, self.kwargs = f, kwargs
        self.name = function_name(f)
        self.names = [parameter_name(f, i) or f"argument {i}" for i in range(len(args))]
        self.values = list(args)
        self.notes = []
        self._pullback = told(self.name, vjp, lambda *v: f(*v, **kwargs), *args)[1]

    def outputs(self, *values: Any) -> Any:
        return self.f(*values, **self.kwargs)

    def derivatives(self, douts: Any) -> list[Any]:
        return list(told(f"the derivative of {self.name}", self._pullback, douts))


class LayerSubject(Subject):
    """A layer by hand, with the parameters whose derivatives its backward leaves."""

    def __init__(self, obj: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.name, self.kwargs, self.inputs, self.notes = type(obj).__name__, kwargs, len(args), []
        self.obj = _by_value(obj)
        try:
            known = list(inspect.signature(obj.forward).parameters.values())
        except (TypeError, ValueError):
            known = []
        self.names = [
            known[i].name if i < len(known) and known[i].kind in (0, 1) else f"input {i}" for i in range(len(args))
        ]
        self.values = list(args)
        self._where: list[Where] = []  # of the parameters
        self._written: list[Any] = []  # arrays that forward writes to
        self._find_parameters()

    def outputs(self, *values: Any) -> Any:
        return self._forward(self._copy(values), values)

    def derivatives(self, douts: Any) -> list[Any]:
        new = self._copy(self.values)
        self._forward(new, self.values)
        return self._backward(new, douts)

    def _copy(self, values: Any) -> Any:
        """The layer with these parameters, and a state of its own."""
        memo = {id(a): a.copy() for a in self._written}
        for where, v in zip(self._where, values[self.inputs :], strict=True):
            old = id(follow(self.obj, where))
            memo[old] = v.copy() if old in memo else v
        return fresh(self.obj, memo)

    def _forward(self, new: Any, values: Any) -> Any:
        out = new.forward(*tree_map(_locked, tuple(values[: self.inputs])), **self.kwargs)
        return tree_map(_plain, out)

    def _backward(self, new: Any, douts: Any) -> list[Any]:
        for where in self._where:
            _clear(new, where)
        found = told(f"{self.name}.backward", new.backward, douts)
        if found is None:
            raise Failure(f"{self.name}.backward returned None; did it forget its return?")
        found = found if isinstance(found, tuple | list) else (found,)
        if len(found) != self.inputs:
            raise Failure(
                f"{self.name}.backward returned {len(found)} derivative{'s' * (len(found) != 1)}, expected {self.inputs}, "
                "one for each input of forward; that of an attribute W is left in self.dW"
            )
        found = [*found, *(_derivative(new, where) for where in self._where)]
        for d, value, name in zip(found, self.values, self.names, strict=True):
            if not_differentiable(value) is None:
                hold(d, value, f"{self.name}.backward: the derivative of {name}")
        return [tree_map(lambda v: copy.copy(_plain(v)), d) for d in found]

    def _find_parameters(self) -> None:
        """Run it once, and see which values have a derivative afterwards, and which are used but have none."""
        arrays = {id(a): a for _, a in arrays_in(self.obj)}
        copies = {key: a.copy() for key, a in arrays.items()}
        trial = fresh(self.obj, dict(copies))
        handed = [(where, v, follow(trial, where)) for where, v in _places(self.obj)]
        out = told(f"{self.name}.forward", self._forward, trial, self.values)
        for o in flatten(out)[0]:
            if not _is_number(o):
                kind = "None; did it forget its return?" if o is None else type(o).__name__
                raise Failure(f"{self.name}.forward has to return numbers or arrays; it returned {kind}")
        self._written = [a for key, a in arrays.items() if not _equal(a, copies[key])]
        groups: dict[int, tuple[Any, list[Where]]] = {}
        for where, value, held in handed:
            with suppress(AttributeError, LookupError, TypeError):
                if follow(trial, where) is held:  # else forward put it there, as its memory
                    groups.setdefault(id(value), (value, []))[1].append(where)
        before = {}
        for _, wheres in groups.values():
            for where in wheres:
                before[where] = _derivative(trial, where)
                _clear(trial, where)
        with suppress(Exception):  # whatever is wrong will be met again, and told, when it is checked
            trial.backward(directions(out))
        for value, wheres in groups.values():
            left = [w for w in wheres if _is_left(_derivative(trial, w), before[w], value)]
            if left:
                self._where.append(left[0])
                self.names.append(said(left[0]))
                self.values.append(value)
            elif isinstance(value, np.ndarray) and self._matters(value, out):
                expected = _expected(wheres[0])
                what = "derivative of it" if expected[-1] == "d..." else said(expected)
                self.notes.append(f"{said(wheres[0])}: not checked (backward leaves no {what})")

    def _matters(self, array: Any, out: Any) -> bool:
        """Whether forward gives something else for another array."""
        memo = {id(a): a.copy() for a in self._written}
        try:
            other = self._forward(fresh(self.obj, {**memo, id(array): array * 1.25 + 0.125}), self.values)
            return not all(map(_equal, flatten(out)[0], flatten(other)[0]))
        except Exception:
            return True


def double(value: Any) -> Any:
    """Floats as float64, complex as complex128, Variables by value; in containers too."""
    return tree_map(_double_leaf, value)


def directions(out: Any, seed: int = 0) -> Any:
    """Fixed random numbers of the output's form, 0.5 to 1.5 in size, of both signs; None for what is no number."""
    rng = np.random.default_rng(seed)

    def one(v: Any) -> Any:
        if not _is_number(v):
            return None
        shape = np.shape(v)
        w = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
        return np.asarray(w, np.result_type(v, np.float64))[()] if shape else float(w)

    return tree_map(one, out)


def follow(obj: Any, where: Where) -> Any:
    """The value at a place inside an object."""
    for step in where:
        obj = obj[step[0]] if isinstance(step, tuple) else getattr(obj, step)
    return obj


def said(where: Where) -> str:
    """A place as Python would write it."""
    return "".join(f"[{s[0]!r}]" if isinstance(s, tuple) else f".{s}" for s in where).lstrip(".")


def _places(obj: Any, where: Where = (), inside: tuple[int, ...] = ()) -> Iterator[tuple[Where, Any]]:
    """The float arrays and numbers inside an object; what stands in two places is met in both."""
    if isinstance(obj, np.ndarray | np.generic | float | complex | Variable):
        if isinstance(obj, Variable) or not_differentiable(obj) is None:
            yield where, obj
    elif id(obj) not in inside and len(where) < 8:
        inside = (*inside, id(obj))
        if isinstance(obj, list | tuple):
            children: Any = (((i,), v) for i, v in enumerate(obj))
        elif isinstance(obj, dict):
            children = (((k,), v) for k, v in obj.items())
        elif isinstance(obj, type | ModuleType) or hasattr(obj, "__get__"):
            return
        else:
            children = attributes(obj)
        for step, v in children:
            yield from _places(v, (*where, step), inside)


def _by_value(obj: Any) -> Any:
    """A copy of a layer that holds float64 arrays, no Variables, and each number as an object of its own."""
    arrays = [*(a for _, a in arrays_in(obj)), *(v for _, v in _places(obj) if isinstance(v, Variable))]
    new = fresh(obj, {id(v): _double_leaf(copy.copy(_plain(v))) for v in arrays})
    for where, v in list(_places(new)):
        if isinstance(v, float | complex | np.generic) and isinstance(where[-1], str):
            with suppress(AttributeError, TypeError):
                object.__setattr__(follow(new, where[:-1]), where[-1], _double_leaf(v) * 1.0)
    return new


def _expected(where: Where) -> Where:
    """Where backward leaves the derivative: `dW` for W, `grads` for `params`."""
    if isinstance(where[-1], str):
        return (*where[:-1], f"d{where[-1]}")
    return tuple("grads" if s == "params" else s for s in where) if "params" in where else (*where[:-1], "d...")


def _derivative(obj: Any, where: Where) -> Any:
    """What stands where the derivative of a place is expected."""
    expected = _expected(where)
    if expected[-1] == "d...":
        return None
    with suppress(AttributeError, LookupError, TypeError):
        if not isinstance(where[-1], str):
            mine, theirs = follow(obj, where[:-1]), follow(obj, expected[:-1])
            if len(mine) != len(theirs) or any(np.shape(mine[k]) != np.shape(theirs[k]) for k in _keys(mine)):
                return None
        return follow(obj, expected)
    return None


def _keys(container: Any) -> Any:
    return container.keys() if isinstance(container, dict) else range(len(container))


def _clear(obj: Any, where: Where) -> None:
    """Let backward begin with zeros, as it adds to its derivatives in some layers; and an old one is none."""
    d, value = _derivative(obj, where), follow(obj, where)
    if isinstance(d, np.ndarray) and d is not value and d.shape == np.shape(value) and d.dtype.kind in "fc":
        d[...] = 0


def hold(d: Any, value: Any, what: str) -> None:
    """Refuse a derivative that is none of its input."""
    if isinstance(d, Variable):
        d = d._value
    if d is not None and not _is_number(d):
        kind = f"an array of {d.dtype}" if isinstance(d, np.ndarray) else type(d).__name__
        raise Failure(f"{what} has to be a number or an array of them, got {kind}")
    mine, its = np.shape(d), np.shape(value)
    if d is None or mine == its:
        return
    if len(its) > 1 and mine == its[::-1]:
        guess = "is it transposed?"
    elif np.size(d) == np.size(value):
        guess = "is it flattened?" if len(mine) == 1 else "it has as many entries: d.reshape(x.shape)"
    elif _broadcasts(its, mine):
        guess = "is it unsummed? Where an input was broadcast, its derivative is summed over those axes"
    elif _broadcasts(mine, its):
        guess = "is it summed over too much?"
    else:
        guess = "they have to be the same"
    raise Failure(f"{what} has shape {mine}, the input has shape {its}; {guess}")


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def told(what: str, call: Callable[..., Any], *args: Any) -> Any:
    """Call it, and tell an exception as a failure: where it was raised, which, and the user's file and line."""
    try:
        return call(*args)
    except Failure:
        raise
    except Exception as error:
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        if "read-only" in str(error) and what.endswith(".forward"):
            notes += "; forward wrote into an input, which belongs to the graph: write into x.copy()"
        raise Failure(f"{what} raised {type(error).__name__}: {error}{notes}{_line(error)}") from error


def _line(error: BaseException) -> str:
    """The last line of the user's own that an exception came through."""
    ours = tuple(dirname(module) for module in (__file__, np.__file__))
    trace, found = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((*ours, "<frozen")):
            found = f" ({file}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _double_leaf(v: Any) -> Any:
    v = _plain(v)
    if isinstance(v, np.ndarray | np.generic) and v.dtype.kind in "fc":
        return v.astype(np.complex128 if v.dtype.kind == "c" else np.float64)
    return v


def _plain(v: Any) -> Any:
    return v._value if isinstance(v, Variable) else v


def _locked(v: Any) -> Any:
    """A view that forward can't write through."""
    if isinstance(v, np.ndarray):
        v = v.view()
        v.flags.writeable = False
    return v


def _is_left(d: Any, before: Any, value: Any) -> bool:
    """Whether backward left a derivative: a new one, or an array of its input's shape, which it may have written to."""
    return _is_number(d) and (d is not before or (isinstance(d, np.ndarray) and d.shape == np.shape(value)))


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=np.result_type(a).kind in "fc")


def _is_number(v: Any) -> bool:
    if isinstance(v, np.ndarray | np.generic):
        return v.dtype.kind in "fciub"
    return isinstance(v, Variable | int | float | complex)

"""What a function depends on besides its arguments: closures, global names, defaults, attributes; and whether it changed.

A recorded run holds as long as all of that is what it was: a list of places, each with the object that was there. Arrays
are told apart from the rest, because their contents may change in place. Libraries are taken as they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from .copies import attributes
from .given import form_of
from .guards import fingerprint
from .ready import Code, same_items
from .recording import Handle
from .standins import StandIns, asks_types, held, names_of
from .witness import is_users

#: More objects than this are not looked through.
_MOST = 20_000


class _Missing:
    """Where there is nothing."""


_MISSING = _Missing()
_PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic, np.dtype, _Missing)


class _Place(NamedTuple):
    """A name that the function looks up, what was there, and how something is put there."""

    read: Callable[..., Any]
    where: tuple[Any, ...]
    found: Any
    put: Callable[[Any], None] | None


class Surroundings:
    """What a function depends on, found once.

    Attributes:
        arrays: the arrays that it holds, by id.
        problem: why a run of it can't be recorded, if it holds what changes unseen.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self.arrays: dict[int, np.ndarray] = {}
        self.problem: str | None = None
        self._places: list[_Place] = []
        self._forms: list[tuple[np.ndarray, Any]] = []
        self._mutable: list[tuple[Any, list[Any]]] = []
        self._random: list[tuple[Callable[[], Any], Callable[[Any], Any], Any]] = []
        self._copies: list[tuple[np.ndarray, np.ndarray]] | None = None
        self._seen: dict[int, Any] = {}
        self._roots = list(roots)
        self._stack: list[Any] = list(self._roots)
        while self._stack and self.problem is None:
            self._visit(self._stack.pop())
            if len(self._seen) > _MOST:
                self.problem = f"it holds more than {_MOST} objects"
        self._draws(random.getstate, random.setstate)
        self._draws(np.random.get_state, np.random.set_state)

    # Finding

    def _visit(self, obj: Any) -> None:
        if isinstance(obj, _PLAIN) or id(obj) in self._seen:
            return
        self._seen[id(obj)] = obj  # kept, so that no other object gets its id
        if isinstance(obj, np.ndarray):
            self.arrays[id(obj)] = obj
            self._forms.append((obj, form_of(obj)))
            if obj.dtype.kind not in "fciub":
                self._stack.extend(obj.flat if obj.dtype.kind == "O" else ())
        elif isinstance(obj, FunctionType):
            self._function(obj)
        elif isinstance(obj, MethodType):
            self._stack += [obj.__func__, obj.__self__]
        elif isinstance(obj, partial):
            self._stack += [obj.func, *obj.args, *obj.keywords.values()]
        elif isinstance(obj, list | tuple | set | frozenset):
            if not isinstance(obj, tuple):
                self._mutable.append((obj, list(obj)))
            self._stack.extend(obj)
            self._object(obj)
        elif isinstance(obj, dict):
            self._mutable.append((obj, [*obj.keys(), *obj.values()]))
            self._stack.extend(obj.values())
        elif isinstance(obj, np.random.Generator):
            bits = obj.bit_generator
            self._draws(lambda: bits.state, lambda state: setattr(bits, "state", state))
        elif isinstance(obj, np.random.RandomState):
            self._draws(obj.get_state, obj.set_state)
        elif isinstance(obj, random.Random):
            self._draws(obj.getstate, obj.setstate)
        elif hasattr(type(obj), "__dout_function__"):
            self._stack.append(obj.__dout_function__())
        elif isinstance(obj, Handle):
            self.problem = "it holds a Variable"
        elif isinstance(obj, type):
            self._class(obj)
        elif isinstance(obj, ModuleType | BuiltinFunctionType | np.ufunc):
            pass
        elif hasattr(obj, "__next__"):
            self.problem = f"it holds a {type(obj).__name__}, which gives another value each time"
        else:
            self._object(obj)

    def _function(self, f: FunctionType) -> None:
        users = is_users(f.__code__.co_filename)
        for cell in f.__closure__ or ():
            if users:
                self._place(_content, (cell,), partial(setattr, cell, "cell_contents"))
            else:  # libraries don't change theirs
                self._stack.append(_content(cell))
        if f.__defaults__:
            self._stack.extend(f.__defaults__)
        if f.__kwdefaults__:
            self._stack.extend(f.__kwdefaults__.values())
        wrapped = getattr(f, "__wrapped__", None)
        if wrapped is not None:
            self._stack.append(wrapped)
        if users:
            if asks_types(f.__code__):
                self.problem = (
                    f"{f.__name__} asks for type(x), or whether x is a Variable, and that is another while a run is recorded "
                    "(isinstance(x, float) is not)"
                )
            self._globals(f)

    def _globals(self, f: FunctionType) -> None:
        names, space = names_of(f.__code__), f.__globals__
        for name in names:
            value = space.get(name, _MISSING)
            if value is _MISSING:
                continue
            if isinstance(value, ModuleType):
                self._module(value, names)
                continue
            self._place(space.get, (name, _MISSING), partial(space.__setitem__, name))

    def _module(self, module: ModuleType, names: set[str]) -> None:
        if not is_users(getattr(module, "__file__", None) or "<frozen "):
            return
        if "site-packages" in (module.__file__ or "") or "dist-packages" in (module.__file__ or ""):
            return
        for name in names & vars(module).keys():
            self._place(getattr, (module, name, _MISSING), partial(setattr, module, name))

    def _class(self, kind: type) -> None:
        module = str(kind.__module__)
        if module.partition(".")[0] in ("dout", "numpy", "builtins"):
            return
        for base in kind.__mro__:
            if base.__module__.partition(".")[0] in ("dout", "numpy", "builtins"):
                continue
            for name, value in vars(base).items():
                if isinstance(value, staticmethod | classmethod):
                    value = value.__func__
                elif isinstance(value, property):
                    self._stack += [g for g in (value.fget, value.fset) if g is not None]
                    continue
                if isinstance(value, FunctionType):
                    self._stack.append(value)
                elif not name.startswith("__"):
                    self._place(getattr, (base, name, _MISSING), None)

    def _object(self, obj: Any) -> None:
        self._class(type(obj))
        own = getattr(obj, "__dict__", None)
        if isinstance(own, dict):
            self._mutable.append((own, [*own.keys(), *own.values()]))
            self._stack.extend(own.values())
        elif own is not None:
            return
        for name, _ in attributes(obj):
            if name not in (own or ()):
                self._place(getattr, (obj, name, _MISSING), partial(object.__setattr__, obj, name))

    def _draws(self, read: Callable[[], Any], put: Callable[[Any], Any]) -> None:
        self._random.append((read, put, read()))

    def _place(self, read: Callable[..., Any], where: tuple[Any, ...], put: Callable[[Any], None] | None) -> None:
        found = read(*where)
        self._places.append(_Place(read, where, found, put))
        if found is not _MISSING:
            self._stack.append(found)

    def standins(self, f: Callable[..., Any], statics: Sequence[Any]) -> StandIns:
        """What can stand in for the arrays of a function, while it is recorded.

        Args:
            f: the function.
            statics: those of its arguments that are no numbers or arrays.
        """
        others = [r for r in self._roots if r is not f and not any(r is s for s in statics)]
        return held(f, statics, lambda roots: Surroundings([*roots, *others]).arrays)

    # Holding

    def anything(self) -> bool:
        """Whether there is anything that has to be looked at before each call."""
        return bool(self._places or self._mutable or self.arrays)

    def same(self) -> bool:
        """Whether every place holds what it held, and every array has the form that it had."""
        for place in self._places:
            now = place.read(*place.where)
            if now is not place.found and not _equal(now, place.found):
                return False
        for container, before in self._mutable:
            now = [*container.keys(), *container.values()] if isinstance(container, dict) else container
            if len(now) != len(before):
                return False
            for a, b in zip(now, before, strict=True):
                if a is not b and not _equal(a, b):
                    return False
        return all(form_of(array) == form for array, form in self._forms)

    def written(self, code: Code) -> None:
        """Write the same question for the quick way of a call. What is equal but not the same object is a miss there."""
        for place in self._places:
            where = [code.name(w) for w in place.where]
            if place.read is _content:
                code.hold(f"{where[0]}.cell_contents is {code.name(place.found)}")
            else:
                code.hold(f"{code.name(place.read)}({', '.join(where)}) is {code.name(place.found)}")
        for container, before in self._mutable:
            if isinstance(container, dict):
                half = len(before) // 2
                code.hold(same_items(code, container, before[:half]))
                code.hold(same_items(code, container.values(), before[half:]))
            else:
                code.hold(same_items(code, container, before))
        for array, form in self._forms:
            name = code.name(array)
            if form is None:
                continue
            laid = f"{name}.flags.c_contiguous" if form[2] is True else f"{name}.strides == {code.name(form[2])}"
            code.hold(f"{name}.shape == {code.name(form[1])} and {name}.dtype == {code.name(array.dtype)} and {laid}")

    def drew(self) -> bool:
        """Whether random numbers were drawn since."""
        return not all(_is_same_state(read(), before) for read, _, before in self._random)

    def contents(self, without: Container[int] = ()) -> list[int]:
        """A fingerprint of each array's contents, but of those with these ids."""
        return [fingerprint(a) for i, a in self.arrays.items() if a.dtype.kind in "fciub" and i not in without]

    def remember(self) -> None:
        """Keep copies of the arrays, if they are not too large, so that a run that is broken off can be undone."""
        arrays = [a for a in self.arrays.values() if a.dtype.kind in "fciub" and a.flags.writeable]
        self._copies = [(a, a.copy()) for a in arrays] if sum(a.nbytes for a in arrays) < 1 << 28 else []

    def forget(self) -> None:
        """Let go of the copies."""
        self._copies = None

    def restore(self) -> None:
        """Put back what was held when it was remembered; for a run that was broken off."""
        for array, before_it in self._copies or ():
            if array.tobytes() != before_it.tobytes():
                array[...] = before_it
        for get, put_state, state in self._random:
            if not _is_same_state(get(), state):
                put_state(state)
        for read, where, found, put in self._places:
            if put is not None and read(*where) is not found and found is not _MISSING:
                put(found)
        for container, before in self._mutable:
            if isinstance(container, dict):
                half = len(before) // 2
                keys, values = before[:half], before[half:]
                now = [*container.keys(), *container.values()]
                if len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True)):
                    container.clear()
                    container.update(zip(keys, values, strict=True))
            elif isinstance(container, list) and (
                len(container) != len(before) or any(a is not b for a, b in zip(container, before, strict=True))
            ):
                container[:] = before


def _equal(a: Any, b: Any) -> bool:
    """Whether plain values are the same; anything else has to be the same object."""
    if type(a) is not type(b):
        return False
    if isinstance(a, MethodType):
        return a.__func__ is b.__func__ and a.__self__ is b.__self__
    return isinstance(a, _PLAIN) and repr(a) == repr(b)


def _is_same_state(a: Any, b: Any) -> bool:
    """Whether two states of a random generator are the same: containers of integers, text and arrays."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(_is_same_state(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(_is_same_state, a, b))
    return repr(a) == repr(b)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return _MISSING

"""Stand-ins for the arrays that a function holds: a copy of the function that holds something else in their place.

While a run is recorded, the arrays of closures, global names and attributes are handles like the arguments, so that plain code
that looks at them is seen, and the recording reads them at each call. The function itself isn't touched: what leads to such an
array (functions, cells, containers, objects) is copied, and everything else is shared.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from .witness import is_users

#: Names by which code tells an array from a handle.
_TELLING = {"id"}
_EMPTY = CellType()
#: With what a statement ends.
_ENDS = ("RAISE_VARARGS", "RETURN", "STORE", "POP_JUMP", "POP_TOP", "YIELD", "FOR_ITER")


class StandIns:
    """What a function holds, and how it can be copied.

    Args:
        roots: the function, and what else it is called with that is no number or array.

    Attributes:
        arrays: floating and complex arrays for which something else can stand in, by id.
    """

    def __init__(self, roots: Sequence[Any]) -> None:
        self._roots = list(roots)
        self._objects: dict[int, Any] = {}
        self._holders: dict[int, list[int]] = {}
        self.arrays: dict[int, np.ndarray] = {}
        stack = list(roots)
        while stack:
            obj = stack.pop()
            if id(obj) in self._objects:
                continue
            self._objects[id(obj)] = obj
            if type(obj) is np.ndarray:
                if obj.dtype.kind in "fc":
                    self.arrays[id(obj)] = obj
                continue
            for part in _parts(obj):
                self._holders.setdefault(id(part), []).append(id(obj))
                stack.append(part)
            if isinstance(obj, FunctionType) and is_users(obj.__code__.co_filename) and _tells(obj.__code__):
                self.arrays = {}
                return

    def without(self, kept: Mapping[int, Any]) -> None:
        """These arrays can be reached in another way too, so that nothing can stand in for them."""
        self.arrays = {i: a for i, a in self.arrays.items() if i not in kept}

    def copied(self, standins: Mapping[int, Any]) -> Copies:
        """The roots, with these in the place of the arrays with these ids."""
        marked = set(standins)
        stack = list(standins)
        while stack:
            for holder in self._holders.get(stack.pop(), ()):
                if holder not in marked:
                    marked.add(holder)
                    stack.append(holder)
        return Copies(self._roots, standins, marked)


class Copies:
    """A copy of what leads to the arrays.

    Attributes:
        roots: the copies.
    """

    def __init__(self, roots: Sequence[Any], standins: Mapping[int, Any], marked: set[int]) -> None:
        self._roots = roots
        self._made: dict[int, Any] = dict(standins)
        self._marked = marked
        self._states: list[tuple[Any, list[Any]]] = []
        self.roots = [self._copy(r) for r in roots]
        self._states = [(new, list(_contents(new))) for new in self._made.values() if not hasattr(new, "_node")]

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the copy of the first root; the copies of the others stand for them among the arguments."""
        others = {id(r): new for r, new in zip(self._roots[1:], self.roots[1:], strict=True)}
        swapped = {k: others.get(id(v), v) for k, v in kwargs.items()}
        return self.roots[0](*[others.get(id(a), a) for a in args], **swapped)

    def changed(self) -> bool:
        """Whether a copy isn't what it was made: the function changes what it holds."""
        for new, before in self._states:
            now = list(_contents(new))
            if len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True)):
                return True
        return False

    def _copy(self, obj: Any) -> Any:
        if id(obj) in self._made:
            return self._made[id(obj)]
        if id(obj) not in self._marked:
            return obj
        kind: Any = type(obj)
        new: Any
        if isinstance(obj, FunctionType):
            return self._function(obj)
        if isinstance(obj, MethodType):
            new = self._made[id(obj)] = MethodType(self._copy(obj.__func__), self._copy(obj.__self__))
        elif kind is partial:
            keywords = {k: self._copy(v) for k, v in obj.keywords.items()}
            new = self._made[id(obj)] = partial(self._copy(obj.func), *map(self._copy, obj.args), **keywords)
        elif kind is tuple:
            new = self._made[id(obj)] = tuple(map(self._copy, obj))
        elif kind is list:
            new = self._made[id(obj)] = []
            new += map(self._copy, obj)
        elif kind is dict:
            new = self._made[id(obj)] = {}
            new.update((k, self._copy(v)) for k, v in obj.items())
        elif hasattr(kind, "__dout_function__"):
            new = self._made[id(obj)] = self._copy(obj.__dout_function__())
        else:
            new = self._made[id(obj)] = object.__new__(kind)
            vars(new).update((k, self._copy(v)) for k, v in vars(obj).items())
        return new

    def _function(self, f: FunctionType) -> Any:
        cells = f.__closure__ or ()
        space = f.__globals__
        names = {name: value for name, value in _globals(f) if id(value) in self._marked}
        if names:
            space = dict(space)
        places = tuple([self._made.setdefault(id(c), CellType()) if id(c) in self._marked else c for c in cells])
        new = FunctionType(f.__code__, space, f.__name__, f.__defaults__, places or None)
        self._made[id(f)] = new  # before what is inside, which may lead back here
        new.__kwdefaults__ = f.__kwdefaults__
        new.__qualname__ = f.__qualname__
        for cell, place in zip(cells, places, strict=True):
            if place is not cell and _content(place) is _EMPTY:
                place.cell_contents = self._copy(cell.cell_contents)
        for name, value in names.items():
            space[name] = self._copy(value)
        if f.__defaults__ is not None:
            new.__defaults__ = tuple(map(self._copy, f.__defaults__))
        vars(new).update((k, self._copy(v)) for k, v in vars(f).items())
        if f.__kwdefaults__ is not None:
            new.__kwdefaults__ = {k: self._copy(v) for k, v in f.__kwdefaults__.items()}
        return new


def _parts(obj: Any) -> Iterator[Any]:
    """What an object leads to, as far as it can be copied."""
    kind = type(obj)
    if isinstance(obj, FunctionType):
        if _stores_globals(obj.__code__):
            return
        yield from obj.__closure__ or ()
        yield from obj.__defaults__ or ()
        yield from (obj.__kwdefaults__ or {}).values()
        yield from vars(obj).values()
        for _, value in _globals(obj):
            yield value
    elif isinstance(obj, CellType):
        content = _content(obj)
        if content is not _EMPTY:
            yield content
    elif isinstance(obj, MethodType):
        yield obj.__func__
        yield obj.__self__
    elif kind is partial:
        yield from (obj.func, *obj.args, *obj.keywords.values())
    elif kind is list or kind is tuple:
        yield from obj
    elif kind is dict:
        yield from obj.values()
    elif hasattr(kind, "__dout_function__"):
        yield obj.__dout_function__()
    elif _is_plain_object(obj):
        yield from vars(obj).values()


def _is_plain_object(obj: Any) -> bool:
    """Whether an object is its attributes, and nothing else."""
    kind = type(obj)
    if (
        isinstance(obj, type)
        or not hasattr(obj, "__dict__")
        or kind.__module__.partition(".")[0] in ("builtins", "numpy")
    ):
        return False
    if any("__slots__" in vars(base) for base in kind.__mro__[:-1]):
        return False
    own: Any = (kind.__new__, kind.__getattribute__, kind.__setattr__, kind.__reduce_ex__)
    return own == (object.__new__, object.__getattribute__, object.__setattr__, object.__reduce_ex__) and not any(
        name in vars(base) for base in kind.__mro__ for name in ("__getattr__", "__del__", "__next__")
    )


def _globals(f: FunctionType) -> Iterator[tuple[str, Any]]:
    """The global names that a function of the user's looks up, with what is there."""
    if is_users(f.__code__.co_filename):
        for name in sorted(names_of(f.__code__)):
            if name in f.__globals__:
                yield name, f.__globals__[name]


def _contents(new: Any) -> Iterator[Any]:
    """What a copy holds directly."""
    if isinstance(new, CellType):
        yield _content(new)
    elif type(new) is list:
        yield from new
    elif type(new) is dict:
        yield from [x for item in new.items() for x in item]
    elif not isinstance(new, FunctionType | MethodType | partial | tuple | np.ndarray) and hasattr(new, "__dict__"):
        yield from [x for item in vars(new).items() for x in item]


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return _EMPTY


def names_of(code: CodeType) -> set[str]:
    """All names that a function's code, and the functions inside it, look up."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= names_of(constant)
    return found


def _tells(code: CodeType) -> bool:
    return not _TELLING.isdisjoint(names_of(code))


#: The instructions that assign to global names.
_STORING = {dis.opmap["STORE_GLOBAL"], dis.opmap["DELETE_GLOBAL"]}


@functools.cache
def asks_types(code: CodeType) -> bool:
    """Whether code may go one way or another by `type(x)`; by that of self it may, and in an error's message.

    `isinstance` gets an answer from a value that is being recorded; `type` can't, nor `isinstance(x, Variable)`.
    """
    if {"isinstance", "Variable"} <= set(code.co_names):
        return True
    instructions = []
    if "type" in code.co_names:
        instructions = [i for i in dis.get_instructions(code) if i.opname not in ("PRECALL", "CACHE", "PUSH_NULL")]
    for k, i in enumerate(instructions):
        if i.argval == "type" and i.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            its_own = k + 1 < len(instructions) and instructions[k + 1].argval in ("self", "cls")
            end = next((x.opname for x in instructions[k:] if x.opname.startswith(_ENDS)), "")
            if not its_own and end != "RAISE_VARARGS":
                return True
    return any(asks_types(c) for c in code.co_consts if isinstance(c, CodeType))


def _stores_globals(code: CodeType) -> bool:
    """Whether a function assigns to global names: a copy would assign to its own."""
    if not _STORING.isdisjoint(code.co_code[::2]):  # every second byte is an instruction, or 0
        return True
    return any(_stores_globals(c) for c in code.co_consts if isinstance(c, CodeType))


def held(f: Callable[..., Any], statics: Sequence[Any], reached_from: Callable[[Sequence[Any]], Any]) -> StandIns:
    """The stand-ins that can be made for what a function holds: for arrays that can't be reached in any other way.

    Args:
        f: the function.
        statics: what else it is called with that is no number or array.
        reached_from: gives the arrays, by id, that functions and objects lead to.
    """
    found = StandIns([f, *statics])
    while found.arrays:
        others = {i: a.copy() for i, a in found.arrays.items()}
        reached = reached_from(found.copied(others).roots)
        left = {i: a for i, a in found.arrays.items() if i in reached}
        if not left:
            break
        found.without(left)
    return found

"""The arguments of a function that is to be differentiated: a fresh leaf for each number and array in them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from typing import Any

import numpy as np

from .errors import LOST, not_differentiable
from .graph import Leaf, RecordedLeaf, Scope, TracedLeaf, TracedNode
from .guards import SMALL, untouched
from .layout import replica
from .recorder import leaf_kind
from .recording import make, of_objects
from .tree import Rebuild, flatten, tree_map
from .variable import Variable

_scope: ContextVar[Scope | None] = ContextVar("dout_scope", default=None)


class scope:
    """That of the outermost running transform; it closes when that one ends."""

    __slots__ = ("_here", "_token")

    _here: Scope
    _token: Token[Scope | None] | None

    def __enter__(self) -> Scope:
        here = _scope.get()
        self._token = None
        if here is None:
            here = Scope()
            self._token = _scope.set(here)
        here.depth += 1
        self._here = here
        return here

    def __exit__(self, *error: Any) -> None:
        here = self._here
        here.depth -= 1
        if self._token is not None:
            here.open = here.kept
            _scope.reset(self._token)


def call(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call the user's function; arrays of objects in its result that hold Variables are joined.

    Where NumPy hid why a Variable can't be stored in a plain array, that is said.
    """
    try:
        out = f(*args, **kwargs)
    except ValueError as error:
        if error.__cause__ is not None and LOST in str(error.__cause__):
            raise error.__cause__.with_traceback(error.__traceback__) from None
        raise
    return out if isinstance(out, Variable) else tree_map(_whole, out)


def _whole(value: Any) -> Any:
    if type(value) is not np.ndarray or value.dtype.kind != "O":
        return value
    found = of_objects(value)
    return _of_numbers(value) if found is value else found


def _of_numbers(array: Any) -> Any:
    """An array of objects that are all floats now, and whole numbers among them, as the array of floats it was meant to be.

    NumPy made it of Variables, and then other values took the place of each, or nothing is left.
    """
    kinds = {type(x) for x in array.flat}
    floats = [k for k in kinds if issubclass(k, np.floating)]
    if kinds - {float, int, *floats} or kinds == {int}:
        return array
    return array.astype(np.result_type(*floats) if floats else np.float64)


#: Of an argument that is one leaf: whether it is differentiated.
_ONE = [True]


class Arguments:
    """The arguments of a call, with a fresh leaf for each number and array that is to be differentiated.

    Attributes:
        leaves: the leaf nodes.
        values: their values as they were given; Variables within another derivative.
        large: the caller's own arrays that are too large to be copied.
        args: the arguments to call the function with.
    """

    def __init__(
        self, args: Sequence[Any], positions: Sequence[int], f: Any, where: Scope, kind: type[Leaf] = Leaf
    ) -> None:
        kind = leaf_kind(kind)
        self.leaves: list[Leaf] = []
        self.values: list[Any] = []
        self.large: list[np.ndarray] = []
        self.args = list(args)
        self._rebuilds: list[tuple[Rebuild, list[bool]]] = []
        for position in positions:
            value = args[position]
            if kind is Leaf and type(value) is np.ndarray and value.dtype.kind in "fc":  # by far the most usual
                self.args[position] = self._enter(value, where, kind)
                self._rebuilds.append((next, _ONE))
                continue
            flat, rebuild = flatten(value)
            chosen = [self.accepts(v, kind) for v in flat]
            if not any(chosen):
                raise TypeError(self._refusal(args[position], position, f))
            handles = [self._enter(v, where, kind) if yes else v for v, yes in zip(flat, chosen, strict=True)]
            self.args[position] = rebuild(iter(handles))
            self._rebuilds.append((rebuild, chosen))

    @staticmethod
    def accepts(value: Any, kind: type[Leaf] = Leaf) -> bool:
        """Whether a derivative can be asked for with respect to it."""
        if kind is TracedLeaf and type(value) is int:
            return True  # the layers keep ints too; a picture shows their derivatives
        if isinstance(value, Variable) and not issubclass(kind, RecordedLeaf):
            return True
        return not_differentiable(getattr(value, "_value", value)) is None  # a recorded value may be an int

    @staticmethod
    def _refusal(argument: Any, position: int, f: Any) -> str:
        name = parameter_name(f, position)
        said = f"argument {position}{f' ({name!r})' if name else ''} of {function_name(f)}: "
        flat, _ = flatten(argument)
        if len(flat) == 1 and flat[0] is argument:
            return said + str(not_differentiable(getattr(argument, "_value", argument)))
        kind = type(argument).__name__
        return (
            said
            + f"there is no float or complex number or array in this {kind}, so no derivative (an int has none: 1.0)"
        )

    def _enter(self, value: Any, where: Scope, kind: type[Leaf]) -> Variable:
        plain, parent = value, None
        if isinstance(value, Variable):
            plain, parent = value._value, value._node
            if isinstance(parent, TracedNode | TracedLeaf):
                kind = TracedLeaf
        elif type(value) is np.ndarray:
            if value.nbytes <= SMALL:
                plain = replica(value)  # the function may write to the caller's array
            else:
                self.large.append(value)
        leaf = kind(plain, parent, where)
        self.leaves.append(leaf)
        self.values.append(plain)
        handle: Variable = make(plain, leaf)
        return handle

    def run(self, f: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
        """Call the function with the leaves in place."""
        if not self.large:
            return call(f, self.args, kwargs)
        with untouched(self.large):
            return call(f, self.args, kwargs)

    def restore(self, derivatives: Sequence[Any]) -> list[Any]:
        """Derivatives, one for each leaf, in the form of the arguments; None in the place of what has none."""
        if all([chosen is _ONE for _, chosen in self._rebuilds]):
            return list(derivatives)
        remaining = iter(derivatives)
        return [
            rebuild(iter([next(remaining) if yes else None for yes in chosen])) for rebuild, chosen in self._rebuilds
        ]


def positions_of(argnums: int | Sequence[int], args: Sequence[Any], f: Any) -> list[int]:
    """`argnums` as non-negative positions among the arguments.

    Raises:
        TypeError: if it is no int or sequence of ints.
        ValueError: if there is no such argument, or one is named twice.
    """
    if type(argnums) is int and 0 <= argnums < len(args):
        return [argnums]
    if type(argnums) is tuple and _are_positions(argnums, len(args)):
        return [*argnums]
    given = [argnums] if isinstance(argnums, int | np.integer) else list(argnums)
    found = []
    for n in given:
        if not -len(args) <= n < len(args):
            raise ValueError(
                f"argnums={argnums!r}: positional arguments given to {function_name(f)}: {len(args)}. What is to be "
                "differentiated is given by position, not by name."
            )
        found.append(int(n) % len(args))
    if len(set(found)) != len(found):
        raise ValueError(f"argnums={argnums!r} names an argument twice")
    return found


@functools.lru_cache
def _are_positions(argnums: tuple[Any, ...], many: int) -> bool:
    """Whether these are different positions among so many arguments, all counted from the first."""
    known = all(type(n) is int and 0 <= n < many for n in argnums)
    return known and len(set(argnums)) == len(argnums)


def checked_argnums(argnums: Any, f: Any) -> None:
    """Refuse at once what can't be `f` and `argnums`."""
    if not callable(f):
        raise TypeError(f"f: expected a function, got {type(f).__name__}")
    numbers = argnums if isinstance(argnums, tuple | list) else (argnums,)
    if not numbers or any(isinstance(n, bool) or not isinstance(n, int | np.integer) for n in numbers):
        raise TypeError(f"argnums: expected an int or a tuple of ints, got {argnums!r}")


def parameter_name(f: Any, position: int) -> str | None:
    """What the function calls its positional argument."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None
    if position < len(parameters) and parameters[position].kind in (0, 1):
        return parameters[position].name
    return None


def function_name(f: Callable[..., Any]) -> str:
    """What to call a function in a message."""
    return getattr(f, "__name__", type(f).__name__)


def differentiating() -> bool:
    """Whether a transform is running."""
    return _scope.get() is not None


def outermost() -> bool:
    """Whether no transform runs around this one."""
    current = _scope.get()
    return current is None or current.depth == 1


def keep_scope() -> None:
    """Let the running transforms' scope stay open: what they return is part of a computation outside."""
    current = _scope.get()
    if current is not None and outermost():  # inside another transform, what is outside is that one's, and ends with it
        current.kept = True

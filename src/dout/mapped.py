"""Variables of the run of one example, for `vmap`: as in a run that is recorded whole, everything becomes a node.

What Python looks at is noted by the mapper. Two things differ from `recorded.py`: an array of objects keeps its Variables, and
a row may be chosen by an index that depends on the example.
"""

from __future__ import annotations

from typing import Any

import numpy

from .mapper import MappedLeaf, MappedNode
from .objects import as_objects
from .recorded_calls import split
from .recorded_ops import TAKEN, gather, replace
from .recording import Handle, joined, make, record, use_for
from .variable import Variable, View
from .whole import Whole

np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable


class OfExample(Whole):
    """Beside a class of Variables: how those of one example differ from those of a recorded run."""

    __slots__ = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if np.result_type(self._value).kind in "fc":
            return as_objects(self, dtype)  # np.array([v, w]): the entries, not what they are in this example
        return super().__array__(dtype, copy)

    def __getitem__(self, key: Any) -> Any:
        if not _chooses(key):
            return super().__getitem__(key)
        template, indices = _parts(key, self)
        how = {"key": template, "shape": np.shape(self._value)}
        row = record(gather, (self, *indices), how)
        if np.ndim(row._value) and not any(np.ndim(i._value) for i in indices):
            return Row(self, indices, how, row)  # NumPy's would be a view
        return row

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(self._value) is not numpy.ndarray or not _chooses(key):
            super().__setitem__(key, value)
            return
        value = joined(value)
        given = np.result_type(value._value if isinstance(value, Handle) else value)
        if isinstance(value, Handle) and not np.can_cast(given, self._value.dtype, "same_kind"):
            raise TypeError(f"x[...] = value: cannot cast {given} to the array's {self._value.dtype}")
        template, indices = _parts(key, self)
        self._become(record(replace, (self, value, *indices), {"key": template}))


def _chooses(key: Any) -> bool:
    """Whether an index holds a number that depends on the example."""
    return any(_is_number(k) for k in (key if isinstance(key, tuple) else (key,)))


def _is_number(k: Any) -> bool:
    return isinstance(k, Handle) and np.ndim(k._value) == 0 and np.result_type(k._value).kind in "iu"


def _parts(key: Any, x: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """An index in two parts, as `recorded_calls.split` has it; numbers stay values too."""
    template: list[Any] = []
    indices: list[Any] = []
    for part in key if isinstance(key, tuple) else (key,):
        if _is_number(part):
            template.append(TAKEN)
            indices.append(part)
        else:
            some, found = split((part,), x)
            template += some[1:] if found else some
            indices += found
    return (isinstance(key, tuple), *template), indices


class Mapped(OfExample, Variable):
    """A Variable of the run of one example."""

    __slots__ = ()


class MappedView(OfExample, View):
    """A view of such a one."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return OfExample.__bool__(self)


class Row(MappedView):
    """A part of an array, chosen by an index that depends on the example; as NumPy's view, it passes writes on."""

    __slots__ = ("_indices",)

    def __init__(self, parent: Any, indices: list[Any], how: dict[str, Any], row: Any) -> None:
        super().__init__(parent, gather, how, parent._value, row._value, row._node)
        self._indices = indices

    def _look(self) -> None:
        if self._parent._value is not self._seen:
            now = record(gather, (self._parent, *self._indices), self._how)
            self._own_value, self._own_node, self._seen = now._value, now._node, self._parent._value

    def _become(self, new: Any) -> None:
        where = {"key": self._how["key"]}
        self._parent._become(record(replace, (self._parent, new, *self._indices), where))


use_for((MappedNode, MappedLeaf), Mapped, MappedView)


def lifted(x: Any) -> Any:
    """A Variable from outside as one of the example's run, so that it can be compared with those and indexed by them."""
    if not isinstance(x, Variable) or isinstance(x, Whole):
        return x
    return make(x._value, MappedLeaf(x._value, x._node, None))

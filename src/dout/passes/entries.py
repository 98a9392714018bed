"""Statements of reading, writing and adding at indices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..graph import Primitive
from .indices import index_of
from .owned import Region, overlap
from .places import EVEN, Place, even, gathered, largest, own, read, selected, viewed
from .plan import Read
from .program import Value
from .writing import Unwritten, Writing

#: What a write through a mask is, entry by entry. No derivative is taken of it any more.
_CHOICE = Primitive("where", np.where, elementwise=True, flat=True)


def index_place(w: Writing, array: np.ndarray) -> Place:
    """Where an array of integers lies that stands in an index; those that are evenly spaced need no memory."""
    return even(array) or w.places[w.fresh(array.shape, array.dtype, array)]


def gather(w: Writing, i: int, key: Sequence[Any], indices: Sequence[Place]) -> None:
    """What an index with arrays of integers reads."""
    value = w.values[i]
    base = w.place(value.args[0])
    chosen = _chosen(key, indices, base)
    if chosen.shape != value.shape:
        raise Unwritten
    live = [axis for axis, n in enumerate(value.shape) if n > 1]
    w.places[i] = own(i, value.shape)
    extents = tuple([value.shape[a] for a in live])
    entry = gathered(base, chosen, indices, live)
    w.add("copy", i, extents, (entry,), read(w.places[i], value.shape, live))


def gather_computed(w: Writing, i: int, value: Value) -> None:
    """What an index reads, some parts of which were computed."""
    index = index_of(value.params["key"], value.args[1:], w.values)
    if index is None:
        raise Unwritten
    gather(w, i, index.key, [computed(w, a) for a in index.arrays])


def computed(w: Writing, a: Any) -> Place:
    """Where computed integers lie, or constant ones."""
    return index_place(w, a) if isinstance(a, np.ndarray) else w.place(a)


class Target(NamedTuple):
    """The entries that are written.

    Attributes:
        shape: as what is written has to broadcast to.
        live: its axes with more than one place.
        write: where they lie.
        part: the same, if nothing of it is computed.
    """

    shape: tuple[int, ...]
    live: list[int]
    write: Read
    part: Place | None


_Find = Callable[[Place], Target]


def scatter(w: Writing, i: int, value: Value) -> None:
    """Zeros, with dout added where the index reads."""
    put(w, i, _at(w, value.params["key"], value.args[1:]), value.args[0], None, "add")


def add_at(w: Writing, i: int) -> bool:
    """A sum of an array and a scatter, as additions in place; says whether it is one."""
    total, made = w.order.sums[i]
    value = w.values[made]
    try:
        source = w.place(value.args[0])
        small = 4 * math.prod(source.shape) <= math.prod(value.shape)
        if not small and i not in w.order.goes_on and w.overwritable(total) is None:
            return False
        put(w, i, _at(w, value.params["key"], value.args[1:]), value.args[0], total, "add")
    except Unwritten:
        return False
    return True


def put(w: Writing, i: int, find: _Find, source: int, base: int | None, how: str) -> None:
    """An array, or zeros, to some places of which something is added or written: in place, if nobody needs what was there.

    Args:
        w: where to.
        i: the number of the value.
        find: gives the entries that are written.
        source: the value that is added or written.
        base: the value of the array, or None for zeros.
        how: "add" or "copy".
    """
    shape = w.values[i].shape
    before = None if base is None else w.place(base)
    here = None if base is None else w.overwritable(base)
    to = own(i, shape) if here is None else here
    target = find(to)
    given, number = source_of(w, source)
    given = _fitting(given, target.shape)
    whole = target.part is not None and math.prod(target.shape) == math.prod(shape)
    if how == "copy" and given is not None and w.values[source].dtype == w.values[i].dtype:
        same = _same(w, before, given, find, whole)
        if same is not None:
            w.places[i] = same
            return
    if here is not None and base is not None:
        w.make_way(base)
        given = _apart(w, source, target, to)
        w.owned.overwrite(to.buffer)
    else:
        w.owned.make(i)
        if not whole or (how == "add" and base is not None):
            w.copy(i, to, before, 0)
        if base is not None:
            w.owned.unclean(i, _region(own(i, shape)))
    w.places[i] = to
    extents = tuple([target.shape[a] for a in target.live])
    if not math.prod(target.shape):
        return
    if base is None and target.part is not None:
        how = "copy"
    if how == "copy":
        if given is not None or (number == 0 and np.signbit(number)):
            w.owned.unclean(to.buffer, Region(extents, target.write))
    else:
        for region in w.owned.clean(to.buffer):
            w.add("add", to.buffer, region.extents, (), region.write, number=0.0)
    entries = () if given is None else (read(given, target.shape, target.live),)
    w.add(how, to.buffer, extents, entries, target.write, number=number)


def _same(w: Writing, before: Place | None, given: Place, find: _Find, whole: bool) -> Place | None:
    """Where the array lies after a write that changes nothing, or that leaves nothing of what was there."""
    if given.buffer in w.outside or before is None:
        return None
    if before.buffer == given.buffer and find(before).part == given:
        return before
    whole = whole and given.shape == before.shape and given.is_contiguous()
    return given if whole and find(given).part == given else None


def _apart(w: Writing, source: int, target: Target, to: Place) -> Place | None:
    """What is written, copied if it lies where it is written to."""
    given = _fitting(source_of(w, source)[0], target.shape)
    if given is None or not overlap(given, to if target.part is None else target.part):
        return given
    room = w.fresh(given.shape or (1,), w.values[to.buffer].dtype)  # without a shape it would be a constant number
    copied = own(room, given.shape)
    w.copy(room, copied, given)
    return copied


def _region(place: Place) -> Region:
    live = [axis for axis, n in enumerate(place.shape) if n > 1]
    return Region(tuple([place.shape[a] for a in live]), read(place, place.shape, live))


def _at(w: Writing, key: Any, computed_parts: Sequence[int]) -> _Find:
    """The entries that an index names."""
    index = index_of(key, computed_parts, w.values)
    if index is None:
        raise Unwritten
    if not index.arrays:
        basic = index.key if any(k is Ellipsis for k in index.key) else (*index.key, Ellipsis)
        return _through(lambda x: x[basic])
    indices = [computed(w, a) for a in index.arrays]

    def find(to: Place) -> Target:
        chosen = _chosen(index.key, indices, to)
        live = [axis for axis, n in enumerate(chosen.shape) if n > 1]
        return Target(chosen.shape, live, gathered(to, chosen, indices, live), None)

    return find


def _through(view: Callable[[np.ndarray], Any]) -> _Find:
    """The entries that a view sees."""

    def find(to: Place) -> Target:
        part = viewed(to, view)
        if part is None:
            raise Unwritten
        live = [axis for axis, n in enumerate(part.shape) if n > 1]
        return Target(part.shape, live, read(part, part.shape, live), part)

    return find


def source_of(w: Writing, a: int) -> tuple[Place | None, Any]:
    """Where what is written lies, or the number that it is."""
    value = w.values[a]
    if value.is_constant() and not value.shape and isinstance(value.constant, int | float | np.number):
        return None, value.constant
    return w.place(a), None


def replace(w: Writing, i: int, value: Value) -> None:
    """`x[i] = v` at an index with computed parts."""
    if "flat" in value.params:
        raise Unwritten
    if _masked(w, i, value):
        return
    put(w, i, _at(w, value.params["key"], value.args[2:]), value.args[1], value.args[0], "copy")


def _masked(w: Writing, i: int, value: Value) -> bool:
    """`x[x > 0] = v` with one number for all, or one row, as a choice for each entry; says whether it is one."""
    key = value.params["key"]
    if len(value.args) != 3 or len(key) != 2 or w.values[value.args[2]].dtype != np.dtype(bool):
        return False
    base, source, a = value.args
    mask, shape = w.place(a), value.shape
    rest = len(shape) - len(mask.shape)
    given = source_of(w, source)[0]
    if not mask.shape:
        return False
    known = given is None or (len(given.shape) <= rest and w.values[source].dtype in w.kinds)
    if not known or mask.shape != shape[: len(mask.shape)] or value.dtype == np.dtype(bool):
        return False
    chosen = Place(mask.buffer, mask.offset, (*mask.shape, *[1] * rest), (*mask.strides, *[0] * rest))
    live = [axis for axis, n in enumerate(shape) if n > 1]
    reads = (read(chosen, shape, live), w.operand(source, shape, live), w.operand(base, shape, live))
    made = w.made(_CHOICE, (a, source, base), shape, value.dtype)
    to = w.places[i] = own(made, shape)
    w.add("map", made, tuple([shape[axis] for axis in live]), reads, read(to, shape, live))
    return True


def overwrite(w: Writing, i: int, value: Value) -> None:
    """`x[i] = v`, or a write through another view."""
    through, how = value.params["through"], value.params["how"]
    find = _at(w, how["key"], ()) if through.name == "getitem" else _through(lambda x: through.forward(x, **how))
    put(w, i, find, value.args[1], value.args[0], "copy")


def _chosen(key: Sequence[Any], indices: Sequence[Place], base: Place) -> Any:
    chosen = selected(key, [p.shape for p in indices], base)
    if chosen is None or any(indices[k].buffer == EVEN and largest(indices[k]) >= n for k, n, _ in chosen.arrays):
        raise Unwritten
    return chosen


def _fitting(given: Place | None, shape: tuple[int, ...]) -> Place | None:
    """What is written, with axes of one place in front taken off, as NumPy does."""
    if given is None:
        return None
    front = len(given.shape) - len(shape)
    if front <= 0:
        return given
    if any(n != 1 for n in given.shape[:front]):
        raise Unwritten
    return Place(given.buffer, given.offset, given.shape[front:], given.strides[front:])

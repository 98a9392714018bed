"""Batching rules of reading, writing and adding at an index.

NumPy puts the axes of index arrays where those stand if they are neighbours, and first if they are not. A batch adds an
axis, and may add an index array for it, so that neighbours may no longer be neighbours. `Place` says where the axes are, and
where they should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from ..graph import Primitive, ndim_of, shape_of
from ..recorded_ops import REPLACE_FLAT, TAKEN, gather, replace, scatter_add
from ..rules.indexing import getitem, is_basic, scatter
from .registry import PARAMS, Batch, NoRule, Operand, batching

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too
Params = Mapping[str, Any]


class Place:
    """An index into one example, made one into the whole batch.

    Attributes:
        key: the index; what is given apart stands in it as `TAKEN`.
        indices: that.
        width: how many axes the index arrays have together, for one example.
        first: where these begin in the result for one example.
        now: where these begin in what NumPy gives for the batch.
        batch_at: where NumPy puts the batch's axis.
    """

    def __init__(self, n: int, key: Any, indices: Sequence[Operand], ndim: int, whole: bool) -> None:
        """`whole`: what is read or written to has a batch axis itself."""
        remaining = iter(indices)
        parts = [next(remaining) if p is TAKEN else p for p in _expanded(key, ndim)]
        given = [p for p in parts if isinstance(p, Operand)]
        several = any(p.batched for p in given)
        self.width = max((p.ndim if isinstance(p, Operand) else np.ndim(p) for p in parts if _is_index(p)), default=0)
        self.first = _begin(parts) if self.width else 0
        self.indices = [p.lined(self.width) for p in given]
        self.key = tuple([TAKEN if isinstance(p, Operand) else p for p in parts])
        if whole:
            counting = np.arange(n).reshape((n, *(1,) * self.width))
            self.key = (counting if several else slice(None), *self.key)
        if not several and not self.width:  # a basic index
            self.batch_at, self.now = 0, 1
            return
        self.now = _begin(self.key)
        if several:
            self.batch_at, self.now = self.now, self.now + 1
        else:
            self.batch_at = 0 if self.now else self.width

    def ordered(self, value: Any) -> Any:
        """What NumPy read, with the batch's axis first and the others as for one example."""
        return np.transpose(value, self._order(ndim_of(value))) if ndim_of(value) else value

    def reversed(self, value: Any) -> Any:
        """The other way round: what is to be written or added, with axes as NumPy expects them."""
        order = self._order(ndim_of(value))
        back = [0] * len(order)
        for i, axis in enumerate(order):
            back[axis] = i
        return np.transpose(value, tuple(back))

    def _order(self, ndim: int) -> tuple[int, ...]:
        mine = list(range(self.now, self.now + self.width))
        rest = [i for i in range(ndim) if i != self.batch_at and i not in mine]
        return (self.batch_at, *rest[: self.first], *mine, *rest[self.first :])


def _is_index(p: Any) -> bool:
    """Whether a part of an index is a number or an array of them, known or given apart."""
    return isinstance(p, Operand | int | np.integer | numpy.ndarray) or p is TAKEN


def _begin(parts: Sequence[Any]) -> int:
    """Where NumPy puts the axes of index arrays: in their place if they are neighbours, else first."""
    at = [i for i, p in enumerate(parts) if _is_index(p)]
    return at[0] if at[-1] - at[0] + 1 == len(at) else 0


def _expanded(key: Any, ndim: int) -> list[Any]:
    """The parts of an index with `...` written out, and fixed masks as the places where they are true."""
    found: list[Any] = []
    for p in key if isinstance(key, tuple) else (key,):
        if isinstance(p, bool | np.bool_) or (isinstance(p, numpy.ndarray) and p.dtype == bool and not p.ndim):
            raise NoRule
        if isinstance(p, numpy.ndarray) and p.dtype == bool:
            found += p.nonzero()
        else:
            found.append(int(p) if isinstance(p, numpy.ndarray) and not p.ndim else p)
    used = sum(p is not None and p is not Ellipsis for p in found)
    dots = [i for i, p in enumerate(found) if p is Ellipsis]
    at = dots[0] if dots else len(found)
    found[at : at + len(dots)] = [slice(None)] * (ndim - used)
    return found


def _read_ndim(key: Any, ndim: int, place: Place) -> int:
    """How many axes an index reads of one example."""
    return place.width + sum(not _is_index(p) for p in _expanded(key, ndim))


def _aligned(place: Place, value: Operand, ndim: int, n: int) -> Any:
    """What is written, with as many axes as the index reads, as NumPy expects them."""
    if not value.batched and not value.ndim:
        return value.value
    return place.reversed(Operand(value.spread(n), True).lined(ndim))


def _key_of(key: Any) -> Any:
    """The index as NumPy has it, of one that says first whether it was a tuple."""
    return tuple(key[1:])


@batching(getitem)
def _getitem(op: Primitive, batch: Batch, params: Params, x: Operand) -> Any:
    key, shape = params["key"], params["shape"]
    if is_basic(key):
        return getitem(x.value, **_within(batch.n, params))
    place = Place(batch.n, key, (), len(shape), True)
    return place.ordered(getitem(x.value, key=place.key, shape=(batch.n, *shape)))


def _within(n: int, params: Params) -> dict[str, Any]:
    """A basic index, or one whose arrays stand first, into every example."""
    key, shape = params["key"], params["shape"]
    if not is_basic(key):
        place = Place(n, key, (), len(shape), True)
        if (place.batch_at, place.now) != (0, place.first + 1):
            raise NoRule
        return {"key": place.key, "shape": (n, *shape)}
    return {"key": (slice(None), *(key if isinstance(key, tuple) else (key,))), "shape": (n, *shape)}


PARAMS[getitem] = _within


@batching(scatter)
def _scatter(op: Primitive, batch: Batch, params: Params, dout: Operand) -> Any:
    key, shape = params["key"], params["shape"]
    if is_basic(key):
        ndim = ndim_of(np.broadcast_to(np.int8(0), shape)[key])
        return scatter(dout.lined(ndim), **_within(batch.n, params))
    place = Place(batch.n, key, (), len(shape), True)
    read = _aligned(place, dout, _read_ndim(key, len(shape), place), batch.n)
    return scatter(read, key=place.key, shape=(batch.n, *shape))


@batching(gather)
def _gather(op: Primitive, batch: Batch, params: Params, x: Operand, *indices: Operand) -> Any:
    place = Place(batch.n, _key_of(params["key"]), _integers(indices), x.ndim, x.batched)
    return place.ordered(gather(x.value, *place.indices, key=(True, *place.key), shape=shape_of(x.value)))


@batching(scatter_add)
def _scatter_add(op: Primitive, batch: Batch, params: Params, dout: Operand, *indices: Operand) -> Any:
    key, shape = _key_of(params["key"]), params["shape"]
    place = Place(batch.n, key, _integers(indices), len(shape), True)
    read = _aligned(place, dout, _read_ndim(key, len(shape), place), batch.n)
    return scatter_add(read, *place.indices, key=(True, *place.key), shape=(batch.n, *shape))


@batching(replace, REPLACE_FLAT)
def _replace(op: Primitive, batch: Batch, params: Params, base: Operand, value: Operand, *indices: Operand) -> Any:
    key = _key_of(params["key"])
    masks = [i for i in indices if np.result_type(_plain(i)).kind == "b"]
    if masks:  # one value wherever the mask says
        if len(indices) > 1 or key != (TAKEN,) or value.ndim:
            raise NoRule
        mask = masks[0].spread(batch.n)
        mask = np.reshape(mask, (*shape_of(mask), *(1,) * (base.ndim - masks[0].ndim)))
        if np.result_type(np.result_type(_plain(base)), _plain(value)) != np.result_type(_plain(base)):
            raise NoRule
        return np.where(mask, value.lined(base.ndim), base.spread(batch.n))
    place = Place(batch.n, key, _integers(indices), base.ndim, True)
    written = _aligned(place, value, _read_ndim(key, base.ndim, place), batch.n)
    target = base.value if base.batched else np.copy(base.spread(batch.n))
    return op(target, written, *place.indices, key=(True, *place.key))


def _plain(x: Operand) -> Any:
    return getattr(x.value, "_value", x.value)


def _integers(indices: Sequence[Operand]) -> Sequence[Operand]:
    if any(np.result_type(_plain(i)).kind == "b" for i in indices):
        raise NoRule
    return indices

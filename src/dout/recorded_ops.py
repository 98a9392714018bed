"""Operations that only runs have which are recorded whole: what carries no derivative, and indices that are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from .graph import Primitive
from .recorder import RECORDER, leaf_kind
from .recording import make
from .tree import Rebuild

np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable

_flat_ops: dict[Any, Primitive] = {}


def flat_op(function: Callable[..., Any], name: str = "") -> Primitive:
    """The primitive of a function that no derivative passes through."""
    found = _flat_ops.get(function)
    if found is None:
        name = name or getattr(function, "__name__", str(function))
        found = _flat_ops[function] = Primitive(name, function, joint=_none, flat=True)
    return found


def _none(_dout: Any, _out: Any, *args: Any, **_params: Any) -> tuple[None, ...]:
    return (None,) * len(args)


def _call(*values: Any, function: Callable[..., Any], rebuild: Rebuild, places: tuple[Any, ...]) -> Any:
    """A function of NumPy's, with the recorded values among its arguments where they were."""
    remaining = iter(values)
    args, kwargs = rebuild(iter([next(remaining) if p is None else p[0] for p in places]))
    return function(*args, **kwargs)


#: What is in no table: NumPy's own function, called as it was.
CALL = Primitive("call", _call, joint=_none, flat=True)
STOP = Primitive("stop", lambda x: x, joint=_none, flat=True)
SHAPES = Primitive("shapes", lambda x: tuple(map(np.shape, x)) if isinstance(x, tuple | list) else np.shape(x),
                   joint=_none, flat=True)  # fmt: skip
TRUTH = Primitive("bool", bool, joint=_none, flat=True)
INT = Primitive("int", int, joint=_none, flat=True)


def _at(key: tuple[Any, ...], indices: Sequence[Any]) -> Any:
    """An index with the recorded parts in their places."""
    remaining = iter(indices)
    whole = tuple([next(remaining) if k is TAKEN else k for k in key[1:]])
    return whole if key[0] else whole[0]


class Taken:
    """Stands in an index for a part that is an input of the operation."""

    def __repr__(self) -> str:
        return "·"


TAKEN = Taken()


def _gather(x: Any, *indices: Any, key: Any, shape: Any) -> Any:
    return np.copy(x[_at(key, indices)])[()]


def _put(dout: Any, *indices: Any, key: Any, shape: Any) -> Any:
    buffer = np.zeros(shape, np.result_type(dout))
    np.add.at(buffer, _at(key, indices), dout)
    return buffer


def _replace(base: Any, value: Any, *indices: Any, key: Any) -> Any:
    out = np.array(base)
    out[_at(key, indices)] = value
    return out


def _d_replace(dout: Any, _out: Any, base: Any, value: Any, *indices: Any, key: Any) -> tuple[Any, ...]:
    """The base's entries that stayed, and what the value's entries became; 0 for those that were overwritten after."""
    places: Any = np.arange(np.size(base)).reshape(np.shape(base))
    here = gather(constant(places), *indices, key=key, shape=places.shape)
    order = np.arange(np.size(here)).reshape(np.shape(here))
    last = REPLACE_FLAT(constant(np.zeros(np.size(base), int)), order, here, key=(False, TAKEN))
    stays = gather(last, here, key=(False, TAKEN), shape=np.shape(last)) == order
    read = np.where(stays, gather(dout, *indices, key=key, shape=np.shape(dout)), 0)
    return replace(dout, 0, *indices, key=key), read, *([None] * len(indices))


def _nones(n: int) -> list[None]:
    return [None] * n


#: Reading, adding and writing at an index that was computed in the run.
gather: Primitive = Primitive(
    "gather",
    _gather,
    joint=lambda dout, _out, _x, *indices, key, shape: (
        scatter_add(dout, *indices, key=key, shape=shape),
        *_nones(len(indices)),
    ),
    chooses=lambda params: params["key"][0] is False,  # an array alone, as for getitem
)
scatter_add: Primitive = Primitive(
    "scatter_add",
    _put,
    joint=lambda dout, _out, _x, *indices, key, shape: (
        gather(dout, *indices, key=key, shape=shape),
        *_nones(len(indices)),
    ),
)
replace = Primitive("replace", _replace, joint=_d_replace)
REPLACE_FLAT = Primitive("replace", _replace, joint=_none, flat=True)


def constant(value: Any) -> Any:
    """A value made in the run, as a part of it, which may be written to."""
    if RECORDER.get() is None:
        return value
    leaf: Any = leaf_kind()(value, None, None)
    leaf.live = frozenset()
    return make(value, leaf)

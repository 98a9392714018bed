"""A program as statements over memory, products and calls, in order, before anything is fused: who writes which operation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import entries, moves, sums
from .calls import called
from .entries import gather, index_place
from .indices import index_of
from .one_hot import one_in_each_row
from .places import own, read, viewed
from .program import Program, Value
from .sums import einsum, matmul
from .writing import Kind, Unwritten, Writing


def _scatter(w: Writing, i: int, value: Value) -> None:
    if not one_in_each_row(w, i, value):
        entries.scatter(w, i, value)


_WRITERS: dict[str, Callable[[Writing, int, Value], None]] = {
    "concatenate": moves.join,
    "stacked": moves.stack,
    "entry": moves.entry,
    "packed": moves.packed,
    "repeat": moves.repeat,
    "cumsum": sums.scan,
    "cumprod": sums.scan,
    "scatter": _scatter,
    "scatter_add": _scatter,
    "gather": entries.gather_computed,
    "write": entries.overwrite,
    "replace": entries.replace,
}


def statements(program: Program, kind: Kind, kinds: Any, products: bool = True) -> Writing:
    """A program's statements.

    Args:
        program: what is to be computed.
        kind: says of a value how it is computed.
        kinds: the dtypes that there is code for.
        products: whether BLAS is there.
    """

    def write(w: Writing, i: int, value: Value) -> None:
        assert value.op is not None
        name = value.op.name
        if isinstance(value.shape, list) or math.prod(value.shape) == 0:
            raise Unwritten
        if value.dtype not in kinds:
            raise Unwritten
        if name == "call":
            called(w, i, value)
        elif name == "einsum" and len(value.args) > 1:
            einsum(w, i, value, products)
        elif value.op.view or name == "copy":
            _view(w, i, value)
        elif value.array and not value.shape and name != "where":
            raise Unwritten  # few other operations make an array without axes; NumPy knows which
        elif name == "matmul":
            matmul(w, i, value, products)
        elif name in _WRITERS:
            _WRITERS[name](w, i, value)
        elif (how := kind(w.program, i)) == "map":
            _map(w, i, value)
        elif how == "reduce":
            sums.reduced_value(w, i, value)
        else:
            raise Unwritten

    return Writing(program, write, entries.add_at, kind, kinds)


def _map(w: Writing, i: int, value: Value) -> None:
    shape = value.shape
    live = [axis for axis, n in enumerate(shape) if n > 1]
    reads = tuple([w.operand(a, shape, live) for a in value.args])
    w.places[i] = own(i, shape)
    w.add("map", i, tuple([shape[a] for a in live]), reads, read(w.places[i], shape, live))


def _view(w: Writing, i: int, value: Value) -> None:
    assert value.op is not None
    name, params = value.op.name, value.params
    base = w.place(value.args[0])
    if w.values[value.args[0]].dtype != value.dtype:
        raise Unwritten
    if name == "copy":
        w.places[i] = base
        if base.buffer in w.outside or not base.is_contiguous():
            w.places[i] = own(i, value.shape)
            w.copy(i, w.places[i], base)
        return
    if name == "getitem":
        index = index_of(params["key"], (), ())
        if index is None:
            raise Unwritten
        if index.arrays:
            gather(w, i, index.key, [index_place(w, a) for a in index.arrays])
            return
        key = index.key if any(k is Ellipsis for k in index.key) else (*index.key, Ellipsis)
        found = viewed(base, lambda x: x[key])
    else:
        forward = value.op.forward
        found = viewed(base, lambda x: forward(x, **params))
    if found is None and name == "reshape" and params["order"] == "C":
        room = w.fresh(base.shape, value.dtype)
        w.copy(room, w.places[room], base)
        found = own(room, value.shape)
    if found is None or found.shape != value.shape:
        raise Unwritten
    w.places[i] = found

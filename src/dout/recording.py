"""Recording: how an operation on Variables is run on their values and becomes a node.

`binary` and `unary` are the fast way, for elementwise operations on the common types; `record` is the general one, and
says the same in fewer words. `Handle` is what recording needs to know of a Variable; the classes themselves stand above, in
`variable.py`, and are told to this file by `use`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .graph import (
    IDENTITY,
    NO_PARAMS,
    Leaf,
    Node,
    Primitive,
    RecordedLeaf,
    RecordedNode,
    TracedLeaf,
    TracedNode,
    form,
    next_serial,
)
from .guards import SMALL, fingerprint, hold
from .mapper import MappedLeaf, MappedNode, mapped_node
from .recorder import RECORDER
from .witness import here

_new = object.__new__

#: Types of constants that the fast way takes, besides arrays of numbers.
_COMMON = frozenset((float, int, np.float64, np.float32))
#: Types of inputs that may hold Variables.
_TO_JOIN = frozenset((list, tuple, ndarray))
#: Primitives as Python's operators run them.
_OPERATORS: dict[Primitive, Primitive] = {}
_ONE = (True,)
# Spelled out once: a union of types in an isinstance is made anew at each call.
_RECORDED = (RecordedNode, RecordedLeaf)
_TRACED = (TracedNode, TracedLeaf)
_SEVERAL = (list, tuple)
#: Nodes of runs of one example, for `vmap`.
_MAPPED = frozenset((MappedNode, MappedLeaf))
_NOT_LIVE: frozenset[Any] = frozenset()


class Handle:
    """A value, the node that made it (None for a constant), and the leaf if the user made it."""

    __slots__ = ("_leaf", "_node", "_value")

    _value: Any
    _node: Node | None
    _leaf: Leaf


#: The class of common handles, and of those that see a part.
_Common: Any = Handle
_View: Any = Handle
#: Both for other kinds of nodes: those that remember every value, and those of runs that are recorded whole.
_Others: dict[type | None, tuple[Any, Any]] = {}


class MeetsExample(TypeError):
    """Raised where the value of one example of many would be taken for that of all."""


def use(
    common: type[Handle], view: Callable[..., Handle], traced: type[Handle], traced_view: Callable[..., Handle]
) -> None:
    """Say which classes recording makes its handles of."""
    global _Common, _View
    _Common, _View = common, view
    use_for((TracedNode, TracedLeaf), traced, traced_view)


def use_for(nodes: tuple[type[Node], ...], handle: type[Handle], view: Callable[..., Handle]) -> None:
    """Say which classes the handles of other kinds of nodes are."""
    for kind in nodes:
        _Others[kind] = handle, view


def kind_of(node: Node | None) -> Any:
    """The class of a node's handles."""
    other = _Others.get(type(node))
    return _Common if other is None else other[0]


def view_of(node: Node | None) -> Any:
    """The class of a node's handles that see a part."""
    other = _Others.get(type(node))
    return _View if other is None else other[1]


def make(value: Any, node: Node | None) -> Any:
    """A handle for a value that a node made, or with None for a constant one."""
    other = _Others.get(type(node))
    v = _new(_Common if other is None else other[0])
    v._value = value
    v._node = node
    return v


def record(op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """Run an operation on the values of its inputs, and record it if one of them is tracked."""
    if len(args) == 1:
        (x,) = args
        kind = type(x)
        if kind is _View:
            x._look()  # which may make it one of another kind
            kind = type(x)
        if kind is _Common or kind is _View:
            return _record_one(op, x, params)
    args = tuple([joined(a) if type(a) in _TO_JOIN else a for a in args])
    values = [a._value if isinstance(a, Handle) else a for a in args]
    for value in values:
        if type(value) is not ndarray and isinstance(value, ndarray):
            _hold_plain(value)
    out = op.forward(*values, **params)
    parents = tuple([a._node if isinstance(a, Handle) else None for a in args])
    tracked = tuple([p is not None for p in parents])
    node = None
    if True in tracked:
        node = _node(op, parents, tracked, values, out, params)
    if op.view and type(out) is ndarray and type(values[0]) is ndarray and out.base is not None:
        base = values[0].base
        if out.base is values[0] or (base is not None and out.base is base):
            return view_of(node)(args[0], op, params, values[0], out, node)
    return make(out, node)


def _record_one(op: Primitive, x: Any, params: Mapping[str, Any]) -> Any:
    """`record` for one input, of a common kind."""
    value, parent = x._value, x._node
    if type(value) is not ndarray and isinstance(value, ndarray):
        _hold_plain(value)
    out = op.forward(value, **params)
    node = None
    if parent is not None:
        (keep,), keep_out = op.keeps(_ONE)
        node = Node()
        node.op = op
        node.parents = (parent,)
        node.args = (value if keep else None,)
        node.out = out if keep_out else None
        node.params = params
        if type(out) is ndarray:
            node.shape, node.dtype = out.shape, out.dtype
        else:
            node.shape, node.dtype = form(out)
        node.guards = None
        node.serial = next_serial()
    if op.view and type(out) is ndarray and type(value) is ndarray:
        memory = out.base
        if memory is value or (memory is not None and memory is value.base):
            return _View(x, op, params, value, out, node)
    v = _new(_Common)
    v._value = out
    v._node = node
    return v


def _node(
    op: Primitive, parents: tuple[Node | None, ...], tracked: tuple[bool, ...], values: list[Any], out: Any, params: Any
) -> Node:
    keep_args, keep_out = op.keeps(tracked)
    guards: tuple[tuple[int, int], ...] | None = None
    kept = []
    for i, (value, keep, known) in enumerate(zip(values, keep_args, tracked, strict=True)):
        if keep and not known:
            value, digest = hold(value)
            if digest is not None:
                guards = (*(guards or ()), (i, digest))
        kept.append(value if keep else None)
    rest = tuple(kept), out if keep_out else None, params, form(out), guards
    if not _MAPPED.isdisjoint(map(type, parents)):
        one_of_many: Node = mapped_node(op, parents, values, params, out).fill(op, parents, *rest)
        return one_of_many
    recorder = RECORDER.get()
    if recorder is not None and any(isinstance(p, _RECORDED) for p in parents):
        if not all(p is None or isinstance(p, _RECORDED) for p in parents):
            recorder.fail("it uses a Variable from outside")
        recorded = RecordedNode()
        recorded.number = recorder.made(op, parents, values, params, out)
        recorded.live = _NOT_LIVE if op.flat else _NOT_LIVE.union(*[getattr(p, "live", ()) for p in parents])
        whole: Node = recorded.fill(op, parents, *rest)
        return whole
    if any(isinstance(p, _TRACED) for p in parents):
        traced = TracedNode()
        traced.value, traced.given, traced.place = out, tuple(values), here()
        node: Node = traced.fill(op, parents, *rest)
        return node
    node = Node().fill(op, parents, *rest)
    return node


def unary(op: Primitive, run: Callable[..., Any], x: Any) -> Any:
    """`record` for one input, in a hurry."""
    if type(x) is not _Common:
        return record(_running(op, run), (x,), NO_PARAMS)
    value, parent = x._value, x._node
    out = run(value)
    v = _new(_Common)
    v._value = out
    if parent is None:
        v._node = None
        return v
    keep, keep_out = op.only
    v._node = node = Node()
    node.op = op
    node.parents = (parent,)
    node.args = (value if keep else None,)
    node.out = out if keep_out else None
    node.params = NO_PARAMS
    if type(out) is ndarray:
        node.shape, node.dtype = out.shape, out.dtype
    else:
        node.shape, node.dtype = form(out)
    node.guards = None
    node.serial = next_serial()
    return v


def binary(op: Primitive, run: Callable[..., Any], x: Any, y: Any) -> Any:
    """`record` for two inputs, in a hurry, where they are of the common types."""
    tx, ty = type(x), type(y)
    if tx is _Common:
        a, m = x._value, x._node
        if ty is _Common:
            b, n = y._value, y._node
        elif ty in _COMMON or (ty is ndarray and y.dtype.kind != "O"):
            b, n = y, None
        else:
            return _binary(op, run, x, y)
    elif ty is _Common and (tx in _COMMON or (tx is ndarray and x.dtype.kind != "O")):
        a, m, b, n = x, None, y._value, y._node
    else:
        return _binary(op, run, x, y)
    out = run(a, b)
    v = _new(_Common)
    v._value = out
    guards = None
    if n is None:
        if m is None:
            v._node = None
            return v
        keep_a, keep_b, keep_out = op.first
        if ty is not ndarray:
            keep_b = True  # a number costs nothing, and pictures show it
        elif keep_b:
            if b.nbytes <= SMALL:
                b = b.copy()
            else:
                guards = ((1, fingerprint(b)),)
    elif m is None:
        keep_a, keep_b, keep_out = op.second
        if tx is not ndarray:
            keep_a = True
        elif keep_a:
            if a.nbytes <= SMALL:
                a = a.copy()
            else:
                guards = ((0, fingerprint(a)),)
    else:
        keep_a, keep_b, keep_out = op.both
    v._node = node = Node()
    node.op = op
    node.parents = (m, n)
    node.args = (a if keep_a else None, b if keep_b else None)
    node.out = out if keep_out else None
    node.params = NO_PARAMS
    if type(out) is ndarray:
        node.shape, node.dtype = out.shape, out.dtype
    else:
        node.shape, node.dtype = form(out)
    node.guards = guards
    node.serial = next_serial()
    return v


def _binary(op: Primitive, run: Callable[..., Any], x: Any, y: Any) -> Any:
    x, y = joined(x), joined(y)
    if not (_is_operand(x) and _is_operand(y)):
        return NotImplemented
    return record(_running(op, run), (x, y), NO_PARAMS)


def _running(op: Primitive, run: Callable[..., Any]) -> Primitive:
    """The same operation run by Python's operator, so that Python's numbers stay Python's."""
    if run is op.forward:
        return op
    found = _OPERATORS.get(op)
    if found is None:
        found = _OPERATORS[op] = Primitive(op.name, run, op.pullbacks, elementwise=True, chooses=op.chooses)
        found.in_place = op.in_place
    return found


def _is_operand(x: Any) -> bool:
    return isinstance(x, Handle | ndarray | np.generic | int | float | complex)


def _hold_plain(x: ndarray) -> None:
    """Refuse arrays with arithmetic of their own, such as masked arrays and matrices: the rules are not for them."""
    if type(x).__mul__ is not ndarray.__mul__:
        raise TypeError(
            f"a {type(x).__name__} has arithmetic of its own, for which dout has no rules; give np.asarray(a), "
            "or for a masked array np.where(mask, 0, a)"
        )


_OF_SEVERAL = (Handle, list, tuple, ndarray)


def joined(value: Any) -> Any:
    """A list or tuple as an array, also if it holds Variables; an array of objects that holds Variables as one Variable."""
    if isinstance(value, ndarray):
        return of_objects(value) if value.dtype.kind == "O" else value
    if not isinstance(value, _SEVERAL):
        return value
    if any(isinstance(v, _OF_SEVERAL) for v in value):
        return np.stack([joined(v) for v in value])
    return np.asarray(value)


def of_objects(array: ndarray) -> Any:
    """An array of objects, some of them Variables, as one Variable; without Variables as it is."""
    if not any(isinstance(entry, Handle) for entry in array.flat):
        return array
    if not array.ndim:
        return array[()]
    return np.reshape(np.stack(list(array.flat)), array.shape)


def is_of_example(x: Any) -> bool:
    """Whether it is a Variable of the run of one example of many."""
    return isinstance(x, Handle) and type(x._node) in _MAPPED


def values_of(x: Any) -> Any:
    """The values of Variables in an argument, which may be a list or tuple of them."""
    if isinstance(x, Handle):
        if is_of_example(x):
            raise MeetsExample("a Variable from outside of a function under dout.vmap meets a mapped value")
        return x._value
    if isinstance(x, _SEVERAL):
        return type(x)(values_of(v) for v in x) if type(x) in _SEVERAL else x
    return x


_BASIC = frozenset((int, slice, type(None), type(Ellipsis)))


def fixed(key: Any) -> Any:
    """An index that later changes to the user's own index arrays do not reach."""
    if type(key) in _BASIC:
        return key
    if isinstance(key, tuple):
        return tuple([fixed(k) for k in key])
    if isinstance(key, Handle):
        return values_of(key)  # an integer one indexes; NumPy refuses a float one
    if isinstance(key, list):
        return np.array(key, dtype=None if key else int)
    return key.copy() if isinstance(key, ndarray) else key


def run_flat(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a function that carries no derivative on the values; what is floating can be computed with and written to."""
    out = function(*map(values_of, args), **{k: values_of(v) for k, v in kwargs.items()})
    return (
        make(out, None) if isinstance(out, ndarray | np.generic | float) and np.result_type(out).kind in "fc" else out
    )


def settled(handle: Any, like: Any, leaves: Sequence[Leaf]) -> Any:
    """What a derivative gives to whoever asked for it, within another run: of the kind of `like`.

    In a run that is recorded whole, it no longer depends on the leaves of that derivative.
    """
    node = handle._node
    if not isinstance(node, RecordedNode | RecordedLeaf):
        return handle
    kind = type(like) if type(like) is not type(handle._value) and isinstance(like, _KINDS) else None
    now = record(IDENTITY if kind is None else AS_KIND, (handle,), {} if kind is None else {"kind": kind})
    now._node.live = now._node.live.difference(leaves)
    return now


def _as_kind(x: Any, kind: type) -> Any:
    return np.asarray(x) if kind is ndarray else kind(x)


_KINDS = (float, complex, np.inexact, ndarray)
#: A number as Python's float, NumPy's scalar, or an array without axes.
AS_KIND = Primitive("as_kind", _as_kind, (lambda dout, _out, _x, kind: dout,))


def differentiated(x: Any) -> bool:
    """Whether a derivative may be asked for through a value: a Variable, in a recorded run one that a leaf leads to."""
    if not isinstance(x, Handle):
        return False
    node = x._node
    return bool(node.live) if isinstance(node, RecordedNode | RecordedLeaf) else True


def in_kind(result: Any, x: Any) -> Any:
    """In a recorded run, a result as Python's number where `x` is one."""
    kind = type(x._value) if isinstance(x, Handle) and isinstance(x._node, RecordedNode | RecordedLeaf) else None
    if kind in (int, float, complex) and isinstance(result, Handle):
        return record(AS_KIND, (result,), {"kind": kind})
    return result

"""The walk: from an output back to the leaves, pullback by pullback, summing where a value fanned out.

It is written once. Run on plain arrays it gives plain derivatives. Run on Variables it records itself, which is how
derivatives of derivatives come about. There are no levels: a node that is older than a leaf cannot depend on
it, and what a derivative is asked for is a set of nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import ndarray

from .broadcasting import fit, whole
from .graph import PICK, Leaf, Node, Primitive, handed_on, plain, shape_of
from .guards import check
from .in_place import Held, are_large, step
from .recording import Handle, make, settled

_serial = attrgetter("serial")
#: What a derivative may be given as.
_NUMBERS = (Handle, ndarray, np.generic, int, float, complex)

#: Called with (node, index of the input, its derivative before it is summed with others).
Watch = Callable[[Node, int, Any], None]


def collect(ends: Iterable[Node], since: int, stop: Collection[Node] = ()) -> tuple[list[Node], set[Node]]:
    """The nodes from which the ends were made, no older than serial number `since`, oldest first; none before `stop`.

    Returns:
        those nodes, and the older ones that feed them directly.
    """
    stack = list(dict.fromkeys(ends))
    seen = set(stack)
    older: set[Node] = set()
    for node in stack:  # it grows while we go along
        if node.serial < since:
            older.add(node)
            continue
        if stop and node in stop:
            continue
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    nodes = [node for node in stack if node not in older] if older else stack
    nodes.sort(key=_serial)
    return nodes, older


def needed(nodes: Sequence[Node], wanted: Iterable[Node]) -> set[Node]:
    """Those of the nodes (oldest first) through which a wanted one can be reached."""
    reaching = set(wanted)
    for node in nodes:
        if not reaching.isdisjoint(node.parents):
            reaching.add(node)
    return reaching


def carrying(nodes: Sequence[Node], wanted: Iterable[Node]) -> set[Node]:
    """Those of the nodes (oldest first) through which a derivative gets to a wanted one."""
    reaching = set(wanted)
    for node in nodes:
        if not reaching.isdisjoint(node.parents) and not (node.op is not None and node.op.flat):
            reaching.add(node)
    return reaching


def walk(
    nodes: list[Node],
    douts: dict[Node, Any],
    wanted: Iterable[Node],
    *,
    linked: set[Node] | None = None,
    inside: set[Node] | None = None,
    watch: Watch | None = None,
) -> dict[Node, Any]:
    """Walk back over nodes (oldest first; emptied on the way, so that what is no longer needed is freed).

    Args:
        nodes: what to walk over.
        douts: the derivatives to start with, one for each end; emptied too.
        wanted: the nodes whose derivatives are returned.
        linked: nodes that something from outside depends on being linked to: there, pullbacks run on Variables.
        inside: the nodes that get a derivative, if not all do.
        watch: told of each derivative as it flows along an edge.

    Returns:
        the derivative of each wanted node, or None.

    On the way a derivative has any shape that broadcasts to its node's, and is the same all along the missing axes: that of
    a sum need not be written out. Only pullbacks of operations that aren't elementwise see it whole.
    """
    settings: dict[str, Any] = {}
    try:
        return _walk(nodes, douts, wanted, linked, inside, watch, settings)
    finally:
        if settings:
            np.seterr(**settings)


def _walk(
    nodes: list[Node],
    douts: dict[Node, Any],
    wanted: Iterable[Node],
    linked: set[Node] | None,
    inside: set[Node] | None,
    watch: Watch | None,
    settings: dict[str, Any],
) -> dict[Node, Any]:
    """`walk`; where it changes NumPy's handling of floating-point errors, `settings` gets what it was."""
    found = dict.fromkeys(wanted)
    chosen = False  # whether the derivative of something was set to 0 because it was not chosen
    inner = {node for node in found if node.op is not None}
    held = Held()
    owned, minus = held.own, held.minus
    large = linked is None and watch is None and are_large(tuple(douts))
    while nodes:
        node = nodes.pop()
        dout = douts.pop(node, None)
        if dout is None:
            continue
        op = node.op
        if op is None or (inner and node in inner):
            if node in found:
                if node in minus:
                    dout = held.signed(node, dout)
                found[node] = whole(dout, node.shape)
                owned.discard(node)
            if op is None:
                continue
        if node.guards is not None:
            check(node)
        parents, args, out = node.parents, node.args, node.out
        if not chosen and op.chooses and (op.chooses is True or op.chooses(node.params)):
            chosen = True
            settings.update(np.seterr(divide="ignore", invalid="ignore", over="ignore"))  # of what was not chosen
        if linked is not None:
            args, out = _variables(node, linked)
        shape, dtype = node.shape, node.dtype
        ds: Sequence[Any] | None = None
        if large:
            if op.elementwise and not chosen and step(node, dout, douts, inside, held):
                continue
            dout = held.signed(node, dout)
        if op.elementwise:
            pass
        elif op is PICK:
            _put(douts, parents[0], node.params["i"], dout)
            continue
        else:
            plain_walk = linked is None and watch is None
            large = large or (plain_walk and are_large(parents))  # elementwise operations have no larger inputs
            if plain_walk and op.add_into is not None and _are_plain(dout, parents, douts):
                if inside is None or parents[0] in inside:
                    if parents[0] in minus:
                        douts[parents[0]] = held.signed(parents[0], douts[parents[0]])
                    _add_into(op.add_into, douts, owned, parents[0], whole(dout, shape), node.params)
                continue
            if len(parents) == 1 and op.joint is None:
                if inside is None or parents[0] in inside:
                    ds = (op.pullbacks[0](whole(dout, shape), out, args[0], **node.params),)
            else:
                dout = whole(dout, shape)
                asked = [p is not None and (inside is None or p in inside) for p in parents]
                ds = _pulled(op, dout, out, args, node.params, asked)
        i = -1  # counted by hand, which takes half the time of enumerate
        for parent in parents:
            i += 1
            if parent is None or (inside is not None and parent not in inside):
                continue
            if ds is None:
                pullback = op.pullbacks[i]
                try:
                    if pullback is handed_on:
                        d = dout
                    elif len(args) == 2:
                        x, y = args  # spelled out, which is quicker than *args
                        d = pullback(dout, out, x, y)
                    else:
                        d = pullback(dout, out, *args)
                except OverflowError:  # of one of Python's ints, which have no limit; floats do
                    d = pullback(*map(_as_float, (dout, out, *args)))
                if d is None:
                    continue
                if chosen and d is not dout:
                    d = _spared(d, dout)
                if parent.shape != shape:
                    d = fit(whole(d, shape), parent.shape, parent.dtype)
                elif parent.dtype is not dtype:
                    d = fit(d, parent.shape, parent.dtype)
            else:
                d = ds[i]
                if d is None:
                    continue
                d = fit(d, parent.shape, parent.dtype)
            if watch is not None:
                watch(node, i, whole(d, parent.shape))
            before = douts.get(parent)
            if before is None:
                douts[parent] = d
            elif minus and parent in minus:
                held.put(douts, parent, d, False, False)
            elif parent in owned and type(d) is ndarray:
                before += d
            else:
                douts[parent] = total = before + d
                if type(total) is ndarray and total.shape == parent.shape:
                    owned.add(parent)  # the sum is a new array, to which the next can be added in place
                else:
                    owned.discard(parent)  # 0-d arrays add up to a number
    for node in found.keys() & douts.keys():  # wanted, but older than what was walked over
        found[node] = whole(held.signed(node, douts[node]), node.shape)
    return found


def _as_float(x: Any) -> Any:
    """A Python int as a float, infinite where it is too large for one; anything else as it is."""
    if not isinstance(x, int):
        return x
    try:
        return np.float64(x)
    except OverflowError:
        return np.float64(math.inf if x > 0 else -math.inf)


def _variables(node: Node, linked: set[Node]) -> tuple[tuple[Any, ...], Any]:
    """A node's kept values, as Variables where they are to be linked to where they came from."""
    args, parents = node.args, node.parents
    if len(args) == 2:
        (a, b), (m, n) = args, parents  # spelled out, which is quicker
        args = make(a, m) if a is not None and m in linked else a, make(b, n) if b is not None and n in linked else b
    else:
        args = tuple([make(a, p) if p in linked and a is not None else a for a, p in zip(args, parents, strict=True)])
    if node.out is None or node not in linked:
        return args, node.out
    whole = make(node.out, node)
    return args, [PICK(whole, i=i) for i in range(len(node.out))] if node.dtype is tuple else whole


def _pulled(op: Primitive, dout: Any, out: Any, args: tuple[Any, ...], params: Any, asked: list[bool]) -> Sequence[Any]:
    """The derivatives for the inputs that are asked for, of an operation that isn't elementwise."""
    if op.joint is not None:
        return op.joint(dout, out, *args, **params)
    pullbacks = op.pullbacks
    return [pullbacks[i](dout, out, *args, **params) if yes else None for i, yes in enumerate(asked)]


def _are_plain(dout: Any, parents: Sequence[Node | None], douts: dict[Node, Any]) -> bool:
    """Whether a derivative can be added in place to that of the first parent: neither is recorded."""
    parent = parents[0]
    return not isinstance(dout, Handle) and not (parent in douts and isinstance(douts[parent], Handle))


def _spared(d: Any, dout: Any) -> Any:
    """A derivative that is 0 wherever dout is: what was not chosen may have an infinite derivative, and 0 times that is NaN."""
    if isinstance(d, ndarray) and d.size > 1:
        total: Any = np.vdot(d, d)  # one pass, and finite if all entries are
        if total - total == 0:
            return d
    elif isinstance(d, float) and d - d == 0:
        return d
    # Of Variables too: a run that is recorded whole must not depend on today's values. What is finite keeps its slope.
    zeros: Any = (dout == 0) & ~np.isfinite(d)
    return np.where(zeros, 0, d)[()]


def _put(douts: dict[Node, Any], parent: Node | None, i: int, dout: Any) -> None:
    """Add to the derivative of one of an operation's several outputs; those not used have zeros, one that is repeated."""
    if parent is None:
        return
    parts = douts.get(parent)
    if parts is None:
        parts = douts[parent] = [np.broadcast_to(0.0, shape)[()] for shape in parent.shape]
    parts[i] = parts[i] + dout


def _add_into(
    add: Callable[..., None], douts: dict[Node, Any], owned: set[Node], parent: Node | None, dout: Any, params: Any
) -> None:
    """Add a derivative into a part of its input's, in place: reading one entry of a long array must not cost its length."""
    if parent is None:
        return
    if parent not in owned:
        buffer = np.zeros(parent.shape, parent.dtype)
        if parent in douts:
            buffer += douts[parent]
        owned.add(parent)
        douts[parent] = buffer
    add(douts[parent], fit(dout, shape_of(dout), parent.dtype), **params)


def backward(end: Handle, dout: Any = None) -> None:
    """`Variable.backward`: add to the `grad` of each Variable of the user's that `end` was made from."""
    node = end._node
    if node is None:
        raise ValueError("backward(): this Variable does not depend on any Variable made by Variable(...)")
    if dout is None:
        if node.shape != ():
            raise ValueError(
                f"backward() starts from a single number, and this has shape {node.shape}: sum it, or give dout, "
                "the derivative with respect to it, an array of that shape"
            )
        dout = one(end._value)
    dout = checked_dout(dout, node.shape, node.dtype, "backward(dout): expected this Variable's")
    nodes, _ = collect([node], 0)
    leaves = [n for n in nodes if isinstance(n, Leaf) and not n.parents]
    for leaf in leaves:
        refuse_finished(leaf)
    mine = [leaf for leaf in leaves if leaf.scope is None]
    others = [leaf for leaf in leaves if leaf.scope is not None and leaf.scope.depth]
    linked = needed(nodes, others) if others else None
    found = walk(
        nodes, {node: dout}, mine, linked=linked, inside=needed(nodes, mine) if len(mine) < len(leaves) else None
    )
    taken = [dout]
    for leaf in mine:
        d = found[leaf]
        if d is not None:
            d = finished(d, leaf.value, taken)
            leaf.grad = d if leaf.grad is None else finished(leaf.grad + d, leaf.value, taken)
            taken.append(leaf.grad)


def refuse_finished(leaf: Leaf) -> None:
    """Raise for a leaf of a derivative whose outermost call has ended."""
    if leaf.scope is not None and not leaf.scope.open:
        raise RuntimeError(
            "this computation uses a Variable that was kept from inside a dout.grad (or vjp, jacobian, ...) call that has "
            "finished. Return it from the function instead (has_aux=True), or keep dout.stop_gradient(v)."
        )


def one(value: Any) -> Any:
    """The derivative of a number with respect to itself, in its own type."""
    return value.dtype.type(1) if hasattr(value, "dtype") else type(value)(1)


def checked_dout(dout: Any, shape: Any, dtype: Any, what: str) -> Any:
    """A derivative from outside, of this shape and dtype.

    Raises:
        ValueError: for another shape.
        TypeError: for what is not a number or array, or complex where the value is real.
    """
    if type(dout) is ndarray and dout.shape == shape and dout.dtype is dtype:
        return dout  # as most are
    if not isinstance(dout, _NUMBERS):
        raise TypeError(f"{what} shape {shape}, a number or an array, got {type(dout).__name__}")
    if shape_of(dout) != shape:
        raise ValueError(f"{what} shape {shape}, got {shape_of(dout)}")
    given = np.result_type(plain(dout))
    real = dtype in (int, float, bool) if isinstance(dtype, type) else dtype.kind != "c"
    if given.kind not in "fciub" or (given.kind == "c" and real):
        raise TypeError(f"{what} {getattr(dtype, '__name__', dtype)} numbers, got {given}")
    return fit(dout, shape, dtype)


def finished(d: Any, value: Any, given: Iterable[Any], leaves: Sequence[Leaf] = ()) -> Any:
    """A derivative as the caller gets it: of its input's own kind, and if an array, one that nobody else holds.

    Args:
        d: the derivative, or None for an input that isn't used; a Variable within another derivative stays one.
        value: the input.
        given: arrays that belong to others already.
        leaves: those of the derivative, which ends here.
    """
    if isinstance(d, Handle):
        return settled(d, value, leaves)
    if d is None:
        d = 0
    if isinstance(value, ndarray):
        if type(d) is ndarray and (flags := d.flags).owndata and flags.writeable:
            for g in given:
                if d is g:
                    break
            else:
                return d
        whole = np.empty_like(value, subok=False)
        whole[...] = d
        return whole
    if isinstance(value, np.generic):
        return value.dtype.type(d)
    return d if isinstance(value, int) else type(value)(d)

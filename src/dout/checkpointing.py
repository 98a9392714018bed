"""`checkpoint`: forget what happened inside a function, and run it again when the walk comes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .arguments import call, checked_argnums, function_name, scope
from .backprop import collect, needed, walk
from .graph import NO_PARAMS, PICK, Leaf, Node, Primitive, form, plain
from .recorder import RECORDER
from .recording import make
from .tree import Rebuild, flatten
from .variable import Variable


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose intermediate values are not kept but computed again for the derivative.

    It saves memory for time: one more run of `f` for each walk. `f` may close over Variables, which get their
    derivatives too. It has to compute the same again: no random numbers that differ, no state.

    Example:
        >>> import dout
        >>> dout.grad(lambda x: dout.checkpoint(lambda v: v * v * v)(x))(2.0)
        12.0
    """
    checked_argnums(0, f)

    @wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        if RECORDER.get() is not None:
            return f(*args, **kwargs)  # a program that is recorded whole plans its memory itself
        flat, rebuild = flatten((args, kwargs))
        inputs = [v for v in flat if isinstance(v, Variable) and v._node is not None]
        attempt = _Attempt(f, flat, rebuild)
        outs, out_rebuild, _, _, older = attempt.run([v._value for v in inputs])
        tracked = [i for i, o in enumerate(outs) if isinstance(o, Variable) and o._node is not None]
        if not tracked:
            return out_rebuild(iter(outs))
        parents = (*(v._node for v in inputs), *older)
        values = tuple(outs[i]._value for i in tracked)
        op = Primitive(f"checkpoint {getattr(f, '__name__', '')}".strip(), run, joint=attempt.joint(older, tracked))
        kept = (*(v._value for v in inputs), *([None] * len(older)))
        node = Node().fill(op, parents, kept, values, NO_PARAMS, form(values))
        whole = make(values, node)
        for place, i in enumerate(tracked):
            outs[i] = PICK(whole, i=place)
        return out_rebuild(iter(outs))

    return run


class _Attempt:
    """A function with arguments in which some leaves can be replaced."""

    def __init__(self, f: Callable[..., Any], flat: Sequence[Any], rebuild: Rebuild) -> None:
        self.f = f
        self.rebuild = rebuild
        # a Variable's place; anything else as it is
        self.flat = [None if isinstance(v, Variable) and v._node is not None else v for v in flat]

    def run(self, values: Sequence[Any]) -> tuple[list[Any], Rebuild, list[Leaf], list[Node], list[Node]]:
        """Run on fresh leaves of these values, which may be Variables themselves.

        Returns:
            the outputs, how they were contained, the leaves, the nodes made from them, and the older nodes that those
            also came from.
        """
        with scope() as here:
            leaves = [Leaf(v._value, v._node, here) if isinstance(v, Variable) else Leaf(v, None, here) for v in values]
            since = leaves[0].serial if leaves else Leaf(0.0, None, here).serial
            handles = [make(leaf.value, leaf) for leaf in leaves]
            remaining = iter(handles)
            args, kwargs = self.rebuild(iter([next(remaining) if v is None else v for v in self.flat]))
            outs, out_rebuild = flatten(call(self.f, args, kwargs))
        if any(handle._node is not leaf for handle, leaf in zip(handles, leaves, strict=True)):
            raise RuntimeError(
                f"checkpoint: {function_name(self.f)} wrote into its argument, which can't be done again when it is run a "
                "second time; let it write into a copy (x.copy())"
            )
        ends = [o._node for o in outs if isinstance(o, Variable) and o._node is not None]
        nodes, older = collect(ends, since, set(leaves))
        return outs, out_rebuild, leaves, nodes, sorted(older, key=lambda n: n.serial)

    def _hold_same(self, before: Any, now: Any) -> None:
        """Refuse a second run that computed something else, beyond the rounding that a BLAS may differ by."""
        before, now = plain(before), plain(now)
        slack = np.sqrt(np.finfo(np.result_type(now)).eps)
        if np.shape(before) != np.shape(now) or not np.allclose(before, now, rtol=slack, atol=0, equal_nan=True):
            raise self._differs()

    def _differs(self) -> RuntimeError:
        return RuntimeError(
            f"checkpoint: {function_name(self.f)} computed something else the second time, so its derivative would "
            "be wrong. It must not draw new random numbers, keep state, or use what is written to after it ran."
        )

    def joint(self, older: list[Node], tracked: list[int]) -> Callable[..., tuple[Any, ...]]:
        """The pullback: run again, walk that."""

        def again(dout: Any, outs: Any, *args: Any) -> tuple[Any, ...]:
            values = args[: len(args) - len(older)]
            found_outs, _, leaves, nodes, now_older = self.run(values)
            if now_older != older:
                raise self._differs()
            start: dict[Node, Any] = {}
            for i, d, before in zip(tracked, dout, outs, strict=True):
                self._hold_same(before, found_outs[i])
                end = found_outs[i]._node
                start[end] = start[end] + d if end in start else d
            wanted = [*leaves, *older]
            outside = [leaf for leaf in leaves if leaf.parents] + older
            linked = needed(nodes, outside) if any(isinstance(o, Variable) for o in outs) else None
            # the leaves are where this walk ends: what comes to them goes on in the walk outside
            inputs = set(leaves)
            found = walk([n for n in nodes if n not in inputs], start, wanted, linked=linked)
            return tuple(found[node] for node in wanted)

        return again

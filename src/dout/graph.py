"""The computational graph: operations, their occurrences in a run, and a whole run of them.

A `Primitive` says what an operation is: how it runs forward, and one pullback for each of its inputs. A `Node` is one
occurrence of it in a run, linked to the nodes that its inputs came from. A `Graph` is a run with all its values,
in order, to be looked at. Nothing here knows of the handles that user code holds (`variable.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from math import prod
from typing import Any

import numpy as np

#: An array, a NumPy scalar, a Python number, or a Variable of any of them: rules run on all of these.
Array = Any
#: `pullback(dout, out, *args, **params)` gives the derivative for one input.
Pullback = Callable[..., Array]
#: Whether an operation chooses among its inputs' entries, always or by its params.
Chooses = bool | Callable[[Mapping[str, Any]], bool]

_NUMBERS = (int, float, complex)
_ARRAYS = (np.ndarray, np.generic)
NO_PARAMS: Mapping[str, Any] = {}


class Primitive:
    """An operation with a backward rule of its own.

    Attributes:
        name: what it is called in pictures and printed graphs.
        forward: `forward(*args, **params)`, run on plain values.
        pullbacks: one `pullback(dout, out, *args, **params)` for each input. It is plain NumPy code, which runs on
            arrays as well as on Variables. A parameter whose name begins with an underscore isn't used, so the
            recording doesn't keep that value alive. What it returns is summed or broadcast to the input's
            shape by the walk; no pullback undoes broadcasting itself.
        joint: instead of `pullbacks`, one function that gives a tuple with an entry for each input.
        elementwise: the output has the broadcast shape of the inputs, and so has each derivative; no params.
        view: NumPy may return a view of the first input's memory, through which user code can write.
        read_only: that view can't be written to.
        chooses: the derivative is 0 for what was not chosen, which may be infinite or NaN; or a function of the params that
            says whether.
        only, both, first, second: what `keeps` says when its only input is tracked, both are, or one of two is, in one tuple:
            looked up at every elementwise operation.
        add_into: `add_into(buffer, dout, **params)` adds the derivative of the first input into a buffer of that
            input's shape, for operations that read a small part of a large array.
        in_place: for large arrays, instead of `pullbacks`: for each input, `pullback(into, dout, out, *args)`, which writes
            into the array `into` or, where that is None, a new one, or gives dout as it is; and whether minus that is the
            derivative.
        flat: no derivative passes through. It becomes a node only in a run that is recorded whole, for `jit`.
    """

    __slots__ = (
        "_keeps", "add_into", "both", "chooses", "elementwise", "first", "flat", "forward", "in_place", "joint", "name",
        "only", "pullbacks", "read_only", "second", "view",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        pullbacks: Sequence[Pullback] = (),
        *,
        joint: Callable[..., tuple[Array, ...]] | None = None,
        elementwise: bool = False,
        view: bool = False,
        read_only: bool = False,
        chooses: Chooses = False,
        add_into: Callable[..., None] | None = None,
        flat: bool = False,
    ) -> None:
        self.name = name
        self.forward = forward
        self.pullbacks = pullbacks
        self.joint = joint
        self.elementwise = elementwise
        self.view = view
        self.read_only = read_only
        self.chooses = chooses
        self.add_into = add_into
        self.in_place: Sequence[tuple[Pullback, bool]] = ()
        self.flat = flat
        self._keeps: dict[tuple[bool, ...], tuple[tuple[bool, ...], bool]] = {}
        if elementwise and len(pullbacks) == 1:
            self.only = _flat(self.keeps((True,)))
        elif elementwise and len(pullbacks) == 2:
            self.both = _flat(self.keeps((True, True)))
            self.first = _flat(self.keeps((True, False)))
            self.second = _flat(self.keeps((False, True)))

    def __call__(self, *args: Array, **params: Any) -> Array:
        """Run on plain values, or let the first Variable among the inputs record the operation."""
        for a in args:
            record = getattr(type(a), "__dout_record__", None)
            if record is not None:
                return record(self, args, params)
        return self.forward(*args, **params)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def keeps(self, tracked: tuple[bool, ...]) -> tuple[tuple[bool, ...], bool]:
        """Which inputs, and whether the output, the pullbacks of the tracked inputs will need."""
        found = self._keeps.get(tracked)
        if found is None:
            found = self._keeps[tracked] = self._find_keeps(tracked)
        return found

    def _find_keeps(self, tracked: tuple[bool, ...]) -> tuple[tuple[bool, ...], bool]:
        n = len(tracked)
        if self is PICK or self.flat:
            return (False,) * n, False
        if self.joint is not None:
            asked = [_uses(self.joint, n, 1)]
        elif isinstance(self.pullbacks, Each):
            asked = [_uses(self.pullbacks.pullback, n, 2)]
        else:
            asked = [_uses(p, n, 1) for p, t in zip(self.pullbacks, tracked, strict=True) if t]
        return tuple(any(a[0][i] for a in asked) for i in range(n)), any(a[1] for a in asked)


def _flat(kept: tuple[tuple[bool, ...], bool]) -> tuple[bool, ...]:
    inputs, out = kept
    return (*inputs, out)


class Custom(Primitive):
    """An operation with a backward of the user's own, in a run that is recorded whole.

    Its value is that of its last inputs, which were computed by recorded operations.

    Attributes:
        n: how many inputs it has before those.
        several: whether it has several outputs.
    """

    __slots__ = ("n", "several")

    def __init__(self, name: str, n: int, several: bool, joint: Callable[..., tuple[Array, ...]]) -> None:
        super().__init__(name, lambda *values: values[n:] if several else values[n], joint=joint)
        self.n = n
        self.several = several


class Each:
    """The pullbacks of an operation with any number of inputs: `pullback(i, dout, out, *args, **params)`."""

    __slots__ = ("pullback",)

    def __init__(self, pullback: Pullback) -> None:
        self.pullback = pullback

    def __len__(self) -> int:
        raise TypeError("an operation with any number of inputs has as many pullbacks as inputs")

    def __getitem__(self, i: int) -> Pullback:
        pullback = self.pullback
        return lambda dout, out, *args, **params: pullback(i, dout, out, *args, **params)


def _uses(function: Callable[..., Any], n: int, first: int) -> tuple[tuple[bool, ...], bool]:
    """Which of the n inputs, and whether the output, a pullback uses: those not named with an underscore.

    `first` is the place of the output among the parameters: 1, after dout, or 2 where the input's index comes before.
    """
    code = function.__code__
    names = code.co_varnames
    used = [not name.startswith("_") for name in names[first : code.co_argcount]]
    if code.co_flags & 0x04:  # *args: the rest of the inputs share its name
        star = names[code.co_argcount + code.co_kwonlyargcount]
        used += [not star.startswith("_")] * (n + 1 - len(used))
    return tuple(used[1 : n + 1]), used[0]


def handed_on(dout: Array, _out: Array, *_inputs: Array) -> Array:
    """The pullback where a derivative goes on as it is, as through a sum; the walk knows it, and spares the call."""
    return dout


def plain(x: Any) -> Any:
    """The value of a Variable; anything else as it is. No derivative passes through."""
    return x.__dout_plain__() if hasattr(type(x), "__dout_plain__") else x


def is_complex(x: Any) -> bool:
    """Whether a value is complex; much quicker on a Variable than np.iscomplexobj."""
    value = getattr(x, "_value", x)
    return value.dtype.kind == "c" if hasattr(value, "dtype") else isinstance(value, complex)


def laid(x: Any) -> np.ndarray:
    """The plain array of a value, to see how it lies in memory; not to compute with."""
    return np.asarray(getattr(x, "_value", x))


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array, a Variable, a number or a list; much quicker on a Variable than np.shape."""
    if hasattr(x, "shape"):
        return x.shape  # type: ignore[no-any-return]
    return () if isinstance(x, _NUMBERS) else np.shape(x)


def ndim_of(x: Any) -> int:
    """How many axes an array, a Variable, a number or a list has."""
    return len(shape_of(x))


def size_of(x: Any) -> int:
    """How many entries an array, a Variable, a number or a list has."""
    return prod(shape_of(x))


next_serial = count().__next__


class Node:
    """One occurrence of an operation. It is never changed after it is made.

    Attributes:
        op: the operation; None for a leaf.
        parents: for each input, the node it came from, or None for a constant.
        args: for each input, its value if a pullback needs it, else None.
        out: the output's value if a pullback needs it, else None.
        params: what else the operation was given, such as an axis.
        shape: the output's shape; for an operation with several outputs, a list of shapes.
        dtype: the output's NumPy dtype, or a Python number's type.
        serial: a number that is larger than that of every node made before.
        guards: fingerprints of large constants among `args`, to be compared before they are used.
    """

    __slots__ = ("args", "dtype", "guards", "op", "out", "params", "parents", "serial", "shape")

    # No __init__: whoever makes a node assigns all nine, which takes half the time of a call. See `fill` for the rest.
    op: Primitive | None
    parents: tuple[Node | None, ...]
    args: tuple[Any, ...]
    out: Any
    params: Mapping[str, Any]
    shape: Any
    dtype: Any
    guards: Sequence[tuple[int, int]] | None
    serial: int

    def fill(
        self,
        op: Primitive | None,
        parents: tuple[Node | None, ...],
        args: tuple[Any, ...],
        out: Any,
        params: Mapping[str, Any],
        form: tuple[Any, Any],
        guards: Sequence[tuple[int, int]] | None = None,
    ) -> Any:
        """Assign everything, and give this node."""
        self.op = op
        self.parents = parents
        self.args = args
        self.out = out
        self.params = params
        self.shape, self.dtype = form
        self.guards = guards
        self.serial = next_serial()
        return self


class Leaf(Node):
    """Where a derivative is asked for: a Variable that the user made, or an input of a differentiated function.

    `scope` is that of the outermost running transform, or None for a Variable of the user's own. Within another
    derivative, a leaf has the outer value's node as its parent, and the outer walk passes through it.
    """

    __slots__ = ("grad", "name", "scope", "value")

    def __init__(self, value: Any, parent: Node | None, scope: Scope | None, name: str | None = None) -> None:
        if parent is None:
            self.fill(None, (), (), None, NO_PARAMS, form(value))
        else:
            self.fill(IDENTITY, (parent,), (None,), None, NO_PARAMS, form(value))
        self.scope = scope
        self.name = name
        self.value = value
        self.grad: Any = None


class Scope:
    """Open while the outermost transform runs: a Variable that outlives it can no longer be differentiated.

    `depth` counts the transforms that run inside one another; `kept` says that what it returned are Variables, of a
    computation of the user's own around it, so that it stays open.
    """

    __slots__ = ("depth", "kept", "open")

    def __init__(self) -> None:
        self.open = True
        self.kept = False
        self.depth = 0


class TracedNode(Node):
    """A node that also remembers its value, its inputs' values and where it happened, for graphs that are looked at."""

    __slots__ = ("given", "place", "value")

    given: tuple[Any, ...]
    place: Any
    value: Any


class TracedLeaf(Leaf):
    """A leaf whose operations remember their values."""

    __slots__ = ()


class RecordedNode(Node):
    """A node of a run that is recorded whole, for `jit`: what no derivative passes through has nodes too.

    Attributes:
        number: that of the value in the program that is being built; of several outputs that were made before, a tuple.
        live: the leaves of running derivatives that it depends on.
    """

    __slots__ = ("live", "number")

    number: Any
    live: frozenset[Leaf]


class RecordedLeaf(Leaf):
    """A leaf in a run that is recorded whole; `live` holds itself where a derivative was asked for.

    Its `number` is None until it is known, where it stands for a constant.
    """

    __slots__ = ("live", "number")

    def __init__(self, value: Any, parent: Node | None, scope: Scope | None, name: str | None = None) -> None:
        super().__init__(value, parent, scope, name)
        self.live: frozenset[Leaf] = frozenset((self,)) | getattr(parent, "live", frozenset())
        self.number: Any = getattr(parent, "number", None)


def form(value: Any) -> tuple[Any, Any]:
    """The shape and dtype of a value; a Python number's dtype is its type."""
    if isinstance(value, _ARRAYS):
        return value.shape, value.dtype
    if isinstance(value, tuple):
        return [np.shape(v) for v in value], tuple
    return (), type(value)


#: One output of an operation that has several. The walk puts its derivative into its place among the others.
PICK = Primitive("pick", lambda outs, i: outs[i])
IDENTITY = Primitive("identity", lambda x: x, (lambda dout, _out, _x: dout,), elementwise=True)


class Graph:
    """One run of a function: its nodes in the order in which they ran, with values.

    Attributes:
        nodes: leaves and operations, oldest first.
        inputs: the leaves, in the order of the function's arguments.
        outputs: the nodes of the results; a constant result is None.
        names: a name for each node.
    """

    def __init__(self, nodes: Sequence[Node], inputs: Sequence[Node], outputs: Sequence[Node | None]) -> None:
        self.nodes = list(nodes)
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.names: dict[Node, str] = {}
        fresh = count(1)
        for node in self.nodes:
            self.names[node] = getattr(node, "name", None) or f"%{next(fresh)}"

    def __len__(self) -> int:
        return len(self.nodes)

    def verify(self) -> Graph:
        """Hold what every graph keeps: parents come first, outputs are in it, shapes fit. Returns itself.

        Raises:
            ValueError: naming the node that breaks it.
        """
        seen: set[Node] = set()
        for node in self.nodes:
            for parent in node.parents:
                if parent is not None and parent not in seen:
                    raise ValueError(f"{self.names[node]} comes before its input {self.names.get(parent, parent)}")
            value = getattr(node, "value", None)
            if value is not None and form(value)[0] != node.shape:
                raise ValueError(f"{self.names[node]} says shape {node.shape}, its value has {form(value)[0]}")
            seen.add(node)
        for end in self.outputs:
            if end is not None and end not in seen:
                raise ValueError(f"the output {end} is not in the graph")
        return self

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = []
        for node in self.nodes:
            if node.op is None:
                made = "input"
            else:
                given = getattr(node, "given", ())
                inputs = [
                    self.names[p] if p is not None else _brief(given[i] if i < len(given) else "?")
                    for i, p in enumerate(node.parents)
                ]
                inputs += [f"{k}={_brief(v)}" for k, v in node.params.items()]
                made = f"{node.op.name}({', '.join(inputs)})"
            value = getattr(node, "value", None)
            lines.append(f"{self.names[node]} = {made}  {describe(node)} = {_brief(value)}")
        results = ", ".join("constant" if n is None else self.names[n] for n in self.outputs)
        return "\n".join([*lines, f"return {results}"])


def describe(node: Node) -> str:
    """A node's dtype and shape, as in `float64[3, 2]`; a Python number's is its type's name."""
    name = getattr(node.dtype, "name", None) or node.dtype.__name__
    return f"{name}[{', '.join(map(str, node.shape))}]" if node.shape else name


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"<{value.dtype}{list(value.shape)}>"
    if isinstance(value, np.generic):
        return str(value)
    return " ".join(repr(value).split())

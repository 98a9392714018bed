"""What goes wrong in a run: NaN and infinities, derivatives that vanish or explode, dead Relus, inputs that aren't used.

Each problem is a dict: `kind`, where it is (`node`, or `edge`: a node and the number of one of its inputs), and the
sentence about it: `key` in the catalogue and the `values` for its braces.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import PICK, Node
from .values import short

if TYPE_CHECKING:
    from .picture import Picture

Problem = dict[str, Any]

#: The norm of the derivatives at some depth, relative to that at the output.
VANISHED, EXPLODED = 1e-7, 1e7
#: A sigmoid or tanh whose own derivative is less than this is saturated; worth a word if so many of its entries are.
#: A single number is worth one only if what is left of its derivative would be called vanished.
FLAT, MOSTLY_FLAT = 1e-3, 0.5
#: A Relu is worth a word if this share of at least so many entries lets nothing through.
MOSTLY_DEAD, ENTRIES = 0.9, 10
#: A unit that is off for every one of at least so many examples is dead.
EXAMPLES = 16
#: So many problems of one kind are listed.
MOST = 20


def problems_of(picture: Picture, name_of: Callable[[Node], str] | None = None) -> list[Problem]:
    """Everything that is wrong, or may be, in a picture.

    Args:
        picture: what `see` gave.
        name_of: what a node is called; without it, by its own name, or its operation and line.

    Returns:
        the first NaN or infinity forward, the first on the way back, derivatives that explode or vanish and from where, dead
        Relus, saturated sigmoids, and inputs on which no output depends.

    Example:
        >>> import dout, numpy as np
        >>> with np.errstate(all="ignore"):
        ...     picture = dout.see(lambda x, y: np.sqrt(x) * 2.0, -1.0, 3.0)
        >>> for problem in problems_of(picture):
        ...     print(problem["kind"], problem["key"])
        forward problem.forward.nan
        backward problem.backward.nan
        unused problem.unused
    """
    teller = _Teller(picture, name_of or Namer(picture))
    found: list[Problem] = []
    with np.errstate(all="ignore"):
        for find in (_forward, _backward, _numerical, _sizes, _relus, _sigmoids, _unused):
            some = list(find(teller))
            found += some[:MOST]
    return found


class Namer:
    """What a node is called in a sentence: its own name, the variable that took it, or its operation, and the line."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._places: Any = None

    def __call__(self, node: Node) -> str:
        own = getattr(node, "name", None)
        if own:
            return str(own)
        if node.op is None:
            inputs = self.picture.graph.inputs
            return f"input {1 + inputs.index(node)}" if node in inputs else "input"
        place = getattr(node, "place", None)
        if place is None:
            return node.op.name
        if self._places is None:
            from .places import Places

            self._places = Places()
        where = self._places.where(place)
        return f"{node.op.name} ({where['file']}:{where['line']})" if where and where["line"] else node.op.name


class _Teller:
    """A picture, and names for its nodes."""

    def __init__(self, picture: Picture, name_of: Callable[[Node], str]) -> None:
        self.picture = picture
        self.graph = picture.graph
        self.values: Mapping[Node, Any] = picture.values
        self.edges: Mapping[tuple[Node, int], Any] = picture.edges
        self.totals: Mapping[Node, Any] = picture.totals
        self.name_of = name_of

    def inputs(self, node: Node) -> list[Any]:
        """What an operation was given, as far as it is known; None where it isn't."""
        given = getattr(node, "given", None) or node.args
        return [
            self.values.get(p) if v is None and p is not None else v for v, p in zip(given, node.parents, strict=True)
        ]

    def line(self, node: Node) -> Hashable:
        """The line of code that a node was made in; itself if that isn't known."""
        place = getattr(node, "place", None)
        if place is None:
            return node
        code = place.call.code
        line = next(islice(code.co_positions(), place.at // 2, None), (None,))[0]
        return (code.co_filename, line) if line else node

    def at_node(self, kind: str, node: Node, key: str, **values: Any) -> Problem:
        """A problem at a node."""
        return {"kind": kind, "node": node, "key": key, "values": {"name": self.name_of(node), **values}}


# NaN and infinities


def bad_in(value: Any) -> tuple[str, tuple[int, ...] | None, int, int] | None:
    """What isn't finite in a value: "nan" or "inf", the first such entry, how many there are, of how many.

    Example:
        >>> bad_in(np.array([1.0, np.inf, np.nan]))
        ('inf', (1,), 2, 3)
        >>> bad_in(2) is None
        True
    """
    if isinstance(value, tuple | list):
        return next((found for part in value if (found := bad_in(part)) is not None), None)
    if isinstance(value, float):
        return None if math.isfinite(value) else ("nan" if math.isnan(value) else "inf", None, 1, 1)
    if not isinstance(value, np.ndarray | np.generic | complex):
        return None
    value = np.asarray(value)
    if value.dtype.kind not in "fc":
        return None
    finite = np.isfinite(value)
    if finite.all():
        return None
    first = int(np.argmin(finite))  # False is the least
    index = tuple(int(i) for i in np.unravel_index(first, value.shape))
    what = "nan" if np.isnan(value[index]) else "inf"
    return what, index if value.ndim else None, int(value.size - np.count_nonzero(finite)), int(value.size)


def _forward(tell: _Teller) -> Iterator[Problem]:
    """The first operation, input or constant that isn't finite."""
    for node in tell.graph.nodes:
        if node.op is not None:
            for given, parent in zip(tell.inputs(node), node.parents, strict=True):
                found = bad_in(given) if parent is None else None
                if found is not None:
                    yield tell.at_node("forward", node, f"problem.constant.{found[0]}", **_counted(found))
                    return
        found = bad_in(tell.values.get(node))
        if found is None:
            continue
        if node.op is None:
            yield tell.at_node("forward", node, f"problem.input.{found[0]}", **_counted(found))
        else:
            yield tell.at_node(
                "forward", node, f"problem.forward.{found[0]}", made=_made(tell, node, found[1]), **_counted(found)
            )
        return


def _backward(tell: _Teller) -> Iterator[Problem]:
    """The first edge, on the way back, along which something flows that isn't finite."""
    for (node, i), derivative in tell.edges.items():
        found = bad_in(derivative)
        if found is None:
            continue
        parent = node.parents[i]
        assert parent is not None
        arrived = tell.totals.get(node)
        values = {"name": tell.name_of(node), "to": tell.name_of(parent), **_counted(found)}
        values["dout"] = "" if arrived is None or np.ndim(_first(arrived)) else short(_first(arrived))
        yield {"kind": "backward", "edge": (node, i), "key": f"problem.backward.{found[0]}", "values": values}
        return


def _first(total: Any) -> Any:
    return total[0] if isinstance(total, list | tuple) else total


def _counted(found: tuple[str, tuple[int, ...] | None, int, int]) -> dict[str, Any]:
    _, index, count, size = found
    return {"index": "" if index is None else "[" + ", ".join(map(str, index)) + "]", "count": count, "size": size}


def _made(tell: _Teller, node: Node, index: tuple[int, ...] | None) -> str:
    """The operation with the numbers that made the first bad entry, such as `log(0)`; only its name if that's not known."""
    assert node.op is not None
    given = tell.inputs(node)
    if any(v is None or isinstance(v, tuple) for v in given) or (index is not None and not node.op.elementwise):
        return node.op.name
    try:
        numbers = given if index is None else [np.broadcast_to(v, node.shape)[index] for v in given]
        if any(np.ndim(v) for v in numbers):
            return node.op.name
        return f"{node.op.name}({', '.join(short(v) for v in numbers)})"
    except (TypeError, ValueError):
        return node.op.name


# Disagreements


def _numerical(tell: _Teller) -> Iterator[Problem]:
    """Edges and inputs whose derivative is another than that by differences, if these were asked for."""
    if not getattr(tell.picture, "numerical", False):
        return
    from .numerical import inputs_of_picture, mark

    for edge, found in mark(tell.picture).items():
        if found["wrong"]:
            yield {"kind": "numerical", "edge": edge, "key": found["key"], "values": found["values"]}
    for leaf, found in inputs_of_picture(tell.picture).items():
        if found["wrong"]:
            values = {**found["values"], "name": tell.name_of(leaf)}
            yield {"kind": "numerical", "node": leaf, "key": found["key"], "values": values}


# Sizes of derivatives


def depths(nodes: Sequence[Node], ends: Sequence[Node | None]) -> dict[Node, int]:
    """For each node from which an output was made, how many operations lie between at the most."""
    found = {end: 0 for end in ends if end is not None}
    for node in reversed(nodes):
        if node in found:
            step = 0 if node.op is PICK else 1
            for parent in node.parents:
                if parent is not None:
                    found[parent] = max(found.get(parent, 0), found[node] + step)
    return found


def norm_of(derivative: Any) -> float:
    """The norm of a derivative; NaN if it isn't finite."""
    if isinstance(derivative, tuple | list):
        return math.hypot(*(norm_of(part) for part in derivative))
    if isinstance(derivative, int):
        return float(abs(derivative)) if abs(derivative) < 2**1000 else math.inf
    if isinstance(derivative, np.ndarray) and derivative.ndim:
        if not np.isfinite(derivative).all():
            return math.nan
        largest = float(np.max(np.abs(derivative), initial=0.0))
        if largest in (0.0, math.inf):
            return largest
        return largest * float(np.linalg.norm((derivative / largest).ravel()))  # the square alone might overflow
    size = float(abs(derivative))
    return size if math.isfinite(size) else math.nan


def _sizes(tell: _Teller) -> Iterator[Problem]:
    """Where the derivatives begin to be too large or too small for all that comes before."""
    start = math.sqrt(
        sum(math.prod(end.shape) for end in tell.graph.outputs if end is not None and isinstance(end.shape, tuple))
    )
    if not start:
        return
    levels: dict[int, tuple[float, Node]] = {}
    for node, depth in depths(tell.graph.nodes, tell.graph.outputs).items():
        size = norm_of(tell.totals[node]) / start if node in tell.totals else 0.0
        if not math.isnan(size) and (depth not in levels or size > levels[depth][0]):
            levels[depth] = size, node
    order = sorted(levels)
    for depth in order:
        size, node = levels[depth]
        if size > EXPLODED:
            largest = max(s for s, _ in levels.values())
            yield tell.at_node(
                "exploding", node, "problem.exploding", depth=depth, ratio=_power(size), most=_power(largest)
            )
            break
    begins = None
    for depth in reversed(order):
        if levels[depth][0] >= VANISHED:
            break
        begins = depth
    if begins is not None and levels[begins][0] > 0:
        size, node = levels[begins]
        least = min(s for d, (s, _) in levels.items() if d >= begins)
        yield tell.at_node("vanishing", node, "problem.vanishing", depth=begins, ratio=_power(size), most=_power(least))


def _power(size: float) -> str:
    return short(float(f"{size:.2g}"))


# Activations


def _relus(tell: _Teller) -> Iterator[Problem]:
    found, runs = [], []
    for node in tell.graph.nodes:
        x = _rectified(tell, node)
        if x is None or not np.size(x):
            continue
        runs.append(node)
        off = np.asarray(x) <= 0
        count, size = int(np.count_nonzero(off)), int(np.size(x))
        share = f"{100 * count / size:.0f}%"
        if count == size:
            found.append(tell.at_node("dead", node, "problem.dead", count=count, size=size, share=share))
        elif off.ndim > 1 and off.shape[0] >= EXAMPLES and (units := int(np.count_nonzero(off.all(axis=0)))):
            of = math.prod(off.shape[1:])
            found.append(
                tell.at_node("dead", node, "problem.dead.units", units=units, of=of, examples=off.shape[0], share=share)
            )
        elif size >= ENTRIES and count >= MOSTLY_DEAD * size:
            found.append(tell.at_node("dead", node, "problem.dead.mostly", count=count, size=size, share=share))
    return by_line(found, runs, tell.line, lambda values: (values.get("units", 0), values.get("count", 0)))


def _rectified(tell: _Teller, node: Node) -> Any:
    """What a Relu was given; None if the node is none."""
    if node.op is None or isinstance(node.shape, list):
        return None
    given = tell.inputs(node)
    if node.op.name.lower() == "relu" and len(given) == 1:
        return _real(given[0])
    if node.op.name in ("maximum", "fmax") and len(given) == 2:
        for x, other, parent in ((given[0], given[1], node.parents[1]), (given[1], given[0], node.parents[0])):
            if parent is None and other is not None and not np.any(other):
                return _real(x)
    return None


def _sigmoids(tell: _Teller) -> Iterator[Problem]:
    found, runs = [], []
    for node in tell.graph.nodes:
        if node.op is None or isinstance(node.shape, list):
            continue
        name = node.op.name.lower()
        tanh = name == "tanh"
        if not (tanh or name == "sigmoid" or _is_sigmoid(tell, node)):
            continue
        y = _real(tell.values.get(node))
        if y is None or not np.size(y):
            continue
        runs.append(node)
        y = np.asarray(y, np.float64)
        own = 1 - y * y if tanh else y * (1 - y)
        count, size = int(np.count_nonzero(own < FLAT)), int(np.size(y))
        if size == 1:  # a number of its own may well be far out, unless so little is left that it counts for nothing
            if own.item() < VANISHED:
                found.append(tell.at_node("saturated", node, "problem.saturated.number", own=short(own.item())))
        elif count >= MOSTLY_FLAT * size:
            share = f"{100 * count / size:.0f}%"
            found.append(tell.at_node("saturated", node, "problem.saturated", count=count, size=size, share=share))
    return by_line(found, runs, tell.line, lambda values: (values.get("count", 0),))


def by_line(
    problems: Sequence[Problem],
    runs: Sequence[Node],
    line_of: Callable[[Node], Hashable],
    how_bad: Callable[[Mapping[str, Any]], Any],
) -> Iterator[Problem]:
    """Problems that a loop repeats as one: where it is met first, with the numbers of the worst.

    Args:
        problems: at nodes.
        runs: all nodes that were looked at, with a problem or without.
        line_of: the line of code that a node was made in.
        how_bad: the greater, the worse.
    """
    passes = Counter(line_of(node) for node in runs)
    alike: dict[Any, list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem["key"], line_of(problem["node"])), []).append(problem)
    for (key, line), same in alike.items():
        if len(same) == 1:
            yield same[0]
        else:
            values = max((problem["values"] for problem in same), key=how_bad)
            values = {**values, "name": same[0]["values"]["name"], "times": len(same), "runs": passes[line]}
            yield {**same[0], "key": f"{key}.again", "values": values}


def _is_sigmoid(tell: _Teller, node: Node) -> bool:
    """Whether it is the last operation of 1 / (1 + exp(...)), written out."""
    assert node.op is not None
    given = tell.inputs(node)
    if node.op.name == "divide":
        below = node.parents[1]
        if node.parents[0] is not None or not _is_one(given[0]):
            return False
    elif node.op.name == "reciprocal":
        below = node.parents[0]
    else:
        return False
    if below is None or below.op is None or below.op.name != "add":
        return False
    sides = zip(tell.inputs(below), below.parents, strict=True)
    return any(p is None and _is_one(v) for v, p in sides) and any(
        p is not None and p.op is not None and p.op.name == "exp" for p in below.parents
    )


def _is_one(value: Any) -> bool:
    return value is not None and np.ndim(value) == 0 and bool(value == 1)


def _real(value: Any) -> Any:
    return None if value is None or isinstance(value, tuple) or np.iscomplexobj(value) else value


# Inputs


def _unused(tell: _Teller) -> Iterator[Problem]:
    used = depths(tell.graph.nodes, tell.graph.outputs)
    for leaf in tell.graph.inputs:
        if leaf not in used:
            yield tell.at_node("unused", leaf, "problem.unused")

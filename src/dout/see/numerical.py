"""`see(..., numerical=True)`: each edge's derivative beside the numerical one, with a mark where they disagree.

What a mark means: the operation at which the edge ends was handed a derivative, `dout`, from downstream, right or wrong.
Given that `dout`, what the operation hands on along the edge is compared with differences of this one operation, run
again with only this one input changed: of `sum(dout * out)`. So a wrong backward is marked on its own edges and nowhere
else: the edges upstream of it carry wrong numbers too, but their operations did what they should with what they
were given. That needs no run of the whole graph. Besides, `inputs_of_picture` compares the derivative of each input with
differences of the whole recorded graph, which is what a wrong backward spoils in the end.

What can't be told (at a kink, at a jump, beside a NaN, below the rounding of float32) is undecided, and not marked.
An operation whose backward ignores `dout` is right as long as `dout` is 1; `dout.check` finds those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import PICK, Node, ndim_of
from .replay import Replay, Unknown, inputs_of, runner, undisturbed, wide
from .verdicts import BAD, RIGHT, UNDECIDED, Measure, Verdict, Verdicts, compared
from .words import say, words

if TYPE_CHECKING:
    from .picture import Picture

#: Beyond so many inputs of one operation, they are compared all together first, and one by one only if that disagrees.
MANY = 24
#: How many operations may be run again to compare the inputs with the whole graph, each about ten times.
RERUNS = 200_000

#: Operations that lose as many digits as their matrix is ill-conditioned.
_ALL = 1e300  # nothing can be said
_SOLVING = ("inv", "solve", "det", "slogdet", "cholesky")

#: What there is to say of an edge, as a dict: see `mark`.
Mark = dict[str, Any]


def mark(picture: Picture, lang: str | None = None) -> dict[tuple[Node, int], Mark]:
    """Compare the derivative along each edge with the numerical one of the operation at which the edge ends.

    Args:
        picture: what `see` gave.
        lang: the language of the texts.

    Returns:
        for (node, i), the edge to its i-th input: `numerical`, a number, a small array, or None for an array of which only
        some entries were compared; `wrong`; `verdict`, "right", "wrong" or "undecided"; `why`, a sentence; `key`
        and `values`, of which the sentence is made; `tried`, how many entries, of how many, and random directions. Edges
        along which no derivative flows are left out.

    Example:
        >>> import dout
        >>> class Wrong(dout.Layer):
        ...     def forward(self, x, y):
        ...         self.x, self.y = x, y
        ...         return x * y
        ...
        ...     def backward(self, dout):
        ...         return dout * self.y, dout * self.y
        >>> picture = dout.see(lambda x, y: Wrong()(x * 2.0, y) + 1.0, 3.0, 5.0)
        >>> for (node, i), found in mark(picture).items():
        ...     print(node.op.name, i, found["verdict"], f"{found['numerical']:.6g}")
        multiply 0 right 10
        Wrong 0 right 5
        Wrong 1 wrong 6
        add 0 right 1
    """
    found: dict[tuple[Node, int], Mark] = {}
    with undisturbed():  # a step may leave an operation's domain
        for node in picture.graph.nodes:
            if node.op is None or node.op is PICK or node not in picture.totals:
                continue
            try:
                marks = {i: _said(v, node.op.name, "numerical.", lang) for i, v in _of_node(picture, node).items()}
            except OverflowError:  # an int that no float can hold
                edges = [i for i, p in enumerate(node.parents) if p is not None and (node, i) in picture.edges]
                marks = {i: _said(_undecided(node.parents[i], "big"), node.op.name, "numerical.", lang) for i in edges}
            found |= {(node, i): marked for i, marked in marks.items()}
    return found


def inputs_of_picture(picture: Picture, lang: str | None = None) -> dict[Node, Mark]:
    """Compare the derivative of each input with differences of the whole recorded graph.

    Branches that Python took stay as they were. Where there are too many inputs for so large a graph, the last are not
    compared, and are undecided.

    Returns:
        for each input on which an output depends, the same as `mark` gives for an edge.

    Example:
        >>> import dout
        >>> picture = dout.see(lambda x, y: x * y * y, 2.0, 3.0)
        >>> for found in inputs_of_picture(picture).values():
        ...     print(found["why"])
        The numerical derivative through the whole graph agrees: 9.
        The numerical derivative through the whole graph agrees: 12.
    """
    found: dict[Node, Mark] = {}
    left = RERUNS
    with undisturbed():
        for leaf in picture.graph.inputs:
            if leaf not in picture.totals:
                continue
            name = picture.graph.names[leaf]
            try:
                verdicts, spent = _of_input(picture, leaf, left)
                found[leaf] = _said(verdicts, name, "numerical.input.", lang)
            except OverflowError:  # an int that no float can hold
                spent = 0
                found[leaf] = _said(_undecided(leaf, "big"), name, "numerical.input.", lang)
            left -= spent
    return found


def _of_node(picture: Picture, node: Node) -> dict[int, Verdicts]:
    """The verdicts on an operation's edges."""
    edges = [i for i, p in enumerate(node.parents) if p is not None and (node, i) in picture.edges]
    silent = [i for i, p in enumerate(node.parents) if p is not None and (node, i) not in picture.edges]
    try:
        given = inputs_of(node, picture.values)
        run = runner(node)
    except Unknown:
        return {i: _undecided(node.parents[i], "unknown") for i in edges}
    douts = _flat(picture.totals[node])
    measure = _weighted(run, douts)
    try:
        now = _flat(run(*given))
        size = sum(float(np.sum(np.abs(np.asarray(o * d)))) for o, d in zip(now, douts, strict=True))
    except Exception:  # the user's own forward may raise anything
        return {i: _undecided(node.parents[i], "fails") for i in edges}
    if node in picture.values and not _same(picture.values[node], now, _bytes(node)):
        return {i: _undecided(node.parents[i], "again") for i in edges}
    finite = [bool(np.all(np.isfinite(_number(v)))) for v in given]
    lost, narrow = _lost(node, picture.values), _bytes(node)
    found: dict[int, Verdicts] = {}
    if len(edges) > MANY and _together(picture, node, edges, given, measure):
        for i in edges:
            found[i] = Verdicts(int(np.size(given[i])), [Verdict(RIGHT, "together", 0.0)], directions=1)
        return found
    for i in edges:
        others = all(finite[:i] + finite[i + 1 :])
        moving = _moving(measure, given, i)
        found[i] = compared(given[i], picture.edges[node, i], moving, narrow, i, others, size, lost)
    for i in silent:  # a layer may say None for an input, such as labels
        verdicts = compared(given[i], 0.0, _moving(measure, given, i), narrow, seed=i)
        if verdicts.telling.verdict == BAD:
            verdicts.all = [_none(verdicts.telling)]
            found[i] = verdicts
    return dict(sorted(found.items()))


def _of_input(picture: Picture, leaf: Node, left: int) -> tuple[Verdicts, int]:
    """The verdict on an input's derivative, and how many operations were run again for it."""
    graph = picture.graph
    try:
        x = wide(picture.values[leaf])
        again = Replay(graph, picture.values, [leaf], graph.outputs)
    except (KeyError, Unknown):
        return _undecided(leaf, "unknown"), 0
    cost = max(1, len(again)) * min(int(np.size(x)), 10)
    if cost > left:
        return _undecided(leaf, "budget"), 0
    ends = [end for end in graph.outputs if end is not None]
    try:
        now = again(x)
    except Exception:
        return _undecided(leaf, "fails"), 0
    narrow = min(_bytes(n) for n in (leaf, *(step[0] for step in again.plan)))
    if not all(
        _same(picture.values[end], [v], narrow) for end, v in zip(ends, now, strict=True) if end in picture.values
    ):
        return _undecided(leaf, "again"), 0
    weights = [np.ones(()) for _ in ends]

    def measure(value: Any) -> np.ndarray:
        return _joined(again(value), weights)

    finite = all(np.all(np.isfinite(_number(picture.values[n]))) for n in graph.inputs if n in picture.values)
    lost = max((_lost(node, picture.values) for node, *_ in again.plan), default=0.0)
    noise = _noise(picture, [node for node, *_ in again.plan])
    return compared(x, picture.totals[leaf], measure, narrow, finite=finite, lost=lost, noise=noise), cost


def _weighted(run: Any, douts: Sequence[Any]) -> Any:
    """The operation's outputs times the derivative that arrived at each, real parts, in one row."""
    douts = list(map(wide, douts))
    if len(douts) == 1 and isinstance(douts[0], int | float):
        weight = douts[0]

        def number(*given: Any) -> np.ndarray:
            out = run(*given)
            return np.array([out * weight]) if type(out) is float else _joined(_flat(out), douts)

        return number
    return lambda *given: _joined(_flat(run(*given)), douts)


def _moving(measure: Any, given: Sequence[Any], i: int) -> Measure:
    """The same as a function of the i-th input."""
    before, after = list(given[:i]), list(given[i + 1 :])
    return lambda value: measure(*before, value, *after)


def _together(picture: Picture, node: Node, edges: Sequence[int], given: Sequence[Any], measure: Any) -> bool:
    """Whether the derivatives for many inputs agree along one random direction in which all inputs move."""
    rng = np.random.default_rng(len(edges))
    units, total = {}, 0.0 + 0.0j
    for i in edges:
        if np.iscomplexobj(given[i]) or isinstance(given[i], int):
            return False
        sizes = np.abs(given[i])
        units[i] = rng.uniform(0.5, 1, np.shape(given[i])) * rng.choice([-1, 1], np.shape(given[i]))
        units[i] = units[i] * np.where(sizes > 0, sizes, 1.0)
        total += np.sum(picture.edges[node, i] * units[i])

    def moved(h: Any) -> np.ndarray:
        values = list(given)
        for i, unit in units.items():
            values[i] = values[i] + h * unit
        out: np.ndarray = measure(*values)
        return out

    return compared(0.0, total.real, moved, _bytes(node)).telling.verdict == RIGHT


def _number(value: Any) -> Any:
    """What NumPy can be asked about: what holds no number is finite, as a large int is."""
    holds = isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc"
    return value if holds or isinstance(value, float | complex) else 0


def _noise(picture: Picture, nodes: Sequence[Node]) -> float:
    """What the rounding of every value on the way comes to in the output."""
    squares = 0.0
    for node in nodes:
        for value, d in zip(_flat(picture.values.get(node)), _flat(picture.totals.get(node)), strict=False):
            if value is not None and d is not None:
                squares += float(np.sum(np.abs(np.asarray(value * d, complex)) ** 2))
    return 2.0**-52 * float(np.sqrt(squares)) if np.isfinite(squares) else 0.0


def _lost(node: Node, values: Mapping[Node, Any]) -> float:
    """What an ill-conditioned matrix costs: by so much the derivative of what is solved for may be off."""
    if node.op is None or node.op.name not in _SOLVING:
        return 0.0
    try:
        matrix = inputs_of(node, values, range(1, len(node.parents)))[0]
        condition = float(np.max(np.linalg.cond(matrix), initial=1.0))
    except (Unknown, np.linalg.LinAlgError):
        return _ALL
    eps = 2.0**-52 if _bytes(node) == 8 else 2.0**-23
    return 100 * eps * condition if eps * condition < 1e-4 else _ALL


def _none(told: Verdict) -> Verdict:
    return Verdict(UNDECIDED, "none", told.computed, told.numerical, told.index)


def _undecided(node: Node | None, reason: str) -> Verdicts:
    shape = node.shape if node is not None and not isinstance(node.shape, list) else ()
    return Verdicts(int(np.prod(shape, dtype=int)), [Verdict(UNDECIDED, reason, np.nan)])


def _flat(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


def _joined(outs: Sequence[Any], weights: Sequence[Any]) -> np.ndarray:
    parts = [np.ravel(np.real(o * w)) for o, w in zip(outs, weights, strict=True)]
    return np.asarray(parts[0] if len(parts) == 1 else np.concatenate(parts), dtype=np.float64)


def _same(before: Any, now: Sequence[Any], narrow: int) -> bool:
    """Whether running again gave what was recorded, beyond what a BLAS may round otherwise."""
    slack = 1e-9 if narrow == 8 else 1e-3 if narrow == 4 else 0.1
    befores = _flat(before)
    return len(befores) == len(now) and all(
        np.shape(a) == np.shape(b)
        and bool(
            np.allclose(
                np.asarray(a, complex), np.asarray(b, complex), rtol=slack, atol=slack * _size(a), equal_nan=True
            )
        )
        for a, b in zip(befores, now, strict=True)
    )


def _size(value: Any) -> float:
    sizes = np.abs(np.asarray(value, complex)) if ndim_of(value) else np.zeros(1)
    finite = sizes[np.isfinite(sizes)]
    return float(np.max(finite)) if finite.size else 0.0


def _bytes(node: Node) -> int:
    """With how many bytes the real numbers of an operation are computed, at the least: one narrow input is enough."""
    dtypes = [node.dtype, *(p.dtype for p in node.parents if p is not None)]
    dtypes += [v.dtype for v in (getattr(node, "given", None) or node.args) if isinstance(v, np.ndarray | np.generic)]
    sizes = [d.itemsize // (2 if d.kind == "c" else 1) for d in dtypes if isinstance(d, np.dtype) and d.kind in "fc"]
    return min([8, *(size for size in sizes if size >= 2)])


def _said(verdicts: Verdicts, name: str, prefix: str, lang: str | None) -> Mark:
    """A mark, in words and numbers."""
    told = verdicts.telling
    key = (prefix if told.reason in _OF_INPUTS else "numerical.") + told.reason
    if told.reason == "right" and verdicts.directions:
        key = "numerical.some"
    elif told.reason == "wrong" and told.index:
        key += ".entry"
    right = told.verdict == RIGHT
    computed, numerical = (
        (_text(n, 6) for n in (told.computed, told.numerical)) if right else _apart(told.computed, told.numerical)
    )
    values: Mapping[str, Any] = {
        "name": name,
        "computed": computed,
        "numerical": numerical,
        "left": f"{told.left:.4g}",
        "right": f"{told.right:.4g}",
        "index": "[" + ", ".join(map(str, told.index or ())) + "]",
        "entries": verdicts.entries,
        "of": verdicts.of,
        "directions": verdicts.directions,
    }
    return {
        "numerical": verdicts.numerical,
        "wrong": told.verdict == BAD,
        "verdict": told.verdict,
        "why": say(key, lang, **values),
        "key": key,
        "values": {name: value for name, value in values.items() if f"{{{name}}}" in words()["en"][key]},
        "tried": {"entries": verdicts.entries, "of": verdicts.of, "directions": verdicts.directions},
    }


#: Reasons that are told in other words where they are about the whole graph.
_OF_INPUTS = ("right", "wrong")


def _apart(a: complex, b: complex) -> tuple[str, str]:
    """Two numbers in as many digits as it takes to tell them apart, six at least."""
    for digits in range(6, 18):
        x, y = _text(a, digits), _text(b, digits)
        if x != y:
            return x, y
    return _text(a, 6), _text(b, 6)


def _text(number: complex, digits: int) -> str:
    number = complex(number)
    if number.imag == 0 or np.isnan(number.real):
        return f"{number.real:.{digits}g}"
    return f"{number:.{digits}g}"

"""A function of one example, run for a whole batch.

It runs on the first example, and what it does there is done to all. Examples for which Python would have gone another way
are run again, from the first of them on. Where that takes too many runs, or a run can't be noted, each example runs by
itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy

from .. import mapped as _handles  # noqa: F401  it says which class the handles are
from ..arguments import call, scope
from ..graph import NO_PARAMS, form, plain
from ..mapper import MappedLeaf, Mapper, Outside, Source, Step
from ..recorder import RECORDER
from ..recording import Handle, differentiated, make
from ..tree import Rebuild, flatten, parts
from .registry import Operand
from .running import NobodyLeft, Running

np: Any = numpy  # NumPy's stubs know arrays only, and results may be Variables

#: A batch is run in so many ways at most; the rest runs one by one.
MOST_WAYS = 8
#: In the place of a result that is None.
NONE = Operand(None, False)


class Results(NamedTuple):
    """What a function gave for some of the examples.

    Attributes:
        places: which ones.
        values: the results, with a batch axis where they depend on the example.
        rebuild: puts them into their containers.
        outline: those containers.
    """

    places: Any
    values: list[Operand]
    rebuild: Rebuild
    outline: Any


def mapped(
    f: Callable[[list[Any]], Any], inputs: Sequence[Any], n: int, name: str, again: Callable[..., Any]
) -> Results:
    """The results of `f` for each example.

    Args:
        f: takes the list of an example's values.
        inputs: arrays and Variables, each with the batch's axis first.
        n: how many examples there are.
        name: what to call the function in messages.
        again: vmap itself, for the backward of layers.
    """
    left = np.arange(n)
    pieces: list[Results] = []
    why = f"Python looks at values (if x > 0, float(x), x[x > 0]) and goes more than {MOST_WAYS} ways"
    for _ in range(MOST_WAYS):
        given = inputs if len(left) == n else [v[left] for v in inputs]
        try:
            found, kept = _noted(f, given, len(left), again)
        except NobodyLeft:
            pieces.append(_one_by_one(f, inputs, left[:1], name))
            left = left[1:]
        except Exception as error:
            if not n:
                raise ValueError(
                    f"vmap of {name}: there are no examples, and it fails for one of zeros ({type(error).__name__}: {error}), "
                    "so that it can't be known what it returns"
                ) from error
            why = f"it can't be noted ({type(error).__name__}: {error})"
            break
        else:
            pieces.append(found._replace(places=left[kept]))
            left = np.delete(left, kept)
        if not len(left):
            return _joined(pieces, n, name)
    pieces.append(_one_by_one(f, inputs, left, name, why))
    return _joined(pieces, n, name)


class CantNote(Exception):
    """Raised where a run can't be noted, saying why."""


def _noted(
    f: Callable[[list[Any]], Any], inputs: Sequence[Any], n: int, again: Callable[..., Any]
) -> tuple[Results, Any]:
    """Run the first example, and do what it did to all that would do the same."""
    mapper = Mapper()
    token = RECORDER.set(mapper)
    try:
        with scope() as here:
            handles = []
            for v in inputs:
                leaf = MappedLeaf(_first(v, n), None, here)
                leaf.place = mapper.enter(Step(None, (), NO_PARAMS, *form(leaf.value)))
                leaf.live = frozenset((leaf,)) if differentiated(v) else frozenset()
                handles.append(make(leaf.value, leaf))
            out = call(lambda: f(handles), (), {})
        outs, rebuild = flatten(out)
        ends: list[Source] = [_source(o, mapper) for o in outs]
    finally:
        mapper.closed = True
        RECORDER.reset(token)
    if mapper.failed is not None:
        raise CantNote(mapper.failed)
    running = Running(mapper, inputs, n, again)
    with np.errstate(all="ignore"):
        values = running.run(ends)
    values = [NONE if o is None else v for o, v in zip(outs, values, strict=True)]
    return Results(None, values, rebuild, outline(out)), running.kept


def _first(v: Any, n: int) -> Any:
    """The first example's value; of none, zeros."""
    value = v._value if isinstance(v, Handle) else v
    if not n:
        return np.zeros(value.shape[1:], value.dtype)[()]
    return np.array(value[0])[()]


def _source(out: Any, mapper: Mapper) -> Source:
    """Where a result comes from."""
    if isinstance(out, Handle):
        return mapper.source(out._node, out._value)
    _hold_number(out)
    return Outside(mapper.constant(out))


def _hold_number(out: Any) -> None:
    is_array = isinstance(out, numpy.ndarray | numpy.generic) and out.dtype.kind in "fciub"
    if not (out is None or is_array or isinstance(out, int | float | complex | Handle)):
        raise TypeError(
            f"a function under vmap has to return numbers and arrays, in containers; got {type(out).__name__}"
        )


def _one_by_one(
    f: Callable[[list[Any]], Any], inputs: Sequence[Any], places: Any, name: str, why: str | None = None
) -> Results:
    """Run each of some examples by itself; say why, once the first has shown that it can."""
    columns: list[list[Any]] = []
    first: tuple[Any, Rebuild] | None = None
    for i in places:
        out = call(lambda i=i: f([_own(v[i]) for v in inputs]), (), {})
        outs, rebuild = flatten(out)
        for o in outs:
            _hold_number(o)
        if first is None:
            first = outline(out), rebuild
            columns = [[] for _ in outs]
            if why is not None and len(places) > 1:
                warnings.warn(
                    f"vmap of {name}: one example after another is run, which is slow, because {why}. Choose by np.where "
                    "instead of by if, and keep mapped values in NumPy's functions.",
                    UserWarning,
                    stacklevel=4,
                )
        elif outline(out) != first[0]:
            raise ValueError(_differ(name, "containers", first[0], outline(out)))
        for column, o in zip(columns, outs, strict=True):
            column.append(o)
    assert first is not None
    values = [NONE if column[0] is None else Operand(_stacked(column, name), True) for column in columns]
    return Results(places, values, first[1], first[0])


def _own(v: Any) -> Any:
    """An example's value, which the function may write into."""
    return np.copy(v) if isinstance(v, Handle | numpy.ndarray) else v


def _stacked(column: list[Any], name: str) -> Any:
    shapes = {np.shape(plain(o)) for o in column}
    if len(shapes) > 1:
        raise ValueError(_differ(name, "shapes", *sorted(shapes)[:2]))
    return np.stack(column)


def _differ(name: str, what: str, *found: Any) -> str:
    return (
        f"vmap of {name}: it returns different {what} for different examples: {found[0]} and {found[1]}. Results are stacked, "
        "so they have to be alike: choose by np.where, or multiply by a mask instead of indexing with it."
    )


def _joined(pieces: Sequence[Results], n: int, name: str) -> Results:
    """The results of all examples in their order."""
    first = pieces[0]
    if len(pieces) == 1 and len(first.places) == n:
        return first
    order = np.argsort(np.concatenate([p.places for p in pieces]))
    values = []
    for p in pieces:
        if p.outline != first.outline:
            raise ValueError(_differ(name, "containers", first.outline, p.outline))
    for column in zip(*[p.values for p in pieces], strict=True):
        if first.outline is not None and any(x is NONE for x in column):
            if not all(x is NONE for x in column):
                raise ValueError(_differ(name, "kinds of results", "None", "a number"))
            values.append(NONE)
            continue
        spread = [x.spread(len(p.places)) for x, p in zip(column, pieces, strict=True)]
        shapes = {np.shape(plain(v))[1:] for v in spread}
        if len(shapes) > 1:
            raise ValueError(_differ(name, "shapes", *sorted(shapes)[:2]))
        values.append(Operand(np.concatenate(spread)[order], True))
    return Results(np.arange(n), values, first.rebuild, first.outline)


def outline(tree: Any) -> Any:
    """The containers of a tree, without what is in them."""
    found = parts(tree)
    if found is None:
        return "None" if tree is None else "·"
    keys = tuple(tree) if isinstance(tree, dict) else ()
    return type(tree).__name__, keys, tuple([outline(child) for child in found[0]])

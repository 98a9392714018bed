"""A program as statements over memory, products and calls, in order, before anything is fused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..graph import NO_PARAMS
from .contractions import Contraction, contraction
from .indices import index_of
from .places import EVEN, Place, even, gathered, largest, own, read, viewed
from .plan import Call, Product, Read, Rolled, Statement
from .program import Program, Value

#: Says of a value whether it is computed entry by entry ("map"), reduced ("reduce"), or by NumPy (None).
Kind = Callable[[Program, int], str | None]
Unit = Statement | Product | Rolled | Call
#: Products with all sizes up to this are written out as loops, which LLVM unrolls; larger ones are for BLAS.
SMALL = 16


class Unwritten(Exception):
    """There are no statements for this value."""


class Writing:
    """Writes a program's statements.

    Attributes:
        values: the program's, and after them constants that stood in indices.
        units: statements, products and calls, in order.
        places: where each value lies.
    """

    def __init__(self, program: Program, kind: Kind, kinds: Any, products: bool = True) -> None:
        self.program = Program(list(program.values), program.outputs, program.checks, program.n_inputs)
        self.values = self.program.values
        self.known = len(program.values)
        self.kind = kind
        self.kinds = kinds
        self.products = products
        self.units: list[Unit] = []
        self.places: dict[int, Place] = {}
        self.outside: set[int] = set()  # not made by statements
        self.checked: set[int] = set()
        self._settled: set[int] = set()
        checks: dict[int, list[int]] = {}
        for k, check in enumerate(program.checks):
            checks.setdefault(check.value, []).append(k)
        outputs = set(program.outputs)
        for i in range(len(program.values)):
            before = len(self.units)
            self._enter(i)
            held = [k for k in checks.get(i, ()) if self._holds(i, k)]
            seen = i in outputs or len(held) < len(checks.get(i, ()))
            if seen and (len(self.units) > before or self.values[i].op is not None):
                self.settle(i)
            for k in held:
                self._add("check", i, (), (self._operand(i, (), ()),), Read(i, 0, ()), number=k)
                self.checked.add(k)

    # Values

    def _holds(self, i: int, k: int) -> bool:
        """Whether native code can hold a value to what it was: a number that it computes or is given."""
        value = self.values[i]
        number = not value.shape and not value.array and value.dtype in self.kinds and not value.is_constant()
        return number and i in self.places and type(self.program.checks[k].expected) in (bool, float)

    def _enter(self, i: int) -> None:
        value = self.values[i]
        if value.op is None:
            self.outside.add(i)
            if value.dtype in self.kinds or _is_integer(value):
                self.places[i] = own(i, value.shape)
            return
        if value.op.name == "loop":
            self._call(i)
            return
        before = len(self.units)
        try:
            self._write(i, value)
        except Unwritten:
            del self.units[before:]
            self._call(i)

    def _call(self, i: int, keep: bool = False) -> None:
        value = self.values[i]
        assert value.op is not None
        for a in value.args:
            self.settle(a)
        made = Rolled(i, sorted(set(value.args)), [i]) if value.op.name == "loop" else Call(i, sorted(set(value.args)))
        self.units.append(made)
        self.outside.add(i)
        if not keep and not isinstance(value.shape, list) and (value.dtype in self.kinds or _is_integer(value)):
            self.places[i] = own(i, value.shape)

    def settle(self, i: int) -> None:
        """Let a value be in a buffer of its own, as NumPy needs it."""
        place = self.places.get(i)
        if place is None or place.buffer == i or i in self._settled:
            return
        self._settled.add(i)
        if place.buffer in self.outside and place.buffer < self.known:
            self._call(i, keep=True)
        else:
            self._copy(i, own(i, self.values[i].shape), place)

    def _fresh(self, shape: tuple[int, ...], dtype: Any, constant: Any = None) -> int:
        """The number of a value that the program doesn't have: a constant, or room."""
        self.values.append(Value(None, (), NO_PARAMS, shape, dtype, constant=constant, array=True))
        i = len(self.values) - 1
        self.places[i] = own(i, shape)
        if constant is not None:
            self.outside.add(i)
        return i

    def place(self, a: int) -> Place:
        """Where a value lies.

        Raises:
            Unwritten: if it has a dtype that there is no code for.
        """
        found = self.places.get(a)
        if found is None or math.prod(found.shape) == 0:
            raise Unwritten
        return found

    # Statements

    def _write(self, i: int, value: Value) -> None:
        assert value.op is not None
        name = value.op.name
        if isinstance(value.shape, list) or math.prod(value.shape) == 0:
            raise Unwritten
        if name == "call":
            self._count(i, value)
            return
        if value.dtype not in self.kinds:
            raise Unwritten
        if value.op.view or name == "copy":
            self._view(i, value)
            return
        if value.array and not value.shape:
            raise Unwritten  # few operations make an array without axes; NumPy knows which
        special = _SPECIAL.get(name)
        if special is not None:
            special(self, i, value)
            return
        how = self.kind(self.program, i)
        if how == "map":
            self._map(i, value)
        elif how == "reduce":
            self._reduce(i, value)
        else:
            raise Unwritten

    def _map(self, i: int, value: Value) -> None:
        shape = value.shape
        live = [axis for axis, n in enumerate(shape) if n > 1]
        reads = tuple([self._operand(a, shape, live) for a in value.args])
        self.places[i] = own(i, shape)
        self._add("map", i, tuple([shape[a] for a in live]), reads, read(self.places[i], shape, live))

    def _operand(self, a: int, shape: tuple[int, ...], live: Sequence[int]) -> Read:
        if self.values[a].is_constant() and not self.values[a].shape:
            return Read(a, 0, (0,) * len(live))
        return read(self.place(a), shape, live)

    def _add(self, how: Any, i: int, extents: tuple[int, ...], reads: Any, write: Read, **more: Any) -> None:
        if how == "reduce" and all(write.strides):  # over axes of one place
            how = "copy"
        self.units.append(Statement(how, i, extents, reads, write, **more))

    def _copy(self, i: int, to: Place, source: Place | None, number: Any = None, part: bool = False) -> None:
        """Entries from one place to another of the same shape, by broadcasting; or a number everywhere."""
        live = [axis for axis, n in enumerate(to.shape) if n > 1]
        reads = () if source is None else (read(source, to.shape, live),)
        number = None if source is not None else number
        extents = tuple([to.shape[a] for a in live])
        if math.prod(to.shape):
            self._add("copy", i, extents, reads, read(to, to.shape, live), number=number, part=part)

    def _view(self, i: int, value: Value) -> None:
        assert value.op is not None
        name, params = value.op.name, value.params
        if name == "einsum" and len(value.args) > 1:
            self._einsum(i, value)
            return
        base = self.place(value.args[0])
        if self.values[value.args[0]].dtype != value.dtype:
            raise Unwritten
        if name == "copy":
            self.places[i] = base
            if base.buffer in self.outside or not base.is_contiguous():
                self.places[i] = own(i, value.shape)
                self._copy(i, self.places[i], base)
            return
        if name == "getitem":
            index = index_of(params["key"], (), ())
            if index is None:
                raise Unwritten
            if index.arrays:
                self._gather(i, index.key, [self._index(a) for a in index.arrays])
                return
            key = index.key if any(k is Ellipsis for k in index.key) else (*index.key, Ellipsis)
            found = viewed(base, lambda x: x[key])
        else:
            forward = value.op.forward
            found = viewed(base, lambda x: forward(x, **params))
        if found is None and name == "reshape" and params["order"] == "C":
            room = self._fresh(base.shape, value.dtype)
            self._copy(room, self.places[room], base)
            found = own(room, value.shape)
        if found is None or found.shape != value.shape:
            raise Unwritten
        self.places[i] = found

    def _index(self, array: np.ndarray) -> Place:
        return even(array) or self.places[self._fresh(array.shape, array.dtype, array)]

    def _gather(self, i: int, key: Sequence[Any], indices: Sequence[Place]) -> None:
        value = self.values[i]
        base = self.place(value.args[0])
        chosen = _chosen(key, indices, base)
        if chosen.shape != value.shape:
            raise Unwritten
        live = [axis for axis, n in enumerate(value.shape) if n > 1]
        self.places[i] = own(i, value.shape)
        extents = tuple([value.shape[a] for a in live])
        entry = gathered(base, chosen, indices, live)
        self._add("copy", i, extents, (entry,), read(self.places[i], value.shape, live))

    def _gather_computed(self, i: int, value: Value) -> None:
        index = index_of(value.params["key"], value.args[1:], self.values)
        if index is None:
            raise Unwritten
        self._gather(i, index.key, [self._computed(a) for a in index.arrays])

    def _computed(self, a: Any) -> Place:
        """Where computed integers lie, or constant ones."""
        return self._index(a) if isinstance(a, np.ndarray) else self.place(a)

    def _scatter(self, i: int, value: Value) -> None:
        """Zeros, with dout added where the index reads."""
        self._put(i, value, value.args[0], None, "add")

    def _put(self, i: int, value: Value, source: int, base: int | None, how: str) -> None:
        """An array, or zeros, into some places of which something is added or written."""
        index = index_of(value.params["key"] if "key" in value.params else value.params["how"]["key"],
                         value.args[1 if base is None else 2 :], self.values)  # fmt: skip
        if index is None:
            raise Unwritten
        given, number = self._source(source)
        to = self.places[i] = own(i, value.shape)
        self._copy(i, to, None if base is None else self.place(base), 0)
        if not index.arrays:
            key = index.key if any(k is Ellipsis for k in index.key) else (*index.key, Ellipsis)
            part = viewed(to, lambda x: x[key])
            if part is None:
                raise Unwritten
            self._copy(i, part, _fitting(given, part.shape), number)
            return
        indices = [self._computed(a) for a in index.arrays]
        chosen = _chosen(index.key, indices, to)
        given = _fitting(given, chosen.shape)
        live = [axis for axis, n in enumerate(chosen.shape) if n > 1]
        extents = tuple([chosen.shape[a] for a in live])
        if math.prod(chosen.shape):
            entries = () if given is None else (read(given, chosen.shape, live),)
            write = gathered(to, chosen, indices, live)
            self._add("add" if how == "add" else "copy", i, extents, entries, write, number=number)

    def _source(self, a: int) -> tuple[Place | None, Any]:
        """Where what is written lies, or the number that it is."""
        value = self.values[a]
        if value.is_constant() and not value.shape and isinstance(value.constant, int | float | np.number):
            return None, value.constant
        return self.place(a), None

    def _replace(self, i: int, value: Value) -> None:
        if "flat" in value.params:
            raise Unwritten
        self._put(i, value, value.args[1], value.args[0], "copy")

    def _overwrite(self, i: int, value: Value) -> None:
        through, how = value.params["through"], value.params["how"]
        if through.name == "getitem":
            self._replace(i, value)
            return
        base, (given, number) = self.place(value.args[0]), self._source(value.args[1])
        to = self.places[i] = own(i, value.shape)
        part = viewed(to, lambda x: through.forward(x, **how))
        if part is None:
            raise Unwritten
        self._copy(i, to, base)
        self._copy(i, part, _fitting(given, part.shape), number)

    def _reduce(self, i: int, value: Value) -> None:
        assert value.op is not None
        self._reduced(i, self.place(value.args[0]), value.params["axes"], value.op.name)

    def _reduced(self, i: int, source: Place, axes: Sequence[int], combine: str) -> None:
        live = [axis for axis, n in enumerate(source.shape) if n > 1]
        self.places[i] = own(i, self.values[i].shape)
        kept = contiguous_without(source.shape, axes)
        write = Read(i, 0, tuple([kept[a] for a in live]))
        entry = read(source, source.shape, live)
        extents = tuple([source.shape[a] for a in live])
        self._add("reduce", i, extents, (entry,), write, combine=combine)

    def _count(self, i: int, value: Value) -> None:
        """How many entries of a mask are true: `np.sum` or `np.count_nonzero` of it, which gives integers."""
        if value.params["function"] not in (np.sum, np.count_nonzero) or value.dtype != np.dtype(np.int64):
            raise Unwritten
        a = value.args[0]
        source = self.place(a)
        args, options = value.params["rebuild"](iter([a if p is None else p[0] for p in value.params["places"]]))
        axis = args[1] if len(args) == 2 else options.pop("axis", None)
        keepdims = options.pop("keepdims", False)
        mask = len(value.args) == 1 and args[0] is a and np.dtype(self.values[a].dtype) == np.bool_
        if not mask or len(args) > 2 or options or not isinstance(keepdims, bool) or not source.shape:
            raise Unwritten
        axes = normalize_axis_tuple(range(len(source.shape)) if axis is None else axis, len(source.shape))
        if value.array and not value.shape:
            raise Unwritten
        self._reduced(i, source, axes, "sum")

    def _scan(self, i: int, value: Value) -> None:
        assert value.op is not None
        source, axis = self.place(value.args[0]), value.params["axis"]
        if axis is None or self.values[value.args[0]].dtype != value.dtype or source.shape != value.shape:
            raise Unwritten
        live = [a for a, n in enumerate(value.shape) if n > 1]
        self.places[i] = own(i, value.shape)
        if axis % len(value.shape) not in live:
            self._copy(i, self.places[i], source)
            return
        entry, write = read(source, value.shape, live), read(self.places[i], value.shape, live)
        extents = tuple([value.shape[a] for a in live])
        combine = {"cumsum": "sum", "cumprod": "prod"}[value.op.name]
        self._add("scan", i, extents, (entry,), write, combine=combine, scanned=live.index(axis % len(value.shape)))

    def _join(self, i: int, value: Value) -> None:
        to = self.places[i] = own(i, value.shape)
        axis, start = value.params["axis"] % len(value.shape), 0
        for a, width in zip(value.args, value.params["widths"], strict=True):
            part = viewed(to, lambda x, s=start, w=width: x[(slice(None),) * axis + (slice(s, s + w),)])  # type: ignore[misc]
            if part is None or self.values[a].dtype != value.dtype:
                raise Unwritten
            if math.prod(part.shape):
                self._copy(i, part, self.place(a), part=True)
            start += width

    def _stack(self, i: int, value: Value) -> None:
        to = self.places[i] = own(i, value.shape)
        for k, a in enumerate(value.args):
            part = viewed(to, lambda x, k=k: x[k, ...])  # type: ignore[misc]
            if part is None or self.kinds[self.values[a].dtype] != self.kinds[value.dtype]:
                raise Unwritten
            self._copy(i, part, self.place(a), part=True)

    def _entry(self, i: int, value: Value) -> None:
        found = viewed(self.place(value.args[0]), lambda x: x[value.params["at"], ...])
        if found is None or self.kinds[self.values[value.args[0]].dtype] != self.kinds[value.dtype]:
            raise Unwritten
        self.places[i] = found

    def _packed(self, i: int, value: Value) -> None:
        self.places[i] = self.place(value.args[0])

    def _repeat(self, i: int, value: Value) -> None:
        counts, axis = value.params["counts"], value.params["axis"]
        source = self.place(value.args[0])
        times = int(counts[0])
        if not (counts == times).all() or not times or axis is None:
            raise Unwritten
        to = self.places[i] = own(i, value.shape)
        split = (*source.shape[: axis + 1], times, *source.shape[axis + 1 :])
        part = viewed(to, lambda x: x.reshape(split))
        given = viewed(source, lambda x: np.expand_dims(x, axis + 1))
        if part is None or given is None:
            raise Unwritten
        self._copy(i, part, given)

    def _einsum(self, i: int, value: Value) -> None:
        inputs, result = value.params["inputs"], value.params["result"]
        if len(value.args) != 2:
            raise Unwritten
        self._contract(i, value, inputs, result)

    def _matmul(self, i: int, value: Value) -> None:
        x, y = (len(self.place(a).shape) for a in value.args)
        batch = [f"b{k}" for k in range(max(x, y) - 2, 0, -1)]
        left = (["k"] if x == 1 else [*batch[len(batch) - (x - 2) :], "m", "k"]) if x else []
        right = (["k"] if y == 1 else [*batch[len(batch) - (y - 2) :], "k", "n"]) if y else []
        result = [*batch, *(["m"] if x > 1 else []), *(["n"] if y > 1 else [])]
        self._contract(i, value, [left, right], result)

    def _contract(self, i: int, value: Value, inputs: Sequence[Sequence[Any]], result: Sequence[Any]) -> None:
        places = [self.place(a) for a in value.args]
        if any(self.values[a].dtype != value.dtype for a in value.args):
            raise Unwritten
        found: Contraction | None = contraction(places, inputs, result)
        if found is None:
            raise Unwritten
        self.places[i] = own(i, value.shape)
        product = found.product(i) if self.products and found.is_large(SMALL) else None
        if product is not None:
            self.units.append(product)
            return
        if found.is_large(SMALL) and found.has_products():
            raise Unwritten  # NumPy's, by BLAS or not
        extents, reads, strides = found.statement()
        self._add("reduce", i, extents, reads, Read(i, 0, strides), combine="sum")


def contiguous_without(shape: Sequence[int], axes: Sequence[int]) -> list[int]:
    """The strides along each axis of what is left of a contiguous array without some axes; 0 along those."""
    strides, step = [0] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        if axis not in axes:
            strides[axis] = step
            step *= shape[axis]
    return strides


def _chosen(key: Sequence[Any], indices: Sequence[Place], base: Place) -> Any:
    from .places import selected

    chosen = selected(key, [p.shape for p in indices], base)
    if chosen is None or any(indices[k].buffer == EVEN and largest(indices[k]) >= n for k, n, _ in chosen.arrays):
        raise Unwritten
    return chosen


def _fitting(given: Place | None, shape: tuple[int, ...]) -> Place | None:
    """What is written, with axes of one place in front taken off, as NumPy does."""
    if given is None:
        return None
    front = len(given.shape) - len(shape)
    if front <= 0:
        return given
    if any(n != 1 for n in given.shape[:front]):
        raise Unwritten
    return Place(given.buffer, given.offset, given.shape[front:], given.strides[front:])


def _is_integer(value: Value) -> bool:
    """Whether it can be an index: integers that native code reads."""
    return isinstance(value.dtype, np.dtype) and value.dtype in (np.dtype(np.int64), np.dtype(np.int32))


_SPECIAL: dict[str, Callable[[Writing, int, Value], None]] = {
    "concatenate": Writing._join,
    "stacked": Writing._stack,
    "entry": Writing._entry,
    "packed": Writing._packed,
    "repeat": Writing._repeat,
    "cumsum": Writing._scan,
    "cumprod": Writing._scan,
    "scatter": Writing._scatter,
    "scatter_add": Writing._scatter,
    "gather": Writing._gather_computed,
    "write": Writing._overwrite,
    "replace": Writing._replace,
    "matmul": Writing._matmul,
}

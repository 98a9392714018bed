"""What a program becomes before it is code: statements over memory, in loops, in steps.

A `Statement` computes entries of one value over a domain, a tuple of extents. A `Read` says where an entry lies: an
offset and, for each axis of the domain, by how many entries the place moves. Views of NumPy's are nothing but other
strides, so they cost nothing. Statements that go over the same places share loops; what is computed and used at one
place needs no memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .program import Program


@dataclass(frozen=True)
class Index:
    """A computed part of a place: an integer entry, which may count from the end.

    Attributes:
        read: where the integer stands.
        extent: how many places it may name.
        stride: by how many entries the place moves with it.
    """

    read: Read
    extent: int
    stride: int


@dataclass(frozen=True)
class Read:
    """Where a statement's entry lies in a value's buffer, in entries.

    Attributes:
        value: the number of the value whose buffer it is.
        offset: where it begins.
        strides: for each axis of the statement's domain, by how much it moves.
        indices: parts that are computed.
    """

    value: int
    offset: int
    strides: tuple[int, ...]
    indices: tuple[Index, ...] = ()


#: "map" computes an entry by an operation, "copy" is one entry from elsewhere, "reduce" adds up (or multiplies, or keeps
#: the greatest of) entries or products of two, "scan" does so along an axis and keeps every step, "add" adds to an entry
#: that is there, "check" holds a number to what it was.
How = Literal["map", "copy", "reduce", "scan", "add", "check"]


@dataclass(eq=False)
class Statement:
    """Entries of one value, over a domain.

    Attributes:
        how: what is done with the entries that are read.
        value: the number of the value that it computes, or helps to.
        extents: the domain; no extent is 1.
        reads: its inputs' entries, for "map" in the order of the operation's inputs.
        write: where the result goes. Along an axis that is reduced, the place doesn't move.
        scanned: the axis of the domain along which a scan goes.
        combine: "sum", "prod", "max" or "min", for "reduce" and "scan".
        number: the constant that is stored, for a "copy" that reads nothing; for "check", which check it is; for a "map" of
            an index, the extent within which it has to be.
        part: whether it is one of several that fill different entries of a buffer, in any order.
        numbered: for a "reduce" that finds where something is: the number of each entry, as a place. It reads an entry and the
            one that is looked for, and what it reduces are the numbers of those that are alike. For a "map": it reads the
            number of the entry that is chosen, and that entry; all others are 0.
    """

    how: How
    value: int
    extents: tuple[int, ...]
    reads: tuple[Read, ...]
    write: Read
    scanned: int = -1
    combine: str = ""
    number: Any = None
    part: bool = False
    numbered: Read | None = None


@dataclass(eq=False)
class Loop:
    """Statements and loops that are run for each place along one axis.

    Attributes:
        extent: how many places there are.
        body: what is run for each, in order.
    """

    extent: int
    body: list[Loop | Statement]

    def statements(self) -> Iterator[Statement]:
        """All of them, in order."""
        for item in self.body:
            if isinstance(item, Statement):
                yield item
            else:
                yield from item.statements()


@dataclass(eq=False)
class Nest:
    """A native step: statements, and loops around them.

    Attributes:
        body: one loop, or statements about numbers.
        reads, writes: the buffers that it needs from before, and those that are needed after.
        inside: how many outer axes a buffer that lives in the nest only doesn't need, by value: there is one room for all
            places along them.
        pieces: into how many pieces the outermost loop is cut, whatever the number of threads; 0 if it is not cut.
        partial: for each value that is added up over the outermost loop, the buffer with a part for each piece.
        parallel: whether the iterations of the outermost loop (or the pieces, if it is cut) can run in any order.
        work: an estimate of the nanoseconds that it takes on one thread.
    """

    body: list[Loop | Statement]
    reads: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    inside: dict[int, int] = field(default_factory=dict)
    pieces: int = 0
    partial: dict[int, int] = field(default_factory=dict)
    parallel: bool = False
    work: float = 0.0

    @property
    def extent(self) -> int:
        """How many iterations the step's function is called with: pieces, or the extent of the outermost loop."""
        if self.pieces:
            return self.pieces
        first = self.body[0]
        return first.extent if isinstance(first, Loop) and len(self.body) == 1 else 1

    def statements(self) -> Iterator[Statement]:
        """All of them, in order."""
        return Loop(1, self.body).statements()


@dataclass
class Product:
    """A step of BLAS: for each place of the batch, `c[m, n] = sum over k of a[m, k] b[k, n]`.

    Attributes:
        value: the number of the product.
        batch: the extents of the batch.
        m, n, k: the sizes.
        a: where the left factor's entries lie; strides along (*batch, m, k).
        b: where the right factor's lie, along (*batch, k, n).
        pieces: in a `Group`, into how many pieces k is cut, each added up for itself; 0 if it is not cut.
        parts: the buffer with the sum of each piece.
    """

    value: int
    batch: tuple[int, ...]
    m: int
    n: int
    k: int
    a: Read
    b: Read
    pieces: int = 0
    parts: int = -1

    @property
    def reads(self) -> list[int]:
        """The buffers that it needs."""
        return sorted({self.a.value, self.b.value})

    @property
    def writes(self) -> list[int]:
        """The buffer that it fills, contiguous."""
        return [self.parts if self.pieces else self.value]


@dataclass
class Group:
    """Nests and products that go along the same rows, and are run block after block of them.

    Attributes:
        steps: in order.
        extent: how many rows there are.
        each: how many rows a block has; the last may have fewer.
        pieces: how many blocks there are, whatever the number of threads.
        rooms: how many entries a row has, for each buffer that lives within a block only.
        reads, writes: the buffers that it needs from before, and those that it fills.
        work: an estimate of the nanoseconds that it takes on one thread.
        room: the buffer in which these live, which backends enter.
    """

    steps: list[Nest | Product]
    extent: int
    each: int
    pieces: int
    rooms: dict[int, int]
    reads: list[int]
    writes: list[int]
    work: float
    room: int = -1


@dataclass
class Rolled:
    """A step that is a loop of many like steps (see `roll.py`)."""

    value: int
    reads: list[int]
    writes: list[int]


@dataclass
class Factorisation:
    """A step of LAPACK, for each matrix of a batch: one that backends make of a `Call` (solve, inv, cholesky).

    Attributes:
        value: the result's number.
        reads: the buffers of the matrices, and of the right sides if there are any.
        shapes: their shapes, as they are taken; each lies one entry after another.
    """

    value: int
    reads: list[int]
    shapes: list[tuple[int, ...]]

    @property
    def writes(self) -> list[int]:
        """The buffer that it fills."""
        return [self.value]


@dataclass
class Call:
    """A value that NumPy computes, by its operation's own forward."""

    value: int
    reads: list[int]

    @property
    def writes(self) -> list[int]:
        """What it makes."""
        return [self.value]


Step = Nest | Product | Group | Rolled | Factorisation | Call


@dataclass
class Buffer:
    """Memory of one value, contiguous in C's order.

    Attributes:
        value: its number; those that are no values of the program have numbers beyond its last.
        shape: its shape.
        dtype: NumPy's, or a Python number's type.
    """

    value: int
    shape: tuple[int, ...]
    dtype: Any


@dataclass
class Plan:
    """In which steps a program is computed.

    Attributes:
        program: the program; every step speaks of its values.
        steps: in an order in which they can run.
        buffers: all memory that steps read or write, by value.
        checked: which of the program's checks native steps make themselves.
        units: statements and other steps one after another, as they were written; the steps have to do the same.
    """

    program: Program
    steps: list[Step]
    buffers: dict[int, Buffer]
    checked: set[int]
    units: list[Any] = field(default_factory=list)

    def outside(self) -> set[int]:
        """The buffers that no step fills: inputs and constants."""
        made = {i for step in self.steps for i in step.writes}
        return set(self.buffers) - made


def renamed(unit: Any, names: Mapping[int, int]) -> Any:
    """A statement or a product with other numbers for some buffers; what NumPy computes knows its buffers by number."""
    if isinstance(unit, Statement):
        reads, write = tuple([_renamed(r, names) for r in unit.reads]), _renamed(unit.write, names)
        return replace(unit, value=names.get(unit.value, unit.value), reads=reads, write=write)
    if isinstance(unit, Product):
        return replace(unit, a=_renamed(unit.a, names), b=_renamed(unit.b, names))
    return unit


def _renamed(r: Read, names: Mapping[int, int]) -> Read:
    indices = tuple([Index(_renamed(i.read, names), i.extent, i.stride) for i in r.indices])
    return Read(names.get(r.value, r.value), r.offset, r.strides, indices)


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array of that shape in C's order, in entries."""
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))

"""Small arrays whose entries are registers: NumPy itself says which entry goes where.

An array is an array of objects, each an LLVM value that can be added and multiplied. Operations that move entries, and
sums and products of a few, are run by their own forward on those. So a body of three numbers, or of a 3-by-3 matrix,
becomes straight code.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...passes.program import Program, Value
from . import text as ir
from .scalars import FLOATS, Scalars, kind

#: Arrays with more entries are no registers, and so many instructions are the most.
MOST_ENTRIES = 64
MOST_INSTRUCTIONS = 8000
#: Operations that are run by their own forward.
_BY_FORWARD = {
    "broadcast_to", "concatenate", "copy", "cumprod", "cumsum", "diagonal", "einsum", "flip", "getitem", "matmul", "prod",
    "repeat", "reshape", "roll", "scatter", "sum", "transpose", "write",
}  # fmt: skip


class NoRegisters(Exception):
    """What there is can't be kept in registers; says why."""


class Register:
    """An LLVM value that can be added and multiplied.

    `plain` is false for what can't be -0.0, so that adding 0 to it changes nothing.
    """

    __slots__ = ("builder", "plain", "value")

    def __init__(self, builder: Any, value: Any, plain: bool = True) -> None:
        self.builder = builder
        self.value = value
        self.plain = plain

    def _other(self, other: Any) -> Any:
        return other.value if isinstance(other, Register) else ir.Constant(self.value.type, float(other))

    def __add__(self, other: Any) -> Register:
        if not isinstance(other, Register) and other == 0:  # 0.0 of zeros to which something is added
            return Register(self.builder, self.builder.fadd(self.value, self._other(0)), False) if self.plain else self
        return Register(self.builder, self.builder.fadd(self.value, self._other(other)))

    __radd__ = __add__

    def __mul__(self, other: Any) -> Register:
        return Register(self.builder, self.builder.fmul(self.value, self._other(other)))

    __rmul__ = __mul__


class Registers:
    """Emits a program whose values are small, each once.

    Args:
        program: the program.
        builder: where to.
        module: for functions that are called.
        bail: told of conditions under which the program has to be left.
    """

    def __init__(self, program: Program, builder: Any, module: Any, bail: Any) -> None:
        self.program = program
        self.b = builder
        self.scalars = Scalars(builder, module, bail)
        self.known: dict[int, np.ndarray] = {}
        self._count = 0

    def type_of(self, value: Value) -> Any:
        """The LLVM type of a value's entries.

        Raises:
            NoRegisters: if there is none.
        """
        if isinstance(value.dtype, type) and value.dtype is int and value.is_constant():
            return self.scalars.types["f8"]
        if (
            type(value.shape) is not tuple
            or value.dtype not in FLOATS
            or not 0 < math.prod(value.shape) <= MOST_ENTRIES
        ):
            raise NoRegisters(f"a value of {value.dtype} with shape {value.shape}")
        return self.scalars.types[FLOATS[value.dtype]]

    def array(self, entries: list[Any], shape: tuple[int, ...]) -> np.ndarray:
        """LLVM values as an array of registers."""
        found = np.empty(len(entries), object)
        for k, entry in enumerate(entries):
            found[k] = Register(self.b, entry)
        return found.reshape(shape)

    def entries(self, i: int) -> list[Any]:
        """The LLVM values of a value's entries, in C's order."""
        zero = ir.Constant(self.type_of(self.program.values[i]), 0)
        return [e.value if isinstance(e, Register) else zero for e in self.known[i].ravel().tolist()]

    def load(self, pointer: Any, value: Value, offset: Any) -> np.ndarray:
        """A value from memory, where its first entry lies so many entries after the pointer."""
        kind_of = self.type_of(value)
        bit = FLOATS[value.dtype] == "b1"
        found = []
        for k in range(math.prod(value.shape)):
            at = offset if not k else self.b.add(offset, ir.Constant(ir.IntType(64), k))
            if bit:
                place = self.b.gep(pointer, [at], source_etype=ir.IntType(8))
                byte = self.b.load(place, typ=ir.IntType(8))
                found.append(self.b.icmp_unsigned("!=", byte, ir.Constant(ir.IntType(8), 0)))
            else:
                found.append(self.b.load(self.b.gep(pointer, [at], source_etype=kind_of), typ=kind_of))
        return self.array(found, value.shape)

    def store(self, i: int, pointer: Any, offset: Any) -> None:
        """Put a value's entries into memory."""
        kind_of = self.type_of(self.program.values[i])
        for k, entry in enumerate(self.entries(i)):
            at = offset if not k else self.b.add(offset, ir.Constant(ir.IntType(64), k))
            if kind_of == self.scalars.types["b1"]:
                entry, kind_of_place = self.b.zext(entry, ir.IntType(8)), ir.IntType(8)
            else:
                kind_of_place = kind_of
            self.b.store(entry, self.b.gep(pointer, [at], source_etype=kind_of_place))

    def constant(self, value: Value) -> np.ndarray:
        """A constant.

        Raises:
            NoRegisters: if it has no type here.
        """
        kind_of = self.type_of(value)
        entries = np.ravel(value.constant).tolist() if value.array else [value.constant]
        number = FLOATS.get(value.dtype, "f8")
        assert self.scalars.types[number] == kind_of
        return self.array([self.scalars.constant(e, number) for e in entries], value.shape)

    def emit(self, i: int) -> None:
        """A value made by an operation.

        Raises:
            NoRegisters: if there is no code for it here.
        """
        value = self.program.values[i]
        assert value.op is not None
        self.type_of(value)
        given = [self.program.values[a] for a in value.args]
        name = value.op.name
        if name in _BY_FORWARD:
            self.known[i] = self._forward(value, given)
        elif (
            value.op.elementwise
            or name in ("where", "astype", "cast", "as_kind", "invert")
            or kind(self.program, i) == "map"
        ):
            self.known[i] = self._each(i, value, given)
        else:
            raise NoRegisters(f"{name} has no code here")

    def _spend(self, n: int) -> None:
        self._count += n
        if self._count > MOST_INSTRUCTIONS:
            raise NoRegisters("too many instructions")

    def _each(self, i: int, value: Value, given: list[Value]) -> np.ndarray:
        """An operation entry by entry."""
        if not self._has_code(i):
            raise NoRegisters(f"{value.op} has no code for {value.dtype} here")
        spread = [np.broadcast_to(self.known[a], value.shape).ravel().tolist() for a in value.args]
        self._spend(math.prod(value.shape))
        zeros = [ir.Constant(self.type_of(g), 0) for g in given]
        found = []
        for entry in zip(*spread, strict=True):
            args = [e.value if isinstance(e, Register) else zero for e, zero in zip(entry, zeros, strict=True)]
            found.append(self.scalars.emit(value, given, args))
        return self.array(found, value.shape)

    def _has_code(self, i: int) -> bool:
        """Whether there is code for a number of this kind; an array without axes is no other than a number here."""
        value = self.program.values[i]
        return kind(self.program, i) == "map" or (
            value.array and not value.shape and kind(_as_number(self.program, i), i) == "map"
        )

    def _forward(self, value: Value, given: list[Value]) -> np.ndarray:
        assert value.op is not None
        if (
            len({self.type_of(g) for g in given if not g.is_constant()}) > 1
            or self.type_of(value) == self.scalars.types["b1"]
        ):
            raise NoRegisters(f"{value.op.name} of several dtypes")
        if any(g.dtype != value.dtype for g in given if g.array) or (
            value.op.name == "sum" and value.shape and not given[0].shape
        ):
            raise NoRegisters(f"{value.op.name} from one dtype to another")
        sizes = [math.prod(g.shape) for g in given]
        self._spend(2 * math.prod(sizes) if value.op.name in ("matmul", "einsum") else sum(sizes))
        kind_of = self.type_of(value)
        arrays = [self._cast(self.known[a], kind_of) for a in value.args]
        try:
            found = np.asarray(value.op.forward(*arrays, **value.params), object)
        except Exception as error:
            raise NoRegisters(f"{value.op.name}: {error}") from error
        if found.shape != value.shape:
            raise NoRegisters(f"{value.op.name} has another shape")
        return found

    def _cast(self, array: np.ndarray, kind_of: Any) -> np.ndarray:
        entries = array.ravel().tolist()
        if all(not isinstance(e, Register) or e.value.type == kind_of for e in entries):
            return array
        to = "f8" if kind_of == self.scalars.types["f8"] else "f4"
        return self.array([self.scalars.cast(e.value, to) for e in entries], array.shape)


def _as_number(program: Program, i: int) -> Program:
    """The program up to a value, as if that were a number and no array without axes."""
    old = program.values[i]
    value = Value(old.op, old.args, old.params, old.shape, old.dtype)
    return Program([*program.values[:i], value], [i], [], program.n_inputs)

"""The ways into native code: a builtin of Python's that reads the objects itself, and a safe way by ctypes.

The builtin holds every object to what the code was made for: type, dtype, shape, contiguous memory. For anything else it
calls what it was given for that, or gives False, and the safe way converts what can be converted.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...passes.program import Program, Value
from .abi import READABLE
from .loops import SIZES, Signature
from .scalars import KINDS

#: How results are put together: the number of a result, or a kind of container and its parts.
Template = Any


class Entry:
    """Emits a builtin `name(args...)` around the function of a group."""

    def __init__(
        self,
        program: Program,
        takes: Signature,
        core: Any,
        module: Any,
        name: str,
        parameters: Sequence[int],
        template: Template,
        slow: Any = None,
    ) -> None:
        from . import text as ir

        self.ir = ir
        self.program = program
        self.pointer, self.long, self.int = ir.PointerType(), ir.IntType(64), ir.IntType(32)
        self.module = module
        self.keep: list[Any] = [slow]
        p = self.pointer
        function = ir.Function(module, ir.FunctionType(p, [p, p, self.long, p]), name)
        self.function = function
        self.b = b = ir.IRBuilder(function.append_basic_block("entry"))
        self.other = function.append_basic_block("other")
        _, args, count, keywords = function.args
        fits = b.and_(
            b.icmp_unsigned("==", count, ir.Constant(self.long, len(parameters))),
            b.icmp_unsigned("==", keywords, ir.Constant(p, None)),
        )
        self._go_on(fits)
        places = {i: k for k, i in enumerate(parameters)}
        pointers = []
        for i in takes.inputs:
            if i in places:
                obj = b.load(b.gep(args, [ir.Constant(self.long, places[i])], source_etype=p), typ=p)
            else:
                constant = program.values[i].constant
                self.keep.append(constant)
                obj = self._address(id(constant))
            pointers.append(self._data(obj, program.values[i]))
        for k, i in enumerate(parameters):
            if i not in takes.inputs:  # not used, but it has to be of the form that was recorded
                obj = b.load(b.gep(args, [ir.Constant(self.long, k)], source_etype=p), typ=p)
                self._data(obj, program.values[i])
        made = {i: self._room(program.values[i]) for i in takes.results}
        pointers += [data for _, data in made.values()]
        failed = b.icmp_unsigned("!=", b.call(core, pointers), ir.Constant(self.int, 0))
        drop, fine = function.append_basic_block("drop"), function.append_basic_block("fine")
        b.cbranch(failed, drop, fine)
        b.position_at_end(drop)
        for array, _ in made.values():
            if array is not None:
                b.call(self._extern("Py_DecRef", ir.VoidType(), [p]), [array])
        b.branch(self.other)
        b.position_at_end(fine)
        objects = {i: array or self._object(data, program.values[i]) for i, (array, data) in made.items()}
        b.ret(self._together(template, objects))
        b.position_at_end(self.other)
        if slow is None:
            b.ret(b.call(self._extern("PyBool_FromLong", p, [self.long]), [ir.Constant(self.long, 0)]))
        else:
            call = self._extern("PyObject_Vectorcall", p, [p, p, self.long, p])
            b.ret(b.call(call, [self._address(id(slow)), args, count, keywords]))

    # Small words

    def _address(self, where: int) -> Any:
        return self.ir.Constant(self.long, where).inttoptr(self.pointer)

    def _extern(self, name: str, result: Any, args: list[Any]) -> Any:
        found = self.module.globals.get(name)
        return found or self.ir.Function(self.module, self.ir.FunctionType(result, args), name)

    def _go_on(self, condition: Any) -> None:
        """Go on if it holds, else to what is done with other arguments."""
        onwards = self.function.append_basic_block("fits")
        self.b.cbranch(condition, onwards, self.other)
        self.b.position_at_end(onwards)

    def _field(self, obj: Any, offset: int, kind: Any) -> Any:
        place = self.b.gep(obj, [self.ir.Constant(self.long, offset)], source_etype=self.ir.IntType(8))
        return self.b.load(place, typ=kind)

    def _is(self, value: Any, number: int) -> Any:
        return self.b.icmp_unsigned("==", value, self.ir.Constant(value.type, number))

    # Reading objects

    def _data(self, obj: Any, value: Value) -> Any:
        """A pointer to the first entry, after holding the object to its form."""
        ir, b = self.ir, self.b
        kind = self._field(obj, 8, self.long)
        if not value.array:
            self._go_on(self._is_number(obj, kind, value))
            if value.dtype is bool:
                slot = b.alloca(ir.IntType(8))
                b.store(b.zext(b.icmp_unsigned("==", obj, self._address(id(True))), ir.IntType(8)), slot)
                return slot
            return b.gep(obj, [ir.Constant(self.long, 16)], source_etype=ir.IntType(8))
        self._go_on(self._is(kind, id(np.ndarray)))
        dtype = np.dtype(value.dtype)
        self.keep.append(dtype)
        flags = b.and_(self._field(obj, 64, self.int), ir.Constant(self.int, READABLE))
        fits = b.and_(self._is(self._field(obj, 24, self.int), len(value.shape)), self._is(flags, READABLE))
        self._go_on(b.and_(fits, self._is(self._field(obj, 56, self.long), id(dtype))))
        dimensions = self._field(obj, 32, self.pointer)
        fits = ir.Constant(ir.IntType(1), 1)
        for k, n in enumerate(value.shape):
            fits = b.and_(fits, self._is(self._field(dimensions, 8 * k, self.long), n))
        if value.shape:
            self._go_on(fits)
        return self._field(obj, 16, self.pointer)

    def _is_number(self, obj: Any, kind: Any, value: Value) -> Any:
        b = self.b
        if value.dtype is bool:
            true, false = self._address(id(True)), self._address(id(False))
            return b.or_(b.icmp_unsigned("==", obj, true), b.icmp_unsigned("==", obj, false))
        own = value.dtype if isinstance(value.dtype, type) else np.dtype(value.dtype).type
        return self._is(kind, id(own))

    # Making objects

    def _room(self, value: Value) -> tuple[Any, Any]:
        """A new array and where its entries are; or for a number, only room for it."""
        ir, b, p = self.ir, self.b, self.pointer
        if not value.array:
            return None, b.alloca(ir.IntType(8 * SIZES[KINDS[value.dtype]]))
        kind = ir.ArrayType(self.long, max(len(value.shape), 1))
        shape = ir.GlobalVariable(self.module, kind, self.module.get_unique_name("shape"))
        shape.global_constant, shape.linkage = True, "internal"
        shape.initializer = ir.Constant(kind, list(value.shape) or [0])
        new = self._extern("PyArray_New", p, [p, self.int, p, self.int, p, p, self.int, self.int, p])
        none, zero = ir.Constant(p, None), ir.Constant(self.int, 0)
        array = b.call(
            new,
            [self._address(id(np.ndarray)), ir.Constant(self.int, len(value.shape)), shape,
             ir.Constant(self.int, np.dtype(value.dtype).num), none, none, zero, zero, none],
        )  # fmt: skip
        self._hold(array)
        return array, self._field(array, 16, p)

    def _hold(self, obj: Any) -> None:
        """Stop with Python's error if there is none."""
        onwards, failed = self.function.append_basic_block("made"), self.function.append_basic_block("failed")
        self.b.cbranch(self.b.icmp_unsigned("==", obj, self.ir.Constant(self.pointer, None)), failed, onwards)
        self.b.position_at_end(failed)
        self.b.ret(self.ir.Constant(self.pointer, None))
        self.b.position_at_end(onwards)

    def _object(self, data: Any, value: Value) -> Any:
        ir, b, p = self.ir, self.b, self.pointer
        if value.dtype is float:
            made = b.call(self._extern("PyFloat_FromDouble", p, [ir.DoubleType()]), [b.load(data, typ=ir.DoubleType())])
        elif value.dtype is bool:
            number = b.zext(b.load(data, typ=ir.IntType(8)), self.long)
            made = b.call(self._extern("PyBool_FromLong", p, [self.long]), [number])
        else:
            dtype = np.dtype(value.dtype)
            self.keep.append(dtype)
            made = b.call(
                self._extern("PyArray_Scalar", p, [p, p, p]), [data, self._address(id(dtype)), ir.Constant(p, None)]
            )
        self._hold(made)
        return made

    def _together(self, template: Template, objects: dict[int, Any]) -> Any:
        if isinstance(template, int):
            return objects[template]
        kind, parts = template
        inner = [self._together(part, objects) for part in parts]
        new = self._extern("PyTuple_New" if kind is tuple else "PyList_New", self.pointer, [self.long])
        made = self.b.call(new, [self.ir.Constant(self.long, len(inner))])
        self._hold(made)
        first = made if kind is tuple else self._field(made, 24, self.pointer)
        start = 24 if kind is tuple else 0
        for k, obj in enumerate(inner):
            place = self.b.gep(first, [self.ir.Constant(self.long, start + 8 * k)], source_etype=self.ir.IntType(8))
            self.b.store(obj, place)
        return made


def safe_entry(program: Program, takes: Signature, address: int) -> Callable[..., tuple[Any, ...] | None]:
    """A function of the values a group takes, which gives its results, or None if a check broke."""
    count = len(takes.inputs) + len(takes.results)
    core = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * count)(address)
    given = [program.values[i] for i in takes.inputs]
    wanted = [program.values[i] for i in takes.results]

    def run(*args: Any) -> tuple[Any, ...] | None:
        held = []
        for value, arg in zip(given, args, strict=True):
            if np.shape(arg) != value.shape:
                raise ValueError(f"expected shape {value.shape}, got {np.shape(arg)}")
            held.append(np.require(arg, value.dtype, ["C_CONTIGUOUS", "ALIGNED"]))
        made = [np.empty(value.shape, value.dtype) for value in wanted]
        if core(*[a.ctypes.data for a in (*held, *made)]):
            return None
        return tuple([_as_recorded(a, value) for a, value in zip(made, wanted, strict=True)])

    return run


def _as_recorded(array: np.ndarray, value: Value) -> Any:
    if value.array:
        return array
    return value.dtype(array) if isinstance(value.dtype, type) else array[()]

"""The builtin around native code: it reads Python's objects itself, and makes the results.

It holds every object to what the code was made for: type, dtype, shape, contiguous memory. For anything else it
calls what it was given for that, or gives False, and the caller converts what can be converted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ...passes.program import Value
from . import text as ir
from .abi import READABLE
from .rooms import maker

#: How results are put together: the number of a value, or a kind of container and its parts.
Template = Any
_P, _LONG, _INT, _BYTE, _BIT = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8), ir.IntType(1)


class Core(Protocol):
    """What the entry calls.

    Attributes:
        inputs, results: the numbers of the values that it reads and makes.
        slots: the place of each in the table of pointers that it is called with.
        long: whether it runs so long that other threads of Python's should go on meanwhile.
    """

    inputs: list[int]
    results: list[int]

    @property
    def slots(self) -> Mapping[int, int]: ...
    @property
    def long(self) -> bool: ...


class Entry:
    """Emits a builtin `name(args...)` around a function `int core(table)`.

    Args:
        values: what the program's values are, by number.
        core: what the function takes.
        function: the function.
        name: of the builtin.
        parameters: the numbers of the values that are its arguments.
        template: how the results are put together.
        slow: what is called if the arguments are of another form; without one, the builtin gives False.
    """

    def __init__(
        self, values: Sequence[Value], core: Core, function: ir.Function, name: str, parameters: Sequence[int],
        template: Template, slow: Any = None,
    ) -> None:  # fmt: skip
        self.values = values
        self.module = module = function.module
        self.keep: list[Any] = [slow]
        self.own: list[Any] = []  # objects that are let go if something fails
        self.entry = entry = ir.Function(module, ir.FunctionType(_P, [_P, _P, _LONG, _P]), name)
        if core.long:  # then LLVM's time for it, a tenth of all, is worth more than the 0.1 us that a call takes longer
            entry.attributes.add("noinline")
            entry.attributes.add("optnone")
        self.b = b = ir.IRBuilder(entry.append_basic_block("entry"))
        self.other = entry.append_basic_block("other")
        _, args, count, keywords = entry.args
        fits = b.icmp_unsigned("==", count, ir.Constant(_LONG, len(parameters)))
        self._go_on(b.and_(fits, b.icmp_unsigned("==", keywords, ir.Constant(_P, None))))
        table = b.alloca(_P, max(len(core.slots), 1))
        self.objects: dict[int, Any] = {}
        self.data: dict[int, Any] = {}
        for k, i in enumerate(parameters):  # what is not used has to be of the form that was recorded, too
            obj = b.load(b.gep(args, [ir.Constant(_LONG, k)], source_etype=_P), typ=_P)
            self.objects[i], self.data[i] = obj, self._data(obj, values[i])
        for i in core.inputs:
            if i not in self.data:
                self.data[i] = self._constant(i)
            self._enter(table, core.slots[i], self.data[i])
        leaves = _leaves(template)
        rooms: list[tuple[Any, Any]] = []
        first: dict[int, int] = {}
        for n, i in enumerate(leaves):
            passed_on = i not in core.results and not values[i].array
            rooms.append((None, None) if passed_on or (i in first and not values[i].array) else self._room(values[i]))
            first.setdefault(i, n)
        for i in core.results:
            data = rooms[first[i]][1] if i in first else self._room(values[i])[1]
            self._enter(table, core.slots[i], data)
        self._run(function, table, core.long)
        made: list[Any] = []
        for n, i in enumerate(leaves):
            array, data = rooms[n]
            if first[i] != n or i not in core.results:
                made.append(self._copied(i, array, data, made[first[i]] if first[i] != n else None))
            else:
                made.append(array or self._object(data, values[i]))
        b.ret(self._together(template, iter(made)))
        b.position_at_end(self.other)
        if slow is None:
            b.ret(b.call(self._extern("PyBool_FromLong", _P, [_LONG]), [ir.Constant(_LONG, 0)]))
        else:
            call = self._extern("PyObject_Vectorcall", _P, [_P, _P, _LONG, _P])
            b.ret(b.call(call, [self._address(id(slow)), args, count, keywords]))

    # Small words

    def _address(self, where: int) -> Any:
        return ir.Constant(_LONG, where).inttoptr(_P)

    def _extern(self, name: str, result: Any, args: list[Any]) -> Any:
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, args), name)

    def _go_on(self, condition: Any) -> None:
        """Go on if it holds, else to what is done with other arguments."""
        onwards = self.entry.append_basic_block("fits")
        self.b.cbranch(condition, onwards, self.other)
        self.b.position_at_end(onwards)

    def _field(self, obj: Any, offset: int, kind: Any) -> Any:
        return self.b.load(self.b.gep(obj, [ir.Constant(_LONG, offset)], source_etype=_BYTE), typ=kind)

    def _is(self, value: Any, number: int) -> Any:
        return self.b.icmp_unsigned("==", value, ir.Constant(value.type, number))

    def _enter(self, table: Any, slot: int, pointer: Any) -> None:
        self.b.store(pointer, self.b.gep(table, [ir.Constant(_LONG, slot)], source_etype=_P))

    # Reading objects

    def _constant(self, i: int) -> Any:
        """A pointer to a constant's entries: of an array that the function holds, where they are at the call."""
        value = self.values[i]
        if value.captured:
            self.keep.append(value.constant)
            return self._data(self._address(id(value.constant)), value)
        held = np.require(np.asarray(value.constant, value.dtype), None, ["C_CONTIGUOUS", "ALIGNED"])
        self.keep.append(held)
        return self._address(held.ctypes.data)

    def _data(self, obj: Any, value: Value) -> Any:
        """A pointer to the first entry, after holding the object to its form."""
        b = self.b
        kind = self._field(obj, 8, _LONG)
        if not value.array:
            return self._number(obj, kind, value)
        self._go_on(self._is(kind, id(np.ndarray)))
        dtype = np.dtype(value.dtype)
        self.keep.append(dtype)
        flags = b.and_(self._field(obj, 64, _INT), ir.Constant(_INT, READABLE))
        fits = b.and_(self._is(self._field(obj, 24, _INT), len(value.shape)), self._is(flags, READABLE))
        self._go_on(b.and_(fits, self._is(self._field(obj, 56, _LONG), id(dtype))))
        if value.shape:
            dimensions = self._field(obj, 32, _P)
            fits = ir.Constant(_BIT, 1)
            for k, n in enumerate(value.shape):
                fits = b.and_(fits, self._is(self._field(dimensions, 8 * k, _LONG), n))
            self._go_on(fits)
        return self._field(obj, 16, _P)

    def _number(self, obj: Any, kind: Any, value: Value) -> Any:
        """A pointer to a number, which NumPy and Python keep behind the object's head."""
        b = self.b
        if value.dtype is bool:
            true, false = (b.icmp_unsigned("==", obj, self._address(id(x))) for x in (True, False))
            self._go_on(b.or_(true, false))
            slot = b.alloca(_BYTE)
            b.store(b.zext(true, _BYTE), slot)
            return slot
        own = value.dtype if isinstance(value.dtype, type) else np.dtype(value.dtype).type
        self._go_on(self._is(kind, id(own)))
        if own is int:
            slot, over = b.alloca(_LONG), b.alloca(_INT)
            read = self._extern("PyLong_AsLongLongAndOverflow", _LONG, [_P, _P])
            b.store(b.call(read, [obj, over]), slot)
            self._go_on(self._is(b.load(over, typ=_INT), 0))
            return slot
        return b.gep(obj, [ir.Constant(_LONG, 16)], source_etype=_BYTE)

    # Running

    def _run(self, function: Any, table: Any, long: bool) -> None:
        """Call the core; let other threads go on if that takes long."""
        b = self.b
        if long:
            state = b.call(self._extern("PyEval_SaveThread", _P, []), [])
            status = b.call(function, [table])
            b.call(self._extern("PyEval_RestoreThread", ir.VoidType(), [_P]), [state])
        else:
            status = b.call(function, [table])
        fine, failed, memory, broken = (
            self.entry.append_basic_block(n) for n in ("fine", "failed", "memory", "broken")
        )
        b.cbranch(self._is(status, 0), fine, failed)
        b.position_at_end(failed)
        self._let_go()
        b.cbranch(self._is(status, 1), broken, memory)
        b.position_at_end(broken)
        b.branch(self.other)
        b.position_at_end(memory)
        b.ret(b.call(self._extern("PyErr_NoMemory", _P, []), []))
        b.position_at_end(fine)

    def _let_go(self) -> None:
        for obj in self.own:
            self.b.call(self._extern("Py_DecRef", ir.VoidType(), [_P]), [obj])

    # Making objects

    def _room(self, value: Value) -> tuple[Any, Any]:
        """A new array and where its entries are; or for a number, only room for it."""
        b = self.b
        if not value.array:
            return None, b.alloca(ir.IntType(8 * np.dtype(value.dtype).itemsize))
        kind = ir.ArrayType(_LONG, max(len(value.shape), 1))
        shape = ir.GlobalVariable(self.module, kind, self.module.get_unique_name("shape"))
        shape.global_constant, shape.linkage = True, "internal"
        shape.initializer = ir.Constant(kind, list(value.shape) or [0])
        size = math.prod(value.shape) * np.dtype(value.dtype).itemsize
        new = self._extern(maker(size), _P, [_P, _INT, _P, _INT, _P, _P, _INT, _INT, _P])
        none, zero = ir.Constant(_P, None), ir.Constant(_INT, 0)
        array = b.call(
            new,
            [self._address(id(np.ndarray)), ir.Constant(_INT, len(value.shape)), shape,
             ir.Constant(_INT, np.dtype(value.dtype).num), none, none, zero, zero, none],
        )  # fmt: skip
        self._hold(array)
        return array, self._field(array, 16, _P)

    def _hold(self, obj: Any) -> None:
        """Stop with Python's error if there is no object."""
        onwards, failed = self.entry.append_basic_block("made"), self.entry.append_basic_block("failed")
        self.b.cbranch(self.b.icmp_unsigned("==", obj, ir.Constant(_P, None)), failed, onwards)
        self.b.position_at_end(failed)
        self._let_go()
        self.b.ret(ir.Constant(_P, None))
        self.b.position_at_end(onwards)
        self.own.append(obj)

    def _object(self, data: Any, value: Value) -> Any:
        b = self.b
        if value.dtype is float:
            made = b.call(
                self._extern("PyFloat_FromDouble", _P, [ir.DoubleType()]), [b.load(data, typ=ir.DoubleType())]
            )
        elif value.dtype is bool:
            made = b.call(self._extern("PyBool_FromLong", _P, [_LONG]), [b.zext(b.load(data, typ=_BYTE), _LONG)])
        elif value.dtype is int:
            made = b.call(self._extern("PyLong_FromLongLong", _P, [_LONG]), [b.load(data, typ=_LONG)])
        else:
            dtype = np.dtype(value.dtype)
            self.keep.append(dtype)
            scalar = self._extern("PyArray_Scalar", _P, [_P, _P, _P])
            made = b.call(scalar, [data, self._address(id(dtype)), ir.Constant(_P, None)])
        self._hold(made)
        return made

    def _copied(self, i: int, array: Any, data: Any, before: Any) -> Any:
        """A result that is there already: an argument, a constant, or the same as one before."""
        value, b = self.values[i], self.b
        if value.array:
            if before is not None:
                source = self._field(before, 16, _P)
            else:
                source = self.data[i] if i in self.data else self._constant(i)
            size = int(np.prod(value.shape, dtype=np.int64)) * np.dtype(value.dtype).itemsize
            copy = self.module.declare_intrinsic(
                "llvm.memcpy.p0.p0.i64", (), ir.FunctionType(ir.VoidType(), [_P, _P, _LONG, _BIT])
            )
            b.call(copy, [data, source, ir.Constant(_LONG, size), ir.Constant(_BIT, 0)])
            return array
        if before is None:
            self.keep.append(value.constant)
            before = self.objects[i] if i in self.objects else self._address(id(value.constant))
        b.call(self._extern("Py_IncRef", ir.VoidType(), [_P]), [before])
        self.own.append(before)
        return before

    def _together(self, template: Template, made: Any) -> Any:
        if isinstance(template, int):
            return next(made)
        kind, parts = template
        inner = [self._together(part, made) for part in parts]
        new = self._extern("PyTuple_New" if kind is tuple else "PyList_New", _P, [_LONG])
        whole = self.b.call(new, [ir.Constant(_LONG, len(inner))])
        self._hold(whole)
        first = whole if kind is tuple else self._field(whole, 24, _P)
        start = 24 if kind is tuple else 0
        for k, obj in enumerate(inner):
            place = self.b.gep(first, [ir.Constant(_LONG, start + 8 * k)], source_etype=_BYTE)
            self.b.store(obj, place)
            self.own.remove(obj)  # the container's now
        return whole


def _leaves(template: Template) -> list[int]:
    """The numbers in it, in order."""
    if isinstance(template, int):
        return [template]
    return [i for part in template[1] for i in _leaves(part)]

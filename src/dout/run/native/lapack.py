"""Small systems of equations, inverses and Cholesky factors by LAPACK, as steps among native ones.

NumPy's own functions call the same routines of the same library, in the same way, so the bits are the same; but to call
them takes some microseconds, which is more than a small matrix needs. LAPACK goes by columns and writes over what it
gets, so each matrix is copied, transposed, into a room on the stack. Where a matrix is singular or not positive definite,
the step breaks off: then the function itself runs, and raises what it raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from ...passes.plan import Call, Factorisation, Plan
from ...passes.program import Program, Value
from . import text as ir
from .blas import Fortran
from .counting import counted
from .library import library

#: Larger matrices are NumPy's: they take long anyway, and wouldn't fit on the stack.
SMALL = 64
NAMES = {"solve": "gesv", "inv": "gesv", "cholesky": "potrf"}
_P, _LONG, _INT = ir.PointerType(), ir.IntType(64), ir.IntType(32)


def factorisation(program: Program, call: Call, by_numpy: Set[int]) -> Factorisation | None:
    """A call of NumPy's as a step, if it is one of a small matrix that lies as that needs.

    Args:
        program: the program.
        call: the call.
        by_numpy: which values NumPy makes: what is only another shape of one of them is taken as it lies.
    """
    value = program.values[call.value]
    if value.op is None or value.op.name not in NAMES or isinstance(value.shape, list):
        return None
    given = [program.values[a] for a in value.args]
    if any(v.dtype != value.dtype or not v.array for v in given) or math.prod(value.shape) == 0:
        return None
    if value.dtype not in (np.dtype(np.float64), np.dtype(np.float32)):
        return None
    if any(v.shape[:-2] not in ((), value.shape[:-2]) for v in given) or max(value.shape[-2:]) > SMALL:
        return None
    found = library()
    if found is None or not found.has("d" + NAMES[value.op.name]):
        return None
    reads = []
    for a in value.args:
        base = a
        while base in by_numpy and program.values[base].op is not None and _keeps_order(program.values[base]):
            base = program.values[base].args[0]
        op = program.values[base].op
        if not program.values[base].array or (base in by_numpy and op is not None and op.view):
            return None
        reads.append(base)
    return Factorisation(call.value, reads, [v.shape for v in given])


def _keeps_order(value: Value) -> bool:
    return value.op is not None and value.op.name == "reshape" and value.params["order"] == "C"


def emitted(plan: Plan, step: Factorisation, slots: Mapping[int, int], module: ir.Module, name: str) -> ir.Function:
    """Emits `int name(table, begin, end)`; not 0 if a matrix is singular or not positive definite."""
    return _Calls(plan, step, slots, module, name).function


class _Calls:
    def __init__(self, plan: Plan, step: Factorisation, slots: Mapping[int, int], module: ir.Module, name: str) -> None:
        value = plan.program.values[step.value]
        assert value.op is not None
        self.function = ir.Function(module, ir.FunctionType(_INT, [_P, _LONG, _LONG]), name)
        self.b = b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.fortran = Fortran(b, np.dtype(np.float64))  # as NumPy, which computes in double precision for float32, too
        self.type = self.fortran.type
        self.outer = ir.DoubleType() if value.dtype == np.float64 else ir.FloatType()
        self.n, self.k = value.shape[-2:]
        self.failed = b.alloca(_INT)
        b.store(ir.Constant(_INT, 0), self.failed)
        self.info = b.alloca(self.fortran.integer)
        self.matrix = b.alloca(self.type, self.n * self.n, align=64)
        self.sides = b.alloca(self.type, self.n * self.k, align=64)
        self.pivots = b.alloca(self.fortran.integer, self.n)
        table = self.function.args[0]
        at = [
            b.load(b.gep(table, [ir.Constant(_LONG, slots[i])], source_etype=_P), typ=_P)
            for i in (*step.reads, step.value)
        ]
        shapes = [*step.shapes, value.shape]
        with counted(b, math.prod(value.shape[:-2])) as place:
            ends = [self._matrix_at(p, s, place) for p, s in zip(at, shapes, strict=True)]
            if value.op.name == "cholesky":
                self._cholesky(ends[0], ends[1], value.params["upper"])
            else:
                self._solve(ends[0], ends[1] if value.op.name == "solve" else None, ends[-1])
        b.ret(b.load(self.failed, typ=_INT))

    def _matrix_at(self, pointer: Any, shape: Sequence[int], place: Any) -> Any:
        """Where a matrix of the batch is."""
        if len(shape) == 2:
            return pointer
        offset = self.b.mul(place, ir.Constant(_LONG, shape[-2] * shape[-1]))
        return self.b.gep(pointer, [offset], source_etype=self.outer)

    def _entry(self, pointer: Any, row: Any, width: int, column: Any, kind: Any = None) -> Any:
        place = self.b.add(self.b.mul(row, ir.Constant(_LONG, width)), column)
        return self.b.gep(pointer, [place], source_etype=kind or self.type)

    def _take(self, source: Any, room: Any, rows: int, columns: int) -> None:
        """Copy a matrix by rows into a room, by columns."""
        b = self.b
        with counted(b, rows) as i, counted(b, columns) as j:
            entry = b.load(self._entry(source, i, columns, j, self.outer), typ=self.outer)
            b.store(b.fpext(entry, self.type), self._entry(room, j, rows, i))

    def _put(self, value: Any, target: Any, row: Any, width: int, column: Any) -> None:
        """Store an entry of the result."""
        self.b.store(self.b.fptrunc(value, self.outer), self._entry(target, row, width, column, self.outer))

    def _note(self) -> None:
        """Note whether the routine failed."""
        b = self.b
        info = b.load(self.info, typ=self.fortran.integer)
        wrong = b.zext(b.icmp_unsigned("!=", info, ir.Constant(self.fortran.integer, 0)), _INT)
        b.store(b.or_(b.load(self.failed, typ=_INT), wrong), self.failed)

    def _solve(self, a: Any, sides: Any, out: Any) -> None:
        """The solution for some right sides; for the unit matrix, if there are none: the inverse."""
        b, f, n, k = self.b, self.fortran, self.n, self.k
        self._take(a, self.matrix, n, n)
        if sides is not None:
            self._take(sides, self.sides, n, k)
        else:
            with counted(b, n) as i, counted(b, n) as j:
                one, zero = ir.Constant(self.type, 1.0), ir.Constant(self.type, 0.0)
                b.store(b.select(b.icmp_unsigned("==", i, j), one, zero), self._entry(self.sides, i, n, j))
        size = f.size(n)
        f.call("gesv", size, f.size(k), self.matrix, size, self.pivots, self.sides, size, self.info)
        self._note()
        with counted(b, n) as i, counted(b, k) as j:
            self._put(b.load(self._entry(self.sides, j, n, i), typ=self.type), out, i, k, j)

    def _cholesky(self, a: Any, out: Any, upper: bool) -> None:
        b, f, n = self.b, self.fortran, self.n
        self._take(a, self.matrix, n, n)
        size = f.size(n)
        f.call("potrf", f.letter_of("U" if upper else "L"), size, self.matrix, size, self.info)
        self._note()
        with counted(b, n) as i, counted(b, n) as j:
            kept = b.icmp_signed("<=" if upper else ">=", j, i)  # row j, column i
            entry = b.load(self._entry(self.matrix, i, n, j), typ=self.type)
            self._put(b.select(kept, entry, ir.Constant(self.type, 0.0)), out, j, n, i)

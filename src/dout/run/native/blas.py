"""Products of matrices as calls of BLAS: transposes are flags of the call, and leading dimensions come from strides.

BLAS goes by columns and NumPy by rows, and a matrix by rows is its transpose by columns: so instead of `c = a b` it is asked
for `c' = b' a'`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...passes.plan import Plan, Product, Read
from . import text as ir
from .counting import counted
from .engine import define
from .library import library

_P, _LONG, _INT, _BYTE = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(8)
_KINDS = {np.dtype(np.float64): ("d", ir.DoubleType()), np.dtype(np.float32): ("s", ir.FloatType())}


def available() -> bool:
    """Whether there is a BLAS to call."""
    return library() is not None


def emitted(plan: Plan, step: Product, slots: Mapping[int, int], module: ir.Module, name: str) -> ir.Function:
    """Emits `int name(table, begin, end)`, which computes a product.

    Raises:
        ValueError: if a size is too large for the library's integers, or a factor isn't of the product's dtype.
    """
    return _Calls(plan, step, slots, module, name).function


class Fortran:
    """Emits calls of the library's routines, which want a pointer to everything."""

    def __init__(self, b: ir.IRBuilder, dtype: np.dtype[Any]) -> None:
        found = library()
        assert found is not None
        self.b = b
        self.library = found
        self.letter, self.type = _KINDS[dtype]
        self.integer = ir.IntType(found.width)

    def call(self, name: str, *args: Any) -> None:
        """Call a routine for matrices of this dtype."""
        full = self.letter + name
        known = f"dout.{full}"
        module = self.b.module
        function = module.globals.get(known)
        if function is None:
            define(known, self.library.addresses[full])
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_P] * len(args)), known)
        self.b.call(function, args)

    def _kept(self, name: str, kind: Any, value: Any) -> Any:
        module = self.b.module
        found = module.globals.get(name)
        if found is None:
            found = ir.GlobalVariable(module, kind, name)
            found.global_constant, found.linkage = True, "internal"
            found.initializer = ir.Constant(kind, value)
        return found

    def number(self, value: float) -> Any:
        """A pointer to a number of the matrices' dtype."""
        return self._kept(f"blas.{self.letter}{value:g}", self.type, value)

    def size(self, value: int) -> Any:
        """A pointer to an integer."""
        if value > self.library.largest():
            raise ValueError(f"a size of {value} is too large for this BLAS")
        return self._kept(f"blas.size{value}", self.integer, value)

    def letter_of(self, letter: str) -> Any:
        """A pointer to a letter."""
        return self._kept(f"blas.{letter}", _BYTE, ord(letter))


class _Calls:
    def __init__(self, plan: Plan, step: Product, slots: Mapping[int, int], module: ir.Module, name: str) -> None:
        dtypes = {np.dtype(plan.buffers[i].dtype) for i in (step.value, step.a.value, step.b.value)}
        if len(dtypes) != 1:
            raise ValueError("a product of different dtypes")
        self.function = ir.Function(module, ir.FunctionType(_INT, [_P, _LONG, _LONG]), name)
        self.b = b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.fortran = Fortran(b, dtypes.pop())
        self.type = self.fortran.type
        table = self.function.args[0]
        at = []
        for i in (step.a.value, step.b.value, step.value):
            slot = b.gep(table, [ir.Constant(_LONG, slots[i])], source_etype=_P)
            at.append(b.load(slot, typ=_P))
        self._batch(step, at, [])
        b.ret(ir.Constant(_INT, 0))

    def _batch(self, step: Product, at: Sequence[Any], where: list[Any]) -> None:
        """A loop for each axis of the batch, and the call inside."""
        if len(where) < len(step.batch):
            with counted(self.b, step.batch[len(where)]) as index:
                self._batch(step, at, [*where, index])
            return
        a, b_ = (self._moved(p, r.offset, r.strides, where) for p, r in zip(at, (step.a, step.b), strict=False))
        size = step.m * step.n
        along = [size * math.prod(step.batch[k + 1 :]) for k in range(len(step.batch))]
        self._product(step, a, b_, self._moved(at[2], 0, along, where))

    def _moved(self, pointer: Any, offset: int, strides: Sequence[int], where: Sequence[Any]) -> Any:
        """A pointer some entries further on."""
        place: Any = ir.Constant(_LONG, offset)
        for step, index in zip(strides, where, strict=False):
            place = self.b.add(place, self.b.mul(index, ir.Constant(_LONG, step)))
        return self.b.gep(pointer, [place], source_etype=self.type)

    def _product(self, step: Product, a: Any, b: Any, c: Any) -> None:
        m, n, k = step.m, step.n, step.k
        f = self.fortran
        one, zero = f.number(1.0), f.number(0.0)
        left, right = _lying(step.a, m, k), _lying(step.b, k, n)
        if n == 1 or m == 1:
            matrix, (rows, columns), vector, (by_rows, leading) = (
                (a, (m, k), b, left) if n == 1 else (b, (k, n), a, right)
            )
            along = step.b.strides[-2] if n == 1 else step.a.strides[-1]
            # as BLAS sees it, a matrix by rows is (columns, rows); of b it is the transpose that the vector meets
            straight = by_rows != (n == 1)
            inner, outer = (columns, rows) if by_rows else (rows, columns)
            f.call(
                "gemv", f.letter_of("N" if straight else "T"), f.size(inner), f.size(outer), one, matrix, f.size(leading),
                vector, f.size(along if k > 1 else 1), zero, c, f.size(1),
            )  # fmt: skip
            return
        ways = [f.letter_of("N" if by_rows else "T") for by_rows, _ in (right, left)]
        f.call(
            "gemm", *ways, f.size(n), f.size(m), f.size(k), one, b, f.size(right[1]), a, f.size(left[1]), zero, c, f.size(n),
        )  # fmt: skip


def _lying(r: Read, rows: int, columns: int) -> tuple[bool, int]:
    """Whether a matrix lies by rows (else by columns), and how far these are from one another."""
    down, along = r.strides[-2:]
    if along == 1 and (down >= columns or rows == 1):
        return True, max(down, columns)
    if down == 1 and (along >= rows or columns == 1):
        return False, max(along, rows)
    if columns == 1 and down > 0:  # a column of a larger matrix: one entry in each row
        return True, down
    if rows == 1 and along > 0:
        return False, along
    raise ValueError(f"a matrix of {rows} x {columns} with strides {down}, {along}")

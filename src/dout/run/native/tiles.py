"""Products of matrices in tiles: a block of the result stays in registers while its rows and columns are gone along.

BLAS is made for large matrices: it copies both factors into an order of its own, and wakes its threads. Here one factor, the
right one, is read in vectors from where it lies, and the other entry by entry; so the right one should fit into the cache
near to a core. A tile of some rows is an iteration of the step, which can stand in a `Group` between nests; each entry is
added up by one thread in one order.

The way is that of K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication" (2008), its inner kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...passes.plan import Plan, Product, contiguous
from . import text as ir
from .counting import between, counted
from .tiling import Tiling

_P, _LONG, _INT, _BIT = ir.PointerType(), ir.IntType(64), ir.IntType(32), ir.IntType(1)


def emitted(
    plan: Plan, step: Product, cut: Tiling, slots: Mapping[int, int], module: ir.Module, name: str, rows: bool = False
) -> ir.Function:
    """Emits `int name(table, begin, end)`, which computes tiles of a product; or with `rows`, some of its rows.

    Rows that are no whole tiles are computed by a tile that begins earlier, so there have to be as many as a tile has.
    """
    return _Tiles(plan, step, cut, slots, module, name, rows).function


class _Tiles:
    def __init__(
        self, plan: Plan, step: Product, cut: Tiling, slots: Mapping[int, int], module: ir.Module, name: str, rows: bool
    ) -> None:
        self.step, self.cut, self.module, self.name = step, cut, module, name
        self.itemsize = np.dtype(plan.buffers[step.value].dtype).itemsize
        self.type = ir.DoubleType() if self.itemsize == 8 else ir.FloatType()
        self.vector = ir.VectorType(self.type, cut.lanes)
        self.row = sum(cut.across) * cut.lanes  # of the turned factor, whose end is filled up
        self._kernels: dict[tuple[int, int], ir.Function] = {}
        self.function = ir.Function(module, ir.FunctionType(_INT, [_P, _LONG, _LONG]), name)
        self.b = b = ir.IRBuilder(self.function.append_basic_block("entry"))
        table, begin, end = self.function.args
        pointers = []
        for v in (cut.left.value, cut.right.value, *step.writes):
            slot = b.gep(table, [ir.Constant(_LONG, slots[v])], source_etype=_P)
            pointers.append(b.load(slot, typ=_P))
        self.room = b.alloca(self.type, self.row * step.k, align=64) if cut.is_turned else None
        self.length: Any = ir.Constant(_LONG, step.k)
        self.begins: Any = ir.Constant(_BIT, 1)
        if rows:
            self._rows(begin, end, pointers)
        else:
            self._units(begin, end, pointers)
        self.b.ret(ir.Constant(_INT, 0))

    def _units(self, begin: Any, end: Any, pointers: Sequence[Any]) -> None:
        """A loop over tiles of all places of the batch: where the factors are, then piece after piece of the rows."""
        b, cut, step = self.b, self.cut, self.step
        with between(b, begin, end) as unit:
            tiles = ir.Constant(_LONG, cut.units)
            place = b.sdiv(unit, tiles)
            tile = b.sub(unit, b.mul(place, tiles))
            batch = step.batch or (step.pieces,) * (step.pieces > 0)
            where = self._places(place, batch)
            size = step.m * step.n
            result = self._moved(pointers[2], 0, [size * s for s in contiguous(batch)], where)
            along: list[list[int]] = [list(f.batch) for f in (cut.left, cut.right)]
            if step.pieces:
                each = -(-step.k // step.pieces)
                along = [[each * f.inner] for f in (cut.left, cut.right)]
                rest = b.sub(ir.Constant(_LONG, step.k), b.mul(where[0], ir.Constant(_LONG, each)))
                whole = ir.Constant(_LONG, each)
                self.length = b.select(b.icmp_signed("<", rest, whole), rest, whole)
            left = self._moved(pointers[0], cut.left.offset, along[0], where)
            right = self._moved(pointers[1], cut.right.offset, along[1], where)
            if self.room is not None:
                first = b.or_(b.icmp_signed("==", unit, begin), b.icmp_signed("==", tile, ir.Constant(_LONG, 0)))
                self._if(first, lambda: self._turn(right))
                right = self.room
            if cut.deep:
                self._blocks(left, right, result)
            else:
                self._tile(tile, left, right, result)

    def _blocks(self, left: Any, right: Any, result: Any) -> None:
        """All tiles of one place of the batch, over and over: each time, some more entries are added up."""
        b, cut, whole = self.b, self.cut, self.length
        with between(b, ir.Constant(_LONG, 0), whole, cut.deep) as k:
            rest = b.sub(whole, k)
            deep = ir.Constant(_LONG, cut.deep)
            self.length = b.select(b.icmp_signed("<", rest, deep), rest, deep)
            self.begins = b.icmp_signed("==", k, ir.Constant(_LONG, 0))
            x, y = self._moved(left, 0, [cut.left.inner], [k]), self._moved(right, 0, [cut.right.inner], [k])
            with counted(b, cut.tiles) as tile:
                self._tile(tile, x, y, result)

    def _tile(self, tile: Any, left: Any, right: Any, result: Any) -> None:
        """One tile of rows; the last may have fewer."""
        b, cut = self.b, self.cut
        down = b.mul(tile, ir.Constant(_LONG, cut.down))
        left = self._moved(left, 0, [cut.left.along], [down])
        result = self._moved(result, 0, [cut.steps[0]], [down])
        over = cut.rows % cut.down
        if over and cut.tiles > 1:
            last = b.icmp_signed("==", tile, ir.Constant(_LONG, cut.tiles - 1))
            self._if(
                last, lambda: self._row(over, left, right, result), lambda: self._row(cut.down, left, right, result)
            )
        else:
            self._row(cut.down, left, right, result)

    def _rows(self, begin: Any, end: Any, pointers: Sequence[Any]) -> None:
        """A loop over the tiles of some rows."""
        b, cut = self.b, self.cut
        left = self._moved(pointers[0], cut.left.offset, [], [])
        right = self._moved(pointers[1], cut.right.offset, [], [])
        if self.room is not None:
            self._turn(right)
            right = self.room
        with between(b, begin, end, cut.down) as row:
            last = b.sub(end, ir.Constant(_LONG, cut.down))
            row = b.select(b.icmp_signed("<", row, last), row, last)
            first = self._moved(left, 0, [cut.left.along], [row])
            self._row(cut.down, first, right, self._moved(pointers[2], 0, [cut.steps[0]], [row]))

    def _if(self, condition: Any, yes: Any, no: Any = None) -> None:
        b = self.b
        then, other, after = (b.append_basic_block(n) for n in ("then", "other", "after"))
        b.cbranch(condition, then, other)
        for block, body in ((then, yes), (other, no)):
            b.position_at_end(block)
            if body is not None:
                body()
            b.branch(after)
        b.position_at_end(after)

    def _places(self, place: Any, batch: Sequence[int]) -> list[Any]:
        """Where in the batch one is, along each axis."""
        b = self.b
        found: list[Any] = []
        for n in reversed(batch):
            size = ir.Constant(_LONG, n)
            rest = b.sdiv(place, size)
            found.append(b.sub(place, b.mul(rest, size)))
            place = rest
        return found[::-1]

    def _moved(self, pointer: Any, offset: int, strides: Sequence[int], where: Sequence[Any]) -> Any:
        """A pointer some entries further on."""
        place: Any = ir.Constant(_LONG, offset)
        for stride, index in zip(strides, where, strict=True):
            place = self.b.add(place, self.b.mul(index, ir.Constant(_LONG, stride)))
        return self.b.gep(pointer, [place], source_etype=self.type)

    def _turn(self, right: Any) -> None:
        """Copy the right factor so that its rows lie one after another, filled up with zeros to whole vectors."""
        b, factor = self.b, self.cut.right
        with counted(b, self.step.k) as k:
            with counted(b, self.cut.columns) as j:
                entry = b.load(self._moved(right, 0, [factor.inner, factor.along], [k, j]), typ=self.type)
                b.store(entry, self._moved(self.room, 0, [self.row, 1], [k, j]))
            if self.row > self.cut.columns:
                with counted(b, self.row - self.cut.columns) as j:
                    b.store(
                        ir.Constant(self.type, 0.0), self._moved(self.room, self.cut.columns, [self.row, 1], [k, j])
                    )

    def _row(self, down: int, left: Any, right: Any, result: Any) -> None:
        """All pieces of some rows. A last one that isn't full begins earlier, and computes some entries once more."""
        b, cut = self.b, self.cut
        inner = 1 if self.room is not None else cut.right.along
        assert inner == 1
        first = cut.across[0]
        wide = sum(n == first for n in cut.across)
        fits = cut.columns >= cut.across[-1] * cut.lanes
        starts = [sum(cut.across[:k]) * cut.lanes for k in range(len(cut.across))]
        whole = [k for k in range(wide) if starts[k] + first * cut.lanes <= cut.columns]
        if whole:
            with counted(b, len(whole)) as k:
                at = b.mul(k, ir.Constant(_LONG, first * cut.lanes))
                self._piece(down, first, left, right, result, at)
        for k in range(len(whole), len(cut.across)):
            n = cut.across[k]
            start = min(starts[k], cut.columns - n * cut.lanes) if fits else starts[k]
            self._piece(down, n, left, right, result, ir.Constant(_LONG, start))

    def _piece(self, down: int, vectors: int, left: Any, right: Any, result: Any, at: Any) -> None:
        b = self.b
        kernel = self._kernels.get((down, vectors))
        if kernel is None:
            kernel = self._kernels[down, vectors] = self._kernel(down, vectors)
        right, result = self._moved(right, 0, [1], [at]), self._moved(result, 0, [self.cut.steps[1]], [at])
        b.call(kernel, [left, right, result, self.length, self.begins])

    # The tile

    def _kernel(self, down: int, vectors: int) -> ir.Function:
        """`tile(left, right, result, k, begins)`: sums over so many entries, in registers, then stored.

        If it doesn't begin, they are added to what is there.
        """
        cut = self.cut
        kind = ir.FunctionType(ir.VoidType(), [_P, _P, _P, _LONG, _BIT])
        function = ir.Function(self.module, kind, f"{self.name}.{down}x{vectors}")
        function.linkage = "internal"
        function.attributes.add("noinline")
        left, right, result, length, begins = function.args
        outer, self.b = self.b, ir.IRBuilder(function.append_basic_block("entry"))
        b = self.b
        zero = ir.Constant(self.vector, 0.0)
        starts: list[list[Any]] = [[zero] * vectors for _ in range(down)]
        if cut.deep:
            for i in range(down):
                for v in range(vectors):
                    place = self._moved(result, i * cut.steps[0] + v * cut.lanes, [], [])
                    there = b.load(place, align=self.itemsize, typ=self.vector)
                    starts[i][v] = b.select(begins, zero, there)
        before, loop, after = b.block, b.append_basic_block("loop"), b.append_basic_block("after")
        b.branch(loop)
        b.position_at_end(loop)
        k = b.phi(_LONG)
        k.add_incoming(ir.Constant(_LONG, 0), before)
        sums = [[b.phi(self.vector) for _ in range(vectors)] for _ in range(down)]
        inner = self.row if self.room is not None else cut.right.inner
        row = self._moved(right, 0, [inner], [k])
        entries = [self._entries(row, v * cut.lanes) for v in range(vectors)]
        column = self._moved(left, 0, [cut.left.inner], [k])
        for i in range(down):
            entry = self._everywhere(b.load(self._moved(column, i * cut.left.along, [], []), typ=self.type))
            for v in range(vectors):
                more = self._multiplied(entry, entries[v], sums[i][v])
                sums[i][v].add_incoming(starts[i][v], before)
                sums[i][v].add_incoming(more, loop)
                sums[i][v] = more
        following = b.add(k, ir.Constant(_LONG, 1), flags=("nsw",))
        k.add_incoming(following, loop)
        b.cbranch(b.icmp_signed("<", following, length), loop, after)
        b.position_at_end(after)
        self._store(sums, result, down, vectors)
        b.ret_void()
        self.b = outer
        return function

    def _entries(self, row: Any, at: int) -> Any:
        """A vector of the right factor; of a row that is shorter than the tile, nothing is read beyond its end."""
        cut = self.cut
        place = self._moved(row, at, [], [])
        left = cut.columns - at
        if left >= cut.lanes or self.room is not None or cut.columns >= cut.across[0] * cut.lanes:
            return self.b.load(place, align=self.itemsize, typ=self.vector)
        bits = ir.VectorType(_BIT, cut.lanes)
        mask = ir.Constant(bits, [k < left for k in range(cut.lanes)])
        kind = ir.FunctionType(self.vector, [_P, _INT, bits, self.vector])
        load = self.module.declare_intrinsic(f"llvm.masked.load.v{cut.lanes}f{8 * self.itemsize}.p0", (), kind)
        return self.b.call(load, [place, ir.Constant(_INT, self.itemsize), mask, ir.Constant(self.vector, 0.0)])

    def _everywhere(self, entry: Any) -> Any:
        b = self.b
        one = b.insert_element(ir.Constant(self.vector, ir.Undefined), entry, ir.Constant(_INT, 0))
        mask = ir.Constant(ir.VectorType(_INT, self.cut.lanes), [0] * self.cut.lanes)
        return b.shuffle_vector(one, one, mask)

    def _multiplied(self, x: Any, y: Any, z: Any) -> Any:
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        function = self.module.declare_intrinsic("llvm.fmuladd", [self.vector], kind)
        return self.b.call(function, [x, y, z])

    def _store(self, sums: Sequence[Sequence[Any]], result: Any, down: int, vectors: int) -> None:
        b, cut = self.b, self.cut
        lanes = cut.lanes
        if cut.steps[1] == 1 and cut.columns >= lanes * vectors:
            for i in range(down):
                for v in range(vectors):
                    b.store(sums[i][v], self._moved(result, i * cut.steps[0] + v * lanes, [], []), align=self.itemsize)
            return
        tile = b.alloca(self.type, down * vectors * lanes, align=64)
        for i in range(down):
            for v in range(vectors):
                b.store(sums[i][v], self._moved(tile, (i * vectors + v) * lanes, [], []), align=self.itemsize)
        with counted(b, down) as i, counted(b, min(vectors * lanes, cut.columns)) as j:
            entry = b.load(self._moved(tile, 0, [vectors * lanes, 1], [i, j]), typ=self.type)
            b.store(entry, self._moved(result, 0, cut.steps, [i, j]))

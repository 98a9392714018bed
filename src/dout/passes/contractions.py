"""Sums of products of two arrays over shared axes, as einsum and matmul name them: for BLAS, or as one statement."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from .places import Place
from .plan import Product, Read, contiguous


class Contraction:
    """`sum over some labels of a[...] * b[...]`, each axis with a label."""

    def __init__(
        self, places: Sequence[Place], strides: Sequence[dict[Hashable, int]], sizes: dict[Hashable, int],
        result: Sequence[Hashable],
    ) -> None:  # fmt: skip
        self.places = places
        self.strides = strides
        self.sizes = sizes
        self.result = list(result)
        left, right = (set(s) for s in strides)
        out = set(result)
        self.batch = [x for x in result if x in left and x in right]
        self.rows = [x for x in result if x in left and x not in right]
        self.columns = [x for x in result if x in right and x not in left]
        self.summed = [x for x in sizes if x not in out]
        self.plain = all(x in left and x in right for x in self.summed)

    def _size(self, labels: Sequence[Hashable]) -> int:
        return math.prod(self.sizes[x] for x in labels)

    def has_products(self) -> bool:
        """Whether entries are used again and again, as in a product of matrices."""
        return self.plain and bool(self.summed) and self._size(self.rows) > 1 and self._size(self.columns) > 1

    def is_large(self, small: int) -> bool:
        """Whether one of its sizes is too large to be written out."""
        return max(self._size(self.rows), self._size(self.columns), self._size(self.summed)) > small

    def product(self, value: int) -> Product | None:
        """It as a step of BLAS; None if it isn't one, or if the axes don't lie as BLAS needs them."""
        if not self.has_products() or self.result != [*self.batch, *self.rows, *self.columns]:
            return None
        ends: list[Read] = []
        for k, (outer, inner) in enumerate([(self.rows, self.summed), (self.summed, self.columns)]):
            first, second = self._joined(k, outer), self._joined(k, inner)
            if first is None or second is None or (1 not in (first, second)):
                return None
            along = [self.strides[k].get(x, 0) for x in self.batch]
            ends.append(Read(self.places[k].buffer, self.places[k].offset, (*along, first, second)))
            if min(first, second) < 0 or max(first, second) == 0:
                return None
        m, n, k = self._size(self.rows), self._size(self.columns), self._size(self.summed)
        if any(not self._fits(e.strides[-2:], s) for e, s in zip(ends, [(m, k), (k, n)], strict=True)):
            return None
        return Product(value, tuple([self.sizes[x] for x in self.batch]), m, n, k, ends[0], ends[1])

    def _fits(self, strides: Sequence[int], sizes: tuple[int, int]) -> bool:
        """Whether a matrix lies in rows or in columns, one after another, without overlap."""
        rows, columns = strides
        return (columns == 1 and rows >= sizes[1]) or (rows == 1 and columns >= sizes[0])

    def _joined(self, k: int, labels: Sequence[Hashable]) -> int | None:
        """The stride of some axes as one; None if they don't lie behind one another."""
        live = [x for x in labels if self.sizes[x] > 1]
        if not live:
            return 1
        step = self.strides[k].get(live[-1], 0)
        expected = step
        for x in reversed(live):
            if self.strides[k].get(x, 0) != expected:
                return None
            expected *= self.sizes[x]
        return step

    def statement(self) -> tuple[tuple[int, ...], tuple[Read, Read], tuple[int, ...]]:
        """It as a sum over a domain: the extents, what is multiplied, and the strides of the result."""
        out = dict(zip(self.result, contiguous([self.sizes[x] for x in self.result]), strict=True))
        live = [x for x in [*self.result, *self.summed] if self.sizes[x] > 1]
        if self.columns and self.summed and not self.batch:  # so that the inner loop goes along the result's rows
            live = [x for x in [*self.rows, *self.summed, *self.columns] if self.sizes[x] > 1]
            if self.result != [*self.rows, *self.columns]:
                live = [x for x in [*self.result, *self.summed] if self.sizes[x] > 1]
        reads = [
            Read(p.buffer, p.offset, tuple([s.get(x, 0) for x in live]))
            for p, s in zip(self.places, self.strides, strict=True)
        ]
        extents = tuple([self.sizes[x] for x in live])
        return extents, (reads[0], reads[1]), tuple([out.get(x, 0) for x in live])


def contraction(
    places: Sequence[Place], inputs: Sequence[Sequence[Hashable]], result: Sequence[Hashable]
) -> Contraction | None:
    """Two arrays with a label for each axis; None if sizes don't fit but by broadcasting in an unusual way."""
    sizes: dict[Hashable, int] = {}
    for place, labels in zip(places, inputs, strict=True):
        if len(labels) != len(place.shape):
            return None
        for x, n in zip(labels, place.shape, strict=True):
            if n != 1 or x not in sizes:
                if sizes.get(x, 1) not in (1, n):
                    return None
                sizes[x] = n
    if any(x not in sizes for x in result) or len(set(result)) != len(result):
        return None
    strides: list[dict[Hashable, int]] = []
    for place, labels in zip(places, inputs, strict=True):
        along: dict[Hashable, int] = {}
        for x, n, step in zip(labels, place.shape, place.strides, strict=True):
            along[x] = along.get(x, 0) + (step if n > 1 else 0)
        strides.append(along)
    return Contraction(places, strides, sizes, result)

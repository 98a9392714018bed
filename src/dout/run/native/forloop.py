"""A loop in LLVM's text, as a context: what is emitted inside is its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ForLoop:
    """`for index in range(start, stop)`, at least once, with values that are carried on."""

    def __init__(self, emission: Any, start: Any, stop: Any, carried: Sequence[Any] = ()) -> None:
        self.emission = emission
        self.start = start
        self.stop = stop
        self.starts = list(carried)
        self.carried: list[Any] = []
        self.totals: list[Any] = []

    def __enter__(self) -> ForLoop:
        b, function = self.emission.b, self.emission.core
        before = b.block
        self.block, self.after = function.append_basic_block("loop"), function.append_basic_block("end")
        b.branch(self.block)
        b.position_at_end(self.block)
        self.index = b.phi(self.emission.long)
        self.index.add_incoming(self.start, before)
        self.phis = [b.phi(s.type) for s in self.starts]
        for phi, s in zip(self.phis, self.starts, strict=True):
            phi.add_incoming(s, before)
        return self

    def __exit__(self, *error: Any) -> None:
        b = self.emission.b
        following = b.add(self.index, self.emission.number(1), flags=("nsw",))
        self.index.add_incoming(following, b.block)
        for phi, value in zip(self.phis, self.carried, strict=True):
            phi.add_incoming(value, b.block)
        self.totals = self.carried
        b.cbranch(b.icmp_signed("<", following, self.stop), self.block, self.after)
        b.position_at_end(self.after)

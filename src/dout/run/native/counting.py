"""Counted loops, as LLVM."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from . import text as ir

_LONG = ir.IntType(64)


@contextlib.contextmanager
def counted(b: ir.IRBuilder, extent: int) -> Iterator[Any]:
    """`for index in range(extent)`, at least once; gives the index."""
    if extent == 1:
        yield ir.Constant(_LONG, 0)
        return
    before, loop, end = b.block, b.append_basic_block("loop"), b.append_basic_block("end")
    b.branch(loop)
    b.position_at_end(loop)
    index = b.phi(_LONG)
    index.add_incoming(ir.Constant(_LONG, 0), before)
    yield index
    following = b.add(index, ir.Constant(_LONG, 1), flags=("nsw",))
    index.add_incoming(following, b.block)
    b.cbranch(b.icmp_signed("<", following, ir.Constant(_LONG, extent)), loop, end)
    b.position_at_end(end)


@contextlib.contextmanager
def between(b: ir.IRBuilder, begin: Any, end: Any, step: int = 1) -> Iterator[Any]:
    """`for index in range(begin, end, step)`, perhaps not at all; gives the index."""
    before = b.block
    test, work, done = (b.append_basic_block(n) for n in ("test", "work", "done"))
    b.branch(test)
    b.position_at_end(test)
    index = b.phi(_LONG)
    index.add_incoming(begin, before)
    b.cbranch(b.icmp_signed("<", index, end), work, done)
    b.position_at_end(work)
    yield index
    index.add_incoming(b.add(index, ir.Constant(_LONG, step)), b.block)
    b.branch(test)
    b.position_at_end(done)

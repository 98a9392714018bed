"""Large results are written past the caches.

To store into a line of memory that is not in a cache, a processor reads it first, so that a third of all that moves is for
nothing. There are stores that don't, for whole lines; so entries of a large result are put together in a small room, some
hundred at a time, and go on from there line by line. What is read again by the program is written in the common way.
"""

from __future__ import annotations

import platform
from typing import Any

from ...passes.plan import Group, Loop, Nest, Plan, Read, Statement
from . import text as ir
from .counting import between
from .engine import width
from .segments import nbytes

_P, _LONG, _BYTE = ir.PointerType(), ir.IntType(64), ir.IntType(8)
#: So many bytes a nest has to write, more than stay in the caches near to a core. Measured on two cores: of 12 MB and more up
#: to half of the time is saved; of 2 MB a tenth, and who reads them next would find them in the cache.
LARGE = 12 << 20
#: So many entries are put together at a time.
BLOCK = 512
#: Rows of fewer entries are written in the common way.
SHORT = 16


def streamed(plan: Plan, nest: Nest) -> set[int]:
    """The buffers that a nest writes past the caches: large, filled row by row, and read by nobody else."""
    found = {b for b in nest.writes if b in plan.buffers and _is_filled_by_rows(nest, b)}
    if sum(nbytes(plan.buffers[b]) for b in found) < LARGE:
        return set()
    steps = [inner for step in plan.steps for inner in (step.steps if isinstance(step, Group) else [step])]
    for step in steps:
        found -= set(step.reads)
        found -= set() if step is nest else set(step.writes)
    return found


def _is_filled_by_rows(nest: Nest, b: int) -> bool:
    makers = [s for s in nest.statements() if s.value == b]
    if len(makers) != 1:
        return False
    (s,) = makers
    plain = s.how in ("map", "copy") and not s.write.indices and bool(s.write.strides) and s.write.strides[-1] == 1
    rows = [loop for loop in _innermost(nest.body) if s in loop.body]
    if not plain or not rows or s.extents[-1] < SHORT:
        return False
    there = rows[0].body[rows[0].body.index(s) + 1 :]  # while the entry is in a register
    reads = [(t, r) for t in nest.statements() for r in _places(t) if r.value == b]
    return all(
        t in there and (r.offset, r.strides, r.indices) == (s.write.offset, s.write.strides, ()) for t, r in reads
    )


def _places(s: Statement) -> list[Read]:
    return [*s.reads, *[i.read for r in (*s.reads, s.write) for i in r.indices]]


def _innermost(body: list[Any]) -> list[Loop]:
    found: list[Loop] = []
    for item in body:
        if isinstance(item, Loop):
            inner = [b for b in item.body if isinstance(b, Loop)]
            found += _innermost(item.body) if inner else [item]
    return found


def stream(module: ir.Module) -> ir.Function:
    """Emits a copy `void name(to, from, bytes)` that writes past the caches, but for what is no whole line."""
    name = "dout.stream"
    if name in module.globals:
        made: ir.Function = module.globals[name]
        return made
    module.enter(_MARK, _Mark())
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_P, _P, _LONG]), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    to, source, size = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    line = width() // 8
    lanes = ir.VectorType(_LONG, line // 8)
    over = b.and_(b.sub(ir.Constant(_LONG, 0), b.ptrtoint(to, _LONG)), ir.Constant(_LONG, line - 1))
    head = b.select(b.icmp_signed("<", over, size), over, size)
    whole = b.and_(b.sub(size, head), ir.Constant(_LONG, -line))
    _copied(b, to, source, head)
    last = b.add(head, whole)

    with between(b, head, last, line) as at:
        entry = b.load(b.gep(source, [at], source_etype=_BYTE), align=1, typ=lanes)
        b.store(entry, b.gep(to, [at], source_etype=_BYTE), align=line, more=f", !nontemporal {_MARK}")
    _copied(b, b.gep(to, [last], source_etype=_BYTE), b.gep(source, [last], source_etype=_BYTE), b.sub(size, last))
    b.ret_void()
    return function


def fence(b: ir.IRBuilder) -> None:
    """Let what was written past the caches be there for other threads; only on x86 does that need a word."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        kind = ir.FunctionType(ir.VoidType(), [])
        b.call(b.module.declare_intrinsic("llvm.x86.sse.sfence", (), kind), [])


#: The number of the mark that such a store has.
_MARK = "!9000"


class _Mark:
    """The mark's own line in a module."""

    def lines(self) -> list[str]:
        return [f"{_MARK} = !{{i32 1}}"]


def _copied(b: ir.IRBuilder, to: Any, source: Any, size: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [_P, _P, _LONG, ir.IntType(1)])
    copy = b.module.declare_intrinsic("llvm.memcpy.p0.p0.i64", (), kind)
    b.call(copy, [to, source, size, ir.Constant(ir.IntType(1), 0)])

"""Memory is asked for before it is read: the next row while this one is computed with, or what is somewhat ahead.

Where a row is read more than once (a mean, then a spread, then what is made of both), the memory has nothing to do after the
first time, and what fetches along by itself stops at the end of a page, which many rows end with. So the last loop that reads
a row of a large array asks for the same entries of the next one. Measured: layer norm of 4096 x 1024 numbers takes 0.85 of the
time. To ask for the whole row at once, before a loop, gains nothing: only some lines can be under way at a time.

A long loop that reads several arrays asks for what comes next in each. Measured: three arrays read and three written take 0.82
of the time in double precision, and as long as before in single; of fewer arrays, nothing is gained or a fifth is lost.

LLVM makes no vectors of a loop that asks. So what the loop calls is, as far as LLVM knows, a function of an entry and
a place that depends on nothing else, with others of its kind for vectors, as `math/library.py` has them. Their code, which
asks and gives the entry back, comes in the place of the calls when everything else is done.
"""

from __future__ import annotations

from typing import Any

from ...passes.plan import Loop, Nest, Plan, Read, Statement
from . import text as ir
from .engine import WITHIN, width
from .math.library import Used
from .scalars import KINDS
from .segments import nbytes

#: So many bytes an array has, more than the caches near to a core hold.
LARGE = 4 << 20
#: Rows of fewer bytes are over too soon, those of more don't stay in the nearest cache until they are used.
ROWS = (1 << 10, 1 << 14)
#: A long loop asks if it reads so many arrays, and for what is so many bytes on.
SEVERAL, FURTHER = 3, 1 << 11
_NAME = "dout.ahead"
_TYPES = {"f8": ir.DoubleType(), "f4": ir.FloatType()}
_BYTES = {"f8": 8, "f4": 4}


def asked_for(plan: Plan, nest: Nest, loop: Loop, depth: int) -> dict[Read, int]:
    """The reads of an innermost loop that ask for what lies further on: each with how many entries.

    Args:
        plan: what the nest is part of.
        nest: what the loop is in.
        loop: it.
        depth: how many loops are around it.
    """
    if not all(_is_plain(s) for s in loop.statements()):
        return {}
    reads: dict[int, Read] = {}
    for s in loop.statements():
        for r in s.reads:
            if r.value not in reads and _is_along(plan, nest, r, depth):
                reads[r.value] = r
    if depth == 0:
        return {r: FURTHER // _size(plan, r) for r in reads.values()} if len(reads) >= SEVERAL else {}
    loops = _beside(nest.body, loop)
    found: dict[Read, int] = {}
    for r in reads.values():
        last = [other for other in loops if any(q.value == r.value for s in other.statements() for q in s.reads)][-1:]
        step, size = r.strides[depth - 1], loop.extent * _size(plan, r)
        if len(loops) > 1 and last == [loop] and step >= loop.extent and ROWS[0] <= size <= ROWS[1]:
            found[r] = step
    return found


def _is_along(plan: Plan, nest: Nest, r: Read, depth: int) -> bool:
    """Whether a read goes along a large array that is only read, entry by entry."""
    buffer = plan.buffers.get(r.value)
    if buffer is None or r.value in nest.writes or r.value in nest.inside or KINDS.get(buffer.dtype) not in _TYPES:
        return False
    return nbytes(buffer) >= LARGE and not r.indices and len(r.strides) == depth + 1 and r.strides[depth] == 1


def _size(plan: Plan, r: Read) -> int:
    return _BYTES[KINDS[plan.buffers[r.value].dtype]]


def _is_plain(s: Statement) -> bool:
    return s.how in ("map", "copy", "reduce") and not s.write.indices and not any(r.indices for r in s.reads)


def _beside(body: list[Any], loop: Loop) -> list[Loop]:
    """The innermost loops of the body that has this one."""
    inner = [b for b in body if isinstance(b, Loop)]
    if any(b is loop for b in inner):
        return [b for b in inner if all(isinstance(s, Statement) for s in b.body)]
    for b in inner:
        found = _beside(b.body, loop)
        if found:
            return found
    return []


def asked(b: ir.IRBuilder, entry: ir.Value, place: ir.Value, kind: str) -> ir.Value:
    """An entry, while the memory at another place is asked for."""
    name = f"{_NAME}.{kind}"
    function = b.module.globals.get(name) or _declared(b.module, name, kind)
    return b.call(function, [entry, place])


def _declared(module: ir.Module, name: str, kind: str) -> ir.Function:
    real = _TYPES[kind]
    function = ir.Function(module, ir.FunctionType(real, [real, ir.PointerType()]), name)
    used = module.globals.get(Used.NAME) or Used(module)
    words = []
    for n in _lanes(kind):
        vector = ir.VectorType(real, n)
        ir.Function(module, ir.FunctionType(vector, [vector, ir.PointerType()]), f"{name}.x{n}")
        used.kept.append(f"@{name}.x{n}")
        words.append(f"_ZGV_LLVM_N{n}vl{_BYTES[kind]}_{name}({name}.x{n})")  # the place goes on by so many bytes
    function.attributes.add(f'nounwind willreturn memory(none) "vector-function-abi-variant"="{",".join(words)}"')
    return function


def _lanes(kind: str) -> list[int]:
    return sorted({width() // (8 * _BYTES[kind]), width() // 64})


def code(module: ir.Module) -> str:
    """The text of what comes in the place of a module's calls; nothing if there are none."""
    kinds = [kind for kind in _TYPES if f"{_NAME}.{kind}" in module.globals]
    lines = ["declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"] if kinds else []
    for kind in kinds:
        real = _TYPES[kind].text
        for n in (1, *_lanes(kind)):
            vector, name = (real, f"{_NAME}.{kind}") if n == 1 else (f"<{n} x {real}>", f"{_NAME}.{kind}.x{n}")
            ask = "" if n == 1 else "call void @llvm.prefetch.p0(ptr %at, i32 0, i32 3, i32 1) "
            lines.append(
                f"define linkonce_odr {vector} @{name}({vector} %x, ptr %at) {WITHIN} {{ {ask}ret {vector} %x }}"
            )
    return "\n".join(lines)

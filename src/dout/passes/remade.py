"""What a group of steps makes anew for itself, because to read it from far takes longer than to compute it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .again import elsewhere, is_cheap
from .plan import Loop, Nest, Product, Read, Statement, Step, contiguous
from .writing import Writing

#: Arrays with fewer entries stay in the cache anyway.
LARGE = 1 << 16


def repeatable(writing: Writing, steps: Sequence[Step]) -> dict[int, Statement]:
    """For each large buffer that one cheap statement fills from what is smaller by half, that statement."""
    writers: dict[int, int] = {}  # how many statements and other steps
    for step in steps:
        made = [s.value for s in step.statements() if s.how != "check"] if isinstance(step, Nest) else step.writes
        for b in made:
            writers[b] = writers.get(b, 0) + 1
    stored = {b for step in steps for b in step.writes}
    found: dict[int, Statement] = {}
    for nest in [step for step in steps if isinstance(step, Nest)]:
        for s in nest.statements():
            if s.value in nest.writes and writers[s.value] == 1 and _is_simple(writing, s, nest):
                inputs = {r.value for r in s.reads}
                lasting = all(writers.get(b, 0) == (b in stored) == (not _is_given(writing, b)) for b in inputs)
                sizes = sum(math.prod(writing.values[b].shape) for b in inputs)
                if lasting and inputs and 2 * sizes <= math.prod(s.extents):
                    found[s.value] = s
    return found


def _is_given(writing: Writing, b: int) -> bool:
    """Whether a buffer is an input or a constant."""
    return writing.values[b].op is None


def _is_simple(writing: Writing, s: Statement, nest: Nest) -> bool:
    """Whether a statement alone fills a large buffer, in order."""
    if math.prod(s.extents) < LARGE or math.prod(writing.values[s.value].shape) != math.prod(s.extents):
        return False
    alone = sum(t.value == s.value for t in nest.statements()) == 1
    plain = not s.write.offset and s.write.strides == contiguous(s.extents) and not s.write.indices
    return alone and plain and not any(r.indices for r in s.reads) and is_cheap(writing.values, s)


def alone(writing: Writing, s: Statement, value: int) -> Nest:
    """A nest that does nothing but fill another buffer in the same way."""
    old = writing.values[s.value]
    writing.values[value].op, writing.values[value].args, writing.values[value].params = old.op, old.args, old.params
    again = replace(s, value=value, write=Read(value, 0, s.write.strides))
    body: list[Loop | Statement] = [again]
    for n in reversed(s.extents):
        body = [Loop(n, body)]
    reads = [r.value for r in s.reads if not writing.values[r.value].is_constant() or writing.values[r.value].shape]
    return Nest(body, sorted(set(reads)), [value], parallel=True, work=math.prod(s.extents) * 0.15)


def reading(step: Nest | Product, names: dict[int, int]) -> Nest | Product:
    """A step that reads other buffers."""
    if not names:
        return step
    if isinstance(step, Product):
        return replace(step, a=elsewhere(step.a, names), b=elsewhere(step.b, names))
    reads = sorted({names.get(b, b) for b in step.reads})
    return replace(step, body=[_reading(item, names) for item in step.body], reads=reads)


def _reading(item: Loop | Statement, names: dict[int, int]) -> Loop | Statement:
    if isinstance(item, Loop):
        return Loop(item.extent, [_reading(inner, names) for inner in item.body])
    others = {b: name for b, name in names.items() if b != item.value}
    return replace(item, reads=tuple([elsewhere(r, names) for r in item.reads]), write=elsewhere(item.write, others))

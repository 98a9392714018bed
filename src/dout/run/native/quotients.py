"""Division of many numbers by the same one, without a division for each.

A division takes a processor ten times as long as a multiplication. With the reciprocal `r` of `c`, `q = x r` is off by a unit
in the last place at most; the remainder `x - q c` is exact in one fused operation, and what it adds to `q` makes the quotient
that division rounds to (P. W. Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor", 1990). A
zero keeps its sign, and infinities and NaN come out as they do of a division. What is left: where the remainder is below the
smallest normal number, a unit or two; and a quotient within a unit of the largest number may overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...passes.plan import Statement
from ...passes.program import Value
from .engine import has_fma
from .scalars import Scalars

#: Rows of fewer entries are divided one by one.
LONG = 16
#: Where a reciprocal would overflow, the divisor is scaled first: below what, and by which power of two.
_TINY = {"f8": 2.0**-1000, "f4": 2.0**-120}
_SCALE = {"f8": 2.0**200, "f4": 2.0**40}


def is_by_one(s: Statement, kinds: Sequence[str], value: Value) -> bool:
    """Whether a statement divides the entries of long rows by one number each, and this machine has the operations."""
    if value.op is None or value.op.name != "divide" or not value.array or len(set(kinds)) > 1 or kinds[0] not in _TINY:
        return False
    divisor = s.reads[1]
    same = not any(divisor.strides[-1:]) and not divisor.indices
    return bool(s.extents) and s.extents[-1] >= LONG and same and has_fma()


def quotient(scalars: Scalars, x: Any, c: Any, kind: str) -> Any:
    """`x / c`, where `c` stays the same in a loop: what depends on it alone, LLVM takes out of that."""
    b = scalars.b
    one, tiny, scale = (scalars.constant(v, kind) for v in (1.0, _TINY[kind], _SCALE[kind]))
    size = scalars.intrinsic("fabs", c)
    small = b.fcmp_ordered("<", size, tiny)
    times = b.select(small, scale, one)
    divisor = b.fmul(size, times)
    r = b.fdiv(one, divisor)
    q = b.fmul(x, r)
    excess = scalars.intrinsic("fma", q, divisor, b.fneg(x))
    better = scalars.intrinsic("fma", b.fneg(excess), r, q)
    found = b.select(b.fcmp_unordered("uno", better, better), q, better)  # an infinity leaves no remainder
    return b.fmul(found, scalars.intrinsic("copysign", times, c))

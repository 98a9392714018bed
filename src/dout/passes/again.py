"""What is cheaper to compute again than to keep in memory is computed again, where it is used.

An entry that is needed in a later nest has to be stored and read back. Where it is made of no more than that by cheap
operations (`x - mean`, differences of all points and all centres), the later nest makes it itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .levels import leveled, reads_of
from .plan import Index, Read, Statement
from .program import Value

#: Arrays with fewer entries stay in the cache anyway.
LARGE = 1 << 13
#: So many operations are repeated at most, in a row.
LONGEST = 8
_CHEAP = {
    "absolute", "add", "astype", "bitwise_and", "bitwise_or", "cast", "equal", "greater", "greater_equal", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "multiply", "negative", "not_equal",
    "positive", "sign", "square", "subtract", "where",
}  # fmt: skip


def repeated(units: Sequence[Any], values: list[Value], wanted: set[int]) -> list[Any]:
    """The units, with cheap statements repeated before those that use them in later nests.

    Args:
        units: in order.
        values: the program's; those of repeated statements are added.
        wanted: what is stored anyway.
    """
    if not any(_is_large(u) for u in units):
        return list(units)
    return _Repeating(units, values, wanted).units


def _is_large(unit: Any) -> bool:
    return isinstance(unit, Statement) and math.prod(unit.extents) >= LARGE


class _Repeating:
    def __init__(self, units: Sequence[Any], values: list[Value], wanted: set[int]) -> None:
        self.values = values
        self.stored = set(wanted)
        self.makers: dict[int, list[int]] = {}
        self.users: dict[int, list[int]] = {}
        for n, u in enumerate(units):
            if isinstance(u, Statement) and u.how == "check":
                continue
            self.makers.setdefault(u.value, []).append(n)
            for b in reads_of(u):
                self.users.setdefault(b, []).append(n)
                if not isinstance(u, Statement):
                    self.stored.add(b)
        self.old = list(units)
        self.level = leveled(units, 0)
        before: dict[int, list[Any]] = {}
        self.units: list[Any] = list(units)
        for n, u in enumerate(units):
            if _is_large(u) and u.value not in self.stored:
                self._consider(n, u, before)
        self.units = [each for n, u in enumerate(self.units) for each in (*before.get(n, ()), u)]

    def _consider(self, n: int, u: Statement, before: dict[int, list[Any]]) -> None:
        late: dict[int, list[int]] = {}
        for c in self.users.get(u.value, ()):
            if self.level[c] > self.level[n] and isinstance(self.old[c], Statement):
                late.setdefault(self.level[c], []).append(c)
        chain = self._chain(n) if late else None
        for users in late.values() if chain else ():
            assert chain is not None
            renamed = {self.old[k].value: self._fresh(self.old[k].value) for k in chain}
            before.setdefault(min(users), []).extend(_renamed(self.old[k], renamed) for k in chain)
            for c in users:
                self.units[c] = _rereading(self.units[c], {u.value: renamed[u.value]})

    def _fresh(self, i: int) -> int:
        old = self.values[i]
        self.values.append(Value(old.op, old.args, old.params, old.shape, old.dtype, array=old.array))
        return len(self.values) - 1

    def _chain(self, n: int) -> list[int] | None:
        """The statements to repeat for one, in order; None if it isn't worth it."""
        size = math.prod(self.old[n].extents)
        chain: list[int] = []
        inputs: dict[int, int] = {}
        stack = [n]
        while stack:
            k = stack.pop()
            if k in chain:
                continue
            if not self._is_cheap(k) or len(chain) == LONGEST:
                return None
            chain.append(k)
            for b in reads_of(self.old[k]):
                made = self.makers.get(b, [])
                if any(m > k for m in made):
                    return None  # it may be overwritten until then
                entries = math.prod(self.values[b].shape)
                in_memory = not made or b in self.stored or not isinstance(self.old[made[0]], Statement)
                if in_memory or entries * 8 <= size:
                    inputs[b] = min(entries, size)
                elif len(made) == 1:
                    stack.append(made[0])
                else:
                    return None
        # to keep it is to write and to read it; what it is made of is only read, and may be read there anyway
        return sorted(chain) if sum(inputs.values()) < 2 * size else None

    def _is_cheap(self, k: int) -> bool:
        u = self.old[k]
        if not isinstance(u, Statement) or len(self.makers[u.value]) != 1 or u.write.indices:
            return False
        if any(r.indices for r in u.reads):
            return False
        return is_cheap(self.values, u)


def is_cheap(values: Sequence[Value], u: Statement) -> bool:
    """Whether a statement computes an entry in about the time that it takes to read one."""
    op = values[u.value].op
    square = op is not None and op.name == "power" and values[values[u.value].args[1]].constant == 2
    return u.how == "copy" or (u.how == "map" and op is not None and (square or op.name in _CHEAP))


def _renamed(u: Statement, names: dict[int, int]) -> Statement:
    new = _rereading(u, names)
    return replace(new, value=names[u.value], write=elsewhere(u.write, names))


def _rereading(u: Statement, names: dict[int, int]) -> Statement:
    return replace(u, reads=tuple([elsewhere(r, names) for r in u.reads]), write=elsewhere(u.write, names))


def elsewhere(r: Read, names: dict[int, int]) -> Read:
    """The same place in another buffer, of those that have another name; also where it is read which place it is."""
    indices = tuple([Index(elsewhere(i.read, names), i.extent, i.stride) for i in r.indices])
    return Read(names.get(r.value, r.value), r.offset, r.strides, indices)

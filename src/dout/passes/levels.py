"""The order of statements at one depth of loops, and which of them share the loop there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .plan import Read, Statement

#: In a level, what is about numbers comes first, then loops, then what isn't native code of ours.
_LEAF, _LOOP, _OTHER = range(3)
#: What is read so often is small beside what is computed from it.
_OFTEN = 16
#: So many statements may come late together.
_MOST = 8


def levels(units: Sequence[Any], depth: int) -> list[list[Any]]:
    """Groups of units in an order in which they can run; those of one group share the loop at this depth."""
    kinds = [_kind(u, depth) for u in units]
    level = leveled(units, depth)
    groups: dict[Any, list[int]] = {}
    for n, u in enumerate(units):
        key = (level[n], kinds[n], u.extents[depth] if kinds[n] == _LOOP else n if kinds[n] == _OTHER else 0)
        groups.setdefault(key, []).append(n)
    found = []
    for key in sorted(groups, key=lambda k: (k[0], k[1], groups[k][0])):
        members = groups[key]
        parts = _connected(units, members, depth) if key[1] == _LOOP else [members]
        found += [[units[n] for n in part] for part in parts]
    return found


def leveled(units: Sequence[Any], depth: int) -> list[int]:
    """The level of each unit: those of one level don't wait for one another, but at the same place of a shared loop."""
    kinds = [_kind(u, depth) for u in units]
    changing = _overwritten(units)
    level = _earliest(units, kinds, changing, depth)
    _sink(units, kinds, changing, level, depth)
    return level


def reads_of(unit: Any) -> list[int]:
    """The buffers that a unit reads."""
    return [_buffer(r) for r in _reads(unit)]


def _kind(unit: Any, depth: int) -> int:
    if not isinstance(unit, Statement):
        return _OTHER
    return _LOOP if len(unit.extents) > depth else _LEAF


def _reads(unit: Any) -> list[Any]:
    """What a unit reads: places, or for what is no statement the numbers of buffers."""
    if not isinstance(unit, Statement):
        return list(unit.reads)
    found: list[Any] = [*unit.reads]
    for r in unit.reads:
        if r.indices:
            found += [i.read for i in r.indices]
    if unit.write.indices:
        found += [i.read for i in unit.write.indices]
    return found


def _buffer(r: Any) -> int:
    return r.value if isinstance(r, Read) else r


def _written(unit: Any) -> list[int]:
    return [] if isinstance(unit, Statement) and unit.how == "check" else [unit.value]


def _earliest(units: Sequence[Any], kinds: Sequence[int], changing: set[int], depth: int) -> list[int]:
    level: list[int] = []
    writers: dict[int, list[int]] = {}
    readers: dict[int, list[tuple[int, Any]]] = {}

    def standing(p: int, n: int) -> bool:
        """Whether what comes after n may still have to wait longer for p, which n waits for."""
        return level[p] == level[n] and kinds[p] != _LEAF

    for n, u in enumerate(units):
        here = 0
        for r in _reads(u):
            for p in writers.get(_buffer(r), ()):
                here = max(here, level[p] + _later(units, kinds, p, n, depth, r))
        for b in _written(u):
            for p in writers.get(b, ()):
                if not (_is_part(units[p]) and _is_part(u)):
                    here = max(here, level[p] + _after_write(units, kinds, p, n, depth))
            for p, r in readers.get(b, ()):
                here = max(here, level[p] + _after_read(units, kinds, p, n, depth, r))
        level.append(here)
        for b in _written(u):
            if b in changing and not _is_part(u):
                writers[b] = [p for p in writers.get(b, ()) if standing(p, n)]
                readers[b] = [(p, r) for p, r in readers.get(b, ()) if standing(p, n)]
            writers.setdefault(b, []).append(n)
        for r in _reads(u) if changing else ():
            if _buffer(r) in changing:
                readers.setdefault(_buffer(r), []).append((n, r))
    return level


def _overwritten(units: Sequence[Any]) -> set[int]:
    """Buffers that are written to after they were read or written to."""
    seen: set[int] = set()
    found: set[int] = set()
    for u in units:
        written = _written(u)
        found.update([b for b in written if b in seen])
        seen.update(written)
        seen.update([_buffer(r) for r in _reads(u)])
    return found


def _is_part(unit: Any) -> bool:
    return isinstance(unit, Statement) and unit.part


def _later(units: Sequence[Any], kinds: Sequence[int], p: int, n: int, depth: int, r: Any) -> int:
    """By how many levels a unit has to come after one that it reads from."""
    before, after = kinds[p], kinds[n]
    if before == after == _LOOP:
        return 0 if can_share(units[p], units[n], r, depth) else 1
    if before == _OTHER:
        return 1
    return 0 if before <= after else 1


def _after_write(units: Sequence[Any], kinds: Sequence[int], p: int, n: int, depth: int) -> int:
    """By how many levels a unit has to come after one that writes to the same buffer."""
    if isinstance(units[n], Statement) and isinstance(units[p], Statement):
        return _later(units, kinds, p, n, depth, units[n].write)
    return 1


def _after_read(units: Sequence[Any], kinds: Sequence[int], p: int, n: int, depth: int, r: Any) -> int:
    """By how many levels a unit has to come after one that reads what it overwrites."""
    if kinds[p] == kinds[n] == _LOOP:
        return 0 if can_share(units[n], units[p], r, depth) else 1
    return 0 if kinds[p] == _LEAF else 1


def can_share(p: Statement, s: Statement, r: Read, depth: int) -> bool:
    """Whether what s reads of p's entries is there when both are in the same loops down to a depth."""
    w = p.write.strides
    if p.how == "check" or p.extents[depth] != s.extents[depth]:
        return False
    if any(w[k] == 0 or w[k] != r.strides[k] for k in range(depth + 1)) or not stays(p, depth):
        return False
    start = r.offset - p.write.offset
    low = start + sum(min(0, t * (e - 1)) for t, e in zip(r.strides[depth + 1 :], s.extents[depth + 1 :], strict=True))
    high = start + sum(max(0, t * (e - 1)) for t, e in zip(r.strides[depth + 1 :], s.extents[depth + 1 :], strict=True))
    return low >= 0 and high + _computed(r) < w[depth] and all(i.stride >= 0 for i in r.indices)


def stays(p: Statement, depth: int) -> bool:
    """Whether what a statement writes at one place of the loop at this depth is apart from what it writes at the others."""
    w = p.write.strides
    inner = sum(abs(t) * (e - 1) for t, e in zip(w[depth + 1 :], p.extents[depth + 1 :], strict=True))
    return inner + _computed(p.write) < w[depth]


def _computed(r: Read) -> int:
    """How far the computed part of a place reaches."""
    return sum(abs(i.stride) * (i.extent - 1) for i in r.indices)


def _sink(units: Sequence[Any], kinds: Sequence[int], changing: set[int], level: list[int], depth: int) -> None:
    """Let what needs little from here come as late as it is used, so that it isn't kept in memory till then.

    If it needs one value from here, that one is kept in its place, or comes late, too.
    """
    makers: dict[int, list[int]] = {}
    for n, u in enumerate(units):
        for b in _written(u):
            makers.setdefault(b, []).append(n)
    users: dict[int, list[tuple[int, Any]]] = {}
    for n, u in enumerate(units):
        for r in _reads(u):
            users.setdefault(_buffer(r), []).append((n, r))
    first: dict[int, int] = {}
    for n, u in enumerate(units):
        for b in _written(u):
            if b in changing and b in first and isinstance(u, Statement):
                users.setdefault(b, []).append((n, u.write))
            first.setdefault(b, n)
    for n in range(len(units) - 1, -1, -1):
        u = units[n]
        if kinds[n] != _LOOP or (u.numbered and u.how == "reduce"):
            continue  # what finds goes over entries that were just looked at
        read = {_buffer(r) for r in _reads(u)}
        if read & changing or not _needs_one(units, kinds, n, makers, users):
            continue
        if u.value in changing and (first[u.value] != n or u.how != "copy" or u.reads):
            continue
        found = users.get(u.value)
        if found:
            level[n] = max(level[n], min(level[c] - _later(units, kinds, n, c, depth, r) for c, r in found))


def _needs_one(
    units: Sequence[Any], kinds: Sequence[int], n: int, makers: dict[int, list[int]], users: dict[int, list[Any]]
) -> bool:
    """Whether a statement needs one value from here at most, or what is made of one value for it alone."""
    needed = _large(units[n], makers)
    own, found = {n}, set(needed)
    while len(found) > 1 and len(own) <= _MOST:
        before = len(own)
        for b in sorted(found):
            (m, *others) = makers[b]
            u = units[m]
            if others or kinds[m] != _LOOP or u.how != "map" or any(c not in own for c, _ in users[b]):
                continue
            own.add(m)
            found.discard(b)
            found |= _large(u, makers)
        if len(own) == before:
            return False
    return len(found) <= 1


def _large(unit: Any, makers: dict[int, list[int]]) -> set[int]:
    """What a statement reads of what is made here, but for what is small."""
    return {_buffer(r) for r in _reads(unit) if not _is_small(unit, r)} & makers.keys()


def _is_small(unit: Any, r: Any) -> bool:
    """Whether a statement reads the same few entries again and again: to keep these costs next to nothing."""
    if not isinstance(r, Read) or r.indices or len(r.strides) != len(unit.extents):
        return False
    return any(not stride and n >= _OFTEN for stride, n in zip(r.strides, unit.extents, strict=True))


def _connected(units: Sequence[Any], members: Sequence[int], depth: int) -> list[list[int]]:
    """Those that have something to do with one another, or go over the same places all the way down."""
    parent = {n: n for n in members}

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    first: dict[Any, int] = {}
    for n in members:
        u = units[n]
        keys: list[Any] = [("extents", u.extents), *[("buffer", b) for b in _written(u)]]
        keys += [("buffer", _buffer(r)) for r in _reads(u) if not isinstance(r, Read) or any(r.strides) or r.indices]
        for key in keys:
            if key in first:
                parent[root(n)] = root(first[key])
            else:
                first[key] = n
    groups: dict[int, list[int]] = {}
    for n in members:
        groups.setdefault(root(n), []).append(n)
    return list(groups.values())

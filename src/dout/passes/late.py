"""In which order a program's values are written as statements: what overwrites an array comes as late as it is needed.

`x[i] = v` can be done in the array's own memory if nobody asks for the old array after it. The recording has the readers
of the old array and the write in the order in which Python, or the walk back, came to them; the walk makes `dout` with
zeros at the written places first, and reads what `dout` was there after. So writes wait until somebody needs what they
make. So do sums of an array and a scatter, which are additions in place.
"""

from __future__ import annotations

from typing import NamedTuple

from .program import Program, Value

#: What writes into an array; in its own memory, if nobody asks for it any more.
WRITES = ("write", "replace")
_SCATTERS = ("scatter", "scatter_add")


class Order(NamedTuple):
    """An order of values.

    Attributes:
        values: their numbers, each after what it is made from; without the scatters of `sums`.
        last: for each value, the place in that order where it is used last, if there is anything that writes; else -1.
        sums: for each sum of an array and a scatter that nobody else needs, the numbers of the two.
        goes_on: the arrays that are written or added to.
    """

    values: list[int]
    last: list[int]
    sums: dict[int, tuple[int, int]]
    goes_on: set[int]


def late(program: Program) -> Order:
    """The order for a program."""
    values = program.values
    n = len(values)
    writes = {i for i, v in enumerate(values) if v.op is not None and v.op.name in WRITES}
    scatters = {i for i, v in enumerate(values) if v.op is not None and v.op.name in _SCATTERS}
    if not writes and not scatters:
        return Order(list(range(n)), [-1] * n, {}, set())
    sums = _sums(program, scatters)
    needs = [v.args for v in values]
    for i, (total, scatter) in sums.items():
        needs[i] = (total, *needs[scatter])
    order = list(range(n))
    if writes or sums:
        order = _ordered(needs, {*writes, *sums}, {scatter for _, scatter in sums.values()})
    last = [-1] * n
    for at, i in enumerate(order):
        for a in needs[i]:
            last[a] = at
    goes_on = {values[i].args[0] for i in writes} | {total for total, _ in sums.values()}
    return Order(order, last, sums, goes_on)


def _sums(program: Program, scatters: set[int]) -> dict[int, tuple[int, int]]:
    """Sums of an array and a scatter of its form that only this sum needs."""
    values = program.values
    uses = [0] * len(values)
    for v in values:
        for a in v.args:
            uses[a] += 1
    for a in (*program.outputs, *[c.value for c in program.checks]):
        uses[a] += 1
    found: dict[int, tuple[int, int]] = {}
    for i, v in enumerate(values):
        if v.op is None or v.op.name != "add" or len(v.args) != 2 or v.args[0] == v.args[1]:
            continue
        for scatter, total in (v.args, v.args[::-1]):  # if both are, the second: the walk adds to the first
            if scatter in scatters and uses[scatter] == 1 and _alike(v, values[scatter]) and _alike(v, values[total]):
                found[i] = (total, scatter)
    return found


def _alike(x: Value, y: Value) -> bool:
    return bool(x.shape) and x.shape == y.shape and x.dtype == y.dtype


def _ordered(needs: list[tuple[int, ...]], waiting: set[int], without: set[int]) -> list[int]:
    """All values but some, those that wait right before the first that needs them."""
    order: list[int] = []
    done = bytearray(len(needs))
    for i in [*[i for i in range(len(needs)) if i not in waiting and i not in without], *sorted(waiting)]:
        stack = [i]
        while stack:
            k = stack[-1]
            missing = [] if done[k] else [a for a in needs[k] if not done[a]]
            if missing:
                stack += missing
                continue
            stack.pop()
            if not done[k]:
                done[k] = 1
                order.append(k)
    return order

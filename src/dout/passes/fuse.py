"""Which values of a program are computed together, in one loop.

Each group has a domain, the shape that its loop goes over. Its values are elementwise and of that shape, reductions of
those, and what is computed from the reductions without axes. Every value has a level: a group's results can be used from the
next level on, so groups never wait for one another. Numbers that come of numbers alone are free: each
group computes them for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .program import Program

#: Says of a value whether it is computed entry by entry ("map"), reduced ("reduce"), or by NumPy (None).
Kind = Callable[[Program, int], str | None]
#: A group's domain and level.
_Place = tuple[tuple[int, ...], int]


@dataclass
class Group:
    """Values that are computed in one loop.

    Attributes:
        domain: what the loop goes over.
        inside: those computed for each entry, in order.
        reductions: those that are complete when the loop ends.
        after: numbers computed from those, in order.
        results: those that others need.
    """

    domain: tuple[int, ...]
    inside: list[int] = field(default_factory=list)
    reductions: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)

    def members(self) -> list[int]:
        """All that it computes, but for what is free."""
        return [*self.inside, *self.reductions, *self.after]


@dataclass
class Plan:
    """In which order a program is computed.

    Attributes:
        steps: groups, and numbers of values that NumPy computes.
        free: values that each group computes for itself.
    """

    steps: list[Group | int]
    free: set[int]


def fused(program: Program, kind: Kind) -> Plan:
    """Group a program's values."""
    values = program.values
    level = [0] * len(values)  # from which level on it can be used
    free: set[int] = set()
    groups: dict[tuple[tuple[int, ...], int], Group] = {}
    at: dict[int, tuple[tuple[int, ...], int]] = {}
    alone: list[tuple[int, int]] = []

    def group(domain: tuple[int, ...], here: int) -> Group:
        return groups.setdefault((domain, here), Group(domain))

    for i, value in enumerate(values):
        if value.op is None:
            if not value.shape and value.is_constant() and not value.array:
                free.add(i)
            continue
        how = kind(program, i)
        args = value.args
        if how is None:
            here = max([level[a] for a in args], default=0)
            alone.append((here, i))
            level[i] = here + 1
            continue
        if how == "reduce":
            x = args[0]
            domain = values[x].shape
            here = at[x][1] if x in at and at[x][0] == domain and x in groups[at[x]].inside else level[x]
            group(domain, here).reductions.append(i)
            at[i] = domain, here
        elif value.shape:
            domain = value.shape
            here = 0
            for a in args:
                inside = a in at and at[a][0] == domain and a in groups[at[a]].inside
                here = max(here, at[a][1] if inside else level[a])
            group(domain, here).inside.append(i)
            at[i] = domain, here
        else:
            if all(a in free or (values[a].op is None and not values[a].shape) for a in args):
                free.add(i)
                continue
            ends = [at[a] for a in args if a in at]
            latest = max(ends, key=lambda end: end[1], default=((), 0))
            if ends and all((a in at and at[a] == latest) or level[a] <= latest[1] for a in args):
                domain, here = latest
            else:
                domain, here = (), max([level[a] for a in args], default=0)
            group(domain, here).after.append(i)
            at[i] = domain, here
        level[i] = here + 1
    ordered: list[tuple[int, int, Group | int]] = [(here, 0, g) for (_, here), g in groups.items()]
    ordered += [(here, 1, i) for here, i in alone]
    ordered.sort(key=lambda step: step[:2])
    plan = Plan([step for _, _, step in ordered], free)
    _results(program, plan, at, groups)
    return plan


def _results(program: Program, plan: Plan, at: dict[int, _Place], groups: dict[_Place, Group]) -> None:
    """Enter which values of each group are needed outside of it."""
    needed = {*program.outputs, *[c.value for c in program.checks]}
    for i, value in enumerate(program.values):
        if i in plan.free or value.op is None:
            continue
        needed.update(a for a in value.args if a in at and at[a] != at.get(i))
    wanted_free = [i for i in needed if i in plan.free and program.values[i].op is not None]
    for i in plan.free:  # what is free is computed wherever it is used, and needs what it is made from
        needed.update(a for a in program.values[i].args if a in at)
    for i in sorted(needed):
        if i in at:
            groups[at[i]].results.append(i)
    users = [i for i in wanted_free if not program.values[i].is_constant()]
    by_numpy = {a for s in plan.steps if isinstance(s, int) for a in program.values[s].args if a in plan.free}
    users += [i for i in sorted(by_numpy) if program.values[i].op is not None and i not in users]
    if users:
        first = next((s for s in plan.steps if isinstance(s, Group)), None)
        if first is None or any(isinstance(s, int) for s in plan.steps):
            first = Group(())
            plan.steps.insert(0, first)
        first.after = [*users, *first.after]
        first.results += users


def check_plan(program: Program, plan: Plan) -> Plan:
    """Hold that every value is there before it is used; returns the plan.

    Raises:
        ValueError: naming the value that is not.
    """
    ready = {i for i, v in enumerate(program.values) if v.op is None} | plan.free
    for step in plan.steps:
        members = [step] if isinstance(step, int) else step.members()
        for i in members:
            for a in program.values[i].args:
                if a not in ready and a not in members:
                    raise ValueError(f"%{i} is computed before %{a}")
        ready.update([step] if isinstance(step, int) else step.results)
    for i in program.outputs:
        if i not in ready:
            raise ValueError(f"the result %{i} is not computed")
    return plan

"""A whole program as native code: its segments in one module of LLVM, and NumPy in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...passes.nests import planned
from ...passes.plan import Buffer, Call, Factorisation, Group, Nest, Plan, Product, Rolled, Step
from ...passes.program import Program, Value
from ...passes.roll_loops import Loop
from ..interpret import BROKEN, forwarded, same
from . import abi, ahead, blas, grouped, lapack
from . import text as ir
from .emit import Emission
from .engine import Code, builtin
from .entry import Entry, Template
from .report import Timing, described_plan
from .rolled import compile_loops, has_code, results, rolled_step
from .safely import safe_entry
from .scalars import KINDS, kind
from .segments import Arenas, Core, Segment, segments

#: Python's own kinds of numbers that the builtin reads and makes.
_NUMBERS = (float, int, bool)


class Native:
    """A program that runs as native code, as far as there is some.

    Args:
        program: the program.
        parameters: the numbers of its inputs, if a builtin may take them as they come; else None.
        template: how the results are put together, if that builtin can.
        slow: what it calls for arguments of another form.

    Attributes:
        plan: the steps.
        run: a list of inputs to a list of results, or `BROKEN`.
        direct: one builtin for the whole program, if it is one segment and was asked for.

    Raises:
        LookupError: if there is nothing in it that native code could do.
    """

    def __init__(self, program: Program, parameters: Sequence[int] | None, template: Template, slow: Any) -> None:
        self.plan = plan_of(program)
        self.program = self.plan.program
        unchecked = [c.value for k, c in enumerate(self.program.checks) if k not in self.plan.checked]
        self.parts = segments(self.plan, {*self.program.outputs, *unchecked})
        self.segments = [p for p in self.parts if isinstance(p, Segment)]
        if not self.segments:
            raise LookupError("no operation of it has native code")
        module = ir.Module("program")
        self._arenas = Arenas(len(self.segments))
        keeps: list[Any] = [self._arenas]
        fast = abi.holds()
        whole = parameters is not None and fast and not unchecked and self._is_one(template)
        for n, segment in enumerate(self.segments):
            function = self._core(module, n, segment)
            if fast:
                given = (tuple, segment.results)
                keeps.append(Entry(self.program.values, segment, function, f"entry{n}", segment.inputs, given).keep)
        if whole:
            assert parameters is not None
            core = module.get_global("segment0")
            keeps.append(Entry(self.program.values, self.segments[0], core, "direct", parameters, template, slow).keep)
        straight = all(map(_has_plain_places, self.plan.steps))
        self._code = code = Code(str(module), straight=straight, late=ahead.code(module))
        self.direct = builtin(code, "direct", keeps) if whole else None
        kernels = [builtin(code, f"entry{n}", keeps) if fast else None for n in range(len(self.segments))]
        values = self.program.values
        safes = [safe_entry(values, s, code.address(f"segment{n}")) for n, s in enumerate(self.segments)]
        self._keeps = keeps
        self.run = self._driver(kernels, safes)

    @property
    def text(self) -> str:
        """The LLVM text, optimised."""
        return self._code.text

    def report(self, given: Sequence[Any] | None = None) -> str:
        """What is computed in which step; with a list of inputs, also how long each takes."""
        times = None if given is None else Timing(self.program, self.parts, self._code).of(given)
        return described_plan(self.plan, self.parts, self.direct is not None, times)

    def _core(self, module: ir.Module, n: int, segment: Segment) -> ir.Function:
        """The function of a segment, and those of its steps."""
        core = Core(module, f"segment{n}", segment, self._arenas.address(n))
        for number, step in segment.steps:
            function = step_of(self.plan, step, segment.slots, module, f"step{number}")
            core.call(step, function)
        return core.finish()

    def _is_one(self, template: Template) -> bool:
        """Whether one segment computes every result that isn't there before, and the builtin can read and make them all."""
        if template is None or len(self.parts) != 1:
            return False
        values = self.program.values
        made = set(self.segments[0].results)
        ready = [i for i in self.program.outputs if values[i].op is None]
        if not {*self.program.outputs} <= {*made, *ready} or any(values[i].captured for i in ready):
            return False
        taken = [v for v in values if v.input is not None]
        given = [values[i] for i in self.program.outputs if values[i].array or not values[i].is_constant()]
        return all(_is_readable(v) for v in (*taken, *given))

    def _driver(self, kernels: list[Any], safes: list[Any]) -> Callable[[Sequence[Any]], Any]:
        """A Python function that runs the parts in order."""
        values = self.program.values
        names: dict[str, Any] = {"BROKEN": BROKEN, "same": same}
        lines = ["def run(given):"]
        checks: dict[int, list[int]] = {}
        for k, check in enumerate(self.program.checks):
            if k not in self.plan.checked:
                checks.setdefault(check.value, []).append(k)
                names[f"c{k}"] = check.expected
        for i, value in enumerate(values):
            if value.input is not None:
                lines.append(f" v{i} = given[{value.input}]")
            elif value.op is None:
                names[f"v{i}"] = value.constant
            else:
                continue
            lines += [f" if not same(v{i}, c{k}): return BROKEN" for k in checks.get(i, ())]
        last = self._last_uses()
        n = 0
        for at, part in enumerate(self.parts):
            if isinstance(part, Segment):
                given = ", ".join(f"v{i}" for i in part.inputs)
                names[f"k{n}"], names[f"s{n}"] = kernels[n], safes[n]
                if kernels[n] is not None:
                    lines += [f" r = k{n}({given})", f" if r is False: r = s{n}({given})"]
                else:
                    lines.append(f" r = s{n}({given})")
                lines.append(" if r is None: return BROKEN")
                lines += [f" ({', '.join(f'v{i}' for i in part.results)},) = r", " r = None"] if part.results else []
                ready = part.results
                n += 1
            else:
                lines += forwarded(self.program, part[1].value, names)
                ready = [part[1].value]
            for i in ready:
                lines += [f" if not same(v{i}, c{k}): return BROKEN" for k in checks.get(i, ())]
            lines += [f" v{i} = None" for i in last.get(at, ())]
        lines.append(" return [" + ", ".join(f"v{i}" for i in self.program.outputs) + "]")
        exec(compile("\n".join(lines), "<dout program>", "exec"), names)
        run: Callable[[Sequence[Any]], Any] = names["run"]
        return run

    def _last_uses(self) -> dict[int, list[int]]:
        """For each part, the values that are used there for the last time."""
        last: dict[int, int] = {}
        for at, part in enumerate(self.parts):
            last.update(dict.fromkeys(part.inputs if isinstance(part, Segment) else part[1].reads, at))
        kept = set(self.program.outputs)
        found: dict[int, list[int]] = {}
        for i, at in last.items():
            if i not in kept and not self.program.values[i].is_constant():
                found.setdefault(at, []).append(i)
        return found


def plan_of(program: Program) -> Plan:
    """The steps of a program."""
    return _completed(planned(program, kind, KINDS, blas.available()))


def step_of(plan: Plan, step: Step, slots: dict[int, int], module: ir.Module, name: str) -> ir.Function:
    """The function of a step: `int name(table, begin, end)`; that of a group takes the number of its thread, too."""
    made: ir.Function
    if isinstance(step, Nest):
        made = _nest(plan, step, slots, module, name)
    elif isinstance(step, Group):
        made = grouped.emitted(plan, step, slots, module, name, _nest)
    elif isinstance(step, Rolled):
        made = rolled_step(plan.program, step.value, slots, module, name)
    elif isinstance(step, Factorisation):
        made = lapack.emitted(plan, step, slots, module, name)
    else:
        assert isinstance(step, Product)
        made = blas.emitted(plan, step, slots, module, name)
    made.attributes.add("noinline")  # it is there alone too, for its time to be taken
    return made


def _nest(plan: Plan, nest: Nest, slots: dict[int, int], module: ir.Module, name: str) -> ir.Function:
    made: ir.Function = Emission(plan, nest, slots, module, name).function
    return made


def _has_plain_places(step: Step) -> bool:
    """Whether it is clear from the text alone where in memory a step reads and writes."""
    if isinstance(step, Group):
        return all(map(_has_plain_places, step.steps))
    if isinstance(step, Nest):
        return not any(
            s.how in ("scan", "add") or s.numbered is not None or any(r.indices for r in (*s.reads, s.write))
            for s in step.statements()
        )
    return isinstance(step, Product | Call)


def _completed(plan: Plan) -> Plan:
    """The plan with steps for rolled loops and for what LAPACK does.

    A loop is one step that makes all its results; if there is no code for it, it is run by NumPy.
    """
    program = plan.program
    steps: list[Step] = []
    taken: set[int] = set()
    others = False
    by_numpy = {step.value for step in plan.steps if isinstance(step, Call)}
    for step in plan.steps:
        if isinstance(step, Rolled):
            made = results(program, step.value)
            if _has_step(program, step.value, made):
                taken.update(made)
                reads = [a for a in step.reads if not program.values[a].is_constant() or program.values[a].array]
                steps.append(Rolled(step.value, reads, made))
                for v in (*reads, *made):
                    plan.buffers[v] = Buffer(v, program.values[v].shape, program.values[v].dtype)
            else:
                others = True
                steps.append(Call(step.value, step.reads))
        elif isinstance(step, Call) and (by_lapack := lapack.factorisation(program, step, by_numpy)):
            steps.append(by_lapack)
            for v in (*by_lapack.reads, step.value):
                plan.buffers[v] = Buffer(v, program.values[v].shape, program.values[v].dtype)
        elif not isinstance(step, Call) or step.value not in taken:
            steps.append(step)
    if others:
        compile_loops(program)
    for step in steps:
        if isinstance(step, Group):
            grouped.with_room(plan, step)
    plan.steps = _without_views(program, steps)
    return plan


def _without_views(program: Program, steps: list[Step]) -> list[Step]:
    """The steps without views made by NumPy that nobody needs."""
    needed = {*program.outputs, *[c.value for c in program.checks]}
    kept: list[Step] = []
    for step in reversed(steps):
        op = program.values[step.value].op if isinstance(step, Call) else None
        if op is None or not op.view or step.writes[0] in needed:
            kept.append(step)
            needed.update(step.reads)
    return kept[::-1]


def _has_step(program: Program, i: int, made: Sequence[int]) -> bool:
    """Whether there is code for a loop with these results, and what it takes lies as that expects."""
    value = program.values[i]
    loop: Loop = value.params["loop"]
    if len(made) != len(loop.gives) or has_code(loop) is not None:
        return False
    return all(_is_readable(program.values[a]) for a in value.args)


def _is_readable(value: Value) -> bool:
    if isinstance(value.shape, list):
        return False
    return value.dtype in _NUMBERS if isinstance(value.dtype, type) else value.dtype.kind in "fiubc"

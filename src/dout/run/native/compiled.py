"""A whole program as native code: its groups in one module of LLVM, and NumPy in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...passes.fuse import Group, Plan, check_plan, fused
from ...passes.program import Program
from ..interpret import BROKEN, forwarded, same
from . import abi
from . import text as ir
from .engine import Code, builtin
from .entry import Entry, Template
from .loops import Nest, Signature, signature
from .safely import safe_entry
from .scalars import KINDS, kind


class Native:
    """A program that runs as native code, as far as there is some.

    Attributes:
        plan: what is computed together.
        run: a list of inputs to a list of results, or `BROKEN`.
        direct: one builtin for the whole program, if it is one group and was asked for.
    """

    def __init__(self, program: Program, parameters: Sequence[int] | None, template: Template, slow: Any) -> None:
        self.program = program
        self.plan: Plan = check_plan(program, fused(program, kind))
        self.groups = [s for s in self.plan.steps if isinstance(s, Group)]
        if not self.groups:
            raise LookupError("no operation of it has native code")
        module = ir.Module("program")
        fast = abi.holds()
        self.takes: list[Signature] = []
        keeps: list[Any] = []
        whole = parameters is not None and fast and self._is_one_group(template)
        for n, group in enumerate(self.groups):
            checks = self._own_checks(group) if whole else []
            takes = signature(program, self.plan, group, checks)
            nest = Nest(program, self.plan, group, takes, module, f"_group{n}")
            function = by_table(nest.function, takes, f"group{n}")
            if fast:
                results = (tuple, takes.results)
                keeps.append(Entry(program.values, takes, function, f"entry{n}", takes.inputs, results).keep)
            self.takes.append(takes)
        if whole:
            assert parameters is not None
            core = module.get_global("group0")
            direct = Entry(program.values, self.takes[0], core, "direct", parameters, template, slow)
            keeps.append(direct.keep)
        code = Code(str(module))
        self.direct = builtin(code, "direct", keeps) if whole else None
        kernels = [builtin(code, f"entry{n}", keeps) if fast else None for n in range(len(self.groups))]
        safes = [safe_entry(program.values, takes, code.address(f"group{n}")) for n, takes in enumerate(self.takes)]
        self._code = code
        self.run = self._driver(kernels, safes, done=set(self.takes[0].checks) if whole else set())

    @property
    def text(self) -> str:
        """The LLVM text, optimised."""
        return self._code.text

    def _is_one_group(self, template: Template) -> bool:
        """Whether one group computes every result, each once, and every check."""
        if template is None or len(self.plan.steps) != 1:
            return False
        results = self.groups[0].results
        wanted = self.program.outputs
        if len(set(wanted)) != len(wanted) or not set(wanted) <= set(results):
            return False
        checked = {c.value for c in self.program.checks}
        if len(self._own_checks(self.groups[0])) != len(self.program.checks):
            return False
        self.groups[0].results = [r for r in results if r in wanted or r not in checked]
        return all(self.program.values[i].dtype in KINDS for i in self._inputs())

    def _inputs(self) -> list[int]:
        return [i for i, v in enumerate(self.program.values) if v.input is not None]

    def _own_checks(self, group: Group) -> list[int]:
        """The checks of numbers that a group can make itself."""
        known = {*group.after, *[r for r in group.reductions], *self.plan.free, *self._inputs()}
        found = []
        for k, check in enumerate(self.program.checks):
            value = self.program.values[check.value]
            number = not value.shape and not value.array and value.dtype in KINDS
            if number and check.value in known and type(check.expected) in (bool, float):
                found.append(k)
        return found

    def _driver(self, kernels: list[Any], safes: list[Any], done: set[int]) -> Callable[[Sequence[Any]], Any]:
        """A Python function that runs the steps in order."""
        values = self.program.values
        names: dict[str, Any] = {"BROKEN": BROKEN, "same": same}
        lines = ["def run(given):"]
        checks: dict[int, list[int]] = {}
        for k, check in enumerate(self.program.checks):
            if k not in done:
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
        for at, step in enumerate(self.plan.steps):
            if isinstance(step, int):
                lines += forwarded(self.program, step, names)
                ready = [step]
            else:
                given = ", ".join(f"v{i}" for i in self.takes[n].inputs)
                names[f"k{n}"], names[f"s{n}"] = kernels[n], safes[n]
                if kernels[n] is not None:
                    lines += [f" r = k{n}({given})", f" if r is False: r = s{n}({given})"]
                else:
                    lines.append(f" r = s{n}({given})")
                lines.append(" if r is None: return BROKEN")
                ready = self.takes[n].results
                lines.append(f" ({', '.join(f'v{i}' for i in ready)},) = r")
                lines.append(" r = None")
                n += 1
            for i in ready:
                lines += [f" if not same(v{i}, c{k}): return BROKEN" for k in checks.get(i, ())]
            lines += [f" v{i} = None" for i in last.get(at, ())]
        lines.append(" return [" + ", ".join(f"v{i}" for i in self.program.outputs) + "]")
        exec(compile("\n".join(lines), "<dout program>", "exec"), names)
        run: Callable[[Sequence[Any]], Any] = names["run"]
        return run

    def _last_uses(self) -> dict[int, list[int]]:
        """For each step, the values that are used there for the last time."""
        last: dict[int, int] = {}
        n = 0
        for at, step in enumerate(self.plan.steps):
            if isinstance(step, int):
                used: Sequence[int] = self.program.values[step].args
            else:
                used = self.takes[n].inputs
                n += 1
            last.update(dict.fromkeys(used, at))
        kept = set(self.program.outputs)
        found: dict[int, list[int]] = {}
        for i, at in last.items():
            if i not in kept and not self.program.values[i].is_constant():
                found.setdefault(at, []).append(i)
        return found

    def report(self) -> str:
        """What is computed together, and what NumPy computes."""
        values = self.program.values
        lines = []
        n = 0
        for step in self.plan.steps:
            if isinstance(step, int):
                value = values[step]
                assert value.op is not None
                lines.append(f"NumPy: %{step} = {value.op.name}, which has no native code for {value.dtype} here")
                continue
            takes = self.takes[n]
            read = sum(_bytes(values[i]) for i in takes.inputs)
            written = sum(_bytes(values[i]) for i in takes.results)
            names = ", ".join(f"%{i} {values[i].op.name}" for i in step.members() if values[i].op is not None)  # type: ignore[union-attr]
            over = f"loop over {list(step.domain)}" if step.domain else "numbers"
            lines.append(f"native: {over}: {names}; {read} bytes read, {written} written")
            n += 1
        if self.direct is not None:
            lines.append("One builtin reads the arguments and makes the results.")
        elif not abi.holds():
            lines.append(
                "Called by ctypes: objects of this Python or NumPy are not laid out as the quicker way expects."
            )
        return "\n".join(lines)


def by_table(nest: ir.Function, takes: Signature, name: str) -> ir.Function:
    """A function around that of a group, which takes its pointers from a table."""
    function = ir.Function(nest.module, ir.FunctionType(ir.IntType(32), [ir.PointerType()]), name)
    b = ir.IRBuilder(function.append_basic_block("entry"))
    places = [ir.Constant(ir.IntType(64), k) for k in range(len(takes.slots))]
    at = [b.gep(function.args[0], [k], source_etype=ir.PointerType()) for k in places]
    b.ret(b.call(nest, [b.load(p, typ=ir.PointerType()) for p in at]))
    return function


def _bytes(value: Any) -> int:
    size = 1
    for n in value.shape:
        size *= n
    return size * (1 if value.dtype is bool else 8 if isinstance(value.dtype, type) else int(value.dtype.itemsize))

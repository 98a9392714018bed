"""A rolled loop as a function of LLVM: a loop around its body, with what is carried in registers.

Each step reads its entries of stacks, runs the body, and stores its entries of the stacks that the loop gives.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from ...graph import PICK
from ...passes.program import Program, Value
from ...passes.roll_loops import LOOP, Loop, run_loop
from . import text as ir
from .cells import CellRegisters, Cells, Memory, adds_to, in_memory, reads_first
from .registers import NoRegisters, Registers
from .tabled import NoSteps, TableEmission, body_plan, once_for_each

_P, _LONG, _INT = ir.PointerType(), ir.IntType(64), ir.IntType(32)


class LoopEmission:
    """Emits `int name(pointer to each thing taken, pointer to each result)`; not 0 if the body has to be left.

    Args:
        loop: the loop.
        module: where to.
        name: what the function is called.
        constants: of what is taken, by position: a value that is part of the code, and has no memory.

    Raises:
        NoRegisters: if the body has no code.
    """

    def __init__(self, loop: Loop, module: ir.Module, name: str, constants: dict[int, Value] | None = None) -> None:
        self.loop = loop
        self.constants = constants or {}
        n_args = sum(t.kind != "counter" for t in loop.takes)
        count = n_args + len(loop.gives)
        self.function = ir.Function(module, ir.FunctionType(_INT, [_P] * count), name)
        self.function.linkage = "internal"
        for arg in self.function.args:
            arg.add_attribute("noalias")
        self.taken = self.function.args[:n_args]
        self.given = self.function.args[n_args:]
        self.b = b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.broken = b.alloca(_INT)
        b.store(ir.Constant(_INT, 0), self.broken)
        self.registers = CellRegisters(loop.body, b, module, self._bail)
        self.registers.n = loop.n
        self.inputs = {v.input: i for i, v in enumerate(loop.body.values) if v.input is not None}
        self.cells = in_memory(loop)
        self.rooms: list[Any] = []
        self._emit()
        for room in self.rooms:
            b.call(self._extern("PyMem_RawFree", ir.VoidType(), [_P]), [room])
        b.ret(b.load(self.broken, typ=_INT))

    def _bail(self, condition: Any) -> None:
        before = self.b.load(self.broken, typ=_INT)
        self.b.store(self.b.or_(before, self.b.zext(condition, _INT)), self.broken)

    def _extern(self, name: str, result: Any, args: list[Any]) -> Any:
        module = self.function.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, args), name)

    def _form(self, k: int) -> Value:
        return self.loop.body.values[self.inputs[k]]

    def _emit(self) -> None:
        loop, b, registers = self.loop, self.b, self.registers
        body, outputs = loop.body, loop.body.outputs
        zero, one = ir.Constant(_LONG, 0), ir.Constant(_LONG, 1)
        start = self._before()
        before = b.block
        head, done = self.function.append_basic_block("head"), self.function.append_basic_block("done")
        b.branch(head)
        b.position_at_end(head)
        registers.index = index = b.phi(_LONG)
        index.add_incoming(zero, before)
        phis: dict[int, list[Any]] = {}
        for k, take in enumerate(loop.takes):
            form = self._form(k)
            if k in start:
                phis[k] = []
                for entry in start[k]:
                    phi = b.phi(registers.type_of(form))
                    phi.add_incoming(registers.scalars.cast(entry, _name(registers, form)), before)
                    phis[k].append(phi)
                registers.known[self.inputs[k]] = registers.array(phis[k], form.shape)
            elif take.kind == "each":
                size = math.prod(form.shape)
                moved = b.mul(index, ir.Constant(_LONG, take.step * size))
                self._enter(k, self.taken[k], b.add(moved, ir.Constant(_LONG, take.start * size)))
        for i in reads_first(body):
            registers.emit(i)
        for g, give in enumerate(loop.gives):
            if give.stacked:
                i = outputs[give.output]
                registers.settle(i)
                size = math.prod(body.values[i].shape)
                registers.store(i, self.given[g], b.mul(index, ir.Constant(_LONG, size)))
        following = b.add(index, one)
        index.add_incoming(following, b.block)
        for k, take in enumerate(loop.takes):
            if k in phis:
                registers.settle(outputs[take.next])
                for phi, entry in zip(phis[k], registers.entries(outputs[take.next]), strict=True):
                    phi.add_incoming(entry, b.block)
            elif take.kind == "carried":
                registers.goes_on(self.inputs[k], outputs[take.next])
        b.cbranch(b.icmp_signed("<", following, ir.Constant(_LONG, loop.n)), head, done)
        b.position_at_end(done)
        for g, give in enumerate(loop.gives):
            if not give.stacked:
                registers.finish(outputs[give.output], self.given[g])

    def _before(self) -> dict[int, list[Any]]:
        """What is done before the first step; gives the registers that are carried into it."""
        loop, registers = self.loop, self.registers
        start: dict[int, list[Any]] = {}
        zero = ir.Constant(_LONG, 0)
        for i, value in enumerate(loop.body.values):
            if value.is_constant():
                registers.known[i] = registers.constant(value)
        for k, take in enumerate(loop.takes):
            form = self._form(k)
            if take.kind == "counter":
                continue
            if take.kind == "carried" and self.inputs[k] in self.cells:
                self._own_room(k, form)
            elif take.kind == "same" and k not in self.constants:
                self._enter(k, self.taken[k], zero)
            elif take.kind in ("same", "carried"):
                given = self.constants.get(k)
                loaded = registers.load(self.taken[k], form, zero) if given is None else registers.constant(given)
                if take.kind == "same":
                    registers.known[self.inputs[k]] = loaded
                else:
                    start[k] = [e.value for e in loaded.ravel().tolist()]
        return start

    def _enter(self, k: int, pointer: Any, offset: Any) -> None:
        """What input k is: registers, or the memory where it lies."""
        i, form = self.inputs[k], self._form(k)
        if i in self.cells:
            kind = self.registers.cell_type(form)
            self.registers.known[i] = Cells(Memory(self.b.gep(pointer, [offset], source_etype=kind)), 0)  # type: ignore[assignment]
        else:
            self.registers.known[i] = self.registers.load(pointer, form, offset)

    def _own_room(self, k: int, form: Value) -> None:
        """Memory of its own for an array that is carried: that of a result, if it is one."""
        loop, registers = self.loop, self.registers
        next_one = loop.takes[k].next
        kind = registers.cell_type(form)
        size = math.prod(form.shape)
        room: Any = next(
            (p for p, g in zip(self.given, loop.gives, strict=True) if g.output == next_one and not g.stacked), None
        )
        if room is None or any(room is c.memory.pointer for c in registers.known.values() if isinstance(c, Cells)):
            room = self.b.call(
                self._extern("PyMem_RawMalloc", _P, [_LONG]), [ir.Constant(_LONG, size * kind.width // 8)]
            )
            fails, ready = self.function.append_basic_block("fails"), self.function.append_basic_block("ready")
            self.b.cbranch(self.b.icmp_unsigned("==", room, ir.Constant(_P, None)), fails, ready)
            self.b.position_at_end(fails)
            for other in self.rooms:
                self.b.call(self._extern("PyMem_RawFree", ir.VoidType(), [_P]), [other])
            self.b.ret(ir.Constant(_INT, 2))
            self.b.position_at_end(ready)
            self.rooms.append(room)
        plus = adds_to(loop.body, loop.body.outputs[next_one], self.inputs[k])
        registers.copy(room, self.taken[k], size, kind, plus)
        registers.known[self.inputs[k]] = Cells(Memory(room, writable=True), 0)  # type: ignore[assignment]


def _name(registers: Registers, value: Value) -> str:
    types = registers.scalars.types
    return next(name for name, kind in types.items() if kind == registers.type_of(value))


@once_for_each
def has_code(loop: Loop) -> str | None:
    """None if there is native code for a loop, else why not."""
    if is_small(loop):
        return None
    try:
        body_plan(loop)
    except NoSteps as why:
        return str(why)
    return None


@once_for_each
def is_small(loop: Loop) -> bool:
    """Whether everything that a loop carries and computes can be in registers."""
    try:
        LoopEmission(loop, ir.Module("trial"), "loop")
    except NoRegisters:
        return False
    return True


def loop_function(loop: Loop, module: ir.Module, name: str, constants: dict[int, Value] | None = None) -> ir.Function:
    """The function of a loop, by pointers to what it takes and to its results."""
    emission = LoopEmission if is_small(loop) else TableEmission
    return emission(loop, module, name, constants).function


def results(program: Program, i: int) -> list[int]:
    """The values that a loop's results are, in the order of its gives; the loop is value number i."""
    picks: dict[int, int] = {}
    for k, value in enumerate(program.values):
        if value.op is PICK and value.args[0] == i:
            picks.setdefault(value.params["i"], k)
    return [picks[g] for g in sorted(picks)]


def rolled_step(program: Program, i: int, slots: dict[int, int], module: ir.Module, name: str) -> ir.Function:
    """Emits `int name(table, begin, end)` for the loop that is value number i, called with (0, 1).

    Args:
        program: what the loop is part of.
        i: its number.
        slots: the place in the table for each thing that it takes, but for numbers that are part of the code, and for each
            result.
        module: where to.
        name: what the function is called.
    """
    value = program.values[i]
    loop: Loop = value.params["loop"]
    constants = {k: program.values[a] for k, a in enumerate(value.args) if a not in slots}
    core = loop_function(loop, module, f"{name}.loop", constants)
    function = ir.Function(module, ir.FunctionType(_INT, [_P, _LONG, _LONG]), name)
    b = ir.IRBuilder(function.append_basic_block("entry"))
    table = function.args[0]
    null = ir.Constant(_P, None)
    pointers = []
    for v in [*value.args, *results(program, i)]:
        if v in slots:
            place = b.gep(table, [ir.Constant(_LONG, slots[v])], source_etype=_P)
            pointers.append(b.load(place, typ=_P))
        else:
            pointers.append(null)
    b.ret(b.call(core, pointers))
    return function


class _Table:
    """How a loop is called by itself: its arguments, then its results."""

    def __init__(self, n_args: int, n_results: int) -> None:
        self.inputs = list(range(n_args))
        self.results = list(range(n_args, n_args + n_results))
        self.long = True

    @property
    def slots(self) -> dict[int, int]:
        return {v: v for v in [*self.inputs, *self.results]}


def compile_loops(program: Program) -> list[str]:
    """Let the loops of a program run as native code, where it has some; what is run by NumPy calls it.

    Where a loop itself has none, its body is a program that is run step by step, as natively as may be.

    Returns:
        for each loop that has none, why.
    """
    from .backend import Native  # which may come to compile loops itself
    from .engine import Code
    from .safely import safe_entry

    module = ir.Module("loops")
    without: list[str] = []
    made: list[tuple[Loop, str, list[Value], _Table]] = []
    for where, i in _loops(program):
        value = where.values[i]
        loop: Loop = value.params["loop"]
        why = has_code(loop)
        if why is not None:
            without.append(why)
            with contextlib.suppress(LookupError):
                loop.native = _stepped(loop, Native(loop.body, None, None, None))
            continue
        name = f"loop{len(made)}"
        table = _Table(len(value.args), len(loop.gives))
        values = [*[where.values[a] for a in value.args], *[_result(loop, g) for g in range(len(loop.gives))]]
        core = loop_function(loop, module, f"{name}.core")
        function = ir.Function(module, ir.FunctionType(_INT, [_P]), name)
        b = ir.IRBuilder(function.append_basic_block("entry"))
        at = [b.gep(function.args[0], [ir.Constant(_LONG, k)], source_etype=_P) for k in range(len(values))]
        b.ret(b.call(core, [b.load(p, typ=_P) for p in at]))
        made.append((loop, name, values, table))
    if made:
        code = Code(str(module))
        for loop, name, values, table in made:
            loop.native = _kept(safe_entry(values, table, code.address(name)), code)
    return without


def _stepped(loop: Loop, body: Any) -> Callable[..., Any]:
    """A loop whose body runs as native code, called once a step."""
    return lambda *args: run_loop(loop, args, body.run)


def _kept(run: Callable[..., Any], code: Any) -> Callable[..., Any]:
    """A function that keeps the code that it runs."""

    def call(*args: Any) -> Any:
        return run(*args) if code is not None else None

    return call


def _result(loop: Loop, g: int) -> Value:
    give = loop.gives[g]
    v = loop.body.values[loop.body.outputs[give.output]]
    if not give.stacked:
        return v
    import numpy as np

    return Value(None, (), v.params, (loop.n, *v.shape), np.dtype(v.dtype), array=True)


def _loops(program: Program) -> Sequence[tuple[Program, int]]:
    """The loops of a program, and those in loops that have no code."""
    found = []
    for i, value in enumerate(program.values):
        if value.op is LOOP:
            found.append((program, i))
            if has_code(value.params["loop"]) is not None:
                found += _loops(value.params["loop"].body)
    return found

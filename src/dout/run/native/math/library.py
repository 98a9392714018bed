"""How a module gets the functions: each is compiled once in the life of the process, and called by its name.

There is one function for single numbers, and some for vectors. An attribute tells LLVM's loop vectoriser which vector
function stands for it (the "vector function ABI"), so a loop that calls it is vectorised. What is made of it is compiled
in no time however often it is called, and a vector in which no entry is out of the ordinary doesn't pay for those that are.

To call a short function costs a loop more than the function: all vectors are saved before. So a module that calls few of these
has their code for vectors in itself, and LLVM puts it in the place of the calls. Measured: exponentials take 0.6 of the time,
and 3 ms more to compile. Longer functions gain little so, or lose, and take LLVM much longer.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from .. import text as ir
from ..engine import WITHIN, Code, define, width
from . import trigonometry
from .functions import FUNCTIONS, REDUCED, WIDE
from .values import Emitter, Real, Whole

#: Functions of so many instructions are short.
SHORT = 40
#: Modules have the code of short functions if that is so many instructions in all places.
ROOM = 250
_lock = threading.Lock()


def call(b: ir.IRBuilder, name: str, kind: str, args: list[Any]) -> Any:
    """The value of a function of one kind ("f8" or "f4"), from its arguments, which are of that kind too."""
    full = f"dout.{name}.{kind}"
    function = b.module.globals.get(full) or _declare(b.module, name, kind, full)
    body = _body(name, kind, _lanes(kind)[-1])
    if body and any(block.phis for block in b.function.blocks):
        b.module.globals[Used.NAME].weight += len(body.blocks[0].lines)
    return b.call(function, args)


def arity(name: str) -> int:
    """How many arguments a function takes."""
    return 1 if name in REDUCED else FUNCTIONS[name][0]


def _lanes(kind: str) -> list[int]:
    """As many entries as fill a register, and, for loops with numbers of both kinds, half of that for float32."""
    return sorted({width() // (64 if kind == "f8" else 32), width() // 64})


def _declare(module: ir.Module, name: str, kind: str, full: str) -> Any:
    with _lock:
        _compiled(name, kind)
    function = _function(module, full, kind, 1, arity(name))
    used = module.globals.get(Used.NAME) or Used(module)
    words = []
    for n in _lanes(kind):
        variant = f"{full}.x{n}"
        words.append(f"_ZGV_LLVM_N{n}{'v' * arity(name)}_{full}({variant})")
        used.kept.append(f"@{variant}")
        body = _body(name, kind, n)
        if body is None:
            _function(module, variant, kind, n, arity(name))
        else:
            _Within(module, variant, body, used)
    function.attributes.add(f'nounwind willreturn memory(none) "vector-function-abi-variant"="{",".join(words)}"')
    return function


class Used:
    """`llvm.compiler.used`: what stays though nothing calls it yet, until the vectoriser has come to it."""

    NAME = "llvm.compiler.used"

    def __init__(self, module: ir.Module) -> None:
        self.kept: list[str] = []
        self.weight = 0  # of all calls in loops: how many instructions they would be if each were in its place
        module.enter(self.NAME, self)

    def lines(self) -> list[str]:
        names = ", ".join([f"ptr {name}" for name in self.kept])
        return [f'@{self.NAME} = appending global [{len(self.kept)} x ptr] [{names}], section "llvm.metadata"']


class _Within:
    """A short function for vectors in a module: its code, or if that would be much in all its places, only its name."""

    def __init__(self, module: ir.Module, variant: str, body: ir.Function, used: Used) -> None:
        self.body, self.used = body, used
        module.enter(variant, self)
        for name, needed in body.module.globals.items():
            if needed is not body and name not in module.globals:
                module.enter(name, needed)

    def lines(self) -> list[str]:
        if 0 < self.used.weight <= ROOM:
            return self.body.lines()
        kind = self.body.function_type
        return [f"declare {kind.return_type.text} {self.body.name}({', '.join(t.text for t in kind.args)})"]


@functools.cache
def _body(name: str, kind: str, lanes: int) -> ir.Function | None:
    """A short function for vectors; None if it is long, or has branches."""
    if name in REDUCED:
        return None
    module = ir.Module(name)
    single = ir.Function(ir.Module(), ir.FunctionType(ir.DoubleType(), []), "none")
    function = _function(module, f"dout.{name}.{kind}.x{lanes}", kind, lanes, arity(name))
    _write(name, kind, function, lanes, single)
    if len(function.blocks) > 1 or len(function.blocks[0].lines) > SHORT:
        return None
    function.linkage = "internal"
    function.attributes.add(WITHIN)
    return function


def _function(module: ir.Module, full: str, kind: str, lanes: int, count: int) -> ir.Function:
    real = Emitter(None, module, kind, lanes).real_type
    return ir.Function(module, ir.FunctionType(real, [real] * count), full)


@functools.cache
def _compiled(name: str, kind: str) -> Code:
    """Machine code of a function, which other code finds by its names."""
    module = ir.Module(name)
    full = f"dout.{name}.{kind}"
    names = [full, *[f"{full}.x{n}" for n in _lanes(kind)]]
    single = _function(module, full, kind, 1, arity(name))
    single.attributes.add("noinline")
    _write(name, kind, single, 1, single)
    for lanes, other in zip(_lanes(kind), names[1:], strict=True):
        _write(name, kind, _function(module, other, kind, lanes, arity(name)), lanes, single)
    code = Code(str(module), loops=False)
    for each in names:
        define(each, code.address(each))
    return code


def _write(name: str, kind: str, function: ir.Function, lanes: int, single: ir.Function) -> None:
    b = ir.IRBuilder(function.append_basic_block("entry"))
    m = Emitter(b, function.module, kind, lanes)
    if name in REDUCED:
        (_one if lanes == 1 else _many)(m, name, Real(m, function.args[0]), single)
        return
    wide = Emitter(b, function.module, "f8", lanes) if name in WIDE else m
    wide.result = kind
    given = [Real(wide, b.fpext(a, wide.real_type)) for a in function.args]
    b.ret(b.fptrunc(FUNCTIONS[name][1](wide, *given).at, m.real_type))


def _one(m: Emitter, name: str, x: Real, _single: ir.Function) -> None:
    """A function of a reduced argument, for one entry: far ones are reduced in another way."""
    b = m.b
    near, far, end = b.append_basic_block("near"), b.append_basic_block("far"), b.append_basic_block("end")
    b.cbranch((abs(x) > trigonometry.LIMITS[m.kind]).at, far, near)
    b.position_at_end(near)
    parts: tuple[Any, ...] = trigonometry.reduced(m, x)
    b.branch(end)
    b.position_at_end(far)
    others: tuple[Any, ...] = trigonometry.far_reduced(m, x)
    b.branch(end)
    b.position_at_end(end)
    merged = []
    for one, other in zip([p.at for p in parts], [p.at for p in others], strict=True):
        phi = b.phi(one.type)
        phi.add_incoming(one, near)
        phi.add_incoming(other, far)
        merged.append(phi)
    b.ret(REDUCED[name](m, x, Whole(m, merged[0]), Real(m, merged[1]), Real(m, merged[2])).at)


def _many(m: Emitter, name: str, x: Real, single: ir.Function) -> None:
    """The same for a vector: if one entry is far, each is computed by itself."""
    b = m.b
    near, far = b.append_basic_block("near"), b.append_basic_block("far")
    b.cbranch(m.any(abs(x) > trigonometry.LIMITS[m.kind]), far, near)
    b.position_at_end(near)
    b.ret(REDUCED[name](m, x, *trigonometry.reduced(m, x)).at)
    b.position_at_end(far)
    value: Any = ir.Constant(m.real_type, ir.Undefined)
    for n in range(m.lanes):
        place = ir.Constant(ir.IntType(32), n)
        value = b.insert_element(value, b.call(single, [b.extract_element(x.at, place)]), place)
    b.ret(value)

"""A builder of LLVM's text, with the names of llvmlite's `ir`: types, constants, functions, blocks, instructions.

`from . import text as ir`. Each instruction is formatted once, when it is made; a module is then a list of lines to join.
On long programs the objects and the printing of llvmlite's own builder cost more than LLVM itself.

What differs: allocations always stand at the head of the function, where LLVM makes registers of them; phis at the head of
their block; names are numbers; nothing is checked here, LLVM's parser checks it all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .parts import (
    POINTER,
    VOID,
    ArrayType,
    Block,
    Constant,
    DoubleType,
    FloatType,
    Function,
    FunctionType,
    GlobalVariable,
    IntType,
    Module,
    Phi,
    PointerType,
    Type,
    Undefined,
    Value,
    VectorType,
    VoidType,
    constant_text,
)  # fmt: skip

__all__ = [
    "ArrayType", "Block", "Constant", "DoubleType", "FloatType", "Function", "FunctionType", "GlobalVariable", "IRBuilder",
    "IntType", "Module", "Phi", "PointerType", "Type", "Undefined", "Value", "VectorType", "VoidType",
]  # fmt: skip


def _two(word: str) -> Callable[..., Value]:
    def emit(self: IRBuilder, x: Value, y: Value, name: str = "", flags: Sequence[str] = ()) -> Value:
        kind = x.type
        function = self.function
        function.number = n = function.number + 1
        new = f"%v{n}"
        options = f"{' '.join(flags)} " if flags else ""
        self.lines.append(f"{new} = {word} {options}{kind.text} {x.name}, {y.name}")
        return Value(kind, new)

    return emit


def _cast(word: str) -> Callable[..., Value]:
    def emit(self: IRBuilder, x: Value, to: Type, name: str = "") -> Value:
        if x.type is to:
            return x
        return self._new(to, f"{word} {x.type.text} {x.name} to {to.text}")

    return emit


_ORDER = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "ord": "rd", "uno": "no"}
_BIT = IntType(1)


class IRBuilder:
    """Emits instructions at the end of a block."""

    def __init__(self, block: Block | None = None) -> None:
        if block is not None:
            self.position_at_end(block)

    def position_at_end(self, block: Block) -> None:
        """Go on at the end of a block."""
        self.block = block
        self.function = block.function
        self.lines = block.lines

    @property
    def module(self) -> Module:
        """The module that is being built."""
        return self.function.module

    def append_basic_block(self, name: str = "") -> Block:
        """A new block of this function."""
        return self.function.append_basic_block(name)

    def _new(self, kind: Type, made: str) -> Value:
        function = self.function
        function.number = n = function.number + 1
        name = f"%v{n}"
        self.lines.append(f"{name} = {made}")
        return Value(kind, name)

    add, sub, mul = _two("add"), _two("sub"), _two("mul")
    sdiv, udiv, srem, urem = _two("sdiv"), _two("udiv"), _two("srem"), _two("urem")
    shl, ashr, lshr = _two("shl"), _two("ashr"), _two("lshr")
    and_, or_, xor = _two("and"), _two("or"), _two("xor")
    fadd, fsub, fmul, fdiv = _two("fadd"), _two("fsub"), _two("fmul"), _two("fdiv")
    zext, sext, trunc = _cast("zext"), _cast("sext"), _cast("trunc")
    fpext, fptrunc = _cast("fpext"), _cast("fptrunc")
    sitofp, uitofp, fptosi = _cast("sitofp"), _cast("uitofp"), _cast("fptosi")
    bitcast, ptrtoint, inttoptr = _cast("bitcast"), _cast("ptrtoint"), _cast("inttoptr")

    def fneg(self, x: Value, name: str = "", flags: Sequence[str] = ()) -> Value:
        return self._new(x.type, f"fneg {''.join([f'{f} ' for f in flags])}{x.type.text} {x.name}")

    def neg(self, x: Value, name: str = "") -> Value:
        return self._new(x.type, f"sub {x.type.text} 0, {x.name}")

    def not_(self, x: Value, name: str = "") -> Value:
        return self._new(x.type, f"xor {x.type.text} {x.name}, {constant_text(x.type, -1)}")

    def _compared(self, word: str, x: Value, y: Value) -> Value:
        bits = VectorType(_BIT, x.type.count) if x.type.text[0] == "<" else _BIT
        return self._new(bits, f"{word} {x.type.text} {x.name}, {y.name}")

    def icmp_signed(self, sign: str, x: Value, y: Value, name: str = "") -> Value:
        word = _ORDER[sign]
        return self._compared(f"icmp {word}" if sign in ("==", "!=") else f"icmp s{word}", x, y)

    def icmp_unsigned(self, sign: str, x: Value, y: Value, name: str = "") -> Value:
        word = _ORDER[sign]
        return self._compared(f"icmp {word}" if sign in ("==", "!=") else f"icmp u{word}", x, y)

    def fcmp_ordered(self, sign: str, x: Value, y: Value, name: str = "", flags: Sequence[str] = ()) -> Value:
        return self._compared(f"fcmp {''.join([f'{f} ' for f in flags])}o{_ORDER[sign]}", x, y)

    def fcmp_unordered(self, sign: str, x: Value, y: Value, name: str = "", flags: Sequence[str] = ()) -> Value:
        return self._compared(f"fcmp {''.join([f'{f} ' for f in flags])}u{_ORDER[sign]}", x, y)

    def select(self, condition: Value, x: Value, y: Value, name: str = "") -> Value:
        kind = x.type
        bits = condition.type.text
        return self._new(kind, f"select {bits} {condition.name}, {kind.text} {x.name}, {kind.text} {y.name}")

    def phi(self, kind: Type, name: str = "") -> Phi:
        function = self.function
        function.number += 1
        made = Phi(kind, f"%v{function.number}")
        self.block.phis.append(made)
        return made

    # Memory

    def alloca(self, kind: Type, size: int | Value | None = None, name: str = "", align: int = 0) -> Value:
        """Memory until the function ends; `size` is a number that is known now."""
        function = self.function
        function.number += 1
        made = f"%v{function.number}"
        count = "" if size is None else f", {size}" if isinstance(size, Value) else f", i64 {size}"
        function.allocations.append(f"{made} = alloca {kind.text}{count}{f', align {align}' if align else ''}")
        return Value(POINTER, made)

    def load(
        self, pointer: Value, name: str = "", align: int | None = None, typ: Type | None = None, more: str = "",
        volatile: bool = False,
    ) -> Value:  # fmt: skip
        """What is in memory; `more` as `, !noalias !3`."""
        assert typ is not None
        where = (
            f"load {'volatile ' * volatile}{typ.text}, ptr {pointer.name}{f', align {align}' if align else ''}{more}"
        )
        return self._new(typ, where)

    def store(self, value: Value, pointer: Value, align: int | None = None, more: str = "") -> None:
        place = f"ptr {pointer.name}{f', align {align}' if align else ''}{more}"
        self.lines.append(f"store {value.type.text} {value.name}, {place}")

    def gep(
        self, pointer: Value, indices: Sequence[Value], inbounds: bool = False, name: str = "",
        source_etype: Type | None = None,
    ) -> Value:  # fmt: skip
        """An address; with a vector as the last index, a vector of them."""
        assert source_etype is not None
        steps = "".join([f", {i.type.text} {i.name}" for i in indices])
        word = "getelementptr inbounds" if inbounds else "getelementptr"
        count = indices[-1].type.count
        return self._new(
            VectorType(POINTER, count) if count else POINTER, f"{word} {source_etype.text}, ptr {pointer.name}{steps}"
        )

    def atomic_rmw(self, op: str, pointer: Value, value: Value, ordering: str, name: str = "") -> Value:
        return self._new(value.type, f"atomicrmw {op} ptr {pointer.name}, {value.type.text} {value.name} {ordering}")

    # Vectors

    def extract_element(self, vector: Value, place: Value, name: str = "") -> Value:
        assert isinstance(vector.type.element, Type)
        return self._new(vector.type.element, f"extractelement {vector}, {place}")

    def insert_element(self, vector: Value, value: Value, place: Value, name: str = "") -> Value:
        return self._new(vector.type, f"insertelement {vector}, {value}, {place}")

    def shuffle_vector(self, x: Value, y: Value, mask: Value, name: str = "") -> Value:
        kind = VectorType(x.type.element, mask.type.count)
        return self._new(kind, f"shufflevector {x}, {y}, {mask}")

    # Ways on

    def call(
        self, function: Value, args: Sequence[Value], name: str = "", cconv: str = "", tail: str = "",
        fastmath: Sequence[str] = (), fnty: FunctionType | None = None,
    ) -> Value:  # fmt: skip
        """Call a function; `fnty` says what a pointer that isn't one of the module takes."""
        kind = fnty or function.function_type  # type: ignore[attr-defined]
        options = "".join([f"{f} " for f in fastmath])
        given = ", ".join([f"{a.type.text} {a.name}" for a in args])
        back = kind.return_type
        made = f"{f'{tail} ' if tail else ''}call {options}{back.text} {function.name}({given})"
        if back is VOID:
            self.lines.append(made)
            return Value(VOID, "")
        return self._new(back, made)

    def branch(self, block: Block) -> None:
        self.lines.append(f"br label %{block.name}")

    def cbranch(self, condition: Value, yes: Block, no: Block) -> None:
        self.lines.append(f"br i1 {condition.name}, label %{yes.name}, label %{no.name}")

    def ret(self, value: Value) -> None:
        self.lines.append(f"ret {value.type.text} {value.name}")

    def ret_void(self) -> None:
        self.lines.append("ret void")

"""A builder of LLVM's text, with the names of llvmlite's `ir`: types, constants, functions, blocks, instructions.

`from . import text as ir`. Each instruction is formatted once, when it is made; a module is then a list of lines to join.
On long programs the objects and the printing of llvmlite's own builder cost more than LLVM itself.

What differs: allocations always stand at the head of the function, where LLVM makes registers of them; phis at the head of
their block; names are numbers; nothing is checked here, LLVM's parser checks it all.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

# Types


class Type:
    """A type, by its text. There is one object of each, so types are compared with `is` or `==` alike."""

    __slots__ = ("count", "element", "text", "width")

    def __init__(self, text: str, width: int = 0, element: Any = None, count: int = 0) -> None:
        self.text = text
        self.width = width
        self.element = element
        self.count = count

    def __str__(self) -> str:
        return self.text

    def __call__(self, value: Any) -> Constant:
        """A constant of this type."""
        return Constant(self, value)


_DOUBLE, _FLOAT, _VOID, _POINTER = Type("double", 64), Type("float", 32), Type("void"), Type("ptr", 64)


def DoubleType() -> Type:
    """`double`."""
    return _DOUBLE


def FloatType() -> Type:
    """`float`."""
    return _FLOAT


def VoidType() -> Type:
    """`void`."""
    return _VOID


def PointerType() -> Type:
    """`ptr`, to whatever it is."""
    return _POINTER


@functools.cache
def IntType(width: int) -> Type:
    """An integer of so many bits."""
    return Type(f"i{width}", width)


@functools.cache
def ArrayType(element: Type, count: int) -> Type:
    """So many of a type in memory."""
    return Type(f"[{count} x {element.text}]", 0, element, count)


@functools.cache
def VectorType(element: Type, count: int) -> Type:
    """So many of a type in a register."""
    return Type(f"<{count} x {element.text}>", 0, element, count)


class FunctionType:
    """What a function takes and gives."""

    __slots__ = ("args", "return_type", "var_arg")

    def __init__(self, return_type: Type, args: Sequence[Type], var_arg: bool = False) -> None:
        self.return_type = return_type
        self.args = tuple(args)
        self.var_arg = var_arg


# Values


class Value:
    """A value of an instruction, or an argument: its type, and what it is called."""

    __slots__ = ("name", "type")

    def __init__(self, type: Type, name: str) -> None:
        self.type = type
        self.name = name

    def __str__(self) -> str:
        return f"{self.type.text} {self.name}"


class _Undefined:
    pass


Undefined = _Undefined()


def _constant(kind: Type, value: Any) -> str:
    if value is Undefined:
        return "undef"
    if kind is _DOUBLE or kind is _FLOAT:
        number = float(value)
        if kind is _FLOAT and math.isfinite(number):
            try:
                number = struct.unpack("<f", struct.pack("<f", number))[0]
            except OverflowError:
                number = math.copysign(math.inf, number)
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if kind is _POINTER or value is None:
        return "null" if value is None else str(value)
    if kind.element is not None:
        left, right = ("<", ">") if kind.text[0] == "<" else ("[", "]")
        entries = value if isinstance(value, list | tuple) else [value] * kind.count
        return left + ", ".join([f"{kind.element.text} {_constant(kind.element, v)}" for v in entries]) + right
    return str(int(value))


class Constant(Value):
    """A number, None for a null pointer, `Undefined`, or a list of entries."""

    __slots__ = ()

    def __init__(self, type: Type, value: Any) -> None:
        self.type = type
        self.name = value.name if isinstance(value, Value) else _constant(type, value)

    def inttoptr(self, type: Type) -> Value:
        """It as an address."""
        return Value(type, f"inttoptr ({self.type.text} {self.name} to {type.text})")


class Argument(Value):
    """An argument of a function."""

    __slots__ = ("attributes",)

    def __init__(self, type: Type, name: str) -> None:
        super().__init__(type, name)
        self.attributes = ""

    def add_attribute(self, attribute: str) -> None:
        """As `noalias`."""
        self.attributes += f" {attribute}"


class Phi(Value):
    """A value that depends on the block before."""

    __slots__ = ("incoming",)

    def __init__(self, type: Type, name: str) -> None:
        super().__init__(type, name)
        self.incoming: list[str] = []

    def add_incoming(self, value: Value, block: Block) -> None:
        """It is `value` if `block` came before."""
        self.incoming.append(f"[{value.name}, %{block.name}]")


class Block:
    """A basic block."""

    __slots__ = ("function", "lines", "name", "phis", "terminated")

    def __init__(self, function: Function, name: str) -> None:
        self.function = function
        self.name = name
        self.phis: list[Phi] = []
        self.lines: list[str] = []
        self.terminated = False

    @property
    def is_terminated(self) -> bool:
        """Whether it ends already."""
        return self.terminated


class _Attributes(list[str]):
    add = list.append


class Function(Value):
    """A function of a module; without blocks, one from outside."""

    __slots__ = ("allocations", "args", "attributes", "blocks", "function_type", "linkage", "module", "number")

    def __init__(self, module: Module, kind: FunctionType, name: str) -> None:
        super().__init__(_POINTER, f"@{_quoted(name)}")
        self.module = module
        self.function_type = kind
        self.args = tuple([Argument(t, f"%a{i}") for i, t in enumerate(kind.args)])
        self.blocks: list[Block] = []
        self.allocations: list[str] = []
        self.attributes = _Attributes()
        self.linkage = ""
        self.number = 0  # of values and blocks so far
        module.enter(name, self)

    @property
    def is_declaration(self) -> bool:
        """Whether it is from outside."""
        return not self.blocks

    def append_basic_block(self, name: str = "") -> Block:
        """A new block."""
        self.number += 1
        block = Block(self, f"{name or 'block'}.{self.number}")
        self.blocks.append(block)
        return block

    def lines(self) -> list[str]:
        """Its text."""
        kind = self.function_type
        more = " ".join(["", *self.attributes])
        if not self.blocks:
            args = [t.text + a.attributes for t, a in zip(kind.args, self.args, strict=True)]
            args += ["..."] if kind.var_arg else []
            return [f"declare {kind.return_type.text} {self.name}({', '.join(args)}){more}"]
        linkage = f"{self.linkage} " if self.linkage and self.linkage != "external" else ""
        taken = ", ".join([f"{a.type.text}{a.attributes} {a.name}" for a in self.args])
        found = [f"define {linkage}{kind.return_type.text} {self.name}({taken}) #0{more} {{"]
        for i, block in enumerate(self.blocks):
            found.append(f"{block.name}:")
            found += [f"{p.name} = phi {p.type.text} {', '.join(p.incoming)}" for p in block.phis]
            if not i:
                found += self.allocations
            found += block.lines
        found.append("}")
        return found


class GlobalVariable(Value):
    """Memory of a module."""

    __slots__ = ("align", "global_constant", "initializer", "linkage", "value_type")

    def __init__(self, module: Module, kind: Type, name: str) -> None:
        super().__init__(_POINTER, f"@{_quoted(name)}")
        self.value_type = kind
        self.linkage = ""
        self.global_constant = False
        self.initializer: Value | None = None
        self.align = 0
        module.enter(name, self)

    def lines(self) -> list[str]:
        """Its text."""
        linkage = f"{self.linkage} " if self.linkage else "" if self.initializer else "external "
        made = f" {self.initializer.name}" if self.initializer else ""
        word = "constant" if self.global_constant else "global"
        align = f", align {self.align}" if self.align else ""
        return [f"{self.name} = {linkage}{word} {self.value_type.text}{made}{align}"]


def _quoted(name: str) -> str:
    return name if name.replace("_", "").replace(".", "").isalnum() else f'"{name}"'


class Module:
    """Functions and memory; `str(module)` is its text.

    Each function defined here has the attributes `#0`, which `engine.Code` adds: they depend on the machine.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.globals: dict[str, Any] = {}
        self._count = 0

    def enter(self, name: str, value: Any) -> None:
        """A function or variable introduces itself."""
        if name in self.globals:
            raise ValueError(f"there are two {name!r} in one module")
        self.globals[name] = value

    def get_global(self, name: str) -> Any:
        """The function or variable of a name."""
        return self.globals[name]

    def get_unique_name(self, name: str) -> str:
        """A name that isn't taken."""
        while True:
            self._count += 1
            if (found := f"{name}.{self._count}") not in self.globals:
                return found

    def declare_intrinsic(self, name: str, types: Sequence[Type] = (), kind: FunctionType | None = None) -> Function:
        """A function of LLVM's own, for arguments of these types."""
        full = ".".join([name, *[_mangled(t) for t in types]])
        found = self.globals.get(full)
        if found is None:
            found = Function(self, kind or FunctionType(types[0], types), full)
        made: Function = found
        return made

    def __str__(self) -> str:
        lines = [f"; {self.name}"]
        for value in self.globals.values():
            lines += value.lines()
        return "\n".join(lines) + "\n"


def _mangled(kind: Type) -> str:
    if kind.element is not None:
        return f"v{kind.count}{_mangled(kind.element)}"
    return {"double": "f64", "float": "f32", "ptr": "p0"}.get(kind.text, kind.text)


# Instructions


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
    fadd, fsub, fmul, fdiv, frem = _two("fadd"), _two("fsub"), _two("fmul"), _two("fdiv"), _two("frem")
    zext, sext, trunc = _cast("zext"), _cast("sext"), _cast("trunc")
    fpext, fptrunc = _cast("fpext"), _cast("fptrunc")
    sitofp, uitofp, fptosi, fptoui = _cast("sitofp"), _cast("uitofp"), _cast("fptosi"), _cast("fptoui")
    bitcast, ptrtoint, inttoptr = _cast("bitcast"), _cast("ptrtoint"), _cast("inttoptr")

    def fneg(self, x: Value, name: str = "", flags: Sequence[str] = ()) -> Value:
        return self._new(x.type, f"fneg {''.join([f'{f} ' for f in flags])}{x.type.text} {x.name}")

    def neg(self, x: Value, name: str = "") -> Value:
        return self._new(x.type, f"sub {x.type.text} 0, {x.name}")

    def not_(self, x: Value, name: str = "") -> Value:
        return self._new(x.type, f"xor {x.type.text} {x.name}, {_constant(x.type, -1)}")

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
        return Value(_POINTER, made)

    def load(
        self, pointer: Value, name: str = "", align: int | None = None, typ: Type | None = None, more: str = ""
    ) -> Value:
        """What is in memory; `more` as `, !noalias !3`."""
        assert typ is not None
        where = f"load {typ.text}, ptr {pointer.name}{f', align {align}' if align else ''}{more}"
        return self._new(typ, where)

    def store(self, value: Value, pointer: Value, align: int | None = None, more: str = "") -> None:
        place = f"ptr {pointer.name}{f', align {align}' if align else ''}{more}"
        self.lines.append(f"store {value.type.text} {value.name}, {place}")

    def gep(
        self, pointer: Value, indices: Sequence[Value], inbounds: bool = False, name: str = "",
        source_etype: Type | None = None,
    ) -> Value:  # fmt: skip
        assert source_etype is not None
        steps = "".join([f", {i.type.text} {i.name}" for i in indices])
        word = "getelementptr inbounds" if inbounds else "getelementptr"
        return self._new(_POINTER, f"{word} {source_etype.text}, ptr {pointer.name}{steps}")

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
        if back is _VOID:
            self.lines.append(made)
            return Value(_VOID, "")
        return self._new(back, made)

    def branch(self, block: Block) -> None:
        self._end(f"br label %{block.name}")

    def cbranch(self, condition: Value, yes: Block, no: Block) -> None:
        self._end(f"br i1 {condition.name}, label %{yes.name}, label %{no.name}")

    def ret(self, value: Value) -> None:
        self._end(f"ret {value.type.text} {value.name}")

    def ret_void(self) -> None:
        self._end("ret void")

    def unreachable(self) -> None:
        self._end("unreachable")

    def _end(self, line: str) -> None:
        self.lines.append(line)
        self.block.terminated = True

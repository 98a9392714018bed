"""What LLVM's text is made of: types, constants, functions, blocks, modules. `text.py` writes the instructions.

Each instruction is formatted once, when it is made; a module is then a list of lines to join.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Sequence
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


_DOUBLE, _FLOAT, VOID, POINTER = Type("double", 64), Type("float", 32), Type("void"), Type("ptr", 64)


def DoubleType() -> Type:
    """`double`."""
    return _DOUBLE


def FloatType() -> Type:
    """`float`."""
    return _FLOAT


def VoidType() -> Type:
    """`void`."""
    return VOID


def PointerType() -> Type:
    """`ptr`, to whatever it is."""
    return POINTER


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


def constant_text(kind: Type, value: Any) -> str:
    """A number, or a list of them, as it is written."""
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
    if kind is POINTER or value is None:
        return "null" if value is None else str(value)
    if kind.element is not None:
        left, right = ("<", ">") if kind.text[0] == "<" else ("[", "]")
        entries = value if isinstance(value, list | tuple) else [value] * kind.count
        return left + ", ".join([f"{kind.element.text} {constant_text(kind.element, v)}" for v in entries]) + right
    return str(int(value))


class Constant(Value):
    """A number, None for a null pointer, `Undefined`, or a list of entries."""

    __slots__ = ()

    def __init__(self, type: Type, value: Any) -> None:
        self.type = type
        self.name = value.name if isinstance(value, Value) else constant_text(type, value)

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

    __slots__ = ("function", "lines", "name", "phis")

    def __init__(self, function: Function, name: str) -> None:
        self.function = function
        self.name = name
        self.phis: list[Phi] = []
        self.lines: list[str] = []


class _Attributes(list[str]):
    add = list.append


class Function(Value):
    """A function of a module; without blocks, one from outside."""

    __slots__ = ("allocations", "args", "attributes", "blocks", "function_type", "linkage", "module", "number")

    def __init__(self, module: Module, kind: FunctionType, name: str) -> None:
        super().__init__(POINTER, f"@{_quoted(name)}")
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
        super().__init__(POINTER, f"@{_quoted(name)}")
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

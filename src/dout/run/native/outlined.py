"""Vector functions of single numbers as calls: one function for all, instead of its forty instructions each time.

Inside loops the instructions have to stand there, so that the loop is vectorised. Outside, a long program of numbers
compiles twenty times as fast with calls, and runs no slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import text as ir


def outlined(builder: ir.IRBuilder, name: str, args: list[Any], emit: Callable[[ir.IRBuilder, list[Any]], Any]) -> Any:
    """Call the module's own function of a name, which is made by `emit(builder, args)` if it isn't there yet."""
    module = builder.module
    full = ".".join(["dout", name, *[a.type.text for a in args]])
    function = module.globals.get(full)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [a.type for a in args])
        function = ir.Function(module, kind, full)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block("entry"))
        value = emit(inner, list(function.args))
        kind.return_type = value.type
        inner.ret(value)
    return builder.call(function, args)

"""LLVM: from text to machine code in memory."""

from __future__ import annotations

import ctypes
import functools
import platform
from typing import Any

from .abi import addresses

#: Text of more lines becomes machine code in the quick way: the other takes time that grows with the square of the length of
#: a function. Measured on 20,000 operations on numbers and their derivatives: a fifth of the time, and code 4% slower.
LONG = 15_000
#: The attribute of functions whose code comes in the place of calls.
WITHIN = "alwaysinline"


@functools.cache
def available() -> bool:
    """Whether llvmlite is there."""
    try:
        import llvmlite.binding  # noqa: F401
    except ImportError:
        return False
    return True


@functools.cache
def _binding() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for name, address in addresses().items():
        llvm.add_symbol(name, address)
    return llvm


def define(name: str, address: int) -> None:
    """Let code that is made from now on call what is at an address by a name."""
    _binding().add_symbol(name, address)


@functools.cache
def width() -> int:
    """The width in bits of the vectors that this machine computes with."""
    features = _binding().get_host_cpu_features()
    return 512 if features.get("avx512f") and features.get("avx512dq") else 256 if features.get("avx2") else 128


@functools.cache
def has_fma() -> bool:
    """Whether this machine multiplies and adds in one operation."""
    return bool(_binding().get_host_cpu_features().get("fma")) or platform.machine().lower() in ("aarch64", "arm64")


class Code:
    """Machine code.

    Args:
        text: the text of a module, without the attributes `#0`.
        loops: whether there are loops to be vectorised; where there are none, fewer passes do.
        quick: whether to leave it as it is written, for what takes no time when it runs.
        straight: whether like operations that stand side by side are put into vectors, too. Not where places in memory are
            computed: LLVM (22.1) then loads entries together before others of them are stored, and gives wrong numbers.
        late: the text of functions that come in the place of calls when all loops are vectorised.
    """

    def __init__(
        self, text: str, loops: bool = True, quick: bool = False, straight: bool = False, late: str = ""
    ) -> None:
        llvm = _binding()
        options = f'"prefer-vector-width"="{width()}" "no-trapping-math"="true"'
        module = llvm.parse_assembly(f"{text}attributes #0 = {{ {options} }}\n")
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(
            opt=0 if quick or text.count("\n") > LONG else 3,
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
        )
        tuning = llvm.create_pipeline_tuning_options(speed_level=2 if loops else 1)
        tuning.loop_vectorization = tuning.loop_interleaving = tuning.loop_unrolling = True
        tuning.slp_vectorization = straight
        builder = llvm.create_pass_builder(machine, tuning)
        if loops and not quick:
            builder.getModulePassManager().run(module, builder)
            if late:
                module.link_in(llvm.parse_assembly(late))
            if late or WITHIN in text:  # what only the vectoriser calls
                passes = llvm.create_new_module_pass_manager()
                passes.add_always_inliner_pass()
                passes.run(module, builder)
        elif not quick:
            passes = builder.getFunctionPassManager()
            for function in module.functions:
                if not function.is_declaration:
                    passes.run(function, builder)
        self._module = module
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()

    @property
    def text(self) -> str:
        """The LLVM text that it was made of, optimised."""
        return str(self._module)

    def address(self, name: str) -> int:
        """Where a function is."""
        return int(self._engine.get_function_address(name))


class _Definition(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def builtin(code: Code, name: str, keep: Any) -> Any:
    """A function of the code as a builtin of Python's, which takes positional and keyword arguments; it keeps `keep`."""
    definition = _Definition(name.encode(), code.address(name), 0x0080 | 0x0002, b"native code made by dout.jit")
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(definition), (code, definition, keep), None)

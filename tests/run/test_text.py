"""The builder of LLVM text: what it writes is what LLVM reads, and computes what was meant."""

from __future__ import annotations

import ctypes
import math
import struct

import numpy as np
import pytest

llvm = pytest.importorskip("llvmlite.binding")

from dout.run.native import text as ir  # noqa: E402
from dout.run.native.engine import Code  # noqa: E402

DOUBLE, FLOAT, LONG, BIT, P = ir.DoubleType(), ir.FloatType(), ir.IntType(64), ir.IntType(1), ir.PointerType()


def compiled(result, takes, emit, ctype):
    module = ir.Module("test")
    function = ir.Function(module, ir.FunctionType(result, takes), "f")
    emit(ir.IRBuilder(function.append_basic_block("entry")), *function.args)
    code = Code(str(module))
    call = ctypes.CFUNCTYPE(*ctype)(code.address("f"))
    call.code = code
    return call


@pytest.mark.parametrize(
    "number", [0.0, -0.0, 1.0, -1 / 3, 5e-324, -2.2e-308, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
)
def test_doubles_are_written_to_the_last_bit(number):
    f = compiled(DOUBLE, [], lambda b: b.ret(ir.Constant(DOUBLE, number)), [ctypes.c_double])
    assert struct.pack("d", f()) == struct.pack("d", number)


@pytest.mark.parametrize("number", [0.0, -0.0, 0.1, 1e-45, 3.4028234e38, 1e300, -1e300, math.inf, math.nan])
def test_floats_are_rounded_to_single_precision(number):
    f = compiled(FLOAT, [], lambda b: b.ret(ir.Constant(FLOAT, number)), [ctypes.c_float])
    with np.errstate(over="ignore"):
        assert np.float32(f()).tobytes() == np.float32(number).tobytes()


def test_integers_bits_and_null_pointers():
    def emit(b, x):
        null = b.icmp_unsigned("==", x, ir.Constant(P, None))
        small = b.icmp_signed("<", ir.Constant(LONG, -(2**63)), ir.Constant(LONG, 2**62))
        both = b.and_(b.and_(null, small), b.not_(ir.Constant(BIT, False)))
        b.ret(b.zext(both, LONG))

    f = compiled(LONG, [P], emit, [ctypes.c_int64, ctypes.c_void_p])
    assert f(None) == 1
    assert f(8) == 0


def test_a_loop_with_phis_and_memory_of_its_own():
    """The sum of the squares of 0 to n - 1, added up in memory."""

    def emit(b, n):
        before = b.block
        loop, end = b.append_basic_block("loop"), b.append_basic_block("end")
        total = b.alloca(LONG)
        b.store(ir.Constant(LONG, 0), total)
        b.branch(loop)
        b.position_at_end(loop)
        i = b.phi(LONG)
        i.add_incoming(ir.Constant(LONG, 0), before)
        late = b.alloca(LONG)  # stands at the head, however often the loop runs
        b.store(b.mul(i, i), late)
        b.store(b.add(b.load(total, typ=LONG), b.load(late, typ=LONG)), total)
        following = b.add(i, ir.Constant(LONG, 1), flags=("nsw",))
        i.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, n), loop, end)
        b.position_at_end(end)
        b.ret(b.load(total, typ=LONG))

    f = compiled(LONG, [LONG], emit, [ctypes.c_int64, ctypes.c_int64])
    assert f(10) == sum(i * i for i in range(10))
    assert f(3_000_000) == sum(i * i for i in range(3_000_000))


def test_functions_tables_and_intrinsics():
    def emit(b, k):
        module = b.module
        kind = ir.ArrayType(DOUBLE, 3)
        table = ir.GlobalVariable(module, kind, module.get_unique_name("table"))
        table.initializer, table.global_constant, table.linkage = ir.Constant(kind, [1.5, -2.5, 4.0]), True, "internal"
        inner = ir.Function(module, ir.FunctionType(DOUBLE, [DOUBLE]), "inner")
        inner.linkage = "internal"
        inside = ir.IRBuilder(inner.append_basic_block())
        absolute = module.declare_intrinsic("llvm.fabs", [DOUBLE], ir.FunctionType(DOUBLE, [DOUBLE]))
        inside.ret(inside.call(absolute, [inner.args[0]]))
        entry = b.load(b.gep(table, [k], source_etype=DOUBLE), typ=DOUBLE)
        negative = b.fcmp_ordered("<", entry, ir.Constant(DOUBLE, 0.0))
        b.ret(b.select(negative, b.fmul(b.call(inner, [entry]), DOUBLE(10.0)), b.fneg(entry)))

    f = compiled(DOUBLE, [LONG], emit, [ctypes.c_double, ctypes.c_int64])
    assert [f(k) for k in range(3)] == [-1.5, 25.0, -4.0]


def test_vectors():
    def emit(b, p):
        four = ir.VectorType(DOUBLE, 4)
        x = b.load(p, typ=four, align=8)
        y = b.fadd(x, ir.Constant(four, [1.0, 2.0, 3.0, 4.0]), flags=("reassoc",))
        y = b.insert_element(y, b.extract_element(x, LONG(0)), LONG(3))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), 4), [3, 2, 1, 0])
        y = b.shuffle_vector(y, y, mask)
        y = b.select(b.fcmp_ordered(">", y, ir.Constant(four, 12.0)), ir.Constant(four, 0.0), y)
        b.store(y, p, align=8)
        b.ret(LONG(0))

    f = compiled(LONG, [P], emit, [ctypes.c_int64, ctypes.c_void_p])
    x = np.array([10.0, 20.0, 5.0, 7.0])
    assert f(x.ctypes.data) == 0
    np.testing.assert_array_equal(x, [10.0, 8.0, 0.0, 11.0])


def test_types_are_one_object_each():
    assert ir.IntType(8) is ir.IntType(8)
    assert ir.ArrayType(DOUBLE, 3) is ir.ArrayType(DOUBLE, 3)
    assert ir.VectorType(DOUBLE, 2) is not ir.VectorType(FLOAT, 2)


def test_two_of_one_name_are_an_error():
    module = ir.Module()
    kind = ir.FunctionType(DOUBLE, [])
    ir.Function(module, kind, "f")
    with pytest.raises(ValueError, match="two 'f'"):
        ir.Function(module, kind, "f")


def test_what_llvm_cannot_read_is_an_error():
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(DOUBLE, [LONG]), "f")
    ir.IRBuilder(function.append_basic_block()).ret(function.args[0])
    with pytest.raises(RuntimeError):
        Code(str(module))

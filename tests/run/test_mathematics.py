"""The vector functions are within two units in the last place of the true value, over their whole range."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest

pytest.importorskip("llvmlite")
mpmath = pytest.importorskip("mpmath")

from dout.run.native import text as ir  # noqa: E402
from dout.run.native.engine import Code  # noqa: E402
from dout.run.native.mathematics import Mathematics  # noqa: E402

RANGES = {
    "exp": (-746.0, 710.0),
    "expm1": (-60.0, 710.0),
    "tanh": (-25.0, 25.0),
    "log": (0.0, 1e300),
    "log1p": (-1.0, 1e300),
}
TRUE = {"exp": mpmath.exp, "expm1": mpmath.expm1, "tanh": mpmath.tanh, "log": mpmath.log, "log1p": mpmath.log1p}
SPECIAL = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    5e-324,
    -5e-324,
    2.3e-308,
    1e-20,
    -1e-20,
    1.0,
    -1.0,
    710.5,
    -800.0,
    1e308,
]


@pytest.fixture(scope="module")
def functions():
    module = ir.Module("m")
    double, long, pointer = ir.DoubleType(), ir.IntType(64), ir.PointerType()
    for name in RANGES:
        f = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, pointer, long]), name)
        b = ir.IRBuilder(f.append_basic_block())
        before, loop, end = b.block, f.append_basic_block(), f.append_basic_block()
        b.branch(loop)
        b.position_at_end(loop)
        i = b.phi(long)
        i.add_incoming(ir.Constant(long, 0), before)
        x = b.load(b.gep(f.args[0], [i], source_etype=double), typ=double)
        b.store(getattr(Mathematics(b, module), name)(x), b.gep(f.args[1], [i], source_etype=double))
        following = b.add(i, ir.Constant(long, 1))
        i.add_incoming(following, loop)
        b.cbranch(b.icmp_signed("<", following, f.args[2]), loop, end)
        b.position_at_end(end)
        b.ret_void()
    code = Code(str(module))

    def run(name, x):
        f = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(code.address(name))
        out = np.empty_like(x)
        f(x.ctypes.data, out.ctypes.data, len(x))
        return out

    return run


def sample(name, n=4000):
    low, high = RANGES[name]
    rng = np.random.default_rng(0)
    parts = [rng.uniform(max(low, -745.0), min(high, 709.0), n), rng.uniform(-1, 1, n), rng.uniform(0.5, 2.0, n)]
    parts.append(10.0 ** rng.uniform(-300, 0, n) * rng.choice([-1.0, 1.0], n))
    if high > 1e100:
        parts.append(10.0 ** rng.uniform(-307, 300, n))
    x = np.concatenate(parts)
    return x[(x > low) & (x < high)]


def error_in_ulps(name, x, y):
    worst = 0.0
    with mpmath.workprec(120):
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            true = TRUE[name](mpmath.mpf(a))
            if abs(true) > 1.7976931348623157e308:
                assert math.isinf(b)
                continue
            worst = max(worst, float(abs(true - mpmath.mpf(b)) / mpmath.mpf(math.ulp(float(true)))))
    return worst


@pytest.mark.parametrize("name", RANGES)
def test_within_two_ulps(name, functions):
    x = sample(name)
    worst = error_in_ulps(name, x, functions(name, x))
    print(name, worst)
    assert worst <= 2.0


@pytest.mark.parametrize("name", RANGES)
def test_special_values(name, functions):
    x = np.array(SPECIAL)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    found = functions(name, x)
    np.testing.assert_allclose(found, expected, 1e-15)
    zeros = expected == 0
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))

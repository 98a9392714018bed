"""Programs mean the same however short they become while they are built."""

import numpy as np
import pytest

from dout.graph import NO_PARAMS
from dout.passes.building import Building, pruned
from dout.passes.program import Check, Program, Value
from dout.rules import UFUNCS
from dout.run.interpret import BROKEN, interpreter

F8 = np.dtype(float)


def given(i, shape=()):
    return Value(None, (), NO_PARAMS, shape, F8 if shape else float, input=i)


def constant(value):
    return Value(None, (), NO_PARAMS, np.shape(value), getattr(value, "dtype", type(value)), constant=value)


def made(ufunc, *args, shape=(), dtype=None):
    return Value(UFUNCS[ufunc], args, NO_PARAMS, shape, dtype or (F8 if shape else np.dtype(float)))


def run(program, *inputs):
    return interpreter(program.verify())(list(inputs))


def simplified(program):
    """A program built again, value by value."""
    new = Building()
    numbers = []
    for value in program.values:
        if value.op is not None:
            args = tuple([numbers[a] for a in value.args])
            numbers.append(new.add(value.op, args, value.params, value.shape, value.dtype, value.array))
        elif value.input is not None:
            numbers.append(new.input(value.input, value.shape, value.dtype, value.array))
        else:
            numbers.append(new.constant(value.constant, value.captured))
    checks = [Check(numbers[c.value], c.expected, c.what) for c in program.checks]
    return new.finish([numbers[i] for i in program.outputs], checks).verify()


def test_common_values_are_one():
    program = Program([given(0, (3,)), made(np.exp, 0, shape=(3,)), made(np.exp, 0, shape=(3,)),
                       made(np.add, 1, 2, shape=(3,))], [3], [], 1)  # fmt: skip
    x = np.arange(3.0)
    short = simplified(program)
    assert len(short) == 3
    np.testing.assert_array_equal(run(short, x)[0], run(program, x)[0])


def test_dead_code_goes():
    program = Program([given(0, (3,)), made(np.exp, 0, shape=(3,)), made(np.sin, 0, shape=(3,))], [2], [], 1)
    assert "exp" not in str(pruned(program))
    assert "exp" not in str(simplified(program))


def test_constants_are_folded_and_ones_dropped():
    program = Program([given(0, (3,)), constant(2.0), constant(0.5), made(np.multiply, 1, 2, dtype=np.dtype(float)),
                       made(np.multiply, 0, 3, shape=(3,)), made(np.negative, 4, shape=(3,)),
                       made(np.negative, 5, shape=(3,))], [6], [], 1)  # fmt: skip
    short = simplified(program)
    assert short.outputs == [0]


def test_minus_zero_is_kept():
    x = np.array([-0.0, 1.0])
    program = Program([given(0, (2,)), constant(0.0), made(np.add, 0, 1, shape=(2,))], [2], [], 1)
    out = run(simplified(program), x)[0]
    assert not np.signbit(out[0])
    np.testing.assert_array_equal(out, run(program, x)[0])


def test_a_broken_check():
    program = Program([given(0), made(np.exp, 0)], [1], [Check(1, np.float64(1.0), "value")], 1)
    assert run(program, 0.0) == [1.0]
    assert run(program, 1.0) is BROKEN


@pytest.mark.parametrize(
    ("values", "outputs", "says"),
    [
        ([made(np.exp, 0)], [0], "before"),
        ([given(0), made(np.exp, 0, shape=(2,))], [1], "broadcast"),
        ([given(1)], [0], "input 1"),
        ([given(0)], [3], "not in the program"),
        ([Value(None, (), NO_PARAMS, (2,), F8, constant=np.ones(3))], [0], "constant"),
    ],
)
def test_verify_says_what_is_wrong(values, outputs, says):
    with pytest.raises(ValueError, match=says):
        Program(values, outputs, [], 1).verify()

"""Large arrays' derivatives are written over and their signs carried along: nothing that anybody sees may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dout
from dout import in_place

#: Each with how many earlier values it takes.
OPERATIONS: list[tuple[int, Callable[..., Any]]] = [
    (2, np.add),
    (2, np.subtract),
    (2, np.multiply),
    (2, lambda x, y: x / (y * y + 2.0)),
    (1, np.negative),
    (1, lambda x: np.exp(-abs(x))),
    (1, np.tanh),
    (1, lambda x: 3.0 - x),
    (1, lambda x: 0.5 / (2.0 + x * x)),
    (1, lambda x: x * np.float32(1.5)),
    (1, lambda x: np.concatenate([-x[1:], x[:1]])),
    (1, lambda x: np.where(x > 0.3, -x, 2.0 * x)),
    (1, lambda x: x - np.sum(x)),
    (1, lambda x: x * x[0]),
    (1, lambda x: np.maximum(x, 0.1) - x),
    (1, lambda x: -x[::-1]),
]


@st.composite
def programs(draw: st.DrawFn) -> list[tuple[int, tuple[int, ...]]]:
    steps = []
    for known in range(3, 3 + draw(st.integers(1, 12))):
        i = draw(st.integers(0, len(OPERATIONS) - 1))
        steps.append((i, tuple(draw(st.integers(0, known - 1)) for _ in range(OPERATIONS[i][0]))))
    return steps


def function(steps: list[tuple[int, tuple[int, ...]]]) -> Callable[..., Any]:
    def f(*inputs: Any) -> Any:
        values = list(inputs)
        for i, places in steps:
            values.append(OPERATIONS[i][1](*[values[p] for p in places]))
        return values[-1] - values[-2]

    return f


INPUTS = tuple(np.random.default_rng(i).uniform(-1, 1, 5) for i in range(3))


@pytest.mark.parametrize("dtypes", ["ddd", "fff", "dfd"])
@given(steps=programs())
def test_written_over_or_not_it_is_the_same(dtypes: str, steps: list[tuple[int, tuple[int, ...]]]) -> None:
    """To the last bit: multiplying where it stands, or by minus one at the end, rounds as it did."""
    inputs = tuple(x.astype(t) for x, t in zip(INPUTS, dtypes, strict=True))
    dout_of_all = np.linspace(-1, 1, 5)
    found = []
    for large in (1, 1 << 40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(in_place, "LARGE", large)
            copies = tuple(x.copy() for x in inputs)
            out, pullback = dout.vjp(function(steps), *copies)
            given_dout = dout_of_all.astype(out.dtype)
            first, second = pullback(given_dout), pullback(given_dout)
            for a, b in zip(first, second, strict=True):
                np.testing.assert_array_equal(a, b)  # nothing that the graph keeps was written over
            for a, b in zip((*copies, given_dout), (*inputs, dout_of_all.astype(out.dtype)), strict=True):
                np.testing.assert_array_equal(a, b)
            arrays = (*copies, given_dout, out, *first, *second)
            assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i] if a is not out)
            found.append(first)
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_place, "LARGE", 1)


@pytest.mark.usefixtures("all_large")
def test_two_leaves_of_a_sum_do_not_share_their_derivative() -> None:
    x, y = dout.Variable(np.ones(3)), dout.Variable(np.ones(3))
    np.sum(np.exp(x + y)).backward()
    assert not np.shares_memory(x.grad, y.grad)
    np.testing.assert_array_equal(x.grad, y.grad)


@pytest.mark.usefixtures("all_large")
def test_what_is_looked_at_on_the_way_has_its_sign() -> None:
    """An inner Variable's derivative is minus what flows on to the next one."""
    x = dout.Variable(np.array([0.5, 1.0]))

    def f(x: Any) -> Any:
        return np.sum(np.exp(-x))

    np.testing.assert_array_equal(dout.grad(f)(x._value), -np.exp([-0.5, -1.0]))
    np.testing.assert_array_equal(
        dout.grad(lambda x: np.sum(dout.grad(f)(x) ** 2))(x._value), -2 * np.exp([-1.0, -2.0])
    )
    np.sum(-x).backward()
    np.testing.assert_array_equal(x.grad, [-1.0, -1.0])
    np.sum(2.0 - x).backward()
    np.testing.assert_array_equal(x.grad, [-2.0, -2.0])


@pytest.mark.usefixtures("all_large")
def test_a_rule_of_somebody_else_may_keep_what_it_gives() -> None:
    kept = np.array([2.0, 3.0])

    class Twice(dout.Layer):
        def forward(self, x: Any) -> Any:
            return kept * x

        def backward(self, dout: Any) -> Any:
            return kept

    d = dout.grad(lambda x: np.sum(Twice()(np.exp(x) * 2.0)))(np.zeros(2))
    np.testing.assert_array_equal(kept, [2.0, 3.0])
    np.testing.assert_array_equal(d, [4.0, 6.0])

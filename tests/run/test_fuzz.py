"""Random functions: native code, NumPy's run of the program, the eager run and JAX give the same.

The long run is `python tests/run/fuzz_native.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import Chance
from random_lines import drawn
from random_runs import hold

pytest.importorskip("llvmlite")
pytest.importorskip("scipy")


class Drawn:
    """Draws by Hypothesis, which knows how to make a fault smaller."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def one(self, of: Sequence[Any]) -> Any:
        return of[self.integer(0, len(of) - 1)]

    def often(self, percent: int) -> bool:
        return self.integer(1, 100) > 100 - percent


@st.composite
def graphs(draw, wild=False):
    return drawn(Drawn(draw), 8, wild)


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(graphs())
def test_random_functions(graph):
    hold(graph)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(graphs(wild=True))
def test_random_functions_of_extreme_values(graph):
    hold(graph)


def test_random_functions_beside_jax():
    pytest.importorskip("jax")
    assert sum(hold(drawn(Chance(seed), 6), jax=True, backends=("native",)) for seed in range(40)) > 15


#: What shows that a kind of line was drawn: one that always fails would be missed otherwise.
SIGNS = [
    "special.", "np.where(v", "np.cumsum", "np.take(", "np.add.at", "] = ", "np.stack", " @ ", "np.einsum", "np.linalg.solve",
    " if np.sum", "for i in range", "astype", "np.sort", "keepdims=True", "rows.append", ".at[",
]  # fmt: skip


def test_every_kind_of_line_is_drawn():
    texts = "\n".join(line.text + str(line.jax) for seed in range(400) for line in drawn(Chance(seed)).lines)
    assert [sign for sign in SIGNS if sign not in texts] == []


def test_lines_that_nobody_needs_are_left_out():
    graph = drawn(Chance(3), 10)
    graph.outputs = graph.outputs[:1]
    source = graph.source()
    names: dict[str, Any] = {"np": np}
    exec(source, names)
    assert len(names["f"](*graph.args.values())) == 1

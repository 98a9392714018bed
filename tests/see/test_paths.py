"""Paths from an input to the output: which nodes and edges, how many, and what each contributes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout import see
from dout.see.paths import between, contributions, told, ways_of

A = np.array([1.0, -2.0, 3.0])


def by_hand(edges, starts, ends):
    """Every path as a tuple of edges."""

    def on(node):
        here = [()] * ends.count(node)
        return here + [(k, *rest) for k, (a, b) in enumerate(edges) if a == node for rest in on(b)]

    return [path for start in set(starts) for path in on(start)]


@given(
    n=st.integers(1, 7),
    pairs=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12),
    starts=st.lists(st.integers(0, 6), min_size=1, max_size=2),
    ends=st.lists(st.integers(0, 6), max_size=3),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_between_is_what_taking_every_path_gives(n, pairs, starts, ends):
    edges = [(min(p) % n, max(p) % n) for p in pairs]
    edges = [(a, b) for a, b in edges if a < b]
    starts, ends = [s % n for s in starts], [e % n for e in ends]
    nodes, on, count = between(n, edges, starts, ends)
    paths = by_hand(edges, starts, ends)
    assert count == len(paths)
    assert on == sorted(set(itertools.chain(*paths)))
    assert set(nodes) == {s for s in starts if by_hand(edges, [s], ends)} | {v for k in on for v in edges[k]}


def test_the_count_may_be_enormous():
    n = 3001
    edges = [(k, k + 1) for k in range(n - 1) for _ in range(2)]
    assert between(n, edges, [0], [n - 1])[2] == 2 ** (n - 1)
    assert "e903" in told("x", 2 ** (n - 1))


def test_ways_of_a_description():
    description = see(lambda x, y, z: x * y + x * 2.0, 3.0, 5.0, 1.0).describe()
    by_name = {node["name"]: node["id"] for node in description["nodes"]}
    found = ways_of(description, "x")
    assert (found.count, found.text) == (2, "2")
    kinds = [description["nodes"][i]["kind"] for i in found.nodes]
    assert kinds == ["input", "op", "op", "op"]
    assert all(description["edges"][k]["from"] in found.nodes for k in found.edges)
    assert len(found.edges) == 4
    assert ways_of(description, by_name["y"]).count == 1
    assert ways_of(description, "z") == type(found)((), (), 0)


def test_a_name_that_no_input_has():
    description = see(lambda x: x * 2.0, 3.0).describe()
    with pytest.raises(ValueError, match="no input is called 'w'; the inputs are 'x'"):
        ways_of(description, "w")


class Two(dout.Layer):
    def forward(self, x):
        self.x = x
        return x * 2.0, x * x

    def backward(self, dout):
        return dout[0] * 2.0 + dout[1] * 2.0 * self.x


def two(x):
    a, b = Two()(x)
    return np.sum(a * b)


CASES = [
    (lambda x: x * x, 3.0, 2),
    (lambda x: x, 3.0, 1),
    (lambda x: (x, x * 2.0, x), 3.0, 3),
    (lambda x: np.sin(x) * np.exp(x) + x, 0.5, 3),
    (lambda x: np.sum(x * np.sum(x)), A, 2),
    (lambda x: np.sum(dout.Relu()(x) * dout.Sigmoid()(x)), A, 2),
    (lambda x: two(x), A, 2),
    (lambda x: np.abs(x * x), 1 + 2j, 2),
    (lambda x: np.floor(x), 1.5, 0),
    (lambda x: np.sum(np.stack([x, x, x * 2.0])), A, 3),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_contributions_sum_to_the_derivative(case):
    f, x, count = CASES[case]
    picture = see(f, x)
    leaf = picture.graph.inputs[0]
    ways = contributions(picture, leaf)
    assert len(ways) == count
    if count:
        np.testing.assert_allclose(sum(way.contribution for way in ways), picture.totals[leaf], rtol=1e-12)
        sizes = [np.max(np.abs(way.contribution)) for way in ways]
        assert sizes == sorted(sizes, reverse=True)
    for way in ways:
        for (node, _), (after, i) in itertools.pairwise(way.edges):
            assert after.parents[i] is node


def test_too_many_are_not_taken_one_by_one():
    def f(x):
        for _ in range(60):
            x = x * x
        return x

    picture = see(f, 1.0)
    assert contributions(picture, picture.graph.inputs[0]) is None
    assert ways_of(picture.describe(open="all"), "x").count == 2**60


def test_in_words():
    assert told("x", 0) == "No path leads from x to the output."
    assert told("x", 1) == "x reaches the output by one path."
    assert told("x", 3, "zh") == "x 经 3 条路径到达输出。"

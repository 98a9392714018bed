"""Nested containers, taken apart and put together."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dout.tree import flatten, tree_map

Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Plain:
    x: object
    y: object = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: object
    y: object = 2


@dataclasses.dataclass
class Computed:
    x: object
    twice: object = dataclasses.field(init=False)
    settings: dataclasses.InitVar[str] = "s"

    def __post_init__(self, settings):
        self.twice = self.x * 2


class Listing(list):
    pass


CASES = [
    (3.0, [3.0]),
    (None, [None]),
    ("text", ["text"]),
    ([], []),
    ({}, []),
    ((), []),
    ([1, [2, (3,)]], [1, 2, 3]),
    ({"b": 1, "a": {"c": 2}}, [1, 2]),
    (Point(1, [2]), [1, 2]),
    (Plain(1), [1, 2]),
    (Frozen(1), [1, 2]),
    (OrderedDict(b=1, a=2), [1, 2]),
    (defaultdict(list, a=1), [1]),
    (Listing([1, 2]), [1, 2]),
    ({1: "a", (2, 3): "b"}, ["a", "b"]),
    (Computed(5), [5, 10]),
]


@pytest.mark.parametrize(("tree", "leaves"), CASES, ids=[repr(t)[:40] for t, _ in CASES])
def test_leaves_and_back(tree, leaves):
    found, rebuild = flatten(tree)
    assert found == leaves
    again = rebuild(iter(found))
    assert again == tree
    assert type(again) is type(tree)
    if isinstance(tree, list | dict) or dataclasses.is_dataclass(tree):
        assert again is not tree


def test_other_leaves():
    assert tree_map(lambda v: v * 10, Point({"a": 1}, (2, Frozen(3)))) == Point({"a": 10}, (20, Frozen(30, 20)))


def test_rebuilding_needs_no_constructor_and_leaves_the_old_one():
    old = Computed(5)
    new = tree_map(lambda v: v + 1, old)
    assert (new.x, new.twice) == (6, 11)
    assert (old.x, old.twice) == (5, 10)


def test_a_default_factory_is_kept():
    assert tree_map(lambda v: v, defaultdict(list, a=1))["new"] == []


def test_arrays_strings_and_dataclass_types_are_leaves():
    array = np.ones(3)
    for leaf in (array, "abc", b"abc", Plain, {1, 2}, range(3)):
        leaves, rebuild = flatten(leaf)
        assert len(leaves) == 1
        assert leaves[0] is leaf
        assert rebuild(iter([7])) == 7


trees = st.recursive(
    st.floats(allow_nan=False) | st.text(max_size=3) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(Frozen, inner, inner)
    ),
    max_leaves=12,
)


@given(trees)
def test_any_nesting_comes_back(tree):
    leaves, rebuild = flatten(tree)
    assert rebuild(iter(leaves)) == tree
    assert flatten(tree_map(lambda v: [v, v], tree))[0] == [v for leaf in leaves for v in (leaf, leaf)]

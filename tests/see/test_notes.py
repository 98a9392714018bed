"""What a picture says besides: notes in both languages, and parameters as people write them."""

# ruff: noqa: RUF001

import numpy as np
import pytest

import dout
from dout.see.params import told_of
from dout.see.words import words

A = np.arange(6.0).reshape(2, 3)


def mixed(x, n: int, s, power=2.0):
    return x * n * power


ENGLISH = [
    "The derivatives are those of the output's sum.",
    "n is no input: it is annotated int",
    "s is no input: 'a' is a str, which holds no number",
    "power is no input: it has its default; give power=2.0 to see its derivative",
]
CHINESE = [
    "这些导数是输出各元素之和的导数。",
    "n 不是输入：它标注为 int",
    "s 不是输入：'a' is a str, which holds no number",
    "power 不是输入：它取默认值；传入 power=2.0 即可看到它的导数",
]


def test_notes_are_of_the_catalogue():
    picture = dout.see(mixed, A, 3, "a")
    assert picture.describe()["notes"] == ENGLISH
    assert picture.describe(lang="zh")["notes"] == CHINESE
    assert picture.describe()["noted"] == picture.describe(lang="zh")["noted"]
    assert {note["key"] for note in picture.describe()["noted"]} <= set(words()["zh"])
    assert picture.graph.notes == ENGLISH[1:], "as the trace says it by itself"


def test_notes_in_text():
    picture = dout.see(mixed, A, 3, "a")
    assert picture.text().splitlines()[-4:] == picture.text(lang="en").splitlines()[-4:] == ENGLISH
    assert picture.text(lang="zh").splitlines()[-4:] == CHINESE
    assert picture.text(steps=True, lang="zh").splitlines()[-4:] == CHINESE


TOLD = [
    (lambda x: x @ x.T, []),
    (lambda x: np.sum(x), ["axes=(0, 1)"]),
    (lambda x: np.sum(x, axis=0), ["axis=0"]),
    (lambda x: np.sum(x, axis=(0, 1), keepdims=True), ["axes=(0, 1)", "keepdims=True"]),
    (lambda x: x[1], ["[1]"]),
    (lambda x: x[:, None, ::2], ["[:, None, ::2]"]),
    (lambda x: x[..., [0, 2]], ["[..., [0, 2]]"]),
    (lambda x: x[x > 2], ["[2×3 mask]"]),
    (lambda x: np.reshape(x, (3, 2)), ["shape=(3, 2)"]),
    (lambda x: np.reshape(x, (3, 2), order="F"), ["shape=(3, 2)", "order=F"]),
    (lambda x: np.einsum("ij,kj->ik", x, x), ["ij,kj->ik"]),
    (lambda x: x.astype(np.float32), ["dtype=float32"]),
    (lambda x: np.cumsum(x, axis=1), ["axis=1"]),
    (lambda x: np.concatenate([x, x], axis=1), ["axis=1"]),
    (lambda x: np.linalg.svdvals(x), []),
]


@pytest.mark.parametrize(("f", "told"), TOLD)
def test_parameters_as_people_write_them(f, told):
    nodes = dout.see(f, A).describe()["nodes"]
    assert [text for node in nodes for text in node.get("told", ()) if node["op"] != "transpose"] == told


def test_parameters_are_cut():
    assert told_of("getitem", {"key": list(range(60))}) == ["[…]"]
    assert told_of("reshape", {"shape": list(range(60))})[0].endswith("…")
    assert told_of("quantile", {"page": False}) == []


def test_writing_says_where():
    def f(x):
        y = x * 1.0
        y[0, 1:] = 5.0
        return y

    (write,) = [node for node in dout.see(f, A).describe()["nodes"] if node["op"] == "write"]
    assert write["told"] == ["[0, 1:]"]

"""How recorded functions are called: decorators, methods, containers, static arguments, threads, copies, out=, bad input."""

from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
import subprocess
import sys
import threading
from typing import NamedTuple

import numpy as np
import oracles
import pytest

import dout
from dout.jit import jit
from dout.jitted import MOST_VARIANTS

X = oracles.array(5)


# Decorators, methods, functions of every kind


@jit
def at_the_top(x):
    """Twice."""
    return x * 2


@jit(static_argnums=1)
def to_the(x, n):
    return x**n


class Model:
    rate = 0.5

    def __init__(self, w):
        self.w = w

    @jit
    def method(self, x):
        return np.sum(x * self.w) * self.rate

    @staticmethod
    @jit
    def of_static(x):
        return x * 3

    @classmethod
    @jit
    def of_class(cls, x):
        return x * cls.rate

    @property
    @jit
    def total(self):
        return np.sum(self.w)

    def __call__(self, x):
        return x * self.w


def test_decorators():
    assert at_the_top(3.0) == 6.0
    assert at_the_top.__doc__ == "Twice."
    assert at_the_top.__name__ == "at_the_top"
    assert to_the(3.0, 2) == 9.0
    assert to_the(3.0, 3) == 27.0
    assert jit(static_argnums=(1,), backend="numpy")(lambda x, n: x * n)(2.0, 4) == 8.0


def test_methods_of_every_kind():
    for _ in range(3):
        model, other = Model(X), Model(X * 3)
        assert model.method(X) == pytest.approx(np.sum(X * X) / 2)
        assert other.method(X) == pytest.approx(np.sum(X * X * 3) / 2)
        assert Model.method(model, X) == model.method(X)
        np.testing.assert_array_equal(model.of_static(X), X * 3)
        np.testing.assert_array_equal(Model.of_class(X), X * 0.5)
        assert model.total == np.sum(X)
        np.testing.assert_array_equal(jit(model)(X), X * X)
        np.testing.assert_array_equal(jit(model.__call__)(X), X * X)


def test_partials():
    f = jit(functools.partial(lambda a, x, *, b: a * x + b, 2.0, b=1.0))
    assert [f(3.0), f(4.0)] == [7.0, 9.0]
    g = functools.partial(jit(lambda a, x, *, b: a * x + b), 2.0, b=1.0)
    assert [g(3.0), g(4.0)] == [7.0, 9.0]


def test_decorated_functions():
    def twice(f):
        @functools.wraps(f)
        def run(*args, **kwargs):
            return f(*args, **kwargs) * 2

        return run

    fast = jit(twice(twice(lambda x: x * x)))
    assert [fast(2.0), fast(3.0)] == [16.0, 36.0]


def test_jit_in_jit():
    inner = jit(lambda x: np.sin(x) * 2)
    outer = jit(jit(lambda x: inner(x) + inner(x * 2)))
    for x in (X, X * 2):
        np.testing.assert_allclose(outer(x), np.sin(x) * 2 + np.sin(x * 2) * 2, 1e-13)
    assert outer.graph(X).n_inputs == 1


def test_generators_are_run_as_they_are():
    fast = jit(lambda x: (x * i for i in range(3)))
    for _ in range(2):
        assert list(fast(2.0)) == [0.0, 2.0, 4.0]


# Arguments


class Pair(NamedTuple):
    w: object
    b: object


@dataclasses.dataclass
class Parameters:
    w: object
    b: object
    name: str = "p"


def of_containers(p, x):
    w, b = (p["w"], p["b"]) if isinstance(p, dict) else (p.w, p.b) if hasattr(p, "w") else p
    return np.sum((x * w + b) ** 2)


@pytest.mark.parametrize(
    "kind",
    [lambda w, b: {"w": w, "b": b}, lambda w, b: [w, b], lambda w, b: (w, b), Pair, Parameters,
     lambda w, b: {"b": b, "w": w}],
)  # fmt: skip
@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_containers(kind, backend):
    slow = dout.value_and_grad(of_containers)
    fast = jit(slow, backend=backend)
    for k in range(4):
        p = kind(X * (k + 1), 2.0 + k)
        value, found = fast(p, X)
        expected_value, expected = slow(p, X)
        assert value == pytest.approx(expected_value, rel=1e-13)
        assert type(found) is type(expected)
        for a, b in zip(dout.tree.flatten(found)[0], dout.tree.flatten(expected)[0], strict=True):
            assert type(a) is type(b)
            if not isinstance(b, str | None):
                np.testing.assert_allclose(a, b, 1e-13)


def test_each_form_has_its_own_recording():
    fast = jit(lambda p: {k: v * 2 for k, v in p.items()})
    for p in ({"a": 1.0}, {"b": 1.0}, {"a": 1.0, "b": X}, {"b": X, "a": 1.0}, {"a": X, "b": 1.0}, {"a": 1}, {}) * 2:
        found = fast(p)
        assert list(found) == list(p)
        for k in p:
            assert type(found[k]) is type(p[k])
            np.testing.assert_array_equal(found[k], p[k] * 2)


def test_keywords():
    fast = jit(lambda x, *, scale=1.0, flip=False, name="": -x * scale if flip else x * scale)
    for _ in range(2):
        assert fast(2.0) == 2.0
        assert fast(2.0, scale=3.0) == 6.0
        assert fast(2.0, scale=3.0, flip=True) == -6.0
        assert fast(2.0, flip=True, scale=4.0) == -8.0
        assert fast(x=2.0) == 2.0
        assert fast(2.0, name="q") == 2.0


def test_what_is_no_number_is_part_of_the_form():
    fast = jit(lambda x, how, f: f(x) if how is None else x * len(how))
    for _ in range(3):
        assert fast(2.0, None, np.sqrt) == np.sqrt(2.0)
        assert fast(2.0, None, np.exp) == np.exp(2.0)
        assert fast(2.0, "ab", np.exp) == 4.0
        assert fast(2.0, (1, 2, 3), np.exp) == 6.0


def test_static_arguments():
    seen = []
    fast = jit(lambda x, n, m: seen.append(1) or x * n + m, static_argnums=(1, -1))
    for _ in range(2):
        assert fast(1.0, 2, 0.0) == 2.0
        assert fast(1.0, 2, -0.0) == 2.0
        assert fast(1.0, True, 0.0) == 1.0
        assert fast(1.0, 1, 0.0) == 1.0
        assert fast(1.0, 2.0, 0.0) == 2.0
    shape = jit(lambda x, shape: np.reshape(x, shape), static_argnums=1)
    for s in ((2, 3), (3, 2), (6,)):
        assert shape(np.arange(6.0), s).shape == s


def test_wrong_calls():
    fast = jit(lambda x, y: x @ y)
    fast(X, X)
    with pytest.raises(TypeError, match="missing 1 required"):
        fast(X)
    with pytest.raises(TypeError, match="unexpected keyword"):
        fast(X, X, z=1)
    with pytest.raises(ValueError, match="mismatch"):
        fast(X, X[:3])
    with pytest.raises(TypeError):
        fast(X, "a")
    assert fast(X, X) == X @ X
    for bad in (3, "f", None):
        with pytest.raises(TypeError):
            jit(bad)(1.0)


# Values that decide


def test_while_int_float_item():
    def root(x):
        y, err = x, 1.0
        while err > 1e-12:
            z = (y + x / y) / 2
            y, err = z, abs(z - y)
        return y

    def cut(x, n):
        return x[: int(n)].sum() * float(n) + x[0].item()

    fast_root, fast_cut = jit(root), jit(cut)
    for x in (2.0, 9.0, 2.5, 100.0, 2.0):
        assert fast_root(x) == root(x)
    for n in (1.0, 3.0, 1.0, 4.0):
        assert fast_cut(X, n) == pytest.approx(cut(X, n), rel=1e-14)


def test_shapes_that_depend_on_values():
    functions = [
        lambda x: x[x > 0], lambda x: np.nonzero(x > 0)[0], lambda x: np.unique(np.round(x)), lambda x: x[np.argsort(x)[:2]],
        lambda x: np.flatnonzero(x > 0).size * x, lambda x: np.sum(x[x > 0] ** 2), lambda x: np.extract(x > 0, x),
        dout.grad(lambda x: np.sum(x[x > 0] ** 2)), lambda x: np.histogram(x, 3)[1][0] * x, lambda x: np.unique(x).shape[0] * x,
    ]  # fmt: skip
    for f in functions:
        fast = jit(f)
        for x in (X, -X, np.abs(X), -np.abs(X), X * 2, np.zeros(5)):
            np.testing.assert_allclose(fast(x), f(x), 1e-14)


def test_writes():
    def f(x, i, v):
        y = x.copy()
        y[i] = v
        y[1:3] += y[i] * 2
        y[y > 1] = 0.25
        return y

    fast = jit(f)
    for i, v in ((0, 2.0), (3, -1.0), (-1, 0.5), (0, 3.0)):
        np.testing.assert_allclose(fast(X, i, v), f(X, i, v), 1e-14)


def test_too_many_ways():
    fast = jit(lambda x: x * float(x))
    for i in range(2 * MOST_VARIANTS):
        assert fast(float(i)) == float(i) ** 2
    assert "runs as it is: it took another way" in fast.report(3.0)
    with pytest.raises(RuntimeError, match="is not recorded"):
        fast.graph(3.0)


# Results in the caller's own arrays


def test_out():
    fast = jit(lambda x: (x * 2, np.sum(x)))
    out = (np.empty(5), np.empty(()))
    for k in (1, 2):
        assert fast(X * k, out=out) is out
        np.testing.assert_array_equal(out[0], X * k * 2)
        assert out[1] == np.sum(X * k)


def test_out_that_overlaps_an_argument():
    x = np.arange(6.0)
    fast = jit(lambda x: x[::-1] * 2)
    fast(x[1:], out=x[:5])
    assert x.tolist() == [10.0, 8.0, 6.0, 4.0, 2.0, 5.0]
    y = np.arange(5.0)
    assert fast(y, out=y) is y
    assert y.tolist() == [8.0, 6.0, 4.0, 2.0, 0.0]


def test_out_of_another_kind():
    fast = jit(lambda x: x * 2)
    locked = np.empty(5)
    locked.flags.writeable = False
    for out, error, says in (
        (np.empty(4), ValueError, "expected shape"), (np.empty(5, "f4"), TypeError, "expected float64"),
        (locked, ValueError, "read-only"), ([0.0], TypeError, "expected an array"), ((), ValueError, "results"),
    ):  # fmt: skip
        with pytest.raises(error, match=says):
            fast(X, out=out)
    with pytest.raises(ValueError, match="share memory"):
        jit(lambda x: (x, x * 2))(X, out=(locked.base or np.empty(5),) * 2)
    assert jit(lambda x, out: x * out)(2.0, out=3.0) == 6.0
    assert jit(lambda x, **options: x * options["out"])(2.0, out=3.0) == 6.0


# Arrays as they come


def test_arrays_of_every_layout():
    fast = jit(lambda x: np.tanh(x) * 2 + x)
    base = oracles.array(6, 4)
    raw = np.zeros(8 * 5 + 1, np.uint8)[1:].view("f8")
    raw[:] = X
    locked = X.copy()
    locked.flags.writeable = False
    for x in (base, base.T, base[::2], base[:, ::-1], np.asfortranarray(base), np.broadcast_to(base[0], (3, 4)), raw, locked,
              base.astype(">f8"), base.astype("f4"), base.astype("f2"), base.astype("i4"), np.zeros((0, 4)), base[0, 0],
              np.array(2.0), np.full(3, np.nan), np.array([np.inf, -np.inf, 0.0, -0.0]), base > 0):  # fmt: skip
        for _ in range(3):
            found, expected = fast(x), np.tanh(x) * 2 + x
            assert found.dtype == expected.dtype
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, 1e-3 if x.dtype == "f2" else 1e-6 if x.dtype == "f4" else 1e-14)


def test_arrays_of_more_entries_than_32_bits_count():
    x = np.broadcast_to(np.int8(3), (2**31 + 5,))
    assert jit(lambda x: x[2**31 + 1])(x) == 3
    assert jit(lambda x: x[-3:] * 2)(x).tolist() == [6, 6, 6]
    y = np.broadcast_to(2.0, (2**16, 2**16))
    fast = jit(lambda y, i: y[i, 5:8] * y[-1, -1])
    for i in (0, 2**16 - 1):
        assert fast(y, i).tolist() == [4.0, 4.0, 4.0]


# Threads, interruptions, copies


def test_threads_that_record_at_once():
    calls = []

    def f(x):
        calls.append(1)  # a list of this function's: it runs as it is
        return x * 2

    fast, slow = jit(lambda x: np.sum(np.tanh(x) ** 2) if x[0] > 0 else x[1] * 1.0), jit(f)
    start = threading.Barrier(8)
    wrong = []

    def work(i):
        start.wait()
        for k in range(40):
            x = np.full(3 + (i + k) % 2, (-1.0) ** k * (i + 1))
            expected = np.sum(np.tanh(x) ** 2) if x[0] > 0 else x[1]
            if abs(fast(x) - expected) > 1e-12 or slow(float(i)) != 2.0 * i:
                wrong.append((i, k))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_thread_inside_a_recorded_function():
    def f(x):
        found = []
        t = threading.Thread(target=lambda: found.append(fast(2.0) if depth else 0.0))
        depth.clear()
        t.start()
        t.join()
        return x * 2 + found[0]

    depth = [1]
    fast = jit(f)
    assert fast(1.0) == 2.0


def test_an_interruption_while_recording():
    stop = [True]

    def f(x):
        y = x * 2
        if stop:
            raise KeyboardInterrupt
        return y

    fast = jit(f)
    with pytest.raises(KeyboardInterrupt):
        fast(1.0)
    stop.clear()
    for _ in range(3):
        assert fast(2.0) == 4.0
    assert dout.grad(fast)(1.0) == 2.0


def test_an_error_while_recording_undoes_what_was_done():
    log = []

    def f(x):
        log.append(1)
        if x > 5:
            raise ValueError("too large")
        return x * 2

    fast = jit(f)
    with pytest.raises(ValueError, match="too large"):
        fast(6.0)
    assert len(log) == 1
    assert fast(1.0) == 2.0
    assert len(log) == 2


def test_copies_and_pickles():
    assert pickle.loads(pickle.dumps(at_the_top)) is at_the_top
    assert copy.deepcopy(at_the_top) is at_the_top
    assert copy.copy(to_the)(3.0, 2) == 9.0
    bound = pickle.loads(pickle.dumps(jit(np.sin, backend="numpy")))
    assert bound(1.0) == np.sin(1.0)
    fast = jit(lambda x: x * 2)
    fast(1.0)
    assert copy.deepcopy({"f": fast})["f"](3.0) == 6.0
    tangent = jit(np.tanh)
    tangent(X)
    assert len(pickle.dumps(tangent)) < 500  # the function, and no machine code


def test_a_pickle_in_another_process(tmp_path):
    (tmp_path / "shop.py").write_text(
        "import dout\nfrom dout.jit import jit\n\n@jit\ndef price(x):\n    return x * 1.1\n"
    )
    code = "import sys, pickle, shop; shop.price(2.0); sys.stdout.buffer.write(pickle.dumps(shop.price))"
    made = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True).stdout
    code = "import sys, pickle; print(pickle.loads(sys.stdin.buffer.read())(10.0))"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, input=made, capture_output=True, check=True
    ).stdout
    assert float(said) == 11.0


def test_random_numbers_of_other_generators():
    def f(x):
        return x * np.random.default_rng(3).standard_normal()

    fast = jit(f)
    assert [fast(1.0) for _ in range(3)] == [f(1.0)] * 3


def test_numbers_that_are_looked_up():
    table = {3.0: "three", 4: "four"}
    kept = {}

    @functools.lru_cache
    def square(x):
        return float(x) ** 2

    for f in (lambda x: table.get(x), lambda x: hash(x), lambda x: {x: 1}[x], lambda x: square(x) * x,
              lambda x: x in {1.0, 3.0}, lambda x: kept.setdefault(x, float(x) * 2)):  # fmt: skip
        fast = jit(f)
        for x in (3.0, 4.0, 5.0, 3.0, 4, np.float64(3.0)):
            assert fast(x) == f(x)


class Kind:
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return x * self.scale if type(self) is Kind else x


@functools.singledispatch
def dispatched(x):
    return x * 0


@dispatched.register
def _(x: np.ndarray):
    return x * 2


@dispatched.register
def _(x: float):
    return x * 3


def matched(x):
    match x:
        case float():
            return x * 2
        case np.ndarray():
            return x * 3
    return x


TELLING = [
    lambda x: x * 2 if isinstance(x, np.ndarray) else x * 3, lambda x: x * 2 if isinstance(x, float) else x * 3,
    lambda x: x * 2 if isinstance(x, (int, np.floating)) else x * 3, lambda x: x * 2 if type(x) is float else x * 3,
    lambda x: x * 2 if type(x) in (int, float) else x * 3, lambda x: {float: 2.0}.get(type(x), 3.0) * x,
    lambda x: x * 2 if isinstance(x, dout.Variable) else x * 3, lambda x: x * (2 if issubclass(type(x), float) else 3),
    dispatched, matched, Kind(2.0), lambda x: x * 2 if x.__class__ is float else x * 3,
    lambda x: np.sum(x) * 2 if isinstance(np.sum(x), np.floating) else 0.0, lambda x: f"{type(x).__name__}",
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(TELLING)))
def test_code_that_asks_what_a_value_is(k):
    f = TELLING[k]
    for g in (f, dout.grad(lambda x: np.sum(f(x)))) if k != len(TELLING) - 1 else (f,):
        fast = jit(g, backend="numpy")
        for x in (X, 2.0, np.float64(2.0), 2.0, X * 2):
            for _ in range(2):
                found, expected = fast(x), g(x)
                assert type(found) is type(expected)
                if not isinstance(found, str):
                    np.testing.assert_allclose(found, expected, 1e-14)
                else:
                    assert found == expected


def test_types_in_messages():
    def f(x):
        if isinstance(x, str):
            raise TypeError(f"no number: {type(x).__name__}")
        return x * 2

    assert "recorded" in jit(f).report(2.0)
    with pytest.raises(TypeError, match="no number: str"):
        jit(f)("a")


def test_options_that_are_computed():
    w = np.array([1.0, 2.0, 3.0, 1.0, 2.0])

    def f(x, w):
        return np.quantile(x, [0.3, 0.8], method="inverted_cdf", weights=w)

    for fast, args in ((jit(f), (w,)), (jit(lambda x: f(x, w)), ())):
        for x in (X, -X, X * 2):
            found = fast(x, *args)
            assert type(found) is np.ndarray
            np.testing.assert_array_equal(found, f(x, w))

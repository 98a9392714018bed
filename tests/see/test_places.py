"""Where operations happened, and the names that user code gave to their results."""

import linecache
import sys
import time
import types

import numpy as np
import pytest

import dout
from dout import Variable, trace
from dout.see.places import Places
from dout.witness import WITNESS, is_users


def named(f, *args):
    """For each operation, its name in NumPy and the variable that took its result."""
    nodes = [n for n in dout.see(f, *args).describe()["nodes"] if n["kind"] in ("op", "layer")]
    return [(n["op"] or n["sign"], n["name"]) for n in nodes]


def names(f, *args):
    return [name for _, name in named(f, *args)]


class Holder:
    pass


def assigned(x):
    a = x * 2.0
    return a + 1.0


def chained(x):
    a = b = x * 2.0
    return a + b


def annotated(x):
    a: float = x * 2.0
    return a + 1.0


def augmented(x):
    a = x * 2.0
    a += x
    a **= 2
    return a


def pair(x):
    a, (b, [c]) = x * 2.0, (x * 3.0, [x * 4.0])
    return a + b + c


def starred(x):
    a, *b = x * 2.0, x * 3.0
    return a + b[0]


def walrus(x):
    return (a := x * 2.0) + a


def attribute(x):
    h = Holder()
    h.first = x * 2.0
    h.inner = Holder()
    h.inner.second = h.first + 1.0
    return h.inner.second


def subscript(x):
    h = [0, {}]
    h[0] = x * 2.0
    h[1]["key"] = h[0] + 1.0
    return h[1]["key"]


def written(x):
    v = np.zeros_like(x, shape=(3,))
    v[1] = x * 2.0
    v[2:] += x
    return v


def conditional(x):
    a = x * 2.0 if x > 0 else x * 3.0
    return a + 1.0


def several_lines(x):
    return np.add(
        x * 2.0,
        x,
    )


def of_a_whole(x):
    m = np.mean(x)
    return m * 2.0


def in_parts(x):
    y = x * 2.0 + 1.0
    return -(y * y)


def comprehension(x):
    ys = [x * k for k in (1.0, 2.0)]
    return ys[0] + ys[1]


def summed(x):
    total = sum([x * k for k in (1.0, 2.0)])
    return total * 2.0


def double(x):
    return x * 2.0


def double_by_name(x):
    out = x * 2.0
    return out


def two(x):
    return x * 2.0, (x * 3.0, x + 1.0)


def called(x):
    a = double(x)
    b = double_by_name(a)
    c, (d, e) = two(b)
    f = two(c)
    g = (lambda t: t * t)(d)
    return double(e) + f[0] + g


def generated(x):
    def steps():
        for k in (1.0, 2.0):
            yield x * k

    a, b = steps()
    return a + b


NAMED = [
    (assigned, 1.0, ["a", None]),
    (chained, 1.0, ["a", None]),
    (annotated, 1.0, ["a", None]),
    (augmented, 1.0, ["a", "a", "a"]),
    (pair, 1.0, ["a", "b", "c", None, None]),
    (starred, 1.0, [None, None, None]),
    (walrus, 1.0, ["a", None]),
    (attribute, 1.0, ["h.first", "h.inner.second"]),
    (subscript, 1.0, ["h[0]", "h[1]['key']"]),
    (written, 1.0, ["v[1]", "v", None, None, "v[2:]", None, "v"]),
    (conditional, 1.0, ["a", None]),
    (conditional, -1.0, ["a", None]),
    (several_lines, 1.0, [None, None]),
    (of_a_whole, np.ones(3), [None, "m", None]),
    (in_parts, 1.0, [None, "y", None, None]),
    (comprehension, 1.0, [None, None, None]),
    (summed, 1.0, [None, None, None, "total", None]),
    (called, 1.0, ["a", "out", "c", "d", "e", "f[0]", "g", None, None, None]),
    (generated, 1.0, [None, None, None]),
]


@pytest.mark.parametrize(("f", "x", "expected"), NAMED, ids=lambda v: getattr(v, "__name__", None))
def test_names(f, x, expected):
    assert names(f, x) == expected


def test_lambdas():
    assert names(lambda x: (y := x * 2.0) + y, 1.0) == ["y", None]
    assert names(lambda x: double_by_name(x) + 1.0, 1.0) == ["out", None]


def test_names_of_inputs_are_the_users():
    f = lambda apple, net: apple * net["w"][0]  # noqa: E731
    inputs = [n["name"] for n in dout.see(f, 1.0, {"w": [2.0]}).describe()["nodes"] if n["kind"] == "input"]
    assert inputs == ["apple", "net['w'][0]"]


@pytest.mark.parametrize("name", ["<b>&\"'", "שלום", "🍎", "a\nb", "価格"])
def test_any_name(name):
    described = dout.see(lambda **prices: prices[name] * 2.0, **{name: 1.0}).describe()
    assert described["nodes"][0]["name"] == name
    assert dout.see(Variable(1.0, name=name) * 2.0).describe()["nodes"][0]["name"] == name


def test_where():
    where = dout.see(in_parts, 1.0).describe()["nodes"][-1]["where"]
    line = in_parts.__code__.co_firstlineno + 2
    assert where == {"file": "test_places.py", "line": line, "text": "return -(y * y)", "function": "in_parts"}


def test_where_in_methods_lambdas_and_comprehensions():
    class Net:
        def forward_all(self, x):
            return [x * k for k in (1.0, 2.0)]

    functions = [n["where"]["function"] for n in dout.see(Net().forward_all, 1.0).describe()["nodes"] if n["op"]]
    assert functions == ["Net.forward_all"] * 2
    described = dout.see(lambda x: x * 2.0, 1.0).describe()
    assert described["nodes"][-1]["where"]["function"] == "<lambda>"


def test_the_line_of_a_call_over_several_lines():
    nodes = dout.see(several_lines, 1.0).describe()["nodes"]
    first = several_lines.__code__.co_firstlineno
    assert [n["where"]["line"] - first for n in nodes if n["kind"] == "op"] == [2, 1]


def made(source, filename="<made>"):
    space = {}
    exec(compile(source, filename, "exec"), space)  # as in a REPL
    return space["f"]


SOURCE = "def f(x):\n    y = x * 2.0\n    return y + x\n"


def test_without_source():
    nodes = [n for n in dout.see(made(SOURCE), 1.0).describe()["nodes"] if n["kind"] == "op"]
    assert [n["name"] for n in nodes] == [None, None]
    assert nodes[0]["where"] == {"file": "<made>", "line": 2, "text": "", "function": "f"}


@pytest.mark.parametrize(
    ("filename", "shown"), [("/tmp/ipykernel_77/1234.py", "cell"), ("<ipython-input-3-0abc>", "cell")]
)
def test_cells_of_notebooks(filename, shown):
    linecache.cache[filename] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), filename)
    try:
        nodes = [n for n in dout.see(made(SOURCE, filename), 1.0).describe()["nodes"] if n["kind"] == "op"]
    finally:
        del linecache.cache[filename]
    assert nodes[0]["name"] == "y"
    assert nodes[0]["where"] == {"file": shown, "line": 2, "text": "y = x * 2.0", "function": "f"}


def test_a_changed_file_does_no_harm(tmp_path):
    path = tmp_path / "shop.py"
    path.write_text(SOURCE, encoding="utf-8")
    picture = dout.see(made(SOURCE, str(path)), 1.0)
    path.write_text("not Python at all (\n", encoding="utf-8")
    assert [n["name"] for n in picture.describe()["nodes"] if n["kind"] == "op"] == [None, None]


def test_variables_of_the_users_own_have_no_places():
    x = Variable(2.0, name="x")
    y = x * 3.0
    assert [n["where"] for n in dout.see(y).describe()["nodes"]] == [None, None, None]


def test_frames_of_libraries_are_passed_over():
    assert not is_users(np.__file__)
    assert not is_users(dout.__file__)
    assert not is_users(types.__file__)
    assert not is_users("<frozen importlib._bootstrap>")
    assert is_users("/lib/python3.11/site-packages/mine/net.py")
    assert is_users("<stdin>")
    graph = trace(lambda x: dout.grad(lambda y: np.mean(y * y))(x), np.ones(3))
    assert {n.place.call.code.co_filename for n in graph.nodes if n.op is not None and hasattr(n, "place")} == {
        __file__
    }


def test_each_call_is_its_own():
    def f(x):
        return double(double(x))

    calls = [n.place.call for n in trace(f, 1.0).nodes if n.op is not None]
    assert calls[0].code is calls[1].code
    assert calls[0] is not calls[1]
    assert calls[0].parent is calls[1].parent


def test_recursion_is_told_apart():
    def down(x, n: int):
        return x if n == 0 else down(x * 2.0, n - 1) * 3.0

    depths = [n.place.call.depth for n in trace(down, 1.0, 4).nodes if n.op is not None]
    assert depths == [0, 1, 2, 3, 3, 2, 1, 0]


def test_a_generator_stays_the_same_call():
    def f(x):
        def scaled():
            for k in (1.0, 2.0, 3.0):
                yield x * k

        total = 0.0
        for y in scaled():
            total = total + y
        return total

    calls = [n.place.call for n in trace(f, 1.0).nodes if n.op is not None]
    assert calls[0] is calls[2] is calls[4]
    assert calls[1] is calls[3] is calls[5] is calls[0].parent


def test_turns_tell_executions_apart():
    def f(x):
        for _ in range(2):
            x = np.mean(x)
        return x

    turns = [n.place.turn for n in trace(f, np.ones(3)).nodes if n.op is not None]
    assert turns[0] == turns[1] < turns[2] == turns[3]


def test_nothing_is_kept_after_the_run():
    class Large:
        pass

    gone = []

    def f(x):
        large = Large()
        gone.append(sys.getrefcount(large))
        import weakref

        gone.append(weakref.ref(large))
        return x * 2.0

    graph = trace(f, 1.0)
    assert gone[1]() is None
    assert graph.nodes[-1].place is not None
    assert WITNESS.get() is None


def test_an_error_ends_the_witness():
    def f(x):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        trace(f, 1.0)
    assert WITNESS.get() is None


def test_plain_recording_knows_no_places():
    seen = []
    dout.grad(lambda x: seen.append(x * x) or seen[0])(1.0)
    assert not hasattr(seen[0]._node, "place")


def test_a_trace_inside_a_trace():
    def f(x):
        y = x * 2.0
        inner = trace(double_by_name, 3.0)
        assert inner.nodes[-1].place.call.code is double_by_name.__code__
        return y + 1.0

    calls = [n.place.call for n in trace(f, 1.0).nodes if n.op is not None]
    assert [c.code for c in calls] == [f.__code__] * 2
    assert calls[0] is calls[1]


def test_each_instruction_is_looked_up_once(monkeypatch):
    import executing

    looked = []
    real = executing.Source.executing
    monkeypatch.setattr(executing.Source, "executing", lambda frame: looked.append(frame.f_lasti) or real(frame))

    def f(x):
        for _ in range(50):
            x = x * 2.0
        return x

    dout.see(f, 1.0).describe()
    assert len(looked) == 1


def test_a_long_loop_is_traced_in_seconds():
    def f(x, n: int):
        for _ in range(n):
            x = x * 1.000001
        return x

    start = time.perf_counter()
    trace(f, 1.0, 100_000)
    assert time.perf_counter() - start < 10


class TestLooks:
    def looks(self, f, *args):
        return dout.see(f, *args).describe()["looks"]

    def test_a_comparison_with_a_number(self):
        def f(x):
            y = x * 2.0
            if y > 3.0:
                return y
            return y + 1.0

        (look,) = self.looks(f, 1.0)
        assert (look["op"], look["left"], look["right"], look["rightv"], look["result"]) == (">", 2, None, 3.0, False)
        assert look["where"]["text"] == "if y > 3.0:"

    @pytest.mark.parametrize(
        ("f", "op", "result"),
        [
            (lambda x: x if x < 2.0 else -x, "<", True),
            (lambda x: x if 2.0 < x else -x, ">", False),  # noqa: SIM300
            (lambda x: x if x <= x else -x, "<=", True),
            (lambda x: x if x == 1.0 else -x, "==", True),
            (lambda x: x if x != 1.0 else -x, "!=", False),
            (lambda x: x if np.greater_equal(x, 2.0) else -x, ">=", False),
            (lambda x: x if x else -x, "bool", True),
            (lambda x: x * round(x), "round", 1),
            (lambda x: x * np.floor(x), "floor", 1.0),
            (lambda x: x * (x // 0.3), "floor_divide", 3.0),
            (lambda x: x * np.sign(x), "sign", 1.0),
            (lambda x: x * x.value, "value", 1.0),
            (lambda x: x * dout.stop_gradient(x), "value", 1.0),
        ],
    )
    def test_kinds(self, f, op, result):
        (look,) = self.looks(f, 1.0)
        assert (look["op"], look["left"], look["result"]) == (op, 0, result)

    def test_numpy_on_the_left(self):
        (look,) = self.looks(lambda x: x if np.float64(2.0) > x else -x, 1.0)
        assert (look["op"], look["leftv"], look["left"], look["right"]) == (">", 2.0, None, 0)

    def test_arrays(self):
        (look,) = self.looks(lambda x: np.where(x > 0, x, 0.0), np.array([1.0, -2.0]))
        assert look["result"] == {"shape": [2], "data": [True, False]}
        assert look["leftv"] == {"shape": [2], "data": [1.0, -2.0]}

    def test_options(self):
        (look,) = self.looks(lambda x: x[0] * np.argmax(x, axis=0), np.array([1.0, 2.0]))
        assert (look["op"], look["result"], look["params"]) == ("argmax", 1, {"axis": 0})

    def test_a_view(self):
        (look,) = self.looks(lambda x: x if np.all(x[1:] > 0) else -x, np.array([1.0, 2.0]))[:1]
        assert look["op"] == ">"

    def test_what_leads_nowhere_says_what_it_depends_on(self):
        def f(x, y):
            error = np.abs(x - y)
            return x * 2.0 if error < 1.0 else x

        (look,) = self.looks(f, 1.0, 1.5)
        assert (look["left"], look["leftv"], look["inputs"]) == (None, 0.5, [0, 1])

    def test_the_form_of_a_value_is_no_look(self):
        assert self.looks(lambda x: x * np.ones_like(x) * np.ndim(x) * len(np.shape(x)), np.ones(2)) == []

    def test_only_so_many(self):
        def f(x, n: int):
            while x < n:
                x = x + 1.0
            return x

        assert len(self.looks(f, 0.0, 1500)) == 1000

    def test_plain_recording_tells_nobody(self):
        assert dout.grad(lambda x: x if x > 0 else -x)(1.0) == 1.0


def test_places_looks_names_up_by_itself():
    graph = trace(assigned, 1.0)
    places = Places()
    assert [places.name(n.place) for n in graph.nodes if n.op is not None] == ["a", None]
    assert places.name(None) is None
    assert places.where(None) is None

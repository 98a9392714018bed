"""`see(..., numerical=True)`: the culprit is marked, nothing else is, and what can't be told is undecided."""

import sys
import time
from contextlib import suppress
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import dout
from dout import see
from dout.rules import UFUNCS
from dout.see.numerical import inputs_of_picture, mark
from dout.see.replay import Replay
from dout.see.verdicts import compared

with suppress(ModuleNotFoundError):  # the rules of SciPy's functions, which are read when they are needed
    import_module("dout.rules.special")

rng = np.random.default_rng(0)
X = rng.uniform(0.5, 2.0, (4, 3))
LARGE = rng.uniform(0.5, 2.0, (40, 30))


class Times(dout.Layer):
    """`x * y` with a backward that is as wrong as `spoil` makes it."""

    def __init__(self, spoil=lambda dx, dy: (dx, dy)):
        self.spoil = spoil

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return self.spoil(dout * self.y, dout * self.x)


def wrong_edges(picture):
    return {(node.op.name, i) for (node, i), found in mark(picture).items() if found["wrong"]}


def verdicts(picture):
    return {(node.op.name, i): found["verdict"] for (node, i), found in mark(picture).items()}


def around(layer):
    """The layer in the middle of other operations, upstream and downstream."""

    def f(x, y):
        a, b = np.sin(x) * 2.0, y + 1.0
        return np.sum(np.exp(layer(a, b) * 0.25) / b)

    return f


SPOILT = {
    "sign": (lambda dx, dy: (-dx, dy), {0}),
    "twice": (lambda dx, dy: (dx, 2 * dy), {1}),
    "a little off": (lambda dx, dy: (dx * 1.00001, dy), {0}),
    "exchanged": (lambda dx, dy: (dy, dx), {0, 1}),
    "zero": (lambda dx, dy: (dx, dy * 0), {1}),
    "too much": (lambda dx, dy: (dx + 1e-3, dy), {0}),
    "NaN": (lambda dx, dy: (dx * np.nan, dy), {0}),
    "right": (lambda dx, dy: (dx, dy), set()),
}


@pytest.mark.parametrize("args", [(0.7, 1.9), (X, X + 0.2), (LARGE, LARGE + 0.3)], ids=["numbers", "small", "large"])
@pytest.mark.parametrize("how", SPOILT)
def test_the_culprit_alone_is_marked(how, args):
    spoil, culprits = SPOILT[how]
    picture = see(around(Times(spoil)), *args)
    found = mark(picture)
    assert {(n.op.name, i) for (n, i), m in found.items() if m["wrong"]} == {("Times", i) for i in culprits}
    others = {m["verdict"] for (n, i), m in found.items() if n.op.name != "Times"}
    assert others == ({"right", "undecided"} if how == "NaN" else {"right"})
    ends = inputs_of_picture(picture)
    assert {node.name for node, m in ends.items() if m["wrong"]} == {"xy"[i] for i in culprits}


def test_one_wrong_entry_of_many_is_found_and_named():
    def spoil(dx, dy):
        dx = dx.copy()
        dx[17, 4] += 0.5
        return dx, dy

    ((_, found),) = [(key, m) for key, m in mark(see(around(Times(spoil)), LARGE, LARGE + 0.3)).items() if m["wrong"]]
    assert found["values"]["index"] == "[17, 4]"
    assert "[17, 4]" in found["why"]
    assert found["numerical"] is None
    assert found["tried"]["of"] == LARGE.size
    assert found["tried"]["directions"] == 2


def test_each_of_two_edges_from_one_node_has_its_own_numerical_derivative():
    square = mark(see(lambda x: x * x, 3.0))
    assert [round(m["numerical"], 9) for m in square.values()] == [3.0, 3.0]  # not 6: the other edge stands still


def test_a_mark_says_what_and_by_how_much():
    picture = see(around(Times(lambda dx, dy: (dx * 1.00001, dy))), 0.7, 1.9)
    ((key, found),) = [(k, m) for k, m in mark(picture).items() if m["wrong"]]
    assert found["key"] == "numerical.wrong"
    assert found["values"]["computed"] != found["values"]["numerical"]  # in as many digits as that takes
    assert found["numerical"] == pytest.approx(picture.edges[key] / 1.00001, rel=1e-9)
    assert "Times" in found["why"]
    assert "数值导数" in mark(picture, "zh")[key]["why"]


def test_what_a_layer_remembers_is_left_alone():
    seen = []

    class Remembers(Times):
        def backward(self, dout):
            seen.append((self.x, self.y))
            return super().backward(dout)

    picture = see(lambda x, y: Remembers()(x, y), 2.0, 5.0)
    mark(picture)
    inputs_of_picture(picture)
    node = picture.graph.nodes[-1]
    assert node.op.joint(1.0, 10.0, 2.0, 5.0) == (5.0, 2.0)
    assert set(seen) == {(2.0, 5.0)}


def test_random_numbers_afterwards_are_as_if_nothing_had_run():
    picture = see(noisy, 2.0)
    np.random.seed(3)  # noqa: NPY002
    mark(picture)
    inputs_of_picture(picture)
    after = np.random.rand()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    assert after == np.random.rand()  # noqa: NPY002


class Affine(dout.Layer):
    """Parameters, and a backward that leaves a wrong derivative for one of them."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, np.sum(dout, axis=0) * 2
        return dout @ self.W.T


def test_parameters_of_layers_are_edges_too():
    layer = Affine(dout.Variable(rng.normal(size=(3, 2))), dout.Variable(rng.normal(size=2)))
    assert wrong_edges(see(lambda x: np.sum(np.tanh(layer(x))), X)) == {("Affine", 2)}


class Two(dout.Layer):
    def forward(self, x):
        self.x = x
        return np.sin(x), x * x

    def backward(self, dout):
        return dout[0] * np.cos(self.x) + dout[1] * self.x


def test_several_outputs():
    assert wrong_edges(see(lambda x: Two()(x)[0] * 3.0, X)) == set()
    assert wrong_edges(see(lambda x: np.sum(Two()(x)[0] * Two()(x)[1]), X)) == {("Two", 0)}


class NoLabels(dout.Layer):
    def forward(self, x, t):
        self.x, self.t = x, t
        return x * t

    def backward(self, dout):
        return dout * self.t, None


def test_an_input_for_which_a_layer_gives_none_is_undecided():
    found = mark(see(lambda x, t: NoLabels()(x, t), 2.0, 5.0))
    assert [(m["verdict"], m["key"]) for m in found.values()] == [
        ("right", "numerical.right"),
        ("undecided", "numerical.none"),
    ]


def noisy(x):
    return Noise()(x)


class Noise(dout.Layer):
    def forward(self, x):
        return x * np.random.rand()  # noqa: NPY002

    def backward(self, dout):
        return dout


class Moody(dout.Layer):
    def forward(self, x):
        if float(x) != 2.0:
            raise RuntimeError("only 2")
        return x * 3.0

    def backward(self, dout):
        return dout * 3.0


class Coarse(dout.Layer):
    """Loses most digits in float32 on the way."""

    def forward(self, x):
        return float(np.float32(x + 1e4) - np.float32(1e4))

    def backward(self, dout):
        return dout * 1.02


UNDECIDED = [
    (lambda x: dout.Relu()(x), 0.0, "numerical.kink"),
    (lambda x: np.copysign(x, -0.0), 0.0, "numerical.kink"),
    (lambda x: np.remainder(x, 1.0), 1.0, "numerical.jump"),
    (lambda x: np.sqrt(x), 0.0, "numerical.unsettled"),
    (lambda x: np.log(x), 0.0, "numerical.nan"),
    (lambda x: x * 2.0, np.nan, "numerical.nan"),
    (lambda x: x * 2, 10**30, "numerical.big"),
    (lambda x: np.sin(x), 1e300, "numerical.unsettled"),
    (lambda x: Moody()(x), 2.0, "numerical.unsettled"),
    (noisy, 2.0, "numerical.again"),
    (Coarse(), 0.8, "numerical.unsettled"),
]


@pytest.mark.parametrize(
    ("f", "x", "key"), UNDECIDED, ids=[key.split(".")[1] + str(i) for i, (*_, key) in enumerate(UNDECIDED)]
)
def test_undecided(f, x, key):
    with np.errstate(all="ignore"):
        picture = see(f, x)
        found = next(iter(mark(picture).values()))
    assert (found["verdict"], found["key"], found["wrong"]) == ("undecided", key, False)
    assert {m["wrong"] for m in inputs_of_picture(picture).values()} == {False}


def test_at_a_kink_what_is_no_slope_between_is_wrong():
    class Bent(dout.Layer):
        def forward(self, x):
            return abs(x)

        def backward(self, dout):
            return dout * 3.0

    (found,) = mark(see(Bent(), 0.0)).values()
    assert (found["verdict"], found["key"]) == ("wrong", "numerical.kink")


def test_what_is_not_known_any_more_is_said_to_be():
    v = dout.Variable(np.ones(3000))
    picture = see(np.sum(v + np.arange(3000.0)))
    assert {m["verdict"] for m in mark(picture).values()} <= {"right", "undecided"}


def test_ints():
    found = mark(see(lambda apple, number, tax: apple * number * tax, 100, 2, 1.1))
    assert [round(m["numerical"], 6) for m in found.values()] == [2.2, 110.0, 1.1, 200.0]
    assert {m["verdict"] for m in found.values()} == {"right"}


def test_complex():
    assert set(verdicts(see(lambda z: np.real(np.exp(z) * z), 0.3 + 0.8j)).values()) == {"right"}
    assert set(verdicts(see(lambda z: np.abs(z), np.array([0.3 + 0.8j, 1.0 - 2j]))).values()) == {"right"}

    class Conjugated(dout.Layer):
        def forward(self, z):
            self.z = z
            return z * z

        def backward(self, dout):
            return dout * np.conj(2 * self.z)

    assert wrong_edges(see(lambda z: np.real(Conjugated()(z)), 0.3 + 0.8j)) == {("Conjugated", 0)}


def net(W1, W2, x):
    h = dout.Relu()(x @ W1)
    scores = h @ W2
    scores = scores - np.max(scores, axis=1, keepdims=True)
    return -np.mean(scores[:, 0] - np.log(np.sum(np.exp(scores), axis=1)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_net_is_right_in_every_precision(dtype):
    args = [rng.normal(size=s).astype(dtype) for s in ((5, 8), (8, 3), (20, 5))]
    picture = see(net, *args)
    assert {m["wrong"] for m in mark(picture).values()} == {False}
    ends = inputs_of_picture(picture)
    assert {m["verdict"] for m in ends.values()} == {"right"}
    assert {m["tried"]["directions"] for m in ends.values()} == {2}


def test_float32_noise_is_no_fault_and_a_fault_is_still_seen():
    x = rng.normal(size=(50, 40)).astype(np.float32)
    assert wrong_edges(see(around(Times()), x, x + 3)) == set()
    assert wrong_edges(see(around(Times(lambda dx, dy: (dx * np.float32(1.05), dy))), x, x + 3)) == {("Times", 0)}


def test_an_operation_with_many_inputs_is_compared_all_together():
    def f(x):
        return np.sum(np.stack([x * float(k) for k in range(60)]) ** 2)

    picture = see(f, 1.5)
    found = [m for (node, _), m in mark(picture).items() if len(node.parents) > 50]
    assert {m["key"] for m in found} == {"numerical.together"}
    node, i = next(key for key in picture.edges if len(key[0].parents) > 50 and key[1] == 30)
    picture.edges[node, i] = picture.edges[node, i] + 1.0
    assert [key for key, m in mark(picture).items() if m["wrong"]] == [(node, i)]


def test_only_so_many_inputs_are_compared_with_the_whole_graph(monkeypatch):
    monkeypatch.setattr(sys.modules["dout.see.numerical"], "RERUNS", 5)
    found = inputs_of_picture(see(lambda x, y: np.sin(x * y) + y, 1.0, 2.0))
    assert [m["key"] for m in found.values()] == ["numerical.input.right", "numerical.budget"]


def test_replay():
    picture = see(lambda x, y: (x * y + np.exp(x), y), 2.0, 3.0)
    x, y = picture.graph.inputs
    again = Replay(picture.graph, picture.values, [x], picture.graph.outputs)
    assert again(1.0) == [3.0 + np.e, 3.0]
    assert len(again) == 3
    assert Replay(picture.graph, picture.values, [x, y], picture.graph.outputs)(0.0, 7.0) == [1.0, 7.0]


def test_compared_by_itself():
    assert compared(2.0, 12.0, lambda x: np.array([x**3])).telling.verdict == "right"
    assert compared(np.zeros((0, 3)), np.zeros((0, 3)), lambda x: x.ravel()).telling.reason == "empty"
    half = compared(np.array([1.0, np.nan, 2.0]), np.array([1.0, 5.0, 1.0]), lambda x: x[[0, 2]])
    assert [v.index for v in half.all] == [(0,), (2,), None, None]  # the NaN itself is left out


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 1e-8, 1e8, -1e8, 1e300, 18.0, 710.0, float(np.pi), np.nan, np.inf, -np.inf]
NUMBERS = st.one_of(st.sampled_from(SPECIAL), st.floats(-1e6, 1e6), st.floats(-2, 2), st.integers(-3, 3).map(float))
DTYPES = st.sampled_from([np.float64, np.float64, np.float32, np.float16])
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays(dtype, st.sampled_from([(), (1,), (3,), (2, 3), (12,)]), elements=NUMBERS.map(dtype))
)


def never_wrong(f, *args):
    with np.errstate(all="ignore"):
        try:
            picture = see(f, *args)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError, np.linalg.LinAlgError):
            return
        for (node, i), found in mark(picture).items():
            assert not found["wrong"], (node, i, found)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("ufunc", sorted(UFUNCS, key=lambda u: u.__name__), ids=lambda u: u.__name__)
@given(data=st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_no_false_alarm_in_the_rules(ufunc, data):
    nin = len(UFUNCS[ufunc].pullbacks)
    args = [data.draw(ARRAYS)[()] for _ in range(nin)]
    if ufunc is np.ldexp:
        args[1] = 3
    fixed = without_a_derivative(ufunc)
    inputs = [arg for i, arg in enumerate(args) if i not in fixed]

    def f(*given):
        rest = iter(given)
        return ufunc(*(args[i] if i in fixed else next(rest) for i in range(nin))) * 0.75

    never_wrong(f, *inputs)


def without_a_derivative(ufunc):
    """The inputs with respect to which a special function's derivative has no closed form."""
    found = set()
    for i, pullback in enumerate(UFUNCS[ufunc].pullbacks):
        try:
            pullback(1.0, 1.0, *[1.5] * len(UFUNCS[ufunc].pullbacks))
        except NotImplementedError:
            found.add(i)
        except TypeError:  # the exponent of ldexp is an int
            pass
    return found


OTHERS = {
    "sum": lambda a: a.sum(0),
    "prod": lambda a: np.prod(a, axis=-1),
    "max": lambda a: a.max(0),
    "var": lambda a: a.var(0),
    "cumprod": lambda a: np.cumprod(a, axis=0),
    "gram": lambda a: a.T @ a,
    "take": lambda a: a[[0, 0, 1]] ** 2,
    "norm": lambda a: np.linalg.norm(a),
    "det": lambda a: np.linalg.det(a @ a.T),
    "inv": lambda a: np.linalg.inv(a @ a.T + np.eye(len(a))),
    "solve": lambda a: np.linalg.solve(a @ a.T + np.eye(len(a)), a),
    "einsum": lambda a: np.einsum("ij,kj->ik", a, a * 2),
    "where": lambda a: np.where(a > 0, a, a * 0.1),
    "clip": lambda a: np.clip(a, -1, 1),
    "softmax": lambda a: np.exp(a - a.max(1, keepdims=True)) / np.exp(a - a.max(1, keepdims=True)).sum(1, keepdims=True),
    "relu": lambda a: dout.Relu()(a) * a,
    "sigmoid": lambda a: dout.Sigmoid()(a),
    "powers": lambda a: a**2 + a**3,
    "half": lambda a: a.astype(np.float32) * 2,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OTHERS)
@given(a=arrays(np.float64, st.sampled_from([(2, 3), (3, 3), (4, 5)]), elements=NUMBERS), narrow=st.booleans())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_no_false_alarm_in_other_operations(name, a, narrow):
    with np.errstate(all="ignore"):
        never_wrong(OTHERS[name], a.astype(np.float32) if narrow else a)


@given(
    x=arrays(np.float64, (2, 3), elements=st.floats(0.3, 3.0)),
    which=st.sampled_from([np.exp, np.sin, np.sqrt, np.log, np.tanh, np.square]),
    factor=st.sampled_from([-1.0, 0.0, 0.5, 1.0001, 2.0]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_derivative_that_is_off_is_marked_wherever_it_is(x, which, factor):
    picture = see(lambda x: np.sum(which(x * 2.0) * x), x)
    key = next(k for k in picture.edges if k[0].op.name == which.__name__)
    picture.edges[key] = picture.edges[key] * factor
    assert [k for k, m in mark(picture).items() if m["wrong"]] == [key]


def test_sixty_nodes_take_a_tenth_of_a_second():
    def f(x, y):
        for _ in range(15):
            x, y = np.sin(x) * y, np.tanh(y) + 0.5
        return x * y

    picture = see(f, 0.3, 1.7)
    assert len(picture.graph) > 60
    times = []
    for _ in range(3):
        start = time.perf_counter()
        mark(picture)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3  # it takes about 0.02 s; the rest is for a busy machine

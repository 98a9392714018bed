"""check: what is right is called right, what is wrong is called wrong, and what can't be told is called undecided."""

import time

import numpy as np
import pytest

import dout
from dout import Variable, check
from dout.differences import slope
from dout.nn import Affine, SoftmaxWithLoss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))
W = RNG.normal(size=(3, 2))
SQUARE = RNG.normal(size=(3, 3))
SYMMETRIC = SQUARE @ SQUARE.T + np.eye(3)


def layer(forward, backward, **attributes):
    """An object of a new class with these methods and attributes."""
    obj = type("Made", (), {"forward": forward, "backward": backward})()
    for name, value in attributes.items():
        setattr(obj, name, value)
    return obj


def remembers(f):
    """A forward that keeps its input and its output."""

    def forward(self, x):
        self.x, self.out = x, f(x)
        return self.out

    return forward


def affine(backward, **attributes):
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    return layer(forward, backward, **{"W": W, "b": np.zeros(2), **attributes})


def all_back(self, dout):
    self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
    return dout @ self.W.T


def only_db(self, dout):
    self.db = dout.sum(axis=0)
    return dout @ self.W.T


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


HARD = {
    "near a kink": (relu, 1e-4),
    "nearer a kink": (relu, np.array([1e-9, -1e-12, 3.0])),
    "log": (np.log, 1e-5),
    "sqrt": (np.sqrt, 1e-3),
    "arctanh": (np.arctanh, 0.999),
    "pole": (lambda x: 1 / x, 0.001),
    "sin far out": (np.sin, 1e6),
    "fast, near 0": (lambda x: np.sin(1e6 * x), 1e-6),
    "fast and even": (lambda t: np.sum(np.cos(2 * np.pi * 440 * t)), np.linspace(0.1, 0.9, 7)),
    "small number": (np.exp, 1e-12),
    "large and small": (lambda x: np.sum(x**2), np.array([1e8, 1.0, 1e-8, 0.0])),
    "steep": (lambda x: np.sum(np.exp(1e3 * x)), X[0] * 1e-3),
    "complex": (lambda z: np.abs(z) ** 2, np.array([1 + 2j, 2 - 1j])),
    "float32 inside": (lambda x: np.sin(x.astype(np.float32)) if type(x) is np.ndarray else np.sin(x), X[:2]),
    "raises beside": (lambda x: np.linalg.cholesky((x + x.T) / 2), SYMMETRIC * 1e-3),
    "constant": (lambda x: np.sum(0 * x), X),
    "empty": (lambda x, y: np.sum(x) + y, np.zeros(0), 1.0),
}
CANCEL = {
    "normalised": lambda x: np.sum((x - x.mean()) / x.std()),
    "softmax": lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))),
    "centred": lambda x: np.mean(x - np.mean(x)),
    "shifted": lambda x: np.log(np.sum(np.exp(x))) - np.log(np.sum(np.exp(x - 3))),
}


@pytest.mark.parametrize("case", HARD)
def test_right_where_it_is_hard(case):
    f, *args = HARD[case]
    report = check(f, *args)
    assert report, report
    assert not any(e.kink for e in report.entries)


@pytest.mark.parametrize("case", CANCEL)
def test_derivatives_that_are_zero_by_cancellation(case):
    for seed in range(50):
        report = check(CANCEL[case], np.random.default_rng(seed).normal(size=4))
        assert report, report


def test_random_relu_networks():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        args = rng.normal(size=(20, 20)), rng.normal(size=(20, 50)), rng.normal(size=(50, 3))
        report = check(lambda x, w, v: np.mean((relu(x @ w) @ v) ** 2), *args)
        assert not any(e.wrong or e.kink for e in report.entries), report
        assert sum(e.undecided for e in report.entries) <= 1, report


def net_layer(loss_back):
    return layer(lambda self, x: setattr(self, "x", x) or 1e-6 * np.mean(x**2), loss_back)


WRONG = {  # a layer, its inputs, how many entries are wrong, a hint
    "dout ignored, scalar": (layer(remembers(lambda x: np.sum(x**2)), lambda s, d: 2 * s.x), (X,), 15, "does not use dout"),
    "dout ignored, array": (layer(remembers(np.sin), lambda s, d: np.cos(s.x)), (X,), 15, "does not use dout"),
    "sign, small": (layer(lambda s, x: x * 1e-8, lambda s, d: -d * 1e-8), (X,), 15, "wrong sign"),
    "factor, small": (net_layer(lambda s, d: d * 1e-6 * 2 * s.x), (X,), 15, "is 15 times"),
    "half": (layer(remembers(lambda x: x**2), lambda s, d: d * s.x), (X,), 15, "is 0.5 times"),
    "mask": (layer(lambda s, x: relu(x), lambda s, d: d), (X,), int(np.sum(X < 0)), "a forgotten mask?"),
    "missing out": (layer(remembers(sigmoid), lambda s, d: d * s.out), (X,), 15, "factor of 1 - out is missing"),
    "missing input": (layer(remembers(lambda x: x**3 / 3), lambda s, d: d * s.x), (X,), 15, "factor of x is missing"),
    "too many": (layer(remembers(np.exp), lambda s, d: d * s.out**2), (X,), 15, "factor of out too many"),
    "zero": (layer(lambda s, x: x + 0, lambda s, d: 0 * d), (X,), 15, "zero throughout"),
    "None": (layer(lambda s, x, y: x + y, lambda s, d: (d, None)), (X, X + 1), 15, "derivative of y is zero"),
    "NaN": (layer(lambda s, x: x + 0, lambda s, d: d * np.nan), (X,), 15, ""),
    "sign of dout": (layer(lambda s, x: x + 0, lambda s, d: np.abs(d)), (X,), None, ""),
    "transposed": (
        affine(lambda s, d: setattr(s, "dW", d.T @ s.x) or d @ s.W.T, W=SQUARE, b=0.0), (X,), 6, "W is transposed",
    ),
    "in a list": (
        layer(
            lambda s, x: setattr(s, "x", x) or x @ s.params[0],
            lambda s, d: s.grads[0].__setitem__(..., 2 * s.x.T @ d) or d @ s.params[0].T,
            params=[W], grads=[np.zeros_like(W)],
        ), (X,), 6, "params[0] is 2 times",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case):
    obj, args, wrong, hint = WRONG[case]
    report = check(obj, *args)
    assert not report
    assert report.problem is None
    if wrong is not None:
        assert sum(e.wrong for e in report.entries) == wrong, report
    assert hint in str(report)
    assert "is 1 times" not in str(report)
    assert "is 0 times" not in str(report)


@pytest.mark.parametrize("seed", range(5))
def test_no_hint_without_a_reason(seed):
    noise = np.random.default_rng(seed).normal(size=X.shape)
    report = check(layer(remembers(np.sin), lambda s, d: d * noise), X)
    assert not report
    assert report.hints == []


UNDECIDED = {
    "NaN": (np.log, -1.0, "cannot be checked here: f is not finite"),
    "one NaN of many": (np.log, np.array([1.0, -1.0]), "cannot be checked here: f is not finite"),
    "infinite": (lambda x: 1 / x, np.float64(0.0), "cannot be checked here: f is not finite"),
    "an end": (np.sqrt, 0.0, "cannot be checked here: f is not finite"),
    "infinite input": (np.exp, -np.inf, "cannot be checked here: f is not finite"),
    "a jump": (np.floor, 1.0, "f jumps here"),
    "a jump both ways": (np.sign, 0.0, "f jumps here"),
    "one point": (lambda x: np.where(x == 0, 1.0, 0.0) + x, 0.0, "f jumps here"),
    "an upright tangent": (np.cbrt, 0.0, "do not settle"),
    "lost in rounding": (lambda x: np.cos(x) + 1e12, 1.0, "rounding of f hides it"),
}


@pytest.mark.parametrize("case", UNDECIDED)
@pytest.mark.filterwarnings("ignore")
def test_undecided(case):
    f, x, said = UNDECIDED[case]
    report = check(f, x)
    assert not report
    assert any(e.undecided for e in report.entries)
    assert not any(e.wrong for e in report.entries), report
    assert said in str(report)


@pytest.mark.parametrize(
    ("f", "x", "back", "right"),
    [
        (relu, 0.0, 0.0, True), (relu, 0.0, 1.0, True), (relu, 0.0, 0.3, True), (relu, 0.0, 2.0, False),
        (relu, 0.0, -1.0, False), (np.abs, 0.0, -1.0, True), (np.abs, 0.0, 0.0, True), (np.abs, 0.0, 1.1, False),
        (lambda x: np.abs(x - 1) + x**2, 1.0, 1.0, True), (lambda x: np.abs(x - 1) + x**2, 1.0, 3.1, False),
    ],
)  # fmt: skip
def test_kinks(f, x, back, right):
    (entry,) = check(layer(lambda s, v: f(v), lambda s, d: d * back), x).entries
    assert entry.kink
    assert entry.right == right
    assert "at a kink" in entry.note
    assert not entry.undecided


def test_a_kink_beside_the_point_is_none():
    for distance in 10.0 ** -np.arange(1, 12):
        report = check(lambda x: np.abs(x - 1), 1 + distance)
        assert not any(e.kink or e.wrong for e in report.entries), report


def test_many_zeros_at_a_kink():
    assert check(dout.Relu(), np.zeros(200))


class TestParameters:
    def test_a_forgotten_one_is_told(self):
        report = check(affine(only_db), X)
        assert {e.name for e in report.entries} == {"x", "b"}
        assert report.notes == ["W: not checked (backward leaves no dW)"]
        assert "W: not checked (backward leaves no dW)" in str(report)

    def test_in_sub_layers(self):
        def forward(self, x):
            for part in self.layers:
                x = part.forward(x)
            return x

        def backward(self, dout):
            for part in self.layers[::-1]:
                dout = part.backward(dout)
            return dout

        report = check(
            layer(forward, backward, layers=[affine(all_back), dout.Sigmoid(), affine(only_db, W=W.T, b=np.ones(3))]), X
        )
        assert report
        assert {e.name for e in report.entries} == {"x", "layers[0].W", "layers[0].b", "layers[2].b"}
        assert report.notes == ["layers[2].W: not checked (backward leaves no layers[2].dW)"]

    def test_the_same_array_in_two_places(self):
        obj = affine(all_back)
        obj.params = {"W": obj.W, "b": obj.b}
        report = check(obj, X)
        assert report
        assert {e.name for e in report.entries} == {"x", "W", "b"}

    def test_what_forward_leaves_is_no_parameter(self):
        obj = layer(remembers(np.sin), lambda s, d: setattr(s, "dx", d * np.cos(s.x)) or s.dx)
        obj.backward(np.ones(3) * obj.forward(X[0]))
        report = check(obj, X)
        assert report
        assert {e.name for e in report.entries} == {"x"}
        assert report.notes == []

    def test_an_old_derivative_is_none(self):
        assert not check(affine(only_db, dW=np.ones_like(W)), X)

    def test_one_that_is_added_to(self):
        def adds(self, dout):
            self.dW += self.x.T @ dout
            return dout @ self.W.T

        obj = affine(adds, dW=np.ones_like(W), b=0.0)
        assert check(obj, X)
        np.testing.assert_array_equal(obj.dW, np.ones_like(W))

    def test_a_constant_is_none(self):
        assert check(layer(lambda s, x: x * s.dt + s.t, lambda s, d: d * s.dt, t=1.0, dt=0.1), X).notes == []

    def test_variables_are_taken_by_value(self):
        report = check(Affine(Variable(W), Variable(np.zeros(2))), X)
        assert report
        assert {e.name for e in report.entries} == {"x", "W", "b"}
        assert check(lambda x: x**2, Variable(3.0))

    def test_a_layer_is_left_as_it_was(self):
        obj = layer(
            lambda s, x: s.count.__iadd__(1) * 0.0 + x, lambda s, d: d, count=np.zeros(1), seen=np.zeros(1, int)
        )
        report = check(obj, np.array([1.0]))
        assert report.problem is None
        assert obj.count == 0


def test_called_with_a_number():
    assert check(SoftmaxWithLoss(), X, np.array([0, 1, 2, 1, 0]))


def returns(value):
    return lambda self, dout: value(dout) if callable(value) else value


PROBLEMS = {
    "transposed": (affine(lambda s, d: setattr(s, "dW", d.T @ s.x) or d @ s.W.T), "W has shape (2, 3)", "is it transposed?"),
    "flattened": (layer(lambda s, x: x + 0, returns(np.ravel)), "has shape (15,)", "is it flattened?"),
    "unsummed": (affine(lambda s, d: setattr(s, "db", d) or d @ s.W.T), "b has shape (5, 2)", "is it unsummed?"),
    "summed": (layer(lambda s, x: x + 0, returns(np.sum)), "has shape ()", "summed over too much?"),
    "other": (layer(lambda s, x: x + 0, returns(np.zeros(7))), "has shape (7,)", "have to be the same"),
    "no return": (layer(lambda s, x: x + 0, returns(None)), "returned None", "did it forget its return?"),
    "no output": (layer(lambda s, x: None, returns(None)), "forward", "did it forget its return?"),
    "too many": (layer(lambda s, x: x + 0, returns(lambda d: (d, d))), "returned 2 derivatives, expected 1", "self.dW"),
    "text": (layer(lambda s, x: x + 0, returns("d")), "has to be a number", "str"),
    "in backward": (layer(lambda s, x: x + 0, lambda s, d: d * s.y), "backward raised AttributeError", "test_check.py, line"),
    "in forward": (layer(lambda s, x: x @ x, lambda s, d: d), "Made.forward raised ValueError", "test_check.py, line"),
    "writes": (layer(lambda s, x: x.__imul__(2), lambda s, d: d), "forward raised ValueError", "write into x.copy()"),
    "in a container": (layer(lambda s, x: x["a"] + 0, returns(lambda d: {"a": d.T})), "['a'] has shape", "transposed?"),
    "a function": (lambda x: x[7], "raised IndexError", "test_check.py, line"),
    "random": (
        layer(lambda s, x: x * np.random.default_rng().normal(), lambda s, d: d),
        "forward gives different results for equal inputs", "seed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBLEMS)
def test_problems(case):
    f, *said = PROBLEMS[case]
    report = check(f, {"a": X} if case == "in a container" else X)
    assert not report
    assert report.entries == []
    for text in said:
        assert text in report.problem


def test_symmetric_matrices():
    report = check(np.linalg.cholesky, SYMMETRIC)
    assert not report
    assert "the symmetrised one" in str(report)
    assert check(lambda A: np.linalg.cholesky((A + A.T) / 2), SYMMETRIC)


class TestText:
    def test_repr_is_the_text(self):
        report = check(np.sin, 1.0)
        assert repr(report) == str(report)
        assert repr(report).startswith("sin: right in the only comparison\n")

    def test_off_by_is_short(self):
        wrong = layer(lambda s, x: 1000 * x, lambda s, d: 998765.4321 * d)
        assert str(check(wrong, 1.0)).splitlines()[2].split()[-1] == "997765"
        wrong = layer(lambda s, x: 1000 * x, lambda s, d: 999.8766 * d)
        assert str(check(wrong, 1.0)).splitlines()[2].split()[-1] == "0.12"

    def test_some_undecided(self):
        def f(x):
            return np.sum(np.floor(x)) + np.sum(x)

        assert "f: right in 1 of 2, 1 undecided" in str(check(f, np.array([1.0, 1.5])))


def test_the_error_is_known():
    """The estimate of the error is no less than the error."""
    for f, d in (
        (np.exp, np.exp),
        (np.sin, np.cos),
        (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
        (np.log, lambda x: 1 / x),
    ):
        for x in (0.01, 0.7, 3.0, 40.0):
            found = slope(lambda h, f=f, x=x: np.array([f(x + h)]), np.array([f(x)]), np.zeros(1), x)
            assert abs(found.value - d(x)) <= found.error <= 1e-6 * max(abs(d(x)), 1e-6)


def test_it_is_quick():
    rng = np.random.default_rng(0)
    args = rng.normal(size=(5, 64)), rng.normal(size=(64, 50)), rng.normal(size=(50, 10))
    calls = []

    def loss(x, w, v):
        calls.append(1)
        return np.mean(np.tanh(x @ w / 8) @ v)

    start = time.process_time()
    report = check(loss, *args)
    assert report
    assert len(calls) < 16 * len(report.entries), len(calls)
    assert time.process_time() - start < 10

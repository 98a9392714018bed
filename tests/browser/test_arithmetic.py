"""The page's own arithmetic, in Chromium: every value and every derivative is what Python computes for the same inputs."""

import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_cases import all_cases
from servers import browser, needs

import dout
from dout import nn
from dout.see.words import words

needs("playwright", "scipy")

PAGE = Path(dout.__file__).parent / "see" / "page"
OPERATIONS = json.loads((PAGE.parent / "page_ops.json").read_text(encoding="utf-8"))
#: Python and the page round each operation by itself, half an eps or a few of them; 1e-12 is 4,500.
CLOSE = 1e-12

RUN = """async ({cases, times}) => {
    const { compute, computed } = await import("http://page.test/arithmetic.js");
    const plain = (v) => typeof v === "number" ? String(v)
        : v && v.data ? { shape: v.shape, data: Array.from(v.data, String) } : null;
    const table = (map) => [...map].map(([id, v]) => [id, plain(v)]);
    const found = cases.map(({ description, overrides }) => {
        const moved = new Map(overrides);
        const began = performance.now();
        for (let i = 0; i < times; i += 1) compute(description, moved);
        const ms = (performance.now() - began) / times;
        const { values, totals, derivatives, locals, own, ...rest } = compute(description, moved);
        const owns = [...own].map(([id, ds]) => [id, ds.map(plain)]);
        return { values: table(values), totals: table(totals), derivatives: table(derivatives), locals: table(locals),
                 own: owns, ms, ...rest };
    });
    return { found, computed };
}"""


@pytest.fixture(scope="module")
def run():
    """Runs `compute` in the page: for each (description, moved inputs), what it gives; and the operations it knows."""

    def serve(route):
        name = route.request.url.rpartition("/")[2]
        text = "<!doctype html>" if not name else (PAGE / name).read_text(encoding="utf-8")
        route.fulfill(body=text, content_type="text/javascript" if name else "text/html")

    with browser() as chromium:
        page = chromium.new_page()
        page.route("http://page.test/**", serve)
        page.goto("http://page.test/")

        def run(cases, times=0):
            cases = [{"description": lean(description), "overrides": moved} for description, moved in cases]
            answer = page.evaluate(RUN, {"cases": cases, "times": times})
            for found in answer["found"]:
                for table in ("values", "totals", "derivatives", "locals"):
                    found[table] = {i: number(v) for i, v in found[table]}
                found["own"] = {i: [number(v) for v in ds] for i, ds in found["own"]}
                assert {one["why"] for one in found["cannot"]} <= set(words()["en"])
            run.computed = answer["computed"]
            return answer["found"]

        yield run


def lean(description):
    """Without what the arithmetic doesn't look at; through JSON, as it comes to the page."""
    return json.loads(json.dumps({**description, "steps": [], "formulas": {}}))


def number(v):
    if v is None or isinstance(v, str):
        return None if v is None else float(v)
    return np.array(v["data"], float).reshape(v["shape"])


def described(f, args):
    """A picture's description but for where things stand, which takes longest to find."""
    with np.errstate(all="ignore"), patch("dout.see.describe.levels_of", lambda *args, **options: {}):
        return dout.see(f, *args).describe()


def known(value):
    """A value of a description as a number or an array; None where the description doesn't hold it."""
    if value is None or value.get("unknown") or "re" in value or "parts" in value:
        return None
    if "v" in value:
        return float(value["v"])
    return np.array(value["data"], float).reshape(value["shape"]) if "data" in value else None


def moved_to(description, there):
    """The overrides that move a description's inputs to those of another one of the same graph."""
    overrides = []
    for node in description["nodes"]:
        if node["kind"] == "input":
            value = there["nodes"][node["id"]]["value"]
            new = value["v"] if "v" in value else {"shape": value["shape"], "data": value["data"]}
            overrides.append([node["id"], plain(new)])
    return overrides


def plain(new):
    """What isn't finite crosses over to the page as JSON can't write it."""
    if isinstance(new, dict):
        return {"shape": new["shape"], "data": [float(x) for x in new["data"]]}
    return float(new)


def differences(found, there, close=CLOSE, around=1e-3):
    """Where the page's numbers differ from those of the description that Python made for the same inputs.

    Derivatives that cancel are held to what they are made of: to a part, `around`, of the picture's largest.
    """
    wrong = []
    size = around * max([largest(known(e["derivative"])) for e in there["edges"]], default=0.0)
    entries = [(found["values"], n["id"], n["value"], f"value of {n['op']}", 0) for n in there["nodes"]]
    entries += [(found["totals"], n["id"], n["total"], f"total of {n['op']}", size) for n in there["nodes"]]
    entries += [(found["derivatives"], e["id"], e["derivative"], f"edge {e['id']}", size) for e in there["edges"]]
    for table, i, value, what, least in entries:
        expected = known(value)
        if expected is None or (what.startswith("value") and there["nodes"][i]["kind"] == "constant"):
            continue
        got = table.get(i)
        near = close * max(largest(expected), least)
        if got is None or np.shape(got) != np.shape(expected):
            wrong.append(f"{what}: {got!r} for {expected!r}")
        elif not np.allclose(got, expected, close, near, equal_nan=True):
            wrong.append(f"{what}: {got!r}, Python {expected!r}")
    return wrong


def largest(x):
    return 0.0 if x is None else float(np.max(np.abs(np.where(np.isfinite(x), x, 0)), initial=0))


def held(run, cases, close=CLOSE, told=False, around=1e-3):
    """Hold the page to Python for each (label, function, arguments, moved arguments).

    Args:
        close: how far apart they may be, relatively.
        told: whether the page may say instead that Python would go another way, or that it can't compute something.
        around: as `differences` says.
    """
    pairs = [(label, described(f, args), described(f, there)) for label, f, args, there in cases]
    asked = [(here, moved_to(here, there)) for _, here, there in pairs]
    wrong = []
    for (label, here, there), found in zip(pairs, run(asked), strict=True):
        if told and (found["cannot"] or found["looks"] or found["unsure"]):
            continue
        assert not found["cannot"], f"{label}: {found['cannot']}"
        assert len(here["nodes"]) == len(there["nodes"]), f"{label}: another graph, and the page doesn't say so"
        wrong += [f"{label}: {difference}" for difference in differences(found, there, close, around)]
    assert not wrong, "\n".join(wrong[:20])


def test_every_operation(run):
    cases = list(all_cases())
    held(run, cases)
    used = {n["op"] for _, f, args, _ in cases for n in described(f, args)["nodes"]} - {""}
    untried = set(OPERATIONS["computed"]) - used - {"identity", "softplus", "float_power"}
    assert not untried, f"the page computes {untried}, and nothing here holds it to Python"


def test_the_table_of_operations_is_the_pages_own(run):
    run([])
    assert sorted(run.computed) == OPERATIONS["computed"]


@st.composite
def expressions(draw):
    """A random function of three inputs, numbers and arrays, as a list of operations on what came before."""
    one = [np.sin, np.tanh, np.exp, np.negative, np.square, np.abs, np.arctan, np.cbrt, np.expm1, np.sum, np.mean, np.max,
           np.prod, np.cumsum, np.transpose, np.flip, np.ravel, np.linalg.norm]  # fmt: skip
    two = [
        np.add,
        np.subtract,
        np.multiply,
        np.maximum,
        np.minimum,
        np.hypot,
        np.arctan2,
        np.logaddexp,
        np.divide,
        np.remainder,
    ]
    steps = []
    for k in range(draw(st.integers(1, 14))):
        inputs = st.integers(0, k + 2)
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(two)), draw(inputs), draw(inputs)))
        else:
            steps.append((draw(st.sampled_from(one)), draw(inputs)))
    return steps


@given(expressions(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_random_graphs(run, steps, seed):
    def f(a, b, c):
        found = [a, b, c]
        for op, *inputs in steps:
            args = [found[i] for i in inputs]
            with np.errstate(all="ignore"):
                try:
                    out = op(*args)
                except ValueError:  # shapes that don't broadcast
                    out = args[0] * 0.5
            found.append(np.tanh(out))
        return sum(np.sum(x) for x in found[3:])

    rng = np.random.default_rng(seed)
    draw = lambda: [float(rng.uniform(-2, 2)), rng.uniform(-2, 2, 3), rng.uniform(-2, 2, (2, 3))]  # noqa: E731
    # what came before is magnified by each operation that follows, up to 14 of them
    held(run, [("random", f, draw(), draw())], close=1e-10, told=True, around=1.0)


def test_one_input_moves_and_the_rest_keeps_pythons_numbers(run):
    here = described(lambda x, y, w: (np.exp(x) * y + np.sum(w), y * 3.0), [0.5, 2.0, np.ones(200)])
    x, y, w = (n["id"] for n in here["nodes"] if n["kind"] == "input")
    ((found),) = run([(here, [[x, 0.7]])])
    assert not found["cannot"], "an array that isn't in the file does no harm where it doesn't matter"
    assert w not in found["values"]
    assert found["totals"][x] == pytest.approx(2 * np.exp(0.7), rel=1e-15)
    assert found["totals"][y] == pytest.approx(np.exp(0.7) + 3, rel=1e-15)
    (back,) = run([(here, [[x, 0.5]])])
    assert not differences(back, here, close=0), "an input moved back gives Python's own numbers, to the last bit"


def cannot(run, f, args, there, **changes):
    """What the page says that it can't compute: {the operation: why}, and all that it gave."""
    here = {**described(f, args), **changes}
    (found,) = run([(here, there)])
    forward = [one for one in found["cannot"] if "edge" not in one and not one.get("total") and "group" not in one]
    return {here["nodes"][one["node"]]["op"]: one["why"] for one in forward}, found


def test_what_it_does_not_know_it_says_with_all_that_depends_on_it(run):
    f = lambda x, y: np.linalg.det(np.outer(np.stack([x, y]), np.stack([y, y])) + np.eye(2)) * y + x * 3.0  # noqa: E731
    said, found = cannot(run, f, [1.0, 2.0], [[0, 1.5]])
    assert said["det"] == "cannot_unknown"
    assert said["multiply"] == "cannot_upstream"
    here = described(f, [1.0, 2.0])
    lost = {one["node"] for one in found["cannot"] if "edge" not in one and not one.get("total")}
    assert {here["nodes"][i]["op"] for i in lost} >= {"det", "add"}
    assert not lost & set(found["values"]), "what is lost has no number"
    assert 4.5 in [v for v in found["values"].values() if isinstance(v, float)], "what doesn't depend on it has one"


def test_arrays_that_are_not_in_the_file(run):
    said, _ = cannot(run, lambda x, w: np.sum(w / x) * x, [2.0, np.ones(100)], [[0, 3.0]])
    assert said == {"divide": "cannot_array", "sum": "cannot_upstream", "multiply": "cannot_upstream"}


def test_complex_numbers(run):
    said, _ = cannot(run, lambda x, z: np.abs(x * z), [2.0, 1 + 2j], [[0, 3.0]])
    assert said["multiply"] == "cannot_complex"


@pytest.mark.parametrize(
    ("f", "x", "there", "why"),
    [
        (lambda x: 1.0 / x, 2.0, 0.0, "cannot_raises"),
        (lambda x: 5 % x, 2, 0, "cannot_raises"),
        (lambda x: x**-1, 2.0, 0.0, "cannot_raises"),
        (lambda x: x**400.0, 2.0, 1e3, "cannot_raises"),
        (lambda x: x**0.5, 2.0, -2.0, "cannot_complex"),
        (lambda x: x**40, 2, 3, "cannot_integer"),
        (lambda x: x * 10**15, 2, 100, "cannot_integer"),
    ],
)
def test_where_python_would_raise(run, f, x, there, why):
    said, _ = cannot(run, f, [x], [[0, there]])
    assert why in said.values()
    if why == "cannot_raises":
        with pytest.raises(ArithmeticError):
            f(there)


def test_numpys_numbers_do_not_raise(run):
    zero, x = np.float64(0.0), np.float64(2.0)
    held(run, [("1 / 0", lambda x: 1.0 / x, [x], [zero]), ("x ** 0.5", lambda x: x**0.5, [x], [np.float64(-2.0)]),
               ("log", np.log, [2.0], [0.0]), ("0 ** -1", lambda x: x**-1.0, [x], [zero])])  # fmt: skip


def test_ints_are_exact_and_may_become_floats(run):
    f = lambda a, b: a * a * a * b + a**7 % b - a  # noqa: E731
    held(run, [("ints", f, [3, 7], [107, 999_983]), ("floats", f, [3, 7], [3.5, 7.25])])
    here = described(f, [3, 7])
    (found,) = run([(here, [[0, 107], [1, 999_983]])])
    assert found["values"][here["outputs"][0]["node"]] == f(107, 999_983)


@pytest.mark.parametrize(("dtype", "close"), [(np.float32, 1e-6), (np.float16, 4e-3)])
def test_narrow_numbers_are_rounded(run, dtype, close):
    def f(x, y):
        return np.sum(np.tanh(x * y + 0.1) / (1 + y * y))

    draw = lambda seed: [np.random.default_rng(seed).uniform(0.1, 1, 5).astype(dtype) for _ in range(2)]  # noqa: E731
    held(
        run,
        [("narrow", f, draw(0), draw(1)), ("number", lambda x: x * x * 0.1, [dtype(1.1)], [dtype(1.3)])],
        close=close,
    )
    here = described(lambda x: x * 0.1, [dtype(1.1)])
    (found,) = run([(here, [[0, 1.3]])])
    assert found["values"][0] == float(dtype(1.3))
    assert found["values"][here["outputs"][0]["node"]] == float(dtype(1.3) * dtype(0.1))


def test_ties_and_kinks_are_shared_as_in_python(run):
    x = np.array([1.0, 1.0, 0.0, -0.0, np.nan, 2.0])
    y = np.array([1.0, 0.0, -0.0, 0.0, 1.0, np.nan])
    for f in (np.maximum, np.minimum, np.fmax, np.fmin, np.copysign, np.heaviside, np.power, np.hypot, np.remainder):
        held(run, [(f.__name__, f, [x[::-1], y], [x, y]), (f.__name__, f, [y, x[::-1]], [y, x])])
    for f in (np.abs, np.max, np.min, np.prod, np.cumprod):
        held(run, [(f.__name__, f, [x[::-1].copy()], [x])])


# Layers


class Leaky(dout.Layer):
    def forward(self, x):
        self.positive = x > 0
        return np.where(self.positive, x, 0.1 * x)

    def backward(self, dout):
        return np.where(self.positive, dout, 0.1 * dout)


class Squared(dout.Layer):
    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return dout * 2 * self.x


class Wrong(Squared):
    def backward(self, dout):
        return dout * 3 * self.x


class Opaque(dout.Layer):
    def forward(self, x):
        self.x = float(x)
        return float(x) ** 2

    def backward(self, dout):
        return dout * 2 * self.x


def test_our_own_layers(run):
    rng = np.random.default_rng(0)
    w, b = rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, 4)
    t = np.array([0, 3])

    def net(x, w, b):
        return nn.SoftmaxWithLoss()(dout.Relu()(nn.Affine(w, b)(x)) * dout.Sigmoid()(nn.Affine(w, b)(x)), t)

    cases = [
        ("sigmoid", lambda x: dout.Sigmoid()(x) * 2, [0.5], [-1.3]),
        ("sigmoid of an array", lambda x: dout.Sigmoid()(x) * 2, [np.array([0.5, 800.0])], [np.array([-800.0, 0.2])]),
        ("sigmoid far out", lambda x: dout.Sigmoid()(x) * 2, [0.5], [-800.0]),
        ("relu", lambda x: dout.Relu()(x) * x, [0.5], [-0.5]),
        ("relu at 0", lambda x: dout.Relu()(x) * x, [0.5], [0.0]),
        (
            "relu of an array",
            lambda x: dout.Relu()(x) * x,
            [np.array([1.0, -1.0, 0.0])],
            [np.array([-1.0, np.nan, 3.0])],
        ),
        ("apples", lambda a, n, t: dout.MulLayer()(dout.AddLayer()(a, n), t), [100.0, 2.0, 1.1], [150.0, 3.0, 1.2]),
        ("the same twice", lambda x: dout.MulLayer()(x, x), [3.0], [4.0]),
        ("a net", net, [rng.uniform(-1, 1, (2, 3)), w, b], [rng.uniform(-1, 1, (2, 3)), w * 2, b + 0.1]),
        ("a layer in a layer", lambda x: dout.Sigmoid()(dout.Sigmoid()(x)), [0.5], [1.5]),
    ]
    held(run, cases)


def test_what_leaves_a_closed_layer(run):
    here, there = (described(lambda x: dout.Sigmoid()(x) * 2, [x]) for x in (0.5, -1.3))
    (group,) = [g for g in here["groups"] if g["kind"] == "layer"]
    (found,) = run([(here, [[0, -1.3]])])
    expected = next(g for g in there["groups"] if g["id"] == group["id"])["own"]
    assert found["own"][group["id"]] == pytest.approx([known(v) for v in expected], rel=CLOSE)


def test_layers_of_the_users_own(run):
    held(run, [("opened", lambda x: Squared()(x) + x, [3.0], [5.0])])
    said, found = cannot(run, lambda x: Wrong()(x) * 2.0, [3.0], [[0, 5.0]])
    assert "cannot_layer" in {one["why"] for one in found["cannot"]}
    assert 0 not in found["totals"], "what its own backward gives the page can't know"
    assert 50.0 in found["values"].values(), "forward it can"
    said, found = cannot(run, lambda x: Opaque()(x) * 2.0, [3.0], [[0, 5.0]])
    assert said[""] == "cannot_layer"


# Looks


def bent(x):
    if x > 1.5:
        x = x * x
    return x * 2.0


def test_looks_say_where_python_would_go_another_way(run):
    here = described(bent, [2.0])
    same, other = run([(here, [[0, 1.7]]), (here, [[0, 1.2]])])
    assert (same["looks"], same["unsure"]) == ([], [])
    assert other["looks"] == [0]


@pytest.mark.parametrize("f", [
    lambda x: np.where(x > 0, x, x * x), lambda x: np.floor(x) * x, lambda x: x * np.sign(x), lambda x: x[np.argmax(x)] * 2,
    lambda x: np.sort(x) * np.arange(5.0), lambda x: x[np.argsort(x)][0], lambda x: x[x > 0].sum(), lambda x: np.round(x) * x,
    lambda x: x * 2 if np.any(x > 1) else x * 3, lambda x: x * np.count_nonzero(x > 1), lambda x: np.clip(x, -1, 0.5),
    lambda x: np.interp(x, [-2.0, 0.0, 2.0], [1.0, 0.0, 3.0]), lambda x: np.unwrap(x * 5),
    lambda x: np.unique(x) * np.arange(5.0),
    lambda x: np.nansum(np.log(x)), lambda x: np.partition(x, 2) * np.arange(5.0), lambda x: x[np.lexsort((x,))], Leaky(),
    lambda x: np.frexp(x)[0], lambda x: np.median(x) * x, lambda x: np.modf(x * 3)[0], lambda x: x * (x > 0).astype(float),
    lambda x: x * np.searchsorted([0.0, 1.0], x), lambda x: np.std(x), lambda x: np.linalg.norm(x, 3), lambda x: x // 0.5 * x,
    lambda x: np.select([x > 1, x > 0], [x, x * x], 0.0), lambda x: np.maximum.accumulate(x), lambda x: x % 0.7,
])  # fmt: skip
def test_numbers_are_never_stale_without_a_word(run, f):
    """Where the way depends on the values, the page computes what Python does, or says that it doesn't know."""
    rng = np.random.default_rng(1)
    held(run, [("looked", f, [rng.uniform(-2, 2, 5)], [rng.uniform(-2, 2, 5)]) for _ in range(12)], told=True)


# Groups whose inside isn't in the file


def test_groups_that_are_not_in_the_file_are_taken_as_a_whole(run):
    here = described(lambda x, y: np.sin(x) * np.cos(y) + np.exp(y), [0.5, 1.5])
    names = {n["op"]: n["id"] for n in here["nodes"]}
    here["groups"] = [{"id": 0, "kind": "function", "parent": None, "shipped": False, "name": "f", "size": 2}]
    for op in ("sin", "cos"):
        here["nodes"][names[op]]["group"] = 0
    (found,) = run([(here, [[0, 0.9]])])
    why = {one["node"]: one["why"] for one in found["cannot"] if "edge" not in one and not one.get("total")}
    assert why[names["sin"]] == why[names["cos"]] == "cannot_group", "which of its inputs moves what, nobody knows"
    assert why[names["multiply"]] == "cannot_upstream"
    assert names["exp"] in found["values"]
    lost = {one["edge"] for one in found["cannot"] if "edge" in one}
    assert {e["id"] for e in here["edges"] if e["to"] in (names["sin"], names["cos"])} <= lost


# How fast


def small(x, y):
    return 1 / (1 + np.exp(-(x * y + x))) + x * 3


def large(x, y):
    for _ in range(250):
        x = np.tanh(x * y) + 0.1 * x
    return x


@pytest.mark.parametrize(("f", "nodes", "limit"), [(small, 12, 1.0), (large, 1250, 20.0)])
def test_it_is_quick(run, f, nodes, limit):
    here = described(f, [0.5, 0.9])
    assert len(here["nodes"]) >= nodes
    best = min(run([(here, [[0, 0.6]])], times=50)[0]["ms"] for _ in range(3))
    assert best < limit, f"{best:.2f} ms"

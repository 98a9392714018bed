"""Formulas: each is what its rule computes, none is missing, and the table is what the rules give today."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules, walk_packages
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout import interop as dout_interop
from dout import nn, rules
from dout.graph import IDENTITY, PICK, Each, Primitive
from dout.rules import UFUNCS
from dout.see.formulas import formula_of, formula_of_layer, layer_formula, table
from dout.see.words import words
from dout.trace import trace

ROOT = Path(dout.__file__).parent.parent.parent
SPECIAL = pytest.importorskip("scipy.special")  # its rules are read when they are needed; the table holds them always
import_module("dout.rules.special")
PRIMITIVES = {IDENTITY.name: IDENTITY, PICK.name: PICK} | {op.name: op for op in UFUNCS.values()}
for module in iter_modules(rules.__path__):
    found = vars(import_module(f"dout.rules.{module.name}")).values()
    PRIMITIVES |= {op.name: op for op in found if isinstance(op, Primitive)}

SPECIAL_POSITIVE = [
    "spence", "entr", "rel_entr", "kl_div", "xlogy", "xlog1py", "huber", "pseudo_huber", "gamma", "gammaln",
    "loggamma", "rgamma", "psi", "beta", "betaln", "gammainc", "gammaincc", "expi", "exp1", "y0", "y1", "k0", "k1",
    "k0e", "k1e", "jv", "yv", "iv", "kv", "ive", "kve",
]  # fmt: skip
#: From where to draw the inputs of operations that aren't defined everywhere.
DOMAINS = {
    **dict.fromkeys(("sqrt", "cbrt", "log", "log2", "log10", "power", "float_power"), (0.2, 3)),
    **dict.fromkeys(("arcsin", "arccos", "arctanh"), (-0.9, 0.9)),
    "log1p": (-0.8, 3),
    "arccosh": (1.1, 3),
    "tan": (-1.2, 1.2),
    **dict.fromkeys(("erfinv", "arctanh", "ellipk", "ellipe"), (-0.9, 0.9)),
    **dict.fromkeys(("erfcinv", "ndtri", "logit", "gammaincinv", "betainc", "betaincc", "betaincinv"), (0.1, 0.9)),
    **dict.fromkeys(SPECIAL_POSITIVE, (0.2, 3)),
}
EXPRESSED = [
    (name, port)
    for name, entry in table()["operations"].items()
    for port, formula in enumerate(entry.get("inputs", ()))
    if formula is not None and "expr" in formula
]


def test_every_primitive_has_formulas_or_says_why_not():
    operations, absent = table()["operations"], table()["absent"]
    missing = set(PRIMITIVES) - set(operations) - set(absent)
    assert not missing, f"no formula for {missing}: add them to docs/notations.py and run docs/make_formulas.py"
    assert not set(operations) & set(absent)
    there = set(PRIMITIVES) | {"softplus"}  # which older SciPys lack
    assert set(operations) <= there, "formulas of operations that there aren't"
    assert all(absent.values())


def interop():
    """The primitives of dout.interop: other libraries' operations."""
    found = set()
    for module in walk_packages(dout_interop.__path__, f"{dout_interop.__name__}."):
        members = vars(import_module(module.name)).values()
        found |= {op.name for op in members if isinstance(op, Primitive)}
    return found | {"root", "solve_ivp"}  # made anew for each call


def test_operations_of_other_libraries_have_no_formula():
    """The table is dout's own operations; a name that one of the others shares would get the wrong formula."""
    theirs = interop()
    assert {"expm", "sqrtm", "solve_triangular", "convolve", "sparse_matmul"} <= theirs
    assert not theirs & (set(table()["operations"]) | set(table()["absent"]))
    assert all(formula_of(name, port, 2) is None for name in theirs for port in (0, 1))


#: Inputs without a formula: a condition, an integer, and parameters whose derivative has no closed form.
WITHOUT = {"where": {0}, "ldexp": {1}, "betainc": {0, 1}, "betaincc": {0, 1}, "betaincinv": {0, 1}}
WITHOUT |= {
    name: {0} for name in ["zeta", "gammainc", "gammaincc", "gammaincinv", "jv", "yv", "iv", "kv", "ive", "kve"]
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_input_has_a_formula(name):
    op = PRIMITIVES[name]
    if op.joint is not None or isinstance(op.pullbacks, Each) or name in table()["absent"]:
        return
    without = {port for port in range(len(op.pullbacks)) if formula_of(name, port, len(op.pullbacks)) is None}
    assert without == WITHOUT.get(name, set())


def test_the_table_is_what_the_rules_give():
    pytest.importorskip("sympy")
    pytest.importorskip("latex2mathml")
    if "softplus" not in PRIMITIVES:
        pytest.skip("needs SciPy 1.17 or newer, for all of its functions")
    script = ROOT / "docs" / "make_formulas.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "port"), [(n, port) for n, port in EXPRESSED if n in PRIMITIVES])
def test_what_is_written_is_what_the_rule_computes(name, port):
    """The text that people read, read back by SymPy, gives the rule's numbers; so does the expression behind it."""
    sp = pytest.importorskip("sympy")
    op, entry = PRIMITIVES[name], table()["operations"][name]["inputs"][port]
    n = len(op.pullbacks)
    rng = np.random.default_rng(port)
    low, high = DOMAINS.get(name, (-3.0, 3.0))
    whole = name == "ldexp"
    symbols = sp.symbols(f"dout y {' '.join('x' if n == 1 else f'x_{i + 1}' for i in range(n))}", real=True)
    run = {
        "the expression": lambdified(sp, symbols, f"dout*({entry['expr']})"),
        "the text": lambdified(sp, symbols, read_back(entry["text"])),
        "the local factor": lambdified(sp, symbols, f"dout*({read_back(entry['local'])})"),
    }
    for _ in range(40):
        args = [np.float64(rng.uniform(low, high)) for _ in range(n)]
        args[1:] = [int(rng.integers(-3, 4))] if whole else args[1:]
        args[:1] = [np.float64(rng.uniform(1.5, 4))] if name == "zeta" else args[:1]
        if n == 2 and name in ("maximum", "minimum", "fmax", "fmin", "heaviside") and rng.random() < 0.3:
            args = [np.float64(0), np.float64(0)] if name == "heaviside" else [args[0], args[0]]
        dout_ = rng.uniform(-2, 2)
        out = op.forward(*args)
        expected = op.pullbacks[port](dout_, out, *args)
        for what, f in run.items():
            np.testing.assert_allclose(f(dout_, out, *args), expected, rtol=1e-12, atol=1e-14, err_msg=what)


NAMES = {
    **{"Gamma": SPECIAL.gamma, "Beta": SPECIAL.beta, "digamma": SPECIAL.psi, "zeta": SPECIAL.zeta, "round": np.rint},
    **{
        "J": SPECIAL.jv,
        "Y": SPECIAL.yv,
        "I": SPECIAL.iv,
        "K": SPECIAL.kv,
        "ellipe": SPECIAL.ellipe,
        "ellipk": SPECIAL.ellipk,
    },
}


def lambdified(sp, symbols, written):
    known = {s.name: s for s in symbols} | {name: sp.Function(name) for name in NAMES}
    expression = sp.sympify(written, locals=known | {"Eq": sp.Eq, "root2pi": sp.sqrt(2 * sp.pi)})
    return sp.lambdify(symbols, expression, modules=[NAMES | {"sign": np.sign}, "numpy"])


def read_back(text):
    """Our Unicode text as SymPy reads it."""
    text = text.partition(" = ")[2] if text.startswith("∂L/∂") else text
    text = text.replace("∂L/∂y", "dout").replace("−", "-").replace("·", "*").replace("π", "pi").replace("^", "**")
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "**" + m[0].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")), text)
    text = re.sub(r"x([₁₂₃])", lambda m: f"x_{'₁₂₃'.index(m[1]) + 1}", text)
    text = re.sub(r"([JYIK])([₀₁₂])\(", lambda m: f"{m[1]}({'₀₁₂'.index(m[2])}, ", text)
    text = text.replace("Γ(", "Gamma(").replace("B(", "Beta(").replace("ψ(", "digamma(").replace("ζ(", "zeta(")
    text = re.sub(r"\|(\w+)\|", r"abs(\1)", text)
    text = text.replace("≥", ">=").replace("≤", "<=").replace("⌊", "floor(").replace("⌋", ")").replace("ln(", "log(")
    text = re.sub(r"√([\w]+)", r"sqrt(\1)", text).replace("√(", "sqrt(")
    text = re.sub(r"\[([^\[\]]*?) = ([^\[\]]*?)\]", r"Piecewise((1, Eq(\1, \2)), (0, True))", text)
    return re.sub(r"\[([^\[\]]*)\]", r"Piecewise((1, \1), (0, True))", text)


@pytest.mark.parametrize("n", [-3, -2, -1, -0.5, 0.5, 1, 1.5, 2, 3, 4, 5, 6])
def test_powers_of_a_number_have_a_shorter_formula(n):
    sp = pytest.importorskip("sympy")
    formula = formula_of("power", 0, 2, constants={1: n})
    assert "x₂" not in formula["text"]
    f = lambdified(sp, sp.symbols("dout y x_1 x_2", real=True), read_back(formula["text"]))
    for x in (0.3, 1.7, 2.5):
        np.testing.assert_allclose(f(1.1, x**n, x, n), UFUNCS[np.power].pullbacks[0](1.1, x**n, x, n), rtol=1e-12)


def test_special_points_are_said():
    for name, port, point in [("hypot", 0, (0.0, 0.0)), ("power", 0, (0.0, np.float32(0.0))), ("power", 1, (0.0, 2.0))]:
        op = PRIMITIVES[name]
        said = formula_of(name, port, 2)["except"]
        assert said[0][1] == "0"
        assert op.pullbacks[port](1.5, op.forward(*point), *point) == 0
    assert formula_of("power", 0, 2)["except"] == [["x₁ = 0, x₂ = 0", "0"]]
    assert formula_of("norm", 0, 1, {"axes": None})["except"] == [["y = 0", "0"]]
    assert dout.grad(np.sinc)(0.0) == 0
    assert dout.grad(SPECIAL.exprel)(0.0) == 0.5


def mT(a):
    return np.swapaxes(a, -1, -2)


def phi(a):
    return np.tril(a) - np.diag(np.diag(a)) / 2


def shares(d, y, x):
    return d * (x == y) / np.sum(x == y)


def made_of(shape, places, d):
    out = np.zeros(shape)
    out[places] = d
    return out


def real_eigenvalues(a):
    return np.real(np.linalg.eigvals(a))


#: What each notation by hand says, in NumPy: (function of the inputs, the inputs, a formula of (d, y, *inputs) for each input).
RNG = np.random.default_rng(0)
A, B, V, W = (
    RNG.uniform(1, 2, (3, 3)) + 3 * np.eye(3),
    RNG.uniform(-1, 1, (3, 3)),
    RNG.uniform(-1, 1, 3),
    RNG.uniform(1, 2, 3),
)
TIES = np.array([1.0, 3.0, 3.0])
SAID = {
    "sum": (np.sum, [V], [lambda d, y, x: d + 0 * x]),
    "prod": (np.prod, [V], [lambda d, y, x: d * np.array([x[1] * x[2], x[0] * x[2], x[0] * x[1]])]),
    "max": (np.max, [TIES], [shares]),
    "min": (np.min, [-TIES], [shares]),
    "cumsum": (np.cumsum, [V], [lambda d, y, x: np.array([d[i:].sum() for i in range(3)])]),
    "cumprod": (np.cumprod, [V], [lambda d, y, x: np.array([(d[i:] * y[i:]).sum() / x[i] for i in range(3)])]),
    "norm": (np.linalg.norm, [V], [lambda d, y, x: d * x / y]),
    "reshape": (lambda x: np.reshape(x, (1, 3)), [V], [lambda d, y, x: np.reshape(d, x.shape)]),
    "flip": (np.flip, [V], [lambda d, y, x: np.flip(d)]),
    "roll": (lambda x: np.roll(x, 1), [V], [lambda d, y, x: np.roll(d, -1)]),
    "broadcast_to": (lambda x: np.broadcast_to(x, (4, 3)), [V], [lambda d, y, x: d.sum(0)]),
    "repeat": (lambda x: np.repeat(x, 2), [V], [lambda d, y, x: d.reshape(3, 2).sum(1)]),
    "getitem": (lambda x: x[[2, 0]], [V], [lambda d, y, x: made_of(3, [2, 0], d)]),
    "scatter": (lambda x: np.diag(x, 1), [V], [lambda d, y, x: np.diag(d, 1)]),
    "diagonal": (np.diagonal, [B], [lambda d, y, x: np.diag(d)]),
    "copy": (np.copy, [V], [lambda d, y, x: d]),
    "astype": (lambda x: x.astype(np.longdouble), [V], [lambda d, y, x: d]),
    "where": (lambda x, y: np.where(TIES > 2, x, y), [V, W],
              [lambda d, y, *_: d * (TIES > 2), lambda d, y, *_: d * (TIES <= 2)]),
    "correlate": (lambda a, v: np.correlate(a, v), [np.arange(5.0) - 1.5, V],
                  [lambda d, y, a, v: np.array([sum(d[i] * v[j - i] for i in range(3) if 0 <= j - i < 3) for j in range(5)]),
                   lambda d, y, a, v: np.array([sum(d[i] * a[i + k] for i in range(3)) for k in range(3)])]),
    "matmul 1 1": (np.matmul, [V, W], [lambda d, y, a, b: d * b, lambda d, y, a, b: d * a]),
    "matmul 1 2": (np.matmul, [V, B], [lambda d, y, x, b: b @ d, lambda d, y, x, b: np.outer(x, d)]),
    "matmul 2 1": (np.matmul, [A, V], [lambda d, y, a, x: np.outer(d, x), lambda d, y, a, x: a.T @ d]),
    "matmul 2 2": (np.matmul, [A, B], [lambda d, y, a, b: d @ b.T, lambda d, y, a, b: a.T @ d]),
    "transpose T": (np.transpose, [B], [lambda d, y, x: d.T]),
    "inv": (np.linalg.inv, [A], [lambda d, y, a: -y.T @ d @ y.T]),
    "solve": (np.linalg.solve, [A, B],
              [lambda d, y, a, b: -np.linalg.inv(a).T @ d @ y.T, lambda d, y, a, b: np.linalg.inv(a).T @ d]),
    "det": (np.linalg.det, [A], [lambda d, y, a: d * y * np.linalg.inv(a).T]),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], [A], [lambda d, y, a: d * np.linalg.inv(a).T]),
    "cholesky": (np.linalg.cholesky, [A @ A.T],
                 [lambda d, y, a: (lambda s: (s + s.T) / 2)(np.linalg.inv(y).T @ phi(y.T @ d) @ np.linalg.inv(y))]),
    "eigvalsh": (np.linalg.eigvalsh, [A + A.T], [lambda d, y, a: (lambda v: v @ np.diag(d) @ v.T)(np.linalg.eigh(a)[1])]),
    "eigvals": (real_eigenvalues, [A],
                [lambda d, y, a: (lambda v: np.linalg.inv(v).T @ np.diag(d) @ v.T)(np.linalg.eig(a)[1].real)]),
    "svdvals": (np.linalg.svdvals, [A], [lambda d, y, a: (lambda u, s, vh: u @ np.diag(d) @ vh)(*np.linalg.svd(a))]),
    "cross": (np.cross, [V, W], [lambda d, y, a, b: np.cross(b, d), lambda d, y, a, b: np.cross(d, a)]),
    "vecdot": (np.vecdot, [V, W], [lambda d, y, a, b: d * b, lambda d, y, a, b: d * a]),
    "exprel": (SPECIAL.exprel, [V], [lambda d, y, x: d * (np.exp(x) - y) / x]),
    "sinc": (np.sinc, [V], [lambda d, y, x: d * (np.cos(np.pi * x) - y) / x]),
    "log_ndtr": (SPECIAL.log_ndtr, [V], [lambda d, y, x: d * np.exp(-x * x / 2 - y) / np.sqrt(2 * np.pi)]),
}  # fmt: skip

if hasattr(np, "matvec"):  # from NumPy 2.2 on
    SAID["matvec"] = np.matvec, [A, V], SAID["matmul 2 1"][2]
    SAID["vecmat"] = np.vecmat, [V, B], SAID["matmul 1 2"][2]


@pytest.mark.parametrize("name", SAID)
def test_notations_by_hand_are_what_rules_compute(name):
    f, args, formulas = SAID[name]
    out, pullback = dout.vjp(f, *args)
    d = np.asarray(np.random.default_rng(1).uniform(0.5, 1.5, np.shape(out)), np.result_type(out))[()]
    for found, formula, arg in zip(pullback(d), formulas, args, strict=True):
        expected = formula(d, out, *args)
        if name == "cholesky":
            expected, found = (expected + expected.T) / 2, (found + found.T) / 2
        np.testing.assert_allclose(
            np.asarray(found, float), np.asarray(expected + 0 * arg, float), rtol=1e-10, atol=1e-10
        )


def test_notations_by_hand_are_all_held():
    # These only hand on what came, or are of complex numbers, for which other tests hold the rules.
    held = {name.partition(" ")[0] for name in SAID} | {
        "write",
        "concatenate",
        "pick",
        "angle",
        "imag",
        "real",
        "conjugate",
        "fft",
        "ifft",
    }
    operations = table()["operations"].items()
    by_hand = {name for name, entry in operations if not any(f and "expr" in f for f in entry.get("inputs", ()))}
    assert by_hand - {"matvec", "vecmat"} <= held, "a notation by hand that no test compares with its rule"


def test_mathml_is_well_formed_and_notes_are_said():
    def formulas(node):
        if isinstance(node, dict):
            if "mathml" in node:
                yield node
            for child in node.values():
                yield from formulas(child)
        elif isinstance(node, list):
            for child in node:
                yield from formulas(child)

    found = list(formulas(table()))
    assert len(found) > 100
    for formula in found:
        root = ElementTree.fromstring(formula["mathml"])
        assert root.tag == "math"
        assert {e.tag for e in root.iter()} <= {
            "math", "mrow", "mfrac", "mi", "mo", "mn", "msub", "msup", "msubsup", "msqrt", "mover", "munder",
            "munderover", "mspace", "mstyle",
        }  # fmt: skip
        assert "note" not in formula or formula["note"] in words()["en"]
    assert len({f["key"] for f in found}) == len(found)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_einsum_says_its_derivative(data):
    """The formula is read back as another einsum, and gives the derivative."""
    sizes = {"i": 2, "j": 3, "k": 2, "l": 1}
    terms = data.draw(st.lists(st.permutations("ijkl").map(lambda p: p[:2]), min_size=1, max_size=3))
    known = sorted({x for t in terms for x in t})
    result = data.draw(st.lists(st.sampled_from(known), unique=True, max_size=3))
    args = [np.random.default_rng(k).uniform(1, 2, [sizes[x] for x in t]) for k, t in enumerate(terms)]
    written = ",".join(map("".join, terms)) + "->" + "".join(result)
    graph = trace(lambda *a: np.einsum(written, *a), *args)
    params = next(n.params for n in graph.nodes if n.op is not None and n.op.name == "einsum")
    port = data.draw(st.integers(0, len(terms) - 1))
    text = formula_of("einsum", port, len(terms), params)["text"]
    left, _, right = text.partition(" = ")
    factors = re.findall(r"(?:∂L/∂Y|[A-Z])(?:\[[a-z,]*\])?", right)
    labels = [re.sub(r"[^a-z]", "", f) for f in factors]
    mine = re.sub(r"[^a-z]", "", left.removeprefix("∂L/∂"))
    assert mine == "".join(terms[port])
    out, pullback = dout.vjp(lambda *a: np.einsum(written, *a), *args)
    d = np.random.default_rng(9).uniform(1, 2, np.shape(out))
    values = [d if f.startswith("∂") else args[ord(f[0]) - 65] for f in factors]
    everywhere = {x for t in labels for x in t}
    spread = np.einsum(",".join(labels) + "->" + "".join(x for x in mine if x in everywhere), *values)
    for i, x in enumerate(mine):
        if x not in everywhere:
            spread = np.expand_dims(spread, i)
    np.testing.assert_allclose(
        np.broadcast_to(spread, args[port].shape), pullback(d if np.ndim(d) else float(d))[port], rtol=1e-10
    )


def test_layers_of_our_own():
    assert layer_formula("Sigmoid") == {"closed": "dout · y · (1 − y)", "opened": "dout · y² · exp(−x)", "equal": True}
    assert layer_formula("MulLayer")["closed"] == "dx = dout · y,  dy = dout · x"
    assert layer_formula("Relu")["closed"] == "dout · [x > 0]"
    assert layer_formula("Unheard") is None
    for layer in (dout.Sigmoid(), nn.Affine(A, V), nn.SoftmaxWithLoss()):
        assert formula_of_layer(layer) == layer_formula(type(layer).__name__)


def test_sympy_proves_both_formulas_of_sigmoid_equal():
    sp = pytest.importorskip("sympy")
    x = sp.Symbol("x", real=True)
    y = 1 / (1 + sp.exp(-x))
    closed, opened = (
        layer_formula("Sigmoid")[k].replace("·", "*").replace("−", "-").replace("²", "**2")
        for k in ("closed", "opened")
    )
    difference = sp.sympify(f"({closed}) - ({opened})", locals={"x": x, "y": sp.Symbol("y")})
    assert sp.simplify(difference.subs(sp.Symbol("y"), y)) == 0


def test_written_layer_formulas_are_what_layers_compute():
    x, t = RNG.uniform(-1, 1, (4, 3)), np.array([0, 2, 1, 1])
    loss = nn.SoftmaxWithLoss()
    loss.forward(x, t)
    exp = np.exp(x)
    np.testing.assert_allclose(loss.backward(1.3)[0], 1.3 * (exp / exp.sum(1, keepdims=True) - np.eye(3)[t]) / 4)
    affine, d = nn.Affine(A, V), RNG.uniform(-1, 1, (4, 3))
    affine.forward(x)
    np.testing.assert_allclose(affine.backward(d), d @ A.T)
    np.testing.assert_allclose(affine.dW, x.T @ d)
    np.testing.assert_allclose(affine.db, d.sum(0))


class Square:
    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return dout * 2 * self.x


class Softplus:
    def forward(self, x):
        self.x = x
        return np.log(1 + np.exp(x))

    def backward(self, dout):
        return dout / (1 + np.exp(-self.x))


class Quotient:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, dout):
        return dout / self.b, -dout * self.a / self.b**2


class Leaky:
    def __init__(self, slope):
        self.slope = slope

    def forward(self, x):
        self.positive = x > 0
        return np.where(self.positive, x, self.slope * x)

    def backward(self, dout):
        return np.where(self.positive, dout, self.slope * dout)


class Wrong(dout.Sigmoid):
    def backward(self, dout):
        return dout * self.out * (1 + self.out)


class Masked:
    def forward(self, x):
        out = x.copy()
        out[x <= 0] = 0
        return out

    def backward(self, dout):
        return dout


class Raises:
    def forward(self, x):
        raise KeyError(x)

    def backward(self, dout):
        return dout


@pytest.mark.parametrize(
    ("layer", "closed", "opened", "equal"),
    [
        (Square(), "dout · 2 · x", "dout · 2 · x", True),
        (Softplus(), "dout/(1 + exp(−x))", "dout · exp(x)/(1 + exp(x))", True),
        (Quotient(), "da = dout/b,  db = −dout · a/b²", "da = dout/b,  db = −dout · y/b", True),
        (Leaky(0.1), "dout · ([x > 0] + 0.1 · [x ≤ 0])", "dout · (0.1 · [x ≤ 0] + [x > 0])", True),
        (Wrong(), "dout · y · (1 + y)", "dout · y² · exp(−x)", False),
    ],
)
def test_layers_of_the_users_own(layer, closed, opened, equal):
    pytest.importorskip("sympy")
    before = dict(vars(layer))
    assert formula_of_layer(layer) == {"closed": closed, "opened": opened, "equal": equal}
    assert vars(layer) == before, "the layer itself must not run"


@pytest.mark.parametrize("layer", [Masked(), Raises(), Leaky(np.ones(3)), object()])
def test_layers_that_do_not_run_on_symbols_have_none(layer):
    assert formula_of_layer(layer) is None


def test_the_table_needs_no_sympy():
    code = (
        "import sys; sys.modules['sympy'] = sys.modules['latex2mathml'] = None\n"
        "from dout.see.formulas import formula_of, formula_of_layer\n"
        "print(formula_of('tanh', 0, 1)['local'], formula_of_layer(object()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["1", "−", "y²", "None"]


def test_the_table_is_json_in_order():
    text = (Path(dout.__file__).parent / "see" / "formulas.json").read_text(encoding="utf-8")
    assert list(table()["operations"]) == sorted(table()["operations"])
    assert json.loads(text) == table()

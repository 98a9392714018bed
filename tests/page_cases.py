"""What the page is asked to compute: every operation, with inputs to move from and to."""

import json
from pathlib import Path

import numpy as np
import scipy.special

import dout
from dout.rules import UFUNCS

COMPUTED = json.loads((Path(dout.__file__).parent / "see" / "page_ops.json").read_text(encoding="utf-8"))["computed"]
#: Numbers at which operations do something of their own.
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, -0.5, 3.0, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-300]
MASK = np.random.default_rng(5).random((2, 3)) < 0.5
WEIGHTS = np.arange(1.0, 25.0)

#: Index expressions of every kind, for an array of shape (3, 3, 4).
KEYS = [
    0, -1, slice(1, None), slice(None, None, -1), slice(None, None, 2), slice(-2, None), slice(5, 1, -1), slice(0, 0), (0, 1),
    (slice(None), 1), (1, slice(0, 2), None), Ellipsis, (Ellipsis, 0), (None, Ellipsis, 1), (slice(None), slice(2, 0, -1)),
    (None, None, 0), (-1, -2, -3), np.array([0, 2, 2]), ([0, 1], [1, 1]), (slice(None), [0, 0, 2]), (0, [1, 2]), ([1, 2], 0),
    (0, slice(None), [1, 2]), ([0, 1], slice(None), [1, 2]), (slice(None), [0, 1], [1, 2]), (slice(None), 0, [1, 2]),
    (0, Ellipsis, [1, 2]), (0, None, [1, 2]), ([[0], [1]], [0, 2]), (Ellipsis, [0, 1], None, [1, 2]), [],
    (slice(None), [[0, 1], [2, 1]]), (np.array([True, False, True]),), (slice(None), np.array([True, False, True])),
    np.random.default_rng(3).random((3, 3, 4)) < 0.5, (np.random.default_rng(3).random((3, 3)) < 0.5, slice(1, 3)),
    (np.array([True, False, True]), slice(None), [1, 1]), (np.int64(1), [0, 1], 1), ([0, 1], Ellipsis, [0, 1], [1, 2]),
    (0, [0, 1], Ellipsis, 0),
]  # fmt: skip
EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij->ji", (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("ij->", (2, 3)), ("i,j", (3,), (2,)),
    ("ij,ij->i", (2, 3), (2, 3)), ("...ij,...jk->...ik", (2, 2, 3), (3, 2)), ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    ("iij->j", (3, 3, 2)), ("...,...", (1, 3), (2, 1)), ("ij,kj->i", (2, 3), (4, 3)),
]  # fmt: skip
PRODUCTS = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)),
]  # fmt: skip


def weighted(y):
    """Another weight for each entry, so that no entry's derivative can stand for another's."""
    return y * WEIGHTS[: y.size].reshape(y.shape)


def written(key):
    def write(x, v):
        y = x * 1.0
        y[key] = v
        return y * np.arange(1.0, 37.0).reshape(3, 3, 4)

    return write


def read(key):
    def read(x):
        y = x[key]
        return y * np.arange(1.0, 1 + y.size).reshape(y.shape)

    return read


def through_transpose(x, v):
    y = x * 1.0
    y.T[0] = v
    np.ravel(y)[1:3] = v[:2]
    return weighted(y)


def added_at(x, v):
    y = x * 1.0
    np.add.at(y, [0, 0, 2], v)
    return weighted(y)


#: Those of one array (a name, a function, the array's shape).
ONE = [
    ("reshape", lambda x: weighted(np.reshape(x, (4, 3))), (3, 4)),
    ("reshape F", lambda x: weighted(np.reshape(x, (2, 6), order="F")), (3, 4)),
    ("reshape -1", lambda x: weighted(x.reshape(2, -1)), (3, 4)),
    ("ravel F", lambda x: weighted(np.ravel(x, order="F")), (3, 4)),
    ("transpose", lambda x: weighted(x.T), (3, 4)),
    ("transpose 3", lambda x: weighted(np.transpose(x, (2, 0, 1))), (2, 3, 4)),
    ("broadcast_to", lambda x: weighted(np.broadcast_to(x, (2, 3, 4))), (3, 1)),
    ("broadcast_to scalar", lambda x: weighted(np.broadcast_to(x, (2, 3))), ()),
    ("squeeze", lambda x: weighted(np.squeeze(np.expand_dims(x, (0, 2)), 0)), (3, 4)),
    ("tile", lambda x: weighted(np.tile(x, (2, 2))), (2, 3)),
    ("flip", lambda x: weighted(np.flip(x)), (2, 3)),
    ("flip 1", lambda x: weighted(np.flip(x, 1)), (2, 3)),
    ("roll", lambda x: weighted(np.roll(x, 2)), (2, 3)),
    ("roll 2", lambda x: weighted(np.roll(x, (1, -2), (0, 1))), (2, 3)),
    ("roll twice", lambda x: weighted(np.roll(x, (1, 5), 1)), (2, 3)),
    ("repeat", lambda x: weighted(np.repeat(x, 2, axis=1)), (2, 3)),
    ("repeat each", lambda x: weighted(np.repeat(x, [0, 3, 1], axis=1)), (2, 3)),
    ("rot90", lambda x: weighted(np.rot90(x)), (2, 3)),
    ("pad", lambda x: weighted(np.pad(x, 1)), (2, 3)),
    ("pad edge", lambda x: weighted(np.pad(x, 1, mode="edge")), (2, 3)),
    ("diagonal", lambda x: weighted(np.diagonal(x, 1)), (3, 4)),
    ("diagonal -1", lambda x: weighted(np.diagonal(x, -1, 2, 0)), (2, 3, 4)),
    ("diag", lambda x: weighted(np.diag(x, 1)), (3,)),
    ("trace", np.trace, (3, 3)),
    ("triu", lambda x: np.triu(x, 1) * 2.0, (3, 3)),
    ("copy", lambda x: np.copy(x) * 2.0, (3, 3)),
    ("norm", np.linalg.norm, (2, 3)),
    ("norm 1", lambda x: np.linalg.norm(x, axis=1), (2, 3)),
    ("norm 2", lambda x: np.linalg.norm(x, axis=(0, 2)), (2, 3, 2)),
    ("norm of 0", lambda x: np.linalg.norm(x * 0.0), (2, 3)),
    ("astype", lambda x: x.astype(np.float64) * 2.0, (3,)),
    ("ldexp", lambda x: np.ldexp(x, np.array([1, -3, 0])), (3,)),
    ("where scalar", lambda x: np.where(True, x, 0.0) * 2, ()),
    ("sinc", np.sinc, (6,)),
    ("sinc near 0", lambda x: np.sinc(x * 0.01), (6,)),
    ("i0", np.i0, (6,)),
    ("log of sum of exp", lambda x: np.log(np.sum(np.exp(x - np.max(x)))), (5,)),
    ("clip", lambda x: np.clip(x, -1, 1), (3, 4)),
    ("fan-out", lambda x: x * x + x * 3 - x / x + x**3, ()),
    ("fan-out of an array", lambda x: x * x + x * 3 - x / (x * x + 1) + x.sum(), (3,)),
    ("an empty part", lambda x: np.sum(x[:0]) + np.prod(x[:0]) + x[0], (3,)),
    ("two outputs", lambda x: (x * 2.0, np.exp(x)), (3,)),
    ("an output twice", lambda x: (lambda y: (y, y))(np.sin(x)), ()),
    ("a long sum", np.sum, (61,)),
    ("a sum of columns", lambda x: np.sum(x, 0), (16, 4)),
]
#: Those of two.
TWO = [
    ("where", lambda x, y: np.where(MASK, x, y), (2, 3), (3,)),
    ("where of a number", lambda x, y: np.where(MASK, x, y), (), (2, 3)),
    ("concatenate 0", lambda x, y: weighted(np.concatenate([x, y, x], axis=0)), (2, 3), (1, 3)),
    ("concatenate 1", lambda x, y: weighted(np.concatenate([x, y], axis=1)), (2, 3), (2, 2)),
    ("concatenate None", lambda x, y: weighted(np.concatenate([x, y], axis=None)), (2, 3), (2, 2)),
    ("stack", lambda x, y: weighted(np.stack([x, y], axis=1)), (2, 3), (2, 3)),
    ("stack of numbers", lambda x, y: np.stack([x, y]), (), ()),
    ("vstack", lambda x, y: weighted(np.vstack([x, y])), (3,), (2, 3)),
    ("write through views", through_transpose, (3, 3), (3,)),
    ("add.at", added_at, (3,), (3,)),
    ("correlate", lambda a, v: np.correlate(a, v), (6,), (3,)),
    ("convolve", lambda a, v: np.convolve(a, v), (4,), (3,)),
    ("outer", np.outer, (3,), (4,)),
    ("inner", np.inner, (2, 3), (4, 3)),
    ("tensordot", lambda x, y: np.tensordot(x, y, ((0, 1), (1, 0))), (2, 3, 4), (3, 2, 2)),
    ("kron", np.kron, (2, 2), (2, 1)),
    ("cross", np.cross, (2, 3), (3,)),
    ("vecdot", np.vecdot, (2, 3), (3,)),
    ("an unused input", lambda x, y: x * 2.0, (), ()),
]
if hasattr(np, "matvec"):  # from NumPy 2.2 on
    TWO += [("matvec", np.matvec, (4, 2, 3), (3,)), ("vecmat", np.vecmat, (2,), (4, 2, 3))]
#: SciPy's special functions that the page knows, and where they are drawn.
SCIPY = {
    "erf": (-7, 7), "erfc": (-7, 26), "ndtr": (-7, 7), "expit": (-9, 9), "logit": (0.01, 0.99), "log_expit": (-9, 9),
    "exp10": (-9, 9), "cosm1": (-1, 1), "entr": (0, 3), "rel_entr": (0.01, 3), "xlogy": (0, 3), "xlog1py": (-0.9, 3),
    "huber": (0.1, 3), "pseudo_huber": (0.1, 3), "softplus": (-9, 9),
}  # fmt: skip
_TWO_INPUTS = {"rel_entr", "xlogy", "xlog1py", "huber", "pseudo_huber"}


def all_cases():
    """(label, function, arguments, arguments moved to)."""
    rng = np.random.default_rng(0)

    def array(*shape, low=-2.0, high=2.0):
        return rng.uniform(low, high, shape) if shape else float(rng.uniform(low, high))

    def twice(label, f, draw):
        return (label, f, draw(), draw())

    for ufunc in UFUNCS:
        if ufunc.__name__ not in COMPUTED or is_scipys(ufunc) or ufunc is np.ldexp:
            continue
        shapes = [[(2, 3), (3,)], [(2, 1), (1, 3)], [(3,), ()], [(2, 2), (2, 2)]]
        for k, shape in enumerate(shapes):
            yield twice(f"{ufunc.__name__} {k}", ufunc, lambda u=ufunc, s=shape: [array(*s[i]) for i in range(u.nin)])
        yield twice(ufunc.__name__, ufunc, lambda u=ufunc: [np.float64(array(low=0, high=30)) for _ in range(u.nin)])
        for k in range(3):
            draw = lambda u=ufunc: [rng.choice(SPECIAL, 8) for _ in range(u.nin)]  # noqa: E731
            yield twice(f"{ufunc.__name__} special {k}", ufunc, draw)
    for name, (low, high) in SCIPY.items():
        function = getattr(scipy.special, name, None)
        if function is not None:
            n = 2 if name in _TWO_INPUTS else 1
            for size in (1, 0.1, 0.01):
                near = lambda s=size, n=n, lo=low, hi=high: [array(6, low=lo, high=hi) * s for _ in range(n)]  # noqa: E731
                yield twice(f"{name} {size}", function, near)
    for axis in (None, 0, 1, 2, (0, 2), (1, 2), -1, (0, 1, 2)):
        for kept in (False, True):
            for reduce in (np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.ptp):
                f = lambda x, r=reduce, a=axis, k=kept: r(x, axis=a, keepdims=k)  # noqa: E731
                yield twice(f"{reduce.__name__} {axis} {kept}", f, lambda: [array(2, 3, 4)])
    for axis in (None, 0, 1):
        for run in (np.cumsum, np.cumprod):
            yield twice(f"{run.__name__} {axis}", lambda x, r=run, a=axis: r(x, axis=a), lambda: [array(3, 4)])
    for reduce in (np.max, np.min, np.prod, np.sum, np.cumprod):
        f = lambda x, r=reduce: r(x, axis=1)  # noqa: E731
        yield twice(f"{reduce.__name__} of ties and zeros", f, lambda: [rng.integers(0, 3, (3, 4)).astype(float)])
        holes = lambda: [np.where(rng.random((3, 4)) < 0.2, np.nan, array(3, 4))]  # noqa: E731
        yield twice(f"{reduce.__name__} of NaN", f, holes)
    for k, key in enumerate(KEYS):
        yield twice(f"getitem {k} {key}", read(key), lambda: [array(3, 3, 4)])
        yield twice(f"write {k} {key}", written(key), lambda: [array(3, 3, 4), array()])
    for label, f, *shapes in [*ONE, *TWO]:
        yield twice(label, f, lambda s=shapes: [array(*shape) for shape in s])
    for subscripts, *shapes in EINSUMS:
        f = lambda *x, e=subscripts: np.einsum(e, *x) * 1.0  # noqa: E731
        yield twice(f"einsum {subscripts}", f, lambda s=shapes: [array(*shape) for shape in s])
    for left, right in PRODUCTS:
        yield twice(f"matmul {left} {right}", np.matmul, lambda a=left, b=right: [array(*a), array(*b)])
    for n in (0.0, -1.0, 0.5, 2, 3, -2, 10, 70):
        yield twice(f"x ** {n}", lambda x, n=n: x**n, lambda: [array(low=0.1, high=3)])
    yield twice("2 ** x", lambda x: 2.0**x + 3**x, lambda: [array()])
    ints = lambda: [int(rng.integers(1, 20)), int(rng.integers(1, 20)), int(rng.integers(-20, -1))]  # noqa: E731
    for k in range(3):
        yield twice(f"ints {k}", lambda a, b, c: a * b + a**3 - c * c * c + b % c + a / b, ints)
    yield ("apples", lambda apple, number, tax: apple * number * tax, [100, 2, 1.1], [150, 3, 1.25])


def is_scipys(ufunc):
    return getattr(np, ufunc.__name__, None) is not ufunc

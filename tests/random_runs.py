"""Runs of random functions compared: jit by native code and by NumPy, the eager run, and JAX.

A result may be off by 1e-12 of its largest entry in double precision (1e-5 in single), and no more than a hundred times as
far as eager results move when each value on the way is off by one rounding: that is what a sum of thousands of entries in
another order, or a function that is wrong by two units in the last place, can do.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special
from random_graphs import Graph

import dout
from dout.errors import LOST
from dout.jit import jit
from dout.tree import flatten

QUICK = {"float64": 1e-12, "float32": 1e-5}
MORE_THAN_ROUNDING = 100


class Fault(Exception):
    """What is wrong with a function's results."""


def function(graph: Graph, noise: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
    names: dict[str, Any] = {"np": np, "special": scipy.special, "noise": noise}
    exec(compile(graph.source(noise=noise is not None), "<random>", "exec"), names)
    return names["f"]


def floats(graph: Graph) -> tuple[int, ...]:
    """Which arguments there are derivatives of: all but indices."""
    return tuple(i for i, a in enumerate(graph.args.values()) if np.result_type(a).kind == "f")


def derivative(f: Callable[..., Any], which: int | tuple[int, ...]) -> Callable[..., Any]:
    """The sum of the squares of all results, and its derivatives: of the first so many arguments, or of these."""
    argnums = tuple(range(which)) if isinstance(which, int) else which

    def loss(*args: Any) -> Any:
        total = 0.0
        for out in f(*args):
            total = total + np.sum(out * out)
        return total

    return dout.value_and_grad(loss, argnums=argnums)


def noisy(graph: Graph, seed: int) -> Callable[..., Any]:
    """The function with each value on the way off by a rounding or less."""
    rng = np.random.default_rng(seed)
    eps = float(np.finfo(graph.narrowest).eps)

    def noise(value: Any) -> Any:
        if np.result_type(value).kind != "f":
            return value
        factor = 1 + eps * rng.uniform(-1, 1, np.shape(value))
        return value * np.asarray(factor).astype(np.result_type(value))[()]

    return function(graph, noise)


def leaves(found: Any) -> list[Any]:
    return list(flatten(found)[0])


def far(found: Sequence[Any], expected: Sequence[Any], rtol: float, slack: Sequence[float] | None = None) -> str:
    """Empty if they agree, or what differs."""
    if len(found) != len(expected):
        return f"{len(found)} results instead of {len(expected)}"
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return f"result {i} has shape {a.shape} instead of {b.shape}"
        if b.dtype.kind != "f":
            if not np.array_equal(a, b):
                return f"result {i}: {a} instead of {b}"
            continue
        a, b = a.astype(float), b.astype(float)
        fine = np.isfinite(b)
        if not np.array_equal(a[~fine], b[~fine], equal_nan=True) or not np.isfinite(a[fine]).all():
            wrong = ~((a == b) | (np.isnan(a) & np.isnan(b)) | (fine & np.isfinite(a)))
            return f"result {i} is not finite elsewhere: {_few(a[wrong])} instead of {_few(b[wrong])}"
        scale = max(1.0, float(np.max(np.abs(b[fine]), initial=0)))
        off = float(np.max(np.abs(a[fine] - b[fine]), initial=0))
        if off > rtol * scale + (slack[i] if slack else 0.0):
            wrong = np.abs(np.where(fine, a - b, 0)) >= off
            return f"result {i} is off by {off:.2e} of {scale:.2e}: {_few(a[wrong])} instead of {_few(b[wrong])}"
    return ""


def _few(a: np.ndarray) -> str:
    return np.array2string(a.ravel()[:6], precision=17)


def same_kinds(found: Sequence[Any], expected: Sequence[Any]) -> str:
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        if type(a) is not type(b) or np.result_type(a) != np.result_type(b):
            return f"result {i} is a {type(a).__name__} of {np.result_type(a)}, not a {type(b).__name__} of {np.result_type(b)}"
    return ""


def spread(graph: Graph, args: Sequence[Any], expected: Sequence[Any], of: Callable[..., Any]) -> list[float] | None:
    """How far eager results move by rounding; None if they become something else altogether."""
    moved = [0.0] * len(expected)
    for seed in range(4):
        found = run(of(noisy(graph, seed)), args)
        if isinstance(found, Exception):
            return None
        there = leaves(found)
        for i, (a, b) in enumerate(zip(there, expected, strict=True)):
            if np.shape(a) != np.shape(b) or not np.array_equal(np.isfinite(a), np.isfinite(b)):
                return None
            a, b = np.asarray(a, float), np.asarray(b, float)
            moved[i] = max(moved[i], float(np.max(np.abs(a - b)[np.isfinite(b)], initial=0)))
    return [MORE_THAN_ROUNDING * m for m in moved]


def run(f: Callable[..., Any], args: Sequence[Any]) -> Any:
    """The results, or the kind of the error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return f(*args)
        except Exception as error:
            return error


def hold(graph: Graph, jax: bool = False, backends: Sequence[str] = ("native", "numpy")) -> bool:
    """Compare every way of running a function; returns whether JAX was asked.

    Raises:
        Fault: saying which run differs, and how.
    """
    f = function(graph)
    asked = False
    for what, of in (("the function", lambda g: g), ("its derivative", lambda g: derivative(g, floats(graph)))):
        plain = of(f)
        calls = [list(graph.args.values()), list(graph.others.values())]
        kept = [[np.array(a) for a in args] for args in calls]
        expected = [run(plain, args) for args in calls]
        for backend in backends:
            _hold_jit(graph, of, plain, calls, expected, f"{what} by jit ({backend})", backend)
        for args, before in zip(calls, kept, strict=True):
            if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(args, before, strict=True)):
                raise Fault(f"{what}: an argument was changed")
        finite = all(np.isfinite(a).all() for a in calls[0])  # of infinities JAX makes NaN elsewhere than NumPy
        finite = finite and not any(map(has_subnormals, calls[0]))  # which XLA takes for 0 in some functions
        if jax and finite and graph.in_jax() and not isinstance(expected[0], Exception):
            asked |= _hold_jax(graph, of, calls[0], leaves(expected[0]), what)
    return asked


def has_subnormals(given: Any) -> bool:
    """Whether some entries are nearer to 0 than numbers with all their digits."""
    a = np.asarray(given)
    return a.dtype.kind == "f" and bool(np.any((a != 0) & (np.abs(a) < np.finfo(a.dtype).tiny)))


def _hold_jit(graph: Graph, of: Any, plain: Any, calls: Any, expected: Any, what: str, backend: str) -> None:
    fast = jit(plain, backend=backend)
    earlier: list[tuple[Any, list[np.ndarray]]] = []
    for turn, which in enumerate((0, 1, 0, 1)):
        args, right = calls[which], expected[which]
        found = run(fast, args)
        said = f"{what}, call {turn + 1}"
        if isinstance(right, Exception) or isinstance(found, Exception):
            if isinstance(right, TypeError) and LOST in str(right) and not isinstance(found, Exception):
                continue  # what would be lost eagerly, jit can record
            if type(found) is not type(right):
                raise Fault(f"{said}: {_told(found)} instead of {_told(right)}")
            continue
        ours, theirs = leaves(found), leaves(right)
        problem = same_kinds(ours, theirs) if len(ours) == len(theirs) else ""
        problem = problem or far(ours, theirs, QUICK[graph.narrowest])
        if (problem and "off by" in problem) or "not finite" in problem:
            slack = spread(graph, args, theirs, of)
            problem = "" if slack is None else far(ours, theirs, QUICK[graph.narrowest], slack)
        if problem:
            raise Fault(f"{said}: {problem}")
        given = [a for a in args if isinstance(a, np.ndarray)]
        mine = [a for a in ours if isinstance(a, np.ndarray)]
        if any(not a.flags.writeable for a in mine):
            if "runs as it is" in str(run(fast.report, args)):
                continue  # then the results are the function's own
            raise Fault(f"{said}: a result is read-only")
        if any(np.may_share_memory(a, g) for a in mine for g in given):
            raise Fault(f"{said}: a result lies in an argument's memory")
        earlier.append((ours, [np.array(a) for a in ours]))
    for ours, copies in earlier:
        if any(
            not np.array_equal(a, b, equal_nan=np.result_type(a).kind == "f") for a, b in zip(ours, copies, strict=True)
        ):
            raise Fault(f"{what}: a later call changed an earlier result")
    if backend == "native":
        variant = run(fast.report, calls[0])
        if "could not be made" in str(variant):
            raise Fault(f"{what}: {str(variant).splitlines()[0]}")


def _told(found: Any) -> str:
    if isinstance(found, Exception):
        last = traceback.extract_tb(found.__traceback__)[-1]
        return f"{type(found).__name__}: {found} ({last.filename.rpartition('/')[2]}:{last.lineno})"
    return _few(np.asarray(leaves(found)[0], dtype=float))


def _hold_jax(graph: Graph, of: Any, args: Sequence[Any], expected: Sequence[Any], what: str) -> bool:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    names: dict[str, Any] = {"jnp": jnp, "np": np}
    exec(compile(graph.source("jnp"), "<random jax>", "exec"), names)
    f = names["f"]
    if what != "the function":
        plain = f
        f = jax.value_and_grad(lambda *xs: sum((jnp.sum(o * o) for o in plain(*xs)), 0.0), argnums=floats(graph))
    try:
        found = [np.asarray(a) for a in jax.tree.leaves(jax.jit(f)(*map(jnp.asarray, args)))]
    except Exception:  # what JAX can't say
        return False
    if [a.dtype for a in found] != [np.asarray(b).dtype for b in expected]:
        return False  # JAX has other rules for mixed widths
    problem = far(found, expected, 10 * QUICK[graph.narrowest])
    if problem and not problem.startswith("result 0 has shape"):
        slack = spread(graph, args, expected, of)
        problem = "" if slack is None else far(found, expected, 10 * QUICK[graph.narrowest], slack)
    if problem:
        raise Fault(f"{what} in JAX: {problem}")
    return True

"""Every batching rule gives what the operation gives for one example after another; every primitive has a rule, or a reason."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from types import MethodType

import numpy as np
import oracles
import pytest

import dout
from dout import mapped  # noqa: F401  it says of which class the handles are
from dout.batching import running
from dout.batching.registry import CALLS, ONE_BY_ONE, RULES, Batch, NoRule, Operand
from dout.graph import Custom, Primitive, form
from dout.mapper import Mapper, Outside, Step
from dout.recorded_ops import CALL, INT, REPLACE_FLAT, STOP, TAKEN, TRUTH, flat_op, gather, replace, scatter_add
from dout.recording import AS_KIND
from dout.rules import (
    UFUNCS,
    calculus,
    einsum,
    elementwise,
    fft,
    indexing,
    linalg,
    norms,
    products,
    reductions,
    shaping,
    vectors,
)
from dout.rules.eigenvalues import eigh, eigvalsh
from dout.rules.least_squares import pinv
from dout.rules.order_statistics import quantile
from dout.rules.qr import qr
from dout.rules.singular_values import svd, svdvals
from dout.tree import flatten

for module in pkgutil.iter_modules(dout.rules.__path__, "dout.rules."):
    importlib.import_module(module.name)

N = 4
V = oracles.array(N, 3)
M = oracles.array(N, 3, 3) + 3 * np.eye(3)
T = oracles.array(N, 2, 3, 3) + 3 * np.eye(3)
P = np.matmul(M, np.swapaxes(M, -1, -2))
S = oracles.array(N)
Z = V + 1j * oracles.array(N, 3, seed=2)
I = np.array([[0, 2], [1, 1], [2, 0], [0, 0]])  # noqa: E741
J = np.array([0, 2, 1, 2])


def key(*parts):
    return (True, *parts)


#: An operation, its inputs for all examples, and parameters. Inputs in a list are the same for all examples.
CASES = [
    (elementwise.where, (V > 0, V, S), {}), (elementwise.where, (V > 0, [V[0]], S), {}),
    (elementwise.real, (Z,), {}), (elementwise.imag, (Z,), {}), (elementwise.angle, (Z,), {}),
    (elementwise.astype, (V,), {"dtype": np.dtype("f4")}), (calculus.sinc, (M,), {}), (calculus.i0, (V,), {}),
    (calculus.sliding, (V, V[:, :2]), {}), (calculus.sliding, (V, [V[0, :2]]), {}),
    (calculus.sliding, ([V[0]], V[:, :2]), {}),
    (indexing.scatter, (V,), {"key": np.array([0, 2, 0]), "shape": (3,)}),
    (indexing.scatter, (V,), {"key": (np.array([0, 2, 0]), np.array([1, 1, 0])), "shape": (3, 2)}),
    (indexing.scatter, (M,), {"key": (slice(None), np.array([0, 2, 0])), "shape": (3, 4)}),
    (indexing.scatter, (V[:, :2],), {"key": (slice(0, 2), 1), "shape": (3, 3)}),
    (indexing.scatter, (V,), {"key": np.array([True, False, True, True]), "shape": (4,)}),
    *[(indexing.getitem, (T,), {"key": k, "shape": (2, 3, 3)}) for k in [
        0, (0, 1), (slice(None), 1), (Ellipsis, 1), (None, 0), (slice(None), None, slice(1, None)), (Ellipsis,), (), -1,
        np.array([1, 0]), (np.array([1, 0]), slice(None), np.array([2, 1])), (slice(None), np.array([1, 0])),
        (slice(None), np.array([1, 0]), np.array([[2], [1]])), (0, slice(None), np.array([2, 1])),
        (Ellipsis, np.array([0, 2])),
        np.array([True, False]), (slice(None), np.array([True, False, True])), (np.array([[1, 0]]), None),
        np.ones((2, 3), bool),
        (1, np.array([0, 1])), (slice(None), 0, np.array([0, 1])),
    ]],
    *[(gather, (T, *i), {"key": key(*k), "shape": (2, 3, 3)}) for k, i in [
        ((TAKEN,), [J % 2]), ((TAKEN, TAKEN), [J % 2, J]), ((slice(None), TAKEN), [J]), ((slice(None), TAKEN), [I]),
        ((TAKEN, slice(None), TAKEN), [I % 2, I]), ((0, slice(None), TAKEN), [I]), ((Ellipsis, TAKEN), [I]),
        ((TAKEN, None), [I % 2]),
        ((slice(None), TAKEN, TAKEN), [I, J]), ((slice(None), 1, TAKEN), [J]), ((TAKEN, slice(None), 1), [J % 2]),
        ((np.array([1, 0]), slice(None), TAKEN), [I]), ((slice(1), TAKEN, slice(1, None)), [I]),
    ]],
    (gather, ([T[0]], I), {"key": key(slice(None), TAKEN), "shape": (2, 3, 3)}),
    (gather, ([T[0]], I % 2, J), {"key": key(TAKEN, slice(None), TAKEN), "shape": (2, 3, 3)}),
    (gather, ([V[0]], J), {"key": (False, TAKEN), "shape": (3,)}),
    (gather, (V, [I[0]]), {"key": (False, TAKEN), "shape": (3,)}),
    (scatter_add, (V[:, :2], I), {"key": (False, TAKEN), "shape": (3,)}),
    (scatter_add, ([V[0, :2]], I), {"key": (False, TAKEN), "shape": (3,)}),
    (scatter_add, (M[:, :, :2], I), {"key": key(slice(None), TAKEN), "shape": (3, 3)}),
    (scatter_add, (np.swapaxes(M, 1, 2)[:, :2], I % 2, J), {"key": key(TAKEN, slice(None), TAKEN), "shape": (2, 3, 3)}),
    (scatter_add, (V[:, :2, None], [I[0]]), {"key": key(TAKEN, None), "shape": (3,)}),
    (replace, (V, S, J), {"key": (False, TAKEN)}), (replace, ([V[0]], S, J), {"key": (False, TAKEN)}),
    (replace, (V, [7.0], J), {"key": (False, TAKEN)}), (replace, (M, V, J), {"key": (False, TAKEN)}),
    (replace, (M, M[:, :, :2], I), {"key": key(slice(None), TAKEN)}),
    (replace, (M, [V[0, :2]], I), {"key": key(slice(None), TAKEN)}),
    (replace, (T, V[:, :2, None], I % 2, I), {"key": key(TAKEN, slice(None), TAKEN)}),
    (replace, (M, [0.0], M > 1), {"key": (False, TAKEN)}), (replace, (M, S, V > 1), {"key": (False, TAKEN)}),
    (REPLACE_FLAT, (V > 0, [True], I), {"key": (False, TAKEN)}),
    (indexing.write, (V, S), {"through": indexing.getitem, "how": {"key": 1, "shape": (3,)}}),
    (indexing.write, ([V[0]], S), {"through": indexing.getitem, "how": {"key": slice(1, None), "shape": (3,)}}),
    (indexing.write, (M, [V[0]]), {"through": indexing.getitem, "how": {"key": np.array([0, 2]), "shape": (3, 3)}}),
    (indexing.write, (M, V), {"through": shaping.transpose, "how": {"axes": (1, 0)}}),
    (indexing.write, (M, S), {"through": shaping.reshape, "how": {"shape": (-1,), "order": "C", "old": (3, 3)}}),
    (indexing.write, (Z, V), {"through": elementwise.imag, "how": {}}),
    (indexing.write, (M, V),
    {"through": einsum.contract, "how": {"inputs": [[0, 0]], "result": [0], "optimize": False}}),
    (indexing.diagonal, (T,), {"shape": (2, 3, 3), "offset": 1, "axes": (1, 2)}),
    (reductions.total, (T,), {"axes": (0, 2), "keepdims": True}),
    (reductions.total, (S,), {"axes": (), "keepdims": False}),
    (reductions.product, (T,), {"axes": (1,), "keepdims": False}),
    (reductions.greatest, (T,), {"axes": (0, 1, 2), "keepdims": False}),
    (reductions.least, (T,), {"axes": (2,), "keepdims": False}), (reductions.running_sum, (T,), {"axis": 1}),
    (reductions.running_product, (T,), {"axis": 2}),
    (shaping.reshape, (M,), {"shape": (9,), "order": "C", "old": (3, 3)}),
    (shaping.reshape, (S,), {"shape": (1, 1), "order": "C", "old": ()}),
    (shaping.reshape, (T,), {"shape": (6, -1), "order": "F", "old": (2, 3, 3)}),
    (shaping.transpose, (T,), {"axes": (2, 0, 1)}),
    (shaping.broadcast_to, (V,), {"shape": (2, 3)}), (shaping.broadcast_to, (S,), {"shape": (2,)}),
    (shaping.concatenate, (V, [V[0]], V), {"axis": 0, "widths": (3, 3, 3)}),
    (shaping.concatenate, (M, T[:, 0]), {"axis": 1, "widths": (3, 3)}),
    (shaping.flip, (T,), {"axes": (0, 2)}), (shaping.roll, (T,), {"shift": 1, "axis": -1}),
    (shaping.roll, (T,), {"shift": (1, 2), "axis": (0, -1)}),
    (shaping.repeat, (M,), {"counts": np.array([1, 0, 2]), "axis": 1}),
    (shaping.copy, (M,), {"order": "F"}), (shaping.copy, (S,), {"order": "K"}),
    *[(products.product, (x, y), {"ndims": (0, 0)}) for x, y in [
        (V, V), (V, [V[0]]), ([V[0]], V), (M, V), (M, [V[0]]), ([M[0]], V), (V, M), (V, [M[0]]), ([V[0]], M), (M, M),
        (M, [M[0]]),
        ([M[0]], M), (T, T), (T, [M[0]]), ([T[0]], M), (T, M), (M, T), ([M[0]], T), (V, T), (T, V), (V, [T[0]]),
        ([T[0]], V),
    ]],
    (einsum.contract, (M, V), {"inputs": [[0, 1], [1]], "result": [0], "optimize": False}),
    (einsum.contract, ([M[0]], V), {"inputs": [[0, 1], [1]], "result": [], "optimize": True}),
    (einsum.contract, (T,), {"inputs": [[-1, 5, 5]], "result": [-1, 5], "optimize": False}),
    (linalg.inv, (T,), {}), (linalg.det, (M,), {}), (linalg.slogdet, (M,), {}),
    (linalg.cholesky, (P,), {"upper": False}),
    (linalg.solve, (M, M), {}), (linalg.solve, ([M[0]], M), {}), (linalg.solve, (M, [M[0]]), {}),
    (linalg.solve, (T, M), {}),
    (linalg.solve, ([T[0]], M), {}), (eigh, (P,), {"uplo": "L", "inner": False}), (eigvalsh, (P,), {"uplo": "U"}),
    (svd, (M,), {"full": True, "inner": False}), (svdvals, (T,), {"quiet": False}), (qr, (M,), {"complete": False}),
    (pinv, (M,), {"rcond": 1e-15, "hermitian": False}), (norms.length, (M,), {"axes": None}),
    (norms.length, (T,), {"axes": None}),
    (norms.length, (V,), {"axes": None}), (norms.length, (M,), {"axes": (1,)}),
    (norms.length, (T,), {"axes": (0, 2)}), (norms.length, (S,), {"axes": None}),
    (vectors.cross, (V, M), {}), (vectors.vecdot, (V, M), {}), (vectors.vecdot, ([V[0]], M), {}),
    (vectors.matvec, (M, T[..., 0]), {}),
    (vectors.matvec, ([M[0]], V), {}), (vectors.vecmat, (V, T), {}),
    *[(op, (V,), {"n": 4, "axis": 0, "norm": None, "size": 3}) for op in (fft.fft, fft.ifft, fft.rfft, fft.irfft)],
    (AS_KIND, (S.astype("f4"),), {"kind": float}), (AS_KIND, (S,), {"kind": np.ndarray}),
    (AS_KIND, (S,), {"kind": np.float64}),
    (quantile, (T,), {"run": lambda x, ahead=0: np.median(x, axis=(ahead, ahead + 2)), "axes": (0, 2)}),
    (quantile, (V,), {"run": lambda x, ahead=0: np.quantile(x, 0.3, axis=ahead), "axes": (0,)}),
    (STOP, (V,), {}), (TRUTH, (S,), {}), (INT, (S * 10,), {}),
    (flat_op(elementwise.astype.forward, "cast"), (V,), {"dtype": np.dtype(int)}),
    (flat_op(np.less), (V, S), {}), (flat_op(np.invert), (V > 0,), {}),
    (UFUNCS[np.multiply], (V, S), {}), (UFUNCS[np.arctan2], (M, [V[0]]), {}),
    (UFUNCS[np.power], (np.abs(V), [2.0]), {}),
]  # fmt: skip


def called(function, *args, **kwargs):
    """A call of a function that no derivative passes through,
    as it is recorded; arrays are what depends on the example."""
    flat, rebuild = flatten((args, kwargs))
    inputs = tuple([a for a in flat if isinstance(a, np.ndarray)])
    places = tuple([None if isinstance(a, np.ndarray) else (a,) for a in flat])
    return CALL, inputs, {"function": function, "rebuild": rebuild, "places": places}


CASES += [
    *[called(f, V) for f in (np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.any, np.all, np.ptp,
    np.count_nonzero)],
    *[called(f, T, axis=1) for f in (np.sum, np.max, np.any, np.count_nonzero, np.argmax, np.argmin, np.cumsum,
    np.argsort, np.sort)],
    called(np.sum, T, (0, -1), keepdims=True), called(np.argmax, T), called(np.argmin, T, -1), called(np.cumsum, T),
    called(np.cumprod, T, 0), called(np.argsort, T), called(np.argsort, T, None), called(np.sort, V, kind="stable"),
    called(np.amax, M, 0), called(np.amin, M, 0),
    called(np.round, V, 1), called(np.clip, I, 0, 1), called(np.where, V > 0, S, 1.0), called(np.isclose, V, S),
    called(np.divmod, V, 0.5),
    called(np.searchsorted, (0.0, 1.0), V), called(np.digitize, V, (0.0, 1.0)), called(np.isin, I, (0, 2)),
    called(np.interp, V, (-2.0, 0.0, 2.0), (1.0, 0.0, 5.0)), called(np.take, ((1, 2), (3, 4), (5, 6)), I, axis=0),
    called(np.take, ((1, 2), (3, 4), (5, 6)), I), called(np.reshape, M, (9, -1)), called(np.ravel, M),
    called(np.expand_dims, I, 0),
    called(np.squeeze, I[:, None]), called(np.transpose, T), called(np.transpose, T, (0, -1, 1)), called(np.add, I, 1),
]  # fmt: skip


def one_by_one(op, inputs, params):
    """The values for all examples, and what the operation is told of one."""
    operands = [Operand(x[0], False) if isinstance(x, list) else Operand(x, True) for x in inputs]
    if op is products.product:
        params = {"ndims": tuple(x.ndim for x in operands)}
    results = [op.forward(*[x.value[i] if x.batched else x.value for x in operands], **params) for i in range(N)]
    shape, dtype = form(results[0])
    if isinstance(results[0], tuple):
        dtype = tuple(form(r)[1] for r in results[0])
    step = Step(op, tuple(Outside(None) for _ in operands), params, shape, dtype)
    return operands, results, step


@pytest.mark.parametrize("case", CASES, ids=[f"{i} {op.name}" for i, (op, _, _) in enumerate(CASES)])
def test_a_rule_does_what_is_done_to_one_after_another(case) -> None:
    """To a few roundings: products and sums may be added in another order; 0, 1 and -1 times are exact anyway."""
    operands, results, step = one_by_one(*case)
    rule = running.rule_of(step)
    assert rule is not None
    found = rule(step.op, Batch(N, step.shape), step.params, *operands)
    pairs = zip(found, zip(*results, strict=True), strict=True) if isinstance(found, tuple) else [(found, results)]
    dtypes = step.dtype if isinstance(step.dtype, tuple) else [step.dtype]
    for (a, b), dtype in zip(pairs, dtypes, strict=True):
        a = running._in_dtype(a, dtype)
        assert a.shape == np.stack(b).shape
        assert a.dtype == np.stack(b).dtype
        np.testing.assert_allclose(a, np.stack(b), 1e-12, 1e-13)


@pytest.mark.parametrize("case", CASES, ids=[f"{i} {op.name}" for i, (op, _, _) in enumerate(CASES)])
def test_one_after_another_is_right_too(case) -> None:
    """The way without a rule, which the machinery takes where there is none."""
    operands, results, step = one_by_one(*case)
    runs = running.Running(Mapper(), [], N, None)
    found = runs._one_by_one(step.op, step, operands)
    assert found.batched
    assert runs.n == N
    values = found.value if isinstance(found.value, tuple) else (found.value,)
    for a, b in zip(values, zip(*results, strict=True) if isinstance(results[0], tuple) else [results], strict=True):
        np.testing.assert_array_equal(a, np.stack(b))


def primitives():
    """All that there are, by the tables' own objects.

    Not those that one call made for itself (a layer's, a checkpoint's, a solver's: its derivative is a method or a function
    within that call): a test that ran before may have left one to the collector.
    """
    gc.collect()
    found = {id(o): o for o in gc.get_objects() if isinstance(o, Primitive) and not isinstance(o, Custom)}
    ours = [o for o in found.values() if not str(getattr(o.forward, "__module__", "")).startswith("test")]
    return [
        o for o in ours if not (isinstance(o.joint, MethodType) or "<locals>" in getattr(o.joint, "__qualname__", ""))
    ]


def test_every_primitive_has_a_rule_or_a_reason() -> None:
    missing = set()
    for op in primitives():
        if op in RULES or op.elementwise or op is CALL or op.flat or op.name in ONE_BY_ONE:
            continue
        missing.add(op.name)
    assert not missing
    assert not {op.name for op in RULES} & set(ONE_BY_ONE)


def test_every_rule_is_tested() -> None:
    tested = {op for op, _, _ in CASES}
    assert {op.name for op in RULES if op not in tested and op.name not in ("pick", "identity")} == set()
    functions = {params["function"] for op, _, params in CASES if op is CALL}
    assert set(CALLS) <= functions


def test_a_rule_says_what_it_does_not_know() -> None:
    for op, inputs, params in [
        called(np.sum, V, where=V > 0),
        called(np.argmax, (1, 2), out=V),
        called(np.searchsorted, V, S),
        (calculus.sliding, (np.ones((N, 80)), np.ones((N, 70))), {}),
        (replace, (I, [0.5], I > 0), {"key": (False, TAKEN)}),
    ]:
        operands = [Operand(x[0], False) if isinstance(x, list) else Operand(x, True) for x in inputs]
        step = Step(op, (), params, (), np.dtype(float))
        with pytest.raises(NoRule):
            running.rule_of(step)(op, Batch(N, ()), params, *operands)

"""Batching rules of products and of linear algebra.

Decompositions take stacks of matrices as they are. Products with what is the same for all examples are one large product.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy

from ..graph import Primitive, shape_of
from ..rules.eigenvalues import eigh, eigvalsh
from ..rules.einsum import contract
from ..rules.least_squares import pinv
from ..rules.linalg import cholesky, det, inv, slogdet, solve
from ..rules.products import product
from ..rules.qr import qr
from ..rules.singular_values import svd, svdvals
from ..rules.vectors import cross, matvec, vecdot, vecmat
from .registry import PARAMS, Batch, NoRule, Operand, batching, one_by_one, with_params

np: Any = numpy  # NumPy's stubs know arrays only, and rules run on Variables too
Params = Mapping[str, Any]

for _op in (inv, det, slogdet, cholesky, eigh, eigvalsh, svd, svdvals, qr):
    with_params(_op, lambda n, params: dict(params))
    del PARAMS[_op]


@batching(pinv)
def _pinv(op: Primitive, batch: Batch, params: Params, a: Operand) -> Any:
    if np.ndim(params["rcond"]):
        raise NoRule
    return pinv(a.value, **params)


@batching(product)
def _product(op: Primitive, batch: Batch, params: Params, x: Operand, y: Operand) -> Any:
    n = batch.n
    if x.ndim == 1 and y.ndim == 1:
        if x.batched and y.batched:
            return contract(x.value, y.value, inputs=[[0, 1], [0, 1]], result=[0], optimize=False)
        return np.matmul(x.value, y.value) if x.batched else np.matmul(y.value, x.value)
    if not y.batched and y.ndim <= 2:  # rows of all examples, one below another
        rows = np.reshape(x.value, (n * prod(x.shape[:-1]), x.shape[-1])) if x.ndim > 1 else x.value
        return np.reshape(np.matmul(rows, y.value), (n, *batch.shape))
    if not x.batched and x.ndim == 2 and y.ndim == 1:
        return np.matmul(y.value, np.transpose(x.value))
    ndim = max(x.ndim, y.ndim, 2)
    left = np.expand_dims(x.value, -2) if x.ndim == 1 else x.value
    right = np.expand_dims(y.value, -1) if y.ndim == 1 else y.value
    both = np.matmul(Operand(left, x.batched).lined(ndim), Operand(right, y.batched).lined(ndim))
    return np.reshape(both, (n, *batch.shape))


@batching(contract)
def _contract(op: Primitive, batch: Batch, params: Params, *operands: Operand) -> Any:
    inputs, result = params["inputs"], params["result"]
    new = max([x for term in (*inputs, result) for x in term], default=0) + 1  # a label for the batch
    terms = [[new, *term] if x.batched else list(term) for x, term in zip(operands, inputs, strict=True)]
    path = params["optimize"]
    return contract(
        *[x.value for x in operands],
        inputs=terms,
        result=[new, *result],
        optimize=path if isinstance(path, bool | str) else True,
    )


def _contracted(n: int, params: Params) -> dict[str, Any]:
    (term,), result = params["inputs"], params["result"]
    new = max([*term, *result], default=0) + 1
    return {"inputs": [[new, *term]], "result": [new, *result], "optimize": params["optimize"]}


PARAMS[contract] = _contracted


@batching(solve)
def _solve(op: Primitive, batch: Batch, params: Params, a: Operand, b: Operand) -> Any:
    if (
        not a.batched and a.ndim == 2 and b.ndim == 2
    ):  # one matrix, with the right sides of all examples beside one another
        n, rows, columns = shape_of(b.value)
        sides = np.reshape(np.transpose(b.value, (1, 0, 2)), (rows, n * columns))
        return np.transpose(np.reshape(solve(a.value, sides), (rows, n, columns)), (1, 0, 2))
    ndim = max(a.ndim, b.ndim)
    return solve(a.lined(ndim), b.lined(ndim))


@batching(cross, vecdot)
def _of_vectors(op: Primitive, batch: Batch, params: Params, x: Operand, y: Operand) -> Any:
    ndim = max(x.ndim, y.ndim)
    return op(x.lined(ndim), y.lined(ndim))


@batching(matvec)
def _matvec(op: Primitive, batch: Batch, params: Params, a: Operand, x: Operand) -> Any:
    ndim = max(a.ndim - 2, x.ndim - 1)
    return op(a.lined(ndim + 2), x.lined(ndim + 1))


@batching(vecmat)
def _vecmat(op: Primitive, batch: Batch, params: Params, x: Operand, a: Operand) -> Any:
    ndim = max(a.ndim - 2, x.ndim - 1)
    return op(x.lined(ndim + 1), a.lined(ndim + 2))


one_by_one("whether a result is complex depends on the matrix", "eig", "eigvals")
one_by_one("NumPy has it for one matrix only", "lstsq")
one_by_one(
    "used in derivatives of derivatives only, or for singular matrices",
    "eigenspaces",
    "singular_spaces",
    "kink",
    "cond",
)
one_by_one("SciPy's functions", "solve_triangular", "expm", "sqrtm", "convolve", "sparse_matmul")

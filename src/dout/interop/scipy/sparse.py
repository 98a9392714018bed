"""Sparse matrices times vectors and matrices; the matrix's entries may have derivatives too."""

from __future__ import annotations

from typing import Any

import numpy
import scipy.sparse

from ...graph import plain
from ...rules.registry import primitive

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

#: `data` are the entries of a matrix in compressed rows, the rest of which is `pattern`: indices, indptr, shape.
_product = primitive(
    "sparse_matmul",
    lambda data, x, pattern: _matrix(data, pattern) @ x,
    lambda dout, _out, _data, x, pattern: _entries(dout, x, pattern),
    lambda dout, _out, data, _x, pattern: _transposed_product(data, dout, pattern),
)  # type: Any


def _matrix(data: Any, pattern: tuple[Any, Any, tuple[int, int]]) -> Any:
    indices, indptr, shape = pattern
    return scipy.sparse.csr_array((data, indices, indptr), shape=shape)


def _rows(pattern: tuple[Any, Any, tuple[int, int]]) -> Any:
    indptr = pattern[1]
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _entries(dout: Array, x: Array, pattern: tuple[Any, Any, tuple[int, int]]) -> Array:
    """The derivative of each stored entry: dout's row times x's."""
    products = dout[_rows(pattern)] * x[pattern[0]]
    return products if products.ndim == 1 else np.sum(products, -1)


def _transposed_product(data: Array, dout: Array, pattern: tuple[Any, Any, tuple[int, int]]) -> Array:
    indices, _, (m, n) = pattern
    places = scipy.sparse.csr_array((np.arange(1, len(indices) + 1), indices, pattern[1]), shape=(m, n)).T.tocsr()
    turned = places.indices, places.indptr, (n, m)
    return _product(data[places.data - 1], dout, pattern=turned)


def matmul(A: Any, x: Array, data: Array = None) -> Array:
    """A @ x for a sparse A.

    Args:
        A: a sparse matrix or array of SciPy's, shape (m, n).
        x: shape (n,) or (n, k).
        data: the entries of A in place of its own, in the order of `A.tocsr().data`; give a Variable to differentiate
            with respect to them.

    Returns:
        shape (m,) or (m, k).

    Example:
        >>> import dout
        >>> A = scipy.sparse.csr_array(numpy.array([[2.0, 0.0], [0.0, 3.0]]))
        >>> dout.grad(lambda x: matmul(A, x).sum())(numpy.ones(2))
        array([2., 3.])
    """
    if not scipy.sparse.issparse(A):
        raise TypeError(f"matmul(A, x): A has to be a sparse matrix of SciPy's, got {type(A).__name__}; use A @ x")
    rows = A.tocsr()
    if data is None:
        data = rows.data
    elif np.shape(plain(data)) != rows.data.shape:
        raise ValueError(
            f"matmul(A, x, data): expected the {len(rows.data)} stored entries of A, got {np.shape(plain(data))}"
        )
    return _product(data, x, pattern=(rows.indices, rows.indptr, rows.shape))

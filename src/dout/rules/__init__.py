"""Primitives and their backward rules, by NumPy's own chapters. Importing this room fills the tables."""

from . import (
    calculus,
    eigenvalues,
    einsum,
    elementwise,
    indexing,
    linalg,
    order_statistics,
    padding,
    polynomials,
    products,
    rearranging,
    reductions,
    shaping,
    spaces,
    statistics,
    writing,
)
from .registry import FLAT, FUNCTIONS, UFUNCS

__all__ = [
    "FLAT",
    "FUNCTIONS",
    "UFUNCS",
    "calculus",
    "eigenvalues",
    "einsum",
    "elementwise",
    "indexing",
    "linalg",
    "order_statistics",
    "padding",
    "polynomials",
    "products",
    "rearranging",
    "reductions",
    "shaping",
    "spaces",
    "statistics",
    "writing",
]

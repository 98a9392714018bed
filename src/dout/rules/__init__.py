"""Primitives and their backward rules, by NumPy's own chapters. Importing this room fills the tables."""

from . import einsum, elementwise, indexing, linalg, order_statistics, products, reductions, shaping
from .registry import FLAT, FUNCTIONS, UFUNCS

__all__ = [
    "FLAT",
    "FUNCTIONS",
    "UFUNCS",
    "einsum",
    "elementwise",
    "indexing",
    "linalg",
    "order_statistics",
    "products",
    "reductions",
    "shaping",
]

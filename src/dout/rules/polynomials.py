"""NumPy's functions of polynomials, given by coefficients from the highest power down."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy

from ..graph import ndim_of, plain, shape_of
from .registry import implements
from .shaping import as_array

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


@implements(np.polyval)
def _polyval(p: Array, x: Array) -> Array:
    """By Horner's scheme."""
    if isinstance(x, numpy.poly1d):
        raise TypeError("np.polyval: a poly1d as x can't hold Variables; give its coefficients to np.polymul")
    p, x = as_array(p), as_array(x)
    y = np.zeros_like(plain(x))
    for coefficient in p:
        y = y * x + coefficient
    return y


def horner(c: Array, x: Array) -> Array:
    """A polynomial by its coefficients from the lowest power up, which stand along the first axis."""
    y = c[-1] + x * 0
    for k in range(2, len(c) + 1):
        y = c[-k] + y * x
    return y


def at_points(series: Callable[[Array, Array], Array], c: Array, *places: Array) -> Array:
    """A series in several variables at points, as `np.polynomial` has it: `polyval2d` and its like.

    Args:
        series: `series(x, c)`, with the coefficients along c's first axis, broadcast with x.
        c: coefficients, one axis for each variable, and then any others.
        *places: the points' coordinates, all of one shape.
    """
    places = tuple(map(as_array, places))
    if len({shape_of(x) for x in places}) > 1:
        raise ValueError(f"{', '.join('xyz'[: len(places)])} are incompatible")
    c = np.reshape(c, shape_of(c) + (1,) * ndim_of(places[0]))
    for x in places:
        c = series(x, c)
    return c


def on_grid(series: Callable[[Array, Array], Array], c: Array, *places: Array) -> Array:
    """The same on the grid of these coordinates."""
    for x in map(as_array, places):
        c = series(x, np.reshape(c, shape_of(c) + (1,) * ndim_of(x)))
    return c


for _function, _over in (
    (np.polynomial.polynomial.polyval2d, at_points),
    (np.polynomial.polynomial.polygrid2d, on_grid),
):
    implements(_function)(
        lambda x, y, c, over=_over: over(lambda x, c: horner(c, x), as_array(c), x, y)  # NumPy asks for these two only
    )


@implements(np.vander)
def _vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    x = as_array(x)
    if ndim_of(x) != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    n = len(x) if N is None else N
    kind = np.promote_types(x.dtype, int)
    ones = np.ones((len(x), min(n, 1)), kind)
    powers = np.cumprod(np.broadcast_to(x[:, None], (len(x), max(n - 1, 0))), 1) if n > 1 else ones[:, :0]
    table = np.concatenate([ones, powers], 1).astype(kind)
    return table if increasing else table[:, ::-1]


@implements(np.polyfit)
def _polyfit(
    x: Array, y: Array, deg: int, rcond: float | None = None, full: bool = False, w: Array = None, cov: Any = False
) -> Any:
    """As NumPy does it: least squares of columns of powers, each scaled to length 1."""
    order = int(deg) + 1
    x, y = as_array(x) + 0.0, as_array(y) + 0.0
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if ndim_of(x) != 1 or not len(x):
        raise TypeError("expected 1D vector for x" if ndim_of(x) != 1 else "expected non-empty vector for x")
    if ndim_of(y) not in (1, 2):
        raise TypeError("expected 1D or 2D array for y")
    if len(x) != len(y):
        raise TypeError("expected x and y to have same length")
    rcond = len(x) * float(np.finfo(x.dtype).eps) if rcond is None else rcond
    table, right = np.vander(x, order), y
    if w is not None:
        w = as_array(w) + 0.0
        if ndim_of(w) != 1 or len(w) != len(y):
            raise TypeError(
                "expected a 1-d array for weights" if ndim_of(w) != 1 else "expected w and y to have the same length"
            )
        table, right = table * w[:, None], right * (w[:, None] if ndim_of(y) == 2 else w)
    scale = np.sqrt(np.sum(table * table, 0))
    table = table / scale
    c, residuals, rank, s = np.linalg.lstsq(table, right, rcond)
    c = (c.T / scale).T
    if rank != order and not full:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=4)
    if full:
        return c, residuals, rank, s, rcond
    if not cov:
        return c
    base = np.linalg.inv(np.dot(table.T, table)) / np.outer(scale, scale)
    factor: Any = 1
    if cov != "unscaled":
        if len(x) <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        factor = residuals / (len(x) - order)
    return c, base * factor if ndim_of(y) == 1 else base[:, :, None] * factor


def _padded(a1: Array, a2: Array) -> tuple[Array, Array]:
    """Both with as many coefficients as the longer."""
    a1, a2 = np.atleast_1d(as_array(a1)), np.atleast_1d(as_array(a2))
    n = max(len(a1), len(a2))
    return tuple(np.pad(a, (n - len(a), 0)) if len(a) < n else a for a in (a1, a2))


implements(np.polyadd)(lambda a1, a2: np.add(*_padded(a1, a2)))
implements(np.polysub)(lambda a1, a2: np.subtract(*_padded(a1, a2)))
implements(np.polymul)(lambda a1, a2: np.convolve(*(np.atleast_1d(as_array(a)) for a in (a1, a2))))


@implements(np.polydiv)
def _polydiv(u: Array, v: Array) -> tuple[Array, Array]:
    u, v = np.atleast_1d(as_array(u)) + 0.0, np.atleast_1d(as_array(v)) + 0.0
    m, n = len(u) - 1, len(v) - 1
    kind = np.result_type(u.dtype, v.dtype)
    r, quotient = u.astype(kind), []
    scale = 1.0 / v[0]
    for k in range(m - n + 1):
        quotient.append(scale * r[k])
        r = np.concatenate([r[:k], r[k : k + n + 1] - quotient[-1] * v, r[k + n + 1 :]])
    while len(r) > 1 and np.allclose(plain(r)[0], 0, rtol=1e-14):
        r = r[1:]
    return np.stack(quotient) if quotient else np.zeros(1, kind), r


@implements(np.polyder)
def _polyder(p: Array, m: int = 1) -> Array:
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    p = as_array(p)
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@implements(np.polyint)
def _polyint(p: Array, m: int = 1, k: Any = None) -> Array:
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.atleast_1d(as_array(0.0 if k is None else k))
    if len(constants) == 1 and m > 1:
        constants = constants * np.ones(m)
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    p = as_array(p)
    for i in range(int(m)):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[i : i + 1]])
    return p


@implements(np.poly)
def _poly(seq_of_zeros: Array) -> Array:
    zeros = np.atleast_1d(as_array(seq_of_zeros))
    shape = shape_of(zeros)
    if len(shape) == 2 and shape[0] == shape[1] and shape[0]:
        zeros = np.linalg.eigvals(zeros)
    elif len(shape) != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if not len(zeros):
        return 1.0
    kind = zeros.dtype
    product = np.ones(1, kind)
    for zero in zeros:
        product = np.convolve(product, np.stack([np.ones((), kind), -zero]))
    known = plain(zeros)
    if kind.kind == "c" and np.all(np.sort(known) == np.sort(known.conj())):
        product = np.copy(np.real(product))
    return product


@implements(np.roots)
def _roots(p: Array) -> Array:
    """The eigenvalues of the companion matrix; leading and trailing zeros are taken off first, as NumPy does."""
    p = np.atleast_1d(as_array(p))
    if ndim_of(p) != 1:
        raise ValueError("Input must be a rank-1 array.")
    there = np.flatnonzero(plain(p))
    if not len(there):
        return np.zeros(0)
    trailing = len(p) - there[-1] - 1
    p = p[int(there[0]) : int(there[-1]) + 1]
    p = p if p.dtype.kind in "fc" else p.astype(float)
    n = len(p)
    if n < 2:
        return np.zeros(trailing, p.dtype)
    companion = np.concatenate([(-p[1:] / p[0])[None], np.eye(n - 2, n - 1, dtype=p.dtype)])
    found = np.linalg.eigvals(companion)
    return np.concatenate([found, np.zeros(trailing, found.dtype)]) if trailing else found


def fit(
    vander: Callable[..., Array],
    x: Array,
    y: Array,
    deg: Any,
    rcond: float | None = None,
    full: bool = False,
    w: Array = None,
) -> Any:
    """The coefficients of a series fitted by least squares, as `np.polynomial`'s fitting functions give them.

    Args:
        vander: `vander(x, degree)`, the columns of the series, such as `np.polynomial.chebyshev.chebvander`.
        x: where, shape (n,).
        y: what is fitted there, shape (n,) or (n, k).
        deg: the degree, or a list of the degrees that are used.
        rcond: singular values smaller than this share of the largest count as zero; n times eps by default.
        full: give `(coefficients, [residuals, rank, singular values, rcond])`.
        w: a weight for each point.

    Returns:
        coefficients from the lowest degree up, shape (degree + 1,) or (degree + 1, k).
    """
    x, y = as_array(x) + 0.0, as_array(y) + 0.0
    degrees = np.atleast_1d(np.asarray(deg))
    if degrees.dtype.kind not in "iu" or degrees.ndim > 1 or not degrees.size:
        raise TypeError("deg must be an int or non-empty 1-D array of int")
    if degrees.min() < 0:
        raise ValueError("expected deg >= 0")
    if ndim_of(x) != 1 or not len(x):
        raise TypeError("expected 1D vector for x" if ndim_of(x) != 1 else "expected non-empty vector for x")
    if ndim_of(y) not in (1, 2):
        raise TypeError("expected 1D or 2D array for y")
    if len(x) != len(y):
        raise TypeError("expected x and y to have same length")
    most = int(degrees.max())
    used = list(range(most + 1)) if np.ndim(deg) == 0 else sorted(degrees.tolist())
    table, right = vander(x, most)[:, used], y
    if table.dtype == object:  # NumPy's own code made an array of Variables
        table = np.reshape(np.stack(list(table.flat)), table.shape)
    if w is not None:
        w = as_array(w) + 0.0
        table, right = table * w[:, None], right * (w[:, None] if ndim_of(y) == 2 else w)
    rcond = len(x) * float(np.finfo(x.dtype).eps) if rcond is None else rcond
    squares = np.real(table * np.conj(table))
    scale = np.sqrt(np.sum(squares, 0))
    scale = np.where(plain(scale) == 0, 1, scale)
    found, residuals, rank, s = np.linalg.lstsq(table / scale, right, rcond)
    found = (found.T / scale).T
    if len(used) <= most:
        whole = np.zeros_like(found, shape=(most + 1, *shape_of(found)[1:]))
        whole[used] = found
        found = whole
    if rank != len(used) and not full:
        warnings.warn("The fit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=3)
    return (found, [residuals, rank, s, rcond]) if full else found

"""Where matrices have no derivative: eigenvalues and singular values that repeat, inverses that don't exist.

A derivative is then right or NaN, and NaN comes with a RuntimeWarning that names the operation. What is said here of
eigenvalues holds for singular values too.

Eigenvalues that come out as close as rounding are taken to repeat. They are a kink, as the maximum of two equal numbers
is: which of them is the greater changes with the direction in which the matrix moves. So they share their derivatives
evenly, which is the middle of Clarke's generalised gradient. A function in which all of them weigh the same, such as their
sum, has a derivative there, and this is it. Their eigenvectors can be any basis of a common space, so a function of these has
none that could be found from one basis.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy

from ..graph import is_complex, plain, shape_of
from ..recorder import RECORDER
from ..witness import is_users

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def warn(name: str, why: str) -> None:
    """A RuntimeWarning that names the operation, and points to the user's line that asked for the derivative."""
    recorder = RECORDER.get()
    if recorder is not None:  # the function as it is may do better, and says it itself if not
        recorder.fail(f"np.linalg.{name}: {why}")
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    warnings.warn(f"np.linalg.{name}: {why}", RuntimeWarning, stacklevel=level)


def is_variable(x: Any) -> bool:
    """Whether what is computed with it will be differentiated again."""
    return hasattr(type(x), "__dout_record__")


def conj(x: Array) -> Array:
    """The conjugate; a real array as it is."""
    return np.conj(x) if is_complex(x) else x


def transposed(a: Array) -> Array:
    """The matrices transposed."""
    return np.swapaxes(a, -1, -2)


def adjoint(a: Array) -> Array:
    """The matrices transposed and conjugated."""
    return np.swapaxes(conj(a), -1, -2)


def diagonal_matrix(x: Array) -> Array:
    """Matrices with these diagonals."""
    return x[..., None] * np.eye(shape_of(x)[-1])


def absent(dout: Array) -> bool:
    """Whether nothing depends on an output: the walk then gives one zero, repeated."""
    return isinstance(dout, np.ndarray) and dout.ndim > 0 and not any(dout.strides) and not np.any(dout)


def rounding(x: Any, n: int) -> Any:
    """How far apart rounding may leave two equal eigenvalues of an n by n matrix, along the last axis of `x`."""
    size = np.abs(x).max(-1, keepdims=True, initial=0)
    return 8 * n * float(np.finfo(x.dtype).eps) * size


def repeats(x: Any, n: int) -> Any:
    """Which pairs of values (along the last axis) are as close as rounding, each with itself too; None if no others are."""
    same = ~(np.abs(x[..., :, None] - x[..., None, :]) > rounding(x, n)[..., None])
    return same if np.count_nonzero(same) > x.size else None


def shared(d: Array, same: Any, x: Any) -> Array:
    """The mean of the derivatives of values x that repeat; NaN for what isn't finite."""
    if same is None:
        return d
    weights = np.where(np.isfinite(x)[..., None], same / np.sum(same, -1, keepdims=True), np.nan)
    return np.matmul(weights, d[..., None])[..., 0]


def differ(d: Array, same: Any) -> bool:
    """Whether values that repeat have derivatives of their own."""
    if same is None:
        return False
    d = plain(d)
    apart = np.abs(d[..., :, None] - d[..., None, :]) > rounding(d, d.shape[-1])[..., None]
    return bool(np.any(same & apart))


def invertible(a: Any, limit: float) -> Any:
    """Which matrices have a condition number (in the 1-norm) below the limit; also for those with NaN, false."""
    if not np.size(a):
        return np.ones(a.shape[:-2], bool)
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.cond(a, 1) < limit)


def inverses(a: Any, limit: float) -> Any:
    """The inverses of plain matrices whose condition numbers (in the 1-norm) are all below the limit; else None."""
    if type(a) is not numpy.ndarray or not a.size:
        return None
    with np.errstate(all="ignore"):
        try:
            found = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            return None
        sizes = [np.abs(x).sum(-2).max(-1) for x in (a, found)]
        return found if np.all(sizes[0] * sizes[1] < limit) else None


def without(a: Array, good: Any) -> Array:
    """The matrices, with the identity in the place of those that aren't good: an inverse of that exists."""
    return a if np.all(good) else np.where(good[..., None, None], a, np.eye(shape_of(a)[-1]))


def spoiled(d: Array, good: Any) -> Array:
    """A derivative for matrices, NaN for those that aren't good, and so are its own derivatives."""
    return d if good is True or np.all(good) else d * np.where(good, 1.0, np.nan)[..., None, None]


def finite(a: Array) -> Any:
    """Which matrices hold neither NaN nor infinity, with which LAPACK does anything; True for all."""
    fine = np.isfinite(plain(a))
    return True if np.all(fine) else np.all(fine, (-2, -1))


def idle(dvectors: Any, dvalues: Any, inner: bool) -> tuple[Any, Any]:
    """Which eigenvectors' derivatives are all zero, and of these, which are no part of the function.

    A zero may be there because a function doesn't use an eigenvector, or because it came out so: at the identity I, the
    logarithm of each eigenvalue, with which log(I) weighs the eigenvectors, is 0. Only in the first case do eigenvectors that
    belong to the same eigenvalue add nothing. So it is assumed only where the eigenvalue isn't used either, but something
    else of the same matrix is; and not for vectors that a pullback asked for (`inner`), which knows of no values.
    """
    still = ~np.any(dvectors, -2)
    if inner:
        return still, np.zeros_like(still)
    unused = still & (dvalues == 0)
    return still, unused & ~np.all(unused, -1, keepdims=True)


def unknown(gap: Any, close: Any, still: Any, unused: Any) -> Any:
    """Which pairs of eigenvectors turn into each other by an amount that can't be known, because their eigenvalues repeat.

    Args:
        gap: how far apart the eigenvalues came out.
        close: which repeat.
        still: which eigenvectors' derivatives are zero.
        unused: which of these are no part of the function.
    """
    both_still, both_unused = (x[..., :, None] & x[..., None, :] for x in (still, unused))
    return close & ~both_unused & ~(both_still & (gap != 0)) & ~np.eye(close.shape[-1], dtype=bool)


def reciprocal(gap: Array, nothing: Any) -> Array:
    """1 / gap, and 0 for pairs that add nothing: those of a value with itself, and equal ones that aren't used."""
    return 1.0 / np.where(nothing | (plain(gap) == 0), np.inf, gap)


REPEAT = (
    "values repeat, as far as rounding can tell, so the vectors that belong to them, of which the result is made, can be any "
    "basis of a common space and have no derivative: it is NaN"
)
SHARE = "values repeat, as far as rounding can tell; those that repeat share their derivatives evenly"

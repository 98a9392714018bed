"""The phases of complex eigenvectors and singular vectors, and how long they are: what LAPACK chooses, and its derivative.

A vector v times a phase is as good as v. If the phase is chosen so that one component v_k stays real, and v moves by u when
nobody cares for its phase, then it moves by u - i v Im(u_k) / v_k. So a gradient g of a free vector becomes
g - i e_k Im(v^H g) / v_k, which is g itself where the result doesn't depend on the phase, because then v^H g is real.
"""

from __future__ import annotations

from typing import Any

import numpy

from ..graph import plain, shape_of
from .ties import conj, warn

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

PHASE = (
    "the result depends on the phases of complex vectors, and the phase that NumPy chose for them is none that changes "
    "smoothly: the derivative is NaN"
)


def with_real_row(
    name: str, g: Array, v: Array, row: int, other: tuple[Array, Array] | None = None
) -> tuple[Array, Any]:
    """The gradient for vectors (columns) that turn by phases so that one row stays real; and for which matrices it is known.

    Args:
        name: the operation, for warnings.
        g: the gradient for vectors that turn freely.
        v: the vectors.
        row: the row.
        other: the gradient for other vectors that turn by the same phases, and those vectors.
    """
    values = plain(v)
    if not np.iscomplexobj(values):
        return g, True
    change, size = _phase_change(g, v), _square(g)
    if other is not None:
        change, size = change + _phase_change(*other), size + _square(other[0])
    row %= max(values.shape[-2], 1)
    held, small = values[..., row : row + 1, :], _small(values)
    choice = (np.abs(held.imag) <= small) & (np.abs(held.real) > small)
    place = np.arange(values.shape[-2])[:, None] == row
    held = np.where(choice, np.real(v[..., row : row + 1, :]), 1)
    return g - 1j * place * np.where(choice, change / held, 0), _known(name, change, size, choice)


def with_length_and_phase(name: str, g: Array, v: Array) -> tuple[Array, Any]:
    """The gradient for vectors that keep the length 1 and a real largest component; and for which matrices it is known."""
    values = plain(v)
    free = g - v * np.real(np.sum(conj(v) * g, -2, keepdims=True))
    if not np.iscomplexobj(values):
        return free, True
    change, size = _phase_change(g, v), np.abs(values)
    largest = np.argmax(size, -2, keepdims=True) if values.shape[-1] else np.zeros((*values.shape[:-2], 1, 0), int)
    top, small = np.take_along_axis(size, largest, -2), _small(values)
    held = np.take_along_axis(v, largest, -2)
    rivals = (size > top - small) & (np.abs(values.imag) > small)  # the largest could as well be one that isn't real
    choice = (np.abs(np.imag(plain(held))) <= small) & ~np.any(rivals, -2, keepdims=True)
    place = np.arange(values.shape[-2])[:, None] == largest
    turned = np.where(choice, change / np.where(choice, np.real(held), 1), 0)
    return free - 1j * place * turned, _known(name, change, _square(g), choice)


def _phase_change(g: Array, v: Array) -> Array:
    """By how much a result changes when each vector turns by a phase."""
    return np.imag(np.sum(conj(v) * g, -2, keepdims=True))


def _square(g: Array) -> Any:
    return np.sum(np.abs(plain(g)) ** 2, -2, keepdims=True)


def _small(values: Any) -> float:
    """How far from zero rounding may take a component of vectors of length 1."""
    return 8 * shape_of(values)[-2] * float(np.finfo(values.dtype).eps)


def _known(name: str, change: Array, size: Any, choice: Any) -> Any:
    """For which matrices the result depends on no phase but those that were chosen by a rule that is known."""
    turns = np.abs(plain(change)) > np.finfo(size.dtype).eps ** 0.5 * np.sqrt(size)
    lost = np.any(turns & ~choice, (-2, -1))
    if np.any(lost):
        warn(name, PHASE)
    return ~lost

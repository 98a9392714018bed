"""Rules of np.fft. Four transforms are primitives; the others are made of them as NumPy makes them.

A transform is linear, and its matrix, with entries exp(-2 pi i j k / n), is symmetric (W. L. Briggs and V. E. Henson, The DFT,
1995, chapter 2). So `dout` is transformed as the input was, and the padding or cropping to n entries is undone, as in JAX. Of a
real input, rfft gives half of the entries, since the others are their conjugates; its `dout` comes back by irfft, and that of
irfft by rfft, in which the entries between the ends count half or twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_index

from ..graph import Primitive, ndim_of, plain, shape_of
from .registry import implements, primitive
from .ties import conj

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

#: The norm by which a transform is scaled as its inverse is by this one.
_SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _resized(x: Array, n: int, axis: int) -> Array:
    """Cropped, or padded with zeros, to n entries."""
    have = shape_of(x)[axis]
    if have == n:
        return x
    if have > n:
        return x[(slice(None),) * axis + (slice(n),)]
    zeros = np.zeros((*shape_of(x)[:axis], n - have, *shape_of(x)[axis + 1 :]), x.dtype)
    return np.concatenate([x, zeros], axis)


def _between(x: Array, n: int, axis: int, factor: float) -> Array:
    """The half of n entries, with those between the ends times a factor; the last is an end if n is even."""
    weights = np.full(shape_of(x)[axis], factor, np.real(plain(x)).dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return x * np.reshape(weights, (-1,) + (1,) * (ndim_of(x) - 1 - axis))


def _d_rfft(dout: Array, n: int, axis: int, norm: Any, size: int) -> Array:
    back = np.fft.irfft(_between(conj(dout), n, axis, 0.5), n, axis, _SWAPPED[norm])
    return _resized(back, size, axis)


def _d_irfft(dout: Array, n: int, axis: int, norm: Any, size: int) -> Array:
    back = np.conj(np.fft.rfft(np.real(dout), n, axis, _SWAPPED[norm]))
    return _resized(_between(back, n, axis, 2.0), size, axis)


fft = primitive(
    "fft",
    lambda x, n, axis, norm, size: np.fft.fft(x, n, axis, norm),
    lambda dout, _out, _x, n, axis, norm, size: _resized(np.fft.fft(dout, n, axis, norm), size, axis),
)
ifft = primitive(
    "ifft",
    lambda x, n, axis, norm, size: np.fft.ifft(x, n, axis, norm),
    lambda dout, _out, _x, n, axis, norm, size: _resized(np.fft.ifft(dout, n, axis, norm), size, axis),
)
rfft = primitive(
    "rfft",
    lambda x, n, axis, norm, size: np.fft.rfft(x, n, axis, norm),
    lambda dout, _out, _x, n, axis, norm, size: _d_rfft(dout, n, axis, norm, size),
)
irfft = primitive(
    "irfft",
    lambda x, n, axis, norm, size: np.fft.irfft(x, n, axis, norm),
    lambda dout, _out, _x, n, axis, norm, size: _d_irfft(dout, n, axis, norm, size),
)


def _along(op: Primitive, half: bool = False) -> Callable[..., Array]:
    """NumPy's arguments around a transform along one axis; `half`: it gives twice as many entries as it gets."""

    def run(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
        axis = normalize_axis_index(axis, ndim_of(a))
        size = shape_of(a)[axis]
        if n is None:
            n = (size - 1) * 2 if half else size
        return op(a, n=n, axis=axis, norm=norm, size=size)

    return run


implements(np.fft.fft)(_along(fft))
implements(np.fft.ifft)(_along(ifft))
implements(np.fft.rfft)(_along(rfft))
implements(np.fft.irfft)(_along(irfft, half=True))


@implements(np.fft.hfft)
def _hfft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    return np.fft.irfft(np.conj(a), n, axis, _swapped(norm))


@implements(np.fft.ihfft)
def _ihfft(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    return np.conj(np.fft.rfft(a, n, axis, _swapped(norm)))


def _swapped(norm: str | None) -> str:
    if norm not in _SWAPPED:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return _SWAPPED[norm]


def _sizes(a: Array, s: Any, axes: Any, half: bool = False) -> tuple[list[int], list[int]]:
    """How many entries along which axes; `half`: the last is given by half of its entries."""
    shape = shape_of(a)
    if s is None:
        axes = list(range(len(shape)) if axes is None else axes)
        sizes = [shape[axis] for axis in axes]
        if half:
            sizes[-1] = (sizes[-1] - 1) * 2
        return sizes, axes
    if axes is None or None in s:
        np.fft.fftn(np.empty(shape)[(slice(1),) * len(shape)], s, axes)  # warns as NumPy does
    axes = list(range(-len(s), 0) if axes is None else axes)
    if len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    return [shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=True)], axes


def _along_all(transform: Callable[..., Array]) -> Callable[..., Array]:
    """A transform along several axes, the last first."""

    def run(
        a: Array, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = None
    ) -> Array:
        for n, axis in reversed(list(zip(*_sizes(a, s, axes), strict=True))):
            a = transform(a, n, axis, norm)
        return a

    return run


@implements(np.fft.rfftn)
def _rfftn(a: Array, s: Any = None, axes: Any = None, norm: str | None = None) -> Array:
    sizes, axes = _sizes(a, s, axes)
    a = np.fft.rfft(a, sizes[-1], axes[-1], norm)
    for n, axis in reversed(list(zip(sizes[:-1], axes[:-1], strict=True))):
        a = np.fft.fft(a, n, axis, norm)
    return a


@implements(np.fft.irfftn)
def _irfftn(a: Array, s: Any = None, axes: Any = None, norm: str | None = None) -> Array:
    sizes, axes = _sizes(a, s, axes, half=True)
    for n, axis in zip(sizes[:-1], axes[:-1], strict=True):
        a = np.fft.ifft(a, n, axis, norm)
    return np.fft.irfft(a, sizes[-1], axes[-1], norm)


implements(np.fft.fftn)(_along_all(np.fft.fft))
implements(np.fft.ifftn)(_along_all(np.fft.ifft))
implements(np.fft.fft2)(lambda a, s=None, axes=(-2, -1), norm=None: np.fft.fftn(a, s, axes, norm))
implements(np.fft.ifft2)(lambda a, s=None, axes=(-2, -1), norm=None: np.fft.ifftn(a, s, axes, norm))
implements(np.fft.rfft2)(lambda a, s=None, axes=(-2, -1), norm=None: np.fft.rfftn(a, s, axes, norm))
implements(np.fft.irfft2)(lambda a, s=None, axes=(-2, -1), norm=None: np.fft.irfftn(a, s, axes, norm))


def _shifted(x: Array, axes: Any, part: Callable[[int], int]) -> Array:
    axes = (
        tuple(range(ndim_of(x))) if axes is None else (axes,) if isinstance(axes, int | numpy.integer) else tuple(axes)
    )
    return np.roll(x, tuple(part(shape_of(x)[axis]) for axis in axes), axes)


implements(np.fft.fftshift)(lambda x, axes=None: _shifted(x, axes, lambda n: n // 2))
implements(np.fft.ifftshift)(lambda x, axes=None: _shifted(x, axes, lambda n: -(n // 2)))

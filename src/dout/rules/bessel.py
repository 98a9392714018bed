"""The modified Bessel function I1, which is the derivative of np.i0.

On plain arrays by series: within |x| < 8 by that in powers of x²/4 (Abramowitz & Stegun 9.6.10), all of whose terms are
positive; beyond by Chebyshev polynomials of 16/|x| - 1 for exp(-x) √x I1(x). The coefficients were computed from values
to 40 digits.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any

#: 1 / (k! (k+1)!), the highest power first.
_NEAR = [1 / (factorial(k) * factorial(k + 1)) for k in range(24, -1, -1)]
_FAR = [
    0.38928811750914005, -0.009761097491361469, -0.00011058893876262371, -3.882564808877691e-06, -2.512236237870209e-07,
    -2.6314688468895196e-08, -3.835380385964237e-09, -5.589743462196584e-10, -1.8974958123505413e-11, 3.2526035830154884e-11,
    1.4125807436613782e-11, 2.0356285441470896e-12, -7.198551776245908e-13, -4.0835511110921974e-13, -2.1015418427726643e-14,
    4.272440016711951e-14, 1.0420276984128802e-14, -3.8144030724370075e-15, -1.8803547755107825e-15, 3.3082023109209285e-16,
    2.96262899764595e-16, -3.209525921993424e-17, -4.650305368489358e-17, 4.414348323071704e-18, 7.517296310842111e-18,
]  # fmt: skip


def i1(x: Array) -> Array:
    """I1(x), an entry at a time as exact as x; of Variables by a mean that can be differentiated."""
    if type(x) is not numpy.ndarray or x.dtype.kind != "f":
        return _mean(x)
    size = np.abs(x)
    far = size >= 8
    if not np.any(far):
        return _near(x)
    found = _near(np.where(far, 0, x))
    far, huge = far & (size <= 700), size > 700
    found[far] = np.copysign(_far(size[far]), x[far])
    found[huge] = _mean(x[huge])
    return found


def _mean(x: Array) -> Array:
    t = np.cos(2 * np.pi * (np.arange(256) + 0.5) / 256)  # the mean of cos t exp(x cos t): 256 points give all digits
    return np.mean(t * np.exp(np.expand_dims(x, -1) * t), -1)


def _near(x: Array) -> Array:
    half = x * 0.5
    square = half * half
    total = np.full_like(square, _NEAR[0])
    for term in _NEAR[1:]:
        total *= square
        total += term
    total *= half
    return total


def _far(x: Array) -> Array:
    t = 32 / x - 2  # twice 16 / x - 1
    after, here = np.zeros_like(x), np.zeros_like(x)
    for term in _FAR[:0:-1]:  # Clenshaw's recurrence
        after, here = here, t * here - after + term
    return np.exp(x) / np.sqrt(x) * (0.5 * t * here - after + _FAR[0])

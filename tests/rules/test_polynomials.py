"""Polynomials and rows of numbers between ends."""

import numpy as np
import oracles
import pytest

import dout

P = oracles.array(4)
Q = oracles.array(3, seed=1)
X = oracles.array(2, 3)
T = np.array([0.0, 0.4, 1.0, 1.7, 2.1, 3.0])
Y = oracles.array(6)
W = oracles.array(6, low=0.5, high=2.0)
A, B = oracles.array(2, low=0.5, high=3.0), oracles.array(2, low=4.0, high=9.0)

PATTERNS = {
    "polyval": (lambda p, x: np.polyval(p, x), P, X),
    "polyval number": (lambda p, x: np.polyval(p, x), P, 0.7),
    "polyval complex": (lambda p, x: np.polyval(p, x), P, oracles.array(2, kind="complex")),
    "vander": (lambda x: np.vander(x), Q),
    "vander increasing": (lambda x: np.vander(x, 2, increasing=True), Q),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), T, Y),
    "polyfit weights": (lambda x, y, w: np.polyfit(x, y, 1, w=w), T, Y, W),
    "polyfit columns": (lambda y: np.polyfit(T, y, 1), np.stack([Y, Y[::-1]], 1)),
    "polyfit cov": (lambda y: np.polyfit(T, y, 1, cov=True), Y),
    "polyfit unscaled": (lambda x: np.polyfit(x, Y, 1, cov="unscaled")[1], T),
    "polyfit full": (lambda x, y: np.polyfit(x, y, 2, full=True)[:2], T, Y),
    "polyadd": (lambda p, q: np.polyadd(p, q), P, Q),
    "polysub": (lambda p, q: np.polysub(q, p), P, Q),
    "polymul": (lambda p, q: np.polymul(p, q), P, Q),
    "polydiv": (lambda p, q: np.polydiv(p, q), P, Q),
    "polydiv longer": (lambda p, q: np.polydiv(q, p)[1], P, Q),
    "polyder": (lambda p: np.polyder(p, 2), P),
    "polyint": (lambda p, k: np.polyint(p, k=k), P, 0.3),
    "polyint twice": (lambda p: np.polyint(p, 2), P),
    "poly": (lambda r: np.poly(r), Q),
    "poly complex": (lambda r: np.poly(r), oracles.array(3, kind="complex")),
    "poly matrix": (lambda m: np.poly(m), oracles.array(3, 3) + np.diag([5.0, 0.0, -5.0])),
    "roots": (lambda p: np.sort(np.real(np.roots(p))), np.poly([1.0, -2.0, 3.5])),
    "roots zeros": (lambda k: np.roots(k * np.array([0.0, 1.0, -3.0, 2.0, 0.0]) + np.array([0, 0, 1.0, 0, 0])), 2.0),
    "linspace": (lambda a, b: np.linspace(a, b, 7), 0.3, 2.0),
    "linspace open": (lambda a, b: np.linspace(a, b, 5, endpoint=False, retstep=True), 0.3, 2.0),
    "linspace arrays": (lambda a, b: np.linspace(a, b, 4, axis=-1), A, B),
    "linspace mixed": (lambda b: np.linspace(0, b, 4), B),
    "linspace one": (lambda a, b: np.linspace(a, b, 1), 0.3, 2.0),
    "linspace flat": (lambda a: np.linspace(a, a, 3), 0.5),
    "logspace": (lambda a, b: np.logspace(a, b, 4), 0.3, 1.0),
    "logspace base": (lambda a, base: np.logspace(a, 2.0, 4, base=base), 0.3, 2.5),
    "geomspace": (lambda a, b: np.geomspace(a, b, 5), 0.5, 8.0),
    "geomspace arrays": (lambda a, b: np.geomspace(a, b, 4, axis=1), A, B),
    "geomspace negative": (lambda a, b: np.geomspace(-a, -b, 4), 0.5, 8.0),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    f, *args = PATTERNS[name]
    # NumPy's own loops add in another order; eigenvalues and least squares are good to some 1e-14 themselves.
    loose = name.startswith(("poly", "roots", "geomspace", "logspace", "linspace"))
    oracles.assert_derivatives(f, *args, value_rtol=1e-12 if loose else 0)


def test_polyval_narrow():
    oracles.assert_narrow(np.polyval, P, X)


REFUSED = [
    (lambda p: np.vander(p[None]), P, ValueError),
    (lambda y: np.polyfit(T, y[:3], 1), Y, TypeError),
    (lambda y: np.polyfit(T, y, -1), Y, ValueError),
    (lambda p: np.polyder(p, -1), P, ValueError),
    (lambda a: np.linspace(a, 1.0, -2), 0.5, ValueError),
    (lambda a: np.geomspace(a, 0.0), 0.5, ValueError),
]


@pytest.mark.parametrize(("f", "x", "error"), REFUSED)
def test_what_numpy_refuses(f, x, error):
    with pytest.raises(error):
        f(x)
    with pytest.raises(error):
        dout.vjp(f, x)

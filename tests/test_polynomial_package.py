"""np.polynomial: evaluating, fitting, arithmetic, roots; with NumPy as it is where that works, and through dout.numpy."""

import numpy as np
import oracles
import pytest

import dout
import dout.numpy as dnp

pytestmark = pytest.mark.filterwarnings("ignore:NumPy made an array of Python objects")

BASES = {
    "polynomial": ("poly", "Polynomial"), "chebyshev": ("cheb", "Chebyshev"), "legendre": ("leg", "Legendre"),
    "hermite": ("herm", "Hermite"), "hermite_e": ("herme", "HermiteE"), "laguerre": ("lag", "Laguerre"),
}  # fmt: skip
C, D = oracles.array(4), oracles.array(3, seed=1)
TABLE, CUBE = oracles.array(3, 2), oracles.array(2, 3, 2)
X, Y, Z = (oracles.array(3, low=-0.9, high=0.9, seed=k) for k in range(3))
T = np.array([-1.0, -0.7, -0.1, 0.4, 0.8, 1.0])
S, W = oracles.array(6, seed=4), oracles.array(6, low=0.5, high=2.0, seed=5)
ROOTS = np.array([-0.5, 0.2, 0.7])


class Base:
    """A basis of a namespace: its functions without their prefix, and its class of series."""

    def __init__(self, xp, name):
        self.module = getattr(xp.polynomial, name)
        self.prefix, kind = BASES[name]
        self.series = getattr(xp.polynomial, kind)
        self.powers = xp.polynomial.Polynomial

    def __getattr__(self, name):
        return getattr(self.module, self.prefix + name)


#: What works with NumPy as it is, and through dout.numpy.
BOTH = {
    "val": (lambda b, x, c: b.val(x, c), X, C),
    "val of a number": (lambda b, x, c: b.val(x, c), 0.3, C),
    "val of a number, constants": (lambda b, x: b.val(x, C), 0.3),
    "val, constants": (lambda b, x: b.val(x, C), X),
    "val, columns": (lambda b, c: b.val(X, c), TABLE),
    "val, not tensor": (lambda b, x, c: b.val(x, c, tensor=False), X[:2], TABLE),
    "val2d": (lambda b, x, y, c: b.val2d(x, y, c), X, Y, TABLE),
    "val3d": (lambda b, x, y, z: b.val3d(x, y, z, CUBE), X, Y, Z),
    "grid2d of coefficients": (lambda b, c: b.grid2d(X, Y[:2], c), TABLE),
    "grid3d of coefficients": (lambda b, c: b.grid3d(X, Y[:2], Z[:2], c), CUBE),
    "vander": (lambda b, x: b.vander(x, 3), X),
    "vander2d": (lambda b, x, y: b.vander2d(x, y, [1, 2]), X, Y),
    "vander3d": (lambda b, x, y, z: b.vander3d(x, y, z, [1, 2, 1]), X, Y, Z),
    "der": (lambda b, c: b.der(c, 2, scl=1.5), C),
    "der along": (lambda b, c: b.der(c, axis=1), TABLE.T),
    "int": (lambda b, c, k: b.int(c, 2, k=[k, 1.0], lbnd=0.3, scl=2.0), C, 0.4),
    "add": (lambda b, c, d: b.add(c, d), C, D),
    "sub": (lambda b, c, d: b.sub(d, c), C, D),
    "mul": (lambda b, c, d: b.mul(c, d), C, D),
    "mulx": (lambda b, c: b.mulx(c), C),
    "div": (lambda b, c, d: tuple(b.div(c, d)), C, D),
    "pow": (lambda b, d: b.pow(d, 3), D),
    "fromroots": (lambda b, r: b.fromroots(r), ROOTS),
    "companion": (lambda b, c: b.companion(c), C),
    "line": (lambda b, o, s: b.line(o, s), 0.3, 0.4),
    "trim": (lambda b, c: b.trim(c), C),
    "series at": (lambda b, x: b.series(C)(x), X),
    "series in a domain": (lambda b, x, c: b.series(c, domain=[0, 2])(x), X, C),
    "series of": (lambda b, c, x: b.series(c)(x), C, X),
    "series coef": (lambda b, c: b.series(c).coef, C),
    "series deriv": (lambda b, c, x: b.series(c).deriv()(x), C, X),
    "series integ": (lambda b, c, x: b.series(c).integ()(x), C, X),
    "series sum": (lambda b, c, d: (b.series(c) + b.series(d) - 1.0)(X), C, D),
    "series product": (lambda b, c, d: (b.series(c) * b.series(d))(X), C, D),
    "series with numbers": (lambda b, c, s: (2.0 * b.series(c) * s / s - s)(X), C, 0.4),
    "series of constants, with numbers": (lambda b, s: (s * b.series(C) + s)(X), 0.4),
    "series power": (lambda b, d: (b.series(d) ** 2)(X), D),
    "series divided": (lambda b, c: divmod(b.series(c), b.series(D))[0](X), C),
    "series fromroots": (lambda b, r: b.series.fromroots(r)(X), ROOTS),
    "series converted": (lambda b, c: b.series(c).convert(kind=b.powers).coef, C),
    "series linspace": (lambda b, c: b.series(c).linspace(5)[1], C),
}
#: What NumPy's own code can't do: it asks whether x is an ndarray, or gives Variables to compiled code.
NAMESPACE = {
    "val, tensor": (lambda b, x, c: b.val(x, c), X, TABLE),
    "val, tensor, constants": (lambda b, x: b.val(x, TABLE), X),
    "grid2d": (lambda b, x, y, c: b.grid2d(x, y, c), X, Y[:2], TABLE),
    "grid3d": (lambda b, x, y, z: b.grid3d(x, y, z, CUBE), X, Y[:2], Z[:2]),
    "fit": (lambda b, x, y, w: b.fit(x, y, 3, w=w), T, S, W),
    "fit of columns": (lambda b, y: b.fit(T, y, [0, 2]), np.stack([S, S[::-1]], 1)),
    "fit full": (lambda b, y: b.fit(T, y, 2, full=True)[0], S),
    "series fit": (lambda b, x, y: b.series.fit(x, y, 3)(X), T, S),
    "series fit coef": (lambda b, y: b.series.fit(T, y, 2, domain=[-2, 2]).convert().coef, S),
    "roots": (lambda b, c: b.roots(c), None),
    "series roots": (lambda b, c: b.series(c).roots(), None),
}


def held(f, base, args):
    coefficients = Base(np, base).fromroots(ROOTS)
    coefficients = (
        8.0 * coefficients / np.max(np.abs(coefficients))
    )  # so that a step of the differences is small beside the coefficients
    args = [coefficients if a is None else a for a in args]
    b = Base(dnp, base)

    def floats(*given):
        out = f(b, *given)
        return tuple(map(settled, out)) if isinstance(out, tuple) else settled(out)

    # Entries of object arrays are computed one by one, in another order; least squares and eigenvalues are good to 1e-13.
    oracles.assert_derivatives(floats, *args, value_rtol=1e-11, rtol=1e-7, atol=1e-7)
    return floats, args


def settled(out):
    """Plain values in the form that a derivative's function gives them."""
    return out if isinstance(out, dout.Variable) or np.ndim(out) else np.asarray(out)[()]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", {**BOTH, **NAMESPACE})
def test_through_the_namespace(name, base):
    f, *args = {**BOTH, **NAMESPACE}[name]
    g, args = held(f, base, args)
    ours = g(*args)
    theirs = f(Base(np, base), *args)
    for a, b in zip(*(x if isinstance(x, tuple) else (x,) for x in (ours, theirs)), strict=True):
        np.testing.assert_allclose(a, b, 1e-11, 1e-13)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", BOTH)
def test_with_numpy_as_it_is(name, base):
    """The same derivatives as through the namespace."""
    f, *args = BOTH[name]
    found = [dout.vjp(lambda *xs, xp=xp: f(Base(xp, base), *xs), *args) for xp in (np, dnp)]
    values = [v if isinstance(v, tuple) else (v,) for v, _ in found]
    rng = np.random.default_rng(3)
    douts = tuple(rng.normal(size=np.shape(v)) for v in values[0])
    given = douts if isinstance(found[0][0], tuple) else douts[0]
    for mine, theirs in zip(*values, strict=True):
        np.testing.assert_allclose(np.asarray(mine, float), np.asarray(theirs, float), 1e-12, 1e-13)
    for mine, theirs in zip(*(pull(given) for _, pull in found), strict=True):
        np.testing.assert_allclose(mine, theirs, 1e-11, 1e-12)


@pytest.mark.parametrize("base", BASES)
def test_what_numpy_cannot_do_raises(base):
    b = Base(np, base)
    for f, x in (
        (lambda y: np.sum(b.fit(T, y, 2)), S),
        (lambda x: np.sum(b.fit(x, S, 2)), T),
        (lambda y: np.sum(b.series.fit(T, y, 2).coef), S),
        (lambda c: np.sum(b.roots(c)), C),
    ):
        with pytest.raises((TypeError, ValueError)):
            dout.grad(f)(x)


def test_check_finds_what_asks_for_ndarrays():
    """NumPy's polyval lays out a table of coefficients for an ndarray of places, and for nothing else."""
    c = oracles.array(3, 3)
    assert not dout.check(lambda x: np.polynomial.polynomial.polyval(x, c), X)
    assert dout.check(lambda x: dnp.polynomial.polynomial.polyval(x, c), X)


def test_outside_of_a_derivative_it_is_numpys():
    for name in BASES:
        ours, theirs = Base(dnp, name), Base(np, name)
        assert isinstance(ours.series(C), theirs.series)
        assert np.array_equal(ours.val(X, TABLE), theirs.val(X, TABLE))
        assert np.array_equal(ours.roots(C), theirs.roots(C))
        assert np.array_equal(ours.series(C).roots(), theirs.series(C).roots())
        assert set(dir(theirs.module)) == set(dir(ours.module))
    assert len(dout.grad(lambda c: np.sum(dnp.polynomial.polynomial.polyroots(c[:1])))(C)) == 4

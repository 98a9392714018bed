"""The singular value decomposition, also where values repeat or are zero, and with vectors that belong to none."""

import re
import warnings

import numpy as np
import oracles
import pytest
from matrices import adjoint, hermitian, narrow, well

import dout

SHAPES = [(1, 1), (2, 2), (3, 3), (4, 2), (2, 4), (1, 3), (3, 1), (2, 3, 2), (2, 2, 3)]
EMPTY = [(0, 2, 3), (0, 3), (3, 0)]
KINDS = ["float", "complex"]
REFERENCE = oracles.array(6, 6, low=-6, high=6, seed=9)


def drawn(shape, kind="float"):
    return oracles.array(*shape, kind=kind, seed=1)


def signed(a):
    """Singular vectors with signs, not phases, as in a reference: the phases that LAPACK chooses are to be tested."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    sign = np.sign(np.sum(np.real(u) * REFERENCE[: u.shape[-2], : u.shape[-1]], -2))
    return u * sign[..., None, :], s, vh * sign[..., :, None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_svd(shape, kind: str) -> None:
    a = drawn(shape, kind)
    oracles.assert_derivatives(signed, a, rtol=1e-6, atol=1e-7)
    for options in ({}, {"full_matrices": False}, {"compute_uv": False}):
        f = lambda a, options=options: np.linalg.svd(a, **options)  # noqa: E731
        oracles.assert_same(dout.vjp(f, a)[0], f(a)) if options.get("compute_uv") is False else oracles.assert_same(
            tuple(dout.vjp(f, a)[0]), tuple(f(a))
        )
    oracles.assert_derivatives(np.linalg.svdvals, a, rtol=1e-7)
    narrow(np.linalg.svdvals, a)
    narrow(signed, a)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", EMPTY, ids=str)
def test_svd_of_nothing(shape, kind: str) -> None:
    oracles.assert_derivatives(lambda a: tuple(np.linalg.svd(a)), drawn(shape, kind))
    oracles.assert_derivatives(np.linalg.svdvals, drawn(shape, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_vectors_that_belong_to_no_value(shape, kind: str) -> None:
    """The projection to the space that they span has a derivative."""
    a = drawn(shape, kind)
    k = min(shape[-2:])

    def f(a):
        u, s, vh = np.linalg.svd(a)
        left, right = u[..., k:] @ adjoint(u[..., k:]), adjoint(vh[..., k:, :]) @ vh[..., k:, :]
        return left * (1 + 0.5j), right, s, u[..., :k] @ (np.exp(s)[..., None] * vh[..., :k, :])

    oracles.assert_derivatives(f, a, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 3)], ids=str)
def test_svd_as_jax(shape, kind: str) -> None:
    """Of what doesn't depend on phases, which JAX leaves open."""

    def f(xp, a):
        u, s, vh = xp.linalg.svd(a, full_matrices=False)
        weighed = xp.real(xp.matmul(u * xp.exp(s)[..., None, :], vh)) * REFERENCE[: shape[-2], : shape[-1]]
        return xp.sum(weighed) + xp.sum(xp.abs(u) ** 2 * REFERENCE[: shape[-2], : min(shape[-2:])])

    oracles.assert_like_jax(f, drawn(shape, kind), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_hermitian(kind: str) -> None:
    a = well(3, 3, kind=kind) - 3 * np.eye(3)

    def whole(a):
        u, s, vh = np.linalg.svd(hermitian(a), hermitian=True)
        return s, u @ (np.exp(s)[..., None] * vh)

    oracles.assert_derivatives(whole, a, rtol=1e-6)
    oracles.assert_derivatives(
        lambda a: np.linalg.svd(hermitian(a), compute_uv=False, hermitian=True), np.stack([a, -a]), rtol=1e-6
    )
    same = tuple(np.linalg.svd(hermitian(a), hermitian=True))
    oracles.assert_same(tuple(dout.vjp(lambda a: np.linalg.svd(a, hermitian=True), hermitian(a))[0]), same)


def test_names_of_the_results() -> None:
    parts = np.linalg.svd(dout.Variable(well(2, 2)))
    assert parts.U is parts[0]
    assert parts.S is parts[1]
    assert parts.Vh is parts[2]


EYE = np.eye(3)
THIN = oracles.array(4, 2) @ oracles.array(2, 3, seed=2)  # of rank two, but for rounding


def product(a, rank=None):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.sum((u[:, :rank] * s[:rank]) @ vh[:rank] * REFERENCE[: a.shape[0], : a.shape[1]])


def polar(a):
    u, _, vh = np.linalg.svd(a)
    return np.sum(u @ vh * REFERENCE[:3, :3])


def test_values_that_repeat_or_are_zero() -> None:
    for f in (np.linalg.svdvals, lambda a: np.linalg.svd(a)[1]):
        np.testing.assert_allclose(dout.grad(lambda a, f=f: np.sum(f(a)))(EYE), EYE, atol=1e-14)
        with pytest.warns(RuntimeWarning, match=r"np\.linalg\.svd(vals)?: .*share"):
            d = dout.grad(lambda a, f=f: f(a)[0])(EYE)
        np.testing.assert_allclose(d, EYE / 3)
        with pytest.warns(RuntimeWarning, match=r"np\.linalg\.svd(vals)?: .* is 0"):
            d = dout.grad(lambda a, f=f: f(a)[2])(THIN)
        np.testing.assert_array_equal(d, 0)
        oracles.assert_derivatives(lambda a, f=f: f(a)[0], np.diag([3.0, 1, 1]), rtol=1e-7)


#: Functions that have no derivative which the singular vectors could tell, and where.
NONE = {
    "a component": (lambda a: np.linalg.svd(a)[0][0, 0], EYE),
    "the nearest rotation": (polar, EYE),
    "the nearest rotation, of rank two": (polar, np.diag([3.0, 2, 0])),
    "all of a product of lower rank": (product, THIN),
    "all of a square product of lower rank, exactly": (product, np.diag([3.0, 2, 0])),
    "all of a product of lower rank, exactly": (product, np.diag([3.0, 2, 0, 0])),
    "a vector that belongs to no value": (lambda a: np.linalg.svd(a)[0][0, 2], THIN[:, :2]),
    "a basis of what is left": (lambda a: np.linalg.svd(a)[2][2, 0], drawn((2, 4))),
}


@pytest.mark.parametrize("name", NONE)
def test_nan_where_there_is_no_derivative(name: str) -> None:
    f, a = NONE[name]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert np.all(np.isnan(dout.grad(f)(a)))
    assert any(re.match(r"np\.linalg\.svd: .* NaN", str(w.message)) for w in said)


@pytest.mark.parametrize("a", [THIN, np.diag([3.0, 2, 0, 0]), np.diag([3.0, 2, 1, 1])], ids=["thin", "zeros", "ones"])
def test_vectors_apart_from_those_that_repeat(a) -> None:
    """A product of rank two made of the two greatest values, where the others are zero or repeat."""
    expected = oracles.numerical(lambda a: product(a, 2), (a,))
    np.testing.assert_allclose(dout.grad(lambda a: product(a, 2))(a), expected, atol=1e-8)


#: Second derivatives that exist, but that can't be told from singular vectors, because values repeat or are zero.
SECOND = {
    "squares of the values": (lambda a: np.sum(np.linalg.svdvals(a) ** 2), np.diag([2.0, 1, 0])),
    "of values that are all one": (lambda a: np.sum((np.linalg.svdvals(a) - 1) ** 2), EYE),
    "the vectors of a singular matrix": (lambda a: np.sum(np.linalg.svd(a)[0] ** 2 * REFERENCE[:3, :3]), THIN[:3] @ THIN[1:].T),
}  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives_are_nan_rather_than_wrong(name: str) -> None:
    f, a = SECOND[name]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        np.testing.assert_allclose(dout.grad(f)(a), oracles.numerical(f, (a,)), atol=1e-7)
        found = dout.hvp(f, a, drawn(a.shape))
    assert np.all(np.isnan(found))
    assert any(re.match(r"np\.linalg\.svd\w*: .* NaN", str(w.message)) for w in said)


def test_the_nearest_rotation() -> None:
    oracles.assert_derivatives(polar, well(3, 3), rtol=1e-7)


def test_one_of_a_stack() -> None:
    a = np.stack([EYE, well(3, 3)])
    with pytest.warns(RuntimeWarning, match="svd"):
        d = dout.grad(lambda a: np.sum(signed(a)[0] * REFERENCE[:3, :3]))(a)
    assert np.all(np.isnan(d[0]))
    np.testing.assert_allclose(d[1], dout.grad(lambda a: np.sum(signed(a)[0] * REFERENCE[:3, :3]))(a[1]), 1e-10)


def test_what_numpy_rejects() -> None:
    for f in (np.linalg.svd, np.linalg.svdvals, lambda a: np.linalg.svd(a, compute_uv=False)):
        with pytest.raises(np.linalg.LinAlgError, match="dimension"):
            dout.vjp(f, np.ones(3))
        with pytest.raises(np.linalg.LinAlgError, match="did not converge"):
            dout.vjp(f, np.full((2, 2), np.nan))

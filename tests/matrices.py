"""Matrices for the tests of linear algebra."""

from __future__ import annotations

import numpy as np
import oracles

import dout


def well(*shape: int, kind: str = "float", seed: int = 0):
    """Square matrices that are far from singular, with eigenvalues and singular values that are far apart."""
    n = shape[-1]
    return 0.3 * oracles.array(*shape, kind=kind, seed=seed) + np.diag(np.arange(n) * 1.5 + 1.5)


def positive(*shape: int, kind: str = "float"):
    """Positive definite matrices, symmetric or Hermitian."""
    a = well(*shape, kind=kind)
    return a @ adjoint(a)


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def hermitian(a):
    return (a + adjoint(a)) * 0.5


def narrow(f, *args) -> None:
    """float32 in, float32 out. There is no float16 in linear algebra, so `oracles.assert_narrow` doesn't serve."""
    given = [a.astype(np.complex64 if np.iscomplexobj(a) else np.float32) for a in args]
    out, pullback = dout.vjp(f, *given)
    oracles.assert_same(out, f(*given))
    wide_out, wide = dout.vjp(f, *[a.astype(complex if np.iscomplexobj(a) else float) for a in given])
    ones = lambda x: tuple(map(np.ones_like, x)) if isinstance(x, tuple) else np.ones_like(x)  # noqa: E731
    for a, d, e in zip(given, pullback(ones(out)), wide(ones(wide_out)), strict=True):
        assert d.dtype == a.dtype
        np.testing.assert_allclose(d, e, 1e-3, 1e-3)

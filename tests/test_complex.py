"""Derivatives with respect to complex numbers are those that JAX defines."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from dout import grad, jacobian, jvp, vjp

X = np.array([1.0, 2.0, 3.0])


COMPLEX = {
    "abs": lambda xp, z: xp.sum(xp.abs(z)),
    "real of square": lambda xp, z: xp.sum(xp.real(z * z)),
    "imag of exp": lambda xp, z: xp.sum(xp.imag(xp.exp(z))),
    "conj": lambda xp, z: xp.sum(xp.real(z * z * xp.conj(z))),
    "abs squared": lambda xp, z: xp.sum(xp.abs(z) ** 2),
    "division": lambda xp, z: xp.sum(xp.real(1 / (z + 2))),
    "power": lambda xp, z: xp.sum(xp.real(z**3)),
    "sqrt log": lambda xp, z: xp.sum(xp.imag(xp.sqrt(xp.log(z + 3)))),
    "angle": lambda xp, z: xp.sum(xp.angle(z)),
    "matmul": lambda xp, z: xp.real(xp.sum((z[:, None] * z) @ z)),
    "real part only": lambda xp, z: xp.sum(z.real**2 * z.imag),
}


@pytest.mark.parametrize("f", COMPLEX.values(), ids=COMPLEX.keys())
def test_complex_derivatives_are_jaxs(f):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    z = oracles.array(3, kind="complex")
    theirs = np.asarray(jax.grad(lambda v: f(jax.numpy, v))(z))
    np.testing.assert_allclose(grad(lambda v: f(np, v))(z), theirs, rtol=1e-12)
    again = np.asarray(jax.grad(lambda v: jax.numpy.sum(jax.numpy.abs(jax.grad(lambda u: f(jax.numpy, u))(v))))(z))
    found = grad(lambda v: np.sum(np.abs(grad(lambda u: f(np, u))(v))))(z)
    np.testing.assert_allclose(found, again, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kinds", ["cc", "cr", "rc"])
def test_complex_products_are_jaxs(kinds):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = oracles.array(3, kind="complex") if kinds[0] == "c" else oracles.array(3)
    w = np.array([1 + 2j, 3 - 1j, 0.5j])

    def f(xp, v):
        out = xp.exp(v * w) * v + xp.conj(v)
        return out if kinds[1] == "c" else xp.real(out)

    out, theirs = jax.vjp(lambda v: f(jax.numpy, v), x)
    d = np.asarray(out) * 0.3 + 0.1
    ours_out, ours = vjp(lambda v: f(np, v), x)
    np.testing.assert_allclose(ours_out, out, rtol=1e-12)
    np.testing.assert_allclose(ours(d)[0], theirs(d)[0], rtol=1e-12)
    assert ours(d)[0].dtype == x.dtype
    t = x * 0.2 + 0.7
    np.testing.assert_allclose(
        jvp(lambda v: f(np, v), (x,), (t,))[1], jax.jvp(lambda v: f(jax.numpy, v), (x,), (t,))[1], rtol=1e-12
    )


def test_a_holomorphic_jacobian_and_a_complex_output_of_a_real_input():
    z = np.array([1 + 2j, 3 - 1j])
    np.testing.assert_allclose(jacobian(lambda z: z**2)(z), np.diag(2 * z))
    np.testing.assert_allclose(jacobian(lambda x: x * (1 + 2j))(X), np.eye(3) * (1 + 2j))
    np.testing.assert_allclose(jvp(lambda x: x * (1 + 2j), (2.0,), (1.0,))[1], 1 + 2j)

"""dout.vmap on random axes, nestings and functions: always the loop's results, and JAX's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
from dout.jit import jit
from dout.vmap import vmap

#: Functions of an array of any shape (p) and one that broadcasts with it (q), in words of NumPy's and JAX's.
ONE = [
    lambda xp, p, q: xp.tanh(p) * q + 0.5,
    lambda xp, p, q: xp.where(p > q, p, q * q),
    lambda xp, p, q: xp.sum(xp.exp(-p * p) * q),
    lambda xp, p, q: xp.max(p * q, axis=-1) if p.ndim else p * q,
    lambda xp, p, q: xp.cumsum(xp.sin(p), axis=0) if p.ndim else xp.sin(p),
    lambda xp, p, q: xp.reshape(p, (-1,)) * 2,
    lambda xp, p, q: p.T @ p if p.ndim == 2 else p * 3,
    lambda xp, p, q: xp.concatenate([xp.ravel(p), xp.ravel(p * q)]),
    lambda xp, p, q: xp.sort(xp.ravel(p))[::-1] * xp.sum(q),
    lambda xp, p, q: xp.ravel(p)[xp.argmax(xp.ravel(p))] * q,
    lambda xp, p, q: xp.take(xp.ravel(p), xp.argsort(xp.ravel(p))),
    lambda xp, p, q: xp.stack([p, p * q], axis=-1),
    lambda xp, p, q: xp.einsum("...,...->...", p, p) * q,
    lambda xp, p, q: xp.mean(p) + xp.var(p) + xp.prod(xp.cos(p)) * q,
    lambda xp, p, q: xp.broadcast_to(xp.expand_dims(p, 0), (2, *p.shape)) - q,
    lambda xp, p, q: xp.flip(p) + xp.roll(p, 1) + xp.abs(q),
]


@st.composite
def cases(draw):
    """A function, its arguments with batch axes somewhere in them, and where those are."""
    inner = draw(st.lists(st.integers(1, 3), min_size=0, max_size=2))
    depth = draw(st.integers(1, 2))
    sizes = draw(st.lists(st.integers(1, 4), min_size=depth, max_size=depth))
    shapes, axes = [list(inner), draw(st.sampled_from([[], [1] * len(inner), list(inner)]))], []
    for n in sizes:  # from the inside out
        mapped = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
        where = []
        for shape, yes in zip(shapes, mapped, strict=True):
            if not yes:
                where.append(None)
                continue
            axis = draw(st.integers(0, len(shape)))
            shape.insert(axis, n)
            where.append(axis if draw(st.booleans()) else axis - len(shape))
        axes.append(tuple(where))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    return draw(st.sampled_from(ONE)), [rng.normal(size=shape) for shape in shapes], sizes, axes, draw(st.booleans())


def looped(f, axes, n, args):
    """Along one level of axes, one example after another."""
    picked = [
        [a if axis is None else np.take(a, i, axis) for a, axis in zip(args, axes, strict=True)] for i in range(n)
    ]
    return np.stack([f(*given) for given in picked], axis=0)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_any_axes_and_nesting(case) -> None:
    """To rounding: sums of other orders and other matrix kernels, of numbers around 1 to some 10."""
    one, args, sizes, axes, last = case
    out_axis = -1 if last else 0
    f = lambda p, q: one(np, p, q)  # noqa: E731
    batch, loop = f, f
    for n, where in zip(sizes, axes, strict=True):
        batch = vmap(batch, where, out_axis)
        loop = lambda *given, inner=loop, where=where, n=n: looped(inner, where, n, given)  # noqa: E731
    # Every level put its axis last, or first.
    behind, before = tuple(range(-1, -1 - len(sizes), -1)), tuple(range(len(sizes)))
    turned = (lambda v: np.moveaxis(v, behind, before)) if last else (lambda v: v)
    expected, found = loop(*args), turned(batch(*args))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, 1e-10, 1e-12)
    weights = np.cos(np.arange(found.size).reshape(found.shape))
    total = lambda p, q: np.sum(turned(batch(p, q)) * weights)  # noqa: E731
    other = lambda p, q: np.sum(loop(p, q) * weights)  # noqa: E731
    for a, b in zip(dout.grad(total, (0, 1))(*args), dout.grad(other, (0, 1))(*args), strict=True):
        np.testing.assert_allclose(a, b, 1e-9, 1e-11)


@given(cases())
@settings(max_examples=25, deadline=None)
def test_any_axes_and_nesting_like_jax_and_jitted(case) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    one, args, _, axes, last = case
    mine, other = (lambda p, q: one(np, p, q)), (lambda p, q: one(jax.numpy, p, q))
    for where in axes:
        mine, other = vmap(mine, where, -1 if last else 0), jax.vmap(other, where, -1 if last else 0)
    found, expected = mine(*args), other(*args)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, 1e-10, 1e-12)
    np.testing.assert_allclose(jit(mine)(*args), expected, 1e-10, 1e-12)


STEPS = [
    lambda x, y: x + y if x > y else x * y,
    lambda x, y: x - y if x * y < 0 else np.sin(x),
    lambda x, y: x / 2 if int(np.floor(np.abs(x) * 2)) % 2 else x + 1,
    lambda x, y: sum((x * k for k in range(int(np.floor(np.abs(y))) % 3)), 0.5 * x),
]


@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=3), st.lists(st.floats(-3, 3), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_control_flow(steps, values) -> None:
    """The same steps in the same order on each example, and so the same numbers, but for powers of a vector unit."""

    def f(x):
        y = x * 0.75 - 0.5
        for step in steps:
            x, y = step(x, y), x
        return x

    xs = np.array(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        np.testing.assert_allclose(vmap(f)(xs), [f(x) for x in xs], 1e-13, 1e-300)
        np.testing.assert_allclose(vmap(dout.grad(f))(xs), [dout.grad(f)(x) for x in xs], 1e-13, 1e-300)
        total = dout.grad(lambda xs: np.sum(vmap(f)(xs)))(xs)
        np.testing.assert_allclose(total, [dout.grad(f)(x) for x in xs], 1e-13, 1e-300)

"""The works of benchmarks/native.py in JAX, jitted, as its users write them.

Each entry of `JAX` takes the arguments of the NumPy function of that name, and gives a function of no arguments that
returns all results, as a flat list of arrays.
"""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from native_works import STEPS, WIDTH, triangle

jax.config.update("jax_enable_x64", True)

Run = Callable[[], list[Any]]


def timed(f: Any, *args: Any) -> Run:
    given = jax.tree.map(jnp.asarray, args)
    fast = jax.jit(f)
    return lambda: jax.tree.leaves(jax.block_until_ready(fast(*given)))


def shop(args: Any) -> Run:
    def f(apple: Any, apples: Any, orange: Any, oranges: Any, tax: Any) -> Any:
        return (apple * apples + orange * oranges) * tax

    return timed(jax.value_and_grad(f, argnums=(0, 1, 2, 3, 4)), *args)


def sigmoid_relu(args: Any) -> Run:
    f = jax.value_and_grad(lambda x, w, b: jax.nn.sigmoid(jax.nn.relu(x * w + b) * w).sum(), argnums=(0, 1, 2))
    return timed(f, *args)


def entropy(logits: Any, labels: Any) -> Any:
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels])


def cross_entropy(args: Any) -> Run:
    return timed(jax.grad(entropy), *args)


def layer_norm(args: Any) -> Run:
    def f(x: Any, gain: Any, bias: Any, d: Any) -> Any:
        centred = x - x.mean(1, keepdims=True)
        spread = jnp.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
        return ((centred / spread * gain + bias) * d).sum()

    return timed(jax.grad(f, argnums=(0, 1, 2)), *args)


def network_loss(params: Any, x: Any, labels: Any) -> Any:
    return entropy(jax.nn.relu(x @ params["w1"] + params["b1"]) @ params["w2"] + params["b2"], labels)


def network(args: Any) -> Run:
    return timed(jax.value_and_grad(network_loss), *args)


def kmeans(args: Any) -> Run:
    def cost(centres: Any, points: Any) -> Any:
        squares = (points**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * points @ centres.T
        return squares.min(1).sum()

    def both(centres: Any, points: Any) -> Any:
        def gradient(c: Any) -> Any:
            return jax.value_and_grad(cost)(c, points)

        (value, slope), (_, curvature) = jax.jvp(gradient, (centres,), (jnp.ones_like(centres),))
        return value, slope, curvature

    return timed(both, *args)


def mixture(args: Any) -> Run:
    def f(weights: Any, means: Any, factors: Any, points: Any) -> Any:
        n, d = points.shape
        rows, columns = triangle(d)[1].nonzero()
        logs = factors[:, :d]
        lower = jnp.zeros((len(means), d, d)).at[:, rows, columns].set(factors[:, d:])
        centred = points - means[:, None]
        rotated = jnp.exp(logs)[:, None] * centred + centred @ lower.mT
        inner = weights[:, None] + logs.sum(1)[:, None] - 0.5 * (rotated**2).sum(2)
        prior = 0.5 * ((jnp.exp(logs) ** 2).sum() + (factors[:, d:] ** 2).sum()) - logs.sum()
        return jax.nn.logsumexp(inner, 0).sum() - n * jax.nn.logsumexp(weights) + prior

    return timed(jax.grad(f, argnums=(0, 1, 2)), *args)


def embedding(args: Any) -> Run:
    def f(table: Any, index: Any, d: Any) -> Any:
        rows, pull = jax.vjp(lambda t: t[index], table)
        return rows, pull(d)

    return timed(f, *args)


def lorenz_sum(x: Any, y: Any, z: Any, s: Any, r: Any, b: Any) -> Any:
    h = WIDTH

    def slope(x: Any, y: Any, z: Any) -> Any:
        return s * (y - x), x * (r - z) - y, x * y - b * z

    def step(state: Any, _: Any) -> Any:
        x, y, z = state
        k1, l1, m1 = slope(x, y, z)
        k2, l2, m2 = slope(x + h / 2 * k1, y + h / 2 * l1, z + h / 2 * m1)
        k3, l3, m3 = slope(x + h / 2 * k2, y + h / 2 * l2, z + h / 2 * m2)
        k4, l4, m4 = slope(x + h * k3, y + h * l3, z + h * m3)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        y = y + h / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
        z = z + h / 6 * (m1 + 2 * m2 + 2 * m3 + m4)
        return (x, y, z), None

    return sum(jax.lax.scan(step, (x, y, z), None, length=STEPS)[0])


def lorenz(args: Any) -> Run:
    return timed(jax.value_and_grad(lorenz_sum, argnums=tuple(range(6))), *args)


JAX: dict[str, Callable[[Any], Run]] = {
    "shop": shop,
    "sigmoid_relu": sigmoid_relu,
    "cross_entropy": cross_entropy,
    "layer_norm": layer_norm,
    "network": network,
    "kmeans": kmeans,
    "mixture": mixture,
    "embedding": embedding,
    "lorenz": lorenz,
}

"""What benchmarks/native.py times: each function as its user writes it in plain NumPy, with its arguments.

The peers' versions of the same names are in native_torch.py and native_jax.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import dout

Arrays = dict[str, Any]


def shop(apple: Any, apples: Any, orange: Any, oranges: Any, tax: Any) -> Any:
    return (apple * apples + orange * oranges) * tax


def sigmoid_relu(x: Any, w: Any, b: Any) -> Any:
    r = np.maximum(x * w + b, 0)
    return np.sum(1 / (1 + np.exp(-(r * w))))


def cross_entropy(logits: Any, labels: Any) -> Any:
    z = logits - np.max(logits, axis=1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels])


def layer_norm(x: Any, gain: Any, bias: Any, d: Any) -> Any:
    """The sum with weights `d`: its derivatives are those of layer norm for an incoming `d`."""
    centred = x - np.mean(x, axis=1, keepdims=True)
    spread = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-5)
    return np.sum((centred / spread * gain + bias) * d)


def network(params: Arrays, x: Any, labels: Any) -> Any:
    h = np.maximum(x @ params["w1"] + params["b1"], 0)
    return cross_entropy(h @ params["w2"] + params["b2"], labels)


def kmeans(centres: Any, points: Any) -> Any:
    """The sum of the squared distances to the nearest centre."""
    squares = np.sum(points**2, axis=1)[:, None] + np.sum(centres**2, axis=1) - 2 * points @ centres.T
    return np.sum(np.min(squares, axis=1))


def kmeans_all(centres: Any, points: Any) -> Any:
    """Cost, gradient, and the Hessian's diagonal: the Hessian is diagonal, so its product with ones is that."""

    def gradient(c: Any) -> Any:
        return dout.value_and_grad(kmeans)(c, points)

    (cost, slope), (_, curvature) = dout.jvp(gradient, (centres,), (np.ones_like(centres),))
    return cost, slope, curvature


def logsumexp(x: Any) -> Any:
    top = np.max(x, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis=-1)) + top[..., 0]


def mixture(weights: Any, means: Any, factors: Any, points: Any) -> Any:
    """Log-likelihood of a Gaussian mixture, with the Wishart prior of the usual benchmark.

    Args:
        weights: k numbers, the components' weights before the softmax.
        means: (k, d).
        factors: (k, d + d (d - 1) / 2): logarithms of the diagonals of the inverse covariances' triangular factors, then
            what is below them, row by row.
        points: (n, d).
    """
    n, d = points.shape
    logs = factors[:, :d]
    place, below = triangle(d)
    lower = np.where(below, factors[:, place], 0)  # (k, d, d)
    centred = points - means[:, None]  # (k, n, d)
    rotated = np.exp(logs)[:, None] * centred + centred @ np.swapaxes(lower, 1, 2)
    inner = weights[:, None] + np.sum(logs, axis=1)[:, None] - 0.5 * np.sum(rotated**2, axis=2)  # (k, n)
    prior = 0.5 * (np.sum(np.exp(logs) ** 2) + np.sum(factors[:, d:] ** 2)) - np.sum(logs)
    return np.sum(logsumexp(inner.T)) - n * logsumexp(weights) + prior


def triangle(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in a row of `factors` each entry of the triangle is, and which entries there are."""
    place = np.zeros((d, d), int)
    rows, columns = np.tril_indices(d, -1)
    place[rows, columns] = d + np.arange(len(rows))
    return place, np.tri(d, k=-1, dtype=bool)


def mixture_gradient(weights: Any, means: Any, factors: Any, points: Any) -> Any:
    return dout.grad(mixture, argnums=(0, 1, 2))(weights, means, factors, points)


def embedding(table: Any, index: Any, d: Any) -> Any:
    """The rows that are read, and the derivative of the table for an incoming `d`."""
    rows, pull = dout.vjp(lambda t: t[index], table)
    return rows, pull(d)[0]


#: Steps and step width of the Runge-Kutta rows. Over this time two states draw apart about a hundredfold, so that results
#: can be compared to 1e-12 although nobody rounds alike.
STEPS, WIDTH = 10_000, 5e-4


def lorenz(x: Any, y: Any, z: Any, s: Any, r: Any, b: Any) -> Any:
    """The sum of the coordinates after 10,000 steps of the classical Runge-Kutta method."""

    def slope(x: Any, y: Any, z: Any) -> Any:
        return s * (y - x), x * (r - z) - y, x * y - b * z

    h = WIDTH
    for _ in range(STEPS):
        k1, l1, m1 = slope(x, y, z)
        k2, l2, m2 = slope(x + h / 2 * k1, y + h / 2 * l1, z + h / 2 * m1)
        k3, l3, m3 = slope(x + h / 2 * k2, y + h / 2 * l2, z + h / 2 * m2)
        k4, l4, m4 = slope(x + h * k3, y + h * l3, z + h * m3)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        y = y + h / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
        z = z + h / 6 * (m1 + 2 * m2 + 2 * m3 + m4)
    return x + y + z


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sigmoid_args(n: int, dtype: str) -> tuple[Any, ...]:
    rng = drawn()
    return tuple(rng.standard_normal(n).astype(dtype) for _ in range(3))


def cross_entropy_args(dtype: str, n: int = 4096, classes: int = 1000) -> tuple[Any, ...]:
    return drawn().standard_normal((n, classes)).astype(dtype), drawn(1).integers(0, classes, n)


def layer_norm_args(dtype: str, n: int = 4096, width: int = 1024) -> tuple[Any, ...]:
    rng = drawn()
    shapes = ((n, width), (width,), (width,), (n, width))
    return tuple(rng.standard_normal(s).astype(dtype) for s in shapes)


def network_args(hidden: int, batch: int) -> tuple[Any, ...]:
    rng = drawn()
    params = {  # by name, as JAX and PyTorch's version return them
        "b1": np.zeros(hidden, "f4"),
        "b2": np.zeros(10, "f4"),
        "w1": rng.standard_normal((784, hidden)).astype("f4") / 28,
        "w2": rng.standard_normal((hidden, 10)).astype("f4") / np.float32(hidden**0.5),
    }
    return params, rng.random((batch, 784), "f4"), rng.integers(0, 10, batch)


def kmeans_args(n: int = 10_000, d: int = 32, k: int = 100) -> tuple[Any, ...]:
    rng = drawn()
    points = rng.standard_normal((n, d))
    return points[:k].copy() + 0.1, points


def mixture_args(n: int = 1000, d: int = 64, k: int = 25) -> tuple[Any, ...]:
    rng = drawn()
    factors = 0.1 * rng.standard_normal((k, d + d * (d - 1) // 2))
    return rng.standard_normal(k), rng.standard_normal((k, d)), factors, rng.standard_normal((n, d))


def embedding_args(dtype: str, n: int = 100_000, width: int = 64) -> tuple[Any, ...]:
    rng = drawn()
    table, d = (rng.standard_normal((n, width)).astype(dtype) for _ in range(2))
    return table, rng.integers(0, n, n), d


LORENZ_ARGS = (1.0, 1.0, 1.0, 10.0, 28.0, 8 / 3)

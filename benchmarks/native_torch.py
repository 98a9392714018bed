"""The works of benchmarks/native.py in PyTorch, eager or through torch.compile, as its users write them.

Each entry of `TORCH` takes the arguments of the NumPy function of that name and a wrapper (`torch.compile`, or nothing) for
what is called forward; it gives a function of no arguments that returns all results, as a flat list of tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from native_works import triangle

Run = Callable[[], list[Any]]
Wrap = Callable[[Any], Any]


def leaf(a: Any) -> torch.Tensor:
    return torch.tensor(a, requires_grad=True)


def with_gradient(forward: Any, leaves: list[Any], value: bool = True) -> Run:
    def run() -> list[Any]:
        out = forward(*leaves)
        slopes = torch.autograd.grad(out, leaves)
        return [out.detach(), *slopes] if value else list(slopes)

    return run


def sigmoid_relu(args: Any, wrap: Wrap) -> Run:
    forward = wrap(lambda x, w, b: torch.sigmoid(torch.relu(x * w + b) * w).sum())
    return with_gradient(forward, [leaf(a) for a in args])


def cross_entropy(args: Any, wrap: Wrap) -> Run:
    labels = torch.tensor(args[1])
    return with_gradient(wrap(lambda logits: F.cross_entropy(logits, labels)), [leaf(args[0])], value=False)


def layer_norm(args: Any, wrap: Wrap) -> Run:
    x, gain, bias = leaves = [leaf(a) for a in args[:3]]
    d = torch.tensor(args[3])
    forward = wrap(lambda x, gain, bias: F.layer_norm(x, gain.shape, gain, bias))
    return lambda: list(torch.autograd.grad(forward(x, gain, bias), leaves, d))


def network(args: Any, wrap: Wrap) -> Run:
    params, x, labels = args
    x, labels = torch.tensor(x), torch.tensor(labels)

    def forward(b1: Any, b2: Any, w1: Any, w2: Any) -> Any:
        return F.cross_entropy(torch.relu(x @ w1 + b1) @ w2 + b2, labels)

    return with_gradient(wrap(forward), [leaf(a) for a in params.values()])


def kmeans_cost(centres: Any, points: Any) -> Any:
    squares = (points**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * points @ centres.T
    return squares.amin(1).sum()


def kmeans(args: Any, wrap: Wrap) -> Run:
    centres, points = leaf(args[0]), torch.tensor(args[1])
    if wrap is plainly:

        def run() -> list[Any]:
            cost = kmeans_cost(centres, points)
            (slope,) = torch.autograd.grad(cost, centres, create_graph=True)
            (curvature,) = torch.autograd.grad(slope.sum(), centres)
            return [cost.detach(), slope.detach(), curvature]

        return run
    fixed = centres.detach()

    def both(c: Any, p: Any) -> Any:
        def gradient(c: Any) -> Any:
            slope, cost = torch.func.grad_and_value(kmeans_cost)(c, p)
            return cost, slope

        (cost, slope), (_, curvature) = torch.func.jvp(gradient, (c,), (torch.ones_like(c),))
        return [cost, slope, curvature]

    compiled = wrap(both)
    return lambda: compiled(fixed, points)


def mixture(args: Any, wrap: Wrap) -> Run:
    points = torch.tensor(args[3])
    n, d = points.shape
    _, below = triangle(d)
    rows, columns = (torch.tensor(i) for i in below.nonzero())

    def forward(weights: Any, means: Any, factors: Any) -> Any:
        logs = factors[:, :d]
        lower = torch.zeros(len(means), d, d, dtype=points.dtype)
        lower[:, rows, columns] = factors[:, d:]
        centred = points - means[:, None]
        rotated = torch.exp(logs)[:, None] * centred + centred @ lower.mT
        inner = weights[:, None] + logs.sum(1)[:, None] - 0.5 * (rotated**2).sum(2)
        prior = 0.5 * ((torch.exp(logs) ** 2).sum() + (factors[:, d:] ** 2).sum()) - logs.sum()
        return torch.logsumexp(inner, 0).sum() - n * torch.logsumexp(weights, 0) + prior

    return with_gradient(wrap(forward), [leaf(a) for a in args[:3]], value=False)


def embedding(args: Any, wrap: Wrap) -> Run:
    table, index, d = leaf(args[0]), torch.tensor(args[1]), torch.tensor(args[2])
    forward = wrap(lambda table: F.embedding(index, table))

    def run() -> list[Any]:
        rows = forward(table)
        return [rows.detach(), *torch.autograd.grad(rows, table, d)]

    return run


def plainly(f: Any) -> Any:
    """The wrapper that is none."""
    return f


TORCH: dict[str, Callable[[Any, Wrap], Run]] = {
    "sigmoid_relu": sigmoid_relu,
    "cross_entropy": cross_entropy,
    "layer_norm": layer_norm,
    "network": network,
    "kmeans": kmeans,
    "mixture": mixture,
    "embedding": embedding,
}

"""The rows of benchmarks/native.py: which work, with which arguments, what must move and be multiplied, what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import native_works as works
from native_floors import Call, layers, network_products

import dout

#: Another's time that dout's is divided by, and how much that may be at most. "us" and "s": dout's own time.
Limits = dict[str, float]
BETTER, LEAST = "better peer", "floor"


@dataclass(frozen=True)
class Work:
    """One row.

    Attributes:
        title: in the table.
        family: under which name the peers have it.
        f: what dout jits.
        args: makes its arguments.
        limits: what is asked for.
        bytes: how many must be read and written at least, if all that can stays in caches.
        flops: of its matrix products.
        hand: what else is timed beside it.
        rounding: the largest difference from eager, relative to each result's largest entry. In float32 sums of
            thousands of entries in another order differ by some hundred roundings.
    """

    title: str
    family: str
    f: Callable[..., Any]
    args: Callable[[], tuple[Any, ...]]
    limits: Limits
    dtype: str = "float64"
    bytes: float = 0
    flops: float = 0
    hand: dict[str, Callable[[Any], Call]] = field(default_factory=dict)

    @property
    def rounding(self) -> float:
        return 1e-12 if self.dtype == "float64" else 2e-5


WIDTHS = {"f8": "float64", "f4": "float32"}


def by_c(args: Any) -> Call:
    from lorenz import by_c

    return by_c(args), ()


def _sigmoid() -> dict[str, Work]:
    f = dout.value_and_grad(works.sigmoid_relu, argnums=(0, 1, 2))
    found = {}
    for n, most in {10: 0.04, 1_000: 0.05, 100_000: 0.25, 4_000_000: 0.25}.items():
        for short, dtype in WIDTHS.items():
            size = int(short[1])
            limits = {BETTER: most} | ({LEAST: 1 / 0.7} if n == 4_000_000 else {})
            found[f"sigmoid-{n}-{short}"] = Work(
                f"sum(sigmoid(relu(x*w+b)*w)), value and three gradients, {n:,}",
                "sigmoid_relu", f, lambda n=n, dtype=dtype: works.sigmoid_args(n, dtype), limits, dtype, 6 * n * size,
            )  # fmt: skip
    return found


def _cross_entropy() -> dict[str, Work]:
    return {
        f"cross-entropy-{short}": Work(
            "softmax cross-entropy over 4096 x 1000, gradient", "cross_entropy", dout.grad(works.cross_entropy),
            lambda dtype=dtype: works.cross_entropy_args(dtype), {BETTER: 0.5}, dtype, 2 * 4096 * 1000 * int(short[1]),
        )
        for short, dtype in WIDTHS.items()
    }  # fmt: skip


def _layer_norm() -> dict[str, Work]:
    return {
        f"layer-norm-{short}": Work(
            "layer norm over 4096 x 1024, gradient", "layer_norm", dout.grad(works.layer_norm, argnums=(0, 1, 2)),
            lambda dtype=dtype: works.layer_norm_args(dtype), {BETTER: 0.5}, dtype, 3 * 4096 * 1024 * int(short[1]),
        )
        for short, dtype in WIDTHS.items()
    }  # fmt: skip


def _embedding() -> dict[str, Work]:
    return {
        f"embedding-{short}": Work(
            "embedding: gather and its scatter-add, 100,000 rows of 64", "embedding", works.embedding,
            lambda dtype=dtype: works.embedding_args(dtype), {BETTER: 0.5}, dtype, 4 * 100_000 * 64 * int(short[1]),
        )
        for short, dtype in WIDTHS.items()
    }  # fmt: skip


def _networks() -> dict[str, Work]:
    found = {}
    for hidden, batch, peer, products in ((50, 100, 0.6, 1.3), (1024, 256, 1.0, 1.1)):
        weights = (784 + 10) * hidden
        flops = 2 * batch * (2 * 784 * hidden + 3 * hidden * 10)  # the input's derivative is not asked for
        found[f"network-{hidden}"] = Work(
            f"784-{hidden}-10 network, batch {batch}, value and gradients", "network",
            dout.value_and_grad(works.network), lambda hidden=hidden, batch=batch: works.network_args(hidden, batch),
            {BETTER: peer, "its products": products}, "float32", 4 * (2 * weights + batch * 784), flops,
            {"its products": network_products},
        )  # fmt: skip
    return found


ROWS: dict[str, Work] = {
    "shop": Work(
        "apples and oranges, value and five derivatives", "shop", dout.value_and_grad(works.shop, argnums=(0, 1, 2, 3, 4)),
        lambda: (100.0, 2.0, 150.0, 3.0, 1.1), {"us": 0.25, "layers by hand": 0.25}, hand={"layers by hand": layers},
    ),
    **_sigmoid(),
    **_cross_entropy(),
    **_layer_norm(),
    **_networks(),
    "kmeans": Work(
        "k-means cost, gradient, diagonal Hessian: 10,000 x 32, 100 centres", "kmeans", works.kmeans_all,
        works.kmeans_args, {BETTER: 0.6}, bytes=8 * 32 * (10_000 + 300), flops=2 * 10_000 * 32 * 100,
    ),
    "mixture": Work(
        "Gaussian mixture log-likelihood, gradient: 1,000 x 64, 25 components", "mixture", works.mixture_gradient,
        works.mixture_args, {BETTER: 0.6}, bytes=8 * (1000 * 64 + 2 * 25 * 2145), flops=2 * 2 * 25 * 1000 * 64 * 64,
    ),
    **_embedding(),
    "lorenz": Work(
        "gradient through 10,000 Runge-Kutta steps of Lorenz's system", "lorenz",
        dout.value_and_grad(works.lorenz, argnums=(0, 1, 2, 3, 4, 5)), lambda: works.LORENZ_ARGS,
        {"C": 2.0, "first call, s": 15.0}, hand={"C": by_c},
    ),
}  # fmt: skip

"""dout.jit beside PyTorch and JAX: `python benchmarks/native.py [results.json]`.

Every result is compared with dout's eager one first. One run measures all, in turns: PyTorch eager with the threads it
takes by itself, JAX's jit on the CPU in double precision. `floor` is the time in which this machine moves the bytes that
have to be moved, on one thread; for numbers, what a call of an empty builtin takes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import measure
import numpy as np
from measure import Row, in_turn, middle, rows_of
from rich.console import Console

import dout
from dout.jit import jit

SIZES = (10, 1_000, 100_000, 4_000_000)
#: The most that dout may take, as a part of the better peer's time.
TARGETS = dict(zip(SIZES, (0.04, 0.05, 0.25, 0.25), strict=True))


def shop(apple: Any, apples: Any, orange: Any, oranges: Any, tax: Any) -> Any:
    return (apple * apples + orange * oranges) * tax


def by_layers() -> Callable[..., Any]:
    """The four layers of the book called by hand, forward and backward, in plain Python."""

    class Mul:
        def forward(self, x, y):
            self.x, self.y = x, y
            return x * y

        def backward(self, dout):
            return dout * self.y, dout * self.x

    class Add:
        def forward(self, x, y):
            return x + y

        def backward(self, dout):
            return dout * 1, dout * 1

    def run(apple, apples, orange, oranges, tax):
        first, second, both, taxed = Mul(), Mul(), Add(), Mul()
        price = taxed.forward(both.forward(first.forward(apple, apples), second.forward(orange, oranges)), tax)
        d_both, d_tax = taxed.backward(1.0)
        d_first, d_second = both.backward(d_both)
        return price, (*first.backward(d_first), *second.backward(d_second), d_tax)

    return run


def loss(x: Any, w: Any, b: Any) -> Any:
    r = np.maximum(x * w + b, 0)
    return np.sum(1 / (1 + np.exp(-(r * w))))


def torch_loss(arrays: list[Any], dtype: str) -> Callable[[], Any] | None:
    try:
        import torch
    except ImportError:
        return None
    leaves = [torch.tensor(a, dtype=getattr(torch, dtype), requires_grad=True) for a in arrays]

    def run() -> Any:
        x, w, b = leaves
        value = torch.sigmoid(torch.relu(x * w + b) * w).sum()
        return value.detach(), torch.autograd.grad(value, leaves)

    return run


def jax_loss(arrays: list[Any], dtype: str) -> Callable[[], Any] | None:
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    given = [jax.numpy.asarray(a, dtype) for a in arrays]
    fast = jax.jit(
        jax.value_and_grad(lambda x, w, b: jax.nn.sigmoid(jax.nn.relu(x * w + b) * w).sum(), argnums=(0, 1, 2))
    )
    return lambda: jax.block_until_ready(fast(*given))


def held(found: Any, expected: Any, rtol: float, what: str) -> None:
    """Stop if a result differs from the eager one, relative to its largest entry."""
    for a, b in zip([found[0], *found[1]], [expected[0], *expected[1]], strict=True):
        off = float(np.max(np.abs(a - b)) / np.max(np.abs(b)))
        if not off <= rtol:
            raise SystemExit(f"{what}: differs from eager by {off}")


def scalar_rows() -> list[Row]:
    slow = dout.value_and_grad(shop, argnums=(0, 1, 2, 3, 4))
    fast, hand = jit(slow), by_layers()
    args = (100.0, 2.0, 150.0, 3.0, 1.1)
    held(fast(*args), slow(*args), 0.0, "apples and oranges")
    assert hand(*args) == fast(*args)
    namespace = {"fast": fast, "hand": hand, "empty": abs}
    runs = {  # a thousand calls in one statement each, so that calling the run itself doesn't count
        name: eval(f"lambda: [{call} for _ in thousand]", {**namespace, "thousand": range(1000)})
        for name, call in {
            "dout": "fast(100.0, 2.0, 150.0, 3.0, 1.1)",
            "layers by hand": "hand(100.0, 2.0, 150.0, 3.0, 1.1)",
            "floor": "empty(1.0)",
        }.items()
    }
    times = {name: [t / 1000 for t in found] for name, found in in_turn(runs, 9, 0.05).items()}
    rows = rows_of(
        "apples and oranges, value and five derivatives", "us", 1e6, times, "floor", {"layers by hand": 0.25}
    )
    rows.append(Row("the same, alone", "us", middle(times["dout"]) * 1e6, target=0.25))
    return rows


def array_rows(dtype: str) -> list[Row]:
    rows = []
    speed = measure.bandwidth()
    for n in SIZES:
        rng = np.random.default_rng(0)
        x, w, b = (rng.standard_normal(n).astype(dtype) for _ in range(3))
        slow = dout.value_and_grad(loss, argnums=(0, 1, 2))
        fast = jit(slow)
        expected = slow(x, w, b)
        fast(x, w, b)
        held(fast(x, w, b), expected, 1e-12 if dtype == "float64" else 1e-4, f"{n} entries")
        runs: dict[str, Callable[[], Any]] = {"dout": lambda fast=fast, x=x, w=w, b=b: fast(x, w, b)}
        for name, make in {"PyTorch": torch_loss, "JAX jit": jax_loss}.items():
            peer = make([x, w, b], dtype)
            if peer is not None:
                runs[name] = peer
        times = in_turn(runs, 7, 0.05 if n < 1_000_000 else 0.2)
        times["floor"] = [6 * x.nbytes / speed] * 7
        targets = {name: TARGETS[n] for name in runs if name != "dout"}
        case = f"sum(sigmoid(relu(x*w+b)*w)), {n:,} {dtype}"
        rows += rows_of(case, "us", 1e6, times, "floor", targets)
    return rows


def main() -> None:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    rows = scalar_rows() + array_rows("float64") + array_rows("float32")
    measure.show("dout.jit", rows, Console(width=170))
    if len(sys.argv) > 1:
        measure.write_json(sys.argv[1], rows)


if __name__ == "__main__":
    main()

"""What no program on this machine can beat: streaming bandwidth, the rate of matrix products, a call of a builtin.

And what is written by hand: the four layers in plain Python, a network's bare matrix products.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

#: So many seconds of trying for each measured rate; the best counts.
TRYING = 0.4


def best(run: Callable[[], Any], seconds: float = TRYING) -> float:
    """The shortest of many runs, in seconds."""
    run()
    shortest, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        shortest = min(shortest, time.perf_counter() - before)
    return shortest


def stream(size: int) -> Callable[[], Any]:
    """Moves `size` bytes: two read for one written, in arrays that are there; on all cores, or one if that is quicker."""
    alone = _streaming(size, 1)
    if size <= 2**20 or cores() == 1:
        return alone
    return min((alone, _streaming(size, cores())), key=lambda run: best(run, TRYING / 2))


def _streaming(size: int, threads: int) -> Callable[[], Any]:
    n = max(size // 24 // threads, 1)
    parts = [[np.ones(n) for _ in range(3)] for _ in range(threads)]
    helpers = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def one(x: Any, y: Any, out: Any) -> None:
        np.multiply(x, y, out=out)

    def run() -> None:
        others = [helpers.submit(one, *part) for part in parts[1:]] if helpers else []
        one(*parts[0])
        for other in others:
            other.result()

    return run


@functools.cache
def product_rate(dtype: str) -> float:
    """Floating-point operations a second of NumPy's BLAS, for a large square product."""
    n = 1536
    x, y, out = (np.ones((n, n), dtype) for _ in range(3))
    return 2 * n**3 / best(lambda: np.matmul(x, y, out=out), 2 * TRYING)


@functools.cache
def call() -> float:
    """Seconds for a call of a builtin that does nothing."""
    thousand = range(1000)
    return best(lambda: [abs(1.0) for _ in thousand]) / 1000


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


#: A function and what it is called with.
Call = tuple[Callable[..., Any], tuple[Any, ...]]


def layers(args: Any) -> Call:
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

    return run, args


def network_products(args: Any) -> Call:
    """The five matrix products of a network with one hidden layer and its gradient, into arrays that are there."""
    params, x, _ = args
    w1, w2 = params["w1"], params["w2"]
    h, out = x @ w1, x @ w1 @ w2
    dh, dw1, dw2 = np.empty_like(h), np.empty_like(w1), np.empty_like(w2)
    given = h.copy(), out.copy()

    def run() -> None:
        np.matmul(x, w1, out=h)
        np.matmul(given[0], w2, out=out)
        np.matmul(given[0].T, given[1], out=dw2)
        np.matmul(given[1], w2.T, out=dh)
        np.matmul(x.T, given[0], out=dw1)

    return run, ()

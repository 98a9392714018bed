"""Run by the benchmarks in a fresh interpreter, because imports and peak memory can be measured only once in each.

python probe.py memory LIBRARY N      peak bytes of the 100-operation chain over arrays of N numbers
python probe.py scalars LIBRARY N     seconds and peak bytes of a chain of N operations on one number
python probe.py import MODULE ...     seconds that these imports take, one after another
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def memory(library: str, n: int) -> dict[str, Any]:
    import numpy as np
    from chains import MAKERS, by_hand
    from measure import resident

    def run_of(size: int) -> Any:
        x, w, b = (np.linspace(start, start + 0.5, size) for start in (0.1, 0.2, 0.3))
        return (lambda: by_hand(x, w, b, True)) if library == "floor" else MAKERS[library](x, w, b, True)

    run_of(10)()  # whatever is loaded on first use
    run = run_of(n)
    before = resident(peak=False)
    found = run()
    return {"bytes": resident(peak=True) - before, "sum": float(sum(np.sum(np.asarray(d)) for d in found))}


def scalars(library: str, n: int) -> dict[str, Any]:
    from measure import resident

    def step(x: Any, n: int) -> Any:
        for _ in range(n // 2):
            x = x * 0.999 + 0.001
        return x

    def torch_grad(x: float, n: int) -> float:
        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        return float(torch.autograd.grad(step(leaf, n), leaf)[0])

    if library == "PyTorch":
        import torch

        torch.set_num_threads(1)
        grad: Any = torch_grad
    elif library == "dout":
        import dout

        grad = dout.grad(step)
    else:
        grad = step
    grad(0.5, 100)
    before = resident(peak=False)
    start = time.perf_counter()
    found = grad(0.5, n)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "bytes": resident(peak=True) - before, "found": found}


def imports(modules: list[str]) -> dict[str, Any]:
    known, seconds = set(sys.modules), []
    for name in modules:
        start = time.perf_counter()
        importlib.import_module(name)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "new": sorted(set(sys.modules) - known)}


PROBES = {"memory": memory, "scalars": scalars}

if __name__ == "__main__":
    what, *args = sys.argv[1:]
    print(json.dumps(imports(args) if what == "import" else PROBES[what](args[0], int(args[1]))))

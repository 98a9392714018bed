"""How long first calls take, beside JAX's: `python benchmarks/native_compile.py [names]`.

Recording, compiling and the first run together. Each round has a function of its own, which nobody has seen before. The
figure is the least of the rounds: the machine's other work only ever adds.
"""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import random
import time
import warnings
from collections.abc import Callable
from typing import Any

import click
import native_works as works
import numpy as np
from measure import calm
from native import difference, leaves
from native_results import judged, stored
from native_rows import BETTER

import dout
from dout.jit import jit

#: Operations on one value; what they give stays of order one.
ONE = ("np.sin({0})", "np.tanh({0})", "np.exp(-{0} * {0})", "np.sqrt({0} * {0} + {c})", "1.0 / ({0} * {0} + {c})")
TWO = ("{0} * {1} * {c}", "{0} - {1} * {c}", "{c} * {0} + {1} * 0.5", "{0} / ({1} * {1} + 1.0)")
OPERATIONS = {"sin": 1, "tanh": 1, "exp": 3, "sqrt": 3, "1.0": 3}


def scalar_source(n: int, seed: int) -> str:
    """A function of three numbers in `n` operations, with constants and ways of its own: no part of it repeats."""
    draw = random.Random(seed)
    lines, values, count = [], ["x", "y", "z"], 0
    while count < n:
        c = f"{draw.uniform(0.5, 1.5):.6f}"
        a, b = values[-1], draw.choice(values[-8:])
        form = draw.choice(ONE if draw.random() < 0.4 else TWO)
        text = form.format(a, b, c=c)
        count += (
            text.count("*")
            + text.count("+")
            + text.count("/")
            + text.count("- ")
            + text.count("np.")
            + text.count("(-")
        )
        values.append(f"v{len(lines)}")
        lines.append(f"    {values[-1]} = {text}")
    return "def f(x, y, z):\n" + "\n".join(lines) + f"\n    return {values[-1]} + {values[-2]}\n"


def made(source: str, namespace: Any) -> Callable[..., Any]:
    names = {"np": namespace}
    exec(compile(source, "<made>", "exec"), names)
    return names["f"]


def scalars(n: int, gradient: bool) -> Callable[[int], tuple[Any, Any, Any]]:
    def make(seed: int) -> tuple[Any, Any, Any]:
        import jax

        source = scalar_source(n, seed)
        ours, theirs = made(source, np), made(source, jax.numpy)
        if gradient:
            ours, theirs = dout.value_and_grad(ours, (0, 1, 2)), jax.value_and_grad(theirs, (0, 1, 2))
        return ours, theirs, (0.3, 0.7, 1.1)

    return make


def network(seed: int) -> tuple[Any, Any, Any]:
    import jax
    from native_jax import network_loss

    args = works.network_args(50, 100 + seed % 7)
    f = jax.value_and_grad(lambda params, x, labels: network_loss(params, x, labels))
    return dout.value_and_grad(lambda *given: works.network(*given)), f, args


#: Title, what makes a function of ours, theirs and arguments, the most seconds, how many rounds.
COMPILING: dict[str, tuple[str, Callable[[int], tuple[Any, Any, Any]], float, int]] = {
    "compile-1000": ("first call: 1,000 different scalar operations", scalars(1000, False), 0.25, 5),
    "compile-1000-gradient": ("the same, value and three derivatives", scalars(1000, True), 0.25, 3),
    "compile-network": ("first call: the 784-50-10 step", network, 0.25, 5),
    "compile-20000": ("first call: 20,000 different scalar operations", scalars(20_000, False), 4.0, 1),
    "compile-20000-gradient": ("the same, value and three derivatives", scalars(20_000, True), 4.0, 1),
}


def first(f: Callable[..., Any], args: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    out = f(*args)
    return time.perf_counter() - start, out


def measured(name: str, theirs_too: bool) -> dict[str, Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    title, make, most, rounds = COMPILING[name]
    times: dict[str, list[float]] = {"dout": [], "JAX jit": []}
    worst = 0.0
    warm_up = jit(dout.grad(lambda x: np.tanh(x * x)))
    warm_up(0.5), warm_up(0.7)
    for seed in range(rounds):
        ours, theirs, args = make(seed)
        fast = jit(ours)
        times["dout"].append(first(fast, args)[0])
        single = "network" in name
        off = difference(leaves(fast(*args)), leaves(ours(*args)))
        worst = max(worst, off)
        if off > (2e-5 if single else 1e-12):
            raise ArithmeticError(f"{name}: differs from eager by {off:.1e}")
        if theirs_too:
            given = jax.tree.map(jax.numpy.asarray, args)
            jax.block_until_ready(jax.jit(lambda x: x + 1)(1.0))
            times["JAX jit"].append(first(lambda *a, f=theirs: jax.block_until_ready(jax.jit(f)(*a)), given)[0])
    least = {k: min(t) for k, t in times.items() if t}
    row: dict[str, Any] = {"row": name, "title": title, "dtype": "float32" if "network" in name else "float64"}
    row |= {"first_s": round(least["dout"], 4), "differs": worst, "absent": {}, "floor_by": ""}
    row["us"] = {k: round(t * 1e6) for k, t in least.items()}
    figures = {"s": least["dout"]}
    row["ratios"] = {}
    if theirs_too:
        row["ratios"]["JAX jit"] = figures[BETTER] = round(least["dout"] / least["JAX jit"], 4)
    row["limits"] = judged({"s": most, BETTER: 0.5}, figures)
    return row


@click.command()
@click.argument("names", nargs=-1)
@click.option("--load", default=1.5, help="Wait until the machine's load is below this.")
@click.option("--alone", is_flag=True, help="Without JAX.")
@click.option("--keep/--forget", default=True, help="Whether to store the figures.")
def main(names: tuple[str, ...], load: float, alone: bool, keep: bool) -> None:
    """Time first calls."""
    warnings.simplefilter("ignore")
    from native import line

    for name in names or COMPILING:
        calm(load)
        try:
            row = measured(name, not alone)
        except Exception as error:
            print(f"{name:22} FAILED {type(error).__name__}: {' '.join(str(error).split())[:200]}", flush=True)
            continue
        if keep:
            stored([row])
        print(line(row), flush=True)


if __name__ == "__main__":
    main()

"""dout.jit beside PyTorch and JAX: `python benchmarks/native.py [names] [options]`.

Names may end in `*`. Every result is compared with dout's eager one first, the peers' too. In each round every library has
its turn: PyTorch eager and compiled, with the threads it takes by itself, JAX's jit on the CPU in double precision; a ratio
is the median of the rounds' ratios. Results go into results/native.json in the place of those of the same rows, so that it
can be run in slices while nothing else runs. `python benchmarks/native_compile.py` measures first calls,
`python docs/make_native.py` writes table and plot.
"""

from __future__ import annotations

import fnmatch
import gc
import time
import warnings
from collections.abc import Callable
from typing import Any

import click
import native_floors as floors
import numpy as np
from measure import calm, in_turn, middle, ratio
from native_results import judged, stored
from native_rows import BETTER, LEAST, ROWS, Work

from dout.jit import jit
from dout.tree import flatten

Run = Callable[[], Any]
#: Peers compute the same in another order: so far they may be off, relative to the largest entry.
PEERS_ROUNDING = {"float64": 1e-8, "float32": 1e-3}
#: What takes less than this is called many times in one statement.
SHORT = 20e-6
#: Fewer bytes than this are moved in less than a call takes.
IN_CACHE = 2**15


def leaves(results: Any) -> list[np.ndarray]:
    return [np.asarray(r) for r in flatten(results)[0]]


def difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest, relative to each result's largest entry; infinity if their shapes differ."""
    worst = 0.0
    if len(found) != len(expected):
        return float("inf")
    for a, b in zip(found, expected, strict=True):
        if a.shape != b.shape:
            return float("inf")
        off = float(np.max(np.abs(a.astype(float) - b), initial=0))
        worst = max(worst, off / (float(np.max(np.abs(b), initial=0)) or 1.0)) if off == off else float("inf")
    return worst


def peers(work: Work, args: Any, expected: list[np.ndarray], wanted: tuple[str, ...]) -> tuple[dict[str, Run], dict]:
    """Those that run and agree, and why the others are absent."""
    runs: dict[str, Run] = {}
    absent = {}
    for name, make in makers(work.family).items():
        if wanted and name not in wanted:
            continue
        try:
            run = make(args)
            off = difference([np.asarray(r) for r in run()], expected)
            if off > PEERS_ROUNDING[work.dtype]:
                raise ArithmeticError(f"differs by {off:.1e}")
        except Exception as error:
            absent[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        else:
            runs[name] = run
    return runs, absent


def makers(family: str) -> dict[str, Callable[[Any], Run]]:
    from native_jax import JAX
    from native_torch import TORCH, plainly

    found: dict[str, Callable[[Any], Run]] = {}
    if family in TORCH:
        import torch

        found["PyTorch"] = lambda args: TORCH[family](args, plainly)
        found["torch.compile"] = lambda args: TORCH[family](args, torch.compile)
    if family in JAX:
        found["JAX jit"] = JAX[family]
    return found


def repeated(f: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Run, int]:
    """A run of as many calls as are needed for a clock, in one statement, and how many they are."""
    took = floors.best(lambda: f(*args), 0.0)
    n = 1 if took > SHORT else 1000
    names = [f"a{i}" for i in range(len(args))]
    calls = f"f({', '.join(names)})"
    given = {"f": f, "times": range(n), **dict(zip(names, args, strict=True))}
    return eval(f"lambda f=f, times=times: [{calls} for _ in times]" if n > 1 else f"lambda: {calls}", given), n


def leasts(runs: dict[str, Run], rounds: int, seconds: float) -> dict[str, list[float]]:
    """The shortest of all calls: what is left of a time when the machine has other things to do."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            found[name].append(floors.best(run, seconds))
    return {name: [min(times)] for name, times in found.items()}


def floor(work: Work, streaming: list[float]) -> tuple[list[float], str]:
    """The least in seconds, in each round, and what it is; `streaming` is how long moving the bytes took."""
    rounds = len(streaming) or 1
    least = {"a call": [floors.call()] * rounds}
    if streaming:
        least["bytes"] = streaming
    if work.flops:
        least["flops"] = [work.flops / floors.product_rate(work.dtype)] * rounds
    highest = max(least, key=lambda k: middle(least[k]))
    return least[highest], highest


def measured(
    name: str, wanted: tuple[str, ...], rounds: int, seconds: float, dry: bool, least: bool = False
) -> dict[str, Any]:
    work = ROWS[name]
    args = work.args()
    expected = leaves(work.f(*args))
    fast = jit(work.f)
    start = time.perf_counter()
    fast(*args)
    first = time.perf_counter() - start
    off = difference(leaves(fast(*args)), expected)
    row: dict[str, Any] = {"row": name, "title": work.title, "dtype": work.dtype, "first_s": round(first, 3)}
    row["differs"], row["shortest"] = off, least
    if off > work.rounding:
        raise ArithmeticError(f"{name}: differs from eager by {off:.1e}")
    others, row["absent"] = peers(work, args, expected, wanted)
    runs = {"dout": repeated(fast, args)} | {k: repeated(run, ()) for k, run in others.items()}
    for k, make in work.hand.items():
        try:
            f, given = make(args)
            out = f(*given)
            if out is not None and difference(leaves(out), expected) > PEERS_ROUNDING[work.dtype]:
                raise ArithmeticError("differs")
            runs[k] = repeated(f, given)
        except Exception as error:
            row["absent"][k] = f"{type(error).__name__}: {error}"
    if dry:
        return row
    if work.bytes > IN_CACHE:
        runs["stream"] = repeated(floors.stream(int(work.bytes)), ())
    way = leasts if least else in_turn
    found = way({k: run for k, (run, _) in runs.items()}, rounds, seconds)
    times = {k: [t / runs[k][1] for t in found[k]] for k in runs}
    lowest, row["floor_by"] = floor(work, times.pop("stream", []))
    times[LEAST] = lowest * (len(times["dout"]) // len(lowest))
    row["us"] = {k: round(middle(t) * 1e6, 4) for k, t in times.items()}
    ratios = {k: round(ratio(times["dout"], t), 4) for k, t in times.items() if k != "dout"}
    row["ratios"] = ratios
    figures = {**ratios, "us": row["us"]["dout"], "first call, s": first}
    if others:
        figures[BETTER] = max(ratios[k] for k in others)
    row["limits"] = judged(work.limits, figures)
    return row


@click.command()
@click.argument("names", nargs=-1)
@click.option("--peer", "wanted", multiple=True, help="Only these peers: PyTorch, torch.compile, JAX jit.")
@click.option("--rounds", default=7)
@click.option("--seconds", default=0.1, help="For each library in each round.")
@click.option("--load", default=1.5, help="Wait until the machine's load is below this.")
@click.option("--least", is_flag=True, help="Shortest times in place of medians: for a machine that is busy.")
@click.option("--dry", is_flag=True, help="Only compare results.")
@click.option("--keep/--forget", default=True, help="Whether to store the figures.")
def main(
    names: tuple[str, ...],
    wanted: tuple[str, ...],
    rounds: int,
    seconds: float,
    load: float,
    least: bool,
    dry: bool,
    keep: bool,
) -> None:
    """Time dout.jit beside PyTorch and JAX."""
    warnings.simplefilter("ignore")
    chosen = [row for row in ROWS if not names or any(fnmatch.fnmatch(row, name) for name in names)]
    for name in chosen:
        if not dry:
            calm(load)
        try:
            row = measured(name, wanted, rounds, seconds, dry, least)
        except Exception as error:
            print(f"{name:22} FAILED {type(error).__name__}: {' '.join(str(error).split())[:200]}", flush=True)
            continue
        finally:
            gc.collect()
        if keep and not dry:
            stored([row])
        print(line(row), flush=True)


def line(row: dict[str, Any]) -> str:
    words = [f"{row['row']:20} first {row['first_s']:7.2f} s  off {row['differs']:.0e}"]
    words += [f"{k} {t:.4g}" for k, t in row.get("us", {}).items()]
    words += [f"[{x['against']}: {x['found']:.3g} of {x['at_most']:.3g}]" for x in row.get("limits", [])]
    words += [f"({k}: {why})" for k, why in row["absent"].items()]
    return "  ".join(words)


if __name__ == "__main__":
    main()

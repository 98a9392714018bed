"""How long each function's forward and backward take, beside the peers: `python benchmarks/functions.py [names] [options]`.

Each library differentiates with respect to all inputs at once, as its users do: dout by Variables and `backward`,
PyTorch by tensors and `backward`, autograd by `make_vjp`, JAX by `jax.vjp`, not jitted. All in double precision, on one
thread, by the processor's time, so that what else runs on the machine matters less. Results are compared before anything is
timed, and a peer with another derivative is left out. In each round every library has its turn; a ratio is the median of
the rounds' ratios. Results go into results/functions.json, in the place of
those of the same patterns, so that it can be run in slices while nothing else runs.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import json
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import autograd
import autograd.numpy
import click
import jax
import numpy as np
import torch
from function_cases import CASES, Case
from function_inputs import PLAIN, arguments, entries
from measure import calm, in_turn, machine, middle, ratio

import dout

RESULTS = Path(__file__).parent / "results" / "functions.json"
#: Takes minutes for one derivative at the large size.
TOO_LONG = {("select", "autograd"), ("linalg.multi_dot", "autograd")}
Run = Callable[[], Any]
#: A run, and how to get the derivatives that the last run found.
Timed = tuple[Run, Callable[[], list[Any]]]

torch.set_num_threads(1)
jax.config.update("jax_enable_x64", True)


def like(value: Any) -> Any:
    """What a derivative starts from: numbers of order one."""
    drawn = np.random.default_rng(7).uniform(0.5, 1.5, np.shape(value))
    return np.asarray(drawn).astype(np.result_type(np.asarray(value)))[()]


def of_dout(case: Case, args: list[Any]) -> Timed:
    given = [a if kind in PLAIN else dout.Variable(a) for a, kind in zip(args, case.kinds, strict=True)]
    leaves = [v for v in given if isinstance(v, dout.Variable)]
    f = case.f
    d = like(f(np, *given).value)

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        out = f(np, *given)
        out.backward(d)
        return out

    return run, lambda: [run().value, *(leaf.grad for leaf in leaves)]


def of_autograd(case: Case, args: list[Any]) -> Timed:
    places = tuple(i for i, kind in enumerate(case.kinds) if kind not in PLAIN)
    f = case.f
    pulling = autograd.make_vjp(lambda *xs: f(autograd.numpy, *xs), places if len(places) > 1 else places[0])
    d = like(f(np, *args))

    def run() -> Any:
        pull, out = pulling(*args)
        return pull(d), out

    def found() -> list[Any]:
        ds, out = run()
        return [out, *(ds if len(places) > 1 else [ds])]

    return run, found


def of_torch(case: Case, args: list[Any]) -> Timed:
    if case.torch is None:
        raise NotImplementedError
    f: Any = case.torch
    given = [torch.tensor(a, requires_grad=kind not in PLAIN) for a, kind in zip(args, case.kinds, strict=True)]
    leaves = [t for t in given if t.requires_grad]
    d = torch.tensor(like(f(torch, *given).detach().resolve_conj().resolve_neg().numpy())).conj()

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        out = f(torch, *given)
        out.backward(d)
        return out

    def found() -> list[Any]:
        out = run().detach().resolve_conj().resolve_neg().numpy()
        return [out, *(None if t.grad is None else t.grad.conj().resolve_conj().numpy() for t in leaves)]

    return run, found


def of_jax(case: Case, args: list[Any]) -> Timed:
    if case.jax is None:
        raise NotImplementedError
    f: Any = case.jax
    plain = {i: jax.numpy.asarray(a) for i, a in enumerate(args) if case.kinds[i] in PLAIN}
    smooth = [jax.numpy.asarray(a) for i, a in enumerate(args) if i not in plain]

    def called(*xs: Any) -> Any:
        rest = iter(xs)
        return f(jax.numpy, *(plain[i] if i in plain else next(rest) for i in range(len(args))))

    d = jax.numpy.asarray(like(np.asarray(called(*smooth))))

    def run() -> Any:
        out, pull = jax.vjp(called, *smooth)
        return out, jax.block_until_ready(pull(d))

    def found() -> list[Any]:
        out, ds = run()
        return [np.asarray(out), *map(np.asarray, ds)]

    return run, found


PEERS: dict[str, Callable[[Case, list[Any]], Timed]] = {"autograd": of_autograd, "PyTorch": of_torch, "JAX": of_jax}


def agree(ours: list[Any], theirs: list[Any]) -> str:
    """Empty if all values are the same to some digits, or what differs."""
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        a, b = np.asarray(0.0 if a is None else a), np.asarray(0.0 if b is None else b)
        if a.shape != b.shape and b.ndim:
            return "another shape"
        size = max(float(np.nanmax(np.abs(a), initial=0)), 1e-3)
        if not np.allclose(a, b, 1e-6, 1e-6 * size, equal_nan=True):
            return "another derivative" if i else "another value"
    return ""


def runs_of(name: str, large: bool) -> tuple[dict[str, Run], dict[str, str]]:
    """What is to be timed, and why other peers are not."""
    case = CASES[name]
    args = arguments(case.kinds, large)
    run, found = of_dout(case, args)
    ours = found()
    runs, absent = {"dout": run}, {}
    for peer, make in PEERS.items():
        if large and (name, peer) in TOO_LONG:
            absent[peer] = "takes minutes"
            continue
        try:
            run, found = make(case, args)
            why = agree(ours, found())
        except Exception as error:
            why = "not there" if isinstance(error, AttributeError | NotImplementedError) else type(error).__name__
        if why:
            absent[peer] = why
        else:
            runs[peer] = run
    return runs, absent


def measured(name: str, large: bool, rounds: int, seconds: float) -> dict[str, Any]:
    runs, absent = runs_of(name, large)
    case, args = CASES[name], arguments(CASES[name].kinds, large)
    runs["NumPy"] = lambda: case.f(np, *args)  # forward alone: what dout can't do without
    times = in_turn(runs, rounds, seconds, time.process_time)
    return {
        "case": name,
        "size": "large" if large else "small",
        "entries": entries(CASES[name].kinds, large),
        "us": {library: round(middle(t) * 1e6, 2) for library, t in times.items()},
        "ratios": {peer: round(ratio(times["dout"], times[peer]), 3) for peer in times if peer in PEERS},
        "absent": absent,
    }


def stored(rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of those of the same patterns."""
    known = json.loads(RESULTS.read_text()).get("rows", []) if RESULTS.exists() else []
    table = {(row["case"], row["size"]): row for row in [*known, *rows]}
    order = {name: i for i, name in enumerate(CASES)}
    kept = sorted((row for key, row in table.items() if key[0] in order), key=lambda r: (order[r["case"]], r["size"]))
    about = machine()
    about["versions"] = {name: about["versions"][name] for name in ("dout", "numpy", "torch", "autograd")}
    about["versions"]["jax"] = version("jax")
    lines = ",\n".join(json.dumps(row) for row in kept)
    RESULTS.write_text(f'{{"machine": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')


@click.command()
@click.argument("names", nargs=-1)
@click.option("--size", type=click.Choice(["small", "large"]), help="Only this one.")
@click.option("--slow", type=float, help="Only those that were slower than this many times the best peer.")
@click.option("--rounds", default=9)
@click.option("--seconds", default=0.01, help="For each library in each round.")
@click.option("--load", default=1.5, help="Wait until the machine's load is below this.")
@click.option("--dry", is_flag=True, help="Only compare results.")
def main(
    names: tuple[str, ...], size: str | None, slow: float | None, rounds: int, seconds: float, load: float, dry: bool
) -> None:
    """Time functions beside autograd, PyTorch and JAX."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    old = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    ratios = {(row["case"], row["size"]): max(row["ratios"].values(), default=0) for row in old}
    for name in names or CASES:
        for which in (size,) if size else ("small", "large"):
            if slow is not None and ratios.get((name, which), 0) < slow:
                continue
            if dry:
                print(f"{name:24} {which:5} {runs_of(name, which == 'large')[1]}", flush=True)
                continue
            calm(load)
            row = measured(name, which == "large", rounds, seconds)
            stored([row])
            print(f"{name:24} {which:5} {row['us']['dout']:10.1f} {row['ratios']} {row['absent']}", flush=True)


if __name__ == "__main__":
    main()

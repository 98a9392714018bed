"""The long run of random functions: `python tests/run/fuzz_native.py --count 10000 [--jax 100]`.

Prints a function that can be pasted for each fault, cut down as far as the fault stays. Ends with 1 if there was one.
"""

from __future__ import annotations

import re
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import click
import numpy as np
from random_graphs import Chance, Graph
from random_lines import drawn
from random_runs import Fault, hold


def fault(graph: Graph, jax: bool = False) -> str:
    """What is wrong, or nothing."""
    try:
        hold(graph, jax)
    except Fault as found:
        return str(found)
    except Exception as found:
        return f"{type(found).__name__}: {found}"
    return ""


def cut(graph: Graph, jax: bool) -> Graph:
    """The same fault in as few lines as can be found."""
    names = [*graph.args, *(line.name for line in graph.needed())]
    for name in names:  # the first value at which it shows
        smaller = Graph(graph.dtype, graph.args, graph.others, graph.lines, [name])
        if fault(smaller, jax):
            return without_arguments(smaller, jax)
    for i in range(len(graph.outputs)):
        if len(graph.outputs) > 1:
            smaller = Graph(
                graph.dtype, graph.args, graph.others, graph.lines, graph.outputs[:i] + graph.outputs[i + 1 :]
            )
            if fault(smaller, jax):
                return cut(smaller, jax)
    return graph


def without_arguments(graph: Graph, jax: bool) -> Graph:
    """Values on the way become arguments, and arguments that nobody uses go."""
    from random_runs import function, run

    for line in reversed(graph.needed()[:-1]):
        made = []
        for args in (graph.args, graph.others):
            whole = Graph(graph.dtype, graph.args, graph.others, graph.lines, [line.name])
            found = run(function(whole), list(args.values()))
            if isinstance(found, Exception) or np.asarray(found[0]).dtype.kind != "f":
                break
            made.append({**args, line.name: np.array(found[0])})
        if len(made) < 2:
            continue
        smaller = Graph(graph.dtype, made[0], made[1], [x for x in graph.lines if x.name != line.name], graph.outputs)
        if fault(smaller, jax):
            return without_arguments(smaller, jax)
    body = graph.source().partition(":")[2]
    for name in list(graph.args):
        if not re.search(rf"\b{name}\b", body) and len(graph.args) > 1:
            kept = [{k: v for k, v in args.items() if k != name} for args in (graph.args, graph.others)]
            smaller = Graph(graph.dtype, kept[0], kept[1], graph.lines, graph.outputs)
            if fault(smaller, jax):
                graph = smaller
    return graph


def shown(graph: Graph) -> str:
    """As a script."""
    np.set_printoptions(threshold=200)
    lines = ["import numpy as np", "from numpy import array, nan, inf", graph.source()]
    for args in (graph.args, graph.others):
        given = []
        for v in args.values():
            small = np.size(v) <= 60
            text = repr(v) if small else f"<{np.asarray(v).dtype}{list(np.shape(v))}, strides {v.strides}>"
            given.append(" ".join(text.split()))
        lines.append(f"args = [{', '.join(given)}]")
    return "\n".join(lines)


@click.command()
@click.option("--count", default=10_000)
@click.option("--start", default=0, help="The first seed.")
@click.option("--jax", default=100, help="So many of a hundred are compared with JAX too.")
@click.option(
    "--wild", default=20, help="So many of a hundred have infinities, NaN and the smallest and largest numbers."
)
@click.option("--most", default=14, help="Lines of a function.")
@click.option("--more", default="", help="Kinds of lines that are drawn more often: loop,scatter.")
@click.option("--large", default=5, help="So many of a hundred have long loops.")
@click.option("--stop", default=30, help="After so many faults.")
@click.option("--whole", is_flag=True, help="Don't cut faults down.")
def main(count: int, start: int, jax: int, wild: int, most: int, more: str, large: int, stop: int, whole: bool) -> None:
    """Compare random functions."""
    warnings.simplefilter("ignore")
    faults = asked = 0
    before = time.perf_counter()
    for seed in range(start, start + count):
        chance = Chance(seed)
        graph = drawn(chance, most, chance.often(wild), more.split(",") if more else (), chance.often(large))
        with_jax = seed % 100 < jax
        found = ""
        try:
            asked += hold(graph, with_jax)
        except Fault as problem:
            found = str(problem)
        except Exception as problem:
            found = f"{type(problem).__name__}: {problem}"
        if found:
            faults += 1
            smaller = graph if whole else cut(graph, with_jax)
            print(
                f"\n# seed {seed}: {found}\n# here: {fault(smaller, with_jax) or found}\n{shown(smaller)}", flush=True
            )
            if faults >= stop:
                break
        if seed % 100 == 99:
            print(f"# {seed + 1 - start} functions, {faults} faults, {time.perf_counter() - before:.0f} s", flush=True)
    print(
        f"# {seed + 1 - start} functions, {asked} compared with JAX, {faults} faults, {time.perf_counter() - before:.0f} s"
    )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

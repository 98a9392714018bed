"""How fast dout's eager path is, beside its peers in one run: `python benchmarks/eager.py [--quick] [--json FILE]`.

Each round times all libraries in turn on the same inputs, one thread each, with Python's collector on.
A ratio is the median of the rounds' ratios. Results are compared before anything is timed. The floor is what the same
machine needs at least: the bare NumPy calls, the bare Python loop, or the bytes over the measured bandwidth.
"""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec

import click
import numpy as np
from by_hand import cases
from chains import MAKERS, OPERATIONS, by_hand
from measure import PEERS, Row, bandwidth, fresh, in_turn, machine, middle, rows_of, show, write_json
from rich.console import Console

import dout

console = Console(width=132)
present = {peer: find_spec(module) is not None for peer, module in PEERS.items()}


def small_arrays(quick: bool) -> list[Row]:
    """The 100-operation chain over 10 numbers, µs an operation."""
    x, w, b = (np.linspace(start, start + 0.5, 10) for start in (0.1, 0.2, 0.3))
    targets = {"PyTorch": 0.8, "autograd": 0.33, "MyGrad": 0.25}
    rows = []
    for parameters, case in ((True, "100 operations, all 3 arrays"), (False, "100 operations, start only")):
        expected = by_hand(x, w, b, parameters)
        runs = {"floor": lambda p=parameters: by_hand(x, w, b, p)}
        for library, make in MAKERS.items():
            if present.get(library, True):
                runs[library] = make(x, w, b, parameters)
                for found, right in zip(runs[library](), expected, strict=True):
                    np.testing.assert_allclose(np.asarray(found), right, rtol=1e-12)
        times = in_turn(runs, 9 if quick else 41, 0.02 if quick else 0.05)
        rows += rows_of(case, "µs/op", 1e6 / OPERATIONS, times, "floor", targets)
    return rows


def large_arrays(quick: bool) -> list[Row]:
    """1,000,000 numbers: ms a derivative, beside the same by hand."""
    speed = bandwidth()
    rows = []
    for case in cases(1_000_000):
        numbers = tuple(range(len(case.inputs)))
        ours = dout.value_and_grad(case.f, numbers)
        value, derivatives = ours(*case.inputs)
        for found, right in zip((value, *derivatives), case.by_hand(*case.inputs), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-10)
        peer = "simplified" if case.simplified else "by hand"
        runs = {
            "dout": lambda f=ours, c=case: f(*c.inputs),
            peer: lambda c=case: c.by_hand(*c.inputs),
        }
        times = in_turn(runs, 9 if quick else 31, 0.02)
        found = rows_of(case.name, "ms", 1e3, times, "", {peer: None if case.simplified else 1.1})
        for row in found:
            row.floor = (
                sum(2 * a.nbytes for a in case.inputs) / speed * 1e3
            )  # read each once, write its derivative once
        rows += found
    return rows


def importing(quick: bool) -> list[Row]:
    """`import dout` after `import numpy`, ms; the floor is the standard library's part of it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user has the compiled modules from the second run on
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        rows = _importing(7 if quick else 31)
        del os.environ["PYTHONPYCACHEPREFIX"]
    return rows


def _importing(rounds: int) -> list[Row]:
    new = fresh("probe.py", "import", "numpy", "dout")["new"]
    known = set(fresh("probe.py", "import", "numpy")["new"])
    others = [name for name in new if name not in known and name.partition(".")[0] != "dout"]
    ours, least = [], []
    for _ in range(rounds):
        ours.append(fresh("probe.py", "import", "numpy", "dout")["seconds"][1])
        least.append(sum(fresh("probe.py", "import", "numpy", *others)["seconds"][1:]))
    return [Row("import dout after numpy", "ms", middle(ours) * 1e3, middle(least) * 1e3, target=30.0)]


def memory(quick: bool) -> list[Row]:
    """Peak of forward and backward over the chain on 8 MB arrays, MB."""
    n = 1_000_000
    names = ["floor", "dout", *(["PyTorch"] if present["PyTorch"] else [])]
    peaks: dict[str, list[float]] = {}
    for name in names:  # the least of the runs: what the allocator happens to hold back differs widely
        runs = [fresh("probe.py", "memory", name, str(n))["bytes"] for _ in range(2 if quick else 7)]
        peaks[name] = [min(runs)]
    case = "100 operations on 8 MB arrays, peak"
    return rows_of(case, "MB", 1e-6, peaks, "floor", {"PyTorch": 1.1})


def scalars(quick: bool) -> list[Row]:
    """Long chains on one number: µs an operation and bytes a node; both stay the same if growth is linear."""
    rows = []
    for n in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
        names = ["floor", "dout", *(["PyTorch"] if present["PyTorch"] else [])]
        found = {name: [fresh("probe.py", "scalars", name, str(n)) for _ in range(1 if quick else 3)] for name in names}
        times = {name: [r["seconds"] for r in runs] for name, runs in found.items()}
        case = f"chain of {n:,}"
        rows += rows_of(case, "µs/op", 1e6 / n, times, "floor", {"PyTorch": 0.8})
        if n >= 100_000:  # below, the pages that Python holds already hide it
            rows.append(Row(f"{case}, memory", "bytes/node", middle([r["bytes"] / n for r in found["dout"]]),
                            target=1024.0))  # fmt: skip
    return rows


@click.command()
@click.option("--quick", is_flag=True, help="Fewer rounds, shorter chains: for a look, not for a report.")
@click.option("--json", "path", type=click.Path(dir_okay=False), help="Write the figures to this file too.")
def main(quick: bool, path: str | None) -> None:
    """Time dout's eager path beside its peers."""
    about = machine()
    versions = ", ".join(f"{name} {v}" for name, v in about["versions"].items() if v)
    console.print(f"{about['processor']}, {about['cores']} cores, 1 thread used; Python {about['python']}; {versions}")
    for peer, there in present.items():
        if not there:
            console.print(f"[yellow]{peer} is not installed, so it is left out.")
    rows: list[Row] = []
    for title, part in (
        ("10 numbers", small_arrays),
        ("1,000,000 numbers", large_arrays),
        ("Import", importing),
        ("Memory", memory),
        ("One number, long chains", scalars),
    ):
        with console.status(f"{title} ..."):
            found = part(quick)
        show(title, found, console)
        rows += found
    if path:
        write_json(path, rows)


if __name__ == "__main__":
    main()

"""How long each NumPy function takes beside the peers: docs/functions.md, from what benchmarks/functions.py measured.

`python docs/functions_table.py` writes the page; with `--check` it tells whether it is up to date. Each row that is slower than
1.5 times the best peer has a cause, from function_causes.py or from its own figures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from blocks import whole
from function_causes import CAUSES

HERE = Path(__file__).parent
PAGE = HERE / "functions.md"
RESULTS = HERE.parent / "benchmarks" / "results" / "functions.json"
PEERS = ("autograd", "PyTorch", "JAX")
#: Patterns for which dout doesn't call NumPy's function, whose Python takes longer.
NOT_CALLED = {"cross", "linalg.cross", "roll", "trapezoid", "gradient", "meshgrid", "block"}
#: A row slower than this many times the best peer needs a cause.
SLOW = 1.5


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    return found


def worst(row: dict[str, Any]) -> tuple[float, str]:
    """The ratio to the fastest peer, and which that is."""
    return max(((ratio, peer) for peer, ratio in row["ratios"].items()), default=(0.0, ""))


def cause(row: dict[str, Any]) -> str | None:
    """Why a row is slow; None if nothing is known of it."""
    _, peer = worst(row)
    theirs, forward = row["us"][peer], row["us"]["NumPy"]
    found = [text for text, sizes in CAUSES.items() if row["case"] in sizes.get(row["size"], ())]
    if forward > theirs / 2 and row["case"] not in NOT_CALLED:
        found.insert(
            0, f"NumPy's own function alone takes {number(forward)} µs, {peer}'s and its derivative {number(theirs)}"
        )
    return "; ".join(found) or None


def number(x: float) -> str:
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}"


def cells(row: dict[str, Any] | None) -> list[str]:
    if row is None:
        return [""] * 5
    ratios = [row["ratios"].get(peer) for peer in PEERS]
    return [number(row["us"]["dout"]), number(row["us"]["NumPy"]), *("" if r is None else f"{r:.2f}" for r in ratios)]


def page() -> str:
    about = json.loads(RESULTS.read_text(encoding="utf-8"))["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    found = rows()
    by_case: dict[str, dict[str, Any]] = {}
    for row in found:
        by_case.setdefault(row["case"], {})[row["size"]] = row
    slow = [row for row in found if worst(row)[0] > SLOW]
    lines = [
        "# How long each function takes",
        "",
        "Made by `docs/functions_table.py` from what `python benchmarks/functions.py` measured: the function and its",
        "derivative with respect to all inputs, by `Variable` and `backward`, beside PyTorch, autograd, and JAX without `jit`,",
        f"in double precision on one thread ({about['processor']}; {versions}).",
        "Times are the processor's, in µs; *NumPy* is NumPy's own function without a derivative. The other figures are dout's",
        "time over the peer's: below 1, dout is faster. A peer is left out where it lacks the function or gives another",
        "derivative.",
        "",
        f"Of {len(found)} rows, {sum(worst(r)[0] <= 1 for r in found)} are as fast as the best peer or faster, "
        f"{len(found) - len(slow)} are within {SLOW} times, and {len(slow)} are slower, for the causes below.",
        "",
        "## Slower than the best peer",
        "",
        "| Pattern | Size | Ratio | Best | Cause |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| `{r['case']}` | {r['size']} | {worst(r)[0]:.2f} | {worst(r)[1]} | {cause(r) or 'unknown'} |"
            for r in slow
        ),
        "",
        "## All",
        "",
        "| Pattern | small | NumPy | autograd | PyTorch | JAX | large | NumPy | autograd | PyTorch | JAX |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| `{name}` | {' | '.join(cells(sizes.get('small')) + cells(sizes.get('large')))} |"
            for name, sizes in by_case.items()
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    whole(PAGE, page())

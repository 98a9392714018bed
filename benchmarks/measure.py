"""What the benchmarks share: timing in turns, peak memory, fresh interpreters, the machine's description, the table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PEERS = {"PyTorch": "torch", "autograd": "autograd", "MyGrad": "mygrad"}


@dataclass
class Row:
    """One figure of dout's beside a peer's, or alone."""

    case: str
    unit: str
    dout: float
    floor: float | None = None  # the least that the same machine needs for it
    peer: str = ""
    peer_figure: float | None = None
    ratio: float | None = None  # dout / peer, the median over the rounds
    target: float | None = None  # of the ratio, or of dout's own figure where there is no peer

    @property
    def met(self) -> bool | None:
        judged = self.dout if self.ratio is None else self.ratio
        return None if self.target is None else judged <= self.target


def in_turn(
    runs: Mapping[str, Callable[[], Any]], rounds: int, seconds: float, now: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds a call, one figure for each round; in a round every run has its turn, for about this long by the clock `now`.

    A turn begins with a run that isn't timed: it finds the caches full of another's data, and another's threads still waiting.
    """
    numbers = {}
    for name, run in runs.items():
        run()
        start, n = now(), 0
        while now() - start < seconds or n < 1:
            run()
            n += 1
        numbers[name] = n
    times: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            run = runs[name]
            run()
            start = now()
            for _ in range(numbers[name]):
                run()
            times[name].append((now() - start) / numbers[name])
    return times


def calm(limit: float) -> None:
    """Wait until little else runs, ten minutes at most."""
    for _ in range(120):
        if os.getloadavg()[0] < limit:
            return
        time.sleep(5)


def middle(figures: list[float]) -> float:
    return statistics.median(figures)


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of each round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def rows_of(
    case: str,
    unit: str,
    scale: float,
    times: Mapping[str, list[float]],
    floor: str,
    targets: Mapping[str, float | None],
) -> list[Row]:
    """One row for each peer that was timed, or one without a peer; `floor` names the run that is the floor."""
    ours = times["dout"]
    least = middle(times[floor]) * scale if floor in times else None
    rows = [
        Row(
            case, unit, middle(ours) * scale, least, peer, middle(times[peer]) * scale, ratio(ours, times[peer]), target
        )
        for peer, target in targets.items()
        if peer in times
    ]
    return rows or [Row(case, unit, middle(ours) * scale, least)]


def fresh(*args: str) -> Any:
    """What a script of this folder prints as JSON, in an interpreter of its own."""
    script = Path(__file__).with_name(args[0])
    done = subprocess.run([sys.executable, str(script), *args[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(args)} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def resident(peak: bool) -> int:
    """Bytes of memory that this process holds now, or held at most.

    Linux's ru_maxrss is also that of the process it was forked from, so the kernel's status file comes first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        key = "VmHWM:" if peak else "VmRSS:"
        line = next(line for line in status.read_text().splitlines() if line.startswith(key))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def bandwidth() -> float:
    """Bytes a second at which one thread multiplies two large arrays into a third that is there already."""
    import numpy as np

    x, y, out = (np.ones(4_000_000) for _ in range(3))
    times = in_turn({"run": lambda: np.multiply(x, y, out=out)}, 5, 0.05)
    return 3 * x.nbytes / min(times["run"])


def machine() -> dict[str, Any]:
    """Processor, cores and versions, to be reported with every figure."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = found[0] if found else processor
    versions = {}
    for name in ("dout", "numpy", *PEERS.values()):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "threads": 1,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
    }


def show(title: str, rows: list[Row], console: Console) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("case")
    for name in ("dout", "floor", "unit", "against", "theirs", "ratio", "target", "met"):
        table.add_column(name, justify="left" if name in ("unit", "against") else "right", no_wrap=True)
    before = None
    for row in rows:
        new = row.case != before
        before = row.case
        table.add_row(
            row.case if new else "",
            _number(row.dout) if new else "",
            _number(row.floor) if new else "",
            row.unit if new else "",
            row.peer,
            _number(row.peer_figure),
            _number(row.ratio),
            "" if row.target is None else f"<= {row.target:g}",
            {None: "", True: "[green]yes", False: "[red]no"}[row.met],
        )
    console.print(table)


def write_json(path: str, rows: list[Row]) -> None:
    report = {"machine": machine(), "rows": [{**asdict(row), "met": row.met} for row in rows]}
    Path(path).write_text(json.dumps(report, indent=2) + "\n")


def _number(x: float | None) -> str:
    if x is None:
        return ""
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"

"""Fill the marked blocks of docs/native-speed.md from benchmarks/results/native.json, and draw docs/native-speed.svg.

Run it from anywhere: `python docs/make_native.py`, or with `--check` to be told whether the page is up to date.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from blocks import ROOT, main
from native_causes import CAUSES

FIGURES = ROOT / "benchmarks" / "results" / "native.json"
PLOT = ROOT / "docs" / "native-speed.svg"
PEERS = ("PyTorch", "torch.compile", "JAX jit", "layers by hand", "C", "its products")
SHOWN = {
    "us": "us",
    "s": "s",
    "first call, s": "s for the first call",
    "floor": "of the floor",
    "C": "of hand-written C",
}


def rows() -> list[dict[str, Any]]:
    return json.loads(FIGURES.read_text())["rows"] if FIGURES.exists() else []


def told(us: float | None) -> str:
    """A time in the unit that reads best."""
    if us is None:
        return ""
    for size, unit in ((1e6, "s"), (1e3, "ms"), (1, "us")):
        if us >= size:
            return f"{digits(us / size)} {unit}"
    return f"{digits(us)} us"


def digits(x: float) -> str:
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


def short(row: dict[str, Any]) -> bool:
    return any(not limit["met"] for limit in row["limits"])


def table() -> str:
    lines = [
        "| work | dtype | dout | peers | asked | found | floor | dout over the floor |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows():
        us = row["us"]
        peers = ", ".join(f"{name} {told(us[name])}" for name in PEERS if name in us)
        limits = row["limits"]
        asked = "<br>".join(f"{x['at_most']:.3g} {SHOWN.get(x['against'], 'of the ' + x['against'])}" for x in limits)
        found = "<br>".join(f"{digits(x['found'])}" if x["met"] else f"**{digits(x['found'])}**" for x in limits)
        floor, near = (told(us.get("floor")), digits(us["dout"] / us["floor"])) if us.get("floor") else ("", "")
        by = f" ({row['floor_by']})" if row["floor_by"] else ""
        lines.append(
            f"| {row['title']} | {row['dtype']} | {told(us['dout'])} | {peers} | {asked} | {found} | {floor}{by} | {near} |"
        )
    return "\n".join(lines)


def causes() -> str:
    """The rows that fall short."""
    lines = ["| work | cause | tried |", "| --- | --- | --- |"]
    for row in rows():
        if short(row):
            cause, tried = CAUSES.get(row["row"], ("", ""))
            lines.append(f"| {row['title']}, {row['dtype']} | {cause} | {tried} |")
    return "\n".join(lines) if len(lines) > 2 else "None."


def absent() -> str:
    """Which peers did not run, and why."""
    found = [f"- {row['title']}, {row['dtype']}: {k}, {why}" for row in rows() for k, why in row["absent"].items()]
    return "\n".join(found) or "Every peer ran in every row that it is asked for in."


def machine() -> str:
    if not FIGURES.exists():
        return "Not measured yet: `python benchmarks/native.py`, then `python benchmarks/native_compile.py`."
    about = json.loads(FIGURES.read_text())["machine"]
    versions = ", ".join(f"{name} {found}" for name, found in about["versions"].items())
    busy = sum(row.get("shortest", False) for row in rows())
    note = f" {busy} rows are of a machine with other work: the shortest times in place of medians." if busy else ""
    return (
        f"{about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}; {versions}.{note}"
    )


def plot() -> None:
    """Each peer's time over dout's, row by row."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "dout", "font.size": 8, "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    found = [row for row in rows() if set(row["us"]) - {"dout", "floor"}]
    figure, axes = plt.subplots(figsize=(8, 0.28 * len(found) + 1.2))
    marks = {"PyTorch": "o", "torch.compile": "s", "JAX jit": "^", "layers by hand": "D", "C": "P", "its products": "x"}
    places = range(len(found))[::-1]
    for name, mark in marks.items():
        points = [
            (row["us"][name] / row["us"]["dout"], y) for y, row in zip(places, found, strict=True) if name in row["us"]
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), marker=mark, s=22, label=name, zorder=3)
    floors = [
        (row["us"]["floor"] / row["us"]["dout"], y)
        for y, row in zip(places, found, strict=True)
        if "floor" in row["us"]
    ]
    if floors:
        axes.scatter(*zip(*floors, strict=True), marker="|", s=60, color="black", label="floor", zorder=3)
    axes.set_xscale("log")
    axes.axvline(1, color="gray", linewidth=1)
    axes.set_yticks(list(places), [f"{row['row']}" for row in found])
    axes.set_xlabel("time over dout's (right of 1: slower than dout)")
    axes.grid(axis="x", linewidth=0.3)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.6 / figure.get_figheight()), ncols=7, frameon=False)
    figure.savefig(PLOT, metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    if "--check" not in sys.argv[1:] and rows():
        plot()
    blocks = {"machine": machine, "figures": table, "causes": causes, "absent": absent}
    main({"docs/native-speed.md": blocks})

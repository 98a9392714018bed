"""Where the figures of benchmarks/native.py and native_compile.py are kept, and how they are judged."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measure import machine

RESULTS = Path(__file__).parent / "results" / "native.json"


def judged(limits: dict[str, float], figures: dict[str, float]) -> list[dict[str, Any]]:
    """Each limit with what was found; one that nothing was found for is left out."""
    return [
        {"against": k, "at_most": most, "found": round(figures[k], 4), "met": figures[k] <= most}
        for k, most in limits.items()
        if k in figures
    ]


def known() -> dict[str, dict[str, Any]]:
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    return {row["row"]: row for row in rows}


def stored(rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of those of the same names, in the order of the tables of rows."""
    from native_compile import COMPILING
    from native_rows import ROWS

    found = {**known(), **{row["row"]: row for row in rows}}
    kept = [found[name] for name in [*ROWS, *COMPILING] if name in found]
    about = machine()
    about["threads"] = "as each takes by itself"
    about["versions"] = {name: version(name) for name in ("dout", "numpy", "torch", "jax", "llvmlite")}
    lines = ",\n".join(json.dumps(row) for row in kept)
    RESULTS.write_text(f'{{"machine": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')

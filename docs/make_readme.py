"""Fill the marked blocks of README.md and README.zh-CN.md from what dout prints and from the benchmark's figures.

Run it from anywhere: `python docs/make_readme.py`, or with `--check` to be told whether the pages are up to date.
"""

# ruff: noqa: RUF001 - Chinese punctuation

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from blocks import ROOT, main
from click.testing import CliRunner

from dout import cli

SEE = "dout see examples/apple_by_grad.py:price apple=100 apple_num=2 orange=150 orange_num=3 tax=1.1"
CHECK = "dout check examples/wrong_layer.py:Multiply x=2 y=5"
FIGURES = Path("benchmarks/results/eager.json")

WORDS = {
    "en": {
        "head": ("Case", "Unit", "dout", "Other", "Its figure", "dout / other"),
        "none": "_The table is made from `benchmarks/results/eager.json`, which is not there yet: "
        "`python benchmarks/eager.py --json benchmarks/results/eager.json` writes it._",
        "machine": "Measured on {processor}, one thread, Python {python}, {versions}. "
        "A ratio is the median over rounds in which all libraries have their turn on the same inputs.",
    },
    "zh": {
        "head": ("测试项", "单位", "dout", "对照", "对照的数值", "dout / 对照"),
        "none": "_此表由 `benchmarks/results/eager.json` 生成，目前还没有这个文件；"
        "运行 `python benchmarks/eager.py --json benchmarks/results/eager.json` 即可得到。_",
        "machine": "测量环境：{processor}，单线程，Python {python}，{versions}。"
        "每一轮中各个库在相同输入上轮流计时，比值取各轮比值的中位数。",
    },
}
ZH = {
    "100 operations, all 3 arrays": "10 个数，100 次运算，对 3 个数组求导",
    "100 operations, start only": "10 个数，100 次运算，只对起始值求导",
    "import dout after numpy": "导入 numpy 之后再导入 dout",
    "100 operations on 8 MB arrays, peak": "8 MB 数组，100 次运算，内存峰值",
    "sum(tanh(x w + b)), all three": "sum(tanh(x w + b))，对三者求导",
    "mean((x w + b - 0.5)**2), all three": "mean((x w + b - 0.5)**2)，对三者求导",
    "log-sum-exp of rows of 100": "log-sum-exp，每行 100 个数",
    "5 times sin(x w), summed, both": "5 次 sin(x w)，求和，对两者求导",
    "by hand": "手写的 NumPy",
}


@cache
def printed(command: str) -> str:
    """A block of text with a command and what it prints."""
    words = shlex.split(command)
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        result = CliRunner().invoke(cli.main, words[1:], prog_name=words[0])
    finally:
        os.chdir(before)
    return f"```text\n$ {command}\n{result.output.rstrip()}\n```"


def speed(language: str) -> str:
    """The figures that stand beside another library's, as a table."""
    words: dict[str, Any] = WORDS[language]
    path = ROOT / FIGURES
    if not path.exists():
        return str(words["none"])
    report = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, str] = ZH if language == "zh" else {}
    chain = "单个数，链长" if language == "zh" else "chain of"
    memory = "，内存" if language == "zh" else ", memory"
    lines = ["| " + " | ".join(words["head"]) + " |", "| --- | --- | ---: | --- | ---: | ---: |"]
    for row in report["rows"]:
        peer = row["peer"]
        case = names.get(row["case"], row["case"]).replace("chain of", chain).replace(", memory", memory)
        cells = [
            case, row["unit"], figure(row["dout"]),
            names.get(peer, peer), figure(row["peer_figure"]), figure(row["ratio"]),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    machine = report["machine"]
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if v)
    return "\n".join([*lines, "", words["machine"].format(**{**machine, "versions": versions})])


def figure(x: float | None) -> str:
    """A figure to three digits; nothing for none."""
    if x is None:
        return ""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def contents(language: str) -> dict[str, Callable[[], str]]:
    return {"see": lambda: printed(SEE), "check": lambda: printed(CHECK), "speed": lambda: speed(language)}


if __name__ == "__main__":
    main({"README.md": contents("en"), "README.zh-CN.md": contents("zh")})

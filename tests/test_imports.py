"""Imports point one way, and `import dout` is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dout

ROOT = Path(dout.__file__).parent
PACKAGES = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}

#: The house from the ground up. What a room imports, and what that imports, stands on lower floors or in the same room;
#: files that aren't named here stand between those that they join.
FLOORS = [
    {"graph", "errors", "layout", "methods", "storage", "tree"},
    {"broadcasting", "guards", "recorder", "witness"},
    {"in_place"},
    {"rules", "passes"},
    {"run", "mapper"},
    {"pooled"},
    {"recording"},
    {"backprop", "conversions", "copies", "given", "looking", "objects", "recorded_ops", "standins"},
    {"ready", "recorded_calls", "variable"},
    {"arguments", "surroundings", "whole", "wiring"},
    {"recorded"},
    {"mapped"},
    {"layers", "numpy", "runs", "checkpointing", "trace"},
    {"transforms"},
    {"jacobians"},
    {"variants", "differences", "hints", "subjects", "batching"},
    {"within"},
    {"jitted"},
    {"jit"},
    {"vmap"},
    {"see", "check", "nn", "interop"},
    {"demo"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}

#: Imports inside functions are left out of these: they run later, and each is explained where it stands.
HEAVY = ["click", "rich", "xxhash", "scipy", "sklearn", "torch", "jax", "autograd", "mygrad", "llvmlite", "onnx",
         "matplotlib", "optree", "executing", "sympy", "anywidget", "starlette", "IPython", "unittest", "asyncio"]  # fmt: skip

PUBLIC = ["AddLayer", "Layer", "MulLayer", "Relu", "Sigmoid", "Variable", "checkpoint", "grad", "hessian", "hvp", "jacobian",
          "jit", "jvp", "layer", "stop_gradient", "value_and_grad", "vjp"]  # fmt: skip


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def room(module):
    return module.partition(".")[0]


def imported(path, module):
    """The modules of dout's that a file imports at the top, by their names within dout."""
    package = [*module.split("."), ""][: -1 if path.name == "__init__.py" else -2] if module != "__init__" else []
    found = set()
    for node in at_top(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("dout.") for alias in node.names if alias.name.startswith("dout.")}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
            elif (node.module or "").split(".")[0] == "dout":
                base = []
            else:
                continue
            rest = (node.module or "").removeprefix("dout").strip(".") if not node.level else node.module or ""
            where = [*base, *(rest.split(".") if rest else [])]
            for alias in node.names:
                full = [*where, alias.name]
                is_module = ROOT.joinpath(*full).with_suffix(".py").exists() or ROOT.joinpath(*full).is_dir()
                found.add(".".join(full if is_module else where))
    return {name for name in found if name}


def at_top(tree):
    """All statements but those inside functions and `if TYPE_CHECKING:`."""
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        stack += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.excepthandler)]


IMPORTS = {module: imported(path, module) for module, path in modules()}


def test_every_file_has_a_floor():
    assert {room(m) for m in IMPORTS} - set(FLOOR) - {"__init__"} == set()


def test_the_reader_of_imports_reads():
    assert "graph" in IMPORTS["variable"]
    assert "graph" in IMPORTS["rules.registry"]
    assert "rules.registry" in IMPORTS["rules.elementwise"]


def reached(module):
    """All that a module imports, directly or by others."""
    found, stack = set(), [module]
    while stack:
        for other in IMPORTS.get(stack.pop(), ()):
            if other not in found:
                found.add(other)
                stack.append(other)
    return found


@pytest.mark.parametrize("module", [m for m in IMPORTS if room(m) in FLOOR])
def test_imports_point_one_way(module):
    wrong = {
        other
        for other in reached(module)
        if room(other) in FLOOR and room(other) != room(module) and FLOOR[room(other)] >= FLOOR[room(module)]
    }
    assert not wrong, f"{module} reaches {wrong}"


def test_passes_and_run_know_nothing_of_variables():
    for module, others in IMPORTS.items():
        if room(module) in ("passes", "run"):
            assert not {room(o) for o in others} & {"recording", "variable", "backprop", "transforms"}, module


def test_there_are_no_cycles():
    done, path = set(), []

    def visit(module):
        if module in path:
            raise AssertionError(" -> ".join([*path[path.index(module) :], module]))
        if module in done:
            return
        path.append(module)
        for other in sorted(IMPORTS.get(module, ())):
            visit(other)
        done.add(path.pop())

    for module in IMPORTS:
        if module != "__init__":
            visit(module)


def test_import_dout_is_light():
    code = "import sys, numpy; before = set(sys.modules); import dout; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "dout.variable" in loaded
    heavy = [name for name in loaded if name.partition(".")[0] in HEAVY]
    assert not heavy, f"import dout loads {heavy}"
    assert not any(name.startswith("dout.nn") or name.startswith("dout.cli") for name in loaded)


def test_public_names():
    assert [name for name in PUBLIC if not hasattr(dout, name)] == []
    assert all(hasattr(dout, name) for name in dout.__all__)


def test_files_are_read_in_one_sitting():
    long = {module: n for module, path in modules() if (n := len(path.read_text(encoding="utf-8").splitlines())) > 650}
    assert not long, long

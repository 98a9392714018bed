"""Which operations the page computes by itself: every primitive is in the table, or is left out for a reason."""

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules, walk_packages

import pytest

import dout
from dout import interop, rules
from dout.graph import IDENTITY, PICK, Primitive
from dout.rules import UFUNCS

PAGE = Path(dout.__file__).parent / "see"
TABLE = json.loads((PAGE / "page_ops.json").read_text(encoding="utf-8"))


def primitives():
    pytest.importorskip("scipy")  # of whose functions dout has rules too
    found = {IDENTITY.name, PICK.name}
    for module in iter_modules(rules.__path__):
        members = vars(import_module(f"dout.rules.{module.name}")).values()
        found |= {op.name for op in members if isinstance(op, Primitive)}
    return found | {op.name for op in UFUNCS.values()}


def test_every_primitive_is_computed_or_left_out_for_a_reason():
    computed, absent = set(TABLE["computed"]), TABLE["absent"]
    missing = primitives() - computed - set(absent)
    assert not missing, (
        f"src/dout/see/page_ops.json says nothing of {missing}; the page computes what is in src/dout/see/page"
    )
    assert not computed & set(absent)
    assert computed - {"softplus"} <= primitives()
    assert all(absent.values())
    assert TABLE["computed"] == sorted(computed)
    assert list(absent) == sorted(absent)


def test_operations_of_other_libraries_are_not_the_pages():
    """They need no entry: the page says of any operation that it has no code for that it can't compute it."""
    theirs = {"root", "solve_ivp"}  # made anew for each call
    for module in walk_packages(interop.__path__, f"{interop.__name__}."):
        members = vars(import_module(module.name)).values()
        theirs |= {op.name for op in members if isinstance(op, Primitive)}
    assert not theirs & (set(TABLE["computed"]) | set(TABLE["absent"]))


def test_names_in_the_pages_modules():
    """Each operation's name stands in one of the modules; that they are all, a test in the browser holds."""
    text = "".join(
        (PAGE / "page" / f"{name}.js").read_text("utf-8") for name in ("elementwise", "operations", "moves", "scipy")
    )
    assert not [name for name in TABLE["computed"] if f"  {name}" not in text]

"""The examples in docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import io
import pkgutil

import pytest

import dout

MODULES = ["dout", *(m.name for m in pkgutil.walk_packages(dout.__path__, "dout."))]

#: What some files are written in, which are imported only where it is installed.
EXTRAS = {"anywidget", "starlette", "sympy", "uvicorn", "watchfiles"}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    # Imported as a user would. pytest's own collection imports each file anew, and a new `dout.see` hides the function.
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in EXTRAS:
            raise
        pytest.skip(f"needs {missing.name}")
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(test, out=report.write)
    assert runner.failures == 0, report.getvalue()

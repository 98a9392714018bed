"""The examples in docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import io
import pkgutil

import pytest

import dout

MODULES = ["dout", *(m.name for m in pkgutil.walk_packages(dout.__path__, "dout."))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    # Imported as a user would. pytest's own collection imports each file anew, and a new `dout.see` hides the function.
    module = importlib.import_module(name)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(test, out=report.write)
    assert runner.failures == 0, report.getvalue()

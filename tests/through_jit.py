"""A plugin of pytest: every function whose derivatives a test holds is also run by `jit`, and so are its derivatives.

    PYTHONPATH=tests python -m pytest -p through_jit tests/rules

It takes some ten minutes, so it is no test of its own. At the end it says how many runs were recorded, and why others
were not.
"""

from __future__ import annotations

import collections

import numpy as np
import oracles

import dout
from dout.jit import jit
from dout.tree import flatten

counts: collections.Counter[str] = collections.Counter()
reasons: dict[str, str] = {}
_hold = oracles.assert_derivatives


def pytest_configure(config):
    oracles.assert_derivatives = _through_jit


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(str(counts))
    for name, why in reasons.items():
        terminalreporter.write_line(f"{name}: {why}")


def _through_jit(f, *args, order=2, **options):
    _hold(f, *args, order=order, **options)
    weights = oracles._random_like(f(*args), np.random.default_rng(0))

    def first(*xs):
        return dout.vjp(f, *xs)[1](weights)

    def second(*xs):
        found = tuple(d for d in first(*xs) if d is not None)
        return dout.vjp(lambda *ys: tuple(d for d in first(*ys) if d is not None), *xs)[1](found)

    near = [a * (1 + 2.0**-10) if oracles._is_smooth(a) else a for a in args]
    for order_of, run in enumerate([f, first, second][: order + 1]):
        fast = jit(run)
        for given in (args, args, near):
            try:
                expected = run(*given)
            except Exception:  # a function that refuses this point; jit would say the same
                continue
            _same(fast(*given), expected)
        for variant in [v for variants in fast._forms.values() for v in variants]:
            counts["recorded" if variant.program else "as it is"] += 1
            if variant.program is None:
                reasons[f"{getattr(f, '__name__', f)}, order {order_of}"] = variant.why


def _same(found, expected):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        if isinstance(b, str | None):
            continue
        assert type(a) is type(b)
        assert np.shape(a) == np.shape(b)
        assert np.result_type(a) == np.result_type(b)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)

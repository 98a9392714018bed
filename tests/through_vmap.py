"""A plugin of pytest: every function whose derivatives a test holds is also run by `vmap`, and so are its derivatives.

    PYTHONPATH=tests python -m pytest -p through_vmap tests/rules

It takes some minutes, so it is no test of its own. At the end it says how many functions ran as a batch, and why others ran
one by one.
"""

from __future__ import annotations

import collections
import warnings

import numpy as np
import oracles

import dout
from dout.tree import flatten
from dout.vmap import vmap

counts: collections.Counter[str] = collections.Counter()
reasons: dict[str, str] = {}
_hold = oracles.assert_derivatives


def pytest_configure(config):
    oracles.assert_derivatives = _through_vmap


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(str(counts))
    for name, why in reasons.items():
        terminalreporter.write_line(f"{name}: {why}")


def _through_vmap(f, *args, order=2, **options):
    _hold(f, *args, order=order, **options)
    weights = oracles._random_like(f(*args), np.random.default_rng(0))

    def first(*xs):
        return tuple(d for d in dout.vjp(f, *xs)[1](weights) if d is not None)

    def second(*xs):
        return tuple(d for d in dout.vjp(first, *xs)[1](first(*xs)) if d is not None)

    batches = [np.stack([a, a * (1 + 2.0**-10), a]) if oracles._is_smooth(a) else a for a in args]
    axes = tuple(0 if oracles._is_smooth(a) else None for a in args)
    examples = [[b[i] if axis == 0 else b for b, axis in zip(batches, axes, strict=True)] for i in range(3)]
    for order_of, run in enumerate([f, first, second][: order + 1]):
        try:
            expected = [flatten(run(*given))[0] for given in examples]
        except Exception:  # a function that refuses this point; vmap would say the same
            continue
        if not expected[0]:
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = flatten(vmap(run, in_axes=axes)(*batches))[0]
            except (ValueError, TypeError) as error:
                if "vmap of" not in str(error) and "under vmap" not in str(error):
                    raise
                counts["refused"] += 1
                reasons[f"{getattr(f, '__name__', f)}, order {order_of}"] = str(error)
                continue
        slow = [str(w.message) for w in caught if "one example after another" in str(w.message)]
        counts["one by one" if slow else "as a batch"] += 1
        if slow:
            reasons[f"{getattr(f, '__name__', f)}, order {order_of}"] = slow[0]
        for a, *b in zip(found, *expected, strict=True):
            if b[0] is None:
                assert a is None
                continue
            assert np.shape(a) == (3, *np.shape(b[0]))
            assert np.result_type(a) == np.result_type(*b)
            np.testing.assert_allclose(a, np.stack(b), rtol=1e-9, atol=1e-11)

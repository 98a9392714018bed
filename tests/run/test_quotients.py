"""Rows divided by one number: as by a division each, bit for bit where numbers have all their digits."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from dout.jit import jit
from dout.run.native import quotients


def numbers(rng, dtype, n):
    limits = np.finfo(dtype)
    powers = rng.uniform(np.log2(float(limits.smallest_subnormal)), limits.maxexp - 0.1, n)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, limits.tiny, limits.max, limits.smallest_subnormal, -limits.max]
    return np.concatenate(
        [rng.standard_normal(n), rng.uniform(1, 2, n), 2.0**powers, -(2.0 ** powers[::-1]), special]
    ).astype(dtype)


def hold(x, c, found):
    """Bit for bit; of numbers whose remainder is below the smallest normal one, to two units."""
    with np.errstate(all="ignore"):
        expected = x / c
    limits = np.finfo(x.dtype)
    small = float(limits.tiny) / float(limits.eps) * 4
    plain = (np.abs(x) >= small) & (np.abs(expected) >= small) | ~np.isfinite(expected) | (expected == 0)
    np.testing.assert_array_equal(found[plain], expected[plain])
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected), strict=False)
    units = np.maximum(np.spacing(np.abs(expected[~plain])), limits.smallest_subnormal)
    assert np.all(np.abs(found[~plain] - expected[~plain]) <= 2 * units)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_rows_by_numbers_of_all_sizes(dtype):
    rng = np.random.default_rng(0)
    x = numbers(rng, dtype, 1000)
    fast = jit(lambda x, c: x / c)
    for c in numbers(rng, dtype, 30):
        with np.errstate(all="ignore"):
            keep = ~(np.isnan(x) | np.isnan(x / c))  # the sign of NaN isn't said
            found = fast(x, np.full(1, c))
        assert np.all(np.isnan(found[~keep]))
        hold(x[keep], c, found[keep])


def test_it_is_done_for_rows_and_one_divisor(monkeypatch):
    seen = []
    before = quotients.quotient
    monkeypatch.setattr(quotients, "quotient", lambda *args: seen.append(1) or before(*args))
    x, c = np.ones((4, 100)), np.full((4, 1), 3.0)
    np.testing.assert_array_equal(jit(lambda x, c: x / c)(x, c), x / c)
    assert len(seen) == quotients.has_fma()
    jit(lambda x, c: x / c)(x, x)
    jit(lambda x, c: x / c)(x[:, :3].copy(), c)
    jit(lambda x: x / 3.0)(2.0)
    assert len(seen) == quotients.has_fma()
    np.testing.assert_array_equal(jit(lambda x: x / 3.0)(x), x / 3.0)

"""Memory is asked for before it is read: nothing else may change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import dout
from dout.jit import jit
from dout.run.native import ahead


def normed(x: Any, gain: Any) -> Any:
    centred = x - np.mean(x, axis=1, keepdims=True)
    return np.tanh(centred / np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-5) * gain)


def text_of(f: Any, *args: Any) -> str:
    variant = f._variant(args, {})
    return str(variant.native.text)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("width", [128, 257, 300, 1000, 1024, 1031])
def test_rows_of_any_length(width: int, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)
    monkeypatch.setattr(ahead, "ROWS", (1, 1 << 14))
    rng = np.random.default_rng(width)
    x, gain = rng.standard_normal((21, width)).astype(dtype), rng.standard_normal(width).astype(dtype)
    near = 1e-12 if dtype == "f8" else 1e-5
    fast = jit(normed)
    np.testing.assert_allclose(fast(x, gain), normed(x, gain), near, near)
    text = text_of(fast, x, gain)
    assert "call void @llvm.prefetch" in text
    assert "dout.ahead" not in "".join(line for line in text.splitlines() if " call " in line)
    derivative = dout.grad(lambda x, gain: np.sum(normed(x, gain) ** 2), (0, 1))
    for a, b in zip(jit(derivative)(x, gain), derivative(x, gain), strict=True):
        np.testing.assert_allclose(a, b, near * 10, near * 10)


def test_the_last_row_asks_beyond_the_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask for what isn't there is no fault; a result at the very end of a page shows it."""
    monkeypatch.setattr(ahead, "LARGE", 1)
    x = np.random.default_rng(0).standard_normal((2048, 1024))
    np.testing.assert_allclose(jit(normed)(x, np.ones(1024)), normed(x, np.ones(1024)), 1e-12, 1e-12)


def test_only_large_arrays_are_asked_for() -> None:
    fast = jit(normed)
    x, gain = np.ones((16, 1024)), np.ones(1024)
    fast(x, gain)
    assert "prefetch" not in text_of(fast, x, gain)
    x = np.ones((1024, 1024))
    fast(x, gain)
    assert "call void @llvm.prefetch" in text_of(fast, x, gain)


def test_a_long_loop_over_several_arrays_asks_too() -> None:
    rng = np.random.default_rng(0)
    x, y, z = rng.standard_normal((3, 700_001))
    for dtype in ("f8", "f4"):
        given = tuple(a.astype(dtype) for a in (x, y, z))
        fast = jit(lambda x, y, z: np.tanh(x) * y + z)
        near = 1e-13 if dtype == "f8" else 1e-5
        np.testing.assert_allclose(fast(*given), np.tanh(given[0]) * given[1] + given[2], near, near)
        asks = "call void @llvm.prefetch" in text_of(fast, *given)
        assert asks == (given[0].nbytes >= ahead.LARGE)


def test_a_row_that_is_read_once_is_not_asked_for() -> None:
    fast = jit(lambda x, y: np.tanh(x) * y)
    x = np.ones((1024, 1024))
    fast(x, x + 1)
    assert "prefetch" not in text_of(fast, x, x + 1)

"""Values as JSON: a number in full and in short, an array as its shape, dtype, range and a small picture of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Beyond this a JSON number that is read as a double loses digits.
EXACT = 2**53
#: An array this large is sampled for its heat map and histogram.
SAMPLED = 1 << 20


@dataclass(frozen=True)
class Detail:
    """How much is said of an array: every entry up to so many, a heat map of so many rows and columns, bars."""

    entries: int
    cells: int
    bars: int


#: The more arrays a description holds, the less it says of each.
FULL, SOME, LITTLE = Detail(64, 32, 16), Detail(16, 8, 8), Detail(4, 0, 0)


def value_of(x: Any, detail: Detail = FULL) -> dict[str, Any]:
    """A number, an array or a tuple of them as JSON; see "The description" in the page on seeing.

    Example:
        >>> value_of(220.00000000000003)
        {'t': '220', 'v': 220.00000000000003, 'dtype': 'float'}
        >>> value_of(np.float32("inf"))
        {'t': '∞', 'v': 'Infinity', 'dtype': 'float32'}
    """
    if isinstance(x, tuple | list):
        parts = [value_of(part, LITTLE) for part in x]
        return {"t": "(" + ", ".join(part["t"] for part in parts) + ")", "parts": parts}
    if isinstance(x, np.ndarray) and x.ndim:
        return _of_array(x, detail)
    return _of_number(x)


def unknown(shape: Any, dtype: Any) -> dict[str, Any]:
    """What stands for a value that nobody kept."""
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", "")
    if isinstance(shape, tuple) and shape:
        return {"t": f"{'×'.join(map(str, shape))} {name}", "shape": list(shape), "dtype": name, "unknown": True}
    return {"t": "?", "unknown": True}


def short(x: Any) -> str:
    """A number in few characters.

    Example:
        >>> [short(v) for v in (220.00000000000003, 1e-7, -2.5, 3, 1 + 2j, 123456789)]
        ['220', '1e-7', '−2.5', '3', '1+2j', '123456789']
    """
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, complex | np.complexfloating):
        real, imag = short(float(x.real)), short(float(x.imag))
        return f"{real}{imag if imag.startswith('−') else '+' + imag}j"
    if isinstance(x, int | np.integer):
        return _short_int(int(x))
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == int(x) and abs(x) < 10**9:
        return _tidy(str(int(x)) if x or math.copysign(1, x) > 0 else "-0")
    return _tidy(f"{x:.6g}")


def _short_int(x: int) -> str:
    if abs(x) < 10**12:
        return _tidy(str(x))
    tens = int(math.log10(abs(x)))  # exact for ints of any size; float(x) would overflow
    if abs(x) >= 10 ** (tens + 1):
        tens += 1
    elif abs(x) < 10**tens:
        tens -= 1
    text = f"{x / 10**tens:.6g}"
    return _tidy(f"{text}e{tens}" if not text.lstrip("-").startswith("10") else f"{text[:-1]}e{tens + 1}")


def _tidy(text: str) -> str:
    """`1e-07` as `1e-7`, with a true minus before the number."""
    number, e, power = text.partition("e")
    if e:
        text = f"{number}e{int(power)}"
    return "−" + text[1:] if text.startswith("-") else text


def _of_number(x: Any) -> dict[str, Any]:
    if isinstance(x, np.ndarray):
        x = x[()]
    found: dict[str, Any] = {"t": short(x)}
    if isinstance(x, complex | np.complexfloating):
        found["re"], found["im"] = exact(x.real), exact(x.imag)
    else:
        found["v"] = exact(x)
        if isinstance(found["v"], str) and not isinstance(x, float | np.floating):
            found["big"] = True
    found["dtype"] = x.dtype.name if isinstance(x, np.generic) else type(x).__name__
    return found


def exact(x: Any) -> Any:
    """A real number, int or bool as JSON holds it; as a string what JSON has no number for."""
    if isinstance(x, bool | np.bool_):
        return bool(x)
    if isinstance(x, int | np.integer):
        x = int(x)
        return x if abs(x) <= EXACT else _digits(x)
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def _digits(x: int) -> str:
    return str(x) if x.bit_length() < 14_000 else hex(x)  # Python refuses to write out longer ones in tens


def _of_array(x: np.ndarray, detail: Detail) -> dict[str, Any]:
    name = x.dtype.name
    found: dict[str, Any] = {
        "t": f"{'×'.join(map(str, x.shape))} {name}" if x.ndim > 1 else f"[{x.size}] {name}",
        "shape": list(x.shape),
        "dtype": name,
    }
    if x.dtype.kind not in "fciub":
        return found
    if x.size:
        _measure(found, x)
    if x.size <= detail.entries:
        found["data"] = [_entry(v) for v in x.ravel().tolist()]
    if x.size > 1 and detail.cells:
        sizes = _magnitudes(x)
        found["heat"] = _heat(sizes, detail.cells)
        found["hist"] = _histogram(sizes, detail.bars)
    return found


def range_of(value: Mapping[str, Any]) -> str:
    """An array's second line where there are many: from its least to its greatest entry, in three digits.

    Example:
        >>> range_of(value_of(np.array([-1.23456, np.nan, 20.0]))), range_of(value_of(np.ones(3)))
        ('NaN×1 −1.23 … 20', 'all 1')
    """
    line = str(value["t2"]).partition("min ")
    if not line[1]:
        return line[0]
    low, high = (short(float(f"{float(value[end]):.3g}") + 0.0) for end in ("min", "max"))  # no −0
    return line[0] + (f"all {low}" if value["min"] == value["max"] and not value.get("bad") else f"{low} … {high}")


def _entry(v: Any) -> Any:
    return [exact(v.real), exact(v.imag)] if isinstance(v, complex) else exact(v)


def _magnitudes(x: np.ndarray) -> np.ndarray:
    """Real numbers to measure: those of a complex array are its absolute values."""
    if x.dtype.kind == "c":
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(x))
    return x if x.dtype == np.float64 else x.astype(np.float64)


def _measure(found: dict[str, Any], x: np.ndarray) -> None:
    """Minimum, mean and maximum of what is finite, and how much is not."""
    if 0 in x.strides:  # a broadcast array holds each entry once, and repeats all of them equally often
        x = x[tuple(slice(0, 1) if s == 0 else slice(None) for s in x.strides)]
    repeats = math.prod(found["shape"]) // x.size
    of = "|x| " if x.dtype.kind == "c" else ""
    with np.errstate(all="ignore"):
        x = np.abs(x) if x.dtype.kind == "c" else x
        low, high = np.minimum.reduce(x, axis=None), np.maximum.reduce(x, axis=None)
        mean = np.add.reduce(x, axis=None, dtype=np.float64) / x.size
        bad = nans = 0
        if x.dtype.kind == "f" and not (math.isfinite(low) and math.isfinite(high)):
            finite = x[np.isfinite(x)]
            bad, nans = (x.size - finite.size) * repeats, int(np.count_nonzero(np.isnan(x))) * repeats
            if finite.size:
                low, high, mean = finite.min(), finite.max(), finite.mean(dtype=np.float64)
            else:
                low = high = mean = np.nan
    found |= {"min": exact(low), "mean": exact(mean), "max": exact(high)}
    line = [f"NaN×{nans}"] * (nans > 0) + [f"∞×{bad - nans}"] * (bad > nans)
    if bad:
        found["bad"] = bad
    if not (bad and np.isnan(low)):
        noise = abs(mean) < 1e-12 * max(abs(float(low)), abs(float(high)))  # what rounding leaves of 0
        line.append(f"{of}min {short(low)} mean {'0' if noise else _four(mean)} max {short(high)}")
    found["t2"] = " ".join(line)


def _four(x: Any) -> str:
    return short(float(f"{float(x):.4g}"))


def _sampled(x: np.ndarray) -> np.ndarray:
    """An enormous array's entries at even distances."""
    while x.size > SAMPLED:
        axis = int(np.argmax(x.shape))
        step = min(-(-x.size // SAMPLED), x.shape[axis])
        x = x[tuple(slice(None, None, step) if i == axis else slice(None) for i in range(x.ndim))]
    return x


def _heat(x: np.ndarray, cells: int) -> dict[str, Any]:
    """Rows and columns of numbers from 0 to 1, each the mean of a block; None where it isn't finite."""
    x = _sampled(x)
    flat = x.reshape(1, -1) if x.ndim < 2 else x.reshape(-1, x.shape[-1])
    rows, columns = min(flat.shape[0], cells), min(flat.shape[1], cells)
    with np.errstate(all="ignore"):
        for axis, n in ((0, rows), (1, columns)):
            if n < flat.shape[axis]:
                starts = np.arange(n) * flat.shape[axis] // n
                counts = np.diff(np.append(starts, flat.shape[axis]))
                shares = counts[:, None] if axis == 0 else counts
                flat = np.add.reduceat(flat, starts, axis=axis) / shares
        finite = np.isfinite(flat)
        low, high = (float(flat[finite].min()), float(flat[finite].max())) if finite.any() else (0.0, 0.0)
        spread = high - low
        scaled = (flat / 2 - low / 2) / (high / 2 - low / 2) if np.isinf(spread) else (flat - low) / (spread or 1.0)
    each = zip(scaled.ravel().tolist(), finite.ravel().tolist(), strict=True)
    return {"rows": rows, "cols": columns, "cells": [round(v, 3) if ok else None for v, ok in each]}


def _histogram(x: np.ndarray, bars: int) -> dict[str, Any] | None:
    x = _sampled(x).ravel()
    x = x[np.isfinite(x)]
    if not x.size:
        return None
    low, high = float(x.min()), float(x.max())
    if low == high or not math.isfinite(high - low):
        return {"low": low, "high": high, "counts": [int(x.size)]}
    places = np.minimum(((x - low) * (bars / (high - low))).astype(np.intp), bars - 1)
    return {"low": low, "high": high, "counts": np.bincount(places, minlength=bars).tolist()}

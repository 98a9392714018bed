"""Functions of large arrays, each with its derivative as one would write it by hand: value and derivatives.

By hand means plain NumPy, as one would write it: each intermediate value computed once, no needless passes. Simplified
means that algebra was done first, which no chain rule does: s (1 - s), or a derivative that cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import dout

Array = np.ndarray


@dataclass
class Case:
    name: str
    f: Callable[..., Any]
    inputs: tuple[Array, ...]
    by_hand: Callable[..., tuple[Any, ...]]  # (value, derivative with respect to each input)
    simplified: bool = False


def _affine_tanh(x: Array, w: Array, b: Array) -> tuple[Any, ...]:
    out = np.tanh(x * w + b)
    d = 1.0 - out * out
    return np.sum(out), d * w, d * x, d


def _sigmoid_by_steps(x: Array) -> tuple[Any, ...]:
    e = np.exp(-x)
    y = 1.0 + e
    out = 1.0 / y
    d = out / y
    d *= e  # the two minus signs cancel
    return np.sum(out), d


def _sigmoid(x: Array) -> tuple[Any, ...]:
    out = 1.0 / (1.0 + np.exp(-x))
    return np.sum(out), out * (1.0 - out)


def _squares(x: Array, w: Array, b: Array) -> tuple[Any, ...]:
    apart = x * w + b - 0.5
    d = apart * (2.0 / x.size)
    return np.mean(apart * apart), d * w, d * x, d


def _soft_maximum(x: Array) -> tuple[Any, ...]:
    top = np.max(x, axis=1, keepdims=True)
    weights = np.exp(x - top)
    total = np.sum(weights, axis=1, keepdims=True)
    value = np.sum(np.log(total) + top)
    weights /= total
    return value, weights


def _soft_maximum_f(x: Any) -> Any:
    top = np.max(x, axis=1, keepdims=True)
    return np.sum(np.log(np.sum(np.exp(x - top), axis=1, keepdims=True)) + top)


def _soft_maximum_cut(x: Any) -> Any:
    top = dout.stop_gradient(np.max(x, axis=1, keepdims=True))
    return np.sum(np.log(np.sum(np.exp(x - top), axis=1, keepdims=True)) + top)


def _chain_f(x: Any, w: Any) -> Any:
    for _ in range(5):
        x = np.sin(x * w)
    return np.sum(x)


def _chain(x: Array, w: Array) -> tuple[Any, ...]:
    inputs, products = [], []
    for _ in range(5):
        inputs.append(x)
        products.append(x * w)
        x = np.sin(products[-1])
    value = np.sum(x)
    d: Any = 1.0
    dw: Any = 0.0
    for before, product in zip(reversed(inputs), reversed(products), strict=True):
        d = np.cos(product) * d
        dw = d * before + dw
        d = d * w
    return value, d, dw


def cases(n: int) -> list[Case]:
    x, w, b = (np.linspace(start, start + 0.5, n) for start in (0.1, 0.2, 0.3))
    rows = x.reshape(-1, 100)
    return [
        Case("sum(tanh(x w + b)), all three", lambda x, w, b: np.sum(np.tanh(x * w + b)), (x, w, b), _affine_tanh),
        Case("sum(1 / (1 + exp(-x)))", lambda x: np.sum(1.0 / (1.0 + np.exp(-x))), (x,), _sigmoid_by_steps),
        Case("sum(1 / (1 + exp(-x)))", lambda x: np.sum(1.0 / (1.0 + np.exp(-x))), (x,), _sigmoid, simplified=True),
        Case("sum(Sigmoid()(x))", lambda x: np.sum(dout.Sigmoid()(x)), (x,), _sigmoid),
        Case(
            "mean((x w + b - 0.5)**2), all three", lambda x, w, b: np.mean((x * w + b - 0.5) ** 2), (x, w, b), _squares
        ),
        Case("log-sum-exp of rows of 100", _soft_maximum_f, (rows,), _soft_maximum, simplified=True),
        Case("the same, stop_gradient(max)", _soft_maximum_cut, (rows,), _soft_maximum),
        Case("5 times sin(x w), summed, both", _chain_f, (x, w), _chain),
    ]

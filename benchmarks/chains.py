"""The 100-operation chain, for each library: functions of NumPy arrays that run its forward and backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

REPETITIONS = 33
OPERATIONS = 3 * REPETITIONS + 1

Run = Callable[[], Any]


def chain(x: Any, w: Any, b: Any, tanh: Callable[[Any], Any]) -> Any:
    """tanh(x w + b), over and over, and a last product: 100 operations."""
    for _ in range(REPETITIONS):
        x = tanh(x * w + b)
    return x * w


def by_hand(x: np.ndarray, w: np.ndarray, b: np.ndarray, parameters: bool) -> tuple[np.ndarray, ...]:
    """The NumPy calls that the derivative needs, and nothing else: the floor."""
    inputs = [x]
    for _ in range(REPETITIONS):
        t = x * w
        t += b
        x = np.tanh(t, out=t)
        inputs.append(x)
    x * w
    d = w.copy()
    if not parameters:
        for out in reversed(inputs[1:]):
            d *= 1.0 - out * out
            d *= w
        return (d,)
    dw, db = inputs[-1].copy(), np.zeros_like(b)
    for out, before in zip(reversed(inputs[1:]), reversed(inputs[:-1]), strict=True):
        d *= 1.0 - out * out
        db += d
        dw += d * before
        d *= w
    return d, dw, db


def of_dout(x: np.ndarray, w: np.ndarray, b: np.ndarray, parameters: bool) -> Run:
    import dout

    derivative = dout.grad(lambda x, w, b: np.sum(chain(x, w, b, np.tanh)), (0, 1, 2) if parameters else (0,))
    return lambda: derivative(x, w, b)


def of_torch(x: np.ndarray, w: np.ndarray, b: np.ndarray, parameters: bool) -> Run:
    import torch

    torch.set_num_threads(1)
    tensors = [torch.tensor(x, requires_grad=True), *(torch.tensor(a, requires_grad=parameters) for a in (w, b))]
    wanted = [t for t in tensors if t.requires_grad]
    return lambda: torch.autograd.grad(chain(*tensors, torch.tanh).sum(), wanted)


def of_autograd(x: np.ndarray, w: np.ndarray, b: np.ndarray, parameters: bool) -> Run:
    import autograd
    import autograd.numpy as anp

    derivative = autograd.grad(lambda x, w, b: anp.sum(chain(x, w, b, anp.tanh)), (0, 1, 2) if parameters else (0,))
    return lambda: derivative(x, w, b)


def of_mygrad(x: np.ndarray, w: np.ndarray, b: np.ndarray, parameters: bool) -> Run:
    import mygrad

    tensors = [mygrad.tensor(x), *((mygrad.tensor(a) if parameters else a) for a in (w, b))]
    wanted = tensors[: 3 if parameters else 1]

    def run() -> list[Any]:
        chain(*tensors, mygrad.tanh).sum().backward()
        return [t.grad for t in wanted]

    return run


MAKERS: dict[str, Callable[..., Run]] = {
    "dout": of_dout,
    "PyTorch": of_torch,
    "autograd": of_autograd,
    "MyGrad": of_mygrad,
}

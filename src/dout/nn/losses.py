"""Losses: layers whose output is the one number that training makes small."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..layers import Layer


class SoftmaxWithLoss(Layer):
    """The cross entropy between the softmax of the scores x and the targets t, averaged over the batch.

    `forward(x, t)` remembers the probabilities in `y`. `backward(dout=1)` gives `(y - t) / batch * dout` for x, and
    None for t. Targets that are a float array are differentiable as well: for them it gives `-log(y) / batch * dout`.

    x has shape (..., classes), the classes along the last axis. t holds class numbers, integers of shape (...), or one
    row of probabilities for each example (one-hot, as a rule), of x's shape. The loss has x's dtype: float32 gives
    float32. Scores of any size are safe, and a score of minus infinity rules a class out.

    Raises:
        ValueError: if the shapes don't fit, there is no example, a class number is out of range, or dout is an array.
        TypeError: if class numbers are no integers.
        RuntimeError: if backward is called before forward.

    Example:
        >>> loss = SoftmaxWithLoss()
        >>> float(loss.forward(np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([0, 1])))
        0.6931471805599453
        >>> loss.backward()
        (array([[-0.25,  0.25],
               [ 0.25, -0.25]]), None)
    """

    spares_dout = True

    def forward(self, x: Any, t: Any) -> Any:
        """The loss, one number."""
        _hold_scores(np.shape(x))
        shifted = x - np.max(x, axis=-1, keepdims=True)  # so that exp can't overflow
        log_y = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
        self.t = _as_rows(t, np.shape(x), log_y.dtype)
        self.differentiable_t = np.shape(t) == np.shape(x) and np.result_type(t).kind == "f"
        self.log_y = log_y
        self.y = np.exp(log_y)
        self.batch = math.prod(np.shape(x)[:-1])
        # Where t is 0, log y may be minus infinity, and their product is the 0 that is meant.
        return np.sum(self.t * np.where(self.t == 0, 0, -log_y)) / self.batch

    def backward(self, dout: Any = 1) -> tuple[Any, Any]:
        """The derivatives for x and t; None for t that isn't a float array of x's shape."""
        y, t = self.remembered("y"), self.t
        if np.shape(dout) != ():
            raise ValueError(
                f"SoftmaxWithLoss.backward(dout): the loss is one number, got a dout of shape {np.shape(dout)}"
            )
        share = dout / self.batch
        # A row of t that is one-hot sums to 1; for any other row this is the derivative too.
        dx = (y * np.sum(t, axis=-1, keepdims=True) - t) * share
        return dx, -self.log_y * share if self.differentiable_t else None


def _hold_scores(shape: tuple[int, ...]) -> None:
    if not shape or 0 in shape:
        raise ValueError(
            f"SoftmaxWithLoss.forward(x, t): expected x of shape (..., classes), with at least one example, got {shape}"
        )


def _as_rows(t: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The targets with one row for each example, of the scores' shape and dtype."""
    if isinstance(t, list | tuple | int):
        t = np.array(t)
    if np.shape(t) == shape:
        return t.astype(dtype)
    if np.shape(t) != shape[:-1]:
        raise ValueError(
            f"SoftmaxWithLoss.forward(x, t): for x of shape {shape}, expected class numbers of shape {shape[:-1]} "
            f"or rows of shape {shape}, got t of shape {np.shape(t)}"
        )
    if np.result_type(t).kind not in "iu":
        raise TypeError(
            f"SoftmaxWithLoss.forward(x, t): class numbers have to be integers, got {np.result_type(t)}; "
            "t.astype(int) makes them"
        )
    classes = shape[-1]
    if np.any((t < 0) | (t >= classes)):
        raise ValueError(
            f"SoftmaxWithLoss.forward(x, t): class numbers have to be 0 to {classes - 1}, "
            f"got {np.min(t)} to {np.max(t)}"
        )
    return (np.expand_dims(t, -1) == np.arange(classes)).astype(dtype)

"""Layers with parameters. Each is a dataclass, so a net that holds them can be differentiated with respect to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..layers import Layer


@dataclass(eq=False)  # arrays have no single ==
class Affine(Layer):
    """`x @ W + b`, along the last axis of x.

    By hand, `forward(x)` gives the output, and `backward(dout)` returns the derivative for x and leaves those for W and
    b in `dW` and `db`. Called, it takes part in a graph, and the derivative with respect to it is an Affine that holds
    those of W and b.

    Args:
        W: the weights, of shape (inputs, outputs).
        b: the biases, of shape (outputs,).

    x has shape (..., inputs) and the output (..., outputs); one example alone has no batch axis. The dtype is NumPy's:
    from float32 comes float32.

    Raises:
        ValueError: if the shapes of W and b, x and W, or dout and the output don't fit.
        RuntimeError: if backward is called before forward.

    Example:
        >>> import dout
        >>> affine = Affine(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5]))
        >>> x = np.array([1.0, 10.0])
        >>> affine.forward(x)
        array([31.5, 41.5])
        >>> affine.backward(np.array([1.0, 0.0]))
        array([1., 3.])
        >>> affine.dW
        array([[ 1.,  0.],
               [10.,  0.]])
        >>> dout.grad(lambda layer: np.sum(layer(x)))(affine).b
        array([1., 1.])
    """

    spares_dout = True

    W: Any
    b: Any

    def __post_init__(self) -> None:
        # Lists become arrays: a list would be taken for a container of many parameters.
        self.W, self.b = (np.array(p) if isinstance(p, list | tuple) else p for p in (self.W, self.b))
        w_shape, b_shape = np.shape(self.W), np.shape(self.b)
        if len(w_shape) != 2 or b_shape != w_shape[1:]:
            raise ValueError(
                "Affine(W, b): expected W of shape (inputs, outputs) and b of shape (outputs,), "
                f"got {w_shape} and {b_shape}"
            )

    def forward(self, x: Any) -> Any:
        """`x @ W + b`, of shape (..., outputs)."""
        inputs = np.shape(self.W)[0]
        if np.shape(x)[-1:] != (inputs,):
            raise ValueError(
                f"Affine.forward(x): expected x of shape (..., {inputs}), for W of shape {np.shape(self.W)}, "
                f"got {np.shape(x)}"
            )
        self.x = x
        return np.matmul(x, self.W) + self.b

    def backward(self, dout: Any) -> Any:
        """The derivative for x, of its shape; leaves `dW` and `db`, summed over the batch."""
        x = self.remembered("x")
        batch = np.shape(x)[:-1]
        expected = (*batch, np.shape(self.W)[1])
        if np.shape(dout) != expected:
            raise ValueError(f"Affine.backward(dout): expected the output's shape {expected}, got {np.shape(dout)}")
        axes = tuple(range(len(batch)))
        self.dW = np.tensordot(x, dout, (axes, axes))  # x.T @ dout, for a batch of any number of axes
        self.db = np.sum(dout, axis=axes)
        return np.matmul(dout, self.W.T)

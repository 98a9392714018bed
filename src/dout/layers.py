"""The idea itself: a layer knows two things, forward and backward.

`forward(...)` computes and remembers what `backward` will need. `backward(dout)` multiplies the derivative that came from
downstream by the layer's own, and hands on one derivative for each input, of that input's shape. Used by hand, a layer is
an object with a memory; called, it takes part in a graph:

    >>> layer = MulLayer()
    >>> layer.forward(100, 2)
    200
    >>> layer.backward(1.1)
    (2.2, 110.00000000000001)
    >>> import dout
    >>> dout.grad(MulLayer(), argnums=(0, 1))(100.0, 2.0)
    (2.0, 100.0)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .broadcasting import to_shape
from .wiring import run


class Layer:
    """A base for layers of one's own: write `forward(self, *inputs)` and `backward(self, dout)`, and call the object.

    Attributes:
        spares_dout: say True in a class whose backward never writes into dout, to save a copy of it.

    Example:
        >>> import dout
        >>> class Square(Layer):
        ...     def forward(self, x):
        ...         self.x = x
        ...         return x * x
        ...
        ...     def backward(self, dout):
        ...         return dout * 2 * self.x
        >>> dout.grad(lambda x: Square()(x) + 1)(3.0)
        6.0
    """

    spares_dout = False

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, ...)")

    def backward(self, dout: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no backward(self, dout)")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return run(self, inputs, options)

    def remembered(self, name: str) -> Any:
        """What `forward` remembered under a name.

        Raises:
            RuntimeError: if forward has not run.
        """
        try:
            return self.__dict__[name]
        except KeyError:
            kind = type(self).__name__
            raise RuntimeError(f"{kind}.backward was called before {kind}.forward; run forward first") from None


class MulLayer(Layer):
    """`x * y`; its backward multiplies dout by the inputs, flipped."""

    spares_dout = True

    def forward(self, x: Any, y: Any) -> Any:
        self.x = x
        self.y = y
        return x * y

    def backward(self, dout: Any) -> tuple[Any, Any]:
        x, y = self.remembered("x"), self.remembered("y")
        return to_shape(dout * y, np.shape(x)), to_shape(dout * x, np.shape(y))


class AddLayer(Layer):
    """`x + y`; its backward hands dout on to both."""

    spares_dout = True

    def forward(self, x: Any, y: Any) -> Any:
        self.shapes = np.shape(x), np.shape(y)
        return x + y

    def backward(self, dout: Any) -> tuple[Any, Any]:
        x_shape, y_shape = self.remembered("shapes")
        return to_shape(dout, x_shape), to_shape(dout, y_shape)


class Relu(Layer):
    """x where x > 0, else 0; its backward lets dout through where x > 0. A NaN passes forward."""

    spares_dout = True

    def forward(self, x: Any) -> Any:
        self.positive = x > 0
        return _only_where(np.logical_not(x <= 0), x)

    def backward(self, dout: Any) -> Any:
        return _only_where(self.remembered("positive"), dout)


class Sigmoid(Layer):
    """1 / (1 + exp(-x)); its backward needs only the output: dout * out * (1 - out)."""

    spares_dout = True

    def forward(self, x: Any) -> Any:
        if hasattr(type(x), "__dout_record__"):
            self.out = Sigmoid()(x)  # as one node: far out exp(-x) overflows, and its own derivative would be NaN
        else:
            with np.errstate(over="ignore"):  # exp(1000) is infinite, and 1 / infinity is the 0 that is meant
                self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout: Any) -> Any:
        out = self.remembered("out")
        return dout * out * (1 - out)


def _only_where(keep: Any, x: Any) -> Any:
    """x where `keep` is true, else 0; a new array for an array, a number of the same kind for a number."""
    if np.ndim(keep):
        return np.where(keep, x, 0)
    if isinstance(x, int | float | complex):
        return x if keep else type(x)(0)
    return np.where(keep, x, 0)[()]

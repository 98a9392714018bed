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
from .recording import differentiated, in_kind
from .rules.quick import is_one
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
        self.x = _number(x, "x")
        self.y = _number(y, "y")
        out = x * y
        self.shape = np.shape(out)
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        dout = _for_output(dout, self.remembered("shape"), "MulLayer")
        return to_shape(dout * self.y, np.shape(self.x)), to_shape(dout * self.x, np.shape(self.y))


class AddLayer(Layer):
    """`x + y`; its backward hands dout on to both."""

    spares_dout = True

    def forward(self, x: Any, y: Any) -> Any:
        out = _number(x, "x") + _number(y, "y")
        self.shapes = np.shape(x), np.shape(y), np.shape(out)
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        x_shape, y_shape, shape = self.remembered("shapes")
        dout = _for_output(dout, shape, "AddLayer")
        return to_shape(dout, x_shape), to_shape(dout, y_shape)


class Relu(Layer):
    """x where x > 0, else 0; its backward lets dout through where x > 0. A NaN passes forward."""

    spares_dout = True

    def forward(self, x: Any) -> Any:
        self.positive = _number(x, "x") > 0
        return _only_where(np.logical_not(x <= 0), x)

    def backward(self, dout: Any) -> Any:
        positive = self.remembered("positive")
        return _only_where(positive, _for_output(dout, np.shape(positive), "Relu"))


class Sigmoid(Layer):
    """1 / (1 + exp(-x)); its backward needs only the output: dout * out * (1 - out)."""

    spares_dout = True

    def forward(self, x: Any) -> Any:
        if differentiated(x):
            self.out = Sigmoid()(x)  # as one node: far out exp(-x) overflows, and its own derivative would be NaN
        else:
            with np.errstate(over="ignore"):  # exp(1000) is infinite, and 1 / infinity is the 0 that is meant
                self.out = 1 / (1 + np.exp(-_number(x, "x")))
        return self.out

    def backward(self, dout: Any) -> Any:
        out = self.remembered("out")
        dout = _for_output(dout, np.shape(out), "Sigmoid")
        return (out if is_one(dout, out) else dout * out) * (1 - out)


def _number(x: Any, name: str) -> Any:
    """An input as it is; a list would be repeated by `*` and joined by `+`."""
    if isinstance(x, list | tuple):
        raise TypeError(f"{name}: expected a number or an array, got a {type(x).__name__}; give np.array({name})")
    return x


def _for_output(dout: Any, shape: tuple[int, ...], kind: str) -> Any:
    """A dout that belongs to the output: of its shape, or one number for all its entries."""
    if np.shape(dout) == shape:
        return dout
    if np.shape(dout) != ():
        raise ValueError(f"{kind}.backward(dout): expected the output's shape {shape}, got {np.shape(dout)}")
    return np.broadcast_to(dout, shape)


def _only_where(keep: Any, x: Any) -> Any:
    """x where `keep` is true, else 0; a new array for an array, a number of the same kind for a number."""
    if np.ndim(keep):
        return np.where(keep, x, 0)
    if isinstance(x, int | float | complex):
        return x if keep else type(x)(0)
    return in_kind(np.where(keep, x, 0)[()], x)

"""Layers in a graph: an object with `forward` and `backward` takes part as one node, with its own backward used.

Each call runs on a fresh copy of the object, so one instance may be used many times in one graph. The backward of the
copy is handed a dout of its own, which it may write into. In a derivative of a derivative the layer's forward and backward
are run on Variables, and so are differentiated themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .copies import arrays_in, fresh
from .graph import PICK, Custom, Primitive, plain
from .guards import fingerprint
from .recorder import RECORDER, Recorder
from .recording import differentiated, record
from .variable import Variable


def layer(obj: Any) -> Callable[..., Any]:
    """Let any object with `forward(*inputs)` and `backward(dout)` take part in a graph.

    Args:
        obj: needs no base class. `backward` returns one derivative for each input, each of its input's shape. Attributes
            that hold Variables are parameters: while it runs they hold plain values, and `backward` leaves
            the derivative of an attribute `W` in the attribute `dW`.

    Returns:
        a function of the inputs; keyword arguments go to `forward` as they are.

    Raises:
        TypeError: if it has no forward or backward; when called, if backward returns too few derivatives.
        ValueError: when called, if a derivative has another shape than its input.

    Example:
        >>> import dout
        >>> class Double:
        ...     def forward(self, x):
        ...         return 2 * x
        ...
        ...     def backward(self, dout):
        ...         return 2 * dout
        >>> dout.grad(dout.layer(Double()))(3.0)
        2.0
    """
    for method in ("forward", "backward"):
        if not callable(getattr(obj, method, None)):
            raise TypeError(
                f"layer(obj): {type(obj).__name__} has no {method}(...); a layer needs forward and backward"
            )

    def call(*inputs: Any, **options: Any) -> Any:
        return run(obj, inputs, options)

    call.__name__ = type(obj).__name__
    return call


def run(obj: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Run a layer forward on a fresh copy, and record it as one node if an input or a parameter is a Variable."""
    names = (
        [name for name, value in vars(obj).items() if isinstance(value, Variable)] if hasattr(obj, "__dict__") else []
    )
    parameters = [getattr(obj, name) for name in names]
    if not any(isinstance(v, Variable) for v in (*inputs, *parameters)):
        return fresh(obj).forward(*inputs, **options)
    note = RECORDER.get()
    if note is not None:
        return _recorded(note, obj, inputs, names, parameters, options)
    constants = [x for x in inputs if isinstance(x, np.ndarray)]
    call = _Call(obj, names, len(inputs), constants, options)
    out = record(Primitive(type(obj).__name__, call.forward, joint=call.joint), (*inputs, *parameters), {})
    if isinstance(out._value, tuple):
        return tuple(PICK(out, i=i) for i in range(len(out._value)))
    return out


def _recorded(
    note: Recorder, obj: Any, inputs: tuple[Any, ...], names: list[str], parameters: list[Any], options: dict[str, Any]
) -> Any:
    """In a run that is recorded whole: what forward does is recorded, and the derivative is the layer's own backward."""
    if not any(map(differentiated, (*inputs, *parameters))):
        return fresh(obj).forward(*inputs, **options)
    call = _Call(obj, names, len(inputs), [], options)
    call.recorded = True
    call.fresh = _fresh(obj, names, [plain(p) for p in parameters])
    before = [getattr(call.fresh, name) for name in names]
    given = [plain(x) for x in inputs]
    nodes = [getattr(x, "_node", None) for x in given]
    out = call.fresh.forward(*given, **options)
    if [getattr(x, "_node", None) for x in given] != nodes:
        note.fail(f"{call.name}.forward writes into an input")
    call.state = {n for n, v in zip(names, before, strict=True) if getattr(call.fresh, n, None) is not v}
    n = len(inputs) + len(parameters)
    several = isinstance(out, tuple)
    outs = out if several else (out,)

    def joint(dout: Any, given: Any, *values: Any) -> tuple[Any, ...]:
        return (*call.joint(dout, given, *values[:n]), *([None] * len(outs)))

    whole = record(Custom(call.name, n, several, joint), (*inputs, *parameters, *outs), {})
    return tuple(PICK(whole, i=i) for i in range(len(outs))) if several else whole


class _Call:
    """One call of a layer: the copy that ran, and how it is walked back."""

    def __init__(
        self, obj: Any, names: list[str], n_inputs: int, constants: list[np.ndarray], options: dict[str, Any]
    ) -> None:
        self.obj = fresh(obj)  # as it is now, for derivatives of derivatives
        self.names = names
        self.n_inputs = n_inputs
        self.constants = constants
        self.spares_dout = getattr(obj, "spares_dout", False)
        self.is_ours = type(obj).__module__.startswith(f"{__package__}.")
        self.options = options
        self.recorded = False
        self.shared: list[tuple[str, np.ndarray, int]] = []

    @property
    def name(self) -> str:
        return type(self.obj).__name__

    def forward(self, *values: Any) -> Any:
        inputs, parameters = values[: self.n_inputs], [_distinct(v) for v in values[self.n_inputs :]]
        self.fresh = _fresh(self.obj, self.names, parameters)
        try:
            out = self.fresh.forward(*map(_locked, inputs), **self.options)
        except ValueError as error:
            if "read-only" in str(error):
                error.add_note(
                    f"{self.name}.forward wrote into an input, which belongs to the graph; write into x.copy()"
                )
            raise
        outs = out if isinstance(out, tuple) else (out,)
        for o in outs:
            if isinstance(o, Variable):
                raise TypeError(
                    f"{self.name}.forward returned a Variable though its inputs were plain values: it holds one that is no "
                    "attribute of its own. Hand it to the layer as an input, or as an attribute with its derivative in d<name>."
                )
            if not isinstance(o, np.ndarray | np.generic | int | float | complex):
                raise TypeError(f"{self.name}.forward: expected a number or an array, got {type(o).__name__}")
        # a Variable that forward replaces was remembered from an earlier run by hand, and is no parameter
        self.state = {n for n, v in zip(self.names, parameters, strict=True) if getattr(self.fresh, n, None) is not v}
        self.shared = _shared(self.obj, self.fresh, self.constants)
        return out

    def joint(self, dout: Any, outs: Any, *values: Any) -> tuple[Any, ...]:
        linked = self.recorded or any(isinstance(o, Variable) for o in (outs if isinstance(outs, list) else [outs]))
        self._hold_unchanged()
        if linked:  # a derivative of a derivative: differentiate the layer's own code
            obj = _fresh(self.obj, self.names, values[self.n_inputs :])
            obj.forward(*values[: self.n_inputs], **self.options)
        else:
            obj = self.fresh
        if not self.spares_dout:
            dout = tuple(map(_own, dout)) if isinstance(dout, list) else _own(dout)
        found = obj.backward(dout)
        if found is None:
            raise TypeError(f"{self.name}.backward returned None; did it forget its return?")
        found = found if isinstance(found, tuple | list) else (found,)
        if len(found) != self.n_inputs:
            raise TypeError(
                f"{self.name}.backward: expected {self.n_inputs} derivative{'s' * (self.n_inputs != 1)}, one for each "
                f"input, got {len(found)}"
            )
        ds = [*found, *(self._of_parameter(obj, name) for name in self.names)]
        what = [f"derivative {i}" for i in range(self.n_inputs)] + [f"d{name}" for name in self.names]
        for d, value, said in zip(ds, values, what, strict=True):
            if not _is_derivative(d):
                kind = f"an array of {d.dtype}" if isinstance(d, np.ndarray) else type(d).__name__
                raise TypeError(f"{self.name}.backward: {said} has to be a number or an array of them, got {kind}")
            if d is not None and np.shape(d) != np.shape(value):
                raise ValueError(
                    f"{self.name}.backward: {said} has shape {np.shape(d)}, its input has shape {np.shape(value)}; "
                    "where an input was broadcast, its derivative is summed over those axes"
                )
        if self.is_ours:
            return tuple(ds)
        return tuple(map(_own, ds))  # others may keep what they return, and write to it again

    def _of_parameter(self, obj: Any, name: str) -> Any:
        if name in self.state:
            return None
        try:
            return getattr(obj, f"d{name}")
        except AttributeError:
            raise TypeError(
                f"{self.name}.backward: its attribute {name} holds a Variable, so backward has to leave the "
                f"derivative in self.d{name}"
            ) from None

    def _hold_unchanged(self) -> None:
        for path, array, digest in self.shared:
            if fingerprint(array) != digest:
                raise RuntimeError(
                    f"{self.name}: its attribute {path} was written to after forward ran, so backward would be wrong. "
                    "Let forward keep a copy of what backward needs."
                )


def _fresh(obj: Any, names: Sequence[str] = (), values: Sequence[Any] = ()) -> Any:
    """A copy with state of its own, and these attributes."""
    new = fresh(obj)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(new, name, value)
    return new


def _is_derivative(d: Any) -> bool:
    if isinstance(d, np.ndarray | np.generic):
        return d.dtype.kind in "fciub"
    return d is None or isinstance(d, Variable | int | float | complex)


def _distinct(value: Any) -> Any:
    """The same value as an object of its own, so that it can be told whether an attribute was replaced."""
    if isinstance(value, np.ndarray):
        return value.view()
    return value.copy() if isinstance(value, np.generic) else value * 1.0


def _locked(value: Any) -> Any:
    """A view that forward can't write through: it belongs to the graph."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


def _own(dout: Any) -> Any:
    """A dout that backward may write into, which the walk may have handed to others too."""
    return np.array(dout)[()] if isinstance(dout, np.ndarray | np.generic) else dout


def _shared(obj: Any, used: Any, constants: list[np.ndarray]) -> list[tuple[str, np.ndarray, int]]:
    """Arrays that others can write to, with fingerprints: those of the object itself, and plain inputs that were kept."""
    own = {id(array) for _, array in arrays_in(obj)}
    if not own and not constants:
        return []
    return [
        (path, array, fingerprint(array))
        for path, array in arrays_in(used)
        if id(array) in own or any(np.may_share_memory(x, array) for x in constants)
    ]

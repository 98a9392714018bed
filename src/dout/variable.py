"""Variable: what user code holds in place of an array, so that each NumPy operation on it is recorded.

A Variable is a handle: it has a value and points at the Node that made it. Writing into it (`x[0] = v`, `x += y`)
makes a new Node and re-points the handle, so the graph itself never changes. NumPy finds its way here by its own
protocols: operators, `__array_ufunc__` and `__array_function__`; `recording.py` says what happens then.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from .backprop import backward
from .conversions import WaysOut
from .errors import loses_derivative, not_differentiable, unsupported
from .graph import Leaf, Primitive
from .layout import laid_out_alike, replica
from .looking import Looking
from .methods import ArrayMethods
from .objects import InObjectArrays, as_objects, handed_out
from .recording import (
    Handle,
    MeetsExample,
    binary,
    fixed,
    is_of_example,
    joined,
    kind_of,
    record,
    run_flat,
    unary,
    use,
    values_of,
    view_of,
)
from .rules import FLAT, FUNCTIONS, UFUNCS
from .rules.elementwise import astype
from .rules.indexing import getitem, write
from .rules.ufuncs import call_method, call_with_options, store
from .storage import Storage

#: Functions that write into their first argument.
_WRITERS = {np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal}
#: Functions that write to a file.
_SAVERS = {np.save, np.savez, np.savez_compressed, np.savetxt}
_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE = UFUNCS[np.add], UFUNCS[np.subtract], UFUNCS[np.multiply], UFUNCS[np.divide]
_POWER, _REMAINDER = UFUNCS[np.power], UFUNCS[np.remainder]
_NEGATIVE, _POSITIVE, _ABSOLUTE = UFUNCS[np.negative], UFUNCS[np.positive], UFUNCS[np.absolute]


class Variable(Handle, ArrayMethods, Storage, InObjectArrays, WaysOut):
    """A value whose derivatives can be asked for.

    Args:
        value: a float or complex number, or an array of them; ints and bools raise, because nothing smooth can be
            asked of them.
        name: what pictures call it.

    Example:
        >>> x = Variable(3.0)
        >>> y = x * x + 2.0
        >>> y.backward()
        >>> x.grad
        6.0
    """

    __slots__ = ()

    # NumPy's scalars and arrays leave operations with a Variable to the Variable.
    __array_priority__ = 1000.0

    def __init__(self, value: Any, name: str | None = None) -> None:
        if isinstance(value, Variable):
            raise TypeError("Variable(value): value is a Variable already; use it as it is, or its .value")
        problem = not_differentiable(value)
        if problem:
            raise TypeError(f"Variable(value): {problem}")
        self._value = value = replica(value) if isinstance(value, ndarray) else value  # the caller may write to his own
        self._leaf = Leaf(value, None, None, name)
        self._node = self._leaf

    @property
    def value(self) -> Any:
        """The plain number or array, without a derivative. An array is a read-only view: to change it, assign a new one."""
        value = self._value
        if type(value) is ndarray:
            value = value.view()
            value.flags.writeable = False
        return value

    @value.setter
    def value(self, value: Any) -> None:
        leaf: Leaf | None = getattr(self, "_leaf", None)
        if leaf is None or self._node is not leaf:
            raise AttributeError(
                "value can be assigned only to a Variable made by Variable(...); write v[...] = new instead"
            )
        grad, name = leaf.grad, leaf.name
        Variable.__init__(self, value, name)
        self._leaf.grad = grad

    @property
    def grad(self) -> Any:
        """The derivative that `backward()` found, or None. Only a Variable made by `Variable(...)` collects one."""
        leaf = getattr(self, "_leaf", None)
        return None if leaf is None else leaf.grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if getattr(self, "_leaf", None) is None:
            raise AttributeError("grad can be assigned only to a Variable made by Variable(...)")
        self._leaf.grad = grad

    @property
    def name(self) -> str | None:
        leaf = getattr(self, "_leaf", None)
        return None if leaf is None else leaf.name

    def backward(self, dout: Any = None) -> None:
        """Walk back from here, and add each leaf's derivative to its `grad`.

        Args:
            dout: the derivative with respect to this Variable, of its shape; 1 if it is a single number.

        Raises:
            ValueError: if it is an array and no dout was given, or dout has another shape.
            RuntimeError: if it belongs to a `dout.grad` call that has finished.
        """
        backward(self, dout)

    # Protocols

    @staticmethod
    def __dout_record__(op: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        return record(op, args, params)

    def __dout_plain__(self) -> Any:
        return self._value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            if not options:
                op = UFUNCS.get(ufunc)
                if op is not None:
                    if len(inputs) == 1:
                        return unary(op, ufunc, self)
                    return binary(op, ufunc, *inputs) if len(inputs) == 2 else record(op, inputs, {})
            if ufunc in FLAT and options.get("where", True) is True:
                out = options.pop("out", None)
                result = run_flat(ufunc, inputs, options)
                return result if out is None else store(result, out)
            if ufunc in FLAT or ufunc in UFUNCS or ufunc in FUNCTIONS:
                return call_with_options(ufunc, inputs, options) if options else FUNCTIONS[ufunc](*inputs)
            if _is_special(ufunc):
                from .rules import special  # noqa: F401  it imports SciPy, which the caller has done already

                if ufunc in UFUNCS or ufunc in FLAT:
                    return self.__array_ufunc__(ufunc, method, *inputs, **options)
            if set("".join(ufunc.types)) <= set("O->"):  # one made by np.frompyfunc: Python code, entry by entry
                out = ufunc(*[as_objects(x, None) if isinstance(x, Variable) else x for x in inputs], **options)
                return tuple(map(joined, out)) if isinstance(out, tuple) else joined(out)
            name = ufunc.__name__
            raise unsupported(f"np.{name}" if getattr(np, name, None) is ufunc else name)
        return call_method(ufunc, method, inputs, options)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        run = FUNCTIONS.get(function)
        if run is None:
            if function in FLAT:
                return run_flat(function, args, kwargs)
            if function in _WRITERS and not isinstance(args[0], Variable):
                raise loses_derivative(f"writing a Variable into a plain array by np.{function.__name__}")
            if function in _SAVERS:
                raise loses_derivative(f"np.{function.__name__}(v)")
            raise unsupported(f"{function.__module__.replace('numpy', 'np')}.{function.__name__}")
        out = kwargs.pop("out", None) if kwargs else None
        return run(*args, **kwargs) if out is None else store(run(*args, **kwargs), out)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._node is None:
            return np.array(self._value, dtype)
        return handed_out(self, dtype)

    # Operators

    def __add__(self, other: Any) -> Any:
        return binary(_ADD, operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return binary(_ADD, operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return binary(_SUBTRACT, operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary(_SUBTRACT, operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return binary(_MULTIPLY, operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary(_MULTIPLY, operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary(_DIVIDE, operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary(_DIVIDE, operator.truediv, other, self)

    def __pow__(self, other: Any) -> Any:
        return binary(_POWER, operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return binary(_POWER, operator.pow, other, self)

    def __mod__(self, other: Any) -> Any:
        return binary(_REMAINDER, operator.mod, self, other)

    def __rmod__(self, other: Any) -> Any:
        return binary(_REMAINDER, operator.mod, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return run_flat(operator.floordiv, (self, other), {})

    def __rfloordiv__(self, other: Any) -> Any:
        return run_flat(operator.floordiv, (other, self), {})

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __matmul__(self, other: Any) -> Any:
        return np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return np.matmul(other, self)

    def __neg__(self) -> Any:
        return unary(_NEGATIVE, operator.neg, self)

    def __pos__(self) -> Any:
        return unary(_POSITIVE, operator.pos, self)

    def __abs__(self) -> Any:
        return unary(_ABSOLUTE, operator.abs, self)

    # In place: an array is written to, so that every name and view of it sees the change; a number is replaced.

    def __iadd__(self, other: Any) -> Any:
        return self._in_place(self + other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(self - other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place(self * other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place(self / other)

    def __ipow__(self, other: Any) -> Any:
        return self._in_place(self**other)

    def __imod__(self, other: Any) -> Any:
        return self._in_place(self % other)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._in_place(self // other)

    def __imatmul__(self, other: Any) -> Any:
        return self._in_place(self @ other)

    def _in_place(self, result: Any) -> Any:
        here = self._value
        if type(here) is not ndarray:
            return result
        if np.shape(result) != here.shape:
            raise ValueError(f"in-place operation: the result has shape {np.shape(result)}, the array {here.shape}")
        if not np.can_cast(result.dtype, here.dtype, "same_kind"):
            raise TypeError(f"in-place operation: cannot cast {result.dtype} to the array's {here.dtype}")
        self._become(result if result.dtype == here.dtype else astype(result, dtype=here.dtype))
        return self

    def _become(self, new: Any) -> None:
        """Point at a new value and node."""
        if is_of_example(new) and not is_of_example(self):
            raise MeetsExample(
                "a Variable from outside of a function under dout.vmap is written to with a mapped value"
            )
        old, value = self._value, np.asarray(new._value if isinstance(new, Handle) else new)
        self._value = value if value.strides == old.strides else laid_out_alike(old, value)
        self._node = node = new._node if isinstance(new, Variable) else None
        if type(self) is Variable:
            self.__class__ = kind_of(node)  # a constant that was written to becomes part of the run

    # Indexing

    def __getitem__(self, key: Any) -> Any:
        try:
            return record(getitem, (self,), {"key": fixed(key), "shape": np.shape(self._value)})
        except MeetsExample:
            from .mapped import lifted  # which stands above

            return lifted(self)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        here = self._value
        if type(here) is not ndarray:
            raise TypeError(f"'{type(here).__name__}' object does not support item assignment")
        if isinstance(value, Variable) and not np.can_cast(value.dtype, here.dtype, "same_kind"):
            raise TypeError(
                f"x[...] = value: cannot cast {value.dtype} to the array's {here.dtype} without losing a derivative"
            )
        how = {"key": fixed(key), "shape": here.shape}
        self._become(write(self, joined(value), through=getitem, how=how))

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Any:
        if not np.ndim(self._value):
            raise TypeError("iteration over a 0-d Variable")
        return (self[i] for i in range(len(self._value)))

    def __contains__(self, item: Any) -> bool:
        return values_of(item) in self._value

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """A copy in another floating dtype. Integers carry no derivative: ask for `v.value.astype(int)`."""
        dtype = np.dtype(dtype)
        if not copy and dtype == self.dtype:
            return self
        if dtype.kind not in "fc":
            return self._leaving(f"v.astype({dtype})").astype(dtype)
        return astype(self, dtype=dtype)

    def sort(self, axis: int = -1, kind: Any = None) -> None:
        self[...] = np.sort(self, axis, kind)

    def fill(self, value: Any) -> None:
        self[...] = value


def _is_special(ufunc: np.ufunc) -> bool:
    """Whether it is one of SciPy's."""
    rooms = (sys.modules.get(name) for name in ("scipy.special", "scipy.special._ufuncs"))
    return any(getattr(room, ufunc.__name__, None) is ufunc for room in rooms)


class Traced(Looking, Variable):
    """A Variable whose operations remember every value, for graphs that are looked at."""

    __slots__ = ()


class View(Variable):
    """A Variable that sees a part of another's memory, as NumPy's views do.

    Its value and node are those of the operation on the parent as it is now; a write goes through to the parent.
    """

    __slots__ = ("_how", "_op", "_own_node", "_own_value", "_parent", "_seen")

    def __init__(
        self, parent: Variable, op: Primitive, how: Mapping[str, Any], seen: Any, value: Any, node: Any
    ) -> None:
        self._parent = parent
        self._op = op
        self._how = how
        self._seen = seen
        self._own_value = value
        self._own_node = node

    def _look(self) -> None:
        """See the parent's newest value. Every write gives the parent another array, so its identity tells."""
        if self._parent._value is not self._seen:
            now = record(self._op, (self._parent,), dict(self._how))
            self._own_value, self._own_node, self._seen = now._value, now._node, self._parent._value
            if type(self) is View:
                self.__class__ = view_of(now._node)

    # A common Variable has these two as they are; here they are looked up, which its users don't notice.
    @property
    def _value(self) -> Any:
        self._look()
        return self._own_value

    @property
    def _node(self) -> Any:  # type: ignore[override]
        self._look()
        return self._own_node

    def _become(self, new: Any) -> None:
        if self._op.read_only:
            raise ValueError("assignment destination is read-only")
        self._parent._become(write(self._parent, new, through=self._op, how=self._how))


class TracedView(Looking, View):
    """A view whose operations remember every value."""

    __slots__ = ()


use(Variable, View, Traced, TracedView)

"""Variable: what user code holds in place of an array, so that each NumPy operation on it is recorded.

A Variable is a handle: it has a value and points at the Node that made it. Writing into it (`x[0] = v`, `x += y`)
makes a new Node and re-points the handle, so the graph itself never changes. NumPy finds its way here by its own
protocols: operators, `__array_ufunc__` and `__array_function__`. The two functions `binary` and `unary` are the fast way;
`record` is the general one, and says the same in fewer words.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from .errors import loses_derivative, not_differentiable, unsupported
from .graph import NO_PARAMS, Leaf, Node, Primitive, TracedLeaf, TracedNode, form, next_serial
from .guards import SMALL, fingerprint, hold
from .methods import ArrayMethods
from .rules import FLAT, FUNCTIONS, UFUNCS
from .rules.elementwise import astype
from .rules.indexing import getitem, write
from .rules.ufuncs import call_method, call_with_options, store

_new = object.__new__


class Variable(ArrayMethods):
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

    __slots__ = ("_leaf", "_node", "_value")

    _value: Any
    _node: Node | None
    _leaf: Leaf

    # NumPy's scalars and arrays leave operations with a Variable to the Variable.
    __array_priority__ = 1000.0

    def __init__(self, value: Any, name: str | None = None) -> None:
        if isinstance(value, Variable):
            raise TypeError("Variable(value): value is a Variable already; use it as it is, or its .value")
        problem = not_differentiable(value)
        if problem:
            raise TypeError(f"Variable(value): {problem}")
        self._value = value = value.copy() if isinstance(value, ndarray) else value  # the caller may write to his own
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
        from .backprop import backward  # the walk stands above the handle; this method is only its short name

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
                    return unary(op, ufunc, self) if len(inputs) == 1 else binary(op, ufunc, *inputs)
            if ufunc in FLAT:
                out = options.pop("out", None)
                result = _run_flat(ufunc, inputs, options)
                return result if out is None else store(result, out)
            if ufunc in UFUNCS or ufunc in FUNCTIONS:
                return call_with_options(ufunc, inputs, options) if options else FUNCTIONS[ufunc](*inputs)
            raise unsupported(f"np.{ufunc.__name__}")
        return call_method(ufunc, method, inputs, options)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        run = FUNCTIONS.get(function)
        if run is None:
            if function in FLAT:
                return _run_flat(function, args, kwargs)
            if function in _WRITERS and not isinstance(args[0], Variable):
                raise loses_derivative(f"writing a Variable into a plain array by np.{function.__name__}")
            raise unsupported(f"{function.__module__.replace('numpy', 'np')}.{function.__name__}")
        out = kwargs.pop("out", None) if kwargs else None
        return run(*args, **kwargs) if out is None else store(run(*args, **kwargs), out)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._node is None:
            return np.array(self._value, dtype)
        raise loses_derivative("turning a Variable into a plain NumPy array")

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
        return _run_flat(operator.floordiv, (self, other), {})

    def __rfloordiv__(self, other: Any) -> Any:
        return _run_flat(operator.floordiv, (other, self), {})

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

    # Comparisons give plain bools: they have no derivative, and Python's control flow needs them.

    def __lt__(self, other: Any) -> Any:
        return self._value < _plain(other)

    def __le__(self, other: Any) -> Any:
        return self._value <= _plain(other)

    def __gt__(self, other: Any) -> Any:
        return self._value > _plain(other)

    def __ge__(self, other: Any) -> Any:
        return self._value >= _plain(other)

    def __eq__(self, other: Any) -> Any:
        return self._value == _plain(other)

    def __ne__(self, other: Any) -> Any:
        return self._value != _plain(other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._value)

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
        self._value = np.asarray(_plain(new))
        self._node = new._node if isinstance(new, Variable) else None

    # Indexing

    def __getitem__(self, key: Any) -> Any:
        return record(getitem, (self,), {"key": _fixed(key), "shape": np.shape(self._value)})

    def __setitem__(self, key: Any, value: Any) -> None:
        here = self._value
        if type(here) is not ndarray:
            raise TypeError(f"'{type(here).__name__}' object does not support item assignment")
        if not here.flags.writeable and type(self) is View:
            raise ValueError("assignment destination is read-only")
        if isinstance(value, Variable) and not np.can_cast(value.dtype, here.dtype, "same_kind"):
            raise TypeError(
                f"x[...] = value: cannot cast {value.dtype} to the array's {here.dtype} without losing a derivative"
            )
        how = {"key": _fixed(key), "shape": here.shape}
        self._become(write(self, _join(value), through=getitem, how=how))

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Any:
        if not np.ndim(self._value):
            raise TypeError("iteration over a 0-d Variable")
        return (self[i] for i in range(len(self._value)))

    def __contains__(self, item: Any) -> bool:
        return _plain(item) in self._value

    # Ways out of the graph lose the derivative, so they are asked for by name.

    def __float__(self) -> float:
        return float(self._leaving("float(v)"))

    def __int__(self) -> int:
        return int(self._leaving("int(v)"))

    def __complex__(self) -> complex:
        return complex(self._leaving("complex(v)"))

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self._value, ndigits)  # flat, as are the next three: no derivative is lost

    def __trunc__(self) -> int:
        return math.trunc(self._value)

    def __floor__(self) -> int:
        return math.floor(self._value)

    def __ceil__(self) -> int:
        return math.ceil(self._value)

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return make, (self._leaving("pickling a Variable"), None)

    def __index__(self) -> int:
        return operator.index(self._value)  # only an integer has one, and it carries no derivative

    def item(self, *args: Any) -> Any:
        return np.asarray(self._leaving("v.item()")).item(*args)

    def tolist(self) -> Any:
        return np.asarray(self._leaving("v.tolist()")).tolist()

    def _leaving(self, how: str) -> Any:
        if self._node is not None:
            raise loses_derivative(how)
        return self._value

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """A copy in another floating dtype. Integers carry no derivative: ask for `v.value.astype(int)`."""
        dtype = np.dtype(dtype)
        if dtype.kind not in "fc":
            return self._leaving(f"v.astype({dtype})").astype(dtype)
        return astype(self, dtype=dtype)

    def fill(self, value: Any) -> None:
        self[...] = value

    # How it looks

    def __repr__(self) -> str:
        return f"Variable({self._value!r})" if self.name is None else f"Variable({self._value!r}, name={self.name!r})"

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec)


class Traced(Variable):
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

    @property
    def _value(self) -> Any:
        self._look()
        return self._own_value

    @property
    def _node(self) -> Any:
        self._look()
        return self._own_node

    def _become(self, new: Any) -> None:
        self._parent._become(write(self._parent, new, through=self._op, how=self._how))


def make(value: Any, node: Node | None) -> Variable:
    """A handle for a value that a node made."""
    v: Variable = _new(Traced if isinstance(node, TracedNode | TracedLeaf) else Variable)
    v._value = value
    v._node = node
    return v


def record(op: Primitive, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """Run an operation on the values of its inputs, and record it if one of them is tracked."""
    values = [a._value if isinstance(a, Variable) else a for a in args]
    for value in values:
        if type(value) is not ndarray and isinstance(value, ndarray):
            _hold_plain(value)
    out = op.forward(*values, **params)
    parents = tuple([a._node if isinstance(a, Variable) else None for a in args])
    tracked = tuple([p is not None for p in parents])
    node = None
    if True in tracked:
        node = _node(op, parents, tracked, values, out, params)
    if op.view and type(out) is ndarray and type(values[0]) is ndarray and out.base is not None:
        base = values[0].base
        if out.base is values[0] or (base is not None and out.base is base):
            return View(args[0], op, params, values[0], out, node)
    return make(out, node)


def _node(
    op: Primitive, parents: tuple[Node | None, ...], tracked: tuple[bool, ...], values: list[Any], out: Any, params: Any
) -> Node:
    keep_args, keep_out = op.keeps(tracked)
    guards: tuple[tuple[int, int], ...] | None = None
    kept = []
    for i, (value, keep, known) in enumerate(zip(values, keep_args, tracked, strict=True)):
        if keep and not known:
            value, digest = hold(value)
            if digest is not None:
                guards = (*(guards or ()), (i, digest))
        kept.append(value if keep else None)
    rest = tuple(kept), out if keep_out else None, params, form(out), guards
    if any(isinstance(p, TracedNode | TracedLeaf) for p in parents):
        traced = TracedNode()
        traced.value, traced.given = out, tuple(values)
        return traced.fill(op, parents, *rest)
    return Node().fill(op, parents, *rest)


def unary(op: Primitive, run: Callable[..., Any], x: Variable) -> Any:
    """`record` for one input, in a hurry."""
    if type(x) is not Variable:
        return record(_running(op, run), (x,), NO_PARAMS)
    value, parent = x._value, x._node
    out = run(value)
    v: Variable = _new(Variable)
    v._value = out
    if parent is None:
        v._node = None
        return v
    (keep,), keep_out = op.only
    v._node = node = Node()
    node.op = op
    node.parents = (parent,)
    node.args = (value if keep else None,)
    node.out = out if keep_out else None
    node.params = NO_PARAMS
    if type(out) is ndarray:
        node.shape, node.dtype = out.shape, out.dtype
    else:
        node.shape, node.dtype = form(out)
    node.guards = None
    node.serial = next_serial()
    return v


def binary(op: Primitive, run: Callable[..., Any], x: Any, y: Any) -> Any:
    """`record` for two inputs, in a hurry, where they are of the common types."""
    tx, ty = type(x), type(y)
    if tx is Variable:
        a, m = x._value, x._node
        if ty is Variable:
            b, n = y._value, y._node
        elif ty in _COMMON:
            b, n = y, None
        else:
            return _binary(op, run, x, y)
    elif ty is Variable and tx in _COMMON:
        a, m, b, n = x, None, y._value, y._node
    else:
        return _binary(op, run, x, y)
    out = run(a, b)
    v: Variable = _new(Variable)
    v._value = out
    guards = None
    if n is None:
        if m is None:
            v._node = None
            return v
        (keep_a, keep_b), keep_out = op.first
        if ty is not ndarray:
            keep_b = True  # a number costs nothing, and pictures show it
        elif keep_b:
            if b.nbytes <= SMALL:
                b = b.copy()
            else:
                guards = ((1, fingerprint(b)),)
    elif m is None:
        (keep_a, keep_b), keep_out = op.second
        if tx is not ndarray:
            keep_a = True
        elif keep_a:
            if a.nbytes <= SMALL:
                a = a.copy()
            else:
                guards = ((0, fingerprint(a)),)
    else:
        (keep_a, keep_b), keep_out = op.both
    v._node = node = Node()
    node.op = op
    node.parents = (m, n)
    node.args = (a if keep_a else None, b if keep_b else None)
    node.out = out if keep_out else None
    node.params = NO_PARAMS
    if type(out) is ndarray:
        node.shape, node.dtype = out.shape, out.dtype
    else:
        node.shape, node.dtype = form(out)
    node.guards = guards
    node.serial = next_serial()
    return v


def _binary(op: Primitive, run: Callable[..., Any], x: Any, y: Any) -> Any:
    x, y = _join(x), _join(y)
    if not (_is_operand(x) and _is_operand(y)):
        return NotImplemented
    return record(_running(op, run), (x, y), NO_PARAMS)


def _running(op: Primitive, run: Callable[..., Any]) -> Primitive:
    """The same operation run by Python's operator, so that Python's numbers stay Python's."""
    if run is op.forward:
        return op
    found = _OPERATORS.get(op)
    if found is None:
        found = _OPERATORS[op] = Primitive(op.name, run, op.pullbacks, elementwise=True)
    return found


#: Functions that write into their first argument.
_WRITERS = {np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal}
_COMMON = frozenset((float, int, ndarray, np.float64, np.float32))
_OPERATORS: dict[Primitive, Primitive] = {}
_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE = UFUNCS[np.add], UFUNCS[np.subtract], UFUNCS[np.multiply], UFUNCS[np.divide]
_POWER, _REMAINDER = UFUNCS[np.power], UFUNCS[np.remainder]
_NEGATIVE, _POSITIVE, _ABSOLUTE = UFUNCS[np.negative], UFUNCS[np.positive], UFUNCS[np.absolute]


def _is_operand(x: Any) -> bool:
    return isinstance(x, Variable | ndarray | np.generic | int | float | complex)


def _hold_plain(x: ndarray) -> None:
    """Refuse arrays with arithmetic of their own, such as masked arrays and matrices: the rules are not for them."""
    if type(x).__mul__ is not ndarray.__mul__:
        raise TypeError(
            f"a {type(x).__name__} has arithmetic of its own, for which dout has no rules; give np.asarray(a), "
            "or for a masked array np.where(mask, 0, a)"
        )


def _join(value: Any) -> Any:
    """A list or tuple as an array, also if it holds Variables."""
    if not isinstance(value, list | tuple):
        return value
    if any(isinstance(v, Variable | list | tuple) for v in value):
        return np.stack([_join(v) for v in value])
    return np.asarray(value)


def _plain(x: Any) -> Any:
    """The values of Variables in an argument, which may be a list or tuple of them."""
    if isinstance(x, Variable):
        return x._value
    if isinstance(x, list | tuple):
        return type(x)(_plain(v) for v in x) if type(x) in (list, tuple) else x
    return x


def _fixed(key: Any) -> Any:
    """An index that later changes to the user's own index arrays do not reach."""
    if isinstance(key, tuple):
        return tuple(_fixed(k) for k in key)
    if isinstance(key, Variable):
        return key._value  # an integer one indexes; NumPy refuses a float one
    if isinstance(key, list):
        return np.array(key, dtype=None if key else int)
    return key.copy() if isinstance(key, ndarray) else key


def _run_flat(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a function that carries no derivative on the values; what is floating can be computed with and written to."""
    out = function(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})
    return (
        make(out, None) if isinstance(out, ndarray | np.generic | float) and np.result_type(out).kind in "fc" else out
    )

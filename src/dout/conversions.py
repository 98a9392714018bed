"""Ways out of the graph: comparisons and conversions of a Variable, and how it looks.

Comparisons, rounding and printing carry no derivative and just work. What would lose one, such as `float(v)`, raises.
"""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

import numpy

from .errors import loses_derivative
from .graph import Node
from .recording import make, values_of

#: Typed loosely, because NumPy's stubs don't know that its functions take a Variable.
np: Any = numpy


#: How any object is made one of another class.
_become: Any = vars(object)["__class__"].__set__


class RealNumber:
    """What `v.__class__` says of a Variable that holds one real number, for `isinstance(v, numbers.Number)`."""

    __slots__ = ()


class ComplexNumber:
    """The same for a complex number."""

    __slots__ = ()


numbers.Real.register(RealNumber)
numbers.Complex.register(ComplexNumber)
_NUMBERS: dict[type, type] = {
    float: RealNumber, np.float16: RealNumber, np.float32: RealNumber, np.float64: RealNumber,
    np.longdouble: RealNumber, complex: ComplexNumber, np.complex64: ComplexNumber, np.complex128: ComplexNumber,
    np.clongdouble: ComplexNumber,
}  # fmt: skip


class WaysOut:
    """What turns a Variable into something that isn't one."""

    __slots__ = ()

    _value: Any
    _node: Node | None

    # isinstance asks for this where the type itself doesn't answer. Python's abstract classes of numbers then know a
    # Variable of a number for one; and what its type is, `type(v)` still tells.

    @property
    def __class__(self) -> Any:
        return _NUMBERS.get(type(self._value), type(self))

    @__class__.setter
    def __class__(self, kind: type) -> None:
        _become(self, kind)

    # Comparisons give plain bools: they have no derivative, and Python's control flow needs them.

    def __lt__(self, other: Any) -> Any:
        return self._value < values_of(other)

    def __le__(self, other: Any) -> Any:
        return self._value <= values_of(other)

    def __gt__(self, other: Any) -> Any:
        return self._value > values_of(other)

    def __ge__(self, other: Any) -> Any:
        return self._value >= values_of(other)

    def __eq__(self, other: Any) -> Any:
        return self._value == values_of(other)

    def __ne__(self, other: Any) -> Any:
        return self._value != values_of(other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._value)

    # Ways out of the graph lose the derivative, so they are asked for by name.

    def __float__(self) -> float:
        return float(self._leaving("float(v)"))

    def __int__(self) -> int:
        return int(self._leaving("int(v)"))

    def __complex__(self) -> complex:
        return complex(self._leaving("complex(v)"))

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self._value, ndigits)  # flat, as are the next three: no derivative is lost

    def __trunc__(self) -> Any:
        return math.trunc(self._value)

    def __floor__(self) -> Any:
        return math.floor(self._value)

    def __ceil__(self) -> Any:
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

    # How it looks

    def __repr__(self) -> str:
        name = getattr(self, "name", None)
        return f"Variable({self._value!r})" if name is None else f"Variable({self._value!r}, name={name!r})"

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec)

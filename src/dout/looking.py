"""What Python learns of a traced value: comparisons, truth, roundings, plain values. Each is told to the witness.

They carry no derivative, and yet the run depends on them: with another input, `if x > 0` may go another way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .rules import FLAT
from .tree import flatten
from .witness import look

#: Functions that tell of the form of a value, not of its numbers: the same for all inputs of that form.
_OF_FORM = {
    np.array2string, np.array_repr, np.array_str, np.can_cast, np.common_type, np.empty_like, np.iscomplexobj,
    np.isfortran, np.isrealobj, np.may_share_memory, np.min_scalar_type, np.ndim, np.ones_like, np.result_type, np.shape,
    np.shares_memory, np.size, np.zeros_like,
}  # fmt: skip
#: The others that carry no derivative; np.sign is written in terms of others.
_TOLD = (FLAT | {np.sign}) - _OF_FORM
#: Those that choose or arrange by plain values, so that nothing else tells of it.
_BY_VALUES = {
    np.frexp, np.histogram, np.histogram2d, np.histogramdd, np.interp, np.intersect1d, np.modf, np.nancumprod, np.nancumsum,
    np.nanmax, np.nanmean, np.nanmin, np.nanprod, np.nanstd, np.nansum, np.nanvar, np.partition, np.poly, np.polydiv, np.roots,
    np.setdiff1d, np.setxor1d, np.trim_zeros, np.union1d, np.unique, np.unique_all, np.unique_counts, np.unique_inverse,
    np.unique_values, np.unwrap, np.lexsort,
}  # fmt: skip
#: NumPy's comparisons by the names of Python's.
_SIGNS: dict[Any, str] = {
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
    np.equal: "==",
    np.not_equal: "!=",
}


class Looking:
    """Beside a class of Variables: it computes the same, and tells what Python learns."""

    __slots__ = ()

    def __lt__(self, other: Any) -> Any:
        return look("<", (self, other), super().__lt__(other))  # type: ignore[misc]

    def __le__(self, other: Any) -> Any:
        return look("<=", (self, other), super().__le__(other))  # type: ignore[misc]

    def __gt__(self, other: Any) -> Any:
        return look(">", (self, other), super().__gt__(other))  # type: ignore[misc]

    def __ge__(self, other: Any) -> Any:
        return look(">=", (self, other), super().__ge__(other))  # type: ignore[misc]

    def __eq__(self, other: Any) -> Any:
        return look("==", (self, other), super().__eq__(other))

    def __ne__(self, other: Any) -> Any:
        return look("!=", (self, other), super().__ne__(other))

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return look("bool", (self,), super().__bool__())  # type: ignore[misc, no-any-return]

    def __index__(self) -> int:
        return look("int", (self,), super().__index__())  # type: ignore[misc, no-any-return]

    def __round__(self, ndigits: int | None = None) -> Any:
        return look("round", (self,), super().__round__(ndigits), {"ndigits": ndigits})  # type: ignore[misc]

    def __trunc__(self) -> Any:
        return look("trunc", (self,), super().__trunc__())  # type: ignore[misc]

    def __floor__(self) -> Any:
        return look("floor", (self,), super().__floor__())  # type: ignore[misc]

    def __ceil__(self) -> Any:
        return look("ceil", (self,), super().__ceil__())  # type: ignore[misc]

    def __contains__(self, item: Any) -> bool:
        return look("in", (item, self), super().__contains__(item))  # type: ignore[misc, no-any-return]

    def __floordiv__(self, other: Any) -> Any:
        return look("floor_divide", (self, other), super().__floordiv__(other))  # type: ignore[misc]

    def __rfloordiv__(self, other: Any) -> Any:
        return look("floor_divide", (other, self), super().__rfloordiv__(other))  # type: ignore[misc]

    @property
    def value(self) -> Any:
        """The plain number or array, without a derivative."""
        return look("value", (self,), super().value)  # type: ignore[misc]

    @value.setter
    def value(self, value: Any) -> None:
        super(Looking, type(self)).value.fset(self, value)  # type: ignore[misc]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        result = super().__array_ufunc__(ufunc, method, *inputs, **options)  # type: ignore[misc]
        if ufunc in _BY_VALUES:
            look(ufunc.__name__, inputs, None, options)
        elif method == "__call__" and ufunc in _TOLD:
            look(_SIGNS.get(ufunc, ufunc.__name__), inputs, result, options)
        return result

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(function, types, args, kwargs)  # type: ignore[misc]
        if function in _BY_VALUES:
            variables = [v for v in flatten((args, kwargs))[0] if isinstance(v, Looking)]
            for v in variables:
                look(function.__name__, (v,), None)
        elif function in _TOLD:
            look(function.__name__, args, result, kwargs or {})
        return result

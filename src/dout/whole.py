"""What a Variable of a run that is recorded whole has beside other Variables: nothing leaves it without being seen."""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy

from .conversions import WaysOut
from .graph import NO_PARAMS
from .objects import as_objects
from .recorded_calls import called, flat_operator, recorder, split, values
from .recorded_ops import INT, STOP, TRUTH, constant, flat_op, gather, replace
from .recording import Handle, joined, record
from .rules import FLAT, FUNCTIONS, UFUNCS
from .rules.elementwise import astype
from .rules.indexing import getitem
from .rules.ufuncs import store
from .tree import flatten
from .variable import _SAVERS, _WRITERS
from .witness import is_users

np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable

#: How a Variable says what it is (`isinstance` asks for that where the type itself doesn't answer).
_CLASS: Any = vars(WaysOut)["__class__"]
#: Files that ask what a value is for those who call them.
_DISPATCH = {functools.__file__, "<frozen abc>"}
#: Functions that tell of the form of a value, the same for all runs of one recording.
_OF_FORM = {
    np.can_cast, np.common_type, np.iscomplexobj, np.isfortran, np.isrealobj, np.may_share_memory, np.min_scalar_type,
    np.ndim, np.result_type, np.shape, np.shares_memory, np.size,
}  # fmt: skip
#: New arrays of a value's form, which the function may write to.
_LIKE = {np.zeros_like, np.ones_like, np.empty_like}


class Whole:
    """Beside a class of Variables: everything computed with it is recorded, and what Python learns is noted."""

    __slots__ = ()

    _value: Any
    _node: Any

    # What it is: to the user's code, what it would be if nothing were recorded

    @property
    def __class__(self) -> Any:
        if not self._node.live and _sees_types(sys._getframe(1).f_code.co_filename):
            return type(self._value)
        return _CLASS.fget(self)

    @__class__.setter
    def __class__(self, kind: type) -> None:
        _CLASS.fset(self, kind)

    # Seen by Python: noted

    def _told(self, how: str) -> Any:
        """The plain value, for Python to look at; an array can't be written to."""
        value = self._value
        recorder().guard(self._node, value, how)
        if type(value) is numpy.ndarray:
            value = value.view()
            value.flags.writeable = False
        return value

    def _leaving(self, how: str) -> Any:
        if self._node.live:
            recorder().fail(f"{how} on a value that a derivative was asked for")
            return super()._leaving(how)  # type: ignore[misc]
        return self._told(how)

    def __bool__(self) -> bool:
        if isinstance(self._value, bool | numpy.bool_):
            return bool(self._told("bool"))
        return record(TRUTH, (self,), NO_PARAMS)._told("bool")  # type: ignore[no-any-return]

    def __int__(self) -> int:
        self._leaving("int(v)") if self._node.live else None
        return record(INT, (self,), NO_PARAMS)._told("int")  # type: ignore[no-any-return]

    def __index__(self) -> int:
        operator.index(self._value)
        return operator.index(self._told("int"))

    def __repr__(self) -> str:
        return f"Variable({self._told('repr')!r})"

    def __str__(self) -> str:
        return str(self._told("str"))

    def __format__(self, spec: str) -> str:
        return format(self._told("format"), spec)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._node.live:
            return as_objects(self, dtype)
        if dtype is None and not np.ndim(self._value) and np.result_type(self._value).kind == "f":
            entry = np.empty((), object)  # as in np.array([x, y]), which dout joins at the next operation
            entry[()] = self
            return entry
        value = self._told("np.asarray")
        return np.array(value, dtype) if copy else np.asarray(value, dtype)

    @property
    def value(self) -> Any:
        """The value, through which no derivative passes."""
        return self.__dout_plain__()

    def __dout_plain__(self) -> Any:
        return record(STOP, (self,), NO_PARAMS) if self._node.live else self

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    # Flat, and recorded

    def __lt__(self, other: Any) -> Any:
        return flat_operator(np.less, operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return flat_operator(np.less_equal, operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return flat_operator(np.greater, operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return flat_operator(np.greater_equal, operator.ge, self, other)

    def __eq__(self, other: Any) -> Any:
        return flat_operator(np.equal, operator.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return flat_operator(np.not_equal, operator.ne, self, other)

    def __hash__(self) -> int:
        """A number's, where Python would see the number: it may be looked up in a dict."""
        if self._node.live or isinstance(self._value, numpy.ndarray):
            return object.__hash__(self)
        return hash(self._told("hash"))

    def __and__(self, other: Any) -> Any:
        return flat_operator(np.bitwise_and, operator.and_, self, other)

    def __rand__(self, other: Any) -> Any:
        return flat_operator(np.bitwise_and, operator.and_, other, self)

    def __or__(self, other: Any) -> Any:
        return flat_operator(np.bitwise_or, operator.or_, self, other)

    def __ror__(self, other: Any) -> Any:
        return flat_operator(np.bitwise_or, operator.or_, other, self)

    def __xor__(self, other: Any) -> Any:
        return flat_operator(np.bitwise_xor, operator.xor, self, other)

    def __rxor__(self, other: Any) -> Any:
        return flat_operator(np.bitwise_xor, operator.xor, other, self)

    def __lshift__(self, other: Any) -> Any:
        return flat_operator(np.left_shift, operator.lshift, self, other)

    def __rlshift__(self, other: Any) -> Any:
        return flat_operator(np.left_shift, operator.lshift, other, self)

    def __rrshift__(self, other: Any) -> Any:
        return flat_operator(np.right_shift, operator.rshift, other, self)

    def __rshift__(self, other: Any) -> Any:
        return flat_operator(np.right_shift, operator.rshift, self, other)

    def __invert__(self) -> Any:
        return record(flat_op(operator.invert, "invert"), (self,), NO_PARAMS)

    def __floordiv__(self, other: Any) -> Any:
        return flat_operator(np.floor_divide, operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return flat_operator(np.floor_divide, operator.floordiv, other, self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return called(round, (self, ndigits), {})

    def __trunc__(self) -> Any:
        return called(math.trunc, (self,), {})

    def __floor__(self) -> Any:
        return called(math.floor, (self,), {})

    def __ceil__(self) -> Any:
        return called(math.ceil, (self,), {})

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """A copy in another dtype."""
        dtype = np.dtype(dtype)
        if not copy and dtype == self.dtype:  # type: ignore[attr-defined]
            return self
        if dtype.kind in "fc" and self.dtype.kind in "fc":  # type: ignore[attr-defined]
            return astype(self, dtype=dtype)
        if self._node.live:
            return self._leaving(f"v.astype({dtype})")
        return record(flat_op(astype.forward, "cast"), (self,), {"dtype": dtype})

    # Protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options:
            op = UFUNCS.get(ufunc)
            if op is not None:
                return record(op, inputs, NO_PARAMS)
            if ufunc in FLAT and ufunc.nout == 1:
                return record(flat_op(ufunc), inputs, NO_PARAMS)
        run = ufunc if method == "__call__" else getattr(ufunc, method)
        out = options.pop("out", None)
        result = self._by_rules(
            lambda: super(Whole, self).__array_ufunc__(ufunc, method, *inputs, **options),  # type: ignore[misc]
            run, inputs, options, writes=method == "at", flat=ufunc in FLAT and method == "__call__",
        )  # fmt: skip
        return result if out is None else store(result, out)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        kwargs = kwargs or {}
        if function in _OF_FORM:
            return function(*map(values, args), **{k: values(v) for k, v in kwargs.items()})
        if function in _LIKE:
            return constant(function(*map(values, args), **{k: values(v) for k, v in kwargs.items()}))
        if function in _SAVERS:
            recorder().fail(f"np.{function.__name__} writes to a file")
        out = kwargs.pop("out", None)
        result = self._by_rules(
            lambda: super(Whole, self).__array_function__(function, types, args, kwargs),  # type: ignore[misc]
            function, args, kwargs, writes=function in _WRITERS, flat=function in FLAT and function not in FUNCTIONS,
        )  # fmt: skip
        return result if out is None else store(result, out)

    def _by_rules(
        self,
        rules: Callable[[], Any],
        function: Callable[..., Any],
        args: Any,
        kwargs: Mapping[str, Any],
        *,
        writes: bool,
        flat: bool,
    ) -> Any:
        """Run what is written in terms of primitives; what isn't, or is not for ints and bools, by NumPy itself."""
        handles = [v for v in flatten((args, dict(kwargs)))[0] if isinstance(v, Handle)]
        live = any(getattr(v._node, "live", ()) for v in handles)
        if flat:
            return called(function, args, kwargs)
        running = recorder().running
        again = function in running and not live and not writes  # rules that call the function itself, on plain values
        if not again and (writes or live or all(np.result_type(v._value).kind in "fc" for v in handles)):
            running.append(function)
            try:
                return rules()
            except (NotImplementedError, TypeError):
                if writes or live:
                    raise
            finally:
                running.pop()
        return called(function, args, kwargs)

    # Indexing

    def __getitem__(self, key: Any) -> Any:
        key, indices = split(key, self)
        if not indices:
            return record(getitem, (self,), {"key": key, "shape": np.shape(self._value)})
        return record(gather, (self, *indices), {"key": key, "shape": np.shape(self._value)})

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(self._value) is not numpy.ndarray:
            raise TypeError(f"'{type(self._value).__name__}' object does not support item assignment")
        key, indices = split(key, self, masks=np.ndim(value) == 0)
        if not indices:
            super().__setitem__(key, value)  # type: ignore[misc]
            return
        value = joined(value)
        given = np.result_type(values(value))
        if isinstance(value, Handle) and not np.can_cast(given, self._value.dtype, "same_kind"):
            raise TypeError(f"x[...] = value: cannot cast {given} to the array's {self._value.dtype}")
        self._become(record(replace, (self, value, *indices), {"key": key}))

    _become: Callable[[Any], None]


def _sees_types(filename: str) -> bool:
    """Whether code of this file asks for the user: his own, and what dispatches by type for him."""
    return is_users(filename) or filename in _DISPATCH

"""What a recorded run does with functions that have no rule, and with indices in which recorded values stand."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy

from .graph import NO_PARAMS, PICK
from .recorded_ops import CALL, SHAPES, TAKEN, flat_op
from .recorder import RECORDER, Recorder
from .recording import Handle, fixed, joined, record
from .rules.elementwise import where
from .tree import flatten

np: Any = numpy  # NumPy's stubs don't know that its functions take a Variable

#: Functions whose results have shapes that depend on those of arrays only.
_SHAPED_ALIKE = {
    np.all, np.any, np.argmax, np.argmin, np.argpartition, np.argsort, np.around, np.clip, np.concatenate, np.copy,
    np.count_nonzero, np.cumprod, np.cumsum, np.diagonal, np.digitize, np.divmod, np.expand_dims, np.fix, np.flip, np.frexp,
    np.isclose, np.isin, np.lexsort, np.matmul, np.max, np.mean, np.median, np.min, np.modf, np.moveaxis, np.nan_to_num,
    np.nanargmax, np.nanargmin, np.partition, np.prod, np.ravel, np.reshape, np.roll, np.round, np.searchsorted, np.sort,
    np.squeeze, np.stack, np.sum, np.swapaxes, np.take_along_axis, np.transpose,
}  # fmt: skip


def recorder() -> Recorder:
    """The recorder of this run.

    Raises:
        RuntimeError: if the run has ended, and a Variable was kept from it.
    """
    found = RECORDER.get()
    if found is None:
        raise RuntimeError(
            "a Variable was kept from inside a function under dout.jit, which has returned. Return it from the function "
            "instead."
        )
    return found


def values(x: Any) -> Any:
    """The plain values of Variables, in lists and tuples too."""
    if isinstance(x, Handle):
        return x._value
    return type(x)(map(values, x)) if type(x) in (list, tuple) else x


def flat_operator(ufunc: Any, run: Callable[..., Any], x: Any, y: Any) -> Any:
    """An operator that no derivative passes through; on Python's numbers it stays Python's."""
    x, y = joined(x), joined(y)
    if not all(isinstance(v, Handle | numpy.ndarray | numpy.generic | int | float | complex) for v in (x, y)):
        return NotImplemented
    return record(flat_op(run, ufunc.__name__), (x, y), NO_PARAMS)


def called(function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Any:
    """A function called by NumPy (or Python) on the values, with its results recorded."""
    if isinstance(function, numpy.ufunc) and function.nout == 1 and not kwargs:
        return record(flat_op(function), tuple(args), NO_PARAMS)
    if function is numpy.where and len(args) == 3 and not kwargs and all(map(_is_entry, args)):
        return record(where, tuple(args), NO_PARAMS)
    flat, rebuild = flatten((tuple(args), dict(kwargs)))
    handles = [v for v in flat if isinstance(v, Handle)]
    note = recorder()
    places = tuple([None if isinstance(v, Handle) else (note.constant(v),) for v in flat])
    params = {"function": function, "rebuild": rebuild, "places": places}
    result = record(CALL, tuple(handles), params)
    value = result._value
    if _has_shape(value) and not (function in _SHAPED_ALIKE and all(np.ndim(v._value) for v in handles)):
        record(SHAPES, (result,), NO_PARAMS)._told("shape")  # it may depend on values, and Python may look at it alone
    if isinstance(value, tuple | list) and all(_is_number(v) for v in value):
        parts = [PICK(result, i=i) for i in range(len(value))]
        kind = type(value)
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    if _is_number(value):
        return result
    for v in handles:
        v._told(getattr(function, "__name__", "a call"))  # type: ignore[attr-defined]
    return value


def _is_entry(value: Any) -> bool:
    return isinstance(value, Handle | numpy.ndarray | numpy.generic | int | float | complex)


def _has_shape(value: Any) -> bool:
    return bool(value) if isinstance(value, tuple | list) else _is_number(value) and np.ndim(value) > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) or (
        isinstance(value, numpy.ndarray | numpy.generic) and value.dtype.kind in "fciub"
    )


def split(key: Any, x: Any, masks: bool = False) -> tuple[Any, list[Any]]:
    """An index in two parts: what is fixed for the recording, and the recorded values that stand in it.

    Args:
        key: the index, as it was written.
        x: what is read or written to.
        masks: whether a mask may stay one, because it doesn't matter how many entries it has.

    Returns:
        NumPy's key and no values; or a tuple of whether it was a tuple, and its parts, with the values apart. A mask
        becomes the places where it is true.
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    if not any(isinstance(p, Handle | list | slice) for p in parts):
        return fixed(key), []
    indices: list[Any] = []
    template: list[Any] = []
    for part in parts:
        if isinstance(part, list):
            part = joined(part) if part else np.array(part, int)
        if isinstance(part, slice):
            template.append(
                slice(*[None if e is None else operator.index(e) for e in (part.start, part.stop, part.step)])
            )
        elif not isinstance(part, Handle):
            template.append(fixed(part))
        elif np.result_type(part._value).kind == "b":
            if not np.ndim(part._value):
                template.append(bool(part))
                continue
            if masks:
                indices.append(part)
                template.append(TAKEN)
                continue
            places = called(np.nonzero, (part,), {})
            indices += places
            template += [TAKEN] * len(places)
        elif np.ndim(part._value) or (np.ndim(x._value) == len(parts) and None not in parts):
            indices.append(part)
            template.append(TAKEN)
        else:
            template.append(part.__index__())  # type: ignore[attr-defined]  # NumPy gives a view here, which may be written to
    if not indices:
        return tuple(template) if isinstance(key, tuple) else template[0], []
    return (isinstance(key, tuple) or len(template) > 1, *template), indices

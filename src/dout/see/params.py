"""What an operation was given besides its inputs, as JSON that a page can compute with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph import Primitive

#: An index array or mask with more entries than this stays out of the description.
ENTRIES = 4096
#: Parameters that only say how to compute, not what.
_LEFT_OUT = {"optimize"}


class _Unwritable(Exception):
    """There is no JSON for it."""


def params_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """An operation's parameters as JSON; `{"page": False}` where they can't be written.

    Example:
        >>> params_of({"key": (slice(None, 2), 0), "shape": (3, 4)})
        {'key': [{'slice': [None, 2, None]}, 0], 'shape': [3, 4]}
    """
    try:
        return _all(params)
    except _Unwritable:
        return {"page": False}


def _all(params: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): _index(v) if k == "key" else _plain(v) for k, v in params.items() if k not in _LEFT_OUT}


def _plain(v: Any) -> Any:
    if isinstance(v, np.integer | np.floating | np.bool_):
        v = v.item()
    if v is None or isinstance(v, bool | str):
        return v
    if isinstance(v, int):
        if abs(v) > 2**53:
            raise _Unwritable
        return v
    if isinstance(v, float):
        if not np.isfinite(v):
            raise _Unwritable
        return v
    if isinstance(v, Primitive):
        return v.name
    if isinstance(v, np.dtype):
        return v.name
    if isinstance(v, type) and issubclass(v, np.generic):
        return np.dtype(v).name
    if isinstance(v, Mapping):
        return _all(v)
    if isinstance(v, list | tuple):
        return [_plain(x) for x in v] if len(v) <= ENTRIES else _no()
    if isinstance(v, np.ndarray) and v.dtype.kind in "iub" and v.size <= ENTRIES:
        return v.tolist()
    return _no()


def _no() -> Any:
    raise _Unwritable


def _index(key: Any) -> list[Any]:
    """An index as a list with an entry for each of its parts."""
    return [_part(part) for part in (key if isinstance(key, tuple) else (key,))]


def _part(part: Any) -> Any:
    if part is None:
        return {"new": True}
    if part is Ellipsis:
        return {"rest": True}
    if isinstance(part, slice):
        return {"slice": [None if x is None else int(x) for x in (part.start, part.stop, part.step)]}
    if isinstance(part, bool | np.bool_):
        return {"shape": [], "mask": [bool(part)]}
    if isinstance(part, int | np.integer):
        return int(part)
    array = np.asarray(part)
    if array.dtype.kind not in "iub" or array.size > ENTRIES:
        raise _Unwritable
    entries = "mask" if array.dtype.kind == "b" else "at"
    return {"shape": list(array.shape), entries: array.ravel().tolist()}

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


#: Parameters that rules keep for themselves: what follows from the inputs, and how something was computed.
_INTERNAL = {
    "concatenate": {"widths"}, "copy": {"order"}, "diagonal": {"shape"}, "eigh": {"inner"}, "fft": {"size"},
    "getitem": {"shape"}, "ifft": {"size"}, "irfft": {"size"}, "lstsq": {"rcond"}, "matmul": {"ndims"}, "pick": {"i"},
    "qr": {"complete"}, "reshape": {"old"}, "rfft": {"size"}, "scatter": {"shape"}, "svd": {"inner"}, "svdvals": {"quiet"},
    "write": {"through"},
}  # fmt: skip
#: What needn't be said, being so where nothing else is.
_USUAL = {"order": "C", "offset": 0}
#: Longer texts than this are cut.
_LONGEST = 40


def told_of(op: str, params: Mapping[str, Any]) -> list[str]:
    """An operation's parameters as people write them, from their JSON; those that mean something to a reader.

    Args:
        op: the operation's name.
        params: what `params_of` gave.

    Example:
        >>> told_of("sum", {"axes": [0], "keepdims": True}), told_of("matmul", {"ndims": [2, 2]})
        (['axis=0', 'keepdims=True'], [])
        >>> told_of("getitem", {"key": [{"slice": [None, 2, None]}, 0], "shape": [3, 4]})
        ['[:2, 0]']
    """
    if op == "einsum":
        return _subscripts(params)
    told = []
    for key, value in params.items():
        if key == "page" or key.startswith("_") or key in _INTERNAL.get(op, ()) or value is None or value is False:
            continue
        if _USUAL.get(key) == value:
            continue
        if key == "how":
            told += told_of("getitem", value) if "key" in value else []
        elif key == "key":
            text = f"[{', '.join(map(_index_text, value))}]"
            told.append(text if len(text) <= _LONGEST else "[…]")
        else:
            single = key == "axes" and isinstance(value, list) and len(value) == 1
            text = f"axis={value[0]}" if single else f"{key}={_text(value)}"
            told.append(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
    return told


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(_text, value))}{',' * (len(value) == 1)})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _index_text(part: Any) -> str:
    """A part of an index as it is written between brackets."""
    if not isinstance(part, Mapping):
        return str(part)
    if "slice" in part:
        start, stop, step = ("" if x is None else str(x) for x in part["slice"])
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if "rest" in part:
        return "..."
    if "new" in part:
        return "None"
    if "at" in part and len(part["at"]) <= 6 and len(part["shape"]) == 1:
        return str(part["at"])
    return f"{'×'.join(map(str, part['shape']))} {'mask' if 'mask' in part else 'ints'}"


def _subscripts(params: Mapping[str, Any]) -> list[str]:
    try:
        terms = ["".join(map(chr, term)) for term in [*params["inputs"], params["result"]]]
    except (KeyError, TypeError, ValueError):
        return []
    return [f"{','.join(terms[:-1])}->{terms[-1]}"] if all(t.isalpha() or not t for t in terms) else []

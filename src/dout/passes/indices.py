"""NumPy's indices, with computed parts and arrays of integers taken out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .places import Numbered


class Indexed(NamedTuple):
    """An index in parts.

    Attributes:
        key: slices, integers, None, `Ellipsis`, and `Numbered` for each array of integers.
        arrays: what those are: constant arrays, or numbers of values.
    """

    key: tuple[Any, ...]
    arrays: list[Any]


def index_of(key: Any, computed: Sequence[int], values: Sequence[Any]) -> Indexed | None:
    """An index as the operations keep it, in parts; None if there are computed masks in it.

    Args:
        key: NumPy's index; where parts are computed, a tuple of whether it was a tuple, and the parts, in which
            something that is none of NumPy's stands for a computed one.
        computed: the numbers of the computed parts' values.
        values: the program's values.
    """
    parts = key[1:] if computed else key if isinstance(key, tuple) else (key,)
    remaining = iter(computed)
    found: list[Any] = []
    arrays: list[Any] = []
    for part in parts:
        if part is None or part is Ellipsis or isinstance(part, slice):
            found.append(part)
        elif isinstance(part, bool | np.bool_):
            return None
        elif isinstance(part, int | np.integer):
            found.append(int(part))
        elif isinstance(part, list | np.ndarray):
            array = np.asarray(part)
            if array.dtype == bool and array.ndim:  # as good as the places where it is true
                places = array.nonzero()
                found += [Numbered(len(arrays) + k) for k in range(len(places))]
                arrays += places
                if not places[0].size:
                    return None
                continue
            if array.dtype.kind not in "iu" or not array.size:
                return None
            found.append(Numbered(len(arrays)))
            arrays.append(np.ascontiguousarray(array, np.int64).reshape(array.shape))
        else:
            number = next(remaining, None)
            if number is None:
                return None
            value = values[number]
            if value.is_constant() and not value.shape and isinstance(value.constant, int | np.integer):
                if isinstance(value.constant, bool):
                    return None
                found.append(int(value.constant))
                continue
            if getattr(value.dtype, "kind", "") not in "iu":
                return None
            found.append(Numbered(len(arrays)))
            arrays.append(number)
    return Indexed(tuple(found), arrays)

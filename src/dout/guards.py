"""Keeping constants as they were.

A plain array that a pullback needs belongs to the user, who may write into it before the derivative is taken
(a scratch buffer, a mask that a loop updates). A small one is copied. A large one is kept as it is, with a
fingerprint taken at memory speed (XXH3), and compared before use: a changed one raises, where otherwise the derivative
would be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .graph import Node

#: Arrays up to this many bytes are copied: about the size at which a fingerprint begins to cost less.
SMALL = 1 << 14


def hold(value: Any) -> tuple[Any, int | None]:
    """A constant that can be kept, and its fingerprint if it is large."""
    if not isinstance(value, np.ndarray):
        return value, None
    if value.nbytes <= SMALL:
        return value.copy(), None
    return value, fingerprint(value)


def fingerprint(array: np.ndarray) -> int:
    """A 64-bit hash of an array's contents."""
    import xxhash  # here, because most programs never need it

    if 0 in array.strides:  # a broadcast array holds each entry once
        array = array[tuple(slice(0, 1) if s == 0 else slice(None) for s in array.strides)]
    if not array.flags.c_contiguous:
        array = array.T if array.flags.f_contiguous else np.ascontiguousarray(array)
    contents: Any = array  # a buffer, though on Python 3.11 its type does not say so
    return xxhash.xxh3_64_intdigest(contents)


def check(node: Node) -> None:
    """Compare a node's large constants with their fingerprints.

    Raises:
        RuntimeError: if one was written to since the operation used it.
    """
    for i, digest in node.guards or ():
        if fingerprint(node.args[i]) != digest:
            array = node.args[i]
            raise RuntimeError(
                f"argument {i} of {node.op.name if node.op else 'a leaf'}, a plain {array.dtype} array of shape "
                f"{array.shape}, was written to after it was used, so the derivative would be wrong. Use a copy of it in the "
                "computation (a.copy()), or write to a new array."
            )


@contextmanager
def untouched(large: Sequence[np.ndarray]) -> Iterator[None]:
    """Hold that these large arrays of the caller's own are not written to while a function of them is differentiated.

    The function sees Variables in their place; if it wrote to the arrays by another name, the derivative would be wrong.
    They are read-only meanwhile, and so is what they are views of: such a write raises. One through an older view of the
    same memory can't be stopped; a sample of the contents is compared afterwards, because reading everything twice would
    cost as much as a short function does. Small arrays have been copied.
    """
    before = [fingerprint(_sample(a)) for a in large]
    unlocked = []
    for array in large:
        memory: Any = array
        while isinstance(memory, np.ndarray):
            if memory.flags.writeable:
                memory.flags.writeable = False
                unlocked.append(memory)
            memory = memory.base
    try:
        yield
    finally:
        for array in sorted(unlocked, key=_views):  # a view can be written to again only after its base can
            array.flags.writeable = True
    for array, digest in zip(large, before, strict=True):
        if fingerprint(_sample(array)) != digest:
            raise RuntimeError(
                f"the {array.dtype} array of shape {array.shape} that was given as an argument was written to by another "
                "name while the function ran, so the derivative would be wrong. Give a copy of it (a.copy())."
            )


def _views(array: Any) -> int:
    """How many arrays lie between an array and the memory that it is a view of."""
    count = 0
    while isinstance(array.base, np.ndarray):
        array, count = array.base, count + 1
    return count


def _sample(array: np.ndarray) -> np.ndarray:
    """Some 250 entries, evenly spread along the longest axis."""
    axis = int(np.argmax(array.shape))
    step = max(array.shape[axis] // 256, 1)
    places = [slice(None, 1)] * array.ndim
    places[axis] = slice(None, None, step)
    return array[tuple(places)]

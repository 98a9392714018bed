"""Where the operations of a traced run happened: in which call of which of the user's functions, at which instruction.

While `trace` runs a function, each operation asks the witness for its place. That is a look up the stack to the first
frame that is known from the operation before, so it costs about a microsecond, also deep in a recursion. Lines, source
texts and names are found out later, and only for who wants to see them (`see/places.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from .graph import NO_PARAMS, plain

#: Those whose frames are not the user's: dout and NumPy, and the standard library but for what is installed below it.
_OWN = tuple(os.path.join(os.path.dirname(file), "") for file in (__file__, np.__file__))
_STANDARD = os.path.join(os.path.dirname(os.__file__), "")
_INSTALLED = ("site-packages", "dist-packages")
_MADE_UP = ("<frozen ", "<__array_function__")
#: A frame of these kinds goes on after others ran: generators and coroutines.
_RESUMED = 0x20 | 0x80 | 0x200

_users: dict[str, bool] = {}


def is_users(filename: str) -> bool:
    """Whether code of this file is the user's own.

    Example:
        >>> is_users("shop.py"), is_users(np.__file__), is_users(os.__file__)
        (True, False, False)
    """
    found = _users.get(filename)
    if found is None:
        standard = filename.startswith(_STANDARD) and not any(name in filename for name in _INSTALLED)
        found = _users[filename] = not (standard or filename.startswith((*_OWN, *_MADE_UP)))
    return found


class Call:
    """One call of one of the user's functions.

    Attributes:
        code: the function's code.
        variables: its global variables, through which its source may be found.
        parent: the call that made it; None for the traced function itself.
        at: the instruction of the parent that made it.
        turn: the parent's turn in which it was made.
        depth: how many calls it stands in.
    """

    __slots__ = ("at", "code", "depth", "parent", "turn", "variables")

    def __init__(self, frame: FrameType, parent: Call | None, at: int, turn: int) -> None:
        self.code: CodeType = frame.f_code
        self.variables: dict[str, Any] = frame.f_globals
        self.parent = parent
        self.at = at
        self.turn = turn
        self.depth: int = 0 if parent is None else parent.depth + 1


class Place(NamedTuple):
    """Where an operation happened: the innermost call, its instruction, and the turn.

    What one execution of one instruction does has the same turn, such as the sum and the division of one np.mean; the next
    execution has a later one, also of the same instruction.
    """

    call: Call
    at: int
    turn: int


class Looked(NamedTuple):
    """What Python learned of a traced value: a comparison, a rounding, the plain value.

    Attributes:
        op: "<", "bool", "floor", "value" and the like.
        sides: what was looked at, and what it was compared with if anything: the node (None for what is plain) and the value
            of each.
        result: what Python got.
        params: options, such as an axis.
        place: where it happened.
    """

    op: str
    sides: tuple[tuple[Any, Any], ...]
    result: Any
    params: Mapping[str, Any]
    place: Place | None


class Witness:
    """Sees where operations happen, from when it is made until it is closed.

    Attributes:
        looks: what Python looked at on the way.
    """

    def __init__(self) -> None:
        self.looks: list[Looked] = []
        self._stop: FrameType | None = sys._getframe(1)  # whoever made it calls the user's function
        self._calls: dict[FrameType, Call] = {}  # the frames on the stack, outermost first
        self._resumed: dict[FrameType, Call] = {}  # generators that are not on the stack
        self._inner: FrameType | None = None
        self._entry: FrameType | None = None
        self._turn = 0

    def close(self) -> None:
        """Let go of all frames."""
        self._calls.clear()
        self._resumed.clear()
        self._stop = self._inner = self._entry = None

    def place(self, frame: FrameType | None) -> Place | None:
        """The place of what happens in a frame; None outside the user's code."""
        calls, stop = self._calls, self._stop
        entry = None  # the library's frame that the user's calls
        fresh: list[FrameType] = []
        while frame is not stop and frame is not None and frame not in calls:
            if is_users(frame.f_code.co_filename):
                fresh.append(frame)
            elif not fresh:
                entry = frame
            frame = frame.f_back
        if frame is None:
            return None  # another thread's, or after the end
        inner = fresh[0] if fresh else frame
        if inner is stop:
            return None
        if inner is not self._inner or entry is not self._entry:
            self._turn += 1
            if inner is not self._inner:
                self._settle(frame, fresh)
                self._inner = inner
            self._entry = entry
        return Place(calls[inner], inner.f_lasti, self._turn)

    def _settle(self, known: FrameType, fresh: list[FrameType]) -> None:
        """Bring the known stack to what it is now: what ended goes, what began comes."""
        calls = self._calls
        while calls:
            frame, call = calls.popitem()
            if frame is known:
                calls[frame] = call
                break
            if frame.f_code.co_flags & _RESUMED:
                self._resumed[frame] = call
        parent, at = calls.get(known), known.f_lasti
        for frame in reversed(fresh):
            call = self._resumed.pop(frame) if frame in self._resumed else Call(frame, parent, at, self._turn)
            calls[frame] = parent = call
            at = frame.f_lasti


#: The witness of the running trace, if one runs.
WITNESS: ContextVar[Witness | None] = ContextVar("dout_witness", default=None)


def here() -> Place | None:
    """The place of what is being recorded; None where nobody wants to know."""
    witness = WITNESS.get()
    return None if witness is None else witness.place(sys._getframe(1))


def look(op: str, sides: Sequence[Any], result: Any, params: Mapping[str, Any] = NO_PARAMS) -> Any:
    """Tell the witness what Python learns of a traced value, alone or beside another, and give that."""
    witness = WITNESS.get()
    if witness is not None:
        seen = tuple((getattr(x, "_node", None), plain(x)) for x in sides)
        witness.looks.append(Looked(op, seen, result, params, witness.place(sys._getframe(1))))
    return result

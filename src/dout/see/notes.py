"""What there is to know besides, in the words of the catalogue: what the derivatives are those of, what is no input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..graph import Graph
from .words import say


class Note(NamedTuple):
    """A sentence of the catalogue: its key, and what stands in its braces."""

    key: str
    values: dict[str, Any]

    def said(self, lang: str | None = None) -> str:
        """The sentence."""
        return say(self.key, lang, **self.values)


def notes_of(graph: Graph, shown: int | None = None) -> list[Note]:
    """The notes on a graph.

    Args:
        graph: a graph.
        shown: how many of its outputs are shown, if not all.

    Example:
        >>> import dout, numpy as np
        >>> for note in notes_of(dout.trace(lambda x, n=3: x * n, np.ones(2))):
        ...     print(note.said())
        The derivatives are those of the output's sum.
        n is no input: it has its default; give n=3 to see its derivative
    """
    ends = [end for end in graph.outputs if end is not None]
    arrays = any(end.shape != () for end in ends)
    found = []
    if len(ends) > 1:
        found.append(Note("note.sums.entries" if arrays else "note.sums", {}))
    elif arrays:
        found.append(Note("note.sum", {}))
    if shown is not None and len(graph.outputs) > shown:
        found.append(Note("note.outputs", {"count": len(graph.outputs) - shown}))
    left_out: Sequence[Any] = getattr(graph, "notes", ())
    return found + [_of_input(note) for note in left_out]


def _of_input(note: Any) -> Note:
    """A note of the trace, which says what it says in English; the catalogue has the same sentences."""
    kind = getattr(note, "kind", None)
    return Note("note.said", {"text": str(note)}) if kind is None else Note(f"note.no.input.{kind}", note.values)

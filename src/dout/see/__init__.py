"""Seeing a graph: every arrow with its value forward and its derivative back."""

from .picture import Picture, see

__all__ = ["Picture", "see"]

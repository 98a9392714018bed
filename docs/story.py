"""What the story of examples/backprop.ipynb is made of: words in English and in Chinese, and code that both share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Words:
    """A cell of Markdown, in each language."""

    en: str
    zh: str


@dataclass
class Code:
    """A cell of Python; `{lang}` in it is the notebook's language.

    Attributes:
        source: the code.
        picture: whether its result is a picture.
    """

    source: str
    picture: bool = False

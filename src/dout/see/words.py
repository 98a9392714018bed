"""The sentences that people read, in English and in Chinese."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any

from .resources import read


@cache
def words() -> dict[str, dict[str, str]]:
    """The catalogue: for each language, each key's text."""
    catalogue: dict[str, dict[str, str]] = json.loads(read("page/words.json"))
    return catalogue


def language(lang: str | None = None) -> str | None:
    """The language that is asked for: by an argument, else by the environment's DOUT_LANG; None if by neither.

    Raises:
        ValueError: if DOUT_LANG is another one.
    """
    if lang is not None:
        return lang
    lang = os.environ.get("DOUT_LANG") or None
    if lang not in (None, *words()):
        raise ValueError(f"the environment's DOUT_LANG has to be 'en' or 'zh', got {lang!r}")
    return lang


def say(key: str, lang: str | None = None, **values: Any) -> str:
    """A sentence of the catalogue with the values filled in.

    Args:
        key: which sentence.
        lang: "en" or "zh"; English where nothing is asked for.
        **values: what stands in its braces. Braces that aren't given a value stay as they are.

    Example:
        >>> say("page.back", "en")
        'Previous step'
        >>> say("page.inputs", "zh")
        '输入'
    """
    text = words()[lang or "en"][key]
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)

"""The files that come with this room: catalogues, tables, and the page's modules."""

from __future__ import annotations

import os
from typing import Any


def read(name: str) -> str:
    """The text of a file beside this one, wherever the package was loaded from.

    By the loader itself: importlib.resources takes longer to import than all of what is read here takes to read.

    Example:
        >>> read("page/words.json")[:1]
        '{'
    """
    assert __spec__ is not None
    loader: Any = __spec__.loader
    data: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), *name.split("/")))
    return data.decode("utf-8")

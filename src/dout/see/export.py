"""Pictures as files, by the ends of their names."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def save(picture: Any, path: str | os.PathLike[str], **options: Any) -> Path:
    """Write a picture to a file. The file appears whole, or not at all.

    Args:
        picture: what `see` gives.
        path: where to; it ends in .svg, .png, .pdf, .html, .json or .txt. PNG and PDF need `pip install "dout[images]"`.
        **options: what `picture.svg`, `picture.html`, `picture.describe` or `picture.text` takes, as the file is made by it;
            .png takes `scale` too, pixels for each of the picture's own (2, or less if the image would be enormous).

    Returns:
        the path.

    Raises:
        ValueError: for another end of the name, or a scale at which the image would be too large.
        ImportError: for PNG and PDF, if CairoSVG is missing.
        FileNotFoundError: if the folder isn't there.

    Example:
        >>> import dout, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(dout.see(lambda x: x * x, 3.0), pathlib.Path(folder) / "square.svg").name
        'square.svg'
    """
    target = Path(path)
    form = FORMS.get(target.suffix.lower())
    if form is None:
        *some, last = FORMS
        ends = f"{', '.join(some)} or {last}"
        raise ValueError(f"the name of the file has to end in {ends}, to say what it holds; got {str(target)!r}")
    _write(target.resolve() if target.is_symlink() else target, form(picture, options))
    return target


def _write(target: Path, data: bytes) -> None:
    """Beside the target first, then in its place at once."""
    if target.is_dir():
        raise IsADirectoryError(f"{str(target)!r} is a folder")
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, _mode(target))
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _mode(target: Path) -> int:
    """The rights of the file that was there, or those that a new one would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _svg(picture: Any, options: dict[str, Any]) -> bytes:
    return _bytes(picture.svg(**options))


def _png(picture: Any, options: dict[str, Any]) -> bytes:
    from .raster import png_of

    scale = options.pop("scale", None)
    return png_of(picture.svg(**options), scale)


def _pdf(picture: Any, options: dict[str, Any]) -> bytes:
    from .raster import pdf_of

    return pdf_of(picture.svg(**options))


def _html(picture: Any, options: dict[str, Any]) -> bytes:
    return _bytes(picture.html(**options))


def _json(picture: Any, options: dict[str, Any]) -> bytes:
    return _bytes(json.dumps(picture.describe(**options), ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def _txt(picture: Any, options: dict[str, Any]) -> bytes:
    text: str = picture.text(**options)
    return _bytes(text if text.endswith("\n") else text + "\n")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # half characters, as `'\ud800'`, are no UTF-8


FORMS: dict[str, Callable[[Any, dict[str, Any]], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".html": _html,
    ".json": _json,
    ".txt": _txt,
}

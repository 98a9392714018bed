"""What FILE:NAME means: the file is run, and the function or the layer of that name taken from it."""

from __future__ import annotations

import importlib
import linecache
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from ..trace import given_to


def load(target: str) -> tuple[Path, str, Any]:
    """The file, the name, and what the file has by that name; an object in place of a layer class."""
    file, colon, name = target.rpartition(":")
    if not (colon and file and name.isidentifier()):
        raise click.UsageError(f"expected FILE:NAME, such as shop.py:price, got {target!r}")
    path = Path(file)
    if not path.is_file():
        raise click.UsageError(f"{file}: no such file; expected a Python file, such as shop.py:price")
    module = run_file(path)
    if not hasattr(module, name):
        names = [n for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__]
        has = f"it has {', '.join(names)}" if names else "it has no functions or classes"
        raise click.UsageError(f"{file} has no {name!r}; {has}")
    found = getattr(module, name)
    missing = [method for method in ("forward", "backward") if not callable(getattr(found, method, None))]
    if missing and (isinstance(found, type) or (len(missing) == 1 and not callable(found))):
        raise click.UsageError(f"{name} has no {' and no '.join(missing)}; a layer needs forward and backward")
    if missing and not callable(found):
        raise click.UsageError(f"{target}: expected a function or a layer, got {type(found).__name__}")
    if isinstance(found, type):
        try:
            found = found()
        except TypeError as error:
            raise click.UsageError(
                f"{name} can't be made without arguments ({error}); make one in the file, and name that"
            ) from error
        except Exception as error:
            raise said_of(error, path) from error
    return path, name, found


def run_file(path: Path) -> ModuleType:
    """Run a file as a module. Not through an import, which would leave a compiled file beside it."""
    module = ModuleType(f"dout_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look for their own module
    beside = str(path.resolve().parent)
    if beside not in sys.path:
        sys.path.insert(0, beside)  # as `python FILE` does, for what it imports from beside it
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as error:
        raise said_of(error, path) from error
    return module


def said_of(error: Exception, path: Path, hints: Sequence[str] = ()) -> click.ClickException:
    """An error in the user's file in one line, with its place."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = lines[-1] if lines else None
    if isinstance(error, SyntaxError) and error.filename in (None, str(path)):  # not of a file that this one imports
        line = error.lineno
    where = "" if line is None else f", line {line}"
    message = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    told = "; ".join([message, *getattr(error, "__notes__", ()), *hints])
    return click.ClickException(f"{path}{where}: {type(error).__name__}: {told}")


class Neighbours:
    """The modules that the user's file imports from its own folder, to be run anew with it.

    Attributes:
        folder: where the file is.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.resolve().parent
        self._before = set(sys.modules)

    def modules(self) -> dict[str, Path]:
        """Those that have been imported since, and their files."""
        found = {}
        for name in set(sys.modules) - self._before:
            file = getattr(sys.modules[name], "__file__", None)
            path = Path(file).resolve() if isinstance(file, str) else None
            if path is not None and path.is_relative_to(self.folder) and "site-packages" not in path.parts:
                found[name] = path
        return found

    def folders(self) -> set[Path]:
        """Where their files are."""
        return {self.folder, *(path.parent for path in self.modules().values())}

    def forget(self) -> None:
        """Let the next import run them anew, from the files as they are now."""
        for name in self.modules():
            del sys.modules[name]
        importlib.invalidate_caches()
        linecache.checkcache()


def hints_of(found: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """A hint at what came as text, for a function that failed."""
    given, _, _ = given_to(found, args, kwargs)
    texts = [f"{g.name}={g.value!r}" for g in given if isinstance(g.value, str)]
    return [f"{', '.join(texts)} came as text; does {name} need a number there?"] if texts else []

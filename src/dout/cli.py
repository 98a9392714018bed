"""The `dout` command: demo, see, check."""

from __future__ import annotations

import ast
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np

from . import __version__
from .check import check
from .see import see
from .wiring import layer


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dout")
def main() -> None:
    """Backpropagation that you can see and check, on plain NumPy code."""


@main.command("demo")
def demo_command() -> None:
    """See a graph, check a network, and train it to read digits, in a few seconds."""
    from . import demo  # it trains a network; the other commands need none of that

    demo.run()


@main.command("see")
@click.argument("target", metavar="FILE:FUNC")
@click.argument("pairs", metavar="[NAME=VALUE]...", nargs=-1)
def see_command(target: str, pairs: tuple[str, ...]) -> None:
    """Run a function and print its graph, with every value and every derivative.

    A VALUE is a Python literal; a list becomes an array of floats, and what is no literal is text.

    For example: dout see shop.py:price apple=100 number=2 tax=1.1
    """
    path, name, found = _load(target)
    if _is_layer(found):
        found = _as_function(found)
    elif not callable(found):
        raise click.UsageError(f"{target}: expected a function, got {type(found).__name__}")
    args, kwargs = _arguments(found, f"see {target}", name, pairs, keep_ints=True)
    try:
        text = see(found, *args, **kwargs).text()
    except Exception as error:
        raise _said(error, path) from error
    click.echo(text)


@main.command("check")
@click.argument("target", metavar="FILE:NAME")
@click.argument("pairs", metavar="[NAME=VALUE]...", nargs=-1)
def check_command(target: str, pairs: tuple[str, ...]) -> None:
    """Compare the derivatives of a function or a layer with numerical ones.

    A layer is a class with forward and backward, or an object of one. A VALUE is a Python literal: a number becomes a
    float, unless its parameter is annotated int; a list becomes an array of floats; what is no literal is text.
    The exit status is 1 if a derivative is wrong.

    For example: dout check shop.py:price apple=100 number=2 tax=1.1
    """
    path, name, found = _load(target)
    if not (_is_layer(found) or callable(found)):
        raise click.UsageError(f"{target}: expected a function or a layer, got {type(found).__name__}")
    function = found.forward if _is_layer(found) else found
    args, kwargs = _arguments(function, f"check {target}", name, pairs, keep_ints=False)
    try:
        report = check(found, *args, **kwargs)
    except Exception as error:
        raise _said(error, path) from error
    click.echo(str(report))
    if not report:
        sys.exit(1)


def _load(target: str) -> tuple[Path, str, Any]:
    """The file, the name, and what the file has by that name; an object in place of a layer class."""
    file, colon, name = target.rpartition(":")
    if not (colon and file and name.isidentifier()):
        raise click.UsageError(f"expected FILE:NAME, such as shop.py:price, got {target!r}")
    path = Path(file)
    if not path.is_file():
        raise click.UsageError(f"{file}: no such file; expected a Python file, such as shop.py:price")
    module = _run_file(path)
    if not hasattr(module, name):
        names = [n for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__]
        has = f"it has {', '.join(names)}" if names else "it has no functions or classes"
        raise click.UsageError(f"{file} has no {name!r}; {has}")
    found = getattr(module, name)
    if _is_layer(found) and isinstance(found, type):
        try:
            found = found()
        except TypeError as error:
            raise click.UsageError(
                f"{name} can't be made without arguments ({error}); make one in the file, and name that"
            ) from error
        except Exception as error:
            raise _said(error, path) from error
    return path, name, found


def _run_file(path: Path) -> ModuleType:
    """Run a file as a module. Not through an import, which would leave a compiled file beside it."""
    module = ModuleType(f"dout_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look for their own module
    sys.path.insert(0, str(path.resolve().parent))  # as `python FILE` does, for what it imports from beside it
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as error:
        raise _said(error, path) from error
    return module


def _said(error: Exception, path: Path) -> click.ClickException:
    """An error in the user's file in one line, with its place."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = "" if line is None else f", line {line}"
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return click.ClickException(f"{path}{where}: {type(error).__name__}: {message}")


def _is_layer(found: Any) -> bool:
    return callable(getattr(found, "forward", None)) and callable(getattr(found, "backward", None))


def _as_function(obj: Any) -> Callable[..., Any]:
    """A layer as a function with the parameter names of its forward."""
    run = layer(obj)
    run.__dict__["__signature__"] = inspect.signature(obj.forward)
    return run


def _arguments(
    function: Callable[..., Any], command: str, name: str, pairs: tuple[str, ...], keep_ints: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The values for a function's parameters, from name=value pairs."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        raise click.UsageError(f"{name} doesn't say what its parameters are; wrap it in a function that does") from None
    kinds = inspect.Parameter
    parameters = {
        p.name: p for p in signature.parameters.values() if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    }
    texts: dict[str, str] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"expected name=value, such as {next(iter(parameters), 'x')}=1.5, got {pair!r}")
        if key not in parameters:
            raise click.UsageError(f"{name} has no parameter {key!r}; it has {', '.join(parameters) or 'none'}")
        if key in texts:
            raise click.UsageError(f"{key} is given twice")
        texts[key] = text
    missing = [p.name for p in parameters.values() if p.default is p.empty and p.name not in texts]
    if missing:
        example = " ".join(
            f"{key}={texts.get(key, '2' if _annotated(p, int) else '1.5')}"
            for key, p in parameters.items()
            if key in texts or key in missing
        )
        raise click.UsageError(f"{name} needs a value for {', '.join(missing)}. For example: dout {command} {example}")
    bound = signature.bind_partial()
    for key, parameter in parameters.items():
        if key in texts:
            bound.arguments[key] = _value(key, texts[key], parameter, keep_ints)
    return bound.args, bound.kwargs


def _annotated(parameter: inspect.Parameter, kind: type) -> bool:
    return parameter.annotation in (kind, kind.__name__)


def _value(name: str, text: str, parameter: inspect.Parameter, keep_ints: bool) -> Any:
    """What a text on the command line means for a parameter."""
    if _annotated(parameter, str):
        return text
    try:
        literal = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text
    whole = _annotated(parameter, int)
    if isinstance(literal, list | tuple):
        try:
            array = np.array(literal)
        except ValueError:  # rows of different lengths
            array = np.array(None)
        if array.dtype.kind not in "biufc":
            raise click.UsageError(f"{name}: expected a list of numbers, with rows of the same length, got {text}")
        return array.astype(float) if array.dtype.kind in "iu" and not whole else array
    if whole and isinstance(literal, float):
        raise click.UsageError(f"{name} is annotated int, got {text}")
    if isinstance(literal, int) and not isinstance(literal, bool) and not (whole or keep_ints):
        return float(literal)
    return literal

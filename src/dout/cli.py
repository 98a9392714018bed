"""The `dout` command: demo, see, check."""

from __future__ import annotations

import ast
import inspect
import operator
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np

from . import __version__
from .check import check
from .errors import not_differentiable
from .see import see
from .trace import given_to, is_layer, not_inputs


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

    A VALUE is a number, such as 100, 1/3, 2**10 or nan; a list of numbers, which becomes an array of floats; another Python
    literal; or else text. Ints stay ints, and one for a parameter annotated int is no input.

    For example: dout see shop.py:price apple=100 number=2 tax=1.1
    """
    path, name, found = _load(target)
    args, kwargs = _arguments(found, f"see {target}", name, pairs, keep_ints=True)
    try:
        text = see(found, *args, **kwargs).text()
    except Exception as error:
        raise _said(error, path, _texts(found, name, args, kwargs)) from error
    click.echo(text)


@main.command("check")
@click.argument("target", metavar="FILE:NAME")
@click.argument("pairs", metavar="[NAME=VALUE]...", nargs=-1)
def check_command(target: str, pairs: tuple[str, ...]) -> None:
    """Compare the derivatives of a function or a layer with numerical ones.

    A layer is a class with forward and backward, or an object of one. A VALUE is as in dout see, but a number becomes a
    float, unless its parameter is annotated int. The exit status is 1 unless every derivative is right.

    For example: dout check shop.py:price apple=100 number=2 tax=1.1
    """
    path, name, found = _load(target)
    args, kwargs = _arguments(found, f"check {target}", name, pairs, keep_ints=False)
    try:
        report = check(found, *args, **kwargs)
    except Exception as error:
        raise _said(error, path, _texts(found, name, args, kwargs)) from error
    click.echo(str(report))
    given, defaults, _ = given_to(found, args, kwargs)
    fixed = [f"{key} is held fixed: it is given by keyword" for key, v in kwargs.items() if not not_differentiable(v)]
    hint = [] if report.problem is None else _texts(found, name, args, kwargs)
    for note in [*not_inputs(given, defaults, "check"), *fixed, *hint]:
        click.echo(f"  {note}")
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


def _said(error: Exception, path: Path, hints: Sequence[str] = ()) -> click.ClickException:
    """An error in the user's file in one line, with its place."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = "" if line is None else f", line {line}"
    message = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    said = "; ".join([message, *getattr(error, "__notes__", ()), *hints])
    return click.ClickException(f"{path}{where}: {type(error).__name__}: {said}")


def _texts(found: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """A hint at what came as text, for a function that failed."""
    given, _, _ = given_to(found, args, kwargs)
    texts = [f"{g.name}={g.value!r}" for g in given if isinstance(g.value, str)]
    return [f"{', '.join(texts)} came as text; does {name} need a number there?"] if texts else []


def _arguments(
    found: Any, command: str, name: str, pairs: tuple[str, ...], keep_ints: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The values for a function's parameters, or those of a layer's forward, from name=value pairs."""
    try:
        signature = inspect.signature(found.forward if is_layer(found) else found)
    except ValueError:
        raise click.UsageError(f"{name} doesn't say what its parameters are; wrap it in a function that does") from None
    kinds = inspect.Parameter
    stars = {p.kind: p for p in signature.parameters.values() if p.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)}
    listed, rest = stars.get(kinds.VAR_POSITIONAL), stars.get(kinds.VAR_KEYWORD)
    named = {p.name: p for p in signature.parameters.values() if p.kind not in stars}
    texts: dict[str, str] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"expected name=value, such as {next(iter(named), 'x')}=1.5, got {pair!r}")
        if key not in named and rest is None:
            raise click.UsageError(
                f"{name} has no parameter {key!r}; it has {', '.join(named) or 'none'}{_star(listed)}"
            )
        if key in texts:
            raise click.UsageError(f"{key} is given twice")
        texts[key] = text
    if listed is not None and not (named or texts):
        raise click.UsageError(f"{name} has no parameters with names{_star(listed)}")
    values = {key: _value(key, text, _annotation(named.get(key, rest)), keep_ints) for key, text in texts.items()}
    missing = [p.name for p in named.values() if p.default is p.empty and p.name not in texts]
    if missing:
        example = " ".join(
            f"{key}={texts.get(key, _example(_annotation(p)))}" for key, p in named.items() if key in {*texts, *missing}
        )
        raise click.UsageError(f"{name} needs a value for {', '.join(missing)}. For example: dout {command} {example}")
    bound = signature.bind_partial()
    bound.arguments = {key: values[key] for key in named if key in values}
    return bound.args, bound.kwargs | {key: value for key, value in values.items() if key not in named}


def _star(listed: inspect.Parameter | None) -> str:
    if listed is None:
        return ""
    return f"; arguments by name can't be given to *{listed.name}, so wrap it in a function with a name for each"


def _example(kind: str) -> str:
    return {"int": "2", "str": "text", "bool": "True"}.get(kind, "1.5")


def _annotation(parameter: inspect.Parameter | None) -> str:
    """The name of the type that a parameter is annotated with."""
    annotation = getattr(parameter, "annotation", "")
    return str(getattr(annotation, "__name__", annotation))


def _value(name: str, text: str, kind: str, keep_ints: bool) -> Any:
    """What a text on the command line means for a parameter with this annotation."""
    if kind == "str":
        return text
    text = text.strip()
    if not text:
        raise click.UsageError(f"{name}= has no value; give one, such as {name}={_example(kind)}")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        array = ", ".join(f"{float(part):g}" for part in text.split(","))
        raise click.UsageError(
            f"{name}: {text} has a comma; write {text.replace(',', '')} for one number, or [{array}] for an array"
        )
    value = _literal(name, text)
    if isinstance(value, tuple):
        raise click.UsageError(f"{name}: {text} has a comma; write {list(value)} for an array")
    if isinstance(value, str) and text[0] in "[({":
        raise click.UsageError(f"{name}: expected a list of numbers, got {text}")
    wanted = {"int": int, "float": int | float, "complex": int | float | complex, "bool": bool}.get(kind)
    if wanted is not None and not isinstance(value, wanted | list):
        raise click.UsageError(f"{name} is annotated {kind}, got {text}")
    return _converted(name, text, value, keep_ints or kind == "int", kind == "int")


def _converted(name: str, text: str, value: Any, keep_ints: bool, keep_int_arrays: bool) -> Any:
    """Lists as arrays, in dicts too, and ints as floats where they are not kept."""
    if isinstance(value, dict):
        return {key: _converted(name, text, v, keep_ints, keep_int_arrays) for key, v in value.items()}
    if isinstance(value, list | tuple):
        try:
            array = np.array(value)
        except (ValueError, OverflowError):  # rows of different lengths
            array = np.array(None)
        if array.dtype.kind not in "biufc":
            raise click.UsageError(f"{name}: expected a list of numbers, with rows of the same length, got {text}")
        return array.astype(float) if array.dtype.kind in "iu" and not keep_int_arrays else array
    if type(value) is int and not keep_ints:
        try:
            return float(value)
        except OverflowError:
            raise click.UsageError(f"{name}: {text} is too large for a float") from None
    return value


def _literal(name: str, text: str) -> Any:
    """The value of a literal or of arithmetic between numbers; what is neither is text."""
    try:
        return _evaluated(ast.parse(text, mode="eval").body)
    except ZeroDivisionError:
        raise click.UsageError(f"{name}: {text} divides by zero") from None
    except OverflowError:
        raise click.UsageError(f"{name}: {text} is too large a number") from None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return text


def _evaluated(node: ast.expr) -> Any:
    """The value of a literal, of nan and inf, and of + - * / ** between numbers; no name is looked up, nothing called."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name() if node.id.lower() in ("nan", "inf"):
            return float(node.id)
        case ast.List():
            return [_evaluated(item) for item in node.elts]
        case ast.Tuple():
            return tuple(_evaluated(item) for item in node.elts)
        case ast.Dict():
            keys = [_evaluated(key) for key in node.keys if key is not None]
            return dict(zip(keys, map(_evaluated, node.values), strict=True))
        case ast.UnaryOp() if type(node.op) in _SIGNS:
            return _SIGNS[type(node.op)](_number(node.operand))
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return _ARITHMETIC[type(node.op)](_number(node.left), _number(node.right))
    raise ValueError("no literal")


def _number(node: ast.expr) -> Any:
    value = _evaluated(node)
    if type(value) not in (int, float, complex):
        raise TypeError("no number")
    return value


def _power(x: Any, y: Any) -> Any:
    if type(x) is type(y) is int and y * x.bit_length() > BITS:
        raise OverflowError
    return x**y


#: How long an int a power on the command line may give; that of the largest float has 1024.
BITS = 4096
_SIGNS: dict[type, Any] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_ARITHMETIC: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
}

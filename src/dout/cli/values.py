"""What NAME=VALUE means: the arguments of a function from texts."""

from __future__ import annotations

import ast
import inspect
import operator
import re
from typing import Any

import click
import numpy as np

from ..trace import is_layer


def arguments_of(
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

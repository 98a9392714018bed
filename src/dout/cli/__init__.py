"""The `dout` command: demo, see, check."""

from __future__ import annotations

import sys

import click

from .. import __version__
from ..check import check
from ..errors import not_differentiable
from ..trace import given_to, not_inputs
from .seeing import see_command
from .targets import hints_of, load, said_of
from .values import arguments_of


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dout")
def main() -> None:
    """Backpropagation that you can see and check, on plain NumPy code."""


@main.command("demo")
def demo_command() -> None:
    """See a graph, check a network, and train it to read digits, in a few seconds."""
    from .. import demo  # it trains a network; the other commands need none of that

    demo.run()


main.add_command(see_command)


@main.command("check")
@click.argument("target", metavar="FILE:NAME")
@click.argument("pairs", metavar="[NAME=VALUE]...", nargs=-1)
def check_command(target: str, pairs: tuple[str, ...]) -> None:
    """Compare the derivatives of a function or a layer with numerical ones.

    A layer is a class with forward and backward, or an object of one. A VALUE is as in dout see, but a number becomes a
    float, unless its parameter is annotated int. The exit status is 1 unless every derivative is right.

    For example: dout check shop.py:price apple=100 number=2 tax=1.1
    """
    path, name, found = load(target)
    args, kwargs = arguments_of(found, f"check {target}", name, pairs, keep_ints=False)
    try:
        report = check(found, *args, **kwargs)
    except Exception as error:
        raise said_of(error, path, hints_of(found, name, args, kwargs)) from error
    click.echo(str(report))
    given, defaults, _ = given_to(found, args, kwargs)
    fixed = [f"{key} is held fixed: it is given by keyword" for key, v in kwargs.items() if not not_differentiable(v)]
    hint = [] if report.problem is None else hints_of(found, name, args, kwargs)
    for note in [*not_inputs(given, defaults, "check"), *fixed, *hint]:
        click.echo(f"  {note}")
    if not report:
        sys.exit(1)

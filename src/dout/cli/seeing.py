"""`dout see`: a graph as text, in files, in the browser, or in a small app that recomputes it."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..see import Picture, see
from ..see.again import said
from ..see.words import say
from .targets import Neighbours, hints_of, load, said_of
from .values import arguments_of


@click.command("see")
@click.argument("target", metavar="FILE:FUNC")
@click.argument("pairs", metavar="[NAME=VALUE]...", nargs=-1)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write it instead: .svg, .html, .png, .pdf, .json or .txt. May be given several times.",
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser, as a page that works offline.")
@click.option(
    "--serve", is_flag=True, help="Run a small local app, which computes again for each slider moved and each save."
)
@click.option("--no-browser", is_flag=True, help="With --serve: only print the address.")
@click.option("--steps", is_flag=True, help="As text, one step after another, in words and numbers.")
@click.option("--numerical", is_flag=True, help="Compare every derivative with a numerical one.")
@click.option("--lang", type=click.Choice(["en", "zh"]), envvar="DOUT_LANG", help="The language of the picture.")
@click.option("--unfold", multiple=True, metavar="all|none|NAME", help="Which layers and folds start open.")
@click.option("--formulas", is_flag=True, help="Show each derivative as a formula.")
@click.option("--sizes", is_flag=True, help="Show the sizes of derivatives as thickness.")
@click.option("--paths", metavar="NAME", help="Show by which paths an input reaches the output.")
@click.option("--layout", type=click.Choice(["dout", "graphviz"]), help="What places the nodes.")
def see_command(
    target: str,
    pairs: tuple[str, ...],
    outputs: tuple[str, ...],
    show: bool,
    serve: bool,
    no_browser: bool,
    steps: bool,
    numerical: bool,
    lang: str | None,
    unfold: tuple[str, ...],
    **drawing: Any,
) -> None:
    """Run a function and print its graph, with every value and every derivative.

    A VALUE is a number, such as 100, 1/3, 2**10 or nan; a list of numbers, which becomes an array of floats; another Python
    literal; or else text. Ints stay ints, and one for a parameter annotated int is no input.

    For example: dout see shop.py:price apple=100 number=2 tax=1.1
    """
    if serve and (outputs or show or steps):
        raise click.UsageError("--serve goes alone: without --output, --open and --steps")
    if steps and (outputs or show):
        raise click.UsageError("--steps is about text: leave out --output and --open")
    if no_browser and not serve:
        raise click.UsageError("--no-browser goes with --serve")
    opened = unfold[0] if len(unfold) == 1 and unfold[0] in ("all", "none") else list(unfold)
    options = {key: value for key, value in {"lang": lang, "open": opened, **drawing}.items() if value}
    if serve:
        _serve(target, pairs, numerical, options, not no_browser)
        return
    picture = _seen(target, pairs, numerical)
    if outputs or show:
        _write(picture, outputs, show, options)
        return
    wanted: dict[str, Any] = {"steps": steps, "colour": _coloured(), "lang": lang}
    click.echo(picture.text(**{key: value for key, value in wanted.items() if value}), color=True)
    if numerical and not steps and not any(line.startswith("≠") for line in picture.alarms(lang)):
        click.echo("\n" + say("numerical.none.wrong", lang))


def _seen(target: str, pairs: tuple[str, ...], numerical: bool) -> Picture:
    path, name, found = load(target)
    args, kwargs = arguments_of(found, f"see {target}", name, pairs, keep_ints=True)
    try:
        return see(found, *args, numerical=numerical, **kwargs)
    except Exception as error:
        raise said_of(error, path, hints_of(found, name, args, kwargs)) from error


def _coloured() -> bool:
    """Whether what is printed arrives at a terminal that shows colours, and NO_COLOR doesn't ask for none."""
    from rich.console import Console

    console = Console()
    return console.color_system is not None and not console.no_color


def _write(picture: Picture, outputs: Sequence[str], show: bool, options: dict[str, Any]) -> None:
    """Save the picture in each file; open the page: one of these if there is one, else a temporary one."""
    for output in outputs:
        text = {key: value for key, value in options.items() if key == "lang"}  # text is not drawn
        _save(picture, Path(output), text if output.lower().endswith(".txt") else options)
        click.echo(f"wrote {output}")
    if not show:
        return
    pages = [Path(output) for output in outputs if output.lower().endswith(".html")]
    page = pages[0] if pages else Path(tempfile.mkdtemp(prefix="dout-")) / "picture.html"
    if not pages:
        _save(picture, page, options)
    click.echo(str(page.resolve()))
    if not webbrowser.open(page.resolve().as_uri()):
        click.echo("no browser was found; open that file in one", err=True)


def _save(picture: Picture, path: Path, options: dict[str, Any]) -> None:
    try:
        picture.save(path, **options)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
    except (ImportError, ValueError) as error:
        raise click.ClickException(" ".join(str(error).split())) from error


def _serve(target: str, pairs: tuple[str, ...], numerical: bool, options: dict[str, Any], browser: bool) -> None:
    """Run the app until Ctrl-C. What is wrong at the beginning ends it at once; later it is shown in the page."""
    try:
        from ..see.serve import serve  # needs a server library
    except ImportError as error:
        raise click.ClickException(str(error)) from error
    sys.dont_write_bytecode = True  # compiled files go by the second: too slow for one who saves twice in it
    neighbours = Neighbours(Path(target.rpartition(":")[0]))

    def run() -> Picture:
        neighbours.forget()
        return _seen(target, pairs, numerical)

    serve(run, neighbours.folders, told=_told, options=options, browser=browser, say=click.echo)


def _told(error: BaseException) -> str:
    """An error as the page shows it: with the place in the user's file, and the line itself."""
    if isinstance(error, click.UsageError):
        return error.format_message()
    return said(error.__cause__ if isinstance(error, click.ClickException) and error.__cause__ else error)

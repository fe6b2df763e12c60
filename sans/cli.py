"""The command line: every command of `sans`, each from a module of `sans.commands`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import sans
from sans.commands import (
    bench,
    compress,
    datasets,
    decompress,
    evaluate,
    inspect,
    kernels,
    reproduce,
    search,
    sweep,
    train,
)
from sans.commands.console import expected_errors, explain_compilation, print_anywhere
from sans.compilation.sharing import tell_once

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sans {sans.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Describe signals and images by a few spikes of a few learned kernels."""


app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(kernels.kernels)
app.command()(sweep.sweep)
app.command()(search.search)
app.command()(reproduce.reproduce)
app.command()(compress.compress)
app.command()(decompress.decompress)
app.command()(inspect.inspect)
app.command()(bench.bench)
app.add_typer(datasets.app, name="datasets")


def run() -> None:
    """Run the command line in a process of its own, which ends with the exit status."""
    try:
        with expected_errors():  # of help and of the version, which no command prints
            print_anywhere()
            tell_once(explain_compilation)
            app(prog_name="sans")
    except typer.Exit as ended:
        sys.exit(ended.exit_code)

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
    fill,
    inspect,
    kernels,
    reproduce,
    search,
    sweep,
    train,
)
from sans.commands.console import expected_errors, explain_compilation, print_anywhere
from sans.commands.help import Command, Group, wrapped
from sans.compilation.sharing import tell_once

START = """\
Describe signals and images by a few spikes of a few learned kernels.

Begin without data of your own, on a synthetic ECG:

  sans search --budget 20s
  sans evaluate --against wavelet,dct
  sans kernels --output kernels.png

The first finds kernels, the second scores them beside wavelets and cosines, \
the third draws them.

Then take a recording of yours, with --dataset FILE, or make it small:
sans compress FILE. All commands: sans --help. All options of one: sans train --help.
"""
"""What is shown to a user who has not said what to do."""

HELP = {"help_option_names": ["--help", "-h"]}

app = typer.Typer(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sans {sans.__version__}")
        raise typer.Exit


def _show_start(wanted: bool) -> None:
    if wanted:
        typer.echo(wrapped(START), nl=False)
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
    start: Annotated[  # noqa: ARG001
        bool,
        typer.Option("-h", callback=_show_start, is_eager=True, help="Show how to begin."),
    ] = False,
) -> None:
    """Describe signals and images by a few spikes of a few learned kernels."""
    if context.invoked_subcommand is None:
        _show_start(True)


COMMANDS = {
    "Networks": (
        train.train,
        search.search,
        evaluate.evaluate,
        kernels.kernels,
        sweep.sweep,
        reproduce.reproduce,
    ),
    "Recordings": (
        compress.compress,
        decompress.decompress,
        inspect.inspect,
        fill.fill,
        bench.bench,
    ),
}
"""The commands, as the help of all of them has them in groups."""

for _group, _commands in COMMANDS.items():
    for _command in _commands:
        app.command(cls=Command, context_settings=HELP, rich_help_panel=_group)(_command)
_datasets = typer.Typer(cls=Group, context_settings=HELP, rich_markup_mode=None)
_datasets.callback(invoke_without_command=True)(datasets.datasets)
_datasets.command(cls=Command, context_settings=HELP)(datasets.fetch)
app.add_typer(_datasets, name="datasets", rich_help_panel="Data")


def run() -> None:
    """Run the command line in a process of its own, which ends with the exit status."""
    try:
        with expected_errors():  # of help and of the version, which no command prints
            print_anywhere()
            tell_once(explain_compilation)
            app(prog_name="sans")
    except typer.Exit as ended:
        sys.exit(ended.exit_code)

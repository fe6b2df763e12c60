"""`sans reproduce`: do a published experiment again, and show our figures beside the published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    fail,
    notice,
    out,
    print_json,
    print_table,
    usage_errors,
)
from sans.configs import check_name
from sans.configs.reproduction import ReproductionOptions

if TYPE_CHECKING:
    from rich.table import Table

    from sans.engines import Engine
    from sans.reproduction import Reproduction
    from sans.reproduction.tables import ComparisonTable

EXPERIMENTS = ("physionet", "uci-epilepsy", "mnist", "fashion-mnist")


@o.command()
def reproduce(
    experiment: Annotated[
        str,
        typer.Argument(
            help=f"One of {', '.join(EXPERIMENTS)}.",
            show_default=False,
            autocompletion=lambda: EXPERIMENTS,
        ),
    ],
    options: ReproductionOptions,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    output: Annotated[
        Path | None,
        o.output_folder("The folder. Default: reproduction/EXPERIMENT."),
    ] = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Do a published experiment again on the data here, and compare.

    A second call with the same options goes on where the first was stopped.

    Examples:
        sans reproduce physionet --quick
        sans reproduce mnist --seeds 5 --corrected
    """
    from sans import reproduction
    from sans.configs.toml import OPTIONS_FILE, write_options
    from sans.engines import Engine
    from sans.errors import ModelError
    from sans.files.leftovers import alone_in

    with usage_errors():
        check_name("published experiment", experiment, reproduction.RECIPES)
        engine = Engine(workers=workers, scheduler=scheduler)
        name = f"{experiment}-quick" if options.quick else experiment
        folder = output or Path("reproduction") / name
        found = reproduction.prepare(reproduction.RECIPES[experiment], options, folder)
    for sentence in found.notices:
        notice(sentence)
    if force:
        engine.check()  # before anything is cleared
    with alone_in(folder, ModelError):
        found.open(force)
        write_options(folder / OPTIONS_FILE, "reproduce", options, experiment=experiment)
        with _stoppable(folder, force):
            _work(found, engine)
            shown = found.report()
    if json:
        print_json({"folder": str(folder), **found.summary(), "rows": shown.records()})
    else:
        _print(found, shown)


def _work(found: Reproduction, engine: Engine) -> None:
    """Train networks and classifiers, and search, with a progress bar each."""
    from sans.commands.progress import counted

    what = f"reproduce {found.recipe.title}"
    with counted(found.networks, "networks", err, what) as advance:
        found.train(engine, advance)
    exams = len({(id(study), exam.name) for study, exam in found.exams()})
    if exams:
        with counted(exams, "classifiers", err, what) as advance:
            found.examine(engine, advance)
    if found.searches:
        with counted(found.searches, "searches", err, what) as advance:
            found.search(engine, advance)


@contextmanager
def _stoppable(folder: Path, force: bool) -> Iterator[None]:
    """Turn Ctrl-C into one line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise fail(
            f"stopped; what is finished is kept in {folder}, and the same command "
            f"{'without --force ' if force else ''}goes on",
            INTERRUPTED,
        ) from None


def _print(found: Reproduction, shown: ComparisonTable) -> None:
    """Print the table, the accuracies on raw signals, and where everything lies."""
    from sans.reproduction.searches import words

    seeds = found.options.seeds
    over = f"medians of {seeds} seeds" if seeds > 1 else f"seed {found.options.seed}"
    quick = f", quick: {found.recipe.quick}" if found.options.quick else ""
    title = f"{found.recipe.title}, {over}{quick}"
    print_table(_table(shown, title), _table(shown.narrow, title))
    if (raw := found.raw()) is not None:
        published = found.recipe.raw_accuracy
        out.print(f"accuracy on raw signals: {raw:.1f} %, published {published} %")
        if found.options.corrected:
            out.print(f"accuracy on raw signals, corrected: {found.raw(best=True):.1f} %")
    if (budget := found.options.search) is not None:
        means = f", means of {seeds} seeds" if seeds > 1 else ""
        out.print(f"pursuit φ̄: kernels of a search of {words(budget)}{means}")
    out.print(f"tables and pictures: {found.folder}", markup=False)


def _table(shown: ComparisonTable, title: str) -> Table:
    from sans.commands.tables import table_of

    words = [column.head for column in shown.columns if column.digits is None]
    return table_of(title, shown.heads, shown.cells, words)

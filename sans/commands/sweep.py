"""`sans sweep`: train networks of many kernel sizes and activations at once, and compare them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    fail,
    notice,
    number,
    out,
    print_json,
    print_table,
    usage_errors,
)
from sans.configs import TrainOptions
from sans.configs.grid import SELECTIONS, Grid
from sans.datasets import DataConfig
from sans.errors import ReaderGoneError, SansError
from sans.figures import METRICS
from sans.options import TRAINING, options_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sans.engines import Engine
    from sans.sweeps import Network, Sweep, SweepFolder


TRAINED = ("epochs", "batch_size", "lr", "seed", "start", "device")
"""What a sweep lets a user choose of the training."""

NOT_SWEPT = frozenset(options_of(TrainOptions)) - set(TRAINED)


@o.command()
def sweep(
    data: DataConfig = o.some(
        about={"dataset": "What `sans train` takes; several data sets with commas between."}
    ),
    grid: Grid = o.some(),
    training: TrainOptions = o.some(
        *TRAINED,
        about={"seed": "Seed of the start and of the order of the signals; the first of several."},
    ),
    select: Annotated[
        str,
        typer.Option(
            metavar=f"[{'|'.join(SELECTIONS)}]",
            help="Part whose φ̄ chooses the best; the published tables chose by test.",
            autocompletion=lambda: SELECTIONS,
            rich_help_panel=TRAINING,
        ),
    ] = SELECTIONS[0],
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    output: Annotated[
        Path | None,
        o.output_folder(
            "The folder, with one below it for each of several data sets. Default: sweeps/DATASET."
        ),
    ] = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Train many kernel sizes and activations, and show the best.

    A network is trained for each. A second call with the same options goes on where the first was
    stopped.

    Examples:
        sans sweep --dataset mitdb --kernel-size 1:249
        sans sweep --activation topk,extrema --kernel-size 15:18 --seeds 3
    """
    from sans import sweeps
    from sans.configs.toml import write_options
    from sans.datasets import resolve
    from sans.engines import Engine

    with usage_errors():
        sweeps.check_selection(select)
        engine = Engine(workers=workers, scheduler=scheduler)
        sets = [resolve(replace(data, dataset=name)) for name in o.names(data.dataset)]
        planned = [sweeps.prepare(one, grid, training) for one in dict.fromkeys(sets)]
    pairs = list(zip(planned, sweeps.folders(planned, output), strict=True))
    for each, folder in pairs:
        if not force:
            folder.check(each.values)
    if force:
        engine.check()  # before anything is cleared
    with ExitStack() as stack:
        for _, folder in pairs:
            stack.enter_context(folder.alone())
        for each, folder in pairs:
            for sentence in each.notices:
                notice(sentence)
            folder.open(each.values, force)
            asked = each.settings
            configs = (asked.data, asked.grid, asked.train)
            write_options(folder.options, "sweep", *configs, without=NOT_SWEPT, select=select)
        _train(pairs, engine, force)
        _report_all(pairs, select, json)


def _train(pairs: list[tuple[Sweep, SweepFolder]], engine: Engine, force: bool) -> None:
    """Train with a progress bar; Ctrl-C ends the command and says how to go on."""
    from sans import sweeps
    from sans.commands.progress import counted

    total = sum(each.count for each, _ in pairs)
    what = "sweep " + ", ".join(each.dataset.name for each, _ in pairs)
    try:
        with counted(total, "networks", err, what) as advance:
            sweeps.run_sweeps(pairs, engine, advance)
    except KeyboardInterrupt:
        done = sum(each.trained for each, _ in pairs)
        for each, folder in pairs:
            folder.write_rows(each.rows())
        raise fail(
            f"stopped after {done} of {total} networks, which are kept in "
            f"{', '.join(str(folder.folder) for _, folder in pairs)}; the same command "
            f"{'without --force ' if force else ''}goes on",
            INTERRUPTED,
        ) from None


def _report_all(pairs: list[tuple[Sweep, SweepFolder]], select: str, as_json: bool) -> None:
    """Report every sweep, and fail at the end if one of them has no network to show."""
    failures = []
    for each, folder in pairs:
        try:
            _report(each, folder, select, as_json)
        except ReaderGoneError:
            raise
        except SansError as error:
            failures.append(str(error))
    if failures:
        raise SansError("; ".join(failures))


def _report(sweep: Sweep, folder: SweepFolder, select: str, as_json: bool) -> None:
    """Write the files of a sweep, print its best rows and where it lies."""
    from sans import sweeps
    from sans.commands.tables import table_of

    best = sweeps.report(sweep, folder, select)
    for name in sweep.settings.grid.activation:
        if name not in best:
            notice(f"{name}: all networks of {sweep.dataset.name} diverged")
    notice(f"trained on {sweep.dataset.used('training')}")
    if as_json:
        rows = [network.row.values() for network in best.values()]
        values = {"dataset": sweep.dataset.name, "folder": str(folder.folder), "best": rows}
        print_json({**values, "networks": sweep.count, "select": select})
        return
    title = f"{sweep.dataset.name}, the best of {sweep.count} by {select} φ̄"
    columns, shown = _columns(best), []
    heads = ("activation", "m", "epoch", *columns.values())
    for name, network in best.items():
        row = network.row
        found = row.values()
        counts = (str(row.kernel_size), str(row.epoch))
        shown.append((name, *counts, *(number(found.get(column)) for column in columns)))
    print_table(table_of(title, heads, shown, words=heads[:1]))
    out.print(f"sweep: {folder.folder}", markup=False)


def _columns(best: Mapping[str, Network]) -> dict[str, str]:
    """Return the columns of the table that hold figures, by name, with their headings.

    The files have CR⁻¹ₐ, too, and φₐ also where it is φ, because every network has one kernel.
    """
    hidden = {"addressed_inverse_compression_ratio"}
    if all(network.row.kernels == 1 for network in best.values()):
        hidden.add("phi_addressed")
    phi = METRICS["phi"].head
    more = {
        f"test_{name}": metric.head
        for name, metric in METRICS.items()
        if name not in hidden
        if any(f"test_{name}" in network.row.more for network in best.values())
    }
    return {
        "validation_phi": f"validation {phi}",
        "test_phi": f"test {phi}",
        "test_inverse_compression_ratio": METRICS["inverse_compression_ratio"].head,
        "test_reconstruction_loss": METRICS["reconstruction_loss"].head,
        **more,
        "last_phi": f"last epoch {phi}",
    }

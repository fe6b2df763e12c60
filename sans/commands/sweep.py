"""`sans sweep`: train networks of many kernel sizes and activations at once, and compare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.activations import ACTIVATIONS
from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    expected_errors,
    fail,
    notice,
    number,
    out,
    print_json,
    print_table,
    usage_errors,
)
from sans.errors import ReaderGoneError, SansError
from sans.figures import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sans.engines import Engine
    from sans.sweeps import Network, Sweep, SweepFolder

ALL = "all"


def sweep(
    dataset: Annotated[
        str,
        typer.Option(help="What `sans train` takes; several data sets with commas between."),
    ] = o.DATA.dataset,
    activation: Annotated[
        str, typer.Option(help=f"{ALL}, or some of {', '.join(ACTIVATIONS)} with commas between.")
    ] = ALL,
    kernels: o.KernelCount = o.MODEL.kernels,
    kernel_size: Annotated[
        str, typer.Option(help="Sizes and ranges, e.g. 7,15,31:249; a network for each.")
    ] = "1:249",
    density: Annotated[
        int | None,
        typer.Option(
            help="One for all networks and activations. Default: the paper's rule.",
            show_default=False,
        ),
    ] = None,
    decoder: o.Decoder = o.MODEL.decoder,
    start: o.Start = o.TRAIN.start,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    lr: o.LearningRate = o.TRAIN.lr,
    seed: o.Seed = o.TRAIN.seed,
    seeds: Annotated[int, typer.Option(help="How many seeds, from --seed on.")] = 1,
    device: o.Device = o.TRAIN.device,
    record: o.Record = o.DATA.record,
    channel: o.Channel = o.DATA.channel,
    window: o.Window = o.DATA.window,
    limit: o.Limit = o.DATA.limit,
    split_by: o.SplitBy = o.DATA.split_by,
    data_dir: o.DataDir = o.DATA.data_dir,
    layout: o.ArrayLayout = o.DATA.layout,
    select: Annotated[
        str,
        typer.Option(help="Part whose φ̄ chooses the best: validation, or test as published."),
    ] = "validation",
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="The folder, with one below it for each of several data sets. "
            "Default: sweeps/DATASET.",
            show_default=False,
        ),
    ] = None,
    force: o.Force = False,
    json: Annotated[
        bool, typer.Option("--json", help="One line of JSON for each data set.")
    ] = False,
) -> None:
    """Train a network for each activation and kernel size, all at once, and show the best.

    A second call with the same options goes on where the first was stopped.
    """
    with expected_errors():
        from sans import sweeps
        from sans.datasets import DataConfig, resolve
        from sans.engines import Engine

        with usage_errors():
            sweeps.check_selection(select)
            engine = Engine(workers, scheduler)
            names = tuple(ACTIVATIONS) if activation == ALL else tuple(activation.split(","))
            grid = sweeps.Grid(names, sweeps.ranges(kernel_size), kernels, density, decoder, seeds)
            training = o.chosen(
                epochs=epochs, batch_size=batch_size, lr=lr, seed=seed, start=start, device=device
            )
            data = [
                resolve(
                    DataConfig(name, record, channel, window, limit, split_by, data_dir, layout)
                )
                for name in o.names(dataset)
            ]
            planned = [sweeps.prepare(one, grid, training) for one in dict.fromkeys(data)]
        pairs = list(zip(planned, sweeps.folders(planned, output), strict=True))
        for each, folder in pairs:
            if not force:
                folder.check(each.values)
        if force:
            engine.check()  # before anything is cleared
        for each, folder in pairs:
            for sentence in each.notices:
                notice(sentence)
            folder.open(each.values, force)
        _train(pairs, engine, force)
        _report_all(pairs, select, json)


def _train(pairs: list[tuple[Sweep, SweepFolder]], engine: Engine, force: bool) -> None:
    """Train with a progress bar; Ctrl-C ends the command and says how to go on."""
    from sans import sweeps
    from sans.commands.progress import counted

    total = sum(each.count for each, _ in pairs)
    try:
        with counted(total, "networks", err) as advance:
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
    from rich.markup import escape
    from rich.table import Table

    from sans import sweeps

    best = sweeps.report(sweep, folder, select)
    for name in sweep.settings.grid.activation:
        if name not in best:
            notice(f"{name}: all networks of {sweep.dataset.name} diverged")
    if as_json:
        rows = [network.row.values() for network in best.values()]
        values = {"dataset": sweep.dataset.name, "folder": str(folder.folder), "best": rows}
        print_json({**values, "networks": sweep.count, "select": select})
        return
    table = Table(title=escape(f"{sweep.dataset.name}, the best of {sweep.count} by {select} φ̄"))
    columns = _columns(best)
    table.add_column("activation", no_wrap=True)
    for heading in ("m", "epoch", *columns.values()):
        table.add_column(heading, justify="right")
    for name, network in best.items():
        row = network.row
        found = row.values()
        counts = (str(row.kernel_size), str(row.epoch))
        table.add_row(name, *counts, *(number(found.get(column)) for column in columns))
    print_table(table)
    out.print(f"sweep: {folder.folder}", markup=False)


def _columns(best: Mapping[str, Network]) -> dict[str, str]:
    """Return the columns of the table that hold figures, by name, with their headings."""
    phi = METRICS["phi"].head
    more = {
        f"test_{name}": metric.head
        for name, metric in METRICS.items()
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

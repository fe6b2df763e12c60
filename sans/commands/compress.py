"""`sans compress`: recordings as small files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sans.commands import options as o
from sans.commands.achieved import achieved, unit_of_errors, with_unit
from sans.commands.console import (
    INTERRUPTED,
    binary_input,
    binary_output,
    err,
    expected_errors,
    fail,
    notice,
    number,
    out,
    print_json,
    print_table,
    refuse_existing,
    usage_errors,
)
from sans.errors import SansError

if TYPE_CHECKING:
    from rich.table import Table

    from sans.codec.compression import Options, Summary
    from sans.codec.files import Task
    from sans.codec.headers import Figures
    from sans.codec.planning import Wishes
    from sans.codec.quality import Quality
    from sans.engines import Engine
    from sans.recordings import Track

PIPE = "-"

MOST_ROWS = 32
"""Signals that a table shows."""


def compress(
    recording: Annotated[
        list[str],
        typer.Argument(
            help="A WFDB record, a .npy, .csv, .edf, .bdf, .png or IDX file, several PNG files, a "
            "folder, or - for standard input."
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="The .sans file, the folder for a folder, or - for standard output. "
            "Default: RECORDING.sans here.",
            show_default=False,
        ),
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Every sample comes back as it was. The default.")
    ] = False,
    max_error: Annotated[
        str | None,
        typer.Option(
            help="No sample is off by more: 5 (converter units, or the numbers' own where there "
            "is no converter), 0.01mV (channels in volts), or 0.01mV,2mmHg,5 (5: all others).",
            show_default=False,
        ),
    ] = None,
    prdn: Annotated[
        float | None,
        typer.Option(help="Error of each signal in per cent of it, its mean subtracted."),
    ] = None,
    bits: Annotated[
        float | None, typer.Option(help="Bits a sample that the file takes at most, about.")
    ] = None,
    exact: Annotated[
        list[str] | None,
        typer.Option(
            help="Channels that lose nothing: names or positions, parted by commas. Axes of time, "
            "events and annotations never do.",
            show_default=False,
        ),
    ] = None,
    lossy: Annotated[
        list[str] | None,
        typer.Option(help="Axes and events that need not be exact.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A run's folder or model file, whose kernels are used. "
            "Default: kernels are learned from the recording, where they pay.",
            show_default=False,
        ),
    ] = None,
    kernels: Annotated[
        bool, typer.Option("--kernels/--no-kernels", help="Whether kernels are used at all.")
    ] = True,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="Length of the chunks, which are independent. Default: 131,072 samples.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Samples per second of channels whose recording does not say. Default: what an "
            "axis of even times tells.",
            show_default=False,
        ),
    ] = None,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    force: o.Force = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each file.")] = False,
) -> None:
    """Compress recordings, without loss unless some is allowed; `sans decompress` restores them."""
    with expected_errors():
        with usage_errors():
            quality = _quality(lossless, max_error, prdn, bits)
            if model is not None and not kernels:
                raise ValueError("--model gives kernels, --no-kernels wants none: choose one")
        from sans.codec.compression import Options
        from sans.engines import Engine
        from sans.rehearsals import ahead

        with usage_errors():
            engine = Engine(workers, scheduler)
            options = Options(
                quality,
                _wishes(model, kernels),
                seconds,
                threads_of(workers),
                tuple(exact or ()),
                tuple(lossy or ()),
                rate,
            )
        ahead("prediction" if quality.kind == "lossless" else "pursuit")
        folder = Path(recording[0])
        if len(recording) == 1 and folder.is_dir() and not _is_stack(folder):
            _compress_folder(folder, output, options, engine, force, json)
            return
        _compress_one(recording, output, options, force, json)


def _quality(
    lossless: bool, max_error: str | None, prdn: float | None, bits: float | None
) -> Quality:
    from sans.codec.quality import Quality, asked

    chosen = asked(max_error, prdn, bits)
    if len(chosen) + lossless > 1:
        raise ValueError("give one of --lossless, --max-error, --prdn and --bits")
    return chosen[0] if chosen else Quality()


def _wishes(model: Path | None, kernels: bool) -> Wishes:
    from sans.codec.planning import Wishes

    if model is None:
        return Wishes(learn=kernels)
    from sans.codec.description.learning import unit_kernels
    from sans.errors import ModelError
    from sans.kernels import load_kernels

    try:
        return Wishes(learn=False, given=unit_kernels(list(load_kernels(model))))
    except ValueError as error:
        raise ModelError(f"the model does not fit: {error}") from error


def threads_of(workers: int | None) -> int:
    """Return how many threads share the work: one for each core, unless the user says."""
    from joblib import cpu_count

    return workers or int(cpu_count())


def _is_stack(folder: Path) -> bool:
    """Return whether a folder is one stack of images."""
    names = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return bool(names) and all(path.suffix.lower() == ".png" for path in names)


def _compress_one(
    recording: list[str], output: str | None, options: Options, force: bool, json: bool
) -> None:
    from sans.codec.files import compress_file, stream_name
    from sans.commands.progress import staged

    paths = [Path(each) for each in recording]
    source: Any = paths[0] if len(paths) == 1 else paths
    name = paths[0].name
    if recording == [PIPE]:
        source, name = binary_input(), "recording"
    if output == PIPE:
        _tell(compress_file(source, binary_output(), options))
        return
    target = Path(output) if output else Path(stream_name(Path(name)))
    refuse_existing(target, force)
    with staged(err) as progress:
        summary = compress_file(source, target, options, progress)
    _tell(summary)
    if json:
        print_json({"file": str(target), **values_of(summary)})
        return
    _print_summary(target, summary)


def _tell(summary: Summary) -> None:
    for sentence in summary.notices:
        notice(sentence)


def _compress_folder(
    folder: Path, output: str | None, options: Options, engine: Engine, force: bool, json: bool
) -> None:
    from dataclasses import replace

    from sans.codec.files import tasks_of

    if output is None or output == PIPE:
        raise SansError(f"{folder} is a folder: say with -o FOLDER where its streams go")
    alone = replace(options, threads=1)  # files are done side by side
    tasks = tasks_of(folder, Path(output), alone)
    # A stream that is there is whole: a command that was interrupted goes on behind it.
    left = [task for task in tasks if force or not task.target.exists()]
    if len(left) < len(tasks):
        notice(f"{len(tasks) - len(left)} of {len(tasks)} streams are there, and stay as they are")
    run_all(left, engine, json)


def run_all(tasks: list[Task], engine: Engine, json: bool) -> None:
    """Perform tasks side by side; print a line for each, and a total at the end."""
    from sans.codec.compression import Summary
    from sans.codec.files import Failure, perform
    from sans.commands.progress import counted

    size = samples = stored = 0
    failures = []
    try:
        with counted(len(tasks), "files", err) as advance:
            for position, outcome in engine.run(perform, tasks):
                advance(1)
                task = tasks[position]
                if isinstance(outcome, Failure):
                    failures.append(f"{outcome.source}: {outcome.reason}")
                    continue
                if isinstance(outcome, Summary):
                    _tell(outcome)
                    size, samples = size + outcome.size, samples + outcome.samples
                    stored += outcome.stored_bits
                    if json:
                        print_json({"file": str(task.target), **values_of(outcome)})
                    else:
                        out.print(f"{task.target}  {_line(outcome)}", markup=False)
                elif not json:
                    out.print(str(task.target), markup=False)
    except KeyboardInterrupt:
        raise fail("interrupted; files that are there are whole", INTERRUPTED) from None
    if size and not json:
        ratio = stored / (8 * size)
        out.print(
            f"{len(tasks) - len(failures)} files, {size:,} bytes, {8 * size / max(samples, 1):.4g} "
            f"bits a sample, {ratio:.4g} times smaller",
            markup=False,
        )
    if failures:
        raise SansError(
            f"{len(failures)} of {len(tasks)} files failed: {'; '.join(failures[:3])}"
            + (" …" if len(failures) > 3 else "")
        )


def values_of(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON holds it."""
    from sans.recordings.roles import names_of_exact

    return {
        "bytes": summary.size,
        "samples": summary.samples,
        "bits": summary.bits,
        "ratio": summary.ratio,
        "exact": names_of_exact(summary.tracks),
        "tracks": [
            achieved(row, track) for row, track in zip(summary.figures, summary.tracks, strict=True)
        ],
    }


def _line(summary: Summary) -> str:
    rows = [row for row in summary.figures if row.samples]
    worst = max((row.prdn for row in rows), default=0.0)
    error = f"PRDN {number(worst)} % at most" if worst else "no loss"
    return f"{summary.bits:.4g} bits a sample, {summary.ratio:.4g} times smaller, {error}"


def _print_summary(target: Path, summary: Summary) -> None:
    from rich.markup import escape

    from sans.recordings.roles import names_of_exact

    table = figures_table(summary.figures, summary.tracks)
    table.title = escape(f"{target}, {summary.size:,} bytes")
    print_table(table)
    out.print(
        f"{summary.bits:.4g} bits a sample, {summary.ratio:.4g} times smaller than the converter's"
    )
    lossy = any(row.largest_error for row in summary.figures)
    if lossy and (exact := names_of_exact(summary.tracks)):
        out.print(f"kept exactly: {', '.join(exact)}", markup=False)


def figures_table(figures: Sequence[Figures], tracks: Sequence[Track]) -> Table:
    """Return what was achieved on each signal as a table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    table.add_column("signal")
    for column in ("samples", "missing", "PRD %", "PRD1024 %", "PRDN %", "RMS", "largest error"):
        table.add_column(column, justify="right", no_wrap=True)
    for i, (row, track) in enumerate(zip(figures[:MOST_ROWS], tracks, strict=False)):
        unit = unit_of_errors(track)
        table.add_row(
            escape(track.name or str(i)),
            f"{row.samples:,}",
            f"{row.missing:,}",
            number(row.prd),
            number(row.prd1024),
            number(row.prdn),
            escape(with_unit(row.rms, unit)),
            escape(with_unit(row.largest_error / abs(track.gain or 1.0), unit)),
        )
    if len(figures) > MOST_ROWS:
        table.caption = f"and {len(figures) - MOST_ROWS} more"
    return table

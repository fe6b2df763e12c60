"""`sans compress`: recordings as small files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sans.commands import options as o
from sans.commands.achieved import figures_table, words_of_size
from sans.commands.batches import PIPE, folder_for, run_all, tell, values_of
from sans.commands.console import (
    binary_input,
    binary_output,
    err,
    notice,
    out,
    print_json,
    print_table,
    refuse_existing,
    usage_errors,
)
from sans.datasets import DataConfig
from sans.options import DATA, LOSS, NETWORK, OUTPUT

if TYPE_CHECKING:
    from sans.codec.compression import Options, Summary
    from sans.codec.files import FileTask
    from sans.codec.planning import KernelOptions
    from sans.codec.quality import Quality
    from sans.engines import Engine


@o.command()
def compress(
    recording: Annotated[
        list[str],
        typer.Argument(
            help="A WFDB record, an EDF, BDF, CSV, NPY, NPZ, WAV, FLAC, MAT, PNG or IDX file, "
            "a folder, or - for standard input. Several become a stream each; but PNG files alone "
            "are one stack."
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The .sans file, the folder for several or for a folder, or - for standard "
            "output. Default: RECORDING.sans here.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    lossless: Annotated[
        bool,
        typer.Option(
            "--lossless",
            help="Every sample comes back as it was. The default.",
            rich_help_panel=LOSS,
        ),
    ] = False,
    max_error: Annotated[
        str | None,
        typer.Option(
            metavar="BOUND,…",
            help="No sample is off by more: 5 (converter units, or the numbers' own where there "
            "is no converter), 0.01mV (channels in volts), or 0.01mV,2mmHg,5 (5: all others).",
            show_default=False,
            rich_help_panel=LOSS,
        ),
    ] = None,
    prdn: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Error of each signal in per cent of it, its mean subtracted.",
            rich_help_panel=LOSS,
        ),
    ] = None,
    bits: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Bits a sample that the file takes at most, about.",
            rich_help_panel=LOSS,
        ),
    ] = None,
    exact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,…",
            help="Channels that lose nothing: names or positions, parted by commas. Axes of time, "
            "events and annotations never do.",
            show_default=False,
            rich_help_panel=LOSS,
        ),
    ] = None,
    lossy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,…",
            help="Axes and events that need not be exact.",
            show_default=False,
            rich_help_panel=LOSS,
        ),
    ] = None,
    annotations: Annotated[
        str,
        typer.Option(
            metavar="NAME,…",
            help="Annotation files beside a WFDB record that travel with it: all, none, or "
            "suffixes parted by commas, such as atr,qrs.",
            autocompletion=lambda: ("all", "none"),
            rich_help_panel=DATA,
        ),
    ] = "all",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A run's folder or model file, whose kernels are used. "
            "Default: kernels are learned from the recording, where they pay.",
            show_default=False,
            rich_help_panel=NETWORK,
        ),
    ] = None,
    kernels: Annotated[
        bool,
        typer.Option(
            "--kernels/--no-kernels",
            help="Whether kernels are used at all.",
            rich_help_panel=NETWORK,
        ),
    ] = True,
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Length of the chunks, which are independent. Default: 131,072 samples.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Samples per second of channels whose recording does not say. Default: what an "
            "axis of even times tells.",
            show_default=False,
            rich_help_panel=DATA,
        ),
    ] = None,
    layout: str | None = o.single(DataConfig, "layout"),
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Compress recordings, without loss unless some is allowed.

    `sans decompress` restores them.

    Examples:
        sans compress 100 --prdn 9
        sans compress folder -o streams --workers 4
    """
    with usage_errors():
        quality = _quality(lossless, max_error, prdn, bits)
        if model is not None and not kernels:
            raise ValueError("--model gives kernels, --no-kernels wants none: choose one")
    from sans.codec.compression import Options
    from sans.compilation.rehearsals import ahead
    from sans.engines import Engine
    from sans.recordings.wfdb.annotators import annotators

    with usage_errors():
        engine = Engine(workers=workers, scheduler=scheduler)
        options = Options(
            quality,
            _kernel_options(model, kernels),
            seconds=seconds,
            threads=threads_of(workers),
            exact=tuple(exact or ()),
            lossy=tuple(lossy or ()),
            rate=rate,
            layout=layout,
            annotations=annotators(annotations),
        )
    ahead("prediction" if quality.kind == "lossless" else "pursuit")
    folders = [name for name in recording if _is_folder(Path(name))]
    if folders or (len(recording) > 1 and not _are_images([Path(each) for each in recording])):
        with usage_errors():
            folder = folder_for(recording, folders, output)
        _compress_several(recording, folder, options, engine, force, json)
        return
    _compress_one(recording, output, options, force, json)


def _quality(
    lossless: bool, max_error: str | None, prdn: float | None, bits: float | None
) -> Quality:
    from sans.codec.quality import Quality, asked

    chosen = asked(max_error=max_error, prdn=prdn, bits=bits)
    if len(chosen) + lossless > 1:
        raise ValueError("give one of --lossless, --max-error, --prdn and --bits")
    return chosen[0] if chosen else Quality()


def _kernel_options(model: Path | None, kernels: bool) -> KernelOptions:
    from sans.codec.planning import KernelOptions

    if model is None:
        return KernelOptions(learn=kernels)
    from sans.codec.description.learning import unit_kernels
    from sans.errors import ModelError
    from sans.kernels import load_kernels

    try:
        return KernelOptions(learn=False, given=unit_kernels(list(load_kernels(model))))
    except ValueError as error:
        raise ModelError(f"the model does not fit: {error}") from error


def threads_of(workers: int | None) -> int:
    """Return how many threads share the work: one for each core, unless the user says."""
    from joblib import cpu_count

    return workers or int(cpu_count())


def _is_folder(path: Path) -> bool:
    """Return whether each file of a folder is compressed: it is not one stack of images."""
    if not path.is_dir():
        return False
    names = [each for each in path.iterdir() if not each.name.startswith(".")]
    return not names or not _are_images(names)


def _are_images(paths: Sequence[Path]) -> bool:
    return all(path.suffix.lower() == ".png" for path in paths)


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
        tell(compress_file(source, binary_output(), options))
        return
    target = Path(output) if output else Path(stream_name(Path(name)))
    with usage_errors():
        _check_suffix(target)
    refuse_existing(target, force)
    with staged(err, f"compress {name}") as progress:
        summary = compress_file(source, target, options, progress)
    tell(summary)
    if json:
        print_json({"file": str(target), **values_of(summary)})
        return
    _print_summary(target, summary)


def _compress_several(
    given: list[str], folder: Path, options: Options, engine: Engine, force: bool, json: bool
) -> None:
    from dataclasses import replace

    from sans.codec.existing import is_compressed
    from sans.codec.files import FileTask, stream_name, tasks_of, without_clashes

    alone = replace(options, threads=1)  # files are done side by side

    def tasks(path: Path) -> list[FileTask]:
        if _is_folder(path):
            return tasks_of(path, folder, alone)
        return [FileTask(path, folder / stream_name(path), alone)]

    wanted = without_clashes(
        [task for path in dict.fromkeys(map(Path, given)) for task in tasks(path)]
    )
    # A stream that is there is whole: a command that was interrupted goes on behind it.
    left = [task for task in wanted if force or not is_compressed(task.target)]
    if there := len(wanted) - len(left):
        notice(f"{there} of {len(wanted)} streams are there, and stay as they are")
    run_all(left, engine, json, "compress")


def _check_suffix(target: Path) -> None:
    """Raise a `ValueError` if a stream would get the name of another kind of file."""
    from sans.codec.files import SUFFIX
    from sans.recordings.formats import by_name

    if (kind := by_name(target)) is not None:
        raise ValueError(
            f"a stream is no {kind.title} file: its name ends in {SUFFIX}, not as "
            f"{target.name} does"
        )


def _print_summary(target: Path, summary: Summary) -> None:
    from rich.markup import escape

    from sans.recordings.roles import names_of_exact

    table = figures_table(summary.figures, summary.tracks)
    table.title = escape(f"{target}, {summary.size:,} bytes")
    print_table(table)
    words = words_of_size(summary.size, summary.samples, summary.stored_bits)
    out.print(f"{words} than the converter's" if summary.ratio else words)
    lossy = any(row.largest_error for row in summary.figures)
    if lossy and (exact := names_of_exact(summary.tracks)):
        out.print(f"kept exactly: {', '.join(exact)}", markup=False)
    if summary.annotations:
        out.print(f"annotations with it: {', '.join(summary.annotations)}", markup=False)

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
from sans.configs.compression import CompressionOptions

if TYPE_CHECKING:
    from sans.codec.compression import Options, Summary
    from sans.codec.files import FileTask
    from sans.codec.planning import KernelOptions
    from sans.engines import Engine


Recordings = Annotated[
    list[str],
    typer.Argument(
        help="A WFDB record, an EDF, BDF, CSV, NPY, NPZ, WAV, FLAC, MAT, PNG or IDX file, "
        "a folder, or - for standard input. Several become a stream each; but PNG files alone "
        "are one stack."
    ),
]
Output = Annotated[
    str | None,
    o.output_path(
        "The .sans file, the folder for several or for a folder, or - for standard "
        "output. Default: RECORDING.sans here."
    ),
]


@o.command()
def compress(
    recording: Recordings,
    output: Output = None,
    wanted: CompressionOptions = o.some(),
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
    from sans.compilation.rehearsals import ahead
    from sans.engines import Engine

    with usage_errors():
        engine = Engine(workers=workers, scheduler=scheduler)
        options = wanted.for_codec(_kernel_options(wanted), threads_of(workers))
    ahead("prediction" if options.quality.kind == "lossless" else "pursuit")
    folders = [name for name in recording if _is_folder(Path(name))]
    if folders or (len(recording) > 1 and not _are_images([Path(each) for each in recording])):
        with usage_errors():
            folder = folder_for(recording, folders, output)
        _compress_several(recording, folder, options, engine, force, json)
        return
    _compress_one(recording, output, options, force, json)


def _kernel_options(wanted: CompressionOptions) -> KernelOptions:
    """Return which kernels may be used: those of a model, which is read, or others.

    Raises:
        ModelError: if the kernels of the model do not fit the codec.
    """
    from sans.codec.planning import KernelOptions

    if wanted.model is None:
        return KernelOptions(learn=wanted.kernels)
    from sans.codec.description.learning import unit_kernels
    from sans.errors import ModelError
    from sans.kernels import load_kernels

    found = load_kernels(wanted.model)
    if found.config.leads > 1:
        raise ModelError(
            f"the model is for {found.config.leads} leads: recordings are coded lead by lead, with "
            "kernels of one"
        )
    if found.config.cosines:
        raise ModelError("the model describes signals by cosines: recordings are coded by kernels")
    try:
        return KernelOptions(learn=False, given=unit_kernels(list(found)))
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

"""`sans decompress`: recordings back from streams."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from sans.commands import options as o
from sans.commands.compress import PIPE, run_all, threads_of
from sans.commands.console import (
    binary_input,
    binary_output,
    err,
    expected_errors,
    notice,
    out,
    refuse_existing,
    usage_errors,
)
from sans.errors import SansError

if TYPE_CHECKING:
    from sans.codec.files import Progress
    from sans.codec.recovery import Recovery

EVER = 1e15
"""More seconds than any recording has."""


def decompress(
    stream: Annotated[
        str, typer.Argument(help="A .sans file, a folder of them, or - for standard input.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="The file, the WFDB record, or the folder, or - for standard output. Its suffix "
            "decides on the kind: the same, or another. Default: named after the stream, here.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        float | None, typer.Option(help="Seconds from which on; only a part is decoded, as .npy.")
    ] = None,
    end: Annotated[float | None, typer.Option(help="Seconds up to which.")] = None,
    recover: Annotated[
        bool, typer.Option("--recover", help="Restore what is whole of a damaged file.")
    ] = False,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    force: o.Force = False,
) -> None:
    """Restore the recording that a stream was made of, as the same kind of file or another."""
    with expected_errors():
        from sans.codec.converting import seekable
        from sans.codec.files import (
            decompress_file,
            extract_file,
            format_of,
            loses_nothing,
            recover_file,
            restored_name,
            streams_of,
        )
        from sans.commands.progress import staged
        from sans.engines import Engine
        from sans.recordings.writing import kind_named
        from sans.rehearsals import ahead

        with usage_errors():
            engine = Engine(workers, scheduler)
            part = start is not None or end is not None
            if part and (recover or stream == PIPE):
                raise ValueError("--start and --end want a whole file: not a pipe, nor --recover")
            if not all(math.isfinite(place) for place in (start or 0.0, end or 0.0)):
                raise ValueError("--start and --end are numbers of seconds")
        path = Path(stream)
        if path.is_dir():
            if part or recover or output in (None, PIPE):
                raise SansError(f"{path} is a folder: say with -o FOLDER where recordings go")
            tasks = streams_of(path, Path(output or ""), force)
            for task in tasks:
                refuse_existing(task.target, force)
            run_all(tasks, engine, json=False)
            return
        if stream != PIPE:
            ahead("prediction" if loses_nothing(path) else "drawing")
        source = binary_input() if stream == PIPE else path
        last = EVER if end is None else end
        if output == PIPE:
            if part:
                extract_file(path, binary_output(), start or 0.0, last)
            elif recover:
                _tell_missing(recover_file(source, binary_output()))
            else:
                decompress_file(source, binary_output(), threads_of(workers))
            return
        if output is None and stream == PIPE:
            raise SansError("a stream from a pipe has no name: say with -o where it goes")
        if part:
            target = Path(output or f"{path.stem}-part.npy")
            refuse_existing(target, force)
            samples = extract_file(path, target, start or 0.0, last)
            out.print(f"{target}: {samples:,} samples", markup=False)
            return
        target = Path(output) if output else Path(restored_name(path))
        with usage_errors():
            kind = kind_named(target) if output else None
        refuse_existing(target, force)
        with seekable(source) as file, staged(err) as progress:
            if kind not in (None, format_of(file)):
                _convert(file, target, kind, recover, progress, force)
            elif recover:
                _tell_missing(recover_file(file, target, progress, force))
            else:
                decompress_file(file, target, threads_of(workers), progress, force)
        out.print(str(target), markup=False)


def _convert(
    source: Path | BinaryIO,
    target: Path,
    kind: str,
    recover: bool,
    progress: Progress,
    force: bool,
) -> None:
    """Restore a recording as another kind of file, and say what that does not have."""
    from sans.codec.converting import convert_file, recover_as

    with usage_errors():
        if recover:
            found, notices = recover_as(source, target, kind, progress, force)
            _tell_missing(found)
        else:
            notices = convert_file(source, target, kind, progress, force)
    for sentence in notices:
        notice(sentence)


def _tell_missing(found: Recovery) -> None:
    """Say which parts of a recording are lost."""
    from sans.codec.recovery import seconds_of

    for span in found.missing:
        notice(f"missing: {seconds_of(found.start, span)}")

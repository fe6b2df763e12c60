"""`sans decompress`: recordings back from streams."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from sans.codec.recovery import Recovery
    from sans.codec.starts import Start

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
            help="The file, the WFDB record, or the folder, or - for standard output. "
            "Default: named after the stream, here.",
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
    max_output: o.MaxOutput = None,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    force: o.Force = False,
) -> None:
    """Restore the recording that a stream was made of, as the same kind of file."""
    with expected_errors():
        from sans.codec.bounds import bytes_of
        from sans.codec.files import (
            decompress_file,
            extract_file,
            loses_nothing,
            recover_file,
            restored_name,
            streams_of,
        )
        from sans.commands.progress import staged
        from sans.engines import Engine
        from sans.rehearsals import ahead

        with usage_errors():
            engine = Engine(workers, scheduler)
            most = None if max_output is None else bytes_of(max_output)
            part = start is not None or end is not None
            if part and (recover or stream == PIPE):
                raise ValueError("--start and --end want a whole file: not a pipe, nor --recover")
            if not all(math.isfinite(place) for place in (start or 0.0, end or 0.0)):
                raise ValueError("--start and --end are numbers of seconds")
        path = Path(stream)
        if path.is_dir():
            if part or recover or output in (None, PIPE):
                raise SansError(f"{path} is a folder: say with -o FOLDER where recordings go")
            tasks = streams_of(path, Path(output or ""), force, most)
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
                extract_file(path, binary_output(), start or 0.0, last, most)
            elif recover:
                _tell_missing(recover_file(source, binary_output(), max_output=most))
            else:
                threads = threads_of(workers)
                _tell_format(decompress_file(source, binary_output(), threads, max_output=most))
            return
        if output is None and stream == PIPE:
            raise SansError("a stream from a pipe has no name: say with -o where it goes")
        if part:
            target = Path(output or f"{path.stem}-part.npy")
            refuse_existing(target, force)
            samples = extract_file(path, target, start or 0.0, last, most)
            out.print(f"{target}: {samples:,} samples", markup=False)
            return
        target = Path(output) if output else Path(restored_name(path))
        refuse_existing(target, force)
        with staged(err) as progress:
            if recover:
                _tell_missing(recover_file(source, target, progress, force, most))
            else:
                threads = threads_of(workers)
                _tell_format(decompress_file(source, target, threads, progress, force, most))
        out.print(str(target), markup=False)


def _tell_format(start: Start) -> None:
    """Say where the file format of a recording is not known, and an array is written instead."""
    from sans.codec.foreign import written_as

    kind = start.header.layout.format
    if (written := written_as(kind)) != kind:
        notice(f"the format {kind!r} is of a newer sans: what is written is an array, .{written}")


def _tell_missing(found: Recovery) -> None:
    """Say which parts of a recording are lost."""
    from sans.codec.recovery import seconds_of

    _tell_format(found.start)
    for span in found.missing:
        notice(f"missing: {seconds_of(found.start, span)}")

"""`sans decompress`: recordings back from streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from sans.commands import options as o
from sans.commands.batches import PIPE, folder_for, run_all
from sans.commands.compress import threads_of
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
    from sans.codec.starts import Start
    from sans.recordings.spans import Cut


def decompress(
    stream: Annotated[
        list[str],
        typer.Argument(help="A .sans file, several, a folder of them, or - for standard input."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="The file, the WFDB record, the folder for several, or - for standard output. "
            "Its suffix decides on the kind: the same, or another. A part is stored integers in a "
            ".npy, and has units, names and rates in a .npz. Default: a name after the stream's.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        float | None,
        typer.Option(help="Second from which on; only a part is decoded.", show_default=False),
    ] = None,
    end: Annotated[
        float | None, typer.Option(help="Second before which.", show_default=False)
    ] = None,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples",
            help="--start and --end count samples (images, of a stack) from 0, not seconds: for "
            "what has no rate.",
        ),
    ] = False,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            help="Channels of the part: names or positions, parted by commas. Default: all but "
            "annotations.",
            show_default=False,
        ),
    ] = None,
    recover: Annotated[
        bool, typer.Option("--recover", help="Restore what is whole of a damaged file.")
    ] = False,
    max_output: o.MaxOutput = None,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    force: o.Force = False,
) -> None:
    """Restore the recording that a stream was made of as the same kind of file or another."""
    with expected_errors():
        from sans.codec.files import streams_of
        from sans.codec.output_limit import bytes_of
        from sans.engines import Engine
        from sans.recordings.spans import Cut

        with usage_errors():
            engine = Engine(workers, scheduler)
            most = None if max_output is None else bytes_of(max_output)
            cut = Cut(start, end, tuple(channel or ()), samples)
            part = cut != Cut()
            if part and (recover or stream == [PIPE]):
                raise ValueError("a part wants a whole file: not a pipe, nor --recover")
        folders = [name for name in stream if Path(name).is_dir()]
        if folders or len(stream) > 1:
            with usage_errors():
                if part or recover:
                    raise ValueError("a part, or --recover, wants one file")
                folder = folder_for(stream, folders, output)
            run_all(streams_of(stream, folder, force, most), engine, json=False)
            return
        if part:
            _extract(Path(stream[0]), output, cut, most, force)
        else:
            _decompress_one(stream[0], output, recover, most, workers, force)


def _decompress_one(
    stream: str,
    output: str | None,
    recover: bool,
    most: int | None,
    workers: int | None,
    force: bool,
) -> None:
    from sans.codec.converting import seekable
    from sans.codec.files import (
        decompress_file,
        format_of,
        loses_nothing,
        recover_file,
        restored_name,
    )
    from sans.commands.progress import staged
    from sans.recordings.writing import kind_named
    from sans.rehearsals import ahead

    path = Path(stream)
    if stream != PIPE:
        ahead("prediction" if loses_nothing(path) else "drawing")
    source = binary_input() if stream == PIPE else path
    if output == PIPE:
        if recover:
            _tell_missing(recover_file(source, binary_output(), max_output=most))
        else:
            threads = threads_of(workers)
            _tell_format(decompress_file(source, binary_output(), threads, max_output=most))
        return
    if output is None and stream == PIPE:
        raise SansError("a stream from a pipe has no name: say with -o where it goes")
    target = Path(output) if output else Path(restored_name(path))
    with usage_errors():
        kind = kind_named(target) if output else None
    refuse_existing(target, force)
    with seekable(source) as file, staged(err) as progress:
        if kind not in (None, format_of(file)):
            _convert(file, target, kind, recover, most, progress, force)
        elif recover:
            _tell_missing(recover_file(file, target, progress, force, most))
        else:
            threads = threads_of(workers)
            _tell_format(decompress_file(file, target, threads, progress, force, most))
    out.print(str(target), markup=False)


def _extract(path: Path, output: str | None, cut: Cut, most: int | None, force: bool) -> None:
    from sans.codec import files
    from sans.codec.extraction import amount_of, opened_part, part_name, shaped
    from sans.commands.progress import staged
    from sans.recordings.writing import write_source
    from sans.rehearsals import ahead

    ahead("prediction" if files.loses_nothing(path) else "drawing")
    with opened_part(path, cut, most) as part:
        target = Path(output or part_name(path, part))
        with usage_errors():
            source = shaped(part, None if output == PIPE else target)
        if output != PIPE and not force:
            files.refuse_existing(target, source.layout)
        for sentence in source.notices:
            notice(sentence)
        if output == PIPE:
            write_source(source, binary_output())
            return
        with staged(err) as progress:
            write_source(source, target, progress)
    out.print(f"{target}: {amount_of(part)}", markup=False)


def _convert(
    source: Path | BinaryIO,
    target: Path,
    kind: str,
    recover: bool,
    most: int | None,
    progress: Progress,
    force: bool,
) -> None:
    """Restore a recording as another kind of file, and say what that does not have."""
    from sans.codec.converting import convert_file, recover_as

    with usage_errors():
        if recover:
            found, notices = recover_as(source, target, kind, progress, force, most)
            _tell_missing(found)
        else:
            notices = convert_file(source, target, kind, progress, force, most)
    for sentence in notices:
        notice(sentence)


def _tell_format(start: Start) -> None:
    """Say where the file format of a recording is not known, and arrays are written instead."""
    from sans.codec.foreign import written_as

    kind = start.header.layout.format
    if (written := written_as(kind)) != kind:
        notice(f"the format {kind!r} is of a newer sans: arrays are written instead, .{written}")


def _tell_missing(found: Recovery) -> None:
    """Say which parts of a recording are lost."""
    from sans.codec.recovery import seconds_of

    _tell_format(found.start)
    for span in found.missing:
        notice(f"missing: {seconds_of(found.start, span)}")

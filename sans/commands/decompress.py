"""`sans decompress`: recordings back from streams."""

from __future__ import annotations

from dataclasses import dataclass
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
    notice,
    out,
    print_json,
    refuse_existing,
    usage_errors,
)
from sans.errors import SansError
from sans.options import PART
from sans.recordings.spans import Cut

if TYPE_CHECKING:
    from sans.codec.files import FileTask
    from sans.codec.planning.inputs import Progress
    from sans.codec.recovery import Recovery
    from sans.codec.starts import Start
    from sans.engines import Engine


Streams = Annotated[
    list[str],
    typer.Argument(help="A .sans file, several, a folder of them, or - for standard input."),
]
Output = Annotated[
    str | None,
    o.output_path(
        "The file, the WFDB record, the folder for several, or - for standard output. "
        "Its suffix decides on the kind: the same, or another. A part is stored integers in a "
        ".npy, and has units, names and rates in a .npz. Default: a name after the stream's."
    ),
]
Recover = Annotated[
    bool,
    typer.Option(
        "--recover", help="Restore what is whole of a damaged file.", rich_help_panel=PART
    ),
]


@o.command()
def decompress(
    stream: Streams,
    output: Output = None,
    cut: Cut = o.some("start", "end", "samples", "channels"),
    recover: Recover = False,
    max_output: o.MaxOutput = None,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Restore the recording of a stream, as any kind of file.

    Examples:
        sans decompress 100.sans --output again.hea
        sans decompress 100.sans --start 60 --end 90 --output part.npz
    """
    from sans.codec.files import streams_of
    from sans.codec.output_limit import bytes_of
    from sans.engines import Engine

    with usage_errors():
        engine = Engine(workers=workers, scheduler=scheduler)
        most = None if max_output is None else bytes_of(max_output)
        part = cut != Cut()
        if part and (recover or stream == [PIPE]):
            raise ValueError("a part wants a whole file: not a pipe, nor --recover")
    folders = [name for name in stream if Path(name).is_dir()]
    if folders or len(stream) > 1:
        with usage_errors():
            if part or recover:
                raise ValueError("a part, or --recover, wants one file")
            folder = folder_for(stream, folders, output)
        _restore_several(streams_of(stream, folder, force, most), engine, force, json)
        return
    if part:
        _extract(Path(stream[0]), output, cut, max_output=most, force=force, json=json)
        return
    wanted = _Wanted(
        output=output, recover=recover, max_output=most, workers=workers, force=force, json=json
    )
    if output == PIPE:
        _to_pipe(stream[0], wanted)
    else:
        _to_files(stream[0], wanted)


def _restore_several(tasks: list[FileTask], engine: Engine, force: bool, json: bool) -> None:
    """Restore several recordings; a command that was interrupted goes on behind those it has."""
    from sans.codec.existing import is_restored

    left = [task for task in tasks if force or not is_restored(task.source, task.target)]
    if there := len(tasks) - len(left):
        notice(f"{there} of {len(tasks)} recordings are there, and stay as they are")
    run_all(left, engine, json, "decompress")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options say of the one recording that is restored."""

    output: str | None
    recover: bool
    max_output: int | None
    workers: int | None
    force: bool
    json: bool


def _source(stream: str) -> Path | BinaryIO:
    """Return where a stream comes from; a second process begins what takes long to compile."""
    from sans.codec.files import loses_nothing
    from sans.compilation.rehearsals import ahead

    if stream == PIPE:
        return binary_input()
    ahead("prediction" if loses_nothing(Path(stream)) else "drawing")
    return Path(stream)


def _to_pipe(stream: str, wanted: _Wanted) -> None:
    from sans.codec.files import decompress_file, recover_file

    source, most = _source(stream), wanted.max_output
    if wanted.recover:
        _tell_missing(recover_file(source, binary_output(), max_output=most))
    else:
        threads = threads_of(wanted.workers)
        _tell_format(decompress_file(source, binary_output(), threads, max_output=most))


def _to_files(stream: str, wanted: _Wanted) -> None:
    from sans.codec.files import decompress_file, format_of, recover_file, restored_name
    from sans.codec.restoring import seekable
    from sans.commands.progress import staged
    from sans.recordings.writing import kind_named

    source, output = _source(stream), wanted.output
    if output is None and stream == PIPE:
        raise SansError("a stream from a pipe has no name: say with -o where it goes")
    target = Path(output) if output else Path(restored_name(Path(stream)))
    with usage_errors():
        kind = kind_named(target) if output else None
    refuse_existing(target, wanted.force)
    what = f"decompress {stream}"
    with seekable(source) as file, staged(err, what) as progress:
        if kind is not None and kind != format_of(file):
            _convert(file, target, kind, wanted, progress)
        elif wanted.recover:
            found = recover_file(
                file, target, progress, replace=wanted.force, max_output=wanted.max_output
            )
            _tell_missing(found)
        else:
            start = decompress_file(
                file,
                target,
                threads_of(wanted.workers),
                progress,
                replace=wanted.force,
                max_output=wanted.max_output,
            )
            _tell_format(start)
    if wanted.json:
        print_json({"file": str(target)})
    else:
        out.print(str(target), markup=False)


def _extract(
    path: Path, output: str | None, cut: Cut, *, max_output: int | None, force: bool, json: bool
) -> None:
    from sans.codec import existing, files
    from sans.codec.extraction import amount_of, opened_part, part_name, shaped
    from sans.commands.progress import staged
    from sans.compilation.rehearsals import ahead
    from sans.recordings.writing import write_source

    ahead("prediction" if files.loses_nothing(path) else "drawing")
    with opened_part(path, cut, max_output) as part:
        target = Path(output or part_name(path, part))
        with usage_errors():
            source = shaped(part, None if output == PIPE else target)
        if output != PIPE and not force:
            existing.refuse_existing(target, source.layout)
        for sentence in source.notices:
            notice(sentence)
        if output == PIPE:
            write_source(source, binary_output())
            return
        with staged(err, f"decompress {path}") as progress:
            write_source(source, target, progress)
        amount = amount_of(part)
    if json:
        print_json({"file": str(target), "amount": amount})
    else:
        out.print(f"{target}: {amount}", markup=False)


def _convert(
    source: Path | BinaryIO, target: Path, kind: str, wanted: _Wanted, progress: Progress
) -> None:
    """Restore a recording as another kind of file, and say what that does not have."""
    from sans.codec.restoring import convert_file, recover_as

    with usage_errors():
        if wanted.recover:
            found, notices = recover_as(
                source, target, kind, progress, force=wanted.force, max_output=wanted.max_output
            )
            _tell_missing(found)
        else:
            notices = convert_file(
                source, target, kind, progress, force=wanted.force, max_output=wanted.max_output
            )
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

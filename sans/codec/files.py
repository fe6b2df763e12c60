"""Recordings as files: one, or every one below a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from pathlib import Path
from typing import BinaryIO

from sans.codec.compression import DEFAULT, Options, Summary, compress_recording, quietly
from sans.codec.decompression import Chunk, frames_before, read_chunks
from sans.codec.existing import refuse_existing
from sans.codec.foreign import as_known, written_as
from sans.codec.mapping import mapped, opened
from sans.codec.output_limit import OutputLimit
from sans.codec.planning.inputs import Progress
from sans.codec.quality import LOSSLESS
from sans.codec.recovery import Recovery, recover
from sans.codec.starts import Start, read_header
from sans.errors import BitstreamError, DatasetError, SansError
from sans.files import written_whole
from sans.files.paths import is_file
from sans.files.pipes import piped
from sans.recordings import create_recording, find_recordings, open_recording
from sans.recordings.formats import BY_NAME

SUFFIX = ".sans"


@dataclass(frozen=True, slots=True)
class FileTask:
    """A file to compress or to decompress; small enough to be sent to any machine that has it."""

    source: Path
    target: Path
    options: Options = DEFAULT

    replace: bool = True
    """Whether files that are there are replaced by what is restored."""

    max_output: int | None = None
    """Bytes of the samples that a stream may become; none: see `sans.codec.output_limit`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be done, and why."""

    source: Path
    reason: str


def compress_file(
    source: Path | Sequence[Path] | BinaryIO,
    target: Path | BinaryIO,
    options: Options,
    progress: Progress = quietly,
) -> Summary:
    """Compress a recording into a file, which appears whole or not at all, or into a pipe.

    Raises:
        SansError: if the recording cannot be read, or the file not be written.
    """
    recording = open_recording(source, annotations=options.annotations, layout=options.layout)
    opened = written_whole(target) if isinstance(target, Path) else piped(target)
    with opened as file:
        return compress_recording(recording, file, options, progress)


def decompress_file(
    source: Path | BinaryIO,
    target: Path | BinaryIO,
    threads: int = 1,
    progress: Progress = quietly,
    replace: bool = True,
    max_output: int | None = None,
) -> Start:
    """Restore a recording from a stream; its files appear whole or not at all.

    Args:
        source: a file, or a pipe.
        target: a file, a WFDB record, a new folder for several PNG files, or a pipe.
        threads: how many share the work.
        progress: is told a stage and which share of it is done.
        replace: whether files that are there are replaced.
        max_output: bytes of all samples, at most; none: see `sans.codec.output_limit`.

    Raises:
        BitstreamError: if the stream is damaged, cut off or forged, or becomes too much.
        SansError: if something cannot be read or written.
        ValueError: if `max_output` is below 1.
    """
    with opened(source) as file:
        parts = read_chunks(file, threads, max_output)
        start = next(parts)
        assert isinstance(start, Start)
        frames = frames_before(file, start)
        chunks = (part for part in parts if isinstance(part, Chunk))
        _restore(start, chunks, target, frames, progress, replace)
    return start


def recover_file(
    source: Path | BinaryIO,
    target: Path | BinaryIO,
    progress: Progress = quietly,
    replace: bool = True,
    max_output: int | None = None,
) -> Recovery:
    """Restore what is left of a damaged stream; missing samples, NaN or zeros fill the rest.

    Raises:
        BitstreamError: if the header or the kernels are damaged, too, or all becomes too much.
        SansError: if something cannot be read or written.
        ValueError: if `max_output` is below 1.
    """
    found = recover(mapped(source))
    OutputLimit(found.start.header.layout, max_output).check(found.frames, len(found.data))
    layout = with_fields(found.start.header.layout, frames=found.frames)
    header = with_fields(found.start.header, layout=layout, quality=("recovered", 0.0))
    start = with_fields(found.start, header=header)
    _restore(start, found.chunks(), target, found.frames, progress, replace)
    return found


def perform(task: FileTask, stopped: Callable[[], bool]) -> Summary | Start | Failure:
    """Compress a recording, or decompress a stream; what fails says why."""
    if stopped():
        return Failure(task.source, "stopped")
    try:
        task.target.parent.mkdir(parents=True, exist_ok=True)
        if task.target.suffix == SUFFIX:
            return compress_file(task.source, task.target, task.options)
        return decompress_file(
            task.source, task.target, replace=task.replace, max_output=task.max_output
        )
    except SansError as error:
        return Failure(task.source, str(error))
    except OSError as error:
        return Failure(task.source, f"{error.filename or task.source}: {error.strerror or error}")


def tasks_of(folder: Path, output: Path, options: Options) -> list[FileTask]:
    """Return what there is to compress below a folder; streams get the names of recordings.

    Raises:
        DatasetError: if the folder cannot be read, or holds no recording.
    """
    found = find_recordings(folder)
    if not found:
        raise DatasetError(f"no recording lies below {folder}")
    tasks = [
        FileTask(path, output / path.relative_to(folder).with_name(stream_name(path)), options)
        for path in found
    ]
    return without_clashes(tasks)


def streams_of(
    given: Sequence[str], output: Path, replace: bool = True, max_output: int | None = None
) -> list[FileTask]:
    """Return what there is to decompress; each may still turn out to be no stream.

    Args:
        given: streams, and folders of them.
        output: the folder for what they are restored to.
        replace: whether files that are there are replaced.
        max_output: bytes of all samples of each, at most; none: see `sans.codec.output_limit`.

    Raises:
        BitstreamError: if there is nothing below a folder.
        SansError: if two recordings would get one name.
    """
    tasks = []
    for path in dict.fromkeys(map(Path, given)):
        for stream in streams_below(path) if path.is_dir() else [path]:
            try:
                name = restored_name(stream)
            except BitstreamError:  # which `perform` will say again, of this file only
                name = stream.stem
            below = stream.relative_to(path).with_name(name) if path.is_dir() else name
            tasks.append(FileTask(stream, output / below, replace=replace, max_output=max_output))
    return without_clashes(tasks)


def streams_below(folder: Path) -> list[Path]:
    """Return the streams below a folder.

    Raises:
        BitstreamError: if there is none.
    """
    found = sorted(path for path in folder.rglob(f"*{SUFFIX}") if is_file(path))
    if not found:
        raise BitstreamError(f"no {SUFFIX} file lies below {folder}")
    return found


def without_clashes(tasks: list[FileTask]) -> list[FileTask]:
    """Return tasks of which no two write the same file.

    Raises:
        SansError: if two of them would.
    """
    sources: dict[Path, Path] = {}
    for task in tasks:
        if (other := sources.setdefault(task.target, task.source)) != task.source:
            raise SansError(f"{other} and {task.source} would both become {task.target}")
    return tasks


def stream_name(source: Path) -> str:
    """Return the name of the stream of a recording."""
    name = source.name.removesuffix(".gz")
    return (name.removesuffix(".hea") if name.endswith(".hea") else name) + SUFFIX


def loses_nothing(source: Path) -> bool:
    """Return whether a stream keeps every sample as it was.

    Raises:
        BitstreamError: if it is no stream.
    """
    with opened(source) as file:
        header, _ = read_header(file)
    return header.quality[0] == LOSSLESS.kind


def format_of(source: Path | BinaryIO) -> str:
    """Return the format of the recording that a stream is restored to.

    Args:
        source: a file, or one that is open at its start, and is so again.

    Raises:
        BitstreamError: if it is no stream.
    """
    with opened(source) as file:
        header, _ = read_header(file)
        file.seek(0)
    return written_as(header.layout.format)


def restored_name(source: Path) -> str:
    """Return the name of the recording that a stream is restored to, unless another is given.

    Raises:
        BitstreamError: if it is no stream.
    """
    with opened(source) as file:
        header, _ = read_header(file)
    name = source.name.removesuffix(SUFFIX)
    kind = BY_NAME[written_as(header.layout.format)]
    return name if name.lower().endswith(kind.suffixes) else name + kind.restored


def _restore(
    start: Start,
    chunks: Iterator[Chunk],
    target: Path | BinaryIO,
    frames: int | None,
    progress: Progress,
    replace: bool,
) -> None:
    """Write the chunks of a stream as the recording that it was made of."""
    layout, done = as_known(start.header.layout), 0
    unchanged = start.header.quality[0] == LOSSLESS.kind
    try:
        if isinstance(target, Path) and not replace:
            refuse_existing(target, layout)
        with create_recording(target, layout, unchanged=unchanged) as sink:
            for chunk in chunks:
                sink.write(chunk.samples)
                done += chunk.frames
                progress("restoring", done / frames if frames else 0.0)
    except (LookupError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        # What the header says of the recording does not fit what the chunks hold.
        words = " ".join(str(error).split())[:200]
        raise BitstreamError(f"the stream holds no {layout.format} recording: {words}") from error

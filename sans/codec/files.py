"""Recordings as files: one, or every one below a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sans.codec.bounds import Room
from sans.codec.compression import DEFAULT, Options, Summary, compress_recording, quietly
from sans.codec.decompression import Chunk, Stream, frames_before, read_chunks
from sans.codec.foreign import as_known, written_as
from sans.codec.mapping import mapped, opened
from sans.codec.quality import LOSSLESS
from sans.codec.recovery import Recovery, recover
from sans.codec.starts import Start, read_header
from sans.errors import BitstreamError, DatasetError, SansError
from sans.files import written_whole
from sans.pipes import piped
from sans.recordings import create_recording, find_recordings, open_recording
from sans.recordings.layout import Layout
from sans.recordings.npy import write_npy
from sans.recordings.streams import written
from sans.recordings.wfdb_record import record_files

SUFFIX = ".sans"

Progress = Callable[[str, float], None]

SUFFIX_OF = {"npy": ".npy", "csv": ".csv", "edf": ".edf", "bdf": ".bdf", "idx": ".idx"}
"""Of what formats are restored to; WFDB records and PNG files have names of their own."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to compress or to decompress; small enough to be sent to any machine that has it."""

    source: Path
    target: Path
    options: Options = DEFAULT

    replace: bool = True
    """Whether files that are there are replaced by what is restored."""

    max_output: int | None = None
    """Bytes of the samples that a stream may become; none: see `sans.codec.bounds`."""


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
    recording = open_recording(source)
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
        max_output: bytes of all samples, at most; none: see `sans.codec.bounds`.

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
    Room(found.start.header.layout, max_output).check(found.frames, len(found.data))
    layout = with_fields(found.start.header.layout, frames=found.frames)
    header = with_fields(found.start.header, layout=layout, quality=("recovered", 0.0))
    start = with_fields(found.start, header=header)
    _restore(start, found.chunks(), target, found.frames, progress, replace)
    return found


def extract_file(
    source: Path,
    target: Path | BinaryIO,
    first: float,
    last: float,
    max_output: int | None = None,
) -> int:
    """Write a part of a recording as an array; only its chunks are decoded.

    Args:
        source: the stream.
        target: a .npy file or a pipe: ``(samples,)`` of one signal, or ``(samples, signals)``.
        first: where the part begins, in seconds; in samples, where nobody knows the rate.
        last: where it ends.
        max_output: bytes of all samples, at most; none: see `sans.codec.bounds`.

    Returns:
        How many samples each signal has there.

    Raises:
        BitstreamError: if the stream is damaged there.
        SansError: if the recording has no such part, or its signals are no array.
    """
    with opened(source) as file:
        stream = Stream(file)
        tracks = stream.start.header.layout.tracks
        if len({(track.dtype, track.per_frame) for track in tracks}) > 1:
            raise SansError("signals of several types or rates are no array: restore all of them")
        rate = tracks[0].rate / tracks[0].per_frame or 1.0
        frames = [round(min(place * rate, stream.end.frames)) for place in (first, last)]
        if not 0 <= frames[0] < frames[1]:
            raise SansError(
                f"the recording has {stream.end.frames / rate:g} s: nothing of it lies between "
                f"{first:g} and {last:g} s"
            )
        Room(stream.start.header.layout, max_output).check(frames[1] - frames[0], stream.size)
        columns = stream.read(*frames)
    array = columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
    with written(target) as out:
        write_npy(out, array)
    return len(array)


def perform(task: Task, stopped: Callable[[], bool]) -> Summary | Start | Failure:
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


def tasks_of(folder: Path, output: Path, options: Options) -> list[Task]:
    """Return what there is to compress below a folder; streams get the names of recordings.

    Raises:
        DatasetError: if the folder cannot be read, or holds no recording.
    """
    found = find_recordings(folder)
    if not found:
        raise DatasetError(f"no recording lies below {folder}")
    tasks = [
        Task(path, output / path.relative_to(folder).with_name(stream_name(path)), options)
        for path in found
    ]
    return _without_clashes(tasks)


def streams_of(
    folder: Path, output: Path, replace: bool = True, max_output: int | None = None
) -> list[Task]:
    """Return what there is to decompress below a folder; each may still turn out to be no stream.

    Raises:
        BitstreamError: if there is nothing.
        SansError: if two recordings would get one name.
    """
    found = sorted(folder.rglob(f"*{SUFFIX}"))
    if not found:
        raise BitstreamError(f"no {SUFFIX} file lies below {folder}")
    tasks = []
    for path in found:
        try:
            name = restored_name(path)
        except BitstreamError:  # which `perform` will say again, of this file only
            name = path.stem
        target = output / path.relative_to(folder).with_name(name)
        tasks.append(Task(path, target, replace=replace, max_output=max_output))
    return _without_clashes(tasks)


def _without_clashes(tasks: list[Task]) -> list[Task]:
    """Return tasks of which no two write the same file."""
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


def restored_name(source: Path) -> str:
    """Return the name of the recording that a stream is restored to, if nobody says another.

    Raises:
        BitstreamError: if it is no stream.
    """
    with opened(source) as file:
        header, _ = read_header(file)
    name = source.name.removesuffix(SUFFIX)
    suffix = SUFFIX_OF.get(written_as(header.layout.format), "")
    return name if name.endswith(suffix) else name + suffix


def _restore(
    start: Start,
    chunks: Iterator[Chunk],
    target: Path | BinaryIO,
    frames: int | None,
    progress: Progress,
    replace: bool,
) -> None:
    """Write the chunks of a stream as the recording that it was made of."""
    layout, done = as_known(start.header.layout, frames), 0
    unchanged = start.header.quality[0] == LOSSLESS.kind
    try:
        if isinstance(target, Path) and not replace:
            _refuse_existing(target, layout)
        with create_recording(target, layout, unchanged=unchanged) as sink:
            for chunk in chunks:
                sink.write(chunk.samples)
                done += chunk.frames
                progress("restoring", done / frames if frames else 0.0)
    except (LookupError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        # What the header says of the recording does not fit what the chunks hold.
        words = " ".join(str(error).split())[:200]
        raise BitstreamError(f"the stream holds no {layout.format} recording: {words}") from error


def _refuse_existing(target: Path, layout: Layout) -> None:
    """Raise a `SansError` if a file is there that a recording would be written to."""
    for path in record_files(target, layout) if layout.format == "wfdb" else [target]:
        if path.exists():
            raise SansError(f"{path} exists: choose another name, or add --force")

"""Streams restored as another kind of file than they were made of."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from sans.codec.compression import quietly
from sans.codec.decompression import OpenStream
from sans.codec.existing import refuse_existing
from sans.codec.files import format_of, recover_file
from sans.codec.mapping import opened
from sans.codec.planning.inputs import Progress
from sans.codec.recovery import Recovery
from sans.codec.streamed import source_of
from sans.recordings import open_recording
from sans.recordings.converting import converted
from sans.recordings.formats import BY_NAME
from sans.recordings.layout import Source
from sans.recordings.writing import name_of, separator_of, write_source


@contextmanager
def seekable(source: Path | BinaryIO) -> Iterator[Path | BinaryIO]:
    """Give a stream that can be read more than once: what comes from a pipe is kept meanwhile."""
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(source, file)
        file.seek(0)
        yield file


def convert_file(
    source: Path | BinaryIO,
    target: Path,
    kind: str,
    progress: Progress = quietly,
    force: bool = True,
    max_output: int | None = None,
) -> tuple[str, ...]:
    """Restore a recording from a stream as another kind of file.

    Args:
        source: a file, or one that is open and can be read more than once.
        target: the file, or the WFDB record.
        kind: the format of the file.
        progress: is told a stage and which share of it is done.
        force: whether files that are there are replaced.
        max_output: bytes of all samples, at most; none: see `sans.codec.output_limit`.

    Returns:
        What the file does not have, one sentence each.

    Raises:
        BitstreamError: if the stream is damaged, cut off or forged.
        SansError: if the recording cannot be of that kind, or something cannot be written.
        ValueError: if no recording can.
    """
    with opened(source) as file:
        return _write(source_of(OpenStream(file), max_output), target, kind, progress, force)


def recover_as(
    source: Path | BinaryIO,
    target: Path,
    kind: str,
    progress: Progress = quietly,
    force: bool = True,
    max_output: int | None = None,
) -> tuple[Recovery, tuple[str, ...]]:
    """Restore what is left of a damaged stream as another kind of file.

    Arguments and errors are those of `convert_file`.

    Returns:
        What was found, and what the file does not have.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"recording{BY_NAME[format_of(source)].restored}"
        found = recover_file(source, path, max_output=max_output)
        # A rate that the user gave is in the stream, and not in every file.
        tracks = found.start.header.layout.tracks
        left = open_recording(path, annotations=True)
        rated = tuple(
            replace(track, rate=track.rate or told.rate)
            for track, told in zip(left.layout.tracks, tracks, strict=True)
        )
        left = replace(left, layout=replace(left.layout, tracks=rated))
        return found, _write(left, target, kind, progress, force)


def _write(
    source: Source, target: Path, kind: str, progress: Progress, force: bool
) -> tuple[str, ...]:
    made = converted(source, kind, name_of(target, kind), separator=separator_of(target))
    if not force:
        refuse_existing(target, made.layout)
    write_source(made, target, progress)
    return made.notices

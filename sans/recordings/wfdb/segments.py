"""WFDB records of several segments, which are records of one: all of them as one recording.

The tracks are the channels of the whole record, the frames those of its segments in their order;
gaps have none. A track has the widest type of its channel in any segment. Where a segment lacks one
of the channels, the samples of that track are missing, and nothing is written of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.files import written_whole
from sans.files.paths import is_file
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    check_block,
    check_written,
    count_frames,
)
from sans.recordings.regrouping import regrouped
from sans.recordings.wfdb.annotators import annotation_files
from sans.recordings.wfdb.assembly import (
    SEGMENTS,
    PlacedSegment,
    assemble,
    narrowed,
    placed_segments,
    segment_names,
    widened,
)
from sans.recordings.wfdb.header import check_names, parse_any, revise, revise_segments
from sans.recordings.wfdb.names import HEADER, beside, read_bytes, renamed_segment
from sans.recordings.wfdb.segment import open_segment, segment_files, write_segment


def open_segments(stem: Path, content: bytes) -> Source:
    """Open a record of segments.

    Args:
        stem: path of the record without suffix.
        content: bytes of its header.

    Raises:
        DatasetError: if a segment is missing or damaged, or they do not go together.
    """
    record = str(beside(stem, HEADER))
    names = segment_names(parse_any(content, record), record)
    attachments = {"header": content, "record": os.fsencode(stem.name)}
    if names.layout:
        attachments[f"{names.layout}/header"] = _read_header(stem, names.layout)
    sources = []
    for name in names.segments:
        source = open_segment(stem.parent / name, _read_header(stem, name))
        kept = source.layout.attachments.items()
        attachments |= {f"{name}/{key}": value for key, value in kept if key != "record"}
        sources.append(source)
    frames = [source.layout.frames or 0 for source in sources]
    attachments[SEGMENTS] = json.dumps(frames).encode()
    tracks, parts = assemble(record, attachments, names, frames)
    whole = Layout("wfdb", tracks, sum(frames), attachments=attachments)
    _check_files(stem, segments_files(stem, whole))

    def blocks(size: int) -> Iterator[list[NDArray[Any]]]:
        check_block(size)
        pieces = (
            widened(piece, part, tracks)
            for source, part in zip(sources, parts, strict=True)
            for piece in source.blocks(size)
        )
        return regrouped(pieces, [size * track.per_frame for track in tracks])

    return Source(whole, blocks)


@contextmanager
def write_segments(
    stem: Path, layout: Layout, folder: Path, unchanged: bool = False
) -> Iterator[Sink]:
    """Write a record of segments, and all of these, into a folder where they wait for each other.

    Args:
        stem: path of the record without suffix; segments get its name instead of the former one.
        layout: as `open_segments` gives it.
        folder: where the files are written, as `sans.files.staged` gives it.
        unchanged: whether the samples are the original ones, so that headers stay as they are.

    Raises:
        SansError: if a file cannot be written.
    """
    content, former = layout.attachments["header"], os.fsdecode(layout.attachments["record"])
    names, parts = placed_segments(stem.name, layout)
    _check_files(stem, segments_files(stem, layout))
    kept = annotation_files(stem, layout.attachments)
    every = [*names.segments, *([names.layout] if names.layout else [])]
    new = {name: renamed_segment(name, former, stem.name) for name in every}
    if stem.name != former:
        check_names(content, (stem.name, *new.values()))
        content = revise_segments(content, new, stem.name)
    waiting = [(part, stem.parent / new[part.name]) for part in parts]
    with ExitStack() as stack:
        sink = _SegmentsSink(layout, waiting, folder, unchanged)
        stack.push(sink.leave)
        yield sink
        check_written(layout, sink.frames)
        sink.finish()
        if names.layout:
            header = layout.attachments[f"{names.layout}/header"]
            if stem.name != former:
                header = revise(header, (), (), {}, new[names.layout])
            _write(beside(stem.parent / new[names.layout], HEADER), folder, header)
        for path, annotations in kept.items():
            _write(path, folder, annotations)
        _write(beside(stem, HEADER), folder, content)


class _SegmentsSink:
    def __init__(
        self,
        layout: Layout,
        waiting: list[tuple[PlacedSegment, Path]],
        folder: Path,
        unchanged: bool,
    ) -> None:
        self.frames = 0
        self._layout, self._folder, self._unchanged = layout, folder, unchanged
        self._waiting = waiting  # segments, and their paths
        self._open = ExitStack()  # of the segment that is being written
        self._part: PlacedSegment | None = None
        self._sink: Sink | None = None
        self._left = 0  # frames of it

    def write(self, block: Block) -> None:
        frames, start = count_frames(self._layout, block), 0
        while start < frames:
            while not self._left:
                self._next()
            count = min(self._left, frames - start)
            self._write_part(
                [
                    array[start * track.per_frame : (start + count) * track.per_frame]
                    for array, track in zip(block, self._layout.tracks, strict=True)
                ]
            )
            start, self._left = start + count, self._left - count
        self.frames += frames

    def finish(self) -> None:
        """Complete the last segment, and those without frames behind it."""
        while self._waiting:
            self._next()
        self._open.close()

    def leave(self, *exception: Any) -> None:
        """Close the segment that is being written, with the exception that has happened, if any."""
        self._open.__exit__(*exception)

    def _write_part(self, block: Block) -> None:
        if self._part is not None and self._sink is not None:
            self._sink.write(narrowed(block, self._part, self._layout.tracks))

    def _next(self) -> None:
        self._open.close()
        if not self._waiting:
            raise ValueError(f"more than the {self.frames:,} frames of all segments")
        self._part, stem = self._waiting.pop(0)
        self._left = self._part.layout.frames or 0
        writer = write_segment(stem, self._part.layout, self._folder, self._unchanged)
        self._sink = self._open.enter_context(writer)


def segments_files(stem: Path, layout: Layout) -> list[Path]:
    """Return the files that `write_segments` writes.

    Raises:
        DatasetError: if a header is damaged.
    """
    former = os.fsdecode(layout.attachments["record"])
    names, parts = placed_segments(stem.name, layout)
    files = [beside(stem, HEADER)]
    if names.layout:
        path = stem.parent / renamed_segment(names.layout, former, stem.name)
        files.append(beside(path, HEADER))
    for part in parts:
        path = stem.parent / renamed_segment(part.name, former, stem.name)
        files += segment_files(path, part.layout)
    return [*files, *annotation_files(stem, layout.attachments)]


def _read_header(stem: Path, name: str) -> bytes:
    path = stem.parent / f"{name}{HEADER}"
    if not is_file(path):
        raise DatasetError(f"{beside(stem, HEADER)} is not complete: {path} is missing")
    return read_bytes(path)


def _check_files(stem: Path, files: Sequence[Path]) -> None:
    """Raise `DatasetError` if two segments have one file."""
    seen: set[Path] = set()
    for path in files:
        if path in seen:
            raise DatasetError(
                f"{stem.name}{HEADER}: two of its segments have one file {path.name}"
            )
        seen.add(path)


def _write(path: Path, folder: Path, content: bytes) -> None:
    with written_whole(path, within=folder) as file:
        file.write(content)

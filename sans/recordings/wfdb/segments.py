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
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.files import written_whole
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
    count_frames,
)
from sans.recordings.paths import is_file
from sans.recordings.regrouping import regrouped
from sans.recordings.wfdb.annotators import annotation_files
from sans.recordings.wfdb.header import (
    GAP,
    Header,
    check_names,
    parse,
    parse_any,
    revise,
    revise_segments,
)
from sans.recordings.wfdb.names import HEADER, beside, is_plain, read_bytes, renamed_segment
from sans.recordings.wfdb.segment import open_segment, segment_files, tracks_of, write_segment

SEGMENTS = "segments"
"""The attachment with a JSON list: the frames of each segment that is no gap and no layout."""


class Part(NamedTuple):
    """One segment, and where its signals belong."""

    name: str
    """Of the segment."""

    layout: Layout
    """Of the segment alone."""

    places: tuple[int, ...]
    """For each of its signals, the track of the whole record."""


class Names(NamedTuple):
    """The segments of a record that have a header, each once."""

    layout: str | None
    """The one that names the channels and has no samples, if there is one."""

    segments: list[str]
    """The others, in their order."""


def open_segments(stem: Path, content: bytes) -> Source:
    """Open a record of segments.

    Args:
        stem: path of the record without suffix.
        content: bytes of its header.

    Raises:
        DatasetError: if a segment is missing or damaged, or they do not go together.
    """
    record = str(beside(stem, HEADER))
    names = _names(parse_any(content, record), record)
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
    tracks, parts = _assemble(record, attachments, names, frames)
    whole = Layout("wfdb", tracks, sum(frames), attachments=attachments)
    _check_files(stem, segments_files(stem, whole))

    def blocks(size: int) -> Iterator[list[NDArray[Any]]]:
        check_block(size)
        pieces = (
            _widened(piece, part, tracks)
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
    names, parts = _parts(stem, layout)
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
        self, layout: Layout, waiting: list[tuple[Part, Path]], folder: Path, unchanged: bool
    ) -> None:
        self.frames = 0
        self._layout, self._folder, self._unchanged = layout, folder, unchanged
        self._waiting = waiting  # segments, and their paths
        self._open = ExitStack()  # of the segment that is being written
        self._part: Part | None = None
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
        """Leave the segment that is being written as whatever happened wants it."""
        self._open.__exit__(*exception)

    def _write_part(self, block: Block) -> None:
        if self._part is not None and self._sink is not None:
            self._sink.write(_narrowed(block, self._part, self._layout.tracks))

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
    names, parts = _parts(stem, layout)
    files = [beside(stem, HEADER)]
    if names.layout:
        path = stem.parent / renamed_segment(names.layout, former, stem.name)
        files.append(beside(path, HEADER))
    for part in parts:
        path = stem.parent / renamed_segment(part.name, former, stem.name)
        files += segment_files(path, part.layout)
    return [*files, *annotation_files(stem, layout.attachments)]


def _names(header: Header, record: str) -> Names:
    first = header.segments[0]
    layout = first.name if first.name != GAP and first.frames == 0 else None
    found = dict.fromkeys(each.name for each in header.segments if each.name != GAP)
    segments = [name for name in found if name != layout]
    if not segments:
        raise DatasetError(f"{record} describes no signal: its segments are gaps")
    if wrong := next((name for name in found if not is_plain(name)), None):
        raise DatasetError(f"{record}: {wrong!r} is no name of a segment")
    return Names(layout, segments)


def _read_header(stem: Path, name: str) -> bytes:
    path = stem.parent / f"{name}{HEADER}"
    if not is_file(path):
        raise DatasetError(f"{beside(stem, HEADER)} is not complete: {path} is missing")
    return read_bytes(path)


def _parts(stem: Path, layout: Layout) -> tuple[Names, list[Part]]:
    """Return the segments that a layout of a whole record tells of.

    Their frames may be fewer than they were: what is recovered may end before.

    Raises:
        DatasetError: if a header is damaged.
        ValueError: if they do not go together.
    """
    record = f"{stem.name}{HEADER}"
    names = _names(parse_any(layout.attachments["header"], record), record)
    frames, left = [], layout.frames or 0
    for count in json.loads(layout.attachments[SEGMENTS]):
        if not isinstance(count, int) or count < 0:
            raise ValueError(f"a segment has 0 or more frames, not {count!r}")
        frames.append(min(left, count))
        left -= frames[-1]
    tracks, parts = _assemble(record, layout.attachments, names, frames)
    kinds = [(track.dtype, track.per_frame, track.missing) for track in layout.tracks]
    if kinds != [(track.dtype, track.per_frame, track.missing) for track in tracks]:
        raise ValueError("the headers are not those of these signals")
    return names, parts


def _assemble(
    record: str, attachments: dict[str, bytes], names: Names, frames: Sequence[int]
) -> tuple[tuple[Track, ...], list[Part]]:
    """Return the tracks of a record, and its segments with the places of their signals in it.

    Raises:
        DatasetError: if a header is damaged, or the channels of segments do not go together.
    """
    layouts = [
        _segment_layout(attachments, name, count)
        for name, count in zip(names.segments, frames, strict=True)
    ]
    channels = [track.name for track in layouts[0].tracks]
    if names.layout:
        header = parse(attachments[f"{names.layout}/header"], f"{names.layout}{HEADER}")
        channels = [signal.name for signal in header.signals]
        if any(signal.file != GAP for signal in header.signals):
            raise DatasetError(f"{record}: its layout {names.layout} names files with signals")
    found = [
        _places(record, name, layout, channels, bool(names.layout))
        for name, layout in zip(names.segments, layouts, strict=True)
    ]
    used = sorted({place for places in found for place in places})
    parts = [
        Part(name, layout, tuple(used.index(place) for place in places))
        for name, layout, places in zip(names.segments, layouts, found, strict=True)
    ]
    tracks = tuple(
        _common_track(
            record,
            [
                track
                for part in parts
                for track, place in zip(part.layout.tracks, part.places, strict=True)
                if place == each
            ],
        )
        for each in range(len(used))
    )
    return tracks, parts


def _segment_layout(attachments: dict[str, bytes], name: str, frames: int) -> Layout:
    start = f"{name}/"
    kept = {key.removeprefix(start): v for key, v in attachments.items() if key.startswith(start)}
    tracks = tracks_of(parse(kept["header"], f"{name}{HEADER}"))
    return Layout("wfdb", tracks, frames, attachments=kept | {"record": os.fsencode(name)})


def _places(
    record: str, name: str, layout: Layout, channels: Sequence[str], named: bool
) -> list[int]:
    """Return which of the channels of a record those of a segment are: by name, or by position.

    Raises:
        DatasetError: if they are not among them, or nothing tells which they are.
    """
    own = [track.name for track in layout.tracks]
    if not named:
        if len(own) != len(channels):
            raise DatasetError(
                f"{record}: its segment {name} has {len(own)} signals, not the {len(channels)} of "
                "the first one"
            )
        return list(range(len(own)))
    if unknown := [channel for channel in own if channels.count(channel) != 1]:
        raise DatasetError(
            f"{record}: the signal {unknown[0]!r} of its segment {name} is in its layout "
            f"{channels.count(unknown[0])} times, not once"
        )
    if len(set(own)) < len(own):
        raise DatasetError(f"{record}: its segment {name} has two signals of one name")
    return [channels.index(channel) for channel in own]


def _common_track(record: str, tracks: Sequence[Track]) -> Track:
    """Return the track that holds whatever each of `tracks` can.

    Raises:
        DatasetError: if their frames have different numbers of samples.
    """
    if len({track.per_frame for track in tracks}) > 1:
        raise DatasetError(
            f"{record}: the signal {tracks[0].name!r} has frames of different numbers of samples"
        )
    return replace(
        tracks[0],
        bits=max(track.bits for track in tracks),
        dtype=max((track.dtype for track in tracks), key=lambda dtype: np.dtype(dtype).itemsize),
        missing=min((t.missing for t in tracks if t.missing is not None), default=None),
        exact=any(track.exact for track in tracks),
    )


def _widened(piece: Block, part: Part, tracks: Sequence[Track]) -> list[NDArray[Any]]:
    """Return the frames of a segment as frames of the whole record."""
    frames = len(piece[0]) // part.layout.tracks[0].per_frame
    wide = [np.full(frames * track.per_frame, track.missing or 0, track.dtype) for track in tracks]
    for array, own, place in zip(piece, part.layout.tracks, part.places, strict=True):
        track = tracks[place]
        wide[place] = array.astype(track.dtype)
        if own.missing is not None and own.missing != track.missing:
            wide[place][array == own.missing] = track.missing
    return wide


def _narrowed(block: Block, part: Part, tracks: Sequence[Track]) -> list[NDArray[Any]]:
    """Return the frames of a segment from those of the whole record: the inverse of `_widened`.

    What is more than the type of the segment can hold is cut off, and nothing newly missing.
    """
    narrow = []
    for own, place in zip(part.layout.tracks, part.places, strict=True):
        array, limits = block[place], np.iinfo(own.dtype)
        if own.missing is None:
            narrow.append(array.clip(limits.min, limits.max).astype(own.dtype))
            continue
        stored = array.clip(own.missing + 1, limits.max).astype(own.dtype)
        stored[array == tracks[place].missing] = own.missing
        narrow.append(stored)
    return narrow


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

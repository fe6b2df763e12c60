"""The tracks of a WFDB record of several segments, and which of them the signals of each are.

A track has the widest type of its channel in any segment. Where a segment lacks one of the
channels, the samples of that track are missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.layout import Block, Layout, Track
from sans.recordings.wfdb.header import GAP, WfdbHeader, parse, parse_any
from sans.recordings.wfdb.names import HEADER, is_plain
from sans.recordings.wfdb.segment import tracks_of

SEGMENTS = "segments"
"""The attachment with a JSON list: the frames of each segment that is no gap and no layout."""


class PlacedSegment(NamedTuple):
    """One segment, and where its signals belong."""

    name: str
    """The name of the segment."""

    layout: Layout
    """The layout of the segment alone."""

    places: tuple[int, ...]
    """For each of its signals, the track of the whole record."""


class SegmentNames(NamedTuple):
    """The segments of a record that have a header, each once."""

    layout: str | None
    """The one that names the channels and has no samples, if there is one."""

    segments: list[str]
    """The others, in their order."""


def segment_names(header: WfdbHeader, record: str) -> SegmentNames:
    """Return the segments that a header tells of.

    Args:
        header: of the whole record.
        record: name of its file, for errors.

    Raises:
        DatasetError: if they are gaps only, or one has a name that is none.
    """
    first = header.segments[0]
    layout = first.name if first.name != GAP and first.frames == 0 else None
    found = dict.fromkeys(each.name for each in header.segments if each.name != GAP)
    segments = [name for name in found if name != layout]
    if not segments:
        raise DatasetError(f"{record} describes no signal: its segments are gaps")
    if wrong := next((name for name in found if not is_plain(name)), None):
        raise DatasetError(f"{record}: {wrong!r} is no name of a segment")
    return SegmentNames(layout, segments)


def placed_segments(name: str, layout: Layout) -> tuple[SegmentNames, list[PlacedSegment]]:
    """Return the segments that a layout of a whole record tells of.

    Their frames may be fewer than they were: what is recovered may end before.

    Args:
        name: of the record, for errors.
        layout: as `open_segments` gives it.

    Raises:
        DatasetError: if a header is damaged.
        ValueError: if they do not go together.
    """
    record = f"{name}{HEADER}"
    names = segment_names(parse_any(layout.attachments["header"], record), record)
    frames, left = [], layout.frames or 0
    for count in json.loads(layout.attachments[SEGMENTS]):
        if not isinstance(count, int) or count < 0:
            raise ValueError(f"a segment has 0 or more frames, not {count!r}")
        frames.append(min(left, count))
        left -= frames[-1]
    tracks, parts = assemble(record, layout.attachments, names, frames)
    kinds = [(track.dtype, track.per_frame, track.missing) for track in layout.tracks]
    if kinds != [(track.dtype, track.per_frame, track.missing) for track in tracks]:
        raise ValueError("the headers are not those of these signals")
    return names, parts


def assemble(
    record: str, attachments: dict[str, bytes], names: SegmentNames, frames: Sequence[int]
) -> tuple[tuple[Track, ...], list[PlacedSegment]]:
    """Return the tracks of a record, and its segments with the places of their signals in it.

    Args:
        record: name of its header file, for errors.
        attachments: of the record; the headers of segments are among them.
        names: of its segments.
        frames: of each segment that has samples.

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
        PlacedSegment(name, layout, tuple(used.index(place) for place in places))
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


def widened(piece: Block, part: PlacedSegment, tracks: Sequence[Track]) -> list[NDArray[Any]]:
    """Return the frames of a segment as frames of the whole record."""
    frames = len(piece[0]) // part.layout.tracks[0].per_frame
    wide = [np.full(frames * track.per_frame, track.missing or 0, track.dtype) for track in tracks]
    for array, own, place in zip(piece, part.layout.tracks, part.places, strict=True):
        track = tracks[place]
        wide[place] = array.astype(track.dtype)
        if own.missing is not None and own.missing != track.missing:
            wide[place][array == own.missing] = track.missing
    return wide


def narrowed(block: Block, part: PlacedSegment, tracks: Sequence[Track]) -> list[NDArray[Any]]:
    """Return the frames of a segment from those of the whole record: the inverse of `widened`.

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

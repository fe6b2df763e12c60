"""A part of a recording as a recording: some of its channels, from one moment to another.

Its channels have the numbers of samples that `spans` gives; its frames are as many as divide all of
these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.arrays.npy import header_of
from sans.recordings.channels import choose_channels
from sans.recordings.formats import besides
from sans.recordings.layout import Block, Layout, Source, check_block, frames_at_a_time, frames_of
from sans.recordings.regrouping import regrouped
from sans.recordings.roles import is_text
from sans.recordings.spans import Cut, Span, end_of, spans_of
from sans.recordings.timing import Facts

_PIECE = 1 << 16  # samples of all tracks that are read at a time, about


@dataclass(frozen=True, slots=True)
class RecordingPart:
    """A part of a recording."""

    source: Source
    """Its samples. Its format is "npy" where its channels are one array, else "npz"; it has no
    attachments but what these need. Its tracks are those of the recording, but for `per_frame`."""

    kind: str
    """The format of the recording."""

    spans: Mapping[int, Span]
    """By the positions of its tracks in the recording, which of their samples they have."""

    facts: Facts
    """What is known of its time; seconds begin with the first of its samples."""

    begin: float
    """When that was taken, in seconds from the start of the recording; 0.0 without a rate."""

    end: float
    """When the last of its samples ends; 0.0 without a rate."""


def part_of(
    source: Source,
    cut: Cut,
    facts: Facts | None = None,
    name: str = "the recording",
    chosen: Sequence[int] | None = None,
) -> RecordingPart:
    """Return a part of a recording.

    Args:
        source: an open recording; one from a pipe must say how long it is.
        cut: which part.
        facts: what is known of the time of the recording, as `facts_of` gives it; None: no more
            than its rate.
        name: what the recording is called in an error.
        chosen: positions of its channels; None: those that `cut` says.

    Raises:
        DatasetError: if the recording has no such channel or part, or no rate to find it by.
    """
    layout = replace(source.layout, frames=frames_of(source))
    facts = facts or _plain_facts(layout)
    chosen, notices = _chosen(layout, cut, name) if chosen is None else (list(chosen), [])
    found = spans_of(layout, chosen, cut, facts, name)
    if lost := [_called(layout, i) for i, span in found.items() if not span.samples]:
        notices.append(f"the part has no sample of {', '.join(lost)}")
    place, unit = end_of(layout, chosen, cut, facts)
    if cut.end is not None and cut.end > place * (1 + 1e-9):
        notices.append(f"{name} ends at {place:g} {unit}, before the part does at {cut.end:g}")
    spans = {i: span for i, span in found.items() if span.samples}
    begin, end = _limits(layout, spans, facts)
    part = _layout(layout, spans)

    def blocks(size: int) -> Iterator[list[NDArray[Any]]]:
        check_block(size)
        sizes = [size * track.per_frame for track in part.tracks]
        return regrouped(_pieces(source, layout, spans), sizes)

    near = facts.part(begin, end) if facts.period else replace(facts, frames=part.frames or 0)
    made = Source(part, blocks, (*source.notices, *facts.notices, *notices))
    return RecordingPart(made, layout.format, spans, near, begin, end)


def _plain_facts(layout: Layout) -> Facts:
    track = layout.tracks[0]
    period = track.per_frame / track.rate if track.rate else 0.0
    return Facts(None, None, layout.frames or 0, period)


def _chosen(layout: Layout, cut: Cut, name: str) -> tuple[list[int], list[str]]:
    """Return the positions of the tracks of a part, and what to say of those that are left out."""
    names = [track.name for track in layout.tracks]
    if cut.channels:
        return choose_channels(cut.channels, names, name), []
    chosen = [i for i in range(len(names)) if not is_text(layout, i)]
    if not chosen:
        raise DatasetError(f"{name} has annotations only: a part wants the name of one")
    notices = [f"{each} left out of the part" for each in besides(layout)]
    if len(chosen) < len(names):
        left = dict.fromkeys(names[i] for i in range(len(names)) if is_text(layout, i))
        notices.append(f"left out of the part unless named: {', '.join(left)}")
    return chosen, notices


def _called(layout: Layout, number: int) -> str:
    return layout.tracks[number].name or f"channel {number}"


def _limits(layout: Layout, spans: Mapping[int, Span], facts: Facts) -> tuple[float, float]:
    """Return when the first of some samples is taken, and when the last one ends."""
    begins, ends = [], []
    for i, span in spans.items():
        track = layout.tracks[i]
        if track.rate and len(layout.shape) < 3:
            begins.append(float(facts.times_of(track, span.first, span.first + 1)[0]))
            ends.append(float(facts.times_of(track, span.last - 1, span.last)[0]) + 1 / track.rate)
    return min(begins, default=0.0), max(ends, default=0.0)


def _layout(layout: Layout, spans: Mapping[int, Span]) -> Layout:
    """Return the layout of a part: as many frames as divide the samples of every track."""
    images = len(layout.shape) == 3
    tracks, counts = [layout.tracks[i] for i in spans], [s.samples for s in spans.values()]
    frames = counts[0] // tracks[0].per_frame if images else math.gcd(*counts)
    found = tuple(
        replace(track, per_frame=count // frames)
        for track, count in zip(tracks, counts, strict=True)
    )
    if len({(track.dtype, count) for track, count in zip(tracks, counts, strict=True)}) > 1:
        return Layout("npz", found, frames)
    shape = (frames, *(layout.shape[1:] if images else (len(tracks),) if len(tracks) > 1 else ()))
    return Layout("npy", found, frames, shape, {"header": header_of(tracks[0].dtype, shape)})


def _pieces(
    source: Source, layout: Layout, spans: Mapping[int, Span]
) -> Iterator[list[NDArray[Any]]]:
    """Yield the samples of some tracks from the first to the last of each, some at a time."""
    each = {i: layout.tracks[i].per_frame for i in spans}
    begin = min(span.first // each[i] for i, span in spans.items())
    end = max(-(-span.last // each[i]) for i, span in spans.items())
    for place, block in _blocks(source, begin, end):
        yield [
            block[i][max(span.first - place * each[i], 0) : max(span.last - place * each[i], 0)]
            for i, span in spans.items()
        ]


def _blocks(source: Source, begin: int, end: int) -> Iterator[tuple[int, Block]]:
    """Yield blocks that hold the frames from one to before another, each with its first frame."""
    size = source.layout.tracks[0].per_frame
    if source.between is not None:
        place, blocks = begin, source.between(begin, end)
    else:
        place, blocks = 0, source.blocks(frames_at_a_time(source.layout, _PIECE))
    for block in blocks:
        frames = len(block[0]) // size
        if place + frames > begin:
            yield place, block
        place += frames
        if place >= end:
            return

"""Recordings of any kind, files and streams alike, read into memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings import open_recording
from sans.recordings.channels import choose_channel
from sans.recordings.facts import annotations_of, facts_of
from sans.recordings.layout import Layout, Source, Track
from sans.recordings.opening import is_record
from sans.recordings.paths import is_file, unreadable
from sans.recordings.recording import Channel, Recording, in_memory
from sans.recordings.roles import Role, roles_in
from sans.recordings.timing import Annotation, Facts

Array = NDArray[Any]

SUFFIX = ".sans"
MAGIC = b"SANS"  # as in sans.codec.container, which is imported only where there is a stream

_SLACK = 1e-6  # of a sample: decimal fractions of seconds are rounded
_BLOCK = 1 << 20  # samples of all tracks that are read at once, about


class Span(NamedTuple):
    """Which samples of a track are wanted."""

    first: int
    """The first of them."""

    last: int
    """The one behind the last."""


def read(
    path: str | Path,
    *,
    channel: str | int | Sequence[str | int] | None = None,
    start: float | None = None,
    end: float | None = None,
    rate: float | None = None,
    annotations: bool = True,
) -> Recording:
    """Read a recording: a file of any format, a WFDB record, or a stream of this codec.

    Args:
        path: the file; a WFDB record with suffix or without.
        channel: the channels to keep, by name, in capitals or not, or by position; None: all.
        start: second from which on; None: from the first sample.
        end: second before which; None: to the last sample.
        rate: samples per second, of a recording that does not say.
        annotations: whether to read the annotation files of a WFDB record.

    Raises:
        SansError: if there is no such recording, channel or part, or the file is damaged.
        ValueError: if `start`, `end` or `rate` is no possible one, or the recording has a rate.
    """
    path = Path(path)
    _check_part(start, end)
    with _opened(path, annotations) as source:
        samples = _read_all(source)
    layout = replace(source.layout, frames=len(samples[0]) // source.layout.tracks[0].per_frame)
    if rate is not None:
        layout = _with_rate(layout, rate, path.name)

    def given(number: int) -> Iterable[Array]:
        return (samples[number],)

    def noted() -> Sequence[Annotation]:
        return annotations_of(layout, given)

    roles = roles_in(layout, given)
    facts = facts_of(layout, given)
    found = _Found(path.name, replace(source, layout=layout), samples, roles, facts, noted)
    chosen = _chosen(layout, roles, channel, path.name)
    if channel is None and start is None and end is None:
        return _whole(_name(path), found, chosen)
    return _part(_name(path), found, _spans(found, chosen, start, end))


class _Found(NamedTuple):
    """A recording in memory."""

    file: str
    source: Source
    samples: list[Array]
    roles: Sequence[Role]
    facts: Facts
    noted: Callable[[], Sequence[Annotation]]


def _whole(name: str, found: _Found, chosen: Sequence[int]) -> Recording:
    """Return all of a recording; the chosen tracks are its channels."""
    layout, facts = found.source.layout, found.facts
    channels = [
        _channel(found, i, found.samples[i], partial(facts.times_of, layout.tracks[i]))
        for i in chosen
    ]
    whole = in_memory(layout, found.samples, found.source.notices)
    return Recording(name, whole, channels, facts, found.noted)


def _part(name: str, found: _Found, spans: dict[int, Span]) -> Recording:
    """Return some samples of some tracks, whose seconds begin with the first of them."""
    layout, facts = found.source.layout, found.facts
    offset, until = _limits(layout, facts, spans)
    channels = [
        _channel(
            found,
            i,
            found.samples[i][span.first : span.last],
            partial(_times, facts, layout.tracks[i], span, offset),
        )
        for i, span in spans.items()
    ]
    kept = _layout_of_part(layout, spans)
    part = in_memory(kept, [each.stored.reshape(-1) for each in channels], found.source.notices)
    near = facts.part(offset, until) if facts.period else replace(facts, frames=kept.frames or 0)

    def noted() -> list[Annotation]:
        return _between(found.noted(), offset, until)

    return Recording(name, part, channels, near, noted, whole=False)


def _name(path: Path) -> str:
    return path.name.removesuffix(SUFFIX).split(".")[0] or path.name


@contextmanager
def _opened(path: Path, annotations: bool) -> Iterator[Source]:
    """Open a recording, or the one in a stream."""
    if is_record(path) or not is_file(path):
        yield open_recording(path, annotations=annotations)
        return
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                from sans.codec.decompression import Stream
                from sans.codec.streamed import source_of

                yield source_of(Stream(file))
                return
    except OSError as error:
        raise unreadable(path, error) from error
    yield open_recording(path, annotations=annotations)


def _read_all(source: Source) -> list[Array]:
    """Return the samples of every track."""
    tracks = source.layout.tracks
    size = max(1, _BLOCK // sum(track.per_frame for track in tracks))
    parts: list[list[Array]] = [[np.empty(0, track.dtype)] for track in tracks]
    for block in source.blocks(size):
        for part, array in zip(parts, block, strict=True):
            part.append(array)
    return [np.concatenate(part) for part in parts]


def _with_rate(layout: Layout, rate: float, name: str) -> Layout:
    """Return a layout with a rate that the file does not tell."""
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"a rate is a number of samples per second above 0, not {rate!r}")
    if told := next((track.rate for track in layout.tracks if track.rate), None):
        raise ValueError(
            f"{name} says {told:g} Hz: a rate is for recordings that do not say theirs"
        )
    if len(layout.shape) == 3:
        raise ValueError(f"{name} has images, which have no rate")
    return replace(layout, tracks=tuple(replace(track, rate=rate) for track in layout.tracks))


def _chosen(
    layout: Layout, roles: Sequence[Role], wanted: str | int | Sequence[str | int] | None, name: str
) -> list[int]:
    """Return the positions of the tracks that are wanted."""
    channels = [i for i, role in enumerate(roles) if role != Role.ANNOTATIONS]
    if wanted is None:
        return channels
    names = [layout.tracks[i].name for i in channels]
    every = [wanted] if isinstance(wanted, str | int) else wanted
    return [channels[choose_channel(str(each), names, name)] for each in every]


def _channel(found: _Found, number: int, samples: Array, times: Callable[[], Array]) -> Channel:
    layout, role = found.source.layout, found.roles[number]
    if len(layout.shape) == 3:  # an image is a frame, and has no rate
        samples = samples.reshape(-1, *layout.shape[1:])
        times = partial(np.arange, float(len(samples)))
    return Channel(layout.tracks[number], role, samples, times, str(number))


def _check_part(start: float | None, end: float | None) -> None:
    for name, second in (("start", start), ("end", end)):
        if second is not None and not (math.isfinite(second) and second >= 0):
            raise ValueError(f"the {name} of a part is second 0 or a later one, not {second!r}")
    if end is not None and end <= (start or 0):
        raise ValueError(f"a part ends after its start at {start or 0:g} s, not at {end:g} s")


def _spans(
    found: _Found, chosen: Sequence[int], start: float | None, end: float | None
) -> dict[int, Span]:
    """Return which samples of the chosen tracks lie between two seconds.

    Raises:
        DatasetError: if there is none, or no rate to find them by.
    """
    name, facts, spans = found.file, found.facts, {}
    for i in chosen:
        track = found.source.layout.tracks[i]
        samples = facts.samples_of(track)
        if start is None and end is None:
            spans[i] = Span(0, samples)
            continue
        if not track.rate:
            raise DatasetError(f"{name} does not say its rate: give rate= to have a part of it")
        times = facts.times_of(track) + _SLACK / track.rate
        first = 0 if start is None else int(np.searchsorted(times, start))
        last = samples if end is None else int(np.searchsorted(times, end))
        spans[i] = Span(first, last)
    if not any(span.first < span.last for span in spans.values()):
        between = f"{start or 0:g} s and " + ("its end" if end is None else f"{end:g} s")
        raise DatasetError(f"{name} has {facts.duration:g} s: nothing of it lies between {between}")
    return spans


def _limits(layout: Layout, facts: Facts, spans: dict[int, Span]) -> tuple[float, float]:
    """Return when the first sample of a part is taken, and when its last one ends."""
    begins, ends = [], []
    for i, span in spans.items():
        track = layout.tracks[i]
        if track.rate and span.first < span.last:
            begins.append(float(facts.times_of(track, span.first, span.first + 1)[0]))
            ends.append(float(facts.times_of(track, span.last - 1, span.last)[0]) + 1 / track.rate)
    return min(begins, default=0.0), max(ends, default=0.0)


def _times(facts: Facts, track: Track, span: Span, offset: float) -> NDArray[np.float64]:
    return facts.times_of(track, *span) - offset


def _layout_of_part(layout: Layout, spans: dict[int, Span]) -> Layout:
    """Return the layout of some samples of some tracks, without what only a whole file has."""
    counts = [span.last - span.first for span in spans.values()]
    frames = math.gcd(*counts)
    tracks = tuple(
        replace(layout.tracks[i], per_frame=max(1, count // max(1, frames)))
        for i, count in zip(spans, counts, strict=True)
    )
    return Layout(layout.format, tracks, frames)


def _between(noted: Sequence[Annotation], begin: float, end: float) -> list[Annotation]:
    """Return the annotations of a part, whose seconds begin with it."""
    return [
        replace(each, onset=round(each.onset - begin, 9))
        for each in noted
        if each.onset < end and each.onset + each.duration >= begin
    ]

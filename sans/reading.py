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
from sans.files.paths import is_file, unreadable
from sans.recordings import open_recording
from sans.recordings.channels import position_of
from sans.recordings.cutting import RecordingPart, part_of
from sans.recordings.facts import annotations_of, facts_of
from sans.recordings.layout import Layout, Source, Track, all_samples, samples_of
from sans.recordings.opening import is_record
from sans.recordings.rates import given_rate, rated
from sans.recordings.recording import Channel, Recording, in_memory
from sans.recordings.roles import Role, roles_in
from sans.recordings.spans import Cut, Span
from sans.recordings.timing import Annotation, Facts

Array = NDArray[Any]

SUFFIX = ".sans"
MAGIC = b"SANS"  # as in sans.codec.container, which is imported only where there is a stream

_BLOCK = 1 << 20  # samples of all tracks that are read at once, about


def read(
    path: str | Path,
    *,
    channel: str | int | Sequence[str | int] | None = None,
    start: float | None = None,
    end: float | None = None,
    rate: float | None = None,
    annotations: bool = True,
    max_output: int | None = None,
) -> Recording:
    """Read a recording: a file of any format, a WFDB record, or a stream of this codec.

    Args:
        path: the file; a WFDB record with suffix or without.
        channel: the channels to keep, by name, in capitals or not, or by position, from the end if
            below 0; None: all.
        start: second from which on; None: from the first sample.
        end: second before which; None: to the last sample.
        rate: samples per second, of a recording that does not say; None: what an axis of time
            tells.
        annotations: whether to read the annotation files of a WFDB record.
        max_output: bytes of the samples of a stream, at most; None: the larger of 1 GiB and 1,000
            times the stream.

    Raises:
        SansError: if there is no such recording, channel or part, the file is damaged, or says
            another rate.
        ValueError: if `start`, `end`, `rate` or `max_output` is no possible one, or `channel` names
            none at all.
        TypeError: if a channel is neither a name nor a position.

    Examples:
        >>> import numpy as np
        >>> import sans
        >>> np.save("ecg.npy", np.arange(1000, dtype=np.int16))
        >>> recording = sans.read("ecg.npy", rate=250, start=1, end=2)
        >>> recording
        ecg: npy, 1 channel, 1 s
          0 0: 250 samples, 250 Hz, 250 to 499
        >>> recording[0].values[:3].tolist()
        [250.0, 251.0, 252.0]
    """
    path, cut = Path(path), Cut(start, end)
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"a rate is a number of samples per second above 0, not {rate!r}")
    partly = cut.in_seconds or channel is not None
    with _source_at(path, annotations, max_output) as source:
        samples: list[Array] = []
        if not (partly and source.between):  # of a stream no more is decoded than is wanted
            samples = all_samples(source, _BLOCK)
            source = in_memory(source.layout, samples, source.notices)
        found = _look_at(source, rate, path)
        chosen = _chosen(found.source.layout, found.roles, channel, path.name)
        return _part(found, chosen, cut) if partly else _whole(found, chosen, samples)


class _Found(NamedTuple):
    """A recording, and what is known of it."""

    path: Path
    source: Source
    facts: Facts
    roles: Sequence[Role]


def _look_at(source: Source, rate: float | None, path: Path) -> _Found:
    """Find out the roles of the tracks of a recording, and its rates and times."""
    given = partial(samples_of, source)
    roles = roles_in(source.layout, given)
    if rate is not None:
        source = replace(source, layout=given_rate(source.layout, rate))
    else:
        source = replace(source, layout=rated(source.layout, given, roles))
    return _Found(path, source, facts_of(source.layout, given), roles)


def _whole(found: _Found, chosen: Sequence[int], samples: Sequence[Array]) -> Recording:
    """Return all of a recording, whose samples are those; the chosen tracks are its channels."""
    path, source, facts, roles = found
    layout = source.layout
    channels = [
        _channel(layout, i, roles[i], samples[i], partial(facts.times_of, layout.tracks[i]))
        for i in chosen
    ]
    noted = partial(annotations_of, layout, partial(samples_of, source))
    return Recording(_name(path), source, channels, facts, noted)


def _part(found: _Found, chosen: Sequence[int], cut: Cut) -> Recording:
    """Return some channels of a recording, from one moment to another."""
    path, source, facts, roles = found
    layout = source.layout
    if cut.in_seconds and not all(layout.tracks[i].rate for i in chosen):
        raise DatasetError(f"{path.name} does not say its rate: give rate= to have a part of it")
    part = part_of(source, cut, facts, path.name, chosen)
    samples = all_samples(part.source, _BLOCK)
    noted = _between(annotations_of(layout, partial(samples_of, source)), part)
    kept = replace(part.source.layout, format=layout.format)
    arrays = dict(zip(part.spans, samples, strict=True))
    channels = []
    for i in chosen:
        array = arrays.get(i, np.empty(0, layout.tracks[i].dtype))
        span = part.spans.get(i, Span(0, 0))
        times = partial(_times, facts, layout.tracks[i], span, part.begin)
        channels.append(_channel(layout, i, roles[i], array, times))
    return Recording(
        _name(path),
        in_memory(kept, samples, part.source.notices),
        channels,
        part.facts,
        lambda: noted if facts.period else [],
        whole=False,
    )


def _name(path: Path) -> str:
    return path.name.removesuffix(SUFFIX).split(".")[0] or path.name


@contextmanager
def _source_at(path: Path, annotations: bool, max_output: int | None) -> Iterator[Source]:
    """Open a recording, or the one in a stream."""
    if is_record(path) or not is_file(path):
        yield open_recording(path, annotations=annotations)
        return
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                from sans.codec.decompression import OpenStream
                from sans.codec.streamed import source_of

                yield source_of(OpenStream(file), max_output)
                return
    except OSError as error:
        raise unreadable(path, error) from error
    yield open_recording(path, annotations=annotations)


def _chosen(
    layout: Layout,
    roles: Sequence[Role],
    wanted: str | int | Sequence[str | int] | None,
    name: str,
) -> list[int]:
    """Return the positions of the tracks that are wanted."""
    channels = [i for i, role in enumerate(roles) if role != Role.ANNOTATIONS]
    if wanted is None:
        return channels
    names = [layout.tracks[i].name for i in channels]
    every: list[Any] = [wanted]
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        every = list(wanted)
    if not every:
        raise ValueError("channels to keep: one or more are wanted, not none")
    return [channels[position_of(each, names, name)] for each in every]


def _channel(
    layout: Layout, number: int, role: Role, samples: Array, times: Callable[[], Array]
) -> Channel:
    track = layout.tracks[number]
    if len(layout.shape) == 3:  # an image is a frame, and has no rate
        images = samples.reshape(-1, *layout.shape[1:])
        return Channel(track, role, images, partial(np.arange, float(len(images))), str(number))
    return Channel(track, role, samples, times, str(number))


def _times(facts: Facts, track: Track, span: Span, offset: float) -> NDArray[np.float64]:
    return facts.times_of(track, *span) - offset


def _between(noted: Sequence[Annotation], part: RecordingPart) -> list[Annotation]:
    """Return the annotations of a part, whose seconds begin with it."""
    return [
        replace(each, onset=round(each.onset - part.begin, 9))
        for each in noted
        if each.onset < part.end and each.onset + each.duration >= part.begin
    ]

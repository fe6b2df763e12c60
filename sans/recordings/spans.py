"""Which samples of a recording belong to a part of it, by their moments.

The samples of a channel lie at 0, 1 / rate, 2 / rate, … seconds, with gaps between where there are
any; those with start ≤ t < end belong to a part. It begins and ends with samples, not with frames:
channels of several rates have the numbers of samples that they have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from sans.errors import DatasetError
from sans.options import PART, option
from sans.recordings.layout import Layout, Track
from sans.recordings.timing import EvenRun, Facts

TOLERANCE = 1e-6
"""By what a moment may miss a sample and still be it, in samples: decimal fractions are rounded."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a recording is wanted.

    Raises:
        ValueError: if a place is below 0, or no whole number of samples, or the end is not behind
            the start, or samples are counted for neither.
    """

    start: float | None = option(None, "Second from which on; only a part is decoded.", PART)
    """Seconds from which on; none: from the first sample."""

    end: float | None = option(None, "Second before which.", PART)
    """Seconds before which; none: to the last sample."""

    channels: tuple[str, ...] = option(
        (),
        "Channels of the part: names or positions, parted by commas.",
        PART,
        unset="all but annotations",
        metavar="NAME,…",
        flag="--channel",
    )
    """Names or positions, several in one parted by commas; none: all but annotations."""

    samples: bool = option(
        False,
        "--start and --end count samples (images, of a stack) from 0, not seconds: for what has "
        "no rate.",
        PART,
    )
    """Whether start and end count samples, or images, from 0; not seconds."""

    def __post_init__(self) -> None:
        unit = "sample" if self.samples else "second"
        for name, place in (("start", self.start), ("end", self.end)):
            if place is not None and not (math.isfinite(place) and place >= 0):
                raise ValueError(f"the {name} of a part is {unit} 0 or a later one, not {place:g}")
            if self.samples and place is not None and place != int(place):
                raise ValueError(f"the {name} of a part in samples is a whole number: not {place}")
        if self.end is not None and self.end <= (self.start or 0):
            raise ValueError(
                f"a part ends after its start at {self._said(self.start or 0)}, "
                f"not at {self._said(self.end)}"
            )
        if self.samples and self.start is None and self.end is None:
            raise ValueError("samples are counted for a part with a start or an end: neither is")

    @property
    def between(self) -> str:
        """Where it lies, in words."""
        end = "its end" if self.end is None else self._said(self.end)
        return f"{self._said(self.start or 0)} and {end}"

    @property
    def in_seconds(self) -> bool:
        """Whether moments tell what belongs to it."""
        return not self.samples and (self.start is not None or self.end is not None)

    def _said(self, place: float) -> str:
        return f"sample {place:g}" if self.samples else f"{place:g} s"


class Span(NamedTuple):
    """Which samples of a track belong to a part."""

    first: int
    """The first."""

    last: int
    """The one behind the last; not below `first`."""

    @property
    def samples(self) -> int:
        """How many they are."""
        return self.last - self.first


def spans_of(
    layout: Layout, chosen: Sequence[int], cut: Cut, facts: Facts, name: str
) -> dict[int, Span]:
    """Return which samples of tracks belong to a part, which may be none of a track.

    Args:
        layout: of the recording, with its number of frames.
        chosen: positions of the tracks.
        cut: which part.
        facts: what is known of its time.
        name: what the recording is called in an error.

    Raises:
        DatasetError: if nothing of any track belongs to it, it is in seconds and a track has no
            rate, or in samples and the tracks have several.
    """
    tracks, frames = {i: layout.tracks[i] for i in chosen}, layout.frames or 0
    if cut.samples and len({track.per_frame for track in tracks.values()}) > 1:
        raise DatasetError(
            f"{name} has channels of several rates: a part in samples wants channels of one"
        )
    if cut.in_seconds and not all(track.rate for track in tracks.values()):
        raise DatasetError(f"{name} has no rate: its parts count samples (--samples), not seconds")
    if cut.in_seconds:
        found = {i: _span(track, frames, cut, facts.runs) for i, track in tracks.items()}
    else:
        # Of images, whole ones are counted.
        found = {
            i: _counted(cut, frames, track.per_frame)
            if len(layout.shape) == 3
            else _counted(cut, frames * track.per_frame, 1)
            for i, track in tracks.items()
        }
    if not any(span.samples for span in found.values()):
        place, unit = end_of(layout, chosen, cut, facts)
        raise DatasetError(f"{name} has {place:g} {unit}: nothing of it lies between {cut.between}")
    return found


def end_of(layout: Layout, chosen: Sequence[int], cut: Cut, facts: Facts) -> tuple[float, str]:
    """Return where a recording ends for a caller that cuts it like this, and in which unit."""
    if len(layout.shape) == 3:
        return layout.frames or 0, "images"
    if cut.in_seconds:
        return facts.duration, "s"
    return (layout.frames or 0) * max(layout.tracks[i].per_frame for i in chosen), "samples"


def _counted(cut: Cut, count: int, size: int) -> Span:
    """Return the span of a part in samples, or other things of so many samples."""
    first = min(int(cut.start or 0), count)
    return Span(first * size, size * (count if cut.end is None else min(int(cut.end), count)))


def _span(track: Track, frames: int, cut: Cut, runs: Sequence[EvenRun]) -> Span:
    """Return the samples of a track with start ≤ t < end; they follow one another."""
    found: list[Span] = []
    for run, behind in pairwise([*runs, EvenRun(frames, math.inf)]):
        begin = round(run.frame * track.per_frame)
        count = round(behind.frame * track.per_frame) - begin
        first = 0 if cut.start is None else _sample(cut.start - run.second, track.rate, count)
        last = count if cut.end is None else _sample(cut.end - run.second, track.rate, count)
        if first < last:
            found.append(Span(begin + first, begin + last))
    return Span(found[0].first, found[-1].last) if found else Span(0, 0)


def _sample(seconds: float, rate: float, count: int) -> int:
    """Return the first sample at a moment or later, of `count`; the one behind the last of them."""
    place = seconds * rate
    if not -1 < place < count:
        return 0 if place < 0 else count
    nearest = round(place)
    exact = abs(place - nearest) <= max(TOLERANCE, 4 * math.ulp(place))
    return min(max(nearest if exact else math.ceil(place), 0), count)

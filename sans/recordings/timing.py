"""The time of a recording: when it began, where it stopped, and what was noted when.

All seconds are those of a clock that starts with the first frame and goes on through gaps.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.recordings.layout import Track


class EvenRun(NamedTuple):
    """Where frames begin that follow each other without a gap."""

    frame: float
    """The first of them; a whole number but in parts of recordings."""

    second: float
    """When it begins."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nothing was recorded."""

    first: float
    """When it begins, in seconds after the first frame: just when the last frame before it ends."""

    last: float
    """When it ends: just when the first frame behind it begins; or the recording, if none is."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a person, or a program, has noted of a moment or an interval of a recording."""

    onset: float
    """When it begins, in seconds after the first frame; below 0 if it was before."""

    duration: float
    """How many seconds it lasts; 0.0 for a moment, or if the file does not say."""

    text: str
    """What is noted: in EDF+ its text, in WFDB the symbol of the annotation, such as "N"."""

    note: str = ""
    """What WFDB annotations have beside the symbol, such as "(AFIB"; "" if there is none."""

    annotator: str = ""
    """The annotation file of a WFDB record that it comes from, such as "atr"; "" elsewhere."""

    channel: int | None = None
    """The number of a signal that the file gives; None if it gives none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording says of its time."""

    start: datetime | None
    """When the first frame was recorded, by the clock of the recorder; None if not known."""

    clock: time | None
    """The time of day of the first frame, which may be known where the date is not."""

    frames: float
    """Frames in all; a part of a recording may have a fraction of one."""

    period: float
    """Seconds of a frame; 0.0 if there is no rate."""

    runs: tuple[EvenRun, ...] = (EvenRun(0, 0.0),)
    """Where frames begin that follow each other, in order; one or more."""

    end: float | None = None
    """When the recording ends, where that is later than its last frame."""

    notices: tuple[str, ...] = ()
    """What makes no sense of it, one sentence each."""

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end, gaps included; 0.0 if there is no rate."""
        return self.second_of(self.frames) if self.end is None else self.end

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The times without frames, in order."""
        ends = [self._end_of(number) for number in range(len(self.runs))]
        starts = [*(run.second for run in self.runs[1:]), self.duration]
        before = [Gap(0.0, self.runs[0].second)] if self.runs[0].second else []
        pairs = zip(ends, starts, strict=True)
        return (*before, *(Gap(end, start) for end, start in pairs if end < start))

    def second_of(self, frame: float) -> float:
        """Return when a frame begins; the one behind the last begins where that ends."""
        number = bisect_right(self.runs, frame, key=lambda run: run.frame)
        run = self.runs[max(0, number - 1)]
        return round(run.second + (frame - run.frame) * self.period, 9)

    def times_of(
        self, track: Track, first: int = 0, last: int | None = None
    ) -> NDArray[np.float64]:
        """Return when samples of a track were taken.

        Args:
            track: the signal.
            first: number of the first sample.
            last: number of the sample behind the last one; None: all that follow.

        Returns:
            ``(last - first,)``, in seconds; without a rate, the numbers of the samples.
        """
        last = self.samples_of(track) if last is None else last
        samples = np.arange(first, last)
        if not track.rate:
            return samples.astype(np.float64)
        begins = np.array([round(run.frame * self.period * track.rate) for run in self.runs])
        seconds = np.array([run.second for run in self.runs])
        runs = np.maximum(np.searchsorted(begins, samples, "right") - 1, 0)
        return np.asarray(seconds[runs] + (samples - begins[runs]) / track.rate)

    def samples_of(self, track: Track) -> int:
        """Return how many samples a track has."""
        return round(self.frames * (self.period * track.rate or track.per_frame))

    def part(self, begin: float, end: float) -> Facts:
        """Return the facts of what lies between two seconds, of which the first becomes 0."""
        runs, frames = [], 0.0
        for number, run in enumerate(self.runs):
            first, last = max(run.second, begin), min(self._end_of(number), end)
            if first < last:
                runs.append(EvenRun(frames, first - begin))
                frames += (last - first) / self.period
        later = timedelta(seconds=begin)
        start = self.start and self.start + later
        clock = self.clock and (datetime.combine(date(2000, 1, 1), self.clock) + later).time()
        return Facts(start, clock, frames, self.period, tuple(runs) or self.runs[:1])

    def _end_of(self, number: int) -> float:
        """Return when the last frame of a run ends."""
        run = self.runs[number]
        frames = self.runs[number + 1].frame if number + 1 < len(self.runs) else self.frames
        return round(run.second + (frames - run.frame) * self.period, 9)

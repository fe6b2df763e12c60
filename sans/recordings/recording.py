"""A recording in memory, channel by channel, to look at in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sans.recordings.channels import position_of
from sans.recordings.layout import Layout, Source, Track, check_block, in_units
from sans.recordings.roles import Role
from sans.recordings.timing import Annotation, Facts, Gap

if TYPE_CHECKING:
    import pandas as pd

    from sans.plots.style import Picture

Array = NDArray[Any]

_SHOWN = 32  # channels in a repr


class Channel:
    """One signal of a recording.

    Args:
        track: what the file says of it.
        role: what it is for.
        stored: its samples as the file has them.
        times: returns when they were taken.
        label: what to call it if it has no name.
    """

    def __init__(
        self,
        track: Track,
        role: Role,
        stored: Array,
        times: Callable[[], NDArray[np.float64]],
        label: str,
    ) -> None:
        self._track, self._times = track, times
        self._label = track.name or label
        self.name = track.name
        """What the file calls it; "" if it has no name."""
        self.unit = track.unit
        """Physical unit of `values`, such as "mV"; "" if unknown."""
        self.rate = track.rate
        """Samples per second; 0.0 if unknown."""
        self.role = role.value
        """What it is for: "signal", "axis" or "events"."""
        self.stored = stored
        """The samples as the file has them, integers of a converter or numbers, ``(samples,)``;
        images are ``(images, height, width)``. They cannot be written to."""
        self.stored.flags.writeable = False

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The samples in `unit`, NaN where they are missing; they cannot be written to."""
        track = self._track
        values = in_units(self.stored, track.gain, track.baseline, track.missing)
        values.flags.writeable = False
        return values

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """When each sample was taken, in seconds from the start; without a rate, its number."""
        times = self._times()
        times.flags.writeable = False
        return times

    @property
    def track(self) -> Track:
        """What the file says of it: gain, baseline, bits and more."""
        return self._track

    @property
    def label(self) -> str:
        """Its name, or else its position."""
        return self._label

    def __len__(self) -> int:
        return len(self.stored)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype, copy=copy)

    def __repr__(self) -> str:
        rate = f", {self.rate:g} Hz" if self.rate else ""
        role = "" if self.role == Role.SIGNAL.value else f", {self.role}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self._label}: {len(self):,} samples{rate}{self._range()}{unit}{role}"

    def _range(self) -> str:
        values = self.values[np.isfinite(self.values)]
        return f", {values.min():.4g} to {values.max():.4g}" if len(values) else ""


class Recording:
    """A recording: its channels, when it began, where it stopped, and what was noted.

    ``recording["MLII"]`` is a channel, by its name in capitals or not; ``recording[0]`` is one by
    position. All seconds are those of a clock that starts with the first sample and goes on through
    gaps.

    Args:
        name: what it is called.
        source: its samples, as files have them, and all else that a writer needs.
        channels: its channels.
        facts: what it says of its time.
        annotations: returns what was noted.
        whole: whether `source` has all that gives the same file again.

    Examples:
        >>> import numpy as np
        >>> import sans
        >>> table = np.column_stack([np.arange(50) / 250, np.arange(50) % 5])
        >>> np.savetxt("ecg.csv", table, "%g", delimiter=",", header="time,II", comments="")
        >>> recording = sans.read("ecg.csv")
        >>> [channel.name for channel in recording.channels]
        ['time', 'II']
        >>> recording["II"].rate, recording["II"].times[:3].tolist()
        (250.0, [0.0, 0.004, 0.008])
    """

    def __init__(
        self,
        name: str,
        source: Source,
        channels: Sequence[Channel],
        facts: Facts,
        annotations: Callable[[], Sequence[Annotation]],
        whole: bool = True,
    ) -> None:
        self.name = name
        """What the file is called, without folder and suffix."""
        self.channels = tuple(channels)
        """Its channels, in the order of the file."""
        self.notices = (*source.notices, *facts.notices)
        """What a reader has overlooked and you should know, one sentence each."""
        self.source, self.facts, self.whole = source, facts, whole
        self._annotations = annotations

    @property
    def start(self) -> datetime | None:
        """When the first sample was taken, by the clock of the recorder; None if not known."""
        return self.facts.start

    @property
    def duration(self) -> float:
        """Seconds from the first sample to the end of the last; 0.0 if there is no rate."""
        return self.facts.duration

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The times in which nothing was recorded."""
        return self.facts.gaps

    @cached_property
    def annotations(self) -> tuple[Annotation, ...]:
        """What was noted, in the order of time.

        Raises:
            DatasetError: if an annotation file is damaged.
        """
        return tuple(self._annotations())

    def __len__(self) -> int:
        return len(self.channels)

    def __iter__(self) -> Iterator[Channel]:
        return iter(self.channels)

    def __getitem__(self, channel: str | int) -> Channel:
        """Return a channel by its name, in capitals or not, or by its position.

        Raises:
            DatasetError: if there is none of that name; it names those that are there.
            IndexError: if there are not so many.
            TypeError: if it is neither a name nor a position.
        """
        count = len(self.channels)
        if isinstance(channel, Integral) and not -count <= channel < count:
            raise IndexError(f"{self.name} has {count} channels: no channel {channel}")
        names = [each.name for each in self.channels]
        return self.channels[position_of(channel, names, self.name)]

    def to_frame(self, rate: float | None = None) -> pd.DataFrame:
        """Return the channels as columns of a pandas data frame, in units, NaN where missing.

        Its index is the time in seconds, or the number of a sample where there is no rate; its
        ``attrs["units"]`` are the units.

        Args:
            rate: take the channels of this rate only, in Hz; None: all, if they have one rate.

        Raises:
            ValueError: if channels have several rates, or none has `rate`; it names those that are.
        """
        import pandas as pd

        rates = sorted({each.rate for each in self.channels})
        named = ", ".join(f"{each:g}" for each in rates)
        if rate is None and len(rates) > 1:
            raise ValueError(
                f"{self.name} has channels of {named} Hz, a data frame has one rate: say which"
            )
        chosen = [each for each in self.channels if rate is None or each.rate == rate]
        if not chosen:
            raise ValueError(f"{self.name} has channels of {named} Hz: none of {rate:g} Hz")
        if any(each.stored.ndim > 1 for each in chosen):
            raise ValueError(f"{self.name} has images: they are no columns of a data frame")
        index = pd.Index(chosen[0].times, name="time" if chosen[0].rate else "sample")
        columns = pd.Index([each.label for each in chosen])
        frame = pd.DataFrame(np.stack([each.values for each in chosen], axis=1), index, columns)
        frame.attrs["units"] = {each.label: each.unit for each in chosen}
        return frame

    def plot(self, start: float | None = None, end: float | None = None) -> Picture:
        """Draw the channels one below the other, with units and annotations.

        Args:
            start: second from which on; None: from the first.
            end: second up to which; None: to the last.

        Raises:
            ValueError: if nothing lies between these.
        """
        from sans.plots.recordings import plot_recording

        return plot_recording(self.name, self.channels, self.gaps, self.annotations, start, end)

    def __repr__(self) -> str:
        layout = self.source.layout
        count = len(self.channels)
        told = [f"{self.name}: {layout.format}, {count} channel{'s' if count != 1 else ''}"]
        told += [f"{self.duration:,.10g} s"] if self.duration else []
        told += [f"from {self.start:%Y-%m-%d %H:%M:%S}"] if self.start else []
        told += [f"{len(self.gaps)} gap{'s' if len(self.gaps) > 1 else ''}"] if self.gaps else []
        rows = [f"  {number} {each!r}" for number, each in enumerate(self.channels[:_SHOWN])]
        more = len(self.channels) - _SHOWN
        return "\n".join([", ".join(told), *rows, *([f"  and {more} more"] if more > 0 else [])])


def in_memory(layout: Layout, samples: Sequence[Array], notices: Sequence[str] = ()) -> Source:
    """Return samples in memory as a source.

    Args:
        layout: of the recording.
        samples: those of each track, ``(frames * per_frame,)``.
        notices: what a reader has overlooked.
    """
    frames = len(samples[0]) // layout.tracks[0].per_frame

    def blocks(size: int) -> Iterator[list[Array]]:
        check_block(size)
        for start in range(0, frames, size):
            yield [
                array[start * track.per_frame : (start + size) * track.per_frame]
                for array, track in zip(samples, layout.tracks, strict=True)
            ]

    return Source(replace(layout, frames=frames), blocks, tuple(notices))

"""What a recording holds, for writing it as another kind of file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError, printable
from sans.recordings.conversion.digits import Extent, extent_of
from sans.recordings.layout import Layout, Source, Track, frames_at_a_time, in_units
from sans.recordings.timing import Facts

Array = NDArray[Any]

_ASCII = str.maketrans({"µ": "u", "μ": "u", "Ω": "Ohm", "°": "deg"})


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal on its way into another file."""

    number: int
    """Which track of the recording."""

    track: Track
    """The track."""

    samples: int
    """How many samples it has."""

    extent: Callable[[], Extent]
    """Return what they are between, from a look at all of them."""

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return repr(self.track.name) if self.track.name else f"signal {self.number}"

    @property
    def unit(self) -> str:
        """Its unit behind a blank, if it has one."""
        return f" {self.track.unit}" if self.track.unit else ""


@dataclass(slots=True)
class Contents:
    """A recording on its way into another file."""

    name: str
    """What the new one is called."""

    source: Source
    """The recording, with its number of frames."""

    facts: Facts
    """What it says of its time."""

    signals: tuple[Signal, ...]
    """The tracks that the new one gets, one or more."""

    separator: str = ","
    """What stands between the cells of a line, if it is a table."""

    losses: dict[str, list[str]] = field(default_factory=dict)
    """What the new one does not have: the beginning of a sentence, and the signals it tells of."""

    def lose(self, what: str, of: str) -> None:
        """Note that the new recording does not have something of a signal."""
        self.losses.setdefault(what, []).append(of)

    def notices(self) -> tuple[str, ...]:
        """Return what the new one does not have, one sentence each."""
        return tuple(f"{what}: {', '.join(of)}" for what, of in self.losses.items())

    @property
    def layout(self) -> Layout:
        """The layout of the recording."""
        return self.source.layout

    def blocks(self) -> Iterator[list[Array]]:
        """Yield the samples of all tracks of the recording."""
        return self.source.blocks(frames_at_a_time(self.layout))

    def stored_type(self) -> str | None:
        """Return the type of all signals, if their numbers are in their units as they are stored.

        Returns:
            The type; None if there are several, or numbers in units are others than the stored.
        """
        types = {signal.track.dtype for signal in self.signals}
        return types.pop() if len(types) == 1 and all(map(is_plain, self.signals)) else None

    def numbers(self, stored: bool) -> Iterator[list[Array]]:
        """Yield the samples of the signals: as they are stored, or in units, NaN where missing."""
        for block in self.blocks():
            arrays = [(signal, block[signal.number]) for signal in self.signals]
            yield [array if stored else in_unit(signal, array) for signal, array in arrays]

    def lose_names_and_units(self, title: str, places: str) -> None:
        """Note that the new recording has neither names nor units of signals.

        Args:
            title: of its file format.
            places: what signals are in it, such as "columns".
        """
        for signal in self.signals:
            if signal.track.name:
                self.lose(f"{title} has no names, {places} are in this order", signal.track.name)
            if signal.track.unit:
                self.lose(f"{title} has no units", f"{signal.label} is in {signal.track.unit}")

    def one_rate(self, title: str) -> float:
        """Return the rate of all signals; 0.0 if it is unknown.

        Args:
            title: of the file format that wants it.

        Raises:
            DatasetError: if they have several, or different numbers of samples.
        """
        rates = sorted({signal.track.rate for signal in self.signals})
        if len(rates) > 1:
            named = " and ".join(f"{rate:g}" for rate in rates)
            raise DatasetError(
                f"{title} files have signals of one rate, here are {named} Hz: "
                "choose signals with --channel"
            )
        if len({signal.samples for signal in self.signals}) > 1:
            raise DatasetError(f"{title} files have signals of one length, here are several")
        return rates[0]

    def need_rates(self, title: str) -> None:
        """Raise `DatasetError` unless all signals have a rate."""
        for signal in self.signals:
            if not signal.track.rate:
                raise DatasetError(f"{title} files have a rate: that of {signal.label} is unknown")


def contents_of(name: str, source: Source, facts: Facts, numbers: Iterable[int]) -> Contents:
    """Return the contents of a recording, of which some tracks are wanted.

    Nothing in their names and units steers a terminal, or ends a line of a header.
    """
    signals = tuple(
        Signal(
            i,
            replace(
                source.layout.tracks[i],
                name=printable(source.layout.tracks[i].name),
                unit=printable(source.layout.tracks[i].unit),
            ),
            (source.layout.frames or 0) * source.layout.tracks[i].per_frame,
            partial(_extent, source, i),
        )
        for i in numbers
    )
    return Contents(name, source, facts, signals)


def _extent(source: Source, number: int) -> Extent:
    track = source.layout.tracks[number]
    blocks = (block[number] for block in source.blocks(frames_at_a_time(source.layout)))
    return extent_of(track, blocks, track.name or f"signal {number}")


def is_plain(signal: Signal) -> bool:
    """Return whether the numbers of a signal are in their unit as they are stored."""
    track = signal.track
    return (track.gain, track.baseline) == (1.0, 0.0) and (
        track.missing is None or not signal.extent().missing
    )


def in_unit(signal: Signal, samples: Array) -> NDArray[np.float64]:
    """Return samples of a signal in its unit, NaN where they are missing."""
    track = signal.track
    return in_units(samples, clean(track.gain), clean(track.baseline), track.missing)


def clean(value: float) -> float:
    """Return a number without what dividing has left in its last bits."""
    short = float(f"{value:.13g}")
    return short if abs(short - value) <= 4e-15 * abs(value) else value


def upwards(value: float) -> str:
    """Return a number above 0 with two digits, and not less than it is."""
    power = math.floor(math.log10(value)) - 1
    return f"{math.ceil(value / 10.0**power) * 10.0**power:.2g}"


def plain_unit(unit: str) -> str:
    """Return a unit in ASCII, as the readers of most formats want it: µV is uV."""
    return unit.translate(_ASCII).strip()

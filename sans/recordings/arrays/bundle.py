"""Several arrays of one file as one recording: each frame holds the samples of a common time.

An array of fewer samples than another has fewer in each frame. Where nothing says that it has a
rate of its own, and its numbers are whole, it may hold labels or places: it is kept exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sans.errors import DatasetError
from sans.recordings.arrays.heading import Heading
from sans.recordings.layout import Track

LARGEST_FRAME = 2**20
"""Samples in a frame of arrays that have not all the same length, at most."""

RATES = ("rate", "fs", "srate", "sfreq", "sampling_rate", "sample_rate", "samplerate")
"""What the single number is called, in small letters, that is the rate of a file."""


@dataclass(frozen=True, slots=True)
class Member:
    """One array."""

    name: str
    """What the file calls it."""

    heading: Heading
    """What it is, as ``(frames, …)``."""


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What a file says of all channels of its arrays, one after the other."""

    names: tuple[str, ...] = ()
    """The name of each channel; () where arrays alone have names."""

    units: tuple[str, ...] = ()
    """The unit of each channel; () where the file has none."""

    rates: tuple[float, ...] = ()
    """The rate of each channel in Hz, 0.0 for an unknown one; () where the file has none."""

    rate: float = 0.0
    """The rate of the longest arrays in Hz; 0.0 where the file has none."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Arrays as one recording."""

    members: tuple[Member, ...]

    frames: int

    tracks: tuple[Track, ...]
    """The channels of each array, one after the other."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the only array; () of several."""
        return self.members[0].heading.kept_shape if len(self.members) == 1 else ()

    def rows(self, member: Member) -> int:
        """Return how many rows of an array a frame holds."""
        return member.heading.shape[0] // self.frames if self.frames else 1


def bundle(members: Sequence[Member], facts: ChannelFacts, name: str) -> Bundle:
    """Return arrays as one recording.

    Args:
        members: the arrays, none of them empty.
        facts: what is known of their channels.
        name: of the file, for messages.

    Raises:
        DatasetError: if their lengths have no common frame that is small enough.
    """
    lengths = [member.heading.shape[0] for member in members]
    frames, longest = math.gcd(*lengths), max(lengths)
    samples = sum(math.prod(member.heading.shape) for member in members)
    if min(lengths) < longest and samples > LARGEST_FRAME * frames:
        listed = ", ".join(
            f"{member.name} of {length:,}" for member, length in zip(members, lengths, strict=True)
        )
        raise DatasetError(
            f"{name} holds arrays of lengths without a common frame: {listed}; arrays of other "
            "lengths want a file of their own"
        )
    tracks: list[Track] = []
    for member, length in zip(members, lengths, strict=True):
        own = member.heading.tracks()
        shorter = length < longest and not facts.rates and member.heading.dtype.kind in "iu"
        tracks += [
            replace(
                track,
                name=member.name if len(own) == 1 else f"{member.name} {number}",
                per_frame=track.per_frame * (length // frames),
                rate=0.0 if _of_images(member) else facts.rate * length / longest,
                exact=track.exact or shorter,
            )
            for number, track in enumerate(own)
        ]
    return Bundle(tuple(members), frames, _said(tracks, facts))


def channels(members: Sequence[Member]) -> int:
    """Return how many channels arrays have together."""
    return sum(len(member.heading.per_frame) for member in members)


def positive(rate: float) -> bool:
    """Return whether a number can be a rate."""
    return math.isfinite(rate) and rate > 0


def _of_images(member: Member) -> bool:
    return len(member.heading.shape) == 3 and not member.heading.trials


def _said(tracks: Sequence[Track], facts: ChannelFacts) -> tuple[Track, ...]:
    """Return tracks with what is said of each channel."""
    said = list(tracks)
    for number in range(len(said)):
        if facts.names:
            said[number] = replace(said[number], name=facts.names[number])
        if facts.units:
            said[number] = replace(said[number], unit=facts.units[number])
        if facts.rates:
            said[number] = replace(said[number], rate=facts.rates[number])
    return tuple(said)

"""What signals are for: an axis, events and annotations come back exactly, whatever is lost.

* *Events*: the channels that recorders call Status, Trigger, Marker and the like, whose bits are
  codes; and those of BDF and EDF with the unit Boolean.
* An *axis*: a channel with the name or the unit of time that never turns back, or the first of
  several that rises or falls in even steps. A ramp elsewhere is a signal.
* *Annotations*: what its file format keeps exactly: text, and differences.
* The rest are *signals*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.channels import choose_channels
from sans.recordings.edf.header import ANNOTATIONS
from sans.recordings.evenness import Samples, line_of
from sans.recordings.layout import Layout, Track

Read = Callable[[int], Iterable[NDArray[Any]]]
"""Returns the samples of a track, block by block, as often as it is called."""

_EVENTS = re.compile(
    r"(?<![^\W_])"
    r"(status|trigger|triggers|trig|sti|stim|markers?|events?|labels?|annotations?|ttl|crc) ?\d*"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_JOINED = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word of a name such as EventMarker or EEGStatus begins."""

_EVENT_UNITS = ("boolean", "bool")
TIMES = re.compile(
    r"[\W_]*(?:(?:elapsed|unix|utc|local|lsl|system|device|recording)[\W_]*)?"
    r"(time[\W_]?stamps?|times?|date[\W_]?time|t|zeit|temps|tiempo|время|samples?|index|frames?"
    r"|(?=(?:m|milli|u|µ|micro)?sec))"
    r"(?:[\W_]*(?:in[\W_]+)?(s|secs?|seconds?|ms|msecs?|milliseconds?|us|µs|usecs?|microseconds?"
    r"|min|minutes?|h|hours?|numbers?|no|nr|index|count))?[\W_]*",
    re.IGNORECASE,
)
"""Names of axes: what they count, and in which unit."""

_TIME_UNITS = ("s", "sec", "secs", "second", "seconds", "ms", "msec", "us", "µs", "min", "hours")


class Role(Enum):
    """What a signal is for."""

    SIGNAL = "signal"
    AXIS = "axis"
    EVENTS = "events"
    ANNOTATIONS = "annotations"


def roles_of(layout: Layout, read: Read) -> tuple[Role, ...]:
    """Return the role of every track.

    Args:
        layout: the recording.
        read: gives the samples of a track; asked for those that may be an axis only.
    """
    alone = len(layout.tracks) == 1
    return tuple(
        _role(track, first=number == 0 and not alone, samples=partial(read, number))
        for number, track in enumerate(layout.tracks)
    )


def roles_in(layout: Layout, read: Read) -> tuple[Role, ...]:
    """Return the role of every track of a recording that may come from a stream.

    There, and of differences in WFDB records, that a track is exact says nothing of its role.
    """
    tracks = tuple(
        replace(track, exact=is_text(layout, number)) for number, track in enumerate(layout.tracks)
    )
    return roles_of(replace(layout, tracks=tracks), read)


def is_text(layout: Layout, number: int) -> bool:
    """Return whether a track is an annotation signal of EDF+ or BDF+."""
    return layout.format in ("edf", "bdf") and layout.tracks[number].name in ANNOTATIONS


def kept_exactly(
    layout: Layout, roles: Sequence[Role], exact: Sequence[str] = (), lossy: Sequence[str] = ()
) -> Layout:
    """Return a layout that says which tracks come back exactly.

    Args:
        layout: the recording.
        roles: of its tracks; all but signals are kept exactly.
        exact: names or positions of more tracks that are; several in one are parted by commas.
        lossy: of tracks that are not, whatever their role.

    Raises:
        DatasetError: if there is no such track, it is in both, or its format wants it exactly.
    """
    names = [track.name for track in layout.tracks]
    kept = set(choose_channels(exact, names, "the recording"))
    freed = set(choose_channels(lossy, names, "the recording"))
    for number in sorted(freed):
        if number in kept:
            raise DatasetError(f"channel {called(names, number)} is to be exact and lossy")
        if layout.tracks[number].exact:
            raise DatasetError(
                f"channel {called(names, number)} is no signal: its file wants it exactly"
            )
    tracks = tuple(
        replace(track, exact=track.exact or number in kept or _wanted(role, number in freed))
        for number, (track, role) in enumerate(zip(layout.tracks, roles, strict=True))
    )
    return replace(layout, tracks=tracks)


def names_of_exact(tracks: Sequence[Track]) -> list[str]:
    """Return what the tracks that are kept exactly are called: by name, or by position."""
    names = [track.name for track in tracks]
    return [called(names, number) for number, track in enumerate(tracks) if track.exact]


def _wanted(role: Role, freed: bool) -> bool:
    return role is not Role.SIGNAL and not freed


def _role(track: Track, first: bool, samples: Samples) -> Role:
    if track.exact:
        return Role.ANNOTATIONS
    if _EVENTS.search(_JOINED.sub(" ", track.name)) or track.unit.casefold() in _EVENT_UNITS:
        return Role.EVENTS
    if track.per_frame > 1 and track.rate == 0:  # images
        return Role.SIGNAL
    named = TIMES.fullmatch(track.name) is not None or track.unit.casefold() in _TIME_UNITS
    if named and _never_turns(samples()):
        return Role.AXIS
    return Role.AXIS if first and not named and line_of(samples) else Role.SIGNAL


def called(names: Sequence[str], number: int) -> str:
    """Return what a channel is called in a message: its name, or its position."""
    return names[number] or str(number)


def _never_turns(blocks: Iterable[NDArray[Any]]) -> bool:
    """Return whether numbers rise or fall from first to last, and may stand still."""
    signs, last, some = set(), None, False
    for block in blocks:
        if not len(block):
            continue
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            return False
        joined = block if last is None else np.concatenate([last, block])
        rises = joined[1:] > joined[:-1]
        falls = joined[1:] < joined[:-1]
        signs |= {1} if rises.any() else set()
        signs |= {-1} if falls.any() else set()
        last, some = block[-1:], True
        if len(signs) > 1:
            return False
    return some and bool(signs)

"""How many samples a second there are, as an axis of time tells, or a person.

A column of even times gives the others their rate where the file has none: numbers, whose unit
stands in the name or is the second; and texts, times of day or dates with times. Numbers of
samples, and times that are not even, give none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.evenness import Line, line_of
from sans.recordings.layout import Layout, Track
from sans.recordings.roles import TIMES, Read, Role, called, roles_of
from sans.recordings.tables.packed_texts import Unpacked
from sans.recordings.tables.sink import columns_of_text, words_of
from sans.recordings.units import seconds

_COUNTS = ("sample", "index", "frame", "date")
"""What names of axes begin with that count, or tell days in one way or another, and no seconds."""

_EPOCHS = ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3))
"""Times since 1970 that are so large are in such parts of a second."""

_CLOCK = re.compile(
    r"\W*(?:(\d{1,4}):)?(\d{1,2}):(\d{2}(?:[.,]\d{1,9})?)(?: \d\d/\d\d/\d{4})?\W*", re.ASCII
)
_DAY = 86_400.0

PLACES = range(-4, 10)
"""Decimal places that a rate may have, beginning with the fewest."""

EXACT = 1e-9
"""So much, of itself, a rate may be off by roundings of floating-point numbers."""


def lacks_rate(layout: Layout) -> bool:
    """Return whether an axis may tell a rate that the file does not."""
    alike = len({track.per_frame for track in layout.tracks}) == 1
    if not alike or len(layout.shape) == 3 or all(track.rate for track in layout.tracks):
        return False
    return len(layout.tracks) > 1 or bool(columns_of_text(layout))


def rated(layout: Layout, read: Read, roles: Sequence[Role] | None = None) -> Layout:
    """Return a layout whose tracks have the rate that an axis tells, where they have none.

    Args:
        layout: the recording.
        read: gives the samples of a track, all or the first of them.
        roles: of its tracks, if they are known.
    """
    if not lacks_rate(layout):
        return layout
    return _with_rate(layout, rate_of_axis(layout, read, roles))


def given_rate(layout: Layout, rate: float) -> Layout:
    """Return a layout whose tracks have a rate that a person gives.

    Args:
        layout: the recording.
        rate: in Hz.

    Raises:
        DatasetError: if the file says another, or its samples have none.
    """
    if len(layout.shape) == 3:
        raise DatasetError(f"images have no samples in time: no rate of {rate:g} Hz")
    signals = [(i, track) for i, track in enumerate(layout.tracks) if not track.exact]
    for number, track in signals:
        if track.rate and not math.isclose(track.rate, rate, rel_tol=EXACT):
            name = called([each.name for each in layout.tracks], number)
            raise DatasetError(
                f"channel {name} has {track.rate:g} samples a second, says the recording, not the "
                f"{rate:g} that are given"
            )
    if len({track.per_frame for _, track in signals}) > 1:
        raise DatasetError(f"the channels have several rates: {rate:g} Hz cannot be that of all")
    return _with_rate(layout, rate)


def rate_of_axis(layout: Layout, read: Read, roles: Sequence[Role] | None = None) -> float:
    """Return how many samples a second the first axis of even times tells; 0.0 if none does.

    Args:
        layout: the recording.
        read: gives the samples of a track.
        roles: of its tracks, if they are known.
    """
    roles = roles_of(layout, read) if roles is None else roles
    for number, (track, role) in enumerate(zip(layout.tracks, roles, strict=True)):
        if role is Role.AXIS and (line := line_of(partial(read, number))):
            scale = seconds_of(track, line) / Fraction(track.gain or 1.0)
            if line.step * scale > 0:
                return _simplest(line, float(scale))
    for column in columns_of_text(layout):
        times = [_times(layout, column)]
        line = line_of(times.copy)
        if line and line.step > 0:
            return _simplest(line, 1.0)
    return 0.0


def seconds_of(track: Track, line: Line) -> Fraction:
    """Return how many seconds one of the unit of an axis is; 0 if it tells no time.

    Args:
        track: the axis.
        line: what it holds, in stored steps.
    """
    if track.unit:
        return seconds(track.unit) or Fraction(0)
    last = abs(line.first + line.step * (line.length - 1)) / abs(track.gain or 1.0)
    if not track.name:  # the first of several: whole numbers count
        step = line.step / (track.gain or 1.0)
        return Fraction(0 if abs(step - round(step)) <= EXACT * abs(step) else 1)
    named = TIMES.fullmatch(track.name)
    if named is None or named[1].casefold().startswith(_COUNTS):
        return Fraction(0)
    if named[2]:
        return seconds(named[2]) or Fraction(0)
    return next((Fraction(1, parts) for least, parts in _EPOCHS if last > least), Fraction(1))


def _with_rate(layout: Layout, rate: float) -> Layout:
    """Return a layout whose tracks have a rate where they have none."""
    if not rate:
        return layout
    tracks = tuple(replace(track, rate=track.rate or rate) for track in layout.tracks)
    return replace(layout, tracks=tracks)


def _simplest(line: Line, scale: float) -> float:
    """Return the rate with the fewest digits that the roundings of times leave possible.

    Args:
        line: the times, in steps.
        scale: seconds in a step.
    """
    rate = 1 / (line.step * scale)
    rounded = line.apart > 1e-6 * abs(line.step)
    unsure = EXACT + (line.finest / abs(line.step) / (line.length - 1) if rounded else 0.0)
    for places in PLACES:
        if abs((simple := round(rate, places)) - rate) <= unsure * rate:
            return simple
    return rate


def _times(layout: Layout, column: int) -> NDArray[np.float64]:
    """Return the times that a column of texts holds, in seconds after the first; or none."""
    texts = Unpacked(layout.attachments[words_of(column)]).rest()
    for parsed in (_clock_times, _dates):
        try:
            times = np.fromiter(parsed(texts), np.float64)
        except (ValueError, TypeError, OverflowError):
            texts = Unpacked(layout.attachments[words_of(column)]).rest()
            continue
        # A clock begins again at midnight.
        days = np.cumsum(np.diff(times, prepend=times[:1]) < -_DAY / 2)
        return np.round(times + _DAY * days - times[:1], 9)
    return np.empty(0)


def _clock_times(texts: Iterator[str]) -> Iterator[float]:
    for text in texts:
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise ValueError(f"no time of day: {text!r:.40}")
        rest = float(found[3].replace(",", "."))
        yield 3600 * int(found[1] or 0) + 60 * int(found[2]) + rest


def _dates(texts: Iterator[str]) -> Iterator[float]:
    first: datetime | None = None
    for text in texts:
        date = datetime.fromisoformat(text.strip(" \t\"'"))
        first = first or date
        yield (date - first).total_seconds()

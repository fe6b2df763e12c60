"""Largest errors as a person gives them: 5, or 0.01mV, or 0.01mV,2mmHg,5; and what they mean.

A bound with a unit is for the channels that are measured in it, whatever the power of ten; one
without is for all others, in steps of their converters, or where there is none, in their numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sans.errors import DatasetError
from sans.recordings.layout import Layout, Track
from sans.recordings.roles import called
from sans.recordings.units import factor

_BOUND = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*((?![\s\d.+-]).*|)", re.ASCII)

LONGEST = 400
"""Letters of all bounds, at most."""

SCALED = ("csv",)
"""Formats whose integers are decimals without their point: no steps of a converter."""

ROUNDINGS = Fraction(1, 10**12)
"""A gain is a quotient that was rounded: a bound may be so much more, of itself."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Largest errors of channels, by their units.

    Raises:
        ValueError: if one is no number above 0, or two are for the same channels.
    """

    text: str
    """As given, such as "0.01mV,2mmHg"."""

    def __post_init__(self) -> None:
        parts = self._parts()
        for i, (value, unit) in enumerate(parts):
            for _, other in parts[:i]:
                same = factor(unit, other) if unit and other else unit == other
                if same:
                    what = f"channels in {unit}" if unit else "channels without one of their own"
                    raise ValueError(f"{self.text!r} gives two largest errors for {what}")
            if value <= 0:
                raise ValueError(f"a largest error must be above 0, not {value:g}{unit}")

    @property
    def plain(self) -> float | None:
        """The one number that stands there, if it has no unit."""
        parts = self._parts()
        return parts[0][0] if len(parts) == 1 and not parts[0][1] else None

    def of_track(self, track: Track, scaled: bool) -> float | None:
        """Return the largest error of a track in what it stores; None if nothing is said of it.

        Args:
            track: the track.
            scaled: whether its integers are decimals without their point.
        """
        exactly = self._exactly()
        for value, unit in exactly:
            size = factor(unit, track.unit) if unit and track.unit else None
            if size is not None:
                return in_steps(value * size, track)
        plain = [value for value, unit in exactly if not unit]
        return (in_steps(plain[0], track) if scaled else float(plain[0])) if plain else None

    def idle(self, tracks: Sequence[Track]) -> tuple[str, ...]:
        """Return a sentence on each unit that no track is measured in."""
        units = [unit for _, unit in self._parts() if unit]
        return tuple(
            f"no channel is in {unit}: what {self.text} says of it is for nothing"
            for unit in units
            if not any(track.unit and factor(unit, track.unit) for track in tracks)
        )

    def _parts(self) -> list[tuple[float, str]]:
        found = _matches(self.text)
        if len(self.text) > LONGEST or not self.text.isprintable() or not all(found):
            raise ValueError(
                f"{self.text[:LONGEST]!r} is no largest error: numbers above 0 are wanted, with "
                "units or without, such as 5 or 0.01mV or 0.01mV,2mmHg"
            )
        parts = [(float(part[1]), part[2]) for part in found if part]
        if not all(math.isfinite(value) for value, _ in parts):
            raise ValueError(f"{self.text!r} is no largest error: it is beyond all numbers")
        return parts

    def _exactly(self) -> list[tuple[Fraction, str]]:
        return [(Fraction(part[1]), part[2]) for part in _matches(self.text) if part]


def _matches(text: str) -> list[re.Match[str] | None]:
    return [_BOUND.fullmatch(part.strip()) for part in text[: LONGEST + 1].split(",")]


def in_steps(bound: Fraction, track: Track) -> float:
    """Return a bound in physical units in stored steps, rounded down for integers."""
    steps = bound * abs(Fraction(track.gain or 1.0))
    if np.dtype(track.dtype).kind == "f":
        return float(steps)
    return float(math.floor(steps * (1 + ROUNDINGS)))


def bounds_of_tracks(layout: Layout, value: float, bounds: Bounds | None) -> tuple[float, ...]:
    """Return the largest error of each track, in what it stores; 0.0 of those kept exactly.

    Args:
        layout: the recording, of which it is known what must stay exact.
        value: the same of all tracks, where there are no bounds.
        bounds: by units.

    Raises:
        DatasetError: if nothing is said of a track.
    """
    bounds = bounds or Bounds(repr(float(value)))
    scaled = layout.format in SCALED
    found = []
    for number, track in enumerate(layout.tracks):
        bound = 0.0 if track.exact else bounds.of_track(track, scaled)
        if bound is None:
            name = called([track.name for track in layout.tracks], number)
            raise DatasetError(
                f"channel {name} is in {track.unit}, and {bounds.text} says nothing of it: add a "
                f"number for it, such as {bounds.text},1{track.unit}"
                if track.unit
                else f"channel {name} has no unit, and {bounds.text} says nothing of it: add a "
                f"number without a unit for it, such as {bounds.text},1"
            )
        found.append(bound)
    return tuple(found)

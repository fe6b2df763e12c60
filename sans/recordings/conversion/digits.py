"""The samples of a track as integers of a converter of so many bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.layout import Track, in_units

Array = NDArray[Any]

MOST_DECIMALS = 9
"""Decimal places of numbers that are kept as they are, at most."""

_LARGEST_PROBE = 2.0**53


class Extent(NamedTuple):
    """What the samples of a track are between."""

    low: float
    """The lowest that is there, as stored: an integer where samples are; 0 if there is none."""

    high: float
    """The highest."""

    missing: int
    """How many are missing."""

    decimals: int | None
    """Decimal places that suffice for all of them, if they are floating-point; None: more."""


@dataclass(frozen=True, slots=True)
class Digits:
    """How the samples of a track become integers."""

    gain: float
    """Integers per unit."""

    baseline: float
    """The integer of 0 units."""

    low: int
    """The lowest integer of a sample that is there."""

    high: int
    """The highest one."""

    missing: int
    """How many samples are missing."""

    convert: Callable[[Array], Array]
    """Return samples as integers of 64 bits; those that are missing are `hole`."""

    rounded: float = 0.0
    """What numbers are rounded to multiples of, in units; 0.0: they are not."""


def extent_of(track: Track, blocks: Iterable[Array], name: str) -> Extent:
    """Return what the samples of a track are between, from a look at all of them.

    Raises:
        DatasetError: if one is infinite.
    """
    low, high, missing = math.inf, -math.inf, 0
    places: int | None = 0
    for block in blocks:
        gone = np.isnan(block) if block.dtype.kind == "f" else block == track.missing
        missing += int(np.count_nonzero(gone))
        seen = block[~gone] if missing else block
        if not len(seen):
            continue
        if block.dtype.kind == "f" and not np.isfinite(seen).all():
            raise DatasetError(f"{name} has samples that are infinite: no converter gives them")
        first, last = seen.min(), seen.max()
        low, high = min(low, first.item()), max(high, last.item())
        if block.dtype.kind == "f" and places is not None:
            places = _decimals(seen, places)
    low, high = (low, high) if low <= high else (0, 0)
    return Extent(low, high, missing, places)


def digits_of(track: Track, extent: Extent, limits: tuple[int, int], hole: int) -> Digits:
    """Return how a track becomes integers, the same ones where it has integers that fit.

    Numbers are multiplied by the power of ten that keeps all their decimals, or else by the largest
    one with which they fit.

    Args:
        track: the track.
        extent: of its samples.
        limits: the lowest and the highest integer that there may be.
        hole: the integer for what is missing.

    Raises:
        DatasetError: if integers do not fit.
    """
    if np.dtype(track.dtype).kind in "iu":
        return _whole(track, extent, limits, hole)
    values = sorted((value - track.baseline) / track.gain for value in (extent.low, extent.high))
    largest, room = max(map(abs, values)), float(min(-limits[0], limits[1]))
    exact = extent.decimals if (track.gain, track.baseline) == (1.0, 0.0) else None
    if exact is None or largest * 10.0**exact > room:
        places = math.floor(math.log10(room / largest)) if largest else 0
        rounded = 10.0**-places
    else:
        places, rounded = exact, 0.0
    scale = 10.0**places

    def scaled(samples: Array) -> Array:
        values = in_units(samples, track.gain, track.baseline, None)
        return np.where(np.isnan(values), hole, np.rint(np.nan_to_num(values) * scale)).astype(
            np.int64
        )

    ends = [round(value * scale) for value in values]
    return Digits(scale, 0.0, ends[0], ends[1], extent.missing, scaled, rounded)


def _whole(track: Track, extent: Extent, limits: tuple[int, int], hole: int) -> Digits:
    low, high = int(extent.low), int(extent.high)
    if not limits[0] <= low <= high <= limits[1]:
        raise DatasetError(
            f"samples from {low:,} to {high:,}, where {limits[0]:,} to {limits[1]:,} are stored"
        )

    def integers(samples: Array) -> Array:
        stored = samples.astype(np.int64)
        if track.missing is not None:
            stored[samples == track.missing] = hole
        return stored

    return Digits(track.gain, track.baseline, low, high, extent.missing, integers)


def _decimals(values: Array, at_least: int) -> int | None:
    """Return the decimal places that numbers do with; None: more than a file holds."""
    wide = values.astype(np.float64)
    for places in range(at_least, MOST_DECIMALS + 1):
        scaled = np.rint(wide * 10.0**places)
        if np.abs(scaled).max() > _LARGEST_PROBE:
            return None
        if np.array_equal((scaled / 10.0**places).astype(values.dtype), values):
            return places
    return None

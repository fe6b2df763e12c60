"""Where samples are missing, and what lies beside."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.missing import interpolated, spans

Values = NDArray[np.float64]


class Gap(NamedTuple):
    """Consecutive missing samples of one lead."""

    lead: int
    """Which lead, from 0."""

    first: int
    """The first sample that is missing."""

    behind: int
    """The first one that is there again, or the length of the signal."""

    @property
    def length(self) -> int:
        """Samples that are missing."""
        return self.behind - self.first


def gaps_of(values: Values) -> list[Gap]:
    """Return the gaps of a signal ``(leads, length)``, by lead and place."""
    return [
        Gap(lead, first, behind)
        for lead, row in enumerate(values)
        for first, behind in spans(np.isnan(row)).tolist()
    ]


def accompanied(values: Values, gap: Gap) -> bool:
    """Return whether another lead has half of its samples, or more, while one has a gap."""
    others = np.delete(values[:, gap.first : gap.behind], gap.lead, axis=0)
    return bool(others.size) and bool((np.isfinite(others).mean(axis=1) >= 0.5).any())


def lined(row: Values) -> Values:
    """Return a lead ``(length,)`` with straight lines in its gaps, level at its ends.

    Raises:
        ValueError: if no sample is there.
    """
    if np.isnan(row).all():
        raise ValueError("all samples of a lead are missing: there is nothing to fill it from")
    return interpolated(row)


def edges_of(row: Values, first: int, behind: int, samples: int) -> Values:
    """Return the straight line over a gap through the means of some samples beside it.

    Args:
        row: ``(length,)``, NaN where samples are missing.
        first: where the gap begins.
        behind: where it ends.
        samples: how many on each side, fewer where not as many are there.

    Returns:
        ``(behind - first,)``: level where one side only has samples, zero where none has.
    """
    before = _mean(row[max(0, first - samples) : first])
    after = _mean(row[behind : behind + samples])
    ends = [end for end in (before, after) if end is not None]
    if len(ends) < 2:
        return np.full(behind - first, ends[0] if ends else 0.0)
    half = 0.5 * (samples + 1)
    places = np.arange(behind - first, dtype=np.float64)
    return np.asarray(np.interp(places, [-half, behind - first - 1 + half], ends))


def level_of(row: Values, first: int, behind: int, samples: int) -> float:
    """Return the mean of so many samples on each side of a gap; 0 if none is there."""
    beside = [row[max(0, first - samples) : first], row[behind : behind + samples]]
    return _mean(np.concatenate(beside)) or 0.0


def running_mean(row: Values, samples: int) -> Values:
    """Return the mean of so many samples around each of a lead without gaps."""
    samples = min(samples, row.size) | 1
    padded = np.pad(row, samples // 2, mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    return np.asarray((sums[samples:] - sums[:-samples]) / samples)[: row.size]


def _mean(values: Values) -> float | None:
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else None

"""What was achieved: errors of what a reader gets, summed up chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec.headers import TrackErrors
from sans.codec.spread import Spread, spread_of
from sans.figures import METRICS

Array = NDArray[Any]


@dataclass(slots=True)
class Measures:
    """Sums over the samples of one track that are not missing."""

    spread: Spread = field(default_factory=Spread)
    """What there is."""

    missing: int = 0
    """How many are missing."""

    squared_error: float = 0.0
    """The sum of squared errors."""

    largest: float = 0.0
    """The largest error."""

    def add(self, original: Array, kept: Array, missing: int | None) -> None:
        """Add a chunk.

        Args:
            original: ``(samples,)``: what it was.
            kept: ``(samples,)``: what a reader gets.
            missing: what stands for no sample; of floating-point numbers, NaN does.
        """
        there = ~np.isnan(original) if original.dtype.kind == "f" else original != missing
        with np.errstate(invalid="ignore", over="ignore"):
            before = original[there].astype(np.float64)
            wrong = kept[there].astype(np.float64) - before
            wrong[kept[there] == original[there]] = 0.0  # infinities, too
        count = len(before)
        self.missing += len(original) - count
        if not count:
            return
        self.spread.merge(spread_of(before))
        with np.errstate(over="ignore"):
            self.squared_error += float((wrong**2).sum())
        self.largest = max(self.largest, float(np.abs(wrong).max()))

    def figures(self, gain: float) -> TrackErrors:
        """Return the figures, with so many steps in a physical unit."""
        prd, prd1024, prdn, rms = (
            float(METRICS[name].formula(self)) for name in ("prd", "prd1024", "prdn", "rms")
        )
        rms /= abs(gain or 1.0)
        return TrackErrors(self.samples, self.missing, prd, prd1024, prdn, rms, self.largest)

    @property
    def samples(self) -> int:
        """The count of samples that are not missing."""
        return self.spread.samples

    @property
    def mean(self) -> float:
        """Their mean."""
        return self.spread.mean

    def energy(self, offset: float) -> float:
        """Return the sum of their squared distances to an offset; 0 where it cannot be told."""
        apart = self.spread.mean - offset
        size = self.spread.energy + self.spread.samples * apart * apart
        return size if size > 0 else 0.0  # of infinite numbers it is NaN

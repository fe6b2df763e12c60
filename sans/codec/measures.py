"""What was achieved: errors of what a reader gets, summed up chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec.headers import TrackErrors
from sans.codec.spread import Spread, spread_of

Array = NDArray[Any]


@dataclass(slots=True)
class Measures:
    """Sums over the samples of one track that are not missing."""

    spread: Spread = field(default_factory=Spread)
    """What there is."""

    missing: int = 0
    """How many are missing."""

    error: float = 0.0
    """Squared error."""

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
            self.error += float((wrong**2).sum())
        self.largest = max(self.largest, float(np.abs(wrong).max()))

    def figures(self, gain: float) -> TrackErrors:
        """Return the figures, with so many steps in a physical unit."""
        prd, prd1024, prdn = (self._share(offset) for offset in (0.0, 1024.0, self.spread.mean))
        samples = self.spread.samples
        rms = float(np.sqrt(self.error / max(samples, 1)) / abs(gain or 1.0))
        return TrackErrors(samples, self.missing, prd, prd1024, prdn, rms, self.largest)

    def _share(self, offset: float) -> float:
        """Return the error in per cent of the signal without an offset."""
        if not self.error:
            return 0.0
        apart = self.spread.mean - offset
        size = self.spread.energy + self.spread.samples * apart * apart
        return float(100 * np.sqrt(self.error / size)) if size > 0 else float("inf")

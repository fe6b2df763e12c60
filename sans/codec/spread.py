"""How many samples there are, their mean, and how far they lie from it: summed up part by part.

[Chan]: T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance",
The American Statistician 1983 (two parts become one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Spread:
    """How far samples spread; no samples at first, until something is merged."""

    samples: int = 0
    """How many."""

    mean: float = 0.0
    """Their mean."""

    energy: float = 0.0
    """Their squared distance to it."""

    def merge(self, other: Spread) -> None:
        """Add the samples of another one."""
        both = self.samples + other.samples
        if not both:
            return
        apart = other.mean - self.mean
        # ** would raise an error where * becomes infinite.
        self.energy += other.energy + apart * apart * self.samples * other.samples / both
        self.mean += apart * other.samples / both
        self.samples = both


def spread_of(samples: NDArray[np.float64]) -> Spread:
    """Return the spread of samples ``(length,)``; there may be none."""
    if not len(samples):
        return Spread()
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(samples.mean())
        return Spread(len(samples), mean, float(((samples - mean) ** 2).sum()))

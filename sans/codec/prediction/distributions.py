"""Tables of the distribution that residuals are assumed to have, and of logarithms, as integers.

The distribution is normal, with a few outliers, and has a mean distance of 1 from its centre. No
value that is rounded lies so near to the middle between two integers that a machine with another
logarithm would round it otherwise.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FINE = 64
"""Tables have so many places for each mean distance."""

REACH = 2048
"""Tables reach so many places to both sides of the centre."""

LOG_ONE = 1024
"""What a logarithm of 1 is as an integer."""


def _tail_and_density(place: float) -> tuple[float, float]:
    """Return the probability beyond a place, and the density there."""
    x, y = place * math.sqrt(2 / math.pi), abs(place) * math.log(2)
    far = math.exp(-y)
    outer = (far if place > 0 else 1.0) / (1 + far)  # logistic
    tail = 0.99 * 0.5 * math.erfc(x / math.sqrt(2)) + 0.01 * outer
    density = 0.99 * math.exp(-x * x / 2) / math.pi + 0.01 * math.log(2) * far / (1 + far) ** 2
    return tail, density


def logarithms() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return `TAILS`, `SCORES` and `ODDS` before they are rounded."""
    tails, scores = [], []
    for i in range(2 * REACH):
        place = (i - REACH + 0.5) / FINE
        tails.append(-LOG_ONE * math.log(_tail_and_density(place)[0]))
        after, before = (_tail_and_density(place + offset)[1] for offset in (0.01, -0.01))
        scores.append(256 * (math.log(before) - math.log(after)) / 0.02)
    odds = [-256 * math.log(math.expm1(max(i, 0.2) / LOG_ONE)) for i in range(13 * LOG_ONE)]
    return np.array(tails), np.array(scores), np.array(odds)


TAILS, SCORES, ODDS = (np.rint(values).astype(np.int64) for values in logarithms())
"""``(2 REACH,)``: −ln of the probability beyond each place, in 1/1024; how fast −ln of the density
grows there, in 1/256. ``(13 · 1024,)``: the logit of lying beyond, by how much the first falls."""

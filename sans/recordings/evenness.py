"""Numbers in even steps: whether they lie on a line, but for the roundings of their last digit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = Callable[[], Iterable[NDArray[Any]]]
"""Returns the samples of a track, block by block, as often as it is called."""

DIGITS = 12
"""Decimal places of numbers that may be those of an axis, at most."""

FEWEST = 8
"""Numbers of an axis, at least: any two lie on a line."""


class Line(NamedTuple):
    """What numbers in even steps have in common."""

    first: float
    """The first of them."""

    step: float
    """From one to the next, on average; above 0 or below."""

    length: int
    """How many there are."""

    finest: float
    """The unit of their last digit."""

    apart: float
    """How far one is from the line through the first and the last, at most."""


def line_of(samples: Samples) -> Line | None:
    """Return the line that numbers lie on but for the roundings of their last digit, if they do."""
    count, finest = 0, 0.0
    first = last = math.nan
    for block in samples():
        if not len(block):
            continue
        values = block.astype(np.float64)
        joined = values if count == 0 else np.concatenate([[last], values])
        steps = np.diff(joined)
        if not (np.isfinite(joined).all() and ((steps > 0).all() or (steps < 0).all())):
            return None
        first = values[0] if count == 0 else first
        last, count = values[-1], count + len(values)
        finest = max(finest, _resolution(values))
    if count < FEWEST:
        return None
    step, place, apart = (last - first) / (count - 1), 0, 0.0
    for block in samples():
        line = first + step * np.arange(place, place + len(block))
        place += len(block)
        apart = max(apart, float(np.abs(block - line).max(initial=0.0)))
        if apart > finest * (1 + 1e-6):
            return None
    return Line(float(first), float(step), count, finest, apart)


def _resolution(values: NDArray[np.float64]) -> float:
    """Return the unit of the last decimal place of numbers, or of their last bits."""
    some = values[:: max(1, len(values) // 256)]
    largest = float(np.abs(values).max())
    for digits in range(DIGITS + 1):
        if np.abs(np.round(some, digits) - some).max() <= 4 * np.spacing(largest):
            return 10.0**-digits
    return max(4 * float(np.spacing(largest)), 2.0**-24 * float(np.ptp(values)))

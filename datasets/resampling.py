"""Leads of different rates at one rate.

Resampling is by a whole number up and another down, with the low-pass filter of
`scipy.signal.resample_poly` between. Each sample depends on those around it alone, so that the
beginning of a recording gives the beginning of what all of it gives.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.missing import interpolated

LOWEST, HIGHEST = "lowest", "highest"

_LARGEST = 20_000
"""The largest factor up or down: rates of two decimal places have smaller ones as a rule, and of
two rates without such factors the nearest that have them differ by less than 1 in 10⁸."""

_FILTER = 10  # samples of the slower rate on each side that the filter reaches to


def check_rate(resample: str | None) -> None:
    """Raise a `DatasetError` unless a rate is None, "lowest", "highest" or a number above 0."""
    if resample is None or resample in (LOWEST, HIGHEST):
        return
    try:
        rate = float(resample)
    except ValueError:
        rate = math.nan
    if not (math.isfinite(rate) and rate > 0):
        near = difflib.get_close_matches(resample, (LOWEST, HIGHEST), n=1)
        raise DatasetError(
            f"no rate {resample!r}: {LOWEST}, {HIGHEST} or samples per second above 0 are wanted"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )


def common_rate(
    resample: str | None, labels: Sequence[str], rates: Sequence[float], recording: str
) -> float | None:
    """Return the rate that leads are resampled to; None where they are left as they are.

    Args:
        resample: "lowest", "highest", a number of samples per second, or None.
        labels: what the leads are called.
        rates: of the leads, in Hz; 0 where that is not known.
        recording: what they belong to, for messages.

    Raises:
        DatasetError: if rates differ and `resample` is None, or one is unknown and it is not.
    """
    if resample is None:
        if len(set(rates)) > 1:
            raise DatasetError(_different(labels, rates, recording))
        return None
    if unknown := [label for label, rate in zip(labels, rates, strict=True) if not rate]:
        raise DatasetError(
            f"{recording} does not say the rate of {unknown[0]}: it cannot be resampled"
        )
    if resample in (LOWEST, HIGHEST):
        return min(rates) if resample == LOWEST else max(rates)
    return float(resample)


def samples_needed(samples: int, rate: float, target: float) -> int:
    """Return how many samples of a lead give so many of another rate, its filter included."""
    up, down = _factors(rate, target)
    return math.ceil(Fraction(samples * down, up)) + math.ceil(_FILTER * max(up, down) / up) + 1


def resampled(values: NDArray[np.float64], rate: float, target: float) -> NDArray[np.float64]:
    """Return samples of another rate, the first of them at the same moment.

    Args:
        values: ``(time,)``; NaN where samples are missing.
        rate: of them, in Hz.
        target: of the result, in Hz.

    Returns:
        ``(time,)``, NaN where a sample beside the moment is missing.
    """
    up, down = _factors(rate, target)
    if up == down or not values.size:
        return values
    import scipy.signal

    gone = np.isnan(values)
    found = np.asarray(scipy.signal.resample_poly(interpolated(values), up, down, padtype="edge"))
    if gone.any():
        places = np.arange(found.size) * down // up
        after = np.minimum(places + (np.arange(found.size) * down % up > 0), values.size - 1)
        found[gone[places] | gone[after]] = np.nan
    return found


def length_of(samples: int, rate: float, target: float) -> int:
    """Return how many samples of another rate a lead of so many gives."""
    up, down = _factors(rate, target)
    return -(-samples * up // down)


def _factors(rate: float, target: float) -> tuple[int, int]:
    """Return the whole numbers of which samples of `rate` are multiplied and divided."""
    ratio = Fraction(repr(float(target))) / Fraction(repr(float(rate)))
    if max(ratio.numerator, ratio.denominator) > _LARGEST:
        small = ratio.limit_denominator(_LARGEST) if ratio < 1 else None
        ratio = small or 1 / (1 / ratio).limit_denominator(_LARGEST)
    return ratio.numerator, ratio.denominator


def _different(labels: Sequence[str], rates: Sequence[float], recording: str) -> str:
    """Return which leads have which rate, as an error says it."""
    by_rate: dict[float, list[str]] = {}
    for label, rate in zip(labels, rates, strict=True):
        by_rate.setdefault(rate, []).append(label)
    said = "; ".join(
        f"{_some(names)}: {f'{rate:g} Hz' if rate else 'unknown'}"
        for rate, names in by_rate.items()
    )
    return (
        f"{recording} has leads of different rates ({said}): choose those of one rate with "
        f"--channel, or give --resample {LOWEST}, {HIGHEST} or a rate"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2}"

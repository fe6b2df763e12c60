"""The wavelet transform under the spikes: CDF 9/7 by lifting, its inverse in integers.

A signal of any length becomes as many coefficients: those of the coarsest band, and then the
details, coarse to fine. The border is mirrored. Atoms have norms near 1, so that errors of
coefficients and of samples compare. Numbers in integers have `FRACTION` bits below the point.

[Daubechies]: I. Daubechies, W. Sweldens, "Factoring wavelet transforms into lifting steps",
J. Fourier Anal. Appl. 1998 (the four steps and the scale).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled

FRACTION = 8
"""Bits below the point of samples and coefficients in integers."""

LEVELS = 7
"""The most often that a signal is halved."""

UNIT_BITS = 20

UNIT = 1 << UNIT_BITS
"""What 1 is as an integer in what follows."""

INTEGER_LIFTS = (-1663182, -55554, 925799, 465051)
"""What the neighbours of a sample weigh in each step: odd samples, even, odd, even."""

INTEGER_SCALE = 1205448
"""What even samples are multiplied by at last, and odd samples divided by."""

INTEGER_INVERSE = 912119
"""What undoes it."""

LIFTS = tuple(weight / UNIT for weight in INTEGER_LIFTS)

SCALE = UNIT / INTEGER_INVERSE


@compiled
def band_ends(length: int) -> NDArray[np.int64]:
    """Return where the bands of a signal begin and end among its coefficients, coarse to fine.

    Returns:
        ``(bands + 1,)``: the first is 0, the last is `length`.
    """
    bands, left = 1, length
    while bands <= LEVELS and left > 1:
        bands, left = bands + 1, (left + 1) // 2
    ends = np.zeros(bands + 1, np.int64)
    for band in range(bands, 0, -1):
        ends[band] = length
        length = (length + 1) // 2
    return ends


@compiled
def analyse(signal: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the coefficients of a signal ``(length,)``, of bands as `band_ends` says."""
    out = signal.copy()
    buffer = np.empty_like(out)
    for band in range(len(ends) - 1, 1, -1):
        length = ends[band]
        for step in range(4):
            _lift(out, length, LIFTS[step], 1 - (step & 1))
        half = (length + 1) // 2
        for i in range(length):
            place, scale = (half + i // 2, UNIT / INTEGER_SCALE) if i & 1 else (i // 2, SCALE)
            buffer[place] = out[i] * scale
        for i in range(length):
            out[i] = buffer[i]
    return out


@compiled
def synthesise(coefficients: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the signal that has these coefficients: the inverse of `analyse`, in integers."""
    out = coefficients.copy()
    buffer = np.empty_like(out)
    for band in range(2, len(ends)):
        length = ends[band]
        half = (length + 1) // 2
        for i in range(length):
            place, scale = (half + i // 2, INTEGER_SCALE) if i & 1 else (i // 2, INTEGER_INVERSE)
            buffer[i] = (out[place] * scale + UNIT // 2) >> UNIT_BITS
        for i in range(length):
            out[i] = buffer[i]
        for step in range(3, -1, -1):
            _unlift(out, length, INTEGER_LIFTS[step], 1 - (step & 1))
    return out


@compiled
def _lift(x: NDArray[np.float64], length: int, weight: float, first: int) -> None:
    """Add its neighbours, weighed, to every second sample from `first` on."""
    if length < 2:
        return
    if first == 0:
        x[0] += 2 * weight * x[1]
        first = 2
    for i in range(first, length - 1, 2):
        x[i] += weight * (x[i - 1] + x[i + 1])
    if (length - 1 - first) % 2 == 0 and length - 1 >= first:
        x[length - 1] += 2 * weight * x[length - 2]


@compiled
def _unlift(x: NDArray[np.int64], length: int, weight: int, first: int) -> None:
    """Take away what `_lift` has added, in integers."""
    if length < 2:
        return
    if first == 0:
        x[0] -= (2 * weight * x[1] + UNIT // 2) >> UNIT_BITS
        first = 2
    for i in range(first, length - 1, 2):
        x[i] -= (weight * (x[i - 1] + x[i + 1]) + UNIT // 2) >> UNIT_BITS
    if (length - 1 - first) % 2 == 0 and length - 1 >= first:
        x[length - 1] -= (2 * weight * x[length - 2] + UNIT // 2) >> UNIT_BITS

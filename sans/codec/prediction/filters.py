"""The adaptive part of prediction: two filters, and how far samples are expected to lie off.

The filters see what the linear predictor left of the last samples, and learn at different rates
by normalised least mean squares, where no sample pushes harder than one and a half times the
usual error. All is integer arithmetic.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import RECIPROCALS
from sans.compilation.decorators import inlined

Integers = NDArray[np.int64]
Shorts = NDArray[np.int32]

TAPS = 16
"""So many past samples of its own a filter sees."""

SIDE = 4
"""And so many of the channel before, from the present one on."""

NEAR = TAPS + SIDE

RATES = (1000, 4000)
"""How fast the filters learn, in 2⁻²⁰ times 2⁴."""

FAST, MID, SLOW, LAST, BEFORE, LEFT, GRAIN = range(7)
"""What is remembered of a channel: the mean size of errors over 4, 16 and 256 samples, in 1/16;
the last two errors; the mean size of what the linear predictor leaves, in 1/16; log₂ of the
step."""

FAST_BITS, MID_BITS, SLOW_BITS = 2, 4, 8

CELLS = 64
"""A table of scales is so many cells wide and high."""

SCALE_LIMIT = 255
"""Scales are means over so many samples of a cell."""

INVERSES = np.array([1 << 40] + [(1 << 40) // i for i in range(1, 4096)])
"""``(4096,)``: 2⁴⁰ / i."""

LOGS = np.array([0] + [round(4 * math.log2(i)) for i in range(1, 4096)])
"""``(4096,)``: 4 log₂ i."""


@inlined
def inverse(value: int) -> int:
    """Return 2⁴⁰ / a value from 1 up, to about 12 bits."""
    shift = 0
    while value >= 4096:
        value >>= 1
        shift += 1
    return int(INVERSES[value]) >> shift


@inlined
def quarters(value: int) -> int:
    """Return 4 log₂ of a value from 0 up, about; 0 for 0."""
    shift = 0
    while value >= 4096:
        value >>= 1
        shift += 4
    return int(LOGS[value]) + shift


@inlined
def filtered(near: Shorts, taps: Shorts, c: int) -> int:
    """Return what the filter of channel c predicts; `near` and `taps`: ``(channels, NEAR)``."""
    total = 0
    for k in range(NEAR):
        total += int(np.int64(taps[c, k]) * np.int64(near[c, k]))
    return int(total >> 20)


@inlined
def learn_taps(
    near: Shorts, taps: Shorts, c: int, missed: int, rate: int, usual: int, size: int
) -> None:
    """Move the filter of channel c towards what it missed.

    Args:
        near: ``(channels, NEAR)``: what it saw.
        taps: ``(channels, NEAR)``: its weights in 2⁻²⁰.
        c: the channel.
        missed: its error.
        rate: see `RATES`.
        usual: 2²⁸ / how large errors are.
        size: 2²⁸ / how large what it saw is.
    """
    push = min(max((missed * usual) >> 20, -384), 384)
    gain = np.int64(np.int32((push * rate * size) >> 24))
    for k in range(NEAR):
        taps[c, k] += np.int32((gain * np.int64(near[c, k])) >> 12)


@inlined
def expected(scales: Integers, counts: Integers, cell: int, usual: int, least: int) -> int:
    """Return the mean size of errors in a cell; `usual`, in 1/256, where nothing was seen yet."""
    if counts[cell] == 0:
        scales[cell] = usual
    return max(int(scales[cell]) >> 8, least)


@inlined
def learn_scale(scales: Integers, counts: Integers, cell: int, size: int) -> None:
    """Move the mean size of errors in a cell towards a size."""
    counts[cell] = min(counts[cell] + 1, SCALE_LIMIT)
    scales[cell] += (((size << 8) - scales[cell]) * RECIPROCALS[counts[cell]]) >> 16


@inlined
def learn_level(levels: Integers, c: int, which: int, size: int, bits: int, t: int) -> None:
    """Move a mean over 2^bits samples of channel c towards a size; at first, over all t so far."""
    if t < (1 << bits):
        levels[c, which] += ((size << 4) - levels[c, which]) // t
    else:
        levels[c, which] += ((size << 4) - levels[c, which]) >> bits

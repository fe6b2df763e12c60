"""Channels that use only some of the values in their range, as ranks among those values.

Converters and resampling leave gaps between values; a predictor cannot see them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.range_coder import READING, Coder, code
from sans.codec.prediction.predictors import VALUES, code_number, code_signed
from sans.compilation.decorators import compiled

SPAN = 1 << 22
"""The largest range of values that is looked at."""

MOST = 1 << 16
"""The largest palette."""


def palette_sizes(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``(channels,)``: how many values a channel uses, or 0 where ranks gain nothing."""
    sizes = np.zeros(len(samples), np.int64)
    for i, row in enumerate(samples):
        if row.size < 16 or np.ptp(row) >= SPAN:
            continue
        counts = np.bincount(row - row.min())
        values = np.flatnonzero(counts)
        if len(values) > MOST or len(values) * 1.2 > len(counts):
            continue
        gaps = np.log2(np.diff(values, prepend=-1))
        around = np.minimum(gaps, np.append(gaps[1:], gaps[-1]))
        if counts[values] @ around > 1.2 * gaps.sum() + 2 * len(values) + 100:
            sizes[i] = len(values)
    return sizes


def ranked(samples: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return samples ``(channels, length)``, as ranks where a channel has a palette."""
    out = samples.copy()
    for i in np.flatnonzero(sizes):
        low = samples[i].min()
        used = np.bincount(samples[i] - low) > 0
        out[i] = (np.cumsum(used) - 1)[samples[i] - low]
    return out


@compiled
def code_palettes(
    coder: Coder, samples: NDArray[np.int64], settings: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code the palettes of all channels; a writer's samples become ranks.

    Returns:
        The values of all palettes, ascending in each, and where each begins, and ends.
    """
    channels, length = samples.shape
    starts = np.zeros(channels + 1, np.int64)
    for c in range(channels):
        # No channel has more values than samples, whatever a reader reads.
        starts[c + 1] = starts[c] + min(settings[c, VALUES], length)
    values = np.zeros(starts[channels], np.int64)
    writing = coder.registers[READING] == 0
    for c in range(channels):
        start, end = starts[c], starts[c + 1]
        if start == end:
            continue
        low = 0
        if writing:
            low, high = samples[c, 0], samples[c, 0]
            for t in range(length):
                low, high = min(low, samples[c, t]), max(high, samples[c, t])
            ranks = np.zeros(high - low + 1, np.int32)
            for t in range(length):
                ranks[samples[c, t] - low] = 1
            place = start
            for i in range(len(ranks)):
                if ranks[i]:
                    values[place] = low + i
                    ranks[i] = place - start
                    place += 1
            for t in range(length):
                samples[c, t] = ranks[samples[c, t] - low]
        _code_values(coder, values, start, end)
    return values, starts


@compiled
def values_of_ranks(
    samples: NDArray[np.int64], values: NDArray[np.int64], starts: NDArray[np.int64]
) -> None:
    """Turn ranks into the values of the palettes that `code_palettes` returned."""
    for c in range(len(samples)):
        most = starts[c + 1] - starts[c] - 1
        if most >= 0:
            for t in range(samples.shape[1]):
                samples[c, t] = values[starts[c] + min(max(samples[c, t], 0), most)]


@compiled
def _code_values(coder: Coder, values: NDArray[np.int64], start: int, end: int) -> None:
    """Code ascending values: the first, then gaps, by adaptive bits that know the gap before."""
    chances = np.full((24, 64), 32768, np.int64)
    values[start] = code_signed(coder, values[start])
    kind = 0
    for i in range(start + 1, end):
        gap = values[i] - values[i - 1]
        length = 1
        while length < 23:
            bit = _adaptive(coder, chances, kind, length, 1 if gap >> length else 0)
            if not bit:
                break
            length += 1
        found = 1
        for k in range(length - 2, -1, -1):
            bit = (gap >> k) & 1
            if found < 8:
                bit = _adaptive(coder, chances, length, 32 + found * 2 + (kind & 1), bit)
            else:
                bit = code_number(coder, bit, 1)
            found = (found << 1) | bit
        kind = length
        values[i] = values[i - 1] + found


@compiled
def _adaptive(coder: Coder, chances: NDArray[np.int64], row: int, place: int, bit: int) -> int:
    """Code a bit by a chance in 2⁻¹⁶ that moves 1/16 of the way towards it."""
    chance = chances[row, place]
    bit = code(coder, bit, chance)
    chances[row, place] += (((bit << 16) - chance) >> 4) + (1 - bit)
    return bit

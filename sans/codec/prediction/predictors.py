"""The linear predictor that a writer fits to a chunk, and its weights as a header."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.range_coder import Coder, code
from sans.compilation.decorators import compiled, inlined

FIRST, VALUES, SHIFT, BITS, WIDTH, ORDER, EARLIER, WEIGHTS = range(8)
OWN = 33
"""Weights of the channel itself: of its level and of 32 differences."""
NEIGHBOURS = 4
"""How many channels before it a channel looks at, three samples of each."""
LATER = 3 * NEIGHBOURS
"""Where the weights of the next channel begin, two samples of it."""
LOSSLESS = 256
"""The step between neighbouring integers, in 1/256."""

SHORT = 16
"""Up to this order, the older half is not looked at."""

CROSS = LATER + 2
FIELDS = WEIGHTS + 1 + OWN + CROSS


@compiled
def code_number(coder: Coder, value: int, bits: int) -> int:
    """Code a number of some bits, all equally likely."""
    result = 0
    for i in range(bits - 1, -1, -1):
        result = (result << 1) | code(coder, (value >> i) & 1, 32768)
    return result


@compiled
def code_signed(coder: Coder, value: int) -> int:
    """Code an integer below 2³⁶ in magnitude; its length first."""
    size = abs(value)
    length = 0
    while (size >> length) > 0:
        length += 1
    length = min(code_number(coder, length, 6), 36)
    size = code_number(coder, size, length)
    return -size if length and code_number(coder, 1 if value < 0 else 0, 1) else size


@compiled
def code_settings(coder: Coder, settings: NDArray[np.int64]) -> None:
    """Write or read the settings of all channels."""
    for c in range(len(settings)):
        row = settings[c]
        row[FIRST] = code_signed(coder, row[FIRST])
        row[VALUES] = (
            code_number(coder, row[VALUES], 17)
            if code_number(coder, 1 if row[VALUES] else 0, 1)
            else 0
        )
        row[SHIFT] = code_number(coder, row[SHIFT], 6)
        row[BITS] = code_number(coder, row[BITS], 4)
        row[WIDTH] = code_number(coder, row[WIDTH], 5)
        row[ORDER] = min(code_number(coder, row[ORDER], 6), 32)
        row[EARLIER] = code_number(coder, row[EARLIER], 1)
        for i in range(OWN + 1 + CROSS):
            there = i <= row[ORDER] if i <= OWN else row[EARLIER]
            if i == OWN:
                there = row[ORDER] > 2
            if i == 0:
                there = 1
            if there and row[WIDTH]:
                value = code_number(coder, row[WEIGHTS + i] + (1 << row[WIDTH] >> 1), row[WIDTH])
                row[WEIGHTS + i] = value - (1 << row[WIDTH] >> 1)
            else:
                row[WEIGHTS + i] = 0


@inlined
def predicted(
    direct: NDArray[np.int64], lags: NDArray[np.int64], settings: NDArray[np.int64], c: int
) -> int:
    """Return what the linear predictor of channel c says, in 1/256 above the first sample.

    Args:
        direct: what `direct_weights` returns.
        lags: ``(channels, OWN + 1)``: past samples above the first, latest first; of the channels
            before c, the present one is the latest.
        settings: ``(channels, FIELDS)``.
        c: the channel.
    """
    total = direct[c, 0]
    if settings[c, ORDER] > SHORT:
        for k in range(OWN):
            total += direct[c, 1 + k] * lags[c, k]
    else:
        for k in range(SHORT + 1):
            total += direct[c, 1 + k] * lags[c, k]
    if settings[c, EARLIER]:
        place = OWN + 1
        for b in range(max(c - NEIGHBOURS, 0), c):
            for k in range(3):
                total += direct[c, place + k] * lags[b, k]
            place += 3
        if c + 1 < len(lags):
            for k in range(2):
                total += direct[c, OWN + 1 + LATER + k] * lags[c + 1, k]
    return min(max(int((total << 8) >> settings[c, BITS]), -(1 << 43)), 1 << 43)


@compiled
def direct_weights(settings: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``(channels, 48)``: intercept, 33 own, latest first, 14 of neighbours."""
    direct = np.zeros((len(settings), 1 + OWN + CROSS), np.int64)
    for c in range(len(settings)):
        weights = settings[c, WEIGHTS:]
        direct[c, 0] = weights[OWN]
        for k in range(OWN):
            after = weights[k + 1] if k + 1 < OWN else 0
            own = (1 << settings[c, BITS]) + weights[0] + after if k == 0 else after - weights[k]
            direct[c, 1 + k] = own
        for k in range(CROSS):
            direct[c, 1 + OWN + k] = weights[OWN + 1 + k]
    return direct

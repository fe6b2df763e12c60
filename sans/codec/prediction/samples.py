"""Integer signals, coded by predicting each sample from those before it and from its neighbours.

A first predictor is linear; the writer fits it to the chunk and sends its weights (`predictors`,
`fitting`). Two adaptive filters then predict what it leaves (`filters`), and the rest is coded by
mixed models of binary decisions (`residuals`). Channels that leave values out are coded as ranks
(`palettes`). Writer and reader run the same integer arithmetic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.range_coder import Coder, finish, reader, writer
from sans.codec.prediction.filters import (
    BEFORE,
    CELLS,
    FAST,
    FAST_BITS,
    GRAIN,
    LAST,
    LEFT,
    MID,
    MID_BITS,
    NEAR,
    RATES,
    SIDE,
    SLOW,
    SLOW_BITS,
    TAPS,
    expected,
    filtered,
    inverse,
    learn_level,
    learn_scale,
    learn_taps,
    quarters,
)
from sans.codec.prediction.fitting import fit
from sans.codec.prediction.palettes import code_palettes, values_of_ranks
from sans.codec.prediction.predictors import (
    FIELDS,
    FIRST,
    LOSSLESS,
    OWN,
    SHIFT,
    code_settings,
    direct_weights,
    predicted,
)
from sans.codec.prediction.residuals import (
    KINDS,
    TABLES,
    code_residual,
    fresh_slots,
    fresh_weights,
    room_for_inputs,
)
from sans.compilation.decorators import compiled, inlined

Integers = NDArray[np.int64]

END = 1 << 34
"""Decoded values end here on both sides, whatever the bytes."""

FAR = 1 << 28
"""And differences end here where they are contexts."""

RATE_A, RATE_B = RATES


def code_samples(coder: Coder, samples: Integers, step: int, settings: Integers) -> None:
    """Code samples, which become the decoded ones.

    Args:
        coder: a writer or a reader.
        samples: ``(channels, length)``; a writer's are below 2³³ in magnitude.
        step: the distance of decoded values, in 1/256; 256 is lossless. At most 2⁴⁰.
        settings: ``(channels, FIELDS)``: what `choose_settings` returns; a reader fills it in.
    """
    code_settings(coder, settings)
    values, starts = code_palettes(coder, samples, settings)
    code_ranks(coder, samples, step, settings)
    values_of_ranks(samples, values, starts)


@compiled
def code_ranks(coder: Coder, samples: Integers, step: int, settings: Integers) -> None:
    """Code samples, ranks among them where a channel has a palette; arguments: `code_samples`."""
    channels, length = samples.shape
    stream, registers = coder.stream, coder.registers
    direct = direct_weights(settings)
    lags = np.zeros((channels, OWN + 1), np.int64)
    near = np.zeros((channels, NEAR), np.int32)
    taps_a, taps_b = np.zeros((channels, NEAR), np.int32), np.zeros((channels, NEAR), np.int32)
    levels = np.zeros((channels, GRAIN + 1), np.int64)
    scales_a, scales_b = np.zeros(CELLS * CELLS, np.int64), np.zeros(CELLS * CELLS, np.int64)
    counts_a, counts_b = np.zeros(CELLS * CELLS, np.int64), np.zeros(CELLS * CELLS, np.int64)
    slots, weights, work = fresh_slots(), fresh_weights(), room_for_inputs()
    contexts = np.zeros(TABLES, np.int64)
    for c in range(channels):
        while (2 << levels[c, GRAIN]) <= step >> settings[c, SHIFT]:
            levels[c, GRAIN] += 1
    for t in range(length):
        for c in range(channels):
            shift = settings[c, SHIFT]
            first = predicted(direct, lags, settings, c)
            if c:
                for k in range(SIDE):
                    near[c, TAPS + k] = near[c - 1, k]
            add_a, add_b = filtered(near, taps_a, c), filtered(near, taps_b, c)
            one, two = first + (add_a << shift), first + (add_b << shift)
            final = (one + two) >> 1
            foot = ((final if step == LOSSLESS else final + 128) >> 8) << 8
            base = (foot >> 8) + settings[c, FIRST]
            # how far from the prediction
            fast, mid = levels[c, FAST], levels[c, MID]
            last, before = levels[c, LAST], levels[c, BEFORE]
            slope = min(max((lags[c, 0] - lags[c, 1]) << 8 >> shift, -FAR), FAR)
            log_fast, log_mid = quarters(fast >> 4), quarters(mid >> 4)
            log_slope = quarters(abs(slope) >> levels[c, GRAIN] << 4)
            log_other = quarters(abs(levels[c - 1, LAST])) if c else log_slope
            cell_a = min(log_fast >> 1, CELLS - 1) * CELLS + min(log_mid >> 1, CELLS - 1)
            third = (quarters(abs(before)) >> 2) * 3 + min(max((log_other >> 3) - 3, 0), 2)
            cell_b = min(quarters(abs(last)) >> 1, CELLS - 1) * CELLS + min(third, CELLS - 1)
            usual, least = (fast + mid) << 3, max(step >> shift >> 3, 4)
            scale = (
                expected(scales_a, counts_a, cell_a, usual, least)
                + expected(scales_b, counts_b, cell_b, usual, least)
            ) >> 1
            # the contexts, in units of bins
            widen = 0
            while ((step << (widen + 1)) >> shift) <= (levels[c, SLOW] >> 4) and widen < 40:
                widen += 1
            bin_size = max((step << widen) >> shift, 1)
            per_bin, log_bin = inverse(bin_size) >> 16, quarters(bin_size)
            level_fast = min(max((log_fast - log_bin + 8) >> 1, 0), 15)
            level_mid = min(max((log_mid - log_bin + 8) >> 1, 0), 15)
            gap = min(max((foot - (lags[c, 0] << 8)) >> shift, -FAR), FAR)
            contexts[0] = (level_fast << 4) | level_mid
            contexts[1] = _bins(last, per_bin, 4, 4) * 9 + _bins(before, per_bin, 4, 4)
            contexts[2] = (base >> widen) & 255
            contexts[3] = (_bins(slope, per_bin, 8, 7) << 5) | _bins(gap, per_bin, 16, 15)
            contexts[4] = ((((final - foot) >> 5) & 7) << 3) | (
                min(max((((two - one) >> shift) * per_bin) >> 21, -4), 3) + 4
            )
            if c:
                size_other = min(max((log_other - log_bin + 8) >> 2, 0), 7)
                contexts[5] = (size_other << 4) | _bins(levels[c - 1, LAST], per_bin, 4, 4)
            else:
                contexts[5] = (min(max((log_slope - 8) >> 2, 0), 7) << 4) | level_mid
            value = samples[c, t] - base
            if step != LOSSLESS:
                value = ((value << 8) + (step >> 1)) // step
            value = code_residual(
                stream, registers, slots, weights, work, contexts,
                KINDS + level_mid + 16 * min(c, 3),
                step, shift, widen, final - foot, inverse(scale) >> 12, value,
            )  # fmt: skip
            decoded = min(max(base + ((value * step + 128) >> 8), -END), END)
            samples[c, t] = decoded
            # learning
            for k in range(OWN, 0, -1):
                lags[c, k] = lags[c, k - 1]
            lags[c, 0] = decoded - settings[c, FIRST]
            level = lags[c, 0] << 8
            left = min(max((level - first) >> shift, -32767), 32767)
            error = min(max((level - final) >> shift, -(1 << 24)), 1 << 24)
            per_error = inverse((mid >> 4) + 16) >> 12
            per_input = inverse((levels[c, LEFT] >> 4) + 16) >> 12
            learn_taps(near, taps_a, c, left - add_a, RATE_A, per_error, per_input)
            learn_taps(near, taps_b, c, left - add_b, RATE_B, per_error, per_input)
            for k in range(TAPS - 1, 0, -1):
                near[c, k] = near[c, k - 1]
            near[c, 0] = left
            levels[c, LEFT] += ((abs(left) << 4) - levels[c, LEFT]) >> 4
            learn_scale(scales_a, counts_a, cell_a, abs(error))
            learn_scale(scales_b, counts_b, cell_b, abs(error))
            if t > 0:  # the first error says nothing
                levels[c, BEFORE], levels[c, LAST] = last, error
                learn_level(levels, c, FAST, abs(error), FAST_BITS, t)
                learn_level(levels, c, MID, abs(error), MID_BITS, t)
                learn_level(levels, c, SLOW, abs(error), SLOW_BITS, t)


@inlined
def _bins(distance: int, per_bin: int, below: int, above: int) -> int:
    """Return a distance in bins, to the nearest, from 0 for −`below` to `below` + `above`."""
    return min(max((((distance * per_bin) >> 23) + 1) >> 1, -below), above) + below


def choose_settings(samples: Integers, step: int) -> Integers:
    """Return the settings with which `code_samples` writes some samples; both as there."""
    return fit(samples, step)


def encode_samples(samples: Integers, step: int = LOSSLESS) -> bytes:
    """Return samples ``(channels, length)`` as bytes; `step` as in `code_samples`."""
    settings = choose_settings(samples, step)
    room = 8 * samples.size + 4096 * (len(samples) + 1)
    written = room + 1
    while written > room:
        room = max(room, written)
        coder = writer(room)
        code_samples(coder, samples.copy(), step, settings.copy())
        written = finish(coder)
    return coder.stream[:written].tobytes()


def decode_samples(data: bytes, channels: int, length: int, step: int = LOSSLESS) -> Integers:
    """Return the samples of `encode_samples` ``(channels, length)``; all arguments as there."""
    samples = np.zeros((channels, length), np.int64)
    coder = reader(np.frombuffer(data, np.uint8).copy())
    code_samples(coder, samples, step, np.zeros((channels, FIELDS), np.int64))
    return samples

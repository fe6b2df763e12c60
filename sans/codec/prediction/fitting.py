"""The linear predictor of each channel, fitted by the writer to a part of the chunk.

Least squares where a sample weighs the less, the more the samples before it were missed: most
bits are spent where the signal is quiet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.prediction.palettes import palette_sizes, ranked
from sans.codec.prediction.predictors import (
    BITS,
    CROSS,
    EARLIER,
    FIELDS,
    FIRST,
    LATER,
    LOSSLESS,
    NEIGHBOURS,
    ORDER,
    OWN,
    SHIFT,
    VALUES,
    WEIGHTS,
    WIDTH,
)
from sans.compilation.decorators import compiled

ORDERS = (0, 1, 2, 4, 8, 12, 16, 20, 24, 32)
"""Orders to choose from."""

PRECISIONS = (6, 9, 12, 15)
"""Bits after the point to choose from."""

BLOCK, BLOCKS = 1024, 10
"""At most so many rows of equations, in blocks that are spread evenly."""

Floats = NDArray[np.float64]


def fit(samples: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Return the settings that code some samples ``(channels, length)`` best, by estimate."""
    channels, length = samples.shape
    settings = np.zeros((channels, FIELDS), np.int64)
    if length == 0:
        return settings
    if step == LOSSLESS:
        settings[:, VALUES] = palette_sizes(samples)
        samples = ranked(samples, settings[:, VALUES])
    settings[:, FIRST] = samples[:, 0]
    levels = (samples - samples[:, :1]).astype(np.float64)
    block = length if length <= BLOCK * BLOCKS else BLOCK
    starts = np.linspace(0, length - block, length // block if length == block else BLOCKS)
    for channel in range(channels):
        _fit_channel(levels, channel, starts.astype(np.int64), block, step, settings[channel])
    return settings


def _fit_channel(
    levels: Floats,
    channel: int,
    starts: NDArray[np.int64],
    block: int,
    step: int,
    row: NDArray[np.int64],
) -> None:
    """Fill in the settings of a channel."""
    length, alone = levels.shape[1], len(levels) == 1
    columns = OWN + 1 if alone else OWN + 1 + CROSS
    x, y = np.zeros((len(starts) * block, columns)), np.zeros(len(starts) * block)
    _equations(levels, channel, starts, block, x, y)
    floor = 0.3 * step / 256
    error = np.diff(y, prepend=0.0)
    for part in (slice(0, max(len(y) // 4, 1024)), slice(None)):
        weight = _weights(error, floor)
        weighted = x[part] * weight[part, None]
        gram, right = weighted.T @ weighted, weighted.T @ (y[part] * weight[part])
        fitted = _solve(gram, right, np.flatnonzero(np.diag(gram) > 0))
        error = y - x @ fitted
    power = float(((y * weight) ** 2).sum())
    best = np.inf
    cross = np.arange(OWN + 1, x.shape[1])[np.diag(gram)[OWN + 1 :] > 0]
    for order in ORDERS:
        for neighbours in (False, True) if len(cross) else (False,):
            kept = [
                *range(order + 1),
                *([OWN] if order > 2 else []),
                *(cross if neighbours else []),
            ]
            fitted = _solve(gram, right, np.array([i for i in kept if gram[i, i] > 0], np.int64))
            for precision in PRECISIONS:
                whole = np.clip(np.rint(fitted * (1 << precision)), -(1 << 24), 1 << 24)
                used = whole / (1 << precision)
                left = (power - 2 * used @ right + used @ gram @ used) / len(y)
                width = int(np.abs(whole).max()).bit_length() + 1 if whole.any() else 0
                kept_count = order + 1 + (order > 2) + (CROSS if neighbours else 0)
                cost = length / 2 * np.log2(max(float(left), 1e-9) + 1e-3) + width * kept_count
                if cost < best - 1:
                    best = cost
                    row[ORDER], row[EARLIER], row[BITS], row[WIDTH] = (
                        order,
                        neighbours,
                        precision,
                        width,
                    )
                    row[WEIGHTS:] = 0
                    row[WEIGHTS : WEIGHTS + len(whole)] = whole
    error = y - x @ (row[WEIGHTS : WEIGHTS + x.shape[1]] / (1 << row[BITS]))
    typical = float(np.exp(np.log(np.abs(error) * 256 + step / 4).mean()))
    row[SHIFT] = max(int(np.ceil(np.log2(typical))) - 10, 0)


@compiled
def _equations(
    levels: Floats, channel: int, starts: NDArray[np.int64], block: int, x: Floats, y: Floats
) -> None:
    """Fill in what predicts, and what is predicted: the difference to the sample before.

    Args:
        levels: ``(channels, length)``.
        channel: the one to predict.
        starts: where blocks of rows start.
        block: the rows of a block.
        x: ``(rows, OWN + 1)``, or with `CROSS` more columns.
        y: ``(rows,)``.
    """
    channels = len(levels)
    i = 0
    for start in starts:
        for t in range(start, start + block):
            before = levels[channel, t - 1] if t >= 1 else 0.0
            y[i] = levels[channel, t] - before
            x[i, 0] = before
            x[i, OWN] = 1.0
            for k in range(1, OWN):
                after = before
                before = levels[channel, t - k - 1] if t >= k + 1 else 0.0
                x[i, k] = after - before
            place = OWN + 1
            for b in range(max(channel - NEIGHBOURS, 0), channel):
                for k in range(3):
                    x[i, place + k] = levels[b, t - k] if t >= k else 0.0
                place += 3
            if channel + 1 < channels:
                for k in range(2):
                    before = levels[channel + 1, t - 1 - k] if t >= k + 1 else 0.0
                    x[i, OWN + 1 + LATER + k] = before
            i += 1


@compiled
def _weights(error: Floats, floor: float) -> Floats:
    """Return the inverse of how much the samples before each were missed."""
    weights = np.zeros(len(error))
    mean = 0.0
    for i in range(min(len(error), 64)):
        mean += abs(error[i]) / min(len(error), 64)
    for i in range(len(error)):
        weights[i] = 1 / (mean + floor)
        mean += 0.1 * (abs(error[i]) - mean)
    return weights


def _solve(gram: Floats, right: Floats, kept: NDArray[np.int64]) -> Floats:
    """Return the least-squares weights of the regressors in `kept`; the others are 0."""
    fitted = np.zeros(len(right))
    size = np.sqrt(np.diag(gram)[kept])
    part = gram[np.ix_(kept, kept)] / size[:, None] / size + 1e-10 * np.eye(len(kept))
    fitted[kept] = np.linalg.solve(part, right[kept] / size) / size
    return fitted

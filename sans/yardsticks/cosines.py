"""Cosines, of the whole window or of blocks of it, as a yardstick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sans.yardsticks.bases import Array, Basis

DIVISORS = 16
"""Into how many blocks of equal length a window may be cut where the block is chosen."""


def cosines(block: int | None = None, chosen: bool = False) -> Basis:
    """Return the orthonormal cosines (DCT-II) of blocks along every dimension of space.

    Args:
        block: samples along a side of a block; what is left at the far border is a block of its
            own. None: the whole signal is one.
        chosen: whether the block was chosen for the data.
    """
    words = "DCT-II" if block is None else f"DCT-II of blocks of {block}"

    def analyse(signals: Array) -> Array:
        side = max(signals.shape[1:])
        if block is not None and block > side:
            raise ValueError(f"blocks of {block} samples are longer than the signals, {side}")
        for axis in range(1, signals.ndim):
            signals = _by_blocks(signals, axis, block, forward=True)
        return signals.reshape(len(signals), -1)

    def synthesise(coefficients: Array, space: Sequence[int]) -> Array:
        signals = coefficients.reshape(-1, *space)
        for axis in range(1, signals.ndim):
            signals = _by_blocks(signals, axis, block, forward=False)
        return signals

    return Basis(words, analyse, synthesise, chosen=chosen)


def blocks_for(space: Sequence[int]) -> list[int | None]:
    """Return the blocks worth a look on signals of a shape, the whole signal (None) first."""
    side = min(space)
    even = {-(-side // parts) for parts in range(2, DIVISORS + 1)}
    powers = {2**i for i in range(1, side.bit_length())}
    return [None, *sorted((even | powers) - {1, side}, reverse=True)]


def _by_blocks(values: Array, axis: int, block: int | None, forward: bool) -> Array:
    """Return the transform along one axis, or its inverse, block by block."""
    from scipy.fft import dct, idct

    transform, length = dct if forward else idct, values.shape[axis]
    side = min(block or length, length)
    whole = length - length % side
    head, rest = np.split(values, [whole], axis=axis)
    cut = head.reshape(*head.shape[:axis], whole // side, side, *head.shape[axis + 1 :])
    done = transform(cut, axis=axis + 1, norm="ortho").reshape(head.shape)
    if whole < length:
        done = np.concatenate((done, transform(rest, axis=axis, norm="ortho")), axis=axis)
    return np.asarray(done)

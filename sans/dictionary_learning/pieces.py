"""Kernels cut out of signals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.convolution.frames import Floats

TRIES = 16
"""Random pieces among which the strongest is taken."""


def cut(signals: NDArray[Any], size: int, random: np.random.Generator) -> Floats:
    """Return the strongest of some random pieces of signals, of norm 1.

    Args:
        signals: ``(signals, *space)``, or what spikes have left of them; what is missing, NaN,
            is taken as 0.
        size: samples along a side of the piece.
        random: what chooses.
    """
    pieces = [_piece(signals, size, random) for _ in range(TRIES)]
    return unit(max(pieces, key=lambda piece: float((piece**2).sum())))


def unit(kernel: NDArray[Any]) -> Floats:
    """Return a kernel of norm 1; of a kernel of zeros, a constant one."""
    norm = float(np.sqrt((kernel**2).sum()))
    return kernel / norm if norm > 0 else np.full(kernel.shape, kernel.size**-0.5)


def _piece(signals: NDArray[Any], size: int, random: np.random.Generator) -> Floats:
    signal = np.asarray(signals[random.integers(len(signals))], np.float64)
    firsts = [int(random.integers(side - size + 1)) for side in signal.shape]
    return np.nan_to_num(signal[tuple(slice(first, first + size) for first in firsts)])

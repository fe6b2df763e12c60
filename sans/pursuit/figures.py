"""φ of codes, on numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.convolution.frames import Floats
from sans.pursuit.encoder import Code


class Figures(NamedTuple):
    """φ and its two terms, one a signal, ``(signals,)``, as `sans.metrics` has them."""

    phi: Floats
    """φ."""

    inverse_compression_ratio: Floats
    """CR⁻¹."""

    reconstruction_loss: Floats
    """L̃."""


def figures(
    signals: NDArray[Any], code: Code, kernels: Sequence[NDArray[Any]], weights: int
) -> Figures:
    """Return φ of every signal, none of them zero everywhere.

    Args:
        signals: ``(signals, *space)``.
        code: their spikes.
        kernels: what the spikes draw.
        weights: W, the count of scalars that are to be remembered for the kernels.
    """
    space = tuple(range(1, signals.ndim))
    samples = signals[0].size
    ratio = (weights + signals.ndim * code.counts) / samples
    loss = np.abs(code.draw(kernels) - signals).sum(space) / np.abs(signals).sum(space)
    return Figures(np.hypot(ratio, loss), ratio, loss)

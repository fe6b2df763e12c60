"""φ of codes, on numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from sans.convolution.frames import Floats
from sans.figures import Approximation
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code


class Terms(NamedTuple):
    """φ and its two terms, one a signal, ``(signals,)``, rows of `sans.figures.METRICS`."""

    phi: Floats
    """φ."""

    inverse_compression_ratio: Floats
    """CR⁻¹."""

    reconstruction_loss: Floats
    """L̃."""

    phi_addressed: Floats
    """φₐ, with as many shapes as the code has."""


def figures(
    signals: NDArray[Any], code: Code, kernels: Sequence[NDArray[Any]] | Dictionary, weights: float
) -> Terms:
    """Return φ of every signal, none of them zero everywhere.

    Args:
        signals: ``(signals, *space)``, or ``(signals, leads, *space)``; NaN is a missing sample.
        code: their spikes.
        kernels: what the spikes draw.
        weights: W, the count of scalars that are to be remembered for the kernels.
    """
    drawn = code.draw(kernels)
    if signals.ndim < len(code.shape):  # of one lead, without an axis for it
        signals, drawn = signals[:, None], drawn[:, None]
    found = Approximation(signals, drawn, code.counts, weights, shapes=code.shape[1])
    return Terms(*(found[name] for name in Terms._fields))

"""The loss of networks and its gradient, summed where there are spikes: compiled loops on arrays.

Automatic differentiation would convolve whole maps that are almost all zeros. Here an activation
that is not zero draws its kernel and passes a gradient on: all that the chain rule leaves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.compiled import compiled, reordered

Floats = NDArray[np.floating[Any]]


def loss_and_gradient(
    signals: Floats, activations: Floats, weights: Floats, decoder: str
) -> tuple[Floats, Floats]:
    """Return each network's mean absolute error, and its gradient with respect to the weights.

    Args:
        signals: ``(batch, 1, *space)``.
        activations: what the networks keep of their similarities, ``(batch, models * kernels,
            *space)``; gradients pass through those that are not zero.
        weights: ``(models, kernels, *side)``.
        decoder: "adjoint" or "paper", as in `sans.convolution.decode`.

    Returns:
        Losses ``(models,)``, and the gradients of their sum, ``(models, kernels, *side)``.
    """
    if signals.ndim == 3:  # a signal is an image of height 1
        images = signals[:, :, None], activations[:, :, None], weights[:, :, None]
        losses, gradient = loss_and_gradient(*images, decoder)
        return losses, gradient[:, :, 0]
    adjoint = decoder == "adjoint"
    kernels = weights.reshape(-1, *weights.shape[2:])
    drawn = kernels if adjoint else kernels[:, ::-1, ::-1]
    drawn = np.ascontiguousarray(drawn)

    # Signals lie on a canvas with a margin on every side that no kernel can leave.
    margins = np.array(kernels.shape[1:]) - 1
    seen = margins - margins // 2  # where the window of an activation begins on the canvas
    place = seen if adjoint else margins // 2  # where its drawing begins
    padded = _with_margins(signals, margins)

    canvas = np.zeros((len(signals), len(weights), *padded.shape[2:]), weights.dtype)
    _draw(activations, drawn, place, canvas)
    (top, left), (height, width) = margins, signals.shape[2:]
    error = canvas[:, :, top : top + height, left : left + width] - signals
    samples = error[:, 0].size
    losses = np.abs(error).sum((0, 2, 3), dtype=np.float64) / samples
    slope = _with_margins(np.sign(error) / weights.dtype.type(samples), margins)

    by_drawing, by_seeing = np.zeros_like(kernels), np.zeros_like(kernels)
    _descend(activations, drawn, place, slope, seen, padded, by_drawing, by_seeing)
    gradient = by_seeing + (by_drawing if adjoint else by_drawing[:, ::-1, ::-1])
    return losses.astype(weights.dtype), gradient.reshape(weights.shape)


def _with_margins(images: Floats, margins: NDArray[np.int64]) -> Floats:
    """Return ``(batch, maps, height, width)`` with zeros around."""
    top, left = margins
    return np.pad(images, ((0, 0), (0, 0), (top, top), (left, left)))


@compiled
def _draw(spikes: Floats, drawn: Floats, place: NDArray[np.int64], canvas: Floats) -> None:
    """Add every spike's kernel to the canvas of its network, ``(batch, models, height, width)``."""
    each = spikes.shape[1] // canvas.shape[1]
    height, width = drawn.shape[1:]
    for b in range(spikes.shape[0]):
        for k in range(spikes.shape[1]):
            page = canvas[b, k // each]
            for y in range(spikes.shape[2]):
                for x in range(spikes.shape[3]):
                    amplitude = spikes[b, k, y, x]
                    if amplitude != 0:
                        top, left = y + place[0], x + place[1]
                        for i in range(height):
                            row = page[top + i]
                            for j in range(width):
                                row[left + j] += amplitude * drawn[k, i, j]


@reordered
def _descend(
    spikes: Floats,
    drawn: Floats,
    place: NDArray[np.int64],
    slope: Floats,
    seen: NDArray[np.int64],
    padded: Floats,
    by_drawing: Floats,
    by_seeing: Floats,
) -> None:
    """Add to both gradients what every spike contributes.

    A spike's kernel acts twice: it draws, scaled by the amplitude, and it sees, that is, its window
    of the signal makes the amplitude.
    """
    each = spikes.shape[1] // slope.shape[1]
    height, width = drawn.shape[1:]
    for b in range(spikes.shape[0]):
        for k in range(spikes.shape[1]):
            for y in range(spikes.shape[2]):
                for x in range(spikes.shape[3]):
                    amplitude = spikes[b, k, y, x]
                    if amplitude != 0:
                        by_amplitude = drawn.dtype.type(0)
                        for i in range(height):
                            row = slope[b, k // each, y + place[0] + i]
                            left = x + place[1]
                            for j in range(width):
                                by_amplitude += row[left + j] * drawn[k, i, j]
                                by_drawing[k, i, j] += row[left + j] * amplitude
                        for i in range(height):
                            row = padded[b, 0, y + seen[0] + i]
                            left = x + seen[1]
                            for j in range(width):
                                by_seeing[k, i, j] += row[left + j] * by_amplitude

"""The loss of networks and its gradient by the chain rule: compiled loops on arrays.

Automatic differentiation would convolve whole maps that are almost all zeros. Here an activation
that is not zero draws its kernel and passes a gradient on; where most are not zero, whole maps are
correlated after all, each with its own kernel.
"""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import compiled
from sans.convolution.frames import (
    Float,
    Floats,
    Frame,
    Integers,
    as_images,
    frame_for,
    framed,
    own_weights,
    taps,
)
from sans.convolution.loops import (
    add_correlation,
    add_met,
    add_products,
    draw,
    is_dense,
    spot,
    taps_met,
)


def loss_and_gradient(
    signals: Floats, activations: Floats, weights: Floats, sizes: Integers, decoder: str
) -> tuple[Floats, Floats]:
    """Return each network's mean absolute error, and its gradient with respect to the weights.

    Args:
        signals: ``(batch, 1, *space)``.
        activations: what the networks keep of their similarities, ``(batch, models * kernels,
            *space)``; gradients pass through those that are not zero, so that an entry that was
            kept and happens to be exactly zero passes none.
        weights: ``(models, kernels, *side)``, origins aligned.
        sizes: samples along a side of each kernel, ``(models * kernels,)``.
        decoder: "adjoint" or "paper", as in `sans.convolution.tensors.decode`.

    Returns:
        Losses ``(models,)``, and the gradients of their sum, ``(models, kernels, *side)``, zero
        beyond the size of a kernel.
    """
    dimensions = signals.ndim - 2
    frame = frame_for(signals.shape[2:], weights.shape[2:])
    images = as_images(signals[:, 0], dimensions)
    kernels = as_images(weights, dimensions)
    losses = np.zeros(len(weights))
    gradient = np.zeros(kernels.shape, kernels.dtype)
    _descend(
        images,
        framed(images, frame),
        frame,
        as_images(activations, dimensions),
        kernels,
        sizes.reshape(weights.shape[:2]),
        decoder == "paper",
        losses,
        gradient,
    )
    return losses.astype(weights.dtype), gradient.reshape(weights.shape)


@compiled
def _descend(
    images: Floats,
    seen: Floats,
    frame: Frame,
    activations: Floats,
    kernels: Floats,
    sizes: Integers,
    paper: bool,
    losses: Floats,
    gradient: Floats,
) -> None:
    """Add up losses ``(models,)`` and gradients ``(models, kernels, height, width)``."""
    models, each = sizes.shape
    samples = kernels.dtype.type(images.size)
    sheets = np.empty((each, frame.size), kernels.dtype)
    places = np.empty((each, frame.height * frame.width), np.int64)
    counts = np.empty(each, np.int64)
    canvas, slope = np.empty(frame.size, kernels.dtype), np.zeros(frame.size, kernels.dtype)
    for m in range(models):
        for b in range(images.shape[0]):
            canvas[:] = 0
            for k in range(each):
                drawing = taps(kernels[m, k], sizes[m, k], frame, paper)
                spreading = taps(kernels[m, k], sizes[m, k], frame, not paper)
                counts[k] = spot(activations[b, m * each + k], frame, sheets[k], places[k])
                draw(sheets[k], places[k, : counts[k]], frame, drawing, spreading, canvas)
            losses[m] += _error(images[b], canvas, frame, samples, slope) / samples
            for k in range(each):
                spikes = places[k, : counts[k]]
                kernel, size = kernels[m, k], sizes[m, k]
                _pass_on(
                    sheets[k], spikes, kernel, size, paper, frame, slope, seen[b], gradient[m, k]
                )


@compiled
def _error(image: Floats, canvas: Floats, frame: Frame, samples: Float, slope: Floats) -> float:
    """Return the sum of absolute errors, and write the slope of their mean into a frame."""
    total = 0.0
    for y in range(frame.height):
        for x in range(frame.width):
            place = frame.origin + y * frame.pitch + x
            error = canvas[place] - image[y, x]
            total += abs(error)
            slope[place] = np.sign(error) / samples
    return total


@compiled
def _pass_on(
    sheet: Floats,
    spikes: Integers,
    kernel: Floats,
    size: int,
    paper: bool,
    frame: Frame,
    slope: Floats,
    seen: Floats,
    gradient: Floats,
) -> None:
    """Add to the gradient of one kernel what its activations in one image contribute.

    The kernel acts twice: it draws, scaled by the amplitudes, and it sees, that is, the image under
    it makes the amplitudes.
    """
    drawing = taps(kernel, size, frame, paper)
    seeing = taps(kernel, size, frame, False)
    by_drawing, by_seeing = np.zeros_like(drawing.weights), np.zeros_like(seeing.weights)
    first, last = frame.origin, frame.origin + frame.span
    if is_dense(spikes, drawing, frame):
        by_amplitude = np.zeros(frame.span, kernel.dtype)
        add_correlation(slope, drawing, by_amplitude)
        for t in range(frame.span):
            if sheet[first + t] == 0:
                by_amplitude[t] = 0
        add_products(sheet[first:last], slope, drawing, by_drawing)
        add_products(by_amplitude, seen, seeing, by_seeing)
    else:
        for place in spikes:
            add_met(drawing, sheet[first + place], slope[place:], by_drawing)
            add_met(seeing, taps_met(drawing, slope[place:]), seen[place:], by_seeing)
    top, left, height, width = own_weights(kernel, size)
    for i in range(height):
        for j in range(width):
            tap = i * width + j
            opposite = drawing.weights.size - 1 - tap if paper else tap
            gradient[top + i, left + j] += by_seeing[tap] + by_drawing[opposite]

"""How images and kernels lie in memory for the compiled loops.

A signal is an image of height 1. An image lies flat in a frame, with a margin of zeros that no
kernel can leave, so that a kernel is a list of taps: how far away in the frame, and which weight.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled

Float: TypeAlias = "np.floating[Any]"
Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]


class Frame(NamedTuple):
    """How an image with a margin lies flat in memory."""

    height: int
    """Rows of the image."""

    width: int
    """Columns of the image."""

    top: int
    """Rows of zeros above, and as many below."""

    left: int
    """Columns of zeros before, and as many after."""

    pitch: int
    """The distance from a row to the next; entry (y, x) has the place y · pitch + x."""

    size: int
    """Entries of the frame."""

    origin: int
    """Where the image begins: place 0."""

    span: int
    """Entries from the first to the last of the image, the margins between its rows included."""


class Taps(NamedTuple):
    """A kernel laid at place p meets entry p + offset of a frame with the weight of that offset."""

    offsets: Integers
    """``(weights,)``; within a row of the kernel each is one more than the last."""

    weights: Floats
    """``(weights,)``, row by row."""

    width: int
    """Weights in a row."""


def frame_for(space: tuple[int, ...], side: tuple[int, ...]) -> Frame:
    """Return the frame of images of shape `space` for kernels of at most `side`."""
    height, width = (1, *space)[-2:]
    top, left = ((1, *side)[-2:][axis] // 2 for axis in range(2))
    pitch = width + 2 * left
    size, span = (height + 2 * top) * pitch, (height - 1) * pitch + width
    return Frame(height, width, top, left, pitch, size, top * pitch + left, span)


def as_images(maps: Floats, dimensions: int) -> Floats:
    """Return ``(…, *space)`` as ``(…, height, width)``, a signal as an image of height 1."""
    return np.ascontiguousarray(maps if dimensions == 2 else maps[..., None, :])


def framed(images: Floats, frame: Frame) -> Floats:
    """Return images ``(batch, height, width)`` in their frames, ``(batch, frame.size)``."""
    margins = ((0, 0), (frame.top, frame.top), (frame.left, frame.left))
    return np.pad(images, margins).reshape(len(images), frame.size)


@compiled
def own_weights(kernel: Floats, size: int) -> tuple[int, int, int, int]:
    """Return where a kernel's own weights begin in ``(height, width)``, and their shape."""
    height, width = min(size, kernel.shape[0]), min(size, kernel.shape[1])
    top = (kernel.shape[0] - 1) // 2 - (height - 1) // 2
    left = (kernel.shape[1] - 1) // 2 - (width - 1) // 2
    return top, left, height, width


@compiled
def taps(kernel: Floats, size: int, frame: Frame, mirrored: bool) -> Taps:
    """Return the taps of a kernel around its origin, or of the kernel turned about it.

    Args:
        kernel: ``(height, width)``, origin aligned, zero beyond its own `size`.
        size: samples along a side of the kernel.
        frame: where it is laid.
        mirrored: False: it lies as it is, its origin (size - 1) // 2 at the place, as an image is
            seen and as `adjoint` draws; True: it lies backwards, which is how `paper` draws.
    """
    top, left, height, width = own_weights(kernel, size)
    above, before = (height - 1) // 2, (width - 1) // 2
    if mirrored:
        above, before = height // 2, width // 2
    offsets = np.empty(height * width, np.int64)
    weights = np.empty(height * width, kernel.dtype)
    for i in range(height):
        for j in range(width):
            tap = i * width + j
            offsets[tap] = (frame.top - above + i) * frame.pitch + frame.left - before + j
            y, x = (height - 1 - i, width - 1 - j) if mirrored else (i, j)
            weights[tap] = kernel[top + y, left + x]
    return Taps(offsets, weights, width)


@compiled
def take(page: Floats, frame: Frame, image: Floats) -> None:
    """Copy the image ``(height, width)`` out of entries ``(frame.span,)`` from place 0 on."""
    for y in range(frame.height):
        for x in range(frame.width):
            image[y, x] = page[y * frame.pitch + x]

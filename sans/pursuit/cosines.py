"""Cosines of a whole window as one more shape that a spike may have.

They are the orthonormal cosine transform (DCT-II) of an image of one lead: the place of such a
spike is its frequency, (row, column). A table holds every cosine of a side.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sans.compilation.decorators import apart, compiled, reordered
from sans.convolution.frames import Floats

LONGEST = 4096
"""Samples along a side of an image with cosines, at most: the table of one takes 128 MiB."""


@lru_cache(maxsize=4)
def table(side: int) -> Floats:
    """Return all cosines of a side, ``(frequencies, samples)``, each of norm 1.

    Raises:
        ValueError: if the side is too long for a table.
    """
    if side > LONGEST:
        raise ValueError(f"cosines are for {LONGEST} samples along a side at most, not {side}")
    frequency, sample = np.arange(side)[:, None], np.arange(side)
    turns = frequency * (2 * sample + 1) % (4 * side)  # whole numbers: no phase is rounded
    cosines: Floats = np.cos(np.pi / (2 * side) * turns) * np.sqrt(2 / side)
    cosines[0] = np.sqrt(1 / side)
    cosines.flags.writeable = False
    return cosines


@apart
def draw_wave(tall: Floats, wide: Floats, amplitude: float, y: int, x: int, image: Floats) -> None:
    """Add the cosine of a frequency, `amplitude` times, to an image ``(1, height, width)``.

    Args:
        tall: the table of the image's columns.
        wide: the table of its rows.
        amplitude: how strongly.
        y: frequency along columns.
        x: frequency along rows.
        image: changed.
    """
    for i in range(image.shape[1]):
        size = amplitude * tall[y, i]
        for j in range(image.shape[2]):
            image[0, i, j] += size * wide[x, j]


@apart
def view_wave(tall: Floats, wide: Floats, y: int, x: int, image: Floats) -> float:
    """Return the inner product of a cosine with an image; the arguments are as ever."""
    total = 0.0
    for i in range(image.shape[1]):
        row = 0.0
        for j in range(image.shape[2]):
            row += image[0, i, j] * wide[x, j]
        total += tall[y, i] * row
    return total


@compiled
def transform(tall: Floats, wide: Floats, image: Floats, found: Floats) -> None:
    """Write the inner product of every cosine with an image.

    Args:
        tall: the table of the image's columns.
        wide: the table of its rows.
        image: ``(1, height, width)``.
        found: ``(height, width)``, written.
    """
    _, height, width = image.shape
    half = (width + 1) // 2
    sums, differences = np.zeros(half), np.zeros(half)
    rows = np.empty((height, width))
    for i in range(height):
        for j in range(half):
            one, other = image[0, i, j], image[0, i, width - 1 - j]
            sums[j], differences[j] = one + other, one - other
        if width % 2:  # the middle is its own mirror
            sums[half - 1], differences[half - 1] = image[0, i, half - 1], 0.0
        for x in range(width):
            rows[i, x] = _met(wide, x, differences if x % 2 else sums)
    for y in range(height):
        for x in range(width):
            found[y, x] = 0.0
        for i in range(height):
            for x in range(width):
                found[y, x] += tall[y, i] * rows[i, x]


@reordered
def _met(wide: Floats, x: int, folded: Floats) -> float:
    """Return the inner product of the first half of a cosine with a folded row."""
    total = 0.0
    for j in range(folded.size):
        total += wide[x, j] * folded[j]
    return total

"""Areas of an image, rows and columns of all its leads, for the compiled loops of a pursuit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import lent, reordered
from sans.convolution.frames import Floats
from sans.pursuit.atoms import Index, Part, hide_in


@lent
def joined(one: Part, other: Part) -> Part:
    """Return the least area that holds two."""
    top, bottom = min(one[0], other[0]), max(one[1], other[1])
    return top, bottom, min(one[2], other[2]), max(one[3], other[3])


@lent
def common(one: Part, other: Part) -> int:
    """Return how many samples of a lead two areas have in common."""
    rows = min(one[1], other[1]) - max(one[0], other[0])
    columns = min(one[3], other[3]) - max(one[2], other[2])
    return max(rows, 0) * max(columns, 0)


@lent
def copy_in(area: Part, source: Floats, target: Floats) -> None:
    """Copy an area of an image ``(leads, height, width)`` to another of its shape."""
    for lead in range(Index(source.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                target[lead, y, x] = source[lead, y, x]


@lent
def fill_in(area: Part, value: float, image: Floats) -> None:
    """Write a number everywhere in an area of an image ``(leads, height, width)``."""
    for lead in range(Index(image.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                image[lead, y, x] = value


@reordered
def absolute_in(area: Part, image: Floats) -> float:
    """Return the sum of absolute values of an area of an image ``(leads, height, width)``."""
    total = 0.0
    for lead in range(Index(image.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                total += abs(image[lead, y, x])
    return total


@reordered
def energy_in(area: Part, image: Floats) -> float:
    """Return the sum of squares of an area of an image ``(leads, height, width)``."""
    total = 0.0
    for lead in range(Index(image.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                total += image[lead, y, x] * image[lead, y, x]
    return total


@reordered
def squares_in(area: Part, image: Floats, importance: Floats) -> float:
    """Return the sum of squares of an area, every sample by its weight."""
    total = 0.0
    for lead in range(Index(image.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                total += importance[lead, y, x] * image[lead, y, x] * image[lead, y, x]
    return total


@reordered
def multiply_in(area: Part, image: Floats, importance: Floats, product: Floats) -> None:
    """Write the product of an image and weights over an area of an image of their shape."""
    for lead in range(Index(image.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                product[lead, y, x] = image[lead, y, x] * importance[lead, y, x]


@lent
def weigh_in(
    area: Part, residual: Floats, least: float, missing: NDArray[np.bool_], importance: Floats
) -> None:
    """Write the weight of every sample of an area: 1 over the magnitude of what is left of it.

    Args:
        area: the area.
        residual: ``(leads, height, width)``, what is left.
        least: what is smaller weighs like this.
        missing: which samples are missing, as in `Atoms`; they have no weight.
        importance: ``(leads, height, width)``, written.
    """
    for lead in range(Index(residual.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                size = abs(residual[lead, y, x])
                # Not 1 / size: to ask every time whether it is 0 would take longer.
                importance[lead, y, x] = np.divide(1.0, size if size > least else least)
    if missing.size:
        hide_in(missing, area, importance)

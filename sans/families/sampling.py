"""Members of families as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.families.table import FAMILIES, NAMES, Formula
from sans.names import check_name

SILENT = 1e-9
"""Of the norm below which a kernel draws nothing but what is rounded off."""


def coordinates(size: int, dimensions: int) -> tuple[NDArray[np.float64], ...]:
    """Return how many samples every sample lies from the middle, an array for each dimension."""
    side = np.arange(size, dtype=np.float64) - (size - 1) / 2
    return (side,) if dimensions == 1 else tuple(np.meshgrid(side, side, indexing="ij"))


def sampled(family: str, parameters: Sequence[float], dimensions: int = 1) -> NDArray[np.float64]:
    """Return a member of a family, of unit norm, ``(size,)`` or ``(size, size)``.

    Args:
        family: a name in `FAMILIES`.
        parameters: of the member, in order; those at the end that have a default may be missing.
        dimensions: 1 for signals, 2 for images.

    Raises:
        ValueError: if there is no such family, or none for these dimensions, or the member is zero
            at every sample.
    """
    check_name("family", family, NAMES)
    if family not in FAMILIES:
        raise ValueError(f"{family} is no formula: its kernels are not known without data")
    formula = FAMILIES[family].formula(dimensions)
    kernel = drawn(formula, formula.complete(parameters), dimensions)
    norm = np.sqrt((kernel**2).sum())
    if not norm > SILENT:
        raise ValueError(f"{family} is zero at every sample with {tuple(parameters)}")
    return np.asarray(kernel / norm)


def drawn(formula: Formula, member: Sequence[Any], dimensions: int) -> NDArray[np.float64]:
    """Return a member as its formula says, of any norm.

    Args:
        formula: of the family.
        member: all parameters.
        dimensions: 1 for signals, 2 for images.
    """
    places = coordinates(formula.size(member), dimensions)
    return np.asarray(formula.draw(np, *places, *member), np.float64)

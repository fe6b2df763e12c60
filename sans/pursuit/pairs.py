"""What two atoms meet of each other where samples have weights: kernels, and cosines."""

from __future__ import annotations

from sans.compilation.decorators import apart, lent
from sans.convolution.frames import Floats
from sans.pursuit.absolute import product
from sans.pursuit.atoms import Atoms, Index, extent

Atom = tuple[int, int, int]
"""Shape, row and column."""


@lent
def met(atoms: Atoms, one: Atom, other: Atom, importance: Floats) -> float:
    """Return the inner product of two atoms, every sample by its weight.

    Args:
        atoms: the kernels.
        one: the first of them.
        other: the second.
        importance: ``(leads, height, width)``, the weights.
    """
    waves = atoms.kernels.shape[0]
    if one[0] < waves and other[0] < waves:
        shift = (one[1] - other[1], one[2] - other[2])
        return product(atoms, (one[0], other[0]), one[1], one[2], shift, importance)
    if one[0] < waves:
        return _met_by_wave(atoms, one, other, importance)
    if other[0] < waves:
        return _met_by_wave(atoms, other, one, importance)
    return _met_waves(atoms, one, other, importance)


@apart
def _met_by_wave(atoms: Atoms, one: Atom, wave: Atom, importance: Floats) -> float:
    """Return the same of a kernel's atom and a cosine."""
    area = extent(atoms, one[0], one[1], one[2], (importance.shape[1], importance.shape[2]))
    if area[1] <= area[0] or area[3] <= area[2]:
        return 0.0
    kernels, tall, wide = atoms.kernels, atoms.tall, atoms.wide
    kernel, y, x = Index(one[0]), Index(wave[1]), Index(wave[2])
    top, left = Index(area[0]), Index(area[2])
    row = Index(area[0] - one[1] + (kernels.shape[2] - 1) // 2)
    column, total = Index(area[2] - one[2] + (kernels.shape[3] - 1) // 2), 0.0
    for i in range(Index(area[1] - area[0])):
        summed = 0.0
        for j in range(Index(area[3] - area[2])):
            weighed = kernels[kernel, 0, row + i, column + j] * importance[0, top + i, left + j]
            summed += weighed * wide[x, left + j]
        total += tall[y, top + i] * summed
    return total


@apart
def _met_waves(atoms: Atoms, one: Atom, other: Atom, importance: Floats) -> float:
    """Return the same of two cosines."""
    tall, wide, total = atoms.tall, atoms.wide, 0.0
    y, x, its_y, its_x = Index(one[1]), Index(one[2]), Index(other[1]), Index(other[2])
    for i in range(Index(importance.shape[1])):
        summed = 0.0
        for j in range(Index(importance.shape[2])):
            summed += wide[x, j] * wide[its_x, j] * importance[0, i, j]
        total += tall[y, i] * tall[its_y, i] * summed
    return total

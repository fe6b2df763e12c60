"""Norms of atoms, of which the border of an image and missing samples take a part."""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import lent
from sans.convolution import loops as convolution
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, Part, inside

LEAST_INSIDE = 1e-3
"""The share of a kernel's energy that an atom has at least: less would want huge amplitudes."""


def norms(atoms: Atoms, space: tuple[int, int]) -> Floats:
    """Return 1 / norm of every atom on an image, cosines included, as `scales` does.

    Args:
        atoms: the kernels, and what of the image is missing.
        space: rows and columns of the image.
    """
    found = scales(atoms.kernels, atoms.edges, space)
    present = 1.0 - atoms.missing if atoms.missing.size else np.empty((0, *space))
    if len(present):
        energies = (atoms.kernels**2).sum((1, 2, 3))
        left = similarity(present[None], atoms.kernels**2, atoms.edges)[0]
        lost = similarity(1 - present[None], atoms.kernels**2, atoms.edges)[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            enough = left > LEAST_INSIDE * energies[:, None, None]
            found = np.where(lost > 0, np.where(enough, 1 / np.sqrt(left), 0.0), found)
    if not atoms.wide.size:
        return found
    waves = np.ones(space)
    if len(present):
        waves = atoms.tall**2 @ present[0] @ (atoms.wide**2).T
        waves = np.where(waves > LEAST_INSIDE, 1 / np.sqrt(np.maximum(waves, LEAST_INSIDE)), 0.0)
    return np.concatenate((found, waves[None]))


def similarity(images: Floats, kernels: Floats, edges: Integers) -> Floats:
    """Return the similarity of images with every kernel, ``(batch, kernels, height, width)``.

    Args:
        images: ``(batch, leads, height, width)``.
        kernels: as in `Atoms`.
        edges: as in `Atoms`.
    """
    sizes = np.ascontiguousarray(edges[:, 3] - edges[:, 2])
    maps = convolution.correlate(images[:, :1], kernels[:, 0], sizes)
    for lead in range(1, images.shape[1]):
        maps += convolution.correlate(images[:, lead, None], kernels[:, lead], sizes)
    return maps


def scales(kernels: Floats, edges: Integers, space: tuple[int, int]) -> Floats:
    """Return 1 / norm of every atom on images of so many rows and columns.

    Args:
        kernels: as in `Atoms`.
        edges: as in `Atoms`.
        space: rows and columns.

    Returns:
        ``(kernels, height, width)``; 0 where hardly anything of the kernel is inside.
    """
    found = np.zeros((len(kernels), *space))
    _write_scales(kernels, edges, found)
    return found


@lent
def _write_scales(kernels: Floats, edges: Integers, found: Floats) -> None:
    """Write 1 / norm of every atom where it is inside, into zeros."""
    count, height, width = found.shape
    for k in range(count):
        own = (edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3])
        whole = _energy(kernels[k], own)
        for y in range(height):
            for x in range(width):
                here = inside(edges[k], kernels[k], y, x, height, width)
                energy = whole if here == own else _energy(kernels[k], here)
                if energy > LEAST_INSIDE * whole:
                    found[k, y, x] = 1 / np.sqrt(energy)


@lent
def _energy(kernel: Floats, part: Part) -> float:
    """Return the sum of squares of some rows and columns of a kernel."""
    total = 0.0
    for lead in range(kernel.shape[0]):
        for i in range(part[0], part[1]):
            for j in range(part[2], part[3]):
                total += kernel[lead, i, j] * kernel[lead, i, j]
    return total

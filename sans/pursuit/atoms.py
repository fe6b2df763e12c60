"""Kernels as a pursuit lays them on an image: at any place, clipped at the border.

An atom is a kernel drawn at one place, without what falls beyond the border. A signal is an image
of height 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, fused, reordered
from sans.convolution.frames import Floats, Integers, as_images, own_weights

LEAST_INSIDE = 1e-3
"""The share of a kernel's energy that an atom has at least: less would want huge amplitudes."""


Index = np.uint64
"""An index that cannot count from the end: loops over it are several times as fast, and short rows
need no slices, which would take longer to make than to add."""


class Atoms(NamedTuple):
    """Kernels, and what a pursuit must know of them wherever they lie."""

    kernels: Floats
    """``(kernels, height, width)``, origins aligned, zero beyond the size of each."""

    products: Floats
    """``(kernels, kernels, 2 height - 1, 2 width - 1)``: what the first, drawn in the middle, adds
    to the similarity with the second there and around."""


def atoms_of(kernels: Sequence[NDArray[Any]]) -> tuple[Atoms, Integers]:
    """Return kernels ``(size,)`` or ``(size, size)`` as atoms, and the size of each."""
    aligned = align(kernels)
    sizes = np.array([len(kernel) for kernel in kernels], np.int64)
    return _atoms_of(as_images(aligned, aligned.ndim - 1)), sizes


@compiled
def _atoms_of(kernels: Floats) -> Atoms:
    """Return aligned kernels ``(kernels, height, width)`` as atoms."""
    count, rows, columns = kernels.shape
    products = np.empty((count, count, 2 * rows - 1, 2 * columns - 1))
    for k in range(count):  # in the middle of an image that clips nothing
        clipped_products(kernels, k, rows, columns, 3 * rows, 3 * columns, products[k])
    return Atoms(kernels, products)


def align(kernels: Sequence[NDArray[Any]]) -> Floats:
    """Return kernels of any sizes as one float64 array ``(kernels, *side)``, origins aligned."""
    side = max(len(kernel) for kernel in kernels)
    aligned = np.zeros((len(kernels), *[side] * kernels[0].ndim))
    for kernel, room in zip(kernels, aligned, strict=True):
        before = (side - 1) // 2 - (len(kernel) - 1) // 2
        room[(slice(before, before + len(kernel)),) * kernel.ndim] = kernel
    return aligned


def scales(kernels: Floats, sizes: Integers, space: tuple[int, ...]) -> Floats:
    """Return 1 / norm of every atom on images of shape ``(*space)``.

    Args:
        kernels: ``(kernels, *side)``, origins aligned.
        sizes: samples along a side of each kernel, ``(kernels,)``.
        space: samples along each dimension.

    Returns:
        ``(kernels, height, width)``; 0 where hardly anything of the kernel is inside.
    """
    found = np.zeros((len(kernels), *(1, *space)[-2:]))
    _write_scales(as_images(kernels, len(space)), sizes, found)
    return found


@compiled
def _write_scales(kernels: Floats, sizes: Integers, found: Floats) -> None:
    """Write 1 / norm of every atom where it is inside, into zeros."""
    count, height, width = found.shape
    for k in range(count):
        above, before, rows, columns = own_weights(kernels[k], sizes[k])
        own = kernels[k, above : above + rows, before : before + columns]
        whole = _energy(own, (0, rows), (0, columns))
        for y in range(height):
            top, bottom = clip(rows, y, height)
            for x in range(width):
                left, right = clip(columns, x, width)
                energy = whole
                if bottom - top < rows or right - left < columns:
                    energy = _energy(own, (top, bottom), (left, right))
                if energy > LEAST_INSIDE * whole:
                    found[k, y, x] = 1 / np.sqrt(energy)


@compiled
def _energy(kernel: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """Return the sum of squares of a part of a kernel."""
    total = 0.0
    for i in range(rows[0], rows[1]):
        for j in range(columns[0], columns[1]):
            total += kernel[i, j] * kernel[i, j]
    return total


@compiled
def clip(side: int, place: int, length: int) -> tuple[int, int]:
    """Return the first and behind the last sample of a kernel that lie inside, along one axis."""
    origin = (side - 1) // 2
    return max(0, origin - place), min(side, length - place + origin)


@compiled
def is_whole(side: tuple[int, int], y: int, x: int, space: tuple[int, int]) -> bool:
    """Return whether the border of an image clips nothing of an atom at a place.

    Args:
        side: rows and columns of the kernels.
        y: row of the place.
        x: column of the place.
        space: rows and columns of the image.
    """
    top, bottom = clip(side[0], y, space[0])
    left, right = clip(side[1], x, space[1])
    return bottom - top == side[0] and right - left == side[1]


@fused
def draw(kernel: Floats, amplitude: float, y: int, x: int, image: Floats) -> None:
    """Add an atom, `amplitude` times, to an image ``(height, width)``."""
    top, bottom = clip(kernel.shape[0], y, image.shape[0])
    left, right = clip(kernel.shape[1], x, image.shape[1])
    row, column = Index(top), Index(left)
    above = Index(y - (kernel.shape[0] - 1) // 2 + top)
    before = Index(x - (kernel.shape[1] - 1) // 2 + left)
    for i in range(Index(bottom - top)):
        for j in range(Index(right - left)):
            image[above + i, before + j] += amplitude * kernel[row + i, column + j]


@reordered
def view(kernel: Floats, y: int, x: int, image: Floats) -> float:
    """Return the inner product of an atom with an image ``(height, width)``."""
    top, bottom = clip(kernel.shape[0], y, image.shape[0])
    left, right = clip(kernel.shape[1], x, image.shape[1])
    row, column = Index(top), Index(left)
    above = Index(y - (kernel.shape[0] - 1) // 2 + top)
    before = Index(x - (kernel.shape[1] - 1) // 2 + left)
    total = 0.0
    for i in range(Index(bottom - top)):
        for j in range(Index(right - left)):
            total += image[above + i, before + j] * kernel[row + i, column + j]
    return total


@compiled
def clipped_products(
    kernels: Floats, drawn: int, y: int, x: int, height: int, width: int, products: Floats
) -> None:
    """Write what an atom at a place, clipped by the border, adds to the similarity around it.

    Args:
        kernels: ``(kernels, height, width)``.
        drawn: which of them is drawn.
        y: row of its origin.
        x: column of its origin.
        height: rows of the image.
        width: columns of the image.
        products: ``(kernels, 2 height - 1, 2 width - 1)`` of the kernels, written.
    """
    rows, columns = kernels.shape[1:]
    top, bottom = clip(rows, y, height)
    left, right = clip(columns, x, width)
    for k in range(kernels.shape[0]):
        for i in range(2 * rows - 1):
            for j in range(2 * columns - 1):
                down, across = i - rows + 1, j - columns + 1
                above, below = max(top, down), min(bottom, rows + down)
                before, behind = max(left, across), min(right, columns + across)
                part = (above, below, before, behind)
                products[k, i, j] = shifted_product(kernels[drawn], kernels[k], down, across, part)


@reordered
def shifted_product(
    kernel: Floats, other: Floats, down: int, across: int, part: tuple[int, int, int, int]
) -> float:
    """Return the inner product of a part of a kernel with another one, shifted.

    Args:
        kernel: ``(height, width)``.
        other: the same.
        down: how many rows the other lies below it.
        across: how many columns the other lies behind it.
        part: rows, and columns, of the first that lie on the second: first, behind the last.
    """
    above, below, before, behind = part
    total = 0.0
    if above < below and before < behind:
        row, column = Index(above), Index(before)
        its_row, its_column = Index(above - down), Index(before - across)
        for i in range(Index(below - above)):
            for j in range(Index(behind - before)):
                total += kernel[row + i, column + j] * other[its_row + i, its_column + j]
    return total


@fused
def subtract_products(
    products: Floats, drawn: int, amplitude: float, y: int, x: int, maps: Floats
) -> None:
    """Take what an atom adds around it, `amplitude` times, out of maps of similarity.

    Args:
        products: ``(atoms, kernels, 2 height - 1, 2 width - 1)`` of the kernels.
        drawn: which of the atoms is drawn.
        amplitude: how strongly.
        y: row of its origin.
        x: column of its origin.
        maps: ``(kernels, height, width)``, changed.
    """
    below, beside = products.shape[2] // 2, products.shape[3] // 2
    top, bottom = max(0, y - below), min(maps.shape[1], y + below + 1)
    left, right = max(0, x - beside), min(maps.shape[2], x + beside + 1)
    atom, row, column = Index(drawn), Index(top), Index(left)
    above, before = Index(top - y + below), Index(left - x + beside)
    for k in range(Index(maps.shape[0])):
        for i in range(Index(bottom - top)):
            for j in range(Index(right - left)):
                taken = amplitude * products[atom, k, above + i, before + j]
                maps[k, row + i, column + j] -= taken


@compiled
def draw_all(
    images: Floats,
    kernels: Floats,
    signal: Integers,
    kernel: Integers,
    y: Integers,
    x: Integers,
    amplitude: Floats,
) -> None:
    """Add spikes to images ``(signals, height, width)``; the other arrays are ``(spikes,)``."""
    for i in range(signal.size):
        draw(kernels[kernel[i]], amplitude[i], y[i], x[i], images[signal[i]])

"""Kernels as a pursuit lays them on an image: at any place, clipped at the border.

An atom is a kernel drawn at one place, without what falls beyond the border. A signal is an image
of height 1, and an image has one lead or several: ``(leads, height, width)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, fused, inlined, lent, reordered
from sans.convolution.frames import Floats, Integers, as_images
from sans.pursuit.dictionary import Dictionary

LEAST_INSIDE = 1e-3
"""The share of a kernel's energy that an atom has at least: less would want huge amplitudes."""


Index = np.uint64
"""An index that cannot count from the end: loops over it are several times as fast, and short rows
need no slices, which would take longer to make than to add."""

Part: TypeAlias = "tuple[int, int, int, int]"
"""First and behind the last row, first and behind the last column."""


class Atoms(NamedTuple):
    """Kernels, and what a pursuit must know of them wherever they lie."""

    kernels: Floats
    """``(kernels, leads, height, width)``, origins aligned, zero beyond the edges of each."""

    edges: Integers
    """``(kernels, 4)``: the first and behind the last row, and column, that each kernel has."""

    products: Floats
    """``(kernels, kernels, 2 height - 1, 2 width - 1)``: what the first, drawn in the middle, adds
    to the similarity with the second there and around."""


def atoms_of(kernels: Sequence[NDArray[Any]] | Dictionary) -> Atoms:
    """Return a dictionary, or kernels ``(size,)`` or ``(size, size)``, as atoms."""
    return _atoms_of(*laid(kernels))


def drawable(kernels: Sequence[NDArray[Any]] | Dictionary) -> Atoms:
    """Return the same without products, which takes next to no time: enough for `draw`."""
    return Atoms(*laid(kernels), np.empty((0, 0, 0, 0)))


def laid(kernels: Sequence[NDArray[Any]] | Dictionary) -> tuple[Floats, Integers]:
    """Return the kernels and the edges of `Atoms`."""
    if not isinstance(kernels, Dictionary):
        kernels = Dictionary.of(kernels, kernels[0].ndim)
    sizes = kernels.sizes
    rows, columns = (1 if kernels.dimensions == 1 else kernels.longest), kernels.longest
    aligned = np.zeros((len(sizes), kernels.leads, rows, columns))
    edges = np.empty((len(sizes), 4), np.int64)
    for number, (kernel, size) in enumerate(zip(kernels.kernels, sizes, strict=True)):
        begin = (columns - 1) // 2 - (size - 1) // 2
        edges[number] = (0, 1, begin, begin + size)
        if kernels.dimensions == 2:
            edges[number, :2] = edges[number, 2:]
        top, bottom, left, right = edges[number]
        aligned[number, :, top:bottom, left:right] = as_images(kernel, kernels.dimensions)
    return aligned, edges


@compiled
def _atoms_of(kernels: Floats, edges: Integers) -> Atoms:
    """Return aligned kernels ``(kernels, leads, height, width)`` as atoms."""
    count, _, rows, columns = kernels.shape
    products = np.empty((count, count, 2 * rows - 1, 2 * columns - 1))
    atoms = Atoms(kernels, edges, products)
    for k in range(count):  # in the middle of an image that clips nothing
        clipped_products(atoms, k, rows, columns, (3 * rows, 3 * columns), products[k])
    return atoms


def align(kernels: Sequence[NDArray[Any]]) -> Floats:
    """Return kernels of any sizes as one float64 array ``(kernels, *side)``, origins aligned."""
    side = max(len(kernel) for kernel in kernels)
    aligned = np.zeros((len(kernels), *[side] * kernels[0].ndim))
    for kernel, room in zip(kernels, aligned, strict=True):
        before = (side - 1) // 2 - (len(kernel) - 1) // 2
        room[(slice(before, before + len(kernel)),) * kernel.ndim] = kernel
    return aligned


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


@compiled
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


@compiled
def _energy(kernel: Floats, part: Part) -> float:
    """Return the sum of squares of some rows and columns of a kernel."""
    total = 0.0
    for lead in range(kernel.shape[0]):
        for i in range(part[0], part[1]):
            for j in range(part[2], part[3]):
                total += kernel[lead, i, j] * kernel[lead, i, j]
    return total


@lent
def inside(edges: Integers, kernel: Floats, y: int, x: int, height: int, width: int) -> Part:
    """Return the first and behind the last row, and column, of a kernel that lie on an image.

    Args:
        edges: those of the kernel, ``(4,)``.
        kernel: ``(leads, rows, columns)``.
        y: row of the place.
        x: column of the place.
        height: rows of the image.
        width: its columns.
    """
    above, before = y - (kernel.shape[1] - 1) // 2, x - (kernel.shape[2] - 1) // 2
    top, bottom = max(edges[0], -above), min(edges[1], height - above)
    left, right = max(edges[2], -before), min(edges[3], width - before)
    return top, bottom, left, right


@lent
def is_whole(atoms: Atoms, kernel: int, y: int, x: int, space: tuple[int, int]) -> bool:
    """Return whether the border of an image clips nothing of an atom at a place.

    Args:
        atoms: the kernels.
        kernel: which of them.
        y: row of the place.
        x: column of the place.
        space: rows and columns of the image.
    """
    edges = atoms.edges[kernel]
    here = inside(edges, atoms.kernels[kernel], y, x, space[0], space[1])
    return here == (edges[0], edges[1], edges[2], edges[3])


@lent
def extent(atoms: Atoms, kernel: int, y: int, x: int, space: tuple[int, int]) -> Part:
    """Return the first and behind the last row, and column, of an image that an atom draws on.

    The arguments are those of `is_whole`.
    """
    weights = atoms.kernels[kernel]
    top, bottom, left, right = inside(atoms.edges[kernel], weights, y, x, space[0], space[1])
    above, before = y - (weights.shape[1] - 1) // 2, x - (weights.shape[2] - 1) // 2
    return above + top, above + bottom, before + left, before + right


@lent
def meet(atoms: Atoms, one: int, other: int, down: int, across: int) -> bool:
    """Return whether two kernels have samples in common.

    Args:
        atoms: the kernels.
        one: the first of them.
        other: the second.
        down: how many rows the first lies below the second.
        across: how many columns it lies behind it.
    """
    own, its = atoms.edges[one], atoms.edges[other]
    return bool(
        down < its[1] - own[0]
        and -down < own[1] - its[0]
        and across < its[3] - own[2]
        and -across < own[3] - its[2]
    )


@lent
def draw(atoms: Atoms, kernel: int, amplitude: float, y: int, x: int, image: Floats) -> None:
    """Add an atom, `amplitude` times, to an image ``(leads, height, width)``."""
    draw_kernel(atoms.kernels[kernel], atoms.edges[kernel], amplitude, y, x, image)


@fused
def draw_kernel(
    kernel: Floats, edges: Integers, amplitude: float, y: int, x: int, image: Floats
) -> None:
    """Add a kernel ``(leads, rows, columns)`` with its edges, `amplitude` times, to an image."""
    top, bottom, left, right = inside(edges, kernel, y, x, image.shape[1], image.shape[2])
    if bottom <= top or right <= left:
        return
    row, column = Index(top), Index(left)
    above = Index(y - (kernel.shape[1] - 1) // 2 + top)
    before = Index(x - (kernel.shape[2] - 1) // 2 + left)
    for lead in range(Index(image.shape[0])):
        for i in range(Index(bottom - top)):
            for j in range(Index(right - left)):
                image[lead, above + i, before + j] += amplitude * kernel[lead, row + i, column + j]


@lent
def view(atoms: Atoms, kernel: int, y: int, x: int, image: Floats) -> float:
    """Return the inner product of an atom with an image ``(leads, height, width)``."""
    return _view_kernel(atoms.kernels[kernel], atoms.edges[kernel], y, x, image)


@reordered
def _view_kernel(kernel: Floats, edges: Integers, y: int, x: int, image: Floats) -> float:
    top, bottom, left, right = inside(edges, kernel, y, x, image.shape[1], image.shape[2])
    total = 0.0
    if bottom <= top or right <= left:
        return total
    row, column = Index(top), Index(left)
    above = Index(y - (kernel.shape[1] - 1) // 2 + top)
    before = Index(x - (kernel.shape[2] - 1) // 2 + left)
    for lead in range(Index(image.shape[0])):
        for i in range(Index(bottom - top)):
            for j in range(Index(right - left)):
                total += image[lead, above + i, before + j] * kernel[lead, row + i, column + j]
    return total


@compiled
def clipped_products(
    atoms: Atoms, drawn: int, y: int, x: int, space: tuple[int, int], products: Floats
) -> None:
    """Write what an atom at a place, clipped by the border, adds to the similarity around it.

    Args:
        atoms: the kernels; of their products none is read.
        drawn: which of them is drawn.
        y: row of its origin.
        x: column of its origin.
        space: rows and columns of the image.
        products: ``(kernels, 2 height - 1, 2 width - 1)`` of the kernels, written.
    """
    kernels, edges = atoms.kernels, atoms.edges
    count, _, rows, columns = kernels.shape
    top, bottom, left, right = inside(edges[drawn], kernels[drawn], y, x, space[0], space[1])
    for k in range(count):
        for i in range(2 * rows - 1):
            down = i - rows + 1
            above, below = max(top, edges[k, 0] + down), min(bottom, edges[k, 1] + down)
            for j in range(2 * columns - 1):
                across = j - columns + 1
                before, behind = max(left, edges[k, 2] + across), min(right, edges[k, 3] + across)
                part = (above, below, before, behind)
                products[k, i, j] = shifted_product(kernels[drawn], kernels[k], down, across, part)


@reordered
def shifted_product(kernel: Floats, other: Floats, down: int, across: int, part: Part) -> float:
    """Return the inner product of a part of a kernel with another one, shifted.

    Args:
        kernel: ``(leads, height, width)``.
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
        for lead in range(Index(kernel.shape[0])):
            for i in range(Index(below - above)):
                for j in range(Index(behind - before)):
                    met = kernel[lead, row + i, column + j]
                    total += met * other[lead, its_row + i, its_column + j]
    return total


@fused
def subtract_products(
    products: Floats, edges: Integers, drawn: int, amplitude: float, y: int, x: int, maps: Floats
) -> None:
    """Take what an atom adds around it, `amplitude` times, out of maps of similarity.

    Only what its kernel can meet of another is looked at.

    Args:
        products: ``(kernels, 2 height - 1, 2 width - 1)`` of the kernels: those of the atom.
        edges: as in `Atoms`.
        drawn: the kernel of the atom.
        amplitude: how strongly.
        y: row of its origin.
        x: column of its origin.
        maps: ``(kernels, height, width)``, changed.
    """
    below, beside = products.shape[1] // 2, products.shape[2] // 2
    height, width = maps.shape[1], maps.shape[2]
    for k in range(edges.shape[0]):
        top, bottom = edges[drawn, 0] - edges[k, 1] + 1, edges[drawn, 1] - edges[k, 0]
        left, right = edges[drawn, 2] - edges[k, 3] + 1, edges[drawn, 3] - edges[k, 2]
        top, bottom = max(top, -y), min(bottom, height - y)
        left, right = max(left, -x), min(right, width - x)
        if bottom > top and right > left:
            own, row, column = Index(k), Index(y + top), Index(x + left)
            above, before = Index(top + below), Index(left + beside)
            for i in range(Index(bottom - top)):
                for j in range(Index(right - left)):
                    taken = amplitude * products[own, above + i, before + j]
                    maps[own, row + i, column + j] -= taken


@compiled
def draw_all(
    images: Floats,
    atoms: Atoms,
    signal: Integers,
    kernel: Integers,
    y: Integers,
    x: Integers,
    amplitude: Floats,
) -> None:
    """Add spikes to images ``(signals, leads, height, width)``; what follows is ``(spikes,)``."""
    for i in range(signal.size):
        draw(atoms, kernel[i], amplitude[i], y[i], x[i], images[signal[i]])

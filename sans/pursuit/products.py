"""What atoms add to each other's similarity, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, fused, lent, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, Index, Part, drawable, inside
from sans.pursuit.dictionary import Dictionary


def atoms_of(kernels: Sequence[NDArray[Any]] | Dictionary, space: tuple[int, ...] = ()) -> Atoms:
    """Return a dictionary, or kernels ``(size,)`` or ``(size, size)``, as atoms.

    Args:
        kernels: the kernels.
        space: samples along each dimension of the images; only cosines want to know them.
    """
    if not isinstance(kernels, Dictionary):
        kernels = Dictionary.of(kernels, kernels[0].ndim)
    atoms = drawable(kernels, space)
    return atoms._replace(products=_products(atoms))


@compiled
def _products(atoms: Atoms) -> Floats:
    """Return the products of whole atoms."""
    count, _, rows, columns = atoms.kernels.shape
    products = np.empty((count, count, 2 * rows - 1, 2 * columns - 1))
    for k in range(count):  # in the middle of an image that clips nothing
        clipped_products(atoms, k, rows, columns, (3 * rows, 3 * columns), products[k])
    return products


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
    kernels, edges, own = atoms.kernels, atoms.edges, atoms.kernels[drawn]
    if atoms.missing.size:
        own = _present(own, edges[drawn], y, x, atoms.missing)
    part = inside(edges[drawn], own, y, x, space[0], space[1])
    _write_products(kernels, edges, own, part, products)


@lent
def _write_products(
    kernels: Floats, edges: Integers, own: Floats, part: Part, products: Floats
) -> None:
    """Write the inner products of a part of a kernel with all others, wherever these lie."""
    count, _, rows, columns = kernels.shape
    top, bottom, left, right = part
    for k in range(count):
        for i in range(2 * rows - 1):
            down = i - rows + 1
            above, below = max(top, edges[k, 0] + down), min(bottom, edges[k, 1] + down)
            for j in range(2 * columns - 1):
                across = j - columns + 1
                before, behind = max(left, edges[k, 2] + across), min(right, edges[k, 3] + across)
                both = (above, below, before, behind)
                products[k, i, j] = shifted_product(own, kernels[k], down, across, both)


@compiled
def _present(kernel: Floats, edges: Integers, y: int, x: int, missing: NDArray[np.bool_]) -> Floats:
    """Return a kernel that is 0 where it lies on missing samples."""
    _, height, width = missing.shape
    top, bottom, left, right = inside(edges, kernel, y, x, height, width)
    above, before = y - (kernel.shape[1] - 1) // 2, x - (kernel.shape[2] - 1) // 2
    present = kernel.copy()
    for lead in range(kernel.shape[0]):
        for i in range(top, bottom):
            for j in range(left, right):
                if missing[lead, above + i, before + j]:
                    present[lead, i, j] = 0.0
    return present


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
    products: Floats,
    edges: Integers,
    pair: tuple[int, int],
    amplitude: float,
    y: int,
    x: int,
    maps: Floats,
) -> None:
    """Take what an atom adds around it, `amplitude` times, out of the similarity with a kernel.

    Only what the two kernels have in common is looked at.

    Args:
        products: ``(kernels, 2 height - 1, 2 width - 1)`` of the kernels: those of the atom.
        edges: as in `Atoms`.
        pair: the kernel of the atom, and the one whose similarity it is.
        amplitude: how strongly.
        y: row of its origin.
        x: column of its origin.
        maps: ``(kernels, height, width)``, changed.
    """
    drawn, k = pair
    below, beside = products.shape[1] // 2, products.shape[2] // 2
    height, width = maps.shape[1], maps.shape[2]
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

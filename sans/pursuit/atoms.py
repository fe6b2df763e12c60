"""Kernels as a pursuit lays them on an image: at any place, clipped at the border.

An atom is a kernel drawn at one place, without what falls beyond the border or on a missing sample.
A signal is an image of height 1, and an image has one lead or several: ``(leads, height, width)``.
The kernel behind the last, where there are cosines, is a cosine of the whole image, and its place
is the frequency.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import apart, compiled, fused, lent, reordered
from sans.convolution.frames import Floats, Integers, as_images
from sans.pursuit.cosines import draw_wave, table, view_wave
from sans.pursuit.dictionary import Dictionary

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

    missing: NDArray[np.bool_]
    """``(leads, height, width)`` of the image: which samples are missing; or ``(0, 0, 0)``: none.
    An atom has none of them."""

    tall: Floats
    """The table of cosines of a column of the image, ``(height, height)``; or ``(0, 0)``: none."""

    wide: Floats
    """The table of cosines of a row of the image, ``(width, width)``; or ``(0, 0)``: none."""


def drawable(dictionary: Dictionary, space: tuple[int, ...]) -> Atoms:
    """Return a dictionary as atoms without products: enough to draw.

    Args:
        dictionary: the kernels.
        space: samples along each dimension of the images.
    """
    tall: Floats = np.empty((0, 0))
    wide: Floats = tall
    if dictionary.cosines:
        tall, wide = (table(side) for side in (1, *space)[-2:])
    products = np.empty((0, 0, 0, 0))
    return Atoms(*laid(dictionary), products, np.empty((0, 0, 0), np.bool_), tall, wide)


def laid(dictionary: Dictionary) -> tuple[Floats, Integers]:
    """Return the kernels and the edges of `Atoms`."""
    sizes, dimensions = dictionary.sizes, dictionary.dimensions
    rows, columns = (1 if dimensions == 1 else dictionary.longest), dictionary.longest
    aligned = np.zeros((len(sizes), dictionary.leads, rows, columns))
    edges = np.empty((len(sizes), 4), np.int64)
    for number, (kernel, size) in enumerate(zip(dictionary.kernels, sizes, strict=True)):
        begin = (columns - 1) // 2 - (size - 1) // 2
        edges[number] = (0, 1, begin, begin + size)
        if dimensions == 2:
            edges[number, :2] = edges[number, 2:]
        top, bottom, left, right = edges[number]
        aligned[number, :, top:bottom, left:right] = as_images(kernel, dimensions)
    return aligned, edges


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
    """Return whether an atom at a place has all samples of its kernel.

    Args:
        atoms: the kernels.
        kernel: which of them.
        y: row of the place.
        x: column of the place.
        space: rows and columns of the image.
    """
    if kernel >= atoms.kernels.shape[0]:
        return True
    edges = atoms.edges[kernel]
    here = inside(edges, atoms.kernels[kernel], y, x, space[0], space[1])
    if atoms.missing.size and _is_missing_in(atoms.missing, extent(atoms, kernel, y, x, space)):
        return False
    return here == (edges[0], edges[1], edges[2], edges[3])


@apart
def _is_missing_in(missing: NDArray[np.bool_], part: Part) -> bool:
    """Return whether any sample is missing in some rows and columns of an image."""
    for lead in range(missing.shape[0]):
        for i in range(part[0], part[1]):
            for j in range(part[2], part[3]):
                if missing[lead, i, j]:
                    return True
    return False


@lent
def extent(atoms: Atoms, kernel: int, y: int, x: int, space: tuple[int, int]) -> Part:
    """Return the first and behind the last row, and column, of an image that an atom draws on.

    The arguments are those of `is_whole`.
    """
    if kernel >= atoms.kernels.shape[0]:
        return 0, space[0], 0, space[1]
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
    if max(one, other) >= atoms.kernels.shape[0]:
        return True
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
    if kernel < atoms.kernels.shape[0]:
        draw_kernel(atoms.kernels[kernel], atoms.edges[kernel], amplitude, y, x, image)
    else:
        draw_wave(atoms.tall, atoms.wide, amplitude, y, x, image)
    if atoms.missing.size:
        space = (image.shape[1], image.shape[2])
        hide_in(atoms.missing, extent(atoms, kernel, y, x, space), image)


@apart
def hide_in(missing: NDArray[np.bool_], part: Part, image: Floats) -> None:
    """Write 0 where samples in some rows and columns of an image are missing."""
    for lead in range(image.shape[0]):
        for i in range(part[0], part[1]):
            for j in range(part[2], part[3]):
                if missing[lead, i, j]:
                    image[lead, i, j] = 0.0


@lent
def count_present(missing: NDArray[np.bool_], image: Floats) -> int:
    """Return how many samples of an image are not missing."""
    count = image.size
    for lead in range(missing.shape[0]):
        for y in range(missing.shape[1]):
            for x in range(missing.shape[2]):
                count -= missing[lead, y, x]
    return count


@compiled
def within(atoms: Atoms, part: Part) -> Atoms:
    """Return the atoms of a part of an image; of all of it, where there are cosines.

    Args:
        atoms: those of the image.
        part: its rows and columns.
    """
    missing = atoms.missing
    if missing.size:
        leads, rows, columns = missing.shape[0], part[1] - part[0], part[3] - part[2]
        missing = np.empty((leads, rows, columns), np.bool_)
        _cut_out(atoms.missing, part, missing)
    return Atoms(atoms.kernels, atoms.edges, atoms.products, missing, atoms.tall, atoms.wide)


@apart
def _cut_out(missing: NDArray[np.bool_], part: Part, target: NDArray[np.bool_]) -> None:
    for lead in range(target.shape[0]):
        for i in range(target.shape[1]):
            for j in range(target.shape[2]):
                target[lead, i, j] = missing[lead, part[0] + i, part[2] + j]


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
    """Return the inner product of an atom with an image, which is 0 where samples are missing."""
    if kernel >= atoms.kernels.shape[0]:
        return view_wave(atoms.tall, atoms.wide, y, x, image)
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

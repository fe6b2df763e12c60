"""The normal equations of a change of all weights of kernels, in compiled loops."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled
from sans.convolution.frames import Floats, Integers
from sans.pursuit.absolute import weigh
from sans.pursuit.atoms import Atoms, draw_kernel, inside
from sans.pursuit.loops import SpikeArrays, neighbours, part

Flags: TypeAlias = "NDArray[np.bool_]"
"""Which samples are missing, ``(signals, leads, height, width)``; no signals: none is."""


@compiled
def add_all_equations(
    residuals: Floats,
    missing: Flags,
    sizes: Floats,
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    atoms: Atoms,
    taps: Integers,
    importance: Floats,
    matrix: Floats,
    met: Floats,
) -> None:
    """Add all images to the normal equations of a change of all weights.

    Args:
        residuals: ``(batch, leads, height, width)``: what the spikes leave, 0 of what is missing.
        missing: which samples are.
        sizes: ``(batch,)``: every image counts by 1 over its own.
        spikes: those of all images.
        begins: where those of each image begin, ``(batch,)``.
        counts: how many each has, ``(batch,)``.
        atoms: the kernels.
        taps: as for `_add_equations`; the others, too.
        importance: room.
        matrix: added to.
        met: added to.
    """
    for b in range(counts.size):
        weigh(residuals[b], missing[b] if missing.size else atoms.missing, importance)
        importance /= sizes[b]
        own = part(spikes, begins[b], begins[b] + counts[b])
        _add_equations(residuals[b], own, atoms, taps, importance, matrix, met)


@compiled
def _add_equations(
    residual: Floats,
    spikes: SpikeArrays,
    atoms: Atoms,
    taps: Integers,
    importance: Floats,
    matrix: Floats,
    met: Floats,
) -> None:
    """Add one image to the normal equations; of the matrix the lower half.

    Args:
        residual: ``(leads, height, width)``: what the spikes leave.
        spikes: the spikes of the image.
        atoms: the kernels.
        taps: ``(kernels, leads, height, width)``: which weight a tap is, -1: none.
        importance: ``(leads, height, width)``: the weight of every sample.
        matrix: ``(weights, weights)``, added to.
        met: ``(weights,)``, added to.
    """
    first = neighbours(spikes, spikes.x.size, atoms)
    for i in range(spikes.x.size):
        for j in range(first[i], i + 1):
            _couple(spikes, i, j, atoms, taps, residual, importance, matrix, met)


@compiled
def _couple(
    spikes: SpikeArrays,
    i: int,
    j: int,
    atoms: Atoms,
    taps: Integers,
    residual: Floats,
    importance: Floats,
    matrix: Floats,
    met: Floats,
) -> None:
    """Add what the atoms of two spikes share, or, where they are one, what it meets."""
    edges = atoms.edges[spikes.kernel[j]]
    one, other = taps[spikes.kernel[i]], taps[spikes.kernel[j]]
    leads, height, width = residual.shape
    y, x = spikes.y[i], spikes.x[i]
    top, bottom, left, right = inside(atoms.edges[spikes.kernel[i]], one, y, x, height, width)
    down, across = y - spikes.y[j], x - spikes.x[j]
    top, bottom = max(top, edges[0] - down), min(bottom, edges[1] - down)
    left, right = max(left, edges[2] - across), min(right, edges[3] - across)
    above, before = y - (one.shape[1] - 1) // 2, x - (one.shape[2] - 1) // 2
    both = spikes.amplitude[i] * spikes.amplitude[j]
    for lead in range(leads):
        for row in range(top, bottom):
            for column in range(left, right):
                a, b = one[lead, row, column], other[lead, row + down, column + across]
                if a >= 0 and b >= 0:
                    weight = importance[lead, above + row, before + column]
                    if i == j:
                        met[a] += (
                            spikes.amplitude[i]
                            * weight
                            * residual[lead, above + row, before + column]
                        )
                        matrix[a, a] += both * weight
                    else:  # i with j, and j with i
                        matrix[max(a, b), min(a, b)] += both * weight * (2 if a == b else 1)


@compiled
def take_out(
    residuals: Floats,
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    atoms: Atoms,
    taps: Integers,
    change: Floats,
) -> None:
    """Take out of the residuals what a change of all weights draws."""
    drawn = np.zeros(taps.shape)
    flat, numbers = drawn.ravel(), taps.ravel()
    for i in range(numbers.size):
        if numbers[i] >= 0:
            flat[i] = change[numbers[i]]
    for b in range(counts.size):
        for i in range(begins[b], begins[b] + counts[b]):
            kernel, edges = drawn[spikes.kernel[i]], atoms.edges[spikes.kernel[i]]
            draw_kernel(kernel, edges, -spikes.amplitude[i], spikes.y[i], spikes.x[i], residuals[b])

"""Inner products of cosines with all other atoms, for the normal equations of their amplitudes."""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import compiled
from sans.convolution.frames import Floats
from sans.pursuit.atoms import Atoms, draw, view
from sans.pursuit.least_squares import Envelope
from sans.pursuit.loops import SpikeArrays


@compiled
def couple_waves(
    spikes: SpikeArrays, matrix: Envelope, atoms: Atoms, importance: Floats, weighed: bool
) -> None:
    """Write the rows and columns of cosines of a matrix of inner products.

    Args:
        spikes: the spikes, in the order of their places.
        matrix: of all of them, of which the other entries are written elsewhere.
        atoms: the kernels.
        importance: ``(leads, height, width)``: the weight of every sample.
        weighed: False: every sample has the weight 1, and `importance` tells its shape only.
    """
    if atoms.wide.size == 0:
        return
    count, orthogonal = atoms.kernels.shape[0], not weighed and atoms.missing.size == 0
    canvas, (first, begin, entries) = np.empty_like(importance), matrix
    for i in range(first.size):
        if spikes.kernel[i] >= count:
            canvas[:] = 0.0
            draw(atoms, spikes.kernel[i], 1.0, spikes.y[i], spikes.x[i], canvas)
            if weighed:
                canvas *= importance
            for j in range(first.size):
                wave = spikes.kernel[j] >= count
                if wave and j > i:  # comes when it is its turn
                    continue
                met = 1.0 if i == j else 0.0
                if not (wave and orthogonal):
                    met = view(atoms, spikes.kernel[j], spikes.y[j], spikes.x[j], canvas)
                row, column = max(i, j), min(i, j)
                entries[begin[row] + column - first[row]] = met

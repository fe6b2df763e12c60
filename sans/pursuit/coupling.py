"""Inner products of cosines with all other atoms, for the normal equations of their amplitudes."""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import apart, compiled
from sans.convolution.frames import Floats
from sans.pursuit.areas import fill_in, multiply_in
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
    _couple(spikes, matrix, atoms, importance, weighed, np.empty_like(importance))


@apart
def _couple(
    spikes: SpikeArrays,
    matrix: Envelope,
    atoms: Atoms,
    importance: Floats,
    weighed: bool,
    canvas: Floats,
) -> None:
    count, orthogonal = atoms.kernels.shape[0], not weighed and atoms.missing.size == 0
    first, begin, entries = matrix
    whole = (0, canvas.shape[1], 0, canvas.shape[2])
    for i in range(first.size):
        if spikes.kernel[i] >= count:
            fill_in(whole, 0.0, canvas)
            draw(atoms, spikes.kernel[i], 1.0, spikes.y[i], spikes.x[i], canvas)
            if weighed:
                multiply_in(whole, canvas, importance, canvas)
            for j in range(first.size):
                wave = spikes.kernel[j] >= count
                if wave and j > i:  # comes when it is its turn
                    continue
                met = 1.0 if i == j else 0.0
                if not (wave and orthogonal):
                    met = view(atoms, spikes.kernel[j], spikes.y[j], spikes.x[j], canvas)
                row, column = max(i, j), min(i, j)
                entries[begin[row] + column - first[row]] = met

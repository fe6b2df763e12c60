"""Amplitudes that minimise the sum of absolute errors, which is the error that φ counts.

Least squares again and again, each sample weighted by 1 over what was left of it: iteratively
reweighted least squares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, lent, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.areas import multiply_in, weigh_in
from sans.pursuit.atoms import Atoms, Index, Part, count_present, inside, meet, view
from sans.pursuit.coupling import couple_waves
from sans.pursuit.least_squares import Envelope, envelope, solve
from sans.pursuit.loops import SpikeArrays, absolute, change_all, neighbours, part, write

ROUNDS = 12
"""More lower φ by less than 0.0005 on real signals."""

SMALL = 0.01
"""Errors below this share of their mean weigh no more: they would outweigh everything."""


@compiled
def refit_absolute(
    spikes: SpikeArrays, count: int, atoms: Atoms, residual: Floats, rounds: int
) -> None:
    """Change the amplitudes of spikes towards the least sum of absolute errors.

    Args:
        spikes: the spikes, changed; of the rounds' amplitudes the best are kept.
        count: how many there are.
        atoms: the kernels.
        residual: ``(leads, height, width)``, the image without what the spikes draw; changed.
        rounds: how often to solve.
    """
    _refit(spikes, count, atoms, residual, rounds, envelope(neighbours(spikes, count, atoms)))


@compiled
def refit_group(
    spikes: SpikeArrays, count: int, atoms: Atoms, residual: Floats, rounds: int
) -> float:
    """Do the same for spikes in any order; return the sum of absolute errors."""
    return _refit(spikes, count, atoms, residual, rounds, envelope(np.zeros(count, np.int64)))


@compiled
def _refit(
    spikes: SpikeArrays, count: int, atoms: Atoms, residual: Floats, rounds: int, matrix: Envelope
) -> float:
    """Do the same for spikes whose matrix has an envelope; return the sum of absolute errors."""
    best, lowest, change = np.empty(count), absolute(residual), np.empty(count)
    left, importance = np.empty_like(residual), np.empty_like(residual)
    weighed, whole = np.empty_like(residual), (0, residual.shape[1], 0, residual.shape[2])
    write(residual, left)
    for i in range(count):
        best[i] = spikes.amplitude[i]
    for _ in range(rounds):
        weigh(left, atoms.missing, importance)
        multiply_in(whole, left, importance, weighed)
        _write_equations(spikes, atoms, weighed, importance, matrix, change)
        couple_waves(spikes, matrix, atoms, importance, True)
        solve(matrix, change)
        change_all(spikes, change, atoms, left)
        total = absolute(left)
        if total < lowest:
            lowest = total
            write(left, residual)
            for i in range(count):
                best[i] = spikes.amplitude[i]
    for i in range(count):
        spikes.amplitude[i] = best[i]
    return lowest


@lent
def weigh(residual: Floats, missing: NDArray[np.bool_], importance: Floats) -> None:
    """Write the weight of every sample: 1 over the magnitude of what is left of it.

    Args:
        residual: ``(leads, height, width)``, what is left.
        missing: which samples are missing, as in `Atoms`; they have no weight.
        importance: ``(leads, height, width)``, written.
    """
    whole = (0, residual.shape[1], 0, residual.shape[2])
    least = max(SMALL * absolute(residual) / count_present(missing, residual), 1e-300)
    weigh_in(whole, residual, least, missing, importance)


@lent
def _write_equations(
    spikes: SpikeArrays,
    atoms: Atoms,
    weighed: Floats,
    importance: Floats,
    matrix: Envelope,
    met: Floats,
) -> None:
    """Write the normal equations of a change of all amplitudes, without what cosines meet."""
    kernel, ys, xs, count = spikes.kernel, spikes.y, spikes.x, atoms.kernels.shape[0]
    first, entries, at = matrix.first, matrix.entries, 0
    for i in range(met.size):
        for j in range(first[i], i + 1):
            down, across = ys[i] - ys[j], xs[i] - xs[j]
            entries[at] = 0.0
            if (
                kernel[i] < count
                and kernel[j] < count
                and meet(atoms, kernel[i], kernel[j], down, across)
            ):
                pair, shift = (kernel[i], kernel[j]), (down, across)
                entries[at] = product(atoms, pair, ys[i], xs[i], shift, importance)
            at += 1
        met[i] = view(atoms, kernel[i], ys[i], xs[i], weighed)


@lent
def product(
    atoms: Atoms,
    pair: tuple[int, int],
    y: int,
    x: int,
    shift: tuple[int, int],
    importance: Floats,
) -> float:
    """Return the inner product of two atoms, every sample by its weight.

    Args:
        atoms: the kernels.
        pair: those of both.
        y: row of the first.
        x: column of the first.
        shift: how many rows and columns it lies below and behind the second.
        importance: ``(leads, height, width)``, the weights.
    """
    kernels, edges, (one, other), (down, across) = atoms.kernels, atoms.edges, pair, shift
    _, height, width = importance.shape
    top, bottom, left, right = inside(edges[one], kernels[one], y, x, height, width)
    top, bottom = max(top, edges[other, 0] - down), min(bottom, edges[other, 1] - down)
    left, right = max(left, edges[other, 2] - across), min(right, edges[other, 3] - across)
    if bottom <= top or right <= left:
        return 0.0
    return _product(kernels, pair, (top, bottom, left, right), y, x, shift, importance)


@reordered
def _product(
    kernels: Floats,
    pair: tuple[int, int],
    part: Part,
    y: int,
    x: int,
    shift: tuple[int, int],
    importance: Floats,
) -> float:
    """Return the same over some rows and columns of the first kernel, which both have."""
    (one, other), (down, across), (top, bottom, left, right) = pair, shift, part
    here, there = Index(one), Index(other)
    row, column = Index(top), Index(left)
    its_row, its_column = Index(top + down), Index(left + across)
    above = Index(y - (kernels.shape[2] - 1) // 2 + top)
    before = Index(x - (kernels.shape[3] - 1) // 2 + left)
    total = 0.0
    for lead in range(Index(kernels.shape[1])):
        for i in range(Index(bottom - top)):
            for j in range(Index(right - left)):
                met = kernels[here, lead, row + i, column + j]
                met *= kernels[there, lead, its_row + i, its_column + j]
                total += met * importance[lead, above + i, before + j]
    return total


@compiled
def refit_all(
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    atoms: Atoms,
    residuals: Floats,
    rounds: int,
) -> None:
    """Refit the amplitudes of images' spikes, each image for itself.

    Args:
        spikes: the spikes of all images, changed.
        begins: where those of each image begin, ``(batch,)``.
        counts: how many each has, ``(batch,)``.
        atoms: the kernels.
        residuals: ``(batch, leads, height, width)``, what the spikes leave; changed.
        rounds: how often to solve.
    """
    for b in range(counts.size):
        own = part(spikes, begins[b], begins[b] + counts[b])
        refit_absolute(own, counts[b], atoms, residuals[b], rounds)

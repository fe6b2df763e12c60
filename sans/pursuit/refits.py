"""Amplitudes of the least sum of squares, for the compiled loops of a pursuit."""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import compiled, inlined, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, Index, draw, meet, view
from sans.pursuit.cosines import transform
from sans.pursuit.coupling import couple_waves
from sans.pursuit.least_squares import Envelope, envelope, solve
from sans.pursuit.loops import SpikeArrays, ends, neighbours, part
from sans.pursuit.products import subtract_products
from sans.pursuit.state import PursuitState, look_again, touch


@compiled
def gram(
    spikes: SpikeArrays, first: Integers, atoms: Atoms, clipped: Floats, image: Floats
) -> Envelope:
    """Return the inner products of the atoms of spikes, each with those from its first on.

    Args:
        spikes: the spikes, in the order of their places.
        first: ``(spikes,)``.
        atoms: the kernels.
        clipped: the products of clipped atoms, as in `PursuitState`.
        image: ``(leads, height, width)``, of which nothing but the shape matters.
    """
    matrix = envelope(first)
    _write_gram(spikes, matrix, atoms, clipped)
    couple_waves(spikes, matrix, atoms, image, False)
    return matrix


@lent
def _write_gram(spikes: SpikeArrays, matrix: Envelope, atoms: Atoms, clipped: Floats) -> None:
    """Write what kernels have in common, clipped or not."""
    kernel, ys, xs, slot, products = (
        spikes.kernel,
        spikes.y,
        spikes.x,
        spikes.clipped,
        atoms.products,
    )
    count, _, rows, columns = atoms.kernels.shape
    first, entries, at = matrix.first, matrix.entries, 0
    for i in range(first.size):
        for j in range(first[i], i + 1):
            down, across = ys[i] - ys[j], xs[i] - xs[j]
            if (
                kernel[i] < count
                and kernel[j] < count
                and meet(atoms, kernel[i], kernel[j], down, across)
            ):
                row, column = Index(rows - 1 + down), Index(columns - 1 + across)
                drawn, seen = Index(kernel[j]), Index(kernel[i])
                if slot[j] >= 0:
                    entries[at] = clipped[Index(slot[j]), seen, row, column]
                elif slot[i] >= 0:
                    row, column = Index(rows - 1 - down), Index(columns - 1 - across)
                    entries[at] = clipped[Index(slot[i]), drawn, row, column]
                else:
                    entries[at] = products[drawn, seen, row, column]
            at += 1


@inlined
def refit(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, negligible: float
) -> None:
    """Change all amplitudes to those of the least sum of squares; what changes less is left."""
    kernel, y, x, maps, scales = spikes.kernel, spikes.y, spikes.x, state.maps, state.scales
    first = neighbours(spikes, count, atoms)
    last, begin, moved = ends(first), 0, False
    for i in range(count):
        norm = abs(maps[kernel[i], y[i], x[i]]) * scales[kernel[i], y[i], x[i]]
        moved |= norm > negligible
        if last[i]:
            if moved:
                own = part(spikes, begin, i + 1)
                _refit_part(own, first[begin : i + 1] - begin, atoms, state, negligible)
            begin, moved = i + 1, False


@inlined
def _refit_part(
    spikes: SpikeArrays, first: Integers, atoms: Atoms, state: PursuitState, negligible: float
) -> None:
    """Refit spikes of which each meets others of them only."""
    kernel, y, x, maps, scales = spikes.kernel, spikes.y, spikes.x, state.maps, state.scales
    change = np.empty(first.size)
    for i in range(first.size):
        change[i] = maps[kernel[i], y[i], x[i]]
    solve(gram(spikes, first, atoms, state.clipped, state.residual), change)
    for i in range(first.size):
        if abs(change[i]) <= negligible * scales[kernel[i], y[i], x[i]]:
            change[i] = 0.0
    amplify(spikes, change, atoms, state)


@lent
def amplify(spikes: SpikeArrays, change: Floats, atoms: Atoms, state: PursuitState) -> None:
    """Change the amplitudes of spikes, and all that depends on them."""
    kernel, y, x, amplitude, slot = spikes
    edges, products = atoms.edges, atoms.products
    maps, residual, clipped, stale = state.maps, state.residual, state.clipped, state.stale
    waved = False
    for i in range(change.size):
        if change[i] != 0:
            amplitude[i] += change[i]
            draw(atoms, kernel[i], -change[i], y[i], x[i], residual)
            if kernel[i] < edges.shape[0]:
                touch(stale, y[i], x[i], state.reaches[kernel[i]])
            else:
                waved = True
    for k in range(0 if waved else edges.shape[0]):  # one map after the other: less to fetch
        for i in range(change.size):
            if change[i] != 0:
                own = clipped[slot[i]] if slot[i] >= 0 else products[kernel[i]]
                subtract_products(own, edges, (kernel[i], k), change[i], y[i], x[i], maps)
    if waved:
        look_again(atoms, state)
    if atoms.wide.size:
        transform(atoms.tall, atoms.wide, residual, maps[edges.shape[0]])


@compiled
def polish(spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState) -> Envelope:
    """Refit amplitudes by what the atoms meet in the residual; return the factor of the matrix.

    Maps are not kept up to date.
    """
    first = neighbours(spikes, count, atoms)
    matrix, change = gram(spikes, first, atoms, state.clipped, state.residual), np.empty(count)
    residual, kernel, y, x = state.residual, spikes.kernel, spikes.y, spikes.x
    for i in range(count):
        change[i] = view(atoms, kernel[i], y[i], x[i], residual)
    solve(matrix, change)
    for i in range(count):
        spikes.amplitude[i] += change[i]
        draw(atoms, kernel[i], -change[i], y[i], x[i], residual)
    return matrix

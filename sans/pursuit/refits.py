"""Amplitudes of the least sum of squares, for the compiled loops of a pursuit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, inlined, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, Index, draw, meet, view
from sans.pursuit.cosines import transform
from sans.pursuit.coupling import couple_waves
from sans.pursuit.least_squares import Envelope, envelope, solve
from sans.pursuit.loops import SpikeArrays, change_all, ends, neighbours, part
from sans.pursuit.products import subtract_products
from sans.pursuit.state import PursuitState, touch
from sans.pursuit.surveys import look_again


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
    first = neighbours(spikes, count, atoms)
    last, begin = ends(first), 0
    while begin < count:
        end, moved = _next_part(spikes, last, begin, state, negligible)
        if moved:
            own = part(spikes, begin, end)
            _refit_part(own, first[begin:end] - begin, atoms, state, negligible)
        begin = end


@lent
def _next_part(
    spikes: SpikeArrays, last: NDArray[np.bool_], begin: int, state: PursuitState, negligible: float
) -> tuple[int, bool]:
    """Return where the spikes end that meet each other, and whether one is worth a change."""
    kernel, y, x, maps, scales = spikes.kernel, spikes.y, spikes.x, state.maps, state.scales
    moved, i = False, begin
    while True:
        norm = abs(maps[kernel[i], y[i], x[i]]) * scales[kernel[i], y[i], x[i]]
        moved |= norm > negligible
        i += 1
        if last[i - 1]:
            return i, moved


@inlined
def _refit_part(
    spikes: SpikeArrays, first: Integers, atoms: Atoms, state: PursuitState, negligible: float
) -> None:
    """Refit spikes of which each meets others of them only."""
    change = np.empty(first.size)
    _read(spikes, state, change)
    solve(gram(spikes, first, atoms, state.clipped, state.residual), change)
    _keep_large(spikes, state, negligible, change)
    amplify(spikes, change, atoms, state)


@lent
def _read(spikes: SpikeArrays, state: PursuitState, change: Floats) -> None:
    """Write what the residual has in common with the atoms."""
    for i in range(change.size):
        change[i] = state.maps[spikes.kernel[i], spikes.y[i], spikes.x[i]]


@lent
def _keep_large(
    spikes: SpikeArrays, state: PursuitState, negligible: float, change: Floats
) -> None:
    """Write 0 instead of changes that are negligible."""
    kernel, y, x, scales = spikes.kernel, spikes.y, spikes.x, state.scales
    for i in range(change.size):
        if abs(change[i]) <= negligible * scales[kernel[i], y[i], x[i]]:
            change[i] = 0.0


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
    _view_all(spikes, atoms, state.residual, change)
    solve(matrix, change)
    change_all(spikes, change, atoms, state.residual)
    return matrix


@lent
def _view_all(spikes: SpikeArrays, atoms: Atoms, residual: Floats, met: Floats) -> None:
    """Write the inner product of the residual with every atom."""
    for i in range(met.size):
        met[i] = view(atoms, spikes.kernel[i], spikes.y[i], spikes.x[i], residual)

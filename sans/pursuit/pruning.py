"""Taking spikes out again without which φ is lower."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import apart, compiled, lent, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.areas import absolute_in, copy_in
from sans.pursuit.atoms import Atoms, Index, draw, extent, inside
from sans.pursuit.least_squares import Envelope, substitute
from sans.pursuit.loops import PATIENCE, Aim, SpikeArrays, absolute, phi, remove
from sans.pursuit.refits import polish
from sans.pursuit.state import PursuitState

LITTLE = 1e-12
"""A change below this share of the spike that is taken out is rounding."""


@compiled
def prune(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, task: Aim, beyond: float
) -> int:
    """Take out spikes without which φ is lower; return how many are left.

    The first to go is the one whose drawing matters least; after some in vain all others stay.

    Args:
        spikes: the spikes, changed; their amplitudes are those of the least sum of squares.
        count: how many there are.
        atoms: the kernels.
        state: what is known of the image; its maps are not kept up to date.
        task: what is to be described.
        beyond: the sum of absolute errors that does not count.
    """
    factor = polish(spikes, count, atoms, state)
    error = absolute(state.residual)
    lowest = phi(task, count, error - beyond)
    losses, tried, failed = np.empty(count), np.zeros(count, np.bool_), 0
    before = np.empty_like(state.residual)
    _weigh(
        spikes,
        count,
        atoms,
        state,
        (0, state.residual.shape[1]),
        (0, state.residual.shape[2]),
        losses,
        before,
    )
    while count > 0 and failed < PATIENCE:
        weakest = _weakest(losses, tried, count)
        if weakest < 0:
            break
        change = _change_without(spikes, count, factor, weakest)
        rows, columns = _reach(spikes, count, atoms, state, change)
        area = (rows[0], rows[1], columns[0], columns[1])
        copy_in(area, state.residual, before)
        _redraw(spikes, count, atoms, state, change)
        now = error + absolute_in(area, state.residual) - absolute_in(area, before)
        if phi(task, count - 1, now - beyond) < lowest:
            for i in range(count):
                spikes.amplitude[i] += change[i]
            remove(spikes, count, weakest)
            count -= 1
            for i in range(weakest, count):
                losses[i] = losses[i + 1]
            factor = polish(spikes, count, atoms, state)
            error = absolute(state.residual)
            lowest = phi(task, count, error - beyond)
            failed = 0
            for i in range(count):
                tried[i] = False
            _weigh(spikes, count, atoms, state, rows, columns, losses, before)
        else:
            copy_in(area, before, state.residual)
            tried[weakest] = True
            failed += 1
    return count


@lent
def _weakest(losses: Floats, tried: NDArray[np.bool_], count: int) -> int:
    """Return the spike of least loss that was not tried; -1: none."""
    weakest, least = -1, math.inf
    for i in range(count):
        if not tried[i] and losses[i] < least:
            weakest, least = i, losses[i]
    return weakest


@compiled
def _change_without(spikes: SpikeArrays, count: int, factor: Envelope, without: int) -> Floats:
    """Return how all amplitudes change to the least sum of squares without one of the spikes.

    The inverse of the matrix says it: its column of the spike, times what makes the spike's own
    amplitude 0.
    """
    change = np.zeros(count)
    change[without] = 1.0
    substitute(factor, change, without)
    _scale(change, without, spikes.amplitude[without])
    return change


@lent
def _scale(change: Floats, without: int, amplitude: float) -> None:
    """Let changes be those that make an amplitude 0."""
    times = -amplitude / change[without] if change[without] > 0 else 1.0
    change[without] = -amplitude
    for i in range(change.size):
        if i != without:
            change[i] *= times
        if abs(change[i]) <= LITTLE * abs(amplitude):
            change[i] = 0.0


@lent
def _reach(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, change: Floats
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the rows and the columns that the spikes which change draw on."""
    _, height, width = state.residual.shape
    top, bottom, left, right = height, 0, width, 0
    for i in range(count):
        if change[i] != 0:
            above, below, before, behind = extent(
                atoms, spikes.kernel[i], spikes.y[i], spikes.x[i], (height, width)
            )
            top, bottom = min(top, above), max(bottom, below)
            left, right = min(left, before), max(right, behind)
    return (min(top, bottom), bottom), (min(left, right), right)


@lent
def _redraw(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, change: Floats
) -> None:
    """Take what changed amplitudes draw out of the residual."""
    kernel, y, x, residual = spikes.kernel, spikes.y, spikes.x, state.residual
    for i in range(count):
        if change[i] != 0:
            draw(atoms, kernel[i], -change[i], y[i], x[i], residual)


@lent
def _weigh(
    spikes: SpikeArrays,
    count: int,
    atoms: Atoms,
    state: PursuitState,
    rows: tuple[int, int],
    columns: tuple[int, int],
    losses: Floats,
    room: Floats,
) -> None:
    """Write by how much the sum of absolute errors would grow without each spike near a region."""
    kernel, y, x, residual = spikes.kernel, spikes.y, spikes.x, state.residual
    _, height, width = residual.shape
    for i in range(count):
        above, below, before, behind = extent(atoms, kernel[i], y[i], x[i], (height, width))
        if rows[0] < below and above < rows[1] and columns[0] < behind and before < columns[1]:
            if kernel[i] < atoms.kernels.shape[0] and atoms.missing.size == 0:
                weights, edges = atoms.kernels[kernel[i]], atoms.edges[kernel[i]]
                losses[i] = _loss_without(weights, edges, spikes.amplitude[i], y[i], x[i], residual)
            else:
                losses[i] = _loss_of(spikes, i, atoms, residual, room)


@apart
def _loss_of(spikes: SpikeArrays, i: int, atoms: Atoms, residual: Floats, without: Floats) -> float:
    """Return by how much the sum of absolute errors would grow without any atom."""
    copy_in((0, residual.shape[1], 0, residual.shape[2]), residual, without)
    draw(atoms, spikes.kernel[i], spikes.amplitude[i], spikes.y[i], spikes.x[i], without)
    return absolute(without) - absolute(residual)


@reordered
def _loss_without(
    kernel: Floats, edges: Integers, amplitude: float, y: int, x: int, residual: Floats
) -> float:
    """Return by how much the sum of absolute errors would grow without an atom."""
    _, height, width = residual.shape
    top, bottom, left, right = inside(edges, kernel, y, x, height, width)
    row, column = Index(top), Index(left)
    above = Index(y - (kernel.shape[1] - 1) // 2 + top)
    before = Index(x - (kernel.shape[2] - 1) // 2 + left)
    total = 0.0
    for lead in range(Index(kernel.shape[0])):
        for i in range(Index(bottom - top)):
            for j in range(Index(right - left)):
                error = residual[lead, above + i, before + j]
                drawn = amplitude * kernel[lead, row + i, column + j]
                total += abs(error + drawn) - abs(error)
    return total

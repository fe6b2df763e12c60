"""Taking spikes out again without which φ is lower."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, reordered
from sans.convolution.frames import Floats
from sans.pursuit.atoms import Atoms, Index, clip, draw
from sans.pursuit.least_squares import Envelope, substitute
from sans.pursuit.loops import PATIENCE, Aim, SpikeArrays, absolute, phi, remove, write
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
    _weigh(
        spikes,
        count,
        atoms,
        state,
        (0, state.residual.shape[0]),
        (0, state.residual.shape[1]),
        losses,
    )
    while count > 0 and failed < PATIENCE:
        weakest = _weakest(losses, tried, count)
        if weakest < 0:
            break
        change = _change_without(spikes, count, factor, weakest)
        rows, columns = _reach(spikes, count, atoms, state, change)
        place = state.residual[rows[0] : rows[1], columns[0] : columns[1]]
        before = place.copy()
        _redraw(spikes, count, atoms, state, change)
        now = error + absolute(place) - absolute(before)
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
            tried[:], failed = False, 0
            _weigh(spikes, count, atoms, state, rows, columns, losses)
        else:
            write(before, place)
            tried[weakest] = True
            failed += 1
    return count


@compiled
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
    if change[without] > 0:
        change *= -spikes.amplitude[without] / change[without]
    change[without] = -spikes.amplitude[without]
    least = LITTLE * abs(change[without])
    for i in range(count):
        if abs(change[i]) <= least:
            change[i] = 0.0
    return change


@compiled
def _reach(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, change: Floats
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the rows and the columns that the spikes which change draw on."""
    height, width = state.residual.shape
    _, rows, columns = atoms.kernels.shape
    top, bottom, left, right = height, 0, width, 0
    for i in range(count):
        if change[i] != 0:
            y, x = spikes.y[i] - (rows - 1) // 2, spikes.x[i] - (columns - 1) // 2
            top, bottom = min(top, max(y, 0)), max(bottom, min(y + rows, height))
            left, right = min(left, max(x, 0)), max(right, min(x + columns, width))
    return (min(top, bottom), bottom), (min(left, right), right)


@compiled
def _redraw(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, change: Floats
) -> None:
    """Take what changed amplitudes draw out of the residual."""
    kernel, y, x, kernels, residual = (
        spikes.kernel,
        spikes.y,
        spikes.x,
        atoms.kernels,
        state.residual,
    )
    for i in range(count):
        if change[i] != 0:
            draw(kernels[kernel[i]], -change[i], y[i], x[i], residual)


@compiled
def _weigh(
    spikes: SpikeArrays,
    count: int,
    atoms: Atoms,
    state: PursuitState,
    rows: tuple[int, int],
    columns: tuple[int, int],
    losses: Floats,
) -> None:
    """Write by how much the sum of absolute errors would grow without each spike near a region."""
    kernel, ys, xs, kernels, residual = (
        spikes.kernel,
        spikes.y,
        spikes.x,
        atoms.kernels,
        state.residual,
    )
    _, height, width = kernels.shape
    for i in range(count):
        y, x = ys[i], xs[i]
        if rows[0] - height < y < rows[1] + height and columns[0] - width < x < columns[1] + width:
            losses[i] = _loss_without(kernels[kernel[i]], spikes.amplitude[i], y, x, residual)


@reordered
def _loss_without(kernel: Floats, amplitude: float, y: int, x: int, residual: Floats) -> float:
    """Return by how much the sum of absolute errors would grow without an atom."""
    top, bottom = clip(kernel.shape[0], y, residual.shape[0])
    left, right = clip(kernel.shape[1], x, residual.shape[1])
    row, column = Index(top), Index(left)
    above = Index(y - (kernel.shape[0] - 1) // 2 + top)
    before = Index(x - (kernel.shape[1] - 1) // 2 + left)
    total = 0.0
    for i in range(Index(bottom - top)):
        for j in range(Index(right - left)):
            error = residual[above + i, before + j]
            total += abs(error + amplitude * kernel[row + i, column + j]) - abs(error)
    return total

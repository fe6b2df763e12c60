"""Places of spikes, once more: each may go elsewhere, draw another kernel, go or come.

A pursuit chooses its spikes one after the other, and the first were chosen without the later ones.
Here every spike is taken out and put where what is left then wants one most; the spikes that it
meets get new amplitudes with it, of the least sum of absolute errors. What lowers φ stays.
"""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import compiled, inlined
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, draw, view
from sans.pursuit.exchange import NONE, ExchangeSetting, Move, attempt, reach
from sans.pursuit.loops import PHI, Aim, SpikeArrays, absolute, part, room_for, sized

SWEEPS = 8
"""How often all spikes are tried, at most."""

ROUNDS = 3
"""Rounds of a refit of the few spikes that a move changes; more hardly help."""


@inlined
def rearrange(spikes: SpikeArrays, count: int, scene: ExchangeSetting) -> int:
    """Move spikes as long as φ falls by it; return how many there are then.

    Where the number of spikes or an error says when to stop, none goes or comes without another.
    """
    error = absolute(scene.residual)
    scene.changed[:] = 0
    for sweep in range(1, SWEEPS + 1):
        before = error
        for which in range(spikes.x.size):
            if which < count and _is_fresh(spikes, which, sweep, scene):
                count, error = _resettle(spikes, count, error, which, sweep, scene)
        if scene.task.stop == PHI:
            count, error = _fill(spikes, count, error, sweep, scene)
        if error == before:
            break
    return count


@inlined
def _resettle(
    spikes: SpikeArrays, count: int, error: float, which: int, sweep: int, scene: ExchangeSetting
) -> tuple[int, float]:
    """Try an image without a spike, with it drawing any kernel nearby, and with it next door."""
    atoms, residual = scene.atoms, scene.residual
    kernel, y, x = spikes.kernel[which], spikes.y[which], spikes.x[which]
    if scene.task.stop == PHI:
        after, left = attempt(spikes, count, error, Move(which, NONE, 0, 0), sweep, scene)
        if after != count:
            return after, left
    for other in range(atoms.kernels.shape[0]):
        draw(atoms, kernel, spikes.amplitude[which], y, x, residual)
        rows, columns = atoms.kernels.shape[2] // 2, atoms.kernels.shape[3] // 2
        area = (y - rows, y + rows + 1, x - columns, x + columns + 1)
        _, row, column = _strongest(other, area, scene)
        draw(atoms, kernel, -spikes.amplitude[which], y, x, residual)
        move = Move(which, other, row, column)
        after, left = attempt(spikes, count, error, move, sweep, scene)
        if left != error:
            return after, left
    down = min(1, residual.shape[1] - 1)
    for row in range(y - down, y + down + 1):
        for column in range(x - 1, x + 2):
            move = Move(which, kernel, row, column)
            after, left = attempt(spikes, count, error, move, sweep, scene)
            if left != error:
                return after, left
    return count, error


@inlined
def _fill(
    spikes: SpikeArrays, count: int, error: float, sweep: int, scene: ExchangeSetting
) -> tuple[int, float]:
    """Try one spike more in every part of the image, as large as a kernel, that has changed."""
    _, _, rows, columns = scene.atoms.kernels.shape
    _, height, width = scene.residual.shape
    for y in range(0, height, rows):
        for x in range(0, width, columns):
            if scene.changed[y : y + rows, x : x + columns].max() >= sweep - 1:
                strongest, move = 0.0, Move(NONE, NONE, 0, 0)
                for kernel in range(scene.atoms.kernels.shape[0]):
                    area = (y, y + rows, x, x + columns)
                    norm, row, column = _strongest(kernel, area, scene)
                    if norm > strongest:
                        strongest, move = norm, Move(NONE, kernel, row, column)
                count, error = attempt(spikes, count, error, move, sweep, scene)
    return count, error


@compiled
def _strongest(
    kernel: int, area: tuple[int, int, int, int], scene: ExchangeSetting
) -> tuple[float, int, int]:
    """Return how much the strongest atom of a kernel in an area would draw, and its place."""
    atoms, scales, residual = scene.atoms, scene.scales[kernel], scene.residual
    top, bottom, left, right = area
    strongest, row, column = 0.0, NONE, NONE
    for y in range(max(0, top), min(residual.shape[1], bottom)):
        for x in range(max(0, left), min(residual.shape[2], right)):
            if scales[y, x] > 0:
                norm = abs(view(atoms, kernel, y, x, residual)) * scales[y, x]
                if norm > strongest:
                    strongest, row, column = norm, y, x
    return strongest, row, column


@compiled
def _is_fresh(spikes: SpikeArrays, which: int, sweep: int, scene: ExchangeSetting) -> bool:
    """Return whether something has changed where a spike draws since it was tried last."""
    top, bottom, left, right = reach(spikes.y[which], spikes.x[which], scene)
    for y in range(top, bottom):
        for x in range(left, right):
            if scene.changed[y, x] >= sweep - 1:
                return True
    return False


@compiled
def rearrange_all(
    spikes: SpikeArrays,
    counts: Integers,
    atoms: Atoms,
    scales: Floats,
    task: Aim,
    sizes: Floats,
    residuals: Floats,
    beyond: Floats,
    rounds: int,
) -> None:
    """Move the spikes of images, each image for itself.

    Args:
        spikes: room for ``(batch * room,)``, those of image b from b * room on; changed.
        counts: how many spikes each image has, ``(batch,)``; changed.
        atoms: the kernels.
        scales: ``(kernels, height, width)``, 1 / norm of every atom, 0 where none may lie.
        task: what is to be described, and until when.
        sizes: the sum of absolute values of each image, what φ measures its error by, ``(batch,)``.
        residuals: ``(batch, leads, height, width)``, what the spikes leave; changed.
        beyond: the part of their sums of absolute values that does not count, ``(batch,)``.
        rounds: rounds of a refit of the few spikes that a move changes.
    """
    batch, _, height, width = residuals.shape
    room = spikes.x.size // max(batch, 1)
    group, members = room_for(room + 1), np.empty(room, np.int64)
    changed = np.empty((height, width), np.int64)
    for b in range(batch):
        own = part(spikes, b * room, (b + 1) * room)
        measured = sized(task, sizes[b], task.energy)
        scene = ExchangeSetting(
            atoms, scales, measured, residuals[b], beyond[b], group, members, rounds, changed
        )
        if sizes[b] > 0:
            counts[b] = rearrange(own, counts[b], scene)

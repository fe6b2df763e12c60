"""Places of spikes, once more: each may go elsewhere, draw another kernel, go or come.

A pursuit chooses its spikes one after the other, and the first were chosen without the later ones.
Here every spike is taken out and put where what is left then wants one most; the spikes that it
meets get new amplitudes with it, of the least sum of absolute errors. What lowers φ stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sans.compiled import compiled, inlined
from sans.convolution.frames import Floats, Integers
from sans.pursuit.absolute import refit_absolute
from sans.pursuit.atoms import Atoms, clip, draw, view
from sans.pursuit.loops import (
    PHI,
    Spikes,
    Task,
    absolute,
    copy,
    insert,
    part,
    phi,
    remove,
    room_for,
    sized,
    write,
)

SWEEPS = 8
"""How often all spikes are tried, at most."""

ROUNDS = 3
"""Rounds of a refit of the few spikes that a move changes; more help hardly."""

SLIGHT = 1e-6
"""The share of φ that a move must save: less is rounding."""

NONE = -1


class Move(NamedTuple):
    """A spike that goes, and one that comes."""

    goes: int
    """Which spike goes, NONE: none."""

    kernel: int
    """What the one that comes draws, NONE: none comes."""

    y: int
    """Row of the one that comes."""

    x: int
    """Its column."""


class Scene(NamedTuple):
    """What all moves of the spikes of an image share."""

    atoms: Atoms
    """The kernels."""

    scales: Floats
    """``(kernels, height, width)``: 1 / norm of every atom, 0 where none may lie."""

    task: Task
    """What is to be described."""

    residual: Floats
    """``(height, width)``: what the spikes leave; changed."""

    beyond: float
    """The part of its sum of absolute values that does not count."""

    group: Spikes
    """Room for the spikes that one move changes."""

    members: Integers
    """Room for which they are."""

    rounds: int
    """Rounds of a refit of them."""

    changed: Integers
    """``(height, width)``: in which sweep a sample of the residual was changed last."""


@inlined
def rearrange(spikes: Spikes, count: int, scene: Scene) -> int:
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
    spikes: Spikes, count: int, error: float, which: int, sweep: int, scene: Scene
) -> tuple[int, float]:
    """Try an image without a spike, with it drawing any kernel nearby, and with it next door."""
    kernels, residual = scene.atoms.kernels, scene.residual
    kernel, y, x = spikes.kernel[which], spikes.y[which], spikes.x[which]
    if scene.task.stop == PHI:
        after, left = _try(spikes, count, error, Move(which, NONE, 0, 0), sweep, scene)
        if after != count:
            return after, left
    for other in range(kernels.shape[0]):
        draw(kernels[kernel], spikes.amplitude[which], y, x, residual)
        rows, columns = kernels.shape[1] // 2, kernels.shape[2] // 2
        area = (y - rows, y + rows + 1, x - columns, x + columns + 1)
        _, row, column = _strongest(other, area, scene)
        draw(kernels[kernel], -spikes.amplitude[which], y, x, residual)
        move = Move(which, other, row, column)
        after, left = _try(spikes, count, error, move, sweep, scene)
        if left != error:
            return after, left
    down = min(1, residual.shape[0] - 1)
    for row in range(y - down, y + down + 1):
        for column in range(x - 1, x + 2):
            move = Move(which, kernel, row, column)
            after, left = _try(spikes, count, error, move, sweep, scene)
            if left != error:
                return after, left
    return count, error


@inlined
def _fill(spikes: Spikes, count: int, error: float, sweep: int, scene: Scene) -> tuple[int, float]:
    """Try one spike more in every part of the image, as large as a kernel, that has changed."""
    _, rows, columns = scene.atoms.kernels.shape
    height, width = scene.residual.shape
    for y in range(0, height, rows):
        for x in range(0, width, columns):
            if scene.changed[y : y + rows, x : x + columns].max() >= sweep - 1:
                strongest, move = 0.0, Move(NONE, NONE, 0, 0)
                for kernel in range(scene.atoms.kernels.shape[0]):
                    area = (y, y + rows, x, x + columns)
                    norm, row, column = _strongest(kernel, area, scene)
                    if norm > strongest:
                        strongest, move = norm, Move(NONE, kernel, row, column)
                count, error = _try(spikes, count, error, move, sweep, scene)
    return count, error


@compiled
def _strongest(
    kernel: int, area: tuple[int, int, int, int], scene: Scene
) -> tuple[float, int, int]:
    """Return how much the strongest atom of a kernel in an area would draw, and its place."""
    weights, scales, residual = scene.atoms.kernels[kernel], scene.scales[kernel], scene.residual
    top, bottom, left, right = area
    strongest, row, column = 0.0, NONE, NONE
    for y in range(max(0, top), min(residual.shape[0], bottom)):
        for x in range(max(0, left), min(residual.shape[1], right)):
            if scales[y, x] > 0:
                norm = abs(view(weights, y, x, residual)) * scales[y, x]
                if norm > strongest:
                    strongest, row, column = norm, y, x
    return strongest, row, column


@compiled
def _is_fresh(spikes: Spikes, which: int, sweep: int, scene: Scene) -> bool:
    """Return whether something has changed where a spike draws since it was tried last."""
    top, bottom, left, right = _reach(spikes.y[which], spikes.x[which], scene)
    for y in range(top, bottom):
        for x in range(left, right):
            if scene.changed[y, x] >= sweep - 1:
                return True
    return False


@compiled
def _try(
    spikes: Spikes, count: int, error: float, move: Move, sweep: int, scene: Scene
) -> tuple[int, float]:
    """Make a move if φ is lower by it; return how many spikes there are then, and the error."""
    if not _is_possible(spikes, count, move, scene):
        return count, error
    members = _gather(spikes, count, move, scene)
    top, bottom, left, right = _region(spikes, members, move, scene)
    place = scene.residual[top:bottom, left:right].copy()
    before = absolute(place)
    comes = _perform(spikes, members, move, (top, left), place, scene)
    total = error + absolute(place) - before
    after = count + (comes != NONE) - (move.goes != NONE)
    task, beyond = scene.task, scene.beyond
    if phi(task, after, total - beyond) >= (1 - SLIGHT) * phi(task, count, error - beyond):
        return count, error
    write(place, scene.residual[top:bottom, left:right])
    scene.changed[top:bottom, left:right] = sweep
    _adopt(spikes, count, members, move, comes, scene)
    return after, total


@compiled
def _is_possible(spikes: Spikes, count: int, move: Move, scene: Scene) -> bool:
    """Return whether a spike goes, or one can come where there is none like it."""
    _, height, width = scene.scales.shape
    if move.kernel == NONE:
        return move.goes != NONE
    if not (0 <= move.y < height and 0 <= move.x < width):
        return False
    if scene.scales[move.kernel, move.y, move.x] <= 0:
        return False
    if move.goes == NONE and count == spikes.x.size:
        return False
    for i in range(count):
        if spikes.y[i] == move.y and spikes.x[i] == move.x and spikes.kernel[i] == move.kernel:
            return False
    return True


@compiled
def _gather(spikes: Spikes, count: int, move: Move, scene: Scene) -> int:
    """Copy the spikes that meet the one that goes, or the one that comes; return their count."""
    _, rows, columns = scene.atoms.kernels.shape
    found = 0
    for i in range(count):
        y, x, meets = spikes.y[i], spikes.x[i], False
        if move.goes != NONE:
            down, across = y - spikes.y[move.goes], x - spikes.x[move.goes]
            meets |= abs(down) < rows and abs(across) < columns
        if move.kernel != NONE:
            meets |= abs(y - move.y) < rows and abs(x - move.x) < columns
        if meets and i != move.goes:
            scene.members[found] = i
            copy(part(spikes, i, i + 1), 1, part(scene.group, found, found + 1))
            found += 1
    return found


@compiled
def _reach(y: int, x: int, scene: Scene) -> tuple[int, int, int, int]:
    """Return the first and behind the last row, and column, that an atom at a place draws on."""
    _, rows, columns = scene.atoms.kernels.shape
    height, width = scene.residual.shape
    above, before = y - (rows - 1) // 2, x - (columns - 1) // 2
    (top, bottom), (left, right) = clip(rows, y, height), clip(columns, x, width)
    return above + top, above + bottom, before + left, before + right


@compiled
def _region(spikes: Spikes, members: int, move: Move, scene: Scene) -> tuple[int, int, int, int]:
    """Return the rows and columns that all spikes of a move draw on."""
    group, goes = scene.group, move.goes
    top, bottom, left, right = scene.residual.shape[0], 0, scene.residual.shape[1], 0
    for i in range(members + 2):
        if i < members:
            above, below, before, behind = _reach(group.y[i], group.x[i], scene)
        elif i == members and goes != NONE:
            above, below, before, behind = _reach(spikes.y[goes], spikes.x[goes], scene)
        elif i > members and move.kernel != NONE:
            above, below, before, behind = _reach(move.y, move.x, scene)
        else:
            continue
        top, bottom = min(top, above), max(bottom, below)
        left, right = min(left, before), max(right, behind)
    return top, bottom, left, right


@inlined
def _perform(
    spikes: Spikes, members: int, move: Move, corner: tuple[int, int], place: Floats, scene: Scene
) -> int:
    """Make a move in a copy of the region, and refit its spikes; return which of them comes."""
    kernels, group, (top, left) = scene.atoms.kernels, scene.group, corner
    for i in range(members):
        group.y[i] -= top
        group.x[i] -= left
    if move.goes != NONE:
        kernel, y, x = spikes.kernel[move.goes], spikes.y[move.goes], spikes.x[move.goes]
        draw(kernels[kernel], spikes.amplitude[move.goes], y - top, x - left, place)
    comes = NONE
    if move.kernel != NONE:
        y, x = move.y - top, move.x - left
        scale = scene.scales[move.kernel, move.y, move.x]
        amplitude = view(kernels[move.kernel], y, x, place) * scale**2
        draw(kernels[move.kernel], -amplitude, y, x, place)
        comes = insert(group, members, move.kernel, y, x)
        group.amplitude[comes] = amplitude
        members += 1
    refit_absolute(group, members, scene.atoms, place, scene.rounds)
    return comes


@compiled
def _adopt(spikes: Spikes, count: int, members: int, move: Move, comes: int, scene: Scene) -> None:
    """Let a move that was made in the group be made."""
    amplitude = 0.0
    for i in range(members + (comes != NONE)):
        if i == comes:
            amplitude = scene.group.amplitude[i]
        else:
            which = scene.members[i - (NONE < comes < i)]
            spikes.amplitude[which] = scene.group.amplitude[i]
    if move.goes != NONE:
        remove(spikes, count, move.goes)
        count -= 1
    if comes != NONE:
        spikes.amplitude[insert(spikes, count, move.kernel, move.y, move.x)] = amplitude


@compiled
def rearrange_all(
    spikes: Spikes,
    counts: Integers,
    atoms: Atoms,
    scales: Floats,
    task: Task,
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
        residuals: ``(batch, height, width)``, what the spikes leave; changed.
        beyond: the part of their sums of absolute values that does not count, ``(batch,)``.
        rounds: rounds of a refit of the few spikes that a move changes.
    """
    batch, height, width = residuals.shape
    room = spikes.x.size // max(batch, 1)
    group, members = room_for(room + 1), np.empty(room, np.int64)
    changed = np.empty((height, width), np.int64)
    for b in range(batch):
        own = part(spikes, b * room, (b + 1) * room)
        measured = sized(task, sizes[b], task.energy)
        scene = Scene(
            atoms, scales, measured, residuals[b], beyond[b], group, members, rounds, changed
        )
        if sizes[b] > 0:
            counts[b] = rearrange(own, counts[b], scene)

"""What a move of spikes does to an image: some go, others come, and those that they meet change.

All of a group, the spikes that change, is one weighted least-squares problem: every sample weighs 1
over what is left of it, so that the sum of weighted squares stands for the sum of absolute errors.
Its matrix is factorised once, and every spike that may come is a row more: a look at it costs next
to nothing. What looks good enough is refitted in full.

Compiled loops on numpy arrays; a signal is an image of height 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sans.compilation.decorators import compiled, lent, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.absolute import product, refit_group
from sans.pursuit.atoms import Atoms, Index, Part, draw, extent, view
from sans.pursuit.least_squares import DEPENDENT, Envelope, envelope, substitute
from sans.pursuit.loops import Aim, SpikeArrays, insert, phi, remove, room_for
from sans.pursuit.loops import move as move_spike

SLIGHT = 1e-6
"""The share of φ that a move must save: less is rounding."""

NONE = -1

MOST = 20
"""How many spikes a group has at most, beside those that go or come: those that meet most."""

ROOM = MOST + 4
"""How many it has with those that come."""


class Group(NamedTuple):
    """Spikes that change together."""

    spikes: SpikeArrays
    """Those that stay, and behind them those that come."""

    which: Integers
    """``(room,)``: which of the image those that stay are."""

    matrix: Envelope
    """The factor of their matrix, all rows whole."""

    change: Floats
    """``(room,)``: by how much their amplitudes change."""


class ExchangeSetting(NamedTuple):
    """What all moves of the spikes of an image share."""

    atoms: Atoms
    """The kernels."""

    scales: Floats
    """``(kernels, height, width)``: 1 / norm of every atom, 0 where none may lie."""

    task: Aim
    """What is to be described."""

    residual: Floats
    """``(leads, height, width)``: what the spikes leave; changed."""

    beyond: float
    """The part of its sum of absolute values that does not count."""

    importance: Floats
    """Like the residual: the weight of every sample."""

    left: Floats
    """Like the residual, and the same between moves: what is left while some spikes are out."""

    weighed: Floats
    """The product of both."""

    trial: Floats
    """Like the residual: what a look draws on."""

    group: Group
    """Room for the spikes that one move changes."""

    changed: Integers
    """``(height, width)``: by which move a sample of the residual was changed last."""

    tried: Integers
    """``(kernels, height, width)``: 0: no spike is there; else the move after which it was tried
    last, or 1."""

    tuning: Floats


Goers = tuple[int, int]
"""Which spikes go: NONE, NONE: none; the second is NONE if it is one."""


@compiled
def group_for() -> Group:
    """Return room for a group."""
    matrix = envelope(np.zeros(ROOM, np.int64))
    return Group(room_for(ROOM), np.empty(ROOM, np.int64), matrix, np.zeros(ROOM))


@lent
def area_of(spikes: SpikeArrays, i: int, scene: ExchangeSetting) -> Part:
    """Return the rows and columns that a spike draws on."""
    _, height, width = scene.residual.shape
    return extent(scene.atoms, spikes.kernel[i], spikes.y[i], spikes.x[i], (height, width))


@lent
def joined(one: Part, other: Part) -> Part:
    """Return the least area that holds both."""
    rows = min(one[0], other[0]), max(one[1], other[1])
    return rows[0], rows[1], min(one[2], other[2]), max(one[3], other[3])


@lent
def common(one: Part, other: Part) -> int:
    """Return how many samples of a lead two areas have in common."""
    rows = min(one[1], other[1]) - max(one[0], other[0])
    columns = min(one[3], other[3]) - max(one[2], other[2])
    return max(rows, 0) * max(columns, 0)


@reordered
def absolute_in(area: Part, image: Floats) -> float:
    """Return the sum of absolute values of an area, all leads."""
    total = 0.0
    for lead in range(Index(image.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                total += abs(image[lead, y, x])
    return total


@reordered
def weighed_in(area: Part, scene: ExchangeSetting) -> float:
    """Write what is left times its weight, and return the sum of its weighted squares."""
    left, importance, weighed = scene.left, scene.importance, scene.weighed
    total = 0.0
    for lead in range(Index(left.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                met = left[lead, y, x] * importance[lead, y, x]
                weighed[lead, y, x] = met
                total += met * left[lead, y, x]
    return total


@lent
def copy_in(area: Part, source: Floats, target: Floats) -> None:
    """Copy an area of an image, all leads."""
    for lead in range(Index(source.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                target[lead, y, x] = source[lead, y, x]


@lent
def weigh_in(area: Part, least: float, scene: ExchangeSetting) -> None:
    """Write the weights of an area, and what they make of its residual."""
    residual, importance, weighed = scene.residual, scene.importance, scene.weighed
    for lead in range(Index(residual.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                size = abs(residual[lead, y, x])
                weight = np.divide(1.0, size if size > least else least)
                importance[lead, y, x] = weight
                weighed[lead, y, x] = weight * residual[lead, y, x]


@lent
def gather(spikes: SpikeArrays, count: int, area: Part, goers: Goers, scene: ExchangeSetting) -> int:
    """Copy the spikes that meet an area, the others than those that go; return how many."""
    group, found = scene.group, 0
    for i in range(count):
        if i == goers[0] or i == goers[1]:
            continue
        own = area_of(spikes, i, scene)
        shared = common(own, area)
        if shared == 0:
            continue
        rank, at = shared / math.sqrt((own[1] - own[0]) * (own[3] - own[2])), found
        if found == MOST:
            at = 0
            for j in range(1, MOST):
                if group.change[j] < group.change[at]:
                    at = j
            if group.change[at] >= rank:
                continue
        move_spike(spikes, i, group.spikes, at)
        group.which[at], group.change[at] = i, rank
        found = max(found, at + 1)
    return found


@reordered
def append(group: Group, at: int, scene: ExchangeSetting) -> bool:
    """Write the row of a spike of the group into the factor; return whether it depends on none."""
    spikes, entries = group.spikes, group.matrix.entries
    kernel, ys, xs = spikes.kernel, spikes.y, spikes.x
    row, energy = Index(at * (at + 1) // 2), 0.0
    for j in range(at + 1):
        pair, shift = (kernel[at], kernel[j]), (ys[at] - ys[j], xs[at] - xs[j])
        energy = product(scene.atoms, pair, ys[at], xs[at], shift, scene.importance)
        entries[row + Index(j)] = energy
    rest = energy
    for j in range(Index(at)):
        above = j * (j + Index(1)) // Index(2)
        met = entries[row + j]
        if met != 0.0 or True:
            for k in range(j):
                met -= entries[row + k] * entries[above + k]
            met *= entries[above + j]
            entries[row + j] = met
            rest -= met * met
    free = rest > 1e-6 * energy
    entries[row + Index(at)] = 1 / math.sqrt(rest) if free else 0.0
    return free


@lent
def solved(group: Group, rows: int, begin: int) -> None:
    """Replace the changes, 0 before `begin`, by the solution of the equations."""
    matrix = group.matrix
    factor = Envelope(matrix.first[:rows], matrix.begin[: rows + 1], matrix.entries)
    substitute(factor, group.change[:rows], begin)


@lent
def take_out(
    spikes: SpikeArrays, count: int, area: Part, goers: Goers, scene: ExchangeSetting
) -> tuple[int, Part]:
    """Let spikes go, and those that meet an area make the best of it; return how many, and where.

    What is left then is in the scene, and the amplitudes are those of the group.
    """
    group, left = scene.group, scene.left
    members = gather(spikes, count, area, goers, scene)
    for goer in goers:
        if goer != NONE:
            kernel, y, x = spikes.kernel[goer], spikes.y[goer], spikes.x[goer]
            draw(scene.atoms, kernel, spikes.amplitude[goer], y, x, left)
    weighed_in(area, scene)
    own = group.spikes
    for i in range(members):
        append(group, i, scene)
        group.change[i] = view(scene.atoms, own.kernel[i], own.y[i], own.x[i], scene.weighed)
        area = joined(area, area_of(own, i, scene))
    solved(group, members, 0)
    settle(members, left, scene)
    return members, area


@lent
def settle(total: int, image: Floats, scene: ExchangeSetting) -> None:
    """Let the changes of a group be made, in its amplitudes and an image."""
    spikes, change = scene.group.spikes, scene.group.change
    for i in range(total):
        spikes.amplitude[i] += change[i]
        draw(scene.atoms, spikes.kernel[i], -change[i], spikes.y[i], spikes.x[i], image)
        change[i] = 0.0


@lent
def join(total: int, kernel: int, y: int, x: int, scene: ExchangeSetting) -> float:
    """Let a spike come to a group, as its last; return what it saves of the weighted squares.

    How amplitudes change by it is in the group's changes.
    """
    group = scene.group
    spikes = group.spikes
    spikes.kernel[total], spikes.y[total], spikes.x[total] = kernel, y, x
    spikes.amplitude[total] = 0.0
    group.change[: total + 1] = 0.0
    if not append(group, total, scene):
        return 0.0
    met = view(scene.atoms, kernel, y, x, scene.weighed)
    group.change[total] = met
    solved(group, total + 1, total)
    return met * group.change[total]


@lent
def seen(total: int, area: Part, scene: ExchangeSetting) -> float:
    """Draw the changes of a group on a copy of what is left; return the change of the error."""
    spikes, change, trial = scene.group.spikes, scene.group.change, scene.trial
    copy_in(area, scene.left, trial)
    for i in range(total):
        draw(scene.atoms, spikes.kernel[i], -change[i], spikes.y[i], spikes.x[i], trial)
    return absolute_in(area, trial) - absolute_in(area, scene.residual)


@compiled
def perform(
    spikes: SpikeArrays,
    count: int,
    error: float,
    goers: Goers,
    members: int,
    total: int,
    area: Part,
    move: int,
    scene: ExchangeSetting,
) -> tuple[int, float, bool]:
    """Refit what was just seen in full, and keep it if φ is lower by it."""
    group, task, beyond = scene.group, scene.task, scene.beyond
    top, bottom, left, right = area
    place = scene.trial[:, top:bottom, left:right].copy()
    before, kept = absolute_in(area, scene.residual), group.spikes.amplitude[:total].copy()
    for i in range(total):
        group.spikes.amplitude[i] += group.change[i]
        group.spikes.y[i] -= top
        group.spikes.x[i] -= left
    change = refit_group(group.spikes, total, scene.atoms, place, int(scene.tuning[3])) - before
    for i in range(total):
        group.spikes.y[i] += top
        group.spikes.x[i] += left
    after = count - (goers[0] != NONE) - (goers[1] != NONE) + total - members
    scene.tuning[11] += 1
    if phi(task, after, error + change - beyond) >= (1 - SLIGHT) * phi(task, count, error - beyond):
        group.spikes.amplitude[:total] = kept
        return count, error, False
    scene.tuning[12] += 1
    scene.tuning[36 + 4 * ((goers[0] != NONE) + (goers[1] != NONE)) + total - members] += 1
    for lead in range(place.shape[0]):
        for y in range(bottom - top):
            for x in range(right - left):
                if abs(scene.residual[lead, top + y, left + x] - place[lead, y, x]) > scene.tuning[9] * scene.tuning[14]:
                    scene.changed[top + y, left + x] = move
                scene.residual[lead, top + y, left + x] = place[lead, y, x]
    copy_in(area, scene.residual, scene.left)
    weigh_in(area, scene.tuning[14], scene)
    _adopt(spikes, count, goers, members, total, scene)
    return after, error + change, True


@lent
def _adopt(
    spikes: SpikeArrays, count: int, goers: Goers, members: int, total: int, scene: ExchangeSetting
) -> None:
    """Let a move that was made in the group be made."""
    own, tried = scene.group.spikes, scene.tried
    for i in range(members):
        spikes.amplitude[scene.group.which[i]] = own.amplitude[i]
    for goer in (max(goers[0], goers[1]), min(goers[0], goers[1])):
        if goer != NONE:
            tried[spikes.kernel[goer], spikes.y[goer], spikes.x[goer]] = 0
            remove(spikes, count, goer)
            count -= 1
    for i in range(members, total):
        kernel, y, x = own.kernel[i], own.y[i], own.x[i]
        spikes.amplitude[insert(spikes, count, kernel, y, x)] = own.amplitude[i]
        tried[kernel, y, x] = 1
        count += 1

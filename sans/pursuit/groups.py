"""Spikes that change together, as one weighted least-squares problem.

A sample weighs 1 over what is left of it, so that the sum of weighted squares stands for the sum of
absolute errors. The matrix of a group is factorised once, and every spike that may come is a row
more: a look at one costs next to nothing.

Compiled loops on numpy arrays; a signal is an image of height 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sans.compilation.decorators import compiled, lent, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.areas import absolute_in, common, copy_in, joined, multiply_in
from sans.pursuit.atoms import Atoms, Index, Part, draw, extent, view
from sans.pursuit.least_squares import Envelope, envelope, substitute
from sans.pursuit.loops import Aim, SpikeArrays, move, room_for
from sans.pursuit.pairs import met

NONE = -1

MOST = 20
"""How many spikes a group has at most beside those that come: those that meet most of it."""

ROOM = MOST + 4
"""How many it has with those that come."""

DEPENDENT = 1e-6
"""Of a spike that comes, the others must leave a larger share than this."""


class Group(NamedTuple):
    """Room for spikes that change together."""

    spikes: SpikeArrays
    """Those that stay, and behind them those that come."""

    which: Integers
    """``(room,)``: which of the image's those that stay are."""

    matrix: Envelope
    """The factor of their matrix, whose rows are whole."""

    change: Floats
    """``(room,)``: by how much their amplitudes are to change."""


class ExchangeSetting(NamedTuple):
    """What all moves of the spikes of an image share."""

    atoms: Atoms
    """The kernels."""

    scales: Floats
    """``(shapes, height, width)``: 1 / norm of every atom, 0 where none may lie."""

    task: Aim
    """What is to be described."""

    residual: Floats
    """``(leads, height, width)``: what the spikes leave; changed."""

    beyond: float
    """The part of its sum of absolute values that does not count."""

    importance: Floats
    """Like the residual: the weight of every sample."""

    left: Floats
    """Like the residual: what is left while spikes are out; between moves, the residual."""

    weighed: Floats
    """What is left, every sample times its weight."""

    trial: Floats
    """Like the residual: what a look draws on."""

    spectrum: Floats
    """``(height, width)``: room for what cosines meet."""

    group: Group
    """Room for the spikes that one move changes."""

    candidates: Integers
    """``(room, 3)``: shape, row and column of spikes that may come."""

    gains: Floats
    """``(room,)``: what each would save of the weighted squares."""

    level: Floats
    """``(1,)``: the size of an error below which all weigh the same."""

    clock: Integers
    """``(1,)``: how many moves have been made."""

    changed: Integers
    """``(height, width)``: the last move that changed a sample of the residual."""

    tried: Integers
    """``(shapes, height, width)``: the move before which the spike there was tried last; `NEW`: it
    was not; `VACANT`: there is none."""


VACANT, NEW, START = 0, 1, 2
"""What `tried` says of a place without a spike, of a new spike, and the clock at the start."""


@compiled
def group_for() -> Group:
    """Return room for a group."""
    matrix = envelope(np.zeros(ROOM, np.int64))
    return Group(room_for(ROOM), np.empty(ROOM, np.int64), matrix, np.zeros(ROOM))


@lent
def area_of(spikes: SpikeArrays, i: int, scene: ExchangeSetting) -> Part:
    """Return the rows and columns that a spike draws on."""
    space = (scene.residual.shape[1], scene.residual.shape[2])
    return extent(scene.atoms, spikes.kernel[i], spikes.y[i], spikes.x[i], space)


@lent
def take_out(
    spikes: SpikeArrays, count: int, area: Part, goers: tuple[int, int], scene: ExchangeSetting
) -> tuple[int, Part]:
    """Let spikes go, and those that meet an area make the best of it.

    Args:
        spikes: those of the image.
        count: how many there are.
        area: where those that go, or come, draw.
        goers: which go, each may be NONE.
        scene: what all moves share; what is left then is written there.

    Returns:
        How many spikes stay in the group, and the area that all draw on.
    """
    group = scene.group
    members, own = _gather(spikes, count, area, goers, scene), group.spikes
    for goer in goers:
        if goer != NONE:
            kernel, y, x = spikes.kernel[goer], spikes.y[goer], spikes.x[goer]
            draw(scene.atoms, kernel, spikes.amplitude[goer], y, x, scene.left)
    multiply_in(area, scene.left, scene.importance, scene.weighed)
    for i in range(members):
        _append(group, i, scene)
        group.change[i] = view(scene.atoms, own.kernel[i], own.y[i], own.x[i], scene.weighed)
        area = joined(area, area_of(own, i, scene))
    _solve(group, members, 0)
    settle(members, area, scene)
    return members, area


@lent
def _gather(
    spikes: SpikeArrays, count: int, area: Part, goers: tuple[int, int], scene: ExchangeSetting
) -> int:
    """Copy the spikes that meet an area, not those that go, into the group; return how many."""
    group, found = scene.group, 0
    for i in range(count):
        own = area_of(spikes, i, scene)
        shared = common(own, area)
        if shared == 0 or i in goers:
            continue
        share, at = shared / math.sqrt((own[1] - own[0]) * (own[3] - own[2])), found
        if found == MOST:
            at = 0
            for j in range(1, MOST):
                if group.change[j] < group.change[at]:
                    at = j
            if group.change[at] >= share:
                continue
        move(spikes, i, group.spikes, at)
        group.which[at], group.change[at] = i, share
        found = max(found, at + 1)
    return found


@reordered
def _append(group: Group, at: int, scene: ExchangeSetting) -> bool:
    """Write the row of a spike into the factor; return whether it depends on none before it."""
    spikes, entries = group.spikes, group.matrix.entries
    own, energy = (spikes.kernel[at], spikes.y[at], spikes.x[at]), 0.0
    row = Index(at * (at + 1) // 2)
    for j in range(at + 1):
        other = (spikes.kernel[j], spikes.y[j], spikes.x[j])
        energy = met(scene.atoms, own, other, scene.importance)
        entries[row + Index(j)] = energy
    rest = energy
    for j in range(Index(at)):
        above = j * (j + Index(1)) // Index(2)
        entry = entries[row + j]
        for k in range(j):
            entry -= entries[row + k] * entries[above + k]
        entry *= entries[above + j]
        entries[row + j] = entry
        rest -= entry * entry
    free = rest > DEPENDENT * energy
    entries[row + Index(at)] = 1 / math.sqrt(rest) if free else 0.0
    return free


@lent
def _solve(group: Group, rows: int, begin: int) -> None:
    """Replace the changes, 0 before `begin`, by the solution of the equations."""
    first, begins, entries = group.matrix
    factor = Envelope(first[:rows], begins[: rows + 1], entries)
    substitute(factor, group.change[:rows], begin)


@lent
def settle(total: int, area: Part, scene: ExchangeSetting) -> None:
    """Let the changes of a group be made, in its amplitudes and in what is left of an area."""
    spikes, change = scene.group.spikes, scene.group.change
    for i in range(total):
        spikes.amplitude[i] += change[i]
        draw(scene.atoms, spikes.kernel[i], -change[i], spikes.y[i], spikes.x[i], scene.left)
        change[i] = 0.0
    multiply_in(area, scene.left, scene.importance, scene.weighed)


@lent
def restore(area: Part, scene: ExchangeSetting) -> None:
    """Let what is left of an area be the residual again."""
    copy_in(area, scene.residual, scene.left)
    multiply_in(area, scene.left, scene.importance, scene.weighed)


@lent
def join(total: int, kernel: int, y: int, x: int, scene: ExchangeSetting) -> float:
    """Let a spike come to a group, as its last; return what it saves of the weighted squares.

    How all amplitudes change by it is in the group's changes. 0: it is what others draw already.
    """
    group = scene.group
    spikes, change = group.spikes, group.change
    spikes.kernel[total], spikes.y[total], spikes.x[total] = kernel, y, x
    spikes.amplitude[total] = 0.0
    for i in range(total + 1):
        change[i] = 0.0
    if not _append(group, total, scene):
        return 0.0
    similarity = view(scene.atoms, kernel, y, x, scene.weighed)
    change[total] = similarity
    _solve(group, total + 1, total)
    return float(similarity * change[total])


@lent
def look(total: int, area: Part, scene: ExchangeSetting) -> float:
    """Draw the changes of a group on a copy of what is left; return the change of the error."""
    spikes, change, trial = scene.group.spikes, scene.group.change, scene.trial
    copy_in(area, scene.left, trial)
    for i in range(total):
        draw(scene.atoms, spikes.kernel[i], -change[i], spikes.y[i], spikes.x[i], trial)
    return absolute_in(area, trial) - absolute_in(area, scene.residual)

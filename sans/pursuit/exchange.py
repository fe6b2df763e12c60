"""A move of the spikes of an image: some go, others come, and those that they meet change with it.

What comes is looked at first: by the weighted squares, then by the error with the amplitudes of
the least weighted squares. Only what seems good enough is refitted in full.

Compiled loops on numpy arrays; a signal is an image of height 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sans.compilation.decorators import compiled, lent
from sans.convolution.frames import Floats
from sans.pursuit.absolute import refit_group
from sans.pursuit.areas import absolute_in, joined, squares_in, weigh_in
from sans.pursuit.atoms import Part, extent, within
from sans.pursuit.candidates import best_of, propose
from sans.pursuit.groups import (
    NEW,
    NONE,
    VACANT,
    ExchangeSetting,
    area_of,
    join,
    look,
    restore,
    settle,
    take_out,
)
from sans.pursuit.loops import PHI, SpikeArrays, insert, phi, remove

SLIGHT = 1e-6
"""The share of φ that a move must save: less is rounding."""

ROUNDS = 3
"""Rounds of a refit of the few spikes that a move changes; more hardly help."""

NEAR = 10.0
"""A look may miss by the error that so many spikes are worth. Kernels with edges leave errors of
exactly 0, which weigh most: of those a refit makes up for much."""

PROMISING = 2.0
"""By so many spikes' worth may half the weighted squares miss, which tell an error from above."""

FAR = 3.0
"""Where one spike instead of another costs more than so many are worth, two hardly help."""

SEEN = 0.1
"""A change of less than this share of what all samples weigh the same below is none."""


class Proposal(NamedTuple):
    """A move that may be made."""

    goers: tuple[int, int]
    """Which spikes go; each may be NONE."""

    stay: int
    """How many of the group stay."""

    total: int
    """How many it has with those that come."""

    area: Part
    """Where they draw, and those that go."""


@lent
def worth(count: int, error: float, scene: ExchangeSetting) -> float:
    """Return how much less error makes up for one spike more."""
    task = scene.task
    verbosity = (task.weights + task.cost * count) / task.samples
    least = 1e-300  # of a signal that is described to the last bit no spike is worth anything
    return verbosity * task.cost / task.samples * task.size**2 / max(error - scene.beyond, least)


@lent
def try_out(
    spikes: SpikeArrays, count: int, error: float, proposal: Proposal, scene: ExchangeSetting
) -> tuple[int, float]:
    """Make a move if φ is lower by it; return how many spikes there are then, and the error."""
    fewer = (proposal.goers[0] != NONE) + (proposal.goers[1] != NONE)
    fewer -= proposal.total - proposal.stay
    if count - fewer > spikes.x.size:
        return count, error
    limit = (fewer + NEAR) * worth(count, error, scene)
    if look(proposal.total, proposal.area, scene) < limit:  # and is a number
        return _perform(spikes, count, error, proposal, scene)
    return count, error


@compiled
def _perform(
    spikes: SpikeArrays, count: int, error: float, proposal: Proposal, scene: ExchangeSetting
) -> tuple[int, float]:
    """Refit what a look has drawn, and keep it if φ is lower by it."""
    own, task, (top, bottom, left, right) = scene.group.spikes, scene.task, proposal.area
    place = np.empty((scene.trial.shape[0], bottom - top, right - left))
    _cut_out(scene.trial, proposal.area, place)
    kept = np.empty(proposal.total)
    for i in range(proposal.total):
        kept[i] = own.amplitude[i]
        own.amplitude[i] += scene.group.change[i]
        if own.kernel[i] < scene.atoms.kernels.shape[0]:
            own.y[i], own.x[i] = own.y[i] - top, own.x[i] - left
    found = refit_group(own, proposal.total, within(scene.atoms, proposal.area), place, ROUNDS)
    for i in range(proposal.total):
        if own.kernel[i] < scene.atoms.kernels.shape[0]:
            own.y[i], own.x[i] = own.y[i] + top, own.x[i] + left
    total = error + found - absolute_in(proposal.area, scene.residual)
    gone = (proposal.goers[0] != NONE) + (proposal.goers[1] != NONE)
    after, beyond = count - gone + proposal.total - proposal.stay, scene.beyond
    if phi(task, after, total - beyond) < (1 - SLIGHT) * phi(task, count, error - beyond):
        _redraw(place, proposal.area, scene)
        _adopt(spikes, count, proposal, scene)
        return after, total
    for i in range(proposal.total):  # the error is no less, or no number
        own.amplitude[i] = kept[i]
    return count, error


@lent
def _cut_out(image: Floats, area: Part, place: Floats) -> None:
    """Write an area of an image."""
    for lead in range(place.shape[0]):
        for y in range(place.shape[1]):
            for x in range(place.shape[2]):
                place[lead, y, x] = image[lead, area[0] + y, area[2] + x]


@lent
def _redraw(place: Floats, area: Part, scene: ExchangeSetting) -> None:
    """Write what a move leaves of an area, and note when it changed."""
    residual, clock = scene.residual, scene.clock[0]
    for lead in range(residual.shape[0]):
        for y in range(area[0], area[1]):
            for x in range(area[2], area[3]):
                left = place[lead, y - area[0], x - area[2]]
                if abs(left - residual[lead, y, x]) > SEEN * scene.level[0]:
                    scene.changed[y, x] = clock
                residual[lead, y, x] = left
    reweigh(area, scene)


@lent
def reweigh(area: Part, scene: ExchangeSetting) -> None:
    """Write the weights of what is left of an area, for the next looks."""
    least, missing = scene.level[0], scene.atoms.missing
    weigh_in(area, scene.residual, least, missing, scene.importance)
    restore(area, scene)


@lent
def _adopt(spikes: SpikeArrays, count: int, proposal: Proposal, scene: ExchangeSetting) -> None:
    """Let the spikes of an image be those of a move that was made in the group."""
    own, tried, goers = scene.group.spikes, scene.tried, proposal.goers
    for i in range(proposal.stay):
        spikes.amplitude[scene.group.which[i]] = own.amplitude[i]
    for goer in (max(goers[0], goers[1]), min(goers[0], goers[1])):
        if goer != NONE:
            tried[spikes.kernel[goer], spikes.y[goer], spikes.x[goer]] = VACANT
            remove(spikes, count, goer)
            count -= 1
    for i in range(proposal.stay, proposal.total):
        shape, y, x = own.kernel[i], own.y[i], own.x[i]
        spikes.amplitude[insert(spikes, count, shape, y, x)] = own.amplitude[i]
        tried[shape, y, x] = NEW
        count += 1
    scene.clock[0] += 1


@lent
def exchange(
    spikes: SpikeArrays, count: int, error: float, goers: tuple[int, int], scene: ExchangeSetting
) -> tuple[int, float]:
    """Try an image without one or two spikes, or with one or two others instead.

    Where the number of spikes or an error says when to stop, as many come as go.
    """
    gone, area = 1, area_of(spikes, goers[0], scene)
    if goers[1] != NONE:
        gone, area = 2, joined(area, area_of(spikes, goers[1], scene))
    stay, area = take_out(spikes, count, area, goers, scene)
    lost = squares_in(area, scene.left, scene.importance)
    lost -= squares_in(area, scene.residual, scene.importance)
    free, total = scene.task.stop == PHI, stay
    most = 2 if free else gone
    for come in range(most + 1):
        proposal = Proposal(goers, stay, total, area)
        if (free or come == gone) and not come == gone == 1:  # those were tried when they came
            after, left = try_out(spikes, count, error, proposal, scene)
            if (after, left) != (count, error):
                return after, left
        if come == most or (come == gone and lost > 2 * FAR * worth(count, error, scene)):
            break
        found = propose(spikes, goers[come % gone], total, come == 0 and gone == 1, scene)
        if come == 0 and gone == 1:
            after, left = _replace(spikes, count, error, proposal, (found, lost), scene)
            if (after, left) != (count, error):
                return after, left
        best = best_of(found, scene)
        if best == NONE:
            break
        lost -= scene.gains[best]
        total, area = _let_come(total, best, area, scene)
    restore(area, scene)
    return count, error


@lent
def _let_come(total: int, best: int, area: Part, scene: ExchangeSetting) -> tuple[int, Part]:
    """Let a candidate come to the group; return how many it has then, and the area."""
    shape, y, x = scene.candidates[best]
    join(total, shape, y, x, scene)
    space = (scene.residual.shape[1], scene.residual.shape[2])
    area = joined(area, extent(scene.atoms, shape, y, x, space))
    settle(total + 1, area, scene)
    return total + 1, area


@lent
def _replace(
    spikes: SpikeArrays,
    count: int,
    error: float,
    proposal: Proposal,
    looks: tuple[int, float],
    scene: ExchangeSetting,
) -> tuple[int, float]:
    """Try every candidate that promises something instead of a spike; keep the first that does it.

    Args:
        spikes: those of the image.
        count: how many there are.
        error: the sum of absolute errors.
        proposal: the move without a candidate.
        looks: how many candidates there are, and what is lost without any.
        scene: what all moves share.
    """
    (found, lost), (goers, total, _, area) = looks, proposal
    limit = 2 * PROMISING * worth(count, error, scene)
    space = (scene.residual.shape[1], scene.residual.shape[2])
    for i in range(found):
        if scene.gains[i] > 0 and lost - scene.gains[i] < limit:
            shape, y, x = scene.candidates[i]
            join(total, shape, y, x, scene)
            grown = joined(area, extent(scene.atoms, shape, y, x, space))
            after, left = try_out(
                spikes, count, error, Proposal(goers, total, total + 1, grown), scene
            )
            if (after, left) != (count, error):
                return after, left
    return count, error


@lent
def add(
    spikes: SpikeArrays,
    count: int,
    error: float,
    atom: tuple[int, int, int],
    scene: ExchangeSetting,
) -> tuple[int, float]:
    """Try an image with one spike more: shape, row and column."""
    space = (scene.residual.shape[1], scene.residual.shape[2])
    area = extent(scene.atoms, atom[0], atom[1], atom[2], space)
    stay, area = take_out(spikes, count, area, (NONE, NONE), scene)
    after, left = count, error
    if join(stay, atom[0], atom[1], atom[2], scene) > 0:
        proposal = Proposal((NONE, NONE), stay, stay + 1, area)
        after, left = try_out(spikes, count, error, proposal, scene)
    if (after, left) == (count, error):
        restore(area, scene)
    return after, left

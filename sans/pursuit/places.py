"""Places of spikes, once more: each may go elsewhere, have another shape, go or come.

A pursuit chooses its spikes one after the other, and the first were chosen without the later ones.
Here every spike is taken out, alone and with the one that it meets most, and what is left then says
what comes instead; the spikes that these meet get new amplitudes with them, of the least sum of
absolute errors. What lowers φ stays.
"""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import compiled, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.areas import absolute_in, common, energy_in
from sans.pursuit.atoms import Atoms, view
from sans.pursuit.candidates import strongest_around, strongest_wave
from sans.pursuit.exchange import add, exchange, reweigh, worth
from sans.pursuit.groups import (
    NEW,
    NONE,
    START,
    VACANT,
    ExchangeSetting,
    area_of,
    group_for,
)
from sans.pursuit.loops import PHI, Aim, SpikeArrays, part, phi, sized
from sans.pursuit.pairs import met

SWEEPS = 8
"""How often all spikes are tried, at most."""

ENOUGH = 0.002
"""A sweep that lowers φ by a smaller share is the last."""

PAIRS = 1
"""In how many sweeps spikes of an image of several rows are tried in pairs: later hardly one
moves."""

LEVEL = 0.5
"""Errors below this share of their mean, each counted by its size, weigh the same in a look: what
is hardly missed now may be when a spike moves. A plain mean would be next to nothing where most of
an image is empty."""

PROMISE = 0.3
"""What a spike more would save by itself, in spikes' worth; less is not tried."""

NARROW, LOW = 16, 4
"""A spike more is looked for in every so many columns of a signal at least, and rows and columns
of an image."""


@lent
def _rearrange(spikes: SpikeArrays, count: int, scene: ExchangeSetting) -> int:
    """Move spikes as long as φ falls by it; return how many there are then.

    Where the number of spikes or an error says when to stop, none goes or comes without another.
    """
    _, height, width = scene.residual.shape
    whole = (0, height, 0, width)
    error = absolute_in(whole, scene.residual)
    _begin(spikes, count, scene)
    since = 0
    for sweep in range(SWEEPS):
        started, before = scene.clock[0], phi(scene.task, count, error - scene.beyond)
        mean = energy_in(whole, scene.residual) / max(error, 1e-300)
        scene.level[0] = max(LEVEL * mean, 1e-300)
        reweigh(whole, scene)
        which = 0
        while which < count:
            if _is_fresh(spikes, which, scene):
                pairs = height == 1 or sweep < PAIRS
                count, error = _resettle(spikes, count, error, which, pairs, scene)
            which += 1
        if scene.task.stop == PHI:
            count, error = _fill(spikes, count, error, since, scene)
        if phi(scene.task, count, error - scene.beyond) > (1 - ENOUGH) * before:
            break
        since = started
    return count


@lent
def _begin(spikes: SpikeArrays, count: int, scene: ExchangeSetting) -> None:
    """Start the clock."""
    scene.clock[0] = START
    changed, tried = scene.changed, scene.tried
    for y in range(changed.shape[0]):
        for x in range(changed.shape[1]):
            changed[y, x] = NEW
            for shape in range(tried.shape[0]):
                tried[shape, y, x] = VACANT
    for i in range(count):
        scene.tried[spikes.kernel[i], spikes.y[i], spikes.x[i]] = NEW


@lent
def _resettle(
    spikes: SpikeArrays, count: int, error: float, which: int, pairs: bool, scene: ExchangeSetting
) -> tuple[int, float]:
    """Try others instead of a spike, and then of it and the one that it meets most."""
    shape, y, x, now = spikes.kernel[which], spikes.y[which], spikes.x[which], scene.clock[0]
    count, error = exchange(spikes, count, error, (which, NONE), scene)
    if pairs and scene.clock[0] == now:
        other = _closest(spikes, count, which, scene)
        if other != NONE:
            count, error = exchange(spikes, count, error, (which, other), scene)
    if scene.clock[0] == now:
        scene.tried[shape, y, x] = now
    return count, error


@lent
def _closest(spikes: SpikeArrays, count: int, which: int, scene: ExchangeSetting) -> int:
    """Return the spike that a spike meets most; NONE: it meets none."""
    own, most, found = area_of(spikes, which, scene), 0.0, NONE
    atom = (spikes.kernel[which], spikes.y[which], spikes.x[which])
    for i in range(count):
        if i != which and common(own, area_of(spikes, i, scene)):
            other = (spikes.kernel[i], spikes.y[i], spikes.x[i])
            shared = met(scene.atoms, atom, other, scene.importance) ** 2
            energy = met(scene.atoms, other, other, scene.importance)
            if shared > most * energy:
                most, found = shared / energy, i
    return found


@lent
def _is_fresh(spikes: SpikeArrays, which: int, scene: ExchangeSetting) -> bool:
    """Return whether something has changed where a spike draws since it was tried last."""
    last = scene.tried[spikes.kernel[which], spikes.y[which], spikes.x[which]]
    top, bottom, left, right = area_of(spikes, which, scene)
    return _has_changed(top, bottom, left, right, last, scene)


@lent
def _has_changed(
    top: int, bottom: int, left: int, right: int, last: int, scene: ExchangeSetting
) -> bool:
    """Return whether an area has changed by a move from `last` on."""
    for y in range(max(top, 0), min(bottom, scene.changed.shape[0])):
        for x in range(max(left, 0), min(right, scene.changed.shape[1])):
            if scene.changed[y, x] >= last:
                return True
    return False


@lent
def _fill(
    spikes: SpikeArrays, count: int, error: float, since: int, scene: ExchangeSetting
) -> tuple[int, float]:
    """Try one spike more: of every kernel in every part of its size that changed, and a cosine."""
    _, height, width = scene.residual.shape
    for kernel in range(scene.atoms.kernels.shape[0]):
        edges = scene.atoms.edges[kernel]
        rows = max(edges[1] - edges[0], 1 if height == 1 else LOW)
        columns = max(edges[3] - edges[2], NARROW if height == 1 else LOW)
        half = (rows // 2, columns // 2)
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                if _has_changed(y, y + rows, x, x + columns, since, scene):
                    centre = (min(y + half[0], height - 1), min(x + half[1], width - 1))
                    _, row, column = strongest_around(kernel, centre, half, 0, scene)
                    atom = (kernel, row, column)
                    count, error = _add(spikes, count, error, atom, scene)
    if scene.atoms.wide.size:
        _, row, column = strongest_wave(0, scene)
        atom = (scene.atoms.kernels.shape[0], row, column)
        count, error = _add(spikes, count, error, atom, scene)
    return count, error


@lent
def _add(
    spikes: SpikeArrays,
    count: int,
    error: float,
    atom: tuple[int, int, int],
    scene: ExchangeSetting,
) -> tuple[int, float]:
    """Try one spike more if it promises something."""
    shape, y, x = atom
    if y == NONE or count == spikes.x.size:
        return count, error
    similarity = view(scene.atoms, shape, y, x, scene.weighed)
    energy = met(scene.atoms, atom, atom, scene.importance)
    if similarity**2 <= 2 * PROMISE * worth(count, error, scene) * energy:
        return count, error
    return add(spikes, count, error, atom, scene)


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
) -> None:
    """Move the spikes of images, each image for itself.

    Args:
        spikes: room for ``(batch * room,)``, those of image b from b * room on; changed.
        counts: how many spikes each image has, ``(batch,)``; changed.
        atoms: the kernels.
        scales: ``(shapes, height, width)``, 1 / norm of every atom, 0 where none may lie.
        task: what is to be described, and until when.
        sizes: the sum of absolute values of each image, what φ measures its error by, ``(batch,)``.
        residuals: ``(batch, leads, height, width)``, what the spikes leave; changed.
        beyond: the part of their sums of absolute values that does not count, ``(batch,)``.
    """
    batch, leads, height, width = residuals.shape
    room, shapes = spikes.x.size // max(batch, 1), scales.shape[0]
    importance, left = np.zeros((leads, height, width)), np.zeros((leads, height, width))
    weighed, trial = np.zeros((leads, height, width)), np.zeros((leads, height, width))
    spectrum, group = np.empty((height, width)), group_for()
    candidates, gains = np.empty((shapes + 9, 3), np.int64), np.empty(shapes + 9)
    level, clock = np.empty(1), np.empty(1, np.int64)
    changed, tried = np.empty((height, width), np.int64), np.empty(scales.shape, np.int64)
    for b in range(batch):
        scene = ExchangeSetting(
            atoms,
            scales,
            sized(task, sizes[b], task.energy),
            residuals[b],
            beyond[b],
            importance,
            left,
            weighed,
            trial,
            spectrum,
            group,
            candidates,
            gains,
            level,
            clock,
            changed,
            tried,
        )
        if sizes[b] > 0:
            counts[b] = _rearrange(part(spikes, b * room, (b + 1) * room), counts[b], scene)

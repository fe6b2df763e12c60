"""The pursuit of one image, in compiled loops on numpy arrays.

A round looks at the similarity of what is not described yet with every kernel, each by its norm. Of
the largest entries it takes those that are extrema over all kernels and farther from each other
than the longest kernel reaches, so that none changes what the others see. Then all amplitudes are
refitted by least squares, and the next round looks at what they leave.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, inlined, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.areas import absolute_in, energy_in
from sans.pursuit.atoms import Atoms, is_whole
from sans.pursuit.loops import (
    ERROR,
    NOTHING,
    PATIENCE,
    PHI,
    SHARE,
    THRESHOLD,
    Aim,
    SpikeArrays,
    absolute,
    copy,
    insert,
    part,
    phi,
    room_for,
    sized,
    write,
)
from sans.pursuit.peaks import choose, crests
from sans.pursuit.pruning import prune
from sans.pursuit.refits import polish, refit
from sans.pursuit.state import PursuitState, has_room, slot_of, state_for, state_of, with_room
from sans.pursuit.surveys import crest, remaining, strongest_kernel, survey

SLIGHT = 1e-9
"""A refit leaves what draws less than this share of the strongest atom to the next one."""


LATE = 15
"""Rounds in the place of `PATIENCE` where a kernel is wider than half the image: there a round adds
a spike or two, and wide kernels may need several more before φ falls again."""


FALL = 0.01
"""Where the strongest atom falls below this share of the last, what a refit left matters again."""


class Sheets(NamedTuple):
    """Room that every image uses again."""

    chosen: Integers
    """``(height * width,)``: places."""

    taken: NDArray[np.bool_]
    """``(height, width)``: flags of places."""

    best: SpikeArrays
    """The spikes of the lowest φ so far."""

    residual: Floats
    """``(leads, height, width)``: what they leave."""


@compiled
def pursue(
    atoms: Atoms, task: Aim, state: PursuitState, sheets: Sheets, spikes: SpikeArrays, count: int
) -> tuple[int, PursuitState]:
    """Describe an image by spikes.

    Args:
        atoms: the kernels.
        task: what is to be described, and until when.
        state: what is known of the image; its residual becomes what the spikes leave.
        sheets: room to work in.
        spikes: room, written.
        count: 0; with a 0 of its own, which has a type of its own, much would be compiled twice.

    Returns:
        How many spikes there are, and the state, which may have got more room.
    """
    beyond = _beyond(task, state.residual)
    top = survey(state, task)
    floor = NOTHING * top
    lowest, kept, worse = phi(task, count, task.size), count, 0
    write(state.residual, sheets.residual)
    patience = LATE if 2 * atoms.kernels.shape[3] > state.residual.shape[2] else PATIENCE
    while count < spikes.x.size and top > floor:
        before = count
        if not _is_done(task, top, remaining(state) - beyond):
            wave = crest(state) >= top
            found = _choose(atoms, task, top, wave, state, sheets)
            if not has_room(state, found):
                state = with_room(state, found)
            count = _add(sheets.chosen, found, atoms, wave, state, spikes, count)
        if count == before:
            break
        top = _settle(spikes, count, atoms, state, task, top)
        if task.stop == PHI:
            now = phi(task, count, remaining(state) - beyond)
            if now < lowest:
                lowest, kept, worse = now, count, 0
                copy(spikes, count, sheets.best)
                write(state.residual, sheets.residual)
            else:
                worse += 1
                if worse == patience or phi(task, count, 0.0) >= lowest:
                    break
    if task.stop == PHI:
        copy(sheets.best, kept, spikes)
        write(sheets.residual, state.residual)
        count = prune(spikes, kept, atoms, state, task, beyond)
    else:
        polish(spikes, count, atoms, state)
    return count, state


@lent
def _beyond(task: Aim, image: Floats) -> float:
    """Return what does not count of what is left: that of the columns where no spikes lie.

    φ is to feel every change of them; an error does not feel those behind, which are to be
    described later, and then to their own measure.
    """
    _, height, width = image.shape
    before = (0, height, 0, min(task.first, width))
    if task.stop == ERROR:
        return energy_in(before, image)
    return absolute_in(before, image) + absolute_in((0, height, task.last, width), image)


@lent
def _is_done(task: Aim, top: float, left: float) -> bool:
    """Return whether the stop by error or threshold says so before a round."""
    if task.stop == ERROR:
        return left <= task.value**2 * task.energy
    return task.stop == THRESHOLD and top < task.value


@lent
def _choose(
    atoms: Atoms, task: Aim, top: float, wave: bool, state: PursuitState, sheets: Sheets
) -> int:
    """Choose the places of a round's spikes, or its frequencies; return how many there are."""
    least = max(SHARE * top, task.value if task.stop == THRESHOLD else 0.0)
    if wave:
        return crests(state, least, sheets.chosen)
    distance = max(atoms.kernels.shape[2], atoms.kernels.shape[3])
    return choose(state.strongest, state.tops, least, distance, sheets.taken, sheets.chosen)


@lent
def _add(
    places: Integers,
    found: int,
    atoms: Atoms,
    wave: bool,
    state: PursuitState,
    spikes: SpikeArrays,
    count: int,
) -> int:
    """Add the strongest atoms at places, or cosines, as spikes of amplitude 0; return the count.

    The strongest come first: where room is left for some of them only, it is theirs.
    """
    room = spikes.x.size
    _, height, width = state.maps.shape
    for i in range(min(found, room - count)):
        y, x = places[i] // width, places[i] % width
        kernel = len(state.reaches) if wave else strongest_kernel(state, y, x)
        at = insert(spikes, count, kernel, y, x)
        if at >= 0:
            count += 1
            if not is_whole(atoms, kernel, y, x, (height, width)):
                spikes.clipped[at] = slot_of(atoms, kernel, y, x, state)
    return count


@inlined
def _settle(
    spikes: SpikeArrays, count: int, atoms: Atoms, state: PursuitState, task: Aim, top: float
) -> float:
    """Refit all amplitudes and look again; return the norm of the strongest atom.

    Where hardly anything is left, so little matters that the refit is done again.
    """
    while True:
        refit(spikes, count, atoms, state, SLIGHT * top)
        before, top = top, survey(state, task)
        if top > FALL * before or top <= 0:
            return top


@compiled
def pursue_all(
    images: Floats,
    originals: Floats,
    maps: Floats,
    atoms: Atoms,
    scales: Floats,
    task: Aim,
    found: SpikeArrays,
) -> Integers:
    """Describe images by spikes, each for itself.

    Args:
        images: ``(batch, leads, height, width)``; become what the spikes leave of them.
        originals: ``(batch, leads, height, last - first)``: what φ and the error are measured by;
            they may be the images.
        maps: ``(batch, kernels, height, width)``, their similarity with every kernel; used up.
        atoms: the kernels.
        scales: ``(kernels, height, width)``, 1 / norm of every atom, 0 where none may lie.
        task: what is to be described, and until when; size and energy are those of each original.
        found: room for ``(batch * room,)`` spikes, written.

    Returns:
        How many spikes each image has, ``(batch,)``; those of image b begin at b * room.
    """
    batch, leads, height, width = images.shape
    counts = np.zeros(batch, np.int64)
    room = found.x.size // max(batch, 1)
    best = room_for(room if task.stop == PHI else 0)
    chosen, taken = np.empty(height * width, np.int64), np.empty((height, width), np.bool_)
    sheets = Sheets(chosen, taken, best, np.empty((leads, height, width)))
    state = state_for(atoms.kernels, atoms.edges, scales)
    for b in range(batch):
        size = absolute(originals[b])
        if size > 0:
            state = state_of(state, images[b], maps[b])
            own = part(found, b * room, (b + 1) * room)
            measured = sized(
                task, size, energy_in((0, height, 0, originals.shape[3]), originals[b])
            )
            counts[b], state = pursue(atoms, measured, state, sheets, own, counts[b])
    return counts

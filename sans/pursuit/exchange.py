"""A move of the spikes of an image: one goes, one comes, and those that it meets change with it.

Compiled loops on numpy arrays; a signal is an image of height 1.
"""

from __future__ import annotations

from typing import NamedTuple

from sans.compilation.decorators import compiled, inlined
from sans.convolution.frames import Floats, Integers
from sans.pursuit.absolute import refit_absolute
from sans.pursuit.atoms import Atoms, Part, draw, view, within
from sans.pursuit.loops import Aim, SpikeArrays, absolute, copy, insert, part, phi, remove, write

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

    group: SpikeArrays
    """Room for the spikes that one move changes."""

    members: Integers
    """Room for which they are."""

    rounds: int
    """Rounds of a refit of them."""

    changed: Integers
    """``(height, width)``: in which sweep a sample of the residual was changed last."""


@compiled
def attempt(
    spikes: SpikeArrays, count: int, error: float, move: Move, sweep: int, scene: ExchangeSetting
) -> tuple[int, float]:
    """Make a move if φ is lower by it; return how many spikes there are then, and the error."""
    if not _is_possible(spikes, count, move, scene):
        return count, error
    members = _gather(spikes, count, move, scene)
    top, bottom, left, right = _region(spikes, members, move, scene)
    place = scene.residual[:, top:bottom, left:right].copy()
    before = absolute(place)
    comes = _perform(spikes, members, move, (top, left), place, scene)
    total = error + absolute(place) - before
    after = count + (comes != NONE) - (move.goes != NONE)
    task, beyond = scene.task, scene.beyond
    if phi(task, after, total - beyond) >= (1 - SLIGHT) * phi(task, count, error - beyond):
        return count, error
    write(place, scene.residual[:, top:bottom, left:right])
    scene.changed[top:bottom, left:right] = sweep
    _adopt(spikes, count, members, move, comes, scene)
    return after, total


@compiled
def _is_possible(spikes: SpikeArrays, count: int, move: Move, scene: ExchangeSetting) -> bool:
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
def _gather(spikes: SpikeArrays, count: int, move: Move, scene: ExchangeSetting) -> int:
    """Copy the spikes that meet the one that goes, or the one that comes; return their count."""
    _, _, rows, columns = scene.atoms.kernels.shape
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
def reach(y: int, x: int, scene: ExchangeSetting) -> Part:
    """Return the first and behind the last row, and column, that the largest atom draws on."""
    _, _, rows, columns = scene.atoms.kernels.shape
    _, height, width = scene.residual.shape
    above, before = y - (rows - 1) // 2, x - (columns - 1) // 2
    return max(above, 0), min(above + rows, height), max(before, 0), min(before + columns, width)


@compiled
def _region(spikes: SpikeArrays, members: int, move: Move, scene: ExchangeSetting) -> Part:
    """Return the rows and columns that all spikes of a move draw on."""
    group, goes = scene.group, move.goes
    top, bottom, left, right = scene.residual.shape[1], 0, scene.residual.shape[2], 0
    for i in range(members + 2):
        if i < members:
            above, below, before, behind = reach(group.y[i], group.x[i], scene)
        elif i == members and goes != NONE:
            above, below, before, behind = reach(spikes.y[goes], spikes.x[goes], scene)
        elif i > members and move.kernel != NONE:
            above, below, before, behind = reach(move.y, move.x, scene)
        else:
            continue
        top, bottom = min(top, above), max(bottom, below)
        left, right = min(left, before), max(right, behind)
    return top, bottom, left, right


@inlined
def _perform(
    spikes: SpikeArrays,
    members: int,
    move: Move,
    corner: tuple[int, int],
    place: Floats,
    scene: ExchangeSetting,
) -> int:
    """Make a move in a copy of the region, and refit its spikes; return which of them comes."""
    group, (top, left) = scene.group, corner
    atoms = within(scene.atoms, (top, top + place.shape[1], left, left + place.shape[2]))
    for i in range(members):
        group.y[i] -= top
        group.x[i] -= left
    if move.goes != NONE:
        kernel, y, x = spikes.kernel[move.goes], spikes.y[move.goes], spikes.x[move.goes]
        draw(atoms, kernel, spikes.amplitude[move.goes], y - top, x - left, place)
    comes = NONE
    if move.kernel != NONE:
        y, x = move.y - top, move.x - left
        scale = scene.scales[move.kernel, move.y, move.x]
        amplitude = view(atoms, move.kernel, y, x, place) * scale**2
        draw(atoms, move.kernel, -amplitude, y, x, place)
        comes = insert(group, members, move.kernel, y, x)
        group.amplitude[comes] = amplitude
        members += 1
    refit_absolute(group, members, atoms, place, scene.rounds)
    return comes


@compiled
def _adopt(
    spikes: SpikeArrays, count: int, members: int, move: Move, comes: int, scene: ExchangeSetting
) -> None:
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

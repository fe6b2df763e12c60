"""What the compiled loops of a pursuit work on: spikes and a task, on numpy arrays.

A signal is an image of height 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import apart, compiled, lent, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, Index, draw, meet

SHARE = 0.8
"""A round takes entries down to this share of the largest: less takes fewer rounds, and spikes that
others would have made needless."""

NOTHING = 1e-9
"""What is below this share of the largest entry at the start is rounding."""

PATIENCE = 3
"""Rounds without a lower φ after which a pursuit has seen enough, and spikes that pruning tries."""

PHI, COUNT, ERROR, THRESHOLD = range(4)
"""What stops the loops: φ or φₐ, which differ by what a spike costs, or another kind of
`sans.pursuit.stop.Stop`."""

RULES = {"phi": PHI, "addressed": PHI, "count": COUNT, "error": ERROR, "threshold": THRESHOLD}
"""What stops the loops, by the kind of the stop."""


class SpikeArrays(NamedTuple):
    """Room for the spikes of one image, in the order of their places."""

    kernel: Integers
    """``(room,)``, as all others."""

    y: Integers
    """Row."""

    x: Integers
    """Column."""

    amplitude: Floats
    """How strongly the kernel is drawn."""

    clipped: Integers
    """Which of the clipped products are those of the atom; -1: it is whole."""


class Aim(NamedTuple):
    """What is to be described, and until when."""

    size: float
    """The sum of absolute values of the signal, what φ measures the error by."""

    energy: float
    """Its sum of squares."""

    first: int
    """Spikes lie in this column or behind it."""

    last: int
    """Spikes lie before this column."""

    samples: float
    """What φ counts as samples, n."""

    weights: float
    """What φ counts as weights, W."""

    cost: float
    """What φ or φₐ counts for a spike, see `Stop.cost`."""

    stop: int
    """One of `RULES`."""

    value: float
    """The value of the stop."""


@lent
def sized(task: Aim, size: float, energy: float) -> Aim:
    """Return a task for an image of some sum of absolute values, and of squares."""
    return Aim(
        size,
        energy,
        task.first,
        task.last,
        task.samples,
        task.weights,
        task.cost,
        task.stop,
        task.value,
    )


@compiled
def room_for(maximum: int) -> SpikeArrays:
    """Return room for spikes."""
    return SpikeArrays(
        np.empty(maximum, np.int64),
        np.empty(maximum, np.int64),
        np.empty(maximum, np.int64),
        np.zeros(maximum),
        np.empty(maximum, np.int64),
    )


@compiled
def part(spikes: SpikeArrays, begin: int, end: int) -> SpikeArrays:
    """Return some of the room, from `begin` to before `end`."""
    return SpikeArrays(
        spikes.kernel[begin:end],
        spikes.y[begin:end],
        spikes.x[begin:end],
        spikes.amplitude[begin:end],
        spikes.clipped[begin:end],
    )


@lent
def insert(spikes: SpikeArrays, count: int, kernel: int, y: int, x: int) -> int:
    """Insert a spike of amplitude 0 in the order of places; return where, -1: it was there."""
    at = count
    while at > 0 and (spikes.y[at - 1], spikes.x[at - 1]) > (y, x):
        at -= 1
    before = at
    while before > 0 and spikes.y[before - 1] == y and spikes.x[before - 1] == x:
        before -= 1
        if spikes.kernel[before] == kernel:
            return -1
    for i in range(count, at, -1):
        move(spikes, i - 1, spikes, i)
    spikes.kernel[at], spikes.y[at], spikes.x[at] = kernel, y, x
    spikes.amplitude[at], spikes.clipped[at] = 0, -1
    return at


@lent
def remove(spikes: SpikeArrays, count: int, at: int) -> None:
    """Take one of the first `count` spikes out; those behind it move up."""
    for i in range(at, count - 1):
        move(spikes, i + 1, spikes, i)


@lent
def copy(source: SpikeArrays, count: int, target: SpikeArrays) -> None:
    """Copy the first spikes."""
    for i in range(count):
        move(source, i, target, i)


@lent
def move(source: SpikeArrays, i: int, target: SpikeArrays, j: int) -> None:
    """Write one spike over another."""
    target.kernel[j], target.y[j], target.x[j] = source.kernel[i], source.y[i], source.x[i]
    target.amplitude[j], target.clipped[j] = source.amplitude[i], source.clipped[i]


@lent
def change_all(spikes: SpikeArrays, change: Floats, atoms: Atoms, residual: Floats) -> None:
    """Change the amplitudes of the first spikes, and what they leave."""
    for i in range(change.size):
        spikes.amplitude[i] += change[i]
        draw(atoms, spikes.kernel[i], -change[i], spikes.y[i], spikes.x[i], residual)


@lent
def write(values: Floats, target: Floats) -> None:
    """Write an image ``(leads, height, width)`` over another.

    A loop, as everywhere here: for an assignment of slices, compiling takes seconds.
    """
    for lead in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                target[lead, y, x] = values[lead, y, x]


@compiled
def neighbours(spikes: SpikeArrays, count: int, atoms: Atoms) -> Integers:
    """Return for every spike the first in the order of places whose atom can meet its own."""
    first = np.empty(count, np.int64)
    _write_neighbours(spikes, atoms, first)
    return first


@lent
def _write_neighbours(spikes: SpikeArrays, atoms: Atoms, first: Integers) -> None:
    kernel, y, x = spikes.kernel, spikes.y, spikes.x
    _, _, rows, columns = atoms.kernels.shape
    if atoms.wide.size > 0:
        _write_all_neighbours(spikes, atoms, first)
        return
    begin, edges = Index(0), atoms.edges
    for at in range(first.size):
        i = Index(at)
        while y[i] - y[begin] >= rows or (rows == 1 and x[i] - x[begin] >= columns):
            begin += Index(1)
        own, j = Index(kernel[i]), begin
        top, bottom = y[i] + edges[own, 0], y[i] + edges[own, 1]
        left, right = x[i] + edges[own, 2], x[i] + edges[own, 3]
        while True:
            its = Index(kernel[j])
            beside = left < x[j] + edges[its, 3] and x[j] + edges[its, 2] < right
            if beside and top < y[j] + edges[its, 1] and y[j] + edges[its, 0] < bottom:
                break
            j += Index(1)
        first[i] = j


@apart
def _write_all_neighbours(spikes: SpikeArrays, atoms: Atoms, first: Integers) -> None:
    """Do the same where there are cosines, each of which meets everything."""
    kernel, y, x = spikes.kernel, spikes.y, spikes.x
    for i in range(first.size):
        first[i] = 0
        while not meet(atoms, kernel[i], kernel[first[i]], y[i] - y[first[i]], x[i] - x[first[i]]):
            first[i] += 1


@compiled
def ends(first: Integers) -> NDArray[np.bool_]:
    """Return behind which spikes none meets one up to there.

    Args:
        first: as `neighbours` finds it.
    """
    found, least = np.empty(first.size, np.bool_), first.size
    for i in range(first.size - 1, -1, -1):
        found[i] = least > i
        least = min(least, first[i])
    return found


@lent
def phi(task: Aim, count: int, error: float) -> float:
    """Return φ of the image with so many spikes and so large a sum of absolute errors."""
    verbosity = (task.weights + task.cost * count) / task.samples
    return math.sqrt(verbosity**2 + (error / task.size) ** 2)


@lent
def total(image: Floats) -> float:
    """Return the sum of numbers ``(height, width)``."""
    summed = 0.0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            summed += image[y, x]
    return summed


@reordered
def absolute(image: Floats) -> float:
    """Return the sum of absolute values of an image ``(leads, height, width)``."""
    total = 0.0
    for lead in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                total += abs(image[lead, y, x])
    return total

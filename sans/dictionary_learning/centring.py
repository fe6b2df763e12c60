"""Kernels that lie beside what they draw: shifted until they hold most of it.

A kernel that starts from a piece of a signal may have caught a part of what recurs there only.
Moves of its weights do not shift it: the rest is drawn by other kernels, and stays theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sans.convolution.frames import Floats
from sans.dictionary_learning.learner import Described, Method, describe, turn
from sans.dictionary_learning.pieces import cut, unit
from sans.dictionary_learning.updates import update

GAIN = 1.01
"""How much more energy a kernel must hold for being shifted, as a factor."""

STARTS = 16
"""Kernels that a training may start from: after some turns the best quarter of them goes on, until
one is left."""

TURNS = 2
"""Turns after which starts are compared."""


def centred(
    signals: Floats, present: Described, method: Method, random: np.random.Generator
) -> Described:
    """Shift kernels to where they hold more; return what describes the signals better.

    Args:
        signals: ``(signals, *space)``, none of them zero everywhere.
        present: the kernels, and how they describe the signals.
        method: how signals are described; stretched kernels stay where they are.
        random: what chooses in a turn.
    """
    kernels = present.kernels if method.stretches else shifted(signals, present)
    if all(map(np.array_equal, kernels, present.kernels)):
        return present
    moved = turn(signals, describe(signals, kernels, method), method, random)
    return min(present, moved, key=lambda found: found.objective)


def shifted(signals: Floats, present: Described) -> list[Floats]:
    """Return kernels of the same sizes, of norm 1, shifted by up to half of their size.

    Twice as long kernels move at the places of the spikes; of each the piece is kept that holds
    the most energy, if that is more than where the kernel lay.
    """
    space = min(signals.shape[1:])
    margins = [min(len(kernel) // 2, (space - len(kernel)) // 2) for kernel in present.kernels]
    pairs = zip(present.kernels, margins, strict=True)
    wide = update(signals, present.code, [np.pad(kernel, margin) for kernel, margin in pairs])
    return [
        _strongest(longer, kernel, margin)
        for longer, kernel, margin in zip(wide, present.kernels, margins, strict=True)
    ]


def _strongest(longer: Floats, kernel: Floats, margin: int) -> Floats:
    """Return the strongest piece of a longer kernel, or the kernel, if no piece is stronger."""
    axes = tuple(range(-kernel.ndim, 0))
    energies = sliding_window_view(longer**2, kernel.shape).sum(axes)
    first = np.unravel_index(energies.argmax(), energies.shape)
    if energies[first] <= GAIN * energies[(margin,) * kernel.ndim]:
        return kernel
    return unit(longer[tuple(slice(i, i + len(kernel)) for i in first)])


def begun(
    signals: Floats, kernels: Sequence[Floats], method: Method, random: np.random.Generator
) -> list[Floats]:
    """Return the best of some starts: kernels that are given, or other pieces of the signals.

    Args:
        signals: ``(signals, *space)``, none of them zero everywhere.
        kernels: a start.
        method: how signals are described.
        random: what chooses the others.
    """
    starts = [list(kernels)]
    starts += [[cut(signals, len(kernel), random) for kernel in kernels] for _ in range(STARTS - 1)]
    found = [describe(signals, start, method) for start in starts]
    while len(found) > 1:
        found = [_gone_on(signals, each, method, random) for each in found]
        found = sorted(found, key=lambda each: each.objective)[: len(found) // 4]
    return found[0].kernels


def _gone_on(
    signals: Floats, present: Described, method: Method, random: np.random.Generator
) -> Described:
    """Return what some turns make of kernels, and a shift."""
    for _ in range(TURNS):
        present = turn(signals, present, method, random)
    return centred(signals, present, method, random)

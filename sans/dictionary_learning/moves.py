"""Other kernels than the present ones: longer, shorter, stretched, one more or one less.

A move proposes; whoever learns the kernels sees whether φ̄ falls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from sans.convolution.frames import Floats
from sans.dictionary_learning.pieces import cut, unit

Kernels = Sequence[Floats]
Random = np.random.Generator

LEAST_CHANGE, MOST_CHANGE = 0.03, 0.25
"""The share of a kernel that a move cuts off or adds."""

MOST_STRETCH = 1.5
"""How many times longer or shorter a move stretches a kernel."""

LIKELY = 0.8
"""How often the weaker end of a kernel is the one to be cut off."""

LARGEST_IMAGE = 7
"""Samples along a side of a new kernel of images at most."""

LARGEST_SIGNAL = 100
"""Samples of a new kernel of signals at most."""


def propose(kernels: Kernels, signals: Floats, residuals: Floats, random: Random) -> list[Floats]:
    """Return the kernels after a random move.

    Args:
        kernels: ``(size,)`` or ``(size, size)`` each, of norm 1.
        signals: ``(signals, *space)``.
        residuals: what the present spikes leave of them.
        random: what chooses.
    """
    kernels = list(kernels)
    which = int(random.integers(len(kernels)))
    side = min(signals.shape[1:])
    name = str(random.choice(list(MOVES), p=list(MOVES.values())))
    if name in RESIZES:
        kernels[which] = unit(RESIZES[name](kernels[which], side, random))
        return kernels
    if name in ("drop", "replace") and len(kernels) > 1:
        del kernels[which]
    if name in ("add", "replace"):
        source = signals if random.random() < 0.5 else residuals
        kernels.append(cut(source, new_size(signals.shape[1:], random), random))
    return kernels


def new_size(space: tuple[int, ...], random: Random) -> int:
    """Return a likely size for a new kernel of signals of shape ``(*space)``."""
    if len(space) == 2:
        return min(int(random.integers(2, LARGEST_IMAGE + 1)), *space)
    longest = min(LARGEST_SIGNAL, space[0])
    return int(np.exp(random.uniform(np.log(min(5, longest)), np.log(longest))))


def trim(kernel: Floats, side: int, random: Random) -> Floats:  # noqa: ARG001
    """Cut something off an end, mostly off the weaker one; of an image, a row and a column."""
    width = _width(kernel, random)
    if len(kernel) <= width + (2 if kernel.ndim == 1 else 0):
        return kernel
    ends = (slice(width, None), slice(None, -width))
    parts = [kernel[corner] for corner in itertools.product(ends, repeat=kernel.ndim)]
    if random.random() < LIKELY:
        return max(parts, key=lambda part: float((part**2).sum()))
    return parts[int(random.integers(len(parts)))]


def extend(kernel: Floats, side: int, random: Random) -> Floats:
    """Add zeros at an end; of an image, along both axes."""
    width = _width(kernel, random)
    if len(kernel) + width > side:
        return kernel
    margins = [(width, 0) if random.random() < 0.5 else (0, width) for _ in range(kernel.ndim)]
    return np.pad(kernel, margins)


def stretch(kernel: Floats, side: int, random: Random) -> Floats:
    """Stretch a kernel in time; a kernel of images stays."""
    if kernel.ndim == 2:
        return kernel
    factor = MOST_STRETCH ** random.uniform(-1, 1)
    size = min(max(3, round(len(kernel) * factor)), side)
    places = np.linspace(0, len(kernel) - 1, size)
    return np.interp(places, np.arange(len(kernel)), kernel)


def _width(kernel: Floats, random: Random) -> int:
    """Return how many samples a move cuts off or adds."""
    if kernel.ndim == 2:
        return 1
    return max(1, round(len(kernel) * random.uniform(LEAST_CHANGE, MOST_CHANGE)))


RESIZES: dict[str, Callable[[Floats, int, Random], Floats]] = {
    "trim": trim,
    "extend": extend,
    "stretch": stretch,
}
"""Moves of one kernel, of the largest size that fits."""

MOVES = {
    "trim": 0.25,
    "extend": 0.25,
    "stretch": 0.125,
    "add": 0.125,
    "drop": 0.125,
    "replace": 0.125,
}
"""How likely every move is."""

"""Moving kernels, while the places of their spikes stay.

What spikes draw is linear in the weights of all kernels together: one step of weighted least
squares moves every kernel at once. Weighted by 1 over what was left, the step lowers the sum of
absolute errors, which is what φ counts; every signal counts by its own sum of absolute values, as
in φ̄.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sans.convolution.frames import Floats, Integers, as_images
from sans.dictionary_learning.equations import Flags, add_all_equations, take_out
from sans.pursuit.absolute import refit_all
from sans.pursuit.atoms import Atoms, draw_all, laid
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code
from sans.pursuit.loops import SpikeArrays
from sans.pursuit.products import atoms_of
from sans.stretching import stretched

RIDGE = 1e-6
"""How strongly weights that no sample decides stay where they are."""

STEPS = 3
"""Steps of the kernels, and of the amplitudes, in a turn."""

TURNS = 3
"""Turns of an update."""

TINY = 1e-300
"""Nothing is divided by less."""


def update(
    signals: Floats,
    code: Code,
    kernels: Sequence[Floats],
    stretches: Sequence[float] = (),
    learned: Sequence[bool] | None = None,
) -> list[Floats]:
    """Return kernels of norm 1 that describe signals better by spikes at the same places.

    Kernels and amplitudes move in turns, towards the least sum of absolute errors. Spikes of
    stretched kernels move no kernel; the stretched kernels follow.

    Args:
        signals: ``(signals, *space)``, or ``(signals, leads, *space)``; what is drawn where a
            sample is missing, NaN, moves nothing.
        code: their spikes, of the kernels and the stretched ones.
        kernels: ``(*side,)`` each, of norm 1; for signals with leads ``(leads, *side)``.
        stretches: factors by which every kernel is stretched.
        learned: which kernels move; None: all of them.
    """
    dimensions = len(code.shape) - 2
    if signals.ndim == dimensions + 1:
        signals = signals[:, None]
    images = as_images(np.asarray(signals, np.float64), dimensions)
    learned = [True] * len(kernels) if learned is None else learned
    if not any(learned):
        return list(kernels)
    images, missing = _without_missing(images)
    sizes = np.maximum(np.abs(images).sum((1, 2, 3)), TINY)
    counts = code.counts
    begins = np.cumsum(counts) - counts
    spikes = _as_room(code)
    for number in range(TURNS):
        drawn = stretched(kernels, stretches)
        atoms = atoms_of(_dictionary(drawn, dimensions))
        residuals = images.copy()
        places = (spikes.kernel, spikes.y, spikes.x)
        draw_all(residuals, atoms, code.signal, *places, -spikes.amplitude)
        _hide(missing, residuals)
        if number:
            _refit(spikes, begins, counts, atoms, residuals, missing)
        taps = _numbered(drawn, dimensions, 1 + len(stretches), learned)
        scene = (residuals, missing, sizes, spikes, begins, counts)
        kernels, norms = _moved(*scene, kernels, atoms, taps, learned)
        spikes.amplitude[:] *= np.repeat(norms, 1 + len(stretches))[spikes.kernel]
    return list(kernels)


def _without_missing(images: Floats) -> tuple[Floats, Flags]:
    """Return images with 0 for what is missing, and which samples that are; none: no image."""
    missing = np.isnan(images)
    if not missing.any():
        return images, missing[:0]
    return np.where(missing, 0.0, images), missing


def _hide(missing: Flags, images: Floats) -> None:
    """Write 0 where samples of images are missing."""
    if len(missing):
        images[missing] = 0.0


def _refit(
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    atoms: Atoms,
    residuals: Floats,
    missing: Flags,
) -> None:
    """Refit all amplitudes, each image with what it misses."""
    if not len(missing):
        refit_all(spikes, begins, counts, atoms, residuals, STEPS)
        return
    for b, lost in enumerate(missing):
        own = atoms._replace(missing=lost) if lost.any() else atoms
        one = slice(b, b + 1)
        refit_all(spikes, begins[one], counts[one], own, residuals[one], STEPS)


def _dictionary(kernels: Sequence[Floats], dimensions: int) -> Dictionary:
    """Return kernels, with an axis for leads or without, as what spikes may draw."""
    alone = kernels[0].ndim == dimensions
    arrays = tuple(kernel[None] if alone else kernel for kernel in kernels)
    return Dictionary(arrays, len(arrays[0]), dimensions)


def _as_room(code: Code) -> SpikeArrays:
    """Return the spikes of a code for the compiled loops, one signal behind the other."""
    x = np.ascontiguousarray(code.place[:, -1])
    y = np.ascontiguousarray(code.place[:, 0]) if code.place.shape[1] == 2 else np.zeros_like(x)
    return SpikeArrays(code.kernel, y, x, code.amplitude.copy(), np.full_like(x, -1))


def _moved(
    residuals: Floats,
    missing: Flags,
    sizes: Floats,
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    kernels: Sequence[Floats],
    atoms: Atoms,
    taps: Integers,
    learned: Sequence[bool],
) -> tuple[list[Floats], Floats]:
    """Return kernels after some steps of weighted least squares, and the norms taken from them."""
    from scipy.linalg import solve  # 0.2 s that other ways of training can do without

    moving = [kernel for kernel, moves in zip(kernels, learned, strict=True) if moves]
    ends = np.cumsum([kernel.size for kernel in moving])
    weights = np.concatenate([kernel.ravel() for kernel in moving])
    importance = np.empty_like(residuals[0])
    for _ in range(STEPS):
        matrix, met = np.zeros((weights.size, weights.size)), np.zeros(weights.size)
        sums = (importance, matrix, met)
        scene = (residuals, missing, sizes, spikes, begins, counts)
        add_all_equations(*scene, atoms, taps, *sums)
        if not (size := matrix.trace() / weights.size):
            break  # no spike moves a weight
        matrix[np.diag_indices_from(matrix)] += RIDGE * size
        change = solve(matrix, met, assume_a="pos", lower=True, check_finite=False)
        weights += change
        take_out(residuals, spikes, begins, counts, atoms, taps, change)
        _hide(missing, residuals)
    flat = iter(np.split(weights, ends[:-1]))
    moved = [
        next(flat).reshape(kernel.shape) if moves else kernel
        for kernel, moves in zip(kernels, learned, strict=True)
    ]
    lengths = [float(np.sqrt((kernel**2).sum())) or 1.0 for kernel in moved]
    norms = np.array([each if moves else 1.0 for each, moves in zip(lengths, learned, strict=True)])
    return [kernel / norm for kernel, norm in zip(moved, norms, strict=True)], norms


def _numbered(
    drawn: Sequence[Floats], dimensions: int, each: int, learned: Sequence[bool]
) -> Integers:
    """Return which weight every tap of the aligned kernels is, -1 where it is none that moves.

    Args:
        drawn: kernels, each followed by what stretching makes of it, which has no own weights.
        dimensions: of space.
        each: how many belong to a kernel, itself included.
        learned: which kernels move.
    """
    numbers, begin = [], 0
    for i, kernel in enumerate(drawn):
        number = np.zeros(kernel.shape)
        if i % each == 0 and learned[i // each]:
            number = np.arange(begin + 1.0, begin + kernel.size + 1).reshape(kernel.shape)
            begin += kernel.size
        numbers.append(number)
    return laid(_dictionary(numbers, dimensions))[0].astype(np.int64) - 1

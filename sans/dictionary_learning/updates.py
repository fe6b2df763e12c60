"""Moving kernels, while the places of their spikes stay.

What spikes draw is linear in the weights of all kernels together: one step of weighted least
squares moves every kernel at once. Weighted by 1 over what was left, the step lowers the sum of
absolute errors, which is what φ counts; every signal counts by its own sum of absolute values, as
in φ̄.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled
from sans.convolution.frames import Floats, Integers, as_images
from sans.pursuit.absolute import refit_all, weigh
from sans.pursuit.atoms import Atoms, draw_all, draw_kernel, inside, laid
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code
from sans.pursuit.loops import SpikeArrays, neighbours, part
from sans.pursuit.products import atoms_of
from sans.stretching import stretched

RIDGE = 1e-6
"""How strongly weights that no sample decides stay where they are."""

STEPS = 3
"""Steps of the kernels, and of the amplitudes, in a turn."""


TURNS = 3
"""Turns of an update."""


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
        signals: ``(signals, *space)``, or ``(signals, leads, *space)``; NaN is a missing sample.
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
    missing = np.isnan(images)
    images = np.where(missing, 0.0, images)
    sizes = np.abs(images).sum((1, 2, 3))
    counts = code.counts
    begins = np.cumsum(counts) - counts
    spikes = _as_room(code)
    for number in range(TURNS):
        drawn = stretched(kernels, stretches)
        atoms = atoms_of(_dictionary(drawn, dimensions))
        residuals = images.copy()
        places = (spikes.kernel, spikes.y, spikes.x)
        draw_all(residuals, atoms, code.signal, *places, -spikes.amplitude)
        residuals[missing] = 0.0
        for some, own in _with_missing(atoms, missing) if number else ():
            refit_all(spikes, begins[some], counts[some], own, residuals[some], STEPS)
        taps = _numbered(drawn, dimensions, 1 + len(stretches), learned)
        scene = (residuals, missing, sizes, spikes, begins, counts)
        kernels, norms = _moved(*scene, kernels, atoms, taps, learned)
        spikes.amplitude[:] *= np.repeat(norms, 1 + len(stretches))[spikes.kernel]
    return list(kernels)


def _dictionary(kernels: Sequence[Floats], dimensions: int) -> Dictionary:
    """Return kernels, with an axis for leads or without, as what spikes may draw."""
    alone = kernels[0].ndim == dimensions
    arrays = tuple(kernel[None] if alone else kernel for kernel in kernels)
    return Dictionary(arrays, len(arrays[0]), dimensions)


def _with_missing(atoms: Atoms, missing: NDArray[np.bool_]) -> list[tuple[slice, Atoms]]:
    """Return atoms without what is missing, and of which images: of all, or of each its own."""
    if not missing.any():
        return [(slice(None), atoms)]
    each = [atoms._replace(missing=own) if own.any() else atoms for own in missing]
    return [(slice(number, number + 1), own) for number, own in enumerate(each)]


def _as_room(code: Code) -> SpikeArrays:
    """Return the spikes of a code for the compiled loops, one signal behind the other."""
    x = np.ascontiguousarray(code.place[:, -1])
    y = np.ascontiguousarray(code.place[:, 0]) if code.place.shape[1] == 2 else np.zeros_like(x)
    return SpikeArrays(code.kernel, y, x, code.amplitude.copy(), np.full_like(x, -1))


def _moved(
    residuals: Floats,
    missing: NDArray[np.bool_],
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
        for some, own in _with_missing(atoms, missing):
            parts = (residuals[some], sizes[some], spikes, begins[some], counts[some])
            _add_all_equations(*parts, own, taps, *sums)
        if not (size := matrix.trace() / weights.size):
            break  # no spike moves a weight
        matrix[np.diag_indices_from(matrix)] += RIDGE * size
        change = solve(matrix, met, assume_a="pos", lower=True, check_finite=False)
        weights += change
        _take_out(residuals, spikes, begins, counts, atoms, taps, change)
        residuals[missing] = 0.0
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


@compiled
def _add_all_equations(
    residuals: Floats,
    sizes: Floats,
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    atoms: Atoms,
    taps: Integers,
    importance: Floats,
    matrix: Floats,
    met: Floats,
) -> None:
    """Add all images to the normal equations of a change of all weights."""
    for b in range(counts.size):
        weigh(residuals[b], atoms.missing, importance)
        importance /= sizes[b]
        own = part(spikes, begins[b], begins[b] + counts[b])
        _add_equations(residuals[b], own, atoms, taps, importance, matrix, met)


@compiled
def _add_equations(
    residual: Floats,
    spikes: SpikeArrays,
    atoms: Atoms,
    taps: Integers,
    importance: Floats,
    matrix: Floats,
    met: Floats,
) -> None:
    """Add one image to the normal equations; of the matrix the lower half.

    Args:
        residual: ``(leads, height, width)``: what the spikes leave.
        spikes: the spikes of the image.
        atoms: the kernels.
        taps: ``(kernels, leads, height, width)``: which weight a tap is, -1: none.
        importance: ``(leads, height, width)``: the weight of every sample.
        matrix: ``(weights, weights)``, added to.
        met: ``(weights,)``, added to.
    """
    first = neighbours(spikes, spikes.x.size, atoms)
    for i in range(spikes.x.size):
        for j in range(first[i], i + 1):
            _couple(spikes, i, j, atoms, taps, residual, importance, matrix, met)


@compiled
def _couple(
    spikes: SpikeArrays,
    i: int,
    j: int,
    atoms: Atoms,
    taps: Integers,
    residual: Floats,
    importance: Floats,
    matrix: Floats,
    met: Floats,
) -> None:
    """Add what the atoms of two spikes share, or, where they are one, what it meets."""
    edges = atoms.edges[spikes.kernel[j]]
    one, other = taps[spikes.kernel[i]], taps[spikes.kernel[j]]
    leads, height, width = residual.shape
    y, x = spikes.y[i], spikes.x[i]
    top, bottom, left, right = inside(atoms.edges[spikes.kernel[i]], one, y, x, height, width)
    down, across = y - spikes.y[j], x - spikes.x[j]
    top, bottom = max(top, edges[0] - down), min(bottom, edges[1] - down)
    left, right = max(left, edges[2] - across), min(right, edges[3] - across)
    above, before = y - (one.shape[1] - 1) // 2, x - (one.shape[2] - 1) // 2
    both = spikes.amplitude[i] * spikes.amplitude[j]
    for lead in range(leads):
        for row in range(top, bottom):
            for column in range(left, right):
                a, b = one[lead, row, column], other[lead, row + down, column + across]
                if a >= 0 and b >= 0:
                    weight = importance[lead, above + row, before + column]
                    if i == j:
                        met[a] += (
                            spikes.amplitude[i]
                            * weight
                            * residual[lead, above + row, before + column]
                        )
                        matrix[a, a] += both * weight
                    else:  # i with j, and j with i
                        matrix[max(a, b), min(a, b)] += both * weight * (2 if a == b else 1)


@compiled
def _take_out(
    residuals: Floats,
    spikes: SpikeArrays,
    begins: Integers,
    counts: Integers,
    atoms: Atoms,
    taps: Integers,
    change: Floats,
) -> None:
    """Take out of the residuals what a change of all weights draws."""
    drawn = np.zeros(taps.shape)
    flat, numbers = drawn.ravel(), taps.ravel()
    for i in range(numbers.size):
        if numbers[i] >= 0:
            flat[i] = change[numbers[i]]
    for b in range(counts.size):
        for i in range(begins[b], begins[b] + counts[b]):
            kernel, edges = drawn[spikes.kernel[i]], atoms.edges[spikes.kernel[i]]
            draw_kernel(kernel, edges, -spikes.amplitude[i], spikes.y[i], spikes.x[i], residuals[b])

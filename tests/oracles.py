"""The algorithms once more, as plainly as they can be said: what the tests compare with.

Nothing is shared with `sans`, and nothing is fast. `similarity` and `drawing` are one signal's.
"""

from __future__ import annotations

import itertools

import numpy as np


def topk(image, count):
    """Sort by magnitude, the smaller index first among equals; NaN is never kept."""
    kept = np.zeros(image.shape, bool)
    audible = [place for place in np.ndindex(image.shape) if not np.isnan(image[place])]
    for place in sorted(audible, key=lambda place: (-abs(image[place]), place))[:count]:
        kept[place] = True
    return kept


def extrema_pool(image, size):
    """Take the first largest magnitude of every whole cell; NaN is never kept."""
    kept = np.zeros(image.shape, bool)
    for corner in itertools.product(*(range(0, side - size + 1, size) for side in image.shape)):
        cell = itertools.product(*(range(first, first + size) for first in corner))
        audible = [place for place in cell if not np.isnan(image[place])]
        if audible:
            kept[max(audible, key=lambda place: abs(image[place]))] = True
    return kept


def extrema(image, distance):
    """Visit the candidates from the largest magnitude down, the smaller index first."""
    candidates = [place for place in np.ndindex(image.shape) if _is_candidate(image, place)]
    kept = np.zeros(image.shape, bool)
    chosen = []
    for place in sorted(candidates, key=lambda place: (-abs(image[place]), place)):
        if all(_apart(place, other) > distance for other in chosen):
            chosen.append(place)
            kept[place] = True
    return kept


def competing_extrema(images, distances):
    """Visit the candidates of all images together; what is kept claims its own distance around."""
    candidates = [
        (kernel, place)
        for kernel, image in enumerate(images)
        for place in np.ndindex(image.shape)
        if _is_candidate(image, place)
    ]
    kept = np.zeros(images.shape, bool)
    chosen = []
    for kernel, place in sorted(candidates, key=lambda one: (-abs(images[one[0]][one[1]]), one)):
        if all(_apart(place, other) > distances[rival] for rival, other in chosen):
            chosen.append((kernel, place))
            kept[(kernel, *place)] = True
    return kept


def _apart(place, other):
    return max(abs(i - j) for i, j in zip(place, other, strict=True))


def _is_candidate(image, place):
    value = image[place]
    before, after = [], []
    for axis in range(image.ndim):
        near = [
            image[
                tuple(
                    np.clip(place[i] + step * (i == axis), 0, side - 1)
                    for i, side in enumerate(image.shape)
                )
            ]
            for step in (-1, 1)
        ]
        before.append(near[0])
        after.append(near[1])
    if value > 0:
        return all(b < value for b in before) and all(a <= value for a in after)
    return value <= 0 and all(b >= value for b in before) and all(a > value for a in after)


SELECTIONS = {"topk": topk, "extrema_pool": extrema_pool, "extrema": extrema}


def similarity(signal, kernel):
    """s[t] = sum over j of w[j] x[t + j - (m - 1) // 2], zero beyond the border."""
    result = np.zeros(signal.shape)
    for place in np.ndindex(signal.shape):
        for j in np.ndindex(kernel.shape):
            where = tuple(
                t + i - (m - 1) // 2 for t, i, m in zip(place, j, kernel.shape, strict=True)
            )
            if _inside(where, signal.shape):
                result[place] += kernel[j] * signal[where]
    return result


def drawing(activations, kernel, decoder):
    """Let every activation draw its kernel where it was found; "paper" correlates once more."""
    if decoder == "paper":
        return similarity(activations, kernel)
    result = np.zeros(activations.shape)
    for place in zip(*np.nonzero(activations), strict=True):
        for j in np.ndindex(kernel.shape):
            where = tuple(
                int(t) + i - (m - 1) // 2 for t, i, m in zip(place, j, kernel.shape, strict=True)
            )
            if _inside(where, result.shape):
                result[where] += kernel[j] * activations[place]
    return result


def atoms_on(space, kernels):
    """Return every atom as a column, clipped at the border, ``(kernels, *space)`` of them."""
    columns = []
    for kernel in kernels:
        for place in np.ndindex(*space):
            image = np.zeros(space)
            image[place] = 1
            columns.append(drawing(image, kernel, "adjoint").ravel())
    return np.stack(columns, 1)


def orthogonal_pursuit(signal, atoms, count):
    """Take the atom that meets the residual best, refit all that are taken; so many times.

    Args:
        signal: any shape.
        atoms: a column each.
        count: how many to take.

    Returns:
        What they leave, flat.
    """
    energy = (atoms**2).sum(0)
    norms = np.sqrt(np.where(energy > 1e-3 * energy.max(), energy, np.inf))
    signal = residual = signal.ravel()
    taken = []
    for _ in range(count):
        taken.append(int(np.argmax(abs(atoms.T @ residual) / norms)))
        amplitudes = np.linalg.lstsq(atoms[:, taken], signal, rcond=None)[0]
        residual = signal - atoms[:, taken] @ amplitudes
    return residual


def phi(signal, reconstruction, spikes, weights):
    """Return φ of one signal, by its definition."""
    verbosity = (weights + (signal.ndim + 1) * spikes) / signal.size
    return np.hypot(verbosity, abs(reconstruction - signal).sum() / abs(signal).sum())


def _inside(place, shape):
    return all(0 <= i < side for i, side in zip(place, shape, strict=True))

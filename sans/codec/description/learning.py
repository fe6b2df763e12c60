"""Kernels learned from a recording itself: what comes again and again.

Pieces around the strongest events are sorted into kernels like means into clusters, each piece
shifted to where it fits best ([Lloyd]); kernels are added where pieces fit worst. Then pursuits
over the whole signal find all their spikes, and each kernel becomes the mean of what it describes.

[Lloyd]: S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 1982.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.pursuit.atoms import laid
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SHIFTS = 6
"""How far a piece is shifted at once, in samples."""

ROUNDS = 4
"""How often pieces are sorted before kernels are added."""

PURSUITS = 2
"""Pursuits over the whole signal, at the end."""

WORSE = 0.3
"""Kernels are added where more than this share of the threshold is left of a piece."""

TAPER = 0.1
"""The share of a kernel, at each end, that falls to zero."""


def learn(signal: Floats, kernels: int, size: int, threshold: float) -> Floats:
    """Return kernels of norm 1 that describe a signal, at most so many.

    Args:
        signal: ``(length,)``, without its slow baseline; longer than a kernel.
        kernels: how many.
        size: samples of each.
        threshold: the norm that a spike draws at least.

    Returns:
        ``(kernels, size)``; none where nothing is as strong as the threshold.
    """
    places = events(signal, size)
    found = cluster(signal, places, kernels, size, threshold)
    for _ in range(PURSUITS):
        if not len(found):
            return found
        found = refine(signal, found, threshold)
    return found


def events(signal: Floats, size: int) -> Integers:
    """Return where something happens: where the signal is strongest near a peak of its energy."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    slope = np.abs(np.gradient(uniform_filter1d(signal, max(1, size // 64))))
    energy = uniform_filter1d(slope, max(1, size // 16))
    height = 0.3 * np.percentile(energy, 98)
    peaks, _ = find_peaks(energy, height=height, distance=max(1, 2 * size // 5))
    reach = max(1, size // 12)
    padded = np.pad(np.abs(signal), reach)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)[peaks]
    return np.asarray(peaks - reach + windows.argmax(1))


def norms_of_events(signal: Floats, size: int) -> Floats:
    """Return the norms of the pieces around events, ``(events,)``."""
    firsts = np.clip(events(signal, size) - (size - 1) // 2, 0, len(signal) - size)
    energies = np.concatenate([[0.0], np.cumsum(signal**2)])
    return np.asarray(np.sqrt(np.maximum(energies[firsts + size] - energies[firsts], 0.0)))


def cluster(signal: Floats, places: Integers, kernels: int, size: int, threshold: float) -> Floats:
    """Sort the pieces around places into kernels: one, two, four, until there are enough."""
    margin, before = SHIFTS + 1, (size - 1) // 2
    after = size - before
    places = places[(places >= before + margin) & (places < len(signal) - after - margin)]
    if len(places) < 2:
        return np.empty((0, size))
    windows = np.lib.stride_tricks.sliding_window_view(signal, size)
    taper = _taper(size)
    mean = (windows[places - before] * taper).mean(0)
    found = [_unit(mean)]
    while True:
        for _ in range(ROUNDS):
            found, places, left = _sort(windows, places - before, np.stack(found), taper)
            places = np.clip(places + before, before + margin, len(signal) - after - margin - 1)
        # Not the worst of all, which may be faults of the electrode: the worst of what is common.
        worst = np.argsort(left)[: -max(1, len(left) // 40)][::-1]
        worst = worst[left[worst] > (WORSE * threshold) ** 2]
        more = min(len(found), kernels - len(found))
        if more < 1 or not len(worst):
            break
        seeds = worst[: len(worst) // 4 + 1 : max(1, len(worst) // (4 * more))][:more]
        found = [*found, *(_unit(windows[places[seed] - before] * taper) for seed in seeds)]
    return np.stack(found)


def _sort(
    windows: Floats, firsts: Integers, kernels: Floats, taper: Floats
) -> tuple[list[Floats], Integers, Floats]:
    """Give every piece to the kernel that describes most of it, shifted; move kernels to the means.

    Returns:
        The kernels that have pieces, where the pieces begin now, and the energy left of each.
    """
    best = np.zeros(len(firsts))
    which, shift = np.zeros((2, len(firsts)), np.int64)
    tapered = kernels * taper
    for moved in range(-SHIFTS, SHIFTS + 1):
        similarity = windows[firsts + moved] @ tapered.T
        strongest = np.abs(similarity).argmax(1)
        value = similarity[np.arange(len(firsts)), strongest]
        better = np.abs(value) > np.abs(best)
        best[better], which[better], shift[better] = value[better], strongest[better], moved
    firsts = firsts + shift
    pieces = windows[firsts] * taper
    left = (pieces**2).sum(1) - best**2
    means = [(pieces[which == k] * best[which == k, None]).sum(0) for k in range(len(kernels))]
    return [_unit(mean) for mean in means if mean.any()], firsts, left


def refine(signal: Floats, kernels: Floats, threshold: float) -> Floats:
    """Return every kernel as the mean of what its spikes describe; idle kernels are left out."""
    size = kernels.shape[1]
    before = (size - 1) // 2
    code = pursue(signal[None], list(kernels), Stop("threshold", threshold))
    left = signal - code.draw(list(kernels))[0]
    places = code.place[:, 0]
    whole = (places >= before) & (places < len(signal) - size + before)
    moved = []
    for k, kernel in enumerate(kernels):
        own = whole & (code.kernel == k)
        if own.sum() < 2:
            continue
        heights = code.amplitude[own]
        pieces = np.lib.stride_tricks.sliding_window_view(left, size)[places[own] - before]
        moved.append(_unit((kernel + heights @ pieces / (heights**2).sum()) * _taper(size)))
    return np.array(moved).reshape(-1, size)


def _taper(size: int) -> Floats:
    """Return weights that fall to zero at both ends of a piece."""
    ramp = max(1, int(TAPER * size))
    weights = np.ones(size)
    weights[:ramp] = np.arange(1, ramp + 1) / (ramp + 1)
    weights[-ramp:] = weights[:ramp][::-1]
    return weights


def _unit(piece: Floats) -> Floats:
    return piece / (np.sqrt((piece**2).sum()) or 1.0)


def unit_kernels(kernels: Sequence[NDArray[Any]]) -> Floats:
    """Return kernels ``(size,)`` of any sizes and norms as ``(kernels, size)``, of norm 1.

    Raises:
        ValueError: if one has two dimensions, is zero everywhere, or holds NaN or infinity.
    """
    for number, kernel in enumerate(kernels):
        if kernel.ndim != 1:
            raise ValueError(
                f"kernels of signals have one dimension: kernel {number} has {kernel.ndim}"
            )
        if not np.isfinite(kernel).all() or not kernel.any():
            raise ValueError(f"kernel {number} is zero everywhere, or holds NaN or infinity")
    aligned, _ = laid(Dictionary.of(kernels, 1))
    return np.array([_unit(kernel) for kernel in aligned[:, 0, 0]])

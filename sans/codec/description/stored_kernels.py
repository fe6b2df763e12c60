"""Whether kernels pay on a track, and which: learned from it, given, or the starting set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.choice import costs_of, prune
from sans.codec.description.descriptions import Roundings, baseline_free, leave, offset_of, quantise
from sans.codec.description.learning import learn, norms_of_events
from sans.codec.description.spikes import Spikes
from sans.codec.description.starting_set import NORM, starting_kernels, starting_set
from sans.codec.description.waveforms import Waveforms
from sans.codec.description.waveforms import quantise as in_integers
from sans.codec.description.wavelets import FRACTION, band_ends
from sans.codec.versions import NEWEST
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST = 16
"""Kernels that are learned, at most."""

SIZES = (128, 256, 512)
"""Samples of a kernel that are tried; then half or twice as many, if one of the ends is best."""

LEAST_NORM = 4.0
"""The norm of what a spike draws, in steps of the coefficients, is at least this."""

LEAST_SHARE = 0.25
"""And at least this share of what an event has, in the middle."""

PRICE = 25.0
"""Bits that a spike has to be worth: more than it takes, since contexts make coefficients cheap."""

WEIGHT = 0.12
"""Squared error that a bit is worth, in squared steps."""

HEIGHT_STEP = 2.0
"""The step of amplitudes: so many steps of the coefficients, drawn by the kernel."""

KERNEL_STEP = 1.5
"""The step of a kernel's coefficients, drawn so many times as there are spikes, in their steps."""

LEAST_USES = 3
"""A kernel with fewer spikes does not pay."""

LARGEST_SHIFT = 15


class Heights(NamedTuple):
    """Kernels of norm 1 and how they are used."""

    kernels: Floats
    """``(kernels, size)``."""

    usual: Floats
    """``(kernels,)``: the root mean square of their amplitudes."""

    uses: Integers
    """``(kernels,)``: how many spikes each has."""


def threshold_of(signals: Sequence[Floats], size: int, step: float) -> float:
    """Return the norm that a spike draws at least: enough to be worth it, and more than noise.

    Args:
        signals: ``(length,)`` each, without their baselines.
        size: samples of a kernel.
        step: of the coefficients, in converter units.
    """
    norms = [norms_of_events(signal, size) for signal in signals if len(signal) > 2 * size]
    middle = float(np.median(np.concatenate(norms))) if norms and sum(map(len, norms)) else 0.0
    return max(LEAST_NORM * step, LEAST_SHARE * middle)


def used(signals: Sequence[Floats], kernels: Floats, threshold: float) -> Heights:
    """Return the kernels that signals without their baselines use often enough.

    Args:
        signals: ``(length,)`` each.
        kernels: ``(kernels, size)``, of norm 1.
        threshold: see `threshold_of`.
    """
    squares, uses = np.zeros(len(kernels)), np.zeros(len(kernels), np.int64)
    for signal in signals:
        code = pursue(signal[None], list(kernels), Stop("threshold", threshold))
        squares += np.bincount(code.kernel, code.amplitude**2, len(kernels))
        uses += np.bincount(code.kernel, minlength=len(kernels))
    kept = uses >= LEAST_USES
    usual = np.sqrt(squares[kept] / uses[kept])
    return Heights(kernels[kept], usual, uses[kept])


def waveforms_of(heights: Heights, step: float) -> Waveforms:
    """Return kernels in integers, as fine as errors in steps of the coefficients deserve."""
    shifts = np.clip(np.rint(np.log2(heights.usual / (HEIGHT_STEP * step))), 0, LARGEST_SHIFT)
    fine = KERNEL_STEP * step / np.sqrt(np.median(heights.uses))
    whole = max(1, round(fine * (1 << FRACTION)))
    return in_integers(heights.kernels * heights.usual[:, None], whole, shifts.astype(np.int64))


def borrowed(signals: Sequence[Floats], threshold: float, step: float) -> Waveforms | None:
    """Return the starting set, with the steps of amplitudes that suit signals; none if unused."""
    lender = starting_set()
    found = starting_kernels()
    counts = used(signals, found, threshold).uses.sum()
    shift = round(np.log2(NORM / (HEIGHT_STEP * step)))
    if not counts or not 0 <= shift <= LARGEST_SHIFT:
        return None
    return lender._replace(shifts=np.full(len(found), shift, np.int64), borrowed=1)


def find_spikes(
    numbers: Integers,
    waveforms: Waveforms,
    threshold: float,
    step: float,
    roundings: Roundings,
) -> Spikes:
    """Return the spikes of a signal ``(length,)`` that are worth their bits.

    They are the strongest of these where a stream may not have so many.

    Args:
        numbers: the signal.
        waveforms: the kernels.
        threshold: see `threshold_of`.
        step: of the coefficients, in converter units.
        roundings: how coefficients are rounded.
    """
    weights = waveforms.weights / (1 << FRACTION)
    norms = np.maximum(np.sqrt((weights**2).sum(1)), 1e-9)
    signal = baseline_free(numbers)
    stop = Stop("threshold", threshold)
    code = pursue(signal[None], list(weights / norms[:, None]), stop)
    units = norms * 2.0**-waveforms.shifts
    heights = np.rint(code.amplitude / units[code.kernel]).astype(np.int64)
    order = np.argsort(code.place[:, 0], kind="stable")
    order = order[heights[order] != 0]
    spikes = Spikes(code.place[order, 0].copy(), code.kernel[order].copy(), heights[order])
    left = leave(numbers, spikes, waveforms, offset_of(numbers))
    ends = band_ends(len(numbers))
    costs = costs_of(quantise(left, ends, step, roundings), ends)
    weakest = np.argsort(np.abs(spikes.amplitude) * units[spikes.kernel], kind="stable")
    kept = prune(
        left, ends, spikes, waveforms, weakest, step, roundings.among, costs,
        WEIGHT * step**2, PRICE,
    )  # fmt: skip
    most = NEWEST.most_spikes(len(numbers), waveforms.weights.shape[1])
    kept[weakest[kept[weakest]][:-most]] = False
    return Spikes(spikes.place[kept], spikes.kernel[kept], spikes.amplitude[kept])


def candidates(signals: Sequence[Floats], threshold: float, size: int, most: int = MOST) -> Floats:
    """Return kernels of norm 1 learned from signals without their baselines; there may be none.

    Args:
        signals: ``(length,)`` each.
        threshold: see `threshold_of`.
        size: samples of a kernel.
        most: kernels at most.
    """
    signal = np.concatenate(signals)
    if len(signal) < 4 * size:
        return np.empty((0, size))
    return learn(signal, most, size, threshold)

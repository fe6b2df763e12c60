"""Which spikes are worth their bits, decided by the coefficients that would replace them.

A spike that is left out goes back into the coefficients. It stays only where that would cost more,
in bits and in squared error weighed against bits by one factor ([Everett]).

[Everett]: H. Everett, "Generalized Lagrange multiplier method for solving problems of optimum
allocation of resources", Operations Research 1963.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.spikes import Spikes
from sans.codec.description.waveforms import Waveforms, origin
from sans.codec.description.wavelets import FRACTION, analyse
from sans.compilation.decorators import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SIZES = 32
"""Magnitudes whose cost is known; larger ones cost two bits for every doubling more."""

REACH = 5
"""How many coefficients of the coarsest band a kernel reaches beyond its end."""


@compiled
def costs_of(levels: Integers, ends: Integers) -> Floats:
    """Return what coefficients cost by their magnitude, in bits, from how often each occurs.

    Args:
        levels: ``(length,)``: quantised coefficients.
        ends: where the bands begin and end.

    Returns:
        ``(bands, SIZES)``.
    """
    bands = len(ends) - 1
    costs = np.zeros((bands, SIZES))
    for band in range(bands):
        counts = np.zeros(SIZES)
        total = 0.0
        for size in range(SIZES):
            counts[size] = 0.5 / (1 + size) ** 2
        for i in range(ends[band], ends[band + 1]):
            counts[min(abs(levels[i]), SIZES - 1)] += 1
        for size in range(SIZES):
            total += counts[size]
        for size in range(SIZES):
            costs[band, size] = np.log2(total / counts[size]) + (1 if size else 0)
    return costs


@compiled
def cost(value: float, step: float, rounding: float, costs: Floats, weight: float) -> float:
    """Return what a coefficient costs: its squared error, and its bits times a weight."""
    size = abs(value)
    level = int(size / step + rounding)
    error = size - level * step
    bits = float(costs[min(level, SIZES - 1)])
    if level >= SIZES:
        bits += 2 * np.log2(level / (SIZES - 1))
    return float(error * error + weight * bits)


@compiled
def prune(
    coefficients: Floats,
    ends: Integers,
    spikes: Spikes,
    waveforms: Waveforms,
    order: Integers,
    step: float,
    rounding: float,
    costs: Floats,
    weight: float,
    price: float,
) -> NDArray[np.bool_]:
    """Return which spikes are worth their price; the others go back into the coefficients.

    Args:
        coefficients: ``(length,)`` of what the spikes leave; changed.
        ends: where their bands begin and end.
        spikes: the spikes.
        waveforms: the kernels.
        order: ``(spikes,)``: in which order they are looked at.
        step: of the coefficients.
        rounding: what is added before a magnitude in steps is cut to a whole number.
        costs: see `costs_of`.
        weight: squared error that a bit is worth.
        price: bits of a spike.
    """
    kept = np.ones(len(order), np.bool_)
    length, size = len(coefficients), waveforms.weights.shape[1]
    bands = len(ends) - 1
    unit = 1 << (bands - 1)
    for i in order:
        kernel = spikes.kernel[i]
        height = spikes.amplitude[i] * 2.0 ** -(waveforms.shifts[kernel] + FRACTION)
        begin = spikes.place[i] - origin(size)
        first = max(0, (begin // unit - REACH) * unit)
        last = min(length, ((begin + size) // unit + REACH + 1) * unit)
        window = np.zeros(last - first)
        for t in range(max(0, -begin), min(size, length - begin)):
            window[begin + t - first] = height * waveforms.weights[kernel, t]
        its_ends = ends_like(last - first, bands)
        change = analyse(window, its_ends)
        gain = -weight * price
        for band in range(bands):
            shift = bands - max(band, 1)
            base = ends[band] + (first >> shift)
            for j in range(its_ends[band + 1] - its_ends[band]):
                added = change[its_ends[band] + j]
                if added * added > 1e-4 * step * step:
                    now = coefficients[base + j]
                    gain += cost(now + added, step, rounding, costs[band], weight)
                    gain -= cost(now, step, rounding, costs[band], weight)
        if gain < 0:
            kept[i] = False
            for band in range(bands):
                shift = bands - max(band, 1)
                base = ends[band] + (first >> shift)
                for j in range(its_ends[band + 1] - its_ends[band]):
                    coefficients[base + j] += change[its_ends[band] + j]
    return kept


@compiled
def ends_like(length: int, bands: int) -> Integers:
    """Return where so many bands of a signal begin and end, as `band_ends` does for all."""
    ends = np.zeros(bands + 1, np.int64)
    for band in range(bands, 0, -1):
        ends[band] = length
        length = (length + 1) // 2
    return ends

"""What is kept of one signal in one chunk where loss is allowed: spikes, and what they leave.

The reconstruction is the sum of an offset, of what spikes draw, and of the inverse wavelet
transform of quantised coefficients: integers to the last, where the fraction is rounded away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.coefficients import code_coefficients, coefficient_model
from sans.codec.description.spikes import Spikes, code_spikes, draw, no_spikes, phases_of
from sans.codec.description.waveforms import Waveforms
from sans.codec.description.wavelets import FRACTION, analyse, band_ends, synthesise
from sans.codec.entropy.numbers import code_whole
from sans.codec.entropy.range_coder import HALF, Coder, code, position
from sans.codec.versions import Version
from sans.compilation.decorators import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LARGEST = 1 << 44
"""Quantised coefficients times their step are below this, whatever a reader reads."""


class Roundings(NamedTuple):
    """What is added to a magnitude in steps before it is cut to a whole number.

    The less is around a coefficient, the more it costs not to be zero: the less is added.
    """

    alone: float
    """Where hardly anything is around it."""

    between: float
    """Where little is."""

    among: float
    """Where much is."""

    beyond: float
    """From a magnitude of 2 on."""


FINE = Roundings(0.2, 0.3, 0.4, 0.45)
"""What serves best where most of a signal is kept."""

COARSE = Roundings(0.15, 0.22, 0.3, 0.4)
"""What serves best where little is."""


class Description(NamedTuple):
    """What is kept of one signal in one chunk."""

    offset: int
    """What is added to all samples."""

    step: int
    """The step of the coefficients, with the fraction of `sans.codec.description.wavelets`."""

    spikes: Spikes
    """The spikes."""

    levels: Integers
    """``(length,)``: the coefficients in steps."""


def code_description(
    coder: Coder,
    known: Description,
    waveforms: Waveforms,
    companion: Description,
    version: Version,
    bits: Floats | None = None,
) -> Description:
    """Write a description, or read and return it.

    Args:
        coder: a writer or a reader.
        known: what is written; a reader looks at the length of its levels only.
        waveforms: the kernels; there may be none.
        companion: of another signal, coded before; its levels may be empty.
        version: of the stream, with the rules of the chunk.
        bits: ``(4,)``, if given: what kernels, places and amplitudes of spikes, and coefficients
            take is added to it.

    Raises:
        BitstreamError: if there are more spikes than its rules allow.
    """
    size = code_whole(coder, abs(known.offset))
    offset = -size if code(coder, int(known.offset < 0), HALF) else size
    step = code_whole(coder, known.step)
    levels = known.levels.copy()
    length, spikes, phases = len(levels), no_spikes(0), np.zeros(len(levels), np.uint8)
    if len(waveforms.shifts):
        spikes = code_spikes(
            coder, known.spikes, waveforms, length, companion.spikes, version, bits
        )
        phases = phases_of(spikes, waveforms, length)
    model, ends = coefficient_model(), band_ends(length)
    before = position(coder)
    code_coefficients(coder, model, levels, ends, phases, companion.levels)
    if bits is not None:
        bits[3] += position(coder) - before
    return Description(offset, step, spikes, levels)


@compiled
def reconstruct(description: Description, waveforms: Waveforms) -> Integers:
    """Return the signal that a description keeps, ``(length,)``."""
    length, step = len(description.levels), description.step
    largest = LARGEST // max(step, 1)
    kept = np.empty(length, np.int64)
    for i in range(length):
        kept[i] = min(max(description.levels[i], -largest), largest) * step
    signal = synthesise(kept, band_ends(length))
    drawn = draw(description.spikes, waveforms, length)
    for i in range(length):
        whole = (signal[i] + drawn[i] + (1 << (FRACTION - 1))) >> FRACTION
        signal[i] = whole + description.offset
    return signal


@compiled
def quantise(coefficients: Floats, ends: Integers, step: float, roundings: Roundings) -> Integers:
    """Return coefficients ``(length,)`` in whole steps.

    Args:
        coefficients: of the wavelet transform.
        ends: where its bands begin and end.
        step: in the unit of the coefficients.
        roundings: how they are rounded.
    """
    levels = np.zeros(len(coefficients), np.int64)
    bands = len(ends) - 1
    for band in range(bands):
        begin, end = ends[band], ends[band + 1]
        for i in range(begin, end):
            size = abs(coefficients[i]) / step
            if size < 0.5:
                continue
            around = 0.0
            if i > begin:
                around += min(abs(coefficients[i - 1]) / step, 2.0)
            if i + 1 < end:
                around += min(abs(coefficients[i + 1]) / step, 2.0)
            if band > 1:
                parent = ends[band - 1] + ((i - begin) >> 1)
                around += 2 * min(abs(coefficients[parent]) / step, 2.0)
            child = ends[band + 1] + 2 * (i - begin) if 0 < band < bands - 1 else 0
            if child and child + 1 < ends[band + 2]:
                around += min(abs(coefficients[child]) / step, 2.0)
                around += min(abs(coefficients[child + 1]) / step, 2.0)
            rounding = roundings.among
            if around < 1:
                rounding = roundings.alone
            elif around < 2.5:
                rounding = roundings.between
            if size + rounding >= 2:
                rounding = roundings.beyond
            level = np.int64(size + rounding)
            levels[i] = level if coefficients[i] > 0 else -level
    return levels


@compiled
def leave(numbers: Integers, spikes: Spikes, waveforms: Waveforms, offset: int) -> Floats:
    """Return the coefficients of what an offset and spikes leave of a signal ``(length,)``."""
    drawn = draw(spikes, waveforms, len(numbers))
    left = np.empty(len(numbers))
    for i in range(len(numbers)):
        left[i] = numbers[i] - offset - drawn[i] / (1 << FRACTION)
    return analyse(left, band_ends(len(numbers)))


@compiled
def offset_of(numbers: Integers) -> int:
    """Return the mean of a signal as a whole number."""
    total = 0.0
    for number in numbers:
        total += number
    return int(np.rint(total / len(numbers)))


@compiled
def describe(
    numbers: Integers, spikes: Spikes, waveforms: Waveforms, step: int, roundings: Roundings
) -> Description:
    """Return what is kept of a signal ``(length,)`` beside given spikes.

    Args:
        numbers: the signal.
        spikes: what is drawn first.
        waveforms: the kernels.
        step: of the coefficients, with the fraction of `sans.codec.description.wavelets`.
        roundings: how they are rounded.
    """
    offset = offset_of(numbers)
    coefficients = leave(numbers, spikes, waveforms, offset)
    ends = band_ends(len(numbers))
    levels = quantise(coefficients, ends, step / (1 << FRACTION), roundings)
    return Description(offset, step, spikes, levels)


@compiled
def squared_error(
    numbers: Integers, mask: NDArray[np.bool_], description: Description, waveforms: Waveforms
) -> float:
    """Return the sum of squared errors of a description, without samples that are missing."""
    total = 0.0
    again = reconstruct(description, waveforms)
    for i in range(len(numbers)):
        if not mask[i]:
            total += float(numbers[i] - again[i]) ** 2
    return total


@compiled
def baseline_free(numbers: Integers) -> Floats:
    """Return a signal ``(length,)`` without its coarsest bands: what kernels are to describe."""
    length, offset = len(numbers), offset_of(numbers)
    signal = np.empty(length)
    for i in range(length):
        signal[i] = numbers[i] - offset
    ends = band_ends(length)
    coefficients = analyse(signal, ends)
    kept = np.zeros(length, np.int64)
    for i in range(ends[min(2, len(ends) - 1)]):
        kept[i] = np.int64(np.rint(coefficients[i] * (1 << FRACTION)))
    slow = synthesise(kept, ends)
    for i in range(length):
        signal[i] -= slow[i] / (1 << FRACTION)
    return signal

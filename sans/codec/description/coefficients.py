"""Coding quantised wavelet coefficients, coarse to fine, by what lies around them.

A coefficient's magnitude is coded in unary: whether it is above 0, above 1, and so on. What is
expected comes from the magnitudes before it in its band, from those around it in the two coarser
bands, from where it lies between spikes (its phase: beat after beat, large coefficients come at the
same places), and from another signal that has been coded before. In the finer bands, whole blocks
of zeros are coded at once, and in the finest, larger ones first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import Mixer, at, code_mixed, expect, learn, mixer
from sans.codec.entropy.range_coder import HALF, READING, Coder, code, code_bit, code_plain
from sans.compilation.decorators import compiled, inlined

Levels = NDArray[np.int64]

BANDS = 8
"""Bands that are told apart, fine to coarse."""

BLOCK, LARGE_BLOCK = 16, 64
"""Coefficients of a block."""

BLOCK_BANDS, LARGE_BLOCK_BANDS = 4, 2
"""How many of the finer bands come in blocks, and in large ones first."""

BLOCK_KINDS = BLOCK_BANDS + LARGE_BLOCK_BANDS

DECISIONS = 8
"""Decisions of the unary code that are told apart."""

UNARY = 18
"""Decisions at most; what is beyond follows in plain digits."""

DIGITS = 40
"""Plain digits at most."""

PHASES = 256
"""Phases that are told apart; 0: far from every spike."""

LIMIT = 255
"""Slots are means over so many bits."""

RATE = 7
"""How fast weights learn."""

MEAN_RATE = 3
"""The mean magnitude of a phase moves 2^−MEAN_RATE of the way."""

LARGEST = 1 << 22
"""Magnitudes around a coefficient count no more than this."""

PADDING = 16
"""Zeros before and after the magnitudes of each band, where neighbours may be looked for."""

ENERGIES = 16
"""Classes of a magnitude, see `FEW`."""

CONTEXTS = (512, 256, 256, 256, 256, 512, 512)
"""Contexts of each input for the magnitudes of one band."""

INPUTS = len(CONTEXTS)

FIRSTS = tuple(BANDS * DECISIONS * sum(CONTEXTS[:i]) for i in range(INPUTS))
"""Where the slots of each input begin."""

BLOCK_INPUTS = 3

BLOCK_CONTEXTS = 256
"""Contexts of each input for one kind of block."""

FEW = np.searchsorted(
    [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 24, 32, 48, 72, 120], np.arange(256), side="right"
).astype(np.uint8)
"""``(256,)``: the class of a magnitude, below `ENERGIES`."""

FEWER = np.searchsorted([1, 2, 3, 5, 8, 13, 24], np.arange(256), side="right").astype(np.uint8)
"""``(256,)``: the class of a magnitude, below 8."""


class CoefficientModel(NamedTuple):
    """What coding coefficients has learned so far."""

    values: Mixer
    """The model of magnitudes, with a row of weights for each band and decision."""

    blocks: Mixer
    """The model of blocks of zeros, with a row of weights for each kind."""

    means: NDArray[np.int64]
    """``(BANDS × PHASES,)``: the mean magnitude, in 1/256; -1: nothing seen."""


class Band(NamedTuple):
    """Where a band lies, and its coarser ones."""

    fineness: int
    """Which band, from the finest on, below `BANDS`."""

    begin: int
    """Where its coefficients begin."""

    length: int
    """How many there are."""

    here: int
    """Where their magnitudes begin, see `_code_band`."""

    coarser: int
    """The same of the next coarser band; -1: there is none."""

    coarse: int
    """The same of the one after; -1: there is none."""

    halvings: int
    """How often the place in this band is halved for that in the next coarser one."""

    far_halvings: int
    """The same for the one after."""

    stride: int
    """Samples of the signal for one coefficient."""


def coefficient_model() -> CoefficientModel:
    """Return a model that has seen nothing."""
    return CoefficientModel(
        mixer(BANDS * DECISIONS * sum(CONTEXTS), BANDS * DECISIONS, INPUTS),
        mixer(BLOCK_KINDS * BLOCK_INPUTS * BLOCK_CONTEXTS, BLOCK_KINDS, BLOCK_INPUTS),
        np.full(BANDS * PHASES, -1, np.int64),
    )


@compiled
def code_coefficients(
    coder: Coder,
    model: CoefficientModel,
    levels: Levels,
    ends: Levels,
    phases: NDArray[np.uint8],
    companion: Levels,
) -> None:
    """Write quantised coefficients, or read them.

    Args:
        coder: a writer or a reader.
        model: what has been learned so far; it learns on.
        levels: ``(length,)``: the coefficients in units of their step; a reader fills them in.
        ends: where the bands begin and end, see `sans.codec.description.wavelets.band_ends`.
        phases: ``(length,)``: the phase of every sample of the signal.
        companion: ``(length,)``: coefficients of another signal, at the same places; or none.
    """
    bands = len(ends) - 1
    sizes = np.zeros(len(levels) + PADDING * (bands + 1), np.int32)
    for number in range(bands):
        band = Band(
            min(bands - 1 - number, BANDS - 1),
            at(ends, number),
            at(ends, number + 1) - at(ends, number),
            at(ends, number) + PADDING * (number + 1),
            at(ends, number - 1) + PADDING * number if number > 0 else -1,
            at(ends, number - 2) + PADDING * (number - 1) if number > 1 else -1,
            1 if number > 1 else 0,
            2 if number > 2 else 1,
            max(1, 1 << min(bands - number, bands - 1)),
        )
        _code_band(coder, model, levels, phases, companion, sizes, band)


@compiled
def _code_band(
    coder: Coder,
    model: CoefficientModel,
    levels: Levels,
    phases: NDArray[np.uint8],
    companion: Levels,
    sizes: NDArray[np.int32],
    band: Band,
) -> None:
    """Code one band.

    Args:
        coder: a writer or a reader.
        model: what has been learned so far; it learns on.
        levels: ``(length,)``, see `code_coefficients`.
        phases: ``(length,)``: the phase of every sample of the signal.
        companion: ``(length,)``, or none: see `code_coefficients`.
        sizes: ``(length + PADDING (bands + 1),)``: magnitudes so far, with zeros around each band.
        band: which.
    """
    stream, registers, means = coder.stream, coder.registers, model.means
    slots, weights = model.values.slots, model.values.weights
    chosen, logits = model.values.chosen, model.values.logits
    block_slots, block_weights = model.blocks.slots, model.blocks.weights
    block_chosen, block_logits = model.blocks.chosen, model.blocks.logits
    reading = at(registers, READING)
    begin, length, fineness = band.begin, band.length, band.fineness
    in_blocks = band.coarser >= 0 and fineness < BLOCK_BANDS
    in_large = band.coarser >= 0 and fineness < LARGE_BLOCK_BANDS
    large_end = place = none = 0
    while place < length:
        last = length
        untold = False  # a block that is known not to be all zeros, and has been so far
        if in_blocks:
            large = in_large and place >= large_end
            last = min(length, place + (LARGE_BLOCK if large else BLOCK))
            filled = none
            if not reading:
                for i in range(begin + place, begin + last):
                    filled |= 1 if levels[i] != 0 else 0
            kind = fineness + (BLOCK_BANDS if large else 0)
            step = 8 if large else 2
            _choose_for_block(block_chosen, sizes, phases, means, band, place, last, kind, step)
            filled = code_mixed(
                stream, registers, block_slots, block_weights, block_chosen, block_logits,
                kind, none, filled,
            )  # fmt: skip
            if not filled:
                _clear(levels, phases, means, band, place, last, step >> 1, reading)
                place = last
                continue
            if large:
                large_end = last
                continue
            untold = True
        for i in range(place, last):
            phase = _phase(phases, band, i)
            told = 1 + i - place if untold else 0
            plain = _choose(chosen, sizes, means, companion, band, i, phase, told)
            level = 0 if reading else at(levels, begin + i)
            size = abs(level)
            wanted = size >> plain
            # The last of a block is not zero where all others are.
            top = 1 if untold and i == last - 1 and plain == 0 else 0
            while top < UNARY:
                decision = min(top, DECISIONS - 1)
                row = fineness * DECISIONS + decision
                one = expect(slots, weights, chosen, logits, INPUTS, row, decision)
                bit = code_bit(stream, registers, 1 if wanted > top else 0, one)
                learn(slots, weights, chosen, logits, INPUTS, row, decision, one, bit, LIMIT, RATE)
                if not bit:
                    break
                top += 1
            if top == UNARY:
                top += _code_rest(coder, wanted - UNARY)
            found = top
            if plain:
                found = (top << plain) | code_plain(coder, size, plain)
            levels[begin + i] = found
            if found:
                untold = False
                sizes[band.here + i] = min(found, LARGEST)
                if code_bit(stream, registers, 1 if level < 0 else 0, HALF):
                    levels[begin + i] = -found
            now, usual = min(found, 4095) << 8, at(means, (fineness << 8) + phase)
            moved = usual + ((now - usual) >> MEAN_RATE)
            means[(fineness << 8) + phase] = now if usual < 0 else moved
        place = last


@inlined
def _choose_for_block(
    chosen: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    phases: NDArray[np.uint8],
    means: NDArray[np.int64],
    band: Band,
    first: int,
    last: int,
    kind: int,
    step: int,
) -> None:
    """Choose slots for a block by what lies before, above and far above it, and by its phases."""
    own = parent = grand = expected = 0
    for i in range(band.here + first - 8, band.here + first):
        own += min(at(sizes, i), 3)
    end = band.coarser + ((last + 1) >> 1) + 1
    for i in range(band.coarser + (first >> 1) - 1, end):
        parent += min(at(sizes, i), 3)
    if band.coarse >= 0:
        end = band.coarse + ((last + 3) >> band.far_halvings) + 1
        for i in range(band.coarse + (first >> band.far_halvings) - 1, end):
            grand += min(at(sizes, i), 3)
    for i in range(first, last, step):
        phase = _phase(phases, band, i)
        expected += max(at(means, (band.fineness << 8) + phase), 0)
    base = kind * BLOCK_INPUTS * BLOCK_CONTEXTS
    middle = _phase(phases, band, (first + last) >> 1)
    chosen[0] = base + _few(expected >> 6) * 16 + _few(parent + own)
    chosen[1] = base + BLOCK_CONTEXTS + _few(parent) * 16 + _few(own + (grand >> 1))
    chosen[2] = base + 2 * BLOCK_CONTEXTS + middle


@inlined
def _clear(
    levels: Levels,
    phases: NDArray[np.uint8],
    means: NDArray[np.int64],
    band: Band,
    first: int,
    last: int,
    step: int,
    reading: int,
) -> None:
    """Leave zeros in a block, and learn from every step-th of them how large they are."""
    if reading:
        for i in range(band.begin + first, band.begin + last):
            levels[i] = 0
    for i in range(first, last, step):
        place = (band.fineness << 8) + _phase(phases, band, i)
        usual = at(means, place)
        means[place] = usual - (usual >> MEAN_RATE) if usual >= 0 else 0


@inlined
def _choose(
    chosen: NDArray[np.uint64],
    sizes: NDArray[np.int32],
    means: NDArray[np.int64],
    companion: Levels,
    band: Band,
    i: int,
    phase: int,
    told: int,
) -> int:
    """Choose slots for the i-th magnitude of a band; return how many of its digits are plain."""
    # Of the coarser bands: the magnitude at this place, on the nearer side, and beyond.
    place = band.here + i
    l1, l2, l3, l4 = (
        at(sizes, place - 1), at(sizes, place - 2), at(sizes, place - 3), at(sizes, place - 4)
    )  # fmt: skip
    p0 = p1 = p2 = g0 = g1 = g2 = 0
    if band.coarser >= 0:
        above, side = band.coarser + (i >> band.halvings), 1 if band.halvings == 0 or i & 1 else -1
        p0, p1, p2 = at(sizes, above), at(sizes, above + side), at(sizes, above - side)
    if band.coarse >= 0:
        above = band.coarse + (i >> band.far_halvings)
        side = 2 * ((i >> (band.far_halvings - 1)) & 1) - 1
        g0, g1, g2 = at(sizes, above), at(sizes, above + side), at(sizes, above - side)
    own, parent, grand = 2 * l1 + l2, 2 * p0 + p1, 2 * g0 + g1 + g2
    # Where large ones are expected, the last digits are plain and the rest is coded.
    plain, mean = 0, (own + parent) // 6
    while mean >= 8:
        mean >>= 1
        plain += 1
    near = 0
    if len(companion):
        j = band.begin + i
        near = 2 * min(abs(at(companion, j)), LARGEST)
        near += min(abs(at(companion, j - 1)), LARGEST) if i > 0 else 0
        near += min(abs(at(companion, j + 1)), LARGEST) if i + 1 < band.length else 0
        near = 1 + _few(near >> plain)
    expected = max(at(means, (band.fineness << 8) + phase), 0) >> plain
    beside = _few((own + parent) >> plain)
    wide = _fewer((own + l3 + l4) >> plain) * 8 + _fewer((parent + p2 + grand) >> plain)
    exact = min(l1, 3) * 64 + min(l2, 3) * 16 + min(p0, 3) * 4 + min(p1, 3)
    behind = _few(grand >> plain) * 16 + _few((l1 + 2 * l2 + l3) >> plain)
    fineness = band.fineness
    chosen[0] = _slot(0, fineness, wide * 8 + _fewer(expected >> 6))
    chosen[1] = _slot(1, fineness, exact)
    chosen[2] = _slot(2, fineness, behind)
    chosen[3] = _slot(3, fineness, phase)
    chosen[4] = _slot(4, fineness, _few(expected >> 4) * 16 + beside)
    chosen[5] = _slot(5, fineness, (phase >> 3) * 16 + beside)
    chosen[6] = _slot(6, fineness, min(told, 15) * 32 + near)
    return plain


@compiled
def _code_rest(coder: Coder, value: int) -> int:
    """Code what is beyond the unary decisions: Elias' gamma code of it + 1, `DIGITS` at most."""
    digits, more = 1, value + 1
    while digits < DIGITS and code(coder, 1 if more >> digits > 0 else 0, HALF):
        digits += 1
    return ((1 << (digits - 1)) | code_plain(coder, more, digits - 1)) - 1


@compiled
def _phase(phases: NDArray[np.uint8], band: Band, i: int) -> int:
    """Return the phase in the middle of the samples of the i-th coefficient of a band."""
    return at(phases, min(i * band.stride + (band.stride >> 1), len(phases) - 1))


@compiled
def _slot(i: int, fineness: int, context: int) -> int:
    """Return where the slots of a context of the i-th input begin."""
    return FIRSTS[i] + (fineness * CONTEXTS[i] + context) * DECISIONS


@compiled
def _few(size: int) -> int:
    """Return a magnitude in `ENERGIES` classes."""
    return at(FEW, min(size, 255))


@compiled
def _fewer(size: int) -> int:
    """Return a magnitude in eight classes."""
    return at(FEWER, min(size, 255))

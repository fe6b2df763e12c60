"""What is known of a pixel before it is coded: predictions, and contexts from the pixels around it.

The numbers in this module are a part of the format: a reader computes with the same ones, so that
another number makes another version. No record says how they were found, and no script finds them
again. The images that they were measured on are those of the test set of MNIST (docs/codec.md): the
levels of `fresh_images` tell black and the brightest grey levels apart best, which such images of
bright strokes on black consist of.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import FRESH
from sans.codec.entropy.numbers import digits_of
from sans.compilation.decorators import compiled, inlined

TABLES = 16
"""How many contexts are mixed."""

PLAIN = 4
"""How many of them where all neighbours are zero, before a pixel is known not to be."""

INPUTS = TABLES + 1
"""What is mixed: the contexts, and a constant."""

MARGIN = 3
"""How far contexts look."""

TAPS = 15
"""Pixels that the linear prediction sees, in this image and in the one before."""

GUESSES = 5
"""Predictions of which one is chosen: the linear one, two gradients, and two from before."""

LARGEST_TABLE = 21
"""A context has 2¹⁰ to 2²¹ slots, about as many as there are pixels; 64 bytes at a time."""

SLOWNESS = 8
"""The linear prediction moves by 2⁻⁸ of its error."""

LIT, BRIGHTER, BRIGHTEST = 100, 240, 252
"""Levels, of 255, from which a pixel counts as bright, as nearly the brightest, and as that."""

WEST_TAP, NORTHWEST_TAP = 49152, -32768
"""Weights in 2⁻¹⁶ that the linear prediction begins with: 3/4 of the pixels to the west and to the
north, less 1/2 of the one between them; all others are 0. They sum up to 1."""

FIRST_WEIGHT = 65536 * 13 // (10 * TABLES)
"""The weight of every context at first, in 2⁻¹⁶: 1.3 for all together."""

MEAN, ENERGY, BRIGHT, FIRST_SET, SECOND_SET, BLANK, FINE_PREDICTION, PREDICTION = range(8)
"""What the registers of a model hold: see `predict` and `look_at_levels`."""


class Images(NamedTuple):
    """The state of a model of images."""

    slots: NDArray[np.uint32]
    """``(TABLES × 2^bits,)``: probabilities and counts, as in `sans.codec.entropy.mixing`."""

    first: NDArray[np.int32]
    """``(257 × 16, INPUTS)``: weights by the bits before and the neighbours; last: blank ones."""

    second: NDArray[np.int32]
    """``(9 × 256, INPUTS)``: added to them, by the number of bits before and the neighbours."""

    inputs: NDArray[np.int32]
    """``(INPUTS,)``: logits."""

    contexts: NDArray[np.int64]
    """``(TABLES,)``: the contexts of the pixel."""

    places: NDArray[np.int64]
    """``(TABLES,)``: the sixteen slots of each context that the bits at hand use."""

    levels: NDArray[np.int64]
    """``(4, 256)``: a pixel in 2, 4, 8, 16 steps; zero and the brightest apart."""

    taps: NDArray[np.int64]
    """``(TAPS,)``: weights of the linear prediction, in 2⁻¹⁶."""

    near: NDArray[np.int64]
    """``(TAPS,)``: what it predicts from, without the mean."""

    guesses: NDArray[np.int64]
    """``(GUESSES,)``: predictions of a pixel of many levels."""

    scores: NDArray[np.int64]
    """``(GUESSES,)``: how many bits their errors had recently, in 2⁻¹⁰."""

    registers: NDArray[np.int64]
    """``(8,)``: see `MEAN` and those after it."""


@compiled
def fresh_images(pixels: int, top: int) -> Images:
    """Return a model that has seen nothing of `pixels` pixels from 0 to `top`."""
    bits = 10
    while bits < LARGEST_TABLE and (1 << bits) < pixels:
        bits += 1
    levels = np.zeros((4, 256), np.int64)
    last = max(min(top, 255), 1)
    for i in range(1, last + 1):
        level = i * 255 // last
        levels[0, i] = 1 if level >= LIT else 0
        levels[1, i] = 3 if level >= BRIGHTER else (2 if level >= LIT else 1)
        levels[2, i] = 7 if level >= BRIGHTEST else 1 + min((level + 16) // 48, 5)
        levels[3, i] = 15 if level >= 253 else (14 if level >= 250 else 1 + level // 20)
    taps = np.zeros(TAPS, np.int64)
    taps[0], taps[3], taps[5] = WEST_TAP, WEST_TAP, NORTHWEST_TAP
    return Images(
        np.full(TABLES << bits, FRESH, np.uint32),
        np.full((257 * 16, INPUTS), FIRST_WEIGHT, np.int32),
        np.zeros((9 * 256, INPUTS), np.int32),
        np.zeros(INPUTS, np.int32),
        np.zeros(TABLES, np.int64),
        np.zeros(TABLES, np.int64),
        levels,
        taps,
        np.zeros(TAPS, np.int64),
        np.zeros(GUESSES, np.int64),
        np.zeros(GUESSES, np.int64),
        np.zeros(8, np.int64),
    )


@compiled
def grade_of(distance: int) -> int:
    """Return 0 for 0, 1 to 127 by the size of a distance above it, 255 to 129 below it."""
    size = abs(distance)
    if size >= 8:
        length = digits_of(size)
        size = min(((length - 2) << 2) + ((size >> (length - 3)) & 3), 127)
    return size if distance >= 0 else 256 - size


@inlined
def predict(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    y: int,
    x: int,
    top: int,
) -> None:
    """Predict a pixel, in sixteenths and in whole; the mean is in sixteenths, too."""
    near, taps, registers = model.near, model.taps, model.registers
    near[0], near[1], near[2] = now[y, x - 1], now[y, x - 2], now[y, x - 3]
    near[3], near[4] = now[y - 1, x], now[y - 2, x]
    near[5], near[6] = now[y - 1, x - 1], now[y - 1, x + 1]
    near[7], near[8], near[9] = now[y - 1, x + 2], now[y - 1, x - 2], now[y - 2, x + 1]
    near[10], near[11], near[12] = before[y, x], before[y, x + 1], before[y, x - 1]
    near[13], near[14] = before[y - 1, x], before[min(y + 1, now.shape[0] - 1), x]
    mean = registers[MEAN] >> 4
    total = np.int64(0)
    for i in range(TAPS):
        near[i] -= mean
        total += near[i] * taps[i]
    registers[FINE_PREDICTION] = min(max((mean << 4) + (total >> 12), 0), top << 4)
    registers[PREDICTION] = (registers[FINE_PREDICTION] + 8) >> 4


@inlined
def follow(model: Images, index: int, down: int) -> None:
    """Learn from what a pixel was: normalised least mean squares, on values without `down` bits."""
    near, taps, registers = model.near, model.taps, model.registers
    energy = np.int64(1)
    for i in range(TAPS):
        near[i] >>= down
        energy += near[i] * near[i]
    registers[ENERGY] += (energy - registers[ENERGY]) >> 7
    error = ((index << 4) - registers[FINE_PREDICTION]) >> down
    gain = (error << 32) // max(energy, registers[ENERGY])
    gain = min(max(gain, -(1 << 40)), 1 << 40)
    for i in range(TAPS):
        tap = taps[i] + ((gain * near[i]) >> (20 + SLOWNESS))
        taps[i] = min(max(tap, -(1 << 20)), 1 << 20)
    registers[MEAN] += ((index << 4) - registers[MEAN]) >> 10


@inlined
def choose(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    y: int,
    x: int,
    top: int,
) -> None:
    """Replace the linear prediction where another was better recently."""
    guesses, scores, registers = model.guesses, model.scores, model.registers
    w, no, nw, other = now[y, x - 1], now[y - 1, x], now[y - 1, x - 1], before[y, x]
    guesses[0] = registers[PREDICTION]
    guesses[1] = w + no - nw
    guesses[2] = max(min(w, no), min(max(w, no), w + no - nw))
    guesses[3] = other + w - before[y, x - 1]
    guesses[4] = other
    best = 0
    for i in range(GUESSES):
        guesses[i] = min(max(guesses[i], 0), top)
        if scores[i] < scores[best]:
            best = i
    registers[PREDICTION] = guesses[best]


@inlined
def look_at_levels(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    n: int,
    y: int,
    x: int,
    top: int,
) -> None:
    """Set the contexts of a pixel of at most 256 levels."""
    contexts, registers = model.contexts, model.registers
    two, four, eight, many = model.levels[0], model.levels[1], model.levels[2], model.levels[3]
    row, row1, row2, row3 = now[y], now[y - 1], now[y - 2], now[y - 3]
    w, ww = row[x - 1], row[x - 2]
    nw, no, ne, nww, nee = row1[x - 1], row1[x], row1[x + 1], row1[x - 2], row1[x + 2]
    nn, nne, nnw = row2[x], row2[x + 1], row2[x - 1]
    shape = np.int64(0)
    for i in range(3):
        shape = (shape << 1) | two[row[x - 3 + i]]
    for i in range(7):
        shape = (shape << 1) | two[row1[x - 3 + i]]
    for i in range(5):
        shape = (shape << 1) | two[row2[x - 2 + i]]
    for i in range(3):
        shape = (shape << 1) | two[row3[x - 1 + i]]
    coarse = (four[w] << 6) | (four[no] << 4) | (four[nw] << 2) | four[ne]
    contexts[0] = (((y * now.shape[1] + x) << 3 | eight[w]) << 3) | eight[no]
    contexts[1] = n
    contexts[2] = (coarse << 12) | (four[ww] << 10) | (four[nn] << 8) | (four[nee] << 6)
    contexts[2] |= (four[nne] << 4) | (four[nww] << 2) | four[nnw]
    contexts[3] = shape
    contexts[4] = (registers[BRIGHT] << 4) | (coarse >> 4)
    registers[BLANK] = (w | ww | nw | no | ne | nww | nee | nn | nne | nnw) == 0
    if registers[BLANK]:
        registers[FIRST_SET], registers[SECOND_SET] = 0, shape & 255
        for i in range(PLAIN + 1, TABLES):
            contexts[i] = 0
        return
    lit = np.int64((w > 0) | ((no > 0) << 1) | ((nw > 0) << 2) | ((ne > 0) << 3))
    registers[FIRST_SET], registers[SECOND_SET] = lit, coarse
    prediction = registers[PREDICTION]
    rough = min(digits_of(abs(w - ww) + abs(no - nw) + abs(no - ne)), 15)
    moved = min(digits_of(abs(before[y, x - 1] - w) + abs(before[y - 1, x] - no)), 15)
    contexts[5] = (w << 8) | no
    contexts[6] = (many[w] << 12) | (many[no] << 8) | (many[nw] << 4) | many[ne]
    contexts[7] = (many[w] << 12) | (many[no] << 8) | (many[ww] << 4) | many[nn]
    contexts[8] = (
        (min(max(w + no - nw, 0), top) << 8) | (min(abs(w - no) >> 3, 31) << 3) | eight[ne]
    )
    contexts[9] = (min(max(w + ne - no, 0), top) << 8) | no
    contexts[10] = (min(max(2 * w - ww, 0), top) << 8) | ne
    contexts[11] = (n << 4) | (coarse >> 4)
    contexts[12] = (prediction << 4) | rough
    contexts[13] = registers[FINE_PREDICTION]
    contexts[14] = (min(max(2 * no - nn, 0), top) << 8) | w
    contexts[15] = (((before[y, x] << 4) | moved) << 8) | prediction


@inlined
def look_at_errors(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    errors: NDArray[np.int64],
    n: int,
    y: int,
    x: int,
    top: int,
) -> None:
    """Set the contexts of a distance to the prediction; errors are those of two rows."""
    contexts, registers = model.contexts, model.registers
    w, ww = now[y, x - 1], now[y, x - 2]
    no, nw, ne = now[y - 1, x], now[y - 1, x - 1], now[y - 1, x + 1]
    other = before[y, x]
    prediction = registers[PREDICTION]
    error_w, above = errors[y & 1, x - 1], errors[(y - 1) & 1]
    error_no, error_nw, error_ne = above[x], above[x - 1], above[x + 1]
    size_w, size_no = digits_of(abs(error_w)), digits_of(abs(error_no))
    size_nw, size_ne = digits_of(abs(error_nw)), digits_of(abs(error_ne))
    size = grade_of(2 * (abs(error_w) + abs(error_no)) + abs(error_nw) + abs(error_ne))
    to_w, to_no = grade_of(w - prediction), grade_of(no - prediction)
    registers[BLANK] = 0
    registers[FIRST_SET] = size >> 3
    registers[SECOND_SET] = (min(size_w, 15) << 4) | min(size_no, 15)
    contexts[0] = size
    contexts[1] = (n << 6) | (size >> 1)
    contexts[2] = (size_w << 6) | size_no
    contexts[3] = grade_of(abs(w - ww) + abs(no - nw) + abs(no - ne))
    contexts[4] = grade_of(model.guesses[2] - prediction)
    contexts[5] = to_w
    contexts[6] = to_no
    contexts[7] = ((to_w >> 1) << 7) | (to_no >> 1)
    contexts[8] = (grade_of(model.guesses[1] - prediction) << 5) | (size >> 2)
    contexts[9] = y * now.shape[1] + x
    contexts[10] = grade_of(other - prediction)
    contexts[11] = (grade_of(model.guesses[3] - prediction) << 5) | (size >> 2)
    contexts[12] = ((grade_of(error_w) >> 1) << 7) | (grade_of(error_no) >> 1)
    contexts[13] = (prediction << 8) // (top + 1)
    contexts[14] = (((((size_w << 6) | size_no) << 6) | size_nw) << 6) | size_ne
    contexts[15] = 0
